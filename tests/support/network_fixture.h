/* SPDX-License-Identifier: MIT */
/* A made-up layout of a namespace, for the rules that judge one: interfaces by name, addresses and routes as text.
 *
 *	plan_open(&plan);
 *	plan_link(&plan, 2, "eth0", LINK_PLAIN, 1500);
 *	plan_address(&plan, 2, "10.0.0.2/24");          the route to its network is made as the kernel makes it
 *	plan_route(&plan, 2, "default", "10.0.0.1");
 *	f.network = plan_network(&plan);
 */
#ifndef TCPTRIAGE_TESTS_SUPPORT_NETWORK_FIXTURE_H
#define TCPTRIAGE_TESTS_SUPPORT_NETWORK_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcptriage/model/network.h"

#define PLAN_ROOM 64

/** struct plan - the layout in the making. */
struct plan {
	struct link links[PLAN_ROOM];
	struct link_prefix prefixes[PLAN_ROOM];
	struct net_route routes[PLAN_ROOM];
	struct network network;
};

static inline void plan_open(struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->links[0] = (struct link){ .ifindex = 1, .mtu = 65536, .up = true, .carrier = true, .loopback = true, .name = "lo" };
	plan->network = (struct network){ .links = plan->links, .link_count = 1, .prefixes = plan->prefixes, .routes = plan->routes };
}

/** plan_link() - an interface that is up; in rising order of @ifindex. */
static inline struct link *plan_link(struct plan *plan, uint32_t ifindex, const char *name, enum link_kind kind, uint32_t mtu)
{
	struct link *link = &plan->links[plan->network.link_count++];

	*link = (struct link){ .ifindex = ifindex, .kind = (uint8_t)kind, .mtu = mtu, .up = true, .carrier = true };
	snprintf(link->name, sizeof(link->name), "%s", name);
	return link;
}

/* "10.0.0.1/24"; without a length a whole address, "default" and "default6" of no length. */
static inline uint8_t plan_prefix(const char *text, struct addr *addr)
{
	char copy[64];
	char *slash;

	snprintf(copy, sizeof(copy), "%s", strcmp(text, "default") ? strcmp(text, "default6") ? text : "::/0" : "0.0.0.0/0");
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (!addr_parse(copy, addr))
		abort();
	return (uint8_t)(slash ? atoi(slash) : addr->family == ADDR_V4 ? 32 : 128);
}

/** plan_route() - a route of the main table by @ifindex; @gateway may be NULL. */
static inline struct net_route *plan_route(struct plan *plan, uint32_t ifindex, const char *prefix, const char *gateway)
{
	struct net_route *route = &plan->routes[plan->network.route_count++];
	struct addr addr;
	uint8_t bits = plan_prefix(prefix, &addr);

	*route = (struct net_route){ .prefix = addr_mask(&addr, bits), .bits = bits, .ifindex = ifindex, .table = NET_TABLE_MAIN, .type = NET_ROUTE_UNICAST, .nexthops = 1 };
	if (gateway)
		route->has_gateway = addr_parse(gateway, &route->gateway);
	return route;
}

/** plan_address() - an address of an interface, and the route to its network. */
static inline void plan_address(struct plan *plan, uint32_t ifindex, const char *prefix)
{
	struct link_prefix *p = &plan->prefixes[plan->network.prefix_count++];

	*p = (struct link_prefix){ .ifindex = ifindex };
	p->bits = plan_prefix(prefix, &p->addr);
	p->peer = p->addr;
	if (p->bits < (p->addr.family == ADDR_V4 ? 32 : 128))
		plan_route(plan, ifindex, prefix, NULL);
}

static inline const struct network *plan_network(const struct plan *plan)
{
	return &plan->network;
}

#endif
