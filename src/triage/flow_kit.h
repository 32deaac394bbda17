/* SPDX-License-Identifier: MIT */
/* What packet signals are built with: the flows that concern a rule, in runs that belong together, and how sure a capture allows to be. */
#ifndef TCPTRIAGE_TRIAGE_FLOW_KIT_H
#define TCPTRIAGE_TRIAGE_FLOW_KIT_H

#include "flow_index.h"
#include "kit.h"

/**
 * struct flow_member - a flow of the rule, seen from the side that the rule speaks of.
 * @flow. @side: that side (0: initiator); @here, @there: endpoint of that side and of the other. @key: by what it is grouped: the other endpoint at first.
 * @mark: the rule's own. @number: the flow's, so that sorting need not touch the flow.
 */
struct flow_member {
	const struct flow *flow;
	const struct flow_side *own, *other;
	struct endpoint here, there, key;
	bool mark;
	uint8_t side;
	uint64_t number;
};

/** struct flow_members - the flows of a rule, or a run of them. */
struct flow_members {
	struct flow_member *at;
	size_t count;
};

/** flow_member_of() - @flow seen from @side, its key the other endpoint. */
struct flow_member flow_member_of(const struct flow *flow, unsigned side);
/** flow_keep_fn - does this flow, seen from member->side, concern the rule? May change member->key. */
typedef bool flow_keep_fn(const struct view *view, struct flow_member *member);
/** flow_members_collect() - flows of @protocol (0: all) with any of @oddities (flow_index.h) that @keep keeps (NULL: all of them), seen from side 0. */
struct flow_members flow_members_collect(const struct view *view, uint8_t protocol, uint32_t oddities, flow_keep_fn *keep);
/** flow_members_collect_sides() - the same, but each flow is asked about twice, once from each side. */
struct flow_members flow_members_collect_sides(const struct view *view, uint8_t protocol, uint32_t oddities, flow_keep_fn *keep);
/** flow_members_collect_all() - the same from side 0, healthy flows as well: to compare with, where an odd one has shown that there is something to judge. */
struct flow_members flow_members_collect_all(const struct view *view, uint8_t protocol, flow_keep_fn *keep);
/** flow_members_filter() - those of @members that @keep keeps: one pass over all flows can serve several parts of a rule. */
struct flow_members flow_members_filter(const struct view *view, const struct flow_members *members, flow_keep_fn *keep);
/** flow_member_order_fn - as qsort() has it, of two members. */
typedef int flow_member_order_fn(const void *a, const void *b);
/** flow_members_order() - puts them in @order. */
void flow_members_order(struct flow_members *members, flow_member_order_fn *order);
/** flow_members_sort() - by key, ties by order of first sight. */
void flow_members_sort(struct flow_members *members);
/** flow_members_run() - the run from @from on with the same key. */
struct flow_members flow_members_run(const struct flow_members *members, size_t from);
/** flow_members_file_fn - files the finding of a run. */
typedef void flow_members_file_fn(const struct view *view, struct sink *sink, const struct flow_members *run);
/** flow_members_file() - sorts @all and hands each run of the same key to @file. */
void flow_members_file(const struct view *view, struct sink *sink, struct flow_members *all, flow_members_file_fn *file);

/** flow_confidence() - @confidence within what a capture allows (0.95), lowered for what this one lacks (RULES §6, 51). */
double flow_confidence(const struct view *view, double confidence);
/** flow_owner_of() - who holds the socket of this machine's side, NULL unknown. */
const struct flow_owner *flow_owner_of(const struct view *view, const struct flow *flow);
/** flow_age_ms() - from the flow's first packet to the end of the capture. */
int64_t flow_age_ms(const struct view *view, const struct flow *flow);
/** flow_quiet_ms() - from @side's newest packet to the end of the capture; −1 when it sent none. */
int64_t flow_quiet_ms(const struct view *view, const struct flow *flow, unsigned side);

/**
 * finding_flows() - scope and first evidence of a finding about @run: the other endpoint as peer (port 0 where the ports differ), the own endpoint as local
 * (when there is one flow; the address alone where all share it), the owner where it is known, and evidence "flows". Sets count.
 */
void finding_flows(struct finding *finding, const struct view *view, const struct flow_members *run);
/** flow_who_text() - who the own side of @run is: "curl[4121] at 10.0.0.1", "10.0.0.1", "3 hosts"; in the arena. */
const char *flow_who_text(const struct view *view, const struct flow_members *run);
/** flow_members_hosts() - how many different addresses, or with @networks different networks (/24, /64), the own sides of @run have. */
uint64_t flow_members_hosts(const struct view *view, const struct flow_members *run, bool networks);
/** flow_range_text() - a template of a range whose ends are the evidence @least and @most: "{least} to {most}", or one of them where they are @equal. */
const char *flow_range_text(const struct view *view, const char *least, const char *most, bool equal);
/** flow_offset_ms() - from the beginning of the capture to the flow's first packet. */
int64_t flow_offset_ms(const struct view *view, const struct flow *flow);
/**
 * flow_next() - commands for a finding: the packets that @filter (a template in pcap-filter's language) selects, from this capture, and then @rest
 * (NULL-terminated, may be NULL). In the arena.
 */
const char *const *flow_next(const struct view *view, const char *filter, const char *const *rest);
/** finding_trust() - says beside a finding what the capture lacks, when view->packets->trust is below 1: evidence "capture_trust", and an against line. */
void finding_trust(struct finding *finding, const struct view *view);

#endif
