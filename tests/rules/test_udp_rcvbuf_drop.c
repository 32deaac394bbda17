/* SPDX-License-Identifier: MIT */
/* udp-rcvbuf-drop: buffers that overflow while one looks, those that did once, and sockets that nobody reads. */
#include "rules.h"

#define RULE "udp-rcvbuf-drop"
#define RCVBUF 8192

static struct fake *receiver(struct fixture *f, const char *local, const char *peer, uint32_t drops, uint32_t recv_q)
{
	struct fake *fake = fixture_udp(f, local, peer);

	fake->sock.skmem[SKMEM_RCVBUF] = RCVBUF;
	fake->sock.skmem[SKMEM_DROPS] = drops;
	fake->sock.recv_q = recv_q;
	return fake;
}

static void grow(struct fixture *f, enum counter_id id, uint64_t by)
{
	fixture_count(f, id, f->counters.value[id] + by);
}

/* @drops more at the socket and, as the kernel counts them, in the namespace. */
static void drop(struct fixture *f, struct fake *fake, unsigned drops)
{
	fake->sock.skmem[SKMEM_DROPS] += drops;
	grow(f, fake->sock.family == ADDR_V4 ? COUNTER_UDP_RCVBUF_ERRORS : COUNTER_UDP6_RCVBUF_ERRORS, drops);
}

/* Samples at 0, 2 and 5 s; @first and @second are dropped between them, @read datagrams are read. */
static void watch(struct fixture *f, struct fake *fake, unsigned first, unsigned second, uint64_t read)
{
	fixture_sample(f, 0);
	drop(f, fake, first);
	fake->sock.recv_q += 16;
	grow(f, COUNTER_UDP_IN_DATAGRAMS, read);
	fixture_sample(f, 2);
	drop(f, fake, second);
	fake->sock.recv_q -= 8;
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void a_reader_that_is_too_slow__share_and_rate_at_their_limits(void **state)
{
	static const struct {
		unsigned first, second;
		uint64_t read;
		int severity;
		const char *limit;
	} rows[] = {
		{ 1, 0, 999, SEVERITY_WARNING, "share" },	    /* 0.1 % */
		{ 1, 0, 1000, SEVERITY_INFO, "share" },		    /* just below */
		{ 2, 3, 495, SEVERITY_CRITICAL, "critical_share" }, /* 1 % */
		{ 2, 3, 496, SEVERITY_WARNING, "share" },
		{ 2, 2, 6, SEVERITY_WARNING, "share" },	      /* four of ten are too few to be critical */
		{ 1, 0, 9, SEVERITY_WARNING, "share" },	      /* and one of ten all the more */
		{ 5000, 0, 9, SEVERITY_WARNING, "share" },    /* one burst that is over */
		{ 250, 250, 50000000, SEVERITY_CRITICAL, "critical_rate" }, /* 100 a second */
		{ 250, 249, 50000000, SEVERITY_INFO, "share" },
	};
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		fake = receiver(&f, "*:514", "*:*", 7, 2000);
		fake->owner = fixture_process(&f, 8, "syslogd");
		watch(&f, fake, rows[i].first, rows[i].second, rows[i].read);
		finding = expect_one(&f, (enum severity)rows[i].severity);
		assert_string_equal(finding->threshold.name, rows[i].limit);
		assert_int_equal(evidence_of(finding, "drops"), rows[i].first + rows[i].second);
		assert_int_equal(finding->count, rows[i].first + rows[i].second);
		assert_int_equal(evidence_of(finding, "drops_total"), 7 + rows[i].first + rows[i].second);
		expect_text(finding, finding->title, "syslogd[8] is too slow on 0.0.0.0:514");
		fixture_close(&f);
	}
}

static void both_families__are_counted(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = receiver(&f, "::1:514", "*:*", 0, 2000);
	fake->sock.family = ADDR_V6;
	watch(&f, fake, 50, 50, 100);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(evidence_of(finding, "rcvbuf_errors_v6"), 100);
	assert_int_equal(evidence_of(finding, "rcvbuf_errors"), 0);
	assert_int_equal(evidence_of(finding, "share"), 50);
	assert_int_equal(evidence_of(finding, "drop_rate"), 20);
	assert_int_equal(evidence_of(finding, "drop_samples"), 2);
	assert_true(finding->scope_factor < 1);
	assert_true(finding->confidence > 0.94);
	fixture_close(&f);
}

