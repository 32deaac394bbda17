/* SPDX-License-Identifier: MIT */
/* nagle-delack-stall from packets: small writes that wait for a delayed ACK. */
#include "rules.h"

#define RULE "nagle-delack-stall"
#define CLIENT "10.0.0.1:40000"
#define SERVER "10.0.0.2:443"

/* @stalls of @cycles small writes of @side waited 40 to 44 ms, within @seconds. */
static struct flow *stalling(struct wire *w, const char *client, const char *server, unsigned side, unsigned stalls, unsigned cycles, double seconds)
{
	struct flow *flow = wire_tcp(w, client, server);
	struct flow_side *s = &flow->side[side];

	flow->handshake_rtt_us = 200;
	s->nagle_stalls = (uint16_t)stalls;
	s->nagle_cycles = (uint16_t)cycles;
	s->nagle_ms_min = 40;
	s->nagle_ms_max = 44;
	s->last_ns = wire_ns(seconds);
	return flow;
}

static void stalls__five_and_a_fifth_of_the_writes__warn(void **state)
{
	static const struct {
		unsigned stalls, cycles;
		double seconds;
		bool fires;
	} rows[] = {
		{ 5, 25, 10, true }, { 4, 4, 10, false }, { 5, 26, 10, false }, { 5, 5, 60, true }, { 5, 5, 60.1, false },
	};
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			wire_open(&w, RULE);
			stalling(&w, CLIENT, SERVER, side, rows[i].stalls, rows[i].cycles, rows[i].seconds);
			wire_judge(&w);
			if (rows[i].fires) {
				finding = wire_expect_one(&w, SEVERITY_WARNING);
				assert_int_equal(evidence_of(finding, "stalls"), rows[i].stalls);
				assert_int_equal(evidence_of(finding, "wait_min"), 40);
				assert_int_equal(evidence_of(finding, "round_trip"), 200);
				expect_text(finding, finding->title, side ? "10.0.0.2 answers in pieces on 10.0.0.2:443" : "10.0.0.1 sends to 10.0.0.2:443 in pieces");
				expect_text(finding, finding->next[0], "host 10.0.0.2 and tcp port 443");
				expect_text(finding, finding->detail, "waited 40 ms to 44 ms for an ACK");
				expect_against(finding, "TCP_NODELAY");
			} else {
				wire_expect_near(&w, rows[i].stalls);
			}
			wire_close(&w);
		}
	}
}

/* Where the path takes half as long as the wait, an ACK is late by distance. */
static void round_trip__of_half_the_wait__is_distance(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	for (unsigned rtt_us = 20000; rtt_us <= 20001; rtt_us++) {
		wire_open(&w, RULE);
		flow = stalling(&w, CLIENT, SERVER, 0, 50, 50, 10);
		flow->handshake_rtt_us = rtt_us;
		wire_judge(&w);
		assert_int_equal(w.verdict.finding_count, rtt_us == 20000);
		wire_close(&w);
	}
}

/* Without a handshake the shortest round trip of either side speaks; without any, nothing above info. */
static void round_trip__of_a_connection_seen_late(void **state)
{
	static const struct {
		uint32_t ours, theirs;
		bool known;
		int severity; /* −1: nothing */
	} rows[] = { { 40000, 300, true, SEVERITY_WARNING }, { 40000, 40000, true, -1 }, { 0, 0, false, SEVERITY_INFO } };
	const struct finding *finding;
	struct flow *flow;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		flow = stalling(&w, CLIENT, SERVER, 0, 50, 50, 10);
		flow->flags &= ~(uint32_t)FLOW_HAS_HANDSHAKE_RTT;
		flow->side[0].rtt_min_us = rows[i].ours;
		flow->side[1].rtt_min_us = rows[i].theirs;
		if (!rows[i].known)
			flow->side[0].has = flow->side[1].has = 0;
		wire_judge(&w);
		if (rows[i].severity < 0) {
			wire_expect_silence(&w);
		} else {
			finding = wire_expect_one(&w, (enum severity)rows[i].severity);
			if (!rows[i].known)
				expect_against(finding, "the round trip of the path is not known");
		}
		wire_close(&w);
	}
}

static void critical__needs_a_thousand_a_minute_and_three_connections(void **state)
{
	static const struct {
		unsigned connections, stalls;
		enum severity severity;
	} rows[] = { { 3, 334, SEVERITY_CRITICAL }, { 3, 333, SEVERITY_WARNING }, { 2, 600, SEVERITY_WARNING } };
	const struct finding *finding;
	char client[40];
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		for (unsigned k = 0; k < rows[i].connections; k++) {
			snprintf(client, sizeof(client), "10.0.0.1:%u", 40000 + k);
			stalling(&w, client, SERVER, 0, rows[i].stalls, rows[i].stalls, 60);
		}
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		assert_int_equal(finding->count, rows[i].connections);
		wire_close(&w);
	}
}

static void both_sides__stalling__are_two_findings(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = stalling(&w, CLIENT, SERVER, 0, 20, 20, 10);
	flow->side[1].nagle_stalls = flow->side[1].nagle_cycles = 20;
	flow->side[1].nagle_ms_min = flow->side[1].nagle_ms_max = 40;
	wire_judge(&w);
	assert_int_equal(w.verdict.finding_count, 2);
	wire_close(&w);
}

static void healthy_connection__is_silent(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_tcp(&w, CLIENT, SERVER)->side[0].nagle_cycles = 500;
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
	wire_owner(&w, stalling(&w, "[fd00::1]:40000", "[fd00::2]:443", 0, 20, 20, 10), 0, 5, "app");
	w.trust = 0.5;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence > 0.45 && finding->confidence < 0.47);
	expect_text(finding, finding->title, "app[5] at fd00::1 sends to [fd00::2]:443 in pieces");
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stalls__five_and_a_fifth_of_the_writes__warn),
		cmocka_unit_test(round_trip__of_half_the_wait__is_distance),
		cmocka_unit_test(round_trip__of_a_connection_seen_late),
		cmocka_unit_test(critical__needs_a_thousand_a_minute_and_three_connections),
		cmocka_unit_test(both_sides__stalling__are_two_findings),
		cmocka_unit_test(healthy_connection__is_silent),
		cmocka_unit_test(ipv6__and_a_doubtful_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
