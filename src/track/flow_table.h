/* SPDX-License-Identifier: MIT */
/* The slots of flows, the index that finds them by tuple, and who has to go when all are taken. */
#ifndef TCPTRIAGE_TRACK_FLOW_TABLE_H
#define TCPTRIAGE_TRACK_FLOW_TABLE_H

#include "tcptriage/model/flow.h"

/**
 * struct side_track - what tracking remembers of one side beside what its struct flow_side shows.
 * Times are the low 32 bits of µs and ms: differences are right within 71 minutes and 49 days.
 * @timed_end: end of the segment whose acknowledgement is waited for, sent at @timed_us in an IP packet of @timed_ip bytes; @timed_rtt: it
 * gives an RTT, @timed_size: a size that passes. @base_ms: since when the retransmission timer runs (RFC 6298 §5): the head was sent or
 * the last acknowledgement came. After a FIN: when that was sent. @tsval: of its newest segment. @sack_high: end of the highest block that
 * the other side holds (@has_sack). @shut_ms: when its window shut. @window: as last sent, not scaled (@has_window). @id: of its newest packet
 * (@has_id), @id_votes: for its ids being counted. @trouble: index + 1 into the pool, 0 none. @duplicate_acks: it sent in a row.
 * @nagle_ms: how long the acknowledgement of a small segment took that just came, 0 none. @anchored: an acknowledgement met its sequence
 * numbers, so what lies beyond is loss. @probed: it offered one byte more, into a shut window. @keepalive: its newest packet was one.
 * @woke: its packet ended a silence that nobody has answered yet. @asked: its request waits for a reply. @told_mtu: an ICMP error told it
 * to send less. @fast_recovery: it repairs losses that duplicate ACKs told of.
 * @stray: its newest packet lay outside of every window.
 */
struct side_track {
	uint32_t timed_end, timed_us, base_ms, tsval, sack_high, shut_ms;
	uint16_t timed_ip, window, id, trouble;
	uint8_t duplicate_acks, nagle_ms;
	uint16_t id_votes : 3, has_id : 1, has_window : 1, has_sack : 1, timed_rtt : 1, timed_size : 1, anchored : 1, probed : 1, keepalive : 1,
		woke : 1, asked : 1, told_mtu : 1,
		fast_recovery : 1, stray : 1;
};

/** struct flow_slot - one flow with all that is tracked beside it. */
struct flow_slot {
	struct flow flow;
	struct side_track track[2];
};

/** struct flow_key - what makes a flow; @end[0] is the sender of the packet at hand. */
struct flow_key {
	struct endpoint end[2];
	uint32_t tunnel_id;
	uint16_t vlan;
	uint8_t tunnel_kind, protocol;
};

/**
 * struct flow_table - @slot: @count of @capacity are taken, in order of first use. @index: open addressing, @index_size entries, at least one and
 * a half times @capacity. @victim: slots that may go, best last, @victims of them, at most @victims_max; chosen in one sweep for many.
 */
struct flow_table {
	struct flow_slot *slot;
	struct flow_entry {
		uint32_t tag, slot1;
	} *index;
	struct flow_victim {
		uint64_t rank;
		uint32_t slot;
	} *victim;
	uint64_t seed;
	uint32_t capacity, count, index_size, victims, victims_max;
};

/** flow_table_init() - room for @capacity flows; pages that are not touched cost nothing. */
void flow_table_init(struct flow_table *table, uint32_t capacity);
/** flow_table_free() - releases all of it. */
void flow_table_free(struct flow_table *table);
/** flow_table_memory() - bytes of slots, index and victims. */
size_t flow_table_memory(const struct flow_table *table);
/** flow_table_hash() - the same for both directions. */
uint32_t flow_table_hash(const struct flow_table *table, const struct flow_key *key);
/** flow_table_prefetch() - fetches the place of the index where a search for @hash begins. */
static inline void flow_table_prefetch(const struct flow_table *table, uint32_t hash)
{
	__builtin_prefetch(&table->index[(uint64_t)hash * table->index_size >> 32]);
}
/** flow_table_find() - the newest flow of @key. @side: which side sends from @key->end[0]. Return: NULL none. */
struct flow_slot *flow_table_find(const struct flow_table *table, const struct flow_key *key, uint32_t hash, unsigned *side);
/** flow_table_victim() - a flow that has to go so that another can come; @expired: it was over, or idle, and nothing was wrong in it. */
struct flow_slot *flow_table_victim(struct flow_table *table, int64_t now_ns, bool *expired);
/** flow_table_add() - a cleared slot for @key: @reuse, which leaves the index, or a fresh one (there is room). Side 0 is @key->end[0]. */
struct flow_slot *flow_table_add(struct flow_table *table, const struct flow_key *key, uint32_t hash, struct flow_slot *reuse);
/** flow_table_retire() - @slot stays, but its tuple no longer leads to it. */
void flow_table_retire(struct flow_table *table, const struct flow_slot *slot);

#endif
