/* SPDX-License-Identifier: MIT */
/* Prefixes in order, so that what lies in another stands behind it. */
#include "address_plan.h"

#include <math.h>
#include <stdlib.h>

static unsigned all_bits(uint8_t family)
{
	return family == ADDR_V4 ? 32 : 128;
}

static bool is_special(const struct addr *addr)
{
	switch (addr_class(addr)) {
	case ADDR_CLASS_LOOPBACK:
	case ADDR_CLASS_LINK_LOCAL:
	case ADDR_CLASS_METADATA:
	case ADDR_CLASS_MULTICAST:
		return true;
	default:
		return false;
	}
}

bool address_plan_is_on_link(const struct net_route *route)
{
	return route->type == NET_ROUTE_UNICAST && !route->has_gateway && route->nexthops <= 1 && route->bits >= PLAN_SHORTEST &&
	       route->bits + 1u < all_bits(route->prefix.family) && !is_special(&route->prefix);
}

static bool is_looked_at(const struct network *network, const struct net_route *route)
{
	const struct link *link = network_link(network, route->ifindex);

	return route->table == NET_TABLE_MAIN && address_plan_is_on_link(route) && link && link->up && !link->loopback && !link->master;
}

/* What contains comes before what it contains; of equal ones the one that wins stands last, as the narrower of two does. */
static int by_prefix(const void *left, const void *right)
{
	const struct net_route *a = *(const struct net_route *const *)left, *b = *(const struct net_route *const *)right;
	int order = addr_compare(&a->prefix, &b->prefix);

	if (order)
		return order;
	if (a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	if (a->metric != b->metric)
		return a->metric > b->metric ? -1 : 1;
	return a->ifindex < b->ifindex ? 1 : a->ifindex > b->ifindex ? -1 : 0;
}

/* A macvlan and the like are on the same Ethernet as the device below, and a pair is one. */
static bool share_a_link(const struct network *network, const struct net_route *a, const struct net_route *b)
{
	const struct link *x = network_link(network, a->ifindex), *y = network_link(network, b->ifindex);

	if (a->ifindex == b->ifindex)
		return true;
	return (x->kind == LINK_MACVLAN && x->parent == y->ifindex) || (y->kind == LINK_MACVLAN && y->parent == x->ifindex);
}

static size_t pick(const struct network *network, const struct net_route **list)
{
	size_t count = 0;

	for (size_t i = 0; i < network->route_count; i++) {
		if (is_looked_at(network, &network->routes[i]))
			list[count++] = &network->routes[i];
	}
	if (count)
		qsort(list, count, sizeof(*list), by_prefix);
	return count;
}

static bool contains(const struct net_route *outer, const struct net_route *inner)
{
	return outer->bits <= inner->bits && addr_in_prefix(&inner->prefix, &outer->prefix, outer->bits);
}

/* The same network of the same interface once more (of the kernel, and of a router's advertisement), among the innermost of @open. */
static bool is_known(const struct net_route **open, size_t depth, const struct net_route *route)
{
	for (size_t k = depth; k-- > 0 && open[k]->bits == route->bits;) {
		if (open[k]->ifindex == route->ifindex)
			return true;
	}
	return false;
}

struct overlaps address_plan_overlaps(const struct network *network, struct arena *arena)
{
	const struct net_route **list = arena_alloc(arena, (network->route_count + 1) * sizeof(const struct net_route *));
	const struct net_route **open = arena_alloc(arena, (network->route_count + 1) * sizeof(const struct net_route *));
	struct overlaps found = { .at = arena_alloc(arena, (network->route_count + 1) * sizeof(struct overlap)) };
	size_t count = pick(network, list), depth = 0;

	for (size_t i = 0; i < count; i++) {
		while (depth && !contains(open[depth - 1], list[i]))
			depth--;
		if (is_known(open, depth, list[i]))
			continue;
		for (size_t k = depth; k-- > 0;) {
			if (share_a_link(network, open[k], list[i]))
				continue;
			found.at[found.count++] = (struct overlap){ .inner = list[i], .outer = open[k] };
			break;
		}
		open[depth++] = list[i];
	}
	return found;
}

const struct net_route *address_plan_shadowed(const struct network *network, const struct net_route *winner, const struct addr *addr)
{
	const struct net_route *best = NULL;

	for (size_t i = 0; i < network->route_count; i++) {
		const struct net_route *r = &network->routes[i];

		if (r->table != NET_TABLE_MAIN || r->type != NET_ROUTE_UNICAST || r->bits < PLAN_SHORTEST || r->bits > winner->bits ||
		    r->ifindex == winner->ifindex || !addr_in_prefix(addr, &r->prefix, r->bits))
			continue;
		if (!best || r->bits > best->bits || (r->bits == best->bits && r->metric < best->metric))
			best = r;
	}
	return best && !share_a_link(network, winner, best) ? best : NULL;
}

const struct net_route *address_plan_default(const struct network *network, enum addr_family family)
{
	const struct net_route *best = NULL;

	for (size_t i = 0; i < network->route_count; i++) {
		const struct net_route *r = &network->routes[i];

		if (r->table == NET_TABLE_MAIN && r->type == NET_ROUTE_UNICAST && r->prefix.family == family && r->bits <= 1 &&
		    (!best || r->bits > best->bits || (r->bits == best->bits && r->metric < best->metric)))
			best = r;
	}
	return best;
}

bool address_plan_is_inner(const struct link *link)
{
	return link->kind != LINK_PLAIN && link->kind != LINK_BOND && link->kind != LINK_VLAN && link->kind != LINK_MACVLAN;
}

static uint32_t v4_of(const struct addr *addr)
{
	return (uint32_t)addr->bytes[0] << 24 | (uint32_t)addr->bytes[1] << 16 | (uint32_t)addr->bytes[2] << 8 | addr->bytes[3];
}

int address_plan_edge(const struct network *network, const struct addr *addr, const struct link_prefix **of)
{
	for (size_t i = 0; addr->family == ADDR_V4 && i < network->prefix_count; i++) {
		const struct link_prefix *p = &network->prefixes[i];
		uint32_t hosts, host;

		if (p->bits >= 31 || p->bits < PLAN_SHORTEST || !addr_in_prefix(addr, p->has_peer ? &p->peer : &p->addr, p->bits) ||
		    addr_equal(addr, &p->addr))
			continue;
		hosts = UINT32_MAX >> p->bits;
		host = v4_of(addr) & hosts;
		*of = p;
		if (!host || host == hosts)
			return host == hosts;
	}
	return -1;
}

const struct link *address_plan_holder(const struct network *network, const struct addr *addr)
{
	for (size_t i = 0; i < network->prefix_count; i++) {
		if (addr_equal(&network->prefixes[i].addr, addr))
			return network_link(network, network->prefixes[i].ifindex);
	}
	return NULL;
}

bool address_plan_only_global(const struct network *network, uint32_t ifindex, enum addr_family family)
{
	bool any = false;

	for (size_t i = 0; i < network->prefix_count; i++) {
		const struct link_prefix *p = &network->prefixes[i];

		/* every IPv6 interface has a link-local address */
		if (p->ifindex != ifindex || p->addr.family != family || (family == ADDR_V6 && addr_class(&p->addr) == ADDR_CLASS_LINK_LOCAL))
			continue;
		if (!addr_is_global(&p->addr))
			return false;
		any = true;
	}
	return any;
}

bool address_plan_is_private(const struct addr *addr)
{
	switch (addr_class(addr)) {
	case ADDR_CLASS_RFC1918:
	case ADDR_CLASS_DOCKER:
	case ADDR_CLASS_CGNAT:
	case ADDR_CLASS_BENCHMARK:
	case ADDR_CLASS_ULA:
		return true;
	case ADDR_CLASS_LINK_LOCAL:
		return addr->family == ADDR_V4;
	default:
		return false;
	}
}

/* Only what is asked for by its link address tells: a tunnel asks nobody. */
static bool resolves(const struct plan_way *way)
{
	return way->hop == PLAN_HOP_RESOLVES;
}

/* The attempt goes to a network on a link of this host. */
static enum plan_fault judge_on_link(const struct network *network, const struct plan_way *way, const struct link *link, struct plan_verdict *v)
{
	const struct net_route *out = address_plan_default(network, (enum addr_family)way->destination.family);
	bool nobody = !link->answering[way->destination.family];

	if (resolves(way))
		return PLAN_FINE;
	v->loser = address_plan_shadowed(network, v->winner, &way->destination);
	if (v->loser && (address_plan_is_on_link(v->loser) || (nobody && address_plan_is_inner(link))))
		return PLAN_SHADOWED;
	if (!v->loser && out && out->ifindex != link->ifindex) {
		v->loser = out;
		return nobody && way->hop == PLAN_HOP_FAILS && address_plan_is_inner(link) ? PLAN_NOBODY : PLAN_FINE;
	}
	return PLAN_FINE;
}

static bool is_stranger(const struct network *network, const struct plan_way *way)
{
	const struct link *holder = way->has_source && address_plan_is_private(&way->source) ? address_plan_holder(network, &way->source) : NULL;

	return holder && !holder->loopback && holder->ifindex != way->ifindex && addr_is_global(&way->destination);
}

struct plan_verdict address_plan_judge(const struct network *network, const struct plan_way *way)
{
	struct plan_verdict v = { .winner = network_route(network, &way->destination) };
	const struct link *link = network_link(network, way->ifindex);

	if (!v.winner || v.winner->type != NET_ROUTE_UNICAST || !link || link->loopback || (v.winner->nexthops <= 1 && v.winner->ifindex != way->ifindex))
		return v;
	if (address_plan_edge(network, &way->destination, &v.edge_of) >= 0)
		v.fault = PLAN_EDGE;
	else if (address_plan_is_on_link(v.winner))
		v.fault = judge_on_link(network, way, link, &v);
	else if (v.winner->bits <= 1 && address_plan_is_private(&way->destination) &&
		 address_plan_only_global(network, way->ifindex, (enum addr_family)way->destination.family))
		v.fault = PLAN_UNROUTED;
	else if (is_stranger(network, way))
		v.fault = PLAN_SOURCE;
	return v;
}

double address_plan_size(enum addr_family family, unsigned bits)
{
	return ldexp(1, (int)(all_bits((uint8_t)family) - MIN(bits, all_bits((uint8_t)family))));
}
