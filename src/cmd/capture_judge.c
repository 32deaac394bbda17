/* SPDX-License-Identifier: MIT */
/* The evidence of a capture put before the rules, and the outcome as a report. */
#include <stdlib.h>
#include <string.h>

#include "capture.h"

static int by_number(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

static const struct flow **sorted_flows(const struct flows *table, struct arena *arena)
{
	size_t count = flows_count(table);
	const struct flow **list = arena_alloc(arena, (count + 1) * sizeof(*list));
	bool sorted = true;

	for (size_t i = 0; i < count; i++) {
		list[i] = flows_at(table, i);
		sorted = sorted && (!i || list[i - 1]->number < list[i]->number);
	}
	/* slots are in order until flows have to make room for others */
	if (!sorted)
		qsort(list, count, sizeof(*list), by_number);
	return list;
}

static enum report_status status_of(const struct verdict *verdict)
{
	enum severity worst;

	if (!triage_status(verdict, 0.5, &worst) || worst == SEVERITY_INFO)
		return REPORT_OK;
	return worst == SEVERITY_CRITICAL ? REPORT_CRITICAL : REPORT_WARNING;
}

static struct packet_evidence evidence_of(const struct capture_run *run, const struct capture_source *source, struct arena *arena)
{
	struct packet_evidence evidence = { .source = source,
					    .totals = flows_totals(run->table),
					    .flows = sorted_flows(run->table, arena),
					    .flow_count = flows_count(run->table),
					    .owners = run->owners.owner,
					    .owner_count = run->owners.count };

	evidence.reports = flows_reports(run->table, &evidence.report_count);
	evidence.trains = flows_trains(run->table, &evidence.train_count);
	evidence.loops = flows_loops(run->table, &evidence.loop_count);
	evidence.trust = triage_capture_trust(source, evidence.totals);
	return evidence;
}

static bool is_complete(const struct capture_run *run, const struct capture_source *source)
{
	return !run->cut && !(interrupted && !run->live) && !source->dropped_kernel && !source->dropped_interface;
}

void capture_judge(struct capture_run *run, struct arena *arena, void (*print)(struct capture_run *run, const struct capture_report *capture))
{
	struct capture_source source = { 0 };
	struct verdict verdict = { .arena = arena };
	struct packet_evidence evidence;
	struct report report;
	struct view view;

	reader_source(run->reader, &source);
	source.one_direction = run->o->direction && strcmp(run->o->direction, "inout") != 0;
	flows_end(run->table);
	evidence = evidence_of(run, &source, arena);
	view = (struct view){ .packets = &evidence, .netns = run->o->common.netns, .netns_at = run->o->common.netns, .arena = arena };
	triage_run(&view, NULL, &verdict);
	triage_rank(&verdict);
	run->doc.complete = is_complete(run, &source);
	run->doc.notices = &run->notices;
	report = (struct report){ .doc = &run->doc,
				  .status = status_of(&verdict),
				  .findings = verdict.findings,
				  .finding_count = verdict.finding_count,
				  .skipped = verdict.skipped,
				  .skipped_count = verdict.skipped_count,
				  .misses = verdict.misses,
				  .miss_count = verdict.miss_count,
				  .rules_run = triage_rules_reading(EVIDENCE_PACKETS),
				  .namespaces = 1,
				  .verbose = run->o->verbosity > 0,
				  .print_from = 0.4,
				  .style = run->style };
	print(run, &(struct capture_report){ .report = &report,
					     .source = &source,
					     .totals = evidence.totals,
					     .flows = evidence.flows,
					     .flow_count = evidence.flow_count,
					     .owners = evidence.owners,
					     .owner_count = evidence.owner_count,
					     .elapsed_us = clock_mono_us() - run->began_us });
}
