/* SPDX-License-Identifier: MIT */
/* Link layers, by LINKTYPE_* number (https://www.tcpdump.org/linktypes.html).
 *
 * Ethernet (IEEE 802.3)   0: destination:48 | source:48 | EtherType:16, or below 0x600 the length of an LLC frame
 * LLC, SNAP (RFC 1042)    0: AA AA 03 | organisation:24, 0 | EtherType:16
 * 802.1Q, 802.1ad         behind a TPID: priority:3 DEI:1 VLAN:12 | EtherType:16
 * MPLS (RFC 3032 §2.1)    label:20 TC:3 bottom:1 TTL:8, repeated until bottom; nothing says what follows but its first four bits (RFC 4928 §2)
 * PPPoE (RFC 2516 §4)     0: version:4 type:4, both 1 | code:8 | session:16 | length:16 | PPP
 * PPP (RFC 1661, 1662)    FF 03, may be missing | protocol:16, or its odd second byte alone
 * Cisco HDLC              0: 0F or 8F | 00 | EtherType:16
 * FDDI (ISO 9314-2)       0: frame control:8 | destination:48 | source:48 | LLC
 * cooked (SLL)            0: packet type:16 | ARPHRD:16 | address length:16 | address:64 | EtherType:16
 * cooked v2 (SLL2)        0: EtherType:16 | 0:16 | ifindex:32 | ARPHRD:16 | packet type:8 | address length:8 | address:64
 * NULL, LOOP              0: address family:32 in the order of the machine that captured; LOOP: in network order
 * NFLOG                   0: family:8 | version:8 | group:16, then attributes: length:16 type:16 value, padded to four bytes */
#include "layers.h"

#include "tcptriage/decode/packet.h"

#define ETHERNET_BYTES 14
/* Below: not a type but the length of an LLC frame (IEEE 802.3 §3.2.6). */
#define ETHERTYPE_MIN 0x600
#define ETHERTYPE_LLC 4 /* of cooked frames (include/uapi/linux/if_ether.h) */
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MULTICAST 0x8848
#define ETHERTYPE_PPPOE 0x8864
#define MPLS_BOTTOM 0x100

static void ethertype_decode(struct decoder *d, struct cursor *c, uint16_t ethertype);

/* The first header of a layer was not there. */
static void link_cut(struct decoder *d, const struct cursor *c, size_t bytes)
{
	decoder_end(d, LAYER_LINK, cursor_lacks(c, bytes));
}

static void malformed(struct decoder *d)
{
	decoder_end(d, LAYER_LINK, DECODE_MALFORMED);
}

static void other(struct decoder *d)
{
	decoder_end(d, LAYER_OTHER, DECODE_UNSUPPORTED);
}

/* IP whose version only its own first bits tell. Return: its EtherType, 0 when they tell of none. */
static uint16_t version_by_nibble(const struct cursor *c)
{
	uint8_t first = 0;

	cursor_peek_u8(c, &first);
	return first >> 4 == 4 ? ETHERTYPE_IPV4 : first >> 4 == 6 ? ETHERTYPE_IPV6 : 0;
}

/* Numbers of other organisations than 0 say nothing of IP. */
static void snap_decode(struct decoder *d, struct cursor *c)
{
	uint16_t organisation = 0, ethertype = 0;
	uint8_t last = 0;
	struct cursor h;

	if (!cursor_take(c, 5, &h)) {
		link_cut(d, c, 5);
		return;
	}
	cursor_u16be(&h, &organisation);
	cursor_u8(&h, &last);
	cursor_u16be(&h, &ethertype);
	if (organisation || last || ethertype < ETHERTYPE_MIN)
		other(d);
	else
		ethertype_decode(d, c, ethertype);
}

static void llc_decode(struct decoder *d, struct cursor *c)
{
	static const uint8_t ip[3] = { 0x06, 0x06, 0x03 }, snap[3] = { 0xaa, 0xaa, 0x03 };
	uint8_t head[3];

	d->link->ethertype = 0;
	if (!cursor_bytes(c, head, sizeof(head)))
		link_cut(d, c, sizeof(head));
	else if (!memcmp(head, snap, sizeof(head)))
		snap_decode(d, c);
	else if (!memcmp(head, ip, sizeof(head)))
		packet_network(d, c, ETHERTYPE_IPV4);
	else
		other(d);
}

