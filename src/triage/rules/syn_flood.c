/* SPDX-License-Identifier: MIT */
/* syn-flood: the half-open queue is full of requests that nobody finishes; new clients get cookies, or nothing. */
#include "../half_open.h"
#include "../queues.h"

enum limit {
	CRIT_RATE = QUEUE_LIMITS,
	CRIT_DROPS,
};

static const struct threshold thresholds[] = {
#define HALF_OPEN_LIMIT(id, name, unit, value, reason) [QUEUE_##id] = { name, unit, value, reason },
#include "../half_open.def"
#undef HALF_OPEN_LIMIT
	[CRIT_RATE] = { "critical_rate", UNIT_PER_S, 100, "cookies a second: every new connection goes without the options that a cookie cannot carry" },
	[CRIT_DROPS] = { "critical_drops", UNIT_COUNT, 1, "with cookies off each dropped SYN may be a client's, which waits a second and more" },
	{ NULL, UNIT_NONE, 0, NULL },
};

static double cookies_per_s(const struct view *view, const struct half_open_case *c)
{
	double window = view_window_s(view);

	return window > 0 ? (double)c->pressure.cookies / window : 0;
}

/* A rate is one only over two windows. */
static enum severity flood_severity(const struct view *view, const struct half_open_case *c, unsigned *limit)
{
	const double *l = view->values;
	bool lasts = c->pressure.windows >= l[QUEUE_WINDOWS];

	*limit = CRIT_DROPS;
	if (lasts && c->pressure.refused && (double)c->pressure.drops >= l[CRIT_DROPS])
		return SEVERITY_CRITICAL;
	*limit = CRIT_RATE;
	if (lasts && cookies_per_s(view, c) >= l[CRIT_RATE])
		return SEVERITY_CRITICAL;
	*limit = c->pressure.cookies || c->pressure.drops ? QUEUE_EVENT_SHARE : QUEUE_FULL;
	return SEVERITY_WARNING;
}

/* Real clients that get cookies lose little; those that are dropped wait. */
static enum severity burst_severity(const struct view *view, const struct half_open_case *c, unsigned *limit)
{
	*limit = QUEUE_EVENTS;
	return (double)c->pressure.drops >= view->values[QUEUE_EVENTS] ? SEVERITY_WARNING :
									      SEVERITY_INFO;
}

/* How many were accepted is its own counter, which may be unknown where the others are not. */
static void describe_flood(struct finding *f, const struct half_open_case *c)
{
	bool accepted = finding_evidence(f, "accepted");

	if (!c->half) {
		f->title = f->scope.has_local ? "SYN flood on {local}: {cookies|cookie} sent to clients, {validated} came back" :
						"SYN flood: {cookies|cookie} sent to clients, {validated} came back";
		f->detail = accepted ? "{cookies|cookie} in {window}, {validated} validated, {syn_drops} SYNs dropped · {accepted|connection} accepted · no half-open queue was seen full" :
				       "{cookies|cookie} in {window}, {validated} validated, {syn_drops} SYNs dropped · no half-open queue was seen full";
		return;
	}
	f->title = c->pressure.refused ? "SYN flood on {local}: the half-open queue of {owner} is full and cookies are off, new clients are dropped" :
					 "SYN flood on {local}: the half-open queue of {owner} is full, new clients get cookies";
	if (!c->pressure.counted)
		f->detail = "{half_open} half-open, limit {limit} from {limit_from} · networks: about {networks}, busiest {busiest}";
	else if (c->pressure.refused)
		f->detail = accepted ? "{half_open} half-open, limit {limit} from {limit_from} · networks: about {networks}, busiest {busiest} · {syn_drops} SYNs dropped in {window}, {accepted|connection} accepted" :
				       "{half_open} half-open, limit {limit} from {limit_from} · networks: about {networks}, busiest {busiest} · {syn_drops} SYNs dropped in {window}";
	else
		f->detail = "{half_open} half-open, limit {limit} from {limit_from} · networks: about {networks}, busiest {busiest} · {cookies|cookie} sent, {validated} validated in {window}";
}

static void describe_burst(struct finding *f, const struct half_open_case *c)
{
	if (c->signs.validated != ANSWER_YES && c->half)
		f->title = "Half-open queue of {local} is full of clients that have just come";
	else if (c->signs.validated != ANSWER_YES)
		f->title = "A half-open queue was full between the looks: {syn_drops} SYNs dropped, {cookies|cookie} sent";
	else
		f->title = f->scope.has_local ? "More clients at once than the half-open queue of {local} holds: real ones, no flood" :
						"More clients at once than a half-open queue holds: real ones, no flood";
	if (!c->half)
		f->detail = "{cookies|cookie} sent, {validated} validated, {syn_drops} SYNs dropped in {window}";
	else if (c->pressure.counted)
		f->detail = "{half_open} half-open now, {half_open_max} at most, limit {limit} from {limit_from} · {cookies|cookie} sent, {validated} validated, {syn_drops} SYNs dropped in {window}";
	else
		f->detail = "{half_open} half-open now, limit {limit} from {limit_from}";
}

