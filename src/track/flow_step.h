/* SPDX-License-Identifier: MIT */
/* The tracker's state, and one packet on its way through it: what every part of src/track/ that judges packets works on. */
#ifndef TCPTRIAGE_TRACK_FLOW_STEP_H
#define TCPTRIAGE_TRACK_FLOW_STEP_H

#include "duplicate_frames.h"
#include "flow_table.h"
#include "fragments.h"
#include "icmp_errors.h"
#include "tcp_trouble.h"
#include "tcptriage/track/flows.h"

/**
 * struct flow_clock - the packets' clock made to run forwards. @newest_ns: the time it shows. @shift_ns: added to packets, after a jump back of more
 * than a second; smaller steps back stand still. @last_ns: of the newest packet as captured.
 */
struct flow_clock {
	int64_t newest_ns, shift_ns, last_ns;
};

/** struct flows - see track/flows.h. @gone_half_seen: flows that had to go of which the capture lacks one direction. */
struct flows {
	struct flows_options options;
	struct capture_totals totals;
	struct flow_clock clock;
	struct flow_table table;
	struct tcp_troubles troubles;
	struct duplicate_frames frames;
	struct fragments fragments;
	struct icmp_errors icmp;
	uint64_t gone_half_seen;
};

/**
 * struct flow_step - one packet of a flow. @side sends it. @tx, @rx: the sender's and the other side's numbers, @mine, @theirs: what is tracked beside.
 * @now_ns, @now_us, @now_ms: of the clock that runs forwards; the latter two are its low 32 bits. @silence_ns: of the whole flow before it, −1 for the
 * first packet. @tcp: NULL for others. @ip_size: of the IP packet on the wire; 0 when offload joined several and nobody can tell.
 */
struct flow_step {
	struct flows *flows;
	struct flow_slot *slot;
	struct flow *flow;
	struct flow_side *tx, *rx;
	struct side_track *mine, *theirs;
	const struct packet *packet;
	const struct tcp_header *tcp;
	int64_t now_ns, silence_ns;
	uint32_t now_us, now_ms;
	unsigned side;
	uint16_t ip_size;
};

/** struct flow_news - what an event says beside whose it is; @nth, @seq and the rest as in struct event. */
struct flow_news {
	enum event_kind kind;
	uint64_t nth;
	int64_t since_us;
	uint32_t seq, length;
	bool other_side;
};

/** flow_step_tell() - counts an event, and hands it on; @news->other_side: it is about the side that did not send this packet. */
void flow_step_tell(const struct flow_step *step, const struct flow_news *news);
/** flow_step_of() - @packet, which @side sends; @tcp and @ip_size are not set yet. */
struct flow_step flow_step_of(struct flows *flows, struct flow_slot *slot, unsigned side, const struct packet *packet, int64_t now_ns);
/** flow_step_judge() - one packet of a flow: judged, and counted. Return: false when it is a copy that the network made, which is not. */
bool flow_step_judge(struct flow_step *step);
/** flow_step_trouble() - what is remembered of @side's trouble, NULL when it has none. */
struct tcp_trouble *flow_step_trouble(const struct flow_step *step, unsigned side);
/** flow_step_need_trouble() - the same, lent to it if need be; another direction may lose its own. */
struct tcp_trouble *flow_step_need_trouble(const struct flow_step *step, unsigned side);

/** count_up() - adds one to a count of 16 bits that stays at its end. */
static inline uint16_t count_up(uint16_t *count)
{
	if (*count < UINT16_MAX)
		++*count;
	return *count;
}

/** clamp_u32() - a number that is not negative, within 32 bits. */
static inline uint32_t clamp_u32(int64_t number)
{
	return number < 0 ? 0 : number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

#define US_NS INT64_C(1000)
#define MS_NS INT64_C(1000000)
#define S_NS INT64_C(1000000000)

#endif
