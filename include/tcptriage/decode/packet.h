/* SPDX-License-Identifier: MIT */
/* The one decoder of packets: bytes of a frame to a struct packet. Pure: no I/O, no allocation, bounded work for any bytes. */
#ifndef TCPTRIAGE_DECODE_PACKET_H
#define TCPTRIAGE_DECODE_PACKET_H

#include "tcptriage/model/packet.h"

/**
 * struct decode_options - what the caller wants beyond the headers.
 * @checksums: verify those that are all there; of packets that this machine sent (DIRECTION_OUT) none is, for the network card fills them in.
 */
struct decode_options {
	bool checksums;
};

/** link_type_name() - "EN10MB", "LINUX_SLL2", … as pcap names them; NULL for a number that is not known. */
const char *link_type_name(uint32_t link_type);
/** link_type_supported() - frames of this link type are decoded. */
bool link_type_supported(uint32_t link_type);

/**
 * packet_decode() - decode @frame into @packet.
 * @options: NULL for none. @packet: every member is worth what its docstring says, whatever the outcome: what stood before the place where
 * decoding ended is filled.
 * Return: packet->status. DECODE_TRUNCATED when a header is cut by the capture (captured < wire), DECODE_MALFORMED when bytes contradict
 * themselves or end on the wire before a header does, DECODE_UNSUPPORTED for what is not read (@packet->layer tells: LAYER_LINK a link type,
 * LAYER_OTHER a protocol, LAYER_TUNNEL too deep a nest). A packet whose payload alone is cut is DECODE_OK.
 * Of a later fragment no transport header is read, which is DECODE_OK. A packet that is longer than its frame, by its own IP header, lost its
 * end where nobody wrote it down (a converted capture): DECODE_TRUNCATED at its IP layer, but what follows is read and its length believed.
 * DECODE_TRUNCATED with PACKET_HAS_TCP is therefore a segment whose sequence numbers and payload length count.
 * Of an ICMP error whose quote cannot be read the status is the quote's; one that quotes a protocol that is not read is DECODE_OK.
 */
enum decode_status packet_decode(const struct frame *frame, const struct decode_options *options, struct packet *packet);

#endif
