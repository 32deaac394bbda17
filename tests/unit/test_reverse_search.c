/* SPDX-License-Identifier: MIT */
/* track/reverse_search against made-up services and ways back: widths, loss, short answers, slow ones, ones that stop to answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/track/reverse_search.h"

#define RTT_US 20000
#define RTO_US 250000
#define SYN_RTO_US 1000000
#define TIMESTAMPS 12
#define NEVER INT64_MAX
#define FLIGHTS 16
/* A round is out before its first refusal is back. */
#define ROUND_REFUSED_MAX 8

/*
 * struct world - a service and the way back from it.
 * @mtu: of the way back. @loss: in 1000 packets. @answer: bytes, then the service ends. @think_us: before it answers; @think_random: up to. @served: connections that it takes, 0 all.
 * @head: bytes that come in a small packet of their own first. @advertised: MSS that this kernel advertises at most, 0 any; @segment: largest that the service sends, 0 any. @waits: it does not end. @deaf: outcomes that the sender never hands over.
 */
struct world {
	enum addr_family family;
	uint32_t mtu, largest, loss, answer, served, head, advertised, segment;
	int64_t think_us;
	bool think_random, waits, deaf, coarse, hurry;
	uint64_t seed;
};

struct arrival {
	struct reverse_outcome outcome;
	int64_t at_us, first_us;
};

/* What a run came to. */
struct result {
	struct reverse_path path;
	struct tcp_witness witness;
	bool has_witness;
	int64_t took_us;
};

static uint32_t draw(struct world *world, uint32_t below)
{
	return (uint32_t)(hash_u64(world->seed += 0x9e3779b97f4a7c15ULL) % below);
}

/* Time until a packet that is repeated after @rto_us, doubled each time, is there. */
static int64_t until_there(struct world *world, int64_t rto_us)
{
	int64_t sum_us = 0;

	for (unsigned i = 0; i < 10 && draw(world, 1000) < world->loss; i++, rto_us *= 2)
		sum_us += rto_us;
	return sum_us;
}

static uint32_t header(const struct world *world)
{
	return world->family == ADDR_V4 ? 40 : 60;
}

/* The answer in segments of @segment bytes: when @enough or all of it is there, NEVER when a segment dies of its size. */
static int64_t answer_us(struct world *world, uint32_t segment, uint32_t enough, uint64_t *received)
{
	uint32_t left = world->answer - world->head;
	int64_t last_us = 0;

	*received = world->head;
	while (left && *received < enough) {
		uint32_t part = left < segment ? left : segment;
		int64_t us = until_there(world, RTO_US);

		if (part + TIMESTAMPS + header(world) > world->mtu)
			return NEVER;
		last_us = us > last_us ? us : last_us;
		*received += part;
		left -= part;
	}
	return *received >= enough || !world->waits ? last_us : NEVER;
}

static struct arrival connect_to(struct world *world, const struct reverse_request *request, unsigned number, int64_t now_us)
{
	struct arrival a = { .outcome = { .id = request->id, .mss = request->mss, .witness = { .made = true, .handshake_us = RTT_US } }, .first_us = now_us };
	uint32_t wanted = request->mss ? request->mss : world->largest, mss = world->advertised ? MIN(wanted, world->advertised) : wanted;
	uint32_t segment = world->segment ? MIN(mss, world->segment) - TIMESTAMPS : mss - TIMESTAMPS;
	int64_t think_us = world->think_random ? (int64_t)draw(world, (uint32_t)world->think_us + 1) : world->think_us;
	int64_t begin_us = now_us + RTT_US + until_there(world, SYN_RTO_US), end_us;
	uint64_t received;

