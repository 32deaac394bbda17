/* SPDX-License-Identifier: MIT */
/* What the answers of a trace amount to. A verdict names somebody only on proof: equal distances alone do not tell a host from a box before it. */
#include <string.h>

#include "trace_state.h"

/** struct ending - what an answer that decides means. @by_target: the host itself said it. @by_speaker: whoever sent the message. */
struct ending {
	uint8_t finding, proof;
	bool by_target, by_speaker;
};

static const struct ending endings[PROBE_REPLY_COUNT] = {
	[REPLY_ARRIVED] = { TRACE_REFUSED, PROOF_ICMP, .by_target = true },
	[REPLY_OPEN] = { TRACE_OPEN, PROOF_NONE, .by_target = true },
	[REPLY_REFUSED] = { TRACE_REFUSED, PROOF_NONE },
	[REPLY_UNREACHABLE] = { TRACE_NO_ROUTE, PROOF_NONE, .by_speaker = true },
	[REPLY_REJECTED] = { TRACE_REFUSED_BY_MIDDLE, PROOF_ICMP, .by_speaker = true },
	[REPLY_PROHIBITED] = { TRACE_PROHIBITED, PROOF_NONE, .by_speaker = true },
	[REPLY_LOCAL] = { TRACE_LOCAL_ERROR, PROOF_NONE },
};

static struct addr nobody(const struct path_trace *trace)
{
	return (struct addr){ .family = trace->options.target.family };
}

/* Up to the last answer; an answer of a router that was heard before, behind silent hops, does not lie where it was asked. */
static uint8_t last_hop(const struct path_trace *trace)
{
	uint8_t first = trace_state_first(trace), heard = trace_state_heard(trace, LANE_MAIN, first ? first : PATH_HOPS_MAX + 1);
	const struct trace_spot *spot = &trace->spots[LANE_MAIN][first];
	bool echoed = first && spot->is_icmp && trace_state_router(trace, &spot->seen.address) && heard + 1 < first;

	return first && !echoed ? first : heard;
}

static void fill_hops(struct path_trace *trace)
{
	struct trace_path *path = &trace->path;
	uint8_t first = trace_side_first(trace), answered = first ? first : trace_state_heard(trace, LANE_SIDE, PATH_HOPS_MAX + 1), asked = 0;

	for (uint8_t ttl = 1; ttl <= trace->options.max_hops; ttl++) {
		path->hops[ttl - 1] = trace->spots[LANE_MAIN][ttl].seen;
		path->side[ttl - 1] = trace->spots[LANE_SIDE][ttl].seen;
		if (path->side[ttl - 1].tries)
			asked = ttl;
		if (!first && path->side[ttl - 1].reply)
			answered = ttl;
	}
	path->hop_count = last_hop(trace);
	path->side_count = answered ? answered : asked;
}

/* Hops that a packet which arrived with the hop limit @ttl came over, by the usual first values. @initial: of those. */
static uint8_t travelled(uint8_t ttl, uint8_t *initial)
{
	*initial = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
	return *initial - ttl;
}

/* Hop limits of the RST and of the host's other packets: <0 the RST came over fewer hops, 0 over as many, >0 cannot be compared or over more. */
static int compare_arrival(const struct trace_path *path)
{
	uint8_t of_rst, of_host, rst, host;

	if (!path->rst_ttl || !path->reply_ttl)
		return 1;
	rst = travelled(path->rst_ttl, &of_rst);
	host = travelled(path->reply_ttl, &of_host);
	return of_rst != of_host ? 1 : rst - host;
}

/* The RST came over fewer hops than the SYN that drew it: a host that answers over as many as it is away does not do that. */
static bool rst_nearer(const struct trace_path *path, uint8_t first)
{
	uint8_t initial;

	return path->rst_ttl && travelled(path->rst_ttl, &initial) + 2 <= first;
}

/* One router was met by both protocols at @ttl: up to there their ways are of one length. A mute hop, or another router, leaves that open. */
static bool same_way(const struct path_trace *trace, uint8_t ttl)
{
	const struct path_hop *main = &trace->spots[LANE_MAIN][ttl].seen, *side = &trace->spots[LANE_SIDE][ttl].seen;

	return main->reply == REPLY_EXPIRED && side->reply == REPLY_EXPIRED && addr_equal(&main->address, &side->address);
}

