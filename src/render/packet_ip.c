/* SPDX-License-Identifier: MIT */
/* IP packets: tunnels, headers that cannot be, and the way to what they carry; UDP, which is short. */
#include "src/render/packet_checksum.h"

#include <assert.h>

const char *packet_ip_protocol_name(uint8_t protocol)
{
	static const char *const names[UINT8_MAX + 1] = {
		[0] = "Options", [1] = "ICMP", [2] = "IGMP", [4] = "IPIP", [6] = "TCP", [8] = "EGP", [9] = "IGRP",
		[17] = "UDP", [33] = "DCCP", [41] = "IPv6", [43] = "Routing", [44] = "Fragment", [46] = "RSVP",
		[47] = "GRE", [50] = "ESP", [51] = "AH", [55] = "Mobile IP", [58] = "ICMPv6", [62] = "Mobile IP (old)",
		[88] = "EIGRP", [89] = "OSPF", [103] = "PIM", [108] = "Compressed IP", [112] = "VRRP", [113] = "PGM",
		[132] = "SCTP", [135] = "Mobility", [143] = "Ethernet",
	};

	return names[protocol] ? names[protocol] : "unknown";
}

static char *put_pair(char *at, const struct addr *src, const struct addr *dst)
{
	at = addr_text(at, src);
	at = put_lit(at, " > ");
	at = addr_text(at, dst);
	return put_lit(at, ": ");
}

char *packet_ip_addresses_put(char *at, const struct packet *packet)
{
	return put_pair(at, &packet->ip.src, &packet->ip.dst);
}

/* "a.1 > b.2: ", or "1 > 2: " behind addresses that stand already. */
static char *put_ports(char *at, const struct packet *packet, bool named, uint16_t src, uint16_t dst)
{
	if (!named) {
		at = addr_text(at, &packet->ip.src);
		*at++ = '.';
	}
	at = put_u64(at, src);
	at = put_lit(at, " > ");
	if (!named) {
		at = addr_text(at, &packet->ip.dst);
		*at++ = '.';
	}
	at = put_u64(at, dst);
	return put_lit(at, ": ");
}

static char *put_tcp(char *at, const struct packet_line *line, bool named)
{
	const struct packet *packet = line->packet;

	if (!(packet->has & (PACKET_HAS_PORTS | PACKET_HAS_TCP))) {
		if (!named)
			at = packet_ip_addresses_put(at, packet);
		return put_lit(at, "[|tcp]");
	}
	at = put_ports(at, packet, named, packet->tcp.src_port, packet->tcp.dst_port);
	if (!(packet->has & PACKET_HAS_TCP))
		return put_lit(at, " [|tcp]");
	return packet_tcp_put(at, line);
}

/* IPv4's is only looked at with -vv, as there. */
static char *put_udp_checksum(char *at, const struct packet_line *line, uint32_t length)
{
	const struct packet *packet = line->packet;
	bool v4 = packet->ip.src.family == ADDR_V4;
	uint16_t field = packet->udp.checksum_field;
	struct packet_checksum checksum;

	if (line->options->skip_checksums || line->options->verbosity < (v4 ? 2 : 1) || packet->ip.is_fragment)
		return at;
	if (v4 && !field)
		return put_lit(at, "[no cksum] ");
	if (!packet_checksum_transport(packet, length, field, &checksum))
		return at;
	if (checksum.good)
		return put_lit(at, "[udp sum ok] ");
	if (checksum.offloaded)
		return put_lit(at, "[udp sum offloaded] ");
	at = put_lit(at, "[bad udp cksum 0x");
	at = put_u16_hex(at, field);
	at = put_lit(at, " -> 0x");
	at = put_u16_hex(at, checksum.expected);
	return put_lit(at, "!] ");
}

