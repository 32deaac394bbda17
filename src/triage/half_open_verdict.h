/* SPDX-License-Identifier: MIT */
/* What a listener's half-open queue means: readings that exclude each other, told apart by one decision table. */
#ifndef TCPTRIAGE_TRIAGE_HALF_OPEN_VERDICT_H
#define TCPTRIAGE_TRIAGE_HALF_OPEN_VERDICT_H

#include "answer.h"
#include "tcptriage/base/util.h"

/**
 * struct half_open_signs - the eight questions.
 * @overflow (A): the accept queue is full, and what stands half-open waits for it. @pressed (B): the half-open queue is full, or SYNs are
 * answered by cookies or dropped for it. @validated (C): cookies come back: most of the clients are real. @spread (D): nearly each socket is
 * from a network of its own. @repeats (E): clients send their SYN again, so they exist and our answer does not reach them. @stalled (F):
 * handshakes stand although they were answered again and again. @standing (G): most of the queue stands longer than a handshake takes.
 * @deferred (H): clients have answered and the listener waits for data.
 */
struct half_open_signs {
	enum answer overflow, pressed, validated, spread, repeats, stalled, standing, deferred;
};

/** enum half_open_story - the readings, and which rule reports them. */
enum half_open_story {
	HALF_OPEN_NOTHING,
	HALF_OPEN_ACCEPT_QUEUE, /* accept-queue-overflow */
	HALF_OPEN_DEFERRED,	/* TCP_DEFER_ACCEPT at work: syn-recv-stall, for information */
	HALF_OPEN_BURST,	/* more real clients at once than the queue holds: syn-flood, no flood */
	HALF_OPEN_FLOOD,	/* syn-flood */
	HALF_OPEN_UNFINISHED,	/* the way back is broken or the clients vanished: syn-recv-stall */
	HALF_OPEN_STORY_COUNT
};

/** struct half_open_verdict - @story: the best reading. @rival: one that the facts do not exclude, HALF_OPEN_NOTHING none. Confidences before caps. */
struct half_open_verdict {
	enum half_open_story story;
	double confidence;
	enum half_open_story rival;
	double rival_confidence;
};

/** half_open_verdict() - the first row of the table that fits; HALF_OPEN_NOTHING when none does. */
struct half_open_verdict half_open_verdict(const struct half_open_signs *signs);
/** half_open_confidence() - in this reading; 0 when the verdict does not name it. */
double half_open_confidence(const struct half_open_verdict *verdict, enum half_open_story story);

#endif
