/* SPDX-License-Identifier: MIT */
/* Packets into flows: totals, the clock, whose packet it is, and what is common to all protocols. */
#include "tcptriage/track/flows.h"

#include <stdlib.h>
#include <string.h>

#include "flow_step.h"
#include "tcp_segment.h"

/* Times from outside may be anything: beyond this they are cut off, so that sums and differences stay within 64 bits. */
#define TIME_LIMIT_NS (INT64_C(1) << 61)
#define CLOCK_JUMP_NS S_NS
#define FLOWS_MIN 16

struct flows *flows_new(const struct flows_options *options)
{
	struct flows *flows = xcalloc(1, sizeof(*flows));

	flows->options = *options;
	flow_table_init(&flows->table, MAX(options->max_flows, (uint32_t)FLOWS_MIN));
	tcp_troubles_init(&flows->troubles, flows->table.capacity);
	return flows;
}

void flows_free(struct flows *flows)
{
	if (!flows)
		return;
	flow_table_free(&flows->table);
	tcp_troubles_free(&flows->troubles);
	free(flows);
}

void flows_free_ptr(struct flows **flows)
{
	flows_free(*flows);
	*flows = NULL;
}

size_t flows_memory(const struct flows *flows)
{
	return sizeof(*flows) + flow_table_memory(&flows->table) + tcp_troubles_memory(&flows->troubles);
}

/* An event of a packet that is not judged within a flow; @about without what the packet tells. */
static void tell_bare(struct flows *flows, const struct event *about, const struct packet *packet)
{
	uint64_t all = ++flows->totals.events[about->kind];
	struct event event = *about;

	if (!flows->options.on_event)
		return;
	event.nth = event.nth ? event.nth : all;
	event.time_ns = packet->frame->time_ns;
	event.packet_number = packet->frame->number;
	if (packet->has & PACKET_HAS_IP) {
		event.from.addr = packet->ip.src;
		event.to.addr = packet->ip.dst;
		event.ttl = packet->ip.hop_limit;
	}
	flows->options.on_event(&event, flows->options.context);
}

/* The packets' clock made to run forwards: after a jump back it goes on from where it was. Return: what it shows. */
static int64_t step_clock(struct flows *flows, const struct packet *packet)
{
	struct flow_clock *clock = &flows->clock;
	struct capture_totals *totals = &flows->totals;
	int64_t time_ns = MIN(MAX(packet->frame->time_ns, INT64_C(0)), TIME_LIMIT_NS);
	int64_t now_ns = MIN(time_ns + clock->shift_ns, TIME_LIMIT_NS), back_ns = clock->last_ns - time_ns;

	totals->first_ns = totals->packets ? MIN(totals->first_ns, time_ns) : time_ns;
	totals->last_ns = MAX(totals->last_ns, time_ns);
	if (UNLIKELY(back_ns > 0)) {
		totals->clock_back++;
		totals->clock_back_max_us = MAX(totals->clock_back_max_us, back_ns / US_NS);
		if (back_ns > CLOCK_JUMP_NS) {
			totals->clock_jumps++;
			clock->shift_ns = MIN(clock->newest_ns - time_ns, TIME_LIMIT_NS);
			now_ns = clock->newest_ns;
		}
		tell_bare(flows, &(struct event){ .kind = EVENT_CLOCK_BACK, .since_us = back_ns / US_NS }, packet);
	}
	clock->last_ns = time_ns;
	clock->newest_ns = MAX(clock->newest_ns, now_ns);
	return clock->newest_ns;
}

static void count_checksums(struct flows *flows, const struct packet *packet)
{
	uint8_t checksum = packet->has & PACKET_HAS_TCP ? packet->tcp.checksum : packet->has & PACKET_HAS_UDP ? packet->udp.checksum :
			   packet->has & PACKET_HAS_ICMP ? packet->icmp.checksum :
							   CHECKSUM_UNKNOWN;

	if (checksum == CHECKSUM_BAD || packet->ip.checksum == CHECKSUM_BAD) {
		flows->totals.bad_checksums++;
		tell_bare(flows, &(struct event){ .kind = EVENT_BAD_CHECKSUM, .since_us = -1 }, packet);
	} else if (checksum == CHECKSUM_OFFLOADED) {
		flows->totals.offloaded_checksums++;
	}
}