	if (world->served && number > world->served) {
		a.outcome.error = ECONNREFUSED;
		a.at_us = now_us + RTT_US;
		return a;
	}
	a.outcome.connected = begin_us < request->deadline_us;
	a.outcome.error = a.outcome.connected ? 0 : ETIMEDOUT;
	a.at_us = request->deadline_us;
	if (!a.outcome.connected)
		return a;
	a.outcome.witness = (struct tcp_witness){ .made = true, .connected = true, .timestamps = true, .advmss = mss - TIMESTAMPS, .rcv_mss = 536, .handshake_us = RTT_US };
	end_us = answer_us(world, segment, request->enough, &received);
	a.outcome.quiet = world->waits && request->quiet_us && received && received < MIN(request->enough, world->answer + 1) &&
			  begin_us + RTT_US + think_us + request->quiet_us < request->deadline_us;
	if (a.outcome.quiet) {
		a.outcome.received = received;
		a.at_us = begin_us + RTT_US + think_us + request->quiet_us;
		return a;
	}
	if (end_us == NEVER || begin_us + RTT_US + think_us + end_us >= request->deadline_us) {
		a.outcome.received = end_us == NEVER && begin_us + think_us < request->deadline_us ? received : 0;
		a.outcome.held = a.outcome.received > 0;
		return a;
	}
	a.at_us = begin_us + RTT_US + think_us + end_us;
	a.outcome.witness.rcv_mss = segment;
	a.outcome.received = received;
	a.outcome.ended = true;
	return a;
}

static struct result run(struct world world)
{
	const struct reverse_search_options options = { .family = world.family, .largest = world.largest, .exact = !world.coarse, .hurry = world.hurry };
	struct reverse_search *search = reverse_search_new(&options, 1000000);
	struct arrival under_way[FLIGHTS];
	struct reverse_request request;
	int64_t now_us = 1000000, last_us = 0, wake_us = 0;
	unsigned count = 0, made = 0, steps = 0;
	enum probe_step step;
	struct result result;

	while ((step = reverse_search_step(search, now_us, &request, &wake_us)) != STEP_DONE) {
		assert_true(++steps < 10000);
		if (step == STEP_SEND) {
			assert_true(count < FLIGHTS);
			assert_true(now_us - last_us >= 20000);
			assert_true(request.deadline_us > now_us);
			assert_int_equal(request.id, made + 1);
			last_us = now_us;
			under_way[count++] = connect_to(&world, &request, ++made, now_us);
			continue;
		}
		assert_true(wake_us > now_us);
		for (unsigned i = 0; i < count && !world.deaf; i++)
			wake_us = under_way[i].at_us < wake_us ? under_way[i].at_us : wake_us;
		now_us = wake_us > now_us ? wake_us : now_us;
		for (unsigned i = 0; i < count && !world.deaf; i++) {
			if (under_way[i].at_us > now_us)
				continue;
			reverse_search_outcome(search, &under_way[i].outcome, now_us);
			reverse_search_outcome(search, &under_way[i].outcome, now_us); /* twice is once */
			under_way[i--] = under_way[--count];
		}
		if (world.deaf && count == FLIGHTS)
			count = 0;
	}
	result = (struct result){ .path = *reverse_search_path(search), .took_us = now_us - 1000000 };
	result.has_witness = reverse_search_witness(search) != NULL;
	if (result.has_witness)
		result.witness = *reverse_search_witness(search);
	assert_int_equal(result.path.connections, made);
	assert_in_range(made, 1, 48);
	reverse_search_free(search);
	return result;
}

static struct world healthy(enum addr_family family)
{
	return (struct world){ .family = family, .mtu = 1500, .largest = family == ADDR_V4 ? 1460 : 1440, .answer = 60000, .seed = 1 };
}

static void wide__way_back__fits_with_two_connections_at_most(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct world world = healthy(family);
		struct result result = run(world);

		assert_int_equal(result.path.finding, REVERSE_FITS);
		assert_int_equal(result.path.largest_mss, world.largest);
		assert_int_equal(result.path.smallest_dead, 0);
		assert_int_equal(result.path.largest_packet, 1500);
		assert_true(result.path.connections <= 2);
		assert_true(result.path.received >= REVERSE_ENOUGH);
		assert_true(result.took_us < 4 * RTT_US);
		assert_true(result.has_witness && result.witness.connected);
		assert_int_equal(result.witness.advmss, world.largest - TIMESTAMPS);
	}
}

