/* SPDX-License-Identifier: MIT */
/* The search for a path MTU along thousands of made-up paths: what must hold of any of them, with loss, with harm, in bounded probes and time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mtu_scene.h"

/* Any paths at all */

static uint32_t some_mtu(struct fake_path *path, uint32_t largest)
{
	size_t count;
	const uint16_t *known = mtu_candidates(&count);

	switch (fake_path_roll(path, 4)) {
	case 0:
		return known[fake_path_roll(path, (uint32_t)count)];
	case 1:
		return 68 + fake_path_roll(path, 65535 - 67);
	case 2:
		return 68 + fake_path_roll(path, 1500);
	default:
		return largest;
	}
}

/* Mute hops stay few enough in a row to be walked over. */
static struct scene any_path(uint64_t seed)
{
	static const int64_t rtt_us[] = { 0, 300, 1000, 20000, 100000, 300000 };
	static const uint32_t largest[] = { 1500, 1500, 1492, 9000, 576, 65535 };
	struct scene s = scene((enum addr_family)(hash_u64(seed) % 2), (unsigned)(hash_u64(seed + 7) % 9), seed);
	struct fake_path *path = s.path;

	s.options.largest = largest[fake_path_roll(path, ARRAY_SIZE(largest))];
	path->rtt_us = rtt_us[fake_path_roll(path, ARRAY_SIZE(rtt_us))];
	path->jitter_us = fake_path_roll(path, 3) ? 0 : 1 + path->rtt_us / 2;
	path->copies = fake_path_roll(path, 2) ? 0.05 : 0;
	for (unsigned i = 0; i < path->count; i++) {
		struct fake_node *node = &path->nodes[i];

		node->mtu = fake_path_roll(path, 3) ? MAX(s.options.largest, 1500) : some_mtu(path, s.options.largest);
		node->ptb = (enum fake_ptb)(fake_path_roll(path, 3) ? fake_path_roll(path, 2) : fake_path_roll(path, FAKE_PTB_COUNT));
		if (!i)
			node->ptb = fake_path_roll(path, 2) ? PTB_TELLS : PTB_SILENT;
		path->tells_most = true;
		node->lie = node->mtu / 2 + fake_path_roll(path, node->mtu);
		node->mute = i % 5 && !fake_path_roll(path, 5);
		if (!fake_path_roll(path, 3))
			node->limit = (struct fake_limit){ .burst = 6, .per_s = 1 };
	}
	return s;
}

/* What hosts learn from the word of a router whose way out takes @mtu, when they send one byte more. */
static bool tells(const struct scene *s, const struct fake_node *node, uint32_t mtu)
{
	uint32_t least = s->path->family == ADDR_V4 ? 68 : 1280;

	switch (node->ptb) {
	case PTB_TELLS:
		return mtu >= least;
	case PTB_ZERO:
		return s->path->family == ADDR_V4;
	case PTB_WRONG:
		return node->lie >= least && node->lie <= mtu;
	default:
		return false;
	}
}

/* A sender that begins with @size and believes what it is told: ttl of the node where that ends, −1 when it comes down to @mtu. */
static int dies_at(const struct scene *s, uint32_t size, uint32_t mtu)
{
	uint32_t least = s->path->family == ADDR_V4 ? 68 : 1280;
	unsigned at = 0;

	while (size > mtu + 1) {
		const struct fake_node *node;
		uint32_t word;

		for (at = 0; s->path->nodes[at].mtu >= size; at++)
			;
		node = &s->path->nodes[at];
		if (node->ptb == PTB_ZERO && s->path->family == ADDR_V4)
			return -1;
		word = node->ptb == PTB_TELLS ? node->mtu : node->ptb == PTB_WRONG ? node->lie : 0;
		if (word < least || word >= size)
			return (int)at;
		size = word;
	}
	return -1;
}

static enum mtu_finding truth(const struct scene *s, uint32_t *mtu, int *at)
{
	int dies;

