/* SPDX-License-Identifier: MIT */
/* Tunnels to the inner packet: IP in IP (RFC 2003, RFC 4213 §3, RFC 2473), GRE (RFC 2784, RFC 2890), VXLAN (RFC 7348 §5), Geneve (RFC 8926 §3).
 *
 * GRE     0: C R K S, reserved, version:3 | EtherType:16 | C: checksum:16 0:16 | K: key:32 | S: sequence number:32
 * VXLAN   0: flags, only I (8) is set | 0:24 | 4: VNI:24 | 0:8 | 8: Ethernet
 * Geneve  0: version:2 option length:6, in 4 bytes | O C 0:6 | EtherType:16 | 4: VNI:24 | 0:8 | 8: options: class:16 type:8 0:3 length:5
 *
 * A UDP port alone proves no tunnel: one is only entered when its header has no bit set that must be 0 and an IP header stands inside.
 * Everything else that goes to these ports is plain UDP. */
#include "layers.h"

#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING 0x4000
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_VERSION 0x0007
#define VXLAN_FIRST_WORD 0x08000000U
#define UDP_TUNNEL_BYTES 8

/**
 * enter() - decode what a tunnel carries, unless the nest is too deep. The outer IP header moves to packet->tunnels, and comes back when no
 * inner one was found: packet->ip is always the innermost that could be read.
 * Return: false when there is none; the packet's status tells why.
 */
static bool enter(struct decoder *d, struct cursor *c, enum tunnel_kind kind, uint32_t id, uint16_t ethertype)
{
	struct packet *packet = d->packet;
	struct ip_header outer = packet->ip;

	if (packet->tunnel_count == PACKET_TUNNELS_MAX) {
		decoder_end(d, LAYER_TUNNEL, DECODE_UNSUPPORTED);
		return false;
	}
	packet->tunnels[packet->tunnel_count++] =
		(struct tunnel){ .kind = (uint8_t)kind, .id = id, .src = outer.src, .dst = outer.dst };
	/* the rest of the inner packet is in later fragments */
	if (outer.is_fragment)
		cursor_open(c);
	packet->has &= ~(unsigned)PACKET_HAS_IP;
	link_decode_inner(d, c, ethertype);
	if (packet->has & PACKET_HAS_IP)
		return true;
	packet->tunnel_count--;
	packet->ip = outer;
	packet->has |= PACKET_HAS_IP;
	return false;
}

