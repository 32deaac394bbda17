/* SPDX-License-Identifier: MIT */
/* Any bytes as a capture: frames through the decoder, the tracker with a small table, the rules and the printers. Each frame begins with four bytes:
 * its length, link type and cut, and the time since the one before (it may go back). */
#include <string.h>

#include "tcptriage/decode/packet.h"
#include "tcptriage/render/capture.h"
#include "tcptriage/track/flows.h"
#include "tcptriage/triage/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_event(const struct event *event, void *context)
{
	const struct style plain = { 0 };

	BUG_ON(event->kind >= EVENT_KIND_COUNT || event->side > 1);
	event_text(context, event, NULL, &plain);
	event_ndjson(context, event, NULL);
	out_clear(context);
}

static void feed(struct flows *flows, const uint8_t *data, size_t size)
{
	static const uint16_t link_types[] = { 101, 1, 113, 276 };
	static const uint32_t steps_us[] = { 1, 50, 900, 40000, 250000, 1100000, 31000000, 0 };
	struct frame frame = { .time_ns = INT64_C(1700000000000000000) };
	struct packet packet;

	while (size > 4) {
		frame.captured = (uint32_t)MIN((size_t)data[0] + (data[1] & 1 ? 256u : 0u), size - 4);
		frame.wire = frame.captured + (data[1] & 2 ? 1400u : 0u);
		frame.link_type = link_types[data[1] >> 2 & 3];
		frame.interface = data[1] >> 4 & 1;
		frame.time_ns += (data[2] & 8 ? -1 : 1) * (int64_t)steps_us[data[2] & 7] * 1000;
		frame.bytes = data + 4;
		frame.number++;
		packet_decode(&frame, &(struct decode_options){ .checksums = data[3] & 1 }, &packet);
		flows_add(flows, &packet);
		data += 4 + frame.captured;
		size -= 4 + frame.captured;
	}
}

static void check(const struct flows *flows)
{
	const struct capture_totals *totals = flows_totals(flows);
	const struct flow *flow;
	uint64_t packets = 0;

	for (size_t i = 0; (flow = flows_at(flows, i)); i++) {
		for (unsigned side = 0; side < 2; side++) {
			const struct flow_side *s = &flow->side[side];

			packets += s->packets;
			BUG_ON(s->retransmissions < s->spurious || s->retransmissions > s->packets || s->out_of_order > s->packets);
			BUG_ON(s->duplicate_acks > s->packets || s->zero_windows > s->packets || s->resets > s->packets);
		}
		BUG_ON(flow->state >= FLOW_STATE_COUNT || flow->closer > 2 || flow->resetter > 2);
	}
	BUG_ON(packets > totals->packets || flows_count(flows) > totals->flows);
}

static void judge(struct flows *flows, struct out *out)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	const struct capture_source source = { .name = "fuzz", .filter = "", .link_type = 101 };
	struct verdict verdict = { .arena = &arena };
	const struct flow **list = arena_alloc(&arena, (flows_count(flows) + 1) * sizeof(*list));
	struct packet_evidence evidence = { .source = &source, .totals = flows_totals(flows), .flows = list, .flow_count = flows_count(flows) };
	const struct document doc = { .schema = "tcptriage.capture/1", .host = "h", .netns = "", .complete = true };
	struct report report = { .doc = &doc, .verbose = true, .namespaces = 1 };

	for (size_t i = 0; i < evidence.flow_count; i++)
		list[i] = flows_at(flows, i);
	evidence.reports = flows_reports(flows, &evidence.report_count);
	evidence.trains = flows_trains(flows, &evidence.train_count);
	evidence.loops = flows_loops(flows, &evidence.loop_count);
	evidence.trust = triage_capture_trust(&source, evidence.totals);
	triage_run(&(struct view){ .packets = &evidence, .arena = &arena }, NULL, &verdict);
	triage_rank(&verdict);
	report.findings = verdict.findings;
	report.finding_count = verdict.finding_count;
	for (unsigned format = 0; format < FORMAT_COUNT; format++)
		capture_renderers[format](out, &(struct capture_report){ .report = &report, .source = &source, .totals = evidence.totals, .flows = list, .flow_count = evidence.flow_count });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct out out;
	struct flows *flows;

	out_open_mem(&out);
	flows = flows_new(&(struct flows_options){ .max_flows = 16, .on_event = on_event, .context = &out });
	feed(flows, data, size);
	flows_end(flows);
	check(flows);
	judge(flows, &out);
	flows_end(flows);
	flows_free(flows);
	out_close(&out);
	return 0;
}
