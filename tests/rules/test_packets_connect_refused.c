/* SPDX-License-Identifier: MIT */
/* connect-refused from packets: how many, and who says no. */
#include "rules.h"

#define RULE "connect-refused"
#define SERVER "10.0.0.2:8080"

/* An attempt at @seconds that @ttl says no to (0: nobody yet). */
static struct flow *refused(struct wire *w, const char *client, const char *server, double seconds, uint8_t ttl)
{
	struct flow *flow = wire_syn(w, client, server, 0);

	flow->first_ns = flow->side[0].last_ns = wire_ns(seconds);
	if (ttl) {
		wire_reset(flow, 1, seconds);
		flow->side[1].ttl_reset = ttl;
	}
	flow->state = FLOW_REFUSED;
	return flow;
}

static void refuse(struct wire *w, unsigned count, double span_s, uint8_t ttl)
{
	char client[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(client, sizeof(client), "10.0.0.1:%u", 40000 + i);
		refused(w, client, SERVER, count > 1 ? span_s * i / (count - 1) : 0, ttl);
	}
}

static void five_refusals__are_a_warning__fewer_are_info(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (unsigned count = 1; count <= 5; count++) {
		wire_open(&w, RULE);
		refuse(&w, count, 4, 57);
		wire_judge(&w);
		finding = wire_expect_one(&w, count < 5 ? SEVERITY_INFO : SEVERITY_WARNING);
		assert_int_equal(finding->count, count);
		assert_string_equal(finding->threshold.name, "refusals");
		expect_text(finding, finding->title, "from 10.0.0.1 to 10.0.0.2:8080 are refused");
		expect_text(finding, finding->detail, "no other packet of 10.0.0.2 is there to compare with");
		expect_text(finding, finding->next[0], "host 10.0.0.2 and (tcp port 8080");
		expect_against(finding, "health checks");
		wire_close(&w);
	}
}

static void long_capture__wants_five_a_minute(void **state)
{
	struct wire w;

	(void)state;
	for (unsigned seconds = 60; seconds <= 61; seconds++) {
		wire_open(&w, RULE);
		refuse(&w, 5, 4, 57);
		wire_lasts(&w, seconds);
		wire_judge(&w);
		wire_expect_one(&w, seconds == 60 ? SEVERITY_WARNING : SEVERITY_INFO);
		wire_close(&w);
	}
}

static void critical__needs_number_share_and_span(void **state)
{
	static const struct {
		unsigned refused, opened;
		double span_s;
		enum severity severity;
	} rows[] = {
		{ 25, 25, 10, SEVERITY_CRITICAL }, { 24, 0, 10, SEVERITY_WARNING }, { 25, 26, 10, SEVERITY_WARNING }, { 25, 0, 9.9, SEVERITY_WARNING },
	};
	const struct finding *finding;
	char client[32];
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		refuse(&w, rows[i].refused, rows[i].span_s, 57);
		for (unsigned k = 0; k < rows[i].opened; k++) {
			snprintf(client, sizeof(client), "10.0.0.3:%u", 50000 + k);
			wire_tcp(&w, client, SERVER);
		}
		wire_judge(&w);
		finding = wire_expect_one(&w, rows[i].severity);
		assert_int_equal(evidence_of(finding, "opened"), rows[i].opened);
		wire_close(&w);
	}
}

static void ttl_of_the_reset__against_other_packets__names_the_refuser(void **state)
{
	static const struct {
		uint8_t ttl;
		bool between;
	} rows[] = { { 57, false }, { 58, true }, { 56, true }, { 254, true } };
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		wire_tcp(&w, "10.0.0.1:51000", "10.0.0.2:22"); /* TTL 57 */
		refuse(&w, 5, 4, rows[i].ttl);
		wire_judge(&w);
		finding = wire_expect_one(&w, SEVERITY_WARNING);
		assert_int_equal(evidence_of(finding, "reset_ttl"), rows[i].ttl);
		assert_int_equal(evidence_of(finding, "server_ttl_max"), 57);
		expect_text(finding, finding->detail, rows[i].between ? "something in front of 10.0.0.2" : "10.0.0.2 itself");
		expect_text(finding, finding->causes[0], rows[i].between ? "on the way that rejects" : "nothing listens");
		if (rows[i].between)
			expect_against(finding, "another TTL");
		wire_close(&w);
	}
}