/* A pseudowire: a control word whose first bits are 0, so that it is not taken for IP, then most often Ethernet (RFC 4385 §3, RFC 4448). */
static void pseudowire_decode(struct decoder *d, struct cursor *c)
{
	uint32_t control;

	if (d->link != &d->packet->link)
		decoder_end(d, LAYER_TUNNEL, DECODE_UNSUPPORTED);
	else if (!cursor_peek_u32be(c, &control))
		link_cut(d, c, 4);
	else if (control >> 28)
		other(d);
	else if (cursor_skip(c, 4))
		link_decode_inner(d, c, ETHERTYPE_ETHERNET);
}

static void mpls_decode(struct decoder *d, struct cursor *c)
{
	uint16_t ethertype;
	uint32_t entry;

	do {
		if (d->link->label_count == PACKET_LABELS_MAX) {
			decoder_end(d, LAYER_LINK, DECODE_UNSUPPORTED);
			return;
		}
		if (!cursor_u32be(c, &entry)) {
			link_cut(d, c, 4);
			return;
		}
		d->link->label[d->link->label_count++] = entry;
	} while (!(entry & MPLS_BOTTOM));
	if (!c->captured_left)
		link_cut(d, c, 1);
	else if (!(ethertype = version_by_nibble(c)))
		pseudowire_decode(d, c);
	else
		packet_network(d, c, d->link->ethertype = ethertype);
}

static void ppp_protocol(struct decoder *d, struct cursor *c, uint16_t protocol)
{
	switch (protocol) {
	case 0x0021:
		packet_network(d, c, ETHERTYPE_IPV4);
		break;
	case 0x0057:
		packet_network(d, c, ETHERTYPE_IPV6);
		break;
	case 0x0281:
	case 0x0283:
		mpls_decode(d, c);
		break;
	default:
		other(d);
	}
}

/* The protocol field, which is one byte when compressed: only its last byte is odd (RFC 1661 §2). */
static void ppp_body(struct decoder *d, struct cursor *c)
{
	uint8_t first, second;

	if (!cursor_u8(c, &first))
		link_cut(d, c, 1);
	else if (first & 1)
		ppp_protocol(d, c, first);
	else if (!cursor_u8(c, &second))
		link_cut(d, c, 1);
	else
		ppp_protocol(d, c, (uint16_t)(first << 8 | second));
}

static void pppoe_decode(struct decoder *d, struct cursor *c)
{
	uint16_t version_code = 0, length = 0;
	struct cursor h;

	if (!cursor_take(c, 6, &h)) {
		link_cut(d, c, 6);
		return;
	}
	cursor_u16be(&h, &version_code);
	cursor_u16be(&h, &d->link->pppoe_session);
	cursor_u16be(&h, &length);
	d->link->is_pppoe = true;
	if (version_code != 0x1100 || !cursor_limit(c, length))
		malformed(d);
	else
		ppp_body(d, c);
}

static bool is_vlan(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100 || ethertype == 0x9200;
}

/* Return: false when the tags cannot be read. @ethertype: becomes that behind them. */
static bool vlan_decode(struct decoder *d, struct cursor *c, uint16_t *ethertype)
{
	struct link_header *link = d->link;
	struct cursor h;

	while (is_vlan(*ethertype)) {
		if (link->vlan_count == PACKET_VLANS_MAX) {
			decoder_end(d, LAYER_LINK, DECODE_UNSUPPORTED);
			return false;
		}
		if (!cursor_take(c, 4, &h)) {
			link_cut(d, c, 4);
			return false;
		}
		link->vlan[link->vlan_count].tpid = *ethertype;
		cursor_u16be(&h, &link->vlan[link->vlan_count].tci);
		cursor_u16be(&h, ethertype);
		link->vlan_count++;
	}
	return true;
}

/* EtherTypes other than those of IP itself. */
static void ethertype_other(struct decoder *d, struct cursor *c, uint16_t ethertype)
{
	if (ethertype < ETHERTYPE_MIN && !cursor_limit(c, ethertype))
		malformed(d);
	else if (ethertype < ETHERTYPE_MIN)
		llc_decode(d, c);
	else if (ethertype == ETHERTYPE_MPLS || ethertype == ETHERTYPE_MPLS_MULTICAST)
		mpls_decode(d, c);
	else if (ethertype == ETHERTYPE_PPPOE)
		pppoe_decode(d, c);
	else
		other(d);
}

