/* SPDX-License-Identifier: MIT */
/* Which network namespaces exist, and what to call them. */
#ifndef COLLECT_NAMESPACES_H
#define COLLECT_NAMESPACES_H

#include "tcptriage/base/arena.h"
#include "tcptriage/base/err.h"
#include "tcptriage/base/notices.h"
#include "tcptriage/model/netns.h"

/** namespaces_find() - source_namespaces() of a live source. @proc: an open /proc. */
int namespaces_find(int proc, const char *wanted, struct arena *arena, struct notices *notices,
		    const struct netns **list, unsigned *others, struct err *err);
/** namespaces_open() - open the file that @ns->path names, and see that it still is that network namespace. Return: descriptor or -errno with @err. */
int namespaces_open(const struct netns *ns, struct err *err);

#endif
