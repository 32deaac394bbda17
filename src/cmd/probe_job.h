/* SPDX-License-Identifier: MIT */
/* What `mtu-probe` and `trace` have in common: one target, its addresses one after the other, what the rules say of each, one document. */
#ifndef TCPTRIAGE_SRC_CMD_PROBE_JOB_H
#define TCPTRIAGE_SRC_CMD_PROBE_JOB_H

#include "probe_pace.h"
#include "session.h"
#include "target.h"
#include "tcptriage/model/network.h"
#include "tcptriage/probe/prober.h"
#include "tcptriage/render/probes.h"

/** struct probe_options - options of both commands, as they were written. */
struct probe_options {
	bool v4, v6;
	const char *interface, *max_hops, *timeout;
};
/** Option rows of struct probe_options, for a command whose struct holds it as member @member. */
#define PROBE_OPTION_ROWS(type, member)                                                                                                                  \
	{ "ipv4", '4', NULL, "IPv4 addresses only", OPTION_FLAG, offsetof(type, member.v4), NULL },                                                      \
	{ "ipv6", '6', NULL, "IPv6 addresses only", OPTION_FLAG, offsetof(type, member.v6), NULL },                                                      \
	{ "interface", 'i', "IFACE", "send through this interface", OPTION_STRING, offsetof(type, member.interface), "interfaces" },                     \
	{ "max-hops", 'm', "N", "look at this many hops at most (30)", OPTION_STRING, offsetof(type, member.max_hops), NULL },                           \
	{ "timeout", 0, "SECS", "end with what is known after this long (60)", OPTION_STRING, offsetof(type, member.timeout), NULL }

/** The closed UDP port that datagrams go to where no port is named: the first of those that traceroute(8) uses. */
#define PROBE_UDP_PORT 33434
/** How often a host answers UDP to a closed port at most: a burst, then this many a second (net/ipv4/icmp.c, icmp_ratelimit). */
#define PROBE_UDP_BURST 6
#define PROBE_UDP_PER_S 1.0

struct probe_job;

/**
 * struct probe_kind - what is the command's own.
 * @settle: completes job->target (its port) and refuses what contradicts itself: 0 or -EINVAL with @err; nothing was looked up yet. @probe: fills one of
 * result->mtu and result->trace for @address until CLOCK_MONOTONIC @deadline_us: 0, or -errno with @err when the whole run has to end. @status: of a result
 * (enum exit_status). @conclude: says in notices what the addresses say together; NULL nothing. @one_a_family: the first address of each family is enough.
 */
struct probe_kind {
	const struct command *command;
	const char *schema;
	probe_render_fn *const *renderers;
	bool one_a_family;
	int (*settle)(struct probe_job *job, struct err *err);
	int (*probe)(struct probe_job *job, const struct addr *address, int64_t deadline_us, struct probe_result *result, struct err *err);
	int (*status)(const struct probe_result *result);
	void (*conclude)(struct probe_job *job);
};

/**
 * struct probe_job - one run.
 * @own: options of the command, whose words settle() turns into numbers. @families: bit 0 IPv4, bit 1 IPv6. @ifindex: of -i or of the zone, 0 none; @device: of -i. @show: progress is wanted.
 * @network: NULL when it could not be read. @pace: of all that is sent to the target, by whichever method and to whichever of its addresses. @cut: not all was done.
 */
struct probe_job {
	const struct probe_kind *kind;
	const struct common_options *common;
	const struct probe_options *options;
	void *own;
	struct session session;
	struct target target;
	struct target_addresses addresses;
	unsigned families;
	uint32_t ifindex;
	const char *device;
	uint8_t max_hops;
	int64_t timeout_us;
	const struct network *network;
	struct probe_pace pace;
	struct probe_result results[TARGET_ADDRESSES_MAX];
	size_t result_count;
	bool show, show_hops, cut;
};

/** probe_job_run() - the whole command. @job: @kind, @common, @options, @own and @show_hops are set. Return: exit status. */
int probe_job_run(struct probe_job *job, int operand_count, char **operands);
/** probe_job_close() - releases it. Fit for CLEANUP(). */
void probe_job_close(struct probe_job *job);

/** probe_job_route() - the way to @address as it is before a probe is sent. When it cannot be asked for, route.error says so. */
struct route probe_job_route(struct probe_job *job, const struct addr *address);
/** probe_job_prober() - options of a prober of @kind at @address; UDP goes to a closed port, ICMP to none. */
struct prober_options probe_job_prober(const struct probe_job *job, const struct addr *address, enum prober_kind kind);
/** probe_job_side() - the kind of the sender beside the one that asks the question: ICMP where this user may, else UDP. */
enum prober_kind probe_job_side(enum addr_family family);
/** probe_job_zone() - the interface that a link-local @address is asked for on, as it was written; NULL for any other. */
const char *probe_job_zone(const struct probe_job *job, const struct addr *address);
/** probe_job_text() - an address in a notice; owned by the job. */
const char *probe_job_text(struct probe_job *job, const struct addr *address);

#endif
