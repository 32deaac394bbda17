/* SPDX-License-Identifier: MIT */
/* syn-flood: queues that nobody empties, and queues that real clients fill. */
#include <string.h>

#include "half_open.h"

#define RULE "syn-flood"

/* One listener on 10.0.0.1:80 whose half-open queue holds @count requests, each from a network of its own. */
static struct crowd fill(struct fixture *f, uint32_t backlog, unsigned count, enum manner manner)
{
	fixture_open(f, RULE);
	fixture_sysctl(f, SYSCTL_TCP_SYNCOOKIES, 1);
	fixture_sysctl(f, SYSCTL_TCP_MAX_SYN_BACKLOG, 2048);
	listener_at(f, "10.0.0.1:80", backlog);
	return crowd_of(f, "10.0.0.1:80", 11, count, count ? count : 1, 0.5, manner);
}

static const struct events *cookies(uint64_t sent, uint64_t validated)
{
	static struct events e[2];
	static unsigned turn;

	turn = !turn;
	e[turn] = (struct events){ .cookies = sent, .validated = validated };
	return &e[turn];
}

static void flood__with_cookies__warns_and_names_the_listener(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, SILENT);
	f.fake[0]->owner = fixture_process(&f, 5, "httpd");
	judge_three(&f, &crowd, cookies(100, 0), cookies(100, 0));
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.9);
	assert_int_equal(finding->count, 129);
	assert_int_equal(finding->scope.local.port, 80);
	expect_text(finding, finding->title, "httpd[5] is full, new clients get cookies");
	expect_text(finding, finding->detail, "129 half-open, limit 128 from listen()");
	expect_text(finding, finding->detail, "200 cookies sent, 0 validated");
	expect_text(finding, finding->detail, "none stands out");
	assert_in_range((uint64_t)evidence_of(finding, "networks"), 115, 145);
	assert_true(evidence_of(finding, "silent") > 10 && evidence_of(finding, "repeating") == 0);
	assert_string_equal(finding->threshold.name, "event_share");
	fixture_close(&f);
}

static void cookies__at_a_hundred_a_second__are_critical(void **state)
{
	(void)state;
	for (uint64_t sent = 499; sent <= 500; sent++) {
		struct fixture f;
		struct crowd crowd = fill(&f, 128, 129, SILENT);

		judge_three(&f, &crowd, cookies(sent - 200, 0), cookies(200, 0));
		if (sent == 500)
			assert_string_equal(expect_one(&f, SEVERITY_CRITICAL)->threshold.name, "critical_rate");
		else
			expect_one(&f, SEVERITY_WARNING);
		fixture_close(&f);
	}
}

