/* SPDX-License-Identifier: MIT */
/* icmp-unreachable from probes: a router or a filter says that it goes no further, or this host has no way to begin with. */
#include "../dead_end.h"
#include "../probes.h"

enum limit {
	WORDS,
};

static const struct threshold thresholds[] = {
	[WORDS] = { "probe_errors", UNIT_COUNT, 1, "an error that quotes our own probe, or that our own connect() brings, is the fact itself" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_WORD 0.97
#define CONFIDENCE_OWN 0.98
#define CONFIDENCE_UNSAID 0.8
#define V4_HOST_UNREACHABLE 1
#define V6_ADDRESS_UNREACHABLE 3

/** struct story - what is said of one kind of end. @causes, @fixes: NULL the rule's. */
struct story {
	const char *title, *detail;
	const char *const *causes, *const *next, *const *fixes;
};

static const char *const route_next[] = { "ip route get {peer_addr}", "ip route show table all", "ip rule", NULL };
static const char *const away_next[] = { "tcptriage trace {service}", "ip route get {peer_addr}", NULL };

static const struct story stories[DEAD_END_KIND_COUNT] = {
	[DEAD_END_NO_WAY] = { "{reporter} has no way to {peer}: {reason}", "{route} · a route is missing there, or a link behind it is down",
			      (const char *const[]){ "a route is missing at {reporter}, or a link behind it is down", "traffic for a private network leaves by the default route instead of a tunnel",
						     "a route of type unreachable stands for a tunnel that is down", NULL },
			      route_next, (const char *const[]){ "mend the route at {reporter}, or bring the link behind it up", "route private networks into their tunnel", NULL } },
	[DEAD_END_PROHIBITED] = { "{reporter} does not let packets to {peer} pass: {reason}", "{route} · a filter rejects them and says so",
				  (const char *const[]){ "a firewall rule at {reporter} that rejects this port, protocol or source", "a route of type prohibit there", NULL }, route_next,
				  (const char *const[]){ "allow this source, destination and port in the firewall at {reporter}", "or ask who runs it: it is a decision, not a fault of the network", NULL } },
	[DEAD_END_UNSAID] = { "Connections to {peer} fail: '{error}'", "{route} · a router on the way says so, or this host's next hop does not answer: connect() does not tell which",
			      (const char *const[]){ "a route is missing on the way, or a filter rejects and says so", "the host, or this host's gateway, does not answer ARP or neighbour discovery", NULL },
			      (const char *const[]){ "tcptriage trace {service}", "ip neigh show", "ip route get {peer_addr}", NULL },
			      (const char *const[]){ "find out who says so (tcptriage trace), and mend the route or the filter there", NULL } },
	[DEAD_END_NO_ROUTE] = { "This host has no route to {peer_addr}", "connect() ends with '{error}' before a packet is sent",
				(const char *const[]){ "no default route, or none of this address family", "the interface with the route is down", "policy rules (ip rule) lead to a table without it", NULL }, route_next,
				(const char *const[]){ "add the route, or bring up the interface that brings it (DHCP, router advertisements)", NULL } },
	[DEAD_END_REFUSED_HERE] = { "An unreachable route of this host refuses packets to {peer_addr}", "connect() ends with '{error}' before a packet is sent",
				    (const char *const[]){ "a route or rule of type unreachable: a blocked network, or one that stands for a tunnel that is down", NULL }, route_next,
				    (const char *const[]){ "remove the unreachable route or rule, or add a more specific route", "bring up the tunnel in whose place it stands", NULL } },
	[DEAD_END_NO_SOURCE] = { "This host has no address to reach {peer_addr} from", "connect() ends with '{error}' before a packet is sent",
				 (const char *const[]){ "no address of this family on the interface, or one that is not usable (tentative, deprecated, of a smaller scope)", NULL },
				 (const char *const[]){ "ip addr", "ip route get {peer_addr}", NULL }, (const char *const[]){ "give the interface an address of this family, or take the family out of the name", NULL } },
	[DEAD_END_POLICY] = { "This host does not allow packets to {peer_addr}", "connect() ends with '{error}' before a packet is sent",
			      (const char *const[]){ "a route of type prohibit (ip route, ip rule)", "the address is one that every host of the network listens to (broadcast)", NULL }, route_next,
			      (const char *const[]){ "remove the prohibit route or rule, if it is not meant", NULL } },
	[DEAD_END_BLACKHOLE] = { "A blackhole route of this host takes packets to {peer_addr}", "connect() ends with '{error}' before a packet is sent",
				 (const char *const[]){ "a route of type blackhole: a blocked network, or the rest of a summary", NULL }, route_next,
				 (const char *const[]){ "remove the blackhole route, or add a more specific one", NULL } },
};

/* The router of the host's own network: it asked for the link address and nobody answered. */
static bool is_host_gone(const struct dead_end *end)
{
	if (end->kind != DEAD_END_NO_WAY || !end->is_icmp)
		return false;
	return end->probed.address->family == ADDR_V4 ? end->icmp_code == V4_HOST_UNREACHABLE : end->icmp_code == V6_ADDRESS_UNREACHABLE;
}

static const char *const host_causes[] = {
	"the host is off, or has another address: it does not answer ARP or neighbour discovery",
	"{reporter} has the wrong netmask or VLAN: the host is not on the link where it is looked for",
	"a route is missing at {reporter} (some routers answer with the code for a host)",
	NULL,
};

static const char *const host_fixes[] = {
	"bring the host up, or correct the address that is used for it",
	"correct the netmask, VLAN or route at {reporter}",
	NULL,
};

static void describe(struct finding *f, const struct view *view, const struct dead_end *end)
{
	const struct story *story = &stories[end->kind];

	f->title = story->title;
	f->detail = is_host_gone(end) ? "{route} · the host does not answer on its own link, or a route is missing there" : story->detail;
	f->causes = is_host_gone(end) ? host_causes : story->causes;
	f->fixes = is_host_gone(end) ? host_fixes : story->fixes;
	/* a trace has said it already */
	f->next = story->next;
	if ((end->kind == DEAD_END_NO_WAY || end->kind == DEAD_END_PROHIBITED) && !view->probes->trace)
		f->next = away_next;
}

static void eval(const struct view *view, struct sink *sink)
{
	struct dead_end end = dead_end_of(view);
	double confidence = dead_end_is_local(&end) ? CONFIDENCE_OWN : end.kind == DEAD_END_UNSAID ? CONFIDENCE_UNSAID : CONFIDENCE_WORD;
	struct finding *f;

	if (!RULE_MAIN(PROBES_ICMP_UNREACHABLE, stories[end.kind].title))
		return;
	f = sink_finding(sink, SEVERITY_WARNING, probe_confidence(confidence, NULL, 0));
	finding_dead_end(f, view, &end);
	describe(f, view, &end);
	if (!dead_end_is_local(&end))
		finding_against(f, "routers answer in the name of a path that may change: while routing converges such errors pass");
	finding_threshold(f, sink, WORDS);
}

const struct rule_signal probes_icmp_unreachable = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"A probe that draws destination unreachable is the proof for its own packet: who says so, and which type and code. trace knows how far the SYN came before; mtu-probe says it of its packets. What this host's own routing refuses "
		"(no route, no source address, a route of type unreachable, prohibit or blackhole) fails before a packet is sent and belongs here as well.",
	.repro = "tcptriage trace through a router with an unreachable or prohibit route; tcptriage trace without a default route",
};
