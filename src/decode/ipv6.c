/* SPDX-License-Identifier: MIT */
/* IPv6 headers (RFC 8200 §3) and their extension headers (§4, RFC 7045).
 *
 *   0: version:4 traffic class:8 flow label:20
 *   4: payload length:16 | next header | hop limit
 *   8: source, 16 bytes | 24: destination, 16 bytes
 *
 * Extension headers begin with the number of the next one. Three rules for their length:
 *   most                      second byte, in 8 bytes, the first 8 not counted
 *   fragment (§4.5)           always 8 bytes
 *   authentication (RFC 4302 §2.2)  second byte, in 4 bytes, minus 2
 * A payload length of 0 means a jumbogram (RFC 2675), whose hop-by-hop option tells the length, or large segments before the card cuts them. */
#include "layers.h"

#define IPV6_FIXED_BYTES 40
#define EXTENSION_BYTES_MIN 8
/* More than any host sends on purpose; RFC 8200 §4.1 names at most seven. */
#define IPV6_EXTENSIONS_MAX 16

/* Options of hop-by-hop and destination headers (IANA) that change how the rest is read. */
enum ipv6_option { IPV6_OPTION_PAD1 = 0x00, IPV6_OPTION_JUMBO = 0xc2, IPV6_OPTION_HOME_ADDRESS = 0xc9 };

static enum decode_status take_header(struct cursor *c, size_t bytes, struct cursor *h, struct ip_header *ip)
{
	if (UNLIKELY(!cursor_take(c, bytes, h)))
		return cursor_lacks(c, bytes);
	ip->header = (uint16_t)(ip->header + bytes);
	ip->extensions++;
	cursor_u8(h, &ip->protocol);
	return DECODE_OK;
}

/* An extension header whose length is its second byte in units of @unit, and @more bytes. @h: what follows those two bytes. */
static enum decode_status take_counted(struct cursor *c, size_t unit, size_t more, struct cursor *h, struct ip_header *ip)
{
	struct cursor ahead = *c;
	enum decode_status status;
	uint8_t count = 0;

	if (!cursor_skip(&ahead, 1) || !cursor_u8(&ahead, &count))
		return cursor_lacks(c, EXTENSION_BYTES_MIN);
	status = take_header(c, count * unit + more, h, ip);
	if (status == DECODE_OK)
		cursor_skip(h, 1);
	return status;
}

enum decode_status ipv6_skip_ah(struct cursor *c, struct ip_header *ip)
{
	struct cursor h;

	return take_counted(c, 4, 8, &h, ip);
}

/* A jumbogram: the length that the fixed header could not hold. Return: false when it ends inside the headers. */
static bool apply_jumbo(struct cursor *c, struct ip_header *ip, uint32_t payload, struct ip_reading *how)
{
	if (how->quoted || !ip->length_guessed)
		return true;
	if (payload > UINT32_MAX - IPV6_FIXED_BYTES || payload + IPV6_FIXED_BYTES < ip->header)
		return false;
	ip->length = payload + IPV6_FIXED_BYTES;
	ip->length_guessed = false;
	ip_reading_limit(how, c, ip->length - ip->header);
	return true;
}

static enum decode_status take_options(struct cursor *c, struct ip_header *ip, struct ip_reading *how)
{
	struct cursor h, value;
	enum decode_status status = take_counted(c, 8, 8, &h, ip);
	uint8_t kind, len;
	uint32_t jumbo;

	if (status != DECODE_OK)
		return status;
	while (cursor_u8(&h, &kind)) {
		if (kind == IPV6_OPTION_PAD1)
			continue;
		if (!cursor_u8(&h, &len) || !cursor_take(&h, len, &value)) {
			how->lies = true;
			break;
		}
		if (kind == IPV6_OPTION_JUMBO && cursor_u32be(&value, &jumbo) && !apply_jumbo(c, ip, jumbo, how))
			return DECODE_MALFORMED;
		how->routed |= kind == IPV6_OPTION_HOME_ADDRESS;
	}
	return DECODE_OK;
}

static enum decode_status take_routing(struct cursor *c, struct ip_header *ip, struct ip_reading *how)
{
	struct cursor h;
	enum decode_status status = take_counted(c, 8, 8, &h, ip);
	uint8_t type, segments_left = 0;

