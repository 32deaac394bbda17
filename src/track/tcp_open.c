/* SPDX-License-Identifier: MIT */
/* How TCP connections begin: SYN, SYN-ACK, their repetitions, ports used again, challenge ACKs, simultaneous and split open. */
#include "tcp_segment.h"

/* RFC 7323 §2.3: a larger shift counts as 14. */
#define WSCALE_MAX 14
/* A client whose SYN-ACK was not seen is believed when its sequence number lies so close to its SYN. */
#define FIRST_WINDOW (1u << 20)

bool tcp_open_is_new(const struct flow *flow, unsigned side, const struct tcp_header *tcp)
{
	const struct flow_side *tx = &flow->side[side], *rx = &flow->side[!side];

	if (tx->has & SIDE_HAS_SYN && tx->isn == tcp->seq)
		return false;
	if (tcp->flags & TCP_ACK) {
		/* An answer to the SYN at hand belongs to it whatever stood before; one to no SYN that was seen begins another connection. */
		if (rx->has & SIDE_HAS_SYN && tcp->ack == rx->isn + 1)
			return false;
		return flow->state >= FLOW_CLOSED || (flow->state == FLOW_MIDSTREAM && tx->packets);
	}
	if (tx->has & SIDE_HAS_SYN)
		return true;
	/* A SYN of the side that was asked: both open at once, or the handshake is split (RFC 9293 §3.5). */
	return flow->state != FLOW_SYN_SENT || side == 0;
}

void tcp_open_begin(const struct flow_step *step, const struct flow *before)
{
	struct flow *flow = step->flow;

	if (!(step->tcp->flags & TCP_SYN)) {
		step->flows->totals.midstream++;
		return;
	}
	flow->state = FLOW_SYN_SENT;
	if (!before)
		return;
	flow->flags |= FLOW_PORT_REUSE;
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_PORT_REUSE, .nth = 1, .since_us = (step->now_ns - flow_last_ns(before)) / US_NS });
}

/* The same SYN or SYN-ACK once more. */
static void repeat(const struct flow_step *step)
{
	struct flow_side *tx = step->tx;
	bool answers = step->tcp->flags & TCP_ACK;

	tx->retransmissions++;
	count_up(&tx->syn_retries);
	step->mine->timed_rtt = false;
	if (step->flow->state == FLOW_REFUSED)
		step->flow->state = FLOW_SYN_SENT;
	flow_step_tell(step, &(struct flow_news){ .kind = answers ? EVENT_SYN_ACK_RETRY : EVENT_SYN_RETRY,
						  .nth = tx->syn_retries,
						  .since_us = (int64_t)(step->now_ms - step->mine->base_ms) * 1000 });
}

static void note_syn_options(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	struct flow_side *tx = step->tx;

	if (tcp->options & TCP_OPTION_MSS) {
		tx->mss = tcp->mss;
		tx->has |= SIDE_HAS_MSS;
	} else if (!(tcp->options & (TCP_OPTION_CUT | TCP_OPTION_BAD))) {
		tx->has |= SIDE_SYN_WITHOUT_MSS;
	}
	if (tcp->options & TCP_OPTION_SACK_PERMITTED)
		tx->has |= SIDE_HAS_SACK_PERMITTED;
	/* Until the other SYN is seen, its own offer is kept here. */
	tx->wscale = tcp->options & TCP_OPTION_WSCALE ? MIN(tcp->wscale, WSCALE_MAX) + 1 : 0;
}

/* Both SYNs were seen: windows are scaled when both offered it (RFC 7323 §2.2). */
static void agree_on_scaling(const struct flow_step *step)
{
	struct flow_side *tx = step->tx, *rx = step->rx;
	bool scaled = tx->wscale && rx->wscale;

	if (!(rx->has & SIDE_HAS_SYN) || tx->has & SIDE_HAS_WSCALE)
		return;
	tx->wscale = scaled ? tx->wscale - 1 : 0;
	rx->wscale = scaled ? rx->wscale - 1 : 0;
	tx->has |= SIDE_HAS_WSCALE;
	rx->has |= SIDE_HAS_WSCALE;
}

