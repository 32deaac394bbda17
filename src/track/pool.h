/* SPDX-License-Identifier: MIT */
/* A bounded array whose items never move: chunks are taken as they are used. */
#ifndef TCPTRIAGE_TRACK_POOL_H
#define TCPTRIAGE_TRACK_POOL_H

#include "tcptriage/base/util.h"

#define POOL_CHUNK 256
#define POOL_CHUNKS_MAX 64

/**
 * struct pool - up to @max (≤ POOL_CHUNK · POOL_CHUNKS_MAX) items of @size bytes. Zero-initialise but for these two.
 */
struct pool {
	size_t size, max, count;
	void *chunk[POOL_CHUNKS_MAX];
};

/** pool_add() - one zeroed item more, NULL when the pool is full. */
void *pool_add(struct pool *pool);
/** pool_at() - item @index, NULL past the end. */
static inline void *pool_at(const struct pool *pool, size_t index)
{
	if (index >= pool->count)
		return NULL;
	return (char *)pool->chunk[index / POOL_CHUNK] + index % POOL_CHUNK * pool->size;
}
/** pool_free() - releases the chunks. */
void pool_free(struct pool *pool);

#endif
