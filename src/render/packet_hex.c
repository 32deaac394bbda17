/* SPDX-License-Identifier: MIT */
/* The bytes of a packet: hexadecimal in lines of sixteen, with or without their characters, or the characters alone. */
#include "src/render/packet_parts.h"

#define LINE_BYTES 16
/* "\n\t0x0000:", eight groups of " 0000", two blanks, sixteen characters */
#define LINE_ROOM 80
/* columns that the groups of a full line take */
#define GROUPS_WIDTH 40

static inline bool is_graphic(uint8_t byte)
{
	return byte > ' ' && byte < 0x7f;
}

static char *put_characters(char *at, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*at++ = is_graphic(bytes[i]) ? (char)bytes[i] : '.';
	return at;
}

static char *put_line(char *at, const uint8_t *bytes, size_t len, size_t offset, bool characters)
{
	char *groups;

	at = put_lit(at, "\n\t0x");
	if (offset > UINT16_MAX)
		at = put_hex(at, offset);
	else
		at = put_u16_hex(at, (uint16_t)offset);
	at = put_lit(at, ": ");
	groups = at;
	for (size_t i = 0; i < len; i++) {
		if (!(i & 1))
			*at++ = ' ';
		at = put_u8_hex(at, bytes[i]);
	}
	if (!characters)
		return at;
	while (at < groups + GROUPS_WIDTH)
		*at++ = ' ';
	at = put_lit(at, "  ");
	return put_characters(at, bytes, len);
}

static void out_hex_lines(struct out *out, const uint8_t *bytes, size_t len, bool characters)
{
	for (size_t offset = 0; offset < len; offset += LINE_BYTES) {
		char *at = out_need(out, LINE_ROOM);

		out->at = put_line(at, bytes + offset, MIN(len - offset, LINE_BYTES), offset, characters);
	}
}

/* Line ends and tabs stay, the carriage return of a line end goes, all else that is not visible becomes a dot. */
static void out_characters(struct out *out, const uint8_t *bytes, size_t len)
{
	char *at = out_need(out, len + 1);

	*at++ = '\n';
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = bytes[i];

		if (byte == '\r' && (i + 1 == len || bytes[i + 1] == '\n'))
			continue;
		*at++ = is_graphic(byte) || byte == ' ' || byte == '\t' || byte == '\n' ? (char)byte : '.';
	}
	out->at = at;
}

/* Bytes of the frame before what is dumped without link header: MPLS labels and PPPoE's header belong to the packet. */
static size_t link_bytes(const struct packet *packet)
{
	const uint8_t *start = packet->ip_bytes ? packet->ip_bytes : packet->payload;
	size_t offset = (size_t)(start - packet->frame->bytes);

	if (packet->layer == LAYER_LINK)
		return packet->status == DECODE_UNSUPPORTED ? 0 : packet->frame->captured;
	return offset - 4u * packet->link.label_count - (packet->link.is_pppoe ? 8 : 0);
}

void packet_hex_out(struct out *out, enum packet_dump dump, const struct packet *packet)
{
	bool link = dump == PACKET_DUMP_HEX_LINK || dump == PACKET_DUMP_HEX_TEXT_LINK || dump == PACKET_DUMP_TEXT_LINK;
	size_t from = link ? 0 : link_bytes(packet);
	const uint8_t *bytes = packet->frame->bytes + from;
	size_t len = packet->frame->captured - from;

	if (dump == PACKET_DUMP_TEXT || dump == PACKET_DUMP_TEXT_LINK)
		out_characters(out, bytes, len);
	else
		out_hex_lines(out, bytes, len, dump == PACKET_DUMP_HEX_TEXT || dump == PACKET_DUMP_HEX_TEXT_LINK);
}
