/* SPDX-License-Identifier: MIT */
/* dead-peer-unacked: senders that hear nothing any more, and stalls of other kinds. */
#include <string.h>

#include "rules.h"

#define RULE "dead-peer-unacked"
#define HOLE "mtu-blackhole-send"
#define MSS 1448

/* 100 bytes in their @backoff-th timeout of 200 ms · 2^n, the timer due: stuck for 200 ms · (2^(backoff + 1) − 1). Nothing was lost before. */
static struct fake *silent(struct fixture *f, const char *local, const char *peer, unsigned backoff)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake->sock.timer = SOCK_TIMER_ON;
	fake->sock.send_q = 100;
	fake_set(fake, TCPI_CA_STATE, TCP_CA_LOSS);
	fake_set(fake, TCPI_BACKOFF, backoff);
	fake_set(fake, TCPI_RTO, 200000u << backoff);
	fake_set(fake, TCPI_SND_MSS, MSS);
	fake_set(fake, TCPI_UNACKED, 1);
	fake_set(fake, TCPI_LOST, 1);
	fake_set(fake, TCPI_BYTES_ACKED, 6);
	fake_set(fake, TCPI_DELIVERED, 2);
	fake_set(fake, TCPI_LAST_ACK_RECV, (200u << (backoff + 1)) - 200 + 5000);
	fake_set(fake, TCPI_LAST_DATA_RECV, 3600000);
	fake_set(fake, TCPI_TOTAL_RETRANS, backoff + 1);
	fake_set(fake, TCPI_BYTES_RETRANS, (uint64_t)(backoff + 1) * 100);
	return fake;
}

/* 80 kB in full segments instead. */
static struct fake *silent_large(struct fixture *f, const char *local, const char *peer, unsigned backoff)
{
	struct fake *fake = silent(f, local, peer, backoff);

	fake->sock.send_q = 80000;
	fake_set(fake, TCPI_UNACKED, 10);
	fake_set(fake, TCPI_BYTES_RETRANS, (uint64_t)(backoff + 1) * MSS);
	return fake;
}

/* A shut window whose @unanswered newest probes, of @sent, got no answer. */
static struct fake *probing(struct fixture *f, const char *local, const char *peer, unsigned sent,
			    unsigned unanswered, uint32_t heard_ms)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake->sock.timer = SOCK_TIMER_PERSIST;
	fake->sock.retrans = (uint8_t)unanswered;
	fake->sock.send_q = 20000;
	fake_set(fake, TCPI_PROBES, unanswered);
	fake_set(fake, TCPI_BACKOFF, sent);
	fake_set(fake, TCPI_RTO, 200000);
	fake_set(fake, TCPI_SND_MSS, MSS);
	fake_set(fake, TCPI_NOTSENT_BYTES, 20000);
	fake_set(fake, TCPI_LAST_ACK_RECV, heard_ms);
	fake_set(fake, TCPI_LAST_DATA_RECV, 3600000);
	return fake;
}

static struct fake *neighbour(struct fixture *f, const char *local, const char *peer, uint32_t ack_ms)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake_set(fake, TCPI_LAST_ACK_RECV, ack_ms);
	return fake;
}

static void judge(struct fixture *f)
{
	fixture_sample(f, 0);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void small_segment__in_its_fourth_timeout__warns(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4)->owner = fixture_process(&f, 6, "api");
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.8);
	expect_text(finding, finding->title, "10.9.9.9:5432 has fallen silent: api[6] sends 100 B again and again");
	expect_text(finding, finding->detail, "ETIMEDOUT in about 15 min");
	expect_text(finding, finding->detail, "4 timeouts in a row for 6.2 s");
	expect_against(finding, "TCP_USER_TIMEOUT that the program set cannot be seen");
	assert_int_equal(evidence_of(finding, "stall"), 6200);
	assert_int_equal(evidence_of(finding, "last_heard"), 11200);
	assert_int_equal(evidence_of(finding, "idle_before"), 5000);
	/* 924.6 s from the first retransmission on, which was 6 s ago */
	assert_int_equal(evidence_of(finding, "gives_up"), 918600);
	assert_string_equal(finding_evidence(finding, "timeout")->text, "request");
	assert_string_equal(finding_evidence(finding, "others")->text, "none that answers");
	assert_int_equal(finding->scope.pid, 6);
	assert_string_equal(finding->threshold.name, "timeouts");
	fixture_close(&f);
}

