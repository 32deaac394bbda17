/* SPDX-License-Identifier: MIT */
/* cgroup paths: which unit or container one names, and which path a number stands for. */
#ifndef TCPTRIAGE_COLLECT_CGROUP_H
#define TCPTRIAGE_COLLECT_CGROUP_H

#include "tcptriage/base/arena.h"

/**
 * struct cgroup_names - what a path tells.
 * @unit: innermost systemd service or scope, "" none. @container: runtime's short id (12 digits), a name where the runtime uses names
 * (LXC, machined), or "pod UID/SHORTID" below Kubernetes; "" none. Text from outside.
 */
struct cgroup_names {
	char unit[256], container[128];
};

/** cgroup_describe() - read @path ("/system.slice/nginx.service", …); never fails, what is not recognised is "". */
void cgroup_describe(const char *path, struct cgroup_names *names);

struct cgroup_index;
/** cgroup_index_new() - an empty cache; the cgroup2 mount is looked for and walked at the first question. @mount: where it is, NULL to look it up. */
struct cgroup_index *cgroup_index_new(const char *mount);
/** cgroup_index_free() - releases it; NULL is fine. */
void cgroup_index_free(struct cgroup_index *index);
/**
 * cgroup_path_of() - the path of cgroup number @id, as sock_diag reports it (the inode of its directory on cgroup2).
 * A number that is not known makes the tree be walked again, at most once a second. At most CGROUP_INDEX_MAX cgroups are kept.
 * Return: owned by @index; NULL when unknown, or where no cgroup2 is mounted.
 */
const char *cgroup_path_of(struct cgroup_index *index, uint64_t id);
/** cgroup_index_each() - every cgroup that is known so far, in no order; for recordings. */
void cgroup_index_each(const struct cgroup_index *index,
		       void (*fn)(uint64_t id, const char *path, void *context), void *context);
/** cgroup_index_add() - teach it one number; for recordings. Return: false when it is full. */
bool cgroup_index_add(struct cgroup_index *index, uint64_t id, const char *path);
#define CGROUP_INDEX_MAX 65536

#endif
