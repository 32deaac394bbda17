/* SPDX-License-Identifier: MIT */
/* recvq-not-drained: data waits in the receive queue and the program does not read it. */
#include "../kit.h"

enum limit {
	STUCK,
	BYTES,
	SOCKETS,
	CRIT_STUCK,
	CRIT_SOCKETS,
	SATURATED,
	POOL_BYTES,
};

static const struct threshold thresholds[] = {
	[STUCK] = { "stuck", UNIT_MS, 2000, "a program that is merely busy comes back to its sockets within a fraction of this" },
	[BYTES] = { "bytes", UNIT_BYTES, 1024, "less may be the rest of a closing handshake that nobody needs" },
	[SOCKETS] = { "sockets", UNIT_SOCKETS, 3, "several at once are a program that stands still, whatever the size" },
	[CRIT_STUCK] = { "critical_stuck", UNIT_MS, 10000, "longer than a user waits" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 10, "the process does not read at all" },
	[SATURATED] = { "saturated", UNIT_RATIO, 0.9, "share of the receive buffer in use; above it the window closes and the sender stops" },
	[POOL_BYTES] = { "pool_bytes", UNIT_BYTES, 4096, "session tickets and closing alerts on an idle outbound connection stay below this" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_CONSTANT 0.85
#define CONFIDENCE_GROWING 0.8
#define CONFIDENCE_SATURATED 0.9
#define STOPPED_STATES "Tt"

/** struct stuck - one socket judged. @stuck_ms: lower bound of the time since the program read. */
struct stuck {
	bool growing, saturated, is;
	int64_t stuck_ms;
};

/** struct tally - the stuck sockets of one process. */
struct tally {
	uint64_t sockets, bytes, growing, saturated, unread_eof;
	int64_t stuck_ms;
	const struct member *worst;
};

static bool candidate(const struct sock *sock)
{
	return sock->inode && sock->recv_q > (sock->state == SOCK_STATE_CLOSE_WAIT ? 1u : 0u);
}

static bool is_saturated(const struct view *view, const struct sock *sock)
{
	bool full = sock->has & SOCK_HAS_SKMEM &&
		    sock->skmem[SKMEM_RMEM] >=
			    view->values[SATURATED] * sock->skmem[SKMEM_RCVBUF];

	return full || (tcpi_has(&sock->info, TCPI_RCV_WND) &&
			sock_tcpi(sock, TCPI_RCV_WND) < sock_tcpi(sock, TCPI_ADVMSS));
}

/* Nobody is meant to read an idle pooled connection: little came, on its own accord, and nothing was sent since. */
static bool looks_like_pool(const struct view *view, const struct candidate *c)
{
	const struct sock *sock = &c->last.sock;

	return c->outbound && sock->recv_q == c->first.sock.recv_q &&
	       sock->recv_q < view->values[POOL_BYTES] &&
	       sock_tcpi(sock, TCPI_LAST_DATA_SENT) >= sock_tcpi(sock, TCPI_LAST_DATA_RECV);
}

static struct stuck look_at(const struct view *view, const struct candidate *c)
{
	const struct sock *sock = &c->last.sock;
	int64_t quiet = (int64_t)sock_tcpi(sock, TCPI_LAST_DATA_RECV);
	int64_t watched = (c->last_us - c->first_us) / 1000;
	struct stuck s = { .growing = sock->recv_q > c->first.sock.recv_q };

	if (!candidate_unread(view, c) || looks_like_pool(view, c))
		return s;
	s.saturated = is_saturated(view, sock);
	s.stuck_ms = s.growing ? watched : MAX(quiet, watched);
	s.is = s.saturated || s.growing || (double)quiet >= view->values[STUCK];
	return s;
}

static bool keep(const struct view *view, struct member *member)
{
	const struct sock *sock = member->sock;

	if (sock->state != SOCK_STATE_ESTAB && sock->state != SOCK_STATE_CLOSE_WAIT)
		return false;
	return sock->info.len && candidate(sock) && look_at(view, member->candidate).is;
}

static struct tally tally_of(const struct view *view, const struct members *group)
{
	struct tally t = { .worst = group->at };

	for (size_t i = 0; i < group->count; i++) {
		const struct member *m = &group->at[i];
		struct stuck s = look_at(view, m->candidate);

		t.sockets++;
		t.bytes += m->sock->recv_q;
		t.growing += s.growing;
		t.saturated += s.saturated;
		t.unread_eof += m->sock->state == SOCK_STATE_CLOSE_WAIT;
		t.stuck_ms = MAX(t.stuck_ms, s.stuck_ms);
		if (m->sock->recv_q > t.worst->sock->recv_q)
			t.worst = m;
	}
	return t;
}

static bool is_stopped(const struct process *owner)
{
	return owner && owner->run_state && strchr(STOPPED_STATES, owner->run_state);
}

static bool closed_windows(const struct view *view)
{
	uint64_t delta;

	return view_delta(view, COUNTER_TCP_TO_ZERO_WINDOW_ADV, &delta) && delta;
}

static bool judge(const struct view *view, const struct tally *t, const struct process *owner,
		  enum severity *severity, enum limit *limit)
{
	const double *l = view->values;

	*severity = SEVERITY_CRITICAL;
	if ((double)t->stuck_ms >= l[CRIT_STUCK])
		*limit = CRIT_STUCK;
	else if ((double)t->sockets >= l[CRIT_SOCKETS])
		*limit = CRIT_SOCKETS;
	else if (t->saturated || (t->growing && closed_windows(view)))
		*limit = SATURATED;
	else {
		*severity = SEVERITY_WARNING;
		*limit = (double)t->sockets >= l[SOCKETS] ? SOCKETS : BYTES;
	}
	if (is_stopped(owner))
		*severity = SEVERITY_INFO;
	return (double)t->stuck_ms >= l[STUCK] &&
	       ((double)t->bytes >= l[BYTES] || (double)t->sockets >= l[SOCKETS]);
}

static double confidence_of(const struct view *view, const struct tally *t)
{
	double confidence = t->saturated ? CONFIDENCE_SATURATED :
			    t->growing	 ? CONFIDENCE_GROWING :
					   CONFIDENCE_CONSTANT;

	return view_confidence(view, confidence, false);
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sock *worst = t->worst->sock;

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "bytes", (double)t->bytes, UNIT_BYTES, "idiag_rqueue");
	finding_add(f, "stuck", (double)t->stuck_ms, UNIT_MS, "tcpi_last_data_recv");
	finding_add(f, "growing", (double)t->growing, UNIT_SOCKETS, "idiag_rqueue");
	finding_add(f, "saturated", (double)t->saturated, UNIT_SOCKETS, "skmem, tcpi_rcv_wnd");
	finding_add(f, "worst_recv_q", worst->recv_q, UNIT_BYTES, "idiag_rqueue");
	if (worst->has & SOCK_HAS_SKMEM) {
		finding_add(f, "worst_rmem", worst->skmem[SKMEM_RMEM], UNIT_BYTES, "skmem");
		finding_add(f, "worst_rcvbuf", worst->skmem[SKMEM_RCVBUF], UNIT_BYTES, "skmem");
	}
	if (tcpi_has(&worst->info, TCPI_RCV_WND))
		finding_add(f, "worst_rcv_wnd", (double)sock_tcpi(worst, TCPI_RCV_WND), UNIT_BYTES,
			    "tcpi_rcv_wnd");
	finding_counter(f, view, COUNTER_TCP_TO_ZERO_WINDOW_ADV, "zero_windows_sent");
	finding_counter(f, view, COUNTER_TCP_RCV_Q_DROP, "receive_queue_drops");
	finding_counter(f, view, COUNTER_TCP_BACKLOG_DROP, "backlog_drops");
	finding_counter(f, view, COUNTER_PRUNE_CALLED, "prunes");
}

static void set_peer(struct finding *f, const struct members *group)
{
	for (size_t i = 1; i < group->count; i++) {
		if (!endpoint_equal(&group->at[i].sock->peer, &group->at->sock->peer))
			return;
	}
	finding_peer(f, &group->at->sock->peer);
}

static void describe(struct finding *f, const struct tally *t, const struct process *owner)
{
	f->title = is_stopped(owner) ? "{owner} is stopped and does not read {bytes} from {count|connection}" :
		   f->scope.has_peer ? "{owner} does not read: {bytes} from {peer} wait in its receive queue" :
				       "{owner} does not read: {bytes} wait in the receive queues of {count|connection}";
	f->detail = t->saturated ?
			    "{count|socket}, nothing read for {stuck} at least · {saturated} with a full buffer: the peer has been told to stop · {growing} still growing" :
			    "{count|socket}, nothing read for {stuck} at least · {growing} still growing, {saturated} with a full buffer";
}

static void file_group(const struct view *view, struct sink *sink, const struct members *group)
{
	const struct process *owner = group->at->owner;
	struct tally t = tally_of(view, group);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(RECVQ_NOT_DRAINED, judge(view, &t, owner, &severity, &limit)))
		return;
	f = sink_finding(sink, severity, confidence_of(view, &t));
	f->count = t.sockets;
	f->growth = t.growing ? 1.1 : 1;
	f->scope_factor = t.sockets == 1 ? 0.8 : 1;
	finding_owner(f, owner);
	set_peer(f, group);
	add_evidence(f, view, &t);
	describe(f, &t, owner);
	if (is_stopped(owner))
		finding_against(f, "the process is stopped (a debugger, job control): it reads again when it goes on");
	if (!owner)
		finding_against(f, "the owner could not be read: several processes may share this number");
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep), group;
	int64_t longest = -1;

	members_sort(&all, member_by_owner);
	for (size_t i = 0; i < all.count; i += group.count) {
		group = members_run(&all, i, members_same_owner);
		longest = MAX(longest, tally_of(view, &group).stuck_ms);
		file_group(view, sink, &group);
	}
	if (!sink->filed && longest >= 0)
		sink_near_miss(sink, "longest time without reading", (double)longest, STUCK);
}

