/* SPDX-License-Identifier: MIT */
/* decode/tunnel: every kind to the inner packet, ids, nests up to the bound, and what only looks like a tunnel. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/frame_maker.h"

#define RAW 101

static struct packet p;

static void tcp_inside(struct maker *m, bool is_v6)
{
	maker_ip(m, is_v6, 6);
	maker_tcp(m, TCP_SYN, NULL, 0);
	maker_zeros(m, 10);
}

static void vxlan(struct maker *m, unsigned port, uint32_t flags, uint32_t vni_word)
{
	maker_udp(m, port);
	maker_u32(m, flags);
	maker_u32(m, vni_word);
}

static void make_ipip(struct maker *m)
{
	maker_ipv4(m, 4);
	tcp_inside(m, false);
}

static void make_6in4(struct maker *m)
{
	maker_ipv4(m, 41);
	tcp_inside(m, true);
}

static void make_4in6(struct maker *m)
{
	maker_ipv6(m, 4);
	tcp_inside(m, false);
}

static void make_6in6(struct maker *m)
{
	maker_ipv6(m, 60);
	maker_bytes(m, "\x29\0\4\1\4\1\0\0", 8); /* the encapsulation limit that Linux puts there */
	tcp_inside(m, true);
}

static void make_gre(struct maker *m)
{
	maker_ipv4(m, 47);
	maker_u32(m, 0x00000800);
	tcp_inside(m, false);
}

static void make_gre_all(struct maker *m)
{
	maker_ipv6(m, 47);
	maker_u32(m, 0xb00086dd);
	maker_u32(m, 0x12340000);
	maker_u32(m, 77);
	maker_u32(m, 5);
	tcp_inside(m, true);
}

static void make_gre_ethernet(struct maker *m)
{
	maker_ipv4(m, 47);
	maker_u32(m, 0x20006558);
	maker_u32(m, 77);
	maker_ethernet(m, 0x8100);
	maker_u32(m, 0x00050800);
	tcp_inside(m, false);
}

static void make_vxlan(struct maker *m)
{
	maker_ipv4(m, 17);
	vxlan(m, 4789, 0x08000000, 77 << 8);
	maker_ethernet(m, 0x0800);
	tcp_inside(m, false);
}

static void make_vxlan_linux(struct maker *m)
{
	maker_ipv6(m, 17);
	vxlan(m, 8472, 0x08000000, 77 << 8);
	maker_ethernet(m, 0x86dd);
	tcp_inside(m, true);
}

static void make_geneve(struct maker *m)
{
	maker_ipv4(m, 17);
	maker_udp(m, 6081);
	maker_u32(m, 0x00006558);
	maker_u32(m, 77 << 8);
	maker_ethernet(m, 0x0800);
	tcp_inside(m, false);
}

static void make_geneve_options(struct maker *m)
{
	maker_ipv4(m, 17);
	maker_udp(m, 6081);
	maker_u32(m, 0x03000800);
	maker_u32(m, 77 << 8);
	maker_u32(m, 0x01028001);
	maker_u32(m, 0xdeadbeef);
	maker_u32(m, 0x01020000);
	tcp_inside(m, false);
}

static const struct tunnel_row {
	const char *name;
	void (*make)(struct maker *m);
	enum tunnel_kind kind;
	uint32_t id;
	bool outer_v6, inner_v6;
} rows[] = {
	{ "IPIP", make_ipip, TUNNEL_IPIP, 0, false, false },
	{ "6in4", make_6in4, TUNNEL_6IN4, 0, false, true },
	{ "4in6", make_4in6, TUNNEL_IN_IPV6, 0, true, false },
	{ "6in6", make_6in6, TUNNEL_IN_IPV6, 0, true, true },
	{ "GRE", make_gre, TUNNEL_GRE, 0, false, false },
	{ "GRE with checksum, key and sequence", make_gre_all, TUNNEL_GRE, 77, true, true },
	{ "GRE, Ethernet", make_gre_ethernet, TUNNEL_GRE, 77, false, false },
	{ "VXLAN", make_vxlan, TUNNEL_VXLAN, 77, false, false },
	{ "VXLAN on Linux' port", make_vxlan_linux, TUNNEL_VXLAN, 77, true, true },
	{ "Geneve", make_geneve, TUNNEL_GENEVE, 77, false, false },
	{ "Geneve with options, IP inside", make_geneve_options, TUNNEL_GENEVE, 77, false, false },
};

