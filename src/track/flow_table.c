/* SPDX-License-Identifier: MIT */
/* The slots of flows, the index that finds them by tuple, and who has to go when all are taken.
 *
 * Slots are handed out in order and only given away again when none is left, so the table needs no list of free ones. Nothing is linked:
 * a packet touches its own flow and one entry of the index. Who goes is decided for many at once, by a sweep over all slots that keeps the
 * best candidates; one that was heard from in between is passed over. */
#include "flow_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Silent for so long, a flow is idle: longer than most exchanges pause, shorter than NATs remember. */
#define IDLE_TCP_NS (60 * INT64_C(1000000000))
#define IDLE_OTHER_NS (30 * INT64_C(1000000000))
/* One sweep serves this part of the capacity, at least the second number. */
#define VICTIMS_PART 16
#define VICTIMS_MIN 8

enum flow_worth { WORTH_CLOSED, WORTH_IDLE, WORTH_KEPT };
#define WORTH_SHIFT 62

static uint64_t fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t fold_endpoint(const struct endpoint *end, uint64_t seed)
{
	uint64_t low, high;

	memcpy(&low, end->addr.bytes, 8);
	memcpy(&high, end->addr.bytes + 8, 8);
	return fold(low ^ seed, high ^ ((uint64_t)end->port << 32) ^ 0x9e3779b97f4a7c15);
}

uint32_t flow_table_hash(const struct flow_table *table, const struct flow_key *key)
{
	uint64_t rest = (uint64_t)key->tunnel_id << 32 | (uint32_t)key->vlan << 16 | (uint32_t)key->tunnel_kind << 8 | key->protocol;
	/* A sum, for both directions meet. */
	uint64_t ends = fold_endpoint(&key->end[0], table->seed) + fold_endpoint(&key->end[1], table->seed);

	return (uint32_t)(fold(ends ^ rest, 0xe7037ed1a0b428db ^ table->seed) >> 32);
}

static bool ends_equal(const struct endpoint *a, const struct endpoint *b)
{
	return !memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes)) && a->port == b->port && a->addr.family == b->addr.family;
}

static bool key_matches(const struct flow *flow, const struct flow_key *key, unsigned *side)
{
	if (flow->protocol != key->protocol || flow->vlan != key->vlan || flow->tunnel_id != key->tunnel_id || flow->tunnel_kind != key->tunnel_kind)
		return false;
	*side = !ends_equal(&flow->end[0], &key->end[0]);
	return ends_equal(&flow->end[*side], &key->end[0]) && ends_equal(&flow->end[!*side], &key->end[1]);
}

static uint32_t home(const struct flow_table *table, uint32_t tag)
{
	return (uint32_t)((uint64_t)tag * table->index_size >> 32);
}

static uint32_t next(const struct flow_table *table, uint32_t at)
{
	return ++at == table->index_size ? 0 : at;
}

/* Large pages save most of the misses of address translation, and are a wish only. */
static void wish_for_large_pages(void *start, size_t size)
{
	const uintptr_t page = 4096;
	uintptr_t from = ((uintptr_t)start + page - 1) & ~(page - 1), to = ((uintptr_t)start + size) & ~(page - 1);

	if (to > from)
		madvise((char *)start + (from - (uintptr_t)start), to - from, MADV_HUGEPAGE);
}

void flow_table_init(struct flow_table *table, uint32_t capacity)
{
	*table = (struct flow_table){ .capacity = capacity,
				      .index_size = capacity + capacity / 2 + 8,
				      .victims_max = MAX(capacity / VICTIMS_PART, (uint32_t)VICTIMS_MIN) };
	table->slot = xcalloc(capacity, sizeof(*table->slot));
	table->index = xcalloc(table->index_size, sizeof(*table->index));
	table->victim = xcalloc(table->victims_max, sizeof(*table->victim));
	wish_for_large_pages(table->slot, capacity * sizeof(*table->slot));
	wish_for_large_pages(table->index, table->index_size * sizeof(*table->index));
	/* Where memory lies is not known to who sends packets, and no result depends on it. */
	table->seed = hash_u64((uintptr_t)table->slot ^ (uint64_t)(uintptr_t)table << 20);
}

