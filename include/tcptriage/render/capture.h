/* SPDX-License-Identifier: MIT */
/* What a capture showed: a line for each event as it happens; at the end findings, the flows that carry them, and how far it can be trusted. */
#ifndef TCPTRIAGE_RENDER_CAPTURE_H
#define TCPTRIAGE_RENDER_CAPTURE_H

#include "tcptriage/model/capture.h"
#include "tcptriage/render/report.h"

/**
 * struct capture_report - all that is printed at the end.
 * @report: findings, rules and notices; its doc, style and verbose hold for all of it. @source, @totals: of the capture. @flows: in order of first
 * sight. @owners: flow.owner is index + 1. @elapsed_us: how long reading took.
 */
struct capture_report {
	const struct report *report;
	const struct capture_source *source;
	const struct capture_totals *totals;
	const struct flow *const *flows;
	size_t flow_count;
	const struct flow_owner *owners;
	size_t owner_count;
	int64_t elapsed_us;
};

/** capture_render_fn - writes the end of a capture in one format. */
typedef void capture_render_fn(struct out *out, const struct capture_report *capture);
/** capture_renderers - one a format; text: findings with their flows, and the summary lines. */
extern capture_render_fn *const capture_renderers[FORMAT_COUNT];
/** capture_flows_text() - the table of --flows, all of them. */
void capture_flows_text(struct out *out, const struct capture_report *capture);
/** capture_summary_text() - packets, drops and what could not be read, as lines; for stderr beside --packets, and for SIGUSR1. Without a time of the first packet nothing was tracked: no span, no flows. */
void capture_summary_text(struct out *out, const struct capture_source *source, const struct capture_totals *totals);

/**
 * event_text() - one line: time, flow, what happened, owner. The @nth of a kind in a flow is told for 1 to 5 and then for each power of ten, so that
 * a storm does not bury the rest. @owner: NULL unknown.
 */
void event_text(struct out *out, const struct event *event, const struct flow_owner *owner, const struct style *style);
/** event_ndjson() - one object {"type":"event",…} and a line feed; every event. */
void event_ndjson(struct out *out, const struct event *event, const struct flow_owner *owner);
/** event_is_told() - event_text() writes something for it. */
bool event_is_told(const struct event *event);

#endif
