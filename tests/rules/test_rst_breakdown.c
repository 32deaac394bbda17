/* SPDX-License-Identifier: MIT */
/* rst-breakdown: resets by cause, and when they are worth a word. */
#include <string.h>

#include "rules.h"

#define RULE "rst-breakdown"
#define BASE 100 /* what the fixture's counters stand at */

/** struct growth - one counter, and what it has grown by in the second and the third sample. */
struct growth {
	enum counter_id id;
	unsigned second, third;
};

#define ENDED(a, b) { COUNTER_TCP_ESTAB_RESETS, a, b }
#define SENT(a, b) { COUNTER_TCP_OUT_RSTS, a, b }
#define UNREAD(a, b) { COUNTER_TCP_ABORT_ON_CLOSE, a, b }
#define ABORTED(a, b) { COUNTER_TCP_ABORT_ON_DATA, a, b }
#define TIMED_OUT(a, b) { COUNTER_TCP_ABORT_ON_TIMEOUT, a, b }
#define MEMORY(a, b) { COUNTER_TCP_ABORT_ON_MEMORY, a, b }
#define EMBRYONIC(a, b) { COUNTER_EMBRYONIC_RSTS, a, b }
#define PASSIVE(a, b) { COUNTER_TCP_PASSIVE_OPENS, a, b }
#define ACTIVE(a, b) { COUNTER_TCP_ACTIVE_OPENS, a, b }

/* Samples at 0, 2 and 5 s, as a report takes them. */
static void watch(struct fixture *f, const struct growth *growth, size_t count)
{
	fixture_sample(f, 0);
	for (size_t i = 0; i < count; i++)
		fixture_count(f, growth[i].id, BASE + growth[i].second);
	fixture_sample(f, 2);
	for (size_t i = 0; i < count; i++)
		fixture_count(f, growth[i].id, BASE + growth[i].second + growth[i].third);
	fixture_sample(f, 5);
	fixture_judge(f);
}

#define WATCH(f, ...) watch(f, (const struct growth[]){ __VA_ARGS__ }, ARRAY_SIZE(((const struct growth[]){ __VA_ARGS__ })))

static void ten_resets__in_two_intervals__are_told(void **state)
{
	static const struct {
		unsigned second, third;
		bool fires;
	} rows[] = { { 5, 4, false }, { 5, 5, true }, { 0, 50, false }, { 50, 0, false } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, ENDED(rows[i].second, rows[i].third), PASSIVE(20, 20));
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_INFO);
			assert_int_equal(finding->count, 10);
			assert_int_equal(evidence_of(finding, "rate"), 2);
			assert_int_equal(evidence_of(finding, "share"), 25);
			assert_int_equal(evidence_of(finding, "received"), 10);
			assert_string_equal(finding->threshold.name, "resets");
			expect_text(finding, finding->title, "10 in 5 s, 25 %");
			expect_text(finding, finding->detail, "10 reset by the peer or a device between (theirs)");
			expect_against(finding, "health checkers");
			assert_true(finding->confidence > 0.84 && finding->confidence < 0.86);
		} else {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
		}
		expect_part_skipped(&f, "history");
		expect_part_skipped(&f, "capture");
		fixture_close(&f);
	}
}

static void one_connection_in_twenty__is_where_it_begins(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned opens = 200; opens <= 201; opens++) {
		fixture_open(&f, RULE);
		WATCH(&f, ENDED(5, 5), PASSIVE(50, 50), ACTIVE(50, opens - 150));
		if (opens == 200)
			expect_one(&f, SEVERITY_INFO);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

/* Pooled connections that are all reset at once: there is nothing that they could be a share of. */
static void nothing_opened_meanwhile__no_share_is_made_up(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, ENDED(250, 250));
	finding = expect_one(&f, SEVERITY_INFO);
	expect_text(finding, finding->title, "500 in 5 s, none was opened meanwhile");
	assert_null(finding_evidence(finding, "share"));
	fixture_close(&f);
	fixture_open(&f, RULE);
	WATCH(&f, ENDED(250, 250), PASSIVE(5, 5));
	finding = expect_one(&f, SEVERITY_INFO);
	assert_int_equal(evidence_of(finding, "share"), 5000);
	fixture_close(&f);
}

