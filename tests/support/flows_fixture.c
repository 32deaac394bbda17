/* SPDX-License-Identifier: MIT */
/* A made-up capture for one rule. */
#include "flows_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/base/num.h"
#include "triage/flow_index.h"

#define NS_PER_S INT64_C(1000000000)
#define RTT_US 10000
#define HEADER 52 /* IPv4, TCP, timestamps */

void wire_open(struct wire *w, const char *rule)
{
	*w = (struct wire){ .rule = rule, .trust = 1, .source = { .name = "test.pcapng", .filter = "", .link_type = 1, .snaplen = 262144 } };
	w->totals.first_ns = WIRE_START_NS;
}

void wire_close(struct wire *w)
{
	arena_free(&w->arena);
}

int64_t wire_ns(double seconds)
{
	return WIRE_START_NS + (int64_t)(seconds * (double)NS_PER_S);
}

void wire_lasts(struct wire *w, double seconds)
{
	w->totals.last_ns = wire_ns(seconds);
}

struct endpoint wire_endpoint(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct endpoint e = { 0 };
	char addr[64] = "";
	uint64_t port;

	assert_non_null(colon);
	memcpy(addr, text, (size_t)(colon - text));
	assert_true(addr_parse(addr, &e.addr));
	assert_true(num_u64(colon + 1, UINT16_MAX, &port));
	e.port = (uint16_t)port;
	return e;
}

static struct flow *add(struct wire *w, uint8_t protocol, const char *a, const char *b)
{
	struct flow *flow = arena_alloc(&w->arena, sizeof(*flow));

	assert_true(w->count < WIRE_FLOWS);
	*flow = (struct flow){
		.end = { wire_endpoint(a), wire_endpoint(b) },
		.protocol = protocol,
		.number = w->count + 1,
		.first_ns = WIRE_START_NS,
		.closer = 2,
		.resetter = 2,
		.interfaces = 1,
	};
	w->flow[w->count++] = flow;
	return flow;
}

static void speak(struct flow *flow, unsigned side, uint32_t packets, uint32_t payload, double seconds)
{
	struct flow_side *s = &flow->side[side];

	s->packets += packets;
	s->payload += payload;
	s->bytes += (uint64_t)packets * HEADER + payload;
	s->max_payload = (uint16_t)MAX(s->max_payload, MIN(payload, 1448));
	s->last_ns = wire_ns(seconds);
	if (payload)
		s->last_payload_ns = s->last_ns;
	s->ttl_min = s->ttl_max = side ? 57 : 64;
	s->has |= SIDE_HAS_SEQ;
}

static void say_syn(struct flow *flow, unsigned side)
{
	struct flow_side *s = &flow->side[side];

	s->has |= SIDE_HAS_MSS | SIDE_HAS_SYN | SIDE_HAS_TIMESTAMPS | SIDE_HAS_SACK_PERMITTED | SIDE_HAS_SEQ;
	s->mss = 1460;
	s->isn = 1000 + side;
	s->seq_next = s->isn + 1;
	s->syns++;
}

struct flow *wire_midstream(struct wire *w, const char *a, const char *b)
{
	struct flow *flow = add(w, PROTOCOL_TCP, a, b);

	flow->state = FLOW_MIDSTREAM;
	speak(flow, 0, 3, 200, 0.5);
	speak(flow, 1, 2, 1000, 0.51);
	for (unsigned side = 0; side < 2; side++) {
		struct flow_side *s = &flow->side[side];

		s->has |= SIDE_HAS_SEQ | SIDE_HAS_ACK | SIDE_HAS_RTT | SIDE_HAS_TIMESTAMPS;
		s->isn = 1000 + side;
		s->rtt_min_us = s->rtt_max_us = RTT_US;
		s->rtt_count = 2;
	}
	flow->side[0].seq_next = flow->side[1].ack = 1001 + 200;
	flow->side[1].seq_next = flow->side[0].ack = 1002 + 1000;
	flow->flags = FLOW_SYN_TO_DATA;
	return flow;
}

struct flow *wire_tcp(struct wire *w, const char *client, const char *server)
{
	struct flow *flow = wire_midstream(w, client, server);

	flow->state = FLOW_ESTABLISHED;
	flow->flags = FLOW_INITIATOR_KNOWN | FLOW_SAW_SYN | FLOW_SAW_SYN_ACK | FLOW_HAS_HANDSHAKE_RTT | FLOW_SYN_TO_DATA;
	flow->handshake_rtt_us = RTT_US;
	flow->syn_wait_ms = RTT_US / 1000;
	for (unsigned side = 0; side < 2; side++) {
		uint32_t next = flow->side[side].seq_next;

		say_syn(flow, side);
		flow->side[side].has |= SIDE_HAS_WSCALE;
		flow->side[side].wscale = 7;
		flow->side[side].seq_next = next;
		flow->side[side].packets++;
	}
	return flow;
}

