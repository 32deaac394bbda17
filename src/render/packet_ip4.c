/* SPDX-License-Identifier: MIT */
/* IPv4: the header in brackets that -v shows, with its options, and fragments. */
#include "src/render/packet_checksum.h"

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_RECORD_ROUTE = 7,
	OPTION_TIMESTAMP = 68,
	OPTION_TRACEROUTE = 82,
	OPTION_SECURITY = 130,
	OPTION_LOOSE_ROUTE = 131,
	OPTION_STRICT_ROUTE = 137,
	OPTION_ROUTER_ALERT = 148,
};

static char *put_bad_length(char *at, unsigned length)
{
	at = put_lit(at, "[bad length ");
	at = put_u64(at, length);
	*at++ = ']';
	return at;
}

static char *put_bad_pointer(char *at, unsigned pointer)
{
	at = put_lit(at, "[bad ptr ");
	at = put_u64(at, pointer);
	*at++ = ']';
	return at;
}

/* Record route, loose and strict source route (RFC 791 §3.1): a pointer, counted from 1 at the option's type, and addresses. */
static char *put_route(char *at, unsigned length, struct cursor data)
{
	struct addr hop = { .family = ADDR_V4 };
	uint8_t pointer = 0;

	if (length < 3) {
		*at++ = ' ';
		return put_bad_length(at, length);
	}
	if ((length + 1) & 3) {
		*at++ = ' ';
		at = put_bad_length(at, length);
	}
	cursor_u8(&data, &pointer);
	if (pointer < 4 || pointer & 3 || pointer > length + 2) {
		*at++ = ' ';
		at = put_bad_pointer(at, pointer);
	}
	for (unsigned offset = 3; cursor_bytes(&data, hop.bytes, 4); offset += 4) {
		*at++ = ' ';
		at = addr_text(at, &hop);
		if (pointer > offset + 1)
			*at++ = ',';
	}
	return at;
}

/* Entries of a timestamp option; the pointer stands before the entry that the next hop fills in. */
static char *put_stamps(char *at, struct cursor data, unsigned pointer, bool addresses)
{
	struct addr hop = { .family = ADDR_V4 };
	unsigned offset = 5;
	uint32_t stamp = 0;

	for (; data.captured_left >= (addresses ? 8u : 4u); offset += addresses ? 8 : 4) {
		at = pointer == offset ? put_lit(at, " ^ ") : put_lit(at, " ");
		if (addresses)
			cursor_bytes(&data, hop.bytes, 4);
		cursor_u32be(&data, &stamp);
		at = put_u64(at, stamp);
		*at++ = '@';
		if (addresses)
			at = addr_text(at, &hop);
	}
	return pointer == offset ? put_lit(at, " ^ ") : at;
}

static char *put_timestamp(char *at, unsigned length, struct cursor data)
{
	static const char *const kinds[] = { [0] = "TSONLY", [1] = "TS+ADDR", [3] = "PRESPEC" };
	uint8_t pointer = 0, flags = 0;
	unsigned kind, step;

	if (length < 4)
		return put_bad_length(at, length);
	cursor_u8(&data, &pointer);
	cursor_u8(&data, &flags);
	kind = flags & 15;
	step = kind ? 8 : 4;
	at = put_lit(at, " TS{");
	if ((length - 4) & (step - 1))
		at = put_bad_length(at, length);
	if (pointer < 5 || (pointer - 5u) & (step - 1) || pointer > length + 2)
		at = put_bad_pointer(at, pointer);
	if (kind < ARRAY_SIZE(kinds) && kinds[kind]) {
		at = put_str(at, kinds[kind]);
		at = put_stamps(at, data, pointer, kind);
	} else {
		at = put_lit(at, "[bad ts type ");
		at = put_u64(at, kind);
		*at++ = ']';
	}
	if (!(flags >> 4))
		return put_lit(at, "}");
	at = put_lit(at, " [");
	at = put_u64(at, flags >> 4);
	return put_lit(at, " hops not recorded]} ");
}

