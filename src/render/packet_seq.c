/* SPDX-License-Identifier: MIT */
/* First sequence numbers by connection: sets of eight entries, in a full set the one not seen for longest gives way. */
#include "src/render/packet_seq.h"

#include <stdlib.h>
#include <string.h>

#define SETS 8192
#define WAYS 8

struct key {
	struct addr low, high;
	uint16_t low_port, high_port;
};

/* @low, @high: first numbers of the side with the lower and the higher port. */
struct entry {
	struct key key;
	uint32_t low, high;
};

/* @tag: part of the hash, 0 for a free entry. @seen: value of packet_seq.clock when it was last used. */
struct set {
	uint32_t tag[WAYS], seen[WAYS];
	struct entry entry[WAYS];
};

struct packet_seq {
	uint32_t clock;
	struct set set[SETS];
};

struct packet_seq *packet_seq_new(void)
{
	return xcalloc(1, sizeof(struct packet_seq));
}

void packet_seq_free(struct packet_seq *table)
{
	free(table);
}

/* One key for both directions: the side with the lower port first, among equal ports the lower address. Return: this one is the higher side. */
static bool connection_key(struct key *key, const struct ip_header *ip, const struct tcp_header *tcp)
{
	bool swapped = tcp->src_port > tcp->dst_port ||
		       (tcp->src_port == tcp->dst_port && addr_compare(&ip->src, &ip->dst) > 0);

	key->low = swapped ? ip->dst : ip->src;
	key->high = swapped ? ip->src : ip->dst;
	key->low_port = swapped ? tcp->dst_port : tcp->src_port;
	key->high_port = swapped ? tcp->src_port : tcp->dst_port;
	return swapped;
}

static bool key_equal(const struct key *a, const struct key *b)
{
	return a->low_port == b->low_port && a->high_port == b->high_port && addr_equal(&a->low, &b->low) &&
	       addr_equal(&a->high, &b->high);
}

static uint64_t key_hash(const struct key *key)
{
	return hash_mix(addr_hash(&key->low) ^ (uint64_t)key->low_port << 16 ^ key->high_port, addr_hash(&key->high));
}

/* Return: the entry of @key; *@fresh when it was not there and holds nothing yet. */
static struct entry *find_entry(struct packet_seq *table, const struct key *key, bool *fresh)
{
	uint64_t hash = key_hash(key);
	struct set *set = &table->set[hash % SETS];
	uint32_t tag = (uint32_t)(hash >> 32) | 1;
	unsigned oldest = 0, way;

	table->clock++;
	*fresh = false;
	for (way = 0; way < WAYS; way++) {
		if (set->tag[way] == tag && key_equal(&set->entry[way].key, key)) {
			set->seen[way] = table->clock;
			return &set->entry[way];
		}
		if (!set->tag[way])
			break;
		/* as a distance, which survives a clock that wraps */
		if (table->clock - set->seen[way] > table->clock - set->seen[oldest])
			oldest = way;
	}
	if (way == WAYS)
		way = oldest;
	*fresh = true;
	set->tag[way] = tag;
	set->seen[way] = table->clock;
	set->entry[way].key = *key;
	return &set->entry[way];
}

struct packet_seq_base packet_seq_base(struct packet_seq *table, const struct ip_header *ip, const struct tcp_header *tcp)
{
	struct packet_seq_base base = { 0 };
	struct key key;
	bool fresh, swapped = connection_key(&key, ip, tcp);
	struct entry *entry = find_entry(table, &key, &fresh);
	uint32_t *mine = swapped ? &entry->high : &entry->low, *theirs = swapped ? &entry->low : &entry->high;

	if (fresh || tcp->flags & TCP_SYN) {
		*mine = tcp->seq;
		*theirs = tcp->ack - 1;
	} else {
		base.seq = *mine;
		base.ack = *theirs;
	}
	base.sack = *theirs;
	return base;
}