static void count_packet(struct flows *flows, const struct packet *packet)
{
	struct capture_totals *totals = &flows->totals;

	totals->packets++;
	totals->bytes += packet->frame->wire;
	totals->status[packet->status]++;
	if (packet->status != DECODE_OK)
		totals->by_layer[packet->layer]++;
	else if (packet->frame->captured < packet->frame->wire)
		totals->payload_cut++;
	if (!(packet->has & PACKET_HAS_IP))
		return;
	totals->ip++;
	totals->tcp += packet->ip.protocol == PROTOCOL_TCP;
	totals->udp += packet->ip.protocol == PROTOCOL_UDP;
	totals->icmp += packet->ip.protocol == PROTOCOL_ICMP || packet->ip.protocol == PROTOCOL_ICMPV6;
	totals->fragments += packet->ip.is_fragment;
	count_checksums(flows, packet);
}

static bool is_echo(const struct packet *packet)
{
	return packet->has & PACKET_HAS_ICMP && (packet->icmp.class == ICMP_ECHO_REQUEST || packet->icmp.class == ICMP_ECHO_REPLY);
}

static bool is_icmp(const struct packet *packet)
{
	return packet->ip.protocol == PROTOCOL_ICMP || packet->ip.protocol == PROTOCOL_ICMPV6;
}

/* Longer than its frame by its own header: its end is cut where nobody wrote it down, and yet what it carries counts. */
static bool is_longer_than_frame(const struct packet *packet)
{
	const struct frame *frame = packet->frame;

	return packet->ip_bytes && !packet->tunnel_count && packet->ip.length > frame->wire - (size_t)(packet->ip_bytes - frame->bytes);
}

/* Cut before its ports: in an echo before its number, or in a tunnel, whose outside is no flow of its own. */
static bool is_cut_early(const struct packet *packet)
{
	if (packet->status != DECODE_TRUNCATED || packet->layer == LAYER_TCP || packet->layer == LAYER_UDP || packet->has & PACKET_HAS_TCP)
		return false;
	return !(packet->has & PACKET_HAS_UDP && is_longer_than_frame(packet));
}

/* Whether a packet has a flow, as far as it is there itself. */
static bool has_flow(const struct packet *packet)
{
	if (packet->ip.offset || packet->status == DECODE_MALFORMED || is_cut_early(packet))
		return false;
	if (packet->ip.protocol == PROTOCOL_TCP || packet->ip.protocol == PROTOCOL_UDP)
		return packet->has & PACKET_HAS_PORTS;
	if (is_icmp(packet))
		return is_echo(packet);
	return packet->status == DECODE_OK || (packet->status == DECODE_UNSUPPORTED && packet->layer == LAYER_OTHER);
}

static void make_key(struct flow_key *key, const struct packet *packet)
{
	const struct link_header *link = &packet->link;

	memset(key, 0, sizeof(*key));
	key->protocol = packet->ip.protocol;
	key->end[0].addr = packet->ip.src;
	key->end[1].addr = packet->ip.dst;
	if (packet->has & PACKET_HAS_PORTS && packet->ip.protocol == PROTOCOL_TCP) {
		key->end[0].port = packet->tcp.src_port;
		key->end[1].port = packet->tcp.dst_port;
	} else if (packet->has & PACKET_HAS_PORTS && packet->ip.protocol == PROTOCOL_UDP) {
		key->end[0].port = packet->udp.src_port;
		key->end[1].port = packet->udp.dst_port;
	} else if (is_echo(packet)) {
		key->end[0].port = key->end[1].port = packet->icmp.id;
	}
	if (UNLIKELY(link->vlan_count))
		key->vlan = link->vlan[MIN(link->vlan_count, PACKET_VLANS_MAX) - 1].tci & 0xfff;
	if (UNLIKELY(packet->tunnel_count)) {
		const struct tunnel *tunnel = &packet->tunnels[MIN(packet->tunnel_count, PACKET_TUNNELS_MAX) - 1];

		key->tunnel_kind = tunnel->kind;
		key->tunnel_id = tunnel->id;
	}
}

/* @flow: of the first copy, NULL unknown. */
static void count_copy(struct flows *flows, const struct packet *packet, struct flow *flow, unsigned side)
{
	uint64_t nth = flow ? ++flow->side[side].duplicates : 1;

	flows->totals.duplicates++;
	tell_bare(flows, &(struct event){ .kind = EVENT_DUPLICATE_FRAME, .flow = flow, .side = (uint8_t)side, .nth = nth, .since_us = -1 }, packet);
}

/* A copy of a frame, or a packet in a loop: taken out before anything is judged. */
static struct flow *take_out(struct flows *flows, const struct packet *packet, enum frame_verdict verdict, struct seen_frame *seen)
{
	struct flow *flow = seen->slot1 ? &flows->table.slot[seen->slot1 - 1].flow : NULL;
	unsigned side = flow && !addr_equal(&flow->end[0].addr, &packet->ip.src);

