/* SPDX-License-Identifier: MIT */
/* Memory that cannot fail, and the one way to say that we erred. */
#include "tcptriage/base/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void bug_at(const char *file, int line, const char *function)
{
	fprintf(stderr, "tcptriage: internal error at %s:%d (%s); please report it\n", file, line,
		function);
	abort();
}

static void *check(void *ptr)
{
	if (UNLIKELY(!ptr)) {
		fputs("tcptriage: out of memory\n", stderr);
		abort();
	}
	return ptr;
}

void *xmalloc(size_t size)
{
	return check(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return check(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc_array(void *ptr, size_t count, size_t size)
{
	return check(reallocarray(ptr, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return check(strdup(text));
}

void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void free_ptr(void *ptr)
{
	void **where = ptr;

	free(*where);
	*where = NULL;
}

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t hash = hash_mix(seed, len);

	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		hash = hash_mix(hash, word);
	}
	if (len) {
		uint64_t word = 0;

		memcpy(&word, p, len);
		hash = hash_mix(hash, word);
	}
	return hash;
}