/* What an EtherType announces. The two of IP are asked for first: they are nearly all. */
static void ethertype_decode(struct decoder *d, struct cursor *c, uint16_t ethertype)
{
	bool is_ip = ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6;

	if (UNLIKELY(!is_ip) && !vlan_decode(d, c, &ethertype))
		return;
	d->link->ethertype = ethertype;
	if (LIKELY(is_ip) || ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6)
		packet_network(d, c, ethertype);
	else
		ethertype_other(d, c, ethertype);
}

static void ethernet_decode(struct decoder *d, struct cursor *c)
{
	uint16_t ethertype = 0;
	struct cursor h;

	if (UNLIKELY(!cursor_take(c, ETHERNET_BYTES, &h))) {
		link_cut(d, c, ETHERNET_BYTES);
		return;
	}
	cursor_bytes(&h, d->link->dst, sizeof(d->link->dst));
	cursor_bytes(&h, d->link->src, sizeof(d->link->src));
	cursor_u16be(&h, &ethertype);
	if (d->link == &d->packet->link)
		d->packet->has |= PACKET_HAS_MAC;
	ethertype_decode(d, c, ethertype);
}

/* Asynchronous LLC frames; the others are the ring's own. */
static void fddi_decode(struct decoder *d, struct cursor *c)
{
	uint8_t control = 0;
	struct cursor h;

	if (!cursor_take(c, 13, &h)) {
		link_cut(d, c, 13);
		return;
	}
	cursor_u8(&h, &control);
	cursor_bytes(&h, d->link->dst, sizeof(d->link->dst));
	cursor_bytes(&h, d->link->src, sizeof(d->link->src));
	d->packet->has |= PACKET_HAS_MAC;
	if ((control & 0xf0) == 0x50)
		llc_decode(d, c);
	else
		other(d);
}

/* The link types of Ethernet-like cooked frames: what the EtherType field says, and the two numbers there that are none. */
static void cooked_protocol(struct decoder *d, struct cursor *c, uint16_t ethertype)
{
	if (ethertype >= ETHERTYPE_MIN) {
		ethertype_decode(d, c, ethertype);
		return;
	}
	d->link->ethertype = 0;
	if (ethertype == ETHERTYPE_LLC)
		llc_decode(d, c);
	else
		other(d);
}

/* PACKET_* of include/uapi/linux/if_packet.h: 4 is sent by this machine, 0 to 3 were received, whomever they were for. */
static void cooked_address(struct decoder *d, struct cursor *h, uint16_t length)
{
	struct packet *packet = d->packet;

	if (packet->direction == DIRECTION_UNKNOWN && d->link->cooked_type <= 4)
		packet->direction = d->link->cooked_type == 4 ? DIRECTION_OUT : DIRECTION_IN;
	cursor_bytes(h, d->link->src, sizeof(d->link->src));
	cursor_skip(h, 2);
	memset(d->link->dst, 0, sizeof(d->link->dst));
	if (length == sizeof(d->link->src))
		packet->has |= PACKET_HAS_MAC;
}

static void sll_decode(struct decoder *d, struct cursor *c)
{
	uint16_t length = 0, ethertype = 0;
	struct cursor h;

	if (!cursor_take(c, 16, &h)) {
		link_cut(d, c, 16);
		return;
	}
	cursor_u16be(&h, &d->link->cooked_type);
	cursor_u16be(&h, &d->link->hardware);
	cursor_u16be(&h, &length);
	cooked_address(d, &h, length);
	cursor_u16be(&h, &ethertype);
	cooked_protocol(d, c, ethertype);
}

static void sll2_decode(struct decoder *d, struct cursor *c)
{
	uint16_t ethertype = 0;
	uint8_t type = 0, length = 0;
	struct cursor h;

	if (!cursor_take(c, 20, &h)) {
		link_cut(d, c, 20);
		return;
	}
	cursor_u16be(&h, &ethertype);
	cursor_skip(&h, 2);
	cursor_u32be(&h, &d->link->ifindex);
	cursor_u16be(&h, &d->link->hardware);
	cursor_u8(&h, &type);
	cursor_u8(&h, &length);
	d->link->cooked_type = type;
	d->packet->has |= PACKET_HAS_IFINDEX;
	cooked_address(d, &h, length);
	cooked_protocol(d, c, ethertype);
}

