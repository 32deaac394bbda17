/* SPDX-License-Identifier: MIT */
/* Sockets as rows: ss-like text, a JSON array, NDJSON. Rows stream; nothing here allocates per row. */
#ifndef TCPTRIAGE_RENDER_ROWS_H
#define TCPTRIAGE_RENDER_ROWS_H

#include "tcptriage/model/owner.h"
#include "tcptriage/model/timers.h"
#include "tcptriage/render/document.h"

/** What the user asked to see: bits of row_options.show. */
enum row_show {
	ROW_SHOW_TIMERS = 1 << 0,   /* -o */
	ROW_SHOW_EXTENDED = 1 << 1, /* -e; shows timers too, as in ss */
	ROW_SHOW_MEMORY = 1 << 2,   /* -m */
	ROW_SHOW_INFO = 1 << 3,	    /* -i */
	ROW_SHOW_OWNERS = 1 << 4,   /* -p */
	ROW_SHOW_CGROUP = 1 << 5,   /* --cgroup */
	ROW_SHOW_TOS = 1 << 6,	    /* --tos */
	ROW_SHOW_FLAGS = 1 << 7,    /* --flags */
	ROW_SHOW_NETNS = 1 << 8,    /* several namespaces in one run */
};

#define ROW_COLUMNS_MAX 64

/**
 * struct row_options - shape of the rows.
 * @columns, @column_count: chosen with --columns (row_column_find()); none: ss's own. @one_line: -O. @no_header: -H.
 * @netid_column, @state_column: shown as ss does: Netid with more than one table, State with more than one state.
 * @ifname, @username: names of what the kernel reports as numbers. @hostname, @service: set with -r. Each may be NULL and may return
 * NULL, then the number is printed; what they return is text from outside and must live until the next call.
 */
struct row_options {
	unsigned show;
	uint16_t columns[ROW_COLUMNS_MAX];
	unsigned column_count;
	bool one_line, no_header, netid_column, state_column;
	const char *(*ifname)(uint32_t ifindex);
	const char *(*username)(uint32_t uid);
	const char *(*hostname)(const struct addr *addr);
	const char *(*service)(uint16_t port, unsigned netid);
	struct style style;
};

/**
 * struct row - one socket and what is known beside it.
 * @holders, @holder_count: owners; @reason: why there are none, OWNER_KNOWN when nobody asked. @cgroup: path, NULL when nobody asked.
 * @flags: ids of rules that flagged it (NULL-terminated), NULL when nobody asked. @netns: name of its namespace, NULL when only one was
 * looked at. @age_ms: −1 unknown. @timeout: of the kernel, kind none when nothing is waited for.
 */
struct row {
	const struct sock *sock;
	const struct holder *holders;
	size_t holder_count;
	enum owner_unknown reason;
	const char *cgroup, *netns;
	const char *const *flags;
	int64_t age_ms;
	struct sock_timeout timeout;
};

/** struct row_renderer - one format. @first in row() is true for the first row (JSON needs no comma before it). */
struct row_renderer {
	void (*begin)(struct out *out, const struct row_options *options, const struct document *doc);
	void (*row)(struct out *out, const struct row_options *options, const struct row *row, bool first);
	void (*end)(struct out *out, const struct row_options *options, const struct document *doc,
		    const struct state_counts *counts);
};
/** row_renderers - one a format. */
extern const struct row_renderer row_renderers[FORMAT_COUNT];

/** row_column_name() - the @index-th column id for --columns and completion (our own, then every field of tcp_info), NULL after the last. */
const char *row_column_name(size_t index);
/** row_column_find() - id for row_options.columns by name; '-' and '_' are the same, case is ignored. Return: false when unknown. */
bool row_column_find(const char *name, uint16_t *column);
/** row_column_needs() - what must be collected for a column, as bits of enum row_show; 0 when the base message has it. */
unsigned row_column_needs(uint16_t column);

#endif
