/* SPDX-License-Identifier: MIT */
/* Port headroom of outbound tuples. */
#include "tcptriage/triage/port_headroom.h"

#define US_PER_S 1e6
#define TIME_WAIT_S 60.0

/* How long a closed connection keeps its port: the reuse delay where tcp_tw_reuse speaks for this pair, else the whole TIME-WAIT. */
static double hold_s(const struct snapshot *snap, const struct tuple_group *g)
{
	return g->tw_reusable && g->tw_reusable == g->tw_past_delay ? snap->tw_reuse_delay_ms / 1e3 :
								       TIME_WAIT_S;
}

static double growth_per_s(const struct snapshot *snap, const struct tuple_group *g)
{
	int64_t span_us = snap->now_us - g->first_us;

	return span_us > 0 ? ((double)g->in_range - g->first_in_range) / ((double)span_us / US_PER_S) :
			     0;
}

bool headroom_of(const struct snapshot *snap, const struct tuple_group *g, struct headroom *out)
{
	uint32_t size = snap->ports.size - MIN(snap->ports.blocked, snap->ports.size);

	if (!g->outbound || !g->in_range || !size)
		return false;
	*out = (struct headroom){
		.group = g,
		.size = size,
		.used = g->in_range,
		.hard = g->in_range - MIN(g->tw_reusable, g->in_range),
		.arrivals_per_s = g->tw_recent / (SNAPSHOT_TW_RECENT_MS / 1e3),
		.growth_per_s = growth_per_s(snap, g),
		.tte_s = -1,
	};
	out->free = (int64_t)size - out->hard;
	out->pct = 100.0 * out->hard / size;
	out->steady = out->arrivals_per_s * hold_s(snap, g) / size;
	if (out->growth_per_s > 0)
		out->tte_s = (double)MAX(out->free, 0) / out->growth_per_s;
	return true;
}

size_t headroom_top(const struct snapshot *snap, struct headroom *out, size_t max)
{
	const struct tuple_group *group;
	struct headroom room;
	size_t count = 0, at;

	for (size_t i = 0; (group = snapshot_group(snap, i)); i++) {
		if (!headroom_of(snap, group, &room))
			continue;
		for (at = count; at > 0 && out[at - 1].hard < room.hard; at--) {
			if (at < max)
				out[at] = out[at - 1];
		}
		if (at < max)
			out[at] = room;
		count = MIN(count + 1, max);
	}
	return count;
}
