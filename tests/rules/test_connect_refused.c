/* SPDX-License-Identifier: MIT */
/* connect-refused: attempts that are refused, and what else makes the same counters move. */
#include "rules.h"

#define RULE "connect-refused"
#define BASE 100 /* what the fixture's counters stand at */

/** struct growth - one counter, and what it has grown by in the second and the third sample. */
struct growth {
	enum counter_id id;
	unsigned second, third;
};

#define OPENS(a, b) { COUNTER_TCP_ACTIVE_OPENS, a, b }
#define FAILS(a, b) { COUNTER_TCP_ATTEMPT_FAILS, a, b }
#define EMBRYONIC(a, b) { COUNTER_EMBRYONIC_RSTS, a, b }
#define TIMED_OUT(a, b) { COUNTER_TCP_ABORT_ON_TIMEOUT, a, b }
#define ICMP_IN(a, b) { COUNTER_ICMP_IN_DEST_UNREACHS, a, b }
#define ICMP_OUT(a, b) { COUNTER_ICMP_OUT_DEST_UNREACHS, a, b }
#define ICMP6_IN(a, b) { COUNTER_ICMP6_IN_DEST_UNREACHS, a, b }
#define ICMP6_OUT(a, b) { COUNTER_ICMP6_OUT_DEST_UNREACHS, a, b }
#define RSTS(a, b) { COUNTER_TCP_OUT_RSTS, a, b }
#define ENDED(a, b) { COUNTER_TCP_ESTAB_RESETS, a, b }

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

/* A resolver: datagrams to clients that are gone bring ICMP errors all day, and say nothing of who refuses TCP. */
static void icmp_errors__more_than_refused__are_about_other_packets(void **state)
{
	static const struct {
		unsigned errors;
		bool by_icmp;
	} rows[] = { { 5, true }, { 15, true }, { 16, false }, { 100, false } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, OPENS(5, 5), FAILS(2, 3), ICMP_IN(0, rows[i].errors));
		finding = expect_one(&f, SEVERITY_WARNING);
		expect_text(finding, finding->title, rows[i].by_icmp ? "by ICMP errors" : "attempts are refused: 5 of 10");
		if (!rows[i].by_icmp)
			expect_text(finding, finding->detail, "most of them about other packets");
		expect_against(finding, "UDP, traceroute");
		fixture_close(&f);
	}
}

static void five_refused__in_two_intervals__warns(void **state)
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
		WATCH(&f, OPENS(50, 50), FAILS(rows[i].second, rows[i].third));
		if (rows[i].severity < 0) {
			expect_silence(&f);
			assert_true(f.verdict.miss_count == 1 && f.verdict.misses[0].value == 4);
		} else {
			finding = expect_one(&f, (enum severity)rows[i].severity);
			assert_int_equal(finding->count, 5);
			assert_int_equal(evidence_of(finding, "refused"), 5);
			assert_int_equal(evidence_of(finding, "rate"), 60);
			assert_int_equal(evidence_of(finding, "window"), 5);
			expect_text(finding, finding->title, "5 of 100 in 5 s");
			expect_text(finding, finding->detail, "the counters do not tell");
			expect_text(finding, finding->next[0], "tcpdump");
			expect_against(finding, "health checks");
			assert_true(finding->confidence > 0.84 && finding->confidence < 0.86);
		}
		expect_part_skipped(&f, "capture");
		fixture_close(&f);
	}
}

static void one_in_twenty__is_where_it_begins(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned opens = 120; opens <= 121; opens++) {
		fixture_open(&f, RULE);
		WATCH(&f, OPENS(60, opens - 60), FAILS(3, 3));
		if (opens == 120)
			expect_one(&f, SEVERITY_WARNING);
		else
			expect_silence(&f);
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
		fixture_count(&f, COUNTER_TCP_ACTIVE_OPENS, BASE + 20);
		fixture_count(&f, COUNTER_TCP_ATTEMPT_FAILS, BASE + 2);
		fixture_sample(&f, 30);
		fixture_count(&f, COUNTER_TCP_ATTEMPT_FAILS, BASE + 5);
		fixture_sample(&f, seconds);
		fixture_judge(&f);
		if (seconds == 60)
			expect_one(&f, SEVERITY_WARNING);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void half_of_all_attempts__in_every_interval__is_critical(void **state)
{
	static const struct {
		struct growth opens, fails;
		enum severity severity;
	} rows[] = {
		{ OPENS(25, 25), FAILS(10, 15), SEVERITY_CRITICAL },
		{ OPENS(25, 26), FAILS(10, 15), SEVERITY_WARNING },
		/* ten drained backends that a load balancer checks, and nothing else */
		{ OPENS(12, 12), FAILS(12, 12), SEVERITY_WARNING },
		{ OPENS(25, 25), FAILS(0, 50), SEVERITY_INFO },
	};
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, rows[i].opens, rows[i].fails);
		finding = expect_one(&f, rows[i].severity);
		assert_string_equal(finding->threshold.name, rows[i].severity == SEVERITY_CRITICAL ? "critical_share" :
							     rows[i].severity == SEVERITY_WARNING  ? "rate" :
												     "refused");
		fixture_close(&f);
	}
}

static void two_samples__are_one_interval__info(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sample(&f, 0);
	fixture_count(&f, COUNTER_TCP_ACTIVE_OPENS, BASE + 50);
	fixture_count(&f, COUNTER_TCP_ATTEMPT_FAILS, BASE + 50);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_one(&f, SEVERITY_INFO);
	fixture_close(&f);
}

