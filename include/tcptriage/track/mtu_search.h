/* SPDX-License-Identifier: MIT */
/* The search for a path MTU: which sizes to try next, what their fate means, which hop is narrow (RFC 8899 §5 as a one-shot diagnostic; RULES §5.1).
 *
 * A pure machine. Its driver asks mtu_search_step() what to do, sends what it is given, and hands in outcomes; time is an argument. Sizes go out in rounds, the
 * largest first, with small control probes in between; a size counts as lost only in a round whose controls were answered, and silence costs a round, not a timeout
 * for each size. A "packet too big" is a hint until its MTU was seen to pass and one byte more to fail. */
#ifndef TCPTRIAGE_TRACK_MTU_SEARCH_H
#define TCPTRIAGE_TRACK_MTU_SEARCH_H

#include "tcptriage/model/path.h"

/** Probes in a second to one host at most, controls and hops included. */
#define MTU_SEARCH_RATE 50

/**
 * struct mtu_search_options - @family. @method: of LANE_MAIN. @side_method: of LANE_SIDE, which finds the hop where LANE_MAIN cannot (TCP), or tells a narrow path from
 * answers that are lost where those are as large as the question (ICMP; UDP, which then goes on); −1 none.
 * @target: to tell the host's answers from those of others. @smallest: packet that the method can send. @largest: size to find out about: the interface's MTU, or
 * --max-mtu. @most: probes under way at once. @max_hops: for the hop; 0 do not look for it. @all_hops: look at the hops even when nothing is narrow (--hops).
 * @answers_burst, @answers_per_s: how often the host answers this method at most, 0 no limit known (UDP: 6, then 1: RULES fact 31).
 */
struct mtu_search_options {
	enum addr_family family;
	struct addr target;
	uint8_t method, max_hops;
	int side_method;
	uint32_t smallest, largest;
	unsigned most, answers_burst;
	double answers_per_s;
	bool all_hops;
};

struct mtu_search;

/** mtu_search_new() - begin at CLOCK_MONOTONIC @now_us. Return: to be released by mtu_search_free(). */
struct mtu_search *mtu_search_new(const struct mtu_search_options *options, int64_t now_us);
/** mtu_search_step() - what to do now. @request: filled for STEP_SEND. @wake_us: set for STEP_WAIT, always in the future. Ends for every path: bounded probes and time. */
enum probe_step mtu_search_step(struct mtu_search *search, int64_t now_us, struct probe_request *request, int64_t *wake_us);
/** mtu_search_outcome() - what came of a probe; unknown ids and second answers do no harm. */
void mtu_search_outcome(struct mtu_search *search, const struct probe_outcome *outcome, int64_t now_us);
/** mtu_search_stop() - time is up, or the user wants to see what is known: the next step is STEP_DONE and the result partial. */
void mtu_search_stop(struct mtu_search *search, int64_t now_us);
/** mtu_search_path() - what is known so far; complete after STEP_DONE. */
const struct mtu_path *mtu_search_path(const struct mtu_search *search);
/** mtu_search_free() - releases it; NULL is fine. */
void mtu_search_free(struct mtu_search *search);

/** mtu_candidates() - sizes that links, tunnels and clouds are known for (RULES §7.2), ascending. @count: of them. */
const uint16_t *mtu_candidates(size_t *count);

#endif
