/* SPDX-License-Identifier: MIT */
/* Which packets make a flow, what is counted of all, a clock that goes back, copies, loops, and who goes when the table is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "segments.h"

static struct flow *datagram(struct talk *t, double at_ms, unsigned side)
{
	talk_ip(t, at_ms, side, PROTOCOL_UDP, 108);
	t->packet.has |= PACKET_HAS_UDP | PACKET_HAS_PORTS;
	t->packet.udp = (struct udp_header){ .src_port = t->port[side], .dst_port = t->port[!side], .length = 108, .payload = 100 };
	t->packet.payload_captured = 64;
	return talk_hear(t);
}

static struct flow *echo(struct talk *t, double at_ms, unsigned side, enum icmp_class class, uint16_t seq)
{
	talk_ip(t, at_ms, side, PROTOCOL_ICMP, 64);
	t->packet.has |= PACKET_HAS_ICMP;
	t->packet.icmp = (struct icmp_header){ .class = class, .type = class == ICMP_ECHO_REQUEST ? 8 : 0, .id = 77, .seq = seq, .payload = 56 };
	return talk_hear(t);
}

static void key__vlan_and_tunnel__keep_flows_apart(void **state)
{
	static const struct segment one = { 20, A, 1, 100, 1 };
	struct talk t;

	(void)state;
	talk_open(&t);
	for (unsigned i = 0; i < 5; i++) {
		talk_build(&t, &one);
		if (i == 1 || i == 2) {
			t.packet.link.vlan_count = 2;
			t.packet.link.vlan[0].tci = 5;
			t.packet.link.vlan[1].tci = (uint16_t)(0xe000 | i);
		}
		if (i > 2) {
			t.packet.tunnel_count = 1;
			t.packet.tunnels[0] = (struct tunnel){ .kind = TUNNEL_VXLAN, .id = i };
		}
		assert_int_equal(talk_hear(&t)->number, i + 1);
		assert_int_equal(t.flow->vlan, i == 1 || i == 2 ? i : 0);
		assert_int_equal(t.flow->tunnel_id, i > 2 ? i : 0);
	}
	assert_int_equal(flows_count(t.flows), 5);
	talk_close(&t);
}

static void exchange__udp_and_echo__requests_and_replies_are_counted(void **state)
{
	struct talk t;

	(void)state;
	talk_open(&t);
	datagram(&t, 0, A);
	datagram(&t, 1000, A);
	datagram(&t, 1010, B);
	datagram(&t, 1011, B);
	datagram(&t, 2000, A);
	assert_int_equal(talk_flow(&t)->state, FLOW_OTHER);
	assert_int_equal(talk_flow(&t)->asked, 2);
	assert_int_equal(talk_flow(&t)->answered, 1);
	assert_int_equal(talk_side(&t, A)->packets, 3);
	assert_int_equal(talk_side(&t, A)->payload, 300);
	assert_int_equal(talk_side(&t, A)->bytes, 3 * 128);
	assert_true(talk_flow(&t)->request_hash);

	echo(&t, 3000, A, ICMP_ECHO_REQUEST, 1);
	echo(&t, 3010, B, ICMP_ECHO_REPLY, 1);
	echo(&t, 4000, A, ICMP_ECHO_REQUEST, 2);
	assert_int_equal(talk_flow(&t)->asked, 2);
	assert_int_equal(talk_flow(&t)->answered, 1);
	assert_int_equal(talk_flow(&t)->end[1].port, 77);
	assert_int_equal(flows_count(t.flows), 2);
	talk_close(&t);

	talk_open(&t);
	echo(&t, 0, B, ICMP_ECHO_REPLY, 1);
	assert_true(addr_equal(&t.flow->end[0].addr, &(struct addr){ .bytes = { 10, 0, 0, 1 } }));
	assert_int_equal(t.flow->side[1].packets, 1);
	talk_close(&t);
}

static void broadcast__group_addresses__owe_no_answer(void **state)
{
	static const char *const groups[] = { "224.0.0.251", "255.255.255.255", "ff02::fb" };
	struct talk t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		talk_open(&t);
		talk_ip(&t, 0, A, PROTOCOL_UDP, 108);
		t.packet.has |= PACKET_HAS_UDP | PACKET_HAS_PORTS;
		t.packet.udp = (struct udp_header){ .src_port = 5353, .dst_port = 5353, .length = 108, .payload = 100 };
		assert_true(addr_parse(groups[i], &t.packet.ip.dst));
		assert_true(talk_hear(&t)->flags & FLOW_BROADCAST);
		assert_false(flow_one_way(talk_flow(&t)));
		talk_close(&t);
	}
	talk_open(&t);
	assert_false(datagram(&t, 0, A)->flags & FLOW_BROADCAST);
	assert_true(flow_one_way(talk_flow(&t)));
	talk_close(&t);
}

/* What has no flow is counted all the same. */
static void totals__every_packet_counts__whatever_became_of_it(void **state)
{
	const struct capture_totals *totals;
	struct talk t;

	(void)state;
	talk_open(&t);
	totals = flows_totals(t.flows);
	talk_ip(&t, 0, A, PROTOCOL_TCP, 0);
	t.packet.status = DECODE_TRUNCATED;
	t.packet.layer = LAYER_TCP;
	assert_null(talk_hear(&t));
	talk_ip(&t, 1, A, PROTOCOL_TCP, 20);
	t.packet.has |= PACKET_HAS_TCP | PACKET_HAS_PORTS;
	t.packet.tcp = (struct tcp_header){ .src_port = 1, .dst_port = 2 };
	t.packet.status = DECODE_MALFORMED;
	t.packet.layer = LAYER_TCP;
	assert_null(talk_hear(&t));
	talk_ip(&t, 2, A, 0, 0);
	t.packet.has = 0;
	t.packet.status = DECODE_UNSUPPORTED;
	t.packet.layer = LAYER_OTHER;
	assert_null(talk_hear(&t));
	talk_ip(&t, 3, A, 132, 100); /* SCTP */
	t.packet.status = DECODE_UNSUPPORTED;
	t.packet.layer = LAYER_OTHER;
	assert_non_null(talk_hear(&t));
	assert_int_equal(t.flow->protocol, 132);
	/* Only the ports are left of this one: it is of the flow, and not judged. */
	talk_ip(&t, 4, A, PROTOCOL_TCP, 20);
	t.packet.has |= PACKET_HAS_PORTS;
	t.packet.tcp = (struct tcp_header){ .src_port = 1, .dst_port = 2 };
	t.packet.status = DECODE_TRUNCATED;
	t.packet.layer = LAYER_TCP;
	assert_non_null(talk_hear(&t));
	assert_int_equal(t.flow->side[0].packets, 1);
	assert_int_equal(t.flow->side[0].has, 0);
	talk_build(&t, &(struct segment){ 5, A, 1, 1000, 1 });
	t.frame.captured = 96;
	t.packet.tcp.checksum = CHECKSUM_BAD;
	talk_hear(&t);

	assert_int_equal(totals->packets, 6);
	assert_int_equal(totals->status[DECODE_OK], 1);
	assert_int_equal(totals->status[DECODE_TRUNCATED], 2);
	assert_int_equal(totals->status[DECODE_MALFORMED], 1);
	assert_int_equal(totals->status[DECODE_UNSUPPORTED], 2);
	assert_int_equal(totals->by_layer[LAYER_TCP], 3);
	assert_int_equal(totals->ip, 5);
	assert_int_equal(totals->tcp, 4);
	assert_int_equal(totals->payload_cut, 1);
	assert_int_equal(totals->bad_checksums, 1);
	assert_int_equal(totals->flows, 3);
	assert_int_equal(totals->first_ns, TALK_START_NS);
	assert_int_equal(totals->last_ns, TALK_START_NS + INT64_C(5000000));
	talk_add_up(&t);
	talk_close(&t);
}

