/* SPDX-License-Identifier: MIT */
/* `tcptriage trace`: options, what the exit status says, and what the addresses of a name say together. */
#include <assert.h>
#include <errno.h>

#include "commands.h"
#include "trace.h"

#define AT(member) offsetof(struct trace_options, member)

static const struct option_row options[] = {
	PROBE_OPTION_ROWS(struct trace_options, probe),
	{ "port", 'p', "PORT", "the same as HOST:PORT", OPTION_STRING, AT(port), NULL },
	{ "sport", 0, "PORT", "source port of the SYNs (one that is free)", OPTION_STRING, AT(sport), NULL },
	{ "parallel", 0, NULL, "without CAP_NET_RAW: hops at once, each from a port of its own (ECMP may split the path)", OPTION_FLAG, AT(parallel), NULL },
	{ 0 },
};

static const int statuses[] = {
	[TRACE_OPEN] = EXIT_RAN,
	[TRACE_REFUSED] = EXIT_REFUSED,
	[TRACE_REFUSED_BY_MIDDLE] = EXIT_REFUSED,
	[TRACE_PROHIBITED] = EXIT_DIES,
	[TRACE_NO_ROUTE] = EXIT_DIES,
	[TRACE_FILTERED] = EXIT_DIES,
	[TRACE_LOOP] = EXIT_DIES,
	[TRACE_SILENT] = EXIT_DIES,
	[TRACE_LOCAL_ERROR] = EXIT_DIES,
	[TRACE_UNDECIDED] = EXIT_PARTIAL,
};
static_assert(ARRAY_SIZE(statuses) == TRACE_FINDING_COUNT, "a status for every verdict");

/* A trace that was ended before an answer came has not seen the attempt die. */
static int status(const struct probe_result *result)
{
	const struct trace_path *path = &result->trace->path;

	return path->partial && path->finding != TRACE_OPEN ? EXIT_PARTIAL : statuses[path->finding];
}

static const char *family_name(const struct addr *address)
{
	return address->family == ADDR_V6 ? "IPv6" : "IPv4";
}

static void note_hidden(struct probe_job *job, const struct trace_result *dead, const struct trace_result *open)
{
	notices_add(&job->session.notices, "%s by %s (%s) %s, by %s (%s) it is open: clients that try several addresses hide this, those that try one do not",
		    job->target.host, probe_job_text(job, &dead->address), family_name(&dead->address), trace_finding_name((enum trace_finding)dead->path.finding),
		    probe_job_text(job, &open->address), family_name(&open->address));
}

/* Once, for all addresses. */
static void note_split(struct probe_job *job)
{
	const struct trace_options *o = job->own;
	bool split = false;

	for (size_t i = 0; i < job->result_count; i++)
		split |= job->results[i].trace->path.split;
	if (split)
		notices_add(&job->session.notices, "hops were asked from a source port each: where ECMP balances by flow they may be of several ways; %s",
			    o->parallel ? "without --parallel one port is used" : "every port there is has connections, so that none can be kept for all hops");
}

/* The view of clients that try one address after the other, or several at once (RFC 8305): one that works hides those that do not. */
static void conclude(struct probe_job *job)
{
	const struct trace_result *open = NULL;

	/* the text says both in sentences of its own */
	if (job->session.format == FORMAT_TEXT)
		return;
	note_split(job);
	for (size_t i = 0; i < job->result_count && !open; i++) {
		if (job->results[i].trace->path.finding == TRACE_OPEN)
			open = job->results[i].trace;
	}
	for (size_t i = 0; i < job->result_count && open; i++) {
		const struct trace_result *other = job->results[i].trace;

		if (other->path.finding != TRACE_OPEN && !other->path.partial && !other->route.error)
			note_hidden(job, other, open);
	}
}

static int no_port(const struct target *target, struct err *err)
{
	char host[ADDR_TEXT_MAX];
	uint16_t port = target_hidden_port(target, host);

	if (port)
		return err_set(err, -EINVAL, "'%s' is an IPv6 address and has no port; did you mean '[%s]:%u'?", target->text, host, port);
	return err_set(err, -EINVAL, "'%s' has no port: a connection attempt goes to one, HOST:PORT or [ADDRESS]:PORT", target->text);
}

static int settle(struct probe_job *job, struct err *err)
{
	struct trace_options *o = job->own;
	int code = target_take_port(&job->target, o->port, err);

	if (code)
		return code;
	if (!job->target.port)
		return no_port(&job->target, err);
	if (o->sport && o->parallel)
		return err_set(err, -EINVAL, "--sport and --parallel exclude each other: one source port, or one a hop");
	return o->sport ? target_port(o->sport, &o->source_port, err) : 0;
}

static const struct probe_kind kind = {
	.command = &cmd_trace,
	.schema = "tcptriage.trace/1",
	.renderers = trace_renderers,
	.settle = settle,
	.probe = trace_address_probe,
	.status = status,
	.conclude = conclude,
};

static int run(void *values, int operand_count, char **operands)
{
	struct trace_options *o = values;
	CLEANUP(probe_job_close) struct probe_job job = { .kind = &kind, .common = &o->common, .options = &o->probe, .own = o };

	return probe_job_run(&job, operand_count, operands);
}

const struct command cmd_trace = {
	.name = "trace",
	.summary = "where an attempt to connect dies, and who says so",
	.operands = "HOST:PORT",
	.example = "tcptriage trace db.example.net:5432",
	.options = options,
	.options_size = sizeof(struct trace_options),
	.run = run,
};
