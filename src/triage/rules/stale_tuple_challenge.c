/* SPDX-License-Identifier: MIT */
/* stale-tuple-challenge: SYNs of new connections meet an old one with the same addresses and ports. */
#include "../resets.h"
#include "../packets.h"

enum limit {
	CHALLENGES,
	RATE,
	INTERVALS,
	SHARE,
	CRIT_SHARE,
	LOST_ACKS,
};

static const struct threshold thresholds[] = {
	[CHALLENGES] = { "challenges", UNIT_COUNT, 5, "one client that comes back with its old port is nobody's fault; the Internet sends such SYNs all the time" },
	[RATE] = { "rate", UNIT_PER_MIN, 5, "over a long window, what comes less often is a client that was restarted" },
	[INTERVALS] = { "intervals", UNIT_COUNT, 2, "between two pairs of samples: it lasts, and is not one restart of many clients" },
	[SHARE] = { "share", UNIT_RATIO, 0.001, "one new connection in a thousand; below it, on a busy server, it is the background of NATs and reboots" },
	[CRIT_SHARE] = { "critical_share", UNIT_RATIO, 0.01, "one new connection in a hundred has to wait for its second SYN" },
	[LOST_ACKS] = { "lost_acks", UNIT_RATIO, 0.01, "of the connections that we opened: where one final ACK in a hundred is lost, the repeated SYN-ACKs count as much" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_PLAIN 0.8
#define CONFIDENCE_MIXED 0.55
#define CONFIDENCE_UNEXPLAINED 0.45 /* too little to explain other findings */

/** struct tally - growth over the window. @replaced: SYNs that can have ended an old connection and become a new one. */
struct tally {
	uint64_t challenges, replaced, passive, active;
	struct resets resets;
	double window_s, share;
};

static bool tally_of(const struct view *view, struct tally *t)
{
	bool known;

	*t = (struct tally){ .window_s = view_window_s(view) };
	known = resets_of(view, &t->resets);
	known &= view_delta(view, COUNTER_TCP_SYN_CHALLENGE, &t->challenges);
	known &= view_delta(view, COUNTER_TCP_PASSIVE_OPENS, &t->passive);
	known &= view_delta(view, COUNTER_TCP_ACTIVE_OPENS, &t->active);
	t->replaced = MIN(MIN(t->challenges, t->resets.received), t->passive);
	t->share = t->passive ? (double)t->replaced / (double)t->passive : 0;
	return known && t->window_s > 0;
}

/* The kernel counts a SYN-ACK that is repeated, because our final ACK was lost, as a SYN on an open connection. */
static bool may_be_lost_acks(const struct view *view, const struct tally *t)
{
	return (double)t->challenges <= view->values[LOST_ACKS] * (double)t->active;
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	const double *l = view->values;

	*limit = CHALLENGES;
	if ((double)t->replaced < l[CHALLENGES] || t->share < l[SHARE] || may_be_lost_acks(view, t) ||
	    view_steps(view, COUNTER_TCP_SYN_CHALLENGE) < l[INTERVALS])
		return SEVERITY_INFO;
	*limit = t->share >= l[CRIT_SHARE] ? CRIT_SHARE : SHARE;
	return t->share >= l[CRIT_SHARE] ? SEVERITY_CRITICAL : SEVERITY_WARNING;
}

static double confidence_of(const struct view *view, const struct tally *t, enum severity severity)
{
	if (severity == SEVERITY_INFO)
		return CONFIDENCE_UNEXPLAINED;
	return view_confidence(view, t->active < t->challenges ? CONFIDENCE_PLAIN : CONFIDENCE_MIXED, false);
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	finding_add(f, "window", t->window_s, UNIT_S, "rule");
	finding_add(f, "challenges", (double)t->challenges, UNIT_COUNT, "TcpExtTCPSYNChallenge");
	finding_add(f, "rate", (double)t->challenges * 60 / t->window_s, UNIT_PER_MIN, "rule");
	finding_add(f, "replaced", (double)t->replaced, UNIT_COUNT, "rule");
	finding_add(f, "share", 100 * t->share, UNIT_PERCENT, "rule");
	finding_add(f, "resets_received", (double)t->resets.received, UNIT_COUNT, "TcpEstabResets");
	finding_counter(f, view, COUNTER_TCP_CHALLENGE_ACK, "challenge_acks");
	finding_counter(f, view, COUNTER_TCP_PASSIVE_OPENS, "passive_opens");
	finding_counter(f, view, COUNTER_TCP_ACTIVE_OPENS, "active_opens");
	finding_counter(f, view, COUNTER_PAWS_ESTAB, "old_timestamps");
}

static const char *const unexplained_causes[] = {
	"a final ACK of ours is lost, and the server repeats its SYN-ACK on a connection that is open here",
	"a firewall drops the challenge ACK or the RST that answers it: then the client cannot connect until the old connection is gone",
	"somebody guesses at addresses and ports of open connections",
	NULL,
};

static void describe(struct finding *f, enum severity severity)
{
	if (severity == SEVERITY_INFO) {
		f->title = "SYNs arrive on connections that are open: {challenges} in {window}";
		f->detail = "answered with a challenge ACK · connections reset by their peer: {resets_received}, new from clients: {passive_opens}, opened from here: {active_opens}";
		f->causes = unexplained_causes;
		return;
	}
	f->title = "Clients come back while their old connection is still open here: {replaced} of {passive_opens|new connection} in {window}";
	f->detail = "{rate} · {challenges} SYNs met an open connection, whose client then reset it: {share} of the new connections waited for a second SYN (some ms with a current Linux client, a second with others)";
}

static void add_doubts(struct finding *f, const struct view *view, const struct tally *t, enum severity severity)
{
	finding_against(f, "the counters do not name the clients, and count SYNs and resets apart: that they belong together is a conclusion");
	if (t->active)
		finding_against(f, "a lost final ACK of the {active_opens|connection} opened from here raises the same counter");
	if (severity == SEVERITY_INFO && (double)t->resets.received < view->values[CHALLENGES])
		finding_against(f, "hardly any open connection was reset: no client has taken its old place");
}

static void file(const struct view *view, struct sink *sink, const struct tally *t)
{
	enum limit limit;
	enum severity severity = judge(view, t, &limit);
	struct finding *f = sink_finding(sink, severity, confidence_of(view, t, severity));

	f->count = severity == SEVERITY_INFO ? t->challenges : t->replaced;
	f->share = MIN(t->share, 1);
	add_evidence(f, view, t);
	describe(f, severity);
	add_doubts(f, view, t, severity);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct tally t;

	if (!tally_of(view, &t)) {
		sink_skip(sink, "a counter that it needs is missing or went back");
		return;
	}
	if (RULE_MAIN(STALE_TUPLE_CHALLENGE, (double)t.challenges >= view->values[CHALLENGES] &&
						     (double)t.challenges * 60 >= view->values[RATE] * t.window_s))
		file(view, sink, &t);
	else if (t.challenges)
		sink_near_miss(sink, "SYNs on open connections", (double)t.challenges, CHALLENGES);
	sink_skip_part(sink, "which client and which port, and the client's side of it: needs a capture");
}

const struct rule rule_stale_tuple_challenge = {
	.id = "stale-tuple-challenge",
	.title = "SYNs of new connections meet old ones with the same ports",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_COUNTERS | RULE_NEEDS_TWO_SAMPLES | RULE_NEEDS_NO_FILTER,
	.eval = eval,
	.packets = &packets_stale_tuple_challenge,
	.thresholds = thresholds,
	.explain =
		"A connection is known by two addresses and two ports. When a client, or a NAT in front of many clients, uses the same four again while the server still holds the old connection open, "
		"the SYN is out of place there. The server may not believe it: it answers with a bare ACK that carries the old sequence numbers, the challenge ACK. A client that has really forgotten the "
		"old connection answers with RST, the server drops it, and the next SYN is accepted.\n\n"
		"So every such event costs the client a second SYN (a second with an old kernel, a few milliseconds with a current Linux, which repeats it at once), and it shows that connections die "
		"on the client's side without this host being told. When a firewall on the way drops the challenge ACK or the RST, the client cannot connect at all until the old connection is gone.\n\n"
		"TCPSYNChallenge counts the SYNs. That a client took its old place is concluded from connections that their peer reset (EstabResets less what this host gave up itself) and from new ones that came "
		"(PassiveOpens) in the same window. A server's repeated SYN-ACK, after a final ACK of ours was lost, counts as a SYN too: without resets, or where we open many connections, this is info.",
	.look_alikes = (const char *const[]){
		"a client with a fixed port that closes properly: its old connection is gone or in TIME-WAIT, which lets the new SYN in; no challenge",
		"a final ACK that is lost: the server repeats its SYN-ACK, which the client counts as a SYN; no connection is reset",
		"blind attacks and scans: SYNs on open connections that nobody resets",
		"a single client that was restarted",
		NULL },
	.causes = (const char *const[]){
		"a NAT or load balancer that uses a port again before the server's state for it has ended",
		"clients that crash or lose power and come back with the same source port",
		"clients that close by RST over a path that loses it",
		"a firewall that forgot the connection and drops the RST which would have told us",
		NULL },
	.next = (const char *const[]){
		"tcpdump -ni any 'tcp[tcpflags] & (tcp-syn|tcp-rst) != 0 or (ip6[6] = 6 and ip6[53] & 6 != 0)' # SYN, our bare ACK, RST, SYN again: that client",
		"nstat -az TcpExtTCPSYNChallenge TcpExtTCPChallengeACK TcpEstabResets TcpPassiveOpens",
		NULL },
	.fixes = (const char *const[]){
		"end idle connections on the server before clients come back: keepalive or an idle timeout shorter than the NAT's",
		"let the NAT choose ports at random and keep a port unused for 60 s after its connection",
		"let challenge ACKs and RSTs through every firewall on the way",
		"let clients choose their source port anew (no bind() to a fixed one)",
		NULL },
	.refs = (const char *const[]){ "RFC 5961 §4.2", "RFC 5961 §7", "RFC 5961 §9.3", "RFC 9293 §3.5.1", "RFC 6191 §2", "RFC 7323 §5.3",
				       "net/ipv4/tcp_input.c (tcp_validate_incoming)", NULL },
	.repro = "from a fixed source port: connect, end with SO_LINGER 0 while a router drops that RST, connect again",
};
