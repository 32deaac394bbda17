/* SPDX-License-Identifier: MIT */
/* One flow as packets showed it: a TCP connection, a UDP or ICMP exchange between two endpoints. Plain data between track/ and
 * everything that judges or prints.
 *
 * Side 0 is the initiator as far as packets tell: who sent the SYN, else who was seen first (FLOW_INITIATOR_KNOWN tells which).
 * A number that packets could not show is absent by its has-bit or by the value that its docstring names, never by 0.
 * Sizes are chosen so that a flow with all that is tracked beside it stays within 512 bytes (flow_table.h). */
#ifndef TCPTRIAGE_MODEL_FLOW_H
#define TCPTRIAGE_MODEL_FLOW_H

#include "tcptriage/model/packet.h"

/** enum flow_state - how far a TCP connection came, as seen from the wire. */
enum flow_state {
	FLOW_OTHER,	   /* not TCP */
	FLOW_MIDSTREAM,	   /* TCP whose handshake was not seen */
	FLOW_SYN_SENT,	   /* SYN, no answer yet */
	FLOW_SYN_RECEIVED, /* SYN and SYN-ACK */
	FLOW_ESTABLISHED,  /* handshake complete */
	FLOW_CLOSING,	   /* one FIN */
	FLOW_CLOSED,	   /* both FINs */
	FLOW_RESET,	   /* an RST ended it */
	FLOW_REFUSED,	   /* RST or ICMP answered the SYN */
	FLOW_STATE_COUNT
};
/** flow_state_name() - "midstream", "syn-sent", … as in JSON; "" for FLOW_OTHER. */
const char *flow_state_name(enum flow_state state);

/** What is known of a flow: bits of flow.flags. */
enum flow_flag {
	FLOW_INITIATOR_KNOWN = 1 << 0,	/* the first SYN was seen, or only one side can have sent it */
	FLOW_SAW_SYN = 1 << 1,
	FLOW_SAW_SYN_ACK = 1 << 2,
	FLOW_HAS_HANDSHAKE_RTT = 1 << 3,
	FLOW_PORT_REUSE = 1 << 4,	/* an earlier connection of the same tuple stood before it */
	FLOW_CHALLENGED = 1 << 5,	/* its SYN was answered with a bare ACK of another sequence (RFC 5961 §4) */
	FLOW_SUPER_SEGMENTS = 1 << 6,	/* segments larger than the MSS: offload joined them before the capture (GSO, GRO) */
	FLOW_BOTH_SYN = 1 << 7,		/* simultaneous or split open */
	FLOW_CRASHED = 1 << 8,		/* ended by RST or silence with a request unanswered */
	FLOW_RESET_BY_BOX = 1 << 9,	/* its RST does not look like the other packets of that side */
	FLOW_RESET_ALIEN_TTL = 1 << 10, /* … by its TTL */
	FLOW_RESET_ALIEN_ID = 1 << 11,	/* … by IP id 0 without DF, where that side counts */
	FLOW_RESET_NO_TIMESTAMP = 1 << 12, /* … lacks the timestamps that were agreed on */
	FLOW_RESET_AFTER_FIN = 1 << 13,	/* within a second of a FIN of the same side: a normal abortive close */
	FLOW_RESET_UNREAD = 1 << 14,	/* whoever reset it had not answered the last data */
	FLOW_RACE = 1 << 15,		/* data crossed a FIN or was answered by RST */
	FLOW_SYN_TO_DATA = 1 << 16,	/* payload passed after a handshake */
	FLOW_LOCAL_KNOWN = 1 << 17,	/* @local_side says which side is this machine */
	FLOW_BROADCAST = 1 << 18,	/* to a multicast or broadcast address: no answer is owed */
};

/** Which numbers of a struct flow_side are known: bits of flow_side.has. */
enum flow_side_has {
	SIDE_HAS_MSS = 1 << 0,	      /* it sent a SYN with the option */
	SIDE_HAS_SYN = 1 << 1,	      /* its SYN or SYN-ACK was seen */
	SIDE_HAS_WSCALE = 1 << 2,     /* both SYNs were seen, and @wscale holds for its windows (0 when scaling was not agreed on) */
	SIDE_HAS_TIMESTAMPS = 1 << 3,
	SIDE_HAS_SACK_PERMITTED = 1 << 4,
	SIDE_HAS_RTT = 1 << 5,
	SIDE_SENT_FIN = 1 << 6,
	SIDE_SENT_RST = 1 << 7,
	SIDE_HAS_SEQ = 1 << 8,	      /* @seq_next is worth something */
	SIDE_HAS_ACK = 1 << 9,	      /* @ack is worth something */
	SIDE_COUNTS_ID = 1 << 10,     /* its IPv4 ids rise by small steps, so they order its packets */
	SIDE_SYN_WITHOUT_MSS = 1 << 11,
};

