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
#include "tcptriage/track/half_open.h"

/** Capacities. Each is a stated bound: memory is taken as it is used. */
#define SNAPSHOT_LISTENERS 16384
#define SNAPSHOT_GROUPS 16384
#define SNAPSHOT_CANDIDATES 16384
#define SNAPSHOT_SOURCES 64
/** Rules that may want candidates: the bits of candidate.rules. */
#define SNAPSHOT_RULES 64

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
 * @drop_samples: samples in which its own drop count (skmem) had grown.
 * @key: cookie, or a hash of the tuple where the kernel gave none. @epoch: sample that saw it last (a dump may repeat a socket).
 */
struct candidate {
	struct sock_copy first, last;
	int64_t first_us, last_us;
	uint64_t rules, key;
	uint32_t recv_q_min, epoch;
	unsigned seen, drop_samples;
	bool recv_q_fell, present, outbound;
};

/**
 * struct listener - a listening TCP socket over the samples.
 * @first, @last: as first and last seen. @recv_q_max, @recv_q_min: largest and smallest accept queue; @full_samples, @waiting_samples:
 * samples with Recv-Q above backlog, and above 0.
 * @drop_samples: samples in which its own drop count had grown. @present: seen in the newest sample and part of the view.
 * @role_only: not part of the view (snapshot_add_role()).
 * @estab, @time_wait: accepted connections and what is left of them in the newest sample. @children_waiting, @children_closed: connections
 * not yet accepted (inode 0), and those of them whose client has closed (CLOSE-WAIT). @oldest_child_ms, @oldest_closed_ms: how long they
 * have waited, −1 none or unknown; exact, because last_data_sent runs from the handshake until somebody accepts and sends. @half_open: its
 * SYN-RECV sockets, NULL when it never had any. These seven are kept by the first of several listeners on one endpoint (SO_REUSEPORT), the
 * one that snapshot_listener_for() finds. @key, @epoch: as in struct candidate.
 */
struct listener {
	struct sock_copy first, last;
	uint64_t key;
	uint32_t recv_q_max, recv_q_min, epoch;
	unsigned seen, full_samples, waiting_samples, drop_samples;
	uint32_t estab, time_wait, children_waiting, children_closed;
	int64_t oldest_child_ms, oldest_closed_ms;
	struct half_open *half_open;
	bool present, role_only;
};

/** TIME-WAIT younger than this counts as recent: how many sockets were closed a second, from one sample. */
#define SNAPSHOT_TW_RECENT_MS 5000
/** Without a program in FIN-WAIT-2 for this long (or for half of tcp_fin_timeout, whichever is less): the peer does not close. */
#define SNAPSHOT_UNCLOSED_MS 10000
/** ESTAB whose every clock is below this counts as young. */
#define SNAPSHOT_YOUNG_MS 60000

/**
 * struct tuple_group - outbound sockets of one (local address, peer address, peer port): what shares one supply of source ports
 * (RULES §3.1); accepted sockets are grouped by (local address, peer address) with @peer_port 0. Half-open ones make no group: their peer
 * addresses may be invented, and as many as anybody likes.
 *
 * Which groups are kept when there are more than SNAPSHOT_GROUPS: the heavy ones. When the table is full, the lightest quarter goes, and
 * the level they had is remembered: a group that enters later may have missed that many sockets (@lossy). By the argument of Misra and
 * Gries, that level stays below (N + N')/(SNAPSHOT_GROUPS/4) with N sockets in this sample and N' in the one before: no group above it is
 * ever missing, and no count is further below the truth. Same input in the same order, same groups.
 *
 * Counts are of the newest complete sample. @in_range: outbound with a source port in the ephemeral range (reserved ports not counted).
 * @odd_in_range: of those at an odd distance from the range's lower end, where bind() looks first and connect() last. @tw_in_range: in TIME-WAIT; @tw_past_delay: old enough for tcp_tw_reuse; @tw_reusable: and the setting allows it here.
 * @tw_recent: TIME-WAIT younger than SNAPSHOT_TW_RECENT_MS. @estab_young: ESTAB whose lifetime is below SNAPSHOT_YOUNG_MS as far as it tells.
 * @unclosed: in FIN-WAIT-2 without a program, that is, we closed and the peer has not; @unclosed_old: of those at least as old as
 * SNAPSHOT_UNCLOSED_MS says, the oldest for @unclosed_ms; @unclosed_port: local port of one of them.
 * @fresh_ack_ms: smallest last_ack_recv among ESTAB sockets with nothing unacknowledged; UINT32_MAX none. @inode: of one live socket, 0 none.
 * @source: index + 1 of its struct port_source, 0 none; past the last one where the table was full.
 * @pmtu_min: smallest path MTU that one of them believes in (tcpi_pmtu); UINT32_MAX none told.
 * @pinned: a candidate belongs to it, so it is not dropped. @first_in_range, @first_us: its use at the first sample it was seen.
 * @growth_samples: samples in which @in_range had grown. @prev_total, @prev_in_range: of the sample before.
 */
