/* SPDX-License-Identifier: MIT */
/* nagle-delack-stall: writes that wait for a delayed ACK, and what holds data back for other reasons. */
#include "rules.h"

#define RULE "nagle-delack-stall"
#define STEP_MS 5

/**
 * struct plan - what the sockets of a run do. Of every @period looks the first @held see data held back; @looks in each of @stretches.
 * Between the samples, @window_s apart: @segments of @segment bytes each, @answers segments back, the rest in µs of the window. @last_rtt_us: at the end, 0 the same.
 */
struct plan {
	unsigned period, held, looks, stretches;
	double step_ms, window_s;
	uint64_t segments, segment, bytes, answers, busy_us, window_us, retrans;
	uint32_t rtt_us, rttvar_us, min_rtt_us, last_rtt_us;
};

/* Stalls of 40 ms in a row. */
static const struct plan stalled = { .period = 10, .held = 9, .looks = 60, .stretches = 2, .step_ms = STEP_MS, .window_s = 5,
				     .segments = 200, .segment = 75, .answers = 100, .busy_us = 4500000,
				     .rtt_us = 20000, .rttvar_us = 23000, .min_rtt_us = 10 };

static struct plan now;

static struct fake *writer(struct fixture *f, const char *local, const char *peer)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake_set(fake, TCPI_RTO, 224000);
	fake_set(fake, TCPI_SND_MSS, 1448);
	fake_set(fake, TCPI_SND_CWND, 10);
	fake_set(fake, TCPI_RTT, now.rtt_us);
	fake_set(fake, TCPI_RTTVAR, now.rttvar_us);
	fake_set(fake, TCPI_MIN_RTT, now.min_rtt_us);
	fake_set(fake, TCPI_DATA_SEGS_OUT, 1000);
	fake_set(fake, TCPI_DATA_SEGS_IN, 500);
	fake_set(fake, TCPI_BYTES_SENT, 75000);
	return fake;
}

static struct fake *client(struct fixture *f)
{
	struct fake *fake = writer(f, "10.0.0.1:40000", "10.0.0.2:7000");

	fake->sock.local.port = (uint16_t)(40000 + f->count);
	return fake;
}

static void hold_or_not(struct fixture *f, double ms)
{
	unsigned n = (unsigned)(ms / now.step_ms + 0.5);
	bool is_held = n % now.period < now.held;

	for (size_t i = 0; i < f->count; i++) {
		fake_set(f->fake[i], TCPI_UNACKED, is_held);
		fake_set(f->fake[i], TCPI_NOTSENT_BYTES, is_held ? 100 : 0);
		fake_set(f->fake[i], TCPI_LAST_DATA_SENT, n % now.period * STEP_MS);
		fake_set(f->fake[i], TCPI_DATA_SEGS_OUT, 1000 + 2 * (n / now.period));
	}
}

static void finish(struct fixture *f)
{
	uint64_t bytes = now.bytes ? now.bytes : now.segments * now.segment;

	for (size_t i = 0; i < f->count; i++) {
		fake_set(f->fake[i], TCPI_DATA_SEGS_OUT, 1000 + now.segments);
		fake_set(f->fake[i], TCPI_DATA_SEGS_IN, 500 + now.answers);
		fake_set(f->fake[i], TCPI_BYTES_SENT, 75000 + bytes);
		fake_set(f->fake[i], TCPI_BUSY_TIME, now.busy_us);
		fake_set(f->fake[i], TCPI_RWND_LIMITED, now.window_us);
		fake_set(f->fake[i], TCPI_TOTAL_RETRANS, now.retrans);
		fake_set(f->fake[i], TCPI_RTT, now.last_rtt_us ? now.last_rtt_us : now.rtt_us);
	}
}

static void run(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_looks(f, 0.1, now.looks, now.step_ms, hold_or_not);
	if (now.stretches > 1) {
		fixture_sample(f, now.window_s * 0.4);
		fixture_looks(f, now.window_s * 0.4 + 0.1, now.looks, now.step_ms, hold_or_not);
	}
	finish(f);
	fixture_sample(f, now.window_s);
	fixture_judge(f);
}

