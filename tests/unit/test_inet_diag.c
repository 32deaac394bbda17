/* SPDX-License-Identifier: MIT */
/* decode/inet_diag: every attribute, every length of tcp_info, and bytes that end or lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/diag_message.h"
#include "tcptriage/decode/inet_diag.h"

static struct diag_message m;
static struct sock sock;

static enum decode_status decode(void)
{
	return inet_diag_decode(m.bytes, m.len, NETID_TCP, &sock);
}

static void assert_addr(const struct addr *addr, const char *text)
{
	struct out out;

	out_open_mem(&out);
	out_addr(&out, addr);
	assert_string_equal(out_text(&out), text);
	out_close(&out);
}

static void fixed_part__all_members__arrive_in_host_order(void **state)
{
	struct inet_diag_msg *fixed = diag_begin(&m, AF_INET);

	(void)state;
	fixed->idiag_timer = 4;
	fixed->idiag_retrans = 3;
	fixed->id.idiag_if = 9;
	fixed->idiag_expires = 1234;
	fixed->idiag_rqueue = 5;
	fixed->idiag_wqueue = 6;
	fixed->idiag_uid = 1000;
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.family, ADDR_V4);
	assert_int_equal(sock.state, SOCK_STATE_ESTAB);
	assert_int_equal(sock.timer, SOCK_TIMER_PERSIST);
	assert_int_equal(sock.retrans, 3);
	assert_int_equal(sock.local.port, 1000);
	assert_int_equal(sock.peer.port, 80);
	assert_addr(&sock.local.addr, "10.0.0.1");
	assert_addr(&sock.peer.addr, "10.0.0.2");
	assert_int_equal(sock.ifindex, 9);
	assert_int_equal(sock.cookie, 0x511223344);
	assert_int_equal(sock.has, SOCK_HAS_COOKIE);
	assert_int_equal(sock.expires_ms, 1234);
	assert_int_equal(sock.recv_q, 5);
	assert_int_equal(sock.send_q, 6);
	assert_int_equal(sock.uid, 1000);
	assert_int_equal(sock.inode, 4711);
	assert_int_equal(sock.info.len, 0);
}

static void cookie__none_given__is_absent(void **state)
{
	struct inet_diag_msg *fixed = diag_begin(&m, AF_INET);

	(void)state;
	fixed->id.idiag_cookie[0] = fixed->id.idiag_cookie[1] = UINT32_MAX;
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.has & SOCK_HAS_COOKIE, 0);
}

static void address__v4_mapped__becomes_v4_but_family_stays(void **state)
{
	struct inet_diag_msg *fixed = diag_begin(&m, AF_INET6);

	(void)state;
	inet_pton(AF_INET6, "::ffff:192.0.2.1", fixed->id.idiag_src);
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.family, ADDR_V6);
	assert_int_equal(sock.local.addr.family, ADDR_V4);
	assert_addr(&sock.local.addr, "192.0.2.1");
	assert_int_equal(sock.peer.addr.family, ADDR_V6);
	assert_addr(&sock.peer.addr, "2001:db8::2");
}

static void state__request_only_numbers__are_reported_as_what_they_mean(void **state)
{
	struct inet_diag_msg *fixed = diag_begin(&m, AF_INET);
	static const uint8_t bad[] = { 0, 14, 255 };

	(void)state;
	fixed->idiag_state = SOCK_STATE_NEW_SYN_RECV;
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.state, SOCK_STATE_SYN_RECV);
	fixed->idiag_state = SOCK_STATE_BOUND_INACTIVE;
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.state, SOCK_STATE_UNCONN);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fixed->idiag_state = bad[i];
		assert_int_equal(decode(), DECODE_MALFORMED);
	}
}

static void family__unknown__is_unsupported(void **state)
{
	struct inet_diag_msg *fixed = diag_begin(&m, AF_INET);

	(void)state;
	fixed->idiag_family = AF_UNIX;
	assert_int_equal(decode(), DECODE_UNSUPPORTED);
}

static void tcp_info__every_kernels_length__has_what_it_reaches(void **state)
{
	static const unsigned lengths[] = { 0, 1, 104, 224, 232, 240, 248, 280, 300 };
	uint8_t info[300];

	(void)state;
	for (size_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(i * 7 + 1);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		unsigned len = MIN(lengths[i], (unsigned)TCP_INFO_MAX);

		diag_begin(&m, AF_INET);
		diag_attr(&m, INET_DIAG_INFO, info, lengths[i]);
		assert_int_equal(decode(), DECODE_OK);
		assert_int_equal(sock.info.len, len);
		for (unsigned id = 0; id < TCPI_COUNT; id++) {
			const struct tcpi_field *f = &tcpi_fields[id];
			uint64_t value = 0;

			assert_int_equal(tcpi_has(&sock.info, id), f->offset + (f->bits + 7u) / 8 <= len);
			if (tcpi_has(&sock.info, id)) {
				memcpy(&value, info + f->offset, (f->bits + 7u) / 8);
				if (f->bits < 8)
					value = value >> f->shift & ((1u << f->bits) - 1);
			}
			assert_int_equal(sock_tcpi(&sock, id), value);
		}
	}
}

static void attributes__names__end_at_nul_or_fifteen_bytes(void **state)
{
	(void)state;
	diag_begin(&m, AF_INET);
	diag_attr(&m, INET_DIAG_CONG, "cubic", 6);
	assert_int_equal(decode(), DECODE_OK);
	assert_string_equal(sock.cong, "cubic");
	assert_true(sock.has & SOCK_HAS_CONG);
	diag_begin(&m, AF_INET);
	diag_attr(&m, INET_DIAG_CONG, "0123456789abcdefghij", 20);
	assert_int_equal(decode(), DECODE_OK);
	assert_string_equal(sock.cong, "0123456789abcde");
}

static void attributes__small_numbers__arrive(void **state)
{
	const uint32_t mark = 0xdeadbeef, class_id = 0x10002;
	const uint64_t cgroup = 0x1122334455667788;
	const uint16_t sockopt = 0x0105;

	(void)state;
	diag_begin(&m, AF_INET6);
	diag_attr(&m, INET_DIAG_TOS, "\x10", 1);
	diag_attr(&m, INET_DIAG_TCLASS, "\x20", 1);
	diag_attr(&m, INET_DIAG_SHUTDOWN, "\x03", 1);
	diag_attr(&m, INET_DIAG_SKV6ONLY, "\x01", 1);
	diag_attr(&m, 15, &mark, 4);
	diag_attr(&m, 17, &class_id, 4);
	diag_attr(&m, 21, &cgroup, 8);
	diag_attr(&m, 22, &sockopt, 2);
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.has, SOCK_HAS_COOKIE | SOCK_HAS_TOS | SOCK_HAS_TCLASS | SOCK_HAS_SHUTDOWN |
					   SOCK_HAS_V6ONLY | SOCK_HAS_MARK | SOCK_HAS_CLASS_ID |
					   SOCK_HAS_CGROUP_ID | SOCK_HAS_SOCKOPT);
	assert_int_equal(sock.tos, 0x10);
	assert_int_equal(sock.tclass, 0x20);
	assert_int_equal(sock.shutdown, 3);
	assert_true(sock.v6only);
	assert_int_equal(sock.mark, mark);
	assert_int_equal(sock.class_id, class_id);
	assert_true(sock.cgroup_id == cgroup);
	assert_int_equal(sock.sockopt, SOCKOPT_RECVERR | SOCKOPT_FREEBIND | SOCKOPT_BIND_ADDRESS_NO_PORT);
}

static void skmem__short_of_drops__is_taken_shorter_is_truncated(void **state)
{
	const uint32_t mem[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

	(void)state;
	diag_begin(&m, AF_INET);
	diag_attr(&m, INET_DIAG_SKMEMINFO, mem, sizeof(mem)); /* a kernel that knows one more */
	assert_int_equal(decode(), DECODE_OK);
	assert_true(sock.has & SOCK_HAS_SKMEM);
	assert_int_equal(sock.skmem[SKMEM_RMEM], 1);
	assert_int_equal(sock.skmem[SKMEM_DROPS], 9);
	diag_begin(&m, AF_INET);
	diag_attr(&m, INET_DIAG_SKMEMINFO, mem, 8 * 4); /* one that does not count drops */
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.skmem[SKMEM_BACKLOG], 8);
	assert_int_equal(sock.skmem[SKMEM_DROPS], 0);
	diag_begin(&m, AF_INET);
	diag_attr(&m, INET_DIAG_SKMEMINFO, mem, 7 * 4);
	assert_int_equal(decode(), DECODE_TRUNCATED);
	assert_false(sock.has & SOCK_HAS_SKMEM);
}

