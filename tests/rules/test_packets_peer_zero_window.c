/* SPDX-License-Identifier: MIT */
/* peer-zero-window from packets: windows that stay shut, and those that only blink. */
#include "rules.h"

#define RULE "peer-zero-window"
#define CLIENT "10.0.0.1:40000"
#define SERVER "10.0.0.2:443"

/* @reader's window has been shut for @ms, probed, until @still the end of the capture at 60 s. */
static struct flow *shut(struct wire *w, const char *client, const char *server, unsigned reader, uint32_t ms, bool still)
{
	struct flow *flow = wire_tcp(w, client, server);
	struct flow_side *s = &flow->side[reader];

	s->zero_windows = 4;
	s->zero_window_ms = ms;
	s->window_shut = still;
	flow->side[!reader].probes = 4;
	flow->side[!reader].last_ns = wire_ns(58);
	s->last_ns = wire_ns(58.01);
	wire_lasts(w, 60);
	return flow;
}

static void window__shut_for_five_seconds__warns_and_for_thirty_is_critical(void **state)
{
	static const struct {
		uint32_t ms;
		int severity; /* −1: nothing */
	} rows[] = { { 4999, -1 }, { 5000, SEVERITY_WARNING }, { 29999, SEVERITY_WARNING }, { 30000, SEVERITY_CRITICAL } };
	const struct finding *finding;
	struct wire w;

	(void)state;
	for (unsigned reader = 0; reader < 2; reader++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			wire_open(&w, RULE);
			shut(&w, CLIENT, SERVER, reader, rows[i].ms, i % 2);
			wire_judge(&w);
			if (rows[i].severity < 0) {
				wire_expect_near(&w, 4999);
			} else {
				finding = wire_expect_one(&w, (enum severity)rows[i].severity);
				assert_int_equal(evidence_of(finding, "shut"), rows[i].ms);
				assert_int_equal(evidence_of(finding, "probes"), 4);
				assert_int_equal(evidence_of(finding, "still_shut"), i % 2);
				expect_text(finding, finding->title, reader ? "10.0.0.2:443 does not read" : "10.0.0.1:40000 does not read");
				expect_text(finding, finding->title, reader ? "10.0.0.1 waits to send" : "10.0.0.2 waits to send");
				expect_text(finding, finding->detail, i % 2 ? "shut to the end" : "open again");
				expect_against(finding, "on purpose");
			}
			wire_close(&w);
		}
	}
}

static void connections__five_to_one_reader__are_critical(void **state)
{
	const struct finding *finding;
	char client[40];
	struct wire w;

	(void)state;
	for (unsigned count = 4; count <= 5; count++) {
		wire_open(&w, RULE);
		for (unsigned i = 0; i < count; i++) {
			snprintf(client, sizeof(client), "10.0.9.%u:40000", i);
			shut(&w, client, SERVER, 1, 6000, true);
		}
		wire_judge(&w);
		finding = wire_expect_one(&w, count == 5 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		assert_int_equal(finding->count, count);
		assert_string_equal(finding->threshold.name, count == 5 ? "critical_flows" : "shut");
		wire_close(&w);
	}
}

/* One client with several connections is one reader, whatever its ports. */
static void client__with_several_connections__is_one_reader(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	shut(&w, "10.0.0.1:40000", SERVER, 0, 6000, true);
	shut(&w, "10.0.0.1:40001", SERVER, 0, 7000, true);
	wire_judge(&w);
	assert_int_equal(wire_expect_one(&w, SEVERITY_WARNING)->count, 2);
	wire_close(&w);
}

static void probes__that_nobody_answers__are_a_dead_peer(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	for (unsigned dead = 0; dead < 2; dead++) {
		wire_open(&w, RULE);
		flow = shut(&w, CLIENT, SERVER, 1, 30000, true);
		flow->side[1].last_ns = wire_ns(dead ? 53 : 53.001);
		wire_judge(&w);
		assert_int_equal(w.verdict.finding_count, !dead);
		wire_close(&w);
	}
}

static void window__without_probe__is_believed_less(void **state)
{
	const struct finding *finding;
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = shut(&w, CLIENT, SERVER, 1, 6000, true);
	flow->side[0].probes = 0;
	flow->side[0].last_ns = wire_ns(50);
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence > 0.74 && finding->confidence < 0.76);
	expect_against(finding, "nothing more to send");
	wire_close(&w);
}

static void reader__on_this_host__is_named(void **state)
{
	const struct finding *finding;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	wire_owner(&w, shut(&w, CLIENT, SERVER, 1, 6000, true), 1, 900, "app");
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	expect_text(finding, finding->title, "app[900] on this host does not read at 10.0.0.2:443");
	expect_text(finding, finding->next[1], "recvq-not-drained");
	expect_text(finding, finding->fixes[0], "app[900]");
	wire_close(&w);
}

static void clients__on_the_internet__are_info(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	shut(&w, "45.0.0.1:40000", SERVER, 0, 40000, true);
	wire_judge(&w);
	expect_against(wire_expect_one(&w, SEVERITY_INFO), "slow or paused all the time");
	wire_close(&w);
}

static void bulk__with_a_blinking_window__is_silent(void **state)
{
	struct flow *flow;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	flow = shut(&w, CLIENT, SERVER, 1, 40, false);
	flow->side[1].zero_windows = 5000;
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
	shut(&w, "[fd00::1]:40000", "[fd00::2]:443", 1, 6000, false);
	w.trust = 0.5;
	wire_judge(&w);
	finding = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(finding->confidence > 0.46 && finding->confidence < 0.47);
	expect_text(finding, finding->title, "[fd00::2]:443 does not read");
	expect_against(finding, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window__shut_for_five_seconds__warns_and_for_thirty_is_critical),
		cmocka_unit_test(connections__five_to_one_reader__are_critical),
		cmocka_unit_test(client__with_several_connections__is_one_reader),
		cmocka_unit_test(probes__that_nobody_answers__are_a_dead_peer),
		cmocka_unit_test(window__without_probe__is_believed_less),
		cmocka_unit_test(reader__on_this_host__is_named),
		cmocka_unit_test(clients__on_the_internet__are_info),
		cmocka_unit_test(bulk__with_a_blinking_window__is_silent),
		cmocka_unit_test(ipv6__and_a_doubtful_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
