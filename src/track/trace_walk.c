/* SPDX-License-Identifier: MIT */
/* Which hop limit the next SYN gets: first the full one, then hop by hop, then silences again. */
#include "trace_state.h"

/* The answer to the full hop limit goes first: a host that still holds its half-open connection would not answer the next SYN of the same ports. */
#define HEAD_START_US INT64_C(250000)
/* A router answers within this beyond three times the host's round trip, or is asked again with patience. */
#define ROUTER_SLACK_US INT64_C(200000)
#define ROUTER_LEAST_US INT64_C(250000)
#define TRIES_MOST 3
#define TRIES_FRONTIER 2
#define TRIES_FULL 2
/* Whoever waits has the verdict by then: what would only make the list of hops nicer is left. */
#define WALK_US INT64_C(10000000)
#define REPEAT_US INT64_C(8000000)

static bool decided_by_full(const struct path_trace *trace)
{
	return trace_state_is_final(&trace->spots[LANE_MAIN][0]);
}

static bool is_local(const struct path_trace *trace)
{
	return trace->spots[LANE_MAIN][0].seen.reply == REPLY_LOCAL;
}

/* Another protocol gets through where SYNs do not: no router is short of a word. */
static bool others_pass(const struct path_trace *trace)
{
	return trace_side_further(trace, trace_state_heard(trace, LANE_MAIN, PATH_HOPS_MAX + 1));
}

/* Would an answer to the probe that is under way with this hop limit change anything? */
static bool matters(const struct path_trace *trace, uint8_t ttl)
{
	if (is_local(trace))
		return false;
	if (!ttl)
		return trace->spots[LANE_MAIN][0].seen.tries == 1 || !trace_state_final(trace);
	return ttl < trace_state_end(trace);
}

static unsigned count_busy(const struct path_trace *trace, int64_t now_us, int64_t *first_us, int64_t *wake_us)
{
	unsigned busy = 0;

	for (uint8_t ttl = 0; ttl <= trace->options.max_hops; ttl++) {
		const struct trace_spot *spot = &trace->spots[LANE_MAIN][ttl];

		if (!trace_state_waits(spot, now_us))
			continue;
		busy++;
		*first_us = MIN(*first_us, spot->quiet_us);
		if (matters(trace, ttl))
			*wake_us = MIN(*wake_us, spot->quiet_us);
	}
	return busy;
}

/* The next hop that was not asked yet, as long as it is not too far behind the last that answered; when the host answers, silent hops are passed. */
static int forward(const struct path_trace *trace, int64_t now_us)
{
	bool patient = decided_by_full(trace) && now_us - trace->begin_us < WALK_US;
	uint8_t end = trace_state_end(trace), base = 0;

	for (uint8_t ttl = 1; ttl < end; ttl++) {
		const struct trace_spot *spot = &trace->spots[LANE_MAIN][ttl];

		if (spot->seen.reply || (patient && trace_state_silent(spot, now_us)))
			base = ttl;
		if (!spot->seen.tries)
			return ttl <= base + TRACE_AHEAD ? ttl : TRACE_NOTHING;
	}
	return TRACE_NOTHING;
}

static bool ran_out(const struct path_trace *trace)
{
	return trace->spots[LANE_MAIN][0].seen.reply == REPLY_EXPIRED;
}

static uint8_t tries_allowed(const struct path_trace *trace, uint8_t ttl, int64_t now_us)
{
	uint8_t end = trace_state_end(trace), heard = trace_state_heard(trace, LANE_MAIN, end);
	struct trace_cycle cycle;

	if (!ttl)
		return trace_state_final(trace) || trace_state_loop(trace, &cycle) ? 1 : TRIES_FULL;
	if (ttl < heard || trace_state_first(trace))
		return now_us - trace->begin_us < REPEAT_US ? TRIES_MOST : 1;
	if (ttl != trace_state_frontier(trace))
		return 1;
	if (trace_state_turn(trace, &cycle))
		return 1;
	return ran_out(trace) ? TRIES_MOST : TRIES_FRONTIER;
}

