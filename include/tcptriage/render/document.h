/* SPDX-License-Identifier: MIT */
/* What every document says about itself, whatever its format. */
#ifndef TCPTRIAGE_RENDER_DOCUMENT_H
#define TCPTRIAGE_RENDER_DOCUMENT_H

#include "tcptriage/base/clock.h"
#include "tcptriage/base/notices.h"
#include "tcptriage/model/socket.h"

/** enum format - how results are written. */
enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_NDJSON, FORMAT_COUNT };
/** format_parse() - "text", "json", "ndjson". Return: false when unknown. */
bool format_parse(const char *text, enum format *out);

/**
 * struct document - the frame around rows or findings.
 * @schema: "tcptriage.states/1". @generated_us: CLOCK_REALTIME. @host, @netns: text from outside; @netns "" is our own namespace.
 * @complete: nothing was interrupted, lost or cut. @notices: what is missing and why; NULL none.
 */
struct document {
	const char *schema, *host, *netns;
	int64_t generated_us;
	bool complete;
	const struct notices *notices;
};

/** struct state_counts - sockets by state, for the summary of states and report. */
struct state_counts {
	uint64_t tcp[ADDR_FAMILY_COUNT][SOCK_STATE_COUNT];
	uint64_t udp[ADDR_FAMILY_COUNT];
};

/** document_json_open() - '{' and the head members (schema, version, generated_at, host, netns), without a closing brace or trailing comma. */
void document_json_open(struct out *out, const struct document *doc);
/** document_json_close() - ',"summary":…' (null when @counts is NULL), ',"complete":…,"notices":[…]}' and a line feed. */
void document_json_close(struct out *out, const struct document *doc, const struct state_counts *counts);
/** document_ndjson_header() - the first line: {"type":"header",…}. */
void document_ndjson_header(struct out *out, const struct document *doc);
/** document_ndjson_summary() - the last line: {"type":"summary",…}. */
void document_ndjson_summary(struct out *out, const struct document *doc, const struct state_counts *counts);
/** document_text_notices() - one line a notice, with its count when above one, and a line when the result is incomplete; for stderr. */
void document_text_notices(struct out *out, const struct document *doc);

/**
 * struct style - how text is decorated.
 * @color: ANSI colours. @width: columns of the terminal, 0 unlimited.
 */
struct style {
	bool color;
	unsigned width;
};

#endif
