/* SPDX-License-Identifier: MIT */
/* Bounded growth, order, and the form that may be shown to others. */
#include "collect/network_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcptriage/collect/redact.h"

static void *grow(void *array, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 32;
	return xrealloc_array(array, *cap, size);
}

struct link *network_list_link(struct network_list *list)
{
	struct link *link;

	if (list->link_count == NETWORK_LINKS_MAX) {
		list->cut = true;
		return NULL;
	}
	list->links = grow(list->links, list->link_count, &list->link_cap, sizeof(*list->links));
	link = &list->links[list->link_count++];
	memset(link, 0, sizeof(*link));
	return link;
}

struct link_prefix *network_list_prefix(struct network_list *list)
{
	struct link_prefix *prefix;

	if (list->prefix_count == NETWORK_PREFIXES_MAX) {
		list->cut = true;
		return NULL;
	}
	list->prefixes = grow(list->prefixes, list->prefix_count, &list->prefix_cap, sizeof(*list->prefixes));
	prefix = &list->prefixes[list->prefix_count++];
	memset(prefix, 0, sizeof(*prefix));
	return prefix;
}

struct net_route *network_list_route(struct network_list *list)
{
	struct net_route *route;

	if (list->route_count == NETWORK_ROUTES_MAX) {
		list->cut = true;
		return NULL;
	}
	list->routes = grow(list->routes, list->route_count, &list->route_cap, sizeof(*list->routes));
	route = &list->routes[list->route_count++];
	memset(route, 0, sizeof(*route));
	return route;
}

struct link *network_list_find(struct network_list *list, uint32_t ifindex)
{
	for (size_t i = 0; i < list->link_count; i++) {
		if (list->links[i].ifindex == ifindex)
			return &list->links[i];
	}
	return NULL;
}

static int by_ifindex(const void *left, const void *right)
{
	const struct link *a = left, *b = right;

	return (a->ifindex > b->ifindex) - (a->ifindex < b->ifindex);
}

static const void *kept(struct arena *arena, const void *array, size_t count, size_t size)
{
	return count ? arena_memdup(arena, array, count * size) : NULL;
}

void network_list_end(struct network_list *list, struct arena *arena, struct network *out)
{
	if (list->link_count)
		qsort(list->links, list->link_count, sizeof(*list->links), by_ifindex);
	*out = (struct network){
		.links = kept(arena, list->links, list->link_count, sizeof(*list->links)),
		.link_count = list->link_count,
		.prefixes = kept(arena, list->prefixes, list->prefix_count, sizeof(*list->prefixes)),
		.prefix_count = list->prefix_count,
		.routes = kept(arena, list->routes, list->route_count, sizeof(*list->routes)),
		.route_count = list->route_count,
		.policy_rules = list->policy_rules,
		.cut = list->cut,
		.disguised = list->disguised,
	};
}

void network_list_free(struct network_list *list)
{
	free(list->links);
	free(list->prefixes);
	free(list->routes);
	*list = (struct network_list){ 0 };
}

static struct addr nobody(uint8_t family)
{
	return (struct addr){ .family = family };
}

/* That an address is valid on one link only says nothing about anyone, and rules leave such out. */
static struct addr disguised(const struct addr *addr)
{
	return addr_class(addr) == ADDR_CLASS_LINK_LOCAL ? addr_mask(addr, addr->family == ADDR_V4 ? 16 : 10) : nobody(addr->family);
}

static void disguise_link(const struct network *network, struct link *link)
{
	const struct net_route *route = link->has_underlay && !link->parent && !network->disguised ? network_route(network, &link->underlay) : NULL;

	if (route)
		link->parent = route->ifindex;
	link->underlay = nobody(link->underlay.family);
}

static const struct link *disguised_links(const struct network *network, struct redactor *redactor, struct arena *arena)
{
	struct link *links = arena_alloc(arena, (network->link_count + 1) * sizeof(*links));

	for (size_t i = 0; i < network->link_count; i++) {
		links[i] = network->links[i];
		disguise_link(network, &links[i]);
		snprintf(links[i].name, sizeof(links[i].name), "%s", redact_text(redactor, REDACT_INTERFACE, network->links[i].name));
	}
	return links;
}

static const struct link_prefix *disguised_prefixes(const struct network *network, struct arena *arena)
{
	struct link_prefix *prefixes = arena_alloc(arena, (network->prefix_count + 1) * sizeof(*prefixes));

	for (size_t i = 0; i < network->prefix_count; i++) {
		prefixes[i] = network->prefixes[i];
		prefixes[i].addr = disguised(&network->prefixes[i].addr);
		prefixes[i].peer = disguised(&network->prefixes[i].peer);
	}
	return prefixes;
}

static const struct net_route *disguised_routes(const struct network *network, struct arena *arena)
{
	struct net_route *routes = arena_alloc(arena, (network->route_count + 1) * sizeof(*routes));

	for (size_t i = 0; i < network->route_count; i++) {
		routes[i] = network->routes[i];
		routes[i].prefix = disguised(&network->routes[i].prefix);
		routes[i].gateway = nobody(routes[i].gateway.family);
		routes[i].source = nobody(routes[i].source.family);
	}
	return routes;
}

void network_disguise(struct network *network, struct redactor *redactor, struct arena *arena)
{
	/* the remote ends of tunnels are looked up while the routes are still true */
	network->links = disguised_links(network, redactor, arena);
	network->prefixes = disguised_prefixes(network, arena);
	network->routes = disguised_routes(network, arena);
	network->disguised = true;
}
