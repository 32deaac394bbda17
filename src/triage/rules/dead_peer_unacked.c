/* SPDX-License-Identifier: MIT */
/* dead-peer-unacked: data is sent again and again, and nothing ever comes back. */
#include "../packets.h"
#include "../send_stall_verdict.h"
#include "../stuck_sender.h"
#include "tcptriage/model/timers.h"

enum limit {
	BACKOFF = STUCK_LIMITS,
	SILENT,
	PROBES,
	LOSSY,
	LOSSY_STALL,
	IDLE,
	CRIT_BACKOFF,
	CRIT_SOCKETS,
	SHARE,
	PREFIXES,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
#define STUCK_LIMIT(id, name, unit, value, reason) [STUCK_##id] = { name, unit, value, reason },
#include "../stuck_sender.def"
#undef STUCK_LIMIT
	[BACKOFF] = { "timeouts", UNIT_COUNT, 3, "timeouts in a row; chance loss of a few percent does not get that far" },
	[SILENT] = SEND_STALL_SILENT,
	[PROBES] = SEND_STALL_PROBES,
	[LOSSY] = { "lossy_share", UNIT_PERCENT, 1, "of what was delivered had to be sent again before: this path loses packets and is not dead each time" },
	[LOSSY_STALL] = { "lossy_stall", UNIT_MS, 25000, "seven timeouts in a row: by chance once in ten thousand stalls even at 30 % loss" },
	[IDLE] = { "idle_before", UNIT_MS, 60000, "quiet for as long as the shortest idle timeouts of NATs, firewalls and load balancers" },
	[CRIT_BACKOFF] = { "critical_timeouts", UNIT_COUNT, 6, "13 s of silence at the least: longer than a user waits" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 3, "several connections to one destination dead at once: not one unlucky flow" },
	[SHARE] = { "accepted_share", UNIT_PERCENT, 5, "of a public listener's connections; phones that left their network stay stuck for 15 minutes and are always some" },
	[PREFIXES] = { "accepted_prefixes", UNIT_COUNT, 5, "of clients; one network may have lost its own way to us" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "dead neighbours share a network and most likely a path" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define SINGLE_SOCKET 0.8
/* A peer that is moved to another machine or a route that changes is silent for some seconds as well. */
#define CONFIDENCE_YOUNG 0.8

/** struct tally - dead connections of one destination, network or public listener. @worst: the surest, of these the one stuck longest. */
struct tally {
	uint64_t sockets, bytes, after_idle, probing, undecided;
	double in_vain, confidence;
	const struct member *worst;
	bool others_answer;
};

static bool is_probing(const struct sock *sock)
{
	return sock->timer == SOCK_TIMER_PERSIST;
}

/* What was sent in a row without an answer: data again and again, or probes. */
static double in_vain(const struct sock *sock)
{
	return (double)sock_tcpi(sock, is_probing(sock) ? TCPI_PROBES : TCPI_BACKOFF);
}

static bool candidate(const struct sock *sock)
{
	return stuck_sender_candidate(sock) || (is_probing(sock) && sock->retrans > 1);
}

/* Losses that were repaired before this stall: a path that goes on losing packets shows long stalls by chance. */
static bool is_lossy(const struct view *view, const struct sock *s)
{
	double now = (double)sock_tcpi(s, TCPI_BACKOFF) + 1; /* these timeouts and the tail-loss probe before them */
	double before = (double)sock_tcpi(s, TCPI_TOTAL_RETRANS) - now;

	return before > 1 && 100 * before >= view->values[LOSSY] * (double)sock_tcpi(s, TCPI_DELIVERED);
}

static struct send_stall_signs signs_of(const struct view *view, const struct member *m)
{
	const struct sock *s = m->sock;
	const double *l = view->values;
	double heard = (double)sock_heard_ms(s);

	if (is_probing(s))
		return (struct send_stall_signs){
			.window_shut = answer_of(!sock_tcpi(s, TCPI_UNACKED)),
			.repeating = ANSWER_NO,
			.answered = send_stall_probes_answered(in_vain(s), heard, l[PROBES], l[SILENT]),
		};
	return (struct send_stall_signs){
		.window_shut = ANSWER_NO,
		.repeating = answer_of((double)sock_tcpi(s, TCPI_BACKOFF) >= l[BACKOFF] &&
				       (!is_lossy(view, s) || (double)m->age_ms >= l[LOSSY_STALL])),
		.answered = answer_of(heard < l[SILENT] || heard < (double)m->age_ms),
	};
}

static bool is_dead(const struct view *view, const struct member *m)
{
	struct send_stall_signs signs = signs_of(view, m);

	/* a program that has closed it has no use for the answer: that is a matter of closing */
	return m->sock->state != SOCK_STATE_FIN_WAIT_1 &&
	       send_stall_verdict(&signs).story == SEND_STALL_DEAD;
}

/* The path's size is no question where the window is shut. */
static double confidence_of(const struct view *view, const struct member *m)
{
	struct send_stall_signs signs = signs_of(view, m);

	if (is_probing(m->sock))
		return send_stall_verdict(&signs).confidence;
	return stuck_sender_verdict(view, m).confidence;
}

static bool is_undecided(const struct view *view, const struct member *m)
{
	return !is_probing(m->sock) && stuck_sender_verdict(view, m).story == MTU_BLACK_HOLE_OR_DEAD;
}

static int64_t idle_before_ms(const struct member *m)
{
	return MAX(sock_heard_ms(m->sock) - m->age_ms, 0);
}

static bool keep_probing(const struct view *view, struct member *member)
{
	const struct sock *s = member->sock;

	if (!is_probing(s) || !s->info.len || !candidate(s))
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	member->age_ms = sock_probing_ms(s, view->snap->rto_max_ms);
	return true;
}

/* Takes out of @all what is alive. Return: the longest stall among it, −1 none. */
static int64_t keep_dead(const struct view *view, struct members *all)
{
	int64_t longest = -1;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (is_dead(view, &all->at[i]))
			all->at[kept++] = all->at[i];
		else
			longest = MAX(longest, all->at[i].age_ms);
	}
	all->count = kept;
	return longest;
}

static struct members join(const struct view *view, const struct members *a, const struct members *b)
{
	struct members both = { .at = arena_alloc(view->arena, (a->count + b->count + 1) * sizeof(*a->at)),
				.count = a->count + b->count };

