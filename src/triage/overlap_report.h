/* SPDX-License-Identifier: MIT */
/* What is wrong with the address plan as a finding, for the two signals of cidr-overlap. */
#ifndef TCPTRIAGE_TRIAGE_OVERLAP_REPORT_H
#define TCPTRIAGE_TRIAGE_OVERLAP_REPORT_H

#include "address_plan.h"
#include "kit.h"

/** struct overlap_case - @verdict with whom it hit: @example, a destination; @source: from where (any unknown). @destinations, @sockets: numbers, 0 sockets for probes. @told_by: where that is known from. */
struct overlap_case {
	struct plan_verdict verdict;
	struct addr example, source;
	uint64_t destinations, sockets;
	const char *told_by;
};

/** overlap_report() - files @c: evidence, title, doubts, confidence within what the network allows; scope but for peer and owner; the caller names the threshold. */
struct finding *overlap_report(const struct view *view, struct sink *sink, const struct overlap_case *c, enum severity severity, double confidence);
/** overlap_report_plain() - files an overlap that nobody has run into, as info. */
struct finding *overlap_report_plain(const struct view *view, struct sink *sink, const struct overlap *overlap);
/** overlap_report_confidence() - @confidence, less where policy rules or a list that was cut make the main table doubtful. */
double overlap_report_confidence(const struct network *network, double confidence);

#endif
