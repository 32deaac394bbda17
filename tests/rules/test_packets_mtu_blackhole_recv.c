/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-recv in packets: a short end behind a hole, and answers that are only late. */
#include "rules.h"

#define RULE "mtu-blackhole-recv"
#define US "10.0.0.1:40000"
#define THEM "10.9.9.9:443"

/* We ask @server; of an answer in three segments of @segment and a short one only the short one comes, at one second, and the capture ends at eight. */
static struct flow *holed(struct wire *w, const char *us, const char *server, uint32_t segment)
{
	struct flow *flow = wire_tcp(w, us, server);
	struct flow_side *own = &flow->side[0], *other = &flow->side[1];

	own->ack = other->isn + 1;
	other->payload = other->max_payload = 656;
	other->seq_next = own->ack + 3 * segment + 656;
	other->last_ns = other->last_payload_ns = wire_ns(1);
	own->duplicate_acks = 1;
	own->last_ns = wire_ns(1.001);
	wire_lasts(w, 8);
	return flow;
}

static void hole__whole_segments_before_a_short_end__is_told(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_owner(&w, holed(&w, US, THEM, 1448), 0, 4121, "app");
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(f->confidence == 0.85);
	assert_int_equal(f->scope.pid, 4121);
	expect_text(f, f->title, "large packets from 10.9.9.9:443 do not arrive");
	expect_text(f, f->detail, "1 connection waiting for 7 s at least · 4344 B missing before what 1 duplicate ACK answered");
	expect_text(f, f->detail, "segments of 656 B arrive, 1460 B are allowed");
	expect_against(f, "size is inferred");
	assert_int_equal(evidence_of(f, "whole_segments"), 1);
	assert_int_equal(evidence_of(f, "in_order"), 0);
	wire_close(&w);
}

static void hole__of_another_size__is_less_sure(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	holed(&w, US, THEM, 1403);
	wire_judge(&w);
	assert_true(wire_expect_one(&w, SEVERITY_WARNING)->confidence == 0.8);
	wire_close(&w);
}

static void limits__at_their_edges(void **state)
{
	static const struct {
		double ends_s;
		uint32_t acks;
		uint16_t largest, mss;
		bool fires;
	} rows[] = {
		{ 4, 1, 656, 1460, true },   { 3.99, 1, 656, 1460, false }, { 4, 0, 656, 1460, false },
		{ 4, 1, 1021, 1460, true },  { 4, 1, 1023, 1460, false },   { 4, 1, 656, 1221, true },
		{ 4, 1, 656, 1220, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow *flow, *other;
		struct wire w;

		wire_open(&w, RULE);
		flow = holed(&w, US, THEM, 1448);
		flow->side[0].duplicate_acks = rows[i].acks;
		flow->side[0].mss = rows[i].mss;
		other = wire_tcp(&w, "10.0.0.1:40001", "10.9.9.9:80"); /* another connection tells what arrives */
		other->side[1].max_payload = rows[i].largest;
		wire_lasts(&w, rows[i].ends_s);
		wire_judge(&w);
		if (rows[i].fires)
			wire_expect_one(&w, SEVERITY_WARNING);
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void closed__by_the_one_who_waited__still_counts(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = holed(&w, US, THEM, 1448);
	wire_reset(flow, 0, 6);
	wire_judge(&w);
	assert_int_equal(evidence_of(wire_expect_one(&w, SEVERITY_WARNING), "waited"), 5000);
	wire_reset(flow, 0, 3.5);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void quiet__two_requests_without_any_end__are_a_hint(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 2; i++) {
		char us[64];
		struct flow *flow;

		snprintf(us, sizeof(us), "10.0.0.1:%u", 40000 + i);
		flow = wire_tcp(&w, us, THEM);
		flow->side[1].payload = flow->side[1].max_payload = 0;
		flow->side[1].last_payload_ns = 0;
		flow->side[1].seq_next = flow->side[0].ack = flow->side[1].isn + 1;
		wire_lasts(&w, 8);
		wire_judge(&w);
		if (!i)
			wire_expect_silence(&w);
	}
	assert_true(wire_expect_one(&w, SEVERITY_INFO)->confidence < 0.4);
	expect_against(w.verdict.findings[0], "takes its time looks the same");
	wire_tcp(&w, "10.0.0.1:40009", THEM)->side[1].max_payload = 1400;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void expect_silent(void (*change)(struct flow *flow))
{
	struct wire w;

	wire_open(&w, RULE);
	change(holed(&w, US, THEM, 1448));
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void hole_was_filled(struct flow *flow)
{
	flow->side[0].ack = flow->side[1].seq_next;
	flow->side[1].payload = 5000;
}

static void last_acknowledgement_was_not_captured(struct flow *flow)
{
	flow->side[1].payload = flow->side[1].seq_next - flow->side[0].ack;
}

static void peer_reset_it(struct flow *flow)
{
	wire_reset(flow, 1, 2);
}

static void we_are_the_sender(struct flow *flow)
{
	flow->flags |= FLOW_LOCAL_KNOWN;
	flow->local_side = 1;
}

static void we_are_full(struct flow *flow)
{
	flow->side[0].window_shut = true;
}

static void beginning_not_seen(struct flow *flow)
{
	flow->side[1].has &= (uint16_t)~SIDE_HAS_SYN;
}

static void look_alikes__are_silent(void **state)
{
	(void)state;
	expect_silent(hole_was_filled);
	expect_silent(last_acknowledgement_was_not_captured);
	expect_silent(peer_reset_it);
	expect_silent(we_are_the_sender);
	expect_silent(we_are_full);
	expect_silent(beginning_not_seen);
}

static void ipv6_and_trust(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.7;
	holed(&w, "[2001:db8::1]:40000", "[2001:db8::9]:443", 1448);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->title, "from [2001:db8::9]:443");
	expect_against(w.verdict.findings[0], "capture-quality");
	assert_true(w.verdict.findings[0]->confidence < 0.6);
	wire_close(&w);
}

static void client_of_the_internet__is_info(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = holed(&w, US, THEM, 1448);
	flow->end[1] = wire_endpoint("10.0.0.1:443");
	flow->end[0] = wire_endpoint("8.8.8.8:5000");
	/* turned round: the client sends the large request */
	struct flow_side own = flow->side[0];
	flow->side[0] = flow->side[1];
	flow->side[1] = own;
	wire_judge(&w);
	expect_against(wire_expect_one(&w, SEVERITY_INFO), "clients on the Internet");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hole__whole_segments_before_a_short_end__is_told),
		cmocka_unit_test(hole__of_another_size__is_less_sure),
		cmocka_unit_test(limits__at_their_edges),
		cmocka_unit_test(closed__by_the_one_who_waited__still_counts),
		cmocka_unit_test(quiet__two_requests_without_any_end__are_a_hint),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(ipv6_and_trust),
		cmocka_unit_test(client_of_the_internet__is_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
