/* SPDX-License-Identifier: MIT */
/* Findings and the summary view, as text, JSON and NDJSON. */
#ifndef TCPTRIAGE_RENDER_REPORT_H
#define TCPTRIAGE_RENDER_REPORT_H

#include "tcptriage/model/finding.h"
#include "tcptriage/model/netns.h"
#include "tcptriage/model/timers.h"
#include "tcptriage/render/document.h"

/** enum report_status - the word in JSON and the exit status of a monitoring plugin. */
enum report_status { REPORT_OK, REPORT_WARNING, REPORT_CRITICAL, REPORT_UNKNOWN, REPORT_STATUS_COUNT };
/** report_status_name() - "ok", "warning", "critical", "unknown". */
const char *report_status_name(enum report_status status);

/**
 * struct report - all that a report prints.
 * @findings: worst first, folded ones behind their cause. @rules_run: rules that had their inputs. @samples, @duration_us, @cost_us, @owner_cost_us:
 * what was sampled and what it cost (cost: time spent reading, without the waits). @sockets: seen in the newest sample, all namespaces. @namespaces: looked at; @others: exist but were not.
 * @fast_sockets, @fast_looks: looked at fast between the samples, and how often altogether.
 * @info_for_all: tcp_info was read of every socket. @print_from: findings below this confidence are left out unless @verbose.
 */
struct report {
	const struct document *doc;
	enum report_status status;
	const struct state_counts *counts;
	struct finding *const *findings;
	size_t finding_count;
	const struct skipped_rule *skipped;
	size_t skipped_count;
	const struct near_miss *misses;
	size_t miss_count;
	unsigned rules_run, samples, namespaces, others;
	int64_t duration_us, cost_us, owner_cost_us;
	uint64_t sockets, fast_sockets, fast_looks;
	bool info_for_all, verbose, quiet_ok;
	double print_from;
	struct style style;
};

/** report_render_fn - writes the whole report in one format. */
typedef void report_render_fn(struct out *out, const struct report *report);
/** report_renderers - one function a format. */
extern report_render_fn *const report_renderers[FORMAT_COUNT];

/**
 * struct summary_line - one state in the summary view.
 * @top_owner, @top_peer: as printed ("nginx[812]", "10.0.3.4:5432"), "" none; @…_count: how many of the state's sockets.
 * @oldest_ms: −1 unknown. @flags: rule ids that flagged sockets of the state, NULL-terminated.
 */
struct summary_line {
	unsigned state;
	uint64_t v4, v6;
	int64_t oldest_ms;
	const char *top_owner, *top_peer;
	uint64_t top_owner_count, top_peer_count;
	const char *const *flags;
};

/** struct summary_ports - port headroom of one busy destination. @used, @total: source ports. @time_wait: of @used. @netns: NULL unless several were looked at. */
struct summary_ports {
	struct addr local;
	struct endpoint peer;
	uint32_t used, time_wait, total;
	const char *netns;
};

/** struct summary - the view of `tcptriage states` without a selection. @flagged: sockets that rules flagged; the oldest stands for
 * those of the same rule, state, owner and peer (or local port, where the peers differ), which @alike counts. */
struct summary {
	const struct document *doc;
	struct summary_line line[11];
	uint64_t udp_v4, udp_v6;
	const struct summary_ports *ports;
	size_t port_count;
	const struct summary_flagged {
		const struct sock *sock;
		const struct process *owner;
		enum owner_unknown reason;
		int64_t age_ms;
		struct sock_timeout timeout;
		const char *rule, *netns;
		uint64_t alike;
	} *flagged;
	size_t flagged_count;
	uint64_t flagged_more;
	const struct state_counts *counts;
	struct style style;
};
/** summary_render() - in @format. */
void summary_render(struct out *out, const struct summary *summary, enum format format);

/** struct group_line - one line of --group-by. */
struct group_line {
	const char *key;
	uint64_t count, recv_q, send_q;
};
/** groups_render() - lines of --group-by @by in @format. */
void groups_render(struct out *out, const struct document *doc, const char *by,
		   const struct group_line *lines, size_t count, enum format format,
		   const struct style *style);

#endif
