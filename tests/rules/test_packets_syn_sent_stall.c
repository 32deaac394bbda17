/* SPDX-License-Identifier: MIT */
/* syn-sent-stall from packets: SYNs that nothing answers, and what looks alike. */
#include "rules.h"

#define RULE "syn-sent-stall"
#define CLIENT "10.0.0.1:40000"
#define SERVER "10.9.9.9:443"

/* What keeps a capture from looking as if it saw one direction only. */
static void add_healthy(struct wire *w)
{
	wire_tcp(w, "10.0.0.7:50000", "10.0.0.8:80");
	wire_tcp(w, "10.0.0.7:50001", "10.0.0.8:80");
}

static void syn__repeated_and_unanswered_for_three_seconds__warns(void **state)
{
	static const struct {
		const char *client, *server;
	} rows[] = { { CLIENT, SERVER }, { "[fd00::1]:40000", "[fd00::9]:443" } };
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		add_healthy(&w);
		wire_syn(&w, rows[i].client, rows[i].server, 2)->first_ns = wire_ns(0);
		wire_lasts(&w, 6);
		wire_judge(&w);
		finding = wire_expect_one(&w, SEVERITY_WARNING);
		assert_int_equal(finding->count, 1);
		assert_string_equal(finding->threshold.name, "unanswered");
		assert_int_equal(evidence_of(finding, "retries"), 2);
		assert_int_equal(evidence_of(finding, "waited"), 3000);
		assert_int_equal(evidence_of(finding, "since"), 6000);
		assert_int_equal(evidence_of(finding, "flow"), 3);
		assert_true(finding->confidence > 0.87 && finding->confidence < 0.89);
		expect_text(finding, finding->title, i ? "fd00::1 to [fd00::9]:443" : "10.0.0.1 to 10.9.9.9:443");
		expect_text(finding, finding->next[0], i ? "capture -r test.pcapng --packets 'host fd00::9 and tcp port 443'" :
							   "capture -r test.pcapng --packets 'host 10.9.9.9 and tcp port 443'");
		wire_close(&w);
	}
}

static void age__at_the_limit__is_where_it_begins(void **state)
{
	struct wire w;

	(void)state;
	for (unsigned ms = 2999; ms <= 3000; ms++) {
		wire_open(&w, RULE);
		add_healthy(&w);
		wire_syn(&w, CLIENT, SERVER, 1);
		wire_lasts(&w, ms / 1e3);
		wire_judge(&w);
		if (ms == 3000)
			wire_expect_one(&w, SEVERITY_WARNING);
		else
			wire_expect_near(&w, 2999);
		wire_close(&w);
	}
}

static void attempts__enough_of_them__are_critical(void **state)
{
	static const struct {
		unsigned silent, answered, retries;
		enum severity severity;
		const char *limit;
	} rows[] = {
		{ 2, 0, 2, SEVERITY_WARNING, "unanswered" },	 { 3, 100, 2, SEVERITY_CRITICAL, "critical_flows" },
		{ 2, 1, 2, SEVERITY_CRITICAL, "critical_share" }, { 2, 3, 2, SEVERITY_WARNING, "unanswered" },
		{ 2, 2, 2, SEVERITY_CRITICAL, "critical_share" }, { 1, 0, 4, SEVERITY_CRITICAL, "critical_wait" },
		{ 1, 0, 3, SEVERITY_WARNING, "unanswered" },
	};
	const struct finding *finding;
	char client[32];
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		for (unsigned k = 0; k < rows[i].silent + rows[i].answered; k++) {
			snprintf(client, sizeof(client), "10.0.0.1:%u", 40000 + k);
			if (k < rows[i].silent)
				wire_syn(&w, client, SERVER, rows[i].retries);
			else
				wire_tcp(&w, client, SERVER);
		}
		add_healthy(&w);
		wire_lasts(&w, 20);
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		assert_string_equal(finding->threshold.name, rows[i].limit);
		assert_int_equal(finding->count, rows[i].silent);
		assert_int_equal(evidence_of(finding, "opened"), rows[i].answered);
		if (rows[i].answered)
			expect_against(finding, "a full accept queue there does that too");
		wire_close(&w);
	}
}

