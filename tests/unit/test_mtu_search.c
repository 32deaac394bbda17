/* SPDX-License-Identifier: MIT */
/* The search for a path MTU along made-up paths, one thing at a time: the verdict, the byte, the hop, what routers tell, and bounds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mtu_scene.h"

/* Sizes that pass and that do not */

static void mtu_search__nothing_narrow__fits_within_four_round_trips(void **state)
{
	static const int64_t rtt_us[] = { 0, 200, 1000, 50000, 300000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rtt_us); i++) {
		struct scene s = scene(i % 2 ? ADDR_V6 : ADDR_V4, 3, i);

		s.path->rtt_us = rtt_us[i];
		run(&s);
		report("nothing narrow", &s);
		assert_exact(&s, MTU_FITS, 1500);
		assert_true(s.found->elapsed_us <= 4 * rtt_us[i] + 50000);
		assert_true(s.found->probes_sent <= 6);
		assert_int_equal(s.found->place, SHRINK_UNKNOWN);
		assert_int_equal(s.found->rtt_us, rtt_us[i]);
		end(&s);
	}
}

static void mtu_search__black_hole__is_found_to_the_byte_with_its_hop_in_time(void **state)
{
	int64_t longest_us = 0, sum_us = 0;
	unsigned most = 0, count = 0;

	(void)state;
	for (uint32_t mtu = 68; mtu < 1500; mtu += mtu < 1270 ? 31 : 1, count++) {
		struct scene s = narrow(mtu, PTB_SILENT);
		struct addr router = fake_path_router(s.path, 2);

		run(&s);
		assert_exact(&s, MTU_BLACK_HOLE_FOUND, mtu);
		assert_place(&s, SHRINK_AT, 2, 3);
		assert_true(addr_equal(&s.found->shrink_address, &router));
		assert_int_equal(s.found->told_by, -1);
		assert_int_equal(s.found->hop_count, 4);
		longest_us = MAX(longest_us, s.found->elapsed_us);
		sum_us += s.found->elapsed_us;
		most = MAX(most, s.found->probes_sent);
		end(&s);
	}
	print_message("black hole on 4 hops, RTT 1 ms: %u paths, on average %.3f s, at most %.3f s and %u probes\n", count, (double)sum_us / count / 1e6,
		      (double)longest_us / 1e6, most);
	assert_true(longest_us < 9 * SECOND_US / 2);
}

static void mtu_search__black_hole_of_any_size__is_found_to_the_byte(void **state)
{
	(void)state;
	for (uint32_t mtu = 1501; mtu < 65535; mtu += 1777) {
		struct scene s = narrow(mtu, PTB_SILENT);

		for (unsigned i = 0; i < s.path->count; i++)
			s.path->nodes[i].mtu = i == 2 ? mtu : 65535;
		s.options.largest = 65535;
		run(&s);
		assert_exact(&s, MTU_BLACK_HOLE_FOUND, mtu);
		assert_true(s.found->elapsed_us < 5 * SECOND_US);
		end(&s);
	}
}

static void mtu_search__only_the_largest_size_is_silent__is_tried_eight_times(void **state)
{
	struct scene s = narrow(1499, PTB_SILENT);

	(void)state;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1499);
	assert_int_equal(s.found->sizes[s.found->size_count - 1].size, 1500);
	assert_true(s.found->sizes[s.found->size_count - 1].tries >= 8);
	end(&s);
}

static void mtu_search__first_link_drops__the_place_is_here(void **state)
{
	struct scene s = narrow(1500, PTB_TELLS);

	(void)state;
	s.path->nodes[0].mtu = 1400;
	s.path->nodes[0].ptb = PTB_SILENT;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	assert_place(&s, SHRINK_HERE, 0, 1);
	end(&s);
}

static void mtu_search__host_on_the_same_link__the_place_is_here(void **state)
{
	struct scene s = scene(ADDR_V6, 0, 1);

	(void)state;
	s.path->nodes[0].mtu = 1450;
	s.path->nodes[0].ptb = PTB_SILENT;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1450);
	assert_place(&s, SHRINK_HERE, 0, 1);
	end(&s);
}

static void mtu_search__host_answers_small_echoes_only__another_protocol_shows_that_it_fits(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);

	(void)state;
	s.path->answers_most = 1000;
	run(&s);
	report("small echoes only", &s);
	assert_exact(&s, MTU_FITS, 1500);
	assert_int_equal(s.found->method, PROBE_UDP);
	assert_int_equal(s.found->echo_unanswered, 1001);
	assert_int_equal(s.found->place, SHRINK_UNKNOWN);
	assert_true(s.found->elapsed_us < 5 * SECOND_US);
	end(&s);
}

static void mtu_search__large_answers_lost_beside_a_real_shrink__it_is_found_by_datagrams(void **state)
{
	(void)state;
	for (unsigned ptb = PTB_TELLS; ptb <= PTB_SILENT; ptb++) {
		struct scene s = narrow(1400, (enum fake_ptb)ptb);

		s.path->answers_most = 500;
		run(&s);
		assert_exact(&s, ptb == PTB_TELLS ? MTU_NARROWER_TOLD : MTU_BLACK_HOLE_FOUND, 1400);
		assert_int_equal(s.found->method, PROBE_UDP);
		assert_int_equal(s.found->echo_unanswered, 501);
		assert_place(&s, SHRINK_AT, 2, 3);
		end(&s);
	}
}

/* Between the last router and a host that answers echo alone nothing tells the way there from the way back. */
static void mtu_search__echo_alone_on_the_last_link__is_no_verdict(void **state)
{
	for (unsigned real = 0; real < 2; real++) {
		struct scene s = scene(ADDR_V6, 3, 1);

		(void)state;
		s.path->side_deaf = true;
		s.path->answers_most = real ? 0 : 1400;
		s.path->nodes[3].mtu = real ? 1400 : 1500;
		s.path->nodes[3].ptb = PTB_SILENT;
		run(&s);
		assert_int_equal(s.found->finding, MTU_UNDECIDED);
		assert_int_equal(s.found->bound, BOUND_LOWER);
		assert_int_equal(s.found->path_mtu, 1400);
		assert_int_equal(s.found->smallest_lost, 0);
		assert_int_equal(s.found->echo_unanswered, 1401);
		assert_true(s.found->elapsed_us < 5 * SECOND_US);
		end(&s);
	}
}

