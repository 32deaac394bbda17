/* SPDX-License-Identifier: MIT */
/* closing-stuck: a FIN that nobody answers, data behind a window of zero, and closes that only take their time. */
#include "rules.h"

#define RULE "closing-stuck"

/* @count closed sockets in @state whose retransmission timer of @rto_ms has run out @backoff times and has @left_ms to go. */
static void stuck(struct fixture *f, unsigned count, enum sock_state state, const char *local, const char *peer,
		  uint32_t rto_ms, unsigned backoff, uint32_t left_ms)
{
	for (unsigned i = 0; i < count; i++) {
		struct fake *fake = fixture_sock(f, state, local, peer);

		fake->sock.timer = SOCK_TIMER_ON;
		fake->sock.retrans = (uint8_t)backoff;
		fake->sock.expires_ms = left_ms;
		fake->sock.send_q = 1;
		fake->sock.inode = 0;
		fake_set(fake, TCPI_RTO, rto_ms * 1000);
		fake_set(fake, TCPI_BACKOFF, backoff);
		fake_set(fake, TCPI_LAST_ACK_RECV, rto_ms * 2);
	}
}

/* The same behind a window of zero: @rto_ms stays what it was, the waits double. */
static struct fake *behind_zero_window(struct fixture *f, uint32_t rto_ms, unsigned backoff, uint32_t left_ms)
{
	struct fake *fake;

