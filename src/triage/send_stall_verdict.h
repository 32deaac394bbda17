/* SPDX-License-Identifier: MIT */
/* Whose fault it is that a program cannot get rid of its data: the peer does not read, the path is dead, or its own reader stands still.
 * The signs on the socket tell them apart: a peer that does not read keeps its window at 0 and answers the probes that ask for it; on a dead
 * path nothing is answered, neither data nor probes. */
#ifndef TCPTRIAGE_TRIAGE_SEND_STALL_VERDICT_H
#define TCPTRIAGE_TRIAGE_SEND_STALL_VERDICT_H

#include "answer.h"

/**
 * struct send_stall_signs - the five questions.
 * @window_shut: everything sent is acknowledged, more waits, and the persist timer runs (snd_wnd 0, or too small for a segment).
 * @repeating: sent data is not acknowledged, its retransmission timer backs off.
 * @answered: something came back since: an answer to a probe, an acknowledgement.
 * @own_unread: the same process leaves unread what this peer sends it. @others_unread: and what others send it.
 */
struct send_stall_signs {
	enum answer window_shut, repeating, answered, own_unread, others_unread;
};

/** enum send_stall_story - what the table concludes. */
enum send_stall_story {
	SEND_STALL_NO_VERDICT,
	SEND_STALL_PEER,     /* the peer does not read */
	SEND_STALL_RELAY,    /* the peer does not read, and for that this process does not read from others */
	SEND_STALL_DEADLOCK, /* both ends write and neither reads: our own reader is stuck as well */
	SEND_STALL_DEAD,     /* the peer or the path is gone */
	SEND_STALL_LOSS,     /* answers come: what is repeated was lost */
	SEND_STALL_STORY_COUNT
};

/** struct send_stall_verdict - @rule: id of the rule that reports this story, NULL none. @confidence: before caps. */
struct send_stall_verdict {
	enum send_stall_story story;
	double confidence;
	const char *rule;
};

/** Rows of the threshold table of every rule that asks whether a stalled send is answered; for send_stall_probes_answered(). */
#define SEND_STALL_PROBES                                                                         \
	{ "unanswered_probes", UNIT_COUNT, 3, "window probes in a row without an answer; a host that is flooded answers only two a second, so one or two may fail to be answered" }
#define SEND_STALL_SILENT                                                                         \
	{ "silent", UNIT_MS, 5000, "nothing at all has been heard from the peer for this long: many round trips on any path" }

/**
 * send_stall_probes_answered() - does the peer answer window probes? @unanswered in a row, and @heard_ms since anything came. Unknown while the
 * last of them may still be under way.
 */
enum answer send_stall_probes_answered(double unanswered, double heard_ms, double probes, double silent_ms);

/** send_stall_verdict() - the first row of the table that fits; SEND_STALL_NO_VERDICT when none does. */
struct send_stall_verdict send_stall_verdict(const struct send_stall_signs *signs);

#endif
