/* SPDX-License-Identifier: MIT */
/* The six signs of a stuck sender, from packets. */
#include "stuck_flow.h"

#include <stdlib.h>

#include "flow_clients.h"
#include "flow_pairs.h"

#define NS_PER_MS INT64_C(1000000)
/* IP and TCP headers without options: what an MSS does not count. */

const double stuck_flow_defaults[] = {
#define STUCK_FLOW_LIMIT(id, name, unit, value, reason) [STUCK_FLOW_##id] = value,
#include "stuck_flow.def"
#undef STUCK_FLOW_LIMIT
};

static bool is_one_fin(const struct flow_member *m)
{
	return m->own->has & SIDE_SENT_FIN && flow_unacked(m->flow, m->side) == 1;
}

/* Packets of the other machine that were captured here have arrived: why they are not acknowledged is this machine's matter. */
static bool has_arrived(const struct flow_member *m)
{
	return m->flow->flags & FLOW_LOCAL_KNOWN && m->flow->local_side != m->side;
}

static bool has_connected(const struct flow *flow)
{
	return flow->state != FLOW_SYN_SENT && flow->state != FLOW_SYN_RECEIVED && flow->state != FLOW_REFUSED;
}

static bool keep(const struct view *view, struct flow_member *m)
{
	(void)view;
	if (!m->own->ip_dead_min || !has_connected(m->flow) || has_arrived(m) || is_one_fin(m) || m->other->window_shut)
		return false;
	/* a peer that resets is there */
	if (m->other->has & SIDE_SENT_RST || flow_half_seen(m->flow))
		return false;
	flow_clients_set_key(m);
	m->mark = flow_clients_is_public(m);
	return true;
}

static const struct icmp_report *who_told(const struct view *view, const struct stuck_flow *s)
{
	const struct packet_evidence *packets = view->packets;

	for (size_t i = 0; i < packets->report_count; i++) {
		const struct icmp_report *r = &packets->reports[i];

		if (r->class == ICMP_TOO_BIG && addr_equal(&r->dst.addr, &s->member.there.addr) &&
		    addr_equal(&r->src.addr, &s->member.here.addr))
			return r;
	}
	return NULL;
}

static enum answer is_full_size(const struct stuck_flow *s, const double *limits)
{
	const struct flow_member *m = &s->member;
	double size = m->own->ip_dead_min, largest = m->own->max_payload;

	if (size <= limits[STUCK_FLOW_SAFE] || s->passed >= m->own->ip_dead_min)
		return ANSWER_NO;
	if (m->other->has & SIDE_HAS_MSS)
		largest = m->own->has & SIDE_HAS_MSS ? MIN(m->own->mss, m->other->mss) : m->other->mss;
	return size >= limits[STUCK_FLOW_FULL] * (largest + addr_tcp_headers(m->here.addr.family)) ? ANSWER_YES : ANSWER_UNKNOWN;
}

bool stuck_flow_answered(const struct stuck_flow *s, const double *limits)
{
	return s->others_ns && (double)(s->others_ns - s->since_ns) >= limits[STUCK_FLOW_LATER] * (double)NS_PER_MS;
}

/* A router that says what does not fit, and a peer that acknowledges the short end behind it, are there. */
static enum answer is_path_alive(const struct stuck_flow *s, const struct flow_pair *pair, const double *limits)
{
	const struct flow_side *other = s->member.other;

	if (stuck_flow_answered(s, limits) || (s->told && s->told->last_ns >= s->since_ns))
		return ANSWER_YES;
	if (other->duplicate_acks && other->last_ns >= s->since_ns)
		return ANSWER_YES;
	return pair->mark ? ANSWER_NO : ANSWER_UNKNOWN;
}