static struct maker make_row(const struct tunnel_row *row)
{
	struct maker m = { 0 };

	maker_ethernet(&m, row->outer_v6 ? 0x86dd : 0x0800);
	row->make(&m);
	return m;
}

static void tunnel__every_kind__leads_to_the_inner_packet(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct maker m = make_row(&rows[i]);

		if (maker_decode(&m, 1, &p) != DECODE_OK || p.layer != LAYER_TCP)
			fail_msg("%s: %s at %s", rows[i].name, decode_status_name(p.status), packet_layer_name(p.layer));
		assert_int_equal(p.has, PACKET_HAS_MAC | PACKET_HAS_IP | PACKET_HAS_TCP | PACKET_HAS_PORTS);
		assert_int_equal(p.tunnel_count, 1);
		assert_int_equal(p.tunnels[0].kind, rows[i].kind);
		assert_int_equal(p.tunnels[0].id, rows[i].id);
		assert_int_equal(p.tunnels[0].src.family, rows[i].outer_v6 ? ADDR_V6 : ADDR_V4);
		assert_int_equal(p.tunnels[0].dst.bytes[rows[i].outer_v6 ? 7 : 2], 0);
		assert_int_equal(p.ip.src.family, rows[i].inner_v6 ? ADDR_V6 : ADDR_V4);
		assert_int_equal(p.ip.dst.bytes[rows[i].inner_v6 ? 7 : 2], 1);
		assert_int_equal(p.tcp.seq, MAKER_SEQ);
		assert_int_equal(p.tcp.payload, 10);
		/* of the frame, not of what is inside */
		assert_int_equal(p.link.ethertype, rows[i].outer_v6 ? 0x86dd : 0x0800);
		assert_int_equal(p.link.vlan_count, 0);
		assert_int_equal(p.ip_captured, m.len - 14);
	}
}

static void tunnel__cut_before_the_inner_ports__is_never_an_ok_packet(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct maker m = make_row(&rows[i]);

		for (size_t captured = 0; captured < m.len - 10; captured++) {
			if (maker_decode_cut(&m, 1, captured, &p) != DECODE_TRUNCATED)
				fail_msg("%s at %zu: %s", rows[i].name, captured, decode_status_name(p.status));
			/* ports of the outside are no flow's: nobody can tell what is inside */
			if (p.has & PACKET_HAS_PORTS && !p.tunnel_count)
				assert_int_equal(p.layer, LAYER_TUNNEL);
			/* the innermost header that is there */
			if (p.has & PACKET_HAS_IP)
				assert_int_equal(p.ip.src.bytes[p.ip.src.family == ADDR_V6 ? 7 : 2], p.tunnel_count);
		}
		assert_int_equal(maker_decode_cut(&m, 1, m.len - 10, &p), DECODE_OK);
	}
}

static void tunnel__nest_up_to_the_bound__is_read_and_one_more_is_unsupported(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= PACKET_TUNNELS_MAX + 2; depth++) {
		struct maker m = { 0 };
		bool fits = depth <= PACKET_TUNNELS_MAX;

		for (unsigned i = 0; i < depth; i++)
			maker_ipv4(&m, 4);
		tcp_inside(&m, false);
		assert_int_equal(maker_decode(&m, RAW, &p), fits ? DECODE_OK : DECODE_UNSUPPORTED);
		assert_int_equal(p.layer, fits ? LAYER_TCP : LAYER_TUNNEL);
		assert_int_equal(p.tunnel_count, MIN(depth, PACKET_TUNNELS_MAX));
		assert_int_equal(p.ip.src.bytes[2], MIN(depth, PACKET_TUNNELS_MAX));
		for (unsigned i = 0; i < p.tunnel_count; i++)
			assert_int_equal(p.tunnels[i].src.bytes[2], i);
	}
}

