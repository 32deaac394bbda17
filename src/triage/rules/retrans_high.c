/* SPDX-License-Identifier: MIT */
/* retrans-high: segments are lost on the way. */
#include <math.h>

#include "../packets.h"

enum limit {
	PRIVATE_WARN,
	PRIVATE_CRIT,
	GLOBAL_WARN,
	GLOBAL_CRIT,
	SEGMENTS,
	LOST,
	MARGIN,
	SPURIOUS,
	BACKOFF,
	RTO_SHARE,
	RTO_RATE,
	QUEUE,
	QUEUE_DELAY,
	REST,
	PER_MESSAGE,
	INTERVALS,
	SHARE,
	PREFIXES,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
	[PRIVATE_WARN] = { "private_loss", UNIT_PERCENT, 0.5, "inside one's own network loss is a fault, and throughput over any distance suffers from here on" },
	[PRIVATE_CRIT] = { "private_critical_loss", UNIT_PERCENT, 3, "requests stall: every short answer has a good chance to be hit" },
	[GLOBAL_WARN] = { "global_loss", UNIT_PERCENT, 3, "mobile and radio links live with one or two percent" },
	[GLOBAL_CRIT] = { "global_critical_loss", UNIT_PERCENT, 10, "connections crawl, whatever the congestion control" },
	[SEGMENTS] = { "segments", UNIT_SEGMENTS, 100, "a share of fewer says nothing" },
	[LOST] = { "lost", UNIT_SEGMENTS, 10, "a burst of a few is an accident" },
	[MARGIN] = { "margin", UNIT_RATIO, 2, "a count varies by its square root: with twice that taken off, chance alone reaches a limit in one case of forty" },
	[SPURIOUS] = { "spurious", UNIT_RATIO, 0.8, "of what is sent again reported as received twice: nothing is lost, the path reorders or delays" },
	[BACKOFF] = { "backoff", UNIT_COUNT, 3, "three timeouts in a row: that is an outage of one peer, and other rules speak of it" },
	[RTO_SHARE] = { "timeout_share", UNIT_RATIO, 0.5, "repaired by waiting for a timer instead of at once: each loss is a stall that users feel" },
	[RTO_RATE] = { "timeouts", UNIT_PER_S, 10, "so many stalls a second are no accident" },
	[QUEUE] = { "queue", UNIT_RATIO, 2, "the round trip has doubled: packets wait somewhere before they are dropped" },
	[QUEUE_DELAY] = { "queue_delay", UNIT_MS, 10, "a shorter delay is a busy host, not a queue on the way" },
	[REST] = { "short_share", UNIT_RATIO, 0.5, "of what the host sends again is not explained by the connections that were followed" },
	[PER_MESSAGE] = { "segments_per_message", UNIT_SEGMENTS, 10, "the first window of a connection: what a packet that was too large takes with it" },
	[INTERVALS] = { "intervals", UNIT_COUNT, 2, "one burst is an accident" },
	[SHARE] = { "accepted_share", UNIT_PERCENT, 1, "of a public listener's connections; fewer are clients on bad links" },
	[PREFIXES] = { "accepted_prefixes", UNIT_COUNT, 5, "of clients that lose at the same time have more in common with us than with each other" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "neighbours that lose share a network and most likely a path" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.85
#define CONFIDENCE_HOST 0.6
#define SINGLE_SOCKET 0.8
/* A connection that has been idle for longer does not lose anything now. */
#define SENT_LATELY_MS 10000

/**
 * struct loss - segments over the window. @sent: for the first time. @again: retransmitted; of these @spurious needlessly, @waiting by
 * timeouts that nothing has answered yet: that may be the beginning of an outage.
 */
struct loss {
	uint64_t sent, again, spurious, waiting, timeouts;
};

/** struct tally - connections that lose, of one destination, network or public listener. */
struct tally {
	struct loss sum;
	uint64_t sockets, remotes, reordered, ecn_marks;
	const struct member *worst;
	bool global;
};

/** struct host - what the counters say of all connections, and @rest: of those that were not followed. */
struct host {
	struct loss all, rest;
	uint64_t messages;
	bool known, global;
};

/* Without tcp_info, as a cheap look brings it, only those that wait for a timeout can be told. */
static bool candidate(const struct sock *sock)
{
	if (!sock->info.len)
		return sock->timer == SOCK_TIMER_ON && sock->retrans;
	return sock_tcpi(sock, TCPI_TOTAL_RETRANS) &&
	       (sock_tcpi(sock, TCPI_LAST_DATA_SENT) <= SENT_LATELY_MS || sock_tcpi(sock, TCPI_BACKOFF));
}

static uint32_t grown(const struct candidate *c, enum tcpi_id id)
{
	return (uint32_t)sock_tcpi(&c->last.sock, id) - (uint32_t)sock_tcpi(&c->first.sock, id);
}

static struct loss loss_of(const struct view *view, const struct candidate *c)
{
	uint32_t all = grown(c, TCPI_DATA_SEGS_OUT), twice = grown(c, TCPI_DSACK_DUPS);
	struct loss loss = { .again = grown(c, TCPI_TOTAL_RETRANS),
			     .waiting = sock_tcpi(&c->last.sock, TCPI_RETRANSMITS),
			     .timeouts = (uint16_t)grown(c, TCPI_TOTAL_RTO) };

	loss.sent = all > loss.again ? all - loss.again : 0;
	loss.spurious = twice >= view->values[SPURIOUS] * (double)loss.again ? loss.again : twice;
	return loss;
}

static void add(struct loss *sum, const struct loss *more)
{
	sum->sent += more->sent;
	sum->again += more->again;
	sum->spurious += more->spurious;
	sum->waiting += more->waiting;
	sum->timeouts += more->timeouts;
}

static double lost(const struct loss *loss)
{
	uint64_t other = loss->spurious + loss->waiting;

	return loss->again > other ? (double)(loss->again - other) : 0;
}

/* What is sent again may be lost as well: a share of everything that was sent. */
static double everything(const struct loss *loss)
{
	return (double)loss->sent + (double)loss->again;
}

static double percent(const struct loss *loss)
{
	return loss->sent ? 100 * lost(loss) / everything(loss) : 0;
}

/* The share that the count supports, chance set aside. */
static double sure_percent(const struct view *view, const struct loss *loss)
{
	double count = lost(loss), sure = count - view->values[MARGIN] * sqrt(count);

	if (count < view->values[LOST] || (double)loss->sent < view->values[SEGMENTS])
		return 0;
	return 100 * MAX(sure, 0) / everything(loss);
}

static bool is_followed(const struct candidate *c)
{
	return c->seen > 1 && c->first.sock.info.len && c->last.sock.info.len;
}

static bool is_outage(const struct view *view, const struct candidate *c)
{
	return (double)sock_tcpi(&c->last.sock, TCPI_BACKOFF) >= view->values[BACKOFF] ||
	       (double)sock_tcpi(&c->first.sock, TCPI_BACKOFF) >= view->values[BACKOFF];
}

/* The path became narrower while we watched: what did not fit is sent again, and that is that. */
static bool has_resized(const struct candidate *c)
{
	return sock_tcpi(&c->first.sock, TCPI_PMTU) != sock_tcpi(&c->last.sock, TCPI_PMTU);
}

static bool keep(const struct view *view, struct member *member)
{
	const struct candidate *c = member->candidate;
	struct loss loss;

	if (member->sock->state != SOCK_STATE_ESTAB && member->sock->state != SOCK_STATE_CLOSE_WAIT)
		return false;
	if (!is_followed(c) || is_outage(view, c) || has_resized(c))
		return false;
	loss = loss_of(view, c);
	if (!member->candidate->outbound)
		member->key.port = 0;
	return lost(&loss) > 0;
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .worst = run->at, .global = addr_is_global(&run->at->key.addr) };
	double most = -1;

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];
		struct loss loss = loss_of(view, m->candidate);

