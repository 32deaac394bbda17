/* SPDX-License-Identifier: MIT */
/* What is remembered of a direction in trouble: holes, what was sent again, a head that does not get through. A bounded pool, lent out. */
#ifndef TCPTRIAGE_TRACK_TCP_TROUBLE_H
#define TCPTRIAGE_TRACK_TCP_TROUBLE_H

#include "tcptriage/base/util.h"

#define TROUBLE_HOLES 6
#define TROUBLE_RESENDS 4

/**
 * struct hole - sequence numbers [@start, @end) below the highest seen that the capture has not seen yet. @opened_us: when the segment behind it came,
 * with @tsval (@has_tsval) and IP id @id (@has_id). @before: they were on their way before the capture began, so that nothing is missing in it.
 * @acked: the other side acknowledged them, at @opened_us: if they do not show up at once, the capture lost them.
 */
struct hole {
	uint32_t start, end, opened_us, tsval;
	uint16_t id;
	bool has_tsval : 1, has_id : 1, before : 1, acked : 1;
};

/**
 * struct resend - one retransmission. @tsval: of it (@has_tsval). @seen: its bytes had been seen before, so there is a first copy.
 * @acked: an acknowledgement covered it. @spurious: it was counted as unneeded.
 */
struct resend {
	uint32_t start, end, tsval;
	bool has_tsval, seen, acked, spurious;
};

/**
 * struct tcp_trouble - of one direction. @owner1: flow slot + 1, 0 free; @side of it. @hole: @holes of them, ascending, apart.
 * @resend: the newest ones, @resends in all ever. @recover: end of what was sent when a repair by duplicate ACKs began.
 * The head: [@head_start, …) in IP packets of @head_ip bytes was sent @head_tries times since @head_first_ms, at last at @head_last_ms.
 * @head_smaller: its bytes were at last sent in a smaller packet. @used_ms: when it was last looked at.
 */
struct tcp_trouble {
	uint32_t owner1, recover, head_start, head_first_ms, head_last_ms, used_ms;
	uint16_t head_ip, head_tries;
	uint8_t side, holes, resends;
	bool head_smaller;
	struct hole hole[TROUBLE_HOLES];
	struct resend resend[TROUBLE_RESENDS];
};

/** struct tcp_troubles - the pool of @count, and a spare one behind them that belongs to nobody. @hand: where the next search for a free one begins. */
struct tcp_troubles {
	struct tcp_trouble *at;
	uint32_t count, hand;
};

/** tcp_troubles_init() - as many as flows of a table of @capacity may need; at most 65535. */
void tcp_troubles_init(struct tcp_troubles *pool, uint32_t capacity);
/** tcp_troubles_free() - releases the pool. */
void tcp_troubles_free(struct tcp_troubles *pool);
/** tcp_troubles_memory() - bytes of it. */
size_t tcp_troubles_memory(const struct tcp_troubles *pool);
/**
 * tcp_troubles_take() - one that is free, or that its owner has not needed for a while; the caller clears it and tells the one that loses it. When
 * all are needed, who comes later gets none: taking from each other, all would forget, and a thousand connections that die at once would look like none.
 * Return: its index; @pool->count, the spare one, when there is none.
 */
uint32_t tcp_troubles_take(struct tcp_troubles *pool, uint32_t now_ms);

/** tcp_trouble_open() - a hole behind all others, or before them. Without room the lowest one is forgotten. */
void tcp_trouble_open(struct tcp_trouble *trouble, const struct hole *hole);
/** tcp_trouble_fill() - [@start, @end) came. @was: the hole that it (first) fell into. Return: false when it fell into none. */
bool tcp_trouble_fill(struct tcp_trouble *trouble, uint32_t start, uint32_t end, struct hole *was);
/** tcp_trouble_acked() - what of the holes lies below @ack was acknowledged at @now_us. */
void tcp_trouble_acked(struct tcp_trouble *trouble, uint32_t ack, uint32_t now_us);
/**
 * tcp_trouble_unseen() - forgets holes that one acknowledgement covered @patience_us ago or earlier. @start: of the first of them.
 * Return: bytes that the capture should have seen; 0 when there are no more such holes.
 */
uint32_t tcp_trouble_unseen(struct tcp_trouble *trouble, uint32_t now_us, uint32_t patience_us, uint32_t *start);
/** tcp_trouble_resent() - remembers a retransmission. */
struct resend *tcp_trouble_resent(struct tcp_trouble *trouble, const struct resend *resend);

/** seq_before() - modular order of sequence numbers (RFC 9293 §3.4): @a comes before @b. */
static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

#endif
