/* SPDX-License-Identifier: MIT */
/* pmtu-shrunk in packets: messages that are obeyed, that do not end, that are tiny, and that nobody heeds. */
#include "rules.h"

#define RULE "pmtu-shrunk"

/* @count messages of @router about @server over @lasted_s, from one second on: @mtu fits packets of 1500. */
static struct icmp_report *told(struct wire *w, const char *server, uint32_t mtu, uint64_t count, double lasted_s)
{
	struct flow *flow = wire_tcp(w, "10.0.0.1:40000", server);
	struct icmp_report *r = wire_icmp(w, flow, ICMP_TOO_BIG, "10.0.1.1", count);

	r->mtu_min = r->mtu_max = mtu;
	r->quoted_ip_max = 1500;
	r->obeyed = true;
	r->first_ns = wire_ns(1);
	r->last_ns = wire_ns(1 + lasted_s);
	wire_lasts(w, 30);
	return r;
}

static void obeyed__is_told_with_who_and_what(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	told(&w, "10.9.9.9:443", 1400, 10, 0.01);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_INFO);
	assert_true(f->confidence == 0.95);
	assert_int_equal(f->count, 10);
	expect_text(f, f->title, "The path to 10.9.9.9 carries packets of at most 1400 B, 10.0.1.1 says so and is heard");
	expect_text(f, f->detail, "a VPN gateway");
	assert_int_equal(evidence_of(f, "overhead"), 100);
	assert_int_equal(evidence_of(f, "began"), 1000);
	wire_close(&w);
}

static void size__of_the_interface__is_what_was_sent_at_most(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.source.mtu = 1500;
	told(&w, "10.9.9.9:443", 1492, 1, 0)->quoted_ip_max = 0;
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_INFO), w.verdict.findings[0]->detail, "packets of 1500 B were sent before: PPPoE");
	w.source.mtu = 0;
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_INFO), w.verdict.findings[0]->detail, "is not known");
	wire_close(&w);
}

static void size__of_joined_segments__is_that_of_the_mss(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	told(&w, "10.9.9.9:443", 1400, 2, 0)->quoted_ip_max = 7292;
	wire_judge(&w);
	assert_int_equal(evidence_of(wire_expect_one(&w, SEVERITY_INFO), "sent_size"), 1500);
	w.flow[0]->side[1].has &= (uint16_t)~SIDE_HAS_MSS;
	wire_judge(&w);
	assert_int_equal(evidence_of(wire_expect_one(&w, SEVERITY_INFO), "sent_size"), 7292);
	wire_close(&w);
}

static void tiny__below_ipv6s_least__may_be_forged(void **state)
{
	struct wire w;

	(void)state;
	for (uint32_t mtu = 1279; mtu <= 1280; mtu++) {
		wire_open(&w, RULE);
		told(&w, "[2001:db8::9]:443", mtu, 1, 0)->flow_number = 0;
		wire_judge(&w);
		wire_expect_one(&w, mtu < 1280 ? SEVERITY_WARNING : SEVERITY_INFO);
		assert_string_equal(w.verdict.findings[0]->threshold.name, mtu < 1280 ? "told_small" : "told");
		expect_against(w.verdict.findings[0], "may be forged");
		wire_close(&w);
	}
}

static void rate__many_over_some_time__and_no_burst(void **state)
{
	static const struct {
		uint64_t count;
		double lasted_s, capture_s;
		enum severity severity;
	} rows[] = {
		{ 10, 10, 30, SEVERITY_WARNING }, { 9, 10, 30, SEVERITY_INFO },	 { 10, 9.9, 30, SEVERITY_INFO },
		{ 100, 0.1, 30, SEVERITY_INFO },  { 20, 100, 120, SEVERITY_WARNING }, { 19, 100, 120, SEVERITY_INFO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		told(&w, "10.9.9.9:443", 1400, rows[i].count, rows[i].lasted_s);
		wire_lasts(&w, rows[i].capture_s);
		wire_judge(&w);
		wire_expect_one(&w, rows[i].severity);
		assert_string_equal(w.verdict.findings[0]->threshold.name, rows[i].severity ? "told_rate" : "told");
		wire_close(&w);
	}
}

static void ignored__three_over_three_seconds__is_not_honoured(void **state)
{
	static const struct {
		uint64_t count;
		double lasted_s;
		enum severity severity;
	} rows[] = { { 3, 3, SEVERITY_WARNING }, { 2, 3, SEVERITY_INFO }, { 3, 2.99, SEVERITY_INFO } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		told(&w, "10.9.9.9:443", 1400, rows[i].count, rows[i].lasted_s)->obeyed = false;
		wire_judge(&w);
		wire_expect_one(&w, rows[i].severity);
		expect_text(w.verdict.findings[0], w.verdict.findings[0]->title, rows[i].severity ? "stay too big although 10.0.1.1 says so" : "says 10.0.1.1");
		wire_close(&w);
	}
}

static void unsaid__size_of_an_old_router__is_no_zero(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	told(&w, "10.9.9.9:443", 0, 30, 20);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_INFO), w.verdict.findings[0]->title, "but not what fits");
	assert_null(finding_evidence(w.verdict.findings[0], "pmtu"));
	wire_close(&w);
}

static void destinations__with_one_size__are_one_finding(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	told(&w, "10.9.9.9:443", 1492, 1, 0);
	told(&w, "10.9.9.9:80", 1492, 2, 0);
	told(&w, "10.9.9.8:443", 1492, 4, 0);
	wire_judge(&w);
	expect_text(wire_expect_one(&w, SEVERITY_INFO), w.verdict.findings[0]->title, "The paths to 2 destinations carry packets of at most 1492 B");
	assert_int_equal(w.verdict.findings[0]->count, 7);
	assert_false(w.verdict.findings[0]->scope.has_peer);
	told(&w, "10.9.9.7:443", 1400, 1, 0);
	wire_judge(&w);
	assert_int_equal(w.verdict.finding_count, 2);
	wire_close(&w);
}

static void other_messages__are_silent(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_icmp(&w, wire_tcp(&w, "10.0.0.1:40000", "10.9.9.9:443"), ICMP_UNREACHABLE, "10.0.1.1", 50);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void trust__lowers_it(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.7;
	told(&w, "10.9.9.9:443", 1400, 10, 0.01);
	wire_judge(&w);
	assert_true(wire_expect_one(&w, SEVERITY_INFO)->confidence < 0.67);
	expect_against(w.verdict.findings[0], "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(obeyed__is_told_with_who_and_what),
		cmocka_unit_test(size__of_the_interface__is_what_was_sent_at_most),
		cmocka_unit_test(size__of_joined_segments__is_that_of_the_mss),
		cmocka_unit_test(tiny__below_ipv6s_least__may_be_forged),
		cmocka_unit_test(rate__many_over_some_time__and_no_burst),
		cmocka_unit_test(ignored__three_over_three_seconds__is_not_honoured),
		cmocka_unit_test(unsaid__size_of_an_old_router__is_no_zero),
		cmocka_unit_test(destinations__with_one_size__are_one_finding),
		cmocka_unit_test(other_messages__are_silent),
		cmocka_unit_test(trust__lowers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