static void mtu_search__datagrams_unanswered__a_hop_proves_the_way_there(void **state)
{
	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		struct scene s = narrow(1400, PTB_SILENT);

		s.path->side_deaf = true;
		s.options.side_method = side ? PROBE_UDP : -1;
		run(&s);
		assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
		assert_place(&s, SHRINK_AT, 2, 3);
		assert_int_equal(s.found->method, PROBE_ICMP);
		assert_true(s.found->elapsed_us < 5 * SECOND_US);
		end(&s);
	}
}

/* A box that lets through so many bytes in a second: controls pass, large packets only after a rest. */
static void mtu_search__bytes_are_policed__no_size_is_lost(void **state)
{
	static const double per_s[] = { 5000, 8000, 10000, 20000, 40000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(per_s); i++) {
		for (uint32_t burst = 1500; burst < 3200; burst += 100) {
			struct scene s = scene(ADDR_V4, 3, i);

			s.path->nodes[1].bytes = (struct fake_limit){ .burst = burst, .per_s = per_s[i] };
			run(&s);
			if (s.found->smallest_lost || (s.found->finding != MTU_FITS && !s.found->lossy))
				print_message("%g/s burst %u: %u %u..%u lossy %d in %f\n", per_s[i], burst, s.found->finding, s.found->path_mtu, s.found->smallest_lost, s.found->lossy, (double)s.found->elapsed_us / 1e6);
			assert_int_equal(s.found->smallest_lost, 0);
			assert_true(s.found->finding == MTU_FITS || (s.found->finding == MTU_UNDECIDED && s.found->lossy));
			end(&s);
		}
	}
}

static void mtu_search__interface_refuses__largest_is_what_it_sends(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);

	(void)state;
	s.options.largest = 9000;
	run(&s);
	assert_exact(&s, MTU_FITS, 1500);
	assert_int_equal(s.found->sizes[s.found->size_count - 1].size, 9000);
	assert_int_equal(s.found->sizes[s.found->size_count - 1].fate, SIZE_LOCAL);
	assert_int_equal(s.found->place, SHRINK_UNKNOWN);
	end(&s);
}

/* TCP knows the peer's MSS once a connection stands: nothing between is worth a try. */
static void mtu_search__sender_tells_the_largest_it_sends__that_is_tried_and_no_other(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);

	(void)state;
	s.path->nodes[0].mtu = 1400;
	s.path->tells_most = true;
	run(&s);
	assert_exact(&s, MTU_FITS, 1400);
	assert_true(s.found->probes_sent <= 12);
	end(&s);
	s = scene(ADDR_V4, 3, 1);
	s.path->nodes[0].mtu = 1400;
	s.path->nodes[2].mtu = 1300;
	s.path->nodes[2].ptb = PTB_SILENT;
	s.path->tells_most = true;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1300);
	end(&s);
}

/* The peer learns of its own narrow way and allows less from then on, while a router has told of this one: its word stands as far as it was tried, and is nobody's lie. */
static void mtu_search__sender_may_send_less_in_the_midst_of_it__a_word_that_was_confirmed_stands(void **state)
{
	unsigned told = 0, left = 0;

	(void)state;
	for (int64_t at_us = 0; at_us < 100000; at_us += 250) {
		struct scene s = scene(ADDR_V4, 3, (uint64_t)at_us);

		s.path->nodes[1].mtu = 1450;
		s.path->nodes[1].ptb = PTB_TELLS;
		s.path->tells_most = true;
		s.path->changes_us = s.path->now_us + at_us;
		s.path->changes_at = 0;
		s.path->changes_to = 1400;
		run(&s);
		assert_false(s.found->lossy);
		for (unsigned i = 0; i < s.found->told_count; i++)
			assert_int_not_equal(s.found->told[i].kind, TOLD_WRONG);
		if (s.found->path_mtu == 1450 && s.found->smallest_lost == 1451) {
			assert_int_equal(s.found->finding, MTU_NARROWER_TOLD);
			assert_int_equal(s.found->bound, BOUND_EXACT);
			told++;
		} else {
			assert_int_equal(s.found->finding, MTU_FITS);
			assert_int_equal(s.found->path_mtu, 1400);
			for (unsigned i = 0; i < s.found->told_count; i++)
				assert_int_not_equal(s.found->told[i].kind, TOLD_CONFIRMED);
			left++;
		}
		end(&s);
	}
	print_message("%u times told, %u times left at what the sender may send\n", told, left);
	assert_true(told && left);
}

/* Whoever says that packets are too big has seen them: the first router's silence about hop limits makes nothing this machine's own link. */
static void mtu_search__first_router_tells_and_answers_few_hop_limits__is_the_place(void **state)
{
	unsigned at = 0;

	(void)state;
	for (unsigned burst = 0; burst <= 12; burst++) {
		for (unsigned seed = 0; seed < 20; seed++) {
			struct scene s = scene(ADDR_V4, 3, seed);

			s.path->nodes[1].mtu = 1450;
			s.path->nodes[1].ptb = PTB_TELLS;
			s.path->nodes[1].limit = (struct fake_limit){ .burst = burst + 1, .per_s = 0.01, .left = burst, .at_us = s.path->now_us };
			run(&s);
			assert_exact(&s, MTU_NARROWER_TOLD, 1450);
			assert_int_not_equal(s.found->place, SHRINK_HERE);
			at += s.found->place == SHRINK_AT && s.found->shrink_ttl == 1;
			end(&s);
		}
	}
	print_message("%u of 260 times at the first router\n", at);
}

