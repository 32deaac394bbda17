/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-send on probes: proven to the byte, bracketed, doubtful, and what a switch or a lying router leaves. */
#include "rules.h"

#define RULE "mtu-blackhole-send"
#define THEM "10.9.9.2"
#define THEM6 "fd00:9::2"

static void hole__exact_by_tcp__is_sure_and_its_place_another_protocols(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	probing_hole(&p, 1400, 2);
	p.mtu.path.method = PROBE_TCP;
	p.mtu.path.hop_method = PROBE_ICMP;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	assert_true(f->confidence == 0.97);
	expect_against(f, "the place was found by ICMP");
	assert_int_equal(evidence_of(f, "path_mtu"), 1400);
	assert_int_equal(evidence_of(f, "mss_fits"), 1360);
	assert_int_equal(evidence_of(f, "hop"), 2);
	expect_text(f, f->title, "packets over 1400 B to 10.9.9.2 vanish behind hop 2 (10.9.2.1)");
	expect_text(f, f->detail, "1400 B pass, 1401 B do not, nobody says so · the interface takes 1500 B; likely a VPN gateway");
	probing_expect_list(f, f->fixes, "icmp code frag-needed accept");
	probing_expect_list(f, f->fixes, "--set-mss 1360 (nftables, in a forward chain: tcp flags syn tcp option maxseg size set 1360)");
	probing_expect_list(f, f->fixes, "ip route replace 10.9.9.2/32 via 10.9.1.1 dev eth0 mtu 1400");
	assert_null(f->against[1]);
	probing_close(&p);
}

static void hole__for_tcp_alone__is_a_filter_without_a_place(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 8443);
	probing_hole(&p, 1400, 4);
	p.mtu.path.method = PROBE_TCP;
	p.mtu.path.hop_method = PROBE_ICMP;
	p.mtu.path.place = SHRINK_UNKNOWN;
	p.mtu.path.hops[3].large = REPLY_ARRIVED;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	assert_true(f->confidence == 0.85);
	expect_text(f, f->title, "TCP to 10.9.9.2 loses packets over 1400 B, while ICMP packets of 1401 B arrive: a filter");
	expect_text(f, f->detail, "treats TCP apart");
	expect_against(f, "ICMP packets of 1401 B arrive at the host");
	expect_text(f, f->causes[0], "a firewall");
	p.mtu.path.hops[3].large = REPLY_NONE;
	probing_judge(&p);
	expect_text(probing_expect_one(&p, SEVERITY_CRITICAL), p.verdict.findings[0]->title, "Path-MTU black hole");
	probing_close(&p);
}

static void hole__before_a_router_that_tells__speaks_of_the_size_that_vanishes(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	probing_hole(&p, 1400, 2);
	p.mtu.path.silent = 1500;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	assert_int_equal(evidence_of(f, "silent_size"), 1500);
	assert_int_equal(evidence_of(f, "tries"), 3);
	expect_text(f, f->title, "packets of 1500 B to 10.9.9.2 vanish behind hop 2");
	expect_text(f, f->detail, "1500 B vanish before anybody says so");
	probing_close(&p);
}

static void hole__by_another_protocol__asks_tcp(void **state)
{
	static const struct {
		uint16_t port;
		const char *command;
	} rows[] = { { 443, "tcptriage mtu-probe --tcp --tcp-payload tls 10.9.9.2:443" }, { 80, "--tcp-payload http 10.9.9.2:80" }, { 5432, "--tcp-payload raw" }, { 0, "tcptriage states" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, rows[i].port);
		probing_hole(&p, 1420, 1);
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_CRITICAL);
		assert_true(f->confidence == 0.96);
		expect_against(f, "ICMP, not TCP");
		expect_text(f, f->next[0], rows[i].command);
		probing_close(&p);
	}
}

static void service__that_did_not_answer__is_not_to_be_asked_again(void **state)
{
	(void)state;
	for (unsigned connected = 0; connected < 2; connected++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, 443);
		probing_hole(&p, 1400, 2);
		p.mtu.tcp = (struct tcp_witness){ .made = true, .connected = connected };
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_CRITICAL);
		expect_text(f, f->next[0], connected ? "--tcp-payload tls" : "tcptriage states");
		probing_close(&p);
	}
}

