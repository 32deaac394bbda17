/* SPDX-License-Identifier: MIT */
/* The seam: checks, costs, notices and stand-ins are the same for a live kernel and for a recording. */
#include "collect/source_internal.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "collect/proc_counters.h"
#include "collect/sysctl.h"
#include "tcptriage/collect/redact.h"
#include "tcptriage/decode/inet_diag.h"

void source_close(struct source *source)
{
	if (!source)
		return;
	redactor_free(source->redactor);
	source->ops->close(source);
}

bool source_is_recorded(const struct source *source)
{
	return source->samples > 0;
}

unsigned source_samples(const struct source *source)
{
	return source->samples;
}

struct clock_reading source_clock(struct source *source, unsigned sample)
{
	return source->ops->clock(source, sample);
}

void source_set_redact(struct source *source)
{
	if (!source->redactor)
		source->redactor = redactor_new(0);
	source->host = redact_text(source->redactor, REDACT_HOST, source->host);
	if (strcmp(source->platform.asset, PLATFORM_ASSET_AZURE))
		source->platform.asset = "";
}

const char *source_host(const struct source *source)
{
	return source->host;
}

const char *source_kernel(const struct source *source)
{
	return source->kernel;
}

const struct platform *source_platform(const struct source *source)
{
	return &source->platform;
}

int source_namespaces(struct source *source, const char *wanted, const struct netns **list,
		      unsigned *others, struct err *err)
{
	struct redactor *r = source->redactor;
	int count = source->ops->namespaces(source, wanted, list, others, err);
	struct netns *copy;

	if (count <= 0 || !r)
		return count;
	copy = arena_alloc(source->arena, (size_t)count * sizeof(*copy));
	memcpy(copy, *list, (size_t)count * sizeof(*copy));
	for (int i = 0; i < count; i++) {
		copy[i].name = redact_text(r, REDACT_NETNS, copy[i].name);
		copy[i].container = redact_text(r, REDACT_CONTAINER, copy[i].container);
		copy[i].unit = redact_text(r, REDACT_UNIT, copy[i].unit);
	}
	*list = copy;
	return count;
}

int source_ns_open(struct source *source, const struct netns *ns, struct source_ns **out,
		   struct err *err)
{
	*out = NULL;
	return source->ops->ns_open(source, ns, out, err);
}

void source_ns_close(struct source_ns *ns)
{
	if (ns)
		ns->source->ops->ns_close(ns);
}

void source_ns_set_sample(struct source_ns *ns, unsigned sample)
{
	ns->sample = sample;
}

/* Stands between the decoder and the caller when stand-ins are wanted. */
struct disguise {
	struct redactor *redactor;
	source_socket_fn *fn;
	void *context;
};

static int disguise_socket(const struct sock *sock, void *context)
{
	struct disguise *disguise = context;
	struct sock copy = *sock;

	redact_sock(disguise->redactor, &copy);
	return disguise->fn(&copy, disguise->context);
}

/* What went wrong inside an answer is said once here, whoever asked. */
static void judge(struct source *source, const struct diag_request *request,
		  struct diag_result *result)
{
	const struct netlink_dump_result *dump = &result->dump;
	uint64_t bad = result->decode[DECODE_TRUNCATED] + result->decode[DECODE_MALFORMED];
	const char *netid = netid_name(request->netid);

	if (bad || dump->malformed)
		notices_add(source->notices, "sock_diag %s: %llu messages could not be decoded", netid,
			    (unsigned long long)(bad + dump->malformed));
	if (dump->interrupted)
		notices_add(source->notices,
			    "sock_diag %s: the kernel says that the dump was interrupted; sockets may be missing or stand twice",
			    netid);
	if (dump->truncated || dump->overruns)
		notices_add(source->notices, "sock_diag %s: a part of the answer was lost", netid);
	if (bad || dump->malformed || dump->interrupted || dump->truncated || dump->overruns)
		result->complete = false;
}

int source_sockets(struct source_ns *ns, const struct diag_request *request, source_socket_fn *fn,
		   void *context, struct diag_result *result, struct err *err)
{
	struct disguise disguise = { ns->source->redactor, fn, context };
	int64_t begin = clock_mono_us();
	int code;

	*result = (struct diag_result){ .complete = true };
	if (disguise.redactor)
		code = ns->source->ops->sockets(ns, request, disguise_socket, &disguise, result, err);
	else
		code = ns->source->ops->sockets(ns, request, fn, context, result, err);
	if (code)
		result->complete = false;
	judge(ns->source, request, result);
	result->cost_us = clock_mono_us() - begin;
	return code;
}

const struct sock *source_true_sock(const struct source *source, const struct sock *sock,
				    struct sock *copy)
{
	if (LIKELY(!source->redactor))
		return sock;
	*copy = *sock;
	redact_undo_sock(source->redactor, copy);
	return copy;
}

