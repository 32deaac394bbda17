/* SPDX-License-Identifier: MIT */
/* The path MTU to one address: which methods, in which order, and what each needs. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "mtu_probe.h"
#include "probe_lanes.h"
#include "tcptriage/track/mtu_search.h"
#include "tcptriage/track/reverse_search.h"

/* How long the connection that carries no data is given: two SYNs, and a moment for a service that speaks first. Where it is all that is asked for, another one gets
 * three SYNs after that. */
#define WITNESS_US 1200000
#define WITNESS_AGAIN_US 3500000
/* A method that was answered by silence, and the one behind it. */
#define METHODS_MAX 2
/* What another method needs at least to be worth it. */
#define ANOTHER_US 1000000

/* struct mtu_run - one search with its senders, and the connection beside it. @search: NULL when that connection is all. */
struct mtu_run {
	struct mtu_search *search;
	struct probe_lanes lanes;
	struct mtu_witness *witness;
	const struct addr *address;
	bool stopped;
};

static enum probe_step step(void *machine, int64_t now_us, int64_t *wake_us)
{
	struct mtu_run *run = machine;
	struct probe_request request;
	enum probe_step step = run->search ? mtu_search_step(run->search, now_us, &request, wake_us) : STEP_DONE;

	if (step == STEP_SEND)
		probe_lanes_send(&run->lanes, &request);
	if (step != STEP_DONE || run->stopped || !run->witness->waited || now_us >= run->witness->deadline_us)
		return step;
	*wake_us = run->witness->deadline_us;
	return STEP_WAIT;
}

static bool take(void *machine, int64_t now_us)
{
	struct mtu_run *run = machine;
	struct probe_outcome outcome;

	if (!probe_lanes_next(&run->lanes, now_us, &outcome))
		return mtu_witness_take(run->witness, now_us);
	mtu_search_outcome(run->search, &outcome, now_us);
	return true;
}

static unsigned fds(const void *machine, struct pollfd fds[PROBE_LOOP_FDS])
{
	const struct mtu_run *run = machine;
	unsigned count = probe_lanes_fds(&run->lanes, fds);

	if (run->witness->waited)
		fds[count++] = (struct pollfd){ .fd = tcp_reverse_fd(run->witness->tcp), .events = POLLIN };
	return count;
}

static void stop(void *machine, int64_t now_us)
{
	struct mtu_run *run = machine;

	run->stopped = true;
	if (run->search)
		mtu_search_stop(run->search, now_us);
}

static void progress(const void *machine, struct out *out)
{
	const struct mtu_run *run = machine;

	if (run->search)
		mtu_probe_progress(out, run->address, mtu_search_path(run->search));
	else
		out_lit(out, "waiting for the connection");
}

static const struct probe_machine ops = { step, take, fds, stop, progress };

/* What probing would have found out if it had begun. */
static struct mtu_path nothing_sent(uint8_t finding, enum probe_method method, int error)
{
	return (struct mtu_path){ .method = (uint8_t)method,
				  .finding = finding,
				  .bound = BOUND_UPPER,
				  .says = error ? REPLY_LOCAL : REPLY_NONE,
				  .says_error = error,
				  .told_by = -1,
				  .rtt_us = -1 };
}

/* Return: the methods in order, at most METHODS_MAX. TCP is left out where it could not try the sizes in question. */
static unsigned methods_of(const struct mtu_probe_options *o, const struct mtu_result *result, enum prober_kind kinds[METHODS_MAX])
{
	bool one = o->udp || o->icmp || o->tcp, tcp_first = o->payload && !mtu_limits_remembers(&result->route);
	enum prober_kind side = probe_job_side((enum addr_family)result->address.family);

	if (one) {
		kinds[0] = o->udp ? PROBER_UDP : o->icmp ? PROBER_ICMP : PROBER_TCP_DATA;
		return 1;
	}
	kinds[0] = tcp_first ? PROBER_TCP_DATA : side;
	kinds[1] = tcp_first ? side : PROBER_UDP;
	return kinds[0] == kinds[1] ? 1 : 2;
}

