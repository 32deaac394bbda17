/* SPDX-License-Identifier: MIT */
/* What passive evidence says about a sender that is stuck: the decision table of RULES §3.2. */
#ifndef TCPTRIAGE_TRIAGE_MTU_VERDICT_H
#define TCPTRIAGE_TRIAGE_MTU_VERDICT_H

#include "answer.h"

/**
 * struct mtu_signs - the six questions.
 * @stuck (A): retransmission timeouts back off, nothing is acknowledged. @full_size (B): what is retransmitted is of full size.
 * @small_ok (C): something smaller or earlier passed. @head_dead (D): the first unacknowledged byte never arrives, SACK explains only short tails.
 * @path_alive (E): the destination answers other things now. @told (F): a packet-too-big message or a path-MTU exception exists.
 */
struct mtu_signs {
	enum answer stuck, full_size, small_ok, head_dead, path_alive, told;
};

/** enum mtu_story - what the table concludes. */
enum mtu_story {
	MTU_NO_VERDICT,
	MTU_BLACK_HOLE,		/* large packets vanish, nobody says why */
	MTU_BLACK_HOLE_OR_DEAD, /* the destination may as well be gone */
	MTU_DEAD_PEER,
	MTU_SMALL_STUCK, /* a small segment is stuck: not a matter of size */
	MTU_PLAIN_LOSS,
	MTU_TOLD,     /* path-MTU discovery works */
	MTU_IGNORED,  /* the message arrives and is not honoured */
	MTU_STORY_COUNT
};

/**
 * struct mtu_verdict - @rule: id of the rule that reports this story, NULL none. @rival: that reports it as well, because the facts do not tell
 * the two apart, NULL none. @confidence: of each, before caps.
 */
struct mtu_verdict {
	enum mtu_story story;
	double confidence;
	const char *rule, *rival;
};

/** mtu_verdict() - the first row of the table that fits; MTU_NO_VERDICT when none does. */
struct mtu_verdict mtu_verdict(const struct mtu_signs *signs);
/** mtu_verdict_names() - is it for the rule with this id to report it? */
bool mtu_verdict_names(const struct mtu_verdict *verdict, const char *rule);

#endif
