/* SPDX-License-Identifier: MIT */
/* cidr-overlap: networks in each other with and without somebody who runs into it, and hosts as they are set up everywhere. */
#include "network_fixture.h"
#include "rules.h"

#define RULE "cidr-overlap"
#define INCOMPLETE 0x01
#define REACHABLE 0x02
#define STALE 0x04
#define FAILED 0x20

static struct fixture f;
static struct plan plan;

/* eth0 10.71.1.2/24 with the default route, in both families. */
static void open_host(void)
{
	fixture_open(&f, RULE);
	plan_open(&plan);
	plan_link(&plan, 2, "eth0", LINK_PLAIN, 1500);
	plan_address(&plan, 2, "10.71.1.2/24");
	plan_address(&plan, 2, "fd71:0:1::2/64");
	plan_address(&plan, 2, "fe80::2/64");
	plan_route(&plan, 2, "default", "10.71.1.1");
	plan_route(&plan, 2, "default6", "fd71:0:1::1");
}

static void add_network(uint32_t ifindex, const char *name, enum link_kind kind, const char *prefix)
{
	plan_link(&plan, ifindex, name, kind, 1500);
	plan_address(&plan, ifindex, prefix);
}

/* The kernel's answer for every destination. */
static void route_by(uint32_t ifindex, const char *name, uint16_t neighbour)
{
	f.has_route = true;
	f.route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK | (neighbour ? ROUTE_HAS_NEIGHBOUR : 0u), .ifindex = ifindex,
				  .carrier = true, .neighbour_state = neighbour };
	snprintf(f.route.device, sizeof(f.route.device), "%s", name);
}

static struct fake *attempt(const char *local, const char *peer, unsigned retries)
{
	struct fake *fake = fixture_sock(&f, SOCK_STATE_SYN_SENT, local, peer);

	fake->sock.timer = SOCK_TIMER_ON;
	fake->sock.retrans = (uint8_t)retries;
	fake->sock.expires_ms = 400;
	fake_set(fake, TCPI_RETRANSMITS, retries);
	return fake;
}

static void judge(void)
{
	f.network = plan_network(&plan);
	fixture_sample(&f, 0);
	fixture_judge(&f);
}

