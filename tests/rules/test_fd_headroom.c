/* SPDX-License-Identifier: MIT */
/* fd-headroom: processes that run out of descriptors, and those that were never meant to have more. */
#include "rules.h"
#include "tcptriage/model/descriptors.h"

#define RULE "fd-headroom"

/* @count sockets of @process: accepted on :8080 when @peer is given without a port. */
static void hold(struct fixture *f, const struct process *process, enum sock_state state, const char *local,
		 const char *peer, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct fake *fake = fixture_sock(f, state, local, peer);

		fake->owner = process;
		if (!fake->sock.peer.port && state != SOCK_STATE_LISTEN)
			fake->sock.peer.port = (uint16_t)(20000 + i);
		if (!fake->sock.local.port)
			fake->sock.local.port = (uint16_t)(40000 + i);
	}
}

static struct process *server(struct fixture *f, uint32_t fds, uint64_t nofile, unsigned clients)
{
	struct process *process = fixture_process(f, 5, "httpd");

	hold(f, process, SOCK_STATE_LISTEN, "*:8080", "*:*", 1);
	hold(f, process, SOCK_STATE_ESTAB, "10.0.0.1:8080", "10.0.0.9:*", clients);
	fixture_user(f, process, fds, nofile);
	return process;
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_judge(f);
}

static void used__edges__of_warning_and_critical(void **state)
{
	static const struct {
		uint32_t fds;
		uint64_t nofile;
		int severity; /* −1 silent */
	} rows[] = { { 799, 1000, -1 },
		     { 800, 1000, SEVERITY_WARNING },
		     { 949, 1000, SEVERITY_WARNING },
		     { 950, 1000, SEVERITY_CRITICAL },
		     { 1000, 1000, SEVERITY_CRITICAL },
		     { 100, 1024, -1 },
		     { 243, 256, SEVERITY_WARNING },
		     { 244, 256, SEVERITY_CRITICAL } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		server(&f, rows[i].fds, rows[i].nofile, 20);
		f.users[0].process.sockets = rows[i].fds - 10; /* most are of another namespace */
		judge(&f);
		if (rows[i].severity < 0) {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
		} else {
			const struct finding *finding = expect_one(&f, (enum severity)rows[i].severity);

			assert_string_equal(finding->threshold.name, rows[i].severity == SEVERITY_CRITICAL ? "critical_used" : "used");
			assert_int_equal(finding->count, rows[i].fds);
			assert_true(finding->confidence == 0.95);
		}
		fixture_close(&f);
	}
}

static void finding__names_process_states_and_where_they_lead(void **state)
{
	const struct finding *finding;
	struct process *process;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	process = server(&f, 247, 256, 231);
	hold(&f, process, SOCK_STATE_CLOSE_WAIT, "10.0.0.1:*", "10.0.3.4:5432", 3);
	fixture_udp(&f, "10.0.0.1:5353", "*:*")->owner = process;
	process->unit = "httpd.service";
	f.users[0].process = *process;
	f.users[0].process.sockets = 240;
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->scope.pid, 5);
	assert_string_equal(finding->scope.unit, "httpd.service");
	expect_text(finding, finding->title, "httpd[5] has 247 of 256 file descriptors open, 9 are left");
	expect_text(finding, finding->detail, "240 are sockets: 231 ESTAB, 3 CLOSE-WAIT, 1 LISTEN, 1 UDP");
	expect_text(finding, finding->detail, "most of them accepted on 10.0.0.1:8080");
	assert_int_equal(evidence_of(finding, "estab"), 231);
	assert_int_equal(evidence_of(finding, "close_wait"), 3);
	assert_int_equal(evidence_of(finding, "udp"), 1);
	assert_int_equal(evidence_of(finding, "free"), 9);
	assert_true(evidence_of(finding, "most_sockets") >= 231 - 3);
	assert_null(finding_evidence(finding, "syn_sent"));
	assert_null(finding->against[0]);
	fixture_close(&f);
}

static void connections_opened__name_the_peer(void **state)
{
	const struct finding *finding;
	struct process *process;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	process = fixture_process(&f, 5, "worker");
	hold(&f, process, SOCK_STATE_ESTAB, "10.0.0.1:*", "10.0.3.4:5432", 100);
	hold(&f, process, SOCK_STATE_ESTAB, "10.0.0.1:*", "10.0.3.5:6379", 60);
	fixture_user(&f, process, 180, 200);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->detail, "most of them opened to 10.0.3.4:5432");
	fixture_close(&f);

	fixture_open(&f, RULE);
	process = fixture_process(&f, 5, "crawler");
	for (unsigned i = 0; i < 160; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "10.0.4.%u:443", i);
		hold(&f, process, SOCK_STATE_ESTAB, "10.0.0.1:*", peer, 1);
	}
	fixture_user(&f, process, 180, 200);
	judge(&f);
	assert_null(finding_evidence(expect_one(&f, SEVERITY_WARNING), "most"));
	fixture_close(&f);
}

static void nothing_left__says_what_fails(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	server(&f, 256, 256, 250);
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->title, "httpd[5] has no file descriptor left: 256 of 256");
	expect_text(finding, finding->detail, "EMFILE");
	fixture_close(&f);
}

static void tiny_limit__is_a_design(void **state)
{
	struct fixture f;

	(void)state;
	for (uint64_t nofile = 127; nofile <= 128; nofile++) {
		fixture_open(&f, RULE);
		server(&f, 127, nofile, 100);
		judge(&f);
		if (nofile < 128)
			expect_silence(&f);
		else
			expect_one(&f, SEVERITY_CRITICAL);
		fixture_close(&f);
	}
}

