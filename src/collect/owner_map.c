/* SPDX-License-Identifier: MIT */
/* Inode to holders: a sorted array, because several may hold one, and a hash index on it, because every socket of a dump asks. */
#include "collect/owner_map.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tcptriage/collect/redact.h"

bool inode_set_has(const struct inode_set *set, uint32_t inode, size_t *index)
{
	size_t lo = 0, hi = set->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (set->inode[mid] < inode)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (index)
		*index = lo;
	return lo < set->count && set->inode[lo] == inode;
}

static int compare_inodes(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

void inode_set_settle(struct inode_set *set)
{
	size_t kept = 0;

	if (set->count)
		qsort(set->inode, set->count, sizeof(*set->inode), compare_inodes);
	for (size_t i = 0; i < set->count; i++)
		if (set->inode[i] && (!kept || set->inode[kept - 1] != set->inode[i]))
			set->inode[kept++] = set->inode[i];
	set->count = kept;
}

struct inode_set inode_set_copy(const uint32_t *inodes, size_t count)
{
	struct inode_set set = { .inode = xmalloc(count * sizeof(*inodes)), .count = count };

	if (count)
		memcpy(set.inode, inodes, count * sizeof(*inodes));
	inode_set_settle(&set);
	return set;
}

struct owner_map *owner_map_new(struct redactor *redactor)
{
	struct owner_map *map = xcalloc(1, sizeof(*map));

	map->redactor = redactor;
	map->proc = -1;
	return map;
}

void owner_map_free(struct owner_map *map)
{
	if (!map)
		return;
	free(map->holders);
	free(map->slots);
	free(map->processes);
	free(map->wanted.inode);
	free(map->named.inode);
	arena_free(&map->arena);
	free(map);
}

void owner_redact(struct redactor *r, struct process *process)
{
	process->comm = redact_text(r, REDACT_COMM, process->comm);
	process->cgroup = redact_text(r, REDACT_CGROUP, process->cgroup);
	process->unit = redact_text(r, REDACT_UNIT, process->unit);
	process->container = redact_text(r, REDACT_CONTAINER, process->container);
}

static struct process *earlier_sight(const struct owner_map *map, const struct process *process)
{
	for (size_t i = 0; map->joining && i < map->process_count; i++)
		if (map->processes[i]->pid == process->pid &&
		    map->processes[i]->start_us == process->start_us)
			return map->processes[i];
	return NULL;
}

void owner_map_process(struct owner_map *map, struct process *process, size_t first)
{
	struct process *earlier = earlier_sight(map, process);

	if (earlier) {
		earlier->sockets += process->sockets;
		earlier->fds = process->fds;
		for (size_t i = first; i < map->count; i++)
			map->holders[i].process = earlier;
		return;
	}
	if (map->redactor)
		owner_redact(map->redactor, process);
	if (map->process_count == map->process_cap) {
		map->process_cap = map->process_cap ? map->process_cap * 2 : 64;
		map->processes = xrealloc_array(map->processes, map->process_cap,
						sizeof(struct process *));
	}
	map->processes[map->process_count++] = process;
}

void owner_map_add(struct owner_map *map, uint32_t inode, const struct process *process, int32_t fd)
{
	if (map->count == map->cap) {
		map->cap = map->cap ? map->cap * 2 : 256;
		map->holders = xrealloc_array(map->holders, map->cap, sizeof(*map->holders));
	}
	map->holders[map->count++] =
		(struct holder){ .process = process, .fd = fd, .inode = inode };
}

/* Appends @count members of @size to an array of @have, whose room is then exactly taken. */
static void *append(void *array, size_t *have, size_t *cap, const void *more, size_t count, size_t size)
{
	array = xrealloc_array(array, *have + count, size);
	if (count)
		memcpy((char *)array + *have * size, more, count * size);
	*have += count;
	*cap = *have;
	return array;
}

void owner_map_join(struct owner_map *map, struct owner_map *part)
{
	map->holders = append(map->holders, &map->count, &map->cap, part->holders, part->count,
			      sizeof(*map->holders));
	map->processes = append(map->processes, &map->process_count, &map->process_cap,
				part->processes, part->process_count, sizeof(struct process *));
	map->denied += part->denied;
	map->malformed += part->malformed;
	arena_join(&map->arena, &part->arena);
	owner_map_free(part);
}

static int compare_holders(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->process->pid != b->process->pid)
		return a->process->pid < b->process->pid ? -1 : 1;
	return (a->fd > b->fd) - (a->fd < b->fd);
}

