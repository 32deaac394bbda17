/* SPDX-License-Identifier: MIT */
/* The senders of a search or a trace, seen as one. */
#include "probe_lanes.h"

int probe_lanes_open(struct probe_lanes *lanes, const struct prober_options *main, const struct prober_options *side, struct err *err)
{
	int code = prober_open(&lanes->at[LANE_MAIN], main, err);

	if (!code && side && prober_open(&lanes->at[LANE_SIDE], side, NULL))
		lanes->at[LANE_SIDE] = NULL;
	return code;
}

void probe_lanes_send(struct probe_lanes *lanes, const struct probe_request *request)
{
	prober_send(lanes->at[request->lane], request);
}

bool probe_lanes_next(struct probe_lanes *lanes, int64_t now_us, struct probe_outcome *outcome)
{
	for (unsigned i = 0; i < LANE_COUNT; i++) {
		if (lanes->at[i] && prober_next(lanes->at[i], now_us, outcome))
			return true;
	}
	return false;
}

unsigned probe_lanes_fds(const struct probe_lanes *lanes, struct pollfd fds[PROBE_LOOP_FDS])
{
	unsigned count = 0;

	for (unsigned i = 0; i < LANE_COUNT; i++) {
		if (lanes->at[i])
			fds[count++] = (struct pollfd){ .fd = prober_fd(lanes->at[i]), .events = POLLIN };
	}
	return count;
}

uint64_t probe_lanes_ignored(const struct probe_lanes *lanes)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < LANE_COUNT; i++) {
		const struct prober_counts *counts = lanes->at[i] ? prober_counts(lanes->at[i]) : NULL;

		count += counts ? counts->dropped + counts->malformed : 0;
	}
	return count;
}

void probe_lanes_close(struct probe_lanes *lanes)
{
	for (unsigned i = 0; i < LANE_COUNT; i++) {
		prober_close(lanes->at[i]);
		lanes->at[i] = NULL;
	}
}
