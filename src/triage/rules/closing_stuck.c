/* SPDX-License-Identifier: MIT */
/* closing-stuck: a close that does not come to its end. */
#include "../kit.h"
#include "tcptriage/model/timers.h"

/* Gate of candidate() and default of the threshold: fewer timeouts in a row are not remembered. */
#define BACKOFF_GATE 3
#define CONFIDENCE_SILENT 0.85
#define CONFIDENCE_NOT_READING 0.85
#define SINGLE_SOCKET 0.8
#define MOST 2

enum limit {
	BACKOFF,
	NOT_READING,
	SOCKETS,
	AGE,
	CRIT_SOCKETS,
	CRIT_ORPHANS,
	PREFIX_REMOTES,
	SHARE,
	PREFIXES,
};

static const struct threshold thresholds[] = {
	[BACKOFF] = { "backoff", UNIT_COUNT, BACKOFF_GATE, "three timeouts in a row without an answer; one or two lost segments are ordinary loss" },
	[NOT_READING] = { "not_reading", UNIT_MS, 10000, "of a window of zero; a reader of 40 kB/s opens it only every two seconds, for it frees whole received packets of up to 64 kB" },
	[SOCKETS] = { "sockets", UNIT_SOCKETS, 10, "several at once are a path or a peer, not a single client that went away" },
	[AGE] = { "age", UNIT_MS, 30000, "seven doublings from 200 ms: a path that is only slow has answered long before" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 1000, "each holds its buffers in kernel memory and its port until the kernel gives up" },
	[CRIT_ORPHANS] = { "critical_orphans", UNIT_PERCENT, 50, "of tcp_max_orphans; beyond that limit closes end with a reset, and data not yet delivered is lost" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "that many remotes of one network with the same trouble share its cause" },
	[SHARE] = { "share", UNIT_PERCENT, 1, "of a listener's connections; clients on the Internet vanish all the time" },
	[PREFIXES] = { "prefixes", UNIT_COUNT, 5, "networks of clients; fewer are one provider or one place" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/** struct tally - the stuck sockets of a run. @worst: the oldest. @port: our port when all came in by one listener, 0 otherwise. */
struct tally {
	uint64_t sockets, states[SOCK_STATE_COUNT], probing, attached, send_q;
	int64_t oldest_ms;
	uint16_t port;
	const struct sock *worst;
};

static bool is_closing(const struct sock *sock)
{
	return sock->state == SOCK_STATE_FIN_WAIT_1 || sock->state == SOCK_STATE_LAST_ACK ||
	       sock->state == SOCK_STATE_CLOSING;
}

/* A cheap dump tells the timer and, while it is that of retransmission, how often it ran out. */
static bool candidate(const struct sock *sock)
{
	if (sock->timer != SOCK_TIMER_ON && sock->timer != SOCK_TIMER_PERSIST)
		return false;
	if (!sock->info.len)
		return sock->timer == SOCK_TIMER_PERSIST || sock->retrans >= BACKOFF_GATE;
	return sock_tcpi(sock, TCPI_BACKOFF) >= BACKOFF_GATE;
}

/* A reader that takes something once in a while is slow, not gone. */
static bool is_not_read(const struct view *view, struct member *member)
{
	member->age_ms = sock_probing_ms(member->sock, view->snap->rto_max_ms);
	return (double)member->age_ms >= view->values[NOT_READING] &&
	       member->sock->send_q >= member->candidate->first.sock.send_q;
}

/* Accepted sockets have a peer port of chance: they are grouped by the peer alone. */
static bool keep(const struct view *view, struct member *member)
{
	const struct sock *sock = member->sock;

	if (!is_closing(sock) || !sock->info.len || !candidate(sock) ||
	    (double)sock_tcpi(sock, TCPI_BACKOFF) < view->values[BACKOFF])
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	return sock->timer == SOCK_TIMER_ON || is_not_read(view, member);
}

static struct tally tally_of(const struct members *run)
{
	const struct member *first = run->at;
	struct tally t = { .oldest_ms = -1,
			   .port = first->candidate->outbound ? 0 : first->sock->local.port };

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];
		const struct sock *sock = m->sock;

		t.sockets++;
		t.states[sock->state]++;
		t.probing += sock->timer == SOCK_TIMER_PERSIST;
		t.attached += sock->inode != 0;
		t.send_q += sock->send_q;
		if (m->age_ms > t.oldest_ms) {
			t.oldest_ms = m->age_ms;
			t.worst = sock;
		}
		if (m->candidate->outbound || sock->local.port != t.port)
			t.port = 0;
	}
	return t;
}

