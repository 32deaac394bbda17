/* SPDX-License-Identifier: MIT */
/* Frames made by hand for tests of the decoder: headers are appended from the outside in, lengths and checksums are put in by maker_close().
 *
 *	struct maker m = { 0 };
 *	maker_ethernet(&m, 0x0800);
 *	maker_ipv4(&m, 6);
 *	maker_tcp(&m, 0x10, NULL, 0);
 *	maker_zeros(&m, 100);
 *	assert_int_equal(maker_decode(&m, 1, &packet), DECODE_OK);
 *
 * Inner and outer headers get addresses and ports that tell them apart: the first IP header is 10.0.0.1 > 10.0.0.2 or 2001:db8::1 >
 * 2001:db8::2, the next one 10.0.1.1 > 10.0.1.2 or 2001:db8:0:1::1 > …, and so on. */
#ifndef TCPTRIAGE_TESTS_SUPPORT_FRAME_MAKER_H
#define TCPTRIAGE_TESTS_SUPPORT_FRAME_MAKER_H

#include <stdlib.h>
#include <string.h>

#include "tcptriage/decode/packet.h"

#define MAKER_BYTES 4096
#define MAKER_LENGTHS 16
#define MAKER_SRC_PORT 40000
#define MAKER_SEQ 0x01020304u

/** struct maker - a frame as far as it is made. @length: fields to be put in, each of 16 bits: where, and from where the length counts. */
struct maker {
	uint8_t bytes[MAKER_BYTES];
	size_t len, length_count;
	struct {
		size_t at, from;
	} length[MAKER_LENGTHS];
	unsigned ip_headers;
};

static inline void maker_bytes(struct maker *m, const void *bytes, size_t len)
{
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static inline void maker_zeros(struct maker *m, size_t len)
{
	memset(m->bytes + m->len, 0, len);
	m->len += len;
}

static inline void maker_u8(struct maker *m, unsigned value)
{
	m->bytes[m->len++] = (uint8_t)value;
}

static inline void maker_u16(struct maker *m, unsigned value)
{
	maker_u8(m, value >> 8);
	maker_u8(m, value);
}

static inline void maker_u32(struct maker *m, uint32_t value)
{
	maker_u16(m, value >> 16);
	maker_u16(m, value);
}

/** maker_length() - a 16-bit length field here, which counts from @from to the end of the frame. */
static inline void maker_length(struct maker *m, size_t from)
{
	m->length[m->length_count].at = m->len;
	m->length[m->length_count++].from = from;
	maker_u16(m, 0);
}

static inline void maker_ethernet(struct maker *m, unsigned ethertype)
{
	maker_bytes(m, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
	maker_u16(m, ethertype);
}

/** maker_ipv4() - twenty bytes: DF, TTL 64, id 0x1234. */
static inline void maker_ipv4(struct maker *m, unsigned protocol)
{
	size_t start = m->len;

	maker_u16(m, 0x4500);
	maker_length(m, start);
	maker_u32(m, 0x12344000);
	maker_u8(m, 64);
	maker_u8(m, protocol);
	maker_u16(m, 0);
	maker_u32(m, 0x0a000001 + (m->ip_headers << 8));
	maker_u32(m, 0x0a000002 + (m->ip_headers << 8));
	m->ip_headers++;
}

static inline void maker_addr6(struct maker *m, unsigned host)
{
	maker_u32(m, 0x20010db8);
	maker_u32(m, m->ip_headers);
	maker_u32(m, 0);
	maker_u32(m, host);
}

/** maker_ipv6() - forty bytes: hop limit 64, flow label 0x12345. */
static inline void maker_ipv6(struct maker *m, unsigned next)
{
	maker_u32(m, 0x60012345);
	maker_length(m, m->len + 36);
	maker_u8(m, next);
	maker_u8(m, 64);
	maker_addr6(m, 1);
	maker_addr6(m, 2);
	m->ip_headers++;
}

/** maker_ip() - the header of either version. */
static inline void maker_ip(struct maker *m, bool is_v6, unsigned protocol)
{
	if (is_v6)
		maker_ipv6(m, protocol);
	else
		maker_ipv4(m, protocol);
}

/** maker_tcp() - MAKER_SRC_PORT > 80, seq MAKER_SEQ, window 512, with @len bytes of options (a multiple of four). */
static inline void maker_tcp(struct maker *m, unsigned flags, const void *options, size_t len)
{
	maker_u16(m, MAKER_SRC_PORT);
	maker_u16(m, 80);
	maker_u32(m, MAKER_SEQ);
	maker_u32(m, 0x05060708);
	maker_u16(m, (unsigned)((20 + len) / 4) << 12 | flags);
	maker_u16(m, 512);
	maker_u32(m, 0);
	if (len)
		maker_bytes(m, options, len);
}

static inline void maker_udp(struct maker *m, unsigned dst_port)
{
	size_t start = m->len;

	maker_u16(m, MAKER_SRC_PORT);
	maker_u16(m, dst_port);
	maker_length(m, start);
	maker_u16(m, 0);
}

/** maker_close() - puts the lengths in. Again after more bytes, as often as wanted. */
static inline void maker_close(struct maker *m)
{
	for (size_t i = 0; i < m->length_count; i++) {
		size_t value = m->len - m->length[i].from;

		m->bytes[m->length[i].at] = (uint8_t)(value >> 8);
		m->bytes[m->length[i].at + 1] = (uint8_t)value;
	}
}

/** maker_sum() - the Internet checksum over @len bytes from @at on, added to @sum. */
static inline uint32_t maker_sum(const struct maker *m, size_t at, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? m->bytes[at + i] : (uint32_t)m->bytes[at + i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline void maker_put16(struct maker *m, size_t at, unsigned value)
{
	m->bytes[at] = (uint8_t)(value >> 8);
	m->bytes[at + 1] = (uint8_t)value;
}

/** maker_decode_frame() - decode from memory that is exactly as long as @frame->captured, so that a sanitizer sees a read behind it. */
static inline enum decode_status maker_decode_frame(struct frame *frame, const struct decode_options *options, struct packet *packet)
{
	uint8_t *exact = malloc(frame->captured ? frame->captured : 1);
	enum decode_status status;

	if (!exact)
		abort();
	memcpy(exact, frame->bytes, frame->captured);
	frame->bytes = exact;
	memset(packet, 0xa5, sizeof(*packet));
	status = packet_decode(frame, options, packet);
	free(exact);
	return status;
}

/** maker_decode_cut() - decode the frame of which a capture kept the first @captured bytes. @packet: its pointers are no longer to be followed. */
static inline enum decode_status maker_decode_cut(struct maker *m, uint32_t link_type, size_t captured, struct packet *packet)
{
	static struct frame frame;

	maker_close(m);
	frame = (struct frame){ .bytes = m->bytes, .captured = (uint32_t)captured, .wire = (uint32_t)m->len, .link_type = link_type, .number = 1 };
	return maker_decode_frame(&frame, NULL, packet);
}

/** maker_decode() - decode the whole frame. */
static inline enum decode_status maker_decode(struct maker *m, uint32_t link_type, struct packet *packet)
{
	return maker_decode_cut(m, link_type, m->len, packet);
}

#endif