		add(&t.sum, &loss);
		t.sockets++;
		t.remotes += !i || !members_same_key(m - 1, m);
		t.reordered += grown(m->candidate, TCPI_REORD_SEEN) > 0;
		t.ecn_marks += grown(m->candidate, TCPI_DELIVERED_CE);
		if (lost(&loss) > most) {
			most = lost(&loss);
			t.worst = m;
		}
	}
	return t;
}

/* Which limit a loss reaches: the critical one, else the warning one, else none. */
static bool reaches(const struct view *view, const struct loss *loss, bool global, enum limit *limit)
{
	double sure = sure_percent(view, loss);

	*limit = global ? GLOBAL_CRIT : PRIVATE_CRIT;
	if (sure >= view->values[*limit])
		return true;
	*limit = global ? GLOBAL_WARN : PRIVATE_WARN;
	return sure >= view->values[*limit];
}

static double timeouts_per_s(const struct view *view, const struct loss *loss)
{
	double seconds = view_window_s(view);

	return seconds > 0 ? (double)loss->timeouts / seconds : 0;
}

static bool waits_for_timers(const struct view *view, const struct loss *loss)
{
	return (double)loss->timeouts >= view->values[RTO_SHARE] * (double)loss->again &&
	       timeouts_per_s(view, loss) >= view->values[RTO_RATE];
}

