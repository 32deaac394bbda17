/* SPDX-License-Identifier: MIT */
/* udp-unreachable: datagrams for nobody, on hosts that the Internet can reach and on others, and UDP ports in use. */
#include "rules.h"

#define RULE "udp-unreachable"

static void open_host(struct fixture *f)
{
	fixture_open(f, RULE);
	f->has_route = true; /* by default from a private address */
	f->route.has = ROUTE_HAS_DEVICE | ROUTE_HAS_SOURCE;
	assert_true(addr_parse("10.0.0.1", &f->route.source));
}

static void grow(struct fixture *f, enum counter_id id, uint64_t by)
{
	fixture_count(f, id, f->counters.value[id] + by);
}

/* Samples at 0, 2 and @end s with so many refused between them. */
static void refuse(struct fixture *f, enum counter_id id, unsigned first, unsigned second, double end)
{
	fixture_sample(f, 0);
	grow(f, id, first);
	fixture_sample(f, 2);
	grow(f, id, second);
	fixture_sample(f, end);
	fixture_judge(f);
}

static void refused__rate_events_and_samples_at_their_limits(void **state)
{
	static const struct {
		unsigned first, second;
		double end;
		bool fires;
	} rows[] = {
		{ 2, 3, 5, true },   { 2, 2, 5, false },    { 5, 0, 5, false },	 { 0, 900, 5, false },
		{ 5, 5, 60, true },  { 5, 5, 60.5, false }, { 900, 900, 5, true },
	};
	static const enum counter_id ids[] = { COUNTER_UDP_NO_PORTS, COUNTER_UDP6_NO_PORTS };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(ids); i++) {
		const size_t r = i / ARRAY_SIZE(ids);

		open_host(&f);
		refuse(&f, ids[i % ARRAY_SIZE(ids)], rows[r].first, rows[r].second, rows[r].end);
		if (rows[r].fires) {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_int_equal(finding->count, rows[r].first + rows[r].second);
			expect_against(finding, "traceroute");
			expect_part_skipped(&f, "only a capture shows it");
			assert_true(finding->confidence <= 0.8);
		} else {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
		}
		fixture_close(&f);
	}
}

static void a_host_on_the_internet__is_info(void **state)
{
	enum { BY_LISTENER, BY_CONNECTION, BY_CLIENT, BY_UDP, BY_ROUTE, UNKNOWN, BY_OTHER_FAMILY, OUTBOUND_ONLY, NO_ROUTE, WAYS };
	static const char *const said[WAYS] = { "9.9.9.9", "9.9.9.9", "8.8.8.8", "9.9.9.9", "9.9.9.9", "could not be told" };
	struct fixture f;

	(void)state;
	for (unsigned way = 0; way < WAYS; way++) {
		bool private = way >= BY_OTHER_FAMILY;

		open_host(&f);
		if (way == BY_LISTENER)
			fixture_sock(&f, SOCK_STATE_LISTEN, "9.9.9.9:22", "*:*");
		if (way == BY_CONNECTION)
			fixture_sock(&f, SOCK_STATE_ESTAB, "9.9.9.9:40000", "10.0.0.2:80");
		if (way == BY_CLIENT) {
			fixture_sock(&f, SOCK_STATE_LISTEN, "*:22", "*:*");
			fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:22", "8.8.8.8:5000");
		}
		if (way == BY_UDP)
			fixture_udp(&f, "9.9.9.9:53", "*:*");
		if (way == BY_ROUTE)
			assert_true(addr_parse("9.9.9.9", &f.route.source));
		if (way == UNKNOWN)
			f.has_route = false;
		if (way == BY_OTHER_FAMILY) {
			fixture_sock(&f, SOCK_STATE_LISTEN, "2600::1:22", "*:*");
			fixture_sock(&f, SOCK_STATE_LISTEN, "192.168.1.1:22", "*:*");
		}
		if (way == OUTBOUND_ONLY)
			fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:40000", "8.8.8.8:443");
		if (way == NO_ROUTE)
			f.route = (struct route){ .error = -101 };
		refuse(&f, COUNTER_UDP_NO_PORTS, 50, 50, 5);
		expect_one(&f, private ? SEVERITY_WARNING : SEVERITY_INFO);
		if (!private)
			expect_against(f.verdict.findings[0], said[way]);
		fixture_close(&f);
	}
}

