/* SPDX-License-Identifier: MIT */
/* ephemeral-port-exhaustion on probes: connect() finds no source port. */
#include <errno.h>

#include "rules.h"

#define RULE "ephemeral-port-exhaustion"

static void fail_with(struct probing *p, int error)
{
	probing_trace(p, RULE, "10.9.9.2", 443);
	probing_ends(p, TRACE_LOCAL_ERROR, 0);
	p->trace.path.error = error;
}

static void port__that_is_not_found__is_critical(void **state)
{
	static const int errors[] = { EADDRNOTAVAIL, EAGAIN };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		const struct finding *f;
		struct probing p;

		fail_with(&p, errors[i]);
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_CRITICAL);
		assert_true(f->confidence == 0.9);
		expect_text(f, f->title, "No source port is left to 10.9.9.2:443");
		probing_expect_list(f, f->next, "tcptriage states --group-by process dst 10.9.9.2");
		probing_close(&p);
	}
}

static void address__that_is_missing__is_another_story(void **state)
{
	struct probing p;

	(void)state;
	fail_with(&p, EADDRNOTAVAIL);
	p.trace.route.has &= ~(uint32_t)ROUTE_HAS_SOURCE;
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

static void other_ends__are_silent(void **state)
{
	static const int errors[] = { ENETUNREACH, EACCES, EPERM, EHOSTUNREACH, ENOBUFS, 0 };
	struct probing p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		fail_with(&p, errors[i]);
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
	fail_with(&p, EADDRNOTAVAIL);
	p.trace.path.finding = TRACE_SILENT;
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port__that_is_not_found__is_critical),
		cmocka_unit_test(address__that_is_missing__is_another_story),
		cmocka_unit_test(other_ends__are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
