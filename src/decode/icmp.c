/* SPDX-License-Identifier: MIT */
/* ICMP (RFC 792, RFC 1191 §4, RFC 1812 §5.2.7) and ICMPv6 (RFC 4443 §2.1, §3; redirects: RFC 4861 §4.5).
 *
 *   0: type | code | checksum:16
 *   4: by type: identifier:16 sequence:16 of an echo; 0:16 MTU:16, of ICMPv6 MTU:32, when a packet was too big; pointer, 8 or 32 bits, of a
 *      parameter problem; gateway:32 of a redirect
 *   8: an error quotes the packet that caused it from its IP header on: eight bytes of the transport header at least, mostly more
 *
 * A quote is read by the same decoders as a packet, and is nearly always cut: nobody can say by whom, so what is missing is unknown. */
#include "layers.h"

#define ICMP_BYTES 8
#define QUOTED_PORTS_BYTES 4

/* Codes that have no row of their own mean what the row for ANY_CODE says. */
#define ANY_CODE UINT8_MAX

struct icmp_row {
	uint8_t type, code, class;
};

static const struct icmp_row icmp4_rows[] = {
	{ 0, ANY_CODE, ICMP_ECHO_REPLY },
	{ 3, 2, ICMP_PROTOCOL_UNREACHABLE },
	{ 3, 3, ICMP_PORT_UNREACHABLE },
	{ 3, 4, ICMP_TOO_BIG },
	{ 3, 9, ICMP_PROHIBITED },  /* network */
	{ 3, 10, ICMP_PROHIBITED }, /* host */
	{ 3, 13, ICMP_PROHIBITED }, /* by a filter */
	{ 3, 14, ICMP_PROHIBITED }, /* host precedence violation */
	{ 3, 15, ICMP_PROHIBITED }, /* precedence cut off */
	{ 3, ANY_CODE, ICMP_UNREACHABLE },
	{ 4, ANY_CODE, ICMP_SOURCE_QUENCH },
	{ 5, ANY_CODE, ICMP_REDIRECT },
	{ 8, ANY_CODE, ICMP_ECHO_REQUEST },
	{ 9, ANY_CODE, ICMP_NEIGHBOUR },
	{ 10, ANY_CODE, ICMP_NEIGHBOUR },
	{ 11, 1, ICMP_REASSEMBLY_EXCEEDED },
	{ 11, ANY_CODE, ICMP_TIME_EXCEEDED },
	{ 12, ANY_CODE, ICMP_PARAMETER_PROBLEM },
};

static const struct icmp_row icmp6_rows[] = {
	{ 1, 1, ICMP_PROHIBITED },
	{ 1, 4, ICMP_PORT_UNREACHABLE },
	{ 1, 5, ICMP_PROHIBITED }, /* source address failed a policy: RFC 4443 §3.1 calls 5 and 6 finer cases of 1 */
	{ 1, 6, ICMP_PROHIBITED }, /* reject route */
	{ 1, ANY_CODE, ICMP_UNREACHABLE },
	{ 2, ANY_CODE, ICMP_TOO_BIG },
	{ 3, 1, ICMP_REASSEMBLY_EXCEEDED },
	{ 3, ANY_CODE, ICMP_TIME_EXCEEDED },
	{ 4, 1, ICMP_PROTOCOL_UNREACHABLE }, /* unrecognised next header */
	{ 4, ANY_CODE, ICMP_PARAMETER_PROBLEM },
	{ 128, ANY_CODE, ICMP_ECHO_REQUEST },
	{ 129, ANY_CODE, ICMP_ECHO_REPLY },
	{ 133, ANY_CODE, ICMP_NEIGHBOUR },
	{ 134, ANY_CODE, ICMP_NEIGHBOUR },
	{ 135, ANY_CODE, ICMP_NEIGHBOUR },
	{ 136, ANY_CODE, ICMP_NEIGHBOUR },
	{ 137, ANY_CODE, ICMP_REDIRECT },
};

