/* SPDX-License-Identifier: MIT */
/* What a snapshot keeps: counts of the newest sample, candidates by cookie, listeners, heavy groups in bounded memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tcptriage/track/burst.h"
#include "tcptriage/triage/port_headroom.h"

/* Every socket with unread data is wanted. */
static uint64_t want_unread(const struct sock *sock, void *context)
{
	(void)context;
	return sock->state != SOCK_STATE_LISTEN && sock->recv_q ? 1 : 0;
}

static const uint8_t empty_info[224];

static struct sock make(enum sock_state state, const char *local, uint16_t local_port,
			const char *peer, uint16_t peer_port)
{
	static uint64_t cookie;
	struct sock sock = { .state = (uint8_t)state,
			     .has = SOCK_HAS_COOKIE,
			     .inode = 1,
			     .cookie = ++cookie,
			     .info = { empty_info, sizeof(empty_info) } };

	assert_true(addr_parse(local, &sock.local.addr));
	assert_true(addr_parse(peer, &sock.peer.addr));
	sock.local.port = local_port;
	sock.peer.port = peer_port;
	sock.family = sock.local.addr.family;
	return sock;
}

static void open_with(struct snapshot *snap, int64_t lo, int64_t hi, int64_t reuse)
{
	struct sysctls *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->has[SYSCTL_PORT_LO] = s->has[SYSCTL_PORT_HI] = s->has[SYSCTL_TCP_TW_REUSE] = true;
	s->value[SYSCTL_PORT_LO] = lo;
	s->value[SYSCTL_PORT_HI] = hi;
	s->value[SYSCTL_TCP_TW_REUSE] = reuse;
	snapshot_init(snap, want_unread, NULL);
	snapshot_set_sysctls(snap, s);
	free(s);
}

static void sample(struct snapshot *snap, int64_t now_us, const struct sock *socks, size_t count)
{
	snapshot_begin(snap, now_us);
	for (size_t i = 0; i < count; i++)
		snapshot_add(snap, &socks[i]);
	snapshot_end(snap);
}

static void candidate__seen_twice_in_one_dump__counts_once(void **state)
{
	struct snapshot snap;
	struct sock s[2];

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s[0] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);
	s[0].recv_q = 10;
	s[1] = s[0];
	s[1].recv_q = 20;
	sample(&snap, 1000, s, 2);
	assert_non_null(snapshot_candidate(&snap, 0));
	assert_null(snapshot_candidate(&snap, 1));
	assert_int_equal(snapshot_candidate(&snap, 0)->seen, 1);
	assert_int_equal(snapshot_candidate(&snap, 0)->first.sock.recv_q, 10);
	assert_int_equal(snapshot_candidate(&snap, 0)->last.sock.recv_q, 20);
	sample(&snap, 2000, s, 1);
	assert_int_equal(snapshot_candidate(&snap, 0)->seen, 2);
	assert_int_equal(snapshot_candidate(&snap, 0)->last_us - snapshot_candidate(&snap, 0)->first_us, 1000);
	snapshot_free(&snap);
}

static void quota__used_up__turns_new_sockets_away_and_says_so(void **state)
{
	struct snapshot snap;
	struct sock s[4];

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	snap.quota[0] = 2;
	for (unsigned i = 0; i < 4; i++) {
		s[i] = make(SOCK_STATE_ESTAB, "10.0.0.1", (uint16_t)(40000 + i), "10.0.0.2", 80);
		s[i].recv_q = 1;
	}
	sample(&snap, 1000, s, 4);
	assert_non_null(snapshot_candidate(&snap, 1));
	assert_null(snapshot_candidate(&snap, 2));
	assert_int_equal(snap.kept[0], 2);
	assert_int_equal(snap.lost[0], 2);
	assert_int_equal(snap.candidates_lost, 0);
	/* those that are kept are no new ones in the next sample */
	sample(&snap, 2000, s, 3);
	assert_int_equal(snapshot_candidate(&snap, 1)->seen, 2);
	assert_int_equal(snap.kept[0], 2);
	assert_int_equal(snap.lost[0], 1);
	snapshot_free(&snap);
}

static void udp_socket__wanted__is_a_candidate_and_no_group(void **state)
{
	struct snapshot snap;
	struct sock s = make(SOCK_STATE_UNCONN, "10.0.0.1", 53, "0.0.0.0", 0);

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s.netid = NETID_UDP;
	s.recv_q = 5;
	sample(&snap, 1000, &s, 1);
	assert_non_null(snapshot_candidate(&snap, 0));
	assert_false(snapshot_candidate(&snap, 0)->outbound);
	assert_null(snapshot_group(&snap, 0));
	assert_int_equal(snap.counts[NETID_UDP][ADDR_V4][SOCK_STATE_UNCONN], 1);
	assert_int_equal(snap.ports.blocked, 0);
	snapshot_free(&snap);
}

