/* SPDX-License-Identifier: MIT */
/* The engine: asks every rule that has its inputs, and says of every other why it was not asked. */
#include <assert.h>
#include <string.h>

#include "flow_index.h"
#include "kit.h"

#define RULE(symbol) extern const struct rule symbol;
#include "rules.def"
#undef RULE

const struct rule *const triage_rules[] = {
#define RULE(symbol) &symbol,
#include "rules.def"
#undef RULE
};
const size_t triage_rule_count = ARRAY_SIZE(triage_rules);
static_assert(ARRAY_SIZE(triage_rules) <= 64, "a bit for every rule");

const struct rule *triage_rule_find(const char *id)
{
	for (size_t i = 0; i < triage_rule_count; i++) {
		if (!strcmp(triage_rules[i]->id, id))
			return triage_rules[i];
	}
	return NULL;
}

static uint64_t want_udp(const struct sock *sock)
{
	uint64_t rules = 0;

	for (size_t i = 0; i < triage_rule_count; i++) {
		if (triage_rules[i]->udp_candidate && triage_rules[i]->udp_candidate(sock))
			rules |= UINT64_C(1) << i;
	}
	return rules;
}

static bool is_worth(const struct rule *rule, const struct snapshot *snap, const struct sock *sock)
{
	return !rule->worth || !snap || rule->worth(snap, sock);
}

uint64_t triage_want(const struct sock *sock, void *context)
{
	uint64_t rules = 0;

	/* the numbers in rule.states are TCP's; UDP uses two of them for something else */
	if (UNLIKELY(sock->netid != NETID_TCP))
		return want_udp(sock);
	for (size_t i = 0; i < triage_rule_count; i++) {
		const struct rule *rule = triage_rules[i];

		if (UNLIKELY(rule->states >> sock->state & 1) && rule->candidate(sock) &&
		    is_worth(rule, context, sock))
			rules |= UINT64_C(1) << i;
	}
	return rules;
}

void triage_watch(struct snapshot *snap)
{
	snapshot_init(snap, triage_want, snap);
	for (size_t i = 0; i < triage_rule_count; i++) {
		snap->quota[i] = triage_rules[i]->quota;
		if (triage_rules[i]->outbound)
			snap->outbound_only |= UINT64_C(1) << i;
	}
}

static bool listed(const char *const *ids, const char *id)
{
	for (; *ids; ids++) {
		if (!strcmp(*ids, id))
			return true;
	}
	return false;
}

static bool asked_for(const struct triage_options *options, const struct rule *rule)
{
	if (!options)
		return true;
	if (options->muted && listed(options->muted, rule->id))
		return false;
	return !options->only || listed(options->only, rule->id);
}

static uint64_t looking_rules(const struct triage_options *options)
{
	uint64_t rules = 0;

	for (size_t i = 0; i < triage_rule_count; i++) {
		if (triage_rules[i]->look && asked_for(options, triage_rules[i]))
			rules |= UINT64_C(1) << i;
	}
	return rules;
}

void triage_fast(struct snapshot *snap, const struct triage_options *options, unsigned *room)
{
	uint64_t rules = looking_rules(options);
	const struct candidate *candidate;

	snap->fast = true;
	snapshot_bursts_begin(snap);
	for (size_t i = 0; rules && (candidate = snapshot_candidate(snap, i)); i++) {
		uint64_t left = candidate->present ? candidate->rules & rules : 0;

		for (; left; left &= left - 1)
			snapshot_burst_add(snap, candidate, (unsigned)__builtin_ctzll(left), room);
	}
}

void triage_look(struct burst *burst, const struct sock *sock, int64_t now_us)
{
	burst_look(burst, triage_rules[burst->rule]->look(sock), now_us);
}

/* An input that only sockets bring is not missing where there are none of the kind. */
static bool has_subjects(const struct snapshot *snap, const struct rule *rule)
{
	for (unsigned state = 0; state < SOCK_STATE_COUNT; state++) {
		if (rule->states >> state & 1 && (snap->counts[NETID_TCP][ADDR_V4][state] ||
						  snap->counts[NETID_TCP][ADDR_V6][state]))
			return true;
	}
	return false;
}

