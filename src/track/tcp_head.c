/* SPDX-License-Identifier: MIT */
/* The segment that the other side waits for, when it is sent again and again: how large, how often, for how long, and what became of it. */
#include "tcp_segment.h"

/* From so many on it is no chance. */
#define TRIES 3

static void publish(const struct flow_step *step, const struct tcp_trouble *trouble)
{
	struct flow_side *tx = step->tx;

	if (trouble->head_tries < TRIES || !trouble->head_ip || (tx->ip_dead_min && tx->ip_dead_min < trouble->head_ip))
		return;
	tx->ip_dead_min = trouble->head_ip;
	tx->dead_tries = trouble->head_tries;
	tx->dead_ms = trouble->head_last_ms - trouble->head_first_ms;
	tx->dead_since_ms = trouble->head_first_ms - (uint32_t)(step->flow->first_ns / MS_NS);
}

void tcp_head_resent(const struct flow_step *step, uint32_t start, uint32_t first_ms)
{
	struct tcp_trouble *trouble = flow_step_need_trouble(step, step->side);

	if (!step->ip_size)
		return;
	if (!trouble->head_tries || trouble->head_start != start) {
		trouble->head_start = start;
		trouble->head_first_ms = first_ms;
		trouble->head_ip = step->ip_size;
		trouble->head_tries = 1;
		trouble->head_smaller = false;
	}
	trouble->head_last_ms = step->now_ms;
	/* Cut smaller, the bytes say nothing more of the size that died. */
	if (step->ip_size < trouble->head_ip && trouble->head_tries >= TRIES) {
		trouble->head_smaller = true;
		return;
	}
	trouble->head_ip = step->ip_size;
	count_up(&trouble->head_tries);
	publish(step, trouble);
}

void tcp_head_acked(const struct flow_step *step, uint32_t ack)
{
	struct tcp_trouble *trouble = flow_step_trouble(step, !step->side);
	struct flow_side *rx = step->rx;

	if (!trouble || !trouble->head_tries || !seq_before(trouble->head_start, ack))
		return;
	/* It got through at last, as large as it was: then it was no question of size. */
	if (!trouble->head_smaller && rx->ip_dead_min == trouble->head_ip) {
		rx->ip_dead_min = rx->dead_tries = 0;
		rx->dead_ms = rx->dead_since_ms = 0;
	}
	trouble->head_tries = 0;
}
