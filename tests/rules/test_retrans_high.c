/* SPDX-License-Identifier: MIT */
/* retrans-high: loss by class of destination, and what is sent again without being lost. */
#include "rules.h"

#define RULE "retrans-high"
#define PRIVATE "10.9.9.9:443"
#define GLOBAL "8.8.8.8:443"

/** struct flow_numbers - what a connection does between the two samples. @waiting: timeouts without an answer yet. */
struct flow_numbers {
	uint32_t sent, again, twice, timeouts, waiting, backoff;
};

static struct fake *begin(struct fixture *f, const char *local, const char *peer)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake_set(fake, TCPI_DATA_SEGS_OUT, 1001);
	fake_set(fake, TCPI_TOTAL_RETRANS, 1);
	fake_set(fake, TCPI_DSACK_DUPS, 1);
	fake_set(fake, TCPI_TOTAL_RTO, 1);
	fake_set(fake, TCPI_PMTU, 1500);
	fake_set(fake, TCPI_RTT, 20000);
	fake_set(fake, TCPI_MIN_RTT, 10001);
	return fake;
}

static void go_on(struct fake *fake, struct flow_numbers flow)
{
	fake_set(fake, TCPI_DATA_SEGS_OUT, 1001 + flow.sent + flow.again);
	fake_set(fake, TCPI_TOTAL_RETRANS, 1 + flow.again);
	fake_set(fake, TCPI_DSACK_DUPS, 1 + flow.twice);
	fake_set(fake, TCPI_TOTAL_RTO, 1 + flow.timeouts);
	fake_set(fake, TCPI_RETRANSMITS, flow.waiting);
	fake_set(fake, TCPI_BACKOFF, flow.backoff);
}

/* One connection of ours that does @flow within five seconds. */
static void one(struct fixture *f, const char *peer, struct flow_numbers flow)
{
	struct fake *fake;

	fixture_open(f, RULE);
	fake = begin(f, "10.0.0.1:40000", peer);
	fixture_sample(f, 0);
	go_on(fake, flow);
	fixture_sample(f, 5);
	fixture_judge(f);
}

/* With 100 lost, 80 are beyond chance. */
static void loss__by_class__at_its_limits(void **state)
{
	static const struct {
		const char *peer;
		struct flow_numbers flow;
		int severity;
		const char *limit;
	} rows[] = {
		{ PRIVATE, { 15900, 100 }, SEVERITY_WARNING, "private_loss" },
		{ PRIVATE, { 15901, 100 }, -1, NULL },
		{ PRIVATE, { 2566, 100 }, SEVERITY_CRITICAL, "private_critical_loss" },
		{ PRIVATE, { 2567, 100 }, SEVERITY_WARNING, "private_loss" },
		{ GLOBAL, { 2566, 100 }, SEVERITY_WARNING, "global_loss" },
		{ GLOBAL, { 2567, 100 }, -1, NULL },
		{ GLOBAL, { 700, 100 }, SEVERITY_CRITICAL, "global_critical_loss" },
		{ GLOBAL, { 701, 100 }, SEVERITY_WARNING, "global_loss" },
		{ PRIVATE, { 100, 10 }, SEVERITY_CRITICAL, "private_critical_loss" },
		{ PRIVATE, { 99, 10 }, -1, NULL },
		{ PRIVATE, { 100, 9 }, -1, NULL },
		/* two thirds of ten are chance: 10 of 735 sent is more than 0.5 % for sure, of 736 it is not */
		{ PRIVATE, { 725, 10 }, SEVERITY_WARNING, "private_loss" },
		{ PRIVATE, { 726, 10 }, -1, NULL },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		one(&f, rows[i].peer, rows[i].flow);
		if (f.verdict.finding_count != (rows[i].severity >= 0))
			fail_msg("row %zu: %zu findings", i, f.verdict.finding_count);
		if (rows[i].severity < 0)
			expect_silence(&f);
		else
			assert_string_equal(expect_one(&f, (enum severity)rows[i].severity)->threshold.name, rows[i].limit);
		fixture_close(&f);
	}
}