static enum icmp_class classify(const struct icmp_row *rows, size_t count, uint8_t type, uint8_t code)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].type == type && (rows[i].code == code || rows[i].code == ANY_CODE))
			return (enum icmp_class)rows[i].class;
	return ICMP_OTHER;
}

enum icmp_class icmp_class_of(bool is_v6, uint8_t type, uint8_t code)
{
	return is_v6 ? classify(icmp6_rows, ARRAY_SIZE(icmp6_rows), type, code) : classify(icmp4_rows, ARRAY_SIZE(icmp4_rows), type, code);
}

/* The second word of the header, by what the message means. */
static void take_word(struct icmp_header *icmp, bool is_v6, uint32_t word)
{
	switch ((enum icmp_class)icmp->class) {
	case ICMP_ECHO_REQUEST:
	case ICMP_ECHO_REPLY:
		icmp->id = (uint16_t)(word >> 16);
		icmp->seq = (uint16_t)word;
		break;
	case ICMP_TOO_BIG:
		icmp->mtu = is_v6 ? word : word & 0xffff;
		break;
	case ICMP_PARAMETER_PROBLEM:
		icmp->pointer = is_v6 ? word : word >> 24;
		break;
	case ICMP_PROTOCOL_UNREACHABLE:
		icmp->pointer = is_v6 ? word : 0;
		break;
	case ICMP_REDIRECT:
		if (!is_v6)
			icmp->gateway = addr_v4(word);
		break;
	default:
		break;
	}
}

/* Eight bytes of an echo: type, code, checksum, identifier, sequence. */
static void quoted_echo(struct cursor *c, struct icmp_quote *quote)
{
	bool is_v6 = quote->ip.protocol == PROTOCOL_ICMPV6;
	uint32_t first, second;

	if (!cursor_u32be(c, &first) || !cursor_u32be(c, &second))
		return;
	if (is_v6 ? first >> 25 != 128 >> 1 : first >> 24 != 0 && first >> 24 != 8)
		return;
	quote->icmp_id = (uint16_t)(second >> 16);
	quote->icmp_seq = (uint16_t)second;
	quote->has |= PACKET_HAS_ICMP;
}

/* Ports; of TCP as much as the quote reaches. */
static enum decode_status quoted_ports(struct cursor *c, struct icmp_quote *quote)
{
	enum decode_status status = cursor_lacks(c, QUOTED_PORTS_BYTES);
	uint16_t offset_flags;

	if (!cursor_u16be(c, &quote->src_port) || !cursor_u16be(c, &quote->dst_port))
		return status;
	quote->has |= PACKET_HAS_PORTS;
	if (quote->ip.protocol == PROTOCOL_UDP) {
		quote->has |= PACKET_HAS_UDP;
		return DECODE_OK;
	}
	if (cursor_u32be(c, &quote->seq))
		quote->has |= PACKET_HAS_TCP;
	if (cursor_skip(c, 4) && cursor_u16be(c, &offset_flags))
		quote->tcp_flags = offset_flags & 0x1ff;
	return DECODE_OK;
}

/* What the quote's IP header says that follows. */
static enum decode_status quoted_transport(struct cursor *c, struct icmp_quote *quote)
{
	if (quote->ip.offset)
		return DECODE_OK;
	switch (quote->ip.protocol) {
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
		return quoted_ports(c, quote);
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		quoted_echo(c, quote);
		return DECODE_OK;
	case PROTOCOL_NONE:
		return DECODE_OK;
	default:
		return DECODE_UNSUPPORTED;
	}
}

/**
 * quote_decode() - the packet in @c that an error quotes.
 * Return: DECODE_OK when all is there that tells whose packet it was, however early the rest ends.
 */
static enum decode_status quote_decode(struct cursor c, bool is_v6, struct icmp_quote *quote)
{
	bool is_whole = c.captured_left == c.wire_left;
	struct ip_reading how = { .quoted = true };
	enum decode_status status;

