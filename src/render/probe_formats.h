/* SPDX-License-Identifier: MIT */
/* The functions behind mtu_probe_renderers[] and trace_renderers[], and the arithmetic that they share. */
#ifndef TCPTRIAGE_RENDER_PROBE_FORMATS_H
#define TCPTRIAGE_RENDER_PROBE_FORMATS_H

#include "tcptriage/render/probes.h"

/** mtu_probe_mss() - MSS of packets as large as the path MTU; 0 when that is not known, or too small to hold one byte. */
static inline uint32_t mtu_probe_mss(const struct mtu_result *result)
{
	unsigned headers = addr_tcp_headers(result->address.family);

	uint32_t there = result->path.path_mtu > headers ? result->path.path_mtu - headers : 0;
	bool is_back_narrow = result->reverse.finding == REVERSE_BLACK_HOLE && result->reverse.largest_mss;

	return is_back_narrow ? MIN(there, result->reverse.largest_mss) : there;
}

probe_render_fn mtu_probe_text, mtu_probe_json, mtu_probe_ndjson;
probe_render_fn trace_text, trace_json, trace_ndjson;

#endif
