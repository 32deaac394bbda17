/* SPDX-License-Identifier: MIT */
/* ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) and multicast listeners (RFC 2710, RFC 3810). */
#include "src/render/packet_checksum.h"

enum icmp6_type {
	TYPE_UNREACHABLE = 1,
	TYPE_TOO_BIG = 2,
	TYPE_TIME_EXCEEDED = 3,
	TYPE_PARAMETER_PROBLEM = 4,
	TYPE_ECHO_REQUEST = 128,
	TYPE_ECHO_REPLY = 129,
	TYPE_LISTENER_QUERY = 130,
	TYPE_LISTENER_REPORT = 131,
	TYPE_LISTENER_DONE = 132,
	TYPE_ROUTER_SOLICITATION = 133,
	TYPE_ROUTER_ADVERTISEMENT = 134,
	TYPE_NEIGHBOUR_SOLICITATION = 135,
	TYPE_NEIGHBOUR_ADVERTISEMENT = 136,
	TYPE_REDIRECT = 137,
	TYPE_LISTENER_REPORT_2 = 143,
};

/* Behind type, code and checksum. Writers return NULL when what they need was not captured; what they wrote until then stands at *@at. */
static char *put_cut(char *at)
{
	return put_lit(at, " [|icmp6]");
}

/* Quoted addresses stand at fixed places: message header, IPv6 header. */
static bool quoted_addresses(const struct packet_line *line, struct addr *src, struct addr *dst)
{
	*src = line->packet->icmp.quote.ip.src;
	*dst = line->packet->icmp.quote.ip.dst;
	return line->packet->has & PACKET_HAS_QUOTE;
}

static char *put_port_unreachable(char *at, const struct packet_line *line, const struct addr *dst)
{
	const struct icmp_quote *quote = &line->packet->icmp.quote;

	if (!(quote->has & PACKET_HAS_PORTS))
		return NULL;
	at = put_lit(at, ", ");
	at = addr_text(at, dst);
	at = quote->ip.protocol == PROTOCOL_TCP ? put_lit(at, " tcp port ") : put_lit(at, " udp port ");
	return put_u64(at, quote->dst_port);
}

static char *put_unreachable(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	static const char *const codes[] = { "unreachable route", " unreachable prohibited", "beyond scope", "unreachable address", "unreachable port" };
	uint8_t code = line->packet->icmp.code;
	struct addr src, dst;
	char *behind = NULL;

	(void)rest;
	if (!(line->packet->has & PACKET_HAS_ICMP))
		return NULL;
	at = put_lit(at, ", ");
	if (code >= ARRAY_SIZE(codes)) {
		at = put_lit(at, "unknown unreach code (");
		at = put_u64(at, code);
		return put_lit(at, ")");
	}
	at = put_str(at, codes[code]);
	if (quoted_addresses(line, &src, &dst)) {
		behind = code == 4 ? put_port_unreachable(at, line, &dst) : addr_text(put_lit(at, " "), &dst);
		if (behind && code == 2)
			behind = addr_text(put_lit(behind, ", source address "), &src);
	}
	*whole = behind;
	return behind ? behind : put_cut(at);
}

static char *put_too_big(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	(void)line;
	(void)whole;
	if (rest.captured_left < 4)
		return NULL;
	at = put_lit(at, ", mtu ");
	return put_u64(at, line->packet->icmp.mtu);
}

static char *put_time_exceeded(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	struct addr src, dst;

	(void)rest;
	(void)whole;
	if (!quoted_addresses(line, &src, &dst))
		return NULL;
	if (line->packet->icmp.code == 0)
		return addr_text(put_lit(at, " for "), &dst);
	if (line->packet->icmp.code == 1)
		return put_lit(at, " (reassembly)");
	at = put_lit(at, ", unknown code (");
	at = put_u64(at, line->packet->icmp.code);
	return put_lit(at, ")");
}