static void one_retry__then_success__is_silent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_tcp(&w, CLIENT, SERVER);
	flow->side[0].syns = 2;
	flow->side[0].syn_retries = 1;
	flow->syn_wait_ms = 1010;
	wire_lasts(&w, 60);
	wire_judge(&w);
	wire_expect_near(&w, 1010);
	wire_close(&w);
}

/* Programs whose timeout is below a second never repeat a SYN. */
static void attempts__without_retry__count_from_three_on(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (unsigned count = 2; count <= 3; count++) {
		wire_open(&w, RULE);
		add_healthy(&w);
		wire_syn(&w, "10.0.0.1:40000", SERVER, 0);
		wire_syn(&w, "10.0.0.1:40001", SERVER, 0);
		if (count == 3)
			wire_syn(&w, "10.0.0.1:40002", SERVER, 0);
		wire_lasts(&w, 10);
		wire_judge(&w);
		if (count == 3) {
			finding = wire_expect_one(&w, SEVERITY_CRITICAL);
			assert_int_equal(evidence_of(finding, "without_retry"), 3);
		} else {
			wire_expect_silence(&w);
		}
		wire_close(&w);
	}
}

/* The client went on: its SYN was answered, only the capture does not show it. */
static void client__that_went_on__was_answered(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	add_healthy(&w);
	flow = wire_syn(&w, CLIENT, SERVER, 2);
	flow->side[0].packets += 2;
	wire_lasts(&w, 10);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void capture__of_one_direction__says_so_and_nothing_else(void **state)
{
	char client[32];
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(client, sizeof(client), "10.0.0.1:%u", 41000 + i);
		wire_silent(wire_tcp(&w, client, "10.0.0.8:80"), 1);
		wire_syn(&w, client, SERVER, 3);
	}
	add_healthy(&w);
	wire_lasts(&w, 30);
	wire_judge(&w);
	wire_expect_skipped(&w, "only one direction");
	wire_close(&w);
}

static void capture__that_shows_no_answer_to_anything__is_believed_less(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_syn(&w, CLIENT, SERVER, 2);
	wire_lasts(&w, 9);
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence < 0.7 && finding->confidence > 0.5);
	expect_against(finding, "may hide the answers");
	wire_close(&w);
}

static void capture__that_lost_packets__lowers_the_confidence(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	add_healthy(&w);
	wire_syn(&w, CLIENT, SERVER, 2);
	wire_lasts(&w, 9);
	w.trust = 0.7;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence > 0.61 && finding->confidence < 0.63);
	assert_true(evidence_of(finding, "capture_trust") == 0.7);
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

/* Many targets, once or twice each: one line of information, however many there are. */
static void scanner__of_sixteen_targets__is_info(void **state)
{
	const struct finding *finding;
	char server[32];
	struct wire w;

	(void)state;
	for (unsigned targets = 15; targets <= 16; targets++) {
		wire_open(&w, RULE);
		add_healthy(&w);
		for (unsigned i = 0; i < targets; i++) {
			snprintf(server, sizeof(server), "10.9.9.9:%u", 1000 + i);
			wire_syn(&w, CLIENT, server, i % 2);
		}
		wire_lasts(&w, 30);
		wire_judge(&w);
		if (targets == 16) {
			finding = wire_expect_one(&w, SEVERITY_INFO);
			expect_text(finding, finding->title, "Scanner-like: 10.0.0.1 tries 16 address and port pairs");
			assert_int_equal(evidence_of(finding, "silent"), 16);
		} else {
			assert_int_equal(w.verdict.finding_count, 7);
		}
		wire_close(&w);
	}
}

/* A program whose kernel repeats its SYNs is no scanner, and neither is one that mostly gets in. */
static void scanner__limits__are_tries_and_share(void **state)
{
	static const struct {
		unsigned retries, opened;
		bool scan;
	} rows[] = { { 1, 0, true }, { 2, 0, false }, { 1, 4, true }, { 1, 5, false } };
	char server[32];
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		add_healthy(&w);
		for (unsigned k = 0; k < 16 + rows[i].opened; k++) {
			snprintf(server, sizeof(server), "10.9.%u.9:80", k);
			if (k < 16)
				wire_syn(&w, CLIENT, server, rows[i].retries);
			else
				wire_tcp(&w, CLIENT, server);
		}
		wire_lasts(&w, 30);
		wire_judge(&w);
		assert_int_equal(w.verdict.finding_count, rows[i].scan ? 1 : 16);
		wire_close(&w);
	}
}

