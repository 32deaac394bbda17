/* SPDX-License-Identifier: MIT */
/* Names of what probes find out, as they stand in JSON, and what its parts say together. */
#include "tcptriage/model/path.h"

#include <assert.h>

static const char *const method_names[] = { [PROBE_UDP] = "udp", [PROBE_ICMP] = "icmp", [PROBE_TCP] = "tcp" };
static_assert(ARRAY_SIZE(method_names) == PROBE_METHOD_COUNT, "a name for every method");

static const char *const method_labels[] = { [PROBE_UDP] = "UDP", [PROBE_ICMP] = "ICMP", [PROBE_TCP] = "TCP" };
static_assert(ARRAY_SIZE(method_labels) == PROBE_METHOD_COUNT, "a label for every method");

static const char *const reply_names[] = {
	[REPLY_NONE] = "none",	     [REPLY_ARRIVED] = "arrived", [REPLY_OPEN] = "open",	       [REPLY_REFUSED] = "refused",	  [REPLY_TOO_BIG] = "too-big",
	[REPLY_EXPIRED] = "expired", [REPLY_UNREACHABLE] = "unreachable", [REPLY_REJECTED] = "rejected", [REPLY_PROHIBITED] = "prohibited", [REPLY_LOCAL] = "local",
};
static_assert(ARRAY_SIZE(reply_names) == PROBE_REPLY_COUNT, "a name for every reply");

static const char *const finding_names[] = {
	[MTU_FITS] = "fits",
	[MTU_NARROWER_TOLD] = "narrower-told",
	[MTU_BLACK_HOLE_FOUND] = "black-hole",
	[MTU_HOST_DEAF] = "host-deaf",
	[MTU_UNREACHABLE] = "unreachable",
	[MTU_UNDECIDED] = NULL,
};
static_assert(ARRAY_SIZE(finding_names) == MTU_FINDING_COUNT, "a name for every verdict");

static const char *const bound_names[] = { [BOUND_EXACT] = "exact", [BOUND_UPPER] = "upper", [BOUND_LOWER] = "lower" };
static_assert(ARRAY_SIZE(bound_names) == MTU_BOUND_COUNT, "a name for every bound");

static const char *const reverse_names[] = {
	[REVERSE_NOT_MADE] = NULL,
	[REVERSE_FITS] = "fits",
	[REVERSE_BLACK_HOLE] = "black-hole",
	[REVERSE_UNKNOWN] = "unknown",
};
static_assert(ARRAY_SIZE(reverse_names) == REVERSE_FINDING_COUNT, "a name for every verdict");

static const char *const trace_names[] = {
	[TRACE_OPEN] = "open",		   [TRACE_REFUSED] = "refused",	  [TRACE_REFUSED_BY_MIDDLE] = "refused-by-middlebox",
	[TRACE_PROHIBITED] = "prohibited", [TRACE_NO_ROUTE] = "no-route", [TRACE_FILTERED] = "filtered",
	[TRACE_LOOP] = "loop",		   [TRACE_SILENT] = "silent",	  [TRACE_LOCAL_ERROR] = "local-error",
	[TRACE_UNDECIDED] = NULL,
};
static_assert(ARRAY_SIZE(trace_names) == TRACE_FINDING_COUNT, "a name for every verdict");

/* A number that no enumerator has is a fault of ours, and printing what is known is still worth more than ending. */
static const char *name_of(const char *const *names, size_t count, size_t value)
{
	return value < count ? names[value] : "unknown";
}

const char *probe_method_name(enum probe_method method)
{
	return name_of(method_names, ARRAY_SIZE(method_names), method);
}

const char *probe_method_label(unsigned method)
{
	return method < ARRAY_SIZE(method_labels) ? method_labels[method] : "an unknown method";
}

const char *probe_reply_name(enum probe_reply reply)
{
	return name_of(reply_names, ARRAY_SIZE(reply_names), reply);
}

const char *mtu_finding_name(enum mtu_finding finding)
{
	return name_of(finding_names, ARRAY_SIZE(finding_names), finding);
}

const char *mtu_bound_name(enum mtu_bound bound)
{
	return name_of(bound_names, ARRAY_SIZE(bound_names), bound);
}

const char *reverse_finding_name(enum reverse_finding finding)
{
	return name_of(reverse_names, ARRAY_SIZE(reverse_names), finding);
}

const char *trace_finding_name(enum trace_finding finding)
{
	return name_of(trace_names, ARRAY_SIZE(trace_names), finding);
}

bool mtu_path_others_pass(const struct mtu_path *path)
{
	for (size_t i = 0; path->method == PROBE_TCP && i < MIN(path->hop_count, (size_t)PATH_HOPS_MAX); i++) {
		if (path->hops[i].large == REPLY_ARRIVED)
			return true;
	}
	return false;
}
