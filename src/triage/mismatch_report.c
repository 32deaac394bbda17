/* SPDX-License-Identifier: MIT */
/* Words and numbers for each kind of contradiction, as a table. */
#include "mismatch_report.h"

#include <assert.h>

#define DOUBT_POLICY 0.85
#define DOUBT_CUT 0.9

/** struct words - of one kind. @confidence: that packets which use the size are in trouble. */
struct words {
	double confidence;
	const char *title, *detail;
	const char *const *causes, *const *next, *const *fixes;
};

static const char *const uplink_causes[] = {
	"Docker and most bridges keep 1500 whatever the interface carries by which packets leave (a VPN, a cloud network of 1460, PPPoE)",
	"the MTU of the way out was lowered after the inner network was made",
	NULL,
};
static const char *const uplink_fixes[] = {
	"give the inner network the smaller size: \"mtu\" in Docker's daemon.json or of the network, the CNI plugin's mtu, `ip link set {interface} mtu {fits}`; containers take it when they are made anew",
	"or clamp the MSS where packets leave, in a forward chain of nftables: oifname {narrow} tcp flags syn tcp option maxseg size set rt mtu",
	"let ICMP \"fragmentation needed\" and ICMPv6 \"packet too big\" pass in both directions",
	NULL,
};
static const char *const tunnel_causes[] = {
	"the tunnel's MTU was set by hand or by a daemon that took 1500 for granted",
	"the MTU of {narrow} was lowered after the tunnel was made: tunnels do not follow",
	NULL,
};
static const char *const tunnel_fixes[] = {
	"set the tunnel's MTU to what fits: `ip link set {interface} mtu {fits}`, on both ends and in the daemon that makes it",
	"or raise the MTU of everything below the tunnel to {needed}",
	NULL,
};
static const char *const layer2_causes[] = {
	"the MTU of one interface was changed and that of the other was not",
	"jumbo frames were switched on for a part of one Ethernet",
	NULL,
};
static const char *const layer2_fixes[] = {
	"give all interfaces of one Ethernet the same MTU: nobody sends \"packet too big\" inside it, larger frames vanish",
	NULL,
};
static const char *const route_causes[] = {
	"the route was written for an interface with jumbo frames that has been replaced or set back",
	NULL,
};
static const char *const route_fixes[] = {
	"take the lock off the route, or set an MTU of at most {fits}: `ip route change … mtu {fits}`",
	NULL,
};
static const char *const pair_next[] = { "ip -d link show dev {interface}", "ip -d link show dev {narrow}", "ip -s link show dev {narrow}", NULL };
static const char *const route_next[] = { "ip route show table all dev {interface}", "ip -d link show dev {interface}", NULL };

static const struct words words[MISMATCH_KIND_COUNT] = {
	[MISMATCH_UPLINK] = { 0.7, "{interface} takes packets of {mtu}, {narrow} by which they leave only {narrow_mtu}",
			      "{alike|such interface} · {kind}, {packets|packet} so far, {passed_on}", uplink_causes, pair_next, uplink_fixes },
	[MISMATCH_TUNNEL] = { 0.85, "{interface} takes packets of {mtu}, which in the tunnel grow to {needed}; {narrow} below takes {narrow_mtu}",
			      "{kind} with {overhead} of headers around each packet · {fits} would fit", tunnel_causes, pair_next, tunnel_fixes },
	[MISMATCH_VETH] = { 0.85, "The two ends of a pair differ: {interface} takes packets of {mtu}, {narrow} only {narrow_mtu}",
			    "{narrow} drops what is larger without a word", layer2_causes, pair_next, layer2_fixes },
	[MISMATCH_BRIDGE] = { 0.85, "This host sends packets of {mtu} by {interface}, and its port {narrow} takes only {narrow_mtu}",
			      "{alike|port} of the bridge with less than its own MTU · what is larger is dropped without a word", layer2_causes, pair_next, layer2_fixes },
	[MISMATCH_PORTS] = { 0.8, "Ports of the bridge {bridge} differ: {interface} takes packets of {mtu}, {narrow} only {narrow_mtu}",
			     "{alike|port} with less than {mtu} · what is larger is dropped without a word", layer2_causes, pair_next, layer2_fixes },
	[MISMATCH_CHILD] = { 0.8, "{interface} takes packets of {mtu}, {narrow} below it only {narrow_mtu}", "{kind}", layer2_causes, pair_next, layer2_fixes },
	[MISMATCH_LOCK] = { 0.8, "A route by {interface} has its MTU locked at {mtu}, the interface takes {narrow_mtu}",
			    "{alike|route} · a locked MTU is not lowered by what routers tell", route_causes, route_next, route_fixes },
};

