/* SPDX-License-Identifier: MIT */
/* The entry of the packet decoder, and the two places where a number says which layer follows: EtherType and IP protocol. */
#include "tcptriage/decode/packet.h"

#include "layers.h"

/* No network layer that is read and no transport that is: the number tells the reader what it was. */
static void other_decode(struct decoder *d, struct cursor *c)
{
	(void)c;
	decoder_end(d, LAYER_OTHER, DECODE_UNSUPPORTED);
}

/* Indexed by IP protocol. */
static void (*const transports[UINT8_MAX + 1])(struct decoder *d, struct cursor *c) = {
	[PROTOCOL_ICMP] = icmp_decode, [PROTOCOL_IPV4] = tunnel_ip,  [PROTOCOL_TCP] = tcp_decode,	[PROTOCOL_UDP] = udp_decode,
	[PROTOCOL_IPV6] = tunnel_ip,   [PROTOCOL_GRE] = tunnel_gre, [PROTOCOL_ICMPV6] = icmp_decode,
};

static void transport_decode(struct decoder *d, struct cursor *c, enum packet_layer ip_layer)
{
	const struct ip_header *ip = &d->packet->ip;

	/* in a later fragment the middle of something follows */
	if (UNLIKELY(ip->offset || ip->protocol == PROTOCOL_NONE))
		decoder_end(d, ip_layer, DECODE_OK);
	else if (LIKELY(transports[ip->protocol]))
		transports[ip->protocol](d, c);
	else
		other_decode(d, c);
}

void packet_network(struct decoder *d, struct cursor *c, uint16_t ethertype)
{
	struct packet *packet = d->packet;
	struct ip_reading how = { .outermost = !packet->tunnel_count, .verify = d->verify && packet->direction != DIRECTION_OUT };
	enum packet_layer layer = ethertype == ETHERTYPE_IPV6 ? LAYER_IPV6 : LAYER_IPV4;
	enum decode_status status;

	if (UNLIKELY(ethertype != ETHERTYPE_IPV4 && ethertype != ETHERTYPE_IPV6)) {
		other_decode(d, c);
		return;
	}
	if (how.outermost) {
		packet->ip_bytes = c->p;
		packet->ip_captured = (uint32_t)c->captured_left;
	}
	status = layer == LAYER_IPV6 ? ipv6_decode(c, &packet->ip, &how) : ipv4_decode(c, &packet->ip, &how);
	if (LIKELY(how.filled))
		packet->has |= PACKET_HAS_IP;
	d->verify = how.verify;
	d->routed = how.routed;
	if (UNLIKELY(how.lies || how.cut))
		decoder_end(d, layer, how.lies ? DECODE_MALFORMED : DECODE_TRUNCATED);
	if (LIKELY(status == DECODE_OK))
		transport_decode(d, c, layer);
	else
		decoder_end(d, layer, status);
}

enum decode_status packet_decode(const struct frame *frame, const struct decode_options *options, struct packet *packet)
{
	struct cursor c = cursor_of_cut(frame->bytes, frame->captured, frame->wire);
	struct decoder d = { .packet = packet, .link = &packet->link, .verify = options && options->checksums };

	packet->frame = frame;
	packet->has = 0;
	packet->status = DECODE_OK;
	packet->layer = LAYER_LINK;
	packet->tunnel_count = 0;
	packet->direction = frame->direction;
	packet->ip_bytes = NULL;
	packet->ip_captured = 0;
	link_decode(&d, &c, frame->link_type);
	packet->payload = c.p;
	packet->payload_captured = (uint32_t)c.captured_left;
	return (enum decode_status)packet->status;
}
