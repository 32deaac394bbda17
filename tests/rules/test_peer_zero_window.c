/* SPDX-License-Identifier: MIT */
/* peer-zero-window: senders in front of a shut window, and sends that are slow for other reasons. */
#include <string.h>

#include "rules.h"

#define RULE "peer-zero-window"
#define MSS 1448

/* How long @sent probes of 200 ms · 2^n take, the next one due now. */
#define PROBED_MS(sent) (200 * ((2 << (sent)) - 1))

/* A sender with 20000 bytes that has asked @sent times, answered each time. */
static struct fake *blocked(struct fixture *f, const char *local, const char *peer, unsigned sent)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake->sock.timer = SOCK_TIMER_PERSIST;
	fake->sock.send_q = 20000;
	fake_set(fake, TCPI_BACKOFF, sent);
	fake_set(fake, TCPI_RTO, 200000);
	fake_set(fake, TCPI_SND_MSS, MSS);
	fake_set(fake, TCPI_NOTSENT_BYTES, 20000);
	fake_set(fake, TCPI_BYTES_ACKED, 100000);
	fake_set(fake, TCPI_LAST_DATA_SENT, PROBED_MS(sent));
	fake_set(fake, TCPI_LAST_ACK_RECV, 1000);
	fake_set(fake, TCPI_LAST_DATA_RECV, 3600000);
	return fake;
}

/* The kernel's clocks after @seconds: all the time with data, @limited of it in front of the window. */
static void clocks(struct fixture *f, double seconds, double limited)
{
	for (size_t i = 0; i < f->count; i++) {
		fake_set(f->fake[i], TCPI_BUSY_TIME, (uint64_t)(seconds * 1e6) + 3000000);
		fake_set(f->fake[i], TCPI_RWND_LIMITED, (uint64_t)(seconds * limited * 1e6) + 3000000);
	}
}

static void judge(struct fixture *f)
{
	clocks(f, 0, 1);
	fixture_sample(f, 0);
	clocks(f, 5, 1);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void window_shut__for_six_seconds__warns(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4)->owner = fixture_process(&f, 6, "producer");
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.9);
	expect_text(finding, finding->title, "10.9.9.9:9092 does not read: 19.5 KiB from producer[6] wait for its window to open");
	expect_text(finding, finding->detail, "window shut for 6.2 s");
	expect_text(finding, finding->detail, "4 window probes, the last answer 1 s ago");
	expect_against(finding, "on purpose");
	assert_int_equal(evidence_of(finding, "stuck"), 6200);
	assert_int_equal(evidence_of(finding, "snd_wnd"), 0);
	assert_string_equal(finding_evidence(finding, "timeout")->text, "request");
	assert_null(finding_evidence(finding, "gives_up"));
	assert_string_equal(finding->threshold.name, "stuck");
	fixture_close(&f);
}

static void stuck__at_five_seconds__fires(void **state)
{
	struct fixture f;

	(void)state;
	/* 6200 ms when the fifth probe is due */
	for (uint32_t left = 1200; left <= 1201; left++) {
		fixture_open(&f, RULE);
		blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4)->sock.expires_ms = left;
		judge(&f);
		if (left == 1200) {
			expect_one(&f, SEVERITY_WARNING);
		} else {
			expect_silence(&f);
			assert_true(f.verdict.misses[0].value == 4999);
		}
		fixture_close(&f);
	}
}

