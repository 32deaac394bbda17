/* SPDX-License-Identifier: MIT */
/* Resets by cause. */
#include "resets.h"

/* What the kernel counts when it gives a connection up by itself or for its program (net/ipv4/tcp.c, tcp_timer.c, tcp_input.c). */
static const enum counter_id aborts[] = {
	COUNTER_TCP_ABORT_ON_CLOSE,  COUNTER_TCP_ABORT_ON_DATA,	  COUNTER_TCP_ABORT_ON_TIMEOUT,
	COUNTER_TCP_ABORT_ON_LINGER, COUNTER_TCP_ABORT_ON_MEMORY,
};

static uint64_t above(uint64_t value, uint64_t part)
{
	return value > part ? value - part : 0;
}

bool resets_of(const struct view *view, struct resets *r)
{
	bool known;
	uint64_t delta;

	*r = (struct resets){ 0 };
	known = view_delta(view, COUNTER_TCP_ESTAB_RESETS, &r->ended);
	known &= view_delta(view, COUNTER_TCP_OUT_RSTS, &r->sent);
	known &= view_delta(view, COUNTER_EMBRYONIC_RSTS, &r->embryonic);
	for (size_t i = 0; i < ARRAY_SIZE(aborts); i++) {
		known &= view_delta(view, aborts[i], &delta);
		r->aborts += delta;
	}
	r->received = above(r->ended, r->aborts);
	r->strays = above(r->sent, r->aborts);
	return known;
}