static enum severity severity_of(const struct view *view, const struct tally *t, enum limit *limit)
{
	if (*limit == PRIVATE_CRIT || *limit == GLOBAL_CRIT)
		return SEVERITY_CRITICAL;
	if (!waits_for_timers(view, &t->sum))
		return SEVERITY_WARNING;
	*limit = RTO_RATE;
	return SEVERITY_CRITICAL;
}

/* Some client of a public service is always on a bad link: they count when many networks lose, and the host as a whole does. */
static bool concerns_us(const struct view *view, const struct members *run, const struct host *host)
{
	enum limit limit;

	if (!member_is_public(run->at))
		return true;
	return host->known && reaches(view, &host->all, true, &limit) &&
	       members_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]);
}

static bool size_was_learned(const struct view *view, const struct addr *peer)
{
	const struct route *route = view->route_of(view, peer);

	return route && view_exception_is_new(view, route);
}

static void set_difference(uint64_t *rest, uint64_t part)
{
	*rest = *rest > part ? *rest - part : 0;
}

/* Takes what is known of single connections off the host's numbers: followed, or in an outage that has just begun. */
static void take_off_followed(const struct view *view, const struct sink *sink, struct loss *rest)
{
	const struct candidate *c;

	for (size_t i = 0; (c = snapshot_candidate(view->snap, i)); i++) {
		struct loss loss = { .sent = 0 };

		if (!(c->rules >> sink->index & 1))
			continue;
		if (is_followed(c))
			loss = loss_of(view, c);
		else
			loss.again = sock_tcpi(&c->last.sock, TCPI_RETRANSMITS);
		set_difference(&rest->sent, loss.sent);
		set_difference(&rest->again, loss.again);
		set_difference(&rest->spurious, loss.spurious);
	}
}

static bool sends_to_global(const struct snapshot *snap)
{
	const struct tuple_group *group;

	for (size_t i = 0; (group = snapshot_group(snap, i)); i++) {
		if (group->total && addr_is_global(&group->peer))
			return true;
	}
	return false;
}

static struct host host_of(const struct view *view, const struct sink *sink)
{
	struct host host = { .global = sends_to_global(view->snap) };
	uint64_t syn = 0, v4 = 0, v6 = 0;

	/* reports of duplicates do not do in place of duplicates: one may stand for fifty */
	host.known = view_delta(view, COUNTER_TCP_RETRANS_SEGS, &host.all.again) &&
		     view_delta(view, COUNTER_TCP_ORIG_DATA_SENT, &host.all.sent) &&
		     view_delta(view, COUNTER_TCP_DSACK_RECV_SEGS, &host.all.spurious);
	view_delta(view, COUNTER_TCP_SYN_RETRANS, &syn);
	set_difference(&host.all.again, syn);
	view_delta(view, COUNTER_TCP_TIMEOUTS, &host.all.timeouts);
	view_delta(view, COUNTER_ICMP_IN_TYPE3, &v4);
	view_delta(view, COUNTER_ICMP6_IN_PKT_TOO_BIGS, &v6);
	host.messages = v4 + v6;
	host.rest = host.all;
	take_off_followed(view, sink, &host.rest);
	return host;
}

