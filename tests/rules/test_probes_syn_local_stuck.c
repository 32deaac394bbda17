/* SPDX-License-Identifier: MIT */
/* syn-local-stuck on probes: errors of this host that keep the packet from the wire. */
#include <errno.h>

#include "rules.h"

#define RULE "syn-local-stuck"
#define THEM "10.9.9.2"

static void error__of_this_host__is_told(void **state)
{
	static const struct {
		int error;
		double confidence;
		const char *title;
	} rows[] = {
		{ EHOSTUNREACH, 0.97, "Packets to 10.9.9.2:443 do not leave this host: the next hop does not answer" },
		{ EPERM, 0.97, "This host's own firewall does not let packets to 10.9.9.2:443 out" },
		{ ENETDOWN, 0.97, "the interface is down" },
		{ ENOBUFS, 0.8, "This host does not send packets to 10.9.9.2:443: No buffer space available" },
		{ 99999, 0.8, "This host does not send packets to 10.9.9.2:443: Unknown error" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_trace(&p, RULE, THEM, 443);
		probing_ends(&p, TRACE_LOCAL_ERROR, 0);
		p.trace.path.error = rows[i].error;
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_WARNING);
		assert_true(f->confidence == rows[i].confidence);
		expect_text(f, f->title, rows[i].title);
		probing_close(&p);
	}
}

static void next_hop__that_is_the_default_gateway__is_critical(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, THEM, 443);
	probing_ends(&p, TRACE_LOCAL_ERROR, 0);
	p.trace.path.error = EHOSTUNREACH;
	p.trace.route.is_default = true;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	expect_text(f, f->title, "the default gateway does not answer");
	p.trace.path.error = EPERM;
	probing_judge(&p);
	probing_expect_one(&p, SEVERITY_WARNING);
	probing_close(&p);
}

static void word__of_this_host_to_itself__is_the_next_hop(void **state)
{
	static const char *const speakers[] = { "10.9.1.2", "10.9.1.1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(speakers); i++) {
		struct probing p;

		probing_trace(&p, RULE, THEM, 443);
		probing_ends(&p, TRACE_NO_ROUTE, 0);
		probing_by(&p, speakers[i], 3, 1);
		probing_judge(&p);
		if (i == 0)
			expect_text(probing_expect_one(&p, SEVERITY_WARNING), p.verdict.findings[0]->detail, "(host unreachable)");
		else
			probing_expect_silence(&p);
		probing_close(&p);
	}
}

static void filter__of_this_host__answers_in_its_own_name(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, THEM, 443);
	probing_ends(&p, TRACE_PROHIBITED, 0);
	probing_by(&p, "10.9.1.2", 3, 13);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "This host's own firewall");
	expect_text(f, f->detail, "communication administratively prohibited");
	probing_close(&p);
}

static void other_ends__are_silent(void **state)
{
	static const int errors[] = { ENETUNREACH, EACCES, EINVAL, EADDRNOTAVAIL, EAGAIN };
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
	for (unsigned finding = 0; finding < TRACE_LOCAL_ERROR; finding++) {
		probing_trace(&p, RULE, THEM, 443);
		p.trace.path.error = EPERM;
		p.trace.path.finding = (uint8_t)finding;
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error__of_this_host__is_told),
		cmocka_unit_test(next_hop__that_is_the_default_gateway__is_critical),
		cmocka_unit_test(word__of_this_host_to_itself__is_the_next_hop),
		cmocka_unit_test(filter__of_this_host__answers_in_its_own_name),
		cmocka_unit_test(other_ends__are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
