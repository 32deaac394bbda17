/* SPDX-License-Identifier: MIT */
/* One finding, in the formats that carry it. */
#ifndef TCPTRIAGE_RENDER_FINDING_FORMATS_H
#define TCPTRIAGE_RENDER_FINDING_FORMATS_H

#include "tcptriage/render/report.h"

/** finding_visible() - the finding is sure enough to be printed. */
bool finding_visible(const struct report *report, const struct finding *finding);
/** finding_text() - a block of lines; nothing for a symptom whose cause is printed, unless verbose. */
void finding_text(struct out *out, const struct report *report, const struct finding *finding);
/** finding_json() - the object; @head: its first bytes, with the opening brace. */
void finding_json(struct out *out, const struct finding *finding, const char *head);

/** report_text_findings() - the blocks of all findings. */
void report_text_findings(struct out *out, const struct report *report);
/** report_text_verdict() - how many findings from how many rules, and with what was left out, near misses and notices. */
void report_text_verdict(struct out *out, const struct report *report);
/** report_text_notices() - what is missing and why: a line a notice, the first with a label. */
void report_text_notices(struct out *out, const struct report *report);
/** report_json_findings() - the member "findings", with its comma; @gap: "\n" for an object a line, "" for all on one. report_ndjson_findings() - an object a line, each with its type. */
void report_json_findings(struct out *out, const struct report *report, const char *gap);
void report_ndjson_findings(struct out *out, const struct report *report);
/** report_json_rules() - members that every judged document has: skipped_rules, near_misses, status, rules_run. */
void report_json_rules(struct out *out, const struct report *report);

/** report_text(), report_json(), report_ndjson() - the functions behind report_renderers[]. */
report_render_fn report_text, report_json, report_ndjson;

#endif
