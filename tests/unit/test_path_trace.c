/* SPDX-License-Identifier: MIT */
/* track/path_trace: where a connection attempt dies, on simulated paths. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "tests/support/trace_world.h"
#include "tcptriage/base/util.h"

#define TARGET 0xc0000201
#define S 1000000

/* Four hops: three routers and the host, as an unprivileged user sees them. */
static struct world plain(enum world_port port)
{
	return (struct world){ .routers = 3, .port = port, .rst_ttl = 64, .host_ttl = 64, .seed = 1,
		.options = { .target = addr_v4(TARGET), .max_hops = 30, .most = 1, .side_method = PROBE_UDP, .side_burst = 6, .side_per_s = 1 } };
}

static struct world raw(enum world_port port)
{
	struct world world = plain(port);

	world.options.most = 64;
	world.options.sees_ttl = true;
	return world;
}

/* @by: router, 0 nobody, −1 the host. */
static void expect(struct world *world, uint8_t finding, uint8_t dies_after, int by, uint8_t proof, unsigned probes, int64_t us)
{
	struct path_trace *trace;
	const struct trace_path *path = world_run(world, &trace);
	struct addr speaker = by < 0 ? world->options.target : by ? world_router((unsigned)by) : (struct addr){ .family = ADDR_V4 };

	assert_string_equal(trace_finding_name(path->finding), trace_finding_name(finding));
	assert_int_equal(path->dies_after, dies_after);
	assert_true(addr_equal(&path->by, &speaker));
	assert_int_equal(path->proof, proof);
	if (path->probes_sent > probes || path->elapsed_us > us)
		print_message("%u probes in %lld us\n", path->probes_sent, (long long)path->elapsed_us);
	assert_true(path->probes_sent <= probes);
	assert_true(path->elapsed_us <= us);
	path_trace_free(trace);
}

static void expect_hops(struct world *world, const char *replies, uint8_t host_ttl, unsigned retried)
{
	struct path_trace *trace;
	const struct trace_path *path = world_run(world, &trace);
	char seen[PATH_HOPS_MAX + 1] = "";

	for (size_t i = 0; i < path->hop_count; i++) {
		const struct path_hop *hop = &path->hops[i];

		assert_int_equal(hop->ttl, i + 1);
		seen[i] = ".Aor?e!xp?"[hop->reply];
		assert_true(hop->reply == REPLY_NONE ? hop->rtt_us == -1 && addr_is_any(&hop->address) : hop->rtt_us > 0);
		assert_true(hop->tries >= 1);
	}
	assert_string_equal(seen, replies);
	assert_int_equal(path->host_ttl, host_ttl);
	assert_int_equal(path->retried, retried);
	path_trace_free(trace);
}

static void open_port__healthy_path__a_probe_a_hop_and_no_wait(void **state)
{
	struct world one = plain(PORT_OPEN), many = raw(PORT_OPEN), ports = plain(PORT_OPEN);

	(void)state;
	ports.options.most = 64;
	ports.options.split = true;
	expect(&one, TRACE_OPEN, 0, -1, PROOF_NONE, 5, 50000);
	expect(&many, TRACE_OPEN, 0, -1, PROOF_NONE, 9, 30000);
	expect(&ports, TRACE_OPEN, 0, -1, PROOF_NONE, 9, 30000);
	assert_int_equal(one.sides + many.sides + ports.sides, 0);
	one = plain(PORT_OPEN);
	expect_hops(&one, "eeeo", 4, 0);
	many = raw(PORT_OPEN);
	expect_hops(&many, "eeeo", 4, 0);
}

static void open_port__no_router_speaks__is_still_open(void **state)
{
	struct world one = plain(PORT_OPEN), many = raw(PORT_OPEN);

	(void)state;
	memset(one.mute, true, sizeof(one.mute));
	memset(many.mute, true, sizeof(many.mute));
	one.routers = many.routers = 12;
	expect(&one, TRACE_OPEN, 0, -1, PROOF_NONE, 60, 12 * S);
	expect(&many, TRACE_OPEN, 0, -1, PROOF_NONE, 60, 8 * S);
	one = plain(PORT_OPEN);
	one.routers = 12;
	memset(one.mute, true, sizeof(one.mute));
	expect_hops(&one, "............o", 13, 0);
}

