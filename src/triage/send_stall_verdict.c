/* SPDX-License-Identifier: MIT */
/* The decision table of a send that does not go on, as data. */
#include "send_stall_verdict.h"

static const struct row {
	uint8_t window_shut, repeating, answered, own_unread, others_unread;
	struct send_stall_verdict verdict;
} rows[] = {
	{ YES, NO, YES, NOT_YES, NOT_YES, { SEND_STALL_PEER, 0.9, "peer-zero-window" } },
	{ YES, NO, YES, NOT_YES, YES, { SEND_STALL_RELAY, 0.9, "peer-zero-window" } },
	{ YES, NO, YES, YES, ANY, { SEND_STALL_DEADLOCK, 0.6, "peer-zero-window" } },
	{ YES, NO, NO, ANY, ANY, { SEND_STALL_DEAD, 0.85, "dead-peer-unacked" } },
	{ NO, YES, NO, ANY, ANY, { SEND_STALL_DEAD, 0.9, "dead-peer-unacked" } },
	{ NO, YES, YES, ANY, ANY, { SEND_STALL_LOSS, 0.9, "retrans-high" } },
};

static bool accepts(const struct row *row, const struct send_stall_signs *s)
{
	return row->window_shut >> s->window_shut & 1 && row->repeating >> s->repeating & 1 &&
	       row->answered >> s->answered & 1 && row->own_unread >> s->own_unread & 1 &&
	       row->others_unread >> s->others_unread & 1;
}

struct send_stall_verdict send_stall_verdict(const struct send_stall_signs *signs)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (accepts(&rows[i], signs))
			return rows[i].verdict;
	}
	return (struct send_stall_verdict){ .story = SEND_STALL_NO_VERDICT };
}

enum answer send_stall_probes_answered(double unanswered, double heard_ms, double probes, double silent_ms)
{
	if (unanswered >= probes && heard_ms >= silent_ms)
		return ANSWER_NO;
	return unanswered < probes - 1 ? ANSWER_YES : ANSWER_UNKNOWN;
}
