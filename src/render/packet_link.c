/* SPDX-License-Identifier: MIT */
/* What stands before the network layer: interface and direction, the link header of -e, MPLS labels, PPPoE. And ARP, which follows it. */
#include "src/render/packet_parts.h"

#include "tcptriage/decode/packet.h"

/* LINKTYPE_* (https://www.tcpdump.org/linktypes.html) that print in their own way. */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_RAW_4 = 228,
	LINK_RAW_6 = 229,
	LINK_SLL2 = 276,
};

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_PPPOE = 0x8864,
	/* below it the two bytes are a length (IEEE 802.3) */
	ETHERTYPE_MIN = 0x0600,
};

static const struct {
	uint16_t type;
	const char *name;
} ethertypes[] = {
	{ ETHERTYPE_IPV4, "IPv4" },
	{ ETHERTYPE_IPV6, "IPv6" },
	{ ETHERTYPE_ARP, "ARP" },
	{ 0x8100, "802.1Q" },
	{ 0x88a8, "802.1Q-QinQ" },
	{ 0x9100, "802.1Q-9100" },
	{ 0x9200, "802.1Q-9200" },
	{ ETHERTYPE_MPLS, "MPLS unicast" },
	{ 0x8848, "MPLS multicast" },
	{ 0x8863, "PPPoE D" },
	{ ETHERTYPE_PPPOE, "PPPoE S" },
	{ 0x8035, "Reverse ARP" },
	{ 0x8809, "Slow Protocols" },
	{ 0x888e, "EAPOL" },
	{ 0x88cc, "LLDP" },
	{ 0x9000, "Loopback" },
};

static const char *ethertype_name(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(ethertypes); i++)
		if (ethertypes[i].type == type)
			return ethertypes[i].name;
	return NULL;
}

static char *put_ethertype(char *at, uint16_t type)
{
	const char *name = ethertype_name(type);

	at = put_lit(at, "ethertype ");
	at = put_str(at, name ? name : "Unknown");
	at = put_lit(at, " (0x");
	at = put_u16_hex(at, type);
	return put_lit(at, ")");
}

static char *put_mac(char *at, const uint8_t mac[6])
{
	for (unsigned i = 0; i < 6; i++) {
		if (i)
			*at++ = ':';
		at = put_u8_hex(at, mac[i]);
	}
	return at;
}

static char *put_length(char *at, uint32_t length)
{
	at = put_lit(at, ", length ");
	at = put_u64(at, length);
	return put_lit(at, ": ");
}

/* Two bytes of the frame; 0 when they are not there. */
static uint16_t frame_u16(const struct frame *frame, size_t offset)
{
	struct cursor c = cursor_of(frame->bytes, frame->captured);
	uint16_t value = 0;

	if (cursor_skip(&c, offset))
		cursor_u16be(&c, &value);
	return value;
}

/* "vlan 5, p 0, ethertype IPv4 (0x0800), " for each tag; @offset: of the type behind the first one. Cooked frames give the type without number. */
static char *put_vlans(char *at, const struct packet_line *line, size_t offset, bool number)
{
	const struct link_header *link = &line->packet->link;

	for (unsigned i = 0; i < link->vlan_count; i++, offset += 4) {
		uint16_t tci = link->vlan[i].tci, type = frame_u16(line->packet->frame, offset);

		at = put_lit(at, "vlan ");
		at = put_u64(at, tci & 0xfff);
		at = put_lit(at, ", p ");
		at = put_u64(at, tci >> 13);
		if (tci & 0x1000)
			at = put_lit(at, ", DEI");
		at = put_lit(at, ", ");
		if (number) {
			at = put_ethertype(at, type);
		} else {
			const char *name = ethertype_name(type);

			at = put_lit(at, "ethertype ");
			at = put_str(at, name ? name : "Unknown");
		}
		at = put_lit(at, ", ");
	}
	return at;
}

static char *put_addresses(char *at, const struct link_header *link)
{
	at = put_mac(at, link->src);
	at = put_lit(at, " > ");
	at = put_mac(at, link->dst);
	return put_lit(at, ", ");
}

static char *put_ethernet(char *at, const struct packet_line *line)
{
	const struct frame *frame = line->packet->frame;
	uint16_t type = frame_u16(frame, 12);

	at = put_addresses(at, &line->packet->link);
	if (type < ETHERTYPE_MIN)
		return put_length(put_lit(at, "802.3"), type);
	at = put_ethertype(at, type);
	at = put_length(at, frame->wire);
	return put_vlans(at, line, 16, true);
}

static const char *cooked_direction(uint16_t type)
{
	static const char *const names[] = { "In", "B", "M", "P", "Out" };

	return type < ARRAY_SIZE(names) ? names[type] : "?";
}

/* The part that both versions share. */
static char *put_cooked(char *at, const struct packet_line *line, uint16_t type, size_t vlan_offset)
{
	if (line->packet->has & PACKET_HAS_MAC) {
		at = put_mac(at, line->packet->link.src);
		*at++ = ' ';
	}
	at = put_ethertype(at, type);
	at = put_length(at, line->packet->frame->wire);
	return put_vlans(at, line, vlan_offset, false);
}

