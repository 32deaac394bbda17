/* SPDX-License-Identifier: MIT */
/* The user-space judge: the same answer as the kernel's for what the kernel can judge (net/ipv4/inet_diag.c), and ours for the rest. */
#include <fnmatch.h>
#include <string.h>

#include "filter/tree.h"

/** enum truth - an answer, or none because the fact is absent. */
enum truth { TRUTH_NO, TRUTH_YES, TRUTH_ABSENT };

static enum truth truth(bool yes)
{
	return yes ? TRUTH_YES : TRUTH_NO;
}

/* A socket without a struct socket behind it: nobody's uid, no cgroup. */
static bool is_mini(const struct sock *sock)
{
	return sock->state == SOCK_STATE_TIME_WAIT || (sock->state == SOCK_STATE_SYN_RECV && !sock->inode) ||
	       (sock->state == SOCK_STATE_FIN_WAIT_2 && sock->timer == SOCK_TIMER_TIMEWAIT);
}

static const struct endpoint *side(const struct filter_node *node, const struct sock *sock)
{
	return node->peer ? &sock->peer : &sock->local;
}

/* An IPv6 condition sees a v4-mapped address as the kernel keeps it, and no socket of the other family. */
static bool in_v6_prefix(const struct addr *addr, const struct sock *sock, const struct addr *prefix,
			 unsigned bits)
{
	struct addr mapped = { .family = ADDR_V6, .bytes = { [10] = 0xff, [11] = 0xff } };

	if (sock->family != ADDR_V6)
		return false;
	memcpy(mapped.bytes + 12, addr->bytes, 4);
	return addr_in_prefix(addr->family == ADDR_V4 ? &mapped : addr, prefix, bits);
}

static enum truth judge_host(const struct filter_node *node, const struct sock *sock,
			     const struct filter_facts *facts)
{
	const struct endpoint *endpoint = side(node, sock);

	(void)facts;
	if (node->host.port >= 0 && node->host.port != endpoint->port)
		return TRUTH_NO;
	if (node->host.addr.family == ADDR_V6)
		return truth(in_v6_prefix(&endpoint->addr, sock, &node->host.addr, node->host.bits));
	return truth(addr_in_prefix(&endpoint->addr, &node->host.addr, node->host.bits));
}

static enum truth judge_port(const struct filter_node *node, const struct sock *sock,
			     const struct filter_facts *facts)
{
	int32_t port = side(node, sock)->port;

	(void)facts;
	return truth(port >= node->port.lo && port <= node->port.hi);
}

static enum truth judge_always(const struct filter_node *node, const struct sock *sock,
			       const struct filter_facts *facts)
{
	(void)node;
	(void)sock;
	(void)facts;
	return TRUTH_YES;
}

static enum truth judge_dev(const struct filter_node *node, const struct sock *sock,
			    const struct filter_facts *facts)
{
	(void)facts;
	return truth(sock->ifindex == node->ifindex);
}

static enum truth judge_mark(const struct filter_node *node, const struct sock *sock,
			     const struct filter_facts *facts)
{
	(void)facts;
	if (!(sock->has & SOCK_HAS_MARK))
		return TRUTH_ABSENT;
	return truth((sock->mark & node->mark.mask) == node->mark.value);
}

/* The kernel takes a mini-socket's cgroup for 0, which no path has, and does not report it. */
static enum truth judge_cgroup(const struct filter_node *node, const struct sock *sock,
			       const struct filter_facts *facts)
{
	(void)facts;
	if (is_mini(sock))
		return TRUTH_NO;
	if (!(sock->has & SOCK_HAS_CGROUP_ID))
		return TRUTH_ABSENT;
	return truth(sock->cgroup_id == node->cgroup_id);
}

static enum truth judge_cgroup_path(const struct filter_node *node, const struct sock *sock,
				    const struct filter_facts *facts)
{
	if (is_mini(sock))
		return TRUTH_NO;
	if (!facts->cgroup || !*facts->cgroup)
		return TRUTH_ABSENT;
	return truth(!strcmp(facts->cgroup, node->pattern));
}

