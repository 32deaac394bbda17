/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-send in packets: the bracket, the limits, and everything else that keeps a segment from being acknowledged. */
#include "stuck_wire.h"

#define RULE "mtu-blackhole-send"
#define US "10.0.0.1:40000"
#define THEM "10.9.9.9:443"

/* Our connection to @server, on which a request of 252 bytes arrived and packets of 1500 do not. */
static struct flow *hole(struct wire *w, const char *server)
{
	struct flow *flow = wire_tcp(w, US, server);

	has_passed(flow, 0, 252);
	get_stuck(flow, 0, 1500, 6, 1, 6200);
	return flow;
}

/* Another connection between the same two, opened at @seconds and answered at once. */
static struct flow *answered(struct wire *w, double seconds)
{
	struct flow *flow = wire_tcp(w, "10.0.0.1:40001", THEM);

	flow->first_ns = wire_ns(seconds);
	flow->side[0].last_ns = flow->side[0].last_payload_ns = wire_ns(seconds + 0.1);
	flow->side[1].last_ns = flow->side[1].last_payload_ns = wire_ns(seconds + 0.11);
	return flow;
}

static void hole__smaller_ones_answered_since__is_proven_with_its_bracket(void **state)
{
	const struct finding *f;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = hole(&w, THEM);
	wire_owner(&w, flow, 0, 4121, "app");
	has_passed(answered(&w, 3), 0, 700);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_CRITICAL);
	assert_true(f->confidence > 0.84 && f->confidence < 0.86);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->scope.pid, 4121);
	expect_text(f, f->title, "packets of 1500 B to 10.9.9.9:443 vanish");
	expect_text(f, f->detail, "sent 6 times over 6.2 s, never acknowledged");
	expect_text(f, f->detail, "between 700 B and 1499 B");
	assert_int_equal(evidence_of(f, "size_dead"), 1500);
	assert_int_equal(evidence_of(f, "size_passed"), 700);
	assert_int_equal(evidence_of(f, "began"), 1000);
	assert_string_equal(f->threshold.name, "critical_flows");
	assert_null(f->against[0]);
	wire_close(&w);
}

static void hole__nothing_known_since__is_told_with_its_rival(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	hole(&w, THEM);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(f->confidence == 0.5);
	expect_text(f, f->title, "or the peer is gone");
	expect_against(f, "tcptriage mtu-probe 10.9.9.9");
	wire_close(&w);
}

static void hole__short_end_acknowledged_out_of_order__is_proven_without_another_flow(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	/* a server whose first write is the large answer: nothing was acknowledged but the handshake */
	wire_open(&w, RULE);
	flow = wire_tcp(&w, "10.9.9.9:40000", "10.0.0.1:443");
	get_stuck(flow, 1, 1500, 6, 1, 6200);
	flow->side[0].duplicate_acks = 1;
	flow->side[0].last_ns = wire_ns(1.02);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_CRITICAL), w.verdict.findings[0]->detail, "between 40 B and 1499 B");
	/* more than short ends: others of its size arrive behind it */
	flow->side[0].duplicate_acks = 3;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void limits__copies_time_and_size__at_their_edges(void **state)
{
	static const struct {
		uint16_t tries;
		uint32_t ms;
		uint16_t size;
		bool fires;
	} rows[] = {
		{ 4, 3000, 1500, true }, { 3, 3000, 1500, false }, { 4, 2999, 1500, false }, { 4, 3000, 1281, true },
		{ 4, 3000, 1280, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		flow = wire_tcp(&w, US, THEM);
		has_passed(flow, 0, 252);
		get_stuck(flow, 0, rows[i].size, rows[i].tries, 1, rows[i].ms);
		answered(&w, 3);
		wire_judge(&w);
		if (rows[i].fires)
			wire_expect_one(&w, SEVERITY_CRITICAL);
		else
			wire_expect_silence(&w);
		if (rows[i].ms < 3000)
			wire_expect_near(&w, rows[i].ms);
		wire_close(&w);
	}
}

static void size__between_full_and_safe__is_less_sure(void **state)
{
	const struct finding *f;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_tcp(&w, US, THEM);
	has_passed(flow, 0, 252);
	get_stuck(flow, 0, 1400, 6, 1, 6200);
	answered(&w, 3);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_CRITICAL);
	assert_true(f->confidence == 0.75);
	expect_against(f, "larger packets would be allowed");
	wire_close(&w);
}