static void failures__with_another_reason__are_taken_off(void **state)
{
	static const struct {
		struct growth a, b;
	} rows[] = {
		{ EMBRYONIC(10, 10), EMBRYONIC(10, 10) },
		{ TIMED_OUT(10, 10), TIMED_OUT(10, 10) },
		{ ICMP_IN(10, 10), ICMP_OUT(10, 10) },
		{ ICMP6_IN(10, 10), ICMP6_OUT(10, 10) },
	};
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* twenty failures have another reason, and then five more than those */
		for (unsigned more = 0; more <= 5; more += 5) {
			fixture_open(&f, RULE);
			WATCH(&f, OPENS(20, 20), FAILS(10, 10 + more), rows[i].a, rows[i].b);
			if (more) {
				finding = expect_one(&f, SEVERITY_WARNING);
				assert_int_equal(finding->count, 5);
				assert_true(finding->confidence < 0.7);
				if (i)
					expect_against(finding, "are taken off");
			} else {
				expect_silence(&f);
			}
			fixture_close(&f);
		}
	}
}

/* What a load balancer's half-open checks leave on a server that opens nothing. */
static void half_open_checks__against_us__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, FAILS(100, 100), EMBRYONIC(100, 100));
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 0);
	fixture_close(&f);
}

static void failures__without_any_attempt_of_ours__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, FAILS(100, 100));
	expect_silence(&f);
	fixture_close(&f);
}

static void icmp_errors__of_others__name_the_router(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, OPENS(20, 20), FAILS(20, 20), ICMP_IN(20, 20));
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->title, "by ICMP errors");
	expect_text(finding, finding->detail, "40 ICMP 'unreachable' came in: the router or firewall");
	fixture_close(&f);

	fixture_open(&f, RULE);
	WATCH(&f, OPENS(20, 20), FAILS(20, 20), ICMP_IN(5, 5));
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->detail, "10 ICMP 'unreachable' came in, the others were answered with RST");
	fixture_close(&f);
}

/* A network without IPv6 whose router says so: programs fall back to IPv4, half of what they open is refused and nobody notices. */
static void refusals__over_ipv6__are_no_more_than_a_warning(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	WATCH(&f, OPENS(40, 40), FAILS(20, 20), ICMP6_IN(20, 20));
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_against(finding, "falls back to IPv4");
	fixture_close(&f);
}

static void refused_port__that_may_be_our_own__is_said(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (unsigned own = 0; own < 2; own++) {
		fixture_open(&f, RULE);
		WATCH(&f, OPENS(20, 20), FAILS(10, 10), RSTS(own ? 8 : 7, 8));
		finding = expect_one(&f, SEVERITY_WARNING);
		expect_text(finding, finding->next[0], own ? "ss -ltnp" : "tcpdump");
		if (own)
			expect_against(finding, "16 RSTs");
		fixture_close(&f);
	}
}

static void resets_to_strays__one_a_second__are_info(void **state)
{
	static const struct {
		struct growth rsts, ended;
		bool fires;
	} rows[] = {
		{ RSTS(2, 3), ENDED(0, 0), true },    { RSTS(2, 2), ENDED(0, 0), false },
		{ RSTS(0, 50), ENDED(0, 0), false },  { RSTS(500, 500), ENDED(0, 0), true },
		{ RSTS(500, 500), ENDED(1, 0), false },
	};
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, rows[i].rsts, rows[i].ended);
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_INFO);
			assert_string_equal(finding->threshold.name, "answered_rate");
			expect_text(finding, finding->title, "This host refuses");
			expect_text(finding, finding->causes[1], "scan");
			expect_against(finding, "scanners");
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

/* The RSTs with which this host ends connections of its programs are no answers to strays. */
static void resets_of_our_own_aborts__are_silent(void **state)
{
	static const enum counter_id aborts[] = { COUNTER_TCP_ABORT_ON_CLOSE, COUNTER_TCP_ABORT_ON_DATA,
						  COUNTER_TCP_ABORT_ON_LINGER, COUNTER_TCP_ABORT_ON_MEMORY };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(aborts); i++) {
		fixture_open(&f, RULE);
		WATCH(&f, RSTS(50, 50), { aborts[i], 50, 50 });
		expect_silence(&f);
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
		f.counters.has[COUNTER_EMBRYONIC_RSTS] = !rows[i].no_counter;
		fixture_sample(&f, 0);
		f.counters.value[COUNTER_TCP_ACTIVE_OPENS] += 50;
		f.counters.value[COUNTER_TCP_ATTEMPT_FAILS] += 50;
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
		cmocka_unit_test(five_refused__in_two_intervals__warns),
		cmocka_unit_test(icmp_errors__more_than_refused__are_about_other_packets),
		cmocka_unit_test(one_in_twenty__is_where_it_begins),
		cmocka_unit_test(over_a_long_window__five_a_minute_are_needed),
		cmocka_unit_test(half_of_all_attempts__in_every_interval__is_critical),
		cmocka_unit_test(two_samples__are_one_interval__info),
		cmocka_unit_test(failures__with_another_reason__are_taken_off),
		cmocka_unit_test(half_open_checks__against_us__are_silent),
		cmocka_unit_test(failures__without_any_attempt_of_ours__are_silent),
		cmocka_unit_test(icmp_errors__of_others__name_the_router),
		cmocka_unit_test(refusals__over_ipv6__are_no_more_than_a_warning),
		cmocka_unit_test(refused_port__that_may_be_our_own__is_said),
		cmocka_unit_test(resets_to_strays__one_a_second__are_info),
		cmocka_unit_test(resets_of_our_own_aborts__are_silent),
		cmocka_unit_test(input__missing__is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
