/* SPDX-License-Identifier: MIT */
/* The layout of a namespace, walked once for each kind of contradiction. */
#include "mtu_mismatch.h"

#include "mtu_table.h"
#include "tcptriage/model/route.h"

/** struct search - what is looked at and what was found. @cap: room of found.at. */
struct search {
	const struct network *network;
	struct arena *arena;
	struct mtu_mismatches found;
	size_t cap;
};

static struct mtu_mismatch *add(struct search *s, enum mismatch_kind kind, const struct link *wide, const struct link *narrow)
{
	struct mtu_mismatch *room;

	if (s->found.count == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;

		room = arena_alloc(s->arena, cap * sizeof(*room));
		for (size_t i = 0; i < s->found.count; i++)
			room[i] = s->found.at[i];
		s->found.at = room;
		s->cap = cap;
	}
	room = &s->found.at[s->found.count++];
	*room = (struct mtu_mismatch){
		.kind = kind, .wide = wide, .narrow = narrow, .wide_mtu = wide->mtu, .narrow_mtu = narrow->mtu, .alike = 1
	};
	return room;
}

static bool is_usable(const struct link *link)
{
	return link && link->up && link->carrier && !link->loopback;
}

static bool is_tunnel(const struct link *link)
{
	return mtu_overhead(link->kind, ADDR_V4) || mtu_overhead(link->kind, ADDR_V6);
}

/* Packets of this family are sent or received there: it has an address, or a route that is more than the default one. */
static bool carries(const struct network *network, const struct link *link, uint8_t family)
{
	for (size_t i = 0; i < network->prefix_count; i++) {
		const struct link_prefix *p = &network->prefixes[i];

		if (p->ifindex == link->ifindex && p->addr.family == family && addr_class(&p->addr) != ADDR_CLASS_LINK_LOCAL)
			return true;
	}
	for (size_t i = 0; i < network->route_count; i++) {
		const struct net_route *r = &network->routes[i];

		if (r->ifindex == link->ifindex && r->prefix.family == family && r->bits && addr_class(&r->prefix) != ADDR_CLASS_LINK_LOCAL)
			return true;
	}
	return false;
}

static uint32_t least(uint32_t link_mtu, uint32_t route_mtu)
{
	return route_mtu ? MIN(link_mtu, route_mtu) : link_mtu;
}

struct mtu_uplink mtu_uplink_of(const struct network *network, enum addr_family family)
{
	struct addr out_there = route_way_out(family);
	const struct net_route *route = network_route(network, &out_there);
	const struct link *link = route && route->type == NET_ROUTE_UNICAST ? network_link(network, route->ifindex) : NULL;

	if (!link || link->loopback)
		return (struct mtu_uplink){ 0, 0 };
	return (struct mtu_uplink){ link->ifindex, least(link->mtu, route->mtu) };
}

/* One is built on, or belongs to, the other: not a network behind it. */
static bool are_related(const struct link *a, const struct link *b)
{
	return a->parent == b->ifindex || b->parent == a->ifindex || a->master == b->ifindex || b->master == a->ifindex;
}

/* Bridges, and pairs of which the other end is a container's. Ports are spoken of as their bridge; what belongs to a VRF has a way out of its own. */
static bool is_inner(const struct link *link)
{
	return !link->master && (link->kind == LINK_BRIDGE || link->kind == LINK_VETH);
}

static bool is_worse(const struct mtu_mismatch *a, const struct mtu_mismatch *b)
{
	if (a->forwards != b->forwards)
		return a->forwards;
	if (a->wide_mtu != b->wide_mtu)
		return a->wide_mtu > b->wide_mtu;
	return a->wide->packets > b->wide->packets;
}

/* The worst of those behind one way out stands for all. */
static void find_uplink(struct search *s, const struct mtu_uplink *uplink, uint8_t family)
{
	const struct link *out = network_link(s->network, uplink->ifindex);
	struct mtu_mismatch worst = { .alike = 0 };

	for (size_t i = 0; out && i < s->network->link_count; i++) {
		const struct link *link = &s->network->links[i];
		struct mtu_mismatch one = { .kind = MISMATCH_UPLINK, .wide = link, .narrow = out, .wide_mtu = link->mtu,
					    .narrow_mtu = uplink->mtu, .family = family, .forwards = link->forwards >> family & 1 };

		if (!is_usable(link) || !is_inner(link) || link == out || are_related(link, out) || link->mtu <= uplink->mtu ||
		    !carries(s->network, link, family))
			continue;
		one.alike = worst.alike;
		if (!worst.alike || is_worse(&one, &worst))
			worst = one;
		worst.alike++;
	}
	if (worst.alike)
		*add(s, MISMATCH_UPLINK, worst.wide, worst.narrow) = worst;
}

