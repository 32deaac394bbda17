/* SPDX-License-Identifier: MIT */
/* A fixed open-addressed index from hashes to item numbers. */
#include "index.h"

#include <stdlib.h>
#include <string.h>

void index_init(struct index *index, size_t items)
{
	uint32_t slots = 16;

	while (slots < 2 * items)
		slots *= 2;
	index->slot = xcalloc(slots, sizeof(*index->slot));
	index->mask = slots - 1;
}

void index_clear(struct index *index)
{
	memset(index->slot, 0, ((size_t)index->mask + 1) * sizeof(*index->slot));
}

void index_free(struct index *index)
{
	free(index->slot);
	index->slot = NULL;
}

void index_insert(struct index *index, uint64_t hash, uint32_t item)
{
	uint32_t at = (uint32_t)hash;

	while (index->slot[at & index->mask].item1)
		at++;
	index->slot[at & index->mask] =
		(struct index_slot){ .tag = (uint32_t)(hash >> 32), .item1 = item + 1 };
}