	memcpy(both.at, a->at, a->count * sizeof(*a->at));
	memcpy(both.at + a->count, b->at, b->count * sizeof(*b->at));
	return both;
}

static bool is_worse(const struct tally *t, const struct member *m, double confidence)
{
	return confidence > t->confidence ||
	       (confidence == t->confidence && m->age_ms > t->worst->age_ms);
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .worst = run->at };

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];
		double confidence = confidence_of(view, m);

		t.sockets++;
		t.bytes += m->sock->send_q;
		t.probing += is_probing(m->sock);
		t.undecided += is_undecided(view, m);
		t.after_idle += (double)idle_before_ms(m) >= view->values[IDLE];
		t.in_vain = MAX(t.in_vain, in_vain(m->sock));
		if (is_worse(&t, m, confidence)) {
			t.worst = m;
			t.confidence = confidence;
		}
	}
	t.others_answer = view_peer_answers(view, t.worst->sock, t.worst->age_ms);
	return t;
}

static enum severity judge(const struct view *view, const struct members *run,
			   const struct tally *t, unsigned *limit)
{
	if (member_is_public(run->at)) {
		*limit = SHARE;
		return members_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]) ?
			       SEVERITY_WARNING :
			       SEVERITY_INFO;
	}
	*limit = CRIT_SOCKETS;
	if ((double)t->sockets >= view->values[CRIT_SOCKETS])
		return SEVERITY_CRITICAL;
	*limit = CRIT_BACKOFF;
	if (t->in_vain >= view->values[CRIT_BACKOFF])
		return SEVERITY_CRITICAL;
	*limit = t->probing == t->sockets ? PROBES : BACKOFF;
	return SEVERITY_WARNING;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sock *s = t->worst->sock;

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "bytes", (double)t->bytes, UNIT_BYTES, "idiag_wqueue");
	finding_add(f, "stall", (double)t->worst->age_ms, UNIT_MS, "tcpi_rto, tcpi_backoff, idiag_expires");
	finding_add(f, "last_heard", (double)sock_heard_ms(s), UNIT_MS, "tcpi_last_ack_recv, tcpi_last_data_recv");
	finding_add(f, "idle_before", (double)idle_before_ms(t->worst), UNIT_MS, "tcpi_last_ack_recv");
	finding_add(f, "after_idle", (double)t->after_idle, UNIT_SOCKETS, "tcpi_last_ack_recv");
	finding_add(f, "timeouts", (double)sock_tcpi(s, TCPI_BACKOFF), UNIT_COUNT, "tcpi_backoff");
	finding_add(f, "most_in_vain", t->in_vain, UNIT_COUNT, "tcpi_backoff, tcpi_probes");
	finding_add(f, "probing", (double)t->probing, UNIT_SOCKETS, "idiag_timer");
	finding_add(f, "unanswered_probes", (double)sock_tcpi(s, TCPI_PROBES), UNIT_COUNT, "tcpi_probes");
	finding_add(f, "unacked", (double)sock_tcpi(s, TCPI_UNACKED), UNIT_SEGMENTS, "tcpi_unacked");
	finding_add(f, "retransmitted", (double)sock_tcpi(s, TCPI_TOTAL_RETRANS), UNIT_SEGMENTS, "tcpi_total_retrans");
	finding_timeout(f, "request",
			is_probing(s) ? closing_give_up_ms(&view->snap->sysctls, s) :
					data_give_up_ms(&view->snap->sysctls, s, data_retries(&view->snap->sysctls)),
			"tcp_retries2");
	finding_add_text(f, "others", t->others_answer ? "answered" : "none that answers", "tcpi_last_ack_recv");
	finding_add_text(f, "example", view_addr_text(view, &s->peer.addr), "sock_diag");
	finding_add_text(f, "route", view_route_text(view, &s->peer.addr), "rtnetlink");
	finding_address_class(f, &s->peer.addr);
	finding_counter(f, view, COUNTER_TCP_TIMEOUTS, "timeouts_of_all");
	finding_counter(f, view, COUNTER_TCP_ABORT_ON_TIMEOUT, "ended_by_timeout");
}

