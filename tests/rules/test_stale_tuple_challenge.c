/* SPDX-License-Identifier: MIT */
/* stale-tuple-challenge: clients that come back too early, and other SYNs on open connections. */
#include "rules.h"

#define RULE "stale-tuple-challenge"
#define BASE 100 /* what the fixture's counters stand at */

/** struct growth - one counter, and what it has grown by in the second and the third sample. */
struct growth {
	enum counter_id id;
	unsigned second, third;
};

#define CHALLENGES(a, b) { COUNTER_TCP_SYN_CHALLENGE, a, b }
#define ENDED(a, b) { COUNTER_TCP_ESTAB_RESETS, a, b }
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

static void five_replaced__in_two_intervals__warn(void **state)
{
	static const struct {
		unsigned second, third;
		int severity; /* −1: nothing */
	} rows[] = {
		{ 2, 2, -1 }, { 2, 3, SEVERITY_WARNING }, { 0, 5, SEVERITY_INFO }, { 5, 0, SEVERITY_INFO },
	};
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, CHALLENGES(rows[i].second, rows[i].third), ENDED(3, 3), PASSIVE(300, 300));
		if (rows[i].severity < 0) {
			expect_silence(&f);
			assert_true(f.verdict.miss_count == 1 && f.verdict.misses[0].value == 4);
		} else {
			finding = expect_one(&f, (enum severity)rows[i].severity);
			assert_int_equal(finding->count, 5);
			assert_int_equal(evidence_of(finding, "challenges"), 5);
			assert_int_equal(evidence_of(finding, "rate"), 60);
			expect_against(finding, "do not name the clients");
		}
		if (rows[i].severity == SEVERITY_WARNING) {
			expect_text(finding, finding->title, "5 of 600 new connections in 5 s");
			assert_string_equal(finding->threshold.name, "share");
			assert_true(finding->confidence > 0.79 && finding->confidence < 0.81);
		}
		expect_part_skipped(&f, "capture");
		fixture_close(&f);
	}
}

static void share__of_the_new_connections__decides(void **state)
{
	static const struct {
		unsigned passive;
		enum severity severity;
	} rows[] = {
		{ 6, SEVERITY_CRITICAL },    { 500, SEVERITY_CRITICAL }, { 501, SEVERITY_WARNING },
		{ 5000, SEVERITY_WARNING }, { 5001, SEVERITY_INFO },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, CHALLENGES(2, 3), ENDED(2, 3), PASSIVE(3, rows[i].passive - 3));
		expect_one(&f, rows[i].severity);
		fixture_close(&f);
	}
}

static void over_a_long_window__five_a_minute_are_needed(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned seconds = 60; seconds <= 61; seconds++) {
		fixture_open(&f, RULE);
		fixture_sample(&f, 0);
		fixture_count(&f, COUNTER_TCP_SYN_CHALLENGE, BASE + 2);
		fixture_count(&f, COUNTER_TCP_ESTAB_RESETS, BASE + 5);
		fixture_count(&f, COUNTER_TCP_PASSIVE_OPENS, BASE + 9);
		fixture_sample(&f, 30);
		fixture_count(&f, COUNTER_TCP_SYN_CHALLENGE, BASE + 5);
		fixture_sample(&f, seconds);
		fixture_judge(&f);
		if (seconds == 60)
			expect_one(&f, SEVERITY_CRITICAL);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

/* A lost final ACK of ours, blind guesses, or a firewall that eats the answer: nobody takes the place of an old connection. */
static void challenges__without_resets_or_new_connections__are_info(void **state)
{
	static const struct {
		struct growth ended, passive, third;
	} rows[] = {
		{ ENDED(0, 0), PASSIVE(50, 50), ACTIVE(0, 0) },
		{ ENDED(2, 2), PASSIVE(50, 50), ACTIVE(0, 0) },
		{ ENDED(50, 50), PASSIVE(0, 0), ACTIVE(0, 0) },
		{ ENDED(50, 50), PASSIVE(2, 2), ACTIVE(0, 0) },
		/* resets, but our own */
		{ ENDED(50, 50), PASSIVE(50, 50), { COUNTER_TCP_ABORT_ON_DATA, 48, 48 } },
	};
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, CHALLENGES(20, 20), rows[i].ended, rows[i].passive, rows[i].third);
		finding = expect_one(&f, SEVERITY_INFO);
		assert_int_equal(finding->count, 40);
		assert_string_equal(finding->threshold.name, "challenges");
		expect_text(finding, finding->title, "SYNs arrive on connections that are open: 40");
		expect_text(finding, finding->causes[0], "final ACK");
		if (i == 0)
			expect_against(finding, "hardly any open connection was reset");
		fixture_close(&f);
	}
}

static void proxy__whose_lost_acks_may_explain_it__is_info(void **state)
{
	static const struct {
		unsigned active;
		enum severity severity;
		double confidence;
	} rows[] = {
		{ 0, SEVERITY_CRITICAL, 0.8 },	   { 9, SEVERITY_CRITICAL, 0.8 },  { 10, SEVERITY_CRITICAL, 0.55 },
		{ 999, SEVERITY_CRITICAL, 0.55 }, { 1000, SEVERITY_INFO, 0.45 },
	};
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, CHALLENGES(5, 5), ENDED(5, 5), PASSIVE(50, 50), ACTIVE(0, rows[i].active));
		finding = expect_one(&f, rows[i].severity);
		assert_true(finding->confidence > rows[i].confidence - 0.001 &&
			    finding->confidence < rows[i].confidence + 0.001);
		if (rows[i].active)
			expect_against(finding, "raises the same counter");
		fixture_close(&f);
	}
}

static void resets__without_challenges__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, ENDED(50, 50), PASSIVE(50, 50), { COUNTER_TCP_CHALLENGE_ACK, 50, 50 });
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 0);
	fixture_close(&f);
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
		f.counters.has[COUNTER_TCP_SYN_CHALLENGE] = !rows[i].no_counter;
		fixture_sample(&f, 0);
		f.counters.value[COUNTER_TCP_SYN_CHALLENGE] += 50;
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
		cmocka_unit_test(five_replaced__in_two_intervals__warn),
		cmocka_unit_test(share__of_the_new_connections__decides),
		cmocka_unit_test(over_a_long_window__five_a_minute_are_needed),
		cmocka_unit_test(challenges__without_resets_or_new_connections__are_info),
		cmocka_unit_test(proxy__whose_lost_acks_may_explain_it__is_info),
		cmocka_unit_test(resets__without_challenges__are_silent),
		cmocka_unit_test(input__missing__is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
