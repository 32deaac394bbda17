/* SPDX-License-Identifier: MIT */
/* ICMP errors and the flows that they quote; datagrams that come in fragments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "segments.h"

/* An error that a router sends to @side about what that side sent; @seq relative. */
static void build_error(struct talk *t, double at_ms, unsigned side, enum icmp_class class, uint32_t seq)
{
	struct icmp_header *icmp = &t->packet.icmp;

	talk_ip(t, at_ms, !side, PROTOCOL_ICMP, 36);
	t->packet.has |= PACKET_HAS_ICMP | PACKET_HAS_QUOTE;
	t->packet.ip.src = addr_v4(0x0a0000fe);
	*icmp = (struct icmp_header){ .type = 3, .code = 4, .class = class };
	icmp->mtu = class == ICMP_TOO_BIG ? 1400 : 0;
	icmp->quote = (struct icmp_quote){ .has = PACKET_HAS_TCP | PACKET_HAS_PORTS,
					   .src_port = t->port[side],
					   .dst_port = t->port[!side],
					   .seq = t->isn[side] + seq,
					   .status = DECODE_OK };
	icmp->quote.ip = (struct ip_header){ .src = talk_address(t, side),
					     .dst = talk_address(t, !side),
					     .protocol = PROTOCOL_TCP,
					     .length = 1500,
					     .hop_limit = 60,
					     .id = 4711,
					     .has_id = true };
}

static struct flow *hear_error(struct talk *t, double at_ms, unsigned side, enum icmp_class class, uint32_t seq)
{
	build_error(t, at_ms, side, class, seq);
	return talk_hear(t);
}

static void too_big__obeyed__is_noted_in_flow_and_report(void **state)
{
	static const struct segment opening[] = { OPEN_10MS, { 20, A, 1, 1448, 1 } };
	const struct icmp_report *report;
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	talk_play(&t, opening, ARRAY_SIZE(opening));
	assert_ptr_equal(hear_error(&t, 21, A, ICMP_TOO_BIG, 1), flows_at(t.flows, 0));
	report = flows_reports(t.flows, &count);
	assert_int_equal(count, 1);
	assert_false(report->obeyed);
	assert_int_equal(report->count, 1);
	assert_int_equal(report->mtu_min, 1400);
	assert_int_equal(report->quoted_ip_max, 1500);
	assert_int_equal(report->flow_number, 1);
	assert_int_equal(report->dst.port, 80);
	assert_true(addr_equal(&report->reporter, &(struct addr){ .bytes = { 10, 0, 0, 254 } }));
	assert_int_equal(talk_flow(&t)->icmp_errors, 1);
	assert_int_equal(talk_flow(&t)->icmp_class, ICMP_TOO_BIG);
	assert_int_equal(talk_flow(&t)->icmp_mtu, 1400);
	assert_int_equal(talk_flow(&t)->icmp_report, 1);
	assert_int_equal(talk_side(&t, A)->packets, 3);
	assert_int_equal(talk_side(&t, B)->packets, 1);
	assert_int_equal(t.event[EVENT_PACKET_TOO_BIG].mtu, 1400);
	assert_int_equal(t.event[EVENT_PACKET_TOO_BIG].side, 0);
	talk_send(&t, &(struct segment){ 22, A, 1, 1348, 1 });
	assert_true(flows_reports(t.flows, &count)->obeyed);
	/* What was on its way already is not held against it, what comes later is. */
	talk_send(&t, &(struct segment){ 23, A, 1349, 1448, 1 });
	assert_true(flows_reports(t.flows, &count)->obeyed);
	talk_send(&t, &(struct segment){ 400, A, 1349, 1448, 1 });
	assert_false(flows_reports(t.flows, &count)->obeyed);
	talk_send(&t, &(struct segment){ 800, A, 1349, 1348, 1 });
	assert_false(flows_reports(t.flows, &count)->obeyed);
	talk_add_up(&t);
	talk_close(&t);
}