/* A queue too short to be full by itself: only what is counted speaks, in number and over two windows. */
static void cookies__a_few_or_in_one_window_only__are_silent(void **state)
{
	static const struct {
		uint64_t first, second, opens;
		bool fires;
	} rows[] = {
		{ 3, 2, 0, true },   { 2, 2, 0, false },   { 100, 0, 0, false }, { 0, 100, 0, false },
		{ 5, 5, 200, true }, { 5, 5, 201, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct events first = { .cookies = rows[i].first, .opens = rows[i].opens };
		const struct events second = { .cookies = rows[i].second };
		struct fixture f;
		struct crowd crowd = fill(&f, 8, 9, SILENT);

		judge_three(&f, &crowd, &first, &second);
		if (rows[i].fires)
			expect_one(&f, SEVERITY_WARNING);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void queue__filled_to_nine_tenths__speaks_without_events(void **state)
{
	static const struct {
		uint32_t backlog;
		unsigned count;
		bool fires;
	} rows[] = { { 100, 89, false }, { 100, 90, true }, { 15, 15, false }, { 16, 16, true }, { 16, 15, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		struct crowd crowd = fill(&f, rows[i].backlog, rows[i].count, SILENT);

		judge_three(&f, &crowd, NULL, NULL);
		if (rows[i].fires) {
			assert_string_equal(expect_one(&f, SEVERITY_WARNING)->threshold.name, "full");
			expect_against(f.verdict.findings[0], "nobody was turned away");
		} else {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
		}
		fixture_close(&f);
	}
}

static void drops__with_cookies_off__are_critical(void **state)
{
	static const struct events dropped = { .full_drops = 50, .listen_drops = 50 };
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, SILENT);
	fixture_sysctl(&f, SYSCTL_TCP_SYNCOOKIES, 0);
	judge_three(&f, &crowd, &dropped, &dropped);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_true(finding->confidence == 0.8);
	assert_string_equal(finding->threshold.name, "critical_drops");
	expect_text(finding, finding->title, "cookies are off, new clients are dropped");
	assert_true(evidence_of(finding, "syn_drops") == 100);
	fixture_close(&f);
}

/* Then three quarters of tcp_max_syn_backlog are the limit, and only ListenDrops counts what it turns away. */
static void drops__of_strangers__by_tcp_max_syn_backlog(void **state)
{
	static const struct events dropped = { .listen_drops = 50 };
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 48, SILENT);
	fixture_sysctl(&f, SYSCTL_TCP_SYNCOOKIES, 0);
	fixture_sysctl(&f, SYSCTL_TCP_MAX_SYN_BACKLOG, 64);
	judge_three(&f, &crowd, &dropped, &dropped);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_true(evidence_of(finding, "limit") == 48);
	expect_text(finding, finding->detail, "tcp_max_syn_backlog");
	fixture_close(&f);
}

static void limit__of_somaxconn__is_named(void **state)
{
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, SILENT);
	fixture_sysctl(&f, SYSCTL_SOMAXCONN, 128);
	judge_three(&f, &crowd, cookies(100, 0), cookies(100, 0));
	expect_text(expect_one(&f, SEVERITY_WARNING), f.verdict.findings[0]->detail, "from net.core.somaxconn");
	fixture_close(&f);
}

static void siblings__on_one_endpoint__share_the_queue(void **state)
{
	(void)state;
	for (unsigned count = 115; count <= 116; count++) {
		struct fixture f;
		struct crowd crowd = fill(&f, 64, count, SILENT);

		listener_at(&f, "10.0.0.1:80", 64);
		judge_three(&f, &crowd, NULL, NULL);
		if (count == 115)
			expect_silence(&f);
		else
			assert_true(evidence_of(expect_one(&f, SEVERITY_WARNING), "limit") == 128);
		fixture_close(&f);
	}
}

/* tcp_syncookies=2: no half-open connection is ever visible. */
static void cookies_always__count_when_they_stay_away(void **state)
{
	static const struct {
		uint64_t sent, back;
		bool fires;
	} rows[] = { { 100, 100, false }, { 100, 10, false }, { 100, 9, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;
		struct fixture f;

		fill(&f, 128, 0, SILENT);
		fixture_sysctl(&f, SYSCTL_TCP_SYNCOOKIES, 2);
		judge_three(&f, NULL, cookies(rows[i].sent, rows[i].back), cookies(rows[i].sent, rows[i].back));
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_true(finding->confidence == 0.6);
			assert_int_equal(finding->scope.local.port, 80);
			assert_int_equal(finding->count, 200);
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void burst__of_clients_that_send_cookies_back__is_no_flood(void **state)
{
	(void)state;
	for (uint64_t back = 60; back <= 61; back++) {
		struct fixture f;
		struct crowd crowd = fill(&f, 128, 129, FRESH);
		const struct finding *finding;

		judge_three(&f, &crowd, cookies(60, back - 1), cookies(60, 1));
		finding = expect_one(&f, SEVERITY_INFO);
		expect_text(finding, finding->title, back == 61 ? "real ones, no flood" : "have just come");
		/* exactly half is not more than half: the cookies leave it open, the queue is young */
		assert_true(finding->confidence == (back == 61 ? 0.85 : 0.5));
		if (back == 60)
			expect_against(finding, "a flood begins the same way");
		fixture_close(&f);
	}
}

static void burst__with_cookies_off__waits_and_warns(void **state)
{
	static const struct events dropped = { .full_drops = 3, .listen_drops = 3, .opens = 90 };
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, FRESH);
	fixture_sysctl(&f, SYSCTL_TCP_SYNCOOKIES, 0);
	judge_three(&f, &crowd, &dropped, &dropped);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "have just come");
	expect_against(finding, "a flood begins the same way");
	fixture_close(&f);
}

/* The same, seen by nobody but the counters. */
static void burst__over_between_the_looks__names_what_was_counted(void **state)
{
	static const struct events dropped = { .full_drops = 3, .listen_drops = 3, .opens = 50 };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fill(&f, 128, 0, SILENT);
	listener_at(&f, "*:443", 128);
	fixture_sysctl(&f, SYSCTL_TCP_SYNCOOKIES, 0);
	judge_three(&f, NULL, &dropped, &dropped);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "6 SYNs dropped");
	assert_false(finding->scope.has_local);
	fixture_close(&f);
}

static void overflow__of_the_accept_queue__is_another_case(void **state)
{
	static const struct events storm = { .cookies = 100, .validated = 100, .overflows = 100, .listen_drops = 100 };
	static const struct events attack = { .cookies = 100, .overflows = 10, .listen_drops = 10 };

	(void)state;
	for (unsigned own = 0; own < 2; own++) {
		for (unsigned flood = 0; flood < 2; flood++) {
			struct fixture f;
			struct crowd crowd = fill(&f, 128, 129, SILENT);

			fixture_sample(&f, 0);
			count_on(&f, flood ? &attack : &storm);
			crowd_at(&crowd, 2);
			fixture_sample(&f, 2);
			f.fake[0]->sock.skmem[SKMEM_DROPS] = own ? 20 : 0;
			crowd_at(&crowd, 5);
			count_on(&f, flood ? &attack : &storm);
			fixture_sample(&f, 5);
			fixture_judge(&f);
			if (own)
				expect_silence(&f); /* whatever the cookies do */
			else
				expect_one(&f, SEVERITY_WARNING); /* the overflow was another listener's */
			fixture_close(&f);
		}
	}
}

static void overflow__somewhere__silences_what_names_no_listener(void **state)
{
	static const struct events storm = { .cookies = 100, .overflows = 1, .listen_drops = 1 };
	struct fixture f;

	(void)state;
	fill(&f, 128, 0, SILENT);
	judge_three(&f, NULL, &storm, &storm);
	expect_silence(&f);
	fixture_close(&f);
}

static void cookies__and_no_full_queue__name_a_listener_only_when_it_is_alone(void **state)
{
	(void)state;
	for (unsigned others = 0; others < 2; others++) {
		struct fixture f;
		const struct finding *finding;

		fill(&f, 128, 0, SILENT);
		if (others)
			listener_at(&f, "*:443", 128);
		judge_three(&f, NULL, cookies(100, 0), cookies(100, 0));
		finding = expect_one(&f, SEVERITY_WARNING);
		assert_int_equal(finding->scope.has_local, !others);
		expect_text(finding, finding->title, "200 cookies sent");
		fixture_close(&f);
	}
}

/* With a filter that leaves listeners out, the counters of the namespace may be theirs. */
static void cookies__with_listeners_left_out__are_not_laid_to_anybody(void **state)
{
	struct sock other = { .local = { .port = 9 }, .state = SOCK_STATE_LISTEN };
	struct fixture f;

	(void)state;
	fill(&f, 128, 0, SILENT);
	fixture_sample(&f, 0);
	snapshot_add_role(&f.snap, &other);
	count_on(&f, cookies(100, 0));
	fixture_sample(&f, 2);
	count_on(&f, cookies(100, 0));
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void clients__that_ask_again__are_not_invented(void **state)
{
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, REPEATS);
	judge_three(&f, &crowd, cookies(300, 0), cookies(300, 0));
	expect_silence(&f);
	fixture_close(&f);
}

static void one_network__may_be_a_broken_way_back(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	fill(&f, 128, 0, SILENT);
	crowd = crowd_of(&f, "10.0.0.1:80", 11, 129, 1, 0.5, SILENT);
	judge_three(&f, &crowd, cookies(100, 0), cookies(100, 0));
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.5);
	expect_against(finding, "few networks");
	expect_against(finding, "fit a broken way back");
	expect_text(finding, finding->next[0], "dst 11.1.0.0/24");
	fixture_close(&f);
}

