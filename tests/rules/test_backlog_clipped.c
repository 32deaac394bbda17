/* SPDX-License-Identifier: MIT */
/* backlog-clipped: short queues of listeners in use, and those that nobody needs to know of. */
#include "rules.h"

#define RULE "backlog-clipped"

static struct fake *listener(struct fixture *f, const char *local, uint32_t backlog)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_LISTEN, local, "*:*");

	fake->sock.send_q = backlog;
	fake->sock.has |= SOCK_HAS_SKMEM;
	fake->owner = fixture_process(f, 5, "httpd");
	return fake;
}

static void clients(struct fixture *f, enum sock_state state, const char *local, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		fixture_sock(f, state, local, "10.0.0.9:1000")->sock.peer.port += (uint16_t)i;
}

static void sample_and_judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 5);
	fixture_judge(f);
}

/* One listener on @local with @estab and @time_wait connections, on a host whose somaxconn is given. */
static void one_listener(struct fixture *f, const char *local, uint32_t backlog, int64_t somaxconn,
			 unsigned estab, unsigned time_wait)
{
	fixture_open(f, RULE);
	fixture_sysctl(f, SYSCTL_SOMAXCONN, somaxconn);
	listener(f, local, backlog);
	listener(f, "10.0.0.7:22", 4096);
	clients(f, SOCK_STATE_ESTAB, local, estab);
	clients(f, SOCK_STATE_TIME_WAIT, local, time_wait);
	sample_and_judge(f);
}

static void clipped__names_listener_limit_and_doubt(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	one_listener(&f, "10.0.0.1:80", 128, 128, 30, 0);
	finding = expect_one(&f, SEVERITY_INFO);
	assert_int_equal(finding->scope.local.port, 80);
	assert_int_equal(finding->scope.pid, 5);
	assert_int_equal(finding->count, 30);
	assert_string_equal(finding->threshold.name, "clipped");
	assert_true(finding->confidence == 0.7);
	expect_text(finding, finding->title, "httpd[5] has a backlog of 128 on 10.0.0.1:80: all that net.core.somaxconn allows");
	expect_text(finding, finding->detail, "30 connections");
	expect_against(finding, "asked for exactly 128");
	expect_against(finding, "nothing was dropped");
	assert_int_equal(evidence_of(finding, "somaxconn"), 128);
	fixture_close(&f);
}

