/* SPDX-License-Identifier: MIT */
/* mtu-config-mismatch beside a measured path: only what its interface has part in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "network_fixture.h"
#include "tcptriage/triage/engine.h"

static struct plan plan;
static struct verdict verdict;
static struct arena arena;

static void judge(uint32_t ifindex, bool with_network, bool is_local)
{
	static const char *const only[] = { "mtu-config-mismatch", NULL };
	struct triage_options options = { .only = only };
	struct mtu_result mtu = { .name = "x", .first = -1, .route = { .ifindex = ifindex, .has = ROUTE_HAS_DEVICE, .is_local = is_local } };
	struct probe_evidence probes = { .mtu = &mtu };
	struct view view = { .probes = &probes, .network = with_network ? &plan.network : NULL, .arena = &arena };

	verdict = (struct verdict){ .arena = &arena };
	triage_run(&view, &options, &verdict);
	triage_rank(&verdict);
}

/* eth0 of 1500, eth1 of 1500, a tunnel over eth0 that is too wide, a bridge of 9000 whose port takes 1500. */
static void open_host(void)
{
	plan_open(&plan);
	plan_link(&plan, 2, "eth0", LINK_PLAIN, 1500);
	plan_address(&plan, 2, "10.0.0.2/24");
	plan_route(&plan, 2, "default", "10.0.0.1");
	plan_link(&plan, 3, "eth1", LINK_PLAIN, 1500);
	plan_address(&plan, 3, "10.3.0.2/24");
	plan_link(&plan, 5, "br0", LINK_BRIDGE, 1600);
	plan_address(&plan, 5, "10.5.0.1/24");
	plan_link(&plan, 6, "port", LINK_VETH, 1500)->master = 5;
	plan_link(&plan, 7, "vx0", LINK_VXLAN, 1451)->parent = 2;
}

static void path__by_each_interface__sees_what_concerns_it(void **state)
{
	static const struct {
		uint32_t ifindex;
		size_t findings;
	} rows[] = { { 2, 2 }, { 3, 0 }, { 5, 2 }, { 6, 1 }, { 7, 1 }, { 99, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host();
		judge(rows[i].ifindex, true, false);
		assert_int_equal(verdict.finding_count, rows[i].findings);
		for (size_t k = 0; k < verdict.finding_count; k++) {
			assert_int_equal(verdict.findings[k]->severity, SEVERITY_INFO);
			assert_string_equal(verdict.findings[k]->threshold.name, "interfaces_involved");
		}
		arena_free(&arena);
	}
}

static void path__local_or_without_a_network__says_nothing_or_why(void **state)
{
	(void)state;
	open_host();
	judge(2, true, true);
	assert_int_equal(verdict.finding_count, 0);
	judge(2, false, false);
	assert_int_equal(verdict.finding_count, 0);
	assert_non_null(strstr(verdict.skipped[0].reason, "could not be read"));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path__by_each_interface__sees_what_concerns_it),
		cmocka_unit_test(path__local_or_without_a_network__says_nothing_or_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