	*mtu = fake_path_mtu(s->path, s->options.largest, at);
	if (*at < 0 || (!*at && s->path->nodes[0].ptb == PTB_TELLS))
		return MTU_FITS;
	if (!tells(s, &s->path->nodes[*at], *mtu))
		return MTU_BLACK_HOLE_FOUND;
	dies = dies_at(s, s->path->nodes[0].ptb == PTB_TELLS ? MIN(s->options.largest, s->path->nodes[0].mtu) : s->options.largest, *mtu);
	if (dies < 0)
		return MTU_NARROWER_TOLD;
	*at = dies;
	return MTU_BLACK_HOLE_FOUND;
}

static void describe(const struct scene *s, uint64_t seed)
{
	print_message("seed %llu: found %s %u (%s) lost %u at %u/%u<%u, %u probes, %.3f s\n", (unsigned long long)seed, mtu_finding_name(s->found->finding), s->found->path_mtu,
		      mtu_bound_name(s->found->bound), s->found->smallest_lost, s->found->place, s->found->shrink_ttl, s->found->shrink_before, s->found->probes_sent,
		      (double)s->found->elapsed_us / 1e6);
	for (unsigned i = 0; i < s->path->count; i++) {
		const struct fake_node *node = &s->path->nodes[i];

		print_message("  %u: mtu %u ptb %u lie %u%s%s\n", i, node->mtu, node->ptb, node->lie, node->mute ? " mute" : "", node->limit.burst > 0 ? " limited" : "");
	}
}

/* The routers between which the shrink is, as far as those that answer can show it. */
static bool place_is_right(const struct scene *s, int at)
{
	const struct fake_path *path = s->path;
	bool told = path->nodes[at].ptb != PTB_SILENT && path->nodes[at].ptb != PTB_PROHIBITS, any = false;
	unsigned last = 0, before = path->count;

	for (unsigned ttl = 1; ttl < path->count; ttl++) {
		any |= !path->nodes[ttl].mute;
		if (!path->nodes[ttl].mute && (int)ttl <= at)
			last = ttl;
		if (!path->nodes[ttl].mute && (int)ttl > at)
			before = MIN(before, ttl);
	}
	if (told) {
		last = (unsigned)at;
		before = last + 1;
	}
	if (!told && !any && before != 1)
		return s->found->place == SHRINK_UNKNOWN;
	return s->found->shrink_ttl == last && s->found->shrink_before == before &&
	       s->found->place == (before != last + 1 ? SHRINK_BETWEEN : last ? SHRINK_AT : SHRINK_HERE);
}

static void mtu_search__any_path_without_loss__is_judged_rightly_to_the_byte(void **state)
{
	enum { PATHS = 10000 };
	uint64_t probes = 0, us = 0;
	unsigned most = 0, findings[MTU_FINDING_COUNT] = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < PATHS; seed++) {
		struct scene s = any_path(seed);
		uint32_t mtu;
		int at;
		enum mtu_finding expected = truth(&s, &mtu, &at);

		run(&s);
		if (s.found->finding != expected || s.found->path_mtu != mtu || (expected != MTU_FITS && !place_is_right(&s, at)))
			describe(&s, seed);
		assert_exact(&s, expected, mtu);
		assert_true(expected == MTU_FITS || place_is_right(&s, at));
		findings[expected]++;
		probes += s.found->probes_sent;
		us += (uint64_t)s.found->elapsed_us;
		most = MAX(most, s.found->probes_sent);
		end(&s);
	}
	print_message("%u paths: %u fit, %u told, %u black holes; on average %.1f probes and %.2f s, at most %u probes\n", PATHS, findings[MTU_FITS],
		      findings[MTU_NARROWER_TOLD], findings[MTU_BLACK_HOLE_FOUND], (double)probes / PATHS, (double)us / PATHS / 1e6, most);
	assert_true(findings[MTU_FITS] > 200 && findings[MTU_NARROWER_TOLD] > 200 && findings[MTU_BLACK_HOLE_FOUND] > 200);
}