static char *put_sll(char *at, const struct packet_line *line)
{
	const char *direction = cooked_direction(line->packet->link.cooked_type);

	for (size_t len = strlen(direction); len < 3; len++)
		*at++ = ' ';
	at = put_str(at, direction);
	*at++ = ' ';
	return put_cooked(at, line, frame_u16(line->packet->frame, 14), 18);
}

static char *put_sll2(char *at, const struct packet_line *line)
{
	at = put_lit(at, "ifindex ");
	at = put_u64(at, line->packet->link.ifindex);
	*at++ = ' ';
	return put_cooked(at, line, frame_u16(line->packet->frame, 0), 22);
}

/* AF_INET is 2 everywhere, AF_INET6 is 24, 28, 30 (the BSDs and Darwin) or Linux's 10. */
static const char *family_name(uint32_t family)
{
	if (family == 2)
		return "IPv4";
	return family == 10 || family == 24 || family == 28 || family == 30 ? "IPv6" : "Unknown";
}

/* BSD's loopback: an address family in the order of the machine that captured. */
static char *put_loopback(char *at, const struct packet_line *line)
{
	const struct frame *frame = line->packet->frame;
	uint16_t first = frame_u16(frame, 0), last = frame_u16(frame, 2);
	uint32_t family = first ? (uint32_t)(first >> 8 | (first & 0xff) << 8) : last;

	at = put_lit(at, "AF ");
	at = put_str(at, family_name(family));
	at = put_lit(at, " (");
	at = put_u64(at, family);
	*at++ = ')';
	return put_length(at, frame->wire);
}

/* Also inside PPPoE: the protocol field may have one byte or two (RFC 1661 §6.5). */
static char *put_ppp_protocol(char *at, uint16_t protocol, uint32_t length)
{
	const char *name = protocol == 0x21 ? "IP" : protocol == 0x57 ? "IP6" : "unknown";

	at = put_str(at, name);
	at = put_lit(at, " (0x");
	at = put_u16_hex(at, protocol);
	*at++ = ')';
	return put_length(at, length);
}

static char *put_ppp(char *at, const struct packet_line *line)
{
	const struct frame *frame = line->packet->frame;
	size_t offset = frame_u16(frame, 0) == 0xff03 ? 2 : 0;
	uint16_t protocol = frame_u16(frame, offset);

	if (protocol >> 8 & 1)
		protocol >>= 8;
	return put_ppp_protocol(at, protocol, frame->wire);
}

static char *put_raw(char *at, const struct packet_line *line)
{
	(void)line;
	return put_lit(at, "ip: ");
}

/* Link types that are read, or not even that, and have no text of their own. */
static char *put_named(char *at, const struct packet_line *line)
{
	const char *name = link_type_name(line->packet->link.type);

	at = put_str(at, name ? name : "link type not known");
	return put_length(at, line->packet->frame->wire);
}

/* @broken: what stands for a frame too short for its link header. */
static const struct link_kind {
	uint16_t type;
	const char *broken;
	char *(*put)(char *at, const struct packet_line *line);
} link_kinds[] = {
	{ LINK_ETHERNET, " [|ether]", put_ethernet },
	{ LINK_SLL2, " [|sll2]", put_sll2 },
	{ LINK_SLL, " [|sll]", put_sll },
	{ LINK_NULL, " [|null]", put_loopback },
	{ LINK_LOOP, " [|null]", put_loopback },
	{ LINK_PPP, " [|ppp]", put_ppp },
	{ LINK_RAW, " [|ip]", put_raw },
	{ LINK_RAW_4, " [|ip]", put_raw },
	{ LINK_RAW_6, " [|ip6]", put_raw },
	{ UINT16_MAX, " [|link]", put_named }, /* everything else */
};

static const struct link_kind *link_kind(uint32_t type)
{
	const struct link_kind *kind = link_kinds;

	while (kind->type != UINT16_MAX && kind->type != type)
		kind++;
	return kind;
}

static char *put_padded(char *at, const char *text, size_t len, size_t width)
{
	at = put_mem(at, text, len);
	for (; len < width; len++)
		*at++ = ' ';
	*at++ = ' ';
	return at;
}

/* Names of interfaces come from capture files too: bytes that could move a cursor become dots. */
static char *put_interface(char *at, const char *name)
{
	char text[32];
	size_t len = 0;

	for (; name[len] && len < sizeof(text); len++)
		text[len] = name[len] > ' ' && name[len] < 0x7f ? name[len] : '.';
	return put_padded(at, text, len, 5);
}

static char *put_direction(char *at, const struct packet *packet)
{
	static const char *const directions[] = { [DIRECTION_IN] = "In", [DIRECTION_OUT] = "Out" };
	const char *text = NULL;

	if (packet->link.type == LINK_SLL2)
		text = cooked_direction(packet->link.cooked_type);
	else if (packet->direction < ARRAY_SIZE(directions))
		text = directions[packet->direction];
	return text ? put_padded(at, text, strlen(text), 3) : at;
}

