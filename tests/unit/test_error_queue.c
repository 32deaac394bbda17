/* SPDX-License-Identifier: MIT */
/* decode/error_queue: what the kernel tells about a packet that died, echo messages, and bytes that end or lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <cmocka.h>

#include "../support/control_message.h"
#include "tcptriage/decode/error_queue.h"

static const struct sock_extended_err too_big_v4 = { .ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_ICMP, .ee_type = 3, .ee_code = 4, .ee_info = 1400 };
static const struct sock_extended_err too_big_v6 = { .ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_ICMP6, .ee_type = 2, .ee_info = 1280 };

static enum decode_status decode(const struct control_bytes *c, struct queued_error *out)
{
	return queued_error_decode(cursor_of(c->bytes, c->len), out);
}

static void assert_addr(const struct addr *addr, const char *text)
{
	struct addr wanted;

	assert_true(addr_parse(text, &wanted));
	assert_true(addr_equal(addr, &wanted));
}

static void error__icmp_too_big__every_member_arrives(void **state)
{
	struct control_bytes c = { .len = 0 };
	struct queued_error e;

	(void)state;
	control_put_ttl(&c, IPPROTO_IP, 253);
	control_put_error(&c, IPPROTO_IP, &too_big_v4, "10.9.1.2");
	assert_int_equal(decode(&c, &e), DECODE_OK);
	assert_int_equal(e.origin, QUEUED_ICMP);
	assert_int_equal(e.family, ADDR_V4);
	assert_int_equal(e.class, ICMP_TOO_BIG);
	assert_int_equal(e.type, 3);
	assert_int_equal(e.code, 4);
	assert_int_equal(e.mtu, 1400);
	assert_int_equal(e.error, EMSGSIZE);
	assert_int_equal(e.ttl, 253);
	assert_true(e.has_offender);
	assert_addr(&e.offender, "10.9.1.2");
}

static void error__icmpv6_too_big__every_member_arrives(void **state)
{
	struct control_bytes c = { .len = 0 };
	struct queued_error e;

	(void)state;
	control_put_error(&c, IPPROTO_IPV6, &too_big_v6, "fd00:9:1::2");
	control_put_ttl(&c, IPPROTO_IPV6, 62);
	assert_int_equal(decode(&c, &e), DECODE_OK);
	assert_int_equal(e.family, ADDR_V6);
	assert_int_equal(e.class, ICMP_TOO_BIG);
	assert_int_equal(e.mtu, 1280);
	assert_int_equal(e.ttl, 62);
	assert_addr(&e.offender, "fd00:9:1::2");
}

static void error__ipv4_router_of_an_ipv6_socket__is_ipv4(void **state)
{
	struct control_bytes c = { .len = 0 };
	struct queued_error e;

	(void)state;
	control_put_error(&c, IPPROTO_IPV6, &too_big_v4, "::ffff:10.9.1.2");
	assert_int_equal(decode(&c, &e), DECODE_OK);
	assert_int_equal(e.family, ADDR_V4);
	assert_int_equal(e.class, ICMP_TOO_BIG);
	assert_addr(&e.offender, "10.9.1.2");
}

static void error__made_here__has_no_class_and_no_offender(void **state)
{
	static const struct sock_extended_err local = { .ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_LOCAL, .ee_info = 1500 };
	struct control_bytes c = { .len = 0 };
	struct queued_error e;

	(void)state;
	control_put_error(&c, IPPROTO_IPV6, &local, NULL);
	assert_int_equal(decode(&c, &e), DECODE_OK);
	assert_int_equal(e.origin, QUEUED_LOCAL);
	assert_int_equal(e.family, ADDR_V6);
	assert_int_equal(e.class, ICMP_OTHER);
	assert_int_equal(e.mtu, 1500);
	assert_int_equal(e.ttl, 0);
	assert_false(e.has_offender);
}

static void error__other_origin__is_called_other(void **state)
{
	static const struct sock_extended_err stamp = { .ee_errno = ENOMSG, .ee_origin = SO_EE_ORIGIN_TIMESTAMPING, .ee_type = 3, .ee_code = 4 };
	struct control_bytes c = { .len = 0 };
	struct queued_error e;

	(void)state;
	control_put_error(&c, IPPROTO_IP, &stamp, NULL);
	assert_int_equal(decode(&c, &e), DECODE_OK);
	assert_int_equal(e.origin, QUEUED_OTHER);
	assert_int_equal(e.class, ICMP_OTHER);
}

static void error__types_and_codes__become_classes(void **state)
{
	static const struct {
		uint8_t origin, type, code, class;
	} rows[] = {
		{ SO_EE_ORIGIN_ICMP, 3, 3, ICMP_PORT_UNREACHABLE }, { SO_EE_ORIGIN_ICMP, 3, 1, ICMP_UNREACHABLE },
		{ SO_EE_ORIGIN_ICMP, 3, 13, ICMP_PROHIBITED },	    { SO_EE_ORIGIN_ICMP, 11, 0, ICMP_TIME_EXCEEDED },
		{ SO_EE_ORIGIN_ICMP6, 1, 4, ICMP_PORT_UNREACHABLE }, { SO_EE_ORIGIN_ICMP6, 1, 1, ICMP_PROHIBITED },
		{ SO_EE_ORIGIN_ICMP6, 3, 0, ICMP_TIME_EXCEEDED },   { SO_EE_ORIGIN_ICMP6, 3, 4, ICMP_TIME_EXCEEDED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sock_extended_err error = { .ee_errno = EHOSTUNREACH, .ee_origin = rows[i].origin, .ee_type = rows[i].type, .ee_code = rows[i].code };
		struct control_bytes c = { .len = 0 };
		struct queued_error e;

		control_put_error(&c, IPPROTO_IP, &error, "10.9.1.2");
		assert_int_equal(decode(&c, &e), DECODE_OK);
		assert_int_equal(e.class, rows[i].class);
	}
}

static void error__none_among_the_messages__is_unsupported(void **state)
{
	struct control_bytes c = { .len = 0 };
	struct queued_error e;

	(void)state;
	assert_int_equal(decode(&c, &e), DECODE_UNSUPPORTED);
	control_put_ttl(&c, IPPROTO_IP, 64);
	control_put(&c, SOL_SOCKET, SO_TIMESTAMP, "0123456789abcdef", 16);
	assert_int_equal(decode(&c, &e), DECODE_UNSUPPORTED);
	assert_int_equal(e.ttl, 64);
}

static void error__cut_at_every_byte__is_truncated_or_nothing(void **state)
{
	struct control_bytes c = { .len = 0 };
	struct queued_error e;

	(void)state;
	control_put_error(&c, IPPROTO_IPV6, &too_big_v6, "fd00:9:1::2");
	for (size_t len = 1; len < CMSG_LEN(16 + 28); len++) {
		uint8_t *exact = malloc(len);

		memcpy(exact, c.bytes, len);
		assert_int_equal(queued_error_decode(cursor_of(exact, len), &e), DECODE_TRUNCATED);
		free(exact);
	}
}

/* As put_cmsg() does when msg_control was too small: the length that stands there is the cut one. */
static void error__length_cut_by_the_kernel__is_truncated(void **state)
{
	struct queued_error e;

	(void)state;
	for (size_t data = 0; data < 16 + 2 + 6; data++) {
		struct control_bytes c = { .len = 0 };
		struct cmsghdr *header = (struct cmsghdr *)c.bytes;
		enum decode_status wanted = data == 16 || data == 17 ? DECODE_OK : DECODE_TRUNCATED; /* 16, 17: nobody is named */

		control_put_error(&c, IPPROTO_IP, &too_big_v4, "10.9.1.2");
		header->cmsg_len = CMSG_LEN(data);
		assert_int_equal(queued_error_decode(cursor_of(c.bytes, CMSG_LEN(data)), &e), wanted);
		assert_false(e.has_offender);
	}
}