/* The largest MTU of @wide that contradicts nothing. */
static uint32_t fits(const struct mtu_mismatch *m)
{
	return m->narrow_mtu > m->overhead ? m->narrow_mtu - m->overhead : 0;
}

static const char *kind_text(const struct link *link)
{
	return link->kind == LINK_PLAIN ? "device" : link->kind == LINK_OTHER ? "virtual device" : link_kind_name(link->kind);
}

static void add_evidence(struct finding *f, const struct mtu_mismatch *m)
{
	finding_add(f, "mtu", m->wide_mtu, UNIT_BYTES, "rtnetlink");
	finding_add_text(f, "narrow", m->narrow->name, "rtnetlink");
	finding_add(f, "narrow_mtu", m->narrow_mtu, UNIT_BYTES, "rtnetlink");
	finding_add(f, "fits", fits(m), UNIT_COUNT, "rule");
	finding_add_text(f, "kind", kind_text(m->wide), "IFLA_INFO_KIND");
	finding_add(f, "alike", m->alike, UNIT_COUNT, "rtnetlink");
	finding_add(f, "packets", (double)m->wide->packets, UNIT_COUNT, "IFLA_STATS64");
	finding_add(f, "own_packets", m->kind != MISMATCH_UPLINK && m->kind != MISMATCH_PORTS && m->kind != MISMATCH_LOCK, UNIT_FLAG, "rule");
	if (m->kind == MISMATCH_UPLINK) {
		finding_add(f, "forwarding", m->forwards, UNIT_FLAG, "forwarding");
		finding_add_text(f, "passed_on", m->forwards ? "packets from there are passed on" : "packets from there are not passed on (forwarding is off)", "forwarding");
	}
	if (m->kind == MISMATCH_TUNNEL) {
		finding_add(f, "overhead", m->overhead, UNIT_BYTES, "rule");
		finding_add(f, "needed", m->wide_mtu + m->overhead, UNIT_BYTES, "rule");
	}
	if (m->bridge)
		finding_add_text(f, "bridge", m->bridge->name, "rtnetlink");
}

static void add_doubts(struct finding *f, const struct network *network, const struct mtu_mismatch *m)
{
	if (m->kind == MISMATCH_UPLINK)
		finding_against(f, "an MSS clamp in the firewall, which is not read, would keep TCP out of trouble");
	if (m->guessed)
		finding_against(f, "where the peers of {interface} are is not known: {narrow} is the widest interface that there is");
	if (m->kind == MISMATCH_UPLINK && network->policy_rules) {
		f->confidence *= DOUBT_POLICY;
		finding_against(f, "policy rules stand (ip rule): packets from there may leave by another interface");
	}
	if (network->cut) {
		f->confidence *= DOUBT_CUT;
		finding_against(f, "interfaces and routes were not read as a whole");
	}
}

struct finding *mismatch_report(const struct view *view, struct sink *sink, const struct mtu_mismatch *m, enum severity severity)
{
	const struct words *w = &words[m->kind];
	struct finding *f = sink_finding(sink, severity, w->confidence);

	f->count = m->alike;
	f->title = w->title;
	f->detail = w->detail;
	f->causes = w->causes;
	f->next = w->next;
	f->fixes = w->fixes;
	f->scope.interface = m->wide->name;
	add_evidence(f, m);
	add_doubts(f, view->network, m);
	return f;
}

void mismatch_report_unseen(const struct view *view, struct sink *sink, const struct mtu_mismatches *found)
{
	if (found->ends_elsewhere)
		sink_skip_part(sink, arena_printf(view->arena, "the other end of %u veth pair%s is in another namespace: its MTU is not seen from here",
						  found->ends_elsewhere, found->ends_elsewhere == 1 ? "" : "s"));
	if (found->tunnels_unseen)
		sink_skip_part(sink, arena_printf(view->arena, "by which interface the packets of %u tunnel%s leave is not known",
						  found->tunnels_unseen, found->tunnels_unseen == 1 ? "" : "s"));
}
