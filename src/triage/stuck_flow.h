/* SPDX-License-Identifier: MIT */
/* Senders whose segment is never acknowledged: the six signs of RULES §3.2 read from packets, and what the decision table makes of them. The
 * twin of stuck_sender.h: every packet signal that speaks of such a sender asks here.
 *
 * A rule that does has the limits of stuck_flow.def as the first rows of its packet signal's threshold table. */
#ifndef TCPTRIAGE_TRIAGE_STUCK_FLOW_H
#define TCPTRIAGE_TRIAGE_STUCK_FLOW_H

#include "flow_kit.h"
#include "mtu_verdict.h"

/** enum stuck_flow_limit - the rows of stuck_flow.def; a rule's own limits begin at STUCK_FLOW_LIMITS. */
enum stuck_flow_limit {
#define STUCK_FLOW_LIMIT(id, name, unit, value, reason) STUCK_FLOW_##id,
#include "stuck_flow.def"
#undef STUCK_FLOW_LIMIT
	STUCK_FLOW_LIMITS
};

/**
 * struct stuck_flow - one of them. @member: the side that sends; its key as flow_clients_set_key() makes it; mark: its peer is a client on the Internet. @since_ns: when the first copy was sent.
 * @passed: largest IP packet that is known to have reached the other address from this one, on any flow. @told: who said that its packets are too
 * big, NULL nobody. @others_ns: when the other address was last known to answer something else, 0 never.
 */
struct stuck_flow {
	struct flow_member member;
	int64_t since_ns, others_ns;
	uint32_t passed;
	const struct icmp_report *told;
	struct mtu_signs signs;
	struct mtu_verdict verdict;
};

/** struct stuck_flows - all of them, or a run with the same key. */
struct stuck_flows {
	struct stuck_flow *at;
	size_t count;
};

/** stuck_flow_defaults - values of the limits where a rule does not have them in its own table. */
extern const double stuck_flow_defaults[STUCK_FLOW_LIMITS];
/** stuck_flows_find() - all sides of TCP flows with a segment that was sent so often and never acknowledged, sorted by key. @limits: as in the .def. */
struct stuck_flows stuck_flows_find(const struct view *view, const double *limits);
/** stuck_flows_keep() - takes out of @all what the table does not give to the rule @id. Return: the longest wait in ms among that, −1 none. */
int64_t stuck_flows_keep(struct stuck_flows *all, const char *id);
/** stuck_flows_file_fn - files the finding of a run. */
typedef void stuck_flows_file_fn(const struct view *view, struct sink *sink, const struct stuck_flows *run);
/** stuck_flows_file() - hands each run of the same key to @file. */
void stuck_flows_file(const struct view *view, struct sink *sink, const struct stuck_flows *all, stuck_flows_file_fn *file);
/** stuck_flows_members() - a run as flow_kit.h has it. */
struct flow_members stuck_flows_members(const struct view *view, const struct stuck_flows *run);
/** stuck_flow_answered() - the other address is known to have answered something that was sent later. */
bool stuck_flow_answered(const struct stuck_flow *stuck, const double *limits);

#endif