static void candidate__own_drops__grew_in_so_many_samples(void **state)
{
	static const uint32_t drops[] = { 5, 5, 6, 6, 900 };
	struct snapshot snap;
	struct sock s = make(SOCK_STATE_UNCONN, "10.0.0.1", 53, "0.0.0.0", 0);

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s.netid = NETID_UDP;
	s.recv_q = 5;
	for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
		s.skmem[SKMEM_DROPS] = drops[i];
		sample(&snap, (int64_t)i * 1000, &s, 1);
	}
	assert_int_equal(snapshot_candidate(&snap, 0)->drop_samples, 2);
	snapshot_free(&snap);
}

static void udp_ports__of_the_range__are_counted_once(void **state)
{
	struct snapshot snap;
	struct sock s[4];

	(void)state;
	open_with(&snap, 40000, 40009, 0);
	s[0] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 53);
	s[1] = make(SOCK_STATE_UNCONN, "10.0.0.3", 40000, "0.0.0.0", 0); /* the same port on another address */
	s[2] = make(SOCK_STATE_UNCONN, "::", 40009, "::", 0);
	s[3] = make(SOCK_STATE_UNCONN, "0.0.0.0", 53, "0.0.0.0", 0);
	for (size_t i = 0; i < ARRAY_SIZE(s); i++)
		s[i].netid = NETID_UDP;
	sample(&snap, 1000, s, ARRAY_SIZE(s));
	assert_int_equal(snap.ports.udp_used, 2);
	sample(&snap, 2000, s, 1);
	assert_int_equal(snap.ports.udp_used, 1);
	assert_int_equal(snap.ports.blocked, 0);
	snapshot_free(&snap);
}

static void counter__steps__are_samples_in_which_it_grew(void **state)
{
	static const uint64_t values[] = { 7, 7, 9, 9, 20, 3 };
	struct counters counters = { .has = { false } };
	struct snapshot snap;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		counters.has[COUNTER_LISTEN_DROPS] = true;
		counters.value[COUNTER_LISTEN_DROPS] = values[i];
		snapshot_begin(&snap, (int64_t)i * 1000);
		snapshot_add_counters(&snap, &counters);
		snapshot_end(&snap);
	}
	assert_int_equal(snap.counter_steps[COUNTER_LISTEN_DROPS], 2);
	assert_int_equal(snap.counter_steps[COUNTER_LISTEN_OVERFLOWS], 0);
	snapshot_free(&snap);
}

static void sample__begun_again__is_one_sample(void **state)
{
	struct snapshot snap;
	struct sock s[2];

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s[0] = make(SOCK_STATE_LISTEN, "10.0.0.1", 80, "0.0.0.0", 0);
	s[0].recv_q = 5;
	s[0].send_q = 3;
	s[1] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);
	s[1].recv_q = 10;
	for (unsigned number = 1; number <= 2; number++) {
		for (unsigned tries = 0; tries < 3; tries++) {
			snapshot_begin(&snap, number * 1000);
			snapshot_add(&snap, &s[0]);
			snapshot_add(&snap, &s[1]);
		}
		snapshot_end(&snap);
		assert_int_equal(snap.samples, number);
		assert_int_equal(snap.total_sockets, 2);
		assert_int_equal(snapshot_candidate(&snap, 0)->seen, number);
		assert_int_equal(snapshot_listener(&snap, 0)->seen, number);
		assert_int_equal(snapshot_listener(&snap, 0)->full_samples, number);
		assert_int_equal(snapshot_group(&snap, 0)->total, 1);
	}
	snapshot_free(&snap);
}

static void candidate__no_longer_wanted__is_refreshed_all_the_same(void **state)
{
	const struct candidate *c;
	struct snapshot snap;
	struct sock s;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);
	s.recv_q = 10;
	sample(&snap, 0, &s, 1);
	s.recv_q = 0;
	sample(&snap, 1, &s, 1);
	c = snapshot_candidate(&snap, 0);
	assert_true(c->present && c->recv_q_fell && !c->recv_q_min);
	assert_int_equal(c->rules, 1);
	sample(&snap, 2, &s, 0);
	assert_false(c->present);
	assert_int_equal(c->seen, 2);
	snapshot_free(&snap);
}

