/* SPDX-License-Identifier: MIT */
/* Tab-separated fields, written and read. */
#include "collect/table.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tcptriage/base/num.h"

#define READER_BYTES (64 * 1024)

static void separate(struct out *out)
{
	if (out->at > out->base && out->at[-1] != '\n')
		out_char(out, '\t');
}

void table_text(struct out *out, const char *text)
{
	separate(out);
	if (!*text)
		out_char(out, '-');
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c > ' ' && c < 0x7f && c != '\\' && (c != '-' || text[1])) {
			out_char(out, *p);
			continue;
		}
		out_lit(out, "\\x");
		out_char(out, "0123456789abcdef"[c >> 4]);
		out_char(out, "0123456789abcdef"[c & 15]);
	}
}

void table_u64(struct out *out, uint64_t value)
{
	separate(out);
	out_u64(out, value);
}

void table_end(struct out *out)
{
	out_char(out, '\n');
}

void table_open(struct table_reader *reader, int fd)
{
	*reader = (struct table_reader){ .fd = fd, .buf = xmalloc(READER_BYTES) };
}

void table_close(struct table_reader *reader)
{
	free(reader->buf);
	reader->buf = NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. A NUL inside would end the field early: nobody wrote one. */
static bool unescape(char *text)
{
	char *out = text;

	if (!strcmp(text, "-")) {
		*text = '\0';
		return true;
	}
	for (; *text; text++) {
		int high, low;

		if (*text != '\\') {
			*out++ = *text;
			continue;
		}
		if (text[1] != 'x' || (high = hex_digit(text[2])) < 0 ||
		    (low = hex_digit(text[3])) < 0 || !(high | low))
			return false;
		*out++ = (char)(high << 4 | low);
		text += 3;
	}
	*out = '\0';
	return true;
}

static bool split(struct table_reader *reader, char *line, size_t len)
{
	if (memchr(line, '\0', len))
		return false;
	for (reader->fields = 0; line; reader->fields++) {
		char *tab = strchr(line, '\t');

		if (reader->fields == TABLE_FIELDS_MAX)
			return false;
		if (tab)
			*tab++ = '\0';
		if (!unescape(line))
			return false;
		reader->field[reader->fields] = line;
		line = tab;
	}
	return true;
}

/* Moves what is left to the front and reads more behind it. Return: false when nothing came. */
static bool refill(struct table_reader *reader)
{
	ssize_t n;

	memmove(reader->buf, reader->buf + reader->at, reader->len - reader->at);
	reader->len -= reader->at;
	reader->at = 0;
	if (reader->len == READER_BYTES)
		return false;
	do
		n = read(reader->fd, reader->buf + reader->len, READER_BYTES - reader->len);
	while (n < 0 && errno == EINTR);
	reader->len += (size_t)MAX(n, 0);
	return n > 0;
}

bool table_next(struct table_reader *reader)
{
	for (bool skipping = false;;) {
		char *line = reader->buf + reader->at;
		char *end = memchr(line, '\n', reader->len - reader->at);

		if (end) {
			*end = '\0';
			reader->at = (size_t)(end - reader->buf) + 1;
			if (!skipping && split(reader, line, (size_t)(end - line)))
				return true;
			reader->odd++;
			skipping = false;
		} else if (!refill(reader)) {
			if (reader->len == READER_BYTES) {
				skipping = true; /* a line longer than any that was written */
				reader->at = reader->len;
				continue;
			}
			reader->cut = reader->len > 0 || skipping;
			return false;
		}
	}
}

bool table_is(const struct table_reader *reader, const char *key, size_t fields)
{
	return reader->fields == fields && !strcmp(reader->field[0], key);
}

bool table_number(const struct table_reader *reader, size_t index, uint64_t max, uint64_t *out)
{
	return index < reader->fields && num_u64(reader->field[index], max, out);
}
