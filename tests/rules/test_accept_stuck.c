/* SPDX-License-Identifier: MIT */
/* accept-stuck: connections that wait for accept(), and queues that only look as if nobody came. */
#include "rules.h"

#define RULE "accept-stuck"

static struct fake *listener(struct fixture *f, const char *local, uint32_t waiting, uint32_t backlog)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_LISTEN, local, "*:*");

	fake->sock.recv_q = waiting;
	fake->sock.send_q = backlog;
	fake->sock.has |= SOCK_HAS_SKMEM;
	return fake;
}

/* A connection that nobody has accepted for @waited_ms, although its client talks: only last_data_sent tells. */
static struct fake *child(struct fixture *f, enum sock_state state, const char *local, uint32_t waited_ms)
{
	struct fake *fake = fixture_sock(f, state, local, "10.0.0.9:5000");

	fake->sock.inode = 0;
	fake->sock.peer.port = (uint16_t)(5000 + f->count);
	fake_set(fake, TCPI_LAST_DATA_SENT, waited_ms);
	fake_set(fake, TCPI_LAST_DATA_RECV, 8);
	fake_set(fake, TCPI_LAST_ACK_RECV, 8);
	return fake;
}

static void sample_and_judge(struct fixture *f, double seconds)
{
	fixture_sample(f, 0);
	fixture_sample(f, seconds / 2);
	fixture_sample(f, seconds);
	fixture_judge(f);
}

/* A listener with @waiting in its queue, the oldest for @oldest_ms, watched for five seconds. */
static void one_queue(struct fixture *f, uint32_t waiting, uint32_t oldest_ms)
{
	fixture_open(f, RULE);
	listener(f, "10.0.0.1:80", waiting, 128)->owner = fixture_process(f, 5, "httpd");
	for (uint32_t i = 0; i < waiting; i++)
		child(f, SOCK_STATE_ESTAB, "10.0.0.1:80", i ? 500 : oldest_ms);
	sample_and_judge(f, 5);
}

static void wait__edges__of_warning_and_critical(void **state)
{
	static const struct {
		uint32_t oldest_ms;
		int severity; /* −1 silent */
		const char *threshold;
	} rows[] = { { 999, -1, "" },
		     { 1000, SEVERITY_WARNING, "oldest" },
		     { 4999, SEVERITY_WARNING, "oldest" },
		     { 5000, SEVERITY_CRITICAL, "critical_oldest" } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		one_queue(&f, 2, rows[i].oldest_ms);
		if (rows[i].severity < 0) {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
			assert_int_equal(f.verdict.misses[0].value, 999);
		} else {
			assert_string_equal(expect_one(&f, (enum severity)rows[i].severity)->threshold.name,
					    rows[i].threshold);
		}
		fixture_close(&f);
	}
}

static void finding__names_owner_listener_and_numbers(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	one_queue(&f, 2, 7000);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->scope.pid, 5);
	assert_int_equal(finding->scope.local.port, 80);
	assert_int_equal(finding->count, 2);
	assert_true(finding->confidence == 0.95);
	assert_true(finding->scope_factor == 1);
	assert_int_equal(evidence_of(finding, "recv_q"), 2);
	assert_int_equal(evidence_of(finding, "backlog"), 128);
	assert_int_equal(evidence_of(finding, "children"), 2);
	assert_int_equal(evidence_of(finding, "oldest_child"), 7000);
	assert_int_equal(evidence_of(finding, "least"), 2);
	expect_text(finding, finding->title, "httpd[5] does not accept on 10.0.0.1:80: 2 connections wait, the oldest for 7 s");
	expect_text(finding, finding->detail, "2 wait now, 2 at the least, backlog 128");
	assert_null(finding->against[0]);
	assert_string_equal(finding_evidence(finding, "process_state")->text, "sleeping");
	fixture_close(&f);
}

static void full_queue__is_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	listener(&f, "10.0.0.1:80", 4, 3);
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 7000);
	sample_and_judge(&f, 5);
	expect_text(expect_one(&f, SEVERITY_CRITICAL), expect_one(&f, SEVERITY_CRITICAL)->detail, "the queue is full");
	fixture_close(&f);
}

static void one_connection__reads_as_one(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	one_queue(&f, 1, 7000);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->title, "a connection has waited for 7 s");
	fixture_close(&f);
}

