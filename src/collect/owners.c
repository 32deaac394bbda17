/* SPDX-License-Identifier: MIT */
/* One pass over /proc/PID/fd: which process holds which socket.
 *
 * The cost is a few system calls a process and one readlink a descriptor; everything else is kept off that path, and a few readers share the
 * processes, because there is nothing to wait for but the kernel's side of a readlink. What a process is called is read after its
 * descriptors, through "../" of its open fd directory, so that a pid that was given to someone else meanwhile cannot lend its name. Threads
 * of a process are not looked at: they share the table of their leader unless they asked not to. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/owner_map.h"
#include "collect/proc_pid.h"
#include "tcptriage/base/file.h"
#include "tcptriage/base/out.h"

#define DIRENTS_BYTES (64 * 1024)
/* struct linux_dirent64, as getdents64(2) gives it. */
struct dirent_head {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* More readers than this gain little, and would be many on a host that is in trouble. */
#define READERS_MAX 4

/**
 * struct pass - a pass in progress, shared by its readers.
 * @pids, @count: processes to look at; @next: the first that nobody has taken yet. @found: a bit per wanted inode; @missing: how many are
 * still without a holder.
 */
struct pass {
	int proc;
	const struct inode_set *wanted;
	uint32_t *pids;
	size_t count;
	atomic_size_t next, missing;
	atomic_uchar *found;
};

/**
 * struct reader - one thread of a pass. @map: what it found, joined with the others' in the end. @process: the one being looked at,
 * NULL until it holds something.
 */
struct reader {
	pthread_t thread;
	struct pass *pass;
	struct owner_map *map;
	char *fds;
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

static bool is_wanted(struct pass *pass, uint32_t inode)
{
	unsigned char bit;
	size_t index;

	if (!pass->wanted)
		return true;
	if (!inode_set_has(pass->wanted, inode, &index))
		return false;
	bit = (unsigned char)(1u << index % 8);
	if (!(atomic_fetch_or(&pass->found[index / 8], bit) & bit))
		atomic_fetch_sub(&pass->missing, 1);
	return true;
}

static bool is_over(struct pass *pass)
{
	return pass->wanted && !atomic_load_explicit(&pass->missing, memory_order_relaxed);
}

/* Return: 0 or the negative errno of a descriptor that cannot be read: -ENOENT when there is none. */
static int look_at_descriptor(struct reader *reader, int dir, const char *name, uint32_t fd)
{
	enum socket_link kind;
	char link[64];
	uint32_t inode;
	ssize_t len = readlinkat(dir, name, link, sizeof(link));

	if (len < 0)
		return -errno;
	kind = proc_pid_parse_link(link, (size_t)len, &inode);
	reader->map->malformed += kind == FD_LINK_MALFORMED;
	if (kind != FD_LINK_SOCKET || !is_wanted(reader->pass, inode))
		return 0;
	if (!reader->process) {
		reader->process = arena_alloc(&reader->map->arena, sizeof(*reader->process));
		reader->process->pid = reader->pid;
	}
	reader->process->sockets++;
	owner_map_add(reader->map, inode, reader->process, (int32_t)fd);
	return 0;
}

static bool is_denial(int code)
{
	return code == -EACCES || code == -EPERM;
}

/* Looks at the numbers from 0 on as long as nearly all of them are descriptors: to have a directory of /proc listed costs a third of what
 * the links themselves do. The size of the directory is how many there are since Linux 6.2, and 0 before.
 * Return: 0 with @next, the number to go on with, UINT32_MAX when all were seen; or the errno of a denial. */
static int guess_descriptors(struct reader *reader, int dir, uint32_t *next)
{
	uint32_t gaps = 0, count;
	struct stat st;

	*next = 0;
	if (fstat(dir, &st) || st.st_size <= 0 || st.st_size > INT32_MAX)
		return 0;
	count = (uint32_t)st.st_size;
	for (; reader->descriptors < count && gaps <= reader->descriptors / 8 + 8; ++*next) {
		char name[12];
		int code;

		if (is_over(reader->pass))
			return 0;
		*decimal_digits(name, *next) = '\0';
		code = look_at_descriptor(reader, dir, name, *next);
		if (is_denial(code))
			return code;
		gaps += code == -ENOENT;
		reader->descriptors += code != -ENOENT;
	}
	if (reader->descriptors == count)
		*next = UINT32_MAX;
	return 0;
}

/* The descriptors from number @first on; when the last wanted inode was found, the rest is only counted. */
static int list_descriptors(struct reader *reader, int dir, uint32_t first)
{
	for (;;) {
		long n = syscall(SYS_getdents64, dir, reader->fds, DIRENTS_BYTES);

		if (n <= 0)
			return n == 0 ? 0 : -errno;
		for (long at = 0; at < n;) {
			struct dirent_head *entry = (void *)(reader->fds + at);
			uint32_t fd;
			int code;

			at += entry->len;
			if (!take_number(entry->name, &fd) || fd < first)
				continue;
			reader->descriptors++;
			code = is_over(reader->pass) ? 0 : look_at_descriptor(reader, dir, entry->name, fd);
			if (is_denial(code))
				return code;
		}
	}
}

/* Return: false when this process forbids looking. */
static bool look_at_descriptors(struct reader *reader, int dir)
{
	uint32_t next;
	int code = guess_descriptors(reader, dir, &next);

	if (!code && next != UINT32_MAX)
		code = list_descriptors(reader, dir, next);
	return !is_denial(code);
}

static void look_at_process(struct reader *reader)
{
	size_t held = reader->map->count;
	char path[24];
	AUTO_FD int dir = -1;

	snprintf(path, sizeof(path), "%u/fd", reader->pid);
	dir = openat(reader->pass->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		reader->map->denied += is_denial(-errno);
		return;
	}
	reader->process = NULL;
	reader->descriptors = 0;
	if (!look_at_descriptors(reader, dir))
		reader->map->denied++;
	if (!reader->process)
		return;
	reader->process->fds = reader->descriptors;
	reader->map->malformed += proc_pid_fill(dir, reader->process, &reader->map->arena);
	owner_map_process(reader->map, reader->process, held);
}

static void *look_at_processes(void *context)
{
	struct reader *reader = context;
	struct pass *pass = reader->pass;

	while (!is_over(pass)) {
		size_t at = atomic_fetch_add(&pass->next, 1);

		if (at >= pass->count)
			break;
		reader->pid = pass->pids[at];
		look_at_process(reader);
	}
	return NULL;
}

/* Stand-ins are numbered in order of first sight, and a second look joins what the first one saw: both go alone. */
static unsigned readers_for(const struct owner_map *map)
{
	cpu_set_t cpus;

	if (map->redactor || map->joining || sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1;
	return MIN((unsigned)CPU_COUNT(&cpus), READERS_MAX);
}

/* The calling thread is the first reader and fills @map itself; one that cannot be started is done without. */
static void read_processes(struct pass *pass, struct owner_map *map)
{
	unsigned wanted = readers_for(map), started = 1;
	struct reader readers[READERS_MAX];

	for (unsigned i = 0; i < wanted; i++)
		readers[i] = (struct reader){ .pass = pass,
					      .map = i ? owner_map_new(NULL) : map,
					      .fds = xmalloc(DIRENTS_BYTES) };
	while (started < wanted && !pthread_create(&readers[started].thread, NULL, look_at_processes,
						   &readers[started]))
		started++;
	look_at_processes(&readers[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(readers[i].thread, NULL);
	for (unsigned i = 0; i < wanted; i++) {
		if (i)
			owner_map_join(map, readers[i].map);
		free(readers[i].fds);
	}
}

static int run_pass(struct owner_map *map, int proc, const struct inode_set *wanted)
{
	struct pass pass = { .proc = proc,
			     .wanted = wanted,
			     .found = xcalloc(wanted ? wanted->count / 8 + 1 : 1, 1),
			     .missing = wanted ? wanted->count : 0 };
	int64_t begin = clock_mono_us();
	int code = proc_pids(proc, &pass.pids, &pass.count);

	if (!code)
		read_processes(&pass, map);
	owner_map_sort(map);
	map->cost_us += clock_mono_us() - begin;
	free(pass.found);
	free(pass.pids);
	return code;
}

int owners_scan(int proc, const uint32_t *wanted, size_t count, struct redactor *redactor,
		struct notices *notices, struct owner_map **out, struct err *err)
{
	struct owner_map *map = owner_map_new(redactor);
	int code;

	map->proc = proc;
	map->whole = !wanted;
	map->hidden = proc_is_partial(proc);
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
