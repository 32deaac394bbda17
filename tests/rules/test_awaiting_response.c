/* SPDX-License-Identifier: MIT */
/* awaiting-response: requests that nobody answers, and connections that only look so. */
#include "rules.h"

#define RULE "awaiting-response"

/* A connection of ours to @peer, on which we spoke last @sent_ms ago and the peer @apart_ms earlier. */
static struct fake *asked(struct fixture *f, const char *peer, uint32_t sent_ms, uint32_t apart_ms)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, "10.0.0.1:40000", peer);

	fake->sock.local.port = (uint16_t)(40000 + f->count);
	fake_set(fake, TCPI_LAST_DATA_SENT, sent_ms);
	fake_set(fake, TCPI_LAST_DATA_RECV, sent_ms + apart_ms);
	fake_set(fake, TCPI_LAST_ACK_RECV, sent_ms - 1);
	fake_set(fake, TCPI_BYTES_ACKED, 201);
	fake_set(fake, TCPI_BYTES_RECEIVED, 5000);
	return fake;
}

static struct fake *waiting(struct fixture *f)
{
	return asked(f, "10.0.0.2:443", 45000, 100);
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void two__to_one_destination__are_info(void **state)
{
	const struct finding *finding;
	struct process *owner;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	owner = fixture_process(&f, 8, "app");
	waiting(&f)->owner = owner;
	asked(&f, "10.0.0.2:443", 61000, 100)->owner = owner;
	judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	assert_int_equal(finding->count, 2);
	assert_true(finding->confidence >= 0.4 && finding->confidence <= 0.5);
	assert_true(finding->share == 1);
	assert_int_equal(finding->scope.peer.port, 443);
	expect_text(finding, finding->title, "app[8] waits for 10.0.0.2:443 on 2 connections");
	expect_text(finding, finding->detail, "longest 61 s, shortest 45 s · all 400 B were delivered");
	expect_text(finding, finding->detail, "the kernel never gives up");
	expect_against(finding, "a watch, a long poll or a subscription looks the same");
	assert_null(finding->against[1]);
	assert_string_equal(finding_evidence(finding, "timeout")->text, "request");
	assert_null(finding_evidence(finding, "gives_up"));
	assert_int_equal(evidence_of(finding, "received"), 10000);
	assert_string_equal(finding->threshold.name, "sockets");
	expect_part_skipped(&f, "needs history");
	fixture_close(&f);
}

static void however_long_and_many__never_more_than_info(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	for (unsigned i = 0; i < 500; i++)
		asked(&f, "10.0.0.2:443", 36000000, 100);
	judge(&f);
	assert_true(expect_one(&f, SEVERITY_INFO)->confidence <= 0.5);
	fixture_close(&f);
}

static void each_limit__at_its_edge(void **state)
{
	static const struct {
		uint32_t sent_ms, apart_ms;
		unsigned sockets;
		bool fires;
	} rows[] = { { 30000, 9, 2, true }, { 29999, 9, 2, false }, { 30000, 8, 2, false }, { 30000, 9, 1, false } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		for (unsigned k = 0; k < rows[i].sockets; k++)
			asked(&f, "10.0.0.2:443", rows[i].sent_ms, rows[i].apart_ms);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, rows[i].fires);
		fixture_close(&f);
	}
}

static void one_each__to_two_destinations__is_a_near_miss(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	waiting(&f);
	asked(&f, "10.0.0.2:444", 45000, 100);
	judge(&f);
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 1);
	assert_int_equal(f.verdict.misses[0].value, 1);
	assert_int_equal(f.verdict.misses[0].threshold, 2);
	fixture_close(&f);
}

static void look_alikes__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned row = 0; row < 7; row++) {
		fixture_open(&f, RULE);
		for (unsigned k = 0; k < 3; k++) {
			struct fake *fake = waiting(&f);

			if (row == 1) /* the peer spoke last: an idle pool */
				fake_set(fake, TCPI_LAST_DATA_RECV, 44000);
			if (row == 2) /* nobody has spoken yet */
				fake_set(fake, TCPI_BYTES_ACKED, 1);
			if (row == 3) /* not yet delivered */
				fake_set(fake, TCPI_UNACKED, 1);
			if (row == 4)
				fake->sock.send_q = 1;
			if (row == 5)
				fake->sock.inode = 0;
			if (row == 6)
				fake->sock.state = SOCK_STATE_CLOSE_WAIT;
		}
		judge(&f);
		if (row)
			expect_silence(&f);
		else
			expect_one(&f, SEVERITY_INFO);
		fixture_close(&f);
	}
}

