/* SPDX-License-Identifier: MIT */
/* icmp-unreachable: who says it, how often, about what; and messages that mean something else. */
#include "rules.h"

#define RULE "icmp-unreachable"
#define ROUTER "10.0.1.1"

static struct icmp_report *told(struct wire *w, const char *server, enum icmp_class class, uint64_t count)
{
	struct flow *flow = wire_syn(w, strchr(server, '[') ? "[2001:db8::1]:40000" : "10.0.0.1:40000", server, 2);

	return wire_icmp(w, flow, class, strchr(server, '[') ? "2001:db8:1::1" : ROUTER, count);
}

static void rate__five_a_minute__at_its_edge(void **state)
{
	static const struct {
		uint64_t count;
		double seconds;
		bool fires;
	} rows[] = { { 5, 3, true }, { 4, 3, false }, { 10, 120, true }, { 9, 120, false }, { 5, 60, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		told(&w, "10.9.9.9:443", ICMP_UNREACHABLE, rows[i].count);
		wire_lasts(&w, rows[i].seconds);
		wire_judge(&w);
		if (rows[i].fires)
			wire_expect_one(&w, SEVERITY_WARNING);
		else
			wire_expect_near(&w, rows[i].seconds > 60 ? 4.5 : 4);
		wire_close(&w);
	}
}

static void message__is_told_in_words_with_its_destination(void **state)
{
	static const struct {
		const char *server;
		enum icmp_class class;
		uint8_t code;
		const char *says;
	} rows[] = {
		{ "10.9.9.9:443", ICMP_UNREACHABLE, 1, "10.0.1.1 says of 10.9.9.9: host unreachable" },
		{ "10.9.9.9:443", ICMP_UNREACHABLE, 0, "network unreachable" },
		{ "10.9.9.9:443", ICMP_PROHIBITED, 13, "administratively prohibited by a filter" },
		{ "10.9.9.9:443", ICMP_PROHIBITED, 10, "host administratively prohibited" },
		{ "10.9.9.9:443", ICMP_PROTOCOL_UNREACHABLE, 2, "protocol unreachable" },
		{ "10.9.9.9:443", ICMP_UNREACHABLE, 99, "unreachable" },
		{ "[2001:db8::9]:443", ICMP_UNREACHABLE, 0, "2001:db8:1::1 says of 2001:db8::9: no route to the destination" },
		{ "[2001:db8::9]:443", ICMP_UNREACHABLE, 3, "address unreachable" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct wire w;

		wire_open(&w, RULE);
		told(&w, rows[i].server, rows[i].class, 9)->code = rows[i].code;
		wire_judge(&w);
		f = wire_expect_one(&w, SEVERITY_WARNING);
		expect_text(f, f->title, rows[i].says);
		assert_int_equal(f->count, 9);
		if (rows[i].class == ICMP_PROHIBITED)
			expect_text(f, f->causes[0], "firewall");
		wire_close(&w);
	}
}

static void destinations__of_one_reporter__are_one_finding(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	told(&w, "10.9.9.9:443", ICMP_UNREACHABLE, 3);
	told(&w, "10.9.9.8:443", ICMP_PROHIBITED, 4);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_WARNING), w.verdict.findings[0]->title, "10.0.1.1 says of 2 destinations: administratively prohibited");
	expect_against(w.verdict.findings[0], "not all of its messages say the same");
	assert_false(w.verdict.findings[0]->scope.has_peer);
	wire_close(&w);
}

static void other_messages__are_silent(void **state)
{
	static const enum icmp_class others[] = { ICMP_PORT_UNREACHABLE, ICMP_TOO_BIG, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY_EXCEEDED };
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		wire_open(&w, RULE);
		told(&w, "10.9.9.9:443", others[i], 100);
		wire_judge(&w);
		wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void traceroute__is_taken_off(void **state)
{
	struct wire w;

	(void)state;
	for (unsigned echoes = 15; echoes <= 16; echoes++) {
		wire_open(&w, RULE);
		told(&w, "10.9.9.9:33450", ICMP_UNREACHABLE, 20)->echoes = echoes;
		wire_judge(&w);
		if (echoes == 15)
			assert_int_equal(wire_expect_one(&w, SEVERITY_WARNING)->count, 5);
		else
			wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void packets__from_outside__make_it_info(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	told(&w, "10.9.9.9:443", ICMP_UNREACHABLE, 20);
	wire_owner(&w, w.flow[0], 0, 4121, "app");
	wire_judge(&w);
	wire_expect_one(&w, SEVERITY_WARNING);
	w.flow[0]->local_side = 1;
	wire_judge(&w);
	expect_against(wire_expect_one(&w, SEVERITY_INFO), "from outside");
	wire_close(&w);
}

static void flow__not_captured__and_trust_are_doubts(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.6;
	w.totals.reports_lost = 1;
	told(&w, "10.9.9.9:443", ICMP_UNREACHABLE, 20)->flow_number = 0;
	wire_judge(&w);
	expect_against(wire_expect_one(&w, SEVERITY_WARNING), "may be forged");
	expect_against(w.verdict.findings[0], "capture-quality");
	assert_true(w.verdict.findings[0]->confidence < 0.55);
	wire_expect_part_skipped(&w, "more different ICMP errors");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate__five_a_minute__at_its_edge),
		cmocka_unit_test(message__is_told_in_words_with_its_destination),
		cmocka_unit_test(destinations__of_one_reporter__are_one_finding),
		cmocka_unit_test(other_messages__are_silent),
		cmocka_unit_test(traceroute__is_taken_off),
		cmocka_unit_test(packets__from_outside__make_it_info),
		cmocka_unit_test(flow__not_captured__and_trust_are_doubts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
