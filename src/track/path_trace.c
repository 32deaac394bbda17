/* SPDX-License-Identifier: MIT */
/* The machine of a trace: ids, pace and what comes back. Where to go next stands in trace_walk.c and trace_side.c, what it means in trace_verdict.c. */
#include "tcptriage/track/path_trace.h"

#include <stdlib.h>

#include "trace_state.h"

/* A probe that this machine did not send, after others went: a full queue at times. More than so many are no accident. */
#define LOCALS_MAX 3

/* Answers that count in a lane; others are no answer to a probe of it. */
static const bool heeded[LANE_COUNT][PROBE_REPLY_COUNT] = {
	[LANE_MAIN] = { [REPLY_ARRIVED] = true, [REPLY_OPEN] = true, [REPLY_REFUSED] = true, [REPLY_EXPIRED] = true, [REPLY_UNREACHABLE] = true,
			[REPLY_REJECTED] = true, [REPLY_PROHIBITED] = true, [REPLY_LOCAL] = true },
	[LANE_SIDE] = { [REPLY_ARRIVED] = true, [REPLY_EXPIRED] = true, [REPLY_UNREACHABLE] = true, [REPLY_REJECTED] = true, [REPLY_PROHIBITED] = true,
			[REPLY_LOCAL] = true },
};

struct path_trace *path_trace_new(const struct path_trace_options *options, int64_t now_us)
{
	struct path_trace *trace = xcalloc(1, sizeof(*trace));

	trace->options = *options;
	trace->options.max_hops = MIN(MAX(options->max_hops, 1), PATH_HOPS_MAX);
	trace->begin_us = trace->end_us = trace->tokens_us = now_us;
	trace->tokens = options->side_burst;
	for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
		for (unsigned ttl = 0; ttl <= PATH_HOPS_MAX; ttl++)
			trace->spots[lane][ttl].seen = (struct path_hop){ .ttl = (uint8_t)ttl, .rtt_us = -1, .address.family = options->target.family };
	}
	trace_verdict_fill(trace);
	return trace;
}

static void refill(struct path_trace *trace, int64_t now_us)
{
	double grown = trace->tokens + (double)(now_us - trace->tokens_us) * trace->options.side_per_s / 1e6;

	if (now_us <= trace->tokens_us)
		return;
	trace->tokens = MIN(grown, (double)trace->options.side_burst);
	trace->tokens_us = now_us;
}

/* When the next packet may go. */
static int64_t pace_us(const struct path_trace *trace)
{
	uint32_t sent = trace->path.probes_sent;

	return sent < TRACE_RATE ? INT64_MIN : trace->recent_us[sent % TRACE_RATE] + 1000000;
}

static void send_probe(struct path_trace *trace, enum probe_lane lane, uint8_t ttl, int64_t now_us, struct probe_request *request)
{
	struct trace_spot *spot = &trace->spots[lane][ttl];
	uint32_t index = trace->path.probes_sent++;
	int64_t window;

	spot->seen.tries++;
	spot->sent_us = now_us;
	window = lane == LANE_MAIN ? trace_walk_window(trace, ttl) : TRACE_WINDOW_US;
	spot->quiet_us = now_us + window;
	trace->sent[index] = (struct trace_sent){ .lane = (uint8_t)lane, .ttl = ttl, .try = spot->seen.tries };
	trace->recent_us[index % TRACE_RATE] = now_us;
	if (lane == LANE_SIDE)
		trace->tokens -= 1;
	*request = (struct probe_request){
		.id = index + 1,
		.lane = (uint8_t)lane,
		.hop_limit = ttl,
		.deadline_us = now_us + (lane == LANE_SIDE || trace->options.sees_ttl ? TRACE_LATE_US : window),
	};
}

static void finish(struct path_trace *trace, int64_t now_us)
{
	trace->done = true;
	trace->end_us = MAX(now_us, trace->begin_us);
	trace_verdict_fill(trace);
}

