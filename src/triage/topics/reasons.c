/* SPDX-License-Identifier: MIT */
/* Why a socket has no known owner: the reason codes of owner_unknown. */
#include "tcptriage/triage/topics.h"

#define NOTHING_TO_DO "None: no process can be named."

const struct topic_text topic_reasons[OWNER_UNKNOWN_COUNT] = {
	[OWNER_TIME_WAIT] = {
		.summary = "no owner: the connection is over",
		.meaning = "A TIME-WAIT record (or that of a closed socket in FIN-WAIT-2) outlives the socket; the process has closed it long ago.",
		.normal = "Always so for TIME-WAIT.",
		.bad = "Never.",
		.action = NOTHING_TO_DO " Local or peer port tell which service it was.",
		.refs = { "net/ipv4/inet_timewait_sock.c" },
	},
	[OWNER_SYN_RECV] = {
		.summary = "no owner: half open, it belongs to its listener",
		.meaning = "Before the handshake is finished there is only a request; the process that listens on the local port is the one concerned.",
		.normal = "Always so for SYN-RECV.",
		.bad = "Never.",
		.action = "Look up the owner of the listener on the same port.",
		.refs = { "net/ipv4/inet_connection_sock.c" },
	},
	[OWNER_ORPHAN] = {
		.summary = "no owner: closed by its process, the kernel finishes alone",
		.meaning = "FIN-WAIT-1, FIN-WAIT-2, CLOSING and LAST-ACK after close(): no descriptor refers to the socket any more, its inode is 0.",
		.normal = "Always so after close().",
		.bad = "Thousands: see sockstat.TCP.orphan.",
		.action = "Attribute them by peer and local port.",
		.refs = { "net/ipv4/tcp.c (__tcp_close)" },
	},
	[OWNER_NOT_ACCEPTED] = {
		.summary = "no owner: the connection waits for accept()",
		.meaning = "The handshake is finished and the listener's program has not called accept() yet; until then the socket has inode 0 and no descriptor.",
		.normal = "For milliseconds.",
		.bad = "For seconds: the program's accept loop is blocked. In CLOSE-WAIT: the client gave up before it was accepted.",
		.action = "Look up the owner of the listener on the same local port, and its Recv-Q.",
		.refs = { "net/ipv4/inet_connection_sock.c (inet_csk_accept)" },
	},
	[OWNER_NO_PERMISSION] = {
		.summary = "no owner known: descriptors of other users could not be read",
		.meaning = "Finding an owner means reading /proc/PID/fd of every process, which the kernel allows for one's own processes only unless privileges are there.",
		.normal = "When run without privilege.",
		.bad = "Never.",
		.action = "Run as root, or give the program CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (tcptriage doctor prints the line).",
		.refs = { "capabilities(7)", "proc_pid_fd(5)" },
	},
	[OWNER_OTHER_PID_NAMESPACE] = {
		.summary = "no owner known: /proc does not show every process",
		.meaning = "This program runs in a pid namespace of its own (a container), or /proc hides processes; the holder lives outside of what can be seen.",
		.normal = "Inside containers.",
		.bad = "Never.",
		.action = "Run on the host, with --netns for the container.",
		.refs = { "pid_namespaces(7)" },
	},
	[OWNER_KERNEL] = {
		.summary = "no owner: a socket of the kernel's own",
		.meaning = "Every process was read and none holds it: NFS, SMB, iSCSI, DLM, WireGuard and others open sockets inside the kernel.",
		.normal = "Port 2049 (NFS), 445 (SMB) and the like.",
		.bad = "On a port that should belong to a program: the descriptor may be on its way inside a Unix socket message, or held by io_uring.",
		.action = "Find the mount or module by the peer.",
		.refs = { "net/socket.c (sock_create_kern)" },
	},
	[OWNER_RACED] = {
		.summary = "no owner known: the socket appeared while we looked",
		.meaning = "Sockets and processes are read one after the other; this one was not there at the first look.",
		.normal = "A few on busy hosts.",
		.bad = "Never.",
		.action = "Run again.",
		.refs = { "proc_pid_fd(5)" },
	},
};