/* Cut inside of a tunnel, the outer datagram is no flow; longer than its frame by its own header, it is one with all that it says. */
static void truncated__udp_at_its_ip_layer__is_a_flow_when_its_end_is_missing(void **state)
{
	static const uint8_t bytes[14];
	struct talk t;

	(void)state;
	for (unsigned longer = 0; longer < 2; longer++) {
		talk_open(&t);
		talk_ip(&t, 0, A, PROTOCOL_UDP, 108);
		t.packet.has |= PACKET_HAS_UDP | PACKET_HAS_PORTS;
		t.packet.udp = (struct udp_header){ .src_port = 5000, .dst_port = 4789, .length = 108, .payload = 100 };
		t.packet.status = DECODE_TRUNCATED;
		t.packet.layer = LAYER_IPV4;
		t.frame.bytes = bytes;
		t.packet.ip_bytes = bytes + 14;
		t.frame.wire -= longer;
		talk_hear(&t);
		assert_int_equal(flows_count(t.flows), longer);
		talk_close(&t);
	}
}

static void truncated__tcp_at_any_layer__counts_with_what_it_carries(void **state)
{
	static const uint8_t layers[] = { LAYER_IPV4, LAYER_IPV6, LAYER_TCP };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		struct talk t;

		talk_open(&t);
		talk_build(&t, &(struct segment){ 0, A, 1, 1000, 1 });
		t.packet.status = DECODE_TRUNCATED;
		t.packet.layer = layers[i];
		talk_hear(&t);
		assert_int_equal(talk_side(&t, A)->seq_next - talk_side(&t, A)->isn, 1000);
		talk_close(&t);
	}
}

