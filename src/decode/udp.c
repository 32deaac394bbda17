/* SPDX-License-Identifier: MIT */
/* UDP headers (RFC 768).
 *
 *   0: source port:16 | destination port:16 | 4: length with these eight bytes:16 | checksum:16, 0 for none */
#include "layers.h"

#define UDP_BYTES 8

static void cut_header(struct decoder *d, struct cursor *c, struct udp_header *udp)
{
	enum decode_status status = cursor_lacks(c, UDP_BYTES);

	if (cursor_u16be(c, &udp->src_port) && cursor_u16be(c, &udp->dst_port))
		d->packet->has |= PACKET_HAS_PORTS;
	/* what it carries is what it is, and that was cut away */
	if (status == DECODE_TRUNCATED && d->packet->has & PACKET_HAS_PORTS && tunnel_udp_port(udp->dst_port))
		tunnel_cut(d);
	else
		decoder_end(d, LAYER_UDP, status);
}

/* The length field against the IP packet, which a fragment's reaches beyond. @c: limited. Return: false when it cannot be. */
static bool apply_length(struct cursor *c, const struct ip_header *ip, uint16_t length)
{
	/* a jumbogram's length does not fit (RFC 2675 §4) */
	if (length == 0 && ip->src.family == ADDR_V6 && (ip->length_guessed || ip->length - ip->header > UINT16_MAX))
		return true;
	return length >= UDP_BYTES && (cursor_limit(c, length) || ip->is_fragment);
}

void udp_decode(struct decoder *d, struct cursor *c)
{
	struct packet *packet = d->packet;
	struct udp_header *udp = &packet->udp;
	struct cursor at = *c, datagram = *c, h;

	if (UNLIKELY(!cursor_take(&at, UDP_BYTES, &h))) {
		cut_header(d, c, udp);
		return;
	}
	cursor_u16be(&h, &udp->src_port);
	cursor_u16be(&h, &udp->dst_port);
	cursor_u16be(&h, &udp->length);
	cursor_u16be(&h, &udp->checksum_field);
	packet->has |= PACKET_HAS_UDP | PACKET_HAS_PORTS;
	udp->checksum = CHECKSUM_UNKNOWN;
	udp->payload = (uint32_t)at.wire_left;
	if (UNLIKELY(!apply_length(&datagram, &packet->ip, udp->length))) {
		*c = at;
		decoder_end(d, LAYER_UDP, DECODE_MALFORMED);
		return;
	}
	/* over IPv6 only tunnels may leave it out (RFC 6935), and a host drops others; nothing can be verified either way */
	if (udp->checksum_field == 0)
		udp->checksum = CHECKSUM_ABSENT;
	else if (UNLIKELY(d->verify))
		udp->checksum = (uint8_t)checksum_transport(d, datagram, PROTOCOL_UDP, udp->checksum_field);
	*c = datagram;
	cursor_skip(c, UDP_BYTES);
	udp->payload = (uint32_t)c->wire_left;
	if (!tunnel_udp(d, c, udp->dst_port))
		decoder_end(d, LAYER_UDP, DECODE_OK);
}
