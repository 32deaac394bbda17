/* SPDX-License-Identifier: MIT */
/* Takes the samples of a run: feeds sockets and counters of every namespace into snapshots, and makes views of them for the rules. */
#ifndef TCPTRIAGE_SRC_CMD_SAMPLER_H
#define TCPTRIAGE_SRC_CMD_SAMPLER_H

#include "session.h"
#include "tcptriage/filter/filter.h"
#include "tcptriage/triage/engine.h"

/** enum sampler_source - the sources a run may require (--require); the names are sampler_source_names. */
enum sampler_source {
	SOURCE_SOCK_DIAG,
	SOURCE_UDP,
	SOURCE_TCP_INFO,
	SOURCE_COUNTERS,
	SOURCE_SYSCTLS,
	SOURCE_OWNERS,
	SOURCE_NAMESPACES,
	SOURCE_DESCRIPTORS,
	SOURCE_COUNT
};
extern const char *const sampler_source_names[SOURCE_COUNT];

/**
 * struct sampler - one run over all namespaces of a session.
 * @snaps: one a namespace. @filter: what the view is narrowed to, NULL everything. @max_time_us: budget of a sample: above it tcp_info is
 * asked for candidates only. @missing: bit per enum sampler_source that failed somewhere. @complete: all dumps were whole.
 * @fast_room: how many more sockets may be looked at fast; @fast_looks: how often that was done.
 * @use: of the descriptors of all processes, once @has_use.
 * @tap: sees every selected socket of every sample, NULL nobody. @read_us, @owners_us: time spent reading. @samples: taken so far. @info_for_all: no sample was cut down to candidates.
 */
struct sampler {
	struct session *session;
	const struct filter *filter;
	const struct triage_options *triage;
	struct snapshot *snaps;
	struct owner_map *owners;
	struct descriptor_use use;
	struct sampler_ns *ns;
	void (*tap)(const struct snapshot *snap, const struct sock *sock, void *context);
	void *tap_context;
	unsigned missing, samples, fast_room;
	uint64_t fast_looks;
	bool complete, info_for_all, has_use;
	int64_t read_us, owners_us, max_time_us;
};

/** sampler_open() - settings of every namespace, and owners when @filter needs them. @filter, @triage may be NULL and must outlive it. */
void sampler_open(struct sampler *sampler, struct session *session, const struct filter *filter,
		  const struct triage_options *triage, int64_t max_time_us);
/** sampler_take() - one sample of every namespace, one right after the other. Return: 0, or -errno with @err when no namespace could be read. */
int sampler_take(struct sampler *sampler, struct err *err);
/**
 * sampler_look_fast() - after a sample: the candidates of rules that want it, at most SNAPSHOT_BURSTS, are asked for again and again. Takes a
 * third of a second; less when CLOCK_MONOTONIC @until_us is near, or a signal comes; nothing when no rule wants it.
 */
void sampler_look_fast(struct sampler *sampler, int64_t until_us);
/** sampler_find_owners() - one pass over /proc for the sockets that findings may name; after the last sample. */
void sampler_find_owners(struct sampler *sampler);
/**
 * sampler_find_descriptors() - one pass over /proc for processes that run out of descriptors, and one more look at the sockets of a namespace
 * where such a process is found; after the last sample.
 */
void sampler_find_descriptors(struct sampler *sampler);
/** sampler_find_networks() - interfaces, addresses and routes of each namespace; after the last sample. What cannot be read the rules say. */
void sampler_find_networks(struct sampler *sampler);
/** sampler_view() - the evidence of namespace @index for the rules; valid as long as the sampler. */
struct view sampler_view(struct sampler *sampler, unsigned index);
/** sampler_counts() - sockets by state in the newest sample, all namespaces. */
struct state_counts sampler_counts(const struct sampler *sampler);
/** sampler_close() - releases it. Fit for CLEANUP(). */
void sampler_close(struct sampler *sampler);

#endif
