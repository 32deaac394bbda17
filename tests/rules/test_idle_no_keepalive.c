/* SPDX-License-Identifier: MIT */
/* idle-no-keepalive: pools that a device on the way forgets, and silent connections that nothing threatens. */
#include "rules.h"

#include "tcptriage/model/platform.h"

#define RULE "idle-no-keepalive"
#define SILENT 300000 /* beyond 0.8 of 350 s */

static struct route far_route(const char *destination)
{
	struct route route = { .has = ROUTE_HAS_DEVICE | ROUTE_HAS_GATEWAY, .device = "eth0" };

	assert_true(addr_parse(destination, &route.destination));
	assert_true(addr_parse("10.0.0.254", &route.gateway));
	return route;
}

static void open_host(struct fixture *f)
{
	fixture_open(f, RULE);
	f->has_route = true;
	f->route = far_route("0.0.0.0");
}

/* A connection from a port of its own, silent for @ms. */
static struct fake *silent(struct fixture *f, const char *from, const char *peer, uint32_t ms)
{
	char local[64];
	struct fake *fake;

	snprintf(local, sizeof(local), "%s:%zu", from, 40000 + f->count);
	fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);
	fake_set(fake, TCPI_LAST_ACK_RECV, ms);
	fake_set(fake, TCPI_SEGS_IN, 10);
	fake_set(fake, TCPI_SEGS_OUT, 12);
	return fake;
}

static void track(struct fixture *f, int64_t seconds, int64_t count)
{
	fixture_sysctl(f, SYSCTL_CONNTRACK_ESTABLISHED_S, seconds);
	fixture_sysctl(f, SYSCTL_CONNTRACK_COUNT, count);
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 2);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void silence__at_its_limit__is_info_where_no_device_is_known(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t ms = 279999; ms <= 280000; ms++) {
		open_host(&f);
		for (unsigned i = 0; i < 20; i++)
			silent(&f, "10.0.0.1", "10.9.0.2:5432", ms)->owner = fixture_process(&f, 8, "app");
		judge(&f);
		if (ms < 280000) {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
		} else {
			finding = f.verdict.findings[0];
			assert_int_equal(finding->severity, SEVERITY_INFO);
			assert_string_equal(finding->threshold.name, "budget_share");
			expect_against(finding, "no device that forgets is known");
			expect_part_skipped(&f, "needs history");
		}
		fixture_close(&f);
	}
}

static void pool__named_by_process_and_remote(void **state)
{
	const struct finding *finding;
	struct process *owner;
	struct fixture f;

	(void)state;
	open_host(&f);
	owner = fixture_process(&f, 8, "app");
	for (unsigned i = 0; i < 5; i++)
		silent(&f, "10.0.0.1", "10.9.0.2:5432", SILENT + i * 30000)->owner = owner;
	silent(&f, "10.0.0.1", "10.9.0.2:5432", 100)->owner = owner; /* in use */
	judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	assert_int_equal(finding->count, 5);
	assert_int_equal(evidence_of(finding, "pool"), 6);
	assert_int_equal(evidence_of(finding, "oldest"), 420000);
	assert_int_equal(evidence_of(finding, "median"), 360000);
	assert_int_equal(evidence_of(finding, "youngest"), SILENT);
	assert_int_equal(evidence_of(finding, "past_budget"), 3);
	assert_int_equal(evidence_of(finding, "budget"), 350000);
	expect_text(finding, finding->title, "app[8] holds 5 connections to 10.9.0.2:5432 that are silent for up to 7 min");
	expect_text(finding, finding->detail, "via 10.0.0.254");
	assert_null(finding_evidence(finding, "gives_up")); /* never */
	expect_text(finding, "{timeout}", "idle");
	fixture_close(&f);
}

static void two_processes_and_two_remotes__are_apart__a_network_is_one(void **state)
{
	struct process *owner[2];
	struct fixture f;
	char peer[32];

	(void)state;
	open_host(&f);
	for (unsigned i = 0; i < 2; i++) {
		owner[i] = fixture_process(&f, 8 + i, i ? "two" : "one");
		silent(&f, "10.0.0.1", "10.9.0.2:5432", SILENT)->owner = owner[i];
		silent(&f, "10.0.0.1", "10.8.0.2:5432", SILENT)->owner = owner[i];
	}
	judge(&f);
	assert_int_equal(f.verdict.finding_count, 4);
	fixture_close(&f);

	open_host(&f);
	owner[0] = fixture_process(&f, 8, "one");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(peer, sizeof(peer), "10.9.0.%u:5432", 2 + i);
		silent(&f, "10.0.0.1", peer, SILENT)->owner = owner[0];
	}
	judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_INFO)->scope.peer_bits, 24);
	assert_int_equal(f.verdict.findings[0]->count, 3);
	/* the address of a network alone is nobody's */
	expect_text(f.verdict.findings[0], f.verdict.findings[0]->next[0], " dst 10.9.0.2");
	expect_text(f.verdict.findings[0], f.verdict.findings[0]->next[1], " dst 10.9.0.2");
	fixture_close(&f);
}

