/* SPDX-License-Identifier: MIT */
/* Netlink dumps. The loop over messages is ours because one interrupted message must not cost the rest of its buffer. */
#include "tcptriage/collect/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The kernel fills at most 32 KiB a datagram (net/netlink/af_netlink.c, netlink_dump) once it has seen a reader that large. */
#define RECV_BUFFER (64 * 1024)
#define SOCKET_BUFFER (4 * 1024 * 1024)
/* A datagram larger than the buffer doubles it; the kernel's never are, so a peer that claims more is not followed for ever. */
#define RECV_BUFFER_MAX (1024 * 1024)
#define OVERRUN_RETRIES 3
/* A dump is made while it is read: an answer that does not come at once was lost. */
#define ANSWER_TIMEOUT_S 5

static void set_options(int fd)
{
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	int size = SOCKET_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	/* Beyond rmem_max only with CAP_NET_ADMIN; either is a wish, the dump survives less. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int netlink_open(struct netlink *nl, int protocol, struct err *err)
{

	*nl = (struct netlink){ .protocol = protocol };
	nl->sock = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	if (!nl->sock)
		return err_errno(err, -errno, "cannot open a netlink socket");
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int code = -errno;

		netlink_close(nl);
		return err_errno(err, code, "cannot bind a netlink socket");
	}
	set_options(mnl_socket_get_fd(nl->sock));
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

/* One datagram. Return: its length, or -errno. */
static ssize_t receive(struct netlink *nl, struct netlink_dump_result *result)
{
	for (unsigned overruns = 0;;) {
		struct iovec iov = { .iov_base = nl->buf, .iov_len = nl->size };
		struct sockaddr_nl from = { .nl_pid = 0 };
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
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (msg.msg_namelen == sizeof(from) && from.nl_pid != 0)
			continue; /* not from the kernel */
		if (msg.msg_flags & MSG_TRUNC) {
			result->truncated++;
			nl->size = MIN(nl->size * 2, (size_t)RECV_BUFFER_MAX); /* the next one fits */
			nl->buf = xrealloc_array(nl->buf, nl->size, 1);
		}
		result->bytes += (uint64_t)n;
		return n;
	}
}

static int ignore(const struct nlmsghdr *message, void *context)
{
	(void)message;
	(void)context;
	return 0;
}

/* Reads what an abandoned dump still has to say: while it runs, the kernel answers -EBUSY to the next one. */
static void drain(struct netlink *nl)
{
	struct netlink_dump_result unused = { 0 };
	bool done = false;

	while (nl->unfinished && !done) {
		ssize_t n = receive(nl, &unused);

		if (n < 0)
			break;
		netlink_walk(nl->buf, (size_t)n, nl->seq, ignore, NULL, &unused, &done);
	}
	nl->unfinished = false;
}

static int send_request(struct netlink *nl, struct nlmsghdr *request, struct err *err)
{
	drain(nl);
	request->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, request, request->nlmsg_len) < 0)
		return err_errno(err, -errno, "cannot ask the kernel over netlink");
	nl->unfinished = request->nlmsg_flags & NLM_F_DUMP;
	return 0;
}

/* Who gets the answers: each message (@fn), or each datagram as it came (@raw). */
struct taker {
	netlink_message_fn *fn;
	netlink_raw_fn *raw;
	void *context;
};

static int answers(struct netlink *nl, const struct nlmsghdr *request, const struct taker *taker,
		   struct netlink_dump_result *result, struct err *err)
{
	bool dump = request->nlmsg_flags & NLM_F_DUMP, done = false;
	uint64_t before = result->messages;
	int code = 0;

	/* a single answer is not followed by NLMSG_DONE */
	while (!code && !done && (dump || result->messages == before)) {
		ssize_t n = receive(nl, result);

		if (n < 0)
			return err_errno(err, (int)n, "cannot read the kernel's answer");
		if (taker->raw)
			code = taker->raw(nl->buf, (size_t)n, taker->context);
		if (!code)
			code = netlink_walk(nl->buf, (size_t)n, nl->seq, taker->fn, taker->context,
					    result, &done);
	}
	if (done)
		nl->unfinished = false;
	return code < 0 && done ? err_errno(err, code, "the kernel refused the question") : code;
}

int netlink_dump(struct netlink *nl, struct nlmsghdr *request, netlink_message_fn *fn, void *context,
		 struct netlink_dump_result *result, struct err *err)
{
	struct taker taker = { .fn = fn, .context = context };
	int code = send_request(nl, request, err);

	return code ? code : answers(nl, request, &taker, result, err);
}

int netlink_dump_raw(struct netlink *nl, struct nlmsghdr *request, netlink_raw_fn *fn, void *context,
		     struct netlink_dump_result *result, struct err *err)
{
	struct taker taker = { .fn = ignore, .raw = fn, .context = context };
	int code = send_request(nl, request, err);

	return code ? code : answers(nl, request, &taker, result, err);
}
