/* SPDX-License-Identifier: MIT */
/* explicit-bind-waste: ports that serve one destination each, and layouts that the kernel makes by itself. */
#include "rules.h"

#define RULE "explicit-bind-waste"
#define LO 40000
#define SIZE 3000
#define A "10.0.3.4:80"
#define B "10.0.3.4:81"

static void open_range(struct fixture *f)
{
	fixture_open(f, RULE);
	fixture_sysctl(f, SYSCTL_PORT_LO, LO);
	fixture_sysctl(f, SYSCTL_PORT_HI, LO + SIZE - 1);
}

/* @count connections from @local to @peer with the ports LO + @offset, LO + @offset + @step, … */
static void connections(struct fixture *f, unsigned count, const char *local, const char *peer, unsigned offset,
			unsigned step)
{
	for (unsigned i = 0; i < count; i++) {
		struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

		fake->sock.local.port = (uint16_t)(LO + offset + i * step);
		fake->sock.has |= SOCK_HAS_SOCKOPT;
	}
}

/* bind() takes odd ports: those from the @from-th on. */
static void bound(struct fixture *f, unsigned count, const char *peer, unsigned from)
{
	connections(f, count, "10.0.0.1:1", peer, 1 + 2 * from, 2);
}

/* connect() takes even ones. */
static void plain(struct fixture *f, unsigned count, const char *peer, unsigned from)
{
	connections(f, count, "10.0.0.1:1", peer, 2 * from, 2);
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void bound_ports__severity_by_share_of_the_range(void **state)
{
	static const struct {
		unsigned a, b;
		int severity;
		const char *threshold;
	} rows[] = { { 450, 449, -1, NULL },
		     { 450, 450, SEVERITY_INFO, "bound" },
		     { 750, 749, SEVERITY_INFO, "bound" },
		     { 750, 750, SEVERITY_WARNING, "warning_bound" },
		     { 1100, 400, SEVERITY_WARNING, "warning_bound" } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_range(&f);
		bound(&f, rows[i].a, A, 0);
		bound(&f, rows[i].b, B, rows[i].a);
		for (size_t k = 0; k < f.count; k++)
			f.fake[k]->owner = fixture_process(&f, 12, "proxy");
		judge(&f);
		if (rows[i].severity < 0) {
			expect_silence(&f);
			assert_true(f.verdict.misses[0].value > 0.299);
		} else {
			finding = expect_one(&f, (enum severity)rows[i].severity);
			assert_string_equal(finding->threshold.name, rows[i].threshold);
			expect_text(finding, finding->title, "proxy[12] binds before it connects");
			expect_text(finding, finding->title, "of 3000 source ports of 10.0.0.1 serve one destination each");
			expect_text(finding, finding->detail, "0 ports shared");
			expect_against(finding, "looks the same");
			assert_int_equal(evidence_of(finding, "bound"), rows[i].a + rows[i].b);
			assert_int_equal(evidence_of(finding, "left"), SIZE - rows[i].a - rows[i].b);
			assert_int_equal(evidence_of(finding, "destinations"), 2);
			assert_string_equal(finding_evidence(finding, "largest")->text, A);
			assert_true(finding->confidence == 0.85);
		}
		fixture_close(&f);
	}
}

/* Once the odd ports are used up bind() takes even ones, and a destination that came late has these alone. */
static void beyond_half__even_ports_too(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned even = 899; even <= 900; even++) {
		open_range(&f);
		bound(&f, 1500, A, 0);
		plain(&f, even, B, 0);
		judge(&f);
		expect_one(&f, even == 900 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		fixture_close(&f);
	}
	/* not used up: nine tenths are the limit, and what looks bound is then one destination only */
	for (unsigned odd = 1349; odd <= 1350; odd++) {
		open_range(&f);
		bound(&f, odd, A, 0);
		plain(&f, 600, B, 0);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, odd == 1350);
		fixture_close(&f);
	}
}