static void error__length_that_cannot_be__is_malformed(void **state)
{
	struct control_bytes c = { .len = 0 };
	struct cmsghdr *header = (struct cmsghdr *)c.bytes;
	struct queued_error e;

	(void)state;
	control_put_error(&c, IPPROTO_IP, &too_big_v4, "10.9.1.2");
	for (size_t len = 0; len < CMSG_LEN(0); len++) {
		header->cmsg_len = len;
		assert_int_equal(decode(&c, &e), DECODE_MALFORMED);
	}
	header->cmsg_len = SIZE_MAX;
	assert_int_equal(decode(&c, &e), DECODE_TRUNCATED);
}

static void hop_limit__of_an_ordinary_message__is_found(void **state)
{
	struct control_bytes c = { .len = 0 }, wild = { .len = 0 };

	(void)state;
	assert_int_equal(control_hop_limit(cursor_of(c.bytes, 0)), 0);
	control_put(&c, SOL_SOCKET, SO_TIMESTAMP, "0123456789abcdef", 16);
	assert_int_equal(control_hop_limit(cursor_of(c.bytes, c.len)), 0);
	control_put_ttl(&c, IPPROTO_IPV6, 57);
	assert_int_equal(control_hop_limit(cursor_of(c.bytes, c.len)), 57);
	control_put_ttl(&wild, IPPROTO_IP, 256);
	assert_int_equal(control_hop_limit(cursor_of(wild.bytes, wild.len)), 0);
}