static void mtu_search__largest_below_the_base__is_asked_for_all_the_same(void **state)
{
	static const uint32_t largest[] = { 20, 64, 68, 576, 1228, 1229 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(largest); i++) {
		struct scene s = scene(ADDR_V4, 1, i);

		s.options.largest = largest[i];
		run(&s);
		assert_exact(&s, MTU_FITS, largest[i]);
		end(&s);
	}
}

static void mtu_search__sizes__are_ascending_and_agree_with_the_verdict(void **state)
{
	struct scene s = narrow(1400, PTB_SILENT);

	(void)state;
	run(&s);
	assert_true(s.found->size_count > 10);
	for (size_t i = 0; i < s.found->size_count; i++) {
		const struct path_size *size = &s.found->sizes[i];

		assert_true(!i || size->size > size[-1].size);
		assert_int_equal(size->fate, size->size <= 1400 ? SIZE_PASSED : SIZE_LOST);
		assert_true(size->tries >= (size->size == 1400 ? 3 : size->size == 1401 ? 4 : 1));
	}
	end(&s);
}

/* What routers tell */

static void mtu_search__router_tells__is_confirmed_at_once(void **state)
{
	(void)state;
	for (uint32_t mtu = 68; mtu < 1500; mtu += 7) {
		struct scene s = narrow(mtu, PTB_TELLS);
		struct addr router = fake_path_router(s.path, 2);

		run(&s);
		assert_exact(&s, MTU_NARROWER_TOLD, mtu);
		assert_place(&s, SHRINK_AT, 2, 3);
		assert_int_equal(s.found->told_count, 1);
		assert_int_equal(s.found->told_by, 0);
		assert_int_equal(s.found->told[0].kind, TOLD_CONFIRMED);
		assert_true(addr_equal(&s.found->told[0].from, &router));
		assert_true(addr_equal(&s.found->shrink_address, &router));
		assert_true(s.found->elapsed_us < SECOND_US / 2);
		/* No other sizes than those that he told of. */
		for (size_t i = 0; i < s.found->size_count; i++) {
			uint32_t size = s.found->sizes[i].size;

			assert_true(size == 64 || size == 1228 || size == 1500 || size == mtu || size == mtu + 1);
		}
		if (mtu + 7 >= 1500)
			report("router tells", &s);
		end(&s);
	}
}

static void mtu_search__router_tells_only_so_often__is_asked_again(void **state)
{
	(void)state;
	for (unsigned tenths = 10; tenths < 60; tenths++) {
		struct scene s = scene(ADDR_V4, 7, tenths);

		s.path->nodes[2].mtu = 1400;
		s.path->nodes[2].tells = (struct fake_limit){ .burst = 6, .per_s = 1, .left = tenths / 10.0, .at_us = s.path->now_us };
		run(&s);
		assert_exact(&s, MTU_NARROWER_TOLD, 1400);
		assert_place(&s, SHRINK_AT, 2, 3);
		if (tenths == 10)
			report("router tells only so often", &s);
		end(&s);
	}
}

static void mtu_search__many_worthless_words__leave_room_for_a_true_one(void **state)
{
	struct scene s = narrow(1300, PTB_TELLS);

	(void)state;
	s.path->nodes[1].mtu = 1400;
	s.path->nodes[1].ptb = PTB_BOGUS;
	run(&s);
	assert_int_equal(s.found->told_count, PATH_TOLD_MAX);
	/* Hosts ignore those, and never come down to the size of which the true one tells. */
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1300);
	assert_int_equal(s.found->silent, 1500);
	assert_int_equal(told_of(&s, 1300)->kind, TOLD_CONFIRMED);
	end(&s);
}

static void mtu_search__hops_not_asked_for__who_told_is_known_all_the_same(void **state)
{
	struct scene s = narrow(1400, PTB_TELLS);
	struct addr router = fake_path_router(s.path, 2);

	(void)state;
	s.options.max_hops = 0;
	run(&s);
	assert_exact(&s, MTU_NARROWER_TOLD, 1400);
	assert_int_equal(s.found->place, SHRINK_UNKNOWN);
	assert_true(addr_equal(&s.found->shrink_address, &router));
	assert_int_equal(s.found->hop_count, 0);
	end(&s);
}

static void mtu_search__two_shrinks_told__the_second_is_confirmed_the_first_surpassed(void **state)
{
	struct scene s = narrow(1300, PTB_TELLS);

	(void)state;
	s.path->nodes[1].mtu = 1400;
	run(&s);
	assert_exact(&s, MTU_NARROWER_TOLD, 1300);
	assert_int_equal(told_of(&s, 1400)->kind, TOLD_SURPASSED);
	assert_int_equal(told_of(&s, 1300)->kind, TOLD_CONFIRMED);
	assert_place(&s, SHRINK_AT, 2, 3);
	end(&s);
}

static void mtu_search__told_shrink_before_a_silent_one__is_a_black_hole(void **state)
{
	struct scene s = narrow(1300, PTB_SILENT);

	(void)state;
	s.path->nodes[1].mtu = 1400;
	run(&s);
	report("told, then silent", &s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1300);
	assert_int_equal(told_of(&s, 1400)->kind, TOLD_WRONG);
	assert_int_equal(s.found->told_by, -1);
	assert_place(&s, SHRINK_AT, 2, 3);
	end(&s);
}

static void mtu_search__silent_shrink_before_a_telling_one__is_a_black_hole_for_those_who_send_the_largest(void **state)
{
	struct scene s = narrow(1300, PTB_TELLS);

	(void)state;
	s.path->nodes[1].mtu = 1400;
	s.path->nodes[1].ptb = PTB_SILENT;
	run(&s);
	report("silent, then told", &s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1300);
	assert_int_equal(s.found->silent, 1500);
	assert_int_equal(s.found->told_by, -1);
	assert_int_equal(told_of(&s, 1300)->kind, TOLD_CONFIRMED);
	assert_place(&s, SHRINK_AT, 1, 2);
	end(&s);
}

static void mtu_search__old_router__tells_without_a_size(void **state)
{
	struct scene s = narrow(1437, PTB_ZERO);

	(void)state;
	run(&s);
	assert_exact(&s, MTU_NARROWER_TOLD, 1437);
	assert_int_equal(told_of(&s, 0)->kind, TOLD_NO_MTU);
	assert_int_equal(s.found->told_by, 0);
	end(&s);
}