static void texts__name_who_and_how_much(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = begin(&f, "10.0.0.1:40000", PRIVATE);
	fake->owner = fixture_process(&f, 7, "rsync");
	fake->sock.has |= SOCK_HAS_CONG;
	memcpy(fake->sock.cong, "cubic", 6);
	fixture_sample(&f, 0);
	go_on(fake, (struct flow_numbers){ 1000, 60, 10, 5, 0, 0 });
	fixture_count(&f, COUNTER_TCP_RETRANS_SEGS, 100 + 72);
	fixture_count(&f, COUNTER_TCP_SYN_RETRANS, 100 + 2);
	fixture_count(&f, COUNTER_TCP_DSACK_RECV_SEGS, 100 + 10);
	fixture_count(&f, COUNTER_TCP_ORIG_DATA_SENT, 100 + 5930);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_true(finding->confidence == 0.85);
	assert_int_equal(finding->scope.pid, 7);
	expect_text(finding, finding->title, "A connection to 10.9.9.9:443 loses 4.7 % of what it sends");
	expect_text(finding, finding->detail, "60 of 1060 segments sent again, 10 of them needlessly · the whole host loses 1 %");
	expect_text(finding, finding->detail, "cubic, round trip 20 ms, at best 10 ms");
	assert_int_equal(evidence_of(finding, "timeouts"), 5);
	assert_int_equal(evidence_of(finding, "host_sent"), 6000);
	expect_against(finding, "others to the same place may lose nothing");
	fixture_close(&f);
}

static void several__to_one_place__are_counted_together(void **state)
{
	const struct finding *finding;
	struct fixture f;
	struct fake *fake[3];

	(void)state;
	fixture_open(&f, RULE);
	for (unsigned i = 0; i < 3; i++)
		fake[i] = begin(&f, "10.0.0.1:40000", PRIVATE);
	fixture_sample(&f, 0);
	for (unsigned i = 0; i < 3; i++)
		go_on(fake[i], (struct flow_numbers){ .sent = 100, .again = 7 });
	fixture_sample(&f, 5);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->count, 3);
	expect_text(finding, finding->title, "3 connections to 10.9.9.9:443 lose 6.5 % of what they send");
	assert_int_equal(evidence_of(finding, "sent"), 321);
	fixture_close(&f);
}