static void add_doubts(struct finding *f, const struct half_open_case *c, bool flood)
{
	if (flood && c->signs.spread == ANSWER_NO)
		finding_against(f, "few networks for so many: invented addresses are spread wider");
	if (flood && c->signs.validated == ANSWER_YES)
		finding_against(f, "more than half of the cookies came back: real clients come in beside it");
	if (!flood && c->signs.validated != ANSWER_YES)
		finding_against(f, "no cookies tell whether these clients exist: a flood begins the same way");
	if (c->half && c->pressure.counted && !c->pressure.cookies && !c->pressure.drops)
		finding_against(f, "nobody was turned away while it was looked at: what filled the queue may be over");
	if (!c->pressure.counted)
		finding_against(f, "one look only: whether cookies are sent and come back is not known");
}

static void add_evidence(struct finding *f, const struct view *view, const struct half_open_case *c)
{
	if (c->half) {
		half_open_add_queue(f, view, c, &c->half->all);
		finding_add(f, "half_open_max", c->half->count_max, UNIT_SOCKETS, "sock_diag");
		finding_add(f, "retried", c->half->retried, UNIT_SOCKETS, "idiag_retrans");
		finding_add(f, "repeating", c->half->repeating, UNIT_SOCKETS, "idiag_retrans");
		finding_add(f, "silent", c->half->silent, UNIT_SOCKETS, "idiag_retrans");
	}
	half_open_add_cookies(f, view, c);
	if (!c->pressure.counted)
		return;
	finding_counter(f, view, COUNTER_SYNCOOKIES_FAILED, "cookies_failed");
	finding_add(f, "syn_drops", (double)c->pressure.drops, UNIT_COUNT,
		    "TcpExtTCPReqQFullDrop, TcpExtListenDrops");
	finding_counter(f, view, COUNTER_LISTEN_DROPS, "listen_drops");
	finding_counter(f, view, COUNTER_LISTEN_OVERFLOWS, "listen_overflows");
	finding_counter(f, view, COUNTER_TCP_PASSIVE_OPENS, "accepted");
}

static uint64_t concerned(const struct half_open_case *c)
{
	uint64_t events = c->pressure.cookies + c->pressure.drops;

	return c->half && c->half->count ? c->half->count : MAX(events, 1u);
}

static void file_case(const struct view *view, struct sink *sink, const struct half_open_case *c,
		      const struct listener *listener)
{
	double flood = half_open_confidence(&c->verdict, HALF_OPEN_FLOOD);
	double confidence = flood > 0 ? flood : c->verdict.confidence;
	unsigned limit;
	enum severity severity = flood > 0 ? flood_severity(view, c, &limit) :
					     burst_severity(view, c, &limit);
	struct finding *f = sink_finding(sink, severity, view_confidence(view, confidence, false));

	f->count = concerned(c);
	f->growth = c->pressure.windows ? 1.1 : 1;
	half_open_scope(f, view, listener);
	add_evidence(f, view, c);
	if (flood > 0)
		describe_flood(f, c);
	else
		describe_burst(f, c);
	add_doubts(f, c, flood > 0);
	if (flood > 0)
		half_open_add_rival(f, c, HALF_OPEN_FLOOD);
	finding_threshold(f, sink, limit);
}

static bool is_ours(const struct half_open_verdict *v)
{
	return RULE_MAIN(SYN_FLOOD, half_open_confidence(v, HALF_OPEN_FLOOD) > 0 ||
					    half_open_confidence(v, HALF_OPEN_BURST) > 0);
}

/* Return: some listener accounts for what was counted, whether it is for this rule to say or for another. */
static bool judge_listeners(const struct view *view, struct sink *sink, double *fullest)
{
	const struct listener *listener;
	bool explained = false;

	for (size_t i = 0; (listener = snapshot_listener(view->snap, i)); i++) {
		struct half_open_case c;

		if (!listener->half_open || !listener->half_open->count_max)
			continue;
		c = half_open_look(view, listener);
		explained = explained || c.signs.pressed == ANSWER_YES;
		if (c.limit > 0)
			*fullest = MAX(*fullest, c.half->count_max / c.limit);
		if (is_ours(&c.verdict))
			file_case(view, sink, &c, listener);
	}
	return explained;
}

