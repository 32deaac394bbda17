/* SPDX-License-Identifier: MIT */
/* How TCP connections end: FIN, RST and who sent it, requests that nobody answered. */
#include "tcp_segment.h"

/* RULES 24: a shorter silence is no idle time; the RST has to answer at once. */
#define IDLE_MS 30000u
#define ANSWER_MS 1000u
/* An RST so soon after a FIN of the same side is how many programs close. */
#define AFTER_FIN_MS 1000u
/* So many other packets show which TTL a side has. */
#define TTL_PACKETS 3
/* A path seldom changes by more than one hop within a connection. */
#define TTL_STEP 2
/* Repetitions of a request into silence that say that the other side is gone. */
#define SILENT_TIMEOUTS 2

static void close_by(const struct flow_step *step)
{
	struct flow *flow = step->flow;
	int64_t payload_ns = MAX(step->tx->last_payload_ns, step->rx->last_payload_ns);

	if (flow->closer != 2)
		return;
	flow->closer = (uint8_t)step->side;
	if (payload_ns)
		flow->close_idle_ms = clamp_u32((step->now_ns - payload_ns) / MS_NS);
	if (!step->theirs->woke)
		flow->idle_last_ms = clamp_u32(step->silence_ns / MS_NS);
}

void tcp_close_fin(const struct flow_step *step)
{
	struct flow *flow = step->flow;

	count_up(&step->tx->fins);
	close_by(step);
	if (step->tx->has & SIDE_SENT_FIN)
		return;
	step->tx->has |= SIDE_SENT_FIN;
	/* From here on the timer's base says when the FIN was sent. */
	step->mine->base_ms = step->now_ms;
	if (flow->state < FLOW_CLOSED)
		flow->state = step->rx->has & SIDE_SENT_FIN ? FLOW_CLOSED : FLOW_CLOSING;
}

void tcp_close_crossed(const struct flow_step *step)
{
	const struct flow_side *rx = step->rx;

	if (LIKELY(!(rx->has & SIDE_SENT_FIN)))
		return;
	if (!(step->tcp->flags & TCP_ACK) || seq_before(step->tcp->ack, rx->seq_next))
		step->flow->flags |= FLOW_RACE;
}

/* RFC 9293 §3.5.2: the answer to a SYN that nobody wants. */
static bool refuses(const struct flow_step *step)
{
	const struct flow *flow = step->flow;

	return (flow->state == FLOW_SYN_SENT || flow->state == FLOW_REFUSED) && step->side && !(flow->flags & FLOW_CHALLENGED) &&
	       step->tcp->flags & TCP_ACK && step->rx->has & SIDE_HAS_SYN && step->tcp->ack == step->rx->isn + 1;
}

static void refuse(const struct flow_step *step)
{
	struct flow *flow = step->flow;

	flow->state = FLOW_REFUSED;
	flow->syn_wait_ms = clamp_u32((step->now_ns - flow->first_ns) / MS_NS);
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_REFUSED, .nth = step->tx->resets, .since_us = (step->now_ns - flow->first_ns) / US_NS });
}

/* @looks_alien: it differs in something else. */
static bool ttl_is_alien(const struct flow_step *step, bool looks_alien)
{
	const struct flow_side *tx = step->tx;
	/* This RST is counted among its resets already, and not yet among its packets. */
	uint32_t others = tx->packets - MIN((uint32_t)tx->resets - 1, tx->packets);
	/* A side whose TTL never moved need not differ much, if its RST differs in more than that. */
	int slack = looks_alien && tx->ttl_min == tx->ttl_max && others >= TTL_PACKETS ? 1 : TTL_STEP;
	int hop_limit = step->packet->ip.hop_limit;

	return others && (hop_limit <= tx->ttl_min - slack || hop_limit >= tx->ttl_max + slack);
}

/* Does it look like the other packets of its side? */
static uint32_t origin(const struct flow_step *step)
{
	const struct ip_header *ip = &step->packet->ip;
	const struct flow_side *tx = step->tx;
	bool agreed = tx->has & step->rx->has & SIDE_HAS_TIMESTAMPS;
	uint32_t flags = 0;

	if (agreed && !(step->tcp->options & (TCP_OPTION_TIMESTAMPS | TCP_OPTION_CUT)))
		flags |= FLOW_RESET_NO_TIMESTAMP;
	if (tx->has & SIDE_COUNTS_ID && ip->has_id && !ip->id)
		flags |= ip->dont_fragment ? 0 : FLOW_RESET_ALIEN_ID;
	if (ttl_is_alien(step, flags || (tx->has & SIDE_COUNTS_ID && ip->has_id && !ip->id)))
		flags |= FLOW_RESET_ALIEN_TTL;
	/* Linux answers for a connection that it does not know without timestamps and with id 0: that alone proves nobody in between. */
	if (flags & FLOW_RESET_ALIEN_TTL || (flags & FLOW_RESET_ALIEN_ID && flags & FLOW_RESET_NO_TIMESTAMP))
		flags |= FLOW_RESET_BY_BOX;
	return flags;
}