static void expected_by_chance__below_ten__may_be_luck(void **state)
{
	struct fixture f;

	(void)state;
	/* 1100 · 27 / 3000 = 9.9 */
	for (unsigned small = 27; small <= 28; small++) {
		open_range(&f);
		bound(&f, 1100, A, 0);
		bound(&f, small, B, 1100);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, small == 28);
		fixture_close(&f);
	}
}

static void shared_ports__five_percent_of_the_expected__are_the_limit(void **state)
{
	struct fixture f;

	(void)state;
	/* 600 · 600 / 3000 = 120 expected, 6 allowed */
	for (unsigned shared = 6; shared <= 7; shared++) {
		open_range(&f);
		bound(&f, 600, A, 0);
		bound(&f, 600, B, 600 - shared);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, shared == 6);
		if (shared == 6)
			assert_int_equal(evidence_of(f.verdict.findings[0], "shared"), 6);
		fixture_close(&f);
	}
}

static void small_destinations__say_nothing(void **state)
{
	struct fixture f;
	char peer[32];

	(void)state;
	for (unsigned ports = 19; ports <= 20; ports++) {
		open_range(&f);
		for (unsigned i = 0; i < 50; i++) {
			snprintf(peer, sizeof(peer), "10.0.4.%u:80", i);
			bound(&f, ports, peer, i * ports);
		}
		judge(&f);
		assert_int_equal(f.verdict.finding_count, ports == 20);
		fixture_close(&f);
	}
}

static void plain_connect__disjoint_by_chance__uses_even_ports(void **state)
{
	struct fixture f;

	(void)state;
	open_range(&f);
	plain(&f, 600, A, 0);
	plain(&f, 600, B, 600);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);

	/* nine of ten odd ports are the limit for a destination */
	for (unsigned even = 66; even <= 67; even++) {
		open_range(&f);
		bound(&f, 600, A, 0);
		bound(&f, 600, B, 600);
		plain(&f, even, B, 0);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, even == 66);
		fixture_close(&f);
	}
}

/* Measured: 1000 odd ports left of a peak of 2600, and another destination's 400 even ones share none where 133 were expected. */
static void plain_connect__what_is_left_of_a_peak__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	open_range(&f);
	bound(&f, 1000, A, 0);
	plain(&f, 400, B, 0);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void plain_connect__beyond_half__shares(void **state)
{
	struct fixture f;

	(void)state;
	open_range(&f);
	connections(&f, 2400, "10.0.0.1:1", A, 0, 1);
	plain(&f, 600, B, 0);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void one_destination__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	open_range(&f);
	bound(&f, 1500, A, 0);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void no_port_option__on_a_tenth__clears(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned set = 119; set <= 120; set++) {
		open_range(&f);
		bound(&f, 600, A, 0);
		bound(&f, 600, B, 600);
		for (unsigned i = 0; i < set; i++)
			f.fake[i * 10]->sock.sockopt = SOCKOPT_BIND_ADDRESS_NO_PORT;
		judge(&f);
		assert_int_equal(f.verdict.finding_count, set == 119);
		fixture_close(&f);
	}
}

static void options_not_told__is_said(void **state)
{
	struct fixture f;

	(void)state;
	open_range(&f);
	bound(&f, 600, A, 0);
	bound(&f, 600, B, 600);
	for (size_t i = 0; i < f.count; i++)
		f.fake[i]->sock.has &= ~(uint32_t)SOCK_HAS_SOCKOPT;
	judge(&f);
	expect_against(expect_one(&f, SEVERITY_INFO), "does not tell whether IP_BIND_ADDRESS_NO_PORT");
	fixture_close(&f);
}

static void each_source_address__is_judged_alone(void **state)
{
	struct fixture f;

	(void)state;
	open_range(&f);
	connections(&f, 600, "10.0.0.1:1", A, 1, 2);
	connections(&f, 600, "10.0.0.2:1", B, 1201, 2);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);

	open_range(&f);
	connections(&f, 600, "10.0.0.1:1", A, 1, 2);
	connections(&f, 600, "10.0.0.1:1", B, 1201, 2);
	connections(&f, 800, "[2001:db8::1]:1", "[2001:db8::2]:80", 1, 2);
	connections(&f, 700, "[2001:db8::1]:1", "[2001:db8::2]:81", 1601, 2);
	judge(&f);
	assert_int_equal(f.verdict.finding_count, 2);
	expect_text(f.verdict.findings[0], f.verdict.findings[0]->title, "1500 of 3000 source ports of 2001:db8::1");
	expect_text(f.verdict.findings[1], f.verdict.findings[1]->title, "1200 of 3000 source ports of 10.0.0.1");
	fixture_close(&f);
}

