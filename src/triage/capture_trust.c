/* SPDX-License-Identifier: MIT */
/* How far a capture can be trusted, from what was counted over all of it. */
#include "capture_trust.h"

#include <assert.h>

typedef double measure_fn(const struct capture_source *source, const struct capture_totals *totals);

static double percent(uint64_t part, uint64_t all)
{
	return all ? MIN(100.0 * (double)part / (double)all, 100) : 0;
}

/* pcap_stats() counts what the kernel dropped in ps_recv on Linux; what the interface dropped never got there. */
static double drops(const struct capture_source *source, const struct capture_totals *totals)
{
	uint64_t all = MAX(source->received, totals->packets + source->dropped_kernel);

	if (!source->has_drops)
		return 0;
	return percent(source->dropped_kernel + source->dropped_interface, all + source->dropped_interface);
}

static double unseen(const struct capture_source *source, const struct capture_totals *totals)
{
	(void)source;
	return percent(totals->events[EVENT_CAPTURE_LOSS], totals->tcp);
}

static double one_way(const struct capture_source *source, const struct capture_totals *totals)
{
	(void)source;
	return percent(totals->flows_one_way, totals->flows);
}

static double headers_cut(const struct capture_source *source, const struct capture_totals *totals)
{
	(void)source;
	return percent(totals->status[DECODE_TRUNCATED], totals->packets);
}

static double clock_jumps(const struct capture_source *source, const struct capture_totals *totals)
{
	(void)source;
	return (double)totals->clock_jumps;
}

static double evicted(const struct capture_source *source, const struct capture_totals *totals)
{
	(void)source;
	return percent(totals->evicted, totals->flows);
}

static const struct {
	double limit, factor;
} flaws[] = {
#define CAPTURE_FLAW(id, name, unit, limit, factor, reason) [CAPTURE_FLAW_##id] = { limit, factor },
#include "capture_trust.def"
#undef CAPTURE_FLAW
};
static_assert(ARRAY_SIZE(flaws) == CAPTURE_FLAW_COUNT, "a row for every flaw");

static measure_fn *const measures[] = {
	[CAPTURE_FLAW_DROPS] = drops,	      [CAPTURE_FLAW_UNSEEN] = unseen,	    [CAPTURE_FLAW_ONE_WAY] = one_way,
	[CAPTURE_FLAW_CUT] = headers_cut, [CAPTURE_FLAW_CLOCK] = clock_jumps, [CAPTURE_FLAW_EVICTED] = evicted,
};
static_assert(ARRAY_SIZE(measures) == CAPTURE_FLAW_COUNT, "a measure for every flaw");

double capture_trust_measure(const struct capture_source *source, const struct capture_totals *totals, enum capture_flaw flaw)
{
	return measures[flaw](source, totals);
}

static bool counts(const struct capture_source *source, const struct capture_totals *totals, enum capture_flaw flaw)
{
	return capture_trust_measure(source, totals, flaw) >= flaws[flaw].limit;
}

double triage_capture_trust(const struct capture_source *source, const struct capture_totals *totals)
{
	double trust = 1;

	for (enum capture_flaw flaw = 0; flaw < CAPTURE_FLAW_COUNT; flaw++) {
		/* what was dropped is what was acknowledged unseen: it counts once */
		if (flaw == CAPTURE_FLAW_UNSEEN && counts(source, totals, CAPTURE_FLAW_DROPS))
			continue;
		if (counts(source, totals, flaw))
			trust *= flaws[flaw].factor;
	}
	return trust;
}
