/* SPDX-License-Identifier: MIT */
/* ICMP errors by reporter, class and quoted destination, and the flows that they quote. */
#include "icmp_errors.h"

#include "flow_step.h"

/* What was on its way when the router complained is not held against the sender. */
#define GRACE_NS (200 * MS_NS)
/* UDP ports that traceroute counts up from (33434 and ninety-nine more than ten hops of ten). */
#define TRACEROUTE_FIRST 33434
#define TRACEROUTE_LAST 33534

static enum event_kind kind_of(uint8_t class)
{
	switch (class) {
	case ICMP_TOO_BIG:
		return EVENT_PACKET_TOO_BIG;
	case ICMP_UNREACHABLE:
	case ICMP_PORT_UNREACHABLE:
	case ICMP_PROTOCOL_UNREACHABLE:
	case ICMP_PROHIBITED:
		return EVENT_UNREACHABLE;
	case ICMP_TIME_EXCEEDED:
		return EVENT_TIME_EXCEEDED;
	default:
		return EVENT_OTHER_ICMP_ERROR;
	}
}

static bool is_same(const struct icmp_report *report, const struct packet *packet)
{
	return report->class == packet->icmp.class && addr_equal(&report->reporter, &packet->ip.src) &&
	       (!(packet->has & PACKET_HAS_QUOTE) || addr_equal(&report->dst.addr, &packet->icmp.quote.ip.dst));
}

/* The report that an error belongs to, made if need be; NULL when there is no room. */
static struct icmp_report *report_of(struct icmp_errors *icmp, const struct packet *packet, int64_t now_ns)
{
	uint64_t hash = hash_mix(addr_hash(&packet->ip.src), packet->icmp.class);
	struct icmp_report *report;
	uint32_t at;

	if (packet->has & PACKET_HAS_QUOTE)
		hash = hash_mix(hash, addr_hash(&packet->icmp.quote.ip.dst));
	for (at = hash % ICMP_REPORT_PLACES; icmp->place[at]; at = (at + 1) % ICMP_REPORT_PLACES) {
		report = &icmp->report[icmp->place[at] - 1];
		if (is_same(report, packet))
			return report;
	}
	if (icmp->count == ICMP_REPORTS)
		return NULL;
	report = &icmp->report[icmp->count++];
	icmp->place[at] = (uint16_t)icmp->count;
	*report = (struct icmp_report){ .reporter = packet->ip.src,
					.class = packet->icmp.class,
					.type = packet->icmp.type,
					.code = packet->icmp.code,
					.first_ns = now_ns };
	return report;
}

static bool is_of_traceroute(const struct packet *packet)
{
	const struct icmp_quote *quote = &packet->icmp.quote;

	if (quote->has & PACKET_HAS_ICMP)
		return true;
	return quote->ip.protocol == PROTOCOL_UDP && quote->has & PACKET_HAS_PORTS && quote->dst_port >= TRACEROUTE_FIRST &&
	       quote->dst_port <= TRACEROUTE_LAST;
}

static void count_quote(struct icmp_report *report, const struct packet *packet)
{
	const struct icmp_quote *quote = &packet->icmp.quote;
	bool ports = quote->has & PACKET_HAS_PORTS;

	report->protocol = quote->ip.protocol;
	report->hop_limit = quote->ip.hop_limit;
	report->src = (struct endpoint){ .addr = quote->ip.src, .port = ports ? quote->src_port : 0 };
	report->dst = (struct endpoint){ .addr = quote->ip.dst, .port = ports ? quote->dst_port : 0 };
	report->quoted_ip_max = MAX(report->quoted_ip_max, quote->ip.length);
	report->echoes += is_of_traceroute(packet);
}

static void count_report(struct icmp_report *report, const struct packet *packet, int64_t now_ns)
{
	uint32_t mtu = packet->icmp.class == ICMP_TOO_BIG ? packet->icmp.mtu : 0;

	report->count++;
	report->last_ns = now_ns;
	if (mtu) {
		report->mtu_min = report->mtu_min ? MIN(report->mtu_min, mtu) : mtu;
		report->mtu_max = MAX(report->mtu_max, mtu);
	}
	if (packet->has & PACKET_HAS_QUOTE)
		count_quote(report, packet);
}

/* The flow that an error quotes; the error may have come without the VLAN or tunnel of the packet. @side: that sent the packet. */
static struct flow_slot *quoted(struct flows *flows, const struct packet *packet, const struct flow_key *error, unsigned *side)
{
	const struct icmp_quote *quote = &packet->icmp.quote;
	struct flow_key key = *error;
	struct flow_slot *slot;