static void add_loss(struct finding *f, const struct view *view, const struct loss *loss,
		     const char *source)
{
	finding_add(f, "loss", percent(loss), UNIT_PERCENT, source);
	finding_add(f, "loss_at_least", sure_percent(view, loss), UNIT_PERCENT, "rule");
	finding_add(f, "sent", everything(loss), UNIT_SEGMENTS, source);
	finding_add(f, "sent_again", (double)loss->again, UNIT_SEGMENTS, source);
	finding_add(f, "needlessly", (double)loss->spurious, UNIT_SEGMENTS, source);
}

static const char *hint_of(const struct view *view, const struct sock *s)
{
	double rtt = (double)sock_tcpi(s, TCPI_RTT), least = (double)sock_tcpi(s, TCPI_MIN_RTT);

	if (!rtt || !least || least > rtt)
		return "the round trip is not known";
	if (rtt >= view->values[QUEUE] * least && rtt - least >= view->values[QUEUE_DELAY] * 1e3)
		return "a queue fills up on the way: congestion";
	return "no long queue on the way: a policer, a short buffer or a bad link";
}

static void add_worst(struct finding *f, const struct view *view, const struct sock *s)
{
	finding_add(f, "rtt", (double)sock_tcpi(s, TCPI_RTT), UNIT_US, "tcpi_rtt");
	finding_add(f, "min_rtt", (double)sock_tcpi(s, TCPI_MIN_RTT), UNIT_US, "tcpi_min_rtt");
	finding_add_text(f, "hint", hint_of(view, s), "rule");
	finding_add_text(f, "congestion_control", s->has & SOCK_HAS_CONG && *s->cong ?
							  arena_strdup(view->arena, s->cong) :
							  "unknown", "sock_diag");
	finding_add_text(f, "example", view_addr_text(view, &s->peer.addr), "sock_diag");
	finding_address_class(f, &s->peer.addr);
	finding_add_text(f, "route", view_route_text(view, &s->peer.addr), "rtnetlink");
}

static void add_host(struct finding *f, const struct view *view, const struct host *host)
{
	if (!host->known)
		return;
	finding_add(f, "host_loss", percent(&host->all), UNIT_PERCENT, "TcpRetransSegs, TcpExtTCPOrigDataSent");
	finding_add(f, "host_sent", everything(&host->all), UNIT_SEGMENTS, "TcpRetransSegs, TcpExtTCPOrigDataSent");
	finding_counter(f, view, COUNTER_TCP_TIMEOUTS, "host_timeouts");
	finding_counter(f, view, COUNTER_TCP_LOSS_PROBES, "host_loss_probes");
	finding_counter(f, view, COUNTER_TCP_LOST_RETRANSMIT, "host_lost_again");
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t,
			 const struct host *host)
{
	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "remotes", (double)t->remotes, UNIT_COUNT, "sock_diag");
	add_loss(f, view, &t->sum, "tcpi_total_retrans, tcpi_data_segs_out, tcpi_dsack_dups");
	if (tcpi_has(&t->worst->sock->info, TCPI_TOTAL_RTO))
		finding_add(f, "timeouts", (double)t->sum.timeouts, UNIT_COUNT, "tcpi_total_rto");
	finding_add(f, "reordered", (double)t->reordered, UNIT_SOCKETS, "tcpi_reord_seen");
	finding_add(f, "ecn_marks", (double)t->ecn_marks, UNIT_SEGMENTS, "tcpi_delivered_ce");
	add_worst(f, view, t->worst->sock);
	add_host(f, view, host);
}

static void describe(struct finding *f)
{
	f->title = f->scope.has_peer ? "{count|connection} to {peer} lose {loss} of what they send" :
				       "{count|connection} of {local} lose {loss} of what they send";
	if (f->count == 1)
		f->title = "A connection to {peer} loses {loss} of what it sends";
	f->detail = finding_evidence(f, "host_loss") ?
			    "{sent_again} of {sent|segment} sent again, {needlessly} of them needlessly · the whole host loses {host_loss} · {congestion_control}, round trip {rtt}, at best {min_rtt}: {hint}" :
			    "{sent_again} of {sent|segment} sent again, {needlessly} of them needlessly · {congestion_control}, round trip {rtt}, at best {min_rtt}: {hint}";
}

