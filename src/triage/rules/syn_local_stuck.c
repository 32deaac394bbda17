/* SPDX-License-Identifier: MIT */
/* syn-local-stuck: a SYN that has not left this host. */
#include "../kit.h"
#include "../probes.h"
#include "tcptriage/model/timers.h"

enum limit {
	RETRIES,
	HELD_RETRIES,
	CRIT_GATEWAY,
	SCAN_REMOTES,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
	[RETRIES] = { "retries", UNIT_COUNT, 1, "a next hop that is there answers in a fraction of the second after which the SYN's timer first runs out" },
	[HELD_RETRIES] = { "held_retries", UNIT_COUNT, 2, "where the next hop resolves, one retry may be its answer that came late; two seconds in a queue of this host may not" },
	[CRIT_GATEWAY] = { "critical_gateway", UNIT_FLAG, 1, "without the default gateway nothing leaves this network" },
	[SCAN_REMOTES] = { "scan_remotes", UNIT_COUNT, 16, "so many neighbours tried once each: somebody looks for what exists, and most addresses of a network are free" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "silent neighbours share a network and most likely a cause" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_UNRESOLVED 0.9
#define CONFIDENCE_HELD 0.75
#define CONFIDENCE_GONE 0.75
#define CONFIDENCE_SCAN 0.6
#define SUPPORT_OF_COUNTERS 0.04

/** enum hop - what is known of the next hop of a SYN that is held. */
enum hop { HOP_UNKNOWN, HOP_RESOLVES, HOP_SILENT, HOP_NO_CARRIER };

/* Young attempts are remembered too: the same program's next attempt names the owner of one that is gone. */
#define QUOTA 2048

/** struct tally - what is held for one next hop, or for one network of them. @worst: of those present, if any, the oldest. @owned: those with a known owner. */
struct tally {
	const struct member *worst;
	struct members owned;
	uint64_t present, gone, destinations, networks;
	unsigned retries;
	uint16_t port;
	enum hop hop;
	const struct route *route;
};

static bool candidate(const struct sock *sock)
{
	return sock->state == SOCK_STATE_SYN_SENT && sock->timer == SOCK_TIMER_ON &&
	       !sock_tcpi(sock, TCPI_TOTAL_RETRANS);
}

static bool is_held(const struct sock *sock)
{
	return candidate(sock) && sock->retrans;
}

/* The newest sight that shows it held: the last, or the first when the program has begun anew on the same socket. NULL: it got out. */
static const struct sock *sight_of(const struct candidate *c)
{
	const struct sock *first = &c->first.sock, *last = &c->last.sock;

	if (candidate(last))
		return is_held(last) || !is_held(first) ? last : first;
	return NULL;
}

/* The route was asked for without mark and interface: it says nothing about a socket that has them. */
static const struct route *route_for(const struct view *view, const struct sock *sock)
{
	const struct route *route = view->route_of(view, &sock->peer.addr);

	if (!route || route->error || (sock->has & SOCK_HAS_MARK && sock->mark))
		return NULL;
	return sock->ifindex && sock->ifindex != route->ifindex ? NULL : route;
}

static enum hop hop_of(const struct route *route)
{
	if (!route)
		return HOP_UNKNOWN;
	if (route->has & ROUTE_HAS_LINK && !route->carrier)
		return HOP_NO_CARRIER;
	if (route_next_hop_fails(route))
		return HOP_SILENT;
	return route->has & ROUTE_HAS_NEIGHBOUR ? HOP_RESOLVES : HOP_UNKNOWN;
}

/* Attempts that wait for one gateway belong together (mark), the others by destination. */
static bool keep(const struct view *view, struct member *member)
{
	const struct sock *sight = sight_of(member->candidate);
	const struct route *route;

	if (!sight || !tcpi_has(&sight->info, TCPI_TOTAL_RETRANS))
		return false;
	route = route_for(view, sight);
	member->sock = sight;
	member->age_ms = sock_age_ms(sight, view->snap->rto_max_ms, view->snap->fin_timeout_ms,
				     &member->age_exact);
	member->mark = route && route->has & ROUTE_HAS_GATEWAY;
	member->key.port = 0;
	if (member->mark)
		member->key.addr = route->gateway;
	return true;
}

/* One that is gone has ended, well or badly: only a next hop that is still silent tells which. */
static bool concerns(const struct view *view, const struct member *member)
{
	enum hop hop = hop_of(route_for(view, member->sock));

	if (hop == HOP_SILENT || hop == HOP_NO_CARRIER)
		return member->sock->retrans >= view->values[RETRIES];
	return member->candidate->present && member->sock->retrans >= view->values[HELD_RETRIES];
}

static int by_hop(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	int order;

	if (a->mark != b->mark)
		return a->mark ? -1 : 1;
	if (!members_same_key(a, b))
		return member_by_key(a, b);
	order = addr_compare(&a->sock->peer.addr, &b->sock->peer.addr);
	if (order || a->candidate->present == b->candidate->present)
		return order ? order : member_by_key(a, b);
	return a->candidate->present ? -1 : 1;
}

static bool same_network(const struct addr *a, const struct addr *b)
{
	struct addr left = addr_prefix(a), right = addr_prefix(b);

	return addr_equal(&left, &right);
}

static bool is_worse(const struct member *a, const struct member *b)
{
	if (a->candidate->present != b->candidate->present)
		return a->candidate->present;
	return a->age_ms > b->age_ms;
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .worst = run->at, .port = run->at->sock->peer.port };
	const struct addr *before = NULL;

	t.owned.at = arena_alloc(view->arena, run->count * sizeof(*run->at));
	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];
		const struct addr *peer = &m->sock->peer.addr;

