/* SPDX-License-Identifier: MIT */
/* IPv6: the header in brackets that -v shows, and its extension headers (RFC 8200 §4). */
#include "src/render/packet_parts.h"

/* struct extension - one header, @bytes cut at its own length. @behind: bytes on the wire behind it, @captured of them there. */
struct extension {
	struct cursor bytes;
	size_t behind, captured;
};

static char *put_option(char *at, uint8_t type, struct cursor data, bool jumbo_fits)
{
	uint16_t alert = 0;
	uint32_t jumbo = 0;

	switch (type) {
	case 1:
		return put_lit(at, "(padn)");
	case 5:
		cursor_u16be(&data, &alert);
		at = put_lit(at, "(rtalert: 0x");
		at = put_u16_hex(at, alert);
		return put_lit(at, ") ");
	case 0xc2:
		cursor_u32be(&data, &jumbo);
		at = put_lit(at, "(jumbo: ");
		at = put_u64(at, jumbo);
		return jumbo_fits ? put_lit(at, ") ") : put_lit(at, " - payload len != 0) ");
	default:
		at = put_lit(at, "(opt_type 0x");
		at = put_u8_hex(at, type);
		at = put_lit(at, ": len=");
		at = put_u64(at, data.captured_left);
		return put_lit(at, ")");
	}
}

/* One option, or one byte of padding (type 0). Return: false at the end; *@sound becomes false when a length reaches past it. */
static bool next_option(struct cursor *c, uint8_t *type, struct cursor *data, bool *sound)
{
	uint8_t length;

	if (!cursor_u8(c, type))
		return false;
	if (!*type)
		return true;
	*sound = cursor_u8(c, &length) && cursor_take(c, length, data);
	return *sound;
}

static bool options_sound(struct cursor c)
{
	struct cursor data;
	bool sound = true;
	uint8_t type;

	while (next_option(&c, &type, &data, &sound))
		;
	return sound;
}

static char *put_options(char *at, const struct packet_line *line, struct cursor c)
{
	bool sound = true, jumbo_fits = line->packet->ip.length_guessed;
	struct cursor data;
	uint8_t type;

	while (at < line->limit && next_option(&c, &type, &data, &sound))
		at = type ? put_option(at, type, data, jumbo_fits) : put_lit(at, "(pad1)");
	*at++ = ' ';
	return at;
}

static char *put_with_options(char *at, const struct packet_line *line, struct cursor options, const char *name, bool *sound)
{
	at = put_str(at, name);
	cursor_skip(&options, 2);
	*sound = options_sound(options);
	if (!*sound)
		return at;
	return line->options->verbosity ? put_options(at, line, options) : at;
}

static char *put_hop_by_hop(char *at, const struct packet_line *line, const struct extension *extension, bool *more)
{
	at = put_with_options(at, line, extension->bytes, "HBH ", more);
	return *more ? at : put_lit(at, " [|hbhopt]");
}

static char *put_destination(char *at, const struct packet_line *line, const struct extension *extension, bool *more)
{
	at = put_with_options(at, line, extension->bytes, "DSTOPT ", more);
	return *more ? at : put_lit(at, " [|dstopt]");
}

static char *put_route_fields(char *at, const struct packet_line *line, struct cursor *c, uint8_t type)
{
	uint8_t last = 0, flags = 0;
	uint16_t tag = 0;
	uint32_t reserved = 0;

	if (type != 4) {
		cursor_u32be(c, &reserved);
		if (!reserved && !line->options->verbosity)
			return at;
		at = put_lit(at, ", rsv=0x");
		return put_hex(at, reserved);
	}
	cursor_u8(c, &last);
	cursor_u8(c, &flags);
	cursor_u16be(c, &tag);
	at = put_lit(at, ", last-entry=");
	at = put_u64(at, last);
	if (line->options->verbosity) {
		at = put_lit(at, ", flags=0x");
		at = put_hex(at, flags);
	}
	at = put_lit(at, ", tag=");
	return put_hex(at, tag);
}

static char *put_routing(char *at, const struct packet_line *line, const struct extension *extension, bool *more)
{
	struct cursor c = extension->bytes;
	struct addr hop = { .family = ADDR_V6 };
	uint8_t units = 0, type = 0, left = 0;

	(void)more;
	cursor_skip(&c, 1);
	cursor_u8(&c, &units);
	cursor_u8(&c, &type);
	cursor_u8(&c, &left);
	at = put_lit(at, "RT6 (len=");
	at = put_u64(at, units);
	at = put_lit(at, ", type=");
	at = put_u64(at, type);
	if (!type)
		at = put_lit(at, " [Deprecated]");
	at = put_lit(at, ", segleft=");
	at = put_u64(at, left);
	at = put_route_fields(at, line, &c, type);
	for (unsigned i = 0; at < line->limit && cursor_bytes(&c, hop.bytes, 16); i++) {
		at = put_lit(at, ", [");
		at = put_u64(at, i);
		*at++ = ']';
		at = addr_text(at, &hop);
	}
	return put_lit(at, ") ");
}

static char *put_fragment(char *at, const struct packet_line *line, const struct extension *extension, bool *more)
{
	struct cursor c = extension->bytes;
	uint16_t offset = 0;
	uint32_t id = 0;

	cursor_skip(&c, 2);
	cursor_u16be(&c, &offset);
	cursor_u32be(&c, &id);
	offset &= 0xfff8;
	at = put_lit(at, "frag (");
	if (line->options->verbosity) {
		at = put_lit(at, "0x");
		at = put_u32_hex(at, id);
		*at++ = ':';
	}
	at = put_u64(at, offset);
	*at++ = '|';
	at = put_u64(at, extension->behind);
	*at++ = ')';
	if (offset || !extension->captured)
		*more = false;
	if (!offset)
		*at++ = ' ';
	return at;
}