static void two_flows__to_one_destination__are_critical_together(void **state)
{
	const struct finding *f;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	hole(&w, THEM);
	flow = wire_tcp(&w, "10.0.0.1:40002", THEM);
	has_passed(flow, 0, 300);
	get_stuck(flow, 0, 1500, 4, 2, 3000);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_CRITICAL);
	assert_int_equal(f->count, 2);
	assert_int_equal(evidence_of(f, "size_passed"), 300);
	assert_int_equal(evidence_of(f, "all_copies"), 10);
	assert_int_equal(f->scope.local.port, 0);
	wire_close(&w);
}

static void same_size__passed_before_on_any_flow__is_not_a_matter_of_size(void **state)
{
	static const struct {
		uint16_t passed;
		bool fires;
	} rows[] = { { 1499, true }, { 1500, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		hole(&w, THEM);
		has_passed(answered(&w, 3), 0, rows[i].passed);
		wire_judge(&w);
		if (rows[i].fires)
			expect_text(wire_expect_one(&w, SEVERITY_CRITICAL), w.verdict.findings[0]->detail, "between 1499 B and 1499 B");
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void bracket__one_known_size_within__is_named(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	hole(&w, THEM);
	flow = answered(&w, 3);
	has_passed(flow, 0, 1493);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_CRITICAL), w.verdict.findings[0]->detail, "a VLAN tag");
	has_passed(flow, 0, 1492);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_CRITICAL), w.verdict.findings[0]->detail, "many tunnels");
	has_passed(flow, 0, 1497);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_CRITICAL), w.verdict.findings[0]->detail, "no common tunnel");
	wire_close(&w);
}

static void small_one__stuck_to_the_same_address__means_nobody_is_there(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	hole(&w, THEM);
	flow = wire_tcp(&w, "10.0.0.1:40003", THEM);
	get_stuck(flow, 0, 252, 6, 1, 6000);
	wire_judge(&w);
	wire_expect_silence(&w);
	/* unless something else is answered: then only that connection is dead */
	answered(&w, 3);
	wire_judge(&w);
	wire_expect_one(&w, SEVERITY_CRITICAL);
	wire_close(&w);
}

static void answer__within_a_round_trip_of_the_first_copy__proves_nothing(void **state)
{
	static const struct {
		double at;
		enum severity severity;
	} rows[] = { { 1.8, SEVERITY_WARNING }, { 2, SEVERITY_CRITICAL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		hole(&w, THEM);
		flow = answered(&w, 0.2);
		flow->side[0].last_payload_ns = wire_ns(rows[i].at);
		flow->side[1].retransmissions = 1;
		wire_judge(&w);
		wire_expect_one(&w, rows[i].severity);
		wire_close(&w);
	}
}

static void told__and_sent_again_all_the_same__is_not_honoured(void **state)
{
	struct icmp_report *report;
	const struct finding *f;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = hole(&w, THEM);
	report = wire_icmp(&w, flow, ICMP_TOO_BIG, "10.0.1.1", 5);
	report->mtu_min = report->mtu_max = 1400;
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_CRITICAL);
	assert_true(f->confidence == 0.8);
	expect_text(f, f->title, "10.0.1.1 says so and is not heard");
	expect_text(f, f->detail, "5 messages ask for 1400 B");
	wire_close(&w);
}

static void filter__that_leaves_out_icmp__is_said(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.source.filter = "tcp port 443";
	hole(&w, THEM);
	answered(&w, 3);
	wire_judge(&w);
	expect_against(wire_expect_one(&w, SEVERITY_CRITICAL), "left out ICMP");
	w.totals.icmp = 1;
	wire_judge(&w);
	assert_null(wire_expect_one(&w, SEVERITY_CRITICAL)->against[0]);
	wire_close(&w);
}

