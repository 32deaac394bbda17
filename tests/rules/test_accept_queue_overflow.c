/* SPDX-License-Identifier: MIT */
/* accept-queue-overflow: queues that are full or dropped handshakes, and queues that only look so. */
#include "rules.h"

#define RULE "accept-queue-overflow"

static struct fake *listener(struct fixture *f, const char *local, uint32_t waiting, uint32_t backlog)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_LISTEN, local, "*:*");

	fake->sock.recv_q = waiting;
	fake->sock.send_q = backlog;
	fake->sock.has |= SOCK_HAS_SKMEM;
	return fake;
}

/* Two samples @seconds apart; the listener's drops and the namespace's overflows grow by @drops and @overflows between them. */
static void drop(struct fixture *f, struct fake *fake, double seconds, uint32_t drops,
		 uint64_t overflows)
{
	fixture_sample(f, 0);
	fake->sock.skmem[SKMEM_DROPS] += drops;
	fixture_count(f, COUNTER_LISTEN_OVERFLOWS, 100 + overflows);
	fixture_count(f, COUNTER_LISTEN_DROPS, 100 + overflows);
	fixture_sample(f, seconds);
	fixture_judge(f);
}

static void one_drop__warns_and_names_the_listener(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	listener(&f, "10.0.0.1:81", 0, 128);
	fake = listener(&f, "10.0.0.1:80", 0, 128);
	fake->owner = fixture_process(&f, 5, "httpd");
	drop(&f, fake, 5, 1, 1);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->scope.local.port, 80);
	expect_text(finding, finding->title, "httpd[5]");
	assert_true(finding->confidence >= 0.9);
	fixture_close(&f);
}

static void drops__at_ten_a_second__are_critical(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t drops = 49; drops <= 50; drops++) {
		fixture_open(&f, RULE);
		drop(&f, listener(&f, "10.0.0.1:80", 0, 128), 5, drops, drops);
		expect_one(&f, drops == 50 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		fixture_close(&f);
	}
}

static void drops__in_two_samples__are_critical(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = listener(&f, "10.0.0.1:80", 0, 128);
	fixture_sample(&f, 0);
	fake->sock.skmem[SKMEM_DROPS] = 1;
	fixture_sample(&f, 2);
	fake->sock.skmem[SKMEM_DROPS] = 2;
	fixture_count(&f, COUNTER_LISTEN_OVERFLOWS, 102);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	assert_string_equal(expect_one(&f, SEVERITY_CRITICAL)->threshold.name, "critical_samples");
	fixture_close(&f);
}

static void full_queue__in_one_look__is_critical(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t waiting = 3; waiting <= 4; waiting++) {
		fixture_open(&f, RULE);
		f.quick = true;
		listener(&f, "*:80", waiting, 3);
		fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", "10.0.0.2:5000")->sock.inode = 0;
		fake_set(f.fake[1], TCPI_LAST_DATA_SENT, 7000);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		expect_part_skipped(&f, "one sample");
		if (waiting == 3) {
			expect_silence(&f);
		} else {
			finding = expect_one(&f, SEVERITY_CRITICAL);
			assert_int_equal(evidence_of(finding, "children"), 1);
			assert_int_equal(evidence_of(finding, "oldest_child"), 7000);
			expect_against(finding, "one look only");
		}
		fixture_close(&f);
	}
}

static void full_queue__of_a_burst_just_come__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned waited = 999; waited <= 1000; waited++) {
		fixture_open(&f, RULE);
		f.quick = true;
		listener(&f, "*:80", 4, 3);
		fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", "10.0.0.2:5000")->sock.inode = 0;
		fake_set(f.fake[1], TCPI_LAST_DATA_SENT, waited);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (waited < 1000)
			expect_silence(&f);
		else
			expect_one(&f, SEVERITY_CRITICAL);
		fixture_close(&f);
	}
}

static void full_queue__that_stands__is_critical(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = listener(&f, "[::]:80", 4, 3);
	drop(&f, fake, 5, 0, 0);
	expect_one(&f, SEVERITY_CRITICAL);
	fixture_close(&f);
}

static void full_queue__in_the_last_sample_only__warns(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = listener(&f, "10.0.0.1:80", 1, 3);
	fixture_sample(&f, 0);
	fake->sock.recv_q = 4;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
}

static void burst__that_drains_without_drops__is_silent(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = listener(&f, "10.0.0.1:80", 64, 64);
	fixture_sample(&f, 0);
	fake->sock.recv_q = 10;
	fixture_sample(&f, 2);
	fake->sock.recv_q = 0;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	assert_true(f.verdict.miss_count == 1 && f.verdict.misses[0].value == 1.0);
	fixture_close(&f);
}

static void drops__without_overflows__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	drop(&f, listener(&f, "10.0.0.1:80", 0, 128), 5, 470, 0);
	expect_silence(&f);
	fixture_close(&f);
}

static void overflows__no_listener_owns_up__suspect_is_the_fullest(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = listener(&f, "10.0.0.1:80", 103, 128);
	drop(&f, fake, 5, 0, 7);
	assert_int_equal(expect_one(&f, SEVERITY_WARNING)->scope.local.port, 80);
	fixture_close(&f);

	fixture_open(&f, RULE);
	fake = listener(&f, "10.0.0.1:80", 102, 128);
	drop(&f, fake, 5, 0, 7);
	assert_false(expect_one(&f, SEVERITY_WARNING)->scope.has_local);
	fixture_close(&f);
}

static void owner__without_descriptors__is_said(void **state)
{
	struct process *owner;
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	owner = fixture_process(&f, 5, "httpd");
	owner->nofile = 100;
	owner->fds = 95;
	owner->start_us = 1000000000 - 40000000;
	listener(&f, "10.0.0.1:80", 4, 3)->owner = owner;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->detail, "EMFILE");
	assert_true(evidence_of(finding, "process_age") == 40e6);
	fixture_close(&f);
}

static void counters__missing__full_queue_still_speaks(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	f.no_counters = true;
	fake = listener(&f, "10.0.0.1:80", 4, 3);
	fixture_sample(&f, 0);
	fake->sock.skmem[SKMEM_DROPS] = 5;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_one(&f, SEVERITY_CRITICAL);
	expect_part_skipped(&f, "no kernel counters");
	fixture_close(&f);
}

static void sockets__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_judge(&f);
	expect_skipped(&f, "no sockets");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_drop__warns_and_names_the_listener),
		cmocka_unit_test(drops__at_ten_a_second__are_critical),
		cmocka_unit_test(drops__in_two_samples__are_critical),
		cmocka_unit_test(full_queue__in_one_look__is_critical),
		cmocka_unit_test(full_queue__of_a_burst_just_come__is_silent),
		cmocka_unit_test(full_queue__that_stands__is_critical),
		cmocka_unit_test(full_queue__in_the_last_sample_only__warns),
		cmocka_unit_test(burst__that_drains_without_drops__is_silent),
		cmocka_unit_test(drops__without_overflows__are_silent),
		cmocka_unit_test(overflows__no_listener_owns_up__suspect_is_the_fullest),
		cmocka_unit_test(owner__without_descriptors__is_said),
		cmocka_unit_test(counters__missing__full_queue_still_speaks),
		cmocka_unit_test(sockets__missing__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
