/* SPDX-License-Identifier: MIT */
/* The one way to produce bytes: a buffered writer with fast appenders, onto a descriptor or into memory. */
#ifndef TCPTRIAGE_BASE_OUT_H
#define TCPTRIAGE_BASE_OUT_H

#include <string.h>

#include "tcptriage/base/util.h"

/**
 * struct out - a growing or flushing byte buffer.
 * @base: start of the buffer (owned). @at: next free byte. @end: one past the last.
 * @fd: where full buffers go; -1 keeps everything in memory.
 * @error: the first negative errno that a write gave, 0 so far fine; later output is dropped.
 */
struct out {
	char *base, *at, *end;
	int fd;
	int error;
};

/** out_open_fd() - a writer onto @fd (not owned) with a 256 KiB buffer. */
void out_open_fd(struct out *out, int fd);
/** out_open_mem() - a writer into memory; read it with out_text(). */
void out_open_mem(struct out *out);
/** out_close() - flushes and frees the buffer. Fit for CLEANUP(). */
void out_close(struct out *out);
/** out_flush() - writes what is buffered to the descriptor. Return: 0 or the first negative errno. */
int out_flush(struct out *out);
/** out_text() - NUL-terminated content of a memory writer; valid until the next append. */
const char *out_text(struct out *out);
/** out_len() - bytes now in the buffer. */
static inline size_t out_len(const struct out *out)
{
	return (size_t)(out->at - out->base);
}
/** out_clear() - forgets what is buffered. */
static inline void out_clear(struct out *out)
{
	out->at = out->base;
}
/** out_grow() - slow path of out_need(). */
void out_grow(struct out *out, size_t bytes);

/** out_need() - guarantees room for @bytes at out->at, so that a caller may fill it by hand and advance @at. */
static inline char *out_need(struct out *out, size_t bytes)
{
	if (UNLIKELY((size_t)(out->end - out->at) < bytes))
		out_grow(out, bytes);
	return out->at;
}

/** out_char() - appends one byte. */
static inline void out_char(struct out *out, char c)
{
	*out_need(out, 1) = c;
	out->at++;
}

/** out_mem() - appends @len bytes as they are. */
static inline void out_mem(struct out *out, const void *bytes, size_t len)
{
	memcpy(out_need(out, len), bytes, len);
	out->at += len;
}

/** out_str() - appends a trusted string as it is; text from outside goes through out_escaped() or out_json(). */
static inline void out_str(struct out *out, const char *text)
{
	out_mem(out, text, strlen(text));
}

/** out_lit() - appends a string literal; its length is known at compile time. */
#define out_lit(out, literal) out_mem((out), "" literal, sizeof(literal) - 1)

/** out_u64() - appends a decimal number. */
void out_u64(struct out *out, uint64_t value);
/** out_i64() - appends a signed decimal number. */
void out_i64(struct out *out, int64_t value);
/** out_hex() - appends lower-case hexadecimal without prefix or leading zeros. */
void out_hex(struct out *out, uint64_t value);
/** out_fixed() - appends @value / 10^@decimals with exactly @decimals digits after the point. */
void out_fixed(struct out *out, uint64_t value, unsigned decimals);
/** out_printf() - formatted append for cold paths. */
void out_printf(struct out *out, const char *format, ...) PRINTF_LIKE(2, 3);
/** out_spaces() - appends @count blanks. */
void out_spaces(struct out *out, size_t count);
/** out_pad_to() - appends blanks until @width bytes stand since offset @start (of out_len()). */
void out_pad_to(struct out *out, size_t start, size_t width);
/**
 * out_escaped() - appends text from outside for a terminal or a log: control bytes, DEL, quotes' escape character and bytes
 * that are not valid UTF-8 become \xNN; nothing of it can move a cursor or begin a line.
 */
void out_escaped(struct out *out, const char *text, size_t len);
/** out_json() - appends a JSON string with its quotes; bytes that are not valid UTF-8 become \u00NN. */
void out_json(struct out *out, const char *text, size_t len);

/** decimal_digits() - writes @value at @at without NUL. Return: one past the last digit (20 bytes suffice). */
char *decimal_digits(char *at, uint64_t value);

#endif
