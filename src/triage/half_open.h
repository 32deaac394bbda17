/* SPDX-License-Identifier: MIT */
/* The half-open queue of a listener, or of a namespace as far as its counters tell: signs, verdict and evidence. Every rule that speaks of
 * half-open connections asks here, so that none contradicts another.
 *
 * A rule that does has the limits of half_open.def as the first rows of its threshold table. */
#ifndef TCPTRIAGE_TRIAGE_HALF_OPEN_H
#define TCPTRIAGE_TRIAGE_HALF_OPEN_H

#include "half_open_verdict.h"
#include "kit.h"

/** enum half_open_limit - the rows of half_open.def; a rule's own limits begin at QUEUE_LIMITS. */
enum half_open_limit {
#define HALF_OPEN_LIMIT(id, name, unit, value, reason) QUEUE_##id,
#include "half_open.def"
#undef HALF_OPEN_LIMIT
	QUEUE_LIMITS
};

/**
 * struct half_open_pressure - what the kernel counted for the whole namespace over the window; all 0 unless @counted.
 * @cookies: SYNs answered by a cookie; @validated: cookies that came back. @drops: SYNs dropped for the half-open queue. @opens: connections
 * accepted. @windows: pairs of looks between which one of these happened. @refused: cookies are off, so that a full queue drops.
 */
struct half_open_pressure {
	uint64_t cookies, validated, drops, overflows, opens;
	unsigned windows;
	bool counted, refused, always_cookies;
};

/**
 * struct half_open_case - one listener (with those that share its endpoint), or the whole namespace with @listener and @half NULL.
 * @limit: most half-open connections it keeps, 0 unknown. @origin: of that limit. @full: it held so many in one of the looks. @stalled: handshakes
 * that are 3 s old and were answered again and again; @stalled_global: of these from global addresses.
 */
struct half_open_case {
	const struct listener *listener;
	const struct half_open *half;
	double limit;
	const char *origin;
	bool full;
	uint32_t stalled, stalled_global;
	struct half_open_pressure pressure;
	struct half_open_signs signs;
	struct half_open_verdict verdict;
};

/** half_open_look() - the case of @listener, which has a half-open queue, or with NULL that of the namespace as a whole. */
struct half_open_case half_open_look(const struct view *view, const struct listener *listener);
/** half_open_only_listener() - the one listener of the namespace; NULL when there are several, or none. */
const struct listener *half_open_only_listener(const struct view *view);

/** half_open_scope() - the finding's local endpoint and owner: those of @listener (may be NULL). */
void half_open_scope(struct finding *f, const struct view *view, const struct listener *listener);
/** half_open_add_queue() - evidence: the queue, its limit and where that comes from, and the networks of @clients. */
void half_open_add_queue(struct finding *f, const struct view *view, const struct half_open_case *c,
			 const struct half_open_clients *clients);
/** half_open_add_cookies() - evidence: the setting, cookies sent and validated. */
void half_open_add_cookies(struct finding *f, const struct view *view, const struct half_open_case *c);
/** half_open_add_rival() - when the facts do not decide: says so, and puts the one command first that would. */
void half_open_add_rival(struct finding *f, const struct half_open_case *c, enum half_open_story story);
/** half_open_note_lost() - says what the bounds of the snapshot left out. */
void half_open_note_lost(struct sink *sink);

#endif
