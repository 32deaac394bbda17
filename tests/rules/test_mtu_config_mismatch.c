/* SPDX-License-Identifier: MIT */
/* mtu-config-mismatch: each contradiction at its edge, and hosts as they are set up everywhere. */
#include "network_fixture.h"
#include "rules.h"

#define RULE "mtu-config-mismatch"
#define BOTH 3

static struct fixture f;
static struct plan plan;

static void open_host(uint32_t uplink_mtu)
{
	fixture_open(&f, RULE);
	plan_open(&plan);
	plan_link(&plan, 2, "eth0", LINK_PLAIN, uplink_mtu);
	plan_address(&plan, 2, "10.0.0.2/24");
	plan_address(&plan, 2, "fd00::2/64");
	plan_route(&plan, 2, "default", "10.0.0.1");
	plan_route(&plan, 2, "default6", "fd00::1");
}

static struct link *add_docker(uint32_t mtu)
{
	struct link *docker = plan_link(&plan, 5, "docker0", LINK_BRIDGE, mtu);

	docker->forwards = BOTH;
	docker->packets = 100;
	plan_address(&plan, 5, "172.17.0.1/16");
	return docker;
}

static void judge(void)
{
	f.network = plan_network(&plan);
	fixture_sample(&f, 0);
	fixture_judge(&f);
}

static void inner_network__above_the_way_out__warns_at_the_byte(void **state)
{
	static const struct {
		uint32_t inner, out;
		int severity;
	} rows[] = {
		{ 1500, 1500, -1 },		  { 1400, 1500, -1 },		    { 1500, 1499, SEVERITY_WARNING },
		{ 1421, 1420, SEVERITY_WARNING }, { 1420, 1420, -1 },		    { 9001, 1500, SEVERITY_INFO },
		{ 9001, 1499, SEVERITY_WARNING }, { 1501, 1500, SEVERITY_INFO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(rows[i].out);
		add_docker(rows[i].inner);
		judge();
		if (rows[i].severity < 0) {
			expect_silence(&f);
		} else {
			const struct finding *finding = expect_one(&f, (enum severity)rows[i].severity);

			assert_string_equal(finding->scope.interface, "docker0");
			assert_string_equal(finding->threshold.name, rows[i].out >= 1500 ? "ethernet" : "traffic");
			assert_int_equal(evidence_of(finding, "fits"), rows[i].out);
			expect_text(finding, finding->title, "docker0 takes packets of");
			expect_text(finding, finding->title, "eth0 by which they leave only");
			expect_against(finding, "MSS clamp");
		}
		fixture_close(&f);
	}
}

static void inner_network__not_in_use__is_information(void **state)
{
	enum { QUIET, NO_FORWARDING, WRONG_FAMILY, KINDS };

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct link *docker;

		open_host(1400);
		docker = add_docker(1500);
		if (kind == QUIET)
			docker->packets = 99;
		if (kind == NO_FORWARDING)
			docker->forwards = 0;
		if (kind == WRONG_FAMILY)
			docker->forwards = 1u << ADDR_V6; /* docker0 has an IPv4 address only */
		judge();
		expect_one(&f, SEVERITY_INFO);
		fixture_close(&f);
	}
}

static void inner_network__nothing_to_compare__is_silent(void **state)
{
	enum { DOWN, NO_CARRIER, NO_ADDRESS, IN_A_VRF, PORT, NO_DEFAULT, ITSELF, BELOW, LINK_LOCAL_ONLY, KINDS };

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct link *docker;

		open_host(1400);
		docker = plan_link(&plan, 5, "br0", kind == PORT ? LINK_VETH : LINK_BRIDGE, 1500);
		docker->forwards = BOTH;
		docker->packets = 1000;
		docker->up = kind != DOWN;
		docker->carrier = kind != NO_CARRIER;
		docker->master = kind == IN_A_VRF || kind == PORT ? 9 : 0;
		if (kind == LINK_LOCAL_ONLY)
			plan_address(&plan, 5, "fe80::1/64");
		else if (kind != NO_ADDRESS)
			plan_address(&plan, 5, "172.17.0.1/16");
		if (kind == NO_DEFAULT)
			plan.network.route_count = 0;
		if (kind == ITSELF)
			plan.routes[2].ifindex = plan.routes[3].ifindex = 5;
		if (kind == BELOW)
			plan.links[1].parent = 5; /* eth0 stands for a VLAN on the bridge */
		judge();
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void inner_networks__many_of_one_way_out__are_one_finding(void **state)
{
	const struct finding *finding;

	(void)state;
	open_host(1460);
	for (uint32_t i = 0; i < 20; i++) {
		struct link *veth = plan_link(&plan, 10 + i, "cali", LINK_VETH, i == 7 ? 1600 : 1500);
		char prefix[32];

		veth->parent_elsewhere = true;
		veth->forwards = BOTH;
		veth->packets = 1000;
		snprintf(prefix, sizeof(prefix), "10.5.0.%u", i + 1);
		plan_route(&plan, 10 + i, prefix, NULL);
	}
	judge();
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->count, 20);
	assert_int_equal(evidence_of(finding, "mtu"), 1600);
	expect_part_skipped(&f, "the other end of 20 veth pairs is in another namespace");
	fixture_close(&f);
}