static void hole__of_ipv6__speaks_of_its_messages(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM6, 443);
	probing_hole(&p, 1400, 3);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	assert_int_equal(evidence_of(f, "mss_fits"), 1340);
	expect_text(f, f->title, "behind hop 3 (fd00:3::1)");
	probing_expect_list(f, f->fixes, "icmpv6 type packet-too-big accept");
	probing_expect_list(f, f->fixes, "ip route replace fd00:9::2/128 via fd00:1::1 dev eth0 mtu 1400");
	probing_close(&p);

	probing_mtu(&p, RULE, THEM6, 0);
	probing_hole(&p, 1279, 3);
	probing_judge(&p);
	expect_against(probing_expect_one(&p, SEVERITY_CRITICAL), "every link carries 1280");
	probing_close(&p);
}

static void bracket(struct mtu_path *path)
{
	path->bound = BOUND_LOWER;
	path->smallest_lost = path->sizes[1].size = 1440;
}

static void upper_bound(struct mtu_path *path)
{
	path->bound = BOUND_UPPER;
	path->path_mtu = 1439;
	path->smallest_lost = path->sizes[1].size = 1440;
}

static void partial(struct mtu_path *path)
{
	path->partial = true;
}

static void lossy(struct mtu_path *path)
{
	path->lossy = true;
}

static void few_controls(struct mtu_path *path)
{
	path->controls_lost = 5;
}

static void one_try(struct mtu_path *path)
{
	path->sizes[1].tries = 1;
}

static void doubt__makes_it_a_warning(void **state)
{
	static const struct {
		void (*change)(struct mtu_path *path);
		double confidence;
		const char *against;
	} rows[] = {
		{ bracket, 0.9, "between 1400 B and 1439 B" },	  { upper_bound, 0.9, "between 1400 B and 1439 B" }, { partial, 0.8, "ended before it was done" },
		{ lossy, 0.65, "0 of 20 small probes were lost" }, { few_controls, 0.65, "5 of 20 small probes were lost" }, { one_try, 0.8, "(1 time)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, 443);
		probing_hole(&p, 1400, 2);
		p.mtu.path.method = PROBE_TCP;
		rows[i].change(&p.mtu.path);
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_WARNING);
		assert_true(f->confidence == rows[i].confidence);
		assert_int_equal(evidence_of(f, "path_mtu"), 1400);
		expect_against(f, rows[i].against);
		probing_close(&p);
	}
}

static void limits__just_met__are_no_doubt(void **state)
{
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	probing_hole(&p, 1400, 2);
	p.mtu.path.controls_lost = 4;
	p.mtu.path.sizes[1].tries = 2;
	probing_judge(&p);
	probing_expect_one(&p, SEVERITY_CRITICAL);
	probing_close(&p);
}

static void place__in_every_shape__is_told_as_known(void **state)
{
	static const struct {
		enum shrink_place place;
		uint8_t ttl, before;
		bool mute;
		const char *words;
	} rows[] = {
		{ SHRINK_UNKNOWN, 0, 0, false, "to 10.9.9.2 vanish" },
		{ SHRINK_HERE, 0, 0, false, "vanish before the first router" },
		{ SHRINK_AT, 2, 0, true, "vanish behind hop 2" },
		{ SHRINK_AT, 0, 0, false, "vanish before the first router" },
		{ SHRINK_BETWEEN, 1, 3, false, "vanish between hop 1 (10.9.2.1) and hop 3" },
		{ SHRINK_BETWEEN, 0, 3, false, "vanish before hop 3" },
		{ SHRINK_BETWEEN, 3, 0, false, "vanish somewhere behind hop 3 (10.9.2.1)" },
		{ SHRINK_BETWEEN, 0, 0, false, "to 10.9.9.2 vanish" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, 443);
		probing_hole(&p, 1400, 2);
		p.mtu.path.place = (uint8_t)rows[i].place;
		p.mtu.path.shrink_ttl = rows[i].ttl;
		p.mtu.path.shrink_before = rows[i].before;
		if (rows[i].mute)
			p.mtu.path.shrink_address = (struct addr){ 0 };
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_CRITICAL);
		expect_text(f, f->title, rows[i].words);
		probing_close(&p);
	}
}

static void own_link__is_mended_at_layer_two(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	probing_hole(&p, 1400, 0);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	expect_text(f, f->detail, "this host's own link");
	expect_text(f, f->causes[0], "a switch, bridge or virtual link");
	probing_expect_list(f, f->fixes, "one MTU");
	probing_expect_list(f, f->next, "ip -d link");
	probing_close(&p);
}

