/* SPDX-License-Identifier: MIT */
/* Which sockets the rules flagged: a candidate of a rule that fired, inside the scope of what it found. */
#ifndef TCPTRIAGE_SRC_CMD_FLAGS_H
#define TCPTRIAGE_SRC_CMD_FLAGS_H

#include "sampler.h"

/** Rules that one socket remembers; more are not shown. */
#define FLAGS_PER_SOCKET 7

/**
 * struct flagged - one socket of one namespace. @copy: as last seen; @owner, @reason: who holds it. @rules: ids, NULL-terminated.
 */
struct flagged {
	struct sock_copy copy;
	const struct process *owner;
	enum owner_unknown reason;
	const char *rules[FLAGS_PER_SOCKET + 1];
	unsigned ns;
};

/** struct flag_set - all of a run, sorted by namespace and cookie for lookup. @order: the same in the order of the findings. */
struct flag_set {
	struct flagged *item;
	size_t count, cap;
};

/** flags_judge() - run the rules on the samples that @sampler took and note the sockets they flag. Owners must have been found. */
struct flag_set *flags_judge(struct sampler *sampler);
/** flags_collect() - take one sample of the session, find owners, and judge. */
struct flag_set *flags_collect(struct session *session);
/** flags_of() - ids of the rules that flagged @sock in namespace @ns, NULL-terminated; never NULL. */
const char *const *flags_of(const struct flag_set *set, unsigned ns, const struct sock *sock);
/** flags_free() - NULL is fine. */
void flags_free(struct flag_set *set);

#endif