static void inner_network__ipv6_way_out__is_judged_by_itself(void **state)
{
	(void)state;
	open_host(1500);
	plan_link(&plan, 3, "sit1", LINK_SIT, 1480)->parent = 2;
	plan.routes[3].ifindex = 3; /* IPv6 leaves by the tunnel */
	add_docker(1500);
	judge();
	expect_silence(&f); /* docker0 has no IPv6 address */
	plan_address(&plan, 5, "fd00:5::1/64");
	fixture_judge(&f);
	assert_string_equal(finding_evidence(expect_one(&f, SEVERITY_WARNING), "narrow")->text, "sit1");
	fixture_close(&f);
}

static void way_out__as_the_kernel_has_it__wins_over_the_main_table(void **state)
{
	const struct finding *finding;

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		open_host(1500);
		plan_link(&plan, 3, "wg0", LINK_WIREGUARD, 1420);
		add_docker(1500);
		plan.network.policy_rules = 2;
		f.has_route = true;
		f.route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK, .ifindex = 3, .link_mtu = 1420 };
		if (kind == 1) /* learned of one path */
			f.route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK | ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES, .ifindex = 2, .link_mtu = 1500, .mtu = 1280 };
		if (kind == 2) /* set on the route */
			f.route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK | ROUTE_HAS_MTU, .ifindex = 2, .link_mtu = 1500, .mtu = 1280 };
		if (kind == 3)
			f.route.error = -101;
		judge();
		if (kind == 1 || kind == 3) {
			expect_silence(&f);
		} else {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_int_equal(evidence_of(finding, "narrow_mtu"), kind ? 1280 : 1420);
			expect_against(finding, "policy rules");
			assert_true(finding->confidence < 0.65);
		}
		fixture_close(&f);
	}
}

static struct link *add_tunnel(enum link_kind kind, uint32_t mtu, const char *remote)
{
	struct link *tunnel = plan_link(&plan, 7, "tun7", kind, mtu);

	tunnel->has_underlay = remote;
	if (remote)
		addr_parse(remote, &tunnel->underlay);
	return tunnel;
}