static void spread__at_half_a_network_each__is_wide(void **state)
{
	(void)state;
	for (unsigned networks = 40; networks <= 90; networks += 50) {
		struct fixture f;
		struct crowd crowd;

		fill(&f, 128, 0, SILENT);
		crowd = crowd_of(&f, "10.0.0.1:80", 11, 128, networks, 0.5, SILENT);
		judge_three(&f, &crowd, cookies(100, 0), cookies(100, 0));
		assert_true(expect_one(&f, SEVERITY_WARNING)->confidence == (networks == 90 ? 0.9 : 0.5));
		fixture_close(&f);
	}
}

/* A busy server keeps accepting with cookies while its queue stays full of others. */
static void flood__beside_real_clients__is_seen(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, SILENT);
	judge_three(&f, &crowd, cookies(200, 150), cookies(200, 150));
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.7);
	expect_against(finding, "real clients come in beside it");
	fixture_close(&f);
}

static void one_look__warns_and_leaves_the_other_reading_open(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, SILENT);
	crowd.age_s = 28;
	crowd_at(&crowd, 0);
	f.quick = true;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.6);
	expect_against(finding, "one look only");
	expect_text(finding, finding->next[0], "--interval 20");
	expect_part_skipped(&f, "three samples");
	fixture_close(&f);
}

