/* SPDX-License-Identifier: MIT */
/* What a snapshot keeps of half-open queues: counts, networks, what clients do; and that spoofed sources cost nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/track/snapshot.h"

#define MILLION 1000000u

static struct sock make(enum sock_state state, const char *local, uint16_t local_port, uint32_t peer)
{
	static uint64_t cookie;
	struct sock sock = { .state = (uint8_t)state,
			     .has = SOCK_HAS_COOKIE,
			     .cookie = ++cookie,
			     .timer = SOCK_TIMER_ON,
			     .expires_ms = 900 };

	assert_true(addr_parse(local, &sock.local.addr));
	sock.local.port = local_port;
	sock.family = sock.local.addr.family;
	sock.peer.addr = addr_v4(peer);
	sock.peer.port = state == SOCK_STATE_LISTEN ? 0 : 50000;
	return sock;
}

static struct sock request(uint32_t peer)
{
	return make(SOCK_STATE_SYN_RECV, "10.0.0.1", 80, peer);
}

/* An empty namespace with one listener, 10.0.0.1:80, in the middle of its first sample. */
static void open_one(struct snapshot *snap, struct sock *listener)
{
	*listener = make(SOCK_STATE_LISTEN, "10.0.0.1", 80, 0);
	snapshot_init(snap, NULL, NULL);
	snapshot_begin(snap, 0);
	snapshot_add(snap, listener);
}

static const struct half_open *half_of(const struct snapshot *snap)
{
	return snapshot_listener(snap, 0)->half_open;
}

/* What timer and count showed over 12 s, as measured on Linux 6.18: at 0.4, 2.0, 5.3, 7.4 and 11.4 s. */
static const struct course {
	const char *what;
	struct look {
		uint32_t at_ms, expires_ms;
		uint8_t retrans;
	} look[5];
	uint32_t repeating[5], silent[5], deferred[5], late[5], retried[5], aged[5];
} courses[] = {
	{ "the SYN-ACK is lost, the client repeats its SYN every second",
	  { { 410, 592, 0 }, { 2040, 992, 2 }, { 5310, 1816, 6 }, { 7350, 3792, 8 }, { 11440, 7868, 10 } },
	  .repeating = { 0, 1, 1, 1, 1 }, .late = { 0, 1, 1, 1, 1 }, .retried = { 0, 1, 1, 1, 1 }, .aged = { 0, 0, 1, 1, 1 } },
	{ "the client is gone, or its ACK is lost",
	  { { 400, 596, 0 }, { 2040, 972, 1 }, { 5320, 1708, 2 }, { 7370, 7692, 3 }, { 11460, 3596, 3 } },
	  .silent = { 0, 1, 1, 1, 1 }, .late = { 0, 1, 1, 1, 1 }, .retried = { 0, 0, 1, 1, 1 }, .aged = { 0, 0, 1, 1, 1 } },
	{ "the client has answered, the listener waits for data",
	  { { 410, 596, 0 }, { 2120, 916, 0 }, { 5450, 1600, 0 }, { 7520, 7628, 0 }, { 11680, 3472, 0 } },
	  .deferred = { 0, 1, 1, 1, 1 } },
};

static void courses__as_measured__are_told_apart(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(courses); c++) {
		struct snapshot snap;
		struct sock listener, sock = request(0x0a000002);

		open_one(&snap, &listener);
		for (size_t i = 0; i < 5; i++) {
			const struct half_open *half;

			snapshot_begin(&snap, (int64_t)courses[c].look[i].at_ms * 1000);
			snapshot_add(&snap, &listener);
			sock.expires_ms = courses[c].look[i].expires_ms;
			sock.retrans = courses[c].look[i].retrans;
			snapshot_add(&snap, &sock);
			snapshot_end(&snap);
			half = half_of(&snap);
			print_message("%s, look %zu\n", courses[c].what, i);
			assert_int_equal(half->count, 1);
			assert_int_equal(half->repeating, courses[c].repeating[i]);
			assert_int_equal(half->silent, courses[c].silent[i]);
			assert_int_equal(half->deferred, courses[c].deferred[i]);
			assert_int_equal(half->late, courses[c].late[i]);
			assert_int_equal(half->retried, courses[c].retried[i]);
			assert_int_equal(half->aged, courses[c].aged[i]);
		}
		snapshot_free(&snap);
	}
}