/* Samples at 0, 2 and 5 s of a queue that stands at @recv_q. */
static void stand(struct fixture *f, struct fake *fake, unsigned first, unsigned second, uint64_t read)
{
	fixture_sample(f, 0);
	drop(f, fake, first);
	grow(f, COUNTER_UDP_IN_DATAGRAMS, read);
	fixture_sample(f, 2);
	drop(f, fake, second);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void a_reader_that_is_dead__is_named_by_what_stands(void **state)
{
	static const struct {
		const char *local;
		uint32_t recv_q;
		unsigned first, second;
		int severity;
		const char *words;
	} rows[] = {
		{ "*:514", 7488, 200, 300, SEVERITY_CRITICAL, "app[8] does not read 0.0.0.0:514" },
		{ "*:514", 7488, 200, 299, SEVERITY_WARNING, "app[8] does not read 0.0.0.0:514" },
		{ "*:514", 7488, 2, 3, SEVERITY_WARNING, "app[8] does not read 0.0.0.0:514" },
		{ "*:514", 7488, 2, 2, SEVERITY_INFO, "app[8] does not read 0.0.0.0:514" },
		{ "*:514", 7488, 500, 0, SEVERITY_INFO, "app[8] does not read 0.0.0.0:514" },
		{ "*:514", 6554, 2, 3, SEVERITY_WARNING, "app[8] does not read 0.0.0.0:514" },
		{ "*:514", 6553, 2, 3, SEVERITY_CRITICAL, "app[8] is too slow" }, /* not full: judged by the share */
		{ "*:5353", 7488, 200, 300, SEVERITY_INFO, "app[8] does not read 0.0.0.0:5353" },
		{ "239.1.1.1:4000", 7488, 200, 300, SEVERITY_INFO, "app[8] does not read 239.1.1.1:4000" },
	};
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		fake = receiver(&f, rows[i].local, "*:*", 0, rows[i].recv_q);
		fake->owner = fixture_process(&f, 8, "app");
		stand(&f, fake, rows[i].first, rows[i].second, 0);
		finding = expect_one(&f, (enum severity)rows[i].severity);
		expect_text(finding, finding->title, rows[i].words);
		fixture_close(&f);
	}
}

static void a_live_reader_of_a_group__is_judged_in_full(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = receiver(&f, "239.1.1.1:4000", "*:*", 0, 7000);
	watch(&f, fake, 50, 50, 1000);
	expect_one(&f, SEVERITY_CRITICAL);
	fixture_close(&f);
}

static void what_speaks_against__is_said(void **state)
{
	const struct finding *finding;
	struct process *owner;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sysctl(&f, SYSCTL_RMEM_MAX, 32768);
	owner = fixture_process(&f, 8, "app");
	owner->run_state = 'T';
	fake = receiver(&f, "*:5353", "*:*", 0, 60000);
	fake->sock.skmem[SKMEM_RCVBUF] = 65536;
	fake->owner = owner;
	stand(&f, fake, 20, 20, 100);
	finding = expect_one(&f, SEVERITY_INFO);
	expect_against(finding, "the process is stopped");
	expect_against(finding, "something was read from other sockets");
	expect_against(finding, "announcements to everybody");
	expect_against(finding, "already as large as net.core.rmem_max allows");
	assert_int_equal(evidence_of(finding, "rmem_max"), 32768);
	expect_text(finding, finding->detail, "net.core.rmem_max 32.0 KiB");
	fixture_close(&f);
}

/* Nine datagrams fill the smallest buffer: a slow reader is seen at the same length by chance. */
static void a_small_buffer__is_unread_only_when_nothing_was_read(void **state)
{
	static const struct {
		uint32_t rcvbuf;
		uint64_t read;
		const char *words;
	} rows[] = { { 65535, 1, "too slow" }, { 65536, 1, "does not read" }, { 65535, 0, "does not read" } };
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		fake = receiver(&f, "*:514", "*:*", 0, 65000);
		fake->sock.skmem[SKMEM_RCVBUF] = rows[i].rcvbuf;
		stand(&f, fake, 300, 300, rows[i].read);
		expect_text(expect_one(&f, SEVERITY_CRITICAL), f.verdict.findings[0]->title, rows[i].words);
		fixture_close(&f);
	}
}