static void mute_hop__in_between__is_shown_as_mute_after_three_tries(void **state)
{
	struct world one = plain(PORT_OPEN), many = raw(PORT_OPEN);

	(void)state;
	one.mute[2] = many.mute[2] = true;
	expect(&one, TRACE_OPEN, 0, -1, PROOF_NONE, 7, 3500000);
	expect(&many, TRACE_OPEN, 0, -1, PROOF_NONE, 11, 3500000);
	one = plain(PORT_OPEN);
	one.mute[2] = true;
	expect_hops(&one, "e.eo", 4, 0);
}

/* A mute router before the host, or a SYN that was lost on the way to a nearer host: the same from here. */
static void mute_hop__before_the_host__leaves_a_bound(void **state)
{
	(void)state;
	for (unsigned mute = 2; mute <= 3; mute++) {
		struct world worlds[] = { plain(PORT_OPEN), raw(PORT_OPEN), raw(PORT_CLOSED), plain(PORT_CLOSED) };

		for (size_t i = 0; i < ARRAY_SIZE(worlds); i++) {
			struct path_trace *trace;

			worlds[i].mute[mute] = true;
			assert_int_equal(world_run(&worlds[i], &trace)->host_ttl, 4);
			assert_int_equal(path_trace_path(trace)->host_at_most, mute == 3);
			path_trace_free(trace);
		}
	}
}

/* Every answer of the other kind of probe uses up the router's word too: a second trace within a second would meet silence. */
static void rate_limited_router__is_asked_again__and_counted(void **state)
{
	struct world world = plain(PORT_OPEN);

	(void)state;
	world.limited[2] = true;
	world.said_us[2] = INT64_C(1000000000) - 500000;
	expect_hops(&world, "eeeo", 4, 1);
	world = raw(PORT_OPEN);
	world.limited[2] = world.limited[3] = true;
	world.said_us[2] = world.said_us[3] = INT64_C(1000000000) - 1;
	expect_hops(&world, "eeeo", 4, 2);
}

static void closed_port__without_sight_of_hop_limits__nobody_is_named(void **state)
{
	struct world world = plain(PORT_CLOSED);

	(void)state;
	expect(&world, TRACE_REFUSED, 3, 0, PROOF_NONE, 13, 2 * S);
	world = plain(PORT_CLOSED);
	expect_hops(&world, "eeer", 4, 0);
	assert_true(world.sides >= 3);
	world = plain(PORT_CLOSED);
	world.options.side_method = -1;
	expect(&world, TRACE_REFUSED, 3, 0, PROOF_NONE, 5, 50000);
}

static void closed_port__hop_limit_equals_that_of_other_packets__the_host_is_named(void **state)
{
	struct world world = raw(PORT_CLOSED);

	(void)state;
	expect(&world, TRACE_REFUSED, 3, -1, PROOF_RST_TTL, 18, 100000);
	world = raw(PORT_CLOSED);
	world.host_ttl = 128;
	expect(&world, TRACE_REFUSED, 3, -1, PROOF_RST_TTL, 18, 100000);
	world = raw(PORT_CLOSED);
	world.deaf = true;
	expect(&world, TRACE_REFUSED, 3, 0, PROOF_NONE, 24, 4 * S);
}

static void reset_by_the_last_router__seen_by_its_hop_limit_alone(void **state)
{
	struct world world = raw(PORT_OPEN);

	(void)state;
	world.cut_at = 3;
	world.act = ACT_RST;
	expect(&world, TRACE_REFUSED_BY_MIDDLE, 3, 3, PROOF_RST_TTL, 18, 100000);
	world = plain(PORT_OPEN);
	world.cut_at = 3;
	world.act = ACT_RST;
	expect(&world, TRACE_REFUSED, 3, 0, PROOF_NONE, 13, 2 * S);
	/* Another first hop limit: the hops cannot be compared. */
	world = raw(PORT_OPEN);
	world.cut_at = 3;
	world.act = ACT_RST;
	world.rst_ttl = 255;
	expect(&world, TRACE_REFUSED, 3, 0, PROOF_NONE, 18, 2 * S);
}