/* A route with advmss, or an MTU: what was asked for is not what was advertised. */
static void wide__kernel_advertises_less__that_is_what_fits(void **state)
{
	static const uint32_t advertised[] = { 1380, 1201, 1200, 1000, 536 };

	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		for (size_t i = 0; i < ARRAY_SIZE(advertised); i++) {
			struct world world = healthy(family);
			struct result result;

			world.advertised = advertised[i];
			result = run(world);
			assert_int_equal(result.path.finding, REVERSE_FITS);
			assert_int_equal(result.path.largest_mss, advertised[i]);
			/* up to 536 the kernel's number is a guess */
			assert_int_equal(result.path.largest_packet, advertised[i] > 536 + TIMESTAMPS ? advertised[i] + header(&world) : 0);
		}
	}
}

static void narrow__kernel_advertises_less__is_found_below_that(void **state)
{
	struct world world = healthy(ADDR_V4);
	struct result result;

	(void)state;
	world.advertised = 1440;
	world.mtu = 1400;
	result = run(world);
	assert_int_equal(result.path.finding, REVERSE_BLACK_HOLE);
	assert_int_equal(result.path.largest_mss, 1360);
	assert_int_equal(result.path.smallest_dead, 1361);
}

/* It has learned a path MTU, or a box on the way has lessened the MSS in our SYN. */
static void wide__service_sends_smaller_segments__no_more_than_these_came(void **state)
{
	struct world world = healthy(ADDR_V4);
	struct result result;

	(void)state;
	world.segment = 1360;
	result = run(world);
	assert_int_equal(result.path.finding, REVERSE_FITS);
	assert_int_equal(result.path.largest_mss, 1460);
	assert_int_equal(result.path.largest_packet, 1400);
}

static void narrow__every_width__is_found_to_the_byte(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		for (uint32_t mtu = 1240; mtu < 1500; mtu++) {
			struct world world = healthy(family);
			struct result result;

			world.mtu = mtu;
			result = run(world);
			assert_int_equal(result.path.finding, REVERSE_BLACK_HOLE);
			assert_int_equal(result.path.largest_mss, mtu - header(&world));
			assert_int_equal(result.path.smallest_dead, mtu + 1 - header(&world));
			assert_true(result.took_us < 10000000);
			/* the small MSS answered first, but no other program asks for it */
			assert_int_equal(result.witness.advmss, world.largest - TIMESTAMPS);
		}
	}
}

static void narrow__first_small_packet_comes__is_a_black_hole_all_the_same(void **state)
{
	struct world world = healthy(ADDR_V4);
	struct result result;

	(void)state;
	world.mtu = 1400;
	world.head = 300;
	result = run(world);
	assert_int_equal(result.path.finding, REVERSE_BLACK_HOLE);
	assert_int_equal(result.path.largest_mss, 1360);
}

static void narrow__exact_size_not_asked__the_verdict_alone(void **state)
{
	struct world world = healthy(ADDR_V4);
	struct result result;

	(void)state;
	world.mtu = 1400;
	world.coarse = true;
	result = run(world);
	assert_int_equal(result.path.finding, REVERSE_BLACK_HOLE);
	assert_int_equal(result.path.largest_mss, 1200);
	assert_int_equal(result.path.smallest_dead, 1460);
	assert_int_equal(result.path.connections, 6);
}

static void narrow__below_the_small_mss__is_unknown(void **state)
{
	struct world world = healthy(ADDR_V4);
	struct result result;

	(void)state;
	world.mtu = 1239;
	result = run(world);
	assert_int_equal(result.path.finding, REVERSE_UNKNOWN);
	assert_int_equal(result.path.largest_mss, 0);
	assert_int_equal(result.path.smallest_dead, 0);
}

static void answer__below_the_limit__is_unknown(void **state)
{
	struct world world = healthy(ADDR_V4);

	(void)state;
	for (unsigned waits = 0; waits < 2; waits++) {
		for (unsigned hole = 0; hole < 2; hole++) {
			world.waits = waits;
			world.mtu = hole ? 1400 : 1500;
			world.answer = REVERSE_ENOUGH - 1;
			assert_int_equal(run(world).path.finding, REVERSE_UNKNOWN);
			assert_int_equal(run(world).path.connections, 2);
			world.answer = 0;
			assert_int_equal(run(world).path.finding, REVERSE_UNKNOWN);
			assert_int_equal(run(world).path.connections, 2);
			world.answer = REVERSE_ENOUGH;
			assert_int_equal(run(world).path.finding, hole ? REVERSE_BLACK_HOLE : REVERSE_FITS);
		}
	}
}