static void nothing_read_at_all__leaves_no_doubt(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	stand(&f, receiver(&f, "*:514", "*:*", 0, 7488), 20, 20, 0);
	finding = expect_one(&f, SEVERITY_WARNING);
	for (size_t i = 0; finding->against[i]; i++)
		assert_null(strstr(finding->against[i], "other sockets"));
	expect_against(finding, "the owner could not be read");
	fixture_close(&f);
}

static void sockets_of_one_port__are_one_finding(void **state)
{
	const struct finding *finding;
	struct process *owner;
	struct fixture f;
	struct fake *fake[3];

	(void)state;
	fixture_open(&f, RULE);
	owner = fixture_process(&f, 8, "dns");
	for (unsigned i = 0; i < 3; i++) {
		fake[i] = receiver(&f, "*:53", "*:*", 0, 100 + i);
		fake[i]->owner = owner;
	}
	fixture_sample(&f, 0);
	drop(&f, fake[0], 3);
	drop(&f, fake[2], 5);
	fixture_sample(&f, 2);
	drop(&f, fake[2], 1);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->count, 9);
	assert_int_equal(evidence_of(finding, "sockets"), 2); /* one dropped nothing */
	assert_int_equal(evidence_of(finding, "recv_q"), 102);
	fixture_close(&f);
}

/* What was not there, or not worth remembering, in the first look had dropped nothing then. */
static void client__seen_later__counts_all_of_its_drops(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = receiver(&f, "10.0.0.1:40000", "10.0.0.2:443", 0, 0);
	fake->owner = fixture_process(&f, 8, "quic");
	fake->gone = true;
	fixture_sample(&f, 0);
	fake->gone = false;
	drop(&f, fake, 4);
	fixture_sample(&f, 2);
	drop(&f, fake, 4);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING); /* seen to drop between two looks only */
	assert_int_equal(finding->count, 8);
	expect_text(finding, finding->title, "quic[8] is too slow for what 10.0.0.2:443 sends");
	assert_true(finding->scope.has_peer && !finding->scope.has_local);
	fixture_close(&f);
}

static void server__with_connected_sockets__is_known_by_its_port(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = receiver(&f, "10.0.0.1:443", "10.0.0.2:5000", 1, 0);
	watch(&f, fake, 4, 4, 100);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_true(finding->scope.has_local && !finding->scope.has_peer);
	fixture_close(&f);
}

static void dump_with_holes__old_drops_stay_old(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = receiver(&f, "*:514", "*:*", 5000, 0);
	fake->gone = true;
	f.snap.complete = false;
	fixture_sample(&f, 0);
	fake->gone = false;
	grow(&f, COUNTER_UDP_RCVBUF_ERRORS, 5);
	fixture_sample(&f, 2);
	fixture_judge(&f);
	for (size_t i = 0; i < f.verdict.finding_count; i++)
		assert_int_equal(f.verdict.findings[i]->severity, SEVERITY_INFO);
	fixture_close(&f);
}

static void drops_long_ago__are_one_line_of_info(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	receiver(&f, "*:53", "*:*", 99, 0);
	fixture_sample(&f, 0);
	fixture_sample(&f, 2);
	fixture_judge(&f);
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 1);
	fixture_close(&f);

	fixture_open(&f, RULE);
	receiver(&f, "*:53", "*:*", 100, 0)->owner = fixture_process(&f, 9, "avahi");
	receiver(&f, "*:54", "*:*", 900, 0)->owner = fixture_process(&f, 8, "syslogd");
	fixture_sample(&f, 0);
	fixture_sample(&f, 2);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	expect_text(finding, finding->title, "syslogd[8] has lost 900 datagrams on 0.0.0.0:54 some time ago");
	assert_int_equal(evidence_of(finding, "sockets"), 2);
	fixture_close(&f);
}