static void reset_by_an_earlier_router__host_is_farther(void **state)
{
	struct world world = plain(PORT_OPEN);

	(void)state;
	world.cut_at = 1;
	world.act = ACT_RST;
	expect(&world, TRACE_REFUSED_BY_MIDDLE, 1, 0, PROOF_DISTANCE, 12, 2 * S);
	world = raw(PORT_OPEN);
	world.cut_at = 1;
	world.act = ACT_RST;
	expect(&world, TRACE_REFUSED_BY_MIDDLE, 1, 1, PROOF_DISTANCE, 20, 2 * S);
	world = plain(PORT_OPEN);
	world.cut_at = 2;
	world.act = ACT_EARLY_RST;
	expect(&world, TRACE_REFUSED_BY_MIDDLE, 1, 0, PROOF_DISTANCE, 12, 2 * S);
	world = plain(PORT_OPEN);
	world.cut_at = 1;
	world.act = ACT_RST;
	expect_hops(&world, "er", 4, 0);
}

/* A box that forges the host's hop limit, or another way of the other protocol: the two views disagree, so nobody is accused. */
static void reset__views_disagree__nobody_is_named(void **state)
{
	struct world world = raw(PORT_CLOSED);

	(void)state;
	world.side_routers = 5;
	world.rst_ttl = 64;
	world.host_ttl = 64;
	expect(&world, TRACE_REFUSED, 3, 0, PROOF_NONE, 24, 2 * S);
	world = raw(PORT_OPEN);
	world.cut_at = 2;
	world.act = ACT_RST;
	world.rst_ttl = 62;
	expect(&world, TRACE_REFUSED, 2, 0, PROOF_NONE, 24, 2 * S);
}

