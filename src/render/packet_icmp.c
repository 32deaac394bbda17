/* SPDX-License-Identifier: MIT */
/* ICMP for IPv4: what a message says, and with -v the packet that it quotes, read by the decoder like any other. */
#include "src/render/packet_checksum.h"

#include "tcptriage/decode/packet.h"

#define LINKTYPE_RAW 101
#define ICMP_HEADER 8

enum icmp_type {
	TYPE_ECHO_REPLY = 0,
	TYPE_UNREACHABLE = 3,
	TYPE_SOURCE_QUENCH = 4,
	TYPE_REDIRECT = 5,
	TYPE_ECHO_REQUEST = 8,
	TYPE_ROUTER_ADVERTISEMENT = 9,
	TYPE_ROUTER_SOLICITATION = 10,
	TYPE_TIME_EXCEEDED = 11,
	TYPE_PARAMETER_PROBLEM = 12,
	TYPE_TIMESTAMP_REQUEST = 13,
	TYPE_TIMESTAMP_REPLY = 14,
	TYPE_INFORMATION_REQUEST = 15,
	TYPE_INFORMATION_REPLY = 16,
	TYPE_MASK_REQUEST = 17,
	TYPE_MASK_REPLY = 18,
};

/* Writers return NULL when what they need was not captured. */
static char *put_echo(char *at, const struct packet *packet, struct cursor rest)
{
	if (rest.captured_left < 4)
		return NULL;
	at = packet->icmp.type == TYPE_ECHO_REQUEST ? put_lit(at, "echo request, id ") : put_lit(at, "echo reply, id ");
	at = put_u64(at, packet->icmp.id);
	at = put_lit(at, ", seq ");
	return put_u64(at, packet->icmp.seq);
}

static char *put_protocol_unreachable(char *at, const struct icmp_quote *quote)
{
	at = addr_text(at, &quote->ip.dst);
	at = put_lit(at, " protocol ");
	at = put_u64(at, quote->ip.protocol);
	return put_lit(at, " unreachable");
}

/* Of a protocol without ports tcpdump shows the bytes where ports would be; so does this. */
static char *put_port_unreachable(char *at, const struct icmp_quote *quote, struct cursor rest)
{
	uint16_t port;

	if (!cursor_skip(&rest, 4u + quote->ip.header + 2u) || !cursor_u16be(&rest, &port))
		return NULL;
	at = addr_text(at, &quote->ip.dst);
	if (quote->ip.protocol == PROTOCOL_TCP) {
		at = put_lit(at, " tcp port ");
	} else if (quote->ip.protocol == PROTOCOL_UDP) {
		at = put_lit(at, " udp port ");
	} else {
		at = put_lit(at, " protocol ");
		at = put_u64(at, quote->ip.protocol);
		at = put_lit(at, " port ");
	}
	at = put_u64(at, port);
	return put_lit(at, " unreachable");
}

static char *put_too_big(char *at, const struct packet *packet)
{
	at = addr_text(at, &packet->icmp.quote.ip.dst);
	at = put_lit(at, " unreachable - need to frag");
	if (!packet->icmp.mtu)
		return at;
	at = put_lit(at, " (mtu ");
	at = put_u64(at, packet->icmp.mtu);
	return put_lit(at, ")");
}

/* What stands before and behind the address (RFC 1812 §5.2.7.1). */
static const struct {
	const char *before, *behind;
} unreachable_codes[] = {
	[0] = { "net ", " unreachable" },
	[1] = { "host ", " unreachable" },
	[5] = { "", " unreachable - source route failed" },
	[6] = { "net ", " unreachable - unknown" },
	[7] = { "host ", " unreachable - unknown" },
	[8] = { "", " unreachable - source host isolated" },
	[9] = { "net ", " unreachable - admin prohibited" },
	[10] = { "host ", " unreachable - admin prohibited" },
	[11] = { "net ", " unreachable - tos prohibited" },
	[12] = { "host ", " unreachable - tos prohibited" },
	[13] = { "host ", " unreachable - admin prohibited filter" },
	[14] = { "host ", " unreachable - host precedence violation" },
	[15] = { "host ", " unreachable - precedence cutoff" },
};

