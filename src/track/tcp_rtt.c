/* SPDX-License-Identifier: MIT */
/* One segment of each direction is timed: what its acknowledgement tells of the round trip, and of the size that passes. */
#include "tcp_segment.h"

void tcp_rtt_sent(const struct flow_step *step, uint32_t end, bool idle)
{
	struct side_track *mine = step->mine;
	uint16_t size = step->ip_size;

	if (idle)
		mine->timed_rtt = mine->timed_size = false;
	/* A segment larger than any before tells more than the one that is timed already. */
	if ((mine->timed_rtt || mine->timed_size) && (size <= mine->timed_ip || size <= step->tx->ip_acked_max))
		return;
	mine->timed_end = end;
	mine->timed_us = step->now_us;
	mine->timed_ip = size;
	mine->timed_rtt = true;
	mine->timed_size = size > 0;
}

void tcp_rtt_resent(const struct flow_step *step, uint32_t start, uint32_t end)
{
	struct side_track *mine = step->mine;

	/* Karn: nobody can tell which copy is acknowledged. What was sent before the timed segment delays its acknowledgement, too. */
	mine->timed_rtt = false;
	/* Sent again in smaller packets, the acknowledgement only proves that the smaller size passes. */
	if (!mine->timed_size || step->ip_size >= mine->timed_ip)
		return;
	if (!seq_before(start, mine->timed_end) || !seq_before(mine->timed_end - mine->timed_ip, end))
		return;
	mine->timed_ip = step->ip_size;
	mine->timed_end = end;
	mine->timed_size = step->ip_size > 0;
}

static void count(struct flow_side *side, uint32_t rtt_us)
{
	side->rtt_min_us = side->rtt_count ? MIN(side->rtt_min_us, rtt_us) : rtt_us;
	side->rtt_max_us = MAX(side->rtt_max_us, rtt_us);
	side->rtt_count += side->rtt_count < UINT32_MAX;
	side->has |= SIDE_HAS_RTT;
}

int64_t tcp_rtt_acked(const struct flow_step *step, uint32_t ack)
{
	struct side_track *theirs = step->theirs;
	struct flow_side *rx = step->rx;
	int64_t rtt_us = -1;

	if (!(theirs->timed_rtt || theirs->timed_size) || seq_before(ack, theirs->timed_end))
		return -1;
	if (theirs->timed_size)
		rx->ip_acked_max = MAX(rx->ip_acked_max, theirs->timed_ip);
	if (theirs->timed_rtt) {
		rtt_us = (uint32_t)(step->now_us - theirs->timed_us);
		count(rx, (uint32_t)rtt_us);
	}
	theirs->timed_rtt = theirs->timed_size = false;
	return rtt_us;
}
