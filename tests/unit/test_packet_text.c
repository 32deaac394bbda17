/* SPDX-License-Identifier: MIT */
/* render/: packets as lines of text. What tcpdump prints is compared in tests/oracle; here stand the lines themselves, and what has no peer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "tcptriage/decode/packet.h"
#include "tcptriage/render/packets.h"

#define ETHERNET 1
#define SLL2 276
#define RAW 101
#define SECOND 1000000000LL
/* 2023-11-14 22:13:20 UTC */
#define NOW (1700000000 * SECOND)

static struct out out;
static struct packet_text text;
static struct frame frame;
static struct packet packet;

static int open_all(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	out_open_mem(&out);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	packet_text_close(&text);
	out_close(&out);
	return 0;
}

static void start(const struct packet_text_options *options)
{
	packet_text_close(&text);
	packet_text_init(&text, options);
}

/* A line without time, from a packet made by hand. */
static const char *line_of(const struct packet *made, const char *owner)
{
	out_clear(&out);
	packet_text_line(&out, &text, made, owner);
	return out_text(&out);
}

static const char *decoded(const void *bytes, size_t len, uint32_t link_type)
{
	frame = (struct frame){ .bytes = bytes, .captured = (uint32_t)len, .wire = (uint32_t)len, .time_ns = NOW, .number = 1, .link_type = link_type };
	packet_decode(&frame, NULL, &packet);
	return line_of(&packet, NULL);
}

/* 10.0.0.1.50000 > 10.0.0.2.80, with nothing behind the header; no bytes, for -v and dumps are not asked for. */
static struct packet *segment(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t payload)
{
	frame = (struct frame){ .bytes = (const uint8_t *)"", .time_ns = NOW, .number = 1, .link_type = RAW };
	packet = (struct packet){
		.frame = &frame,
		.has = PACKET_HAS_IP | PACKET_HAS_TCP | PACKET_HAS_PORTS,
		.layer = LAYER_TCP,
		.link = { .type = RAW },
		.ip = { .src = addr_v4(0x0a000001), .dst = addr_v4(0x0a000002), .protocol = 6, .length = 40 + payload, .header = 20 },
		.tcp = { .src_port = 50000, .dst_port = 80, .flags = flags, .seq = seq, .ack = ack, .window = 512, .header = 20, .payload = payload },
	};
	return &packet;
}

static struct packet *turned(struct packet *made)
{
	made->ip.src = addr_v4(0x0a000002);
	made->ip.dst = addr_v4(0x0a000001);
	made->tcp.src_port = 80;
	made->tcp.dst_port = 50000;
	return made;
}

static void give_options(struct packet *made, const void *bytes, uint8_t len)
{
	made->tcp.option = bytes;
	made->tcp.option_bytes = len;
	made->tcp.header = (uint8_t)(20 + len);
	made->ip.length += len;
}

static const struct packet_text_options plain = { .time = PACKET_TIME_NONE };

