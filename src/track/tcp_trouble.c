/* SPDX-License-Identifier: MIT */
/* A bounded pool of what is remembered of directions in trouble, and the arithmetic of their holes. */
#include "tcp_trouble.h"

#include <stdlib.h>
#include <string.h>

/* One flow in so many has a direction in trouble at one time; at least the second number, for small tables. */
#define FLOWS_PER_TROUBLE 40
#define TROUBLES_MIN 64
#define TROUBLES_MAX 65535
/* So many are asked whether they are still needed. */
#define TRIES 64
/* How long one is kept that was not looked at: nothing is open any more; something is (retransmissions back off to two minutes, but rarely do). */
#define KEEP_SETTLED_MS 1000
#define KEEP_OPEN_MS 60000

void tcp_troubles_init(struct tcp_troubles *pool, uint32_t capacity)
{
	uint32_t count = MIN(MAX(capacity / FLOWS_PER_TROUBLE, (uint32_t)TROUBLES_MIN), (uint32_t)TROUBLES_MAX);

	*pool = (struct tcp_troubles){ .at = xcalloc(count + 1, sizeof(*pool->at)), .count = count };
}

void tcp_troubles_free(struct tcp_troubles *pool)
{
	free(pool->at);
}

size_t tcp_troubles_memory(const struct tcp_troubles *pool)
{
	return (pool->count + 1) * sizeof(*pool->at);
}

static bool is_needed(const struct tcp_trouble *trouble, uint32_t now_ms)
{
	uint32_t keep_ms = trouble->holes || trouble->head_tries ? KEEP_OPEN_MS : KEEP_SETTLED_MS;

	return trouble->owner1 && now_ms - trouble->used_ms < keep_ms;
}

uint32_t tcp_troubles_take(struct tcp_troubles *pool, uint32_t now_ms)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		uint32_t at = pool->hand;

		pool->hand = (pool->hand + 1) % pool->count;
		if (!is_needed(&pool->at[at], now_ms))
			return at;
	}
	return pool->count;
}

static void remove_hole(struct tcp_trouble *trouble, unsigned at)
{
	trouble->holes--;
	memmove(&trouble->hole[at], &trouble->hole[at + 1], (trouble->holes - at) * sizeof(trouble->hole[0]));
}

static void insert_hole(struct tcp_trouble *trouble, unsigned at, const struct hole *hole)
{
	memmove(&trouble->hole[at + 1], &trouble->hole[at], (trouble->holes - at) * sizeof(trouble->hole[0]));
	trouble->hole[at] = *hole;
	trouble->holes++;
}

void tcp_trouble_open(struct tcp_trouble *trouble, const struct hole *hole)
{
	if (trouble->holes == TROUBLE_HOLES)
		remove_hole(trouble, 0);
	insert_hole(trouble, trouble->holes && seq_before(hole->start, trouble->hole[0].start) ? 0 : trouble->holes, hole);
}

/* Cuts [start, end) out of the hole at @at. Return: holes that are left of it. */
static unsigned cut(struct tcp_trouble *trouble, unsigned at, uint32_t start, uint32_t end)
{
	struct hole *hole = &trouble->hole[at], rest = *hole;
	bool left = seq_before(hole->start, start), right = seq_before(end, hole->end);

	if (!left && !right) {
		remove_hole(trouble, at);
		return 0;
	}
	if (left && right) {
		hole->end = start;
		rest.start = end;
		/* Without room for both parts the later one is forgotten: the earlier holds the acknowledgement back. */
		if (trouble->holes < TROUBLE_HOLES) {
			insert_hole(trouble, at + 1, &rest);
			return 2;
		}
	} else if (left) {
		hole->end = start;
	} else {
		hole->start = end;
	}
	return 1;
}

bool tcp_trouble_fill(struct tcp_trouble *trouble, uint32_t start, uint32_t end, struct hole *was)
{
	bool fell = false;

	for (unsigned i = 0; i < trouble->holes;) {
		const struct hole *hole = &trouble->hole[i];

		if (!seq_before(start, hole->end) || !seq_before(hole->start, end)) {
			i++;
			continue;
		}
		if (!fell)
			*was = *hole;
		fell = true;
		i += cut(trouble, i, start, end);
	}
	return fell;
}

void tcp_trouble_acked(struct tcp_trouble *trouble, uint32_t ack, uint32_t now_us)
{
	for (unsigned i = 0; i < trouble->holes; i++) {
		struct hole *hole = &trouble->hole[i], rest = *hole;

		if (hole->acked || !seq_before(hole->start, ack))
			continue;
		if (seq_before(ack, hole->end)) {
			hole->end = rest.start = ack;
			if (trouble->holes < TROUBLE_HOLES)
				insert_hole(trouble, i + 1, &rest);
		}
		hole->acked = true;
		hole->opened_us = now_us;
	}
}

uint32_t tcp_trouble_unseen(struct tcp_trouble *trouble, uint32_t now_us, uint32_t patience_us, uint32_t *start)
{
	uint32_t bytes = 0, acked_us = 0;

	for (unsigned i = 0; i < trouble->holes;) {
		const struct hole *hole = &trouble->hole[i];

		if (!hole->acked || now_us - hole->opened_us < patience_us || (bytes && hole->opened_us != acked_us)) {
			i++;
			continue;
		}
		if (!hole->before) {
			*start = bytes ? *start : hole->start;
			acked_us = hole->opened_us;
			bytes += hole->end - hole->start;
		}
		remove_hole(trouble, i);
	}
	return bytes;
}

struct resend *tcp_trouble_resent(struct tcp_trouble *trouble, const struct resend *resend)
{
	struct resend *at = &trouble->resend[trouble->resends % TROUBLE_RESENDS];

	*at = *resend;
	/* The count only says where the next goes and how many there are. */
	trouble->resends = trouble->resends + 1 < 2 * TROUBLE_RESENDS ? trouble->resends + 1 : TROUBLE_RESENDS;
	return at;
}
