/* SPDX-License-Identifier: MIT */
/* The kernel settings that rules look at: what they really do, defaults of current kernels, when to touch them. */
#include "tcptriage/model/sysctls.h"
#include "tcptriage/triage/topics.h"

#define IP_SYSCTL "Documentation/networking/ip-sysctl.rst"

#define PORT_RANGE \
	{ \
		.summary = "source ports for outgoing connections", \
		.meaning = "connect() without bind() picks a port from this range; each combination of source address, destination address and destination port can use every port once. bind() to port 0 picks from it too, and then a port serves one connection only.", \
		.normal = "32768 60999: 28 232 ports, that is about 470 connections a second to one destination address and port when each leaves a TIME-WAIT here.", \
		.bad = "A range narrowed by old tuning, or listeners inside it whose port a client may take while they restart.", \
		.action = "Widen it, and put the ports of listeners into ip_local_reserved_ports. A program may have a range of its own (IP_LOCAL_PORT_RANGE, 6.3 and later), which nothing shows.", \
		.refs = { IP_SYSCTL, "RFC 6056 §3.2", "net/ipv4/inet_hashtables.c" }, \
	}

#define TCP_MEM \
	{ \
		.summary = "limits of the memory of all TCP buffers on the host", \
		.meaning = "Three numbers in pages: below the first no pressure, above the second every socket is kept small until use falls below the first, above the third allocations fail and connections are reset. Host-wide: the file does not exist in other network namespaces.", \
		.normal = "Derived from the memory at boot.", \
		.bad = "sockstat.TCP.mem near the second value.", \
		.action = "Find who holds the buffers (tcptriage states -mp) before raising it.", \
		.refs = { IP_SYSCTL, "net/ipv4/tcp.c" }, \
	}

