/* SPDX-License-Identifier: MIT */
/* Words and numbers of each fault in the address plan, as a table. */
#include "overlap_report.h"

#define CONFIDENCE_PLAIN 0.9
#define CONFIDENCE_POLICY 0.4
#define CONFIDENCE_CUT 0.6

static const char *const shadow_causes[] = {
	"a network of containers or virtual machines was given a range that is in use elsewhere (Docker's 172.17.0.0/16 and those that follow it)",
	"a VPN brings a range that overlaps with the local network",
	"a netmask that is too wide",
	NULL,
};
static const char *const shadow_next[] = { "ip route get {example}", "ip route show match {example}", "ip neigh show dev {interface}", NULL };
static const char *const shadow_fixes[] = {
	"give one of the two another range: \"bip\" and \"default-address-pools\" of Docker's daemon.json, the pod range of the cluster, the pool of the VPN",
	"until then, a more specific route for what has to be reached: `ip route add {example} via …`",
	NULL,
};
static const char *const unrouted_causes[] = {
	"the route to that network is missing: the VPN, the peering or the private interface is down or was never set up",
	"a name resolves to an address that is valid inside another network only",
	NULL,
};
static const char *const unrouted_next[] = { "ip route get {example}", "ip addr show dev {interface}", NULL };
static const char *const unrouted_fixes[] = {
	"bring up the VPN or the private interface that leads there, or add its route",
	"use the public address or name of the service",
	NULL,
};
static const char *const edge_causes[] = { "a netmask that differs from that of the other hosts", "a typing error in an address", NULL };
static const char *const edge_fixes[] = { "correct the address, or the netmask of {interface}", NULL };
static const char *const source_causes[] = {
	"the program binds to an address of an inner network, or the route names one (src)",
	"the rule that translates addresses of the inner network (masquerade) is missing",
	NULL,
};
static const char *const source_fixes[] = {
	"let the program bind to no address, or to that of {interface}; correct `src` of the route",
	"translate the inner network where it leaves, in a nat postrouting chain of nftables: oifname {interface} masquerade",
	NULL,
};

static const struct words {
	const char *title, *detail;
	const char *const *causes, *const *next, *const *fixes;
} words[PLAN_FAULT_COUNT] = {
	[PLAN_SHADOWED] = { "{example} does not answer: {network} on {interface} hides {other_network} by {other}",
			    "{destinations|destination} in {network} ({size}) · {winning}, and not {losing}", shadow_causes, shadow_next, shadow_fixes },
	[PLAN_ELSEWHERE] = { "{example} does not answer: {network} on {interface} takes it from {other}, where connections there still come from",
			     "{destinations|destination} in {network} ({size}) · {winning}, and not {losing}", shadow_causes, shadow_next, shadow_fixes },
	[PLAN_NOBODY] = { "If {example} is not on {interface}, {network} there hides it from {other}",
			  "{destinations|destination} in {network} ({size}), where nobody has answered yet · {winning}, and not {losing}",
			  shadow_causes, shadow_next, shadow_fixes },
	[PLAN_UNROUTED] = { "{example} ({address_class}) lives in a private network, and this host sends it to the Internet by {interface}",
			    "{destinations|destination} · {winning} · {interface} has global addresses only", unrouted_causes, unrouted_next, unrouted_fixes },
	[PLAN_EDGE] = { "{example} is no host: it is the {edge} address of {network} on {interface}", "{winning}", edge_causes, unrouted_next, edge_fixes },
	[PLAN_SOURCE] = { "Packets to {example} leave by {interface} with a private source address of {other}",
			  "{destinations|destination} from {source} ({source_class})", source_causes, unrouted_next, source_fixes },
};

double overlap_report_confidence(const struct network *network, double confidence)
{
	if (network->policy_rules)
		return MIN(confidence, CONFIDENCE_POLICY);
	return network->cut ? MIN(confidence, CONFIDENCE_CUT) : confidence;
}

static void add_doubts(struct finding *f, const struct network *network)
{
	if (network->policy_rules > 0)
		finding_against(f, "policy rules stand (ip rule): other tables than the main one may decide");
	if (network->policy_rules < 0)
		finding_against(f, "whether policy rules stand could not be read");
	if (network->cut)
		finding_against(f, "interfaces and routes were not read as a whole");
}

static const char *prefix_text(const struct view *view, const struct addr *prefix, unsigned bits)
{
	struct addr masked = addr_mask(prefix, bits);

	return bits ? arena_printf(view->arena, "%s/%u", view_addr_text(view, &masked), bits) : "the default route";
}

static const char *interface_text(const struct view *view, uint32_t ifindex)
{
	const struct link *link = network_link(view->network, ifindex);

	return link ? link->name : "an unknown interface";
}

static const char *route_text(const struct view *view, const struct net_route *route)
{
	const char *prefix = prefix_text(view, &route->prefix, route->bits), *by = interface_text(view, route->ifindex);

	if (route->has_gateway)
		return arena_printf(view->arena, "%s via %s by %s", prefix, view_addr_text(view, &route->gateway), by);
	return arena_printf(view->arena, "%s on the link of %s", prefix, by);
}

static const char *class_text(const struct addr *addr)
{
	const char *name = addr_class_name(addr_class(addr));

	return *name ? name : "global";
}