struct flow *wire_syn(struct wire *w, const char *client, const char *server, unsigned retries)
{
	struct flow *flow = add(w, PROTOCOL_TCP, client, server);
	double last = (double)((1u << retries) - 1);

	flow->state = FLOW_SYN_SENT;
	flow->flags = FLOW_INITIATOR_KNOWN | FLOW_SAW_SYN;
	speak(flow, 0, 1 + retries, 0, last);
	say_syn(flow, 0);
	flow->side[0].syns = (uint16_t)(1 + retries);
	flow->side[0].syn_retries = (uint16_t)retries;
	flow->side[0].retransmissions = retries;
	return flow;
}

struct flow *wire_udp(struct wire *w, const char *client, const char *server, unsigned asked, unsigned answered)
{
	struct flow *flow = add(w, PROTOCOL_UDP, client, server);

	flow->flags = FLOW_INITIATOR_KNOWN;
	flow->asked = asked;
	flow->answered = answered;
	if (asked)
		speak(flow, 0, asked, asked * 40, asked - 1);
	if (answered)
		speak(flow, 1, answered, answered * 80, answered - 1 + 0.01);
	return flow;
}

void wire_silent(struct flow *flow, unsigned side)
{
	flow->side[side] = (struct flow_side){ 0 };
}

void wire_reset(struct flow *flow, unsigned side, double seconds)
{
	struct flow_side *s = &flow->side[side];

	flow->state = FLOW_RESET;
	flow->resetter = (uint8_t)side;
	if (flow->closer > 1)
		flow->closer = (uint8_t)side;
	s->resets++;
	s->packets++;
	s->has |= SIDE_SENT_RST;
	s->ttl_reset = s->ttl_min ? s->ttl_min : 57;
	s->last_ns = wire_ns(seconds);
}

/* Type and code as the two versions write it. */
static void set_type(struct icmp_report *report, bool v6)
{
	static const struct {
		uint8_t v4[2], v6[2];
	} types[ICMP_CLASS_COUNT] = {
		[ICMP_TOO_BIG] = { { 3, 4 }, { 2, 0 } },
		[ICMP_UNREACHABLE] = { { 3, 1 }, { 1, 0 } },
		[ICMP_PORT_UNREACHABLE] = { { 3, 3 }, { 1, 4 } },
		[ICMP_PROTOCOL_UNREACHABLE] = { { 3, 2 }, { 4, 1 } },
		[ICMP_PROHIBITED] = { { 3, 13 }, { 1, 1 } },
		[ICMP_TIME_EXCEEDED] = { { 11, 0 }, { 3, 0 } },
		[ICMP_REASSEMBLY_EXCEEDED] = { { 11, 1 }, { 3, 1 } },
		[ICMP_PARAMETER_PROBLEM] = { { 12, 0 }, { 4, 0 } },
	};
	const uint8_t *pair = v6 ? types[report->class].v6 : types[report->class].v4;

	report->type = pair[0];
	report->code = pair[1];
}

struct icmp_report *wire_icmp(struct wire *w, struct flow *flow, enum icmp_class class, const char *reporter, uint64_t count)
{
	struct icmp_report *report = &w->reports[w->report_count++];

	assert_true(w->report_count <= WIRE_REPORTS);
	*report = (struct icmp_report){
		.class = class,
		.protocol = flow->protocol,
		.src = flow->end[0],
		.dst = flow->end[1],
		.count = count,
		.flow_number = flow->number,
		.first_ns = flow->first_ns,
		.last_ns = flow->side[0].last_ns,
	};
	assert_true(addr_parse(reporter, &report->reporter));
	set_type(report, flow->end[0].addr.family == ADDR_V6);
	flow->icmp_errors = (uint16_t)(flow->icmp_errors + count);
	flow->icmp_class = class;
	flow->icmp_report = (uint16_t)w->report_count;
	return report;
}

struct flow_owner *wire_owner(struct wire *w, struct flow *flow, unsigned side, uint32_t pid, const char *comm)
{
	struct flow_owner *owner = &w->owners[w->owner_count++];

