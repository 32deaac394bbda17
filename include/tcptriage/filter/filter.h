/* SPDX-License-Identifier: MIT */
/* The filter language: ss's grammar plus predicates of our own. Text becomes a tree; the tree becomes sock_diag bytecode where the
 * kernel can judge, and is judged here on a struct sock for the rest. */
#ifndef TCPTRIAGE_FILTER_FILTER_H
#define TCPTRIAGE_FILTER_FILTER_H

#include "tcptriage/base/arena.h"
#include "tcptriage/base/err.h"
#include "tcptriage/model/owner.h"

struct filter_node;

/**
 * struct filter - a parsed filter; owned by the arena it was parsed into.
 * @root: expression tree, NULL when only states (or nothing) were given.
 * @states: mask asked for with `state`/`exclude`; 0 when none was given. @needs: FILTER_NEEDS_* of the whole tree.
 * @families: bit 0 IPv4, bit 1 IPv6 that can match at all. The kernel must not be asked for others: `inet:` and `inet6:` stand nowhere else.
 */
struct filter {
	const struct filter_node *root;
	uint32_t states;
	unsigned needs;
	unsigned families;
};

/** What judging needs beside the base message: bits of filter.needs. */
enum filter_needs {
	FILTER_NEEDS_OWNERS = 1 << 0,	  /* pid, comm */
	FILTER_NEEDS_TCP_INFO = 1 << 1,	  /* rtt, cwnd, … */
	FILTER_NEEDS_SKMEM = 1 << 2,	  /* rcvbuf, drops, … */
	FILTER_NEEDS_CGROUP = 1 << 3,	  /* the cgroup's path in the facts; its id comes with every socket */
	FILTER_NEEDS_MARK = 1 << 4,	  /* fwmark: the kernel tells it only with CAP_NET_ADMIN */
	FILTER_NEEDS_PORT_RANGE = 1 << 5, /* autobound */
};

#define FILTER_HOSTS_MAX 32

/**
 * struct filter_world - where the names in a filter come from. A function may be NULL: such names are then refused, and a cgroup is
 * judged by the path in the facts instead of by its id.
 * @hosts: addresses of a host name into @out (at most @max). Return: their number, 0 unknown.
 * @service: port of a service name. @interface: index of an interface name, 0 unknown. @user: uid of a user name.
 * @cgroup: id of a cgroup v2 path, 0 unknown.
 */
struct filter_world {
	unsigned (*hosts)(const char *name, struct addr *out, unsigned max);
	bool (*service)(const char *name, uint16_t *port);
	uint32_t (*interface)(const char *name);
	bool (*user)(const char *name, uint32_t *uid);
	uint64_t (*cgroup)(const char *path);
};
/** filter_world_live - this machine, in the network namespace that the caller is in. */
extern const struct filter_world filter_world_live;
/** filter_world_recorded - for a recording, whose interfaces, users and cgroups are not those of this machine. */
extern const struct filter_world filter_world_recorded;

/**
 * filter_parse() - parse words as they came from the command line (each may hold several tokens) into @arena.
 * Grammar: [state NAME|exclude NAME]… [expression]. As in ss, `and` and `or` bind alike, from left to right; `not` takes one term.
 * Names are resolved here, in @world.
 * `retrans` is the total that ss shows behind the slash; tcp_info fields may be written tcpi_NAME where a shorter word hides them.
 * Return: 0; -EINVAL with @err quoting the offending text and offering the nearest right word.
 */
int filter_parse(struct filter *filter, struct arena *arena, const struct filter_world *world,
		    int count, char *const words[], struct err *err);

/**
 * filter_compile() - bytecode for INET_DIAG_REQ_BYTECODE (struct inet_diag_bc_op, include/uapi/linux/inet_diag.h) that selects a proven
 * superset of what the filter selects: predicates of our own become "true" in positive and in negated position alike.
 * `autobound` is judged twice, as ss does: by the kernel (the port was not asked for) and here (it lies in the ephemeral range).
 * @code: points at arena memory; NULL with @len 0 when the kernel would select everything anyway.
 * @exact: true when the program selects exactly the filter's sockets, so that filter_judge() need not be asked.
 * Return: 0, or -E2BIG with @err when the program would exceed what its 16-bit offsets reach.
 */
int filter_compile(const struct filter *filter, struct arena *arena, const void **code, size_t *len,
		   bool *exact, struct err *err);

/**
 * struct filter_facts - what the judge may need beside the socket.
 * @holders, @holder_count: owners of this socket. @cgroup: cgroup v2 path by id, "" or NULL unknown. @port_lo, @port_hi: ephemeral
 * range, for autobound; 0 unknown.
 */
struct filter_facts {
	const struct holder *holders;
	size_t holder_count;
	const char *cgroup;
	uint16_t port_lo, port_hi;
};

/**
 * filter_judge() - the whole expression (states and families too) on one socket. A predicate whose fact is absent is false in either
 * polarity (`not rtt > 1ms` is false for a socket without rtt): absent is not zero. What the kernel reports as 0 for "not measured"
 * is absent, and so is tcp_info of a listener. @facts may be NULL: nothing known.
 */
bool filter_judge(const struct filter *filter, const struct sock *sock,
		  const struct filter_facts *facts);

/** filter_word() - the @index-th keyword or predicate for completion, NULL after the last. */
const char *filter_word(size_t index);

#endif