/* IPv6 is named only where IPv4 does not say the same. */
static void find_uplinks(struct search *s, const struct mtu_uplink uplinks[ADDR_FAMILY_COUNT])
{
	const struct mtu_mismatch *v4, *v6;

	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++)
		find_uplink(s, &uplinks[family], (uint8_t)family);
	if (s->found.count < 2)
		return;
	v4 = &s->found.at[0];
	v6 = &s->found.at[1];
	if (v4->wide != v6->wide || v4->narrow != v6->narrow)
		return;
	if (is_worse(v6, v4))
		s->found.at[0] = *v6;
	s->found.count = 1;
}

/* Routes into the tunnel that all keep packets small enough do what the device does not. */
static bool routes_hold_back(const struct network *network, const struct link *tunnel, uint32_t fits)
{
	bool any = false;

	for (size_t i = 0; i < network->route_count; i++) {
		const struct net_route *r = &network->routes[i];

		if (r->ifindex != tunnel->ifindex || r->type != NET_ROUTE_UNICAST || addr_class(&r->prefix) == ADDR_CLASS_LINK_LOCAL)
			continue;
		if (!r->mtu || r->mtu > fits)
			return false;
		any = true;
	}
	return any;
}

static const struct link *widest_below(const struct network *network)
{
	const struct link *widest = NULL;

	for (size_t i = 0; i < network->link_count; i++) {
		const struct link *link = &network->links[i];

		if (is_usable(link) && !is_tunnel(link) && (!widest || link->mtu > widest->mtu))
			widest = link;
	}
	return widest;
}

/* By which interface the outer packets leave, and how large they may be there. WireGuard's peers are not rtnetlink's: no interface can do more than the widest. */
static const struct link *below(const struct network *network, const struct link *tunnel, uint32_t *mtu)
{
	const struct net_route *route = NULL;
	const struct link *link = NULL;

	if (tunnel->parent)
		link = network_link(network, tunnel->parent);
	else if (tunnel->has_underlay && !network->disguised)
		route = network_route(network, &tunnel->underlay);
	else if (tunnel->kind == LINK_WIREGUARD)
		link = widest_below(network);
	if (route && route->type == NET_ROUTE_UNICAST)
		link = network_link(network, route->ifindex);
	if (!link || link->loopback || link == tunnel)
		return NULL;
	*mtu = least(link->mtu, route ? route->mtu : 0);
	return link;
}

/* Where the family of the outer packets is not told, the one with the smaller overhead. */
static uint32_t overhead_of(const struct link *tunnel)
{
	uint32_t v4 = mtu_overhead(tunnel->kind, ADDR_V4), v6 = mtu_overhead(tunnel->kind, ADDR_V6);

	return tunnel->options + (v4 && v6 ? (tunnel->underlay.family == ADDR_V6 ? v6 : v4) : v4 + v6);
}

static void find_tunnels(struct search *s)
{
	for (size_t i = 0; i < s->network->link_count; i++) {
		const struct link *tunnel = &s->network->links[i], *under;
		uint32_t overhead, mtu = 0;
		struct mtu_mismatch *m;

		if (!tunnel->up || !is_tunnel(tunnel))
			continue;
		under = tunnel->external || tunnel->parent_elsewhere ? NULL : below(s->network, tunnel, &mtu);
		overhead = overhead_of(tunnel);
		s->found.tunnels_unseen += !under;
		if (!under || tunnel->mtu + overhead <= mtu || (mtu > overhead && routes_hold_back(s->network, tunnel, mtu - overhead)))
			continue;
		m = add(s, MISMATCH_TUNNEL, tunnel, under);
		m->narrow_mtu = mtu;
		m->overhead = overhead;
		m->guessed = tunnel->kind == LINK_WIREGUARD;
	}
}

