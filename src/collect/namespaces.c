/* SPDX-License-Identifier: MIT */
/* A namespace is known by device and inode of its nsfs file, however many names, mounts and processes lead to it. */
#include "collect/namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "collect/mounts.h"
#include "collect/proc_pid.h"
#include "tcptriage/base/file.h"
#include "tcptriage/base/num.h"
#include "tcptriage/base/words.h"
#include "tcptriage/collect/cgroup.h"

#define NSFS_MAGIC_NUMBER 0x6e736673

/* Where tools leave names. Those below a netns directory of iproute2 are names for people; Docker's are keys. */
static const struct {
	const char *dir;
	bool is_name;
} name_dirs[] = {
	{ "/run/netns", true },
	{ "/var/run/netns", true },
	{ "/run/docker/netns", false },
	{ "/var/run/docker/netns", false },
};

/* struct found - a namespace and how good its name is. */
struct found {
	struct netns ns;
	uint64_t dev;
	const char *key;
};

/* struct search - all that were found; @slot: open addressing over @item, index + 1. */
struct search {
	struct arena *arena;
	struct found *item;
	size_t count, cap;
	uint32_t *slot;
	size_t slots;
	int proc;
	unsigned denied;
};

static uint32_t *slot_of(struct search *s, uint64_t dev, uint64_t ino)
{
	size_t at = hash_mix(dev, ino) & (s->slots - 1);

	while (s->slot[at] && (s->item[s->slot[at] - 1].dev != dev ||
			       s->item[s->slot[at] - 1].ns.inode != ino))
		at = (at + 1) & (s->slots - 1);
	return &s->slot[at];
}

static void make_room(struct search *s)
{
	if (s->count * 2 < s->slots)
		return;
	s->slots = s->slots ? s->slots * 2 : 64;
	free(s->slot);
	s->slot = xcalloc(s->slots, sizeof(*s->slot));
	for (size_t i = 0; i < s->count; i++)
		*slot_of(s, s->item[i].dev, s->item[i].ns.inode) = (uint32_t)i + 1;
}

/* The entry of a namespace, new when it was not known. */
static struct found *entry_of(struct search *s, const struct stat *st)
{
	uint32_t *slot;

	make_room(s);
	slot = slot_of(s, st->st_dev, st->st_ino);
	if (!*slot) {
		if (s->count == s->cap) {
			s->cap = s->cap ? s->cap * 2 : 16;
			s->item = xrealloc_array(s->item, s->cap, sizeof(*s->item));
		}
		s->item[s->count++] = (struct found){
			.ns = { .inode = st->st_ino, .name = "", .container = "", .unit = "" },
			.dev = st->st_dev,
		};
		*slot = (uint32_t)s->count;
	}
	return &s->item[*slot - 1];
}

static bool stat_nsfs(const char *path, struct stat *st)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == NSFS_MAGIC_NUMBER && !stat(path, st);
}

static void add_path(struct search *s, const char *path, const char *base, bool is_name)
{
	struct found *found;
	struct stat st;

	if (!stat_nsfs(path, &st))
		return; /* a name whose namespace is gone, or whose mount is not to be seen from here */
	found = entry_of(s, &st);
	if (found == s->item)
		return;
	if (!found->ns.path)
		found->ns.path = arena_strdup(s->arena, path);
	if (is_name && !*found->ns.name)
		found->ns.name = arena_strdup(s->arena, base);
	if (!found->key)
		found->key = arena_strdup(s->arena, base);
}

static void add_directory(struct search *s, const char *dir, bool is_name)
{
	DIR *handle = opendir(dir);
	struct dirent *entry;

	while (handle && (entry = readdir(handle))) {
		AUTO_FREE char *path = NULL;

		if (entry->d_name[0] != '.' && asprintf(&path, "%s/%s", dir, entry->d_name) > 0)
			add_path(s, path, entry->d_name, is_name);
	}
	if (handle)
		closedir(handle);
}

