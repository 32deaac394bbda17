/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-recv on probes: the test with two advertised MSS. */
#include "rules.h"

#define RULE "mtu-blackhole-recv"

static void set_up(struct probing *p, const char *address, uint32_t works, uint32_t dead)
{
	probing_mtu(p, RULE, address, 80);
	p->mtu.reverse = (struct reverse_path){ .finding = REVERSE_BLACK_HOLE, .largest_mss = works, .smallest_dead = dead, .connections = 9, .received = 60000 };
}

static void hole__exact__is_critical(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	set_up(&p, "10.9.9.2", 1360, 1361);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	assert_true(f->confidence == 0.98);
	assert_int_equal(evidence_of(f, "path_mtu_back"), 1400);
	expect_text(f, f->title, "packets over 1400 B from 10.9.9.2:80 do not arrive");
	expect_text(f, f->detail, "with an MSS of 1360 B the answer comes (58.6 KiB), with 1361 B it does not");
	expect_text(f, f->detail, "a VPN gateway");
	probing_expect_list(f, f->fixes, "ip route replace 10.9.9.2/32 via 10.9.1.1 dev eth0 advmss 1360");
	probing_expect_list(f, f->fixes, "maxseg size set 1360");
	probing_close(&p);
}

static void hole__of_ipv6_in_a_bracket__is_less_sure(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	set_up(&p, "fd00:9::2", 1180, 1440);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	assert_true(f->confidence == 0.95);
	assert_int_equal(evidence_of(f, "path_mtu_back"), 1240);
	expect_text(f, f->title, "large packets from [fd00:9::2]:80");
	expect_against(f, "between 1180 B and 1440 B");
	probing_expect_list(f, f->fixes, "ICMPv6 type 2");
	probing_close(&p);
}

static void answer__of_too_few_bytes__warns(void **state)
{
	(void)state;
	for (uint64_t bytes = 4095; bytes <= 4096; bytes++) {
		struct probing p;

		set_up(&p, "10.9.9.2", 1360, 1361);
		p.mtu.reverse.received = bytes;
		probing_judge(&p);
		probing_expect_one(&p, bytes < 4096 ? SEVERITY_WARNING : SEVERITY_CRITICAL);
		probing_close(&p);
	}
}

static void no_hole__is_silent_and_says_what_was_not_judged(void **state)
{
	static const struct {
		enum reverse_finding finding;
		const char *skipped;
	} rows[] = { { REVERSE_NOT_MADE, "--tcp-payload" }, { REVERSE_FITS, NULL }, { REVERSE_UNKNOWN, "did not send enough" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probing p;

		set_up(&p, "10.9.9.2", 1360, 1361);
		p.mtu.reverse.finding = (uint8_t)rows[i].finding;
		probing_judge(&p);
		probing_expect_silence(&p);
		if (rows[i].skipped)
			probing_expect_part_skipped(&p, rows[i].skipped);
		else
			assert_int_equal(p.verdict.skipped_count, 0);
		probing_close(&p);
	}
}

static void numbers__that_contradict_each_other__are_no_hole(void **state)
{
	static const uint32_t rows[][2] = { { 0, 1460 }, { 1360, 0 }, { 1360, 1360 }, { 1460, 1200 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probing p;

		set_up(&p, "10.9.9.2", rows[i][0], rows[i][1]);
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hole__exact__is_critical),
		cmocka_unit_test(hole__of_ipv6_in_a_bracket__is_less_sure),
		cmocka_unit_test(answer__of_too_few_bytes__warns),
		cmocka_unit_test(no_hole__is_silent_and_says_what_was_not_judged),
		cmocka_unit_test(numbers__that_contradict_each_other__are_no_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
