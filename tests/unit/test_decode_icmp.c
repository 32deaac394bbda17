/* SPDX-License-Identifier: MIT */
/* decode/icmp: what every type and code means, the numbers beside it, and the quoted packet at every length. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/frame_maker.h"

#define RAW 101

static struct packet p;

/* An ICMP message; what it quotes is appended by the caller. */
static struct maker make_icmp(bool is_v6, unsigned type, unsigned code, uint32_t word)
{
	struct maker m = { 0 };

	maker_ip(&m, is_v6, is_v6 ? 58 : 1);
	maker_u8(&m, type);
	maker_u8(&m, code);
	maker_u16(&m, 0);
	maker_u32(&m, word);
	return m;
}

static size_t quote_at(bool is_v6)
{
	return is_v6 ? 48 : 28;
}

/* The quoted packet: a TCP segment of a thousand bytes of which the first @len after the IP header are quoted. */
static void quote_tcp(struct maker *m, bool is_v6, size_t len)
{
	size_t start = m->len;

	maker_ip(m, is_v6, 6);
	m->length_count--;
	maker_put16(m, start + (is_v6 ? 4 : 2), 1000);
	maker_tcp(m, TCP_SYN, NULL, 0);
	m->len = start + (is_v6 ? 40 : 20) + len;
}

