/* SPDX-License-Identifier: MIT */
/* Sentences, labelled lines, tables of hops and findings of probes, for people. */
#include "src/render/probe_text.h"

#include <assert.h>

#include "src/render/finding_formats.h"
#include "tcptriage/base/clock.h"

/* Lines below the first one: the label stands two columns in, what it names behind it. */
#define LABEL_INDENT 2
#define LABEL_COLUMNS 9
#define BODY_INDENT (LABEL_INDENT + LABEL_COLUMNS)
#define RTT_COLUMNS 7

static const char *const replies[] = {
	[REPLY_NONE] = "no answer",	 [REPLY_ARRIVED] = "arrived",		[REPLY_OPEN] = "SYN-ACK",	     [REPLY_REFUSED] = "RST",
	[REPLY_TOO_BIG] = "too big",	 [REPLY_EXPIRED] = "expired",		[REPLY_UNREACHABLE] = "unreachable", [REPLY_REJECTED] = "port unreachable",
	[REPLY_PROHIBITED] = "prohibited", [REPLY_LOCAL] = "not sent",
};
static_assert(ARRAY_SIZE(replies) == PROBE_REPLY_COUNT, "a word for every reply");

const char *probe_text_reply(unsigned reply)
{
	return reply < ARRAY_SIZE(replies) ? replies[reply] : "an unknown answer";
}

void probe_text_count(struct out *out, uint64_t count, const char *one, const char *many)
{
	out_u64(out, count);
	out_char(out, ' ');
	out_str(out, count == 1 ? one : many);
}

void probe_text_hop(struct out *out, unsigned ttl, const struct addr *address)
{
	if (!ttl) {
		out_lit(out, "this machine");
		return;
	}
	out_printf(out, "hop %u", ttl);
	if (addr_is_any(address))
		return;
	out_lit(out, " (");
	out_addr(out, address);
	out_char(out, ')');
}

struct report probe_findings_report(const struct probe_report *report, const struct probe_result *result)
{
	return (struct report){ .doc = report->doc,
				.findings = result->findings,
				.finding_count = result->finding_count,
				.verbose = report->verbose,
				.print_from = report->print_from,
				.style = report->style };
}

void probe_text_open(struct probe_text *text, struct out *out, const struct probe_report *report)
{
	*text = (struct probe_text){ .out = out, .report = report };
	out_open_mem(&text->item);
}

void probe_text_apart(struct probe_text *text)
{
	if (text->apart)
		out_char(text->out, '\n');
	text->apart = false;
}

void probe_text_close(struct probe_text *text)
{
	const struct report report = { .doc = text->report->doc, .style = text->report->style };

	if (report.doc->notices && report.doc->notices->count)
		probe_text_apart(text);
	report_text_notices(text->out, &report);
	out_close(&text->item);
}

void probe_text_name(struct probe_text *text, const char *name, const struct addr *address)
{
	char plain[ADDR_TEXT_MAX + 1];

	*addr_text(plain, address) = '\0';
	if (!name || !*name || !strcmp(name, plain))
		return;
	out_escaped(&text->item, name, strlen(name));
	out_char(&text->item, ' ');
}

void probe_text_verdict(struct probe_text *text, const struct probe_word *word)
{
	bool color = text->report->style.color && word->color;
	const char *head;
	size_t column;

	probe_text_apart(text);
	out_lit(&text->item, ": ");
	head = out_text(&text->item);
	out_str(text->out, head);
	if (color)
		out_str(text->out, word->color);
	out_str(text->out, word->text);
	if (color)
		out_lit(text->out, "\033[0m");
	column = text_columns(head, strlen(head)) + strlen(word->text);
	text->line = paragraph_at(text->out, text->report->style.width, column, LABEL_INDENT);
	text->line.fresh = false; /* words follow after a blank */
	out_clear(&text->item);
}

void probe_text_line(struct probe_text *text, const char *label)
{
	out_spaces(text->out, LABEL_INDENT);
	out_str(text->out, label);
	out_spaces(text->out, LABEL_COLUMNS - strlen(label));
	text->line = paragraph_at(text->out, text->report->style.width, BODY_INDENT, BODY_INDENT);
}