static void networks__in_each_other__are_information(void **state)
{
	static const struct {
		const char *inner, *outer, *words;
	} rows[] = {
		{ "10.71.1.64/26", NULL, "10.71.1.64/26 on docker0 lies in 10.71.1.0/24 on eth0" },
		{ "10.71.1.9/24", NULL, "are on the same network 10.71.1.0/24" },
		{ "10.71.0.1/16", NULL, "10.71.1.0/24 on eth0 lies in 10.71.0.0/16 on docker0" },
		{ "fd71:0:1::9/80", NULL, "fd71:0:1::/80 on docker0 lies in fd71:0:1::/64 on eth0" },
		{ "fd71:0:1::9/64", NULL, "are on the same network fd71:0:1::/64" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;

		open_host();
		add_network(5, "docker0", LINK_BRIDGE, rows[i].inner);
		judge();
		finding = expect_one(&f, SEVERITY_INFO);
		expect_text(finding, finding->title, rows[i].words);
		assert_string_equal(finding->threshold.name, "overlaps");
		assert_false(finding->scope.has_peer);
		assert_true(finding->confidence > 0.85);
		fixture_close(&f);
	}
}

static void vpn__whose_range_contains_the_local_network__is_information(void **state)
{
	(void)state;
	open_host();
	plan_link(&plan, 5, "tun0", LINK_TUN, 1400);
	plan_route(&plan, 5, "10.0.0.0/8", NULL);
	judge();
	expect_text(expect_one(&f, SEVERITY_INFO), f.verdict.findings[0]->title, "10.71.1.0/24 on eth0 lies in 10.0.0.0/8 on tun0");
	fixture_close(&f);
}

/* Each of these stands on healthy hosts. */
static void hosts__as_they_are_set_up__are_silent(void **state)
{
	enum { DOCKER, SPLIT_TUNNEL, SECOND_ADDRESS, HOST_ROUTES, POINT_TO_POINT, LINK_LOCAL, SUMMARY, OTHER_TABLE, VRF, BRIDGE_PORT, MACVLAN, BLACKHOLE, DOWN,
	       ADVERTISED_TWICE, MULTICAST, ECMP, ALL_ULA, METADATA, KINDS };

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		open_host();
		switch (kind) {
		case DOCKER:
			add_network(5, "docker0", LINK_BRIDGE, "172.17.0.1/16");
			add_network(6, "br-1", LINK_BRIDGE, "172.18.0.1/16");
			add_network(7, "virbr0", LINK_BRIDGE, "192.168.122.1/24");
			break;
		case SPLIT_TUNNEL:
			plan_link(&plan, 5, "tun0", LINK_TUN, 1400);
			plan_route(&plan, 5, "0.0.0.0/1", NULL);
			plan_route(&plan, 5, "128.0.0.0/1", NULL);
			plan_route(&plan, 5, "2000::/3", NULL);
			plan_route(&plan, 5, "10.8.0.0/24", NULL);
			break;
		case SECOND_ADDRESS:
			plan_address(&plan, 2, "10.71.1.3/24");
			plan_address(&plan, 2, "10.71.1.129/25");
			break;
		case HOST_ROUTES: /* Calico, gateways beyond the link, a service's address */
			plan_link(&plan, 5, "cali1", LINK_VETH, 1500);
			plan_route(&plan, 5, "10.71.1.77", NULL);
			plan_route(&plan, 5, "fd71:0:1::77", NULL);
			break;
		case POINT_TO_POINT:
			add_network(5, "veth0", LINK_VETH, "10.71.1.8/31");
			plan_address(&plan, 5, "fd71:0:1::8/127");
			break;
		case LINK_LOCAL:
			add_network(5, "veth0", LINK_VETH, "fe80::5/64");
			add_network(6, "veth1", LINK_VETH, "169.254.1.1/16");
			add_network(7, "veth2", LINK_VETH, "169.254.1.2/16");
			break;
		case SUMMARY: /* what routing is made of */
			plan_route(&plan, 2, "10.0.0.0/8", "10.71.1.1");
			add_network(5, "eth1", LINK_PLAIN, "10.5.0.2/24");
			break;
		case OTHER_TABLE:
			plan_link(&plan, 5, "wg0", LINK_WIREGUARD, 1420);
			plan_route(&plan, 5, "10.71.0.0/16", NULL)->table = 51820;
			break;
		case VRF:
		case BRIDGE_PORT:
			add_network(5, "eth1", LINK_PLAIN, "10.71.1.5/24");
			plan.links[2].master = 9;
			break;
		case MACVLAN: /* on the same Ethernet */
			add_network(5, "shim", LINK_MACVLAN, "10.71.1.240/28");
			plan.links[2].parent = 2;
			break;
		case BLACKHOLE:
			plan_route(&plan, 1, "10.0.0.0/8", NULL)->type = 6;
			break;
		case DOWN:
			add_network(5, "wlan0", LINK_PLAIN, "10.71.1.5/24");
			plan.links[2].up = false;
			break;
		case ADVERTISED_TWICE: /* by the kernel and by a router */
			plan_route(&plan, 2, "fd71:0:1::/64", NULL)->metric = 1024;
			break;
		case MULTICAST:
			plan_route(&plan, 2, "224.0.0.0/4", NULL);
			plan_link(&plan, 5, "eth1", LINK_PLAIN, 1500);
			plan_route(&plan, 5, "224.0.0.0/8", NULL);
			break;
		case ECMP:
			plan_route(&plan, 2, "10.71.0.0/16", NULL)->nexthops = 2;
			break;
		case ALL_ULA:
			plan_link(&plan, 5, "tun0", LINK_TUN, 1400);
			plan_route(&plan, 5, "fc00::/7", NULL);
			break;
		case METADATA:
			plan_route(&plan, 2, "169.254.169.254", "10.71.1.1");
			break;
		}
		judge();
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void policy_rules__beyond_the_usual__lower_the_confidence(void **state)
{
	(void)state;
	for (int rules = -1; rules <= 1; rules++) {
		open_host();
		add_network(5, "eth1", LINK_PLAIN, "10.71.1.5/24");
		plan.network.policy_rules = rules;
		judge();
		assert_true((expect_one(&f, SEVERITY_INFO)->confidence > 0.85) == (rules == 0));
		if (rules)
			expect_against(f.verdict.findings[0], "policy rules");
		if (rules)
			assert_true(f.verdict.findings[0]->confidence >= 0.399);
		fixture_close(&f);
	}
}

static void attempt__into_a_network_that_hides_another__warns(void **state)
{
	static const struct {
		const char *inner, *source, *peer;
	} rows[] = { { "10.71.1.129/25", "10.71.1.129:40000", "10.71.1.200:80" }, { "fd71:0:1::9/80", "fd71:0:1::9:40000", "fd71:0:1::200:80" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned retries = 0; retries < 2; retries++) {
			const struct finding *finding;

			open_host();
			add_network(5, "docker0", LINK_BRIDGE, rows[i].inner);
			plan.links[2].answering[i] = 3; /* containers live there: it is an overlap all the same */
			route_by(5, "docker0", INCOMPLETE);
			attempt(rows[i].source, rows[i].peer, retries)->owner = fixture_process(&f, 42, "app");
			judge();
			if (!retries) {
				expect_one(&f, SEVERITY_INFO); /* nobody has run into it yet */
				fixture_close(&f);
				continue;
			}
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_string_equal(finding->threshold.name, "retries");
			assert_int_equal(finding->scope.pid, 42);
			assert_int_equal(finding->scope.peer.port, 80);
			assert_string_equal(finding->scope.interface, "docker0");
			expect_text(finding, finding->title, i ? "fd71:0:1::/80 on docker0 hides fd71:0:1::/64 by eth0" : "10.71.1.128/25 on docker0 hides 10.71.1.0/24 by eth0");
			assert_true(finding->confidence > 0.8);
			fixture_close(&f);
		}
	}
}

static void attempt__whose_next_hop_resolves__is_not_of_the_plan(void **state)
{
	static const struct {
		uint16_t neighbour;
		enum severity severity;
	} rows[] = { { FAILED, SEVERITY_WARNING }, { REACHABLE, SEVERITY_INFO }, { STALE, SEVERITY_INFO }, { 0, SEVERITY_WARNING } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host();
		add_network(5, "docker0", LINK_BRIDGE, "10.71.1.129/25");
		route_by(5, "docker0", rows[i].neighbour);
		attempt("10.71.1.129:40000", "10.71.1.200:80", 2);
		judge();
		expect_one(&f, rows[i].severity);
		fixture_close(&f);
	}
}

static void attempt__into_a_made_network_with_a_route_to_another__by_who_answers(void **state)
{
	static const struct {
		const char *distant;
		enum link_kind kind;
		uint32_t answering;
		bool fires;
	} rows[] = {
		{ "10.71.2.0/24", LINK_VETH, 0, true },	  { "10.71.2.0/24", LINK_VETH, 1, false },
		{ "10.71.2.0/24", LINK_PLAIN, 0, false }, /* a host of a real network that is down */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;

		open_host();
		plan_route(&plan, 2, rows[i].distant, "10.71.1.1");
		add_network(5, "shadow", rows[i].kind, "10.71.2.1/25");
		plan.links[2].answering[ADDR_V4] = rows[i].answering;
		route_by(5, "shadow", FAILED);
		attempt("10.71.2.1:40000", "10.71.2.2:80", 1);
		judge();
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_WARNING);
			expect_against(finding, "that is down looks the same");
			expect_text(finding, finding->detail, "10.71.2.0/24 via 10.71.1.1 by eth0");
			assert_true(finding->confidence > 0.65 && finding->confidence < 0.75);
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void attempt__where_nobody_answers__is_a_hint(void **state)
{
	enum { NOBODY, SOMEBODY, NO_DEFAULT, DEFAULT_HERE, RESOLVES, REAL_NETWORK, KINDS };

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		open_host();
		add_network(5, "docker0", kind == REAL_NETWORK ? LINK_PLAIN : LINK_BRIDGE, "172.17.0.1/16");
		if (kind == SOMEBODY)
			plan.links[2].answering[ADDR_V4] = 1;
		if (kind == NO_DEFAULT)
			plan.routes[3].bits = 9;
		if (kind == DEFAULT_HERE)
			plan.routes[3].ifindex = 5;
		route_by(5, "docker0", kind == RESOLVES ? REACHABLE : FAILED);
		attempt("172.17.0.1:40000", "172.17.3.4:5432", 2);
		judge();
		if (kind == NOBODY) {
			assert_true(expect_one(&f, SEVERITY_INFO)->confidence < 0.41);
			expect_text(f.verdict.findings[0], f.verdict.findings[0]->title, "If 172.17.3.4 is not on docker0, 172.17.0.0/16 there hides it from eth0");
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void attempt__where_others_went_another_way__warns(void **state)
{
	static const struct {
		enum sock_state state;
		const char *local;
		bool fires;
	} rows[] = { { SOCK_STATE_ESTAB, "10.71.1.2:40001", true }, { SOCK_STATE_TIME_WAIT, "10.71.1.2:40001", true }, { SOCK_STATE_ESTAB, "172.17.0.1:40001", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host();
		add_network(5, "docker0", LINK_BRIDGE, "172.17.0.1/16");
		plan.links[2].answering[ADDR_V4] = 2;
		route_by(5, "docker0", FAILED);
		fixture_sock(&f, rows[i].state, rows[i].local, "172.17.3.4:5432");
		attempt("172.17.0.1:40000", "172.17.3.4:5432", 2);
		judge();
		if (rows[i].fires)
			expect_text(expect_one(&f, SEVERITY_WARNING), f.verdict.findings[0]->title, "takes it from eth0, where connections there still come from");
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void attempts__into_one_network__are_one_finding(void **state)
{
	const struct finding *finding;

	(void)state;
	open_host();
	add_network(5, "docker0", LINK_BRIDGE, "10.71.1.129/25");
	route_by(5, "docker0", FAILED);
	attempt("10.71.1.129:40000", "10.71.1.200:80", 1);
	attempt("10.71.1.129:40001", "10.71.1.201:80", 1);
	attempt("10.71.1.129:40002", "10.71.1.201:81", 1);
	judge();
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->count, 3);
	assert_int_equal(evidence_of(finding, "destinations"), 2);
	assert_int_equal(finding->scope.peer_bits, 25);
	assert_int_equal(finding->scope.peer.addr.bytes[3], 128);
	fixture_close(&f);
}

static void attempt__that_is_gone__counts_while_the_hop_is_silent(void **state)
{
	static const struct {
		uint16_t neighbour;
		enum severity severity;
	} rows[] = { { FAILED, SEVERITY_WARNING }, { 0, SEVERITY_INFO } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		open_host();
		add_network(5, "docker0", LINK_BRIDGE, "10.71.1.129/25");
		route_by(5, "docker0", rows[i].neighbour);
		fake = attempt("10.71.1.129:40000", "10.71.1.200:80", 2);
		f.network = plan_network(&plan);
		fixture_sample(&f, 0);
		fake->gone = true;
		fixture_sample(&f, 2);
		fixture_judge(&f);
		expect_one(&f, rows[i].severity);
		fixture_close(&f);
	}
}

static void established__silent_for_three_retries__counts(void **state)
{
	(void)state;
	for (unsigned retries = 2; retries <= 3; retries++) {
		struct fake *fake;

		open_host();
		add_network(5, "docker0", LINK_BRIDGE, "10.71.1.129/25");
		route_by(5, "docker0", FAILED);
		fake = attempt("10.71.1.2:40000", "10.71.1.200:80", retries);
		fake->sock.state = SOCK_STATE_ESTAB;
		judge();
		if (retries == 3)
			assert_string_equal(expect_one(&f, SEVERITY_WARNING)->threshold.name, "retries_established");
		else
			expect_one(&f, SEVERITY_INFO);
		fixture_close(&f);
	}
}

static void attempt__of_which_the_way_is_not_known__is_not_judged(void **state)
{
	enum { NO_ROUTE, REFUSED, OTHER_WAY, BOUND, MARKED, KINDS };

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct fake *fake;

		open_host();
		add_network(5, "docker0", LINK_BRIDGE, "10.71.1.129/25");
		route_by(kind == OTHER_WAY ? 2 : 5, "docker0", FAILED);
		f.has_route = kind != NO_ROUTE;
		f.route.error = kind == REFUSED ? -101 : 0;
		fake = attempt("10.71.1.129:40000", "10.71.1.200:80", 2);
		fake->sock.ifindex = kind == BOUND ? 5 : 0;
		fake->sock.has |= SOCK_HAS_MARK;
		fake->sock.mark = kind == MARKED;
		judge();
		expect_one(&f, SEVERITY_INFO);
		fixture_close(&f);
	}
}

static void private_address__sent_to_the_internet__warns(void **state)
{
	static const struct {
		const char *own, *peer;
		bool fires;
	} rows[] = {
		{ "93.184.216.9/24", "10.9.8.7:443", true },   { "93.184.216.9/24", "100.64.0.9:443", true }, { "93.184.216.9/24", "198.18.0.9:443", true },
		{ "93.184.216.9/24", "93.184.217.9:443", false }, { "192.168.7.2/24", "10.9.8.7:443", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;

		fixture_open(&f, RULE);
		plan_open(&plan);
		add_network(2, "eth0", LINK_PLAIN, rows[i].own);
		plan_route(&plan, 2, "default", "93.184.216.1");
		route_by(2, "eth0", REACHABLE);
		attempt("93.184.216.9:40000", rows[i].peer, 2);
		judge();
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_WARNING);
			expect_text(finding, finding->title, "this host sends it to the Internet by eth0");
			expect_against(finding, "a provider may carry private networks");
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void edge_of_a_network__is_no_host(void **state)
{
	static const struct {
		const char *own, *peer, *words;
	} rows[] = {
		{ "10.3.0.2/24", "10.3.0.0:80", "it is the network address of 10.3.0.0/24" }, { "10.3.0.2/24", "10.3.0.255:80", "it is the broadcast address of 10.3.0.0/24" },
		{ "10.3.0.2/25", "10.3.0.127:80", "broadcast address of 10.3.0.0/25" },	      { "10.3.0.2/24", "10.3.0.254:80", NULL },
		{ "10.3.0.2/31", "10.3.0.3:80", NULL },					      { "10.3.0.2/23", "10.3.0.255:80", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host();
		add_network(5, "eth1", LINK_PLAIN, rows[i].own);
		route_by(5, "eth1", FAILED);
		attempt("10.3.0.2:40000", rows[i].peer, 2);
		judge();
		if (rows[i].words)
			expect_text(expect_one(&f, SEVERITY_WARNING), f.verdict.findings[0]->title, rows[i].words);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void private_source_of_another_interface__is_information(void **state)
{
	static const struct {
		const char *source, *peer;
		bool fires;
	} rows[] = { { "172.17.0.1:40000", "93.184.216.34:443", true }, { "10.71.1.2:40000", "93.184.216.34:443", false }, { "172.17.0.1:40000", "10.8.8.8:443", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host();
		add_network(5, "docker0", LINK_BRIDGE, "172.17.0.1/16");
		route_by(2, "eth0", REACHABLE);
		attempt(rows[i].source, rows[i].peer, 2);
		judge();
		if (rows[i].fires)
			expect_against(expect_one(&f, SEVERITY_INFO), "masquerade");
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void network__missing_or_disguised__is_said(void **state)
{
	(void)state;
	open_host();
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "interfaces and routes could not be read");
	plan.network.disguised = true;
	judge();
	expect_skipped(&f, "stand-ins");
	plan.network.disguised = false;
	plan.network.cut = true;
	judge();
	expect_part_skipped(&f, "overlaps may be missing");
	fixture_close(&f);
}

static void destinations__more_than_are_looked_up__are_said(void **state)
{
	(void)state;
	open_host();
	route_by(2, "eth0", REACHABLE);
	for (unsigned i = 0; i < 257; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "93.184.%u.%u:80", i / 250, i % 250 + 1);
		attempt("10.71.1.2:40000", peer, 2);
	}
	judge();
	expect_silence(&f);
	expect_part_skipped(&f, "more destinations than the 256");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks__in_each_other__are_information),
		cmocka_unit_test(vpn__whose_range_contains_the_local_network__is_information),
		cmocka_unit_test(hosts__as_they_are_set_up__are_silent),
		cmocka_unit_test(policy_rules__beyond_the_usual__lower_the_confidence),
		cmocka_unit_test(attempt__into_a_network_that_hides_another__warns),
		cmocka_unit_test(attempt__whose_next_hop_resolves__is_not_of_the_plan),
		cmocka_unit_test(attempt__into_a_made_network_with_a_route_to_another__by_who_answers),
		cmocka_unit_test(attempt__where_nobody_answers__is_a_hint),
		cmocka_unit_test(attempt__where_others_went_another_way__warns),
		cmocka_unit_test(attempts__into_one_network__are_one_finding),
		cmocka_unit_test(attempt__that_is_gone__counts_while_the_hop_is_silent),
		cmocka_unit_test(established__silent_for_three_retries__counts),
		cmocka_unit_test(attempt__of_which_the_way_is_not_known__is_not_judged),
		cmocka_unit_test(private_address__sent_to_the_internet__warns),
		cmocka_unit_test(edge_of_a_network__is_no_host),
		cmocka_unit_test(private_source_of_another_interface__is_information),
		cmocka_unit_test(network__missing_or_disguised__is_said),
		cmocka_unit_test(destinations__more_than_are_looked_up__are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