static void timeouts__three__fire(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned backoff = 2; backoff <= 3; backoff++) {
		fixture_open(&f, RULE);
		/* a path of long round trips, so that three seconds pass either way */
		fake_set(silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", backoff), TCPI_RTO, 1000000u << backoff);
		fake_set(f.fake[0], TCPI_LAST_ACK_RECV, 30000);
		judge(&f);
		if (backoff == 2)
			expect_silence(&f);
		else
			expect_one(&f, SEVERITY_WARNING);
		fixture_close(&f);
	}
}

static void stall__below_three_seconds__is_a_near_miss(void **state)
{
	struct fixture f;

	(void)state;
	/* backoff 3: 1400 ms waited, 1600 ms running */
	for (uint32_t left = 0; left <= 1; left++) {
		fixture_open(&f, RULE);
		silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 3)->sock.expires_ms = left;
		judge(&f);
		if (left) {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
			assert_true(f.verdict.misses[0].value == 2999);
		} else {
			expect_one(&f, SEVERITY_WARNING);
		}
		fixture_close(&f);
	}
}

static void heard__five_seconds_ago__fires(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t ms = 4999; ms <= 5000; ms++) {
		fixture_open(&f, RULE);
		fake_set(silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 3), TCPI_LAST_ACK_RECV, ms);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, ms == 5000);
		fixture_close(&f);
	}
}

static void heard__since_the_head_was_sent__is_loss(void **state)
{
	struct fixture f;

	(void)state;
	/* backoff 4: stuck for 6200 ms */
	for (uint32_t ms = 6199; ms <= 6200; ms++) {
		fixture_open(&f, RULE);
		fake_set(silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4), TCPI_LAST_ACK_RECV, ms);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, ms == 6200);
		fixture_close(&f);
	}
}

static void three_sockets__or_six_timeouts__are_critical(void **state)
{
	static const struct {
		unsigned sockets, backoff;
		enum severity severity;
		const char *limit;
	} rows[] = {
		{ 2, 4, SEVERITY_WARNING, "timeouts" },
		{ 3, 4, SEVERITY_CRITICAL, "critical_sockets" },
		{ 1, 5, SEVERITY_WARNING, "timeouts" },
		{ 1, 6, SEVERITY_CRITICAL, "critical_timeouts" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;
		struct fixture f;

		fixture_open(&f, RULE);
		for (unsigned k = 0; k < rows[i].sockets; k++)
			silent(&f, "[2001:db8::1]:40000", "[2001:db8:9::9]:443", rows[i].backoff)->sock.local.port += (uint16_t)k;
		judge(&f);
		finding = expect_one(&f, rows[i].severity);
		assert_int_equal(finding->count, rows[i].sockets);
		assert_string_equal(finding->threshold.name, rows[i].limit);
		assert_true(finding->confidence == (rows[i].severity == SEVERITY_CRITICAL ? 0.9 : 0.8));
		fixture_close(&f);
	}
}

static void neighbours__in_one_network__are_one_finding(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	silent(&f, "10.0.0.1:40000", "10.9.9.7:443", 4);
	silent(&f, "10.0.0.1:40001", "10.9.9.8:443", 4);
	silent(&f, "10.0.0.1:40002", "10.9.9.9:443", 4);
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->title, "10.9.9.0/24:443 has fallen silent");
	fixture_close(&f);
}

static void quiet__a_minute_before__is_state_that_was_lost(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t idle = 59999; idle <= 60000; idle++) {
		const struct finding *finding;

		fixture_open(&f, RULE);
		fake_set(silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4), TCPI_LAST_ACK_RECV, 6200 + idle);
		judge(&f);
		finding = expect_one(&f, SEVERITY_WARNING);
		assert_int_equal(evidence_of(finding, "after_idle"), idle == 60000);
		if (idle == 60000) {
			expect_text(finding, finding->title, "does not answer after 60 s of quiet");
			assert_non_null(strstr(finding->causes[0], "idle connection"));
		} else {
			expect_text(finding, finding->title, "has fallen silent");
			assert_null(strstr(finding->causes[0], "idle connection"));
		}
		fixture_close(&f);
	}
}

