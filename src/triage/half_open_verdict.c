/* SPDX-License-Identifier: MIT */
/* The decision table of a half-open queue, as data: the first row that fits. */
#include "half_open_verdict.h"

#define NOT_NO (YES | OPEN)

#define FLOOD HALF_OPEN_FLOOD
#define UNFINISHED HALF_OPEN_UNFINISHED

static const struct row {
	uint8_t overflow, pressed, validated, spread, repeats, stalled, standing, deferred;
	struct half_open_verdict verdict;
} rows[] = {
	{ YES, ANY, ANY, ANY, ANY, ANY, ANY, ANY, { HALF_OPEN_ACCEPT_QUEUE, 0.9, 0, 0 } },
	/* clients that ask again are real, and they do not hear us */
	{ NOT_YES, ANY, ANY, ANY, YES, YES, ANY, ANY, { UNFINISHED, 0.85, 0, 0 } },
	{ NOT_YES, ANY, NOT_NO, ANY, ANY, NOT_YES, ANY, YES, { HALF_OPEN_DEFERRED, 0.85, 0, 0 } },
	/* cookies come back: a burst, unless what fills the queue stands and is somebody else */
	{ NOT_YES, YES, YES, YES, NO, ANY, YES, ANY, { FLOOD, 0.7, 0, 0 } },
	{ NOT_YES, YES, YES, YES, OPEN, YES, YES, ANY, { FLOOD, 0.55, UNFINISHED, 0.5 } },
	{ NOT_YES, YES, YES, ANY, NOT_YES, YES, YES, ANY, { UNFINISHED, 0.65, 0, 0 } },
	{ NOT_YES, YES, YES, ANY, NOT_YES, YES, NOT_YES, ANY, { UNFINISHED, 0.5, 0, 0 } },
	{ NOT_YES, YES, YES, ANY, ANY, ANY, ANY, ANY, { HALF_OPEN_BURST, 0.85, 0, 0 } },
	/* cookies do not come back */
	{ NOT_YES, YES, NO, ANY, YES, NOT_YES, ANY, ANY, { UNFINISHED, 0.6, 0, 0 } },
	{ NOT_YES, YES, NO, YES, NO, ANY, ANY, ANY, { FLOOD, 0.9, 0, 0 } },
	{ NOT_YES, YES, NO, YES, OPEN, YES, ANY, ANY, { FLOOD, 0.65, UNFINISHED, 0.55 } },
	{ NOT_YES, YES, NO, YES, OPEN, NOT_YES, ANY, ANY, { FLOOD, 0.75, 0, 0 } },
	{ NOT_YES, YES, NO, NOT_YES, NOT_YES, YES, ANY, ANY, { UNFINISHED, 0.6, FLOOD, 0.5 } },
	{ NOT_YES, YES, NO, NOT_YES, NOT_YES, NOT_YES, ANY, ANY, { FLOOD, 0.6, 0, 0 } },
	/* no cookies to tell, or some come back and many do not: a flood stands, a burst does not */
	{ NOT_YES, YES, OPEN, YES, NO, YES, YES, ANY, { FLOOD, 0.8, 0, 0 } },
	{ NOT_YES, YES, OPEN, YES, OPEN, YES, YES, ANY, { FLOOD, 0.6, UNFINISHED, 0.5 } },
	{ NOT_YES, YES, OPEN, NOT_YES, NOT_YES, YES, YES, ANY, { UNFINISHED, 0.6, FLOOD, 0.5 } },
	{ NOT_YES, YES, OPEN, ANY, NOT_YES, YES, NOT_YES, ANY, { UNFINISHED, 0.5, 0, 0 } },
	{ NOT_YES, YES, OPEN, YES, NOT_YES, NOT_YES, YES, ANY, { FLOOD, 0.6, 0, 0 } },
	{ NOT_YES, YES, OPEN, ANY, ANY, NOT_YES, ANY, ANY, { HALF_OPEN_BURST, 0.5, 0, 0 } },
	/* room in the queue: no flood; strangers that never answer are the background of the Internet */
	{ NOT_YES, NOT_YES, ANY, YES, NO, YES, ANY, ANY, { UNFINISHED, 0.5, 0, 0 } },
	{ NOT_YES, NOT_YES, ANY, YES, OPEN, YES, ANY, ANY, { UNFINISHED, 0.6, 0, 0 } },
	{ NOT_YES, NOT_YES, ANY, NOT_YES, NOT_YES, YES, ANY, ANY, { UNFINISHED, 0.7, 0, 0 } },
};

static bool accepts(const struct row *row, const struct half_open_signs *s)
{
	return row->overflow >> s->overflow & 1 && row->pressed >> s->pressed & 1 &&
	       row->validated >> s->validated & 1 && row->spread >> s->spread & 1 &&
	       row->repeats >> s->repeats & 1 && row->stalled >> s->stalled & 1 &&
	       row->standing >> s->standing & 1 && row->deferred >> s->deferred & 1;
}

struct half_open_verdict half_open_verdict(const struct half_open_signs *signs)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (accepts(&rows[i], signs))
			return rows[i].verdict;
	}
	return (struct half_open_verdict){ .story = HALF_OPEN_NOTHING };
}

double half_open_confidence(const struct half_open_verdict *verdict, enum half_open_story story)
{
	if (verdict->story == story)
		return verdict->confidence;
	return verdict->rival == story ? verdict->rival_confidence : 0;
}