static void candidate__keeps_a_copy_of_tcp_info(void **state)
{
	uint8_t info[TCP_INFO_MAX];
	struct snapshot snap;
	struct sock s;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	memset(info, 7, sizeof(info));
	s = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);
	s.recv_q = 1;
	s.info = (struct tcp_info_bytes){ info, sizeof(info) };
	sample(&snap, 0, &s, 1);
	memset(info, 9, sizeof(info));
	assert_int_equal(sock_tcpi(&snapshot_candidate(&snap, 0)->last.sock, TCPI_RTT), 0x07070707);
	assert_int_equal(snap.tcp_info_len, TCP_INFO_MAX);
	snapshot_free(&snap);
}

static void candidates__beyond_the_bound__are_counted(void **state)
{
	struct snapshot snap;
	struct sock s;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);
	s.recv_q = 1;
	snapshot_begin(&snap, 0);
	for (unsigned i = 0; i < SNAPSHOT_CANDIDATES + 7; i++) {
		s.cookie = 1000000 + i;
		snapshot_add(&snap, &s);
	}
	snapshot_end(&snap);
	assert_non_null(snapshot_candidate(&snap, SNAPSHOT_CANDIDATES - 1));
	assert_null(snapshot_candidate(&snap, SNAPSHOT_CANDIDATES));
	assert_int_equal(snap.candidates_lost, 7);
	assert_int_equal(snap.total_sockets, SNAPSHOT_CANDIDATES + 7);
	snapshot_free(&snap);
}

static void counts__are_of_the_newest_sample(void **state)
{
	const struct tuple_group *g;
	struct snapshot snap;
	struct sock s[3];

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s[0] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);
	s[1] = make(SOCK_STATE_SYN_SENT, "10.0.0.1", 40001, "10.0.0.2", 80);
	s[2] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40002, "10.0.0.3", 80);
	sample(&snap, 0, s, 3);
	g = snapshot_group_find(&snap, &s[0].local.addr, &s[0].peer.addr, 80);
	assert_int_equal(g->total, 2);
	assert_int_equal(g->in_range, 2);
	assert_int_equal(snap.counts[NETID_TCP][ADDR_V4][SOCK_STATE_ESTAB], 2);
	sample(&snap, 5000000, s, 1);
	g = snapshot_group_find(&snap, &s[0].local.addr, &s[0].peer.addr, 80);
	assert_int_equal(g->total, 1);
	assert_int_equal(g->prev_in_range, 2);
	assert_int_equal(g->first_in_range, 2);
	assert_int_equal(g->syn_sent, 0);
	g = snapshot_group_find(&snap, &s[2].local.addr, &s[2].peer.addr, 80);
	assert_int_equal(g->total, 0);
	assert_int_equal(snap.counts[NETID_TCP][ADDR_V4][SOCK_STATE_ESTAB], 1);
	assert_int_equal(snap.counts[NETID_TCP][ADDR_V4][SOCK_STATE_SYN_SENT], 0);
	assert_int_equal(snap.samples, 2);
	assert_int_equal(snapshot_span_us(&snap), 5000000);
	snapshot_free(&snap);
}

static void path_mtu__is_the_smallest_of_the_newest_sample(void **state)
{
	uint8_t narrow[224] = { 0 }, wide[224] = { 0 };
	const uint32_t mtu[] = { 1400, 1500 };
	const struct tuple_group *g;
	struct snapshot snap;
	struct sock s[3];

	(void)state;
	memcpy(narrow + tcpi_fields[TCPI_PMTU].offset, &mtu[0], 4);
	memcpy(wide + tcpi_fields[TCPI_PMTU].offset, &mtu[1], 4);
	open_with(&snap, 32768, 60999, 0);
	for (size_t i = 0; i < 3; i++)
		s[i] = make(SOCK_STATE_ESTAB, "10.0.0.1", (uint16_t)(40000 + i), "10.0.0.2", 80);
	s[1].info.bytes = narrow;
	s[2].info.bytes = wide;
	sample(&snap, 0, s, 3);
	g = snapshot_group_find(&snap, &s[0].local.addr, &s[0].peer.addr, 80);
	assert_int_equal(g->pmtu_min, 1400);
	s[1].info.bytes = wide;
	sample(&snap, 1, s, 3);
	assert_int_equal(g->pmtu_min, 1500);
	sample(&snap, 2, s, 1); /* 0 is no path MTU */
	assert_int_equal(g->pmtu_min, UINT32_MAX);
	s[2].info.len = 0;
	sample(&snap, 3, &s[2], 1);
	assert_int_equal(g->pmtu_min, UINT32_MAX);
	snapshot_free(&snap);
}

