/* SPDX-License-Identifier: MIT */
/* peer-zero-window: the peer does not read, so that we cannot send. */
#include "../kit.h"
#include "../send_stall_verdict.h"
#include "../packets.h"
#include "tcptriage/model/timers.h"

enum limit {
	STUCK,
	APART,
	BACKOFF,
	LIMITED,
	SILENT,
	PROBES,
	UNREAD,
	CRIT_STUCK,
	CRIT_SOCKETS,
	SHARE,
	PREFIXES,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
	[STUCK] = { "stuck", UNIT_MS, 5000, "a reader that is merely slow opens its window again within a second or two" },
	[APART] = { "apart", UNIT_MS, 2000, "between two looks that both find the window shut; a sender at full rate may be caught in that state once" },
	[BACKOFF] = { "probes_sent", UNIT_COUNT, 2, "window probes in a row that were answered with the window still shut" },
	[LIMITED] = { "limited_share", UNIT_RATIO, 0.9, "of the time between the looks the kernel itself counts as spent waiting for the peer's window" },
	[SILENT] = SEND_STALL_SILENT,
	[PROBES] = SEND_STALL_PROBES,
	[UNREAD] = { "own_unread", UNIT_BYTES, 4096, "left unread by the same process; session tickets and closing alerts on an idle connection stay below this" },
	[CRIT_STUCK] = { "critical_stuck", UNIT_MS, 30000, "longer than a user waits, and than most request deadlines" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 5, "connections to the same peer: it does not read at all" },
	[SHARE] = { "accepted_share", UNIT_PERCENT, 10, "of a public listener's connections; paused players and phones on a weak network stay below this" },
	[PREFIXES] = { "accepted_prefixes", UNIT_COUNT, 5, "of clients; one network may have a reason of its own" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "neighbours that stop reading together are one service" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define SINGLE_SOCKET 0.8
/* Windows stay shut on purpose too: healthy sockets of slow readers are remembered, but do not take the place of broken ones. */
#define QUOTA 4096

/** struct tally - blocked senders to one peer, network, or from one public listener. @worst: blocked longest. @unread, @behind: what the sending process leaves unread from this peer and from others. */
struct tally {
	uint64_t sockets, bytes, unread, behind;
	const struct member *worst;
	const struct process *owner, *reader;
	struct send_stall_verdict verdict;
};

static bool candidate(const struct sock *sock)
{
	if (sock->timer != SOCK_TIMER_PERSIST)
		return false;
	return !sock->info.len ||
	       (!sock_tcpi(sock, TCPI_UNACKED) && sock_tcpi(sock, TCPI_NOTSENT_BYTES));
}

static double grown(const struct candidate *c, enum tcpi_id id)
{
	return (double)sock_tcpi(&c->last.sock, id) - (double)sock_tcpi(&c->first.sock, id);
}

/* The kernel's own clock of a sender with data: it ran while the two looks were taken, however late each was. */
static bool was_limited(const struct view *view, const struct candidate *c)
{
	double busy = grown(c, TCPI_BUSY_TIME);

	return busy >= 1000 * view->values[APART] &&
	       grown(c, TCPI_RWND_LIMITED) >= view->values[LIMITED] * busy;
}

static bool is_shut(const struct view *view, const struct candidate *c)
{
	const struct sock *s = &c->last.sock;

	return c->seen > 1 && candidate(&c->first.sock) && candidate(s) &&
	       (double)sock_tcpi(s, TCPI_BACKOFF) >= view->values[BACKOFF] &&
	       !grown(c, TCPI_BYTES_ACKED) && was_limited(view, c) &&
	       (!tcpi_has(&s->info, TCPI_SND_WND) ||
		sock_tcpi(s, TCPI_SND_WND) < sock_tcpi(s, TCPI_SND_MSS));
}

/* Accepted sockets have a peer port of chance: they are grouped by the peer alone, those of the Internet by our port alone. */
static bool keep(const struct view *view, struct member *member)
{
	const struct sock *s = member->sock;

	if (!s->info.len || !is_shut(view, member->candidate))
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	member->age_ms = sock_probing_ms(s, view->snap->rto_max_ms);
	return true;
}

static bool is_unread(const struct view *view, const struct candidate *c)
{
	const struct sock *s = &c->last.sock;

	return c->present && s->recv_q >= view->values[UNREAD] && s->netid == NETID_TCP &&
	       s->inode && s->info.len && candidate_unread(view, c);
}

static bool is_other_end(const struct sock *a, const struct sock *b)
{
	return endpoint_equal(&a->local, &b->peer) && endpoint_equal(&a->peer, &b->local);
}

/* Who on this host leaves data unread: the sending process itself, or the other end of the connection. */
static void add_readers(const struct view *view, struct tally *t)
{
	const struct candidate *c;
	enum owner_unknown reason;

	for (size_t i = 0; (c = snapshot_candidate(view->snap, i)); i++) {
		const struct sock *s = &c->last.sock;
		const struct process *owner = is_unread(view, c) ? view->owner_of(view, s, &reason) : NULL;

		if (!owner)
			continue;
		if (is_other_end(s, t->worst->sock))
			t->reader = owner;
		if (t->owner && owner->pid == t->owner->pid)
			*(addr_equal(&s->peer.addr, &t->worst->sock->peer.addr) ? &t->unread : &t->behind) += s->recv_q;
	}
}

static enum answer unread_answer(const struct tally *t, uint64_t bytes)
{
	if (!t->owner)
		return ANSWER_UNKNOWN;
	return bytes ? ANSWER_YES : ANSWER_NO;
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .worst = run->at, .owner = members_owner(run) };
	struct send_stall_signs signs = { .window_shut = ANSWER_YES, .repeating = ANSWER_NO };

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];

