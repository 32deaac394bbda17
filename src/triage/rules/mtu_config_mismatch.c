/* SPDX-License-Identifier: MIT */
/* mtu-config-mismatch: interfaces of one host whose MTUs contradict each other. */
#include "../mismatch_report.h"
#include "../probes.h"

enum limit {
	EXCESS,
	EXCESS_FRAME,
	ETHERNET,
	TRAFFIC,
};

static const struct threshold thresholds[] = {
	[EXCESS] = { "excess", UNIT_BYTES, 1, "a packet that is one byte too large is lost like any other" },
	[EXCESS_FRAME] = { "excess_frame", UNIT_BYTES, 5, "bridges and pairs leave room for a VLAN tag of four bytes in every frame, used or not: what is within that passes" },
	[ETHERNET] = { "ethernet", UNIT_BYTES, 1500, "a way out that takes as much as plain Ethernet is what the Internet is made for: jumbo frames inside are cut to size by path-MTU discovery every day" },
	[TRAFFIC] = { "traffic", UNIT_COUNT, 100, "packets: neighbour discovery and multicast reports of an interface that nobody uses are fewer" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/* Where packets are not passed on, or nothing moves, or the way out is plain Ethernet, it is worth knowing and no more. */
static enum severity uplink_severity(const struct view *view, const struct mtu_mismatch *m, enum limit *limit)
{
	*limit = m->narrow_mtu >= view->values[ETHERNET] ? ETHERNET : TRAFFIC;
	if (*limit == ETHERNET || !m->forwards || (double)m->wide->packets < view->values[TRAFFIC])
		return SEVERITY_INFO;
	return SEVERITY_WARNING;
}

static uint32_t excess(const struct mtu_mismatch *m)
{
	return m->wide_mtu + m->overhead - m->narrow_mtu;
}

/* A port that leads out of the host may well take more than those of its guests: nobody there sends it before a guest has said what it takes. */
static bool is_guest(const struct link *port)
{
	return port->kind == LINK_VETH || port->kind == LINK_TUN;
}

static enum severity frame_severity(const struct view *view, const struct mtu_mismatch *m, enum limit *limit)
{
	*limit = EXCESS_FRAME;
	if (excess(m) < view->values[EXCESS_FRAME] || (m->kind == MISMATCH_PORTS && !is_guest(m->wide)))
		return SEVERITY_INFO;
	return SEVERITY_WARNING;
}

static enum severity severity_of(const struct view *view, const struct mtu_mismatch *m, enum limit *limit)
{
	*limit = EXCESS;
	switch (m->kind) {
	case MISMATCH_UPLINK:
		return uplink_severity(view, m, limit);
	case MISMATCH_PORTS:
	case MISMATCH_VETH:
	case MISMATCH_BRIDGE:
		return frame_severity(view, m, limit);
	case MISMATCH_TUNNEL:
		return SEVERITY_WARNING;
	default:
		return SEVERITY_INFO;
	}
}

/* The way out as the kernel has it, policy rules included; as the main table has it where nobody asked. A size that was learned of one path is nobody else's. */
static struct mtu_uplink uplink_of(const struct view *view, enum addr_family family)
{
	struct addr out_there = route_way_out(family);
	const struct route *route = view->route_of ? view->route_of(view, &out_there) : NULL;
	struct mtu_uplink uplink;

	if (!route)
		return mtu_uplink_of(view->network, family);
	if (route->error || route->is_local || !(route->has & ROUTE_HAS_LINK))
		return (struct mtu_uplink){ 0, 0 };
	uplink = (struct mtu_uplink){ route->ifindex, route->link_mtu };
	if (route->has & ROUTE_HAS_MTU && !(route->has & ROUTE_HAS_EXPIRES))
		uplink.mtu = MIN(uplink.mtu, route->mtu);
	return uplink;
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct mtu_uplink uplinks[ADDR_FAMILY_COUNT] = { uplink_of(view, ADDR_V4), uplink_of(view, ADDR_V6) };
	struct mtu_mismatches found = mtu_mismatch_find(view->network, uplinks, view->arena);

	for (size_t i = 0; i < found.count; i++) {
		const struct mtu_mismatch *m = &found.at[i];
		enum limit limit;
		enum severity severity = severity_of(view, m, &limit);

		if (RULE_MAIN(MTU_CONFIG_MISMATCH, excess(m) >= view->values[EXCESS]))
			finding_threshold(mismatch_report(view, sink, m, severity), sink, limit);
	}
	mismatch_report_unseen(view, sink, &found);
}

const struct rule rule_mtu_config_mismatch = {
	.id = "mtu-config-mismatch",
	.title = "MTUs of this host contradict each other",
	.needs = RULE_NEEDS_NETWORK,
	.eval = eval,
	.probes = &probes_mtu_config_mismatch,
	.thresholds = thresholds,
	.explain =
		"Every interface says how large a packet it takes, and what stands on one side of this host has to fit on the other. When a container's bridge takes 1500 bytes and the packets leave by a VPN that takes 1420, large "
		"packets depend on ICMP messages that firewalls like to drop: connections open, small requests work, and large answers never come. The rule reads interfaces, addresses and routes and compares them; it needs no traffic, so it "
		"speaks before anything breaks.\n\n"
		"Compared are: bridges and pairs that lead into containers with the interface of the default route; a tunnel's MTU and the headers around its packets with the interface below; the two ends of a veth pair; a bridge with its ports and "
		"the ports among each other; VLANs, macvlans and bonds with the devices below; routes whose MTU is locked with their interface. Inside one Ethernet nobody sends \"packet too big\": a frame that is too large for a port, or for the "
		"other end of a pair, is dropped without a word.\n\n"
		"The usual 1500 inside and 1500 outside is never reported, and jumbo frames inside with 1500 outside, as clouds have them, are worth knowing and no more. When connections through the interface are seen to lose their large "
		"packets, both findings become one, and it is critical.",
	.look_alikes = (const char *const[]){
		"jumbo frames inside a cloud network (9001) with 1500 outside, where path-MTU discovery works: info",
		"an inner network that is not in use, or whose packets are not passed on: info",
		"a bridge whose port towards the network takes more than its guests do: info",
		"tunnels that carry their remote end with each packet (Cilium, Open vSwitch): not judged",
		"routes into a tunnel that all have an MTU that fits: silent",
		NULL },
	.causes = (const char *const[]){
		"Docker and most bridges keep 1500 whatever the interface carries by which packets leave",
		"a tunnel's MTU was set by hand or by a daemon that took 1500 for granted",
		"the MTU of one interface was changed and that of its partner was not",
		NULL },
	.next = (const char *const[]){
		"ip -d link show",
		"ip route show table all",
		NULL },
	.fixes = (const char *const[]){
		"give the inner network the size of the way out: \"mtu\" of Docker's daemon or network, the CNI plugin's mtu",
		"set a tunnel's MTU to that of the interface below less the headers around each packet",
		"give all interfaces of one Ethernet the same MTU",
		"or clamp the MSS where packets leave, and let ICMP about packet size pass",
		NULL },
	.refs = (const char *const[]){ "RFC 8900 §3.8", "RFC 8900 §6.5", "RFC 4459 §3.1", "RFC 2923 §2.1", "net/core/dev.c (is_skb_forwardable)",
				       "net/bridge/br_forward.c (br_dev_queue_push_xmit)", "drivers/net/vxlan/vxlan_core.c (vxlan_xmit_one)", NULL },
	.repro = "a bridge with MTU 1500 whose packets leave by a veth with 1400; a vxlan device with MTU 1500 over an interface with 1500",
};
