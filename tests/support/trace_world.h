/* SPDX-License-Identifier: MIT */
/* A simulated path for the trace machine: routers, a host, what they let through and what they say, and a clock. */
#ifndef SUPPORT_TRACE_WORLD_H
#define SUPPORT_TRACE_WORLD_H

#include "tcptriage/track/path_trace.h"

#define WORLD_ROUTERS_MAX 70
#define WORLD_EVENTS_MAX 512
#define WORLD_HOP_US 2000

/** enum world_port - what the host does with a SYN. */
enum world_port { PORT_OPEN, PORT_CLOSED, PORT_SILENT };
/** enum world_act - what the router @cut_at does with a SYN that it should forward; ACT_EARLY_RST before it looks at the hop limit. */
enum world_act { ACT_PASS, ACT_DROP, ACT_RST, ACT_EARLY_RST, ACT_PROHIBIT, ACT_REJECT, ACT_NO_ROUTE };

/**
 * struct world - @routers on the way, the host behind the last. @cut_at: router (1…) that does @act to SYNs, 0 none. @side_cut: router that drops the side probes.
 * @mute: routers that never say anything. @limited: those that say one thing a second, both lanes. @loop_from: from this router on packets go round with the one before,
 * 0 no. @loss: of each packet there and back. @deaf: host does not answer side probes. @side_routers: routers on the way of side probes, 0 as many; @stranger: none
 * of them is one that SYNs meet.
 * @rst_ttl, @host_ttl: first hop limits of a RST made by a router, and of the host's packets. @late_us: added to each answer. @unreachable_us: age of the trace
 * from which on the router @cut_at speaks (ACT_NO_ROUTE, as a neighbour that is not there makes it). @local: errno for every SYN.
 * @poor: for "unreachable" the router @cut_at pays from an account that has nothing at first and gets a second's worth a second: one when it decides to speak, one when
 * it speaks, the first of which is gone even when there is no second (Linux, ip_error() and icmp_send()). Side probes cost the same. @full_lost: SYNs with the full hop limit vanish. @one_address: all routers speak from one.
 * A host that holds a half-open connection does not answer another SYN of the same ports before the reset to its answer has come.
 */
struct world {
	struct path_trace_options options;
	unsigned routers, cut_at, side_cut, side_routers, loop_from;
	enum world_port port;
	enum world_act act;
	bool mute[WORLD_ROUTERS_MAX], limited[WORLD_ROUTERS_MAX], deaf, stranger, poor, full_lost, one_address;
	double loss;
	uint8_t rst_ttl, host_ttl;
	int64_t late_us, unreachable_us;
	int local;
	uint32_t seed;
	/* the run */
	int64_t now_us, paid_us, side_us, half_open_us, said_us[WORLD_ROUTERS_MAX];
	double account;
	struct world_event {
		struct probe_outcome outcome;
		int64_t at_us;
	} events[WORLD_EVENTS_MAX];
	unsigned event_count, syns, sides, refunds, most_seen;
	int64_t sent_us[WORLD_EVENTS_MAX], until_us[WORLD_EVENTS_MAX];
	unsigned sent_count;
};

/** world_router() - address of router @index (1…). */
struct addr world_router(unsigned index);
/** world_run() - drive a trace to its end, checking pace, number under way, ids and wake times. Return: what it found; *@trace to be freed. */
const struct trace_path *world_run(struct world *world, struct path_trace **trace);

#endif
