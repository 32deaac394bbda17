/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-recv: gaps that are not filled, and gaps of other kinds. */
#include "rules.h"

#define RULE "mtu-blackhole-recv"
#define MSS 1448

/* A client whose answer has a gap since @gap_ms: 656 bytes came behind it. */
static struct fake *waiting(struct fixture *f, const char *local, const char *peer, uint32_t gap_ms)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake->sock.has |= SOCK_HAS_SKMEM;
	fake->sock.skmem[SKMEM_RMEM] = 1488;
	fake->sock.skmem[SKMEM_RCVBUF] = 131072;
	fake_set(fake, TCPI_RCV_OOOPACK, 1);
	fake_set(fake, TCPI_RCV_MSS, 656);
	fake_set(fake, TCPI_ADVMSS, MSS);
	fake_set(fake, TCPI_BYTES_ACKED, 17);
	fake_set(fake, TCPI_SEGS_IN, 3);
	fake_set(fake, TCPI_LAST_DATA_RECV, gap_ms + 8);
	fake_set(fake, TCPI_LAST_ACK_RECV, gap_ms);
	return fake;
}

static struct fake *neighbour(struct fixture *f, const char *local, const char *peer, uint32_t ack_ms)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake->sock.has |= SOCK_HAS_SKMEM;
	fake_set(fake, TCPI_LAST_ACK_RECV, ack_ms);
	fake_set(fake, TCPI_ADVMSS, MSS);
	return fake;
}

static void judge(struct fixture *f, double seconds)
{
	fixture_sample(f, 0);
	fixture_sample(f, seconds);
	fixture_judge(f);
}

static void answer__with_a_gap__beside_one_that_works(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000)->owner = fixture_process(&f, 6, "browse");
	neighbour(&f, "10.0.0.1:40001", "10.9.9.9:443", 100);
	f.has_route = true;
	f.route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK, .carrier = true, .link_mtu = 1500, .device = "eth0" };
	judge(&f, 5);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.8);
	assert_int_equal(finding->count, 1);
	assert_int_equal(finding->scope.pid, 6);
	assert_string_equal(finding->scope.interface, "eth0");
	expect_text(finding, finding->title, "black hole: large packets from 10.9.9.9:443 do not arrive");
	expect_text(finding, finding->detail, "for 6 s at least");
	expect_text(finding, finding->detail, "segments of 656 B arrive, 1448 B are allowed");
	assert_int_equal(evidence_of(finding, "gap"), 6000);
	assert_int_equal(evidence_of(finding, "out_of_order"), 1);
	assert_int_equal(evidence_of(finding, "held_memory"), 1488);
	assert_int_equal(evidence_of(finding, "peer_answers"), 1);
	assert_int_equal(evidence_of(finding, "interface_mtu"), 1500);
	expect_against(finding, "smaller MSS");
	expect_part_skipped(&f, "not even a short end");
	fixture_close(&f);
}

static void peer__silent_otherwise__is_named_as_doubt(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
	neighbour(&f, "10.0.0.1:40001", "10.9.9.9:443", 6000);
	judge(&f, 5);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.6);
	expect_text(finding, finding->title, "or the peer is gone");
	expect_against(finding, "nothing else was heard from 10.9.9.9");
	assert_int_equal(evidence_of(finding, "peer_answers"), 0);
	fixture_close(&f);
}

/* The connections of one burst fall silent one after the other: only what is heard a second later is an answer. */
static void peer__heard_moments_later__is_no_answer(void **state)
{
	static const struct {
		uint32_t ack_ms;
		double confidence;
	} rows[] = { { 5999, 0.6 }, { 5900, 0.6 }, { 5000, 0.6 }, { 4999, 0.8 } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, RULE);
		waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
		neighbour(&f, "10.0.0.1:40001", "10.9.9.9:443", rows[i].ack_ms);
		judge(&f, 5);
		assert_true(expect_one(&f, SEVERITY_WARNING)->confidence == rows[i].confidence);
		fixture_close(&f);
	}
}

