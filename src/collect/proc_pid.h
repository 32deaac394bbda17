/* SPDX-License-Identifier: MIT */
/* What /proc/PID tells of one process. The parsers are pure: text in, members out. */
#ifndef COLLECT_PROC_PID_H
#define COLLECT_PROC_PID_H

#include "tcptriage/base/arena.h"
#include "tcptriage/model/owner.h"

/**
 * proc_pid_fill() - read comm, status, stat, limits, cgroup and network namespace beside the open directory @fd_dir (/proc/PID/fd) into @process.
 * Strings go to @arena and are never NULL. Return: number of files whose text had an unknown shape (a process that ended is none).
 */
unsigned proc_pid_fill(int fd_dir, struct process *process, struct arena *arena);

/**
 * proc_pids() - the processes that @proc shows, in its order. @pids: allocated, the caller frees (also after an error). Return: 0 or -errno.
 */
int proc_pids(int proc, uint32_t **pids, size_t *count);
/**
 * proc_is_partial() - not every process is to be seen: we are in a pid namespace of our own, or @proc is mounted with hidepid (then pid 1 is
 * missing).
 */
bool proc_is_partial(int proc);
/** enum socket_link - what the link of a descriptor says. */
enum socket_link { FD_LINK_OTHER, FD_LINK_SOCKET, FD_LINK_MALFORMED };
/** proc_pid_parse_link() - "socket:[123]" of @len bytes, without a NUL, to its inode. */
enum socket_link proc_pid_parse_link(const char *link, size_t len, uint32_t *inode);
/** proc_pid_parse_stat() - state letter and start time. @ticks_per_s: of the times in it. Return: false on another shape. */
bool proc_pid_parse_stat(const char *text, long ticks_per_s, struct process *process);
/** proc_pid_parse_status() - effective user and innermost pid. Return: false when the user is missing. */
bool proc_pid_parse_status(const char *text, struct process *process);
/** proc_pid_parse_limits() - RLIMIT_NOFILE ("unlimited" is UINT64_MAX). Return: false when the line is missing or of another shape. */
bool proc_pid_parse_limits(const char *text, struct process *process);
/**
 * proc_pid_parse_cgroup() - the cgroup path of a process: of the unified hierarchy, else of systemd's named one (hosts on cgroup v1, and
 * hybrid ones where the unified path is the root). @len: of the path. Return: where it begins in @text, NULL when there is none.
 */
const char *proc_pid_parse_cgroup(const char *text, size_t *len);

#endif