static void tunnel__udp_nest_beyond_the_bound__is_unsupported(void **state)
{
	struct maker m = { 0 };

	(void)state;
	for (unsigned i = 0; i <= PACKET_TUNNELS_MAX; i++) {
		maker_ipv4(&m, 17);
		vxlan(&m, 4789, 0x08000000, i << 8);
		maker_ethernet(&m, 0x0800);
	}
	tcp_inside(&m, false);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_UNSUPPORTED);
	assert_int_equal(p.layer, LAYER_TUNNEL);
	assert_int_equal(p.tunnel_count, PACKET_TUNNELS_MAX);
	assert_int_equal(p.tunnels[3].id, 3);
	assert_true(p.has & PACKET_HAS_UDP);
}

static void gre__routing_or_version_1__is_unsupported(void **state)
{
	static const uint32_t words[] = { 0x40000800, 0x3001880b, 0x00010800, 0x00070800 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct maker m = { 0 };

		maker_ipv4(&m, 47);
		maker_u32(&m, words[i]);
		tcp_inside(&m, false);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_UNSUPPORTED);
		assert_int_equal(p.layer, LAYER_TUNNEL);
		assert_int_equal(p.has, PACKET_HAS_IP);
		assert_int_equal(p.ip.protocol, 47);
	}
}

static void gre__something_else_inside__is_unsupported_with_the_outer_address(void **state)
{
	static const uint16_t types[] = { 0x0000, 0x0004, 0x0806, 0x88be, 0x880b };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct maker m = { 0 };

		maker_ipv4(&m, 47);
		maker_u32(&m, types[i]);
		maker_zeros(&m, 40);
		assert_int_equal(maker_decode(&m, RAW, &p), DECODE_UNSUPPORTED);
		assert_int_equal(p.layer, LAYER_OTHER);
		assert_int_equal(p.has, PACKET_HAS_IP);
		assert_int_equal(p.tunnel_count, 0);
		assert_int_equal(p.ip.src.bytes[2], 0);
	}
}

static void assert_plain_udp(struct maker *m, const char *what)
{
	if (maker_decode(m, RAW, &p) != DECODE_OK || p.layer != LAYER_UDP)
		fail_msg("%s: %s at %s", what, decode_status_name(p.status), packet_layer_name(p.layer));
	assert_int_equal(p.has, PACKET_HAS_IP | PACKET_HAS_UDP | PACKET_HAS_PORTS);
	assert_int_equal(p.tunnel_count, 0);
	assert_int_equal(p.udp.src_port, MAKER_SRC_PORT);
	assert_int_equal(p.udp.payload, m->len - 28);
	assert_int_equal(p.payload_captured, m->len - 28);
	assert_int_equal(p.ip.src.bytes[2], 0);
}

