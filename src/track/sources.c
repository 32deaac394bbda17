/* SPDX-License-Identifier: MIT */
/* Source ports by local address: one bitmap each, for a bounded number of addresses. */
#include <stdlib.h>

#include "tables.h"

/** struct source_table - @count of @at, in order of first sight in the sample. */
struct source_table {
	struct port_source at[SNAPSHOT_SOURCES];
	size_t count;
	struct index index;
};

struct source_table *sources_new(void)
{
	struct source_table *table = xcalloc(1, sizeof(*table));

	index_init(&table->index, SNAPSHOT_SOURCES);
	return table;
}

void sources_free(struct source_table *table)
{
	if (!table)
		return;
	index_free(&table->index);
	free(table);
}

void sources_begin(struct source_table *table)
{
	table->count = 0;
	index_clear(&table->index);
}

uint16_t sources_find(struct source_table *table, const struct addr *local)
{
	uint64_t hash = addr_hash(local);
	uint32_t at = (uint32_t)hash, item;
	struct port_source *source;

	while ((item = index_next(&table->index, hash, &at)) != INDEX_NONE) {
		if (addr_equal(&table->at[item].local, local))
			return (uint16_t)(item + 1);
	}
	if (table->count == SNAPSHOT_SOURCES)
		return SOURCE_TURNED_AWAY;
	source = &table->at[table->count];
	memset(source, 0, sizeof(*source));
	source->local = *local;
	index_insert(&table->index, hash, (uint32_t)table->count++);
	return (uint16_t)table->count;
}

struct port_source *sources_at(struct source_table *table, size_t index)
{
	return index < table->count ? &table->at[index] : NULL;
}