static char *put_parameter_problem(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	static const char *const codes[] = { ", erroneous", ", next header", ", option", ", incomplete header chain" };
	uint8_t code = line->packet->icmp.code;

	(void)rest;
	(void)whole;
	if (!(line->packet->has & PACKET_HAS_QUOTE))
		return NULL;
	if (code >= ARRAY_SIZE(codes)) {
		at = put_lit(at, ", code-#");
		return put_u64(at, code);
	}
	at = put_str(at, codes[code]);
	at = put_lit(at, " - octet ");
	return put_u64(at, line->packet->icmp.pointer);
}

static char *put_echo(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	(void)whole;
	if (rest.captured_left < 4)
		return NULL;
	at = put_lit(at, ", id ");
	at = put_u64(at, line->packet->icmp.id);
	at = put_lit(at, ", seq ");
	return put_u64(at, line->packet->icmp.seq);
}

static bool take_address(struct cursor *c, struct addr *addr)
{
	addr->family = ADDR_V6;
	return cursor_bytes(c, addr->bytes, 16);
}

static char *put_listener(char *at, struct cursor rest)
{
	struct addr group;
	uint16_t delay = 0;

	if (!cursor_u16be(&rest, &delay) || !cursor_skip(&rest, 2) || !take_address(&rest, &group))
		return NULL;
	at = put_lit(at, " max resp delay: ");
	at = put_u64(at, delay);
	at = put_lit(at, " addr: ");
	return addr_text(at, &group);
}

static char *put_sources(char *at, const struct packet_line *line, struct cursor *c, unsigned count)
{
	struct addr source;

	if (line->options->verbosity < 2) {
		at = put_lit(at, ", ");
		at = put_u64(at, count);
		cursor_skip(c, MIN(c->captured_left, count * 16u));
		return put_lit(at, " source(s)");
	}
	at = put_lit(at, " {");
	while (count-- && at < line->limit && take_address(c, &source))
		at = addr_text(put_lit(at, " "), &source);
	return put_lit(at, " }");
}

/* Version 2 (RFC 3810 §5.1.3): delays from 32768 on are a mantissa and an exponent. */
static char *put_listener_query2(char *at, const struct packet_line *line, struct cursor rest)
{
	uint16_t code = 0, sources = 0;
	uint8_t robustness = 0, interval = 0;
	struct addr group;

	if (!cursor_u16be(&rest, &code) || !cursor_skip(&rest, 2) || !take_address(&rest, &group) || !cursor_u8(&rest, &robustness) ||
	    !cursor_u8(&rest, &interval) || !cursor_u16be(&rest, &sources))
		return NULL;
	at = put_lit(at, " v2");
	if (line->options->verbosity) {
		at = put_lit(at, " [max resp delay=");
		at = put_u64(at, code < 0x8000 ? code : ((code & 0xfffu) | 0x1000u) << ((code >> 12 & 7) + 3));
		*at++ = ']';
	}
	at = addr_text(put_lit(at, " [gaddr "), &group);
	if (line->options->verbosity) {
		if (robustness & 8)
			at = put_lit(at, " sflag");
		if (robustness & 7)
			at = put_u64(put_lit(at, " robustness="), robustness & 7);
		at = put_u64(put_lit(at, " qqi="), interval < 0x80 ? interval : ((interval & 0xfu) | 0x10u) << ((interval >> 4 & 7) + 3));
	}
	if (sources)
		at = put_sources(at, line, &rest, sources);
	return put_lit(at, "]");
}

static char *put_listener_query(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	uint32_t length = packet_transport_length(line->packet);

	(void)whole;
	if (length == 24)
		return put_listener(at, rest);
	if (length >= 28)
		return put_listener_query2(at, line, rest);
	at = put_lit(at, " unknown-version (len ");
	at = put_u64(at, length);
	return put_lit(at, ") ");
}

static char *put_listener_1(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	(void)line;
	(void)whole;
	return put_listener(at, rest);
}

