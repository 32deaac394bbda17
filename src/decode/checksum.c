/* SPDX-License-Identifier: MIT */
/* The Internet checksum (RFC 1071): of IPv4 headers, and of TCP, UDP and ICMP with their pseudo header (RFC 9293 §3.1, RFC 8200 §8.1).
 *
 * Words are added in this machine's order, which one's complement sums do not mind, and only a sum that is compared with a field is turned.
 * A sender that leaves the work to its network card has the bare sum of the pseudo header in the field (CHECKSUM_PARTIAL), and so have
 * segments that this machine's kernel put together on receipt; some cards want that sum without the length for segments they cut. Other
 * systems, and programs that make up packets, leave 0. A packet that was damaged on its way has one of these by chance, once in 65536. */
#include "layers.h"

#include <arpa/inet.h>

static uint64_t add_bytes(uint64_t sum, struct cursor c)
{
	uint64_t eight;
	uint32_t four;
	uint16_t two;
	uint8_t last[2] = { 0 };

	while (cursor_u64ne(&c, &eight))
		sum += (eight & UINT32_MAX) + (eight >> 32);
	if (cursor_u32ne(&c, &four))
		sum += four;
	if (cursor_u16ne(&c, &two))
		sum += two;
	if (cursor_u8(&c, &last[0])) {
		memcpy(&two, last, sizeof(two));
		sum += two;
	}
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

enum checksum checksum_ipv4(struct cursor header, uint16_t field)
{
	return fold(add_bytes(0, header)) == 0xffff ? CHECKSUM_GOOD : field == 0 ? CHECKSUM_OFFLOADED : CHECKSUM_BAD;
}

/* The pseudo header without the length. */
static uint64_t add_pseudo(const struct ip_header *ip, uint8_t protocol)
{
	size_t bytes = ip->src.family == ADDR_V4 ? 4 : 16;

	return add_bytes(add_bytes(htons(protocol), cursor_of(ip->src.bytes, bytes)), cursor_of(ip->dst.bytes, bytes));
}

enum checksum checksum_transport(const struct decoder *d, struct cursor segment, uint8_t protocol, uint16_t field)
{
	const struct ip_header *ip = &d->packet->ip;
	bool is_whole = segment.captured_left == segment.wire_left;
	uint64_t pseudo, with_length;

	if (!d->verify || d->routed || ip->is_fragment)
		return CHECKSUM_UNKNOWN;
	pseudo = protocol == PROTOCOL_ICMP ? 0 : add_pseudo(ip, protocol);
	with_length = protocol == PROTOCOL_ICMP ? 0 : pseudo + htonl((uint32_t)cursor_wire(&segment));
	if (is_whole && fold(add_bytes(with_length, segment)) == 0xffff)
		return CHECKSUM_GOOD;
	if (field == 0 || field == ntohs(fold(with_length)) || field == ntohs(fold(pseudo)))
		return CHECKSUM_OFFLOADED;
	return is_whole ? CHECKSUM_BAD : CHECKSUM_UNKNOWN;
}
