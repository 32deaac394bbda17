/* SPDX-License-Identifier: MIT */
/* The trace to one address: which senders, and what the machine is told of them. */
#include <errno.h>

#include "probe_lanes.h"
#include "tcptriage/track/path_trace.h"
#include "trace.h"

/* struct trace_run - one trace with its senders. */
struct trace_run {
	struct path_trace *trace;
	struct probe_lanes lanes;
	const struct addr *address;
};

static enum probe_step step(void *machine, int64_t now_us, int64_t *wake_us)
{
	struct trace_run *run = machine;
	struct probe_request request;
	enum probe_step step = path_trace_step(run->trace, now_us, &request, wake_us);

	if (step == STEP_SEND)
		probe_lanes_send(&run->lanes, &request);
	return step;
}

static bool take(void *machine, int64_t now_us)
{
	struct trace_run *run = machine;
	struct probe_outcome outcome;

	if (!probe_lanes_next(&run->lanes, now_us, &outcome))
		return false;
	path_trace_outcome(run->trace, &outcome, now_us);
	return true;
}

static unsigned fds(const void *machine, struct pollfd fds[PROBE_LOOP_FDS])
{
	const struct trace_run *run = machine;

	return probe_lanes_fds(&run->lanes, fds);
}

static void stop(void *machine, int64_t now_us)
{
	struct trace_run *run = machine;

	path_trace_stop(run->trace, now_us);
}

static void progress(const void *machine, struct out *out)
{
	const struct trace_run *run = machine;

	trace_progress(out, run->address, path_trace_path(run->trace));
}

static const struct probe_machine ops = { step, take, fds, stop, progress };

static struct trace_path never_left(int error)
{
	return (struct trace_path){ .finding = TRACE_LOCAL_ERROR, .error = error, .rtt_us = -1 };
}

static enum prober_kind kind_of(const struct trace_options *o, enum addr_family family)
{
	if (!prober_allowed(PROBER_SYN_RAW, family, NULL))
		return PROBER_SYN_RAW;
	return o->parallel ? PROBER_SYN_PORTS : PROBER_SYN;
}

/* Without the lane beside it a filter cannot be told from a dead path, which is a verdict of its own. */
static int open_lanes(const struct probe_job *job, const struct addr *address, enum prober_kind kind, struct probe_lanes *lanes, struct err *err)
{
	const struct trace_options *o = job->own;
	struct prober_options main = probe_job_prober(job, address, kind), side = probe_job_prober(job, address, probe_job_side((enum addr_family)address->family));

	main.source_port = o->source_port;
	return probe_lanes_open(lanes, &main, &side, err);
}

/*
 * A port that is bound must be free of every connection, one that connect() takes only of those to the same service (inet_csk_get_port(), __inet_hash_connect()): where no port
 * can be kept SYNs may still go, each from one that the kernel finds. When it finds none either that is what programs here meet.
 */
static int open_lanes_somehow(const struct probe_job *job, const struct addr *address, enum prober_kind *kind, struct probe_lanes *lanes, struct err *err)
{
	const struct trace_options *o = job->own;
	int code = open_lanes(job, address, *kind, lanes, err);

	if (code != -EADDRNOTAVAIL || o->source_port)
		return code;
	probe_lanes_close(lanes);
	*kind = PROBER_SYN_PORTS;
	return open_lanes(job, address, *kind, lanes, err);
}

static struct path_trace_options trace_options(const struct probe_job *job, enum prober_kind kind, const struct trace_run *run)
{
	const struct prober *side = run->lanes.at[LANE_SIDE];
	bool udp = side && prober_method(side) == PROBE_UDP;

	return (struct path_trace_options){ .target = *run->address,
					    .max_hops = job->max_hops,
					    .most = prober_most(run->lanes.at[LANE_MAIN]),
					    .side_method = side ? (int)prober_method(side) : -1,
					    .side_burst = udp ? PROBE_UDP_BURST : 0,
					    .side_per_s = udp ? PROBE_UDP_PER_S : 0,
					    .split = kind == PROBER_SYN_PORTS,
					    .sees_ttl = kind == PROBER_SYN_RAW };
}

static int trace(struct probe_job *job, int64_t deadline_us, struct trace_result *result, struct err *err)
{
	enum prober_kind kind = kind_of(job->own, (enum addr_family)result->address.family);
	struct trace_run run = { .address = &result->address };
	struct path_trace_options options;
	int code = open_lanes_somehow(job, &result->address, &kind, &run.lanes, err);

	if (!code) {
		options = trace_options(job, kind, &run);
		run.trace = path_trace_new(&options, clock_mono_us());
		probe_loop_run(&ops, &run, &job->pace, deadline_us, job->show);
		result->path = *path_trace_path(run.trace);
		result->dropped = probe_lanes_ignored(&run.lanes);
	}
	probe_lanes_close(&run.lanes);
	path_trace_free(run.trace);
	return code;
}

/* The source port was the user's wish: that it cannot be had says nothing of the way. */
static bool is_port_trouble(const struct probe_job *job, int code)
{
	const struct trace_options *o = job->own;

	return o->source_port && (code == -EACCES || code == -EADDRINUSE);
}

int trace_address_probe(struct probe_job *job, const struct addr *address, int64_t deadline_us, struct probe_result *result, struct err *err)
{
	struct trace_result *found = arena_alloc(&job->session.arena, sizeof(*found));
	struct err why = { "" };
	int code;

	*found = (struct trace_result){ .name = job->target.host, .zone = probe_job_zone(job, address), .address = *address, .port = job->target.port, .route = probe_job_route(job, address) };
	result->trace = found;
	if (found->route.error) {
		found->path = never_left(-found->route.error);
		return 0;
	}
	code = trace(job, deadline_us, found, &why);
	if (is_port_trouble(job, code)) {
		*err = why;
		return code;
	}
	if (code) {
		notices_add(&job->session.notices, "%s could not be tried: %s", probe_job_text(job, address), why.text);
		found->path = never_left(-code);
	}
	return 0;
}