static void standing_queue__half_full_with_drops__is_info(void **state)
{
	static const struct {
		uint32_t recv_q, drops;
		unsigned samples;
		bool moves, fires;
	} rows[] = {
		{ 4096, 1, 1, false, true },  { 4095, 1, 1, false, false }, { 4096, 0, 1, false, false },
		{ 4096, 1, 3, false, true },  { 4095, 1, 3, false, false }, { 4096, 0, 3, false, false },
		{ 4096, 1, 3, true, false },
	};
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		f.quick = rows[i].samples == 1;
		fake = receiver(&f, "*:53", "*:*", rows[i].drops, rows[i].recv_q);
		fake->owner = fixture_process(&f, 8, "app");
		for (unsigned n = 0; n < rows[i].samples; n++) {
			fixture_sample(&f, n);
			fake->sock.recv_q += rows[i].moves ? 16 : 0;
		}
		fixture_judge(&f);
		if (!rows[i].fires) {
			expect_silence(&f);
		} else {
			expect_text(expect_one(&f, SEVERITY_INFO), f.verdict.findings[0]->title,
				    "app[8] leaves 4096 B on 0.0.0.0:53 unread");
			if (f.quick)
				expect_against(f.verdict.findings[0], "one look only");
		}
		if (f.quick)
			expect_part_skipped(&f, "one sample");
		fixture_close(&f);
	}
}

static void filter_policy_or_checksum__is_no_full_buffer(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = receiver(&f, "*:53", "*:*", 10, 500);
	fixture_sample(&f, 0);
	fake->sock.skmem[SKMEM_DROPS] += 1000;
	grow(&f, COUNTER_UDP_IN_ERRORS, 1000);
	fixture_sample(&f, 2);
	fake->sock.skmem[SKMEM_DROPS] += 1000;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void two_kinds_of_drops__only_full_buffers_count(void **state)
{
	static const struct {
		unsigned own, full, errors;
		uint64_t count;
		bool mixed;
	} rows[] = { { 125, 100, 125, 125, false }, { 126, 100, 126, 100, true }, { 126, 100, 101, 100, true },
		     { 900, 100, 100, 900, false } };
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		fake = receiver(&f, "*:53", "*:*", 10, 500);
		fixture_sample(&f, 0);
		fake->sock.skmem[SKMEM_DROPS] += rows[i].own;
		fake->sock.recv_q++;
		grow(&f, COUNTER_UDP_RCVBUF_ERRORS, rows[i].full);
		grow(&f, COUNTER_UDP_IN_ERRORS, rows[i].errors);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		assert_int_equal(expect_one(&f, SEVERITY_WARNING)->count, rows[i].count);
		assert_true((f.verdict.findings[0]->confidence < 0.7) == rows[i].mixed);
		if (rows[i].mixed)
			expect_against(f.verdict.findings[0], "a socket filter");
		fixture_close(&f);
	}
}

static void no_socket_owns_up__is_warned_of_without_a_name(void **state)
{
	static const struct {
		unsigned first, second;
		uint64_t read;
		int severity;
	} rows[] = { { 3, 2, 0, SEVERITY_WARNING }, { 3, 2, 4996, SEVERITY_INFO }, { 4, 0, 0, SEVERITY_INFO },
		     { 3, 1, 0, SEVERITY_INFO },    { 900, 900, 0, SEVERITY_WARNING } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		fixture_sample(&f, 0);
		grow(&f, COUNTER_UDP6_RCVBUF_ERRORS, rows[i].first);
		grow(&f, COUNTER_UDP6_IN_DATAGRAMS, rows[i].read);
		fixture_sample(&f, 2);
		grow(&f, COUNTER_UDP6_RCVBUF_ERRORS, rows[i].second);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		expect_text(expect_one(&f, (enum severity)rows[i].severity), f.verdict.findings[0]->title,
			    "no socket that stands now counts them");
		fixture_close(&f);
	}
}

static void drops_outside_of_a_filter__are_no_finding(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sample(&f, 0);
	grow(&f, COUNTER_UDP_RCVBUF_ERRORS, 500);
	fixture_sample(&f, 2);
	f.snap.left_out = 1;
	fixture_judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "outside of the filter");
	fixture_close(&f);
}