/* At most half of the slots are taken, so that a search ends soon. */
static void build_index(struct owner_map *map)
{
	size_t slots = 64;

	BUG_ON(map->count >= UINT32_MAX);
	while (slots < map->count * 2)
		slots *= 2;
	free(map->slots);
	map->slots = xcalloc(slots, sizeof(*map->slots));
	map->slot_mask = slots - 1;
	for (size_t i = 0; i < map->count; i++) {
		uint32_t inode = map->holders[i].inode;
		size_t at = hash_u64(inode) & map->slot_mask;

		if (i && map->holders[i - 1].inode == inode)
			continue;
		while (map->slots[at])
			at = (at + 1) & map->slot_mask;
		map->slots[at] = (uint32_t)i + 1;
	}
}

void owner_map_sort(struct owner_map *map)
{
	if (map->count)
		qsort(map->holders, map->count, sizeof(*map->holders), compare_holders);
	build_index(map);
}

size_t owner_map_find(const struct owner_map *map, uint32_t inode, const struct holder **holders)
{
	size_t at = hash_u64(inode) & map->slot_mask, first, end;

	*holders = NULL;
	if (!map->slots)
		return 0;
	while (map->slots[at] && map->holders[map->slots[at] - 1].inode != inode)
		at = (at + 1) & map->slot_mask;
	if (!map->slots[at])
		return 0;
	first = end = map->slots[at] - 1;
	while (end < map->count && map->holders[end].inode == inode)
		end++;
	*holders = &map->holders[first];
	return end - first;
}

enum owner_unknown owner_map_reason(const struct owner_map *map, const struct sock *sock)
{
	enum owner_unknown reason = owner_reason_of_state(sock);
	const struct holder *holders;
	bool named;

	if (reason != OWNER_KNOWN || owner_map_find(map, sock->inode, &holders))
		return reason;
	named = inode_set_has(&map->wanted, sock->inode, NULL) ||
		inode_set_has(&map->named, sock->inode, NULL);
	if (!map->whole && !named)
		return OWNER_RACED;
	if (map->denied)
		return OWNER_NO_PERMISSION;
	if (map->hidden)
		return OWNER_OTHER_PID_NAMESPACE;
	return named ? OWNER_KERNEL : OWNER_RACED;
}

/* Adds @inodes to the set of those that were looked for by number; both are sorted. */
static void remember_named(struct inode_set *set, const uint32_t *inodes, size_t count)
{
	struct inode_set all = { .inode = xmalloc((set->count + count) * sizeof(*inodes)) };

	for (size_t a = 0, b = 0; a < set->count || b < count;) {
		bool left = b == count || (a < set->count && set->inode[a] <= inodes[b]);
		uint32_t inode = left ? set->inode[a++] : inodes[b++];

		if (!all.count || all.inode[all.count - 1] != inode)
			all.inode[all.count++] = inode;
	}
	free(set->inode);
	*set = all;
}

void owner_map_second_look(struct owner_map *map, const uint32_t *inodes, size_t count)
{
	struct inode_set missing = { .inode = xmalloc(count * sizeof(*inodes)) };
	const struct holder *holders;

	for (size_t i = 0; i < count; i++)
		if (inodes[i] && !owner_map_find(map, inodes[i], &holders))
			missing.inode[missing.count++] = inodes[i];
	if (missing.count && map->proc >= 0) {
		map->joining = true;
		owners_scan_again(map, missing.inode, missing.count);
		remember_named(&map->named, missing.inode, missing.count);
	}
	free(missing.inode);
}

int64_t owner_map_cost_us(const struct owner_map *map)
{
	return map->cost_us;
}

unsigned owner_map_denied(const struct owner_map *map)
{
	return map->denied;
}