static void thirty_seconds__or_five_sockets__are_critical(void **state)
{
	static const struct {
		unsigned sockets, sent;
		uint32_t left;
		enum severity severity;
		const char *limit;
	} rows[] = {
		{ 4, 4, 0, SEVERITY_WARNING, "stuck" },
		{ 5, 4, 0, SEVERITY_CRITICAL, "critical_sockets" },
		/* 51 s when the eighth probe is due */
		{ 1, 7, 21001, SEVERITY_WARNING, "stuck" },
		{ 1, 7, 21000, SEVERITY_CRITICAL, "critical_stuck" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;
		struct fixture f;

		fixture_open(&f, RULE);
		for (unsigned k = 0; k < rows[i].sockets; k++) {
			struct fake *fake = blocked(&f, "[2001:db8::1]:40000", "[2001:db8:9::9]:9092", rows[i].sent);

			fake->sock.local.port += (uint16_t)k;
			fake->sock.expires_ms = rows[i].left;
		}
		judge(&f);
		finding = expect_one(&f, rows[i].severity);
		assert_int_equal(finding->count, rows[i].sockets);
		assert_string_equal(finding->threshold.name, rows[i].limit);
		fixture_close(&f);
	}
}

/* What changes between the two samples, or stands in both, and must keep the rule silent. */
static const struct look_alike {
	const char *what;
	enum tcpi_id id;
	uint64_t before, after;
} look_alikes[] = {
	{ "bytes are acknowledged", TCPI_BYTES_ACKED, 100000, 101448 },
	{ "the window has room for a segment", TCPI_SND_WND, MSS, MSS },
	{ "data is unacknowledged", TCPI_UNACKED, 1, 1 },
	{ "it was so in the first look only", TCPI_UNACKED, 0, 1 },
	{ "it is so in the last look only", TCPI_UNACKED, 1, 0 },
	{ "nothing waits to be sent", TCPI_NOTSENT_BYTES, 0, 0 },
	{ "probes are not answered: dead", TCPI_PROBES, 3, 3 },
	{ "the last probe may be under way", TCPI_PROBES, 2, 2 },
	{ "one probe was sent", TCPI_BACKOFF, 1, 1 },
};

static void look_alikes__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(look_alikes); i++) {
		const struct look_alike *l = &look_alikes[i];
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 6);
		fake_set(fake, TCPI_LAST_ACK_RECV, 8000);
		clocks(&f, 0, 1);
		fake_set(fake, l->id, l->before);
		fixture_sample(&f, 0);
		clocks(&f, 5, 1);
		fake_set(fake, l->id, l->after);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (f.verdict.finding_count)
			fail_msg("fires although %s", l->what);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void window__one_byte_too_small__is_shut(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fake_set(blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4), TCPI_SND_WND, MSS - 1);
	judge(&f);
	assert_int_equal(evidence_of(expect_one(&f, SEVERITY_WARNING), "snd_wnd"), MSS - 1);
	fixture_close(&f);
}

static void old_kernel__without_snd_wnd__is_judged(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.info_len = 224;
	blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4);
	judge(&f);
	assert_null(finding_evidence(expect_one(&f, SEVERITY_WARNING), "snd_wnd"));
	fixture_close(&f);
}

/* A bulk sender that is caught in the persist timer: the kernel did not count the time between as spent in front of the window. */
static void limited__below_nine_tenths__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned percent = 89; percent <= 90; percent++) {
		fixture_open(&f, RULE);
		blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4);
		clocks(&f, 0, 1);
		fixture_sample(&f, 0);
		clocks(&f, 5, percent / 100.0);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		assert_int_equal(f.verdict.finding_count, percent == 90);
		fixture_close(&f);
	}
}

static void probes__two_answered__fire(void **state)
{
	struct fixture f;

	(void)state;
	/* a path of long round trips, so that more than five seconds pass either way */
	for (unsigned sent = 1; sent <= 2; sent++) {
		fixture_open(&f, RULE);
		fake_set(blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", sent), TCPI_RTO, 2000000);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, sent == 2);
		fixture_close(&f);
	}
}

static void looks__less_than_two_seconds_apart__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned ms = 1999; ms <= 2000; ms++) {
		fixture_open(&f, RULE);
		blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4);
		clocks(&f, 0, 1);
		fixture_sample(&f, 0);
		clocks(&f, ms / 1e3, 1);
		fixture_sample(&f, ms / 1e3);
		fixture_judge(&f);
		assert_int_equal(f.verdict.finding_count, ms == 2000);
		fixture_close(&f);
	}
}

