/* SPDX-License-Identifier: MIT */
/* syn-sent-stall: connection attempts get no answer. */
#include "../kit.h"
#include "../packets.h"
#include "../probes.h"
#include "tcptriage/model/timers.h"

enum limit {
	AGE,
	RETRIES,
	CRIT_SOCKETS,
	CRIT_AGE,
	CRIT_RATIO,
	RATIO_ATTEMPTS,
	SCAN_REMOTES,
	PREFIX_REMOTES,
	SYN_LOSS,
};

static const struct threshold thresholds[] = {
	[AGE] = { "age", UNIT_MS, 3000, "one lost SYN costs one second; two in a row at 1 % loss happen once in ten thousand" },
	[RETRIES] = { "retries", UNIT_COUNT, 1, "a SYN that was never sent again, or never left the host, is another story" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 3, "several attempts to one destination fail together: not a lost packet" },
	[CRIT_AGE] = { "critical_age", UNIT_MS, 15000, "longer than the connect timeout of most programs" },
	[CRIT_RATIO] = { "critical_ratio", UNIT_RATIO, 0.5, "half of the recent attempts to this destination are without answer" },
	[RATIO_ATTEMPTS] = { "ratio_attempts", UNIT_COUNT, 3, "a ratio of fewer attempts says nothing" },
	[SCAN_REMOTES] = { "scan_remotes", UNIT_COUNT, 16, "one process that tries so many destinations once each is looking for what exists" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "silent neighbours share a network and most likely a cause" },
	[SYN_LOSS] = { "syn_loss", UNIT_RATIO, 0.05, "retransmitted SYNs for each connection opened; healthy networks stay below one in a hundred" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_ONE_SOCKET 0.8
#define CONFIDENCE_SEVERAL 0.88
#define SUPPORT_OF_COUNTERS 0.04
#define DNS_PORT 53

/** struct tally - what stands against one destination or network. */
struct tally {
	const struct member *oldest;
	uint64_t remotes, answered, established;
	double ratio;
	bool fallback;
};

static bool candidate(const struct sock *sock)
{
	return sock->timer == SOCK_TIMER_ON && sock->retrans > 0;
}

static bool keep(const struct view *view, struct member *member)
{
	const struct sock *sock = member->sock;

	return sock->state == SOCK_STATE_SYN_SENT && sock->timer == SOCK_TIMER_ON &&
	       (double)member->age_ms >= view->values[AGE] &&
	       (double)sock_tcpi(sock, TCPI_TOTAL_RETRANS) >= view->values[RETRIES];
}

/* IPv6 is silent while the same process has the same service over IPv4: a program with fallback hides the fault. */
static bool has_fallback(const struct view *view, const struct member *member)
{
	const struct tuple_group *group;
	const struct process *owner;

	if (member->key.addr.family != ADDR_V6 || !member->owner)
		return false;
	for (size_t i = 0; (group = snapshot_group(view->snap, i)); i++) {
		if (!group->outbound || group->peer.family != ADDR_V4 || !group->estab_young ||
		    group->peer_port != member->key.port)
			continue;
		owner = view_owner_of_inode(view, group->inode);
		if (owner && owner->pid == member->owner->pid)
			return true;
	}
	return false;
}

static void count_answered(const struct view *view, struct tally *t, const struct member *member)
{
	const struct tuple_group *group = snapshot_group_find(
		view->snap, &member->sock->local.addr, &member->key.addr, member->key.port);

	if (!group)
		return;
	t->answered += group->estab_young;
	t->established += group->estab;
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .oldest = run->at };
	const struct member *before = NULL;

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];

		if (m->age_ms > t.oldest->age_ms)
			t.oldest = m;
		if (!before || !members_same_key(before, m)) {
			t.remotes++;
			count_answered(view, &t, m);
		}
		before = m;
	}
	t.ratio = (double)run->count / (double)(run->count + t.answered);
	t.fallback = has_fallback(view, t.oldest);
	return t;
}

static enum severity judge(const struct view *view, const struct members *run,
			   const struct tally *t, enum limit *limit)
{
	const double *l = view->values;
	double attempts = (double)(run->count + t->answered);

	*limit = AGE;
	if (t->fallback)
		return SEVERITY_WARNING;
	if ((double)t->oldest->age_ms >= l[CRIT_AGE])
		*limit = CRIT_AGE;
	else if ((double)run->count >= l[CRIT_SOCKETS])
		*limit = CRIT_SOCKETS;
	else if (attempts >= l[RATIO_ATTEMPTS] && t->ratio >= l[CRIT_RATIO])
		*limit = CRIT_RATIO;
	return *limit == AGE ? SEVERITY_WARNING : SEVERITY_CRITICAL;
}

