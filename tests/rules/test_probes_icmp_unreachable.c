/* SPDX-License-Identifier: MIT */
/* icmp-unreachable on probes: who says no and why, of both commands, and what this host's own routing refuses. */
#include <errno.h>

#include "rules.h"

#define RULE "icmp-unreachable"
#define THEM "10.9.9.2"
#define THEM6 "fd00:9::2"

static void message__of_a_router__is_told_with_its_code(void **state)
{
	static const struct {
		enum trace_finding finding;
		const char *address, *by;
		uint8_t type, code;
		const char *title, *cause;
	} rows[] = {
		{ TRACE_PROHIBITED, THEM, "10.9.2.1", 3, 13, "10.9.2.1 does not let packets to 10.9.9.2:443 pass: communication administratively prohibited", "a firewall rule at 10.9.2.1" },
		{ TRACE_PROHIBITED, THEM6, "fd00:2::1", 1, 1, "fd00:2::1 does not let packets to [fd00:9::2]:443 pass: communication administratively prohibited", "a firewall rule" },
		{ TRACE_NO_ROUTE, THEM, "10.9.2.1", 3, 0, "10.9.2.1 has no way to 10.9.9.2:443: network unreachable", "a route is missing at 10.9.2.1" },
		{ TRACE_NO_ROUTE, THEM, "10.9.3.1", 3, 1, "10.9.3.1 has no way to 10.9.9.2:443: host unreachable", "does not answer ARP" },
		{ TRACE_NO_ROUTE, THEM6, "fd00:3::1", 1, 0, "no route to destination", "a route is missing at fd00:3::1" },
		{ TRACE_NO_ROUTE, THEM6, "fd00:3::1", 1, 3, "address unreachable", "neighbour discovery" },
		{ TRACE_NO_ROUTE, THEM, "10.9.2.1", 3, 200, "destination unreachable", "a route is missing" },
		{ TRACE_NO_ROUTE, THEM, "10.9.2.1", 0, 0, "10.9.2.1 has no way to 10.9.9.2:443: unreachable", "a route is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_trace(&p, RULE, rows[i].address, 443);
		probing_ends(&p, rows[i].finding, 1);
		probing_by(&p, rows[i].by, rows[i].type, rows[i].code);
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_WARNING);
		assert_true(f->confidence == 0.97);
		expect_text(f, f->title, rows[i].title);
		expect_text(f, f->causes[0], rows[i].cause);
		probing_close(&p);
	}
}

static void message__to_a_search_for_the_mtu__counts_as_well(void **state)
{
	static const struct {
		uint8_t says;
		bool icmp;
		uint8_t code;
		const char *title, *detail;
	} rows[] = {
		{ REPLY_UNREACHABLE, false, 0, "10.9.2.1 has no way to 10.9.9.2: unreachable", "a route is missing there, or a link" },
		{ REPLY_UNREACHABLE, true, 0, "10.9.2.1 has no way to 10.9.9.2: network unreachable", "a route is missing there, or a link" },
		{ REPLY_UNREACHABLE, true, 1, "10.9.2.1 has no way to 10.9.9.2: host unreachable", "the host does not answer on its own link" },
		{ REPLY_PROHIBITED, false, 0, "10.9.2.1 does not let packets to 10.9.9.2 pass: prohibited", "a filter" },
		{ REPLY_REJECTED, false, 0, "does not let packets", "a filter" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, 0);
		p.mtu.path.finding = MTU_UNREACHABLE;
		p.mtu.path.says = rows[i].says;
		p.mtu.path.says_icmp = rows[i].icmp;
		p.mtu.path.says_type = 3;
		p.mtu.path.says_code = rows[i].code;
		assert_true(addr_parse("10.9.2.1", &p.mtu.path.says_by));
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_WARNING);
		expect_text(f, f->title, rows[i].title);
		expect_text(f, f->detail, rows[i].detail);
		expect_text(f, f->next[0], "tcptriage trace 10.9.9.2");
		probing_close(&p);
	}
}