/* Which listener, if any, makes a connection an accepted one. */
static void outbound__is_what_no_listener_took(void **state)
{
	static const struct {
		const char *listener;
		bool v6only;
		const char *local;
		bool outbound;
	} rows[] = {
		{ "0.0.0.0", false, "10.0.0.1", false }, { "10.0.0.1", false, "10.0.0.1", false },
		{ "10.0.0.2", false, "10.0.0.1", true }, { "::", false, "10.0.0.1", false },
		{ "::", true, "10.0.0.1", true },	 { "::", true, "2001:db8::1", false },
		{ "0.0.0.0", false, "2001:db8::1", true }, { "2001:db8::1", false, "2001:db8::1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *peer = strchr(rows[i].local, ':') ? "2001:db8::2" : "10.0.0.9";
		const struct tuple_group *g;
		struct snapshot snap;
		struct sock s[2];

		open_with(&snap, 32768, 60999, 0);
		s[0] = make(SOCK_STATE_LISTEN, rows[i].listener, 40000, "0.0.0.0", 0);
		s[0].v6only = rows[i].v6only;
		s[1] = make(SOCK_STATE_ESTAB, rows[i].local, 40000, peer, 80);
		sample(&snap, 0, s, 2);
		g = snapshot_group_find(&snap, &s[1].local.addr, &s[1].peer.addr, rows[i].outbound ? 80 : 0);
		assert_non_null(g);
		assert_int_equal(g->outbound, rows[i].outbound);
		assert_int_equal(g->in_range, rows[i].outbound);
		assert_int_equal(snapshot_listener_for(&snap, &s[1].local) != NULL, !rows[i].outbound);
		snapshot_free(&snap);
	}
}

static void listeners__own_address_wins__siblings_are_all_kept(void **state)
{
	struct snapshot snap;
	struct sock s[5];

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s[0] = make(SOCK_STATE_LISTEN, "10.0.0.1", 80, "0.0.0.0", 0);
	s[1] = make(SOCK_STATE_LISTEN, "0.0.0.0", 80, "0.0.0.0", 0);
	s[2] = make(SOCK_STATE_LISTEN, "0.0.0.0", 80, "0.0.0.0", 0);
	s[3] = make(SOCK_STATE_ESTAB, "10.0.0.1", 80, "10.0.0.9", 5000);
	s[4] = make(SOCK_STATE_TIME_WAIT, "10.0.0.2", 80, "10.0.0.9", 5000);
	sample(&snap, 0, s, 5);
	assert_true(snapshot_listener_for(&snap, &s[3].local)->key == s[0].cookie);
	assert_true(snapshot_listener_for(&snap, &s[4].local)->key == s[1].cookie);
	assert_int_equal(snapshot_listener_for(&snap, &s[3].local)->estab, 1);
	assert_int_equal(snapshot_listener_for(&snap, &s[4].local)->time_wait, 1);
	assert_non_null(snapshot_listener(&snap, 2));
	assert_null(snapshot_listener(&snap, 3));
	sample(&snap, 1, s, 1);
	assert_true(snapshot_listener(&snap, 0)->present);
	assert_false(snapshot_listener(&snap, 1)->present);
	assert_int_equal(snapshot_listener(&snap, 0)->seen, 2);
	assert_int_equal(snapshot_listener(&snap, 0)->estab, 0);
	snapshot_free(&snap);
}

/* A client that talks refreshes last_ack_recv and last_data_recv, but nobody has sent anything yet. */
static void children__not_accepted__wait_at_their_listener(void **state)
{
	uint8_t info[224] = { 0 }, other[224] = { 0 };
	uint32_t waited = 7000, longer = 9000, heard = 20;
	const struct listener *l;
	struct snapshot snap;
	struct sock s[5];

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	memcpy(info + tcpi_fields[TCPI_LAST_DATA_SENT].offset, &waited, 4);
	memcpy(other + tcpi_fields[TCPI_LAST_DATA_SENT].offset, &longer, 4);
	memcpy(info + tcpi_fields[TCPI_LAST_ACK_RECV].offset, &heard, 4);
	s[0] = make(SOCK_STATE_LISTEN, "::", 80, "::", 0);
	s[0].recv_q = 4;
	s[0].send_q = 3;
	s[1] = make(SOCK_STATE_ESTAB, "10.0.0.1", 80, "10.0.0.9", 5000);
	s[2] = make(SOCK_STATE_CLOSE_WAIT, "10.0.0.1", 80, "10.0.0.9", 5001);
	s[3] = make(SOCK_STATE_ESTAB, "10.0.0.1", 80, "10.0.0.9", 5002);
	s[4] = make(SOCK_STATE_FIN_WAIT_1, "10.0.0.1", 80, "10.0.0.9", 5003);
	s[1].inode = s[2].inode = s[4].inode = 0;
	s[2].info.bytes = info;
	s[1].info.bytes = s[3].info.bytes = other; /* the one that is accepted does not count */
	sample(&snap, 0, s, 5);
	l = snapshot_listener(&snap, 0);
	assert_int_equal(l->children_waiting, 2);
	assert_int_equal(l->children_closed, 1);
	assert_int_equal(l->oldest_child_ms, 9000);
	assert_int_equal(l->oldest_closed_ms, 7000);
	assert_int_equal(l->full_samples, 1);
	assert_int_equal(l->waiting_samples, 1);
	s[0].recv_q = 2;
	sample(&snap, 1, s, 1);
	assert_int_equal(l->children_waiting, 0);
	assert_int_equal(l->children_closed, 0);
	assert_int_equal(l->oldest_child_ms, -1);
	assert_int_equal(l->oldest_closed_ms, -1);
	assert_int_equal(l->full_samples, 1);
	assert_int_equal(l->waiting_samples, 2);
	assert_int_equal(l->recv_q_max, 4);
	assert_int_equal(l->recv_q_min, 2);
	s[0].recv_q = 0;
	sample(&snap, 2, s, 1);
	assert_int_equal(l->waiting_samples, 2);
	assert_int_equal(l->recv_q_min, 0);
	snapshot_free(&snap);
}

static void time_wait__reusable_by_setting_age_and_address(void **state)
{
	static const struct {
		int64_t reuse;
		const char *local, *peer;
		uint32_t left_ms, past, reusable, recent;
	} rows[] = {
		{ 0, "10.0.0.1", "10.0.0.2", 50000, 1, 0, 0 },	 { 1, "10.0.0.1", "10.0.0.2", 59000, 1, 1, 1 },
		{ 1, "10.0.0.1", "10.0.0.2", 59001, 0, 0, 1 },	 { 2, "10.0.0.1", "10.0.0.2", 50000, 1, 0, 0 },
		{ 2, "127.0.0.1", "127.0.0.1", 50000, 1, 1, 0 }, { 2, "127.0.0.1", "10.0.0.2", 55000, 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct tuple_group *g;
		struct snapshot snap;
		struct sock s = make(SOCK_STATE_TIME_WAIT, rows[i].local, 40000, rows[i].peer, 80);

		open_with(&snap, 32768, 60999, rows[i].reuse);
		s.expires_ms = rows[i].left_ms;
		s.info.len = 0;
		sample(&snap, 0, &s, 1);
		g = snapshot_group_find(&snap, &s.local.addr, &s.peer.addr, 80);
		assert_int_equal(g->tw_past_delay, rows[i].past);
		assert_int_equal(g->tw_reusable, rows[i].reusable);
		assert_int_equal(g->tw_recent, rows[i].recent);
		assert_int_equal(snap.oldest_ms[SOCK_STATE_TIME_WAIT], 60000 - rows[i].left_ms);
		snapshot_free(&snap);
	}
}

static void unclosed__without_a_program__old_by_the_timer(void **state)
{
	static const struct {
		int64_t fin_timeout_s;
		uint32_t left_ms, inode;
		unsigned unclosed, old;
	} rows[] = { { 60, 50000, 0, 1, 1 }, { 60, 50001, 0, 1, 0 }, { 60, 50000, 7, 0, 0 },
		     { 8, 4000, 0, 1, 1 },   { 8, 4001, 0, 1, 0 } };
	const struct tuple_group *group;
	struct snapshot snap;
	struct sock s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_with(&snap, 32768, 60999, 0);
		snap.fin_timeout_ms = (uint32_t)rows[i].fin_timeout_s * 1000;
		s = make(SOCK_STATE_FIN_WAIT_2, "10.0.0.1", 40000, "10.0.0.2", 80);
		s.timer = SOCK_TIMER_TIMEWAIT;
		s.expires_ms = rows[i].left_ms;
		s.inode = rows[i].inode;
		sample(&snap, 0, &s, 1);
		group = snapshot_group(&snap, 0);
		assert_int_equal(group->unclosed, rows[i].unclosed);
		assert_int_equal(group->unclosed_old, rows[i].old);
		assert_int_equal(group->unclosed_ms, rows[i].old ? (uint32_t)rows[i].fin_timeout_s * 1000 - rows[i].left_ms : 0);
		assert_int_equal(group->unclosed_port, rows[i].unclosed ? 40000 : 0);
		assert_int_equal(group->other, 1);
		sample(&snap, 1, &s, 0);
		assert_int_equal(snapshot_group(&snap, 0)->unclosed, 0);
		snapshot_free(&snap);
	}
}

static void sources__ports_of_an_address_over_all_destinations(void **state)
{
	const struct port_source *source;
	struct snapshot snap;
	struct sock s[6];

	(void)state;
	open_with(&snap, 40000, 40009, 0);
	s[0] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40001, "10.0.0.2", 80);
	s[1] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40001, "10.0.0.2", 81);
	s[2] = make(SOCK_STATE_TIME_WAIT, "10.0.0.1", 40004, "10.0.0.2", 81);
	s[3] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40010, "10.0.0.2", 81); /* beyond the range */
	s[4] = make(SOCK_STATE_ESTAB, "10.0.0.9", 40001, "10.0.0.2", 80);
	s[5] = make(SOCK_STATE_SYN_SENT, "10.0.0.1", 0, "10.0.0.2", 81); /* below it */
	s[0].has |= SOCK_HAS_SOCKOPT;
	s[0].sockopt = SOCKOPT_BIND_ADDRESS_NO_PORT;
	s[1].has |= SOCK_HAS_SOCKOPT;
	s[1].sockopt = SOCKOPT_FREEBIND;
	s[4].sockopt = SOCKOPT_BIND_ADDRESS_NO_PORT; /* not told */
	for (unsigned number = 0; number < 2; number++) {
		snapshot_begin(&snap, number); /* once more, because the first was interrupted */
		snapshot_add(&snap, &s[0]);
		sample(&snap, number, s, ARRAY_SIZE(s));
		source = snapshot_source(&snap, 0);
		assert_true(addr_equal(&source->local, &s[0].local.addr));
		assert_int_equal(source->sockets, 3);
		assert_int_equal(source->distinct, 2);
		assert_int_equal(source->groups, 2);
		assert_int_equal(source->told, 2);
		assert_int_equal(source->no_port, 1);
		assert_int_equal(snapshot_source(&snap, 1)->sockets, 1);
		assert_int_equal(snapshot_source(&snap, 1)->no_port, 0);
		assert_null(snapshot_source(&snap, 2));
		assert_int_equal(snapshot_group(&snap, 0)->odd_in_range, 1);
		assert_int_equal(snapshot_group(&snap, 1)->odd_in_range, 1);
	}
	sample(&snap, 3, &s[4], 1);
	assert_true(addr_equal(&snapshot_source(&snap, 0)->local, &s[4].local.addr));
	assert_int_equal(snapshot_source(&snap, 0)->distinct, 1);
	assert_null(snapshot_source(&snap, 1));
	snapshot_free(&snap);
}

