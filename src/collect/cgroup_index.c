/* SPDX-License-Identifier: MIT */
/* cgroup numbers to paths, by a walk of the cgroup2 mount: a number is the inode of its directory. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/mounts.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/collect/cgroup.h"

#define WALK_AGAIN_US 1000000
#define DEPTH_MAX 64

struct cgroup_entry {
	uint64_t id;
	const char *path;
};

/* Open addressing, at most half full. */
struct cgroup_index {
	struct arena arena;
	struct cgroup_entry *slot;
	size_t count, size;
	const char *mount;
	bool looked;
	int64_t walked_us;
};

struct cgroup_index *cgroup_index_new(const char *mount)
{
	struct cgroup_index *index = xcalloc(1, sizeof(*index));

	if (mount) {
		index->mount = arena_strdup(&index->arena, mount);
		index->looked = true;
	}
	return index;
}

void cgroup_index_free(struct cgroup_index *index)
{
	if (!index)
		return;
	free(index->slot);
	arena_free(&index->arena);
	free(index);
}

static struct cgroup_entry *find(const struct cgroup_index *index, uint64_t id)
{
	size_t at = hash_u64(id) & (index->size - 1);

	while (index->slot[at].path && index->slot[at].id != id)
		at = (at + 1) & (index->size - 1);
	return &index->slot[at];
}

static void grow(struct cgroup_index *index)
{
	struct cgroup_entry *old = index->slot;
	size_t size = index->size;

	index->size = size ? size * 2 : 256;
	index->slot = xcalloc(index->size, sizeof(*index->slot));
	for (size_t i = 0; i < size; i++)
		if (old[i].path)
			*find(index, old[i].id) = old[i];
	free(old);
}

bool cgroup_index_add(struct cgroup_index *index, uint64_t id, const char *path)
{
	struct cgroup_entry *entry;

	if (index->count * 2 >= index->size)
		grow(index);
	entry = find(index, id);
	if (entry->path && !strcmp(entry->path, path))
		return true;
	if (!entry->path && index->count >= CGROUP_INDEX_MAX)
		return false;
	index->count += !entry->path;
	*entry = (struct cgroup_entry){ .id = id, .path = arena_strdup(&index->arena, path) };
	return true;
}

static void walk(struct cgroup_index *index, int fd, const char *path, unsigned depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		AUTO_FREE char *below = NULL;
		int child;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			break;
		if (!cgroup_index_add(index, entry->d_ino, below) || depth == DEPTH_MAX)
			continue;
		child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (child >= 0)
			walk(index, child, below, depth + 1);
	}
	closedir(dir);
}

static void walk_mount(struct cgroup_index *index)
{
	struct stat st;
	int fd;

	if (!index->looked) {
		index->looked = true;
		index->mount = mounts_first_of_type("cgroup2", &index->arena);
	}
	fd = index->mount ? open(index->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	if (!fstat(fd, &st))
		cgroup_index_add(index, st.st_ino, "/");
	walk(index, fd, "", 0);
}

const char *cgroup_path_of(struct cgroup_index *index, uint64_t id)
{
	const char *path = index->size ? find(index, id)->path : NULL;
	int64_t now;

	if (path)
		return path;
	now = clock_mono_us();
	if (index->walked_us && now - index->walked_us < WALK_AGAIN_US)
		return NULL;
	walk_mount(index);
	index->walked_us = now;
	return index->size ? find(index, id)->path : NULL;
}

void cgroup_index_each(const struct cgroup_index *index,
		       void (*fn)(uint64_t id, const char *path, void *context), void *context)
{
	for (size_t i = 0; i < index->size; i++)
		if (index->slot[i].path)
			fn(index->slot[i].id, index->slot[i].path, context);
}
