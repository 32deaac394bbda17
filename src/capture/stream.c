/* SPDX-License-Identifier: MIT */
/* A window onto a file that only moves forward. */
#include "capture/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/unpack.h"

/* No larger, for all of the first window may turn out to be packed. */
#define WINDOW_BYTES UNPACK_INPUT_BYTES
/* Of the FILE, small enough to stay in the cache. */
#define FILE_BYTES (32 * 1024)

/* The first failure stays: what comes behind a hole cannot be told apart from what belongs there. */
static int fail(struct stream *s, int code)
{
	if (code != -EINTR)
		s->error = code;
	return code;
}

static void tell_idle(const struct stream *s)
{
	struct pollfd wait = { .fd = s->fd, .events = POLLIN };

	if (s->idle && !poll(&wait, 1, 0))
		s->idle(s->idle_context);
}

static ssize_t read_some(struct stream *s, uint8_t *out, size_t size)
{
	ssize_t n;

	if (s->error)
		return s->error;
	tell_idle(s);
	if (s->unpack) {
		n = unpack_read(s->unpack, out, size, &s->why);
		return n < 0 ? fail(s, (int)n) : n;
	}
	n = read(s->fd, out, size);
	if (n < 0)
		return fail(s, errno == EINTR ? -EINTR : err_errno(&s->why, -errno, "cannot read %s", s->name));
	return n;
}

static void make_room(struct stream *s, size_t need)
{
	size_t have = s->end - s->begin;

	if (s->size - s->begin >= need)
		return;
	if (need > s->size) {
		s->size = need + WINDOW_BYTES;
		s->buf = xrealloc_array(s->buf, s->size, 1);
	}
	memmove(s->buf, s->buf + s->begin, have);
	s->begin = 0;
	s->end = have;
}

ssize_t stream_peek(struct stream *s, size_t need, const uint8_t **bytes)
{
	while (s->end - s->begin < need && !s->ended) {
		ssize_t n;

		make_room(s, need);
		n = read_some(s, s->buf + s->end, s->size - s->end);
		if (n < 0)
			return n;
		s->ended = n == 0;
		s->end += (size_t)n;
	}
	*bytes = s->buf + s->begin;
	return (ssize_t)(s->end - s->begin);
}

void stream_skip(struct stream *s, size_t len)
{
	BUG_ON(len > s->end - s->begin);
	s->begin += len;
	s->consumed += len;
	/* at once, so that the next read fills the whole window */
	if (s->begin == s->end)
		s->begin = s->end = 0;
}

void stream_open(struct stream *s, int fd, const char *name)
{
	*s = (struct stream){ .name = name, .fd = fd, .size = WINDOW_BYTES, .buf = xmalloc(WINDOW_BYTES) };
}

int stream_unpack(struct stream *s)
{
	const struct unpack_format *format;
	const uint8_t *head;
	ssize_t n;
	int status;

	if (s->unpack)
		return 0;
	n = stream_peek(s, UNPACK_MAGIC_BYTES, &head);
	if (n < 0)
		return (int)n;
	format = unpack_recognise(head, (size_t)n);
	if (!format)
		return 0;
	status = unpack_open(&s->unpack, format, s->fd, s->name, head, (size_t)n, &s->why);
	s->begin = s->end = 0;
	s->ended = false;
	return status ? fail(s, status) : 0;
}

/* The callee of fread() cannot come back later, so a signal does not interrupt it. */
static ssize_t file_read(void *cookie, char *out, size_t size)
{
	struct stream *s = cookie;
	const uint8_t *bytes;
	ssize_t n;

	do
		n = stream_peek(s, 1, &bytes);
	while (n == -EINTR);
	if (n < 0) {
		errno = (int)-n;
		return -1;
	}
	n = (ssize_t)MIN((size_t)n, size);
	if (s->allowed) {
		n = (ssize_t)MIN((size_t)n, s->allowed);
		s->allowed -= (size_t)n;
	}
	memcpy(out, bytes, (size_t)n);
	stream_skip(s, (size_t)n);
	return n;
}

FILE *stream_file(struct stream *s)
{
	FILE *file = fopencookie(s, "r", (cookie_io_functions_t){ .read = file_read });

	if (file)
		setvbuf(file, NULL, _IOFBF, FILE_BYTES);
	return file;
}

void stream_close(struct stream *s)
{
	unpack_close(s->unpack);
	free(s->buf);
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	*s = (struct stream){ .fd = -1 };
}
