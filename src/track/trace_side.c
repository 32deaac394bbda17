/* SPDX-License-Identifier: MIT */
/* What another protocol is asked with the same hop limits: how far it goes when SYNs die, and how far away the host is when one is refused. */
#include "trace_state.h"

/* At once ahead of the last answer: few, for the host answers UDP only so often. */
#define SIDE_AHEAD 3
#define SIDE_MOST 8
#define TRIES_SIDE 2
/* A host's limit of one answer a second must not hold the verdict up. */
#define SIDE_US INT64_C(9000000)

/* Nothing more is to be learnt behind it: an end, or a router that SYNs had reached before. */
static bool ends(const struct path_trace *trace, uint8_t ttl, uint8_t start)
{
	const struct path_hop *hop = &trace->spots[LANE_SIDE][ttl].seen;
	uint8_t router = hop->reply == REPLY_EXPIRED ? trace_state_router(trace, &hop->address) : 0;

	return (hop->reply && hop->reply != REPLY_EXPIRED) || (router && (router < start || router < ttl));
}

uint8_t trace_side_first(const struct path_trace *trace)
{
	for (uint8_t ttl = 1; ttl <= trace->options.max_hops; ttl++) {
		if (trace->spots[LANE_SIDE][ttl].seen.reply == REPLY_ARRIVED)
			return ttl;
	}
	return 0;
}

bool trace_side_further(const struct path_trace *trace, uint8_t ttl)
{
	for (uint8_t at = ttl + 1; at <= trace->options.max_hops; at++) {
		const struct path_hop *hop = &trace->spots[LANE_SIDE][at].seen;

		/* A router that SYNs reach as well proves nothing behind it, whatever it says. */
		if (hop->reply == REPLY_ARRIVED || (hop->reply && !addr_is_any(&hop->address) && !trace_state_router(trace, &hop->address)))
			return true;
	}
	return trace->spots[LANE_SIDE][0].seen.reply == REPLY_ARRIVED;
}

/* Is another protocol's word needed now? */
static bool wanted(const struct path_trace *trace, int64_t now_us)
{
	const struct trace_spot *spots = trace->spots[LANE_MAIN], *final = trace_state_final(trace);
	uint8_t frontier = trace_state_frontier(trace);
	struct trace_cycle cycle;

	if (trace->options.side_method < 0 || now_us - trace->begin_us > SIDE_US)
		return false;
	if (final)
		return final->seen.reply == REPLY_REFUSED;
	if (spots[0].seen.reply || trace_state_loop(trace, &cycle))
		return false;
	if (spots[0].seen.tries < 2 && !trace_state_silent(&spots[0], now_us))
		return false;
	/* Not before the first silent hop was asked twice: what a router says to another protocol it does not say to the SYN. */
	return !frontier || spots[frontier].seen.tries > 2 || (spots[frontier].seen.tries == 2 && trace_state_silent(&spots[frontier], now_us));
}

/* The hop limit from which on it is asked, 0 only the full one. */
static uint8_t start_of(const struct path_trace *trace)
{
	uint8_t first = trace_state_first(trace);

	if (!trace_state_final(trace))
		return (uint8_t)(trace_state_heard(trace, LANE_MAIN, PATH_HOPS_MAX + 1) + 1);
	return first > 1 ? (uint8_t)(first - 1) : first;
}

static int forward(const struct path_trace *trace, uint8_t start, int64_t now_us)
{
	uint8_t answered = (uint8_t)(start - 1), passed = answered;
	bool refused = trace_state_final(trace) != NULL;

	for (uint8_t ttl = start; ttl <= trace->options.max_hops; ttl++) {
		const struct trace_spot *spot = &trace->spots[LANE_SIDE][ttl];

		if (ends(trace, ttl, start))
			return TRACE_NOTHING;
		if (spot->seen.reply)
			answered = ttl;
		/* Silence far behind a refusal tells nothing about it. */
		if (spot->seen.reply || (!refused && trace_state_silent(spot, now_us)))
			passed = ttl;
		if (!spot->seen.tries)
			return ttl <= answered + TRACE_AHEAD && ttl <= passed + SIDE_AHEAD ? ttl : TRACE_NOTHING;
	}
	return TRACE_NOTHING;
}

static uint8_t tries_allowed(const struct path_trace *trace, uint8_t ttl, uint8_t start)
{
	bool refused = trace_state_final(trace) != NULL;
	uint8_t first = trace_side_first(trace), last = trace_state_heard(trace, LANE_SIDE, PATH_HOPS_MAX + 1);

	if (!refused && trace_side_further(trace, (uint8_t)(start - 1)))
		return 1;
	return !ttl || ttl == start || (refused && ttl == start + 1) || ttl < MAX(first, last) ? TRIES_SIDE : 1;
}

static int repeat(const struct path_trace *trace, uint8_t start, int64_t now_us, int64_t *wake_us)
{
	for (uint8_t ttl = 0; ttl <= trace->options.max_hops; ttl++) {
		const struct trace_spot *spot = &trace->spots[LANE_SIDE][ttl];

		if ((ttl && ttl < start) || !trace_state_silent(spot, now_us) || spot->seen.tries >= tries_allowed(trace, ttl, start))
			continue;
		if (now_us >= spot->sent_us + TRACE_RETRY_US)
			return ttl;
		*wake_us = MIN(*wake_us, spot->sent_us + TRACE_RETRY_US);
	}
	return TRACE_NOTHING;
}

static unsigned count_busy(const struct path_trace *trace, int64_t now_us, int64_t *wake_us)
{
	unsigned busy = 0;

	for (uint8_t ttl = 0; ttl <= trace->options.max_hops; ttl++) {
		const struct trace_spot *spot = &trace->spots[LANE_SIDE][ttl];

		if (!trace_state_waits(spot, now_us))
			continue;
		busy++;
		*wake_us = MIN(*wake_us, spot->quiet_us);
	}
	return busy;
}

static int candidate(const struct path_trace *trace, int64_t now_us, int64_t *wake_us)
{
	uint8_t start = start_of(trace);
	int ttl = TRACE_NOTHING;

	if (!trace->spots[LANE_SIDE][0].seen.tries)
		return 0;
	if (start)
		ttl = forward(trace, start, now_us);
	return ttl == TRACE_NOTHING ? repeat(trace, MAX(start, 1), now_us, wake_us) : ttl;
}

int trace_side_next(const struct path_trace *trace, int64_t now_us, int64_t *wake_us)
{
	int ttl;

	if (!wanted(trace, now_us) || count_busy(trace, now_us, wake_us) >= SIDE_MOST)
		return TRACE_NOTHING;
	ttl = candidate(trace, now_us, wake_us);
	if (ttl == TRACE_NOTHING || !trace->options.side_burst || trace->tokens >= 1)
		return ttl;
	if (trace->options.side_per_s > 0)
		*wake_us = MIN(*wake_us, now_us + 1 + (int64_t)((1 - trace->tokens) * 1e6 / trace->options.side_per_s));
	return TRACE_NOTHING;
}