/* An RST that fits where the connection stands (RFC 5961 §3): one far outside of it is ignored by whoever gets it. */
static bool is_taken(const struct flow_step *step)
{
	uint32_t window = (uint32_t)step->theirs->window << (step->rx->has & SIDE_HAS_WSCALE ? step->rx->wscale : 14);
	uint32_t expected = step->rx->has & SIDE_HAS_ACK ? step->rx->ack : step->tx->seq_next;

	if (!(step->rx->has & SIDE_HAS_ACK) && !(step->tx->has & SIDE_HAS_SEQ))
		return true;
	return step->tcp->seq - expected <= MAX(window, (uint32_t)UINT16_MAX) || step->tcp->seq == step->tx->seq_next;
}

static void tell_idle_reset(const struct flow_step *step)
{
	const struct flow *flow = step->flow;
	uint32_t rtt_ms = flow->flags & FLOW_HAS_HANDSHAKE_RTT ? flow->handshake_rtt_us / 1000 : 0;
	int64_t waited_ms = (step->now_ns - step->rx->last_ns) / MS_NS;

	if (!step->theirs->woke || flow->idle_last_ms < IDLE_MS || waited_ms > MAX(3 * (int64_t)rtt_ms, (int64_t)ANSWER_MS))
		return;
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_IDLE_RESET, .nth = 1, .since_us = (int64_t)flow->idle_last_ms * 1000 });
}

/* What the RST left undone. */
static uint32_t left_behind(const struct flow_step *step)
{
	const struct flow *flow = step->flow;
	const struct flow_side *tx = step->tx, *rx = step->rx, *client = &flow->side[0];
	uint32_t flags = 0, since_fin_ms = step->now_ms - step->mine->base_ms;

	if (tx->has & SIDE_SENT_FIN) {
		if (since_fin_ms <= AFTER_FIN_MS)
			flags |= FLOW_RESET_AFTER_FIN;
		if (rx->last_payload_ns && step->now_ns - rx->last_payload_ns < (int64_t)since_fin_ms * MS_NS)
			flags |= FLOW_RACE;
	}
	if (rx->last_payload_ns > tx->last_payload_ns)
		flags |= FLOW_RESET_UNREAD;
	if (flow->flags & FLOW_INITIATOR_KNOWN && client->last_payload_ns > flow->side[1].last_payload_ns)
		flags |= FLOW_CRASHED;
	return flags;
}

void tcp_close_reset(const struct flow_step *step)
{
	struct flow *flow = step->flow;
	bool first = flow->resetter == 2;

	count_up(&step->tx->resets);
	step->tx->has |= SIDE_SENT_RST;
	step->tx->ttl_reset = step->packet->ip.hop_limit;
	flow->resetter = (uint8_t)step->side;
	if (refuses(step)) {
		refuse(step);
		return;
	}
	close_by(step);
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_RESET,
						  .nth = step->tx->resets,
						  .since_us = step->silence_ns < 0 ? -1 : step->silence_ns / US_NS,
						  .seq = step->tx->has & SIDE_HAS_SEQ ? step->tcp->seq - step->tx->isn : 0 });
	flow->flags |= origin(step);
	/* With a challenge, the RST ends what stood before, and the SYN comes again. */
	if (flow->state == FLOW_SYN_SENT || flow->state == FLOW_CLOSED || !is_taken(step))
		return;
	if (first) {
		flow->flags |= left_behind(step);
		tell_idle_reset(step);
	}
	flow->state = FLOW_RESET;
}

void tcp_close_settle(struct flow *flow)
{
	const struct flow_side *client = &flow->side[0], *server = &flow->side[1];

	if (!flow_is_open(flow) || !(flow->flags & FLOW_INITIATOR_KNOWN) || client->timeouts < SILENT_TIMEOUTS || client->last_payload_ns <= server->last_ns)
		return;
	if (flow_unacked(flow, 0))
		flow->flags |= FLOW_CRASHED;
}
