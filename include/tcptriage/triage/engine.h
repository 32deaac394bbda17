/* SPDX-License-Identifier: MIT */
/* The rule engine: runs every rule on a view, ranks what they found, folds symptoms into causes, says who could not speak. */
#ifndef TCPTRIAGE_TRIAGE_ENGINE_H
#define TCPTRIAGE_TRIAGE_ENGINE_H

#include "tcptriage/triage/rule.h"

/** triage_rules - all rules in the order of rules.def; triage_rule_count their number (at most 64). */
extern const struct rule *const triage_rules[];
extern const size_t triage_rule_count;
/** triage_rule_find() - by id; NULL when unknown. */
const struct rule *triage_rule_find(const char *id);

/** enum evidence_kind - what a rule can be asked about. */
enum evidence_kind { EVIDENCE_SOCKETS, EVIDENCE_PACKETS, EVIDENCE_PROBES, EVIDENCE_KIND_COUNT };
/** triage_rule_reads() - the rule has something to say of sockets (a report), of a capture, or of probes. */
bool triage_rule_reads(const struct rule *rule, enum evidence_kind kind);
/** triage_rules_reading() - how many rules do. */
unsigned triage_rules_reading(enum evidence_kind kind);

/**
 * struct triage_options - what the user asked of the engine.
 * @only: ids to run (NULL-terminated; NULL all). @muted: ids not to run. @quick: one sample was asked for.
 */
struct triage_options {
	const char *const *only, *const *muted;
	bool quick;
};

/**
 * struct verdict - the outcome over all namespaces of a run; arrays live in @arena.
 * @findings: sorted worst first (score, severity), folded ones directly behind their cause. @skipped, @misses: as found.
 */
struct verdict {
	struct arena *arena;
	struct finding **findings;
	size_t finding_count, finding_cap;
	struct skipped_rule *skipped;
	size_t skipped_count, skipped_cap;
	struct near_miss *misses;
	size_t miss_count, miss_cap;
};

/**
 * triage_capture_trust() - packet_evidence.trust: the factor on every confidence for what the capture lacks (RULES §6, 51): drops, a direction that
 * was not seen, headers that were cut, a clock that was set back, flows that had to make room. Return: 1 when it lacks nothing of that.
 */
double triage_capture_trust(const struct capture_source *source, const struct capture_totals *totals);
/** triage_watch() - snapshot_init() for the rules: what they want to remember and how much of it. */
void triage_watch(struct snapshot *snap);
/** triage_want() - a snapshot_want_fn: which rules want to remember this socket (a muted rule's sockets are remembered too). @context: the
 * snapshot it goes to, NULL when it is not known: then rules want all that may be worth it. */
uint64_t triage_want(const struct sock *sock, void *context);
/**
 * triage_fast() - before fast looks: a new stretch of them, at the candidates of rules that want it and were asked for. @options may be NULL.
 * @room: as for snapshot_burst_add().
 */
void triage_fast(struct snapshot *snap, const struct triage_options *options, unsigned *room);
/** triage_look() - one answer to a fast look, at CLOCK_MONOTONIC @now_us. */
void triage_look(struct burst *burst, const struct sock *sock, int64_t now_us);
/** triage_run() - evaluate the rules on one namespace's view, on a capture (view->packets) or on an address's probes (view->probes), and append to @verdict. */
void triage_run(const struct view *view, const struct triage_options *options,
		struct verdict *verdict);
/** triage_rank() - score, fold and sort after the last triage_run(). */
void triage_rank(struct verdict *verdict);
/** triage_status() - highest severity among unfolded findings with confidence ≥ @min_confidence. Return: false when there is none. */
bool triage_status(const struct verdict *verdict, double min_confidence, enum severity *worst);
/** triage_confidence_word() - "certain", "very likely", "possible", "weak". */
const char *triage_confidence_word(double confidence);

#endif
