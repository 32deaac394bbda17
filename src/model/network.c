/* SPDX-License-Identifier: MIT */
/* Kinds of interfaces by name, and look-ups in the layout of a namespace. */
#include "tcptriage/model/network.h"

#include <assert.h>
#include <string.h>

static const char *const kind_names[LINK_KIND_COUNT] = {
	[LINK_PLAIN] = "",	     [LINK_OTHER] = "other",	   [LINK_VETH] = "veth",	     [LINK_BRIDGE] = "bridge",
	[LINK_BOND] = "bond",	     [LINK_VLAN] = "vlan",	   [LINK_MACVLAN] = "macvlan",	     [LINK_VXLAN] = "vxlan",
	[LINK_GENEVE] = "geneve",    [LINK_GRE] = "gre",	   [LINK_GRETAP] = "gretap",	     [LINK_IP6GRE] = "ip6gre",
	[LINK_IP6GRETAP] = "ip6gretap", [LINK_IPIP] = "ipip",	   [LINK_SIT] = "sit",		     [LINK_IP6TNL] = "ip6tnl",
	[LINK_WIREGUARD] = "wireguard", [LINK_TUN] = "tun",
};
static_assert(ARRAY_SIZE(kind_names) == LINK_KIND_COUNT, "a name for every kind");

const char *link_kind_name(enum link_kind kind)
{
	return kind_names[kind];
}

enum link_kind link_kind_parse(const char *name)
{
	for (unsigned kind = 0; kind < LINK_KIND_COUNT; kind++) {
		if (!strcmp(kind_names[kind], name))
			return (enum link_kind)kind;
	}
	return LINK_OTHER;
}

const struct link *network_link(const struct network *network, uint32_t ifindex)
{
	size_t low = 0, high = network->link_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (network->links[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low < network->link_count && network->links[low].ifindex == ifindex ? &network->links[low] : NULL;
}

static bool is_better(const struct net_route *a, const struct net_route *b)
{
	return !b || a->bits > b->bits || (a->bits == b->bits && a->metric < b->metric);
}

const struct net_route *network_route(const struct network *network, const struct addr *destination)
{
	const struct net_route *best = NULL;

	for (size_t i = 0; i < network->route_count; i++) {
		const struct net_route *route = &network->routes[i];

		if (route->table == NET_TABLE_MAIN && is_better(route, best) && addr_in_prefix(destination, &route->prefix, route->bits))
			best = route;
	}
	return best;
}
