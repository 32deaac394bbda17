/* SPDX-License-Identifier: MIT */
/* udp-unreachable: datagrams come for UDP ports where nobody listens, or no UDP source port is left. */
#include "../kit.h"
#include "../packets.h"

enum limit {
	RATE,
	EVENTS,
	SAMPLES,
	RETURNED,
	LATE,
	USED,
	CRIT_USED,
};

static const struct threshold thresholds[] = {
	[RATE] = { "no_ports", UNIT_PER_MIN, 10, "somebody keeps on sending; a name server that answers late makes one now and then" },
	[EVENTS] = { "events", UNIT_COUNT, 5, "fewer in the window are no rate" },
	[SAMPLES] = { "samples", UNIT_COUNT, 2, "seen between several looks: not one traceroute or one scan that is over" },
	[RETURNED] = { "returned", UNIT_RATIO, 0.5, "with this share of the refusals coming back here, the sender is a program of this host: loopback refuses every datagram, the network few" },
	[LATE] = { "late_share", UNIT_PERCENT, 1, "of the datagrams that came; a busy resolver is answered that often after it has lost patience or has an answer from another server" },
	[USED] = { "ports_used", UNIT_PERCENT, 80, "each name lookup, each QUIC connection takes a port of its own while it lasts" },
	[CRIT_USED] = { "critical_ports_used", UNIT_PERCENT, 95, "the next burst of lookups takes the rest" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define QUOTA 2048
#define CONFIDENCE_COUNTED 0.95
#define CONFIDENCE_REFUSED 0.8

/* The rule has two parts: what each may do about it is a part of the rule's lists. */
#define NEXT_SENDER "tcptriage states -um dst {peer_addr}"
#define NEXT_COUNTERS "nstat -az UdpNoPorts Udp6NoPorts IcmpOutDestUnreachs IcmpInDestUnreachs"
#define NEXT_SOCKETS "ss -uanp"
#define NEXT_NUMBERS "cat /proc/net/sockstat"
#define CAUSE_SERVICE "a service that clients are configured for does not run here, or listens on another port or address"
#define CAUSE_RESTART "a program that restarts: its port is closed for that time"
#define CAUSE_KNOWN "a load balancer or health check that still knows this host"
#define CAUSE_HOARD "for ports: a resolver or proxy that opens a socket for each request and does not close it, or a narrow ip_local_port_range"
#define FIX_START "start the service, or take this host out of its clients' configuration"
#define FIX_CONNECT "use connected sockets in the clients: only they hear of a refusal"
#define FIX_PATIENCE "give name lookups more time than the slowest answer takes"
#define FIX_REUSE "for ports: close sockets that are done, reuse one for many requests, widen ip_local_port_range"

static const char *const refused_causes[] = { CAUSE_SERVICE, CAUSE_RESTART, CAUSE_KNOWN, NULL };
static const char *const refused_next[] = { NEXT_SENDER, NEXT_COUNTERS, NEXT_SOCKETS, NULL };
static const char *const refused_fixes[] = { FIX_START, FIX_CONNECT, FIX_PATIENCE, NULL };
static const char *const ports_causes[] = { CAUSE_HOARD, NULL };
static const char *const ports_next[] = { NEXT_SOCKETS, NEXT_NUMBERS, NULL };
static const char *const ports_fixes[] = { FIX_REUSE, NULL };

/** enum exposure - can the Internet send to this host. */
enum exposure { EXPOSURE_NONE, EXPOSURE_UNKNOWN, EXPOSURE_GLOBAL };

/** struct refused - datagrams of one family for ports without a socket. @fires: a rate. @face: who may have sent them. @global: the address that says so. */
struct refused {
	uint64_t count, returned, read;
	bool fires;
	enum exposure face;
	struct addr global;
};

/* What the ports are taken by, and who sends to a port of this host: all of them, as far as the quota goes. */
static bool udp_candidate(const struct sock *sock)
{
	(void)sock;
	return true;
}

static bool keep(const struct view *view, struct member *member)
{
	(void)view;
	(void)member;
	return true;
}

static bool is_public(const struct addr *addr, unsigned family, struct addr *found)
{
	if (addr->family != family || !addr_is_global(addr))
		return false;
	*found = *addr;
	return true;
}

/* An address of this host that is one of the Internet's, or a client from there. */
static bool faces_by_sockets(const struct view *view, unsigned family, const struct members *all,
			     struct addr *found)
{
	const struct listener *listener;
	const struct tuple_group *group;

	for (size_t i = 0; (listener = snapshot_listener(view->snap, i)); i++)
		if (is_public(&listener->last.sock.local.addr, family, found))
			return true;
	for (size_t i = 0; (group = snapshot_group(view->snap, i)); i++)
		if (group->total && (is_public(&group->local, family, found) ||
				     (!group->outbound && is_public(&group->peer, family, found))))
			return true;
	for (size_t i = 0; i < all->count; i++)
		if (is_public(&all->at[i].sock->local.addr, family, found))
			return true;
	return false;
}

static enum exposure exposure_of(const struct view *view, unsigned family, const struct members *all,
				 struct addr *found)
{
	struct addr out_there = route_way_out((enum addr_family)family);
	const struct route *route;

	if (faces_by_sockets(view, family, all, found))
		return EXPOSURE_GLOBAL;
	route = view->route_of(view, &out_there);
	if (!route)
		return EXPOSURE_UNKNOWN;
	if (!route->error && route->has & ROUTE_HAS_SOURCE && is_public(&route->source, family, found))
		return EXPOSURE_GLOBAL;
	return EXPOSURE_NONE;
}

static struct refused refused_of(const struct view *view, unsigned family, const struct members *all)
{
	static const struct {
		enum counter_id count, returned, read;
	} counters[] = { [ADDR_V4] = { COUNTER_UDP_NO_PORTS, COUNTER_ICMP_IN_DEST_UNREACHS, COUNTER_UDP_IN_DATAGRAMS },
			 [ADDR_V6] = { COUNTER_UDP6_NO_PORTS, COUNTER_ICMP6_IN_DEST_UNREACHS, COUNTER_UDP6_IN_DATAGRAMS } };
	const double *v = view->values;
	double window = view_window_s(view);
	struct refused r = { .fires = false };

	view_delta(view, counters[family].count, &r.count);
	view_delta(view, counters[family].returned, &r.returned);
	view_delta(view, counters[family].read, &r.read);
	r.fires = window > 0 && (double)r.count >= v[EVENTS] &&
		  view_steps(view, counters[family].count) >= v[SAMPLES] &&
		  60.0 * (double)r.count / window >= v[RATE];
	if (r.fires)
		r.face = exposure_of(view, family, all, &r.global);
	return r;
}

static bool is_held(const struct members *all, uint16_t port)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->at[i].sock->local.port == port)
			return true;
	return false;
}

