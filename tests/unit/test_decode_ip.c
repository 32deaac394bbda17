/* SPDX-License-Identifier: MIT */
/* decode/ipv4 and decode/ipv6: every field, every header length, fragments, the extension chain, and lengths that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/frame_maker.h"

#define RAW 101

static struct packet p;

static struct maker make_v4(unsigned payload)
{
	struct maker m = { 0 };

	maker_ipv4(&m, 6);
	maker_tcp(&m, TCP_ACK, NULL, 0);
	maker_zeros(&m, payload);
	maker_close(&m);
	m.length_count = 0;
	return m;
}

/* IPv6 with @len bytes of extension headers, of which @first is the first, and TCP. */
static struct maker make_v6(unsigned first, const char *extensions, size_t len, unsigned payload)
{
	struct maker m = { 0 };

	maker_ipv6(&m, first);
	if (len)
		maker_bytes(&m, extensions, len);
	maker_tcp(&m, TCP_ACK, NULL, 0);
	maker_zeros(&m, payload);
	maker_close(&m);
	m.length_count = 0;
	return m;
}

static void ipv4__all_fields__arrive_in_host_order(void **state)
{
	struct maker m = make_v4(100);

	(void)state;
	m.bytes[1] = 0xb9;
	m.bytes[8] = 61;
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.ip.src.family, ADDR_V4);
	assert_memory_equal(p.ip.src.bytes, "\x0a\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(p.ip.dst.bytes, "\x0a\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(p.ip.protocol, 6);
	assert_int_equal(p.ip.tos, 0xb9);
	assert_int_equal(p.ip.hop_limit, 61);
	assert_int_equal(p.ip.checksum, CHECKSUM_UNKNOWN);
	assert_int_equal(p.ip.length, 140);
	assert_int_equal(p.ip.id, 0x1234);
	assert_true(p.ip.has_id);
	assert_int_equal(p.ip.header, 20);
	assert_int_equal(p.ip.option_bytes, 0);
	assert_int_equal(p.ip.extensions, 0);
	assert_int_equal(p.ip.flow_label, 0);
	assert_int_equal(p.ip.offset, 0);
	assert_false(p.ip.more || p.ip.is_fragment || p.ip.length_guessed);
	assert_true(p.ip.dont_fragment);
	assert_int_equal(p.ip_captured, 140);
	assert_int_equal(p.tcp.payload, 100);
}

static void ipv4__every_ihl__is_read_or_malformed(void **state)
{
	(void)state;
	for (unsigned ihl = 0; ihl < 16; ihl++) {
		struct maker m = { 0 };

		maker_ipv4(&m, 6);
		m.bytes[0] = (uint8_t)(0x40 | ihl);
		if (ihl > 5)
			maker_zeros(&m, ihl * 4 - 20);
		maker_tcp(&m, TCP_ACK, NULL, 0);
		assert_int_equal(maker_decode(&m, RAW, &p), ihl < 5 ? DECODE_MALFORMED : DECODE_OK);
		if (ihl < 5) {
			assert_int_equal(p.layer, LAYER_IPV4);
			assert_false(p.has & PACKET_HAS_IP);
			continue;
		}
		assert_int_equal(p.ip.header, ihl * 4);
		assert_int_equal(p.ip.option_bytes, ihl * 4 - 20);
		assert_int_equal(p.tcp.src_port, MAKER_SRC_PORT);
		assert_int_equal(p.tcp.payload, 0);
	}
}

static void ipv4__ihl_beyond_the_packet__is_malformed(void **state)
{
	(void)state;
	for (unsigned total = 0; total < 60; total++) {
		struct maker m = make_v4(total ? 40 : 19);

		m.bytes[0] = 0x4f;
		maker_put16(&m, 2, total);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
		assert_int_equal(p.layer, LAYER_IPV4);
		assert_int_equal(p.has, PACKET_HAS_IP);
	}
}

static void ipv4__total_length_below_the_header__is_malformed(void **state)
{
	(void)state;
	for (unsigned total = 1; total < 20; total++) {
		struct maker m = make_v4(0);

		maker_put16(&m, 2, total);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
		assert_int_equal(p.layer, LAYER_IPV4);
		assert_int_equal(p.has, PACKET_HAS_IP);
		assert_int_equal(p.ip.length, total);
	}
}

