/* SPDX-License-Identifier: MIT */
/* What the layers of the packet decoder share: each reads its header off the cursor, fills its part of the packet and hands on to the next.
 *
 * link → packet_network → IPv4, IPv6 → packet_transport → TCP, UDP, ICMP, or a tunnel, which starts over at link with the inner frame.
 * Depth is bounded by PACKET_TUNNELS_MAX. Every function leaves the cursor where it stopped: what is left there is the packet's payload.
 * The first complaint stays (decoder_end): a packet whose IP length lies is malformed whatever its TCP header looks like, which is read
 * all the same, so that a person sees whose packet it was. */
#ifndef DECODE_LAYERS_H
#define DECODE_LAYERS_H

#include "tcptriage/decode/cursor.h"
#include "tcptriage/model/packet.h"

/* EtherTypes (IEEE 802 numbers at IANA) that more than one layer names. */
enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_ETHERNET = 0x6558, /* transparent Ethernet bridging: a whole frame follows (RFC 7637 §3.2) */
};

/* IP protocol numbers (IANA) that are read. */
enum protocol {
	PROTOCOL_ICMP = 1,
	PROTOCOL_IPV4 = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_GRE = 47,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_NONE = 59,
};

/**
 * struct decoder - one run of the decoder.
 * @link: header that link layers fill: the packet's own, inside a tunnel one that is thrown away. @verify: checksums are asked for and mean
 * something. @routed: a source route stands in the innermost IP header: checksums are summed over another destination than the one there.
 */
struct decoder {
	struct packet *packet;
	struct link_header *link;
	bool verify, routed;
};

/** decoder_end() - decoding ends at @layer with @status, unless an earlier layer complained already. */
static inline void decoder_end(struct decoder *d, enum packet_layer layer, enum decode_status status)
{
	if (LIKELY(d->packet->status == DECODE_OK)) {
		d->packet->layer = (uint8_t)layer;
		d->packet->status = (uint8_t)status;
	}
}

/** link_decode() - the frame's link layer by its link type, then what it carries. */
void link_decode(struct decoder *d, struct cursor *c, uint32_t link_type);
/** link_decode_inner() - what a tunnel carries, by its EtherType; link headers before the inner IP header are skipped, not kept. */
void link_decode_inner(struct decoder *d, struct cursor *c, uint16_t ethertype);

/** packet_network() - the network layer by EtherType. */
void packet_network(struct decoder *d, struct cursor *c, uint16_t ethertype);

/**
 * struct ip_reading - how an IP header is read, and what became of it beside the header.
 * @quoted: in, an ICMP error quotes the packet: its length is noted and nothing is cut by it, for what follows is missing anyway and some
 * stacks quote a length that they changed. @outermost: in, no outer length bounds the packet. @verify: in, the checksum of an IPv4 header is
 * looked at. @filled: out, the fixed part of the header is worth something. @cut: out, the frame is shorter than the outermost packet says:
 * its end was lost somewhere, mostly by a tool that cut the capture and did not write down how long frames had been. @lies: out, a length or
 * an option contradicts the rest, which can be read all the same. @routed: out, see struct decoder.
 */
struct ip_reading {
	bool quoted, outermost, verify, filled, cut, lies, routed;
};

/** ip_reading_limit() - @c ends where the IP header says, @bytes from here. */
static inline void ip_reading_limit(struct ip_reading *how, struct cursor *c, size_t bytes)
{
	if (LIKELY(cursor_limit(c, bytes)))
		return;
	if (how->outermost)
		cursor_stretch(c, bytes);
	how->cut |= how->outermost;
	how->lies |= !how->outermost;
}

/**
 * ipv4_decode(), ipv6_decode() - an IP header with options or extension headers. @c: moved behind it and limited to the packet.
 * Return: DECODE_OK when @c stands at what ip->protocol says.
 */
enum decode_status ipv4_decode(struct cursor *c, struct ip_header *ip, struct ip_reading *how);
enum decode_status ipv6_decode(struct cursor *c, struct ip_header *ip, struct ip_reading *how);
/** ipv6_skip_ah() - an authentication header, of either IP version; ip->protocol becomes what it protects. */
enum decode_status ipv6_skip_ah(struct cursor *c, struct ip_header *ip);

/** tcp_decode(), udp_decode(), icmp_decode() - the transport layer; UDP looks for tunnels. */
void tcp_decode(struct decoder *d, struct cursor *c);
void udp_decode(struct decoder *d, struct cursor *c);
void icmp_decode(struct decoder *d, struct cursor *c);
/** icmp_class_of() - what type and code of ICMP, or of ICMPv6, mean. */
enum icmp_class icmp_class_of(bool is_v6, uint8_t type, uint8_t code);

/** tunnel_ip(), tunnel_gre() - what follows an IP header of protocol 4 or 41, or 47. */
void tunnel_ip(struct decoder *d, struct cursor *c);
void tunnel_gre(struct decoder *d, struct cursor *c);
/** tunnel_udp_port() - datagrams to @port carry packets. */
bool tunnel_udp_port(uint16_t port);
/** tunnel_cut() - the capture ends before anybody could tell what a tunnel carries; more telling than any complaint of its outside. */
void tunnel_cut(struct decoder *d);
/** tunnel_udp() - the payload of a UDP datagram to @port. Return: false, nothing changed, when it is no tunnel that can be read. */
bool tunnel_udp(struct decoder *d, struct cursor *c, uint16_t port);

/** checksum_ipv4() - of a whole IPv4 header. @field: the checksum that stands in it. */
enum checksum checksum_ipv4(struct cursor header, uint16_t field);
/**
 * checksum_transport() - of the transport header and payload in @segment with the pseudo header of packet->ip (ICMP over IPv4 has none).
 * @protocol: as in the pseudo header. @field: the checksum that stands in the segment.
 * Return: CHECKSUM_UNKNOWN when it was not asked for, not all is there, or it is a fragment.
 */
enum checksum checksum_transport(const struct decoder *d, struct cursor segment, uint8_t protocol, uint16_t field);

/* An IPv4 address, written at once with the zeros behind it: twelve single stores would be what this costs most. */
static inline void addr_take_v4(struct cursor *c, struct addr *out)
{
	uint32_t words[4] = { 0 };

	cursor_u32ne(c, &words[0]);
	memcpy(out->bytes, words, sizeof(out->bytes));
	out->family = ADDR_V4;
}

/* An IPv6 address. One that is v4-mapped stays IPv6: the family tells which header stood on the wire. */
static inline void addr_take_v6(struct cursor *c, struct addr *out)
{
	cursor_bytes(c, out->bytes, sizeof(out->bytes));
	out->family = ADDR_V6;
}

#endif