/* What is sent again without being lost, or is no loss of the path. */
static void look_alikes__are_silent(void **state)
{
	static const struct {
		const char *what;
		struct flow_numbers flow;
		enum tcpi_id id;
		uint64_t before, after;
	} rows[] = {
		{ "four of five were needless", { 1000, 100, 80 }, TCPI_PMTU, 1500, 1500 },
		{ "the network duplicates packets", { 1000, 100, 500 }, TCPI_PMTU, 1500, 1500 },
		{ "an outage with three timeouts", { .sent = 1000, .again = 100, .backoff = 3 }, TCPI_PMTU, 1500, 1500 },
		{ "an outage that has just begun", { .sent = 1000, .again = 100, .waiting = 91, .backoff = 2 }, TCPI_PMTU, 1500, 1500 },
		{ "an outage that has just ended", { 1000, 100 }, TCPI_BACKOFF, 3, 0 },
		{ "the path became narrower", { 1000, 100 }, TCPI_PMTU, 1500, 1400 },
		{ "a first copy that has no tcp_info", { 1000, 100 }, TCPI_COUNT, 0, 0 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = begin(&f, "10.0.0.1:40000", PRIVATE);
		if (rows[i].id == TCPI_COUNT) {
			f.snap.info_for_all = false;
			fake->sock.timer = SOCK_TIMER_ON;
			fake->sock.retrans = 1;
			fake->sock.info.len = 0;
		} else {
			fake_set(fake, rows[i].id, rows[i].before);
		}
		fixture_sample(&f, 0);
		fake->sock.info.len = f.info_len;
		go_on(fake, rows[i].flow);
		if (rows[i].id != TCPI_COUNT && rows[i].id != TCPI_BACKOFF)
			fake_set(fake, rows[i].id, rows[i].after);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (f.verdict.finding_count)
			fail_msg("fires although %s", rows[i].what);
		expect_silence(&f);
		fixture_close(&f);
	}
}

/* The rows of look_alikes at the other side of their limits. */
static void look_alikes__just_not__fire(void **state)
{
	static const struct flow_numbers rows[] = { { 1000, 100, 79 }, { .sent = 1000, .again = 100, .backoff = 2 },
					    { .sent = 1000, .again = 100, .waiting = 50, .backoff = 2 } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		one(&f, PRIVATE, rows[i]);
		assert_int_equal(f.verdict.finding_count, 1);
		fixture_close(&f);
	}
}

/* A size that was learned while we watched: what did not fit was sent again. */
static void path_mtu__just_learned__is_silent(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (uint32_t left_ms = 594999; left_ms <= 595000; left_ms++) {
		fixture_open(&f, RULE);
		f.has_route = true;
		f.route = (struct route){ .has = ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES | ROUTE_HAS_LINK, .carrier = true,
					  .mtu = 1400, .link_mtu = 1500, .expires_ms = left_ms };
		fake = begin(&f, "10.0.0.1:40000", PRIVATE);
		fixture_sample(&f, 0);
		go_on(fake, (struct flow_numbers){ .sent = 1000, .again = 100 });
		fixture_sample(&f, 5);
		fixture_judge(&f);
		assert_int_equal(f.verdict.finding_count, left_ms < 595000);
		fixture_close(&f);
	}
}

static void timers__repair_it__raises_by_one(void **state)
{
	static const struct {
		uint32_t timeouts;
		bool raises;
	} rows[] = { { 50, true }, { 49, false } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		one(&f, PRIVATE, (struct flow_numbers){ .sent = 10000, .again = 100, .timeouts = rows[i].timeouts });
		expect_one(&f, rows[i].raises ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		fixture_close(&f);
		/* ten a second, but not half of what is sent again */
		one(&f, PRIVATE, (struct flow_numbers){ .sent = 10000, .again = 101, .timeouts = rows[i].timeouts });
		expect_one(&f, SEVERITY_WARNING);
		fixture_close(&f);
	}
}

static void first_seen_in_the_last_sample__has_nothing_to_compare(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = begin(&f, "10.0.0.1:40000", PRIVATE);
	fake->gone = true;
	fixture_sample(&f, 0);
	fake->gone = false;
	go_on(fake, (struct flow_numbers){ .sent = 1000, .again = 100 });
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void closed__before_the_last_sample__counts(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = begin(&f, "10.0.0.1:40000", PRIVATE);
	fixture_sample(&f, 0);
	go_on(fake, (struct flow_numbers){ .sent = 1000, .again = 100 });
	fixture_sample(&f, 2);
	fake->gone = true;
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_one(&f, SEVERITY_CRITICAL);
	fixture_close(&f);
}

static void counters_of_a_socket__wrap(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = begin(&f, "10.0.0.1:40000", PRIVATE);
	fake_set(fake, TCPI_DATA_SEGS_OUT, UINT32_MAX - 99);
	fake_set(fake, TCPI_TOTAL_RTO, UINT16_MAX);
	fixture_sample(&f, 0);
	fake_set(fake, TCPI_DATA_SEGS_OUT, 1000);
	fake_set(fake, TCPI_TOTAL_RETRANS, 101);
	fake_set(fake, TCPI_TOTAL_RTO, 2);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	assert_int_equal(evidence_of(expect_one(&f, SEVERITY_CRITICAL), "sent"), 1100);
	assert_int_equal(evidence_of(f.verdict.findings[0], "timeouts"), 3);
	fixture_close(&f);
}

/* @count public clients, each from a network of its own, of which every one loses a tenth; the host loses @host_lost of 1000. */
static void public_clients(struct fixture *f, unsigned count, unsigned estab, uint32_t host_lost)
{
	struct fake *fake[600];

	fixture_open(f, RULE);
	fixture_sock(f, SOCK_STATE_LISTEN, "*:443", "*:*");
	for (unsigned i = 0; i < estab; i++) {
		fake[i] = begin(f, "10.0.0.1:443", "8.8.0.1:5000");
		fake[i]->sock.peer.addr.bytes[2] = (uint8_t)i;
		fake[i]->sock.peer.addr.bytes[1] += (uint8_t)(i >> 8);
		if (i >= count)
			fake_set(fake[i], TCPI_TOTAL_RETRANS, 0);
	}
	fixture_sample(f, 0);
	for (unsigned i = 0; i < count; i++)
		go_on(fake[i], (struct flow_numbers){ .sent = 1000, .again = 100 });
	fixture_count(f, COUNTER_TCP_RETRANS_SEGS, 100 + host_lost * 10);
	fixture_count(f, COUNTER_TCP_ORIG_DATA_SENT, 100 + 10000);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void public_clients__need_networks_share_and_the_host(void **state)
{
	static const struct {
		unsigned count, estab;
		uint32_t host;
		bool fires;
	} rows[] = { { 5, 500, 50, true }, { 5, 501, 50, false }, { 4, 100, 50, false }, { 5, 500, 20, false } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		public_clients(&f, rows[i].count, rows[i].estab, rows[i].host);
		if (f.verdict.finding_count != rows[i].fires)
			fail_msg("row %zu", i);
		if (rows[i].fires) {
			expect_text(f.verdict.findings[0], f.verdict.findings[0]->title, "5 connections of 10.0.0.1:443 lose 9.1 %");
			expect_against(f.verdict.findings[0], "their own access");
		}
		fixture_close(&f);
	}
}

static void private_clients__are_told_by_address(void **state)
{
	struct fixture f;
	struct fake *fake[2];

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:443", "*:*");
	fake[0] = begin(&f, "10.0.0.1:443", "10.9.9.9:5000");
	fake[1] = begin(&f, "10.0.0.1:443", "10.9.9.9:5001");
	fixture_sample(&f, 0);
	go_on(fake[0], (struct flow_numbers){ .sent = 1000, .again = 50 });
	go_on(fake[1], (struct flow_numbers){ .sent = 1000, .again = 50 });
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_text(expect_one(&f, SEVERITY_CRITICAL), f.verdict.findings[0]->title, "2 connections to 10.9.9.9 lose 4.8 %");
	fixture_close(&f);
}

/* Connections too short to be seen: @lost of @sent, half in each interval, with so many ICMP messages. */
static void counters_only(struct fixture *f, const char *peer, uint32_t lost, uint32_t sent, uint32_t icmp)
{
	fixture_open(f, RULE);
	fake_set(begin(f, "10.0.0.1:40000", peer), TCPI_TOTAL_RETRANS, 0);
	fixture_sample(f, 0);
	fixture_count(f, COUNTER_TCP_RETRANS_SEGS, 100 + lost / 2);
	fixture_count(f, COUNTER_TCP_ORIG_DATA_SENT, 100 + sent / 2);
	fixture_sample(f, 2);
	fixture_count(f, COUNTER_TCP_RETRANS_SEGS, 100 + lost);
	fixture_count(f, COUNTER_TCP_ORIG_DATA_SENT, 100 + sent);
	fixture_count(f, COUNTER_ICMP_IN_TYPE3, 100 + icmp);
	fixture_sample(f, 5);
	fixture_judge(f);
}

static void short_connections__show_in_counters(void **state)
{
	static const struct {
		const char *peer;
		uint32_t lost, sent, icmp;
		bool fires;
	} rows[] = {
		{ PRIVATE, 100, 15900, 0, true }, { PRIVATE, 100, 15901, 0, false }, { PRIVATE, 100, 1000, 0, true },
		{ GLOBAL, 100, 2566, 0, true },	  { GLOBAL, 100, 2567, 0, false },
		{ PRIVATE, 100, 1000, 9, true },  { PRIVATE, 100, 1000, 10, false },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		counters_only(&f, rows[i].peer, rows[i].lost, rows[i].sent, rows[i].icmp);
		if (f.verdict.finding_count != rows[i].fires)
			fail_msg("row %zu", i);
		if (rows[i].fires) {
			const struct finding *finding = expect_one(&f, SEVERITY_WARNING);

			assert_true(finding->confidence == 0.6);
			assert_int_equal(finding->count, 100);
			expect_text(finding, finding->title, "Short connections of this host lose");
			expect_against(finding, "to whom is not known");
		}
		fixture_close(&f);
	}
}

/* What followed connections explain is taken off, and one interval is an accident. */
static void short_connections__explained_otherwise__are_silent(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		fixture_open(&f, RULE);
		fake = begin(&f, "10.0.0.1:40000", PRIVATE);
		if (i == 1) {
			fake_set(fake, TCPI_BACKOFF, 2);
			fake->gone = true;
		}
		fixture_sample(&f, 0);
		fixture_count(&f, COUNTER_TCP_RETRANS_SEGS, i == 2 ? 100 : 101);
		fixture_sample(&f, 2);
		fake->gone = false;
		fixture_count(&f, COUNTER_TCP_RETRANS_SEGS, 200);
		fixture_count(&f, COUNTER_TCP_ORIG_DATA_SENT, 1100);
		if (i == 0 || i == 5) /* an outage: 51 of 100 are that */
			go_on(fake, (struct flow_numbers){ .sent = 100, .again = i ? 50 : 51, .backoff = 5 });
		if (i == 1) /* an outage seen in the last sample alone */
			go_on(fake, (struct flow_numbers){ .again = 60, .waiting = 60, .backoff = 4 });
		if (i == 3)
			fixture_count(&f, COUNTER_TCP_SYN_RETRANS, 200);
		if (i == 4)
			fixture_count(&f, COUNTER_TCP_DSACK_RECV_SEGS, 200);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (f.verdict.finding_count != (i == 5))
			fail_msg("case %u", i);
		fixture_close(&f);
	}
}

static void hint__a_queue_doubles_the_round_trip(void **state)
{
	static const struct {
		uint32_t rtt, least;
		const char *says;
	} rows[] = { { 20000, 10000, "congestion" }, { 20000, 10001, "policer" }, { 19000, 9001, "policer" },
		     { 300, 7, "policer" },	     { 0, 0, "not known" } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = begin(&f, "10.0.0.1:40000", PRIVATE);
		fixture_sample(&f, 0);
		go_on(fake, (struct flow_numbers){ .sent = 1000, .again = 100 });
		fake_set(fake, TCPI_RTT, rows[i].rtt);
		fake_set(fake, TCPI_MIN_RTT, rows[i].least);
		fixture_sample(&f, 5);
		fixture_judge(&f);
		expect_text(expect_one(&f, SEVERITY_CRITICAL), f.verdict.findings[0]->detail, rows[i].says);
		fixture_close(&f);
	}
}

static void near_miss__names_the_largest_loss(void **state)
{
	struct fixture f;

	(void)state;
	one(&f, GLOBAL, (struct flow_numbers){ .sent = 3900, .again = 100 });
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 1);
	assert_true(f.verdict.misses[0].value == 2 && f.verdict.misses[0].threshold == 3);
	fixture_close(&f);
}

static void candidates__send_lately_or_wait_for_a_timeout(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = begin(&f, "10.0.0.1:40000", PRIVATE);
	fake_set(fake, TCPI_LAST_DATA_SENT, 10000);
	assert_true(triage_rule_find(RULE)->candidate(&fake->sock));
	fake_set(fake, TCPI_LAST_DATA_SENT, 10001);
	assert_false(triage_rule_find(RULE)->candidate(&fake->sock));
	fake_set(fake, TCPI_BACKOFF, 1);
	assert_true(triage_rule_find(RULE)->candidate(&fake->sock));
	fake_set(fake, TCPI_TOTAL_RETRANS, 0);
	assert_false(triage_rule_find(RULE)->candidate(&fake->sock));
	fixture_close(&f);
}

static void inputs__missing__are_said(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	f.quick = true;
	begin(&f, "10.0.0.1:40000", PRIVATE);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "--quick");
	fixture_close(&f);

	fixture_open(&f, RULE);
	f.info_len = 216;
	begin(&f, "10.0.0.1:40000", PRIVATE);
	fixture_sample(&f, 0);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_skipped(&f, "dsack_dups");
	fixture_close(&f);

	fixture_open(&f, RULE);
	f.info_len = 224;
	f.no_counters = true;
	fake = begin(&f, "10.0.0.1:40000", PRIVATE);
	fixture_sample(&f, 0);
	go_on(fake, (struct flow_numbers){ .sent = 1000, .again = 100, .timeouts = 100 });
	fixture_sample(&f, 5);
	fixture_judge(&f);
	assert_null(finding_evidence(expect_one(&f, SEVERITY_CRITICAL), "host_loss"));
	expect_part_skipped(&f, "share of timeouts");
	expect_part_skipped(&f, "counters could not be read");
	fixture_close(&f);

	/* nothing is said of short connections when not all of the others could be taken off */
	fixture_open(&f, RULE);
	f.snap.info_for_all = false;
	fixture_sample(&f, 0);
	fixture_count(&f, COUNTER_TCP_RETRANS_SEGS, 150);
	fixture_sample(&f, 2);
	fixture_count(&f, COUNTER_TCP_RETRANS_SEGS, 200);
	fixture_count(&f, COUNTER_TCP_ORIG_DATA_SENT, 1100);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "not asked for every socket");
	fixture_close(&f);
}