static double orphan_percent(const struct view *view, uint64_t orphans)
{
	int64_t limit = sysctl_or(&view->snap->sysctls, SYSCTL_TCP_MAX_ORPHANS, 0);

	return limit > 0 ? 100.0 * (double)orphans / (double)limit : 0;
}

/* A few clients that were switched off: nobody waits for them, and the kernel clears up after them by itself. */
static bool is_client_gone(const struct members *run, const struct tally *t)
{
	return !run->at->candidate->outbound && !t->attached && !t->probing;
}

/* Return: whether it is worth a finding. Clients on the Internet vanish all the time, and one run shows no rise. */
static bool judge(const struct view *view, const struct members *run, const struct tally *t,
		  enum severity *severity, enum limit *limit)
{
	const double *l = view->values;
	double n = (double)t->sockets;
	bool public = member_is_public(run->at);

	*severity = SEVERITY_CRITICAL;
	*limit = orphan_percent(view, t->sockets - t->attached) >= l[CRIT_ORPHANS] ? CRIT_ORPHANS :
										      CRIT_SOCKETS;
	if (*limit == CRIT_ORPHANS || (!public && n >= l[CRIT_SOCKETS]))
		return true;
	*limit = public ? SHARE : n >= l[SOCKETS] ? SOCKETS : AGE;
	*severity = public || (*limit == AGE && is_client_gone(run, t)) ? SEVERITY_INFO : SEVERITY_WARNING;
	return public ? members_stand_out(view, run, l[SHARE], l[PREFIXES]) :
			n >= l[SOCKETS] || (double)t->oldest_ms >= l[AGE];
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sysctls *s = &view->snap->sysctls;

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "fin_wait_1", (double)t->states[SOCK_STATE_FIN_WAIT_1], UNIT_SOCKETS, "sock_diag");
	finding_add(f, "last_ack", (double)t->states[SOCK_STATE_LAST_ACK], UNIT_SOCKETS, "sock_diag");
	finding_add(f, "closing", (double)t->states[SOCK_STATE_CLOSING], UNIT_SOCKETS, "sock_diag");
	finding_add(f, "oldest", (double)t->oldest_ms, UNIT_MS, "tcpi_rto, tcpi_backoff, idiag_expires");
	finding_add(f, "probing", (double)t->probing, UNIT_SOCKETS, "idiag_timer");
	finding_add(f, "orphans", (double)(t->sockets - t->attached), UNIT_SOCKETS, "idiag_inode");
	finding_add(f, "send_q", (double)t->send_q, UNIT_BYTES, "idiag_wqueue");
	finding_add(f, "backoff", (double)sock_tcpi(t->worst, TCPI_BACKOFF), UNIT_COUNT, "tcpi_backoff");
	finding_add(f, "last_ack_recv", (double)sock_tcpi(t->worst, TCPI_LAST_ACK_RECV), UNIT_MS,
		    "tcpi_last_ack_recv");
	finding_add_text(f, "example", view_addr_text(view, &t->worst->peer.addr), "sock_diag");
	finding_add(f, "example_port", t->worst->local.port, UNIT_NONE, "sock_diag");
	if (s->has[SYSCTL_TCP_MAX_ORPHANS])
		finding_add(f, "max_orphans", (double)s->value[SYSCTL_TCP_MAX_ORPHANS], UNIT_SOCKETS,
			    "tcp_max_orphans");
	finding_counter(f, view, COUNTER_TCP_ABORT_ON_TIMEOUT, "given_up");
	finding_timeout(f, "close", closing_give_up_ms(&view->snap->sysctls, t->worst),
			t->worst->inode ? "tcp_retries2" : "tcp_orphan_retries");
}