/* Two routers at one hop limit: what the other protocol says of distances is about another way. */
static bool other_way(const struct path_trace *trace)
{
	for (uint8_t ttl = 1; ttl <= trace->options.max_hops; ttl++) {
		const struct path_hop *main = &trace->spots[LANE_MAIN][ttl].seen, *side = &trace->spots[LANE_SIDE][ttl].seen;

		if (main->reply == REPLY_EXPIRED && side->reply == REPLY_EXPIRED && !addr_equal(&main->address, &side->address))
			return true;
	}
	return false;
}

/* A router of the other protocol stands where the RST came from, or behind that: by its way the host is farther away. */
static bool host_farther(const struct path_trace *trace, uint8_t first)
{
	for (uint8_t ttl = first; first && ttl <= trace->options.max_hops; ttl++) {
		const struct path_hop *hop = &trace->spots[LANE_SIDE][ttl].seen;

		if (hop->reply == REPLY_EXPIRED && !trace_state_router(trace, &hop->address))
			return true;
	}
	return false;
}

/* Distance of the host as LANE_SIDE saw it, 0 when nobody asked whether the hop before it is the host too. */
static uint8_t side_distance(const struct path_trace *trace)
{
	uint8_t first = trace_side_first(trace);
	bool asked = first <= 1 || trace->spots[LANE_SIDE][first - 1].seen.tries || trace->spots[LANE_MAIN][first - 1].seen.reply == REPLY_EXPIRED;

	return asked ? first : 0;
}

/* The box is the router before the RST's hop limit when the RST came over as many hops as that router is away. */
static struct addr box_of(const struct path_trace *trace, uint8_t first)
{
	const struct path_hop *before = &trace->spots[LANE_MAIN][first ? first - 1 : 0].seen;
	uint8_t initial, hops;

	if (first < 2 || !trace->path.rst_ttl || before->reply != REPLY_EXPIRED)
		return nobody(trace);
	hops = travelled(trace->path.rst_ttl, &initial);
	return hops + 2 == first ? before->address : nobody(trace);
}

/*
 * A RST carries the host's address, whoever made it, and no other TCP packet of the host is there to compare it with: packets of the other protocol stand in, and only where both
 * were seen to share the way up to the hop before. Routers that send TCP another way, a shorter one, would else turn every closed port into a box.
 */
static void judge_rst(struct path_trace *trace)
{
	struct trace_path *path = &trace->path;
	uint8_t first = trace_state_first(trace);
	bool farther = host_farther(trace, first), shared = first > 1 && same_way(trace, first - 1), nearer = rst_nearer(path, first);
	int arrival = compare_arrival(path);

	if (shared && farther && arrival && (nearer || !path->rst_ttl)) {
		path->finding = TRACE_REFUSED_BY_MIDDLE;
		path->proof = PROOF_DISTANCE;
		path->by = box_of(trace, first);
	} else if (shared && nearer && arrival < 0 && side_distance(trace) == first) {
		path->finding = TRACE_REFUSED_BY_MIDDLE;
		path->proof = PROOF_RST_TTL;
		path->by = box_of(trace, first);
	} else if (!arrival && !farther && !other_way(trace)) {
		path->proof = PROOF_RST_TTL;
		path->by = trace->options.target;
	}
}

static uint8_t reply_ttl_of_host(const struct path_trace *trace, const struct trace_spot *final)
{
	uint8_t first = trace_side_first(trace);
	const struct trace_spot *full = &trace->spots[LANE_SIDE][0], *spot = full->seen.reply == REPLY_ARRIVED || !first ? full : &trace->spots[LANE_SIDE][first];

	if (final->seen.reply == REPLY_OPEN)
		return final->reply_ttl;
	return spot->seen.reply == REPLY_ARRIVED ? spot->reply_ttl : 0;
}

