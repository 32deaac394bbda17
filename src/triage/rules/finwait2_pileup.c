/* SPDX-License-Identifier: MIT */
/* finwait2-pileup: we have closed our half, the peer does not close its own. */
#include "../kit.h"

#include <stdlib.h>

/* Gate of candidate() and default of the threshold: younger sockets are not remembered. */
#define AGE_GATE_MS 60000
#define CONFIDENCE_COUNTED 0.85
#define CONFIDENCE_WAITING 0.8
#define CONFIDENCE_HIDDEN 0.6

enum limit {
	ORPHANS,
	ATTACHED,
	AGE,
	PREFIX_REMOTES,
	SHARE,
	PREFIXES,
};

static const struct threshold thresholds[] = {
	[ORPHANS] = { "orphans", UNIT_SOCKETS, 500, "closed by us, and after ten seconds not by the peer: a peer that closes takes a round trip" },
	[ATTACHED] = { "attached", UNIT_SOCKETS, 20, "half-closed connections that a program keeps; fewer are an ordinary number of answers under way" },
	[AGE] = { "age", UNIT_MS, AGE_GATE_MS, "nothing at all from the peer for a minute after our end: an answer in the making sends now and then" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "that many remotes of one network with the same trouble share its cause" },
	[SHARE] = { "share", UNIT_PERCENT, 1, "of a listener's connections; clients on the Internet vanish all the time" },
	[PREFIXES] = { "prefixes", UNIT_COUNT, 5, "networks of clients; fewer are one provider or one place" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/** struct pile - the orphans towards one remote. @key: the remote; port 0 for one that came to us. */
struct pile {
	const struct tuple_group *group;
	struct endpoint key;
	bool public;
};

/** struct piles - some of them. */
struct piles {
	struct pile *at;
	size_t count;
};

/** struct sum - a run of piles in numbers. */
struct sum {
	uint64_t orphans, old, remotes, networks, estab;
	uint32_t oldest_ms;
	bool same_port;
};

/* --- orphans: exact counts, by group */

static struct piles collect_piles(const struct view *view)
{
	const struct tuple_group *g;
	struct piles piles = { .count = 0 };
	size_t all = 0;

	for (size_t i = 0; (g = snapshot_group(view->snap, i)); i++)
		all += g->unclosed_old > 0;
	piles.at = arena_alloc(view->arena, (all + 1) * sizeof(*piles.at));
	for (size_t i = 0; (g = snapshot_group(view->snap, i)); i++) {
		if (g->unclosed_old)
			piles.at[piles.count++] = (struct pile){
				.group = g,
				.key = { .addr = g->peer, .port = g->peer_port },
				.public = !g->outbound && addr_is_global(&g->peer),
			};
	}
	return piles;
}

static int by_place(const void *left, const void *right)
{
	const struct pile *a = left, *b = right;
	int order;

	if (a->public != b->public)
		return a->public ? 1 : -1;
	if (a->public && a->group->unclosed_port != b->group->unclosed_port)
		return a->group->unclosed_port < b->group->unclosed_port ? -1 : 1;
	order = addr_compare(&a->key.addr, &b->key.addr);
	if (order)
		return order;
	if (a->key.port != b->key.port)
		return a->key.port < b->key.port ? -1 : 1;
	return addr_compare(&a->group->local, &b->group->local);
}

static bool same_remote(const struct pile *a, const struct pile *b)
{
	return a->public == b->public && endpoint_equal(&a->key, &b->key);
}

static bool same_network(const struct pile *a, const struct pile *b)
{
	struct addr left = addr_prefix(&a->key.addr), right = addr_prefix(&b->key.addr);

	return a->public == b->public && addr_equal(&left, &right);
}

static bool same_listener(const struct pile *a, const struct pile *b)
{
	return a->public == b->public && a->group->unclosed_port == b->group->unclosed_port;
}

static struct piles run_of(const struct piles *piles, size_t from,
			   bool (*same)(const struct pile *, const struct pile *))
{
	struct piles run = { .at = piles->at + from, .count = 1 };

	while (from + run.count < piles->count && same(run.at, run.at + run.count))
		run.count++;
	return run;
}

static struct sum sum_of(const struct piles *run)
{
	struct sum s = { .same_port = true };

	for (size_t i = 0; i < run->count; i++) {
		const struct pile *pile = &run->at[i];

		s.orphans += pile->group->unclosed;
		s.old += pile->group->unclosed_old;
		s.estab += pile->group->estab;
		s.oldest_ms = MAX(s.oldest_ms, pile->group->unclosed_ms);
		s.remotes += !i || !same_remote(pile - 1, pile);
		s.networks += !i || !same_network(pile - 1, pile);
		s.same_port &= pile->group->unclosed_port == run->at->group->unclosed_port;
	}
	return s;
}

/* Clients on the Internet: more than background when they are many, from many places, and a share of all that the listener serves. */
static bool clients_stand_out(const struct view *view, const struct piles *run, const struct sum *s)
{
	struct endpoint local = { .addr = run->at->group->local,
				  .port = run->at->group->unclosed_port };
	const struct listener *listener = snapshot_listener_for(view->snap, &local);

	return listener && listener->estab &&
	       100.0 * (double)s->old / listener->estab >= view->values[SHARE] &&
	       (double)s->networks >= view->values[PREFIXES];
}

static void add_orphans(struct finding *f, const struct view *view, const struct sum *s)
{
	finding_add(f, "orphans", (double)s->orphans, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "unclosed", (double)s->old, UNIT_SOCKETS, "idiag_expires");
	finding_add(f, "oldest", s->oldest_ms, UNIT_MS, "idiag_expires");
	finding_add(f, "established", (double)s->estab, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "remotes", (double)s->remotes, UNIT_COUNT, "sock_diag");
	finding_timeout(f, "close", view->snap->fin_timeout_ms, "tcp_fin_timeout");
}

static void scope_orphans(struct finding *f, const struct piles *run, const struct sum *s, bool network)
{
	const struct pile *first = run->at;
	struct endpoint local = { .addr = first->group->local, .port = first->group->unclosed_port };
	struct endpoint peer = first->key;

	if (!first->group->outbound && (first->public || s->same_port))
		finding_local(f, &local);
	if (first->public)
		return;
	for (size_t i = 0; network && i < run->count; i++)
		peer.port = run->at[i].key.port == peer.port ? peer.port : 0;
	if (network) {
		f->scope.peer_bits = peer.addr.family == ADDR_V4 ? 24 : 64;
		peer.addr = addr_prefix(&peer.addr);
	}
	finding_peer(f, &peer);
}

static void describe_orphans(struct finding *f, const struct piles *run)
{
	bool port = f->scope.has_local;

	f->title = run->at->public ? "{count|client} of port {local_port} have not closed connections that this side has closed" :
		   port		   ? "{peer} does not close {count|connection} to port {local_port} that this side has closed" :
				     "{peer} does not close {count|connection} that this side has closed";
	f->detail = "{orphans} stand in FIN-WAIT-2 here, {count} of them for so long that the peer's program must have seen the end; oldest {oldest} · the kernel drops each after {gives_up} · at the remote they are in CLOSE-WAIT until its program closes them";
	finding_against(f, "here they cost next to nothing, and never stand longer than {gives_up}: the harm is the remote's");
	finding_against(f, "a program that sets TCP_LINGER2 lower makes its sockets look older than they are");
	if (run->at->public)
		finding_against(f, "clients on the Internet that vanished look the same, and one run shows no rise");
}

static void file_piles(const struct view *view, struct sink *sink, const struct piles *run, bool network)
{
	struct sum s = sum_of(run);
	bool public = run->at->public;
	struct finding *f;

	if (!RULE_MAIN(FINWAIT2_PILEUP, (double)s.old >= view->values[ORPHANS]) ||
	    (public && !clients_stand_out(view, run, &s)))
		return;
	f = sink_finding(sink, public ? SEVERITY_INFO : SEVERITY_WARNING,
			 view_confidence(view, CONFIDENCE_COUNTED, false));
	f->count = s.old;
	scope_orphans(f, run, &s, network);
	add_orphans(f, view, &s);
	describe_orphans(f, run);
	finding_threshold(f, sink, ORPHANS);
}

static uint64_t eval_orphans(const struct view *view, struct sink *sink)
{
	struct piles all = collect_piles(view), network, run;
	uint64_t largest = 0;

	qsort(all.at, all.count, sizeof(*all.at), by_place);
	for (size_t i = 0; i < all.count; i += network.count) {
		network = run_of(&all, i, all.at[i].public ? same_listener : same_network);
		largest = MAX(largest, sum_of(&network).old);
		if (all.at[i].public || (double)sum_of(&network).remotes >= view->values[PREFIX_REMOTES]) {
			file_piles(view, sink, &network, !all.at[i].public);
			continue;
		}
		for (size_t k = 0; k < network.count; k += run.count) {
			run = run_of(&network, k, same_remote);
			file_piles(view, sink, &run, false);
		}
	}
	return largest;
}

/* --- attached: our program has called shutdown() and keeps the descriptor */

/* The application is idle, but answers to our keepalives hide for how long the peer has been silent. */
static bool is_hidden(const struct sock *sock)
{
	return sock->timer == SOCK_TIMER_KEEPALIVE && sock_idle_ms(sock) >= AGE_GATE_MS;
}

static bool candidate(const struct sock *sock)
{
	if (!sock->inode)
		return false;
	return !sock->info.len || sock_tcpi(sock, TCPI_LAST_ACK_RECV) >= AGE_GATE_MS || is_hidden(sock);
}

/* @mark: of unknown age. */
static bool keep(const struct view *view, struct member *member)
{
	const struct sock *sock = member->sock;

	if (sock->state != SOCK_STATE_FIN_WAIT_2 || !sock->inode || !sock->info.len)
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	member->mark = (double)member->age_ms < view->values[AGE];
	return !member->mark || is_hidden(sock);
}

static uint64_t count_hidden(const struct members *run)
{
	uint64_t hidden = 0;

	for (size_t i = 0; i < run->count; i++)
		hidden += run->at[i].mark;
	return hidden;
}

/* Return: whether the run is worth a finding; those of unknown age make no more than a note. */
static bool judge(const struct view *view, const struct members *run, uint64_t hidden,
		  enum severity *severity)
{
	bool public = member_is_public(run->at);
	bool aged = (double)(run->count - hidden) >= view->values[ATTACHED];

	*severity = aged && !public ? SEVERITY_WARNING : SEVERITY_INFO;
	return (double)run->count >= view->values[ATTACHED] &&
	       (!public || members_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]));
}

