/* SPDX-License-Identifier: MIT */
/* Netlink dumps with our own message loop: libmnl's drops the rest of a buffer when a dump was interrupted. */
#ifndef TCPTRIAGE_COLLECT_NETLINK_H
#define TCPTRIAGE_COLLECT_NETLINK_H

#include <linux/netlink.h>

#include "tcptriage/base/err.h"

struct mnl_socket;

/**
 * struct netlink - an open netlink socket with a large receive buffer. One per namespace; close with netlink_close().
 * @sock: libmnl's handle (owned). @buf, @size: receive buffer (owned). @seq: last sequence number used. @protocol: NETLINK_*.
 * @unfinished: an earlier dump was left before its end; the next request reads the rest of it away first.
 */
struct netlink {
	struct mnl_socket *sock;
	uint8_t *buf;
	size_t size;
	uint32_t seq;
	int protocol;
	bool unfinished;
};

/** netlink_open() - open @protocol (NETLINK_SOCK_DIAG, NETLINK_ROUTE) in the current network namespace. Return: 0 or -errno. */
int netlink_open(struct netlink *nl, int protocol, struct err *err);
/** netlink_close() - releases it; safe on a zeroed struct. Fit for CLEANUP(). */
void netlink_close(struct netlink *nl);

/**
 * struct netlink_dump_result - how complete a dump was.
 * @messages: data messages seen. @bytes: of them. @interrupted: NLM_F_DUMP_INTR seen. @truncated: buffers cut (MSG_TRUNC). @overruns: ENOBUFS.
 * @malformed: messages whose lengths contradict themselves. @retries: how often the dump was started again.
 */
struct netlink_dump_result {
	uint64_t messages, bytes;
	unsigned interrupted, truncated, overruns, malformed, retries;
};

/** netlink_message_fn - one data message (header included, header length already checked against the buffer). Return: 0, or <0 to stop. */
typedef int netlink_message_fn(const struct nlmsghdr *message, void *context);

/**
 * netlink_walk() - feed every data message of a buffer to @fn; the loop behind live dumps and recordings.
 * @done: set when NLMSG_DONE was seen. @seq: sequence that must match, 0 any.
 * Return: 0; the negative errno of an NLMSG_ERROR or NLMSG_DONE; or what @fn returned.
 */
int netlink_walk(const uint8_t *buf, size_t len, uint32_t seq, netlink_message_fn *fn, void *context,
		 struct netlink_dump_result *result, bool *done);

/**
 * netlink_dump() - send @request (its sequence is set here) and feed every answer to @fn until the dump is done, or until one answer
 * came when @request is no dump.
 * Messages may already have been fed when an error comes: the caller decides what a partial truth is worth.
 * Return: 0, or a negative errno (-ENOENT: no such module or table; -EPERM …) with @err.
 */
int netlink_dump(struct netlink *nl, struct nlmsghdr *request, netlink_message_fn *fn, void *context,
		 struct netlink_dump_result *result, struct err *err);

/** netlink_dump_fn_raw - every datagram of a dump as it came, for recordings and for the benchmark floor. */
typedef int netlink_raw_fn(const uint8_t *bytes, size_t len, void *context);
/** netlink_dump_raw() - like netlink_dump() but hands over whole datagrams. */
int netlink_dump_raw(struct netlink *nl, struct nlmsghdr *request, netlink_raw_fn *fn, void *context,
		     struct netlink_dump_result *result, struct err *err);

#endif
