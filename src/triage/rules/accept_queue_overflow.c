/* SPDX-License-Identifier: MIT */
/* accept-queue-overflow: finished handshakes are being dropped because nobody accepts them. */
#include "../queues.h"
#include "../packets.h"

enum limit {
	WARN_DROPS,
	CRIT_RATE,
	CRIT_SAMPLES,
	NEAR_FULL,
	FD_FULL,
	STANDING,
};

static const struct threshold thresholds[] = {
	[WARN_DROPS] = { "drops", UNIT_COUNT, 1, "every one is a client that waits a second or more for nothing" },
	[CRIT_RATE] = { "critical_rate", UNIT_PER_S, 10, "ten clients a second turned away" },
	[CRIT_SAMPLES] = { "critical_samples", UNIT_COUNT, 2, "seen full or dropping in two looks: not one burst" },
	[NEAR_FULL] = { "near_full", UNIT_RATIO, 0.8, "a queue this full in a sample is the one that overflowed between the samples" },
	[FD_FULL] = { "fd_share", UNIT_PERCENT, 95, "accept() fails with EMFILE when the descriptors are used up" },
	[STANDING] = { "standing", UNIT_MS, 1000, "a program that is merely busy takes a burst out of the queue within a fraction of this" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_NAMED 0.95
#define CONFIDENCE_FULL_NOW 0.9
#define CONFIDENCE_LIKELY 0.6
#define CONFIDENCE_UNNAMED 0.5

/**
 * struct case_of - one listener against the facts. @drops: growth of its own drop count. @overflows: growth for the whole namespace,
 * @counted: known. @full_now: more children than its backlog in the newest sample, and not only just come. @near: nearly full at some time.
 */
struct case_of {
	const struct listener *listener;
	uint64_t drops, overflows;
	bool counted, full_now, near;
};

/* A child that has waited for long tells a queue that stands from a burst that is being taken; where no age is known the length speaks. */
static bool stands(const struct view *view, const struct listener *l)
{
	const struct listener *first = snapshot_listener_for(view->snap, &l->last.sock.local);
	int64_t oldest = first ? first->oldest_child_ms : -1;

	return oldest < 0 || (double)oldest >= view->values[STANDING];
}

static struct case_of look_at(const struct view *view, const struct listener *l)
{
	uint32_t backlog = l->last.sock.send_q;
	struct case_of c = { .listener = l, .drops = listener_drops(l) };

	c.counted = view_delta(view, COUNTER_LISTEN_OVERFLOWS, &c.overflows);
	c.full_now = l->present && l->last.sock.recv_q > backlog && stands(view, l);
	c.near = l->recv_q_max && l->recv_q_max >= view->values[NEAR_FULL] * backlog;
	return c;
}

/* Drops of the listener are overflows only when the namespace counted overflows: SYNs are dropped for other reasons too. */
static bool overflowed(const struct case_of *c, const double *limits)
{
	return c->counted && (double)c->overflows >= limits[WARN_DROPS] && c->drops > 0;
}

static bool concerns(const struct case_of *c, const double *limits)
{
	return c->full_now || overflowed(c, limits);
}

static enum severity judge(const struct view *view, const struct case_of *c, enum limit *limit)
{
	const double *l = view->values;
	double window = view_window_s(view);
	bool dropping = overflowed(c, l);
	bool one_look = view->snap->samples < 2;

	*limit = CRIT_RATE;
	if (dropping && window > 0 && (double)c->drops / window >= l[CRIT_RATE])
		return SEVERITY_CRITICAL;
	*limit = CRIT_SAMPLES;
	if (dropping && c->listener->drop_samples >= l[CRIT_SAMPLES])
		return SEVERITY_CRITICAL;
	if (c->full_now && (one_look || c->listener->full_samples >= l[CRIT_SAMPLES]))
		return SEVERITY_CRITICAL;
	*limit = WARN_DROPS;
	return SEVERITY_WARNING;
}

static bool out_of_fds(const struct view *view, const struct process *owner)
{
	return owner && owner->nofile &&
	       100.0 * owner->fds >= view->values[FD_FULL] * (double)owner->nofile;
}

/* The head of the queue is older than the run: not one connection was taken meanwhile. */
static bool does_not_accept(const struct view *view, const struct case_of *c)
{
	int64_t oldest = c->listener->oldest_child_ms;

	return view->window_us > 0 && oldest > view->window_us / 1000 &&
	       c->listener->waiting_samples == view->snap->samples;
}

static void describe(struct finding *f, const struct view *view, const struct case_of *c,
		     const struct process *owner)
{
	f->title = c->full_now && !c->drops ?
			   "Accept queue of {local} is full: {owner} does not accept, new clients will be dropped" :
	   does_not_accept(view, c) ?
			   "Accept queue overflows: {owner} does not accept on {local}, clients are dropped" :
			   "Accept queue overflows: {owner} does not accept fast enough on {local}, clients are dropped";
	if (out_of_fds(view, owner))
		f->detail = "{recv_q} wait now, {recv_q_max} at most, backlog {backlog} · {fds} of {nofile} fds: accept() fails with EMFILE";
	else if (!c->drops)
		f->detail = "{recv_q} wait now, backlog {backlog} · each new client will be dropped until accept() is called";
	else if (finding_evidence(f, "process_age"))
		f->detail = "{drops} SYNs and final ACKs dropped in {window}, retries included · {recv_q} wait now, {recv_q_max} at most, backlog {backlog} · process started {process_age} ago";
	else
		f->detail = "{drops} SYNs and final ACKs dropped in {window}, retries included · {recv_q} wait now, {recv_q_max} at most, backlog {backlog}";
}

static void add_doubts(struct finding *f, const struct view *view, const struct case_of *c)
{
	const struct evidence *somaxconn = finding_evidence(f, "somaxconn");

	if (somaxconn && somaxconn->value == c->listener->last.sock.send_q)
		finding_against(f, "the backlog equals somaxconn: the program may have asked for more than it got");
	if (!c->drops)
		finding_against(f, view->snap->samples < 2 ?
					   "one look only: a burst that is being drained looks the same" :
					   "nothing was dropped while it was looked at");
}

static double confidence_of(const struct view *view, const struct case_of *c)
{
	if (overflowed(c, view->values))
		return view_confidence(view, CONFIDENCE_NAMED, true);
	return view_confidence(view, CONFIDENCE_FULL_NOW, false);
}

static void file_listener(const struct view *view, struct sink *sink, const struct case_of *c)
{
	const struct sock *sock = &c->listener->last.sock;
	const struct process *owner;
	enum owner_unknown reason;
	enum limit limit;
	enum severity severity = judge(view, c, &limit);
	struct finding *f = sink_finding(sink, severity, confidence_of(view, c));

	owner = view->owner_of(view, sock, &reason);
	f->count = MAX(c->drops, sock->recv_q);
	f->growth = c->drops ? 1.1 : 1;
	f->scope_factor = addr_is_loopback(&sock->local.addr) ? 0.8 : 1;
	finding_local(f, &sock->local);
	finding_add(f, "window", view_window_s(view), UNIT_S, "rule");
	finding_counter(f, view, COUNTER_LISTEN_OVERFLOWS, "listen_overflows");
	finding_counter(f, view, COUNTER_LISTEN_DROPS, "listen_drops");
	finding_add(f, "drops", (double)c->drops, UNIT_COUNT, "skmem drops");
	finding_queue(f, view, c->listener);
	finding_process(f, view, owner);
	describe(f, view, c, owner);
	add_doubts(f, view, c);
	finding_threshold(f, sink, limit);
}

/* The namespace counted overflows, but no listener owns up to them: those that were nearly full are the likely ones. */
static void file_suspects(const struct view *view, struct sink *sink)
{
	const struct listener *listener;
	struct finding *f;
	uint64_t overflows;

	if (!view_delta(view, COUNTER_LISTEN_OVERFLOWS, &overflows) ||
	    !RULE_MAIN(ACCEPT_QUEUE_OVERFLOW, (double)overflows >= view->values[WARN_DROPS]))
		return;
	f = sink_finding(sink, SEVERITY_WARNING, CONFIDENCE_UNNAMED);
	f->count = overflows;
	f->title = "Accept queues overflowed: {count} SYNs and final ACKs were dropped";
	f->detail = "{listen_overflows} in {window} · no listener shows drops of its own";
	finding_add(f, "window", view_window_s(view), UNIT_S, "rule");
	finding_counter(f, view, COUNTER_LISTEN_OVERFLOWS, "listen_overflows");
	finding_threshold(f, sink, WARN_DROPS);
	for (size_t i = 0; (listener = snapshot_listener(view->snap, i)); i++) {
		if (!look_at(view, listener).near)
			continue;
		f->confidence = view_confidence(view, CONFIDENCE_LIKELY, false);
		f->detail = "{listen_overflows} in {window} · no listener shows drops of its own, {local} was nearly full";
		finding_local(f, &listener->last.sock.local);
		return;
	}
}

static void note_near_miss(const struct view *view, struct sink *sink)
{
	const struct listener *listener;
	double fullest = -1;

	for (size_t i = 0; (listener = snapshot_listener(view->snap, i)); i++) {
		if (listener->last.sock.send_q)
			fullest = MAX(fullest, (double)listener->recv_q_max / listener->last.sock.send_q);
	}
	if (fullest >= 0)
		sink_near_miss(sink, "fullest accept queue", fullest, NEAR_FULL);
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct listener *listener;

	for (size_t i = 0; (listener = snapshot_listener(view->snap, i)); i++) {
		struct case_of c = look_at(view, listener);

		if (!listener->role_only && RULE_MAIN(ACCEPT_QUEUE_OVERFLOW, concerns(&c, view->values)))
			file_listener(view, sink, &c);
	}
	if (!sink->filed && sees_all_listeners(view))
		file_suspects(view, sink);
	if (!sink->filed)
		note_near_miss(view, sink);
	if (!view->snap->has_counters)
		sink_skip_part(sink, "overflows between samples: no kernel counters could be read");
	else if (view->snap->samples < 2)
		sink_skip_part(sink, "overflows between samples: one sample shows no growth");
}

const struct rule rule_accept_queue_overflow = {
	.id = "accept-queue-overflow",
	.title = "Accept queue overflows: finished handshakes are dropped",
	.needs = RULE_NEEDS_SOCKETS,
	.eval = eval,
	.packets = &packets_accept_queue_overflow,
	.thresholds = thresholds,
	.explain =
		"The kernel finishes handshakes on behalf of a listener and queues the connections until the program calls accept(). The queue holds as many as the backlog given to listen(), capped by "
		"net.core.somaxconn; for a LISTEN socket Recv-Q is the number that waits and Send-Q the limit. When it is full (Recv-Q reaches the limit plus one) the kernel drops new SYNs and the "
		"last packet of handshakes in flight, without an answer: the client sees a connection attempt that stalls for a second, three, seven, or a connection that it believes open "
		"and that the server does not know.\n\n"
		"ListenOverflows counts this for the whole network namespace. The drop count of the listener's own socket memory names the listener exactly, also after a burst that is over.\n\n"
		"Almost always the program is the cause: its one event loop is busy, its threads are blocked, it has run out of descriptors so that accept() fails, or it has just been started "
		"and everybody comes at once.",
	.look_alikes = (const char *const[]){
		"ListenDrops alone, without ListenOverflows: a SYN flood or a lack of memory, not this queue",
		"a burst that drains: the queue is short again in the next sample, or none of it has waited for long, and nothing was dropped",
		"connections that wait while the queue is not full",
		NULL },
	.causes = (const char *const[]){
		"the process is blocked: garbage collection, one busy event loop, a lock, no descriptors left (EMFILE)",
		"the backlog is too small for the burst after a deploy or a reconnect of all clients",
		"too few workers for the rate of new connections",
		NULL },
	.next = (const char *const[]){
		"ss -ltnmp sport = :{local_port}",
		"nstat -az TcpExtListenOverflows TcpExtListenDrops",
		"cat /proc/{pid}/stack",
		"ls /proc/{pid}/fd",
		NULL },
	.fixes = (const char *const[]){
		"make accept() run: unblock the loop, more workers, SO_REUSEPORT with a listener for each",
		"raise the backlog in the program and net.core.somaxconn, both; it is read at listen(), so restart",
		"align the connection limits and the slow start of the load balancer in front",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.5", "RFC 1122 §4.2.2.18",
				       "Documentation/networking/snmp_counter.rst (TcpExtListenOverflows)",
				       "net/ipv4/tcp_ipv4.c (tcp_v4_syn_recv_sock)", NULL },
	.repro = "listen(3) without accept(), twelve clients connect: four are taken, eight stay in SYN-SENT",
};