static void clipped__edges(void **state)
{
	static const struct {
		uint32_t backlog;
		int64_t somaxconn;
		bool fires;
	} rows[] = { { 1023, 1023, true }, { 1024, 1024, false }, { 4096, 4096, false }, { 127, 128, false },
		     { 128, 4096, false } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		one_listener(&f, "10.0.0.1:80", rows[i].backlog, rows[i].somaxconn, 100, 0);
		if (rows[i].fires)
			expect_one(&f, SEVERITY_INFO);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void tiny__edges(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t backlog = 16; backlog <= 17; backlog++) {
		one_listener(&f, "[::]:80", backlog, 4096, 100, 0);
		if (backlog == 16) {
			finding = expect_one(&f, SEVERITY_INFO);
			assert_string_equal(finding->threshold.name, "tiny");
			assert_true(finding->confidence == 0.9);
			expect_text(finding, finding->title, "a backlog of only 16 on [::]:80");
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void traffic__edge__open_and_in_time_wait_count(void **state)
{
	static const unsigned estab[] = { 29, 29, 30, 0 }, time_wait[] = { 0, 1, 0, 30 };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(estab); i++) {
		one_listener(&f, "10.0.0.1:80", 5, 4096, estab[i], time_wait[i]);
		if (i) {
			expect_one(&f, SEVERITY_INFO);
		} else {
			expect_silence(&f);
			expect_part_skipped(&f, "idle now: needs history");
		}
		fixture_close(&f);
	}
}

static void loopback__is_silent(void **state)
{
	static const char *const locals[] = { "127.0.0.1:80", "[::1]:80" };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(locals); i++) {
		one_listener(&f, locals[i], 5, 4096, 100, 100);
		expect_silence(&f);
		fixture_close(&f);
		one_listener(&f, locals[i], 128, 128, 100, 100);
		expect_silence(&f);
		fixture_close(&f);
	}
}

/* Clients that close first leave no socket here; the counter is proof only where nobody else listens. */
static void passive_opens__speak_for_a_listener_that_is_alone(void **state)
{
	static const struct {
		unsigned others;
		uint64_t opens;
		bool fires;
	} rows[] = { { 0, 5, true }, { 0, 4, false }, { 1, 500, false } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		listener(&f, "10.0.0.1:80", 5);
		if (rows[i].others)
			listener(&f, "10.0.0.1:22", 4096);
		fixture_sample(&f, 0);
		fixture_count(&f, COUNTER_TCP_PASSIVE_OPENS, 100 + rows[i].opens);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (rows[i].fires)
			expect_one(&f, SEVERITY_INFO);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void drops__of_its_own__warn_without_other_traffic(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint64_t overflows = 0; overflows <= 1; overflows++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = listener(&f, "10.0.0.1:80", 5);
		fixture_sample(&f, 0);
		fake->sock.skmem[SKMEM_DROPS] = 3;
		fixture_count(&f, COUNTER_LISTEN_OVERFLOWS, 100 + overflows);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (!overflows) {
			expect_silence(&f); /* SYNs are dropped for other reasons too */
		} else {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_string_equal(finding->threshold.name, "drops");
			expect_text(finding, finding->detail, "too short in this run");
			assert_null(finding->against[0]);
		}
		fixture_close(&f);
	}
}

static void queue_over_its_backlog__warns(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t waiting = 5; waiting <= 6; waiting++) {
		fixture_open(&f, RULE);
		listener(&f, "10.0.0.1:80", 5)->sock.recv_q = waiting;
		clients(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 30);
		sample_and_judge(&f);
		finding = expect_one(&f, waiting == 6 ? SEVERITY_WARNING : SEVERITY_INFO);
		if (waiting == 6) {
			assert_string_equal(finding->threshold.name, "full");
			expect_text(finding, finding->detail, "it was full: 6 waited at most, no drop was counted");
		}
		fixture_close(&f);
	}
}

static void connections_that_wait__warn_from_a_second_on(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t waited = 999; waited <= 1000; waited++) {
		struct fake *child;

		fixture_open(&f, RULE);
		listener(&f, "10.0.0.1:80", 5)->sock.recv_q = 1;
		clients(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 30);
		child = fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", "10.0.0.9:5000");
		child->sock.inode = 0;
		fake_set(child, TCPI_LAST_DATA_SENT, waited);
		sample_and_judge(&f);
		finding = expect_one(&f, waited == 1000 ? SEVERITY_WARNING : SEVERITY_INFO);
		if (waited == 1000)
			expect_text(finding, finding->detail, "1 wait now, the oldest for 1 s");
		fixture_close(&f);
	}
}

static void shared_endpoint__is_one_finding(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	for (unsigned i = 0; i < 4; i++)
		listener(&f, "*:80", 5);
	clients(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 40);
	sample_and_judge(&f);
	assert_int_equal(evidence_of(expect_one(&f, SEVERITY_INFO), "listeners"), 4);
	fixture_close(&f);
}

static void one_look__says_what_it_cannot_see(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.quick = true;
	listener(&f, "10.0.0.1:80", 5);
	clients(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 40);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_against(expect_one(&f, SEVERITY_INFO), "one look only");
	expect_part_skipped(&f, "one sample");
	fixture_close(&f);
}

static void somaxconn__unknown__tiny_ones_are_still_judged(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.no_sysctls = true;
	listener(&f, "10.0.0.1:80", 5);
	listener(&f, "10.0.0.1:81", 128);
	clients(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 40);
	clients(&f, SOCK_STATE_ESTAB, "10.0.0.1:81", 40);
	sample_and_judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_INFO)->scope.local.port, 80);
	expect_part_skipped(&f, "somaxconn could not be read");
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
		cmocka_unit_test(clipped__names_listener_limit_and_doubt),
		cmocka_unit_test(clipped__edges),
		cmocka_unit_test(tiny__edges),
		cmocka_unit_test(traffic__edge__open_and_in_time_wait_count),
		cmocka_unit_test(loopback__is_silent),
		cmocka_unit_test(passive_opens__speak_for_a_listener_that_is_alone),
		cmocka_unit_test(drops__of_its_own__warn_without_other_traffic),
		cmocka_unit_test(queue_over_its_backlog__warns),
		cmocka_unit_test(connections_that_wait__warn_from_a_second_on),
		cmocka_unit_test(shared_endpoint__is_one_finding),
		cmocka_unit_test(one_look__says_what_it_cannot_see),
		cmocka_unit_test(somaxconn__unknown__tiny_ones_are_still_judged),
		cmocka_unit_test(sockets__missing__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
