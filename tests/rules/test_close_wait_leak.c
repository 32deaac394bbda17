/* SPDX-License-Identifier: MIT */
/* close-wait-leak: sockets that nobody closes, and the pools and half-closes that look like them. */
#include "rules.h"

#define RULE "close-wait-leak"

/* @count sockets that got the peer's FIN @age_ms ago; nothing was sent since. */
static void leak(struct fixture *f, unsigned count, const char *local, const char *peer,
		 uint32_t age_ms, uint32_t recv_q, const struct process *owner)
{
	for (unsigned i = 0; i < count; i++) {
		struct fake *fake = fixture_sock(f, SOCK_STATE_CLOSE_WAIT, local, peer);

		fake->sock.recv_q = recv_q;
		fake->owner = owner;
		fake_set(fake, TCPI_LAST_ACK_RECV, age_ms);
		fake_set(fake, TCPI_LAST_DATA_RECV, age_ms + 5000);
		fake_set(fake, TCPI_LAST_DATA_SENT, age_ms + 5000);
	}
}

static struct process *app(struct fixture *f, uint64_t nofile)
{
	struct process *process = fixture_process(f, 4121, "app");

	process->nofile = nofile;
	process->fds = 20;
	return process;
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_judge(f);
}

static void many_and_old__are_critical(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t age = 599999; age <= 600000; age++) {
		fixture_open(&f, RULE);
		leak(&f, 50, "10.0.0.1:40000", "10.0.3.4:5432", age, 0, app(&f, 0));
		judge(&f);
		finding = expect_one(&f, age == 600000 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		expect_text(finding, finding->title,
			    "app[4121] keeps 50 connections that 10.0.3.4:5432 has closed");
		expect_against(finding, "history would tell");
		expect_against(finding, age == 600000 ? "cannot be seen" :
							"tcptriage states -e state close-wait pid = 4121");
		assert_true(finding->confidence <= (age == 600000 ? 0.9 : 0.6));
		fixture_close(&f);
	}
	fixture_open(&f, RULE);
	leak(&f, 49, "10.0.0.1:40000", "10.0.3.4:5432", 600000, 0, app(&f, 0));
	judge(&f);
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
}

static void half_the_descriptors__are_critical(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned count = 49; count <= 50; count++) {
		fixture_open(&f, RULE);
		leak(&f, count, "10.0.0.1:40000", "10.0.3.4:5432", 60000, 0, app(&f, 100));
		judge(&f);
		expect_one(&f, count == 50 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		fixture_close(&f);
	}
	fixture_open(&f, RULE);
	leak(&f, 50, "10.0.0.1:40000", "10.0.3.4:5432", 60000, 0, app(&f, 101));
	judge(&f);
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
}

