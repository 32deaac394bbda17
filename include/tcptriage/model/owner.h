/* SPDX-License-Identifier: MIT */
/* Who holds a socket: processes and descriptors, or the reason why nobody is known. */
#ifndef TCPTRIAGE_MODEL_OWNER_H
#define TCPTRIAGE_MODEL_OWNER_H

#include "tcptriage/model/socket.h"

/** enum owner_unknown - why a socket has no known owner; the names are part of the JSON contract. */
enum owner_unknown {
	OWNER_KNOWN,
	OWNER_TIME_WAIT,	   /* a mini-socket: the process has closed it */
	OWNER_SYN_RECV,		   /* a request: belongs to its listener */
	OWNER_ORPHAN,		   /* closed by its process, the kernel finishes alone */
	OWNER_NOT_ACCEPTED,	   /* waits in a listener's accept queue */
	OWNER_NO_PERMISSION,	   /* some /proc/PID/fd could not be read */
	OWNER_OTHER_PID_NAMESPACE, /* this /proc does not show every process */
	OWNER_KERNEL,		   /* every process was read: NFS, kTLS and other sockets of the kernel's own */
	OWNER_RACED,		   /* appeared after /proc was read */
	OWNER_UNKNOWN_COUNT
};
/** owner_unknown_name() - "time-wait", "not-accepted", …; "" for OWNER_KNOWN. */
const char *owner_unknown_name(enum owner_unknown reason);

/**
 * struct process - one process that holds sockets. Strings are owned by the owner map, text from outside (escape it).
 * @comm: up to 15 bytes. @cgroup: cgroup v2 path ("" unknown). @unit: systemd unit ("" none). @container: runtime's short id or pod
 * ("" none). @start_us: start in CLOCK_BOOTTIME µs, 0 unknown. @nofile: RLIMIT_NOFILE soft limit, 0 unknown. @fds: open descriptors.
 * @sockets: descriptors of it that the owner map holds. @netns: inode of its network namespace, 0 unknown.
 * @run_state: /proc/PID/stat's state letter (R S D T Z), 0 unknown. @nspid: pid inside its own pid namespace, 0 unknown.
 */
struct process {
	uint32_t pid, uid, nspid;
	uint32_t fds, sockets;
	uint64_t nofile, netns;
	int64_t start_us;
	const char *comm, *cgroup, *unit, *container;
	char run_state;
};

/** struct holder - one descriptor of one process on the socket @inode. */
struct holder {
	const struct process *process;
	int32_t fd;
	uint32_t inode;
};

/**
 * owner_reason_of_state() - the reason that the socket's state alone explains: TIME-WAIT, SYN-RECV, orphan, not accepted.
 * Return: OWNER_KNOWN when the socket has an inode and /proc must tell.
 */
enum owner_unknown owner_reason_of_state(const struct sock *sock);

#endif
