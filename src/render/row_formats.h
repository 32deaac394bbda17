/* SPDX-License-Identifier: MIT */
/* The functions behind row_renderers[], and the socket object that other documents carry too. */
#ifndef TCPTRIAGE_RENDER_ROW_FORMATS_H
#define TCPTRIAGE_RENDER_ROW_FORMATS_H

#include "tcptriage/render/rows.h"

/* Text: header line, row, nothing at the end. */
void rows_text_begin(struct out *out, const struct row_options *options, const struct document *doc);
void rows_text_row(struct out *out, const struct row_options *options, const struct row *row, bool first);
void rows_text_end(struct out *out, const struct row_options *options, const struct document *doc,
		   const struct state_counts *counts);

/* JSON: one document whose array stands open between begin and end. */
void rows_json_begin(struct out *out, const struct row_options *options, const struct document *doc);
void rows_json_row(struct out *out, const struct row_options *options, const struct row *row, bool first);
void rows_json_end(struct out *out, const struct row_options *options, const struct document *doc,
		   const struct state_counts *counts);

/* NDJSON: an object a line. */
void rows_ndjson_begin(struct out *out, const struct row_options *options, const struct document *doc);
void rows_ndjson_row(struct out *out, const struct row_options *options, const struct row *row, bool first);
void rows_ndjson_end(struct out *out, const struct row_options *options, const struct document *doc,
		     const struct state_counts *counts);

/** socket_json() - one socket as a JSON object; @head: its first bytes, with the opening brace. */
void socket_json(struct out *out, const struct row *row, const char *head);

#endif
