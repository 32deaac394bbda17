/* SPDX-License-Identifier: MIT */
/* sock_diag requests and their answers on the way to the decoder. */
#include "tcptriage/collect/sock_diag.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int family_number(enum addr_family family)
{
	return family == ADDR_V6 ? AF_INET6 : AF_INET;
}

static int protocol_number(enum netid netid)
{
	return netid == NETID_UDP ? IPPROTO_UDP : IPPROTO_TCP;
}

struct nlmsghdr *sock_diag_build(void *buf, size_t size, const struct diag_request *request,
				 enum addr_family family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *question;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	question = mnl_nlmsg_put_extra_header(header, sizeof(*question));
	question->sdiag_family = (uint8_t)family_number(family);
	question->sdiag_protocol = (uint8_t)protocol_number(request->netid);
	question->idiag_ext = (uint8_t)request->ext;
	question->idiag_states = request->states;
	if (request->bytecode_len &&
	    (request->bytecode_len > UINT16_MAX - MNL_ATTR_HDRLEN ||
	     !mnl_attr_put_check(header, size, INET_DIAG_REQ_BYTECODE, request->bytecode_len,
				 request->bytecode)))
		return NULL;
	return header;
}

int sock_diag_take(const struct nlmsghdr *message, void *context)
{
	struct sock_diag_tally *tally = context;
	struct diag_result *result = tally->result;
	enum decode_status status;
	struct sock sock;
	uint32_t state;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY) {
		result->decode[DECODE_UNSUPPORTED]++;
		return 0;
	}
	status = inet_diag_decode(mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message),
				  tally->netid, &sock);
	result->decode[status]++;
	if (UNLIKELY(status != DECODE_OK))
		return 0;
	/* A recording holds every state: take what was asked for. TCP's UNCONN are the bound-inactive ones, and only they. */
	state = sock.state;
	if (state == SOCK_STATE_UNCONN && tally->netid == NETID_TCP)
		state = SOCK_STATE_BOUND_INACTIVE;
	if (!(tally->states & STATE_BIT(state)) || !(tally->families & 1u << sock.family))
		return 0;
	result->tcp_info_len = MAX(result->tcp_info_len, sock.info.len);
	result->sockets++;
	return tally->fn(&sock, tally->context);
}

int sock_diag_ask(struct netlink *nl, const struct diag_request *request, source_socket_fn *fn,
		  void *context, struct diag_result *result, struct err *err)
{
	struct sock_diag_tally tally = { .netid = request->netid,
					 .states = request->states,
					 .families = request->families,
					 .fn = fn,
					 .context = context,
					 .result = result };
	AUTO_FREE void *buf = xmalloc(SOCK_DIAG_REQUEST_MAX);
	int code = 0;

	for (unsigned family = 0; family < ADDR_FAMILY_COUNT && !code; family++) {
		struct nlmsghdr *header;

		if (!(request->families & 1u << family))
			continue;
		header = sock_diag_build(buf, SOCK_DIAG_REQUEST_MAX, request, family);
		if (!header)
			return err_set(err, -E2BIG, "the filter is too long for the kernel");
		code = netlink_dump(nl, header, sock_diag_take, &tally, &result->dump, err);
		if (code == -ENOENT)
			err_set(err, code, "this kernel has no %s_diag for %s: try 'modprobe %s_diag'",
				netid_name(request->netid), family ? "IPv6" : "IPv4",
				netid_name(request->netid));
		if (code == -EPERM)
			err_set(err, code,
				"the kernel refuses this filter without privilege: run as root or with CAP_NET_ADMIN");
	}
	return code;
}

static void fill_address(__be32 out[4], const struct addr *addr, enum addr_family family)
{
	uint8_t bytes[16] = { 0 };

	if (family == ADDR_V6 && addr->family == ADDR_V4) {
		bytes[10] = bytes[11] = 0xff;
		memcpy(bytes + 12, addr->bytes, 4);
	} else {
		memcpy(bytes, addr->bytes, 16);
	}
	memcpy(out, bytes, 16);
}

struct one_answer {
	uint8_t *buf;
	size_t size, len;
};

static int keep_answer(const struct nlmsghdr *message, void *context)
{
	struct one_answer *answer = context;

	answer->len = mnl_nlmsg_get_payload_len(message);
	if (answer->len > answer->size)
		return -EMSGSIZE;
	memcpy(answer->buf, mnl_nlmsg_get_payload(message), answer->len);
	return 0;
}

/* Asks for the socket between @src and @dst as sock_diag counts them; the other facts of @sock are part of the question. */
static int ask_one(struct netlink *nl, struct sock *sock, const struct endpoint *src, const struct endpoint *dst, struct one_answer *answer)
{
	_Alignas(struct nlmsghdr) char request[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(request);
	struct netlink_dump_result result = { 0 };
	uint64_t cookie = sock->cookie ? sock->cookie : UINT64_MAX; /* INET_DIAG_NOCOOKIE, twice */
	struct inet_diag_req_v2 *question;
	struct sock found;
	int code;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST;
	question = mnl_nlmsg_put_extra_header(header, sizeof(*question));
	question->sdiag_family = (uint8_t)family_number(sock->family);
	question->sdiag_protocol = (uint8_t)protocol_number(sock->netid);
	question->idiag_ext = DIAG_EXT_ALL;
	question->idiag_states = UINT32_MAX;
	question->id.idiag_sport = htons(src->port);
	question->id.idiag_dport = htons(dst->port);
	fill_address(question->id.idiag_src, &src->addr, sock->family);
	fill_address(question->id.idiag_dst, &dst->addr, sock->family);
	question->id.idiag_if = sock->ifindex;
	question->id.idiag_cookie[0] = (uint32_t)cookie;
	question->id.idiag_cookie[1] = (uint32_t)(cookie >> 32);
	answer->len = 0;
	code = netlink_dump(nl, header, keep_answer, answer, &result, NULL);
	if (code)
		return code == -ESTALE ? -ENOENT : code; /* the tuple lives on as another socket */
	if (!answer->len || inet_diag_decode(answer->buf, answer->len, sock->netid, &found) != DECODE_OK || found.local.port != sock->local.port)
		return -ENOENT;
	*sock = found;
	return 0;
}

/* A question about UDP is about a packet that comes in (net/ipv4/udp_diag.c, udp_dump_one): its source is the peer. It is asked the way it is
 * written down as well, should a kernel mean it so; an answer about the wrong end has the wrong port. */
int sock_diag_one(struct netlink *nl, struct sock *sock, uint8_t *buf, size_t size)
{
	struct one_answer answer = { .buf = buf, .size = size };
	struct endpoint local = sock->local, peer = sock->peer;
	int code;

	if (sock->netid != NETID_UDP)
		return ask_one(nl, sock, &local, &peer, &answer);
	code = ask_one(nl, sock, &peer, &local, &answer);
	return code == -ENOENT ? ask_one(nl, sock, &local, &peer, &answer) : code;
}
