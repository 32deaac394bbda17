/* SPDX-License-Identifier: MIT */
/* Files of /proc/PID as struct process. */
#include "collect/proc_pid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tcptriage/base/file.h"
#include "tcptriage/base/num.h"
#include "tcptriage/collect/cgroup.h"

/* PROC_PID_INIT_INO (include/linux/proc_ns.h): the inode of the first pid namespace on every kernel. */
#define INITIAL_PID_NAMESPACE 0xeffffffcu

/* struct pid_list - what proc_pids() collects. */
struct pid_list {
	uint32_t *pids;
	size_t count, cap;
};

static void add_pid(struct pid_list *list, const char *name)
{
	uint64_t pid;

	if (!num_u64(name, INT32_MAX, &pid))
		return;
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 256;
		list->pids = xrealloc_array(list->pids, list->cap, sizeof(*list->pids));
	}
	list->pids[list->count++] = (uint32_t)pid;
}

int proc_pids(int proc, uint32_t **pids, size_t *count)
{
	int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct pid_list list = { .pids = NULL };
	struct dirent *entry;
	int code = dir ? 0 : -errno;

	for (errno = 0; dir && (entry = readdir(dir)); errno = 0)
		add_pid(&list, entry->d_name);
	if (dir) {
		code = -errno;
		closedir(dir);
	}
	*pids = list.pids;
	*count = list.count;
	return code;
}

bool proc_is_partial(int proc)
{
	char link[64];
	ssize_t len = readlinkat(proc, "self/ns/pid", link, sizeof(link) - 1);
	unsigned ns;

	if (faccessat(proc, "1", F_OK, 0) < 0)
		return true;
	link[MAX(len, 0)] = '\0';
	return sscanf(link, "pid:[%u]", &ns) == 1 && ns != INITIAL_PID_NAMESPACE;
}

enum socket_link proc_pid_parse_link(const char *link, size_t len, uint32_t *inode)
{
	uint64_t value = 0;

	if (len < 8 || memcmp(link, "socket:[", 8))
		return FD_LINK_OTHER;
	for (size_t i = 8; i < len - 1 && value <= UINT32_MAX; i++) {
		if (link[i] < '0' || link[i] > '9')
			value = UINT64_MAX;
		else
			value = value * 10 + (uint64_t)(link[i] - '0');
	}
	if (len < 10 || link[len - 1] != ']' || value > UINT32_MAX)
		return FD_LINK_MALFORMED;
	*inode = (uint32_t)value;
	return FD_LINK_SOCKET;
}

/* The line that begins with @key, after it and the blanks behind it. */
static const char *line_after(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
		if (!strncmp(text, key, len))
			return text + len + strspn(text + len, " \t");
	return NULL;
}

