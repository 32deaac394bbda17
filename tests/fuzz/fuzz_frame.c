/* SPDX-License-Identifier: MIT */
/* Any bytes as a frame of any link type, cut anywhere. The first four bytes choose: link type, what the capture kept, what was on the wire
 * beyond that, and options. */
#include "../support/packet_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t link_types[] = { 1, 113, 276, 101, 0, 108, 9, 50, 51, 104, 239, 10, 12, 14, 228, 229, 127, 4711 };

/* Two runs on structs with different rubbish in them: what the packet says is there must not depend on it. */
static void decode_twice(const struct frame *frame, const struct decode_options *options)
{
	static struct packet a, b;

	memset(&a, 0x00, sizeof(a));
	memset(&b, 0xff, sizeof(b));
	packet_decode(frame, options, &a);
	packet_decode(frame, options, &b);
	packet_check(&a);
	packet_check(&b);
	BUG_ON(a.has != b.has || a.status != b.status || a.layer != b.layer || a.tunnel_count != b.tunnel_count || a.payload != b.payload);
	BUG_ON(a.has & PACKET_HAS_TCP && (a.tcp.payload != b.tcp.payload || a.tcp.options != b.tcp.options || a.tcp.checksum != b.tcp.checksum));
	BUG_ON(a.has & PACKET_HAS_QUOTE && (a.icmp.quote.has != b.icmp.quote.has || a.icmp.quote.tcp_flags != b.icmp.quote.tcp_flags));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_options options = { 0 };
	struct frame frame = { .number = 1 };
	uint8_t *exact;

	if (size < 4)
		return 0;
	frame.link_type = link_types[data[0] % ARRAY_SIZE(link_types)];
	frame.captured = (uint32_t)(size - 4) - (data[1] < 128 ? 0 : MIN(data[1] - 128u, (uint32_t)(size - 4)));
	frame.wire = frame.captured + data[2] * (data[3] & 8 ? 8192u : 1u);
	frame.direction = data[3] % 3;
	options.checksums = data[3] & 4;
	/* exactly as long, so that a read behind it is seen */
	exact = xmalloc(frame.captured ? frame.captured : 1);
	memcpy(exact, data + 4, frame.captured);
	frame.bytes = exact;
	decode_twice(&frame, data[3] & 16 ? NULL : &options);
	free_ptr(&exact);
	return 0;
}
