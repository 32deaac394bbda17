/* SPDX-License-Identifier: MIT */
/* Interfaces, addresses, routes, rules and neighbours of a namespace, asked for as a whole (rtnetlink(7)). */
#ifndef COLLECT_NETWORK_DUMP_H
#define COLLECT_NETWORK_DUMP_H

#include "collect/network_list.h"
#include "tcptriage/collect/netlink.h"

/**
 * network_dump() - fills @list. A dump that was interrupted is made again twice, then kept and the list marked as cut. @nl: left in the middle of a dump when the list is
 * full: close it. Return: 0, or -errno with @err when interfaces, addresses or routes cannot be asked for at all.
 */
int network_dump(struct netlink *nl, struct network_list *list, struct err *err);

/** struct network_taking - context of the functions below. @family: AF_* that was asked for, others are ignored (0 any). */
struct network_taking {
	struct network_list *list;
	uint8_t family;
};
/** network_dump_link() - a netlink_message_fn (context: struct network_taking): RTM_NEWLINK. Attributes that are cut are left out. */
int network_dump_link(const struct nlmsghdr *message, void *context);
/** network_dump_address() - likewise RTM_NEWADDR. */
int network_dump_address(const struct nlmsghdr *message, void *context);
/** network_dump_route() - likewise RTM_NEWROUTE; the local table and dead routes are left out. Return: -ENOBUFS when the list is full. */
int network_dump_route(const struct nlmsghdr *message, void *context);
/** network_dump_rule() - likewise RTM_NEWRULE: counts those that do more than send everything to the local, main or default table. */
int network_dump_rule(const struct nlmsghdr *message, void *context);
/** network_dump_neighbour() - likewise RTM_NEWNEIGH: counts those with a link address at their interface. */
int network_dump_neighbour(const struct nlmsghdr *message, void *context);

#endif