static void peer__heard_on_this_very_connection__is_alive(void **state)
{
	struct fixture f;
	struct fake *fake;

	(void)state;
	fixture_open(&f, RULE);
	fake = waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
	fixture_sample(&f, 0);
	fake_set(fake, TCPI_SEGS_IN, 4);
	fixture_sample(&f, 5);
	fixture_judge(&f);
	assert_true(expect_one(&f, SEVERITY_WARNING)->confidence == 0.8);
	fixture_close(&f);
}

/* The gap is as old as the last packet at least, or as long as it was watched; and no older than the last data in order. */
static void gap__at_three_seconds__fires(void **state)
{
	static const struct {
		double watched_s;
		uint32_t packet_ms, data_ms;
		bool fires;
	} rows[] = {
		{ 1, 3000, 3000, true },  { 1, 2999, 60000, false }, { 3, 10, 60000, true },
		{ 2.9, 10, 60000, false }, { 5, 60000, 2999, false }, { 5, 60000, 3000, true },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 0);
		fake_set(fake, TCPI_LAST_ACK_RECV, rows[i].packet_ms);
		fake_set(fake, TCPI_LAST_DATA_RECV, rows[i].data_ms);
		judge(&f, rows[i].watched_s);
		assert_int_equal(f.verdict.finding_count, rows[i].fires);
		assert_int_equal(f.verdict.miss_count, !rows[i].fires);
		fixture_close(&f);
	}
}

static void segments__up_to_seven_tenths__fire(void **state)
{
	static const struct {
		uint32_t rcv_mss, advmss;
		bool fires;
	} rows[] = { { 1013, MSS, true }, { 1014, MSS, false }, { 536, 1221, true }, { 536, 1220, false } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
		fake_set(fake, TCPI_RCV_MSS, rows[i].rcv_mss);
		fake_set(fake, TCPI_ADVMSS, rows[i].advmss);
		judge(&f, 5);
		assert_int_equal(f.verdict.finding_count, rows[i].fires);
		fixture_close(&f);
	}
}

/* What changes between the two samples, or stands in both, and must keep the rule silent. */
static const struct look_alike {
	const char *what;
	enum tcpi_id id;
	uint64_t before, after;
} look_alikes[] = {
	{ "a slow peer: nothing came out of order", TCPI_RCV_OOOPACK, 0, 0 },
	{ "bytes go on arriving", TCPI_BYTES_RECEIVED, 100, 101 },
	{ "our request is not acknowledged", TCPI_UNACKED, 1, 1 },
	{ "our request was not acknowledged", TCPI_UNACKED, 1, 0 },
	{ "the peer does not answer probes", TCPI_PROBES, 0, 1 },
};

static void look_alikes__are_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(look_alikes); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
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

/* The count of packets out of order stays for ever: without memory held for them the gap has healed. */
static void gap__healed_or_read__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		fake = waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 60000);
		neighbour(&f, "10.0.0.1:40001", "10.9.9.9:443", 100);
		if (i == 0 || i == 2)
			fake->sock.skmem[SKMEM_RMEM] = 0;
		if (i == 4) /* what is held is data that the program has not read */
			fake->sock.recv_q = 656;
		fixture_sample(&f, 0);
		fake->sock.skmem[SKMEM_RMEM] = i == 1 || i == 2 ? 0 : 1488;
		if (i == 3)
			fake->sock.state = SOCK_STATE_CLOSE_WAIT;
		fixture_sample(&f, 5);
		fixture_judge(&f);
		if (f.verdict.finding_count)
			fail_msg("fires in case %u", i);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void first_hop__gone__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fixture_open(&f, RULE);
		f.has_route = true;
		f.route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK, .carrier = i, .error = i ? -101 : 0,
					  .device = "eth0" };
		waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
		judge(&f, 5);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void neighbours__three_of_a_network__are_one_finding(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned count = 2; count <= 3; count++) {
		fixture_open(&f, RULE);
		for (unsigned i = 0; i < count; i++)
			waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000)->sock.peer.addr.bytes[3] = (uint8_t)(10 + i);
		judge(&f, 5);
		if (count == 3)
			expect_text(expect_one(&f, SEVERITY_WARNING), "{peer} {count}", "10.9.9.0/24:443 3");
		else
			assert_int_equal(f.verdict.finding_count, 2);
		fixture_close(&f);
	}
}

