/* SPDX-License-Identifier: MIT */
/* Tree to the program that inet_diag runs per socket (net/ipv4/inet_diag.c, inet_diag_bc_run and inet_diag_bc_audit).
 *
 * A program is a row of operations; each jumps forward by `yes` or `no` bytes. Landing exactly at the end accepts the socket, landing
 * four bytes behind it refuses. The audit walks by `yes`, so `yes` is always the operation's own length and means "go on"; every choice
 * is made by `no`. A block therefore falls through when it is true and jumps to the address it was given when it is false:
 *
 *   and: children in a row, all with the block's own false address
 *   or:  child, JMP end, child, JMP end, …, last child; a false child goes on behind its JMP, the last has the block's false address
 *   not: an operation whose `no` skips a JMP to the false address
 *
 * The plan leaves out what the kernel cannot judge: such a leaf is true in either polarity, which can only widen the selection because
 * the tree has no "not" above its leaves. Ports are compared by S_GE and friends and by host conditions, which every kernel has. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "filter/tree.h"

/* Operations that are newer than some build machine's headers. */
#define BC_DEV_COND 9
#define BC_MARK_COND 10
#define BC_CGROUP_COND 13

#define OP_BYTES sizeof(struct inet_diag_bc_op)
/* An attribute's length has 16 bits and counts its header; a jump may reach four bytes behind the end. */
#define PROGRAM_MAX (UINT16_MAX - 15u)

/** enum block_kind - how a block is laid out. */
enum block_kind { BLOCK_TRUE, BLOCK_FALSE, BLOCK_AND, BLOCK_OR, BLOCK_LEAF };

/** struct block - a piece of the program. @size: bytes. @leaf: of BLOCK_LEAF. @first, @next: children of the others. */
struct block {
	enum block_kind kind;
	size_t size;
	const struct filter_node *leaf;
	struct block *first, *next;
};

/** struct operation - one operation with its operands. */
struct operation {
	uint8_t code;
	bool negated;
	size_t len;
	uint8_t operands[24];
};

static void set_operands(struct operation *op, uint8_t code, const void *bytes, size_t len)
{
	op->code = code;
	op->len = OP_BYTES + len;
	memcpy(op->operands, bytes, len);
}

static void set_host(struct operation *op, bool peer, const struct addr *addr, unsigned bits, int32_t port)
{
	struct inet_diag_hostcond cond = { .port = port };
	size_t len = 0;

	if (addr) {
		cond.family = addr->family == ADDR_V6 ? AF_INET6 : AF_INET;
		cond.prefix_len = (uint8_t)bits;
		len = addr->family == ADDR_V6 ? 16 : 4;
		memcpy(op->operands + sizeof(cond), addr->bytes, len);
	}
	set_operands(op, peer ? INET_DIAG_BC_D_COND : INET_DIAG_BC_S_COND, &cond, sizeof(cond));
	op->len += len;
}

static void set_port_bound(struct operation *op, uint8_t code, int32_t port)
{
	const struct inet_diag_bc_op operand = { .no = (uint16_t)port };

	set_operands(op, code, &operand, sizeof(operand));
}

/* A range [0,hi] or [lo,65535], or its complement, is one comparison; the parser makes no other but single ports. */
static void set_port(struct operation *op, const struct filter_node *leaf)
{
	uint8_t ge = leaf->peer ? INET_DIAG_BC_D_GE : INET_DIAG_BC_S_GE;
	uint8_t le = leaf->peer ? INET_DIAG_BC_D_LE : INET_DIAG_BC_S_LE;

	if (leaf->port.lo == leaf->port.hi) {
		set_host(op, leaf->peer, NULL, 0, leaf->port.lo);
		return;
	}
	op->negated = false;
	if (leaf->port.lo == 0)
		set_port_bound(op, leaf->negated ? ge : le, leaf->port.hi + leaf->negated);
	else
		set_port_bound(op, leaf->negated ? le : ge, leaf->port.lo - leaf->negated);
}

static void set_operation(struct operation *op, const struct filter_node *leaf)
{
	const struct inet_diag_markcond mark = { leaf->mark.value, leaf->mark.mask };

	*op = (struct operation){ .negated = leaf->negated };
	switch (leaf->kind) {
	case NODE_HOST:
		set_host(op, leaf->peer, &leaf->host.addr, leaf->host.bits, leaf->host.port);
		break;
	case NODE_PORT:
		set_port(op, leaf);
		break;
	case NODE_DEV:
		set_operands(op, BC_DEV_COND, &leaf->ifindex, sizeof(leaf->ifindex));
		break;
	case NODE_MARK:
		set_operands(op, BC_MARK_COND, &mark, sizeof(mark));
		break;
	case NODE_CGROUP:
		set_operands(op, BC_CGROUP_COND, &leaf->cgroup_id, sizeof(leaf->cgroup_id));
		break;
	case NODE_AUTOBOUND:
		set_operands(op, INET_DIAG_BC_AUTO, "", 0);
		break;
	default:
		BUG();
	}
}

