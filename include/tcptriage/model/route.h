/* SPDX-License-Identifier: MIT */
/* What this host would do with a packet to one destination: route, interface, next hop's neighbour entry. */
#ifndef TCPTRIAGE_MODEL_ROUTE_H
#define TCPTRIAGE_MODEL_ROUTE_H

#include "tcptriage/model/address.h"

/** enum route_has - what the kernel told: bits of route.has. */
enum route_has {
	ROUTE_HAS_DEVICE = 1 << 0,
	ROUTE_HAS_GATEWAY = 1 << 1,
	ROUTE_HAS_SOURCE = 1 << 2,
	ROUTE_HAS_MTU = 1 << 3,	    /* RTAX_MTU: a route's or an exception's MTU */
	ROUTE_HAS_EXPIRES = 1 << 4, /* the entry is a path-MTU exception */
	ROUTE_HAS_LINK = 1 << 5,
	ROUTE_HAS_NEIGHBOUR = 1 << 6,
};

/**
 * struct route - answer for @destination (rtnetlink RTM_GETROUTE, RTM_GETLINK, RTM_GETNEIGH).
 * @error: 0, or the negative errno with which the kernel refuses (-ENETUNREACH …). @mtu_locked: `mtu lock` stands on the route.
 * @device: text from outside. @carrier: IFF_LOWER_UP. @neighbour_state: NUD_* bits of the next hop. @is_default: by a default route
 * (as far as the kernel tells: the gateway is the one of the default route). @is_local: delivered on this host.
 */
struct route {
	struct addr destination, gateway, source;
	int error;
	uint32_t has, ifindex, mtu, expires_ms, link_mtu;
	uint16_t neighbour_state;
	bool mtu_locked, carrier, is_default, is_local;
	char device[16];
};

/** route_next_hop_fails() - the kernel asks for the link address of the next hop without answer, or has given up (INCOMPLETE, FAILED). */
bool route_next_hop_fails(const struct route *route);
/**
 * route_way_out() - an address on the Internet (a root name server) whose route tells by which way, and from which address, this host reaches
 * it. Only the routing table is asked about it; nothing is ever sent there.
 */
struct addr route_way_out(enum addr_family family);

/** route_neighbour_name() - "REACHABLE", "FAILED", … for NUD_* bits. */
const char *route_neighbour_name(uint16_t state);

#endif
