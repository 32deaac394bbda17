/* SPDX-License-Identifier: MIT */
/* The parts of a packet's text: one writer a file, each appends at @at and returns one past the last byte. */
#ifndef TCPTRIAGE_RENDER_PACKET_PARTS_H
#define TCPTRIAGE_RENDER_PACKET_PARTS_H

#include "tcptriage/decode/cursor.h"
#include "tcptriage/render/packets.h"

#include "src/render/put.h"

/* Room for the text of one packet. Whatever repeats as often as the packet likes stops at packet_line.limit, and nothing between two such
 * looks writes more than the second part. */
#define PACKET_TEXT_ROOM 16384
#define PACKET_PART_ROOM 4096

/* ICMP errors that quote ICMP errors are followed that deep. */
#define PACKET_QUOTES_MAX 3

/* IANA protocol numbers that the writers tell apart. */
enum ip_protocol {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_NONE = 59,
	PROTOCOL_DESTINATION = 60,
};

/**
 * struct packet_line - one packet being printed.
 * @limit: where repeating parts stop. @quotes: packets around this one that quote it.
 */
struct packet_line {
	const struct packet_text_options *options;
	struct packet_seq *seqs;
	const struct packet *packet;
	const char *limit;
	uint8_t quotes;
};

/** packet_time_put() - the time and a blank. */
char *packet_time_put(char *at, struct packet_text *text, int64_t time_ns);
/** packet_link_put() - interface, link header (-e), MPLS labels, PPPoE session; each ends in a blank. */
char *packet_link_put(char *at, const struct packet_line *line);
/** packet_link_other_put() - a frame of which nothing above the link layer is read. */
char *packet_link_other_put(char *at, const struct packet_line *line);
/** packet_ip_put() - everything from the (outermost) IP header on. */
char *packet_ip_put(char *at, const struct packet_line *line);
/** packet_ip_transport_put() - addresses unless @named (they stand there already), and what the IP packet carries. */
char *packet_ip_transport_put(char *at, const struct packet_line *line, bool named);
/** packet_ip_addresses_put() - "a > b: ". */
char *packet_ip_addresses_put(char *at, const struct packet *packet);
/** packet_ip_protocol_name() - as tcpdump's -v names it; "unknown". */
const char *packet_ip_protocol_name(uint8_t protocol);
/** packet_ip4_put() - the -v header of an IPv4 packet, addresses and what it carries. */
char *packet_ip4_put(char *at, const struct packet_line *line);
/** packet_ip6_put() - the -v header of an IPv6 packet, addresses, extension headers and what it carries. */
char *packet_ip6_put(char *at, const struct packet_line *line);
/**
 * packet_ip6_extensions_put() - extension headers, which an authentication header is over IPv4 too.
 * @c: at the first one. @next: its type. Return: *@more false when nothing can follow.
 */
char *packet_ip6_extensions_put(char *at, const struct packet_line *line, struct cursor c, uint8_t next, bool *more);
/** packet_tcp_put() - behind the ports: flags to length. */
char *packet_tcp_put(char *at, const struct packet_line *line);
/**
 * packet_tcp_options_put() - ", options […]". @sack_base: taken off SACK blocks.
 * Return: *@whole false when they are cut or contradict themselves: nothing can follow.
 */
char *packet_tcp_options_put(char *at, const struct tcp_header *tcp, uint32_t sack_base, bool *whole);
/** packet_mptcp_put() - one option of multipath TCP. @data: @length bytes, all there. Return: NULL when it contradicts itself. */
char *packet_mptcp_put(char *at, struct cursor data, unsigned length);
/** packet_icmp_put() - behind the addresses. */
char *packet_icmp_put(char *at, const struct packet_line *line);
/** packet_icmp6_put() - behind the addresses. */
char *packet_icmp6_put(char *at, const struct packet_line *line);
/** packet_icmp6_options_put() - the options of neighbour discovery, a line each. */
char *packet_icmp6_options_put(char *at, const struct packet_line *line, struct cursor options);
/** packet_hex_out() - the dump that the options ask for, without the line end behind it. */
void packet_hex_out(struct out *out, enum packet_dump dump, const struct packet *packet);

/** packet_network_bytes() - the IP packet, no further than its own length; nothing in a tunnel, where nobody knows where it begins. */
static inline struct cursor packet_network_bytes(const struct packet *packet)
{
	struct cursor bytes = { 0 };

	if (packet->tunnel_count || !packet->ip_bytes)
		return bytes;
	bytes.p = packet->ip_bytes;
	bytes.captured_left = MIN(packet->ip_captured, packet->ip.length);
	bytes.wire_left = packet->ip.length;
	return bytes;
}

/** packet_transport_length() - bytes behind the IP header on the wire. */
static inline uint32_t packet_transport_length(const struct packet *packet)
{
	return packet->ip.length > packet->ip.header ? packet->ip.length - packet->ip.header : 0;
}

/** packet_transport_bytes() - what stands behind the IP header; nothing in a tunnel. */
static inline struct cursor packet_transport_bytes(const struct packet *packet)
{
	struct cursor bytes = packet_network_bytes(packet);

	if (!cursor_skip(&bytes, packet->ip.header))
		bytes.captured_left = bytes.wire_left = 0;
	return bytes;
}

/** put_u16_hex() - four hexadecimal digits. */
static inline char *put_u16_hex(char *at, uint16_t value)
{
	for (unsigned shift = 16; shift;) {
		shift -= 4;
		*at++ = "0123456789abcdef"[value >> shift & 15];
	}
	return at;
}

/** put_u8_hex() - two hexadecimal digits. */
static inline char *put_u8_hex(char *at, uint8_t value)
{
	*at++ = "0123456789abcdef"[value >> 4];
	*at++ = "0123456789abcdef"[value & 15];
	return at;
}

/** put_u32_hex() - eight hexadecimal digits. */
static inline char *put_u32_hex(char *at, uint32_t value)
{
	return put_u16_hex(put_u16_hex(at, (uint16_t)(value >> 16)), (uint16_t)value);
}

#endif