/* A shorter way for TCP than for the other protocol: what that says of distances is about its own way. */
static void closed_port__other_protocol_goes_another_way__proves_nothing(void **state)
{
	static const struct {
		bool raw, mute;
		unsigned side_routers;
	} rows[] = {
		{ false, false, 5 }, { false, true, 5 }, { true, false, 4 }, { true, false, 5 }, { true, true, 4 }, { true, true, 5 }, { true, false, 2 }, { true, false, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world world = rows[i].raw ? raw(PORT_CLOSED) : plain(PORT_CLOSED);

		world.side_routers = rows[i].side_routers;
		world.stranger = true;
		world.mute[3] = rows[i].mute;
		expect(&world, TRACE_REFUSED, 3, 0, PROOF_NONE, 26, 5 * S);
	}
}

/* The hop before is mute to SYNs: whether the ways are of one length up to there is not known. */
static void reset__behind_a_mute_hop__nobody_is_named(void **state)
{
	(void)state;
	for (unsigned cut = 2; cut <= 3; cut++) {
		struct world world = raw(PORT_OPEN);

		world.cut_at = cut;
		world.act = ACT_RST;
		world.mute[cut] = true;
		expect(&world, TRACE_REFUSED, (uint8_t)cut, 0, PROOF_NONE, 26, 5 * S);
	}
}

static void prohibited__by_a_router__is_named(void **state)
{
	struct world world = plain(PORT_OPEN);
	struct path_trace *trace;
	const struct trace_path *path;

	(void)state;
	world.cut_at = 2;
	world.act = ACT_PROHIBIT;
	path = world_run(&world, &trace);
	assert_true(path->is_icmp);
	assert_int_equal(path->icmp_type, 3);
	assert_int_equal(path->icmp_code, 13);
	assert_int_equal(path->rtt_us, 2 * WORLD_HOP_US);
	path_trace_free(trace);
	world = plain(PORT_OPEN);
	world.cut_at = 2;
	world.act = ACT_PROHIBIT;
	expect_hops(&world, "ee", 0, 0);
	assert_int_equal(world.sides, 0);
	world = raw(PORT_OPEN);
	world.cut_at = 2;
	world.act = ACT_PROHIBIT;
	expect(&world, TRACE_PROHIBITED, 2, 2, PROOF_NONE, 8, 50000);
}

static void no_route__and_refusal_by_icmp__name_who_says_so(void **state)
{
	struct world world = plain(PORT_OPEN);

	(void)state;
	world.cut_at = 3;
	world.act = ACT_NO_ROUTE;
	expect(&world, TRACE_NO_ROUTE, 3, 3, PROOF_NONE, 4, 50000);
	world = raw(PORT_OPEN);
	world.cut_at = 2;
	world.act = ACT_REJECT;
	expect(&world, TRACE_REFUSED_BY_MIDDLE, 2, 2, PROOF_ICMP, 9, 50000);
}

/* Asked once a second it would never have enough for a word. */
static void no_route__router_has_used_up_its_words__is_heard_after_a_quiet(void **state)
{
	for (unsigned many = 0; many < 2; many++) {
		struct world world = many ? raw(PORT_OPEN) : plain(PORT_OPEN);

		(void)state;
		world.cut_at = world.side_cut = 2;
		world.act = ACT_NO_ROUTE;
		world.poor = true;
		expect(&world, TRACE_NO_ROUTE, 2, 2, PROOF_NONE, 25, 11500000);
	}
}

/* The last router says so only when its neighbour has not answered for three seconds. */
static void host_down__on_its_segment__is_no_route_by_the_last_router(void **state)
{
	struct world world = plain(PORT_OPEN);

	(void)state;
	world.cut_at = 3;
	world.act = ACT_NO_ROUTE;
	world.unreachable_us = 3060000;
	world.side_cut = 3;
	expect(&world, TRACE_NO_ROUTE, 3, 3, PROOF_NONE, 25, 5 * S);
	/* It was said of a probe with a larger hop limit, but the router does not stand there. */
	world = plain(PORT_OPEN);
	world.cut_at = world.side_cut = 3;
	world.act = ACT_NO_ROUTE;
	world.unreachable_us = 4500000;
	expect_hops(&world, "eee", 0, 0);
}

static void filtered__others_go_further__after_the_last_that_answers(void **state)
{
	struct world world = plain(PORT_OPEN);

	(void)state;
	world.cut_at = 2;
	world.act = ACT_DROP;
	world.routers = 5;
	expect(&world, TRACE_FILTERED, 2, 0, PROOF_NONE, 25, 11500000);
	assert_int_equal(world.syns, 1 + 2 + 5 + 2);
	world = raw(PORT_OPEN);
	world.cut_at = 2;
	world.act = ACT_DROP;
	world.deaf = true;
	expect(&world, TRACE_FILTERED, 2, 0, PROOF_NONE, 30, 6 * S);
	world = plain(PORT_SILENT);
	expect(&world, TRACE_FILTERED, 3, 0, PROOF_NONE, 25, 11500000);
	world = plain(PORT_SILENT);
	expect_hops(&world, "eee", 4, 0);
	/* The full hop limit, and three at once. */
	assert_int_equal(world.sides, 4);
}

static void silent__nothing_else_goes_further_either(void **state)
{
	struct world world = plain(PORT_OPEN);

	(void)state;
	world.cut_at = world.side_cut = 2;
	world.act = ACT_DROP;
	expect(&world, TRACE_SILENT, 2, 0, PROOF_NONE, 25, 11500000);
	world = raw(PORT_OPEN);
	world.cut_at = world.side_cut = 2;
	world.act = ACT_DROP;
	expect(&world, TRACE_SILENT, 2, 0, PROOF_NONE, 25, 8 * S);
	world = plain(PORT_SILENT);
	world.deaf = true;
	memset(world.mute, true, sizeof(world.mute));
	expect(&world, TRACE_SILENT, 0, 0, PROOF_NONE, 25, 11500000);
	world = plain(PORT_SILENT);
	world.options.side_method = -1;
	expect(&world, TRACE_SILENT, 3, 0, PROOF_NONE, 12, 11500000);
}

static void loop__two_routers_alternate__is_proven(void **state)
{
	struct world world = plain(PORT_OPEN);

	(void)state;
	world.loop_from = 3;
	expect(&world, TRACE_LOOP, 3, 3, PROOF_NONE, 8, 300000);
	assert_int_equal(world.sides, 0);
	world = raw(PORT_OPEN);
	world.loop_from = 2;
	expect(&world, TRACE_LOOP, 2, 2, PROOF_NONE, 12, 300000);
	/* Both have used up what they say in a second. */
	for (unsigned many = 0; many < 2; many++) {
		world = many ? raw(PORT_OPEN) : plain(PORT_OPEN);
		world.loop_from = 3;
		memset(world.limited, true, sizeof(world.limited));
		for (unsigned i = 0; i < 4; i++)
			world.said_us[i] = INT64_C(1000000000) - 1;
		expect(&world, TRACE_LOOP, 3, 3, PROOF_NONE, 45, many ? 9 * S : 5 * S);
	}
	/* Nothing came of the full hop limit: the hops alone prove it. */
	world = plain(PORT_OPEN);
	world.loop_from = 3;
	world.full_lost = true;
	expect(&world, TRACE_LOOP, 3, 3, PROOF_NONE, 8, 2 * S);
	/* One of the two does not speak: with the full hop limit run out too it is a loop all the same. */
	world = plain(PORT_OPEN);
	world.loop_from = 3;
	world.mute[3] = true;
	expect(&world, TRACE_LOOP, 3, 0, PROOF_NONE, 30, 8 * S);
}

static void hop_limit__that_runs_out_whole__is_said(void **state)
{
	(void)state;
	for (unsigned lost = 0; lost < 3; lost++) {
		struct world world = plain(PORT_OPEN);
		struct path_trace *trace;

		world.loop_from = lost < 2 ? 3 : 0;
		world.full_lost = lost == 1;
		assert_int_equal(world_run(&world, &trace)->ran_out, lost == 0);
		path_trace_free(trace);
	}
}

static void same_address__hop_after_hop__is_a_loop_only_when_the_full_hop_limit_ran_out(void **state)
{
	struct world world = plain(PORT_OPEN);

	(void)state;
	world.one_address = true;
	world.routers = 69;
	expect(&world, TRACE_LOOP, 1, 1, PROOF_NONE, 4, 300000);
	world = plain(PORT_SILENT);
	world.one_address = true;
	world.routers = 4;
	expect(&world, TRACE_FILTERED, 4, 0, PROOF_NONE, 25, 11500000);
	/* Nothing but that address ever after: no path is like that. */
	world = plain(PORT_OPEN);
	world.one_address = true;
	world.routers = 69;
	world.full_lost = true;
	expect(&world, TRACE_LOOP, 1, 1, PROOF_NONE, 10, 2 * S);
}

static void long_path__many_at_once__keeps_the_pace(void **state)
{
	struct world world = raw(PORT_OPEN);

	(void)state;
	world.routers = 59;
	world.options.max_hops = 64;
	expect(&world, TRACE_OPEN, 0, -1, PROOF_NONE, 70, 4 * S);
}

static void same_address__where_the_host_answers__is_no_loop(void **state)
{
	struct path_trace *trace;
	struct world world = plain(PORT_OPEN);
	struct probe_request request;
	int64_t wake_us, now_us = 0;
	enum probe_step step;

	(void)state;
	trace = path_trace_new(&world.options, now_us);
	while ((step = path_trace_step(trace, now_us, &request, &wake_us)) != STEP_DONE) {
		struct probe_outcome outcome = { .id = request.id, .from = world_router(1), .rtt_us = 1000, .reply = REPLY_EXPIRED };

		now_us = step == STEP_WAIT ? wake_us : now_us + 1000;
		outcome.reply = !request.hop_limit || request.hop_limit > 9 ? REPLY_OPEN : REPLY_EXPIRED;
		if (step == STEP_SEND)
			path_trace_outcome(trace, &outcome, now_us);
	}
	assert_int_equal(path_trace_path(trace)->finding, TRACE_OPEN);
	assert_int_equal(path_trace_path(trace)->host_ttl, 10);
	path_trace_free(trace);
}

static void local_error__is_told_at_once_with_its_number(void **state)
{
	struct world world = plain(PORT_OPEN);
	struct path_trace *trace;
	const struct trace_path *path;

	(void)state;
	world.local = ENETUNREACH;
	path = world_run(&world, &trace);
	assert_int_equal(path->finding, TRACE_LOCAL_ERROR);
	assert_int_equal(path->error, ENETUNREACH);
	assert_int_equal(path->probes_sent, 1);
	assert_int_equal(path->hop_count, 0);
	path_trace_free(trace);
}

/* One packet that a full queue swallowed is not the end of it, three are. */
static void local_error__after_others_went__counts_when_it_stays(void **state)
{
	struct world world = plain(PORT_SILENT);

	(void)state;
	for (unsigned bad = 1; bad <= 3; bad += 2) {
		struct path_trace *trace = path_trace_new(&world.options, 0);
		struct probe_request request;
		int64_t wake_us, now_us = 0;
		unsigned done = 0;
		enum probe_step step;

		while ((step = path_trace_step(trace, now_us, &request, &wake_us)) != STEP_DONE) {
			struct probe_outcome outcome = { .id = request.id, .from = world_router(request.hop_limit), .rtt_us = 1000,
				.error = ENOBUFS, .reply = request.hop_limit == 1 ? REPLY_EXPIRED : REPLY_LOCAL };

			now_us = step == STEP_WAIT ? wake_us : now_us + 1000;
			if (step == STEP_SEND && (request.hop_limit == 1 || (request.hop_limit > 1 && request.lane == LANE_MAIN && done++ < bad)))
				path_trace_outcome(trace, &outcome, now_us);
		}
		assert_int_equal(path_trace_path(trace)->finding, bad == 3 ? TRACE_LOCAL_ERROR : TRACE_SILENT);
		assert_int_equal(path_trace_path(trace)->error, bad == 3 ? ENOBUFS : 0);
		path_trace_free(trace);
	}
}

static void lossy_path__verdict_and_hops_stay(void **state)
{
	unsigned mute = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 500; seed++) {
		struct world world = plain(seed % 2 ? PORT_OPEN : PORT_SILENT);
		struct path_trace *trace;
		const struct trace_path *path;

		world.loss = 0.05;
		world.seed = seed;
		path = world_run(&world, &trace);
		assert_int_equal(path->finding, seed % 2 ? TRACE_OPEN : TRACE_FILTERED);
		assert_true(path->elapsed_us < 14 * S);
		for (size_t i = 0; i < path->hop_count; i++)
			mute += path->hops[i].reply == REPLY_NONE;
		path_trace_free(trace);
	}
	/* One in a thousand hops is silent three times. */
	assert_true(mute <= 8);
}

