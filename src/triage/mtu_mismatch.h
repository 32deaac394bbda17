/* SPDX-License-Identifier: MIT */
/* Interfaces of one namespace whose MTUs contradict each other (RULES 35). */
#ifndef TCPTRIAGE_TRIAGE_MTU_MISMATCH_H
#define TCPTRIAGE_TRIAGE_MTU_MISMATCH_H

#include "tcptriage/base/arena.h"
#include "tcptriage/model/network.h"

/** enum mismatch_kind - what contradicts what. */
enum mismatch_kind {
	MISMATCH_UPLINK, /* an inner network takes more than the interface by which its packets leave */
	MISMATCH_TUNNEL, /* a tunnel's packets with what is put around them are larger than the interface below takes */
	MISMATCH_VETH,	 /* the two ends of a pair differ */
	MISMATCH_BRIDGE, /* a bridge hands its port more than that takes */
	MISMATCH_PORTS,	 /* ports of a bridge differ */
	MISMATCH_CHILD,	 /* a VLAN, macvlan or bond takes more than the device below */
	MISMATCH_LOCK,	 /* a route with a locked MTU above that of its interface */
	MISMATCH_KIND_COUNT
};

/** struct mtu_uplink - the way out of one family. @ifindex: 0 unknown. @mtu: of the interface, or of the route when that is less. */
struct mtu_uplink {
	uint32_t ifindex, mtu;
};

/**
 * struct mtu_mismatch - @wide takes packets of @wide_mtu, which with @overhead are more than the @narrow_mtu of @narrow.
 * @bridge: of MISMATCH_PORTS. @family: of MISMATCH_UPLINK, enum addr_family. @alike: interfaces (ports, routes) of which this is the worst, itself counted.
 * @forwards: packets that come in at @wide are passed on. @guessed: the interface below a tunnel is not known, it is the widest that could be.
 */
struct mtu_mismatch {
	enum mismatch_kind kind;
	const struct link *wide, *narrow, *bridge;
	uint32_t wide_mtu, narrow_mtu, overhead;
	uint8_t family;
	unsigned alike;
	bool forwards, guessed;
};

/**
 * struct mtu_mismatches - in order of kind and interface. @ends_elsewhere: pairs whose other end is in another namespace. @tunnels_unseen: tunnels of which it is not
 * known by which interface they leave.
 */
struct mtu_mismatches {
	struct mtu_mismatch *at;
	size_t count;
	unsigned ends_elsewhere, tunnels_unseen;
};

/** mtu_uplink_of() - the way out as the main table has it. */
struct mtu_uplink mtu_uplink_of(const struct network *network, enum addr_family family);
/** mtu_mismatch_find() - all of them, in @arena. @uplinks: by family. */
struct mtu_mismatches mtu_mismatch_find(const struct network *network, const struct mtu_uplink uplinks[ADDR_FAMILY_COUNT], struct arena *arena);

#endif
