/* SPDX-License-Identifier: MIT */
/* syn-recv-stall: handshakes that do not complete, and ones that take their time, wait by design, or are somebody else's case. */
#include <string.h>

#include "half_open.h"

#define RULE "syn-recv-stall"

/* One listener on 10.0.0.1:80 and so many half-open clients, judged over three looks. */
static struct crowd stall(struct fixture *f, uint32_t backlog, unsigned first, unsigned count,
			  unsigned networks, enum manner manner)
{
	struct crowd crowd;

	fixture_open(f, RULE);
	listener_at(f, "10.0.0.1:80", backlog);
	crowd = crowd_of(f, "10.0.0.1:80", first, count, networks, 0.5, manner);
	return crowd;
}

static void clients_that_ask_again__are_a_broken_way_back(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 128, 10, 6, 1, REPEATS);
	f.fake[0]->owner = fixture_process(&f, 5, "httpd");
	fixture_sysctl(&f, SYSCTL_TCP_SYNACK_RETRIES, 5);
	f.has_route = true;
	f.route = (struct route){ .has = ROUTE_HAS_DEVICE, .device = "eth7" };
	judge_three(&f, &crowd, NULL, NULL);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.85);
	assert_int_equal(finding->count, 6);
	assert_int_equal(finding->scope.local.port, 80);
	expect_text(finding, finding->title, "httpd[5] on 10.0.0.1:80");
	expect_text(finding, finding->title, "our SYN-ACKs do not reach them");
	expect_text(finding, finding->detail, "10.1.0.0/24 (6)");
	expect_text(finding, finding->detail, "eth7");
	expect_text(finding, finding->next[0], "ip route get 10.1.0.1");
	assert_true(evidence_of(finding, "gives_up") == 63000);
	assert_true(evidence_of(finding, "repeating") >= 3);
	assert_string_equal(finding_evidence(finding, "limit_from")->text, "listen()");
	fixture_close(&f);
}

static void clients_that_are_gone__are_said_to_be_silent(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 128, 10, 6, 1, SILENT);
	judge_three(&f, &crowd, NULL, NULL);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.7);
	assert_int_equal(finding->count, 6); /* of silence: answered again twice is 3 s old */
	expect_text(finding, finding->title, "do not finish what they began");
	expect_against(finding, "do not send their SYN again");
	assert_true(evidence_of(finding, "oldest") >= 5400);
	fixture_close(&f);
}

static void sockets__below_five__are_a_near_miss(void **state)
{
	(void)state;
	for (unsigned count = 4; count <= 5; count++) {
		struct fixture f;
		struct crowd crowd = stall(&f, 128, 10, count, 1, REPEATS);

		judge_three(&f, &crowd, NULL, NULL);
		if (count == 5) {
			assert_string_equal(expect_one(&f, SEVERITY_WARNING)->threshold.name, "sockets");
		} else {
			expect_silence(&f);
			assert_true(f.verdict.miss_count == 1 && f.verdict.misses[0].value == 4);
		}
		fixture_close(&f);
	}
}

static void sockets__answered_again_once__do_not_count(void **state)
{
	(void)state;
	for (unsigned retrans = 1; retrans <= 2; retrans++) {
		struct fixture f;
		struct crowd crowd = stall(&f, 128, 10, 5, 1, SILENT);

		crowd.age_s = retrans == 1 ? 1.5 : 3.5;
		crowd_at(&crowd, 0);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (retrans == 1)
			expect_silence(&f);
		else
			expect_one(&f, SEVERITY_WARNING);
		expect_part_skipped(&f, "one look seldom tells");
		fixture_close(&f);
	}
}