static void ipv4__total_length_zero__is_taken_from_the_frame(void **state)
{
	struct maker m = make_v4(3000);

	(void)state;
	maker_put16(&m, 2, 0);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.ip.length, 3040);
	assert_true(p.ip.length_guessed);
	assert_int_equal(p.tcp.payload, 3000);
	assert_int_equal(maker_decode_cut(&m, RAW, 60, &p), DECODE_OK);
	assert_int_equal(p.tcp.payload, 3000);
	assert_int_equal(p.payload_captured, 20);
}

static void ipv4__longer_than_its_frame__is_cut_and_its_length_believed(void **state)
{
	struct maker m = make_v4(74);

	(void)state;
	maker_put16(&m, 2, 1500);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_TRUNCATED);
	assert_int_equal(p.layer, LAYER_IPV4);
	assert_true(p.has & PACKET_HAS_TCP);
	assert_int_equal(p.tcp.payload, 1460);
	assert_int_equal(p.payload_captured, 74);
}

static void ipv4__other_version__is_malformed(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 16; version++) {
		struct maker m = make_v4(0);

		m.bytes[0] = (uint8_t)(version << 4 | 5);
		assert_int_equal(maker_decode(&m, 228, &p), version == 4 ? DECODE_OK : DECODE_MALFORMED);
		m = make_v6(6, NULL, 0, 0);
		m.bytes[0] = (uint8_t)(version << 4);
		assert_int_equal(maker_decode(&m, 229, &p), version == 6 ? DECODE_OK : DECODE_MALFORMED);
	}
}

static void ipv4__option_lengths__that_cannot_be_are_malformed_but_read_on(void **state)
{
	static const struct {
		const char *options;
		enum decode_status expected;
	} rows[] = {
		{ "\1\1\1\1", DECODE_OK },	  { "\0\xff\xff\xff", DECODE_OK }, /* behind the end anything may stand */
		{ "\x94\4\0\0", DECODE_OK },	  /* router alert */
		{ "\x94\0\0\0", DECODE_MALFORMED }, { "\x94\1\0\0", DECODE_MALFORMED },
		{ "\x94\5\0\0", DECODE_MALFORMED }, { "\1\1\1\x94", DECODE_MALFORMED },
		{ "\1\1\x94\2", DECODE_OK },	  { "\1\1\x94\3", DECODE_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct maker m = { 0 };

		maker_ipv4(&m, 6);
		m.bytes[0] = 0x46;
		maker_bytes(&m, rows[i].options, 4);
		maker_tcp(&m, TCP_ACK, NULL, 0);
		if (maker_decode(&m, RAW, &p) != rows[i].expected)
			fail_msg("row %zu: %s", i, decode_status_name(p.status));
		assert_int_equal(p.ip.option_bytes, 4);
		assert_int_equal(p.tcp.src_port, MAKER_SRC_PORT);
		assert_int_equal(p.layer, rows[i].expected ? LAYER_IPV4 : LAYER_TCP);
	}
}

static void ipv4__fragments__only_the_first_has_ports(void **state)
{
	static const struct {
		uint16_t field;
		unsigned offset;
		bool more, fragment, ports;
	} rows[] = {
		{ 0x4000, 0, false, false, true }, { 0x2000, 0, true, true, true },	    { 0x2001, 8, true, true, false },
		{ 0x0001, 8, false, true, false }, { 0x1fff, 65528, false, true, false }, { 0x8000, 0, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct maker m = make_v4(60);

		maker_put16(&m, 6, rows[i].field);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
		assert_int_equal(p.ip.offset, rows[i].offset);
		assert_int_equal(p.ip.more, rows[i].more);
		assert_int_equal(p.ip.is_fragment, rows[i].fragment);
		assert_int_equal(p.ip.dont_fragment, rows[i].field == 0x4000);
		assert_int_equal(!!(p.has & PACKET_HAS_PORTS), rows[i].ports);
		assert_int_equal(p.layer, rows[i].ports ? LAYER_TCP : LAYER_IPV4);
		assert_int_equal(p.payload_captured, rows[i].ports ? 60 : 80);
		if (rows[i].ports)
			assert_int_equal(p.tcp.payload, 60);
	}
}

static void ipv4__first_fragment_of_udp__has_a_length_beyond_it(void **state)
{
	struct maker m = { 0 };

	(void)state;
	maker_ipv4(&m, 17);
	m.bytes[6] = 0x20;
	maker_udp(&m, 53);
	maker_zeros(&m, 40);
	maker_close(&m);
	m.length_count = 0;
	maker_put16(&m, 24, 3008);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.udp.length, 3008);
	assert_int_equal(p.udp.payload, 40);
}

static void ip__transports_that_are_not_read__are_unsupported_with_an_address(void **state)
{
	static const uint8_t protocols[] = { 2, 33, 50, 89, 103, 112, 132, 136, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		for (int is_v6 = 0; is_v6 < 2; is_v6++) {
			struct maker m = { 0 };

			maker_ip(&m, is_v6, protocols[i]);
			maker_zeros(&m, 32);
			assert_int_equal(maker_decode(&m, RAW, &p), DECODE_UNSUPPORTED);
			assert_int_equal(p.layer, LAYER_OTHER);
			assert_int_equal(p.has, PACKET_HAS_IP);
			assert_int_equal(p.ip.protocol, protocols[i]);
			assert_int_equal(p.payload_captured, 32);
		}
}

static void ip__icmp_of_the_other_version__is_unsupported(void **state)
{
	(void)state;
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct maker m = { 0 };

		maker_ip(&m, is_v6, is_v6 ? 1 : 58);
		maker_zeros(&m, 32);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_UNSUPPORTED);
		assert_int_equal(p.has, PACKET_HAS_IP);
	}
}

