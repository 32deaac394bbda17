/* SPDX-License-Identifier: MIT */
/* Memory that lives as long as a run and is released at once. */
#ifndef TCPTRIAGE_BASE_ARENA_H
#define TCPTRIAGE_BASE_ARENA_H

#include "tcptriage/base/util.h"

struct arena_chunk;

/**
 * struct arena - a bump allocator. Zero-initialise, release with arena_free().
 * @chunks: newest chunk first; private.
 */
struct arena {
	struct arena_chunk *chunks;
};

/** arena_alloc() - @size zeroed bytes, aligned for any type; owned by the arena; never NULL. */
void *arena_alloc(struct arena *arena, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));
/** arena_strdup() - copy of @text, owned by the arena. */
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
/** arena_memdup() - copy of @len bytes followed by a NUL, owned by the arena. */
char *arena_memdup(struct arena *arena, const void *bytes, size_t len)
	__attribute__((returns_nonnull));
/** arena_printf() - formatted string, owned by the arena. */
char *arena_printf(struct arena *arena, const char *format, ...)
	PRINTF_LIKE(2, 3) __attribute__((returns_nonnull));
/** arena_join() - @arena takes over all that @from holds; addresses stay, @from is empty afterwards. */
void arena_join(struct arena *arena, struct arena *from);
/** arena_free() - releases everything; the arena may be used again. Fit for CLEANUP(). */
void arena_free(struct arena *arena);

#endif
