/* SPDX-License-Identifier: MIT */
/* What all flows between two addresses tell together: which sizes pass, and what was answered when. */
#ifndef TCPTRIAGE_TRIAGE_FLOW_PAIRS_H
#define TCPTRIAGE_TRIAGE_FLOW_PAIRS_H

#include "flow_kit.h"

/**
 * struct flow_pair - packets from @here to @there. @passed: largest IP packet of TCP that is known to have arrived there. @brought: largest TCP payload
 * that came back. @answered_ns: the newest time at which something was sent that is known to have been answered, 0 never. @mark: the rule's own.
 */
struct flow_pair {
	struct addr here, there;
	uint32_t passed, brought;
	int64_t answered_ns;
	bool mark;
};

/** struct flow_pairs - those of some members, sorted. */
struct flow_pairs {
	struct flow_pair *at;
	size_t count;
};

/** flow_pairs_of() - the pairs of @members, with what all flows of the capture tell of them: one pass over it. */
struct flow_pairs flow_pairs_of(const struct view *view, const struct flow_members *members);
/** flow_pairs_find() - that of a member; it must have been among those the pairs were made of. */
struct flow_pair *flow_pairs_find(const struct flow_pairs *pairs, const struct flow_member *member);

#endif
