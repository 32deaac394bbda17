/* SPDX-License-Identifier: MIT */
/* An open-addressing table of textual keys, at most half full. */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

static struct tally_line *slot(struct tally_line *lines, size_t cap, uint64_t hash, const char *key,
			       size_t len)
{
	for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1)) {
		struct tally_line *line = &lines[i];

		if (!line->key)
			return line;
		if (line->hash == hash && !strncmp(line->key, key, len) && !line->key[len])
			return line;
	}
}

static void grow(struct tally *tally)
{
	size_t cap = tally->cap ? tally->cap * 2 : 256;
	struct tally_line *lines = xcalloc(cap, sizeof(*lines));

	for (size_t i = 0; i < tally->cap; i++) {
		struct tally_line *old = &tally->lines[i];

		if (old->key)
			*slot(lines, cap, old->hash, old->key, strlen(old->key)) = *old;
	}
	free(tally->lines);
	tally->lines = lines;
	tally->cap = cap;
}

void tally_add(struct tally *tally, const char *key, size_t len, uint64_t recv_q, uint64_t send_q)
{
	uint64_t hash = hash_bytes(0, key, len);
	struct tally_line *line;

	if (tally->count * 2 >= tally->cap)
		grow(tally);
	line = slot(tally->lines, tally->cap, hash, key, len);
	if (!line->key) {
		if (tally->count == TALLY_MAX) {
			tally->lost++;
			return;
		}
		line->key = xmalloc(len + 1);
		memcpy(line->key, key, len);
		line->key[len] = '\0';
		line->hash = hash;
		tally->count++;
	}
	line->count++;
	line->recv_q += recv_q;
	line->send_q += send_q;
}

static int compare(const void *a, const void *b)
{
	const struct tally_line *x = a, *y = b;

	if (!x->key || !y->key)
		return !x->key - !y->key;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->key, y->key);
}

void tally_sort(struct tally *tally)
{
	if (tally->cap)
		qsort(tally->lines, tally->cap, sizeof(*tally->lines), compare);
}

const struct tally_line *tally_top(const struct tally *tally)
{
	const struct tally_line *top = NULL;

	for (size_t i = 0; i < tally->cap; i++)
		if (tally->lines[i].key && (!top || compare(&tally->lines[i], top) < 0))
			top = &tally->lines[i];
	return top;
}

void tally_free(struct tally *tally)
{
	for (size_t i = 0; i < tally->cap; i++)
		free(tally->lines[i].key);
	free(tally->lines);
	*tally = (struct tally){ 0 };
}
