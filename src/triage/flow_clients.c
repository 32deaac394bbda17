/* SPDX-License-Identifier: MIT */
/* Roles of the two ends of a flow. */
#include "flow_clients.h"

#include <assert.h>
#include <stddef.h>
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

/** struct flow_services - services whose public clients have trouble, in order, and how many flows each has. */
struct flow_services {
	struct flow_service {
		struct endpoint end;
		size_t flows;
	} *at;
	size_t count;
};

static bool keep_service(const struct view *view, struct flow_member *m)
{
	(void)view;
	m->key = m->here;
	return flow_clients_is_public(m);
}

static int by_endpoint(const void *left, const void *right)
{
	const struct endpoint *a = left, *b = right;
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : (int)a->port - (int)b->port;
}

static struct flow_service *find_service(const struct flow_services *services, const struct endpoint *end)
{
	static_assert(offsetof(struct flow_service, end) == 0, "by_endpoint() is given services");
	return bsearch(end, services->at, services->count, sizeof(*services->at), by_endpoint);
}

static void count_flow(const struct flow_services *services, const struct flow *flow)
{
	struct flow_service *one = find_service(services, &flow->end[0]), *other = find_service(services, &flow->end[1]);

	if (one)
		one->flows++;
	if (other && other != one)
		other->flows++;
}

static struct flow_services *services_of(const struct view *view)
{
	struct flow_members clients = flow_members_collect_sides(view, PROTOCOL_TCP, ODD_REPEATS | ODD_DEAD, keep_service);
	struct flow_services *services = arena_alloc(view->arena, sizeof(*services));

	services->at = arena_alloc(view->arena, (clients.count + 1) * sizeof(*services->at));
	flow_members_sort(&clients);
	for (size_t i = 0; i < clients.count; i += flow_members_run(&clients, i).count)
		services->at[services->count++].end = clients.at[i].key;
	for (size_t i = 0; i < view->packets->flow_count; i++) {
		if (view->packets->flows[i]->protocol == PROTOCOL_TCP)
			count_flow(services, view->packets->flows[i]);
	}
	return services;
}

/* All TCP flows of @service: counted for all services at once when the first is asked for. */
static size_t count_flows(const struct view *view, const struct endpoint *service)
{
	struct flow_service *found;

	if (!view->index->services)
		view->index->services = services_of(view);
	found = find_service(view->index->services, service);
	BUG_ON(!found);
	return found->flows;
}

bool flow_clients_stand_out(const struct view *view, const struct flow_members *run, double percent, double prefixes)
{
	size_t all = count_flows(view, &run->at->here);

	return all && 100.0 * (double)run->count >= percent * (double)all && (double)count_networks(view, run) >= prefixes;
}
