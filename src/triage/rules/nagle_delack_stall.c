/* SPDX-License-Identifier: MIT */
/* nagle-delack-stall: a small write waits for an ACK that the peer delays. */
#include "../kit.h"
#include "../packets.h"

enum limit {
	SHARE,
	SEEN,
	STALLS,
	INFO_SEEN,
	CRIT_STALLS,
	CRIT_SOCKETS,
	HOLD,
	BUSY,
	ANSWERS,
	RTT,
	RTT_SPREAD,
	RTT_FLOOR,
	SEGMENT,
	THROUGHPUT,
	WINDOW,
	LOOKS,
	PACE,
	DELAYED,
};

static const struct threshold thresholds[] = {
	[SHARE] = { "held_share", UNIT_PERCENT, 30, "of all looks; where ACKs come at once a hold is over before the next look" },
	[SEEN] = { "seen", UNIT_COUNT, 3, "different holds: one alone may be a path that went dead a moment ago" },
	[STALLS] = { "stalls", UNIT_PER_MIN, 5, "fewer are the pauses of a program that is not in a hurry" },
	[INFO_SEEN] = { "info_seen", UNIT_COUNT, 2, "a second one shows that the first was not a packet lost" },
	[CRIT_STALLS] = { "critical_stalls", UNIT_PER_MIN, 1000, "one busy connection reaches 1400: a service that does little else but wait" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 3, "one job in a loop is slow by itself; several connections are a service" },
	[HOLD] = { "hold", UNIT_MS, 20, "ACKs are delayed by 40 ms and more; looks may miss the beginning and the end of that" },
	[BUSY] = { "busy_share", UNIT_PERCENT, 30, "of the time between the samples with data under way: the stalls last, they were not of that moment only" },
	[ANSWERS] = { "answers", UNIT_RATIO, 0.2, "segments back for each one sent; where fewer come back nobody waits for an answer" },
	[RTT] = { "rtt", UNIT_MS, 5, "every other segment delayed by 40 ms averages to 20; below this not one in eight is delayed" },
	[RTT_SPREAD] = { "rtt_spread", UNIT_RATIO, 0.5, "variance over round trip: every other one is delayed, so they differ as much as they can" },
	[RTT_FLOOR] = { "rtt_floor", UNIT_RATIO, 0.1, "fastest over smoothed round trip; nearer to 1 the path itself is slow" },
	[SEGMENT] = { "segment", UNIT_RATIO, 0.5, "average over largest segment: Nagle holds back nothing that fills one" },
	[THROUGHPUT] = { "throughput", UNIT_BYTES_PER_S, 100000, "a program that moves more than this is not waiting for delayed ACKs" },
	[WINDOW] = { "window_share", UNIT_PERCENT, 10, "of the time limited by the peer's window: then that is what holds data back" },
	[LOOKS] = { "looks", UNIT_COUNT, 50, "fewer do not tell a third of the time from a tenth of it" },
	[PACE] = { "pace", UNIT_MS, 10, "looks farther apart see a hold of 40 ms too seldom to tell it from its neighbour" },
	[DELAYED] = { "delayed_acks", UNIT_RATIO, 0.5, "delayed ACKs counted on this host for each stall; the peer is here, so they are its own" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_SEEN 0.82
#define CONFIDENCE_SEEN_FROM_BOTH_SIDES 0.88
#define CONFIDENCE_FEW 0.6
#define QUOTA 2048
/* A socket that sent nothing for longer does not stall now. */
#define RECENT_MS 1000
/* The small segment whose ACK is awaited, and the one that is held until then. */
#define SEGMENTS_A_STALL 2

/** enum grade - what one socket is worth. @UNJUDGED: it got too few looks. */
enum grade { UNJUDGED, HEALTHY, SOME, STALLED };

/**
 * struct stall - one socket in numbers, over the looks (@share, @seen, @looks, @hold_ms, @watched_ms) and between the samples (the rest).
 * @per_min: stalls, at the pace of the looks, and never more than the segments sent allow.
 */
struct stall {
	enum grade grade;
	double share, per_min, hold_ms, watched_ms, segment, throughput, busy, window, answers;
	unsigned looks, seen;
};

/** struct tally - the stalling sockets of one process and peer, or port. */
struct tally {
	uint64_t sockets, stalled;
	double per_min, delayed;
	bool here, few, one_way;
	const struct member *worst;
	struct stall numbers;
};

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* The last small write waits in the send queue, for an ACK and for nothing else: not for the window, not for a repair. */
static bool is_held(const struct sock *s)
{
	uint64_t unacked = sock_tcpi(s, TCPI_UNACKED), notsent = sock_tcpi(s, TCPI_NOTSENT_BYTES);

	return unacked && unacked < sock_tcpi(s, TCPI_SND_CWND) && notsent &&
	       notsent < sock_tcpi(s, TCPI_SND_MSS) && !sock_tcpi(s, TCPI_BACKOFF) &&
	       !sock_tcpi(s, TCPI_RETRANSMITS) && !sock_tcpi(s, TCPI_LOST) &&
	       sock_tcpi(s, TCPI_LAST_DATA_SENT) * 1000 < sock_tcpi(s, TCPI_RTO);
}

/* While data is held nothing is sent: the count of segments names the stall. */
static uint64_t look(const struct sock *s)
{
	return is_held(s) ? sock_tcpi(s, TCPI_DATA_SEGS_OUT) + 1 : 0;
}

/* Round trips that are short by nature and long on the average. */
static bool rtt_fits(const struct sock *s, double least_ms, double spread, double floor)
{
	double rtt_us = (double)sock_tcpi(s, TCPI_RTT);

	return rtt_us >= least_ms * 1000 && (double)sock_tcpi(s, TCPI_RTTVAR) >= spread * rtt_us &&
	       (double)sock_tcpi(s, TCPI_MIN_RTT) <= floor * rtt_us;
}

static bool writes_little(const struct sock *s)
{
	double all = (double)sock_tcpi(s, TCPI_DATA_SEGS_OUT) * (double)sock_tcpi(s, TCPI_SND_MSS);

	return (double)sock_tcpi(s, TCPI_BYTES_SENT) < thresholds[SEGMENT].def * all;
}

/* Caught in the act: held for much longer than the path takes. */
static bool waits_now(const struct sock *s)
{
	double held_ms = (double)sock_tcpi(s, TCPI_LAST_DATA_SENT);

	return held_ms >= thresholds[HOLD].def && is_held(s) &&
	       (double)sock_tcpi(s, TCPI_MIN_RTT) <= thresholds[RTT_FLOOR].def * held_ms * 1000;
}

static bool candidate(const struct sock *s)
{
	if (!tcpi_has(&s->info, TCPI_BYTES_SENT) || sock_tcpi(s, TCPI_LAST_DATA_SENT) > RECENT_MS)
		return false;
	return waits_now(s) || (rtt_fits(s, thresholds[RTT].def, thresholds[RTT_SPREAD].def,
					 thresholds[RTT_FLOOR].def) &&
				writes_little(s));
}

static bool keep(const struct view *view, struct member *member)
{
	(void)view;
	if (!member->candidate->outbound)
		member->key = (struct endpoint){ .port = member->sock->local.port };
	return member->sock->state == SOCK_STATE_ESTAB && member->sock->info.len;
}

static double grown(const struct member *m, enum tcpi_id id)
{
	return (double)(sock_tcpi(m->sock, id) - sock_tcpi(&m->candidate->first.sock, id));
}

static struct stall measure(const struct member *m, const struct burst *b)
{
	double window_us = (double)(m->candidate->last_us - m->candidate->first_us);
	double segments = grown(m, TCPI_DATA_SEGS_OUT), a_minute = 60e6;
	struct stall s = {
		.looks = b->looks,
		.seen = b->turns,
		.share = 100 * ratio(b->sights, b->looks),
		.hold_ms = (double)b->longest_us / 1e3,
		.watched_ms = (double)b->watched_us / 1e3,
		.segment = ratio(grown(m, TCPI_BYTES_SENT), segments),
		.throughput = ratio(grown(m, TCPI_BYTES_SENT) * 1e6, window_us),
		.busy = 100 * ratio(grown(m, TCPI_BUSY_TIME), window_us),
		.window = 100 * ratio(grown(m, TCPI_RWND_LIMITED), window_us),
		.answers = ratio(grown(m, TCPI_DATA_SEGS_IN), segments),
	};

	s.per_min = MIN(ratio(b->turns * a_minute, (double)b->watched_us),
			ratio(segments / SEGMENTS_A_STALL * a_minute, window_us));
	return s;
}

/* What every stalled socket shows, whatever else it does. */
static bool has_signs(const double *l, const struct member *m, const struct stall *s)
{
	return rtt_fits(m->sock, l[RTT], l[RTT_SPREAD], l[RTT_FLOOR]) &&
	       s->segment < l[SEGMENT] * (double)sock_tcpi(m->sock, TCPI_SND_MSS) &&
	       s->throughput < l[THROUGHPUT] && s->window < l[WINDOW] && s->hold_ms >= l[HOLD] &&
	       !grown(m, TCPI_TOTAL_RETRANS) && s->seen >= l[INFO_SEEN] && s->per_min >= l[STALLS];
}

static enum grade grade_of(const double *l, const struct member *m, const struct stall *s)
{
	if (!has_signs(l, m, s))
		return HEALTHY;
	return s->share >= l[SHARE] && s->seen >= l[SEEN] && s->busy >= l[BUSY] &&
			       s->answers >= l[ANSWERS] ?
		       STALLED :
		       SOME;
}

static struct stall stall_of(const struct sink *sink, const struct member *m)
{
	const struct burst *b = snapshot_burst_of(sink->view->snap, m->candidate, sink->index);
	const double *l = sink->view->values;
	struct stall s = { .grade = UNJUDGED };

	if (!b || b->looks < l[LOOKS] || (double)b->watched_us > l[PACE] * 1e3 * b->looks)
		return s;
	s = measure(m, b);
	s.grade = grade_of(l, m, &s);
	return s;
}

/* The peer is on this host: the delayed ACKs that the host counts are its own. */
static bool peer_is_here(const struct sock *s)
{
	return addr_is_loopback(&s->peer.addr) || addr_equal(&s->peer.addr, &s->local.addr);
}

static struct tally tally_of(const struct sink *sink, const struct members *group)
{
	struct tally t = { .worst = group->at, .here = true };
	uint64_t delayed;

	for (size_t i = 0; i < group->count; i++) {
		const struct member *m = &group->at[i];
		struct stall s = stall_of(sink, m);

		t.sockets++;
		t.stalled += s.grade == STALLED;
		t.per_min += s.per_min;
		t.here = t.here && peer_is_here(m->sock);
		if (!i || s.grade > t.numbers.grade ||
		    (s.grade == t.numbers.grade && s.share > t.numbers.share)) {
			t.worst = m;
			t.numbers = s;
		}
	}
	t.one_way = t.numbers.answers < sink->view->values[ANSWERS];
	t.few = t.numbers.share < sink->view->values[SHARE] ||
		t.numbers.seen < sink->view->values[SEEN] ||
		t.numbers.busy < sink->view->values[BUSY];
	if (t.here && view_delta(sink->view, COUNTER_DELAYED_ACKS, &delayed))
		t.delayed = ratio((double)delayed, t.per_min * view_window_s(sink->view) / 60);
	return t;
}

static enum severity judge(const double *l, const struct tally *t, enum limit *limit)
{
	*limit = STALLS;
	if (!t->stalled)
		return SEVERITY_INFO;
	*limit = SHARE;
	if (t->per_min < l[CRIT_STALLS] || (double)t->stalled < l[CRIT_SOCKETS])
		return SEVERITY_WARNING;
	*limit = CRIT_STALLS;
	return SEVERITY_CRITICAL;
}

static double confidence_of(const struct view *view, const struct tally *t)
{
	double confidence = CONFIDENCE_SEEN;

	if (t->few)
		confidence = CONFIDENCE_FEW;
	else if (t->delayed >= view->values[DELAYED])
		confidence = CONFIDENCE_SEEN_FROM_BOTH_SIDES;
	return view_confidence(view, confidence, false);
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sock *worst = t->worst->sock;
	const struct stall *s = &t->numbers;

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "stalls", t->per_min, UNIT_PER_MIN, "fast looks, tcpi_data_segs_out");
	finding_add(f, "held_share", s->share, UNIT_PERCENT, "tcpi_unacked, tcpi_notsent_bytes");
	finding_add(f, "looks", s->looks, UNIT_COUNT, "fast looks");
	finding_add(f, "seen", s->seen, UNIT_COUNT, "fast looks");
	finding_add(f, "watched", s->watched_ms, UNIT_MS, "fast looks");
	finding_add(f, "hold", s->hold_ms, UNIT_MS, "fast looks");
	finding_add(f, "srtt", (double)sock_tcpi(worst, TCPI_RTT), UNIT_US, "tcpi_rtt");
	finding_add(f, "rttvar", (double)sock_tcpi(worst, TCPI_RTTVAR), UNIT_US, "tcpi_rttvar");
	finding_add(f, "min_rtt", (double)sock_tcpi(worst, TCPI_MIN_RTT), UNIT_US, "tcpi_min_rtt");
	finding_add(f, "segment", s->segment, UNIT_BYTES, "tcpi_bytes_sent, tcpi_data_segs_out");
	finding_add(f, "snd_mss", (double)sock_tcpi(worst, TCPI_SND_MSS), UNIT_BYTES, "tcpi_snd_mss");
	finding_add(f, "throughput", s->throughput, UNIT_BYTES_PER_S, "tcpi_bytes_sent");
	finding_add(f, "busy", s->busy, UNIT_PERCENT, "tcpi_busy_time");
	finding_add(f, "answers", s->answers, UNIT_RATIO, "tcpi_data_segs_in, tcpi_data_segs_out");
	finding_add_text(f, "example", view_addr_text(view, &worst->peer.addr), "sock_diag");
	if (t->here)
		finding_counter(f, view, COUNTER_DELAYED_ACKS, "delayed_acks");
}

static void describe(struct finding *f, bool outbound)
{
	f->title = outbound ?
			   "Small writes wait for delayed ACKs: {owner} sends to {peer} in pieces" :
			   "Small writes wait for delayed ACKs: {owner} answers on port {local_port} in pieces";
	f->detail = "{count|socket} · stalls: {stalls} · unsent data waits for an ACK in {held_share} of {looks} looks, for {hold} at least · round trip {srtt} on average, {min_rtt} at best · {segment} a segment";
}

static void add_doubts(struct finding *f, const struct tally *t)
{
	finding_against(f, "sock_diag shows neither TCP_NODELAY nor TCP_CORK: a program that corks a message while it makes it holds data in the same way");
	if (t->few)
		finding_against(f, "seen {seen|time} in {watched} of fast looks, data under way {busy} of the time: now and then, not all the time");
	if (t->one_way)
		finding_against(f, "the peer hardly sends anything back: if nobody waits for an answer, the delay may do no harm");
}

static void file_group(const struct view *view, struct sink *sink, const struct members *group)
{
	bool outbound = group->at->candidate->outbound;
	struct tally t = tally_of(sink, group);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(NAGLE_DELACK_STALL, t.numbers.grade >= SOME))
		return;
	severity = judge(view->values, &t, &limit);
	f = sink_finding(sink, severity, confidence_of(view, &t));
	f->count = t.sockets;
	f->share = t.numbers.share / 100;
	f->scope_factor = t.sockets == 1 ? 0.8 : 1;
	finding_owner(f, group->at->owner);
	if (outbound)
		finding_peer(f, &group->at->key);
	else
		finding_local(f, &t.worst->sock->local);
	add_evidence(f, view, &t);
	describe(f, outbound);
	add_doubts(f, &t);
	finding_threshold(f, sink, limit);
}

