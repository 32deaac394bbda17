/* SPDX-License-Identifier: MIT */
/* pmtu-shrunk on probes: narrower and told, what the kernel remembers of it, and messages that are not so. */
#include "rules.h"

#define RULE "pmtu-shrunk"
#define THEM "10.9.9.2"

static void narrow(struct probing *p, const char *address, uint32_t mtu)
{
	probing_mtu(p, RULE, address, 443);
	p->mtu.path.finding = MTU_NARROWER_TOLD;
	p->mtu.path.path_mtu = mtu;
	probing_told(p, "10.9.2.1", mtu, TOLD_CONFIRMED);
}

static void remember(struct probing *p, uint32_t mtu)
{
	p->mtu.route.has |= ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES;
	p->mtu.route.mtu = mtu;
	p->mtu.route.expires_ms = 590000;
}

static void told__and_true__is_info(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	narrow(&p, THEM, 1420);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_INFO);
	assert_true(f->confidence == 0.98);
	expect_text(f, f->title, "carries packets of at most 1420 B, and 10.9.2.1 says so");
	expect_text(f, f->detail, "the interface takes 1500 B; likely WireGuard");
	expect_text(f, f->detail, "this host had not learned it before · MSS that fits: 1380 B");
	probing_expect_list(f, f->fixes, "nothing has to be done");
	probing_expect_list(f, f->fixes, "dev eth0 mtu 1420");
	assert_null(f->against[0]);
	probing_close(&p);
}

static void exception__is_compared_with_what_passes(void **state)
{
	static const struct {
		uint32_t mtu;
		const char *words;
	} rows[] = { { 1420, "knows it for another 9 min 50 s" }, { 1300, "believes 1300 B for another" }, { 1450, "believes 1450 B for another" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		narrow(&p, THEM, 1420);
		remember(&p, rows[i].mtu);
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_INFO);
		expect_text(f, f->detail, rows[i].words);
		probing_close(&p);
	}
}

static void path__below_what_networks_carry__warns(void **state)
{
	(void)state;
	for (uint32_t mtu = 1279; mtu <= 1280; mtu++) {
		struct probing p;

		narrow(&p, THEM, mtu);
		probing_judge(&p);
		probing_expect_one(&p, mtu < 1280 ? SEVERITY_WARNING : SEVERITY_INFO);
		probing_close(&p);
	}
}

static void lock__keeps_this_host_from_listening(void **state)
{
	static const struct {
		const char *address;
		uint32_t locked;
		enum severity severity;
		const char *title;
	} rows[] = {
		{ "fd00:9::2", 1500, SEVERITY_WARNING, "locked at 1500 B" },
		{ "10.9.9.2", 1500, SEVERITY_INFO, "locked at 1500 B" },
		{ "fd00:9::2", 1400, SEVERITY_INFO, "at most 1400 B" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		narrow(&p, rows[i].address, 1400);
		p.mtu.route.has |= ROUTE_HAS_MTU;
		p.mtu.route.mtu = rows[i].locked;
		p.mtu.route.mtu_locked = true;
		probing_judge(&p);
		f = probing_expect_one(&p, rows[i].severity);
		expect_text(f, f->title, rows[i].title);
		probing_close(&p);
	}
}

static void message__that_is_no_help__is_told_with_the_size(void **state)
{
	static const struct {
		enum told_kind kind;
		uint32_t mtu;
		const char *title;
	} rows[] = { { TOLD_NO_MTU, 0, "at most 1400 B; 10.9.2.1 says that larger ones are too big, but not for what" }, { TOLD_WRONG, 1300, "at most 1400 B; 10.9.2.1 says 1300 B" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		narrow(&p, THEM, 1400);
		p.mtu.path.told[0].kind = (uint8_t)rows[i].kind;
		p.mtu.path.told[0].mtu = rows[i].mtu;
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_INFO);
		assert_true(f->confidence == 0.98);
		expect_text(f, f->title, rows[i].title);
		assert_int_equal(evidence_of(f, "false_messages"), 0);
		probing_close(&p);
	}
}

static void doubts__lower_it(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	narrow(&p, THEM, 1400);
	p.mtu.path.lossy = p.mtu.path.partial = true;
	p.mtu.path.bound = BOUND_LOWER;
	p.mtu.path.told[0].kind = TOLD_UNTRIED;
	probing_told(&p, "10.9.3.1", 40, TOLD_TOO_SMALL);
	p.mtu.path.told_by = 0;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_INFO);
	assert_true(f->confidence == 0.7);
	expect_against(f, "not verified");
	expect_against(f, "ended before");
	expect_against(f, "small probes were lost");
	expect_against(f, "was not confirmed");
	expect_against(f, "1 other message named sizes");
	probing_close(&p);
}

static void exception__of_a_path_that_has_grown__is_info(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	remember(&p, 1400);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_INFO);
	expect_text(f, f->title, "narrower than it is: 1400 B, and 1500 B pass");
	expect_text(f, f->detail, "for another 9 min 50 s");
	probing_close(&p);

	probing_mtu(&p, RULE, THEM, 443);
	remember(&p, 1500);
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

static void message__that_is_not_so__is_named(void **state)
{
	static const struct {
		enum told_kind kind;
		uint32_t mtu;
		const char *title;
	} rows[] = {
		{ TOLD_TOO_SMALL, 20, "10.9.3.1 says that 20 B is the most" }, { TOLD_BOGUS, 9000, "which is not so: 1500 B pass" }, { TOLD_WRONG, 1300, "which is not so" },
		{ TOLD_NO_MTU, 0, "too big, but not for what: 1500 B pass" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, 443);
		probing_told(&p, "10.9.3.1", rows[i].mtu, rows[i].kind)->count = 7;
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_INFO);
		expect_text(f, f->title, rows[i].title);
		expect_text(f, f->detail, "7 messages about our own probes");
		probing_close(&p);
	}
}

static void look_alikes__are_silent(void **state)
{
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_told(&p, "10.9.3.1", 1300, TOLD_UNTRIED);
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);

	narrow(&p, THEM, 1500); /* nothing is narrower than the interface */
	probing_judge(&p);
	probing_expect_silence(&p);
	p.mtu.path.path_mtu = 1400;
	p.mtu.path.finding = MTU_BLACK_HOLE_FOUND;
	probing_judge(&p);
	probing_expect_silence(&p);
	p.mtu.path.finding = MTU_HOST_DEAF;
	remember(&p, 1400);
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told__and_true__is_info),
		cmocka_unit_test(exception__is_compared_with_what_passes),
		cmocka_unit_test(path__below_what_networks_carry__warns),
		cmocka_unit_test(lock__keeps_this_host_from_listening),
		cmocka_unit_test(message__that_is_no_help__is_told_with_the_size),
		cmocka_unit_test(doubts__lower_it),
		cmocka_unit_test(exception__of_a_path_that_has_grown__is_info),
		cmocka_unit_test(message__that_is_not_so__is_named),
		cmocka_unit_test(look_alikes__are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
