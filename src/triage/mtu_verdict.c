/* SPDX-License-Identifier: MIT */
/* The decision table of a stuck sender, as data: one row a line of RULES §3.2. */
#include "mtu_verdict.h"

#include <string.h>

#define HOLE "mtu-blackhole-send"
#define DEAD "dead-peer-unacked"

static const struct row {
	uint8_t stuck, full_size, small_ok, head_dead, path_alive, told;
	struct mtu_verdict verdict;
} rows[] = {
	{ YES, YES, YES, YES, YES, NOT_YES, { MTU_BLACK_HOLE, 0.85, HOLE, NULL } },
	{ YES, YES, YES, YES, OPEN, NOT_YES, { MTU_BLACK_HOLE_OR_DEAD, 0.5, HOLE, DEAD } },
	{ YES, NOT_NO, YES, YES, NO, ANY, { MTU_DEAD_PEER, 0.7, DEAD, NULL } },
	{ YES, NO, ANY, ANY, ANY, ANY, { MTU_SMALL_STUCK, 0.9, DEAD, NULL } },
	{ YES, OPEN, YES, YES, YES, NOT_YES, { MTU_BLACK_HOLE, 0.75, HOLE, NULL } },
	{ YES, OPEN, YES, YES, OPEN, NOT_YES, { MTU_BLACK_HOLE_OR_DEAD, 0.5, HOLE, DEAD } },
	{ YES, YES, YES, NO, ANY, ANY, { MTU_PLAIN_LOSS, 0.9, "retrans-high", NULL } },
	{ NO, ANY, ANY, ANY, ANY, YES, { MTU_TOLD, 0.95, "pmtu-shrunk", NULL } },
	{ YES, YES, YES, YES, YES, YES, { MTU_IGNORED, 0.8, HOLE, NULL } },
	/* Nothing but the handshake ever passed: no reading of size, and nobody is heard. */
	{ YES, NOT_NO, NO, YES, NO, ANY, { MTU_DEAD_PEER, 0.7, DEAD, NULL } },
	{ YES, NOT_NO, NO, YES, OPEN, ANY, { MTU_DEAD_PEER, 0.5, DEAD, NULL } },
	/* The path has told its size before: a hole that nobody speaks of is unlikely. */
	{ YES, NOT_NO, YES, YES, OPEN, YES, { MTU_DEAD_PEER, 0.5, DEAD, NULL } },
};

static bool accepts(const struct row *row, const struct mtu_signs *s)
{
	return row->stuck >> s->stuck & 1 && row->full_size >> s->full_size & 1 &&
	       row->small_ok >> s->small_ok & 1 && row->head_dead >> s->head_dead & 1 &&
	       row->path_alive >> s->path_alive & 1 && row->told >> s->told & 1;
}

struct mtu_verdict mtu_verdict(const struct mtu_signs *signs)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (accepts(&rows[i], signs))
			return rows[i].verdict;
	}
	return (struct mtu_verdict){ .story = MTU_NO_VERDICT };
}

bool mtu_verdict_names(const struct mtu_verdict *verdict, const char *rule)
{
	return (verdict->rule && !strcmp(verdict->rule, rule)) ||
	       (verdict->rival && !strcmp(verdict->rival, rule));
}