static char *put_record(char *at, const struct packet_line *line, struct cursor *c)
{
	static const char *const types[] = { " is_in", " is_ex", " to_in", " to_ex", " allow", " block" };
	uint8_t type, auxiliary;
	uint16_t sources;
	struct addr group;

	if (!cursor_u8(c, &type) || !cursor_u8(c, &auxiliary) || !cursor_u16be(c, &sources) || !take_address(c, &group))
		return NULL;
	at = addr_text(put_lit(at, " [gaddr "), &group);
	if (type >= 1 && type <= ARRAY_SIZE(types)) {
		at = put_str(at, types[type - 1]);
	} else {
		at = put_lit(at, " [v2-report-#");
		at = put_u64(at, type);
		*at++ = ']';
	}
	at = put_sources(at, line, c, sources);
	cursor_skip(c, MIN(c->captured_left, auxiliary * 4u));
	return put_lit(at, "]");
}

static char *put_listener_report2(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	uint16_t records = 0;

	if (!cursor_skip(&rest, 2) || !cursor_u16be(&rest, &records))
		return NULL;
	at = put_lit(at, ", ");
	at = put_u64(at, records);
	at = put_lit(at, " group record(s)");
	if (!line->options->verbosity)
		return at;
	for (unsigned i = 0; i < records && at < line->limit; i++) {
		char *behind = put_record(at, line, &rest);

		*whole = behind;
		if (!behind)
			return put_cut(at);
		at = behind;
	}
	return at;
}

/* Names of set bits, as "[a, b]". */
static char *put_flags(char *at, uint8_t flags, const char *const names[8])
{
	bool any = false;

	*at++ = '[';
	for (unsigned bit = 8; bit--;) {
		if (!(flags >> bit & 1) || !names[bit])
			continue;
		if (any)
			at = put_lit(at, ", ");
		at = put_str(at, names[bit]);
		any = true;
	}
	if (!any)
		at = put_lit(at, "none");
	return put_lit(at, "]");
}

static char *put_link_address(char *at, struct cursor data)
{
	uint8_t byte;

	for (bool first = true; cursor_u8(&data, &byte); first = false) {
		if (!first)
			*at++ = ':';
		at = put_u8_hex(at, byte);
	}
	return at;
}

static char *put_seconds(char *at, uint32_t seconds)
{
	if (seconds == UINT32_MAX)
		return put_lit(at, "infinity");
	at = put_u64(at, seconds);
	return put_lit(at, "s");
}

static char *put_prefix(char *at, struct cursor data)
{
	static const char *const names[8] = { [7] = "onlink", [6] = "auto", [5] = "router" };
	uint8_t length = 0, flags = 0;
	uint32_t valid = 0, preferred = 0;
	struct addr prefix = { .family = ADDR_V6 };

	cursor_u8(&data, &length);
	cursor_u8(&data, &flags);
	cursor_u32be(&data, &valid);
	cursor_u32be(&data, &preferred);
	cursor_skip(&data, 4);
	take_address(&data, &prefix);
	at = addr_text(at, &prefix);
	*at++ = '/';
	at = put_u64(at, length);
	at = put_flags(put_lit(at, ", Flags "), flags, names);
	at = put_seconds(put_lit(at, ", valid time "), valid);
	return put_seconds(put_lit(at, ", pref. time "), preferred);
}

static char *put_mtu(char *at, struct cursor data)
{
	uint32_t mtu = 0;

	cursor_skip(&data, 2);
	cursor_u32be(&data, &mtu);
	*at++ = ' ';
	return put_u64(at, mtu);
}

static const struct {
	const char *name;
	char *(*put)(char *at, struct cursor data);
	uint8_t size; /* bytes of data that the writer wants at least */
} option_kinds[] = {
	[1] = { "source link-address", put_link_address, 0 },
	[2] = { "destination link-address", put_link_address, 0 },
	[3] = { "prefix info", put_prefix, 30 },
	[4] = { "redirected header", NULL, 0 },
	[5] = { "mtu", put_mtu, 6 },
};

