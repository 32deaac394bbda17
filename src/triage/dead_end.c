/* SPDX-License-Identifier: MIT */
/* The ends of probes, from both commands' results and from errno. */
#include "dead_end.h"

#include <errno.h>
#include <string.h>

/* What connect() and sendto() of Linux mean by an error when a packet does not leave (net/ipv4/route.c, net/ipv4/inet_hashtables.c). */
static const struct {
	int error;
	enum dead_end_kind kind;
} errors[] = {
	{ ENETUNREACH, DEAD_END_NO_ROUTE }, { EACCES, DEAD_END_POLICY },	{ EINVAL, DEAD_END_BLACKHOLE },	   { EADDRNOTAVAIL, DEAD_END_NO_PORT },
	{ EAGAIN, DEAD_END_NO_PORT },	    { EHOSTUNREACH, DEAD_END_NEXT_HOP }, { EPERM, DEAD_END_OWN_FILTER }, { ENETDOWN, DEAD_END_LINK_DOWN },
};

/* A connection alone does not tell whether an ICMP message or this machine ended it, unless routing said so before. */
static bool is_own_error(const struct dead_end *end, bool connected)
{
	return !connected || end->probed.route->error == -end->error || route_next_hop_fails(end->probed.route) ||
	       (end->error != EHOSTUNREACH && end->error != ENETUNREACH);
}

static enum dead_end_kind kind_of_error(const struct dead_end *end)
{
	const struct route *route = end->probed.route;

	if (end->error == EADDRNOTAVAIL && !(route->has & ROUTE_HAS_SOURCE))
		return DEAD_END_NO_SOURCE;
	/* a neighbour that does not answer is no business of the lookup */
	if (end->error == EHOSTUNREACH && route->error == -EHOSTUNREACH)
		return DEAD_END_REFUSED_HERE;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].error == end->error)
			return errors[i].kind;
	}
	return DEAD_END_OTHER_ERROR;
}

/* The kernel sends the error about a next hop that does not resolve to itself. */
static bool is_own_word(const struct dead_end *end)
{
	const struct route *route = end->probed.route;

	return route->has & ROUTE_HAS_SOURCE && addr_equal(&end->by, &route->source) && !addr_equal(&end->by, end->probed.address);
}

static struct dead_end of_trace(const struct trace_result *result)
{
	const struct trace_path *path = &result->path;
	struct dead_end end = { .probed = probed_of_trace(result), .by = path->by, .probes = path->probes_sent, .is_icmp = path->is_icmp,
				.icmp_type = path->icmp_type, .icmp_code = path->icmp_code };

	switch (path->finding) {
	case TRACE_PROHIBITED:
		end.kind = is_own_word(&end) ? DEAD_END_OWN_FILTER : DEAD_END_PROHIBITED;
		break;
	case TRACE_NO_ROUTE:
		end.kind = is_own_word(&end) ? DEAD_END_NEXT_HOP : DEAD_END_NO_WAY;
		break;
	case TRACE_LOCAL_ERROR:
		end.error = path->error;
		end.is_icmp = false;
		end.kind = kind_of_error(&end);
		break;
	default:
		break;
	}
	return end;
}

/* What a search heard instead of an answer; a refusal is no dead end. */
static enum dead_end_kind kind_of_reply(const struct dead_end *end, uint8_t reply, bool connected)
{
	bool own = is_own_word(end);

	switch (reply) {
	case REPLY_PROHIBITED:
	case REPLY_REJECTED:
		return own ? DEAD_END_OWN_FILTER : DEAD_END_PROHIBITED;
	case REPLY_UNREACHABLE:
		return own ? DEAD_END_NEXT_HOP : DEAD_END_NO_WAY;
	case REPLY_EXPIRED:
		return DEAD_END_EXPIRED;
	case REPLY_LOCAL:
		return is_own_error(end, connected) ? kind_of_error(end) : DEAD_END_UNSAID;
	default:
		return DEAD_END_NONE;
	}
}

static struct dead_end of_mtu(const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;
	struct dead_end end = { .probed = probed_of_mtu(result), .by = path->says_by, .probes = path->probes_sent };

	if (path->finding != MTU_UNREACHABLE)
		return end;
	end.error = path->says == REPLY_LOCAL ? path->says_error : 0;
	end.is_icmp = path->says_icmp && path->says != REPLY_LOCAL;
	end.icmp_type = path->says_type;
	end.icmp_code = path->says_code;
	end.kind = kind_of_reply(&end, path->says, path->method == PROBE_TCP);
	return end;
}

struct dead_end dead_end_of(const struct view *view)
{
	if (view->probes->trace)
		return of_trace(view->probes->trace);
	if (view->probes->mtu)
		return of_mtu(view->probes->mtu);
	return (struct dead_end){ .kind = DEAD_END_NONE };
}

bool dead_end_is_local(const struct dead_end *end)
{
	return end->kind >= DEAD_END_NO_ROUTE;
}

static const char *reporter(const struct view *view, const struct dead_end *end)
{
	if (dead_end_is_local(end))
		return "this host";
	if (addr_equal(&end->by, end->probed.address))
		return "the host itself";
	return addr_is_any(&end->by) ? "somebody on the way" : view_addr_text(view, &end->by);
}

static const char *reason(const struct dead_end *end)
{
	if (end->is_icmp)
		return probe_icmp_text(end->probed.address->family, end->icmp_type, end->icmp_code);
	switch (end->kind) {
	case DEAD_END_PROHIBITED:
		return "prohibited";
	case DEAD_END_EXPIRED:
		return "hop limit exceeded";
	default:
		return "unreachable";
	}
}

void finding_dead_end(struct finding *finding, const struct view *view, const struct dead_end *end)
{
	finding_probed(finding, view, &end->probed);
	finding_add(finding, "probes", end->probes, UNIT_COUNT, "probes");
	finding_add_text(finding, "error", end->error ? arena_strdup(view->arena, strerror(end->error)) : "", "errno");
	finding_add_text(finding, "reporter", reporter(view, end), "ICMP source");
	finding_add_text(finding, "reason", reason(end), end->is_icmp ? "ICMP type and code" : "probes");
	if (!end->is_icmp)
		return;
	finding_add(finding, "icmp_type", end->icmp_type, UNIT_NONE, "ICMP");
	finding_add(finding, "icmp_code", end->icmp_code, UNIT_NONE, "ICMP");
}
