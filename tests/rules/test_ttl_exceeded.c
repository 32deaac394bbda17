/* SPDX-License-Identifier: MIT */
/* ttl-exceeded: loops, connections whose packets die on the way, and the many shapes of a traceroute. */
#include "rules.h"

#define RULE "ttl-exceeded"
#define US "10.0.0.1:40000"
#define THEM "10.99.9.9:443"

static struct loop_report *loop(struct wire *w, const char *dst, uint32_t passes)
{
	struct loop_report *report = &w->loops[w->loop_count++];

	*report = (struct loop_report){ .protocol = PROTOCOL_TCP, .ttl_first = 63, .ttl_last = (uint8_t)(63 - 2 * (passes - 1)), .step = 2, .count = passes, .first_ns = wire_ns(1) };
	assert_true(addr_parse(strchr(dst, ':') ? "2001:db8::1" : "10.0.0.1", &report->src));
	assert_true(addr_parse(dst, &report->dst));
	return report;
}

static void loop__four_passes__is_proven(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	for (unsigned passes = 3; passes <= 4; passes++) {
		wire_open(&w, RULE);
		loop(&w, "10.99.9.9", passes);
		wire_judge(&w);
		if (passes < 4) {
			wire_expect_silence(&w);
		} else {
			f = wire_expect_one(&w, SEVERITY_CRITICAL);
			assert_true(f->confidence == 0.95);
			expect_text(f, f->title, "Routing loop: packets to 10.99.9.9");
			expect_text(f, f->detail, "came by 4 times, TTL 63 to 57, less by 2 each time");
		}
		wire_close(&w);
	}
}

static void loops__to_one_destination__are_one_finding(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	loop(&w, "2001:db8::9", 20);
	loop(&w, "2001:db8::9", 30);
	loop(&w, "2001:db8::a", 3);
	wire_judge(&w);
	assert_int_equal(wire_expect_one(&w, SEVERITY_CRITICAL)->count, 2);
	assert_int_equal(evidence_of(w.verdict.findings[0], "passes"), 30);
	wire_close(&w);
}

static void exceeded__in_a_proven_loop__is_part_of_it(void **state)
{
	(void)state;
	for (unsigned passes = 3; passes <= 4; passes++) {
		struct wire w;

		wire_open(&w, RULE);
		wire_icmp(&w, wire_syn(&w, US, THEM, 0), ICMP_TIME_EXCEEDED, "10.0.1.1", 1);
		loop(&w, "10.99.9.9", passes);
		wire_judge(&w);
		wire_expect_one(&w, passes < 4 ? SEVERITY_WARNING : SEVERITY_CRITICAL);
		wire_close(&w);
	}
}

static void exceeded__for_a_flow_in_use__warns(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_icmp(&w, wire_syn(&w, US, THEM, 3), ICMP_TIME_EXCEEDED, "10.0.1.1", 1);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_WARNING);
	expect_text(f, f->title, "Packets to 10.99.9.9:443 die of their TTL at 10.0.1.1");
	expect_text(f, f->detail, "1 message of 1 router · sent by 10.0.0.1 with TTL 64");
	wire_close(&w);
}

static void low_ttl__of_a_connection__is_the_cause(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_tcp(&w, "[2001:db8::1]:40000", "[2001:db8::9]:443");
	flow->side[0].ttl_min = flow->side[0].ttl_max = 31;
	wire_icmp(&w, flow, ICMP_TIME_EXCEEDED, "2001:db8:1::1", 2);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->causes[0], "too small a TTL");
	wire_close(&w);
}

static void probes__with_few_hops_left__are_a_trace(void **state)
{
	(void)state;
	for (uint8_t ttl = 31; ttl <= 32; ttl++) {
		struct flow *tcp, *udp;
		struct wire w;

		wire_open(&w, RULE);
		tcp = wire_syn(&w, US, THEM, 0);
		udp = wire_udp(&w, "10.0.0.1:5000", "10.99.9.8:5000", 3, 0);
		tcp->side[0].ttl_min = udp->side[0].ttl_min = ttl;
		wire_icmp(&w, tcp, ICMP_TIME_EXCEEDED, "10.0.1.1", 1);
		wire_icmp(&w, udp, ICMP_TIME_EXCEEDED, "10.0.1.1", 1);
		wire_judge(&w);
		assert_int_equal(w.verdict.finding_count, ttl < 32 ? 0 : 2);
		wire_close(&w);
	}
}

static void routers__three_about_one_destination__are_a_trace(void **state)
{
	static const char *const routers[] = { "10.0.1.1", "10.0.2.1", "10.0.3.1" };

	(void)state;
	for (size_t count = 2; count <= 3; count++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		flow = wire_tcp(&w, US, THEM);
		for (size_t i = 0; i < count; i++)
			wire_icmp(&w, flow, ICMP_TIME_EXCEEDED, routers[i], 1);
		wire_judge(&w);
		if (count < 3)
			assert_int_equal(wire_expect_one(&w, SEVERITY_WARNING)->count, 2);
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void expect_silent(void (*change)(struct wire *w, struct icmp_report *report))
{
	struct wire w;

	wire_open(&w, RULE);
	change(&w, wire_icmp(&w, wire_tcp(&w, US, THEM), ICMP_TIME_EXCEEDED, "10.0.1.1", 5));
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void traceroute(struct wire *w, struct icmp_report *report)
{
	(void)w;
	report->echoes = 5;
}

static void flow_not_seen(struct wire *w, struct icmp_report *report)
{
	(void)w;
	report->flow_number = 0;
}

static void flow_gone(struct wire *w, struct icmp_report *report)
{
	(void)w;
	report->flow_number = 7;
}

static void fragments(struct wire *w, struct icmp_report *report)
{
	(void)w;
	report->class = ICMP_REASSEMBLY_EXCEEDED;
}

static void multicast(struct wire *w, struct icmp_report *report)
{
	w->flow[0]->end[1] = report->dst = wire_endpoint("239.1.1.1:5000");
}

static void look_alikes__are_silent(void **state)
{
	(void)state;
	expect_silent(traceroute);
	expect_silent(flow_not_seen);
	expect_silent(flow_gone);
	expect_silent(fragments);
	expect_silent(multicast);
}

static void trust__lowers_it(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.7;
	loop(&w, "10.99.9.9", 30);
	wire_judge(&w);
	assert_true(wire_expect_one(&w, SEVERITY_CRITICAL)->confidence < 0.67);
	expect_against(w.verdict.findings[0], "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loop__four_passes__is_proven),
		cmocka_unit_test(loops__to_one_destination__are_one_finding),
		cmocka_unit_test(exceeded__in_a_proven_loop__is_part_of_it),
		cmocka_unit_test(exceeded__for_a_flow_in_use__warns),
		cmocka_unit_test(low_ttl__of_a_connection__is_the_cause),
		cmocka_unit_test(probes__with_few_hops_left__are_a_trace),
		cmocka_unit_test(routers__three_about_one_destination__are_a_trace),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(trust__lowers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
