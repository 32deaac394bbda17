/* SPDX-License-Identifier: MIT */
/* One packet of a flow, as far as it is the same for all protocols: what is counted, silences, sizes; and how events are told. */
#include "flow_step.h"

#include "tcp_segment.h"

/* A packet of a sender whose MSS is not known, larger than this, may have been joined from several. */
#define SURE_SIZE 1500
/* Shorter silences are of no interest, unless they are the longest. */
#define SILENCE_MS 1000

void flow_step_tell(const struct flow_step *step, const struct flow_news *news)
{
	struct flows *flows = step->flows;
	const struct packet *packet = step->packet;
	struct event event;

	flows->totals.events[news->kind]++;
	if (!flows->options.on_event)
		return;
	event = (struct event){ .kind = (uint8_t)news->kind,
				.side = (uint8_t)(news->other_side ? !step->side : step->side),
				.ttl = packet->ip.hop_limit,
				.time_ns = packet->frame->time_ns,
				.since_us = news->since_us,
				.flow = step->flow,
				.nth = news->nth,
				.packet_number = packet->frame->number,
				.seq = news->seq,
				.length = news->length,
				.from = step->flow->end[step->side],
				.to = step->flow->end[!step->side] };
	flows->options.on_event(&event, flows->options.context);
}

struct tcp_trouble *flow_step_trouble(const struct flow_step *step, unsigned side)
{
	uint16_t index1 = step->slot->track[side].trouble;
	struct tcp_trouble *trouble;

	if (LIKELY(!index1))
		return NULL;
	trouble = &step->flows->troubles.at[index1 - 1];
	trouble->used_ms = step->now_ms;
	return trouble;
}

struct tcp_trouble *flow_step_need_trouble(const struct flow_step *step, unsigned side)
{
	struct flow_table *table = &step->flows->table;
	struct tcp_trouble *trouble = flow_step_trouble(step, side);
	uint32_t at;

	if (trouble)
		return trouble;
	at = tcp_troubles_take(&step->flows->troubles, step->now_ms);
	trouble = &step->flows->troubles.at[at];
	if (at == step->flows->troubles.count) {
		step->flows->totals.troubles_forgotten++;
		*trouble = (struct tcp_trouble){ .owner1 = 0 };
		return trouble;
	}
	if (trouble->owner1) {
		struct side_track *loser = &table->slot[trouble->owner1 - 1].track[trouble->side];

		loser->trouble = 0;
		loser->fast_recovery = false;
	}
	*trouble = (struct tcp_trouble){ .owner1 = (uint32_t)(step->slot - table->slot) + 1, .side = (uint8_t)side, .used_ms = step->now_ms };
	step->slot->track[side].trouble = (uint16_t)(at + 1);
	return trouble;
}

struct flow_step flow_step_of(struct flows *flows, struct flow_slot *slot, unsigned side, const struct packet *packet, int64_t now_ns)
{
	return (struct flow_step){ .flows = flows,
				   .slot = slot,
				   .flow = &slot->flow,
				   .tx = &slot->flow.side[side],
				   .rx = &slot->flow.side[!side],
				   .mine = &slot->track[side],
				   .theirs = &slot->track[!side],
				   .packet = packet,
				   .now_ns = now_ns,
				   .silence_ns = now_ns - flow_last_ns(&slot->flow),
				   .now_us = (uint32_t)(now_ns / US_NS),
				   .now_ms = (uint32_t)(now_ns / MS_NS),
				   .side = side };
}

