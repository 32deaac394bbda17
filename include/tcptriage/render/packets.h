/* SPDX-License-Identifier: MIT */
/* Packets as lines of text, in the format of tcpdump 4.99 with -n: what `tcptriage capture --packets` prints.
 *
 * Plain IPv4, IPv6, TCP, UDP, ICMP and ICMPv6 read as there, byte for byte. What differs on purpose (tests/oracle/compare_tcpdump.py holds
 * every difference against the real tcpdump):
 * - No application is read: DNS, NTP, HTTP and the like are `UDP, length n` and `length n`.
 * - A tunnel stays on one line, with its kind and id: `IP a > b: VXLAN, vni 42: IP c.1 > d.2: …`.
 * - What is not read (a network or transport protocol) is named with its length and never dumped unasked.
 * - A checksum that the network card is still to fill in says `(offloaded)` instead of `(incorrect …)`.
 * - AE (RFC 9768), the ninth TCP flag, prints as `e`.
 * - A time difference of a day and more shows all of its hours.
 */
#ifndef TCPTRIAGE_RENDER_PACKETS_H
#define TCPTRIAGE_RENDER_PACKETS_H

#include "tcptriage/base/out.h"
#include "tcptriage/model/packet.h"

/** enum packet_time - what stands before a packet: tcpdump's default, -t, -tt, -ttt, -tttt, -ttttt. */
enum packet_time {
	PACKET_TIME_CLOCK,	 /* local time of day */
	PACKET_TIME_NONE,
	PACKET_TIME_EPOCH,	 /* seconds since 1970 */
	PACKET_TIME_SINCE_LAST,	 /* since the packet before */
	PACKET_TIME_DATE,	 /* local date and time of day */
	PACKET_TIME_SINCE_FIRST,
	PACKET_TIME_COUNT
};

/** enum packet_dump - which bytes follow a packet, and how: -x, -xx, -X, -XX, -A, -AA. */
enum packet_dump {
	PACKET_DUMP_NONE,
	PACKET_DUMP_HEX,
	PACKET_DUMP_HEX_LINK,	   /* with the link header */
	PACKET_DUMP_HEX_TEXT,
	PACKET_DUMP_HEX_TEXT_LINK,
	PACKET_DUMP_TEXT,	   /* keeps line ends and tabs of the payload, as tcpdump does; no other control byte */
	PACKET_DUMP_TEXT_LINK,
	PACKET_DUMP_COUNT
};

/**
 * struct packet_text_options - how packets are printed.
 * @verbosity: 0 … 3 for -v, -vv, -vvv. @time: enum packet_time. @dump: enum packet_dump.
 * @link_header: -e. @absolute_seq: -S. @number: -#. @skip_checksums: -K.
 * @interface_name: names the interface of a packet, NULL for one that has no name; called for each packet, so it must be cheap. NULL as a
 * whole: no interface is printed, but for Linux cooked v2 ("if3"). @interface_context: handed to it.
 */
struct packet_text_options {
	uint8_t verbosity, time, dump;
	bool link_header, absolute_seq, number, skip_checksums;
	const char *(*interface_name)(const void *context, const struct packet *packet);
	const void *interface_context;
};

struct packet_seq;

/**
 * struct packet_text - what is remembered from one packet to the next.
 * @seqs: first sequence numbers of the connections seen, for relative numbers: a bounded table (65536 connections, 4 MiB) in which the one
 * not seen for longest among eight gives way, whose numbers then start anew. @second, @second_text: the last whole second as text.
 */
struct packet_text {
	struct packet_text_options options;
	struct packet_seq *seqs;
	int64_t first_ns, last_ns, second;
	bool started;
	uint8_t second_len;
	char second_text[32];
};

/** packet_text_init() - a printer; @options is copied. Close it with packet_text_close(). */
void packet_text_init(struct packet_text *text, const struct packet_text_options *options);
/** packet_text_close() - gives back its memory. Fit for CLEANUP(). */
void packet_text_close(struct packet_text *text);

/**
 * packet_text_line() - one packet with its line end; with -v and dumps it takes several lines.
 * @packet: as packet_decode() left it, whatever its status; its frame must still be there. @owner: whose packet it is ("nginx[812]"), printed
 * behind the text and escaped here; NULL when nobody knows. No byte of the packet can move a cursor or, but for PACKET_DUMP_TEXT, begin a line.
 */
void packet_text_line(struct out *out, struct packet_text *text, const struct packet *packet, const char *owner);

#endif