/* @sockets of one process, as @plan has it: the severity of the one finding, −1 for silence. */
static void expect_plan(const struct plan *plan, unsigned sockets, int severity)
{
	struct fixture f;

	now = *plan;
	fixture_open(&f, RULE);
	for (unsigned i = 0; i < sockets; i++)
		client(&f)->owner = NULL;
	run(&f);
	if (severity < 0)
		expect_silence(&f);
	else
		assert_int_equal(expect_one(&f, (enum severity)severity)->count, sockets);
	fixture_close(&f);
}

static void stalled__client__is_told_with_its_numbers(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	now = stalled;
	fixture_open(&f, RULE);
	client(&f)->owner = fixture_process(&f, 9, "app");
	run(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->scope.peer.port, 7000);
	expect_text(finding, finding->title, "app[9] sends to 10.0.0.2:7000 in pieces");
	expect_text(finding, finding->detail, "stalls: 1200/min");
	expect_text(finding, finding->detail, "90 % of 120 looks, for 40 ms at least");
	expect_text(finding, finding->detail, "20 ms on average, 10 µs at best · 75 B a segment");
	expect_against(finding, "neither TCP_NODELAY nor TCP_CORK");
	assert_string_equal(finding->threshold.name, "held_share");
	assert_int_equal(evidence_of(finding, "seen"), 12);
	assert_int_equal(evidence_of(finding, "watched"), 590);
	assert_int_equal(evidence_of(finding, "throughput"), 3000);
	assert_true(finding->confidence > 0.81 && finding->confidence < 0.83);
	assert_null(finding_evidence(finding, "delayed_acks"));
	fixture_close(&f);
}

static void stalled__server__is_told_by_its_port(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	now = stalled;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:80", "*:*");
	for (unsigned i = 0; i < 2; i++) {
		struct fake *fake = writer(&f, "10.0.0.1:80", i ? "10.0.0.8:5001" : "10.0.0.9:5000");

		fake->owner = i ? f.fake[1]->owner : fixture_process(&f, 3, "web");
	}
	run(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->count, 2);
	assert_false(finding->scope.has_peer);
	expect_text(finding, finding->title, "web[3] answers on port 80 in pieces");
	fixture_close(&f);
}

/* The severity of one socket that differs from a stalled one by what is set. */
#define EXPECT(severity, ...)                           \
	do {                                            \
		struct plan plan = stalled;             \
                                                        \
		(void)(__VA_ARGS__);                    \
		expect_plan(&plan, 1, (int)(severity)); \
	} while (0)

