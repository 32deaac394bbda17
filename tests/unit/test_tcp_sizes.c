/* SPDX-License-Identifier: MIT */
/* Sizes that pass and sizes that die, offload, and round trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "segments.h"

/* Headers of a segment with timestamps. */
#define HEADERS 52

static void size__full_segments_die__are_bracketed_by_small_ones(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,
						{ 20, A, 1, 100, 1 },
						{ 30, B, 1, 200, 101 },
						{ 31, A, 101, 1448, 201 },
						{ 31.1, A, 1549, 1448, 201 },
						{ 251, A, 101, 1448, 201 },
						{ 691, A, 101, 1448, 201 },
						{ 1571, A, 101, 1448, 201 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->ip_acked_max, 100 + HEADERS);
	assert_int_equal(talk_side(&t, A)->ip_dead_min, 1500);
	assert_int_equal(talk_side(&t, A)->dead_tries, 4);
	assert_int_equal(talk_side(&t, A)->dead_ms, 1540);
	assert_int_equal(talk_side(&t, A)->dead_since_ms, 31);
	talk_expect(&t, A, &(struct tally){ .again = 3, .timeouts = 3 });

	/* Through at last, as large as it was: plain loss. */
	talk_send(&t, &(struct segment){ 1581, B, 201, 0, 1549 });
	assert_int_equal(talk_side(&t, A)->ip_dead_min, 0);
	assert_int_equal(talk_side(&t, A)->dead_tries, 0);
	assert_int_equal(talk_side(&t, A)->dead_ms, 0);
	talk_close(&t);
}

/* With MTU probing the bytes get through in smaller packets: the size that died stays dead. */
static void size__bytes_pass_in_smaller_packets__the_large_one_stays_dead(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,
						{ 31, A, 1, 1448, 1 },
						{ 251, A, 1, 1448, 1 },
						{ 691, A, 1, 1448, 1 },
						{ 1571, A, 1, 1000, 1 },
						{ 1581, B, 1, 0, 1001 },
						{ 1582, A, 1001, 448, 1 },
						{ 1592, B, 1, 0, 1449 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->ip_dead_min, 1500);
	assert_int_equal(talk_side(&t, A)->dead_tries, 3);
	assert_in_range(talk_side(&t, A)->ip_acked_max, 400, 1052);
	talk_close(&t);
}

/* More connections die at once than the table remembers in trouble: those that came first are told, and that there were more. */
static void size__many_die_at_once__those_that_came_first_are_told(void **state)
{
	static const double sent_ms[] = { 31, 251, 691, 1571, 3331, 6851 };
	static const struct segment open[] = { OPEN_10MS };
	const struct flow *flow;
	unsigned dead = 0;
	struct talk t;

	(void)state;
	talk_open_for(&t, 1000);
	for (unsigned round = 0; round < ARRAY_SIZE(sent_ms) + 1; round++) {
		for (uint16_t port = 0; port < 500; port++) {
			t.port[A] = 20000 + port;
			for (size_t i = 0; !round && i < ARRAY_SIZE(open); i++)
				talk_send(&t, &open[i]);
			if (round)
				talk_send(&t, &(struct segment){ sent_ms[round - 1], A, 1, 1448, 1 });
		}
	}
	flows_end(t.flows);
	for (size_t i = 0; (flow = flows_at(t.flows, i)); i++)
		dead += flow->side[A].ip_dead_min == 1500 && flow->side[A].dead_tries == 6;
	assert_in_range(dead, 60, 70);
	assert_true(flows_totals(t.flows)->troubles_forgotten >= 430 * 5);
	talk_close(&t);
}

