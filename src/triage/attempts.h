/* SPDX-License-Identifier: MIT */
/* Connection attempts as packets show them: what became of each, whether the capture could have seen an answer, and who only looks for what exists. */
#ifndef TCPTRIAGE_TRIAGE_ATTEMPTS_H
#define TCPTRIAGE_TRIAGE_ATTEMPTS_H

#include "flow_kit.h"

/** enum attempt - what became of a SYN. */
enum attempt {
	ATTEMPT_OPENED,	 /* answered with SYN-ACK, and the client went on */
	ATTEMPT_HALF,	 /* answered with SYN-ACK, and nothing more */
	ATTEMPT_REFUSED, /* answered with RST or an ICMP error */
	ATTEMPT_SILENT,	 /* nothing but SYNs was seen */
	ATTEMPT_UNSEEN,	 /* the client went on, so it was answered, or another answer came; the SYN-ACK was not seen */
};
/** attempt_of() - of a flow whose SYN was seen. */
enum attempt attempt_of(const struct flow *flow);
/** attempt_want_fn - is this attempt, seen from the client, one that the rule may speak of? Only such as are odd (ODD_ATTEMPT) are asked about. */
typedef bool attempt_want_fn(const struct view *view, const struct flow_member *attempt);
/**
 * attempts_collect() - TCP flows whose SYN was seen, from the client's side, keyed by the server's endpoint: those that @want wants, and all others of
 * the same clients and servers to compare with. Where none is wanted that is a look at the odd ones.
 */
struct flow_members attempts_collect(const struct view *view, attempt_want_fn *want);

/** attempts_at_server() - the members of @run that @want wants (NULL: all), as seen from the server's side: its endpoint is their own. In the arena. */
struct flow_members attempts_at_server(const struct view *view, const struct flow_members *run, attempt_want_fn *want);

/** flow_went_on() - @side sent something besides SYNs and RSTs. */
bool flow_went_on(const struct flow *flow, unsigned side);

/** enum flow_inbound - does the client come from the Internet to a server of ours, as scanners do all day (RULES §0.5). */
enum flow_inbound { INBOUND_NO, INBOUND_POSSIBLE, INBOUND_CERTAIN };
/** flow_inbound() - of one flow; POSSIBLE: both ends have global addresses, and which one is ours is not known. */
enum flow_inbound flow_inbound(const struct flow *flow);
/** flow_members_inbound() - the least of a run: one client that is ours makes it ours. */
enum flow_inbound flow_members_inbound(const struct flow_members *run);

/** SCAN_… - the thresholds of scans_take(), for each rule that takes scans out. */
#define SCAN_TARGETS { "scan_targets", UNIT_COUNT, 16, "one source that asks so many addresses or ports once or twice each is looking for what exists" }
#define SCAN_TRIES { "scan_tries", UNIT_COUNT, 2, "SYNs for each target; the kernel of a program that wants a service repeats them five times and more" }
#define SCAN_SHARE { "scan_share", UNIT_RATIO, 0.8, "of the source's targets that let it in at no attempt; a program mostly knows where its servers are" }
/** struct scan_limits - @targets: fewer are no scan. @tries: SYNs for each at most. @share: part of the source's targets that did not let it in. */
struct scan_limits {
	double targets, tries, share;
};
/** struct scan - what one source tried. @run: all its attempts. */
struct scan {
	struct flow_members run;
	uint64_t targets, failed, silent, refused, opened;
};
/** scan_file_fn - tells of a scan. */
typedef void scan_file_fn(const struct view *view, struct sink *sink, const struct scan *scan);
/** scans_take() - takes attempts of sources that scan out of @all, and hands each source to @file (NULL: nobody). Leaves @all sorted by key. */
void scans_take(const struct view *view, struct sink *sink, struct flow_members *all, const struct scan_limits *limits, scan_file_fn *file);

#endif
