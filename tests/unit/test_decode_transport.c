/* SPDX-License-Identifier: MIT */
/* decode/tcp, decode/udp and decode/checksum: every field, every option, every data offset, lengths that lie, and sums that are right or not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/frame_maker.h"

#define RAW 101
#define OPTIONS(text) (text), sizeof(text) - 1

static struct packet p;

static struct maker make_tcp(unsigned flags, const char *options, size_t len, unsigned payload)
{
	struct maker m = { 0 };

	maker_ipv4(&m, 6);
	maker_tcp(&m, flags, options, len);
	maker_zeros(&m, payload);
	return m;
}

static void tcp__all_fields__arrive_in_host_order(void **state)
{
	struct maker m = make_tcp(TCP_PSH | TCP_ACK, NULL, 0, 7);

	(void)state;
	maker_put16(&m, 36, 0xabcd);
	maker_put16(&m, 38, 0x0102);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.layer, LAYER_TCP);
	assert_int_equal(p.has, PACKET_HAS_IP | PACKET_HAS_TCP | PACKET_HAS_PORTS);
	assert_int_equal(p.tcp.src_port, MAKER_SRC_PORT);
	assert_int_equal(p.tcp.dst_port, 80);
	assert_int_equal(p.tcp.seq, MAKER_SEQ);
	assert_int_equal(p.tcp.ack, 0x05060708);
	assert_int_equal(p.tcp.flags, TCP_PSH | TCP_ACK);
	assert_int_equal(p.tcp.window, 512);
	assert_int_equal(p.tcp.checksum_field, 0xabcd);
	assert_int_equal(p.tcp.urgent, 0x0102);
	assert_int_equal(p.tcp.header, 20);
	assert_int_equal(p.tcp.payload, 7);
	assert_int_equal(p.tcp.options, 0);
	assert_int_equal(p.tcp.option_bytes, 0);
	assert_int_equal(p.tcp.sack_count, 0);
	assert_int_equal(p.tcp.checksum, CHECKSUM_UNKNOWN);
	assert_int_equal(p.payload_captured, 7);
}

static void tcp__every_flag__has_its_bit(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 12; bit++) {
		struct maker m = make_tcp(1u << bit, NULL, 0, 0);

		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
		assert_int_equal(p.tcp.flags, bit < 9 ? 1u << bit : 0); /* the three above are reserved */
	}
}

static void tcp__every_data_offset__is_read_or_malformed(void **state)
{
	(void)state;
	for (unsigned offset = 0; offset < 16; offset++)
		for (unsigned payload = 0; payload <= 44; payload += 4) {
			struct maker m = make_tcp(TCP_ACK, NULL, 0, payload);
			bool fits = offset >= 5 && offset * 4 <= 20 + payload;

			m.bytes[32] = (uint8_t)(offset << 4);
			assert_int_equal(maker_decode(&m, RAW, &p), fits ? DECODE_OK : DECODE_MALFORMED);
			assert_int_equal(p.layer, LAYER_TCP);
			assert_true(p.has & PACKET_HAS_TCP);
			assert_int_equal(p.tcp.header, offset * 4);
			assert_int_equal(p.tcp.payload, fits ? 20 + payload - offset * 4 : 0);
			assert_int_equal(p.tcp.option_bytes, fits ? offset * 4 - 20 : 0);
		}
}

static void tcp__packet_ends_inside_the_header__is_malformed(void **state)
{
	(void)state;
	for (unsigned wire = 20; wire < 40; wire++) {
		struct maker m = make_tcp(TCP_ACK, NULL, 0, 0);

		m.len = wire;
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
		assert_int_equal(p.layer, LAYER_TCP);
		assert_int_equal(p.has, wire < 24 ? PACKET_HAS_IP : PACKET_HAS_IP | PACKET_HAS_PORTS);
		if (wire >= 24)
			assert_int_equal(p.tcp.dst_port, 80);
	}
}

static void tcp_options__of_a_linux_syn__all_arrive(void **state)
{
	struct maker m = make_tcp(TCP_SYN, OPTIONS("\2\4\xff\xd7" "\4\2" "\x08\x0a\1\2\3\4\0\0\0\5" "\1" "\3\3\7"), 0);

	(void)state;
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.tcp.options, TCP_OPTION_MSS | TCP_OPTION_SACK_PERMITTED | TCP_OPTION_TIMESTAMPS | TCP_OPTION_WSCALE);
	assert_int_equal(p.tcp.mss, 65495);
	assert_int_equal(p.tcp.wscale, 7);
	assert_int_equal(p.tcp.tsval, 0x01020304);
	assert_int_equal(p.tcp.tsecr, 5);
	assert_int_equal(p.tcp.option_bytes, 20);
	assert_int_equal(p.tcp.header, 40);
}

