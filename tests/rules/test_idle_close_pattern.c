/* SPDX-License-Identifier: MIT */
/* idle-close-pattern: closes that keep time, and those that do not. */
#include "rules.h"

#define RULE "idle-close-pattern"
#define SERVER "10.0.0.2:443"

static struct flow *closed(struct wire *w, unsigned number, unsigned closer, uint32_t idle_ms)
{
	struct flow *flow;
	char client[40];

	snprintf(client, sizeof(client), "10.0.0.1:%u", 40000 + number);
	flow = wire_tcp(w, client, SERVER);
	flow->state = FLOW_CLOSED;
	flow->closer = (uint8_t)closer;
	flow->close_idle_ms = idle_ms;
	return flow;
}

static void closes__five_at_the_same_age__are_told(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (unsigned closer = 0; closer < 2; closer++) {
		for (unsigned count = 4; count <= 5; count++) {
			wire_open(&w, RULE);
			for (unsigned i = 0; i < count; i++)
				closed(&w, i, closer, 5000 + i);
			wire_judge(&w);
			if (count == 4) {
				wire_expect_near(&w, 4);
			} else {
				finding = wire_expect_one(&w, SEVERITY_INFO);
				assert_int_equal(finding->count, 5);
				assert_int_equal(evidence_of(finding, "median"), 5002);
				assert_int_equal(evidence_of(finding, "p10"), 5000);
				assert_int_equal(evidence_of(finding, "p90"), 5004);
				expect_text(finding, finding->title, closer ? "10.0.0.2:443 closes idle connections of 10.0.0.1 after 5" : "10.0.0.1 closes idle connections to 10.0.0.2:443 after 5");
				expect_against(finding, "no data crossed a close");
				if (!closer)
					expect_against(finding, "the right side");
			}
			wire_close(&w);
		}
	}
}

/* Nearest rank: of ten the first is p10, the ninth p90, the fifth the median. */
static void spread__of_a_tenth__is_still_a_timer(void **state)
{
	struct wire w;

	(void)state;
	for (uint32_t p90 = 5500; p90 <= 5501; p90++) {
		wire_open(&w, RULE);
		for (unsigned i = 0; i < 10; i++)
			closed(&w, i, 1, i < 8 ? 5000 : i == 8 ? p90 : 900000);
		wire_judge(&w);
		assert_int_equal(w.verdict.finding_count, p90 == 5500);
		wire_close(&w);
	}
}

static void closes__sooner_than_two_seconds__are_done_with_their_work(void **state)
{
	struct wire w;

	(void)state;
	for (uint32_t ms = 1999; ms <= 2000; ms++) {
		wire_open(&w, RULE);
		for (unsigned i = 0; i < 8; i++)
			closed(&w, i, 1, ms);
		wire_judge(&w);
		assert_int_equal(w.verdict.finding_count, ms == 2000);
		wire_close(&w);
	}
}

static void data__that_crosses_the_close__is_a_warning(void **state)
{
	const struct finding *finding;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 8; i++)
		flow = closed(&w, i, 1, 2000);
	flow->flags |= FLOW_RACE;
	flow->state = FLOW_RESET;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_string_equal(finding->threshold.name, "races");
	assert_int_equal(evidence_of(finding, "by_reset"), 1);
	expect_text(finding, finding->title, "requests of 10.0.0.1 cross the close: 1 lost");
	wire_close(&w);
}

/* A client that uses a connection shortly before the server gives it up will come too late once. */
static void reuse__within_a_fifth_of_the_limit__is_a_warning(void **state)
{
	static const struct {
		unsigned closer;
		uint32_t reused_ms;
		enum severity severity;
	} rows[] = { { 1, 3999, SEVERITY_INFO }, { 1, 4000, SEVERITY_WARNING }, { 0, 4999, SEVERITY_INFO } };
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		for (unsigned k = 0; k < 8; k++)
			closed(&w, k, rows[i].closer, 5000)->idle_max_ms = k ? 10 : rows[i].reused_ms;
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		assert_int_equal(evidence_of(finding, "reused_after"), rows[i].reused_ms);
		if (rows[i].severity == SEVERITY_WARNING)
			assert_string_equal(finding->threshold.name, "reuse");
		if (rows[i].severity == SEVERITY_WARNING)
			expect_text(finding, finding->title, "still used one after 4 s of silence");
		wire_close(&w);
	}
}

static void closes__at_random_or_of_unused_connections__are_silent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 20; i++)
		closed(&w, i, 1, 2000 + 700 * i);
	for (unsigned i = 0; i < 20; i++) {
		flow = closed(&w, 100 + i, 0, 5000);
		flow->side[0].payload = flow->side[1].payload = 0;
	}
	for (unsigned i = 0; i < 20; i++)
		closed(&w, 200 + i, 2, 5000)->state = FLOW_ESTABLISHED;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void ipv6__and_a_doubtful_capture(void **state)
{
	const struct finding *finding;
	struct flow *flow;
	char client[40];
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(client, sizeof(client), "[fd00::1]:%u", 40000 + i);
		flow = wire_midstream(&w, client, "[fd00::2]:443");
		flow->state = FLOW_CLOSING;
		flow->closer = 1;
		flow->close_idle_ms = 75000;
	}
	w.trust = 0.5;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	assert_true(finding->confidence > 0.45 && finding->confidence < 0.47);
	expect_text(finding, finding->title, "[fd00::2]:443 closes idle connections of fd00::1 after 75 s");
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes__five_at_the_same_age__are_told),
		cmocka_unit_test(spread__of_a_tenth__is_still_a_timer),
		cmocka_unit_test(closes__sooner_than_two_seconds__are_done_with_their_work),
		cmocka_unit_test(data__that_crosses_the_close__is_a_warning),
		cmocka_unit_test(reuse__within_a_fifth_of_the_limit__is_a_warning),
		cmocka_unit_test(closes__at_random_or_of_unused_connections__are_silent),
		cmocka_unit_test(ipv6__and_a_doubtful_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