static void echo__reply_and_request__are_read(void **state)
{
	static const uint8_t reply[] = { 0, 0, 0x12, 0x34, 0xab, 0xcd, 0x01, 0x02, 'p', 'a', 'y' };
	static const uint8_t request6[] = { 128, 0, 0, 0, 0, 1, 0, 2 };
	struct icmp_echo echo;

	(void)state;
	assert_int_equal(icmp_echo_decode(cursor_of(reply, sizeof(reply)), ADDR_V4, &echo), DECODE_OK);
	assert_int_equal(echo.class, ICMP_ECHO_REPLY);
	assert_int_equal(echo.id, 0xabcd);
	assert_int_equal(echo.seq, 0x0102);
	assert_ptr_equal(echo.payload.p, reply + 8);
	assert_int_equal(echo.payload.captured_left, 3);
	assert_int_equal(icmp_echo_decode(cursor_of(request6, sizeof(request6)), ADDR_V6, &echo), DECODE_OK);
	assert_int_equal(echo.class, ICMP_ECHO_REQUEST);
	assert_int_equal(icmp_echo_decode(cursor_of(request6, sizeof(request6)), ADDR_V4, &echo), DECODE_UNSUPPORTED);
	assert_int_equal(icmp_echo_decode(cursor_of(reply, sizeof(reply)), ADDR_V6, &echo), DECODE_UNSUPPORTED);
	assert_int_equal(icmp_echo_decode(cursor_of(reply, 7), ADDR_V4, &echo), DECODE_MALFORMED);
	assert_int_equal(icmp_echo_decode(cursor_of_cut(reply, 7, 11), ADDR_V4, &echo), DECODE_TRUNCATED);
}

static void echo__behind_an_ipv4_header__is_read_with_options_and_cut_payload(void **state)
{
	uint8_t packet[24 + 8 + 4] = { 0x46, 0, 0xff, 0xff, [9] = 1, [20] = 1, 1, 1, 0, /* echo reply: */ 0, 0, 0, 0, 0, 7, 0, 9, 'm' };
	struct icmp_echo echo;

	(void)state;
	assert_int_equal(icmp_echo_decode_ipv4(cursor_of_cut(packet, sizeof(packet), 0xffff), &echo), DECODE_OK);
	assert_int_equal(echo.id, 7);
	assert_int_equal(echo.seq, 9);
	assert_int_equal(echo.payload.captured_left, 4);
	packet[9] = 17;
	assert_int_equal(icmp_echo_decode_ipv4(cursor_of(packet, sizeof(packet)), &echo), DECODE_UNSUPPORTED);
	packet[9] = 1;
	packet[7] = 8; /* a later fragment */
	assert_int_equal(icmp_echo_decode_ipv4(cursor_of(packet, sizeof(packet)), &echo), DECODE_UNSUPPORTED);
	packet[7] = 0;
	packet[0] = 0x44;
	assert_int_equal(icmp_echo_decode_ipv4(cursor_of(packet, sizeof(packet)), &echo), DECODE_MALFORMED);
	assert_int_equal(icmp_echo_decode_ipv4(cursor_of(packet, 19), &echo), DECODE_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error__icmp_too_big__every_member_arrives),
		cmocka_unit_test(error__icmpv6_too_big__every_member_arrives),
		cmocka_unit_test(error__ipv4_router_of_an_ipv6_socket__is_ipv4),
		cmocka_unit_test(error__made_here__has_no_class_and_no_offender),
		cmocka_unit_test(error__other_origin__is_called_other),
		cmocka_unit_test(error__types_and_codes__become_classes),
		cmocka_unit_test(error__none_among_the_messages__is_unsupported),
		cmocka_unit_test(error__cut_at_every_byte__is_truncated_or_nothing),
		cmocka_unit_test(error__length_cut_by_the_kernel__is_truncated),
		cmocka_unit_test(error__length_that_cannot_be__is_malformed),
		cmocka_unit_test(hop_limit__of_an_ordinary_message__is_found),
		cmocka_unit_test(echo__reply_and_request__are_read),
		cmocka_unit_test(echo__behind_an_ipv4_header__is_read_with_options_and_cut_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