		if (m->owner)
			t.owned.at[t.owned.count++] = *m;
		t.present += m->candidate->present;
		if (is_worse(m, t.worst))
			t.worst = m;
		t.destinations += !before || !addr_equal(before, peer);
		t.networks += !before || !same_network(before, peer);
		t.port = t.port == m->sock->peer.port ? t.port : 0;
		before = peer;
	}
	t.gone = run->count - t.present;
	t.retries = t.worst->sock->retrans;
	t.route = route_for(view, t.worst->sock);
	t.hop = hop_of(t.route);
	return t;
}

static bool is_silent(const struct tally *t)
{
	return t->hop == HOP_SILENT || t->hop == HOP_NO_CARRIER;
}

static bool by_gateway(const struct tally *t)
{
	return t->route && t->route->has & ROUTE_HAS_GATEWAY;
}

static bool by_default(const struct tally *t)
{
	return by_gateway(t) && t->route->is_default;
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	*limit = is_silent(t) ? RETRIES : HELD_RETRIES;
	if (!is_silent(t) || (double)by_default(t) < view->values[CRIT_GATEWAY])
		return SEVERITY_WARNING;
	*limit = CRIT_GATEWAY;
	return SEVERITY_CRITICAL;
}

static double confidence_of(const struct view *view, const struct tally *t)
{
	uint64_t grown;
	double support = view_delta(view, COUNTER_TCP_SPURIOUS_RTX_HOST_QUEUES, &grown) && grown ?
				 SUPPORT_OF_COUNTERS :
				 0;

	if (!t->present)
		return view_confidence(view, CONFIDENCE_GONE + support, false);
	if (is_silent(t))
		return view_confidence(view, CONFIDENCE_UNRESOLVED + support, true);
	return view_confidence(view, CONFIDENCE_HELD + support, false);
}

static void set_scope(struct finding *f, const struct view *view, const struct tally *t)
{
	struct endpoint peer = { .addr = t->worst->sock->peer.addr, .port = t->port };

	finding_owner(f, members_owner(&t->owned));
	if (t->route && t->route->has & ROUTE_HAS_DEVICE)
		f->scope.interface = arena_strdup(view->arena, t->route->device);
	if (t->networks > 1)
		return;
	if (t->destinations > 1) {
		f->scope.peer_bits = peer.addr.family == ADDR_V4 ? 24 : 64;
		peer.addr = addr_prefix(&peer.addr);
	}
	finding_peer(f, &peer);
}