	if (flow && !addr_equal(&flow->end[side].addr, &packet->ip.src))
		flow = NULL; /* its slot has a new tenant */
	if (verdict == FRAME_COPY) {
		count_copy(flows, packet, flow, side);
		return flow;
	}
	if (!duplicate_frames_report(&flows->frames, seen, packet))
		flows->totals.loops_lost += verdict == FRAME_LOOP;
	if (verdict == FRAME_LOOP)
		tell_bare(flows, &(struct event){ .kind = EVENT_ROUTING_LOOP, .since_us = (seen->last_ns - seen->first_ns) / US_NS }, packet);
	return flow;
}

static void let_go(struct flows *flows, struct flow_slot *slot, bool expired)
{
	flows->gone_half_seen += flow_half_seen(&slot->flow);
	if (expired)
		flows->totals.expired++;
	else
		flows->totals.evicted++;
	for (unsigned side = 0; side < 2; side++)
		if (slot->track[side].trouble)
			flows->troubles.at[slot->track[side].trouble - 1].owner1 = 0;
}

static bool is_group_address(const struct packet *packet)
{
	const struct addr *dst = &packet->ip.dst;
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (addr_class(dst) == ADDR_CLASS_MULTICAST)
		return true;
	if (dst->family == ADDR_V4 && !memcmp(dst->bytes, all, 4))
		return true;
	return packet->has & PACKET_HAS_MAC && !memcmp(packet->link.dst, all, sizeof(all));
}

