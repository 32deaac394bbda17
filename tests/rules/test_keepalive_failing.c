/* SPDX-License-Identifier: MIT */
/* keepalive-failing: idle connections whose probes go unanswered, and those whose probes do their work. */
#include <string.h>

#include "rules.h"

#define RULE "keepalive-failing"

/* An idle connection by the host-wide settings (7200 s, then each 75 s): @probes without an answer, the next one due in @left_ms. */
static struct fake *probed(struct fixture *f, const char *local, const char *peer, unsigned probes,
			   uint32_t left_ms)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake->sock.timer = SOCK_TIMER_KEEPALIVE;
	fake->sock.expires_ms = left_ms;
	fake->sock.retrans = (uint8_t)probes;
	fake_set(fake, TCPI_PROBES, probes);
	fake_set(fake, TCPI_LAST_ACK_RECV, 7200000 + probes * 75000 - left_ms);
	fake_set(fake, TCPI_LAST_DATA_RECV, 7200000 + probes * 75000 - left_ms);
	return fake;
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void two_probes__warn(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned probes = 1; probes <= 2; probes++) {
		const struct finding *finding;

		fixture_open(&f, RULE);
		probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", probes, 40000)->owner = fixture_process(&f, 6, "pool");
		judge(&f);
		if (probes == 1) {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
			assert_true(f.verdict.misses[0].value == 1);
		} else {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_true(finding->confidence == 0.8);
			expect_text(finding, finding->title, "10.9.9.9:5432 does not answer the keepalive probes of pool[6]");
			expect_text(finding, finding->detail, "2 probes in a row, about 75 s apart");
			assert_int_equal(evidence_of(finding, "gives_up"), 7 * 75000 + 40000);
			assert_string_equal(finding_evidence(finding, "timeout")->text, "idle");
			expect_against(finding, "TCP_KEEPCNT and TCP_USER_TIMEOUT of the socket cannot be seen");
			assert_string_equal(finding->threshold.name, "probes");
		}
		fixture_close(&f);
	}
}