static void over_a_long_window__one_a_second_is_needed(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned seconds = 60; seconds <= 61; seconds++) {
		fixture_open(&f, RULE);
		fixture_sample(&f, 0);
		fixture_count(&f, COUNTER_TCP_ESTAB_RESETS, BASE + 30);
		fixture_sample(&f, 30);
		fixture_count(&f, COUNTER_TCP_ESTAB_RESETS, BASE + 60);
		fixture_sample(&f, seconds);
		fixture_judge(&f);
		if (seconds == 60)
			expect_one(&f, SEVERITY_INFO);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void causes__are_named_most_frequent_first(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, ENDED(30, 30), SENT(60, 60), UNREAD(20, 20), ABORTED(5, 5), TIMED_OUT(1, 1), EMBRYONIC(50, 50), PASSIVE(99, 99));
	finding = expect_one(&f, SEVERITY_INFO);
	assert_int_equal(finding->count, 60);
	assert_int_equal(evidence_of(finding, "closed_unread"), 40);
	assert_int_equal(evidence_of(finding, "aborted"), 10);
	assert_int_equal(evidence_of(finding, "timed_out"), 2);
	assert_int_equal(evidence_of(finding, "received"), 60 - 40 - 10 - 2);
	assert_int_equal(evidence_of(finding, "strays"), 120 - 40 - 10 - 2);
	assert_int_equal(evidence_of(finding, "embryonic"), 100);
	assert_int_equal(evidence_of(finding, "out_of_memory"), 0);
	expect_text(finding, finding->detail,
		    "40 closed with data unread (our program) · 10 aborted by SO_LINGER 0 or hit by data after close() (our program) · 8 reset by the peer");
	expect_text(finding, finding->detail, "100 half-open connections reset (the client) · 68 RSTs to packets of no connection (whoever sent them) · 2 given up");
	assert_non_null(strstr(finding->causes[0], "unread"));
	assert_non_null(strstr(finding->fixes[0], "before close()"));
	assert_non_null(strstr(finding->causes[1], "SO_LINGER"));
	assert_non_null(finding->causes[5]);
	assert_null(finding->causes[6]);
	assert_null(finding->fixes[6]);
	expect_against(finding, "8 is what is left of 60");
	fixture_close(&f);
}

/* The peer still sends to connections that our program has closed: no established connection ends, RSTs go out all the same. */
static void data_after_close__counts_by_its_aborts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, ABORTED(10, 10), SENT(10, 10), PASSIVE(20, 20));
	assert_int_equal(expect_one(&f, SEVERITY_INFO)->count, 20);
	fixture_close(&f);
}

static void lack_of_memory__is_critical_at_once(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, MEMORY(0, 1), SENT(0, 1), PASSIVE(5000, 5000));
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->count, 1);
	assert_string_equal(finding->threshold.name, "out_of_memory");
	expect_text(finding, finding->title, "for lack of TCP memory: 1 in 5 s");
	assert_non_null(strstr(finding->causes[0], "tcp_max_orphans"));
	assert_true(finding->confidence > 0.94);
	fixture_close(&f);
}

static void resets__of_no_connection__are_silent(void **state)
{
	static const struct growth rows[][2] = {
		{ SENT(500, 500), PASSIVE(0, 0) },     /* a port scan */
		{ EMBRYONIC(500, 500), PASSIVE(0, 0) }, /* half-open checks */
		{ TIMED_OUT(500, 500), ACTIVE(500, 500) }, /* connect timeouts */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		watch(&f, rows[i], 2);
		expect_silence(&f);
		assert_int_equal(f.verdict.miss_count, 0);
		fixture_close(&f);
	}
}

static void input__missing__is_said(void **state)
{
	static const struct {
		bool no_counters, one_sample, no_counter, filtered;
		const char *words;
	} rows[] = {
		{ .no_counters = true, .words = "counters" },
		{ .one_sample = true, .words = "two samples" },
		{ .no_counter = true, .words = "missing or went back" },
		{ .filtered = true, .words = "filter" },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		f.no_counters = rows[i].no_counters;
		f.snap.filtered = rows[i].filtered;
		f.counters.has[COUNTER_TCP_ABORT_ON_DATA] = !rows[i].no_counter;
		fixture_sample(&f, 0);
		f.counters.value[COUNTER_TCP_ESTAB_RESETS] += 50;
		if (!rows[i].one_sample)
			fixture_sample(&f, 2);
		fixture_judge(&f);
		expect_skipped(&f, rows[i].words);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_resets__in_two_intervals__are_told),
		cmocka_unit_test(one_connection_in_twenty__is_where_it_begins),
		cmocka_unit_test(nothing_opened_meanwhile__no_share_is_made_up),
		cmocka_unit_test(over_a_long_window__one_a_second_is_needed),
		cmocka_unit_test(causes__are_named_most_frequent_first),
		cmocka_unit_test(data_after_close__counts_by_its_aborts),
		cmocka_unit_test(lack_of_memory__is_critical_at_once),
		cmocka_unit_test(resets__of_no_connection__are_silent),
		cmocka_unit_test(input__missing__is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
