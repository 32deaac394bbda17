/* SPDX-License-Identifier: MIT */
/* A report as one JSON document, and as a line for each finding. */
#include "src/render/finding_formats.h"
#include "src/render/json.h"

static void run_members(struct out *out, const struct report *report)
{
	json_key(out, ",", "duration_ms");
	json_ms(out, report->duration_us);
	json_key(out, ",", "samples");
	out_u64(out, report->samples);
}

static void rule_name(struct out *out, const char *rule)
{
	json_key(out, "{", "rule");
	json_text(out, rule);
}

static void skipped_array(struct out *out, const struct report *report)
{
	json_key(out, ",", "skipped_rules");
	out_char(out, '[');
	for (size_t i = 0; i < report->skipped_count; i++) {
		if (i)
			out_char(out, ',');
		rule_name(out, report->skipped[i].rule);
		json_key(out, ",", "reason");
		json_text(out, report->skipped[i].reason);
		out_str(out, report->skipped[i].partial ? ",\"partial\":true" : ",\"partial\":false");
		out_char(out, '}');
	}
	out_char(out, ']');
}

static void miss_array(struct out *out, const struct report *report)
{
	json_key(out, ",", "near_misses");
	out_char(out, '[');
	for (size_t i = 0; i < report->miss_count; i++) {
		const struct near_miss *miss = &report->misses[i];

		if (i)
			out_char(out, ',');
		rule_name(out, miss->rule);
		json_key(out, ",", "what");
		json_text(out, miss->what);
		json_key(out, ",", "value");
		out_number(out, miss->value);
		json_key(out, ",", "threshold");
		out_number(out, miss->threshold);
		json_key(out, ",", "unit");
		json_text(out, unit_name(miss->unit));
		out_char(out, '}');
	}
	out_char(out, ']');
}

void report_json_rules(struct out *out, const struct report *report)
{
	skipped_array(out, report);
	miss_array(out, report);
	json_key(out, ",", "status");
	json_text(out, report_status_name(report->status));
	json_key(out, ",", "rules_run");
	out_u64(out, report->rules_run);
}

/* What stands behind the findings. */
static void verdict_members(struct out *out, const struct report *report)
{
	report_json_rules(out, report);
	json_key(out, ",", "sockets");
	out_u64(out, report->sockets);
	json_key(out, ",", "namespaces");
	out_u64(out, report->namespaces);
	json_key(out, ",", "namespaces_not_looked_at");
	out_u64(out, report->others);
	json_key(out, ",", "tcp_info_of_all");
	json_bool(out, report->info_for_all);
	json_key(out, ",", "fast_sockets");
	out_u64(out, report->fast_sockets);
	json_key(out, ",", "fast_looks");
	out_u64(out, report->fast_looks);
	json_key(out, ",", "cost_ms");
	json_ms(out, report->cost_us);
	json_key(out, ",", "owner_cost_ms");
	json_ms(out, report->owner_cost_us);
}

void report_json_findings(struct out *out, const struct report *report, const char *gap)
{
	const char *separator = "";

	json_key(out, ",", "findings");
	out_char(out, '[');
	for (size_t i = 0; i < report->finding_count; i++) {
		if (!finding_visible(report, report->findings[i]))
			continue;
		out_str(out, separator);
		out_str(out, gap);
		finding_json(out, report->findings[i], "{");
		separator = ",";
	}
	out_str(out, gap);
	out_char(out, ']');
}

void report_ndjson_findings(struct out *out, const struct report *report)
{
	for (size_t i = 0; i < report->finding_count; i++) {
		if (!finding_visible(report, report->findings[i]))
			continue;
		finding_json(out, report->findings[i], "{\"type\":\"finding\",");
		out_char(out, '\n');
	}
}

void report_json(struct out *out, const struct report *report)
{
	document_json_open(out, report->doc);
	run_members(out, report);
	report_json_findings(out, report, "\n");
	verdict_members(out, report);
	document_json_close(out, report->doc, report->counts);
}

void report_ndjson(struct out *out, const struct report *report)
{
	document_ndjson_header(out, report->doc);
	report_ndjson_findings(out, report);
	out_lit(out, "{\"type\":\"summary\"");
	run_members(out, report);
	verdict_members(out, report);
	document_json_close(out, report->doc, report->counts);
}
