/* SPDX-License-Identifier: MIT */
/* Lines of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
#ifndef COLLECT_MOUNTS_H
#define COLLECT_MOUNTS_H

#include "tcptriage/base/arena.h"

/** struct mount_line - one mount. @root: what of the file system is mounted. @point: where. @type: file system. Octal escapes are undone. */
struct mount_line {
	const char *root, *point, *type;
};

/**
 * mounts_parse_line() - split @line (changed in place, without its newline).
 * Return: false when it has another shape.
 */
bool mounts_parse_line(char *line, struct mount_line *out);
/**
 * mounts_each() - every mount of file system @type in this mount namespace; the strings live during the call.
 * Return: number of lines of another shape, or -errno when there is no such file.
 */
int mounts_each(const char *type, void (*fn)(const struct mount_line *mount, void *context),
		void *context);
/** mounts_first_of_type() - mount point of the first whole mount (root "/") of @type, NULL when there is none. */
const char *mounts_first_of_type(const char *type, struct arena *arena);

#endif