/* A banner, and then it waits for what it understands: three seconds would tell no more than one. */
static void service__says_little_and_waits__is_told_within_two_seconds(void **state)
{
	struct world world = healthy(ADDR_V4);

	(void)state;
	world.waits = world.hurry = true;
	for (world.mtu = 1300; world.mtu <= 1500; world.mtu += 200) {
		for (world.answer = 1; world.answer < REVERSE_ENOUGH; world.answer += 91) {
			struct result result = run(world);

			assert_int_equal(result.path.finding, REVERSE_UNKNOWN);
			assert_int_equal(result.path.connections, 2);
			assert_true(result.took_us < 2000000);
		}
	}
	world.answer = 0; /* what has not even begun may be slow */
	assert_true(run(world).took_us >= 3000000);
	world.answer = 100; /* and without a hurry so may be what has */
	world.hurry = false;
	assert_true(run(world).took_us >= 3000000);
}

/* Waits at random say nothing of sizes: what three short ones beside three long ones could fake is held off by patience of four answers. */
static void service__slow__is_no_black_hole(void **state)
{
	struct world world = healthy(ADDR_V4);
	unsigned runs = 0, holes = 0;

	(void)state;
	world.think_random = true;
	for (world.think_us = 200000; world.think_us < 8000000; world.think_us += 200000) {
		for (unsigned i = 0; i < 300; i++, runs++) {
			world.seed = (uint64_t)world.think_us + i;
			holes += run(world).path.finding == REVERSE_BLACK_HOLE;
			if (world.think_us < 3000000)
				assert_int_equal(holes, 0);
		}
	}
	print_message("%u of %u services that take up to 8 s at random\n", holes, runs);
	assert_true(holes * 1000 < runs);
}

static void service__slow_behind_a_black_hole__is_found_with_patience(void **state)
{
	struct world world = healthy(ADDR_V4);

	(void)state;
	world.mtu = 1400;
	for (world.think_us = 100000; world.think_us < 2500000; world.think_us += 300000) {
		struct result result = run(world);

		assert_int_equal(result.path.finding, REVERSE_BLACK_HOLE);
		assert_int_equal(result.path.largest_mss, 1360);
		assert_true(result.took_us < 90000000);
	}
}

static void service__refuses_after_some__nothing_is_claimed_that_was_not_seen(void **state)
{
	struct world world = healthy(ADDR_V4);

	(void)state;
	world.mtu = 1400;
	for (world.served = 1; world.served < 48; world.served++) {
		struct result result = run(world);

		if (world.served < 6) {
			assert_int_equal(result.path.finding, REVERSE_UNKNOWN);
			assert_int_equal(result.path.smallest_dead, 0);
		} else {
			assert_int_equal(result.path.finding, REVERSE_BLACK_HOLE);
			assert_in_range(result.path.largest_mss, 1200, 1360);
			assert_in_range(result.path.smallest_dead, 1361, 1460);
		}
		assert_true(result.path.connections <= world.served + ROUND_REFUSED_MAX);
	}
}

static void service__refuses_all__is_unknown_and_a_witness(void **state)
{
	const struct reverse_search_options options = { .family = ADDR_V4, .largest = 1460 };
	struct reverse_search *search = reverse_search_new(&options, 0);
	struct reverse_request request;
	int64_t now_us = 0, wake_us;

	(void)state;
	assert_null(reverse_search_witness(search));
	for (;;) {
		enum probe_step step = reverse_search_step(search, now_us, &request, &wake_us);

		if (step == STEP_DONE)
			break;
		if (step == STEP_SEND) {
			struct reverse_outcome refused = { .id = request.id, .error = ECONNREFUSED, .witness = { .made = true, .error = ECONNREFUSED, .handshake_us = -1 } };

			reverse_search_outcome(search, &refused, now_us);
		} else {
			now_us = wake_us;
		}
	}
	assert_int_equal(reverse_search_path(search)->finding, REVERSE_UNKNOWN);
	assert_true(reverse_search_path(search)->connections <= 4);
	assert_int_equal(reverse_search_witness(search)->error, ECONNREFUSED);
	reverse_search_free(search);
}

