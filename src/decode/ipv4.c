/* SPDX-License-Identifier: MIT */
/* IPv4 headers (RFC 791 §3.1).
 *
 *   0: version:4 IHL:4 | TOS | total length:16
 *   4: identification:16 | 0 DF MF fragment offset:13, in 8 bytes
 *   8: TTL | protocol | header checksum:16
 *  12: source | 16: destination | 20: options up to IHL × 4
 *
 * A total length of 0 is what a machine that lets its card cut large segments (TSO, BIG TCP) shows to a capture. */
#include "layers.h"

#define IPV4_FIXED_BYTES 20

/* Options without a length byte, and the two source routes (RFC 791 §3.1). */
enum ipv4_option { IPV4_OPTION_END = 0, IPV4_OPTION_NOP = 1, IPV4_OPTION_LSRR = 131, IPV4_OPTION_SSRR = 137 };

/* A source route that is not used up: its pointer still stands within it. */
static bool route_is_open(uint8_t kind, uint8_t len, struct cursor value)
{
	uint8_t pointer = 0;

	return (kind == IPV4_OPTION_LSRR || kind == IPV4_OPTION_SSRR) && cursor_u8(&value, &pointer) && pointer <= len;
}

/* Return: false when an option's length cannot be. */
static bool options_walk(struct cursor c, struct ip_reading *how)
{
	struct cursor value;
	uint8_t kind, len;

	while (cursor_u8(&c, &kind) && kind != IPV4_OPTION_END) {
		if (kind == IPV4_OPTION_NOP)
			continue;
		if (!cursor_u8(&c, &len) || len < 2 || !cursor_take(&c, len - 2u, &value))
			return false;
		how->routed |= route_is_open(kind, len, value);
	}
	return true;
}

static void fixed_part(struct cursor *h, struct ip_header *ip, uint16_t *total, uint16_t *checksum)
{
	uint16_t id = 0, fragment = 0;

	cursor_u8(h, &ip->tos);
	cursor_u16be(h, total);
	cursor_u16be(h, &id);
	cursor_u16be(h, &fragment);
	cursor_u8(h, &ip->hop_limit);
	cursor_u8(h, &ip->protocol);
	cursor_u16be(h, checksum);
	addr_take_v4(h, &ip->src);
	addr_take_v4(h, &ip->dst);
	ip->id = id;
	ip->has_id = true;
	ip->offset = (fragment & 0x1fffu) * 8;
	ip->more = fragment & 0x2000;
	ip->dont_fragment = fragment & 0x4000;
	ip->is_fragment = fragment & 0x3fff;
	ip->flow_label = 0;
	ip->extensions = 0;
	ip->checksum = CHECKSUM_UNKNOWN;
}

/* The packet's length against the bytes behind the fixed part. Return: false when it is shorter than the header. */
static bool apply_length(struct cursor *c, struct ip_header *ip, uint16_t total, struct ip_reading *how)
{
	ip->length_guessed = total == 0;
	ip->length = total ? total : (uint32_t)cursor_wire(c) + IPV4_FIXED_BYTES;
	if (how->quoted)
		return true;
	if (UNLIKELY(ip->length < ip->header))
		return false;
	ip_reading_limit(how, c, ip->length - IPV4_FIXED_BYTES);
	return true;
}

enum decode_status ipv4_decode(struct cursor *c, struct ip_header *ip, struct ip_reading *how)
{
	struct cursor start = *c, h, options;
	uint8_t version_ihl = 0;
	uint16_t total = 0, checksum = 0;

	if (UNLIKELY(!cursor_take(c, IPV4_FIXED_BYTES, &h)))
		return cursor_lacks(c, IPV4_FIXED_BYTES);
	cursor_u8(&h, &version_ihl);
	if (UNLIKELY(version_ihl >> 4 != 4 || (version_ihl & 15) < 5))
		return DECODE_MALFORMED;
	fixed_part(&h, ip, &total, &checksum);
	how->filled = true;
	ip->header = (uint16_t)((version_ihl & 15) * 4);
	ip->option_bytes = (uint16_t)(ip->header - IPV4_FIXED_BYTES);
	if (UNLIKELY(!apply_length(c, ip, total, how)))
		return DECODE_MALFORMED;
	if (UNLIKELY(ip->option_bytes)) {
		if (!cursor_take(c, ip->option_bytes, &options))
			return cursor_lacks(c, ip->option_bytes);
		how->lies |= !options_walk(options, how);
	}
	if (UNLIKELY(how->verify && cursor_limit(&start, ip->header)))
		ip->checksum = (uint8_t)checksum_ipv4(start, checksum);
	if (UNLIKELY(ip->protocol == PROTOCOL_AH && !ip->offset))
		return ipv6_skip_ah(c, ip);
	return DECODE_OK;
}
