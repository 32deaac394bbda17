/* SPDX-License-Identifier: MIT */
/* Every packet signal on captures whose flows hold any numbers at all: no crash, no nonsense, every text filled in. */
#include <math.h>
#include <string.h>

#include "../support/dice.h"
#include "rules.h"

#define ROUNDS 400
#define FLOWS 60
#define SPEAKERS 12 /* of the rules that read packets, at least so many find something to say */

/* The reader lets no time through that is later than this. */
#define LATEST_NS (INT64_MAX / 2)

static struct endpoint any_endpoint(void)
{
	static const uint16_t ports[] = { 0, 53, 80, 443, 5353, 33434, 40000, 65535 };

	return (struct endpoint){ any_address(), ports[roll(ARRAY_SIZE(ports))] };
}

static void shake_side(struct flow_side *s)
{
	uint16_t *small[] = { &s->timeouts, &s->fast, &s->dsacks, &s->zero_windows, &s->keepalives, &s->keepalive_acks, &s->acked_unseen, &s->window_fulls, &s->probes,
			      &s->resets, &s->fins, &s->syns, &s->syn_retries, &s->mss, &s->max_payload, &s->ip_acked_max, &s->ip_dead_min, &s->dead_tries, &s->nagle_stalls,
			      &s->nagle_cycles, &s->nagle_ms_min, &s->nagle_ms_max };
	uint32_t *large[] = { &s->packets, &s->isn, &s->seq_next, &s->ack, &s->retransmissions, &s->spurious, &s->out_of_order, &s->duplicate_acks, &s->duplicates,
			      &s->rtt_min_us, &s->rtt_max_us, &s->rtt_count, &s->dead_ms, &s->dead_since_ms, &s->zero_window_ms };

	for (size_t i = 0; i < ARRAY_SIZE(small); i++)
		*small[i] = (uint16_t)number(UINT16_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(large); i++)
		*large[i] = (uint32_t)number(UINT32_MAX);
	s->bytes = number(UINT64_MAX);
	s->payload = number(UINT64_MAX);
	s->last_ns = roll(9) ? wire_ns((double)roll(1000) / 10) : (int64_t)number(LATEST_NS);
	s->last_payload_ns = roll(2) ? s->last_ns : 0;
	s->has = (uint16_t)roll(UINT16_MAX);
	s->ttl_min = (uint8_t)number(255);
	s->ttl_max = (uint8_t)number(255);
	s->ttl_reset = (uint8_t)number(255);
	s->wscale = (uint8_t)roll(15);
	s->window_shut = roll(2);
}

/* A flow as the tracker makes them, and then whatever may be wrong with it. */
static void add_flow(struct wire *w)
{
	struct flow *flow = roll(4) ? wire_tcp(w, "10.0.0.1:40000", "10.0.0.2:80") : wire_udp(w, "10.0.0.1:40000", "10.0.0.2:53", 3, 0);

	for (unsigned side = 0; side < 2; side++) {
		flow->end[side] = any_endpoint();
		if (roll(4))
			shake_side(&flow->side[side]);
		else if (roll(2))
			wire_silent(flow, side);
	}
	if (flow->protocol == PROTOCOL_TCP)
		flow->state = (uint8_t)(1 + roll(FLOW_STATE_COUNT - 1));
	flow->flags = (uint32_t)roll(UINT32_MAX);
	flow->local_side = (uint8_t)roll(2);
	flow->closer = (uint8_t)roll(3);
	flow->resetter = (uint8_t)roll(3);
	flow->first_ns = roll(9) ? wire_ns((double)roll(600) / 10) : (int64_t)number(LATEST_NS);
	flow->handshake_rtt_us = (uint32_t)number(UINT32_MAX);
	flow->syn_wait_ms = (uint32_t)number(UINT32_MAX);
	flow->idle_max_ms = (uint32_t)number(UINT32_MAX);
	flow->idle_last_ms = (uint32_t)number(UINT32_MAX);
	flow->close_idle_ms = (uint32_t)number(UINT32_MAX);
	flow->asked = (uint32_t)number(UINT32_MAX);
	flow->answered = (uint32_t)(roll(3) ? 0 : number(UINT32_MAX));
	flow->request_hash = roll(3);
	flow->icmp_errors = (uint16_t)number(UINT16_MAX);
	flow->icmp_class = (uint8_t)roll(ICMP_CLASS_COUNT);
	flow->icmp_mtu = (uint16_t)number(UINT16_MAX);
	flow->icmp_report = (uint16_t)roll(WIRE_REPORTS);
	flow->owner = (uint32_t)roll(WIRE_OWNERS);
}

