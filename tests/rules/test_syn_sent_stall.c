/* SPDX-License-Identifier: MIT */
/* syn-sent-stall: connection attempts without answer, and what only looks like them. */
#include "rules.h"

#define RULE "syn-sent-stall"

/* A SYN-SENT of the linear phase: @retries repeated after a second each, the running wait has @left_ms to go. */
static struct fake *attempt(struct fixture *f, const char *local, const char *peer,
			    unsigned retries, uint32_t left_ms)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_SYN_SENT, local, peer);

	fake->sock.timer = SOCK_TIMER_ON;
	fake->sock.retrans = (uint8_t)retries;
	fake->sock.expires_ms = left_ms;
	fake_set(fake, TCPI_RETRANSMITS, retries);
	fake_set(fake, TCPI_TOTAL_RETRANS, retries);
	fake_set(fake, TCPI_RTO, 1000000);
	return fake;
}

static void one_attempt__three_seconds__warns(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 3, 1000)->owner = fixture_process(&f, 42, "app");
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(evidence_of(finding, "oldest"), 3000);
	assert_int_equal(evidence_of(finding, "retries"), 3);
	assert_int_equal(evidence_of(finding, "gives_up"), 131000 - 3000);
	expect_text(finding, finding->title, "app[42] waits for 10.9.9.9:80");
	assert_true(finding->confidence > 0.79 && finding->confidence < 0.81);
	expect_part_skipped(&f, "counters");
	fixture_close(&f);
}

static void one_attempt__just_below_three_seconds__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 2, 1);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 1);
	assert_true(f.verdict.misses[0].value == 2999);
	assert_true(f.verdict.misses[0].threshold == 3000);
	fixture_close(&f);
}

static void one_attempt__fifteen_seconds__is_critical(void **state)
{
	static const struct {
		uint32_t left_ms;
		enum severity severity;
	} rows[] = { { 1, SEVERITY_WARNING }, { 0, SEVERITY_CRITICAL } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		/* 4 linear seconds, then 1 + 2 + 4, and 4 of the next 8. */
		fake = attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 7, 4000 + rows[i].left_ms);
		fake_set(fake, TCPI_BACKOFF, 3);
		fake_set(fake, TCPI_RTO, 8000000);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		expect_one(&f, rows[i].severity);
		fixture_close(&f);
	}
}

static void three_attempts__one_destination__are_critical(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned count = 2; count <= 3; count++) {
		fixture_open(&f, RULE);
		for (unsigned i = 0; i < count; i++)
			attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 3, 500)->sock.local.port += (uint16_t)i;
		fixture_sample(&f, 0);
		fixture_judge(&f);
		assert_int_equal(expect_one(&f, count == 3 ? SEVERITY_CRITICAL : SEVERITY_WARNING)->count,
				 count);
		fixture_close(&f);
	}
}

static void two_of_three_attempts__unanswered__are_critical(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 3, 500);
	attempt(&f, "10.0.0.1:40001", "10.9.9.9:80", 3, 500);
	fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:40002", "10.9.9.9:80");
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_string_equal(finding->threshold.name, "critical_ratio");
	expect_against(finding, "1 other connection to the same");
	fixture_close(&f);
}

static void counters__that_show_lost_syns__raise_confidence(void **state)
{
	double without, with;
	struct fixture f;

	(void)state;
	for (unsigned support = 0; support < 2; support++) {
		fixture_open(&f, RULE);
		attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 3, 500);
		fixture_sample(&f, 0);
		fixture_count(&f, COUNTER_TCP_ACTIVE_OPENS, 200);
		fixture_count(&f, COUNTER_TCP_SYN_RETRANS, support ? 106 : 105);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		*(support ? &with : &without) = expect_one(&f, SEVERITY_WARNING)->confidence;
		fixture_close(&f);
	}
	assert_true(with > without);
}