static enum truth judge_autobound(const struct filter_node *node, const struct sock *sock,
				  const struct filter_facts *facts)
{
	(void)node;
	if (!facts->port_hi)
		return TRUTH_ABSENT;
	return truth(sock->local.port >= facts->port_lo && sock->local.port <= facts->port_hi);
}

static enum truth judge_pid(const struct filter_node *node, const struct sock *sock,
			    const struct filter_facts *facts)
{
	(void)sock;
	for (size_t i = 0; i < facts->holder_count; i++)
		if (facts->holders[i].process->pid == node->pid)
			return TRUTH_YES;
	return facts->holder_count ? TRUTH_NO : TRUTH_ABSENT;
}

static enum truth judge_comm(const struct filter_node *node, const struct sock *sock,
			     const struct filter_facts *facts)
{
	(void)sock;
	for (size_t i = 0; i < facts->holder_count; i++)
		if (!fnmatch(node->pattern, facts->holders[i].process->comm, 0))
			return TRUTH_YES;
	return facts->holder_count ? TRUTH_NO : TRUTH_ABSENT;
}

/* The kernel reports uid 0 where it no longer knows: mini-sockets, and orphans on older kernels. */
static enum truth judge_user(const struct filter_node *node, const struct sock *sock,
			     const struct filter_facts *facts)
{
	(void)facts;
	if (is_mini(sock) || (!sock->inode && !sock->uid))
		return TRUTH_ABSENT;
	return truth(sock->uid == node->uid);
}

static enum truth judge_number(const struct filter_node *node, const struct sock *sock,
			       const struct filter_facts *facts)
{
	const struct fact *fact = &node->number.fact;
	uint64_t value, wanted = node->number.value;

	(void)facts;
	if (!fact->get(sock, fact->arg, &value))
		return TRUTH_ABSENT;
	if (__builtin_mul_overflow(value, fact->scale, &value))
		value = UINT64_MAX;
	switch (node->op) {
	case OP_LT:
		return truth(value < wanted);
	case OP_LE:
		return truth(value <= wanted);
	case OP_GT:
		return truth(value > wanted);
	case OP_GE:
		return truth(value >= wanted);
	default:
		return truth(value == wanted);
	}
}

typedef enum truth judge_fn(const struct filter_node *node, const struct sock *sock,
			    const struct filter_facts *facts);

static judge_fn *const leaf_judges[] = {
	[NODE_ALWAYS] = judge_always,
	[NODE_HOST] = judge_host,
	[NODE_PORT] = judge_port,
	[NODE_DEV] = judge_dev,
	[NODE_MARK] = judge_mark,
	[NODE_CGROUP] = judge_cgroup,
	[NODE_AUTOBOUND] = judge_autobound,
	[NODE_CGROUP_PATH] = judge_cgroup_path,
	[NODE_PID] = judge_pid,
	[NODE_COMM] = judge_comm,
	[NODE_USER] = judge_user,
	[NODE_NUMBER] = judge_number,
};

static bool judge(const struct filter_node *node, const struct sock *sock,
		  const struct filter_facts *facts)
{
	const struct filter_node *child;
	enum truth answer;

	if (node->kind == NODE_AND || node->kind == NODE_OR) {
		/* the first child that decides ends the walk */
		for (child = node->first; child; child = child->next)
			if (judge(child, sock, facts) == (node->kind == NODE_OR))
				break;
		return (node->kind == NODE_OR) == !!child;
	}
	answer = leaf_judges[node->kind](node, sock, facts);
	return answer == (node->negated ? TRUTH_NO : TRUTH_YES);
}

/* Bound sockets without a connection are asked for under a number of their own and reported as UNCONN. */
static bool in_states(uint32_t states, unsigned state)
{
	if (state == SOCK_STATE_UNCONN && states & STATE_BIT(SOCK_STATE_BOUND_INACTIVE))
		return true;
	return states & STATE_BIT(state);
}

bool filter_judge(const struct filter *filter, const struct sock *sock,
		  const struct filter_facts *facts)
{
	static const struct filter_facts nothing;

	if (filter->states && !in_states(filter->states, sock->state))
		return false;
	if (!(filter->families & 1u << sock->family))
		return false;
	return !filter->root || judge(filter->root, sock, facts ? facts : &nothing);
}
