/* SPDX-License-Identifier: MIT */
/* What this machine itself keeps a search from seeing: sizes that it does not send, and words of routers that it does not hear. */
#include "mtu_probe.h"

#include <errno.h>
#include <string.h>

static bool is_tcp(const struct mtu_result *result)
{
	return result->path.method == PROBE_TCP;
}

bool mtu_limits_remembers(const struct route *route)
{
	bool remembers = route->has & ROUTE_HAS_MTU && route->has & ROUTE_HAS_EXPIRES;

	return remembers && (!route->link_mtu || route->mtu < route->link_mtu);
}

/* TCP cannot ask again for what this kernel remembers: the answer is as old as the memory. */
static bool is_remembered(const struct mtu_result *result)
{
	const struct route *route = &result->route;

	return mtu_limits_remembers(route) && is_tcp(result) && result->path.finding == MTU_FITS && result->path.path_mtu == route->mtu;
}

static void tell_remembered(struct probe_job *job, struct mtu_result *result)
{
	const struct route *route = &result->route;

	result->path.finding = MTU_UNDECIDED;
	result->path.bound = BOUND_LOWER;
	notices_add(&job->session.notices,
		    "this kernel remembers a path MTU of %u to %s for another %u s and lets TCP send nothing larger until then, so that nothing larger was tried; --icmp or --udp ask the path itself",
		    route->mtu, probe_job_text(job, &result->address), route->expires_ms / 1000);
}

/* Why nothing larger was tried. */
static const char *limit_text(struct probe_job *job, const struct mtu_result *result)
{
	const struct route *route = &result->route;
	uint32_t size = result->path.path_mtu;
	struct arena *arena = &job->session.arena;

	if (is_tcp(result) && route->has & ROUTE_HAS_MTU && size == route->mtu)
		return arena_printf(arena, "the route to %s has an MTU of %u, and TCP sends nothing larger", probe_job_text(job, &result->address), size);
	if (route->link_mtu && size >= MIN(route->link_mtu, UINT16_MAX) && route->has & ROUTE_HAS_DEVICE)
		return arena_printf(arena, "the interface %s sends packets of %u B at most", route->device, size);
	if (is_tcp(result))
		return arena_printf(arena, "the MSS of the peer allows packets of %u B at most", size);
	return arena_printf(arena, "this machine sends packets of %u B at most", size);
}

/* The question was about more than was tried. */
static void tell_unasked(struct probe_job *job, struct mtu_result *result, uint32_t asked)
{
	if (result->path.finding != MTU_FITS || !result->path.path_mtu || result->path.path_mtu >= asked)
		return;
	result->path.bound = BOUND_LOWER;
	notices_add(&job->session.notices, "%s: larger ones, up to the %u B of --max-mtu, were not tried", limit_text(job, result), asked);
}

/* The MTU that a router told did not get as far as to us. */
static void tell_hidden(struct probe_job *job, struct mtu_path *path)
{
	bool any = false;

	for (size_t i = 0; i < path->told_count; i++) {
		if (path->told[i].kind != TOLD_NO_MTU)
			continue;
		path->told[i].kind = TOLD_HIDDEN;
		any = true;
	}
	if (any)
		notices_add(&job->session.notices,
			    "net.ipv4.ip_no_pmtu_disc is 1 here: this kernel keeps from programs which MTU a router told, so that what routers tell could not be checked");
}

/* Silence here is no sign that nobody told: this kernel drops what would break it. */
static void tell_unheard(struct probe_job *job, struct mtu_path *path)
{
	path->unheard = true;
	if (path->finding == MTU_FITS || path->finding == MTU_UNREACHABLE)
		return;
	if (path->finding == MTU_BLACK_HOLE_FOUND)
		path->finding = MTU_UNDECIDED;
	notices_add(&job->session.notices,
		    "net.ipv4.ip_no_pmtu_disc is set here: this kernel drops every \"packet too big\", so that a router that tells cannot be told from a black hole; "
		    "sysctl -w net.ipv4.ip_no_pmtu_disc=0 lets it be heard");
}

static void tell_hearing(struct probe_job *job, struct mtu_result *result)
{
	enum prober_hearing hearing = prober_hearing((enum probe_method)result->path.method, (enum addr_family)result->address.family);

	if (hearing == HEARING_NO_MTU)
		tell_hidden(job, &result->path);
	else if (hearing == HEARING_NONE)
		tell_unheard(job, &result->path);
}

/* This process ran out of something: nothing is known of the host. */
static void tell_shortage(struct probe_job *job, struct mtu_result *result)
{
	struct mtu_path *path = &result->path;
	int error = path->finding == MTU_UNREACHABLE && path->says == REPLY_LOCAL ? path->says_error : 0;

	if (error != EMFILE && error != ENFILE && error != ENOMEM && error != ENOBUFS)
		return;
	notices_add(&job->session.notices, "%s could not be probed: %s", probe_job_text(job, &result->address), strerror(error));
	path->finding = MTU_UNDECIDED;
	path->says = REPLY_NONE;
	path->says_error = 0;
}

void mtu_limits_tell_lowered(struct probe_job *job, struct mtu_result *result, uint32_t once)
{
	const struct mtu_probe_options *o = job->own;
	struct mtu_path *path = &result->path;

	if (!is_tcp(result) || path->finding != MTU_FITS || path->path_mtu >= once)
		return;
	path->finding = MTU_UNDECIDED;
	path->bound = BOUND_LOWER;
	notices_add(&job->session.notices,
		    "%s allowed packets of %u B at first and of %u B later, told of a narrower way from there to here: what lies between could no longer be tried by TCP%s",
		    probe_job_text(job, &result->address), once, path->path_mtu, o->tcp ? "; --icmp or --udp ask the path itself" : "");
}

void mtu_limits_tell(struct probe_job *job, struct mtu_result *result)
{
	const struct mtu_probe_options *o = job->own;

	tell_shortage(job, result);
	if (is_remembered(result))
		tell_remembered(job, result);
	tell_unasked(job, result, o->largest);
	if (result->path.probes_sent)
		tell_hearing(job, result);
}
