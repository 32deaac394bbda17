/* SPDX-License-Identifier: MIT */
/* pmtu-shrunk: exceptions that make a path narrower than its interface, and path MTUs that are as they should be. */
#include "rules.h"

#define RULE "pmtu-shrunk"
#define US "10.0.0.1"
#define THEM "10.9.9.9"

static struct fake *to(struct fixture *f, const char *local, const char *peer, uint32_t pmtu)
{
	char from[64], at[64];
	struct fake *fake;

	snprintf(from, sizeof(from), "%s:%u", local, 40000 + (unsigned)f->count);
	snprintf(at, sizeof(at), "%s:443", peer);
	fake = fixture_sock(f, SOCK_STATE_ESTAB, from, at);
	fake_set(fake, TCPI_PMTU, pmtu);
	return fake;
}

static struct route plain(void)
{
	return (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK, .carrier = true, .link_mtu = 1500, .device = "eth0" };
}

/* The route to @peer with an exception of @mtu, @left_s before it expires. */
static struct route exception(const char *peer, uint32_t mtu, unsigned left_s)
{
	struct route route = plain();

	route.has |= ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES;
	route.mtu = mtu;
	route.expires_ms = left_s * 1000;
	assert_true(addr_parse(peer, &route.destination));
	return route;
}

static void open_host(struct fixture *f)
{
	fixture_open(f, RULE);
	f->snap.info_for_all = true;
	f->has_route = true;
	f->route = plain();
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 5);
	fixture_judge(f);
}

/* One destination with an exception of @mtu beside one without. */
static const struct finding *judge_one(struct fixture *f, uint32_t mtu, int severity)
{
	struct route *route = arena_alloc(&f->arena, sizeof(*route));

	*route = exception(THEM, mtu, 300);
	f->routes = route;
	f->route_count = 1;
	to(f, US, THEM, mtu);
	to(f, US, "10.9.8.8", 1500);
	judge(f);
	if (severity >= 0)
		return expect_one(f, (enum severity)severity);
	expect_silence(f);
	return NULL;
}

static void exception__is_told_with_what_fits_it(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	open_host(&f);
	to(&f, US, THEM, 1400);
	finding = judge_one(&f, 1400, SEVERITY_INFO);
	assert_true(finding->confidence == 0.95);
	assert_int_equal(finding->count, 2);
	assert_string_equal(finding->scope.interface, "eth0");
	expect_text(finding, finding->title, "The path to 10.9.9.9 carries packets of at most 1400 B, less than eth0 takes");
	expect_text(finding, finding->detail, "2 sockets, 1 destination · eth0 takes 1500 B, 100 B more: a VPN gateway");
	assert_int_equal(evidence_of(finding, "pmtu"), 1400);
	assert_int_equal(evidence_of(finding, "interface_mtu"), 1500);
	assert_int_equal(evidence_of(finding, "overhead"), 100);
	assert_int_equal(evidence_of(finding, "expires"), 300000);
	assert_int_equal(evidence_of(finding, "learned"), 0);
	assert_string_equal(finding_evidence(finding, "example")->text, THEM);
	fixture_close(&f);
}

static void size__against_interface_and_smallest(void **state)
{
	static const struct {
		uint32_t mtu;
		int severity;
		const char *says;
	} rows[] = {
		{ 1500, -1, NULL },
		{ 1499, SEVERITY_INFO, "no common tunnel" },
		{ 1492, SEVERITY_INFO, "PPPoE" },
		{ 1280, SEVERITY_INFO, "IPv6 allows" },
		{ 1279, SEVERITY_WARNING, "no common tunnel" },
		{ 552, SEVERITY_WARNING, "min_pmtu" },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;

		open_host(&f);
		finding = judge_one(&f, rows[i].mtu, rows[i].severity);
		if (finding) {
			expect_text(finding, finding->detail, rows[i].says);
			assert_string_equal(finding->threshold.name, rows[i].mtu < 1280 ? "small" : "below_interface");
		}
		if (finding && rows[i].mtu < 1280) {
			expect_text(finding, finding->title, "said to carry no more than");
			expect_text(finding, finding->causes[0], "forged");
			expect_text(finding, finding->fixes[0], "set the MTU");
		}
		fixture_close(&f);
	}
}