/* Cookies were sent or SYNs dropped and no listener shows a full queue: tcp_syncookies is 2, or it was over between two looks. */
static void judge_namespace(const struct view *view, struct sink *sink)
{
	struct half_open_case c = half_open_look(view, NULL);

	if (is_ours(&c.verdict))
		file_case(view, sink, &c, half_open_only_listener(view));
}

static void eval(const struct view *view, struct sink *sink)
{
	double fullest = -1;
	bool explained = judge_listeners(view, sink, &fullest);

	if (!explained && sees_all_listeners(view))
		judge_namespace(view, sink);
	if (!sink->filed && fullest >= 0)
		sink_near_miss(sink, "fullest half-open queue", fullest, QUEUE_FULL);
	half_open_note_lost(sink);
	if (!view->snap->has_counters)
		sink_skip_part(sink, "cookies and dropped SYNs: no kernel counters could be read");
	else if (view->snap->samples < 1 + view->values[QUEUE_WINDOWS])
		sink_skip_part(sink, "cookies and dropped SYNs: a rate needs two intervals, three samples");
	if (!view->snap->has_sysctls)
		sink_skip_part(sink, "whether cookies are on, and limits of settings: no settings could be read");
}

const struct rule rule_syn_flood = {
	.id = "syn-flood",
	.title = "Half-open queue is full: new clients get cookies, or are dropped",
	.needs = RULE_NEEDS_SOCKETS,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"A listener answers a SYN and remembers the request until the last packet of the handshake comes; this queue of half-open connections holds as many as the backlog given to listen(), "
		"capped by net.core.somaxconn. SYNs with invented source addresses fill it, because nobody finishes those handshakes, and each request stays for a minute. The accept queue (Recv-Q of the "
		"LISTEN socket) stays empty meanwhile.\n\n"
		"When the queue is full, what happens to the next client depends on tcp_syncookies. 1: the answer carries a cookie instead of using a place in the queue, and the client gets in when it "
		"sends the cookie back; without timestamps such a connection has no window scaling and no SACK. 0: the SYN is dropped, and the client tries again after a second or more; then three quarters of tcp_max_syn_backlog "
		"are a second limit for clients that the host has not met before. 2: cookies for everybody, and no half-open connection is ever visible.\n\n"
		"Cookies alone are no proof: after a deploy or a restart of a load balancer real clients overfill the queue as well. The difference is whether the cookies come back "
		"(SyncookiesRecv beside SyncookiesSent), whether each request is from a network of its own, and whether clients send their SYN again, which invented ones do not. Where the "
		"accept queue overflows, the kernel turns handshakes away for another reason, and this rule is silent.",
	.look_alikes = (const char *const[]){
		"a burst after a deploy or a reconnect of all clients: cookies come back; reported for information, as a queue that is too small",
		"a full accept queue (accept-queue-overflow): SYNs and cookies' ACKs are dropped because the program does not accept",
		"a broken way back to real clients (syn-recv-stall): the queue fills as well, but the clients send their SYN again",
		"health checks that reset the connection after the SYN-ACK: nothing stays half-open",
		"tcp_syncookies=2: cookies are sent for every connection; only those that never come back count",
		NULL },
	.causes = (const char *const[]){
		"an attack with invented source addresses",
		"a load balancer or a fleet of clients that reconnects all at once while the way back is slow or broken",
		"a backlog that is tiny for the number of clients",
		"a test tool or a scanner that sends SYNs and ignores the answers",
		NULL },
	.next = (const char *const[]){
		"ss -tno state syn-recv sport = :{local_port}",
		"nstat -az TcpExtSyncookiesSent TcpExtSyncookiesRecv TcpExtTCPReqQFullDoCookies TcpExtTCPReqQFullDrop TcpExtListenDrops",
		"ss -ltnm sport = :{local_port}",
		NULL },
	.fixes = (const char *const[]){
		"net.ipv4.tcp_syncookies = 1 (the default), never 0 on a host that strangers reach",
		"filter or limit the rate of SYNs at the edge: the provider, the load balancer, a firewall in front",
		"raise the backlog of listen(), net.core.somaxconn and net.ipv4.tcp_max_syn_backlog together; the program has to be restarted",
		"while it lasts, net.ipv4.tcp_synack_retries = 2 or 3 clears the queue sooner; slow clients pay for it",
		NULL },
	.refs = (const char *const[]){ "RFC 4987 §2", "RFC 4987 §3.2", "RFC 4987 §3.6", "RFC 9293 §3.5",
				       "net/ipv4/tcp_input.c (tcp_conn_request)",
				       "Documentation/networking/ip-sysctl.rst (tcp_syncookies, tcp_max_syn_backlog)", NULL },
	.repro = "SYNs from a thousand addresses in 198.18.0.0/15 that nobody has, to a listener with a backlog of 128; with tcp_syncookies 1, then 0",
};
