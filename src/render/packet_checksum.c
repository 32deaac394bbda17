/* SPDX-License-Identifier: MIT */
/* The Internet checksum (RFC 1071), with the pseudo headers of IPv4 (RFC 9293 §3.1) and IPv6 (RFC 8200 §8.1). */
#include "src/render/packet_checksum.h"

/* Options and header types that carry another final destination. */
enum { IP_OPTION_END = 0, IP_OPTION_NOP = 1, IP_OPTION_LSRR = 131, IP_OPTION_SSRR = 137 };

static uint64_t sum_bytes(uint64_t sum, struct cursor bytes)
{
	uint16_t word;
	uint8_t last;

	while (cursor_u16be(&bytes, &word))
		sum += word;
	if (cursor_u8(&bytes, &last))
		sum += (uint32_t)last << 8;
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* @sum: of everything with the field in it. */
static struct packet_checksum judge(uint64_t sum, uint16_t field)
{
	uint16_t missing = (uint16_t)~fold(sum);

	return (struct packet_checksum){ .expected = fold((uint64_t)field + missing), .good = !missing };
}

struct packet_checksum packet_checksum_plain(struct cursor bytes, uint16_t field)
{
	return judge(sum_bytes(0, bytes), field);
}

/* With a source route the last address of the route is the one that counts (RFC 1122 §3.2.1.8). */
static struct addr final_destination4(const struct packet *packet)
{
	struct cursor options = packet_network_bytes(packet), data;
	struct addr last = { .family = ADDR_V4 };
	uint8_t type, length;

	cursor_skip(&options, 20);
	options.captured_left = MIN(options.captured_left, packet->ip.option_bytes);
	while (cursor_u8(&options, &type) && type != IP_OPTION_END) {
		if (type == IP_OPTION_NOP)
			continue;
		if (!cursor_u8(&options, &length) || length < 2 || !cursor_take(&options, length - 2u, &data))
			break;
		if ((type == IP_OPTION_LSRR || type == IP_OPTION_SSRR) && length >= 7 && cursor_skip(&data, length - 6u) &&
		    cursor_bytes(&data, last.bytes, 4))
			return last;
	}
	return packet->ip.dst;
}

/* With a routing header that is not used up (RFC 8200 §4.4) the destination is its last address; of segment routing (RFC 8754) the first. */
static bool route_destination(struct cursor route, struct addr *last)
{
	uint8_t type, left;
	size_t skip;

	if (!cursor_skip(&route, 2) || !cursor_u8(&route, &type) || !cursor_u8(&route, &left) || !left || !cursor_skip(&route, 4) ||
	    route.captured_left < 16)
		return false;
	skip = type == 4 ? 0 : (route.captured_left / 16 - 1) * 16;
	last->family = ADDR_V6;
	return cursor_skip(&route, skip) && cursor_bytes(&route, last->bytes, 16);
}

static struct addr final_destination6(const struct packet *packet)
{
	struct cursor chain = packet_network_bytes(packet), header;
	struct addr last;
	uint8_t next = 0, following = 0, units = 0;

	if (!cursor_skip(&chain, 6) || !cursor_u8(&chain, &next) || !cursor_skip(&chain, 33))
		return packet->ip.dst;
	for (unsigned i = 0; i < packet->ip.extensions && chain.captured_left >= 8; i++) {
		struct cursor look = chain;

		cursor_u8(&look, &following);
		cursor_u8(&look, &units);
		if (!cursor_take(&chain, next == PROTOCOL_FRAGMENT ? 8 : next == PROTOCOL_AH ? units * 4u + 8 : units * 8u + 8, &header))
			break;
		if (next == PROTOCOL_ROUTING && route_destination(header, &last))
			return last;
		next = following;
	}
	return packet->ip.dst;
}

static uint64_t sum_address(uint64_t sum, const struct addr *addr)
{
	return sum_bytes(sum, cursor_of(addr->bytes, addr->family == ADDR_V4 ? 4 : 16));
}

static uint64_t sum_pseudo(const struct packet *packet, uint32_t length)
{
	const struct ip_header *ip = &packet->ip;
	struct addr dst = ip->dst;

	if (ip->option_bytes)
		dst = final_destination4(packet);
	else if (ip->extensions)
		dst = final_destination6(packet);
	return sum_address(sum_address((uint64_t)ip->protocol + length, &ip->src), &dst);
}

bool packet_checksum_transport(const struct packet *packet, uint32_t length, uint16_t field, struct packet_checksum *checksum)
{
	struct cursor segment = packet_transport_bytes(packet);
	const struct ip_header *ip = &packet->ip;
	uint64_t pseudo;

	/* an atomic fragment (RFC 6946) is whole, but tcpdump takes it for a fragment */
	if (ip->is_fragment || (ip->has_id && ip->src.family == ADDR_V6) || !length || segment.captured_left < length)
		return false;
	segment.captured_left = length;
	pseudo = sum_pseudo(packet, length);
	*checksum = judge(sum_bytes(pseudo, segment), field);
	checksum->offloaded = !checksum->good && fold(pseudo) == field;
	return true;
}