static void ipv6__all_fields__arrive_in_host_order(void **state)
{
	struct maker m = make_v6(6, NULL, 0, 100);

	(void)state;
	m.bytes[0] = 0x6b;
	m.bytes[1] = 0x91;
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.ip.src.family, ADDR_V6);
	assert_memory_equal(p.ip.src.bytes, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_memory_equal(p.ip.dst.bytes, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	assert_int_equal(p.ip.tos, 0xb9);
	assert_int_equal(p.ip.flow_label, 0x12345);
	assert_int_equal(p.ip.hop_limit, 64);
	assert_int_equal(p.ip.protocol, 6);
	assert_int_equal(p.ip.length, 160);
	assert_int_equal(p.ip.header, 40);
	assert_int_equal(p.ip.option_bytes, 0);
	assert_int_equal(p.ip.extensions, 0);
	assert_int_equal(p.ip.checksum, CHECKSUM_UNKNOWN);
	assert_false(p.ip.has_id || p.ip.more || p.ip.is_fragment || p.ip.length_guessed);
	assert_true(p.ip.dont_fragment);
	assert_int_equal(p.tcp.payload, 100);
}

static void ipv6__v4_mapped_on_the_wire__stays_ipv6(void **state)
{
	struct maker m = make_v6(6, NULL, 0, 0);

	(void)state;
	memcpy(m.bytes + 8, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.ip.src.family, ADDR_V6);
	assert_int_equal(p.ip.src.bytes[10], 0xff);
}

#define EXT(text) (text), sizeof(text) - 1

/* Chains of extension headers that end at TCP. Their first bytes are the next header's number. */
static const struct chain {
	const char *name;
	uint8_t first;
	const char *bytes;
	size_t len;
	uint8_t extensions;
} chains[] = {
	{ "none", 6, NULL, 0, 0 },
	{ "hop-by-hop", 0, EXT("\6\0\1\4\0\0\0\0"), 1 },
	{ "hop-by-hop of 16 bytes", 0, EXT("\6\1\1\x0c\0\0\0\0\0\0\0\0\0\0\0\0"), 1 },
	{ "pad of one byte each", 0, EXT("\6\0\0\0\0\0\0\0"), 1 },
	{ "routing", 43, EXT("\6\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 1 },
	{ "destination", 60, EXT("\6\0\1\4\0\0\0\0"), 1 },
	{ "first fragment", 44, EXT("\6\0\0\1\0\0\1\2"), 1 },
	{ "fragment whose second byte is no length", 44, EXT("\6\xff\0\1\0\0\1\2"), 1 },
	{ "atomic fragment", 44, EXT("\6\0\0\0\0\0\1\2"), 1 },
	{ "AH of 12 bytes", 51, EXT("\6\1\0\0\0\0\0\1\0\0\0\1"), 1 },
	{ "AH of 24 bytes", 51, EXT("\6\4\0\0\0\0\0\1\0\0\0\1\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c"), 1 },
	{ "AH of 8 bytes", 51, EXT("\6\0\0\0\0\0\0\1"), 1 },
	{ "mobility", 135, EXT("\6\0\0\0\0\0\0\0"), 1 },
	{ "mobility of 24 bytes", 135, EXT("\6\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 1 },
	{ "HIP", 139, EXT("\6\0\0\0\0\0\0\0"), 1 },
	{ "Shim6", 140, EXT("\6\0\0\0\0\0\0\0"), 1 },
	{ "four in a row", 0, EXT("\x2b\0\1\4\0\0\0\0" "\x2c\0\0\0\0\0\0\0" "\x33\0\0\1\0\0\0\7" "\6\1\0\0\0\0\0\1\0\0\0\1"), 4 },
};

static void ipv6__every_extension__is_skipped_by_its_own_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		struct maker m = make_v6(chains[i].first, chains[i].bytes, chains[i].len, 10);

		if (maker_decode(&m, RAW, &p) != DECODE_OK || p.layer != LAYER_TCP)
			fail_msg("%s: %s at %s", chains[i].name, decode_status_name(p.status), packet_layer_name(p.layer));
		assert_int_equal(p.ip.protocol, 6);
		assert_int_equal(p.ip.header, 40 + chains[i].len);
		assert_int_equal(p.ip.extensions, chains[i].extensions);
		assert_int_equal(p.tcp.seq, MAKER_SEQ);
		assert_int_equal(p.tcp.payload, 10);
	}
}

static void ipv6__chain_cut_by_the_capture__is_truncated(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		for (size_t captured = 40; captured < 40 + chains[i].len; captured++) {
			struct maker m = make_v6(chains[i].first, chains[i].bytes, chains[i].len, 10);

			assert_int_equal(maker_decode_cut(&m, RAW, captured, &p), DECODE_TRUNCATED);
			assert_int_equal(p.layer, LAYER_IPV6);
			assert_int_equal(p.has, PACKET_HAS_IP);
		}
}

static void ipv6__chain_ends_with_the_packet__is_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		for (size_t wire = 41; wire < 40 + chains[i].len; wire++) {
			struct maker m = make_v6(chains[i].first, chains[i].bytes, chains[i].len, 10);

			maker_put16(&m, 4, (unsigned)wire - 40);
			assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
			assert_int_equal(p.layer, LAYER_IPV6);
			assert_int_equal(p.has, PACKET_HAS_IP);
		}
}

static void ipv6__fragments__have_an_id_and_only_the_first_has_ports(void **state)
{
	struct maker first = make_v6(44, EXT("\6\0\0\1\1\2\3\4"), 50), later = make_v6(44, EXT("\x3c\0\5\xa8\1\2\3\4"), 50);

	(void)state;
	assert_int_equal(maker_decode(&first, RAW, &p), DECODE_OK);
	assert_true(p.ip.has_id && p.ip.more && p.ip.is_fragment);
	assert_int_equal(p.ip.id, 0x01020304);
	assert_int_equal(p.ip.offset, 0);
	assert_true(p.has & PACKET_HAS_TCP);
	/* the middle of a packet is not looked at, though its number is an extension header's */
	assert_int_equal(maker_decode(&later, RAW, &p), DECODE_OK);
	assert_int_equal(p.layer, LAYER_IPV6);
	assert_int_equal(p.has, PACKET_HAS_IP);
	assert_int_equal(p.ip.offset, 0x5a8);
	assert_int_equal(p.ip.protocol, 60);
	assert_false(p.ip.more);
	assert_int_equal(p.payload_captured, 70);
}

static void ipv6__atomic_fragment__is_no_fragment(void **state)
{
	struct maker m = make_v6(44, EXT("\6\0\0\0\1\2\3\4"), 0);

	(void)state;
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_true(p.ip.has_id);
	assert_false(p.ip.is_fragment);
}

static void ipv6__too_many_extensions__are_unsupported(void **state)
{
	for (unsigned count = 15; count < 19; count++) {
		struct maker m = { 0 };

		(void)state;
		maker_ipv6(&m, 60);
		for (unsigned i = 0; i < count; i++)
			maker_bytes(&m, i + 1 < count ? "\x3c\0\1\4\0\0\0\0" : "\6\0\1\4\0\0\0\0", 8);
		maker_tcp(&m, TCP_ACK, NULL, 0);
		assert_int_equal(maker_decode(&m, RAW, &p), count > 16 ? DECODE_UNSUPPORTED : DECODE_OK);
		assert_int_equal(p.layer, count > 16 ? LAYER_IPV6 : LAYER_TCP);
		assert_int_equal(p.ip.extensions, MIN(count, 16));
	}
}

static void ipv6__option_length_beyond_its_header__is_malformed_but_read_on(void **state)
{
	struct maker m = make_v6(60, EXT("\6\0\1\5\0\0\0\0"), 0);

	(void)state;
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
	assert_int_equal(p.layer, LAYER_IPV6);
	assert_true(p.has & PACKET_HAS_TCP);
	m = make_v6(60, EXT("\6\0\1\3\0\0\0\1"), 0); /* an option without its length byte */
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
}

static void ipv6__jumbogram__has_the_length_of_its_option(void **state)
{
	struct maker m = make_v6(0, EXT("\6\0\xc2\4\0\1\0\0"), 1000);

	(void)state;
	maker_put16(&m, 4, 0);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_TRUNCATED); /* longer than its frame */
	assert_int_equal(p.ip.length, 65536 + 40);
	assert_int_equal(p.tcp.payload, 65536 - 8 - 20);
	maker_put16(&m, 46, 1000);
	maker_put16(&m, 44, 0);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.ip.length, 1040);
	assert_false(p.ip.length_guessed);
	assert_int_equal(p.tcp.payload, 972);
	maker_put16(&m, 46, 4); /* ends inside its own header */
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
	assert_int_equal(p.layer, LAYER_IPV6);
	maker_put16(&m, 44, 0xffff);
	maker_put16(&m, 46, 0xffff);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
	maker_put16(&m, 4, 1028); /* the fixed header knows better */
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.ip.length, 1068);
}

