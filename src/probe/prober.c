/* SPDX-License-Identifier: MIT */
/* The seam between those who want probes sent and the kinds of prober. */
#include "tcptriage/probe/prober.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kinds.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/base/file.h"
#include "tcptriage/base/util.h"

static const struct prober_ops *const kinds[] = {
	[PROBER_UDP] = &prober_udp,
	[PROBER_ICMP] = &prober_icmp,
	[PROBER_TCP_DATA] = &prober_tcp_data,
	[PROBER_SYN] = &prober_syn,
	[PROBER_SYN_PORTS] = &prober_syn_ports,
	[PROBER_SYN_RAW] = &prober_syn_raw,
};
static_assert(ARRAY_SIZE(kinds) == PROBER_KIND_COUNT, "a table of functions for every kind");

static const struct prober_ops *ops_of(enum prober_kind kind)
{
	BUG_ON((size_t)kind >= ARRAY_SIZE(kinds) || !kinds[kind]);
	return kinds[kind];
}

int prober_allowed(enum prober_kind kind, enum addr_family family, struct err *err)
{
	return ops_of(kind)->allowed(family, err);
}

enum prober_hearing prober_hearing(enum probe_method method, enum addr_family family)
{
	static const enum prober_hearing by_sysctl[] = { HEARING_ALL, HEARING_NO_MTU, HEARING_NONE, HEARING_NONE };
	char text[8];
	unsigned mode;

	if (family == ADDR_V6 || file_read_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_no_pmtu_disc", text, sizeof(text)) < 1)
		return HEARING_ALL;
	mode = (unsigned)(text[0] - '0');
	if (mode >= ARRAY_SIZE(by_sysctl))
		return HEARING_ALL;
	/* 3: those of protocols that look at the quote before they believe it, which TCP does */
	return mode == 3 && method == PROBE_TCP ? HEARING_ALL : by_sysctl[mode];
}

int prober_open(struct prober **out, const struct prober_options *options, struct err *err)
{
	const struct prober_ops *ops = ops_of(options->kind);
	struct prober *prober = xcalloc(1, ops->size);
	int code;

	prober->ops = ops;
	prober->options = *options;
	prober->fd = -1;
	code = ops->open(prober, err);
	if (code) {
		prober_close(prober);
		return code;
	}
	*out = prober;
	return 0;
}

enum probe_method prober_method(const struct prober *prober)
{
	return prober->ops->method;
}

unsigned prober_most(const struct prober *prober)
{
	return prober->ops->most;
}

uint32_t prober_smallest(const struct prober *prober)
{
	return prober->ops->smallest(prober);
}

uint32_t prober_largest(const struct prober *prober)
{
	return prober->ops->largest(prober);
}

void prober_send(struct prober *prober, const struct probe_request *request)
{
	prober->ops->send(prober, request, clock_mono_us());
}

int prober_fd(const struct prober *prober)
{
	return prober->fd;
}

void prober_ready(struct prober *prober, const struct probe_outcome *outcome)
{
	if (prober->ready_count < PENDING_MAX)
		prober->ready[prober->ready_count++] = *outcome;
}

bool prober_next(struct prober *prober, int64_t now_us, struct probe_outcome *outcome)
{
	if (prober->ready_count) {
		*outcome = prober->ready[0];
		memmove(prober->ready, prober->ready + 1, --prober->ready_count * sizeof(prober->ready[0]));
		return true;
	}
	if (prober->ops->next(prober, now_us, outcome))
		return true;
	pending_expire(&prober->pending, now_us);
	return false;
}

const struct prober_counts *prober_counts(const struct prober *prober)
{
	return &prober->counts;
}

void prober_close(struct prober *prober)
{
	if (!prober)
		return;
	prober->ops->close(prober);
	if (prober->fd >= 0)
		close(prober->fd);
	free(prober);
}