static void unreachable__quoting_the_syn__refuses(void **state)
{
	static const struct {
		enum icmp_class class;
		uint32_t seq;
		enum flow_state state;
	} rows[] = {
		{ ICMP_UNREACHABLE, 0, FLOW_REFUSED },
		{ ICMP_PROHIBITED, 0, FLOW_REFUSED },
		{ ICMP_PORT_UNREACHABLE, 0, FLOW_REFUSED },
		{ ICMP_TIME_EXCEEDED, 0, FLOW_SYN_SENT },
		/* Not this SYN. */
		{ ICMP_UNREACHABLE, 12345, FLOW_SYN_SENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk t;

		talk_open(&t);
		talk_send(&t, &(struct segment){ 0, A, 0, 0, 0, TCP_SYN });
		hear_error(&t, 7, A, rows[i].class, rows[i].seq);
		assert_int_equal(talk_flow(&t)->state, rows[i].state);
		assert_int_equal(talk_flow(&t)->syn_wait_ms, rows[i].state == FLOW_REFUSED ? 7 : 0);
		assert_int_equal(talk_flow(&t)->icmp_errors, 1);
		assert_int_equal(t.counted[EVENT_UNREACHABLE], rows[i].class != ICMP_TIME_EXCEEDED);
		assert_int_equal(t.counted[EVENT_REFUSED], 0);
		talk_close(&t);
	}
}

/* An established connection does not die of it (RFC 1122 §4.2.3.9). */
static void unreachable__established__is_a_hint_only(void **state)
{
	static const struct segment opening[] = { OPEN_10MS };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, opening, ARRAY_SIZE(opening));
	hear_error(&t, 20, B, ICMP_UNREACHABLE, 0);
	assert_int_equal(talk_flow(&t)->state, FLOW_ESTABLISHED);
	assert_int_equal(t.event[EVENT_UNREACHABLE].side, 1);
	talk_close(&t);
}

static void error__in_other_vlan__still_finds_its_flow(void **state)
{
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_send(&t, &(struct segment){ 0, A, 1, 100, 1 });
	build_error(&t, 1, A, ICMP_TIME_EXCEEDED, 1);
	t.packet.link.vlan_count = 1;
	t.packet.link.vlan[0].tci = 7;
	assert_ptr_equal(talk_hear(&t), flows_at(t.flows, 0));
	assert_int_equal(flows_totals(t.flows)->icmp_unmatched, 0);
	/* Its copy on another interface is one. */
	t.frame.interface = 3;
	talk_hear(&t);
	assert_int_equal(talk_flow(&t)->icmp_errors, 1);
	talk_close(&t);
}

static void error__of_nobody__is_counted_as_such(void **state)
{
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	assert_null(hear_error(&t, 0, A, ICMP_UNREACHABLE, 0));
	build_error(&t, 1, A, ICMP_UNREACHABLE, 0);
	t.packet.has &= (unsigned)~PACKET_HAS_QUOTE;
	assert_null(talk_hear(&t));
	assert_int_equal(flows_totals(t.flows)->icmp_unmatched, 2);
	assert_int_equal(t.counted[EVENT_UNREACHABLE], 2);
	flows_reports(t.flows, &count);
	assert_in_range(count, 1, 2);
	assert_int_equal(flows_count(t.flows), 0);
	talk_close(&t);
}

static void traceroute__its_probes__are_told_from_others(void **state)
{
	const struct icmp_report *report;
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	for (unsigned i = 0; i < 4; i++) {
		build_error(&t, i, A, ICMP_TIME_EXCEEDED, i);
		t.packet.icmp.quote.ip.protocol = i < 3 ? PROTOCOL_UDP : PROTOCOL_ICMP;
		t.packet.icmp.quote.has = i < 3 ? PACKET_HAS_UDP | PACKET_HAS_PORTS : PACKET_HAS_ICMP;
		t.packet.icmp.quote.dst_port = i == 2 ? 53 : (uint16_t)(33434 + i * 100);
		talk_hear(&t);
	}
	report = flows_reports(t.flows, &count);
	assert_int_equal(count, 1);
	assert_int_equal(report->count, 4);
	assert_int_equal(report->echoes, 3);
	talk_close(&t);
}