static char *put_where(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;
	const char *name = NULL;
	char number[16];

	if (line->options->interface_name)
		name = line->options->interface_name(line->options->interface_context, packet);
	if (!name && packet->has & PACKET_HAS_IFINDEX) {
		*decimal_digits(put_lit(number, "if"), packet->link.ifindex) = '\0';
		name = number;
	}
	if (!name)
		return at;
	return put_direction(put_interface(at, name), packet);
}

/* With -v the labels and the packet begin lines of their own. */
static char *put_labels(char *at, const struct packet_line *line)
{
	const struct link_header *link = &line->packet->link;
	bool lines = line->options->verbosity;

	if (!link->label_count)
		return at;
	at = put_lit(at, "MPLS ");
	for (unsigned i = 0; i < link->label_count; i++) {
		uint32_t label = link->label[i];

		at = put_lit(at, "(label ");
		at = put_u64(at, label >> 12);
		at = put_lit(at, ", tc ");
		at = put_u64(at, label >> 9 & 7);
		if (label >> 8 & 1)
			at = put_lit(at, ", [S]");
		at = put_lit(at, ", ttl ");
		at = put_u64(at, label & 0xff);
		*at++ = ')';
		at = lines ? put_lit(at, "\n\t") : put_lit(at, " ");
	}
	return at;
}

static char *put_session(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;

	if (!packet->link.is_pppoe)
		return at;
	at = put_lit(at, "PPPoE  [ses 0x");
	at = put_hex(at, packet->link.pppoe_session);
	at = put_lit(at, "] ");
	if (line->options->link_header && packet->ip_bytes) {
		size_t offset = (size_t)(packet->ip_bytes - packet->frame->bytes);

		if (offset >= 4)
			at = put_ppp_protocol(at, frame_u16(packet->frame, offset - 2), frame_u16(packet->frame, offset - 4));
	}
	return at;
}

/* The link header itself is cut or contradicts itself: there is nothing to print of it. */
static bool link_is_broken(const struct packet *packet)
{
	return packet->layer == LAYER_LINK && packet->status != DECODE_OK && packet->status != DECODE_UNSUPPORTED;
}

char *packet_link_put(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;

	if (line->options->interface_name || packet->has & PACKET_HAS_IFINDEX)
		at = put_where(at, line);
	if (line->options->link_header && !link_is_broken(packet))
		at = link_kind(packet->link.type)->put(at, line);
	if (UNLIKELY(packet->link.label_count))
		at = put_labels(at, line);
	if (UNLIKELY(packet->link.is_pppoe))
		at = put_session(at, line);
	return at;
}

/* Only Ethernet and IPv4 (RFC 826), which is all there is. Return: NULL for another kind of ARP. */
static char *put_arp(char *at, struct cursor c)
{
	uint16_t hardware, protocol, sizes, operation;
	struct addr sender = { .family = ADDR_V4 }, target = { .family = ADDR_V4 };
	uint8_t mac[6];

	if (!cursor_u16be(&c, &hardware) || !cursor_u16be(&c, &protocol) || !cursor_u16be(&c, &sizes) ||
	    !cursor_u16be(&c, &operation) || !cursor_bytes(&c, mac, 6) || !cursor_bytes(&c, sender.bytes, 4) ||
	    !cursor_skip(&c, 6) || !cursor_bytes(&c, target.bytes, 4))
		return NULL;
	if (hardware != 1 || protocol != ETHERTYPE_IPV4 || sizes != 0x0604 || operation < 1 || operation > 2)
		return NULL;
	if (operation == 1) {
		at = put_lit(at, "Request who-has ");
		at = addr_text(at, &target);
		at = put_lit(at, " tell ");
		return addr_text(at, &sender);
	}
	at = put_lit(at, "Reply ");
	at = addr_text(at, &sender);
	at = put_lit(at, " is-at ");
	return put_mac(at, mac);
}

static char *put_arp_frame(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;
	size_t offset = (size_t)(packet->payload - packet->frame->bytes);
	struct cursor c = cursor_of(packet->payload, packet->payload_captured);
	char *behind;

	if (!line->options->link_header)
		at = put_lit(at, "ARP, ");
	if (line->options->verbosity)
		at = put_lit(at, "Ethernet (len 6), IPv4 (len 4), ");
	behind = put_arp(at, c);
	if (!behind)
		behind = put_lit(at, "other kind");
	at = put_lit(behind, ", length ");
	return put_u64(at, packet->frame->wire - offset);
}

char *packet_link_other_put(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;

	if (packet->link.ethertype == ETHERTYPE_ARP && packet->layer == LAYER_OTHER)
		return put_arp_frame(at, line);
	if (link_is_broken(packet))
		return put_str(at, link_kind(packet->link.type)->broken);
	/* what cannot be read is named by its link header, asked for or not */
	if (!line->options->link_header)
		at = link_kind(packet->link.type)->put(at, line);
	/* nothing follows the ": ", ", " or " " of the header */
	while (at[-1] == ' ' || at[-1] == ':' || at[-1] == ',')
		at--;
	return at;
}