static void vxlan__header_that_is_none__is_plain_udp(void **state)
{
	static const uint32_t words[][2] = { { 0, 0x100 }, { 0x18000000, 0x100 }, { 0x08000001, 0x100 }, { 0x08010000, 0x100 }, { 0x08000000, 0x101 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct maker m = { 0 };

		maker_ipv4(&m, 17);
		vxlan(&m, 4789, words[i][0], words[i][1]);
		maker_ethernet(&m, 0x0800);
		tcp_inside(&m, false);
		assert_plain_udp(&m, "VXLAN bits");
	}
}

static void vxlan__inner_packet_that_is_none__is_plain_udp(void **state)
{
	struct maker short_one = { 0 }, arp = { 0 }, version = { 0 }, other_port = { 0 };

	(void)state;
	maker_ipv4(&short_one, 17);
	maker_udp(&short_one, 4789);
	maker_zeros(&short_one, 7);
	assert_plain_udp(&short_one, "seven bytes");
	maker_ipv4(&arp, 17);
	vxlan(&arp, 4789, 0x08000000, 0x100);
	maker_ethernet(&arp, 0x0806);
	maker_zeros(&arp, 28);
	assert_plain_udp(&arp, "ARP");
	maker_ipv4(&version, 17);
	vxlan(&version, 4789, 0x08000000, 0x100);
	maker_ethernet(&version, 0x0800);
	maker_zeros(&version, 40);
	assert_plain_udp(&version, "no IP version");
	maker_ipv4(&other_port, 17);
	vxlan(&other_port, 4790, 0x08000000, 0x100);
	maker_ethernet(&other_port, 0x0800);
	tcp_inside(&other_port, false);
	assert_plain_udp(&other_port, "another port");
}

static void geneve__header_that_is_none__is_plain_udp(void **state)
{
	static const struct {
		uint32_t first, second, option;
	} words[] = {
		{ 0x40006558, 0x100, 0 },	   /* version */
		{ 0x00016558, 0x100, 0 },	   /* reserved bits */
		{ 0x00006558, 0x101, 0 },	   /* reserved byte */
		{ 0x3f006558, 0x100, 0 },	   /* options beyond the datagram */
		{ 0x01006558, 0x100, 0x01020001 }, /* option beyond the options */
		{ 0x01006558, 0x100, 0x01020020 }, /* reserved bits of an option */
		{ 0x00000001, 0x100, 0 },	   /* no EtherType */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct maker m = { 0 };

		maker_ipv4(&m, 17);
		maker_udp(&m, 6081);
		maker_u32(&m, words[i].first);
		maker_u32(&m, words[i].second);
		if (words[i].option)
			maker_u32(&m, words[i].option);
		maker_ethernet(&m, 0x0800);
		tcp_inside(&m, false);
		assert_plain_udp(&m, "Geneve bits");
	}
}

static void tunnel__inner_length_beyond_the_outer_packet__is_malformed(void **state)
{
	struct maker m = { 0 };

	(void)state;
	make_ipip(&m);
	maker_close(&m);
	m.length_count = 0;
	maker_put16(&m, 22, 51);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_MALFORMED);
	assert_int_equal(p.layer, LAYER_IPV4);
	assert_int_equal(p.tunnel_count, 1);
	assert_true(p.has & PACKET_HAS_TCP);
}

static void tunnel__first_fragment__holds_a_whole_packet_whose_end_comes_later(void **state)
{
	struct maker m = { 0 }, later = { 0 };

	(void)state;
	make_ipip(&m);
	maker_close(&m);
	m.length_count = 0;
	m.bytes[6] = 0x20;
	maker_put16(&m, 22, 1500);
	assert_int_equal(maker_decode(&m, RAW, &p), DECODE_OK);
	assert_int_equal(p.tunnel_count, 1);
	assert_int_equal(p.tcp.payload, 1460);
	assert_int_equal(p.payload_captured, 10);
	make_ipip(&later);
	later.bytes[7] = 0xb9;
	assert_int_equal(maker_decode(&later, RAW, &p), DECODE_OK);
	assert_int_equal(p.tunnel_count, 0);
	assert_int_equal(p.has, PACKET_HAS_IP);
	assert_int_equal(p.layer, LAYER_IPV4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnel__every_kind__leads_to_the_inner_packet),
		cmocka_unit_test(tunnel__cut_before_the_inner_ports__is_never_an_ok_packet),
		cmocka_unit_test(tunnel__nest_up_to_the_bound__is_read_and_one_more_is_unsupported),
		cmocka_unit_test(tunnel__udp_nest_beyond_the_bound__is_unsupported),
		cmocka_unit_test(gre__routing_or_version_1__is_unsupported),
		cmocka_unit_test(gre__something_else_inside__is_unsupported_with_the_outer_address),
		cmocka_unit_test(vxlan__header_that_is_none__is_plain_udp),
		cmocka_unit_test(vxlan__inner_packet_that_is_none__is_plain_udp),
		cmocka_unit_test(geneve__header_that_is_none__is_plain_udp),
		cmocka_unit_test(tunnel__inner_length_beyond_the_outer_packet__is_malformed),
		cmocka_unit_test(tunnel__first_fragment__holds_a_whole_packet_whose_end_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
