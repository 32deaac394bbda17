/* SPDX-License-Identifier: MIT */
/* ephemeral-port-exhaustion: the source ports towards one destination are running out. */
#include "../kit.h"
#include "../probes.h"
#include "tcptriage/triage/port_headroom.h"

enum limit {
	WARN_PCT,
	CRIT_PCT,
	CRIT_FREE,
	STEADY,
	STEADY_PCT,
	TTE,
	TTE_SPAN,
	GROWTH_INTERVALS,
};

static const struct threshold thresholds[] = {
	[WARN_PCT] = { "used", UNIT_PERCENT, 50, "connect() tries the ports of one parity first; past half of them every attempt searches the rest as well" },
	[CRIT_PCT] = { "critical_used", UNIT_PERCENT, 80, "a burst takes the last fifth in seconds" },
	[CRIT_FREE] = { "critical_free", UNIT_PORTS, 500, "about one second of new connections at the rate that fills the default range" },
	[STEADY] = { "steady", UNIT_RATIO, 0.7, "share of the range that TIME-WAIT will hold if the rate of the last seconds lasts" },
	[STEADY_PCT] = { "steady_used", UNIT_PERCENT, 20, "below this a short burst cannot be told from a lasting rate" },
	[TTE] = { "time_left", UNIT_S, 300, "less time than it takes to react" },
	[TTE_SPAN] = { "growth_span", UNIT_S, 60, "growth seen for a shorter time may be a pool that warms up" },
	[GROWTH_INTERVALS] = { "growth_intervals", UNIT_COUNT, 2, "one step up is not a trend" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_COUNTED 0.95
#define CONFIDENCE_RATE 0.6

/* How many destinations are reported; the fullest come first. */
#define TUPLES_MAX 16

static bool ends_soon(const struct view *view, const struct headroom *h)
{
	const double *l = view->values;
	double seen_s = (double)(view->snap->now_us - h->group->first_us) / 1e6;

	return h->tte_s >= 0 && h->tte_s < l[TTE] && seen_s >= l[TTE_SPAN] &&
	       h->group->growth_samples >= l[GROWTH_INTERVALS];
}

/* Return: whether it fires; @limit is the one that decided. */
static bool judge(const struct view *view, const struct headroom *h, enum severity *severity,
		  enum limit *limit)
{
	const double *l = view->values;
	bool half = h->pct >= l[WARN_PCT];

	*severity = SEVERITY_CRITICAL;
	if (h->pct >= l[CRIT_PCT])
		*limit = CRIT_PCT;
	else if (half && (double)h->free < l[CRIT_FREE])
		*limit = CRIT_FREE;
	else if (half && ends_soon(view, h))
		*limit = TTE;
	else {
		*severity = SEVERITY_WARNING;
		*limit = half ? WARN_PCT : STEADY;
		return half || (h->steady >= l[STEADY] && h->pct >= l[STEADY_PCT]);
	}
	return true;
}

static void add_evidence(struct finding *f, const struct view *view, const struct headroom *h)
{
	const struct tuple_group *g = h->group;
	const struct port_supply *ports = &view->snap->ports;
	uint32_t would_free = g->tw_past_delay - g->tw_reusable;

	finding_add(f, "used", h->used, UNIT_PORTS, "sock_diag");
	finding_add(f, "size", h->size, UNIT_PORTS, "ip_local_port_range");
	finding_add(f, "free", (double)MAX(h->free, 0), UNIT_PORTS, "rule");
	finding_add(f, "used_percent", h->pct, UNIT_PERCENT, "rule");
	finding_add(f, "established", g->estab, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "time_wait", g->time_wait, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "other_states", (double)g->total - g->estab - g->time_wait, UNIT_SOCKETS,
		    "sock_diag");
	finding_add(f, "range_low", ports->lo, UNIT_NONE, "ip_local_port_range");
	finding_add(f, "range_high", ports->hi, UNIT_NONE, "ip_local_port_range");
	finding_add(f, "reserved", (double)ports->hi - ports->lo + 1 - ports->size, UNIT_PORTS,
		    "ip_local_reserved_ports");
	finding_add(f, "blocked", ports->blocked, UNIT_PORTS, "sock_diag");
	finding_add(f, "closed_per_s", h->arrivals_per_s, UNIT_PER_S, "idiag_expires");
	finding_add(f, "steady_percent", 100 * h->steady, UNIT_PERCENT, "rule");
	finding_add(f, "reusable", g->tw_reusable, UNIT_PORTS, "tcp_tw_reuse");
	finding_add(f, "reuse_would_free", would_free, UNIT_PORTS, "idiag_expires");
	if (h->tte_s >= 0)
		finding_add(f, "time_left", h->tte_s, UNIT_S, "rule");
	if (g->lossy)
		finding_add(f, "not_counted", g->lossy, UNIT_SOCKETS, "rule");
}

static void describe(struct finding *f, const struct headroom *h, enum limit limit)
{
	f->title = h->free <= 0	   ? "No source port is left to {peer}: connect() from {local_addr} fails with EADDRNOTAVAIL" :
		   limit == STEADY ? "Source ports to {peer} will run out at this rate: TIME-WAIT alone will hold {steady_percent} of the range" :
				     "Source ports run out: {used} of {size|port} from {local_addr} to {peer} are taken";
	f->detail = "{established} established, {time_wait} in TIME-WAIT, {other_states} other · {free} of {size} free ({range_low}-{range_high}, {reserved} reserved, {blocked} blocked) · {closed_per_s} closed here";
}

static void add_doubts(struct finding *f, const struct headroom *h, enum limit limit)
{
	finding_against(f, "assumes the system's port range: a range of the socket's own (IP_LOCAL_PORT_RANGE) cannot be seen");
	if (limit == STEADY)
		finding_against(f, "the rate was seen for seconds only: a burst that ends will not fill the range");
	if (h->group->lossy)
		finding_against(f, "up to {not_counted|socket} of this destination may be missing: there were more destinations than are kept");
}

static void file_tuple(const struct view *view, struct sink *sink, const struct headroom *h)
{
	const struct tuple_group *g = h->group;
	struct endpoint peer = { .addr = g->peer, .port = g->peer_port };
	struct endpoint local = { .addr = g->local };
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(EPHEMERAL_PORT_EXHAUSTION, judge(view, h, &severity, &limit)))
		return;
	f = sink_finding(sink, severity,
			 view_confidence(view, limit == STEADY ? CONFIDENCE_RATE : CONFIDENCE_COUNTED, h->free <= 0));
	f->count = h->used;
	f->share = h->pct / 100;
	f->growth = h->growth_per_s > 0 ? 1.1 : h->growth_per_s < 0 ? 0.7 : 1;
	f->scope_factor = addr_is_loopback(&g->peer) ? 0.8 : 1;
	finding_owner(f, view_owner_of_inode(view, g->inode));
	finding_peer(f, &peer);
	finding_local(f, &local);
	add_evidence(f, view, h);
	describe(f, h, limit);
	add_doubts(f, h, limit);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct headroom top[TUPLES_MAX];
	size_t count = headroom_top(view->snap, top, TUPLES_MAX);

	if (!view->snap->ports.size) {
		sink_skip(sink, "the port range could not be read");
		return;
	}
	for (size_t i = 0; i < count; i++)
		file_tuple(view, sink, &top[i]);
	if (!sink->filed && count)
		sink_near_miss(sink, "ports used to the busiest destination", top[0].pct, WARN_PCT);
	if (view->snap->samples < 2)
		sink_skip_part(sink, "growth: one sample shows none");
}

const struct rule rule_ephemeral_port_exhaustion = {
	.id = "ephemeral-port-exhaustion",
	.title = "Source ports to one destination are running out",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_SYSCTLS,
	.eval = eval,
	.probes = &probes_ephemeral_port_exhaustion,
	.thresholds = thresholds,
	.explain =
		"A connection is known by four numbers: local address and port, remote address and port. A client that connects to one remote address and port from one local address "
		"has only the local port left to vary, and takes it from ip_local_port_range without ip_local_reserved_ports: 28232 ports by default. When all of them are taken "
		"by connections to that destination, connect() fails with EADDRNOTAVAIL. No counter of the kernel moves when that happens; the only warning is to count.\n\n"
		"A closed connection keeps its port as long as it stands in TIME-WAIT, 60 seconds on Linux, when this side closed first. So 470 new connections a second to one "
		"destination exhaust the default range for good, although none of them lives long. The same ports serve any other destination at the same time: what counts is "
		"the number for each destination, not the total of TIME-WAIT.\n\n"
		"The kernel looks at the ports of one parity first and at the others only when these are taken, so connecting becomes slow before it fails: half of the range is the "
		"first limit.",
	.look_alikes = (const char *const[]){
		"a large total of TIME-WAIT spread over many destinations: each has its own supply",
		"TIME-WAIT on the server's side: its local port is the listener's, no port is used up",
		"TIME-WAIT that tcp_tw_reuse may take again at once: not counted as taken",
		NULL },
	.causes = (const char *const[]){
		"no reuse of connections: a client object for each request, Connection: close, short-lived HTTP",
		"a connection pool that is too small or expires too early",
		"a single address in front of everything upstream",
		"bind() before connect() without IP_BIND_ADDRESS_NO_PORT",
		"a narrow port range, or many reserved ports",
		"connections that are never closed",
		NULL },
	.next = (const char *const[]){
		"tcptriage states state all dst {peer}",
		"tcptriage states --group-by process dst {peer}",
		"cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/ip_local_reserved_ports",
		NULL },
	.fixes = (const char *const[]){
		"keep connections and use them again (keep-alive, a pool)",
		"spread over more destination or source addresses: each pair has a range of its own",
		"widen net.ipv4.ip_local_port_range, off the ports of listeners",
		"set IP_BIND_ADDRESS_NO_PORT if the program binds to a source address",
		"net.ipv4.tcp_tw_reuse=1 on this, the connecting, side as relief (needs TCP timestamps; {reuse_would_free|port} at once)",
		"let the server close idle connections first, then TIME-WAIT stands there",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.4.2", "RFC 9293 §3.6.1", "RFC 6056 §3.2",
				       "RFC 6191 §2", "RFC 7323 §5",
				       "net/ipv4/inet_hashtables.c (__inet_hash_connect)", NULL },
	.repro = "set ip_local_port_range to 20 ports in a namespace and connect 30 times to one address and port",
};
