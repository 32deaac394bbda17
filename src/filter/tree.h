/* SPDX-License-Identifier: MIT */
/* The tree behind a filter, in negation normal form: only leaves are negated, so that the compiler and the judge see the same leaf in
 * the same polarity. */
#ifndef TCPTRIAGE_FILTER_TREE_H
#define TCPTRIAGE_FILTER_TREE_H

#include "tcptriage/filter/filter.h"

/** Bounds that keep recursion and memory small whatever the text says. */
#define TREE_DEPTH_MAX 200
#define TREE_NODES_MAX 8192

#define PORT_MAX 65535

/** enum node_kind - inner nodes, then what the kernel can judge, then what only we can. */
enum node_kind {
	NODE_AND,
	NODE_OR,
	NODE_ALWAYS,
	NODE_HOST,
	NODE_PORT,
	NODE_DEV,
	NODE_MARK,
	NODE_CGROUP,
	NODE_AUTOBOUND,
	NODE_CGROUP_PATH,
	NODE_PID,
	NODE_COMM,
	NODE_USER,
	NODE_NUMBER,
};
#define NODE_FIRST_OWN NODE_CGROUP_PATH

/** enum compare_op - operators; "not equal" is a negated OP_EQ in the tree. */
enum compare_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

/**
 * struct fact - a number of a socket that can be compared.
 * @get: reads it; false when the socket does not have it. @arg: for @get. @scale: to the unit of the compared value (µs for times).
 * @needs: FILTER_NEEDS_*.
 */
struct fact {
	const char *name;
	bool (*get)(const struct sock *sock, unsigned arg, uint64_t *value);
	unsigned arg, needs;
	enum unit unit;
	unsigned scale;
};

/**
 * struct filter_node - one node. Inner nodes: @first … by @next. Leaves: the member of the union that belongs to @kind.
 * @peer: the leaf means the peer's side. @depth: levels below and including this one.
 */
struct filter_node {
	uint8_t kind, op;
	bool negated, peer;
	uint16_t depth;
	struct filter_node *first, *last, *next;
	union {
		struct {
			struct addr addr;
			uint8_t bits;
			int32_t port; /* -1 any */
		} host;
		struct {
			int32_t lo, hi; /* empty when lo > hi */
		} port;
		struct {
			uint32_t value, mask;
		} mark;
		struct {
			struct fact fact;
			uint64_t value;
		} number;
		uint64_t cgroup_id;
		uint32_t ifindex, pid, uid;
		const char *pattern; /* NODE_COMM, NODE_CGROUP_PATH */
	};
};

/** fact_find() - a comparable number by its name: our word, tcpi_NAME or the kernel's NAME. Return: false when unknown. */
bool fact_find(const char *name, struct fact *out);
/** fact_word() - the @index-th name for completion and suggestions, NULL after the last. */
const char *fact_word(size_t index);

#endif