/* @count destinations of 10.9.@step*i.0/24 and so on, each with an exception of 1450, @left_s from its end. */
static void many(struct fixture *f, unsigned count, unsigned step, unsigned left_s)
{
	struct route *routes = arena_alloc(&f->arena, count * sizeof(*routes));

	for (unsigned i = 0; i < count; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "10.9.%u.%u", i * step, i + 1);
		routes[i] = exception(peer, 1450, left_s);
		to(f, US, peer, 1450);
	}
	f->routes = routes;
	f->route_count = count;
}

static void destinations__behind_one_interface__are_one_finding(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	open_host(&f);
	many(&f, 12, 0, 300);
	judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	assert_int_equal(finding->count, 12);
	assert_int_equal(evidence_of(finding, "destinations"), 12);
	expect_text(finding, finding->title, "The path to 10.9.0.0/24 carries packets of at most 1450 B");
	fixture_close(&f);

	open_host(&f);
	many(&f, 12, 1, 300);
	judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	assert_false(finding->scope.has_peer);
	expect_text(finding, finding->title, "12 destinations behind eth0 take packets of at most 1450 B");
	fixture_close(&f);
}

static void different_sizes_and_interfaces__are_apart(void **state)
{
	struct fixture f;
	struct route routes[3];

	(void)state;
	open_host(&f);
	routes[0] = exception("10.9.9.1", 1400, 300);
	routes[1] = exception("10.9.9.2", 1450, 300);
	routes[2] = exception("10.9.9.3", 1450, 300);
	memcpy(routes[2].device, "wg0", 4);
	f.routes = routes;
	f.route_count = 3;
	to(&f, US, "10.9.9.1", 1400);
	to(&f, US, "10.9.9.2", 1450);
	to(&f, US, "10.9.9.3", 1450);
	judge(&f);
	assert_int_equal(f.verdict.finding_count, 3);
	fixture_close(&f);
}

/* One finding to a family: IPv6 at the same size has counters of its own. */
static void families__are_apart(void **state)
{
	struct fixture f;
	struct route routes[2];

	(void)state;
	open_host(&f);
	routes[0] = exception(THEM, 1400, 300);
	routes[1] = exception("2001:db8:9::9", 1400, 300);
	f.routes = routes;
	f.route_count = 2;
	to(&f, US, THEM, 1400);
	fake_set(fixture_sock(&f, SOCK_STATE_ESTAB, "[2001:db8::1]:40009", "[2001:db8:9::9]:443"), TCPI_PMTU, 1400);
	judge(&f);
	assert_int_equal(f.verdict.finding_count, 2);
	fixture_close(&f);
}

/* What arrives in two intervals of @seconds together, with @learned destinations learned meanwhile. */
static void storm(struct fixture *f, unsigned learned, double seconds, uint64_t first, uint64_t second)
{
	open_host(f);
	many(f, 3, 0, 300);
	for (unsigned i = 0; i < learned; i++)
		((struct route *)f->routes)[i].expires_ms = 596000;
	fixture_sample(f, 0);
	fixture_count(f, COUNTER_ICMP_IN_TYPE3, 100 + first);
	fixture_sample(f, seconds / 2);
	fixture_count(f, COUNTER_ICMP_IN_TYPE3, 100 + first + second);
	fixture_sample(f, seconds);
	fixture_judge(f);
}