static void three_remotes__of_one_network__are_one_finding(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	attempt(&f, "10.0.0.1:40000", "10.9.9.7:80", 3, 500);
	attempt(&f, "10.0.0.1:40001", "10.9.9.8:80", 3, 500);
	attempt(&f, "10.0.0.1:40002", "10.9.9.9:80", 3, 500);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->scope.peer_bits, 24);
	expect_text(finding, finding->title, "10.9.9.0/24:80");
	fixture_close(&f);
}

static void two_networks__stay_two_findings(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	attempt(&f, "[2001:db8::1]:40000", "[2001:db8:1::9]:80", 3, 500);
	attempt(&f, "10.0.0.1:40001", "10.9.9.8:80", 3, 500);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	assert_int_equal(f.verdict.finding_count, 2);
	fixture_close(&f);
}

static void syn__that_never_left__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fake_set(attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 3, 500), TCPI_TOTAL_RETRANS, 0);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void attempt__answered_in_the_second_sample__is_silent(void **state)
{
	struct fake *fake;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fake = attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 3, 500);
	fixture_sample(&f, 0);
	fake->sock.state = SOCK_STATE_ESTAB;
	fixture_sample(&f, 2);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void scanner__each_destination_once__is_info(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned count = 15; count <= 16; count++) {
		struct process *scanner;

		fixture_open(&f, RULE);
		scanner = fixture_process(&f, 7, "nmap");
		for (unsigned i = 0; i < count; i++) {
			struct fake *fake = attempt(&f, "10.0.0.1:40000", "10.9.0.9:80", 3, 500);

			fake->sock.peer.addr.bytes[2] = (uint8_t)i;
			fake->owner = scanner;
		}
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (count == 16)
			expect_text(expect_one(&f, SEVERITY_INFO), f.verdict.findings[0]->title,
				    "Scanner-like: nmap[7] waits for 16 silent");
		else
			assert_int_equal(f.verdict.finding_count, 15);
		fixture_close(&f);
	}
}

static void ipv6_silent__same_process_has_ipv4__warns_of_fallback(void **state)
{
	const struct finding *finding;
	struct process *browser;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	browser = fixture_process(&f, 9, "browser");
	for (unsigned i = 0; i < 4; i++)
		attempt(&f, "[2001:db8::1]:40000", "[2001:db8:1::9]:443", 3, 500)->owner = browser;
	fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:40002", "10.9.9.9:443")->owner = browser;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "hidden by fallback");
	fixture_close(&f);
}

static void route__is_shown(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.has_route = true;
	f.route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_GATEWAY | ROUTE_HAS_NEIGHBOUR,
				  .gateway = addr_v4(0x0a0000fe),
				  .neighbour_state = 2,
				  .device = "eth0" };
	attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 3, 1000);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->detail, "eth0 via 10.0.0.254, next hop REACHABLE");
	fixture_close(&f);
}

static void tcp_info__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.info_len = 0;
	attempt(&f, "10.0.0.1:40000", "10.9.9.9:80", 3, 500);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "tcp_info");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_attempt__three_seconds__warns),
		cmocka_unit_test(one_attempt__just_below_three_seconds__is_silent),
		cmocka_unit_test(one_attempt__fifteen_seconds__is_critical),
		cmocka_unit_test(three_attempts__one_destination__are_critical),
		cmocka_unit_test(two_of_three_attempts__unanswered__are_critical),
		cmocka_unit_test(counters__that_show_lost_syns__raise_confidence),
		cmocka_unit_test(three_remotes__of_one_network__are_one_finding),
		cmocka_unit_test(two_networks__stay_two_findings),
		cmocka_unit_test(syn__that_never_left__is_silent),
		cmocka_unit_test(attempt__answered_in_the_second_sample__is_silent),
		cmocka_unit_test(scanner__each_destination_once__is_info),
		cmocka_unit_test(ipv6_silent__same_process_has_ipv4__warns_of_fallback),
		cmocka_unit_test(route__is_shown),
		cmocka_unit_test(tcp_info__missing__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
