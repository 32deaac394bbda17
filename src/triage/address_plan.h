/* SPDX-License-Identifier: MIT */
/* Which prefixes of one namespace lie in each other, and which way an address takes because of it (RULES 40). */
#ifndef TCPTRIAGE_TRIAGE_ADDRESS_PLAN_H
#define TCPTRIAGE_TRIAGE_ADDRESS_PLAN_H

#include "tcptriage/base/arena.h"
#include "tcptriage/model/network.h"

/** Shorter prefixes are a default route in pieces (0.0.0.0/1 and 128.0.0.0/1 of a VPN), or all private IPv6 there is: what lies in them overlaps with nothing. */
#define PLAN_SHORTEST 8

/** struct overlap - @inner lies in @outer, or is the same; both are on the link of different interfaces. */
struct overlap {
	const struct net_route *inner, *outer;
};
/** struct overlaps - in order of address. */
struct overlaps {
	struct overlap *at;
	size_t count;
};
/**
 * address_plan_overlaps() - networks on the link of two interfaces, in the main table. Left out: loopback, link-local and multicast ones, single addresses and point-to-point
 * networks, what belongs to a VRF or another master, and an interface with the one that it is built on.
 */
struct overlaps address_plan_overlaps(const struct network *network, struct arena *arena);

/** address_plan_is_on_link() - @route is a network whose hosts are asked for directly: no gateway, more than a single address or a pair of them. */
bool address_plan_is_on_link(const struct net_route *route);
/** address_plan_shadowed() - the narrowest network or route that @addr would take by another interface if @winner did not stand; NULL when that would be a default route, or nothing. */
const struct net_route *address_plan_shadowed(const struct network *network, const struct net_route *winner, const struct addr *addr);
/** address_plan_default() - the default route of a family (of a VPN's two halves one), NULL none. */
const struct net_route *address_plan_default(const struct network *network, enum addr_family family);
/** address_plan_is_inner() - networks on such interfaces are made on this host: containers, virtual machines, tunnels. */
bool address_plan_is_inner(const struct link *link);
/** address_plan_edge() - @addr is the network address (0) or the broadcast address (1) of a connected IPv4 network; −1 it is neither. @of: which. */
int address_plan_edge(const struct network *network, const struct addr *addr, const struct link_prefix **of);
/** address_plan_holder() - the interface that has @addr as its own; NULL none. */
const struct link *address_plan_holder(const struct network *network, const struct addr *addr);
/** address_plan_only_global() - the interface has addresses of the family, and all are global. */
bool address_plan_only_global(const struct network *network, uint32_t ifindex, enum addr_family family);
/** address_plan_is_private() - an address that nobody outside carries: RFC 1918, CGNAT, benchmark, link-local IPv4, ULA. */
bool address_plan_is_private(const struct addr *addr);
/** enum plan_hop - what is known of the next hop's link address. */
enum plan_hop { PLAN_HOP_UNKNOWN, PLAN_HOP_FAILS, PLAN_HOP_RESOLVES };

/** struct plan_way - how this host sends to @destination: by @ifindex, from @source (@has_source). @hop: enum plan_hop. */
struct plan_way {
	struct addr destination, source;
	uint32_t ifindex;
	bool has_source;
	uint8_t hop;
};

/** enum plan_fault - what the address plan has to do with an attempt that died. */
enum plan_fault {
	PLAN_FINE,
	PLAN_SHADOWED, /* a network on the link hides another network, or a route to one, that has this address as well */
	PLAN_ELSEWHERE, /* a network on the link hides the way that other connections there took (not told by address_plan_judge()) */
	PLAN_NOBODY,   /* a network made on this host has the address, and nobody there has ever answered */
	PLAN_UNROUTED, /* a private address leaves by an interface on which only the Internet lives */
	PLAN_EDGE,     /* the network or broadcast address of a connected network */
	PLAN_SOURCE,   /* a private source address of another interface goes to the Internet */
	PLAN_FAULT_COUNT
};

/** struct plan_verdict - @winner: the route that it takes. @loser: the one that it would take without @winner, NULL none. @edge_of: of PLAN_EDGE. */
struct plan_verdict {
	enum plan_fault fault;
	const struct net_route *winner, *loser;
	const struct link_prefix *edge_of;
};
/** address_plan_judge() - of an attempt that died without an answer. What policy rules decide otherwise than the main table is PLAN_FINE. */
struct plan_verdict address_plan_judge(const struct network *network, const struct plan_way *way);

/** address_plan_size() - how many addresses a prefix of @bits has, as a number that may be rounded. */
double address_plan_size(enum addr_family family, unsigned bits);

#endif