static void slow_path__answers_after_the_window__is_not_taken_for_silence(void **state)
{
	struct world one = plain(PORT_OPEN), many = raw(PORT_OPEN);

	(void)state;
	one.late_us = many.late_us = 1500000;
	expect(&one, TRACE_OPEN, 0, -1, PROOF_NONE, 70, 30 * S);
	expect(&many, TRACE_OPEN, 0, -1, PROOF_NONE, 30, 6 * S);
}

static void stopped__what_is_known_stands_as_partial(void **state)
{
	struct world world = plain(PORT_OPEN);
	struct path_trace *trace = path_trace_new(&world.options, 0);
	struct probe_outcome outcome = { .reply = REPLY_OPEN, .from = world.options.target, .rtt_us = 7 };
	struct probe_request request;
	int64_t wake_us;

	(void)state;
	assert_int_equal(path_trace_step(trace, 0, &request, &wake_us), STEP_SEND);
	assert_int_equal(request.hop_limit, 0);
	assert_int_equal(request.deadline_us, 950000);
	outcome.id = request.id;
	path_trace_outcome(trace, &outcome, 7);
	path_trace_stop(trace, 10);
	assert_int_equal(path_trace_step(trace, 11, &request, &wake_us), STEP_DONE);
	assert_true(path_trace_path(trace)->partial);
	assert_int_equal(path_trace_path(trace)->finding, TRACE_OPEN);
	assert_int_equal(path_trace_path(trace)->elapsed_us, 10);
	assert_int_equal(path_trace_path(trace)->rtt_us, 7);
	path_trace_free(trace);
}

