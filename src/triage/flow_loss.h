/* SPDX-License-Identifier: MIT */
/* What flows lose: repetitions that were needed, a direction and a peer at a time. */
#ifndef TCPTRIAGE_TRIAGE_FLOW_LOSS_H
#define TCPTRIAGE_TRIAGE_FLOW_LOSS_H

#include "flow_kit.h"

/**
 * struct flow_loss - packets of one direction. @sent: all of them. @again: repetitions of data, @spurious of them needless. @unseen: what the capture
 * missed. @flows: that were counted.
 */
struct flow_loss {
	uint64_t sent, again, spurious, unseen, timeouts, fast, out_of_order, flows;
};

/** struct flow_stretch - one service, client or public service. @members: flows that lost something, @worst the one that lost most. @all: with those that did not. */
struct flow_stretch {
	struct flow_members members;
	const struct flow_member *worst;
	struct flow_loss all;
};

/** struct flow_stretches - those on which something was lost. */
struct flow_stretches {
	struct flow_stretch *at;
	size_t count;
};

/** flow_loss_count() - repetitions that were neither needless nor due to the capture. */
uint64_t flow_loss_count(const struct flow_loss *loss);
/** flow_loss_percent() - of all that was sent. */
double flow_loss_percent(const struct flow_loss *loss);
/** flow_loss_sender() - the member's own side, or with @incoming the other. */
const struct flow_side *flow_loss_sender(const struct flow_member *member, bool incoming);
/**
 * flow_loss_stretches() - all stretches with loss of data that was sent, or with @incoming that came to this machine (where it is known which side
 * that is). From a share of @spurious needless repetitions on all of a flow's are. Left out are flows that are stuck (stuck_flow.h),
 * whose packets were too big, or of which one direction was seen. Keys are those of flow_clients_set_key(); a member's mark: its client is on the Internet.
 */
struct flow_stretches flow_loss_stretches(const struct view *view, bool incoming, double spurious);

#endif
