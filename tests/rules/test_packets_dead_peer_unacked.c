/* SPDX-License-Identifier: MIT */
/* dead-peer-unacked in packets: who is dead, who is only slow, full, far, or on the other side of a black hole. */
#include "stuck_wire.h"

#define RULE "dead-peer-unacked"
#define THEM "10.9.9.9:443"

/* A request of 252 bytes, after one that was answered, is sent @tries times over @ms and never acknowledged. */
static struct flow *dead(struct wire *w, const char *us, uint16_t tries, uint32_t ms)
{
	struct flow *flow = wire_tcp(w, us, THEM);

	has_passed(flow, 0, 252);
	get_stuck(flow, 0, 252, tries, 1, ms);
	return flow;
}

static void dead__small_segment__is_told_with_what_is_known(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_owner(&w, dead(&w, "10.0.0.1:40000", 6, 6200), 0, 4121, "app");
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(f->confidence == 0.8);
	assert_int_equal(f->scope.pid, 4121);
	expect_text(f, f->title, "10.9.9.9:443 has fallen silent");
	expect_text(f, f->detail, "1 connection, 200 B unacknowledged");
	expect_text(f, f->detail, "sent 6 times over 6.2 s");
	expect_text(f, f->detail, "none that is known to be answered");
	assert_int_equal(evidence_of(f, "last_heard"), 6690);
	assert_string_equal(f->threshold.name, "copies");
	wire_close(&w);
}

static void limits__at_their_edges(void **state)
{
	static const struct {
		uint16_t tries;
		uint32_t ms;
		double heard_s;
		int severity;
	} rows[] = {
		{ 4, 5000, 0.51, SEVERITY_WARNING }, { 3, 5000, 0.51, -1 }, { 4, 2999, 0.51, -1 },
		{ 4, 4490, 0.49, SEVERITY_WARNING }, { 4, 4490, 0.491, -1 }, { 6, 12000, 0.51, SEVERITY_WARNING },
		{ 7, 12000, 0.51, SEVERITY_CRITICAL },
		{ 6, 12000, 2.0, SEVERITY_WARNING }, { 6, 12000, 2.01, -1 }, /* heard after the first copy */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		flow = dead(&w, "10.0.0.1:40000", rows[i].tries, rows[i].ms);
		flow->side[1].last_ns = wire_ns(rows[i].heard_s);
		wire_judge(&w);
		if (rows[i].severity >= 0)
			wire_expect_one(&w, (enum severity)rows[i].severity);
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void three_flows__to_one_peer__are_critical(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	dead(&w, "10.0.0.1:40000", 5, 6000);
	dead(&w, "10.0.0.1:40001", 5, 6000);
	wire_judge(&w);
	assert_int_equal(wire_expect_one(&w, SEVERITY_WARNING)->count, 2);
	dead(&w, "10.0.0.1:40002", 5, 6000);
	wire_judge(&w);
	assert_int_equal(wire_expect_one(&w, SEVERITY_CRITICAL)->count, 3);
	assert_true(w.verdict.findings[0]->confidence == 0.9);
	wire_close(&w);
}

static void after_quiet__the_connection_was_forgotten(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	for (unsigned quiet_s = 59; quiet_s <= 60; quiet_s++) {
		wire_open(&w, RULE);
		flow = wire_tcp(&w, "10.0.0.1:40000", THEM);
		flow->side[1].last_ns = wire_ns(0.5);
		get_stuck(flow, 0, 252, 6, quiet_s + 0.5, 6200);
		wire_judge(&w);
		expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->title,
			    quiet_s < 60 ? "has fallen silent" : "does not answer after 60");
		wire_close(&w);
	}
}

static void others__answered_meanwhile__means_only_this_flow(void **state)
{
	const struct finding *f;
	struct flow *other;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	dead(&w, "10.0.0.1:40000", 6, 6200);
	other = wire_tcp(&w, "10.0.0.1:40001", THEM);
	other->first_ns = wire_ns(4);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_WARNING);
	expect_text(f, f->detail, "other traffic to it: answered");
	expect_text(f, f->causes[0], "only this flow is dead");
	wire_close(&w);
}

