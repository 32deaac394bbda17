/* SPDX-License-Identifier: MIT */
/* A bounded array in chunks. */
#include "pool.h"

#include <stdlib.h>

void *pool_add(struct pool *pool)
{
	size_t chunk = pool->count / POOL_CHUNK;

	if (pool->count >= pool->max)
		return NULL;
	if (!pool->chunk[chunk])
		pool->chunk[chunk] = xcalloc(POOL_CHUNK, pool->size);
	pool->count++;
	return pool_at(pool, pool->count - 1);
}

void pool_free(struct pool *pool)
{
	for (size_t i = 0; i < POOL_CHUNKS_MAX; i++) {
		free(pool->chunk[i]);
		pool->chunk[i] = NULL;
	}
	pool->count = 0;
}
