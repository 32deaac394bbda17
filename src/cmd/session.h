/* SPDX-License-Identifier: MIT */
/* What every command that looks at sockets sets up: where facts come from, which namespaces, how output is written. */
#ifndef TCPTRIAGE_SRC_CMD_SESSION_H
#define TCPTRIAGE_SRC_CMD_SESSION_H

#include "tcptriage/cmd/command.h"
#include "tcptriage/collect/source.h"
#include "tcptriage/filter/filter.h"
#include "tcptriage/render/document.h"

/** struct replay_options - the options by which a run is recorded or replayed, the same in every command that has them. */
struct replay_options {
	const char *record, *from;
	bool redact;
};
/** Option rows of struct replay_options, for a command whose struct holds it as member @member. */
#define REPLAY_OPTION_ROWS(type, member)                                                           \
	{ "record", 0, "DIR", "write everything that was read into this new directory (0600), then go on from it", \
	  OPTION_STRING, offsetof(type, member.record), "dirs" },                                  \
	{ "from", 0, "DIR", "read a recorded directory instead of this kernel", OPTION_STRING,     \
	  offsetof(type, member.from), "dirs" },                                                   \
	{ "redact", 0, NULL, "stand-ins for addresses and names, in what is printed and recorded", \
	  OPTION_FLAG, offsetof(type, member.redact), NULL }

/**
 * struct session - one run. Everything is released by session_close().
 * @ns, @list: open namespaces and their descriptions, @ns_count of both. @others: namespaces that exist but were not asked for.
 * @opened_us: CLOCK_MONOTONIC at the start. @unopened: namespaces that could not be entered.
 * @denied: session_note_denied() has spoken.
 */
struct session {
	struct arena arena;
	struct notices notices;
	struct source *source;
	const struct netns *list;
	struct source_ns **ns;
	unsigned ns_count, others, unopened;
	enum format format;
	struct style style;
	int64_t opened_us;
	bool denied;
};

/**
 * struct session_wish - what a command wants of its session.
 * @common: options. @replay: NULL for a command that only looks at the live kernel. @samples, @interval_us: to record.
 * @count_others: say how many namespaces exist that are not looked at (reads /proc of every process).
 */
struct session_wish {
	const struct common_options *common;
	const struct replay_options *replay;
	unsigned samples;
	uint64_t interval_us;
	bool count_others;
};

/**
 * session_open() - open the source, record first when asked, find and open the namespaces.
 * Return: 0, -EINVAL for options that contradict each other, or another negative errno; @err says why.
 */
int session_open(struct session *session, const struct session_wish *wish, struct err *err);
/**
 * session_filter() - parse the words of a filter with the names of where facts come from: interfaces of the namespace that is looked into
 * (indices only when there are several), nothing of this machine's for a recording. Return: as filter_parse().
 */
int session_filter(struct session *session, struct filter *filter, int count, char *const words[],
		   struct err *err);
/** session_close() - releases everything; safe on a zeroed struct. Fit for CLEANUP(). */
void session_close(struct session *session);
/** session_document() - the frame of a document of @schema, generated at the clock of sample @sample. */
struct document session_document(struct session *session, const char *schema, unsigned sample);
/** session_note_denied() - a socket's owner may be hidden from us: said once, with what would mend it. */
void session_note_denied(struct session *session);
/** session_print_notices() - on stderr, unless quiet. */
void session_print_notices(const struct session *session, const struct common_options *common);

/** session_style() - colours and width for descriptor @fd. Return: 0, or -EINVAL with @err for an unknown --color word. */
int session_style(struct style *style, const struct common_options *common, int fd, struct err *err);

/** interrupted - set by SIGINT and SIGTERM once signals_catch() ran; loops look at it. */
extern volatile int interrupted;
/** signals_catch() - let SIGINT and SIGTERM end a run at the next step instead of at once; a second one ends it at once. */
void signals_catch(void);

#endif
