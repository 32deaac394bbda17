/* SPDX-License-Identifier: MIT */
/* One TCP connection of a probe: how it is made, what the kernel tells of it, how it ends. Private to this room. */
#ifndef PROBE_TCP_SOCKET_H
#define PROBE_TCP_SOCKET_H

#include "tcptriage/model/path.h"
#include "tcptriage/model/tcp_info.h"
#include "tcptriage/probe/prober.h"

/** struct tcp_reading - tcp_info of a socket at one moment. @info points into @bytes: read through a pointer, never copied. */
struct tcp_reading {
	uint8_t bytes[TCP_INFO_MAX];
	struct tcp_info_bytes info;
};

/**
 * struct tcp_socket_wish - how a connection is to be made. @options: target, device, scope. @source_port: 0 any. @hop_limit: of all its packets, 0 the system's default.
 * @mss: advertised (TCP_MAXSEG), 0 the default.
 */
struct tcp_socket_wish {
	const struct prober_options *options;
	uint16_t source_port;
	uint8_t hop_limit;
	uint32_t mss;
};

/**
 * tcp_socket_connect() - begin a connection: non-blocking, TCP_NODELAY, DF on every packet (IP_PMTUDISC_DO), flow label 0, ICMP errors kept (IP_RECVERR).
 * IP_PMTUDISC_PROBE would not do: TCP over IPv4 then sends without DF (net/ipv4/ip_output.c ip_dont_fragment(); measured on 6.18).
 * Return: the descriptor, the caller's; or the negative errno with which this machine refuses.
 */
int tcp_socket_connect(const struct tcp_socket_wish *wish);
/**
 * tcp_socket_hold_port() - keep the source port of @options, or a free one, from everybody else: a socket that is bound to it and neither listens nor connects.
 * Return: the descriptor, the caller's, with @port; or -errno with @err: -EADDRINUSE when it is taken, -EADDRNOTAVAIL when none is free.
 */
int tcp_socket_hold_port(const struct prober_options *options, uint16_t *port, struct err *err);
/** tcp_socket_read() - read tcp_info. Return: false when the kernel does not tell. */
bool tcp_socket_read(int fd, struct tcp_reading *out);
/** tcp_socket_connecting(), tcp_socket_connected() - the handshake goes on; it is over, and the connection was not reset. */
bool tcp_socket_connecting(const struct tcp_reading *reading);
bool tcp_socket_connected(const struct tcp_reading *reading);
/** tcp_socket_header_bytes() - IP and TCP headers of a data segment: with the 12 bytes of timestamps when both ends use them (RFC 7323 §3.2). */
uint32_t tcp_socket_header_bytes(enum addr_family family, const struct tcp_reading *reading);
/** tcp_socket_begins_small() - tcp_mtu_probing=2: every connection begins with segments of tcp_base_mss bytes, and no socket can have it otherwise. */
bool tcp_socket_begins_small(void);
/** tcp_socket_witness() - what @reading tells of a connection, taken when the handshake had just ended (its rtt is then that of the handshake). */
struct tcp_witness tcp_socket_witness(const struct tcp_reading *reading);
/** tcp_socket_forget_errors() - established: ICMP errors are soft from now on, and those that were queued are gone. */
void tcp_socket_forget_errors(int fd, enum addr_family family);
/** tcp_socket_source() - the address that @fd sends from; any when it has none. */
struct addr tcp_socket_source(int fd);
/** tcp_socket_aim() - connect a socket to the target: only a TCP one sends anything by that. Return: 0, or the negative errno (-EINPROGRESS of a TCP one that does not wait). */
int tcp_socket_aim(int fd, const struct prober_options *options);
/** tcp_socket_error() - SO_ERROR, which asking clears. Return: positive errno, 0 none. */
int tcp_socket_error(int fd);
/** tcp_socket_reset() - end it at once by a reset: no FIN, no TIME-WAIT, no more retransmissions. */
void tcp_socket_reset(int fd);
/** tcp_socket_route() - what routing says of the target; nothing is sent. Return: 0 or -errno with @err. */
int tcp_socket_route(const struct prober_options *options, struct err *err);

#endif
