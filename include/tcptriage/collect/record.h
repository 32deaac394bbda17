/* SPDX-License-Identifier: MIT */
/* Writing a recording: what a live source says, kept in a directory that source_open_recorded() reads again. */
#ifndef TCPTRIAGE_COLLECT_RECORD_H
#define TCPTRIAGE_COLLECT_RECORD_H

#include "tcptriage/collect/source.h"

/** record_progress_fn - called before each sample. Return: 0 to go on, <0 to end the recording with the samples that it has. */
typedef int record_progress_fn(unsigned sample, unsigned samples, void *context);

/**
 * struct record_plan - what to record.
 * @list, @count: namespaces, as source_namespaces() gave them. @dir: made with mode 0700, or an empty directory. @samples: at least one,
 * @interval_us apart. @redact: stand-ins for addresses and names (redact.h); the live source is switched to them as well.
 * @progress, @context: may be NULL.
 */
struct record_plan {
	const struct netns *list;
	size_t count;
	const char *dir;
	unsigned samples;
	int64_t interval_us;
	bool redact;
	record_progress_fn *progress;
	void *context;
};

/**
 * record_run() - record every socket with every extension, counters, settings, owners, cgroups, and the routes to peers that do not answer,
 * are idle or lie behind a path that carries less than Ethernet.
 * Files have mode 0600. A dump that was interrupted is made again twice, then kept and marked. Keys (INET_DIAG_MD5SIG) are never written.
 * What could not be read is in the source's notices. Return: samples written, or -errno with @err.
 */
int record_run(struct source *live, const struct record_plan *plan, struct err *err);
/** Most destinations whose routes are recorded in one namespace, the ways to the Internet among them. */
#define RECORD_ROUTES_MAX 256

#endif
