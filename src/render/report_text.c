/* SPDX-License-Identifier: MIT */
/* A report for people: findings worst first, what could not be judged, the verdict, and last what was sampled and what it cost. */
#include "src/render/finding_formats.h"
#include "src/render/paragraph.h"

#define LABEL_COLUMNS 12

static void label(struct out *out, const char *text)
{
	out_str(out, text);
	out_spaces(out, LABEL_COLUMNS - strlen(text));
}

static struct paragraph labelled(struct out *out, const struct report *report, const char *text)
{
	label(out, text);
	return paragraph_at(out, report->style.width, LABEL_COLUMNS, LABEL_COLUMNS);
}

/* The first of its reason speaks for all rules that were skipped for it. */
static bool reason_was_said(const struct report *report, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(report->skipped[i].reason, report->skipped[index].reason))
			return true;
	return false;
}

static void skipped_together(struct out *item, const struct report *report, size_t first)
{
	const char *separator = "";

	for (size_t i = first; i < report->skipped_count; i++) {
		if (strcmp(report->skipped[i].reason, report->skipped[first].reason))
			continue;
		out_str(item, separator);
		out_str(item, report->skipped[i].rule);
		separator = ", ";
	}
	out_lit(item, ": ");
	out_escaped(item, report->skipped[first].reason, strlen(report->skipped[first].reason));
}

/* @part: the rules that were judged, but for a part; else those that were not judged at all. */
static void skipped_lines(struct out *out, const struct report *report, bool part)
{
	const char *text = part ? "in part" : "not judged";
	struct out item;

	out_open_mem(&item);
	for (size_t i = 0; i < report->skipped_count; i++) {
		struct paragraph paragraph;

		if (report->skipped[i].partial != part || (!report->verbose && reason_was_said(report, i)))
			continue;
		out_clear(&item);
		if (report->verbose) {
			const char *reason = report->skipped[i].reason;

			out_str(&item, report->skipped[i].rule);
			out_lit(&item, ": ");
			out_escaped(&item, reason, strlen(reason));
		} else {
			skipped_together(&item, report, i);
		}
		paragraph = labelled(out, report, text);
		paragraph_text(&paragraph, out_text(&item));
		paragraph_end(&paragraph);
		text = "";
	}
	out_close(&item);
}

static void miss_lines(struct out *out, const struct report *report)
{
	const char *text = "near miss";

	for (size_t i = 0; report->verbose && i < report->miss_count; i++, text = "") {
		const struct near_miss *miss = &report->misses[i];

		label(out, text);
		out_str(out, miss->rule);
		out_lit(out, ": ");
		out_str(out, miss->what);
		out_char(out, ' ');
		out_value(out, miss->value, miss->unit);
		out_lit(out, " (threshold ");
		out_value(out, miss->threshold, miss->unit);
		out_lit(out, ")\n");
	}
}

static void notice_line(struct out *out, const struct report *report, const char *text,
			const struct notice *notice)
{
	struct paragraph paragraph = labelled(out, report, text);
	struct out item;

	out_open_mem(&item);
	out_escaped(&item, notice->text, strlen(notice->text));
	if (notice->count > 1)
		out_printf(&item, " (%llu times)", (unsigned long long)notice->count);
	paragraph_text(&paragraph, out_text(&item));
	paragraph_end(&paragraph);
	out_close(&item);
}

void report_text_notices(struct out *out, const struct report *report)
{
	const struct notices *notices = report->doc->notices;

	for (size_t i = 0; notices && i < notices->count; i++)
		notice_line(out, report, i ? "" : "note", &notices->item[i]);
	if (notices && notices->lost)
		notice_line(out, report, "",
			    &(struct notice){ "further notices are left out", notices->lost });
}

static void plural(struct out *out, uint64_t count, const char *one, const char *many)
{
	out_u64(out, count);
	out_char(out, ' ');
	out_str(out, count == 1 ? one : many);
}

