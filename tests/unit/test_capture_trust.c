/* SPDX-License-Identifier: MIT */
/* How far a capture is trusted: each flaw at its edge, several together, and captures that only look like one with a flaw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tcptriage/triage/engine.h"

static struct capture_totals whole(void)
{
	return (struct capture_totals){ .packets = 10000, .tcp = 10000, .flows = 100, .status = { [DECODE_OK] = 10000 } };
}

static bool trusts(const struct capture_source *source, const struct capture_totals *totals, double wanted)
{
	double trust = triage_capture_trust(source, totals);

	return trust > wanted - 1e-9 && trust < wanted + 1e-9;
}

static void trust__whole_or_empty_capture__is_full(void **state)
{
	struct capture_source source = { .name = "eth0" };
	struct capture_totals totals = whole(), none = { .packets = 0 };

	(void)state;
	assert_true(trusts(&source, &totals, 1));
	assert_true(trusts(&source, &none, 1));
}

static void trust__drops__count_from_one_in_a_thousand_where_known(void **state)
{
	struct capture_source source = { .name = "eth0", .received = 10000, .dropped_kernel = 9 };
	struct capture_totals totals = whole();

	(void)state;
	totals.packets = 9991;
	assert_true(trusts(&source, &totals, 1)); /* not known */
	source.has_drops = true;
	assert_true(trusts(&source, &totals, 1));
	source.dropped_kernel = 10;
	totals.packets = 9990;
	assert_true(trusts(&source, &totals, 0.7));
	source.dropped_kernel = 0;
	source.dropped_interface = 11;
	assert_true(trusts(&source, &totals, 0.7));
}

static void trust__bytes_never_captured__count_as_drops_and_once(void **state)
{
	struct capture_source source = { .name = "trace.pcap", .received = 10000, .dropped_kernel = 100 };
	struct capture_totals totals = whole();

	(void)state;
	totals.events[EVENT_CAPTURE_LOSS] = 9;
	assert_true(trusts(&source, &totals, 1));
	totals.events[EVENT_CAPTURE_LOSS] = 10;
	assert_true(trusts(&source, &totals, 0.7));
	source.has_drops = true;
	assert_true(trusts(&source, &totals, 0.7));
}

static void trust__each_flaw__takes_its_share(void **state)
{
	struct capture_source source = { .name = "eth0" };
	struct capture_totals totals = whole();

	(void)state;
	totals.flows_one_way = 79;
	assert_true(trusts(&source, &totals, 1));
	totals.flows_one_way = 80;
	assert_true(trusts(&source, &totals, 0.6));
	totals.status[DECODE_TRUNCATED] = 99;
	assert_true(trusts(&source, &totals, 0.6));
	totals.status[DECODE_TRUNCATED] = 100;
	assert_true(trusts(&source, &totals, 0.6 * 0.8));
	totals.clock_jumps = 1;
	totals.evicted = 1;
	assert_true(trusts(&source, &totals, 0.6 * 0.8 * 0.9 * 0.9));
}

static struct flow one_sided(unsigned side, uint32_t packets, uint32_t again)
{
	struct flow flow = { .protocol = PROTOCOL_TCP };

	flow.side[side].packets = packets;
	flow.side[side].retransmissions = again;
	flow.side[side].has = SIDE_HAS_SEQ | SIDE_HAS_ACK;
	return flow;
}

static void half_seen__answered_out_of_sight__and_nobody_there__differ(void **state)
{
	struct flow flow;

	(void)state;
	flow = one_sided(0, 20, 1);
	assert_true(flow_half_seen(&flow));
	flow = one_sided(1, 20, 1);
	assert_true(flow_half_seen(&flow));
	flow.side[0].packets = 1;
	assert_false(flow_half_seen(&flow));
	flow = one_sided(0, 7, 6); /* a dead peer */
	assert_false(flow_half_seen(&flow));
	flow = one_sided(0, 2, 0); /* too few to tell */
	assert_false(flow_half_seen(&flow));
	flow = one_sided(0, 3, 0);
	assert_true(flow_half_seen(&flow));
	flow.side[0].has = SIDE_HAS_SEQ; /* SYNs: a scan, or a server that is down */
	assert_false(flow_half_seen(&flow));
	flow = one_sided(0, 20, 0);
	flow.protocol = PROTOCOL_UDP;
	assert_false(flow_half_seen(&flow));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trust__whole_or_empty_capture__is_full),
		cmocka_unit_test(trust__drops__count_from_one_in_a_thousand_where_known),
		cmocka_unit_test(trust__bytes_never_captured__count_as_drops_and_once),
		cmocka_unit_test(trust__each_flaw__takes_its_share),
		cmocka_unit_test(half_seen__answered_out_of_sight__and_nobody_there__differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