/* SYNs from the Internet that a firewall drops are the background of every host that faces it. */
static void clients__from_the_internet__are_info_unless_others_get_in(void **state)
{
	static const struct {
		unsigned silent, opened;
		enum severity severity;
	} rows[] = { { 5, 0, SEVERITY_INFO }, { 5, 95, SEVERITY_WARNING }, { 5, 96, SEVERITY_INFO }, { 4, 1, SEVERITY_INFO } };
	char client[32];
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		for (unsigned k = 0; k < rows[i].silent + rows[i].opened; k++) {
			snprintf(client, sizeof(client), "45.0.%u.7:5000", k);
			if (k < rows[i].silent)
				wire_syn(&w, client, "10.0.0.8:443", 3);
			else
				wire_tcp(&w, client, "10.0.0.8:443");
		}
		add_healthy(&w);
		wire_lasts(&w, 30);
		wire_judge(&w);
		expect_against(wire_expect_one(&w, rows[i].severity), "scanners");
		wire_close(&w);
	}
}

static void both_ends__global_and_unknown__are_a_warning_at_most(void **state)
{
	const struct finding *finding;
	struct flow *flow;
	struct wire w;

	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		wire_open(&w, RULE);
		add_healthy(&w);
		flow = wire_syn(&w, "45.0.0.1:40000", "46.0.0.1:443", 5);
		if (known)
			wire_owner(&w, flow, 0, 4121, "curl");
		wire_lasts(&w, 60);
		wire_judge(&w);
		finding = wire_expect_one(&w, known ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		if (known)
			expect_text(finding, finding->title, "curl[4121] at 45.0.0.1");
		else
			expect_against(finding, "if the server is yours");
		wire_close(&w);
	}
}

static void ipv6__hidden_by_fallback__is_a_warning_that_says_so(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_owner(&w, wire_syn(&w, "[fd00::1]:40000", "[fd00::9]:443", 5), 0, 4121, "curl");
	wire_owner(&w, wire_tcp(&w, "10.0.0.1:40000", "10.0.0.9:443"), 0, 4121, "curl");
	wire_lasts(&w, 60);
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	expect_text(finding, finding->title, "hidden by fallback");
	assert_int_equal(finding->scope.pid, 4121);
	wire_close(&w);
}

static void refused_and_broadcast__are_not_this(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_syn(&w, CLIENT, SERVER, 0);
	flow->state = FLOW_REFUSED;
	wire_syn(&w, CLIENT, "10.0.0.255:80", 3)->flags |= FLOW_BROADCAST;
	wire_lasts(&w, 60);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn__repeated_and_unanswered_for_three_seconds__warns),
		cmocka_unit_test(age__at_the_limit__is_where_it_begins),
		cmocka_unit_test(attempts__enough_of_them__are_critical),
		cmocka_unit_test(one_retry__then_success__is_silent),
		cmocka_unit_test(attempts__without_retry__count_from_three_on),
		cmocka_unit_test(client__that_went_on__was_answered),
		cmocka_unit_test(capture__of_one_direction__says_so_and_nothing_else),
		cmocka_unit_test(capture__that_shows_no_answer_to_anything__is_believed_less),
		cmocka_unit_test(capture__that_lost_packets__lowers_the_confidence),
		cmocka_unit_test(scanner__of_sixteen_targets__is_info),
		cmocka_unit_test(scanner__limits__are_tries_and_share),
		cmocka_unit_test(clients__from_the_internet__are_info_unless_others_get_in),
		cmocka_unit_test(both_ends__global_and_unknown__are_a_warning_at_most),
		cmocka_unit_test(ipv6__hidden_by_fallback__is_a_warning_that_says_so),
		cmocka_unit_test(refused_and_broadcast__are_not_this),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
