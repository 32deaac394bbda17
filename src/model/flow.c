/* SPDX-License-Identifier: MIT */
/* Names of flows and events, and what follows from their numbers. */
#include "tcptriage/model/flow.h"

#include <assert.h>

#include "tcptriage/model/event.h"

static const char *const state_names[] = {
	[FLOW_OTHER] = "",
	[FLOW_MIDSTREAM] = "midstream",
	[FLOW_SYN_SENT] = "syn-sent",
	[FLOW_SYN_RECEIVED] = "syn-received",
	[FLOW_ESTABLISHED] = "established",
	[FLOW_CLOSING] = "closing",
	[FLOW_CLOSED] = "closed",
	[FLOW_RESET] = "reset",
	[FLOW_REFUSED] = "refused",
};
static_assert(ARRAY_SIZE(state_names) == FLOW_STATE_COUNT, "a name for every state");

/* @quiet: frequent in healthy traffic, so it is counted and not told line by line. */
static const struct {
	const char *name, *title;
	bool quiet;
} events[] = {
	[EVENT_SYN_RETRY] = { "syn_retry", "SYN retry", false },
	[EVENT_SYN_ACK_RETRY] = { "syn_ack_retry", "SYN-ACK retry", false },
	[EVENT_REFUSED] = { "refused", "refused", false },
	[EVENT_RESET] = { "reset", "reset", false },
	[EVENT_TIMEOUT_RETRANSMISSION] = { "timeout_retransmission", "retransmission after a timeout", false },
	[EVENT_FAST_RETRANSMISSION] = { "fast_retransmission", "fast retransmission", false },
	[EVENT_RETRANSMISSION] = { "retransmission", "retransmission", false },
	[EVENT_SPURIOUS_RETRANSMISSION] = { "spurious_retransmission", "spurious retransmission", false },
	[EVENT_OUT_OF_ORDER] = { "out_of_order", "out of order", false },
	[EVENT_DUPLICATE_ACK] = { "duplicate_ack", "duplicate ACK", true },
	[EVENT_ZERO_WINDOW] = { "zero_window", "zero window", false },
	[EVENT_WINDOW_OPEN] = { "window_open", "window opens", false },
	[EVENT_WINDOW_FULL] = { "window_full", "window full", true },
	[EVENT_ZERO_WINDOW_PROBE] = { "zero_window_probe", "zero-window probe", false },
	[EVENT_KEEPALIVE] = { "keepalive", "keepalive", true },
	[EVENT_PORT_REUSE] = { "port_reuse", "ports used again", false },
	[EVENT_CHALLENGE_ACK] = { "challenge_ack", "challenge ACK", false },
	[EVENT_NAGLE_STALL] = { "nagle_stall", "small write waited for a delayed ACK", false },
	[EVENT_IDLE_RESET] = { "idle_reset", "reset after a silence", false },
	[EVENT_CAPTURE_LOSS] = { "capture_loss", "acknowledged, never captured", false },
	[EVENT_DUPLICATE_FRAME] = { "duplicate_frame", "frame captured twice", true },
	[EVENT_PACKET_TOO_BIG] = { "packet_too_big", "packet too big", false },
	[EVENT_UNREACHABLE] = { "unreachable", "unreachable", false },
	[EVENT_TIME_EXCEEDED] = { "time_exceeded", "time exceeded", false },
	[EVENT_OTHER_ICMP_ERROR] = { "other_icmp_error", "ICMP error", false },
	[EVENT_FRAGMENTS_LOST] = { "fragments_lost", "fragments are missing", false },
	[EVENT_ROUTING_LOOP] = { "routing_loop", "same packet with a lower TTL", false },
	[EVENT_BAD_CHECKSUM] = { "bad_checksum", "bad checksum", false },
	[EVENT_CLOCK_BACK] = { "clock_back", "clock goes back", true },
};
static_assert(ARRAY_SIZE(events) == EVENT_KIND_COUNT, "a row for every kind");

const char *flow_state_name(enum flow_state state)
{
	return state_names[state];
}

const char *event_kind_name(enum event_kind kind)
{
	return events[kind].name;
}

const char *event_kind_title(enum event_kind kind)
{
	return events[kind].title;
}

bool event_kind_is_quiet(enum event_kind kind)
{
	return events[kind].quiet;
}

int64_t flow_last_ns(const struct flow *flow)
{
	return MAX(flow->side[0].last_ns, flow->side[1].last_ns);
}

uint32_t flow_unacked(const struct flow *flow, unsigned side)
{
	const struct flow_side *sender = &flow->side[side], *receiver = &flow->side[!side];
	uint32_t unacked = sender->seq_next - receiver->ack;

	if (!(sender->has & SIDE_HAS_SEQ) || !(receiver->has & SIDE_HAS_ACK))
		return 0;
	return (int32_t)unacked > 0 ? unacked : 0;
}

bool flow_one_way(const struct flow *flow)
{
	return (!flow->side[0].packets || !flow->side[1].packets) && flow_protocol_name(flow->protocol) && !(flow->flags & FLOW_BROADCAST);
}

/* Who acknowledges has heard somebody, and who gets no acknowledgement repeats himself: most of what it sends are repetitions then. */
bool flow_half_seen(const struct flow *flow)
{
	const struct flow_side *seen = &flow->side[!flow->side[0].packets];
	uint64_t again = (uint64_t)seen->retransmissions + seen->keepalives + seen->probes;

	if (flow->protocol != PROTOCOL_TCP || (flow->side[0].packets && flow->side[1].packets))
		return false;
	return seen->has & SIDE_HAS_ACK && seen->packets > 2 * (again + 1);
}

bool flow_is_open(const struct flow *flow)
{
	return flow->protocol == PROTOCOL_TCP && flow->state < FLOW_CLOSED;
}

const char *flow_protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ICMP:
		return "icmp";
	case PROTOCOL_TCP:
		return "tcp";
	case PROTOCOL_UDP:
		return "udp";
	case PROTOCOL_ICMPV6:
		return "icmp6";
	default:
		return NULL;
	}
}