static void describe_attached(struct finding *f, const struct members *run, bool certain)
{
	f->title = f->scope.has_peer ? "{owner} has ended its half of {count|connection}, {peer} does not end its own" :
				       "{owner} has ended its half of {count|connection} on port {local_port}, the clients do not end their own";
	f->detail = certain ? "{waiting} in FIN-WAIT-2 without a word from the peer for {oldest} at most, a minute at least · no timer runs: without keepalives they stand for ever" :
			      "in FIN-WAIT-2, idle for a minute and more · keepalives are answered, which hides since when: {hidden} of {count}";
	if (!certain)
		finding_against(f, "the end may have been sent a moment ago: look again in a minute");
	finding_against(f, "a peer that works on its answer for minutes without sending any of it looks the same");
	if (member_is_public(run->at))
		finding_against(f, "clients on the Internet that vanished look the same, and one run shows no rise");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run, bool network)
{
	uint64_t hidden = count_hidden(run);
	enum severity severity;
	bool certain;
	struct finding *f;

	if (!RULE_MAIN(FINWAIT2_PILEUP, judge(view, run, hidden, &severity)))
		return;
	certain = (double)(run->count - hidden) >= view->values[ATTACHED];
	f = sink_finding(sink, severity,
			 view_confidence(view, certain ? CONFIDENCE_WAITING : CONFIDENCE_HIDDEN, false));
	f->count = run->count;
	finding_members(f, run, network);
	finding_process(f, view, members_owner(run));
	finding_add(f, "waiting", (double)(run->count - hidden), UNIT_SOCKETS, "tcpi_last_ack_recv");
	finding_add(f, "hidden", (double)hidden, UNIT_SOCKETS, "idiag_timer");
	finding_add(f, "oldest", (double)members_oldest_ms(run), UNIT_MS, "tcpi_last_ack_recv");
	finding_add(f, "remotes", (double)members_remotes(run), UNIT_COUNT, "sock_diag");
	finding_timeout(f, "close", -1, "rule");
	describe_attached(f, run, certain);
	finding_threshold(f, sink, ATTACHED);
}

