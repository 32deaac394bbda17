/* SPDX-License-Identifier: MIT */
/* A network namespace and what it is called. */
#ifndef TCPTRIAGE_MODEL_NETNS_H
#define TCPTRIAGE_MODEL_NETNS_H

#include "tcptriage/base/util.h"

/**
 * struct netns - one network namespace.
 * @inode: its identity (stat of its nsfs file); 0 when unknown (a recording from a kernel that did not tell).
 * @name: what to call it: "" for the one we started in, else the name below /run/netns, the container, or "pid:N". Text from outside.
 * @container: short id or pod from a member's cgroup path, "" when none. @unit: systemd unit of a member, "" when none.
 * @path: a file to setns() to, owned by the arena; NULL for the one we are in and in recordings. @pid: a member process, 0 none.
 */
struct netns {
	uint64_t inode;
	const char *name, *container, *unit, *path;
	uint32_t pid;
};

#endif
