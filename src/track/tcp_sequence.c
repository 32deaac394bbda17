/* SPDX-License-Identifier: MIT */
/* Sequence numbers of one direction: what is new, what comes late, what comes again.
 *
 * Bytes below the highest sequence number were seen, unless they lie in a hole. Bytes that were seen and come again are a retransmission. Bytes
 * that fill a hole are either late, sent once and overtaken, or a repetition of a segment lost before the capture; only what the sender wrote
 * into the packets tells which: its IP id if it counts them, else its timestamp, and without either the time that has passed. */
#include "tcp_segment.h"

/* Reordering by parallel links and queues is over so soon; a sender that repairs needs the round trip. */
#define LATE_US 3000u
/* Copies of one packet on several interfaces follow each other so soon. */
#define COPY_NS (5 * MS_NS)
/* A jump in sequence numbers as large as no window: not a loss but another stream, or junk. */
#define JUMP_MAX (1u << 30)

void tcp_sequence_forget(const struct flow_step *step)
{
	struct side_track *mine = step->mine;
	struct tcp_trouble *trouble = flow_step_trouble(step, step->side);

	step->tx->has &= (uint16_t)~SIDE_HAS_SEQ;
	mine->anchored = mine->timed_rtt = mine->timed_size = mine->has_sack = mine->probed = mine->fast_recovery = false;
	if (trouble) {
		trouble->holes = trouble->resends = 0;
		trouble->head_tries = 0;
	}
}

static bool everything_acked(const struct flow_step *step)
{
	return step->rx->has & SIDE_HAS_ACK && step->rx->ack == step->tx->seq_next;
}

/* The segment at hand lies behind the hole. */
static void note_origin(const struct flow_step *step, struct hole *hole)
{
	const struct ip_header *ip = &step->packet->ip;

	hole->has_tsval = step->tcp->options & TCP_OPTION_TIMESTAMPS;
	hole->tsval = hole->has_tsval ? step->tcp->tsval : 0;
	hole->has_id = ip->has_id && ip->id;
	hole->id = (uint16_t)ip->id;
}

/* The first segment of a side whose SYN was not seen. */
static void begin(const struct flow_step *step, uint32_t end)
{
	struct flow_side *tx = step->tx;

	if (!(tx->has & SIDE_HAS_SYN))
		tx->isn = step->tcp->seq;
	tx->seq_next = end;
	tx->has |= SIDE_HAS_SEQ;
	step->mine->base_ms = step->now_ms;
	if (!(step->rx->has & SIDE_HAS_ACK))
		return;
	if (seq_before(end, step->rx->ack) && step->rx->ack - end < JUMP_MAX)
		tx->seq_next = step->rx->ack;
	tcp_sequence_outstanding(step, step->side, step->rx->ack);
}

void tcp_sequence_outstanding(const struct flow_step *step, unsigned side, uint32_t ack)
{
	struct flow_side *tx = &step->flow->side[side];
	struct hole hole = { .start = ack, .end = tx->isn, .opened_us = step->now_us, .before = true };

	if (tx->has & SIDE_HAS_SYN || !seq_before(ack, tx->isn) || tx->isn - ack >= JUMP_MAX)
		return;
	tx->isn = ack;
	if (side == step->side) {
		note_origin(step, &hole);
	} else {
		hole.has_id = step->theirs->has_id;
		hole.id = step->theirs->id;
		hole.has_tsval = tx->has & SIDE_HAS_TIMESTAMPS;
		hole.tsval = step->theirs->tsval;
	}
	tcp_trouble_open(flow_step_need_trouble(step, side), &hole);
}

static void open_hole(const struct flow_step *step)
{
	struct hole hole = { .start = step->tx->seq_next, .end = step->tcp->seq, .opened_us = step->now_us };

	note_origin(step, &hole);
	tcp_trouble_open(flow_step_need_trouble(step, step->side), &hole);
}

/* A sender's clock does not go back, and what is sent again bears the time at which it is. */
static bool is_older_than_newest(const struct flow_step *step)
{
	return step->tcp->options & TCP_OPTION_TIMESTAMPS && step->tx->has & SIDE_HAS_TIMESTAMPS && seq_before(step->tcp->tsval, step->mine->tsval);
}

/* Whether the segment at hand left before the one that opened the hole. Both may be of one tick of the clock: then what came since tells. */
static bool is_late(const struct flow_step *step, const struct hole *hole)
{
	const struct ip_header *ip = &step->packet->ip;
	const struct tcp_header *tcp = step->tcp;
	uint32_t age_us = step->now_us - hole->opened_us, limit_us = LATE_US;

	if (step->tx->has & SIDE_COUNTS_ID && hole->has_id && ip->has_id && ip->id)
		return (int16_t)((uint16_t)ip->id - hole->id) < 0;
	if (is_older_than_newest(step))
		return true;
	if (hole->has_tsval && tcp->options & TCP_OPTION_TIMESTAMPS && tcp->tsval != hole->tsval)
		return seq_before(tcp->tsval, hole->tsval);
	if (step->flow->flags & FLOW_HAS_HANDSHAKE_RTT)
		limit_us = MIN(limit_us, step->flow->handshake_rtt_us);
	return age_us < limit_us && !tcp_segment_driven(step, hole->end);
}