static char *put_alert(char *at, unsigned length, struct cursor data)
{
	uint16_t value = 0;

	if (length < 4) {
		*at++ = ' ';
		return put_bad_length(at, length);
	}
	cursor_u16be(&data, &value);
	if (!value)
		return at;
	at = put_lit(at, " value ");
	return put_u64(at, value);
}

static const struct option_kind {
	uint8_t type;
	const char *name;
	char *(*put)(char *at, unsigned length, struct cursor data);
} option_kinds[] = {
	{ OPTION_END, "EOL", NULL },
	{ OPTION_NOP, "NOP", NULL },
	{ OPTION_RECORD_ROUTE, "RR", put_route },
	{ OPTION_TIMESTAMP, "timestamp", put_timestamp },
	{ OPTION_TRACEROUTE, "traceroute", NULL },
	{ OPTION_SECURITY, "security", NULL },
	{ OPTION_LOOSE_ROUTE, "LSRR", put_route },
	{ OPTION_STRICT_ROUTE, "SSRR", put_route },
	{ OPTION_ROUTER_ALERT, "RA", put_alert },
};

static const struct option_kind *option_kind(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_kinds); i++)
		if (option_kinds[i].type == type)
			return &option_kinds[i];
	return NULL;
}

/* How a list of options ended. */
enum option_end { OPTIONS_WHOLE, OPTIONS_CUT, OPTION_CUT };

/* @left: bytes that the header says are left, of which @c has those that were captured. */
static char *put_options(char *at, struct cursor c, unsigned left, enum option_end *end)
{
	const struct option_kind *kind;
	struct cursor data;
	uint8_t type, length = 0;

	for (*end = OPTIONS_CUT; left; left -= length) {
		if (!cursor_u8(&c, &type))
			return at;
		kind = option_kind(type);
		if (kind) {
			at = put_str(at, kind->name);
		} else {
			at = put_lit(at, "unknown ");
			at = put_u64(at, type);
		}
		length = 1;
		if (type != OPTION_END && type != OPTION_NOP && !cursor_u8(&c, &length))
			return at;
		if (length > left || (length < 2 && type != OPTION_END && type != OPTION_NOP)) {
			*end = OPTIONS_WHOLE;
			*at++ = ' ';
			return put_bad_length(at, length);
		}
		if (length > 1 && !cursor_take(&c, length - 2u, &data)) {
			*end = OPTION_CUT;
			return at;
		}
		if (kind && kind->put)
			at = kind->put(at, length, data);
		if (type == OPTION_END)
			break;
		if (left > length)
			*at++ = ',';
	}
	*end = OPTIONS_WHOLE;
	return at;
}

static char *put_flags(char *at, const struct packet *packet)
{
	const struct ip_header *ip = &packet->ip;
	struct cursor c = packet_network_bytes(packet);
	uint8_t flags = 0;

	/* the reserved bit is nowhere but in the bytes */
	if (cursor_skip(&c, 6))
		cursor_u8(&c, &flags);
	at = put_lit(at, ", flags [");
	if (!ip->more && !ip->dont_fragment && !(flags & 0x80))
		return put_lit(at, "none]");
	if (ip->more)
		at = put_lit(at, "+, ");
	if (ip->dont_fragment)
		at = put_lit(at, "DF, ");
	if (flags & 0x80)
		at = put_lit(at, "rsvd, ");
	return put_lit(at - 2, "]");
}

/* What the header names, which an authentication header hides from ip_header.protocol. */
static uint8_t first_protocol(const struct packet *packet)
{
	return packet->ip.extensions ? PROTOCOL_AH : packet->ip.protocol;
}

