/* SPDX-License-Identifier: MIT */
/* The test of the way back: the same question with a large and with a small advertised MSS, then the exact size (RULES §5.2). A pure machine, driven like mtu_search.h. */
#ifndef TCPTRIAGE_TRACK_REVERSE_SEARCH_H
#define TCPTRIAGE_TRACK_REVERSE_SEARCH_H

#include "tcptriage/model/path.h"
#include "tcptriage/probe/tcp_reverse.h"

/**
 * struct reverse_search_options - @family. @largest: MSS that the interface's MTU allows, without options. @exact: bisect to the byte when the way back is narrow. @hurry: a service
 * that says a little and falls quiet for a second is given up, though it may only be slow: where the way there is the answer already.
 */
struct reverse_search_options {
	enum addr_family family;
	uint32_t largest;
	bool exact, hurry;
};

struct reverse_search;

/** reverse_search_new(), reverse_search_step(), reverse_search_outcome(), reverse_search_stop(), reverse_search_path(), reverse_search_free() - as in mtu_search.h. */
struct reverse_search *reverse_search_new(const struct reverse_search_options *options, int64_t now_us);
enum probe_step reverse_search_step(struct reverse_search *search, int64_t now_us, struct reverse_request *request, int64_t *wake_us);
void reverse_search_outcome(struct reverse_search *search, const struct reverse_outcome *outcome, int64_t now_us);
void reverse_search_stop(struct reverse_search *search, int64_t now_us);
const struct reverse_path *reverse_search_path(const struct reverse_search *search);
/** reverse_search_witness() - the first connection that was made with the default MSS, as any program would make it, else the first; NULL before one ended. */
const struct tcp_witness *reverse_search_witness(const struct reverse_search *search);
void reverse_search_free(struct reverse_search *search);
/** reverse_search_alone() - what one connection with the default MSS tells of the way back when it brought REVERSE_ENOUGH bytes. */
struct reverse_path reverse_search_alone(enum addr_family family, const struct reverse_outcome *outcome);

#endif
