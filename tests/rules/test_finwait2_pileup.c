/* SPDX-License-Identifier: MIT */
/* finwait2-pileup: remotes that do not close, by orphans and by half-closed connections, and pictures that only look like it. */
#include "rules.h"

#define RULE "finwait2-pileup"

/* @count connections that were closed here @age_ms ago, and not by the peer. */
static void orphans(struct fixture *f, unsigned count, const char *local, const char *peer, uint32_t age_ms)
{
	for (unsigned i = 0; i < count; i++) {
		struct fake *fake = fixture_sock(f, SOCK_STATE_FIN_WAIT_2, local, peer);

		fake->sock.timer = SOCK_TIMER_TIMEWAIT;
		fake->sock.expires_ms = 60000 - age_ms;
		fake->sock.inode = 0;
		fake->sock.info.len = 0;
	}
}

/* @count that a program has shut down for sending; the peer was last heard @heard_ms ago. */
static void attached(struct fixture *f, unsigned count, const char *local, const char *peer, uint32_t heard_ms)
{
	for (unsigned i = 0; i < count; i++) {
		struct fake *fake = fixture_sock(f, SOCK_STATE_FIN_WAIT_2, local, peer);

		fake_set(fake, TCPI_LAST_ACK_RECV, heard_ms);
		fake_set(fake, TCPI_LAST_DATA_SENT, heard_ms + 1000);
		fake_set(fake, TCPI_LAST_DATA_RECV, heard_ms + 1000);
	}
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void five_hundred_old_orphans__warn(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (unsigned count = 499; count <= 500; count++) {
		fixture_open(&f, RULE);
		orphans(&f, count, "10.0.0.1:40000", "10.0.3.4:5432", 10000);
		orphans(&f, 300, "10.0.0.1:40000", "10.0.3.4:5432", 9999);
		judge(&f);
		if (count == 499) {
			expect_silence(&f);
			assert_true(f.verdict.misses[0].value == 499);
		} else {
			finding = expect_one(&f, SEVERITY_WARNING);
			expect_text(finding, finding->title, "10.0.3.4:5432 does not close 500 connections that this side has closed");
			expect_text(finding, finding->detail, "800 stand in FIN-WAIT-2 here");
			expect_against(finding, "never stand longer than 60 s");
			assert_int_equal(finding->count, 500);
			assert_int_equal(evidence_of(finding, "oldest"), 10000);
			assert_int_equal(evidence_of(finding, "gives_up"), 60000);
			assert_string_equal(finding->threshold.name, "orphans");
			assert_true(finding->confidence == 0.85);
		}
		fixture_close(&f);
	}
}

/* An ACK that arrives while close() holds the socket leaves a whole one behind, with a keepalive timer. */
static void orphans__that_are_whole_sockets__count_too(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	orphans(&f, 490, "10.0.0.1:40000", "10.0.3.4:5432", 10000);
	attached(&f, 10, "10.0.0.1:40000", "10.0.3.4:5432", 10000);
	for (unsigned i = 490; i < 500; i++) {
		f.fake[i]->sock.inode = 0;
		f.fake[i]->sock.timer = SOCK_TIMER_KEEPALIVE;
	}
	judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_WARNING)->count, 500);
	fixture_close(&f);
}

static void high_rate_of_closes__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	orphans(&f, 5000, "10.0.0.1:40000", "10.0.3.4:5432", 9000);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void several_source_addresses__count_together(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	orphans(&f, 250, "10.0.0.1:40000", "10.0.3.4:5432", 20000);
	orphans(&f, 250, "10.0.0.9:40000", "10.0.3.4:5432", 20000);
	judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_WARNING)->count, 500);
	fixture_close(&f);
}

static void remotes_of_one_network__count_together(void **state)
{
	static const char *const peers[] = { "10.0.3.4:80", "10.0.3.5:80", "10.0.3.6:80", "10.0.4.7:80" };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	for (unsigned i = 0; i < 3; i++)
		orphans(&f, 200, "10.0.0.1:40000", peers[i], 20000);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "10.0.3.0/24:80 does not close 600 connections");
	assert_int_equal(evidence_of(finding, "remotes"), 3);
	fixture_close(&f);

	/* two remotes, or three of different networks, are nobody's together */
	fixture_open(&f, RULE);
	orphans(&f, 300, "10.0.0.1:40000", peers[0], 20000);
	orphans(&f, 300, "10.0.0.1:40000", peers[1], 20000);
	orphans(&f, 300, "10.0.0.1:40000", peers[3], 20000);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void accepted__private_clients__are_named_with_our_port(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:443", "*:*");
	orphans(&f, 300, "10.0.0.1:443", "10.0.3.4:5001", 20000);
	orphans(&f, 300, "10.0.0.1:443", "10.0.3.4:5002", 20000);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "10.0.3.4 does not close 600 connections to port 443 that this side has closed");
	fixture_close(&f);
}

