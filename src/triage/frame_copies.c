/* SPDX-License-Identifier: MIT */
/* Where copies of packets come from. */
#include "frame_copies.h"

uint32_t frame_copies_reported(const struct flow_member *m)
{
	return m->other->dsacks > m->own->retransmissions ? m->other->dsacks - m->own->retransmissions : 0;
}

static bool are_everywhere(const struct capture_totals *totals, double percent)
{
	return totals->packets && 100 * (double)totals->duplicates >= percent * (double)totals->packets;
}

static bool would_be_reported(const struct flow_member *m)
{
	return m->flow->protocol == PROTOCOL_TCP && m->own->payload && m->own->has & SIDE_HAS_SACK_PERMITTED && m->other->has & SIDE_HAS_SACK_PERMITTED;
}

enum frame_copies frame_copies_of(const struct view *view, const struct flow_member *m, double margin, double everywhere)
{
	if (frame_copies_reported(m) > margin)
		return COPIES_OF_NETWORK;
	if (!m->own->duplicates)
		return COPIES_NONE;
	if (m->flow->interfaces & (m->flow->interfaces - 1) || are_everywhere(view->packets->totals, everywhere) || would_be_reported(m))
		return COPIES_OF_CAPTURE;
	return COPIES_UNKNOWN;
}