/* A socket of this host that is connected to a port of this host which no socket has. Only when every socket was seen. */
static const struct member *local_sender(const struct sink *sink, const struct members *all)
{
	const struct snapshot *snap = sink->view->snap;

	if (!snap->complete || snap->lost[sink->index] || snap->candidates_lost)
		return NULL;
	for (size_t i = 0; i < all->count; i++) {
		const struct endpoint *peer = &all->at[i].sock->peer;

		if (peer->port && addr_is_loopback(&peer->addr) && !is_held(all, peer->port))
			return &all->at[i];
	}
	return NULL;
}

static bool came_from_here(const struct view *view, const struct refused *r)
{
	return r->fires && (double)r->returned >= view->values[RETURNED] * (double)r->count;
}

/* So few among what programs read that answers which came too late explain them. */
static bool may_be_late(const struct view *view, const struct refused *r)
{
	return 100.0 * (double)r->count < view->values[LATE] * ((double)r->count + (double)r->read);
}

static void add_refused(struct finding *f, const struct view *view, const struct refused r[])
{
	double window = view_window_s(view);
	uint64_t count = r[ADDR_V4].count + r[ADDR_V6].count;

	finding_add(f, "window", window, UNIT_S, "rule");
	finding_add(f, "rate", 60.0 * (double)count / window, UNIT_PER_MIN, "rule");
	finding_add(f, "no_ports", (double)r[ADDR_V4].count, UNIT_COUNT, "UdpNoPorts");
	finding_add(f, "no_ports_v6", (double)r[ADDR_V6].count, UNIT_COUNT, "Udp6NoPorts");
	finding_add(f, "returned", (double)(r[ADDR_V4].returned + r[ADDR_V6].returned), UNIT_COUNT,
		    "IcmpInDestUnreachs, Icmp6InDestUnreachs");
	finding_counter(f, view, COUNTER_UDP_IN_DATAGRAMS, "datagrams_read");
	finding_counter(f, view, COUNTER_UDP6_IN_DATAGRAMS, "datagrams_read_v6");
	finding_counter(f, view, COUNTER_ICMP_OUT_DEST_UNREACHS, "unreachable_sent");
}