static void connection__that_fails_without_a_word__is_told_as_not_known(void **state)
{
	static const struct {
		int error, route_error;
		uint16_t neighbour;
		const char *title;
	} rows[] = {
		{ EHOSTUNREACH, 0, 0, "Connections to 10.9.9.2:443 fail: 'No route to host'" },
		{ ENETUNREACH, 0, 0, "Connections to 10.9.9.2:443 fail: 'Network is unreachable'" },
		{ ENETUNREACH, -ENETUNREACH, 0, "This host has no route" },
		{ EHOSTUNREACH, -EHOSTUNREACH, 0, "An unreachable route of this host refuses packets to 10.9.9.2" },
		{ EHOSTUNREACH, 0, 0x20, NULL }, /* NUD_FAILED: syn-local-stuck knows it */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_mtu(&p, RULE, THEM, 443);
		p.mtu.path.finding = MTU_UNREACHABLE;
		p.mtu.path.method = PROBE_TCP;
		p.mtu.path.says = REPLY_LOCAL;
		p.mtu.path.says_error = rows[i].error;
		p.mtu.route.error = rows[i].route_error;
		p.mtu.route.has |= ROUTE_HAS_NEIGHBOUR;
		p.mtu.route.neighbour_state = rows[i].neighbour;
		probing_judge(&p);
		if (rows[i].title) {
			f = probing_expect_one(&p, SEVERITY_WARNING);
			expect_text(f, f->title, rows[i].title);
			assert_true(f->confidence == (rows[i].route_error ? 0.98 : 0.8));
		} else {
			probing_expect_silence(&p);
		}
		probing_close(&p);
	}
}

static void host__that_rejects_itself__is_told(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, THEM, 443);
	probing_ends(&p, TRACE_PROHIBITED, 3);
	probing_by(&p, THEM, 3, 10);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "the host itself does not let packets to 10.9.9.2:443 pass: host administratively prohibited");
	probing_close(&p);
}

static void sender__that_is_not_known__is_somebody(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, THEM, 443);
	probing_ends(&p, TRACE_PROHIBITED, 1);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "somebody on the way does not let packets");
	probing_close(&p);
}

static void error__of_this_host__is_told_as_its_own(void **state)
{
	static const struct {
		int error;
		bool no_source;
		const char *title;
	} rows[] = {
		{ ENETUNREACH, false, "This host has no route to 10.9.9.2" },
		{ EADDRNOTAVAIL, true, "This host has no address to reach 10.9.9.2 from" },
		{ EACCES, false, "This host does not allow packets to 10.9.9.2" },
		{ EINVAL, false, "A blackhole route of this host" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_trace(&p, RULE, THEM, 443);
		probing_ends(&p, TRACE_LOCAL_ERROR, 0);
		p.trace.path.error = rows[i].error;
		if (rows[i].no_source)
			p.trace.route.has &= ~(uint32_t)ROUTE_HAS_SOURCE;
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_WARNING);
		assert_true(f->confidence == 0.98);
		expect_text(f, f->title, rows[i].title);
		probing_close(&p);
	}
}

static void no_route__of_a_search_for_the_mtu__is_told(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM6, 0);
	p.mtu.route = (struct route){ .destination = p.mtu.address, .error = -ENETUNREACH };
	p.mtu.path.finding = MTU_UNREACHABLE;
	p.mtu.path.says = REPLY_LOCAL;
	p.mtu.path.says_error = ENETUNREACH;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "This host has no route to fd00:9::2");
	expect_text(f, "{route}", "refused by this host (Network is unreachable)");
	probing_close(&p);
}

static void ends__of_other_rules__are_silent(void **state)
{
	static const int errors[] = { EHOSTUNREACH, EPERM, ENETDOWN, EADDRNOTAVAIL, EAGAIN, ENOBUFS, 0, -5, 99999 };
	struct probing p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		probing_trace(&p, RULE, THEM, 443);
		probing_ends(&p, TRACE_LOCAL_ERROR, 0);
		p.trace.path.error = errors[i];
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
	for (unsigned finding = 0; finding < TRACE_FINDING_COUNT; finding++) {
		if (finding == TRACE_PROHIBITED || finding == TRACE_NO_ROUTE || finding == TRACE_LOCAL_ERROR)
			continue;
		probing_trace(&p, RULE, THEM, 443);
		probing_by(&p, "10.9.2.1", 3, 1);
		p.trace.path.finding = (uint8_t)finding;
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
	/* the kernel tells itself that its next hop does not answer */
	probing_trace(&p, RULE, THEM, 443);
	probing_ends(&p, TRACE_NO_ROUTE, 0);
	probing_by(&p, "10.9.1.2", 3, 1);
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message__of_a_router__is_told_with_its_code),
		cmocka_unit_test(message__to_a_search_for_the_mtu__counts_as_well),
		cmocka_unit_test(connection__that_fails_without_a_word__is_told_as_not_known),
		cmocka_unit_test(host__that_rejects_itself__is_told),
		cmocka_unit_test(sender__that_is_not_known__is_somebody),
		cmocka_unit_test(error__of_this_host__is_told_as_its_own),
		cmocka_unit_test(no_route__of_a_search_for_the_mtu__is_told),
		cmocka_unit_test(ends__of_other_rules__are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