/* The hop behind which the SYN does not come. */
static uint8_t dies_after(const struct path_trace *trace, const struct trace_spot *final)
{
	uint8_t first = trace_state_first(trace);

	return first && !final->is_icmp ? first - 1 : trace_state_heard(trace, LANE_MAIN, first ? first : PATH_HOPS_MAX + 1);
}

/* The host may be as near as a hop before that did not answer: a mute router, or lost probes. */
static void tell_distance(struct path_trace *trace, uint8_t distance)
{
	uint8_t before = distance ? distance - 1 : 0;

	trace->path.host_ttl = distance;
	trace->path.host_at_most = before && trace->spots[LANE_MAIN][before].seen.reply == REPLY_NONE && trace->spots[LANE_SIDE][before].seen.reply == REPLY_NONE;
}

static void judge_final(struct path_trace *trace, const struct trace_spot *final)
{
	const struct ending *ending = &endings[final->seen.reply];
	struct trace_path *path = &trace->path;
	uint8_t first = trace_state_first(trace);

	path->finding = ending->finding;
	path->proof = ending->proof;
	path->rtt_us = final->seen.rtt_us;
	path->is_icmp = final->is_icmp;
	path->icmp_type = final->icmp_type;
	path->icmp_code = final->icmp_code;
	path->error = final->error;
	path->reply_ttl = reply_ttl_of_host(trace, final);
	path->by = ending->by_target ? trace->options.target : ending->by_speaker ? final->seen.address : nobody(trace);
	if (path->finding != TRACE_OPEN && path->finding != TRACE_LOCAL_ERROR)
		path->dies_after = dies_after(trace, final);
	if (final->seen.reply == REPLY_REFUSED) {
		path->rst_ttl = final->reply_ttl;
		judge_rst(trace);
	}
	tell_distance(trace, path->finding == TRACE_OPEN ? first : side_distance(trace));
}

/* The one that sends packets back, by any hop at which it speaks. */
static void judge_loop(struct path_trace *trace, const struct trace_cycle *cycle)
{
	uint8_t back = (uint8_t)(cycle->first + cycle->period - 1);

	trace->path.finding = TRACE_LOOP;
	trace->path.dies_after = back;
	for (unsigned ttl = back; ttl <= trace->options.max_hops; ttl += cycle->period) {
		const struct path_hop *hop = &trace->spots[LANE_MAIN][ttl].seen;

		if (hop->reply != REPLY_EXPIRED)
			continue;
		trace->path.by = hop->address;
		return;
	}
}

static void judge_silence(struct path_trace *trace)
{
	const struct trace_spot *full = &trace->spots[LANE_MAIN][0];
	struct trace_path *path = &trace->path;
	struct trace_cycle cycle;
	uint8_t heard = trace_state_heard(trace, LANE_MAIN, PATH_HOPS_MAX + 1);

	path->dies_after = heard;
	if (trace_state_loop(trace, &cycle) || trace_state_turn(trace, &cycle)) {
		judge_loop(trace, &cycle);
	} else if (full->seen.reply == REPLY_EXPIRED) {
		path->finding = TRACE_LOOP;
		path->by = full->seen.address;
		path->rtt_us = full->seen.rtt_us;
	} else {
		path->finding = path->partial ? TRACE_UNDECIDED : trace_side_further(trace, heard) ? TRACE_FILTERED : TRACE_SILENT;
		tell_distance(trace, side_distance(trace));
	}
}

void trace_verdict_fill(struct path_trace *trace)
{
	const struct trace_spot *final = trace_state_final(trace);
	const struct trace_path *old = &trace->path;

	trace->path = (struct trace_path){
		.by = nobody(trace),
		.rtt_us = -1,
		.split = trace->options.split,
		.ran_out = trace->spots[LANE_MAIN][0].seen.reply == REPLY_EXPIRED,
		.partial = old->partial,
		.probes_sent = old->probes_sent,
		.retried = old->retried,
		.side_method = trace->options.side_method < 0 ? PROBE_METHOD_COUNT : (uint8_t)trace->options.side_method,
		.elapsed_us = trace->end_us - trace->begin_us,
	};
	fill_hops(trace);
	if (final)
		judge_final(trace, final);
	else
		judge_silence(trace);
}