/* Length 0 would never end (RFC 4861 §4.6). */
char *packet_icmp6_options_put(char *at, const struct packet_line *line, struct cursor options)
{
	struct cursor data;
	uint8_t type, units;

	while (at < line->limit && cursor_u8(&options, &type)) {
		bool known = type < ARRAY_SIZE(option_kinds) && option_kinds[type].name;

		if (!cursor_u8(&options, &units) || !units || !cursor_take(&options, units * 8u - 2, &data))
			return put_cut(at);
		at = put_lit(at, "\n\t  ");
		at = put_str(at, known ? option_kinds[type].name : "unknown");
		at = put_lit(at, " option (");
		at = put_u64(at, type);
		at = put_lit(at, "), length ");
		at = put_u64(at, units * 8u);
		at = put_lit(at, " (");
		at = put_u64(at, units);
		at = put_lit(at, "): ");
		/* an address of which kind nobody says may be long */
		data.captured_left = MIN(data.captured_left, 64);
		if (known && option_kinds[type].put && data.captured_left >= option_kinds[type].size)
			at = option_kinds[type].put(at, data);
	}
	return at;
}

static char *put_router_solicitation(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	(void)whole;
	if (line->options->verbosity && cursor_skip(&rest, 4))
		at = packet_icmp6_options_put(at, line, rest);
	return at;
}

static char *put_router_advertisement(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	static const char *const preferences[] = { "medium", "high", "rsv", "low" };
	static const char *const names[8] = { [7] = "managed", [6] = "other stateful", [5] = "home agent" };
	uint8_t hops = 0, flags = 0;
	uint16_t lifetime = 0;
	uint32_t reachable = 0, retransmit = 0;

	(void)whole;
	if (!line->options->verbosity)
		return at;
	if (!cursor_u8(&rest, &hops) || !cursor_u8(&rest, &flags) || !cursor_u16be(&rest, &lifetime) || !cursor_u32be(&rest, &reachable) ||
	    !cursor_u32be(&rest, &retransmit))
		return NULL;
	at = put_u64(put_lit(at, "\n\thop limit "), hops);
	at = put_flags(put_lit(at, ", Flags "), flags, names);
	at = put_str(put_lit(at, ", pref "), preferences[flags >> 3 & 3]);
	at = put_u64(put_lit(at, ", router lifetime "), lifetime);
	at = put_u64(put_lit(at, "s, reachable time "), reachable);
	at = put_u64(put_lit(at, "ms, retrans timer "), retransmit);
	return packet_icmp6_options_put(put_lit(at, "ms"), line, rest);
}

static char *put_neighbour_solicitation(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	struct addr target;

	(void)whole;
	if (!cursor_skip(&rest, 4) || !take_address(&rest, &target))
		return NULL;
	at = addr_text(put_lit(at, ", who has "), &target);
	return line->options->verbosity ? packet_icmp6_options_put(at, line, rest) : at;
}

static char *put_neighbour_advertisement(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	static const char *const names[8] = { [7] = "router", [6] = "solicited", [5] = "override" };
	struct addr target;
	uint8_t flags = 0;

	(void)whole;
	if (!cursor_u8(&rest, &flags) || !cursor_skip(&rest, 3) || !take_address(&rest, &target))
		return NULL;
	at = addr_text(put_lit(at, ", tgt is "), &target);
	if (!line->options->verbosity)
		return at;
	at = put_flags(put_lit(at, ", Flags "), flags, names);
	return packet_icmp6_options_put(at, line, rest);
}

static char *put_redirect(char *at, const struct packet_line *line, struct cursor rest, bool *whole)
{
	struct addr target, destination;

	(void)whole;
	if (!cursor_skip(&rest, 4) || !take_address(&rest, &target) || !take_address(&rest, &destination))
		return NULL;
	at = addr_text(put_lit(at, ", "), &destination);
	at = addr_text(put_lit(at, " to "), &target);
	return line->options->verbosity ? packet_icmp6_options_put(at, line, rest) : at;
}

/*
 * @length_first: with -v the length stands before what the writer adds, instead of nowhere. A writer returns NULL when it wrote nothing for
 * lack of bytes, and clears *@whole when it stopped half way; @rest: behind type, code and checksum.
 */
