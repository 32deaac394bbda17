/* SPDX-License-Identifier: MIT */
/* Questions to NETLINK_ROUTE about one destination. */
#ifndef COLLECT_RTNETLINK_H
#define COLLECT_RTNETLINK_H

#include "tcptriage/collect/netlink.h"
#include "tcptriage/model/route.h"

/**
 * rtnetlink_route() - fill @route from its destination: route, then interface, then the next hop's neighbour entry. Where @route->ifindex is set, the way
 * through that interface.
 * Return: 0 (the kernel's refusal is in @route->error), or -errno with @err when rtnetlink itself failed. A link-local destination is
 * -ENODATA when no interface is given: the kernel would choose one.
 */
int rtnetlink_route(struct netlink *nl, struct route *route, struct err *err);

/** rtnetlink_take_route() - a netlink_message_fn (context: struct route): RTM_NEWROUTE. Attributes that are cut are left out. */
int rtnetlink_take_route(const struct nlmsghdr *message, void *context);
/** rtnetlink_take_link() - likewise RTM_NEWLINK of @route->ifindex. */
int rtnetlink_take_link(const struct nlmsghdr *message, void *context);
/** rtnetlink_take_neighbour() - likewise RTM_NEWNEIGH of the next hop. */
int rtnetlink_take_neighbour(const struct nlmsghdr *message, void *context);

#endif
