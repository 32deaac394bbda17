/* SPDX-License-Identifier: MIT */
/* What was acknowledged and never seen: lost in the capture, not in the network.
 *
 * Captures of several queues or processors write an acknowledgement before the data that it acknowledges, so what is missing gets a moment to
 * show up. When it does, nothing was wrong with the network. */
#include "tcp_segment.h"

/* Data that shows up so long after its acknowledgement was sent once more. */
#define PATIENCE_US 3000u

void tcp_unseen_acked(const struct flow_step *step, uint32_t ack)
{
	struct flow_side *rx = step->rx;

	if (seq_before(rx->seq_next, ack)) {
		/* When the other side was first seen in the middle, its newest bytes may have been on their way before. */
		struct hole hole = { .start = rx->seq_next, .end = ack, .before = !step->theirs->anchored };

		tcp_trouble_open(flow_step_need_trouble(step, !step->side), &hole);
		rx->seq_next = ack;
	}
	step->theirs->anchored = true;
	if (UNLIKELY(step->theirs->trouble))
		tcp_trouble_acked(flow_step_trouble(step, !step->side), ack, step->now_us);
}

static void tell(const struct flow_step *step, unsigned sender, uint32_t start, uint32_t bytes)
{
	struct flow_side *acker = &step->flow->side[!sender];

	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_CAPTURE_LOSS,
						  .nth = count_up(&acker->acked_unseen),
						  .since_us = -1,
						  .seq = start - step->flow->side[sender].isn,
						  .length = bytes,
						  .other_side = sender == step->side });
}

void tcp_unseen_judge(const struct flow_step *step, bool at_end)
{
	for (unsigned side = 0; side < 2; side++) {
		struct tcp_trouble *trouble = flow_step_trouble(step, side);
		uint32_t start = 0, bytes;

		while (trouble && (bytes = tcp_trouble_unseen(trouble, step->now_us, at_end ? 0 : PATIENCE_US, &start)))
			tell(step, side, start, bytes);
	}
}
