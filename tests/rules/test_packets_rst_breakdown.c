/* SPDX-License-Identifier: MIT */
/* rst-breakdown from packets: resets by class, and those that something in between makes. */
#include <string.h>

#include "rules.h"

#define RULE "rst-breakdown"
#define SERVER "10.0.0.2:443"

static struct flow *reset(struct wire *w, unsigned number, unsigned side, uint32_t flags)
{
	struct flow *flow;
	char client[40];

	snprintf(client, sizeof(client), "10.0.0.1:%u", 40000 + number);
	flow = wire_tcp(w, client, SERVER);
	wire_reset(flow, side, 2);
	flow->flags |= flags;
	return flow;
}

static const struct finding *table_of(const struct wire *w)
{
	for (size_t i = 0; i < w->verdict.finding_count; i++) {
		if (finding_evidence(w->verdict.findings[i], "reset_flows"))
			return w->verdict.findings[i];
	}
	fail_msg("no table");
	return NULL;
}

/* One connection of each class; the classes share no flow. */
static void each_reset__is_in_one_class(void **state)
{
	static const struct {
		const char *name, *words;
		uint32_t flags;
	} rows[] = {
		{ "between", "1 by something in between", FLOW_RESET_BY_BOX | FLOW_RESET_ALIEN_TTL | FLOW_RESET_UNREAD },
		{ "after_fin", "1 after a FIN", FLOW_RESET_AFTER_FIN | FLOW_RESET_UNREAD },
		{ "unanswered", "1 with the last data unanswered", FLOW_RESET_UNREAD },
		{ "others", "1 with nothing outstanding", 0 },
	};
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		reset(&w, (unsigned)i, i % 2, rows[i].flags);
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	assert_int_equal(finding->count, 4);
	assert_int_equal(evidence_of(finding, "by_client"), 2);
	assert_int_equal(evidence_of(finding, "by_server"), 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(evidence_of(finding, rows[i].name), 1);
		expect_text(finding, finding->detail, rows[i].words);
	}
	assert_int_equal(evidence_of(finding, "after_idle"), 0);
	assert_null(strstr(finding->detail, "after_idle"));
	expect_text(finding, finding->causes[0], "firewall, NAT or load balancer");
	expect_against(finding, "are healthy");
	wire_close(&w);
}

static void silence__of_thirty_seconds__is_a_class(void **state)
{
	struct wire w;

	(void)state;
	for (uint32_t ms = 29999; ms <= 30000; ms++) {
		wire_open(&w, RULE);
		reset(&w, 0, 1, 0)->idle_last_ms = ms;
		wire_judge(&w);
		assert_int_equal(evidence_of(wire_expect_one(&w, SEVERITY_INFO), "after_idle"), ms == 30000);
		wire_close(&w);
	}
}

/* The connection was closed long ago; the other side used it all the same. */
static void fin__long_before_the_reset__is_a_close(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		wire_open(&w, RULE);
		flow = reset(&w, 0, 1, 0);
		flow->idle_last_ms = 45000;
		flow->side[side].has |= SIDE_SENT_FIN;
		wire_judge(&w);
		assert_int_equal(evidence_of(wire_expect_one(&w, SEVERITY_INFO), "after_fin"), side == 1);
		wire_close(&w);
	}
}

static void handshake__that_the_client_resets__is_half_open(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = wire_syn(&w, "10.0.0.1:40000", SERVER, 0);
	flow->flags |= FLOW_SAW_SYN_ACK;
	flow->side[1].packets = flow->side[1].syns = 1;
	wire_reset(flow, 0, 0.1);
	wire_judge(&w);
	assert_int_equal(evidence_of(wire_expect_one(&w, SEVERITY_INFO), "half_open"), 1);
	wire_close(&w);
}

static void box__that_resets_two_at_work__is_a_warning(void **state)
{
	static const struct {
		uint32_t flags;
		double least, most;
		const char *words, *against;
	} rows[] = {
		{ FLOW_RESET_ALIEN_TTL, 0.6, 0.7, "its TTL is 62, that side's other packets have 57 ·", "one sign only" },
		{ FLOW_RESET_ALIEN_TTL | FLOW_RESET_NO_TIMESTAMP, 0.89, 0.95, "no timestamp", "in another way" },
		{ FLOW_RESET_ALIEN_ID | FLOW_RESET_NO_TIMESTAMP, 0.89, 0.95, "its IP id is 0", "in another way" },
	};
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (unsigned count = 1; count <= 2; count++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			wire_open(&w, RULE);
			for (unsigned k = 0; k < count; k++)
				reset(&w, k, 1, FLOW_RESET_BY_BOX | rows[i].flags)->side[1].ttl_reset = 62;
			wire_judge(&w);
			assert_int_equal(w.verdict.finding_count, count);
			if (count == 2) {
				finding = w.verdict.findings[0];
				assert_int_equal(finding->severity, SEVERITY_WARNING);
				assert_true(finding->confidence > rows[i].least && finding->confidence < rows[i].most);
				expect_text(finding, finding->title, "between resets connections of 10.0.0.1 with 10.0.0.2:443: 2");
				expect_text(finding, finding->detail, rows[i].words);
				expect_text(finding, finding->detail, "the server's address");
				expect_text(finding, finding->fixes[0], "find the box");
				expect_against(finding, rows[i].against);
			}
			assert_int_equal(evidence_of(table_of(&w), "between"), count);
			wire_close(&w);
		}
	}
}

/* Idle timeouts are rst-after-idle's, and connections that carried nothing were not at work. */
static void box__after_idle_or_before_data__is_in_the_table_only(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 3; i++) {
		flow = reset(&w, i, 1, FLOW_RESET_BY_BOX | FLOW_RESET_ALIEN_TTL);
		flow->idle_last_ms = 30000;
		flow = reset(&w, 10 + i, 1, FLOW_RESET_BY_BOX | FLOW_RESET_ALIEN_TTL);
		flow->flags &= ~(uint32_t)FLOW_SYN_TO_DATA;
	}
	wire_judge(&w);
	wire_expect_one(&w, SEVERITY_INFO);
	wire_close(&w);
}

static void refused_and_clean_closes__are_silent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = reset(&w, 0, 1, 0);
	flow->state = FLOW_REFUSED;
	flow = wire_tcp(&w, "10.0.0.1:50000", SERVER);
	flow->state = FLOW_CLOSED;
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
	wire_reset(wire_midstream(&w, "[fd00::1]:40000", "[fd00::2]:443"), 0, 1);
	w.trust = 0.5;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	assert_true(finding->confidence > 0.46 && finding->confidence < 0.47);
	assert_int_equal(finding->scope.peer.addr.family, ADDR_V6);
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reset__is_in_one_class),
		cmocka_unit_test(silence__of_thirty_seconds__is_a_class),
		cmocka_unit_test(fin__long_before_the_reset__is_a_close),
		cmocka_unit_test(handshake__that_the_client_resets__is_half_open),
		cmocka_unit_test(box__that_resets_two_at_work__is_a_warning),
		cmocka_unit_test(box__after_idle_or_before_data__is_in_the_table_only),
		cmocka_unit_test(refused_and_clean_closes__are_silent),
		cmocka_unit_test(ipv6__and_a_doubtful_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