/* From one look: only what cannot be otherwise. */
static void one_look__tells_what_is_certain(void **state)
{
	static const struct {
		uint32_t expires_ms;
		uint8_t retrans;
		uint32_t repeating, silent, deferred, retried, aged;
		int64_t oldest_ms;
	} rows[] = {
		{ 1000, 0, 0, 0, 0, 0, 0, 0 },	  { 1001, 0, 0, 0, 1, 0, 0, 1000 }, { 2000, 1, 0, 0, 0, 0, 0, 1000 },
		{ 2001, 1, 0, 0, 1, 0, 0, 3000 }, { 2001, 2, 0, 1, 0, 1, 1, 4999 }, { 2000, 2, 0, 0, 0, 1, 0, 1000 },
		{ 500, 3, 0, 0, 0, 1, 0, 0 },	  { 500, 4, 0, 0, 0, 1, 1, 0 },	    { 500, 6, 1, 0, 0, 1, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct snapshot snap;
		struct sock listener, sock = request(0x0a000002);

		open_one(&snap, &listener);
		sock.expires_ms = rows[i].expires_ms;
		sock.retrans = rows[i].retrans;
		snapshot_add(&snap, &sock);
		snapshot_end(&snap);
		assert_int_equal(half_of(&snap)->repeating, rows[i].repeating);
		assert_int_equal(half_of(&snap)->silent, rows[i].silent);
		assert_int_equal(half_of(&snap)->deferred, rows[i].deferred);
		assert_int_equal(half_of(&snap)->retried, rows[i].retried);
		assert_int_equal(half_of(&snap)->aged, rows[i].aged);
		assert_int_equal(half_of(&snap)->oldest_ms, rows[i].oldest_ms);
		assert_int_equal(half_of(&snap)->retrans_max, rows[i].retrans);
		snapshot_free(&snap);
	}
}

static void queue__belongs_to_the_listener_that_accepts(void **state)
{
	struct snapshot snap;
	struct sock listener, other, sock;

	(void)state;
	open_one(&snap, &listener);
	other = make(SOCK_STATE_LISTEN, "::", 80, 0);
	snapshot_add(&snap, &other);
	sock = request(0x0a000002);
	snapshot_add(&snap, &sock);
	sock = make(SOCK_STATE_SYN_RECV, "10.0.0.7", 80, 0x0a000002);
	snapshot_add(&snap, &sock);
	snapshot_add(&snap, &sock);
	sock.local.port = 81; /* nobody's */
	snapshot_add(&snap, &sock);
	sock = request(0x0a000002); /* TCP Fast Open: a connection already */
	sock.inode = 7;
	snapshot_add(&snap, &sock);
	snapshot_end(&snap);
	assert_int_equal(snapshot_listener(&snap, 0)->half_open->count, 1);
	assert_int_equal(snapshot_listener(&snap, 1)->half_open->count, 2);
	assert_int_equal(snap.half_open_lost, 0);
	snapshot_free(&snap);
}

static void sample__begun_again_or_next__restarts_the_counts(void **state)
{
	struct snapshot snap;
	struct sock listener, sock = request(0x08080808);

	(void)state;
	open_one(&snap, &listener);
	sock.retrans = 2;
	for (unsigned number = 0; number < 2; number++) {
		for (unsigned tries = 0; tries < 2; tries++) {
			snapshot_begin(&snap, number * 1000000);
			snapshot_add(&snap, &listener);
			snapshot_add(&snap, &sock);
			if (!number) {
				struct sock second = request(0x0a000003);

				snapshot_add(&snap, &second);
			}
		}
		snapshot_end(&snap);
		assert_int_equal(half_of(&snap)->count, number ? 1 : 2);
		assert_int_equal(half_of(&snap)->count_max, 2);
		assert_int_equal(half_of(&snap)->retried_global, 1);
		assert_true(half_open_networks(&half_of(&snap)->stalled) == 1);
	}
	snapshot_begin(&snap, 2000000);
	snapshot_add(&snap, &listener);
	snapshot_end(&snap);
	assert_int_equal(half_of(&snap)->count, 0);
	assert_int_equal(half_of(&snap)->oldest_ms, -1);
	snapshot_free(&snap);
}

static void listener__without_requests__has_no_view(void **state)
{
	struct snapshot snap;
	struct sock listener;

	(void)state;
	open_one(&snap, &listener);
	snapshot_end(&snap);
	assert_null(half_of(&snap));
	snapshot_free(&snap);
}

static void listeners__beyond_the_bound__are_counted(void **state)
{
	struct snapshot snap;
	struct sock listener, sock;

	(void)state;
	open_one(&snap, &listener);
	for (uint16_t i = 1; i < SNAPSHOT_HALF_OPEN + 2; i++) {
		listener = make(SOCK_STATE_LISTEN, "10.0.0.1", (uint16_t)(1000 + i), 0);
		snapshot_add(&snap, &listener);
	}
	for (uint16_t i = 1; i < SNAPSHOT_HALF_OPEN + 2; i++) {
		sock = make(SOCK_STATE_SYN_RECV, "10.0.0.1", (uint16_t)(1000 + i), 0x0a000002);
		snapshot_add(&snap, &sock);
	}
	snapshot_end(&snap);
	assert_int_equal(snap.half_open_lost, 1);
	assert_null(snapshot_listener(&snap, SNAPSHOT_HALF_OPEN + 1)->half_open);
	snapshot_free(&snap);
}

static void networks__are_estimated_within_a_tenth(void **state)
{
	(void)state;
	for (uint32_t networks = 1; networks <= MILLION; networks = networks * 3 / 2 + 1) {
		struct snapshot snap;
		struct sock listener, sock = request(0);
		double found;

		open_one(&snap, &listener);
		/* two clients in each */
		for (uint32_t i = 0; i < 2 * networks; i++) {
			sock.peer.addr = addr_v4(0x0b000000 + i / 2 * 256 + i % 2);
			sock.cookie = i + 1;
			snapshot_add(&snap, &sock);
		}
		snapshot_end(&snap);
		found = half_open_networks(&half_of(&snap)->all);
		if (networks < HALF_OPEN_NETWORKS)
			assert_true(found == networks);
		if (found < 0.8 * networks || found > 1.2 * networks)
			fail_msg("%u networks taken for %.0f", networks, found);
		snapshot_free(&snap);
	}
}

/* A third of all from one network, the rest from one network each. */
static void busiest__network_is_found_among_noise__with_a_certain_count(void **state)
{
	struct half_open_network top[HALF_OPEN_NETWORKS];
	struct snapshot snap;
	struct sock listener, sock = request(0);

	(void)state;
	open_one(&snap, &listener);
	for (uint32_t i = 0; i < 3000; i++) {
		sock.peer.addr = addr_v4(i % 3 ? 0x0b000000 + i * 256 : 0x0a090900 + i % 256);
		snapshot_add(&snap, &sock);
	}
	snapshot_end(&snap);
	assert_int_equal(half_open_busiest(&half_of(&snap)->all, top), HALF_OPEN_NETWORKS);
	assert_true(addr_in_prefix(&top[0].peer, &(struct addr){ .bytes = { 10, 9, 9 } }, 24));
	assert_in_range(top[0].count - top[0].error, 600, 1000);
	assert_true(top[0].count >= 1000);
	assert_true(top[1].count - top[1].error < 10);
	snapshot_free(&snap);
}

static void watched__when_it_is_gone__makes_room(void **state)
{
	struct snapshot snap;
	struct sock listener, sock = request(0x0a000002);

	(void)state;
	open_one(&snap, &listener);
	for (unsigned number = 0; number < 8; number++) {
		snapshot_begin(&snap, number * 2000000);
		snapshot_add(&snap, &listener);
		/* every socket there is room for, of a first crowd and then of another */
		for (uint64_t i = 0; i < 4096; i++) {
			sock.cookie = 1 + i + (number < 3 ? 0 : 1000000);
			sock.retrans = number < 3 ? (uint8_t)number : 0;
			sock.expires_ms = number == 1 ? 900 : 500;
			snapshot_add(&snap, &sock);
		}
		snapshot_end(&snap);
	}
	for (size_t i = 0; i < HALF_OPEN_WATCHED; i++) {
		assert_true(half_of(&snap)->watch[i].key > 1000000);
		assert_true(half_of(&snap)->watch[i].first_us >= 4 * 2000000);
	}
	snapshot_free(&snap);
}

/* The groups that matter are there, a million spoofed half-open sockets come: nothing is pushed out, nothing grows. */
static void million_spoofed__push_no_group_out(void **state)
{
	struct snapshot snap;
	struct sock listener, sock, spoofed = request(0);
	size_t groups = 0;

	(void)state;
	open_one(&snap, &listener);
	for (uint32_t i = 0; i < SNAPSHOT_GROUPS; i++) {
		sock = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, 0x0b000000 + i);
		snapshot_add(&snap, &sock);
	}
	for (uint32_t i = 0; i < MILLION; i++) {
		spoofed.peer.addr = addr_v4(0x20000000 + i * 64);
		spoofed.cookie = i + 1;
		snapshot_add(&snap, &spoofed);
	}
	snapshot_end(&snap);
	while (snapshot_group(&snap, groups))
		assert_int_equal(snapshot_group(&snap, groups++)->total, 1);
	assert_int_equal(groups, SNAPSHOT_GROUPS);
	assert_int_equal(snap.groups_dropped, 0);
	assert_int_equal(half_of(&snap)->count, MILLION);
	assert_null(snapshot_candidate(&snap, 0));
	assert_true(sizeof(struct half_open) < 4096);
	snapshot_free(&snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(courses__as_measured__are_told_apart),
		cmocka_unit_test(one_look__tells_what_is_certain),
		cmocka_unit_test(queue__belongs_to_the_listener_that_accepts),
		cmocka_unit_test(sample__begun_again_or_next__restarts_the_counts),
		cmocka_unit_test(listener__without_requests__has_no_view),
		cmocka_unit_test(listeners__beyond_the_bound__are_counted),
		cmocka_unit_test(networks__are_estimated_within_a_tenth),
		cmocka_unit_test(busiest__network_is_found_among_noise__with_a_certain_count),
		cmocka_unit_test(watched__when_it_is_gone__makes_room),
		cmocka_unit_test(million_spoofed__push_no_group_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
