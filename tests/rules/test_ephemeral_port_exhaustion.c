/* SPDX-License-Identifier: MIT */
/* ephemeral-port-exhaustion: source ports towards one destination, and crowds that take none. */
#include "rules.h"

#define RULE "ephemeral-port-exhaustion"

static void narrow(struct fixture *f, int64_t lo, int64_t hi)
{
	fixture_sysctl(f, SYSCTL_PORT_LO, lo);
	fixture_sysctl(f, SYSCTL_PORT_HI, hi);
}

/* @count sockets from ports @first on to @peer; TIME-WAIT ones are @age_ms old. */
static void crowd(struct fixture *f, enum sock_state state, unsigned count, uint16_t first,
		  const char *peer, uint32_t age_ms)
{
	for (unsigned i = 0; i < count; i++) {
		struct fake *fake = fixture_sock(f, state, "10.0.0.1:1", peer);

		fake->sock.local.port = (uint16_t)(first + i);
		fake->sock.expires_ms = 60000 - age_ms;
	}
}

static void taken__at_each_limit__has_its_severity(void **state)
{
	static const struct {
		unsigned used;
		int severity;
	} rows[] = { { 4999, -1 }, { 5000, SEVERITY_WARNING }, { 7999, SEVERITY_WARNING },
		     { 8000, SEVERITY_CRITICAL } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		narrow(&f, 20000, 29999);
		crowd(&f, SOCK_STATE_ESTAB, rows[i].used, 20000, "10.9.9.9:80", 0);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (rows[i].severity < 0)
			expect_silence(&f);
		else
			assert_int_equal(evidence_of(expect_one(&f, (enum severity)rows[i].severity), "used"),
					 rows[i].used);
		fixture_close(&f);
	}
}

static void free__below_five_hundred__is_critical(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned used = 500; used <= 501; used++) {
		fixture_open(&f, RULE);
		narrow(&f, 20000, 20999);
		crowd(&f, SOCK_STATE_ESTAB, used, 20000, "10.9.9.9:80", 0);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		expect_one(&f, used == 501 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		fixture_close(&f);
	}
}

static void all__taken__is_certain(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	narrow(&f, 40000, 40019);
	crowd(&f, SOCK_STATE_TIME_WAIT, 19, 40000, "10.9.9.9:80", 30000);
	crowd(&f, SOCK_STATE_ESTAB, 1, 40019, "10.9.9.9:80", 0);
	f.fake[19]->owner = fixture_process(&f, 3, "client");
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_true(finding->confidence == 0.95);
	expect_text(finding, finding->title, "EADDRNOTAVAIL");
	assert_int_equal(finding->scope.pid, 3);
	assert_int_equal(evidence_of(finding, "reuse_would_free"), 19);
	fixture_close(&f);
}

static void reserved_and_listening_ports__shrink_the_supply(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	narrow(&f, 40000, 40019);
	for (unsigned port = 40010; port < 40015; port++)
		f.sysctls.reserved[port / 8] |= (uint8_t)(1u << port % 8);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:40019", "*:*");
	fixture_sock(&f, SOCK_STATE_UNCONN, "10.0.0.1:40018", "*:*");
	crowd(&f, SOCK_STATE_ESTAB, 8, 40000, "10.9.9.9:80", 0);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(evidence_of(finding, "size"), 13);
	assert_int_equal(evidence_of(finding, "reserved"), 5);
	assert_int_equal(evidence_of(finding, "blocked"), 2);
	fixture_close(&f);
}

static void two_destinations__have_a_supply_each(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	narrow(&f, 40000, 40099);
	crowd(&f, SOCK_STATE_ESTAB, 40, 40000, "10.9.9.9:80", 0);
	crowd(&f, SOCK_STATE_TIME_WAIT, 40, 40000, "10.9.9.9:81", 30000);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	assert_true(f.verdict.misses[0].value == 40);
	fixture_close(&f);
}