static void reports__more_than_are_kept__are_counted(void **state)
{
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	for (uint32_t i = 0; i < 1100; i++) {
		build_error(&t, i, A, ICMP_UNREACHABLE, 0);
		t.packet.icmp.quote.ip.dst = addr_v4(0xc0a80000 + i);
		talk_hear(&t);
	}
	flows_reports(t.flows, &count);
	assert_int_equal(count, 1024);
	assert_int_equal(flows_totals(t.flows)->reports_lost, 1100 - 1024);
	assert_int_equal(t.counted[EVENT_UNREACHABLE], 1100);
	talk_close(&t);
}

/* One fragment of datagram @id: @length bytes at @offset. */
static struct flow *fragment(struct talk *t, double at_ms, uint16_t id, uint32_t offset, uint32_t length, bool more)
{
	talk_ip(t, at_ms, A, PROTOCOL_UDP, length);
	t->packet.ip.id = id;
	t->packet.ip.offset = offset;
	t->packet.ip.more = more;
	t->packet.ip.is_fragment = true;
	t->packet.ip.dont_fragment = false;
	if (!offset) {
		t->packet.has |= PACKET_HAS_UDP | PACKET_HAS_PORTS;
		t->packet.udp = (struct udp_header){ .src_port = 5000, .dst_port = 53, .length = 3008, .payload = length - 8 };
	}
	return talk_hear(t);
}

static void fragments__whole_in_any_order__are_nobodys_loss(void **state)
{
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	assert_null(fragment(&t, 0, 1, 1480, 1480, true));
	assert_null(fragment(&t, 1, 1, 2960, 48, false));
	assert_non_null(fragment(&t, 2, 1, 0, 1480, true));
	fragment(&t, 100, 2, 0, 1480, true);
	fragment(&t, 101, 2, 1480, 8, false);
	talk_ip(&t, 100000, A, PROTOCOL_UDP, 0);
	talk_hear(&t);
	flows_end(t.flows);
	assert_int_equal(flows_totals(t.flows)->fragments, 5);
	assert_int_equal(flows_totals(t.flows)->trains, 2);
	assert_int_equal(flows_totals(t.flows)->trains_lost, 0);
	flows_trains(t.flows, &count);
	assert_int_equal(count, 0);
	talk_add_up(&t);
	talk_close(&t);
}

static void fragments__one_missing__is_lost_after_the_receivers_patience(void **state)
{
	const struct fragment_train *train;
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	fragment(&t, 0, 1, 0, 1480, true);
	fragment(&t, 1, 1, 2960, 48, false);
	talk_send(&t, &(struct segment){ 29000, A, 1, 100, 1 });
	assert_int_equal(t.counted[EVENT_FRAGMENTS_LOST], 0);
	talk_send(&t, &(struct segment){ 31000, A, 101, 100, 1 });
	assert_int_equal(t.counted[EVENT_FRAGMENTS_LOST], 1);
	assert_int_equal(t.event[EVENT_FRAGMENTS_LOST].length, 1480);
	train = flows_trains(t.flows, &count);
	assert_int_equal(count, 1);
	assert_int_equal(train->total, 3008);
	assert_int_equal(train->got, 1528);
	assert_int_equal(train->fragments, 2);
	assert_true(train->has_first);
	assert_false(train->overlaps);
	flows_end(t.flows);
	flows_end(t.flows);
	assert_int_equal(flows_totals(t.flows)->trains_lost, 1);
	talk_close(&t);
}

