/* SPDX-License-Identifier: MIT */
/* The bytes of a capture file from a descriptor, unpacked where gzip or zstd packed them. Never seeks, so a pipe will do. */
#ifndef CAPTURE_STREAM_H
#define CAPTURE_STREAM_H

#include <stdio.h>
#include <sys/types.h>

#include "tcptriage/base/err.h"

struct unpack;

/**
 * struct stream - a window onto the bytes: [@begin, @end) of @buf are there and not consumed.
 * @name: for messages, borrowed. @unpack: NULL when the file is not packed. @error: the first failure, which stays; @why: its sentence.
 * @allowed: bytes that the FILE of stream_file() may take for now, 0 as many as it wants. @idle: called before a read that has to wait (a pipe),
 * NULL nothing; @idle_context: handed to it.
 */
struct stream {
	const char *name;
	struct unpack *unpack;
	uint8_t *buf;
	size_t size, begin, end, allowed;
	uint64_t consumed;
	int fd, error;
	bool ended;
	void (*idle)(void *context);
	void *idle_context;
	struct err why;
};

/** stream_open() - take over @fd; nothing is read. stream_close() it in any case. */
void stream_open(struct stream *stream, int fd, const char *name);
/** stream_unpack() - find out whether the bytes are packed, and unpack them from here on. Return: 0, -EINTR (ask again), -errno with stream->why. */
int stream_unpack(struct stream *stream);
/**
 * stream_peek() - the next @need bytes in one piece at @bytes, valid until the next call; nothing is consumed.
 * Return: bytes that are there: ≥ @need, fewer only at the end; -EINTR after a signal (nothing is lost, ask again); -errno with stream->why.
 */
ssize_t stream_peek(struct stream *stream, size_t need, const uint8_t **bytes);
/** stream_skip() - consume @len bytes that were peeked; they stay where they are until the next peek. */
void stream_skip(struct stream *stream, size_t len);
/**
 * stream_file() - the same bytes for those who want a FILE. Its reader cannot be interrupted by a signal; peek first, and set stream->allowed to
 * what was seen, so that it does not run ahead. The stream must outlive it. Return: NULL when memory is out.
 */
FILE *stream_file(struct stream *stream);
/** stream_close() - closes the descriptor, too, unless it is stdin. */
void stream_close(struct stream *stream);

#endif