static void deaf__peer_that_repeats_what_we_acknowledge__is_one_direction(void **state)
{
	static const struct {
		uint32_t repeated, ms;
		bool fires;
	} rows[] = { { 2, 5000, true }, { 1, 5000, false }, { 2, 4999, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		flow = dead(&w, "10.0.0.1:40000", 5, rows[i].ms);
		flow->side[1].retransmissions = flow->side[1].spurious = rows[i].repeated;
		flow->side[1].last_ns = flow->side[0].last_ns;
		wire_judge(&w);
		if (rows[i].fires) {
			f = wire_expect_one(&w, SEVERITY_WARNING);
			expect_text(f, f->title, "10.9.9.9:443 is heard and hears nothing");
			expect_text(f, f->detail, "the peer repeated 2 segments");
			expect_text(f, f->causes[0], "in one direction");
		} else {
			wire_expect_silence(&w);
		}
		wire_close(&w);
	}
}

static void large_only__nothing_else_known__is_told_with_its_rival(void **state)
{
	const struct finding *f;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_tcp(&w, "10.0.0.1:40000", THEM);
	has_passed(flow, 0, 252);
	get_stuck(flow, 0, 1500, 6, 1, 6200);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(f->confidence == 0.5);
	expect_text(f, f->title, "or a path-MTU black hole");
	expect_against(f, "only packets of 1500 B are stuck");
	/* packets of that size have passed: then it is not a matter of size */
	has_passed(flow, 0, 1500);
	wire_judge(&w);
	assert_true(wire_expect_one(&w, SEVERITY_WARNING)->confidence == 0.8);
	wire_close(&w);
}

static void black_hole__proven__is_not_a_dead_peer(void **state)
{
	struct flow *flow, *other;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_tcp(&w, "10.0.0.1:40000", THEM);
	has_passed(flow, 0, 252);
	get_stuck(flow, 0, 1500, 6, 1, 6200);
	other = wire_tcp(&w, "10.0.0.1:40001", THEM);
	other->first_ns = wire_ns(4);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void expect_silent(void (*change)(struct flow *flow))
{
	struct wire w;

	wire_open(&w, RULE);
	change(dead(&w, "10.0.0.1:40000", 6, 6200));
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

static void only_a_fin(struct flow *flow)
{
	flow->side[0].has |= SIDE_SENT_FIN;
	flow->side[0].seq_next = flow->side[1].ack + 1;
}

static void we_do_not_answer(struct flow *flow)
{
	flow->flags |= FLOW_LOCAL_KNOWN;
	flow->local_side = 1;
}

static void only_one_direction(struct flow *flow)
{
	wire_silent(flow, 1);
	flow->side[0].packets = 20;
}

static void nothing_is_stuck(struct flow *flow)
{
	flow->side[0].ip_dead_min = 0;
}

static void look_alikes__are_silent(void **state)
{
	(void)state;
	expect_silent(peer_resets);
	expect_silent(peer_is_full);
	expect_silent(only_a_fin);
	expect_silent(we_do_not_answer);
	expect_silent(only_one_direction);
	expect_silent(nothing_is_stuck);
}

static void midstream__nobody_ever_heard__is_dead_with_a_doubt(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_midstream(&w, "[2001:db8::1]:40000", "[2001:db8::9]:443");
	wire_silent(flow, 1);
	flow->side[0].packets = 0;
	get_stuck(flow, 0, 252, 6, 0, 6200);
	wire_judge(&w);
	expect_against(wire_expect_one(&w, SEVERITY_WARNING), "it may not see that direction");
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
			get_stuck(wire_tcp(&w, client, "10.0.0.1:443"), 1, 252, 9, 1, 20000);
		}
		wire_judge(&w);
		wire_expect_one(&w, networks < 5 ? SEVERITY_INFO : SEVERITY_WARNING);
		expect_text(w.verdict.findings[0], w.verdict.findings[0]->title, "Clients of 10.0.0.1:443");
		wire_close(&w);
	}
}

static void trust__lowers_it(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.6;
	dead(&w, "10.0.0.1:40000", 6, 6200);
	wire_judge(&w);
	assert_true(wire_expect_one(&w, SEVERITY_WARNING)->confidence < 0.5);
	expect_against(w.verdict.findings[0], "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dead__small_segment__is_told_with_what_is_known),
		cmocka_unit_test(limits__at_their_edges),
		cmocka_unit_test(three_flows__to_one_peer__are_critical),
		cmocka_unit_test(after_quiet__the_connection_was_forgotten),
		cmocka_unit_test(others__answered_meanwhile__means_only_this_flow),
		cmocka_unit_test(deaf__peer_that_repeats_what_we_acknowledge__is_one_direction),
		cmocka_unit_test(large_only__nothing_else_known__is_told_with_its_rival),
		cmocka_unit_test(black_hole__proven__is_not_a_dead_peer),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(midstream__nobody_ever_heard__is_dead_with_a_doubt),
		cmocka_unit_test(clients_of_the_internet__have_to_stand_out),
		cmocka_unit_test(trust__lowers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
