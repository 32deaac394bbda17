/* SPDX-License-Identifier: MIT */
/* What stands behind the seam of source.h: two kinds of source, one table of functions each. */
#ifndef COLLECT_SOURCE_INTERNAL_H
#define COLLECT_SOURCE_INTERNAL_H

#include "collect/network_list.h"
#include "tcptriage/collect/source.h"

struct redactor;

/** struct source_ops - one kind of source; each member answers the function of source.h that carries its name.
 * @proc_net: the text of a file below /proc/net, appended; 0 or -errno. @sysctl: of one below /proc/sys/net, between @sysctl_enter and
 * @sysctl_leave; its length or -errno. @route: fills what @route->destination asks. @network: fills @list, true names and addresses. */
struct source_ops {
	void (*close)(struct source *source);
	struct clock_reading (*clock)(struct source *source, unsigned sample);
	int (*namespaces)(struct source *source, const char *wanted, const struct netns **list,
			  unsigned *others, struct err *err);
	int (*ns_open)(struct source *source, const struct netns *ns, struct source_ns **out,
		       struct err *err);
	void (*ns_close)(struct source_ns *ns);
	int (*sockets)(struct source_ns *ns, const struct diag_request *request,
		       source_socket_fn *fn, void *context, struct diag_result *result,
		       struct err *err);
	int (*socket_info)(struct source_ns *ns, struct sock *sock, uint8_t *buf, size_t size);
	int (*proc_net)(struct source_ns *ns, const char *file, struct out *out);
	int (*sysctl)(struct source_ns *ns, const char *path, char *buf, size_t size);
	int (*sysctl_enter)(struct source_ns *ns);
	void (*sysctl_leave)(struct source_ns *ns);
	int (*route)(struct source_ns *ns, struct route *route, struct err *err);
	int (*network)(struct source_ns *ns, struct network_list *list, struct err *err);
	int (*owners)(struct source *source, const uint32_t *wanted, size_t count,
		      struct owner_map **out, struct err *err);
	int (*descriptors)(struct source *source, struct descriptor_use *out, struct err *err);
	const char *(*cgroup_path)(struct source *source, uint64_t id);
};

/** struct source - the part that both kinds share; each embeds it first. @samples: 0 for a live source. */
struct source {
	const struct source_ops *ops;
	struct arena *arena;
	struct notices *notices;
	struct redactor *redactor;
	const char *host, *kernel;
	struct platform platform;
	unsigned samples;
};

/** struct source_ns - an opened namespace; each kind embeds it first. */
struct source_ns {
	struct source *source;
	const struct netns *ns;
	unsigned sample;
};

#endif
