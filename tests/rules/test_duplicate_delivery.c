/* SPDX-License-Identifier: MIT */
/* duplicate-delivery: copies of the network, needless repetitions, requests sent again, and what only looks like them. */
#include "rules.h"

#define RULE "duplicate-delivery"
#define US "10.0.0.1:40000"
#define THEM "10.9.9.9:443"

/* 1000 packets were sent, the receiver had @reported of them twice, @again were sent again. */
static struct flow *sent(struct wire *w, const char *us, const char *them, uint16_t reported, uint32_t again)
{
	struct flow *flow = wire_tcp(w, us, them);

	flow->side[0].packets = 1000;
	flow->side[0].retransmissions = again;
	flow->side[1].dsacks = reported;
	return flow;
}

static void network__more_reported_than_repeated__warns_from_one_percent(void **state)
{
	static const struct {
		uint16_t reported;
		uint32_t again;
		bool fires;
	} rows[] = { { 10, 0, true }, { 9, 0, false }, { 30, 20, true }, { 30, 21, false }, { 20, 30, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		sent(&w, US, THEM, rows[i].reported, rows[i].again);
		wire_judge(&w);
		if (rows[i].fires)
			expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->title,
				    "The network duplicates packets to 10.9.9.9:443: 1 % arrive twice");
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void network__few_packets__need_more_than_three(void **state)
{
	(void)state;
	for (uint16_t reported = 3; reported <= 4; reported++) {
		struct wire w;

		wire_open(&w, RULE);
		sent(&w, "[2001:db8::1]:40000", "[2001:db8::9]:443", reported, 0)->side[0].packets = 100;
		wire_judge(&w);
		if (reported > 3)
			wire_expect_one(&w, SEVERITY_WARNING);
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

/* Whoever filters for small packets sees the reports and not what was sent again. */
static void network__data_was_not_captured__is_not_judged(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	sent(&w, US, THEM, 100, 0)->side[1].acked_unseen = 1;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void frames__captured_twice__and_received_once_are_silent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = sent(&w, US, THEM, 0, 0);
	flow->side[0].duplicates = 1000;
	wire_udp(&w, "10.0.0.1:5000", "10.9.9.9:53", 100, 100)->side[0].duplicates = 100;
	w.flow[1]->interfaces = 3;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void datagrams__copied_on_one_interface__are_told_with_the_doubt(void **state)
{
	static const struct {
		uint32_t copies, datagrams;
		uint64_t all;
		bool fires;
	} rows[] = { { 10, 1000, 10000, true }, { 9, 100, 10000, false }, { 10, 1001, 10000, false }, { 100, 100, 250, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		wire_udp(&w, "10.0.0.1:5000", "10.9.9.9:514", rows[i].datagrams, 0)->side[0].duplicates = rows[i].copies;
		w.totals.packets = rows[i].all;
		w.totals.duplicates = rows[i].copies;
		w.flow[0]->side[0].packets = rows[i].datagrams;
		wire_judge(&w);
		if (rows[i].fires)
			expect_against(wire_expect_one(&w, SEVERITY_INFO), "a mirror port");
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void needless__four_fifths_of_ten__is_info(void **state)
{
	static const struct {
		uint32_t needless, again;
		bool fires;
	} rows[] = { { 10, 12, true }, { 9, 9, false }, { 80, 100, true }, { 79, 100, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		sent(&w, US, THEM, 0, rows[i].again)->side[0].spurious = rows[i].needless;
		wire_judge(&w);
		if (rows[i].fires)
			expect_text(wire_expect_one(&w, SEVERITY_INFO), w.verdict.findings[0]->title, "although they had arrived");
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

/* A connection that begins with @hash at @seconds. */
static struct flow *request(struct wire *w, uint16_t port, const char *server, double seconds, uint64_t hash)
{
	struct flow *flow;
	char us[64];

	snprintf(us, sizeof(us), "10.0.0.1:%u", port);
	flow = wire_tcp(w, us, server);
	flow->first_ns = wire_ns(seconds);
	flow->side[0].last_ns = flow->side[0].last_payload_ns = wire_ns(seconds + 0.1);
	flow->side[1].last_ns = flow->side[1].last_payload_ns = wire_ns(seconds + 0.11);
	flow->request_hash = hash;
	return flow;
}

/* It is reset at @seconds with the request unanswered. */
static void crash(struct flow *flow, double seconds)
{
	wire_reset(flow, 1, seconds);
	flow->flags |= FLOW_CRASHED;
}

static void request__again_within_a_minute_of_a_crash__warns(void **state)
{
	static const struct {
		double again_s;
		bool fires;
	} rows[] = { { 2, true }, { 62, true }, { 62.01, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct wire w;

		wire_open(&w, RULE);
		crash(request(&w, 40000, THEM, 0, 77), 2);
		request(&w, 40001, THEM, rows[i].again_s, 77);
		wire_judge(&w);
		if (!rows[i].fires) {
			wire_expect_silence(&w);
		} else {
			f = wire_expect_one(&w, SEVERITY_WARNING);
			expect_text(f, f->title, "10.0.0.1 sent the same request to 10.9.9.9:443 again on a new connection, 1 time");
			expect_text(f, f->fixes[0], "idempotency key");
			assert_int_equal(evidence_of(f, "after"), rows[i].again_s - 2);
		}
		wire_close(&w);
	}
}

static void request__after_silence__is_a_retry_unless_it_ran_beside(void **state)
{
	(void)state;
	for (unsigned beside = 0; beside < 2; beside++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		flow = request(&w, 40000, THEM, 0, 77);
		flow->flags |= FLOW_CRASHED;
		flow->side[0].last_ns = wire_ns(30); /* the kernel goes on repeating */
		request(&w, 40001, "10.9.9.8:443", beside ? 0.99 : 1, 77);
		wire_judge(&w);
		if (beside)
			wire_expect_silence(&w);
		else
			wire_expect_one(&w, SEVERITY_WARNING);
		wire_close(&w);
	}
}

static void requests__that_are_not_the_same_or_not_broken__are_silent(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	crash(request(&w, 40000, THEM, 0, 77), 2);
	request(&w, 40001, THEM, 3, 78);	     /* another request */
	request(&w, 40002, "10.9.9.9:80", 3, 77);    /* another port */
	request(&w, 40003, THEM, 1, 77);	     /* opened beside it */
	request(&w, 40004, THEM, 3, 0);		     /* unknown */
	crash(request(&w, 40005, THEM, 3, 0), 4);
	request(&w, 40006, THEM, 5, 0);
	request(&w, 40007, "10.9.9.9:81", 5, 90);
	request(&w, 40008, "10.9.9.9:81", 6, 90);    /* nothing broke */
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void request__that_every_connection_begins_with__is_info(void **state)
{
	(void)state;
	for (unsigned healthy = 2; healthy <= 3; healthy++) {
		struct wire w;

		wire_open(&w, RULE);
		for (unsigned i = 0; i < healthy; i++)
			request(&w, (uint16_t)(41000 + i), THEM, i, 77);
		crash(request(&w, 40000, THEM, 10, 77), 12);
		request(&w, 40001, THEM, 13, 77);
		wire_judge(&w);
		wire_expect_one(&w, healthy < 3 ? SEVERITY_WARNING : SEVERITY_INFO);
		if (healthy == 3)
			expect_against(w.verdict.findings[0], "a login or a poll");
		wire_close(&w);
	}
}

static void payload__too_short_to_compare__is_said(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.totals.payload_cut = 10;
	wire_tcp(&w, US, THEM);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_expect_part_skipped(&w, "too little payload was kept");
	wire_close(&w);
}

static void trust__lowers_it(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.7;
	sent(&w, US, THEM, 100, 0);
	wire_judge(&w);
	assert_true(wire_expect_one(&w, SEVERITY_WARNING)->confidence < 0.64);
	expect_against(w.verdict.findings[0], "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network__more_reported_than_repeated__warns_from_one_percent),
		cmocka_unit_test(network__few_packets__need_more_than_three),
		cmocka_unit_test(network__data_was_not_captured__is_not_judged),
		cmocka_unit_test(frames__captured_twice__and_received_once_are_silent),
		cmocka_unit_test(datagrams__copied_on_one_interface__are_told_with_the_doubt),
		cmocka_unit_test(needless__four_fifths_of_ten__is_info),
		cmocka_unit_test(request__again_within_a_minute_of_a_crash__warns),
		cmocka_unit_test(request__after_silence__is_a_retry_unless_it_ran_beside),
		cmocka_unit_test(requests__that_are_not_the_same_or_not_broken__are_silent),
		cmocka_unit_test(request__that_every_connection_begins_with__is_info),
		cmocka_unit_test(payload__too_short_to_compare__is_said),
		cmocka_unit_test(trust__lowers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
