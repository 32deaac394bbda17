/* SPDX-License-Identifier: MIT */
/* decode/packet: sample frames of every layer on every layer, cut at every length and with every byte changed. What must hold is that a
 * capture's cut never turns a packet into another one or into a broken one, and that no bytes at all break the packet's own contract. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/frame_maker.h"
#include "../support/packet_invariants.h"

/* Layers that stand on each other. Each sample is one of each. */
static void on_ethernet(struct maker *m, bool is_v6)
{
	maker_ethernet(m, is_v6 ? 0x86dd : 0x0800);
}

static void on_tags(struct maker *m, bool is_v6)
{
	maker_ethernet(m, 0x88a8);
	maker_u32(m, 0x00058100);
	maker_u32(m, 0x00068847);
	maker_u32(m, 0x00010140);
	(void)is_v6;
}

static void on_pppoe(struct maker *m, bool is_v6)
{
	maker_ethernet(m, 0x8864);
	maker_u32(m, 0x11000007);
	maker_length(m, m->len + 2);
	maker_u16(m, is_v6 ? 0x57 : 0x21);
}

static void on_llc(struct maker *m, bool is_v6)
{
	maker_ethernet(m, 0);
	m->len -= 2;
	maker_length(m, m->len + 2);
	maker_bytes(m, "\xaa\xaa\3\0\0\0", 6);
	maker_u16(m, is_v6 ? 0x86dd : 0x0800);
}

static void bare(struct maker *m, bool is_v6)
{
	maker_ip(m, is_v6, 0);
}

static void with_extensions(struct maker *m, bool is_v6)
{
	maker_ip(m, is_v6, is_v6 ? 60 : 51);
	maker_bytes(m, is_v6 ? "\x33\1\1\4\0\0\0\0\0\0\0\0\0\0\0\0" : "\0\2\0\0\0\0\0\1\0\0\0\1\1\1\1\1", 16);
	if (is_v6)
		maker_bytes(m, "\0\4\0\0\0\0\0\1\0\0\0\1\1\1\1\1\1\1\1\1\1\1\1\1", 24);
}

static void in_ip(struct maker *m, bool is_v6)
{
	maker_ip(m, !is_v6, is_v6 ? 41 : 4);
	maker_ip(m, is_v6, 0);
}

static void in_gre(struct maker *m, bool is_v6)
{
	maker_ip(m, is_v6, 47);
	maker_u32(m, is_v6 ? 0xb00086dd : 0xb0000800);
	maker_zeros(m, 12);
	maker_ip(m, is_v6, 0);
}

static void in_vxlan(struct maker *m, bool is_v6)
{
	maker_ip(m, is_v6, 17);
	maker_udp(m, 4789);
	maker_u32(m, 0x08000000);
	maker_u32(m, 0x00004d00);
	on_ethernet(m, is_v6);
	maker_ip(m, is_v6, 0);
}

static void in_geneve(struct maker *m, bool is_v6)
{
	maker_ip(m, is_v6, 17);
	maker_udp(m, 6081);
	maker_u32(m, 0x02006558);
	maker_u32(m, 0x00004d00);
	maker_u32(m, 0x01028001);
	maker_u32(m, 1);
	on_ethernet(m, is_v6);
	maker_ip(m, is_v6, 0);
}

static void carry_tcp(struct maker *m, bool is_v6)
{
	(void)is_v6;
	maker_tcp(m, TCP_SYN, "\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\2\1\3\3\7", 20);
	maker_zeros(m, 12);
}

static void carry_udp(struct maker *m, bool is_v6)
{
	(void)is_v6;
	maker_udp(m, 53);
	maker_zeros(m, 12);
}

static void carry_icmp(struct maker *m, bool is_v6)
{
	maker_u32(m, is_v6 ? 0x02000000 : 0x03040000);
	maker_u32(m, 1400);
	maker_ip(m, is_v6, 6);
	maker_tcp(m, TCP_ACK, NULL, 0);
}

typedef void (*layer_fn)(struct maker *m, bool is_v6);
static const layer_fn links[] = { on_ethernet, on_tags, on_pppoe, on_llc };
static const layer_fn networks[] = { bare, with_extensions, in_ip, in_gre, in_vxlan, in_geneve };
static const struct {
	layer_fn make;
	uint8_t v4, v6;
} carried[] = { { carry_tcp, 6, 6 }, { carry_udp, 17, 17 }, { carry_icmp, 1, 58 } };
#define SAMPLES (ARRAY_SIZE(links) * ARRAY_SIZE(networks) * ARRAY_SIZE(carried) * 2)

/* The number of the transport stands in the last IP header, or in the last extension header, which the layer left 0. */
static void set_protocol(struct maker *m, layer_fn network, size_t end, bool is_v6, uint8_t protocol)
{
	size_t at = network == with_extensions ? end - (is_v6 ? 24 : 16) : is_v6 ? end - 34 : end - 11;

	m->bytes[at] = protocol;
}

