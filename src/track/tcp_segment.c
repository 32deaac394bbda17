/* SPDX-License-Identifier: MIT */
/* One TCP segment of a flow: the order in which its parts are judged. */
#include "tcp_segment.h"

/* Three duplicate ACKs are the signal of RFC 5681 §3.2. */
#define DUPLICATE_ACKS 3
/* A step between two ids of one sender that counts them; others of its packets may lie between. */
#define ID_STEP 256
/* Beyond the window by so much: no rounding, and no probe. */
#define SLACK 65535u
/* Votes from which on ids are taken for counted. */
#define ID_VOTES 2
#define ID_VOTES_MAX 7

bool tcp_segment_driven(const struct flow_step *step, uint32_t end)
{
	if (step->theirs->duplicate_acks >= DUPLICATE_ACKS)
		return true;
	return step->mine->has_sack && seq_before(end, step->mine->sack_high);
}

static void note_options(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;

	if (!(tcp->options & TCP_OPTION_TIMESTAMPS))
		return;
	if (!(step->tx->has & SIDE_HAS_TIMESTAMPS) || seq_before(step->mine->tsval, tcp->tsval))
		step->mine->tsval = tcp->tsval;
	step->tx->has |= SIDE_HAS_TIMESTAMPS;
}

/* Ids order the packets of a side when they rise by small steps. Linux sends SYN-ACKs with id 0 and counts from there on, so 0 is no vote. */
static void note_id(const struct flow_step *step)
{
	const struct ip_header *ip = &step->packet->ip;
	struct side_track *mine = step->mine;
	uint16_t id = (uint16_t)ip->id, rise = (uint16_t)(id - mine->id);

	if (!ip->has_id || !ip->id || ip->src.family != ADDR_V4)
		return;
	if (!mine->has_id || (rise && rise <= ID_STEP)) {
		if (mine->has_id && mine->id_votes < ID_VOTES_MAX)
			mine->id_votes++;
		mine->id = id;
	} else if (rise < UINT16_MAX - ID_STEP) {
		/* Neither a little ahead nor a little late. */
		mine->id_votes = mine->id_votes > 2 ? (uint8_t)(mine->id_votes - 2) & 7 : 0;
		mine->id = id;
	}
	mine->has_id = true;
	if (mine->id_votes >= ID_VOTES)
		step->tx->has |= SIDE_COUNTS_ID;
	else
		step->tx->has &= (uint16_t)~SIDE_COUNTS_ID;
}

/* Neither data nor acknowledgement lies beyond what the other side, or its own, can have allowed (RFC 9293 §3.10.7.4). */
static bool fits(const struct flow_step *step)
{
	const struct flow_side *tx = step->tx, *rx = step->rx;
	uint32_t room;

	if (!(tx->has & SIDE_HAS_WSCALE) || !(tx->has & rx->has & SIDE_HAS_ACK) || !(tx->has & SIDE_HAS_SEQ))
		return true;
	room = ((uint32_t)step->theirs->window << rx->wscale) + SLACK;
	if (step->theirs->has_window && seq_before(rx->ack + room, step->tcp->seq) && seq_before(tx->seq_next + SLACK, step->tcp->seq))
		return false;
	room = ((uint32_t)step->mine->window << tx->wscale) + SLACK;
	return !(step->mine->has_window && step->tcp->flags & TCP_ACK && seq_before(tx->ack + room, step->tcp->ack) &&
		 seq_before(rx->seq_next + SLACK, step->tcp->ack));
}

/* One packet alone that does not fit is junk, or forged; when the next does not fit either, the capture has a gap, and the connection has moved on. */
static bool is_stray(const struct flow_step *step)
{
	bool first = !step->mine->stray;

	step->mine->stray = !fits(step);
	return step->mine->stray && first;
}

bool tcp_segment_add(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;

	if (UNLIKELY(step->mine->trouble | step->theirs->trouble))
		tcp_unseen_judge(step, false);
	if (UNLIKELY(tcp->flags & TCP_RST)) {
		tcp_close_reset(step);
		return true;
	}
	if (UNLIKELY(tcp->flags & TCP_SYN)) {
		tcp_open_syn(step);
	} else if (!tcp_open_go_on(step) || UNLIKELY(is_stray(step))) {
		return true;
	} else if (UNLIKELY(step->packet->ip.is_fragment)) {
		/* The first fragment of several: how much it carries is not known. */
		tcp_sequence_forget(step);
	} else if (!tcp_sequence_add(step)) {
		return false;
	}
	if (tcp->flags & TCP_ACK)
		tcp_ack_add(step);
	tcp_window_add(step);
	if (UNLIKELY(tcp->flags & TCP_FIN))
		tcp_close_fin(step);
	note_options(step);
	note_id(step);
	return true;
}