static const char *const not_reading_causes[] = {
	"the program at the other end has stopped reading: blocked, paused, or waiting for what we have closed",
	"a client that is slower than what was written to it before the close",
	NULL,
};

static const char *const not_reading_fixes[] = {
	"at the peer: find what its program waits for, and let it read to the end of file or close",
	"here: agree on the end before close(): shutdown() for sending, then read until the peer's end comes",
	"TCP_USER_TIMEOUT on the socket bounds how long data is kept behind a window of zero",
	NULL,
};

static const char *title_of(const struct finding *f, bool not_reading)
{
	if (!f->scope.has_peer)
		return not_reading ? "{count|closed connection} on port {local_port} cannot deliver their last data: the clients do not read" :
				     "{count|closed connection} on port {local_port} cannot come to an end: the clients are silent";
	if (not_reading)
		return "{count|closed connection} with {peer} cannot deliver their last data: the peer does not read";
	return f->scope.has_local ? "{count|closed connection} with {peer} on port {local_port} cannot come to an end: no answer to the FIN" :
				    "{count|closed connection} with {peer} cannot come to an end: no answer to the FIN";
}

static void describe(struct finding *f, const struct tally *t)
{
	bool not_reading = t->probing * MOST > t->sockets;
	bool ends = finding_evidence(f, "gives_up") != NULL;

	f->title = title_of(f, not_reading);
	if (not_reading) {
		f->causes = not_reading_causes;
		f->fixes = not_reading_fixes;
		f->detail = ends ? "{send_q} wait behind a window of zero, nothing taken for {oldest} · {orphans} of {count} without a program · the kernel drops the oldest in {gives_up}" :
				   "{send_q} wait behind a window of zero, nothing taken for {oldest} · {orphans} of {count} without a program · as long as the peer answers probes the kernel does not give up";
		return;
	}
	f->detail = ends ? "{fin_wait_1} FIN-WAIT-1, {last_ack} LAST-ACK, {closing} CLOSING · unanswered for {oldest}, {backoff|timeout} in a row · {orphans} of {count} without a program · the kernel drops the oldest in {gives_up}" :
			   "{fin_wait_1} FIN-WAIT-1, {last_ack} LAST-ACK, {closing} CLOSING · unanswered for {oldest} · {orphans} of {count} without a program";
}

static void add_doubts(struct finding *f, const struct members *run, const struct tally *t)
{
	if (member_is_public(run->at))
		finding_against(f, "clients on the Internet come and go: a share of them is always stuck, and one run shows no rise");
	else if (!run->at->candidate->outbound)
		finding_against(f, "clients that were switched off or left the network look the same, and harm nothing");
	if (t->attached < t->sockets)
		finding_against(f, "the kernel ends connections without a program by itself: tcp_orphan_retries");
	if (t->probing)
		finding_against(f, "behind a window of zero the time counts from when the peer stopped reading, which may be before the close");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(run);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(CLOSING_STUCK, judge(view, run, &t, &severity, &limit)))
		return;
	f = sink_finding(sink, severity,
			 view_confidence(view, t.probing ? CONFIDENCE_NOT_READING : CONFIDENCE_SILENT, false));
	f->count = t.sockets;
	f->scope_factor = t.sockets == 1 ? SINGLE_SOCKET : 1;
	finding_owner(f, members_owner(run));
	finding_members(f, run, network);
	if (t.port)
		finding_local(f, &t.worst->local);
	add_evidence(f, view, &t);
	describe(f, &t);
	add_doubts(f, run, &t);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep);
	int64_t oldest = members_oldest_ms(&all);

	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && oldest >= 0)
		sink_near_miss(sink, "oldest close that is not answered", (double)oldest, AGE);
	if (!view->snap->sysctls.has[SYSCTL_TCP_MAX_ORPHANS])
		sink_skip_part(sink, "share of tcp_max_orphans: the setting cannot be read in this namespace");
	sink_skip_history(sink, "a rise among clients on the Internet");
}

