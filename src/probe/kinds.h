/* SPDX-License-Identifier: MIT */
/* What stands behind prober.h: one table of functions a kind, and what the kinds share. */
#ifndef PROBE_KINDS_H
#define PROBE_KINDS_H

#include "tcptriage/probe/prober.h"

/** Probes under way that are remembered at most; an older one makes room. */
#define PENDING_MAX 256

/**
 * struct prober_ops - one kind; each member answers the function of prober.h that carries its name. @size: of its own struct, which begins with a struct prober; zeroed for @open.
 */
struct prober_ops {
	enum probe_method method;
	unsigned most;
	size_t size;
	int (*allowed)(enum addr_family family, struct err *err);
	int (*open)(struct prober *prober, struct err *err);
	uint32_t (*smallest)(const struct prober *prober);
	uint32_t (*largest)(const struct prober *prober);
	void (*send)(struct prober *prober, const struct probe_request *request, int64_t now_us);
	bool (*next)(struct prober *prober, int64_t now_us, struct probe_outcome *outcome);
	void (*close)(struct prober *prober);
};

/** struct pending - probes under way. */
struct pending {
	struct pending_probe {
		struct probe_request request;
		int64_t sent_us;
	} at[PENDING_MAX];
	unsigned count;
};

/** struct prober - the part that all kinds share. @fd: what prober_fd() gives, closed by prober_close(); −1 none. @ready: outcomes of prober_send() itself, first in first out. */
struct prober {
	const struct prober_ops *ops;
	struct prober_options options;
	struct prober_counts counts;
	struct pending pending;
	struct probe_outcome ready[PENDING_MAX];
	unsigned ready_count;
	int fd;
};

/** pending_add() - remember @request, sent at @now_us. */
void pending_add(struct pending *pending, const struct probe_request *request, int64_t now_us);
/** pending_find() - by id; NULL when it is not under way. */
struct pending_probe *pending_find(struct pending *pending, uint32_t id);
/** pending_end() - it is over: fills id, lane, size, hop limit and rtt of @outcome from it and forgets it. @outcome: the rest stays as it is. */
void pending_end(struct pending *pending, struct pending_probe *probe, int64_t now_us, struct probe_outcome *outcome);
/** pending_expire() - forget those whose deadline has passed. */
void pending_expire(struct pending *pending, int64_t now_us);

/** prober_ready() - an outcome that is known at once, delivered by the next prober_next(). */
void prober_ready(struct prober *prober, const struct probe_outcome *outcome);

/* The kinds, a file each. */
extern const struct prober_ops prober_udp, prober_icmp, prober_tcp_data, prober_syn, prober_syn_ports, prober_syn_raw;

#endif
