/* SPDX-License-Identifier: MIT */
/* A capture as a whole: its totals, how far it can be trusted, and the tables beside its flows. */
#ifndef TCPTRIAGE_MODEL_CAPTURE_H
#define TCPTRIAGE_MODEL_CAPTURE_H

#include "tcptriage/model/event.h"

/**
 * struct capture_totals - counted over all packets of a run.
 * @packets, @bytes: frames and their bytes on the wire. @status: by outcome of decoding. @by_layer: of those not OK, by layer. @ip, @tcp, @udp,
 * @icmp: packets by protocol. @fragments: IP fragments; @trains: datagrams that came in fragments, @trains_lost of them incomplete.
 * @events: by kind. @flows: seen; @expired, @evicted: that had to make room. @flows_one_way: of which one direction is missing (flow_half_seen(); a
 * flow that nobody answers is none).
 * @midstream: TCP flows whose beginning was not seen. @duplicates: frames taken out. @super_segments: larger than the MSS (offload).
 * @payload_cut: packets whose payload the snaplen cut (no loss of headers). @bad_checksums, @offloaded_checksums. @clock_back: steps back,
 * @clock_jumps: of more than a second back; @clock_back_max_us. @first_ns, @last_ns: of packets, 0 none; the last is
 * the end of a live capture that went on without more (flows_watched()). @icmp_unmatched: ICMP errors that quote a flow of which nothing was seen. @troubles_forgotten: times that
 * something in a connection could not be remembered until its next packet, because too many were in trouble at once. @reports_lost, @trains_dropped, @loops_lost: beyond what the tables keep.
 */
struct capture_totals {
	uint64_t packets, bytes;
	uint64_t status[DECODE_STATUS_COUNT], by_layer[LAYER_COUNT];
	uint64_t ip, tcp, udp, icmp, fragments, trains, trains_lost;
	uint64_t events[EVENT_KIND_COUNT];
	uint64_t flows, expired, evicted, flows_one_way, midstream;
	uint64_t duplicates, super_segments, payload_cut, bad_checksums, offloaded_checksums;
	uint64_t clock_back, clock_jumps, icmp_unmatched, troubles_forgotten, reports_lost, trains_dropped, loops_lost;
	int64_t first_ns, last_ns, clock_back_max_us;
};

/**
 * struct capture_source - where packets came from and what was lost before they were seen.
 * @name: interface or file, as asked for (text from outside). @link_type: LINKTYPE_* of the first interface. @several_link_types. @live.
 * @snaplen: bytes kept of each packet, 0 unknown. @has_drops: @received, @dropped_kernel, @dropped_interface are known (live, or pcapng's statistics):
 * differences over the run. @cut: a file ended in the middle of a packet. @mtu: of the interface, 0 unknown. @offload: the interface joins segments.
 * @one_direction: -Q in or -Q out was asked for. @promiscuous, @filter: as asked for ("" none). @nanoseconds: times may be no whole microseconds, so a file of them would lose digits.
 */
struct capture_source {
	const char *name, *filter;
	uint32_t link_type, snaplen, mtu;
	uint64_t received, dropped_kernel, dropped_interface;
	bool several_link_types, live, has_drops, cut, offload, promiscuous, nanoseconds, one_direction;
};

/**
 * struct icmp_report - ICMP errors of one class from one reporter about one destination.
 * @class, @type, @code: the first's type and code. @count. @flow_number: of one of the flows it quotes, 0 none seen. @mtu_min, @mtu_max: told
 * (ICMP_TOO_BIG). @quoted: protocol and endpoints of the newest quote (ports 0 unknown). @quoted_ip_max: largest IP length quoted. @hop_limit: of the quote.
 * @obeyed: after it the flow sent no larger packet (ICMP_TOO_BIG). @first_ns, @last_ns. @echoes: how many of them quote an ICMP echo or a UDP
 * port of traceroute (33434–33534), which is what a running traceroute draws.
 */
struct icmp_report {
	struct addr reporter;
	uint8_t class, type, code, protocol, hop_limit;
	bool obeyed;
	struct endpoint src, dst;
	uint64_t count, echoes, flow_number;
	uint32_t mtu_min, mtu_max, quoted_ip_max;
	int64_t first_ns, last_ns;
};

/** struct fragment_train - one datagram in fragments. @got: bytes that came, @total: its length, 0 while the last fragment is missing. @has_first: the first came. */
struct fragment_train {
	struct addr src, dst;
	uint32_t id, got, total, fragments;
	uint8_t protocol;
	bool has_first, overlaps;
	int64_t first_ns, last_ns;
};

/** struct loop_report - one packet that came by again with a lower TTL. @step: hops of the loop. @count: passes seen. */
struct loop_report {
	struct addr src, dst;
	uint8_t protocol, ttl_first, ttl_last, step;
	uint32_t count;
	int64_t first_ns;
};

/**
 * struct flow_owner - who holds the socket of a live flow, asked when the flow was first seen and again at the end.
 * @comm, @unit: text from outside. @cookie: 0 unknown. @pid: 0 unknown. @gone: the socket was gone at the end. @has_first, @has_last: which of
 * the tcp_info numbers are known. @retrans_first, @retrans_last: tcpi_total_retrans; @rtt_us_…, @snd_mss_…, @pmtu_…, @unacked_…: as named in tcp_info.
 */
struct flow_owner {
	uint32_t pid, uid;
	uint64_t cookie;
	char comm[16], unit[64];
	bool has_first, has_last, gone;
	struct flow_owner_info {
		uint32_t state, retrans, rtt_us, snd_mss, pmtu, unacked;
	} first, last;
};

#endif
