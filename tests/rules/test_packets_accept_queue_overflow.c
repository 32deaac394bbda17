/* SPDX-License-Identifier: MIT */
/* accept-queue-overflow from packets: connections in which only the client believes, and SYNs dropped beside others that get in. */
#include "rules.h"

#define RULE "accept-queue-overflow"
#define SERVER "10.0.0.2:443"

/* SYN, SYN-ACK, ACK and @payload bytes of data; the server goes on to repeat its SYN-ACK. */
static struct flow *ignored(struct wire *w, const char *client, const char *server, unsigned repeats, unsigned payload)
{
	struct flow *flow = wire_syn(w, client, server, 0);
	struct flow_side *s = &flow->side[1];

	flow->state = FLOW_ESTABLISHED;
	flow->flags |= FLOW_SAW_SYN_ACK;
	flow->side[0].packets += 1 + repeats;
	flow->side[0].payload = payload;
	s->packets = 1 + repeats;
	s->syns = (uint16_t)(1 + repeats);
	s->syn_retries = (uint16_t)repeats;
	flow->side[0].last_ns = s->last_ns = wire_ns((1u << repeats) - 1);
	return flow;
}

static void add_ignored(struct wire *w, unsigned count)
{
	char client[40];

	for (unsigned i = 0; i < count; i++) {
		snprintf(client, sizeof(client), "10.0.9.%u:40000", i);
		ignored(w, client, SERVER, 3, 100);
	}
}

static void syn_ack__repeated_after_the_ack__warns_and_ten_are_critical(void **state)
{
	static const struct {
		unsigned count;
		enum severity severity;
	} rows[] = { { 1, SEVERITY_WARNING }, { 9, SEVERITY_WARNING }, { 10, SEVERITY_CRITICAL } };
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		add_ignored(&w, rows[i].count);
		wire_tcp(&w, "10.0.0.5:50000", SERVER);
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		assert_int_equal(finding->count, rows[i].count);
		assert_int_equal(evidence_of(finding, "with_data"), rows[i].count);
		assert_int_equal(evidence_of(finding, "opened"), 1);
		assert_int_equal(evidence_of(finding, "syn_ack_repeats"), 3);
		assert_int_equal(finding->scope.local.port, 443);
		expect_text(finding, finding->title, "10.0.0.2:443 ignores finished handshakes");
		expect_text(finding, finding->next[0], "host 10.0.0.2 and tcp port 443");
		expect_against(finding, "a firewall between this capture and the server");
		wire_close(&w);
	}
}

static void capture__at_the_server__is_believed_more(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_owner(&w, ignored(&w, "[fd00::1]:40000", "[fd00::2]:443", 2, 0), 1, 900, "app");
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence > 0.91);
	assert_int_equal(finding->scope.pid, 900);
	expect_against(finding, "TCP_DEFER_ACCEPT");
	wire_close(&w);
}

/* One final ACK that was lost: the SYN-ACK comes again, the client repeats its ACK, all is well. */
static void lost_ack__is_silent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	ignored(&w, "10.0.9.1:40000", SERVER, 1, 100);
	flow = wire_tcp(&w, "10.0.9.2:40000", SERVER); /* three repetitions, then it went on */
	flow->side[1].syns = 4;
	flow->side[1].syn_retries = 3;
	flow->side[1].packets += 3;
	wire_judge(&w);
	wire_expect_near(&w, 3);
	wire_close(&w);
}

static void ack__that_was_not_seen__is_another_rules(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = ignored(&w, "10.0.9.1:40000", SERVER, 4, 0);
	flow->state = FLOW_SYN_RECEIVED;
	flow->side[0].packets = 1;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void client__whose_syn_was_not_seen__says_nothing(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = ignored(&w, "10.0.9.1:40000", SERVER, 4, 100);
	flow->flags &= ~(uint32_t)FLOW_SAW_SYN;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

/* SYNs without answer, while others get in: possible, no more. */
static void dropped_syns__beside_connections_that_complete__are_possible(void **state)
{
	static const struct {
		unsigned dropped;
		double other_at;
		bool fires;
	} rows[] = { { 3, 2, true }, { 2, 2, false }, { 3, 8, false } };
	const struct finding *finding;
	char client[40];
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		for (unsigned k = 0; k < rows[i].dropped; k++) {
			snprintf(client, sizeof(client), "10.0.9.%u:40000", k);
			wire_syn(&w, client, SERVER, 3); /* 0 to 7 s */
		}
		wire_tcp(&w, "10.0.0.5:50000", SERVER)->first_ns = wire_ns(rows[i].other_at);
		wire_lasts(&w, 20);
		wire_judge(&w);
		if (rows[i].fires) {
			finding = wire_expect_one(&w, SEVERITY_WARNING);
			assert_true(finding->confidence < 0.5);
			assert_string_equal(finding->threshold.name, "dropped_syns");
			expect_text(finding, finding->title, "may drop SYNs");
			expect_against(finding, "a lossy path");
		} else {
			wire_expect_silence(&w);
		}
		wire_close(&w);
	}
}

static void doubtful_capture__lowers_the_confidence(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	add_ignored(&w, 1);
	w.trust = 0.6;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence > 0.44 && finding->confidence < 0.46);
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_ack__repeated_after_the_ack__warns_and_ten_are_critical),
		cmocka_unit_test(capture__at_the_server__is_believed_more),
		cmocka_unit_test(lost_ack__is_silent),
		cmocka_unit_test(ack__that_was_not_seen__is_another_rules),
		cmocka_unit_test(client__whose_syn_was_not_seen__says_nothing),
		cmocka_unit_test(dropped_syns__beside_connections_that_complete__are_possible),
		cmocka_unit_test(doubtful_capture__lowers_the_confidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