/* A clock set back by an hour: nothing lasts less than nothing, and what follows is measured on. */
static void clock__goes_back__durations_do_not(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,
						{ 5000000, A, 1, 100, 1 },
						{ 1400000, B, 1, 0, 101 },
						{ 1400100, A, 101, 100, 1 },
						{ 1400099.9, B, 1, 0, 201 },
						{ 1400400, A, 201, 100, 1 },
						{ 1400410, B, 1, 0, 301 } };
	const struct capture_totals *totals;
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	totals = flows_totals(t.flows);
	assert_int_equal(totals->clock_back, 2);
	assert_int_equal(totals->clock_jumps, 1);
	assert_int_equal(totals->clock_back_max_us, INT64_C(3600000000));
	assert_int_equal(t.counted[EVENT_CLOCK_BACK], 2);
	assert_int_equal(talk_side(&t, A)->rtt_count, 3);
	assert_int_equal(talk_side(&t, A)->rtt_min_us, 0);
	assert_int_equal(talk_side(&t, A)->rtt_max_us, 10000);
	assert_int_equal(flow_last_ns(talk_flow(&t)), TALK_START_NS + INT64_C(5000410000000));
	talk_add_up(&t);
	talk_close(&t);
}

static void clock__any_time_at_all__is_survived(void **state)
{
	static const int64_t times[] = { 0, INT64_MAX, INT64_MIN, 1, INT64_MAX - 1, -1, INT64_MAX / 2, 5, INT64_MAX, 0 };
	struct talk t;

	(void)state;
	talk_open(&t);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		talk_build(&t, &(struct segment){ 0, i % 2, 1 + (uint32_t)i * 10, 10, 1 });
		t.frame.time_ns = times[i];
		assert_non_null(talk_hear(&t));
		assert_true(flow_last_ns(t.flow) >= t.flow->first_ns);
	}
	flows_end(t.flows);
	talk_add_up(&t);
	talk_close(&t);
}