static enum probe_method method_of(enum prober_kind kind)
{
	return kind == PROBER_UDP ? PROBE_UDP : kind == PROBER_ICMP ? PROBE_ICMP : PROBE_TCP;
}

static struct prober_options options_of(const struct probe_job *job, const struct mtu_result *result, enum prober_kind kind)
{
	const struct mtu_probe_options *o = job->own;
	struct prober_options options = probe_job_prober(job, &result->address, kind);

	options.interface_mtu = result->route.link_mtu;
	options.payload = kind == PROBER_TCP_DATA ? o->payload : PAYLOAD_NONE;
	if (kind == PROBER_UDP && o->udp && job->target.port)
		options.port = job->target.port;
	return options;
}

/* Over TCP the lane beside it finds the hop; echo, whose answers are as large as the question, needs one with small answers. */
static int open_lanes(const struct probe_job *job, const struct mtu_result *result, enum prober_kind kind, struct probe_lanes *lanes, struct err *err)
{
	enum prober_kind beside = kind == PROBER_ICMP ? PROBER_UDP : probe_job_side((enum addr_family)result->address.family);
	struct prober_options main = options_of(job, result, kind), side = probe_job_prober(job, &result->address, beside);

	return probe_lanes_open(lanes, &main, kind == PROBER_UDP ? NULL : &side, err);
}

/* Of what was asked for, as much as this machine sends: of TCP no more than the route, or what is remembered of the path, says. */
static uint32_t largest_of(const struct mtu_probe_options *o, const struct mtu_result *result, bool tcp)
{
	const struct route *route = &result->route;
	uint32_t largest = o->largest ? o->largest : route->link_mtu ? route->link_mtu : MTU_OF_UNKNOWN_LINK;

	if (route->link_mtu)
		largest = MIN(largest, route->link_mtu);
	return tcp && route->has & ROUTE_HAS_MTU && route->mtu ? MIN(largest, route->mtu) : largest;
}

static struct mtu_search_options search_options(const struct probe_job *job, const struct mtu_result *result, const struct mtu_run *run)
{
	const struct mtu_probe_options *o = job->own;
	const struct prober *main = run->lanes.at[LANE_MAIN], *side = run->lanes.at[LANE_SIDE];
	uint32_t largest = largest_of(o, result, prober_method(main) == PROBE_TCP), most = prober_largest(main);
	bool udp = prober_method(main) == PROBE_UDP;

	return (struct mtu_search_options){ .family = (enum addr_family)result->address.family,
					    .target = result->address,
					    .method = (uint8_t)prober_method(main),
					    .side_method = side ? (int)prober_method(side) : -1,
					    .smallest = prober_smallest(main),
					    .largest = most ? MIN(largest, most) : largest,
					    .most = prober_most(main),
					    .max_hops = job->max_hops,
					    .all_hops = o->hops,
					    .answers_burst = udp ? PROBE_UDP_BURST : 0,
					    .answers_per_s = udp ? PROBE_UDP_PER_S : 0 };
}

/* One method. Return: 0 with result->path, or -errno with @err when its probes cannot be made. */
static int search_by(struct probe_job *job, enum prober_kind kind, struct mtu_witness *witness, int64_t deadline_us, struct mtu_result *result, struct err *err)
{
	struct mtu_run run = { .witness = witness, .address = &result->address };
	struct mtu_search_options options;
	int code = open_lanes(job, result, kind, &run.lanes, err);

	if (!code) {
		options = search_options(job, result, &run);
		run.search = mtu_search_new(&options, clock_mono_us());
		probe_loop_run(&ops, &run, &job->pace, deadline_us, job->show);
		result->path = *mtu_search_path(run.search);
		mtu_limits_tell_lowered(job, result, MIN(options.largest, prober_largest(run.lanes.at[LANE_MAIN])));
		result->dropped += probe_lanes_ignored(&run.lanes);
	}
	probe_lanes_close(&run.lanes);
	mtu_search_free(run.search);
	return code;
}

/* Routing says so, and would of every method. */
static bool is_of_network(int code)
{
	return code == -ENETUNREACH || code == -EHOSTUNREACH || code == -ENETDOWN || code == -EHOSTDOWN;
}

