/* SPDX-License-Identifier: MIT */
/* What is missing and why, collected during a run, each sentence once with a count. */
#ifndef TCPTRIAGE_BASE_NOTICES_H
#define TCPTRIAGE_BASE_NOTICES_H

#include "tcptriage/base/arena.h"

/** struct notice - one sentence and how often it was said. */
struct notice {
	const char *text;
	uint64_t count;
};

/**
 * struct notices - the list. Zero-initialise with an arena; bounded at 64 different sentences, the rest is counted in @lost.
 */
struct notices {
	struct arena *arena;
	struct notice item[64];
	size_t count;
	uint64_t lost;
};

/** notices_add() - adds a sentence, or counts it when it stands already. */
void notices_add(struct notices *notices, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
