/* SPDX-License-Identifier: MIT */
/* The table of summary formats. */
#include "src/render/summary_formats.h"

void summary_render(struct out *out, const struct summary *summary, enum format format)
{
	static void (*const renderers[FORMAT_COUNT])(struct out *, const struct summary *) = {
		[FORMAT_TEXT] = summary_text,
		[FORMAT_JSON] = summary_json,
		[FORMAT_NDJSON] = summary_ndjson,
	};

	renderers[format](out, summary);
}