/* No probe was made. Only where the network is why the host is called unreachable. */
static void could_not(struct probe_job *job, enum prober_kind kind, int code, const struct err *why, struct mtu_result *result)
{
	bool network = is_of_network(code);

	notices_add(&job->session.notices, "%s could not be probed: %s", probe_job_text(job, &result->address), why->text);
	result->path = nothing_sent(network ? MTU_UNREACHABLE : MTU_UNDECIDED, method_of(kind), network ? -code : 0);
}

/* For pasting: the address, for its name may have others. */
static const char *target_text(struct probe_job *job, const struct mtu_result *result)
{
	const struct endpoint end = { result->address, result->port };
	CLEANUP(out_close) struct out out = { .fd = -1 };
	const char *netns = job->common->netns;

	out_open_mem(&out);
	out_printf(&out, "%s%s%s", netns ? "-N " : "", netns ? netns : "", netns ? " " : "");
	out_endpoint(&out, &end);
	return arena_strdup(&job->session.arena, out_text(&out));
}

/* Who spoke instead. */
static void note_next_method(struct probe_job *job, const struct mtu_result *result)
{
	const char *label = probe_method_label(result->path.method);

	if (result->first != PROBE_TCP || !result->path.probes_sent)
		return;
	if (result->first_finding == MTU_UNDECIDED)
		notices_add(&job->session.notices, "what TCP left open was asked by %s", label);
	else
		notices_add(&job->session.notices, "TCP to port %u of %s was not answered: %s was used instead; tcptriage trace %s shows where attempts end", result->port,
			    probe_job_text(job, &result->address), label, target_text(job, result));
}

/* TCP could not try what the host does not allow, and another method may. Loss would not be less for that. */
static bool is_left_open(const struct mtu_path *path)
{
	return path->method == PROBE_TCP && path->finding == MTU_UNDECIDED && !path->lossy;
}

/* @path is no answer, and another method may bring one. */
static bool may_go_on(const struct mtu_path *path)
{
	return !path->partial && (path->finding == MTU_HOST_DEAF || is_left_open(path));
}

static void set_aside(struct mtu_result *result)
{
	result->first = result->path.method;
	result->first_finding = result->path.finding;
	result->first_sent = result->path.probes_sent;
}

static bool tells_sizes(const struct mtu_path *path)
{
	return path->finding == MTU_FITS || path->finding == MTU_NARROWER_TOLD || path->finding == MTU_BLACK_HOLE_FOUND;
}

/* @other loses what TCP gets through, or gets through what TCP loses: then it says nothing of TCP. */
static bool contradicts(struct probe_job *job, const struct mtu_path *open, const struct mtu_path *other)
{
	const char *label = probe_method_label(other->method);

	if (other->smallest_lost && other->smallest_lost <= open->path_mtu) {
		notices_add(&job->session.notices, "%s packets of %u B do not get through, while TCP of %u B does: %s is hindered, and says nothing of the path", label, other->smallest_lost,
			    open->path_mtu, label);
		return true;
	}
	if (open->smallest_lost && other->path_mtu >= open->smallest_lost) {
		notices_add(&job->session.notices, "%s packets of %u B arrive, while TCP of %u B brought no answer before it could no longer be tried: a filter of large segments looks like that", label,
			    other->path_mtu, open->smallest_lost);
		return true;
	}
	return false;
}

/* @open, what TCP left open, against what the method behind it found: that is no answer when it knows of no size, or does with TCP's as it does with none of its own. */
static void weigh(struct probe_job *job, struct mtu_result *result, const struct mtu_path *open)
{
	const struct mtu_path other = result->path;

	if (tells_sizes(&other) && !contradicts(job, open, &other))
		return;
	set_aside(result);
	result->path = *open;
	result->path.partial |= other.partial;
	result->path.elapsed_us = other.elapsed_us;
}

static bool tcp_was_silent(const struct mtu_result *result)
{
	return result->first == PROBE_TCP && result->first_finding == MTU_HOST_DEAF;
}