static void icmp__every_type_and_code__has_its_class(void **state)
{
	static const struct {
		bool is_v6;
		uint8_t type, code, class;
	} rows[] = {
		{ false, 0, 0, ICMP_ECHO_REPLY },	  { false, 8, 0, ICMP_ECHO_REQUEST },
		{ false, 3, 0, ICMP_UNREACHABLE },	  { false, 3, 1, ICMP_UNREACHABLE },
		{ false, 3, 2, ICMP_PROTOCOL_UNREACHABLE }, { false, 3, 3, ICMP_PORT_UNREACHABLE },
		{ false, 3, 4, ICMP_TOO_BIG },		  { false, 3, 5, ICMP_UNREACHABLE },
		{ false, 3, 7, ICMP_UNREACHABLE },	  { false, 3, 9, ICMP_PROHIBITED },
		{ false, 3, 10, ICMP_PROHIBITED },	  { false, 3, 12, ICMP_UNREACHABLE },
		{ false, 3, 13, ICMP_PROHIBITED },	  { false, 3, 15, ICMP_PROHIBITED },
		{ false, 3, 14, ICMP_PROHIBITED },
		{ false, 4, 0, ICMP_SOURCE_QUENCH },	  { false, 5, 1, ICMP_REDIRECT },
		{ false, 9, 0, ICMP_NEIGHBOUR },	  { false, 10, 0, ICMP_NEIGHBOUR },
		{ false, 11, 0, ICMP_TIME_EXCEEDED },	  { false, 11, 1, ICMP_REASSEMBLY_EXCEEDED },
		{ false, 12, 0, ICMP_PARAMETER_PROBLEM }, { false, 13, 0, ICMP_OTHER },
		{ false, 128, 0, ICMP_OTHER },		  { false, 255, 255, ICMP_OTHER },
		{ true, 1, 0, ICMP_UNREACHABLE },	  { true, 1, 1, ICMP_PROHIBITED },
		{ true, 1, 2, ICMP_UNREACHABLE },	  { true, 1, 3, ICMP_UNREACHABLE },
		{ true, 1, 4, ICMP_PORT_UNREACHABLE },	  { true, 1, 5, ICMP_PROHIBITED },
		{ true, 1, 6, ICMP_PROHIBITED },	  { true, 1, 7, ICMP_UNREACHABLE },
		{ true, 2, 0, ICMP_TOO_BIG },		  { true, 3, 0, ICMP_TIME_EXCEEDED },
		{ true, 3, 1, ICMP_REASSEMBLY_EXCEEDED }, { true, 4, 0, ICMP_PARAMETER_PROBLEM },
		{ true, 4, 1, ICMP_PROTOCOL_UNREACHABLE }, { true, 4, 2, ICMP_PARAMETER_PROBLEM },
		{ true, 128, 0, ICMP_ECHO_REQUEST },	  { true, 129, 0, ICMP_ECHO_REPLY },
		{ true, 130, 0, ICMP_OTHER },		  { true, 133, 0, ICMP_NEIGHBOUR },
		{ true, 134, 0, ICMP_NEIGHBOUR },	  { true, 135, 0, ICMP_NEIGHBOUR },
		{ true, 136, 0, ICMP_NEIGHBOUR },	  { true, 137, 0, ICMP_REDIRECT },
		{ true, 8, 0, ICMP_OTHER },		  { true, 143, 0, ICMP_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct maker m = make_icmp(rows[i].is_v6, rows[i].type, rows[i].code, 0);
		bool is_redirect6 = rows[i].is_v6 && rows[i].class == ICMP_REDIRECT;

		if (is_redirect6)
			maker_zeros(&m, 32);
		else
			quote_tcp(&m, rows[i].is_v6, 8);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
		assert_int_equal(p.layer, LAYER_ICMP);
		assert_int_equal(p.icmp.type, rows[i].type);
		assert_int_equal(p.icmp.code, rows[i].code);
		if (p.icmp.class != rows[i].class)
			fail_msg("ICMPv%d %u/%u: %s", rows[i].is_v6 ? 6 : 4, rows[i].type, rows[i].code, icmp_class_name(p.icmp.class));
		assert_int_equal(!!(p.has & PACKET_HAS_QUOTE), icmp_is_error(rows[i].class) && !is_redirect6);
	}
}

static void icmp__second_word__means_what_the_type_says(void **state)
{
	static const struct {
		bool is_v6;
		uint8_t type, code;
		uint16_t id, seq;
		uint32_t mtu, pointer;
	} rows[] = {
		{ false, 8, 0, 0x8102, 0x0384, 0, 0 }, { true, 129, 0, 0x8102, 0x0384, 0, 0 },
		{ false, 3, 4, 0, 0, 0x0384, 0 },      { true, 2, 0, 0, 0, 0x81020384, 0 },
		{ false, 12, 0, 0, 0, 0, 0x81 },       { true, 4, 0, 0, 0, 0, 0x81020384 },
		{ true, 4, 1, 0, 0, 0, 0x81020384 },   { false, 3, 2, 0, 0, 0, 0 },
		{ false, 3, 3, 0, 0, 0, 0 },	       { false, 13, 0, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct maker m = make_icmp(rows[i].is_v6, rows[i].type, rows[i].code, 0x81020384);

		quote_tcp(&m, rows[i].is_v6, 20);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
		assert_int_equal(p.icmp.id, rows[i].id);
		assert_int_equal(p.icmp.seq, rows[i].seq);
		assert_int_equal(p.icmp.mtu, rows[i].mtu);
		assert_int_equal(p.icmp.pointer, rows[i].pointer);
		assert_int_equal(p.icmp.payload, rows[i].is_v6 ? 60 : 40);
		assert_int_equal(p.payload_captured, rows[i].is_v6 ? 60 : 40);
	}
}

static void icmp__redirect__has_its_gateway(void **state)
{
	struct maker m = make_icmp(false, 5, 1, 0xc0a80101);

	(void)state;
	quote_tcp(&m, false, 8);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.icmp.gateway.family, ADDR_V4);
	assert_memory_equal(p.icmp.gateway.bytes, "\xc0\xa8\1\1", 4);
}

static void icmp__header_cut_or_short__keeps_the_type(void **state)
{
	(void)state;
	for (int is_v6 = 0; is_v6 < 2; is_v6++)
		for (size_t there = 0; there < 8; there++) {
			struct maker m = make_icmp(is_v6, is_v6 ? 128 : 8, 0, 0);

			assert_int_equal(maker_decode_cut(&m, RAW, quote_at(is_v6) - 8 + there, &p), DECODE_TRUNCATED);
			assert_int_equal(p.layer, LAYER_ICMP);
			assert_int_equal(p.has, there < 2 ? PACKET_HAS_IP : PACKET_HAS_IP | PACKET_HAS_ICMP);
			if (there >= 2)
				assert_int_equal(p.icmp.class, ICMP_ECHO_REQUEST);
			if (!there && is_v6)
				continue; /* an empty payload means a jumbogram there */
			m.len = quote_at(is_v6) - 8 + there;
			assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
			assert_int_equal(p.layer, LAYER_ICMP);
		}
}

static void quote__of_tcp_at_every_length__says_as_much_as_it_reaches(void **state)
{
	(void)state;
	for (int is_v6 = 0; is_v6 < 2; is_v6++)
		for (size_t len = 0; len <= 20; len++) {
			struct maker m = make_icmp(is_v6, is_v6 ? 2 : 3, is_v6 ? 0 : 4, 1400);
			const struct icmp_quote *quote = &p.icmp.quote;

			quote_tcp(&m, is_v6, len);
			assert_int_equal(maker_decode(&m, RAW, &p), len < 4 ? DECODE_MALFORMED : DECODE_OK);
			assert_int_equal(p.layer, LAYER_ICMP);
			assert_true(p.has & PACKET_HAS_QUOTE);
			assert_int_equal(p.icmp.mtu, 1400);
			assert_int_equal(quote->status, p.status);
			assert_int_equal(quote->has, PACKET_HAS_IP | (len >= 4 ? PACKET_HAS_PORTS : 0) | (len >= 8 ? PACKET_HAS_TCP : 0));
			assert_int_equal(quote->ip.dst.bytes[is_v6 ? 7 : 2], 1);
			assert_int_equal(quote->ip.length, is_v6 ? 1040 : 1000);
			assert_int_equal(quote->tcp_flags, len >= 14 ? TCP_SYN : 0);
			if (len >= 4)
				assert_int_equal(quote->src_port, MAKER_SRC_PORT);
			if (len >= 8)
				assert_int_equal(quote->seq, MAKER_SEQ);
		}
}

static void quote__cut_by_the_capture__is_truncated(void **state)
{
	(void)state;
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct maker m = make_icmp(is_v6, is_v6 ? 1 : 3, is_v6 ? 4 : 3, 0);
		size_t header = is_v6 ? 40 : 20;

		quote_tcp(&m, is_v6, 20);
		for (size_t there = 0; there < header + 20; there++) {
			enum decode_status expected = there < header + 4 ? DECODE_TRUNCATED : DECODE_OK;

			assert_int_equal(maker_decode_cut(&m, RAW, quote_at(is_v6) + there, &p), expected);
			assert_int_equal(p.layer, LAYER_ICMP);
			assert_int_equal(p.icmp.class, ICMP_PORT_UNREACHABLE);
			assert_int_equal(!!(p.has & PACKET_HAS_QUOTE), there >= header);
			assert_int_equal(p.icmp.quote.status, expected);
		}
	}
}