static void tcp_options__timestamps_in_front__are_followed_by_others(void **state)
{
	struct maker m = make_tcp(TCP_ACK, OPTIONS("\1\1\x08\x0a\0\0\0\1\0\0\0\2" "\1\1\5\x12\0\0\0\1\0\0\0\2\xff\xff\xff\xff\0\0\0\7"), 0);

	(void)state;
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.tcp.options, TCP_OPTION_TIMESTAMPS | TCP_OPTION_SACK);
	assert_int_equal(p.tcp.tsval, 1);
	assert_int_equal(p.tcp.tsecr, 2);
	assert_int_equal(p.tcp.sack_count, 2);
	assert_int_equal(p.tcp.sack[0].left, 1);
	assert_int_equal(p.tcp.sack[0].right, 2);
	assert_int_equal(p.tcp.sack[1].left, UINT32_MAX);
	assert_int_equal(p.tcp.sack[1].right, 7);
}

/* One option each, padded to four bytes, and the bits that must come of it. */
static const struct option_row {
	const char *name, *bytes;
	size_t len;
	unsigned bits;
} option_rows[] = {
	{ "END", OPTIONS("\0\0\0\0"), 0 },
	{ "END, then junk", OPTIONS("\0\2\1\xff"), 0 },
	{ "NOP", OPTIONS("\1\1\1\1"), 0 },
	{ "MSS", OPTIONS("\2\4\5\xb4"), TCP_OPTION_MSS },
	{ "MSS too short", OPTIONS("\2\3\5\0"), TCP_OPTION_BAD },
	{ "MSS too long", OPTIONS("\2\5\5\xb4\1\0\0\0"), TCP_OPTION_BAD },
	{ "window scale", OPTIONS("\3\3\x0e\0"), TCP_OPTION_WSCALE },
	{ "window scale too short", OPTIONS("\3\2\0\0"), TCP_OPTION_BAD },
	{ "window scale too long", OPTIONS("\3\4\7\0"), TCP_OPTION_BAD },
	{ "SACK permitted", OPTIONS("\4\2\0\0"), TCP_OPTION_SACK_PERMITTED },
	{ "SACK permitted too long", OPTIONS("\4\3\0\0"), TCP_OPTION_BAD },
	{ "SACK", OPTIONS("\5\x0a\0\0\0\1\0\0\0\2\0\0"), TCP_OPTION_SACK },
	{ "SACK without blocks", OPTIONS("\5\2\0\0"), TCP_OPTION_BAD },
	{ "SACK of a block and a half", OPTIONS("\5\x0e\0\0\0\1\0\0\0\2\0\0\0\3\0\0"), TCP_OPTION_BAD },
	{ "SACK of four blocks", OPTIONS("\5\x22\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0\7\0\0\0\x08\0\0"), TCP_OPTION_SACK },
	{ "timestamps", OPTIONS("\x08\x0a\0\0\0\1\0\0\0\2\0\0"), TCP_OPTION_TIMESTAMPS },
	{ "timestamps too short", OPTIONS("\x08\x06\0\0\0\1\0\0"), TCP_OPTION_BAD },
	{ "timestamps too long", OPTIONS("\x08\x0b\0\0\0\1\0\0\0\2\0\0"), TCP_OPTION_BAD },
	{ "MD5", OPTIONS("\x13\x12" "0123456789abcdef" "\0\0"), TCP_OPTION_MD5 },
	{ "MD5 too short", OPTIONS("\x13\x06" "0123" "\0\0"), TCP_OPTION_BAD },
	{ "MD5 too long", OPTIONS("\x13\x13" "0123456789abcdefg" "\0"), TCP_OPTION_BAD },
	{ "MPTCP of one byte", OPTIONS("\x1e\3\x40\0"), TCP_OPTION_MPTCP },
	{ "AO", OPTIONS("\x1d\x10\1\2" "0123456789ab"), TCP_OPTION_AO },
	{ "AO without key ids", OPTIONS("\x1d\2\0\0"), TCP_OPTION_BAD },
	{ "MPTCP", OPTIONS("\x1e\x0c\x10\1\0\0\0\1\0\0\0\2"), TCP_OPTION_MPTCP },
	{ "MPTCP without subtype", OPTIONS("\x1e\2\0\0"), TCP_OPTION_BAD },
	{ "fast open, asked for", OPTIONS("\x22\2\0\0"), TCP_OPTION_FAST_OPEN },
	{ "fast open, cookie", OPTIONS("\x22\x0a" "12345678" "\0\0"), TCP_OPTION_FAST_OPEN },
	{ "fast open, experiment", OPTIONS("\xfe\x0c\xf9\x89" "12345678"), TCP_OPTION_FAST_OPEN },
	{ "other experiment", OPTIONS("\xfd\4\xe2\xd4"), TCP_OPTION_UNKNOWN },
	{ "experiment without a number", OPTIONS("\xfd\2\0\0"), TCP_OPTION_UNKNOWN },
	{ "unknown", OPTIONS("\x63\4\1\2"), TCP_OPTION_UNKNOWN },
	{ "unknown, then known", OPTIONS("\x63\5\1\2\3\4\2\0"), TCP_OPTION_UNKNOWN | TCP_OPTION_SACK_PERMITTED },
	{ "length 0", OPTIONS("\x63\0\4\2"), TCP_OPTION_BAD },
	{ "length 1", OPTIONS("\x63\1\4\2"), TCP_OPTION_BAD },
	{ "length 0 of a known one", OPTIONS("\x08\0\4\2"), TCP_OPTION_BAD },
	{ "length beyond the options", OPTIONS("\x63\5\4\2"), TCP_OPTION_BAD },
	{ "length 255", OPTIONS("\x63\xff\4\2"), TCP_OPTION_BAD },
	{ "kind without a length", OPTIONS("\1\1\1\2"), TCP_OPTION_BAD },
	{ "bad behind good", OPTIONS("\4\2\x63\0"), TCP_OPTION_SACK_PERMITTED | TCP_OPTION_BAD },
};

