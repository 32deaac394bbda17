/* SPDX-License-Identifier: MIT */
/* Small writes that wait for a delayed acknowledgement: Nagle's algorithm (RFC 896) against RFC 1122 §4.2.3.2. */
#include "tcp_segment.h"

/* The next write leaves with the acknowledgement that it waited for. */
#define RELEASE_NS (2 * MS_NS)
/* Where no MSS is known: the smallest that IPv6 has to carry (RFC 8200 §5), less headers. */
#define MSS_UNKNOWN 1220u

/* How long stacks delay: Linux 40 ms, macOS 100 ms, Windows and others 200 ms. */
static const struct {
	uint8_t from_ms, to_ms;
} delays[] = { { 38, 46 }, { 95, 105 }, { 190, 210 } };

static uint32_t full_size(const struct flow_side *receiver)
{
	return receiver->has & SIDE_HAS_MSS ? receiver->mss : MSS_UNKNOWN;
}

/* The acknowledgement of the segment before was late by a timer's length, and this one left with it. */
static bool was_held(const struct flow_step *step)
{
	return step->mine->nagle_ms && step->now_ns - step->rx->last_ns <= RELEASE_NS;
}

static void stall(const struct flow_step *step)
{
	struct flow_side *tx = step->tx;
	uint8_t waited_ms = step->mine->nagle_ms;

	tx->nagle_ms_min = tx->nagle_stalls ? MIN(tx->nagle_ms_min, waited_ms) : waited_ms;
	tx->nagle_ms_max = MAX(tx->nagle_ms_max, waited_ms);
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_NAGLE_STALL,
						  .nth = count_up(&tx->nagle_stalls),
						  .since_us = (int64_t)waited_ms * 1000,
						  .seq = step->tcp->seq - tx->isn,
						  .length = step->tcp->payload });
}

void tcp_nagle_sent(const struct flow_step *step, bool idle)
{
	if (was_held(step))
		stall(step);
	else if (idle && step->tcp->payload < full_size(step->rx))
		count_up(&step->tx->nagle_cycles);
	step->mine->nagle_ms = 0;
}

void tcp_nagle_acked(const struct flow_step *step, uint32_t bytes, int64_t rtt_us)
{
	int64_t rtt_ms = rtt_us / 1000;

	if (bytes >= full_size(step->tx))
		return;
	/* A path that long needs no delayed acknowledgement to explain the wait. */
	if (step->flow->flags & FLOW_HAS_HANDSHAKE_RTT && 2 * (int64_t)step->flow->handshake_rtt_us >= rtt_us)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
		if (rtt_ms >= delays[i].from_ms && rtt_ms <= delays[i].to_ms)
			step->theirs->nagle_ms = (uint8_t)rtt_ms;
}
