/* SPDX-License-Identifier: MIT */
/* The nearest right word, for the error message that offers it. */
#ifndef TCPTRIAGE_BASE_WORDS_H
#define TCPTRIAGE_BASE_WORDS_H

#include "tcptriage/base/util.h"

/**
 * words_distance() - edit distance (insert, delete, replace, swap of neighbours), case and '_' versus '-' ignored.
 * Return: the distance, capped at 99; words over 63 bytes are 99 apart.
 */
unsigned words_distance(const char *a, const char *b);

/**
 * struct words_nearest - a running search for the candidate nearest to @word.
 * Usage: set @word, call words_offer() for each candidate, read @best (NULL: none within a third of the word's length).
 */
struct words_nearest {
	const char *word;
	const char *best;
	unsigned distance;
};

/** words_offer() - considers @candidate (must outlive the search). */
void words_offer(struct words_nearest *search, const char *candidate);

/** struct words_hint - the end of an error message. */
struct words_hint {
	char text[96];
};

/** words_hint() - ": did you mean 'BEST'?", or "" when nothing was near enough. */
struct words_hint words_hint(const struct words_nearest *search);

#endif