static void server_side__time_wait__takes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "[::]:40000", "*:*")->sock.has |= SOCK_HAS_V6ONLY;
	for (unsigned i = 0; i < 5000; i++)
		fixture_sock(&f, SOCK_STATE_TIME_WAIT, "10.0.0.1:40000", "10.9.9.9:80")->sock.peer.port =
			(uint16_t)(1024 + i);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void reusable__time_wait__is_not_counted(void **state)
{
	static const struct {
		int64_t reuse, timestamps;
		uint32_t age_ms;
		bool fires;
	} rows[] = { { 2, 1, 30000, true }, { 1, 1, 30000, false }, { 1, 1, 999, true },
		     { 1, 1, 1000, false }, { 1, 0, 30000, true } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		narrow(&f, 40000, 40099);
		fixture_sysctl(&f, SYSCTL_TCP_TW_REUSE, rows[i].reuse);
		fixture_sysctl(&f, SYSCTL_TCP_TIMESTAMPS, rows[i].timestamps);
		crowd(&f, SOCK_STATE_TIME_WAIT, 90, 40000, "10.9.9.9:80", rows[i].age_ms);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		assert_int_equal(f.verdict.finding_count, rows[i].fires);
		fixture_close(&f);
	}
}

static void steady_rate__warns_before_the_half_is_gone(void **state)
{
	static const struct {
		unsigned recent, old;
		bool fires;
	} rows[] = {
		/* 5 s of arrivals · 12 is what the range will hold: 584 of 10000 are 0.7008 */
		{ 584, 1416, true },
		{ 583, 1417, false },
		{ 584, 1415, false },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		narrow(&f, 20000, 29999);
		crowd(&f, SOCK_STATE_TIME_WAIT, rows[i].recent, 20000, "10.9.9.9:80", 4999);
		crowd(&f, SOCK_STATE_TIME_WAIT, rows[i].old, 25000, "10.9.9.9:80", 5000);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (rows[i].fires)
			assert_string_equal(expect_one(&f, SEVERITY_WARNING)->threshold.name, "steady");
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void growth__over_a_minute__raises_severity(void **state)
{
	static const struct {
		double seconds;
		enum severity severity;
	} rows[] = { { 29.5, SEVERITY_WARNING }, { 30, SEVERITY_CRITICAL } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		narrow(&f, 20000, 29999);
		crowd(&f, SOCK_STATE_ESTAB, 4000, 20000, "10.9.9.9:80", 0);
		fixture_sample(&f, 0);
		crowd(&f, SOCK_STATE_ESTAB, 800, 24000, "10.9.9.9:80", 0);
		fixture_sample(&f, rows[i].seconds);
		crowd(&f, SOCK_STATE_ESTAB, 800, 24800, "10.9.9.9:80", 0);
		fixture_sample(&f, 2 * rows[i].seconds);
		fixture_judge(&f);
		assert_true(evidence_of(expect_one(&f, rows[i].severity), "time_left") > 0);
		fixture_close(&f);
	}
}

static void settings__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.no_sysctls = true;
	crowd(&f, SOCK_STATE_ESTAB, 10, 40000, "10.9.9.9:80", 0);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "settings");
	fixture_close(&f);

	fixture_open(&f, RULE);
	f.sysctls.has[SYSCTL_PORT_LO] = false;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "port range");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken__at_each_limit__has_its_severity),
		cmocka_unit_test(free__below_five_hundred__is_critical),
		cmocka_unit_test(all__taken__is_certain),
		cmocka_unit_test(reserved_and_listening_ports__shrink_the_supply),
		cmocka_unit_test(two_destinations__have_a_supply_each),
		cmocka_unit_test(server_side__time_wait__takes_nothing),
		cmocka_unit_test(reusable__time_wait__is_not_counted),
		cmocka_unit_test(steady_rate__warns_before_the_half_is_gone),
		cmocka_unit_test(growth__over_a_minute__raises_severity),
		cmocka_unit_test(settings__missing__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