		t.sockets++;
		t.bytes += m->sock->send_q;
		if (m->age_ms > t.worst->age_ms)
			t.worst = m;
	}
	add_readers(view, &t);
	signs.answered = send_stall_probes_answered((double)sock_tcpi(t.worst->sock, TCPI_PROBES),
						    (double)sock_heard_ms(t.worst->sock),
						    view->values[PROBES], view->values[SILENT]);
	signs.own_unread = unread_answer(&t, t.unread);
	signs.others_unread = unread_answer(&t, t.behind);
	t.verdict = send_stall_verdict(&signs);
	return t;
}

static enum severity judge(const struct view *view, const struct members *run,
			   const struct tally *t, enum limit *limit)
{
	const struct {
		enum limit limit;
		bool reached;
	} critical[] = {
		{ CRIT_STUCK, (double)t->worst->age_ms >= view->values[CRIT_STUCK] },
		{ CRIT_SOCKETS, (double)t->sockets >= view->values[CRIT_SOCKETS] },
		/* the stop has gone through this process: those who send to it wait as well */
		{ UNREAD, t->verdict.story == SEND_STALL_RELAY },
	};

	if (member_is_public(run->at)) {
		*limit = SHARE;
		return members_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]) ?
			       SEVERITY_WARNING :
			       SEVERITY_INFO;
	}
	for (size_t i = 0; i < ARRAY_SIZE(critical); i++) {
		*limit = critical[i].limit;
		if (critical[i].reached)
			return SEVERITY_CRITICAL;
	}
	*limit = STUCK;
	return SEVERITY_WARNING;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct candidate *c = t->worst->candidate;
	const struct sock *s = t->worst->sock;

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "bytes", (double)t->bytes, UNIT_BYTES, "idiag_wqueue");
	finding_add(f, "stuck", (double)t->worst->age_ms, UNIT_MS, "tcpi_rto, tcpi_backoff, idiag_expires");
	finding_add(f, "last_sent", (double)sock_tcpi(s, TCPI_LAST_DATA_SENT), UNIT_MS, "tcpi_last_data_sent");
	finding_add(f, "last_answer", (double)sock_tcpi(s, TCPI_LAST_ACK_RECV), UNIT_MS, "tcpi_last_ack_recv");
	finding_add(f, "probes_sent", (double)sock_tcpi(s, TCPI_BACKOFF), UNIT_COUNT, "tcpi_backoff");
	if (tcpi_has(&s->info, TCPI_SND_WND))
		finding_add(f, "snd_wnd", (double)sock_tcpi(s, TCPI_SND_WND), UNIT_BYTES, "tcpi_snd_wnd");
	finding_add(f, "snd_mss", (double)sock_tcpi(s, TCPI_SND_MSS), UNIT_BYTES, "tcpi_snd_mss");
	finding_add(f, "limited", grown(c, TCPI_RWND_LIMITED) / 1000, UNIT_MS, "tcpi_rwnd_limited");
	finding_add(f, "own_unread", (double)t->unread, UNIT_BYTES, "idiag_rqueue");
	finding_add(f, "behind", (double)t->behind, UNIT_BYTES, "idiag_rqueue");
	if (t->reader) {
		finding_add_text(f, "reader", t->reader->comm, "/proc/PID/comm");
		finding_add(f, "reader_pid", t->reader->pid, UNIT_NONE, "/proc/PID/fd");
	}
	finding_timeout(f, "request", -1, "");
	finding_add_text(f, "example", view_addr_text(view, &s->peer.addr), "sock_diag");
	finding_address_class(f, &s->peer.addr);
	finding_counter(f, view, COUNTER_TCP_WIN_PROBE, "window_probes");
}

