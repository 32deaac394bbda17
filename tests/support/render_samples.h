/* SPDX-License-Identifier: MIT */
/* Hand-made sockets, owners and findings whose every byte is known, with names that a hostile process could give itself. */
#ifndef TCPTRIAGE_TESTS_SUPPORT_RENDER_SAMPLES_H
#define TCPTRIAGE_TESTS_SUPPORT_RENDER_SAMPLES_H

#include "tcptriage/render/report.h"
#include "tcptriage/render/rows.h"

/* Moves the cursor, begins a line, ends a quotation, is no UTF-8. */
#define EVIL_COMM "a\x1b[2J\n\"b\xff"

enum sample_id {
	SAMPLE_ESTAB,	 /* everything is known; loopback's MSS does not fit 15 bits */
	SAMPLE_LISTEN,	 /* dual stack, bound to an interface */
	SAMPLE_V6ONLY,	 /* a listener for IPv6 alone */
	SAMPLE_TIMEWAIT, /* no extension at all */
	SAMPLE_MAPPED,	 /* IPv4 on an IPv6 socket; tcp_info of an old kernel */
	SAMPLE_TIMER,	 /* a timer that a newer kernel brought; persist and others are tested by number */
	SAMPLE_UDP,
	SAMPLE_COUNT
};

/** struct samples - the sockets; one array of tcp_info for those that have one. */
struct samples {
	struct sock sock[SAMPLE_COUNT];
	uint8_t info[TCP_INFO_MAX];
};

static inline void sample_set(struct samples *samples, enum tcpi_id id, uint64_t value)
{
	memcpy(samples->info + tcpi_fields[id].offset, &value, MAX(tcpi_fields[id].bits / 8, 1));
}

