/* SPDX-License-Identifier: MIT */
/* TCP headers (RFC 9293 §3.1) and their options (§3.2 and the RFC of each row below).
 *
 *   0: source port:16 | destination port:16
 *   4: sequence number:32 | 8: acknowledgment number:32
 *  12: data offset:4, in 4 bytes | reserved:3 AE CWR ECE URG ACK PSH RST SYN FIN | window:16
 *  16: checksum:16 | urgent pointer:16 | 20: options up to the data offset
 *
 * Options are END (0) and NOP (1), a byte each, or kind, length of the whole option, value. */
#include "layers.h"

#define TCP_FIXED_BYTES 20
#define TCP_END 0
#define TCP_NOP 1
/* NOP NOP timestamps(10): how every stack begins the options of an established connection (RFC 7323 appendix A). */
#define TCP_NOP_NOP_TIMESTAMPS 0x0101080aU
/* Fast open before it had a kind of its own: an experiment's kind and this number (RFC 7413 appendix A, RFC 6994). */
#define FAST_OPEN_MAGIC 0xf989

static enum tcp_option_bit take_mss(struct cursor *value, struct tcp_header *tcp)
{
	cursor_u16be(value, &tcp->mss);
	return TCP_OPTION_MSS;
}

static enum tcp_option_bit take_wscale(struct cursor *value, struct tcp_header *tcp)
{
	cursor_u8(value, &tcp->wscale);
	return TCP_OPTION_WSCALE;
}

static enum tcp_option_bit take_sack_permitted(struct cursor *value, struct tcp_header *tcp)
{
	(void)value, (void)tcp;
	return TCP_OPTION_SACK_PERMITTED;
}

static enum tcp_option_bit take_sack(struct cursor *value, struct tcp_header *tcp)
{
	uint8_t count = 0;

	if (value->captured_left % 8)
		return TCP_OPTION_BAD;
	while (count < TCP_SACK_BLOCKS_MAX && cursor_u32be(value, &tcp->sack[count].left) && cursor_u32be(value, &tcp->sack[count].right))
		count++;
	tcp->sack_count = count;
	return TCP_OPTION_SACK;
}

static enum tcp_option_bit take_timestamps(struct cursor *value, struct tcp_header *tcp)
{
	cursor_u32be(value, &tcp->tsval);
	cursor_u32be(value, &tcp->tsecr);
	return TCP_OPTION_TIMESTAMPS;
}

static enum tcp_option_bit take_fast_open(struct cursor *value, struct tcp_header *tcp)
{
	tcp->fast_open_len = (uint8_t)value->captured_left;
	return TCP_OPTION_FAST_OPEN;
}

static enum tcp_option_bit take_experiment(struct cursor *value, struct tcp_header *tcp)
{
	uint16_t id;

	return cursor_u16be(value, &id) && id == FAST_OPEN_MAGIC ? take_fast_open(value, tcp) : TCP_OPTION_UNKNOWN;
}

static enum tcp_option_bit take_mptcp(struct cursor *value, struct tcp_header *tcp)
{
	uint8_t first = 0;

	cursor_u8(value, &first);
	tcp->mptcp_subtype = first >> 4;
	return TCP_OPTION_MPTCP;
}

static enum tcp_option_bit take_md5(struct cursor *value, struct tcp_header *tcp)
{
	(void)value, (void)tcp;
	return TCP_OPTION_MD5;
}

static enum tcp_option_bit take_ao(struct cursor *value, struct tcp_header *tcp)
{
	(void)value, (void)tcp;
	return TCP_OPTION_AO;
}

/* Indexed by kind: bytes of the value, at least and at most, and who reads it. An empty row is an option that nothing here needs. */
static const struct option_row {
	uint8_t min, max;
	enum tcp_option_bit (*take)(struct cursor *value, struct tcp_header *tcp);
} option_rows[UINT8_MAX + 1] = {
	[2] = { 2, 2, take_mss },	    /* RFC 9293 §3.7.1 */
	[3] = { 1, 1, take_wscale },	    /* RFC 7323 §2.2 */
	[4] = { 0, 0, take_sack_permitted }, /* RFC 2018 §2 */
	[5] = { 8, 32, take_sack },	    /* RFC 2018 §3 */
	[8] = { 8, 8, take_timestamps },    /* RFC 7323 §3.2 */
	[19] = { 16, 16, take_md5 },	    /* RFC 2385 §3.0 */
	[29] = { 2, 38, take_ao },	    /* RFC 5925 §2.2 */
	[30] = { 1, 38, take_mptcp },	    /* RFC 8684 §3 */
	[34] = { 0, 16, take_fast_open },   /* RFC 7413 §2 */
	[253] = { 0, 38, take_experiment }, /* RFC 4727 §4 */
	[254] = { 0, 38, take_experiment },
};