static void others__that_answer__narrow_it_to_this_flow(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned fresh = 0; fresh < 2; fresh++) {
		const struct finding *finding;

		fixture_open(&f, RULE);
		silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4);
		neighbour(&f, "10.0.0.1:40001", "10.9.9.9:5432", fresh ? 100 : 6200);
		judge(&f);
		finding = expect_one(&f, SEVERITY_WARNING);
		assert_int_equal(!strcmp(finding_evidence(finding, "others")->text, "answered"), fresh);
		assert_int_equal(strstr(finding->causes[0], "only this flow") != NULL, fresh);
		fixture_close(&f);
	}
}

static void lossy_path__takes_seven_timeouts(void **state)
{
	static const struct {
		unsigned backoff, earlier, delivered;
		bool fires;
	} rows[] = {
		{ 4, 1, 2, true },    /* one loss is no history */
		{ 4, 2, 200, false }, /* 1 % */
		{ 4, 2, 201, true },  /* less */
		{ 6, 30, 100, true }, /* 25.4 s */
		{ 5, 30, 100, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", rows[i].backoff);
		fake_set(fake, TCPI_DELIVERED, rows[i].delivered);
		fake_set(fake, TCPI_TOTAL_RETRANS, rows[i].backoff + 1 + rows[i].earlier);
		judge(&f);
		assert_int_equal(f.verdict.finding_count, rows[i].fires);
		if (i == 3)
			expect_against(f.verdict.findings[0], "may only be very bad");
		fixture_close(&f);
	}
}

/* What changes between the two samples, or stands in both, and must keep the rule silent. */
static const struct look_alike {
	const char *what;
	enum tcpi_id id;
	uint64_t before, after;
} look_alikes[] = {
	{ "acknowledgements go on", TCPI_BYTES_ACKED, 6, 106 },
	{ "fast recovery, no timeout", TCPI_CA_STATE, 3, 3 },
	{ "one timeout", TCPI_BACKOFF, 1, 1 },
	{ "an ACK just came: SACK moves", TCPI_LAST_ACK_RECV, 100, 100 },
	{ "the peer goes on sending", TCPI_LAST_DATA_RECV, 100, 100 },
	{ "nothing is outstanding", TCPI_UNACKED, 0, 0 },
};

static void look_alikes__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(look_alikes); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4);
		fake_set(fake, look_alikes[i].id, look_alikes[i].before);
		fixture_sample(&f, 0);
		fake_set(fake, look_alikes[i].id, look_alikes[i].after);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (f.verdict.finding_count)
			fail_msg("fires although %s", look_alikes[i].what);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void closed_by_the_program__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned closed = 0; closed < 2; closed++) {
		fixture_open(&f, RULE);
		silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4)->sock.state =
			closed ? SOCK_STATE_FIN_WAIT_1 : SOCK_STATE_CLOSE_WAIT;
		judge(&f);
		assert_int_equal(f.verdict.finding_count, !closed);
		fixture_close(&f);
	}
}