static void sender__owes_outcomes__the_search_ends(void **state)
{
	struct world world = healthy(ADDR_V4);
	struct result result;

	(void)state;
	world.deaf = true;
	result = run(world);
	assert_int_equal(result.path.finding, REVERSE_UNKNOWN);
	assert_true(result.took_us < 20000000);
}

static void link__no_larger_than_the_small_mss__is_asked_once(void **state)
{
	struct world world = healthy(ADDR_V4);

	(void)state;
	world.mtu = 1240;
	world.largest = 1200;
	assert_int_equal(run(world).path.finding, REVERSE_FITS);
	world.mtu = 1000;
	assert_int_equal(run(world).path.finding, REVERSE_UNKNOWN);
	assert_int_equal(run(world).path.connections, 1);
}

/* A jumbo link, and one that is wider than TCP_MAXSEG goes. */
static void link__jumbo__edge_is_found_as_well(void **state)
{
	struct world world = healthy(ADDR_V4);
	struct result result;

	(void)state;
	world.largest = 8960;
	for (world.mtu = 1240; world.mtu < 9000; world.mtu += 97) {
		result = run(world);
		assert_int_equal(result.path.finding, REVERSE_BLACK_HOLE);
		assert_int_equal(result.path.largest_mss, world.mtu - 40);
		assert_int_equal(result.path.smallest_dead, world.mtu - 39);
	}
	world.largest = 65495;
	world.mtu = 65535;
	assert_int_equal(run(world).path.finding, REVERSE_FITS);
}

/* One answer of the large MSS is enough, at the third try too. */
static void large__comes_once_in_three__refutes(void **state)
{
	const struct reverse_search_options options = { .family = ADDR_V4, .largest = 1460, .exact = true };

	(void)state;
	for (unsigned good = 1; good <= 4; good++) {
		struct reverse_search *search = reverse_search_new(&options, 0);
		struct reverse_request request;
		int64_t now_us = 0, wake_us;
		unsigned large = 0;
		enum probe_step step;

		while (search && (step = reverse_search_step(search, now_us, &request, &wake_us)) != STEP_DONE) {
			struct reverse_outcome outcome = { .id = request.id, .connected = true, .witness = { .made = true, .connected = true, .rcv_mss = 536 } };

			if (step == STEP_WAIT) {
				now_us = wake_us;
				continue;
			}
			if (request.mss == 1200 || (request.mss == 0 && ++large == good))
				outcome.received = REVERSE_ENOUGH;
			reverse_search_outcome(search, &outcome, now_us + 10);
			if (reverse_search_path(search)->connections > 10)
				reverse_search_stop(search, now_us);
		}
		assert_int_equal(reverse_search_path(search)->finding, good <= 3 ? REVERSE_FITS : REVERSE_BLACK_HOLE);
		reverse_search_free(search);
	}
}

/* Full segments came, then the service said no more: the way back takes them. */
static void large__full_segments_came__is_no_stall(void **state)
{
	const struct reverse_search_options options = { .family = ADDR_V4, .largest = 1460 };
	struct reverse_search *search = reverse_search_new(&options, 0);
	struct reverse_request request;
	int64_t now_us = 0, wake_us;
	enum probe_step step;

	(void)state;
	while ((step = reverse_search_step(search, now_us, &request, &wake_us)) != STEP_DONE) {
		struct reverse_outcome outcome = { .id = request.id, .connected = true, .witness = { .made = true, .connected = true, .rcv_mss = 1448 } };

		if (step == STEP_WAIT) {
			now_us = wake_us;
			continue;
		}
		outcome.received = request.mss ? REVERSE_ENOUGH : 2896;
		reverse_search_outcome(search, &outcome, now_us + 10);
	}
	assert_int_equal(reverse_search_path(search)->finding, REVERSE_UNKNOWN);
	reverse_search_free(search);
}