/* "2 findings (1 critical, 1 info)"; symptoms that a cause explains are not counted again. */
static void finding_counts(struct out *out, const struct report *report)
{
	unsigned count[SEVERITY_COUNT] = { 0 }, total = 0;
	const char *separator = " (";

	for (size_t i = 0; i < report->finding_count; i++) {
		const struct finding *finding = report->findings[i];

		if (!finding_visible(report, finding) ||
		    (finding->parent && finding_visible(report, finding->parent)))
			continue;
		count[finding->severity]++;
		total++;
	}
	if (!total) {
		out_lit(out, "no findings");
		return;
	}
	plural(out, total, "finding", "findings");
	for (unsigned s = SEVERITY_COUNT; s--;) {
		if (!count[s])
			continue;
		out_str(out, separator);
		out_u64(out, count[s]);
		out_char(out, ' ');
		out_str(out, severity_name((enum severity)s));
		separator = ", ";
	}
	out_char(out, ')');
}

/* struct line - a line made of items with dots between, wrapped where the width ends. */
struct line {
	struct paragraph paragraph;
	struct out item;
};

static void line_open(struct line *line, struct out *out, const struct report *report)
{
	line->paragraph = paragraph_at(out, report->style.width, 0, 2);
	out_open_mem(&line->item);
}

/* What stands in line->item is the next item. */
static void line_item(struct line *line)
{
	paragraph_item(&line->paragraph, " · ", out_text(&line->item));
	out_clear(&line->item);
}

static void line_close(struct line *line)
{
	paragraph_end(&line->paragraph);
	out_close(&line->item);
}

static void verdict_line(struct out *out, const struct report *report)
{
	struct line line;

	line_open(&line, out, report);
	finding_counts(&line.item, report);
	out_lit(&line.item, " from ");
	plural(&line.item, report->rules_run, "rule that had its inputs", "rules that had their inputs");
	line_item(&line);
	if (report->status == REPORT_UNKNOWN) {
		out_lit(&line.item, "status unknown: not all that this report needs could be read");
		line_item(&line);
	}
	if (!report->doc->complete) {
		out_lit(&line.item, "incomplete");
		line_item(&line);
	}
	line_close(&line);
}

static void samples_item(struct out *out, const struct report *report)
{
	plural(out, report->samples, "sample", "samples");
	if (report->samples < 2)
		return;
	out_lit(out, " in ");
	out_fixed(out, ((uint64_t)MAX(report->duration_us, 0) + 50000) / 100000, 1);
	out_lit(out, " s");
}

static void cost_line(struct out *out, const struct report *report)
{
	struct line line;

	line_open(&line, out, report);
	samples_item(&line.item, report);
	line_item(&line);
	plural(&line.item, report->sockets, "socket", "sockets");
	out_lit(&line.item, " in ");
	plural(&line.item, report->namespaces, "namespace", "namespaces");
	line_item(&line);
	out_str(&line.item, report->info_for_all ? "tcp_info of all" :
						   "tcp_info of suspicious sockets only");
	line_item(&line);
	if (report->fast_sockets) {
		plural(&line.item, report->fast_sockets, "socket looked at ", "sockets looked at ");
		plural(&line.item, report->fast_looks, "time in between", "times in between");
		line_item(&line);
	}
	out_lit(&line.item, "read in ");
	out_duration(&line.item, (uint64_t)MAX(report->cost_us, 0));
	if (report->owner_cost_us > 0) {
		out_lit(&line.item, ", owners in ");
		out_duration(&line.item, (uint64_t)report->owner_cost_us);
	}
	line_item(&line);
	line_close(&line);
}

void report_text_findings(struct out *out, const struct report *report)
{
	for (size_t i = 0; i < report->finding_count; i++)
		finding_text(out, report, report->findings[i]);
}

void report_text_verdict(struct out *out, const struct report *report)
{
	verdict_line(out, report);
	skipped_lines(out, report, false);
	if (report->verbose)
		skipped_lines(out, report, true);
	miss_lines(out, report);
	report_text_notices(out, report);
}

void report_text(struct out *out, const struct report *report)
{
	report_text_findings(out, report);
	report_text_verdict(out, report);
	cost_line(out, report);
}
