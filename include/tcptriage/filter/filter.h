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
 * @families: bit 0 IPv4, bit 1 IPv6 that can match at all.
 */
struct filter {
	const struct filter_node *root;
	uint32_t states;
	unsigned needs;
	unsigned families;
};

/** What judging needs beside the base message: bits of filter.needs. */
enum filter_needs {
	FILTER_NEEDS_OWNERS = 1 << 0,	/* pid, comm, user of a holder */
	FILTER_NEEDS_TCP_INFO = 1 << 1, /* rtt, cwnd, … */
	FILTER_NEEDS_SKMEM = 1 << 2,
	FILTER_NEEDS_CGROUP = 1 << 3,
	FILTER_NEEDS_MARK = 1 << 4,
	FILTER_NEEDS_SOCKOPT = 1 << 5,	/* autobound */
};

/**
 * filter_parse() - parse words as they came from the command line (each may hold several tokens) into @arena.
 * Grammar: [state NAME|exclude NAME]… [expression]. Host and service names are resolved here; interface names too (the index is kept).
 * Return: 0; -EINVAL with @err quoting the offending text and offering the nearest right word.
 */
int filter_parse(struct filter *filter, struct arena *arena, int count, char *const words[],
		 struct err *err);

/**
 * filter_compile() - bytecode for INET_DIAG_REQ_BYTECODE (struct inet_diag_bc_op, include/uapi/linux/inet_diag.h) that selects a proven
 * superset of what the filter selects: predicates of our own become "true" in positive and in negated position alike.
 * @code: points at arena memory; NULL with @len 0 when the kernel would select everything anyway.
 * @exact: true when the program selects exactly the filter's sockets, so that filter_judge() need not be asked.
 * Return: 0, or -E2BIG with @err when the program would exceed what its 16-bit offsets reach.
 */
int filter_compile(const struct filter *filter, struct arena *arena, const void **code, size_t *len,
		   bool *exact, struct err *err);

/**
 * struct filter_facts - what the judge may need beside the socket.
 * @holders, @holder_count: owners of this socket. @cgroup: cgroup v2 path by id, "" unknown. @port_lo, @port_hi: ephemeral range, for autobound.
 */
struct filter_facts {
	const struct holder *holders;
	size_t holder_count;
	const char *cgroup;
	uint16_t port_lo, port_hi;
};

/**
 * filter_judge() - the whole expression (states too) on one socket. A predicate whose fact is absent is false in either polarity
 * (`not rtt > 1ms` is false for a socket without rtt): absent is not zero.
 */
bool filter_judge(const struct filter *filter, const struct sock *sock,
		  const struct filter_facts *facts);

/** filter_word() - the @index-th keyword or predicate for completion, NULL after the last. */
const char *filter_word(size_t index);

#endif
