/* SPDX-License-Identifier: MIT */
/* The option of multipath TCP (RFC 8684 §3): a subtype in the first four bits, each with a writer. */
#include "src/render/packet_parts.h"

static char *put_bytes(char *at, struct cursor data)
{
	uint8_t byte;

	while (cursor_u8(&data, &byte))
		at = put_u8_hex(at, byte);
	return at;
}

static char *put_hex_number(char *at, struct cursor *data, unsigned bytes)
{
	struct cursor part = { 0 };

	cursor_take(data, bytes, &part);
	at = put_lit(at, "0x");
	return put_bytes(at, part);
}

static char *put_number(char *at, struct cursor *data, unsigned bytes)
{
	uint64_t value = 0;
	uint8_t byte;

	for (; bytes && cursor_u8(data, &byte); bytes--)
		value = value << 8 | byte;
	return put_u64(at, value);
}

static char *put_token(char *at, struct cursor *data)
{
	uint32_t token = 0;

	cursor_u32be(data, &token);
	return put_hex(put_lit(at, " token 0x"), token);
}

/* RFC 8684 §3.1: a SYN of version 1 has no key, a SYN/ACK one, the third ACK two. */
static char *put_capable(char *at, unsigned length, struct cursor data, uint8_t low)
{
	unsigned keys = (length - 2) / 8, version = low & 15;
	uint8_t flags = 0;

	cursor_u8(&data, &flags);
	/* behind the keys the third ACK may have a length and a checksum of data */
	if (length < 2 || (length - 2) % 8 > 4 || keys > 2)
		return NULL;
	at = put_lit(at, " v");
	at = put_u64(at, version);
	if (flags & 0x80)
		at = put_lit(at, " csum");
	for (unsigned i = 0; i < keys; i++) {
		at = i ? put_lit(at, ",") : put_lit(at, " {");
		at = put_hex_number(at, &data, 8);
	}
	return keys ? put_lit(at, "}") : at;
}

/* RFC 8684 §3.2: a SYN names the connection, a SYN/ACK proves that it knows the key, so does the third ACK. */
static char *put_join(char *at, unsigned length, struct cursor data, uint8_t low)
{
	uint8_t id = 0;
	uint32_t nonce = 0;

	cursor_u8(&data, &id);
	if (length == 22)
		return put_hex_number(put_lit(at, " hmac "), &data, 20);
	if (length != 10 && length != 14)
		return NULL;
	if (low & 1)
		at = put_lit(at, " backup");
	at = put_u64(put_lit(at, " id "), id);
	at = length == 10 ? put_token(at, &data) : put_hex_number(put_lit(at, " hmac "), &data, 8);
	cursor_u32be(&data, &nonce);
	return put_hex(put_lit(at, " nonce 0x"), nonce);
}

/* RFC 8684 §3.3: flags say which parts there are and how wide. */
static char *put_sequence(char *at, unsigned length, struct cursor data, uint8_t low)
{
	uint8_t flags = 0;
	unsigned ack, seq, wanted;
	uint16_t sum;

	(void)low;
	cursor_u8(&data, &flags);
	ack = flags & 1 ? flags & 2 ? 8 : 4 : 0;
	seq = flags & 4 ? flags & 8 ? 8 : 4 : 0;
	wanted = 2 + ack + (seq ? seq + 6 : 0);
	if (length != wanted && (!seq || length != wanted + 2))
		return NULL;
	if (flags & 16)
		at = put_lit(at, " fin");
	if (ack)
		at = put_number(put_lit(at, " ack "), &data, ack);
	if (!seq)
		return at;
	at = put_number(put_lit(at, " seq "), &data, seq);
	at = put_number(put_lit(at, " subseq "), &data, 4);
	at = put_number(put_lit(at, " len "), &data, 2);
	if (!cursor_u16be(&data, &sum))
		return at;
	return put_hex(put_lit(at, " csum 0x"), sum);
}

static char *put_add_address(char *at, unsigned length, struct cursor data, uint8_t low)
{
	struct addr addr = { 0 };
	uint8_t id = 0;
	bool v6 = length >= 18;
	unsigned behind = length - (v6 ? 18u : 6u);

	/* a port, a hash, both or nothing */
	if (length < 6 || (behind != 0 && behind != 2 && behind != 8 && behind != 10))
		return NULL;
	cursor_u8(&data, &id);
	cursor_bytes(&data, addr.bytes, v6 ? 16 : 4);
	addr.family = v6 ? ADDR_V6 : ADDR_V4;
	/* before RFC 8684 the low bits were the IP version */
	at = low == 4 ? put_lit(at, " v0-ip4") : low == 6 ? put_lit(at, " v0-ip6") : low & 1 ? put_lit(at, " v1-echo") : put_lit(at, " v1");
	at = put_lit(at, " id ");
	at = put_u64(at, id);
	*at++ = ' ';
	at = addr_text(at, &addr);
	if (data.captured_left == 2 || data.captured_left == 10) {
		*at++ = ':';
		at = put_number(at, &data, 2);
	}
	if (data.captured_left >= 8)
		at = put_hex_number(put_lit(at, " hmac "), &data, 8);
	return at;
}

static char *put_remove_address(char *at, unsigned length, struct cursor data, uint8_t low)
{
	uint8_t id;

	(void)length;
	(void)low;
	at = put_lit(at, " id");
	while (cursor_u8(&data, &id)) {
		*at++ = ' ';
		at = put_u64(at, id);
	}
	return at;
}

static char *put_priority(char *at, unsigned length, struct cursor data, uint8_t low)
{
	uint8_t id;

	(void)length;
	at = low & 1 ? put_lit(at, " backup") : put_lit(at, " non-backup");
	if (!cursor_u8(&data, &id))
		return at;
	at = put_lit(at, " id ");
	return put_u64(at, id);
}

static char *put_fail(char *at, unsigned length, struct cursor data, uint8_t low)
{
	(void)low;
	if (length != 10)
		return NULL;
	cursor_skip(&data, 1);
	return put_number(put_lit(at, " seq "), &data, 8);
}

static char *put_close(char *at, unsigned length, struct cursor data, uint8_t low)
{
	(void)low;
	if (length != 10)
		return NULL;
	cursor_skip(&data, 1);
	return put_hex_number(put_lit(at, " key "), &data, 8);
}

/* @low: the bits beside the subtype; @data: behind them. */
static const struct {
	const char *name;
	char *(*put)(char *at, unsigned length, struct cursor data, uint8_t low);
} subtypes[] = {
	{ " capable", put_capable },  { " join", put_join },	     { " dss", put_sequence },
	{ " add-addr", put_add_address }, { " rem-addr", put_remove_address }, { " prio", put_priority },
	{ " fail", put_fail },	    { " fast-close", put_close },
};

char *packet_mptcp_put(char *at, struct cursor data, unsigned length)
{
	uint8_t first;

	if (!cursor_u8(&data, &first))
		return NULL;
	*at++ = ' ';
	at = put_u64(at, length + 2);
	if (first >> 4 >= (int)ARRAY_SIZE(subtypes))
		return put_lit(at, " unknown");
	at = put_str(at, subtypes[first >> 4].name);
	return subtypes[first >> 4].put(at, length, data, first & 15);
}