/* Another interface shows one by one what offload had joined: at once, and before anybody can have asked for it. */
static bool is_part_of_super_segment(const struct flow_step *step)
{
	const struct flow *flow = step->flow;
	bool same_time = !(step->tcp->options & TCP_OPTION_TIMESTAMPS) || step->tcp->tsval == step->mine->tsval;

	return flow->flags & FLOW_SUPER_SEGMENTS && flow->interfaces & (flow->interfaces - 1) && same_time &&
	       step->now_ns - step->tx->last_payload_ns <= COPY_NS && !tcp_segment_driven(step, step->tcp->seq);
}

/* A copy of a segment that was on its way for longer than copies in the capture are: its id or timestamp is not newer than what came since. */
static bool is_old_copy(const struct flow_step *step)
{
	const struct ip_header *ip = &step->packet->ip;

	if (UNLIKELY(is_part_of_super_segment(step)))
		return true;
	if (step->tx->has & SIDE_COUNTS_ID && ip->has_id && ip->id)
		return (int16_t)((uint16_t)ip->id - step->mine->id) <= 0;
	return is_older_than_newest(step);
}

static void late(const struct flow_step *step, uint32_t end, int64_t since_us)
{
	struct flow_side *tx = step->tx;

	tx->out_of_order++;
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_OUT_OF_ORDER,
						  .nth = tx->out_of_order,
						  .since_us = since_us,
						  .seq = step->tcp->seq - tx->isn,
						  .length = end - step->tcp->seq });
}

/* The bytes were seen, and what comes is as old as they are: its repetition overtook it, or the network made a copy. Return: false for a copy. */
static bool old_copy(const struct flow_step *step, uint32_t end)
{
	const struct tcp_trouble *trouble = flow_step_trouble(step, step->side);

	for (unsigned i = 0; trouble && i < MIN(trouble->resends, TROUBLE_RESENDS); i++) {
		const struct resend *resend = &trouble->resend[i];

		if (!resend->seen && seq_before(step->tcp->seq, resend->end) && seq_before(resend->start, end)) {
			late(step, end, -1);
			return true;
		}
	}
	return false;
}

/* [seq, @end) lies below what was seen: in a hole, or not. Return: false when it is a copy. */
static bool below(const struct flow_step *step, uint32_t end)
{
	struct tcp_trouble *trouble = flow_step_trouble(step, step->side);
	uint32_t seq = step->tcp->seq;
	struct hole hole;

	if (trouble && tcp_trouble_fill(trouble, seq, end, &hole)) {
		if (hole.acked)
			return true; /* only the capture was late */
		if (is_late(step, &hole))
			late(step, end, (uint32_t)(step->now_us - hole.opened_us));
		else
			tcp_resend_add(step, end, &hole);
		return true;
	}
	if (seq_before(seq, step->tx->isn) && !(step->tx->has & SIDE_HAS_SYN)) {
		/* From before the capture: only what was acknowledged must have been sent before. */
		step->tx->isn = seq;
		if (!(step->rx->has & SIDE_HAS_ACK) || seq_before(step->rx->ack, end))
			return true;
	}
	if (is_old_copy(step))
		return old_copy(step, end);
	tcp_resend_add(step, end, NULL);
	return true;
}

/* New bytes up to @end; @idle: nothing was outstanding before them. */
static void advance(const struct flow_step *step, uint32_t end, bool idle)
{
	struct flow_side *tx = step->tx;

	if (idle)
		step->mine->base_ms = step->now_ms;
	if (step->tcp->payload) {
		tcp_nagle_sent(step, idle);
		tcp_rtt_sent(step, end, idle);
		tcp_window_filled(step, end);
		tcp_close_crossed(step);
	}
	tx->seq_next = end;
}

bool tcp_sequence_add(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	struct flow_side *tx = step->tx;
	uint32_t end = tcp->seq + tcp->payload + (tcp->flags & TCP_FIN ? 1 : 0);
	int32_t ahead;

	if (UNLIKELY(!(tx->has & SIDE_HAS_SEQ))) {
		begin(step, end);
		return true;
	}
	if (UNLIKELY(tcp_window_probe(step)))
		return true;
	step->mine->keepalive = false;
	ahead = (int32_t)(tcp->seq - tx->seq_next);
	if (LIKELY(!ahead)) {
		if (end != tcp->seq)
			advance(step, end, everything_acked(step));
		return true;
	}
	if (UNLIKELY(ahead >= (int32_t)JUMP_MAX || ahead <= -(int32_t)JUMP_MAX)) {
		tcp_sequence_forget(step);
		begin(step, end);
		return true;
	}
	if (ahead > 0) {
		bool idle = everything_acked(step);

		open_hole(step);
		tx->seq_next = tcp->seq;
		if (end != tcp->seq)
			advance(step, end, idle);
		return true;
	}
	if (end == tcp->seq)
		return true;
	if (!seq_before(tx->seq_next, end))
		return below(step, end);
	/* Old bytes with new ones behind them. */
	if (!below(step, tx->seq_next))
		return false;
	advance(step, end, everything_acked(step));
	return true;
}