static double confidence_of(const struct view *view, const struct members *run)
{
	uint64_t retrans, opens;
	double confidence = run->count > 1 ? CONFIDENCE_SEVERAL : CONFIDENCE_ONE_SOCKET;

	if (view_delta(view, COUNTER_TCP_SYN_RETRANS, &retrans) &&
	    view_delta(view, COUNTER_TCP_ACTIVE_OPENS, &opens) &&
	    (double)retrans > view->values[SYN_LOSS] * (double)opens)
		confidence += SUPPORT_OF_COUNTERS;
	return view_confidence(view, confidence, false);
}

static void add_evidence(struct finding *f, const struct view *view, const struct members *run,
			 const struct tally *t)
{
	const struct sock *sock = t->oldest->sock;
	const struct addr *to = &sock->peer.addr;
	double left = MAX(syn_give_up_ms(&view->snap->sysctls) - (double)t->oldest->age_ms, 0);

	finding_add(f, "sockets", (double)run->count, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "oldest", (double)t->oldest->age_ms, UNIT_MS, "tcpi_retransmits, tcpi_backoff, idiag_expires");
	finding_add(f, "retries", (double)sock_tcpi(sock, TCPI_TOTAL_RETRANS), UNIT_COUNT, "tcpi_total_retrans");
	finding_add(f, "next_retry", sock->expires_ms, UNIT_MS, "idiag_expires");
	finding_timeout(f, "connect", left, "tcp_syn_retries, tcp_syn_linear_timeouts");
	finding_add(f, "remotes", (double)t->remotes, UNIT_COUNT, "sock_diag");
	finding_add(f, "answered", (double)t->answered, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "established", (double)t->established, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "ratio", t->ratio, UNIT_RATIO, "rule");
	finding_add_text(f, "example", view_addr_text(view, to), "sock_diag");
	finding_add_text(f, "source", view_addr_text(view, &sock->local.addr), "sock_diag");
	finding_add_text(f, "route", view_route_text(view, to), "rtnetlink");
	finding_address_class(f, to);
	finding_counter(f, view, COUNTER_TCP_SYN_RETRANS, "syn_retransmits");
	finding_counter(f, view, COUNTER_TCP_ACTIVE_OPENS, "active_opens");
}

static void add_doubts(struct finding *f, const struct tally *t)
{
	if (t->established)
		finding_against(f, "{established|other connection} to the same address and port established: some are let in, a full accept queue there does that too");
	if (!f->scope.pid)
		finding_against(f, "the owner could not be read");
}

static double scope_factor(const struct members *run, const struct tally *t)
{
	if (addr_is_loopback(&t->oldest->key.addr))
		return 0.8;
	if (t->oldest->key.port == DNS_PORT)
		return 1.2;
	return run->count == 1 ? 0.8 : 1;
}

static void describe(struct finding *f, const struct tally *t)
{
	f->title = t->fallback ?
			   "IPv6 to {peer} gets no answer, hidden by fallback: {owner} reaches the same service over IPv4" :
			   "Connection attempts get no answer: {owner} waits for {peer}";
	f->detail = "{count|attempt}, oldest {oldest}, {retries} SYNs repeated, next in {next_retry} · gives up in {gives_up} · {address_class}, {route}";
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	enum limit limit;
	struct finding *f;
	enum severity severity;

	if (!RULE_MAIN(SYN_SENT_STALL, run->count > 0))
		return;
	severity = judge(view, run, &t, &limit);
	f = sink_finding(sink, severity, confidence_of(view, run));
	f->count = run->count;
	f->share = t.ratio;
	f->scope_factor = scope_factor(run, &t);
	finding_owner(f, members_owner(run));
	finding_members(f, run, network);
	add_evidence(f, view, run, &t);
	describe(f, &t);
	add_doubts(f, &t);
	finding_threshold(f, sink, limit);
}

/* Each destination once, nothing answered anywhere: a scan, or a health check of what is not there. */
static bool looks_like_scan(const struct view *view, const struct members *run)
{
	struct tally t;

	if (!run->at->owner || (double)run->count < view->values[SCAN_REMOTES] ||
	    members_remotes(run) != run->count)
		return false;
	t = tally_of(view, run);
	return !t.established;
}