static void accepted_from_a_network__the_title_says_so(void **state)
{
	struct fixture f;
	char peer[32];

	(void)state;
	open_host(&f);
	fixture_sock(&f, SOCK_STATE_LISTEN, "10.0.0.1:80", "*:*");
	for (unsigned i = 0; i < 3; i++) {
		struct fake *fake;

		snprintf(peer, sizeof(peer), "10.9.0.%u:5432", 2 + i);
		fake = fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", peer);
		fake_set(fake, TCPI_LAST_ACK_RECV, SILENT);
	}
	judge(&f);
	expect_text(expect_one(&f, SEVERITY_INFO), f.verdict.findings[0]->title, "from 10.9.0.0/24 that");
	fixture_close(&f);
}

static void own_tracking__counts_and_pools_at_their_limits(void **state)
{
	static const struct {
		unsigned silent, busy;
		int severity;
		const char *limit;
	} rows[] = {
		{ 10, 90, SEVERITY_WARNING, "sockets" },     { 9, 90, SEVERITY_INFO, "budget_share" },
		{ 4, 0, SEVERITY_WARNING, "pool_percent" },  { 3, 0, SEVERITY_INFO, "budget_share" },
		{ 2, 2, SEVERITY_WARNING, "pool_percent" },  { 4, 5, SEVERITY_INFO, "budget_share" },
	};
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(&f);
		track(&f, 100, 7);
		for (unsigned n = 0; n < rows[i].silent; n++)
			silent(&f, "10.0.0.1", "10.9.0.2:5432", 80000);
		for (unsigned n = 0; n < rows[i].busy; n++)
			silent(&f, "10.0.0.1", "10.9.0.2:5432", 0);
		judge(&f);
		finding = expect_one(&f, (enum severity)rows[i].severity);
		assert_string_equal(finding->threshold.name, rows[i].limit);
		expect_text(finding, finding->detail, "this host's own connection tracking forgets them after 100 s");
		expect_against(finding, "nf_conntrack_tcp_loose");
		assert_int_equal(evidence_of(finding, "tracked"), 7);
		fixture_close(&f);
	}
}

static void own_tracking__longer_or_unused__is_not_the_limit(void **state)
{
	static const struct {
		int64_t seconds, count;
	} rows[] = { { 432000, 90 }, { 350, 90 }, { 100, 0 } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(&f);
		track(&f, rows[i].seconds, rows[i].count);
		for (unsigned n = 0; n < 12; n++)
			silent(&f, "10.0.0.1", "10.9.0.2:5432", SILENT);
		judge(&f);
		assert_int_equal(evidence_of(expect_one(&f, SEVERITY_INFO), "budget"), 350000);
		fixture_close(&f);
	}
}

static void cloud__warns_towards_public_addresses_only(void **state)
{
	static const struct {
		struct platform platform;
		const char *from, *to;
		uint32_t ms;
		int severity;
		const char *words;
	} rows[] = {
		{ { "Amazon EC2", "m7g.large", "" }, "10.0.0.1", "8.8.8.8:443", 280000, SEVERITY_WARNING, "an AWS NAT gateway" },
		{ { "Amazon EC2", "m7g.large", "" }, "10.0.0.1", "8.8.8.8:443", 279999, -1, "" },
		{ { "Amazon EC2", "m7g.large", "" }, "10.0.0.1", "10.9.0.2:443", 280000, SEVERITY_INFO, "may forget them" },
		{ { "Amazon EC2", "m7g.large", "" }, "2600:1::1", "2600:2::2:443", 280000, SEVERITY_INFO, "may forget them" },
		{ { "Google", "Google Compute Engine", "" }, "10.0.0.1", "8.8.8.8:443", 480000, SEVERITY_WARNING, "Google Cloud" },
		{ { "Google", "Google Compute Engine", "" }, "10.0.0.1", "8.8.8.8:443", 479999, -1, "" },
		{ { "Microsoft Corporation", "Virtual Machine", PLATFORM_ASSET_AZURE }, "10.0.0.1", "8.8.8.8:443", 192000, SEVERITY_WARNING, "Azure" },
		{ { "Microsoft Corporation", "Virtual Machine", PLATFORM_ASSET_AZURE }, "10.0.0.1", "8.8.8.8:443", 191999, -1, "" },
		{ { "Microsoft Corporation", "Virtual Machine", "9-9" }, "10.0.0.1", "8.8.8.8:443", SILENT, SEVERITY_INFO, "may forget them" },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(&f);
		f.platform = rows[i].platform;
		for (unsigned n = 0; n < 10; n++)
			silent(&f, rows[i].from, rows[i].to, rows[i].ms);
		judge(&f);
		if (rows[i].severity < 0)
			expect_silence(&f);
		else
			expect_text(expect_one(&f, (enum severity)rows[i].severity), f.verdict.findings[0]->detail, rows[i].words);
		fixture_close(&f);
	}
}

