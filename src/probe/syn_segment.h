/* SPDX-License-Identifier: MIT */
/* SYNs as bytes, and the header of what answers them. Pure; private to this room. */
#ifndef PROBE_SYN_SEGMENT_H
#define PROBE_SYN_SEGMENT_H

#include "tcptriage/decode/cursor.h"
#include "tcptriage/model/address.h"

/** Bytes of a SYN: header and options. */
#define SYN_SEGMENT_BYTES 40

/** struct syn_segment - one SYN. @mss, @timestamp: of its options. */
struct syn_segment {
	struct addr src, dst;
	uint16_t src_port, dst_port, mss;
	uint32_t seq, timestamp;
};

/** syn_segment_build() - the options of a Linux host (MSS, SACK permitted, timestamps, window scale 7), the checksum over the pseudo header of either family. */
void syn_segment_build(const struct syn_segment *segment, uint8_t out[static SYN_SEGMENT_BYTES]);

/** struct syn_answer - header fields of a segment (RFC 9293 §3.1). @flags: enum tcp_flag, the low eight. */
struct syn_answer {
	uint16_t src_port, dst_port;
	uint8_t flags;
	uint32_t seq, ack;
};

/** syn_answer_read() - from the TCP header on. Return: false when it ends before the flags do. */
bool syn_answer_read(struct cursor c, struct syn_answer *out);
/** syn_quote_read() - ports and sequence number of a SYN that a message quotes, of which eight bytes are enough (RFC 792). Return: false when there are fewer. */
bool syn_quote_read(struct cursor c, struct syn_answer *out);

#endif
