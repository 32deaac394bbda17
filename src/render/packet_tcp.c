/* SPDX-License-Identifier: MIT */
/* TCP from its flags to its length. */
#include "src/render/packet_checksum.h"
#include "src/render/packet_seq.h"

#define TCP_HEADER_MIN 20

/* A letter for each bit, as tcpdump writes them; without a branch, for flags change with every packet. */
static char *put_flags(char *at, uint16_t flags)
{
	static const char letters[9] = { 'F', 'S', 'R', 'P', '.', 'U', 'E', 'W', 'e' };

	if (UNLIKELY(!(flags & 0x1ff)))
		return put_lit(at, "none");
	for (unsigned bit = 0; bit < ARRAY_SIZE(letters); bit++) {
		*at = letters[bit];
		at += flags >> bit & 1;
	}
	return at;
}

static char *put_too_long(char *at, unsigned header, uint32_t length)
{
	at = put_lit(at, " [bad hdr length ");
	at = put_u64(at, header);
	at = put_lit(at, " - too long, > ");
	at = put_u64(at, length);
	*at++ = ']';
	return at;
}

static char *put_too_short(char *at, unsigned header, uint32_t length)
{
	at = put_lit(at, " tcp ");
	at = put_u64(at, length - header);
	at = put_lit(at, " [bad hdr length ");
	at = put_u64(at, header);
	return put_lit(at, " - too short, < 20]");
}

static char *put_checksum(char *at, const struct packet *packet, uint32_t length)
{
	struct packet_checksum checksum;

	if (!packet_checksum_transport(packet, length, packet->tcp.checksum_field, &checksum))
		return at;
	at = put_lit(at, ", cksum 0x");
	at = put_u16_hex(at, packet->tcp.checksum_field);
	if (checksum.good)
		return put_lit(at, " (correct)");
	if (checksum.offloaded)
		return put_lit(at, " (offloaded)");
	at = put_lit(at, " (incorrect -> 0x");
	at = put_u16_hex(at, checksum.expected);
	return put_lit(at, ")");
}

/* Everything that a whole header says. @payload: bytes behind it. */
static char *put_numbers(char *at, const struct packet_line *line, const struct packet_seq_base *base, uint32_t payload)
{
	const struct tcp_header *tcp = &line->packet->tcp;
	uint32_t seq = tcp->seq - base->seq;

	if (payload || tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST) || line->options->verbosity > 1) {
		at = put_lit(at, ", seq ");
		at = put_u64(at, seq);
		if (payload) {
			*at++ = ':';
			at = put_u64(at, (uint32_t)(seq + payload));
		}
	}
	if (tcp->flags & TCP_ACK) {
		at = put_lit(at, ", ack ");
		at = put_u64(at, (uint32_t)(tcp->ack - base->ack));
	}
	at = put_lit(at, ", win ");
	at = put_u64(at, tcp->window);
	if (tcp->flags & TCP_URG) {
		at = put_lit(at, ", urg ");
		at = put_u64(at, tcp->urgent);
	}
	return at;
}

char *packet_tcp_put(char *at, const struct packet_line *line)
{
	const struct packet *packet = line->packet;
	const struct tcp_header *tcp = &packet->tcp;
	uint32_t length = packet_transport_length(packet);
	struct packet_seq_base base = { 0 };
	bool whole = true;

	if (UNLIKELY(tcp->header < TCP_HEADER_MIN))
		return put_too_short(at, tcp->header, length);
	at = put_lit(at, "Flags [");
	at = put_flags(at, tcp->flags);
	*at++ = ']';
	if (!line->options->absolute_seq && tcp->flags & TCP_ACK)
		base = packet_seq_base(line->seqs, &packet->ip, tcp);
	if (UNLIKELY(tcp->header > length))
		return put_too_long(at, tcp->header, length);
	if (line->options->verbosity && !line->options->skip_checksums)
		at = put_checksum(at, packet, length);
	at = put_numbers(at, line, &base, length - tcp->header);
	if (tcp->header > TCP_HEADER_MIN)
		at = packet_tcp_options_put(at, tcp, base.sack, &whole);
	if (UNLIKELY(!whole))
		return at;
	at = put_lit(at, ", length ");
	return put_u64(at, length - tcp->header);
}
