/* SPDX-License-Identifier: MIT */
/* nagle-delack-stall from packets: a small segment waits for the delayed ACK of the one before. */
#include "../packets.h"

enum limit {
	STALLS,
	SHARE,
	RATE,
	RTT_SHARE,
	CRIT_RATE,
	CRIT_FLOWS,
};

static const struct threshold thresholds[] = {
	[STALLS] = { "packet_stalls", UNIT_COUNT, 5, "on one connection; one or two are a program that was busy just then" },
	[SHARE] = { "stalled_share", UNIT_RATIO, 0.2, "of the small writes; below that the program's way of writing is not what makes it slow" },
	[RATE] = { "stall_rate", UNIT_PER_MIN, 5, "fewer are the pauses of a program that is not in a hurry" },
	[RTT_SHARE] = { "rtt_share", UNIT_RATIO, 0.5, "of the wait, as round trip: where the path itself takes that long, an ACK is late without anybody's delay" },
	[CRIT_RATE] = { "critical_stall_rate", UNIT_PER_MIN, 1000, "one busy connection reaches 1400: a service that does little else but wait" },
	[CRIT_FLOWS] = { "critical_stalled", UNIT_COUNT, 3, "one job in a loop is slow by itself; several connections are a service" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_SEEN 0.92
#define CONFIDENCE_NO_RTT 0.65

/** struct tally - the stalling connections of one writer: a client to a server, or a server's port. */
struct tally {
	const struct flow_member *worst;
	uint64_t stalls, cycles;
	uint32_t wait_min_ms, wait_max_ms, rtt_us;
	double rate;
	bool rtt_known;
};

/* The path's own round trip: from the handshake, where no ACK is delayed; else the shortest that either side's data saw. 0: unknown. */
static uint32_t path_rtt_us(const struct flow *flow)
{
	uint32_t least = 0;

	if (flow->flags & FLOW_HAS_HANDSHAKE_RTT)
		return MAX(flow->handshake_rtt_us, 1);
	for (unsigned side = 0; side < 2; side++) {
		const struct flow_side *s = &flow->side[side];

		if (s->has & SIDE_HAS_RTT)
			least = least ? MIN(least, s->rtt_min_us) : MAX(s->rtt_min_us, 1);
	}
	return least;
}

static double share_of(const struct flow_side *s)
{
	return s->nagle_cycles ? (double)s->nagle_stalls / s->nagle_cycles : 0;
}

static double rate_of(const struct flow_member *m)
{
	double minutes = (double)(flow_last_ns(m->flow) - m->flow->first_ns) / 60e9;

	return minutes > 0 ? m->own->nagle_stalls / minutes : 0;
}

static bool stalls(const struct view *view, const struct flow_member *m)
{
	const double *l = view->values;

	return m->own->nagle_stalls >= l[STALLS] && share_of(m->own) >= l[SHARE] && rate_of(m) >= l[RATE] &&
	       path_rtt_us(m->flow) <= l[RTT_SHARE] * 1000 * m->own->nagle_ms_min;
}

static bool keep_client(const struct view *view, struct flow_member *m)
{
	return m->side == 0 && stalls(view, m);
}

/* A server's clients have nothing in common but its port. */
static bool keep_server(const struct view *view, struct flow_member *m)
{
	m->key = m->here;
	return m->side == 1 && stalls(view, m);
}

static struct tally tally_of(const struct flow_members *run)
{
	struct tally t = { .worst = run->at, .wait_min_ms = UINT32_MAX, .rtt_known = true };

	for (size_t i = 0; i < run->count; i++) {
		const struct flow_member *m = &run->at[i];

		t.stalls += m->own->nagle_stalls;
		t.cycles += m->own->nagle_cycles;
		t.rate += rate_of(m);
		t.wait_min_ms = MIN(t.wait_min_ms, m->own->nagle_ms_min);
		t.wait_max_ms = MAX(t.wait_max_ms, m->own->nagle_ms_max);
		t.rtt_us = MAX(t.rtt_us, path_rtt_us(m->flow));
		t.rtt_known = t.rtt_known && path_rtt_us(m->flow);
		if (m->own->nagle_stalls > t.worst->own->nagle_stalls)
			t.worst = m;
	}
	return t;
}

static enum severity judge(const struct view *view, const struct flow_members *run, const struct tally *t, enum limit *limit)
{
	*limit = SHARE;
	if (!t->rtt_known)
		return SEVERITY_INFO;
	if (t->rate < view->values[CRIT_RATE] || (double)run->count < view->values[CRIT_FLOWS])
		return SEVERITY_WARNING;
	*limit = CRIT_RATE;
	return SEVERITY_CRITICAL;
}

static void add_evidence(struct finding *f, const struct view *view, const struct flow_members *run, const struct tally *t)
{
	const struct flow *worst = t->worst->flow;

	finding_flows(f, view, run);
	finding_add_text(f, "writer", flow_who_text(view, run), "capture");
	finding_add(f, "stalls", (double)t->stalls, UNIT_COUNT, "capture");
	finding_add(f, "small_writes", (double)t->cycles, UNIT_COUNT, "capture");
	finding_add(f, "share", 100 * (double)t->stalls / (double)t->cycles, UNIT_PERCENT, "rule");
	finding_add(f, "rate", t->rate, UNIT_PER_MIN, "rule");
	finding_add(f, "wait_min", t->wait_min_ms, UNIT_MS, "capture");
	finding_add(f, "wait_max", t->wait_max_ms, UNIT_MS, "capture");
	if (t->rtt_known)
		finding_add(f, "round_trip", t->rtt_us, UNIT_US, "capture");
	finding_add(f, "largest_segment", t->worst->own->max_payload, UNIT_BYTES, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, worst), UNIT_MS, "capture");
	finding_add(f, "flow", (double)worst->number, UNIT_NONE, "capture");
	finding_add_text(f, "example", view_addr_text(view, &t->worst->there.addr), "capture");
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	static const char *const rest[] = { "ss -tin dst {example} # unacked:1 notsent, rtt far above minrtt", NULL };
	bool server = run->at->side == 1;
	struct tally t = tally_of(run);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_NAGLE_DELACK_STALL, run->count > 0))
		return;
	severity = judge(view, run, &t, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, t.rtt_known ? CONFIDENCE_SEEN : CONFIDENCE_NO_RTT));
	f->share = (double)t.stalls / (double)t.cycles;
	f->scope_factor = run->count == 1 ? 0.8 : 1;
	add_evidence(f, view, run, &t);
	f->title = server ? "Small writes wait for delayed ACKs: {writer} answers in pieces on {local}" :
			    "Small writes wait for delayed ACKs: {writer} sends to {peer} in pieces";
	f->detail = arena_printf(view->arena, "{stalls} of {small_writes|small write} waited %s for an ACK and were sent the moment it came%s · {flows|connection}, {rate} · flow {flow}, {begins_at} into the capture",
				 flow_range_text(view, "wait_min", "wait_max", t.wait_min_ms == t.wait_max_ms),
				 t.rtt_known ? ", on a path with a round trip of {round_trip}" : "");
	f->next = flow_next(view, server ? "host {local_addr} and tcp port {local_port}" : "host {peer_addr} and tcp port {peer_port}", rest);
	finding_against(f, "packets do not show TCP_NODELAY or TCP_CORK: a program that waits for something for just as long writes in the same way");
	if (!t.rtt_known)
		finding_against(f, "the round trip of the path is not known: if it is as long as the wait, nobody delays anything");
	finding_trust(f, view);
	finding_threshold(f, sink, limit);
}

static void note_near_miss(struct sink *sink, const struct flow_members *all)
{
	unsigned most = 0;

	for (size_t i = 0; i < all->count; i++)
		most = MAX(most, all->at[i].own->nagle_stalls);
	if (most)
		sink_near_miss(sink, "small writes of one connection that waited for an ACK", most, STALLS);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members all = flow_members_collect_sides(view, PROTOCOL_TCP, ODD_STALLS, NULL);
	struct flow_members clients = flow_members_filter(view, &all, keep_client);
	struct flow_members servers = flow_members_filter(view, &all, keep_server);

	flow_members_file(view, sink, &clients, file_run);
	flow_members_file(view, sink, &servers, file_run);
	if (!sink->filed)
		note_near_miss(sink, &all);
}

const struct rule_signal packets_nagle_delack_stall = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"A small segment is sent, its ACK comes alone after 40, 100 or 200 ms, as a delayed ACK does, and within two milliseconds of it the same side sends the next small segment: it had been waiting. Stalls are counted against all small writes of that side. "
		"Where the path's own round trip, taken from the handshake, is half of the wait or more, an ACK is late by distance and the rule is silent.",
	.repro = "capture while a client sends 50 bytes, then 100, and waits for the answer to all 150, in a loop",
};