/* After the search by TCP: what a router tells the host about its answers would lessen the MSS that the host advertises, and so the sizes that TCP can try. Before that of another
 * method, which would have this kernel remember a path MTU and advertise less itself. */
static void test_way_back(struct probe_job *job, struct mtu_result *result, int64_t deadline_us)
{
	const struct mtu_probe_options *o = job->own;

	if (o->payload && !tcp_was_silent(result) && result->path.finding != MTU_UNREACHABLE && !interrupted && clock_mono_us() < deadline_us)
		mtu_reverse_test(job, result, deadline_us);
}

/* Methods in turn, until one settles it. */
static void search(struct probe_job *job, struct mtu_witness *witness, int64_t deadline_us, struct mtu_result *result)
{
	enum prober_kind kinds[METHODS_MAX];
	unsigned count = methods_of(job->own, result, kinds);
	struct mtu_path before = { .finding = MTU_HOST_DEAF };

	for (unsigned i = 0; i < count; i++) {
		bool last = i + 1 == count, open = is_left_open(&before);
		struct err why = { "" };
		int code = search_by(job, kinds[i], witness, deadline_us, result, &why);

		if (code && !open && (last || is_of_network(code))) {
			could_not(job, kinds[i], code, &why, result);
			return;
		}
		if (code) {
			notices_add(&job->session.notices, "%s was left out: %s", probe_method_label(method_of(kinds[i])), why.text);
			result->first = open ? -1 : result->first;
			continue;
		}
		note_next_method(job, result);
		result->path.elapsed_us += before.elapsed_us;
		if (open)
			weigh(job, result, &before);
		if (last || !may_go_on(&result->path))
			return;
		if (is_left_open(&result->path))
			test_way_back(job, result, deadline_us);
		if (deadline_us - clock_mono_us() < ANOTHER_US) {
			notices_add(&job->session.notices, "no time was left for another method (--timeout): --icmp or --udp ask the path itself");
			return;
		}
		before = result->path;
		set_aside(result);
	}
}

/* What ended the handshake: a reset bears the host's address, any other error is this machine's word for it. */
static void refused_or_unreachable(struct mtu_path *path, const struct addr *host, int error)
{
	path->finding = MTU_UNREACHABLE;
	path->says = error == ECONNREFUSED ? REPLY_REFUSED : REPLY_LOCAL;
	if (path->says == REPLY_REFUSED)
		path->says_by = *host;
	else
		path->says_error = error;
}

/* --tcp without a payload: no size is tried, for nothing may be sent to the service. */
static void handshake_only(struct probe_job *job, struct mtu_witness *witness, int64_t deadline_us, struct mtu_result *result)
{
	struct mtu_run run = { .witness = witness, .address = &result->address };
	int64_t began_us = clock_mono_us();

	probe_loop_run(&ops, &run, &job->pace, deadline_us, job->show);
	mtu_witness_tell(witness, result);
	if (result->tcp.error == ETIMEDOUT && !run.stopped) {
		mtu_witness_close(witness);
		mtu_witness_open(witness, job, &result->address, WITNESS_AGAIN_US);
		probe_loop_run(&ops, &run, &job->pace, deadline_us, job->show);
		mtu_witness_tell(witness, result);
	}
	result->path = nothing_sent(result->tcp.connected ? MTU_UNDECIDED : MTU_HOST_DEAF, PROBE_TCP, 0);
	result->path.partial = run.stopped;
	result->path.elapsed_us = clock_mono_us() - began_us;
	if (result->tcp.made && !result->tcp.connected && result->tcp.error != ETIMEDOUT)
		refused_or_unreachable(&result->path, &result->address, result->tcp.error);
	notices_add(&job->session.notices, "sizes over TCP need --tcp-payload http, tls or raw: without it nothing is sent to the service");
}

