/* SPDX-License-Identifier: MIT */
/* The functions behind summary_render(). */
#ifndef TCPTRIAGE_RENDER_SUMMARY_FORMATS_H
#define TCPTRIAGE_RENDER_SUMMARY_FORMATS_H

#include "tcptriage/render/report.h"

/** summary_text() - tables of states, busy destinations and flagged sockets. */
void summary_text(struct out *out, const struct summary *summary);
/** summary_json() - one document. */
void summary_json(struct out *out, const struct summary *summary);
/** summary_ndjson() - a line a state, destination and flagged socket. */
void summary_ndjson(struct out *out, const struct summary *summary);

#endif