static void sources__beyond_the_bound__are_counted(void **state)
{
	struct snapshot snap;
	struct sock s;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	for (unsigned number = 0; number < 2; number++) {
		snapshot_begin(&snap, number);
		for (unsigned i = 0; i < SNAPSHOT_SOURCES + 2; i++) {
			s = make(SOCK_STATE_ESTAB, "10.0.0.1", 40001, "10.0.0.2", 80);
			s.local.addr.bytes[2] = (uint8_t)i;
			snapshot_add(&snap, &s);
			snapshot_add(&snap, &s);
		}
		snapshot_end(&snap);
		assert_int_equal(snap.sources_lost, 4);
		assert_non_null(snapshot_source(&snap, SNAPSHOT_SOURCES - 1));
		assert_null(snapshot_source(&snap, SNAPSHOT_SOURCES));
	}
	snapshot_free(&snap);
}

static void headroom__fullest_first__and_only_of_the_range(void **state)
{
	struct headroom top[2];
	struct snapshot snap;
	struct sock s[8];

	(void)state;
	open_with(&snap, 40000, 40009, 0);
	for (unsigned i = 0; i < 8; i++)
		s[i] = make(SOCK_STATE_ESTAB, "10.0.0.1", (uint16_t)(40000 + i), "10.0.0.2", 80);
	s[0].peer.port = 81;
	s[1].peer.port = s[2].peer.port = 82;
	s[7].local.port = 50000;
	sample(&snap, 0, s, 8);
	assert_int_equal(headroom_top(&snap, top, 2), 2);
	assert_int_equal(top[0].used, 4);
	assert_int_equal(top[0].free, 6);
	assert_true(top[0].pct == 40);
	assert_int_equal(top[1].used, 2);
	snapshot_free(&snap);
}

