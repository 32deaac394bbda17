/* SPDX-License-Identifier: MIT */
/* Which sockets of one namespace are among the descriptors of a process. */
#ifndef TCPTRIAGE_TRACK_DESCRIPTORS_H
#define TCPTRIAGE_TRACK_DESCRIPTORS_H

#include "tcptriage/model/descriptors.h"
#include "tcptriage/track/snapshot.h"

/** States of sockets that a descriptor can stand for: what is to be asked for. */
#define DESCRIPTOR_STATES                                                                          \
	((STATES_ALL | STATE_BIT(SOCK_STATE_BOUND_INACTIVE)) &                                     \
	 ~(STATE_BIT(SOCK_STATE_TIME_WAIT) | STATE_BIT(SOCK_STATE_SYN_RECV)))

/** descriptors_count() - @sock of the namespace of @snap, in the numbers of each user that holds it. */
void descriptors_count(struct descriptor_use *use, const struct snapshot *snap, const struct sock *sock);
/** descriptors_end() - the endpoint to which most of a process's connections lead; NULL when it has none. */
const struct descriptor_end *descriptors_end(const struct descriptor_user *user);

#endif