/* A live capture knows how long it has waited; the clock of packets is never behind what it was. */
static void end__live_capture_without_more_packets__is_when_it_was_told(void **state)
{
	const int64_t waited_ns = INT64_C(40000000000);
	struct talk t;

	(void)state;
	talk_open(&t);
	flows_watched(t.flows, TALK_START_NS);
	assert_int_equal(flows_totals(t.flows)->last_ns, 0);
	talk_send(&t, &(struct segment){ 0, A, 0, 0, 0, TCP_SYN });
	talk_send(&t, &(struct segment){ 1000, A, 0, 0, 0, TCP_SYN });
	flows_end(t.flows);
	assert_int_equal(talk_flow(&t)->syn_wait_ms, 1000);
	flows_watched(t.flows, TALK_START_NS + waited_ns);
	flows_end(t.flows);
	assert_int_equal(talk_flow(&t)->syn_wait_ms, 40000);
	assert_int_equal(flows_totals(t.flows)->last_ns - flows_totals(t.flows)->first_ns, waited_ns);
	flows_watched(t.flows, INT64_MIN);
	flows_end(t.flows);
	assert_int_equal(talk_flow(&t)->syn_wait_ms, 40000);
	talk_close(&t);
}

/* The same packet on three interfaces of a host that routes it: one packet. */
static void copies__routing_host__are_taken_out(void **state)
{
	struct talk t;

	(void)state;
	talk_open(&t);
	datagram(&t, 0, A);
	for (unsigned i = 0; i < 2; i++) {
		t.frame.interface = i + 1;
		t.frame.number++;
		t.frame.time_ns += 20000;
		t.packet.ip.hop_limit = (uint8_t)(64 - i);
		assert_ptr_equal(talk_hear(&t), flows_at(t.flows, 0));
	}
	assert_int_equal(talk_flow(&t)->side[0].packets, 1);
	assert_int_equal(talk_flow(&t)->side[0].duplicates, 2);
	assert_int_equal(flows_totals(t.flows)->duplicates, 2);
	assert_int_equal(t.counted[EVENT_ROUTING_LOOP], 0);
	talk_add_up(&t);
	talk_close(&t);
}

static void loop__packet_comes_round__is_one_report_and_no_flood_of_copies(void **state)
{
	const struct loop_report *report;
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	datagram(&t, 0, A);
	for (unsigned i = 1; i <= 20; i++) {
		t.frame.number++;
		t.frame.time_ns += 30000000;
		t.packet.ip.hop_limit = (uint8_t)(64 - 2 * i);
		talk_hear(&t);
	}
	report = flows_loops(t.flows, &count);
	assert_int_equal(count, 1);
	assert_int_equal(report->count, 21);
	assert_int_equal(report->step, 2);
	assert_int_equal(report->ttl_first, 64);
	assert_int_equal(report->ttl_last, 24);
	assert_int_equal(report->first_ns, TALK_START_NS);
	assert_int_equal(t.counted[EVENT_ROUTING_LOOP], 1);
	assert_int_equal(flows_totals(t.flows)->duplicates, 1);
	assert_int_equal(talk_flow(&t)->side[0].packets, 1);
	talk_close(&t);
}

/* 64, 62, 61: the way there and back differ, or it is something else. Not a loop until it proves to be one. */
static void loop__uneven_steps__are_none(void **state)
{
	static const uint8_t hops[] = { 62, 61, 57 };
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	datagram(&t, 0, A);
	for (size_t i = 0; i < ARRAY_SIZE(hops); i++) {
		t.frame.time_ns += 1000000;
		t.packet.ip.hop_limit = hops[i];
		talk_hear(&t);
	}
	flows_loops(t.flows, &count);
	assert_int_equal(count, 0);
	assert_int_equal(flows_totals(t.flows)->duplicates, 3);
	talk_close(&t);
}

/* Without an id a second pass may be said again; the third says what it was. */
static void loop__ipv6__is_known_at_the_third_pass(void **state)
{
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	t.v6 = true;
	datagram(&t, 0, A);
	for (unsigned i = 1; i <= 5; i++) {
		t.frame.number++;
		t.frame.time_ns += 30000000;
		t.packet.ip.hop_limit = (uint8_t)(64 - i);
		talk_hear(&t);
	}
	assert_int_equal(flows_loops(t.flows, &count)->count, 6);
	assert_int_equal(count, 1);
	assert_int_equal(talk_flow(&t)->side[0].packets, 2);
	talk_close(&t);
}