static void patient_services__are_left_out_by_port(void **state)
{
	static const struct {
		const char *peer;
		bool fires;
	} rows[] = { { "10.0.0.2:22", false },	 { "10.0.0.2:5222", false }, { "10.0.0.2:6379", false },
		     { "10.0.0.2:1883", false }, { "10.0.0.2:514", false },  { "10.0.0.2:23", true } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		asked(&f, rows[i].peer, 45000, 100);
		asked(&f, rows[i].peer, 45000, 100);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, rows[i].fires);
		fixture_close(&f);
	}
}

static void accepted__idle_clients_of_a_server__are_no_candidates(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:40001", "*:*");
	for (unsigned i = 0; i < 3; i++)
		asked(&f, "10.0.0.2:5000", 45000, 100)->sock.local.port = 40001;
	judge(&f);
	expect_silence(&f);
	assert_null(snapshot_candidate(&f.snap, 0));
	fixture_close(&f);
}

static void answer__between_the_samples__ends_it(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t more = 0; more < 2; more++) {
		fixture_open(&f, RULE);
		waiting(&f);
		waiting(&f);
		fixture_sample(&f, 0);
		fake_set(f.fake[0], TCPI_BYTES_RECEIVED, 5000 + more);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		assert_int_equal(f.verdict.finding_count, !more);
		fixture_close(&f);
	}
}

static void seen_once__is_not_judged(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sample(&f, 0);
	waiting(&f);
	waiting(&f);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

/* At the first sample it had waited for less than the limit. */
static void crossing_the_limit__during_the_run__fires(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t first_ms = 14999; first_ms <= 15000; first_ms++) {
		fixture_open(&f, RULE);
		for (unsigned k = 0; k < 2; k++)
			asked(&f, "10.0.0.2:443", first_ms, 100);
		fixture_sample(&f, 0);
		for (unsigned k = 0; k < 2; k++) {
			fake_set(f.fake[k], TCPI_LAST_DATA_SENT, 30000);
			fake_set(f.fake[k], TCPI_LAST_DATA_RECV, 30100);
		}
		fixture_sample(&f, 15);
		fixture_judge(&f);
		assert_int_equal(f.verdict.finding_count, first_ms == 15000);
		fixture_close(&f);
	}
}

static void doubts__are_said(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	waiting(&f)->owner = fixture_process(&f, 8, "app");
	waiting(&f)->owner = fixture_process(&f, 9, "app");
	fake_set(f.fake[0], TCPI_BYTES_RECEIVED, 0);
	fake_set(f.fake[1], TCPI_RCV_OOOPACK, 3);
	judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	expect_against(finding, "1 of them have never received a byte");
	expect_against(finding, "3 segments arrived without what goes before them");
	expect_against(finding, "several processes wait");
	fixture_close(&f);
}

static void share__is_that_of_the_connections_there(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	waiting(&f);
	waiting(&f);
	asked(&f, "10.0.0.2:443", 10, 0);
	asked(&f, "10.0.0.2:443", 10, 0);
	judge(&f);
	assert_true(expect_one(&f, SEVERITY_INFO)->share == 0.5);
	assert_int_equal(evidence_of(f.verdict.findings[0], "established"), 4);
	fixture_close(&f);
}

static void inputs__missing__are_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.quick = true;
	waiting(&f);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "--quick takes one");
	fixture_close(&f);
	fixture_open(&f, RULE);
	f.info_len = 0;
	f.snap.info_for_all = false;
	waiting(&f);
	waiting(&f);
	judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "tcp_info was read of suspicious ones only");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two__to_one_destination__are_info),
		cmocka_unit_test(however_long_and_many__never_more_than_info),
		cmocka_unit_test(each_limit__at_its_edge),
		cmocka_unit_test(one_each__to_two_destinations__is_a_near_miss),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(patient_services__are_left_out_by_port),
		cmocka_unit_test(accepted__idle_clients_of_a_server__are_no_candidates),
		cmocka_unit_test(answer__between_the_samples__ends_it),
		cmocka_unit_test(seen_once__is_not_judged),
		cmocka_unit_test(crossing_the_limit__during_the_run__fires),
		cmocka_unit_test(doubts__are_said),
		cmocka_unit_test(share__is_that_of_the_connections_there),
		cmocka_unit_test(inputs__missing__are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
