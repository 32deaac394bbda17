/* SPDX-License-Identifier: MIT */
/* mss-clamp-mismatch on probes: the agreed segment size against the path. */
#include "rules.h"

#define RULE "mss-clamp-mismatch"

static void set_up(struct probing *p, const char *address, uint32_t snd_mss)
{
	probing_mtu(p, RULE, address, 443);
	p->mtu.tcp = (struct tcp_witness){ .made = true, .connected = true, .snd_mss = snd_mss, .advmss = 1460, .rcv_mss = 536, .pmtu = 1500, .handshake_us = 4000 };
}

static void mss__above_a_black_hole__warns(void **state)
{
	static const struct {
		uint32_t mss;
		bool fires;
	} rows[] = { { 1448, true }, { 1361, true }, { 1360, false }, { 1348, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		set_up(&p, "10.9.9.2", rows[i].mss);
		probing_hole(&p, 1400, 2);
		probing_judge(&p);
		if (rows[i].fires) {
			f = probing_expect_one(&p, SEVERITY_WARNING);
			assert_true(f->confidence == 0.95);
			expect_text(f, f->title, "towards 10.9.9.2:443");
			expect_text(f, f->title, "the path carries 1360 B at most");
		} else {
			probing_expect_silence(&p);
		}
		probing_close(&p);
	}
}

static void mss__above_a_path_in_doubt__is_less_sure_or_silent(void **state)
{
	struct probing p;

	(void)state;
	set_up(&p, "fd00:9::2", 1428);
	probing_hole(&p, 1400, 2);
	p.mtu.path.lossy = true;
	probing_judge(&p);
	assert_true(probing_expect_one(&p, SEVERITY_WARNING)->confidence == 0.7);
	p.mtu.path.bound = BOUND_LOWER;
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

static void mss__below_every_path__is_info(void **state)
{
	static const struct {
		const char *address;
		uint32_t mss, pmtu;
		bool fires;
	} rows[] = {
		{ "10.9.9.2", 523, 1500, true },
		{ "10.9.9.2", 524, 1500, false },
		{ "fd00:9::2", 1207, 1500, true },
		{ "fd00:9::2", 1208, 1500, false }, /* a path of 1280 with timestamps */
		{ "10.9.9.2", 500, 552, false },    /* this host believes the path to be that narrow */
		{ "10.9.9.2", 500, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probing p;

		set_up(&p, rows[i].address, rows[i].mss);
		p.mtu.tcp.pmtu = rows[i].pmtu;
		probing_judge(&p);
		if (rows[i].fires)
			expect_text(probing_expect_one(&p, SEVERITY_INFO), p.verdict.findings[0]->title, "less than every path carries");
		else
			probing_expect_silence(&p);
		probing_close(&p);
	}
}

static void clamp__chosen_on_purpose__is_silent(void **state)
{
	struct probing p;

	(void)state;
	set_up(&p, "10.9.9.2", 1208);
	probing_judge(&p);
	probing_expect_silence(&p);
	p.mtu.path.finding = MTU_NARROWER_TOLD;
	p.mtu.path.path_mtu = 1200;
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

static void witness__that_is_missing__is_said(void **state)
{
	(void)state;
	for (unsigned lack = 0; lack < 3; lack++) {
		struct probing p;

		set_up(&p, "10.9.9.2", 1448);
		probing_hole(&p, 1400, 2);
		p.mtu.tcp.made = lack != 0;
		p.mtu.tcp.connected = lack != 1;
		p.mtu.tcp.snd_mss = lack == 2 ? 0 : 1448;
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_expect_part_skipped(&p, "no connection to the service");
		probing_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mss__above_a_black_hole__warns),
		cmocka_unit_test(mss__above_a_path_in_doubt__is_less_sure_or_silent),
		cmocka_unit_test(mss__below_every_path__is_info),
		cmocka_unit_test(clamp__chosen_on_purpose__is_silent),
		cmocka_unit_test(witness__that_is_missing__is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
