/* SPDX-License-Identifier: MIT */
/* Fast looks: a few candidates are asked for again and again between two samples, because what a rule wants to see of them lasts for
 * milliseconds. The rule gives what it sees a number; here it is only counted. */
#ifndef TCPTRIAGE_TRACK_BURST_H
#define TCPTRIAGE_TRACK_BURST_H

#include "tcptriage/track/snapshot.h"

/** Most candidates that are looked at fast, over all namespaces of a run: a round of looks has to be over before the next begins. */
#define SNAPSHOT_BURSTS 32

/**
 * struct burst - one candidate, looked at fast for one rule (its index).
 * @looks: answers got. @sights: of those in which the rule saw something. @turns: how many different things they were: one ends when the
 * rule sees nothing, or another number. @watched_us: time that the looks cover. @longest_us: longest time over which one thing was seen.
 * @gone: the socket was closed meanwhile. @mark, @mark_us, @last_us: of the look before; 0 none in this stretch.
 */
struct burst {
	const struct candidate *candidate;
	unsigned rule, looks, sights, turns;
	int64_t watched_us, longest_us;
	bool gone;
	uint64_t mark;
	int64_t mark_us, last_us;
};

/** snapshot_bursts_begin() - a new stretch of looks, behind a sample: what was seen in the one before is over. */
void snapshot_bursts_begin(struct snapshot *snap);
/**
 * snapshot_burst_add() - @candidate (of this snapshot) is looked at fast for the rule with index @rule, from now on; nothing changes when it
 * is already. @room: how many more may be, in this namespace or another; counted down, at first at most SNAPSHOT_BURSTS. One that finds none
 * is counted in snap->unlooked.
 */
void snapshot_burst_add(struct snapshot *snap, const struct candidate *candidate, unsigned rule,
			unsigned *room);
/** snapshot_burst() - the @index-th, NULL after the last. */
struct burst *snapshot_burst(const struct snapshot *snap, size_t index);
/** snapshot_burst_of() - that of @candidate for the rule with index @rule, NULL when there is none. */
const struct burst *snapshot_burst_of(const struct snapshot *snap, const struct candidate *candidate,
				      unsigned rule);
/** burst_look() - one look at CLOCK_MONOTONIC @now_us. @mark: what the rule saw, 0 nothing; the same number again is the same thing. */
void burst_look(struct burst *burst, uint64_t mark, int64_t now_us);

#endif