/* What to ask next where the service matters and nothing was heard of it, or nothing but it was heard. */
static void note_service(struct probe_job *job, const struct mtu_result *result)
{
	const struct mtu_probe_options *o = job->own;
	bool silent = !tcp_was_silent(result) && result->tcp.made && !result->tcp.connected && result->path.method != PROBE_TCP;

	if (silent)
		notices_add(&job->session.notices, "port %u does not accept connections (%s): tcptriage trace %s tells where they end", result->port,
			    result->tcp.error ? strerror(result->tcp.error) : "silence", target_text(job, result));
	else if (result->path.finding == MTU_HOST_DEAF && !o->payload && result->port)
		notices_add(&job->session.notices, "the service itself can be asked: tcptriage mtu-probe --tcp --tcp-payload KIND %s, with http, tls or, where it speaks neither, raw as KIND",
			    target_text(job, result));
}

/* Why the way back was not looked at, although a port was given. */
static void note_reverse(struct probe_job *job, const struct mtu_result *result)
{
	const struct mtu_probe_options *o = job->own;

	if (!o->payload && result->path.finding != MTU_HOST_DEAF && result->tcp.connected && result->reverse.finding == REVERSE_NOT_MADE)
		notices_add(&job->session.notices, "the way back was not tested: the service did not send %d bytes by itself; --tcp-payload http, tls or raw asks it for more",
			    REVERSE_ENOUGH);
}

static void probe_with_port(struct probe_job *job, struct mtu_result *result, int64_t deadline_us)
{
	const struct mtu_probe_options *o = job->own;
	CLEANUP(mtu_witness_close) struct mtu_witness witness = { .tcp = NULL };
	bool handshake = o->tcp && !o->payload, beside = job->target.port && !o->payload && !o->udp;

	if (beside)
		mtu_witness_open(&witness, job, &result->address, WITNESS_US);
	if (handshake)
		handshake_only(job, &witness, deadline_us, result);
	else
		search(job, &witness, deadline_us, result);
	mtu_witness_tell(&witness, result);
	mtu_limits_tell(job, result);
	if (result->reverse.finding == REVERSE_NOT_MADE)
		test_way_back(job, result, deadline_us);
	note_service(job, result);
	note_reverse(job, result);
}

/* ICMP where it was asked for and is not allowed is no result but a failure. */
static int check_allowed(const struct mtu_probe_options *o, enum addr_family family, struct err *err)
{
	return o->icmp ? prober_allowed(PROBER_ICMP, family, err) : 0;
}

static void note_methods(struct probe_job *job, enum addr_family family)
{
	const struct mtu_probe_options *o = job->own;
	struct err err = { "" };

	if (!o->udp && !o->icmp && !o->tcp && !o->payload && prober_allowed(PROBER_ICMP, family, &err))
		notices_add(&job->session.notices, "ICMP echo was left out, UDP was used: %s", err.text);
}

/* What was written is an address, and may have been meant as another one with a port. */
static void note_hidden_port(struct probe_job *job, const struct mtu_result *result)
{
	bool silent = result->path.finding == MTU_HOST_DEAF || result->path.finding == MTU_UNREACHABLE;
	char host[ADDR_TEXT_MAX];
	uint16_t port = silent ? target_hidden_port(&job->target, host) : 0;

	if (port)
		notices_add(&job->session.notices, "'%s' was taken for an address without a port; if '[%s]:%u' was meant, it is written like that", job->target.text, host, port);
}

int mtu_address_probe(struct probe_job *job, const struct addr *address, int64_t deadline_us, struct probe_result *result, struct err *err)
{
	struct mtu_result *found = arena_alloc(&job->session.arena, sizeof(*found));
	enum addr_family family = (enum addr_family)address->family;
	int code = check_allowed(job->own, family, err);

	if (code)
		return code;
	*found = (struct mtu_result){ .name = job->target.host, .zone = probe_job_zone(job, address), .address = *address, .port = job->target.port, .route = probe_job_route(job, address), .first = -1 };
	result->mtu = found;
	if (found->route.error) {
		found->path = nothing_sent(MTU_UNREACHABLE, PROBE_UDP, -found->route.error);
		return 0;
	}
	note_methods(job, family);
	found->live = mtu_live_sockets(job, address);
	probe_with_port(job, found, deadline_us);
	note_hidden_port(job, found);
	return 0;
}
