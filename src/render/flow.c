/* SPDX-License-Identifier: MIT */
/* Wrapping of text for people. */
#include "src/render/flow.h"

size_t text_columns(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

struct flow flow_at(struct out *out, size_t width, size_t column, size_t indent)
{
	return (struct flow){
		.out = out, .width = width, .indent = indent, .column = column, .fresh = true
	};
}

static void new_line(struct flow *flow)
{
	out_char(flow->out, '\n');
	out_spaces(flow->out, flow->indent);
	flow->column = flow->indent;
	flow->fresh = true;
}

static bool fits(const struct flow *flow, size_t columns)
{
	return !flow->width || flow->column + columns <= flow->width;
}

static void put(struct flow *flow, const char *text, size_t len)
{
	out_mem(flow->out, text, len);
	flow->column += text_columns(text, len);
}

static void put_word(struct flow *flow, const char *word, size_t len)
{
	if (!flow->fresh && !fits(flow, 1 + text_columns(word, len)))
		new_line(flow);
	if (!flow->fresh)
		put(flow, " ", 1);
	put(flow, word, len);
	flow->fresh = false;
}

void flow_text(struct flow *flow, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (len)
			put_word(flow, text, len);
		text += len + strspn(text + len, " ");
	}
}

void flow_item(struct flow *flow, const char *separator, const char *text)
{
	size_t columns = text_columns(text, strlen(text));

	if (!flow->fresh && !fits(flow, text_columns(separator, strlen(separator)) + columns))
		new_line(flow);
	if (!flow->fresh)
		put(flow, separator, strlen(separator));
	if (fits(flow, columns)) {
		put(flow, text, strlen(text));
		flow->fresh = false;
	} else {
		flow_text(flow, text);
	}
}

void flow_end(struct flow *flow)
{
	out_char(flow->out, '\n');
}
