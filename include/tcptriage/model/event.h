/* SPDX-License-Identifier: MIT */
/* What happens in flows and is worth a line: SYN retries, resets, retransmissions, ICMP errors, … */
#ifndef TCPTRIAGE_MODEL_EVENT_H
#define TCPTRIAGE_MODEL_EVENT_H

#include "tcptriage/model/flow.h"

/** enum event_kind - the names (event_kind_name()) are the keys of "events" in JSON. */
enum event_kind {
	EVENT_SYN_RETRY,
	EVENT_SYN_ACK_RETRY,
	EVENT_REFUSED,		      /* RST answers a SYN */
	EVENT_RESET,		      /* RST ends a connection */
	EVENT_TIMEOUT_RETRANSMISSION, /* RTO */
	EVENT_FAST_RETRANSMISSION,
	EVENT_RETRANSMISSION,	      /* of neither kind: tail loss probe, go-back-N after an RTO */
	EVENT_SPURIOUS_RETRANSMISSION, /* shown to be unneeded; counted besides the kinds above */
	EVENT_OUT_OF_ORDER,
	EVENT_DUPLICATE_ACK,
	EVENT_ZERO_WINDOW,
	EVENT_WINDOW_OPEN,	      /* a shut window opens again */
	EVENT_WINDOW_FULL,
	EVENT_ZERO_WINDOW_PROBE,
	EVENT_KEEPALIVE,
	EVENT_PORT_REUSE,
	EVENT_CHALLENGE_ACK,
	EVENT_NAGLE_STALL,
	EVENT_IDLE_RESET,	      /* RST after a silence of 30 s or more; counted besides EVENT_RESET */
	EVENT_CAPTURE_LOSS,	      /* bytes were acknowledged that the capture never saw */
	EVENT_DUPLICATE_FRAME,
	EVENT_PACKET_TOO_BIG,
	EVENT_UNREACHABLE,
	EVENT_TIME_EXCEEDED,
	EVENT_OTHER_ICMP_ERROR,
	EVENT_FRAGMENTS_LOST,	      /* a datagram whose fragments did not all come */
	EVENT_ROUTING_LOOP,	      /* the same packet again with a lower TTL */
	EVENT_BAD_CHECKSUM,
	EVENT_CLOCK_BACK,
	EVENT_KIND_COUNT
};
/** event_kind_name() - "syn_retry", "zero_window", …: keys of JSON. */
const char *event_kind_name(enum event_kind kind);
/** event_kind_title() - "SYN retry", "zero window", …: words of a line. */
const char *event_kind_title(enum event_kind kind);
/** event_kind_is_quiet() - counted, but no line of its own: it is frequent in healthy traffic. */
bool event_kind_is_quiet(enum event_kind kind);

/**
 * struct event - one happening; valid during the call that brings it.
 * @kind: enum event_kind. @time_ns: of its packet. @flow: NULL when it belongs to none. @side: whose packet it was (0, 1).
 * @nth: the how-manieth of this kind in this flow and side (from 1); of ICMP errors, of all that quote the flow; without a flow, of all. 0: not counted. @seq: relative to the side's ISN (or first sequence seen), @length: bytes.
 * @since_us: since what it repeats or answers (the first SYN, the silence before a timeout, the opening of the hole that is filled, the window's shutting), −1 none.
 * @from, @to: of the packet, for events without a flow. @reporter: source of an ICMP error. @icmp_class, @icmp_type, @icmp_code, @mtu: of it.
 * @ttl: of the packet. @packet_number: of its frame, 0 when only the end of the capture told.
 */
struct event {
	uint8_t kind, side, icmp_class, icmp_type, icmp_code, ttl;
	int64_t time_ns, since_us;
	const struct flow *flow;
	uint64_t nth, packet_number;
	uint32_t seq, length, mtu;
	struct endpoint from, to;
	struct addr reporter;
};

#endif
