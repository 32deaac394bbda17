/* SPDX-License-Identifier: MIT */
/* What was sent again: why (timeout, duplicate ACKs, neither), and whether it had to be. */
#include "tcp_segment.h"

/* No timeout comes sooner (Linux: TCP_RTO_MIN; RFC 6298 asks for a second). */
#define TIMEOUT_MIN_MS 200u

/* The other side waits for exactly this segment; where it was never heard every segment may be the one. */
static bool is_head(const struct flow_step *step)
{
	return !(step->rx->has & SIDE_HAS_ACK) || !seq_before(step->rx->ack, step->tcp->seq);
}

/* Nothing passed in either direction for so long that only a timer can have sent it. */
static bool after_silence(const struct flow_step *step)
{
	int64_t silence_us = step->silence_ns / US_NS, rtt_us = step->tx->has & SIDE_HAS_RTT ? step->tx->rtt_min_us : 0;

	return silence_us >= (int64_t)TIMEOUT_MIN_MS * 1000 && silence_us > 2 * rtt_us;
}

static enum event_kind judge(const struct flow_step *step, uint32_t end)
{
	const struct tcp_trouble *trouble = flow_step_trouble(step, step->side);
	bool driven = tcp_segment_driven(step, end) || (step->mine->fast_recovery && trouble && seq_before(step->tcp->seq, trouble->recover));

	if (driven && !after_silence(step))
		return EVENT_FAST_RETRANSMISSION;
	if (step->now_ms - step->mine->base_ms >= TIMEOUT_MIN_MS && is_head(step))
		return EVENT_TIMEOUT_RETRANSMISSION;
	return EVENT_RETRANSMISSION;
}

static uint64_t count(const struct flow_step *step, enum event_kind kind)
{
	struct flow_side *tx = step->tx;

	tx->retransmissions++;
	if (kind == EVENT_FAST_RETRANSMISSION)
		return count_up(&tx->fast);
	if (kind == EVENT_TIMEOUT_RETRANSMISSION)
		return count_up(&tx->timeouts);
	return tx->retransmissions - MIN(tx->retransmissions - 1, (uint32_t)tx->fast + tx->timeouts + tx->syn_retries);
}

/* @resend turns out to have been unneeded; @sender is the side that sent it. */
static void unneeded(const struct flow_step *step, struct resend *resend, unsigned sender)
{
	struct flow_side *side = &step->flow->side[sender];

	resend->spurious = true;
	side->spurious++;
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_SPURIOUS_RETRANSMISSION,
						  .nth = side->spurious,
						  .since_us = -1,
						  .seq = resend->start - side->isn,
						  .length = resend->end - resend->start,
						  .other_side = sender != step->side });
}

/* Since the silence began for a timeout, since the hole opened for what fills one; else nobody knows when the first copy was sent. */
static int64_t since(const struct flow_step *step, enum event_kind kind, const struct hole *hole)
{
	if (kind == EVENT_TIMEOUT_RETRANSMISSION)
		return (int64_t)(step->now_ms - step->mine->base_ms) * 1000;
	return hole ? (int64_t)(uint32_t)(step->now_us - hole->opened_us) : -1;
}

void tcp_resend_add(const struct flow_step *step, uint32_t end, const struct hole *hole)
{
	const struct tcp_header *tcp = step->tcp;
	struct tcp_trouble *trouble = flow_step_need_trouble(step, step->side);
	enum event_kind kind = judge(step, end);
	struct resend *resend = tcp_trouble_resent(trouble, &(struct resend){ .start = tcp->seq,
									      .end = end,
									      .tsval = tcp->tsval,
									      .has_tsval = tcp->options & TCP_OPTION_TIMESTAMPS,
									      .seen = !hole });

	flow_step_tell(step, &(struct flow_news){ .kind = kind,
						  .nth = count(step, kind),
						  .since_us = since(step, kind, hole),
						  .seq = tcp->seq - step->tx->isn,
						  .length = end - tcp->seq });
	if (kind == EVENT_FAST_RETRANSMISSION && !step->mine->fast_recovery) {
		step->mine->fast_recovery = true;
		trouble->recover = step->tx->seq_next;
	} else if (kind == EVENT_TIMEOUT_RETRANSMISSION) {
		step->mine->fast_recovery = step->mine->has_sack = false;
		step->theirs->duplicate_acks = 0;
	}
	if (step->rx->has & SIDE_HAS_ACK && !seq_before(step->rx->ack, end)) {
		resend->acked = true;
		if (!hole)
			unneeded(step, resend, step->side);
	} else if (tcp->payload && is_head(step)) {
		tcp_head_resent(step, tcp->seq, step->mine->base_ms);
	}
	tcp_rtt_resent(step, tcp->seq, end);
	if (is_head(step))
		step->mine->base_ms = step->now_ms;
}

void tcp_resend_acked(const struct flow_step *step, uint32_t ack)
{
	struct tcp_trouble *trouble = flow_step_trouble(step, !step->side);
	const struct tcp_header *tcp = step->tcp;

	for (unsigned i = 0; trouble && i < MIN(trouble->resends, TROUBLE_RESENDS); i++) {
		struct resend *resend = &trouble->resend[i];

		if (resend->acked || !seq_before(resend->start, ack))
			continue;
		resend->acked = true;
		/* The echo names the copy that arrived first (RFC 3522 §3.2). */
		if (resend->seen && !resend->spurious && resend->has_tsval && tcp->options & TCP_OPTION_TIMESTAMPS &&
		    seq_before(tcp->tsecr, resend->tsval))
			unneeded(step, resend, !step->side);
	}
}

void tcp_resend_reported(const struct flow_step *step, uint32_t start, uint32_t end)
{
	struct tcp_trouble *trouble = flow_step_trouble(step, !step->side);

	for (unsigned i = 0; trouble && i < MIN(trouble->resends, TROUBLE_RESENDS); i++) {
		struct resend *resend = &trouble->resend[i];

		if (!seq_before(resend->start, end) || !seq_before(start, resend->end))
			continue;
		/* One that is known already explains the report; otherwise it is news. */
		if (!resend->spurious)
			unneeded(step, resend, !step->side);
		return;
	}
}