static void quote__shorter_than_an_ip_header__is_malformed(void **state)
{
	(void)state;
	for (size_t len = 0; len < 20; len++) {
		struct maker m = make_icmp(false, 3, 1, 0);

		quote_tcp(&m, false, 0);
		m.len = quote_at(false) + len;
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
		assert_int_equal(p.icmp.class, ICMP_UNREACHABLE);
		assert_false(p.has & PACKET_HAS_QUOTE);
	}
}

static void quote__of_udp_and_echo__has_their_numbers(void **state)
{
	(void)state;
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct maker udp = make_icmp(is_v6, is_v6 ? 1 : 3, is_v6 ? 4 : 3, 0);

		maker_ip(&udp, is_v6, 17);
		maker_udp(&udp, 53);
		assert_int_equal(maker_decode(&udp, RAW, &p), DECODE_OK);
		assert_int_equal(p.icmp.quote.has, PACKET_HAS_IP | PACKET_HAS_PORTS | PACKET_HAS_UDP);
		assert_int_equal(p.icmp.quote.dst_port, 53);
		for (unsigned type = 0; type < 256; type++) {
			struct maker echo = make_icmp(is_v6, is_v6 ? 3 : 11, 0, 0);
			bool is_echo = is_v6 ? type == 128 || type == 129 : type == 0 || type == 8;

			maker_ip(&echo, is_v6, is_v6 ? 58 : 1);
			maker_u32(&echo, type << 24);
			maker_u32(&echo, 0x12340056);
			assert_int_equal(maker_decode(&echo, RAW, &p), DECODE_OK);
			assert_int_equal(p.icmp.quote.has, PACKET_HAS_IP | (is_echo ? PACKET_HAS_ICMP : 0));
			if (!is_echo)
				continue;
			assert_int_equal(p.icmp.quote.icmp_id, 0x1234);
			assert_int_equal(p.icmp.quote.icmp_seq, 0x56);
		}
	}
}

static void quote__of_an_icmp_error__is_not_entered(void **state)
{
	struct maker m = make_icmp(false, 11, 0, 0);

	(void)state;
	maker_ipv4(&m, 1);
	maker_u32(&m, 0x03010000);
	maker_u32(&m, 0);
	quote_tcp(&m, false, 8);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.icmp.quote.has, PACKET_HAS_IP);
	assert_int_equal(p.icmp.quote.ip.protocol, 1);
}

static void quote__of_a_transport_that_is_not_read__says_so_but_the_packet_is_ok(void **state)
{
	struct maker m = make_icmp(false, 3, 2, 0);

	(void)state;
	maker_ipv4(&m, 132);
	maker_zeros(&m, 8);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.icmp.quote.status, DECODE_UNSUPPORTED);
	assert_int_equal(p.icmp.quote.has, PACKET_HAS_IP);
	assert_int_equal(p.icmp.quote.ip.protocol, 132);
}

static void quote__of_a_later_fragment__has_no_ports(void **state)
{
	struct maker m = make_icmp(false, 11, 1, 0);

	(void)state;
	quote_tcp(&m, false, 8);
	maker_put16(&m, quote_at(false) + 6, 0x00b9);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.icmp.quote.has, PACKET_HAS_IP);
	assert_int_equal(p.icmp.quote.ip.offset, 0xb9 * 8);
}