static void loops__more_than_are_kept__are_counted(void **state)
{
	struct talk t;
	size_t count;

	(void)state;
	talk_open(&t);
	for (unsigned n = 0; n < 80; n++) {
		t.port[A] = (uint16_t)(1000 + n);
		datagram(&t, n * 10, A);
		for (unsigned i = 1; i <= 3; i++) {
			t.frame.time_ns += 1000000;
			t.packet.ip.hop_limit--;
			talk_hear(&t);
		}
	}
	flows_loops(t.flows, &count);
	assert_int_equal(count, 64);
	assert_int_equal(flows_totals(t.flows)->loops_lost, 16);
	talk_close(&t);
}

/* A short connection: opened, closed; @again: with a retransmission. */
static void connection(struct talk *t, uint16_t port, double at, bool again, bool closed)
{
	const struct segment scene[] = { { at, A, 0, 0, 0, TCP_SYN },	     { at + 1, B, 0, 0, 1, TCP_SYN | TCP_ACK },
					 { at + 2, A, 1, 0, 1 },	     { at + 3, A, 1, 100, 1 },
					 { at + 4, B, 1, 0, 101 },	     { at + 300, A, 101, 0, 1, TCP_FIN | TCP_ACK },
					 { at + 301, B, 1, 0, 102, TCP_FIN | TCP_ACK }, { at + 302, A, 102, 0, 2 } };

	t->port[A] = port;
	for (size_t i = 0; i < (closed ? 8 : 5); i++) {
		talk_send(t, &scene[i]);
		if (again && i == 3)
			talk_send(t, &(struct segment){ at + 3.5, A, 1, 100, 1 });
	}
}

static bool stands(const struct talk *t, uint16_t port)
{
	struct endpoint a = { talk_address(t, A), port }, b = { talk_address(t, B), 80 };

	return flows_find(t->flows, PROTOCOL_TCP, &a, &b);
}

/* 1: closed with a retransmission. 2: open, long idle. 3: closed, clean. 4: open, clean, heard of lately. 5…16: open, with a retransmission. */
static void table__full__lets_go_in_order(void **state)
{
	const struct capture_totals *totals;
	struct talk t;

	(void)state;
	talk_open_for(&t, 16);
	totals = flows_totals(t.flows);
	connection(&t, 1, 0, true, true);
	connection(&t, 2, 400, false, false);
	connection(&t, 3, 90000, false, true);
	connection(&t, 4, 91000, false, false);
	for (uint16_t i = 5; i <= 16; i++)
		connection(&t, i, 91000 + i * 100, true, false);
	assert_int_equal(flows_count(t.flows), 16);
	assert_int_equal(totals->expired + totals->evicted, 0);

	connection(&t, 17, 95000, true, false);
	assert_false(stands(&t, 3));
	assert_true(stands(&t, 1) && stands(&t, 2));
	assert_int_equal(totals->expired, 1);
	connection(&t, 18, 95400, true, false);
	assert_false(stands(&t, 2));
	assert_int_equal(totals->expired, 2);
	assert_int_equal(totals->evicted, 0);
	connection(&t, 19, 95800, true, false);
	assert_false(stands(&t, 1));
	assert_int_equal(totals->evicted, 1);
	connection(&t, 20, 96200, true, false);
	assert_false(stands(&t, 4));
	assert_int_equal(totals->evicted, 2);
	assert_int_equal(flows_count(t.flows), 16);
	assert_int_equal(totals->flows, 20);
	for (uint16_t i = 5; i <= 20; i++)
		assert_true(stands(&t, i));
	talk_close(&t);
}

/* Who goes is decided for many at once; one that is heard from in between is passed over. */
static void table__candidate_speaks_again__stays(void **state)
{
	struct talk t;

	(void)state;
	talk_open_for(&t, 16);
	for (uint16_t i = 1; i <= 16; i++)
		connection(&t, i, i * 100, true, false);
	connection(&t, 17, 90000, true, false);
	assert_false(stands(&t, 1));
	t.port[A] = 2;
	talk_send(&t, &(struct segment){ 90500, A, 101, 100, 1 });
	connection(&t, 18, 91000, true, false);
	assert_true(stands(&t, 2));
	assert_false(stands(&t, 3));
	talk_close(&t);
}

