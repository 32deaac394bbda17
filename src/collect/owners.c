/* SPDX-License-Identifier: MIT */
/* One pass over /proc/PID/fd: which process holds which socket.
 *
 * The cost is two system calls a process and one readlink a descriptor; everything else is kept off that path. What a process is called
 * is read after its descriptors, through "../" of its open fd directory, so that a pid that was given to someone else meanwhile cannot lend
 * its name. Threads are not looked at: they share the table of their leader unless they asked not to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/owner_map.h"
#include "collect/proc_pid.h"
#include "tcptriage/base/file.h"

#define DIRENTS_BYTES (64 * 1024)
/* PROC_PID_INIT_INO (include/linux/proc_ns.h): the inode of the first pid namespace on every kernel. */
#define INITIAL_PID_NAMESPACE 0xeffffffcu

/* struct linux_dirent64, as getdents64(2) gives it. */
struct dirent_head {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/**
 * struct pass - a pass in progress.
 * @found: a bit per wanted inode; @missing: how many are still without a holder. @process: the one being looked at, NULL until it holds something.
 */
struct pass {
	struct owner_map *map;
	const struct inode_set *wanted;
	uint8_t *found;
	size_t missing;
	char *pids, *fds;
	struct process *process;
	uint32_t pid;
	uint32_t descriptors;
};

/* A whole name of decimal digits that fits 31 bits. */
static bool take_number(const char *text, uint32_t *out)
{
	uint32_t value = 0;
	unsigned n = 0;

	for (; text[n] >= '0' && text[n] <= '9' && n < 10; n++) {
		if (value > (INT32_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint32_t)(text[n] - '0');
	}
	*out = value;
	return n && !text[n];
}

/* "socket:[123]" of @len bytes. Return: false for another kind of descriptor or, counted, for another shape. */
static bool take_inode(struct pass *pass, const char *link, size_t len, uint32_t *inode)
{
	uint64_t value = 0;

	if (len < 8 || memcmp(link, "socket:[", 8))
		return false;
	for (size_t i = 8; i < len - 1 && value <= UINT32_MAX; i++) {
		if (link[i] < '0' || link[i] > '9')
			value = UINT64_MAX;
		else
			value = value * 10 + (uint64_t)(link[i] - '0');
	}
	if (len < 10 || link[len - 1] != ']' || value > UINT32_MAX) {
		pass->map->malformed++;
		return false;
	}
	*inode = (uint32_t)value;
	return true;
}

static bool is_wanted(struct pass *pass, uint32_t inode)
{
	size_t index;

	if (!pass->wanted)
		return true;
	if (!inode_set_has(pass->wanted, inode, &index))
		return false;
	if (!(pass->found[index / 8] & 1u << index % 8)) {
		pass->found[index / 8] |= (uint8_t)(1u << index % 8);
		pass->missing--;
	}
	return true;
}

static bool is_over(const struct pass *pass)
{
	return pass->wanted && !pass->missing;
}

/* Return: false when this process forbids looking. */
static bool look_at_descriptor(struct pass *pass, int dir, const char *name)
{
	char link[64];
	uint32_t fd, inode;
	ssize_t len = readlinkat(dir, name, link, sizeof(link));

	if (len < 0)
		return errno != EACCES && errno != EPERM;
	if (!take_inode(pass, link, (size_t)len, &inode) || !is_wanted(pass, inode))
		return true;
	if (!take_number(name, &fd)) {
		pass->map->malformed++;
		return true;
	}
	if (!pass->process) {
		pass->process = arena_alloc(&pass->map->arena, sizeof(*pass->process));
		pass->process->pid = pass->pid;
	}
	pass->process->sockets++;
	owner_map_add(pass->map, inode, pass->process, (int32_t)fd);
	return true;
}

static bool is_denial(int code)
{
	return code == EACCES || code == EPERM;
}

/* Every descriptor of one process; when the last wanted inode was found, the rest is only counted. */
static bool look_at_descriptors(struct pass *pass, int dir)
{
	for (;;) {
		long n = syscall(SYS_getdents64, dir, pass->fds, DIRENTS_BYTES);

		if (n <= 0)
			return n == 0 || !is_denial(errno);
		for (long at = 0; at < n;) {
			struct dirent_head *entry = (void *)(pass->fds + at);

			at += entry->len;
			if (entry->name[0] == '.')
				continue;
			pass->descriptors++;
			if (!is_over(pass) && !look_at_descriptor(pass, dir, entry->name))
				return false;
		}
	}
}

static void look_at_process(struct pass *pass, int proc, const char *name)
{
	size_t held = pass->map->count;
	char path[24];
	AUTO_FD int dir = -1;

	snprintf(path, sizeof(path), "%.12s/fd", name);
	dir = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		pass->map->denied += is_denial(errno);
		return;
	}
	pass->process = NULL;
	pass->descriptors = 0;
	if (!look_at_descriptors(pass, dir))
		pass->map->denied++;
	if (!pass->process)
		return;
	pass->process->fds = pass->descriptors;
	pass->map->malformed += proc_pid_fill(dir, pass->process, &pass->map->arena);
	owner_map_process(pass->map, pass->process, held);
}

static int look_at_processes(struct pass *pass, int proc)
{
	AUTO_FD int dir = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	while (!is_over(pass)) {
		long n = syscall(SYS_getdents64, dir, pass->pids, DIRENTS_BYTES);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (long at = 0; at < n && !is_over(pass);) {
			struct dirent_head *entry = (void *)(pass->pids + at);

			at += entry->len;
			if (take_number(entry->name, &pass->pid))
				look_at_process(pass, proc, entry->name);
		}
	}
	return 0;
}

static int run_pass(struct owner_map *map, int proc, const struct inode_set *wanted)
{
	struct pass pass = { .map = map,
			     .wanted = wanted,
			     .found = xcalloc(wanted ? wanted->count / 8 + 1 : 1, 1),
			     .missing = wanted ? wanted->count : 0,
			     .pids = xmalloc(DIRENTS_BYTES),
			     .fds = xmalloc(DIRENTS_BYTES) };
	int64_t begin = clock_mono_us();
	int code = look_at_processes(&pass, proc);

	owner_map_sort(map);
	map->cost_us += clock_mono_us() - begin;
	free(pass.found);
	free(pass.pids);
	free(pass.fds);
	return code;
}

/* Not every process is to be seen from a pid namespace of our own, nor on a /proc mounted with hidepid: there pid 1 is missing. */
static bool is_partial_view(int proc)
{
	char link[64];
	ssize_t len = readlinkat(proc, "self/ns/pid", link, sizeof(link) - 1);
	unsigned ns;

	if (faccessat(proc, "1", F_OK, 0) < 0)
		return true;
	link[MAX(len, 0)] = '\0';
	return sscanf(link, "pid:[%u]", &ns) == 1 && ns != INITIAL_PID_NAMESPACE;
}

int owners_scan(int proc, const uint32_t *wanted, size_t count, struct redactor *redactor,
		struct notices *notices, struct owner_map **out, struct err *err)
{
	struct owner_map *map = owner_map_new(redactor);
	int code;

	map->proc = proc;
	map->whole = !wanted;
	map->hidden = is_partial_view(proc);
	if (wanted)
		map->wanted = inode_set_copy(wanted, count);
	code = run_pass(map, proc, wanted ? &map->wanted : NULL);
	if (code) {
		owner_map_free(map);
		return err_errno(err, code, "cannot read /proc for the owners of sockets");
	}
	if (map->malformed)
		notices_add(notices, "owners: %u entries of /proc had a shape that is not known",
			    map->malformed);
	*out = map;
	return 0;
}

void owners_scan_again(struct owner_map *map, const uint32_t *inodes, size_t count)
{
	struct inode_set wanted = { .inode = (uint32_t *)inodes, .count = count };

	map->denied = 0;
	run_pass(map, map->proc, &wanted);
}
