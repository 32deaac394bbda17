/* SPDX-License-Identifier: MIT */
/* accept-stuck: finished connections wait for accept() although the queue has room. */
#include "../queues.h"

enum limit {
	OLDEST,
	CRIT_OLDEST,
	GAVE_UP,
	FD_FULL,
};

static const struct threshold thresholds[] = {
	[OLDEST] = { "oldest", UNIT_MS, 1000, "a program that is merely busy comes back to accept() within a fraction of this" },
	[CRIT_OLDEST] = { "critical_oldest", UNIT_MS, 5000, "clients, health checks and load balancers give up after about this long" },
	[GAVE_UP] = { "gave_up", UNIT_SOCKETS, 1, "a client that left before it was accepted has not been served" },
	[FD_FULL] = { "fd_share", UNIT_PERCENT, 95, "accept() fails with EMFILE when the descriptors are used up" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_SURE 0.95
#define CONFIDENCE_SHARED 0.85
/* Children are remembered only so that a cheap dump asks for their tcp_info. */
#define CHILDREN_MAX 2048

/**
 * struct wait - one queue judged. @oldest_ms: wait of its oldest connection. @gave_up: connections whose client has closed, where one of them
 * had waited for long. @halted: nothing at all was taken from it while it was looked at.
 */
struct wait {
	const struct accept_queue *queue;
	int64_t oldest_ms;
	uint32_t gave_up;
	bool halted;
};

static bool candidate(const struct sock *sock)
{
	return !sock->inode;
}

/* First in, first out: a head that is older than the run was its head all along. What a client has reset stays in the queue without a
 * socket, so a queue that was always longer than its connections are many holds such a head too. */
static bool is_halted(const struct view *view, const struct accept_queue *q)
{
	return accept_queue_oldest_ms(q) * 1000 >= snapshot_span_us(view->snap) ||
	       (q->listeners == 1 && q->least > q->keeper->children_waiting);
}

static struct wait look_at(const struct view *view, const struct accept_queue *q)
{
	struct wait w = { .queue = q, .oldest_ms = q->standing ? accept_queue_oldest_ms(q) : -1 };

	if (w.oldest_ms < 0)
		return w;
	w.halted = is_halted(view, q);
	if ((double)q->keeper->oldest_closed_ms >= view->values[OLDEST])
		w.gave_up = q->keeper->children_closed;
	return w;
}

static bool lacks_ages(const struct wait *w)
{
	return w->queue->standing && w->oldest_ms < 0 && w->queue->keeper &&
	       w->queue->keeper->children_waiting;
}

static enum severity judge(const struct view *view, const struct wait *w, enum limit *limit)
{
	*limit = CRIT_OLDEST;
	if ((double)w->oldest_ms >= view->values[CRIT_OLDEST])
		return SEVERITY_CRITICAL;
	*limit = GAVE_UP;
	if (w->gave_up >= view->values[GAVE_UP])
		return SEVERITY_CRITICAL;
	*limit = OLDEST;
	return SEVERITY_WARNING;
}

static void set_title(struct finding *f, const struct wait *w)
{
	bool one = w->queue->waiting == 1;

	if (w->halted)
		f->title = one ? "{owner} does not accept on {local}: a connection has waited for {oldest_child}" :
				 "{owner} does not accept on {local}: {count|connection} wait, the oldest for {oldest_child}";
	else
		f->title = one ? "{owner} accepts too slowly on {local}: a connection has waited for {oldest_child}" :
				 "{owner} accepts too slowly on {local}: {count|connection} wait, the oldest for {oldest_child}";
}

static bool out_of_fds(const struct view *view, const struct process *owner)
{
	return owner && owner->nofile &&
	       100.0 * owner->fds >= view->values[FD_FULL] * (double)owner->nofile;
}

static void set_detail(struct finding *f, const struct view *view, const struct wait *w,
		       const struct process *owner)
{
	if (out_of_fds(view, owner))
		f->detail = "{recv_q} wait now, {least} at the least, backlog {backlog} · {fds} of {nofile} fds: accept() fails with EMFILE";
	else if (w->gave_up)
		f->detail = "{recv_q} wait now, {least} at the least, backlog {backlog} · clients of {gave_up} of them have closed before they were accepted";
	else if (w->queue->over)
		f->detail = "{recv_q} wait now, {least} at the least, backlog {backlog}: the queue is full, new clients are dropped";
	else
		f->detail = "{recv_q} wait now, {least} at the least, backlog {backlog} · nothing is dropped before the queue is full";
}

static uint32_t accepted(const struct listener *keeper)
{
	uint32_t open = keeper->children_waiting - keeper->children_closed;

	return keeper->estab - MIN(open, keeper->estab);
}

static void add_doubts(struct finding *f, const struct wait *w, const struct process *owner)
{
	if (w->queue->listeners > 1)
		finding_against(f, "{listeners} listeners share this endpoint (SO_REUSEPORT): the kernel does not tell in whose queue a connection waits");
	if (accepted(w->queue->keeper) == 1)
		finding_against(f, "one client is being served: a program that serves one after the other lets the others wait on purpose");
	if (!w->halted)
		finding_against(f, "the queue moves: connections that stood in it have been accepted, or their clients are gone");
	if (!owner)
		finding_against(f, "the owner of the listener could not be read");
}

static void file_queue(const struct view *view, struct sink *sink, const struct wait *w)
{
	const struct accept_queue *q = w->queue;
	const struct sock *sock = &q->worst->last.sock;
	enum limit limit;
	enum severity severity = judge(view, w, &limit);
	double confidence = q->listeners > 1 ? CONFIDENCE_SHARED : CONFIDENCE_SURE;
	struct finding *f = sink_finding(sink, severity, view_confidence(view, confidence, true));
	enum owner_unknown reason;
	const struct process *owner = view->owner_of(view, sock, &reason);

	f->count = q->waiting;
	f->growth = sock->recv_q > q->worst->first.sock.recv_q ? 1.1 : 1;
	f->scope_factor = addr_is_loopback(&sock->local.addr) ? 0.8 : 1;
	finding_local(f, &sock->local);
	finding_queue(f, view, q->worst);
	finding_add(f, "least", (double)q->least, UNIT_COUNT, "idiag_rqueue");
	finding_add(f, "gave_up", w->gave_up, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "served", accepted(q->keeper), UNIT_SOCKETS, "sock_diag");
	finding_add(f, "listeners", q->listeners, UNIT_SOCKETS, "sock_diag");
	finding_process(f, view, owner);
	set_title(f, w);
	set_detail(f, view, w, owner);
	add_doubts(f, w, owner);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct accept_queues queues = accept_queues_collect(view);
	int64_t longest = -1;

	for (size_t i = 0; i < queues.count; i++) {
		struct wait w = look_at(view, &queues.at[i]);

		longest = MAX(longest, w.oldest_ms);
		if (lacks_ages(&w))
			sink_skip_part(sink, "how long connections wait: tcp_info of them could not be read");
		if (RULE_MAIN(ACCEPT_STUCK, (double)w.oldest_ms >= view->values[OLDEST]))
			file_queue(view, sink, &w);
	}
	if (!sink->filed && longest >= 0)
		sink_near_miss(sink, "longest wait for accept()", (double)longest, OLDEST);
}

const struct rule rule_accept_stuck = {
	.id = "accept-stuck",
	.title = "Connections wait for accept()",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_TWO_SAMPLES,
	.states = STATE_BIT(SOCK_STATE_ESTAB) | STATE_BIT(SOCK_STATE_CLOSE_WAIT),
	.candidate = candidate,
	.quota = CHILDREN_MAX,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"A connection whose handshake is finished waits in its listener's queue until the program calls accept(). The client believes that it is connected and sends its request; the kernel "
		"acknowledges it, and nobody reads it. While the queue has room nothing is dropped and no counter moves: all that is to be seen is a Recv-Q of the LISTEN socket that is not empty, and "
		"connections that belong to no descriptor (inode 0).\n\n"
		"A queue that holds a few for a moment is normal. One that is never empty, with a connection in it that has waited for a second, means that the program does not come to accept(): its loop "
		"is blocked, its threads are busy, it has reached its own limit of connections, or accept() fails because the descriptors are used up (EMFILE).\n\n"
		"How long a connection has waited is exact: on a connection that nobody has accepted nothing was ever sent, so last_data_sent counts from the end of the handshake. A client that has closed "
		"meanwhile leaves its connection in CLOSE-WAIT, still in the queue; one that has sent a reset leaves a place in the queue without a socket.",
	.look_alikes = (const char *const[]){
		"connections that the program has closed have no inode either, but they are in FIN-WAIT, LAST-ACK or CLOSING",
		"one or two in the queue for a moment, under load: none of them has waited for long",
		"TCP_DEFER_ACCEPT: a silent client stays in SYN-RECV and enters the queue only with its first data",
		"a process outside of our pid namespace: its connections have an inode, only no owner that could be seen",
		"a queue that is full and drops clients: that is accept-queue-overflow",
		NULL },
	.causes = (const char *const[]){
		"the process is blocked: one busy event loop, a lock, garbage collection, a stopped process",
		"no descriptors are left, so that accept() fails with EMFILE and is not tried again",
		"the program's own limit of connections or workers is reached, and it stops to accept until one ends",
		"another process holds the listener and was never meant to accept: an inherited descriptor, socket activation whose service does not start",
		NULL },
	.next = (const char *const[]){
		"ss -ltnp sport = :{local_port}",
		"tcptriage states -t -o -p sport = :{local_port}",
		"cat /proc/{pid}/stack /proc/{pid}/wchan",
		"ls /proc/{pid}/fd",
		NULL },
	.fixes = (const char *const[]){
		"make accept() run: unblock the loop, more workers, a thread that does nothing but accept",
		"when descriptors are used up: close what leaks, then raise LimitNOFILE=",
		"let the health check ask the service itself: a connection that opens proves only that the kernel answers",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.5", "RFC 9293 §3.9.1.1",
				       "net/ipv4/inet_connection_sock.c (inet_csk_accept)",
				       "net/ipv4/tcp_minisocks.c (tcp_create_openreq_child)", NULL },
	.repro = "listen(128) without accept(), two clients connect and wait: Recv-Q 2, both ESTAB with inode 0",
};
