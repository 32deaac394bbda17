/* SPDX-License-Identifier: MIT */
/* cidr-overlap, as probes tell of it: the address that was probed, in the plan of this host. */
#include "../overlap_report.h"
#include "../probes.h"

#include <errno.h>

enum limit {
	SILENT,
};

static const struct threshold thresholds[] = {
	[SILENT] = { "probes_died", UNIT_FLAG, 1, "an address that answers is where its packets go, whatever else contains it" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/* As sure as in sockets, but for the network where nobody answers: here somebody asks for that very address. */
static const double confidences[PLAN_FAULT_COUNT] = {
	[PLAN_SHADOWED] = 0.9, [PLAN_NOBODY] = 0.45, [PLAN_UNROUTED] = 0.7, [PLAN_EDGE] = 0.95, [PLAN_SOURCE] = 0.45,
};
#define CONFIDENCE_DISTANT 0.75

/** struct probed_way - what was probed, and how it ended. @unresolved: this machine says that the next hop has no link address. */
struct probed_way {
	const struct addr *address;
	const struct route *route;
	uint16_t port;
	bool died, unresolved;
};

/* A host unreachable of this machine's own: nobody answered for the next hop's link address. */
static bool is_own(const struct route *route, const struct addr *by)
{
	return addr_is_any(by) || (route->has & ROUTE_HAS_SOURCE && addr_equal(by, &route->source));
}

static struct probed_way of_trace(const struct trace_result *result)
{
	const struct trace_path *path = &result->path;
	struct probed_way way = { .address = &result->address, .route = &result->route, .port = result->port };

	way.unresolved = (path->finding == TRACE_LOCAL_ERROR && path->error == EHOSTUNREACH) ||
			 (path->finding == TRACE_NO_ROUTE && is_own(&result->route, &path->by));
	way.died = !path->partial && (way.unresolved || path->finding == TRACE_NO_ROUTE || path->finding == TRACE_SILENT);
	return way;
}

static struct probed_way of_mtu(const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;
	struct probed_way way = { .address = &result->address, .route = &result->route, .port = result->port };

	/* another error of this machine's own is about the probe, not about the address */
	if (path->finding != MTU_UNREACHABLE || path->partial || (path->says_error && path->says_error != EHOSTUNREACH))
		return way;
	way.unresolved = is_own(&result->route, &path->says_by);
	way.died = true;
	return way;
}

/* The route is that of before the first probe; what came of the probe is newer. */
static uint8_t hop_of(const struct probed_way *way)
{
	const uint16_t address = 0x02 | 0x08 | 0x10 | 0x80; /* NUD_REACHABLE, DELAY, PROBE, PERMANENT; STALE may have been dead for hours */

	if (way->unresolved || route_next_hop_fails(way->route))
		return PLAN_HOP_FAILS;
	return way->route->has & ROUTE_HAS_NEIGHBOUR && way->route->neighbour_state & address ? PLAN_HOP_RESOLVES : PLAN_HOP_UNKNOWN;
}

static double confidence_of(const struct plan_verdict *v)
{
	return v->fault == PLAN_SHADOWED && v->loser->has_gateway ? CONFIDENCE_DISTANT : confidences[v->fault];
}

static void file(const struct view *view, struct sink *sink, const struct probed_way *probed, const struct plan_verdict *v)
{
	struct overlap_case c = { .verdict = *v, .example = *probed->address, .destinations = 1, .told_by = "probe" };
	struct finding *f;

	c.source.family = probed->address->family;
	if (probed->route->has & ROUTE_HAS_SOURCE)
		c.source = probed->route->source;
	f = overlap_report(view, sink, &c, v->fault == PLAN_SOURCE ? SEVERITY_INFO : SEVERITY_WARNING, confidence_of(v));
	finding_peer(f, &(struct endpoint){ .addr = *probed->address, .port = probed->port });
	finding_threshold(f, sink, SILENT);
}

static void judge(const struct view *view, struct sink *sink, const struct probed_way *probed)
{
	const struct route *route = probed->route;
	struct plan_way way = { .destination = *probed->address, .source = route->source, .ifindex = route->ifindex,
				.has_source = route->has & ROUTE_HAS_SOURCE, .hop = hop_of(probed) };
	struct plan_verdict v;

	if (route->error || route->is_local || !(route->has & ROUTE_HAS_DEVICE))
		return;
	v = address_plan_judge(view->network, &way);
	if (RULE_MAIN(PROBES_CIDR_OVERLAP, v.fault != PLAN_FINE))
		file(view, sink, probed, &v);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct probed_way way = view->probes->trace ? of_trace(view->probes->trace) : of_mtu(view->probes->mtu);

	if (!view->network || view->network->disguised)
		sink_skip(sink, view->network ? "needs the true addresses: stand-ins (--redact) do not tell which network lies in which" :
						"interfaces and routes could not be read");
	else if ((double)way.died >= view->values[SILENT])
		judge(view, sink, &way);
}

const struct rule_signal probes_cidr_overlap = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"When the address that was probed does not answer, its place in the plan is looked up: a network on a link of this host that hides another one with the same address, a network made here where nobody has answered yet, a "
		"private address that leaves for the Internet, the network or broadcast address of a connected network, a private source address of another interface. An address that answers, or whose next hop has a link address, is not judged.",
	.repro = "a veth with 10.71.2.1/25 on a host that has a route to 10.71.2.0/24; `tcptriage trace 10.71.2.2:80`",
};
