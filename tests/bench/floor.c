/* SPDX-License-Identifier: MIT */
/* The floor of a socket dump: the same question to sock_diag, received into a buffer of the same size, counted and thrown away.
 *
 * Plain sockets and a loop of its own, so that nothing measured against it is part of it. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECV_BUFFER (64 * 1024) /* as src/collect/netlink.c */
#define SOCKET_BUFFER (4 * 1024 * 1024)

static const char usage[] =
	"usage: floor [FAMILIES PROTOCOL STATES EXT]...\n"
	"Asks sock_diag each question in turn and prints how many sockets came.\n"
	"  FAMILIES 4, 6 or 46    PROTOCOL tcp or udp    STATES, EXT hexadecimal masks\n";

_Noreturn static void fail(const char *what, int code)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(code));
	exit(1);
}

/* Sockets in the datagram. @done is set by its NLMSG_DONE. */
static uint64_t count_messages(const uint8_t *buf, size_t len, bool *done)
{
	uint64_t count = 0;

	while (len >= sizeof(struct nlmsghdr) && !*done) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)buf;
		size_t step = NLMSG_ALIGN(message->nlmsg_len);

		if (step < sizeof(*message) || step > len)
			fail("malformed answer", EBADMSG);
		if (message->nlmsg_type == NLMSG_ERROR)
			fail("the kernel refused", -*(const int32_t *)NLMSG_DATA(message));
		*done = message->nlmsg_type == NLMSG_DONE;
		count += !*done;
		buf += step;
		len -= step;
	}
	return count;
}

static uint64_t receive_all(int fd, uint8_t *buf)
{
	uint64_t count = 0;
	bool done = false;

	while (!done) {
		struct iovec iov = { .iov_base = buf, .iov_len = RECV_BUFFER };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &msg, 0);

		if (n < 0)
			fail("recvmsg", errno);
		count += count_messages(buf, (size_t)n, &done);
	}
	return count;
}

static uint64_t dump(int fd, uint8_t *buf, int family, int protocol, uint32_t states, uint8_t ext)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 question;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.question = { .sdiag_family = (uint8_t)family,
			      .sdiag_protocol = (uint8_t)protocol,
			      .idiag_ext = ext,
			      .idiag_states = states },
	};

	if (send(fd, &request, sizeof(request), 0) < 0)
		fail("send", errno);
	return receive_all(fd, buf);
}

static uint64_t ask(int fd, uint8_t *buf, char *const words[4])
{
	int protocol = !strcmp(words[1], "udp") ? IPPROTO_UDP : IPPROTO_TCP;
	uint32_t states = (uint32_t)strtoul(words[2], NULL, 16);
	uint8_t ext = (uint8_t)strtoul(words[3], NULL, 16);
	uint64_t count = 0;

	if (strchr(words[0], '4'))
		count += dump(fd, buf, AF_INET, protocol, states, ext);
	if (strchr(words[0], '6'))
		count += dump(fd, buf, AF_INET6, protocol, states, ext);
	return count;
}

int main(int argc, char **argv)
{
	int size = SOCKET_BUFFER;
	uint64_t count = 0;
	uint8_t *buf;
	int fd;

	if ((argc - 1) % 4) {
		fputs(usage, stderr);
		return 2;
	}
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		fail("socket", errno);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	buf = malloc(RECV_BUFFER);
	if (!buf)
		fail("malloc", ENOMEM);
	for (int i = 1; i < argc; i += 4)
		count += ask(fd, buf, argv + i);
	printf("%llu\n", (unsigned long long)count);
	free(buf);
	close(fd);
	return 0;
}
