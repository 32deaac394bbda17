/* SPDX-License-Identifier: MIT */
/* Control messages as the kernel's put_cmsg() writes them, for tests. */
#ifndef TCPTRIAGE_TESTS_SUPPORT_CONTROL_MESSAGE_H
#define TCPTRIAGE_TESTS_SUPPORT_CONTROL_MESSAGE_H

#include <arpa/inet.h>
#include <time.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/** struct control_bytes - what recvmsg() would leave in msg_control. */
struct control_bytes {
	_Alignas(struct cmsghdr) uint8_t bytes[512];
	size_t len;
};

/** control_put() - one more message. */
static inline void control_put(struct control_bytes *c, int level, int type, const void *data, size_t len)
{
	struct cmsghdr header = { .cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type };

	memcpy(c->bytes + c->len, &header, sizeof(header));
	if (len)
		memcpy(c->bytes + c->len + CMSG_LEN(0), data, len);
	c->len += CMSG_SPACE(len);
}

/** control_put_ttl() - IP_TTL or IPV6_HOPLIMIT. */
static inline void control_put_ttl(struct control_bytes *c, int level, int ttl)
{
	control_put(c, level, level == IPPROTO_IP ? IP_TTL : IPV6_HOPLIMIT, &ttl, sizeof(ttl));
}

/** control_put_error() - an extended error; @offender NULL: the family is AF_UNSPEC. */
static inline void control_put_error(struct control_bytes *c, int level, const struct sock_extended_err *error, const char *offender)
{
	struct {
		struct sock_extended_err error;
		union {
			struct sockaddr_in v4;
			struct sockaddr_in6 v6;
		} from;
	} message = { .error = *error };
	size_t address = level == IPPROTO_IP ? sizeof(message.from.v4) : sizeof(message.from.v6);

	if (offender && inet_pton(AF_INET6, offender, &message.from.v6.sin6_addr) == 1)
		message.from.v6.sin6_family = AF_INET6;
	else if (offender && inet_pton(AF_INET, offender, &message.from.v4.sin_addr) == 1)
		message.from.v4.sin_family = AF_INET;
	control_put(c, level, level == IPPROTO_IP ? IP_RECVERR : IPV6_RECVERR, &message, sizeof(message.error) + address);
}

#endif