static bool lacks_skmem(const struct snapshot *snap, const struct rule *rule)
{
	const uint64_t (*udp)[SOCK_STATE_COUNT] = snap->counts[NETID_UDP];

	if (has_subjects(snap, rule) && !snap->has_skmem[NETID_TCP])
		return true;
	return rule->udp_candidate && !snap->has_skmem[NETID_UDP] &&
	       (udp[ADDR_V4][SOCK_STATE_UNCONN] || udp[ADDR_V4][SOCK_STATE_ESTAB] ||
		udp[ADDR_V6][SOCK_STATE_UNCONN] || udp[ADDR_V6][SOCK_STATE_ESTAB]);
}

static const char *why_no_fast_looks(const struct snapshot *snap, bool quick)
{
	if (quick)
		return "needs fast looks between two samples, --quick takes none";
	return snap->samples < 2 ? "needs fast looks between two samples, only one was taken" :
				   "needs fast looks between the samples, a recording holds none";
}

static const char *missing_input(const struct view *view, const struct rule *rule, const struct triage_options *options)
{
	const struct snapshot *snap = view->snap;
	bool quick = options && options->quick, subjects = has_subjects(snap, rule);
	const struct {
		unsigned need;
		bool missing;
		const char *reason;
	} rows[] = {
		{ RULE_NEEDS_SOCKETS, !snap->samples, "no sockets could be read" },
		{ RULE_NEEDS_TCP_INFO, subjects && !snap->has_tcp_info && snap->info_for_all,
		  "the kernel delivered no tcp_info" },
		{ RULE_NEEDS_SKMEM, lacks_skmem(snap, rule),
		  "the kernel delivered no socket memory numbers" },
		{ RULE_NEEDS_COUNTERS, !snap->has_counters, "no kernel counters could be read" },
		{ RULE_NEEDS_SYSCTLS, !snap->has_sysctls, "no kernel settings could be read" },
		{ RULE_NEEDS_FAST_LOOKS, !snap->fast, why_no_fast_looks(snap, quick) },
		{ RULE_NEEDS_TWO_SAMPLES, snap->samples < 2,
		  quick ? "needs two samples, --quick takes one" :
			  "needs two samples, only one was taken" },
		{ RULE_NEEDS_NETWORK, !view->network, "interfaces and routes could not be read (older recordings hold none)" },
		{ RULE_NEEDS_HISTORY, true, "needs history, none is kept yet" },
		{ RULE_NEEDS_NO_FILTER, snap->filtered,
		  "needs the whole namespace: its counters cannot be narrowed to a filter" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rule->needs & rows[i].need && rows[i].missing)
			return rows[i].reason;
	}
	return NULL;
}

static const double *default_values(const struct threshold *thresholds, struct arena *arena)
{
	size_t count = 0;
	double *values;

	while (thresholds[count].name)
		count++;
	values = arena_alloc(arena, (count + 1) * sizeof(*values));
	for (size_t i = 0; i < count; i++)
		values[i] = thresholds[i].def;
	return values;
}

static void evaluate(const struct view *view, struct sink *sink)
{
	uint32_t lost = view->snap->lost[sink->index], unlooked = view->snap->unlooked[sink->index];

	sink->rule->eval(view, sink);
	if (lost)
		sink_skip_part(sink, arena_printf(view->arena,
						  "%u more sockets than the %u it keeps were not examined",
						  lost, sink->rule->quota));
	if (unlooked)
		sink_skip_part(sink, arena_printf(view->arena,
						  "%u more sockets than the %u that are looked at fast were not examined",
						  unlooked, SNAPSHOT_BURSTS));
}

static void run_signal(const struct view *view, struct sink *sink, const struct rule_signal *signal)
{
	if (signal)
		signal->eval(view, sink);
}