static void congestion__each_algorithms_state__is_told_apart(void **state)
{
	const uint32_t vegas[4] = { 1, 2, 3, 4 };
	const struct {
		uint16_t enabled, ce_state;
		uint32_t alpha, ab_ecn, ab_tot;
	} dctcp = { 1, 2, 3, 4, 5 };
	const uint32_t bbr[5] = { 0x10, 0x2, 3, 4, 5 };

	(void)state;
	diag_begin(&m, AF_INET);
	diag_attr(&m, INET_DIAG_VEGASINFO, vegas, sizeof(vegas));
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.has, SOCK_HAS_COOKIE | SOCK_HAS_VEGAS);
	assert_int_equal(sock.cc.vegas.min_rtt_us, 4);
	diag_begin(&m, AF_INET);
	diag_attr(&m, 9, &dctcp, sizeof(dctcp));
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.has, SOCK_HAS_COOKIE | SOCK_HAS_DCTCP);
	assert_int_equal(sock.cc.dctcp.ce_state, 2);
	assert_int_equal(sock.cc.dctcp.ab_tot, 5);
	diag_begin(&m, AF_INET);
	diag_attr(&m, 16, bbr, sizeof(bbr));
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.has, SOCK_HAS_COOKIE | SOCK_HAS_BBR);
	assert_true(sock.cc.bbr.bw_bytes_per_s == 0x200000010);
	assert_int_equal(sock.cc.bbr.cwnd_gain, 5);
}

