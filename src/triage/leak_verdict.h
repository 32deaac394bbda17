/* SPDX-License-Identifier: MIT */
/* Sockets that the peer has closed and our program has not: leak, lazy pool, half-close or in passing. The decision table of RULES §3.3. */
#ifndef TCPTRIAGE_TRIAGE_LEAK_VERDICT_H
#define TCPTRIAGE_TRIAGE_LEAK_VERDICT_H

#include "answer.h"

/**
 * struct leak_signs - the questions, of one socket or of a group.
 * @young (A): too young to mean anything. @sends (B): our side still sends: a half-close in use. @lasts (C): over several runs the same sockets stand and
 * their number does not fall (yes), or they come and go, or stay within a pool's bound (no); one run leaves it open. @pool_like (D): most are connections
 * of ours with a small unread rest, as an idle pool leaves them. @exhausts (E): the process is about to run out of descriptors. @damning (F): so many are
 * so old that no pool keeps them.
 */
struct leak_signs {
	enum answer young, sends, lasts, pool_like, exhausts, damning;
};

/** enum leak_story - what the table concludes. */
enum leak_story {
	LEAK_TRANSIENT,	 /* on the way to being closed */
	LEAK_HALF_CLOSE, /* the peer has finished, we have not */
	LEAK_POOL,	 /* a pool that discards them when it next wants one */
	LEAK_CERTAIN,	 /* nobody will ever close them */
	LEAK_STORY_COUNT
};

/** struct leak_verdict - @confidence: of this story, before caps. @rival: the other of the readings pool and leak, with @rival_confidence. */
struct leak_verdict {
	enum leak_story story, rival;
	double confidence, rival_confidence;
};

/** leak_verdict() - the first row of the table that fits; the last one always does. */
struct leak_verdict leak_verdict(const struct leak_signs *signs);
/** leak_undecided() - the two readings are so close (RULES §6) that both have to be said. */
bool leak_undecided(const struct leak_verdict *verdict);

#endif