/* A connection on which @process leaves @bytes unread. */
static struct fake *unread(struct fixture *f, const struct process *process, const char *local,
			   const char *peer, uint32_t bytes)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake->owner = process;
	fake->sock.recv_q = bytes;
	fake_set(fake, TCPI_BYTES_RECEIVED, bytes);
	return fake;
}

static void relay__is_the_cause_of_what_lies_unread(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t bytes = 4095; bytes <= 4096; bytes++) {
		const struct process *relay;
		const struct finding *finding;

		fixture_open(&f, RULE);
		relay = fixture_process(&f, 6, "relay");
		blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4)->owner = relay;
		unread(&f, relay, "10.0.0.1:80", "10.5.5.5:50000", bytes);
		judge(&f);
		if (bytes == 4095) {
			expect_one(&f, SEVERITY_WARNING);
		} else {
			finding = expect_one(&f, SEVERITY_CRITICAL);
			expect_text(finding, finding->title, "10.9.9.9:9092 does not read, and behind it relay[6] has stopped reading 4096 B from others");
			assert_int_equal(evidence_of(finding, "behind"), 4096);
			assert_string_equal(finding->threshold.name, "own_unread");
		}
		fixture_close(&f);
	}
}

static void relay__that_reads__is_no_relay(void **state)
{
	const struct process *relay;
	struct fake *fake;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	relay = fixture_process(&f, 6, "relay");
	blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4)->owner = relay;
	fake = unread(&f, relay, "10.0.0.1:80", "10.5.5.5:50000", 50000);
	unread(&f, fixture_process(&f, 7, "other"), "10.0.0.1:81", "10.5.5.5:50001", 50000);
	clocks(&f, 0, 1);
	fixture_sample(&f, 0);
	fake_set(fake, TCPI_BYTES_RECEIVED, 50001);
	clocks(&f, 5, 1);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	assert_int_equal(evidence_of(expect_one(&f, SEVERITY_WARNING), "behind"), 0);
	fixture_close(&f);
}

static void own_reader__stuck_on_the_same_peer__is_half_the_story(void **state)
{
	const struct process *both;
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	both = fixture_process(&f, 6, "both");
	blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4)->owner = both;
	unread(&f, both, "10.0.0.1:40001", "10.9.9.9:9092", 50000);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.6);
	expect_text(finding, finding->title, "both[6] and 10.9.9.9:9092 both write and neither reads");
	expect_against(finding, "it may be the one that stands still");
	assert_int_equal(evidence_of(finding, "own_unread"), 50000);
	assert_int_equal(evidence_of(finding, "behind"), 0);
	fixture_close(&f);
}

static void reader__at_the_other_end_here__is_named(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	blocked(&f, "127.0.0.1:40000", "127.0.0.1:9092", 4)->owner = fixture_process(&f, 6, "producer");
	unread(&f, fixture_process(&f, 7, "broker"), "127.0.0.1:9092", "127.0.0.1:40000", 50000);
	unread(&f, fixture_process(&f, 8, "third"), "127.0.0.1:9092", "127.0.0.1:40001", 50000);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "broker[7] on this host does not read at 127.0.0.1:9092: 19.5 KiB from producer[6] wait");
	assert_int_equal(evidence_of(finding, "reader_pid"), 7);
	fixture_close(&f);
}

static void owner__unknown__is_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4);
	judge(&f);
	expect_against(expect_one(&f, SEVERITY_WARNING), "owner could not be read");
	fixture_close(&f);
}

/* @count of the @estab clients of a public listener, each from a network of its own, do not read. */
static void public_clients(struct fixture *f, unsigned count, unsigned estab, bool one_network)
{
	fixture_open(f, RULE);
	fixture_sock(f, SOCK_STATE_LISTEN, "*:443", "*:*");
	for (unsigned i = 0; i < estab; i++) {
		struct fake *fake = i < count ? blocked(f, "10.0.0.1:443", "8.8.0.1:5000", 9) :
						fixture_sock(f, SOCK_STATE_ESTAB, "10.0.0.1:443", "9.9.0.1:5000");

		fake->sock.peer.port += (uint16_t)i;
		if (!one_network || i >= count)
			fake->sock.peer.addr.bytes[2] = (uint8_t)i;
	}
	judge(f);
}