static void add_route(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct route *route = t->route;

	finding_add_text(f, "route", route ? view_route_text(view, &t->worst->sock->peer.addr) : "route unknown",
			 "rtnetlink");
	if (!route)
		return;
	finding_add_text(f, "next_hop",
			 view_addr_text(view, by_gateway(t) ? &route->gateway : &t->worst->sock->peer.addr),
			 "rtnetlink");
	finding_add(f, "default_gateway", by_default(t), UNIT_FLAG, "rtnetlink");
	if (route->has & ROUTE_HAS_NEIGHBOUR)
		finding_add_text(f, "neighbour", route_neighbour_name(route->neighbour_state), "rtnetlink");
	if (route->has & ROUTE_HAS_LINK)
		finding_add(f, "carrier", route->carrier, UNIT_FLAG, "rtnetlink");
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sock *sock = t->worst->sock;

	finding_add(f, "sockets", (double)t->present, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "gone", (double)t->gone, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "oldest", (double)t->worst->age_ms, UNIT_MS, "tcpi_retransmits, tcpi_backoff, idiag_expires");
	finding_add(f, "retries", t->retries, UNIT_COUNT, "tcpi_retransmits");
	finding_add(f, "on_wire", (double)sock_tcpi(sock, TCPI_TOTAL_RETRANS), UNIT_COUNT, "tcpi_total_retrans");
	finding_add(f, "destinations", (double)t->destinations, UNIT_COUNT, "sock_diag");
	finding_add_text(f, "example", view_addr_text(view, &sock->peer.addr), "sock_diag");
	finding_add_text(f, "source", view_addr_text(view, &sock->local.addr), "sock_diag");
	finding_add_text(f, "resolver", sock->peer.addr.family == ADDR_V4 ? "ARP" : "neighbour discovery", "rule");
	add_route(f, view, t);
	finding_address_class(f, &sock->peer.addr);
	finding_counter(f, view, COUNTER_TCP_SPURIOUS_RTX_HOST_QUEUES, "host_queue_retries");
	if (!is_silent(t))
		finding_timeout(f, "connect", MAX(syn_give_up_ms(&view->snap->sysctls) - (double)t->worst->age_ms, 0),
				"tcp_syn_retries, tcp_syn_linear_timeouts");
}

static const char *const queue_causes[] = {
	"a queueing discipline of the interface that is full or set to a rate of almost nothing (tbf, htb)",
	"a driver or a network card whose transmit queue has stopped",
	"a next hop that resolves through another interface than the one the packet was queued on",
	NULL,
};

static const char *const queue_next[] = {
	"tc -s qdisc show dev {interface}",
	"ip -s link show dev {interface}",
	"ip route get {example}",
	NULL,
};

static const char *const queue_fixes[] = {
	"raise or remove the limit of the queueing discipline; look whether its backlog ever shrinks",
	"reset the interface when its transmit counter stands still, and look for a driver message in the kernel's log",
	NULL,
};

static const char *const hop_next[] = {
	"ip neigh show {next_hop}",
	"ip -s link show dev {interface}",
	"ip route get {example}",
	"tcptriage states state syn-sent",
	NULL,
};

static const char *title_of(const struct finding *f, const struct tally *t)
{
	bool peer = f->scope.has_peer;

	if (t->hop == HOP_NO_CARRIER)
		return peer ? "{interface} has no carrier: SYNs of {owner} to {peer} never left this host" :
			      "{interface} has no carrier: SYNs of {owner} to {destinations|destination} never left this host";
	if (t->hop != HOP_SILENT)
		return peer ? "SYNs of {owner} to {peer} wait inside this host and do not get out" :
			      "SYNs of {owner} to {destinations|destination} wait inside this host and do not get out";
	if (!by_gateway(t))
		return "{peer} does not answer {resolver} on {interface}: SYNs of {owner} never left this host";
	if (by_default(t))
		return peer ? "The default gateway {next_hop} does not answer {resolver}: SYNs of {owner} to {peer} never left this host" :
			      "The default gateway {next_hop} does not answer {resolver}: SYNs of {owner} to {destinations|destination} never left this host";
	return peer ? "The gateway {next_hop} does not answer {resolver}: SYNs of {owner} to {peer} never left this host" :
		      "The gateway {next_hop} does not answer {resolver}: SYNs of {owner} to {destinations|destination} never left this host";
}