/* Puts a nested attribute into @buf. Return: bytes used. */
static size_t nest(uint8_t *buf, uint16_t type, const void *payload, size_t len)
{
	struct nlattr head = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };

	memcpy(buf, &head, NLA_HDRLEN);
	memcpy(buf + NLA_HDRLEN, payload, len);
	return NLA_ALIGN(NLA_HDRLEN + len);
}

static void ulp__tls_and_mptcp__are_read_from_their_nests(void **state)
{
	const uint16_t version = 0x0304, cipher = 51, tx = 1, rx = 2;
	uint8_t inner[256] = { 0 }, outer[512] = { 0 };
	const uint32_t token = 77;
	size_t n, o;

	(void)state;
	n = nest(inner, 1, &version, 2);
	n += nest(inner + n, 2, &cipher, 2);
	n += nest(inner + n, 3, &tx, 2);
	n += nest(inner + n, 4, &rx, 2);
	o = nest(outer, 1, "tls", 4);
	o += nest(outer + o, 2 | NLA_F_NESTED, inner, n);
	diag_begin(&m, AF_INET);
	diag_attr(&m, 19 | NLA_F_NESTED, outer, o);
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.has, SOCK_HAS_COOKIE | SOCK_HAS_ULP_NAME | SOCK_HAS_ULP_TLS);
	assert_string_equal(sock.ulp, "tls");
	assert_int_equal(sock.tls.version, 0x0304);
	assert_int_equal(sock.tls.cipher, 51);
	assert_int_equal(sock.tls.tx_conf, 1);
	assert_int_equal(sock.tls.rx_conf, 2);
	n = nest(inner, 2, &token, 4);
	o = nest(outer, 3, inner, n);
	diag_begin(&m, AF_INET);
	diag_attr(&m, 19, outer, o);
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.has, SOCK_HAS_COOKIE | SOCK_HAS_ULP_MPTCP);
	assert_int_equal(sock.mptcp_token, 77);
}

