/* SPDX-License-Identifier: MIT */
/* Sets up a run: source, namespaces, style, signals. */
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tcptriage/base/num.h"
#include "tcptriage/collect/record.h"

volatile int interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

void signals_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int session_style(struct style *style, const struct common_options *common, int fd, struct err *err)
{
	const char *when = common->color ? common->color : "auto", *none = getenv("NO_COLOR");
	const char *term = getenv("TERM"), *columns = getenv("COLUMNS");
	bool terminal = isatty(fd);
	struct winsize size;
	uint64_t width;

	*style = (struct style){ 0 };
	if (!strcmp(when, "always"))
		style->color = true;
	else if (!strcmp(when, "auto"))
		style->color = terminal && !(none && *none) && !(term && !strcmp(term, "dumb"));
	else if (strcmp(when, "never"))
		return err_set(err, -EINVAL, "'%s' is no word for --color: auto, always or never", when);
	if (terminal && !ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		style->width = size.ws_col;
	if (terminal && columns && num_u64(columns, 10000, &width) && width)
		style->width = (unsigned)width;
	return 0;
}

static int open_source(struct session *session, const char *from, struct err *err)
{
	if (from)
		return source_open_recorded(&session->source, from, &session->arena,
					    &session->notices, err);
	return source_open_live(&session->source, &session->arena, &session->notices, err);
}

static int find_namespaces(struct session *session, const char *wanted, bool count_others,
			   struct err *err)
{
	int count = source_namespaces(session->source, wanted, &session->list,
				      count_others ? &session->others : NULL, err);

	if (count < 0)
		return count;
	session->ns_count = (unsigned)count;
	return 0;
}

/* A namespace that cannot be entered costs itself, not the run. */
static int open_namespaces(struct session *session, struct err *err)
{
	struct netns *kept = arena_alloc(&session->arena, session->ns_count * sizeof(*kept));
	unsigned open = 0;
	int code = 0;

	session->ns = arena_alloc(&session->arena, session->ns_count * sizeof(struct source_ns *));
	for (unsigned i = 0; i < session->ns_count; i++) {
		kept[open] = session->list[i];
		code = source_ns_open(session->source, &kept[open], &session->ns[open], err);
		if (!code) {
			open++;
			continue;
		}
		session->unopened++;
		notices_add(&session->notices, "network namespace '%s' was not looked at: %s",
			    session->list[i].name, err->text);
	}
	session->list = kept;
	session->ns_count = open;
	return open ? 0 : code;
}

static int recording_progress(unsigned sample, unsigned samples, void *context)
{
	const struct common_options *common = context;

	if (!common->quiet && isatty(STDERR_FILENO))
		fprintf(stderr, sample + 1 < samples ? "\rrecording %u of %u …\033[K" : "\r\033[K",
			sample + 1, samples);
	return interrupted ? -EINTR : 0;
}

static int record_first(struct session *session, const struct session_wish *wish,
			const char *wanted, struct err *err)
{
	int code = find_namespaces(session, wanted, false, err);
	struct record_plan plan = {
		.list = session->list,
		.count = session->ns_count,
		.dir = wish->replay->record,
		.samples = wish->samples,
		.interval_us = (int64_t)wish->interval_us / MAX((int64_t)wish->samples - 1, 1),
		.redact = wish->replay->redact,
		.progress = recording_progress,
		.context = (void *)wish->common,
	};

	if (!code)
		code = record_run(session->source, &plan, err);
	source_close(session->source);
	session->source = NULL;
	return code < 0 ? code : 0;
}

int session_open(struct session *session, const struct session_wish *wish, struct err *err)
{
	static const struct replay_options live = { .redact = false };
	const struct replay_options *replay = wish->replay ? wish->replay : &live;
	const struct common_options *common = wish->common;
	const char *wanted = common->all_netns ? "" : common->netns, *from = replay->from;
	int code;

	*session = (struct session){ .opened_us = clock_mono_us() };
	session->notices.arena = &session->arena;
	session->format = common->ndjson ? FORMAT_NDJSON : common->json ? FORMAT_JSON : FORMAT_TEXT;
	if (common->netns && common->all_netns)
		return err_set(err, -EINVAL, "--netns and --all-netns exclude each other");
	/* An empty name would select all of them: a script with an unset variable did not mean that. */
	if (common->netns && !*common->netns)
		return err_set(err, -EINVAL, "--netns needs a name, a pid or a path, got ''");
	if (replay->record && replay->from)
		return err_set(err, -EINVAL, "--record and --from exclude each other");
	code = session_style(&session->style, common, STDOUT_FILENO, err);
	if (!code)
		code = open_source(session, from, err);
	if (!code && replay->record) {
		code = record_first(session, wish, wanted, err);
		from = replay->record;
		if (!code)
			code = open_source(session, from, err);
	}
	if (code)
		return code;
	if (replay->redact && !replay->record)
		source_set_redact(session->source);
	/* A recording holds the namespaces that were asked for; all of them unless one is named. */
	if (from && (replay->record || !common->netns))
		wanted = "";
	code = find_namespaces(session, wanted, wish->count_others, err);
	return code ? code : open_namespaces(session, err);
}

/* A filter_world asks without a context; there is one filter a run. */
static struct source_ns *looked_into;

static uint32_t interface_there(const char *name)
{
	return source_ns_ifindex(looked_into, name);
}

int session_filter(struct session *session, struct filter *filter, int count, char *const words[],
		   struct err *err)
{
	struct filter_world there = filter_world_live;

	there.interface = session->ns_count == 1 ? interface_there : NULL;
	looked_into = session->ns[0];
	return filter_parse(filter, &session->arena,
			       source_is_recorded(session->source) ? &filter_world_recorded : &there,
			       count, words, err);
}

void session_close(struct session *session)
{
	for (unsigned i = 0; session->ns && i < session->ns_count; i++)
		source_ns_close(session->ns[i]);
	source_close(session->source);
	arena_free(&session->arena);
	*session = (struct session){ 0 };
}

struct document session_document(struct session *session, const char *schema, unsigned sample)
{
	return (struct document){
		.schema = schema,
		.host = source_host(session->source),
		.netns = session->ns_count == 1 ? session->list[0].name : "",
		.generated_us = source_clock(session->source, sample).real_us,
		.complete = session->unopened == 0,
		.notices = &session->notices,
	};
}

void session_note_denied(struct session *session)
{
	if (!session->denied)
		notices_add(&session->notices,
			    geteuid() ? "some owners are hidden: a process may not be read; run as root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH" :
					"some owners are hidden: a process may not be read even by root here");
	session->denied = true;
}

void session_print_notices(const struct session *session, const struct common_options *common)
{
	struct document doc = { .notices = &session->notices, .complete = true };
	struct out out;

	if (common->quiet)
		return;
	out_open_fd(&out, STDERR_FILENO);
	document_text_notices(&out, &doc);
	out_close(&out);
}