static void add_doubts(struct finding *f, const struct view *view, const struct refused r[],
		       bool from_here)
{
	bool global = false, unknown = false, late = false;

	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		if (r[family].face == EXPOSURE_GLOBAL && !global)
			finding_add_text(f, "global_address", view_addr_text(view, &r[family].global), "rule");
		late |= r[family].fires && may_be_late(view, &r[family]);
		global |= r[family].face == EXPOSURE_GLOBAL;
		unknown |= r[family].face == EXPOSURE_UNKNOWN;
	}
	if (global)
		finding_against(f, "this host can be met on the Internet ({global_address}): scanners send such datagrams all the time");
	if (unknown)
		finding_against(f, "whether this host can be met on the Internet, where scanners send such datagrams, could not be told");
	if (f->scope.has_peer)
		return;
	if (late)
		finding_against(f, "they are few beside what programs read here: answers that came late, as every busy resolver gets them, are as likely");
	if (from_here)
		finding_against(f, "the refusals that came back may be for other datagrams of this host");
	finding_against(f, "a traceroute towards this host sends to closed ports on purpose (33434 and up); the counter does not tell which ports");
	finding_against(f, "answers that come after a program has closed its socket (name lookups with a short timeout) are counted too");
}

static void describe_refused(struct finding *f, const struct member *sender, bool from_here)
{
	if (sender) {
		finding_owner(f, sender->owner);
		finding_peer(f, &sender->sock->peer);
		f->title = "{owner} sends to {peer}, where no socket is: {count|datagram} refused in {window}";
	} else {
		f->title = "{count|datagram} in {window} came for UDP ports where nobody listens";
	}
	f->detail = from_here ? "{rate} · {no_ports} over IPv4, {no_ports_v6} over IPv6 · {returned} refusals came back to this host: the sender runs here" :
				"{rate} · {no_ports} over IPv4, {no_ports_v6} over IPv6 · few of them are answered with 'port unreachable', and most senders do not notice";
}

static void file_refused(const struct view *view, struct sink *sink, const struct members *all,
			 const struct refused r[])
{
	bool from_here = came_from_here(view, &r[ADDR_V4]) || came_from_here(view, &r[ADDR_V6]);
	const struct member *sender = from_here ? local_sender(sink, all) : NULL;
	enum severity severity = sender ? SEVERITY_WARNING : SEVERITY_INFO;
	struct finding *f;

	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		if (r[family].fires && r[family].face == EXPOSURE_NONE && !may_be_late(view, &r[family]))
			severity = SEVERITY_WARNING;
	}
	f = sink_finding(sink, severity, view_confidence(view, CONFIDENCE_REFUSED, false));
	f->count = r[ADDR_V4].count + r[ADDR_V6].count;
	f->scope_factor = from_here ? 0.8 : 1;
	f->causes = refused_causes;
	f->next = refused_next;
	f->fixes = refused_fixes;
	add_refused(f, view, r);
	describe_refused(f, sender, from_here);
	add_doubts(f, view, r, from_here);
	finding_threshold(f, sink, RATE);
	if (!sender)
		sink_skip_part(sink, "which ports are asked for in vain: the kernel counts without the port, only a capture shows it");
}