static char *put_unreachable(char *at, const struct packet *packet, struct cursor rest)
{
	const struct icmp_quote *quote = &packet->icmp.quote;
	uint8_t code = packet->icmp.code;

	if (!(packet->has & PACKET_HAS_QUOTE))
		return NULL;
	if (code == 2)
		return put_protocol_unreachable(at, quote);
	if (code == 3)
		return put_port_unreachable(at, quote, rest);
	if (code == 4)
		return put_too_big(at, packet);
	if (code < ARRAY_SIZE(unreachable_codes)) {
		at = put_str(at, unreachable_codes[code].before);
		at = addr_text(at, &quote->ip.dst);
		return put_str(at, unreachable_codes[code].behind);
	}
	at = addr_text(at, &quote->ip.dst);
	at = put_lit(at, " unreachable - #");
	return put_u64(at, code);
}

static char *put_redirect(char *at, const struct packet *packet, struct cursor rest)
{
	static const struct {
		const char *name, *to;
	} codes[] = { { "redirect ", " to net " }, { "redirect ", " to host " }, { "redirect-tos ", " to net " }, { "redirect-tos ", " to host " } };
	uint8_t code = packet->icmp.code;
	bool known = code < ARRAY_SIZE(codes);

	(void)rest;
	if (!(packet->has & PACKET_HAS_QUOTE))
		return NULL;
	if (known) {
		at = put_str(at, codes[code].name);
	} else {
		at = put_lit(at, "redirect-#");
		at = put_u64(at, code);
		*at++ = ' ';
	}
	at = addr_text(at, &packet->icmp.quote.ip.dst);
	at = put_str(at, known ? codes[code].to : " to ");
	return addr_text(at, &packet->icmp.gateway);
}

static char *put_time_exceeded(char *at, const struct packet *packet, struct cursor rest)
{
	(void)rest;
	if (!(packet->has & PACKET_HAS_QUOTE))
		return NULL;
	if (packet->icmp.code == 0)
		return put_lit(at, "time exceeded in-transit");
	if (packet->icmp.code == 1)
		return put_lit(at, "ip reassembly time exceeded");
	at = put_lit(at, "time exceeded-#");
	return put_u64(at, packet->icmp.code);
}

static char *put_parameter_problem(char *at, const struct packet *packet, struct cursor rest)
{
	uint8_t pointer;

	if (packet->icmp.code) {
		at = put_lit(at, "parameter problem - code ");
		return put_u64(at, packet->icmp.code);
	}
	if (!cursor_u8(&rest, &pointer))
		return NULL;
	at = put_lit(at, "parameter problem - octet ");
	return put_u64(at, pointer);
}

/* Milliseconds since midnight UT (RFC 792). */
static char *put_time_of_day(char *at, const char *label, uint32_t ms)
{
	uint32_t parts[] = { ms / 60000 % 60, ms / 1000 % 60 }, fraction = ms % 1000;

	at = put_str(at, label);
	if (ms < 36000000)
		*at++ = '0';
	at = put_u64(at, ms / 3600000);
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		*at++ = ':';
		*at++ = (char)('0' + parts[i] / 10);
		*at++ = (char)('0' + parts[i] % 10);
	}
	*at++ = '.';
	*at++ = (char)('0' + fraction / 100);
	*at++ = (char)('0' + fraction / 10 % 10);
	*at++ = (char)('0' + fraction % 10);
	return at;
}

static char *put_timestamp(char *at, const struct packet *packet, struct cursor rest)
{
	bool reply = packet->icmp.type == TYPE_TIMESTAMP_REPLY;
	uint32_t original = 0, received = 0, sent = 0;
	uint16_t id = 0, seq = 0;

	if (!cursor_u16be(&rest, &id) || !cursor_u16be(&rest, &seq))
		return NULL;
	if (reply && (!cursor_u32be(&rest, &original) || !cursor_u32be(&rest, &received) || !cursor_u32be(&rest, &sent)))
		return NULL;
	at = reply ? put_lit(at, "time stamp reply id ") : put_lit(at, "time stamp query id ");
	at = put_u64(at, id);
	at = put_lit(at, " seq ");
	at = put_u64(at, seq);
	if (!reply)
		return at;
	at = put_time_of_day(at, ": org ", original);
	at = put_time_of_day(at, ", recv ", received);
	return put_time_of_day(at, ", xmit ", sent);
}

static char *put_mask(char *at, const struct packet *packet, struct cursor rest)
{
	uint32_t mask;

	(void)packet;
	if (!cursor_skip(&rest, 4) || !cursor_u32be(&rest, &mask))
		return NULL;
	at = put_lit(at, "address mask is 0x");
	return put_u32_hex(at, mask);
}