static void limit_lowered_since__is_information(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	server(&f, 301, 300, 200);
	judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	expect_text(finding, finding->title, "301 file descriptors open, and a limit of 300 now");
	expect_against(finding, "the limit was lowered");
	assert_int_equal(evidence_of(finding, "free"), 0);
	fixture_close(&f);
}

static void process_without_internet_sockets__is_silent(void **state)
{
	struct process *process;
	struct fixture f;

	(void)state;
	for (unsigned sockets = 0; sockets <= 1; sockets++) {
		fixture_open(&f, RULE);
		process = fixture_process(&f, 5, "dbus-daemon");
		process->sockets = 900; /* of another family, or another namespace */
		hold(&f, process, SOCK_STATE_ESTAB, "10.0.0.1:*", "10.0.3.4:5432", sockets);
		fixture_user(&f, process, 1000, 1024);
		judge(&f);
		if (sockets)
			expect_one(&f, SEVERITY_CRITICAL);
		else
			expect_silence(&f);
		fixture_close(&f);
	}
}

static void few_sockets_among_files__are_said(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned clients = 98; clients <= 99; clients++) { /* and one listener */
		const struct finding *finding;

		fixture_open(&f, RULE);
		server(&f, 200, 200, clients);
		judge(&f);
		finding = expect_one(&f, SEVERITY_CRITICAL);
		if (clients == 98)
			expect_against(finding, "only 99 of 200 are sockets");
		else
			assert_null(finding->against[0]);
		fixture_close(&f);
	}
}

static void two_processes__are_two_findings(void **state)
{
	struct process *other;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	server(&f, 250, 256, 200);
	other = fixture_process(&f, 6, "proxy");
	hold(&f, other, SOCK_STATE_ESTAB, "10.0.0.1:*", "10.0.3.4:5432", 5);
	fixture_user(&f, other, 170, 200);
	judge(&f);
	assert_int_equal(f.verdict.finding_count, 2);
	assert_int_equal(f.verdict.findings[0]->scope.pid, 5);
	assert_int_equal(f.verdict.findings[1]->scope.pid, 6);
	fixture_close(&f);
}

static void what_could_not_be_seen__is_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.has_use = true;
	f.use.unread = 3;
	f.use.closed = 2;
	f.use.left_out = 7;
	f.use.partial = true;
	judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "descriptors may not be counted: 3");
	expect_part_skipped(&f, "may not be looked at: 2");
	expect_part_skipped(&f, "beyond the worst 64: 7");
	expect_part_skipped(&f, "hidepid");
	expect_part_skipped(&f, "needs history");
	fixture_close(&f);
}

static void sockets_not_looked_at__are_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_user(&f, fixture_process(&f, 5, "huge"), 990000, 1000000)->cut = true;
	judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "so many descriptors");
	fixture_close(&f);

	fixture_open(&f, RULE);
	server(&f, 990000, 1000000, 100);
	f.users[0].cut = true;
	judge(&f);
	expect_against(expect_one(&f, SEVERITY_CRITICAL), "more sockets than were looked at");
	fixture_close(&f);
}

static void descriptors__not_counted__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	judge(&f);
	expect_skipped(&f, "were not counted");
	fixture_close(&f);
}

static void sockets__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.has_use = true;
	fixture_judge(&f);
	expect_skipped(&f, "no sockets");
	fixture_close(&f);
}

/* The pass lists the sockets of a process before the rule wants them. */
static void pass__lists_sockets_early_enough(void **state)
{
	const struct threshold *used = triage_rule_find(RULE)->thresholds;

	(void)state;
	assert_string_equal(used->name, "used");
	assert_true(used->def >= DESCRIPTORS_LISTED);
}

/* A database keeps data files open up to its limit on purpose (PostgreSQL: max_files_per_process 1000 of 1024), and closes some when it needs one. */
static void files_kept_open__are_no_fault_of_the_network(void **state)
{
	static const struct {
		uint32_t fds;
		bool listens;
		int severity;
	} rows[] = {
		{ 990, false, SEVERITY_INFO },	  { 990, true, SEVERITY_WARNING },
		{ 1024, false, SEVERITY_WARNING }, { 1024, true, SEVERITY_CRITICAL },
	};
	struct process *process;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		process = fixture_process(&f, 5, "postgres");
		hold(&f, process, SOCK_STATE_ESTAB, "10.0.0.1:5432", "10.0.0.9:*", 1);
		if (rows[i].listens)
			hold(&f, process, SOCK_STATE_LISTEN, "*:5432", "*:*", 1);
		fixture_user(&f, process, rows[i].fds, 1024);
		judge(&f);
		expect_against(expect_one(&f, (enum severity)rows[i].severity), "are sockets: files");
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used__edges__of_warning_and_critical),
		cmocka_unit_test(finding__names_process_states_and_where_they_lead),
		cmocka_unit_test(connections_opened__name_the_peer),
		cmocka_unit_test(nothing_left__says_what_fails),
		cmocka_unit_test(tiny_limit__is_a_design),
		cmocka_unit_test(limit_lowered_since__is_information),
		cmocka_unit_test(process_without_internet_sockets__is_silent),
		cmocka_unit_test(few_sockets_among_files__are_said),
		cmocka_unit_test(two_processes__are_two_findings),
		cmocka_unit_test(what_could_not_be_seen__is_said),
		cmocka_unit_test(sockets_not_looked_at__are_said),
		cmocka_unit_test(descriptors__not_counted__is_skipped),
		cmocka_unit_test(sockets__missing__is_skipped),
		cmocka_unit_test(pass__lists_sockets_early_enough),
		cmocka_unit_test(files_kept_open__are_no_fault_of_the_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