/* @length: of the datagram as IP sees it, header included. */
static char *put_udp_length(char *at, const struct packet_line *line, uint32_t length)
{
	const struct packet *packet = line->packet;
	uint32_t claimed = packet->udp.length;

	if (claimed < 8) {
		at = put_lit(at, "truncated-udplength ");
		return put_u64(at, claimed);
	}
	at = put_udp_checksum(at, line, MIN(length, claimed));
	if (claimed > length && !packet->ip.is_fragment) {
		at = put_lit(at, "UDP, bad length ");
		at = put_u64(at, claimed - 8);
		at = put_lit(at, " > ");
		return put_u64(at, length - 8);
	}
	at = put_lit(at, "UDP, length ");
	return put_u64(at, claimed - 8);
}

static char *put_udp(char *at, const struct packet_line *line, bool named)
{
	const struct packet *packet = line->packet;
	uint32_t length = packet_transport_length(packet);

	if (!(packet->has & (PACKET_HAS_PORTS | PACKET_HAS_UDP))) {
		if (!named)
			at = packet_ip_addresses_put(at, packet);
		return put_lit(at, " [|udp]");
	}
	at = put_ports(at, packet, named, packet->udp.src_port, packet->udp.dst_port);
	if (length < 8) {
		at = put_lit(at, "truncated-udp ");
		return put_u64(at, length);
	}
	if (!(packet->has & PACKET_HAS_UDP))
		return put_lit(at, " [|udp]");
	return put_udp_length(at, line, length);
}

static char *put_unknown(char *at, const struct packet *packet)
{
	at = put_lit(at, " ip-proto-");
	at = put_u64(at, packet->ip.protocol);
	*at++ = ' ';
	return put_u64(at, packet_transport_length(packet));
}

char *packet_ip_transport_put(char *at, const struct packet_line *line, bool named)
{
	const struct packet *packet = line->packet;
	bool v4 = packet->ip.src.family == ADDR_V4;

	if (packet->ip.protocol == PROTOCOL_TCP)
		return put_tcp(at, line, named);
	if (packet->ip.protocol == PROTOCOL_UDP)
		return put_udp(at, line, named);
	if (!named)
		at = packet_ip_addresses_put(at, packet);
	if (packet->ip.protocol == PROTOCOL_ICMP && v4)
		return packet_icmp_put(at, line);
	if (packet->ip.protocol == PROTOCOL_ICMP6 && !v4)
		return packet_icmp6_put(at, line);
	if (packet->ip.protocol == PROTOCOL_NONE)
		return put_lit(at, "no next header");
	return put_unknown(at, packet);
}

static char *put_tunnel_kind(char *at, const struct tunnel *tunnel)
{
	static const struct {
		bool named;
		const char *id;
	} kinds[] = {
		[TUNNEL_NONE] = { false, NULL },	  [TUNNEL_IPIP] = { false, NULL },	 [TUNNEL_6IN4] = { false, NULL },
		[TUNNEL_IN_IPV6] = { false, NULL }, [TUNNEL_GRE] = { true, ", key " },	 [TUNNEL_VXLAN] = { true, ", vni " },
		[TUNNEL_GENEVE] = { true, ", vni " },
	};
	static_assert(ARRAY_SIZE(kinds) == TUNNEL_KIND_COUNT, "a text for every tunnel");

	/* IP in IP says what it is by itself */
	if (!kinds[tunnel->kind].named)
		return at;
	at = put_str(at, tunnel_kind_name(tunnel->kind));
	if (tunnel->id || tunnel->kind != TUNNEL_GRE) {
		at = put_str(at, kinds[tunnel->kind].id);
		at = put_u64(at, tunnel->id);
	}
	return put_lit(at, ": ");
}

static char *put_version(char *at, const struct packet_line *line, uint8_t family)
{
	if (line->options->link_header)
		return at;
	return family == ADDR_V4 ? put_lit(at, "IP ") : put_lit(at, "IP6 ");
}

