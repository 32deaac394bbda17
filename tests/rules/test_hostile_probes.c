/* SPDX-License-Identifier: MIT */
/* Every probe signal on results that hold anything at all: no crash, no nonsense, every text filled in; and on healthy ones: nothing. */
#include <math.h>
#include <string.h>

#include "../support/dice.h"
#include "rules.h"

#define ROUNDS 20000
#define SPEAKERS 10 /* rules that find something to say in such results */

/* What is one of @count mostly, and else any number. */
static uint8_t any_of(unsigned count)
{
	return (uint8_t)(roll(8) ? roll(count) : number(UINT8_MAX));
}

static struct route any_route(void)
{
	struct route route = { .gateway = any_address(), .source = any_address(), .has = (uint32_t)roll(128), .error = roll(8) ? 0 : -(int)roll(200), .mtu = (uint32_t)number(UINT32_MAX),
			       .link_mtu = (uint32_t)number(UINT32_MAX), .expires_ms = (uint32_t)number(UINT32_MAX), .neighbour_state = (uint16_t)roll(256),
			       .mtu_locked = roll(2), .carrier = roll(2), .is_default = roll(2), .is_local = roll(2) };

	memcpy(route.device, roll(2) ? "a\033[1m%s;\n&" : "eth0\0\0\0\0\0\0", 11);
	return route;
}

static size_t any_hops(struct path_hop *hops)
{
	for (size_t i = 0; i < PATH_HOPS_MAX; i++)
		hops[i] = (struct path_hop){ .address = any_address(), .rtt_us = (int64_t)number(INT64_MAX) - 1, .ttl = (uint8_t)(roll(8) ? i + 1 : number(UINT8_MAX)),
					     .reply = any_of(PROBE_REPLY_COUNT), .large = any_of(PROBE_REPLY_COUNT), .tries = (uint8_t)number(UINT8_MAX) };
	return roll(4) ? roll(PATH_HOPS_MAX + 1) : (size_t)number(SIZE_MAX);
}

static void shake_mtu(struct mtu_path *path)
{
	path->method = any_of(PROBE_METHOD_COUNT);
	path->finding = any_of(MTU_FINDING_COUNT);
	path->bound = any_of(MTU_BOUND_COUNT);
	path->place = any_of(SHRINK_PLACE_COUNT);
	path->shrink_ttl = (uint8_t)number(UINT8_MAX);
	path->shrink_before = (uint8_t)number(UINT8_MAX);
	path->says = any_of(PROBE_REPLY_COUNT);
	path->says_error = (int)number(INT32_MAX);
	path->says_by = any_address();
	path->shrink_address = any_address();
	path->lossy = roll(2);
	path->partial = roll(2);
	path->told_by = (int)roll(20) - 5;
	path->path_mtu = (uint32_t)number(UINT32_MAX);
	path->smallest_lost = roll(2) ? path->path_mtu + 1 : (uint32_t)number(UINT32_MAX);
	path->size_count = roll(4) ? roll(PATH_SIZES_MAX + 1) : (size_t)number(SIZE_MAX);
	for (size_t i = 0; i < PATH_SIZES_MAX; i++)
		path->sizes[i] = (struct path_size){ (uint32_t)number(UINT32_MAX), any_of(SIZE_FATE_COUNT), (uint8_t)number(UINT8_MAX) };
	path->told_count = roll(4) ? roll(PATH_TOLD_MAX + 1) : (size_t)number(SIZE_MAX);
	for (size_t i = 0; i < PATH_TOLD_MAX; i++)
		path->told[i] = (struct path_told){ any_address(), (uint32_t)number(UINT32_MAX), (uint32_t)number(UINT32_MAX), any_of(TOLD_KIND_COUNT) };
	path->hop_count = any_hops(path->hops);
	path->probes_sent = (uint32_t)number(UINT32_MAX);
	path->controls_sent = (uint32_t)number(UINT32_MAX);
	path->controls_lost = (uint32_t)number(UINT32_MAX);
	path->elapsed_us = (int64_t)number(INT64_MAX) - 1;
}

static void shake_beside(struct mtu_result *result)
{
	result->reverse = (struct reverse_path){ any_of(REVERSE_FINDING_COUNT), (uint32_t)number(UINT32_MAX), (uint32_t)number(UINT32_MAX), (uint32_t)number(UINT32_MAX), number(UINT64_MAX) };
	result->tcp = (struct tcp_witness){ .made = roll(4), .connected = roll(4), .snd_mss = (uint32_t)number(UINT32_MAX), .advmss = (uint32_t)number(UINT32_MAX),
					    .pmtu = (uint32_t)number(UINT32_MAX) };
	result->live = (struct live_path){ .sockets = (uint32_t)number(UINT32_MAX), .with_info = (uint32_t)number(UINT32_MAX), .mss_max = (uint32_t)number(UINT32_MAX) };
	result->dropped = number(UINT64_MAX);
}

