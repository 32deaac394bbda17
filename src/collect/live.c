/* SPDX-License-Identifier: MIT */
/* The running kernel as a source.
 *
 * Sockets stay in the namespace in which they were made, but /proc/net and /proc/sys/net mean that of the thread which looks a name up
 * there, even below a directory that was opened elsewhere: for those the thread enters the namespace, reads, and comes back. */
#include "collect/live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "collect/descriptors.h"
#include "collect/namespaces.h"
#include "collect/network_dump.h"
#include "collect/owner_map.h"
#include "collect/rtnetlink.h"
#include "tcptriage/base/file.h"
#include "tcptriage/collect/cgroup.h"
#include "tcptriage/collect/sock_diag.h"

#define PROC_NET_MAX (1024 * 1024)
#define DMI_MAX 64

/* struct live - @proc: an open /proc. @home: the namespace in which we began, -1 when it cannot be opened (then no other is entered). @dmi: texts that base.platform
 * points at. */
struct live {
	struct source base;
	int proc, home;
	struct cgroup_index *cgroups;
	struct utsname uts;
	char dmi[3][DMI_MAX];
};

static struct live *live_of(struct source_ns *ns)
{
	return (struct live *)ns->source;
}

int live_ns_enter(struct live_ns *ns)
{
	if (ns->fd < 0)
		return 0;
	if (live_of(&ns->base)->home < 0)
		return -EPERM;
	return setns(ns->fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

void live_ns_leave(struct live_ns *ns)
{
	/* Whatever is read next would be another namespace's truth under the wrong name. */
	if (ns->fd >= 0)
		BUG_ON(setns(live_of(&ns->base)->home, CLONE_NEWNET) < 0);
}

static int open_inside(struct live_ns *ns, struct netlink *nl, int protocol, struct err *err)
{
	int code;

	if (nl->sock)
		return 0;
	code = live_ns_enter(ns);
	if (code)
		return err_errno(err, code,
				 "cannot enter network namespace '%s' (needs CAP_SYS_ADMIN: run as root)",
				 ns->base.ns->name);
	code = netlink_open(nl, protocol, err);
	live_ns_leave(ns);
	return code;
}

int live_ns_diag(struct live_ns *ns, struct netlink **nl, struct err *err)
{
	*nl = &ns->diag;
	return open_inside(ns, &ns->diag, NETLINK_SOCK_DIAG, err);
}

static void close_live(struct source *source)
{
	struct live *live = (struct live *)source;

	close_fd(&live->proc);
	close_fd(&live->home);
	cgroup_index_free(live->cgroups);
	free(live);
}

static struct clock_reading live_clock(struct source *source, unsigned sample)
{
	(void)source;
	(void)sample;
	return clock_now();
}

static int live_namespaces(struct source *source, const char *wanted, const struct netns **list,
			   unsigned *others, struct err *err)
{
	return namespaces_find(((struct live *)source)->proc, wanted, source->arena,
			       source->notices, list, others, err);
}

static int live_ns_open(struct source *source, const struct netns *ns, struct source_ns **out,
			struct err *err)
{
	struct live_ns *opened;
	int fd = -1, code;

	if (ns->path) {
		fd = namespaces_open(ns, err);
		if (fd < 0)
			return fd;
	}
	opened = xcalloc(1, sizeof(*opened));
	*opened = (struct live_ns){ .base = { .source = source, .ns = ns }, .fd = fd };
	code = live_ns_enter(opened);
	if (code) {
		close_fd(&opened->fd);
		free(opened);
		return err_errno(err, code,
				 "cannot enter network namespace '%s' (needs CAP_SYS_ADMIN: run as root)",
				 ns->name);
	}
	live_ns_leave(opened);
	*out = &opened->base;
	return 0;
}

static void live_ns_close(struct source_ns *base)
{
	struct live_ns *ns = (struct live_ns *)base;

	netlink_close(&ns->diag);
	netlink_close(&ns->route);
	close_fd(&ns->fd);
	free(ns);
}

static int live_sockets(struct source_ns *base, const struct diag_request *request,
			source_socket_fn *fn, void *context, struct diag_result *result,
			struct err *err)
{
	struct netlink *nl;
	int code = live_ns_diag((struct live_ns *)base, &nl, err);

	return code ? code : sock_diag_ask(nl, request, fn, context, result, err);
}

static int live_socket_info(struct source_ns *base, struct sock *sock, uint8_t *buf, size_t size)
{
	struct netlink *nl;
	int code = live_ns_diag((struct live_ns *)base, &nl, NULL);

	return code ? code : sock_diag_one(nl, sock, buf, size);
}

static int live_proc_net(struct source_ns *base, const char *file, struct out *out)
{
	struct live_ns *ns = (struct live_ns *)base;
	AUTO_FD int dir = -1;
	int code = live_ns_enter(ns);

	if (code)
		return code;
	dir = openat(live_of(base)->proc, "thread-self/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	code = dir < 0 ? -errno : file_slurp_at(dir, file, out, PROC_NET_MAX);
	live_ns_leave(ns);
	return code;
}

static int live_sysctl_enter(struct source_ns *base)
{
	return live_ns_enter((struct live_ns *)base);
}

static void live_sysctl_leave(struct source_ns *base)
{
	live_ns_leave((struct live_ns *)base);
}

static int live_sysctl(struct source_ns *base, const char *path, char *buf, size_t size)
{
	char below[128];

	BUG_ON(snprintf(below, sizeof(below), "sys/net/%s", path) >= (int)sizeof(below));
	return (int)file_read_at(live_of(base)->proc, below, buf, size);
}

static int live_route(struct source_ns *base, struct route *route, struct err *err)
{
	struct live_ns *ns = (struct live_ns *)base;
	int code = open_inside(ns, &ns->route, NETLINK_ROUTE, err);

	return code ? code : rtnetlink_route(&ns->route, route, err);
}

/* A socket of its own: it may be left in the middle of a dump. */
static int live_network(struct source_ns *base, struct network_list *list, struct err *err)
{
	struct netlink nl CLEANUP(netlink_close) = { .sock = NULL };
	int code = open_inside((struct live_ns *)base, &nl, NETLINK_ROUTE, err);

	return code ? code : network_dump(&nl, list, err);
}

static int live_owners(struct source *source, const uint32_t *wanted, size_t count,
		       struct owner_map **out, struct err *err)
{
	return owners_scan(((struct live *)source)->proc, wanted, count, source->redactor,
			   source->notices, out, err);
}

static int live_descriptors(struct source *source, struct descriptor_use *out, struct err *err)
{
	return descriptors_scan(((struct live *)source)->proc, source->redactor, source->notices,
				source->arena, out, err);
}

static const char *live_cgroup_path(struct source *source, uint64_t id)
{
	return cgroup_path_of(((struct live *)source)->cgroups, id);
}

static const struct source_ops live_ops = {
	.close = close_live,
	.clock = live_clock,
	.namespaces = live_namespaces,
	.ns_open = live_ns_open,
	.ns_close = live_ns_close,
	.sockets = live_sockets,
	.socket_info = live_socket_info,
	.proc_net = live_proc_net,
	.sysctl = live_sysctl,
	.sysctl_enter = live_sysctl_enter,
	.sysctl_leave = live_sysctl_leave,
	.route = live_route,
	.network = live_network,
	.owners = live_owners,
	.descriptors = live_descriptors,
	.cgroup_path = live_cgroup_path,
};

struct live_ns *live_ns_of(struct source_ns *ns)
{
	return ns->source->ops == &live_ops ? (struct live_ns *)ns : NULL;
}

/* One line of text, or nothing: what is longer than any name that is known says nothing either. */
static const char *read_dmi(const char *path, char text[DMI_MAX])
{
	size_t len;

	if (file_read_at(AT_FDCWD, path, text, DMI_MAX) < 0)
		return "";
	len = strcspn(text, "\n");
	while (len && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
	return text;
}

static struct platform read_platform(char dmi[3][DMI_MAX])
{
	return (struct platform){ .vendor = read_dmi("/sys/class/dmi/id/sys_vendor", dmi[0]),
				  .product = read_dmi("/sys/class/dmi/id/product_name", dmi[1]),
				  .asset = read_dmi("/sys/class/dmi/id/chassis_asset_tag", dmi[2]) };
}

int source_open_live(struct source **out, struct arena *arena, struct notices *notices, struct err *err)
{
	struct live *live;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = NULL;
	if (proc < 0)
		return err_errno(err, -errno, "cannot open /proc");
	live = xcalloc(1, sizeof(*live));
	uname(&live->uts);
	live->base = (struct source){ .ops = &live_ops,
				      .arena = arena,
				      .notices = notices,
				      .host = live->uts.nodename,
				      .kernel = live->uts.release,
				      .platform = read_platform(live->dmi) };
	live->proc = proc;
	live->home = openat(proc, "thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	live->cgroups = cgroup_index_new(NULL);
	*out = &live->base;
	return 0;
}
