/* SPDX-License-Identifier: MIT */
/* Relative sequence numbers: the first numbers of each connection, in a bounded table. */
#ifndef TCPTRIAGE_RENDER_PACKET_SEQ_H
#define TCPTRIAGE_RENDER_PACKET_SEQ_H

#include "tcptriage/model/packet.h"

struct packet_seq;

/**
 * struct packet_seq_base - what is taken off the numbers of one segment.
 * @seq, @ack: 0 for the segment that the connection is first seen with (it prints as on the wire). @sack: taken off SACK blocks.
 */
struct packet_seq_base {
	uint32_t seq, ack, sack;
};

/** packet_seq_new() - an empty table. Give it to packet_seq_free(). */
struct packet_seq *packet_seq_new(void);
/** packet_seq_free() - frees a table; NULL is fine. */
void packet_seq_free(struct packet_seq *table);
/** packet_seq_base() - looks the connection of an acknowledging segment up, and enters it when it is new or begins anew (SYN). */
struct packet_seq_base packet_seq_base(struct packet_seq *table, const struct ip_header *ip, const struct tcp_header *tcp);

#endif
