/* SPDX-License-Identifier: MIT */
/* cidr-overlap as probes tell of it: traces and MTU probes that died, in plans that explain it and in those that do not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "network_fixture.h"
#include "tcptriage/triage/engine.h"

#define RULE "cidr-overlap"
#define STALE 0x04
#define REACHABLE 0x02
#define FAILED 0x20

static struct plan plan;
static struct trace_result trace;
static struct mtu_result mtu;
static struct verdict verdict;
static struct arena arena;

static struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, &addr));
	return addr;
}

/* eth0 10.71.1.2/24 with the default route and one to 10.71.2.0/24; shadow 10.71.2.1/25. */
static void open_host(void)
{
	plan_open(&plan);
	plan_link(&plan, 2, "eth0", LINK_PLAIN, 1500);
	plan_address(&plan, 2, "10.71.1.2/24");
	plan_route(&plan, 2, "default", "10.71.1.1");
	plan_route(&plan, 2, "10.71.2.0/24", "10.71.1.1");
	plan_link(&plan, 5, "shadow", LINK_VETH, 1500);
	plan_address(&plan, 5, "10.71.2.1/25");
}

static void set_route(struct route *route, const char *to, uint32_t ifindex, const char *source, uint16_t neighbour)
{
	*route = (struct route){ .destination = addr_of(to), .source = addr_of(source), .ifindex = ifindex, .neighbour_state = neighbour,
				 .has = ROUTE_HAS_DEVICE | ROUTE_HAS_SOURCE | (neighbour ? ROUTE_HAS_NEIGHBOUR : 0u) };
}

static void open_trace(const char *to, uint32_t ifindex, const char *source, enum trace_finding finding, int error)
{
	trace = (struct trace_result){ .name = to, .address = addr_of(to), .port = 80 };
	set_route(&trace.route, to, ifindex, source, 0);
	trace.path.finding = (uint8_t)finding;
	trace.path.error = error;
}

static void judge(const struct probe_evidence *probes, const struct network *network)
{
	static const char *const only[] = { RULE, NULL };
	struct triage_options options = { .only = only };
	struct view view = { .probes = probes, .network = network, .arena = &arena };

	verdict = (struct verdict){ .arena = &arena };
	triage_run(&view, &options, &verdict);
	triage_rank(&verdict);
}

static void judge_trace(void)
{
	judge(&(struct probe_evidence){ .trace = &trace }, &plan.network);
}

static const char *expanded(const struct finding *finding, const char *template)
{
	struct out out CLEANUP(out_close);

	out_open_mem(&out);
	finding_expand(&out, finding, template);
	return arena_strdup(&arena, out_text(&out));
}

static const struct finding *expect_one(enum severity severity, const char *words)
{
	const struct finding *f;

	assert_int_equal(verdict.finding_count, 1);
	f = verdict.findings[0];
	assert_int_equal(f->severity, severity);
	if (!strstr(expanded(f, f->title), words))
		fail_msg("'%s' does not say '%s'", expanded(f, f->title), words);
	assert_non_null(f->threshold.name);
	for (const char *const *line = f->next; *line; line++)
		assert_null(strchr(expanded(f, *line), '{'));
	assert_null(strchr(expanded(f, f->detail), '{'));
	return f;
}