static void judge_refused(const struct view *view, struct sink *sink, const struct members *all)
{
	struct refused r[ADDR_FAMILY_COUNT];
	double window = view_window_s(view);
	uint64_t known;

	if (!view_delta(view, COUNTER_UDP_NO_PORTS, &known) || window <= 0) {
		sink_skip_part(sink, "datagrams for ports without a socket: one sample, or no UDP counters, shows no growth");
		return;
	}
	r[ADDR_V4] = refused_of(view, ADDR_V4, all);
	r[ADDR_V6] = refused_of(view, ADDR_V6, all);
	if (RULE_MAIN(UDP_UNREACHABLE, r[ADDR_V4].fires || r[ADDR_V6].fires))
		file_refused(view, sink, all, r);
	else if (r[ADDR_V4].count + r[ADDR_V6].count)
		sink_near_miss(sink, "datagrams for ports without a socket",
			       60.0 * (double)(r[ADDR_V4].count + r[ADDR_V6].count) / window, RATE);
}

/* The process with the most sockets on ports of the range; NULL unless it has half of what is taken. */
static const struct process *main_holder(const struct snapshot *snap, struct members *all)
{
	const struct port_supply *ports = &snap->ports;
	const struct process *holder = NULL;
	struct members run;
	size_t most = 0;

	members_sort(all, member_by_owner);
	for (size_t i = 0; i < all->count; i += run.count) {
		size_t held = 0;

		run = members_run(all, i, members_same_owner);
		for (size_t k = 0; k < run.count; k++) {
			uint16_t port = run.at[k].sock->local.port;

			held += port >= ports->lo && port <= ports->hi;
		}
		if (held > most)
			holder = run.at->owner;
		most = MAX(most, held);
	}
	return 2 * most >= ports->udp_used ? holder : NULL;
}

static void add_ports(struct finding *f, const struct port_supply *ports)
{
	finding_add(f, "used", ports->udp_used, UNIT_PORTS, "sock_diag");
	finding_add(f, "size", ports->size, UNIT_PORTS, "ip_local_port_range");
	finding_add(f, "free", (double)ports->size - ports->udp_used, UNIT_PORTS, "rule");
	finding_add(f, "used_percent", 100.0 * ports->udp_used / ports->size, UNIT_PERCENT, "rule");
	finding_add(f, "range_low", ports->lo, UNIT_NONE, "ip_local_port_range");
	finding_add(f, "range_high", ports->hi, UNIT_NONE, "ip_local_port_range");
	finding_add(f, "reserved", (double)ports->hi - ports->lo + 1 - ports->size, UNIT_PORTS,
		    "ip_local_reserved_ports");
}

static void describe_ports(struct finding *f, const struct port_supply *ports, bool held)
{
	if (ports->udp_used >= ports->size)
		f->title = held ? "No UDP source port is left, {owner} holds most: connect() and sendto() fail with EAGAIN" :
				  "No UDP source port is left: connect() and sendto() fail with EAGAIN";
	else
		f->title = held ? "UDP source ports run out: {used} of {size} are taken, most by {owner}" :
				  "UDP source ports run out: {used} of {size} are taken";
	f->detail = "{free} of {size} free ({range_low}-{range_high}, {reserved} reserved) · unlike with TCP, a port that the kernel has chosen serves one socket only, wherever it sends";
}

