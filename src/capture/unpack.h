/* SPDX-License-Identifier: MIT */
/* Unpacks gzip and zstd as far as this build has their libraries. */
#ifndef CAPTURE_UNPACK_H
#define CAPTURE_UNPACK_H

#include <sys/types.h>

#include "tcptriage/base/err.h"

/** Bytes that unpack_recognise() wants to see. */
#define UNPACK_MAGIC_BYTES 4

/** Read at once; most that unpack_open() takes. */
#define UNPACK_INPUT_BYTES (256 * 1024)

struct unpack_format;
struct unpack;

/** unpack_recognise() - the format whose magic stands at @bytes, NULL none. */
const struct unpack_format *unpack_recognise(const uint8_t *bytes, size_t len);
/**
 * unpack_open() - unpack @fd (borrowed), of which the first @len bytes (at most UNPACK_INPUT_BYTES) were read already into @head.
 * Return: 0, or -ENOTSUP with @err when this build lacks the library. @name: for messages, borrowed.
 */
int unpack_open(struct unpack **out, const struct unpack_format *format, int fd, const char *name, const uint8_t *head, size_t len, struct err *err);
/** unpack_read() - Return: bytes put into @out, 0 at the end, -EINTR, -EBADMSG with @err when the packed data is cut or broken, -errno with @err. */
ssize_t unpack_read(struct unpack *unpack, uint8_t *out, size_t size, struct err *err);
/** unpack_close() - NULL is fine. */
void unpack_close(struct unpack *unpack);

#endif