static void stop__at_any_time__claims_only_what_was_seen(void **state)
{
	const struct reverse_search_options options = { .family = ADDR_V4, .largest = 1460, .exact = true };

	(void)state;
	for (unsigned after = 0; after < 40; after++) {
		struct reverse_search *search = reverse_search_new(&options, 0);
		struct reverse_request request;
		int64_t now_us = 0, wake_us;
		const struct reverse_path *path;
		enum probe_step step;

		while ((step = reverse_search_step(search, now_us, &request, &wake_us)) != STEP_DONE) {
			struct reverse_outcome outcome = { .id = request.id, .connected = true, .witness = { .made = true, .connected = true } };

			if (step == STEP_WAIT) {
				now_us = wake_us;
				continue;
			}
			outcome.received = request.mss && request.mss <= 1360 ? REVERSE_ENOUGH : 0;
			if (request.id == after)
				reverse_search_stop(search, now_us);
			reverse_search_outcome(search, &outcome, now_us + 10);
		}
		path = reverse_search_path(search);
		assert_int_equal(reverse_search_step(search, now_us + 1, &request, &wake_us), STEP_DONE);
		if (path->finding == REVERSE_BLACK_HOLE)
			assert_in_range(path->smallest_dead, 1361, 1460);
		else
			assert_int_equal(path->smallest_dead, 0);
		assert_true(path->largest_mss <= 1360);
		reverse_search_free(search);
	}
}

/* Asks a script instead of a world: @script says what comes of the @nth connection with @mss, 0 the default. Return: what stands when it is done, or stopped after @stop connections. */
static struct reverse_path follow(bool (*script)(uint32_t mss, unsigned nth), unsigned stop)
{
	const struct reverse_search_options options = { .family = ADDR_V4, .largest = 1460, .exact = true };
	struct reverse_search *search = reverse_search_new(&options, 0);
	static unsigned asked[1461];
	struct reverse_request request;
	int64_t now_us = 0, wake_us;
	struct reverse_path path;
	enum probe_step step;

	memset(asked, 0, sizeof(asked));
	while ((step = reverse_search_step(search, now_us, &request, &wake_us)) != STEP_DONE) {
		struct reverse_outcome outcome = { .id = request.id, .connected = true, .witness = { .made = true, .connected = true } };

		if (step == STEP_WAIT) {
			now_us = wake_us;
			continue;
		}
		outcome.received = script(request.mss, ++asked[request.mss]) ? REVERSE_ENOUGH : 0;
		reverse_search_outcome(search, &outcome, now_us + 10);
		if (request.id == stop)
			reverse_search_stop(search, now_us);
	}
	path = *reverse_search_path(search);
	reverse_search_free(search);
	return path;
}

/* The edge is 1360; just below it two tries of three are lost. */
static bool lossy_below_the_edge(uint32_t mss, unsigned nth)
{
	return mss && mss <= 1360 && (mss < 1300 || nth > 2);
}

static void dead__by_mistake__never_stands(void **state)
{
	(void)state;
	for (unsigned stop = 1; stop < 48; stop++) {
		struct reverse_path path = follow(lossy_below_the_edge, stop);

		if (path.finding == REVERSE_BLACK_HOLE)
			assert_in_range(path.smallest_dead, 1361, 1460);
		assert_true(path.largest_mss <= 1360);
	}
}

static bool small_fails_first(uint32_t mss, unsigned nth)
{
	return mss == 1200 && nth > 1;
}

static bool small_fails_last(uint32_t mss, unsigned nth)
{
	return mss == 1200 && nth < 3;
}

static void small__stalls_once__is_unknown(void **state)
{
	(void)state;
	assert_int_equal(follow(small_fails_first, 0).finding, REVERSE_UNKNOWN);
	assert_int_equal(follow(small_fails_last, 0).finding, REVERSE_UNKNOWN);
}

/* Whatever a sender hands in: it ends within its bounds. */
static void outcomes__at_random__are_bounded(void **state)
{
	const struct reverse_search_options options = { .family = ADDR_V6, .largest = 8940, .exact = true };
	struct world draws = { .seed = 3 };
	unsigned most = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct reverse_search *search = reverse_search_new(&options, 0);
		struct reverse_request request;
		int64_t now_us = 0, wake_us;
		unsigned made = 0, odds = draw(&draws, 8);
		enum probe_step step;

		while ((step = reverse_search_step(search, now_us, &request, &wake_us)) != STEP_DONE) {
			struct reverse_outcome outcome = { .id = request.id, .connected = draw(&draws, 50) != 0, .ended = !draw(&draws, 50) };

			if (step == STEP_WAIT) {
				now_us = wake_us;
				continue;
			}
			assert_true(++made <= 48);
			outcome.received = draw(&draws, 8) < odds && request.mss ? REVERSE_ENOUGH : draw(&draws, REVERSE_ENOUGH);
			outcome.witness.rcv_mss = draw(&draws, 1000);
			if (draw(&draws, 20))
				reverse_search_outcome(search, &outcome, now_us + draw(&draws, 3000000));
		}
		most = made > most ? made : most;
		reverse_search_free(search);
	}
	/* the bound was met, else this proved nothing */
	assert_int_equal(most, 48);
}