static void uploads__of_private_clients__are_told_by_client(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	fixture_sock(&f, SOCK_STATE_LISTEN, "*:443", "*:*");
	waiting(&f, "10.0.0.1:443", "10.9.9.9:5000", 6000);
	waiting(&f, "10.0.0.1:443", "10.9.9.9:5001", 6000);
	judge(&f, 5);
	finding = expect_one(&f, SEVERITY_WARNING);
	expect_text(finding, finding->title, "Large packets from 10.9.9.9 do not arrive");
	assert_int_equal(finding->count, 2);
	fixture_close(&f);
}

/* @count clients from networks of their own, accepted on a public listener with @estab connections in all. */
static void public_clients(struct fixture *f, unsigned count, unsigned estab)
{
	fixture_open(f, RULE);
	fixture_sock(f, SOCK_STATE_LISTEN, "*:443", "*:*");
	for (unsigned i = 0; i < estab; i++) {
		struct fake *fake = i < count ? waiting(f, "10.0.0.1:443", "8.8.0.1:5000", 6000) :
						neighbour(f, "10.0.0.1:443", "9.9.0.1:5000", 1000000);

		fake->sock.peer.addr.bytes[2] = (uint8_t)i;
		fake->sock.peer.addr.bytes[1] += (uint8_t)(i >> 8);
	}
	judge(f, 5);
}

static void public_clients__need_share_and_networks(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	public_clients(&f, 5, 500);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->count, 5);
	expect_text(finding, finding->title, "clients of 10.0.0.1:443");
	expect_against(finding, "come and go");
	fixture_close(&f);
	public_clients(&f, 5, 501);
	expect_one(&f, SEVERITY_INFO);
	fixture_close(&f);
	public_clients(&f, 4, 100);
	expect_one(&f, SEVERITY_INFO);
	fixture_close(&f);
}

static void old_kernel__does_not_count__is_less_certain(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.info_len = 224;
	waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
	neighbour(&f, "10.0.0.1:40001", "10.9.9.9:443", 100);
	judge(&f, 5);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_true(finding->confidence == 0.5);
	assert_null(finding_evidence(finding, "out_of_order"));
	expect_against(finding, "does not count packets out of order");
	fixture_close(&f);
}

static void older_kernel__without_bytes_received__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.info_len = tcpi_fields[TCPI_BYTES_RECEIVED].need - 1;
	waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
	neighbour(&f, "10.0.0.1:40001", "10.9.9.9:443", 100);
	judge(&f, 5);
	expect_skipped(&f, "Linux 4.1");
	fixture_close(&f);
}

static void inputs__missing__are_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	f.quick = true;
	waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "--quick");
	fixture_close(&f);

	fixture_open(&f, RULE);
	f.snap.info_for_all = true;
	waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000)->sock.has &= ~(uint32_t)SOCK_HAS_SKMEM;
	judge(&f, 5);
	expect_skipped(&f, "socket memory");
	fixture_close(&f);

	fixture_open(&f, RULE);
	f.snap.info_for_all = false;
	waiting(&f, "10.0.0.1:40000", "10.9.9.9:443", 6000)->sock.info.len = 0;
	judge(&f, 5);
	expect_silence(&f);
	expect_part_skipped(&f, "not asked for every socket");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer__with_a_gap__beside_one_that_works),
		cmocka_unit_test(peer__silent_otherwise__is_named_as_doubt),
		cmocka_unit_test(peer__heard_moments_later__is_no_answer),
		cmocka_unit_test(peer__heard_on_this_very_connection__is_alive),
		cmocka_unit_test(gap__at_three_seconds__fires),
		cmocka_unit_test(segments__up_to_seven_tenths__fire),
		cmocka_unit_test(look_alikes__are_silent),
		cmocka_unit_test(gap__healed_or_read__is_silent),
		cmocka_unit_test(first_hop__gone__is_silent),
		cmocka_unit_test(neighbours__three_of_a_network__are_one_finding),
		cmocka_unit_test(uploads__of_private_clients__are_told_by_client),
		cmocka_unit_test(public_clients__need_share_and_networks),
		cmocka_unit_test(old_kernel__does_not_count__is_less_certain),
		cmocka_unit_test(older_kernel__without_bytes_received__is_skipped),
		cmocka_unit_test(inputs__missing__are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
