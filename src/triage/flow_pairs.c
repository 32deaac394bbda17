/* SPDX-License-Identifier: MIT */
/* What the flows between two addresses tell together. */
#include "flow_pairs.h"

#include <stdlib.h>

static int by_addresses(const void *left, const void *right)
{
	const struct flow_pair *a = left, *b = right;
	int order = addr_compare(&a->here, &b->here);

	return order ? order : addr_compare(&a->there, &b->there);
}

static struct flow_pair *find(const struct flow_pairs *pairs, const struct addr *here, const struct addr *there)
{
	struct flow_pair key = { .here = *here, .there = *there };

	return bsearch(&key, pairs->at, pairs->count, sizeof(*pairs->at), by_addresses);
}

/* The newest packet of @own that was answered, as far as that follows from what the flow shows at its end. */
static int64_t answered_ns(const struct flow *flow, unsigned side)
{
	const struct flow_side *own = &flow->side[side], *other = &flow->side[!side];
	int64_t newest = 0;

	if (flow->protocol != PROTOCOL_TCP)
		return flow->side[1].packets && !side ? flow->side[1].last_ns : 0;
	if (flow->flags & FLOW_HAS_HANDSHAKE_RTT)
		newest = flow->first_ns;
	if (own->last_payload_ns && other->has & SIDE_HAS_ACK && !flow_unacked(flow, side))
		newest = MAX(newest, own->last_payload_ns);
	/* its data goes on without repetitions: it gets our acknowledgements */
	if (own->has & SIDE_HAS_ACK && !other->retransmissions)
		newest = MAX(newest, other->last_payload_ns);
	return newest;
}

static void learn(struct flow_pair *pair, const struct flow *flow, unsigned side)
{
	if (flow->protocol == PROTOCOL_TCP) {
		pair->passed = MAX(pair->passed, flow->side[side].ip_acked_max);
		pair->brought = MAX(pair->brought, flow->side[!side].max_payload);
	}
	pair->answered_ns = MAX(pair->answered_ns, answered_ns(flow, side));
}

static struct flow_pairs pairs_of(const struct view *view, const struct flow_members *members)
{
	struct flow_pairs pairs = { .at = arena_alloc(view->arena, (members->count + 1) * sizeof(*pairs.at)) };

	for (size_t i = 0; i < members->count; i++)
		pairs.at[i] = (struct flow_pair){ .here = members->at[i].here.addr, .there = members->at[i].there.addr };
	if (members->count)
		qsort(pairs.at, members->count, sizeof(*pairs.at), by_addresses);
	for (size_t i = 0; i < members->count; i++) {
		if (!pairs.count || by_addresses(&pairs.at[pairs.count - 1], &pairs.at[i]))
			pairs.at[pairs.count++] = pairs.at[i];
	}
	return pairs;
}

struct flow_pairs flow_pairs_of(const struct view *view, const struct flow_members *members)
{
	struct flow_pairs pairs = pairs_of(view, members);

	for (size_t i = 0; pairs.count && i < view->packets->flow_count; i++) {
		const struct flow *flow = view->packets->flows[i];

		for (unsigned side = 0; side < 2; side++) {
			struct flow_pair *pair = find(&pairs, &flow->end[side].addr, &flow->end[!side].addr);

			if (pair)
				learn(pair, flow, side);
		}
	}
	return pairs;
}

struct flow_pair *flow_pairs_find(const struct flow_pairs *pairs, const struct flow_member *member)
{
	struct flow_pair *pair = find(pairs, &member->here.addr, &member->there.addr);

	BUG_ON(!pair);
	return pair;
}