static void file_ports(const struct view *view, struct sink *sink, struct members *all,
		       double percent)
{
	const struct port_supply *ports = &view->snap->ports;
	const struct process *holder = main_holder(view->snap, all);
	bool critical = percent >= view->values[CRIT_USED];
	struct finding *f = sink_finding(sink, critical ? SEVERITY_CRITICAL : SEVERITY_WARNING,
					 view_confidence(view, CONFIDENCE_COUNTED, true));

	f->count = ports->udp_used;
	f->share = percent / 100;
	f->scope_factor = 1.2;
	f->causes = ports_causes;
	f->next = ports_next;
	f->fixes = ports_fixes;
	finding_owner(f, holder);
	add_ports(f, ports);
	describe_ports(f, ports, holder);
	finding_against(f, "a program that binds to an address of its own before it sends can still share ports with sockets on other addresses");
	finding_threshold(f, sink, critical ? CRIT_USED : USED);
}

static void judge_ports(const struct view *view, struct sink *sink, struct members *all)
{
	const struct port_supply *ports = &view->snap->ports;
	double percent = ports->size ? 100.0 * ports->udp_used / ports->size : 0;

	if (!ports->size)
		sink_skip_part(sink, "UDP source ports: the port range could not be read");
	else if (RULE_MAIN(UDP_UNREACHABLE, percent >= view->values[USED]))
		file_ports(view, sink, all, percent);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep);

	if (view->snap->left_out) {
		sink_skip_part(sink, "ports without a socket, and ports in use, are of the whole namespace: a filter leaves a part of it out");
		return;
	}
	judge_refused(view, sink, &all);
	judge_ports(view, sink, &all);
}

const struct rule rule_udp_unreachable = {
	.id = "udp-unreachable",
	.title = "UDP datagrams for ports where nobody listens, or no UDP source port left",
	.needs = RULE_NEEDS_SOCKETS,
	.udp_candidate = udp_candidate,
	.quota = QUOTA,
	.eval = eval,
	.packets = &packets_udp_unreachable,
	.thresholds = thresholds,
	.explain =
		"A datagram for a port without a socket is dropped and counted (NoPorts). The kernel answers with ICMP 'port unreachable', to each sender a few times a second at most, and a program learns of "
		"it only when its socket is connected: the next call fails with ECONNREFUSED. An unconnected sender, such as most clients of syslog and statsd, goes on for ever. Steady growth on a host that "
		"the Internet cannot reach means that a service which others count on does not run here, or runs on another port.\n\n"
		"On a host with global addresses scanners and backscatter make this number grow all the time; there it is info. Refusals that come back to this very host mean that the sender runs here as "
		"well; a connected socket whose port nobody has names it.\n\n"
		"The second part is the supply of UDP source ports. A port that the kernel chooses for a UDP socket must be free on all addresses, so that one range serves the sockets to all destinations "
		"together, of IPv4 and IPv6; TCP can use each port once for every destination. When none is left, connect() and sendto() fail with EAGAIN, and names no longer resolve.",
	.look_alikes = (const char *const[]){
		"the background of the Internet on a host with global addresses: info",
		"a traceroute towards this host (ports 33434 to 33534): stops by itself; the counter cannot tell it",
		"answers of name servers that come after the program has given up: below one in a hundred of what is read they are info; more are a sign of a timeout that is too short",
		"multicast and broadcast without a receiver (mDNS, SSDP): counted elsewhere (IgnoredMulti), not here",
		NULL },
	.causes = (const char *const[]){ CAUSE_SERVICE, CAUSE_RESTART, CAUSE_KNOWN, CAUSE_HOARD, NULL },
	.next = (const char *const[]){ NEXT_SENDER, NEXT_COUNTERS, NEXT_SOCKETS, NEXT_NUMBERS, NULL },
	.fixes = (const char *const[]){ FIX_START, FIX_CONNECT, FIX_PATIENCE, FIX_REUSE, NULL },
	.refs = (const char *const[]){ "RFC 1122 §4.1.3.1", "RFC 1122 §4.1.3.3", "RFC 8085 §5.2",
				       "net/ipv4/udp.c (__udp4_lib_rcv, udp_lib_get_port)", NULL },
	.repro = "send twenty datagrams a second to a closed port; or open ten UDP sockets with a port range of ten",
};
