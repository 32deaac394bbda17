/* SPDX-License-Identifier: MIT */
/* Windows: shut, open again, filled; and the segments that ask for room or for a sign of life. */
#include "tcp_segment.h"

/* Nobody asks for a sign of life sooner; a byte that comes again before is a retransmission. */
#define KEEPALIVE_MIN_MS 900

static void shut(const struct flow_step *step)
{
	struct flow_side *tx = step->tx;
	bool again = tx->window_shut;

	if (!again) {
		tx->window_shut = true;
		step->mine->shut_ms = step->now_ms;
	}
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_ZERO_WINDOW,
						  .nth = count_up(&tx->zero_windows),
						  .since_us = again ? (int64_t)(step->now_ms - step->mine->shut_ms) * 1000 : -1 });
}

static void open_again(const struct flow_step *step)
{
	struct flow_side *tx = step->tx;
	uint32_t shut_ms = step->now_ms - step->mine->shut_ms;

	tx->window_shut = false;
	tx->zero_window_ms = MAX(tx->zero_window_ms, shut_ms);
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_WINDOW_OPEN, .since_us = (int64_t)shut_ms * 1000 });
}

void tcp_window_add(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;

	/* An acknowledgement that was overtaken offers a window of the past. */
	if (!(tcp->flags & TCP_ACK) || tcp->ack != step->tx->ack)
		return;
	/* That of a SYN is never scaled, so it compares with later ones only where those are not either. */
	if (tcp->flags & TCP_SYN) {
		step->mine->window = tcp->window;
		step->mine->has_window = step->tx->has & SIDE_HAS_WSCALE && !step->tx->wscale;
		return;
	}
	if (!tcp->window) {
		if (!(tcp->flags & TCP_FIN))
			shut(step);
	} else if (UNLIKELY(step->tx->window_shut)) {
		open_again(step);
	}
	step->mine->window = tcp->window;
	step->mine->has_window = true;
}

void tcp_window_filled(const struct flow_step *step, uint32_t end)
{
	const struct flow_side *rx = step->rx;

	if (!(rx->has & SIDE_HAS_WSCALE) || !step->theirs->has_window || !step->theirs->window || !(rx->has & SIDE_HAS_ACK))
		return;
	if (end != rx->ack + ((uint32_t)step->theirs->window << rx->wscale))
		return;
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_WINDOW_FULL,
						  .nth = count_up(&step->tx->window_fulls),
						  .since_us = -1,
						  .seq = step->tcp->seq - step->tx->isn,
						  .length = step->tcp->payload });
}

/* RFC 9293 §3.8.6.1: into a shut window one byte is sent, new or old, or none just below what was acknowledged. */
static bool asks_for_room(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	const struct flow_side *rx = step->rx;

	if (!rx->window_shut || tcp->payload > 1)
		return false;
	if (tcp->seq == step->tx->seq_next - 1 || (rx->has & SIDE_HAS_ACK && tcp->seq == rx->ack - 1))
		return true;
	return tcp->payload && (tcp->seq == step->tx->seq_next || (rx->has & SIDE_HAS_ACK && tcp->seq == rx->ack));
}

static bool asks_for_life(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	const struct flow_side *tx = step->tx;

	if (tcp->seq != tx->seq_next - 1 || tcp->payload > 1)
		return false;
	if (step->rx->has & SIDE_HAS_ACK && step->rx->ack != tx->seq_next)
		return false;
	return !tcp->payload || step->now_ns - tx->last_ns >= KEEPALIVE_MIN_MS * MS_NS;
}

bool tcp_window_probe(const struct flow_step *step)
{
	const struct tcp_header *tcp = step->tcp;
	struct flow_side *tx = step->tx;

	if (LIKELY(tcp->payload > 1) || tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return false;
	if (asks_for_room(step)) {
		/* A new byte counts as sent only once it is acknowledged: until then the sender offers it again and again. */
		step->mine->probed = tcp->payload && tcp->seq == tx->seq_next;
		flow_step_tell(step, &(struct flow_news){ .kind = EVENT_ZERO_WINDOW_PROBE,
							  .nth = count_up(&tx->probes),
							  .since_us = (int64_t)(step->now_ms - step->theirs->shut_ms) * 1000,
							  .seq = tcp->seq - tx->isn,
							  .length = tcp->payload });
		return true;
	}
	if (!asks_for_life(step))
		return false;
	step->mine->keepalive = true;
	flow_step_tell(step, &(struct flow_news){ .kind = EVENT_KEEPALIVE, .nth = count_up(&tx->keepalives), .since_us = step->silence_ns / US_NS });
	return true;
}

void tcp_window_settle(struct flow_slot *slot)
{
	/* Nobody knows what the window did after the flow's last packet. */
	uint32_t last_ms = (uint32_t)(flow_last_ns(&slot->flow) / MS_NS);

	for (unsigned side = 0; side < 2; side++) {
		struct flow_side *tx = &slot->flow.side[side];

		if (tx->window_shut)
			tx->zero_window_ms = MAX(tx->zero_window_ms, last_ms - slot->track[side].shut_ms);
	}
}