	assert_true(w->owner_count <= WIRE_OWNERS);
	*owner = (struct flow_owner){ .pid = pid, .uid = 1000 };
	strncpy(owner->comm, comm, sizeof(owner->comm) - 1);
	flow->owner = (uint32_t)w->owner_count;
	flow->local_side = (uint8_t)side;
	flow->flags |= FLOW_LOCAL_KNOWN;
	return owner;
}

static void sum_up(struct wire *w)
{
	struct capture_totals *t = &w->totals;
	int64_t newest = t->first_ns;

	t->flows = w->count;
	t->flows_one_way = t->midstream = t->tcp = t->udp = 0;
	for (size_t i = 0; i < w->count; i++) {
		const struct flow *flow = w->flow[i];
		uint32_t packets = flow->side[0].packets + flow->side[1].packets;

		t->flows_one_way += flow_half_seen(flow);
		t->midstream += flow->state == FLOW_MIDSTREAM;
		*(flow->protocol == PROTOCOL_TCP ? &t->tcp : &t->udp) += packets;
		newest = MAX(newest, flow_last_ns(flow));
	}
	t->packets = MAX(t->packets, t->tcp + t->udp);
	if (!t->last_ns)
		t->last_ns = newest;
}

static void wait_for_end(struct wire *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct flow *flow = w->flow[i];

		if (flow->state == FLOW_SYN_SENT && !flow->syn_wait_ms)
			flow->syn_wait_ms = (uint32_t)((w->totals.last_ns - flow->first_ns) / 1000000);
	}
}

/* Every flow odd in every way: rules are asked about all of them. */
static void make_all_odd(struct flow_index *index, const struct wire *w)
{
	for (size_t i = 0; i < w->count; i++)
		index->at[i] = (struct flow_odd){ w->flow[i], UINT32_MAX };
	index->count = w->count;
	index->any = UINT32_MAX;
}

void wire_judge(struct wire *w)
{
	const char *const only[] = { w->rule, NULL };
	struct triage_options options = { .only = only };
	struct packet_evidence packets = {
		.source = &w->source,
		.totals = &w->totals,
		.flows = (const struct flow *const *)w->flow,
		.flow_count = w->count,
		.reports = w->reports,
		.report_count = w->report_count,
		.trains = w->trains,
		.train_count = w->train_count,
		.loops = w->loops,
		.loop_count = w->loop_count,
		.owners = w->owners,
		.owner_count = w->owner_count,
		.trust = w->trust,
	};
	struct view view = { .packets = &packets, .arena = &w->arena };

	assert_non_null(triage_rule_find(w->rule));
	sum_up(w);
	wait_for_end(w);
	view.window_us = (w->totals.last_ns - w->totals.first_ns) / 1000;
	w->verdict = (struct verdict){ .arena = &w->arena };
	view.index = flow_index_make(&view);
	if (w->all_odd)
		make_all_odd(view.index, w);
	triage_run(&view, &options, &w->verdict);
	triage_rank(&w->verdict);
	for (size_t i = 0; i < w->verdict.finding_count; i++) {
		assert_string_equal(w->verdict.findings[i]->rule, w->rule);
		expect_filled(w->verdict.findings[i]);
	}
}

void wire_expect_silence(const struct wire *w)
{
	for (size_t i = 0; i < w->verdict.skipped_count; i++)
		assert_true(w->verdict.skipped[i].partial);
	assert_int_equal(w->verdict.finding_count, 0);
}

const struct finding *wire_expect_one(const struct wire *w, enum severity severity)
{
	assert_int_equal(w->verdict.finding_count, 1);
	assert_string_equal(severity_name(w->verdict.findings[0]->severity), severity_name(severity));
	return w->verdict.findings[0];
}

static bool is_skipped(const struct wire *w, const char *words, bool partial)
{
	for (size_t i = 0; i < w->verdict.skipped_count; i++) {
		if (w->verdict.skipped[i].partial == partial && strstr(w->verdict.skipped[i].reason, words))
			return true;
	}
	return false;
}

void wire_expect_skipped(const struct wire *w, const char *words)
{
	assert_true(is_skipped(w, words, false));
	assert_int_equal(w->verdict.finding_count, 0);
}

void wire_expect_part_skipped(const struct wire *w, const char *words)
{
	assert_true(is_skipped(w, words, true));
}

void wire_expect_near(const struct wire *w, double value)
{
	assert_int_equal(w->verdict.finding_count, 0);
	for (size_t i = 0; i < w->verdict.miss_count; i++) {
		if (w->verdict.misses[i].value == value)
			return;
	}
	fail_msg("no near miss of %g among %zu", value, w->verdict.miss_count);
}
