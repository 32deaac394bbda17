/* SPDX-License-Identifier: MIT */
/* When the kernel gives up, computed from its settings and a socket's retransmission state. Times in milliseconds. */
#ifndef TCPTRIAGE_MODEL_TIMERS_H
#define TCPTRIAGE_MODEL_TIMERS_H

#include "tcptriage/model/socket.h"
#include "tcptriage/model/sysctls.h"

/** syn_give_up_ms() - how long connect() tries: every wait of the linear phase, then doubling up to the ceiling (net/ipv4/tcp_timer.c, tcp_write_timeout). */
double syn_give_up_ms(const struct sysctls *sysctls);
/** synack_give_up_ms() - how long a half-open connection is answered (tcp_synack_retries). */
double synack_give_up_ms(const struct sysctls *sysctls);
/**
 * data_give_up_ms() - what is left until unacknowledged data ends the connection with ETIMEDOUT: the kernel's model of @retries timeouts from
 * 200 ms on (net/ipv4/tcp_timer.c, tcp_model_timeout), less what has gone since the first retransmission. A TCP_USER_TIMEOUT, which is
 * invisible, comes first. Never below the running timer.
 */
double data_give_up_ms(const struct sysctls *sysctls, const struct sock *sock, unsigned retries);
/** data_retries() - tcp_retries2, for data on a connection that a program holds. */
unsigned data_retries(const struct sysctls *sysctls);
/** orphan_retries() - for a connection that its program has closed (tcp_orphan_retries; 0 stands for 8). */
unsigned orphan_retries(const struct sysctls *sysctls);
/**
 * closing_give_up_ms() - what is left for a socket that is closing: to the first timer that finds its limit passed, for the kernel looks only then. One
 * that its program has closed (inode 0) gets tcp_orphan_retries; where that is 0, eight as long as the timer is below its ceiling and none from there on
 * (net/ipv4/tcp_timer.c, tcp_orphan_retries), and behind a window of zero the ceiling ends it although the peer answers. One with a descriptor has
 * tcp_retries2, and behind a window of zero no limit as long as the peer answers. Return: ms; −1 never.
 */
double closing_give_up_ms(const struct sysctls *sysctls, const struct sock *sock);
/** sock_probing_ms() - how long the peer has kept its window at zero: the waits between probes so far (timer "persist"), and what has gone of the running one. */
int64_t sock_probing_ms(const struct sock *sock, uint32_t rto_max_ms);
/** keepalive_count() - unanswered keepalive probes that end a connection, by the host-wide setting; a socket's own TCP_KEEPCNT is invisible. */
unsigned keepalive_count(const struct sysctls *sysctls);
/**
 * keepalive_interval_ms() - time between two keepalive probes of a socket seen twice (@first may be @last): measured when one was sent between
 * the looks; else the host-wide setting, moved into what the running timer leaves possible. It cannot be shorter than the timer has left, nor
 * longer than the silence shared by all probes.
 */
double keepalive_interval_ms(const struct sysctls *sysctls, const struct sock *first,
			     const struct sock *last);
/**
 * keepalive_give_up_ms() - what is left until unanswered probes end the connection, by keepalive_interval_ms() and keepalive_count(); −1 when
 * there have been more than that: the program has set a count of its own.
 */
double keepalive_give_up_ms(const struct sysctls *sysctls, const struct sock *first,
			    const struct sock *last);

/**
 * sock_heard_ms() - time since a segment of the peer was last taken: an acknowledgement or data. Data that acknowledges nothing new does not
 * refresh tcpi_last_ack_recv (header prediction, net/ipv4/tcp_input.c), so both have to be asked.
 */
int64_t sock_heard_ms(const struct sock *sock);
/**
 * sock_stall_ms() - time since the unacknowledged head was first sent: the timeouts so far, each twice the one before, and what has gone of the
 * running one; the kernel's own total (6.7+) where it covers this stall and no other. Rather too short than too long.
 */
int64_t sock_stall_ms(const struct sock *sock);

/** enum timeout_kind - which wait a socket is in: for an answer to its SYN, for the peer's sign of life, for an acknowledgement, for the end. */
enum timeout_kind {
	TIMEOUT_NONE,
	TIMEOUT_CONNECT,
	TIMEOUT_IDLE,
	TIMEOUT_REQUEST,
	TIMEOUT_CLOSE,
	TIMEOUT_KIND_COUNT
};
/** timeout_kind_name() - "connect", "idle", "request", "close"; "" for none. */
const char *timeout_kind_name(enum timeout_kind kind);

/** struct sock_timeout - @gives_up_ms: when the kernel ends it by itself, −1 never or not known. */
struct sock_timeout {
	enum timeout_kind kind;
	int64_t gives_up_ms;
};
/**
 * sock_timeout() - the wait that the kernel's timer on @sock belongs to. connect: SYN-SENT, SYN-RECV. idle: keepalive, which ends nothing as
 * long as the peer answers. request: data repeated, or held by a window of zero. close: FIN-WAIT-1, CLOSING, LAST-ACK, TIME-WAIT and
 * FIN-WAIT-2 without a program. A timeout of the program's own comes earlier and is invisible.
 */
struct sock_timeout sock_timeout(const struct sock *sock, const struct sysctls *sysctls);

#endif
