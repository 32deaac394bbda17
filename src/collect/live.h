/* SPDX-License-Identifier: MIT */
/* The inside of a live source, for those who ask the kernel more than the seam does. */
#ifndef COLLECT_LIVE_H
#define COLLECT_LIVE_H

#include "collect/source_internal.h"

/**
 * struct live_ns - a namespace of the running kernel.
 * @fd: its nsfs file, -1 for the one this thread is in. @diag, @route: sockets made inside it when they are first needed.
 */
struct live_ns {
	struct source_ns base;
	int fd;
	struct netlink diag, route;
};

/** live_ns_enter() - put the calling thread into the namespace until live_ns_leave(). Return: 0 or -errno. */
int live_ns_enter(struct live_ns *ns);
/** live_ns_leave() - back to where the thread came from. */
void live_ns_leave(struct live_ns *ns);
/** live_ns_diag() - its socket for sock_diag. Return: 0 or -errno with @err. */
int live_ns_diag(struct live_ns *ns, struct netlink **nl, struct err *err);
/** live_ns_of() - @ns as a live one, NULL when it belongs to a recording. */
struct live_ns *live_ns_of(struct source_ns *ns);

#endif