void tunnel_ip(struct decoder *d, struct cursor *c)
{
	const struct ip_header *outer = &d->packet->ip;
	bool inner_is_v6 = outer->protocol == PROTOCOL_IPV6;
	enum tunnel_kind kind = outer->src.family == ADDR_V6 ? TUNNEL_IN_IPV6 : inner_is_v6 ? TUNNEL_6IN4 : TUNNEL_IPIP;

	enter(d, c, kind, 0, inner_is_v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
}

static enum decode_status gre_header(struct cursor *c, uint32_t *key, uint16_t *ethertype)
{
	size_t before_key, behind_key;
	uint16_t flags = 0;

	if (c->captured_left < 4)
		return cursor_lacks(c, 4);
	cursor_u16be(c, &flags);
	cursor_u16be(c, ethertype);
	/* source routes of RFC 1701 are gone from RFC 2784; version 1 is PPTP's and carries PPP (RFC 2637 §4.1) */
	if (flags & (GRE_ROUTING | GRE_VERSION))
		return DECODE_UNSUPPORTED;
	before_key = flags & GRE_CHECKSUM ? 4 : 0;
	behind_key = flags & GRE_SEQUENCE ? 4 : 0;
	if (!cursor_skip(c, before_key))
		return cursor_lacks(c, before_key);
	if (flags & GRE_KEY && !cursor_u32be(c, key))
		return cursor_lacks(c, 4);
	return cursor_skip(c, behind_key) ? DECODE_OK : cursor_lacks(c, behind_key);
}

void tunnel_gre(struct decoder *d, struct cursor *c)
{
	uint32_t key = 0;
	uint16_t ethertype = 0;
	enum decode_status status = gre_header(c, &key, &ethertype);

	if (status == DECODE_OK)
		enter(d, c, TUNNEL_GRE, key, ethertype);
	else
		decoder_end(d, LAYER_TUNNEL, status);
}

static enum decode_status vxlan_header(struct cursor *c, uint32_t *vni, uint16_t *ethertype)
{
	uint32_t first = 0, second = 0;

	cursor_u32be(c, &first);
	cursor_u32be(c, &second);
	*vni = second >> 8;
	*ethertype = ETHERTYPE_ETHERNET;
	return first == VXLAN_FIRST_WORD && !(second & 0xff) ? DECODE_OK : DECODE_UNSUPPORTED;
}

/* Return: DECODE_OK when @options is a whole number of options. */
static enum decode_status geneve_options(struct cursor options)
{
	struct cursor value;
	uint32_t head;

	while (options.wire_left) {
		if (!cursor_u32be(&options, &head))
			return cursor_lacks(&options, 4);
		if (head & 0xe0 || !cursor_split(&options, (head & 0x1f) * 4, &value))
			return DECODE_UNSUPPORTED;
	}
	return DECODE_OK;
}

static enum decode_status geneve_header(struct cursor *c, uint32_t *vni, uint16_t *ethertype)
{
	uint32_t first = 0, second = 0;
	struct cursor options;

	cursor_u32be(c, &first);
	cursor_u32be(c, &second);
	*vni = second >> 8;
	*ethertype = (uint16_t)first;
	if (first >> 30 != 0 || first & 0x003f0000 || second & 0xff || !cursor_split(c, (first >> 24 & 0x3f) * 4, &options))
		return DECODE_UNSUPPORTED;
	return geneve_options(options);
}

/* The header reader gets eight bytes at least, and says DECODE_UNSUPPORTED of what is no such header. */
static const struct udp_tunnel {
	enum decode_status (*header)(struct cursor *c, uint32_t *vni, uint16_t *ethertype);
	uint16_t port;
	uint8_t kind;
} udp_tunnels[] = {
	{ vxlan_header, 4789, TUNNEL_VXLAN },
	{ vxlan_header, 8472, TUNNEL_VXLAN }, /* Linux's port from before there was a standard, still its default */
	{ geneve_header, 6081, TUNNEL_GENEVE },
};

static const struct udp_tunnel *udp_tunnel_of(uint16_t port)
{
	for (const struct udp_tunnel *row = udp_tunnels; row < udp_tunnels + ARRAY_SIZE(udp_tunnels); row++) {
		if (row->port == port)
			return row;
	}
	return NULL;
}

bool tunnel_udp_port(uint16_t port)
{
	return udp_tunnel_of(port);
}

void tunnel_cut(struct decoder *d)
{
	if (d->packet->status == DECODE_MALFORMED)
		return;
	d->packet->status = DECODE_TRUNCATED;
	d->packet->layer = LAYER_TUNNEL;
}

/* The inner packet, or all as it was when there is none that can be read. Return: false when this is plain UDP. */
static bool enter_udp(struct decoder *d, struct cursor *c, const struct udp_tunnel *row, uint32_t vni, uint16_t ethertype)
{
	struct packet *packet = d->packet;
	struct udp_header udp = packet->udp;
	uint8_t status = packet->status, layer = packet->layer;

	packet->has &= ~(unsigned)(PACKET_HAS_UDP | PACKET_HAS_PORTS);
	if (enter(d, c, (enum tunnel_kind)row->kind, vni, ethertype))
		return true;
	packet->udp = udp;
	packet->has |= PACKET_HAS_UDP | PACKET_HAS_PORTS;
	/* cut before anybody could tell, or too deep: calling it plain UDP would be a guess */
	if (packet->status == DECODE_TRUNCATED)
		tunnel_cut(d);
	if (packet->status == DECODE_TRUNCATED || packet->tunnel_count == PACKET_TUNNELS_MAX)
		return true;
	packet->status = status;
	packet->layer = layer;
	return false;
}

bool tunnel_udp(struct decoder *d, struct cursor *c, uint16_t port)
{
	const struct udp_tunnel *row = udp_tunnel_of(port);
	struct cursor inner = *c;
	enum decode_status status;
	uint16_t ethertype = 0;
	uint32_t vni = 0;

	if (!row || c->wire_left < UDP_TUNNEL_BYTES)
		return false;
	status = c->captured_left < UDP_TUNNEL_BYTES ? DECODE_TRUNCATED : row->header(&inner, &vni, &ethertype);
	if (status == DECODE_TRUNCATED) {
		tunnel_cut(d);
		return true;
	}
	if (status != DECODE_OK || !enter_udp(d, &inner, row, vni, ethertype))
		return false;
	*c = inner;
	return true;
}
