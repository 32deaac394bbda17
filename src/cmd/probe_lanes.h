/* SPDX-License-Identifier: MIT */
/* The two senders of a machine of track/: the one that asks the question, and one of another protocol beside it. */
#ifndef TCPTRIAGE_SRC_CMD_PROBE_LANES_H
#define TCPTRIAGE_SRC_CMD_PROBE_LANES_H

#include "probe_loop.h"
#include "tcptriage/probe/prober.h"

/** struct probe_lanes - @at: by enum probe_lane; NULL where there is none. */
struct probe_lanes {
	struct prober *at[LANE_COUNT];
};

/**
 * probe_lanes_open() - @side: NULL for none. Where it cannot be opened less is known, which is no failure. Return: 0 or -errno with @err of the main one. What
 * was opened is released by probe_lanes_close().
 */
int probe_lanes_open(struct probe_lanes *lanes, const struct prober_options *main, const struct prober_options *side, struct err *err);
/** probe_lanes_send() - by the lane that @request names. */
void probe_lanes_send(struct probe_lanes *lanes, const struct probe_request *request);
/** probe_lanes_next() - an outcome of either, without waiting. Return: false when there is none. */
bool probe_lanes_next(struct probe_lanes *lanes, int64_t now_us, struct probe_outcome *outcome);
/** probe_lanes_fds() - what to wait for. Return: how many. */
unsigned probe_lanes_fds(const struct probe_lanes *lanes, struct pollfd fds[PROBE_LOOP_FDS]);
/** probe_lanes_ignored() - messages that were not about our probes, or could not be read. */
uint64_t probe_lanes_ignored(const struct probe_lanes *lanes);
/** probe_lanes_close() - releases both; safe on a zeroed struct and twice. */
void probe_lanes_close(struct probe_lanes *lanes);

#endif