static const char *what_it_reads(const struct rule *rule)
{
	if (!rule->packets)
		return "reads probes only: tcptriage mtu-probe, tcptriage trace";
	return rule->probes ? "reads packets and probes only: tcptriage capture, mtu-probe, trace" : "reads packets only: tcptriage capture";
}

static void run_on_sockets(const struct view *view, const struct triage_options *options, struct sink *sink)
{
	const char *missing;

	if (!sink->rule->eval) {
		sink_skip_part(sink, what_it_reads(sink->rule));
		return;
	}
	missing = missing_input(view, sink->rule, options);
	if (missing)
		sink_skip(sink, missing);
	else
		evaluate(view, sink);
}

static enum evidence_kind kind_of(const struct view *view)
{
	if (view->packets)
		return EVIDENCE_PACKETS;
	return view->probes ? EVIDENCE_PROBES : EVIDENCE_SOCKETS;
}

static const struct rule_signal *signal_of(const struct rule *rule, enum evidence_kind kind)
{
	return kind == EVIDENCE_PACKETS ? rule->packets : kind == EVIDENCE_PROBES ? rule->probes : NULL;
}

static const struct threshold *thresholds_of(const struct rule *rule, enum evidence_kind kind)
{
	static const struct threshold none[] = { { 0 } };
	const struct rule_signal *signal = signal_of(rule, kind);
	const struct threshold *own = signal ? signal->thresholds : NULL;

	if (kind == EVIDENCE_SOCKETS)
		own = rule->thresholds;
	return own ? own : none;
}

bool triage_rule_reads(const struct rule *rule, enum evidence_kind kind)
{
	return kind == EVIDENCE_SOCKETS ? rule->eval != NULL : signal_of(rule, kind) != NULL;
}

unsigned triage_rules_reading(enum evidence_kind kind)
{
	unsigned count = 0;

	for (size_t i = 0; i < triage_rule_count; i++)
		count += triage_rule_reads(triage_rules[i], kind);
	return count;
}

static struct flow_index *index_of(const struct view *view)
{
	return view->packets && !view->index ? flow_index_make(view) : view->index;
}

void triage_run(const struct view *view, const struct triage_options *options,
		struct verdict *verdict)
{
	struct flow_index *index = index_of(view);
	enum evidence_kind kind = kind_of(view);

	for (size_t i = 0; i < triage_rule_count; i++) {
		const struct rule *rule = triage_rules[i];
		struct view own = *view;
		struct sink sink = { .view = &own,
				     .rule = rule,
				     .thresholds = thresholds_of(rule, kind),
				     .index = (unsigned)i,
				     .verdict = verdict };

		if (!asked_for(options, rule))
			continue;
		own.index = index;
		own.values = default_values(sink.thresholds, view->arena);
		if (kind == EVIDENCE_SOCKETS)
			run_on_sockets(&own, options, &sink);
		else
			run_signal(&own, &sink, signal_of(rule, kind));
	}
}

/* One that is folded counts with what explains it, as long as that is likely enough to count. */
static bool is_explained(const struct finding *f, double min_confidence)
{
	for (f = f->parent; f; f = f->parent) {
		if (f->confidence >= min_confidence)
			return true;
	}
	return false;
}

bool triage_status(const struct verdict *verdict, double min_confidence, enum severity *worst)
{
	bool any = false;

	for (size_t i = 0; i < verdict->finding_count; i++) {
		const struct finding *f = verdict->findings[i];

		if (f->confidence < min_confidence || is_explained(f, min_confidence))
			continue;
		*worst = any ? MAX(*worst, f->severity) : f->severity;
		any = true;
	}
	return any;
}

const char *triage_confidence_word(double confidence)
{
	static const struct {
		double from;
		const char *word;
	} words[] = { { 0.9, "certain" }, { 0.7, "very likely" }, { 0.4, "possible" }, { 0, "weak" } };
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(words) && confidence < words[i].from)
		i++;
	return words[i].word;
}
