/* SPDX-License-Identifier: MIT */
/* Acknowledgements: what they confirm, duplicate ACKs, SACK and DSACK blocks. */
#include "tcp_segment.h"

/* No window is larger (RFC 7323 §2.3): an acknowledgement so far off is not of this connection. */
#define WINDOW_MAX (1u << 30)

static bool is_bare(const struct flow_step *step)
{
	return !step->tcp->payload && !(step->tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

static void acknowledge(const struct flow_step *step, uint32_t ack)
{
	struct flow_side *rx = step->rx, *tx = step->tx;
	uint32_t bytes = ack - tx->ack;
	bool known = tx->has & SIDE_HAS_ACK;
	int64_t rtt_us;

	tx->ack = ack;
	tx->has |= SIDE_HAS_ACK;
	step->mine->duplicate_acks = 0;
	if (!(rx->has & SIDE_HAS_SEQ))
		return;
	if (UNLIKELY(step->theirs->probed) && ack == rx->seq_next + 1)
		rx->seq_next = ack;
	step->theirs->probed = false;
	if (!known)
		tcp_sequence_outstanding(step, !step->side, ack);
	tcp_unseen_acked(step, ack);
	rtt_us = tcp_rtt_acked(step, ack);
	if (known && rtt_us >= 0 && is_bare(step) && ack == rx->seq_next)
		tcp_nagle_acked(step, bytes, rtt_us);
	if (UNLIKELY(step->theirs->trouble)) {
		const struct tcp_trouble *trouble = flow_step_trouble(step, !step->side);

		tcp_resend_acked(step, ack);
		tcp_head_acked(step, ack);
		if (step->theirs->fast_recovery && !seq_before(ack, trouble->recover))
			step->theirs->fast_recovery = false;
	}
	if (step->theirs->has_sack && !seq_before(ack, step->theirs->sack_high))
		step->theirs->has_sack = false;
	if (seq_before(ack, rx->seq_next) && !(rx->has & SIDE_SENT_FIN))
		step->theirs->base_ms = step->now_ms;
}

/* RFC 5681 §2: data is outstanding, nothing is carried, neither the acknowledgement nor the window moves. A shut window answers probes so. */
static bool is_duplicate(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;

	return is_bare(step) && seq_before(tcp->ack, step->rx->seq_next) && step->mine->has_window && tcp->window == step->mine->window && tcp->window &&
	       step->rx->has & SIDE_HAS_SEQ && (!(step->tx->has & SIDE_HAS_SEQ) || tcp->seq == step->tx->seq_next);
}

static void repeat(const struct flow_step *step)
{
	struct flow_side *tx = step->tx, *rx = step->rx;

	if (is_duplicate(step)) {
		tx->duplicate_acks++;
		if (step->mine->duplicate_acks < UINT8_MAX)
			step->mine->duplicate_acks++;
		flow_step_tell(step, &(struct flow_news){ .kind = EVENT_DUPLICATE_ACK,
							  .nth = tx->duplicate_acks,
							  .since_us = -1,
							  .seq = step->tcp->ack - rx->isn });
	} else if (step->theirs->keepalive && is_bare(step) && !step->mine->keepalive) {
		count_up(&rx->keepalive_acks);
		step->theirs->keepalive = false;
	}
}

/* RFC 2883 §4: the first block lies below the acknowledgement, or within the second block. */
static bool first_is_dsack(const struct tcp_header *tcp)
{
	const struct sack_block *first = &tcp->sack[0], *second = &tcp->sack[1];

	if (!seq_before(tcp->ack, first->right))
		return true;
	return tcp->sack_count > 1 && !seq_before(first->left, second->left) && !seq_before(second->right, first->right);
}

static void add_blocks(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	unsigned i = 0, count = MIN(tcp->sack_count, TCP_SACK_BLOCKS_MAX);

	if (first_is_dsack(tcp)) {
		count_up(&step->tx->dsacks);
		tcp_resend_reported(step, tcp->sack[0].left, tcp->sack[0].right);
		i = 1;
	}
	for (; i < count; i++) {
		uint32_t right = tcp->sack[i].right;

		/* Blocks that lie outside of what was sent say nothing. */
		if (!seq_before(tcp->ack, right) || seq_before(step->rx->seq_next, right))
			continue;
		if (!step->theirs->has_sack || seq_before(step->theirs->sack_high, right))
			step->theirs->sack_high = right;
		step->theirs->has_sack = true;
	}
}

void tcp_ack_add(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	int32_t ahead = (int32_t)(tcp->ack - step->tx->ack);

	step->theirs->nagle_ms = 0;
	if (step->rx->has & SIDE_HAS_SEQ && tcp->ack - step->rx->seq_next + WINDOW_MAX > 2 * WINDOW_MAX)
		return;
	if (!(step->tx->has & SIDE_HAS_ACK) || ahead > 0)
		acknowledge(step, tcp->ack);
	else if (!ahead)
		repeat(step);
	if (UNLIKELY(tcp->options & TCP_OPTION_SACK && tcp->sack_count))
		add_blocks(step);
}
