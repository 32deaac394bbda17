/* SPDX-License-Identifier: MIT */
/* sock_diag answers to the socket model.
 *
 * struct inet_diag_msg (include/uapi/linux/inet_diag.h), 72 bytes:
 *   family state timer retrans | sport dport (big-endian) | src[16] | dst[16] | if cookie[2] | expires rqueue wqueue uid inode
 * then attributes, indexed by the table below. The numbers above those of old headers are written out: a build machine's headers may be
 * older than the kernel that answers. */
#include "tcptriage/decode/inet_diag.h"

#include <sys/socket.h>

#include "tcptriage/decode/cursor.h"

#define DIAG_MSG_BYTES 72

static bool take_info(struct cursor *c, struct sock *sock)
{
	sock->info.bytes = c->p;
	sock->info.len = (uint16_t)MIN(c->captured_left, (size_t)TCP_INFO_MAX);
	return true;
}

static bool take_vegas(struct cursor *c, struct sock *sock)
{
	return cursor_u32ne(c, &sock->cc.vegas.enabled) && cursor_u32ne(c, &sock->cc.vegas.rtt_count) &&
	       cursor_u32ne(c, &sock->cc.vegas.rtt_us) && cursor_u32ne(c, &sock->cc.vegas.min_rtt_us);
}

static bool take_dctcp(struct cursor *c, struct sock *sock)
{
	return cursor_u16ne(c, &sock->cc.dctcp.enabled) && cursor_u16ne(c, &sock->cc.dctcp.ce_state) &&
	       cursor_u32ne(c, &sock->cc.dctcp.alpha) && cursor_u32ne(c, &sock->cc.dctcp.ab_ecn) &&
	       cursor_u32ne(c, &sock->cc.dctcp.ab_tot);
}

static bool take_bbr(struct cursor *c, struct sock *sock)
{
	uint32_t low, high;

	if (!cursor_u32ne(c, &low) || !cursor_u32ne(c, &high) ||
	    !cursor_u32ne(c, &sock->cc.bbr.min_rtt_us) || !cursor_u32ne(c, &sock->cc.bbr.pacing_gain) ||
	    !cursor_u32ne(c, &sock->cc.bbr.cwnd_gain))
		return false;
	sock->cc.bbr.bw_bytes_per_s = (uint64_t)high << 32 | low;
	return true;
}

/* A name from the kernel: at most 15 bytes, ended by NUL or by the attribute. */
static bool take_name(struct cursor *c, char out[16])
{
	size_t len = strnlen((const char *)c->p, MIN(c->captured_left, (size_t)15));

	memcpy(out, c->p, len);
	out[len] = '\0';
	return true;
}

static bool take_cong(struct cursor *c, struct sock *sock)
{
	return take_name(c, sock->cong);
}

static bool take_tos(struct cursor *c, struct sock *sock)
{
	return cursor_u8(c, &sock->tos);
}

static bool take_tclass(struct cursor *c, struct sock *sock)
{
	return cursor_u8(c, &sock->tclass);
}

static bool take_skmem(struct cursor *c, struct sock *sock)
{
	size_t have = MIN(c->captured_left, sizeof(sock->skmem));

	return have >= SKMEM_DROPS * sizeof(uint32_t) && cursor_bytes(c, sock->skmem, have);
}

static bool take_shutdown(struct cursor *c, struct sock *sock)
{
	return cursor_u8(c, &sock->shutdown);
}

static bool take_v6only(struct cursor *c, struct sock *sock)
{
	uint8_t value;

	if (!cursor_u8(c, &value))
		return false;
	sock->v6only = value;
	return true;
}

static bool take_mark(struct cursor *c, struct sock *sock)
{
	return cursor_u32ne(c, &sock->mark);
}

static bool take_class_id(struct cursor *c, struct sock *sock)
{
	return cursor_u32ne(c, &sock->class_id);
}

static bool take_cgroup_id(struct cursor *c, struct sock *sock)
{
	return cursor_u64ne(c, &sock->cgroup_id);
}

static bool take_sockopt(struct cursor *c, struct sock *sock)
{
	return cursor_u16ne(c, &sock->sockopt);
}

/* INET_ULP_INFO_TLS: nested TLS_INFO_* of 16 bits each (include/uapi/linux/tls.h). */
static bool take_tls(struct cursor *c, struct sock *sock)
{
	uint16_t *const into[] = { NULL, &sock->tls.version, &sock->tls.cipher, &sock->tls.tx_conf,
				   &sock->tls.rx_conf };
	struct attr attr;

	while (attr_next(c, &attr) == ATTR_OK)
		if (attr.type < ARRAY_SIZE(into) && into[attr.type])
			cursor_u16ne(&attr.payload, into[attr.type]);
	return true;
}

/* INET_ULP_INFO_MPTCP: nested MPTCP_SUBFLOW_ATTR_* (include/uapi/linux/mptcp.h); 2 is the local token. */
static bool take_mptcp(struct cursor *c, struct sock *sock)
{
	struct attr attr;

	while (attr_next(c, &attr) == ATTR_OK)
		if (attr.type == 2)
			cursor_u32ne(&attr.payload, &sock->mptcp_token);
	return true;
}

