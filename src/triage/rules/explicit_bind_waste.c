/* SPDX-License-Identifier: MIT */
/* explicit-bind-waste: bind() before connect() takes a source port away from every destination. */
#include "../kit.h"

enum limit {
	BOUND,
	WARN_BOUND,
	CRIT_BOUND,
	GROUP_PORTS,
	EXPECTED,
	SHARED,
	ODD,
	NO_PORT,
};

static const struct threshold thresholds[] = {
	[BOUND] = { "bound", UNIT_RATIO, 0.3, "of the range; plain connect() shares ports between destinations long before it has used so many" },
	[WARN_BOUND] = { "warning_bound", UNIT_RATIO, 0.5, "of the range: half of what all destinations together may use is gone" },
	[CRIT_BOUND] = { "critical_bound", UNIT_RATIO, 0.8, "of the range: a burst towards any destination takes the rest, and bind() fails for all of them" },
	[GROUP_PORTS] = { "destination_ports", UNIT_PORTS, 20, "fewer ports towards one destination say nothing about how they were chosen" },
	[EXPECTED] = { "expected_shared", UNIT_PORTS, 10, "that two or more destinations would share by chance; with fewer, none at all may be luck (e^-10 from here on)" },
	[SHARED] = { "shared", UNIT_RATIO, 0.05, "of what was expected; 840 layouts of ports that the kernel chose in connect(), on Linux 6.18, shared 0.34 and more of it, 1.4 and more below half of the range" },
	[ODD] = { "odd", UNIT_RATIO, 0.9, "of the ports at an odd distance from the range's lower end: bind() fills these first, connect() only when the even ones are used up (measured: 1.0 against 0.0)" },
	[NO_PORT] = { "no_port", UNIT_RATIO, 0.1, "of the connections with IP_BIND_ADDRESS_NO_PORT set: the programs here know how it is done" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_INFERRED 0.85
#define LOOPBACK 0.8

/** struct wasted - what looks bound of one source address. @odd: ports at an odd distance; @crowded: they are used up, so that bind() takes even ones too. */
struct wasted {
	const struct port_source *source;
	const struct tuple_group *largest, *second;
	uint32_t destinations, ports, odd;
	uint64_t squares;
	double share, expected, shared;
	bool crowded;
};

/* Ports of a map at an odd distance from the range's lower end. */
static uint32_t count_odd(const struct view *view, const uint8_t *map)
{
	unsigned lo = view->snap->ports.lo, hi = view->snap->ports.hi;
	uint32_t odd = 0;

	for (unsigned port = lo + 1; port <= hi; port += 2)
		odd += map[port / 8] >> port % 8 & 1;
	return odd;
}

/* While odd ports are left, bind() takes no other; later nothing is to be told from a destination's ports alone. */
static bool takes_part(const struct view *view, const struct wasted *w, const struct tuple_group *g)
{
	return g->outbound && addr_equal(&g->local, &w->source->local) &&
	       g->in_range >= view->values[GROUP_PORTS] &&
	       (w->crowded || g->odd_in_range >= view->values[ODD] * g->in_range);
}

static void add_destination(struct wasted *w, const struct tuple_group *g)
{
	w->destinations++;
	w->ports += g->in_range;
	w->squares += (uint64_t)g->in_range * g->in_range;
	if (!w->largest || g->in_range > w->largest->in_range) {
		w->second = w->largest;
		w->largest = g;
	} else if (!w->second || g->in_range > w->second->in_range) {
		w->second = g;
	}
}

static struct wasted examine(const struct view *view, const struct port_source *source)
{
	double size = view->snap->ports.size, supply = count_odd(view, view->snap->range);
	struct wasted w = { .source = source, .odd = count_odd(view, source->ports) };
	const struct tuple_group *g;

	w.crowded = source->distinct > supply && w.odd >= view->values[ODD] * supply;
	for (size_t i = 0; (g = snapshot_group(view->snap, i)); i++) {
		if (takes_part(view, &w, g))
			add_destination(&w, g);
	}
	w.share = w.ports / size;
	/* Σ n1·n2/|R| over all pairs of destinations */
	w.expected = ((double)w.ports * w.ports - (double)w.squares) / 2 / size;
	w.shared = (double)source->sockets - source->distinct;
	return w;
}

static bool looks_bound(const struct view *view, const struct wasted *w)
{
	const double *l = view->values;

	return w->destinations > 1 && w->expected >= l[EXPECTED] &&
	       w->shared <= l[SHARED] * w->expected &&
	       (!w->source->told || w->source->no_port < l[NO_PORT] * w->source->told);
}

static enum severity judge(const struct view *view, const struct wasted *w, enum limit *limit)
{
	*limit = w->share >= view->values[CRIT_BOUND] ? CRIT_BOUND :
		 w->share >= view->values[WARN_BOUND] ? WARN_BOUND :
							BOUND;
	return *limit == CRIT_BOUND ? SEVERITY_CRITICAL :
	       *limit == WARN_BOUND ? SEVERITY_WARNING :
				      SEVERITY_INFO;
}

static const char *destination_text(const struct view *view, const struct tuple_group *g)
{
	const struct endpoint peer = { .addr = g->peer, .port = g->peer_port };
	CLEANUP(out_close) struct out out = { .fd = -1 };

	out_open_mem(&out);
	out_endpoint(&out, &peer);
	return arena_strdup(view->arena, out_text(&out));
}

static void add_evidence(struct finding *f, const struct view *view, const struct wasted *w)
{
	const struct port_supply *ports = &view->snap->ports;

	finding_add(f, "bound", w->ports, UNIT_PORTS, "sock_diag");
	finding_add(f, "size", ports->size, UNIT_PORTS, "ip_local_port_range");
	finding_add(f, "bound_percent", 100 * w->share, UNIT_PERCENT, "rule");
	finding_add(f, "in_use", w->source->distinct, UNIT_PORTS, "sock_diag");
	finding_add(f, "left", (double)ports->size - MIN(w->source->distinct, ports->size), UNIT_PORTS, "rule");
	finding_add(f, "destinations", w->destinations, UNIT_COUNT, "sock_diag");
	finding_add(f, "all_destinations", w->source->groups, UNIT_COUNT, "sock_diag");
	finding_add_text(f, "largest", destination_text(view, w->largest), "sock_diag");
	finding_add(f, "largest_ports", w->largest->in_range, UNIT_PORTS, "sock_diag");
	finding_add_text(f, "second", destination_text(view, w->second), "sock_diag");
	finding_add(f, "second_ports", w->second->in_range, UNIT_PORTS, "sock_diag");
	finding_add(f, "expected", w->expected, UNIT_PORTS, "rule");
	finding_add(f, "shared", w->shared, UNIT_PORTS, "sock_diag");
	finding_add(f, "odd", w->odd, UNIT_PORTS, "sock_diag");
	finding_add(f, "range_low", ports->lo, UNIT_NONE, "ip_local_port_range");
	finding_add(f, "range_high", ports->hi, UNIT_NONE, "ip_local_port_range");
	finding_add(f, "options_told", w->source->told, UNIT_SOCKETS, "INET_DIAG_SOCKOPT");
	finding_add(f, "no_port", w->source->no_port, UNIT_SOCKETS, "INET_DIAG_SOCKOPT");
}

static void file_source(const struct view *view, struct sink *sink, const struct wasted *w)
{
	struct endpoint local = { .addr = w->source->local };
	enum limit limit;
	enum severity severity = judge(view, w, &limit);
	struct finding *f = sink_finding(sink, severity, view_confidence(view, CONFIDENCE_INFERRED, false));

	f->count = w->ports;
	f->share = w->share;
	f->scope_factor = addr_is_loopback(&local.addr) ? LOOPBACK : 1;
	finding_owner(f, view_owner_of_inode(view, w->largest->inode));
	finding_local(f, &local);
	add_evidence(f, view, w);
	f->title = "{owner} binds before it connects: {bound} of {size|source port} of {local_addr} serve one destination each";
	f->detail = "{destinations|destination}, most ports to {largest} ({largest_ports}) and {second} ({second_ports}) · {shared|port} shared, by chance it would be {expected} · {left} left for all destinations together ({range_low}-{range_high})";
	finding_against(f, "inferred from which ports are used: a program that hands out ports of its own, none of them twice, looks the same (and wastes as many)");
	finding_against(f, w->source->told ? "a range of the sockets' own (IP_LOCAL_PORT_RANGE) cannot be seen" :
					     "this kernel does not tell whether IP_BIND_ADDRESS_NO_PORT is set");
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct port_source *source;
	struct wasted w;
	double most = -1;

	if (!view->snap->ports.size) {
		sink_skip(sink, "the port range could not be read");
		return;
	}
	for (size_t i = 0; (source = snapshot_source(view->snap, i)); i++) {
		w = examine(view, source);
		if (!RULE_MAIN(EXPLICIT_BIND_WASTE, looks_bound(view, &w)))
			continue;
		most = MAX(most, w.share);
		if (w.share >= view->values[BOUND])
			file_source(view, sink, &w);
	}
	if (!sink->filed && most >= 0)
		sink_near_miss(sink, "share of the range that looks bound", most, BOUND);
	if (view->snap->sources_lost)
		sink_skip_part(sink, "more source addresses than are kept: the rest was not examined");
	if (view->snap->groups_dropped)
		sink_skip_part(sink, "destinations with few connections: there are more than are kept");
}

const struct rule rule_explicit_bind_waste = {
	.id = "explicit-bind-waste",
	.title = "bind() before connect() uses up source ports for all destinations at once",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_SYSCTLS,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"When a program calls connect() alone, the kernel picks a source port that is free for this destination; the same port serves other destinations at the same time, because a connection is told "
		"from others by all four of its numbers. When it calls bind() with a source address and port 0 first, the kernel does not know yet where the connection will go, and takes a port that is free "
		"altogether. From then on every connection of that address has a port of its own: 28232 by default, for all destinations together. When they are used up bind() fails with EADDRINUSE. Worse, "
		"connect() without bind() passes over ports that were taken by bind(), even towards other destinations and while only TIME-WAIT is left of them.\n\n"
		"The option IP_BIND_ADDRESS_NO_PORT (Linux 4.2) tells bind() to leave the port open until connect(). The kernel shows it on live sockets; what it does not show is whether bind() was called. That is "
		"inferred, from two signs that plain connect() does not produce. Destinations share ports: with n1 and n2 of |R| ports in use, about n1·n2/|R| of them or more. And connect() begins with the "
		"ports at an even distance from the lower end of the range, bind() with the odd ones, so that they stay out of each other's way. Reported is an address whose destinations use odd ports and share "
		"none, or whose odd ports are used up and still none is shared.",
	.look_alikes = (const char *const[]){
		"one destination only: the port serves nobody else either way; not reported",
		"IP_BIND_ADDRESS_NO_PORT on the sockets: ports are shared; silent",
		"plain connect(), in whatever numbers and with turnover: destinations share ports, and use even ones first",
		"plain connect() after a peak of which only the odd ports are left: of one destination they may be shared with no other, but the others use even ones",
		"a program that binds with SO_REUSEADDR: the kernel looks in one half of the range first, odd and even; not recognised",
		NULL },
	.causes = (const char *const[]){
		"a proxy with a source address configured (source, bind, local_address, outgoing address) whose version does not set IP_BIND_ADDRESS_NO_PORT",
		"a client on a host with several addresses that binds to one of them before it connects",
		"a load generator or test tool that binds each connection",
		NULL },
	.next = (const char *const[]){
		"tcptriage states --group-by peer state connected src {local_addr}",
		"ss -tanp --inet-sockopt src {local_addr}",
		"cat /proc/sys/net/ipv4/ip_local_port_range",
		NULL },
	.fixes = (const char *const[]){
		"set IP_BIND_ADDRESS_NO_PORT on the socket before bind() (Linux 4.2); current proxies do, or have an option for it",
		"leave bind() out where the routing table picks the same source address",
		"several source addresses: each has a range of its own",
		"keep connections and use them again",
		NULL },
	.refs = (const char *const[]){ "RFC 6056 §3.2", "RFC 9293 §3.4.2",
				       "net/ipv4/inet_hashtables.c (__inet_hash_connect)",
				       "net/ipv4/inet_connection_sock.c (inet_csk_find_open_port)", NULL },
	.repro = "ip_local_port_range of 3000 ports; bind((address, 0)) and connect, 500 times to each of two ports of one server",
};