static void tunnel__with_its_headers__fits_to_the_byte(void **state)
{
	static const struct {
		enum link_kind kind;
		uint32_t fits;
		const char *remote;
	} rows[] = {
		{ LINK_VXLAN, 1450, "10.9.0.1" },  { LINK_VXLAN, 1430, "fd09::1" },   { LINK_GENEVE, 1450, "10.9.0.1" },   { LINK_GENEVE, 1430, "fd09::1" },
		{ LINK_GRE, 1476, "10.9.0.1" },	   { LINK_GRETAP, 1462, "10.9.0.1" }, { LINK_IP6GRE, 1456, "fd09::1" },	   { LINK_IP6GRETAP, 1442, "fd09::1" },
		{ LINK_IPIP, 1480, "10.9.0.1" },   { LINK_SIT, 1480, "10.9.0.1" },    { LINK_IP6TNL, 1460, "fd09::1" },	   { LINK_WIREGUARD, 1440, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (uint32_t more = 0; more < 2; more++) {
			const struct finding *finding;

			open_host(1500);
			add_tunnel(rows[i].kind, rows[i].fits + more, rows[i].remote);
			judge();
			if (!more) {
				expect_silence(&f);
			} else {
				finding = expect_one(&f, SEVERITY_WARNING);
				assert_int_equal(evidence_of(finding, "fits"), rows[i].fits);
				assert_int_equal(evidence_of(finding, "needed"), 1501);
				assert_string_equal(finding_evidence(finding, "narrow")->text, "eth0");
				assert_string_equal(finding->threshold.name, "excess");
				if (rows[i].kind == LINK_WIREGUARD)
					expect_against(finding, "where the peers of tun7 are is not known");
			}
			fixture_close(&f);
		}
	}
}

static void tunnel__by_its_own_way__not_the_default_one(void **state)
{
	const struct finding *finding;

	(void)state;
	open_host(1500);
	plan_link(&plan, 3, "eth1", LINK_PLAIN, 1400);
	plan_address(&plan, 3, "10.9.0.2/24");
	add_tunnel(LINK_VXLAN, 1450, "10.9.0.1");
	judge();
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(evidence_of(finding, "narrow_mtu"), 1400);
	fixture_close(&f);
	/* bound to an interface: that one */
	open_host(1500);
	add_tunnel(LINK_VXLAN, 1451, NULL)->parent = 2;
	judge();
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
	/* a key makes the headers longer */
	open_host(1500);
	add_tunnel(LINK_GRE, 1476, "10.9.0.1")->options = 4;
	judge();
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
	/* the route below is narrower than its interface */
	open_host(1500);
	plan_route(&plan, 2, "10.9.0.0/16", "10.0.0.1")->mtu = 1450;
	add_tunnel(LINK_VXLAN, 1450, "10.9.0.1");
	judge();
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
}

static void tunnel__that_cannot_be_judged__is_silent_and_said(void **state)
{
	enum { EXTERNAL, ELSEWHERE, NO_REMOTE, NO_ROUTE, DOWN, HELD_BACK, KINDS };

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct link *tunnel;

		open_host(1500);
		tunnel = add_tunnel(LINK_VXLAN, 1500, kind == NO_REMOTE ? NULL : "10.9.0.1");
		tunnel->external = kind == EXTERNAL;
		tunnel->parent_elsewhere = kind == ELSEWHERE;
		tunnel->up = kind != DOWN;
		if (kind == NO_ROUTE)
			plan.network.route_count = 0;
		if (kind == HELD_BACK) { /* as Cilium does: the routes are smaller than the device */
			plan_route(&plan, 7, "10.50.0.0/24", NULL)->mtu = 1450;
			plan_route(&plan, 7, "fe80::/64", NULL);
		}
		judge();
		expect_silence(&f);
		if (kind < DOWN)
			expect_part_skipped(&f, "by which interface the packets of 1 tunnel leave is not known");
		fixture_close(&f);
	}
	open_host(1500);
	add_tunnel(LINK_VXLAN, 1500, "10.9.0.1");
	plan_route(&plan, 7, "10.50.0.0/24", NULL)->mtu = 1450;
	plan_route(&plan, 7, "10.51.0.0/24", NULL)->mtu = 1451; /* one that does not fit is enough */
	judge();
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
}

