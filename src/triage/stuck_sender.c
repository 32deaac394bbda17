/* SPDX-License-Identifier: MIT */
/* The six signs of a stuck sender, and what the decision table makes of them. */
#include "stuck_sender.h"

#include <string.h>

#include "tcptriage/model/timers.h"

/* Without tcp_info, as a cheap look brings it, the count of timeouts beside the timer has to do. */
bool stuck_sender_candidate(const struct sock *sock)
{
	if (sock->timer != SOCK_TIMER_ON)
		return false;
	return sock->info.len ? sock_tcpi(sock, TCPI_UNACKED) && sock_tcpi(sock, TCPI_BACKOFF) :
				sock->retrans > 0;
}

/* What was acknowledged so far came in large segments: the path took them on this connection, at least until it changed. */
static bool has_carried(const struct view *view, const struct sock *s)
{
	double delivered = (double)sock_tcpi(s, TCPI_DELIVERED);

	return delivered >= view->values[STUCK_CARRIED] &&
	       (double)sock_tcpi(s, TCPI_BYTES_ACKED) >=
		       delivered * view->values[STUCK_NOT_FULL_SIZE] * (double)sock_tcpi(s, TCPI_SND_MSS);
}

/* Seen twice, nothing was acknowledged in between; seen once, nothing has been heard since the head was sent. */
static bool is_frozen(const struct candidate *c)
{
	const struct sock *s = &c->last.sock;

	if (c->seen > 1)
		return sock_tcpi(s, TCPI_BYTES_ACKED) == sock_tcpi(&c->first.sock, TCPI_BYTES_ACKED);
	return sock_heard_ms(s) >= sock_stall_ms(s);
}

static enum answer is_stuck(const struct view *view, const struct candidate *c)
{
	const struct sock *s = &c->last.sock;
	const double *l = view->values;
	uint64_t backoff = sock_tcpi(s, TCPI_BACKOFF);
	double base_ms = (double)(sock_tcpi(s, TCPI_RTO) >> MIN(backoff, 30u)) / 1e3;

	return answer_of((double)backoff >= l[STUCK_BACKOFF] &&
			 sock_tcpi(s, TCPI_CA_STATE) == TCP_CA_LOSS && is_frozen(c) &&
			 (double)sock_tcpi(s, TCPI_LAST_ACK_RECV) >= l[STUCK_BASE_RTOS] * base_ms &&
			 (double)sock_stall_ms(s) >= l[has_carried(view, s) ? STUCK_CARRIED_STALL : STUCK_STALL]);
}

static enum answer is_full_size(const struct view *view, const struct candidate *c)
{
	const struct sock *a = &c->first.sock, *b = &c->last.sock;
	double mss = (double)sock_tcpi(b, TCPI_SND_MSS);
	uint64_t bytes = sock_tcpi(b, TCPI_BYTES_RETRANS), segments = sock_tcpi(b, TCPI_TOTAL_RETRANS);
	uint64_t new_bytes = bytes - sock_tcpi(a, TCPI_BYTES_RETRANS);
	uint64_t new_segments = segments - sock_tcpi(a, TCPI_TOTAL_RETRANS);

	if (mss <= view->values[STUCK_SAFE_MSS])
		return ANSWER_NO;
	/* All that is outstanding together is smaller than one large segment. */
	if (b->send_q < view->values[STUCK_NOT_FULL_SIZE] * mss)
		return ANSWER_NO;
	if (!tcpi_has(&b->info, TCPI_BYTES_RETRANS) || !segments)
		return ANSWER_UNKNOWN;
	if (new_bytes && new_segments) {
		if ((double)new_bytes / (double)new_segments >= view->values[STUCK_FULL_SIZE] * mss)
			return ANSWER_YES;
		if ((double)new_bytes / (double)new_segments < view->values[STUCK_NOT_FULL_SIZE] * mss)
			return ANSWER_NO;
	}
	return (double)bytes / (double)segments >= view->values[STUCK_FULL_SIZE] * mss ? ANSWER_YES :
										   ANSWER_UNKNOWN;
}

static enum answer has_small_ok(const struct view *view, const struct sock *s)
{
	return answer_of((double)sock_tcpi(s, TCPI_SND_MSS) > view->values[STUCK_MIN_MSS] &&
			 (sock_tcpi(s, TCPI_BYTES_ACKED) > 1 || sock_tcpi(s, TCPI_SACKED)));
}

static enum answer is_head_dead(const struct view *view, const struct candidate *c)
{
	const struct sock *a = &c->first.sock, *b = &c->last.sock;

