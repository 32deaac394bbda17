/* SPDX-License-Identifier: MIT */
/* Which flows of a capture a rule may have to speak of: found in one pass, so that each rule looks at those and not at the healthy ones beside them.
 *
 * A capture has hundreds of thousands of flows, and in most of them nothing is wrong. What flow_members_collect() asks a rule about are the flows with
 * the oddities that it names; the rule's own thresholds decide afterwards. An oddity therefore covers all that any rule asks for under its name: what is
 * not odd is never judged. Rules that compare with healthy flows gather those apart (flow_members_collect_all(), attempts_collect()), once an odd one
 * has shown that there is something to compare. */
#ifndef TCPTRIAGE_TRIAGE_FLOW_INDEX_H
#define TCPTRIAGE_TRIAGE_FLOW_INDEX_H

#include "tcptriage/triage/rule.h"

/** enum flow_oddity - what may stand in a flow: bits. TCP only, where nothing else is said. */
enum flow_oddity {
	ODD_ATTEMPT = 1 << 0,	 /* a SYN without answer, refused or challenged; a SYN or SYN-ACK that was sent again */
	ODD_REPEATS = 1 << 1,	 /* something was sent, captured or received twice (UDP as well) */
	ODD_DEAD = 1 << 2,	 /* a segment that was sent again and again, and never acknowledged */
	ODD_WAITS = 1 << 3,	 /* duplicate ACKs, or a request whose answer has not come */
	ODD_SHUT = 1 << 4,	 /* a window was zero */
	ODD_STALLS = 1 << 5,	 /* small writes waited for delayed ACKs */
	ODD_RESET = 1 << 6,	 /* ended by RST */
	ODD_IDLE_CLOSE = 1 << 7, /* closed after ODD_IDLE_MS without data, or more */
	ODD_SIZES = 1 << 8,	 /* an MSS that is missing, below ODD_MSS or beyond the interface, or ODD_SEGMENTS segments that are smaller than the MSS */
	ODD_CRASHED = 1 << 9,	 /* ended with a request unanswered */
	ODD_UNHEARD = 1 << 10,	 /* UDP: a request, and nothing came back */
};

/* Limits of oddities. The thresholds of rules that depend on them are written with these names: none asks for less. */
#define ODD_IDLE_MS 2000
#define ODD_MSS 1220
#define ODD_SEGMENTS 50

/** enum flow_sight - which directions a capture shows. */
enum flow_sight {
	FLOW_SIGHT_BOTH,
	FLOW_SIGHT_UNKNOWN, /* no flow shows both: all of it may have gone unanswered, or answers are not in the capture */
	FLOW_SIGHT_ONE,	    /* of most connections that went on past their SYN one direction is missing */
};

struct flow_services;

/**
 * struct flow_index - @at: odd flows in the order of first sight, with their oddities. @any: oddities of all of them. @sight: judged by all flows. @requests:
 * TCP flows whose request is known. @services: of flow_clients.c, NULL until it is asked for.
 */
struct flow_index {
	struct flow_odd {
		const struct flow *flow;
		uint32_t oddities;
	} *at;
	size_t count;
	uint32_t any;
	enum flow_sight sight;
	uint64_t requests;
	struct flow_services *services;
};

/** flow_index_make() - of the flows of view->packets; in the arena. */
struct flow_index *flow_index_make(const struct view *view);
/** flow_index_has() - some flow has one of @oddities. */
bool flow_index_has(const struct view *view, uint32_t oddities);

#endif
