/* SPDX-License-Identifier: MIT */
/* Stands in for what the next commits bring; gone with them. */
#include "tcptriage/render/report.h"

static void none(struct out *out, const struct report *report)
{
	(void)out, (void)report;
}
report_render_fn *const report_renderers[FORMAT_COUNT] = { none, none, none };
const char *report_status_name(enum report_status status)
{
	(void)status;
	return "";
}
void summary_render(struct out *out, const struct summary *summary, enum format format)
{
	(void)out, (void)summary, (void)format;
}
void groups_render(struct out *out, const struct document *doc, const char *by,
		   const struct group_line *lines, size_t count, enum format format,
		   const struct style *style)
{
	(void)out, (void)doc, (void)by, (void)lines, (void)count, (void)format, (void)style;
}
