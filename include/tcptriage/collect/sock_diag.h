/* SPDX-License-Identifier: MIT */
/* Questions to NETLINK_SOCK_DIAG (include/uapi/linux/inet_diag.h) on an open netlink socket. */
#ifndef TCPTRIAGE_COLLECT_SOCK_DIAG_H
#define TCPTRIAGE_COLLECT_SOCK_DIAG_H

#include "tcptriage/collect/source.h"
#include "tcptriage/decode/inet_diag.h"

/** Room for a request: header, question, and a filter program. */
#define SOCK_DIAG_REQUEST_MAX (64 * 1024 + 256)

/**
 * sock_diag_build() - write the dump request for one family (enum addr_family) into @buf (aligned for struct nlmsghdr).
 * Return: the header at the start of @buf, or NULL when the filter program does not fit.
 */
struct nlmsghdr *sock_diag_build(void *buf, size_t size, const struct diag_request *request,
				 enum addr_family family);

/**
 * sock_diag_ask() - dump one family after the other and feed what decodes to @fn. TCP sockets that are bound but not connected
 * are asked for as SOCK_STATE_BOUND_INACTIVE and come as SOCK_STATE_UNCONN.
 * Return: 0, or -errno with @err: -ENOENT when the kernel has no such table, -EPERM when the filter needs privilege.
 */
int sock_diag_ask(struct netlink *nl, const struct diag_request *request, source_socket_fn *fn,
		  void *context, struct diag_result *result, struct err *err);

/** struct sock_diag_tally - what sock_diag_take() needs to know and keeps count of. */
struct sock_diag_tally {
	enum netid netid;
	uint32_t states;
	unsigned families;
	source_socket_fn *fn;
	void *context;
	struct diag_result *result;
};
/** sock_diag_take() - a netlink_message_fn (context: struct sock_diag_tally): decode one message, count its outcome, feed the socket on. For live dumps and recordings alike. */
int sock_diag_take(const struct nlmsghdr *message, void *context);

/**
 * sock_diag_one() - one socket with every extension, by its tuple and cookie (not a dump).
 * @sock: knows tuple, family, interface and cookie (0: whichever socket would take a packet of this tuple, a listener too); refilled from the answer, its info points into @buf. Return: 0 or -errno (-ENOENT: gone).
 */
int sock_diag_one(struct netlink *nl, struct sock *sock, uint8_t *buf, size_t size);

#endif
