/* SPDX-License-Identifier: MIT */
/* One pass over all processes that costs a stat() each: the size of /proc/PID/fd is the number of descriptors since Linux 6.2, and anybody
 * may ask for it. Limits are read of those that have many open, names and sockets of the worst only. */
#include "collect/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/owner_map.h"
#include "collect/proc_pid.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/base/file.h"

/* Links that are read in one pass: a quarter of a second or so. */
#define LINKS_MAX (128 * 1024)

/**
 * struct scan - a pass in progress. @sized: the size of a directory counts its descriptors. @entries: processes to note, @count of them.
 * @links: how many may still be read. @odd: texts of an unknown shape.
 */
struct scan {
	int proc;
	bool sized;
	struct process *entries;
	size_t count, cap, links;
	unsigned odd;
	struct redactor *redactor;
	struct arena *arena;
	struct descriptor_use *use;
};

static bool is_denial(int code)
{
	return code == EACCES || code == EPERM;
}

static bool is_noted(const struct process *process)
{
	return process->fds >= DESCRIPTORS_FEW && process->nofile && process->nofile != UINT64_MAX &&
	       descriptors_percent(process) >= DESCRIPTORS_NOTED;
}

static bool is_listed(const struct process *process)
{
	return descriptors_percent(process) >= DESCRIPTORS_LISTED;
}

static bool is_number(const char *name)
{
	return *name >= '0' && *name <= '9';
}

/* The descriptors of an open directory, by listing it: the only way before Linux 6.2. Return: how many, or -errno. */
static int list_count(int proc, const char *path)
{
	int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		count += is_number(entry->d_name);
	closedir(dir);
	return count;
}

/* Return: open descriptors of a process, or -errno. */
static int count_descriptors(const struct scan *scan, uint32_t pid)
{
	char path[24];
	struct stat st;

	snprintf(path, sizeof(path), "%u/fd", pid);
	if (!scan->sized)
		return list_count(scan->proc, path);
	if (fstatat(scan->proc, path, &st, 0) < 0)
		return -errno;
	return (int)MIN(st.st_size, (off_t)INT32_MAX);
}

static void read_limit(struct scan *scan, struct process *process)
{
	char path[24], text[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "%u/limits", process->pid);
	n = file_read_at(scan->proc, path, text, sizeof(text));
	if (n > 0 || n == -EFBIG)
		scan->odd += !proc_pid_parse_limits(text, process);
}

static void count_process(struct scan *scan, uint32_t pid)
{
	struct process process = { .pid = pid };
	int count = count_descriptors(scan, pid);

	scan->use->unread += count < 0 && is_denial(-count);
	if (count < 0)
		return;
	scan->use->processes++;
	process.fds = (uint32_t)count;
	if (count < DESCRIPTORS_FEW)
		return;
	read_limit(scan, &process);
	if (!is_noted(&process))
		return;
	if (scan->count == scan->cap) {
		scan->cap = scan->cap ? scan->cap * 2 : 16;
		scan->entries = xrealloc_array(scan->entries, scan->cap, sizeof(*scan->entries));
	}
	scan->entries[scan->count++] = process;
}