static char *put_tunnels(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;

	for (unsigned i = 0; i < packet->tunnel_count; i++) {
		const struct tunnel *tunnel = &packet->tunnels[i];

		at = put_version(at, line, tunnel->src.family);
		at = put_pair(at, &tunnel->src, &tunnel->dst);
		at = put_tunnel_kind(at, tunnel);
	}
	return at;
}

static char *put_broken4(char *at, const struct packet_line *line, struct cursor c, uint32_t wire)
{
	uint8_t first = 0, version;
	uint16_t total = 0;

	if (!cursor_u8(&c, &first))
		return put_lit(at, " [|ip]");
	version = first >> 4;
	if (version == 6)
		return put_lit(at, "IP6, wrong link-layer encapsulation (invalid)");
	if (version != 4) {
		at = put_lit(at, "IP");
		at = put_u64(at, version);
		return put_lit(at, " (invalid)");
	}
	at = put_version(at, line, ADDR_V4);
	if (!cursor_skip(&c, 1) || !cursor_u16be(&c, &total) || !cursor_skip(&c, 16))
		return put_lit(at, " [|ip]");
	if (wire < 20) {
		at = put_lit(at, "truncated-ip ");
		return put_u64(at, wire);
	}
	if ((first & 15) < 5) {
		at = put_lit(at, "bad-hlen ");
		return put_u64(at, (first & 15) * 4u);
	}
	at = put_lit(at, "bad-len ");
	return put_u64(at, total);
}

static char *put_broken6(char *at, const struct packet_line *line, struct cursor c, uint32_t wire)
{
	uint8_t first = 0;

	if (c.captured_left < 40 || !cursor_u8(&c, &first))
		return put_lit(at, " [|ip6]");
	if (first >> 4 != 6) {
		at = put_version(at, line, ADDR_V6);
		at = put_lit(at, "version error: ");
		at = put_u64(at, first >> 4);
		return put_lit(at, " != 6");
	}
	at = put_version(at, line, ADDR_V6);
	at = put_lit(at, "truncated-ip6 ");
	return put_u64(at, wire);
}

/* A header of which nothing is worth more than what is wrong with it. */
static char *put_broken(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;
	struct cursor c = cursor_of(packet->frame->bytes, packet->frame->captured);
	size_t offset = packet->ip_bytes ? (size_t)(packet->ip_bytes - packet->frame->bytes) : packet->frame->captured;
	uint32_t wire = packet->frame->wire - (uint32_t)offset;

	cursor_skip(&c, offset);
	if (packet->tunnel_count)
		return put_lit(at, "[bad inner IP header]");
	return packet->layer == LAYER_IPV4 ? put_broken4(at, line, c, wire) : put_broken6(at, line, c, wire);
}

/* The header claims more than the frame had on the wire. */
static char *put_missing(char *at, const struct packet *packet)
{
	bool v4 = packet->ip.src.family == ADDR_V4;
	uint32_t wire;

	if (packet->tunnel_count || !packet->ip_bytes)
		return at;
	wire = packet->frame->wire - (uint32_t)(packet->ip_bytes - packet->frame->bytes);
	if (LIKELY(packet->ip.length <= wire))
		return at;
	at = v4 ? put_lit(at, "truncated-ip - ") : put_lit(at, "truncated-ip6 - ");
	at = put_u64(at, packet->ip.length - wire);
	return v4 ? put_lit(at, " bytes missing! ") : put_lit(at, " bytes missing!");
}

char *packet_ip_put(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;

	if (UNLIKELY(packet->tunnel_count))
		at = put_tunnels(at, line);
	if (UNLIKELY(!(packet->has & PACKET_HAS_IP) || packet->ip.length < packet->ip.header))
		return put_broken(at, line);
	at = put_version(at, line, packet->ip.src.family);
	at = put_missing(at, packet);
	return packet->ip.src.family == ADDR_V4 ? packet_ip4_put(at, line) : packet_ip6_put(at, line);
}
