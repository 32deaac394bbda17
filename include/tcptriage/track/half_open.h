/* SPDX-License-Identifier: MIT */
/* What is kept of a listener's half-open queue: its SYN-RECV sockets in numbers. A million spoofed sources take no more room than one.
 *
 * SYN-RECV sockets carry a timer and a count of SYN-ACKs sent again, nothing else. The timer waits 1 s, then 2, 4, …; each time it fires the
 * SYN-ACK is sent once more and counted. Three things can be read from that (measured, RULES §1):
 * - The client sends its SYN again because it did not get the answer: that is answered and counted too and winds the timer up without making
 *   it longer, so the count runs ahead of the timer.
 * - The client is silent, or its ACK is lost: timer and count go together.
 * - The client has answered and the listener waits for data (TCP_DEFER_ACCEPT): the timer goes on, the count stays 0. */
#ifndef TCPTRIAGE_TRACK_HALF_OPEN_H
#define TCPTRIAGE_TRACK_HALF_OPEN_H

#include "tcptriage/model/socket.h"

/** Listeners of which this is kept; networks that are listed by name; sockets that are compared over the samples. */
#define SNAPSHOT_HALF_OPEN 1024
#define HALF_OPEN_NETWORKS 8
#define HALF_OPEN_WATCHED 32
#define HALF_OPEN_REGISTERS 256

/**
 * struct half_open_network - a /24 or /64 of clients. @local, @peer: one socket of it, @peer not masked. @count: at most as many sockets are
 * of it; @error: of these may have been of others (Metwally's Space-Saving). @hash: of the network. Unused: @count 0.
 */
struct half_open_network {
	struct addr local, peer;
	uint64_t hash;
	uint32_t count, error;
};

/** struct half_open_clients - where sockets come from. @busiest: candidates for the largest networks. @registers: of an estimate of how many networks there are. */
struct half_open_clients {
	struct half_open_network busiest[HALF_OPEN_NETWORKS];
	uint8_t registers[HALF_OPEN_REGISTERS];
};

/** enum half_open_answer - what a client whose socket is watched does. */
enum half_open_answer { HALF_OPEN_UNTOLD, HALF_OPEN_SILENT, HALF_OPEN_REPEATS };

/** struct half_open_watch - a socket since its first sight. @key: 0 none. @age_ms: its age then, if only the timer counted. @epoch: last seen. */
struct half_open_watch {
	uint64_t key;
	int64_t first_us, age_ms;
	uint32_t epoch;
	uint8_t retrans, answer;
};

/**
 * struct half_open - the SYN-RECV sockets of a listener in the newest sample.
 * @deferred: answered by the client, waiting for its data: the timer has fired more often than SYN-ACKs were sent again. Of the others: @late:
 * SYN-ACK sent again at least once; @retried: at least twice, which takes 3 s if the client is silent and 1 s if it repeats its SYN; @aged: 3 s
 * old whatever the client does. @retried_global, @aged_global: of these from global addresses; @global_networks: a bit for each network of the
 * former (bits may coincide).
 * @repeating, @silent: of those watched, clients known to send their SYN again, and known not to. @oldest_ms: greatest lower bound of an age.
 * @retrans_max: most SYN-ACKs sent again. @count_max: largest queue in a finished sample. @all, @stalled: clients of all, and of the retried.
 */
struct half_open {
	uint32_t count, late, retried, aged, deferred, retried_global, aged_global;
	uint32_t repeating, silent, count_max, retrans_max;
	int64_t oldest_ms;
	uint64_t global_networks;
	struct half_open_clients all, stalled;
	struct half_open_watch watch[HALF_OPEN_WATCHED];
};

/** half_open_begin() - a new sample: counts restart, what is watched stays. */
void half_open_begin(struct half_open *half);
/**
 * half_open_add() - a SYN-RECV socket of sample @epoch taken at CLOCK_MONOTONIC @now_us. @key: as sock_key() has it. @synack_retries: sysctl
 * tcp_synack_retries.
 */
void half_open_add(struct half_open *half, const struct sock *sock, uint64_t key, int64_t now_us,
		   uint32_t epoch, uint32_t synack_retries);
/** half_open_end() - the sample is complete. */
void half_open_end(struct half_open *half);

/** half_open_is() - a request that waits for the end of its handshake, not a TCP Fast Open connection in the same state. */
bool half_open_is(const struct sock *sock);
/** half_open_networks() - how many networks the clients come from: exact for a few, within about 7 % for many. */
double half_open_networks(const struct half_open_clients *clients);
/** half_open_busiest() - the listed networks by what is certain (count − error), largest first, into @to[HALF_OPEN_NETWORKS]. Return: how many. */
unsigned half_open_busiest(const struct half_open_clients *clients, struct half_open_network *to);

#endif