/* One option behind its kind byte. Return: its bit, or why the rest cannot be read. */
static enum tcp_option_bit take_option(struct cursor *c, uint8_t kind, struct tcp_header *tcp)
{
	const struct option_row *row = &option_rows[kind];
	struct cursor value;
	uint8_t len;

	if (!cursor_u8(c, &len))
		return c->wire_left ? TCP_OPTION_CUT : TCP_OPTION_BAD;
	if (len < 2 || len - 2u > c->wire_left)
		return TCP_OPTION_BAD;
	if (row->take && (len - 2u < row->min || len - 2u > row->max))
		return TCP_OPTION_BAD;
	if (!cursor_take(c, len - 2u, &value))
		return TCP_OPTION_CUT;
	return row->take ? row->take(&value, tcp) : TCP_OPTION_UNKNOWN;
}

/* Return: which options there are, as bits. Every turn takes a byte at least. */
static unsigned walk_options(struct cursor *c, struct tcp_header *tcp)
{
	unsigned bits = 0;
	uint8_t kind;

	while (cursor_u8(c, &kind)) {
		if (kind == TCP_END)
			return bits;
		if (kind != TCP_NOP)
			bits |= take_option(c, kind, tcp);
		if (bits & (TCP_OPTION_BAD | TCP_OPTION_CUT))
			return bits;
	}
	return c->wire_left ? bits | TCP_OPTION_CUT : bits;
}

static void take_options(struct cursor c, struct tcp_header *tcp)
{
	uint32_t word;
	unsigned bits = 0;

	tcp->option = c.p;
	tcp->option_bytes = (uint8_t)c.captured_left;
	if (LIKELY(c.captured_left >= 12 && cursor_peek_u32be(&c, &word) && word == TCP_NOP_NOP_TIMESTAMPS)) {
		cursor_skip(&c, 4);
		bits = take_timestamps(&c, tcp);
	}
	if (UNLIKELY(c.wire_left))
		bits |= walk_options(&c, tcp);
	tcp->options = (uint16_t)bits;
}

static void cut_header(struct decoder *d, struct cursor *c, struct tcp_header *tcp)
{
	enum decode_status status = cursor_lacks(c, TCP_FIXED_BYTES);

	if (cursor_u16be(c, &tcp->src_port) && cursor_u16be(c, &tcp->dst_port))
		d->packet->has |= PACKET_HAS_PORTS;
	decoder_end(d, LAYER_TCP, status);
}

static unsigned fixed_part(struct cursor *h, struct tcp_header *tcp)
{
	uint16_t offset_flags = 0;

	cursor_u16be(h, &tcp->src_port);
	cursor_u16be(h, &tcp->dst_port);
	cursor_u32be(h, &tcp->seq);
	cursor_u32be(h, &tcp->ack);
	cursor_u16be(h, &offset_flags);
	cursor_u16be(h, &tcp->window);
	cursor_u16be(h, &tcp->checksum_field);
	cursor_u16be(h, &tcp->urgent);
	tcp->flags = offset_flags & 0x1ff;
	tcp->options = 0;
	tcp->sack_count = 0;
	tcp->option_bytes = 0;
	tcp->payload = 0;
	tcp->checksum = CHECKSUM_UNKNOWN;
	return (offset_flags >> 12) * 4u;
}

void tcp_decode(struct decoder *d, struct cursor *c)
{
	struct packet *packet = d->packet;
	struct tcp_header *tcp = &packet->tcp;
	struct cursor at = *c, h, options;

	if (UNLIKELY(!cursor_take(&at, TCP_FIXED_BYTES, &h))) {
		cut_header(d, c, tcp);
		return;
	}
	tcp->header = (uint8_t)fixed_part(&h, tcp);
	packet->has |= PACKET_HAS_TCP | PACKET_HAS_PORTS;
	if (UNLIKELY(tcp->header < TCP_FIXED_BYTES || !cursor_split(&at, tcp->header - TCP_FIXED_BYTES, &options))) {
		decoder_end(d, LAYER_TCP, DECODE_MALFORMED);
		return;
	}
	take_options(options, tcp);
	tcp->payload = (uint32_t)at.wire_left;
	if (UNLIKELY(d->verify))
		tcp->checksum = (uint8_t)checksum_transport(d, *c, PROTOCOL_TCP, tcp->checksum_field);
	*c = at;
	decoder_end(d, LAYER_TCP, options.captured_left < options.wire_left ? DECODE_TRUNCATED : DECODE_OK);
}
