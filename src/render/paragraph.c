/* SPDX-License-Identifier: MIT */
/* Wrapping of text for people. */
#include "src/render/paragraph.h"

size_t text_columns(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

struct paragraph paragraph_at(struct out *out, size_t width, size_t column, size_t indent)
{
	return (struct paragraph){
		.out = out, .width = width, .indent = indent, .column = column, .fresh = true
	};
}

static void new_line(struct paragraph *paragraph)
{
	out_char(paragraph->out, '\n');
	out_spaces(paragraph->out, paragraph->indent);
	paragraph->column = paragraph->indent;
	paragraph->fresh = true;
}

static bool fits(const struct paragraph *paragraph, size_t columns)
{
	return !paragraph->width || paragraph->column + columns <= paragraph->width;
}

static void put(struct paragraph *paragraph, const char *text, size_t len)
{
	out_mem(paragraph->out, text, len);
	paragraph->column += text_columns(text, len);
}

static void put_word(struct paragraph *paragraph, const char *word, size_t len)
{
	if (!paragraph->fresh && !fits(paragraph, 1 + text_columns(word, len)))
		new_line(paragraph);
	if (!paragraph->fresh)
		put(paragraph, " ", 1);
	put(paragraph, word, len);
	paragraph->fresh = false;
}

void paragraph_text(struct paragraph *paragraph, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (len)
			put_word(paragraph, text, len);
		text += len + strspn(text + len, " ");
	}
}

void paragraph_item(struct paragraph *paragraph, const char *separator, const char *text)
{
	size_t columns = text_columns(text, strlen(text));

	if (!paragraph->fresh && !fits(paragraph, text_columns(separator, strlen(separator)) + columns))
		new_line(paragraph);
	if (!paragraph->fresh)
		put(paragraph, separator, strlen(separator));
	if (fits(paragraph, columns)) {
		put(paragraph, text, strlen(text));
		paragraph->fresh = false;
	} else {
		paragraph_text(paragraph, text);
	}
}

void paragraph_end(struct paragraph *paragraph)
{
	out_char(paragraph->out, '\n');
}