static void sockets__at_twenty__are_critical(void **state)
{
	(void)state;
	for (unsigned count = 19; count <= 20; count++) {
		struct fixture f;
		struct crowd crowd = stall(&f, 4096, 10, count, 1, REPEATS);
		const struct finding *finding;

		judge_three(&f, &crowd, NULL, NULL);
		finding = expect_one(&f, count == 20 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		assert_string_equal(finding->threshold.name, count == 20 ? "critical_sockets" : "sockets");
		assert_string_equal(finding_evidence(finding, "limit_from")->text, "net.core.somaxconn");
		fixture_close(&f);
	}
}

static void sockets__a_quarter_of_the_queue__are_critical(void **state)
{
	(void)state;
	for (uint32_t backlog = 24; backlog <= 25; backlog++) {
		struct fixture f;
		struct crowd crowd = stall(&f, backlog, 10, 6, 1, REPEATS);

		judge_three(&f, &crowd, NULL, NULL);
		if (backlog == 24)
			assert_string_equal(expect_one(&f, SEVERITY_CRITICAL)->threshold.name, "critical_share");
		else
			expect_one(&f, SEVERITY_WARNING);
		fixture_close(&f);
	}
}

static void deferred_accept__is_information(void **state)
{
	(void)state;
	for (unsigned count = 4; count <= 5; count++) {
		struct fixture f;
		struct crowd crowd = stall(&f, 128, 10, count, 1, DEFERRED);

		judge_three(&f, &crowd, NULL, NULL);
		if (count == 4)
			expect_silence(&f);
		else
			expect_text(expect_one(&f, SEVERITY_INFO), f.verdict.findings[0]->title, "TCP_DEFER_ACCEPT");
		fixture_close(&f);
	}
}

static void deferred_accept__does_not_hide_a_broken_way_back(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd waiting, lost = { .age_s = 0.5, .manner = REPEATS };

	(void)state;
	waiting = stall(&f, 128, 10, 30, 1, DEFERRED);
	for (unsigned i = 0; i < 6; i++)
		crowd_add(&f, &lost, "10.0.0.1:80", "10.9.9.9:4000");
	crowd_at(&lost, 0);
	fixture_sample(&f, 0);
	crowd_at(&waiting, 5);
	crowd_at(&lost, 5);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->count, 6);
	expect_text(finding, finding->detail, "10.9.9.0/24 (6)");
	fixture_close(&f);
}

static void handshakes_in_flight__are_silent(void **state)
{
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 512, 10, 400, 200, FRESH);
	judge_three(&f, &crowd, NULL, NULL);
	expect_silence(&f);
	fixture_close(&f);
}

/* @count clients on the Internet from @networks networks, and @estab connections that work. */
static void judge_public(struct fixture *f, unsigned count, unsigned networks, unsigned estab)
{
	struct crowd crowd = stall(f, 4096, 11, count, networks, REPEATS);

	for (unsigned i = 0; i < estab; i++) {
		char peer[64];

		snprintf(peer, sizeof(peer), "12.0.%u.%u:999", i / 250, i % 250);
		fixture_sock(f, SOCK_STATE_ESTAB, "10.0.0.1:80", peer);
	}
	judge_three(f, &crowd, NULL, NULL);
}

/* A slow path: each look shows others, answered again by the timer and for a repeated SYN, that get through within two seconds. */
static void handshakes_of_two_seconds__are_silent(void **state)
{
	(void)state;
	for (unsigned retrans = 3; retrans <= 4; retrans++) {
		struct fixture f;
		struct crowd crowd = stall(&f, 512, 10, 50, 25, FRESH);

		for (unsigned look = 0; look < 3; look++) {
			crowd_at(&crowd, 0);
			for (unsigned i = 0; i < crowd.count; i++) {
				crowd.fake[i]->sock.retrans = (uint8_t)retrans;
				crowd.fake[i]->sock.expires_ms = 1500;
			}
			fixture_sample(&f, look * 2.5);
		}
		fixture_judge(&f);
		if (retrans == 3)
			expect_silence(&f);
		else
			expect_one(&f, SEVERITY_CRITICAL);
		fixture_close(&f);
	}
}