static void raw_decode(struct decoder *d, struct cursor *c)
{
	uint16_t ethertype = version_by_nibble(c);

	if (ethertype)
		packet_network(d, c, ethertype);
	else if (c->captured_left)
		malformed(d);
	else
		link_cut(d, c, 1);
}

static void raw4_decode(struct decoder *d, struct cursor *c)
{
	packet_network(d, c, ETHERTYPE_IPV4);
}

static void raw6_decode(struct decoder *d, struct cursor *c)
{
	packet_network(d, c, ETHERTYPE_IPV6);
}

/* AF_INET is 2 everywhere, AF_INET6 is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (Darwin), or Linux's 10. */
static void family_decode(struct decoder *d, struct cursor *c, uint32_t family)
{
	if (family == 2)
		packet_network(d, c, ETHERTYPE_IPV4);
	else if (family == 24 || family == 28 || family == 30 || family == 10)
		packet_network(d, c, ETHERTYPE_IPV6);
	else
		other(d);
}

static void loop_decode(struct decoder *d, struct cursor *c)
{
	uint32_t family;

	if (cursor_u32be(c, &family))
		family_decode(d, c, family);
	else
		link_cut(d, c, 4);
}

static void hdlc_decode(struct decoder *d, struct cursor *c)
{
	uint32_t word;

	if (!cursor_u32be(c, &word)) {
		link_cut(d, c, 4);
		return;
	}
	if ((uint16_t)word >= ETHERTYPE_MIN)
		ethertype_decode(d, c, (uint16_t)word);
	else
		other(d);
}

/* Address byte of Cisco HDLC: unicast or broadcast. */
static bool starts_as_hdlc(const struct cursor *c)
{
	uint8_t first = 0;

	cursor_peek_u8(c, &first);
	return first == 0x0f || first == 0x8f;
}

/* The order is that of a machine nobody knows; families are small numbers, so one of the two makes sense. Some drivers put Cisco HDLC here. */
static void null_decode(struct decoder *d, struct cursor *c)
{
	uint32_t family = 0;

	if (!cursor_peek_u32be(c, &family)) {
		link_cut(d, c, 4);
	} else if (starts_as_hdlc(c)) {
		hdlc_decode(d, c);
	} else {
		cursor_skip(c, 4);
		family_decode(d, c, family > UINT16_MAX ? __builtin_bswap32(family) : family);
	}
}

static void ppp_decode(struct decoder *d, struct cursor *c)
{
	uint8_t first = 0;

	cursor_peek_u8(c, &first);
	if (first == 0xff && !cursor_skip(c, 2))
		link_cut(d, c, 2);
	else
		ppp_body(d, c);
}

/* PPP in HDLC-like frames, or Cisco HDLC: the address byte tells. */
static void ppp_serial_decode(struct decoder *d, struct cursor *c)
{
	if (starts_as_hdlc(c))
		hdlc_decode(d, c);
	else
		ppp_decode(d, c);
}

/* nfnetlink_log's attribute that holds the packet (include/uapi/linux/netfilter/nfnetlink_log.h). */
#define NFLOG_PAYLOAD 9

/* One attribute, in the order of the machine that captured: types are small numbers, so one order makes sense. */
static enum decode_status nflog_next(struct cursor *c, uint16_t *type, struct cursor *value)
{
	uint16_t length = 0;

	if (c->captured_left < 4)
		return cursor_lacks(c, 4);
	cursor_u16ne(c, &length);
	cursor_u16ne(c, type);
	if (*type > UINT8_MAX) {
		length = __builtin_bswap16(length);
		*type = __builtin_bswap16(*type);
	}
	if (length < 4 || !cursor_split(c, length - 4u, value))
		return DECODE_MALFORMED;
	cursor_skip(c, MIN(-length & 3u, c->captured_left));
	return DECODE_OK;
}