static void quote__with_options_or_extensions__is_read_past_them(void **state)
{
	struct maker v4 = make_icmp(false, 3, 4, 1400), v6 = make_icmp(true, 2, 0, 1280);

	(void)state;
	maker_ipv4(&v4, 6);
	v4.bytes[quote_at(false)] = 0x47;
	maker_zeros(&v4, 8);
	maker_tcp(&v4, TCP_SYN, NULL, 0);
	assert_int_equal(maker_decode(&v4, RAW, &p), DECODE_OK);
	assert_int_equal(p.icmp.quote.seq, MAKER_SEQ);
	maker_ipv6(&v6, 0);
	maker_bytes(&v6, "\x2c\0\1\4\0\0\0\0" "\6\0\0\1\0\0\0\7", 16);
	maker_tcp(&v6, TCP_SYN, NULL, 0);
	assert_int_equal(maker_decode(&v6, RAW, &p), DECODE_OK);
	assert_int_equal(p.icmp.quote.seq, MAKER_SEQ);
	assert_int_equal(p.icmp.quote.ip.id, 7);
}

static void quote__length_that_the_quoter_changed__does_not_hide_the_ports(void **state)
{
	static const uint16_t lengths[] = { 0, 1, 20, 24, 0xffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct maker m = make_icmp(false, 3, 3, 0);

		quote_tcp(&m, false, 8);
		maker_put16(&m, quote_at(false) + 2, lengths[i]);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
		assert_int_equal(p.icmp.quote.src_port, MAKER_SRC_PORT);
		assert_int_equal(p.icmp.quote.seq, MAKER_SEQ);
	}
}

static void quote__of_something_else_than_ip__is_malformed(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		struct maker m = make_icmp(false, 3, 3, 0);

		quote_tcp(&m, false, 60);
		m.bytes[quote_at(false)] = (uint8_t)first;
		assert_int_equal(maker_decode(&m, RAW, &p), first >= 0x45 && first < 0x50 ? DECODE_OK : DECODE_MALFORMED);
	}
}

static struct maker make_redirect6(unsigned option_len)
{
	struct maker m = make_icmp(true, 137, 0, 0);

	maker_addr6(&m, 7);
	maker_addr6(&m, 8);
	maker_bytes(&m, "\2\1\2\0\0\0\0\1", 8); /* target link-layer address */
	maker_u8(&m, 4);
	maker_u8(&m, option_len);
	maker_zeros(&m, 6);
	quote_tcp(&m, true, 16);
	return m;
}

static void redirect6__redirected_header_option__is_the_quote(void **state)
{
	struct maker m = make_redirect6(8);

	(void)state;
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_true(p.has & PACKET_HAS_QUOTE);
	assert_int_equal(p.icmp.gateway.bytes[15], 7);
	assert_int_equal(p.icmp.quote.seq, MAKER_SEQ);
	assert_int_equal(maker_decode_cut(&m, RAW, 48 + 30, &p), DECODE_TRUNCATED);
	assert_int_equal(maker_decode_cut(&m, RAW, 48 + 41, &p), DECODE_TRUNCATED);
	assert_false(p.has & PACKET_HAS_QUOTE);
	m.len = 48 + 32; /* no option at all */
	m.length_count = 1;
	assert_int_equal(maker_decode_cut(&m, RAW, 48 + 31, &p), DECODE_TRUNCATED);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_false(p.has & PACKET_HAS_QUOTE);
	m = make_redirect6(0);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
	m = make_redirect6(9);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(icmp__every_type_and_code__has_its_class),
		cmocka_unit_test(icmp__second_word__means_what_the_type_says),
		cmocka_unit_test(icmp__redirect__has_its_gateway),
		cmocka_unit_test(icmp__header_cut_or_short__keeps_the_type),
		cmocka_unit_test(quote__of_tcp_at_every_length__says_as_much_as_it_reaches),
		cmocka_unit_test(quote__cut_by_the_capture__is_truncated),
		cmocka_unit_test(quote__shorter_than_an_ip_header__is_malformed),
		cmocka_unit_test(quote__of_udp_and_echo__has_their_numbers),
		cmocka_unit_test(quote__of_an_icmp_error__is_not_entered),
		cmocka_unit_test(quote__of_a_transport_that_is_not_read__says_so_but_the_packet_is_ok),
		cmocka_unit_test(quote__of_a_later_fragment__has_no_ports),
		cmocka_unit_test(quote__with_options_or_extensions__is_read_past_them),
		cmocka_unit_test(quote__length_that_the_quoter_changed__does_not_hide_the_ports),
		cmocka_unit_test(quote__of_something_else_than_ip__is_malformed),
		cmocka_unit_test(redirect6__redirected_header_option__is_the_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
