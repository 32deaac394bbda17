/* SPDX-License-Identifier: MIT */
/* The contract of a rule: one file, one const struct rule, one line in rules.def. */
#ifndef TCPTRIAGE_TRIAGE_RULE_H
#define TCPTRIAGE_TRIAGE_RULE_H

#include "tcptriage/model/capture.h"
#include "tcptriage/model/descriptors.h"
#include "tcptriage/model/finding.h"
#include "tcptriage/model/network.h"
#include "tcptriage/model/path.h"
#include "tcptriage/model/platform.h"
#include "tcptriage/model/route.h"
#include "tcptriage/track/burst.h"

/** Inputs that a rule cannot do without: bits of rule.needs. The engine skips, and says so, when one is missing. */
enum rule_needs {
	RULE_NEEDS_SOCKETS = 1 << 0,
	RULE_NEEDS_TCP_INFO = 1 << 1,
	RULE_NEEDS_COUNTERS = 1 << 2,
	RULE_NEEDS_SYSCTLS = 1 << 3,
	RULE_NEEDS_TWO_SAMPLES = 1 << 4,
	RULE_NEEDS_HISTORY = 1 << 5,
	RULE_NEEDS_SKMEM = 1 << 6,
	RULE_NEEDS_FAST_LOOKS = 1 << 7,
	RULE_NEEDS_NO_FILTER = 1 << 8, /* it judges by counters alone, which no filter narrows */
	RULE_NEEDS_NETWORK = 1 << 9,   /* interfaces, addresses and routes */
};

/** struct threshold - a named limit. @def: default in @unit. @reason: why this number. Full key: rule.<id>.<name>. */
struct threshold {
	const char *name;
	enum unit unit;
	double def;
	const char *reason;
};

/**
 * struct packet_evidence - what a capture brought, for the packet signals of rules.
 * @source, @totals: where it came from and what was counted. @flows: in the order of first sight, @flow_count of them. @reports, @trains, @loops:
 * ICMP errors, incomplete datagrams, packets that went in circles. @owners: who holds the sockets of live flows (flow.owner is index + 1).
 * @trust: factor on every confidence for what the capture itself lacks (RULES 51), 1 nothing.
 */
struct packet_evidence {
	const struct capture_source *source;
	const struct capture_totals *totals;
	const struct flow *const *flows;
	size_t flow_count;
	const struct icmp_report *reports;
	size_t report_count;
	const struct fragment_train *trains;
	size_t train_count;
	const struct loop_report *loops;
	size_t loop_count;
	const struct flow_owner *owners;
	size_t owner_count;
	double trust;
};

/**
 * struct probe_evidence - what probes of one address brought, for the probe signals of rules: one of both.
 * @mtu: of `mtu-probe`. @trace: of `trace`.
 */
struct probe_evidence {
	const struct mtu_result *mtu;
	const struct trace_result *trace;
};

struct flow_index;

/**
 * struct view - the const evidence that a rule judges: one namespace over the samples of a run, or a capture, or the probes of one address.
 * @packets: a capture; NULL in a report. Then @snap, @owner_of, @route_of, @descriptors and @platform are NULL. @index: which of its flows a rule may have to
 * speak of (triage/flow_index.h); triage_run() makes it where it is NULL.
 * @probes: of an address; NULL else. Then the same are NULL as for a capture, but for @network. @network: interfaces, addresses and routes; NULL unknown.
 * @snap: sockets, groups, counters, settings. @holders_of: owner lookup (NULL context-free answers when owners were not read).
 * @route_of: what this host does with packets to an address; NULL result when unknown. @netns: name for the scope, NULL for ours; @netns_at: how --netns is told.
 * @descriptors: processes that have opened much of what they may, those that may hold sockets of this namespace; NULL when nobody looked.
 * @window_us: span over which counters grew. @boot_us: CLOCK_BOOTTIME at the newest sample, 0 unknown. @platform: of the machine. @values: threshold values of the rule being evaluated, in the order of its table.
 */
struct view {
	const struct packet_evidence *packets;
	struct flow_index *index;
	const struct probe_evidence *probes;
	const struct network *network;
	const struct snapshot *snap;
	const struct process *(*owner_of)(const struct view *view, const struct sock *sock,
					  enum owner_unknown *reason);
	const struct route *(*route_of)(const struct view *view, const struct addr *destination);
	const struct descriptor_use *descriptors;
	void *context;
	const char *netns, *netns_at, *container, *unit;
	int64_t window_us, boot_us;
	const struct platform *platform;
	const double *values;
	struct arena *arena;
};