static void each_limit__at_its_edge(void **state)
{
	(void)state;
	/* held_share, of looks */
	EXPECT(SEVERITY_WARNING, plan.period = 20, plan.held = 6);
	EXPECT(SEVERITY_INFO, plan.period = 20, plan.held = 5);
	/* seen: two holds are too few for more than a line, one for that */
	EXPECT(SEVERITY_WARNING, plan.period = 20, plan.held = 8, plan.stretches = 1);
	EXPECT(SEVERITY_INFO, plan.period = 30, plan.held = 12, plan.stretches = 1);
	EXPECT(SEVERITY_INFO, plan.period = 60, plan.held = 12, plan.stretches = 2);
	EXPECT(-1, plan.period = 60, plan.held = 40, plan.stretches = 1);
	/* stalls a minute */
	EXPECT(SEVERITY_WARNING, plan.window_s = 12, plan.segments = 2, plan.answers = 1, plan.busy_us = 6000000);
	EXPECT(-1, plan.window_s = 12, plan.segments = 1, plan.answers = 1, plan.busy_us = 6000000);
	EXPECT(-1, plan.segments = 0, plan.answers = 0);
	/* hold */
	EXPECT(SEVERITY_WARNING, plan.held = 5);
	EXPECT(-1, plan.held = 4);
	/* busy_share, answers */
	EXPECT(SEVERITY_WARNING, plan.busy_us = 1500000);
	EXPECT(SEVERITY_INFO, plan.busy_us = 1499999);
	EXPECT(SEVERITY_WARNING, plan.answers = 40);
	EXPECT(SEVERITY_INFO, plan.answers = 39);
	/* rtt, rtt_spread, rtt_floor */
	EXPECT(SEVERITY_WARNING, plan.rtt_us = 5000);
	EXPECT(-1, plan.rtt_us = 4999);
	EXPECT(SEVERITY_WARNING, plan.rttvar_us = 10000);
	EXPECT(-1, plan.rttvar_us = 9999);
	EXPECT(SEVERITY_WARNING, plan.min_rtt_us = 2000);
	EXPECT(-1, plan.min_rtt_us = 2001);
	EXPECT(SEVERITY_WARNING, plan.last_rtt_us = 5000);
	EXPECT(-1, plan.last_rtt_us = 4999);
	/* segment, throughput */
	EXPECT(SEVERITY_WARNING, plan.segment = 723);
	EXPECT(-1, plan.segment = 724);
	EXPECT(SEVERITY_WARNING, plan.segments = 1000, plan.bytes = 499999, plan.answers = 500);
	EXPECT(-1, plan.segments = 1000, plan.bytes = 500000, plan.answers = 500);
	/* window_share, repairs */
	EXPECT(SEVERITY_WARNING, plan.window_us = 499999);
	EXPECT(-1, plan.window_us = 500000);
	EXPECT(-1, plan.retrans = 1);
	/* looks, pace */
	EXPECT(SEVERITY_WARNING, plan.looks = 50, plan.stretches = 1);
	EXPECT(-1, plan.looks = 49, plan.stretches = 1);
	EXPECT(SEVERITY_WARNING, plan.step_ms = 10, plan.stretches = 1);
	EXPECT(-1, plan.step_ms = 10.2, plan.stretches = 1);
}

static void critical__a_thousand_a_minute_on_three_connections(void **state)
{
	static const struct {
		unsigned sockets, segments;
		int severity;
	} rows[] = { { 4, 50, SEVERITY_CRITICAL },   { 4, 49, SEVERITY_WARNING }, { 3, 200, SEVERITY_CRITICAL },
		     { 2, 200, SEVERITY_WARNING }, { 1, 200, SEVERITY_WARNING } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct plan plan = stalled;

		plan.window_s = 6;
		plan.segments = rows[i].segments;
		expect_plan(&plan, rows[i].sockets, rows[i].severity);
	}
}