/* The quiet family's address says nothing about the other one's datagrams. */
static void both_families__one_finding__the_private_one_decides(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	fixture_sock(&f, SOCK_STATE_LISTEN, "2600::1:22", "*:*");
	fixture_sample(&f, 0);
	for (unsigned i = 1; i < 3; i++) {
		grow(&f, COUNTER_UDP_NO_PORTS, 10);
		grow(&f, COUNTER_UDP6_NO_PORTS, 90);
		fixture_sample(&f, i);
	}
	fixture_judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_WARNING)->count, 200);
	assert_int_equal(evidence_of(f.verdict.findings[0], "no_ports"), 20);
	assert_int_equal(evidence_of(f.verdict.findings[0], "no_ports_v6"), 180);
	expect_against(f.verdict.findings[0], "2600::1");
	fixture_close(&f);
}

/* A statsd client on this host, and what a socket on the port (@held), another one (@lost) or a public address change. */
static void sender_on_this_host__is_named_when_it_is_certain(void **state)
{
	static const struct {
		unsigned returned;
		bool held, lossy, global;
		int severity;
		bool named;
	} rows[] = {
		{ 100, false, false, false, SEVERITY_WARNING, true },
		{ 50, false, false, false, SEVERITY_WARNING, true },
		{ 49, false, false, false, SEVERITY_WARNING, false },
		{ 100, true, false, false, SEVERITY_WARNING, false },
		{ 100, false, true, false, SEVERITY_WARNING, false },
		{ 100, false, false, true, SEVERITY_WARNING, true }, /* a matching flow of our own supports it */
		{ 100, true, false, true, SEVERITY_INFO, false },
		{ 49, false, false, true, SEVERITY_INFO, false },
	};
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(&f);
		fixture_udp(&f, "127.0.0.1:40000", "127.0.0.1:8125")->owner = fixture_process(&f, 8, "app");
		fixture_udp(&f, "10.0.0.1:40001", "10.0.0.2:8126");
		if (rows[i].held)
			fixture_udp(&f, "127.0.0.1:8125", "*:*");
		if (rows[i].global)
			fixture_sock(&f, SOCK_STATE_LISTEN, "9.9.9.9:22", "*:*");
		fixture_sample(&f, 0);
		grow(&f, COUNTER_UDP_NO_PORTS, 60);
		fixture_sample(&f, 2);
		grow(&f, COUNTER_UDP_NO_PORTS, 40);
		grow(&f, COUNTER_ICMP_IN_DEST_UNREACHS, rows[i].returned);
		fixture_sample(&f, 5);
		f.snap.complete = !rows[i].lossy;
		fixture_judge(&f);
		finding = expect_one(&f, (enum severity)rows[i].severity);
		assert_int_equal(finding->scope.has_peer, rows[i].named);
		expect_text(finding, finding->title, rows[i].named ? "app[8] sends to 127.0.0.1:8125, where no socket is" : "nobody listens");
		expect_text(finding, finding->detail, rows[i].returned >= 50 ? "the sender runs here" : "do not notice");
		fixture_close(&f);
	}
}

static void ports__at_their_limits(void **state)
{
	static const struct {
		unsigned used;
		int severity;
		const char *words;
	} rows[] = { { 79, -1, "" },
		     { 80, SEVERITY_WARNING, "80 of 100 are taken, most by dns[8]" },
		     { 94, SEVERITY_WARNING, "94 of 100" },
		     { 95, SEVERITY_CRITICAL, "95 of 100" },
		     { 100, SEVERITY_CRITICAL, "No UDP source port is left, dns[8] holds most" } };
	struct process *owner;
	struct fixture f;
	char local[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_host(&f);
		f.quick = true;
		fixture_sysctl(&f, SYSCTL_PORT_LO, 40000);
		fixture_sysctl(&f, SYSCTL_PORT_HI, 40099);
		owner = fixture_process(&f, 8, "dns");
		fixture_udp(&f, "*:53", "*:*");
		for (unsigned n = 0; n < rows[i].used; n++) {
			snprintf(local, sizeof(local), "10.0.0.1:%u", 40000 + n);
			fixture_udp(&f, local, n % 2 ? "10.0.0.2:53" : "10.0.0.3:443")->owner = owner;
		}
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (rows[i].severity < 0)
			expect_silence(&f);
		else
			expect_text(expect_one(&f, (enum severity)rows[i].severity), f.verdict.findings[0]->title, rows[i].words);
		expect_part_skipped(&f, "one sample");
		fixture_close(&f);
	}
}

