/* SPDX-License-Identifier: MIT */
/* Stands in for what the next commits bring; gone with them. */
#include <errno.h>
#include "tcptriage/collect/source.h"
#include "tcptriage/render/report.h"

int record_write(struct source *live, const struct netns *list, unsigned count, const char *dir,
		 unsigned samples, int64_t interval_us, bool redact, struct err *err);
int record_write(struct source *live, const struct netns *list, unsigned count, const char *dir,
		 unsigned samples, int64_t interval_us, bool redact, struct err *err)
{
	(void)live, (void)list, (void)count, (void)dir, (void)samples, (void)interval_us, (void)redact;
	return err_set(err, -ENOSYS, "recording is not built yet");
}
int source_open_recorded(struct source **out, const char *dir, struct arena *arena,
			 struct notices *notices, struct err *err)
{
	(void)out, (void)dir, (void)arena, (void)notices;
	return err_set(err, -ENOSYS, "recordings are not built yet");
}
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
