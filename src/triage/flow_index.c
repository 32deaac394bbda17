/* SPDX-License-Identifier: MIT */
/* Odd flows, told from healthy ones in one pass. */
#include "attempts.h"

/* IP and TCP headers without options: what an MSS does not count. */

static bool is_odd_attempt(const struct flow *flow)
{
	return flow->flags & FLOW_SAW_SYN && (flow->state == FLOW_SYN_SENT || flow->state == FLOW_REFUSED || flow->flags & FLOW_CHALLENGED ||
					      flow->side[0].syn_retries || flow->side[1].syn_retries);
}

static bool repeats(const struct flow_side *s)
{
	return s->retransmissions || s->spurious || s->duplicates || s->dsacks;
}

/* Of the client: a server that has sent its last word waits for nothing. */
static bool waits_for_answer(const struct flow *flow)
{
	return flow->side[0].last_payload_ns > flow->side[1].last_payload_ns && flow->state != FLOW_CLOSED;
}

static bool is_idle_close(const struct flow *flow)
{
	return flow->closer < 2 && flow->close_idle_ms >= ODD_IDLE_MS;
}

static bool has_odd_mss(const struct flow *flow, unsigned side, uint32_t mtu)
{
	const struct flow_side *s = &flow->side[side];
	uint32_t headers = addr_tcp_headers(flow->end[side].addr.family);

	if (!(s->has & SIDE_HAS_MSS) || s->has & SIDE_SYN_WITHOUT_MSS)
		return s->has & SIDE_SYN_WITHOUT_MSS;
	return s->mss < ODD_MSS || (mtu && flow->flags & FLOW_LOCAL_KNOWN && s->mss + headers > mtu);
}

/* As many bytes as that many segments hold: bulk data, which fills them if it may. */
static bool has_small_segments(const struct flow_side *own, const struct flow_side *other)
{
	return own->max_payload && own->max_payload < MIN(own->mss, other->mss) && own->payload >= (uint64_t)ODD_SEGMENTS * own->max_payload;
}

static uint32_t tcp_oddities(const struct flow *flow, uint32_t mtu)
{
	const struct flow_side *a = &flow->side[0], *b = &flow->side[1];
	uint32_t odd = 0;

	odd |= is_odd_attempt(flow) ? ODD_ATTEMPT : 0;
	odd |= a->ip_dead_min || b->ip_dead_min ? ODD_DEAD : 0;
	odd |= a->duplicate_acks || b->duplicate_acks || waits_for_answer(flow) ? ODD_WAITS : 0;
	odd |= a->zero_windows || b->zero_windows || a->zero_window_ms || b->zero_window_ms ? ODD_SHUT : 0;
	odd |= a->nagle_stalls || b->nagle_stalls ? ODD_STALLS : 0;
	odd |= flow->state == FLOW_RESET ? ODD_RESET : 0;
	odd |= is_idle_close(flow) ? ODD_IDLE_CLOSE : 0;
	odd |= has_odd_mss(flow, 0, mtu) || has_odd_mss(flow, 1, mtu) || has_small_segments(a, b) || has_small_segments(b, a) ? ODD_SIZES : 0;
	odd |= flow->flags & FLOW_CRASHED ? ODD_CRASHED : 0;
	return odd;
}

static uint32_t oddities_of(const struct flow *flow, uint32_t mtu)
{
	uint32_t odd = repeats(&flow->side[0]) || repeats(&flow->side[1]) ? ODD_REPEATS : 0;

	if (flow->protocol == PROTOCOL_TCP)
		return odd | tcp_oddities(flow, mtu);
	if (flow->protocol == PROTOCOL_UDP && flow->asked && !flow->answered && !flow->side[1].packets)
		odd |= ODD_UNHEARD;
	return odd;
}

/** struct sight - flows of which both directions were seen, and connections that went on of which one was. */
struct sight {
	uint64_t both, one;
};

static void look(struct sight *sight, const struct flow *flow)
{
	if (flow->side[0].packets && flow->side[1].packets)
		sight->both++;
	else if (flow->protocol == PROTOCOL_TCP)
		sight->one += flow_went_on(flow, 0) || flow_went_on(flow, 1);
}

static enum flow_sight judge(const struct sight *sight)
{
	if (sight->one > sight->both)
		return FLOW_SIGHT_ONE;
	return sight->both ? FLOW_SIGHT_BOTH : FLOW_SIGHT_UNKNOWN;
}

struct flow_index *flow_index_make(const struct view *view)
{
	const struct packet_evidence *packets = view->packets;
	struct flow_index *index = arena_alloc(view->arena, sizeof(*index));
	struct sight sight = { 0 };

	index->at = arena_alloc(view->arena, (packets->flow_count + 1) * sizeof(*index->at));
	for (size_t i = 0; i < packets->flow_count; i++) {
		const struct flow *flow = packets->flows[i];
		uint32_t odd = oddities_of(flow, packets->source->mtu);

		look(&sight, flow);
		index->requests += flow->protocol == PROTOCOL_TCP && flow->request_hash;
		index->any |= odd;
		if (odd)
			index->at[index->count++] = (struct flow_odd){ flow, odd };
	}
	index->sight = judge(&sight);
	return index;
}

bool flow_index_has(const struct view *view, uint32_t oddities)
{
	return view->index->any & oddities;
}
