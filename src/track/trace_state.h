/* SPDX-License-Identifier: MIT */
/* What a trace remembers of every hop limit, and the views of it that walking, asking beside it and judging share. */
#ifndef TRACK_TRACE_STATE_H
#define TRACK_TRACE_STATE_H

#include "tcptriage/track/path_trace.h"

/** A SYN's answer is waited for so long: the kernel sends it again after 1 s (RFC 6298 §2.1), and a second one would spoil the count. */
#define TRACE_WINDOW_US INT64_C(950000)
/** The last SYN with the full hop limit: a slow path, and a router's word that the host does not answer on its segment (3 s, RULES fact 8), are not silence. */
#define TRACE_LAST_US INT64_C(3200000)
/** A raw SYN is not repeated by the kernel: an answer that comes when the walk is long elsewhere still counts. */
#define TRACE_LATE_US INT64_C(3500000)
/** Routers send one ICMP message a second to one host: a silence is asked again so much later. */
#define TRACE_RETRY_US INT64_C(1050000)
/** A Linux router that has used up its messages pays two seconds for "unreachable" (net.ipv4.route.error_cost and icmp_ratelimit take from one account): so long nothing is sent
 * before the last SYN, or a probe a second would keep it silent for ever. */
#define TRACE_QUIET_US INT64_C(2100000)
/** Hops that may be silent behind the last that answers. */
#define TRACE_AHEAD 5
/** Packets in a second, both lanes: under the 50 that are promised, for the kernel ends what we open by packets of its own. */
#define TRACE_RATE 40
/** Probes in all: two lanes, each hop limit at most three times. */
#define TRACE_PROBES_MAX (LANE_COUNT * (PATH_HOPS_MAX + 1) * 3)
/** What trace_walk_next() and trace_side_next() say when nothing is to be sent. */
#define TRACE_NOTHING (-1)

/**
 * struct trace_spot - what probes with one hop limit have met with. @seen: as it is shown. @sent_us: the last of them; @quiet_us: from when on its silence counts.
 * @icmp_type, @icmp_code: when @is_icmp. @reply_ttl: 0 unknown. @error: positive errno of REPLY_LOCAL.
 */
struct trace_spot {
	struct path_hop seen;
	int64_t sent_us, quiet_us;
	uint8_t icmp_type, icmp_code, reply_ttl;
	bool is_icmp;
	int error;
};

/** struct trace_sent - the probe whose id is its index and one. @try: the how manieth with this hop limit. */
struct trace_sent {
	uint8_t lane, ttl, try;
	bool answered;
};

/**
 * struct path_trace - a trace under way. @spots: by lane and hop limit, 0 the full one. @recent_us: when the last probes went, a ring. @tokens: side probes that the
 * host will answer now. @locals: probes that this machine did not send although others went.
 */
struct path_trace {
	struct path_trace_options options;
	struct trace_spot spots[LANE_COUNT][PATH_HOPS_MAX + 1];
	struct trace_sent sent[TRACE_PROBES_MAX];
	int64_t recent_us[TRACE_RATE];
	int64_t begin_us, end_us, tokens_us;
	double tokens;
	unsigned locals;
	bool done;
	struct trace_path path;
};

/** struct trace_cycle - addresses that come again: @first hop limit of it, @period. */
struct trace_cycle {
	uint8_t first, period;
};

/** trace_state_waits() - a probe is under way and its silence does not count yet. */
bool trace_state_waits(const struct trace_spot *spot, int64_t now_us);
/** trace_state_silent() - it was asked and nothing came in time. */
bool trace_state_silent(const struct trace_spot *spot, int64_t now_us);
/** trace_state_is_final() - an answer after which a connection attempt is over. */
bool trace_state_is_final(const struct trace_spot *spot);
/** trace_state_final() - the answer that decides: to the full hop limit, else to the smallest other; NULL none yet. */
const struct trace_spot *trace_state_final(const struct path_trace *trace);
/** trace_state_first() - smallest hop limit of LANE_MAIN that brought a final answer, 0 none. */
uint8_t trace_state_first(const struct path_trace *trace);
/** trace_state_heard() - largest hop limit below @end at which a router said that it was reached, 0 none. */
uint8_t trace_state_heard(const struct path_trace *trace, enum probe_lane lane, uint8_t end);
/** trace_state_frontier() - hop limit behind the last router that LANE_MAIN reached; 0 when that is the last hop limit that is tried, or packets go round. */
uint8_t trace_state_frontier(const struct path_trace *trace);
/** trace_state_router() - hop limit at which LANE_MAIN was answered by the router @address, 0 none. */
uint8_t trace_state_router(const struct path_trace *trace, const struct addr *address);
/** trace_state_loop() - packets go round: is it proven? @cycle: filled when so. */
bool trace_state_loop(const struct path_trace *trace, struct trace_cycle *cycle);
/** trace_state_turn() - the full hop limit ran out and a router was met again: it is a loop, though more of it could be seen. @cycle: filled when so. */
bool trace_state_turn(const struct path_trace *trace, struct trace_cycle *cycle);
/** trace_state_end() - hop limit from which on SYNs have nothing more to tell; never 0. */
uint8_t trace_state_end(const struct path_trace *trace);

/** trace_walk_next() - hop limit of the SYN to send now (0 the full one), or TRACE_NOTHING; lowers *@wake_us to when that may change. */
int trace_walk_next(const struct path_trace *trace, int64_t now_us, int64_t *wake_us);
/** trace_walk_window() - how long the silence of a SYN with hop limit @ttl has to last before it counts. */
int64_t trace_walk_window(const struct path_trace *trace, uint8_t ttl);
/** trace_side_next() - the same of LANE_SIDE, as far as it is needed. */
int trace_side_next(const struct path_trace *trace, int64_t now_us, int64_t *wake_us);
/** trace_side_first() - smallest hop limit with which LANE_SIDE reached the host, 0 none. */
uint8_t trace_side_first(const struct path_trace *trace);
/** trace_side_further() - LANE_SIDE was answered by somebody behind the hop limit @ttl. */
bool trace_side_further(const struct path_trace *trace, uint8_t ttl);
/** trace_verdict_fill() - what is known now, into trace->path. */
void trace_verdict_fill(struct path_trace *trace);

#endif