static void mtu_search__words_that_hosts_ignore__leave_a_black_hole(void **state)
{
	static const struct {
		enum fake_ptb ptb;
		enum told_kind kind;
	} words[] = { { PTB_BOGUS, TOLD_BOGUS }, { PTB_TOO_SMALL, TOLD_TOO_SMALL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct scene s = narrow(1400, words[i].ptb);

		run(&s);
		assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
		assert_true(s.found->told_count > 0);
		for (size_t j = 0; j < s.found->told_count; j++)
			assert_int_equal(s.found->told[j].kind, words[i].kind);
		assert_int_equal(s.found->told_by, -1);
		end(&s);
	}
}

static void mtu_search__ipv6_below_1280__is_no_size_that_may_be_told(void **state)
{
	static const enum fake_ptb ptb[] = { PTB_TELLS, PTB_ZERO };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ptb); i++) {
		struct scene s = scene(ADDR_V6, 3, i);

		s.path->nodes[2].mtu = 1279;
		s.path->nodes[2].ptb = ptb[i];
		run(&s);
		assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1279);
		assert_int_equal(s.found->told[0].kind, TOLD_TOO_SMALL);
		end(&s);
	}
}

static void mtu_search__less_told_than_passes__is_wrong_but_told(void **state)
{
	struct scene s = narrow(1400, PTB_WRONG);

	(void)state;
	s.path->nodes[2].lie = 1350;
	run(&s);
	assert_exact(&s, MTU_NARROWER_TOLD, 1400);
	assert_int_equal(told_of(&s, 1350)->kind, TOLD_WRONG);
	end(&s);
}

static void mtu_search__more_told_than_passes__is_a_black_hole(void **state)
{
	struct scene s = narrow(1400, PTB_WRONG);

	(void)state;
	s.path->nodes[2].lie = 1450;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	assert_int_equal(told_of(&s, 1450)->kind, TOLD_WRONG);
	end(&s);
}

static void mtu_search__kernel_remembers__is_told_by_nobody_known(void **state)
{
	struct scene s = narrow(1500, PTB_TELLS);

	(void)state;
	/* This machine itself gives the answer of a router, from an unknown address. */
	s.path->nodes[0].mtu = 1380;
	s.path->nodes[0].ptb = PTB_WRONG;
	s.path->nodes[0].lie = 1380;
	run(&s);
	assert_exact(&s, MTU_NARROWER_TOLD, 1380);
	assert_true(addr_is_any(&s.found->told[s.found->told_by].from));
	assert_place(&s, SHRINK_HERE, 0, 1);
	end(&s);
}

/* Hosts that cannot be asked */

static void mtu_search__nothing_answers__is_deaf_and_nothing_more(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);

	(void)state;
	s.path->deaf = true;
	run(&s);
	report("host deaf", &s);
	assert_int_equal(s.found->finding, MTU_HOST_DEAF);
	assert_int_equal(s.found->path_mtu, 0);
	assert_int_equal(s.found->controls_sent, 5);
	assert_int_equal(s.found->controls_lost, 5);
	assert_true(s.found->elapsed_us < 4 * SECOND_US);
	end(&s);
}

static void mtu_search__deaf_host_behind_a_telling_router__the_word_stays_untried(void **state)
{
	struct scene s = narrow(1400, PTB_TELLS);

	(void)state;
	s.path->deaf = true;
	run(&s);
	assert_int_equal(s.found->finding, MTU_HOST_DEAF);
	assert_int_equal(s.found->path_mtu, 0);
	assert_int_equal(told_of(&s, 1400)->kind, TOLD_UNTRIED);
	end(&s);
}

static void mtu_search__every_control_is_refused__is_unreachable_and_says_by_whom(void **state)
{
	static const uint8_t replies[] = { REPLY_UNREACHABLE, REPLY_PROHIBITED, REPLY_REJECTED, REPLY_EXPIRED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		struct scene s = scene(ADDR_V4, 3, i);
		struct addr router = fake_path_router(s.path, 2);

		s.path->nodes[2].refuses = replies[i];
		run(&s);
		assert_int_equal(s.found->finding, MTU_UNREACHABLE);
		assert_int_equal(s.found->says, replies[i]);
		assert_true(addr_equal(&s.found->says_by, &router));
		assert_int_equal(s.found->path_mtu, 0);
		assert_true(s.found->elapsed_us < SECOND_US);
		end(&s);
	}
}

static void mtu_search__this_machine_refuses__is_unreachable_with_the_error(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);

	(void)state;
	s.path->nodes[0].refuses = REPLY_LOCAL;
	s.path->nodes[0].refuse_error = ENETUNREACH;
	run(&s);
	assert_int_equal(s.found->finding, MTU_UNREACHABLE);
	assert_int_equal(s.found->says, REPLY_LOCAL);
	assert_int_equal(s.found->says_error, ENETUNREACH);
	assert_true(addr_is_any(&s.found->says_by));
	end(&s);
}

static void mtu_search__host_comes_back_after_the_first_control__is_searched(void **state)
{
	struct scene s = narrow(1400, PTB_SILENT);

	(void)state;
	s.path->silent_from_us = s.path->now_us;
	s.path->silent_to_us = s.path->now_us + 1500000;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	end(&s);
}

static void mtu_search__answers_slower_than_the_first_wait__are_waited_for(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);

	(void)state;
	s.path->rtt_us = 1300000;
	run(&s);
	assert_exact(&s, MTU_FITS, 1500);
	end(&s);
}

/* Paths that change, and answers that are late */

