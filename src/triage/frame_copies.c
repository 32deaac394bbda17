/* SPDX-License-Identifier: MIT */
/* Where copies of packets come from. */
#include "frame_copies.h"

/* Reports of fewer than one in so many copies that several interfaces saw are about something else. */
#define FEW 100

uint32_t frame_copies_reported(const struct flow_member *m)
{
	/* what was not captured may have been sent again, too */
	if (m->other->acked_unseen)
		return 0;
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

static bool are_of_several_interfaces(const struct flow_member *m)
{
	return m->flow->interfaces & (m->flow->interfaces - 1);
}

/* A receiver that had the copies, too, reports them one by one; a segment that offload joined is reported in parts when it is sent again. */
static bool are_reported(const struct flow_member *m, double margin)
{
	uint32_t reported = frame_copies_reported(m);

	return reported > margin && (!are_of_several_interfaces(m) || (uint64_t)reported * FEW >= m->own->duplicates);
}

enum frame_copies frame_copies_of(const struct view *view, const struct flow_member *m, double margin, double everywhere)
{
	if (are_reported(m, margin))
		return COPIES_OF_NETWORK;
	if (!m->own->duplicates)
		return COPIES_NONE;
	if (are_of_several_interfaces(m) || are_everywhere(view->packets->totals, everywhere) || would_be_reported(m))
		return COPIES_OF_CAPTURE;
	return COPIES_UNKNOWN;
}
