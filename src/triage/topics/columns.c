/* SPDX-License-Identifier: MIT */
/* What stands in a row of sockets: the columns and the words beside them. */
#include "tcptriage/triage/topics.h"

#include <assert.h>

const char *const topic_column_names[] = {
	"State", "Recv-Q", "Recv-Q of LISTEN", "Send-Q", "Send-Q of LISTEN", "timer", "skmem", "send", "uid", "inode", "cookie",
	"mark", "cgroup", NULL,
};

const struct topic_text topic_columns[] = {
	{
		.summary = "where the connection stands in its life",
		.meaning = "One of eleven TCP states. UDP sockets show ESTAB when connected to one peer and UNCONN otherwise.",
		.normal = "Mostly ESTAB, LISTEN and TIME-WAIT.",
		.bad = "See each state.",
		.action = "tcptriage explain STATE",
		.refs = { "RFC 9293 §3.3.2", "include/net/tcp_states.h" },
	},
	{
		.also = "recvq recv_q",
		.summary = "bytes received that the program has not read",
		.meaning = "In-order data waiting in the socket. The peer's FIN counts as one byte until the program has read the end of file: Recv-Q 1 in CLOSE-WAIT is the unread end of file. For UDP it is memory, overhead included.",
		.normal = "0, or falling again at once.",
		.bad = "Stays or grows over two looks: the program does not read. Its peer will soon be stopped by a closed window.",
		.action = "Find out what the process does (blocked, stopped, waiting for somebody else). A larger buffer only delays the stall.",
		.refs = { "net/ipv4/tcp_diag.c (tcp_diag_get_info)", "RFC 9293 §3.8.6" },
	},
	{
		.also = "recv-q recvq recv_q accept-queue",
		.summary = "for LISTEN: finished connections that wait for accept()",
		.meaning = "A count, not bytes. It may exceed Send-Q by one: the queue is full when it is above the limit.",
		.normal = "0, or a few for a moment.",
		.bad = "At or above Send-Q: new connections are being dropped. Above 0 in every look: the program does not call accept().",
		.action = "Unblock accept(); then raise the backlog.",
		.refs = { "net/ipv4/tcp_diag.c (tcp_diag_get_info)", "somaxconn" },
	},
	{
		.also = "sendq send_q",
		.summary = "bytes that the peer has not acknowledged, sent or not",
		.meaning = "What is in flight plus what was never sent (notsent). An unacknowledged SYN or FIN counts as one.",
		.normal = "0, or moving.",
		.bad = "Stands still: with timer 'on' nothing comes back from the peer, with timer 'persist' the peer's program does not read.",
		.action = "Look at timer, backoff and snd_wnd (-io).",
		.refs = { "net/ipv4/tcp_diag.c (tcp_diag_get_info)" },
	},
	{
		.also = "send-q sendq send_q backlog",
		.summary = "for LISTEN: the limit of the accept queue",
		.meaning = "A count, not bytes: the smaller of the listen() argument and net.core.somaxconn when listen() was called.",
		.normal = "Hundreds for a busy service.",
		.bad = "Equal to a small somaxconn: the program asked for more and was cut. 5 or less on a public service.",
		.action = "Raise both and restart the program; a changed somaxconn does not touch sockets that listen already.",
		.refs = { "net/ipv4/tcp_diag.c (tcp_diag_get_info)", "somaxconn" },
	},
	{
		.also = "on keepalive persist delack",
		.summary = "which timer runs, when it runs out, how often it did",
		.meaning = "timer:(KIND,LEFT,COUNT). on: retransmission of data, SYN or FIN. keepalive: SO_KEEPALIVE is set and the connection idle. persist: the peer's window is closed and probes ask for it. timewait: rest of TIME-WAIT (60 s) or of a closed FIN-WAIT-2. delack: an ACK is being held back. No timer at all: idle without keepalive.",
		.normal = "None on idle connections; 'on' for moments while data is in flight.",
		.bad = "on with COUNT of 3 or more; keepalive with COUNT of 2 or more; persist in several looks. One look at persist proves nothing: fast senders show it for moments.",
		.action = "See backoff and probes.",
		.refs = { "net/ipv4/inet_diag.c", "net/ipv4/tcp_timer.c" },
	},
	{
		.also = "rmem rcvbuf wmem sndbuf fwd wmem_queued optmem drops",
		.summary = "memory of the socket, and what it dropped",
		.meaning = "skmem:(r,rb,t,tb,f,w,o,bl,d). r: memory of received data, rb: its limit. t: memory of packets handed to the lower layers, tb: limit of the send buffer. f: charged in advance. w: memory of the send queue. o: options. bl: packets that came while the program held the socket. d: packets dropped by this socket. Memory counts overhead, so it exceeds the bytes in the queues.",
		.normal = "r and w small; d 0.",
		.bad = "r near rb: the program does not read. d growing: on a listener these are connections lost to a full accept queue, on UDP datagrams lost to a full buffer.",
		.action = "d belongs to this one socket, so it names the culprit where the counters of the host cannot.",
		.refs = { "include/uapi/linux/sock_diag.h", "net/core/sock.c (sk_get_meminfo)" },
	},
	{
		.summary = "rate that window and round-trip time would allow",
		.meaning = "Computed, not measured: snd_mss × snd_cwnd / rtt, in bits a second.",
		.normal = "At or above what the program needs.",
		.bad = "Far below it while lost or total_retrans grow.",
		.action = "delivery_rate is the measured one.",
		.refs = { "RFC 5681 §3" },
	},
	{
		.also = "user",
		.summary = "user who created the socket",
		.meaning = "Numeric user id at creation. A connection that nobody has accepted yet shows 0, whoever the listener belongs to.",
		.normal = "The service's user.",
		.bad = "Root where the service should have dropped its privileges.",
		.action = "Compare with the owner's process (-p).",
		.refs = { "net/ipv4/inet_diag.c" },
	},
	{
		.also = "ino",
		.summary = "number that links a socket to descriptors in /proc",
		.meaning = "/proc/PID/fd shows 'socket:[INODE]'. 0 means that no descriptor exists: TIME-WAIT, SYN-RECV, closed sockets and connections that wait for accept().",
		.normal = "Not 0 for ESTAB and LISTEN.",
		.bad = "0 in ESTAB or CLOSE-WAIT that lasts: nobody calls accept().",
		.action = "tcptriage states -p resolves it.",
		.refs = { "proc_pid_fd(5)", "net/ipv4/inet_diag.c" },
	},
	{
		.also = "sk",
		.summary = "identity of a socket for its whole life",
		.meaning = "A 64-bit number, unique in its namespace, unchanged from ESTAB through CLOSE-WAIT to TIME-WAIT. Address and port may come back; a cookie does not.",
		.normal = "Different sockets in each look on a busy service.",
		.bad = "The same cookies in CLOSE-WAIT minutes later: a leak, not churn.",
		.action = "Compare two recordings by cookie.",
		.refs = { "net/core/sock_diag.c" },
	},
	{
		.also = "fwmark",
		.summary = "mark that routing and firewall rules can match",
		.meaning = "SO_MARK of the socket. The kernel shows it to privileged users only.",
		.normal = "0.",
		.bad = "A mark without the matching 'ip rule': the connection takes another way than you think.",
		.action = "ip rule; nft list ruleset.",
		.refs = { "net/ipv4/inet_diag.c", "ip-rule(8)" },
	},
	{
		.summary = "control group of the socket",
		.meaning = "The cgroup v2 in which it was created: systemd unit, container or pod.",
		.normal = "The service's unit.",
		.bad = "Another service's unit: the socket was handed over or inherited.",
		.action = "systemctl status PID",
		.refs = { "net/ipv4/inet_diag.c", "Documentation/admin-guide/cgroup-v2.rst" },
	},
};
static_assert(ARRAY_SIZE(topic_column_names) == ARRAY_SIZE(topic_columns) + 1, "a text for every name");
