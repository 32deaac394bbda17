/* SPDX-License-Identifier: MIT */
/* The table of report formats, and the words of a status. */
#include "src/render/finding_formats.h"

const char *report_status_name(enum report_status status)
{
	static const char *const names[REPORT_STATUS_COUNT] = { "ok", "warning", "critical", "unknown" };

	return names[status];
}

report_render_fn *const report_renderers[FORMAT_COUNT] = {
	[FORMAT_TEXT] = report_text,
	[FORMAT_JSON] = report_json,
	[FORMAT_NDJSON] = report_ndjson,
};
