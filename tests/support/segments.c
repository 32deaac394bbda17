/* SPDX-License-Identifier: MIT */
/* Made-up segments for tests of what is tracked. */
#include "segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define WINDOW 500
#define FIRST_ID 1000
#define TIMESTAMP_BYTES 12
#define SYN_OPTION_BYTES 20

static void on_event(const struct event *event, void *context)
{
	struct talk *t = context;

	t->counted[event->kind]++;
	t->event[event->kind] = *event;
	assert_true(event->nth > 0 || event->kind == EVENT_WINDOW_OPEN);
	assert_true(event->since_us >= -1);
}

void talk_open_for(struct talk *t, uint32_t flows)
{
	struct flows_options options = { .max_flows = flows, .on_event = on_event, .context = t };

	*t = (struct talk){ .timestamps = true,
			    .sack = true,
			    .mss = { 1460, 1460 },
			    .port = { 40000, 80 },
			    .id = { FIRST_ID, 7 * FIRST_ID },
			    .wscale = { 7, 7 },
			    .isn = { 0x10000000, 0xfffffe00 } };
	memset(t->payload, 'x', sizeof(t->payload));
	t->flows = flows_new(&options);
}

void talk_open(struct talk *t)
{
	talk_open_for(t, 64);
}

void talk_close(struct talk *t)
{
	flows_free_ptr(&t->flows);
}

struct addr talk_address(const struct talk *t, unsigned side)
{
	struct addr addr;

	if (!t->v6)
		return addr_v4(side ? 0x0a000002 : 0x0a000001);
	assert_true(addr_parse(side ? "2001:db8::2" : "2001:db8::1", &addr));
	return addr;
}

void talk_ip(struct talk *t, double at_ms, unsigned side, uint8_t protocol, uint32_t payload)
{
	struct packet *packet = &t->packet;
	uint32_t header = t->v6 ? 40 : 20;
	uint64_t number = t->frame.number + 1;

	t->frame = (struct frame){ .time_ns = TALK_START_NS + (int64_t)(at_ms * 1e6 + 0.5), .number = number, .link_type = 1 };
	*packet = (struct packet){ .frame = &t->frame, .has = PACKET_HAS_IP, .status = DECODE_OK, .payload = t->payload };
	packet->ip = (struct ip_header){ .src = talk_address(t, side),
					 .dst = talk_address(t, !side),
					 .protocol = protocol,
					 .hop_limit = side ? 57 : 64,
					 .length = header + payload,
					 .header = (uint16_t)header,
					 .has_id = !t->v6,
					 .id = t->v6 ? 0 : t->id[side]++,
					 .dont_fragment = true };
	t->frame.wire = t->frame.captured = packet->ip.length + 14;
}

static void add_syn_options(struct talk *t, struct tcp_header *tcp, unsigned side)
{
	if (t->mss[side])
		tcp->options |= TCP_OPTION_MSS;
	tcp->mss = t->mss[side];
	if (t->wscale[side] >= 0)
		tcp->options |= TCP_OPTION_WSCALE;
	tcp->wscale = (uint8_t)t->wscale[side];
	if (t->sack)
		tcp->options |= TCP_OPTION_SACK_PERMITTED;
}

static void add_timestamp(struct talk *t, struct tcp_header *tcp, const struct segment *segment)
{
	unsigned side = segment->side;
	uint32_t base[2] = { 1000000, 4294967000u };

	if (!t->timestamps || segment->no_timestamp)
		return;
	tcp->options |= TCP_OPTION_TIMESTAMPS;
	tcp->tsval = base[side] + (uint32_t)(segment->sent_ms > 0 ? segment->sent_ms : segment->at_ms);
	tcp->tsecr = segment->echo_ms > 0 ? base[!side] + (uint32_t)segment->echo_ms : t->tsval[!side];
	t->tsval[side] = tcp->tsval;
}

static void add_blocks(struct talk *t, struct tcp_header *tcp, const struct segment *segment)
{
	for (unsigned i = 0; i < 2 && segment->right[i]; i++) {
		tcp->options |= TCP_OPTION_SACK;
		tcp->sack[tcp->sack_count++] = (struct sack_block){ t->isn[!segment->side] + segment->left[i], t->isn[!segment->side] + segment->right[i] };
	}
}

void talk_build(struct talk *t, const struct segment *segment)
{
	unsigned side = segment->side;
	uint16_t flags = segment->flags ? segment->flags & (uint16_t)~NO_FLAGS : TCP_ACK, next = t->id[side];
	uint8_t options = flags & TCP_SYN ? SYN_OPTION_BYTES : t->timestamps && !segment->no_timestamp ? TIMESTAMP_BYTES : 0;
	struct packet *packet = &t->packet;

	talk_ip(t, segment->at_ms, side, PROTOCOL_TCP, 20u + options + segment->length);
	packet->has |= PACKET_HAS_TCP | PACKET_HAS_PORTS;
	packet->payload_captured = MIN(segment->length, (uint32_t)sizeof(t->payload));
	packet->tcp = (struct tcp_header){ .seq = t->isn[side] + segment->seq,
					   .ack = flags & TCP_ACK ? t->isn[!side] + segment->ack : 0,
					   .payload = segment->length,
					   .src_port = t->port[side],
					   .dst_port = t->port[!side],
					   .flags = flags,
					   .window = segment->shut ? 0 : segment->window ? segment->window : WINDOW,
					   .header = (uint8_t)(20 + options) };
	if (flags & TCP_SYN)
		add_syn_options(t, &packet->tcp, side);
	add_timestamp(t, &packet->tcp, segment);
	add_blocks(t, &packet->tcp, segment);
	if (segment->id || segment->no_id) {
		packet->ip.id = segment->id;
		t->id[side] = next;
	}
	if (segment->ttl)
		packet->ip.hop_limit = segment->ttl;
	packet->ip.dont_fragment = !segment->cut_df;
	t->frame.interface = segment->interface;
}