/* A healthy flow in which one number or two are something else: the one oddity by which it is found. */
static void add_calm_flow(struct wire *w)
{
	struct flow *flow = roll(4) ? wire_tcp(w, "10.0.0.1:40000", "10.0.0.2:80") : wire_udp(w, "10.0.0.1:40000", "10.0.0.2:53", 3, (unsigned)roll(4));
	struct flow_side *s = &flow->side[roll(2)];
	uint16_t *small[] = { &s->dsacks, &s->zero_windows, &s->syn_retries, &s->mss, &s->max_payload, &s->ip_dead_min, &s->dead_tries, &s->nagle_stalls, &s->nagle_cycles };
	uint32_t *large[] = { &s->retransmissions, &s->spurious, &s->duplicate_acks, &s->duplicates, &s->dead_ms, &s->zero_window_ms, &flow->idle_last_ms,
			      &flow->close_idle_ms, &flow->answered };

	for (unsigned i = 0; i < 1 + roll(2); i++) {
		if (roll(2))
			*small[roll(ARRAY_SIZE(small))] = (uint16_t)number(UINT16_MAX);
		else
			*large[roll(ARRAY_SIZE(large))] = (uint32_t)number(UINT32_MAX);
	}
	if (!roll(3))
		flow->end[roll(2)] = any_endpoint();
	if (!roll(3) && flow->protocol == PROTOCOL_TCP)
		flow->state = (uint8_t)(1 + roll(FLOW_STATE_COUNT - 1));
	if (!roll(3))
		flow->flags ^= 1u << roll(19);
	if (!roll(4))
		s->has ^= (uint16_t)(1u << roll(12));
	if (!roll(4))
		s->payload = number(UINT32_MAX);
	if (!roll(4))
		s->last_payload_ns = 0;
	if (!roll(8)) { /* bulk data in segments that fit a GRE tunnel */
		s->max_payload = 1424;
		s->packets = 100;
		s->payload = 100 * 1424;
	}
	flow->closer = (uint8_t)roll(3);
	flow->resetter = (uint8_t)roll(3);
	flow->request_hash = roll(3);
}

static void add_report(struct wire *w)
{
	struct icmp_report *report = &w->reports[w->report_count++];

	*report = (struct icmp_report){ .reporter = any_address(), .class = (uint8_t)roll(ICMP_CLASS_COUNT), .protocol = roll(2) ? PROTOCOL_UDP : PROTOCOL_TCP,
					.src = any_endpoint(), .dst = any_endpoint(), .count = 1 + number(UINT32_MAX), .echoes = number(8), .flow_number = roll(FLOWS),
					.mtu_min = (uint32_t)number(UINT16_MAX), .mtu_max = (uint32_t)number(UINT16_MAX), .quoted_ip_max = (uint32_t)number(UINT16_MAX),
					.obeyed = roll(2), .first_ns = wire_ns((double)roll(60)), .last_ns = wire_ns((double)roll(60)) };
}

static void add_tables(struct wire *w)
{
	for (unsigned i = 0; i < 8; i++) {
		add_report(w);
		w->trains[w->train_count++] = (struct fragment_train){ .src = any_address(), .dst = any_address(), .got = (uint32_t)number(UINT16_MAX),
								       .total = (uint32_t)number(UINT16_MAX), .fragments = 1 + (uint32_t)roll(40), .protocol = PROTOCOL_UDP,
								       .has_first = roll(2), .overlaps = roll(2) };
		w->loops[w->loop_count++] = (struct loop_report){ .src = any_address(), .dst = any_address(), .ttl_first = 64, .ttl_last = (uint8_t)roll(64),
								  .step = (uint8_t)(1 + roll(4)), .count = 2 + (uint32_t)roll(60) };
		w->owners[w->owner_count] = (struct flow_owner){ .pid = (uint32_t)number(UINT32_MAX), .comm = "a\033[1m}%s\n", .unit = "y}.service" };
		w->owner_count += roll(2);
	}
}

static void shake_totals(struct wire *w)
{
	w->totals.events[EVENT_CAPTURE_LOSS] = number(1000);
	w->totals.trains = number(1000);
	w->totals.trains_lost = number(1000);
	w->totals.fragments = number(1000);
	w->totals.clock_jumps = number(5);
	w->totals.super_segments = number(1000);
	w->totals.duplicates = number(1000);
	w->totals.packets = number(UINT32_MAX);
	w->source.live = roll(2);
	w->source.has_drops = roll(2);
	w->source.received = number(UINT32_MAX);
	w->source.dropped_kernel = number(UINT32_MAX);
	w->source.name = roll(2) ? "any" : "-x; peer} '\n";
	w->trust = roll(3) ? 1 : (double)(1 + roll(99)) / 100;
	if (roll(2))
		wire_lasts(w, (double)roll(1000));
}

