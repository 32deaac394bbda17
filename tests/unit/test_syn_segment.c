/* SPDX-License-Identifier: MIT */
/* probe/syn_segment: the SYNs that we build are read back by the decoder of packets, and what answers them by ours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "probe/syn_segment.h"
#include "tcptriage/decode/packet.h"

#define LINKTYPE_RAW 101

static struct addr address(const char *text)
{
	struct addr out;

	assert_true(addr_parse(text, &out));
	return out;
}

static struct syn_segment segment_of(const char *src, const char *dst)
{
	return (struct syn_segment){ .src = address(src), .dst = address(dst), .src_port = 45000, .dst_port = 443, .mss = 1440, .seq = 0xfedcba98, .timestamp = 0x01020304 };
}

/* A SYN behind an IP header. Return: bytes. */
static uint32_t frame_of(const struct syn_segment *segment, uint8_t *out)
{
	bool v6 = segment->src.family == ADDR_V6;
	uint32_t header = v6 ? 40 : 20;

	memset(out, 0, header);
	if (v6) {
		memcpy(out, (uint8_t[]){ 0x60, 0, 0, 0, 0, SYN_SEGMENT_BYTES, 6, 64 }, 8);
		memcpy(out + 8, segment->src.bytes, 16);
		memcpy(out + 24, segment->dst.bytes, 16);
	} else {
		memcpy(out, (uint8_t[]){ 0x45, 0, 0, 20 + SYN_SEGMENT_BYTES, 0, 0, 0x40, 0, 64, 6 }, 10);
		memcpy(out + 12, segment->src.bytes, 4);
		memcpy(out + 16, segment->dst.bytes, 4);
	}
	syn_segment_build(segment, out + header);
	return header + SYN_SEGMENT_BYTES;
}

static void check_segment(const struct syn_segment *segment)
{
	const struct decode_options options = { .checksums = true };
	uint8_t bytes[40 + SYN_SEGMENT_BYTES];
	struct frame frame = { .bytes = bytes, .link_type = LINKTYPE_RAW };
	struct packet packet;

	frame.captured = frame.wire = frame_of(segment, bytes);
	assert_int_equal(packet_decode(&frame, &options, &packet), DECODE_OK);
	assert_int_equal(packet.tcp.checksum, CHECKSUM_GOOD);
	assert_int_equal(packet.tcp.src_port, 45000);
	assert_int_equal(packet.tcp.dst_port, 443);
	assert_int_equal(packet.tcp.seq, segment->seq);
	assert_int_equal(packet.tcp.flags, TCP_SYN);
	assert_int_equal(packet.tcp.window, 64240);
	assert_int_equal(packet.tcp.header, SYN_SEGMENT_BYTES);
	assert_int_equal(packet.tcp.options, TCP_OPTION_MSS | TCP_OPTION_SACK_PERMITTED | TCP_OPTION_TIMESTAMPS | TCP_OPTION_WSCALE);
	assert_int_equal(packet.tcp.mss, 1440);
	assert_int_equal(packet.tcp.wscale, 7);
	assert_int_equal(packet.tcp.tsval, 0x01020304);
	assert_int_equal(packet.tcp.tsecr, 0);
}

static void syn__either_family__is_read_back_with_a_good_checksum(void **state)
{
	struct syn_segment v4 = segment_of("192.0.2.1", "198.51.100.255"), v6 = segment_of("2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");

	(void)state;
	check_segment(&v4);
	check_segment(&v6);
	/* every carry of the sum */
	for (v4.seq = 1; v4.seq; v4.seq <<= 1)
		check_segment(&v4);
	for (v6.seq = UINT32_MAX; v6.seq; v6.seq >>= 1)
		check_segment(&v6);
}

static void answer__cut_anywhere__is_read_only_when_the_flags_are_there(void **state)
{
	static const uint8_t bytes[20] = { 1, 187, 175, 200, 1, 2, 3, 4, 0xaa, 0xbb, 0xcc, 0xdd, 0x50, TCP_SYN | TCP_ACK };
	struct syn_answer answer;

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		assert_int_equal(syn_quote_read(cursor_of(bytes, len), &answer), len >= 8);
		assert_int_equal(syn_answer_read(cursor_of(bytes, len), &answer), len >= 14);
	}
	assert_int_equal(answer.src_port, 443);
	assert_int_equal(answer.dst_port, 45000);
	assert_int_equal(answer.seq, 0x01020304);
	assert_int_equal(answer.ack, 0xaabbccdd);
	assert_int_equal(answer.flags, TCP_SYN | TCP_ACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn__either_family__is_read_back_with_a_good_checksum),
		cmocka_unit_test(answer__cut_anywhere__is_read_only_when_the_flags_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
