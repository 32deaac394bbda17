/* SPDX-License-Identifier: MIT */
/* One flow, in the formats that carry it. */
#ifndef TCPTRIAGE_RENDER_FLOW_FORMATS_H
#define TCPTRIAGE_RENDER_FLOW_FORMATS_H

#include "tcptriage/render/capture.h"

/** flow_table_head() - the header line. */
void flow_table_head(struct out *out);
/** flow_table_row() - a line; columns have minimum widths, and two numbers a direction stand as "a/b", from the initiator and to it. */
void flow_table_row(struct out *out, const struct flow *flow, const struct flow_owner *owner);
/** flow_json() - the object; @head: its first bytes, with the opening brace. */
void flow_json(struct out *out, const struct flow *flow, const struct flow_owner *owner, const char *head);
/** flow_owner_in() - the owner of @flow, NULL unknown. */
const struct flow_owner *flow_owner_in(const struct capture_report *capture, const struct flow *flow);

#endif
