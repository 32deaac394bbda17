/* SPDX-License-Identifier: MIT */
/* A made-up namespace for one rule: sockets with chosen numbers, samples of them, and the rule's verdict.
 *
 *	fixture_open(&f, "close-wait-leak");
 *	fake = fixture_sock(&f, SOCK_STATE_CLOSE_WAIT, "10.0.0.1:40000", "10.0.0.2:80");
 *	fake_set(fake, TCPI_LAST_ACK_RECV, 60000);
 *	fixture_sample(&f, 0);
 *	fixture_judge(&f);
 */
#ifndef TCPTRIAGE_TESTS_SUPPORT_FIXTURE_H
#define TCPTRIAGE_TESTS_SUPPORT_FIXTURE_H

#include "tcptriage/triage/engine.h"

#define FIXTURE_SOCKS 32768
#define FIXTURE_USERS 8

/** struct fake - one socket. @owner: holds its inode. @gone: not in the next sample. */
struct fake {
	struct sock sock;
	uint8_t info[TCP_INFO_MAX];
	const struct process *owner;
	bool gone;
};

/**
 * struct fixture - the namespace. @use, @has_use: descriptors of processes, fixture_user() adds one. @info_len: tcp_info that new sockets get. Change @counters, @route, @sysctls between the samples.
 * @network: interfaces, addresses and routes; NULL unknown.
 * @routes: by destination, before @route is asked; @routes_asked: how often a rule asked for one.
 */
struct fixture {
	struct arena arena;
	struct snapshot snap;
	struct verdict verdict;
	struct fake **fake;
	size_t count;
	struct counters counters;
	struct sysctls sysctls;
	struct route route;
	struct platform platform;
	const struct network *network;
	const struct route *routes;
	size_t route_count, routes_asked;
	struct descriptor_user users[FIXTURE_USERS];
	struct descriptor_use use;
	bool has_use;
	bool has_route, no_counters, no_sysctls, quick;
	unsigned fast_room;
	uint16_t info_len;
	const char *rule[2];
	int64_t now_us;
};

/** fixture_open() - an empty namespace with the default settings of a current kernel; @rule is the only one that runs. */
void fixture_open(struct fixture *f, const char *rule);
void fixture_close(struct fixture *f);
/** fixture_sock() - a TCP socket with an inode, a cookie and a zeroed tcp_info; "*:80" is any IPv4 address. */
struct fake *fixture_sock(struct fixture *f, enum sock_state state, const char *local,
			  const char *peer);
/** fixture_udp() - a UDP socket with an inode, a cookie and empty buffers; connected when @peer has a port. */
struct fake *fixture_udp(struct fixture *f, const char *local, const char *peer);
/** fixture_process() - a process to own sockets. */
struct process *fixture_process(struct fixture *f, uint32_t pid, const char *comm);
/**
 * fixture_user() - @process has opened @fds of its @nofile descriptors. The sockets that it owns when the rule is judged are found among them; more
 * of other kinds are in @process->sockets.
 */
struct descriptor_user *fixture_user(struct fixture *f, struct process *process, uint32_t fds, uint64_t nofile);
/** fake_set() - one field of tcp_info. */
void fake_set(struct fake *fake, enum tcpi_id id, uint64_t value);
/** fixture_count() - sets one counter. */
void fixture_count(struct fixture *f, enum counter_id id, uint64_t value);
/** fixture_sysctl() - sets one setting (before the first sample). */
void fixture_sysctl(struct fixture *f, enum sysctl_id id, int64_t value);
/** fixture_sample() - all sockets that are not gone, @seconds after the start. */
void fixture_sample(struct fixture *f, double seconds);
/**
 * fixture_looks() - @count fast looks at the rule's candidates, @step_ms apart, from @seconds after the start on. Before each one @change
 * (NULL nobody) sets the sockets to what they are @ms after the first.
 */
void fixture_looks(struct fixture *f, double seconds, unsigned count, double step_ms,
		   void (*change)(struct fixture *f, double ms));
/** fixture_judge() - runs the rule, ranks, and expands every text of every finding. */
void fixture_judge(struct fixture *f);

/** expect_silence() - nothing was found, and the rule was not skipped as a whole. */
void expect_silence(const struct fixture *f);
/** expect_one() - exactly one finding, of @severity. */
const struct finding *expect_one(const struct fixture *f, enum severity severity);
/** expect_skipped() - the rule could not speak; the reason contains @words. */
void expect_skipped(const struct fixture *f, const char *words);
/** expect_part_skipped() - a part of the rule could not speak; the reason contains @words. */
void expect_part_skipped(const struct fixture *f, const char *words);
/** expect_filled() - it has a count and a threshold, and every text of it can be filled in. */
void expect_filled(const struct finding *finding);
/** evidence_of() - value of the evidence named @name, which must be there. */
double evidence_of(const struct finding *finding, const char *name);
/** expect_text() - @template expanded contains @words. */
void expect_text(const struct finding *finding, const char *template, const char *words);
/** expect_against() - one of the lines that speak against it contains @words. */
void expect_against(const struct finding *finding, const char *words);

#endif
