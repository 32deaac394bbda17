/* SPDX-License-Identifier: MIT */
/* Made-up results of probes for one rule, and what the rule's probe signal says of them.
 *
 *	probing_mtu(&p, "mtu-blackhole-send", "10.9.0.2", 443);
 *	probing_hole(&p, 1400, 2);
 *	probing_judge(&p);
 *	finding = probing_expect_one(&p, SEVERITY_CRITICAL);
 *
 * evidence_of(), expect_text() and expect_against() of fixture.h look at the finding.
 */
#ifndef TCPTRIAGE_TESTS_SUPPORT_PROBES_FIXTURE_H
#define TCPTRIAGE_TESTS_SUPPORT_PROBES_FIXTURE_H

#include "fixture.h"

/** struct probing - one address. Change @mtu or @trace before it is judged; @tracing tells which of both is. @rule: the only one that runs, NULL all. */
struct probing {
	struct arena arena;
	struct mtu_result mtu;
	struct trace_result trace;
	bool tracing;
	const char *rule;
	struct verdict verdict;
};

/**
 * probing_mtu() - a healthy path to @address by way of eth0: 1500 bytes pass by ICMP, four hops (10.9.1.1, 10.9.2.1, … or fd00:1::1, fd00:2::1, …, the last of them the host), all
 * small probes answered, no cached exception, no connection made.
 */
void probing_mtu(struct probing *p, const char *rule, const char *address, uint16_t port);
/** probing_hole() - packets over @passes vanish behind hop @ttl (0: on this host's link), to the byte, each size tried three times. */
void probing_hole(struct probing *p, uint32_t passes, unsigned ttl);
/** probing_told() - somebody says that @mtu is the most; @from NULL: this kernel's memory. It becomes the word that the verdict rests on. */
struct path_told *probing_told(struct probing *p, const char *from, uint32_t mtu, enum told_kind kind);
/** probing_trace() - @address and @port are open, four hops away, over the same hops. */
void probing_trace(struct probing *p, const char *rule, const char *address, uint16_t port);
/** probing_ends() - the trace ends with @finding; SYNs passed hop @after and nothing behind it answers them. */
void probing_ends(struct probing *p, enum trace_finding finding, unsigned after);
/** probing_by() - who ends it, and by which ICMP message; @type and @code 0: by none. */
void probing_by(struct probing *p, const char *by, uint8_t type, uint8_t code);
/** probing_side() - probes of UDP with the same hop limits are answered by hops up to @reach; the fourth is the host. */
void probing_side(struct probing *p, unsigned reach);
void probing_close(struct probing *p);

/** probing_judge() - runs the rule, ranks, expands every text of every finding, and makes every command of it, in our namespace and in another. */
void probing_judge(struct probing *p);
/** probing_expect_silence() - nothing was found. */
void probing_expect_silence(const struct probing *p);
/** probing_expect_one() - exactly one finding, of @severity. */
const struct finding *probing_expect_one(const struct probing *p, enum severity severity);
/** probing_expect_part_skipped() - a part of the rule could not speak; the reason contains @words. */
void probing_expect_part_skipped(const struct probing *p, const char *words);
/** probing_expect_list() - one of the texts of a list, expanded, contains @words. */
void probing_expect_list(const struct finding *finding, const char *const *list, const char *words);

#endif
