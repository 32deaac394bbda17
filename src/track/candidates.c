/* SPDX-License-Identifier: MIT */
/* Sockets that a rule wants to see again, by cookie: the first and the newest sight of each. */
#include <stdlib.h>

#include "tables.h"

/** struct candidate_table - @seed: keeps a peer from choosing what collides. */
struct candidate_table {
	struct pool pool;
	struct index index;
	uint64_t seed;
};

void sock_copy_set(struct sock_copy *copy, const struct sock *sock)
{
	uint16_t len = MIN(sock->info.len, TCP_INFO_MAX);

	copy->sock = *sock;
	if (len)
		memcpy(copy->info_bytes, sock->info.bytes, len);
	copy->sock.info = (struct tcp_info_bytes){ .bytes = copy->info_bytes, .len = len };
}

uint64_t sock_key(const struct sock *sock)
{
	uint64_t hash;

	if (LIKELY(sock->has & SOCK_HAS_COOKIE))
		return sock->cookie;
	hash = hash_mix(addr_hash(&sock->local.addr), addr_hash(&sock->peer.addr));
	return hash_mix(hash, (uint64_t)sock->local.port << 16 | sock->peer.port);
}

struct candidate_table *candidates_new(void)
{
	struct candidate_table *table = xcalloc(1, sizeof(*table));

	table->pool = (struct pool){ .size = sizeof(struct candidate), .max = SNAPSHOT_CANDIDATES };
	index_init(&table->index, SNAPSHOT_CANDIDATES);
	table->seed = hash_u64((uintptr_t)table);
	return table;
}

void candidates_free(struct candidate_table *table)
{
	if (!table)
		return;
	pool_free(&table->pool);
	index_free(&table->index);
	free(table);
}

static struct candidate *find(const struct candidate_table *table, uint64_t key, uint64_t hash)
{
	uint32_t at = (uint32_t)hash, item;

	while ((item = index_next(&table->index, hash, &at)) != INDEX_NONE) {
		struct candidate *candidate = pool_at(&table->pool, item);

		if (candidate->key == key)
			return candidate;
	}
	return NULL;
}

static void see_again(struct candidate *candidate, const struct sock *sock, int64_t now_us,
		      uint32_t epoch)
{
	if (!same_sample(candidate->epoch, epoch)) {
		candidate->seen++;
		candidate->drop_samples += sock->skmem[SKMEM_DROPS] >
					   candidate->last.sock.skmem[SKMEM_DROPS];
	}
	candidate->epoch = epoch;
	candidate->present = true;
	candidate->last_us = now_us;
	candidate->recv_q_min = MIN(candidate->recv_q_min, sock->recv_q);
	candidate->recv_q_fell |= sock->recv_q < candidate->first.sock.recv_q;
	sock_copy_set(&candidate->last, sock);
}

static void see_first(struct candidate *candidate, const struct sock *sock, int64_t now_us,
		      uint32_t epoch)
{
	sock_copy_set(&candidate->first, sock);
	sock_copy_set(&candidate->last, sock);
	candidate->first_us = candidate->last_us = now_us;
	candidate->recv_q_min = sock->recv_q;
	candidate->seen = 1;
	candidate->epoch = epoch;
	candidate->present = true;
}

uint64_t candidates_rules(const struct candidate_table *table, const struct sock *sock)
{
	uint64_t key = sock_key(sock);
	const struct candidate *candidate = find(table, key, hash_u64(key ^ table->seed));

	return candidate ? candidate->rules : 0;
}

bool candidates_add(struct candidate_table *table, const struct sock *sock, uint64_t rules,
		    bool outbound, int64_t now_us, uint32_t epoch, uint64_t *taken)
{
	uint64_t key = sock_key(sock), hash = hash_u64(key ^ table->seed);
	struct candidate *candidate = find(table, key, hash);

	*taken = 0;
	if (candidate) {
		see_again(candidate, sock, now_us, epoch);
		*taken = rules & ~candidate->rules;
		candidate->rules |= rules;
		return true;
	}
	if (!rules)
		return true;
	candidate = pool_add(&table->pool);
	if (!candidate)
		return false;
	*candidate = (struct candidate){ .key = key, .rules = rules, .outbound = outbound };
	see_first(candidate, sock, now_us, epoch);
	index_insert(&table->index, hash, (uint32_t)table->pool.count - 1);
	*taken = rules;
	return true;
}

void candidates_end(struct candidate_table *table, uint32_t epoch)
{
	for (size_t i = 0; i < table->pool.count; i++) {
		struct candidate *candidate = pool_at(&table->pool, i);

		candidate->present = candidate->epoch == epoch;
	}
}

const struct candidate *candidates_at(const struct candidate_table *table, size_t index)
{
	return pool_at(&table->pool, index);
}
