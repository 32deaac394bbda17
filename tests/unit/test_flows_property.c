/* SPDX-License-Identifier: MIT */
/* What must hold of any packets at all: counts that add up, nothing that overflows, the same numbers for the same packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "segments.h"

#define SEEDS 60
#define PACKETS 3000

struct dice {
	uint64_t state;
};

static uint32_t roll(struct dice *dice, uint32_t sides)
{
	dice->state += 0x9e3779b97f4a7c15;
	return (uint32_t)((hash_u64(dice->state) >> 32) * sides >> 32);
}

/* Mostly near where the connection stands, now and then anywhere. */
static uint32_t number(struct dice *dice, uint32_t near)
{
	switch (roll(dice, 40)) {
	case 0:
		return roll(dice, UINT32_MAX);
	case 1:
		return near + (1u << 31) - roll(dice, 3);
	case 2:
		return near - roll(dice, 100000);
	default:
		return near - roll(dice, 5) * 500 + roll(dice, 3) * 500;
	}
}

static uint16_t some_flags(struct dice *dice)
{
	static const uint16_t flags[] = { TCP_SYN, TCP_SYN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK, TCP_FIN | TCP_ACK, NO_FLAGS, TCP_FIN | TCP_SYN | TCP_RST, 0x1ff };

	return roll(dice, 12) ? TCP_ACK : flags[roll(dice, ARRAY_SIZE(flags))];
}

/* A random segment of one of three connections, which advances more often than not. */
static void random_segment(struct talk *t, struct dice *dice, double *at_ms, uint32_t *sent)
{
	unsigned side = roll(dice, 2);
	uint32_t length = roll(dice, 4) ? 500 : roll(dice, 3);
	struct segment s = { .side = (uint8_t)side, .length = length, .flags = some_flags(dice) };

	*at_ms += roll(dice, 50) ? roll(dice, 2000) / 1000.0 : roll(dice, 50000);
	if (!roll(dice, 200))
		*at_ms = MAX(0, *at_ms - roll(dice, 5000));
	s.at_ms = *at_ms;
	s.seq = number(dice, sent[side]);
	s.ack = number(dice, sent[!side]);
	if (roll(dice, 3))
		sent[side] += length;
	s.shut = !roll(dice, 10);
	s.no_id = !roll(dice, 10);
	s.id = roll(dice, 20) ? 0 : (uint16_t)roll(dice, 65536);
	s.interface = roll(dice, 3);
	if (!roll(dice, 4)) {
		s.left[0] = number(dice, sent[!side]);
		s.right[0] = s.left[0] + 500;
	}
	t->port[A] = (uint16_t)(40000 + roll(dice, 3));
	talk_build(t, &s);
	t->packet.ip.is_fragment = t->packet.ip.more = !roll(dice, 100);
	if (!roll(dice, 100))
		t->packet.status = (uint8_t)roll(dice, DECODE_STATUS_COUNT);
}

static void random_error(struct talk *t, struct dice *dice, double at_ms)
{
	talk_ip(t, at_ms, B, PROTOCOL_ICMP, 36);
	t->packet.has |= PACKET_HAS_ICMP | PACKET_HAS_QUOTE;
	t->packet.icmp = (struct icmp_header){ .type = (uint8_t)roll(dice, 20), .class = (uint8_t)roll(dice, ICMP_CLASS_COUNT), .mtu = roll(dice, 70000) };
	t->packet.icmp.quote = (struct icmp_quote){ .has = PACKET_HAS_TCP | PACKET_HAS_PORTS,
						    .src_port = (uint16_t)(40000 + roll(dice, 3)),
						    .dst_port = 80,
						    .seq = roll(dice, UINT32_MAX) };
	t->packet.icmp.quote.ip = (struct ip_header){ .src = talk_address(t, A), .dst = talk_address(t, B), .protocol = PROTOCOL_TCP, .length = roll(dice, 70000) };
}