static struct maker make_sample(size_t number)
{
	bool is_v6 = number % 2;
	layer_fn link = links[number / 2 % ARRAY_SIZE(links)];
	layer_fn network = networks[number / 2 / ARRAY_SIZE(links) % ARRAY_SIZE(networks)];
	size_t row = number / 2 / ARRAY_SIZE(links) / ARRAY_SIZE(networks);
	bool outer_v6 = network == in_ip ? !is_v6 : is_v6;
	struct maker m = { 0 };

	link(&m, outer_v6);
	network(&m, is_v6);
	set_protocol(&m, network, m.len, is_v6, is_v6 ? carried[row].v6 : carried[row].v4);
	carried[row].make(&m, is_v6);
	return m;
}

/* What makes a packet this one and no other. */
struct identity {
	unsigned has, tunnels, vlans, labels;
	struct tunnel tunnel;
	struct ip_header ip;
	uint32_t seq, payload;
	uint16_t src_port, dst_port;
};

static struct identity identify(const struct packet *p)
{
	struct identity id;

	memset(&id, 0, sizeof(id));
	id.has = p->has;
	id.tunnels = p->tunnel_count;
	id.vlans = p->link.vlan_count;
	id.labels = p->link.label_count;
	if (p->tunnel_count)
		id.tunnel = p->tunnels[0];
	id.ip = p->ip;
	if (p->has & PACKET_HAS_TCP) {
		id.seq = p->tcp.seq;
		id.payload = p->tcp.payload;
		id.src_port = p->tcp.src_port;
		id.dst_port = p->tcp.dst_port;
	} else if (p->has & PACKET_HAS_UDP) {
		id.payload = p->udp.payload;
		id.src_port = p->udp.src_port;
		id.dst_port = p->udp.dst_port;
	} else {
		id.seq = p->icmp.quote.seq;
		id.payload = p->icmp.payload;
		id.src_port = p->icmp.quote.src_port;
		id.dst_port = p->icmp.quote.dst_port;
	}
	return id;
}

static void samples__whole__are_all_ok(void **state)
{
	struct packet p;

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct maker m = make_sample(i);

		if (maker_decode(&m, 1, &p) != DECODE_OK)
			fail_msg("sample %zu: %s at %s", i, decode_status_name(p.status), packet_layer_name(p.layer));
		assert_true(p.has & (PACKET_HAS_TCP | PACKET_HAS_UDP | PACKET_HAS_QUOTE));
	}
}

static void samples__cut_by_the_capture__are_truncated_or_the_same_packet(void **state)
{
	struct packet p;

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct maker m = make_sample(i);
		struct identity whole, part;
		bool was_ok = false;

		maker_decode(&m, 1, &p);
		whole = identify(&p);
		for (size_t captured = 0; captured <= m.len; captured++) {
			maker_decode_cut(&m, 1, captured, &p);
			if (p.status != DECODE_OK && (p.status != DECODE_TRUNCATED || was_ok))
				fail_msg("sample %zu at %zu: %s at %s", i, captured, decode_status_name(p.status), packet_layer_name(p.layer));
			was_ok = p.status == DECODE_OK;
			part = identify(&p);
			if (was_ok && part.has & PACKET_HAS_QUOTE && !(p.icmp.quote.has & PACKET_HAS_TCP))
				part.seq = whole.seq;
			if (was_ok && memcmp(&whole, &part, sizeof(whole)) != 0)
				fail_msg("sample %zu at %zu is another packet", i, captured);
		}
		assert_true(was_ok);
	}
}

static void samples__that_end_on_the_wire__are_never_ok(void **state)
{
	struct packet p;

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct maker m = make_sample(i);

		maker_close(&m);
		m.length_count = 0;
		for (size_t left = m.len; left > 0; left--) {
			m.len = left - 1;
			maker_decode(&m, 1, &p);
			if (p.status != DECODE_TRUNCATED && p.status != DECODE_MALFORMED)
				fail_msg("sample %zu of %zu bytes: %s", i, m.len, decode_status_name(p.status));
		}
	}
}

static void samples__with_any_byte_changed__keep_the_contract(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x04, 0x06, 0x0f, 0x29, 0x2c, 0x2f, 0x3c, 0x45, 0x60, 0x7f, 0x80, 0xff };
	static const struct decode_options options = { .checksums = true };
	static struct packet p;
	size_t statuses[DECODE_STATUS_COUNT] = { 0 };

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct maker m = make_sample(i);

		maker_close(&m);
		for (size_t at = 0; at < m.len; at++)
			for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
				struct frame frame = { .bytes = m.bytes, .captured = (uint32_t)m.len, .wire = (uint32_t)m.len, .link_type = 1 };
				uint8_t before = m.bytes[at];

				m.bytes[at] = values[v];
				memset(&p, 0xa5, sizeof(p));
				statuses[packet_decode(&frame, &options, &p)]++;
				packet_check(&p);
				m.bytes[at] = before;
			}
	}
	for (size_t i = 0; i < DECODE_STATUS_COUNT; i++)
		assert_true(statuses[i] > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples__whole__are_all_ok),
		cmocka_unit_test(samples__cut_by_the_capture__are_truncated_or_the_same_packet),
		cmocka_unit_test(samples__that_end_on_the_wire__are_never_ok),
		cmocka_unit_test(samples__with_any_byte_changed__keep_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
