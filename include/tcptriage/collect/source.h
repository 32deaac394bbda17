/* SPDX-License-Identifier: MIT */
/* Where facts come from: a live kernel or a recorded directory, behind one seam. Every caller asks here, so that what was seen on
 * call can be replayed elsewhere and tests run without root.
 *
 * A source is opened once; each network namespace that is looked at is opened from it. A recorded source also brings the clock:
 * source_clock() of sample n is the moment at which it was taken. */
#ifndef TCPTRIAGE_COLLECT_SOURCE_H
#define TCPTRIAGE_COLLECT_SOURCE_H

#include "tcptriage/base/arena.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/base/err.h"
#include "tcptriage/base/notices.h"
#include "tcptriage/collect/netlink.h"
#include "tcptriage/model/counters.h"
#include "tcptriage/model/descriptors.h"
#include "tcptriage/model/netns.h"
#include "tcptriage/model/network.h"
#include "tcptriage/model/owner.h"
#include "tcptriage/model/platform.h"
#include "tcptriage/model/route.h"
#include "tcptriage/model/sysctls.h"

/** Extensions to ask for: bits of diag_request.ext (1 << (INET_DIAG_x − 1) where the kernel's number is below 9). */
#define DIAG_EXT_MEMINFO (1u << 0)
#define DIAG_EXT_INFO (1u << 1)
#define DIAG_EXT_VEGASINFO (1u << 2)
#define DIAG_EXT_CONG (1u << 3)
#define DIAG_EXT_TOS (1u << 4)
#define DIAG_EXT_TCLASS (1u << 5)
#define DIAG_EXT_SKMEMINFO (1u << 6)
#define DIAG_EXT_ALL 0xffu

/**
 * struct diag_request - one question to sock_diag.
 * @netid: TCP or UDP. @families: bit 0 IPv4, bit 1 IPv6 (asked one after the other). @states: mask of STATE_BIT().
 * @ext: DIAG_EXT_*. @bytecode, @bytecode_len: INET_DIAG_REQ_BYTECODE program or NULL; a recorded source ignores it (the caller judges).
 */
struct diag_request {
	enum netid netid;
	unsigned families;
	uint32_t states;
	unsigned ext;
	const void *bytecode;
	size_t bytecode_len;
};

/**
 * struct diag_result - how one answer went.
 * @complete: nothing was interrupted, cut, lost or malformed. @sockets: delivered to the caller. @decode: counts by outcome.
 * @tcp_info_len: longest tcp_info seen. @cost_us: wall time.
 */
struct diag_result {
	bool complete;
	uint64_t sockets;
	uint64_t decode[4];
	struct netlink_dump_result dump;
	unsigned tcp_info_len;
	int64_t cost_us;
};

/** source_socket_fn - one socket; @sock is valid during the call only. Return: 0 to go on, <0 to stop with that errno. */
typedef int source_socket_fn(const struct sock *sock, void *context);

struct source;
struct source_ns;
struct owner_map;

/** source_open_live() - the running kernel. @notices: where missing pieces are said. Return: 0 or -errno with @err. */
int source_open_live(struct source **out, struct arena *arena, struct notices *notices, struct err *err);
/** source_open_recorded() - a directory written by record_run(). Return: 0 or -errno with @err (not a recording, wrong version). */
int source_open_recorded(struct source **out, const char *dir, struct arena *arena,
			 struct notices *notices, struct err *err);
/** source_close() - releases everything; NULL is fine. */
void source_close(struct source *source);

/** source_is_recorded() - the source is a directory. */
bool source_is_recorded(const struct source *source);
/** source_samples() - number of samples a recording holds; 0 for a live source (as many as wanted). */
unsigned source_samples(const struct source *source);
/** source_clock() - the clocks of sample @sample: now for a live source. */
struct clock_reading source_clock(struct source *source, unsigned sample);
/**
 * source_set_redact() - from now on deliver addresses, names and paths as stand-ins (redact.h), so that every printer agrees. Before the
 * first namespace is looked for. A filter is judged by source_true_sock().
 */
void source_set_redact(struct source *source);
/**
 * source_true_sock() - the socket to judge a user's filter on: @sock itself, or @copy with the true addresses in place of stand-ins.
 * @copy: the caller's storage. Names of owners and cgroups stay stand-ins, and so do the addresses of a recording that was redacted.
 */
const struct sock *source_true_sock(const struct source *source, const struct sock *sock,
				    struct sock *copy);
/** source_host() - host name, as recorded or as uname() tells. */
const char *source_host(const struct source *source);
/** source_kernel() - kernel release. */
const char *source_kernel(const struct source *source);
/** source_platform() - what the firmware says of the machine, or said when it was recorded. With stand-ins an asset tag is only told when it is a cloud's. */
const struct platform *source_platform(const struct source *source);

/**
 * source_namespaces() - find the namespaces to look at.
 * @wanted: NULL for the one we are in, "" for all, else a name below /run/netns, a pid or a path.
 * @list: array owned by the arena. @others: how many distinct others exist that were not asked for.
 * Return: number of entries, or -errno with @err ('no network namespace named …').
 */
int source_namespaces(struct source *source, const char *wanted, const struct netns **list,
		      unsigned *others, struct err *err);
/** source_ns_open() - get ready to ask in @ns (which must outlive it). Return: 0 or -errno with @err. */
int source_ns_open(struct source *source, const struct netns *ns, struct source_ns **out,
		   struct err *err);
/**
 * source_ns_enter() - move the calling thread into the namespace for good: what it opens from now on is opened there.
 * Return: 0, -EPERM with @err when it may not, -EINVAL with @err for a recording.
 */
