/* SPDX-License-Identifier: MIT */
/* A made-up capture for one rule: flows with chosen numbers, and what the rule's packet signal says of them.
 *
 *	wire_open(&w, "connect-refused");
 *	flow = wire_syn(&w, "10.0.0.1:40000", "10.0.0.2:80", 0);
 *	flow->state = FLOW_REFUSED;
 *	wire_judge(&w);
 *	finding = wire_expect_one(&w, SEVERITY_WARNING);
 *
 * evidence_of(), expect_text() and expect_against() of fixture.h look at the finding.
 */
#ifndef TCPTRIAGE_TESTS_SUPPORT_FLOWS_FIXTURE_H
#define TCPTRIAGE_TESTS_SUPPORT_FLOWS_FIXTURE_H

#include "fixture.h"

#define WIRE_FLOWS 4096
#define WIRE_REPORTS 64
#define WIRE_OWNERS 16
/** When a capture begins, ns since 1970. */
#define WIRE_START_NS (INT64_C(1700000000) * 1000000000)

/**
 * struct wire - the capture. Change @source, @totals, @trust before it is judged; wire_judge() sets those totals that follow from the flows (flows,
 * flows_one_way, midstream, tcp, udp), and last_ns, unless it was set, to the newest packet. @reports, @trains, @loops: as many as their count says.
 * @all_odd: rules are asked about all flows, not about the odd ones only (triage/flow_index.h).
 */
struct wire {
	struct arena arena;
	struct capture_source source;
	struct capture_totals totals;
	struct flow *flow[WIRE_FLOWS];
	struct icmp_report reports[WIRE_REPORTS];
	struct fragment_train trains[WIRE_REPORTS];
	struct loop_report loops[WIRE_REPORTS];
	struct flow_owner owners[WIRE_OWNERS];
	size_t count, report_count, train_count, loop_count, owner_count;
	double trust;
	bool all_odd;
	struct verdict verdict;
	const char *rule;
};

/** wire_open() - an empty capture from a file that lacks nothing; @rule is the only one that runs. */
void wire_open(struct wire *w, const char *rule);
void wire_close(struct wire *w);
/** wire_ns() - @seconds after the start of the capture, in ns since 1970. */
int64_t wire_ns(double seconds);
/** wire_lasts() - the capture ends @seconds after its start. */
void wire_lasts(struct wire *w, double seconds);
/** wire_endpoint() - "10.0.0.1:80", "[2001:db8::1]:80". */
struct endpoint wire_endpoint(const char *text);

/**
 * wire_tcp() - a healthy connection, still open: handshake, round trip 10 ms, request of 200 and answer of 1000 bytes, all acknowledged, within the first
 * second. MSS 1460, TTL 64 and 57, timestamps. Everything about it may be changed.
 */
struct flow *wire_tcp(struct wire *w, const char *client, const char *server);
/** wire_syn() - an attempt without answer: one SYN and @retries more at 1, 3, 7, 15 … s; syn_wait_ms until the end of the capture is set by wire_judge() unless it was set. */
struct flow *wire_syn(struct wire *w, const char *client, const char *server, unsigned retries);
/** wire_midstream() - a healthy connection whose beginning was not seen. */
struct flow *wire_midstream(struct wire *w, const char *a, const char *b);
/** wire_udp() - @asked datagrams of @client, @answered of them answered, a second apart. */
struct flow *wire_udp(struct wire *w, const char *client, const char *server, unsigned asked, unsigned answered);
/** wire_silent() - takes away everything that @side sent: as if the capture saw one direction only. */
void wire_silent(struct flow *flow, unsigned side);
/** wire_reset() - @side ends the flow by RST @seconds after the start, with the TTL of its other packets. */
void wire_reset(struct flow *flow, unsigned side, double seconds);
/** wire_icmp() - @reporter answers @flow's packets of side 0 with @count errors of @class (type and code as of IPv4 or IPv6). */
struct icmp_report *wire_icmp(struct wire *w, struct flow *flow, enum icmp_class class, const char *reporter, uint64_t count);
/** wire_owner() - the process that holds the socket of @side, which is this machine's. */
struct flow_owner *wire_owner(struct wire *w, struct flow *flow, unsigned side, uint32_t pid, const char *comm);

/** wire_judge() - runs the rule on the capture, ranks, and expands every text of every finding. */
void wire_judge(struct wire *w);
/** wire_expect_silence() - nothing was found, and the rule was not skipped as a whole. */
void wire_expect_silence(const struct wire *w);
/** wire_expect_one() - exactly one finding, of @severity. */
const struct finding *wire_expect_one(const struct wire *w, enum severity severity);
/** wire_expect_skipped(), wire_expect_part_skipped() - the rule, or a part of it, could not speak; the reason contains @words. */
void wire_expect_skipped(const struct wire *w, const char *words);
void wire_expect_part_skipped(const struct wire *w, const char *words);
/** wire_expect_near() - a near miss of @value was told. */
void wire_expect_near(const struct wire *w, double value);

#endif
