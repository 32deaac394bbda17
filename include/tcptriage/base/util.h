/* SPDX-License-Identifier: MIT */
/* Macros, allocation that cannot fail, and cleanup attributes that every room uses. */
#ifndef TCPTRIAGE_BASE_UTIL_H
#define TCPTRIAGE_BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* An invariant of our own was broken: prints where and aborts, in release builds too. */
#define BUG() bug_at(__FILE__, __LINE__, __func__)
#define BUG_ON(cond)                                                                               \
	do {                                                                                       \
		if (UNLIKELY(cond))                                                                \
			BUG();                                                                     \
	} while (0)

/** bug_at() - report a broken invariant on stderr and abort. Use BUG() or BUG_ON(). */
_Noreturn void bug_at(const char *file, int line, const char *function);

/** xmalloc() - malloc() that aborts when memory is out. Caller frees. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
/** xcalloc() - zeroed array of @count members; aborts on overflow or out of memory. */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
/** xrealloc_array() - resize to @count members of @size; aborts on overflow or out of memory. */
void *xrealloc_array(void *ptr, size_t count, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));
/** xstrdup() - copy a string; caller frees. */
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull, warn_unused_result));

/** close_fd() - cleanup handler: closes *@fd unless it is negative. */
void close_fd(int *fd);
/** free_ptr() - cleanup handler: frees the pointer that @ptr points to. */
void free_ptr(void *ptr);
#define AUTO_FD CLEANUP(close_fd)
#define AUTO_FREE CLEANUP(free_ptr)

/** hash_u64() - a well mixed 64-bit hash of one word (Murmur3's finaliser). */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

/** hash_mix() - folds @word into the running hash @seed. */
static inline uint64_t hash_mix(uint64_t seed, uint64_t word)
{
	return hash_u64(seed ^ (word + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2)));
}

/** hash_bytes() - 64-bit hash of @len bytes; the same on every run, so it may name things. */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t len);

#endif
