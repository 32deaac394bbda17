/* SPDX-License-Identifier: MIT */
/* Where a connection attempt dies: which hop limit to try next, and what the answers mean (RULES §5.3). A pure machine, driven like mtu_search.h.
 *
 * LANE_MAIN sends SYNs. LANE_SIDE sends probes of another protocol with the same hop limits, as far as they are needed to tell a filter from a dead path and a box in
 * between from the host. */
#ifndef TCPTRIAGE_TRACK_PATH_TRACE_H
#define TCPTRIAGE_TRACK_PATH_TRACE_H

#include "tcptriage/model/path.h"

/**
 * struct path_trace_options - @target. @max_hops: 1…64. @most: SYNs under way at once (1 for PROBER_SYN). @side_method: of LANE_SIDE, −1 none. @side_burst, @side_per_s: as
 * answers_burst and answers_per_s in struct mtu_search_options. @split: SYNs come from a port each. @sees_ttl: LANE_MAIN tells the hop limit of answers.
 */
struct path_trace_options {
	struct addr target;
	uint8_t max_hops;
	unsigned most, side_burst;
	int side_method;
	double side_per_s;
	bool split, sees_ttl;
};

struct path_trace;

/** path_trace_new() - begin at CLOCK_MONOTONIC @now_us. Return: to be released by path_trace_free(). */
struct path_trace *path_trace_new(const struct path_trace_options *options, int64_t now_us);
/** path_trace_step(), path_trace_outcome(), path_trace_stop(), path_trace_path(), path_trace_free() - as in mtu_search.h. */
enum probe_step path_trace_step(struct path_trace *trace, int64_t now_us, struct probe_request *request, int64_t *wake_us);
void path_trace_outcome(struct path_trace *trace, const struct probe_outcome *outcome, int64_t now_us);
void path_trace_stop(struct path_trace *trace, int64_t now_us);
const struct trace_path *path_trace_path(const struct path_trace *trace);
void path_trace_free(struct path_trace *trace);

#endif