static void clients_on_the_internet__have_to_stand_out(void **state)
{
	static const struct {
		unsigned count, networks, estab;
		enum severity severity;
	} rows[] = {
		{ 6, 6, 600, SEVERITY_WARNING }, { 6, 6, 601, SEVERITY_INFO },	{ 6, 4, 600, SEVERITY_INFO },
		{ 6, 6, 0, SEVERITY_INFO },	 { 20, 6, 600, SEVERITY_CRITICAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		const struct finding *finding;

		judge_public(&f, rows[i].count, rows[i].networks, rows[i].estab);
		finding = expect_one(&f, rows[i].severity);
		assert_true(evidence_of(finding, "public") == rows[i].count);
		expect_part_skipped(&f, "needs history");
		if (rows[i].severity == SEVERITY_INFO)
			expect_against(finding, "come from the Internet");
		fixture_close(&f);
	}
}

static void clients_on_the_internet__do_not_lift_private_ones(void **state)
{
	struct fixture f;
	struct crowd private, public;

	(void)state;
	private = stall(&f, 4096, 10, 5, 1, REPEATS);
	public = crowd_of(&f, "10.0.0.1:80", 11, 30, 30, 0.5, REPEATS);
	fixture_sample(&f, 0);
	crowd_at(&private, 5);
	crowd_at(&public, 5);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_WARNING)->count, 35);
	fixture_close(&f);
}

/* Overflows are counted for the namespace; @own: they are this listener's, by its own drops. */
static void judge_overflow(struct fixture *f, bool own)
{
	static const struct events overflow = { .overflows = 10, .listen_drops = 10 };
	struct crowd crowd = stall(f, 128, 10, 6, 1, REPEATS);

	fixture_sample(f, 0);
	f->fake[0]->sock.skmem[SKMEM_DROPS] += own ? 10 : 0;
	count_on(f, &overflow);
	crowd_at(&crowd, 5);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void full_accept_queue__is_another_case(void **state)
{
	struct fixture f;
	struct crowd crowd;

	(void)state;
	judge_overflow(&f, true);
	expect_silence(&f);
	fixture_close(&f);
	judge_overflow(&f, false);
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
	for (uint32_t waiting = 128; waiting <= 129; waiting++) {
		crowd = stall(&f, 128, 10, 6, 1, REPEATS);
		f.fake[0]->sock.recv_q = waiting;
		judge_three(&f, &crowd, NULL, NULL);
		if (waiting == 129)
			expect_silence(&f);
		else
			expect_one(&f, SEVERITY_WARNING);
		fixture_close(&f);
	}
}

static void flood__is_another_case(void **state)
{
	static const struct events cookies = { .cookies = 300 };
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 128, 11, 129, 129, SILENT);
	judge_three(&f, &crowd, &cookies, &cookies);
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 0);
	fixture_close(&f);
}

static void full_queue__of_clients_that_ask_again__is_no_flood(void **state)
{
	static const struct events cookies = { .cookies = 300 };
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 128, 10, 129, 129, REPEATS);
	judge_three(&f, &crowd, &cookies, &cookies);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_against(finding, "nearly each is from another network");
	assert_true(evidence_of(finding, "cookies") == 600);
	assert_true(evidence_of(finding, "validated") == 0);
	fixture_close(&f);
}

/* One look, a full queue of which nothing tells whether clients repeat: as likely a flood. */
static void one_look__says_that_it_may_be_a_flood(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 128, 10, 129, 129, SILENT);
	crowd.age_s = 28;
	crowd_at(&crowd, 0);
	f.quick = true;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_true(finding->confidence == 0.5);
	expect_against(finding, "fit a SYN flood nearly as well");
	expect_text(finding, finding->next[0], "--interval 20");
	fixture_close(&f);
}

