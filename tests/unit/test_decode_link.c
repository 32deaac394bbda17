/* SPDX-License-Identifier: MIT */
/* decode/link: every link type to the same packet inside, what stands between, and frames that end or lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/frame_maker.h"

#define BYTES(text) (text), sizeof(text) - 1

/* What stands before an IPv4 or IPv6 packet, and what the packet's link header must say of it. */
static const struct link_row {
	const char *name;
	uint32_t type;
	const char *bytes;
	size_t len;
	bool is_v6;
	uint16_t ethertype;
	uint8_t vlans, labels;
	unsigned has;
} rows[] = {
	{ "Ethernet", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"), false, 0x800, 0, 0, PACKET_HAS_MAC },
	{ "Ethernet, IPv6", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x86\xdd"), true, 0x86dd, 0, 0, PACKET_HAS_MAC },
	{ "802.1Q", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x81\0\x20\x64\x08\0"), false, 0x800, 1, 0, PACKET_HAS_MAC },
	{ "802.1ad", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x88\xa8\0\1\x81\0\0\2\x86\xdd"), true, 0x86dd, 2, 0, PACKET_HAS_MAC },
	{ "0x9100", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x91\0\0\1\x91\0\0\2\x92\0\0\3\x81\0\0\4\x08\0"), false, 0x800, 4, 0, PACKET_HAS_MAC },
	{ "MPLS", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x88\x47\0\1\0\x40\0\2\1\x40"), false, 0x800, 0, 2, PACKET_HAS_MAC },
	{ "MPLS multicast, IPv6", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x88\x48\0\2\1\x40"), true, 0x86dd, 0, 1, PACKET_HAS_MAC },
	{ "VLAN, MPLS", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x81\0\0\1\x88\x47\0\2\1\x40"), false, 0x800, 1, 1, PACKET_HAS_MAC },
	{ "pseudowire", 1, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1\x88\x47\0\2\1\x40\0\0\0\7\3\3\3\3\3\3\4\4\4\4\4\4\x08\0"), false, 0x8847, 0, 1, PACKET_HAS_MAC },
	{ "cooked", 113, BYTES("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0"), false, 0x800, 0, 0, PACKET_HAS_MAC },
	{ "cooked, no address", 113, BYTES("\0\4\3\4\0\0\0\0\0\0\0\0\0\0\x86\xdd"), true, 0x86dd, 0, 0, 0 },
	{ "cooked, VLAN", 113, BYTES("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x81\0\0\5\x08\0"), false, 0x800, 1, 0, PACKET_HAS_MAC },
	{ "cooked, LLC", 113, BYTES("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\0\4\xaa\xaa\3\0\0\0\x08\0"), false, 0x800, 0, 0, PACKET_HAS_MAC },
	{ "cooked v2", 276, BYTES("\x08\0\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\1\0\0"), false, 0x800, 0, 0, PACKET_HAS_MAC | PACKET_HAS_IFINDEX },
	{ "cooked v2, IPv6", 276, BYTES("\x86\xdd\0\0\0\0\0\3\0\1\4\6\2\0\0\0\0\1\0\0"), true, 0x86dd, 0, 0, PACKET_HAS_MAC | PACKET_HAS_IFINDEX },
	{ "raw 12", 12, NULL, 0, false, 0, 0, 0, 0 },
	{ "raw 14", 14, NULL, 0, true, 0, 0, 0, 0 },
	{ "raw 101", 101, NULL, 0, false, 0, 0, 0, 0 },
	{ "raw 101, IPv6", 101, NULL, 0, true, 0, 0, 0, 0 },
	{ "IPv4", 228, NULL, 0, false, 0, 0, 0, 0 },
	{ "IPv6", 229, NULL, 0, true, 0, 0, 0, 0 },
	{ "NULL little-endian", 0, BYTES("\2\0\0\0"), false, 0, 0, 0, 0 },
	{ "NULL big-endian", 0, BYTES("\0\0\0\2"), false, 0, 0, 0, 0 },
	{ "NULL NetBSD", 0, BYTES("\x18\0\0\0"), true, 0, 0, 0, 0 },
	{ "NULL FreeBSD", 0, BYTES("\0\0\0\x1c"), true, 0, 0, 0, 0 },
	{ "NULL Darwin", 0, BYTES("\x1e\0\0\0"), true, 0, 0, 0, 0 },
	{ "NULL Linux", 0, BYTES("\x0a\0\0\0"), true, 0, 0, 0, 0 },
	{ "NULL, HDLC inside", 0, BYTES("\x0f\0\x08\0"), false, 0x800, 0, 0, 0 },
	{ "LOOP", 108, BYTES("\0\0\0\2"), false, 0, 0, 0, 0 },
	{ "LOOP, IPv6", 108, BYTES("\0\0\0\x18"), true, 0, 0, 0, 0 },
	{ "PPP", 9, BYTES("\0\x21"), false, 0, 0, 0, 0 },
	{ "PPP framed", 9, BYTES("\xff\3\0\x57"), true, 0, 0, 0, 0 },
	{ "PPP compressed", 9, BYTES("\x21"), false, 0, 0, 0, 0 },
	{ "PPP framed, compressed", 9, BYTES("\xff\3\x57"), true, 0, 0, 0, 0 },
	{ "PPP, MPLS", 9, BYTES("\2\x81\0\2\1\x40"), false, 0x800, 0, 1, 0 },
	{ "PPP serial", 50, BYTES("\xff\3\0\x21"), false, 0, 0, 0, 0 },
	{ "PPP serial, HDLC", 50, BYTES("\x0f\0\x86\xdd"), true, 0x86dd, 0, 0, 0 },
	{ "PPP serial, HDLC broadcast", 50, BYTES("\x8f\0\x08\0"), false, 0x800, 0, 0, 0 },
	{ "HDLC", 104, BYTES("\x0f\0\x08\0"), false, 0x800, 0, 0, 0 },
	{ "HDLC broadcast", 104, BYTES("\x8f\0\x86\xdd"), true, 0x86dd, 0, 0, 0 },
	{ "FDDI", 10, BYTES("\x57\2\0\0\0\0\2\2\0\0\0\0\1\xaa\xaa\3\0\0\0\x08\0"), false, 0x800, 0, 0, PACKET_HAS_MAC },
};

static void make_packet(struct maker *m, bool is_v6)
{
	maker_ip(m, is_v6, 17);
	maker_udp(m, 53);
	maker_zeros(m, 20);
}

static struct maker make_row(const struct link_row *row)
{
	struct maker m = { 0 };

	if (row->len)
		maker_bytes(&m, row->bytes, row->len);
	make_packet(&m, row->is_v6);
	return m;
}

static void assert_inner(const struct packet *p, bool is_v6)
{
	assert_int_equal(p->status, DECODE_OK);
	assert_int_equal(p->layer, LAYER_UDP);
	assert_int_equal(p->ip.src.family, is_v6 ? ADDR_V6 : ADDR_V4);
	assert_int_equal(p->ip.dst.bytes[is_v6 ? 15 : 3], 2);
	assert_int_equal(p->udp.src_port, MAKER_SRC_PORT);
	assert_int_equal(p->udp.payload, 20);
	assert_int_equal(p->payload_captured, 20);
}

static void link__every_type__leads_to_the_packet_inside(void **state)
{
	struct packet p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct maker m = make_row(&rows[i]);

		if (maker_decode(&m, rows[i].type, &p) != DECODE_OK)
			fail_msg("%s: %s at %s", rows[i].name, decode_status_name(p.status), packet_layer_name(p.layer));
		assert_inner(&p, rows[i].is_v6);
		assert_int_equal(p.link.type, rows[i].type);
		if (p.link.ethertype != rows[i].ethertype)
			fail_msg("%s: ethertype %04x", rows[i].name, p.link.ethertype);
		assert_int_equal(p.link.vlan_count, rows[i].vlans);
		assert_int_equal(p.link.label_count, rows[i].labels);
		assert_int_equal(p.has, rows[i].has | PACKET_HAS_IP | PACKET_HAS_UDP | PACKET_HAS_PORTS);
		assert_int_equal(p.tunnel_count, 0);
		assert_false(p.link.is_pppoe);
		assert_true(link_type_supported(rows[i].type));
		assert_non_null(link_type_name(rows[i].type));
	}
}

static void link__cut_at_every_byte__is_truncated_and_without_an_address(void **state)
{
	struct packet p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t captured = 0; captured < rows[i].len + 20; captured++) {
			struct maker m = make_row(&rows[i]);

			if (maker_decode_cut(&m, rows[i].type, captured, &p) != DECODE_TRUNCATED)
				fail_msg("%s at %zu: %s", rows[i].name, captured, decode_status_name(p.status));
			assert_false(p.has & PACKET_HAS_IP);
		}
}

static void link__wire_ends_inside_the_header__is_malformed(void **state)
{
	struct packet p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t wire = 0; wire < rows[i].len + 20; wire++) {
			struct maker m = make_row(&rows[i]);

			m.len = wire;
			m.length_count = 0;
			if (maker_decode(&m, rows[i].type, &p) != DECODE_MALFORMED)
				fail_msg("%s at %zu: %s", rows[i].name, wire, decode_status_name(p.status));
			assert_false(p.has & PACKET_HAS_IP);
		}
}

static void link__wire_ends_with_the_header__is_cut_inside_it_all_the_same(void **state)
{
	struct packet p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t captured = 0; captured < rows[i].len; captured++) {
			struct maker m = make_row(&rows[i]);

			m.len = rows[i].len;
			m.length_count = 0;
			if (maker_decode_cut(&m, rows[i].type, captured, &p) != DECODE_TRUNCATED)
				fail_msg("%s at %zu: %s", rows[i].name, captured, decode_status_name(p.status));
		}
}

static void ethernet__addresses_and_tags__arrive_as_sent(void **state)
{
	struct maker m = make_row(&rows[3]);
	struct packet p;

	(void)state;
	maker_decode(&m, 1, &p);
	assert_memory_equal(p.link.dst, "\2\0\0\0\0\2", 6);
	assert_memory_equal(p.link.src, "\2\0\0\0\0\1", 6);
	assert_int_equal(p.link.vlan[0].tpid, 0x88a8);
	assert_int_equal(p.link.vlan[0].tci, 1);
	assert_int_equal(p.link.vlan[1].tpid, 0x8100);
	assert_int_equal(p.link.vlan[1].tci, 2);
	m = make_row(&rows[5]);
	maker_decode(&m, 1, &p);
	assert_int_equal(p.link.label[0], 0x00010040);
	assert_int_equal(p.link.label[1], 0x00020140);
	/* a pseudowire's inner addresses are not those of the frame */
	m = make_row(&rows[8]);
	maker_decode(&m, 1, &p);
	assert_memory_equal(p.link.src, "\2\0\0\0\0\1", 6);
}

static void ethernet__padding__is_not_payload(void **state)
{
	struct maker m = { 0 };
	struct packet p;

	(void)state;
	maker_ethernet(&m, 0x0800);
	maker_ipv4(&m, 6);
	maker_tcp(&m, 0x10, NULL, 0);
	maker_close(&m);
	m.length_count = 0;
	maker_zeros(&m, 6);
	assert_int_equal(maker_decode(&m, 1, &p), DECODE_OK);
	assert_int_equal(p.tcp.payload, 0);
	assert_int_equal(p.payload_captured, 0);
	assert_int_equal(p.ip_captured, 46);
}

static void too_many__tags_or_labels__are_unsupported(void **state)
{
	struct maker vlans = { 0 }, labels = { 0 };
	struct packet p;

	(void)state;
	maker_ethernet(&vlans, 0x8100);
	for (int i = 0; i < PACKET_VLANS_MAX; i++)
		maker_u32(&vlans, 0x00018100);
	maker_u32(&vlans, 0x00010800);
	make_packet(&vlans, false);
	assert_int_equal(maker_decode(&vlans, 1, &p), DECODE_UNSUPPORTED);
	assert_int_equal(p.layer, LAYER_LINK);
	assert_int_equal(p.link.vlan_count, PACKET_VLANS_MAX);

	maker_ethernet(&labels, 0x8847);
	for (int i = 0; i < PACKET_LABELS_MAX; i++)
		maker_u32(&labels, 0x00010040);
	maker_u32(&labels, 0x00010140);
	make_packet(&labels, false);
	assert_int_equal(maker_decode(&labels, 1, &p), DECODE_UNSUPPORTED);
	assert_int_equal(p.layer, LAYER_LINK);
	assert_int_equal(p.link.label_count, PACKET_LABELS_MAX);
}

static void pseudowire__inside_a_pseudowire__is_unsupported(void **state)
{
	struct maker m = { 0 };
	struct packet p;

	(void)state;
	for (int i = 0; i < 3; i++) {
		maker_ethernet(&m, 0x8847);
		maker_u32(&m, 0x00010140);
		maker_u32(&m, 0);
	}
	maker_ethernet(&m, 0x0800);
	make_packet(&m, false);
	assert_int_equal(maker_decode(&m, 1, &p), DECODE_UNSUPPORTED);
	assert_int_equal(p.layer, LAYER_TUNNEL);
	assert_false(p.has & PACKET_HAS_IP);
}

/* 802.3: the type field is a length, and LLC says what follows. */
static enum decode_status decode_llc(const char *llc, size_t len, int length_lies_by, struct packet *p)
{
	struct maker m = { 0 };

	maker_ethernet(&m, 0);
	maker_bytes(&m, llc, len);
	make_packet(&m, false);
	maker_close(&m);
	m.length_count = 0;
	maker_put16(&m, 12, (unsigned)((int)m.len - 14 + length_lies_by));
	maker_zeros(&m, 8);
	return maker_decode(&m, 1, p);
}

static void llc__snap_or_ip__leads_to_the_packet(void **state)
{
	struct packet p;

	(void)state;
	assert_int_equal(decode_llc(BYTES("\xaa\xaa\3\0\0\0\x08\0"), 0, &p), DECODE_OK);
	assert_inner(&p, false);
	assert_int_equal(p.link.ethertype, 0x800);
	assert_int_equal(decode_llc(BYTES("\x06\x06\3"), 0, &p), DECODE_OK);
	assert_inner(&p, false);
	assert_int_equal(p.link.ethertype, 0);
	assert_int_equal(decode_llc(BYTES("\xaa\xaa\3\0\0\0\x81\0\0\1\x08\0"), 0, &p), DECODE_OK);
	assert_int_equal(p.link.vlan_count, 1);
}

static void llc__others__are_unsupported_and_lies_malformed(void **state)
{
	struct packet p;

	(void)state;
	assert_int_equal(decode_llc(BYTES("\x42\x42\3"), 0, &p), DECODE_UNSUPPORTED); /* spanning tree */
	assert_int_equal(p.layer, LAYER_OTHER);
	assert_int_equal(decode_llc(BYTES("\xaa\xaa\3\0\0\x0c\x08\0"), 0, &p), DECODE_UNSUPPORTED); /* Cisco's own */
	assert_int_equal(decode_llc(BYTES("\xaa\xaa\3\0\0\0\x08\0"), 9, &p), DECODE_MALFORMED);
	assert_int_equal(p.layer, LAYER_LINK);
	/* three bytes are a whole LLC frame */
	struct maker m = { 0 };
	maker_ethernet(&m, 3);
	maker_bytes(&m, "\x42\x42\xf3", 3);
	maker_zeros(&m, 43);
	assert_int_equal(maker_decode(&m, 1, &p), DECODE_UNSUPPORTED);
}

static struct maker make_pppoe(const char *ppp, size_t len)
{
	struct maker m = { 0 };

	maker_ethernet(&m, 0x8864);
	maker_u32(&m, 0x11001234);
	maker_length(&m, m.len + 2);
	maker_bytes(&m, ppp, len);
	return m;
}

static void pppoe__session__leads_to_the_packet(void **state)
{
	struct maker m = make_pppoe("\0\x57", 2);
	struct packet p;

	(void)state;
	make_packet(&m, true);
	assert_int_equal(maker_decode(&m, 1, &p), DECODE_OK);
	assert_inner(&p, true);
	assert_true(p.link.is_pppoe);
	assert_int_equal(p.link.pppoe_session, 0x1234);
	assert_int_equal(p.link.ethertype, 0x8864);
	memmove(m.bytes, m.bytes + 14, m.len - 14);
	m.len -= 14;
	m.length_count = 0;
	assert_int_equal(maker_decode(&m, 51, &p), DECODE_OK);
	assert_inner(&p, true);
}

static void pppoe__control_packets__are_unsupported_and_bad_headers_malformed(void **state)
{
	struct maker m = make_pppoe("\xc0\x21\1\1\0\4", 6);
	struct packet p;

	(void)state;
	assert_int_equal(maker_decode(&m, 1, &p), DECODE_UNSUPPORTED);
	assert_int_equal(p.layer, LAYER_OTHER);
	m = make_pppoe("\0\x21", 2);
	make_packet(&m, false);
	m.bytes[14] = 0x12;
	assert_int_equal(maker_decode(&m, 1, &p), DECODE_MALFORMED);
	m.bytes[14] = 0x11;
	maker_close(&m);
	m.length_count = 0;
	maker_put16(&m, 18, (unsigned)m.len);
	assert_int_equal(maker_decode(&m, 1, &p), DECODE_MALFORMED);
	assert_int_equal(p.layer, LAYER_LINK);
}

static void cooked__packet_type__tells_the_direction(void **state)
{
	static const uint8_t expected[] = { DIRECTION_IN, DIRECTION_IN, DIRECTION_IN, DIRECTION_IN, DIRECTION_OUT, DIRECTION_UNKNOWN };
	struct packet p;

	(void)state;
	for (unsigned type = 0; type < ARRAY_SIZE(expected); type++) {
		struct maker v1 = make_row(&rows[9]), v2 = make_row(&rows[13]);

		v1.bytes[1] = (uint8_t)type;
		v2.bytes[10] = (uint8_t)type;
		maker_decode(&v1, 113, &p);
		assert_int_equal(p.direction, expected[type]);
		assert_int_equal(p.link.cooked_type, type);
		assert_int_equal(p.link.hardware, 1);
		assert_memory_equal(p.link.src, "\2\0\0\0\0\1", 6);
		maker_decode(&v2, 276, &p);
		assert_int_equal(p.direction, expected[type]);
		assert_int_equal(p.link.cooked_type, type);
		assert_int_equal(p.link.hardware, 1);
		assert_int_equal(p.link.ifindex, 3);
	}
}

/* NFLOG: a prefix, a packet, in either order of bytes. */
static struct maker nflog_with(const struct maker *packet, bool big_endian, unsigned cut)
{
	struct maker m = { 0 }, inner = *packet;
	unsigned len;

	maker_close(&inner);
	len = (unsigned)inner.len - cut + 4;
	maker_u32(&m, 0x02000005);
	maker_bytes(&m, big_endian ? "\0\7\0\x0a" "hi\0" "\0" : "\7\0\x0a\0" "hi\0" "\0", 8);
	maker_u16(&m, big_endian ? len : len << 8 | len >> 8);
	maker_u16(&m, big_endian ? 9 : 9 << 8);
	maker_bytes(&m, inner.bytes, inner.len - cut);
	return m;
}

static struct maker make_nflog(bool big_endian, unsigned cut)
{
	struct maker packet = { 0 };

	make_packet(&packet, false);
	return nflog_with(&packet, big_endian, cut);
}

static void nflog__large_segment_without_a_length__has_that_of_what_is_there(void **state)
{
	struct packet p;

	(void)state;
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct maker segment = { 0 }, m;

		maker_ip(&segment, is_v6, 6);
		maker_tcp(&segment, TCP_ACK, NULL, 0);
		maker_zeros(&segment, 100);
		segment.length_count = 0; /* the field stays 0 */
		m = nflog_with(&segment, false, 0);
		assert_int_equal(maker_decode(&m, 239, &p), DECODE_OK);
		assert_true(p.ip.length_guessed);
		assert_int_equal(p.tcp.payload, 100);
	}
}

static void nflog__either_order__leads_to_the_packet(void **state)
{
	struct packet p;

	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct maker m = make_nflog(big_endian, 0);

		assert_int_equal(maker_decode(&m, 239, &p), DECODE_OK);
		assert_inner(&p, false);
	}
}

static void nflog__cut_by_the_capture__is_truncated(void **state)
{
	struct maker m = make_nflog(false, 0);
	struct packet p;

	(void)state;
	for (size_t captured = 0; captured < m.len - 20; captured++) {
		assert_int_equal(maker_decode_cut(&m, 239, captured, &p), DECODE_TRUNCATED);
		assert_int_equal(!!(p.has & PACKET_HAS_IP), captured >= m.len - 28);
	}
	assert_int_equal(maker_decode_cut(&m, 239, m.len - 20, &p), DECODE_OK);
}

static void nflog__packet_cut_by_the_kernel__is_cut_not_malformed(void **state)
{
	struct maker m = make_nflog(false, 12), header = make_nflog(false, 25);
	struct packet p;

	(void)state;
	assert_int_equal(maker_decode(&m, 239, &p), DECODE_OK);
	assert_int_equal(p.udp.payload, 20);
	assert_int_equal(p.payload_captured, 8);
	assert_int_equal(maker_decode(&header, 239, &p), DECODE_TRUNCATED);
	assert_int_equal(p.layer, LAYER_UDP);
}

static void nflog__attribute_lengths__that_cannot_be_are_malformed(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned len = 0; len < 4; len++) {
		struct maker m = make_nflog(true, 0);

		maker_put16(&m, 4, len);
		assert_int_equal(maker_decode(&m, 239, &p), DECODE_MALFORMED);
		assert_int_equal(p.layer, LAYER_LINK);
	}
	struct maker m = make_nflog(true, 0);
	maker_put16(&m, 4, 2000);
	assert_int_equal(maker_decode(&m, 239, &p), DECODE_MALFORMED);
	m = make_nflog(true, 0);
	m.len = 12; /* no packet in it */
	assert_int_equal(maker_decode(&m, 239, &p), DECODE_UNSUPPORTED);
}

static void other__network_protocols__are_unsupported_with_their_type(void **state)
{
	static const uint16_t types[] = { 0x0806, 0x88cc, 0x8863, 0x8035, 0x88f7 };
	struct maker m;
	struct packet p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		m = (struct maker){ 0 };
		maker_ethernet(&m, types[i]);
		maker_zeros(&m, 46);
		assert_int_equal(maker_decode(&m, 1, &p), DECODE_UNSUPPORTED);
		assert_int_equal(p.layer, LAYER_OTHER);
		assert_int_equal(p.link.ethertype, types[i]);
		assert_int_equal(p.has, PACKET_HAS_MAC);
		assert_int_equal(p.payload_captured, 46);
	}
}

static void link_types__names__are_those_of_pcap(void **state)
{
	struct maker m = make_row(&rows[0]);
	struct packet p;

	(void)state;
	assert_string_equal(link_type_name(1), "EN10MB");
	assert_string_equal(link_type_name(276), "LINUX_SLL2");
	assert_string_equal(link_type_name(127), "IEEE802_11_RADIO");
	assert_false(link_type_supported(127));
	for (uint32_t type = 277; type < 70000; type += 97) {
		assert_null(link_type_name(type));
		assert_false(link_type_supported(type));
	}
	assert_null(link_type_name(UINT32_MAX));
	assert_int_equal(maker_decode(&m, 127, &p), DECODE_UNSUPPORTED);
	assert_int_equal(p.layer, LAYER_LINK);
	assert_int_equal(p.has, 0);
	assert_int_equal(maker_decode(&m, UINT32_MAX, &p), DECODE_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link__every_type__leads_to_the_packet_inside),
		cmocka_unit_test(link__cut_at_every_byte__is_truncated_and_without_an_address),
		cmocka_unit_test(link__wire_ends_inside_the_header__is_malformed),
		cmocka_unit_test(link__wire_ends_with_the_header__is_cut_inside_it_all_the_same),
		cmocka_unit_test(ethernet__addresses_and_tags__arrive_as_sent),
		cmocka_unit_test(ethernet__padding__is_not_payload),
		cmocka_unit_test(too_many__tags_or_labels__are_unsupported),
		cmocka_unit_test(pseudowire__inside_a_pseudowire__is_unsupported),
		cmocka_unit_test(llc__snap_or_ip__leads_to_the_packet),
		cmocka_unit_test(llc__others__are_unsupported_and_lies_malformed),
		cmocka_unit_test(pppoe__session__leads_to_the_packet),
		cmocka_unit_test(pppoe__control_packets__are_unsupported_and_bad_headers_malformed),
		cmocka_unit_test(cooked__packet_type__tells_the_direction),
		cmocka_unit_test(nflog__large_segment_without_a_length__has_that_of_what_is_there),
		cmocka_unit_test(nflog__either_order__leads_to_the_packet),
		cmocka_unit_test(nflog__cut_by_the_capture__is_truncated),
		cmocka_unit_test(nflog__packet_cut_by_the_kernel__is_cut_not_malformed),
		cmocka_unit_test(nflog__attribute_lengths__that_cannot_be_are_malformed),
		cmocka_unit_test(other__network_protocols__are_unsupported_with_their_type),
		cmocka_unit_test(link_types__names__are_those_of_pcap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