	cursor_open(&c);
	status = is_v6 ? ipv6_decode(&c, &quote->ip, &how) : ipv4_decode(&c, &quote->ip, &how);
	if (how.filled)
		quote->has |= PACKET_HAS_IP;
	if (status == DECODE_OK)
		status = quoted_transport(&c, quote);
	/* not the capture but the sender ended it too early */
	return status == DECODE_TRUNCATED && is_whole ? DECODE_MALFORMED : status;
}

/* ICMPv6 redirects quote in an option (RFC 4861 §4.6.3): target, destination, then type, length in 8 bytes, value. @c: the quote. */
static enum decode_status redirect6_quote(struct cursor *c, struct icmp_header *icmp, bool *is_there)
{
	struct cursor options = *c;
	uint8_t type, len;

	*is_there = false;
	if (options.captured_left < 32)
		return cursor_lacks(c, 32);
	addr_take_v6(&options, &icmp->gateway);
	cursor_skip(&options, 16);
	while (!*is_there && cursor_u8(&options, &type) && cursor_u8(&options, &len)) {
		if (len == 0 || !cursor_split(&options, len * 8u - 2u, c))
			return DECODE_MALFORMED;
		*is_there = type == 4 && cursor_skip(c, 6);
	}
	return *is_there || options.captured_left == options.wire_left ? DECODE_OK : DECODE_TRUNCATED;
}

static enum decode_status take_quote(struct packet *packet, struct cursor c, bool is_v6)
{
	struct icmp_header *icmp = &packet->icmp;
	enum decode_status status = DECODE_OK;
	bool is_there = true;

	icmp->quote.has = 0;
	icmp->quote.tcp_flags = 0;
	if (is_v6 && icmp->class == ICMP_REDIRECT)
		status = redirect6_quote(&c, icmp, &is_there);
	if (status == DECODE_OK && is_there)
		status = quote_decode(c, is_v6, &icmp->quote);
	icmp->quote.status = (uint8_t)status;
	if (icmp->quote.has & PACKET_HAS_IP)
		packet->has |= PACKET_HAS_QUOTE;
	return status == DECODE_UNSUPPORTED ? DECODE_OK : status;
}

static void fixed_part(struct cursor *h, struct icmp_header *icmp, bool is_v6)
{
	cursor_u8(h, &icmp->type);
	cursor_u8(h, &icmp->code);
	icmp->class = (uint8_t)icmp_class_of(is_v6, icmp->type, icmp->code);
	icmp->checksum = CHECKSUM_UNKNOWN;
	icmp->id = icmp->seq = 0;
	icmp->mtu = icmp->pointer = icmp->payload = 0;
}

void icmp_decode(struct decoder *d, struct cursor *c)
{
	struct packet *packet = d->packet;
	struct icmp_header *icmp = &packet->icmp;
	bool is_v6 = packet->ip.src.family == ADDR_V6;
	enum decode_status status = cursor_lacks(c, ICMP_BYTES);
	struct cursor message = *c, h = *c;
	uint16_t checksum = 0;
	uint32_t word = 0;

	if (is_v6 != (packet->ip.protocol == PROTOCOL_ICMPV6)) {
		decoder_end(d, LAYER_OTHER, DECODE_UNSUPPORTED);
		return;
	}
	if (c->captured_left >= 2) {
		fixed_part(&h, icmp, is_v6);
		packet->has |= PACKET_HAS_ICMP;
	}
	if (status != DECODE_OK) {
		decoder_end(d, LAYER_ICMP, status);
		return;
	}
	cursor_u16be(&h, &checksum);
	cursor_u32be(&h, &word);
	take_word(icmp, is_v6, word);
	cursor_skip(c, ICMP_BYTES);
	icmp->payload = (uint32_t)c->wire_left;
	icmp->checksum = (uint8_t)checksum_transport(d, message, packet->ip.protocol, checksum);
	if (icmp_is_error((enum icmp_class)icmp->class))
		status = take_quote(packet, *c, is_v6);
	decoder_end(d, LAYER_ICMP, status);
}