static const char *size_text(const struct view *view, const struct addr *prefix, unsigned bits)
{
	if (prefix->family == ADDR_V6)
		return arena_printf(view->arena, "2^%u addresses", 128 - bits);
	return arena_printf(view->arena, "%.0f addresses", address_plan_size(ADDR_V4, bits));
}

static void add_network(struct finding *f, const struct view *view, const struct addr *prefix, unsigned bits)
{
	finding_add_text(f, "network", prefix_text(view, prefix, bits), "rtnetlink");
	finding_add(f, "addresses", address_plan_size((enum addr_family)prefix->family, bits), UNIT_COUNT, "rule");
	finding_add_text(f, "size", size_text(view, prefix, bits), "rule");
	finding_add_text(f, "network_class", class_text(prefix), "rule");
}

static void add_routes(struct finding *f, const struct view *view, const struct net_route *winner, const struct net_route *loser)
{
	finding_add_text(f, "winning", route_text(view, winner), "rtnetlink");
	if (!loser)
		return;
	finding_add_text(f, "losing", route_text(view, loser), "rtnetlink");
	finding_add_text(f, "other_network", prefix_text(view, &loser->prefix, loser->bits), "rtnetlink");
	finding_add_text(f, "other", interface_text(view, loser->ifindex), "rtnetlink");
}

static void add_source(struct finding *f, const struct view *view, const struct overlap_case *c)
{
	const struct link *holder = address_plan_holder(view->network, &c->source);

	if (addr_is_any(&c->source))
		return;
	finding_add_text(f, "source", view_addr_text(view, &c->source), c->told_by);
	finding_add_text(f, "source_class", class_text(&c->source), "rule");
	if (c->verdict.fault == PLAN_SOURCE)
		finding_add_text(f, "other", holder ? holder->name : "another interface", "rtnetlink");
}

static void add_evidence(struct finding *f, const struct view *view, const struct overlap_case *c)
{
	const struct plan_verdict *v = &c->verdict;
	const struct link_prefix *edge = v->fault == PLAN_EDGE ? v->edge_of : NULL;

	finding_add_text(f, "example", view_addr_text(view, &c->example), c->told_by);
	finding_address_class(f, &c->example);
	finding_add(f, "destinations", (double)c->destinations, UNIT_COUNT, c->told_by);
	if (c->sockets)
		finding_add(f, "sockets", (double)c->sockets, UNIT_SOCKETS, c->told_by);
	if (edge) {
		add_network(f, view, edge->has_peer ? &edge->peer : &edge->addr, edge->bits);
		finding_add_text(f, "edge", address_plan_edge(view->network, &c->example, &edge) ? "broadcast" : "network", "rule");
	} else {
		add_network(f, view, &v->winner->prefix, v->winner->bits);
	}
	add_routes(f, view, v->winner, v->fault == PLAN_SOURCE ? NULL : v->loser);
	add_source(f, view, c);
}

struct finding *overlap_report(const struct view *view, struct sink *sink, const struct overlap_case *c, enum severity severity, double confidence)
{
	const struct words *w = &words[c->verdict.fault];
	struct finding *f = sink_finding(sink, severity, overlap_report_confidence(view->network, confidence));

	f->count = MAX(c->sockets, 1);
	f->title = w->title;
	f->detail = w->detail;
	f->causes = w->causes;
	f->next = w->next;
	f->fixes = w->fixes;
	f->scope.interface = interface_text(view, c->verdict.winner->ifindex);
	add_evidence(f, view, c);
	if (c->verdict.fault == PLAN_NOBODY || (c->verdict.fault == PLAN_SHADOWED && c->verdict.loser->has_gateway))
		finding_against(f, "a host of {network} on {interface} that is down looks the same");
	if (c->verdict.fault == PLAN_SOURCE)
		finding_against(f, "a masquerade rule of the firewall, which is not read, would translate it");
	if (c->verdict.fault == PLAN_UNROUTED)
		finding_against(f, "a provider may carry private networks by the same gateway");
	add_doubts(f, view->network);
	return f;
}

static const char *const plain_fixes[] = {
	"give one of the two another range: \"bip\" and \"default-address-pools\" of Docker's daemon.json, the pod range of the cluster, the pool of the VPN",
	"two interfaces in one network: join them (bond), or give each a table of its own",
	NULL,
};
static const char *const plain_next[] = { "ip route show", "ip addr show dev {interface}", "ip addr show dev {other}", NULL };

struct finding *overlap_report_plain(const struct view *view, struct sink *sink, const struct overlap *overlap)
{
	const struct net_route *inner = overlap->inner, *outer = overlap->outer;
	struct finding *f = sink_finding(sink, SEVERITY_INFO, overlap_report_confidence(view->network, CONFIDENCE_PLAIN));

	f->count = 1;
	f->scope.interface = interface_text(view, inner->ifindex);
	add_network(f, view, &inner->prefix, inner->bits);
	add_routes(f, view, inner, outer);
	f->title = inner->bits == outer->bits ? "{interface} and {other} are on the same network {network}" :
						"{network} on {interface} lies in {other_network} on {other}";
	f->detail = inner->bits == outer->bits ? "what is sent there leaves by one of the two: {winning}" :
						 "{size} ({network_class}) are looked for on {interface} and never on {other}";
	f->causes = shadow_causes;
	f->next = plain_next;
	f->fixes = plain_fixes;
	add_doubts(f, view->network);
	return f;
}