static void messages__without_end__warn(void **state)
{
	static const struct {
		unsigned learned;
		double seconds;
		uint64_t first, second;
		bool warns;
	} rows[] = {
		{ 2, 5, 3, 2, true },  { 2, 5, 3, 1, false }, /* five of them */
		{ 2, 5, 9, 0, false },			      /* in two intervals */
		{ 1, 5, 9, 9, false },			      /* two destinations, or they may be about something else */
		{ 2, 60, 5, 5, true }, { 2, 60, 5, 4, false }, /* ten a minute */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;

		storm(&f, rows[i].learned, rows[i].seconds, rows[i].first, rows[i].second);
		finding = expect_one(&f, rows[i].warns ? SEVERITY_WARNING : SEVERITY_INFO);
		if (rows[i].warns) {
			expect_text(finding, finding->title, "too large again and again");
			expect_against(finding, "every kind of unreachable");
			assert_true(finding->confidence == 0.7);
			assert_int_equal(evidence_of(finding, "learned"), 2);
		}
		fixture_close(&f);
	}
}

/* What is left of the exception tells when it was learned: within the window. */
static void learned__by_what_is_left_of_its_life(void **state)
{
	static const struct {
		int64_t life_s;
		uint32_t left_ms;
		unsigned learned;
	} rows[] = { { 0, 595000, 3 }, { 0, 594999, 0 }, { 60, 55000, 3 }, { 60, 54999, 0 } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(&f);
		if (rows[i].life_s)
			fixture_sysctl(&f, SYSCTL_MTU_EXPIRES_S, rows[i].life_s);
		many(&f, 3, 0, 0);
		for (unsigned k = 0; k < 3; k++)
			((struct route *)f.routes)[k].expires_ms = rows[i].left_ms;
		judge(&f);
		assert_int_equal(evidence_of(expect_one(&f, SEVERITY_INFO), "learned"), rows[i].learned);
		fixture_close(&f);
	}
}

static void messages__of_ipv6__count_alone(void **state)
{
	const struct finding *finding;
	struct route route = exception("2001:db8:9::9", 1400, 300);
	struct fixture f;

	(void)state;
	open_host(&f);
	f.routes = &route;
	f.route_count = 1;
	fake_set(fixture_sock(&f, SOCK_STATE_ESTAB, "[2001:db8::1]:40000", "[2001:db8:9::9]:443"), TCPI_PMTU, 1400);
	fixture_sample(&f, 0);
	fixture_count(&f, COUNTER_ICMP6_IN_PKT_TOO_BIGS, 103);
	fixture_sample(&f, 2);
	fixture_count(&f, COUNTER_ICMP6_IN_PKT_TOO_BIGS, 106);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_null(finding->against[0]);
	assert_true(finding->confidence == 0.9);
	fixture_close(&f);
}

/* Routes that make a path MTU below the interface's without being an exception. */
static void look_alikes__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct route route = exception(THEM, 1400, 300);

		open_host(&f);
		to(&f, i == 3 ? "127.0.0.1" : US, i == 3 ? "127.0.0.1" : i == 4 ? US : THEM, 1400);
		if (i == 0) /* configured, or advertised */
			route.has &= ~(uint32_t)ROUTE_HAS_EXPIRES;
		if (i == 1) /* the exception has expired, the socket has not sent since */
			route = plain();
		if (i == 2) /* to ourselves */
			route.is_local = true;
		if (i == 3) /* loopback: not even asked about */
			assert_true(addr_parse("127.0.0.1", &route.destination));
		if (i == 4)
			assert_true(addr_parse(US, &route.destination));
		if (i == 5) /* an expiry that came with a redirect */
			route.has &= ~(uint32_t)ROUTE_HAS_MTU;
		f.routes = &route;
		f.route_count = 1;
		judge(&f);
		if (f.verdict.finding_count)
			fail_msg("look-alike %u fires", i);
		expect_silence(&f);
		assert_int_equal(f.routes_asked, i == 3 || i == 4 ? 0 : 1);
		fixture_close(&f);
	}
}

