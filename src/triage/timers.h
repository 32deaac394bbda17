/* SPDX-License-Identifier: MIT */
/* When the kernel gives up, computed from its settings and a socket's retransmission state. Times in milliseconds. */
#ifndef TCPTRIAGE_TRIAGE_TIMERS_H
#define TCPTRIAGE_TRIAGE_TIMERS_H

#include "tcptriage/track/snapshot.h"

/** syn_give_up_ms() - how long connect() tries: every wait of the linear phase, then doubling up to the ceiling (net/ipv4/tcp_timer.c, tcp_write_timeout). */
double syn_give_up_ms(const struct snapshot *snap);
/** synack_give_up_ms() - how long a half-open connection is answered (tcp_synack_retries). */
double synack_give_up_ms(const struct snapshot *snap);
/**
 * data_give_up_ms() - what is left until unacknowledged data ends the connection with ETIMEDOUT: the kernel's model of @retries timeouts from
 * 200 ms on (net/ipv4/tcp_timer.c, tcp_model_timeout), less what has gone since the first retransmission. A TCP_USER_TIMEOUT, which is
 * invisible, comes first. Never below the running timer.
 */
double data_give_up_ms(const struct snapshot *snap, const struct sock *sock, unsigned retries);
/** data_retries() - tcp_retries2, for data on a connection that a program holds. */
unsigned data_retries(const struct snapshot *snap);
/** orphan_retries() - for a connection that its program has closed (tcp_orphan_retries; 0 stands for 8). */
unsigned orphan_retries(const struct snapshot *snap);
/**
 * closing_give_up_ms() - what is left for a socket that is closing: to the first timer that finds its limit passed, for the kernel looks only then. One
 * that its program has closed (inode 0) gets tcp_orphan_retries; where that is 0, eight as long as the timer is below its ceiling and none from there on
 * (net/ipv4/tcp_timer.c, tcp_orphan_retries), and behind a window of zero the ceiling ends it although the peer answers. One with a descriptor has
 * tcp_retries2, and behind a window of zero no limit as long as the peer answers. Return: ms; −1 never.
 */
double closing_give_up_ms(const struct snapshot *snap, const struct sock *sock);
/** sock_probing_ms() - how long the peer has kept its window at zero: the waits between probes so far (timer "persist"), and what has gone of the running one. */
int64_t sock_probing_ms(const struct sock *sock, uint32_t rto_max_ms);
/** keepalive_count() - unanswered keepalive probes that end a connection, by the host-wide setting; a socket's own TCP_KEEPCNT is invisible. */
unsigned keepalive_count(const struct snapshot *snap);
/**
 * keepalive_interval_ms() - time between two keepalive probes of a socket seen twice (@first may be @last): measured when one was sent between
 * the looks; else the host-wide setting, moved into what the running timer leaves possible. It cannot be shorter than the timer has left, nor
 * longer than the silence shared by all probes.
 */
double keepalive_interval_ms(const struct snapshot *snap, const struct sock *first,
			     const struct sock *last);
/**
 * keepalive_give_up_ms() - what is left until unanswered probes end the connection, by keepalive_interval_ms() and keepalive_count(); −1 when
 * there have been more than that: the program has set a count of its own.
 */
double keepalive_give_up_ms(const struct snapshot *snap, const struct sock *first,
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

#endif