static void tcp__handshake__numbers_become_relative_from_the_second_packet_on(void **state)
{
	(void)state;
	start(&plain);
	assert_string_equal(line_of(segment(TCP_SYN, 1000, 0, 0), NULL), "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1000, win 512, length 0\n");
	assert_string_equal(line_of(turned(segment(TCP_SYN | TCP_ACK, 9000, 1001, 0)), NULL),
			    "IP 10.0.0.2.80 > 10.0.0.1.50000: Flags [S.], seq 9000, ack 1001, win 512, length 0\n");
	assert_string_equal(line_of(segment(TCP_ACK, 1001, 9001, 0), NULL), "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [.], ack 1, win 512, length 0\n");
	assert_string_equal(line_of(segment(TCP_PSH | TCP_ACK, 1001, 9001, 10), NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [P.], seq 1:11, ack 1, win 512, length 10\n");
}

static void tcp__absolute_asked_for__numbers_stay(void **state)
{
	struct packet_text_options options = plain;

	(void)state;
	options.absolute_seq = true;
	start(&options);
	line_of(segment(TCP_ACK, 1001, 9001, 0), NULL);
	assert_string_equal(line_of(segment(TCP_ACK, 1001, 9001, 10), NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [.], seq 1001:1011, ack 9001, win 512, length 10\n");
}

static void tcp__syn_on_known_ports__numbers_start_anew(void **state)
{
	(void)state;
	start(&plain);
	line_of(turned(segment(TCP_SYN | TCP_ACK, 9000, 1001, 0)), NULL);
	line_of(turned(segment(TCP_SYN | TCP_ACK, 77, 501, 0)), NULL);
	assert_string_equal(line_of(segment(TCP_ACK, 501, 78, 1), NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [.], seq 1:2, ack 1, win 512, length 1\n");
}

static void tcp__more_connections_than_the_table_holds__old_ones_start_anew_and_new_ones_are_right(void **state)
{
	struct packet *made;

	(void)state;
	start(&plain);
	line_of(turned(segment(TCP_SYN | TCP_ACK, 9000, 1001, 0)), NULL);
	for (uint32_t i = 0; i < 600000; i++) {
		made = segment(TCP_ACK, 5, 6, 0);
		made->ip.src = addr_v4(0x0b000000 + i);
		line_of(made, NULL);
	}
	assert_string_equal(line_of(segment(TCP_ACK, 1001, 9001, 1), NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [.], seq 1001:1002, ack 9001, win 512, length 1\n");
	assert_string_equal(line_of(segment(TCP_ACK, 1002, 9001, 1), NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [.], seq 1:2, ack 1, win 512, length 1\n");
}

static void tcp__connection_seen_all_the_time__is_not_pushed_out(void **state)
{
	struct packet *made;

	(void)state;
	start(&plain);
	line_of(turned(segment(TCP_SYN | TCP_ACK, 9000, 1001, 0)), NULL);
	for (uint32_t i = 0; i < 600000; i++) {
		made = segment(TCP_ACK, 5, 6, 0);
		made->ip.src = addr_v4(0x0b000000 + i);
		line_of(made, NULL);
		if (i % 16 == 0)
			line_of(segment(TCP_ACK, 1001, 9001, 0), NULL);
	}
	assert_string_equal(line_of(segment(TCP_ACK, 1001, 9001, 1), NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [.], seq 1:2, ack 1, win 512, length 1\n");
}

static void tcp__options__stand_in_their_order(void **state)
{
	static const uint8_t options[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7 };
	struct packet *made;

	(void)state;
	start(&plain);
	made = segment(TCP_SYN, 1, 0, 0);
	give_options(made, options, sizeof(options));
	assert_string_equal(line_of(made, NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0\n");
}

static void tcp__sack__blocks_are_relative_to_the_acknowledged_side(void **state)
{
	static const uint8_t options[] = { 1, 1, 5, 10, 0, 0, 0x23, 0x8d, 0, 0, 0x23, 0x97 };
	struct packet *made;

	(void)state;
	start(&plain);
	line_of(turned(segment(TCP_SYN | TCP_ACK, 9000, 1001, 0)), NULL);
	made = segment(TCP_ACK, 1001, 9001, 0);
	give_options(made, options, sizeof(options));
	assert_string_equal(line_of(made, NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [.], ack 1, win 512, options [nop,nop,sack 1 {101:111}], length 0\n");
}

static void tcp__option_longer_than_the_header__is_bad(void **state)
{
	static const uint8_t options[] = { 1, 3, 9, 7 };
	struct packet *made;

	(void)state;
	start(&plain);
	made = segment(TCP_SYN, 1, 0, 0);
	give_options(made, options, sizeof(options));
	assert_string_equal(line_of(made, NULL), "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, options [nop,[bad opt]]\n");
}

static void tcp__options_cut_by_the_capture__end_there(void **state)
{
	static const uint8_t options[] = { 1, 1, 8, 10, 0, 0 };
	struct packet *made;

	(void)state;
	start(&plain);
	made = segment(TCP_SYN, 1, 0, 0);
	give_options(made, options, sizeof(options));
	made->tcp.header = 32;
	made->ip.length = 52;
	assert_string_equal(line_of(made, NULL), "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, options [nop,nop,TS [|tcp]>\n");
}

static void tcp__all_flags__each_has_its_letter(void **state)
{
	(void)state;
	start(&plain);
	assert_string_equal(line_of(segment(0x1ff, 1, 2, 0), NULL),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [FSRP.UEWe], seq 1, ack 2, win 512, urg 0, length 0\n");
	assert_string_equal(line_of(segment(0, 1, 2, 0), NULL), "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [none], win 512, length 0\n");
}

static void tcp__header_length_that_cannot_be__is_said(void **state)
{
	struct packet *made;

	(void)state;
	start(&plain);
	made = segment(TCP_SYN, 1, 0, 0);
	made->tcp.header = 16;
	assert_string_equal(line_of(made, NULL), "IP 10.0.0.1.50000 > 10.0.0.2.80:  tcp 4 [bad hdr length 16 - too short, < 20]\n");
	made = segment(TCP_SYN, 1, 0, 0);
	made->tcp.header = 24;
	assert_string_equal(line_of(made, NULL), "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S] [bad hdr length 24 - too long, > 20]\n");
}

static void tcp__only_ports_captured__ends_there(void **state)
{
	struct packet *made;

	(void)state;
	start(&plain);
	made = segment(0, 0, 0, 0);
	made->has = PACKET_HAS_IP | PACKET_HAS_PORTS;
	assert_string_equal(line_of(made, NULL), "IP 10.0.0.1.50000 > 10.0.0.2.80:  [|tcp]\n");
	made->has = PACKET_HAS_IP;
	assert_string_equal(line_of(made, NULL), "IP 10.0.0.1 > 10.0.0.2: [|tcp]\n");
}

static void udp__ipv6__has_ports_and_length(void **state)
{
	struct packet *made;

	(void)state;
	start(&plain);
	made = segment(0, 0, 0, 0);
	made->has = PACKET_HAS_IP | PACKET_HAS_UDP | PACKET_HAS_PORTS;
	addr_parse("2001:db8::1", &made->ip.src);
	addr_parse("::ffff:10.0.0.2", &made->ip.dst);
	made->ip.protocol = 17;
	made->ip.header = 40;
	made->ip.length = 148;
	made->udp = (struct udp_header){ .src_port = 53, .dst_port = 40000, .length = 108, .payload = 100 };
	assert_string_equal(line_of(made, NULL), "IP6 2001:db8::1.53 > ::ffff:10.0.0.2.40000: UDP, length 100\n");
}

static void fragment__not_the_first__has_no_ports(void **state)
{
	struct packet *made;

	(void)state;
	start(&plain);
	made = segment(0, 0, 0, 0);
	made->has = PACKET_HAS_IP;
	made->ip.offset = 1480;
	made->ip.is_fragment = true;
	assert_string_equal(line_of(made, NULL), "IP 10.0.0.1 > 10.0.0.2: ip-proto-6\n");
}

static void tunnel__two_deep__one_line_with_ids(void **state)
{
	struct packet *made;

	(void)state;
	start(&plain);
	made = segment(TCP_SYN, 1, 0, 0);
	made->tunnel_count = 2;
	made->tunnels[0] = (struct tunnel){ .kind = TUNNEL_VXLAN, .id = 42, .src = addr_v4(0xc0000201), .dst = addr_v4(0xc0000202) };
	made->tunnels[1] = (struct tunnel){ .kind = TUNNEL_GRE, .id = 7, .src = addr_v4(0xc6336401), .dst = addr_v4(0xc6336402) };
	assert_string_equal(line_of(made, NULL), "IP 192.0.2.1 > 192.0.2.2: VXLAN, vni 42: IP 198.51.100.1 > 198.51.100.2: GRE, key 7: "
						 "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0\n");
}

static void owner__hostile_name__stands_escaped_behind_the_text(void **state)
{
	(void)state;
	start(&plain);
	assert_string_equal(line_of(segment(TCP_SYN, 1, 0, 0), "nginx[812]"),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0 nginx[812]\n");
	assert_string_equal(line_of(segment(TCP_SYN, 1, 0, 0), "\x1b[2J\n10:00[1]"),
			    "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0 \\x1b[2J\\x0a10:00[1]\n");
}

static const char *hostile_interface(const void *context, const struct packet *of)
{
	(void)of;
	return context;
}

static void interface__hostile_name__cannot_move_the_cursor(void **state)
{
	struct packet_text_options options = plain;
	struct packet *made;

	(void)state;
	options.interface_name = hostile_interface;
	options.interface_context = "e\x1b[H\n0";
	start(&options);
	made = segment(TCP_SYN, 1, 0, 0);
	made->direction = DIRECTION_OUT;
	assert_string_equal(line_of(made, NULL), "e.[H.0 Out IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0\n");
}

static void time__each_mode__as_written(void **state)
{
	static const struct {
		enum packet_time time;
		const char *first, *second;
	} rows[] = {
		{ PACKET_TIME_CLOCK, "22:13:20.000000 IP", "22:13:18.499999 IP" },
		{ PACKET_TIME_NONE, "IP 10", "IP 10" },
		{ PACKET_TIME_EPOCH, "1700000000.000000 IP", "1699999998.499999 IP" },
		{ PACKET_TIME_SINCE_LAST, " 00:00:00.000000 IP", "-00:00:01.500001 IP" },
		{ PACKET_TIME_DATE, "2023-11-14 22:13:20.000000 IP", "2023-11-14 22:13:18.499999 IP" },
		{ PACKET_TIME_SINCE_FIRST, " 00:00:00.000000 IP", "-00:00:01.500001 IP" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(&(struct packet_text_options){ .time = (uint8_t)rows[i].time });
		assert_memory_equal(line_of(segment(TCP_SYN, 1, 0, 0), NULL), rows[i].first, strlen(rows[i].first));
		segment(TCP_SYN, 1, 0, 0);
		frame.time_ns = NOW - 1500000001;
		assert_memory_equal(line_of(&packet, NULL), rows[i].second, strlen(rows[i].second));
	}
}

static void time__a_day_later__has_all_its_hours(void **state)
{
	const char *expected = " 27:46:40.500000 IP";

	(void)state;
	start(&(struct packet_text_options){ .time = PACKET_TIME_SINCE_LAST });
	line_of(segment(TCP_SYN, 1, 0, 0), NULL);
	segment(TCP_SYN, 1, 0, 0);
	frame.time_ns = NOW + 100000 * SECOND + SECOND / 2;
	assert_memory_equal(line_of(&packet, NULL), expected, strlen(expected));
}

static void time__local_zone__is_honoured(void **state)
{
	const char *expected = "2023-11-15 00:13:20.000000 IP";

	(void)state;
	setenv("TZ", "EET-2", 1);
	tzset();
	start(&(struct packet_text_options){ .time = PACKET_TIME_DATE });
	line_of(segment(TCP_SYN, 1, 0, 0), NULL);
	setenv("TZ", "UTC", 1);
	tzset();
	assert_memory_equal(out_text(&out), expected, strlen(expected));
}

/* A whole IPv4 packet with the checksums of a sending machine: only the pseudo header is summed up. */
static const uint8_t offloaded[] = { 0x45, 0, 0, 0x28, 0, 1, 0x40, 0, 0x40, 6, 0x26, 0xcd, 10, 0, 0, 1, 10, 0, 0, 2, 0xc3, 0x50, 0, 80,
				     0,	   0, 0, 1,    0, 0, 0,	   0, 0x50, 2, 2,    0,	  0x14, 0x1d, 0,   0 };

static void checksum__only_the_pseudo_header__is_offloaded_and_not_wrong(void **state)
{
	(void)state;
	start(&(struct packet_text_options){ .time = PACKET_TIME_NONE, .verbosity = 1 });
	assert_string_equal(decoded(offloaded, sizeof(offloaded), RAW),
			    "IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 40)\n"
			    "    10.0.0.1.50000 > 10.0.0.2.80: Flags [S], cksum 0x141d (offloaded), seq 1, win 512, length 0\n");
}

static void checksum__off_by_one__is_wrong_and_the_right_one_is_named(void **state)
{
	uint8_t bytes[sizeof(offloaded)];

	(void)state;
	memcpy(bytes, offloaded, sizeof(bytes));
	bytes[37]++;
	start(&(struct packet_text_options){ .time = PACKET_TIME_NONE, .verbosity = 1 });
	assert_string_equal(decoded(bytes, sizeof(bytes), RAW),
			    "IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 40)\n"
			    "    10.0.0.1.50000 > 10.0.0.2.80: Flags [S], cksum 0x141e (incorrect -> 0xd63e), seq 1, win 512, length 0\n");
}

static void number__asked_for__stands_first(void **state)
{
	const char *expected = "   17  IP";

	(void)state;
	start(&(struct packet_text_options){ .time = PACKET_TIME_NONE, .number = true });
	segment(TCP_ACK, 1, 1, 30);
	frame.number = 17;
	assert_memory_equal(line_of(&packet, NULL), expected, strlen(expected));
}

static void link_header__vlan__names_every_type(void **state)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 0x81, 0, 0xb0, 5, 8, 0 };
	uint8_t bytes[sizeof(head) + sizeof(offloaded)];

	(void)state;
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + sizeof(head), offloaded, sizeof(offloaded));
	start(&(struct packet_text_options){ .time = PACKET_TIME_NONE, .link_header = true });
	assert_string_equal(decoded(bytes, sizeof(bytes), ETHERNET),
			    "02:00:00:00:00:aa > 02:00:00:00:00:bb, ethertype 802.1Q (0x8100), length 58: vlan 5, p 5, DEI, ethertype IPv4 (0x0800), "
			    "10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0\n");
}

static void link_header__cooked_without_names__interface_is_a_number(void **state)
{
	static const uint8_t head[] = { 8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 0xaa, 0, 0 };
	uint8_t bytes[sizeof(head) + sizeof(offloaded)];

	(void)state;
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + sizeof(head), offloaded, sizeof(offloaded));
	start(&plain);
	assert_string_equal(decoded(bytes, sizeof(bytes), SLL2), "if3   Out IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0\n");
}

static void unknown__ethertype__is_named_with_its_length(void **state)
{
	static const uint8_t bytes[20] = { 2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 0x12, 0x34 };

	(void)state;
	start(&plain);
	assert_string_equal(decoded(bytes, sizeof(bytes), ETHERNET), "02:00:00:00:00:aa > 02:00:00:00:00:bb, ethertype Unknown (0x1234), length 20\n");
	assert_string_equal(decoded(bytes, 9, ETHERNET), " [|ether]\n");
	assert_string_equal(decoded(bytes, sizeof(bytes), 105), "IEEE802_11, length 20\n");
}

/* Behind the text an uncooked payload would clear the screen, ring, and begin a line that looks like another packet. */
static void dump__hostile_payload__only_text_dumps_keep_line_ends(void **state)
{
	static const char payload[] = "\x1b[2J\x07\r\x9b\nIP 6.6.6.6";
	uint8_t bytes[sizeof(offloaded) + sizeof(payload)];
	const char *dump;

	(void)state;
	memcpy(bytes, offloaded, sizeof(offloaded));
	memcpy(bytes + sizeof(offloaded), payload, sizeof(payload));
	bytes[3] = sizeof(bytes);
	for (uint8_t kind = PACKET_DUMP_NONE; kind < PACKET_DUMP_COUNT; kind++) {
		start(&(struct packet_text_options){ .time = PACKET_TIME_NONE, .dump = kind });
		dump = decoded(bytes, sizeof(bytes), RAW);
		for (const char *c = dump; *c; c++) {
			assert_true((*c >= ' ' && *c < 0x7f) || *c == '\n' || *c == '\t');
			if (*c == '\n' && c[1] && kind < PACKET_DUMP_TEXT)
				assert_int_equal(c[1], '\t');
		}
	}
	assert_non_null(strstr(dump, ".[2J...\nIP 6.6.6.6."));
}

static void dump__hex_with_text__is_aligned(void **state)
{
	(void)state;
	start(&(struct packet_text_options){ .time = PACKET_TIME_NONE, .dump = PACKET_DUMP_HEX_TEXT });
	assert_string_equal(decoded(offloaded, sizeof(offloaded), RAW), "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0\n"
									"\t0x0000:  4500 0028 0001 4000 4006 26cd 0a00 0001  E..(..@.@.&.....\n"
									"\t0x0010:  0a00 0002 c350 0050 0000 0001 0000 0000  .....P.P........\n"
									"\t0x0020:  5002 0200 141d 0000                      P.......\n");
}

/* The longest text that a packet can have: a chain of padding in 2 KiB headers, one ICMP error in another. */
static void room__longest_texts__stay_in_it(void **state)
{
	static uint8_t bytes[65536];

	(void)state;
	start(&(struct packet_text_options){ .time = PACKET_TIME_NONE, .verbosity = 3 });
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = 0x60;
	bytes[4] = 0xf0;
	for (size_t at = 40; at + 2048 < sizeof(bytes); at += 2048)
		bytes[at + 1] = 255;
	assert_true(strlen(decoded(bytes, sizeof(bytes), RAW)) < 21000);
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, offloaded, 20);
	bytes[2] = 0xf0;
	bytes[9] = 1;
	for (size_t at = 20; at + 28 < 20000; at += 28) {
		bytes[at] = 11;
		memcpy(bytes + at + 8, bytes, 20);
	}
	assert_true(strlen(decoded(bytes, sizeof(bytes), RAW)) < 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp__handshake__numbers_become_relative_from_the_second_packet_on),
		cmocka_unit_test(tcp__absolute_asked_for__numbers_stay),
		cmocka_unit_test(tcp__syn_on_known_ports__numbers_start_anew),
		cmocka_unit_test(tcp__more_connections_than_the_table_holds__old_ones_start_anew_and_new_ones_are_right),
		cmocka_unit_test(tcp__connection_seen_all_the_time__is_not_pushed_out),
		cmocka_unit_test(tcp__options__stand_in_their_order),
		cmocka_unit_test(tcp__sack__blocks_are_relative_to_the_acknowledged_side),
		cmocka_unit_test(tcp__option_longer_than_the_header__is_bad),
		cmocka_unit_test(tcp__options_cut_by_the_capture__end_there),
		cmocka_unit_test(tcp__all_flags__each_has_its_letter),
		cmocka_unit_test(tcp__header_length_that_cannot_be__is_said),
		cmocka_unit_test(tcp__only_ports_captured__ends_there),
		cmocka_unit_test(udp__ipv6__has_ports_and_length),
		cmocka_unit_test(fragment__not_the_first__has_no_ports),
		cmocka_unit_test(tunnel__two_deep__one_line_with_ids),
		cmocka_unit_test(owner__hostile_name__stands_escaped_behind_the_text),
		cmocka_unit_test(interface__hostile_name__cannot_move_the_cursor),
		cmocka_unit_test(time__each_mode__as_written),
		cmocka_unit_test(time__a_day_later__has_all_its_hours),
		cmocka_unit_test(time__local_zone__is_honoured),
		cmocka_unit_test(checksum__only_the_pseudo_header__is_offloaded_and_not_wrong),
		cmocka_unit_test(checksum__off_by_one__is_wrong_and_the_right_one_is_named),
		cmocka_unit_test(number__asked_for__stands_first),
		cmocka_unit_test(link_header__vlan__names_every_type),
		cmocka_unit_test(link_header__cooked_without_names__interface_is_a_number),
		cmocka_unit_test(unknown__ethertype__is_named_with_its_length),
		cmocka_unit_test(dump__hostile_payload__only_text_dumps_keep_line_ends),
		cmocka_unit_test(dump__hex_with_text__is_aligned),
		cmocka_unit_test(room__longest_texts__stay_in_it),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