const struct rule rule_recvq_not_drained = {
	.id = "recvq-not-drained",
	.title = "Data waits in the receive queue and is not read",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_TWO_SAMPLES,
	.states = STATE_BIT(SOCK_STATE_ESTAB) | STATE_BIT(SOCK_STATE_CLOSE_WAIT),
	.candidate = candidate,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"Recv-Q counts bytes that the kernel has received and acknowledged and that the program has not read. In a program that works it is empty or changes from look to look. "
		"Bytes that stay through all samples while nothing is taken from the queue mean that the program does not come back to this socket: a blocked worker, a long garbage collection, "
		"a starved event loop, or a stage behind it that does not accept more (back-pressure).\n\n"
		"When the buffer is full the kernel advertises a window of zero and the sender stops. From the sender's side that looks like a network that stands still; it is not.\n\n"
		"What the program has consumed is bytes_received minus Recv-Q. If that grows between two samples the program reads, however full the queue is. The time shown is a lower bound.",
	.look_alikes = (const char *const[]){
		"a heavy download: the queue is never empty, but bytes are consumed between the samples",
		"an idle pooled connection of ours that holds a few hundred bytes (TLS 1.3 session tickets): small, constant, nothing sent since; not reported",
		"a connection that has not been accepted yet (inode 0): it waits for accept(), not for read()",
		"a process stopped by a debugger or by job control: reported as info",
		NULL },
	.causes = (const char *const[]){
		"a blocked worker: a lock, a synchronous call, garbage collection",
		"back-pressure: what this process writes to does not take more",
		"an event loop starved by one busy handler",
		"a CPU limit of the cgroup (throttling)",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -m recvq '>' 0 and pid = {pid}",
		"cat /proc/{pid}/stack /proc/{pid}/wchan",
		"nstat -az TcpExtTCPToZeroWindowAdv TcpExtTCPRcvQDrop",
		NULL },
	.fixes = (const char *const[]){
		"in the program: find what blocks the reader",
		"look at what the process itself waits for: its own sending side, its database, its disk",
		"a larger receive buffer only postpones it",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.8.6", "RFC 9293 §3.8.6.1",
				       "net/ipv4/tcp_diag.c (tcp_diag_get_info)", NULL },
	.repro = "a peer sends without end, the reader sleeps: Recv-Q stands, rcv_wnd goes to 0",
};