static void ports__held_by_many__name_nobody(void **state)
{
	const struct finding *finding;
	struct fixture f;
	char local[32];

	(void)state;
	open_host(&f);
	fixture_sysctl(&f, SYSCTL_PORT_LO, 40000);
	fixture_sysctl(&f, SYSCTL_PORT_HI, 40009);
	for (unsigned n = 0; n < 9; n++) {
		snprintf(local, sizeof(local), "*:%u", 40000 + n);
		fixture_udp(&f, local, "*:*")->owner = fixture_process(&f, 8 + n / 3, "app");
	}
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->scope.pid, 0);
	assert_int_equal(evidence_of(finding, "free"), 1);
	fixture_close(&f);
}

static void ports__reserved_or_shared_or_outside__do_not_count(void **state)
{
	struct fixture f;
	char local[32];

	(void)state;
	open_host(&f);
	fixture_sysctl(&f, SYSCTL_PORT_LO, 40000);
	fixture_sysctl(&f, SYSCTL_PORT_HI, 40009);
	f.sysctls.has_reserved = true;
	f.sysctls.reserved[40009 / 8] |= 1u << 40009 % 8;
	for (unsigned n = 0; n < 40; n++) { /* seven of nine; four sockets each, and one on the reserved port */
		snprintf(local, sizeof(local), "10.0.0.%u:%u", 1 + n / 10, n % 10 == 9 ? 40009 : 40000 + n % 10 % 7);
		fixture_udp(&f, local, "*:*");
	}
	for (unsigned n = 0; n < 40; n++)
		fixture_udp(&f, "*:50000", "*:*");
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void inputs__missing_or_partial__are_said(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	f.no_counters = true;
	fixture_sample(&f, 0);
	fixture_sample(&f, 2);
	fixture_judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "no UDP counters");
	fixture_close(&f);

	open_host(&f);
	f.no_sysctls = true;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "the port range could not be read");
	fixture_close(&f);

	open_host(&f);
	fixture_sample(&f, 0);
	grow(&f, COUNTER_UDP_NO_PORTS, 100);
	fixture_sample(&f, 2);
	grow(&f, COUNTER_UDP_NO_PORTS, 100);
	fixture_sample(&f, 5);
	f.snap.left_out = 1;
	fixture_judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "a filter leaves a part of it out");
	fixture_close(&f);
}

static void healthy_host__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	open_host(&f);
	fixture_udp(&f, "*:53", "*:*");
	fixture_udp(&f, "127.0.0.1:40000", "127.0.0.1:8125"); /* connected, and sends nothing */
	fixture_sample(&f, 0);
	grow(&f, COUNTER_UDP_IN_DATAGRAMS, 5000);
	grow(&f, COUNTER_ICMP_IN_DEST_UNREACHS, 50);
	fixture_sample(&f, 2);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 0);
	fixture_close(&f);
}

/* A resolver closes its port when it has an answer, or is out of patience: what comes later is refused, of thousands a few. */
static void late_answers__among_what_is_read__are_info(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned read = 0; read <= 1; read++) {
		open_host(&f);
		fixture_sample(&f, 0);
		grow(&f, COUNTER_UDP_IN_DATAGRAMS, 9900 + read);
		grow(&f, COUNTER_UDP_NO_PORTS, 50);
		fixture_sample(&f, 2);
		grow(&f, COUNTER_UDP_NO_PORTS, 50);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		expect_one(&f, read ? SEVERITY_INFO : SEVERITY_WARNING); /* 1 % of what came */
		if (read)
			expect_against(f.verdict.findings[0], "answers that came late");
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused__rate_events_and_samples_at_their_limits),
		cmocka_unit_test(a_host_on_the_internet__is_info),
		cmocka_unit_test(both_families__one_finding__the_private_one_decides),
		cmocka_unit_test(sender_on_this_host__is_named_when_it_is_certain),
		cmocka_unit_test(ports__at_their_limits),
		cmocka_unit_test(ports__held_by_many__name_nobody),
		cmocka_unit_test(ports__reserved_or_shared_or_outside__do_not_count),
		cmocka_unit_test(inputs__missing_or_partial__are_said),
		cmocka_unit_test(healthy_host__is_silent),
		cmocka_unit_test(late_answers__among_what_is_read__are_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
