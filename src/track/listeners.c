/* SPDX-License-Identifier: MIT */
/* Listening sockets, and the question whether a connection came in through one of them. */
#include <stdlib.h>

#include "tables.h"

/**
 * struct listen_point - one address and port on which somebody listens; several listeners may share it (SO_REUSEPORT).
 * @item: the first of them. @next: another point on the same port, number + 1. @any: any address of its family; @both: of either.
 */
struct listen_point {
	struct addr addr;
	bool any, both;
	uint32_t item, next;
};

/** struct listener_table - @port: first point of each port, number + 1. @half_open: a struct half_open for each listener that has one. */
struct listener_table {
	struct pool pool, points, half_open;
	struct index index;
	uint64_t seed;
	uint16_t port[65536];
};

struct listener_table *listeners_new(void)
{
	struct listener_table *table = xcalloc(1, sizeof(*table));

	table->pool = (struct pool){ .size = sizeof(struct listener), .max = SNAPSHOT_LISTENERS };
	table->points = (struct pool){ .size = sizeof(struct listen_point), .max = SNAPSHOT_LISTENERS };
	table->half_open = (struct pool){ .size = sizeof(struct half_open), .max = SNAPSHOT_HALF_OPEN };
	index_init(&table->index, SNAPSHOT_LISTENERS);
	table->seed = hash_u64((uintptr_t)table);
	return table;
}

void listeners_free(struct listener_table *table)
{
	if (!table)
		return;
	pool_free(&table->pool);
	pool_free(&table->points);
	pool_free(&table->half_open);
	index_free(&table->index);
	free(table);
}

void listeners_begin(struct listener_table *table)
{
	for (size_t i = 0; i < table->pool.count; i++) {
		struct listener *listener = pool_at(&table->pool, i);

		listener->estab = listener->time_wait = 0;
		listener->children_waiting = listener->children_closed = 0;
		listener->oldest_child_ms = listener->oldest_closed_ms = -1;
		if (listener->half_open)
			half_open_begin(listener->half_open);
	}
}

static struct listen_point *first_point(const struct listener_table *table, uint16_t port)
{
	return table->port[port] ? pool_at(&table->points, table->port[port] - 1u) : NULL;
}

static struct listen_point *next_point(const struct listener_table *table,
				       const struct listen_point *point)
{
	return point->next ? pool_at(&table->points, point->next - 1u) : NULL;
}

static bool same_point(const struct listen_point *point, const struct sock *sock)
{
	return addr_equal(&point->addr, &sock->local.addr) && (!point->any || point->both == !sock->v6only);
}

static void add_point(struct listener_table *table, const struct sock *sock, uint32_t item)
{
	struct listen_point *point;

	for (point = first_point(table, sock->local.port); point; point = next_point(table, point)) {
		if (same_point(point, sock))
			return;
	}
	point = pool_add(&table->points);
	if (!point)
		return;
	*point = (struct listen_point){
		.addr = sock->local.addr,
		.any = addr_is_any(&sock->local.addr),
		.both = !sock->v6only,
		.item = item,
		.next = table->port[sock->local.port],
	};
	table->port[sock->local.port] = (uint16_t)table->points.count;
}

static struct listener *find(const struct listener_table *table, uint64_t key, uint64_t hash)
{
	uint32_t at = (uint32_t)hash, item;

	while ((item = index_next(&table->index, hash, &at)) != INDEX_NONE) {
		struct listener *listener = pool_at(&table->pool, item);

		if (listener->key == key)
			return listener;
	}
	return NULL;
}

static struct listener *add(struct listener_table *table, const struct sock *sock, uint64_t key,
			    uint64_t hash)
{
	struct listener *listener = pool_add(&table->pool);

	if (!listener)
		return NULL;
	*listener = (struct listener){
		.key = key, .recv_q_min = UINT32_MAX, .oldest_child_ms = -1, .oldest_closed_ms = -1
	};
	sock_copy_set(&listener->first, sock);
	sock_copy_set(&listener->last, sock);
	index_insert(&table->index, hash, (uint32_t)table->pool.count - 1);
	add_point(table, sock, (uint32_t)table->pool.count - 1);
	return listener;
}

bool listeners_add(struct listener_table *table, const struct sock *sock, uint32_t epoch,
		   bool role_only)
{
	uint64_t key = sock_key(sock), hash = hash_u64(key ^ table->seed);
	struct listener *listener = find(table, key, hash);

	if (!listener)
		listener = add(table, sock, key, hash);
	if (!listener)
		return false;
	listener->recv_q_max = MAX(listener->recv_q_max, sock->recv_q);
	listener->recv_q_min = MIN(listener->recv_q_min, sock->recv_q);
	if (!same_sample(listener->epoch, epoch)) {
		listener->seen++;
		listener->full_samples += sock->recv_q > sock->send_q;
		listener->waiting_samples += sock->recv_q > 0;
		listener->drop_samples +=
			sock->skmem[SKMEM_DROPS] > listener->last.sock.skmem[SKMEM_DROPS];
	}
	listener->epoch = epoch;
	listener->role_only = role_only;
	listener->present = !role_only;
	sock_copy_set(&listener->last, sock);
	return true;
}

void listeners_end(struct listener_table *table, uint32_t epoch)
{
	for (size_t i = 0; i < table->pool.count; i++) {
		struct listener *listener = pool_at(&table->pool, i);

		listener->present = listener->epoch == epoch && !listener->role_only;
		if (listener->half_open)
			half_open_end(listener->half_open);
	}
}

struct listener *listeners_find(const struct listener_table *table, const struct endpoint *local)
{
	const struct listen_point *point, *any = NULL;

	for (point = first_point(table, local->port); point; point = next_point(table, point)) {
		if (!point->any && addr_equal(&point->addr, &local->addr))
			return pool_at(&table->pool, point->item);
		if (point->any && (point->addr.family == local->addr.family ||
				   (point->addr.family == ADDR_V6 && point->both)))
			any = point;
	}
	return any ? pool_at(&table->pool, any->item) : NULL;
}

struct half_open *listeners_half_open(struct listener_table *table, struct listener *listener)
{
	if (!listener->half_open && (listener->half_open = pool_add(&table->half_open)))
		half_open_begin(listener->half_open);
	return listener->half_open;
}

const struct listener *listeners_at(const struct listener_table *table, size_t index)
{
	return pool_at(&table->pool, index);
}
