/* SPDX-License-Identifier: MIT */
/* SYNs as bytes (RFC 9293 §3.1, options RFC 7323, RFC 2018):
 *   0: src port:16 | dst port:16 | seq:32 | ack:32 | offset:4 flags:12 | window:16 | checksum:16 | urgent:16
 *  20: 2 4 mss:16 | 4 2 | 8 10 value:32 echo:32 | 1 | 3 3 shift */
#include "syn_segment.h"

#include "tcptriage/model/packet.h"

#define PROTOCOL_TCP 6
#define WINDOW 64240
#define WINDOW_SHIFT 7

enum { AT_SEQ = 4, AT_OFFSET = 12, AT_FLAGS = 13, AT_WINDOW = 14, AT_CHECKSUM = 16, AT_MSS = 22, AT_TIMESTAMP = 28 };

static const uint8_t pattern[SYN_SEGMENT_BYTES] = {
	[AT_OFFSET] = SYN_SEGMENT_BYTES / 4 << 4, [AT_FLAGS] = TCP_SYN, [20] = 2, 4, [24] = 4, 2, 8, 10, [36] = 1, 3, 3, WINDOW_SHIFT,
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint32_t sum_words(const uint8_t *bytes, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < count; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

/* RFC 1071 over the pseudo header (RFC 9293 §3.1, RFC 8200 §8.1) and the segment; unused bytes of an IPv4 address are 0. */
static uint16_t checksum(const struct syn_segment *segment, const uint8_t *bytes)
{
	uint32_t sum = PROTOCOL_TCP + SYN_SEGMENT_BYTES + sum_words(bytes, SYN_SEGMENT_BYTES);

	sum += sum_words(segment->src.bytes, sizeof(segment->src.bytes)) + sum_words(segment->dst.bytes, sizeof(segment->dst.bytes));
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

void syn_segment_build(const struct syn_segment *segment, uint8_t out[static SYN_SEGMENT_BYTES])
{
	memcpy(out, pattern, SYN_SEGMENT_BYTES);
	put16(out, segment->src_port);
	put16(out + 2, segment->dst_port);
	put32(out + AT_SEQ, segment->seq);
	put16(out + AT_WINDOW, WINDOW);
	put16(out + AT_MSS, segment->mss);
	put32(out + AT_TIMESTAMP, segment->timestamp);
	put16(out + AT_CHECKSUM, checksum(segment, out));
}

bool syn_quote_read(struct cursor c, struct syn_answer *out)
{
	return cursor_u16be(&c, &out->src_port) && cursor_u16be(&c, &out->dst_port) && cursor_u32be(&c, &out->seq);
}

bool syn_answer_read(struct cursor c, struct syn_answer *out)
{
	uint8_t offset;

	return syn_quote_read(c, out) && cursor_skip(&c, 8) && cursor_u32be(&c, &out->ack) && cursor_u8(&c, &offset) && cursor_u8(&c, &out->flags);
}
