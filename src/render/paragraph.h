/* SPDX-License-Identifier: MIT */
/* Paragraphs: words wrapped at a width with a hanging indent; a word is never cut. */
#ifndef TCPTRIAGE_RENDER_PARAGRAPH_H
#define TCPTRIAGE_RENDER_PARAGRAPH_H

#include "tcptriage/base/out.h"

/**
 * struct paragraph - a paragraph being written.
 * @width: columns of a line, 0 unlimited. @indent: of lines after the first. @column: where the next byte goes.
 * @fresh: nothing stands on the line yet but the indent.
 */
struct paragraph {
	struct out *out;
	size_t width, indent, column;
	bool fresh;
};

/** text_columns() - columns that @len bytes of UTF-8 take; a wide character counts as one. */
size_t text_columns(const char *text, size_t len);
/** paragraph_at() - a paragraph that begins at @column of the current line and goes on at @indent. */
struct paragraph paragraph_at(struct out *out, size_t width, size_t column, size_t indent);
/** paragraph_text() - words of @text, which is safe to print. */
void paragraph_text(struct paragraph *paragraph, const char *text);
/** paragraph_item() - @text, on a new line when it does not fit on this one; @separator stands before it unless it begins a line. */
void paragraph_item(struct paragraph *paragraph, const char *separator, const char *text);
/** paragraph_end() - ends the line. */
void paragraph_end(struct paragraph *paragraph);

#endif