/* Each repetition stands for one loss, of the first sending or of a repetition: more than all of what is sent cannot be lost. */
static void heavy_loss__is_a_share_of_everything_sent(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	one(&f, PRIVATE, (struct flow_numbers){ .sent = 100, .again = 300 });
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(evidence_of(finding, "loss"), 75);
	assert_true(evidence_of(finding, "loss_at_least") < 75);
	expect_text(finding, finding->title, "loses 75 % of what it sends");
	expect_text(finding, finding->detail, "300 of 400 segments sent again");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss__by_class__at_its_limits),
		cmocka_unit_test(texts__name_who_and_how_much),
		cmocka_unit_test(several__to_one_place__are_counted_together),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(look_alikes__just_not__fire),
		cmocka_unit_test(path_mtu__just_learned__is_silent),
		cmocka_unit_test(timers__repair_it__raises_by_one),
		cmocka_unit_test(first_seen_in_the_last_sample__has_nothing_to_compare),
		cmocka_unit_test(closed__before_the_last_sample__counts),
		cmocka_unit_test(counters_of_a_socket__wrap),
		cmocka_unit_test(public_clients__need_networks_share_and_the_host),
		cmocka_unit_test(private_clients__are_told_by_address),
		cmocka_unit_test(short_connections__show_in_counters),
		cmocka_unit_test(short_connections__explained_otherwise__are_silent),
		cmocka_unit_test(hint__a_queue_doubles_the_round_trip),
		cmocka_unit_test(near_miss__names_the_largest_loss),
		cmocka_unit_test(candidates__send_lately_or_wait_for_a_timeout),
		cmocka_unit_test(inputs__missing__are_said),
		cmocka_unit_test(heavy_loss__is_a_share_of_everything_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