static void trace__into_a_network_that_hides_another__by_how_it_ended(void **state)
{
	static const struct {
		enum trace_finding finding;
		int error;
		bool partial, fires;
	} rows[] = {
		{ TRACE_LOCAL_ERROR, EHOSTUNREACH, false, true }, { TRACE_SILENT, 0, false, true },    { TRACE_NO_ROUTE, 0, false, true },
		{ TRACE_LOCAL_ERROR, EADDRNOTAVAIL, false, false }, { TRACE_OPEN, 0, false, false },	{ TRACE_REFUSED, 0, false, false },
		{ TRACE_FILTERED, 0, false, false },		  { TRACE_PROHIBITED, 0, false, false }, { TRACE_SILENT, 0, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host();
		open_trace("10.71.2.2", 5, "10.71.2.1", rows[i].finding, rows[i].error);
		trace.path.partial = rows[i].partial;
		judge_trace();
		if (rows[i].fires) {
			const struct finding *f = expect_one(SEVERITY_WARNING, "10.71.2.0/25 on shadow hides 10.71.2.0/24 by eth0");

			assert_int_equal(f->scope.peer.port, 80);
			assert_true(f->confidence > 0.7);
		} else {
			assert_int_equal(verdict.finding_count, 0);
		}
		arena_free(&arena);
	}
}

static void trace__next_hop_with_a_link_address__is_not_of_the_plan(void **state)
{
	static const struct {
		uint16_t neighbour;
		bool fires;
	} rows[] = { { REACHABLE, false }, { STALE, true }, { FAILED, true }, { 0, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host();
		open_trace("10.71.2.2", 5, "10.71.2.1", TRACE_SILENT, 0);
		set_route(&trace.route, "10.71.2.2", 5, "10.71.2.1", rows[i].neighbour);
		judge_trace();
		assert_int_equal(verdict.finding_count, rows[i].fires);
		arena_free(&arena);
	}
}

static void trace__where_nobody_answers__is_possible_and_no_more(void **state)
{
	(void)state;
	for (unsigned somebody = 0; somebody < 2; somebody++) {
		open_host();
		plan.routes[2].bits = 32; /* no route to the network but the default one */
		plan.links[2].answering[ADDR_V4] = somebody;
		open_trace("10.71.2.2", 5, "10.71.2.1", TRACE_LOCAL_ERROR, EHOSTUNREACH);
		judge_trace();
		if (somebody)
			assert_int_equal(verdict.finding_count, 0);
		else
			assert_true(expect_one(SEVERITY_WARNING, "If 10.71.2.2 is not on shadow")->confidence < 0.5);
		arena_free(&arena);
	}
}

static void trace__private_address_to_the_internet__by_the_addresses_there(void **state)
{
	for (unsigned private = 0; private < 2; private++) {
		(void)state;
		plan_open(&plan);
		plan_link(&plan, 2, "eth0", LINK_PLAIN, 1500);
		plan_address(&plan, 2, private ? "10.1.1.2/24" : "93.184.216.9/24");
		plan_route(&plan, 2, "default", private ? "10.1.1.1" : "93.184.216.1");
		open_trace("192.168.7.7", 2, private ? "10.1.1.2" : "93.184.216.9", TRACE_NO_ROUTE, 0);
		trace.path.by = addr_of("62.1.1.1");
		judge_trace();
		if (private)
			assert_int_equal(verdict.finding_count, 0);
		else
			expect_one(SEVERITY_WARNING, "this host sends it to the Internet by eth0");
		arena_free(&arena);
	}
}

static void probes__edge_of_a_network_and_strange_source__are_named(void **state)
{
	(void)state;
	open_host();
	open_trace("10.71.1.255", 2, "10.71.1.2", TRACE_SILENT, 0);
	judge_trace();
	expect_one(SEVERITY_WARNING, "it is the broadcast address of 10.71.1.0/24 on eth0");
	arena_free(&arena);
	open_host();
	open_trace("93.184.216.34", 2, "10.71.2.1", TRACE_SILENT, 0);
	judge_trace();
	expect_one(SEVERITY_INFO, "leave by eth0 with a private source address of shadow");
	arena_free(&arena);
}

static void mtu_probe__unreachable__is_judged_and_deaf_is_not(void **state)
{
	static const struct {
		enum mtu_finding finding;
		int error;
		bool fires;
	} rows[] = { { MTU_UNREACHABLE, EHOSTUNREACH, true }, { MTU_UNREACHABLE, 0, true }, { MTU_UNREACHABLE, EOPNOTSUPP, false },
		     { MTU_HOST_DEAF, 0, false }, { MTU_FITS, 0, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host();
		mtu = (struct mtu_result){ .name = "x", .address = addr_of("10.71.2.2"), .first = -1 };
		set_route(&mtu.route, "10.71.2.2", 5, "10.71.2.1", 0);
		mtu.path.finding = (uint8_t)rows[i].finding;
		mtu.path.says_error = rows[i].error;
		judge(&(struct probe_evidence){ .mtu = &mtu }, &plan.network);
		assert_int_equal(verdict.finding_count, rows[i].fires);
		arena_free(&arena);
	}
}

static void network__missing_disguised_or_policy_ruled__is_said(void **state)
{
	(void)state;
	open_host();
	open_trace("10.71.2.2", 5, "10.71.2.1", TRACE_SILENT, 0);
	judge(&(struct probe_evidence){ .trace = &trace }, NULL);
	assert_int_equal(verdict.finding_count, 0);
	assert_non_null(strstr(verdict.skipped[0].reason, "could not be read"));
	plan.network.disguised = true;
	judge_trace();
	assert_non_null(strstr(verdict.skipped[0].reason, "stand-ins"));
	plan.network.disguised = false;
	plan.network.policy_rules = 1;
	judge_trace();
	assert_true(expect_one(SEVERITY_WARNING, "hides")->confidence < 0.41);
	trace.route.ifindex = 2; /* another table decided */
	judge_trace();
	assert_int_equal(verdict.finding_count, 0);
	trace.route.error = -ENETUNREACH;
	judge_trace();
	assert_int_equal(verdict.finding_count, 0);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trace__into_a_network_that_hides_another__by_how_it_ended),
		cmocka_unit_test(trace__next_hop_with_a_link_address__is_not_of_the_plan),
		cmocka_unit_test(trace__where_nobody_answers__is_possible_and_no_more),
		cmocka_unit_test(trace__private_address_to_the_internet__by_the_addresses_there),
		cmocka_unit_test(probes__edge_of_a_network_and_strange_source__are_named),
		cmocka_unit_test(mtu_probe__unreachable__is_judged_and_deaf_is_not),
		cmocka_unit_test(network__missing_disguised_or_policy_ruled__is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