static void eval(const struct view *view, struct sink *sink)
{
	uint64_t orphans = eval_orphans(view, sink);
	struct members all = members_collect(sink, keep);

	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && orphans)
		sink_near_miss(sink, "connections that one network does not close", (double)orphans, ORPHANS);
	if (!sink->filed && all.count)
		sink_near_miss(sink, "half-closed connections without a word from the peer", (double)all.count, ATTACHED);
	if (!view->snap->has_tcp_info && view->snap->kept[sink->index])
		sink_skip_part(sink, "half-closed connections that a program holds: the kernel delivered no tcp_info");
	if (view->snap->groups_dropped)
		sink_skip_part(sink, "remotes with few connections: there are more than are kept");
	sink_skip_history(sink, "whether the number grows");
}

const struct rule rule_finwait2_pileup = {
	.id = "finwait2-pileup",
	.title = "Peers do not close their half of the connection",
	.needs = RULE_NEEDS_SOCKETS,
	.states = STATE_BIT(SOCK_STATE_FIN_WAIT_2),
	.candidate = candidate,
	.quota = 2048,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"A connection is closed when both sides have said that they are done. FIN-WAIT-2 means: we have, the peer has acknowledged it, and its own FIN has not come. The peer's kernel has told its program "
		"that the end is reached, and waits in CLOSE-WAIT for the program to close. Many sockets in FIN-WAIT-2 here are the mirror of a CLOSE-WAIT leak over there.\n\n"
		"There are two kinds. Where our program has called close(), no process is left to be told: the kernel keeps a small record without buffers and drops it after tcp_fin_timeout, 60 seconds by default. "
		"Their number is bounded by sixty seconds of closes, and they harm nothing here; at the remote the sockets stay until its descriptors run out. Counted are those of ten seconds or more (or of half of "
		"tcp_fin_timeout, if that is less), which a peer that closes never reaches.\n\n"
		"Where our program has called shutdown() for sending and keeps the descriptor, it waits for the peer's answer or end, and no timer runs: such a socket stands for ever when the peer never closes. "
		"The age is the time since the peer was last heard; where our own keepalives are answered it cannot be told.",
	.look_alikes = (const char *const[]){
		"a high rate of closes to a peer that closes after a moment: many, and all of them young",
		"a half-close in use: the peer still sends its answer, so it was heard a moment ago",
		"clients on the Internet that vanished after the server closed an idle connection: reported as info at most",
		"a program that sets TCP_LINGER2: its sockets end earlier than tcp_fin_timeout says, and look older",
		NULL },
	.causes = (const char *const[]){
		"the program at the remote never closes: a missing close() on an error path, a connection pool that does not notice the end",
		"the program at the remote hangs: it does not come back to read the end of the stream",
		"the peer waits for something from us: both sides wait for each other's end",
		"the peer or the path died after it had acknowledged our FIN",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -o state fin-wait-2 dst {peer}",
		"tcptriage states state fin-wait-2 pid = {pid}",
		"tcptriage states --group-by peer state fin-wait-2",
		"cat /proc/{pid}/stack",
		NULL },
	.fixes = (const char *const[]){
		"at the remote: find the program with sockets in CLOSE-WAIT ('tcptriage report' there), and let it close them",
		"here, where shutdown() is called: close() when nothing more is expected, or set SO_RCVTIMEO and close when it passes",
		"keepalives on half-closed sockets end those whose peer is gone",
		"no kernel setting at the remote helps: no timer runs in CLOSE-WAIT",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.3.2", "RFC 9293 §3.6", "RFC 9293 §3.6.1",
				       "net/ipv4/tcp.c (tcp_close)", "net/ipv4/tcp_minisocks.c (tcp_time_wait)",
				       "Documentation/networking/ip-sysctl.rst (tcp_fin_timeout)", NULL },
	.repro = "a server accepts 520 connections and closes none, the client closes all of them; or calls shutdown(SHUT_WR) on 20 and waits a minute",
};