/* @networks networks of clients on the Internet with @each orphans beside @estab that work. */
static void internet(struct fixture *f, unsigned networks, unsigned each, unsigned estab)
{
	char peer[32];

	fixture_sock(f, SOCK_STATE_LISTEN, "*:443", "*:*");
	for (unsigned i = 0; i < networks; i++) {
		snprintf(peer, sizeof(peer), "8.8.%u.9:5000", i);
		orphans(f, each, "10.0.0.1:443", peer, 30000);
	}
	for (unsigned i = 0; i < estab; i++)
		fixture_sock(f, SOCK_STATE_ESTAB, "10.0.0.1:443", "8.8.8.8:5000");
}

static void clients_on_the_internet__are_info_at_most(void **state)
{
	static const struct {
		unsigned networks, each, estab;
		bool fires;
	} rows[] = { { 5, 60, 10, false },	{ 5, 100, 31000, true },  { 4, 125, 1000, false },
		     { 5, 99, 1000, false }, { 250, 100, 20, true }, { 5, 100, 0, false } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		internet(&f, rows[i].networks, rows[i].each, rows[i].estab);
		judge(&f);
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_INFO);
			expect_text(finding, finding->title, "clients of port 443 have not closed");
			expect_against(finding, "one run shows no rise");
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void share_of_a_listener__at_its_edge(void **state)
{
	struct listener *listener;
	struct fixture f;

	(void)state;
	for (uint32_t estab = 50000; estab <= 50001; estab++) {
		fixture_open(&f, RULE);
		internet(&f, 5, 100, 0);
		fixture_sample(&f, 0);
		listener = (struct listener *)(uintptr_t)snapshot_listener(&f.snap, 0);
		listener->estab = estab; /* more than a fixture holds */
		fixture_judge(&f);
		if (estab == 50000)
			expect_one(&f, SEVERITY_INFO);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void twenty_half_closed_for_a_minute__warn(void **state)
{
	static const struct {
		unsigned count;
		uint32_t heard_ms;
		bool fires;
	} rows[] = { { 20, 60000, true }, { 19, 60000, false }, { 200, 59999, false }, { 20, 3600000, true } };
	const struct finding *finding;
	struct process *owner;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		owner = fixture_process(&f, 31, "sync");
		attached(&f, rows[i].count, "10.0.0.1:40000", "10.0.3.4:5432", rows[i].heard_ms);
		for (unsigned k = 0; k < rows[i].count; k++)
			f.fake[k]->owner = owner;
		judge(&f);
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_WARNING);
			expect_text(finding, finding->title, "sync[31] has ended its half of 20 connections, 10.0.3.4:5432 does not end its own");
			expect_against(finding, "works on its answer for minutes");
			assert_int_equal(evidence_of(finding, "oldest"), rows[i].heard_ms);
			assert_string_equal(finding->threshold.name, "attached");
			assert_string_equal(finding_evidence(finding, "process_state")->text, "sleeping");
			assert_null(finding_evidence(finding, "gives_up"));
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void half_close_in_use__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	attached(&f, 100, "10.0.0.1:40000", "10.0.3.4:5432", 400);
	for (unsigned i = 0; i < 100; i++)
		fake_set(f.fake[i], TCPI_LAST_DATA_SENT, 700000);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);

	/* the peer spoke between the samples */
	fixture_open(&f, RULE);
	attached(&f, 100, "10.0.0.1:40000", "10.0.3.4:5432", 60000);
	fixture_sample(&f, 0);
	for (unsigned i = 0; i < 100; i++)
		fake_set(f.fake[i], TCPI_LAST_ACK_RECV, 10);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void answered_keepalives__hide_the_age__info(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t idle = 59999; idle <= 60000; idle++) {
		fixture_open(&f, RULE);
		attached(&f, 10, "10.0.0.1:40000", "10.0.3.4:5432", 60000);
		attached(&f, 10, "10.0.0.1:40000", "10.0.3.4:5432", 10);
		for (unsigned i = 10; i < 20; i++) {
			f.fake[i]->sock.timer = SOCK_TIMER_KEEPALIVE;
			fake_set(f.fake[i], TCPI_LAST_DATA_SENT, idle);
			fake_set(f.fake[i], TCPI_LAST_DATA_RECV, idle);
		}
		judge(&f);
		if (idle == 59999) {
			expect_silence(&f);
		} else {
			finding = expect_one(&f, SEVERITY_INFO);
			expect_text(finding, finding->detail, "hides since when: 10 of 20");
			expect_against(finding, "look again in a minute");
			assert_true(finding->confidence <= 0.6);
		}
		fixture_close(&f);
	}
}

static void accepted_half_closes__by_role(void **state)
{
	const struct finding *finding;
	struct fixture f;
	char peer[32];

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:80", "*:*");
	attached(&f, 20, "10.0.0.1:80", "10.0.3.4:5001", 70000);
	judge(&f);
	expect_text(expect_one(&f, SEVERITY_WARNING), f.verdict.findings[0]->title, "10.0.3.4 does not end its own");
	fixture_close(&f);

	for (unsigned networks = 4; networks <= 5; networks++) {
		fixture_open(&f, RULE);
		fixture_sock(&f, SOCK_STATE_LISTEN, "*:80", "*:*");
		fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", "8.8.8.8:5000");
		for (unsigned i = 0; i < networks; i++) {
			snprintf(peer, sizeof(peer), "8.8.%u.9:5000", i);
			attached(&f, 10, "10.0.0.1:80", peer, 70000);
		}
		judge(&f);
		if (networks == 4) {
			expect_silence(&f);
		} else {
			finding = expect_one(&f, SEVERITY_INFO);
			expect_text(finding, finding->title, "on port 80, the clients do not end their own");
			expect_against(finding, "one run shows no rise");
		}
		fixture_close(&f);
	}
}

static void other_states__are_not_ours(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	orphans(&f, 600, "10.0.0.1:40000", "10.0.3.4:5432", 20000);
	attached(&f, 60, "10.0.0.1:40000", "10.0.3.4:5432", 70000);
	for (unsigned i = 0; i < 660; i++)
		f.fake[i]->sock.state = i < 600 ? SOCK_STATE_TIME_WAIT : SOCK_STATE_ESTAB;
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void both_kinds__are_two_findings(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	orphans(&f, 500, "[2001:db8::1]:40000", "[2001:db8::2]:443", 20000);
	attached(&f, 20, "[2001:db8::1]:40000", "[2001:db8::2]:443", 70000);
	judge(&f);
	assert_int_equal(f.verdict.finding_count, 2);
	fixture_close(&f);
}

static void missing_inputs__are_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.info_len = 0;
	attached(&f, 20, "10.0.0.1:40000", "10.0.3.4:5432", 0);
	orphans(&f, 500, "10.0.0.1:40000", "10.0.3.4:5432", 20000);
	judge(&f);
	expect_part_skipped(&f, "no tcp_info");
	assert_int_equal(expect_one(&f, SEVERITY_WARNING)->count, 500);
	fixture_close(&f);

	fixture_open(&f, RULE);
	judge(&f);
	expect_silence(&f);
	assert_int_equal(f.verdict.skipped_count, 1);
	expect_part_skipped(&f, "history");
	f.snap.groups_dropped = 1;
	fixture_judge(&f);
	expect_part_skipped(&f, "more than are kept");
	assert_true(triage_rule_find(RULE)->quota > 0);
	fixture_close(&f);
}

static void one_sample__is_less_sure(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	orphans(&f, 500, "10.0.0.1:40000", "10.0.3.4:5432", 20000);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	assert_true(expect_one(&f, SEVERITY_WARNING)->confidence == 0.8);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_hundred_old_orphans__warn),
		cmocka_unit_test(orphans__that_are_whole_sockets__count_too),
		cmocka_unit_test(high_rate_of_closes__is_silent),
		cmocka_unit_test(several_source_addresses__count_together),
		cmocka_unit_test(remotes_of_one_network__count_together),
		cmocka_unit_test(accepted__private_clients__are_named_with_our_port),
		cmocka_unit_test(clients_on_the_internet__are_info_at_most),
		cmocka_unit_test(share_of_a_listener__at_its_edge),
		cmocka_unit_test(twenty_half_closed_for_a_minute__warn),
		cmocka_unit_test(half_close_in_use__is_silent),
		cmocka_unit_test(answered_keepalives__hide_the_age__info),
		cmocka_unit_test(accepted_half_closes__by_role),
		cmocka_unit_test(other_states__are_not_ours),
		cmocka_unit_test(both_kinds__are_two_findings),
		cmocka_unit_test(missing_inputs__are_said),
		cmocka_unit_test(one_sample__is_less_sure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