static void add_mount(const struct mount_line *mount, void *context)
{
	const char *base = strrchr(mount->point, '/');

	if (!strncmp(mount->root, "net:[", 5))
		add_path(context, mount->point, base ? base + 1 : mount->point, false);
}

static void add_process(struct search *s, const char *name, uint32_t pid)
{
	struct found *found;
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "%.12s/ns/net", name);
	if (fstatat(s->proc, path, &st, 0) < 0) {
		s->denied += errno == EACCES || errno == EPERM;
		return;
	}
	found = entry_of(s, &st);
	if (found == s->item || found->ns.pid)
		return;
	found->ns.pid = pid;
	if (!found->ns.path)
		found->ns.path = arena_printf(s->arena, "/proc/%u/ns/net", pid);
}

static int add_processes(struct search *s)
{
	int fd = openat(s->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint64_t pid;

		if (num_u64(entry->d_name, INT32_MAX, &pid))
			add_process(s, entry->d_name, (uint32_t)pid);
	}
	closedir(dir);
	return 0;
}

/* The namespace of this thread is always the first. */
static int add_own(struct search *s, struct err *err)
{
	struct stat st;

	if (fstatat(s->proc, "thread-self/ns/net", &st, 0) < 0)
		return err_errno(err, -errno, "cannot tell in which network namespace we are");
	entry_of(s, &st)->ns.pid = (uint32_t)getpid();
	return 0;
}

/* What a member's cgroup says; a namespace without a name takes the container's, else the key of its file, else a member's pid. */
static void describe(struct search *s, struct found *found)
{
	char path[32], text[4096];
	struct cgroup_names names;
	const char *cgroup = NULL;
	size_t len;

	if (found->ns.pid) {
		snprintf(path, sizeof(path), "%u/cgroup", found->ns.pid);
		file_read_at(s->proc, path, text, sizeof(text));
		cgroup = proc_pid_parse_cgroup(text, &len);
	}
	if (cgroup) {
		text[cgroup - text + (ptrdiff_t)len] = '\0';
		cgroup_describe(cgroup, &names);
		found->ns.container = arena_strdup(s->arena, names.container);
		found->ns.unit = arena_strdup(s->arena, names.unit);
	}
	if (*found->ns.name)
		return;
	if (*found->ns.container)
		found->ns.name = found->ns.container;
	else if (found->key)
		found->ns.name = found->key;
	else
		found->ns.name = arena_printf(s->arena, "pid:%u", found->ns.pid);
}

static int compare_names(const void *left, const void *right)
{
	const struct found *a = left, *b = right;
	int order = strcmp(a->ns.name, b->ns.name);

	return order ? order : (a->ns.inode > b->ns.inode) - (a->ns.inode < b->ns.inode);
}

static void find_all(struct search *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_dirs); i++)
		add_directory(s, name_dirs[i].dir, name_dirs[i].is_name);
	mounts_each("nsfs", add_mount, s);
	add_processes(s);
}

static const struct netns *list_of(struct search *s, size_t first, size_t count)
{
	struct netns *list = arena_alloc(s->arena, count * sizeof(*list));

	for (size_t i = 0; i < count; i++) {
		if (first + i > 0)
			describe(s, &s->item[first + i]);
		list[i] = s->item[first + i].ns;
	}
	return list;
}

/* Names are described before they are sorted, so that the order is that of what is shown. */
static const struct netns *whole_list(struct search *s)
{
	struct netns *list = arena_alloc(s->arena, s->count * sizeof(*list));

	for (size_t i = 1; i < s->count; i++)
		describe(s, &s->item[i]);
	if (s->count > 2)
		qsort(s->item + 1, s->count - 1, sizeof(*s->item), compare_names);
	for (size_t i = 0; i < s->count; i++)
		list[i] = s->item[i].ns;
	return list;
}

