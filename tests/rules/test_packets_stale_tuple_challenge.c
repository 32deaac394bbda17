/* SPDX-License-Identifier: MIT */
/* stale-tuple-challenge from packets: SYNs that an old connection answers. */
#include "rules.h"

#define RULE "stale-tuple-challenge"
#define SERVER "10.0.0.2:443"

/* Challenged, denied by RST, connected after @wait_ms. */
static struct flow *recovered(struct wire *w, const char *client, const char *server, uint32_t wait_ms)
{
	struct flow *flow = wire_tcp(w, client, server);

	flow->flags |= FLOW_CHALLENGED | FLOW_PORT_REUSE;
	flow->side[0].resets = 1;
	flow->side[0].syns = 2;
	flow->side[0].syn_retries = 1;
	flow->side[0].packets += 2;
	flow->syn_wait_ms = wait_ms;
	return flow;
}

/* Challenged, and no connection: @retries SYNs more, @resets. */
static struct flow *stuck(struct wire *w, const char *client, unsigned retries, unsigned resets)
{
	struct flow *flow = wire_syn(w, client, SERVER, retries);

	flow->flags |= FLOW_CHALLENGED;
	flow->side[0].resets = (uint16_t)resets;
	flow->side[0].packets += resets;
	flow->side[1].packets = 1 + retries;
	flow->side[1].last_ns = flow->side[0].last_ns;
	return flow;
}

static void add_plain(struct wire *w, unsigned count)
{
	char client[40];

	for (unsigned i = 0; i < count; i++) {
		snprintf(client, sizeof(client), "10.0.8.%u:%u", i % 250, 1000 + i);
		wire_tcp(w, client, SERVER);
	}
}

static void add_recovered(struct wire *w, unsigned count)
{
	char client[40];

	for (unsigned i = 0; i < count; i++) {
		snprintf(client, sizeof(client), "10.0.9.%u:5555", i);
		recovered(w, client, SERVER, 1000 + i);
	}
}

static void challenges__five_warn__twenty_five_that_are_a_hundredth_are_critical(void **state)
{
	static const struct {
		unsigned challenged, plain;
		enum severity severity;
		const char *limit;
	} rows[] = {
		{ 1, 0, SEVERITY_INFO, "challenged" },
		{ 4, 0, SEVERITY_INFO, "challenged" },
		{ 5, 0, SEVERITY_WARNING, "challenged" },
		{ 24, 0, SEVERITY_WARNING, "challenged" },
		{ 25, 2476, SEVERITY_WARNING, "challenged" },
		{ 25, 2475, SEVERITY_CRITICAL, "challenged_share" },
	};
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		add_recovered(&w, rows[i].challenged);
		add_plain(&w, rows[i].plain);
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		assert_string_equal(finding->threshold.name, rows[i].limit);
		assert_int_equal(finding->count, rows[i].challenged);
		assert_int_equal(evidence_of(finding, "recovered"), rows[i].challenged);
		assert_int_equal(evidence_of(finding, "longest_wait"), 999 + rows[i].challenged);
		assert_int_equal(evidence_of(finding, "client_port"), 5555);
		expect_text(finding, finding->next[0], "tcp port 443 and tcp port 5555");
		if (rows[i].challenged == 1)
			expect_against(finding, "one client address");
		wire_close(&w);
	}
}

static void long_capture__wants_five_a_minute(void **state)
{
	struct wire w;

	(void)state;
	for (unsigned seconds = 60; seconds <= 61; seconds++) {
		wire_open(&w, RULE);
		add_recovered(&w, 5);
		add_plain(&w, 1000);
		wire_lasts(&w, seconds);
		wire_judge(&w);
		wire_expect_one(&w, seconds == 60 ? SEVERITY_WARNING : SEVERITY_INFO);
		wire_close(&w);
	}
}

/* The challenge or the RST is dropped on the way: no connection until the old one is gone. */
static void client__that_stays_out__warns_alone(void **state)
{
	static const struct {
		double seconds;
		unsigned resets;
		enum severity severity;
	} rows[] = { { 2.999, 0, SEVERITY_INFO }, { 3, 0, SEVERITY_WARNING }, { 3, 2, SEVERITY_WARNING } };
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		stuck(&w, "10.0.9.1:5555", 1, rows[i].resets);
		wire_lasts(&w, rows[i].seconds);
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		if (rows[i].severity == SEVERITY_WARNING) {
			assert_string_equal(finding->threshold.name, "stuck");
			expect_text(finding, finding->title, "keeps 10.0.9.1 out");
			expect_text(finding, finding->causes[0], "drops the challenge ACK");
		}
		if (rows[i].resets)
			expect_against(finding, "the client did send an RST");
		wire_close(&w);
	}
}

/* Nobody follows the challenge up: somebody guesses. */
static void challenges__without_rst_or_retry__are_info_and_explain_nothing(void **state)
{
	const struct finding *finding;
	char client[40];
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(client, sizeof(client), "10.0.9.1:%u", 1000 + i);
		stuck(&w, client, 0, 0);
	}
	wire_lasts(&w, 20);
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	assert_true(finding->confidence < 0.5);
	expect_against(finding, "somebody guesses");
	wire_close(&w);
}

static void reuse__after_a_clean_close__is_silent(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_tcp(&w, "10.0.9.1:5555", SERVER)->flags |= FLOW_PORT_REUSE;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void ipv6__and_a_doubtful_capture(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	recovered(&w, "[fd00::1]:5555", "[fd00::2]:443", 1000);
	w.trust = 0.5;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	assert_true(finding->confidence > 0.46 && finding->confidence < 0.47);
	expect_text(finding, finding->title, "Old connections at [fd00::2]:443");
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges__five_warn__twenty_five_that_are_a_hundredth_are_critical),
		cmocka_unit_test(long_capture__wants_five_a_minute),
		cmocka_unit_test(client__that_stays_out__warns_alone),
		cmocka_unit_test(challenges__without_rst_or_retry__are_info_and_explain_nothing),
		cmocka_unit_test(reuse__after_a_clean_close__is_silent),
		cmocka_unit_test(ipv6__and_a_doubtful_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
