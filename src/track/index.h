/* SPDX-License-Identifier: MIT */
/* A fixed open-addressed index from hashes to item numbers; the items live elsewhere. A slot carries half of the hash, so that a
 * search for what is not there seldom has to look at an item. */
#ifndef TCPTRIAGE_TRACK_INDEX_H
#define TCPTRIAGE_TRACK_INDEX_H

#include "tcptriage/base/util.h"

#define INDEX_NONE UINT32_MAX

/** struct index - @slot: 2^n of them, at least twice the number of items. @item1: item number + 1, 0 empty. */
struct index {
	struct index_slot {
		uint32_t tag, item1;
	} *slot;
	uint32_t mask;
};

/** index_init() - room for @items items. */
void index_init(struct index *index, size_t items);
/** index_clear() - forgets all items. */
void index_clear(struct index *index);
/** index_free() - releases the slots. */
void index_free(struct index *index);
/** index_insert() - @item under @hash; the caller keeps within the capacity. */
void index_insert(struct index *index, uint64_t hash, uint32_t item);

/**
 * index_next() - next item that may have @hash. @at: set to (uint32_t)@hash before the first call.
 * Return: an item number for the caller to compare, or INDEX_NONE at the end.
 */
static inline uint32_t index_next(const struct index *index, uint64_t hash, uint32_t *at)
{
	uint32_t tag = (uint32_t)(hash >> 32);

	for (;;) {
		const struct index_slot *slot = &index->slot[(*at)++ & index->mask];

		if (!slot->item1)
			return INDEX_NONE;
		if (slot->tag == tag)
			return slot->item1 - 1;
	}
}

#endif