static void few__says_so(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	now = stalled;
	now.period = 30;
	now.held = 8;
	now.busy_us = 200000;
	fixture_open(&f, RULE);
	client(&f);
	run(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	expect_against(finding, "seen 4 times in 590 ms");
	assert_true(finding->confidence < 0.61);
	assert_string_equal(finding->threshold.name, "stalls");
	now = stalled;
	now.answers = 0;
	fixture_close(&f);
	fixture_open(&f, RULE);
	client(&f);
	run(&f);
	expect_against(expect_one(&f, SEVERITY_INFO), "hardly sends anything back");
	fixture_close(&f);
}

/* What else keeps a small rest in the queue; each of them alone is no hold. */
static const struct {
	enum tcpi_id id;
	uint64_t value;
} not_held[] = { { TCPI_UNACKED, 0 },	       { TCPI_UNACKED, 10 },	   { TCPI_NOTSENT_BYTES, 0 },
		 { TCPI_NOTSENT_BYTES, 1448 }, { TCPI_BACKOFF, 1 },	   { TCPI_RETRANSMITS, 1 },
		 { TCPI_LOST, 1 },	       { TCPI_LAST_DATA_SENT, 224 } };
static size_t reason;

static void held_for_another_reason(struct fixture *f, double ms)
{
	hold_or_not(f, ms);
	fake_set(f->fake[0], not_held[reason].id, not_held[reason].value);
}

static void other_reasons__to_hold_data__are_silent(void **state)
{
	(void)state;
	for (reason = 0; reason < ARRAY_SIZE(not_held); reason++) {
		struct fixture f;

		now = stalled;
		fixture_open(&f, RULE);
		client(&f);
		fixture_sample(&f, 0);
		fixture_looks(&f, 0.1, 60, STEP_MS, held_for_another_reason);
		fake_set(f.fake[0], not_held[reason].id, 0);
		finish(&f);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		assert_int_equal(snapshot_burst(&f.snap, 0)->looks, 60);
		assert_int_equal(snapshot_burst(&f.snap, 0)->sights, 0);
		expect_silence(&f);
		assert_int_equal(f.verdict.miss_count, 1);
		fixture_close(&f);
	}
}

static void same_segment__all_the_time__is_one_hold(void **state)
{
	struct fixture f;

	(void)state;
	now = stalled;
	now.period = 1000;
	now.held = 999;
	fixture_open(&f, RULE);
	client(&f);
	run(&f);
	/* in two stretches seconds apart, as a path looks that went dead under a small write */
	assert_int_equal(snapshot_burst(&f.snap, 0)->turns, 2);
	assert_int_equal(expect_one(&f, SEVERITY_INFO)->severity, SEVERITY_INFO);
	fixture_close(&f);
}

static void near_miss__names_the_share(void **state)
{
	struct fixture f;

	(void)state;
	now = stalled;
	now.period = 60;
	now.held = 3;
	fixture_open(&f, RULE);
	client(&f);
	run(&f);
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 1);
	assert_int_equal(f.verdict.misses[0].value, 5);
	assert_int_equal(f.verdict.misses[0].threshold, 30);
	fixture_close(&f);
}

static void delayed_acks__count_when_the_peer_is_here(void **state)
{
	static const struct {
		const char *peer;
		uint64_t delayed;
		bool surer, told;
	} rows[] = { { "10.0.0.1:7000", 50, true, true },
		     { "10.0.0.1:7000", 49, false, true },
		     { "10.0.0.2:7000", 100, false, false } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;

		now = stalled;
		fixture_open(&f, RULE);
		writer(&f, "10.0.0.1:40000", rows[i].peer);
		fixture_sample(&f, 0);
		fixture_looks(&f, 0.1, 60, STEP_MS, hold_or_not);
		finish(&f);
		fixture_count(&f, COUNTER_DELAYED_ACKS, 100 + rows[i].delayed);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		finding = expect_one(&f, SEVERITY_WARNING);
		assert_int_equal(finding->confidence > 0.85, rows[i].surer);
		assert_int_equal(finding_evidence(finding, "delayed_acks") != NULL, rows[i].told);
		fixture_close(&f);
	}
}