static void what_keeps_it_alive__is_silent(void **state)
{
	enum { TIMER, RETRANSMITS, SEGS_IN, SEGS_OUT, HEARTBEAT, SEEN_ONCE, NO_INFO, NOT_ACCEPTED, GONE, WAYS };
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (unsigned way = 0; way < WAYS; way++) {
		open_host(&f);
		fake = silent(&f, "10.0.0.1", "10.9.0.2:5432", SILENT);
		fake->sock.timer = way == TIMER ? SOCK_TIMER_KEEPALIVE : way == RETRANSMITS ? SOCK_TIMER_ON : SOCK_TIMER_NONE;
		fake->sock.inode = way == NOT_ACCEPTED ? 0 : fake->sock.inode;
		fake->sock.info.len = way == NO_INFO ? 0 : fake->sock.info.len;
		fake->gone = way == SEEN_ONCE;
		fixture_sample(&f, 0);
		fixture_sample(&f, 2);
		fake->gone = way == GONE;
		if (way == SEGS_IN)
			fake_set(fake, TCPI_SEGS_IN, 11);
		if (way == SEGS_OUT)
			fake_set(fake, TCPI_SEGS_OUT, 13);
		if (way == HEARTBEAT)
			fake_set(fake, TCPI_LAST_ACK_RECV, 40);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (way == NO_INFO)
			assert_int_equal(f.verdict.finding_count, 0);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void peers_that_nothing_stands_before__are_silent(void **state)
{
	enum { LOOPBACK, LOOPBACK_V6, OWN_ADDRESS, LOCAL, ON_LINK, REFUSED, WAYS };
	struct fixture f;

	(void)state;
	for (unsigned way = 0; way < WAYS; way++) {
		open_host(&f);
		track(&f, 100, 7);
		if (way == ON_LINK)
			f.route.has &= ~(uint32_t)ROUTE_HAS_GATEWAY;
		f.route.is_local = way == LOCAL;
		f.route.error = way == REFUSED ? -101 : 0;
		for (unsigned n = 0; n < 20; n++) {
			if (way == LOOPBACK || way == LOOPBACK_V6)
				silent(&f, way == LOOPBACK ? "127.0.0.1" : "::1", way == LOOPBACK ? "127.0.0.2:80" : "::1:80", SILENT);
			else
				silent(&f, "10.0.0.1", way == OWN_ADDRESS ? "10.0.0.1:80" : "10.9.0.2:80", SILENT);
		}
		judge(&f);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void unknown_route__is_said_and_the_others_are_judged(void **state)
{
	struct route known = far_route("10.8.0.2");
	struct fixture f;

	(void)state;
	open_host(&f);
	f.has_route = false;
	f.routes = &known;
	f.route_count = 1;
	for (unsigned n = 0; n < 3; n++) {
		silent(&f, "10.0.0.1", "10.9.0.2:80", SILENT);
		silent(&f, "10.0.0.1", "10.8.0.2:80", SILENT);
	}
	judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_INFO)->count, 3);
	expect_text(f.verdict.findings[0], f.verdict.findings[0]->title, "10.8.0.2");
	expect_part_skipped(&f, "3 silent connections whose route is not known");
	fixture_close(&f);
}

static void routes__are_asked_for_once_a_remote(void **state)
{
	struct fixture f;
	char peer[32];

	(void)state;
	open_host(&f);
	for (unsigned n = 0; n < 600; n++) {
		snprintf(peer, sizeof(peer), "10.%u.%u.2:80", 9 + n / 250, n % 250);
		silent(&f, "10.0.0.1", peer, SILENT);
		silent(&f, "10.0.0.1", peer, SILENT);
	}
	judge(&f);
	expect_part_skipped(&f, "176 silent connections whose route is not known"); /* 88 remotes beyond 512 */
	assert_true(f.routes_asked <= 2 * 512);					     /* and again what findings show */
	fixture_close(&f);
}

static void roles__accepted_from_private_counts__from_the_internet_does_not(void **state)
{
	static const struct {
		const char *peer;
		bool fires;
	} rows[] = { { "10.9.0.2", true }, { "8.8.8.8", false } };
	const struct finding *finding;
	struct fixture f;
	char peer[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(&f);
		track(&f, 100, 7);
		fixture_sock(&f, SOCK_STATE_LISTEN, "*:443", "*:*");
		for (unsigned n = 0; n < 12; n++) {
			struct fake *fake;

			snprintf(peer, sizeof(peer), "%s:%u", rows[i].peer, 5000 + n);
			fake = silent(&f, "10.0.0.1", peer, SILENT);
			fake->sock.local.port = 443;
			fake->owner = fixture_process(&f, 8, "srv");
		}
		fixture_sample(&f, 0);
		assert_int_equal(snapshot_candidate(&f.snap, 0) != NULL, rows[i].fires);
		fixture_sample(&f, 2);
		fixture_judge(&f);
		if (!rows[i].fires) {
			expect_silence(&f);
		} else {
			size_t total = 0;

			for (size_t k = 0; k < f.verdict.finding_count; k++)
				total += f.verdict.findings[k]->count;
			finding = f.verdict.findings[0];
			assert_int_equal(total, 12);
			expect_text(finding, finding->title, "connections from 10.9.0.2");
		}
		fixture_close(&f);
	}
}

static void one_look__says_that_probes_cannot_be_seen(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	f.quick = true;
	silent(&f, "10.0.0.1", "10.9.0.2:80", SILENT)->owner = fixture_process(&f, 8, "app");
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_against(expect_one(&f, SEVERITY_INFO), "one look only");
	assert_true(f.verdict.findings[0]->confidence < 0.7);
	expect_text(f.verdict.findings[0], f.verdict.findings[0]->title, "app[8] holds a connection to 10.9.0.2:80 that is silent for");
	fixture_close(&f);
}

static void quota__is_not_spent_on_short_silences(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	for (unsigned n = 0; n < 3000; n++)
		silent(&f, "10.0.0.1", "10.9.0.2:80", 119999); /* half of the shortest budget that any cloud has */
	silent(&f, "10.0.0.1", "10.9.0.3:80", 120000);
	fixture_sample(&f, 0);
	assert_non_null(snapshot_candidate(&f.snap, 0));
	assert_null(snapshot_candidate(&f.snap, 1));
	fixture_close(&f);
}

static void inputs__missing__are_said(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	f.no_sysctls = true;
	silent(&f, "10.0.0.1", "10.9.0.2:80", 0);
	judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "own connection tracking");
	f.snap.info_for_all = false;
	fixture_judge(&f);
	expect_part_skipped(&f, "tcp_info");
	fixture_close(&f);

	open_host(&f);
	f.info_len = 0;
	silent(&f, "10.0.0.1", "10.9.0.2:80", SILENT);
	judge(&f);
	expect_skipped(&f, "no tcp_info");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence__at_its_limit__is_info_where_no_device_is_known),
		cmocka_unit_test(pool__named_by_process_and_remote),
		cmocka_unit_test(two_processes_and_two_remotes__are_apart__a_network_is_one),
		cmocka_unit_test(accepted_from_a_network__the_title_says_so),
		cmocka_unit_test(own_tracking__counts_and_pools_at_their_limits),
		cmocka_unit_test(own_tracking__longer_or_unused__is_not_the_limit),
		cmocka_unit_test(cloud__warns_towards_public_addresses_only),
		cmocka_unit_test(what_keeps_it_alive__is_silent),
		cmocka_unit_test(peers_that_nothing_stands_before__are_silent),
		cmocka_unit_test(unknown_route__is_said_and_the_others_are_judged),
		cmocka_unit_test(routes__are_asked_for_once_a_remote),
		cmocka_unit_test(roles__accepted_from_private_counts__from_the_internet_does_not),
		cmocka_unit_test(one_look__says_that_probes_cannot_be_seen),
		cmocka_unit_test(quota__is_not_spent_on_short_silences),
		cmocka_unit_test(inputs__missing__are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