static void describe(struct finding *f, const struct members *run, const struct tally *t)
{
	f->title = "{peer} does not read: {bytes} from {owner} wait for its window to open";
	if (t->reader)
		f->title = "{reader}[{reader_pid}] on this host does not read at {peer}: {bytes} from {owner} wait";
	if (t->verdict.story == SEND_STALL_RELAY)
		f->title = "{peer} does not read, and behind it {owner} has stopped reading {behind} from others";
	if (t->verdict.story == SEND_STALL_DEADLOCK)
		f->title = "{owner} and {peer} both write and neither reads: {bytes} wait here, {own_unread} lie unread";
	if (member_is_public(run->at))
		f->title = "Clients of {local} do not read: {bytes} from {owner} wait on {count|connection}";
	f->detail = "{count|socket}, window shut for {stuck} · {probes_sent|window probe}, the last answer {last_answer} ago · nothing sent for {last_sent} · never ends as long as the peer answers";
}

static void add_doubts(struct finding *f, const struct members *run, const struct tally *t)
{
	finding_against(f, "the peer may have stopped on purpose: a pager, a paused player, a consumer that takes its time");
	if (!t->owner)
		finding_against(f, "the owner could not be read: whether the sending process itself has stopped reading is not known");
	if (t->verdict.story == SEND_STALL_DEADLOCK)
		finding_against(f, "the process here does not read from that peer either: it may be the one that stands still");
	if (member_is_public(run->at))
		finding_against(f, "clients on the Internet are slow or paused all the time");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	enum limit limit;
	enum severity severity = judge(view, run, &t, &limit);
	struct finding *f;

	if (!RULE_MAIN(PEER_ZERO_WINDOW, t.verdict.rule && !strcmp(t.verdict.rule, sink->rule->id)))
		return;
	f = sink_finding(sink, severity, view_confidence(view, t.verdict.confidence, false));
	f->count = t.sockets;
	f->scope_factor = t.sockets == 1 ? SINGLE_SOCKET : 1;
	finding_owner(f, t.owner);
	finding_members(f, run, network);
	add_evidence(f, view, &t);
	describe(f, run, &t);
	add_doubts(f, run, &t);
	finding_threshold(f, sink, limit);
}

