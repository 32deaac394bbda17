/* SPDX-License-Identifier: MIT */
/* What paths are known to carry. */
#include "path_limits.h"

#include <stdlib.h>

#include "stuck_flow.h"

static int by_addresses(const void *left, const void *right)
{
	const struct path_limit *a = left, *b = right;
	int order = addr_compare(&a->here, &b->here);

	return order ? order : addr_compare(&a->there, &b->there);
}

bool path_limits_in_vain(const struct icmp_report *r, double messages, double ms)
{
	return !r->obeyed && (double)r->count >= messages && (double)(r->last_ns - r->first_ns) / 1e6 >= ms;
}

static void add_messages(const struct view *view, struct path_limits *all, double messages, double ms)
{
	for (size_t i = 0; i < view->packets->report_count; i++) {
		const struct icmp_report *r = &view->packets->reports[i];

		if (r->class == ICMP_TOO_BIG && r->mtu_min)
			all->at[all->count++] = (struct path_limit){ r->src.addr, r->dst.addr, r->mtu_min, !path_limits_in_vain(r, messages, ms) };
	}
}

static void add_holes(const struct stuck_flows *stuck, struct path_limits *all)
{
	for (size_t i = 0; i < stuck->count; i++) {
		const struct flow_member *m = &stuck->at[i].member;

		if (stuck->at[i].verdict.story == MTU_BLACK_HOLE)
			all->at[all->count++] = (struct path_limit){ m->here.addr, m->there.addr, m->own->ip_dead_min - 1u, false };
	}
}

static void join_same(struct path_limits *all)
{
	size_t kept = 0;

	if (all->count)
		qsort(all->at, all->count, sizeof(*all->at), by_addresses);
	for (size_t i = 0; i < all->count; i++) {
		struct path_limit *last = kept ? &all->at[kept - 1] : NULL;

		if (!last || by_addresses(last, &all->at[i])) {
			all->at[kept++] = all->at[i];
			continue;
		}
		last->mtu = MIN(last->mtu, all->at[i].mtu);
		last->heard &= all->at[i].heard;
	}
	all->count = kept;
}

struct path_limits path_limits_of(const struct view *view, double messages, double ms)
{
	struct stuck_flows stuck = stuck_flows_find(view, stuck_flow_defaults);
	struct path_limits all = { .at = arena_alloc(view->arena, (view->packets->report_count + stuck.count + 1) * sizeof(*all.at)) };

	add_messages(view, &all, messages, ms);
	add_holes(&stuck, &all);
	join_same(&all);
	return all;
}

const struct path_limit *path_limits_find(const struct path_limits *limits, const struct flow_member *m)
{
	struct path_limit key = { .here = m->here.addr, .there = m->there.addr };

	return bsearch(&key, limits->at, limits->count, sizeof(*limits->at), by_addresses);
}