struct sink;

/**
 * struct rule_signal - how a rule reads packets, or probes; a file in triage/packets/ or triage/probes/ (or the rule's own, when they are all it reads).
 * @thresholds: its own limits, ended by a NULL name; their names differ from those of the rule's other signals. @eval: looks at view->packets or view->probes, files findings.
 * @explain: a paragraph: what in them is the signal. @repro: how the fault is made in front of them.
 */
struct rule_signal {
	const struct threshold *thresholds;
	void (*eval)(const struct view *view, struct sink *sink);
	const char *explain, *repro;
};

/**
 * struct rule - one rule, const data but for its eval function.
 * @id: kebab-case, permanent. @title: one line for lists. @needs: RULE_NEEDS_*. @states: STATE_BIT() of TCP sockets that candidate() is asked about.
 * @candidate: does this socket have to be remembered (NULL: never). @worth: asked of those besides (NULL: all are
 * worth it), for what depends on the settings and listeners in @snap. @udp_candidate: the same for UDP sockets of any state. @quota: most
 * sockets that are remembered for this rule, 0 as many as there is room for: a rule that wants to see healthy sockets too needs one, so that
 * they do not take the place of broken ones; what it turns away is reported. @outbound: candidate() speaks of sockets that we opened; no other is
 * remembered. @look: its candidates are looked at fast between the samples (burst.h), and this gives what it sees a number, 0 nothing. @eval: looks at the view, files findings.
 * @packets, @probes: how it reads a capture, and probes; NULL when they say nothing of it. A rule that reads nothing else has no @eval, no @needs and no @thresholds.
 * @thresholds: table ended by a NULL name. @explain: paragraphs. @look_alikes: what it is not. @causes, @next, @fixes: templates, in order.
 * @refs: RFC sections and kernel files. @repro: how the fault is made. All lists end with NULL.
 */
struct rule {
	const char *id, *title;
	unsigned needs;
	uint32_t states;
	bool (*candidate)(const struct sock *sock);
	bool (*worth)(const struct snapshot *snap, const struct sock *sock);
	bool (*udp_candidate)(const struct sock *sock);
	uint32_t quota;
	bool outbound;
	uint64_t (*look)(const struct sock *sock);
	void (*eval)(const struct view *view, struct sink *sink);
	const struct rule_signal *packets, *probes;
	const struct threshold *thresholds;
	const char *explain;
	const char *const *look_alikes, *const *causes, *const *next, *const *fixes, *const *refs;
	const char *repro;
};

/** sink_finding() - a new finding of the rule being evaluated, with its lists, the view's namespace, growth, share and scope factor 1; fill it. Lives in the arena. */
struct finding *sink_finding(struct sink *sink, enum severity severity, double confidence);
/** sink_near_miss() - says which number came nearest to which threshold (by index in the rule's table). */
void sink_near_miss(struct sink *sink, const char *what, double value, unsigned threshold);
/** sink_skip() - the whole rule could not speak, and why. */
void sink_skip(struct sink *sink, const char *reason);
/** sink_skip_part() - a part of the rule could not speak, and why; the rest was judged. */
void sink_skip_part(struct sink *sink, const char *reason);

/** finding_add() - attach evidence. @source: where the number came from. */
void finding_add(struct finding *finding, const char *name, double value, enum unit unit,
		 const char *source);
/** finding_add_text() - attach evidence that is text; @text must live as long as the finding. */
void finding_add_text(struct finding *finding, const char *name, const char *text,
		      const char *source);
/** finding_against() - a template of what speaks against the finding. */
void finding_against(struct finding *finding, const char *template);
/** finding_threshold() - names the limit (by index in the rule's table) that decided the severity. */
void finding_threshold(struct finding *finding, const struct sink *sink, unsigned threshold);
/** finding_owner() - put a process (may be NULL) into the scope. */
void finding_owner(struct finding *finding, const struct process *process);
/** finding_peer(), finding_local() - put an endpoint into the scope. */
void finding_peer(struct finding *finding, const struct endpoint *peer);
void finding_local(struct finding *finding, const struct endpoint *local);

#endif
