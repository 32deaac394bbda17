/* SPDX-License-Identifier: MIT */
/* The decoder of sock_diag answers: bytes of one netlink message to a struct sock. */
#ifndef TCPTRIAGE_DECODE_INET_DIAG_H
#define TCPTRIAGE_DECODE_INET_DIAG_H

#include "tcptriage/model/decode_status.h"
#include "tcptriage/model/socket.h"

/**
 * inet_diag_decode() - decode the payload of one SOCK_DIAG_BY_FAMILY message (struct inet_diag_msg and its attributes,
 * include/uapi/linux/inet_diag.h).
 * @payload, @len: bytes after the netlink header; need no alignment. @netid: which table was asked.
 * @sock: filled; @sock->info points into @payload.
 * Return: DECODE_TRUNCATED when the fixed part or an attribute ends early (what stood before it is filled), DECODE_UNSUPPORTED for
 * another address family, DECODE_MALFORMED for an attribute shorter than its header or a state that is none. Never reads past @len.
 */
enum decode_status inet_diag_decode(const void *payload, size_t len, enum netid netid,
				    struct sock *sock);

#endif