/* What was not waited for is no silence; what was said stands. */
static void stopped__before_silence_counts__is_undecided(void **state)
{
	struct world world = raw(PORT_SILENT);
	struct path_trace *trace = path_trace_new(&world.options, 0);
	struct probe_outcome outcome = { .reply = REPLY_EXPIRED, .from = world_router(1), .rtt_us = 7, .id = 1 };
	struct probe_request request;
	int64_t wake_us, now_us = 0;

	(void)state;
	for (enum probe_step step = STEP_WAIT; step != STEP_SEND || request.hop_limit != 1; now_us = step == STEP_WAIT ? wake_us : now_us)
		step = path_trace_step(trace, now_us, &request, &wake_us);
	outcome.id = request.id;
	path_trace_outcome(trace, &outcome, now_us);
	path_trace_stop(trace, now_us + 1);
	assert_int_equal(path_trace_path(trace)->finding, TRACE_UNDECIDED);
	assert_null(trace_finding_name(TRACE_UNDECIDED));
	assert_int_equal(path_trace_path(trace)->dies_after, 1);
	path_trace_free(trace);
}

static void stopped__with_a_refusal_by_a_router__it_stands(void **state)
{
	struct world world = plain(PORT_OPEN);
	struct path_trace *trace = path_trace_new(&world.options, 0);
	struct probe_outcome outcome = { .reply = REPLY_PROHIBITED, .from = world_router(2), .rtt_us = 7, .id = 1, .is_icmp = true };
	struct probe_request request;
	int64_t wake_us;

	(void)state;
	assert_int_equal(path_trace_step(trace, 0, &request, &wake_us), STEP_SEND);
	path_trace_outcome(trace, &outcome, 7);
	path_trace_stop(trace, 10);
	assert_int_equal(path_trace_path(trace)->finding, TRACE_PROHIBITED);
	path_trace_free(trace);
}

