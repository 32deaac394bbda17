/* SPDX-License-Identifier: MIT */
/* Roles of the two ends of a flow. */
#include "flow_clients.h"

#include <stdlib.h>

bool flow_clients_accepted(const struct flow_member *member)
{
	if (member->flow->flags & FLOW_INITIATOR_KNOWN)
		return member->side == 1;
	return member->here.port < member->there.port;
}

bool flow_clients_is_public(const struct flow_member *member)
{
	return flow_clients_accepted(member) && addr_is_global(&member->there.addr);
}

void flow_clients_set_key(struct flow_member *member)
{
	member->key = member->there;
	if (flow_clients_is_public(member))
		member->key = member->here;
	else if (flow_clients_accepted(member))
		member->key.port = 0;
}

static int by_address(const void *a, const void *b)
{
	return addr_compare(a, b);
}

static size_t count_networks(const struct view *view, const struct flow_members *run)
{
	struct addr *networks = arena_alloc(view->arena, run->count * sizeof(*networks));
	size_t count = 1;

	for (size_t i = 0; i < run->count; i++)
		networks[i] = addr_prefix(&run->at[i].there.addr);
	qsort(networks, run->count, sizeof(*networks), by_address);
	for (size_t i = 1; i < run->count; i++)
		count += !addr_equal(&networks[i - 1], &networks[i]);
	return count;
}

static size_t count_flows(const struct view *view, const struct endpoint *service)
{
	const struct packet_evidence *packets = view->packets;
	size_t count = 0;

	for (size_t i = 0; i < packets->flow_count; i++) {
		const struct flow *flow = packets->flows[i];

		count += flow->protocol == PROTOCOL_TCP &&
			 (endpoint_equal(&flow->end[0], service) || endpoint_equal(&flow->end[1], service));
	}
	return count;
}

bool flow_clients_stand_out(const struct view *view, const struct flow_members *run, double percent, double prefixes)
{
	size_t all = count_flows(view, &run->at->here);

	return all && 100.0 * (double)run->count >= percent * (double)all && (double)count_networks(view, run) >= prefixes;
}
