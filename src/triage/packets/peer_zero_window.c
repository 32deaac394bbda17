/* SPDX-License-Identifier: MIT */
/* peer-zero-window from packets: a receiver keeps its window shut, and answers the sender's probes. */
#include "../attempts.h"
#include "../packets.h"

enum limit {
	SHUT,
	SILENCE,
	CRIT_SHUT,
	CRIT_FLOWS,
};

static const struct threshold thresholds[] = {
	[SHUT] = { "shut", UNIT_MS, 5000, "a reader that is merely slow opens its window again within a second or two" },
	[SILENCE] = { "reader_silence", UNIT_MS, 5000, "before the sender's last packet: a reader that answered none of the probes in that time is dead, not slow" },
	[CRIT_SHUT] = { "critical_shut", UNIT_MS, 30000, "longer than a user waits, and than most request deadlines" },
	[CRIT_FLOWS] = { "critical_flows", UNIT_COUNT, 5, "connections to the same reader: it does not read at all" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_PROBED 0.93
#define CONFIDENCE_NOT_PROBED 0.75

/** struct tally - one reader. @worst: shut longest. @probes: of all its senders. @still: how many are shut at the end of the capture. */
struct tally {
	const struct flow_member *worst;
	uint64_t probes, shut_times, still;
	bool public, here;
};

/* The sender asks, and nothing comes: the window is not the trouble any more. */
static bool reader_is_dead(const struct view *view, const struct flow_member *m)
{
	const struct flow_side *sender = m->own, *reader = m->other;

	return reader->window_shut && (double)(sender->last_ns - reader->last_ns) / 1e6 >= view->values[SILENCE];
}

/* Seen from the sender. A client's port is one of chance: it is known by its address. */
static bool keep(const struct view *view, struct flow_member *m)
{
	if (m->side == 1)
		m->key.port = 0;
	return m->other->zero_window_ms >= view->values[SHUT] && !reader_is_dead(view, m);
}

static struct tally tally_of(const struct flow_members *run)
{
	struct tally t = { .worst = run->at, .public = true };

	for (size_t i = 0; i < run->count; i++) {
		const struct flow_member *m = &run->at[i];

		t.probes += m->own->probes;
		t.shut_times += m->other->zero_windows;
		t.still += m->other->window_shut;
		if (m->other->zero_window_ms > t.worst->other->zero_window_ms)
			t.worst = m;
		t.public = t.public && m->side == 1 && flow_inbound(m->flow) != INBOUND_NO;
	}
	t.here = t.worst->flow->flags & FLOW_LOCAL_KNOWN && t.worst->flow->local_side != t.worst->side;
	return t;
}

static enum severity judge(const struct view *view, const struct flow_members *run, const struct tally *t, enum limit *limit)
{
	*limit = SHUT;
	if (t->public)
		return SEVERITY_INFO;
	if (t->worst->other->zero_window_ms >= view->values[CRIT_SHUT])
		*limit = CRIT_SHUT;
	else if ((double)run->count >= view->values[CRIT_FLOWS])
		*limit = CRIT_FLOWS;
	return *limit == SHUT ? SEVERITY_WARNING : SEVERITY_CRITICAL;
}

static void add_evidence(struct finding *f, const struct view *view, const struct flow_members *run, const struct tally *t)
{
	const struct flow_member *worst = t->worst;

	finding_flows(f, view, run);
	finding_add_text(f, "sender", flow_who_text(view, run), "capture");
	finding_add(f, "shut", worst->other->zero_window_ms, UNIT_MS, "capture");
	finding_add(f, "zero_windows", (double)t->shut_times, UNIT_COUNT, "capture");
	finding_add(f, "probes", (double)t->probes, UNIT_COUNT, "capture");
	finding_add(f, "still_shut", (double)t->still, UNIT_COUNT, "capture");
	finding_add(f, "sent", (double)worst->own->payload, UNIT_BYTES, "capture");
	finding_add(f, "last_answer", (double)MAX(flow_quiet_ms(view, worst->flow, !worst->side), 0), UNIT_MS, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, worst->flow), UNIT_MS, "capture");
	finding_add(f, "flow", (double)worst->flow->number, UNIT_NONE, "capture");
	finding_add_text(f, "example", view_addr_text(view, &worst->there.addr), "capture");
}

static const char *const here_next[] = { "tcptriage report --rule recvq-not-drained", "ss -tnmp src {example} # Recv-Q that does not fall", NULL };
static const char *const here_fixes[] = { "find what keeps {owner} from reading: it is the one that stands still", "bound what peers may send before it is read; a larger receive buffer only postpones it", NULL };
static const char *const there_next[] = { "tcptriage states -i dst {example}", "ss -tnoi dst {example}", NULL };

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	f->title = "{peer} does not read: its window was shut for {shut}, {sender} waits to send";
	if (t->here)
		f->title = "{owner} on this host does not read at {peer}: its window was shut for {shut}, {sender} waits to send";
	f->detail = t->still ? "{flows|connection}, {still_shut} of them shut to the end of the capture · {probes|probe} asked whether it has opened, the last answer {last_answer} before the end · {sent} had gone through (flow {flow}, {begins_at} into the capture)" :
			       "{flows|connection}, open again at the end of the capture · {probes|probe} asked whether it has opened · {sent} went through (flow {flow}, {begins_at} into the capture)";
	f->next = flow_next(view, "host {peer_addr} and tcp", t->here ? here_next : there_next);
	if (t->here)
		f->fixes = here_fixes;
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(run);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_PEER_ZERO_WINDOW, run->count > 0))
		return;
	severity = judge(view, run, &t, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, t.probes ? CONFIDENCE_PROBED : CONFIDENCE_NOT_PROBED));
	f->scope_factor = run->count == 1 ? 0.8 : 1;
	add_evidence(f, view, run, &t);
	describe(f, view, &t);
	finding_against(f, "the reader may have stopped on purpose: a pager, a paused player, a consumer that takes its time");
	if (!t.probes)
		finding_against(f, "no probe of the window was seen: the sender may have nothing more to send");
	if (t.public)
		finding_against(f, "clients on the Internet are slow or paused all the time");
	finding_trust(f, view);
	finding_threshold(f, sink, limit);
}

/* What came nearest among windows that were shut at all. */
static void note_near_miss(struct sink *sink, const struct flow_members *all)
{
	int64_t longest = -1;

	for (size_t i = 0; i < all->count; i++) {
		if (all->at[i].own->zero_windows)
			longest = MAX(longest, all->at[i].own->zero_window_ms);
	}
	if (longest >= 0)
		sink_near_miss(sink, "longest time that a window was shut", (double)longest, SHUT);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members all = flow_members_collect_sides(view, PROTOCOL_TCP, ODD_SHUT, NULL);
	struct flow_members shut = flow_members_filter(view, &all, keep);

	flow_members_file(view, sink, &shut, file_run);
	if (!sink->filed)
		note_near_miss(sink, &all);
}

const struct rule_signal packets_peer_zero_window = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"One side advertises a window of 0 and leaves it so. The other sends probes at intervals that double, and each is answered with the window still shut: both are alive, and the reader's program does not read. The time counts from the segment "
		"that shut the window to the one that opened it again, or to the newest packet of the connection (a probe, or the answer to it). A window that is shut for a moment while much is sent is healthy. Probes that nobody answers any more mean a dead peer, and another rule.",
	.repro = "capture while a program writes to a peer that accepts the connection and never reads",
};
