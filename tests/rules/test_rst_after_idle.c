/* SPDX-License-Identifier: MIT */
/* rst-after-idle: connections that something forgot, and what looks alike. */
#include "rules.h"

#define RULE "rst-after-idle"
#define SERVER "10.0.0.2:443"

static struct flow *connection(struct wire *w, unsigned number, const char *server)
{
	char client[40];

	snprintf(client, sizeof(client), *server == '[' ? "[fd00::1]:%u" : "10.0.0.1:%u", 40000 + number);
	return wire_tcp(w, client, server);
}

/* The client is silent for @idle_ms, sends, and @side answers with RST after @answer_s (side 1 answers the client). */
static struct flow *dies(struct wire *w, unsigned number, uint32_t idle_ms, double answer_s)
{
	struct flow *flow = connection(w, number, SERVER);

	flow->side[0].last_ns = flow->side[0].last_payload_ns = wire_ns(1 + idle_ms / 1e3);
	wire_reset(flow, 1, 1 + idle_ms / 1e3 + answer_s);
	flow->idle_last_ms = idle_ms;
	flow->close_idle_ms = (uint32_t)(answer_s * 1e3);
	return flow;
}

static void lives(struct wire *w, unsigned number, uint32_t idle_ms)
{
	connection(w, number, SERVER)->idle_max_ms = idle_ms;
}

static void resets__two_warn_and_name_the_limit(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (unsigned count = 1; count <= 2; count++) {
		wire_open(&w, RULE);
		for (unsigned i = 0; i < count; i++)
			dies(&w, i, 352000 + 100000 * i, 0.01);
		lives(&w, 10, 340000);
		wire_judge(&w);
		finding = wire_expect_one(&w, count == 1 ? SEVERITY_INFO : SEVERITY_WARNING);
		assert_int_equal(finding->count, count);
		assert_int_equal(evidence_of(finding, "dies_after"), 352000);
		assert_int_equal(evidence_of(finding, "lives_after"), 340000);
		assert_int_equal(evidence_of(finding, "connections"), count + 1);
		assert_string_equal(finding_evidence(finding, "fits")->text, "350 s (AWS NAT gateway or NLB)");
		expect_text(finding, finding->title, "of 10.0.0.1 to 10.0.0.2:443 are reset at their next use: silent for 5 min 52 s dies, for 5 min 40 s lives");
		expect_text(finding, finding->detail, "packets of the server itself");
		if (count == 1)
			expect_against(finding, "one connection only");
		else
			assert_true(finding->confidence > 0.9);
		wire_close(&w);
	}
}

static void limits__that_fit_the_bracket__are_named(void **state)
{
	static const struct {
		uint32_t lives_ms, dies_ms;
		const char *fits;
	} rows[] = {
		{ 0, 61000, "60 s (AWS ALB)" },
		{ 30000, 80000, "75 s (nginx keep-alive), 60 s (AWS ALB)" },
		{ 200000, 240000, "240 s (Azure load balancer or NAT gateway)" },
		{ 240001, 300000, "none of those in wide use" },
		{ 400000, 599000, "600 s (Google VPC firewall)" }, /* a timer may end a little early */
		{ 700000, 1300000, "1200 s (Google Cloud NAT)" },
	};
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		dies(&w, 0, rows[i].dies_ms, 0.01);
		dies(&w, 1, rows[i].dies_ms, 0.01);
		lives(&w, 2, rows[i].lives_ms);
		wire_judge(&w);
		assert_string_equal(finding_evidence(wire_expect_one(&w, SEVERITY_WARNING), "fits")->text, rows[i].fits);
		wire_close(&w);
	}
}

static void silence__of_thirty_seconds__is_where_it_begins(void **state)
{
	struct wire w;

	(void)state;
	for (uint32_t ms = 29999; ms <= 30000; ms++) {
		wire_open(&w, RULE);
		dies(&w, 0, ms, 0.01);
		dies(&w, 1, ms, 0.01);
		wire_judge(&w);
		if (ms == 30000)
			wire_expect_one(&w, SEVERITY_WARNING);
		else
			wire_expect_near(&w, ms);
		wire_close(&w);
	}
}

/* An RST that nothing asked for is a close, not an answer. */
static void rst__within_a_second_or_three_round_trips__is_an_answer(void **state)
{
	static const struct {
		double answer_s;
		uint32_t rtt_us;
		bool fires;
	} rows[] = { { 1, 10000, true }, { 1.01, 10000, false }, { 1.5, 500000, true }, { 1.51, 500000, false } };
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		dies(&w, 0, 60000, rows[i].answer_s)->handshake_rtt_us = rows[i].rtt_us;
		wire_judge(&w);
		assert_int_equal(w.verdict.finding_count, rows[i].fires);
		wire_close(&w);
	}
}

