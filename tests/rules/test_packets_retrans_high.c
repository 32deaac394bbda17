/* SPDX-License-Identifier: MIT */
/* retrans-high in packets: how much is lost where, and everything that is sent again without being lost. */
#include "rules.h"

#define RULE "retrans-high"
#define US "10.0.0.1:40000"
#define THEM "10.9.9.9:443"
#define FAR "203.0.114.9:443"

/* @side sends 10000 packets of 1000 bytes over thirty seconds, @again of them repetitions. */
static struct flow *bulk_of(struct flow *flow, unsigned side, uint32_t again)
{
	struct flow_side *own = &flow->side[side];

	own->packets = 10000;
	own->payload = 10000 * UINT64_C(1000);
	own->last_ns = own->last_payload_ns = wire_ns(30);
	own->retransmissions = again;
	own->fast = (uint16_t)again;
	own->rtt_count = 1000;
	return flow;
}

static struct flow *bulk(struct wire *w, const char *us, const char *them, uint32_t again)
{
	return bulk_of(wire_tcp(w, us, them), 0, again);
}

static void loss__to_a_private_peer__is_told_with_its_numbers(void **state)
{
	const struct finding *f;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = bulk(&w, US, THEM, 210);
	flow->side[0].spurious = 10;
	wire_owner(&w, flow, 0, 4121, "app");
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(f->confidence == 0.9);
	assert_int_equal(f->scope.pid, 4121);
	expect_text(f, f->title, "2 % of what is sent to 10.9.9.9:443 is lost");
	expect_text(f, f->detail, "210 of 10000 packets sent again on 1 of 1 connection, 10 of them needlessly");
	expect_text(f, f->detail, "round trips hardly vary");
	assert_int_equal(evidence_of(f, "lost"), 200);
	assert_string_equal(f->threshold.name, "seen_private_loss");
	wire_close(&w);
}

