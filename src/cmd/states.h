/* SPDX-License-Identifier: MIT */
/* What the parts of `tcptriage states` share: the question that was asked and how each socket becomes a row. */
#ifndef TCPTRIAGE_SRC_CMD_STATES_H
#define TCPTRIAGE_SRC_CMD_STATES_H

#include "flags.h"
#include "late.h"
#include "session.h"
#include "tcptriage/filter/filter.h"
#include "tcptriage/render/rows.h"

/** struct states_options - the command line. */
struct states_options {
	struct common_options common;
	struct replay_options replay;
	bool tcp, udp, all, listening, bound, v4, v6, resolve;
	bool timers, extended, memory, info, processes, summary, no_header, one_line, cgroup, tos, flags;
	const char *sort, *group_by, *columns, *watch;
	uint64_t top;
};

/**
 * struct query - one question to sock_diag, for every namespace of the session.
 * @request: by netid; families 0 when the table is not asked. @filter: parsed. @judge: the kernel's answer is a superset, or a recording.
 * @rows: shape of the rows. @owners: whole map, NULL when nobody asked. @late: sockets that it does not explain. @wanted: what must be collected, bits of enum row_show.
 * @flags: which rules flagged which socket, NULL when nobody asked. @port_lo, @port_hi: ephemeral range of the current namespace.
 * @counts: of the sockets that were selected. @complete: every dump was whole. @selected: sockets that passed the filter.
 */
struct query {
	const struct states_options *options;
	struct session *session;
	struct diag_request request[NETID_COUNT];
	struct filter filter;
	bool judge;
	struct row_options rows;
	struct owner_map *owners;
	struct late late;
	unsigned wanted;
	struct flag_set *flags;
	uint16_t port_lo, port_hi;
	const char *netns;
	const struct sysctls *sysctls;
	uint32_t rto_max_ms, fin_timeout_ms;
	struct state_counts counts;
	bool complete;
	uint64_t selected;
};

/** query_row_fn - one selected socket, as a row that is valid during the call. Return: 0, or <0 to stop. */
typedef int query_row_fn(struct query *query, const struct row *row, void *context);

/** query_open() - parse the filter, compile it, decide what to ask. Return: 0, -EINVAL (usage) or another -errno with @err. */
int query_open(struct query *query, const struct states_options *options, struct session *session,
	       int operand_count, char **operands, struct err *err);
/** query_close() - releases what it owns. Fit for CLEANUP(). */
void query_close(struct query *query);
/** query_run() - ask, judge, and feed every selected socket to @fn. Return: 0, or -errno with @err when nothing could be read. */
int query_run(struct query *query, query_row_fn *fn, void *context, struct err *err);

/** states_rows() - stream rows, or keep them for --sort. Return: exit status. */
int states_rows(struct query *query);
/** states_groups() - --group-by. Return: exit status. */
int states_groups(struct query *query);
/** states_summary() - the view without a selection. Return: exit status. */
int states_summary(struct session *session, const struct states_options *options);
/** states_sort_known() - @key may follow --sort. states_sort_word(): the @index-th key, NULL after the last. */
bool states_sort_known(const char *key);
const char *states_sort_word(size_t index);
/** states_group_known(), states_group_word() - the same for --group-by (prefix/LEN has its own length). */
bool states_group_known(const char *by);
const char *states_group_word(size_t index);

#endif