static void thirty_that_saw_the_end__warn(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned count = 29; count <= 30; count++) {
		fixture_open(&f, RULE);
		leak(&f, count, "10.0.0.1:40000", "10.0.3.4:5432", 60000, 0, app(&f, 0));
		judge(&f);
		if (count == 30)
			assert_string_equal(expect_one(&f, SEVERITY_WARNING)->threshold.name, "eof_sockets");
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void a_tenth_of_the_descriptors__warns_from_ten_sockets(void **state)
{
	static const struct {
		unsigned count;
		uint64_t nofile;
		bool warns;
	} rows[] = { { 10, 100, true }, { 10, 101, false }, { 9, 64, false }, { 12, 64, true } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		leak(&f, rows[i].count, "10.0.0.1:40000", "10.0.3.4:5432", 60000, 0,
		     app(&f, rows[i].nofile));
		judge(&f);
		assert_int_equal(f.verdict.finding_count, rows[i].warns);
		fixture_close(&f);
	}
}

static void arriving_while_none_goes__warns(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned fresh = 0; fresh < 2; fresh++) {
		fixture_open(&f, RULE);
		leak(&f, 10, "10.0.0.1:40000", "10.0.3.4:5432", 60000, 0, app(&f, 0));
		leak(&f, fresh, "10.0.0.1:40001", "10.0.3.4:5432", 5000, 0, f.fake[0]->owner);
		judge(&f);
		if (fresh)
			assert_string_equal(expect_one(&f, SEVERITY_WARNING)->threshold.name, "growth_share");
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void a_single_one__is_info_after_ten_minutes(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t age = 599999; age <= 600000; age++) {
		fixture_open(&f, RULE);
		leak(&f, 1, "10.0.0.1:40000", "10.0.3.4:5432", age, 0, app(&f, 0));
		judge(&f);
		if (age == 600000)
			expect_one(&f, SEVERITY_INFO);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void just_below_a_minute__is_not_counted(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	leak(&f, 500, "10.0.0.1:40000", "10.0.3.4:5432", 59999, 0, app(&f, 100));
	judge(&f);
	expect_silence(&f);
	assert_true(f.verdict.misses[0].value == 59999);
	fixture_close(&f);
}

static void unread_end__says_that_nobody_reads(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "[::]:8080", "*:*");
	for (unsigned i = 0; i < 60; i++)
		leak(&f, 1, "10.0.0.1:8080", i % 2 ? "10.0.3.4:5432" : "10.0.3.5:5433", 700000, 1, app(&f, 0));
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->detail, "the reader does not run");
	expect_text(finding, finding->title, "accepted on port 8080");
	assert_int_equal(evidence_of(finding, "unread"), 60);
	assert_int_equal(evidence_of(finding, "aged_10m_1h"), 60);
	fixture_close(&f);
}

static void lazy_pool__is_info(void **state)
{
	static const struct {
		uint32_t recv_q;
		enum severity severity;
	} rows[] = { { 535, SEVERITY_INFO }, { 4096, SEVERITY_INFO }, { 4097, SEVERITY_CRITICAL } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		leak(&f, 60, "10.0.0.1:40000", "10.0.3.4:443", 700000, rows[i].recv_q, app(&f, 0));
		judge(&f);
		finding = expect_one(&f, rows[i].severity);
		if (rows[i].severity == SEVERITY_INFO)
			expect_text(finding, finding->title, "Pooled connections");
		fixture_close(&f);
	}
}

static void half_close__still_sending__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	leak(&f, 60, "10.0.0.1:40000", "10.0.3.4:80", 700000, 0, app(&f, 0));
	for (unsigned i = 0; i < 60; i++)
		fake_set(f.fake[i], TCPI_LAST_DATA_SENT, 4999);
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);

	fixture_open(&f, RULE);
	leak(&f, 60, "10.0.0.1:40000", "10.0.3.4:80", 700000, 0, app(&f, 0));
	fixture_sample(&f, 0);
	for (unsigned i = 0; i < 60; i++)
		fake_set(f.fake[i], TCPI_BYTES_SENT, 1);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void not_accepted__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:80", "*:*");
	leak(&f, 60, "10.0.0.1:80", "10.0.3.4:5000", 700000, 1, NULL);
	for (unsigned i = 1; i <= 60; i++)
		f.fake[i]->sock.inode = 0;
	judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void keepalives__age_is_a_bound_and_said_so(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	leak(&f, 60, "10.0.0.1:40000", "10.0.3.4:80", 1000, 0, app(&f, 0));
	for (unsigned i = 0; i < 60; i++) {
		f.fake[i]->sock.timer = SOCK_TIMER_KEEPALIVE;
		fake_set(f.fake[i], TCPI_LAST_DATA_RECV, 700000);
		fake_set(f.fake[i], TCPI_LAST_DATA_SENT, 700000);
	}
	judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	expect_against(finding, "closed a moment ago");
	expect_text(finding, finding->title, "unknown age");
	assert_int_equal(finding->count, 60);
	fixture_close(&f);

	/* no answer since the FIN: the bound alone is old enough */
	fixture_open(&f, RULE);
	leak(&f, 60, "10.0.0.1:40000", "10.0.3.4:80", 700000, 0, app(&f, 0));
	for (unsigned i = 0; i < 60; i++)
		f.fake[i]->sock.timer = SOCK_TIMER_KEEPALIVE;
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_against(finding, "lower bound");
	assert_true(finding->confidence < 0.75);
	fixture_close(&f);
}

static void two_processes__are_two_findings_with_ids_of_their_own(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	leak(&f, 60, "10.0.0.1:40000", "10.0.3.4:80", 700000, 0, fixture_process(&f, 1, "worker"));
	leak(&f, 60, "10.0.0.1:40000", "10.0.3.4:80", 700000, 0, fixture_process(&f, 2, "worker"));
	judge(&f);
	assert_int_equal(f.verdict.finding_count, 2);
	assert_true(f.verdict.findings[0]->id != f.verdict.findings[1]->id);
	fixture_close(&f);
}

static void owner__unknown__is_said(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	leak(&f, 60, "[2001:db8::1]:40000", "[2001:db8::2]:80", 700000, 0, NULL);
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->title, "an unknown process keeps 60");
	expect_against(finding, "owner could not be read");
	fixture_close(&f);
}

static void tcp_info__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.info_len = 0;
	fixture_sock(&f, SOCK_STATE_CLOSE_WAIT, "10.0.0.1:40000", "10.0.3.4:80");
	judge(&f);
	expect_skipped(&f, "tcp_info");
	fixture_close(&f);

	fixture_open(&f, RULE);
	judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "history");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_and_old__are_critical),
		cmocka_unit_test(half_the_descriptors__are_critical),
		cmocka_unit_test(thirty_that_saw_the_end__warn),
		cmocka_unit_test(a_tenth_of_the_descriptors__warns_from_ten_sockets),
		cmocka_unit_test(arriving_while_none_goes__warns),
		cmocka_unit_test(a_single_one__is_info_after_ten_minutes),
		cmocka_unit_test(just_below_a_minute__is_not_counted),
		cmocka_unit_test(unread_end__says_that_nobody_reads),
		cmocka_unit_test(lazy_pool__is_info),
		cmocka_unit_test(half_close__still_sending__is_silent),
		cmocka_unit_test(not_accepted__is_silent),
		cmocka_unit_test(keepalives__age_is_a_bound_and_said_so),
		cmocka_unit_test(two_processes__are_two_findings_with_ids_of_their_own),
		cmocka_unit_test(owner__unknown__is_said),
		cmocka_unit_test(tcp_info__missing__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