static long resident_kib(void)
{
	long size, pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &size, &pages), 2);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

#define MILLION 1000000u
#define HEAVY 100u
#define HEAVY_SIZE 1000u

/* A million sockets, each to a destination of its own but for a hundred destinations of a thousand sockets each, evenly mixed. */
static void add_million(struct snapshot *snap, uint32_t salt)
{
	struct sock s = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);

	for (uint32_t i = 0; i < MILLION; i++) {
		bool heavy = i % 10 == 0;

		s.local.port = (uint16_t)(32768 + i % 28000);
		s.peer.addr = addr_v4(heavy ? 0x0b000000 + i / 10 % HEAVY : 0x20000000 + salt + i);
		s.cookie = i + 1;
		snapshot_add(snap, &s);
	}
}

static void million_destinations__heavy_ones_are_kept_in_bounded_memory(void **state)
{
	const uint64_t bound = 2 * (uint64_t)MILLION / (SNAPSHOT_GROUPS / 4);
	long before = resident_kib();
	struct addr local = addr_v4(0x0a000001);
	struct snapshot snap;
	size_t kept = 0;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	for (uint32_t round = 0; round < 2; round++) {
		snapshot_begin(&snap, round);
		add_million(&snap, round * MILLION);
		snapshot_end(&snap);
		for (uint32_t i = 0; i < HEAVY; i++) {
			struct addr peer = addr_v4(0x0b000000 + i);
			const struct tuple_group *g = snapshot_group_find(&snap, &local, &peer, 80);

			assert_non_null(g);
			assert_true(g->total <= HEAVY_SIZE && g->total + g->lossy >= HEAVY_SIZE);
			assert_true(g->lossy <= bound);
		}
	}
	while (snapshot_group(&snap, kept))
		kept++;
	assert_true(kept <= SNAPSHOT_GROUPS);
	assert_true(snap.groups_dropped > MILLION);
	assert_int_equal(snap.total_sockets, MILLION);
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(resident_kib() - before < 16 * 1024);
#else
	(void)before;
#endif
	snapshot_free(&snap);
}

