/* SPDX-License-Identifier: MIT */
/* What is kept of a namespace's sockets over the samples of a run, in bounded memory: counts, listeners, groups by tuple, and
 * per-socket memory for candidates only.
 *
 * Life of a run: snapshot_init() once; for each sample snapshot_begin(), snapshot_add() for every socket (listeners first: whether a
 * socket is outbound is decided by them), snapshot_end(). What does not fit is counted, never silently dropped. */
#ifndef TCPTRIAGE_TRACK_SNAPSHOT_H
#define TCPTRIAGE_TRACK_SNAPSHOT_H

#include "tcptriage/base/notices.h"
#include "tcptriage/model/counters.h"
#include "tcptriage/model/socket.h"
#include "tcptriage/model/sysctls.h"

/** Capacities. Each is a stated bound: memory is taken as it is used. */
#define SNAPSHOT_LISTENERS 16384
#define SNAPSHOT_GROUPS 16384
#define SNAPSHOT_CANDIDATES 16384

/** struct sock_copy - a socket with storage of its own. @sock.info points at @info_bytes. */
struct sock_copy {
	struct sock sock;
	uint8_t info_bytes[TCP_INFO_MAX];
};
/** sock_copy_set() - deep copy. */
void sock_copy_set(struct sock_copy *copy, const struct sock *sock);

/**
 * struct candidate - a socket that some rule wants to see again, known by cookie.
 * @first, @last: as first and last seen. @seen: samples in which it stood. @first_us, @last_us: CLOCK_MONOTONIC of those samples.
 * @recv_q_min: smallest Recv-Q of all samples. @recv_q_fell: Recv-Q was once below its first value. @present: seen in the newest sample.
 * @rules: bit per rule index that asked for it. @outbound: its local port is no listener's: we opened it.
 */
struct candidate {
	struct sock_copy first, last;
	int64_t first_us, last_us;
	uint64_t rules;
	uint32_t recv_q_min;
	unsigned seen;
	bool recv_q_fell, present, outbound;
};

/**
 * struct listener - a listening TCP socket over the samples.
 * @first, @last: as first and last seen. @recv_q_max, @full_samples: largest accept queue, samples with Recv-Q above backlog.
 * @children_waiting, @oldest_child_ms: not yet accepted connections (inode 0) on its port in the newest sample.
 */
struct listener {
	struct sock_copy first, last;
	uint32_t recv_q_max;
	unsigned seen, full_samples;
	uint32_t children_waiting;
	int64_t oldest_child_ms;
};

/**
 * struct tuple_group - sockets of one (local address, peer address, peer port): what shares one supply of source ports (RULES §3.1).
 * Counts are of the newest complete sample. @in_range: outbound with a source port in the ephemeral range (reserved ports not counted).
 * @tw_reusable: TIME-WAIT old enough for tcp_tw_reuse. @estab_young: ESTAB whose lifetime is below 60 s as far as it tells.
 * @fresh_ack_ms: smallest last_ack_recv among sockets with nothing unacknowledged; UINT32_MAX none. @inode: of one live socket, 0 none.
 * @pinned: a candidate belongs to it, so it is never dropped. @first_in_range, @first_us: its use at the first sample it was seen.
 */
struct tuple_group {
	struct addr local, peer;
	uint16_t peer_port;
	bool outbound, pinned;
	uint32_t total, estab, time_wait, syn_sent, close_wait, other;
	uint32_t in_range, tw_in_range, tw_reusable, prev_in_range;
	uint32_t fresh_ack_ms;
	uint32_t inode;
	uint32_t lossy; /* sockets that may have been missed while the group was not kept */
	uint32_t first_in_range, growth_samples;
	int64_t first_us;
	uint32_t epoch;
};

/** struct port_supply - the ephemeral range of a namespace. @size: |R|, range without reserved ports. @blocked: of those held by listeners or bound-only sockets. */
struct port_supply {
	uint16_t lo, hi;
	uint32_t size, blocked;
};

/** snapshot_want_fn - asked for each socket whose state some rule named: bits of the rules that want to remember it. */
typedef uint64_t snapshot_want_fn(const struct sock *sock, void *context);

