/* SPDX-License-Identifier: MIT */
/* recvq-not-drained: readers that stand still, and those that are only busy. */
#include "rules.h"

#define RULE "recvq-not-drained"

/* An accepted socket with @recv_q bytes unread, of which the last came @quiet_ms ago. */
static struct fake *waiting(struct fixture *f, uint32_t recv_q, uint32_t quiet_ms)
{
	struct fake *fake;

	if (!f->count)
		fixture_sock(f, SOCK_STATE_LISTEN, "*:80", "*:*");
	fake = fixture_sock(f, SOCK_STATE_ESTAB, "10.0.0.1:80", "10.0.0.2:5000");
	fake->sock.peer.port = (uint16_t)(5000 + f->count);
	fake->sock.recv_q = recv_q;
	fake_set(fake, TCPI_BYTES_RECEIVED, recv_q);
	fake_set(fake, TCPI_LAST_DATA_RECV, quiet_ms);
	fake_set(fake, TCPI_RCV_WND, 60000);
	fake_set(fake, TCPI_ADVMSS, 1448);
	return fake;
}

static void judge(struct fixture *f, double seconds)
{
	fixture_sample(f, 0);
	fixture_sample(f, seconds);
	fixture_judge(f);
}

static void constant__time_and_size_at_their_limits(void **state)
{
	static const struct {
		uint32_t recv_q, quiet_ms;
		int severity;
	} rows[] = { { 1024, 2000, SEVERITY_WARNING },	{ 1023, 2000, -1 },
		     { 1024, 1999, -1 },		{ 1024, 9999, SEVERITY_WARNING },
		     { 1024, 10000, SEVERITY_CRITICAL } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		waiting(&f, rows[i].recv_q, rows[i].quiet_ms)->owner = fixture_process(&f, 8, "srv");
		judge(&f, 1);
		if (rows[i].severity < 0) {
			expect_silence(&f);
		} else {
			const struct finding *finding = expect_one(&f, (enum severity)rows[i].severity);

			assert_int_equal(evidence_of(finding, "stuck"), rows[i].quiet_ms);
			expect_text(finding, finding->title, "srv[8] does not read");
		}
		fixture_close(&f);
	}
}

static void several_sockets__whatever_the_size(void **state)
{
	static const struct {
		unsigned count;
		int severity;
	} rows[] = { { 2, -1 }, { 3, SEVERITY_WARNING }, { 9, SEVERITY_WARNING }, { 10, SEVERITY_CRITICAL } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		for (unsigned k = 0; k < rows[i].count; k++)
			waiting(&f, 1, 2500);
		judge(&f, 1);
		if (rows[i].severity < 0)
			expect_silence(&f);
		else
			assert_int_equal(expect_one(&f, (enum severity)rows[i].severity)->count, rows[i].count);
		fixture_close(&f);
	}
}

static void growing__nothing_consumed__warns(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = waiting(&f, 10000, 0);
	fixture_sample(&f, 0);
	fake->sock.recv_q = 20000;
	fake_set(fake, TCPI_BYTES_RECEIVED, 20000);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(evidence_of(finding, "growing"), 1);
	assert_int_equal(evidence_of(finding, "stuck"), 5000);
	fixture_count(&f, COUNTER_TCP_TO_ZERO_WINDOW_ADV, 101);
	fixture_sample(&f, 6);
	fixture_judge(&f);
	expect_one(&f, SEVERITY_CRITICAL);
	fixture_close(&f);
}

static void full_buffer__is_critical(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (uint32_t rmem = 899; rmem <= 900; rmem++) {
		fixture_open(&f, RULE);
		fake = waiting(&f, 128504, 3000);
		fake->sock.has |= SOCK_HAS_SKMEM;
		fake->sock.skmem[SKMEM_RMEM] = rmem;
		fake->sock.skmem[SKMEM_RCVBUF] = 1000;
		judge(&f, 5);
		expect_one(&f, rmem == 900 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		fixture_close(&f);
	}
	fixture_open(&f, RULE);
	fake_set(waiting(&f, 128504, 3000), TCPI_RCV_WND, 1447);
	judge(&f, 5);
	expect_text(expect_one(&f, SEVERITY_CRITICAL), f.verdict.findings[0]->detail,
		    "the peer has been told to stop");
	fixture_close(&f);
}

static void close_wait__with_data__counts_but_not_the_bare_end(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t recv_q = 1; recv_q <= 2001; recv_q += 2000) {
		fixture_open(&f, RULE);
		waiting(&f, recv_q, 5000)->sock.state = SOCK_STATE_CLOSE_WAIT;
		judge(&f, 5);
		if (recv_q == 1)
			expect_silence(&f);
		else
			expect_one(&f, SEVERITY_WARNING);
		fixture_close(&f);
	}
}

static void busy_reader__consumes__is_silent(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = waiting(&f, 100000, 0);
	fixture_sample(&f, 0);
	fake->sock.recv_q = 120000;
	fake_set(fake, TCPI_BYTES_RECEIVED, 120001);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void queue__that_was_once_empty_or_lower__is_silent(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (uint32_t between = 0; between <= 4999; between += 4999) {
		fixture_open(&f, RULE);
		fake = waiting(&f, 5000, 3000);
		fixture_sample(&f, 0);
		fake->sock.recv_q = between;
		fixture_sample(&f, 2);
		fake->sock.recv_q = 5000;
		fixture_sample(&f, 5);
		fixture_judge(&f);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void idle_pool__with_session_tickets__is_silent(void **state)
{
	static const struct {
		uint32_t recv_q, sent_ms;
		bool fires;
	} rows[] = { { 510, 60001, false }, { 4095, 60000, false }, { 4096, 60001, true }, { 2000, 59999, true } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:40000", "10.0.0.2:443");
		fake->sock.recv_q = rows[i].recv_q;
		fake_set(fake, TCPI_LAST_DATA_RECV, 60000);
		fake_set(fake, TCPI_LAST_DATA_SENT, rows[i].sent_ms);
		fake_set(fake, TCPI_RCV_WND, 60000);
		judge(&f, 5);
		assert_int_equal(f.verdict.finding_count, rows[i].fires);
		fixture_close(&f);
	}
}

static void stopped_process__is_info(void **state)
{
	const struct finding *finding;
	struct process *owner;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	owner = fixture_process(&f, 8, "srv");
	owner->run_state = 't';
	waiting(&f, 5000, 60000)->owner = owner;
	judge(&f, 5);
	finding = expect_one(&f, SEVERITY_INFO);
	expect_against(finding, "stopped");
	fixture_close(&f);
}

static void not_accepted__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	waiting(&f, 5000, 60000)->sock.inode = 0;
	judge(&f, 5);
	expect_silence(&f);
	fixture_close(&f);
}

static void one_sample__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.quick = true;
	waiting(&f, 5000, 60000);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "--quick");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constant__time_and_size_at_their_limits),
		cmocka_unit_test(several_sockets__whatever_the_size),
		cmocka_unit_test(growing__nothing_consumed__warns),
		cmocka_unit_test(full_buffer__is_critical),
		cmocka_unit_test(close_wait__with_data__counts_but_not_the_bare_end),
		cmocka_unit_test(busy_reader__consumes__is_silent),
		cmocka_unit_test(queue__that_was_once_empty_or_lower__is_silent),
		cmocka_unit_test(idle_pool__with_session_tickets__is_silent),
		cmocka_unit_test(stopped_process__is_info),
		cmocka_unit_test(not_accepted__is_silent),
		cmocka_unit_test(one_sample__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