	if (status == DECODE_OK && cursor_u8(&h, &type) && cursor_u8(&h, &segments_left))
		how->routed |= segments_left > 0;
	return status;
}

static enum decode_status take_fragment(struct cursor *c, struct ip_header *ip, struct ip_reading *how)
{
	struct cursor h;
	enum decode_status status = take_header(c, 8, &h, ip);
	uint16_t offset = 0;

	(void)how;
	if (status != DECODE_OK)
		return status;
	cursor_skip(&h, 1);
	cursor_u16be(&h, &offset);
	cursor_u32be(&h, &ip->id);
	ip->has_id = true;
	ip->offset = offset & 0xfff8u;
	ip->more = offset & 1;
	ip->is_fragment = ip->more || ip->offset;
	return DECODE_OK;
}

static enum decode_status take_ah(struct cursor *c, struct ip_header *ip, struct ip_reading *how)
{
	(void)how;
	return ipv6_skip_ah(c, ip);
}

static enum decode_status take_other(struct cursor *c, struct ip_header *ip, struct ip_reading *how)
{
	struct cursor h;

	(void)how;
	return take_counted(c, 8, 8, &h, ip);
}

/* Indexed by next header; what has no row is no extension header that can be skipped: a transport protocol, ESP, or none. */
static enum decode_status (*const extensions[UINT8_MAX + 1])(struct cursor *c, struct ip_header *ip, struct ip_reading *how) = {
	[0] = take_options,	   /* hop-by-hop */
	[43] = take_routing,
	[44] = take_fragment,
	[PROTOCOL_AH] = take_ah,
	[60] = take_options,	   /* destination */
	[135] = take_other,	   /* mobility (RFC 6275) */
	[139] = take_other,	   /* HIP (RFC 7401) */
	[140] = take_other,	   /* Shim6 (RFC 5533) */
};

static enum decode_status walk_extensions(struct cursor *c, struct ip_header *ip, struct ip_reading *how)
{
	enum decode_status status = DECODE_OK;

	/* what follows in a later fragment is the middle of something */
	while (extensions[ip->protocol] && !ip->offset && status == DECODE_OK) {
		if (ip->extensions == IPV6_EXTENSIONS_MAX)
			return DECODE_UNSUPPORTED;
		status = extensions[ip->protocol](c, ip, how);
	}
	return status;
}

static void fixed_part(struct cursor *h, struct ip_header *ip, uint32_t first_word, uint16_t *payload)
{
	cursor_u16be(h, payload);
	cursor_u8(h, &ip->protocol);
	cursor_u8(h, &ip->hop_limit);
	addr_take_v6(h, &ip->src);
	addr_take_v6(h, &ip->dst);
	ip->tos = (uint8_t)(first_word >> 20);
	ip->flow_label = first_word & 0xfffff;
	ip->checksum = CHECKSUM_UNKNOWN;
	ip->header = IPV6_FIXED_BYTES;
	ip->id = ip->offset = 0;
	ip->option_bytes = 0;
	ip->extensions = 0;
	ip->has_id = ip->more = ip->is_fragment = false;
	ip->dont_fragment = true;
}

enum decode_status ipv6_decode(struct cursor *c, struct ip_header *ip, struct ip_reading *how)
{
	enum decode_status status = DECODE_OK;
	uint32_t first_word = 0;
	uint16_t payload = 0;
	struct cursor h;

	if (UNLIKELY(!cursor_take(c, IPV6_FIXED_BYTES, &h)))
		return cursor_lacks(c, IPV6_FIXED_BYTES);
	cursor_u32be(&h, &first_word);
	if (UNLIKELY(first_word >> 28 != 6))
		return DECODE_MALFORMED;
	fixed_part(&h, ip, first_word, &payload);
	how->filled = true;
	ip->length_guessed = payload == 0 && ip->protocol != PROTOCOL_NONE;
	ip->length = IPV6_FIXED_BYTES + (ip->length_guessed ? (uint32_t)cursor_wire(c) : payload);
	if (!how->quoted && !ip->length_guessed)
		ip_reading_limit(how, c, payload);
	if (UNLIKELY(extensions[ip->protocol]))
		status = walk_extensions(c, ip, how);
	if (UNLIKELY(ip->length_guessed) && !how->quoted)
		cursor_limit(c, cursor_wire(c));
	return status;
}
