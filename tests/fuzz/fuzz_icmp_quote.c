/* SPDX-License-Identifier: MIT */
/* Any bytes as what an ICMP error quotes: the first three choose the version, the message and how much the capture kept. */
#include "../support/packet_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADERS_MAX (40 + 8 + 32)

static const struct {
	bool is_v6;
	uint8_t type, code;
} messages[] = { { false, 3, 4 }, { false, 3, 1 }, { false, 11, 0 }, { false, 5, 1 }, { false, 12, 0 },
		 { true, 2, 0 },  { true, 1, 4 },  { true, 3, 0 },   { true, 4, 1 },  { true, 137, 0 } };

/* The headers in front of the quote. Return: their length. */
static size_t put_headers(uint8_t *at, bool is_v6, uint8_t type, uint8_t code, size_t quote)
{
	size_t ip = is_v6 ? 40 : 20, redirect = is_v6 && type == 137 ? 32 : 0, length = (is_v6 ? 0 : 20) + 8 + redirect + quote;

	memset(at, 0, HEADERS_MAX);
	at[0] = is_v6 ? 0x60 : 0x45;
	at[is_v6 ? 4 : 2] = (uint8_t)(length >> 8);
	at[is_v6 ? 5 : 3] = (uint8_t)length;
	at[is_v6 ? 6 : 9] = is_v6 ? 58 : 1;
	at[ip] = type;
	at[ip + 1] = code;
	return ip + 8 + redirect;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet packet;
	struct frame frame = { .link_type = 101, .number = 1 };
	size_t row, quote, headers;
	uint8_t *bytes, *exact;

	if (size < 3 || size > 4096)
		return 0;
	row = data[0] % ARRAY_SIZE(messages);
	quote = size - 3;
	bytes = xmalloc(HEADERS_MAX + quote);
	headers = put_headers(bytes, messages[row].is_v6, messages[row].type, messages[row].code, quote);
	memcpy(bytes + headers, data + 3, quote);
	frame.wire = (uint32_t)(headers + quote);
	frame.captured = frame.wire - MIN((uint32_t)quote, data[1] < 128 ? 0 : data[1] - 128u);
	exact = xmalloc(frame.captured);
	memcpy(exact, bytes, frame.captured);
	frame.bytes = exact;
	packet_decode(&frame, NULL, &packet);
	packet_check(&packet);
	BUG_ON(!(packet.has & PACKET_HAS_ICMP) || !icmp_is_error((enum icmp_class)packet.icmp.class) || packet.icmp.payload < quote);
	/* who ended the quote is never confused */
	BUG_ON(packet.status == DECODE_TRUNCATED && frame.captured == frame.wire);
	free_ptr(&bytes);
	free_ptr(&exact);
	return 0;
}
