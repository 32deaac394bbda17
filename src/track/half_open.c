/* SPDX-License-Identifier: MIT */
/* A listener's half-open queue in numbers: counts, an estimate of the networks, the busiest of them, and what a few clients do. */
#include "tcptriage/track/half_open.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

#define SYN_RTO_MS 1000
/* Timers fire a little late, and a sample is not taken at one moment. */
#define SLACK_MS 500
/* Flajolet, Fusy, Gandouet, Meunier: HyperLogLog; below 2.5 registers' worth the empty registers tell more. */
#define HLL_ALPHA (0.7213 / (1 + 1.079 / HALF_OPEN_REGISTERS))
#define HLL_SMALL (2.5 * HALF_OPEN_REGISTERS)
/* Timer steps and counts beyond this do not occur: tcp_synack_retries is a byte, and the timer is capped long before. */
#define STEPS_MAX 20u
#define AGED_MS 3000
/* A client that repeats its SYN every second has been answered again this often after 3 s, by the timer once. */
#define AGED_RETRANS 4

bool half_open_is(const struct sock *sock)
{
	return sock->state == SOCK_STATE_SYN_RECV && !sock->inode && !sock->info.len;
}

void half_open_begin(struct half_open *half)
{
	half->count = half->late = half->retried = half->aged = half->deferred = 0;
	half->retried_global = half->aged_global = 0;
	half->repeating = half->silent = half->retrans_max = 0;
	half->oldest_ms = -1;
	half->global_networks = 0;
	half->all = half->stalled = (struct half_open_clients){ .registers = { 0 } };
}

void half_open_end(struct half_open *half)
{
	half->count_max = MAX(half->count_max, half->count);
}

/* How often the timer has fired at least: the smallest k with 1000·2^k ≥ expires. */
static unsigned steps_of(const struct sock *sock)
{
	unsigned k = 0;

	while (k < STEPS_MAX && ((uint64_t)SYN_RTO_MS << k) < sock->expires_ms)
		k++;
	return k;
}

/* The age if every SYN-ACK was sent again by the timer: all waits so far and what has gone of the running one. */
static int64_t timer_age_ms(const struct sock *sock)
{
	unsigned fired = MIN((unsigned)sock->retrans, STEPS_MAX);

	return ((int64_t)SYN_RTO_MS << (fired + 1)) - SYN_RTO_MS - (int64_t)sock->expires_ms;
}

/* The first register is that of the hash's low bits; it keeps the longest run of zeros seen in the rest. */
static void count_network(struct half_open_clients *clients, uint64_t hash)
{
	uint8_t *slot = &clients->registers[hash % HALF_OPEN_REGISTERS];
	uint64_t rest = hash / HALF_OPEN_REGISTERS | UINT64_C(1) << 55;

	*slot = MAX(*slot, (uint8_t)(__builtin_ctzll(rest) + 1));
}

static void list_network(struct half_open_clients *clients, const struct sock *sock, uint64_t hash)
{
	struct half_open_network *least = clients->busiest;

	for (size_t i = 0; i < HALF_OPEN_NETWORKS; i++) {
		struct half_open_network *network = &clients->busiest[i];

		if (network->count && network->hash == hash) {
			network->count++;
			return;
		}
		if (network->count < least->count)
			least = network;
	}
	*least = (struct half_open_network){ .local = sock->local.addr,
					     .peer = sock->peer.addr,
					     .hash = hash,
					     .count = least->count + 1,
					     .error = least->count };
}

static void add_client(struct half_open_clients *clients, const struct sock *sock, uint64_t hash)
{
	count_network(clients, hash);
	list_network(clients, sock, hash);
}

/* The slot in which a socket is watched; NULL when another one is, that still stands. */
static struct half_open_watch *watch_of(struct half_open *half, const struct sock *sock, uint64_t key,
					int64_t now_us, uint32_t epoch)
{
	struct half_open_watch *watch = &half->watch[hash_u64(key) % HALF_OPEN_WATCHED];

	if (watch->key == key)
		return watch;
	if (watch->key && (watch->epoch >> EPOCH_TRY_BITS) + 1 >= epoch >> EPOCH_TRY_BITS)
		return NULL;
	*watch = (struct half_open_watch){ .key = key,
					   .first_us = now_us,
					   .age_ms = timer_age_ms(sock),
					   .retrans = sock->retrans };
	return watch;
}