static void tcp_options__every_kind_and_length__is_read_or_bad_but_never_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++) {
		struct maker m = make_tcp(TCP_ACK, option_rows[i].bytes, option_rows[i].len, 5);

		if (maker_decode(&m, RAW, &p) != DECODE_OK || p.tcp.options != option_rows[i].bits)
			fail_msg("%s: %s, options %x", option_rows[i].name, decode_status_name(p.status), p.tcp.options);
		assert_int_equal(p.tcp.option_bytes, option_rows[i].len);
		assert_int_equal(p.tcp.payload, 5);
	}
}

static void tcp_options__details__arrive(void **state)
{
	struct maker m = make_tcp(TCP_SYN, OPTIONS("\x1e\x0c\x10\1\0\0\0\1\0\0\0\2"), 0);

	(void)state;
	maker_decode(&m, RAW, &p);
	assert_int_equal(p.tcp.mptcp_subtype, 1);
	m = make_tcp(TCP_SYN, OPTIONS("\x22\x0a" "12345678" "\0\0"), 0);
	maker_decode(&m, RAW, &p);
	assert_int_equal(p.tcp.fast_open_len, 8);
	m = make_tcp(TCP_SYN, OPTIONS("\xfe\x0c\xf9\x89" "12345678"), 0);
	maker_decode(&m, RAW, &p);
	assert_int_equal(p.tcp.fast_open_len, 8);
	m = make_tcp(TCP_SYN, OPTIONS("\3\3\xff\0"), 0);
	maker_decode(&m, RAW, &p);
	assert_int_equal(p.tcp.wscale, 255);
	m = make_tcp(TCP_ACK, OPTIONS("\5\x22\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0\7\0\0\0\x08\0\0"), 0);
	maker_decode(&m, RAW, &p);
	assert_int_equal(p.tcp.sack_count, 4);
	assert_int_equal(p.tcp.sack[3].right, 8);
}