static char *put_authentication(char *at, const struct packet_line *line, const struct extension *extension, bool *more)
{
	struct cursor c = extension->bytes;
	uint32_t spi = 0, seq = 0;
	uint8_t units = 0, byte;

	(void)more;
	cursor_skip(&c, 1);
	cursor_u8(&c, &units);
	cursor_skip(&c, 2);
	cursor_u32be(&c, &spi);
	cursor_u32be(&c, &seq);
	at = put_lit(at, "AH(");
	if (line->options->verbosity) {
		at = put_lit(at, "length=");
		at = put_u64(at, units);
		*at++ = '(';
		at = put_u64(at, (units + 2u) * 4);
		at = put_lit(at, "-bytes),");
	}
	at = put_lit(at, "spi=0x");
	at = put_u32_hex(at, spi);
	at = put_lit(at, ",seq=0x");
	at = put_hex(at, seq);
	at = put_lit(at, ",icv=0x");
	while (cursor_u8(&c, &byte))
		at = put_u8_hex(at, byte);
	return put_lit(at, "): ");
}

/* @unit, @extra: length in bytes is (field + @extra) × @unit; a fragment header has no such field. */
static const struct extension_kind {
	uint8_t protocol, unit, extra;
	const char *cut;
	char *(*put)(char *at, const struct packet_line *line, const struct extension *extension, bool *more);
} extension_kinds[] = {
	{ PROTOCOL_HOP_BY_HOP, 8, 1, " [|hbhopt]", put_hop_by_hop },
	{ PROTOCOL_ROUTING, 8, 1, " [|rt6]", put_routing },
	{ PROTOCOL_FRAGMENT, 0, 0, " [|frag6]", put_fragment },
	{ PROTOCOL_AH, 4, 2, " [|ah]", put_authentication },
	{ PROTOCOL_DESTINATION, 8, 1, " [|dstopt]", put_destination },
};

static const struct extension_kind *extension_kind(uint8_t protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(extension_kinds); i++)
		if (extension_kinds[i].protocol == protocol)
			return &extension_kinds[i];
	return NULL;
}

static bool take_extension(struct cursor *c, const struct extension_kind *kind, struct extension *extension, uint8_t *next)
{
	struct cursor look = *c;
	uint8_t field = 0;

	if (!cursor_u8(&look, next) || !cursor_u8(&look, &field))
		return false;
	if (!cursor_take(c, kind->unit ? (field + kind->extra) * (size_t)kind->unit : 8, &extension->bytes))
		return false;
	extension->behind = c->wire_left;
	extension->captured = c->captured_left;
	return true;
}

char *packet_ip6_extensions_put(char *at, const struct packet_line *line, struct cursor c, uint8_t next, bool *more)
{
	const struct extension_kind *kind;
	struct extension extension;

	while (*more && (kind = extension_kind(next))) {
		if (!take_extension(&c, kind, &extension, &next)) {
			*more = false;
			return put_str(at, kind->cut);
		}
		if (at < line->limit)
			at = kind->put(at, line, &extension, more);
	}
	return at;
}

/* In a tunnel the bytes are not at hand: only what was decoded. */
static char *put_decoded_fragment(char *at, const struct packet *packet, bool *more)
{
	const struct ip_header *ip = &packet->ip;

	if (!ip->is_fragment)
		return at;
	at = put_lit(at, "frag (");
	at = put_u64(at, ip->offset);
	*at++ = '|';
	at = put_u64(at, packet_transport_length(packet));
	*more = !ip->offset;
	return ip->offset ? put_lit(at, ")") : put_lit(at, ") ");
}

static char *put_header(char *at, const struct packet *packet, uint8_t next, uint32_t payload)
{
	const struct ip_header *ip = &packet->ip;

	*at++ = '(';
	if (ip->tos) {
		at = put_lit(at, "class 0x");
		at = put_u8_hex(at, ip->tos);
		at = put_lit(at, ", ");
	}
	if (ip->flow_label) {
		at = put_lit(at, "flowlabel 0x");
		*at++ = "0123456789abcdef"[ip->flow_label >> 16 & 15];
		at = put_u16_hex(at, (uint16_t)ip->flow_label);
		at = put_lit(at, ", ");
	}
	at = put_lit(at, "hlim ");
	at = put_u64(at, ip->hop_limit);
	at = put_lit(at, ", next-header ");
	at = put_str(at, packet_ip_protocol_name(next));
	at = put_lit(at, " (");
	at = put_u64(at, next);
	at = put_lit(at, ") payload length: ");
	at = put_u64(at, payload);
	return put_lit(at, ") ");
}

char *packet_ip6_put(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;
	struct cursor c = packet_network_bytes(packet);
	bool bytes = c.captured_left >= 40, more = true, named;
	uint8_t next = packet->ip.protocol;
	uint16_t payload = (uint16_t)(packet->ip.length - 40);

	if (bytes) {
		cursor_skip(&c, 4);
		cursor_u16be(&c, &payload);
		cursor_u8(&c, &next);
		cursor_skip(&c, 33);
	}
	if (line->options->verbosity)
		at = put_header(at, packet, next, payload);
	named = next != PROTOCOL_TCP && next != PROTOCOL_UDP;
	if (named)
		at = packet_ip_addresses_put(at, packet);
	if (UNLIKELY(packet->ip.extensions || extension_kind(next)))
		at = bytes ? packet_ip6_extensions_put(at, line, c, next, &more) : put_decoded_fragment(at, packet, &more);
	return more ? packet_ip_transport_put(at, line, named) : at;
}