void probe_text_item(struct probe_text *text)
{
	paragraph_item(&text->line, " · ", out_text(&text->item));
	out_clear(&text->item);
}

void probe_text_words(struct probe_text *text)
{
	paragraph_text(&text->line, out_text(&text->item));
	out_clear(&text->item);
}

void probe_text_end(struct probe_text *text)
{
	paragraph_end(&text->line);
	text->apart = true;
}

void probe_text_partial(struct probe_text *text, bool is_partial)
{
	if (is_partial)
		paragraph_text(&text->line, "(so far: ended before it was complete)");
}

void probe_text_ignored(struct probe_text *text, uint64_t dropped)
{
	if (!dropped)
		return;
	probe_text_count(&text->item, dropped, "message", "messages");
	out_lit(&text->item, " ignored that did not speak of these probes");
	probe_text_item(text);
}

static void hop_address(struct out *out, const struct path_hop *hop)
{
	if (!addr_is_any(&hop->address))
		out_addr(out, &hop->address);
	else
		out_str(out, hop->reply == REPLY_NONE ? "*" : "?");
}

static size_t widest_address(const struct path_hop *hops, size_t count)
{
	size_t widest = 1;

	for (size_t i = 0; i < count; i++) {
		char plain[ADDR_TEXT_MAX];

		if (!addr_is_any(&hops[i].address))
			widest = MAX(widest, (size_t)(addr_text(plain, &hops[i].address) - plain));
	}
	return widest;
}

/* A cell of @columns, which µ does not shorten. */
static void pad(struct out *out, size_t start, size_t columns)
{
	size_t written = text_columns(out->base + start, out_len(out) - start);

	out_spaces(out, written < columns ? columns - written : 0);
}

static void trim(struct out *out)
{
	while (out_len(out) && out->at[-1] == ' ')
		out->at--;
}

static void hop_line(struct out *out, const struct path_hop *hop, size_t widest)
{
	size_t start;

	out_printf(out, "%2u  ", hop->ttl);
	start = out_len(out);
	hop_address(out, hop);
	pad(out, start, widest + 2);
	start = out_len(out);
	if (hop->rtt_us >= 0 && hop->reply != REPLY_NONE)
		out_duration(out, (uint64_t)hop->rtt_us);
	pad(out, start, RTT_COLUMNS + 2);
}

static size_t widest_cell(struct out *scratch, const struct path_hop *hops, size_t count, probe_text_hop_fn *cell, const void *context)
{
	size_t widest = 0;

	for (size_t i = 0; i < count; i++) {
		out_clear(scratch);
		cell(scratch, &hops[i], context);
		widest = MAX(widest, text_columns(scratch->base, out_len(scratch)));
	}
	out_clear(scratch);
	return widest ? widest + 2 : 0;
}

void probe_text_hops(struct probe_text *text, const struct path_hop *hops, size_t count, probe_text_hop_fn *answer, probe_text_hop_fn *beside, const void *context)
{
	size_t shown = MIN(count, (size_t)PATH_HOPS_MAX), widest = widest_address(hops, shown), columns = widest_cell(&text->item, hops, shown, answer, context);

	for (size_t i = 0; i < shown; i++) {
		size_t start;

		probe_text_line(text, i ? "" : "hops");
		hop_line(&text->item, &hops[i], widest);
		start = out_len(&text->item);
		answer(&text->item, &hops[i], context);
		pad(&text->item, start, columns);
		beside(&text->item, &hops[i], context);
		trim(&text->item);
		out_str(text->out, out_text(&text->item));
		out_clear(&text->item);
		probe_text_end(text);
	}
}

static bool any_visible(const struct report *report)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (finding_visible(report, report->findings[i]))
			return true;
	return false;
}

void probe_text_findings(struct probe_text *text, const struct probe_result *result)
{
	const struct report report = probe_findings_report(text->report, result);

	if (!any_visible(&report))
		return;
	probe_text_apart(text);
	report_text_findings(text->out, &report);
}
