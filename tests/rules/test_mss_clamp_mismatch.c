/* SPDX-License-Identifier: MIT */
/* mss-clamp-mismatch: values that are missing, absurd, or do not fit what the path is known to carry. */
#include "stuck_wire.h"

#define RULE "mss-clamp-mismatch"
#define US "10.0.0.1:40000"
#define THEM "10.9.9.9:443"

static void plain_connections__are_silent(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.source.mtu = 1500;
	wire_owner(&w, wire_tcp(&w, US, THEM), 0, 1, "app");
	wire_tcp(&w, "[2001:db8::1]:40000", "[2001:db8::9]:443");
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void small__below_what_every_path_carries__warns(void **state)
{
	static const struct {
		const char *us, *them;
		uint16_t mss;
		bool fires;
	} rows[] = {
		{ US, THEM, 536, false },
		{ US, THEM, 535, true },
		{ "[2001:db8::1]:40000", "[2001:db8::9]:443", 1220, false },
		{ "[2001:db8::1]:40000", "[2001:db8::9]:443", 1219, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		wire_tcp(&w, rows[i].us, rows[i].them)->side[1].mss = rows[i].mss;
		wire_judge(&w);
		if (rows[i].fires)
			expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->title, "asks for segments of no more than");
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void scanner__without_data__is_silent(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 20; i++) {
		struct flow *flow = wire_syn(&w, US, THEM, 0);

		flow->side[0].mss = 10;
		flow->side[0].has |= SIDE_SYN_WITHOUT_MSS;
		flow = wire_tcp(&w, US, THEM);
		flow->side[0].mss = 10;
		flow->flags &= ~(uint32_t)FLOW_SYN_TO_DATA;
	}
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void missing__on_three_connections__is_info(void **state)
{
	struct wire w;
	char us[64];

	(void)state;
	for (unsigned count = 2; count <= 3; count++) {
		wire_open(&w, RULE);
		for (unsigned i = 0; i < count; i++) {
			struct flow *flow;

			snprintf(us, sizeof(us), "10.0.0.1:%u", 40000 + i);
			flow = wire_tcp(&w, us, THEM);
			flow->side[1].has = (uint16_t)((flow->side[1].has & ~SIDE_HAS_MSS) | SIDE_SYN_WITHOUT_MSS);
		}
		wire_judge(&w);
		if (count < 3)
			wire_expect_silence(&w);
		else
			expect_text(wire_expect_one(&w, SEVERITY_INFO), w.verdict.findings[0]->title, "10.9.9.9 opens connections without an MSS: it gets segments of 536 B");
		wire_close(&w);
	}
}

static void above__what_the_interface_takes__is_info(void **state)
{
	(void)state;
	for (uint16_t mss = 1460; mss <= 1461; mss++) {
		struct flow *flow;
		struct wire w;

		wire_open(&w, RULE);
		w.source.mtu = 1500;
		flow = wire_tcp(&w, US, THEM);
		flow->side[0].mss = mss;
		flow->side[1].mss = 9000; /* the other's interface is not ours */
		wire_owner(&w, flow, 0, 4121, "app");
		wire_judge(&w);
		if (mss == 1460)
			wire_expect_silence(&w);
		else
			expect_text(wire_expect_one(&w, SEVERITY_INFO), w.verdict.findings[0]->title, "10.0.0.1 asks for segments of 1461 B, more than the interface takes");
		wire_close(&w);
	}
}

/* Bulk data of @segments segments of @size bytes from the client. */
static struct flow *bulk(struct wire *w, uint16_t size, uint32_t segments)
{
	struct flow *flow = wire_tcp(w, US, THEM);

	flow->side[0].max_payload = size;
	flow->side[0].payload = (uint64_t)size * segments;
	flow->side[0].packets = segments;
	return flow;
}

static void below__bulk_in_packets_of_a_known_tunnel__is_info(void **state)
{
	static const struct {
		uint16_t size;
		uint32_t segments, packets;
		bool fires;
	} rows[] = {
		{ 1348, 50, 50, true },	  /* 1400 */
		{ 1348, 49, 49, false },
		{ 1348, 50, 55, true },
		{ 1348, 50, 56, false },  /* not bulk: much room is left */
		{ 1440, 500, 500, true }, /* 1492 */
		{ 1441, 500, 500, false },
		{ 1448, 500, 500, false },
		{ 1000, 500, 500, false }, /* no tunnel has that size: messages of a program */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		bulk(&w, rows[i].size, rows[i].segments)->side[0].packets = rows[i].packets;
		wire_judge(&w);
		if (rows[i].fires)
			expect_against(wire_expect_one(&w, SEVERITY_INFO), "pieces of one size");
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void below__because_of_the_own_mss_or_a_message__is_silent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	bulk(&w, 1348, 500)->side[0].mss = 1360;
	flow = bulk(&w, 1348, 500);
	flow->icmp_errors = 1;
	flow->icmp_class = ICMP_TOO_BIG;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void too_large__for_a_path_that_was_told__warns_when_told_in_vain(void **state)
{
	static const struct {
		uint32_t mtu;
		uint64_t count;
		double lasted_s;
		bool obeyed;
		int severity;
	} rows[] = {
		{ 1500, 5, 9, false, -1 },		  { 1499, 5, 9, true, SEVERITY_INFO },
		{ 1499, 3, 3, false, SEVERITY_WARNING },  { 1499, 2, 3, false, SEVERITY_INFO },
		{ 1499, 3, 2.99, false, SEVERITY_INFO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct icmp_report *report;
		struct wire w;

		wire_open(&w, RULE);
		report = wire_icmp(&w, wire_tcp(&w, US, THEM), ICMP_TOO_BIG, "10.0.1.1", rows[i].count);
		report->mtu_min = report->mtu_max = rows[i].mtu;
		report->obeyed = rows[i].obeyed;
		report->last_ns = report->first_ns + (int64_t)(rows[i].lasted_s * 1e9);
		wire_judge(&w);
		if (rows[i].severity < 0)
			wire_expect_silence(&w);
		else
			expect_text(wire_expect_one(&w, (enum severity)rows[i].severity), w.verdict.findings[0]->title,
				    "1460 B and 1460 B are told, the path carries 1459 B at most");
		wire_close(&w);
	}
}

static void too_large__for_a_clamped_connection__is_silent(void **state)
{
	struct icmp_report *report;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_tcp(&w, US, THEM);
	flow->side[0].mss = 1360;
	report = wire_icmp(&w, flow, ICMP_TOO_BIG, "10.0.1.1", 5);
	report->mtu_min = report->mtu_max = 1400;
	wire_judge(&w);
	wire_expect_silence(&w);
	flow->side[0].mss = 1361;
	wire_judge(&w);
	wire_expect_one(&w, SEVERITY_INFO);
	wire_close(&w);
}

static void too_large__for_a_proven_hole__warns(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_tcp(&w, US, THEM);
	has_passed(flow, 0, 252);
	get_stuck(flow, 0, 1500, 6, 1, 6200);
	wire_judge(&w);
	wire_expect_silence(&w); /* it may as well be a dead peer */
	flow->side[1].duplicate_acks = 1;
	flow->side[1].last_ns = wire_ns(1.1);
	wire_judge(&w);
	assert_int_equal(evidence_of(wire_expect_one(&w, SEVERITY_WARNING), "path_mtu"), 1499);
	wire_close(&w);
}

static void trust__lowers_it(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.7;
	wire_tcp(&w, US, THEM)->side[1].mss = 100;
	wire_judge(&w);
	assert_true(wire_expect_one(&w, SEVERITY_WARNING)->confidence < 0.64);
	expect_against(w.verdict.findings[0], "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_connections__are_silent),
		cmocka_unit_test(small__below_what_every_path_carries__warns),
		cmocka_unit_test(scanner__without_data__is_silent),
		cmocka_unit_test(missing__on_three_connections__is_info),
		cmocka_unit_test(above__what_the_interface_takes__is_info),
		cmocka_unit_test(below__bulk_in_packets_of_a_known_tunnel__is_info),
		cmocka_unit_test(below__because_of_the_own_mss_or_a_message__is_silent),
		cmocka_unit_test(too_large__for_a_path_that_was_told__warns_when_told_in_vain),
		cmocka_unit_test(too_large__for_a_clamped_connection__is_silent),
		cmocka_unit_test(too_large__for_a_proven_hole__warns),
		cmocka_unit_test(trust__lowers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