static void ipv6__payload_length_zero__is_taken_from_the_frame(void **state)
{
	struct maker m = make_v6(6, NULL, 0, 3000);

	(void)state;
	maker_put16(&m, 4, 0);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_true(p.ip.length_guessed);
	assert_int_equal(p.ip.length, 3060);
	assert_int_equal(p.tcp.payload, 3000);
}

static void ipv6__no_next_header__is_ok_and_empty(void **state)
{
	struct maker m = { 0 };

	(void)state;
	maker_ipv6(&m, 59);
	maker_close(&m);
	m.length_count = 0;
	maker_zeros(&m, 6); /* padding of the frame */
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.layer, LAYER_IPV6);
	assert_int_equal(p.ip.length, 40);
	assert_int_equal(p.payload_captured, 0);
}

static void ipv4__authentication_header__is_skipped(void **state)
{
	struct maker m = { 0 };

	(void)state;
	maker_ipv4(&m, 51);
	maker_bytes(&m, "\6\4\0\0\0\0\0\1\0\0\0\1\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c", 24);
	maker_tcp(&m, TCP_ACK, NULL, 0);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.ip.protocol, 6);
	assert_int_equal(p.ip.header, 44);
	assert_int_equal(p.tcp.seq, MAKER_SEQ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4__all_fields__arrive_in_host_order),
		cmocka_unit_test(ipv4__every_ihl__is_read_or_malformed),
		cmocka_unit_test(ipv4__ihl_beyond_the_packet__is_malformed),
		cmocka_unit_test(ipv4__total_length_below_the_header__is_malformed),
		cmocka_unit_test(ipv4__total_length_zero__is_taken_from_the_frame),
		cmocka_unit_test(ipv4__longer_than_its_frame__is_cut_and_its_length_believed),
		cmocka_unit_test(ipv4__other_version__is_malformed),
		cmocka_unit_test(ipv4__option_lengths__that_cannot_be_are_malformed_but_read_on),
		cmocka_unit_test(ipv4__fragments__only_the_first_has_ports),
		cmocka_unit_test(ipv4__first_fragment_of_udp__has_a_length_beyond_it),
		cmocka_unit_test(ip__transports_that_are_not_read__are_unsupported_with_an_address),
		cmocka_unit_test(ip__icmp_of_the_other_version__is_unsupported),
		cmocka_unit_test(ipv6__all_fields__arrive_in_host_order),
		cmocka_unit_test(ipv6__v4_mapped_on_the_wire__stays_ipv6),
		cmocka_unit_test(ipv6__every_extension__is_skipped_by_its_own_rule),
		cmocka_unit_test(ipv6__chain_cut_by_the_capture__is_truncated),
		cmocka_unit_test(ipv6__chain_ends_with_the_packet__is_malformed),
		cmocka_unit_test(ipv6__fragments__have_an_id_and_only_the_first_has_ports),
		cmocka_unit_test(ipv6__atomic_fragment__is_no_fragment),
		cmocka_unit_test(ipv6__too_many_extensions__are_unsupported),
		cmocka_unit_test(ipv6__option_length_beyond_its_header__is_malformed_but_read_on),
		cmocka_unit_test(ipv6__jumbogram__has_the_length_of_its_option),
		cmocka_unit_test(ipv6__payload_length_zero__is_taken_from_the_frame),
		cmocka_unit_test(ipv6__no_next_header__is_ok_and_empty),
		cmocka_unit_test(ipv4__authentication_header__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
