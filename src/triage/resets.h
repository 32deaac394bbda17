/* SPDX-License-Identifier: MIT */
/* Which resets were sent and received over the window, by cause, as far as the counters of a namespace tell. */
#ifndef TCPTRIAGE_TRIAGE_RESETS_H
#define TCPTRIAGE_TRIAGE_RESETS_H

#include "kit.h"

/**
 * struct resets - growth over the window; 0 where unknown.
 * @ended: established connections that ended by a reset, of either side. @sent: RSTs sent. @aborts: connections that this host gave up, all causes.
 * @received: of @ended at least so many by the peer. @strays: of @sent at least so many in answer to what fits no connection: closed ports,
 * late packets. @embryonic: half-open connections that the client reset.
 */
struct resets {
	uint64_t ended, sent, aborts, received, strays, embryonic;
};

/** resets_of() - from the counters. Return: false when one that it needs is unknown. */
bool resets_of(const struct view *view, struct resets *resets);

#endif