struct flow *talk_hear(struct talk *t)
{
	struct flow *flow = flows_add(t->flows, &t->packet);

	if (flow)
		t->flow = flow;
	return flow;
}

struct flow *talk_send(struct talk *t, const struct segment *segment)
{
	talk_build(t, segment);
	return talk_hear(t);
}

void talk_play(struct talk *t, const struct segment *scene, size_t count)
{
	for (size_t i = 0; i < count; i++)
		talk_send(t, &scene[i]);
	flows_end(t->flows);
}

const struct flow *talk_flow(const struct talk *t)
{
	assert_non_null(t->flow);
	return t->flow;
}

const struct flow_side *talk_side(const struct talk *t, unsigned side)
{
	const struct flow *flow = talk_flow(t);
	unsigned first = flow->end[0].port == t->port[A] ? A : B;

	return &flow->side[side ^ first];
}

void talk_expect(const struct talk *t, unsigned side, const struct tally *tally)
{
	const struct flow_side *got = talk_side(t, side);

	assert_int_equal(got->retransmissions, tally->again);
	assert_int_equal(got->timeouts, tally->timeouts);
	assert_int_equal(got->fast, tally->fast);
	assert_int_equal(got->spurious, tally->spurious);
	assert_int_equal(got->out_of_order, tally->late);
	assert_int_equal(got->duplicates, tally->copies);
	talk_add_up(t);
}

/* Sums over all flows that stand; the tests that use it evict none. */
struct sums {
	uint64_t packets, again, syn_retries, timeouts, fast, spurious, late, copies, duplicate_acks, zero_windows, fulls, probes, keepalives, nagle, resets, unseen;
};

static struct sums add_flows(const struct flows *flows)
{
	struct sums sums = { 0 };
	const struct flow *flow;

	for (size_t i = 0; (flow = flows_at(flows, i)); i++) {
		for (unsigned side = 0; side < 2; side++) {
			const struct flow_side *s = &flow->side[side];

			assert_true(s->retransmissions >= (uint32_t)s->timeouts + s->fast);
			assert_true(s->retransmissions >= s->spurious);
			assert_true(s->keepalives >= s->keepalive_acks);
			assert_true(s->syns >= s->syn_retries);
			assert_true(s->rtt_min_us <= s->rtt_max_us);
			sums.packets += s->packets;
			sums.again += s->retransmissions;
			sums.syn_retries += s->syn_retries;
			sums.timeouts += s->timeouts;
			sums.fast += s->fast;
			sums.spurious += s->spurious;
			sums.late += s->out_of_order;
			sums.copies += s->duplicates;
			sums.duplicate_acks += s->duplicate_acks;
			sums.zero_windows += s->zero_windows;
			sums.fulls += s->window_fulls;
			sums.probes += s->probes;
			sums.keepalives += s->keepalives;
			sums.nagle += s->nagle_stalls;
			sums.resets += s->resets;
			sums.unseen += s->acked_unseen;
		}
	}
	return sums;
}

void talk_add_up(const struct talk *t)
{
	const struct capture_totals *totals = flows_totals(t->flows);
	const struct sums sums = add_flows(t->flows);
	const uint64_t *told = totals->events;

	for (size_t kind = 0; kind < EVENT_KIND_COUNT; kind++)
		assert_int_equal(told[kind], t->counted[kind]);
	assert_int_equal(told[EVENT_SYN_RETRY] + told[EVENT_SYN_ACK_RETRY], sums.syn_retries);
	assert_int_equal(told[EVENT_TIMEOUT_RETRANSMISSION], sums.timeouts);
	assert_int_equal(told[EVENT_FAST_RETRANSMISSION], sums.fast);
	assert_int_equal(told[EVENT_RETRANSMISSION], sums.again - sums.syn_retries - sums.timeouts - sums.fast);
	assert_int_equal(told[EVENT_SPURIOUS_RETRANSMISSION], sums.spurious);
	assert_int_equal(told[EVENT_OUT_OF_ORDER], sums.late);
	assert_int_equal(told[EVENT_DUPLICATE_ACK], sums.duplicate_acks);
	assert_int_equal(told[EVENT_ZERO_WINDOW], sums.zero_windows);
	assert_int_equal(told[EVENT_WINDOW_FULL], sums.fulls);
	assert_int_equal(told[EVENT_ZERO_WINDOW_PROBE], sums.probes);
	assert_int_equal(told[EVENT_KEEPALIVE], sums.keepalives);
	assert_int_equal(told[EVENT_NAGLE_STALL], sums.nagle);
	assert_int_equal(told[EVENT_REFUSED] + told[EVENT_RESET], sums.resets);
	assert_int_equal(told[EVENT_CAPTURE_LOSS], sums.unseen);
	assert_int_equal(told[EVENT_DUPLICATE_FRAME], totals->duplicates);
	assert_true(sums.packets + totals->duplicates <= totals->packets);
	assert_true(sums.copies <= totals->duplicates);
}