static void describe(struct finding *f, const struct tally *t)
{
	f->title = title_of(f, t);
	f->detail = t->gone ? "{count|attempt}, {gone} of them ended by now · held for {oldest}: the timer ran out {retries|time}, {on_wire|SYN} repeated on the wire · {address_class}, {route}" :
			      "{count|attempt}, held for {oldest}: the timer ran out {retries|time}, {on_wire|SYN} repeated on the wire · {address_class}, {route}";
	if (is_silent(t))
		f->next = hop_next;
	else if (f->scope.interface) {
		f->causes = queue_causes;
		f->next = queue_next;
		f->fixes = queue_fixes;
	}
}

static void add_doubts(struct finding *f, const struct tally *t)
{
	if (t->hop == HOP_UNKNOWN)
		finding_against(f, "the next hop could not be read (a socket bound to an interface or carrying a mark, a link-local address, or no entry for it)");
	if (t->hop == HOP_RESOLVES)
		finding_against(f, "the next hop resolves: what holds the SYN is the queue of {interface} or its driver");
	if (!t->present)
		finding_against(f, f->scope.pid ? "those seen held have ended; the next hop is still silent, and {owner} tries the same destination again" :
						  "those seen held have ended; the next hop is still silent");
	if (!f->scope.pid)
		finding_against(f, "the owner could not be read");
}

static struct finding *file(const struct view *view, struct sink *sink, const struct members *run,
			    const struct tally *t, enum severity severity)
{
	struct finding *f = sink_finding(sink, severity, confidence_of(view, t));

	f->count = run->count;
	f->scope_factor = by_default(t) ? 1.2 : run->count == 1 ? 0.8 : 1;
	set_scope(f, view, t);
	add_evidence(f, view, t);
	describe(f, t);
	add_doubts(f, t);
	return f;
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	enum limit limit;
	enum severity severity = judge(view, &t, &limit);

	(void)network;
	if (!RULE_MAIN(SYN_LOCAL_STUCK, run->count > 0))
		return;
	finding_threshold(file(view, sink, run, &t, severity), sink, limit);
	if (!is_silent(&t))
		sink_skip_part(sink, "what holds a SYN whose next hop resolves: queueing disciplines and drivers are not read");
}

static bool is_tried_once(const struct view *view, const struct members *run)
{
	return run->count == 1 && hop_of(route_for(view, run->at->sock)) == HOP_SILENT;
}

/* Parts those that were tried once (returned) from the rest (left in @direct, in order). */
static struct members part_tried_once(const struct view *view, struct members *direct)
{
	struct members once = { .at = arena_alloc(view->arena, (direct->count + 1) * sizeof(*once.at)) };
	struct members run;
	size_t kept = 0;

	for (size_t i = 0; i < direct->count; i += run.count) {
		run = members_run(direct, i, members_same_key);
		if (is_tried_once(view, &run)) {
			once.at[once.count++] = *run.at;
			continue;
		}
		for (size_t k = 0; k < run.count; k++)
			direct->at[kept++] = run.at[k];
	}
	direct->count = kept;
	return once;
}

static void file_scan(const struct view *view, struct sink *sink, const struct members *once)
{
	struct tally t = tally_of(view, once);
	struct finding *f;

	if (!RULE_MAIN(SYN_LOCAL_STUCK, once->count > 0))
		return;
	f = file(view, sink, once, &t, SEVERITY_INFO);
	f->confidence = CONFIDENCE_SCAN;
	f->title = "Scanner-like: {owner} tries {destinations} neighbours, once each, that do not answer {resolver}";
	finding_against(f, "a network whose hosts are all cut off looks the same when each is tried once");
	finding_threshold(f, sink, SCAN_REMOTES);
}

/* Many neighbours, each tried once: somebody looks for what exists. Files them as one and takes them out. */
static void take_scan(const struct view *view, struct sink *sink, struct members *direct)
{
	struct members rest = { .at = arena_alloc(view->arena, (direct->count + 1) * sizeof(*rest.at)),
				.count = direct->count };
	struct members once;

	for (size_t i = 0; i < direct->count; i++)
		rest.at[i] = direct->at[i];
	once = part_tried_once(view, &rest);
	if ((double)once.count < view->values[SCAN_REMOTES])
		return;
	file_scan(view, sink, &once);
	*direct = rest;
}

