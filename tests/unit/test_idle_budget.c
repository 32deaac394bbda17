/* SPDX-License-Identifier: MIT */
/* Idle budgets: each cloud by its firmware, what only looks like one, and this host's own tracking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "triage/idle_budget.h"

#define FALLBACK 350000

static struct addr address(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, &addr));
	return addr;
}

static struct idle_budget budget_of(const struct platform *platform, const struct sysctls *sysctls,
				    const char *local, const char *peer)
{
	struct addr from = address(local), to = address(peer);

	return idle_budget_of(platform, sysctls, FALLBACK, &from, &to);
}

static void cloud__by_firmware__and_what_only_looks_like_one(void **state)
{
	static const struct {
		struct platform platform;
		double ms;
		bool known;
	} rows[] = {
		{ { "Amazon EC2", "m7g.large", "" }, 350000, true },
		{ { "Amazon EC2", "", "i-0123456789" }, 350000, true },
		{ { "Google", "Google Compute Engine", "" }, 600000, true },
		{ { "Google", "Eve", "" }, FALLBACK, false },
		{ { "Microsoft Corporation", "Virtual Machine", PLATFORM_ASSET_AZURE }, 240000, true },
		{ { "Microsoft Corporation", "Virtual Machine", "1234-5678" }, FALLBACK, false },
		{ { "Microsoft Corporation", "Surface Pro", "" }, FALLBACK, false },
		{ { "QEMU", "Standard PC", "" }, FALLBACK, false },
		{ { "", "", "" }, FALLBACK, false },
		{ { NULL, NULL, NULL }, FALLBACK, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct idle_budget b = budget_of(&rows[i].platform, NULL, "10.0.0.5", "8.8.8.8");

		assert_true(b.ms == rows[i].ms);
		assert_int_equal(b.known, rows[i].known);
		assert_false(b.own);
		assert_true(b.device && b.source);
	}
	assert_true(budget_of(NULL, NULL, "10.0.0.5", "8.8.8.8").ms == FALLBACK);
}

static void cloud__private_peer_or_no_translation__is_no_known_device(void **state)
{
	static const struct platform aws = { "Amazon EC2", "m7g.large", "" };

	(void)state;
	assert_true(budget_of(&aws, NULL, "10.0.0.5", "8.8.8.8").known);
	assert_false(budget_of(&aws, NULL, "10.0.0.5", "10.1.0.5").known);
	assert_false(budget_of(&aws, NULL, "9.9.9.9", "8.8.8.8").known);
	assert_false(budget_of(&aws, NULL, "2600::5", "2600:1::5").known);
	assert_true(budget_of(&aws, NULL, "10.0.0.5", "10.1.0.5").ms == 350000);
}

static void own_tracking__counts_when_it_works_and_is_shorter(void **state)
{
	static const struct {
		int64_t seconds, count;
		double ms;
		bool own;
	} rows[] = {
		{ 300, 1, 300000, true },  { 300, 0, FALLBACK, false },	   { 349, 9, 349000, true },
		{ 350, 9, FALLBACK, false }, { 432000, 9, FALLBACK, false }, { 0, 9, FALLBACK, false },
	};
	static const struct platform azure = { "Microsoft Corporation", "Virtual Machine", PLATFORM_ASSET_AZURE };
	struct sysctls *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	assert_false(idle_budget_tracks(s));
	s->has[SYSCTL_CONNTRACK_ESTABLISHED_S] = s->has[SYSCTL_CONNTRACK_COUNT] = true;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct idle_budget b;

		s->value[SYSCTL_CONNTRACK_ESTABLISHED_S] = rows[i].seconds;
		s->value[SYSCTL_CONNTRACK_COUNT] = rows[i].count;
		b = budget_of(NULL, s, "10.0.0.5", "10.1.0.5");
		assert_true(b.ms == rows[i].ms);
		assert_int_equal(b.own, rows[i].own);
		assert_int_equal(b.known, rows[i].own);
	}
	s->value[SYSCTL_CONNTRACK_ESTABLISHED_S] = 300;
	assert_false(budget_of(&azure, s, "10.0.0.5", "8.8.8.8").own); /* Azure forgets first */
	free(s);
}

static void least__is_below_every_budget(void **state)
{
	struct sysctls *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	assert_true(idle_budget_least_ms(NULL) == 240000);
	assert_true(idle_budget_least_ms(s) == 240000);
	s->has[SYSCTL_CONNTRACK_ESTABLISHED_S] = s->has[SYSCTL_CONNTRACK_COUNT] = true;
	s->value[SYSCTL_CONNTRACK_ESTABLISHED_S] = 5;
	assert_true(idle_budget_least_ms(s) == 240000);
	s->value[SYSCTL_CONNTRACK_COUNT] = 1;
	assert_true(idle_budget_least_ms(s) == 5000);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cloud__by_firmware__and_what_only_looks_like_one),
		cmocka_unit_test(cloud__private_peer_or_no_translation__is_no_known_device),
		cmocka_unit_test(own_tracking__counts_when_it_works_and_is_shorter),
		cmocka_unit_test(least__is_below_every_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