	if (!(packet->has & PACKET_HAS_QUOTE))
		return NULL;
	key.protocol = quote->ip.protocol;
	key.end[0].addr = quote->ip.src;
	key.end[1].addr = quote->ip.dst;
	key.end[0].port = quote->has & PACKET_HAS_PORTS ? quote->src_port : quote->has & PACKET_HAS_ICMP ? quote->icmp_id : 0;
	key.end[1].port = quote->has & PACKET_HAS_PORTS ? quote->dst_port : quote->has & PACKET_HAS_ICMP ? quote->icmp_id : 0;
	slot = flow_table_find(&flows->table, &key, flow_table_hash(&flows->table, &key), side);
	if (slot || (!key.vlan && !key.tunnel_kind))
		return slot;
	key.vlan = 0;
	key.tunnel_id = 0;
	key.tunnel_kind = 0;
	return flow_table_find(&flows->table, &key, flow_table_hash(&flows->table, &key), side);
}

/* An error that answers a SYN ends the attempt (RFC 1122 §4.2.3.9, and Linux); later ones are only a hint. */
static void refuse(struct flow *flow, const struct packet *packet, unsigned side, int64_t now_ns)
{
	uint8_t class = packet->icmp.class;
	bool hard = kind_of(class) == EVENT_UNREACHABLE;

	if (!hard || flow->protocol != PROTOCOL_TCP || flow->state != FLOW_SYN_SENT || side)
		return;
	if (packet->icmp.quote.has & PACKET_HAS_TCP && packet->icmp.quote.seq != flow->side[0].isn)
		return;
	flow->state = FLOW_REFUSED;
	flow->syn_wait_ms = clamp_u32((now_ns - flow->first_ns) / MS_NS);
}

static void note(struct flows *flows, struct flow_slot *slot, unsigned side, const struct packet *packet, struct icmp_report *report, int64_t now_ns)
{
	struct flow *flow = &slot->flow;
	uint32_t mtu = packet->icmp.class == ICMP_TOO_BIG ? MIN(packet->icmp.mtu, (uint32_t)UINT16_MAX) : 0;

	count_up(&flow->icmp_errors);
	flow->icmp_class = packet->icmp.class;
	if (mtu) {
		flow->icmp_mtu = (uint16_t)(flow->icmp_mtu ? MIN(flow->icmp_mtu, mtu) : mtu);
		slot->track[side].told_mtu = true;
	}
	if (report) {
		flow->icmp_report = (uint16_t)(report - flows->icmp.report + 1);
		if (!report->flow_number)
			report->flow_number = flow->number;
	}
	refuse(flow, packet, side, now_ns);
}

struct flow *icmp_errors_add(struct flows *flows, const struct packet *packet, const struct flow_key *key, int64_t now_ns)
{
	struct icmp_report *report = report_of(&flows->icmp, packet, now_ns);
	enum event_kind kind = kind_of(packet->icmp.class);
	unsigned side = 0;
	struct flow_slot *slot = quoted(flows, packet, key, &side);
	const struct icmp_quote *quote = &packet->icmp.quote;
	struct event event;

	if (report)
		count_report(report, packet, now_ns);
	else
		flows->totals.reports_lost++;
	if (slot)
		note(flows, slot, side, packet, report, now_ns);
	else
		flows->totals.icmp_unmatched++;
	flows->totals.events[kind]++;
	event = (struct event){ .kind = (uint8_t)kind,
				.side = (uint8_t)side,
				.icmp_class = packet->icmp.class,
				.icmp_type = packet->icmp.type,
				.icmp_code = packet->icmp.code,
				.ttl = packet->ip.hop_limit,
				.time_ns = packet->frame->time_ns,
				.since_us = -1,
				.flow = slot ? &slot->flow : NULL,
				.nth = slot ? slot->flow.icmp_errors : report ? report->count : 1,
				.packet_number = packet->frame->number,
				.mtu = packet->icmp.class == ICMP_TOO_BIG ? packet->icmp.mtu : 0,
				.reporter = packet->ip.src };
	if (packet->has & PACKET_HAS_QUOTE) {
		event.from = (struct endpoint){ .addr = quote->ip.src, .port = quote->has & PACKET_HAS_PORTS ? quote->src_port : 0 };
		event.to = (struct endpoint){ .addr = quote->ip.dst, .port = quote->has & PACKET_HAS_PORTS ? quote->dst_port : 0 };
		event.length = quote->ip.length;
	}
	if (flows->options.on_event)
		flows->options.on_event(&event, flows->options.context);
	return slot ? &slot->flow : NULL;
}

void icmp_errors_check_size(const struct flow_step *step)
{
	struct icmp_errors *icmp = &step->flows->icmp;
	const struct flow *flow = step->flow;
	struct icmp_report *report;
	unsigned at;

	if (!flow->icmp_report || !step->ip_size || (step->tcp && !step->tcp->payload))
		return;
	at = flow->icmp_report - 1u;
	report = &icmp->report[at];
	if (report->class != ICMP_TOO_BIG)
		return;
	if (step->ip_size > report->mtu_min) {
		if (step->now_ns - report->last_ns < GRACE_NS)
			return;
		icmp->refused[at / 8] |= (uint8_t)(1u << at % 8);
	}
	report->obeyed = !(icmp->refused[at / 8] >> at % 8 & 1);
}
