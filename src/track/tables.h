/* SPDX-License-Identifier: MIT */
/* The three tables behind a snapshot: listeners, groups by tuple, candidates. */
#ifndef TCPTRIAGE_TRACK_TABLES_H
#define TCPTRIAGE_TRACK_TABLES_H

#include "index.h"
#include "pool.h"
#include "tcptriage/track/snapshot.h"

/** port_bit(), port_set() - one bit a port. */
static inline bool port_bit(const uint8_t *map, uint16_t port)
{
	return map[port / 8] >> port % 8 & 1;
}
static inline void port_set(uint8_t *map, uint16_t port)
{
	map[port / 8] |= (uint8_t)(1u << port % 8);
}

/* The epoch of a sample: its number, then how often it was begun. An interrupted dump is asked for again under a new epoch, so that counts
 * restart, but what has been seen in this sample already has not been seen once more. */
#define EPOCH_TRY_BITS 3
static inline bool same_sample(uint32_t a, uint32_t b)
{
	return a >> EPOCH_TRY_BITS == b >> EPOCH_TRY_BITS;
}

/** sock_key() - the cookie, or a hash of the tuple where the kernel gave none. */
uint64_t sock_key(const struct sock *sock);

struct listener_table *listeners_new(void);
void listeners_free(struct listener_table *table);
/** listeners_begin() - a new sample: what is counted anew restarts. */
void listeners_begin(struct listener_table *table);
/** listeners_add() - a LISTEN socket of sample @epoch; @role_only: outside the view. Return: false when the table is full. */
bool listeners_add(struct listener_table *table, const struct sock *sock, uint32_t epoch,
		   bool role_only);
/** listeners_end() - marks those that sample @epoch did not see. */
void listeners_end(struct listener_table *table, uint32_t epoch);
/** listeners_find() - the listener that accepts on @local: its own address before any address; NULL none. */
struct listener *listeners_find(const struct listener_table *table, const struct endpoint *local);
/** listeners_half_open() - what is kept of its half-open queue, made if need be; NULL when too many listeners have one. */
struct half_open *listeners_half_open(struct listener_table *table, struct listener *listener);
const struct listener *listeners_at(const struct listener_table *table, size_t index);

struct group_table *groups_new(void);
void groups_free(struct group_table *table);
/** groups_begin() - a new sample: everybody may enter again. */
void groups_begin(struct group_table *table, uint32_t epoch);
/** groups_take() - the group of a socket, made if need be, counts restarted when it is new to this sample. Return: NULL when there is no room. */
struct tuple_group *groups_take(struct group_table *table, const struct sock *sock, bool outbound);
/** groups_pin() - keeps @group from being dropped, as long as fewer than half of all are pinned. */
void groups_pin(struct group_table *table, struct tuple_group *group);
/** groups_end() - zeroes what the sample did not see, records growth. @now_us: of the sample. */
void groups_end(struct group_table *table, int64_t now_us);
/** groups_find() - see snapshot_group_find(). */
const struct tuple_group *groups_find(const struct group_table *table, const struct addr *local,
				      const struct addr *peer, uint16_t peer_port);
const struct tuple_group *groups_at(const struct group_table *table, size_t index);
/** groups_dropped() - groups let go so far, and sockets that found no room. */
uint64_t groups_dropped(const struct group_table *table);

/* A group's source address when the table had no room for it; 0 stands for one that was not looked up yet. */
#define SOURCE_TURNED_AWAY UINT16_MAX
struct source_table *sources_new(void);
void sources_free(struct source_table *table);
/** sources_begin() - a new sample: the table is empty. */
void sources_begin(struct source_table *table);
/** sources_find() - the source of a local address, made if need be. Return: its index + 1, or SOURCE_TURNED_AWAY. */
uint16_t sources_find(struct source_table *table, const struct addr *local);
/** sources_at() - the @index-th, NULL after the last. */
struct port_source *sources_at(struct source_table *table, size_t index);

struct candidate_table *candidates_new(void);
void candidates_free(struct candidate_table *table);
/** candidates_rules() - rules for which @sock is remembered already; 0 when it is not. */
uint64_t candidates_rules(const struct candidate_table *table, const struct sock *sock);
/**
 * candidates_add() - remembers @sock for @rules, or refreshes it when it is known (also with @rules 0).
 * @taken: the rules for which it was not remembered before. Return: false when it was wanted and the table is full.
 */
bool candidates_add(struct candidate_table *table, const struct sock *sock, uint64_t rules,
		    bool outbound, int64_t now_us, uint32_t epoch, uint64_t *taken);
/** candidates_end() - marks those that sample @epoch did not see. */
void candidates_end(struct candidate_table *table, uint32_t epoch);
const struct candidate *candidates_at(const struct candidate_table *table, size_t index);

void bursts_free(struct burst_table *table);

#endif