enum probe_step path_trace_step(struct path_trace *trace, int64_t now_us, struct probe_request *request, int64_t *wake_us)
{
	int64_t wake = INT64_MAX;
	enum probe_lane lane = LANE_MAIN;
	int ttl;

	if (trace->done)
		return STEP_DONE;
	refill(trace, now_us);
	ttl = trace_walk_next(trace, now_us, &wake);
	if (ttl == TRACE_NOTHING) {
		lane = LANE_SIDE;
		ttl = trace_side_next(trace, now_us, &wake);
	}
	if ((ttl == TRACE_NOTHING && wake == INT64_MAX) || trace->path.probes_sent == TRACE_PROBES_MAX) {
		finish(trace, now_us);
		return STEP_DONE;
	}
	if (ttl != TRACE_NOTHING && now_us >= pace_us(trace)) {
		send_probe(trace, lane, (uint8_t)ttl, now_us, request);
		return STEP_SEND;
	}
	*wake_us = MAX(now_us + 1, ttl == TRACE_NOTHING ? wake : pace_us(trace));
	return STEP_WAIT;
}

/* Not sent by this machine: the end of it, unless others went and it may have been an accident. */
static void take_local(struct path_trace *trace, struct trace_spot *spot, bool main, const struct probe_outcome *outcome, int64_t now_us)
{
	struct trace_spot *full = &trace->spots[LANE_MAIN][0];
	bool others = trace_state_final(trace) || full->seen.reply || trace_state_heard(trace, LANE_MAIN, PATH_HOPS_MAX + 1);

	spot->quiet_us = MIN(spot->quiet_us, now_us);
	if (!main || trace_state_final(trace) || (others && ++trace->locals < LOCALS_MAX))
		return;
	full->seen.reply = REPLY_LOCAL;
	full->seen.rtt_us = -1;
	full->error = outcome->error;
}

static void take_answer(struct path_trace *trace, struct trace_spot *spot, const struct trace_sent *sent, const struct probe_outcome *outcome)
{
	spot->seen.reply = outcome->reply;
	spot->seen.address = outcome->from;
	spot->seen.rtt_us = outcome->rtt_us < 0 ? -1 : outcome->rtt_us;
	spot->is_icmp = outcome->is_icmp;
	spot->icmp_type = outcome->icmp_type;
	spot->icmp_code = outcome->icmp_code;
	spot->reply_ttl = outcome->reply_ttl;
	trace->path.retried += sent->try > 1;
	/* What a router answered has cost the host nothing. */
	if (sent->lane == LANE_SIDE && outcome->reply != REPLY_ARRIVED)
		trace->tokens = MIN(trace->tokens + 1, (double)trace->options.side_burst);
}

void path_trace_outcome(struct path_trace *trace, const struct probe_outcome *outcome, int64_t now_us)
{
	struct trace_sent *sent = outcome->id - 1 < trace->path.probes_sent ? &trace->sent[outcome->id - 1] : NULL;
	struct trace_spot *spot = sent ? &trace->spots[sent->lane][sent->ttl] : NULL;

	if (!spot || trace->done || sent->answered || spot->seen.reply || outcome->reply >= PROBE_REPLY_COUNT || !heeded[sent->lane][outcome->reply])
		return;
	sent->answered = true;
	if (outcome->reply == REPLY_LOCAL)
		take_local(trace, spot, sent->lane == LANE_MAIN, outcome, now_us);
	else
		take_answer(trace, spot, sent, outcome);
	trace->end_us = MAX(trace->end_us, now_us);
	trace_verdict_fill(trace);
}

void path_trace_stop(struct path_trace *trace, int64_t now_us)
{
	if (trace->done)
		return;
	trace->path.partial = true;
	finish(trace, now_us);
}

const struct trace_path *path_trace_path(const struct path_trace *trace)
{
	return &trace->path;
}

void path_trace_free(struct path_trace *trace)
{
	free(trace);
}