/* Whatever @change makes of the proven hole has to silence it. */
static void expect_silent(void (*change)(struct flow *flow))
{
	struct wire w;

	wire_open(&w, RULE);
	change(hole(&w, THEM));
	answered(&w, 3);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void peer_resets(struct flow *flow)
{
	wire_reset(flow, 1, 8);
}

static void peer_is_full(struct flow *flow)
{
	flow->side[1].window_shut = true;
}

static void sent_by_the_other_machine(struct flow *flow)
{
	flow->flags |= FLOW_LOCAL_KNOWN;
	flow->local_side = 1;
}

static void never_connected(struct flow *flow)
{
	flow->state = FLOW_SYN_RECEIVED;
}

static void only_one_direction(struct flow *flow)
{
	wire_silent(flow, 1);
	flow->side[0].packets = 20;
}

static void look_alikes__are_silent(void **state)
{
	(void)state;
	expect_silent(peer_resets);
	expect_silent(peer_is_full);
	expect_silent(sent_by_the_other_machine);
	expect_silent(never_connected);
	expect_silent(only_one_direction);
}

static void ipv6__has_longer_headers(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_tcp(&w, "[2001:db8::1]:40000", "[2001:db8::9]:443");
	flow->side[0].mss = flow->side[1].mss = 1440;
	has_passed(flow, 0, 300);
	get_stuck(flow, 0, 1500, 5, 1, 3500);
	flow->side[1].duplicate_acks = 1;
	flow->side[1].last_ns = wire_ns(1.1);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_CRITICAL), w.verdict.findings[0]->title, "to [2001:db8::9]:443 vanish");
	assert_true(w.verdict.findings[0]->confidence > 0.84);
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
			struct flow *flow;

			snprintf(client, sizeof(client), "8.8.%u.8:5000", i);
			flow = wire_tcp(&w, client, "10.0.0.1:443");
			has_passed(flow, 1, 300);
			get_stuck(flow, 1, 1500, 5, 1, 3500);
		}
		wire_judge(&w);
		expect_against(wire_expect_one(&w, networks < 5 ? SEVERITY_INFO : SEVERITY_CRITICAL), "clients on the Internet");
		assert_int_equal(w.verdict.findings[0]->count, networks);
		expect_text(w.verdict.findings[0], w.verdict.findings[0]->title, "from 10.0.0.1:443");
		wire_close(&w);
	}
}

static void trust__lowers_it_and_says_so(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.7;
	hole(&w, THEM);
	answered(&w, 3);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_CRITICAL);
	assert_true(f->confidence < 0.6);
	expect_against(f, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hole__smaller_ones_answered_since__is_proven_with_its_bracket),
		cmocka_unit_test(hole__nothing_known_since__is_told_with_its_rival),
		cmocka_unit_test(hole__short_end_acknowledged_out_of_order__is_proven_without_another_flow),
		cmocka_unit_test(limits__copies_time_and_size__at_their_edges),
		cmocka_unit_test(size__between_full_and_safe__is_less_sure),
		cmocka_unit_test(two_flows__to_one_destination__are_critical_together),
		cmocka_unit_test(same_size__passed_before_on_any_flow__is_not_a_matter_of_size),
		cmocka_unit_test(bracket__one_known_size_within__is_named),
		cmocka_unit_test(small_one__stuck_to_the_same_address__means_nobody_is_there),
		cmocka_unit_test(answer__within_a_round_trip_of_the_first_copy__proves_nothing),
		cmocka_unit_test(told__and_sent_again_all_the_same__is_not_honoured),
		cmocka_unit_test(filter__that_leaves_out_icmp__is_said),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(ipv6__has_longer_headers),
		cmocka_unit_test(clients_of_the_internet__have_to_stand_out),
		cmocka_unit_test(trust__lowers_it_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