struct group_table;
struct candidate_table;
struct listener_table;

/**
 * struct snapshot - one namespace over one run.
 * @counts: sockets by netid, family and state in the newest sample. @oldest_ms: greatest known age by state, -1 unknown.
 * @samples: finished samples. @sample_us: CLOCK_MONOTONIC of each of the first 16. @complete: every dump so far was whole.
 * @total_sockets: seen in the newest sample. @candidates_lost, @groups_dropped, @listeners_lost: what the bounds turned away.
 * @tcp_info_len: longest tcp_info seen. @has_tcp_info, @has_skmem: sockets carried it.
 * @counters: first and newest. @sysctls: as read at the start. @ports: from @sysctls and the newest sample.
 * @cost_us: wall time of the newest sample. @info_for_all: tcp_info was asked for every socket (else for candidates only).
 */
struct snapshot {
	uint64_t counts[NETID_COUNT][ADDR_FAMILY_COUNT][SOCK_STATE_COUNT];
	int64_t oldest_ms[SOCK_STATE_COUNT];
	uint64_t total_sockets, candidates_lost, groups_dropped, listeners_lost;
	unsigned samples, tcp_info_len;
	int64_t sample_us[16];
	int64_t cost_us;
	bool complete, has_tcp_info, has_skmem, info_for_all;
	struct counters counters_first, counters_last;
	bool has_counters, has_sysctls;
	struct sysctls sysctls;
	struct port_supply ports;
	struct group_table *groups;
	struct candidate_table *candidates;
	struct listener_table *listeners;
	snapshot_want_fn *want;
	void *want_context;
	uint32_t epoch;
	int64_t now_us;
	uint32_t rto_max_ms, fin_timeout_ms, tw_reuse_delay_ms;
	int tw_reuse;
};

/** snapshot_init() - empty; @want decides what is remembered per socket (NULL: nothing). */
void snapshot_init(struct snapshot *snap, snapshot_want_fn *want, void *want_context);
/** snapshot_free() - releases all tables. Fit for CLEANUP(). */
void snapshot_free(struct snapshot *snap);
/** snapshot_set_sysctls() - settings that ages, ranges and reuse depend on; before the first sample. */
void snapshot_set_sysctls(struct snapshot *snap, const struct sysctls *sysctls);
/** snapshot_begin() - a new sample taken at CLOCK_MONOTONIC @now_us: counts restart, candidates and groups stay. */
void snapshot_begin(struct snapshot *snap, int64_t now_us);
/** snapshot_add() - one socket of this sample. LISTEN sockets must come before the others. Never allocates per socket. */
void snapshot_add(struct snapshot *snap, const struct sock *sock);
/** snapshot_end() - closes the sample: candidates not seen are marked absent, port supply is computed. */
void snapshot_end(struct snapshot *snap);
/** snapshot_add_counters() - counters of this sample. */
void snapshot_add_counters(struct snapshot *snap, const struct counters *counters);

/** snapshot_candidate() - the @index-th candidate, NULL after the last. Order is that of first sight. */
const struct candidate *snapshot_candidate(const struct snapshot *snap, size_t index);
/** snapshot_listener() - the @index-th listener, NULL after the last. */
const struct listener *snapshot_listener(const struct snapshot *snap, size_t index);
/** snapshot_listener_for() - the listener whose port (and address, or any) @local belongs to; NULL when none. */
const struct listener *snapshot_listener_for(const struct snapshot *snap, const struct endpoint *local);
/** snapshot_group() - the @index-th tuple group kept, NULL after the last; no order. Groups not seen in the newest sample have total 0. */
const struct tuple_group *snapshot_group(const struct snapshot *snap, size_t index);
/** snapshot_group_find() - group of one tuple, NULL when not kept. */
const struct tuple_group *snapshot_group_find(const struct snapshot *snap, const struct addr *local,
					      const struct addr *peer, uint16_t peer_port);
/** snapshot_span_us() - time between the first and the newest sample. */
int64_t snapshot_span_us(const struct snapshot *snap);

#endif