static char *put_fields(char *at, const struct packet *packet)
{
	static const char *const ecn[] = { "", ",ECT(1)", ",ECT(0)", ",CE" };
	const struct ip_header *ip = &packet->ip;

	at = put_lit(at, "(tos 0x");
	at = put_hex(at, ip->tos);
	at = put_str(at, ecn[ip->tos & 3]);
	if (ip->hop_limit) {
		at = put_lit(at, ", ttl ");
		at = put_u64(at, ip->hop_limit);
	}
	at = put_lit(at, ", id ");
	at = put_u64(at, ip->id);
	at = put_lit(at, ", offset ");
	at = put_u64(at, ip->offset);
	at = put_flags(at, packet);
	at = put_lit(at, ", proto ");
	at = put_str(at, packet_ip_protocol_name(first_protocol(packet)));
	at = put_lit(at, " (");
	at = put_u64(at, first_protocol(packet));
	at = put_lit(at, "), length ");
	return put_u64(at, ip->length_guessed ? 0 : ip->length);
}

static char *put_header_checksum(char *at, const struct packet_line *line)
{
	struct cursor c = packet_network_bytes(line->packet), header = c;
	struct packet_checksum checksum;
	uint16_t field = 0;

	if (line->options->skip_checksums || !cursor_take(&c, 20u + line->packet->ip.option_bytes, &header))
		return at;
	c = header;
	cursor_skip(&c, 10);
	cursor_u16be(&c, &field);
	checksum = packet_checksum_plain(header, field);
	if (checksum.good)
		return at;
	at = put_lit(at, ", bad cksum ");
	at = put_hex(at, field);
	at = put_lit(at, " (->");
	at = put_hex(at, checksum.expected);
	return put_lit(at, ")!");
}

/* Return: *@whole false when the options are cut and nothing can follow. */
static char *put_header(char *at, const struct packet_line *line, bool *whole)
{
	const struct packet *packet = line->packet;
	struct cursor options = packet_network_bytes(packet);
	enum option_end end = OPTIONS_WHOLE;

	at = put_fields(at, packet);
	if (packet->ip.option_bytes && cursor_skip(&options, 20)) {
		at = put_lit(at, ", options (");
		options.captured_left = MIN(options.captured_left, packet->ip.option_bytes);
		at = put_options(at, options, packet->ip.option_bytes, &end);
		*whole = end == OPTIONS_WHOLE;
		if (end == OPTIONS_CUT)
			return put_lit(at, " [|ip]");
		if (end == OPTION_CUT)
			at = put_lit(at, " [truncated-option]");
		*at++ = ')';
	}
	at = put_header_checksum(at, line);
	at = put_lit(at, ")\n    ");
	if (end == OPTION_CUT) {
		at = packet_ip_addresses_put(at, packet);
		at = put_lit(at, " [|ip]");
	}
	return at;
}

static char *put_cut_header(char *at, const struct packet *packet, size_t captured, bool named)
{
	if (named)
		at = packet_ip_addresses_put(at, packet);
	at = put_lit(at, " [remaining caplen(");
	at = put_u64(at, captured);
	at = put_lit(at, ") < header length(");
	at = put_u64(at, packet->ip.header);
	return put_lit(at, ")] [|ip]");
}

static char *put_authenticated(char *at, const struct packet_line *line, struct cursor c)
{
	bool more = true;

	at = packet_ip_addresses_put(at, line->packet);
	if (cursor_skip(&c, 20u + line->packet->ip.option_bytes))
		at = packet_ip6_extensions_put(at, line, c, PROTOCOL_AH, &more);
	return more ? packet_ip_transport_put(at, line, true) : at;
}

char *packet_ip4_put(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;
	const struct ip_header *ip = &packet->ip;
	bool whole = true, ports = ip->protocol == PROTOCOL_TCP || ip->protocol == PROTOCOL_UDP;
	struct cursor c = packet_network_bytes(packet);

	if (line->options->verbosity)
		at = put_header(at, line, &whole);
	if (!whole)
		return at;
	if (ip->offset) {
		at = packet_ip_addresses_put(at, packet);
		at = put_lit(at, "ip-proto-");
		return put_u64(at, ip->protocol);
	}
	if (UNLIKELY(c.wire_left && c.captured_left < ip->header))
		return put_cut_header(at, packet, c.captured_left, !ports);
	return ip->extensions ? put_authenticated(at, line, c) : packet_ip_transport_put(at, line, false);
}
