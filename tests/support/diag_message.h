/* SPDX-License-Identifier: MIT */
/* sock_diag answers made by hand, for tests: the fixed part, attributes, and netlink headers around them. */
#ifndef TESTS_SUPPORT_DIAG_MESSAGE_H
#define TESTS_SUPPORT_DIAG_MESSAGE_H

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>

#include "tcptriage/base/util.h"

/** struct diag_message - the payload of one answer. */
struct diag_message {
	_Alignas(8) uint8_t bytes[8192];
	size_t len;
};

/** diag_begin() - the fixed part of an established socket 10.0.0.1:1000 to 10.0.0.2:80, or of ::1 for IPv6. */
static inline struct inet_diag_msg *diag_begin(struct diag_message *m, int family)
{
	struct inet_diag_msg *fixed = (void *)m->bytes;

	memset(m, 0, sizeof(*m));
	m->len = sizeof(*fixed);
	fixed->idiag_family = (uint8_t)family;
	fixed->idiag_state = 1;
	fixed->id.idiag_sport = htons(1000);
	fixed->id.idiag_dport = htons(80);
	inet_pton(family, family == AF_INET6 ? "2001:db8::1" : "10.0.0.1", fixed->id.idiag_src);
	inet_pton(family, family == AF_INET6 ? "2001:db8::2" : "10.0.0.2", fixed->id.idiag_dst);
	fixed->id.idiag_cookie[0] = 0x11223344;
	fixed->id.idiag_cookie[1] = 0x5;
	fixed->idiag_inode = 4711;
	return fixed;
}

/** diag_attr() - append one attribute. */
static inline void diag_attr(struct diag_message *m, uint16_t type, const void *payload, size_t len)
{
	struct nlattr head = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };

	memcpy(m->bytes + m->len, &head, NLA_HDRLEN);
	if (len)
		memcpy(m->bytes + m->len + NLA_HDRLEN, payload, len);
	m->len += NLA_ALIGN(NLA_HDRLEN + len);
}

/** struct diag_stream - netlink messages one behind the other. */
struct diag_stream {
	_Alignas(8) uint8_t bytes[65536];
	size_t len;
};

/** stream_put() - append a message of @type with sequence 7. Return: its header. */
static inline struct nlmsghdr *stream_put(struct diag_stream *s, uint16_t type, uint16_t flags,
					  const void *payload, size_t len)
{
	struct nlmsghdr *header = (void *)(s->bytes + s->len);

	*header = (struct nlmsghdr){ .nlmsg_len = (uint32_t)NLMSG_LENGTH(len),
				     .nlmsg_type = type,
				     .nlmsg_flags = flags,
				     .nlmsg_seq = 7 };
	if (len)
		memcpy(NLMSG_DATA(header), payload, len);
	s->len += NLMSG_ALIGN(header->nlmsg_len);
	return header;
}

#endif