/* Whatever is lost: nothing false is said. Return: the byte and the verdict are exact. */
static bool nothing_false(const struct scene *s, uint64_t seed, enum mtu_finding expected, uint32_t mtu)
{
	const struct mtu_path *found = s->found;
	bool exact = found->bound == BOUND_EXACT;
	bool right = found->finding == MTU_UNDECIDED || found->finding == expected || (found->finding == MTU_HOST_DEAF && s->path->loss > 0.1) ||
		     (expected == MTU_NARROWER_TOLD && found->finding == MTU_BLACK_HOLE_FOUND);

	right &= exact ? found->path_mtu == mtu : found->path_mtu <= mtu;
	right &= !found->smallest_lost || found->smallest_lost > mtu;
	if (!right)
		describe(s, seed);
	assert_true(right);
	return exact && found->finding == expected;
}

static void mtu_search__loss_on_a_path_that_is_not_narrow__is_never_a_black_hole(void **state)
{
	static const double loss[] = { 0.01, 0.025, 0.05, 0.1, 0.2, 0.4 };
	enum { PATHS = 2000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loss); i++) {
		unsigned exact = 0, black_holes = 0;

		for (uint64_t seed = 0; seed < PATHS; seed++) {
			struct scene s = scene((enum addr_family)(seed % 2), 3, seed + 1000 * i);

			s.path->loss = loss[i];
			run(&s);
			black_holes += s.found->finding == MTU_BLACK_HOLE_FOUND || s.found->finding == MTU_NARROWER_TOLD;
			exact += s.found->finding == MTU_FITS && s.found->bound == BOUND_EXACT && s.found->path_mtu == 1500;
			end(&s);
		}
		print_message("not narrow, %4.1f %% lost each way: %u of %u exact, %u black holes\n", loss[i] * 100, exact, PATHS, black_holes);
		assert_int_equal(black_holes, 0);
		if (loss[i] <= 0.05)
			assert_true(exact >= PATHS * 995 / 1000);
	}
}

static void mtu_search__loss_on_a_narrow_path__leaves_the_byte_exact_or_bounds(void **state)
{
	static const double loss[] = { 0.01, 0.025, 0.05, 0.1, 0.2 };
	enum { PATHS = 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loss); i++) {
		unsigned exact = 0, placed = 0, misplaced = 0;

		for (uint64_t seed = 0; seed < PATHS; seed++) {
			struct scene s = narrow(1281 + (uint32_t)(hash_u64(seed) % 219), seed % 2 ? PTB_SILENT : PTB_TELLS);
			uint32_t mtu;
			int at;
			enum mtu_finding expected = truth(&s, &mtu, &at);

			s.path->loss = loss[i];
			s.path->dice = hash_u64(seed + 77 * i);
			run(&s);
			exact += nothing_false(&s, seed, expected, mtu);
			placed += s.found->place == SHRINK_AT && s.found->shrink_ttl == 2;
			if (s.found->place != SHRINK_UNKNOWN && (s.found->shrink_ttl > 2 || s.found->shrink_before < 3)) {
				misplaced++;
				describe(&s, seed);
			}
			end(&s);
		}
		print_message("narrow, %4.1f %% lost each way: %u of %u exact with the right verdict, %u at the right hop, %u at a wrong one\n", loss[i] * 100, exact, PATHS, placed, misplaced);
		if (loss[i] <= 0.05) {
			assert_true(exact >= PATHS * 99 / 100);
			assert_int_equal(misplaced, 0);
		}
	}
}

static void mtu_search__outage_in_the_middle__is_not_size(void **state)
{
	(void)state;
	for (int64_t from_us = 0; from_us < 2500000; from_us += 41000) {
		static const uint32_t sizes[] = { 1500, 1400 };

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct scene s = narrow(sizes[i], PTB_SILENT);

			s.path->silent_from_us = s.path->now_us + from_us;
			s.path->silent_to_us = s.path->silent_from_us + 400000;
			run(&s);
			nothing_false(&s, (uint64_t)from_us, i ? MTU_BLACK_HOLE_FOUND : MTU_FITS, sizes[i]);
			end(&s);
		}
	}
}

