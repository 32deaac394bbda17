/* SPDX-License-Identifier: MIT */
/* The decision table of sockets that nobody closes, as data: one row a line of RULES §3.3. */
#include "leak_verdict.h"

#define UNDECIDED_WITHIN 0.15

static const struct row {
	uint8_t young, sends, lasts, pool_like, exhausts, damning;
	struct leak_verdict verdict;
} rows[] = {
	{ YES, ANY, ANY, ANY, ANY, ANY, { LEAK_TRANSIENT, LEAK_CERTAIN, 0.9, 0.1 } },
	{ ANY, YES, ANY, ANY, ANY, ANY, { LEAK_HALF_CLOSE, LEAK_CERTAIN, 0.9, 0.1 } },
	{ ANY, ANY, YES, ANY, ANY, ANY, { LEAK_CERTAIN, LEAK_POOL, 0.95, 0.1 } },
	{ ANY, ANY, NO, ANY, ANY, ANY, { LEAK_POOL, LEAK_CERTAIN, 0.9, 0.2 } },
	{ ANY, ANY, ANY, YES, YES, ANY, { LEAK_POOL, LEAK_CERTAIN, 0.88, 0.4 } },
	{ ANY, ANY, ANY, YES, ANY, ANY, { LEAK_POOL, LEAK_CERTAIN, 0.6, 0.4 } },
	{ ANY, ANY, ANY, ANY, YES, ANY, { LEAK_CERTAIN, LEAK_POOL, 0.88, 0.5 } },
	{ ANY, ANY, ANY, ANY, ANY, YES, { LEAK_CERTAIN, LEAK_POOL, 0.88, 0.4 } },
	{ ANY, ANY, ANY, ANY, ANY, ANY, { LEAK_CERTAIN, LEAK_POOL, 0.6, 0.5 } },
};

static bool accepts(const struct row *row, const struct leak_signs *s)
{
	return row->young >> s->young & 1 && row->sends >> s->sends & 1 &&
	       row->lasts >> s->lasts & 1 && row->pool_like >> s->pool_like & 1 &&
	       row->exhausts >> s->exhausts & 1 && row->damning >> s->damning & 1;
}

struct leak_verdict leak_verdict(const struct leak_signs *signs)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(rows) && !accepts(&rows[i], signs))
		i++;
	return rows[i].verdict;
}

bool leak_undecided(const struct leak_verdict *verdict)
{
	return verdict->confidence - verdict->rival_confidence <= UNDECIDED_WITHIN;
}