/* Four bytes of a VLAN tag pass in any case. */
static void pair__whose_ends_differ__warns_beyond_a_vlan_tag(void **state)
{
	const struct finding *finding;

	(void)state;
	for (unsigned differ = 0; differ < 6; differ++) {
		open_host(1500);
		plan_link(&plan, 6, "va", LINK_VETH, 1500)->parent = 7;
		plan_link(&plan, 7, "vb", LINK_VETH, 1500 - differ)->parent = 6;
		judge();
		if (differ) {
			finding = expect_one(&f, differ < 5 ? SEVERITY_INFO : SEVERITY_WARNING);
			assert_string_equal(finding->scope.interface, "va");
			assert_string_equal(finding->threshold.name, "excess_frame");
			assert_int_equal(evidence_of(finding, "narrow_mtu"), 1500 - differ);
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void add_port(uint32_t ifindex, enum link_kind kind, uint32_t mtu)
{
	plan_link(&plan, ifindex, kind == LINK_PLAIN ? "eth1" : "port", kind, mtu)->master = 5;
}

static void bridge__ports_of_different_size__by_who_takes_more(void **state)
{
	static const struct {
		enum link_kind kind;
		uint32_t first, second, bridge;
		int severity;
		bool address;
	} rows[] = {
		{ LINK_VETH, 1500, 1500, 1500, -1, true },
		{ LINK_VETH, 1500, 1450, 1450, SEVERITY_WARNING, true },
		{ LINK_TUN, 9000, 1500, 1500, SEVERITY_WARNING, false },
		{ LINK_PLAIN, 9000, 1500, 1500, SEVERITY_INFO, false }, /* jumbo frames towards the network, guests without */
		{ LINK_PLAIN, 1500, 1500, 9000, SEVERITY_WARNING, true }, /* the host itself sends too much */
		{ LINK_PLAIN, 1500, 1500, 9000, -1, false },		  /* it has no address there */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(9000);
		plan_link(&plan, 5, "br0", LINK_BRIDGE, rows[i].bridge);
		if (rows[i].address)
			plan_address(&plan, 5, "10.8.0.1/24");
		add_port(6, rows[i].kind, rows[i].first);
		add_port(7, LINK_VETH, rows[i].second);
		judge();
		if (rows[i].severity < 0)
			expect_silence(&f);
		else
			assert_string_equal(finding_evidence(expect_one(&f, (enum severity)rows[i].severity), "bridge")->text, "br0");
		fixture_close(&f);
	}
}

static void port__that_passes_nothing__is_not_compared(void **state)
{
	(void)state;
	open_host(9000);
	plan_link(&plan, 5, "br0", LINK_BRIDGE, 1500);
	add_port(6, LINK_VETH, 1500);
	add_port(7, LINK_VETH, 1400);
	plan.links[4].carrier = false;
	judge();
	expect_silence(&f);
	fixture_close(&f);
}

static void child__above_what_it_stands_on__is_information(void **state)
{
	static const enum link_kind kinds[] = { LINK_VLAN, LINK_MACVLAN, LINK_BOND };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (uint32_t more = 0; more < 2; more++) {
			open_host(1500);
			plan_link(&plan, 5, "child", kinds[i], 1500 + more);
			if (kinds[i] == LINK_BOND)
				plan.links[1].master = 5;
			else
				plan.links[2].parent = 2;
			judge();
			if (more)
				assert_string_equal(expect_one(&f, SEVERITY_INFO)->scope.interface, "child");
			else
				expect_silence(&f);
			fixture_close(&f);
		}
	}
}

static void route__locked_above_its_interface__is_information(void **state)
{
	(void)state;
	for (uint32_t mtu = 1500; mtu <= 1501; mtu++) {
		for (unsigned locked = 0; locked < 2; locked++) {
			open_host(1500);
			plan_route(&plan, 2, "10.20.0.0/16", "10.0.0.1")->mtu = mtu;
			plan.routes[4].mtu_locked = locked;
			plan_route(&plan, 2, "10.21.0.0/16", "10.0.0.1")->mtu = mtu;
			plan.routes[5].mtu_locked = locked;
			judge();
			if (locked && mtu > 1500)
				assert_int_equal(expect_one(&f, SEVERITY_INFO)->count, 2);
			else
				expect_silence(&f);
			fixture_close(&f);
		}
	}
}

static void network__unknown_cut_or_disguised__is_said_or_judged(void **state)
{
	struct network copy;

	(void)state;
	open_host(1400);
	add_docker(1500);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "interfaces and routes could not be read");
	plan.network.cut = true;
	judge();
	expect_against(expect_one(&f, SEVERITY_WARNING), "not read as a whole");
	fixture_close(&f);
	/* without addresses MTUs can be compared all the same */
	open_host(1400);
	add_docker(1500);
	add_tunnel(LINK_VXLAN, 1351, "10.9.0.1")->parent = 2;
	for (size_t i = 0; i < plan.network.route_count; i++)
		plan.routes[i].prefix = (struct addr){ .family = plan.routes[i].prefix.family };
	for (size_t i = 0; i < plan.network.prefix_count; i++)
		plan.prefixes[i].addr = (struct addr){ .family = plan.prefixes[i].addr.family };
	copy = plan.network;
	copy.disguised = true;
	f.network = &copy;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	assert_int_equal(f.verdict.finding_count, 2);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inner_network__above_the_way_out__warns_at_the_byte),
		cmocka_unit_test(inner_network__not_in_use__is_information),
		cmocka_unit_test(inner_network__nothing_to_compare__is_silent),
		cmocka_unit_test(inner_networks__many_of_one_way_out__are_one_finding),
		cmocka_unit_test(inner_network__ipv6_way_out__is_judged_by_itself),
		cmocka_unit_test(way_out__as_the_kernel_has_it__wins_over_the_main_table),
		cmocka_unit_test(tunnel__with_its_headers__fits_to_the_byte),
		cmocka_unit_test(tunnel__by_its_own_way__not_the_default_one),
		cmocka_unit_test(tunnel__that_cannot_be_judged__is_silent_and_said),
		cmocka_unit_test(pair__whose_ends_differ__warns_beyond_a_vlan_tag),
		cmocka_unit_test(bridge__ports_of_different_size__by_who_takes_more),
		cmocka_unit_test(port__that_passes_nothing__is_not_compared),
		cmocka_unit_test(child__above_what_it_stands_on__is_information),
		cmocka_unit_test(route__locked_above_its_interface__is_information),
		cmocka_unit_test(network__unknown_cut_or_disguised__is_said_or_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
