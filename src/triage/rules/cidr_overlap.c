/* SPDX-License-Identifier: MIT */
/* cidr-overlap: networks that hide one another, and attempts that die of the address plan. */
#include "../overlap_report.h"
#include "../probes.h"

#include <stdlib.h>

enum limit {
	OVERLAPS,
	RETRIES,
	STALLED,
};

static const struct threshold thresholds[] = {
	[OVERLAPS] = { "overlaps", UNIT_COUNT, 1, "one network inside another is enough to hide what lies there" },
	[RETRIES] = { "retries", UNIT_COUNT, 1, "the first SYN of an attempt may still be answered; a second is sent, or held back, after a second" },
	[STALLED] = { "retries_established", UNIT_COUNT, 3, "an established connection repeats itself now and then; three times in a row is silence" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/* So many destinations are looked up among all routes; the rest is told as not examined. */
#define DESTINATIONS_MAX 256
#define QUOTA 2048

/* How sure: each needs the attempt to have died, and says how little else it could be. */
static const double confidences[PLAN_FAULT_COUNT] = {
	[PLAN_SHADOWED] = 0.85, [PLAN_ELSEWHERE] = 0.8, [PLAN_NOBODY] = 0.4, [PLAN_UNROUTED] = 0.6, [PLAN_EDGE] = 0.9, [PLAN_SOURCE] = 0.45,
};
/* The network that is hidden is a route to a distant place: whether the address lives there or on the link nobody here knows. */
#define CONFIDENCE_DISTANT 0.7

static const enum severity severities[PLAN_FAULT_COUNT] = {
	[PLAN_SHADOWED] = SEVERITY_WARNING, [PLAN_ELSEWHERE] = SEVERITY_WARNING, [PLAN_NOBODY] = SEVERITY_INFO,
	[PLAN_UNROUTED] = SEVERITY_WARNING, [PLAN_EDGE] = SEVERITY_WARNING,	 [PLAN_SOURCE] = SEVERITY_INFO,
};

/** struct suspect - a destination whose attempts died, and what the plan has to do with it. @run: its sockets. */
struct suspect {
	struct members run;
	struct plan_verdict verdict;
};

struct suspects {
	struct suspect *at;
	size_t count;
};

static bool candidate(const struct sock *sock)
{
	return sock->timer == SOCK_TIMER_ON && sock->retrans && !addr_is_loopback(&sock->peer.addr);
}

static bool is_stalled(const struct view *view, const struct sock *sock)
{
	return candidate(sock) && sock->retrans >= view->values[sock->state == SOCK_STATE_SYN_SENT ? RETRIES : STALLED];
}

/* The newest sight of it without answer: a program may have begun anew on the same socket. NULL: it got through. */
static const struct sock *sight_of(const struct view *view, const struct candidate *c)
{
	const struct sock *first = &c->first.sock, *last = &c->last.sock;

	if (is_stalled(view, last))
		return last;
	return last->state == SOCK_STATE_SYN_SENT && is_stalled(view, first) ? first : NULL;
}

/* A socket that is bound to an interface or carries a mark may go another way than is asked about here. */
static bool keep(const struct view *view, struct member *member)
{
	const struct sock *sock = sight_of(view, member->candidate);

	if (!sock || sock->ifindex || (sock->has & SOCK_HAS_MARK && sock->mark))
		return false;
	member->sock = sock;
	return true;
}

static bool same_peer(const struct member *a, const struct member *b)
{
	return addr_equal(&a->key.addr, &b->key.addr);
}

static uint8_t hop_of(const struct route *route)
{
	const uint16_t address = 0x02 | 0x04 | 0x08 | 0x10 | 0x80; /* NUD_REACHABLE, STALE, DELAY, PROBE, PERMANENT */

	if (route_next_hop_fails(route))
		return PLAN_HOP_FAILS;
	return route->has & ROUTE_HAS_NEIGHBOUR && route->neighbour_state & address ? PLAN_HOP_RESOLVES : PLAN_HOP_UNKNOWN;
}

/* Without an answer of the kernel's there is no way to judge. */
static bool way_of(const struct view *view, const struct member *member, struct plan_way *way)
{
	const struct route *route = view->route_of(view, &member->sock->peer.addr);

	if (!route || route->error || route->is_local || !(route->has & ROUTE_HAS_DEVICE))
		return false;
	*way = (struct plan_way){ .destination = member->sock->peer.addr, .source = member->sock->local.addr, .ifindex = route->ifindex,
				  .has_source = true, .hop = hop_of(route) };
	return true;
}

/* Connections to the same network that were opened with an address of the other interface: the way was another one then. */
static bool went_elsewhere(const struct view *view, const struct plan_verdict *v)
{
	const struct net_route *other = v->loser ? v->loser : NULL;
	const struct tuple_group *group;

	for (size_t i = 0; other && (group = snapshot_group(view->snap, i)); i++) {
		const struct link *holder;

		if (!group->outbound || !(group->estab + group->time_wait) || !addr_in_prefix(&group->peer, &v->winner->prefix, v->winner->bits))
			continue;
		holder = address_plan_holder(view->network, &group->local);
		if (holder && holder->ifindex == other->ifindex)
			return true;
	}
	return false;
}

static struct plan_verdict verdict_of(const struct view *view, const struct member *member)
{
	struct plan_verdict v = { .fault = PLAN_FINE };
	struct plan_way way;

	if (!way_of(view, member, &way))
		return v;
	/* one that has ended may have ended well: only a next hop that is still silent tells */
	if (!member->candidate->present && way.hop != PLAN_HOP_FAILS)
		return v;
	v = address_plan_judge(view->network, &way);
	if ((v.fault == PLAN_NOBODY || (v.fault == PLAN_FINE && way.hop != PLAN_HOP_RESOLVES)) && went_elsewhere(view, &v))
		v.fault = PLAN_ELSEWHERE;
	return v;
}

static struct suspects find_suspects(const struct view *view, struct sink *sink)
{
	struct members all = members_collect_seen(sink, keep), run;
	struct suspects found = { .at = arena_alloc(view->arena, (all.count + 1) * sizeof(*found.at)) };
	unsigned asked = 0;

	members_sort(&all, member_by_key);
	for (size_t i = 0; i < all.count; i += run.count) {
		struct suspect one;

		run = members_run(&all, i, same_peer);
		if (asked++ >= DESTINATIONS_MAX) {
			sink_skip_part(sink, arena_printf(view->arena, "more destinations than the %u that are looked up were not examined", DESTINATIONS_MAX));
			break;
		}
		one = (struct suspect){ .run = run, .verdict = verdict_of(view, run.at) };
		if (one.verdict.fault != PLAN_FINE)
			found.at[found.count++] = one;
	}
	return found;
}

static bool belong_together(const struct suspect *a, const struct suspect *b)
{
	struct addr left = addr_prefix(&a->run.at->key.addr), right = addr_prefix(&b->run.at->key.addr);

	if (a->verdict.fault != b->verdict.fault || a->verdict.winner != b->verdict.winner || a->verdict.loser != b->verdict.loser)
		return false;
	/* behind the default route only destinations of one network have something in common */
	return address_plan_is_on_link(a->verdict.winner) ? a->verdict.fault != PLAN_EDGE : addr_equal(&left, &right);
}

/* One destination is named with its port if there is one; several by the network that they have in common. */
static void set_peer(struct finding *f, const struct suspect *first, uint64_t destinations)
{
	struct endpoint peer = first->run.at->sock->peer;
	const struct net_route *winner = first->verdict.winner;

	for (size_t i = 0; i < first->run.count; i++)
		peer.port = first->run.at[i].sock->peer.port == peer.port ? peer.port : 0;
	if (destinations > 1) {
		f->scope.peer_bits = address_plan_is_on_link(winner) ? winner->bits : peer.addr.family == ADDR_V4 ? 24 : 64;
		peer.addr = addr_mask(&peer.addr, f->scope.peer_bits);
		peer.port = 0;
	}
	finding_peer(f, &peer);
}

static double confidence_of(const struct plan_verdict *v)
{
	return v->fault == PLAN_SHADOWED && v->loser->has_gateway ? CONFIDENCE_DISTANT : confidences[v->fault];
}

static void file(const struct view *view, struct sink *sink, const struct suspect *first, size_t count)
{
	enum plan_fault fault = first->verdict.fault;
	struct overlap_case c = { .verdict = first->verdict, .example = first->run.at->sock->peer.addr, .source = first->run.at->sock->local.addr,
				  .destinations = count, .told_by = "sock_diag" };
	struct finding *f;

	for (size_t i = 0; i < count; i++)
		c.sockets += first[i].run.count;
	f = overlap_report(view, sink, &c, severities[fault], view_confidence(view, confidence_of(&first->verdict), true));
	set_peer(f, first, count);
	finding_owner(f, members_owner(&first->run));
	finding_threshold(f, sink, first->run.at->sock->state == SOCK_STATE_SYN_SENT ? RETRIES : STALLED);
}

static int by_fault(const void *left, const void *right)
{
	const struct suspect *a = left, *b = right;

	if (a->verdict.fault != b->verdict.fault)
		return a->verdict.fault < b->verdict.fault ? -1 : 1;
	if (a->verdict.winner != b->verdict.winner)
		return a->verdict.winner < b->verdict.winner ? -1 : 1;
	if (a->verdict.loser != b->verdict.loser)
		return a->verdict.loser < b->verdict.loser ? -1 : 1;
	return addr_compare(&a->run.at->key.addr, &b->run.at->key.addr);
}

static void file_suspects(const struct view *view, struct sink *sink, struct suspects *suspects)
{
	size_t run;

	if (suspects->count)
		qsort(suspects->at, suspects->count, sizeof(*suspects->at), by_fault);
	for (size_t i = 0; i < suspects->count; i += run) {
		run = 1;
		while (i + run < suspects->count && belong_together(&suspects->at[i], &suspects->at[i + run]))
			run++;
		if (RULE_MAIN(CIDR_OVERLAP, run > 0))
			file(view, sink, &suspects->at[i], run);
	}
}

/* Somebody has run into it: that finding says all that this one would. */
static bool is_told(const struct suspects *suspects, const struct overlap *overlap)
{
	for (size_t i = 0; i < suspects->count; i++) {
		const struct plan_verdict *v = &suspects->at[i].verdict;

		if (v->fault == PLAN_SHADOWED && v->winner == overlap->inner && v->loser == overlap->outer)
			return true;
	}
	return false;
}

static void file_overlaps(const struct view *view, struct sink *sink, const struct suspects *suspects)
{
	struct overlaps found = address_plan_overlaps(view->network, view->arena);

	for (size_t i = 0; RULE_MAIN(CIDR_OVERLAP, (double)found.count >= view->values[OVERLAPS]) && i < found.count; i++) {
		if (!is_told(suspects, &found.at[i]))
			finding_threshold(overlap_report_plain(view, sink, &found.at[i]), sink, OVERLAPS);
	}
}

static void eval(const struct view *view, struct sink *sink)
{
	struct suspects suspects;

	if (view->network->disguised) {
		sink_skip(sink, "needs the true addresses: stand-ins (--redact) do not tell which network lies in which");
		return;
	}
	suspects = find_suspects(view, sink);
	file_suspects(view, sink, &suspects);
	file_overlaps(view, sink, &suspects);
	if (view->network->cut)
		sink_skip_part(sink, "interfaces and routes were not read as a whole: overlaps may be missing");
}

const struct rule rule_cidr_overlap = {
	.id = "cidr-overlap",
	.title = "Networks of this host hide one another, or an address cannot be reached from it",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_NETWORK,
	.states = STATE_BIT(SOCK_STATE_SYN_SENT) | STATE_BIT(SOCK_STATE_ESTAB),
	.candidate = candidate,
	.quota = QUOTA,
	.eval = eval,
	.probes = &probes_cidr_overlap,
	.thresholds = thresholds,
	.explain =
		"The kernel sends a packet by the route with the longest prefix that contains its destination, and a network on one of its own links is such a route. When Docker takes 172.17.0.0/16 for its bridge and a database lives at "
		"172.17.3.4 behind the VPN, packets to the database are looked for on the bridge: nobody answers ARP there, connect() ends with \"no route to host\", and everything else works. Private ranges are given out many times over, "
		"so this happens whenever two networks meet.\n\n"
		"The rule reads interfaces, addresses and routes. Networks on the links of two interfaces that lie in each other, or are the same, are worth knowing. It becomes a warning when an attempt to an address there stands "
		"without answer, and critical together with the rule that tells of the attempt.\n\n"
		"Attempts without answer are also judged by themselves: a private address that leaves by an interface on which there are only global ones; the network or broadcast address of a connected network; a private source address that "
		"belongs to another interface than the one by which the packets leave for the Internet. And a network made on this host that has the address, though nobody there has ever answered: that may as well be a "
		"container that is gone, so it is told with little confidence unless connections to the same network came from another interface before.",
	.look_alikes = (const char *const[]){
		"a route that is more specific than another one: that is what routing is made of; only networks on a link hide",
		"a VPN that takes everything by 0.0.0.0/1 and 128.0.0.0/1",
		"single addresses (/32, /128), point-to-point networks, link-local and multicast ones: no overlap",
		"several addresses of one network on one interface",
		"the same network in another namespace, VRF or table",
		"a host of a connected network that is down: see syn-local-stuck",
		NULL },
	.causes = (const char *const[]){
		"a network of containers or virtual machines was given a range that is in use elsewhere",
		"a VPN or a peering brings a range that overlaps with a local one",
		"a netmask that is too wide, or a route that is missing",
		NULL },
	.next = (const char *const[]){
		"ip route show table all",
		"ip addr show",
		NULL },
	.fixes = (const char *const[]){
		"give one of the two another range: \"bip\" and \"default-address-pools\" of Docker's daemon.json, the pod range of the cluster, the pool of the VPN",
		"until then, a more specific route for what has to be reached",
		NULL },
	.refs = (const char *const[]){ "RFC 4632 §3.1", "RFC 4632 §5.1", "RFC 1918 §3", "RFC 6598 §7", "RFC 1122 §3.3.1", "net/ipv4/fib_trie.c (fib_table_lookup)",
				       "net/ipv4/arp.c (arp_solicit)", NULL },
	.repro = "a veth with 10.71.2.1/25 on a host that has a route to 10.71.2.0/24; connect to 10.71.2.2 behind it",
};
