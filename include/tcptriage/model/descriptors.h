/* SPDX-License-Identifier: MIT */
/* Processes that have opened much of what they may: how many descriptors, and which sockets are among them. */
#ifndef TCPTRIAGE_MODEL_DESCRIPTORS_H
#define TCPTRIAGE_MODEL_DESCRIPTORS_H

#include "tcptriage/model/owner.h"

/** Below so many descriptors nobody asks for a limit: half of the smallest limit that anybody runs a server with. */
#define DESCRIPTORS_FEW 64
/** From this part of its limit on (percent) a process is noted; from the second on its sockets are listed too. */
#define DESCRIPTORS_NOTED 50
#define DESCRIPTORS_LISTED 75
/** Most processes that are noted, worst first. */
#define DESCRIPTORS_PROCESSES_MAX 64

/**
 * struct descriptor_end - where connections lead: the endpoint they were opened to, or, @accepted, the one of ours that they came to.
 * @sockets: at least so many do.
 */
struct descriptor_end {
	struct endpoint at;
	uint32_t sockets;
	bool accepted;
};
#define DESCRIPTOR_ENDS_MAX 4

/**
 * struct descriptor_user - one process.
 * @process: its @fds, @nofile and @netns are known; @sockets counts every kind of socket; where none are listed one stands for any number.
 * @inodes, @inode_count: its sockets, sorted. @listed: they were looked for. @cut: there are more than were looked at.
 * Of one namespace, when it was looked through: @tcp by state, @udp, @ends (by the argument of Misra and Gries an endpoint to which more than
 * a fifth of the connections lead is among them).
 */
struct descriptor_user {
	struct process process;
	const uint32_t *inodes;
	size_t inode_count;
	bool listed, cut;
	uint32_t tcp[SOCK_STATE_COUNT], udp;
	struct descriptor_end ends[DESCRIPTOR_ENDS_MAX];
};

/**
 * struct descriptor_use - what one pass over the processes found; @at, @count: worst first.
 * @processes: that were counted. @unread: their descriptors could not be counted. @closed: from DESCRIPTORS_LISTED on, but nobody may look
 * which sockets they hold, nor in which namespace they are. @left_out: beyond DESCRIPTORS_PROCESSES_MAX. @partial: not every process is to be seen.
 */
struct descriptor_use {
	struct descriptor_user *at;
	size_t count;
	unsigned processes, unread, closed, left_out;
	bool partial;
	int64_t cost_us;
};

/** descriptors_percent() - @fds of @nofile. */
double descriptors_percent(const struct process *process);
/** descriptors_inet() - TCP and UDP sockets of the namespace that was looked through. */
uint32_t descriptors_inet(const struct descriptor_user *user);

#endif