int source_socket_info(struct source_ns *ns, struct sock *sock, uint8_t *buf, size_t size)
{
	struct redactor *r = ns->source->redactor;
	int code;

	if (r)
		redact_undo_sock(r, sock); /* the kernel is asked by the true tuple */
	code = ns->source->ops->socket_info(ns, sock, buf, size);
	if (r)
		redact_sock(r, sock);
	return code;
}

int source_counters(struct source_ns *ns, struct counters *out, struct err *err)
{
	CLEANUP(out_close) struct out text = { .fd = -1 };
	int code = -ENOENT, read = 0;
	unsigned odd = 0;

	memset(out, 0, sizeof(*out));
	out_open_mem(&text);
	for (size_t i = 0; i < COUNTER_FILES; i++) {
		int failed;

		out_clear(&text);
		failed = ns->source->ops->proc_net(ns, counter_files[i].name, &text);
		if (failed) {
			code = failed;
			continue;
		}
		odd += counter_files[i].parse(out_text(&text), out);
		read++;
	}
	if (odd)
		notices_add(ns->source->notices,
			    "counters: lines of /proc/net had a shape that is not known; their counters are missing");
	return read ? 0 : err_errno(err, code, "cannot read the counters in /proc/net");
}

int source_ns_enter(struct source_ns *ns, struct err *err)
{
	int code;

	if (source_is_recorded(ns->source))
		return err_set(err, -EINVAL, "a recording has no network namespace to enter");
	code = ns->source->ops->sysctl_enter(ns);
	return code ? err_errno(err, code, "cannot enter network namespace '%s' (needs CAP_SYS_ADMIN: run as root)", ns->ns->name) : 0;
}

uint32_t source_ns_ifindex(struct source_ns *ns, const char *name)
{
	const struct source_ops *ops = ns->source->ops;
	uint32_t index;

	if (source_is_recorded(ns->source) || ops->sysctl_enter(ns))
		return 0;
	index = if_nametoindex(name);
	ops->sysctl_leave(ns);
	return index;
}

int source_sysctls(struct source_ns *ns, struct sysctls *out, struct err *err)
{
	const struct source_ops *ops = ns->source->ops;
	AUTO_FREE char *text = xmalloc(SYSCTL_TEXT_MAX);
	int code = ops->sysctl_enter(ns), read = 0;
	unsigned odd = 0;
	const char *path;

	memset(out, 0, sizeof(*out));
	if (code)
		return err_errno(err, code, "cannot enter the network namespace");
	for (size_t i = 0; (path = sysctl_path(i)); i++) {
		int n = ops->sysctl(ns, path, text, SYSCTL_TEXT_MAX);

		if (n < 0) {
			code = n;
			continue;
		}
		odd += sysctl_take(path, text, out);
		read++;
	}
	ops->sysctl_leave(ns);
	if (odd)
		notices_add(ns->source->notices, "sysctls: a value had a shape that is not known");
	return read ? 0 : err_errno(err, code, "cannot read the settings in /proc/sys/net");
}

int source_route(struct source_ns *ns, const struct addr *destination, struct route *out,
		 struct err *err)
{
	return source_route_via(ns, destination, 0, out, err);
}

int source_route_via(struct source_ns *ns, const struct addr *destination, uint32_t ifindex,
		     struct route *out, struct err *err)
{
	struct redactor *r = ns->source->redactor;
	int code;

	*out = (struct route){ .destination = *destination, .ifindex = ifindex };
	if (r)
		redact_undo_addr(r, &out->destination);
	code = ns->source->ops->route(ns, out, err);
	if (r)
		redact_route(r, out);
	return code;
}

int source_network(struct source_ns *ns, struct network *out, struct err *err)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };
	struct source *source = ns->source;
	int code = source->ops->network(ns, &list, err);

	*out = (struct network){ .policy_rules = -1 };
	if (code)
		return code;
	network_list_end(&list, source->arena, out);
	if (source->redactor)
		network_disguise(out, source->redactor, source->arena);
	return 0;
}

const char *source_cgroup_path(struct source *source, uint64_t id)
{
	const char *path = source->ops->cgroup_path(source, id);

	return path && source->redactor ? redact_text(source->redactor, REDACT_CGROUP, path) : path;
}

int source_owners(struct source *source, const uint32_t *wanted, size_t count,
		  struct owner_map **out, struct err *err)
{
	*out = NULL;
	return source->ops->owners(source, wanted, count, out, err);
}

int source_descriptors(struct source *source, struct descriptor_use *out, struct err *err)
{
	*out = (struct descriptor_use){ .count = 0 };
	return source->ops->descriptors(source, out, err);
}
