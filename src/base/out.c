/* SPDX-License-Identifier: MIT */
/* Buffered output with appenders cheap enough for a million rows. */
#include "tcptriage/base/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FD_BUFFER (256 * 1024)
#define MEM_BUFFER 1024

static void out_open(struct out *out, int fd, size_t bytes)
{
	char *base = xmalloc(bytes);

	*out = (struct out){ .base = base, .at = base, .end = base + bytes, .fd = fd };
}

void out_open_fd(struct out *out, int fd)
{
	out_open(out, fd, FD_BUFFER);
}

void out_open_mem(struct out *out)
{
	out_open(out, -1, MEM_BUFFER);
}

void out_close(struct out *out)
{
	out_flush(out);
	free(out->base);
	out->base = out->at = out->end = NULL;
}

int out_flush(struct out *out)
{
	const char *p = out->base;

	if (out->fd < 0)
		return 0;
	while (p < out->at && !out->error) {
		ssize_t n = write(out->fd, p, (size_t)(out->at - p));

		if (n < 0 && errno != EINTR)
			out->error = -errno;
		else if (n > 0)
			p += n;
	}
	out->at = out->base;
	return out->error;
}

const char *out_text(struct out *out)
{
	*out_need(out, 1) = '\0';
	return out->base;
}

void out_grow(struct out *out, size_t bytes)
{
	size_t len, cap;

	if (out->fd >= 0)
		out_flush(out);
	if ((size_t)(out->end - out->at) >= bytes)
		return;
	len = (size_t)(out->at - out->base);
	cap = (size_t)(out->end - out->base);
	while (cap - len < bytes) {
		BUG_ON(cap > SIZE_MAX / 2);
		cap *= 2;
	}
	out->base = xrealloc_array(out->base, cap, 1);
	out->at = out->base + len;
	out->end = out->base + cap;
}

static const char two_digits[] = "00010203040506070809"
				 "10111213141516171819"
				 "20212223242526272829"
				 "30313233343536373839"
				 "40414243444546474849"
				 "50515253545556575859"
				 "60616263646566676869"
				 "70717273747576777879"
				 "80818283848586878889"
				 "90919293949596979899";

static unsigned count_digits(uint64_t value)
{
	unsigned count = 1;

	for (;;) {
		if (value < 10)
			return count;
		if (value < 100)
			return count + 1;
		if (value < 1000)
			return count + 2;
		if (value < 10000)
			return count + 3;
		value /= 10000;
		count += 4;
	}
}

char *decimal_digits(char *at, uint64_t value)
{
	char *end = at + count_digits(value), *p = end;

	while (value >= 100) {
		p -= 2;
		memcpy(p, two_digits + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10)
		memcpy(p - 2, two_digits + value * 2, 2);
	else
		p[-1] = (char)('0' + value);
	return end;
}

void out_u64(struct out *out, uint64_t value)
{
	out->at = decimal_digits(out_need(out, 20), value);
}

void out_i64(struct out *out, int64_t value)
{
	if (value < 0) {
		out_char(out, '-');
		out_u64(out, -(uint64_t)value);
	} else {
		out_u64(out, (uint64_t)value);
	}
}

void out_hex(struct out *out, uint64_t value)
{
	char digits[16];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	while (n)
		out_char(out, digits[--n]);
}

void out_fixed(struct out *out, uint64_t value, unsigned decimals)
{
	uint64_t unit = 1;

	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	out_u64(out, value / unit);
	if (!decimals)
		return;
	out_char(out, '.');
	value %= unit;
	for (unit /= 10; unit; unit /= 10)
		out_char(out, (char)('0' + value / unit % 10));
}

void out_printf(struct out *out, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	BUG_ON(len < 0);
	vsnprintf(out_need(out, (size_t)len + 1), (size_t)len + 1, format, again);
	va_end(again);
	out->at += len;
}

void out_spaces(struct out *out, size_t count)
{
	memset(out_need(out, count), ' ', count);
	out->at += count;
}

void out_pad_to(struct out *out, size_t start, size_t width)
{
	size_t have = out_len(out) - start;

	if (have < width)
		out_spaces(out, width - have);
}

/* Length of the well-formed UTF-8 character at @p (RFC 3629 §4), 0 when there is none. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
	size_t need;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < need)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return need;
}

/* C1 controls (U+0080..U+009F) move cursors too; bidirectional overrides (U+202A..E, U+2066..9) reorder a line. */
static bool utf8_is_control(const unsigned char *p, size_t len)
{
	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	if (len == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	return len == 3 && p[0] == 0xe2 &&
	       ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
		(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

static void out_hex_byte(struct out *out, const char *prefix, unsigned char byte)
{
	out_str(out, prefix);
	out_char(out, "0123456789abcdef"[byte >> 4]);
	out_char(out, "0123456789abcdef"[byte & 15]);
}

void out_escaped(struct out *out, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	while (p < end) {
		size_t n = utf8_len(p, (size_t)(end - p));

		if (n && *p != '\\' && !utf8_is_control(p, n)) {
			out_mem(out, p, n);
			p += n;
		} else if (n == 1 && *p == '\\') {
			out_lit(out, "\\\\");
			p++;
		} else {
			for (size_t i = 0; i < (n ? n : 1); i++)
				out_hex_byte(out, "\\x", *p++);
		}
	}
}

void out_json(struct out *out, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	out_char(out, '"');
	while (p < end) {
		size_t n = utf8_len(p, (size_t)(end - p));

		if (n && *p != '"' && *p != '\\' && !utf8_is_control(p, n)) {
			out_mem(out, p, n);
			p += n;
		} else if (n == 1 && (*p == '"' || *p == '\\')) {
			out_char(out, '\\');
			out_char(out, (char)*p++);
		} else if (n == 3) {
			unsigned code = (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);

			out_printf(out, "\\u%04x", code);
			p += n;
		} else if (n == 2) {
			out_hex_byte(out, "\\u00", p[1]);
			p += n;
		} else {
			out_hex_byte(out, "\\u00", *p++);
		}
	}
	out_char(out, '"');
}
