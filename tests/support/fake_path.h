/* SPDX-License-Identifier: MIT */
/* A path that is made up: links with an MTU, routers that tell or do not, a host, loss, and time that passes as quickly as a test runs. */
#ifndef SUPPORT_FAKE_PATH_H
#define SUPPORT_FAKE_PATH_H

#include "tcptriage/track/mtu_search.h"

#define FAKE_NODES_MAX 32
#define FAKE_EVENTS_MAX 4096

/** enum fake_ptb - what a router does with a packet that is too large for its way out: the last says that it is prohibited. */
enum fake_ptb { PTB_TELLS, PTB_SILENT, PTB_ZERO, PTB_BOGUS, PTB_TOO_SMALL, PTB_WRONG, PTB_PROHIBITS, FAKE_PTB_COUNT };

/** struct fake_limit - a token bucket for answers; @burst 0: none. */
struct fake_limit {
	double burst, per_s, left;
	int64_t at_us;
};

/**
 * struct fake_node - a router; the first is this machine. @mtu: of its way out. @lie: what PTB_WRONG tells. @mute: answers no used-up hop limit. @refuses: enum
 * probe_reply that every packet draws here, REPLY_NONE none. @refuse_error: of REPLY_LOCAL. @limit: of answers other than "too big". @tells: the same of those. @bytes: that it lets through, what is more it drops.
 */
struct fake_node {
	uint32_t mtu, lie;
	enum fake_ptb ptb;
	bool mute;
	uint8_t refuses;
	int refuse_error;
	struct fake_limit limit, tells, bytes;
};

/**
 * struct fake_path - @nodes: this machine and the routers; the host is @count hops away. @rtt_us. @jitter_us: each answer takes up to that longer (which reorders).
 * @loss: share of packets lost on the way, and of answers on the way back. @copies: share of answers that come twice. @deaf: the host answers nothing. @answers_most: largest packet of
 * LANE_MAIN that it answers, or whose answer, as large as itself, finds its way back; 0 any. @side_deaf: it answers nothing of LANE_SIDE. @main_most: of LANE_MAIN the largest that gets
 * past the first router, 0 any. @tells_most: this machine tells the largest size that it sends, as TCP does that knows the peer's MSS. @limit, @side_limit: of the host's answers.
 * @silent_from_us, @silent_to_us: nothing gets through then.
 * @changes_us: from then on (CLOCK_MONOTONIC, 0 never) node @changes_at has the MTU @changes_to.
 * @sent: probes; of each @sent_us, @deadline_us, @answered. @fault: first promise of the search that was broken, NULL none.
 */
struct fake_path {
	enum addr_family family;
	struct fake_node nodes[FAKE_NODES_MAX];
	unsigned count;
	int64_t rtt_us, jitter_us, silent_from_us, silent_to_us;
	double loss, copies;
	bool deaf, side_deaf, tells_most;
	uint32_t answers_most, main_most;
	struct fake_limit limit, side_limit;
	int64_t changes_us;
	unsigned changes_at;
	uint32_t changes_to;
	uint64_t dice;

	int64_t now_us, sent_us[1024], deadline_us[1024];
	bool answered[1024];
	unsigned sent;
	const char *fault;
	struct fake_event {
		int64_t at_us, deadline_us;
		struct probe_outcome outcome;
	} events[FAKE_EVENTS_MAX];
	unsigned event_count;
};

/** fake_path_new() - @routers between this machine and the host, all links of 1500 bytes, RTT 1 ms, nothing wrong; caller frees. */
struct fake_path *fake_path_new(enum addr_family family, unsigned routers, uint64_t seed);
/** fake_path_roll() - a number below @sides. */
uint32_t fake_path_roll(struct fake_path *path, uint32_t sides);
/** fake_path_router() - address of the router at @ttl; of the host at the last. */
struct addr fake_path_router(const struct fake_path *path, unsigned ttl);
/** fake_path_options() - of a search by ICMP, with UDP beside it, that asks for 1500 bytes and the hop. */
struct mtu_search_options fake_path_options(const struct fake_path *path);
/** fake_path_run() - a whole search, stopped after @stop_us (0: not). Return: what it found, to be freed with mtu_search_free(). */
struct mtu_search *fake_path_run(struct fake_path *path, const struct mtu_search_options *options, int64_t stop_us);
/** fake_path_mtu() - what truly passes, of @largest; @at: ttl of the node whose way out is too narrow for one byte more (−1 none). */
uint32_t fake_path_mtu(const struct fake_path *path, uint32_t largest, int *at);

#endif