static void finding_is_sane(const struct finding *f)
{
	if (!(f->confidence > 0 && f->confidence <= 1 && f->score >= 0 && f->score <= 100 && f->share >= 0))
		fail_msg("%s: confidence %g, score %g, share %g", f->rule, f->confidence, f->score, f->share);
	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct evidence *e = &f->evidence[i];

		assert_ptr_equal(finding_evidence(f, e->name), e);
		if (!e->text && !(isfinite(e->value) && e->value >= 0))
			fail_msg("%s: %s is %g", f->rule, e->name, e->value);
	}
}

static void hostile_flows__in_every_rule_signal__make_no_nonsense(void **state)
{
	size_t filed[64] = { 0 }, spoke = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		static struct wire w;

		wire_open(&w, "");
		for (unsigned i = 0; i < FLOWS; i++)
			add_flow(&w);
		add_tables(&w);
		shake_totals(&w);
		for (size_t i = 0; i < triage_rule_count; i++) {
			if (!triage_rules[i]->packets)
				continue;
			w.rule = triage_rules[i]->id;
			wire_judge(&w);
			filed[i] += w.verdict.finding_count;
			for (size_t k = 0; k < w.verdict.finding_count; k++)
				finding_is_sane(w.verdict.findings[k]);
			for (size_t k = 0; k < w.verdict.miss_count; k++)
				assert_true(isfinite(w.verdict.misses[k].value));
		}
		wire_close(&w);
	}
	for (size_t i = 0; i < triage_rule_count; i++)
		spoke += filed[i] > 0;
	assert_true(spoke >= SPEAKERS); /* else the numbers do not get past the first test of most rules */
}

static void evidence_is_the_same(const struct finding *a, const struct finding *b)
{
	assert_int_equal(a->evidence_count, b->evidence_count);
	for (unsigned i = 0; i < a->evidence_count; i++) {
		const struct evidence *x = &a->evidence[i], *y = &b->evidence[i];

		assert_string_equal(x->name, y->name);
		assert_string_equal(x->text ? x->text : "", y->text ? y->text : "");
		if (!x->text && x->value != y->value)
			fail_msg("%s: %s is %g or %g", a->rule, x->name, x->value, y->value);
	}
}

static void verdict_is_the_same(const struct verdict *a, const struct verdict *b)
{
	assert_int_equal(a->finding_count, b->finding_count);
	for (size_t i = 0; i < a->finding_count; i++) {
		assert_string_equal(a->findings[i]->title, b->findings[i]->title);
		assert_string_equal(a->findings[i]->detail, b->findings[i]->detail);
		assert_int_equal(a->findings[i]->severity, b->findings[i]->severity);
		assert_int_equal(a->findings[i]->count, b->findings[i]->count);
		evidence_is_the_same(a->findings[i], b->findings[i]);
	}
	assert_int_equal(a->skipped_count, b->skipped_count);
	assert_int_equal(a->miss_count, b->miss_count);
	for (size_t i = 0; i < a->miss_count; i++)
		assert_true(a->misses[i].value == b->misses[i].value);
}

/* What the index leaves out is what no rule would have spoken of. */
static void odd_flows__alone__bring_the_verdict_of_all(void **state)
{
	size_t filed = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		static struct wire w;
		struct verdict odd;

		wire_open(&w, "");
		for (unsigned i = 0; i < FLOWS; i++)
			roll(4) ? add_calm_flow(&w) : add_flow(&w);
		add_tables(&w);
		shake_totals(&w);
		for (size_t i = 0; i < triage_rule_count; i++) {
			if (!triage_rules[i]->packets)
				continue;
			w.rule = triage_rules[i]->id;
			w.all_odd = false;
			wire_judge(&w);
			odd = w.verdict;
			filed += odd.finding_count;
			w.all_odd = true;
			wire_judge(&w);
			verdict_is_the_same(&odd, &w.verdict);
		}
		wire_close(&w);
	}
	assert_true(filed > ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_flows__in_every_rule_signal__make_no_nonsense),
		cmocka_unit_test(odd_flows__alone__bring_the_verdict_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