static inline void sample_estab(struct samples *samples)
{
	struct sock *sock = &samples->sock[SAMPLE_ESTAB];

	*sock = (struct sock){ .local = { addr_v4(0x7f000001), 35518 },
			       .peer = { addr_v4(0x7f000001), 8002 },
			       .state = SOCK_STATE_ESTAB,
			       .timer = SOCK_TIMER_ON,
			       .expires_ms = 204,
			       .retrans = 1,
			       .recv_q = 500,
			       .send_q = 2496512,
			       .uid = 1000,
			       .inode = 313736,
			       .cookie = 0x101d,
			       .mark = 5,
			       .cgroup_id = 77,
			       .cong = "bbr",
			       .skmem = { 832, 131072, 0, 3939840, 3264, 0, 0, 0, 3 },
			       .cc.bbr = { 4681142578, 7, 739, 739 },
			       .has = SOCK_HAS_SKMEM | SOCK_HAS_CONG | SOCK_HAS_TOS | SOCK_HAS_CLASS_ID |
				      SOCK_HAS_CGROUP_ID | SOCK_HAS_MARK | SOCK_HAS_SOCKOPT |
				      SOCK_HAS_SHUTDOWN | SOCK_HAS_BBR | SOCK_HAS_COOKIE,
			       .tos = 0x10,
			       .sockopt = SOCKOPT_IS_ICSK | SOCKOPT_MC_LOOP | SOCKOPT_MC_ALL };
	samples->info[0] = SOCK_STATE_ESTAB;
	sample_set(samples, TCPI_OPTIONS, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	samples->info[6] = 0xa7; /* send scale 7, receive scale 10 */
	samples->info[7] = 1;	 /* application limited */
	sample_set(samples, TCPI_RTO, 204000);
	sample_set(samples, TCPI_ATO, 40000);
	sample_set(samples, TCPI_SND_MSS, 65495);
	sample_set(samples, TCPI_RCV_MSS, 536);
	sample_set(samples, TCPI_LAST_DATA_SENT, 1364);
	sample_set(samples, TCPI_PMTU, 65535);
	sample_set(samples, TCPI_RTT, 5509);
	sample_set(samples, TCPI_RTTVAR, 10998);
	sample_set(samples, TCPI_SND_SSTHRESH, 0x7fffffff);
	sample_set(samples, TCPI_SND_CWND, 18);
	sample_set(samples, TCPI_REORDERING, 3);
	sample_set(samples, TCPI_TOTAL_RETRANS, 1);
	sample_set(samples, TCPI_PACING_RATE, 41586818380);
	sample_set(samples, TCPI_MAX_PACING_RATE, UINT64_MAX);
	sample_set(samples, TCPI_BYTES_ACKED, 1000001);
	sample_set(samples, TCPI_MIN_RTT, 4);
	sample_set(samples, TCPI_BUSY_TIME, 1328000);
	sample_set(samples, TCPI_RWND_LIMITED, 664000);
	sample_set(samples, TCPI_TOTAL_RTO_TIME, 271);
	sock->info = (struct tcp_info_bytes){ samples->info, TCP_INFO_MAX };
}

static inline void samples_make(struct samples *samples)
{
	static const struct endpoint any6 = { .addr.family = ADDR_V6 };
	struct sock *sock = samples->sock;

	*samples = (struct samples){ 0 };
	sample_estab(samples);
	sock[SAMPLE_LISTEN] = (struct sock){ .local = { any6.addr, 8006 }, .peer = any6, .family = ADDR_V6,
					     .state = SOCK_STATE_LISTEN, .send_q = 16, .ifindex = 3,
					     .inode = 7, .cookie = 1, .has = SOCK_HAS_V6ONLY | SOCK_HAS_COOKIE };
	sock[SAMPLE_V6ONLY] = sock[SAMPLE_LISTEN];
	sock[SAMPLE_V6ONLY].v6only = true;
	sock[SAMPLE_V6ONLY].ifindex = 0;
	sock[SAMPLE_TIMEWAIT] = (struct sock){ .local = { addr_v4(0x0a000001), 40000 },
					       .peer = { addr_v4(0x0a000304), 5432 },
					       .state = SOCK_STATE_TIME_WAIT, .timer = SOCK_TIMER_TIMEWAIT,
					       .expires_ms = 58123, .cookie = 0x101a, .has = SOCK_HAS_COOKIE };
	sock[SAMPLE_MAPPED] = sock[SAMPLE_ESTAB];
	sock[SAMPLE_MAPPED].family = ADDR_V6;
	sock[SAMPLE_MAPPED].info.len = 224;
	sock[SAMPLE_TIMER] = sock[SAMPLE_TIMEWAIT];
	sock[SAMPLE_TIMER].state = SOCK_STATE_FIN_WAIT_1;
	sock[SAMPLE_TIMER].timer = 9;
	sock[SAMPLE_UDP] = (struct sock){ .local = { addr_v4(0), 53 }, .peer = { addr_v4(0), 0 },
					  .netid = NETID_UDP, .state = SOCK_STATE_UNCONN, .recv_q = 832,
					  .has = SOCK_HAS_SKMEM, .skmem = { 832, 212992, 0, 212992, 3264 } };
}

static const struct process evil_process = { .pid = 4121, .uid = 1000, .comm = EVIL_COMM, .cgroup = "/x\n", .unit = "app.service", .container = "" };
static const struct process plain_process = { .pid = 812, .comm = "nginx", .cgroup = "/", .unit = "", .container = "3f2a" };
static const struct holder two_holders[] = { { &evil_process, 3 }, { &plain_process, 12 } };

/** samples_document() - a frame whose time stands still. */
static inline struct document samples_document(const char *schema, const struct notices *notices)
{
	return (struct document){ .schema = schema, .host = "h\x1bost", .netns = "", .notices = notices,
				  .generated_us = 1700000000123456, .complete = true };
}

static const char *const leak_causes[] = { "an error path returns without close()", NULL };
static const char *const leak_next[] = { "tcptriage states state close-wait pid = {pid}", "ls -l /proc/{pid}/fd", NULL };
static const char *const leak_fixes[] = { "close in every path (defer/finally)", "evict idle connections before the peer does", NULL };
static const char *const leak_refs[] = { "RFC 9293 §3.6", NULL };

/** samples_finding() - a leak of the hostile process. */
static inline struct finding samples_finding(void)
{
	return (struct finding){ .rule = "close-wait-leak",
				 .id = 0x12ab,
				 .severity = SEVERITY_CRITICAL,
				 .confidence = 0.88,
				 .score = 83.5,
				 .scope = { .pid = 4121, .comm = EVIL_COMM, .has_peer = true,
					    .peer = { addr_v4(0x0a000304), 5432 } },
				 .count = 211,
				 .title = "CLOSE-WAIT leak: {owner} keeps {count} connections that {peer} has closed",
				 .detail = "{count} sockets, oldest {oldest} · EOF was read, close() never called",
				 .evidence = { { "oldest", 8040, UNIT_S, NULL, "sock_diag" },
					       { "unit", 0, UNIT_NONE, "x\x1b", "/proc" } },
				 .evidence_count = 2,
				 .against = { "one run only: a pool that evicts lazily looks the same" },
				 .causes = leak_causes,
				 .next = leak_next,
				 .fixes = leak_fixes,
				 .refs = leak_refs,
				 .threshold = { "critical_count", "default", 200, UNIT_SOCKETS } };
}

#endif
