/* SPDX-License-Identifier: MIT */
/* Netlink dumps. The loop over messages is ours because one interrupted message must not cost the rest of its buffer. */
#include "tcptriage/collect/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel fills at most 32 KiB a datagram (net/netlink/af_netlink.c, netlink_dump) once it has seen a reader that large. */
#define RECV_BUFFER (64 * 1024)
#define SOCKET_BUFFER (4 * 1024 * 1024)
#define OVERRUN_RETRIES 3

int netlink_open(struct netlink *nl, int protocol, struct err *err)
{
	int size = SOCKET_BUFFER;

	*nl = (struct netlink){ .protocol = protocol };
	nl->sock = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	if (!nl->sock)
		return err_errno(err, -errno, "cannot open a netlink socket");
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int code = -errno;

		netlink_close(nl);
		return err_errno(err, code, "cannot bind a netlink socket");
	}
	/* Beyond rmem_max only with CAP_NET_ADMIN; either is a wish, the dump survives less. */
	if (setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	nl->size = RECV_BUFFER;
	nl->buf = xmalloc(nl->size);
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl->buf);
	*nl = (struct netlink){ 0 };
}

/* An NLMSG_ERROR or NLMSG_DONE carries a negative errno, or nothing at all when it is cut. */
static int message_error(const struct nlmsghdr *message)
{
	int32_t code;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(code))
		return message->nlmsg_type == NLMSG_ERROR ? -EBADMSG : 0;
	memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	return code > 0 || code < -4095 ? -EBADMSG : code;
}

int netlink_walk(const uint8_t *buf, size_t len, uint32_t seq, netlink_message_fn *fn, void *context,
		 struct netlink_dump_result *result, bool *done)
{
	while (len > 0 && !*done) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)buf;
		size_t step;
		int code;

		if (len < sizeof(*message) || message->nlmsg_len < sizeof(*message) ||
		    message->nlmsg_len > len) {
			result->malformed++;
			return 0;
		}
		step = MIN((size_t)NLMSG_ALIGN(message->nlmsg_len), len);
		buf += step;
		len -= step;
		if (seq && message->nlmsg_seq != seq)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			result->interrupted++;
		if (message->nlmsg_type == NLMSG_NOOP)
			continue;
		if (message->nlmsg_type == NLMSG_OVERRUN) {
			result->overruns++;
			continue;
		}
		if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
			*done = true;
			return message_error(message);
		}
		result->messages++;
		code = fn(message, context);
		if (code < 0)
			return code;
	}
	return 0;
}

/* One datagram. Return: its length (0 was cut beyond use), or -errno. */
static ssize_t receive(struct netlink *nl, struct netlink_dump_result *result)
{
	for (unsigned overruns = 0;;) {
		struct iovec iov = { .iov_base = nl->buf, .iov_len = nl->size };
		struct sockaddr_nl from;
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1 };
		ssize_t n = recvmsg(mnl_socket_get_fd(nl->sock), &msg, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS && overruns++ < OVERRUN_RETRIES) {
			result->overruns++;
			continue;
		}
		if (n < 0)
			return -errno;
		if (msg.msg_namelen == sizeof(from) && from.nl_pid != 0)
			continue; /* not from the kernel */
		if (msg.msg_flags & MSG_TRUNC) {
			result->truncated++;
			nl->size *= 2; /* the next datagram fits */
			nl->buf = xrealloc_array(nl->buf, nl->size, 1);
		}
		result->bytes += (uint64_t)n;
		return n;
	}
}

static int send_request(struct netlink *nl, struct nlmsghdr *request, struct err *err)
{
	request->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, request, request->nlmsg_len) < 0)
		return err_errno(err, -errno, "cannot ask the kernel over netlink");
	return 0;
}

int netlink_dump(struct netlink *nl, struct nlmsghdr *request, netlink_message_fn *fn, void *context,
		 struct netlink_dump_result *result, struct err *err)
{
	bool done = false;
	int code = send_request(nl, request, err);

	while (!code && !done) {
		ssize_t n = receive(nl, result);

		if (n < 0)
			return err_errno(err, (int)n, "cannot read the kernel's answer");
		code = netlink_walk(nl->buf, (size_t)n, nl->seq, fn, context, result, &done);
		if (code < 0 && done)
			return err_errno(err, code, "the kernel refused the question");
		/* a single answer (no dump) is not followed by NLMSG_DONE */
		if (!(request->nlmsg_flags & NLM_F_DUMP))
			break;
	}
	return code;
}

static int ignore(const struct nlmsghdr *message, void *context)
{
	(void)message;
	(void)context;
	return 0;
}

int netlink_dump_raw(struct netlink *nl, struct nlmsghdr *request, netlink_raw_fn *fn, void *context,
		     struct netlink_dump_result *result, struct err *err)
{
	bool done = false;
	int code = send_request(nl, request, err);

	while (!code && !done) {
		ssize_t n = receive(nl, result);

		if (n < 0)
			return err_errno(err, (int)n, "cannot read the kernel's answer");
		code = fn(nl->buf, (size_t)n, context);
		if (!code)
			code = netlink_walk(nl->buf, (size_t)n, nl->seq, ignore, NULL, result, &done);
		if (code < 0 && done)
			return err_errno(err, code, "the kernel refused the question");
	}
	return code;
}
