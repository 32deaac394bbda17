/* SPDX-License-Identifier: MIT */
/* What paths are known to carry at most, by what a capture shows: messages, and packets that vanished. */
#ifndef TCPTRIAGE_TRIAGE_PATH_LIMITS_H
#define TCPTRIAGE_TRIAGE_PATH_LIMITS_H

#include "flow_kit.h"

/** struct path_limit - packets from @here to @there may have @mtu bytes at most. @heard: messages said so, and were not in vain. */
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

/**
 * path_limits_in_vain() - this many messages of @report over so long, and larger packets went on: those that were on the way when the first message was
 * sent draw one as well, and where offload joins segments their sizes tell nothing.
 */
bool path_limits_in_vain(const struct icmp_report *report, double messages, double ms);
/** path_limits_of() - from packet-too-big messages, with what makes them vain, and from black holes that are proven. */
struct path_limits path_limits_of(const struct view *view, double messages, double ms);
/** path_limits_find() - that of a member's packets; NULL none known. */
const struct path_limit *path_limits_find(const struct path_limits *limits, const struct flow_member *member);

#endif