void flow_table_free(struct flow_table *table)
{
	free(table->slot);
	free(table->index);
	free(table->victim);
}

size_t flow_table_memory(const struct flow_table *table)
{
	return table->capacity * sizeof(*table->slot) + table->index_size * sizeof(*table->index) + table->victims_max * sizeof(*table->victim);
}

static void prefetch(const struct flow_slot *slot)
{
	const char *at = (const char *)slot;

	__builtin_prefetch(at, 1);
	__builtin_prefetch(&slot->flow.side[0], 1);
	__builtin_prefetch(&slot->flow.side[0].window_shut, 1);
	__builtin_prefetch(&slot->flow.side[1], 1);
	__builtin_prefetch(&slot->flow.side[1].window_shut, 1);
	__builtin_prefetch(&slot->flow.interfaces, 1);
	__builtin_prefetch(&slot->track[0], 1);
	__builtin_prefetch(&slot->track[1].trouble, 1);
}

struct flow_slot *flow_table_find(const struct flow_table *table, const struct flow_key *key, uint32_t hash, unsigned *side)
{
	for (uint32_t at = home(table, hash); table->index[at].slot1; at = next(table, at)) {
		struct flow_slot *slot;

		if (table->index[at].tag != hash)
			continue;
		slot = &table->slot[table->index[at].slot1 - 1];
		prefetch(slot);
		if (key_matches(&slot->flow, key, side))
			return slot;
	}
	return NULL;
}

static void index_add(struct flow_table *table, uint32_t hash, const struct flow_slot *slot)
{
	uint32_t at = home(table, hash);

	while (table->index[at].slot1)
		at = next(table, at);
	table->index[at] = (struct flow_entry){ .tag = hash, .slot1 = (uint32_t)(slot - table->slot) + 1 };
}

static uint32_t distance(const struct flow_table *table, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + table->index_size - from;
}

/* Closes the gap at @at: every later entry of the run that may stand there moves up, so that no search ends early. */
static void index_close(struct flow_table *table, uint32_t at)
{
	for (uint32_t i = next(table, at); table->index[i].slot1; i = next(table, i)) {
		if (distance(table, home(table, table->index[i].tag), i) < distance(table, at, i))
			continue;
		table->index[at] = table->index[i];
		at = i;
	}
	table->index[at] = (struct flow_entry){ 0 };
}

void flow_table_retire(struct flow_table *table, const struct flow_slot *slot)
{
	const struct flow *flow = &slot->flow;
	struct flow_key key = { .end = { flow->end[0], flow->end[1] },
				.tunnel_id = flow->tunnel_id,
				.vlan = flow->vlan,
				.tunnel_kind = flow->tunnel_kind,
				.protocol = flow->protocol };
	uint32_t slot1 = (uint32_t)(slot - table->slot) + 1;

	for (uint32_t at = home(table, flow_table_hash(table, &key)); table->index[at].slot1; at = next(table, at)) {
		if (table->index[at].slot1 == slot1) {
			index_close(table, at);
			return;
		}
	}
}

struct flow_slot *flow_table_add(struct flow_table *table, const struct flow_key *key, uint32_t hash, struct flow_slot *reuse)
{
	struct flow_slot *slot = reuse;

	if (reuse) {
		flow_table_retire(table, reuse);
		memset(reuse, 0, sizeof(*reuse));
	} else {
		BUG_ON(table->count >= table->capacity);
		slot = &table->slot[table->count++];
	}
	slot->flow.end[0] = key->end[0];
	slot->flow.end[1] = key->end[1];
	slot->flow.tunnel_id = key->tunnel_id;
	slot->flow.vlan = key->vlan;
	slot->flow.tunnel_kind = key->tunnel_kind;
	slot->flow.protocol = key->protocol;
	index_add(table, hash, slot);
	return slot;
}