/* Thousands of ways: what is claimed is so, whatever is lost. */
static void loss__any_width__is_never_a_false_black_hole(void **state)
{
	struct world draws = { .seed = 7 };
	unsigned fits = 0, wide = 0, holes = 0, narrow = 0, exact = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct world world = healthy(draw(&draws, 2));
		uint32_t edge;
		struct result result;

		world.seed = i * 2654435761u + 1;
		world.loss = draw(&draws, 100);
		world.mtu = 1200 + draw(&draws, 400);
		edge = world.mtu - header(&world);
		result = run(world);
		assert_true(result.path.largest_mss <= edge);
		if (edge >= world.largest) {
			wide++;
			fits += result.path.finding == REVERSE_FITS;
			assert_int_not_equal(result.path.finding, REVERSE_BLACK_HOLE);
		} else {
			narrow += edge >= (world.family == ADDR_V4 ? 1200 : 1180);
			holes += result.path.finding == REVERSE_BLACK_HOLE;
			exact += result.path.finding == REVERSE_BLACK_HOLE && result.path.largest_mss == edge && result.path.smallest_dead == edge + 1;
			assert_int_not_equal(result.path.finding, REVERSE_FITS);
		}
		if (result.path.finding == REVERSE_BLACK_HOLE)
			assert_true(result.path.smallest_dead > edge);
	}
	print_message("wide %u, of them fits %u; narrow %u, black holes %u, to the byte %u\n", wide, fits, narrow, holes, exact);
	assert_true(fits * 1000 >= wide * 990);
	assert_true(holes * 1000 >= narrow * 950);
	assert_true(exact * 1000 >= narrow * 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide__way_back__fits_with_two_connections_at_most),
		cmocka_unit_test(wide__kernel_advertises_less__that_is_what_fits),
		cmocka_unit_test(narrow__kernel_advertises_less__is_found_below_that),
		cmocka_unit_test(wide__service_sends_smaller_segments__no_more_than_these_came),
		cmocka_unit_test(narrow__every_width__is_found_to_the_byte),
		cmocka_unit_test(narrow__first_small_packet_comes__is_a_black_hole_all_the_same),
		cmocka_unit_test(narrow__exact_size_not_asked__the_verdict_alone),
		cmocka_unit_test(narrow__below_the_small_mss__is_unknown),
		cmocka_unit_test(answer__below_the_limit__is_unknown),
		cmocka_unit_test(service__says_little_and_waits__is_told_within_two_seconds),
		cmocka_unit_test(service__slow__is_no_black_hole),
		cmocka_unit_test(service__slow_behind_a_black_hole__is_found_with_patience),
		cmocka_unit_test(service__refuses_after_some__nothing_is_claimed_that_was_not_seen),
		cmocka_unit_test(service__refuses_all__is_unknown_and_a_witness),
		cmocka_unit_test(sender__owes_outcomes__the_search_ends),
		cmocka_unit_test(link__no_larger_than_the_small_mss__is_asked_once),
		cmocka_unit_test(link__jumbo__edge_is_found_as_well),
		cmocka_unit_test(large__comes_once_in_three__refutes),
		cmocka_unit_test(large__full_segments_came__is_no_stall),
		cmocka_unit_test(stop__at_any_time__claims_only_what_was_seen),
		cmocka_unit_test(dead__by_mistake__never_stands),
		cmocka_unit_test(small__stalls_once__is_unknown),
		cmocka_unit_test(outcomes__at_random__are_bounded),
		cmocka_unit_test(loss__any_width__is_never_a_false_black_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