static void outcome__unknown_second_or_senseless__changes_nothing(void **state)
{
	struct world world = plain(PORT_OPEN);
	struct path_trace *trace = path_trace_new(&world.options, 0);
	struct probe_outcome outcome = { .reply = REPLY_REFUSED, .from = world.options.target, .rtt_us = 7 };
	struct probe_request request;
	int64_t wake_us;

	(void)state;
	path_trace_outcome(trace, &outcome, 1);
	outcome.id = UINT32_MAX;
	path_trace_outcome(trace, &outcome, 1);
	outcome.id = 1;
	path_trace_outcome(trace, &outcome, 1);
	assert_int_equal(path_trace_path(trace)->finding, TRACE_SILENT);
	assert_int_equal(path_trace_step(trace, 2, &request, &wake_us), STEP_SEND);
	outcome.reply = REPLY_TOO_BIG;
	path_trace_outcome(trace, &outcome, 3);
	outcome.reply = 200;
	path_trace_outcome(trace, &outcome, 3);
	assert_int_equal(path_trace_path(trace)->finding, TRACE_SILENT);
	outcome.reply = REPLY_OPEN;
	path_trace_outcome(trace, &outcome, 4);
	outcome.reply = REPLY_REFUSED;
	path_trace_outcome(trace, &outcome, 5);
	assert_int_equal(path_trace_path(trace)->finding, TRACE_OPEN);
	path_trace_free(trace);
}

