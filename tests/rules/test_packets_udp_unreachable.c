/* SPDX-License-Identifier: MIT */
/* udp-unreachable from packets: refused datagrams, and requests that nobody answers. */
#include "rules.h"

#define RULE "udp-unreachable"

/* @flows of one datagram each from 10.0.0.1, the first @answered of them answered; the capture lasts 10 s and shows other flows both ways. */
static void ask(struct wire *w, unsigned flows, unsigned answered, const char *server)
{
	char client[40];

	for (unsigned i = 0; i < flows; i++) {
		snprintf(client, sizeof(client), "10.0.0.1:%u", 40000 + i);
		wire_udp(w, client, server, 1, i < answered);
	}
	wire_tcp(w, "10.0.0.7:50000", "10.0.0.8:80");
	wire_lasts(w, 10);
}

static void requests__three_without_one_answer__warn(void **state)
{
	static const struct {
		unsigned flows, answered;
		bool fires;
	} rows[] = { { 3, 0, true }, { 2, 0, false }, { 30, 1, false } };
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		ask(&w, rows[i].flows, rows[i].answered, "10.0.0.53:53");
		wire_judge(&w);
		if (rows[i].fires) {
			finding = wire_expect_one(&w, SEVERITY_WARNING);
			assert_string_equal(finding->threshold.name, "unanswered");
			assert_int_equal(evidence_of(finding, "requests"), 3);
			expect_text(finding, finding->title, "Names do not resolve: 3 DNS lookups of 10.0.0.1 to 10.0.0.53:53");
			expect_text(finding, finding->next[0], "host 10.0.0.53 and (udp port 53");
		} else if (rows[i].answered) {
			wire_expect_silence(&w);
		} else {
			wire_expect_near(&w, 2);
		}
		wire_close(&w);
	}
}

/* A stream counts once: what goes one way by design does not ask. */
static void stream__without_answer__is_one_request(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	ask(&w, 0, 0, "10.0.0.9:514");
	wire_udp(&w, "10.0.0.1:40000", "10.0.0.9:514", 1, 0)->side[0].packets = 100000;
	wire_judge(&w);
	wire_expect_near(&w, 1);
	wire_close(&w);
}

static void port__of_no_known_protocol__is_info(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	ask(&w, 20, 0, "10.0.0.9:8125");
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	expect_against(finding, "logs, metrics and traps go one way");
	wire_close(&w);
}

static void requests__just_before_the_end__may_still_be_answered(void **state)
{
	struct wire w;

	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		wire_open(&w, RULE);
		ask(&w, 3, 0, "10.0.0.53:53");
		w.flow[0]->side[0].last_ns = wire_ns(1.9); /* repeated, as resolvers do: the first one counts */
		wire_lasts(&w, late ? 1.999 : 2);
		wire_judge(&w);
		if (late)
			wire_expect_silence(&w);
		else
			wire_expect_one(&w, SEVERITY_WARNING);
		wire_close(&w);
	}
}

static void look_alikes__are_silent(void **state)
{
	static const char *const servers[] = { "10.0.0.9:33434", "10.0.0.9:33534", "224.0.0.251:5353", "10.0.0.9:5353", "10.0.0.9:1900", "10.0.0.9:5355", "[ff02::fb]:53" };
	char client[40];
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		wire_open(&w, RULE);
		wire_tcp(&w, "10.0.0.7:50000", "10.0.0.8:80");
		for (unsigned k = 0; k < 9; k++) {
			snprintf(client, sizeof(client), i == ARRAY_SIZE(servers) - 1 ? "[fd00::1]:%u" : "10.0.0.1:%u", 40000 + k);
			wire_udp(&w, client, servers[i], 1, 0);
			wire_udp(&w, "10.0.0.1:68", "10.0.0.255:67", 1, 0)->flags |= FLOW_BROADCAST;
		}
		wire_lasts(&w, 10);
		wire_judge(&w);
		wire_expect_silence(&w);
		wire_close(&w);
	}
}

static void capture__of_one_direction__says_so(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	ask(&w, 9, 0, "10.0.0.53:53");
	wire_silent(w.flow[w.count - 1], 1);
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_expect_part_skipped(&w, "only one direction");
	wire_close(&w);
}