static void window_probes__three_unanswered__fire(void **state)
{
	static const struct {
		unsigned unanswered;
		uint32_t heard_ms;
		bool fires;
	} rows[] = { { 2, 30000, false }, { 3, 30000, true }, { 3, 4999, false }, { 3, 5000, true }, { 0, 30000, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;

		fixture_open(&f, RULE);
		probing(&f, "10.0.0.1:40000", "10.9.9.9:9092", 5, rows[i].unanswered, rows[i].heard_ms)->owner =
			fixture_process(&f, 8, "producer");
		judge(&f);
		if (rows[i].fires) {
			const struct finding *finding = expect_one(&f, SEVERITY_WARNING);

			expect_text(finding, finding->title, "closed its window and has fallen silent: 19.5 KiB of producer[8] wait");
			expect_text(finding, finding->detail, "3 window probes without an answer");
			/* the running timer, then the waits after each of the 12 probes that are left */
			assert_true(evidence_of(finding, "gives_up") > 600000);
			assert_string_equal(finding->threshold.name, "unanswered_probes");
		} else {
			expect_silence(&f);
		}
		fixture_close(&f);
	}
}

static void window_probes__critical__by_those_without_an_answer(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned unanswered = 5; unanswered <= 6; unanswered++) {
		fixture_open(&f, RULE);
		probing(&f, "10.0.0.1:40000", "10.9.9.9:9092", 12, unanswered, 400000);
		judge(&f);
		expect_one(&f, unanswered == 6 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		fixture_close(&f);
	}
}

/* The same sockets before both rules: where the table leaves both open both speak, else one of them or none. */
static const struct rival {
	const char *what;
	bool large, small_beside, alive, first_write, mtu_known;
	unsigned holes, dead;
	double confidence;
} rivals[] = {
	{ "one small segment", false, false, false, false, false, 0, 1, 0.8 },
	{ "one small segment, others answer", false, false, true, false, false, 0, 1, 0.8 },
	{ "large segments alone", true, false, false, false, false, 1, 1, 0.5 },
	{ "large segments, others answer", true, false, true, false, false, 1, 0, 0 },
	{ "large segments and a small one", true, true, false, false, false, 0, 1, 0.8 },
	{ "nothing but the handshake passed", true, false, false, true, false, 0, 1, 0.5 },
	{ "the path told its size", true, false, false, false, true, 0, 1, 0.5 },
};

static unsigned findings_of(const struct rival *r, const char *rule, double *confidence)
{
	struct fixture f;
	struct fake *fake;
	unsigned count;

	fixture_open(&f, rule);
	fake = r->large ? silent_large(&f, "10.0.0.1:40000", "10.9.9.9:443", 4) :
			  silent(&f, "10.0.0.1:40000", "10.9.9.9:443", 4);
	if (r->first_write)
		fake_set(fake, TCPI_BYTES_ACKED, 1);
	if (r->small_beside)
		silent(&f, "10.0.0.1:40001", "10.9.9.9:443", 4);
	if (r->alive)
		neighbour(&f, "10.0.0.1:40002", "10.9.9.9:443", 100);
	f.has_route = r->mtu_known;
	f.route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES, .mtu = 1400, .device = "eth0" };
	judge(&f);
	count = (unsigned)f.verdict.finding_count;
	*confidence = count ? f.verdict.findings[0]->confidence : 0;
	fixture_close(&f);
	return count;
}

static void rivals__never_contradict_each_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rivals); i++) {
		const struct rival *r = &rivals[i];
		double hole = 0, dead = 0;

		if (findings_of(r, HOLE, &hole) != r->holes || findings_of(r, RULE, &dead) != r->dead)
			fail_msg("%s: wrong findings", r->what);
		if (dead != r->confidence)
			fail_msg("%s: confidence %.2f", r->what, dead);
		if (r->holes && r->dead)
			assert_true(hole == dead);
	}
}

static void undecided__names_the_command_that_tells(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	silent_large(&f, "10.0.0.1:40000", "10.9.9.9:443", 4)->owner = fixture_process(&f, 6, "upload");
	judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "10.9.9.9:443 answers nothing that upload[6] sends: the peer is gone, or a path-MTU black hole");
	expect_text(finding, finding->next[0], "tcptriage mtu-probe 10.9.9.9");
	expect_against(finding, "a probe finds the size that passes, or nothing that answers");
	fixture_close(&f);
}

/* @count clients from networks of their own, accepted on a public listener with @estab connections in all. */
static void public_clients(struct fixture *f, unsigned count, unsigned estab, bool one_network)
{
	fixture_open(f, RULE);
	fixture_sock(f, SOCK_STATE_LISTEN, "*:443", "*:*");
	for (unsigned i = 0; i < estab; i++) {
		struct fake *fake = i < count ? silent(f, "10.0.0.1:443", "8.8.0.1:5000", 8) :
						neighbour(f, "10.0.0.1:443", "9.9.0.1:5000", 1000000);

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
		{ 5, 101, false, SEVERITY_INFO },    /* below 5 % */
		{ 5, 100, false, SEVERITY_WARNING }, /* 5 %, 5 networks */
		{ 4, 50, false, SEVERITY_INFO },     /* 4 networks */
		{ 8, 100, true, SEVERITY_INFO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *finding;
		struct fixture f;

		public_clients(&f, rows[i].count, rows[i].estab, rows[i].one_network);
		finding = expect_one(&f, rows[i].severity);
		expect_text(finding, finding->title, "Clients of 10.0.0.1:443 have fallen silent");
		expect_against(finding, "vanish all the time");
		expect_part_skipped(&f, "whether more clients than usual have vanished: needs history");
		fixture_close(&f);
	}
}

static void accepted__from_a_private_network__is_grouped_by_client(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "[::]:443", "*:*");
	silent(&f, "10.0.0.1:443", "10.9.9.9:5000", 4);
	silent(&f, "10.0.0.1:443", "10.9.9.9:5001", 4);
	silent(&f, "10.0.0.1:443", "10.9.9.9:5002", 4);
	judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->count, 3);
	expect_text(finding, finding->title, "10.9.9.9 has fallen silent");
	fixture_close(&f);
}

