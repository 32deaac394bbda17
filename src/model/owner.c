/* SPDX-License-Identifier: MIT */
/* Reasons for a missing owner that need no look at /proc. */
#include "tcptriage/model/owner.h"

#include <assert.h>

static const char *const names[] = {
	[OWNER_KNOWN] = "",
	[OWNER_TIME_WAIT] = "time-wait",
	[OWNER_SYN_RECV] = "syn-recv",
	[OWNER_ORPHAN] = "orphan",
	[OWNER_NOT_ACCEPTED] = "not-accepted",
	[OWNER_NO_PERMISSION] = "no-permission",
	[OWNER_OTHER_PID_NAMESPACE] = "other-pid-namespace",
	[OWNER_KERNEL] = "kernel",
	[OWNER_RACED] = "raced",
};
static_assert(ARRAY_SIZE(names) == OWNER_UNKNOWN_COUNT, "a name for every reason");

const char *owner_unknown_name(enum owner_unknown reason)
{
	return names[reason];
}

enum owner_unknown owner_reason_of_state(const struct sock *sock)
{
	if (sock->inode)
		return OWNER_KNOWN;
	switch (sock->state) {
	case SOCK_STATE_TIME_WAIT:
		return OWNER_TIME_WAIT;
	case SOCK_STATE_SYN_RECV:
		return OWNER_SYN_RECV;
	case SOCK_STATE_ESTAB:
	case SOCK_STATE_CLOSE_WAIT:
		return OWNER_NOT_ACCEPTED;
	case SOCK_STATE_FIN_WAIT_2:
		return sock->timer == SOCK_TIMER_TIMEWAIT ? OWNER_TIME_WAIT : OWNER_ORPHAN;
	default:
		return OWNER_ORPHAN;
	}
}