static void client_gone__is_critical_once_it_had_waited(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t waited = 999; waited <= 1000; waited++) {
		fixture_open(&f, RULE);
		listener(&f, "*:80", 2, 128);
		child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 1500);
		child(&f, SOCK_STATE_CLOSE_WAIT, "10.0.0.1:80", waited);
		sample_and_judge(&f, 5);
		finding = expect_one(&f, waited < 1000 ? SEVERITY_WARNING : SEVERITY_CRITICAL);
		assert_int_equal(evidence_of(finding, "gave_up"), waited < 1000 ? 0 : 1);
		if (waited == 1000) {
			assert_string_equal(finding->threshold.name, "gave_up");
			expect_text(finding, finding->detail, "clients of 1 of them have closed");
		}
		expect_against(finding, "owner of the listener");
		fixture_close(&f);
	}
}

/* First in, first out: with the head younger than the run, what stood in front of it has been taken. */
static void queue_that_moves__is_slow_not_stuck(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	one_queue(&f, 3, 4000);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "httpd[5] accepts too slowly");
	expect_against(finding, "the queue moves");
	fixture_close(&f);

	one_queue(&f, 1, 4000);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "httpd[5] accepts too slowly");
	fixture_close(&f);
}

/* Clients that send a reset leave the queue as long as it was, but no socket. */
static void places_without_a_socket__show_that_nobody_accepts(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	listener(&f, "10.0.0.1:80", 6, 128)->owner = fixture_process(&f, 5, "httpd");
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 2000);
	sample_and_judge(&f, 5);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "does not accept");
	fixture_close(&f);
}

static void queue__once_empty__is_silent(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = listener(&f, "10.0.0.1:80", 2, 128);
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 7000);
	fixture_sample(&f, 0);
	fake->sock.recv_q = 0;
	fixture_sample(&f, 2);
	fake->sock.recv_q = 2;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void look_alikes__are_silent(void **state)
{
	static const struct {
		enum sock_state state;
		uint32_t inode, waiting, waited_ms;
	} rows[] = {
		{ SOCK_STATE_FIN_WAIT_1, 0, 1, 9000 }, /* orphans: closed by the program */
		{ SOCK_STATE_FIN_WAIT_2, 0, 1, 9000 },
		{ SOCK_STATE_LAST_ACK, 0, 1, 9000 },
		{ SOCK_STATE_CLOSING, 0, 1, 9000 },
		{ SOCK_STATE_SYN_RECV, 0, 0, 9000 }, /* TCP_DEFER_ACCEPT */
		{ SOCK_STATE_ESTAB, 777, 1, 9000 },  /* held by a process that we cannot see */
		{ SOCK_STATE_ESTAB, 0, 2, 40 },	     /* a moment under load */
		{ SOCK_STATE_ESTAB, 0, 0, 9000 },    /* taken before the listener was looked at */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		listener(&f, "10.0.0.1:80", rows[i].waiting, 128);
		fake = child(&f, rows[i].state, "10.0.0.1:80", rows[i].waited_ms);
		fake->sock.inode = rows[i].inode;
		sample_and_judge(&f, 5);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void other_listener__does_not_answer_for_these_children(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	listener(&f, "10.0.0.1:80", 1, 128);
	listener(&f, "10.0.0.1:81", 0, 128);
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:81", 9000);
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 10);
	sample_and_judge(&f, 5);
	expect_silence(&f);
	fixture_close(&f);
}

/* SO_REUSEPORT: one finding for the endpoint; the owner is that of the queue that stands, and the doubt is said. */
static void shared_endpoint__is_one_finding__with_its_doubt(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *standing;

	(void)state;
	fixture_open(&f, RULE);
	listener(&f, "*:80", 0, 128)->owner = fixture_process(&f, 4, "good");
	standing = listener(&f, "*:80", 3, 128);
	standing->owner = fixture_process(&f, 5, "stuck");
	listener(&f, "*:80", 0, 128)->owner = fixture_process(&f, 6, "good");
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 9000);
	sample_and_judge(&f, 5);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->scope.pid, 5);
	assert_int_equal(finding->count, 3);
	assert_true(finding->confidence == 0.85);
	assert_int_equal(evidence_of(finding, "listeners"), 3);
	expect_against(finding, "3 listeners share this endpoint");
	fixture_close(&f);

	fixture_open(&f, RULE);
	listener(&f, "*:80", 2, 128)->owner = fixture_process(&f, 4, "stuck");
	listener(&f, "*:80", 3, 128)->owner = fixture_process(&f, 5, "stuck");
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 9000);
	sample_and_judge(&f, 5);
	assert_int_equal(expect_one(&f, SEVERITY_CRITICAL)->count, 5);
	fixture_close(&f);
}

