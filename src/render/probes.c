/* SPDX-License-Identifier: MIT */
/* The tables of formats in which probes are printed. */
#include "src/render/probe_formats.h"

probe_render_fn *const mtu_probe_renderers[FORMAT_COUNT] = {
	[FORMAT_TEXT] = mtu_probe_text,
	[FORMAT_JSON] = mtu_probe_json,
	[FORMAT_NDJSON] = mtu_probe_ndjson,
};

probe_render_fn *const trace_renderers[FORMAT_COUNT] = {
	[FORMAT_TEXT] = trace_text,
	[FORMAT_JSON] = trace_json,
	[FORMAT_NDJSON] = trace_ndjson,
};
