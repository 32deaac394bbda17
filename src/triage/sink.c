/* SPDX-License-Identifier: MIT */
/* How a rule says what it found: findings with their evidence and scope, near misses, and parts it could not judge. */
#include <string.h>

#include "kit.h"

/* One more item at the end of an arena array that doubles. */
static void *append(struct arena *arena, void *array, size_t *count, size_t *cap, size_t size,
		    void **grown)
{
	if (*count == *cap) {
		size_t room = *cap ? *cap * 2 : 16;
		void *larger = arena_alloc(arena, room * size);

		if (*count)
			memcpy(larger, array, *count * size);
		array = larger;
		*cap = room;
	}
	*grown = array;
	return (char *)array + (*count)++ * size;
}

static void keep_finding(struct verdict *v, struct finding *finding)
{
	void *grown;
	struct finding **slot = append(v->arena, v->findings, &v->finding_count, &v->finding_cap,
				       sizeof(*v->findings), &grown);

	v->findings = grown;
	*slot = finding;
}

static struct finding *new_finding(struct sink *sink)
{
	struct finding *finding = arena_alloc(sink->view->arena, sizeof(*finding));

	if (!sink->filed)
		sink->first = sink->verdict->finding_count;
	keep_finding(sink->verdict, finding);
	return finding;
}

/* Past the bound: the storage of a less severe finding, or of one that is not kept. */
static struct finding *reused_finding(struct sink *sink, enum severity severity)
{
	sink_skip_part(sink, "more findings than can be shown: the rest is left out");
	for (size_t i = sink->first; i < sink->verdict->finding_count; i++) {
		if (sink->verdict->findings[i]->severity < severity)
			return sink->verdict->findings[i];
	}
	if (!sink->spare)
		sink->spare = arena_alloc(sink->view->arena, sizeof(*sink->spare));
	return sink->spare;
}

struct finding *sink_finding(struct sink *sink, enum severity severity, double confidence)
{
	const struct rule *rule = sink->rule;
	const struct view *view = sink->view;
	struct finding *finding = sink->filed < SINK_FINDINGS_MAX ? new_finding(sink) :
								    reused_finding(sink, severity);

	sink->filed++;
	*finding = (struct finding){
		.rule = rule->id,
		.severity = severity,
		.confidence = confidence,
		.share = 1,
		.growth = 1,
		.scope_factor = 1,
		.scope = { .netns = view->netns,
			   .netns_at = view->netns_at,
			   .container = view->container,
			   .unit = view->unit },
		.title = rule->title,
		.detail = "",
		.causes = rule->causes,
		.next = rule->next,
		.fixes = rule->fixes,
		.refs = rule->refs,
	};
	return finding;
}

void sink_near_miss(struct sink *sink, const char *what, double value, unsigned threshold)
{
	struct verdict *v = sink->verdict;
	struct near_miss *miss;
	void *grown;

	/* several namespaces: the nearest of them speaks */
	for (size_t i = 0; i < v->miss_count; i++) {
		miss = &v->misses[i];
		if (miss->rule == sink->rule->id && !strcmp(miss->what, what)) {
			miss->value = MAX(miss->value, value);
			return;
		}
	}
	miss = append(v->arena, v->misses, &v->miss_count, &v->miss_cap, sizeof(*v->misses), &grown);
	v->misses = grown;
	*miss = (struct near_miss){
		.rule = sink->rule->id,
		.value = value,
		.threshold = sink->view->values[threshold],
		.unit = sink->thresholds[threshold].unit,
		.what = what,
	};
}

static void skip(struct sink *sink, const char *reason, bool partial)
{
	struct verdict *v = sink->verdict;
	struct skipped_rule *skipped;
	void *grown;

	for (size_t i = 0; i < v->skipped_count; i++) {
		if (v->skipped[i].rule == sink->rule->id && !strcmp(v->skipped[i].reason, reason))
			return;
	}
	skipped = append(v->arena, v->skipped, &v->skipped_count, &v->skipped_cap,
			 sizeof(*v->skipped), &grown);
	v->skipped = grown;
	*skipped = (struct skipped_rule){
		.rule = sink->rule->id, .reason = reason, .partial = partial
	};
}

void sink_skip(struct sink *sink, const char *reason)
{
	skip(sink, reason, false);
}

void sink_skip_part(struct sink *sink, const char *reason)
{
	skip(sink, reason, true);
}

static void add(struct finding *finding, struct evidence evidence)
{
	BUG_ON(finding->evidence_count == FINDING_EVIDENCE_MAX);
	finding->evidence[finding->evidence_count++] = evidence;
}

void finding_add(struct finding *finding, const char *name, double value, enum unit unit,
		 const char *source)
{
	add(finding, (struct evidence){ .name = name, .value = value, .unit = unit, .source = source });
}

void finding_add_text(struct finding *finding, const char *name, const char *text,
		      const char *source)
{
	add(finding, (struct evidence){ .name = name, .text = text, .source = source });
}

void finding_against(struct finding *finding, const char *template)
{
	for (size_t i = 0; i < FINDING_LINES_MAX; i++) {
		if (!finding->against[i]) {
			finding->against[i] = template;
			return;
		}
	}
	BUG();
}

void finding_threshold(struct finding *finding, const struct sink *sink, unsigned threshold)
{
	const struct threshold *t = &sink->thresholds[threshold];

	finding->threshold = (struct threshold_used){
		.name = t->name,
		.origin = "default",
		.value = sink->view->values[threshold],
		.unit = t->unit,
	};
}

void finding_owner(struct finding *finding, const struct process *process)
{
	if (!process)
		return;
	finding->scope.pid = process->pid;
	finding->scope.comm = process->comm;
	if (process->unit && *process->unit)
		finding->scope.unit = process->unit;
	if (process->container && *process->container)
		finding->scope.container = process->container;
}

void finding_peer(struct finding *finding, const struct endpoint *peer)
{
	finding->scope.peer = *peer;
	finding->scope.has_peer = true;
}

void finding_local(struct finding *finding, const struct endpoint *local)
{
	finding->scope.local = *local;
	finding->scope.has_local = true;
}
