/* SPDX-License-Identifier: MIT */
/* Datagrams that come in fragments: which are whole, which never are.
 *
 * Only ranges are kept, no bytes. A datagram whose ranges became too many to keep, or that was already on its way when the capture began, is
 * given up without a verdict. */
#include "fragments.h"

#include <string.h>

#include "flow_step.h"

/* How long a receiver waits for the rest: Linux ipfrag_time; RFC 8200 §4.5. */
#define WAIT_V4_NS (30 * S_NS)
#define WAIT_V6_NS (60 * S_NS)
/* Fragments of one datagram come together: at the end of a capture those are overdue that have been silent for so long. */
#define OVERDUE_NS S_NS
/* A datagram whose first fragment seems to be missing so soon after the capture began may have begun before it. */
#define START_NS S_NS
#define SWEEP_NS S_NS

static bool is_same(const struct train_state *state, const struct packet *packet, const struct flow_key *key)
{
	const struct fragment_train *train = &state->train;

	return state->live && train->id == packet->ip.id && state->vlan == key->vlan && state->tunnel_id == key->tunnel_id &&
	       state->tunnel_kind == key->tunnel_kind && addr_equal(&train->src, &packet->ip.src) && addr_equal(&train->dst, &packet->ip.dst) &&
	       (packet->ip.src.family == ADDR_V6 || train->protocol == packet->ip.protocol);
}

static void tell_lost(struct flows *flows, const struct train_state *state)
{
	const struct fragment_train *train = &state->train;
	struct event event = { .kind = EVENT_FRAGMENTS_LOST,
			       .time_ns = train->last_ns,
			       .since_us = (flows->clock.newest_ns - train->first_ns) / US_NS,
			       .nth = ++flows->totals.events[EVENT_FRAGMENTS_LOST],
			       .packet_number = state->packet_number,
			       .length = train->total > train->got ? train->total - train->got : 0,
			       .from.addr = train->src,
			       .to.addr = train->dst };

	if (flows->options.on_event)
		flows->options.on_event(&event, flows->options.context);
}

static bool may_have_begun_before(const struct flows *flows, const struct train_state *state)
{
	return !state->train.has_first && state->train.first_ns - flows->totals.first_ns < START_NS;
}

static void give_up(struct flows *flows, struct train_state *state)
{
	struct fragments *fragments = &flows->fragments;

	state->live = false;
	fragments->live--;
	if (state->cut || may_have_begun_before(flows, state)) {
		flows->totals.trains_dropped++;
		return;
	}
	flows->totals.trains_lost++;
	if (fragments->lost < FRAGMENT_LOST)
		fragments->train[fragments->lost++] = state->train;
	else
		flows->totals.trains_dropped++;
	tell_lost(flows, state);
}

static bool is_too_old(const struct train_state *state, int64_t now_ns)
{
	return now_ns - state->train.first_ns > (state->is_v6 ? WAIT_V6_NS : WAIT_V4_NS);
}

/* The state of a datagram, made if need be; the oldest of its set makes room. */
static struct train_state *state_of(struct flows *flows, const struct packet *packet, const struct flow_key *key, int64_t now_ns)
{
	const struct ip_header *ip = &packet->ip;
	uint64_t hash = hash_mix(addr_hash(&ip->src) + addr_hash(&ip->dst), (uint64_t)ip->id << 8 | key->vlan);
	struct train_state *set = flows->fragments.state[hash % FRAGMENT_SETS], *oldest = set;

	for (unsigned i = 0; i < FRAGMENT_WAYS; i++) {
		if (is_same(&set[i], packet, key) && !is_too_old(&set[i], now_ns))
			return &set[i];
		if (oldest->live && (!set[i].live || set[i].train.first_ns < oldest->train.first_ns))
			oldest = &set[i];
	}
	if (oldest->live && is_too_old(oldest, now_ns)) {
		give_up(flows, oldest);
	} else if (oldest->live) {
		oldest->live = false;
		flows->fragments.live--;
		flows->totals.trains_dropped++;
	}
	*oldest = (struct train_state){ .live = true,
					.is_v6 = ip->src.family == ADDR_V6,
					.vlan = key->vlan,
					.tunnel_id = key->tunnel_id,
					.tunnel_kind = key->tunnel_kind,
					.train = { .src = ip->src, .dst = ip->dst, .id = ip->id, .protocol = ip->protocol, .first_ns = now_ns } };
	flows->fragments.live++;
	flows->totals.trains++;
	return oldest;
}

static void remove_range(struct train_state *state, unsigned at)
{
	state->ranges--;
	memmove(&state->range[at], &state->range[at + 1], (state->ranges - at) * sizeof(state->range[0]));
}

/* Adds [start, end), joined with what it touches. */
static void add_range(struct train_state *state, uint32_t start, uint32_t end)
{
	for (unsigned i = 0; i < state->ranges;) {
		if (end < state->range[i].start || state->range[i].end < start) {
			i++;
			continue;
		}
		state->train.overlaps |= end > state->range[i].start && state->range[i].end > start;
		start = MIN(start, state->range[i].start);
		end = MAX(end, state->range[i].end);
		remove_range(state, i);
	}
	if (state->ranges == FRAGMENT_RANGES) {
		state->cut = true;
		return;
	}
	state->range[state->ranges].start = start;
	state->range[state->ranges].end = end;
	state->ranges++;
}

static uint32_t bytes_of(const struct train_state *state)
{
	uint32_t bytes = 0;

	for (unsigned i = 0; i < state->ranges; i++)
		bytes += state->range[i].end - state->range[i].start;
	return bytes;
}

void fragments_add(struct flows *flows, const struct packet *packet, const struct flow_key *key, int64_t now_ns)
{
	const struct ip_header *ip = &packet->ip;
	struct train_state *state = state_of(flows, packet, key, now_ns);
	struct fragment_train *train = &state->train;
	uint32_t length = ip->length > ip->header ? ip->length - ip->header : 0;

	train->fragments++;
	train->last_ns = now_ns;
	train->has_first |= !ip->offset;
	state->packet_number = packet->frame->number;
	/* Nothing larger can be put together. */
	if (ip->offset > UINT16_MAX || length > UINT16_MAX)
		return;
	if (!ip->more)
		train->total = ip->offset + length;
	if (length)
		add_range(state, ip->offset, ip->offset + length);
	train->got = bytes_of(state);
	if (!train->total || state->ranges != 1 || state->range[0].start || state->range[0].end < train->total)
		return;
	state->live = false;
	flows->fragments.live--;
}

void fragments_sweep(struct flows *flows, int64_t now_ns, bool at_end)
{
	struct fragments *fragments = &flows->fragments;

	if (!at_end && now_ns - fragments->swept_ns < SWEEP_NS)
		return;
	fragments->swept_ns = now_ns;
	for (unsigned i = 0; i < FRAGMENT_SETS * FRAGMENT_WAYS; i++) {
		struct train_state *state = &fragments->state[i / FRAGMENT_WAYS][i % FRAGMENT_WAYS];

		if (state->live && (is_too_old(state, now_ns) || (at_end && now_ns - state->train.last_ns >= OVERDUE_NS)))
			give_up(flows, state);
	}
}
