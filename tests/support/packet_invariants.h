/* SPDX-License-Identifier: MIT */
/* What holds for every decoded packet, whatever the bytes were: for sweeps and fuzz targets. A breach aborts. */
#ifndef TCPTRIAGE_TESTS_SUPPORT_PACKET_INVARIANTS_H
#define TCPTRIAGE_TESTS_SUPPORT_PACKET_INVARIANTS_H

#include <string.h>

#include "tcptriage/decode/packet.h"

static inline void invariant_within(const struct frame *frame, const uint8_t *bytes, size_t len)
{
	BUG_ON(bytes < frame->bytes || bytes > frame->bytes + frame->captured || len > (size_t)(frame->bytes + frame->captured - bytes));
}

static inline void invariant_ip(const struct ip_header *ip)
{
	BUG_ON(ip->src.family >= ADDR_FAMILY_COUNT || ip->src.family != ip->dst.family);
	BUG_ON(ip->header < (ip->src.family == ADDR_V6 ? 40 : 20) || ip->option_bytes > 40 || ip->extensions > 16);
	BUG_ON(ip->is_fragment != (ip->more || ip->offset) || ip->offset > 65528 || ip->checksum > CHECKSUM_BAD);
	for (size_t i = 4; ip->src.family == ADDR_V4 && i < sizeof(ip->src.bytes); i++)
		BUG_ON(ip->src.bytes[i] || ip->dst.bytes[i]);
}

static inline void invariant_tcp(const struct packet *p)
{
	const struct tcp_header *tcp = &p->tcp;

	BUG_ON(tcp->checksum > CHECKSUM_BAD || tcp->sack_count > TCP_SACK_BLOCKS_MAX || tcp->flags > 0x1ff);
	BUG_ON(p->ip.protocol != 6 || !(p->has & PACKET_HAS_PORTS));
	if (tcp->option_bytes)
		invariant_within(p->frame, tcp->option, tcp->option_bytes);
	if (p->status != DECODE_OK)
		return;
	BUG_ON(tcp->header < 20 || tcp->header > 60 || tcp->option_bytes != tcp->header - 20 || tcp->options & TCP_OPTION_CUT);
	BUG_ON((uint64_t)p->ip.header + tcp->header + tcp->payload != p->ip.length || p->payload_captured > tcp->payload);
	BUG_ON(tcp->options & TCP_OPTION_SACK && !tcp->sack_count);
}

static inline void invariant_udp(const struct packet *p)
{
	const struct udp_header *udp = &p->udp;

	BUG_ON(udp->checksum > CHECKSUM_BAD || p->ip.protocol != 17 || !(p->has & PACKET_HAS_PORTS));
	BUG_ON(p->status == DECODE_OK && (p->payload_captured > udp->payload || (uint64_t)p->ip.header + 8 + udp->payload > p->ip.length));
	BUG_ON(p->status == DECODE_OK && udp->length && !p->ip.is_fragment && udp->payload != udp->length - 8u);
}

static inline void invariant_icmp(const struct packet *p)
{
	const struct icmp_header *icmp = &p->icmp;

	BUG_ON(icmp->class >= ICMP_CLASS_COUNT || icmp->checksum > CHECKSUM_BAD);
	BUG_ON(p->ip.protocol != (p->ip.src.family == ADDR_V6 ? 58 : 1));
	if (!(p->has & PACKET_HAS_QUOTE))
		return;
	BUG_ON(!icmp_is_error((enum icmp_class)icmp->class) || !(icmp->quote.has & PACKET_HAS_IP) || icmp->quote.status >= DECODE_STATUS_COUNT);
	BUG_ON(icmp->quote.has & PACKET_HAS_TCP && !(icmp->quote.has & PACKET_HAS_PORTS));
	invariant_ip(&icmp->quote.ip);
}

/** packet_check() - aborts when @p contradicts its own contract. */
static inline void packet_check(const struct packet *p)
{
	unsigned transport = p->has & (PACKET_HAS_TCP | PACKET_HAS_UDP | PACKET_HAS_ICMP);

	BUG_ON(p->status >= DECODE_STATUS_COUNT || p->layer >= LAYER_COUNT || p->tunnel_count > PACKET_TUNNELS_MAX);
	BUG_ON(p->link.vlan_count > PACKET_VLANS_MAX || p->link.label_count > PACKET_LABELS_MAX || p->direction > DIRECTION_OUT);
	BUG_ON(transport & (transport - 1));
	BUG_ON((transport || p->has & PACKET_HAS_PORTS || p->tunnel_count || p->status == DECODE_OK) && !(p->has & PACKET_HAS_IP));
	BUG_ON(p->has & PACKET_HAS_QUOTE && !(p->has & PACKET_HAS_ICMP));
	invariant_within(p->frame, p->payload, p->payload_captured);
	if (p->ip_bytes)
		invariant_within(p->frame, p->ip_bytes, p->ip_captured);
	for (unsigned i = 0; i < p->tunnel_count; i++)
		BUG_ON(p->tunnels[i].kind == TUNNEL_NONE || p->tunnels[i].kind >= TUNNEL_KIND_COUNT || p->tunnels[i].src.family >= ADDR_FAMILY_COUNT);
	if (p->has & PACKET_HAS_IP)
		invariant_ip(&p->ip);
	if (p->has & PACKET_HAS_TCP)
		invariant_tcp(p);
	if (p->has & PACKET_HAS_UDP)
		invariant_udp(p);
	if (p->has & PACKET_HAS_ICMP)
		invariant_icmp(p);
	/* a whole packet of a protocol that is read has its header, unless the header is in another fragment */
	BUG_ON(p->status == DECODE_OK && !p->ip.offset && (p->ip.protocol == 6 || p->ip.protocol == 17) && !transport);
}

#endif