static void three_sockets__or_the_last_probe__are_critical(void **state)
{
	static const struct {
		unsigned sockets, probes;
		enum severity severity;
		const char *limit;
		double confidence;
	} rows[] = {
		{ 2, 3, SEVERITY_WARNING, "probes", 0.9 },
		{ 3, 2, SEVERITY_CRITICAL, "critical_sockets", 0.8 },
		{ 1, 7, SEVERITY_WARNING, "probes", 0.9 },
		{ 1, 8, SEVERITY_CRITICAL, "probes_left", 0.9 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;
		struct fixture f;

		fixture_open(&f, RULE);
		for (unsigned k = 0; k < rows[i].sockets; k++)
			probed(&f, "[2001:db8::1]:40000", "[2001:db8:9::9]:5432", rows[i].probes, 40000)->sock.local.port += (uint16_t)k;
		judge(&f);
		finding = expect_one(&f, rows[i].severity);
		assert_int_equal(finding->count, rows[i].sockets);
		assert_string_equal(finding->threshold.name, rows[i].limit);
		assert_true(finding->confidence == rows[i].confidence);
		fixture_close(&f);
	}
}

static void count__of_this_host__decides(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sysctl(&f, SYSCTL_TCP_KEEPALIVE_PROBES, 3);
	probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", 2, 40000);
	judge(&f);
	assert_int_equal(evidence_of(expect_one(&f, SEVERITY_CRITICAL), "gives_up"), 75000 + 40000);
	fixture_close(&f);
}

static void more_probes__than_the_host_allows__have_a_count_of_their_own(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", 10, 40000);
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_null(finding_evidence(finding, "gives_up"));
	expect_text(finding, finding->detail, "10 probes in a row, more than tcp_keepalive_probes (9)");
	fixture_close(&f);
}

static void interval__is_measured_between_the_looks(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	/* 4 s idle, then each 3 s */
	fake = probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", 2, 1000);
	fake_set(fake, TCPI_LAST_ACK_RECV, 9000);
	fake_set(fake, TCPI_LAST_DATA_RECV, 9000);
	fixture_sample(&f, 0);
	fake->sock.retrans = 4;
	fake->sock.expires_ms = 2000;
	fake_set(fake, TCPI_PROBES, 4);
	fake_set(fake, TCPI_LAST_ACK_RECV, 14000);
	fake_set(fake, TCPI_LAST_DATA_RECV, 14000);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(evidence_of(finding, "interval"), 3000);
	assert_int_equal(evidence_of(finding, "gives_up"), 5 * 3000 + 2000);
	fixture_close(&f);
}

static void newest_probe__may_be_under_way(void **state)
{
	struct fixture f;

	(void)state;
	/* 1 s idle, then each 75 s: the second probe was sent just now, and one lost probe proves nothing */
	for (uint32_t silent = 99999; silent <= 100000; silent++) {
		fixture_open(&f, RULE);
		fake_set(probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", 2, 50000), TCPI_LAST_ACK_RECV, silent);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, silent == 100000);
		fixture_close(&f);
	}
}

static void healthy__probes_are_answered(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (unsigned probes = 0; probes <= 3; probes += 3) {
		fixture_open(&f, RULE);
		fake = probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", probes, 40000);
		if (probes)
			fixture_sample(&f, 0); /* and then the answer comes after all */
		fake->sock.retrans = 0;
		fake_set(fake, TCPI_PROBES, 0);
		fake_set(fake, TCPI_LAST_ACK_RECV, 3000);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		expect_silence(&f);
		fixture_close(&f);
	}
}

/* Data of the peer that acknowledges nothing new restarts the wait, but leaves the count of probes and the last ACK as they were. */
static void peer__that_sends_again__is_alive(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fake_set(probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4, 7198000), TCPI_LAST_DATA_RECV, 2000);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void other_timers__are_no_keepalive(void **state)
{
	static const enum sock_timer timers[] = { SOCK_TIMER_NONE, SOCK_TIMER_ON, SOCK_TIMER_PERSIST, SOCK_TIMER_DELACK };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		fixture_open(&f, RULE);
		probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4, 40000)->sock.timer = (uint8_t)timers[i];
		judge(&f);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void neighbours__in_one_network__are_one_finding(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	probed(&f, "10.0.0.1:40000", "10.9.9.7:5432", 3, 40000);
	probed(&f, "10.0.0.1:40001", "10.9.9.8:5432", 3, 40000);
	probed(&f, "10.0.0.1:40002", "10.9.9.9:5432", 3, 40000);
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->title, "10.9.9.0/24:5432 does not answer the keepalive probes");
	fixture_close(&f);
}

/* @count of the @estab clients of a public listener, each from a network of its own, are silent. */
static void public_clients(struct fixture *f, unsigned count, unsigned estab, bool one_network)
{
	fixture_open(f, RULE);
	fixture_sock(f, SOCK_STATE_LISTEN, "*:443", "*:*");
	for (unsigned i = 0; i < estab; i++) {
		struct fake *fake = i < count ? probed(f, "10.0.0.1:443", "8.8.0.1:5000", 8, 40000) :
						fixture_sock(f, SOCK_STATE_ESTAB, "10.0.0.1:443", "9.9.0.1:5000");

		fake->sock.peer.port += (uint16_t)i;
		if (!one_network || i >= count)
			fake->sock.peer.addr.bytes[2] = (uint8_t)i;
	}
	judge(f);
}

static void public_clients__are_info__until_they_stand_out(void **state)
{
	static const struct {
		unsigned count, estab;
		bool one_network;
		enum severity severity;
	} rows[] = {
		{ 5, 101, false, SEVERITY_INFO },    /* below 5 % */
		{ 5, 100, false, SEVERITY_WARNING }, /* 5 %, 5 networks */
		{ 4, 50, false, SEVERITY_INFO },     /* 4 networks */
		{ 8, 100, true, SEVERITY_INFO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;
		struct fixture f;

		public_clients(&f, rows[i].count, rows[i].estab, rows[i].one_network);
		finding = expect_one(&f, rows[i].severity);
		expect_text(finding, finding->title, "Clients of 10.0.0.1:443 do not answer the keepalive probes");
		expect_against(finding, "vanish all the time");
		expect_part_skipped(&f, "whether more clients than usual have vanished: needs history");
		fixture_close(&f);
	}
}

static void accepted__from_a_private_network__is_grouped_by_client(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "[::]:443", "*:*");
	for (uint16_t i = 0; i < 3; i++)
		probed(&f, "10.0.0.1:443", "10.9.9.9:5000", 2, 40000)->sock.peer.port += i;
	judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_CRITICAL)->count, 3);
	fixture_close(&f);
}