static bool take_ulp(struct cursor *c, struct sock *sock)
{
	struct attr attr;

	while (attr_next(c, &attr) == ATTR_OK) {
		if (attr.type == 1 && take_name(&attr.payload, sock->ulp))
			sock->has |= SOCK_HAS_ULP_NAME;
		else if (attr.type == 2 && take_tls(&attr.payload, sock))
			sock->has |= SOCK_HAS_ULP_TLS;
		else if (attr.type == 3 && take_mptcp(&attr.payload, sock))
			sock->has |= SOCK_HAS_ULP_MPTCP;
	}
	return true;
}

/* Indexed by INET_DIAG_* attribute type; an empty row is an attribute that nothing here needs. */
static const struct attr_row {
	bool (*take)(struct cursor *c, struct sock *sock);
	uint32_t has;
} attr_rows[] = {
	[2] = { take_info, 0 },
	[3] = { take_vegas, SOCK_HAS_VEGAS },
	[4] = { take_cong, SOCK_HAS_CONG },
	[5] = { take_tos, SOCK_HAS_TOS },
	[6] = { take_tclass, SOCK_HAS_TCLASS },
	[7] = { take_skmem, SOCK_HAS_SKMEM },
	[8] = { take_shutdown, SOCK_HAS_SHUTDOWN },
	[9] = { take_dctcp, SOCK_HAS_DCTCP },
	[11] = { take_v6only, SOCK_HAS_V6ONLY },
	[15] = { take_mark, SOCK_HAS_MARK },
	[16] = { take_bbr, SOCK_HAS_BBR },
	[17] = { take_class_id, SOCK_HAS_CLASS_ID },
	[19] = { take_ulp, 0 },
	[21] = { take_cgroup_id, SOCK_HAS_CGROUP_ID },
	[22] = { take_sockopt, SOCK_HAS_SOCKOPT },
};

static enum decode_status take_attributes(struct cursor *c, struct sock *sock)
{
	enum decode_status status = DECODE_OK;
	struct attr attr;

	for (;;) {
		switch (attr_next(c, &attr)) {
		case ATTR_END:
			return status;
		case ATTR_TRUNCATED:
			return DECODE_TRUNCATED;
		case ATTR_MALFORMED:
			return DECODE_MALFORMED;
		case ATTR_OK:
			break;
		}
		if (attr.type >= ARRAY_SIZE(attr_rows) || !attr_rows[attr.type].take)
			continue;
		if (attr_rows[attr.type].take(&attr.payload, sock))
			sock->has |= attr_rows[attr.type].has;
		else
			status = DECODE_TRUNCATED;
	}
}

static bool is_v4_mapped(const uint8_t b[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(b, prefix, sizeof(prefix));
}

/* The 16 address bytes of either family; a v4-mapped address becomes IPv4. */
static bool take_address(struct cursor *c, unsigned family, struct addr *addr)
{
	uint8_t b[16];

	if (!cursor_bytes(c, b, 16))
		return false;
	if (family == AF_INET || is_v4_mapped(b)) {
		memset(addr->bytes, 0, sizeof(addr->bytes));
		memcpy(addr->bytes, family == AF_INET ? b : b + 12, 4);
		addr->family = ADDR_V4;
	} else {
		memcpy(addr->bytes, b, 16);
		addr->family = ADDR_V6;
	}
	return true;
}

enum decode_status inet_diag_decode(const void *payload, size_t len, enum netid netid,
				    struct sock *sock)
{
	struct cursor c = cursor_of(payload, len);
	uint32_t cookie[2] = { 0 };
	uint8_t family = 0;

	memset(sock, 0, sizeof(*sock));
	sock->netid = (uint8_t)netid;
	if (len < DIAG_MSG_BYTES)
		return DECODE_TRUNCATED;
	cursor_u8(&c, &family);
	cursor_u8(&c, &sock->state);
	cursor_u8(&c, &sock->timer);
	cursor_u8(&c, &sock->retrans);
	if (family != AF_INET && family != AF_INET6)
		return DECODE_UNSUPPORTED;
	sock->family = family == AF_INET6 ? ADDR_V6 : ADDR_V4;
	cursor_u16be(&c, &sock->local.port);
	cursor_u16be(&c, &sock->peer.port);
	take_address(&c, family, &sock->local.addr);
	take_address(&c, family, &sock->peer.addr);
	/* A dual-stack listener has "::" on both sides; an established v4-mapped socket may still show "::" for nobody. */
	cursor_u32ne(&c, &sock->ifindex);
	cursor_u32ne(&c, &cookie[0]);
	cursor_u32ne(&c, &cookie[1]);
	cursor_u32ne(&c, &sock->expires_ms);
	cursor_u32ne(&c, &sock->recv_q);
	cursor_u32ne(&c, &sock->send_q);
	cursor_u32ne(&c, &sock->uid);
	cursor_u32ne(&c, &sock->inode);
	sock->cookie = (uint64_t)cookie[1] << 32 | cookie[0];
	if (sock->cookie != UINT64_MAX)
		sock->has |= SOCK_HAS_COOKIE;
	if (sock->state == SOCK_STATE_NEW_SYN_RECV)
		sock->state = SOCK_STATE_SYN_RECV;
	if (sock->state == SOCK_STATE_BOUND_INACTIVE)
		sock->state = SOCK_STATE_UNCONN;
	if (sock->state == 0 || sock->state > SOCK_STATE_CLOSING)
		return DECODE_MALFORMED;
	return take_attributes(&c, sock);
}