/* The answer of a side whose question was not seen tells which side began. */
static bool is_answer(const struct packet *packet)
{
	if (packet->has & PACKET_HAS_TCP)
		return (packet->tcp.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
	return packet->has & PACKET_HAS_ICMP && packet->icmp.class == ICMP_ECHO_REPLY;
}

static bool is_question(const struct packet *packet)
{
	if (packet->has & PACKET_HAS_TCP)
		return (packet->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	return packet->has & PACKET_HAS_ICMP && packet->icmp.class == ICMP_ECHO_REQUEST;
}

static struct flow_slot *new_flow(struct flows *flows, const struct packet *packet, const struct flow_key *key, uint32_t hash, int64_t now_ns,
				  unsigned *side)
{
	struct flow_slot *reuse = NULL, *slot;
	struct flow_key turned = *key;
	struct flow *flow;

	if (flows->table.count == flows->table.capacity) {
		bool expired;

		reuse = flow_table_victim(&flows->table, now_ns, &expired);
		let_go(flows, reuse, expired);
	}
	*side = is_answer(packet);
	turned.end[*side] = key->end[0];
	turned.end[!*side] = key->end[1];
	slot = flow_table_add(&flows->table, &turned, hash, reuse);
	flow = &slot->flow;
	flow->number = ++flows->totals.flows;
	flow->first_ns = now_ns;
	flow->closer = flow->resetter = 2;
	if (is_answer(packet) || is_question(packet))
		flow->flags |= FLOW_INITIATOR_KNOWN;
	if (is_group_address(packet))
		flow->flags |= FLOW_BROADCAST;
	if (flow->protocol == PROTOCOL_TCP)
		flow->state = FLOW_MIDSTREAM;
	if (flows->options.on_new)
		flows->options.on_new(flow, flows->options.context);
	return slot;
}

static struct flow_slot *add_to_flow(struct flows *flows, const struct packet *packet, const struct flow_key *key, uint32_t hash, int64_t now_ns)
{
	const struct tcp_header *tcp = packet->has & PACKET_HAS_TCP ? &packet->tcp : NULL;
	const struct flow *before = NULL;
	struct flow_step step;
	unsigned side = 0;
	struct flow_slot *slot = flow_table_find(&flows->table, key, hash, &side);
	bool fresh = !slot;
	struct flow copy;

	if (slot && tcp && UNLIKELY(tcp->flags & TCP_SYN) && tcp_open_is_new(&slot->flow, side, tcp)) {
		copy = slot->flow; /* which may be the one that has to go */
		before = &copy;
		fresh = true;
		flow_table_retire(&flows->table, slot);
	}
	if (fresh)
		slot = new_flow(flows, packet, key, hash, now_ns, &side);
	step = flow_step_of(flows, slot, side, packet, now_ns);
	step.tcp = tcp;
	if (fresh)
		step.silence_ns = -1;
	if (fresh && tcp)
		tcp_open_begin(&step, before);
	if (UNLIKELY(!flow_step_judge(&step)))
		count_copy(flows, packet, &slot->flow, side);
	return slot;
}

struct flow *flows_add(struct flows *flows, const struct packet *packet)
{
	int64_t now_ns = step_clock(flows, packet);
	struct seen_frame *seen = NULL;
	struct flow_slot *slot;
	struct flow_key key;
	uint64_t print;
	uint32_t hash;

	count_packet(flows, packet);
	if (UNLIKELY(flows->fragments.live))
		fragments_sweep(flows, now_ns, false);
	if (!(packet->has & PACKET_HAS_IP) || packet->status == DECODE_MALFORMED)
		return NULL;
	make_key(&key, packet);
	hash = flow_table_hash(&flows->table, &key);
	flow_table_prefetch(&flows->table, hash);
	print = duplicate_frames_print(packet);
	if (print) {
		bool mirrored = flows->totals.duplicates * 4 > flows->totals.ip;
		enum frame_verdict verdict = duplicate_frames_judge(&flows->frames, packet, print, now_ns, mirrored, &seen);

		if (UNLIKELY(verdict != FRAME_NEW))
			return take_out(flows, packet, verdict, seen);
	}
	if (UNLIKELY(packet->ip.is_fragment))
		fragments_add(flows, packet, &key, now_ns);
	if (UNLIKELY(packet->has & PACKET_HAS_ICMP && icmp_is_error(packet->icmp.class)))
		return icmp_errors_add(flows, packet, &key, now_ns);
	if (!has_flow(packet))
		return NULL;
	slot = add_to_flow(flows, packet, &key, hash, now_ns);
	if (seen)
		seen->slot1 = (uint32_t)(slot - flows->table.slot) + 1;
	return &slot->flow;
}

/* What was acknowledged will not show up any more; there is no packet to which that could be put down. */
static void settle_unseen(struct flows *flows, struct flow_slot *slot, int64_t now_ns)
{
	struct frame frame = { .time_ns = flow_last_ns(&slot->flow) };
	struct packet none = { .frame = &frame };
	struct flow_step step = flow_step_of(flows, slot, 0, &none, now_ns);

	tcp_unseen_judge(&step, true);
}

static void settle(struct flows *flows, struct flow_slot *slot, int64_t now_ns)
{
	struct flow *flow = &slot->flow;

	if (flow->protocol != PROTOCOL_TCP)
		return;
	/* What was sent into silence was waited for until the end. */
	if (flow->state == FLOW_SYN_SENT)
		flow->syn_wait_ms = clamp_u32((now_ns - flow->first_ns) / MS_NS);
	if (slot->track[0].trouble | slot->track[1].trouble)
		settle_unseen(flows, slot, now_ns);
	tcp_window_settle(slot);
	tcp_close_settle(flow);
}

void flows_watched(struct flows *flows, int64_t time_ns)
{
	struct flow_clock *clock = &flows->clock;

	if (!flows->totals.packets)
		return;
	time_ns = MIN(MAX(time_ns, INT64_C(0)), TIME_LIMIT_NS);
	flows->totals.last_ns = MAX(flows->totals.last_ns, time_ns);
	clock->newest_ns = MAX(clock->newest_ns, MIN(time_ns + clock->shift_ns, TIME_LIMIT_NS));
}

void flows_end(struct flows *flows)
{
	int64_t now_ns = flows->clock.newest_ns;

	fragments_sweep(flows, now_ns, true);
	flows->totals.flows_one_way = flows->gone_half_seen;
	for (uint32_t i = 0; i < flows->table.count; i++) {
		settle(flows, &flows->table.slot[i], now_ns);
		flows->totals.flows_one_way += flow_half_seen(&flows->table.slot[i].flow);
	}
}

const struct flow *flows_at(const struct flows *flows, size_t index)
{
	return index < flows->table.count ? &flows->table.slot[index].flow : NULL;
}

size_t flows_count(const struct flows *flows)
{
	return flows->table.count;
}

const struct flow *flows_find(const struct flows *flows, uint8_t protocol, const struct endpoint *a, const struct endpoint *b)
{
	struct flow_key key = { .end = { *a, *b }, .protocol = protocol };
	struct flow_slot *slot;
	unsigned side;

	slot = flow_table_find(&flows->table, &key, flow_table_hash(&flows->table, &key), &side);
	return slot ? &slot->flow : NULL;
}

const struct capture_totals *flows_totals(const struct flows *flows)
{
	return &flows->totals;
}

const struct icmp_report *flows_reports(const struct flows *flows, size_t *count)
{
	*count = flows->icmp.count;
	return flows->icmp.report;
}

const struct fragment_train *flows_trains(const struct flows *flows, size_t *count)
{
	*count = flows->fragments.lost;
	return flows->fragments.train;
}

const struct loop_report *flows_loops(const struct flows *flows, size_t *count)
{
	*count = flows->frames.reports;
	return flows->frames.report;
}