/* What a leaf is to the kernel when it needs no operation: a constant. */
static enum block_kind leaf_kind(const struct filter_node *leaf)
{
	bool everything = leaf->kind == NODE_ALWAYS ||
			  (leaf->kind == NODE_PORT && leaf->port.lo <= 0 && leaf->port.hi >= PORT_MAX);
	bool nothing = leaf->kind == NODE_PORT && leaf->port.lo > leaf->port.hi;

	if (leaf->kind >= NODE_FIRST_OWN)
		return BLOCK_TRUE;
	if (everything || nothing)
		return everything != leaf->negated ? BLOCK_TRUE : BLOCK_FALSE;
	return BLOCK_LEAF;
}

static struct block *new_block(struct arena *arena, enum block_kind kind, size_t size)
{
	struct block *block = arena_alloc(arena, sizeof(*block));

	block->kind = kind;
	block->size = size;
	return block;
}

static struct block *plan_leaf(const struct filter_node *leaf, struct arena *arena)
{
	struct block *block = new_block(arena, leaf_kind(leaf), 0);
	struct operation op;

	if (block->kind == BLOCK_LEAF) {
		set_operation(&op, leaf);
		block->leaf = leaf;
		block->size = op.len + (op.negated ? OP_BYTES : 0);
	} else if (block->kind == BLOCK_FALSE) {
		block->size = OP_BYTES;
	}
	return block;
}

static struct block *plan(const struct filter_node *node, struct arena *arena)
{
	bool any = node->kind == NODE_OR;
	enum block_kind decides = any ? BLOCK_TRUE : BLOCK_FALSE, neutral = any ? BLOCK_FALSE : BLOCK_TRUE;
	struct block *block, **tail;

	if (node->kind > NODE_OR)
		return plan_leaf(node, arena);
	block = new_block(arena, any ? BLOCK_OR : BLOCK_AND, 0);
	tail = &block->first;
	for (const struct filter_node *child = node->first; child; child = child->next) {
		struct block *part = plan(child, arena);

		if (part->kind == decides)
			return part;
		if (part->kind == neutral)
			continue;
		block->size += part->size + (any && block->first ? OP_BYTES : 0);
		*tail = part;
		tail = &part->next;
	}
	return block->first ? block : new_block(arena, neutral, any ? OP_BYTES : 0);
}

static void put(uint8_t *program, size_t at, uint8_t code, size_t yes, size_t no)
{
	const struct inet_diag_bc_op op = { code, (uint8_t)yes, (uint16_t)no };

	memcpy(program + at, &op, sizeof(op));
}

static void emit_leaf(const struct filter_node *leaf, uint8_t *program, size_t at, size_t when_false)
{
	struct operation op;

	set_operation(&op, leaf);
	put(program, at, op.code, op.len, op.negated ? op.len + OP_BYTES : when_false - at);
	memcpy(program + at + OP_BYTES, op.operands, op.len - OP_BYTES);
	if (op.negated)
		put(program, at + op.len, INET_DIAG_BC_JMP, OP_BYTES, when_false - at - op.len);
}

static void emit(const struct block *block, uint8_t *program, size_t at, size_t when_false)
{
	size_t end = at + block->size;

	if (block->kind == BLOCK_LEAF)
		emit_leaf(block->leaf, program, at, when_false);
	else if (block->kind == BLOCK_FALSE)
		put(program, at, INET_DIAG_BC_JMP, OP_BYTES, when_false - at);
	for (const struct block *part = block->first; part; part = part->next) {
		bool skip = block->kind == BLOCK_OR && part->next;

		emit(part, program, at, skip ? at + part->size + OP_BYTES : when_false);
		at += part->size;
		if (!skip)
			continue;
		put(program, at, INET_DIAG_BC_JMP, OP_BYTES, end - at);
		at += OP_BYTES;
	}
}

/* Whether the kernel's answer needs no second look. */
static bool is_exact(const struct filter_node *node)
{
	if (node->kind >= NODE_AUTOBOUND)
		return false;
	for (const struct filter_node *child = node->first; child; child = child->next)
		if (!is_exact(child))
			return false;
	return true;
}

int filter_compile(const struct filter *filter, struct arena *arena, const void **code, size_t *len,
		   bool *exact, struct err *err)
{
	struct block *block;
	uint8_t *program;

	*code = NULL;
	*len = 0;
	*exact = !filter->root || is_exact(filter->root);
	if (!filter->root)
		return 0;
	block = plan(filter->root, arena);
	if (block->kind == BLOCK_TRUE)
		return 0;
	if (block->size > PROGRAM_MAX)
		return err_set(err, -E2BIG, "the filter is too long for the kernel: %zu bytes of at most %u",
			       block->size, PROGRAM_MAX);
	program = arena_alloc(arena, block->size);
	emit(block, program, 0, block->size + OP_BYTES);
	*code = program;
	*len = block->size;
	return 0;
}
