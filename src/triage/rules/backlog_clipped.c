/* SPDX-License-Identifier: MIT */
/* backlog-clipped: a listener in use whose accept queue is cut by the kernel's limit, or tiny by the program's own wish. */
#include "../queues.h"

enum limit {
	CLIPPED,
	TINY,
	TRAFFIC,
	RATE,
	STANDING,
	DROPS,
	FULL,
};

static const struct threshold thresholds[] = {
	[CLIPPED] = { "clipped", UNIT_COUNT, 1024, "a net.core.somaxconn below this cuts the usual backlogs of servers (511 and more)" },
	[TINY] = { "tiny", UNIT_COUNT, 16, "fewer than arrive while a busy program waits for a processor" },
	[TRAFFIC] = { "traffic", UNIT_SOCKETS, 30, "as many as half a minute of one client a second leaves, and more than a tiny queue takes when all come again" },
	[RATE] = { "rate", UNIT_PER_S, 1, "where one endpoint listens alone, all that the namespace accepts is its own" },
	[STANDING] = { "standing", UNIT_MS, 1000, "a connection that waits so long is on its way to fill the queue" },
	[DROPS] = { "drops", UNIT_COUNT, 1, "a queue that has dropped a client was too short for its traffic" },
	[FULL] = { "full", UNIT_FLAG, 1, "a queue that was seen full drops whoever comes before the next accept()" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_CLIPPED 0.7
#define CONFIDENCE_TINY 0.9

/** struct lint - one queue judged. @busy: seen in use. @drops: of its own, counted as overflows. @hurt: it was too short in this run. */
struct lint {
	const struct accept_queue *queue;
	bool clipped, tiny, busy, hurt;
	uint64_t drops;
	enum limit limit;
};

static bool is_clipped(const struct view *view, uint32_t backlog)
{
	const struct sysctls *s = &view->snap->sysctls;

	return view->snap->has_sysctls && s->has[SYSCTL_SOMAXCONN] &&
	       backlog == s->value[SYSCTL_SOMAXCONN] && backlog < view->values[CLIPPED];
}

static uint32_t connections(const struct accept_queue *q)
{
	return q->keeper ? q->keeper->estab + q->keeper->time_wait : 0;
}

/* Clients that close first leave nothing on this side; where nobody else listens, the namespace's counter speaks for the one. */
static bool accepts_all(const struct view *view, const struct accept_queues *queues)
{
	double window = view_window_s(view);
	uint64_t opens;

	return queues->count == 1 && queues->whole && window > 0 &&
	       view_delta(view, COUNTER_TCP_PASSIVE_OPENS, &opens) &&
	       (double)opens / window >= view->values[RATE];
}

static void judge_harm(const struct view *view, struct lint *lint)
{
	const struct accept_queue *q = lint->queue;
	uint64_t overflows;

	if (view_delta(view, COUNTER_LISTEN_OVERFLOWS, &overflows) && overflows)
		lint->drops = q->drops;
	lint->hurt = true;
	if ((double)lint->drops >= view->values[DROPS])
		lint->limit = DROPS;
	else if ((double)q->over >= view->values[FULL])
		lint->limit = FULL;
	else if (q->standing && (double)accept_queue_oldest_ms(q) >= view->values[STANDING])
		lint->limit = STANDING;
	else
		lint->hurt = false;
}

static struct lint look_at(const struct view *view, const struct accept_queues *queues,
			   const struct accept_queue *q)
{
	const struct sock *sock = &q->worst->last.sock;
	struct lint lint = { .queue = q };

	if (addr_is_loopback(&sock->local.addr))
		return lint;
	lint.clipped = is_clipped(view, sock->send_q);
	lint.tiny = !lint.clipped && sock->send_q <= view->values[TINY];
	lint.limit = lint.clipped ? CLIPPED : TINY;
	lint.busy = connections(q) >= view->values[TRAFFIC] || accepts_all(view, queues);
	judge_harm(view, &lint);
	return lint;
}

static void describe(struct finding *f, const struct lint *lint)
{
	if (lint->clipped)
		f->title = "{owner} has a backlog of {backlog} on {local}: all that net.core.somaxconn allows";
	else
		f->title = "{owner} has a backlog of only {backlog} on {local}: a burst of clients does not fit";
	if (lint->limit == DROPS)
		f->detail = "too short in this run: {recv_q_max} waited at most, {drops} dropped in {window} · {estab|connection}, {time_wait} in TIME-WAIT";
	else if (lint->limit == FULL)
		f->detail = "it was full: {recv_q_max} waited at most, no drop was counted · {estab|connection}, {time_wait} in TIME-WAIT";
	else if (lint->limit == STANDING)
		f->detail = "{recv_q} wait now, the oldest for {oldest_child} · {estab|connection}, {time_wait} in TIME-WAIT";
	else
		f->detail = "{estab|connection}, {time_wait} in TIME-WAIT · {recv_q_max} waited at most while it was looked at";
}

static void add_doubts(struct finding *f, const struct view *view, const struct lint *lint)
{
	if (lint->clipped)
		finding_against(f, "a program that asked for exactly {backlog} looks the same: what it asked for is not kept");
	if (!lint->hurt)
		finding_against(f, view->snap->samples < 2 ?
					   "one look only: whether the queue was ever full cannot be seen" :
					   "nothing was dropped and nothing stood in the queue while it was looked at");
}

static void file_queue(const struct view *view, struct sink *sink, const struct lint *lint)
{
	const struct accept_queue *q = lint->queue;
	const struct sock *sock = &q->worst->last.sock;
	double confidence = lint->clipped ? CONFIDENCE_CLIPPED : CONFIDENCE_TINY;
	struct finding *f = sink_finding(sink, lint->hurt ? SEVERITY_WARNING : SEVERITY_INFO,
					 view_confidence(view, confidence, false));
	enum owner_unknown reason;

	f->count = MAX(connections(q), 1);
	finding_local(f, &sock->local);
	finding_owner(f, view->owner_of(view, sock, &reason));
	finding_queue(f, view, q->worst);
	finding_add(f, "window", view_window_s(view), UNIT_S, "rule");
	finding_add(f, "drops", (double)lint->drops, UNIT_COUNT, "skmem drops");
	finding_add(f, "estab", q->keeper ? q->keeper->estab : 0, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "time_wait", q->keeper ? q->keeper->time_wait : 0, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "listeners", q->listeners, UNIT_SOCKETS, "sock_diag");
	finding_counter(f, view, COUNTER_TCP_PASSIVE_OPENS, "passive_opens");
	describe(f, lint);
	add_doubts(f, view, lint);
	finding_threshold(f, sink, lint->limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct accept_queues queues = accept_queues_collect(view);
	bool quiet = false;

	for (size_t i = 0; i < queues.count; i++) {
		struct lint lint = look_at(view, &queues, &queues.at[i]);

		if (!RULE_MAIN(BACKLOG_CLIPPED, lint.clipped || lint.tiny))
			continue;
		if (lint.busy || lint.hurt)
			file_queue(view, sink, &lint);
		else
			quiet = true;
	}
	if (quiet)
		sink_skip_history(sink, "short backlogs of listeners that are idle now");
	if (!view->snap->has_sysctls || !view->snap->sysctls.has[SYSCTL_SOMAXCONN])
		sink_skip_part(sink, "backlogs that were cut: net.core.somaxconn could not be read");
	if (view->snap->samples < 2)
		sink_skip_part(sink, "backlogs that were too short: one sample shows no growth");
}

const struct rule rule_backlog_clipped = {
	.id = "backlog-clipped",
	.title = "The backlog of a listener in use is cut by the kernel, or tiny",
	.needs = RULE_NEEDS_SOCKETS,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"A program says with listen() how many finished connections may wait for accept(). The kernel takes the smaller of that and net.core.somaxconn, silently; for a LISTEN socket Send-Q shows what "
		"is left. One more than that fits; then clients are dropped.\n\n"
		"somaxconn is 4096 since Linux 5.4 and was 128 before; it belongs to the network namespace, so a container has one of its own. Web servers and caches ask for 511, and many programs take what their "
		"language gives them: 5, 10, 50 or 128.\n\n"
		"A short queue harms nobody until clients come at once: after a deploy, when a load balancer reconnects, when the program pauses for a moment. So this is information, and a warning only when the "
		"queue was too short while it was looked at. Listeners on loopback and listeners that nobody uses are left alone.",
	.look_alikes = (const char *const[]){
		"a program that asked for exactly as much as somaxconn allows: what it asked for is not kept anywhere",
		"an administration socket on loopback, or a listener without clients: not reported",
		"a queue that is long enough and not emptied: that is accept-stuck",
		NULL },
	.causes = (const char *const[]){
		"net.core.somaxconn is low: an old kernel's default, or set by hand, or a container's own",
		"the program passes a small number to listen(), often its language's default",
		NULL },
	.next = (const char *const[]){
		"ss -ltnp sport = :{local_port}",
		"nstat -az TcpExtListenOverflows",
		NULL },
	.fixes = (const char *const[]){
		"raise the backlog in the program and net.core.somaxconn, both, and restart: the value is taken at listen()",
		"in a container set net.core.somaxconn for the container: the host's value does not count there",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.9.1.1", "RFC 1122 §4.2.2.18",
				       "Documentation/networking/ip-sysctl.rst (somaxconn)",
				       "net/socket.c (__sys_listen)", NULL },
	.repro = "net.core.somaxconn 128 in a namespace, listen(511), forty clients: Send-Q of the listener is 128",
};