static void read_signs(const struct view *view, struct stuck_flow *s, const struct flow_pair *pair, const double *limits)
{
	const struct flow_side *own = s->member.own, *other = s->member.other;
	bool may_miss_icmp = *view->packets->source->filter && !view->packets->totals->icmp;

	s->told = who_told(view, s);
	s->signs.stuck = answer_of(own->dead_tries >= limits[STUCK_FLOW_COPIES] && own->dead_ms >= limits[STUCK_FLOW_WAIT]);
	s->signs.head_dead = answer_of(other->duplicate_acks <= limits[STUCK_FLOW_TAIL]);
	s->signs.path_alive = is_path_alive(s, pair, limits);
	s->signs.small_ok = answer_of(s->passed || other->duplicate_acks || stuck_flow_answered(s, limits));
	s->signs.told = s->told ? ANSWER_YES : may_miss_icmp ? ANSWER_UNKNOWN : ANSWER_NO;
	s->verdict = mtu_verdict(&s->signs);
}

static int by_key(const void *left, const void *right)
{
	const struct flow_member *a = &((const struct stuck_flow *)left)->member, *b = &((const struct stuck_flow *)right)->member;
	int order = a->mark - b->mark;

	if (!order)
		order = addr_compare(&a->key.addr, &b->key.addr);
	if (!order)
		order = a->key.port - b->key.port;
	if (!order)
		order = (a->number > b->number) - (a->number < b->number);
	return order ? order : (int)a->side - (int)b->side;
}

static struct stuck_flow start(const struct flow_member *m, const struct flow_pair *pair, const double *limits)
{
	struct stuck_flow s = { .member = *m,
				.since_ns = m->flow->first_ns + m->own->dead_since_ms * NS_PER_MS,
				.passed = pair->passed,
				.others_ns = pair->answered_ns };

	s.signs.full_size = is_full_size(&s, limits);
	return s;
}

/* A pair is marked when something is stuck that is not large. */
static void mark_dead_pair(const struct stuck_flow *s, struct flow_pair *pair, const double *limits)
{
	pair->mark |= s->signs.full_size == ANSWER_NO && s->member.own->dead_tries >= limits[STUCK_FLOW_COPIES];
}

struct stuck_flows stuck_flows_find(const struct view *view, const double *limits)
{
	struct flow_members members = flow_members_collect_sides(view, PROTOCOL_TCP, ODD_DEAD, keep);
	struct flow_pairs pairs = flow_pairs_of(view, &members);
	struct stuck_flows all = { .at = arena_alloc(view->arena, (members.count + 1) * sizeof(*all.at)), .count = members.count };

	for (size_t i = 0; i < all.count; i++) {
		struct flow_pair *pair = flow_pairs_find(&pairs, &members.at[i]);

		all.at[i] = start(&members.at[i], pair, limits);
		mark_dead_pair(&all.at[i], pair, limits);
	}
	for (size_t i = 0; i < all.count; i++)
		read_signs(view, &all.at[i], flow_pairs_find(&pairs, &members.at[i]), limits);
	if (all.count)
		qsort(all.at, all.count, sizeof(*all.at), by_key);
	return all;
}

int64_t stuck_flows_keep(struct stuck_flows *all, const char *id)
{
	int64_t longest = -1;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (mtu_verdict_names(&all->at[i].verdict, id))
			all->at[kept++] = all->at[i];
		else
			longest = MAX(longest, (int64_t)all->at[i].member.own->dead_ms);
	}
	all->count = kept;
	return longest;
}

static bool belong_together(const struct stuck_flow *a, const struct stuck_flow *b)
{
	return a->member.mark == b->member.mark && endpoint_equal(&a->member.key, &b->member.key);
}

void stuck_flows_file(const struct view *view, struct sink *sink, const struct stuck_flows *all, stuck_flows_file_fn *file)
{
	struct stuck_flows run;

	for (size_t i = 0; i < all->count; i += run.count) {
		run = (struct stuck_flows){ .at = all->at + i, .count = 1 };
		while (i + run.count < all->count && belong_together(run.at, &run.at[run.count]))
			run.count++;
		file(view, sink, &run);
	}
}

struct flow_members stuck_flows_members(const struct view *view, const struct stuck_flows *run)
{
	struct flow_members members = { .at = arena_alloc(view->arena, run->count * sizeof(*members.at)), .count = run->count };

	for (size_t i = 0; i < run->count; i++)
		members.at[i] = run->at[i].member;
	return members;
}