/* Takes out what does not stall. */
static void sift(struct sink *sink, struct members *all)
{
	double most = -1;
	unsigned unjudged = 0;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct member *m = &all->at[i];
		const struct burst *b = snapshot_burst_of(sink->view->snap, m->candidate, sink->index);
		struct stall s = stall_of(sink, m);

		unjudged += s.grade == UNJUDGED && (b || m->candidate->seen == 1);
		if (s.grade != UNJUDGED)
			most = MAX(most, s.share);
		if (s.grade >= SOME)
			all->at[kept++] = *m;
	}
	all->count = kept;
	if (!kept && most >= 0)
		sink_near_miss(sink, "looks at data held back", most, SHARE);
	if (unjudged)
		sink_skip_part(sink, arena_printf(sink->view->arena,
						  "%u sockets got too few fast looks, or too late: the samples are too close together",
						  unjudged));
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep), group;

	sift(sink, &all);
	members_sort(&all, member_by_owner_and_key);
	for (size_t i = 0; i < all.count; i += group.count) {
		group = members_run(&all, i, members_same_owner_and_key);
		file_group(view, sink, &group);
	}
	if (view->snap->has_tcp_info && view->snap->tcp_info_len < tcpi_fields[TCPI_BYTES_SENT].need)
		sink_skip(sink, "needs tcpi_bytes_sent (Linux 4.19)");
	if (!view->snap->info_for_all)
		sink_skip_part(sink, "so many sockets that tcp_info was read of suspicious ones only: this fault shows in tcp_info alone");
	sink_skip_part(sink, "the side that delays its ACKs: the kernel counts them for the whole host, not by socket");
}

