/* SPDX-License-Identifier: MIT */
/* How many source ports are left towards one destination (RULES §3.1). */
#ifndef TCPTRIAGE_TRIAGE_PORT_HEADROOM_H
#define TCPTRIAGE_TRIAGE_PORT_HEADROOM_H

#include "tcptriage/track/snapshot.h"

/**
 * struct headroom - the supply of source ports for one (local address, peer address, peer port), assuming the system's range.
 * @size: ports of the range, neither reserved nor held by a listener or a bound-only socket. @used: taken by the group; @hard: of those
 * not reusable now. @free: size − hard, may fall below 0. @pct: hard in percent of @size.
 * @arrivals_per_s: connections a second that end in TIME-WAIT on this side. @steady: share of the range that TIME-WAIT alone will hold if
 * that rate lasts; 1 and more means exhaustion. @growth_per_s: of the used ports over the run. @tte_s: seconds to exhaustion, −1 not growing.
 */
struct headroom {
	const struct tuple_group *group;
	uint32_t size, used, hard;
	int64_t free;
	double pct, arrivals_per_s, steady, growth_per_s, tte_s;
};

/** headroom_of() - judge one group. Return: false when it is not outbound, uses no port of the range, or the range is unknown. */
bool headroom_of(const struct snapshot *snap, const struct tuple_group *group, struct headroom *out);
/** headroom_top() - the up to @max groups with the least room, fullest first. Return: how many. */
size_t headroom_top(const struct snapshot *snap, struct headroom *out, size_t max);

#endif