static void deferred_accept__that_fills_the_queue__is_silent(void **state)
{
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, DEFERRED);
	judge_three(&f, &crowd, NULL, NULL);
	expect_silence(&f);
	fixture_close(&f);
}

static void health_checks__that_reset__leave_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fill(&f, 128, 0, SILENT);
	fixture_sample(&f, 0);
	fixture_count(&f, COUNTER_EMBRYONIC_RSTS, 5000);
	fixture_sample(&f, 2);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void counters_or_settings__missing__are_said(void **state)
{
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = fill(&f, 128, 129, SILENT);
	f.no_counters = f.no_sysctls = true;
	judge_three(&f, &crowd, NULL, NULL);
	expect_one(&f, SEVERITY_WARNING);
	expect_part_skipped(&f, "no kernel counters");
	expect_part_skipped(&f, "no settings");
	fixture_close(&f);
}

static void sockets__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_judge(&f);
	expect_skipped(&f, "no sockets");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flood__with_cookies__warns_and_names_the_listener),
		cmocka_unit_test(cookies__at_a_hundred_a_second__are_critical),
		cmocka_unit_test(cookies__a_few_or_in_one_window_only__are_silent),
		cmocka_unit_test(queue__filled_to_nine_tenths__speaks_without_events),
		cmocka_unit_test(drops__with_cookies_off__are_critical),
		cmocka_unit_test(drops__of_strangers__by_tcp_max_syn_backlog),
		cmocka_unit_test(limit__of_somaxconn__is_named),
		cmocka_unit_test(siblings__on_one_endpoint__share_the_queue),
		cmocka_unit_test(cookies_always__count_when_they_stay_away),
		cmocka_unit_test(burst__of_clients_that_send_cookies_back__is_no_flood),
		cmocka_unit_test(burst__with_cookies_off__waits_and_warns),
		cmocka_unit_test(burst__over_between_the_looks__names_what_was_counted),
		cmocka_unit_test(overflow__of_the_accept_queue__is_another_case),
		cmocka_unit_test(overflow__somewhere__silences_what_names_no_listener),
		cmocka_unit_test(cookies__and_no_full_queue__name_a_listener_only_when_it_is_alone),
		cmocka_unit_test(cookies__with_listeners_left_out__are_not_laid_to_anybody),
		cmocka_unit_test(clients__that_ask_again__are_not_invented),
		cmocka_unit_test(one_network__may_be_a_broken_way_back),
		cmocka_unit_test(spread__at_half_a_network_each__is_wide),
		cmocka_unit_test(flood__beside_real_clients__is_seen),
		cmocka_unit_test(one_look__warns_and_leaves_the_other_reading_open),
		cmocka_unit_test(deferred_accept__that_fills_the_queue__is_silent),
		cmocka_unit_test(health_checks__that_reset__leave_nothing),
		cmocka_unit_test(counters_or_settings__missing__are_said),
		cmocka_unit_test(sockets__missing__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