const struct topic_text topic_sysctls[SYSCTL_COUNT] = {
	[SYSCTL_PORT_LO] = PORT_RANGE,
	[SYSCTL_PORT_HI] = PORT_RANGE,
	[SYSCTL_TCP_TW_REUSE] = {
		.summary = "whether connect() may take a port that is in TIME-WAIT",
		.meaning = "0 never, 1 always, 2 (default) for loopback only. Works for the side that connects, and only when the old connection used TCP timestamps and is older than tcp_tw_reuse_delay.",
		.normal = "2.",
		.bad = "0 or 2 on a client that runs out of ports to one destination: connect() fails with EADDRNOTAVAIL.",
		.action = "Reuse connections first; 1 is relief. It does nothing for a server's TIME-WAIT and has nothing to do with tcp_tw_recycle, which was removed in 4.12.",
		.refs = { IP_SYSCTL, "RFC 6191 §2", "net/ipv4/tcp_ipv4.c (tcp_twsk_unique)" },
	},
	[SYSCTL_TCP_TW_REUSE_DELAY_MS] = {
		.summary = "how old a TIME-WAIT must be before it is reused",
		.meaning = "Milliseconds. Kernels without the setting wait 1 s.",
		.normal = "1000.",
		.bad = "No value is bad by itself.",
		.action = "Leave it.",
		.refs = { IP_SYSCTL },
	},
	[SYSCTL_TCP_MAX_TW_BUCKETS] = {
		.summary = "most TIME-WAIT records that are kept",
		.meaning = "Above it closed sockets skip TIME-WAIT (TcpExtTCPTimeWaitOverflow). A guard against attacks.",
		.normal = "Derived from the size of the connection table: 4096 to 262144.",
		.bad = "A lowered value: late duplicates can reach new connections.",
		.action = "Raise it when the overflow counter moves; never lower it to get rid of TIME-WAIT.",
		.refs = { IP_SYSCTL, "RFC 1337" },
	},
	[SYSCTL_TCP_FIN_TIMEOUT_S] = {
		.summary = "how long a closed socket waits in FIN-WAIT-2",
		.meaning = "Seconds. Only for sockets that their program has closed. It does not change TIME-WAIT, which is 60 s on every Linux.",
		.normal = "60.",
		.bad = "Very small values cut off peers that still send their last data.",
		.action = "Lowering it helps against piles of FIN-WAIT-2 and against nothing else.",
		.refs = { IP_SYSCTL, "net/ipv4/tcp.c" },
	},
	[SYSCTL_TCP_SYN_RETRIES] = {
		.summary = "how often a SYN is repeated before connect() fails",
		.meaning = "With the default the kernel gives up after about 131 s (127 s where there are no linear timeouts). A socket may set TCP_SYNCNT.",
		.normal = "6.",
		.bad = "Programs that hang for two minutes on a dead peer: they have no connect timeout of their own.",
		.action = "Set the timeout in the program (3 to 10 s).",
		.refs = { IP_SYSCTL, "RFC 9293 §3.8.3" },
	},
	[SYSCTL_TCP_SYN_LINEAR_TIMEOUTS] = {
		.summary = "how many SYN repetitions come a second apart before doubling begins",
		.meaning = "Since 6.5. With 4, SYNs are repeated after about 1, 2, 3, 4, 5, 7, 11, 19, 35 and 68 s; without, after 1, 3, 7, 15, 31 and 63 s.",
		.normal = "4; absent on older kernels, which counts as 0.",
		.bad = "No value is bad by itself.",
		.action = "Leave it.",
		.refs = { IP_SYSCTL, "net/ipv4/tcp_timer.c" },
	},
	[SYSCTL_TCP_SYNACK_RETRIES] = {
		.summary = "how often a SYN-ACK is repeated",
		.meaning = "With 5 a half-open connection is given up after 63 s, unless the client's repeated SYNs start its timer anew.",
		.normal = "5.",
		.bad = "A large value under a SYN flood keeps the half-open queue full.",
		.action = "2 or 3 during an attack; cookies matter more.",
		.refs = { IP_SYSCTL, "RFC 4987 §3.3" },
	},
	[SYSCTL_TCP_RTO_MAX_MS] = {
		.summary = "upper limit of the retransmission timeout",
		.meaning = "Milliseconds, since 6.15; before it is 120 s.",
		.normal = "120000.",
		.bad = "No value is bad by itself.",
		.action = "Leave it.",
		.refs = { IP_SYSCTL, "RFC 6298 §2 (2.5)" },
	},
	[SYSCTL_TCP_RETRIES1] = {
		.summary = "timeouts after which TCP suspects the path",
		.meaning = "After this many in a row the kernel asks routing for another way, and with tcp_mtu_probing=1 begins to look for a smaller size.",
		.normal = "3.",
		.bad = "No value is bad by itself.",
		.action = "Leave it.",
		.refs = { IP_SYSCTL, "RFC 9293 §3.8.3 (R1)" },
	},
	[SYSCTL_TCP_RETRIES2] = {
		.summary = "timeouts after which an open connection is given up",
		.meaning = "Not a count of packets in practice: the kernel turns it into a time, 924.6 s for 15 with an RTO of 200 ms.",
		.normal = "15.",
		.bad = "Programs that hang for a quarter of an hour when a peer vanishes.",
		.action = "Set TCP_USER_TIMEOUT (20 to 60 s) in the program rather than this for everybody.",
		.refs = { IP_SYSCTL, "RFC 9293 §3.8.3 (R2)", "RFC 5482" },
	},
	[SYSCTL_TCP_SYNCOOKIES] = {
		.summary = "what to do when the half-open queue is full",
		.meaning = "0 drop the SYN, 1 (default) answer with a cookie, 2 always answer with a cookie.",
		.normal = "1.",
		.bad = "0: real clients are dropped in a flood. 2: no SYN-RECV is ever visible, and options are lost without timestamps.",
		.action = "Leave it at 1.",
		.refs = { IP_SYSCTL, "RFC 4987 §3.6" },
	},
	[SYSCTL_TCP_MAX_SYN_BACKLOG] = {
		.summary = "limit of half-open connections when cookies are off",
		.meaning = "With cookies the listener's backlog alone decides; without, new unproven clients are refused before this limit is reached.",
		.normal = "128 to some thousands, by memory.",
		.bad = "Small with tcp_syncookies=0.",
		.action = "Raise it together with somaxconn and the listen() argument.",
		.refs = { IP_SYSCTL, "net/ipv4/tcp_input.c (tcp_conn_request)" },
	},
	[SYSCTL_TCP_ABORT_ON_OVERFLOW] = {
		.summary = "whether a full accept queue answers with a reset",
		.meaning = "0 (default): the client's final ACK is ignored and it will try again. 1: the client gets a RST. It concerns handshakes that are already under way; a new SYN to a full queue is dropped either way.",
		.normal = "0.",
		.bad = "1 turns a short burst into errors at clients.",
		.action = "Leave it at 0 and make accept() run.",
		.refs = { IP_SYSCTL, "net/ipv4/tcp_minisocks.c" },
	},
	[SYSCTL_TCP_TIMESTAMPS] = {
		.summary = "TCP timestamps",
		.meaning = "0 off, 1 on with a random offset for each connection, 2 on without. Needed for tcp_tw_reuse, for protection against old duplicates and for options in SYN cookies; costs 12 bytes a segment.",
		.normal = "1.",
		.bad = "0: TIME-WAIT cannot be reused.",
		.action = "Leave it at 1.",
		.refs = { IP_SYSCTL, "RFC 7323" },
	},
	[SYSCTL_TCP_MTU_PROBING] = {
		.summary = "whether TCP looks for the path MTU by itself",
		.meaning = "0 off, 1 after a black hole is suspected, 2 always. With 1 a connection in a black hole stands for about 6 s and then goes on with smaller segments; its pmtu stays as it was.",
		.normal = "0.",
		.bad = "0 behind tunnels whose ICMP is filtered: large transfers hang for ever.",
		.action = "Mend the ICMP filter or clamp the MSS; 1 is a good safety net.",
		.refs = { IP_SYSCTL, "RFC 4821" },
	},
	[SYSCTL_IP_NO_PMTU_DISC] = {
		.summary = "switches path-MTU discovery off",
		.meaning = "0: discovery on, packets carry 'do not fragment'. 1 to 3: off or restricted; a 'too big' message then leads to the smallest size or is ignored.",
		.normal = "0.",
		.bad = "Anything else that nobody remembers: small packets or ignored ICMP.",
		.action = "Set it to 0.",
		.refs = { IP_SYSCTL, "RFC 1191" },
	},
	[SYSCTL_TCP_KEEPALIVE_TIME_S] = {
		.summary = "idle time before the first keepalive probe",
		.meaning = "Seconds; only for sockets with SO_KEEPALIVE that set no TCP_KEEPIDLE. The kernel never switches keepalive on by itself.",
		.normal = "7200.",
		.bad = "7200 behind NAT or load balancers, which forget idle connections after minutes (350 s and 240 s are common).",
		.action = "Set TCP_KEEPIDLE in the program, well below the smallest idle limit on the way.",
		.refs = { IP_SYSCTL, "RFC 9293 §3.8.4", "RFC 5382 §5" },
	},
	[SYSCTL_TCP_KEEPALIVE_INTVL_S] = {
		.summary = "time between keepalive probes",
		.meaning = "Seconds, once a probe was not answered.",
		.normal = "75.",
		.bad = "No value is bad by itself.",
		.action = "10 to 15 finds a dead peer in about a minute.",
		.refs = { IP_SYSCTL },
	},
	[SYSCTL_TCP_KEEPALIVE_PROBES] = {
		.summary = "unanswered probes before the connection is ended",
		.meaning = "With the defaults a dead peer is noticed 7200 + 9 × 75 s after the last traffic.",
		.normal = "9.",
		.bad = "1: one lost packet ends the connection.",
		.action = "4 to 6.",
		.refs = { IP_SYSCTL, "RFC 9293 §3.8.4" },
	},
	[SYSCTL_TCP_MAX_ORPHANS] = {
		.summary = "most closed sockets without a program on the host",
		.meaning = "Above it the kernel resets them (TcpExtTCPAbortOnMemory). Host-wide: the file does not exist in other network namespaces.",
		.normal = "Derived from the memory at boot.",
		.bad = "sockstat.TCP.orphan above half of it.",
		.action = "Find the peers that do not finish; raise it only with memory to spare.",
		.refs = { IP_SYSCTL, "net/ipv4/tcp.c (tcp_check_oom)" },
	},
	[SYSCTL_TCP_ORPHAN_RETRIES] = {
		.summary = "timeouts after which a closed socket is given up",
		.meaning = "0 (default) means 8. Fewer when memory is short.",
		.normal = "0.",
		.bad = "No value is bad by itself.",
		.action = "A small number helps busy public servers whose clients vanish.",
		.refs = { IP_SYSCTL, "net/ipv4/tcp_timer.c (tcp_orphan_retries)" },
	},
	[SYSCTL_TCP_MEM_PRESSURE] = TCP_MEM,
	[SYSCTL_TCP_MEM_HIGH] = TCP_MEM,
	[SYSCTL_RP_FILTER_ALL] = {
		.summary = "drop packets whose answer would leave by another interface",
		.meaning = "0 off, 1 strict, 2 loose (any route back will do). The larger of conf.all and conf.INTERFACE counts. TcpExtIPReversePathFilter counts the drops; nothing else shows them.",
		.normal = "0 or 2; some distributions ship 1 or 2.",
		.bad = "1 with more than one uplink, a VPN or asymmetric routes: connections of some clients hang.",
		.action = "2 on the interfaces concerned, or source-based routing.",
		.refs = { IP_SYSCTL, "RFC 3704 §2", "net/ipv4/fib_frontend.c" },
	},
	[SYSCTL_SOMAXCONN] = {
		.summary = "upper limit of every listen() backlog",
		.meaning = "listen() with a larger argument is cut silently. Taken at listen(): a change needs a restart of the program.",
		.normal = "4096 (128 before 5.4).",
		.bad = "128 on a busy server.",
		.action = "Raise it together with the program's backlog.",
		.refs = { IP_SYSCTL, "net/socket.c (__sys_listen)" },
	},
	[SYSCTL_RMEM_MAX] = {
		.summary = "largest SO_RCVBUF that a program may ask for",
		.meaning = "Bytes; the kernel doubles what is asked for to cover overhead. TCP buffers that size themselves are limited by tcp_rmem instead.",
		.normal = "212992 (4 MiB on newer kernels).",
		.bad = "Small where a UDP service sets a large buffer and UdpRcvbufErrors still grows.",
		.action = "Raise it for such UDP services.",
		.refs = { "Documentation/admin-guide/sysctl/net.rst", "net/core/sock.c" },
	},
	[SYSCTL_MTU_EXPIRES_S] = {
		.summary = "how long a path MTU that a router has told is believed",
		.meaning = "Seconds from the 'too big' message on. Then the size of the interface is tried again, which costs a packet and a round trip where the path is still narrow. IPv6 has a setting of its own of this name.",
		.normal = "600.",
		.bad = "A few seconds: every long transfer loses packets again and again.",
		.action = "Leave it; a path that is always narrow wants the MTU of its interface or route set.",
		.refs = { IP_SYSCTL, "RFC 1191 §6.3" },
	},
	[SYSCTL_CONNTRACK_ESTABLISHED_S] = {
		.summary = "how long this host's connection tracking remembers an idle connection",
		.meaning = "Seconds without a packet after which an established TCP connection is forgotten. The next packet is then unknown: rules that ask for known connections drop it, and NAT cannot be undone for it. Exists where connection tracking is loaded; counts where a rule uses it.",
		.normal = "432000 (five days); 86400 on hosts with kube-proxy.",
		.bad = "Less than the idle time of connections that are kept open: they die on their next use, often without an error for minutes.",
		.action = "Keepalive below it (TCP_KEEPIDLE), or raise it again; who lowered it did so for nf_conntrack_max.",
		.refs = { "Documentation/networking/nf_conntrack-sysctl.rst", "RFC 5382 §5", "net/netfilter/nf_conntrack_proto_tcp.c" },
	},
	[SYSCTL_CONNTRACK_COUNT] = {
		.summary = "a gauge: connections that this host's connection tracking knows now",
		.meaning = "Entries of all protocols in this network namespace. 0 where no rule uses connection tracking.",
		.normal = "Well below nf_conntrack_max.",
		.bad = "Near nf_conntrack_max: new connections are dropped.",
		.action = "Find what makes so many short flows; raise nf_conntrack_max when they are real.",
		.refs = { "Documentation/networking/nf_conntrack-sysctl.rst", "net/netfilter/nf_conntrack_standalone.c" },
	},
};