/** struct court - what members_file_by_role() cannot hand on: the host's numbers, and the loss that came nearest to a limit. */
struct court {
	struct host host;
	double nearest, sure;
	enum limit limit;
};

static void note_nearest(const struct view *view, const struct tally *t, struct court *court)
{
	enum limit limit = t->global ? GLOBAL_WARN : PRIVATE_WARN;
	double sure = sure_percent(view, &t->sum), share = sure / view->values[limit];

	if (share < court->nearest)
		return;
	court->nearest = share;
	court->sure = sure;
	court->limit = limit;
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	struct court *court = sink->own;
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(RETRANS_HIGH, reaches(view, &t.sum, t.global, &limit))) {
		note_nearest(view, &t, court);
		return;
	}
	if (!concerns_us(view, run, &court->host) || size_was_learned(view, &t.worst->sock->peer.addr))
		return;
	severity = severity_of(view, &t, &limit);
	f = sink_finding(sink, severity, view_confidence(view, CONFIDENCE, false));
	f->count = t.sockets;
	f->scope_factor = t.sockets == 1 ? SINGLE_SOCKET : 1;
	finding_owner(f, members_owner(run));
	finding_members(f, run, network);
	add_evidence(f, view, &t, &court->host);
	describe(f);
	finding_against(f, "counted over the connections that lost something: others to the same place may lose nothing");
	if (member_is_public(run->at))
		finding_against(f, "clients on the Internet bring the loss of their own access with them");
	finding_threshold(f, sink, limit);
}

/* Connections too short to be seen twice show in the counters only. */
static bool judge_rest(const struct view *view, const struct host *host)
{
	const double *l = view->values;
	const struct loss *rest = &host->rest;
	enum limit limit;

	return host->known && view_steps(view, COUNTER_TCP_RETRANS_SEGS) >= l[INTERVALS] &&
	       (double)rest->again >= l[REST] * (double)host->all.again &&
	       lost(rest) > l[PER_MESSAGE] * (double)host->messages &&
	       reaches(view, rest, host->global, &limit);
}

static const char *const host_next[] = {
	"nstat -az TcpRetransSegs TcpExtTCPOrigDataSent TcpExtTCPTimeouts TcpExtTCPDSACKRecvSegs",
	"ip -s link",
	NULL,
};

static void file_rest(const struct view *view, struct sink *sink, const struct host *host)
{
	struct finding *f;

	if (!RULE_MAIN(RETRANS_HIGH, judge_rest(view, host)))
		return;
	f = sink_finding(sink, SEVERITY_WARNING, view_confidence(view, CONFIDENCE_HOST, false));
	f->count = (uint64_t)lost(&host->rest);
	add_loss(f, view, &host->rest, "TcpRetransSegs, TcpExtTCPOrigDataSent, TcpExtTCPDSACKRecvSegs");
	add_host(f, view, host);
	f->title = "Short connections of this host lose {loss} of what they send";
	f->detail = "{sent_again} of {sent|segment} sent again, {needlessly} of them needlessly · SYNs and connections that could be followed are taken off · the whole host loses {host_loss}";
	f->next = host_next;
	finding_against(f, "to whom is not known: these connections were too short to be seen twice");
	finding_threshold(f, sink, host->global ? GLOBAL_WARN : PRIVATE_WARN);
}

static bool lacks_duplicates(const struct snapshot *snap)
{
	return snap->has_tcp_info && snap->tcp_info_len < tcpi_fields[TCPI_DSACK_DUPS].need;
}

static void say_what_is_missing(const struct view *view, struct sink *sink, const struct host *host)
{
	const struct snapshot *snap = view->snap;

	if (!snap->info_for_all)
		sink_skip_part(sink, "loss that is repaired without a timeout: tcp_info was not asked for every socket");
	if (!host->known)
		sink_skip_part(sink, "short connections and the host as a whole: the kernel's counters could not be read, or lack TCPDSACKRecvSegs (5.9)");
	if (snap->has_tcp_info && snap->tcp_info_len < tcpi_fields[TCPI_TOTAL_RTO].need)
		sink_skip_part(sink, "the share of timeouts: this kernel does not tell it for each connection (6.7 does)");
	sink_skip_history(sink, "whether a destination loses more than it usually does");
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct snapshot *snap = view->snap;
	struct court court = { .nearest = 0 };
	struct members all;

	if (lacks_duplicates(snap)) {
		sink_skip(sink, "tcp_info has no dsack_dups (4.19): loss and reordering cannot be told apart");
		return;
	}
	court.host = host_of(view, sink);
	sink->own = &court;
	all = members_collect_seen(sink, keep);
	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	/* what was not examined cannot be taken off */
	if (!sink->filed && snap->info_for_all && !snap->lost[sink->index] && !snap->candidates_lost)
		file_rest(view, sink, &court.host);
	if (!sink->filed && court.sure > 0)
		sink_near_miss(sink, "largest loss to one destination", court.sure, court.limit);
	say_what_is_missing(view, sink, &court.host);
}