const struct rule rule_closing_stuck = {
	.id = "closing-stuck",
	.title = "Closed connections do not come to their end",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO,
	.states = STATE_BIT(SOCK_STATE_FIN_WAIT_1) | STATE_BIT(SOCK_STATE_LAST_ACK) |
		  STATE_BIT(SOCK_STATE_CLOSING),
	.candidate = candidate,
	.quota = 4096,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"close() returns at once; the kernel goes on alone. It sends what is left, then a FIN, and waits for the acknowledgement: FIN-WAIT-1 where we closed first, LAST-ACK where the peer did, "
		"CLOSING where both did at the same time. With a peer that is there this takes one round trip. A socket that stands in one of these states while its timer backs off has a peer that "
		"does not answer any more.\n\n"
		"Two timers tell two stories. The retransmission timer (\"on\"): the FIN, or data before it, is repeated and nothing comes back. The path died, the client left, or a firewall has "
		"forgotten the connection and drops what it does not know. The probe timer (\"persist\"): the peer answers, with a window of zero. Its program does not read, and what we wrote before close() "
		"stays here, in kernel memory.\n\n"
		"No process holds such a socket, so none can be named: the remote address and our port tell whose connection it was. The kernel gives up after tcp_orphan_retries timeouts (0 stands for 8): "
		"about 105 s after the FIN with a timer that began at 200 ms, because it looks only when the timer runs out. Behind a window of zero every answered probe starts the count anew; there the "
		"end comes when the timer has reached its ceiling, five to six minutes after the window closed. A program that called shutdown() and kept the descriptor waits for tcp_retries2 instead, "
		"and behind a window of zero as long as the peer answers.",
	.look_alikes = (const char *const[]){
		"a lost FIN: repeated once or twice, and done; fewer than three timeouts in a row are not counted",
		"many connections closed in the ordinary way: they pass through these states within a round trip",
		"a large last answer on its way to a slow reader: the window opens again within ten seconds, or data moves between two samples",
		"clients on the Internet that vanished: a small share of a listener's connections, or few networks",
		NULL },
	.causes = (const char *const[]){
		"the path died while connections were open, or the client left its network",
		"a firewall or NAT on the way forgot the connection and drops what it no longer knows",
		"the peer's host is down or was replaced under the same address, and nobody answers with a reset",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -o state fin-wait-1 state last-ack state closing dst {example}",
		"tcptriage states state established dst {example}",
		"ip route get {example}",
		"nstat -az TcpExtTCPAbortOnTimeout TcpExtTCPAbortOnMemory",
		"cat /proc/net/sockstat",
		NULL },
	.fixes = (const char *const[]){
		"mostly nothing: the kernel ends them by itself; repair the path or the peer if it is yours",
		"TCP_USER_TIMEOUT on the socket bounds how long unacknowledged data is kept after close()",
		"net.ipv4.tcp_orphan_retries=3 on an edge server with many vanishing clients shortens it to some seconds",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.6", "RFC 9293 §3.8.6.1", "RFC 1122 §4.2.2.17",
				       "net/ipv4/tcp_timer.c (tcp_orphan_retries)",
				       "Documentation/networking/ip-sysctl.rst (tcp_max_orphans)", NULL },
	.repro = "a router drops what the client sends, then the client closes, from ESTAB and from CLOSE-WAIT; or fill the window of a reader that sleeps, and close",
};