static void mtu_search__loss_where_answers_are_scarce__is_not_size_either(void **state)
{
	enum { PATHS = 300 };
	unsigned exact = 0;
	int64_t longest_us = 0;

	(void)state;
	for (uint64_t seed = 0; seed < PATHS; seed++) {
		struct scene s = narrow(seed % 2 ? 1500 : 1281 + (uint32_t)(hash_u64(seed) % 219), PTB_SILENT);
		uint32_t mtu;
		int at;
		enum mtu_finding expected = truth(&s, &mtu, &at);

		limit_host(&s);
		s.path->loss = 0.02;
		s.path->dice = hash_u64(seed);
		run(&s);
		exact += nothing_false(&s, seed, expected, mtu);
		longest_us = MAX(longest_us, s.found->elapsed_us);
		end(&s);
	}
	print_message("answers 6 and then 1/s, 2 %% lost each way: %u of %u exact, at most %.1f s\n", exact, PATHS, (double)longest_us / 1e6);
	assert_true(longest_us < 61 * SECOND_US);
}

static void mtu_search__allowance_used_by_others_and_loss__is_never_a_black_hole(void **state)
{
	enum { PATHS = 3000 };
	unsigned exact = 0, false_ones = 0;

	(void)state;
	for (uint64_t seed = 0; seed < PATHS; seed++) {
		struct scene s = scene(ADDR_V4, 3, seed);

		limit_host(&s);
		s.path->loss = 0.1;
		s.path->limit.at_us = s.path->now_us;
		s.path->limit.left = fake_path_roll(s.path, 3000) / 1000.0;
		run(&s);
		exact += s.found->finding == MTU_FITS;
		false_ones += s.found->finding == MTU_BLACK_HOLE_FOUND || s.found->smallest_lost;
		end(&s);
	}
	print_message("answers 1/s, none left, 10 %% lost each way: %u of %u fit, %u black holes\n", exact, PATHS, false_ones);
	assert_int_equal(false_ones, 0);
}

/* Answers of echo that are lost say nothing of the way there. */
static void mtu_search__large_echoes_unanswered__are_never_a_false_black_hole(void **state)
{
	enum { PATHS = 4000 };
	unsigned exact = 0, open = 0;
	int64_t longest_us = 0;

	(void)state;
	for (uint64_t seed = 0; seed < PATHS; seed++) {
		struct scene s = any_path(seed);
		uint32_t mtu;
		int at;
		enum mtu_finding expected = truth(&s, &mtu, &at);

		s.path->answers_most = s.options.smallest + 28 + fake_path_roll(s.path, s.options.largest);
		s.path->side_deaf = fake_path_roll(s.path, 2);
		s.options.side_method = fake_path_roll(s.path, 4) ? PROBE_UDP : -1;
		run(&s);
		exact += nothing_false(&s, seed, expected, mtu);
		open += s.found->finding == MTU_UNDECIDED;
		longest_us = MAX(longest_us, s.found->elapsed_us);
		/* Datagrams that are answered settle it. */
		assert_true(s.path->side_deaf || s.options.side_method < 0 || s.found->finding == expected);
		if (s.found->finding == MTU_UNDECIDED && !s.found->echo_unanswered)
			describe(&s, seed);
		assert_true(s.found->finding != MTU_UNDECIDED || s.found->echo_unanswered > s.path->answers_most || s.found->echo_unanswered > mtu);
		end(&s);
	}
	print_message("only small echoes answered: %u of %u exact, %u undecided, at most %.1f s\n", exact, PATHS, open, (double)longest_us / 1e6);
	assert_true(exact > PATHS / 2);
}

/* A network that means harm */

static struct probe_outcome any_outcome(struct fake_path *path, unsigned sent)
{
	static const uint32_t numbers[] = { 0, 1, 67, 68, 1279, 1280, 1400, 1500, 65535, 65536, INT32_MAX, UINT32_MAX };