static void icmp_error__names_its_source(void **state)
{
	static const struct {
		const char *client, *server, *reporter, *words;
		enum icmp_class class;
	} rows[] = {
		{ "10.0.0.1:40000", "10.0.0.2:80", "10.0.9.1", "'administratively prohibited' (type 3, code 13) from 10.0.9.1, which is not the server", ICMP_PROHIBITED },
		{ "10.0.0.1:40000", "10.0.0.2:80", "10.0.0.2", "'port unreachable' (type 3, code 3) from 10.0.0.2 itself", ICMP_PORT_UNREACHABLE },
		{ "[fd00::1]:40000", "[fd00::2]:80", "fd00::99", "'administratively prohibited' (type 1, code 1) from fd00::99, which is not", ICMP_PROHIBITED },
	};
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_open(&w, RULE);
		wire_icmp(&w, refused(&w, rows[i].client, rows[i].server, 0, 0), rows[i].class, rows[i].reporter, 1);
		wire_judge(&w);
		finding = wire_expect_one(&w, SEVERITY_INFO);
		expect_text(finding, finding->detail, rows[i].words);
		assert_int_equal(evidence_of(finding, "by_icmp"), 1);
		wire_close(&w);
	}
}

static void ipv6__is_no_more_than_a_warning(void **state)
{
	const struct finding *finding;
	char client[32];
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(client, sizeof(client), "[fd00::1]:%u", 40000 + i);
		refused(&w, client, "[fd00::2]:80", i, 57);
	}
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	expect_against(finding, "falls back to IPv4");
	wire_close(&w);
}

static void clients__from_the_internet__are_info(void **state)
{
	const struct finding *finding;
	char client[32];
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(client, sizeof(client), "45.0.%u.1:40000", i);
		refused(&w, client, "10.0.0.2:23", i, 64);
	}
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	expect_text(finding, finding->title, "from 40 hosts to 10.0.0.2:23");
	expect_against(finding, "scanners are refused all day");
	wire_close(&w);
}

/* The rule that saw more of the scan tells of it. */
static void scan__mostly_refused__is_info_here(void **state)
{
	const struct finding *finding;
	char server[32];
	struct wire w;

	(void)state;
	for (unsigned silent = 8; silent <= 9; silent++) {
		wire_open(&w, RULE);
		for (unsigned i = 0; i < 17; i++) {
			snprintf(server, sizeof(server), "10.0.0.2:%u", 1000 + i);
			if (i < silent)
				wire_syn(&w, "10.0.0.1:40000", server, 0);
			else
				refused(&w, "10.0.0.1:40000", server, i, 64);
		}
		wire_judge(&w);
		if (silent == 8) {
			finding = wire_expect_one(&w, SEVERITY_INFO);
			assert_int_equal(evidence_of(finding, "refused"), 9);
			expect_text(finding, finding->title, "Scanner-like");
		} else {
			wire_expect_silence(&w);
		}
		wire_close(&w);
	}
}

static void other_ends__are_silent(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_reset(wire_tcp(&w, "10.0.0.1:40000", "10.0.0.2:80"), 1, 3);
	wire_syn(&w, "10.0.0.1:40001", "10.0.0.2:81", 5);
	wire_midstream(&w, "10.0.0.1:40002", "10.0.0.2:82");
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_close(&w);
}

static void doubtful_capture__lowers_the_confidence(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_owner(&w, refused(&w, "10.0.0.1:40000", SERVER, 0, 57), 0, 77, "curl");
	w.trust = 0.5;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_INFO);
	assert_true(finding->confidence > 0.47 && finding->confidence < 0.48);
	assert_int_equal(finding->scope.pid, 77);
	expect_text(finding, finding->title, "curl[77] at 10.0.0.1");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_refusals__are_a_warning__fewer_are_info),
		cmocka_unit_test(long_capture__wants_five_a_minute),
		cmocka_unit_test(critical__needs_number_share_and_span),
		cmocka_unit_test(ttl_of_the_reset__against_other_packets__names_the_refuser),
		cmocka_unit_test(icmp_error__names_its_source),
		cmocka_unit_test(ipv6__is_no_more_than_a_warning),
		cmocka_unit_test(clients__from_the_internet__are_info),
		cmocka_unit_test(scan__mostly_refused__is_info_here),
		cmocka_unit_test(other_ends__are_silent),
		cmocka_unit_test(doubtful_capture__lowers_the_confidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