/* Many more flows than there is room for: every one that stands is found, no other is. */
static void table__turned_over_many_times__finds_what_stands(void **state)
{
	const struct capture_totals *totals;
	const struct flow *flow;
	struct talk t;

	(void)state;
	talk_open_for(&t, 100);
	totals = flows_totals(t.flows);
	for (uint32_t i = 0; i < 5000; i++) {
		t.port[A] = (uint16_t)(1 + i * 7919 % 60000);
		talk_send(&t, &(struct segment){ i, A, 1, 100, 1 });
		assert_true(stands(&t, t.port[A]));
	}
	assert_int_equal(flows_count(t.flows), 100);
	assert_int_equal(totals->flows, 5000);
	assert_int_equal(totals->expired + totals->evicted, 4900);
	for (size_t i = 0; (flow = flows_at(t.flows, i)); i++) {
		assert_ptr_equal(flows_find(t.flows, PROTOCOL_TCP, &flow->end[1], &flow->end[0]), flow);
		/* The hundred newest. */
		assert_true(flow->number > 4900);
	}
	talk_close(&t);
}

static void memory__default_table__takes_512_bytes_a_flow(void **state)
{
	struct flows *flows = flows_new(&(struct flows_options){ .max_flows = FLOWS_DEFAULT });

	(void)state;
	assert_true(flows_memory(flows) <= (size_t)512 * FLOWS_DEFAULT);
	/* It is all counted: the slots alone take most of it. */
	assert_true(flows_memory(flows) > (size_t)FLOWS_DEFAULT * sizeof(struct flow));
	flows_free(flows);
	flows_free(NULL);
}

static void on_new(struct flow *flow, void *context)
{
	unsigned *calls = context;

	assert_int_equal(flow->side[0].packets + flow->side[1].packets, 0);
	flow->owner = ++*calls;
}

static void on_new__called_once__before_anything_is_counted(void **state)
{
	unsigned calls = 0;
	struct talk t;

	(void)state;
	talk_open(&t);
	flows_free(t.flows);
	t.flows = flows_new(&(struct flows_options){ .max_flows = 16, .on_new = on_new, .context = &calls });
	talk_send(&t, &(struct segment){ 0, A, 1, 100, 1 });
	talk_send(&t, &(struct segment){ 1, B, 1, 100, 1 });
	assert_int_equal(calls, 1);
	assert_int_equal(talk_flow(&t)->owner, 1);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key__vlan_and_tunnel__keep_flows_apart),
		cmocka_unit_test(exchange__udp_and_echo__requests_and_replies_are_counted),
		cmocka_unit_test(broadcast__group_addresses__owe_no_answer),
		cmocka_unit_test(totals__every_packet_counts__whatever_became_of_it),
		cmocka_unit_test(truncated__udp_at_its_ip_layer__is_a_flow_when_its_end_is_missing),
		cmocka_unit_test(truncated__tcp_at_any_layer__counts_with_what_it_carries),
		cmocka_unit_test(clock__goes_back__durations_do_not),
		cmocka_unit_test(clock__any_time_at_all__is_survived),
		cmocka_unit_test(end__live_capture_without_more_packets__is_when_it_was_told),
		cmocka_unit_test(copies__routing_host__are_taken_out),
		cmocka_unit_test(loop__packet_comes_round__is_one_report_and_no_flood_of_copies),
		cmocka_unit_test(loop__uneven_steps__are_none),
		cmocka_unit_test(loop__ipv6__is_known_at_the_third_pass),
		cmocka_unit_test(loops__more_than_are_kept__are_counted),
		cmocka_unit_test(table__full__lets_go_in_order),
		cmocka_unit_test(table__candidate_speaks_again__stays),
		cmocka_unit_test(table__turned_over_many_times__finds_what_stands),
		cmocka_unit_test(memory__default_table__takes_512_bytes_a_flow),
		cmocka_unit_test(on_new__called_once__before_anything_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
