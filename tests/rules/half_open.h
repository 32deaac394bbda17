/* SPDX-License-Identifier: MIT */
/* Half-open connections by the dozen, as their timers and counts go on. */
#ifndef TCPTRIAGE_TESTS_HALF_OPEN_H
#define TCPTRIAGE_TESTS_HALF_OPEN_H

#include "rules.h"

/** enum manner - what the clients do: nothing; send their SYN again; have answered a listener that waits for data; or each look shows others. */
enum manner { SILENT, REPEATS, DEFERRED, FRESH };

/** struct crowd - half-open connections of one age. */
struct crowd {
	struct fake *fake[2048];
	unsigned count;
	double age_s;
	enum manner manner;
};

/* Timer and count at an age: the timer fires at 1, 3, 7, 15, … s; a client that repeats does so each second and winds it up again. */
static inline void crowd_at(struct crowd *crowd, double seconds)
{
	double age = crowd->age_s + (crowd->manner == FRESH ? 0 : seconds);
	unsigned fired = 0;

	while ((double)((2u << fired) - 1) <= age)
		fired++;
	for (unsigned i = 0; i < crowd->count; i++) {
		struct sock *sock = &crowd->fake[i]->sock;
		bool again = crowd->manner == REPEATS && age >= 1;

		sock->retrans = (uint8_t)(crowd->manner == DEFERRED ? 0 : again ? 1 + (unsigned)age : fired);
		sock->cookie += crowd->manner == FRESH ? 100000 : 0;
		sock->expires_ms = again ? 1500 : (uint32_t)(((2u << fired) - 1 - age) * 1000);
	}
}

static inline void crowd_add(struct fixture *f, struct crowd *crowd, const char *local, const char *peer)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_SYN_RECV, local, peer);

	fake->sock.inode = 0;
	fake->sock.info.len = 0;
	fake->sock.timer = SOCK_TIMER_ON;
	crowd->fake[crowd->count++] = fake;
}

/** crowd_of() - @count clients out of @networks networks FIRST.x.y.0/24. */
static inline struct crowd crowd_of(struct fixture *f, const char *local, unsigned first, unsigned count,
				    unsigned networks, double age_s, enum manner manner)
{
	struct crowd crowd = { .age_s = age_s, .manner = manner };

	for (unsigned i = 0; i < count; i++) {
		unsigned network = i % networks;
		char peer[64];

		snprintf(peer, sizeof(peer), "%u.%u.%u.%u:%u", first, 1 + network / 200, network % 200,
			 1 + i / networks % 200, 40000 + i);
		crowd_add(f, &crowd, local, peer);
	}
	crowd_at(&crowd, 0);
	return crowd;
}

static inline struct fake *listener_at(struct fixture *f, const char *local, uint32_t backlog)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_LISTEN, local, "*:*");

	fake->sock.send_q = backlog;
	fake->sock.has |= SOCK_HAS_SKMEM;
	return fake;
}

/** What the kernel counts between two looks. */
struct events {
	uint64_t cookies, validated, full_drops, listen_drops, overflows, opens;
};

static inline void count_on(struct fixture *f, const struct events *e)
{
	const struct {
		enum counter_id id;
		uint64_t by;
	} rows[] = {
		{ COUNTER_SYNCOOKIES_SENT, e->cookies }, { COUNTER_TCP_REQ_Q_FULL_DO_COOKIES, e->cookies },
		{ COUNTER_SYNCOOKIES_RECV, e->validated }, { COUNTER_TCP_REQ_Q_FULL_DROP, e->full_drops },
		{ COUNTER_LISTEN_DROPS, e->listen_drops }, { COUNTER_LISTEN_OVERFLOWS, e->overflows },
		{ COUNTER_TCP_PASSIVE_OPENS, e->opens },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fixture_count(f, rows[i].id, f->counters.value[rows[i].id] + rows[i].by);
}

/** judge_three() - looks at 0, 2 and 5 s with @first and @second counted between them, and the verdict. @crowd may be NULL. */
static inline void judge_three(struct fixture *f, struct crowd *crowd, const struct events *first,
			       const struct events *second)
{
	static const struct events nothing;

	fixture_sample(f, 0);
	count_on(f, first ? first : &nothing);
	if (crowd)
		crowd_at(crowd, 2);
	fixture_sample(f, 2);
	count_on(f, second ? second : &nothing);
	if (crowd)
		crowd_at(crowd, 5);
	fixture_sample(f, 5);
	fixture_judge(f);
}

#endif