/**
 * struct flow_side - what one side sent. Bytes are of IP packets as on the wire; sizes named ip_ include the IP header. A 16-bit count stays
 * at 65535 when there is more.
 * @packets, @bytes, @payload: sent; payload counts repeated bytes each time. @last_ns, @last_payload_ns: of its newest packet and data; 0 none.
 * @isn: of its SYN. @seq_next: one past the highest sequence number it sent. @ack: highest acknowledgement it sent.
 * @retransmissions: segments whose bytes were seen before from this side, or that fill a hole later than reordering explains; of these
 * @timeouts (RTO: after a silence of 200 ms or more and no three duplicate ACKs), @fast (after duplicate ACKs or SACK), @spurious (the bytes had
 * arrived: acknowledged before, DSACK, or the ACK echoes the first copy's timestamp). SYN and FIN repetitions count in @syn_retries and here.
 * @out_of_order: segments that came late but were sent once. @duplicate_acks: RFC 5681 §2. @acked_unseen: acknowledgements it sent for bytes of the
 * other side that the capture never saw: loss in the capture. @duplicates: frames taken out because they are copies (same IP id, sequence and timestamp).
 * @dsacks: DSACK blocks it sent (RFC 2883). @zero_windows, @window_fulls, @probes (of a zero window), @keepalives (of which the other side answered
 * @keepalive_acks), @resets, @fins, @syns (SYN and SYN-ACK, repetitions included), @syn_retries.
 * @rtt_…_us: from its data to the other side's acknowledgement of it, never from a retransmitted segment (RFC 6298 §3, Karn), @rtt_count samples.
 * @mss, @wscale: from its SYN. @max_payload: largest segment it sent; @ip_acked_max: largest IP packet of it whose bytes were acknowledged,
 * @ip_dead_min: smallest IP packet that was sent three times or more and never acknowledged, 0 none; @dead_tries, @dead_ms: how often and over
 * how long, @dead_since_ms: when it was first sent, after the flow's first packet. Super-segments (offload) count as MSS-sized.
 * @ttl_min, @ttl_max: of its packets other than RST, @ttl_reset: of its last RST.
 * @nagle_stalls: small segments that waited for a delayed ACK, of @nagle_cycles small writes; @nagle_ms_min, @nagle_ms_max: shortest and longest wait.
 * @zero_window_ms: longest time its window stayed shut, the one that still lasts included (@window_shut).
 */
struct flow_side {
	/* what every packet touches stands first */
	uint64_t bytes, payload;
	int64_t last_ns, last_payload_ns;
	uint32_t packets, isn, seq_next, ack;
	uint16_t has, mss, max_payload, ip_acked_max;
	uint8_t wscale, ttl_min, ttl_max, ttl_reset;
	uint16_t nagle_cycles;
	bool window_shut;
	uint32_t rtt_min_us, rtt_max_us, rtt_count;
	uint32_t retransmissions, spurious, out_of_order, duplicate_acks, duplicates;
	uint32_t dead_ms, dead_since_ms, zero_window_ms;
	uint16_t timeouts, fast, dsacks, zero_windows, keepalives, keepalive_acks, acked_unseen;
	uint16_t window_fulls, probes, resets, fins, syns, syn_retries;
	uint16_t ip_dead_min, dead_tries;
	uint16_t nagle_stalls, nagle_ms_min, nagle_ms_max;
};

/**
 * struct flow - one flow. Keys keep VLAN and tunnel apart.
 * @first_ns: of its first packet. @end: side 0 and 1; ports 0 without ports (ICMP: echo id in both). @protocol: IANA number. @vlan: innermost VLAN id, 0 none. @tunnel_kind,
 * @tunnel_id: of the innermost tunnel. @state: enum flow_state. @number: from 1 on, in order of first sight; stays when a slot is used again.
 * @handshake_rtt_us: SYN to SYN-ACK and on to the ACK, which is the whole path wherever it was captured (FLOW_HAS_HANDSHAKE_RTT;
 * none when one of them was sent more than once). @syn_wait_ms: first SYN to the answer, or to the end of what was seen.
 * @idle_max_ms: longest silence that the flow survived. @idle_last_ms: silence before the packet that was answered by RST, or before the close.
 * @closer: side whose FIN or RST came first (2: none). @resetter: side whose RST was last (2: none). @close_idle_ms: last payload to that FIN or RST.
 * @request_hash: of the first 64 payload bytes of side 0, 0 unknown. @icmp_errors: ICMP errors that quote it, the last one's @icmp_class and @icmp_mtu
 * (smallest told, 0 none), @icmp_report: index + 1 into the capture's icmp reports, 0 none. @interfaces: bit i mod 32 for each interface that it was seen on.
 * @owner: index + 1 into the run's owners, 0 none. @local_side: which side this machine is (FLOW_LOCAL_KNOWN).
 * @answered: UDP: requests of side 0 that a reply followed. @asked: UDP: datagrams of side 0 with none of side 1 in between counted once.
 */
struct flow {
	struct endpoint end[2];
	uint32_t tunnel_id, flags;
	uint16_t vlan;
	uint8_t tunnel_kind, protocol, state, closer, resetter, local_side;
	uint64_t number;
	int64_t first_ns;
	struct flow_side side[2];
	uint64_t request_hash;
	uint32_t handshake_rtt_us, syn_wait_ms, idle_max_ms, idle_last_ms, close_idle_ms;
	uint32_t interfaces, owner, asked, answered;
	uint16_t icmp_errors, icmp_mtu, icmp_report;
	uint8_t icmp_class;
};

/** flow_last_ns() - time of its newest packet. */
int64_t flow_last_ns(const struct flow *flow);
/** flow_unacked() - bytes that @side sent and the other did not acknowledge, as far as both were seen; 0 unknown. */
uint32_t flow_unacked(const struct flow *flow, unsigned side);
/** flow_one_way() - only one side was seen, and an answer was owed. */
bool flow_one_way(const struct flow *flow);
/** flow_half_seen() - only one side of a TCP connection was seen, though it goes on as one does that is answered: the capture lacks the other direction. */
bool flow_half_seen(const struct flow *flow);
/** flow_is_open() - a TCP flow that packets did not show to end. */
bool flow_is_open(const struct flow *flow);
/** flow_protocol_name() - "tcp", "udp", "icmp", "icmp6", NULL for others (print the number). */
const char *flow_protocol_name(uint8_t protocol);

/** IANA protocol numbers that flows have. */
enum ip_protocol { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMPV6 = 58 };

#endif