static bool side_is_clean(const struct flow_side *side)
{
	return !(side->retransmissions | side->spurious | side->dead_tries | side->zero_windows | side->acked_unseen | side->nagle_stalls |
		 side->duplicates);
}

static bool flow_is_clean(const struct flow *flow)
{
	const uint32_t bad = FLOW_CRASHED | FLOW_RESET_BY_BOX | FLOW_RESET_UNREAD | FLOW_RACE | FLOW_CHALLENGED;

	return side_is_clean(&flow->side[0]) && side_is_clean(&flow->side[1]) && !flow->icmp_errors && !(flow->flags & bad) &&
	       flow->state != FLOW_SYN_SENT && flow->state != FLOW_REFUSED;
}

static uint64_t rank_of(const struct flow *flow, int64_t now_ns)
{
	int64_t last_ns = flow_last_ns(flow);
	int64_t idle_ns = flow->protocol == PROTOCOL_TCP ? IDLE_TCP_NS : IDLE_OTHER_NS;
	enum flow_worth worth = WORTH_KEPT;

	if (flow_is_clean(flow)) {
		if (flow->state == FLOW_CLOSED || flow->state == FLOW_RESET)
			worth = WORTH_CLOSED;
		else if (now_ns - last_ns >= idle_ns)
			worth = WORTH_IDLE;
	}
	return (uint64_t)worth << WORTH_SHIFT | (uint64_t)last_ns;
}

static void swap(struct flow_victim *a, struct flow_victim *b)
{
	struct flow_victim keep = *a;

	*a = *b;
	*b = keep;
}

/* Lets the entry at @at sink in a heap whose root has the highest rank. */
static void sift_down(struct flow_victim *heap, uint32_t count, uint32_t at)
{
	for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
		if (child + 1 < count && heap[child + 1].rank > heap[child].rank)
			child++;
		if (heap[at].rank >= heap[child].rank)
			return;
		swap(&heap[at], &heap[child]);
		at = child;
	}
}

/* The lowest ranks of all slots, sorted so that the lowest stands last. */
static void choose_victims(struct flow_table *table, int64_t now_ns)
{
	struct flow_victim *heap = table->victim;
	uint32_t count = MIN(table->victims_max, table->count);

	for (uint32_t i = 0; i < count; i++)
		heap[i] = (struct flow_victim){ rank_of(&table->slot[i].flow, now_ns), i };
	for (uint32_t i = count / 2; i-- > 0;)
		sift_down(heap, count, i);
	for (uint32_t i = count; i < table->count; i++) {
		uint64_t rank = rank_of(&table->slot[i].flow, now_ns);

		if (rank >= heap[0].rank)
			continue;
		heap[0] = (struct flow_victim){ rank, i };
		sift_down(heap, count, 0);
	}
	for (uint32_t left = count; left > 1; left--) {
		swap(&heap[0], &heap[left - 1]);
		sift_down(heap, left - 1, 0);
	}
	for (uint32_t i = 0; i < count / 2; i++)
		swap(&heap[i], &heap[count - 1 - i]);
	table->victims = count;
}

struct flow_slot *flow_table_victim(struct flow_table *table, int64_t now_ns, bool *expired)
{
	for (;;) {
		bool fresh = !table->victims;
		const struct flow_victim *victim;
		struct flow_slot *slot;

		if (fresh)
			choose_victims(table, now_ns);
		victim = &table->victim[--table->victims];
		slot = &table->slot[victim->slot];
		/* Heard from since, or no longer clean: it is judged again in the next sweep. */
		if (!fresh && rank_of(&slot->flow, now_ns) > victim->rank)
			continue;
		*expired = victim->rank >> WORTH_SHIFT != WORTH_KEPT;
		return slot;
	}
}