const struct rule rule_nagle_delack_stall = {
	.id = "nagle-delack-stall",
	.title = "Small writes wait for delayed ACKs (Nagle)",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_FAST_LOOKS | RULE_NEEDS_TWO_SAMPLES,
	.states = STATE_BIT(SOCK_STATE_ESTAB),
	.candidate = candidate,
	.quota = QUOTA,
	.look = look,
	.eval = eval,
	.packets = &packets_nagle_delack_stall,
	.thresholds = thresholds,
	.explain =
		"A program writes a message in two pieces, a header and a body for example, and then waits for the answer. The first piece is sent at once. The second is small, and Nagle's algorithm holds "
		"it until the first is acknowledged. The peer, who cannot answer half a message, does not acknowledge at once either: it delays the ACK in the hope of sending it along with an answer. "
		"Both wait for each other until the peer's timer ends it: after 40 ms on Linux at the earliest, up to 200 ms elsewhere. Every request takes that long although neither network nor program is slow.\n\n"
		"The second piece stands in the send queue unsent (notsent_bytes) while the first is unacknowledged. That lasts for milliseconds, so suspicious sockets are looked at "
		"some dozens of times between two samples. The round trips show it too: every other one is as short as the path, every other one as long as the delay, so the smoothed value and its variance are both far above the shortest.\n\n"
		"The number of stalls a minute is what the looks saw, at that pace, and never more than half of the segments that were sent between the samples. On a path whose own round trip is longer than a few milliseconds the rule is silent: "
		"there the delay cannot be told from the distance.",
	.look_alikes = (const char *const[]){
		"a path with a round trip of 40 ms: its fastest round trip is that long too",
		"a program that thinks for 40 ms between two messages: nothing waits unsent meanwhile",
		"a server that takes its time: everything was sent, only the answer is missing",
		"bulk transfer: full segments, many bytes a second; Nagle holds back only the last of them",
		"a peer's window that is closed, or a repair of loss: data is held for another reason",
		"a one-way stream of small writes (logs): a peer that delays every ACK holds it back too, but nobody waits for an answer; reported as info",
		NULL },
	.causes = (const char *const[]){
		"a message is written in two or more small pieces (header, then body) and then its answer is awaited, without TCP_NODELAY",
		"a library or TLS layer that writes each record or field by itself",
		"a proxy that passes on small pieces as they come",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -ti pid = {pid}",
		"ss -tin dst {example} # unacked:1 notsent, rtt far above minrtt",
		"nstat -az TcpExtDelayedACKs # on the side that reads: one for each stall",
		NULL },
	.fixes = (const char *const[]){
		"write each message at once: one writev(), a buffered writer that is flushed, or TCP_CORK around the pieces",
		"set TCP_NODELAY on connections of requests and answers; leave Nagle's algorithm on for bulk data",
		"TCP_QUICKACK on the reading side is fragile: the kernel takes it back",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.7.4", "RFC 9293 §3.8.6.3", "RFC 1122 §4.2.3.2",
				       "RFC 1122 §4.2.3.4", "RFC 896", "net/ipv4/tcp_output.c (tcp_nagle_test)",
				       NULL },
	.repro = "a client sends 50 bytes, then 100, and waits for the answer to all 150, in a loop",
};
