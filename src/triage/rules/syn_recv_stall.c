/* SPDX-License-Identifier: MIT */
/* syn-recv-stall: SYNs are answered, again and again, and the handshakes do not complete. */
#include "../half_open.h"
#include "../packets.h"
#include "tcptriage/model/timers.h"

enum limit {
	CRIT_SOCKETS = QUEUE_LIMITS,
	CRIT_SHARE,
	PUBLIC_SHARE,
	PUBLIC_NETWORKS,
};

static const struct threshold thresholds[] = {
#define HALF_OPEN_LIMIT(id, name, unit, value, reason) [QUEUE_##id] = { name, unit, value, reason },
#include "../half_open.def"
#undef HALF_OPEN_LIMIT
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 20, "so many at once are a network that cannot connect, not clients with bad luck" },
	[CRIT_SHARE] = { "critical_share", UNIT_PERCENT, 25, "of the half-open queue: at full length it turns other clients away" },
	[PUBLIC_SHARE] = { "public_share", UNIT_PERCENT, 1, "of the listener's connections; fewer clients from the Internet than that vanish all the time" },
	[PUBLIC_NETWORKS] = { "public_networks", UNIT_COUNT, 5, "from the Internet, one network or two may be broken at their end" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/* What this rule says when it speaks of TCP_DEFER_ACCEPT: nothing is wrong. */
static const char *const deferred_next[] = { "ss -tno state syn-recv sport = :{local_port}",
					     "nstat -az TcpExtTCPDeferAcceptDrop TcpExtTCPSynRetrans", NULL };

/* Clients on the Internet that stand out of the background (RULES §0.5): a share of the connections that work, from several networks. */
static bool public_stands_out(const struct view *view, const struct half_open_case *c)
{
	const double *l = view->values;
	uint32_t estab = c->listener->estab;

	return c->stalled_global >= l[QUEUE_STALLED] && estab &&
	       100.0 * c->stalled_global / estab >= l[PUBLIC_SHARE] &&
	       __builtin_popcountll(c->half->global_networks) >= l[PUBLIC_NETWORKS];
}

/* Those that count for the severity: all private ones, and those from the Internet when they stand out. */
static uint32_t counted(const struct view *view, const struct half_open_case *c)
{
	uint32_t own = c->stalled - c->stalled_global;

	return public_stands_out(view, c) ? c->stalled : own;
}

static enum severity judge(const struct view *view, const struct half_open_case *c, unsigned *limit)
{
	const double *l = view->values;
	double sockets = counted(view, c);

	*limit = QUEUE_STALLED;
	if (sockets < l[QUEUE_STALLED])
		return SEVERITY_INFO;
	if (sockets >= l[CRIT_SOCKETS]) {
		*limit = CRIT_SOCKETS;
		return SEVERITY_CRITICAL;
	}
	if (c->limit > 0 && 100 * sockets >= l[CRIT_SHARE] * c->limit) {
		*limit = CRIT_SHARE;
		return SEVERITY_CRITICAL;
	}
	return SEVERITY_WARNING;
}

static void describe(struct finding *f, const struct half_open_case *c)
{
	f->title = c->signs.repeats == ANSWER_YES ?
			   "Handshakes with {owner} on {local} do not complete: {count|client} ask again, our SYN-ACKs do not reach them" :
			   "Handshakes with {owner} on {local} do not complete: {count|client} do not finish what they began";
	f->detail = c->signs.repeats == ANSWER_YES ?
			    "{count} half-open, SYN-ACK sent again up to {retrans_max|time}, {repeating} of {watched|client} watched repeat their SYN · networks: {networks}, busiest {busiest} · route back {route}" :
			    "{count} half-open for {oldest} at least, SYN-ACK sent again up to {retrans_max|time} · networks: {networks}, busiest {busiest} · route back {route}";
}

static void add_doubts(struct finding *f, const struct view *view, const struct half_open_case *c)
{
	if (c->stalled_global && !public_stands_out(view, c))
		finding_against(f, "{public} of them come from the Internet, where clients vanish all the time: too few to stand out of that");
	if (c->signs.repeats == ANSWER_NO)
		finding_against(f, "the clients do not send their SYN again: they are gone, invented, or have our answer and their last packet is lost");
	if (c->signs.spread == ANSWER_YES)
		finding_against(f, "nearly each is from another network: a broken path would stop all clients of a few");
	if (c->signs.validated == ANSWER_YES)
		finding_against(f, "most cookies came back: other clients get in");
}

static void add_evidence(struct finding *f, const struct view *view, const struct half_open_case *c)
{
	const struct half_open *half = c->half;
	struct half_open_network top[HALF_OPEN_NETWORKS];

	half_open_add_queue(f, view, c, &half->stalled);
	finding_add(f, "public", c->stalled_global, UNIT_SOCKETS, "idiag_dst");
	finding_add(f, "oldest", (double)half->oldest_ms, UNIT_MS, "idiag_expires");
	finding_add(f, "retrans_max", half->retrans_max, UNIT_COUNT, "idiag_retrans");
	finding_add(f, "repeating", half->repeating, UNIT_SOCKETS, "idiag_retrans");
	finding_add(f, "watched", (double)half->repeating + half->silent, UNIT_SOCKETS, "idiag_retrans");
	finding_add(f, "established", c->listener->estab, UNIT_SOCKETS, "sock_diag");
	if (half_open_busiest(&half->stalled, top))
		finding_add_text(f, "route", view_route_text(view, &top->peer), "rtnetlink");
	else
		finding_add_text(f, "route", "unknown", "rtnetlink");
	finding_timeout(f, "connect", synack_give_up_ms(&view->snap->sysctls), "tcp_synack_retries");
	half_open_add_cookies(f, view, c);
	finding_counter(f, view, COUNTER_TCP_SYN_RETRANS, "syn_retrans");
}

static void file_stall(const struct view *view, struct sink *sink, const struct half_open_case *c)
{
	double confidence = half_open_confidence(&c->verdict, HALF_OPEN_UNFINISHED);
	unsigned limit;
	enum severity severity = judge(view, c, &limit);
	struct finding *f = sink_finding(sink, severity, view_confidence(view, confidence, false));

	f->count = MAX(c->stalled, 1u);
	f->share = c->limit > 0 ? f->count / c->limit : 1;
	half_open_scope(f, view, c->listener);
	add_evidence(f, view, c);
	describe(f, c);
	add_doubts(f, view, c);
	half_open_add_rival(f, c, HALF_OPEN_UNFINISHED);
	finding_threshold(f, sink, limit);
	if (c->stalled_global)
		sink_skip_history(sink, "clients from the Internet against the usual number of them");
}

static void file_deferred(const struct view *view, struct sink *sink, const struct half_open_case *c)
{
	struct finding *f = sink_finding(sink, SEVERITY_INFO,
					 view_confidence(view, c->verdict.confidence, false));

	f->count = c->half->deferred;
	half_open_scope(f, view, c->listener);
	half_open_add_queue(f, view, c, &c->half->all);
	finding_counter(f, view, COUNTER_TCP_SYN_RETRANS, "syn_retrans");
	f->title = "{count|client} of {owner} on {local} are connected and have sent nothing yet: TCP_DEFER_ACCEPT keeps them half-open";
	f->detail = "{half_open} half-open, limit {limit} from {limit_from} · no SYN-ACK is sent again, so their answers have arrived";
	f->next = deferred_next;
	finding_threshold(f, sink, QUEUE_DEFERRED);
}

/* Return: what stalls although it is too little to say so, −1 when it was said, here or by another rule. */
static double judge_listener(const struct view *view, struct sink *sink, const struct listener *listener)
{
	struct half_open_case c = half_open_look(view, listener);

	if (RULE_MAIN(SYN_RECV_STALL, half_open_confidence(&c.verdict, HALF_OPEN_UNFINISHED) > 0))
		file_stall(view, sink, &c);
	else if (c.verdict.story == HALF_OPEN_DEFERRED)
		file_deferred(view, sink, &c);
	return c.signs.stalled == ANSWER_YES ? -1 : (double)c.stalled;
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct listener *listener;
	double most = -1, left;

	for (size_t i = 0; (listener = snapshot_listener(view->snap, i)); i++) {
		if (!listener->half_open || !listener->half_open->count)
			continue;
		left = judge_listener(view, sink, listener);
		most = MAX(most, left);
	}
	if (!sink->filed && most >= 0)
		sink_near_miss(sink, "half-open connections that stand", most, QUEUE_STALLED);
	half_open_note_lost(sink);
	if (view->snap->samples < 2)
		sink_skip_part(sink, "whether clients repeat their SYN: one look seldom tells");
}

const struct rule rule_syn_recv_stall = {
	.id = "syn-recv-stall",
	.title = "SYNs are answered, but the handshakes do not complete",
	.needs = RULE_NEEDS_SOCKETS,
	.eval = eval,
	.packets = &packets_syn_recv_stall,
	.thresholds = thresholds,
	.explain =
		"A connection in SYN-RECV has been answered and waits for the last packet of the handshake. That takes a round trip. When the packet does not come, the kernel sends the SYN-ACK again after "
		"1, 3, 7, 15 and 31 s and gives up after 63 s (tcp_synack_retries = 5); an entry that has been answered twice more belongs to a client that does not hear, or is not heard.\n\n"
		"The kernel tells little about these entries: a timer and how often the SYN-ACK was sent again. Together they tell what the client does. A client that does not get the answer sends its SYN "
		"again, each time the kernel answers at once and counts, and the count runs ahead of the timer: the client is real and the way back is broken. Where count and timer go together the client has vanished, "
		"its address is invented, or it has the answer and its last packet is lost (then it believes it is connected). Ages are lower bounds.\n\n"
		"Clients on the Internet vanish all the time; they are reported as more than information only when they are a share of the listener's connections and come from several networks. Whether it is a SYN flood "
		"instead is decided together with the rule syn-flood; when the facts leave it open, both are printed with the command that decides.",
	.look_alikes = (const char *const[]){
		"a SYN flood (syn-flood): the queue is full, each request is from a network of its own, and no SYN is repeated",
		"TCP_DEFER_ACCEPT: clients have answered, and the listener waits for their first data; the SYN-ACK is not sent again. Reported for information",
		"a full accept queue (accept-queue-overflow): the last packet of the handshake is dropped here",
		"one or two clients that vanished during the handshake",
		"thousands of handshakes in flight on a busy server: none of them is answered twice",
		NULL },
	.causes = (const char *const[]){
		"the SYN-ACK is lost on the way back: an asymmetric route, a stateful firewall that saw one direction only, a wrong source address behind NAT or a load balancer (DSR)",
		"the last packet of the handshake is lost on the way here: the same firewall, the other direction",
		"the client host vanished or was restarted",
		"the source addresses are invented, or a scanner does not finish handshakes",
		NULL },
	.next = (const char *const[]){
		"ip route get {busiest_client}",
		"ss -tno state syn-recv sport = :{local_port}",
		"tcptriage states -t -a dst {busiest_network} and sport = :{local_port}",
		"nstat -az TcpExtTCPSynRetrans TcpExtIPReversePathFilter",
		NULL },
	.fixes = (const char *const[]){
		"make the route back the same as the route here, or let the firewall know both",
		"allow the SYN-ACK (source port {local_port}) in the firewall between; look at both ends with a packet capture",
		"correct source NAT, DSR or the load balancer's return path",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.5", "RFC 4987 §2", "net/ipv4/inet_connection_sock.c (reqsk_timer_handler)",
				       "Documentation/networking/ip-sysctl.rst (tcp_synack_retries)", NULL },
	.repro = "a router drops the SYN-ACKs of one server port, six clients connect: count 6 after 5 s, the timer stays at 2 s",
};