static void groups__of_candidates__are_not_dropped(void **state)
{
	struct snapshot snap;
	struct sock s;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	snapshot_begin(&snap, 0);
	s = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.9.9.9", 80);
	s.recv_q = 1;
	snapshot_add(&snap, &s);
	add_million(&snap, 0);
	snapshot_end(&snap);
	assert_non_null(snapshot_group_find(&snap, &s.local.addr, &s.peer.addr, 80));
	snapshot_free(&snap);
}

static void groups__equal_weight__the_unpinned_half_makes_room(void **state)
{
	struct snapshot snap;
	struct sock s;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.9.9.9", 80);
	snapshot_begin(&snap, 0);
	for (uint32_t size = 0; size < 3; size++) {
		for (uint32_t i = 0; i < SNAPSHOT_GROUPS; i++) {
			s.peer.addr = addr_v4(0x20000000 + i);
			s.recv_q = i < SNAPSHOT_GROUPS / 2;
			s.cookie = i + 1;
			snapshot_add(&snap, &s);
		}
	}
	s.recv_q = 0;
	s.cookie = 999999;
	s.peer.addr = addr_v4(0x30000000);
	snapshot_add(&snap, &s);
	snapshot_end(&snap);
	/* the unpinned half had three each, and went at once */
	assert_int_equal(snap.groups_dropped, SNAPSHOT_GROUPS / 2);
	assert_int_equal(snapshot_group_find(&snap, &s.local.addr, &s.peer.addr, 80)->lossy, 3);
	snapshot_free(&snap);
}

static void burst__looks__count_sights_and_what_is_new(void **state)
{
	static const uint64_t marks[] = { 0, 5, 5, 5, 0, 5, 7, 7 };
	const struct burst *b;
	struct snapshot snap;
	unsigned room = 1;
	struct sock s;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	s = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);
	s.recv_q = 10;
	sample(&snap, 0, &s, 1);
	assert_null(snapshot_burst(&snap, 0));
	for (unsigned stretch = 0; stretch < 2; stretch++) {
		snapshot_bursts_begin(&snap);
		snapshot_burst_add(&snap, snapshot_candidate(&snap, 0), 0, &room);
		for (unsigned i = 0; i < ARRAY_SIZE(marks); i++)
			burst_look(snapshot_burst(&snap, 0), marks[i], 1000000 * (stretch + 1) + 5000 * i);
	}
	b = snapshot_burst_of(&snap, snapshot_candidate(&snap, 0), 0);
	assert_ptr_equal(b, snapshot_burst(&snap, 0));
	assert_null(snapshot_burst(&snap, 1));
	assert_null(snapshot_burst_of(&snap, snapshot_candidate(&snap, 0), 1));
	assert_int_equal(b->looks, 16);
	assert_int_equal(b->sights, 12);
	assert_int_equal(b->turns, 6);
	assert_int_equal(b->watched_us, 2 * 35000);
	assert_int_equal(b->longest_us, 10000);
	snapshot_free(&snap);
}

