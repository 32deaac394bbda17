/* SPDX-License-Identifier: MIT */
/* Sockets as rows: ss-like text, a JSON array, NDJSON. Rows stream; nothing here allocates per row. */
#ifndef TCPTRIAGE_RENDER_ROWS_H
#define TCPTRIAGE_RENDER_ROWS_H

#include "tcptriage/model/owner.h"
#include "tcptriage/render/document.h"

/** What the user asked to see: bits of row_options.show. */
enum row_show {
	ROW_SHOW_TIMERS = 1 << 0,   /* -o */
	ROW_SHOW_EXTENDED = 1 << 1, /* -e */
	ROW_SHOW_MEMORY = 1 << 2,   /* -m */
	ROW_SHOW_INFO = 1 << 3,	    /* -i */
	ROW_SHOW_OWNERS = 1 << 4,   /* -p */
	ROW_SHOW_CGROUP = 1 << 5,   /* --cgroup */
	ROW_SHOW_TOS = 1 << 6,	    /* --tos */
	ROW_SHOW_FLAGS = 1 << 7,    /* --flags */
	ROW_SHOW_NETNS = 1 << 8,    /* several namespaces in one run */
};

/**
 * struct row_options - shape of the rows.
 * @columns: NULL-terminated ids chosen with --columns (row_column_known()), NULL for ss's own. @one_line: -O. @no_header: -H.
 * @netid_column, @state_column: shown as ss does: Netid with more than one table, State with more than one state.
 * @resolve: -r: names instead of numbers.
 */
struct row_options {
	unsigned show;
	const char *const *columns;
	bool one_line, no_header, netid_column, state_column, resolve;
	struct style style;
};

/**
 * struct row - one socket and what is known beside it.
 * @holders, @holder_count: owners; @reason: why there are none. @cgroup: path, NULL when nobody asked. @flags: ids of rules that flagged
 * it (NULL-terminated), NULL when nobody asked. @netns: name of its namespace, NULL when only one was looked at. @age_ms: −1 unknown.
 */
struct row {
	const struct sock *sock;
	const struct holder *holders;
	size_t holder_count;
	enum owner_unknown reason;
	const char *cgroup, *netns;
	const char *const *flags;
	int64_t age_ms;
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

/** row_column_name() - the @index-th column id for --columns and completion, NULL after the last. */
const char *row_column_name(size_t index);

#endif