static void tcp_options__cut_by_the_capture__keep_what_was_there(void **state)
{
	struct maker m = make_tcp(TCP_SYN, OPTIONS("\2\4\5\xb4" "\4\2" "\x08\x0a\0\0\0\1\0\0\0\2" "\1" "\3\3\7"), 0);

	(void)state;
	for (size_t captured = 40; captured < 60; captured++) {
		unsigned expected = TCP_OPTION_CUT | (captured >= 44 ? TCP_OPTION_MSS : 0) | (captured >= 46 ? TCP_OPTION_SACK_PERMITTED : 0) |
				    (captured >= 56 ? TCP_OPTION_TIMESTAMPS : 0);

		assert_int_equal(maker_decode_cut(&m, RAW, captured, &p), DECODE_TRUNCATED);
		assert_int_equal(p.layer, LAYER_TCP);
		assert_true(p.has & PACKET_HAS_TCP);
		assert_int_equal(p.tcp.options, expected);
		assert_int_equal(p.tcp.option_bytes, captured - 40);
		assert_int_equal(p.payload_captured, 0);
	}
}

static struct maker make_udp(bool is_v6, unsigned length, unsigned payload)
{
	struct maker m = { 0 };

	maker_ip(&m, is_v6, 17);
	maker_udp(&m, 53);
	maker_zeros(&m, payload);
	maker_close(&m);
	m.length_count = 0;
	maker_put16(&m, is_v6 ? 44 : 24, length);
	return m;
}

static void udp__every_length__is_within_the_packet_or_malformed(void **state)
{
	(void)state;
	for (int is_v6 = 0; is_v6 < 2; is_v6++)
		for (unsigned length = 0; length < 40; length++) {
			struct maker m = make_udp(is_v6, length, 20);
			bool fits = length >= 8 && length <= 28;

			assert_int_equal(maker_decode(&m, RAW, &p), fits ? DECODE_OK : DECODE_MALFORMED);
			assert_int_equal(p.layer, LAYER_UDP);
			assert_true(p.has & PACKET_HAS_UDP);
			assert_int_equal(p.udp.dst_port, 53);
			assert_int_equal(p.udp.length, length);
			assert_int_equal(p.udp.payload, fits ? length - 8 : 20);
			assert_int_equal(p.payload_captured, fits ? length - 8 : 20);
		}
}

static void udp__length_zero_of_a_jumbogram__is_taken_from_ip(void **state)
{
	struct maker m = make_udp(true, 0, 1000);

	(void)state;
	maker_put16(&m, 4, 0);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.udp.payload, 1000);
}

static void udp__packet_ends_inside_the_header__is_malformed(void **state)
{
	(void)state;
	for (unsigned wire = 20; wire < 28; wire++) {
		struct maker m = { 0 };

		maker_ipv4(&m, 17);
		maker_udp(&m, 53);
		m.len = wire;
		m.length_count = 1;
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
		assert_int_equal(p.layer, LAYER_UDP);
		assert_int_equal(p.has, wire < 24 ? PACKET_HAS_IP : PACKET_HAS_IP | PACKET_HAS_PORTS);
	}
}

/* A whole packet with right sums everywhere. @sum_at: where its transport checksum stands. */
static struct maker make_summed(bool is_v6, unsigned protocol, size_t payload, size_t *sum_at)
{
	size_t start = is_v6 ? 40 : 20;
	struct maker m = { 0 };
	uint32_t sum;

	maker_ip(&m, is_v6, protocol);
	if (protocol == 6) {
		maker_tcp(&m, TCP_ACK, NULL, 0);
	} else if (protocol == 17) {
		maker_udp(&m, 53);
	} else {
		maker_u32(&m, is_v6 ? 0x80000000 : 0x08000000);
		maker_u32(&m, 0x00070001);
	}
	for (size_t i = 0; i < payload; i++)
		maker_u8(&m, (unsigned)(i * 37 + 11));
	maker_close(&m);
	m.length_count = 0;
	*sum_at = start + (protocol == 6 ? 16 : protocol == 17 ? 6 : 2);
	sum = protocol == 1 ? 0 : maker_sum(&m, is_v6 ? 8 : 12, is_v6 ? 32 : 8, (uint32_t)(protocol + m.len - start));
	maker_put16(&m, *sum_at, (uint16_t)~maker_sum(&m, start, m.len - start, sum));
	if (!is_v6)
		maker_put16(&m, 10, (uint16_t)~maker_sum(&m, 0, 20, 0));
	return m;
}

static uint8_t transport_checksum(void)
{
	return p.has & PACKET_HAS_TCP ? p.tcp.checksum : p.has & PACKET_HAS_UDP ? p.udp.checksum : p.icmp.checksum;
}