/* Hears @PACKETS random packets. Return: how many of them were judged within no flow and were no copies. */
static uint64_t hear_random(struct talk *t, uint64_t seed)
{
	struct dice dice = { seed };
	uint32_t sent[2] = { 1, 1 };
	uint64_t outside = 0;
	double at_ms = 0;

	for (unsigned i = 0; i < PACKETS; i++) {
		uint64_t copies = flows_totals(t->flows)->duplicates;
		bool error = !roll(&dice, 50);
		const struct flow *flow;

		if (error)
			random_error(t, &dice, at_ms);
		else
			random_segment(t, &dice, &at_ms, sent);
		flow = talk_hear(t);
		if (flows_totals(t->flows)->duplicates == copies && (!flow || error))
			outside += !(error && flow && flow->protocol == PROTOCOL_ICMP);
		if (!roll(&dice, 500))
			flows_end(t->flows);
	}
	flows_end(t->flows);
	return outside;
}

static void random_packets__any_seed__counts_add_up(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		const struct capture_totals *totals;
		uint64_t outside, within = 0;
		const struct flow *flow;
		struct talk t;

		talk_open_for(&t, PACKETS);
		t.timestamps = seed % 3;
		t.v6 = !(seed % 4);
		totals = flows_totals(t.flows);
		outside = hear_random(&t, seed);
		talk_add_up(&t);
		for (size_t i = 0; (flow = flows_at(t.flows, i)); i++) {
			within += flow->side[A].packets + flow->side[B].packets;
			assert_true(flow_last_ns(flow) >= flow->first_ns);
			assert_true(flow->closer <= 2 && flow->resetter <= 2 && flow->state < FLOW_STATE_COUNT);
		}
		assert_int_equal(totals->packets, PACKETS);
		assert_int_equal(within + outside + totals->duplicates, PACKETS);
		assert_int_equal(totals->expired + totals->evicted, 0);
		assert_int_equal(totals->flows, flows_count(t.flows));
		talk_close(&t);
	}
}

static void random_packets__heard_twice__give_the_same_numbers(void **state)
{
	struct talk one, two;

	(void)state;
	talk_open_for(&one, 16);
	talk_open_for(&two, 16);
	hear_random(&one, 4711);
	hear_random(&two, 4711);
	assert_memory_equal(flows_totals(one.flows), flows_totals(two.flows), sizeof(struct capture_totals));
	assert_int_equal(flows_count(one.flows), flows_count(two.flows));
	for (size_t i = 0; i < flows_count(one.flows); i++)
		assert_memory_equal(flows_at(one.flows, i), flows_at(two.flows, i), sizeof(struct flow));
	talk_close(&one);
	talk_close(&two);
}

/* A table that is far too small turns over all the time, and hop limits change at will. */
static void random_packets__tiny_table__stays_sound(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct dice dice = { seed };
		uint32_t sent[2] = { 1, 1 };
		double at_ms = 0;
		struct talk t;

		talk_open_for(&t, 16);
		for (unsigned i = 0; i < PACKETS; i++) {
			random_segment(&t, &dice, &at_ms, sent);
			t.port[B] = (uint16_t)roll(&dice, 40);
			t.packet.tcp.dst_port = t.port[B];
			t.packet.ip.hop_limit = (uint8_t)roll(&dice, 256);
			talk_hear(&t);
		}
		flows_end(t.flows);
		assert_int_equal(flows_count(t.flows), 16);
		assert_int_equal(flows_totals(t.flows)->flows, 16 + flows_totals(t.flows)->expired + flows_totals(t.flows)->evicted);
		for (size_t kind = 0; kind < EVENT_KIND_COUNT; kind++)
			assert_int_equal(flows_totals(t.flows)->events[kind], t.counted[kind]);
		talk_close(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_packets__any_seed__counts_add_up),
		cmocka_unit_test(random_packets__heard_twice__give_the_same_numbers),
		cmocka_unit_test(random_packets__tiny_table__stays_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
