/* SPDX-License-Identifier: MIT */
/* A bounded table that only grows: a hostile file may describe the same interface millions of times. */
#include "capture/interfaces.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *name, uint32_t link_type, uint32_t snaplen)
{
	return hash_mix(hash_bytes(link_type, name, strlen(name)), snaplen);
}

static struct capture_interface *new_row(const char *name, uint32_t link_type, uint32_t snaplen)
{
	size_t bytes = strlen(name) + 1;
	struct capture_interface *row = xmalloc(sizeof(*row) + bytes);
	char *copy = (char *)(row + 1);

	memcpy(copy, name, bytes);
	*row = (struct capture_interface){ .name = copy, .link_type = link_type, .snaplen = snaplen };
	return row;
}

int interfaces_index(struct interfaces *t, const char *name, uint32_t link_type, uint32_t snaplen)
{
	uint64_t hash = hash_of(name, link_type, snaplen);

	for (unsigned i = 0; i < t->count; i++) {
		const struct capture_interface *row = t->rows[i];

		if (t->hashes[i] == hash && row->link_type == link_type && row->snaplen == snaplen && !strcmp(row->name, name))
			return (int)i;
	}
	if (t->count == INTERFACES_MAX)
		return -1;
	t->rows[t->count] = new_row(name, link_type, snaplen);
	t->hashes[t->count] = hash;
	return (int)t->count++;
}

bool interfaces_several_link_types(const struct interfaces *t)
{
	for (unsigned i = 1; i < t->count; i++)
		if (t->rows[i]->link_type != t->rows[0]->link_type)
			return true;
	return false;
}

void interfaces_free(struct interfaces *t)
{
	for (unsigned i = 0; i < t->count; i++)
		free(t->rows[i]);
	t->count = 0;
}