static void find_pairs(struct search *s)
{
	for (size_t i = 0; i < s->network->link_count; i++) {
		const struct link *a = &s->network->links[i], *b;

		if (a->kind != LINK_VETH || !is_usable(a))
			continue;
		s->found.ends_elsewhere += a->parent_elsewhere;
		b = network_link(s->network, a->parent);
		if (b && b->ifindex > a->ifindex && is_usable(b) && a->mtu != b->mtu)
			add(s, MISMATCH_VETH, a->mtu > b->mtu ? a : b, a->mtu > b->mtu ? b : a);
	}
}

/** struct ports - of one bridge: the narrowest and the widest that pass frames, and how many take less than the widest. */
struct ports {
	const struct link *narrow, *wide;
};

static struct ports ports_of(const struct network *network, const struct link *master)
{
	struct ports ports = { NULL, NULL };

	for (size_t i = 0; i < network->link_count; i++) {
		const struct link *port = &network->links[i];

		if (port->master != master->ifindex || !is_usable(port))
			continue;
		if (!ports.narrow || port->mtu < ports.narrow->mtu)
			ports.narrow = port;
		if (!ports.wide || port->mtu > ports.wide->mtu)
			ports.wide = port;
	}
	return ports;
}

static unsigned ports_below(const struct network *network, const struct link *master, uint32_t mtu)
{
	unsigned count = 0;

	for (size_t i = 0; i < network->link_count; i++) {
		const struct link *port = &network->links[i];

		count += port->master == master->ifindex && is_usable(port) && port->mtu < mtu;
	}
	return count;
}

/* The host's own packets come first: what it sends by the bridge is as large as the bridge says. */
static void find_bridges(struct search *s)
{
	for (size_t i = 0; i < s->network->link_count; i++) {
		const struct link *bridge = &s->network->links[i];
		struct ports ports = { NULL, NULL };
		struct mtu_mismatch *m;

		if (bridge->kind == LINK_BRIDGE && is_usable(bridge))
			ports = ports_of(s->network, bridge);
		if (!ports.narrow)
			continue;
		if (bridge->mtu > ports.narrow->mtu && (carries(s->network, bridge, ADDR_V4) || carries(s->network, bridge, ADDR_V6)))
			m = add(s, MISMATCH_BRIDGE, bridge, ports.narrow);
		else if (ports.wide->mtu > ports.narrow->mtu)
			m = add(s, MISMATCH_PORTS, ports.wide, ports.narrow);
		else
			continue;
		m->bridge = bridge;
		m->alike = ports_below(s->network, bridge, m->wide_mtu);
	}
}

static void find_children(struct search *s)
{
	for (size_t i = 0; i < s->network->link_count; i++) {
		const struct link *child = &s->network->links[i], *under = NULL;

		if (!child->up)
			continue;
		if (child->kind == LINK_VLAN || child->kind == LINK_MACVLAN)
			under = network_link(s->network, child->parent);
		else if (child->kind == LINK_BOND)
			under = ports_of(s->network, child).narrow;
		if (under && child->mtu > under->mtu)
			add(s, MISMATCH_CHILD, child, under);
	}
}

static struct mtu_mismatch *lock_of(struct search *s, const struct link *link)
{
	for (size_t i = 0; i < s->found.count; i++) {
		if (s->found.at[i].kind == MISMATCH_LOCK && s->found.at[i].narrow == link)
			return &s->found.at[i];
	}
	return NULL;
}

static void find_locks(struct search *s)
{
	for (size_t i = 0; i < s->network->route_count; i++) {
		const struct net_route *route = &s->network->routes[i];
		const struct link *link = route->mtu_locked && route->type == NET_ROUTE_UNICAST ? network_link(s->network, route->ifindex) : NULL;
		struct mtu_mismatch *known;

		if (!link || !link->up || link->loopback || route->mtu <= link->mtu)
			continue;
		known = lock_of(s, link);
		if (!known) {
			add(s, MISMATCH_LOCK, link, link)->wide_mtu = route->mtu;
			continue;
		}
		known->wide_mtu = MAX(known->wide_mtu, route->mtu);
		known->alike++;
	}
}

struct mtu_mismatches mtu_mismatch_find(const struct network *network, const struct mtu_uplink uplinks[ADDR_FAMILY_COUNT], struct arena *arena)
{
	struct search s = { .network = network, .arena = arena };

	find_uplinks(&s, uplinks);
	find_tunnels(&s);
	find_pairs(&s);
	find_bridges(&s);
	find_children(&s);
	find_locks(&s);
	return s.found;
}
