/* SPDX-License-Identifier: MIT */
/* time-wait-churn: the sentence that says harmless, and when it is not. */
#include "rules.h"

#define RULE "time-wait-churn"

static void crowd(struct fixture *f, unsigned count, const char *local, const char *peer,
		  uint32_t age_ms, bool server)
{
	for (unsigned i = 0; i < count; i++) {
		struct fake *fake = fixture_sock(f, SOCK_STATE_TIME_WAIT, local, peer);

		fake->sock.expires_ms = 60000 - age_ms;
		*(server ? &fake->sock.peer.port : &fake->sock.local.port) = (uint16_t)(32768 + i);
	}
}

static void count__at_the_limit__is_info_and_harmless(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (unsigned count = 4999; count <= 5000; count++) {
		fixture_open(&f, RULE);
		crowd(&f, count, "10.0.0.1:1", "10.9.9.9:80", 30000, false);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (count < 5000) {
			expect_silence(&f);
			assert_true(f.verdict.misses[0].value == 4999);
		} else {
			finding = expect_one(&f, SEVERITY_INFO);
			expect_text(finding, finding->title, "harmless");
			assert_int_equal(finding->scope.peer.port, 80);
		}
		expect_part_skipped(&f, "one sample");
		fixture_close(&f);
	}
}

static void server_side__is_named_as_such(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:80", "*:*");
	crowd(&f, 5000, "10.0.0.1:80", "10.9.9.9:1", 1000, true);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	expect_text(finding, finding->title, "server's side");
	assert_int_equal(finding->scope.local.port, 80);
	assert_int_equal(evidence_of(finding, "server_side"), 5000);
	fixture_close(&f);
}

static void rate__to_one_destination__is_info_at_a_hundred(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned recent = 499; recent <= 500; recent++) {
		fixture_open(&f, RULE);
		crowd(&f, recent, "10.0.0.1:1", "10.9.9.9:80", 4000, false);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (recent < 500)
			expect_silence(&f);
		else
			assert_string_equal(expect_one(&f, SEVERITY_INFO)->threshold.name, "rate");
		fixture_close(&f);
	}
}

static void rate__that_will_hold_half_the_ports__warns(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned recent = 833; recent <= 834; recent++) {
		fixture_open(&f, RULE);
		fixture_sysctl(&f, SYSCTL_PORT_LO, 32768);
		fixture_sysctl(&f, SYSCTL_PORT_HI, 52767);
		crowd(&f, recent, "10.0.0.1:1", "10.9.9.9:80", 4000, false);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		expect_one(&f, recent == 834 ? SEVERITY_WARNING : SEVERITY_INFO);
		fixture_close(&f);
	}
}

static void buckets__at_seven_tenths__warn(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned count = 699; count <= 700; count++) {
		fixture_open(&f, RULE);
		fixture_sysctl(&f, SYSCTL_TCP_MAX_TW_BUCKETS, 1000);
		crowd(&f, count, "10.0.0.1:1", "10.9.9.9:80", 30000, false);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (count < 700)
			expect_silence(&f);
		else
			assert_string_equal(expect_one(&f, SEVERITY_WARNING)->threshold.name, "bucket_share");
		fixture_close(&f);
	}
}

static void counters__give_the_rate_of_all(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	crowd(&f, 5000, "10.0.0.1:1", "10.9.9.9:80", 30000, false);
	fixture_sample(&f, 0);
	fixture_count(&f, COUNTER_TW, 600);
	fixture_count(&f, COUNTER_TW_RECYCLED, 200);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	assert_int_equal(evidence_of(expect_one(&f, SEVERITY_INFO), "ended_per_s"), 120);
	fixture_close(&f);
}

static void healthy__two_hundred__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	crowd(&f, 200, "10.0.0.1:1", "10.9.9.9:80", 30000, false);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void settings__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.no_sysctls = true;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "settings");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(count__at_the_limit__is_info_and_harmless),
		cmocka_unit_test(server_side__is_named_as_such),
		cmocka_unit_test(rate__to_one_destination__is_info_at_a_hundred),
		cmocka_unit_test(rate__that_will_hold_half_the_ports__warns),
		cmocka_unit_test(buckets__at_seven_tenths__warn),
		cmocka_unit_test(counters__give_the_rate_of_all),
		cmocka_unit_test(healthy__two_hundred__are_silent),
		cmocka_unit_test(settings__missing__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
