/* SPDX-License-Identifier: MIT */
/* Questions that evidence may leave open, and sets of answers that a row of a decision table accepts. */
#ifndef TCPTRIAGE_TRIAGE_ANSWER_H
#define TCPTRIAGE_TRIAGE_ANSWER_H

#include "tcptriage/base/util.h"

/** enum answer - a question that evidence may leave open. */
enum answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };
/** answer_of() - of a question that evidence has settled. */
static inline enum answer answer_of(bool yes)
{
	return yes ? ANSWER_YES : ANSWER_NO;
}

/* Which answers a row accepts. */
#define YES (1u << ANSWER_YES)
#define NO (1u << ANSWER_NO)
#define OPEN (1u << ANSWER_UNKNOWN)
#define NOT_YES (NO | OPEN)
#define NOT_NO (YES | OPEN)
#define ANY (YES | NO | OPEN)

#endif
