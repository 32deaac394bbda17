/* SPDX-License-Identifier: MIT */
/* Fast looks, counted. The table is small and is made when the first socket enters it. */
#include "tcptriage/track/burst.h"

#include <stdlib.h>
#include <string.h>

#include "tables.h"

/** struct burst_table - the first @count are in use. */
struct burst_table {
	struct burst burst[SNAPSHOT_BURSTS];
	size_t count;
};

void bursts_free(struct burst_table *table)
{
	free(table);
}

void snapshot_bursts_begin(struct snapshot *snap)
{
	struct burst *burst;

	memset(snap->unlooked, 0, sizeof(snap->unlooked));
	for (size_t i = 0; (burst = snapshot_burst(snap, i)); i++) {
		burst->mark = 0;
		burst->last_us = 0;
	}
}

struct burst *snapshot_burst(const struct snapshot *snap, size_t index)
{
	struct burst_table *table = snap->bursts;

	return table && index < table->count ? &table->burst[index] : NULL;
}

const struct burst *snapshot_burst_of(const struct snapshot *snap, const struct candidate *candidate,
				      unsigned rule)
{
	const struct burst *burst;

	for (size_t i = 0; (burst = snapshot_burst(snap, i)); i++) {
		if (burst->candidate == candidate && burst->rule == rule)
			return burst;
	}
	return NULL;
}

void snapshot_burst_add(struct snapshot *snap, const struct candidate *candidate, unsigned rule,
			unsigned *room)
{
	if (snapshot_burst_of(snap, candidate, rule))
		return;
	if (!*room) {
		snap->unlooked[rule]++;
		return;
	}
	if (!snap->bursts)
		snap->bursts = xcalloc(1, sizeof(*snap->bursts));
	BUG_ON(snap->bursts->count == SNAPSHOT_BURSTS);
	snap->bursts->burst[snap->bursts->count++] =
		(struct burst){ .candidate = candidate, .rule = rule };
	--*room;
}

void burst_look(struct burst *burst, uint64_t mark, int64_t now_us)
{
	if (burst->last_us)
		burst->watched_us += now_us - burst->last_us;
	burst->last_us = now_us;
	burst->looks++;
	burst->sights += mark != 0;
	if (mark && mark != burst->mark) {
		burst->turns++;
		burst->mark_us = now_us;
	}
	if (mark)
		burst->longest_us = MAX(burst->longest_us, now_us - burst->mark_us);
	burst->mark = mark;
}