static uint8_t verify(const struct maker *m, size_t captured, enum packet_direction direction)
{
	static const struct decode_options options = { .checksums = true };
	static struct frame frame;

	frame = (struct frame){ .bytes = m->bytes, .captured = (uint32_t)captured, .wire = (uint32_t)m->len, .link_type = RAW, .direction = (uint8_t)direction };
	maker_decode_frame(&frame, &options, &p);
	return transport_checksum();
}

static const struct {
	bool is_v6;
	unsigned protocol;
} summed[] = { { false, 6 }, { false, 17 }, { false, 1 }, { true, 6 }, { true, 17 }, { true, 58 } };

static void checksum__right_or_one_bit_wrong__is_told_apart(void **state)
{
	size_t sum_at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(summed); i++)
		for (size_t payload = 0; payload < 20; payload++) {
			struct maker m = make_summed(summed[i].is_v6, summed[i].protocol, payload, &sum_at);

			assert_int_equal(verify(&m, m.len, DIRECTION_IN), CHECKSUM_GOOD);
			assert_int_equal(p.ip.checksum, summed[i].is_v6 ? CHECKSUM_UNKNOWN : CHECKSUM_GOOD);
			m.bytes[m.len - 1] ^= 0x10;
			assert_int_equal(verify(&m, m.len, DIRECTION_UNKNOWN), CHECKSUM_BAD);
		}
}

static void checksum__of_the_ip_header__is_its_own(void **state)
{
	size_t sum_at;
	struct maker m = make_summed(false, 6, 10, &sum_at);

	(void)state;
	m.bytes[8]--;
	assert_int_equal(verify(&m, m.len, DIRECTION_IN), CHECKSUM_GOOD);
	assert_int_equal(p.ip.checksum, CHECKSUM_BAD);
	maker_put16(&m, 10, 0);
	verify(&m, m.len, DIRECTION_IN);
	assert_int_equal(p.ip.checksum, CHECKSUM_OFFLOADED);
}

static void checksum__where_it_means_nothing__is_unknown(void **state)
{
	size_t sum_at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(summed); i++) {
		struct maker m = make_summed(summed[i].is_v6, summed[i].protocol, 30, &sum_at);

		m.bytes[m.len - 1] ^= 0x10;
		assert_int_equal(verify(&m, m.len, DIRECTION_OUT), CHECKSUM_UNKNOWN);
		assert_int_equal(p.ip.checksum, CHECKSUM_UNKNOWN);
		assert_int_equal(verify(&m, m.len - 1, DIRECTION_IN), CHECKSUM_UNKNOWN);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
		assert_int_equal(transport_checksum(), CHECKSUM_UNKNOWN);
		if (summed[i].is_v6)
			continue;
		m.bytes[6] = 0x20; /* a fragment */
		assert_int_equal(verify(&m, m.len, DIRECTION_IN), CHECKSUM_UNKNOWN);
	}
}

static void checksum__pseudo_header_alone__is_offloaded(void **state)
{
	size_t sum_at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(summed); i++) {
		struct maker m = make_summed(summed[i].is_v6, summed[i].protocol, 30, &sum_at);
		size_t start = summed[i].is_v6 ? 40 : 20;

		if (summed[i].protocol == 1 || summed[i].protocol == 58)
			continue;
		for (int with_length = 0; with_length < 2; with_length++) {
			uint32_t more = summed[i].protocol + (with_length ? (uint32_t)(m.len - start) : 0);

			maker_put16(&m, sum_at, maker_sum(&m, summed[i].is_v6 ? 8 : 12, summed[i].is_v6 ? 32 : 8, more));
			assert_int_equal(verify(&m, m.len, DIRECTION_IN), CHECKSUM_OFFLOADED);
			assert_int_equal(verify(&m, m.len - 20, DIRECTION_IN), CHECKSUM_OFFLOADED);
		}
		maker_put16(&m, sum_at, 0);
		assert_int_equal(verify(&m, m.len, DIRECTION_IN), summed[i].protocol == 17 ? CHECKSUM_ABSENT : CHECKSUM_OFFLOADED);
	}
}

static void checksum__udp_without_one__is_absent_though_nobody_asked(void **state)
{
	struct maker m = make_udp(false, 28, 20);

	(void)state;
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.udp.checksum, CHECKSUM_ABSENT);
}