static void memory_of_all_udp__is_a_finding_of_its_own(void **state)
{
	static const struct {
		unsigned v4, v6;
		int severity;
	} rows[] = { { 1, 0, SEVERITY_WARNING }, { 0, 1, SEVERITY_WARNING }, { 5, 0, SEVERITY_CRITICAL }, { 0, 5, SEVERITY_CRITICAL } };
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		fake = receiver(&f, "*:53", "*:*", 10, 500);
		fixture_sample(&f, 0);
		for (unsigned n = 0; n < 2; n++) {
			grow(&f, COUNTER_UDP_MEM_ERRORS, rows[i].v4);
			grow(&f, COUNTER_UDP6_MEM_ERRORS, rows[i].v6);
			fake->sock.skmem[SKMEM_DROPS] += rows[i].v4 + rows[i].v6; /* the socket counts it as well */
			fixture_sample(&f, 2 + n);
		}
		fixture_judge(&f);
		expect_text(expect_one(&f, (enum severity)rows[i].severity), f.verdict.findings[0]->title, "udp_mem");
		assert_int_equal(f.verdict.findings[0]->count, 2 * (rows[i].v4 + rows[i].v6));
		fixture_close(&f);
	}
}

static void healthy_receiver__is_silent(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = receiver(&f, "*:53", "*:*", 0, 7900); /* full in one look, empty in the next */
	fixture_sample(&f, 0);
	fake->sock.recv_q = 0;
	grow(&f, COUNTER_UDP_IN_DATAGRAMS, 10000);
	fixture_sample(&f, 2);
	fake->sock.recv_q = 7900;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void inputs__missing__are_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.no_counters = true;
	receiver(&f, "*:53", "*:*", 0, 0);
	fixture_sample(&f, 0);
	fixture_sample(&f, 2);
	fixture_judge(&f);
	expect_skipped(&f, "no kernel counters");
	fixture_close(&f);

	fixture_open(&f, RULE);
	receiver(&f, "*:53", "*:*", 0, 0)->sock.has &= ~(uint32_t)SOCK_HAS_SKMEM;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "no socket memory numbers");
	fixture_close(&f);
}

/* A dump that moves on while sockets close can miss one: what it had dropped before is no news when it is seen the second time. */
static void socket_missed_in_the_first_look__its_past_is_not_counted(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = receiver(&f, "10.0.0.1:53", "*:*", 1000000, 2000);
	fake->gone = true;
	fixture_sample(&f, 0);
	fake->gone = false;
	grow(&f, COUNTER_UDP_IN_DATAGRAMS, 99998);
	fixture_sample(&f, 2);
	drop(&f, fake, 2);
	fake->sock.recv_q += 16;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_INFO);
	assert_int_equal(evidence_of(finding, "drops"), 2);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_is_too_slow__share_and_rate_at_their_limits),
		cmocka_unit_test(both_families__are_counted),
		cmocka_unit_test(a_reader_that_is_dead__is_named_by_what_stands),
		cmocka_unit_test(a_live_reader_of_a_group__is_judged_in_full),
		cmocka_unit_test(what_speaks_against__is_said),
		cmocka_unit_test(a_small_buffer__is_unread_only_when_nothing_was_read),
		cmocka_unit_test(nothing_read_at_all__leaves_no_doubt),
		cmocka_unit_test(sockets_of_one_port__are_one_finding),
		cmocka_unit_test(client__seen_later__counts_all_of_its_drops),
		cmocka_unit_test(server__with_connected_sockets__is_known_by_its_port),
		cmocka_unit_test(dump_with_holes__old_drops_stay_old),
		cmocka_unit_test(drops_long_ago__are_one_line_of_info),
		cmocka_unit_test(standing_queue__half_full_with_drops__is_info),
		cmocka_unit_test(filter_policy_or_checksum__is_no_full_buffer),
		cmocka_unit_test(two_kinds_of_drops__only_full_buffers_count),
		cmocka_unit_test(no_socket_owns_up__is_warned_of_without_a_name),
		cmocka_unit_test(drops_outside_of_a_filter__are_no_finding),
		cmocka_unit_test(memory_of_all_udp__is_a_finding_of_its_own),
		cmocka_unit_test(healthy_receiver__is_silent),
		cmocka_unit_test(inputs__missing__are_said),
		cmocka_unit_test(socket_missed_in_the_first_look__its_past_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
