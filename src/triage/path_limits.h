/* SPDX-License-Identifier: MIT */
/* What paths are known to carry at most, by what a capture shows: messages, and packets that vanished. */
#ifndef TCPTRIAGE_TRIAGE_PATH_LIMITS_H
#define TCPTRIAGE_TRIAGE_PATH_LIMITS_H

#include "flow_kit.h"

/** struct path_limit - packets from @here to @there may have @mtu bytes at most. @heard: messages said so and were obeyed. */
struct path_limit {
	struct addr here, there;
	uint32_t mtu;
	bool heard;
};

/** struct path_limits - all that are known, sorted. */
struct path_limits {
	struct path_limit *at;
	size_t count;
};

/** path_limits_of() - from packet-too-big messages and from black holes that are proven. */
struct path_limits path_limits_of(const struct view *view);
/** path_limits_find() - that of a member's packets; NULL none known. */
const struct path_limit *path_limits_find(const struct path_limits *limits, const struct flow_member *member);

#endif