static void checksum__source_route_not_used_up__is_unknown(void **state)
{
	static const struct {
		const char *options;
		enum checksum expected;
	} rows[] = {
		{ "\x83\7\4\x0a\0\0\x09\0", CHECKSUM_UNKNOWN }, /* loose */
		{ "\x89\7\4\x0a\0\0\x09\0", CHECKSUM_UNKNOWN }, /* strict */
		{ "\x89\3\4\x83\3\3\1\1", CHECKSUM_UNKNOWN },
		{ "\x83\3\3\x07\3\4\1\1", CHECKSUM_UNKNOWN }, /* another option behind it */
		{ "\x83\7\x08\x0a\0\0\x09\0", CHECKSUM_GOOD }, /* used up */
		{ "\x07\7\4\x0a\0\0\x09\0", CHECKSUM_GOOD },	 /* a record of the route */
	};
	size_t sum_at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct maker m = make_summed(false, 6, 10, &sum_at), routed = { 0 };

		maker_bytes(&routed, m.bytes, 20);
		maker_bytes(&routed, rows[i].options, 8);
		maker_bytes(&routed, m.bytes + 20, m.len - 20);
		routed.bytes[0] = 0x47;
		maker_put16(&routed, 2, (unsigned)routed.len);
		assert_int_equal(verify(&routed, routed.len, DIRECTION_IN), rows[i].expected);
	}
}

static void checksum__home_address_option__is_unknown(void **state)
{
	size_t sum_at;

	(void)state;
	for (int is_home = 0; is_home < 2; is_home++) {
		struct maker m = make_summed(true, 6, 10, &sum_at), mobile = { 0 };

		maker_bytes(&mobile, m.bytes, 40);
		maker_u32(&mobile, 0x06020100);
		maker_u8(&mobile, is_home ? 0xc9 : 0x01);
		maker_u8(&mobile, 16);
		maker_zeros(&mobile, 18);
		maker_bytes(&mobile, m.bytes + 40, m.len - 40);
		mobile.bytes[6] = 60;
		maker_put16(&mobile, 4, (unsigned)mobile.len - 40);
		assert_int_equal(verify(&mobile, mobile.len, DIRECTION_IN), is_home ? CHECKSUM_UNKNOWN : CHECKSUM_GOOD);
	}
}

static void checksum__ipv6_routing_header__counts_when_segments_are_left(void **state)
{
	size_t sum_at;

	(void)state;
	for (unsigned left = 0; left < 2; left++) {
		struct maker m = make_summed(true, 6, 10, &sum_at), routed = { 0 };

		maker_bytes(&routed, m.bytes, 40);
		maker_u32(&routed, 0x06000400 | left);
		maker_u32(&routed, 0);
		maker_bytes(&routed, m.bytes + 40, m.len - 40);
		routed.bytes[6] = 43;
		maker_put16(&routed, 4, (unsigned)routed.len - 40);
		assert_int_equal(verify(&routed, routed.len, DIRECTION_IN), left ? CHECKSUM_UNKNOWN : CHECKSUM_GOOD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp__all_fields__arrive_in_host_order),
		cmocka_unit_test(tcp__every_flag__has_its_bit),
		cmocka_unit_test(tcp__every_data_offset__is_read_or_malformed),
		cmocka_unit_test(tcp__packet_ends_inside_the_header__is_malformed),
		cmocka_unit_test(tcp_options__of_a_linux_syn__all_arrive),
		cmocka_unit_test(tcp_options__timestamps_in_front__are_followed_by_others),
		cmocka_unit_test(tcp_options__every_kind_and_length__is_read_or_bad_but_never_malformed),
		cmocka_unit_test(tcp_options__details__arrive),
		cmocka_unit_test(tcp_options__cut_by_the_capture__keep_what_was_there),
		cmocka_unit_test(udp__every_length__is_within_the_packet_or_malformed),
		cmocka_unit_test(udp__length_zero_of_a_jumbogram__is_taken_from_ip),
		cmocka_unit_test(udp__packet_ends_inside_the_header__is_malformed),
		cmocka_unit_test(checksum__right_or_one_bit_wrong__is_told_apart),
		cmocka_unit_test(checksum__of_the_ip_header__is_its_own),
		cmocka_unit_test(checksum__where_it_means_nothing__is_unknown),
		cmocka_unit_test(checksum__pseudo_header_alone__is_offloaded),
		cmocka_unit_test(checksum__udp_without_one__is_absent_though_nobody_asked),
		cmocka_unit_test(checksum__source_route_not_used_up__is_unknown),
		cmocka_unit_test(checksum__home_address_option__is_unknown),
		cmocka_unit_test(checksum__ipv6_routing_header__counts_when_segments_are_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