static void mtu_search__path_becomes_wider__what_holds_at_the_end_is_told(void **state)
{
	unsigned wider = 0;

	(void)state;
	for (int64_t at_us = 1000; at_us < 4 * SECOND_US; at_us += 53000) {
		struct scene s = narrow(1400, PTB_SILENT);

		s.path->changes_us = s.path->now_us + at_us;
		s.path->changes_at = 2;
		s.path->changes_to = 1500;
		run(&s);
		assert_true(s.found->finding == MTU_FITS || s.found->finding == MTU_BLACK_HOLE_FOUND);
		assert_exact(&s, s.found->finding, s.found->finding == MTU_FITS ? 1500 : 1400);
		wider += s.found->finding == MTU_FITS;
		end(&s);
	}
	assert_in_range(wider, 30, 70);
}

static void mtu_search__path_becomes_narrower__what_passed_before_is_forgotten(void **state)
{
	(void)state;
	/* After the largest size has passed, and before that is verified. */
	for (unsigned ptb = PTB_TELLS; ptb <= PTB_SILENT; ptb++) {
		struct scene s = narrow(1500, (enum fake_ptb)ptb);

		s.path->rtt_us = 50000;
		s.path->changes_us = s.path->now_us + 30000;
		s.path->changes_at = 2;
		s.path->changes_to = 1400;
		run(&s);
		assert_exact(&s, ptb == PTB_TELLS ? MTU_NARROWER_TOLD : MTU_BLACK_HOLE_FOUND, 1400);
		end(&s);
	}
}

static void mtu_search__answer_after_its_round__counts_as_passed(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);
	struct probe_request request;
	struct probe_outcome outcome = { .reply = REPLY_ARRIVED, .rtt_us = -1 };
	int64_t wake_us = 0, now_us = s.path->now_us;
	enum probe_step step;
	bool late = false;

	(void)state;
	s.search = mtu_search_new(&s.options, now_us);
	s.found = mtu_search_path(s.search);
	/* All are answered at once, but the first of 1500 bytes only when the next round is under way. */
	while ((step = mtu_search_step(s.search, now_us, &request, &wake_us)) != STEP_DONE) {
		if (step == STEP_WAIT) {
			now_us = wake_us;
			continue;
		}
		outcome.id = request.id;
		if (request.size == 1500 && !late)
			continue;
		mtu_search_outcome(s.search, &outcome, now_us);
		if (request.size > 1228 && !late) {
			late = true;
			assert_int_equal(s.found->smallest_lost, 1500);
			outcome.id = 2;
			mtu_search_outcome(s.search, &outcome, now_us);
			assert_int_equal(s.found->smallest_lost, 0);
		}
	}
	assert_true(late);
	assert_exact(&s, MTU_FITS, 1500);
	end(&s);
}

static void mtu_search__arrival_after_a_word__is_believed(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);
	struct probe_request request;
	int64_t wake_us = 0, now_us = s.path->now_us;
	enum probe_step step;

	(void)state;
	s.search = mtu_search_new(&s.options, now_us);
	s.found = mtu_search_path(s.search);
	while ((step = mtu_search_step(s.search, now_us, &request, &wake_us)) != STEP_DONE) {
		struct probe_outcome word = { .id = request.id, .reply = REPLY_TOO_BIG, .mtu = 600, .from = fake_path_router(s.path, 1) };
		struct probe_outcome arrival = { .id = request.id, .reply = REPLY_ARRIVED };

		if (step == STEP_WAIT) {
			now_us = wake_us;
			continue;
		}
		mtu_search_outcome(s.search, &word, now_us);
		mtu_search_outcome(s.search, &arrival, now_us);
	}
	assert_exact(&s, MTU_FITS, 1500);
	assert_int_equal(told_of(&s, 600)->kind, TOLD_WRONG);
	end(&s);
}

static void mtu_search__router_prohibits_large_packets__is_a_black_hole_with_control_answered(void **state)
{
	struct scene s = narrow(1400, PTB_PROHIBITS);

	(void)state;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	assert_place(&s, SHRINK_AT, 2, 3);
	assert_int_equal(s.found->says, REPLY_NONE);
	end(&s);
}

static void mtu_search__host_policed_without_notice__is_never_judged_falsely(void **state)
{
	unsigned exact = 0, count = 0;

	(void)state;
	for (uint32_t mtu = 1290; mtu <= 1500; mtu += 10, count++) {
		struct scene s = narrow(mtu, PTB_SILENT);

		s.path->limit = (struct fake_limit){ .burst = 5, .per_s = 10 };
		run(&s);
		assert_true(s.found->path_mtu <= mtu && (!s.found->smallest_lost || s.found->smallest_lost > mtu));
		assert_true(mtu < 1500 || s.found->finding == MTU_FITS);
		exact += s.found->bound == BOUND_EXACT && s.found->path_mtu == mtu;
		end(&s);
	}
	print_message("host policed to 10/s without notice: %u of %u exact\n", exact, count);
	assert_int_equal(exact, count);
}

/* Hosts that answer only so often */

static void mtu_search__host_answers_only_so_often__is_exact_in_a_minute(void **state)
{
	int64_t longest_us = 0;

	(void)state;
	for (uint32_t mtu = 1281; mtu < 1500; mtu += 3) {
		struct scene s = narrow(mtu, PTB_SILENT);

		limit_host(&s);
		run(&s);
		assert_exact(&s, MTU_BLACK_HOLE_FOUND, mtu);
		assert_place(&s, SHRINK_AT, 2, 3);
		assert_true(s.found->rate_limited);
		longest_us = MAX(longest_us, s.found->elapsed_us);
		end(&s);
	}
	print_message("black hole, host answers 6 and then 1/s: at most %.3f s\n", (double)longest_us / 1e6);
	assert_true(longest_us < 30 * SECOND_US);
}

static void mtu_search__healthy_path_within_the_allowance__does_not_wait(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);

	(void)state;
	limit_host(&s);
	run(&s);
	report("nothing narrow, UDP", &s);
	assert_exact(&s, MTU_FITS, 1500);
	assert_false(s.found->rate_limited);
	assert_true(s.found->elapsed_us < SECOND_US / 10);
	end(&s);
}