static void candidate__cheap_and_not_by_luck(void **state)
{
	static const struct {
		enum tcpi_id id;
		uint64_t value;
		bool wanted;
	} rows[] = {
		{ TCPI_UNACKED, 0, true },	   { TCPI_LAST_DATA_SENT, 1000, true }, { TCPI_LAST_DATA_SENT, 1001, false },
		{ TCPI_RTT, 4999, false },	   { TCPI_RTTVAR, 9999, false },	{ TCPI_MIN_RTT, 2001, false },
		{ TCPI_BYTES_SENT, 723999, true }, { TCPI_BYTES_SENT, 724000, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;

		now = stalled;
		fixture_open(&f, RULE);
		fake_set(client(&f), rows[i].id, rows[i].value);
		fixture_sample(&f, 0);
		fixture_looks(&f, 0.1, 1, STEP_MS, NULL);
		assert_int_equal(snapshot_burst(&f.snap, 0) != NULL, rows[i].wanted);
		fixture_close(&f);
	}
}

/* A connection so young that its average round trip says nothing yet. */
static void candidate__caught_in_the_act(void **state)
{
	(void)state;
	for (uint32_t held_ms = 19; held_ms <= 20; held_ms++) {
		struct fixture f;
		struct fake *fake;

		now = stalled;
		now.rtt_us = 30;
		fixture_open(&f, RULE);
		fake = client(&f);
		fake_set(fake, TCPI_UNACKED, 1);
		fake_set(fake, TCPI_NOTSENT_BYTES, 100);
		fake_set(fake, TCPI_LAST_DATA_SENT, held_ms);
		fixture_sample(&f, 0);
		fixture_looks(&f, 0.1, 1, STEP_MS, NULL);
		assert_int_equal(snapshot_burst(&f.snap, 0) != NULL, held_ms == 20);
		fixture_close(&f);
	}
}

static void muted__is_not_looked_at(void **state)
{
	const char *const muted[] = { RULE, NULL };
	struct triage_options options = { .muted = muted };
	struct fixture f;

	(void)state;
	now = stalled;
	fixture_open(&f, RULE);
	client(&f);
	fixture_sample(&f, 0);
	triage_fast(&f.snap, &options, &f.fast_room);
	assert_true(f.snap.fast);
	assert_null(snapshot_burst(&f.snap, 0));
	triage_fast(&f.snap, NULL, &f.fast_room);
	assert_non_null(snapshot_burst(&f.snap, 0));
	fixture_close(&f);
}

static void too_many__are_counted(void **state)
{
	struct fixture f;

	(void)state;
	now = stalled;
	fixture_open(&f, RULE);
	for (unsigned i = 0; i < SNAPSHOT_BURSTS + 3; i++)
		client(&f);
	run(&f);
	assert_int_equal(expect_one(&f, SEVERITY_CRITICAL)->count, SNAPSHOT_BURSTS);
	expect_part_skipped(&f, "3 more sockets than the 32 that are looked at fast");
	fixture_close(&f);
}

static void too_few_looks__are_said(void **state)
{
	struct fixture f;

	(void)state;
	now = stalled;
	now.looks = 24;
	fixture_open(&f, RULE);
	client(&f);
	run(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "1 sockets got too few fast looks");
	assert_int_equal(f.verdict.miss_count, 0);
	fixture_close(&f);
}

static void closed_meanwhile__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	now = stalled;
	fixture_open(&f, RULE);
	client(&f);
	fixture_sample(&f, 0);
	fixture_looks(&f, 0.1, 60, STEP_MS, hold_or_not);
	f.fake[0]->gone = true;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void inputs__missing__are_said(void **state)
{
	struct fixture f;

	(void)state;
	now = stalled;
	fixture_open(&f, RULE);
	f.quick = true;
	client(&f);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "--quick takes none");
	f.quick = false;
	fixture_judge(&f);
	expect_skipped(&f, "only one was taken");
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_skipped(&f, "a recording holds none");
	fixture_close(&f);
	fixture_open(&f, RULE);
	f.info_len = 200;
	client(&f);
	run(&f);
	expect_skipped(&f, "tcpi_bytes_sent");
	fixture_close(&f);
	fixture_open(&f, RULE);
	client(&f);
	f.snap.info_for_all = false;
	run(&f);
	expect_part_skipped(&f, "tcp_info was read of suspicious ones only");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stalled__client__is_told_with_its_numbers),
		cmocka_unit_test(stalled__server__is_told_by_its_port),
		cmocka_unit_test(each_limit__at_its_edge),
		cmocka_unit_test(critical__a_thousand_a_minute_on_three_connections),
		cmocka_unit_test(few__says_so),
		cmocka_unit_test(other_reasons__to_hold_data__are_silent),
		cmocka_unit_test(same_segment__all_the_time__is_one_hold),
		cmocka_unit_test(near_miss__names_the_share),
		cmocka_unit_test(delayed_acks__count_when_the_peer_is_here),
		cmocka_unit_test(candidate__cheap_and_not_by_luck),
		cmocka_unit_test(candidate__caught_in_the_act),
		cmocka_unit_test(muted__is_not_looked_at),
		cmocka_unit_test(too_many__are_counted),
		cmocka_unit_test(too_few_looks__are_said),
		cmocka_unit_test(closed_meanwhile__is_silent),
		cmocka_unit_test(inputs__missing__are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
