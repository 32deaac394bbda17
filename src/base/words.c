/* SPDX-License-Identifier: MIT */
/* Damerau-Levenshtein distance (optimal string alignment) on short words. */
#include "tcptriage/base/words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST 63

static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c | 0x20);
	return c == '_' ? '-' : c;
}

unsigned words_distance(const char *a, const char *b)
{
	unsigned char rows[3][LONGEST + 1];
	unsigned char *two_ago = rows[0], *last = rows[1], *row = rows[2], *spare;
	size_t la = strlen(a), lb = strlen(b);

	if (la > LONGEST || lb > LONGEST)
		return 99;
	for (size_t j = 0; j <= lb; j++)
		last[j] = (unsigned char)j;
	for (size_t i = 1; i <= la; i++) {
		row[0] = (unsigned char)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned cost = fold(a[i - 1]) != fold(b[j - 1]);
			unsigned best = MIN(last[j] + 1u, row[j - 1] + 1u);

			best = MIN(best, last[j - 1] + cost);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				best = MIN(best, two_ago[j - 2] + 1u);
			row[j] = (unsigned char)best;
		}
		spare = two_ago;
		two_ago = last;
		last = row;
		row = spare;
	}
	return last[lb];
}

void words_offer(struct words_nearest *search, const char *candidate)
{
	unsigned distance = words_distance(search->word, candidate);
	size_t len = strlen(search->word), near = strlen(candidate);
	bool begins = len >= 3 && len < near && !strncasecmp(search->word, candidate, len);

	if (begins)
		distance = 1;
	if (distance > (MAX(len, near) + 2) / 3 || (search->best && distance >= search->distance))
		return;
	search->best = candidate;
	search->distance = distance;
}

struct words_hint words_hint(const struct words_nearest *search)
{
	struct words_hint hint = { "" };

	if (search->best)
		snprintf(hint.text, sizeof(hint.text), ": did you mean '%s'?", search->best);
	return hint;
}
