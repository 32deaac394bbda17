/* SPDX-License-Identifier: MIT */
/* The table of row formats. */
#include "src/render/row_formats.h"

const struct row_renderer row_renderers[FORMAT_COUNT] = {
	[FORMAT_TEXT] = { rows_text_begin, rows_text_row, rows_text_end },
	[FORMAT_JSON] = { rows_json_begin, rows_json_row, rows_json_end },
	[FORMAT_NDJSON] = { rows_ndjson_begin, rows_ndjson_row, rows_ndjson_end },
};
