/* SPDX-License-Identifier: MIT */
/* One socket as the kernel reported it: the model between decode/ and everything that judges or prints. */
#ifndef TCPTRIAGE_MODEL_SOCKET_H
#define TCPTRIAGE_MODEL_SOCKET_H

#include "tcptriage/model/address.h"
#include "tcptriage/model/state.h"
#include "tcptriage/model/tcp_info.h"

/** enum netid - transport of a socket. */
enum netid { NETID_TCP, NETID_UDP, NETID_COUNT };
/** netid_name() - "tcp" or "udp". */
const char *netid_name(unsigned netid);

/** enum sock_timer - idiag_timer (net/ipv4/inet_diag.c, net/ipv4/tcp_diag.c); unknown numbers are kept as they are. */
enum sock_timer {
	SOCK_TIMER_NONE,
	SOCK_TIMER_ON,
	SOCK_TIMER_KEEPALIVE,
	SOCK_TIMER_TIMEWAIT,
	SOCK_TIMER_PERSIST,
	SOCK_TIMER_DELACK,
	SOCK_TIMER_COUNT
};
/** sock_timer_name() - ss's word; "unknown" for a number that a newer kernel brought. */
const char *sock_timer_name(unsigned timer);

/** enum skmem_id - index into the SKMEMINFO array (include/uapi/linux/sock_diag.h), bytes except @SKMEM_DROPS. */
enum skmem_id {
	SKMEM_RMEM,
	SKMEM_RCVBUF,
	SKMEM_WMEM,
	SKMEM_SNDBUF,
	SKMEM_FWD,
	SKMEM_WMEM_QUEUED,
	SKMEM_OPTMEM,
	SKMEM_BACKLOG,
	SKMEM_DROPS,
	SKMEM_COUNT
};

/** Which optional parts of a struct sock the kernel delivered: bits of sock.has. tcp_info has its own length. */
enum sock_has {
	SOCK_HAS_SKMEM = 1 << 0,
	SOCK_HAS_CONG = 1 << 1,
	SOCK_HAS_TOS = 1 << 2,
	SOCK_HAS_TCLASS = 1 << 3,
	SOCK_HAS_CLASS_ID = 1 << 4,
	SOCK_HAS_CGROUP_ID = 1 << 5,
	SOCK_HAS_MARK = 1 << 6,
	SOCK_HAS_SOCKOPT = 1 << 7,
	SOCK_HAS_SHUTDOWN = 1 << 8,
	SOCK_HAS_V6ONLY = 1 << 9,
	SOCK_HAS_VEGAS = 1 << 10,
	SOCK_HAS_DCTCP = 1 << 11,
	SOCK_HAS_BBR = 1 << 12,
	SOCK_HAS_ULP_TLS = 1 << 13,
	SOCK_HAS_ULP_MPTCP = 1 << 14,
	SOCK_HAS_ULP_NAME = 1 << 15,
	SOCK_HAS_COOKIE = 1 << 16,
};

/** Bits of sock.sockopt, in ss's order (struct inet_diag_sockopt, include/uapi/linux/inet_diag.h). */
enum sockopt_bit {
	SOCKOPT_RECVERR = 1 << 0,
	SOCKOPT_IS_ICSK = 1 << 1,
	SOCKOPT_FREEBIND = 1 << 2,
	SOCKOPT_HDRINCL = 1 << 3,
	SOCKOPT_MC_LOOP = 1 << 4,
	SOCKOPT_TRANSPARENT = 1 << 5,
	SOCKOPT_MC_ALL = 1 << 6,
	SOCKOPT_NODEFRAG = 1 << 7,
	SOCKOPT_BIND_ADDRESS_NO_PORT = 1 << 8,
	SOCKOPT_RECVERR_RFC4884 = 1 << 9,
	SOCKOPT_DEFER_CONNECT = 1 << 10,
};

/**
 * struct sock_cc - state of the congestion control (union by sock.has; host order).
 * @vegas: rtt and minrtt in µs. @dctcp: alpha, marked and total bytes. @bbr: bandwidth in bytes/s, min RTT in µs, gains in 1/256.
 */
union sock_cc {
	struct {
		uint32_t enabled, rtt_count, rtt_us, min_rtt_us;
	} vegas;
	struct {
		uint16_t enabled, ce_state;
		uint32_t alpha, ab_ecn, ab_tot;
	} dctcp;
	struct {
		uint64_t bw_bytes_per_s;
		uint32_t min_rtt_us, pacing_gain, cwnd_gain;
	} bbr;
};

/**
 * struct sock - one socket. Fixed size but for @info, which points into the buffer it was decoded from.
 * @local, @peer: v4-mapped addresses are IPv4 here; @family stays what the socket is (enum addr_family).
 * @state: enum sock_state (never the two request-only numbers). @timer: enum sock_timer or a newer number. @retrans: idiag_retrans.
 * @expires_ms: of the timer. @recv_q, @send_q: bytes; for LISTEN children waiting and backlog (idiag_rqueue, idiag_wqueue).
 * @cookie: unique for the life of the namespace. @has: enum sock_has. @inode: 0 when no descriptor exists.
 * @tls: version, cipher, tx and rx configuration as the kernel numbers them. @mptcp_token: local token.
 * @shutdown: bit 0 receive side closed, bit 1 send side closed.
 */
struct sock {
	struct endpoint local, peer;
	uint8_t netid, family, state, timer, retrans;
	uint8_t tos, tclass, shutdown;
	bool v6only;
	uint16_t sockopt;
	uint32_t expires_ms, recv_q, send_q, uid, inode, ifindex, mark, class_id;
	uint32_t has;
	uint64_t cookie, cgroup_id;
	uint32_t skmem[SKMEM_COUNT];
	char cong[16], ulp[16];
	union sock_cc cc;
	struct {
		uint16_t version, cipher, tx_conf, rx_conf;
	} tls;
	uint32_t mptcp_token;
	struct tcp_info_bytes info;
};

/** sock_tcpi() - shorthand: field @id of the socket's tcp_info, 0 when absent. */
static inline uint64_t sock_tcpi(const struct sock *sock, enum tcpi_id id)
{
	return tcpi_get(&sock->info, id);
}

/**
 * sock_age_ms() - how long the socket has been in its state, where the kernel exposes it (RULES §1).
 * @rto_max_ms: ceiling of the retransmission timer (sysctl tcp_rto_max_ms; 120000 where absent).
 * @fin_timeout_ms: sysctl tcp_fin_timeout in ms.
 * @exact: set to false when the answer is a lower bound. May be NULL.
 * Return: the age in ms, or -1 when nothing is known (LISTEN, ESTAB).
 */
int64_t sock_age_ms(const struct sock *sock, uint32_t rto_max_ms, uint32_t fin_timeout_ms,
		    bool *exact);

/** sock_idle_ms() - time since the application last sent or received (min of last_data_*); -1 without tcp_info or in SYN-SENT. */
int64_t sock_idle_ms(const struct sock *sock);

#endif