	return (struct probe_outcome){
		.id = fake_path_roll(path, 10) ? fake_path_roll(path, sent + 2) : fake_path_roll(path, UINT32_MAX),
		.size = numbers[fake_path_roll(path, ARRAY_SIZE(numbers))],
		.mtu = fake_path_roll(path, 2) ? fake_path_roll(path, 2000) : numbers[fake_path_roll(path, ARRAY_SIZE(numbers))],
		.lane = (uint8_t)fake_path_roll(path, 20) ? LANE_MAIN : (uint8_t)fake_path_roll(path, 256),
		.hop_limit = (uint8_t)fake_path_roll(path, 256),
		.reply = (uint8_t)(fake_path_roll(path, 30) ? fake_path_roll(path, PROBE_REPLY_COUNT) : fake_path_roll(path, 256)),
		.error = fake_path_roll(path, 3) ? EMSGSIZE : (int)fake_path_roll(path, 200),
		.rtt_us = fake_path_roll(path, 2) ? (int64_t)fake_path_roll(path, 5000) : INT64_MAX - fake_path_roll(path, 3) * (INT64_MAX / 2),
		.from = fake_path_router(path, fake_path_roll(path, 40)),
	};
}

static void hostile_run(struct scene *s)
{
	struct mtu_search *search = mtu_search_new(&s->options, s->path->now_us);
	int64_t begun_us = s->path->now_us, wake_us = 0;
	struct probe_request request;
	unsigned steps = 0, sent = 0;
	enum probe_step step;

	while ((step = mtu_search_step(search, s->path->now_us, &request, &wake_us)) != STEP_DONE) {
		assert_true(++steps < 20000);
		if (step == STEP_SEND)
			assert_int_equal(request.id, ++sent);
		for (unsigned i = fake_path_roll(s->path, 3); i; i--) {
			struct probe_outcome outcome = any_outcome(s->path, sent);

			mtu_search_outcome(search, &outcome, s->path->now_us);
		}
		if (step == STEP_WAIT)
			assert_true(wake_us > s->path->now_us);
		s->path->now_us += fake_path_roll(s->path, 10) ? fake_path_roll(s->path, 20000) : step == STEP_WAIT ? wake_us - s->path->now_us : 0;
	}
	assert_true(sent <= 600);
	assert_int_equal(mtu_search_path(search)->probes_sent, sent);
	assert_true(s->path->now_us - begun_us < 62 * SECOND_US);
	assert_true(mtu_search_path(search)->path_mtu <= s->options.largest);
	assert_true(mtu_search_path(search)->told_count <= PATH_TOLD_MAX && mtu_search_path(search)->size_count <= PATH_SIZES_MAX);
	mtu_search_free(search);
}

static void mtu_search__any_outcomes_at_all__end_in_bounded_probes_and_time(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 1500; seed++) {
		struct scene s = any_path(seed);

		s.options.most = 1 + fake_path_roll(s.path, 300);
		s.options.max_hops = (uint8_t)fake_path_roll(s.path, 256);
		s.options.side_method = (int)fake_path_roll(s.path, PROBE_METHOD_COUNT + 1) - 1;
		s.options.all_hops = fake_path_roll(s.path, 2);
		s.options.answers_burst = fake_path_roll(s.path, 2) * 6;
		s.options.answers_per_s = fake_path_roll(s.path, 3);
		hostile_run(&s);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mtu_search__any_path_without_loss__is_judged_rightly_to_the_byte),
		cmocka_unit_test(mtu_search__loss_on_a_path_that_is_not_narrow__is_never_a_black_hole),
		cmocka_unit_test(mtu_search__loss_on_a_narrow_path__leaves_the_byte_exact_or_bounds),
		cmocka_unit_test(mtu_search__outage_in_the_middle__is_not_size),
		cmocka_unit_test(mtu_search__loss_where_answers_are_scarce__is_not_size_either),
		cmocka_unit_test(mtu_search__allowance_used_by_others_and_loss__is_never_a_black_hole),
		cmocka_unit_test(mtu_search__large_echoes_unanswered__are_never_a_false_black_hole),
		cmocka_unit_test(mtu_search__any_outcomes_at_all__end_in_bounded_probes_and_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