static void size__with_room_for_a_tag__is_a_switch(void **state)
{
	static const struct {
		uint32_t link, passes;
		const char *words;
	} rows[] = { { 1500, 1404, "room for a VLAN tag" }, { 9000, 1504, "room for a VLAN tag" }, { 1500, 1424, "room for a VLAN tag" }, { 1500, 1496, "a VLAN tag or an MPLS label" },
		     { 1500, 1405, "no common tunnel" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, 443);
		p.mtu.route.link_mtu = rows[i].link;
		probing_hole(&p, rows[i].passes, 2);
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_CRITICAL);
		expect_text(f, f->detail, rows[i].words);
		probing_close(&p);
	}
}

static void hops__of_one_network__are_a_switch(void **state)
{
	static const char *const neighbours[] = { "10.9.2.77", "10.9.3.1", "10.9.2.1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(neighbours); i++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, 443);
		probing_hole(&p, 1400, 2);
		assert_true(addr_parse(neighbours[i], &p.mtu.path.hops[2].address));
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_CRITICAL);
		expect_text(f, f->detail, i == 0 ? "answer from one network" : "a VPN gateway");
		probing_close(&p);
	}
}

static void message__with_a_wrong_size__is_named(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	probing_hole(&p, 1400, 2);
	probing_told(&p, "10.9.2.1", 1480, TOLD_WRONG);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	expect_text(f, f->detail, "10.9.2.1 says 1480 B, not what passes");
	expect_text(f, f->causes[0], "a second, narrower link");
	probing_close(&p);

	probing_mtu(&p, RULE, THEM, 443);
	probing_hole(&p, 1400, 2);
	probing_told(&p, "10.9.1.1", 1480, TOLD_SURPASSED); /* was right about its own link */
	probing_told(&p, NULL, 1450, TOLD_WRONG);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	expect_text(f, f->detail, "this host's memory of the path says 1450 B");
	probing_close(&p);
}

static void message__without_a_size__lets_senders_guess(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	probing_hole(&p, 1400, 2);
	probing_told(&p, "10.9.2.1", 0, TOLD_NO_MTU);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	assert_true(f->confidence == 0.85);
	expect_against(f, "guess a smaller size");
	probing_close(&p);
}

static void look_alikes__are_silent(void **state)
{
	struct probing p;

	(void)state;
	for (unsigned finding = 0; finding < MTU_FINDING_COUNT; finding++) {
		if (finding == MTU_BLACK_HOLE_FOUND)
			continue;
		probing_mtu(&p, RULE, THEM, 443);
		probing_hole(&p, 1400, 2);
		p.mtu.path.finding = (uint8_t)finding;
		probing_judge(&p);
		probing_expect_silence(&p);
		if (finding == MTU_UNDECIDED)
			probing_expect_part_skipped(&p, "without a verdict");
		if (finding == MTU_HOST_DEAF)
			probing_expect_part_skipped(&p, "answers no probe of this kind");
		probing_close(&p);
	}
	probing_trace(&p, RULE, THEM, 443);
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

static void device__that_is_no_plain_word__stays_out_of_commands(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	probing_hole(&p, 1400, 2);
	snprintf(p.mtu.route.device, sizeof(p.mtu.route.device), "a;{peer}");
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	probing_expect_list(f, f->fixes, "dev IFACE mtu 1400");
	probing_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hole__exact_by_tcp__is_sure_and_its_place_another_protocols),
		cmocka_unit_test(hole__for_tcp_alone__is_a_filter_without_a_place),
		cmocka_unit_test(hole__before_a_router_that_tells__speaks_of_the_size_that_vanishes),
		cmocka_unit_test(hole__by_another_protocol__asks_tcp),
		cmocka_unit_test(service__that_did_not_answer__is_not_to_be_asked_again),
		cmocka_unit_test(hole__of_ipv6__speaks_of_its_messages),
		cmocka_unit_test(doubt__makes_it_a_warning),
		cmocka_unit_test(limits__just_met__are_no_doubt),
		cmocka_unit_test(place__in_every_shape__is_told_as_known),
		cmocka_unit_test(own_link__is_mended_at_layer_two),
		cmocka_unit_test(size__with_room_for_a_tag__is_a_switch),
		cmocka_unit_test(hops__of_one_network__are_a_switch),
		cmocka_unit_test(message__with_a_wrong_size__is_named),
		cmocka_unit_test(message__without_a_size__lets_senders_guess),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(device__that_is_no_plain_word__stays_out_of_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