/* Who tries the same destination now is taken for the one who tried it a second ago. */
static void name_owner(struct member *gone, const struct members *young)
{
	for (size_t i = 0; i < young->count && !gone->owner; i++) {
		if (endpoint_equal(&gone->sock->peer, &young->at[i].sock->peer))
			gone->owner = young->at[i].owner;
	}
}

/* Leaves in @all what is held; the most retries among what is no fault, or no longer, is the near miss. */
static unsigned take_others(const struct view *view, struct members *all)
{
	struct members young = { .at = arena_alloc(view->arena, (all->count + 1) * sizeof(*young.at)) };
	unsigned most = 0;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct member *m = &all->at[i];

		if (!m->sock->retrans)
			young.at[young.count++] = *m;
		else if (concerns(view, m))
			all->at[kept++] = *m;
		else
			most = MAX(most, m->sock->retrans);
	}
	all->count = kept;
	for (size_t i = 0; i < kept; i++)
		name_owner(&all->at[i], &young);
	return most;
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect_seen(sink, keep), direct, run;
	unsigned released = take_others(view, &all);
	size_t i;

	members_sort(&all, by_hop);
	for (i = 0; i < all.count && all.at[i].mark; i += run.count) {
		run = members_run(&all, i, members_same_key);
		file_run(view, sink, &run, false);
	}
	direct = (struct members){ .at = all.at + i, .count = all.count - i };
	take_scan(view, sink, &direct);
	members_file_by_network(view, sink, &direct, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && released)
		sink_near_miss(sink, "retries of a SYN that stood in this host for a while", released, HELD_RETRIES);
	sink_skip_history(sink, "next hops that failed between the runs");
}

const struct rule rule_syn_local_stuck = {
	.id = "syn-local-stuck",
	.title = "A SYN never left this host",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO,
	.states = STATE_BIT(SOCK_STATE_SYN_SENT),
	.candidate = candidate,
	.quota = QUOTA,
	.eval = eval,
	.probes = &probes_syn_local_stuck,
	.thresholds = thresholds,
	.explain =
		"connect() sends a SYN, and before it can go out on an Ethernet the kernel has to learn the link address of the next hop: by ARP for IPv4, by neighbour discovery for IPv6. While nobody "
		"answers, the packet waits in the neighbour's queue. The retransmission timer of the socket runs out each second all the same, but the kernel sees that the first SYN is still in this host "
		"and sends none: tcpi_retransmits grows, tcpi_total_retrans stays 0. That pair of numbers tells a SYN that is held here from one that is lost on the way.\n\n"
		"After three unanswered requests, about three seconds, the neighbour entry becomes FAILED and connect() ends with EHOSTUNREACH, so such sockets live short. One that was seen in an earlier "
		"sample counts as long as its next hop is still without answer.\n\n"
		"When the next hop is the default gateway, nothing leaves this network. When it resolves and the SYN is held even so, it stands in the queueing discipline or the driver of the interface.",
	.look_alikes = (const char *const[]){
		"a fresh resolution: it takes less than the second after which the timer first runs out",
		"a next hop that answers late: the SYN goes out, and the attempt is no longer held",
		"SYNs that are lost on the way: they are repeated on the wire (tcpi_total_retrans above 0)",
		"a scanner that tries every address of its own network: many neighbours, once each; reported as info",
		NULL },
	.causes = (const char *const[]){
		"the host, or the gateway, is down or has another address",
		"a wrong netmask: this host believes that a distant address is on its own link",
		"the wrong VLAN, bridge port or cable; a link without carrier",
		"a cloud network that answers only for addresses it has assigned, or proxy ARP that is missing",
		NULL },
	.next = (const char *const[]){
		"ip neigh show",
		"ip route get {example}",
		"tcptriage states state syn-sent",
		NULL },
	.fixes = (const char *const[]){
		"bring the next hop up, or correct its address in the route",
		"correct the netmask of the interface, or the route that makes the destination look local",
		"connect the interface to the right VLAN or bridge",
		NULL },
	.refs = (const char *const[]){ "RFC 1122 §2.3.2", "RFC 1122 §3.3.1", "RFC 4861 §7.2", "RFC 9293 §3.5",
				       "net/ipv4/tcp_output.c (skb_still_in_host_queue)",
				       "net/core/neighbour.c (neigh_timer_handler)", NULL },
	.repro = "connect again and again to an unused address of the host's own network",
};