static void mtu_search__allowance_was_used_up_before__silence_is_not_size(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct scene s = scene(ADDR_V4, 3, seed);

		limit_host(&s);
		s.path->limit.at_us = s.path->now_us;
		s.path->limit.left = (double)seed / 10;
		run(&s);
		assert_exact(&s, MTU_FITS, 1500);
		end(&s);
	}
}

static void mtu_search__side_lane__finds_the_hop_for_a_method_that_cannot(void **state)
{
	struct scene s = narrow(1400, PTB_SILENT);

	(void)state;
	s.options.method = PROBE_TCP;
	s.options.side_method = PROBE_ICMP;
	s.options.most = 8;
	run(&s);
	report("black hole, TCP with ICMP beside it", &s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	assert_place(&s, SHRINK_AT, 2, 3);
	assert_true(s.found->elapsed_us < 5 * SECOND_US);
	end(&s);
}

static void mtu_search__side_lane_for_which_all_is_well__leaves_the_place_unknown(void **state)
{
	static const int sides[] = { PROBE_ICMP, PROBE_UDP };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		struct scene s = scene(ADDR_V4, 3, i + 1);

		s.options.method = PROBE_TCP;
		s.options.side_method = sides[i];
		s.path->main_most = 1400;
		run(&s);
		assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
		assert_int_equal(s.found->place, SHRINK_UNKNOWN);
		assert_int_equal(s.found->hop_method, sides[i]);
		assert_true(mtu_path_others_pass(s.found));
		end(&s);
	}
}

static void mtu_search__method_without_hops_and_no_side_lane__leaves_the_place_unknown(void **state)
{
	struct scene s = narrow(1400, PTB_SILENT);

	(void)state;
	s.options.method = PROBE_TCP;
	s.options.side_method = -1;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	assert_int_equal(s.found->place, SHRINK_UNKNOWN);
	assert_int_equal(s.found->hop_count, 0);
	end(&s);
}

static void mtu_search__one_probe_at_a_time__is_obeyed(void **state)
{
	struct scene s = narrow(1400, PTB_SILENT);

	(void)state;
	s.options.most = 1;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	end(&s);
}

/* Hops */

static void mtu_search__hops_asked_for_on_a_healthy_path__are_shown(void **state)
{
	struct scene s = scene(ADDR_V6, 5, 1);

	(void)state;
	s.options.all_hops = true;
	s.path->nodes[3].mute = true;
	run(&s);
	assert_exact(&s, MTU_FITS, 1500);
	assert_int_equal(s.found->hop_count, 6);
	for (unsigned ttl = 1; ttl <= 6; ttl++) {
		const struct path_hop *hop = &s.found->hops[ttl - 1];
		struct addr router = fake_path_router(s.path, ttl);

		assert_int_equal(hop->ttl, ttl);
		assert_int_equal(hop->reply, ttl == 3 ? REPLY_NONE : ttl == 6 ? REPLY_ARRIVED : REPLY_EXPIRED);
		assert_true(ttl == 3 || addr_equal(&hop->address, &router));
		assert_true(ttl == 3 ? hop->rtt_us == -1 && hop->tries > 1 : hop->rtt_us >= 0);
		assert_false(hop->large_sent);
	}
	end(&s);
}

static void mtu_search__mute_hops_around_the_shrink__give_an_interval(void **state)
{
	struct scene s = scene(ADDR_V4, 6, 1);

	(void)state;
	s.path->nodes[3].mtu = 1400;
	s.path->nodes[3].ptb = PTB_SILENT;
	s.path->nodes[3].mute = s.path->nodes[4].mute = true;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	assert_place(&s, SHRINK_BETWEEN, 2, 5);
	end(&s);
}

static void mtu_search__mute_router_tells__is_placed_by_its_word(void **state)
{
	(void)state;
	for (unsigned at = 1; at <= 4; at++) {
		struct scene s = scene(ADDR_V4, 4, at);
		struct addr router = fake_path_router(s.path, at);

		s.path->nodes[at].mtu = 1400;
		s.path->nodes[at].mute = true;
		run(&s);
		assert_exact(&s, MTU_NARROWER_TOLD, 1400);
		assert_place(&s, SHRINK_AT, at, at + 1);
		assert_true(addr_equal(&s.found->shrink_address, &router));
		end(&s);
	}
}

static void mtu_search__no_hop_answers__the_place_is_unknown(void **state)
{
	struct scene s = narrow(1400, PTB_SILENT);

	(void)state;
	for (unsigned i = 1; i <= 3; i++)
		s.path->nodes[i].mute = true;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	assert_int_equal(s.found->place, SHRINK_UNKNOWN);
	end(&s);
}

static void mtu_search__many_mute_hops__end_the_walk(void **state)
{
	struct scene s = scene(ADDR_V4, 20, 1);

	(void)state;
	s.path->nodes[2].mtu = 1400;
	s.path->nodes[2].ptb = PTB_SILENT;
	for (unsigned i = 3; i <= 20; i++)
		s.path->nodes[i].mute = true;
	run(&s);
	assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
	assert_place(&s, SHRINK_BETWEEN, 2, 0);
	assert_int_equal(s.found->hop_count, 2);
	end(&s);
}

static void mtu_search__router_had_used_up_its_answers__is_asked_again(void **state)
{
	(void)state;
	for (unsigned tenths = 0; tenths < 20; tenths++) {
		struct scene s = narrow(1400, PTB_SILENT);

		/* Nothing is left when the walk begins, about 1.3 s later. */
		for (unsigned i = 1; i <= 3; i++)
			s.path->nodes[i].limit = (struct fake_limit){ .burst = 6, .per_s = 1, .left = tenths / 10.0 - 1.3, .at_us = s.path->now_us };
		run(&s);
		if (!tenths)
			report("routers had used up their answers", &s);
		assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
		assert_place(&s, SHRINK_AT, 2, 3);
		end(&s);
	}
}

/* Time */