/* The answer to the first probe of a hop comes when that to the second is there: the first answer stands. */
static void outcome__of_a_hop_that_has_one__changes_nothing(void **state)
{
	struct world world = raw(PORT_OPEN);
	struct path_trace *trace = path_trace_new(&world.options, 0);
	struct probe_outcome outcome = { .reply = REPLY_EXPIRED, .from = world_router(1), .rtt_us = 7 };
	struct probe_request request;
	int64_t wake_us = 0, now_us = 0;
	uint32_t first = 0, second = 0;

	(void)state;
	while (!second) {
		enum probe_step step = path_trace_step(trace, now_us, &request, &wake_us);

		assert_int_not_equal(step, STEP_DONE);
		if (step == STEP_WAIT)
			now_us = wake_us;
		else if (request.lane == LANE_MAIN && request.hop_limit == 1)
			*(first ? &second : &first) = request.id;
	}
	outcome.id = second;
	path_trace_outcome(trace, &outcome, now_us);
	outcome.id = first;
	outcome.reply = REPLY_REFUSED;
	path_trace_outcome(trace, &outcome, now_us);
	assert_int_equal(path_trace_path(trace)->finding, TRACE_SILENT);
	assert_int_equal(path_trace_path(trace)->hops[0].reply, REPLY_EXPIRED);
	assert_int_equal(path_trace_path(trace)->hops[0].tries, 2);
	assert_int_equal(path_trace_path(trace)->retried, 1);
	path_trace_free(trace);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Whoever answers whatever he likes, to ids that were sent and to others: it ends, bounded, and the result can be shown. */
static void hostile_network__anything_at_any_time__ends_bounded(void **state)
{
	uint32_t seed = 20261129;

	(void)state;
	for (unsigned run = 0; run < 3000; run++) {
		struct path_trace_options options = { .target = addr_v4(TARGET), .max_hops = (uint8_t)next_random(&seed), .most = next_random(&seed) % 65,
			.side_method = (int)(next_random(&seed) % 3) - 1, .side_burst = next_random(&seed) % 7, .side_per_s = next_random(&seed) % 3,
			.split = next_random(&seed) % 2, .sees_ttl = next_random(&seed) % 2 };
		struct path_trace *trace = path_trace_new(&options, 0);
		uint32_t appetite = next_random(&seed) % 100, spread = 1 + next_random(&seed) % 5;
		struct probe_request request;
		int64_t now_us = 0, wake_us = 0;
		unsigned sent = 0, steps = 0;
		enum probe_step step;

		while ((step = path_trace_step(trace, now_us, &request, &wake_us)) != STEP_DONE) {
			assert_true(++steps < 20000);
			sent += step == STEP_SEND;
			assert_true(step == STEP_SEND || wake_us > now_us);
			if (step == STEP_WAIT)
				now_us += next_random(&seed) % 4 ? wake_us - now_us : (int64_t)(next_random(&seed) % (uint32_t)MIN(wake_us - now_us, 1000000)) + 1;
			if (next_random(&seed) % 100 < appetite) {
				struct probe_outcome outcome = { .id = next_random(&seed) % (sent + 2), .reply = (uint8_t)(next_random(&seed) % 12),
					.reply_ttl = (uint8_t)next_random(&seed), .is_icmp = next_random(&seed) % 2, .error = (int)next_random(&seed),
					.rtt_us = (int64_t)(next_random(&seed) % 5000000) - 5, .from = addr_v4(next_random(&seed) % spread),
					.lane = (uint8_t)next_random(&seed), .hop_limit = (uint8_t)next_random(&seed) };

				path_trace_outcome(trace, &outcome, now_us);
			}
		}
		assert_true(sent <= 390);
		assert_true(now_us < 90 * (int64_t)S);
		assert_true(path_trace_path(trace)->finding < TRACE_FINDING_COUNT);
		assert_true(path_trace_path(trace)->proof < TRACE_PROOF_COUNT);
		assert_true(path_trace_path(trace)->hop_count <= PATH_HOPS_MAX && path_trace_path(trace)->side_count <= PATH_HOPS_MAX);
		assert_true(path_trace_path(trace)->dies_after <= PATH_HOPS_MAX);
		path_trace_free(trace);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_port__healthy_path__a_probe_a_hop_and_no_wait),
		cmocka_unit_test(open_port__no_router_speaks__is_still_open),
		cmocka_unit_test(mute_hop__in_between__is_shown_as_mute_after_three_tries),
		cmocka_unit_test(mute_hop__before_the_host__leaves_a_bound),
		cmocka_unit_test(rate_limited_router__is_asked_again__and_counted),
		cmocka_unit_test(closed_port__without_sight_of_hop_limits__nobody_is_named),
		cmocka_unit_test(closed_port__hop_limit_equals_that_of_other_packets__the_host_is_named),
		cmocka_unit_test(reset_by_the_last_router__seen_by_its_hop_limit_alone),
		cmocka_unit_test(reset_by_an_earlier_router__host_is_farther),
		cmocka_unit_test(reset__views_disagree__nobody_is_named),
		cmocka_unit_test(closed_port__other_protocol_goes_another_way__proves_nothing),
		cmocka_unit_test(reset__behind_a_mute_hop__nobody_is_named),
		cmocka_unit_test(prohibited__by_a_router__is_named),
		cmocka_unit_test(no_route__and_refusal_by_icmp__name_who_says_so),
		cmocka_unit_test(no_route__router_has_used_up_its_words__is_heard_after_a_quiet),
		cmocka_unit_test(host_down__on_its_segment__is_no_route_by_the_last_router),
		cmocka_unit_test(filtered__others_go_further__after_the_last_that_answers),
		cmocka_unit_test(silent__nothing_else_goes_further_either),
		cmocka_unit_test(loop__two_routers_alternate__is_proven),
		cmocka_unit_test(hop_limit__that_runs_out_whole__is_said),
		cmocka_unit_test(same_address__hop_after_hop__is_a_loop_only_when_the_full_hop_limit_ran_out),
		cmocka_unit_test(long_path__many_at_once__keeps_the_pace),
		cmocka_unit_test(outcome__of_a_hop_that_has_one__changes_nothing),
		cmocka_unit_test(same_address__where_the_host_answers__is_no_loop),
		cmocka_unit_test(local_error__is_told_at_once_with_its_number),
		cmocka_unit_test(local_error__after_others_went__counts_when_it_stays),
		cmocka_unit_test(lossy_path__verdict_and_hops_stay),
		cmocka_unit_test(slow_path__answers_after_the_window__is_not_taken_for_silence),
		cmocka_unit_test(stopped__what_is_known_stands_as_partial),
		cmocka_unit_test(stopped__before_silence_counts__is_undecided),
		cmocka_unit_test(stopped__with_a_refusal_by_a_router__it_stands),
		cmocka_unit_test(outcome__unknown_second_or_senseless__changes_nothing),
		cmocka_unit_test(hostile_network__anything_at_any_time__ends_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