static void bursts__no_room__are_counted_by_rule(void **state)
{
	unsigned room = SNAPSHOT_BURSTS;
	struct snapshot snap;
	struct sock s;

	(void)state;
	open_with(&snap, 32768, 60999, 0);
	snapshot_begin(&snap, 0);
	for (unsigned i = 0; i < SNAPSHOT_BURSTS + 2; i++) {
		s = make(SOCK_STATE_ESTAB, "10.0.0.1", (uint16_t)(40000 + i), "10.0.0.2", 80);
		s.recv_q = 10;
		snapshot_add(&snap, &s);
	}
	snapshot_end(&snap);
	for (unsigned stretch = 0; stretch < 2; stretch++) {
		snapshot_bursts_begin(&snap);
		for (unsigned i = 0; i < SNAPSHOT_BURSTS + 2; i++)
			snapshot_burst_add(&snap, snapshot_candidate(&snap, i), 7, &room);
		assert_int_equal(snap.unlooked[7], 2);
	}
	assert_int_equal(room, 0);
	assert_non_null(snapshot_burst(&snap, SNAPSHOT_BURSTS - 1));
	assert_null(snapshot_burst(&snap, SNAPSHOT_BURSTS));
	snapshot_free(&snap);
}

static void outbound_only__accepted_sockets_are_not_remembered(void **state)
{
	struct snapshot snap;
	struct sock s[3];

	(void)state;
	for (unsigned only = 0; only < 2; only++) {
		open_with(&snap, 32768, 60999, 0);
		snap.outbound_only = only;
		s[0] = make(SOCK_STATE_LISTEN, "10.0.0.1", 80, "0.0.0.0", 0);
		s[1] = make(SOCK_STATE_ESTAB, "10.0.0.1", 80, "10.0.0.2", 5000);
		s[2] = make(SOCK_STATE_ESTAB, "10.0.0.1", 40000, "10.0.0.2", 80);
		s[1].recv_q = s[2].recv_q = 10;
		sample(&snap, 0, s, 3);
		assert_int_equal(snapshot_candidate(&snap, 0)->outbound, only);
		assert_int_equal(snapshot_candidate(&snap, 1) != NULL, !only);
		snapshot_free(&snap);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(candidate__seen_twice_in_one_dump__counts_once),
		cmocka_unit_test(sample__begun_again__is_one_sample),
		cmocka_unit_test(quota__used_up__turns_new_sockets_away_and_says_so),
		cmocka_unit_test(udp_socket__wanted__is_a_candidate_and_no_group),
		cmocka_unit_test(candidate__own_drops__grew_in_so_many_samples),
		cmocka_unit_test(udp_ports__of_the_range__are_counted_once),
		cmocka_unit_test(counter__steps__are_samples_in_which_it_grew),
		cmocka_unit_test(candidate__no_longer_wanted__is_refreshed_all_the_same),
		cmocka_unit_test(candidate__keeps_a_copy_of_tcp_info),
		cmocka_unit_test(candidates__beyond_the_bound__are_counted),
		cmocka_unit_test(counts__are_of_the_newest_sample),
		cmocka_unit_test(path_mtu__is_the_smallest_of_the_newest_sample),
		cmocka_unit_test(outbound__is_what_no_listener_took),
		cmocka_unit_test(listeners__own_address_wins__siblings_are_all_kept),
		cmocka_unit_test(children__not_accepted__wait_at_their_listener),
		cmocka_unit_test(time_wait__reusable_by_setting_age_and_address),
		cmocka_unit_test(unclosed__without_a_program__old_by_the_timer),
		cmocka_unit_test(sources__ports_of_an_address_over_all_destinations),
		cmocka_unit_test(sources__beyond_the_bound__are_counted),
		cmocka_unit_test(headroom__fullest_first__and_only_of_the_range),
		cmocka_unit_test(million_destinations__heavy_ones_are_kept_in_bounded_memory),
		cmocka_unit_test(groups__of_candidates__are_not_dropped),
		cmocka_unit_test(groups__equal_weight__the_unpinned_half_makes_room),
		cmocka_unit_test(burst__looks__count_sights_and_what_is_new),
		cmocka_unit_test(bursts__no_room__are_counted_by_rule),
		cmocka_unit_test(outbound_only__accepted_sockets_are_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