static void size__two_tries__are_no_evidence(void **state)
{
	static const struct segment scene[] = { OPEN_10MS, { 31, A, 1, 1448, 1 }, { 251, A, 1, 1448, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->ip_dead_min, 0);
	talk_close(&t);
}

static void size__heads_that_get_through__clear_nothing_but_themselves(void **state)
{
	struct talk t;
	double at = 20;

	(void)state;
	talk_open(&t);
	talk_play(&t, (const struct segment[]){ OPEN_10MS }, 3);
	for (uint32_t i = 0; i < 20; i++) {
		for (unsigned try = 0; try < 4; try++)
			talk_send(&t, &(struct segment){ at += 250, A, 1 + i * 1000, 1000, 1 });
		talk_send(&t, &(struct segment){ at += 10, B, 1, 0, 1001 + i * 1000 });
		assert_int_equal(talk_side(&t, A)->ip_dead_min, 0);
	}
	assert_int_equal(talk_side(&t, A)->ip_acked_max, 1000 + HEADERS);
	talk_expect(&t, A, &(struct tally){ .again = 60, .timeouts = 60 });
	talk_close(&t);
}

/* Offload hands over 44 segments as one packet: each was of the size that the MSS allows. */
static void super_segment__counts_as_its_segments(void **state)
{
	static const struct segment scene[] = { OPEN_10MS, { 20, A, 1, 63712, 1 }, { 30, B, 1, 0, 63713 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_true(talk_flow(&t)->flags & FLOW_SUPER_SEGMENTS);
	assert_int_equal(flows_totals(t.flows)->super_segments, 1);
	assert_int_equal(talk_side(&t, A)->max_payload, 63712);
	assert_int_equal(talk_side(&t, A)->ip_acked_max, 1500);
	talk_close(&t);
}

/* … unless a router has told the sender to make them smaller: then nobody knows how large they are. */
static void super_segment__after_packet_too_big__says_nothing_of_sizes(void **state)
{
	static const struct segment opening[] = { OPEN_10MS, { 20, A, 1, 100, 1 }, { 30, B, 1, 0, 101 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, opening, ARRAY_SIZE(opening));
	talk_ip(&t, 31, B, PROTOCOL_ICMP, 36);
	t.packet.has |= PACKET_HAS_ICMP | PACKET_HAS_QUOTE;
	t.packet.icmp = (struct icmp_header){ .type = 3, .code = 4, .class = ICMP_TOO_BIG, .mtu = 1400 };
	t.packet.icmp.quote = (struct icmp_quote){ .has = PACKET_HAS_PORTS, .src_port = t.port[A], .dst_port = t.port[B] };
	t.packet.icmp.quote.ip = (struct ip_header){ .src = talk_address(&t, A), .dst = talk_address(&t, B), .protocol = PROTOCOL_TCP, .length = 1500 };
	assert_non_null(talk_hear(&t));
	talk_send(&t, &(struct segment){ 32, A, 101, 13480, 1 });
	talk_send(&t, &(struct segment){ 42, B, 1, 0, 13581 });
	assert_int_equal(talk_side(&t, A)->ip_acked_max, 100 + HEADERS);
	assert_int_equal(talk_side(&t, A)->rtt_count, 2);
	talk_close(&t);
}

/* Where the MSS was not seen, nobody can tell how large the segments were. */
static void super_segment__unknown_mss__says_nothing_of_sizes(void **state)
{
	static const struct segment scene[] = { { 20, A, 1, 100, 1 }, { 21, B, 1, 0, 101 }, { 22, A, 101, 8900, 1 }, { 23, B, 1, 0, 9001 },
						{ 24, A, 9001, 400, 1 }, { 25, B, 1, 0, 9401 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->ip_acked_max, 400 + HEADERS);
	talk_close(&t);
}

/* MSS 65495 on loopback is an honest one (never sign-extended). */
static void super_segment__loopback__is_none(void **state)
{
	static const struct segment scene[] = { OPEN_10MS, { 20, A, 1, 65483, 1 }, { 30, B, 1, 0, 65484 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	t.mss[A] = t.mss[B] = 65495;
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->mss, 65495);
	assert_false(talk_flow(&t)->flags & FLOW_SUPER_SEGMENTS);
	assert_int_equal(talk_side(&t, A)->ip_acked_max, 65535);
	talk_close(&t);
}

static void mss__absent__is_said(void **state)
{
	static const struct segment scene[] = { OPEN_10MS };
	struct talk t;

	(void)state;
	talk_open(&t);
	t.mss[B] = 0;
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->has & (SIDE_HAS_MSS | SIDE_SYN_WITHOUT_MSS), SIDE_HAS_MSS);
	assert_int_equal(talk_side(&t, B)->has & (SIDE_HAS_MSS | SIDE_SYN_WITHOUT_MSS), SIDE_SYN_WITHOUT_MSS);
	talk_close(&t);
}

static void rtt__samples__never_from_a_repetition(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,	       { 20, A, 1, 100, 1 },  { 32, B, 1, 0, 101 },  { 40, A, 101, 100, 1 },
						{ 260, A, 101, 100, 1 }, { 261, B, 1, 0, 201 }, { 300, A, 201, 100, 1 }, { 315, B, 1, 50, 301 },
						{ 320, A, 301, 0, 51 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->rtt_count, 2);
	assert_int_equal(talk_side(&t, A)->rtt_min_us, 12000);
	assert_int_equal(talk_side(&t, A)->rtt_max_us, 15000);
	assert_int_equal(talk_side(&t, B)->rtt_count, 1);
	assert_int_equal(talk_side(&t, B)->rtt_min_us, 5000);
	talk_close(&t);
}

/* An acknowledgement that repairs a hole says nothing of the segments behind it. */
static void rtt__held_back_by_a_hole__is_no_sample(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,
						{ 20, A, 1, 100, 1 },
						{ 30, B, 1, 0, 101 },
						{ 40, A, 101, 100, 1 },
						{ 40.1, A, 201, 1000, 1 },
						{ 50.1, B, 1, 0, 101, .left = { 201 }, .right = { 1201 } },
						{ 260, A, 101, 100, 1 },
						{ 270, B, 1, 0, 1201 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->rtt_count, 1);
	assert_int_equal(talk_side(&t, A)->rtt_max_us, 10000);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size__full_segments_die__are_bracketed_by_small_ones),
		cmocka_unit_test(size__bytes_pass_in_smaller_packets__the_large_one_stays_dead),
		cmocka_unit_test(size__many_die_at_once__those_that_came_first_are_told),
		cmocka_unit_test(size__two_tries__are_no_evidence),
		cmocka_unit_test(size__heads_that_get_through__clear_nothing_but_themselves),
		cmocka_unit_test(super_segment__counts_as_its_segments),
		cmocka_unit_test(super_segment__after_packet_too_big__says_nothing_of_sizes),
		cmocka_unit_test(super_segment__unknown_mss__says_nothing_of_sizes),
		cmocka_unit_test(super_segment__loopback__is_none),
		cmocka_unit_test(mss__absent__is_said),
		cmocka_unit_test(rtt__samples__never_from_a_repetition),
		cmocka_unit_test(rtt__held_back_by_a_hole__is_no_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