static void fragments__at_the_edges_of_the_capture__are_not_judged(void **state)
{
	struct talk t;

	(void)state;
	talk_open(&t);
	/* Its beginning may have passed before the capture began … */
	fragment(&t, 0, 1, 1480, 1480, true);
	fragment(&t, 1, 1, 2960, 48, false);
	talk_send(&t, &(struct segment){ 60000, A, 1, 100, 1 });
	assert_int_equal(t.counted[EVENT_FRAGMENTS_LOST], 0);
	/* … and its end may come after it. */
	fragment(&t, 60100, 2, 0, 1480, true);
	flows_end(t.flows);
	assert_int_equal(t.counted[EVENT_FRAGMENTS_LOST], 0);
	talk_send(&t, &(struct segment){ 61200, A, 101, 100, 1 });
	flows_end(t.flows);
	assert_int_equal(t.counted[EVENT_FRAGMENTS_LOST], 1);
	talk_close(&t);
}

static void fragments__overlapping__are_said_to_be(void **state)
{
	const struct fragment_train *train;
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	fragment(&t, 0, 1, 0, 1480, true);
	fragment(&t, 1, 1, 1000, 1000, true);
	talk_send(&t, &(struct segment){ 60000, A, 1, 100, 1 });
	train = flows_trains(t.flows, &count);
	assert_int_equal(count, 1);
	assert_true(train->overlaps);
	assert_int_equal(train->got, 2000);
	assert_int_equal(train->total, 0);
	talk_close(&t);
}

/* A flood of first fragments: bounded, and counted. */
static void fragments__flood__is_bounded(void **state)
{
	const struct capture_totals *totals;
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	totals = flows_totals(t.flows);
	for (uint32_t i = 0; i < 5000; i++)
		fragment(&t, i * 0.1, (uint16_t)(i + 1), 0, 1480, true);
	talk_send(&t, &(struct segment){ 60000, A, 1, 100, 1 });
	flows_trains(t.flows, &count);
	assert_int_equal(totals->trains, 5000);
	assert_in_range(totals->trains_lost, 512, 1024);
	assert_int_equal(count, 256);
	assert_int_equal(t.counted[EVENT_FRAGMENTS_LOST], totals->trains_lost);
	/* Those that made room, and those for which the list was too short. */
	assert_int_equal(totals->trains_dropped, 5000 - 256);
	talk_close(&t);
}

/* How much a first fragment of TCP carries is not known: what follows is a new start, and nothing is missing. */
static void fragments__of_tcp__break_no_sequence(void **state)
{
	static const struct segment opening[] = { OPEN_10MS, { 20, A, 1, 1000, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, opening, ARRAY_SIZE(opening));
	talk_build(&t, &(struct segment){ 21, A, 1001, 500, 1 });
	t.packet.ip.is_fragment = t.packet.ip.more = true;
	talk_hear(&t);
	talk_ip(&t, 21.1, A, PROTOCOL_TCP, 500);
	t.packet.ip.is_fragment = true;
	t.packet.ip.offset = 532;
	t.packet.ip.id--;
	assert_null(talk_hear(&t));
	talk_send(&t, &(struct segment){ 22, A, 2001, 1000, 1 });
	talk_send(&t, &(struct segment){ 32, B, 1, 0, 3001 });
	talk_expect(&t, A, &(struct tally){ 0 });
	assert_int_equal(talk_side(&t, B)->acked_unseen, 0);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_big__obeyed__is_noted_in_flow_and_report),
		cmocka_unit_test(unreachable__quoting_the_syn__refuses),
		cmocka_unit_test(unreachable__established__is_a_hint_only),
		cmocka_unit_test(error__in_other_vlan__still_finds_its_flow),
		cmocka_unit_test(error__of_nobody__is_counted_as_such),
		cmocka_unit_test(traceroute__its_probes__are_told_from_others),
		cmocka_unit_test(reports__more_than_are_kept__are_counted),
		cmocka_unit_test(fragments__whole_in_any_order__are_nobodys_loss),
		cmocka_unit_test(fragments__one_missing__is_lost_after_the_receivers_patience),
		cmocka_unit_test(fragments__at_the_edges_of_the_capture__are_not_judged),
		cmocka_unit_test(fragments__overlapping__are_said_to_be),
		cmocka_unit_test(fragments__flood__is_bounded),
		cmocka_unit_test(fragments__of_tcp__break_no_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
