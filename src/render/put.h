/* SPDX-License-Identifier: MIT */
/* Appenders for hot rows: the caller has reserved room with out_need(), each writes at @at and returns one past the last byte. */
#ifndef TCPTRIAGE_RENDER_PUT_H
#define TCPTRIAGE_RENDER_PUT_H

#include <string.h>

#include "tcptriage/base/out.h"

/** put_lit() - a string literal. */
#define put_lit(at, literal)                                                                       \
	((char *)memcpy((at), "" literal, sizeof(literal) - 1) + sizeof(literal) - 1)

/** put_mem() - @len bytes as they are. */
static inline char *put_mem(char *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

/** put_str() - a trusted string as it is. */
static inline char *put_str(char *at, const char *text)
{
	return put_mem(at, text, strlen(text));
}

/** put_u64() - a decimal number, up to 20 bytes; most numbers of a socket have one digit. */
static inline char *put_u64(char *at, uint64_t value)
{
	if (value < 10) {
		*at = (char)('0' + value);
		return at + 1;
	}
	return decimal_digits(at, value);
}

/** put_hex() - lower-case hexadecimal without leading zeros, up to 16 bytes. */
static inline char *put_hex(char *at, uint64_t value)
{
	unsigned nibbles = value ? (67u - (unsigned)__builtin_clzll(value)) / 4 : 1;

	for (unsigned i = nibbles; i--;)
		*at++ = "0123456789abcdef"[value >> i * 4 & 15];
	return at;
}

#endif
