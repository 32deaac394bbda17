/* SPDX-License-Identifier: MIT */
/* Views of what a trace has heard: the answer that decides, how far routers answer, whether packets go round. */
#include "trace_state.h"

/* Addresses that come again after this many hops are looked for. */
#define PERIOD_MAX 4
/* One address at hop after hop: three are enough when the full hop limit ran out too; without that a box may answer for others behind it. */
#define SAME_MATCHES 2
#define SAME_MATCHES_ALONE 5
/* Routers that are met again, others in between. */
#define TURN_MATCHES 2

bool trace_state_waits(const struct trace_spot *spot, int64_t now_us)
{
	return spot->seen.tries && !spot->seen.reply && now_us < spot->quiet_us;
}

bool trace_state_silent(const struct trace_spot *spot, int64_t now_us)
{
	return spot->seen.tries && !spot->seen.reply && now_us >= spot->quiet_us;
}

bool trace_state_is_final(const struct trace_spot *spot)
{
	return spot->seen.reply != REPLY_NONE && spot->seen.reply != REPLY_EXPIRED;
}

uint8_t trace_state_first(const struct path_trace *trace)
{
	for (uint8_t ttl = 1; ttl <= trace->options.max_hops; ttl++) {
		if (trace_state_is_final(&trace->spots[LANE_MAIN][ttl]))
			return ttl;
	}
	return 0;
}

const struct trace_spot *trace_state_final(const struct path_trace *trace)
{
	const struct trace_spot *spots = trace->spots[LANE_MAIN];
	uint8_t first = trace_state_first(trace);

	return trace_state_is_final(&spots[0]) ? &spots[0] : first ? &spots[first] : NULL;
}

uint8_t trace_state_heard(const struct path_trace *trace, enum probe_lane lane, uint8_t end)
{
	uint8_t heard = 0;

	for (uint8_t ttl = 1; ttl < end && ttl <= trace->options.max_hops; ttl++) {
		if (trace->spots[lane][ttl].seen.reply == REPLY_EXPIRED)
			heard = ttl;
	}
	return heard;
}

uint8_t trace_state_router(const struct path_trace *trace, const struct addr *address)
{
	for (uint8_t ttl = 1; ttl <= trace->options.max_hops; ttl++) {
		const struct path_hop *hop = &trace->spots[LANE_MAIN][ttl].seen;

		if (hop->reply == REPLY_EXPIRED && addr_equal(&hop->address, address))
			return ttl;
	}
	return 0;
}

/* How many hops up to @last carry the address of the one @period before, mute ones left aside; @first: where that begins. */
static unsigned matches(const struct trace_spot *spots, uint8_t last, uint8_t period, uint8_t *first)
{
	unsigned count = 0;

	for (uint8_t ttl = last; ttl > period; ttl--) {
		const struct path_hop *hop = &spots[ttl].seen, *before = &spots[ttl - period].seen;

		if (hop->reply != REPLY_EXPIRED || before->reply != REPLY_EXPIRED)
			continue;
		if (!addr_equal(&hop->address, &before->address))
			break;
		*first = (uint8_t)(ttl - period);
		count++;
	}
	return count;
}

/* How often the shortest cycle has come round. Two neighbours with one address would pass for one of any length. */
static unsigned find_cycle(const struct path_trace *trace, struct trace_cycle *cycle)
{
	const struct trace_spot *spots = trace->spots[LANE_MAIN];
	uint8_t last = trace_state_heard(trace, LANE_MAIN, PATH_HOPS_MAX + 1);
	unsigned count = 0;

	for (uint8_t period = 1; period <= PERIOD_MAX && !count; period++) {
		cycle->period = period;
		count = matches(spots, last, period, &cycle->first);
	}
	return count;
}

bool trace_state_loop(const struct path_trace *trace, struct trace_cycle *cycle)
{
	bool ran_out = trace->spots[LANE_MAIN][0].seen.reply == REPLY_EXPIRED;
	unsigned count = trace_state_final(trace) ? 0 : find_cycle(trace, cycle);

	return count && count >= (cycle->period > 1 ? TURN_MATCHES : ran_out ? SAME_MATCHES : SAME_MATCHES_ALONE);
}

bool trace_state_turn(const struct path_trace *trace, struct trace_cycle *cycle)
{
	return trace->spots[LANE_MAIN][0].seen.reply == REPLY_EXPIRED && !trace_state_final(trace) && find_cycle(trace, cycle) && cycle->period > 1;
}

uint8_t trace_state_frontier(const struct path_trace *trace)
{
	uint8_t ttl = trace_state_heard(trace, LANE_MAIN, PATH_HOPS_MAX + 1) + 1;

	return ttl < trace_state_end(trace) ? ttl : 0;
}

uint8_t trace_state_end(const struct path_trace *trace)
{
	const struct trace_spot *final = trace_state_final(trace);
	uint8_t end = trace->options.max_hops + 1, first = trace_state_first(trace);
	uint8_t speaker = final && final->is_icmp ? trace_state_router(trace, &final->seen.address) : 0;
	struct trace_cycle cycle;

	/* What lies behind a router that sends SYNs back is silent, or says the same. */
	if (speaker)
		return speaker + 1;
	if (first)
		return first;
	if (trace_state_loop(trace, &cycle))
		return trace_state_heard(trace, LANE_MAIN, end) + 1;
	return end;
}