static void syn_recv__mark_alone__has_nothing_else(void **state)
{
	struct inet_diag_msg *fixed = diag_begin(&m, AF_INET);
	const uint32_t mark = 5;

	(void)state;
	fixed->idiag_state = SOCK_STATE_SYN_RECV;
	fixed->idiag_inode = 0;
	diag_attr(&m, 15, &mark, 4);
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.has, SOCK_HAS_COOKIE | SOCK_HAS_MARK);
	assert_int_equal(sock.info.len, 0);
	assert_int_equal(sock.state, SOCK_STATE_SYN_RECV);
}

static void attributes__unknown_type__is_skipped(void **state)
{
	(void)state;
	diag_begin(&m, AF_INET);
	diag_attr(&m, 100, "whatever", 8);
	diag_attr(&m, INET_DIAG_TOS, "\x08", 1);
	assert_int_equal(decode(), DECODE_OK);
	assert_int_equal(sock.tos, 8);
}

static void attributes__length_below_its_header__is_malformed(void **state)
{
	const struct nlattr lie = { .nla_len = 3, .nla_type = INET_DIAG_TOS };

	(void)state;
	diag_begin(&m, AF_INET);
	memcpy(m.bytes + m.len, &lie, sizeof(lie));
	m.len += sizeof(lie);
	assert_int_equal(decode(), DECODE_MALFORMED);
}

/* The message is copied into a block of just its length, so that a sanitizer sees a byte read behind it. */
static void message__cut_at_every_length__is_never_read_past(void **state)
{
	const uint32_t mem[9] = { 1 }, mark = 3;
	const uint64_t cgroup = 9;
	uint8_t info[280] = { 1 };
	size_t whole, ok = 0;

	(void)state;
	diag_begin(&m, AF_INET6);
	diag_attr(&m, INET_DIAG_INFO, info, sizeof(info));
	diag_attr(&m, INET_DIAG_SKMEMINFO, mem, sizeof(mem));
	diag_attr(&m, INET_DIAG_CONG, "bbr", 4);
	diag_attr(&m, 15, &mark, 4);
	diag_attr(&m, 21, &cgroup, 8);
	whole = m.len;
	for (size_t len = 0; len <= whole; len++) {
		uint8_t *exact = malloc(len ? len : 1);
		enum decode_status status;

		memcpy(exact, m.bytes, len);
		status = inet_diag_decode(exact, len, NETID_TCP, &sock);
		if (len < sizeof(struct inet_diag_msg))
			assert_int_equal(status, DECODE_TRUNCATED);
		ok += status == DECODE_OK;
		free(exact);
	}
	/* whole only where an attribute just ended, give or take a header of less than four bytes */
	assert_int_equal(ok, 5 * 4 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_part__all_members__arrive_in_host_order),
		cmocka_unit_test(cookie__none_given__is_absent),
		cmocka_unit_test(address__v4_mapped__becomes_v4_but_family_stays),
		cmocka_unit_test(state__request_only_numbers__are_reported_as_what_they_mean),
		cmocka_unit_test(family__unknown__is_unsupported),
		cmocka_unit_test(tcp_info__every_kernels_length__has_what_it_reaches),
		cmocka_unit_test(attributes__names__end_at_nul_or_fifteen_bytes),
		cmocka_unit_test(attributes__small_numbers__arrive),
		cmocka_unit_test(skmem__short_of_drops__is_taken_shorter_is_truncated),
		cmocka_unit_test(congestion__each_algorithms_state__is_told_apart),
		cmocka_unit_test(ulp__tls_and_mptcp__are_read_from_their_nests),
		cmocka_unit_test(syn_recv__mark_alone__has_nothing_else),
		cmocka_unit_test(attributes__unknown_type__is_skipped),
		cmocka_unit_test(attributes__length_below_its_header__is_malformed),
		cmocka_unit_test(message__cut_at_every_length__is_never_read_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
