/* SPDX-License-Identifier: MIT */
/* The inside of an owner map, for those who fill one: the pass over /proc and the reader of a recording. */
#ifndef COLLECT_OWNER_MAP_H
#define COLLECT_OWNER_MAP_H

#include "tcptriage/collect/source.h"

struct redactor;

/** struct inode_set - sorted inodes, owned. */
struct inode_set {
	uint32_t *inode;
	size_t count;
};

/**
 * struct owner_map - holders sorted by inode (16 bytes each), processes once each, in @arena.
 * @slots, @slot_mask: place of each inode's first holder plus one, found by the inode's hash; 0 is a free slot.
 * @wanted: what the pass looked for; @whole: it looked for everything. @named: inodes that were looked for by number in a second look.
 * @denied: processes that could not be read. @hidden: this /proc does not show every process. @malformed: lines of the wrong shape.
 * @proc: directory for second looks, -1 in a recording. @joining: a second look is on. @redactor: not owned, NULL for the truth.
 */
struct owner_map {
	struct arena arena;
	struct holder *holders;
	size_t count, cap;
	struct process **processes;
	size_t process_count, process_cap;
	uint32_t *slots;
	size_t slot_mask;
	struct inode_set wanted, named;
	bool whole, hidden, joining;
	unsigned denied, malformed;
	int64_t cost_us;
	int proc;
	struct redactor *redactor;
};

/** inode_set_has() - is @inode in it. @index: its place, when not NULL. */
bool inode_set_has(const struct inode_set *set, uint32_t inode, size_t *index);
/** inode_set_settle() - puts members in order and drops 0 and repetitions, after they were appended as they came. */
void inode_set_settle(struct inode_set *set);
/** inode_set_copy() - a set of @inodes, which may come in any order, repeated, and with 0 among them. */
struct inode_set inode_set_copy(const uint32_t *inodes, size_t count);

/** owner_map_new() - empty, without a directory for second looks. */
struct owner_map *owner_map_new(struct redactor *redactor);
/**
 * owner_map_process() - call once a process is filled and its descriptors are added from @first on: its strings become stand-ins where they are
 * wanted, and a process that an earlier pass saw is joined to that sight.
 */
void owner_map_process(struct owner_map *map, struct process *process, size_t first);
/** owner_redact() - stand-ins for the strings of a process. */
void owner_redact(struct redactor *redactor, struct process *process);
/** owner_map_add() - one descriptor; the map is not searchable until owner_map_sort(). */
void owner_map_add(struct owner_map *map, uint32_t inode, const struct process *process,
		   int32_t fd);
/** owner_map_join() - move all that @part of a pass holds into @map and release @part; not searchable until owner_map_sort(). */
void owner_map_join(struct owner_map *map, struct owner_map *part);
/** owner_map_sort() - order by inode, pid and descriptor. */
void owner_map_sort(struct owner_map *map);

/**
 * owners_scan() - one pass over the process directory @proc (not owned, must stay open for second looks).
 * Return: 0, or -errno with @err.
 */
int owners_scan(int proc, const uint32_t *wanted, size_t count, struct redactor *redactor,
		struct notices *notices, struct owner_map **out, struct err *err);
/** owners_scan_again() - the pass of owner_map_second_look(). */
void owners_scan_again(struct owner_map *map, const uint32_t *inodes, size_t count);

#endif
