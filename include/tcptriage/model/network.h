/* SPDX-License-Identifier: MIT */
/* How the interfaces, addresses and routes of one network namespace are laid out: what rules about contradicting MTUs and overlapping prefixes judge. */
#ifndef TCPTRIAGE_MODEL_NETWORK_H
#define TCPTRIAGE_MODEL_NETWORK_H

#include "tcptriage/model/address.h"

/** More than these are not kept; network.cut says so. */
#define NETWORK_LINKS_MAX 4096
#define NETWORK_PREFIXES_MAX 8192
#define NETWORK_ROUTES_MAX 16384

/** enum link_kind - IFLA_INFO_KIND, as far as its overhead or its role matters. */
enum link_kind {
	LINK_PLAIN, /* a network card, loopback: no kind */
	LINK_OTHER, /* a kind that is not listed */
	LINK_VETH,
	LINK_BRIDGE,
	LINK_BOND,
	LINK_VLAN,
	LINK_MACVLAN,
	LINK_VXLAN,
	LINK_GENEVE,
	LINK_GRE,
	LINK_GRETAP,
	LINK_IP6GRE,
	LINK_IP6GRETAP,
	LINK_IPIP,
	LINK_SIT,
	LINK_IP6TNL,
	LINK_WIREGUARD,
	LINK_TUN,
	LINK_KIND_COUNT
};
/** link_kind_name() - as the kernel spells it: "veth", "bridge", …; "" for a plain device, "other" for one that is not listed. */
const char *link_kind_name(enum link_kind kind);
/** link_kind_parse() - the kind that the kernel calls @name (ipip6 and the like are told apart); LINK_OTHER for one that is not listed, LINK_PLAIN for "". */
enum link_kind link_kind_parse(const char *name);

/**
 * struct link - one interface (RTM_NEWLINK).
 * @name: text from outside. @master: ifindex of the bridge, bond or VRF that it belongs to, 0 none. @parent: the device below a VLAN, macvlan or tunnel, the peer of a
 * veth; 0 none, or in another namespace (@parent_elsewhere). @underlay: remote end of a tunnel (@has_underlay). @external: each packet of the tunnel brings its own
 * remote end. @options: bytes of optional headers of the tunnel beyond those of its kind. @answering: neighbours that have a link address, by family; link-local ones
 * left out. @forwards: bit per enum addr_family in which packets that come in here are passed on. @packets: received and sent since it exists.
 */
struct link {
	uint32_t ifindex, mtu, master, parent, answering[ADDR_FAMILY_COUNT];
	uint8_t kind, forwards, options;
	bool up, carrier, loopback, parent_elsewhere, has_underlay, external;
	struct addr underlay;
	uint64_t packets;
	char name[16];
};

/** struct link_prefix - an address with its network on an interface (RTM_NEWADDR). @has_peer: point to point, @peer is the other end, whose network it is. */
struct link_prefix {
	struct addr addr, peer;
	uint32_t ifindex;
	uint8_t bits;
	bool has_peer;
};

/**
 * struct net_route - one entry of a routing table other than the local one (RTM_NEWROUTE of a dump). @bits: 0 is a default route. @type: RTN_*. @table: RT_TABLE_*. @mtu: 0 none. @nexthops: number of them; @ifindex
 * and @gateway are of the first.
 */
struct net_route {
	struct addr prefix, gateway, source;
	uint32_t ifindex, table, metric, mtu;
	uint8_t bits, type, protocol, scope;
	uint16_t nexthops;
	bool has_gateway, has_source, mtu_locked;
};

/** Routing tables and types of routes (include/uapi/linux/rtnetlink.h). */
#define NET_TABLE_MAIN 254u
#define NET_ROUTE_UNICAST 1

/**
 * struct network - arrays live as long as the arena of who collected it. @links: by ifindex. @policy_rules: rules of both families beyond the three of IPv4 and two of IPv6 that always
 * stand; −1 unknown. @cut: something did not fit or a dump was interrupted. @disguised: addresses are left out (any; default routes, lengths of prefixes and interfaces
 * stay), because stand-ins would say something else about what lies in what.
 */
struct network {
	const struct link *links;
	size_t link_count;
	const struct link_prefix *prefixes;
	size_t prefix_count;
	const struct net_route *routes;
	size_t route_count;
	int policy_rules;
	bool cut, disguised;
};

/** network_link() - by ifindex; NULL when there is none. */
const struct link *network_link(const struct network *network, uint32_t ifindex);
/** network_route() - longest match of @destination in the main table, lowest metric first; NULL none. One that forbids (unreachable, blackhole) is a match as well. */
const struct net_route *network_route(const struct network *network, const struct addr *destination);

#endif