static void one_look__is_enough__and_less_sure(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.quick = true;
	probed(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4, 40000);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	assert_true(expect_one(&f, SEVERITY_WARNING)->confidence == 0.8);
	fixture_close(&f);
}

static void tcp_info__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.snap.info_for_all = true;
	f.info_len = 0;
	fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:40000", "10.9.9.9:5432");
	judge(&f);
	expect_skipped(&f, "tcp_info");
	fixture_close(&f);
}

static void cheap_look__asks_for_those_with_lost_probes(void **state)
{
	struct sock sock = { .state = SOCK_STATE_ESTAB, .timer = SOCK_TIMER_KEEPALIVE };
	const struct rule *rule = triage_rule_find(RULE);

	(void)state;
	assert_false(rule->candidate(&sock));
	sock.retrans = 1;
	assert_true(rule->candidate(&sock));
	sock.timer = SOCK_TIMER_ON;
	assert_false(rule->candidate(&sock));
}

/* What a filter left out is missing from the connections that the share is taken of. */
static void public_clients_behind_a_filter__are_info(void **state)
{
	struct fixture f;
	char peer[32];

	(void)state;
	for (unsigned left_out = 0; left_out <= 1; left_out++) {
		fixture_open(&f, RULE);
		fixture_sock(&f, SOCK_STATE_LISTEN, "*:443", "*:*");
		for (unsigned i = 0; i < 6; i++) {
			struct fake *fake;

			snprintf(peer, sizeof(peer), "8.%u.8.8:5000", i);
			fake = fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:443", peer);
			fake->sock.timer = SOCK_TIMER_KEEPALIVE;
			fake->sock.retrans = 3;
			fake->sock.expires_ms = 1000;
			fake_set(fake, TCPI_PROBES, 3);
			fake_set(fake, TCPI_LAST_ACK_RECV, 300000);
			fake_set(fake, TCPI_LAST_DATA_RECV, 300000);
		}
		fixture_sample(&f, 0);
		f.snap.left_out = left_out * 1000000;
		fixture_judge(&f);
		expect_one(&f, left_out ? SEVERITY_INFO : SEVERITY_WARNING);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_probes__warn),
		cmocka_unit_test(three_sockets__or_the_last_probe__are_critical),
		cmocka_unit_test(count__of_this_host__decides),
		cmocka_unit_test(more_probes__than_the_host_allows__have_a_count_of_their_own),
		cmocka_unit_test(interval__is_measured_between_the_looks),
		cmocka_unit_test(newest_probe__may_be_under_way),
		cmocka_unit_test(healthy__probes_are_answered),
		cmocka_unit_test(peer__that_sends_again__is_alive),
		cmocka_unit_test(other_timers__are_no_keepalive),
		cmocka_unit_test(neighbours__in_one_network__are_one_finding),
		cmocka_unit_test(public_clients__are_info__until_they_stand_out),
		cmocka_unit_test(accepted__from_a_private_network__is_grouped_by_client),
		cmocka_unit_test(one_look__is_enough__and_less_sure),
		cmocka_unit_test(tcp_info__missing__is_skipped),
		cmocka_unit_test(cheap_look__asks_for_those_with_lost_probes),
		cmocka_unit_test(public_clients_behind_a_filter__are_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
