/* SPDX-License-Identifier: MIT */
/* Any bytes as TCP options: up to forty of them, cut anywhere by the capture. The first byte says where. */
#include "../support/packet_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADERS 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t headers[HEADERS] = { 0x45, [9] = 6, [12] = 10, [15] = 1, [16] = 10, [19] = 2, [20] = 0x9c, 0x40, 0, 80, [33] = 0x10 };
	struct frame frame = { .link_type = 101, .number = 1 };
	static struct packet packet;
	size_t len, there;
	uint8_t *bytes;

	if (size < 1)
		return 0;
	len = MIN(size - 1, (size_t)40) & ~(size_t)3;
	there = data[0] < 128 ? len : MIN(len, data[0] - 128u);
	bytes = xmalloc(HEADERS + there);
	memcpy(bytes, headers, HEADERS);
	memcpy(bytes + HEADERS, data + 1, there);
	bytes[3] = (uint8_t)(HEADERS + len);
	bytes[32] = (uint8_t)((20 + len) / 4 << 4);
	frame.bytes = bytes;
	frame.captured = (uint32_t)(HEADERS + there);
	frame.wire = (uint32_t)(HEADERS + len);
	memset(&packet, 0xa5, sizeof(packet));
	packet_decode(&frame, NULL, &packet);
	packet_check(&packet);
	/* whatever the options are, the segment is one */
	BUG_ON(!(packet.has & PACKET_HAS_TCP) || packet.layer != LAYER_TCP || packet.tcp.payload != 0 || packet.tcp.src_port != 40000);
	BUG_ON(packet.status != (there < len ? DECODE_TRUNCATED : DECODE_OK));
	BUG_ON(packet.tcp.option_bytes != there || (packet.tcp.options & TCP_OPTION_CUT && there == len));
	BUG_ON(packet.tcp.options & TCP_OPTION_FAST_OPEN && packet.tcp.fast_open_len > 38);
	free_ptr(&bytes);
	return 0;
}