struct tuple_group {
	struct addr local, peer;
	uint16_t peer_port;
	bool outbound, pinned;
	uint32_t total, estab, estab_young, time_wait, syn_sent, close_wait, other;
	uint32_t in_range, odd_in_range, tw_in_range, tw_past_delay, tw_reusable, tw_recent;
	uint32_t prev_total, prev_in_range;
	uint32_t unclosed, unclosed_old, unclosed_ms;
	uint16_t unclosed_port, source;
	uint32_t fresh_ack_ms, pmtu_min;
	uint32_t inode;
	uint32_t lossy;
	uint32_t first_in_range, growth_samples;
	int64_t first_us;
	uint32_t epoch;
};

/**
 * struct port_supply - the ephemeral range of a namespace. @size: |R|, range without reserved ports. @blocked: of those held by listeners or
 * bound-only sockets. @udp_used: of those held by UDP sockets: a port that the kernel chose for one serves no other, wherever they send.
 */
struct port_supply {
	uint16_t lo, hi;
	uint32_t size, blocked, udp_used;
};

/**
 * struct port_source - the source ports of the ephemeral range that one local address uses, over all destinations, in the newest sample.
 * @sockets: outbound, with such a port. @distinct: different ports among them; @ports: bit per port. @groups: destinations.
 * @told: of @sockets, those that tell their options; @no_port: those with IP_BIND_ADDRESS_NO_PORT.
 */
struct port_source {
	struct addr local;
	uint32_t sockets, distinct, groups, told, no_port;
	uint8_t ports[65536 / 8];
};

/** snapshot_want_fn - asked for each socket whose state some rule named: bits of the rules that want to remember it. */
typedef uint64_t snapshot_want_fn(const struct sock *sock, void *context);

struct group_table;
struct candidate_table;
struct burst_table;
struct listener_table;
struct source_table;

/**
 * struct snapshot - one namespace over one run.
 * @counts: sockets by netid, family and state in the newest sample. @oldest_ms: greatest known age by state, -1 unknown.
 * @samples: finished samples. @sample_us: CLOCK_MONOTONIC of each of the first 16. @complete: every dump so far was whole (the
 * caller clears it). @total_sockets: seen in the newest sample. @candidates_lost, @groups_dropped, @listeners_lost: what the bounds turned
 * away; @half_open_lost: in the newest sample, SYN-RECV sockets of listeners beyond SNAPSHOT_HALF_OPEN.
 * @tcp_info_len: longest tcp_info seen. @has_tcp_info, @has_skmem (by netid): sockets carried it.
 * @quota: most candidates that are kept for a rule, by rule index, 0 as many as there is room for; @kept: how many are kept; @lost: in the newest
 * sample, those that a rule wanted and that were turned away. @outbound_only: bit per rule that wants only sockets that we opened.
 * @fast: the run looked fast between its samples (triage_fast()). @unlooked: candidates that found no room for that, by rule index.
 * @counters: first and newest; @counter_steps: samples in which one had grown. @sysctls: as read at the start. @ports: from @sysctls and the newest sample.
 * @cost_us: wall time of the newest sample (set by the caller). @info_for_all: tcp_info was asked for every socket (else for candidates
 * only; set by the caller). @range: bit per port of the ephemeral range without reserved ports. @taken: bit per port that a listener or a
 * bound-only socket holds in this sample. @udp_taken: likewise UDP sockets. @left_out: sockets of the newest sample that are not part of the
 * view, because a filter selects others (counted by the caller). @filtered: a filter narrows the view: counters tell of more than it shows
 * (set by the caller).
 */