static void public_clients__are_info__until_they_stand_out(void **state)
{
	static const struct {
		unsigned count, estab;
		bool one_network;
		enum severity severity;
	} rows[] = {
		{ 5, 51, false, SEVERITY_INFO },    /* below 10 % */
		{ 5, 50, false, SEVERITY_WARNING }, /* 10 %, 5 networks */
		{ 4, 10, false, SEVERITY_INFO },    /* 4 networks */
		{ 8, 10, true, SEVERITY_INFO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;
		struct fixture f;

		public_clients(&f, rows[i].count, rows[i].estab, rows[i].one_network);
		finding = expect_one(&f, rows[i].severity);
		expect_text(finding, finding->title, "Clients of 10.0.0.1:443 do not read");
		expect_against(finding, "slow or paused all the time");
		expect_part_skipped(&f, "whether more clients than usual do not read: needs history");
		fixture_close(&f);
	}
}

static void accepted__from_a_private_network__is_grouped_by_client(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "[::]:443", "*:*");
	for (uint16_t i = 0; i < 5; i++)
		blocked(&f, "10.0.0.1:443", "10.9.9.9:5000", 4)->sock.peer.port += i;
	judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_CRITICAL)->count, 5);
	fixture_close(&f);
}

static void neighbours__in_one_network__are_one_finding(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	blocked(&f, "10.0.0.1:40000", "10.9.9.7:9092", 4);
	blocked(&f, "10.0.0.1:40001", "10.9.9.8:9092", 4);
	blocked(&f, "10.0.0.1:40002", "10.9.9.9:9092", 4);
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "10.9.9.0/24:9092 does not read");
	fixture_close(&f);
}

static void one_sample__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.quick = true;
	blocked(&f, "10.0.0.1:40000", "10.9.9.9:9092", 4);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "--quick");
	fixture_close(&f);
}

static void cheap_look__asks_for_persist_timers(void **state)
{
	struct sock sock = { .state = SOCK_STATE_ESTAB, .timer = SOCK_TIMER_PERSIST };
	const struct rule *rule = triage_rule_find(RULE);

	(void)state;
	assert_true(rule->candidate(&sock));
	sock.timer = SOCK_TIMER_ON;
	assert_false(rule->candidate(&sock));
	assert_true(rule->quota > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_shut__for_six_seconds__warns),
		cmocka_unit_test(stuck__at_five_seconds__fires),
		cmocka_unit_test(thirty_seconds__or_five_sockets__are_critical),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(window__one_byte_too_small__is_shut),
		cmocka_unit_test(old_kernel__without_snd_wnd__is_judged),
		cmocka_unit_test(limited__below_nine_tenths__is_silent),
		cmocka_unit_test(probes__two_answered__fire),
		cmocka_unit_test(looks__less_than_two_seconds_apart__are_silent),
		cmocka_unit_test(relay__is_the_cause_of_what_lies_unread),
		cmocka_unit_test(relay__that_reads__is_no_relay),
		cmocka_unit_test(own_reader__stuck_on_the_same_peer__is_half_the_story),
		cmocka_unit_test(reader__at_the_other_end_here__is_named),
		cmocka_unit_test(owner__unknown__is_said),
		cmocka_unit_test(public_clients__are_info__until_they_stand_out),
		cmocka_unit_test(accepted__from_a_private_network__is_grouped_by_client),
		cmocka_unit_test(neighbours__in_one_network__are_one_finding),
		cmocka_unit_test(one_sample__is_skipped),
		cmocka_unit_test(cheap_look__asks_for_persist_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