	return answer_of((double)sock_tcpi(b, TCPI_SACKED) <= view->values[STUCK_TAIL_SEGMENTS] &&
			 sock_tcpi(b, TCPI_SACKED) <= sock_tcpi(a, TCPI_SACKED) &&
			 sock_tcpi(b, TCPI_DELIVERED) == sock_tcpi(a, TCPI_DELIVERED) &&
			 sock_tcpi(b, TCPI_REORD_SEEN) == sock_tcpi(a, TCPI_REORD_SEEN));
}

/* @mark: a small segment to the same address is stuck at the same time. */
static enum answer is_path_alive(const struct view *view, const struct member *member)
{
	const struct sock *s = member->sock;
	int64_t stall = sock_stall_ms(s);

	if (view_first_hop_gone(view, &s->peer.addr))
		return ANSWER_NO;
	if (sock_tcpi(s, TCPI_SACKED) || (int64_t)sock_tcpi(s, TCPI_LAST_DATA_RECV) < stall ||
	    view_peer_answers(view, s, stall))
		return ANSWER_YES;
	return member->mark ? ANSWER_NO : ANSWER_UNKNOWN;
}

/* ICMPv6 counts packet-too-big alone; ICMPv4 counts every kind of unreachable together, so its growth leaves the question open. */
enum answer stuck_sender_told(const struct view *view, const struct sock *s)
{
	const struct route *route = view->route_of(view, &s->peer.addr);
	uint64_t delta;

	if (route && route->has & ROUTE_HAS_EXPIRES)
		return ANSWER_YES;
	if (s->peer.addr.family == ADDR_V6)
		return view_delta(view, COUNTER_ICMP6_IN_PKT_TOO_BIGS, &delta) ?
			       answer_of(delta > 0) :
			       ANSWER_UNKNOWN;
	return view_delta(view, COUNTER_ICMP_IN_TYPE3, &delta) && !delta ? ANSWER_NO :
									   ANSWER_UNKNOWN;
}

struct mtu_verdict stuck_sender_verdict(const struct view *view, const struct member *member)
{
	const struct candidate *c = member->candidate;
	const struct sock *s = member->sock;
	struct mtu_signs signs = { .stuck = is_stuck(view, c) };

	/* What follows asks for routes, which is not for every socket that has lost a segment. */
	if (signs.stuck != ANSWER_YES)
		return (struct mtu_verdict){ .story = MTU_NO_VERDICT };
	signs.full_size = is_full_size(view, c);
	signs.small_ok = has_small_ok(view, s);
	signs.head_dead = is_head_dead(view, c);
	signs.path_alive = is_path_alive(view, member);
	signs.told = stuck_sender_told(view, s);
	return mtu_verdict(&signs);
}

/* Accepted sockets have a peer port of chance: they are grouped by the peer alone, those of the Internet by our port alone. */
static bool keep(const struct view *view, struct member *member)
{
	const struct sock *s = member->sock;

	(void)view;
	if (!(STUCK_SENDER_STATES >> s->state & 1) || !stuck_sender_candidate(s))
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	member->age_ms = sock_stall_ms(s);
	return true;
}

static bool same_peer(const struct member *a, const struct member *b)
{
	return addr_equal(&a->key.addr, &b->key.addr);
}

/* Where a small segment is stuck too, the destination is not reached at all. */
static void mark_dead_peers(const struct view *view, struct members *all)
{
	struct members run;
	bool dead;

	members_sort(all, member_by_key);
	for (size_t i = 0; i < all->count; i += run.count) {
		run = members_run(all, i, same_peer);
		dead = false;
		for (size_t k = 0; k < run.count; k++)
			dead |= stuck_sender_verdict(view, &run.at[k]).story == MTU_SMALL_STUCK;
		for (size_t k = 0; k < run.count; k++)
			run.at[k].mark = dead;
	}
}

struct members stuck_senders(const struct sink *sink)
{
	struct members all = members_collect(sink, keep);

	mark_dead_peers(sink->view, &all);
	return all;
}

int64_t stuck_senders_keep_ours(const struct sink *sink, struct members *all)
{
	int64_t longest = -1;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct mtu_verdict verdict = stuck_sender_verdict(sink->view, &all->at[i]);

		if (mtu_verdict_names(&verdict, sink->rule->id))
			all->at[kept++] = all->at[i];
		else
			longest = MAX(longest, all->at[i].age_ms);
	}
	all->count = kept;
	return longest;
}