/* A client that repeats its SYN makes the age by timer run faster than the clock; only a change of the count says anything. */
static enum half_open_answer answer_of(const struct half_open_watch *watch, const struct sock *sock,
				       int64_t now_us, uint32_t synack_retries)
{
	int64_t grown = timer_age_ms(sock) - watch->age_ms;
	int64_t elapsed = (now_us - watch->first_us) / 1000;
	unsigned steps = steps_of(sock);

	if (watch->answer == HALF_OPEN_REPEATS || sock->retrans > synack_retries)
		return HALF_OPEN_REPEATS;
	if (sock->retrans > watch->retrans && grown > elapsed + SLACK_MS)
		return HALF_OPEN_REPEATS;
	/* At 3 s and later, as many sent again as the timer has fired: the client, which would have repeated by now, did not. */
	if (steps > 1 && sock->retrans == steps)
		return HALF_OPEN_SILENT;
	if (sock->retrans > watch->retrans && grown >= elapsed - SLACK_MS)
		return HALF_OPEN_SILENT;
	return watch->answer;
}

/* A timer that has fired without a SYN-ACK being sent again: the client has answered. */
static bool is_deferred(const struct half_open_watch *watch, const struct sock *sock, int64_t now_us)
{
	if (sock->retrans < steps_of(sock))
		return true;
	return watch && !sock->retrans && now_us - watch->first_us >= (SYN_RTO_MS + SLACK_MS) * 1000;
}

/* 3 s old for certain: by the timer, by the count, or because it was there so long ago. */
static bool is_aged(const struct half_open_watch *watch, const struct sock *sock, int64_t now_us)
{
	return sock->retrans >= AGED_RETRANS || steps_of(sock) > 1 ||
	       (watch && now_us - watch->first_us >= AGED_MS * 1000);
}

static void add_retried(struct half_open *half, const struct sock *sock, uint64_t network, bool aged)
{
	half->retried++;
	half->aged += aged;
	add_client(&half->stalled, sock, network);
	if (!addr_is_global(&sock->peer.addr))
		return;
	half->retried_global++;
	half->aged_global += aged;
	half->global_networks |= UINT64_C(1) << (network >> 58);
}

void half_open_add(struct half_open *half, const struct sock *sock, uint64_t key, int64_t now_us,
		   uint32_t epoch, uint32_t synack_retries)
{
	struct addr prefix = addr_prefix(&sock->peer.addr);
	/* No seed of chance: the same recording has to give the same report. */
	uint64_t network = addr_hash(&prefix);
	struct half_open_watch *watch = watch_of(half, sock, key, now_us, epoch);
	int64_t age_ms = ((int64_t)SYN_RTO_MS << steps_of(sock)) - SYN_RTO_MS;

	half->count++;
	half->retrans_max = MAX(half->retrans_max, sock->retrans);
	add_client(&half->all, sock, network);
	if (watch) {
		watch->epoch = epoch;
		watch->answer = (uint8_t)answer_of(watch, sock, now_us, synack_retries);
		half->repeating += watch->answer == HALF_OPEN_REPEATS;
		half->silent += watch->answer == HALF_OPEN_SILENT;
		if (watch->answer == HALF_OPEN_SILENT)
			age_ms = MAX(age_ms, timer_age_ms(sock));
	}
	half->oldest_ms = MAX(half->oldest_ms, age_ms);
	if (is_deferred(watch, sock, now_us)) {
		half->deferred++;
		return;
	}
	half->late += sock->retrans > 0;
	if (sock->retrans > 1)
		add_retried(half, sock, network, is_aged(watch, sock, now_us));
}

double half_open_networks(const struct half_open_clients *clients)
{
	double sum = 0, estimate;
	unsigned empty = 0, listed = 0;

	/* With room left in the list nothing was ever turned out of it. */
	while (listed < HALF_OPEN_NETWORKS && clients->busiest[listed].count)
		listed++;
	if (listed < HALF_OPEN_NETWORKS)
		return listed;
	for (size_t i = 0; i < HALF_OPEN_REGISTERS; i++) {
		sum += 1.0 / (double)(UINT64_C(1) << clients->registers[i]);
		empty += !clients->registers[i];
	}
	estimate = HLL_ALPHA * HALF_OPEN_REGISTERS * HALF_OPEN_REGISTERS / sum;
	if (estimate <= HLL_SMALL && empty)
		estimate = HALF_OPEN_REGISTERS * log((double)HALF_OPEN_REGISTERS / empty);
	return round(estimate);
}

static int most_certain_first(const void *left, const void *right)
{
	const struct half_open_network *a = left, *b = right;
	uint32_t x = a->count - a->error, y = b->count - b->error;

	if (x != y)
		return x > y ? -1 : 1;
	return addr_compare(&a->peer, &b->peer);
}

unsigned half_open_busiest(const struct half_open_clients *clients, struct half_open_network *to)
{
	unsigned used = 0;

	for (size_t i = 0; i < HALF_OPEN_NETWORKS; i++) {
		if (clients->busiest[i].count)
			to[used++] = clients->busiest[i];
	}
	qsort(to, used, sizeof(*to), most_certain_first);
	return used;
}