static const struct type_row {
	uint8_t type;
	bool length_first;
	const char *name;
	char *(*put)(char *at, const struct packet_line *line, struct cursor rest, bool *whole);
} types[] = {
	{ TYPE_UNREACHABLE, false, "destination unreachable", put_unreachable },
	{ TYPE_TOO_BIG, false, "packet too big", put_too_big },
	{ TYPE_TIME_EXCEEDED, false, "time exceeded in-transit", put_time_exceeded },
	{ TYPE_PARAMETER_PROBLEM, false, "parameter problem", put_parameter_problem },
	{ TYPE_ECHO_REQUEST, false, "echo request", put_echo },
	{ TYPE_ECHO_REPLY, false, "echo reply", put_echo },
	{ TYPE_LISTENER_QUERY, false, "multicast listener query", put_listener_query },
	{ TYPE_LISTENER_REPORT, false, "multicast listener report", put_listener_1 },
	{ TYPE_LISTENER_DONE, false, "multicast listener done", put_listener_1 },
	{ TYPE_ROUTER_SOLICITATION, true, "router solicitation", put_router_solicitation },
	{ TYPE_ROUTER_ADVERTISEMENT, true, "router advertisement", put_router_advertisement },
	{ TYPE_NEIGHBOUR_SOLICITATION, true, "neighbor solicitation", put_neighbour_solicitation },
	{ TYPE_NEIGHBOUR_ADVERTISEMENT, true, "neighbor advertisement", put_neighbour_advertisement },
	{ TYPE_REDIRECT, true, "redirect", put_redirect },
	{ TYPE_LISTENER_REPORT_2, false, "multicast listener report v2", put_listener_report2 },
	{ 0, true, NULL, NULL }, /* everything else */
};

static const struct type_row *type_row(uint8_t type)
{
	const struct type_row *row = types;

	while (row->name && row->type != type)
		row++;
	return row;
}

static char *put_checksum(char *at, const struct packet_line *line, struct cursor message)
{
	struct packet_checksum checksum;
	uint16_t field = 0;

	cursor_skip(&message, 2);
	cursor_u16be(&message, &field);
	if (!packet_checksum_transport(line->packet, packet_transport_length(line->packet), field, &checksum))
		return at;
	if (checksum.good)
		return put_lit(at, "[icmp6 sum ok] ");
	at = put_lit(at, "[bad icmp6 cksum 0x");
	at = put_u16_hex(at, field);
	at = put_lit(at, " -> 0x");
	at = put_u16_hex(at, checksum.expected);
	return put_lit(at, "!] ");
}

static char *put_length(char *at, const struct packet_line *line)
{
	at = put_lit(at, ", length ");
	return put_u64(at, packet_transport_length(line->packet));
}

static char *put_name(char *at, const struct type_row *row, uint8_t type)
{
	at = put_lit(at, "ICMP6, ");
	if (row->name)
		return put_str(at, row->name);
	at = put_lit(at, "unknown icmp6 type (");
	at = put_u64(at, type);
	return put_lit(at, ")");
}

char *packet_icmp6_put(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;
	const struct type_row *row;
	struct cursor message = packet_transport_bytes(packet), rest = message;
	bool verbose = line->options->verbosity, whole = true;
	uint8_t type = 0;
	char *behind;

	if (packet->tunnel_count && packet->has & PACKET_HAS_ICMP) {
		type = packet->icmp.type;
		rest = cursor_of(packet->payload - 4, packet->payload_captured + 4);
	} else if (!cursor_u8(&rest, &type)) {
		return put_cut(at);
	} else if (!cursor_skip(&rest, 3)) {
		rest.captured_left = 0;
	}
	row = type_row(type);
	if (verbose)
		at = put_checksum(at, line, message);
	at = put_name(at, row, type);
	if (verbose && row->length_first)
		at = put_length(at, line);
	behind = row->put ? row->put(at, line, rest, &whole) : at;
	if (!behind)
		return put_cut(at);
	return verbose || !whole ? behind : put_length(behind, line);
}