/* A name alone, or a writer. @error: the message quotes a packet. */
static const struct {
	const char *name;
	char *(*put)(char *at, const struct packet *packet, struct cursor rest);
	bool error;
} types[] = {
	[TYPE_ECHO_REPLY] = { NULL, put_echo, false },
	[TYPE_UNREACHABLE] = { NULL, put_unreachable, true },
	[TYPE_SOURCE_QUENCH] = { "source quench", NULL, true },
	[TYPE_REDIRECT] = { NULL, put_redirect, true },
	[TYPE_ECHO_REQUEST] = { NULL, put_echo, false },
	[TYPE_ROUTER_ADVERTISEMENT] = { "router advertisement", NULL, false },
	[TYPE_ROUTER_SOLICITATION] = { "router solicitation", NULL, false },
	[TYPE_TIME_EXCEEDED] = { NULL, put_time_exceeded, true },
	[TYPE_PARAMETER_PROBLEM] = { NULL, put_parameter_problem, true },
	[TYPE_TIMESTAMP_REQUEST] = { NULL, put_timestamp, false },
	[TYPE_TIMESTAMP_REPLY] = { NULL, put_timestamp, false },
	[TYPE_INFORMATION_REQUEST] = { "information request", NULL, false },
	[TYPE_INFORMATION_REPLY] = { "information reply", NULL, false },
	[TYPE_MASK_REQUEST] = { "address mask request", NULL, false },
	[TYPE_MASK_REPLY] = { NULL, put_mask, false },
};

/* @rest: behind type, code and checksum. Return: NULL when too little was captured. */
static char *put_message(char *at, const struct packet *packet, struct cursor rest)
{
	uint8_t type = packet->icmp.type;

	if (type < ARRAY_SIZE(types) && types[type].put)
		return types[type].put(at, packet, rest);
	if (type < ARRAY_SIZE(types) && types[type].name)
		return put_str(at, types[type].name);
	at = put_lit(at, "type-#");
	return put_u64(at, type);
}

static char *put_checksum(char *at, const struct packet_line *line, struct cursor message)
{
	struct cursor c = message;
	struct packet_checksum checksum;
	uint16_t field = 0;

	if (line->packet->ip.is_fragment || message.captured_left < message.wire_left || !cursor_skip(&c, 2) || !cursor_u16be(&c, &field))
		return at;
	checksum = packet_checksum_plain(message, field);
	if (checksum.good)
		return at;
	at = put_lit(at, " (wrong icmp cksum ");
	at = put_hex(at, field);
	at = put_lit(at, " (->");
	at = put_hex(at, checksum.expected);
	return put_lit(at, ")!)");
}

/* @c: behind the ICMP header. On the wire the quoted packet was as long as its own header says. */
static char *put_quoted(char *at, const struct packet_line *line, struct cursor c)
{
	struct frame frame = { .bytes = c.p, .captured = (uint32_t)c.captured_left, .link_type = LINKTYPE_RAW };
	struct packet packet;
	struct packet_line quoted = *line;

	if (c.captured_left < 4)
		return put_lit(at, "\n\t [|icmp]");
	if (line->quotes == PACKET_QUOTES_MAX || at >= line->limit)
		return at;
	frame.wire = MAX(frame.captured, line->packet->has & PACKET_HAS_QUOTE ? line->packet->icmp.quote.ip.length : 0);
	packet_decode(&frame, NULL, &packet);
	quoted.packet = &packet;
	quoted.quotes++;
	at = put_lit(at, "\n\t");
	return packet_ip_put(at, &quoted);
}

char *packet_icmp_put(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;
	struct cursor message = packet_transport_bytes(packet), rest = message;
	uint8_t type = packet->icmp.type;
	char *behind;

	if (packet->tunnel_count && packet->has & PACKET_HAS_ICMP)
		rest = cursor_of(packet->payload - 4, packet->payload_captured + 4);
	else if (!(packet->has & PACKET_HAS_ICMP) || !cursor_skip(&rest, 4))
		return put_lit(at, " [|icmp]");
	behind = put_message(put_lit(at, "ICMP "), packet, rest);
	if (!behind)
		return put_lit(at, " [|icmp]");
	at = put_lit(behind, ", length ");
	at = put_u64(at, packet_transport_length(packet));
	if (!line->options->verbosity)
		return at;
	at = put_checksum(at, line, message);
	if (type >= ARRAY_SIZE(types) || !types[type].error)
		return at;
	if (!cursor_skip(&rest, 4))
		rest.captured_left = 0;
	return put_quoted(at, line, rest);
}