	stuck(f, 1, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", rto_ms, backoff, left_ms);
	fake = f->fake[f->count - 1];
	fake->sock.timer = SOCK_TIMER_PERSIST;
	fake->sock.retrans = 0;
	fake->sock.send_q = 47785;
	return fake;
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void ten_at_once__warn_however_young(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (unsigned count = 9; count <= 10; count++) {
		fixture_open(&f, RULE);
		stuck(&f, count, SOCK_STATE_LAST_ACK, "10.0.0.1:40000", "10.0.0.2:80", 1632, 3, 1632);
		judge(&f);
		if (count == 9) {
			expect_silence(&f);
			assert_true(f.verdict.misses[0].value == 1428);
		} else {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_string_equal(finding->threshold.name, "sockets");
			expect_text(finding, finding->title, "10 closed connections with 10.0.0.2:80 cannot come to an end");
			assert_int_equal(evidence_of(finding, "last_ack"), 10);
			assert_int_equal(evidence_of(finding, "orphans"), 10);
			assert_true(finding->confidence == 0.85);
		}
		fixture_close(&f);
	}
}

static void thirty_seconds__warn_for_a_single_one(void **state)
{
	static const struct {
		uint32_t left_ms;
		int severity;
	} rows[] = { { 15623, -1 }, { 15622, SEVERITY_WARNING } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* 22900 − 178 ms of earlier waits, and what has gone of this one */
		fixture_open(&f, RULE);
		stuck(&f, 1, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", 22900, 7, rows[i].left_ms);
		judge(&f);
		if (rows[i].severity < 0) {
			expect_silence(&f);
		} else {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_string_equal(finding->threshold.name, "age");
			assert_int_equal(evidence_of(finding, "fin_wait_1"), 1);
			assert_true(finding->scope_factor < 1);
		}
		fixture_close(&f);
	}
}

/* A laptop that was closed: its connections end by themselves, and nobody is hurt. */
static void few_clients__switched_off__are_info(void **state)
{
	static const struct {
		const char *local;
		enum sock_state state;
		uint32_t inode;
		int severity;
	} rows[] = {
		{ "10.0.0.1:443", SOCK_STATE_FIN_WAIT_1, 0, SEVERITY_INFO },
		{ "10.0.0.1:443", SOCK_STATE_LAST_ACK, 0, SEVERITY_INFO },
		{ "10.0.0.1:443", SOCK_STATE_FIN_WAIT_1, 1000, SEVERITY_WARNING }, /* a program waits */
		{ "10.0.0.1:40000", SOCK_STATE_FIN_WAIT_1, 0, SEVERITY_WARNING },  /* opened from here */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		fixture_sock(&f, SOCK_STATE_LISTEN, "*:443", "*:0");
		stuck(&f, 1, rows[i].state, rows[i].local, "10.0.3.4:51000", 22900, 7, 1000);
		f.fake[1]->sock.inode = rows[i].inode;
		judge(&f);
		expect_text(expect_one(&f, (enum severity)rows[i].severity), f.verdict.findings[0]->title,
			    "1 closed connection with 10.0.3.4");
		fixture_close(&f);
	}
}

static void a_thousand__are_critical(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned count = 999; count <= 1000; count++) {
		fixture_open(&f, RULE);
		stuck(&f, count, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", 1632, 3, 1000);
		judge(&f);
		expect_one(&f, count == 1000 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		fixture_close(&f);
	}
}

static void half_of_the_orphans_allowed__is_critical(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (unsigned count = 49; count <= 50; count++) {
		fixture_open(&f, RULE);
		fixture_sysctl(&f, SYSCTL_TCP_MAX_ORPHANS, 100);
		stuck(&f, count, SOCK_STATE_CLOSING, "10.0.0.1:40000", "10.0.0.2:80", 1632, 3, 1000);
		judge(&f);
		finding = expect_one(&f, count == 50 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		assert_int_equal(evidence_of(finding, "closing"), count);
		assert_int_equal(evidence_of(finding, "max_orphans"), 100);
		fixture_close(&f);
	}
	/* sockets that a program holds are no orphans */
	fixture_open(&f, RULE);
	fixture_sysctl(&f, SYSCTL_TCP_MAX_ORPHANS, 100);
	stuck(&f, 60, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", 1632, 3, 1000);
	for (unsigned i = 0; i < 60; i++)
		f.fake[i]->sock.inode = 1000 + i;
	judge(&f);
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
}

static void two_timeouts__are_ordinary_loss(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	stuck(&f, 500, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", 816, 2, 100);
	stuck(&f, 500, SOCK_STATE_LAST_ACK, "10.0.0.1:40000", "10.0.0.2:80", 204, 0, 100);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void other_states_and_timers__are_not_ours(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	stuck(&f, 50, SOCK_STATE_ESTAB, "10.0.0.1:40000", "10.0.0.2:80", 52224, 8, 100);
	stuck(&f, 50, SOCK_STATE_CLOSE_WAIT, "10.0.0.1:40000", "10.0.0.2:80", 52224, 8, 100);
	stuck(&f, 50, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", 52224, 8, 100);
	for (unsigned i = 100; i < 150; i++)
		f.fake[i]->sock.timer = SOCK_TIMER_NONE;
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void a_socket_that_came_to_its_end__is_forgotten(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	stuck(&f, 20, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", 52224, 8, 100);
	fixture_sample(&f, 0);
	for (unsigned i = 0; i < 20; i++)
		f.fake[i]->gone = true;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void give_up__is_when_the_timer_finds_the_limit_passed(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	stuck(&f, 1, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", 52224, 8, 6500);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(evidence_of(finding, "gives_up"), 6500);
	assert_int_equal(evidence_of(finding, "oldest"), 52224 - 204 + 52224 - 6500);
	assert_string_equal(finding_evidence(finding, "timeout")->text, "close");
	expect_text(finding, finding->detail, "drops the oldest in 6.5 s");
	expect_against(finding, "tcp_orphan_retries");
	fixture_close(&f);
}

static void window_of_zero__names_the_peers_program(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	/* 204 · (2^7 − 1) = 25908 ms of earlier probes; 4092 more make 30 s */
	for (uint32_t gone = 4091; gone <= 4092; gone++) {
		fixture_open(&f, RULE);
		behind_zero_window(&f, 204, 7, 204 * 128 - gone);
		judge(&f);
		if (gone == 4091) {
			expect_silence(&f);
		} else {
			finding = expect_one(&f, SEVERITY_WARNING);
			expect_text(finding, finding->title, "cannot deliver their last data: the peer does not read");
			expect_text(finding, finding->detail, "46.7 KiB wait behind a window of zero, nothing taken for 30 s");
			expect_text(finding, finding->causes[0], "stopped reading");
			expect_against(finding, "which may be before the close");
			assert_int_equal(evidence_of(finding, "probing"), 1);
		}
		fixture_close(&f);
	}
}

static void slow_reader__is_silent(void **state)
{
	static const struct {
		unsigned backoff;
		uint32_t left_ms, taken;
		bool fires;
	} rows[] = {
		/* 204 · 63 = 12852 ms from the sixth probe on; 6324 of the fifth, and 3676 of the running one make ten seconds */
		{ 6, 1000, 0, true }, { 6, 1000, 1, false },
		{ 5, 204 * 32 - 3676, 0, true }, { 5, 204 * 32 - 3675, 0, false },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		for (unsigned k = 0; k < 10; k++)
			behind_zero_window(&f, 204, rows[i].backoff, rows[i].left_ms);
		fixture_sample(&f, 0);
		for (unsigned k = 0; k < 10; k++)
			f.fake[k]->sock.send_q -= rows[i].taken;
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (rows[i].fires)
			expect_one(&f, SEVERITY_WARNING);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void window_of_zero__with_a_descriptor__never_ends(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	behind_zero_window(&f, 204, 9, 100)->sock.inode = 1000;
	f.fake[0]->owner = fixture_process(&f, 77, "sync");
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_null(finding_evidence(finding, "gives_up"));
	expect_text(finding, finding->detail, "the kernel does not give up");
	expect_text(finding, "{owner}", "sync[77]");
	fixture_close(&f);
}

static void accepted__are_named_by_client_and_our_port(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:443", "*:*");
	stuck(&f, 6, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:443", "10.0.3.4:5001", 1632, 3, 1000);
	stuck(&f, 6, SOCK_STATE_LAST_ACK, "10.0.0.1:443", "10.0.3.4:5002", 1632, 3, 1000);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "12 closed connections with 10.0.3.4 on port 443");
	expect_text(finding, finding->detail, "6 FIN-WAIT-1, 6 LAST-ACK, 0 CLOSING");
	expect_against(finding, "left the network");
	fixture_close(&f);
}

static void remotes_of_one_network__are_one_finding(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	stuck(&f, 4, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.3.4:80", 1632, 3, 1000);
	stuck(&f, 4, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.3.5:80", 1632, 3, 1000);
	stuck(&f, 4, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.3.6:80", 1632, 3, 1000);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "12 closed connections with 10.0.3.0/24:80");
	fixture_close(&f);

	fixture_open(&f, RULE);
	stuck(&f, 6, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.3.4:80", 1632, 3, 1000);
	stuck(&f, 6, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.4.5:80", 1632, 3, 1000);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

/* @networks networks of clients on the Internet with two stuck sockets each, beside @estab that work. */
static void clients(struct fixture *f, unsigned networks, unsigned estab)
{
	char peer[32];

	fixture_sock(f, SOCK_STATE_LISTEN, "*:443", "*:*");
	for (unsigned i = 0; i < networks; i++) {
		snprintf(peer, sizeof(peer), "8.8.%u.9:5000", i);
		stuck(f, 2, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:443", peer, 52224, 8, 100);
	}
	for (unsigned i = 0; i < estab; i++)
		fixture_sock(f, SOCK_STATE_ESTAB, "10.0.0.1:443", "8.8.8.8:5000");
}

static void clients_on_the_internet__are_info_at_most(void **state)
{
	static const struct {
		unsigned networks, estab;
		bool fires;
	} rows[] = { { 5, 1000, true }, { 5, 1001, false }, { 4, 100, false }, { 200, 4000, true }, { 1, 0, false } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		clients(&f, rows[i].networks, rows[i].estab);
		judge(&f);
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_INFO);
			expect_text(finding, finding->title, "closed connections on port 443 cannot come to an end: the clients are silent");
			expect_against(finding, "one run shows no rise");
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
	/* that the kernel's limit is near is no background */
	fixture_open(&f, RULE);
	fixture_sysctl(&f, SYSCTL_TCP_MAX_ORPHANS, 20);
	clients(&f, 5, 4000);
	judge(&f);
	expect_one(&f, SEVERITY_CRITICAL);
	fixture_close(&f);
}

static void we_opened_to_the_internet__counts_in_full(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	stuck(&f, 10, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "8.8.8.8:443", 1632, 3, 1000);
	judge(&f);
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
}

static void one_sample__is_enough_and_less_sure(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	stuck(&f, 10, SOCK_STATE_FIN_WAIT_1, "[2001:db8::1]:40000", "[2001:db8::2]:443", 1632, 3, 1000);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	assert_true(expect_one(&f, SEVERITY_WARNING)->confidence == 0.8);
	fixture_close(&f);
}

static void missing_inputs__are_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.info_len = 0;
	stuck(&f, 10, SOCK_STATE_FIN_WAIT_1, "10.0.0.1:40000", "10.0.0.2:80", 0, 0, 1000);
	judge(&f);
	expect_skipped(&f, "tcp_info");
	fixture_close(&f);

	fixture_open(&f, RULE);
	judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "tcp_max_orphans");
	expect_part_skipped(&f, "history");
	fixture_close(&f);

	fixture_open(&f, RULE);
	fixture_sysctl(&f, SYSCTL_TCP_MAX_ORPHANS, 100000);
	judge(&f);
	assert_int_equal(f.verdict.skipped_count, 1);
	fixture_close(&f);
}

/* In a cheap dump only what may be stuck is asked for tcp_info. */
static void cheap_dump__is_asked_about_by_its_timer(void **state)
{
	struct sock sock = { .netid = NETID_TCP, .state = SOCK_STATE_LAST_ACK, .timer = SOCK_TIMER_ON, .retrans = 2 };
	const struct rule *rule = triage_rule_find(RULE);

	(void)state;
	assert_false(rule->candidate(&sock));
	sock.retrans = 3;
	assert_true(rule->candidate(&sock));
	sock.timer = SOCK_TIMER_PERSIST;
	sock.retrans = 0;
	assert_true(rule->candidate(&sock));
	sock.timer = SOCK_TIMER_NONE;
	assert_false(rule->candidate(&sock));
	assert_true(rule->quota > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_at_once__warn_however_young),
		cmocka_unit_test(thirty_seconds__warn_for_a_single_one),
		cmocka_unit_test(few_clients__switched_off__are_info),
		cmocka_unit_test(a_thousand__are_critical),
		cmocka_unit_test(half_of_the_orphans_allowed__is_critical),
		cmocka_unit_test(two_timeouts__are_ordinary_loss),
		cmocka_unit_test(other_states_and_timers__are_not_ours),
		cmocka_unit_test(a_socket_that_came_to_its_end__is_forgotten),
		cmocka_unit_test(give_up__is_when_the_timer_finds_the_limit_passed),
		cmocka_unit_test(window_of_zero__names_the_peers_program),
		cmocka_unit_test(slow_reader__is_silent),
		cmocka_unit_test(window_of_zero__with_a_descriptor__never_ends),
		cmocka_unit_test(accepted__are_named_by_client_and_our_port),
		cmocka_unit_test(remotes_of_one_network__are_one_finding),
		cmocka_unit_test(clients_on_the_internet__are_info_at_most),
		cmocka_unit_test(we_opened_to_the_internet__counts_in_full),
		cmocka_unit_test(one_sample__is_enough_and_less_sure),
		cmocka_unit_test(missing_inputs__are_said),
		cmocka_unit_test(cheap_dump__is_asked_about_by_its_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
