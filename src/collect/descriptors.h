/* SPDX-License-Identifier: MIT */
/* Counts the descriptors of every process, and looks into the few that have used up much of their limit. */
#ifndef COLLECT_DESCRIPTORS_H
#define COLLECT_DESCRIPTORS_H

#include "tcptriage/collect/source.h"

struct redactor;
struct owner_map;

/**
 * descriptors_scan() - one pass over the process directory @proc. @arena: for all that @out points at.
 * Return: 0, or -errno with @err when the processes could not be listed.
 */
int descriptors_scan(int proc, struct redactor *redactor, struct notices *notices, struct arena *arena,
		     struct descriptor_use *out, struct err *err);
/** descriptors_of_map() - the same from a map of all holders, whose strings move to @arena. */
void descriptors_of_map(struct owner_map *map, struct arena *arena, struct descriptor_use *out);

#endif