static void file_scan(const struct view *view, struct sink *sink, const struct members *run)
{
	struct tally t = tally_of(view, run);
	struct finding *f;

	if (!RULE_MAIN(SYN_SENT_STALL, run->count > 0))
		return;
	f = sink_finding(sink, SEVERITY_INFO, confidence_of(view, run));
	f->count = run->count;
	finding_owner(f, run->at->owner);
	add_evidence(f, view, run, &t);
	f->title = "Scanner-like: {owner} waits for {remotes|silent destination}, one attempt each";
	f->detail = "oldest {oldest} · for example {example} · none of them has another connection";
	finding_against(f, "a dead network behind one route looks the same when every destination is tried once");
	finding_threshold(f, sink, SCAN_REMOTES);
}

/* Reports scanners and takes them out; what remains is sorted by destination. */
static void take_scans(const struct view *view, struct sink *sink, struct members *all)
{
	struct members run;
	size_t kept = 0;

	members_sort(all, member_by_owner_and_key);
	for (size_t i = 0; i < all->count; i += run.count) {
		run = members_run(all, i, members_same_owner);
		if (looks_like_scan(view, &run)) {
			file_scan(view, sink, &run);
			continue;
		}
		for (size_t k = 0; k < run.count; k++)
			all->at[kept++] = run.at[k];
	}
	all->count = kept;
	members_sort(all, member_by_key);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep);
	int64_t oldest = view->snap->oldest_ms[SOCK_STATE_SYN_SENT];

	take_scans(view, sink, &all);
	members_file_by_network(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && oldest >= 0)
		sink_near_miss(sink, "oldest SYN-SENT", (double)oldest, AGE);
	if (view->snap->samples < 2)
		sink_skip_part(sink, "support by counters: one sample shows no growth");
}

const struct rule rule_syn_sent_stall = {
	.id = "syn-sent-stall",
	.title = "Connection attempts get no answer",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO,
	.states = STATE_BIT(SOCK_STATE_SYN_SENT),
	.candidate = candidate,
	.eval = eval,
	.packets = &packets_syn_sent_stall,
	.probes = &probes_syn_sent_stall,
	.thresholds = thresholds,
	.explain =
		"connect() sends a SYN and waits in SYN-SENT for the answer. A closed port answers with RST and a router that refuses answers with an ICMP error, and either ends the "
		"attempt at once. A socket that stands in SYN-SENT therefore means silence: the SYN is lost on its way, or the answer is.\n\n"
		"The kernel repeats the SYN after one second. Newer kernels repeat it a few times at that pace before the wait doubles (tcp_syn_linear_timeouts), older ones double it from the start. "
		"With the default settings connect() gives up with ETIMEDOUT after about 130 seconds, much later than users do. The age shown is computed from the kernel's own count of "
		"retries, backoff and the running timer; it is exact to a few percent.\n\n"
		"A full accept queue on the server looks the same from here, for the server drops the SYN without a word.",
	.look_alikes = (const char *const[]){
		"a SYN that never left this host because the next hop does not resolve: no SYN was repeated on the wire (tcpi_total_retrans 0)",
		"a refusal by RST or ICMP: the attempt ends at once, no socket stands",
		"one lost SYN: it is answered after one second, below the age limit",
		"a scanner or a health check: many destinations, one attempt each; reported as info",
		NULL },
	.causes = (const char *const[]){
		"a firewall or security group drops the SYN, or the SYN-ACK on its way back",
		"the server's accept queue is full, and it drops SYNs",
		"a route is missing or asymmetric, and the answer is dropped (rp_filter)",
		"the host is down, or the address is wrong",
		"a NAT on the way has no ports or table entries left",
		"a middlebox eats SYNs with options it does not know (Fast Open, ECN)",
		NULL },
	.next = (const char *const[]){
		"tcptriage trace {service}",
		"ip route get {example}",
		"tcptriage states state syn-sent dst {peer}",
		"nstat -az TcpExtListenDrops TcpExtListenOverflows TcpExtIPReversePathFilter # on the server",
		NULL },
	.fixes = (const char *const[]){
		"open the path: firewall, security group, or start what should answer",
		"correct the route, in both directions",
		"give the program a connect timeout of its own (3 to 10 s) instead of the kernel's",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.5", "RFC 9293 §3.8.3", "RFC 9293 §3.10.7.3",
				       "RFC 6298 §2", "RFC 6298 §5",
				       "net/ipv4/tcp_timer.c (tcp_retransmit_timer)", NULL },
	.repro = "a router drops TCP to one port (nft: tcp dport 7777 drop); connect to it through the router",
};
