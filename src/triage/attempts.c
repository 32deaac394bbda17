/* SPDX-License-Identifier: MIT */
/* Connection attempts as packets show them. */
#include "attempts.h"

#include <stdlib.h>

bool flow_went_on(const struct flow *flow, unsigned side)
{
	const struct flow_side *s = &flow->side[side];

	return s->packets > (uint32_t)s->syns + s->resets;
}

enum attempt attempt_of(const struct flow *flow)
{
	if (flow->state == FLOW_REFUSED)
		return ATTEMPT_REFUSED;
	if (flow->flags & FLOW_SAW_SYN_ACK)
		return flow->state == FLOW_SYN_RECEIVED ? ATTEMPT_HALF : ATTEMPT_OPENED;
	if (flow->state == FLOW_SYN_SENT && !flow_went_on(flow, 0) && !flow->side[1].packets)
		return ATTEMPT_SILENT;
	return ATTEMPT_UNSEEN;
}

static bool is_attempt(const struct flow *flow)
{
	return flow->protocol == PROTOCOL_TCP && flow->flags & FLOW_SAW_SYN && !(flow->flags & FLOW_BROADCAST);
}

static bool keep_attempt(const struct view *view, struct flow_member *m)
{
	(void)view;
	return is_attempt(m->flow);
}

static int by_address(const void *a, const void *b)
{
	return addr_compare(a, b);
}

/** struct hosts - clients and servers of the attempts that are wanted, in order. */
struct hosts {
	struct addr *at;
	size_t count;
};

/* Attempts that follow each other often have their client or their server in common. */
static void add_host(struct hosts *hosts, const struct addr *addr)
{
	if (!hosts->count || !addr_equal(&hosts->at[hosts->count - 1], addr))
		hosts->at[hosts->count++] = *addr;
}

static struct hosts hosts_of(const struct view *view, attempt_want_fn *want)
{
	struct flow_members wanted = flow_members_collect(view, PROTOCOL_TCP, ODD_ATTEMPT, keep_attempt);
	struct hosts hosts = { .at = arena_alloc(view->arena, 2 * (wanted.count + 1) * sizeof(*hosts.at)) };

	for (unsigned side = 0; side < 2; side++) {
		for (size_t i = 0; i < wanted.count; i++) {
			if (want(view, &wanted.at[i]))
				add_host(&hosts, &wanted.at[i].flow->end[side].addr);
		}
	}
	if (hosts.count)
		qsort(hosts.at, hosts.count, sizeof(*hosts.at), by_address);
	return hosts;
}

static bool has_host(const struct hosts *hosts, const struct flow *flow)
{
	return bsearch(&flow->end[0].addr, hosts->at, hosts->count, sizeof(*hosts->at), by_address) ||
	       bsearch(&flow->end[1].addr, hosts->at, hosts->count, sizeof(*hosts->at), by_address);
}

struct flow_members attempts_collect(const struct view *view, attempt_want_fn *want)
{
	const struct packet_evidence *packets = view->packets;
	struct hosts hosts = hosts_of(view, want);
	struct flow_members all = { .at = NULL };

	if (!hosts.count)
		return all;
	all.at = arena_alloc(view->arena, packets->flow_count * sizeof(*all.at));
	for (size_t i = 0; i < packets->flow_count; i++) {
		if (is_attempt(packets->flows[i]) && has_host(&hosts, packets->flows[i]))
			all.at[all.count++] = flow_member_of(packets->flows[i], 0);
	}
	return all;
}

struct flow_members attempts_at_server(const struct view *view, const struct flow_members *run, attempt_want_fn *want)
{
	struct flow_members picked = { .at = arena_alloc(view->arena, (run->count + 1) * sizeof(struct flow_member)) };

	for (size_t i = 0; i < run->count; i++) {
		const struct flow_member *m = &run->at[i];

		if (want && !want(view, m))
			continue;
		picked.at[picked.count] = flow_member_of(m->flow, 1);
		picked.at[picked.count++].key = m->key;
	}
	return picked;
}

enum flow_inbound flow_inbound(const struct flow *flow)
{
	if (!addr_is_global(&flow->end[0].addr))
		return INBOUND_NO;
	if (flow->flags & FLOW_LOCAL_KNOWN)
		return flow->local_side == 1 ? INBOUND_CERTAIN : INBOUND_NO;
	return addr_is_global(&flow->end[1].addr) ? INBOUND_POSSIBLE : INBOUND_CERTAIN;
}

enum flow_inbound flow_members_inbound(const struct flow_members *run)
{
	enum flow_inbound least = INBOUND_CERTAIN;

	for (size_t i = 0; i < run->count; i++)
		least = MIN(least, flow_inbound(run->at[i].flow));
	return least;
}

static int by_source(const void *left, const void *right)
{
	const struct flow_member *a = left, *b = right;
	int order = addr_compare(&a->here.addr, &b->here.addr);

	if (!order)
		order = addr_compare(&a->there.addr, &b->there.addr);
	if (!order)
		order = (int)a->there.port - (int)b->there.port;
	return order ? order : (a->number > b->number) - (a->number < b->number);
}

/* One target from @at on: counts it into @scan. Return: how many attempts it took. */
static size_t add_target(struct scan *scan, const struct flow_member *at, size_t left, const struct scan_limits *limits)
{
	uint64_t opened = scan->opened, syns = 0;
	size_t i = 0;

	for (; i < left && endpoint_equal(&at[i].there, &at->there); i++) {
		enum attempt what = attempt_of(at[i].flow);

		syns += at[i].own->syns;
		scan->silent += what == ATTEMPT_SILENT;
		scan->refused += what == ATTEMPT_REFUSED;
		scan->opened += what != ATTEMPT_SILENT && what != ATTEMPT_REFUSED;
	}
	scan->targets++;
	scan->failed += scan->opened == opened && (double)syns <= limits->tries;
	return i;
}

static struct scan look_at(const struct flow_members *all, size_t from, const struct scan_limits *limits)
{
	struct scan scan = { .run = { .at = all->at + from } };
	size_t to = from;

	while (to < all->count && addr_equal(&all->at[to].here.addr, &all->at[from].here.addr))
		to++;
	for (size_t i = from; i < to;)
		i += add_target(&scan, all->at + i, to - i, limits);
	scan.run.count = to - from;
	return scan;
}

void scans_take(const struct view *view, struct sink *sink, struct flow_members *all, const struct scan_limits *limits, scan_file_fn *file)
{
	struct scan scan;
	size_t kept = 0;

	flow_members_order(all, by_source);
	for (size_t i = 0; i < all->count; i += scan.run.count) {
		scan = look_at(all, i, limits);
		if ((double)scan.failed >= limits->targets && (double)scan.failed >= limits->share * (double)scan.targets) {
			if (file)
				file(view, sink, &scan);
			continue;
		}
		for (size_t k = 0; k < scan.run.count; k++)
			all->at[kept++] = scan.run.at[k];
	}
	all->count = kept;
	flow_members_sort(all);
}
