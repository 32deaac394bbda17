/* SPDX-License-Identifier: MIT */
/* The way back: the same question to the service with different advertised MSS (RULES §5.2). */
#include "mtu_probe.h"
#include "probe_loop.h"
#include "tcptriage/track/reverse_search.h"

/* A stall is waited for: 3 s, and some more. With less time than that a quiet service is left in a hurry. */
#define PATIENCE_US 4000000

/* struct reverse_run - the machine and its sender. @witness: of the connection with the largest advertised MSS so far, @witness_mss; a small one would be taken for the path's. */
struct reverse_run {
	struct reverse_search *search;
	struct tcp_reverse *tcp;
	struct tcp_witness witness;
	uint32_t witness_mss;
};

static enum probe_step step(void *machine, int64_t now_us, int64_t *wake_us)
{
	struct reverse_run *run = machine;
	struct reverse_request request;
	enum probe_step step = reverse_search_step(run->search, now_us, &request, wake_us);

	if (step == STEP_SEND)
		tcp_reverse_send(run->tcp, &request);
	return step;
}

static void hand_in(struct reverse_run *run, const struct reverse_outcome *outcome, int64_t now_us)
{
	uint32_t mss = outcome->mss ? outcome->mss : UINT32_MAX; /* 0: whatever this kernel advertises by itself */

	if (!run->witness.connected || (outcome->connected && mss > run->witness_mss)) {
		run->witness = outcome->witness;
		run->witness_mss = mss;
	}
	reverse_search_outcome(run->search, outcome, now_us);
}

static bool take(void *machine, int64_t now_us)
{
	struct reverse_run *run = machine;
	struct reverse_outcome outcome;
	bool some = tcp_reverse_next(run->tcp, now_us, &outcome);

	if (some)
		hand_in(run, &outcome, now_us);
	return some;
}

static unsigned fds(const void *machine, struct pollfd fds[PROBE_LOOP_FDS])
{
	const struct reverse_run *run = machine;

	fds[0] = (struct pollfd){ .fd = tcp_reverse_fd(run->tcp), .events = POLLIN };
	return 1;
}

static void stop(void *machine, int64_t now_us)
{
	struct reverse_run *run = machine;

	reverse_search_stop(run->search, now_us);
}

static void progress(const void *machine, struct out *out)
{
	const struct reverse_run *run = machine;

	out_printf(out, "the way back: %u connections so far", reverse_search_path(run->search)->connections);
}

static const struct probe_machine ops = { step, take, fds, stop, progress };

/* The largest MSS that the interface allows: whether this kernel advertises as much, the first connection tells. */
static uint32_t largest_mss(const struct mtu_result *result)
{
	uint32_t mtu = result->route.link_mtu ? result->route.link_mtu : MTU_OF_UNKNOWN_LINK;

	return MIN(mtu, UINT16_MAX) - addr_tcp_headers(result->address.family);
}

/* What was tested is less than the interface takes: the search may have taught this kernel a path MTU, which lessens the MSS (net/ipv4/route.c, ipv4_default_advmss). */
static void note_small_mss(struct probe_job *job, const struct mtu_result *result)
{
	const struct tcp_witness *tcp = &result->tcp;
	uint32_t advertised = tcp->advmss + (tcp->timestamps ? TCP_TIMESTAMP_BYTES : 0);
	struct route now;

	if (!tcp->connected || !tcp->advmss || advertised >= largest_mss(result))
		return;
	now = probe_job_route(job, &result->address);
	notices_add(&job->session.notices, "this kernel advertises an MSS of %u to %s%s: the way back was tested up to that", advertised, probe_job_text(job, &result->address),
		    !(now.has & ROUTE_HAS_MTU)     ? "" :
		    now.has & ROUTE_HAS_EXPIRES ? ", which fits the path MTU that it remembers" :
						  ", which fits the MTU of the route");
}

/* The test may end before all connections do: the one with the largest MSS may be among them. One that is still being made bears no witness. */
static void look_at_open_ones(struct reverse_run *run)
{
	struct reverse_outcome outcome;

	while (tcp_reverse_next(run->tcp, INT64_MAX, &outcome)) {
		if (outcome.connected)
			hand_in(run, &outcome, INT64_MAX);
	}
}

void mtu_reverse_test(struct probe_job *job, struct mtu_result *result, int64_t deadline_us)
{
	const struct mtu_probe_options *o = job->own;
	struct prober_options options = probe_job_prober(job, &result->address, PROBER_TCP_DATA);
	const struct reverse_search_options wish = { .family = (enum addr_family)result->address.family, .largest = largest_mss(result), .exact = true,
						     .hurry = result->path.finding == MTU_BLACK_HOLE_FOUND || deadline_us - clock_mono_us() < PATIENCE_US };
	struct reverse_run run = { .search = NULL };
	struct err err = { "" };
	bool whole;

	options.payload = o->payload;
	if (tcp_reverse_open(&run.tcp, &options, &err)) {
		notices_add(&job->session.notices, "the way back was not tested: %s", err.text);
		return;
	}
	run.search = reverse_search_new(&wish, clock_mono_us());
	whole = probe_loop_run(&ops, &run, &job->pace, deadline_us, job->show);
	job->cut |= !whole;
	if (!whole && !interrupted)
		notices_add(&job->session.notices, "the time was over (--timeout) before the test of the way back was complete");
	look_at_open_ones(&run);
	result->connections += reverse_search_path(run.search)->connections;
	if (run.witness.made)
		result->tcp = run.witness;
	/* without a connection nothing was asked */
	if (run.witness.connected)
		result->reverse = *reverse_search_path(run.search);
	note_small_mss(job, result);
	reverse_search_free(run.search);
	tcp_reverse_close(run.tcp);
}