/* What a story is called and what is likely behind it. */
static const struct story {
	const char *title, *public_title;
	const char *const *causes;
} mid_flow = {
	"{peer} has fallen silent: {owner} sends {bytes} again and again, nothing comes back",
	"Clients of {local} have fallen silent: {owner} sends {bytes} again and again to {count|connection}",
	NULL,
}, after_idle = {
	"{peer} does not answer after {idle_before} of quiet: {owner} sends {bytes} into a connection that is dead or was forgotten on the way",
	"Clients of {local} do not answer after a quiet time: {owner} sends {bytes} into {count|connection} dead or forgotten on the way",
	(const char *const[]){
		"a NAT, firewall or load balancer dropped the idle connection from its table and says nothing",
		"the peer crashed or was moved while the connection was quiet",
		"a failover moved the peer's address to a machine that does not know the connection",
		NULL },
}, window_probes = {
	"{peer} closed its window and has fallen silent: {bytes} of {owner} wait and no probe is answered",
	"Clients of {local} closed their windows and have fallen silent: {bytes} of {owner} wait",
	NULL,
}, undecided = {
	"{peer} answers nothing that {owner} sends: the peer is gone, or a path-MTU black hole",
	"Clients of {local} answer nothing that {owner} sends: they are gone, or a path-MTU black hole",
	NULL,
};

static const char *const one_flow_causes[] = {
	"only this flow is dead, other connections to the peer answer: a NAT, firewall or load balancer has lost its state",
	"a firewall rule that came later drops established flows",
	"one machine behind the peer's address (a load balancer's backend) is gone",
	NULL,
};

static const char *const undecided_next[] = {
	STUCK_SENDER_TELL,
	"tcptriage states -i dst {example}",
	"ip route get {example}",
	"nstat -az TcpExtTCPTimeouts TcpExtTCPAbortOnTimeout",
	NULL,
};

static const struct story *story_of(const struct tally *t)
{
	if (is_probing(t->worst->sock))
		return &window_probes;
	if (t->undecided == t->sockets)
		return &undecided;
	return 2 * t->after_idle > t->sockets ? &after_idle : &mid_flow;
}

static void describe(struct finding *f, const struct members *run, const struct tally *t)
{
	const struct story *story = story_of(t);

	f->title = member_is_public(run->at) ? story->public_title : story->title;
	f->detail = story == &window_probes ?
			    "{count|socket}, nothing heard for {last_heard} · {unanswered_probes|window probe} without an answer · ETIMEDOUT in about {gives_up} · {route}" :
			    "{count|socket}, nothing heard for {last_heard} · {timeouts|timeout} in a row for {stall} · other connections to it: {others} · ETIMEDOUT in about {gives_up} · {route}";
	if (story->causes)
		f->causes = story->causes;
	else if (t->others_answer)
		f->causes = one_flow_causes;
	if (story == &undecided)
		f->next = undecided_next;
}

