/* SPDX-License-Identifier: MIT */
/* What `mtu-probe` and `trace` print: one result an address, in each format. */
#ifndef TCPTRIAGE_RENDER_PROBES_H
#define TCPTRIAGE_RENDER_PROBES_H

#include "tcptriage/model/path.h"
#include "tcptriage/render/report.h"

/**
 * struct probe_result - one address with what the rules say of it. @mtu or @trace: the other is NULL. @findings: worst first, of this address only.
 */
struct probe_result {
	const struct mtu_result *mtu;
	const struct trace_result *trace;
	struct finding *const *findings;
	size_t finding_count;
};

/**
 * struct probe_report - all that is printed.
 * @doc, @style: frame and decoration. @target: as the user wrote it (text from outside). @port: 0 none. @verbose: every size and every doubt. @show_hops: --hops.
 * @print_from: findings below this confidence are left out unless @verbose.
 */
struct probe_report {
	const struct document *doc;
	const char *target;
	uint16_t port;
	const struct probe_result *results;
	size_t result_count;
	bool verbose, show_hops;
	double print_from;
	struct style style;
};

/** probe_render_fn - writes a whole document. */
typedef void probe_render_fn(struct out *out, const struct probe_report *report);
/** mtu_probe_renderers, trace_renderers - one a format; text ends with the notices; schemas tcptriage.mtu-probe/1 and tcptriage.trace/1. In NDJSON a result is {"type":"result",…}. */
extern probe_render_fn *const mtu_probe_renderers[FORMAT_COUNT];
extern probe_render_fn *const trace_renderers[FORMAT_COUNT];

/** mtu_probe_progress(), trace_progress() - one line for a terminal, without a line feed: what is known so far. */
void mtu_probe_progress(struct out *out, const struct addr *address, const struct mtu_path *path);
void trace_progress(struct out *out, const struct addr *address, const struct trace_path *path);

#endif
