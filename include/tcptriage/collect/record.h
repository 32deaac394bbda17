/* SPDX-License-Identifier: MIT */
/* Writing a recording. */
#ifndef TCPTRIAGE_COLLECT_RECORD_H
#define TCPTRIAGE_COLLECT_RECORD_H

#include "tcptriage/collect/source.h"

/** record_write() - write @samples samples, @interval_us apart in all, of the namespaces in @list into the new directory @dir. Return: 0 or -errno. */
int record_write(struct source *live, const struct netns *list, unsigned count, const char *dir,
		 unsigned samples, int64_t interval_us, bool redact, struct err *err);

#endif
