/* SPDX-License-Identifier: MIT */
/* Sockets whose holder the pass over /proc did not see. They may be younger than the pass: they wait until the dumps are over, and a
 * second pass looks for them alone. Rows that stream need no look at the sockets before the pass for that. */
#ifndef TCPTRIAGE_SRC_CMD_LATE_H
#define TCPTRIAGE_SRC_CMD_LATE_H

#include "session.h"
#include "tcptriage/track/snapshot.h"

/** What fits; a socket beyond is told what the first pass knew. */
#define LATE_MAX 4096

/** struct late_sock - one that waits. @ns: index of its namespace in the session. */
struct late_sock {
	struct sock_copy copy;
	unsigned ns;
};

/**
 * struct late - those that wait. Zero-initialise, release with late_free().
 * @socks: LATE_MAX of them once one is kept. @looked: the second pass is over. @owners: what it found; NULL before and when it failed.
 */
struct late {
	struct late_sock *socks;
	size_t count;
	bool looked;
	struct owner_map *owners;
};

/** late_keep() - lets @sock wait. Return: false when there is no room or the second pass is over. */
bool late_keep(struct late *late, const struct sock *sock, unsigned ns);
/** late_look() - the second pass. Nothing is kept afterwards. */
void late_look(struct late *late, struct session *session);
/**
 * late_reason() - why @sock of namespace @ns has no holder after the second pass: what has gone meanwhile has raced, of what still exists
 * the pass can tell.
 */
enum owner_unknown late_reason(const struct late *late, struct session *session,
			       const struct sock *sock, unsigned ns);
/** late_free() - releases it. Fit for CLEANUP(). */
void late_free(struct late *late);

#endif