static void capture__of_queries_only__is_believed_less(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 5; i++)
		wire_udp(&w, "10.0.0.1:40000", "10.0.0.53:53", 1, 0);
	wire_lasts(&w, 10);
	w.trust = 0.9;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence > 0.45 && finding->confidence < 0.46);
	expect_against(finding, "may hide the answers");
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

static void senders__from_the_internet__are_info(void **state)
{
	char client[40];
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	ask(&w, 0, 0, "10.0.0.9:53");
	for (unsigned i = 0; i < 9; i++) {
		snprintf(client, sizeof(client), "45.0.%u.1:40000", i);
		wire_udp(&w, client, "10.0.0.9:53", 1, 0);
	}
	wire_judge(&w);
	expect_against(wire_expect_one(&w, SEVERITY_INFO), "scanners ask for everything");
	wire_close(&w);
}

static void refusals__three_are_told_and_ten_a_minute_warn(void **state)
{
	static const struct {
		unsigned errors, echoes;
		const char *client, *server;
		int severity; /* −1: nothing */
		const char *fix;
	} rows[] = {
		{ 2, 0, "10.0.0.1:40000", "10.0.0.2:514", -1 },
		{ 3, 0, "10.0.0.1:40000", "10.0.0.2:514", SEVERITY_INFO, "start the service" },
		{ 9, 0, "10.0.0.1:40000", "10.0.0.2:514", SEVERITY_INFO, "start the service" },
		{ 10, 0, "10.0.0.1:40000", "10.0.0.2:514", SEVERITY_WARNING, "start the service" },
		{ 10, 0, "[fd00::1]:40000", "[fd00::2]:514", SEVERITY_WARNING, "start the service" },
		{ 10, 8, "10.0.0.1:40000", "10.0.0.2:514", -1 },
		{ 50, 0, "10.0.0.1:40000", "10.0.0.2:33435", -1 },
		{ 50, 0, "10.0.0.53:53", "10.0.0.1:40000", SEVERITY_INFO, "more time" },  /* an answer that came too late */
		{ 50, 0, "45.0.0.1:40000", "10.0.0.2:514", SEVERITY_INFO, "start the service" }, /* the background of the Internet */
	};
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow *flow;

		wire_open(&w, RULE);
		flow = wire_udp(&w, rows[i].client, rows[i].server, 3, 0);
		wire_icmp(&w, flow, ICMP_PORT_UNREACHABLE, flow->end[1].addr.family == ADDR_V4 ? "10.0.0.2" : "fd00::2", rows[i].errors)->echoes = rows[i].echoes;
		wire_lasts(&w, 60);
		wire_judge(&w);
		if (rows[i].severity < 0) {
			wire_expect_silence(&w);
		} else {
			finding = wire_expect_one(&w, (enum severity)rows[i].severity);
			assert_int_equal(finding->count, rows[i].errors);
			expect_against(finding, "hosts limit the rate");
			expect_text(finding, finding->fixes[0], rows[i].fix);
		}
		wire_close(&w);
	}
}

static void refusal__by_another_address__names_it(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_icmp(&w, wire_udp(&w, "10.0.0.1:40000", "10.0.0.2:514", 3, 0), ICMP_PORT_UNREACHABLE, "10.0.9.1", 20);
	wire_icmp(&w, wire_tcp(&w, "10.0.0.1:40001", "10.0.0.2:80"), ICMP_PORT_UNREACHABLE, "10.0.9.1", 20);
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	expect_text(finding, finding->title, "10.0.0.2:514 refuses datagrams of 10.0.0.1: 20 ICMP errors");
	expect_text(finding, finding->detail, "from 10.0.9.1, which is not the host");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests__three_without_one_answer__warn),
		cmocka_unit_test(stream__without_answer__is_one_request),
		cmocka_unit_test(port__of_no_known_protocol__is_info),
		cmocka_unit_test(requests__just_before_the_end__may_still_be_answered),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(capture__of_one_direction__says_so),
		cmocka_unit_test(capture__of_queries_only__is_believed_less),
		cmocka_unit_test(senders__from_the_internet__are_info),
		cmocka_unit_test(refusals__three_are_told_and_ten_a_minute_warn),
		cmocka_unit_test(refusal__by_another_address__names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