/* Takes out of @all what is not shut for long enough. Return: the longest among it, −1 none. */
static int64_t keep_long(const struct view *view, struct members *all)
{
	int64_t longest = -1;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if ((double)all->at[i].age_ms >= view->values[STUCK])
			all->at[kept++] = all->at[i];
		else
			longest = MAX(longest, all->at[i].age_ms);
	}
	all->count = kept;
	return longest;
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep);
	int64_t longest = keep_long(view, &all);

	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && longest >= 0)
		sink_near_miss(sink, "longest time in front of a shut window", (double)longest, STUCK);
	if (members_any_public(&all))
		sink_skip_history(sink, "whether more clients than usual do not read");
}

const struct rule rule_peer_zero_window = {
	.id = "peer-zero-window",
	.title = "The peer does not read, and we cannot send",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_TWO_SAMPLES,
	.states = STATE_BIT(SOCK_STATE_ESTAB) | STATE_BIT(SOCK_STATE_CLOSE_WAIT),
	.candidate = candidate,
	.quota = QUOTA,
	.eval = eval,
	.packets = &packets_peer_zero_window,
	.thresholds = thresholds,
	.explain =
		"A receiver tells with each segment how much more it has room for: its window. When the program there does not read, the buffer fills and the window shrinks to 0. The sender then has acknowledged "
		"everything, holds more data, and may not send it: the persist timer runs, and at intervals that double a probe asks whether the window has opened. The peer answers each: it is alive, the network "
		"carries everything, and nothing moves. It looks like a network that stands still and is none.\n\n"
		"There is no end to that by itself. RFC 9293 wants a sender to go on as long as the probes are answered, and the program here waits in write(), or with a growing queue, unless it set a deadline.\n\n"
		"Three stories end in a send that does not go on, and the socket tells them apart. Window shut, probes answered: the peer does not read. Data unacknowledged, or probes that nobody answers: the peer or the path "
		"is dead (dead-peer-unacked). Window shut, and this very process leaves unread what the peer sends: both write and neither reads, and the reader to mend first is on this host (recvq-not-drained). When this process leaves "
		"unread what others send it, it passes the stop on: this peer is the cause, the full receive queue here the consequence.\n\n"
		"The time shown is that of the probes so far, which may be a few percent short.",
	.look_alikes = (const char *const[]){
		"a sender at full rate that is caught once with its window used up: in the next look data has moved",
		"a slow reader that reads: the window opens again and again and bytes are acknowledged",
		"a dead path: sent data stays unacknowledged, or the window probes are not answered any more",
		"a program that holds data back itself (corking, a low TCP_NOTSENT_LOWAT): no persist timer",
		"clients on the Internet that pause: info, unless a good share of a listener's clients from many networks has stopped",
		NULL },
	.causes = (const char *const[]){
		"the program at the peer is stuck or too busy to read (recvq-not-drained over there)",
		"it waits for something behind it: a disk, a database, its own peer",
		"it has paused on purpose: back-pressure, a consumer that takes its time, a pager",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -i dst {example}",
		"ss -tnoi dst {example}",
		"nstat -az TcpExtTCPWinProbe TcpExtTCPFromZeroWindowAdv TcpExtTCPToZeroWindowAdv",
		NULL },
	.fixes = (const char *const[]){
		"at the peer: find what keeps its program from reading",
		"in this program: a deadline for writes, so that one peer cannot hold a worker or a buffer for ever",
		"TCP_USER_TIMEOUT ends a connection whose window stays shut, which nothing else in the kernel does",
		"bound what is queued for one peer; a larger send buffer only postpones it",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.8.6", "RFC 9293 §3.8.6.1", "RFC 1122 §4.2.2.17",
				       "net/ipv4/tcp_timer.c (tcp_probe_timer)", NULL },
	.repro = "write to a peer that accepts the connection and never reads, until nothing more goes in",
};