/* The size of the packet on the wire. Offload hands several segments to the capture as one: then the MSS tells how large each was. */
static uint16_t wire_size(const struct flow_step *step)
{
	const struct ip_header *ip = &step->packet->ip;
	const struct tcp_header *tcp = step->tcp;
	uint32_t limit, size = MIN(ip->length, (uint32_t)UINT16_MAX), options;

	if (!tcp || !tcp->payload)
		return (uint16_t)size;
	if (!(step->rx->has & SIDE_HAS_MSS))
		return (uint16_t)(ip->length > SURE_SIZE ? 0 : size);
	options = tcp->header > 20 ? tcp->header - 20u : 0;
	limit = step->rx->mss > options ? step->rx->mss - options : 1;
	if (LIKELY(tcp->payload <= limit))
		return (uint16_t)size;
	step->flow->flags |= FLOW_SUPER_SEGMENTS;
	step->flows->totals.super_segments++;
	if (step->mine->told_mtu)
		return 0;
	return (uint16_t)MIN((uint32_t)ip->header + tcp->header + limit, (uint32_t)UINT16_MAX);
}

/* A silence is survived when somebody answers whoever ended it. */
static void watch_silence(const struct flow_step *step)
{
	struct flow *flow = step->flow;
	uint32_t silence_ms = clamp_u32(step->silence_ns / MS_NS);
	bool ends = step->tcp && step->tcp->flags & (TCP_RST | TCP_FIN);

	if (step->theirs->woke && !ends) {
		flow->idle_max_ms = MAX(flow->idle_max_ms, flow->idle_last_ms);
		flow->idle_last_ms = 0;
		step->theirs->woke = false;
	}
	if (silence_ms <= flow->idle_max_ms && silence_ms < SILENCE_MS)
		return;
	/* Whoever repeats himself unanswered has not ended another silence. */
	if (ends || step->mine->woke)
		return;
	flow->idle_last_ms = silence_ms;
	step->mine->woke = true;
}

static void remember_request(const struct flow_step *step, uint32_t payload)
{
	const uint32_t length = 64;

	if (step->side || !payload || step->tx->payload || step->packet->payload_captured < length)
		return;
	if (step->tcp && !(step->flow->flags & FLOW_SAW_SYN))
		return;
	step->flow->request_hash = MAX(hash_bytes(step->flow->protocol, step->packet->payload, length), UINT64_C(1));
}

static void count_side(const struct flow_step *step, uint32_t payload)
{
	struct flow_side *tx = step->tx;
	uint8_t hop_limit = step->packet->ip.hop_limit;

	remember_request(step, payload);
	if (!step->tcp || !(step->tcp->flags & TCP_RST)) {
		tx->ttl_min = tx->ttl_max ? MIN(tx->ttl_min, hop_limit) : hop_limit;
		tx->ttl_max = MAX(tx->ttl_max, hop_limit);
	}
	tx->packets++;
	tx->bytes += step->packet->ip.length;
	tx->payload += payload;
	tx->last_ns = step->now_ns;
	if (!payload)
		return;
	tx->last_payload_ns = step->now_ns;
	tx->max_payload = MAX(tx->max_payload, (uint16_t)MIN(payload, (uint32_t)UINT16_MAX));
}

/* Requests and replies of protocols without connections. */
static void count_exchange(const struct flow_step *step)
{
	struct flow *flow = step->flow;

	if (step->side) {
		flow->answered += step->theirs->asked;
		step->theirs->asked = false;
	} else if (!step->mine->asked) {
		flow->asked++;
		step->mine->asked = true;
	}
}

static uint32_t payload_of(const struct packet *packet)
{
	if (packet->has & PACKET_HAS_TCP)
		return packet->tcp.payload;
	if (packet->has & PACKET_HAS_UDP)
		return packet->udp.payload;
	if (packet->has & PACKET_HAS_ICMP)
		return packet->icmp.payload;
	return 0;
}

bool flow_step_judge(struct flow_step *step)
{
	step->ip_size = wire_size(step);
	step->flow->interfaces |= 1u << duplicate_frames_interface(step->packet) % 32;
	if (step->silence_ns >= MS_NS || step->theirs->woke)
		watch_silence(step);
	if (step->tcp && UNLIKELY(!tcp_segment_add(step)))
		return false;
	if (step->flow->protocol != PROTOCOL_TCP)
		count_exchange(step);
	if (UNLIKELY(step->mine->told_mtu))
		icmp_errors_check_size(step);
	count_side(step, payload_of(step->packet));
	return true;
}