static void accepted_connections__do_not_count(void **state)
{
	struct fixture f;

	(void)state;
	open_range(&f);
	for (unsigned i = 0; i < 1200; i++)
		fixture_sock(&f, SOCK_STATE_LISTEN, "10.0.0.1:1", "*:*")->sock.local.port = (uint16_t)(LO + 1 + 2 * i);
	bound(&f, 600, A, 0);
	bound(&f, 600, B, 600);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void time_wait__holds_its_port_too(void **state)
{
	struct fixture f;

	(void)state;
	open_range(&f);
	bound(&f, 600, A, 0);
	bound(&f, 600, B, 600);
	for (size_t i = 0; i < f.count; i++)
		f.fake[i]->sock.state = SOCK_STATE_TIME_WAIT;
	judge(&f);
	expect_one(&f, SEVERITY_INFO);
	fixture_close(&f);
}

static void loopback_and_one_sample__weigh_less(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	open_range(&f);
	connections(&f, 600, "127.0.0.1:1", "127.0.0.1:80", 1, 2);
	connections(&f, 600, "127.0.0.1:1", "127.0.0.1:81", 1201, 2);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	assert_true(finding->scope_factor < 1);
	assert_true(finding->confidence == 0.8);
	fixture_close(&f);
}

static void missing_inputs__are_said(void **state)
{
	struct fixture f;
	char local[32];

	(void)state;
	fixture_open(&f, RULE);
	f.no_sysctls = true;
	judge(&f);
	expect_skipped(&f, "settings");
	fixture_close(&f);

	fixture_open(&f, RULE);
	fixture_sysctl(&f, SYSCTL_PORT_LO, 0);
	judge(&f);
	expect_skipped(&f, "port range");
	fixture_close(&f);

	for (unsigned sources = 64; sources <= 65; sources++) {
		open_range(&f);
		for (unsigned i = 0; i < sources; i++) {
			snprintf(local, sizeof(local), "10.1.0.%u:1", i);
			connections(&f, 1, local, A, 1, 2);
		}
		judge(&f);
		expect_silence(&f);
		if (sources == 65)
			expect_part_skipped(&f, "more source addresses");
		else
			assert_int_equal(f.verdict.skipped_count, 0);
		fixture_close(&f);
	}

	open_range(&f);
	judge(&f);
	f.snap.groups_dropped = 1;
	fixture_judge(&f);
	expect_part_skipped(&f, "more than are kept");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_ports__severity_by_share_of_the_range),
		cmocka_unit_test(beyond_half__even_ports_too),
		cmocka_unit_test(expected_by_chance__below_ten__may_be_luck),
		cmocka_unit_test(shared_ports__five_percent_of_the_expected__are_the_limit),
		cmocka_unit_test(small_destinations__say_nothing),
		cmocka_unit_test(plain_connect__disjoint_by_chance__uses_even_ports),
		cmocka_unit_test(plain_connect__what_is_left_of_a_peak__is_silent),
		cmocka_unit_test(plain_connect__beyond_half__shares),
		cmocka_unit_test(one_destination__is_silent),
		cmocka_unit_test(no_port_option__on_a_tenth__clears),
		cmocka_unit_test(options_not_told__is_said),
		cmocka_unit_test(each_source_address__is_judged_alone),
		cmocka_unit_test(accepted_connections__do_not_count),
		cmocka_unit_test(time_wait__holds_its_port_too),
		cmocka_unit_test(loopback_and_one_sample__weigh_less),
		cmocka_unit_test(missing_inputs__are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
