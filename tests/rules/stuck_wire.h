/* SPDX-License-Identifier: MIT */
/* Made-up senders that get no acknowledgement, for the rules that judge them. */
#ifndef TCPTRIAGE_TESTS_STUCK_WIRE_H
#define TCPTRIAGE_TESTS_STUCK_WIRE_H

#include "rules.h"

/* From @since_s on @side sends an IP packet of @size @tries times over @ms, and nothing else comes after it. */
static inline void get_stuck(struct flow *flow, unsigned side, uint16_t size, uint16_t tries, double since_s, uint32_t ms)
{
	struct flow_side *own = &flow->side[side];
	uint16_t headers = flow->end[0].addr.family == ADDR_V4 ? 52 : 72;

	own->ip_dead_min = size;
	own->dead_tries = tries;
	own->dead_since_ms = (uint32_t)(since_s * 1000);
	own->dead_ms = ms;
	own->packets += tries;
	own->retransmissions += tries - 1u;
	own->timeouts += (uint16_t)(tries - 1);
	own->seq_next += (uint32_t)size - headers;
	own->max_payload = (uint16_t)MAX(own->max_payload, size - headers);
	own->last_ns = own->last_payload_ns = flow->first_ns + (int64_t)(since_s * 1e9) + (int64_t)ms * 1000000;
}

/* What @side sent before was of at most @size, and acknowledged. */
static inline void has_passed(struct flow *flow, unsigned side, uint16_t size)
{
	flow->side[side].ip_acked_max = size;
}

#endif