static void one_look__is_enough__and_less_sure(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t heard = 25399; heard <= 25400; heard++) {
		const struct finding *finding;

		fixture_open(&f, RULE);
		f.quick = true;
		fake_set(silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 6), TCPI_LAST_ACK_RECV, heard);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (heard < 25400) {
			expect_silence(&f);
		} else {
			finding = expect_one(&f, SEVERITY_CRITICAL);
			assert_true(finding->confidence == 0.8);
			expect_against(finding, "one look only");
		}
		fixture_close(&f);
	}
}

static void counters__missing__are_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.no_counters = true;
	silent(&f, "10.0.0.1:40000", "10.9.9.9:5432", 4);
	judge(&f);
	expect_one(&f, SEVERITY_WARNING);
	expect_part_skipped(&f, "ICMP");
	fixture_close(&f);
}

static void tcp_info__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.snap.info_for_all = true;
	f.info_len = 0;
	fixture_sock(&f, SOCK_STATE_ESTAB, "10.0.0.1:40000", "10.9.9.9:443");
	judge(&f);
	expect_skipped(&f, "tcp_info");
	fixture_close(&f);
}

static void cheap_look__asks_for_those_with_timeouts_or_lost_probes(void **state)
{
	static const struct {
		enum sock_timer timer;
		uint8_t retrans;
		bool wanted;
	} rows[] = {
		{ SOCK_TIMER_ON, 0, false },	 { SOCK_TIMER_ON, 1, true },	{ SOCK_TIMER_PERSIST, 1, false },
		{ SOCK_TIMER_PERSIST, 2, true }, { SOCK_TIMER_NONE, 9, false },
	};
	const struct rule *rule = triage_rule_find(RULE);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sock sock = { .state = SOCK_STATE_ESTAB, .timer = (uint8_t)rows[i].timer, .retrans = rows[i].retrans };

		assert_int_equal(rule->candidate(&sock), rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_segment__in_its_fourth_timeout__warns),
		cmocka_unit_test(timeouts__three__fire),
		cmocka_unit_test(stall__below_three_seconds__is_a_near_miss),
		cmocka_unit_test(heard__five_seconds_ago__fires),
		cmocka_unit_test(heard__since_the_head_was_sent__is_loss),
		cmocka_unit_test(three_sockets__or_six_timeouts__are_critical),
		cmocka_unit_test(neighbours__in_one_network__are_one_finding),
		cmocka_unit_test(quiet__a_minute_before__is_state_that_was_lost),
		cmocka_unit_test(others__that_answer__narrow_it_to_this_flow),
		cmocka_unit_test(lossy_path__takes_seven_timeouts),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(closed_by_the_program__is_silent),
		cmocka_unit_test(window_probes__three_unanswered__fire),
		cmocka_unit_test(window_probes__critical__by_those_without_an_answer),
		cmocka_unit_test(rivals__never_contradict_each_other),
		cmocka_unit_test(undecided__names_the_command_that_tells),
		cmocka_unit_test(public_clients__are_info__until_they_stand_out),
		cmocka_unit_test(accepted__from_a_private_network__is_grouped_by_client),
		cmocka_unit_test(one_look__is_enough__and_less_sure),
		cmocka_unit_test(counters__missing__are_said),
		cmocka_unit_test(tcp_info__missing__is_skipped),
		cmocka_unit_test(cheap_look__asks_for_those_with_timeouts_or_lost_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