static int not_found(const struct search *s, const char *wanted, int code, struct err *err)
{
	struct words_nearest nearest = { .word = wanted };

	for (size_t i = 1; i < s->count; i++)
		if (*s->item[i].ns.name)
			words_offer(&nearest, s->item[i].ns.name);
	if (code == -EACCES || code == -EPERM)
		return err_set(err, code, "network namespace '%s' may not be looked at: run as root", wanted);
	if (nearest.best)
		return err_set(err, -ENOENT, "no network namespace named '%s': did you mean '%s'?",
			       wanted, nearest.best);
	return err_set(err, -ENOENT,
		       "no network namespace named '%s' (a name below /run/netns, a pid or a path)",
		       wanted);
}

/* A name, else a pid, else a path. */
static int stat_wanted(const char *wanted, char *path, size_t size, bool *is_name, struct stat *st)
{
	uint64_t pid;

	*is_name = false;
	if (!strchr(wanted, '/')) {
		for (size_t i = 0; i < ARRAY_SIZE(name_dirs); i++) {
			snprintf(path, size, "%s/%s", name_dirs[i].dir, wanted);
			*is_name = stat_nsfs(path, st);
			if (*is_name)
				return 0;
		}
		if (!num_u64(wanted, INT32_MAX, &pid))
			return -ENOENT;
		snprintf(path, size, "/proc/%u/ns/net", (unsigned)pid);
	} else {
		snprintf(path, size, "%s", wanted);
	}
	if (stat(path, st) < 0)
		return -errno;
	return stat_nsfs(path, st) ? 0 : -EINVAL;
}

static int find_one(struct search *s, const char *wanted, const struct netns **list,
		    struct err *err)
{
	struct found *found;
	char path[4096];
	struct stat st;
	bool is_name;
	int code = stat_wanted(wanted, path, sizeof(path), &is_name, &st);

	if (code == -EINVAL)
		return err_set(err, code, "'%s' is not a network namespace", path);
	if (code)
		return not_found(s, wanted, code, err);
	found = entry_of(s, &st);
	if (found != s->item) {
		found->ns.path = arena_strdup(s->arena, path);
		if (is_name)
			found->ns.name = arena_strdup(s->arena, wanted);
		else if (!found->key && !found->ns.pid)
			found->key = arena_strdup(s->arena, path);
	}
	*list = list_of(s, (size_t)(found - s->item), 1);
	return 1;
}

static void say_denied(const struct search *s, struct notices *notices)
{
	if (s->denied)
		notices_add(notices,
			    "%u process%s may not be looked at: a network namespace that nobody else is in was not seen",
			    s->denied, s->denied == 1 ? "" : "es");
}

int namespaces_find(int proc, const char *wanted, struct arena *arena, struct notices *notices,
		    const struct netns **list, unsigned *others, struct err *err)
{
	struct search s = { .arena = arena, .proc = proc };
	int count = add_own(&s, err);

	if (others)
		*others = 0;
	if (!count && (wanted || others)) {
		find_all(&s);
		if (wanted && !*wanted)
			say_denied(&s, notices);
	}
	if (count) {
		s.count = 0;
	} else if (!wanted) {
		*list = list_of(&s, 0, 1);
		count = 1;
	} else if (!*wanted) {
		*list = whole_list(&s);
		count = (int)s.count;
	} else {
		count = find_one(&s, wanted, list, err);
	}
	if (others && count > 0)
		*others = (unsigned)(s.count - (size_t)count);
	free(s.item);
	free(s.slot);
	return count;
}

int namespaces_open(const struct netns *ns, struct err *err)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_errno(err, -errno, "cannot open network namespace '%s'", ns->path);
	if (fstat(fd, &st) < 0 || st.st_ino != ns->inode ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(fd);
		return err_set(err, -ENOENT, "network namespace '%s' is gone, or is none", ns->path);
	}
	return fd;
}