static void add_doubts(struct finding *f, const struct view *view, const struct members *run,
		       const struct tally *t)
{
	finding_against(f, "a TCP_USER_TIMEOUT that the program set cannot be seen: it would end the connection sooner than in {gives_up}");
	if (is_undecided(view, t->worst))
		finding_against(f, "only large segments are stuck: a path-MTU black hole looks the same; " STUCK_SENDER_TELLS);
	if (is_lossy(view, t->worst->sock))
		finding_against(f, "the connection had losses before, {retransmitted|segment} were sent again in all: the path may only be very bad");
	if (view->snap->samples < 2)
		finding_against(f, "one look only: whether it goes on was not seen");
	if (member_is_public(run->at))
		finding_against(f, "clients on the Internet vanish all the time: a share of them is always stuck");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	unsigned limit;
	enum severity severity = judge(view, run, &t, &limit);
	struct finding *f;

	if (!RULE_MAIN(DEAD_PEER_UNACKED, t.sockets > 0))
		return;
	if (severity < SEVERITY_CRITICAL)
		t.confidence = MIN(t.confidence, CONFIDENCE_YOUNG);
	f = sink_finding(sink, severity, view_confidence(view, t.confidence, false));
	f->count = t.sockets;
	f->scope_factor = t.sockets == 1 ? SINGLE_SOCKET : 1;
	finding_owner(f, members_owner(run));
	finding_members(f, run, network);
	add_evidence(f, view, &t);
	describe(f, run, &t);
	add_doubts(f, view, run, &t);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members senders = stuck_senders(sink), probing = members_collect(sink, keep_probing), all;
	int64_t longest = stuck_senders_keep_ours(sink, &senders);

	all = join(view, &senders, &probing);
	longest = MAX(longest, keep_dead(view, &all));
	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && longest >= 0)
		sink_near_miss(sink, "longest time without an acknowledgement", (double)longest, STUCK_STALL);
	if (!view->snap->has_counters)
		sink_skip_part(sink, "ICMP messages: no kernel counters could be read");
	if (members_any_public(&all))
		sink_skip_history(sink, "whether more clients than usual have vanished");
}

const struct rule rule_dead_peer_unacked = {
	.id = "dead-peer-unacked",
	.title = "Data is sent again and again, and nothing comes back",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO,
	.states = STUCK_SENDER_STATES,
	.candidate = candidate,
	.eval = eval,
	.packets = &packets_dead_peer_unacked,
	.thresholds = thresholds,
	.explain =
		"A peer that is alive acknowledges what it gets. Here the retransmission timer has expired several times in a row, each time after twice the wait, and since before the first of them not one segment of "
		"any kind has come back. The program notices nothing: its data is in the kernel's send buffer, write() went well, and it waits for a reply. With default settings the kernel goes on for about "
		"15 minutes (tcp_retries2) before the connection ends with ETIMEDOUT.\n\n"
		"Two stories have to be told apart. If the connection had been quiet before, most likely something on the way has dropped it from its table: NATs, firewalls and load balancers forget idle connections and many "
		"do not say so. If it was in use, the peer or the path died. Whether other connections to the same peer are answered narrows it down further.\n\n"
		"A path that swallows only large packets looks the same on one socket. The same table decides between the two that mtu-blackhole-send asks: a small segment that is stuck, to this address, speaks for a dead peer, "
		"anything else that passes for a black hole. Where neither is known both are reported, with the command that tells.\n\n"
		"A peer that has closed its window is asked by probes. As long as it answers them it is alive and only slow (peer-zero-window); when it no longer does, it belongs here.",
	.look_alikes = (const char *const[]){
		"a lost packet: one or two timeouts, then acknowledgements go on; a connection that has lost packets before has to be silent for much longer",
		"a path-MTU black hole: small segments pass",
		"a peer that does not read: its window is closed, and it answers the probes",
		"a connection that the program has closed already: no reply is waited for (FIN-WAIT-1)",
		"clients on the Internet that went out of reach: info, unless a good share of a listener's clients from many networks is silent",
		NULL },
	.causes = (const char *const[]){
		"the peer crashed, lost power or was cut off the network",
		"a route, link or tunnel on the way is down",
		"a firewall rule that came later drops established flows",
		"a failover moved the peer's address to a machine that does not know the connection, and its resets do not get back",
		NULL },
	.next = (const char *const[]){
		"tcptriage trace {service}",
		"tcptriage states -i dst {example}",
		"ping -c 3 {example}",
		"ip route get {example}",
		"nstat -az TcpExtTCPTimeouts TcpExtTCPAbortOnTimeout",
		NULL },
	.fixes = (const char *const[]){
		"open a new connection: if it works only the old flow is dead, and the program has to notice that sooner",
		"set TCP_USER_TIMEOUT (20 to 60 s) and a deadline for each request in the program",
		"keepalive below the idle timeout of whatever is on the way, and pools that drop idle connections before that",
		"repeat requests with an idempotency key: whether the lost one was carried out is unknown",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.8.1", "RFC 9293 §3.8.3", "RFC 6298 §5", "RFC 5482 §3",
				       "Documentation/networking/ip-sysctl.rst (tcp_retries2)",
				       "net/ipv4/tcp_timer.c (tcp_write_timeout)", NULL },
	.repro = "a router drops everything after the handshake; send 100 bytes and wait for five timeouts",
};