static void limits__by_address_class__count_what_chance_leaves(void **state)
{
	/* percent less twice the square root of the count: 76 → 0.586, 70 → 0.533, 66 → 0.497 */
	static const struct {
		const char *peer;
		uint32_t again;
		int severity;
	} rows[] = {
		{ THEM, 66, -1 }, { THEM, 67, SEVERITY_WARNING }, { THEM, 336, SEVERITY_WARNING }, { THEM, 337, SEVERITY_CRITICAL },
		{ FAR, 336, -1 }, { FAR, 337, SEVERITY_WARNING },  { FAR, 1065, SEVERITY_WARNING }, { FAR, 1066, SEVERITY_CRITICAL },
		{ "[2a00:1450::9]:443", 337, SEVERITY_WARNING },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		bulk(&w, *rows[i].peer == '[' ? "[2a00:1450::1]:40000" : US, rows[i].peer, rows[i].again);
		wire_judge(&w);
		if (rows[i].severity >= 0)
			wire_expect_one(&w, (enum severity)rows[i].severity);
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void few__packets_or_losses__say_nothing(void **state)
{
	static const struct {
		uint32_t packets, again;
		bool fires;
	} rows[] = { { 100, 10, true }, { 99, 10, false }, { 100, 9, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		flow = bulk(&w, US, THEM, rows[i].again);
		flow->side[0].packets = rows[i].packets;
		flow->side[0].payload = 50000;
		wire_judge(&w);
		if (rows[i].fires)
			wire_expect_one(&w, SEVERITY_CRITICAL);
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void flows__that_lost_nothing__count_as_well(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	bulk(&w, US, THEM, 70);
	wire_judge(&w);
	wire_expect_one(&w, SEVERITY_WARNING);
	bulk(&w, "10.0.0.1:40001", THEM, 0);
	wire_judge(&w);
	wire_expect_silence(&w);
	assert_int_equal(w.verdict.miss_count, 1);
	wire_close(&w);
}

static void direction__to_this_machine__is_judged_apart(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = bulk_of(wire_tcp(&w, US, THEM), 1, 200);
	wire_owner(&w, flow, 0, 4121, "app");
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->title, "2 % of what 10.9.9.9:443 sends is lost before it gets here");
	/* where it is not known who we are, the receiver is the peer */
	flow->flags &= ~(uint32_t)FLOW_LOCAL_KNOWN;
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->title, "sent to 10.0.0.1:40000 is lost");
	wire_close(&w);
}

static void expect_silent(void (*change)(struct flow *flow))
{
	struct wire w;

	wire_open(&w, RULE);
	change(bulk(&w, US, THEM, 200));
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void needless(struct flow *flow)
{
	flow->side[0].spurious = 160;
}

static void syns(struct flow *flow)
{
	flow->side[0].syn_retries = 200;
}

static void reordered(struct flow *flow)
{
	flow->side[0].retransmissions = 0;
	flow->side[0].out_of_order = 500;
}

static void missed_by_the_capture(struct flow *flow)
{
	flow->side[1].acked_unseen = 190;
}

static void never_acknowledged(struct flow *flow)
{
	flow->side[0].ip_dead_min = 1500;
	flow->side[0].dead_tries = 4;
	flow->side[0].dead_ms = 3000;
}

static void too_big(struct flow *flow)
{
	flow->icmp_errors = 1;
	flow->icmp_class = ICMP_TOO_BIG;
}

static void one_direction_only(struct flow *flow)
{
	wire_silent(flow, 1);
}

static void duplicated_frames(struct flow *flow)
{
	flow->side[0].retransmissions = 0;
	flow->side[0].duplicates = 5000;
}

static void look_alikes__are_silent(void **state)
{
	(void)state;
	expect_silent(needless);
	expect_silent(syns);
	expect_silent(reordered);
	expect_silent(missed_by_the_capture);
	expect_silent(never_acknowledged);
	expect_silent(too_big);
	expect_silent(one_direction_only);
	expect_silent(duplicated_frames);
}

static void stuck__not_for_long_yet__is_loss_like_any_other(void **state)
{
	static const struct {
		uint16_t tries;
		uint32_t ms;
	} rows[] = { { 3, 60000 }, { 9, 2999 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		flow = bulk(&w, US, THEM, 3000);
		flow->side[0].ip_dead_min = 1500;
		flow->side[0].dead_tries = rows[i].tries;
		flow->side[0].dead_ms = rows[i].ms;
		wire_judge(&w);
		wire_expect_one(&w, SEVERITY_CRITICAL);
		wire_close(&w);
	}
}

static void spurious__below_four_fifths__is_taken_off(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	bulk(&w, US, THEM, 1000)->side[0].spurious = 799;
	wire_judge(&w);
	assert_int_equal(evidence_of(wire_expect_one(&w, SEVERITY_WARNING), "lost"), 201);
	wire_close(&w);
}

static void super_segments__bytes_tell_how_many_were_sent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = bulk(&w, US, THEM, 50);
	flow->side[0].packets = 300;
	flow->flags |= FLOW_SUPER_SEGMENTS;
	flow->side[0].payload = 14600000;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void capture__that_drops_as_much__explains_it(void **state)
{
	struct wire w;

	(void)state;
	for (unsigned dropped = 204; dropped <= 205; dropped++) { /* of some 10200: two percent, as seem to be lost */
		wire_open(&w, RULE);
		w.source.has_drops = true;
		w.source.dropped_kernel = dropped;
		bulk(&w, US, THEM, 200);
		wire_judge(&w);
		if (dropped > 204) {
			wire_expect_silence(&w);
			wire_expect_part_skipped(&w, "the capture itself missed");
		} else {
			wire_expect_one(&w, SEVERITY_WARNING);
		}
		wire_close(&w);
	}
}

static void timeouts__half_of_them_and_ten_a_second__raise_it(void **state)
{
	static const struct {
		uint16_t timeouts;
		enum severity severity;
	} rows[] = { { 300, SEVERITY_CRITICAL }, { 299, SEVERITY_WARNING } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		bulk(&w, US, FAR, 500)->side[0].timeouts = rows[i].timeouts;
		wire_judge(&w);
		wire_expect_one(&w, rows[i].severity);
		assert_string_equal(w.verdict.findings[0]->threshold.name, rows[i].severity == SEVERITY_CRITICAL ? "seen_timeouts" : "seen_global_loss");
		wire_close(&w);
	}
}

static void round_trips__tell_a_queue_from_a_policer(void **state)
{
	static const struct {
		uint32_t least_us, most_us, count;
		const char *says;
	} rows[] = {
		{ 10000, 20000, 10, "a queue may fill up" },	{ 10000, 19999, 10, "hardly vary" },
		{ 1000, 10999, 10, "hardly vary" },		{ 1000, 11000, 10, "a queue may fill up" },
		{ 10000, 20000, 9, "too few round trips" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		flow = bulk(&w, US, THEM, 200);
		flow->side[0].rtt_min_us = rows[i].least_us;
		flow->side[0].rtt_max_us = rows[i].most_us;
		flow->side[0].rtt_count = rows[i].count;
		wire_judge(&w);
		expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->detail, rows[i].says);
		wire_close(&w);
	}
}

static void doubts__reordering_and_trust__are_told(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.7;
	flow = bulk(&w, US, THEM, 200);
	flow->side[0].out_of_order = 201;
	flow->flags |= FLOW_SUPER_SEGMENTS;
	wire_judge(&w);
	assert_true(wire_expect_one(&w, SEVERITY_WARNING)->confidence < 0.7);
	expect_against(w.verdict.findings[0], "201 segments came out of order");
	expect_against(w.verdict.findings[0], "capture-quality");
	expect_against(w.verdict.findings[0], "the loss is at least this");
	wire_close(&w);
}

static void clients_of_the_internet__have_to_stand_out(void **state)
{
	struct wire w;
	char client[64];

	(void)state;
	for (unsigned networks = 4; networks <= 5; networks++) {
		wire_open(&w, RULE);
		for (unsigned i = 0; i < networks; i++) {
			snprintf(client, sizeof(client), "8.8.%u.8:5000", i);
			bulk_of(wire_tcp(&w, client, "10.0.0.1:443"), 1, 500);
		}
		wire_judge(&w);
		if (networks < 5)
			wire_expect_silence(&w);
		else
			expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->title, "10.0.0.1:443 sends to its clients is lost");
		wire_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss__to_a_private_peer__is_told_with_its_numbers),
		cmocka_unit_test(limits__by_address_class__count_what_chance_leaves),
		cmocka_unit_test(few__packets_or_losses__say_nothing),
		cmocka_unit_test(flows__that_lost_nothing__count_as_well),
		cmocka_unit_test(direction__to_this_machine__is_judged_apart),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(stuck__not_for_long_yet__is_loss_like_any_other),
		cmocka_unit_test(spurious__below_four_fifths__is_taken_off),
		cmocka_unit_test(super_segments__bytes_tell_how_many_were_sent),
		cmocka_unit_test(capture__that_drops_as_much__explains_it),
		cmocka_unit_test(timeouts__half_of_them_and_ten_a_second__raise_it),
		cmocka_unit_test(round_trips__tell_a_queue_from_a_policer),
		cmocka_unit_test(doubts__reordering_and_trust__are_told),
		cmocka_unit_test(clients_of_the_internet__have_to_stand_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