static void shake_trace(struct trace_path *path)
{
	path->finding = any_of(TRACE_FINDING_COUNT);
	path->proof = any_of(TRACE_PROOF_COUNT);
	path->dies_after = (uint8_t)number(UINT8_MAX);
	path->host_ttl = (uint8_t)number(UINT8_MAX);
	path->rst_ttl = (uint8_t)number(UINT8_MAX);
	path->reply_ttl = (uint8_t)number(UINT8_MAX);
	path->side_method = any_of(PROBE_METHOD_COUNT);
	path->icmp_type = any_of(5);
	path->icmp_code = any_of(17);
	path->is_icmp = roll(2);
	path->split = roll(2);
	path->partial = roll(2);
	path->ran_out = roll(2);
	path->error = (int)number(200);
	path->by = any_address();
	path->hop_count = any_hops(path->hops);
	path->side_count = any_hops(path->side);
	path->probes_sent = (uint32_t)number(UINT32_MAX);
	path->retried = (uint32_t)number(UINT32_MAX);
	path->elapsed_us = (int64_t)number(INT64_MAX) - 1;
	path->rtt_us = (int64_t)number(INT64_MAX) - 1;
}

static void finding_is_sane(const struct finding *f)
{
	if (!(f->confidence > 0 && f->confidence <= 0.99 && f->score >= 0 && f->score <= 100))
		fail_msg("%s: confidence %g, score %g", f->rule, f->confidence, f->score);
	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct evidence *e = &f->evidence[i];

		assert_ptr_equal(finding_evidence(f, e->name), e);
		if (!e->text && !(isfinite(e->value) && e->value >= 0))
			fail_msg("%s: %s is %g", f->rule, e->name, e->value);
	}
}

static void hostile_results__in_every_rule_signal__make_no_nonsense(void **state)
{
	size_t filed[64] = { 0 }, spoke = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct probing p;

		if (roll(2)) {
			probing_mtu(&p, NULL, roll(2) ? "10.9.9.2" : "fd00:9::2", (uint16_t)number(UINT16_MAX));
			p.mtu.route = any_route();
			shake_mtu(&p.mtu.path);
			shake_beside(&p.mtu);
		} else {
			probing_trace(&p, NULL, roll(2) ? "10.9.9.2" : "fd00:9::2", (uint16_t)number(UINT16_MAX));
			p.trace.route = any_route();
			shake_trace(&p.trace.path);
		}
		probing_judge(&p);
		for (size_t i = 0; i < p.verdict.finding_count; i++) {
			finding_is_sane(p.verdict.findings[i]);
			for (size_t k = 0; k < triage_rule_count; k++)
				filed[k] += !strcmp(triage_rules[k]->id, p.verdict.findings[i]->rule);
		}
		probing_close(&p);
	}
	for (size_t i = 0; i < triage_rule_count; i++)
		spoke += filed[i] > 0;
	assert_true(spoke >= SPEAKERS); /* else the numbers do not get past the first test of most rules */
}

static void healthy_results__in_every_rule_signal__are_silent(void **state)
{
	static const char *const addresses[] = { "10.9.9.2", "fd00:9::2" };
	struct probing p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		for (unsigned method = 0; method < PROBE_METHOD_COUNT; method++) {
			probing_mtu(&p, NULL, addresses[i], 443);
			p.mtu.path.method = (uint8_t)method;
			p.mtu.tcp = (struct tcp_witness){ .made = true, .connected = true, .snd_mss = 1428, .advmss = 1440, .pmtu = 1500 };
			p.mtu.reverse.finding = REVERSE_FITS;
			probing_judge(&p);
			probing_expect_silence(&p);
			p.mtu.path.finding = MTU_HOST_DEAF;
			p.mtu.path.path_mtu = 0;
			probing_judge(&p);
			probing_expect_silence(&p);
			probing_close(&p);
		}
		probing_trace(&p, NULL, addresses[i], 443);
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
}

/* Whatever ends an attempt, exactly one rule tells of it; that it was not followed to its end is no fault. */
static void every_end_of_a_trace__is_told_by_one_rule(void **state)
{
	(void)state;
	for (unsigned finding = TRACE_OPEN + 1; finding < TRACE_FINDING_COUNT; finding++) {
		for (int error = 1; error < 134; error++) {
			struct probing p;

			probing_trace(&p, NULL, "10.9.9.2", 443);
			probing_ends(&p, (enum trace_finding)finding, 1);
			p.trace.path.error = error;
			probing_judge(&p);
			assert_int_equal(p.verdict.finding_count, 1);
			assert_int_equal(p.verdict.findings[0]->severity >= SEVERITY_WARNING, finding != TRACE_UNDECIDED);
			probing_close(&p);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_results__in_every_rule_signal__make_no_nonsense),
		cmocka_unit_test(healthy_results__in_every_rule_signal__are_silent),
		cmocka_unit_test(every_end_of_a_trace__is_told_by_one_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