static void endpoints_of_both_families__are_told_apart(void **state)
{
	struct fixture f;
	struct fake *v6;

	(void)state;
	fixture_open(&f, RULE);
	listener(&f, "*:80", 1, 128)->owner = fixture_process(&f, 4, "four");
	v6 = listener(&f, "[::]:80", 1, 128);
	v6->sock.v6only = true;
	v6->owner = fixture_process(&f, 6, "six");
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 10);
	child(&f, SOCK_STATE_ESTAB, "[2001:db8::1]:80", 9000);
	sample_and_judge(&f, 5);
	assert_int_equal(expect_one(&f, SEVERITY_CRITICAL)->scope.pid, 6);
	fixture_close(&f);
}

static void one_client_served__is_said(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned served = 1; served <= 2; served++) {
		const struct finding *finding;

		fixture_open(&f, RULE);
		listener(&f, "127.0.0.1:80", 1, 128)->owner = fixture_process(&f, 4, "serial");
		for (unsigned i = 0; i < served; i++)
			fixture_sock(&f, SOCK_STATE_ESTAB, "127.0.0.1:80", "127.0.0.1:6000")->sock.peer.port += i;
		child(&f, SOCK_STATE_ESTAB, "127.0.0.1:80", 9000);
		child(&f, SOCK_STATE_CLOSE_WAIT, "127.0.0.1:80", 9000);
		sample_and_judge(&f, 5);
		finding = expect_one(&f, SEVERITY_CRITICAL);
		assert_int_equal(evidence_of(finding, "served"), served);
		assert_true(finding->scope_factor == 0.8);
		if (served == 1)
			expect_against(finding, "one after the other");
		else
			assert_null(finding->against[0]);
		fixture_close(&f);
	}
}

static void owner__without_descriptors__is_said(void **state)
{
	struct process *owner;
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (uint32_t fds = 94; fds <= 95; fds++) {
		fixture_open(&f, RULE);
		owner = fixture_process(&f, 5, "httpd");
		owner->nofile = 100;
		owner->fds = fds;
		listener(&f, "10.0.0.1:80", 1, 128)->owner = owner;
		child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 9000);
		sample_and_judge(&f, 5);
		finding = expect_one(&f, SEVERITY_CRITICAL);
		expect_text(finding, finding->detail, fds == 95 ? "95 of 100 fds: accept() fails with EMFILE" : "nothing is dropped");
		fixture_close(&f);
	}
}

/* A dump without tcp_info asks for that of candidates: children of no inode are, accepted connections are not. */
static void candidates__are_connections_without_inode(void **state)
{
	const struct rule *rule = triage_rule_find(RULE);
	struct sock sock = { .state = SOCK_STATE_ESTAB, .inode = 7 };

	(void)state;
	assert_false(rule->candidate(&sock));
	sock.inode = 0;
	assert_true(rule->candidate(&sock));
	assert_true(rule->quota > 0);
}

static void ages__missing__are_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.snap.info_for_all = false;
	listener(&f, "10.0.0.1:80", 1, 128);
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 9000)->sock.info.len = 0;
	sample_and_judge(&f, 5);
	expect_silence(&f);
	expect_part_skipped(&f, "tcp_info of them");
	fixture_close(&f);
}

static void one_sample__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.quick = true;
	listener(&f, "10.0.0.1:80", 2, 128);
	child(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", 9000);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "two samples");
	fixture_close(&f);
}

static void no_tcp_info__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.info_len = 0;
	listener(&f, "10.0.0.1:80", 2, 128);
	fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:80", "10.0.0.9:5000")->sock.inode = 0;
	sample_and_judge(&f, 5);
	expect_skipped(&f, "no tcp_info");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wait__edges__of_warning_and_critical),
		cmocka_unit_test(finding__names_owner_listener_and_numbers),
		cmocka_unit_test(full_queue__is_said),
		cmocka_unit_test(one_connection__reads_as_one),
		cmocka_unit_test(client_gone__is_critical_once_it_had_waited),
		cmocka_unit_test(queue_that_moves__is_slow_not_stuck),
		cmocka_unit_test(places_without_a_socket__show_that_nobody_accepts),
		cmocka_unit_test(queue__once_empty__is_silent),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(other_listener__does_not_answer_for_these_children),
		cmocka_unit_test(shared_endpoint__is_one_finding__with_its_doubt),
		cmocka_unit_test(endpoints_of_both_families__are_told_apart),
		cmocka_unit_test(one_client_served__is_said),
		cmocka_unit_test(owner__without_descriptors__is_said),
		cmocka_unit_test(candidates__are_connections_without_inode),
		cmocka_unit_test(ages__missing__are_said),
		cmocka_unit_test(one_sample__is_skipped),
		cmocka_unit_test(no_tcp_info__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