static void answer(const struct flow_step *step)
{
	struct flow *flow = step->flow;

	flow->flags |= FLOW_SAW_SYN_ACK;
	if (!(flow->flags & FLOW_SAW_SYN))
		return;
	flow->syn_wait_ms = clamp_u32((step->now_ns - flow->first_ns) / MS_NS);
	if (!step->rx->syn_retries)
		flow->handshake_rtt_us = clamp_u32((step->now_ns - flow->first_ns) / US_NS);
}

void tcp_open_syn(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	struct flow_side *tx = step->tx;
	struct flow *flow = step->flow;
	bool answers = tcp->flags & TCP_ACK;

	count_up(&tx->syns);
	if (tx->has & SIDE_HAS_SYN && tx->isn == tcp->seq) {
		/* When both sent a SYN, each sends it once more, as an answer to the other's. */
		if (flow->flags & FLOW_BOTH_SYN && answers && tx->syns == 2)
			flow->state = MAX(flow->state, FLOW_SYN_RECEIVED);
		else
			repeat(step);
		return;
	}
	tx->isn = tcp->seq;
	tx->seq_next = tcp->seq + 1 + tcp->payload;
	tx->has |= SIDE_HAS_SYN | SIDE_HAS_SEQ;
	step->mine->base_ms = step->now_ms;
	step->mine->anchored = true;
	note_syn_options(step);
	agree_on_scaling(step);
	/* Whoever refused was not the listener. */
	if (answers && flow->state == FLOW_REFUSED && flow->resetter == step->side)
		flow->flags |= FLOW_RESET_BY_BOX;
	if (!answers)
		flow->flags |= step->side ? FLOW_BOTH_SYN : FLOW_SAW_SYN;
	else
		answer(step);
	if (answers || step->side)
		flow->state = answers ? FLOW_SYN_RECEIVED : flow->state;
}

/* A listener that still knows an older connection answers a SYN with where that one stands (RFC 5961 §4). */
static bool challenge(const struct flow_step *step)
{
	struct flow *flow = step->flow;

	if (!(flow->flags & FLOW_SAW_SYN) || step->tcp->payload || !(step->tcp->flags & TCP_ACK) || step->tcp->flags & TCP_FIN)
		return false;
	flow->flags |= FLOW_CHALLENGED;
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_CHALLENGE_ACK, .nth = 1, .since_us = (step->now_ns - flow->first_ns) / US_NS });
	return false;
}

/* The round trip is that to the listener and back, and from there to the client and back, wherever between them this was captured. */
static void establish(const struct flow_step *step)
{
	struct flow *flow = step->flow;
	bool once = !step->tx->syn_retries && !step->rx->syn_retries && step->rx->packets == 1;

	flow->state = FLOW_ESTABLISHED;
	if (!once || step->side || !(flow->flags & FLOW_SAW_SYN) || flow->flags & FLOW_BOTH_SYN) {
		flow->handshake_rtt_us = 0;
		return;
	}
	flow->handshake_rtt_us += MIN(clamp_u32((step->now_ns - step->rx->last_ns) / US_NS), UINT32_MAX - flow->handshake_rtt_us);
	flow->flags |= FLOW_HAS_HANDSHAKE_RTT;
}

bool tcp_open_go_on(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	struct flow *flow = step->flow;

	if (LIKELY(flow->state >= FLOW_ESTABLISHED && flow->state != FLOW_REFUSED)) {
		if (tcp->payload && flow->flags & FLOW_SAW_SYN)
			flow->flags |= FLOW_SYN_TO_DATA;
		return true;
	}
	switch (flow->state) {
	case FLOW_SYN_SENT:
		if (step->side && (!(tcp->flags & TCP_ACK) || tcp->ack != step->rx->isn + 1))
			return challenge(step);
		/* When the SYN-ACK escaped the capture; anything else is of an older connection. */
		if (!step->side && (!(tcp->flags & TCP_ACK) || tcp->seq - step->tx->isn - 1 > FIRST_WINDOW))
			return false;
		flow->state = FLOW_ESTABLISHED;
		return true;
	case FLOW_SYN_RECEIVED:
		if (tcp->flags & TCP_ACK && step->rx->has & SIDE_HAS_SYN && !seq_before(tcp->ack, step->rx->isn + 1) && !step->side)
			establish(step);
		else if (flow->flags & FLOW_BOTH_SYN && step->side)
			establish(step);
		return true;
	case FLOW_REFUSED:
		return false;
	default:
		return true;
	}
}
