/* SPDX-License-Identifier: MIT */
/* Groups by tuple in a table of bounded size that keeps the heavy ones. The bound and its proof stand in snapshot.h at struct tuple_group;
 * here: a group's weight is the most sockets it can have had, seen or missed; @floor is the level below which groups have been let go. */
#include <stdlib.h>

#include "tables.h"

#define WEIGHTS 4096
#define GROUPS_AT_FIRST 256

/**
 * struct group_table - @group: @count of @room, in order of arrival. @sealed: nothing can be let go any more in this sample.
 * @histogram: groups by weight above @floor, scratch of sweep(). @seed: keeps a peer from choosing what collides.
 */
struct group_table {
	struct tuple_group *group;
	size_t count, room, pinned;
	struct index index;
	uint64_t seed, dropped;
	uint32_t epoch, floor;
	bool sealed;
	uint32_t histogram[WEIGHTS];
};

struct group_table *groups_new(void)
{
	struct group_table *table = xcalloc(1, sizeof(*table));

	index_init(&table->index, SNAPSHOT_GROUPS);
	table->seed = hash_u64((uintptr_t)table);
	return table;
}

void groups_free(struct group_table *table)
{
	if (!table)
		return;
	index_free(&table->index);
	free(table->group);
	free(table);
}

void groups_begin(struct group_table *table, uint32_t epoch)
{
	table->epoch = epoch;
	table->floor = 0;
	table->sealed = false;
}

static uint64_t tuple_hash(const struct group_table *table, const struct addr *local,
			   const struct addr *peer, uint16_t peer_port)
{
	uint64_t l[2], p[2], hash = table->seed ^ (uint64_t)peer_port << 8 ^ peer->family;

	memcpy(l, local->bytes, sizeof(l));
	memcpy(p, peer->bytes, sizeof(p));
	hash = hash_mix(hash_mix(hash, l[0]), p[0]);
	return l[1] | p[1] ? hash_mix(hash_mix(hash, l[1]), p[1]) : hash;
}

static struct tuple_group *find(const struct group_table *table, uint64_t hash,
				const struct addr *local, const struct addr *peer,
				uint16_t peer_port)
{
	uint32_t at = (uint32_t)hash, item;

	while ((item = index_next(&table->index, hash, &at)) != INDEX_NONE) {
		struct tuple_group *group = &table->group[item];

		if (group->peer_port == peer_port && addr_equal(&group->peer, peer) &&
		    addr_equal(&group->local, local))
			return group;
	}
	return NULL;
}

static uint32_t weight(const struct group_table *table, const struct tuple_group *group)
{
	uint32_t most = group->epoch == table->epoch ?
				MAX(group->total, group->prev_total) + group->lossy :
				group->total;

	return most > table->floor ? MIN(most - table->floor, WEIGHTS - 1u) : 0;
}

/* The smallest weight that a quarter of the table does not exceed; WEIGHTS − 1 and more is never let go. */
static uint32_t cut_level(struct group_table *table)
{
	uint32_t cut = 0;
	size_t below;

	memset(table->histogram, 0, sizeof(table->histogram));
	for (size_t i = 0; i < table->count; i++) {
		if (!table->group[i].pinned)
			table->histogram[weight(table, &table->group[i])]++;
	}
	below = table->histogram[0];
	while (below < SNAPSHOT_GROUPS / 4 && cut < WEIGHTS - 2)
		below += table->histogram[++cut];
	return cut;
}

static void sweep(struct group_table *table)
{
	uint32_t cut = cut_level(table);
	size_t kept = 0;

	index_clear(&table->index);
	for (size_t i = 0; i < table->count; i++) {
		struct tuple_group *group = &table->group[i];

		if (!group->pinned && weight(table, group) <= cut)
			continue;
		table->group[kept] = *group;
		group = &table->group[kept];
		index_insert(&table->index,
			     tuple_hash(table, &group->local, &group->peer, group->peer_port),
			     (uint32_t)kept++);
	}
	table->floor += cut;
	table->dropped += table->count - kept;
	table->sealed = kept == table->count;
	table->count = kept;
}

static bool make_room(struct group_table *table)
{
	if (table->count == SNAPSHOT_GROUPS && !table->sealed)
		sweep(table);
	if (table->count == SNAPSHOT_GROUPS) {
		table->dropped++;
		return false;
	}
	if (table->count == table->room) {
		table->room = table->room ? table->room * 2 : GROUPS_AT_FIRST;
		table->group = xrealloc_array(table->group, table->room, sizeof(*table->group));
	}
	return true;
}

static void restart(struct tuple_group *group)
{
	struct tuple_group kept = *group;

	*group = (struct tuple_group){
		.local = kept.local,
		.peer = kept.peer,
		.peer_port = kept.peer_port,
		.outbound = kept.outbound,
		.pinned = kept.pinned,
		.prev_total = kept.total,
		.prev_in_range = kept.in_range,
		.fresh_ack_ms = UINT32_MAX,
		.pmtu_min = UINT32_MAX,
		.first_in_range = kept.first_in_range,
		.growth_samples = kept.growth_samples,
		.first_us = kept.first_us,
		.epoch = kept.epoch,
	};
}

struct tuple_group *groups_take(struct group_table *table, const struct sock *sock, bool outbound)
{
	uint16_t port = outbound ? sock->peer.port : 0;
	uint64_t hash = tuple_hash(table, &sock->local.addr, &sock->peer.addr, port);
	struct tuple_group *group = find(table, hash, &sock->local.addr, &sock->peer.addr, port);

	if (LIKELY(group)) {
		if (group->epoch != table->epoch)
			restart(group);
		group->epoch = table->epoch;
		return group;
	}
	if (!make_room(table))
		return NULL;
	group = &table->group[table->count];
	*group = (struct tuple_group){
		.local = sock->local.addr,
		.peer = sock->peer.addr,
		.peer_port = port,
		.outbound = outbound,
		.fresh_ack_ms = UINT32_MAX,
		.pmtu_min = UINT32_MAX,
		.lossy = table->floor,
		.first_us = -1,
		.epoch = table->epoch,
	};
	index_insert(&table->index, hash, (uint32_t)table->count++);
	return group;
}

void groups_pin(struct group_table *table, struct tuple_group *group)
{
	if (group->pinned || table->pinned >= SNAPSHOT_GROUPS / 2)
		return;
	group->pinned = true;
	table->pinned++;
}

void groups_end(struct group_table *table, int64_t now_us)
{
	for (size_t i = 0; i < table->count; i++) {
		struct tuple_group *group = &table->group[i];

		if (group->epoch != table->epoch)
			restart(group);
		if (group->first_us < 0) {
			group->first_us = now_us;
			group->first_in_range = group->in_range;
		} else if (group->in_range > group->prev_in_range) {
			group->growth_samples++;
		}
	}
}

const struct tuple_group *groups_find(const struct group_table *table, const struct addr *local,
				      const struct addr *peer, uint16_t peer_port)
{
	return find(table, tuple_hash(table, local, peer, peer_port), local, peer, peer_port);
}

const struct tuple_group *groups_at(const struct group_table *table, size_t index)
{
	return index < table->count ? &table->group[index] : NULL;
}

uint64_t groups_dropped(const struct group_table *table)
{
	return table->dropped;
}
