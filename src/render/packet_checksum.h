/* SPDX-License-Identifier: MIT */
/* Checksums as -v shows them: what the field holds, and what it should hold. */
#ifndef TCPTRIAGE_RENDER_PACKET_CHECKSUM_H
#define TCPTRIAGE_RENDER_PACKET_CHECKSUM_H

#include "src/render/packet_parts.h"

/** struct packet_checksum - the outcome of a look: @expected: value that would be right. @offloaded: only the pseudo header is summed up. */
struct packet_checksum {
	uint16_t expected;
	bool good, offloaded;
};

/** packet_checksum_plain() - over @bytes alone (IPv4 header, ICMP). @field: what stands in the field. */
struct packet_checksum packet_checksum_plain(struct cursor bytes, uint16_t field);
/**
 * packet_checksum_transport() - over pseudo header and segment. @length: of the segment.
 * Return: false when not all of it was captured, when it is a fragment or when it lies in a tunnel: nothing can be said.
 */
bool packet_checksum_transport(const struct packet *packet, uint32_t length, uint16_t field, struct packet_checksum *checksum);

#endif