/* When a silent one may be asked again. In a loop every SYN comes to the same few routers. */
static int64_t again_us(const struct path_trace *trace, uint8_t ttl)
{
	int64_t last_us = trace->recent_us[(trace->path.probes_sent - 1) % TRACE_RATE], own_us = trace->spots[LANE_MAIN][ttl].sent_us;

	if (ttl)
		return (ran_out(trace) ? last_us : own_us) + TRACE_RETRY_US;
	return others_pass(trace) ? own_us + TRACE_RETRY_US : MAX(own_us + TRACE_RETRY_US, last_us + TRACE_QUIET_US);
}

/* The silent one that was asked least often; among equals the nearest, the full hop limit last. */
static int repeat(const struct path_trace *trace, int64_t now_us, int64_t *wake_us)
{
	uint8_t end = trace_state_end(trace), least = UINT8_MAX;
	int found = TRACE_NOTHING;

	for (uint8_t i = 1; i <= end; i++) {
		uint8_t ttl = i < end ? i : 0;
		const struct trace_spot *spot = &trace->spots[LANE_MAIN][ttl];

		if (!trace_state_silent(spot, now_us) || spot->seen.tries >= MIN(least, tries_allowed(trace, ttl, now_us)))
			continue;
		if (now_us < again_us(trace, ttl)) {
			*wake_us = MIN(*wake_us, again_us(trace, ttl));
			continue;
		}
		least = spot->seen.tries;
		found = ttl;
	}
	return found;
}

/* The first silent hop is asked again before hops behind it: its router may have been short of a word. */
static bool frontier_due(const struct path_trace *trace, int64_t now_us)
{
	uint8_t ttl = trace_state_frontier(trace);
	const struct trace_spot *spot = &trace->spots[LANE_MAIN][ttl];

	return ttl && !trace_state_final(trace) && spot->seen.tries == 1 && trace_state_silent(spot, now_us) && now_us >= again_us(trace, ttl);
}

int trace_walk_next(const struct path_trace *trace, int64_t now_us, int64_t *wake_us)
{
	const struct trace_spot *full = &trace->spots[LANE_MAIN][0];
	bool at_once = trace->options.most > 1;
	int64_t first_us = INT64_MAX;
	int ttl;

	if (is_local(trace))
		return TRACE_NOTHING;
	if (count_busy(trace, now_us, &first_us, wake_us) >= MAX(trace->options.most, 1u)) {
		*wake_us = MIN(*wake_us, first_us);
		return TRACE_NOTHING;
	}
	if (!full->seen.tries)
		return 0;
	if (at_once && !trace->options.split && trace_state_waits(full, now_us) && now_us < full->sent_us + HEAD_START_US) {
		*wake_us = MIN(*wake_us, full->sent_us + HEAD_START_US);
		return TRACE_NOTHING;
	}
	if (frontier_due(trace, now_us))
		return trace_state_frontier(trace);
	ttl = forward(trace, now_us);
	return ttl == TRACE_NOTHING ? repeat(trace, now_us, wake_us) : ttl;
}

int64_t trace_walk_window(const struct path_trace *trace, uint8_t ttl)
{
	const struct trace_spot *full = &trace->spots[LANE_MAIN][0], *spot = &trace->spots[LANE_MAIN][ttl];

	/* A raw SYN that is asked for again after the quiet has heard late answers to the first all the while. */
	if (!ttl)
		return spot->seen.tries > 1 && (!trace->options.sees_ttl || others_pass(trace)) ? TRACE_LAST_US : TRACE_WINDOW_US;
	if (spot->seen.tries > 1 || !trace_state_is_final(full) || full->seen.rtt_us < 0 || full->seen.rtt_us > TRACE_WINDOW_US)
		return TRACE_WINDOW_US;
	return MIN(TRACE_WINDOW_US, MAX(ROUTER_LEAST_US, 3 * full->seen.rtt_us + ROUTER_SLACK_US));
}