int source_ns_enter(struct source_ns *ns, struct err *err);
/** source_ns_close() - releases it; NULL is fine. */
void source_ns_close(struct source_ns *ns);
/** source_ns_set_sample() - which sample of a recording the next questions mean; a no-op for a live source. */
void source_ns_set_sample(struct source_ns *ns, unsigned sample);

/**
 * source_sockets() - ask sock_diag and feed every socket that matches netid, family and states to @fn. A dump that was
 * interrupted is not repeated here (rows may have been printed): @result->complete tells.
 * Return: 0, or -errno with @err when the kernel refuses (-ENOENT: no inet_diag module; -EPERM: the filter needs privilege).
 */
int source_sockets(struct source_ns *ns, const struct diag_request *request, source_socket_fn *fn,
		   void *context, struct diag_result *result, struct err *err);
/** Room that an answer about one socket takes at most: fixed part, tcp_info, skmem and whatever else the kernel adds. */
#define SOURCE_SOCKET_BYTES 2048
/** source_socket_info() - tcp_info and skmem of one socket, found by tuple and cookie (0: as sock_diag_one()); @buf holds the answer that @sock->info points into. Return: 0, -ENOENT when it is gone. */
int source_socket_info(struct source_ns *ns, struct sock *sock, uint8_t *buf, size_t size);
/** source_counters() - counters of this namespace now. Return: 0, or -errno with @err when no file could be read. */
int source_counters(struct source_ns *ns, struct counters *out, struct err *err);
/** source_sysctls() - settings of this namespace. Return: as source_counters(). */
int source_sysctls(struct source_ns *ns, struct sysctls *out, struct err *err);
/** source_ns_ifindex() - index of the interface named @name in this namespace. Return: 0 when there is none, or for a recording. */
uint32_t source_ns_ifindex(struct source_ns *ns, const char *name);
/** source_route() - what this host does with packets to @destination. Return: 0 (the kernel's refusal is in out->error), or -errno when rtnetlink itself failed or the recording does not hold it (-ENODATA). */
int source_route(struct source_ns *ns, const struct addr *destination, struct route *out,
		 struct err *err);
/** source_route_via() - the same for packets that are bound to the interface @ifindex (SO_BINDTODEVICE, a link-local destination); 0: as source_route(). A recording knows no such question and answers that one. */
int source_route_via(struct source_ns *ns, const struct addr *destination, uint32_t ifindex, struct route *out, struct err *err);
/**
 * source_network() - interfaces, addresses, routes, number of policy rules of this namespace now. With stand-ins the addresses are left out (network.disguised).
 * @out: its arrays live as long as the source's arena. Return: 0, or -errno with @err when rtnetlink refuses or the recording does not hold it (-ENODATA).
 */
int source_network(struct source_ns *ns, struct network *out, struct err *err);

/**
 * source_cgroup_path() - cgroup v2 path of a socket's cgroup_id, found by a walk of the cgroup2 mount (cached, bounded).
 * Return: owned by the source; NULL when there is no such cgroup, or no cgroup2 mount to look at.
 */
const char *source_cgroup_path(struct source *source, uint64_t id);

/**
 * source_owners() - who holds which socket.
 * @wanted: inodes to find, in any order (0 and repetitions do no harm), or NULL for every socket of every process. @count: of @wanted.
 * One pass over /proc that stops when every wanted inode is found (then only the first holder of each is certain).
 * Return: 0 with a map to be released by owner_map_free(), or -errno with @err (no /proc).
 */
int source_owners(struct source *source, const uint32_t *wanted, size_t count,
		  struct owner_map **out, struct err *err);
/**
 * owner_map_second_look() - another pass, for those of @inodes (sorted ascending) that have no holder yet. What is found joins the map;
 * pointers that owner_map_find() gave earlier are void, processes stay. A no-op when nothing is unknown or in a recording.
 */
void owner_map_second_look(struct owner_map *map, const uint32_t *inodes, size_t count);
/** owner_map_find() - holders of @inode. Return: their number; *@holders points at the first; 0 when none is known. */
size_t owner_map_find(const struct owner_map *map, uint32_t inode, const struct holder **holders);
/**
 * owner_map_reason() - why @sock has no holder: from its state, or from what the pass could not read. OWNER_KNOWN when it has one.
 * A pass for wanted inodes: an inode that was not wanted is OWNER_RACED. Otherwise, and for a whole pass: a process that could not be
 * read makes it OWNER_NO_PERMISSION, a /proc that does not show every process OWNER_OTHER_PID_NAMESPACE. If every process was read: an
 * inode that was looked for by number (wanted, or in a second look) is OWNER_KERNEL, any other appeared or vanished meanwhile: OWNER_RACED.
 */
enum owner_unknown owner_map_reason(const struct owner_map *map, const struct sock *sock);
/** owner_map_cost_us() - wall time of the passes. */
int64_t owner_map_cost_us(const struct owner_map *map);
/** owner_map_denied() - processes whose descriptors could not be read for lack of permission. */
unsigned owner_map_denied(const struct owner_map *map);
/** owner_map_free() - releases it; NULL is fine. */
void owner_map_free(struct owner_map *map);

/**
 * source_descriptors() - the processes that have opened much of what they may, worst first, with their sockets. A recording knows only processes
 * that hold sockets. What is said of one namespace is left zero. @out: its arrays and strings live as long as the source's arena.
 * Return: 0, or -errno with @err (no /proc).
 */
int source_descriptors(struct source *source, struct descriptor_use *out, struct err *err);

#endif