static void nflog_decode(struct decoder *d, struct cursor *c)
{
	enum decode_status status = cursor_skip(c, 4) ? DECODE_OK : cursor_lacks(c, 4);
	struct cursor value = *c;
	uint16_t type = 0;

	while (status == DECODE_OK && type != NFLOG_PAYLOAD && c->wire_left)
		status = nflog_next(c, &type, &value);
	if (status != DECODE_OK) {
		decoder_end(d, LAYER_LINK, status);
		return;
	}
	*c = value;
	/* the kernel copies as much as it was asked for and says nowhere how long the packet was */
	cursor_open(c);
	if (type == NFLOG_PAYLOAD && !c->captured_left)
		link_cut(d, c, 1);
	else
		packet_network(d, c, type == NFLOG_PAYLOAD ? version_by_nibble(c) : 0);
}

/* Indexed by LINKTYPE_* number, with pcap's name; DLT_RAW is 12 or 14 depending on the system. Without a function: known, not read. */
static const struct link_type {
	const char *name;
	void (*decode)(struct decoder *d, struct cursor *c);
} link_types[] = {
	[0] = { "NULL", null_decode },
	[1] = { "EN10MB", ethernet_decode },
	[6] = { "IEEE802", NULL },
	[7] = { "ARCNET", NULL },
	[8] = { "SLIP", NULL },
	[9] = { "PPP", ppp_decode },
	[10] = { "FDDI", fddi_decode },
	[12] = { "RAW", raw_decode },
	[14] = { "RAW", raw_decode },
	[50] = { "PPP_SERIAL", ppp_serial_decode },
	[51] = { "PPP_ETHER", pppoe_decode },
	[100] = { "ATM_RFC1483", NULL },
	[101] = { "RAW", raw_decode },
	[104] = { "C_HDLC", hdlc_decode },
	[105] = { "IEEE802_11", NULL },
	[107] = { "FRELAY", NULL },
	[108] = { "LOOP", loop_decode },
	[109] = { "ENC", NULL },
	[113] = { "LINUX_SLL", sll_decode },
	[117] = { "PFLOG", NULL },
	[119] = { "PRISM_HEADER", NULL },
	[122] = { "IP_OVER_FC", NULL },
	[127] = { "IEEE802_11_RADIO", NULL },
	[163] = { "IEEE802_11_RADIO_AVS", NULL },
	[166] = { "PPP_PPPD", NULL },
	[187] = { "BLUETOOTH_HCI_H4", NULL },
	[189] = { "USB_LINUX", NULL },
	[192] = { "PPI", NULL },
	[195] = { "IEEE802_15_4", NULL },
	[201] = { "BLUETOOTH_HCI_H4_WITH_PHDR", NULL },
	[204] = { "PPP_WITH_DIR", NULL },
	[220] = { "USB_LINUX_MMAPPED", NULL },
	[227] = { "CAN_SOCKETCAN", NULL },
	[228] = { "IPV4", raw4_decode },
	[229] = { "IPV6", raw6_decode },
	[239] = { "NFLOG", nflog_decode },
	[249] = { "USBPCAP", NULL },
	[252] = { "WIRESHARK_UPPER_PDU", NULL },
	[253] = { "NETLINK", NULL },
	[276] = { "LINUX_SLL2", sll2_decode },
};

const char *link_type_name(uint32_t link_type)
{
	return link_type < ARRAY_SIZE(link_types) ? link_types[link_type].name : NULL;
}

bool link_type_supported(uint32_t link_type)
{
	return link_type < ARRAY_SIZE(link_types) && link_types[link_type].decode;
}

static void header_reset(struct link_header *link, uint32_t type)
{
	link->type = type;
	link->ifindex = 0;
	link->ethertype = 0;
	link->pppoe_session = 0;
	link->cooked_type = 0;
	link->hardware = 0;
	link->vlan_count = 0;
	link->label_count = 0;
	link->is_pppoe = false;
}

void link_decode(struct decoder *d, struct cursor *c, uint32_t link_type)
{
	header_reset(d->link, link_type);
	if (LIKELY(link_type_supported(link_type)))
		link_types[link_type].decode(d, c);
	else
		decoder_end(d, LAYER_LINK, DECODE_UNSUPPORTED);
}

void link_decode_inner(struct decoder *d, struct cursor *c, uint16_t ethertype)
{
	struct link_header inner, *outer = d->link;

	header_reset(&inner, outer->type);
	d->link = &inner;
	if (ethertype == ETHERTYPE_ETHERNET)
		ethernet_decode(d, c);
	else if (ethertype >= ETHERTYPE_MIN)
		ethertype_decode(d, c, ethertype);
	else
		other(d);
	d->link = outer;
}
