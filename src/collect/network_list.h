/* SPDX-License-Identifier: MIT */
/* The layout of a namespace while it is read, wherever it comes from. */
#ifndef COLLECT_NETWORK_LIST_H
#define COLLECT_NETWORK_LIST_H

#include "tcptriage/base/arena.h"
#include "tcptriage/model/network.h"

struct redactor;

/** struct network_list - grows up to the bounds of network.h; release with network_list_free(). Members as in struct network. */
struct network_list {
	struct link *links;
	struct link_prefix *prefixes;
	struct net_route *routes;
	size_t link_count, link_cap, prefix_count, prefix_cap, route_count, route_cap;
	int policy_rules;
	bool cut, disguised;
};

/** network_list_link() - room for one more, zeroed. Return: NULL, and the list is marked as cut, when there is none. */
struct link *network_list_link(struct network_list *list);
/** network_list_prefix(), network_list_route() - likewise. */
struct link_prefix *network_list_prefix(struct network_list *list);
struct net_route *network_list_route(struct network_list *list);
/** network_list_find() - the interface with this index, NULL none; by a walk, the list has no order yet. */
struct link *network_list_find(struct network_list *list, uint32_t ifindex);
/** network_list_end() - sorts, and copies to @arena what struct network points at. */
void network_list_end(struct network_list *list, struct arena *arena, struct network *out);
/** network_list_free() - releases it; safe on a zeroed struct. Fit for CLEANUP(). */
void network_list_free(struct network_list *list);
/**
 * network_disguise() - leaves the addresses out and gives interfaces the names that @redactor has for them. What a tunnel's remote end told is kept: by which interface
 * it is reached, and its family. A no-op for one that is disguised already, but for the names.
 */
void network_disguise(struct network *network, struct redactor *redactor, struct arena *arena);

#endif
