/* SPDX-License-Identifier: MIT */
/* syn-recv-stall from packets: SYN-ACKs that are repeated, and clients that do not finish. */
#include "rules.h"

#define RULE "syn-recv-stall"
#define SERVER "10.0.0.2:443"

/* SYN, SYN-ACK, @repeats SYN-ACKs more; the client sends its SYN @again. */
static struct flow *half(struct wire *w, const char *client, const char *server, unsigned repeats, unsigned again)
{
	struct flow *flow = wire_syn(w, client, server, again);
	struct flow_side *s = &flow->side[1];

	flow->state = FLOW_SYN_RECEIVED;
	flow->flags |= FLOW_SAW_SYN_ACK;
	s->packets = 1 + repeats;
	s->syns = (uint16_t)(1 + repeats);
	s->syn_retries = (uint16_t)repeats;
	s->last_ns = wire_ns((1u << repeats) - 1);
	s->has = SIDE_HAS_SYN | SIDE_HAS_SEQ | SIDE_HAS_ACK;
	return flow;
}

/* @spread: each from a network of its own. */
static void add_halves(struct wire *w, unsigned count, bool spread, unsigned repeats, unsigned again)
{
	char client[40];

	for (unsigned i = 0; i < count; i++) {
		snprintf(client, sizeof(client), "10.%u.9.%u:40000", spread ? i : 0, spread ? 1 : i);
		half(w, client, SERVER, repeats, again);
	}
}

static void clients__five_warn_and_twenty_are_critical(void **state)
{
	static const struct {
		unsigned count;
		enum severity severity;
	} rows[] = { { 1, SEVERITY_INFO }, { 4, SEVERITY_INFO }, { 5, SEVERITY_WARNING }, { 19, SEVERITY_WARNING }, { 20, SEVERITY_CRITICAL } };
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		add_halves(&w, rows[i].count, false, 3, 2);
		wire_tcp(&w, "10.0.0.5:50000", SERVER);
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		assert_int_equal(finding->count, rows[i].count);
		assert_int_equal(evidence_of(finding, "repeating"), rows[i].count);
		assert_int_equal(evidence_of(finding, "syn_ack_repeats"), 3);
		assert_int_equal(evidence_of(finding, "networks"), 1);
		expect_text(finding, finding->title, "with 10.0.0.2:443 do not complete: its SYN-ACKs do not reach");
		expect_text(finding, finding->fixes[1], "source port 443");
		expect_text(finding, finding->next[0], "host 10.0.0.2 and tcp port 443");
		expect_against(finding, "1 other handshake with the same server completed");
		assert_true(finding->confidence > 0.89);
		wire_close(&w);
	}
}

static void syn_ack__repeated_once__is_a_near_miss(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	add_halves(&w, 10, false, 1, 1);
	wire_judge(&w);
	wire_expect_near(&w, 1);
	wire_close(&w);
}

static void client__that_sent_its_ack__is_another_rules(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = half(&w, "10.0.9.1:40000", SERVER, 4, 0);
	flow->state = FLOW_ESTABLISHED;
	flow->side[0].packets++;
	flow = half(&w, "10.0.9.2:40000", SERVER, 4, 0);
	flow->side[0].packets++; /* whatever state its packets led to */
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void client__that_resets__does_not_want_it(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = half(&w, "10.0.9.1:40000", SERVER, 4, 0);
	wire_reset(flow, 0, 2);
	wire_syn(&w, "10.0.9.2:40000", SERVER, 5);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

/* Among many targets a scanner finds some that answer, and leaves them at that. */
static void scanner__that_leaves_handshakes_open__is_not_this(void **state)
{
	char server[40];
	struct wire w;

	(void)state;
	for (unsigned targets = 15; targets <= 16; targets++) {
		wire_open(&w, RULE);
		half(&w, "10.0.9.1:40000", SERVER, 3, 0);
		for (unsigned i = 0; i < targets; i++) {
			snprintf(server, sizeof(server), "10.0.0.2:%u", 1000 + i);
			wire_syn(&w, "10.0.9.1:40000", server, 0);
		}
		wire_judge(&w);
		assert_int_equal(w.verdict.finding_count, targets == 15);
		wire_close(&w);
	}
}

static void quiet_clients__are_believed_less(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	add_halves(&w, 6, false, 3, 0);
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence > 0.74 && finding->confidence < 0.76);
	expect_text(finding, finding->title, "no answer to its SYN-ACKs from 6 hosts");
	expect_against(finding, "no client sends its SYN again");
	wire_close(&w);
}

static void addresses__each_of_its_own_network__look_like_a_flood(void **state)
{
	static const struct {
		bool spread;
		unsigned again;
		enum severity severity;
		bool flood;
	} rows[] = {
		{ true, 0, SEVERITY_WARNING, true },
		{ true, 1, SEVERITY_CRITICAL, false }, /* they ask again: somebody is there */
		{ false, 0, SEVERITY_CRITICAL, false },
	};
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		add_halves(&w, 30, rows[i].spread, 3, rows[i].again);
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		if (rows[i].flood)
			expect_text(finding, finding->title, "30 addresses from 30 networks never answer, as in a SYN flood");
		wire_close(&w);
	}
}

/* Clients on the Internet vanish, and scanners do not finish. */
static void clients__from_the_internet__must_stand_out(void **state)
{
	static const struct {
		unsigned networks, again, opened;
		enum severity severity;
	} rows[] = {
		{ 5, 1, 495, SEVERITY_WARNING }, { 5, 1, 496, SEVERITY_INFO }, { 4, 1, 0, SEVERITY_INFO }, { 5, 0, 0, SEVERITY_INFO },
	};
	const struct finding *finding;
	char client[40];
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		for (unsigned k = 0; k < 5; k++) {
			snprintf(client, sizeof(client), "45.0.%u.7:%u", k % rows[i].networks, 40000 + k);
			half(&w, client, SERVER, 3, rows[i].again);
		}
		for (unsigned k = 0; k < rows[i].opened; k++) {
			snprintf(client, sizeof(client), "46.0.0.1:%u", 1000 + k);
			wire_tcp(&w, client, SERVER);
		}
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		expect_against(finding, "scanners do not finish");
		wire_close(&w);
	}
}

static void ipv6__and_a_doubtful_capture(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	half(&w, "[fd00::1]:40000", "[fd00::2]:443", 2, 1);
	w.trust = 0.6;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	assert_true(finding->confidence > 0.53 && finding->confidence < 0.55);
	expect_text(finding, finding->title, "with [fd00::2]:443 do not complete");
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients__five_warn_and_twenty_are_critical),
		cmocka_unit_test(syn_ack__repeated_once__is_a_near_miss),
		cmocka_unit_test(client__that_sent_its_ack__is_another_rules),
		cmocka_unit_test(client__that_resets__does_not_want_it),
		cmocka_unit_test(scanner__that_leaves_handshakes_open__is_not_this),
		cmocka_unit_test(quiet_clients__are_believed_less),
		cmocka_unit_test(addresses__each_of_its_own_network__look_like_a_flood),
		cmocka_unit_test(clients__from_the_internet__must_stand_out),
		cmocka_unit_test(ipv6__and_a_doubtful_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
