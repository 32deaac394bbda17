/* SPDX-License-Identifier: MIT */
/* The frame that every document shares: who made it, when, where, and what is missing. */
#include "tcptriage/render/document.h"

#include "config.h"
#include "src/render/json.h"

bool format_parse(const char *text, enum format *out)
{
	static const char *const names[FORMAT_COUNT] = { "text", "json", "ndjson" };

	for (unsigned i = 0; i < FORMAT_COUNT; i++)
		if (!strcmp(text, names[i])) {
			*out = (enum format)i;
			return true;
		}
	return false;
}

static void head_members(struct out *out, const struct document *doc)
{
	json_key(out, "", "schema");
	json_text(out, doc->schema);
	json_key(out, ",", "version");
	json_text(out, VERSION);
	json_key(out, ",", "generated_at");
	out_char(out, '"');
	out_time_utc(out, doc->generated_us);
	out_char(out, '"');
	json_key(out, ",", "host");
	json_text(out, doc->host);
	json_key(out, ",", "netns");
	json_text(out, doc->netns ? doc->netns : "");
}

static void count_member(struct out *out, const char *separator, const char *name, uint64_t count)
{
	out_str(out, separator);
	out_char(out, '"');
	out_str(out, name);
	out_lit(out, "\":");
	out_u64(out, count);
}

static void summary_member(struct out *out, const struct state_counts *counts)
{
	uint64_t total = 0;

	json_key(out, ",", "summary");
	if (!counts) {
		out_lit(out, "null");
		return;
	}
	out_lit(out, "{\"tcp\":{");
	for (unsigned i = 0; i < ARRAY_SIZE(sock_state_display_order); i++) {
		unsigned state = sock_state_display_order[i];
		uint64_t count = counts->tcp[ADDR_V4][state] + counts->tcp[ADDR_V6][state];

		count_member(out, i ? "," : "", sock_state_name(state), count);
		total += count;
	}
	count_member(out, ",", "total", total);
	out_lit(out, "},\"udp\":{");
	count_member(out, "", "total", counts->udp[ADDR_V4] + counts->udp[ADDR_V6]);
	out_lit(out, "}}");
}

static void notice_object(struct out *out, const char *separator, const char *text, uint64_t count)
{
	out_str(out, separator);
	json_key(out, "{", "text");
	json_text(out, text);
	json_key(out, ",", "count");
	out_u64(out, count);
	out_char(out, '}');
}

#define NOTICES_LOST "further notices are left out"

static void tail_members(struct out *out, const struct document *doc)
{
	const struct notices *notices = doc->notices;

	json_key(out, ",", "complete");
	json_bool(out, doc->complete);
	json_key(out, ",", "notices");
	out_char(out, '[');
	for (size_t i = 0; notices && i < notices->count; i++)
		notice_object(out, i ? "," : "", notices->item[i].text, notices->item[i].count);
	if (notices && notices->lost)
		notice_object(out, ",", NOTICES_LOST, notices->lost);
	out_char(out, ']');
}

void document_json_open(struct out *out, const struct document *doc)
{
	out_char(out, '{');
	head_members(out, doc);
}

void document_json_close(struct out *out, const struct document *doc,
			 const struct state_counts *counts)
{
	summary_member(out, counts);
	tail_members(out, doc);
	out_lit(out, "}\n");
}

void document_ndjson_header(struct out *out, const struct document *doc)
{
	out_lit(out, "{\"type\":\"header\",");
	head_members(out, doc);
	out_lit(out, "}\n");
}

void document_ndjson_summary(struct out *out, const struct document *doc,
			     const struct state_counts *counts)
{
	out_lit(out, "{\"type\":\"summary\"");
	document_json_close(out, doc, counts);
}

static void notice_line(struct out *out, const char *text, uint64_t count)
{
	out_lit(out, "tcptriage: ");
	out_escaped(out, text, strlen(text));
	if (count > 1)
		out_printf(out, " (%llu times)", (unsigned long long)count);
	out_char(out, '\n');
}

void document_text_notices(struct out *out, const struct document *doc)
{
	const struct notices *notices = doc->notices;

	for (size_t i = 0; notices && i < notices->count; i++)
		notice_line(out, notices->item[i].text, notices->item[i].count);
	if (notices && notices->lost)
		notice_line(out, NOTICES_LOST, notices->lost);
	if (!doc->complete)
		notice_line(out, "the result is incomplete", 1);
}