static void mtu_search__stopped_early__is_partial_and_a_bound(void **state)
{
	(void)state;
	for (int64_t at_us = 1; at_us < 3 * SECOND_US; at_us += 37000) {
		struct scene s = narrow(1400, PTB_SILENT);

		run_until(&s, at_us);
		if (!s.found->partial)
			assert_exact(&s, MTU_BLACK_HOLE_FOUND, 1400);
		assert_true(s.found->finding == MTU_BLACK_HOLE_FOUND || s.found->finding == MTU_UNDECIDED);
		assert_true(s.found->path_mtu <= 1400);
		assert_true(!s.found->smallest_lost || s.found->smallest_lost > 1400);
		if (s.found->bound == BOUND_EXACT)
			assert_int_equal(s.found->path_mtu, 1400);
		else
			assert_int_equal(s.found->bound, BOUND_LOWER);
		end(&s);
	}
}

static void mtu_search__stopped_with_only_a_word__is_an_upper_bound(void **state)
{
	struct scene s = narrow(1400, PTB_TELLS);

	(void)state;
	s.path->deaf = true;
	run_until(&s, SECOND_US / 2);
	assert_true(s.found->partial);
	assert_int_equal(s.found->bound, BOUND_UPPER);
	assert_int_equal(s.found->path_mtu, 1499);
	assert_int_equal(s.found->smallest_lost, 1500);
	assert_int_equal(s.found->finding, MTU_UNDECIDED);
	end(&s);
}

static void mtu_search__stopped_before_any_answer__claims_nothing(void **state)
{
	static const struct {
		int64_t at_us;
		bool refuses;
		enum mtu_finding finding;
	} stops[] = {
		{ 1000, false, MTU_UNDECIDED },
		{ 900000, false, MTU_UNDECIDED },
		{ 1200000, false, MTU_HOST_DEAF },
		{ 5000, true, MTU_UNREACHABLE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		struct scene s = scene(ADDR_V4, 3, 1);

		s.path->deaf = true;
		s.path->nodes[2].refuses = stops[i].refuses ? REPLY_UNREACHABLE : REPLY_NONE;
		run_until(&s, stops[i].at_us);
		assert_true(s.found->partial);
		assert_int_equal(s.found->finding, stops[i].finding);
		assert_int_equal(s.found->path_mtu, 0);
		end(&s);
	}
}

static void mtu_search__flood_about_one_probe__is_one_word_and_no_size(void **state)
{
	struct scene s = scene(ADDR_V4, 3, 1);
	struct mtu_search *search = mtu_search_new(&s.options, s.path->now_us);
	struct probe_request request;
	int64_t wake_us;

	(void)state;
	assert_int_equal(mtu_search_step(search, s.path->now_us, &request, &wake_us), STEP_SEND);
	for (uint32_t i = 0; i < 1000; i++) {
		struct probe_outcome outcome = { .id = 1, .reply = REPLY_TOO_BIG, .mtu = i % 60, .from = fake_path_router(s.path, i % 30) };

		mtu_search_outcome(search, &outcome, s.path->now_us);
	}
	assert_true(mtu_search_path(search)->told_count <= 1);
	/* An answer to what was not yet sent. */
	mtu_search_outcome(search, &(struct probe_outcome){ .id = 2, .reply = REPLY_ARRIVED }, s.path->now_us);
	assert_int_equal(mtu_search_path(search)->path_mtu, 0);
	assert_int_equal(mtu_search_path(search)->size_count, 0);
	mtu_search_free(search);
	end(&s);
}

/* Every probe draws a lie, and no more than one answer in some comes through the flood: no size below the smallest is tried or told, and the end is near. */
static void mtu_search__a_lie_about_every_probe__moves_no_bound(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct scene s = scene(ADDR_V4, 3, seed);
		int64_t now_us = s.path->now_us, wake_us = 0;
		struct probe_request request;
		enum probe_step step;

		if (seed % 2)
			limit_host(&s);
		s.search = mtu_search_new(&s.options, now_us);
		s.found = mtu_search_path(s.search);
		while ((step = mtu_search_step(s.search, now_us, &request, &wake_us)) != STEP_DONE) {
			struct probe_outcome word = { .id = request.id, .lane = request.lane, .reply = REPLY_TOO_BIG, .mtu = fake_path_roll(s.path, 1500), .from = fake_path_router(s.path, 1) };
			struct probe_outcome arrival = { .id = request.id, .lane = request.lane, .reply = REPLY_ARRIVED, .from = s.options.target };

			if (step == STEP_WAIT) {
				now_us = wake_us;
				continue;
			}
			assert_true(request.size >= s.options.smallest);
			mtu_search_outcome(s.search, &word, now_us);
			if (fake_path_roll(s.path, 4) < (seed % 3 ? seed % 3 + 1 : 0))
				mtu_search_outcome(s.search, &arrival, now_us);
		}
		assert_true(!s.found->path_mtu || s.found->path_mtu >= s.options.smallest);
		assert_true(!s.found->smallest_lost || s.found->smallest_lost > 68);
		assert_true(s.found->finding != MTU_BLACK_HOLE_FOUND);
		assert_true(s.found->elapsed_us < 61 * SECOND_US);
		end(&s);
	}
}

static void mtu_search__answers_of_unknown_or_old_probes__change_nothing(void **state)
{
	struct scene s = narrow(1400, PTB_TELLS);
	struct mtu_path before;

	(void)state;
	run(&s);
	before = *s.found;
	for (uint32_t id = 0; id < 700; id++) {
		struct probe_outcome outcome = { .id = id, .reply = REPLY_ARRIVED, .size = 1500, .rtt_us = 1 };

		mtu_search_outcome(s.search, &outcome, s.path->now_us);
	}
	assert_memory_equal(&before, s.found, sizeof(before));
	end(&s);
}

