/* SPDX-License-Identifier: MIT */
/* Senders that get no acknowledgement: the six signs of RULES §3.2 read from sockets. Every rule that speaks of such a sender asks here, so
 * that all of them ask one decision table and none contradicts another.
 *
 * A rule that does has stuck_sender_candidate() as its candidate, STUCK_SENDER_STATES as its states, and the limits of stuck_sender.def as
 * the first rows of its threshold table. */
#ifndef TCPTRIAGE_TRIAGE_STUCK_SENDER_H
#define TCPTRIAGE_TRIAGE_STUCK_SENDER_H

#include "kit.h"
#include "mtu_verdict.h"

#define STUCK_SENDER_STATES                                                                      \
	(STATE_BIT(SOCK_STATE_ESTAB) | STATE_BIT(SOCK_STATE_CLOSE_WAIT) |                       \
	 STATE_BIT(SOCK_STATE_FIN_WAIT_1))

/** What separates a black hole from a dead peer where the table leaves both: a command, and how to read it. */
#define STUCK_SENDER_TELL "tcptriage mtu-probe {target}"
#define STUCK_SENDER_TELLS                                                                       \
	"a probe finds the size that passes, or nothing that answers (a dead peer or path, or a host that ignores probes): " STUCK_SENDER_TELL

/** enum stuck_limit - the rows of stuck_sender.def; a rule's own limits begin at STUCK_LIMITS. */
enum stuck_limit {
#define STUCK_LIMIT(id, name, unit, value, reason) STUCK_##id,
#include "stuck_sender.def"
#undef STUCK_LIMIT
	STUCK_LIMITS
};

/** stuck_sender_candidate() - sent data timed out at least once. */
bool stuck_sender_candidate(const struct sock *sock);

/**
 * stuck_senders() - all candidates of the rule in those states, sorted by key: the peer, without its port where it came to us.
 * @age_ms is how long the head has been unacknowledged; @mark: a small segment to the same address is stuck at the same time.
 */
struct members stuck_senders(const struct sink *sink);
/** stuck_sender_verdict() - what the table says of one member of stuck_senders(). */
struct mtu_verdict stuck_sender_verdict(const struct view *view, const struct member *member);
/**
 * stuck_senders_keep_ours() - takes out of @all what the table does not give to the sink's rule.
 * Return: the longest stall among what was taken out, −1 none.
 */
int64_t stuck_senders_keep_ours(const struct sink *sink, struct members *all);

/** stuck_sender_told() - did somebody say that packets to this socket's peer are too big? */
enum answer stuck_sender_told(const struct view *view, const struct sock *sock);

#endif