bool proc_pid_parse_stat(const char *text, long ticks_per_s, struct process *process)
{
	const char *at = strrchr(text, ')'); /* a comm may hold ')' and blanks itself */
	uint64_t ticks;

	if (!at || at[1] != ' ' || at[2] < 'A' || at[2] > 'z' || at[3] != ' ')
		return false;
	process->run_state = at[2];
	/* start time is field 22, the state is field 3 */
	at += 3;
	for (unsigned field = 4; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	at++;
	if (!num_take_u64(&at, &ticks) || *at != ' ' || ticks > INT64_MAX / 1000000)
		return false;
	process->start_us = (int64_t)(ticks * 1000000 / (uint64_t)ticks_per_s);
	return true;
}

bool proc_pid_parse_status(const char *text, struct process *process)
{
	const char *uid = line_after(text, "Uid:"), *pid = line_after(text, "NSpid:");
	uint64_t value;

	/* real, then effective */
	if (!uid || !num_take_u64(&uid, &value) || (uid += strspn(uid, " \t"), !num_take_u64(&uid, &value)) ||
	    value > UINT32_MAX)
		return false;
	process->uid = (uint32_t)value;
	/* one number a level of pid namespaces, the innermost last; kernels before 4.1 have no such line */
	while (pid && num_take_u64(&pid, &value) && value <= UINT32_MAX) {
		process->nspid = (uint32_t)value;
		pid += strspn(pid, " \t");
	}
	return true;
}

bool proc_pid_parse_limits(const char *text, struct process *process)
{
	const char *at = line_after(text, "Max open files");

	if (!at)
		return false;
	if (!strncmp(at, "unlimited", 9)) {
		process->nofile = UINT64_MAX;
		return true;
	}
	if (!num_take_u64(&at, &process->nofile) || *at != ' ') {
		process->nofile = 0;
		return false;
	}
	return true;
}

static const char *path_of_line(const char *line, size_t *len)
{
	const char *end = line ? strchr(line, '\n') : NULL;

	if (!end || *line != '/')
		return NULL;
	*len = (size_t)(end - line);
	return line;
}

/* The path of systemd's named hierarchy: "N:name=systemd:/path" with any N. */
static const char *systemd_path(const char *text, size_t *len)
{
	const char *hit = strstr(text, ":name=systemd:");

	return hit ? path_of_line(hit + strlen(":name=systemd:"), len) : NULL;
}

const char *proc_pid_parse_cgroup(const char *text, size_t *len)
{
	const char *unified = path_of_line(line_after(text, "0::"), len), *named;
	size_t named_len;

	if (unified && *len > 1)
		return unified;
	named = systemd_path(text, &named_len);
	if (!named || (unified && named_len == 1))
		return unified;
	*len = named_len;
	return named;
}

static bool is_gone(ssize_t code)
{
	return code == -ENOENT || code == -ESRCH || code == -EACCES || code == -EPERM;
}

/* A file beside the fd directory. Return: false when it cannot be read; its head counts when it is larger than @buf. */
static bool read_beside(int dir, const char *path, char *buf, size_t size, unsigned *odd)
{
	ssize_t n = file_read_at(dir, path, buf, size);

	if (n < 0 && n != -EFBIG && !is_gone(n))
		++*odd;
	return n > 0 || n == -EFBIG;
}

static void fill_cgroup(const char *text, struct process *process, struct arena *arena)
{
	struct cgroup_names names;
	size_t len;
	const char *path = proc_pid_parse_cgroup(text, &len);

	if (!path)
		return;
	process->cgroup = arena_memdup(arena, path, len);
	cgroup_describe(process->cgroup, &names);
	process->unit = arena_strdup(arena, names.unit);
	process->container = arena_strdup(arena, names.container);
}

/* The last newline is /proc's; one before it belongs to the name. */
static size_t comm_len(const char *text)
{
	size_t len = strlen(text);

	return len && text[len - 1] == '\n' ? len - 1 : len;
}

unsigned proc_pid_fill(int fd_dir, struct process *process, struct arena *arena)
{
	char buf[8192];
	unsigned odd = 0;
	struct stat st;

	process->comm = process->cgroup = process->unit = process->container = "";
	if (read_beside(fd_dir, "../comm", buf, sizeof(buf), &odd))
		process->comm = arena_memdup(arena, buf, comm_len(buf));
	if (read_beside(fd_dir, "../status", buf, sizeof(buf), &odd))
		odd += !proc_pid_parse_status(buf, process);
	if (read_beside(fd_dir, "../stat", buf, sizeof(buf), &odd))
		odd += !proc_pid_parse_stat(buf, sysconf(_SC_CLK_TCK), process);
	if (read_beside(fd_dir, "../limits", buf, sizeof(buf), &odd))
		odd += !proc_pid_parse_limits(buf, process);
	if (read_beside(fd_dir, "../cgroup", buf, sizeof(buf), &odd))
		fill_cgroup(buf, process, arena);
	if (!fstatat(fd_dir, "../ns/net", &st, 0))
		process->netns = st.st_ino;
	return odd;
}