/* A survivor of a much shorter silence brackets nothing. */
static void title__names_the_survivor_only_when_it_tells_something(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (uint32_t ms = 5999; ms <= 6000; ms++) {
		wire_open(&w, RULE);
		dies(&w, 0, 60000, 0.01);
		dies(&w, 1, 70000, 0.01);
		lives(&w, 2, ms);
		wire_judge(&w);
		finding = wire_expect_one(&w, SEVERITY_WARNING);
		expect_text(finding, finding->title, ms == 6000 ? "silent for 60 s dies, for 6 s lives" : "2, after 60 s or more");
		wire_close(&w);
	}
}

static void survivor__of_a_longer_silence__speaks_against_a_timer(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	dies(&w, 0, 60000, 0.01);
	dies(&w, 1, 70000, 0.01);
	lives(&w, 2, 60000);
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence < 0.75);
	expect_against(finding, "survived 60 s");
	wire_close(&w);
}

static void critical__needs_ten_a_minute(void **state)
{
	static const struct {
		unsigned count;
		double seconds;
		enum severity severity;
	} rows[] = { { 10, 60, SEVERITY_CRITICAL }, { 9, 60, SEVERITY_WARNING }, { 10, 61, SEVERITY_WARNING } };
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		for (unsigned k = 0; k < rows[i].count; k++)
			dies(&w, k, 31000, 0.01);
		wire_lasts(&w, rows[i].seconds);
		wire_judge(&w);
		wire_expect_one(&w, rows[i].severity);
		wire_close(&w);
	}
}

static void rst__made_in_between__is_told_by_its_ttl(void **state)
{
	const struct finding *finding;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	dies(&w, 0, 400000, 0.01);
	flow = dies(&w, 1, 360000, 0.01);
	flow->flags |= FLOW_RESET_BY_BOX | FLOW_RESET_ALIEN_TTL;
	flow->side[1].ttl_reset = 254;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_int_equal(evidence_of(finding, "in_between"), 1);
	expect_text(finding, finding->detail, "something in between made 1 of the RSTs (TTL 254, that side's other packets 57)");
	wire_close(&w);
}

static void normal_closes__are_silent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	dies(&w, 0, 60000, 0.01)->flags |= FLOW_RESET_AFTER_FIN;
	flow = dies(&w, 1, 60000, 0.01);
	flow->state = FLOW_CLOSED;
	lives(&w, 2, 900000);
	wire_silent(dies(&w, 3, 60000, 0.01), 0); /* what it answers was not seen */
	for (unsigned side = 0; side < 2; side++) /* the server, or the client, closed long ago */
		dies(&w, 4 + side, 60000, 0.01)->side[side].has |= SIDE_SENT_FIN;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void clients__from_the_internet__are_info(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 3; i++) {
		flow = dies(&w, i, 60000, 0.01);
		flow->end[0] = wire_endpoint("45.0.0.1:40000");
		flow->end[0].port = (uint16_t)(40000 + i);
	}
	wire_judge(&w);
	expect_against(wire_expect_one(&w, SEVERITY_INFO), "their own NATs");
	wire_close(&w);
}

static void ipv6__and_a_doubtful_capture(void **state)
{
	const struct finding *finding;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = connection(&w, 0, "[fd00::2]:443");
	flow->side[0].last_ns = wire_ns(100);
	wire_reset(flow, 1, 100.01);
	flow->idle_last_ms = 99000;
	wire_owner(&w, flow, 0, 8, "app");
	w.trust = 0.5;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	assert_true(finding->confidence > 0.34 && finding->confidence < 0.36);
	expect_text(finding, finding->title, "app[8] at fd00::1 to [fd00::2]:443");
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resets__two_warn_and_name_the_limit),
		cmocka_unit_test(limits__that_fit_the_bracket__are_named),
		cmocka_unit_test(silence__of_thirty_seconds__is_where_it_begins),
		cmocka_unit_test(rst__within_a_second_or_three_round_trips__is_an_answer),
		cmocka_unit_test(title__names_the_survivor_only_when_it_tells_something),
		cmocka_unit_test(survivor__of_a_longer_silence__speaks_against_a_timer),
		cmocka_unit_test(critical__needs_ten_a_minute),
		cmocka_unit_test(rst__made_in_between__is_told_by_its_ttl),
		cmocka_unit_test(normal_closes__are_silent),
		cmocka_unit_test(clients__from_the_internet__are_info),
		cmocka_unit_test(ipv6__and_a_doubtful_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