static void one_network_that_is_silent__says_that_it_may_be_a_flood(void **state)
{
	static const struct events cookies = { .cookies = 300 };
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 128, 10, 129, 1, SILENT);
	judge_three(&f, &crowd, &cookies, &cookies);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_true(finding->confidence == 0.6);
	expect_text(finding, finding->next[0], "dst 10.1.0.0/24 and sport = :80");
	fixture_close(&f);
}

static void few_strangers__that_answer_nothing__are_weak(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 4096, 10, 8, 8, SILENT);
	judge_three(&f, &crowd, NULL, NULL);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.5);
	fixture_close(&f);
}

static void listeners__each_for_itself(void **state)
{
	struct fixture f;
	struct crowd crowd;

	(void)state;
	fixture_open(&f, RULE);
	listener_at(&f, "*:80", 128);
	listener_at(&f, "*:443", 128);
	crowd = crowd_of(&f, "10.0.0.1:443", 10, 6, 1, 0.5, REPEATS);
	for (unsigned i = 0; i < 4; i++)
		crowd_add(&f, &crowd, "10.0.0.1:80", "10.9.9.9:4000");
	judge_three(&f, &crowd, NULL, NULL);
	assert_int_equal(expect_one(&f, SEVERITY_WARNING)->scope.local.port, 443);
	assert_int_equal(f.verdict.findings[0]->count, 6);
	fixture_close(&f);
}

static void counters_and_settings__missing__are_not_needed(void **state)
{
	struct fixture f;
	struct crowd crowd;

	(void)state;
	crowd = stall(&f, 128, 10, 6, 1, REPEATS);
	f.no_counters = f.no_sysctls = true;
	judge_three(&f, &crowd, NULL, NULL);
	assert_null(finding_evidence(expect_one(&f, SEVERITY_WARNING), "cookies"));
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

static void listeners__beyond_the_bound__are_said(void **state)
{
	struct fixture f;
	struct crowd crowd = { .count = 0 };

	(void)state;
	fixture_open(&f, RULE);
	for (unsigned i = 0; i <= SNAPSHOT_HALF_OPEN; i++) {
		char local[32];

		snprintf(local, sizeof(local), "10.0.0.1:%u", 1000 + i);
		listener_at(&f, local, 128);
		crowd_add(&f, &crowd, local, "10.9.9.9:4000");
	}
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_part_skipped(&f, "1 half-open connections of listeners beyond the first 1024");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_that_ask_again__are_a_broken_way_back),
		cmocka_unit_test(clients_that_are_gone__are_said_to_be_silent),
		cmocka_unit_test(sockets__below_five__are_a_near_miss),
		cmocka_unit_test(sockets__answered_again_once__do_not_count),
		cmocka_unit_test(sockets__at_twenty__are_critical),
		cmocka_unit_test(sockets__a_quarter_of_the_queue__are_critical),
		cmocka_unit_test(deferred_accept__is_information),
		cmocka_unit_test(deferred_accept__does_not_hide_a_broken_way_back),
		cmocka_unit_test(handshakes_in_flight__are_silent),
		cmocka_unit_test(handshakes_of_two_seconds__are_silent),
		cmocka_unit_test(clients_on_the_internet__have_to_stand_out),
		cmocka_unit_test(clients_on_the_internet__do_not_lift_private_ones),
		cmocka_unit_test(full_accept_queue__is_another_case),
		cmocka_unit_test(flood__is_another_case),
		cmocka_unit_test(full_queue__of_clients_that_ask_again__is_no_flood),
		cmocka_unit_test(one_look__says_that_it_may_be_a_flood),
		cmocka_unit_test(one_network_that_is_silent__says_that_it_may_be_a_flood),
		cmocka_unit_test(few_strangers__that_answer_nothing__are_weak),
		cmocka_unit_test(listeners__each_for_itself),
		cmocka_unit_test(counters_and_settings__missing__are_not_needed),
		cmocka_unit_test(sockets__missing__is_skipped),
		cmocka_unit_test(listeners__beyond_the_bound__are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