static int worst_first(const void *left, const void *right)
{
	const struct process *a = left, *b = right;
	double pa = descriptors_percent(a), pb = descriptors_percent(b);

	if (pa != pb)
		return pa > pb ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static void add_inode(struct inode_set *set, size_t *cap, uint32_t inode)
{
	if (set->count == *cap) {
		*cap = *cap ? *cap * 2 : 256;
		set->inode = xrealloc_array(set->inode, *cap, sizeof(inode));
	}
	set->inode[set->count++] = inode;
}

static void keep_inodes(struct scan *scan, struct descriptor_user *user, struct inode_set *set)
{
	user->process.sockets = (uint32_t)set->count;
	inode_set_settle(set);
	user->inodes = (const uint32_t *)(const void *)arena_memdup(scan->arena, set->inode,
								  set->count * sizeof(uint32_t));
	user->inode_count = set->count;
}

/* All sockets of a process that is worth it, of another only whether it has one at all. */
static void list_sockets(struct scan *scan, int fds, struct descriptor_user *user)
{
	DIR *dir = fdopendir(dup(fds));
	struct inode_set set = { .count = 0 };
	struct dirent *entry;
	size_t cap = 0;

	user->listed = is_listed(&user->process);
	while (dir && (entry = readdir(dir)) && (user->listed || !set.count)) {
		enum socket_link kind;
		uint32_t inode;
		char link[64];
		ssize_t len;

		if (!is_number(entry->d_name))
			continue;
		user->cut = !scan->links;
		if (user->cut)
			break;
		scan->links--;
		len = readlinkat(fds, entry->d_name, link, sizeof(link));
		kind = len < 0 ? FD_LINK_OTHER : proc_pid_parse_link(link, (size_t)len, &inode);
		scan->odd += kind == FD_LINK_MALFORMED;
		if (kind == FD_LINK_SOCKET)
			add_inode(&set, &cap, inode);
	}
	if (dir)
		closedir(dir);
	if (set.count)
		keep_inodes(scan, user, &set);
	free(set.inode);
}

/* Its numbers again, from the directory that is open now: the pid may be someone else's since. Return: it is still worth a note. */
static bool describe(struct scan *scan, int fds, struct process *process)
{
	struct stat st;

	if (scan->sized && !fstat(fds, &st))
		process->fds = (uint32_t)MIN(st.st_size, (off_t)INT32_MAX);
	process->nofile = 0;
	scan->odd += proc_pid_fill(fds, process, scan->arena);
	return is_noted(process);
}

static void look_into(struct scan *scan, const struct process *entry)
{
	struct descriptor_use *use = scan->use;
	struct descriptor_user *user = &use->at[use->count];
	char path[24];
	AUTO_FD int fds = -1;

	snprintf(path, sizeof(path), "%u/fd", entry->pid);
	fds = openat(scan->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fds < 0) {
		use->closed += is_denial(errno) && is_listed(entry);
		return;
	}
	*user = (struct descriptor_user){ .process = *entry };
	if (!describe(scan, fds, &user->process))
		return;
	list_sockets(scan, fds, user);
	if (scan->redactor)
		owner_redact(scan->redactor, &user->process);
	use->count++;
}

static void look_into_worst(struct scan *scan)
{
	struct descriptor_use *use = scan->use;
	size_t room = MIN(scan->count, (size_t)DESCRIPTORS_PROCESSES_MAX);

	if (scan->count)
		qsort(scan->entries, scan->count, sizeof(*scan->entries), worst_first);
	use->at = arena_alloc(scan->arena, (room + 1) * sizeof(*use->at));
	use->left_out = (unsigned)(scan->count - room);
	for (size_t i = 0; i < room; i++)
		look_into(scan, &scan->entries[i]);
}

static bool sizes_count(int proc)
{
	struct stat st;

	return !fstatat(proc, "self/fd", &st, 0) && st.st_size > 0;
}

int descriptors_scan(int proc, struct redactor *redactor, struct notices *notices, struct arena *arena,
		     struct descriptor_use *out, struct err *err)
{
	int64_t begin = clock_mono_us();
	struct scan scan = { .proc = proc,
			     .sized = sizes_count(proc),
			     .links = LINKS_MAX,
			     .redactor = redactor,
			     .arena = arena,
			     .use = out };
	uint32_t *pids;
	size_t count;
	int code = proc_pids(proc, &pids, &count);

	*out = (struct descriptor_use){ .partial = proc_is_partial(proc) };
	for (size_t i = 0; !code && i < count; i++)
		count_process(&scan, pids[i]);
	free(pids);
	if (code)
		return err_errno(err, code, "cannot read /proc for the descriptors of processes");
	look_into_worst(&scan);
	free(scan.entries);
	if (scan.odd)
		notices_add(notices, "descriptors: %u entries of /proc had a shape that is not known", scan.odd);
	out->cost_us = clock_mono_us() - begin;
	return 0;
}

static void take_holders(const struct owner_map *map, const struct process *process, struct arena *arena,
			 struct descriptor_user *user)
{
	uint32_t *inodes = arena_alloc(arena, (process->sockets + 1) * sizeof(*inodes));

	*user = (struct descriptor_user){ .process = *process, .inodes = inodes, .listed = true };
	for (size_t i = 0; i < map->count && user->inode_count < process->sockets; i++) {
		if (map->holders[i].process == process &&
		    (!user->inode_count || inodes[user->inode_count - 1] != map->holders[i].inode))
			inodes[user->inode_count++] = map->holders[i].inode;
	}
}

static int worst_pointer_first(const void *left, const void *right)
{
	return worst_first(*(struct process *const *)left, *(struct process *const *)right);
}

void descriptors_of_map(struct owner_map *map, struct arena *arena, struct descriptor_use *out)
{
	AUTO_FREE struct process **noted = xcalloc(map->process_count + 1, sizeof(struct process *));
	size_t count = 0;

	*out = (struct descriptor_use){ .processes = (unsigned)map->process_count,
					.unread = map->denied,
					.partial = map->hidden };
	for (size_t i = 0; i < map->process_count; i++) {
		if (is_noted(map->processes[i]))
			noted[count++] = map->processes[i];
	}
	if (count)
		qsort(noted, count, sizeof(struct process *), worst_pointer_first);
	out->count = MIN(count, (size_t)DESCRIPTORS_PROCESSES_MAX);
	out->left_out = (unsigned)(count - out->count);
	out->at = arena_alloc(arena, (out->count + 1) * sizeof(*out->at));
	for (size_t i = 0; i < out->count; i++)
		take_holders(map, noted[i], arena, &out->at[i]);
	arena_join(arena, &map->arena);
}
