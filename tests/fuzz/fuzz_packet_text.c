/* SPDX-License-Identifier: MIT */
/* Any bytes as a frame, printed with any options: nothing but visible characters, tabs and line ends comes out, and no line that could be
 * another packet's. The first four bytes choose: link type, what the capture cut off, options. */
#include "tcptriage/decode/packet.h"
#include "tcptriage/render/packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t link_types[] = { 1, 113, 276, 101, 0, 108, 9, 50, 51, 104, 239, 10, 228, 229, 127, 4711 };

static struct packet_text_options options_of(const uint8_t data[2])
{
	return (struct packet_text_options){
		.verbosity = data[0] & 3,
		.time = (data[0] >> 2) % PACKET_TIME_COUNT,
		.dump = (data[1] >> 5) % PACKET_DUMP_COUNT,
		.link_header = data[1] & 1,
		.absolute_seq = data[1] & 2,
		.skip_checksums = data[1] & 4,
	};
}

static void check(const struct out *out, enum packet_dump dump)
{
	for (const char *c = out->base; c < out->at; c++) {
		BUG_ON((*c < ' ' || *c > '~') && *c != '\n' && *c != '\t');
		if (*c == '\n' && c + 1 < out->at && dump < PACKET_DUMP_TEXT)
			BUG_ON(c[1] != '\t' && memcmp(c + 1, "    ", 4) != 0);
	}
	BUG_ON(out->at[-1] != '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* kept, for its table is large; sequence numbers of runs before do no harm */
	static struct packet_text text;
	struct frame frame = { .number = 1 };
	struct packet packet;
	struct out out;
	uint8_t *exact;

	if (size < 4)
		return 0;
	if (!text.seqs)
		packet_text_init(&text, &(struct packet_text_options){ 0 });
	text.options = options_of(data + 2);
	text.started = false;
	text.second_len = 0;
	frame.link_type = link_types[data[0] % ARRAY_SIZE(link_types)];
	frame.captured = (uint32_t)(size - 4);
	frame.wire = frame.captured + data[1];
	/* exactly as long, so that a read behind it is seen */
	exact = xmalloc(frame.captured ? frame.captured : 1);
	memcpy(exact, data + 4, frame.captured);
	frame.bytes = exact;
	out_open_mem(&out);
	packet_decode(&frame, NULL, &packet);
	packet_text_line(&out, &text, &packet, NULL);
	check(&out, (enum packet_dump)text.options.dump);
	packet_text_line(&out, &text, &packet, "\x1b[2J\n");
	out_close(&out);
	free_ptr(&exact);
	return 0;
}
