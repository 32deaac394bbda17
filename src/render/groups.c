/* SPDX-License-Identifier: MIT */
/* Sockets counted by a key of the user's choice. */
#include "src/render/json.h"
#include "src/render/grid.h"
#include "tcptriage/render/report.h"

static void groups_text(struct out *out, const char *by, const struct group_line *lines, size_t count)
{
	const struct grid_column columns[] = {
		{ by, false }, { "SOCKETS", true }, { "RECV-Q", true }, { "SEND-Q", true }
	};
	struct grid grid;

	grid_open(&grid, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < count; i++) {
		grid_line(&grid);
		grid_text(&grid, lines[i].key);
		grid_count(&grid, lines[i].count);
		grid_count(&grid, lines[i].recv_q);
		grid_count(&grid, lines[i].send_q);
	}
	grid_print(&grid, out);
}

static void group_object(struct out *out, const struct group_line *line, const char *head)
{
	out_str(out, head);
	json_key(out, "", "key");
	json_text(out, line->key);
	json_key(out, ",", "count");
	out_u64(out, line->count);
	json_key(out, ",", "recv_q");
	out_u64(out, line->recv_q);
	json_key(out, ",", "send_q");
	out_u64(out, line->send_q);
	out_char(out, '}');
}

static void groups_json(struct out *out, const struct document *doc, const char *by,
			const struct group_line *lines, size_t count)
{
	document_json_open(out, doc);
	json_key(out, ",", "group_by");
	json_text(out, by);
	json_key(out, ",", "groups");
	out_char(out, '[');
	for (size_t i = 0; i < count; i++)
		group_object(out, &lines[i], i ? ",\n{" : "\n{");
	out_lit(out, "],\"sockets\":[]");
	document_json_close(out, doc, NULL);
}

static void groups_ndjson(struct out *out, const struct document *doc,
			  const struct group_line *lines, size_t count)
{
	document_ndjson_header(out, doc);
	for (size_t i = 0; i < count; i++) {
		group_object(out, &lines[i], "{\"type\":\"group\",");
		out_char(out, '\n');
	}
	document_ndjson_summary(out, doc, NULL);
}

void groups_render(struct out *out, const struct document *doc, const char *by,
		   const struct group_line *lines, size_t count, enum format format,
		   const struct style *style)
{
	(void)style;
	if (format == FORMAT_TEXT)
		groups_text(out, by, lines, count);
	else if (format == FORMAT_JSON)
		groups_json(out, doc, by, lines, count);
	else
		groups_ndjson(out, doc, lines, count);
}