const struct rule rule_retrans_high = {
	.id = "retrans-high",
	.title = "Segments are lost on the way",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_TWO_SAMPLES,
	.states = STATE_BIT(SOCK_STATE_ESTAB) | STATE_BIT(SOCK_STATE_CLOSE_WAIT) |
		  STATE_BIT(SOCK_STATE_FIN_WAIT_1) | STATE_BIT(SOCK_STATE_LAST_ACK) |
		  STATE_BIT(SOCK_STATE_CLOSING),
	.candidate = candidate,
	.quota = 2048,
	.eval = eval,
	.packets = &packets_retrans_high,
	.thresholds = thresholds,
	.explain =
		"TCP repairs loss without a word; what remains is speed. A connection that loses one segment in a hundred cannot fill a long path, one that loses one in twenty crawls, and a short answer whose last segment is lost waits "
		"for a timer.\n\n"
		"For each connection that retransmits the rule takes the segments sent for the first time and those sent again between two looks. What the receiver reports as received twice (DSACK) was not lost: the path reorders or "
		"delays. Timeouts without an answer and connections with three of them in a row are outages, not loss, and are left to other rules. SYNs do not count.\n\n"
		"Only connections that retransmit are remembered, so their share is theirs and not that of everything sent to the place; the share of the host, from its counters, stands beside it. Chance is set aside: a limit is reached "
		"when the count less twice its square root reaches it. When no connection that could be followed explains what the host sends again, the rest, short connections, is judged by the counters alone.\n\n"
		"Private networks are held to a stricter limit than the Internet, where radio links are. Clients of a public service are reported only when they come from many networks and the host as a whole loses.",
	.look_alikes = (const char *const[]){
		"needless retransmissions: the receiver reports them as duplicates, at least four of five",
		"reordering, which two processors on one virtual link suffice for: SACK repairs it, nothing is lost",
		"a receiver that does not read: the sender probes its window, that is no retransmission",
		"one dead peer or a black hole: timeouts back off, nothing else moves",
		"packets duplicated by the network: duplicates are reported, nothing was sent again",
		"a path that has just become narrower: what was too large is sent again once",
		"one client on a bad radio link",
		NULL },
	.causes = (const char *const[]){
		"congestion: a link on the way is full",
		"a policer, in a cloud or at a provider, drops what is above a rate",
		"a bad cable, optics, duplex or radio link",
		"a host or hypervisor whose queues or rings overflow",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -i dst {example}",
		"ip route get {example}",
		"ip -s link",
		"nstat -az TcpRetransSegs TcpExtTCPOrigDataSent TcpExtTCPTimeouts TcpExtTCPDSACKRecvSegs",
		NULL },
	.fixes = (const char *const[]){
		"find the hop: where loss begins for every destination behind it, and for none before it",
		"a full link: more capacity, or fair queueing (fq_codel, cake) before it",
		"a policer: send below its rate (shaping, pacing)",
		"an interface that counts errors or drops: cable, optics, ring size",
		NULL },
	.refs = (const char *const[]){ "RFC 5681 §3", "RFC 6298 §5", "RFC 8985 §6", "RFC 2883 §4",
				       "Documentation/networking/snmp_counter.rst (TcpExtTCPOrigDataSent)",
				       "net/ipv4/tcp_output.c (__tcp_retransmit_skb)", NULL },
	.repro = "a router that drops five of a hundred packets at random (nft numgen random mod 100 < 5 drop) under a bulk transfer",
};