/* The segments are small, the path MTU is not. */
static void mss__limited_on_the_way__is_silent(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	open_host(&f);
	fake = to(&f, US, THEM, 1500);
	fake_set(fake, TCPI_SND_MSS, 1348);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void healthy_host__asks_for_one_route_an_address(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	for (unsigned i = 0; i < 600; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "10.9.%u.%u", i / 200, i % 200 + 1);
		to(&f, i % 2 ? US : "10.0.0.2", peer, 1500);
	}
	judge(&f);
	expect_silence(&f);
	assert_int_equal(f.routes_asked, 2);
	assert_int_equal(f.verdict.skipped_count, 0);
	fixture_close(&f);
}

/* An IPv6 router advertises an MTU: after three destinations that are so without an exception, no more are asked about. */
static void advertised_mtu__is_learned(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	for (unsigned i = 0; i < 100; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "[2001:db8:9::%x]", i + 1);
		to(&f, "[2001:db8::1]", peer, 1492);
	}
	judge(&f);
	expect_silence(&f);
	assert_int_equal(f.routes_asked, 3);
	fixture_close(&f);
}

static void narrowest__are_asked_first__and_the_rest_is_said(void **state)
{
	const struct finding *finding;
	struct route routes[40];
	struct fixture f;

	(void)state;
	open_host(&f);
	for (unsigned i = 0; i < ARRAY_SIZE(routes); i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "10.9.9.%u", i + 1);
		routes[i] = exception(peer, i == 39 ? 1300 : 1450, 300);
		to(&f, US, peer, routes[i].mtu);
	}
	f.routes = routes;
	f.route_count = ARRAY_SIZE(routes);
	judge(&f);
	assert_int_equal(f.routes_asked, 32 + 2); /* and one a finding for its text */
	assert_int_equal(f.verdict.finding_count, 2);
	finding = f.verdict.findings[0]->count == 1 ? f.verdict.findings[0] : f.verdict.findings[1];
	assert_int_equal(evidence_of(finding, "pmtu"), 1300);
	expect_part_skipped(&f, "more destinations than the 32");
	fixture_close(&f);
}

static void inputs__missing__are_said(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	f.has_route = false;
	to(&f, US, THEM, 1400);
	judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "route could not be read");
	fixture_close(&f);

	open_host(&f);
	f.snap.info_for_all = false;
	to(&f, US, THEM, 1400)->sock.info.len = 0;
	judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "not asked for every socket");
	fixture_close(&f);

	open_host(&f);
	to(&f, US, THEM, 1400)->sock.info.len = 0;
	judge(&f);
	expect_skipped(&f, "no tcp_info");
	fixture_close(&f);

	open_host(&f);
	f.no_counters = true;
	judge_one(&f, 1400, SEVERITY_INFO);
	expect_part_skipped(&f, "no kernel counters");
	fixture_close(&f);

	open_host(&f);
	many(&f, 1, 0, 300);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_one(&f, SEVERITY_INFO);
	expect_part_skipped(&f, "one sample");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exception__is_told_with_what_fits_it),
		cmocka_unit_test(size__against_interface_and_smallest),
		cmocka_unit_test(destinations__behind_one_interface__are_one_finding),
		cmocka_unit_test(different_sizes_and_interfaces__are_apart),
		cmocka_unit_test(families__are_apart),
		cmocka_unit_test(messages__without_end__warn),
		cmocka_unit_test(learned__by_what_is_left_of_its_life),
		cmocka_unit_test(messages__of_ipv6__count_alone),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(mss__limited_on_the_way__is_silent),
		cmocka_unit_test(healthy_host__asks_for_one_route_an_address),
		cmocka_unit_test(advertised_mtu__is_learned),
		cmocka_unit_test(narrowest__are_asked_first__and_the_rest_is_said),
		cmocka_unit_test(inputs__missing__are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