static void mtu_candidates__all__are_ascending_and_of_the_catalogue(void **state)
{
	size_t count;
	const uint16_t *sizes = mtu_candidates(&count);
	bool ethernet = false;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(!i || sizes[i] > sizes[i - 1]);
		ethernet |= sizes[i] == 1500;
	}
	assert_true(ethernet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mtu_search__nothing_narrow__fits_within_four_round_trips),
		cmocka_unit_test(mtu_search__black_hole__is_found_to_the_byte_with_its_hop_in_time),
		cmocka_unit_test(mtu_search__black_hole_of_any_size__is_found_to_the_byte),
		cmocka_unit_test(mtu_search__only_the_largest_size_is_silent__is_tried_eight_times),
		cmocka_unit_test(mtu_search__first_link_drops__the_place_is_here),
		cmocka_unit_test(mtu_search__host_on_the_same_link__the_place_is_here),
		cmocka_unit_test(mtu_search__host_answers_small_echoes_only__another_protocol_shows_that_it_fits),
		cmocka_unit_test(mtu_search__large_answers_lost_beside_a_real_shrink__it_is_found_by_datagrams),
		cmocka_unit_test(mtu_search__echo_alone_on_the_last_link__is_no_verdict),
		cmocka_unit_test(mtu_search__datagrams_unanswered__a_hop_proves_the_way_there),
		cmocka_unit_test(mtu_search__bytes_are_policed__no_size_is_lost),
		cmocka_unit_test(mtu_search__interface_refuses__largest_is_what_it_sends),
		cmocka_unit_test(mtu_search__sender_tells_the_largest_it_sends__that_is_tried_and_no_other),
		cmocka_unit_test(mtu_search__first_router_tells_and_answers_few_hop_limits__is_the_place),
		cmocka_unit_test(mtu_search__sender_may_send_less_in_the_midst_of_it__a_word_that_was_confirmed_stands),
		cmocka_unit_test(mtu_search__largest_below_the_base__is_asked_for_all_the_same),
		cmocka_unit_test(mtu_search__sizes__are_ascending_and_agree_with_the_verdict),
		cmocka_unit_test(mtu_search__router_tells__is_confirmed_at_once),
		cmocka_unit_test(mtu_search__router_tells_only_so_often__is_asked_again),
		cmocka_unit_test(mtu_search__many_worthless_words__leave_room_for_a_true_one),
		cmocka_unit_test(mtu_search__hops_not_asked_for__who_told_is_known_all_the_same),
		cmocka_unit_test(mtu_search__two_shrinks_told__the_second_is_confirmed_the_first_surpassed),
		cmocka_unit_test(mtu_search__told_shrink_before_a_silent_one__is_a_black_hole),
		cmocka_unit_test(mtu_search__silent_shrink_before_a_telling_one__is_a_black_hole_for_those_who_send_the_largest),
		cmocka_unit_test(mtu_search__old_router__tells_without_a_size),
		cmocka_unit_test(mtu_search__words_that_hosts_ignore__leave_a_black_hole),
		cmocka_unit_test(mtu_search__ipv6_below_1280__is_no_size_that_may_be_told),
		cmocka_unit_test(mtu_search__less_told_than_passes__is_wrong_but_told),
		cmocka_unit_test(mtu_search__more_told_than_passes__is_a_black_hole),
		cmocka_unit_test(mtu_search__kernel_remembers__is_told_by_nobody_known),
		cmocka_unit_test(mtu_search__nothing_answers__is_deaf_and_nothing_more),
		cmocka_unit_test(mtu_search__deaf_host_behind_a_telling_router__the_word_stays_untried),
		cmocka_unit_test(mtu_search__every_control_is_refused__is_unreachable_and_says_by_whom),
		cmocka_unit_test(mtu_search__this_machine_refuses__is_unreachable_with_the_error),
		cmocka_unit_test(mtu_search__host_comes_back_after_the_first_control__is_searched),
		cmocka_unit_test(mtu_search__answers_slower_than_the_first_wait__are_waited_for),
		cmocka_unit_test(mtu_search__path_becomes_wider__what_holds_at_the_end_is_told),
		cmocka_unit_test(mtu_search__path_becomes_narrower__what_passed_before_is_forgotten),
		cmocka_unit_test(mtu_search__answer_after_its_round__counts_as_passed),
		cmocka_unit_test(mtu_search__arrival_after_a_word__is_believed),
		cmocka_unit_test(mtu_search__router_prohibits_large_packets__is_a_black_hole_with_control_answered),
		cmocka_unit_test(mtu_search__host_policed_without_notice__is_never_judged_falsely),
		cmocka_unit_test(mtu_search__host_answers_only_so_often__is_exact_in_a_minute),
		cmocka_unit_test(mtu_search__healthy_path_within_the_allowance__does_not_wait),
		cmocka_unit_test(mtu_search__allowance_was_used_up_before__silence_is_not_size),
		cmocka_unit_test(mtu_search__side_lane__finds_the_hop_for_a_method_that_cannot),
		cmocka_unit_test(mtu_search__side_lane_for_which_all_is_well__leaves_the_place_unknown),
		cmocka_unit_test(mtu_search__method_without_hops_and_no_side_lane__leaves_the_place_unknown),
		cmocka_unit_test(mtu_search__one_probe_at_a_time__is_obeyed),
		cmocka_unit_test(mtu_search__hops_asked_for_on_a_healthy_path__are_shown),
		cmocka_unit_test(mtu_search__mute_hops_around_the_shrink__give_an_interval),
		cmocka_unit_test(mtu_search__mute_router_tells__is_placed_by_its_word),
		cmocka_unit_test(mtu_search__no_hop_answers__the_place_is_unknown),
		cmocka_unit_test(mtu_search__many_mute_hops__end_the_walk),
		cmocka_unit_test(mtu_search__router_had_used_up_its_answers__is_asked_again),
		cmocka_unit_test(mtu_search__stopped_early__is_partial_and_a_bound),
		cmocka_unit_test(mtu_search__stopped_with_only_a_word__is_an_upper_bound),
		cmocka_unit_test(mtu_search__stopped_before_any_answer__claims_nothing),
		cmocka_unit_test(mtu_search__flood_about_one_probe__is_one_word_and_no_size),
		cmocka_unit_test(mtu_search__a_lie_about_every_probe__moves_no_bound),
		cmocka_unit_test(mtu_search__answers_of_unknown_or_old_probes__change_nothing),
		cmocka_unit_test(mtu_candidates__all__are_ascending_and_of_the_catalogue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