struct snapshot {
	uint64_t counts[NETID_COUNT][ADDR_FAMILY_COUNT][SOCK_STATE_COUNT];
	int64_t oldest_ms[SOCK_STATE_COUNT];
	uint64_t total_sockets, left_out, candidates_lost, groups_dropped, listeners_lost, sources_lost, half_open_lost;
	unsigned samples, tcp_info_len;
	int64_t sample_us[16];
	int64_t cost_us;
	bool complete, has_tcp_info, has_skmem[NETID_COUNT], info_for_all, filtered;
	uint32_t quota[SNAPSHOT_RULES], lost[SNAPSHOT_RULES], kept[SNAPSHOT_RULES];
	uint64_t outbound_only;
	uint32_t unlooked[SNAPSHOT_RULES];
	bool fast;
	struct counters counters_first, counters_last;
	uint16_t counter_steps[COUNTER_COUNT];
	bool has_counters, has_sysctls;
	struct sysctls sysctls;
	struct port_supply ports;
	struct group_table *groups;
	struct candidate_table *candidates;
	struct listener_table *listeners;
	struct source_table *sources;
	struct burst_table *bursts;
	snapshot_want_fn *want;
	void *want_context;
	uint32_t epoch;
	int64_t now_us;
	uint32_t rto_max_ms, fin_timeout_ms, tw_reuse_delay_ms, synack_retries;
	int tw_reuse;
	uint8_t range[65536 / 8], taken[65536 / 8], udp_taken[65536 / 8];
};

/** snapshot_init() - empty; @want decides what is remembered per socket (NULL: nothing). */
void snapshot_init(struct snapshot *snap, snapshot_want_fn *want, void *want_context);
/** snapshot_free() - releases all tables. Fit for CLEANUP(). */
void snapshot_free(struct snapshot *snap);
/** snapshot_set_sysctls() - settings that ages, ranges and reuse depend on; before the first sample. */
void snapshot_set_sysctls(struct snapshot *snap, const struct sysctls *sysctls);
/**
 * snapshot_begin() - a new sample taken at CLOCK_MONOTONIC @now_us: counts restart, candidates and groups stay. Again before
 * snapshot_end(): the same sample over, because its dump was interrupted (at most seven times).
 */
void snapshot_begin(struct snapshot *snap, int64_t now_us);
/** snapshot_add() - one socket of this sample. LISTEN sockets must come before the others. Never allocates per socket. UDP sockets are only counted, and remembered when wanted. */
void snapshot_add(struct snapshot *snap, const struct sock *sock);
/**
 * snapshot_add_role() - a listener that the view leaves out: it still decides which side opened a connection and holds its port, but it is
 * never @present and no rule judges it.
 */
void snapshot_add_role(struct snapshot *snap, const struct sock *sock);
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
/** snapshot_group_find() - group of one tuple (@peer_port 0: the accepted sockets of that peer), NULL when not kept. */
const struct tuple_group *snapshot_group_find(const struct snapshot *snap, const struct addr *local,
					      const struct addr *peer, uint16_t peer_port);
/** snapshot_source() - the @index-th local address with outbound connections, NULL after the last. */
const struct port_source *snapshot_source(const struct snapshot *snap, size_t index);
/** snapshot_span_us() - time between the first and the newest sample. */
int64_t snapshot_span_us(const struct snapshot *snap);

#endif
