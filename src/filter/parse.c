/* SPDX-License-Identifier: MIT */
/* Filter text to tree.
 *
 *   filter := { ("state" | "exclude") NAME } [ list ]
 *   list   := term { [ "and" | "or" ] term }        both bind alike, from left to right; nothing between means "and"
 *   term   := { "not" } ( "(" list ")" | predicate [ operator ] operand | "autobound" )
 *
 * `not` never becomes a node: the polarity is handed down, "and" and "or" change places under it, and leaves keep it. Recursion is as deep
 * as parentheses nest, which is bounded; so is the number of nodes. */
#include <errno.h>
#include <string.h>

#include "filter/lexer.h"
#include "filter/operand.h"
#include "tcptriage/base/num.h"
#include "tcptriage/base/words.h"

#define BOTH_FAMILIES 3u

struct parser {
	struct lexer lexer;
	struct arena *arena;
	const struct filter_world *world;
	struct filter *filter;
	struct err *err;
	unsigned nodes, demanded;
	int code;
};

/**
 * struct predicate - a word that begins a leaf. @ordered: < > <= >= are meaningful. @take: makes the leaf from the operand.
 */
struct predicate {
	const char *name;
	bool ordered, peer;
	struct filter_node *(*take)(struct parser *p, const struct predicate *predicate,
				    enum compare_op op, const char *value);
	unsigned needs;
};

#define FAIL(p, ...) ((p)->code = err_set((p)->err, -EINVAL, __VA_ARGS__), NULL)

static struct filter_node *new_node(struct parser *p, enum node_kind kind)
{
	struct filter_node *node;

	if (p->nodes++ >= TREE_NODES_MAX)
		return FAIL(p, "the filter has more than %d conditions", TREE_NODES_MAX);
	node = arena_alloc(p->arena, sizeof(*node));
	node->kind = (uint8_t)kind;
	node->depth = 1;
	return node;
}

static void append_child(struct filter_node *parent, struct filter_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->depth = (uint16_t)MAX(parent->depth, child->depth + 1);
}

/* @left op @right; a chain of one connector is one node with many children. */
static struct filter_node *join(struct parser *p, enum node_kind kind, struct filter_node *left,
				struct filter_node *right)
{
	struct filter_node *parent = left;

	if (left->kind != kind) {
		parent = new_node(p, kind);
		if (!parent)
			return NULL;
		append_child(parent, left);
	}
	append_child(parent, right);
	if (parent->depth > TREE_DEPTH_MAX)
		return FAIL(p, "the filter changes between 'and' and 'or' more than %d times",
			    TREE_DEPTH_MAX);
	return parent;
}

static struct filter_node *take_host(struct parser *p, const struct predicate *predicate,
				     enum compare_op op, const char *value)
{
	struct filter_node *any = NULL, *leaf = NULL;
	struct operand_host host;

	(void)op;
	p->code = operand_host(value, p->world, p->arena, &host, p->err);
	if (p->code)
		return NULL;
	if (host.families != BOTH_FAMILIES && p->demanded && p->demanded != host.families)
		return FAIL(p, "'inet:' and 'inet6:' exclude each other: either holds for the whole filter");
	if (host.families != BOTH_FAMILIES)
		p->demanded = host.families;
	if (!host.count) {
		leaf = new_node(p, host.port < 0 ? NODE_ALWAYS : NODE_PORT);
		if (leaf && host.port >= 0)
			leaf->port.lo = leaf->port.hi = host.port;
	}
	for (unsigned i = 0; i < host.count; i++) {
		leaf = new_node(p, NODE_HOST);
		if (!leaf)
			return NULL;
		leaf->peer = predicate->peer;
		leaf->host.addr = host.addr[i];
		leaf->host.bits = (uint8_t)MIN(host.bits, host.addr[i].family == ADDR_V6 ? 128u : 32u);
		leaf->host.port = host.port;
		any = any ? join(p, NODE_OR, any, leaf) : leaf;
	}
	if (leaf)
		leaf->peer = predicate->peer;
	return any ? any : leaf;
}

static struct filter_node *take_port(struct parser *p, const struct predicate *predicate,
				     enum compare_op op, const char *value)
{
	struct filter_node *leaf;
	int32_t port, lo = 0, hi = PORT_MAX;

	p->code = operand_port(value, p->world, &port, p->err);
	if (p->code)
		return NULL;
	if (port < 0 && op != OP_EQ)
		return FAIL(p, "'%s' cannot be compared with '%s': name a port", predicate->name,
			    QUOTE(value));
	if (port >= 0 && (op == OP_EQ || op == OP_GE || op == OP_GT))
		lo = port + (op == OP_GT);
	if (port >= 0 && (op == OP_EQ || op == OP_LE || op == OP_LT))
		hi = port - (op == OP_LT);
	leaf = new_node(p, NODE_PORT);
	if (!leaf)
		return NULL;
	leaf->peer = predicate->peer;
	leaf->port.lo = lo;
	leaf->port.hi = hi;
	return leaf;
}

static struct filter_node *take_dev(struct parser *p, const struct predicate *predicate,
				    enum compare_op op, const char *value)
{
	struct filter_node *leaf = new_node(p, NODE_DEV);
	uint64_t number;

	(void)op;
	(void)predicate;
	if (!leaf)
		return NULL;
	leaf->ifindex = p->world->interface ? p->world->interface(value) : 0;
	if (leaf->ifindex)
		return leaf;
	if (!num_u64(value, UINT32_MAX, &number) && p->world->interface)
		return FAIL(p, "there is no interface '%s'", QUOTE(value));
	if (!num_u64(value, UINT32_MAX, &number))
		return FAIL(p, "interface names are not known here: give the index instead of '%s'",
			    QUOTE(value));
	leaf->ifindex = (uint32_t)number;
	return leaf;
}

static struct filter_node *take_mark(struct parser *p, const struct predicate *predicate,
				     enum compare_op op, const char *value)
{
	struct filter_node *leaf = new_node(p, NODE_MARK);

	(void)op;
	(void)predicate;
	if (leaf)
		p->code = operand_mark(value, &leaf->mark.value, &leaf->mark.mask, p->err);
	return p->code ? NULL : leaf;
}

static struct filter_node *take_cgroup(struct parser *p, const struct predicate *predicate,
				       enum compare_op op, const char *value)
{
	struct filter_node *leaf = new_node(p, p->world->cgroup ? NODE_CGROUP : NODE_CGROUP_PATH);

	(void)op;
	(void)predicate;
	if (!leaf)
		return NULL;
	if (leaf->kind == NODE_CGROUP_PATH) {
		p->filter->needs |= FILTER_NEEDS_CGROUP;
		leaf->pattern = *value == '/' ? value : arena_printf(p->arena, "/%s", value);
		return leaf;
	}
	leaf->cgroup_id = p->world->cgroup(value);
	if (!leaf->cgroup_id)
		return FAIL(p, "there is no cgroup v2 '%s'", QUOTE(value));
	return leaf;
}

static struct filter_node *take_autobound(struct parser *p, const struct predicate *predicate,
					  enum compare_op op, const char *value)
{
	(void)op;
	(void)predicate;
	(void)value;
	return new_node(p, NODE_AUTOBOUND);
}

static struct filter_node *take_pid(struct parser *p, const struct predicate *predicate,
				    enum compare_op op, const char *value)
{
	struct filter_node *leaf = new_node(p, NODE_PID);
	uint64_t number;

	(void)op;
	(void)predicate;
	if (!leaf)
		return NULL;
	if (!num_u64(value, INT32_MAX, &number))
		return FAIL(p, "'%s' is not a process id", QUOTE(value));
	leaf->pid = (uint32_t)number;
	return leaf;
}

static struct filter_node *take_comm(struct parser *p, const struct predicate *predicate,
				     enum compare_op op, const char *value)
{
	struct filter_node *leaf = new_node(p, NODE_COMM);

	(void)op;
	(void)predicate;
	if (leaf)
		leaf->pattern = value;
	return leaf;
}

static struct filter_node *take_user(struct parser *p, const struct predicate *predicate,
				     enum compare_op op, const char *value)
{
	struct filter_node *leaf = new_node(p, NODE_USER);
	uint64_t number;

	(void)op;
	(void)predicate;
	if (!leaf || (p->world->user && p->world->user(value, &leaf->uid)))
		return leaf;
	if (!num_u64(value, UINT32_MAX, &number) && p->world->user)
		return FAIL(p, "there is no user '%s'", QUOTE(value));
	if (!num_u64(value, UINT32_MAX, &number))
		return FAIL(p, "user names are not known here: give the uid instead of '%s'", QUOTE(value));
	leaf->uid = (uint32_t)number;
	return leaf;
}

static struct filter_node *take_number(struct parser *p, const struct predicate *predicate,
				       enum compare_op op, const char *value)
{
	struct filter_node *leaf = new_node(p, NODE_NUMBER);

	if (!leaf)
		return NULL;
	fact_find(predicate->name, &leaf->number.fact);
	p->filter->needs |= leaf->number.fact.needs;
	leaf->op = (uint8_t)op;
	p->code = operand_quantity(value, &leaf->number.fact, &leaf->number.value, p->err);
	return p->code ? NULL : leaf;
}

static const struct predicate predicates[] = {
	{ "src", false, false, take_host, 0 },
	{ "dst", false, true, take_host, 0 },
	{ "sport", true, false, take_port, 0 },
	{ "dport", true, true, take_port, 0 },
	{ "dev", false, false, take_dev, 0 },
	{ "fwmark", false, false, take_mark, FILTER_NEEDS_MARK },
	{ "cgroup", false, false, take_cgroup, 0 },
	{ "autobound", false, false, take_autobound, FILTER_NEEDS_PORT_RANGE },
	{ "pid", false, false, take_pid, FILTER_NEEDS_OWNERS },
	{ "comm", false, false, take_comm, FILTER_NEEDS_OWNERS },
	{ "user", false, false, take_user, 0 },
	{ "uid", false, false, take_user, 0 },
};

static const char *const keywords[] = { "state", "exclude", "and", "or", "not" };

const char *filter_word(size_t index)
{
	if (index < ARRAY_SIZE(keywords))
		return keywords[index];
	index -= ARRAY_SIZE(keywords);
	if (index < ARRAY_SIZE(predicates))
		return predicates[index].name;
	return fact_word(index - ARRAY_SIZE(predicates));
}

static bool find_predicate(const char *word, struct predicate *out)
{
	struct fact fact;

	for (size_t i = 0; i < ARRAY_SIZE(predicates); i++) {
		*out = predicates[i];
		if (!strcmp(word, out->name))
			return true;
	}
	*out = (struct predicate){ word, true, false, take_number, 0 };
	return fact_find(word, &fact);
}

static struct filter_node *fail_unknown(struct parser *p, const char *word)
{
	struct words_nearest nearest = { .word = word };
	struct addr addr;
	const char *known;

	for (size_t i = 0; (known = filter_word(i)); i++)
		words_offer(&nearest, known);
	if (addr_parse(word, &addr) || strchr(word, ':') || strchr(word, '/'))
		return FAIL(p, "'%s' stands alone in the filter: write 'src %s' or 'dst %s'", QUOTE(word),
			    QUOTE(word), QUOTE(word));
	return FAIL(p, "unknown word '%s' in the filter%s", QUOTE(word), words_hint(&nearest).text);
}

/* The operator and operand of @predicate, whose word began at @from. */
static struct filter_node *parse_operand(struct parser *p, const struct predicate *predicate,
					 const char *from, bool negated)
{
	enum compare_op op = OP_EQ;
	struct filter_node *leaf;
	const char *value = NULL;

	if (predicate->take != take_autobound) {
		lexer_operator(&p->lexer, &op);
		if (!lexer_value(&p->lexer, p->arena, &value))
			return FAIL(p, "a value is missing after '%s'",
				    QUOTE(lexer_span(&p->lexer, from, p->arena)));
	}
	if (!predicate->ordered && op != OP_EQ && op != OP_NE)
		return FAIL(p, "'%s' knows only = and !=, in '%s'", predicate->name,
			    QUOTE(lexer_span(&p->lexer, from, p->arena)));
	negated ^= op == OP_NE;
	leaf = predicate->take(p, predicate, op == OP_NE ? OP_EQ : op, value);
	p->filter->needs |= predicate->needs;
	if (leaf && leaf->kind == NODE_OR) { /* several addresses of one name */
		leaf->kind = negated ? NODE_AND : NODE_OR;
		for (struct filter_node *child = leaf->first; child; child = child->next)
			child->negated = negated;
	} else if (leaf) {
		leaf->negated = negated;
	}
	return leaf;
}

static struct filter_node *parse_predicate(struct parser *p, const struct token *token, bool negated)
{
	const char *word = arena_memdup(p->arena, token->text, token->len);
	struct predicate predicate;

	if (!strcmp(word, "state") || !strcmp(word, "exclude")) {
		const char *name = NULL;

		lexer_value(&p->lexer, p->arena, &name);
		return FAIL(p, "'%s' must stand before the expression",
			    QUOTE(lexer_span(&p->lexer, token->text, p->arena)));
	}
	if (!find_predicate(word, &predicate))
		return fail_unknown(p, word);
	return parse_operand(p, &predicate, token->text, negated);
}

static struct filter_node *parse_list(struct parser *p, bool negated, unsigned depth);

static struct filter_node *parse_parenthesis(struct parser *p, bool negated, unsigned depth)
{
	struct filter_node *node;

	if (depth >= TREE_DEPTH_MAX)
		return FAIL(p, "parentheses are nested deeper than %d", TREE_DEPTH_MAX);
	node = parse_list(p, negated, depth + 1);
	if (!node)
		return NULL;
	if (lexer_next(&p->lexer).kind != TOKEN_CLOSE)
		return FAIL(p, "unbalanced parenthesis: a ')' is missing");
	return node;
}

static struct filter_node *parse_term(struct parser *p, bool negated, unsigned depth)
{
	const char *before = p->lexer.at;
	struct token token = lexer_next(&p->lexer);

	for (; token.kind == TOKEN_NOT; token = lexer_next(&p->lexer))
		negated = !negated;
	switch (token.kind) {
	case TOKEN_WORD:
		return parse_predicate(p, &token, negated);
	case TOKEN_OPEN:
		return parse_parenthesis(p, negated, depth);
	case TOKEN_END:
		return FAIL(p, "the filter ends where a condition is expected");
	case TOKEN_CLOSE:
		return FAIL(p, depth ? "a condition is expected before ')'" :
				       "unbalanced parenthesis: ')' without its '('");
	default:
		return FAIL(p, "'%s' stands where a condition is expected",
			    QUOTE(lexer_span(&p->lexer, before + strspn(before, " \t\r\n"), p->arena)));
	}
}

/* What joins the next term, or false at the end of this list. */
static bool parse_connector(struct parser *p, bool negated, enum node_kind *kind)
{
	struct lexer ahead = p->lexer;
	struct token token = lexer_next(&ahead);

	if (token.kind == TOKEN_END || token.kind == TOKEN_CLOSE)
		return false;
	if (token.kind == TOKEN_AND || token.kind == TOKEN_OR)
		p->lexer = ahead;
	*kind = (token.kind == TOKEN_OR) != negated ? NODE_OR : NODE_AND;
	return true;
}

static struct filter_node *parse_list(struct parser *p, bool negated, unsigned depth)
{
	struct filter_node *left = parse_term(p, negated, depth), *right;
	enum node_kind kind;

	while (left && parse_connector(p, negated, &kind)) {
		right = parse_term(p, negated, depth);
		left = right ? join(p, kind, left, right) : NULL;
	}
	return left;
}

static int fail_state(struct parser *p, const char *name)
{
	struct words_nearest nearest = { .word = name };

	sock_state_offer_names(&nearest);
	return err_set(p->err, -EINVAL, "unknown state '%s'%s", QUOTE(name), words_hint(&nearest).text);
}

/* As in ss: states add up, an exclusion without a state before it begins with all. */
static int parse_states(struct parser *p)
{
	struct filter *filter = p->filter;
	bool seen = false;

	for (;;) {
		struct lexer ahead = p->lexer;
		struct token token = lexer_next(&ahead);
		const char *word = arena_memdup(p->arena, token.text, token.len), *name;
		bool exclude = !strcmp(word, "exclude");
		uint32_t mask;

		if (!exclude && strcmp(word, "state"))
			return seen && !filter->states ?
				       err_set(p->err, -EINVAL, "'state' and 'exclude' leave no state") :
				       0;
		if (!lexer_value(&ahead, p->arena, &name))
			return err_set(p->err, -EINVAL, "a state is missing after '%s'", word);
		if (!sock_state_parse(name, &mask))
			return fail_state(p, name);
		if (exclude)
			filter->states = (seen ? filter->states : STATES_ALL) & ~mask;
		else
			filter->states |= mask;
		seen = true;
		p->lexer = ahead;
	}
}

/* The families whose sockets can match: a v4-mapped address is an IPv4 one on an IPv6 socket, so only IPv6 conditions narrow. */
static unsigned families_of(const struct filter_node *node)
{
	unsigned families = node->kind == NODE_OR ? 0 : BOTH_FAMILIES;

	if (node->kind == NODE_HOST)
		return node->host.addr.family == ADDR_V6 && !node->negated ? 1u << ADDR_V6 : BOTH_FAMILIES;
	if (node->kind > NODE_OR)
		return families;
	for (const struct filter_node *child = node->first; child; child = child->next)
		families = node->kind == NODE_OR ? families | families_of(child) :
						   families & families_of(child);
	return families;
}

static int parse_expression(struct parser *p)
{
	struct lexer ahead = p->lexer;
	struct filter_node *root;

	if (lexer_next(&ahead).kind == TOKEN_END)
		return 0;
	root = parse_list(p, false, 0);
	if (root && lexer_next(&p->lexer).kind == TOKEN_CLOSE)
		return err_set(p->err, -EINVAL, "unbalanced parenthesis: ')' without its '('");
	if (!root)
		return p->code;
	p->filter->root = root;
	p->filter->families = families_of(root) & (p->demanded ? p->demanded : BOTH_FAMILIES);
	return 0;
}

/* The words in one text; a line break between two keeps a quote from reaching into the next. */
static const char *join_words(struct arena *arena, int count, char *const words[])
{
	size_t len = 1;
	char *text, *at;

	for (int i = 0; i < count; i++)
		len += strlen(words[i]) + 1;
	at = text = arena_alloc(arena, len);
	for (int i = 0; i < count; i++) {
		at = stpcpy(at, words[i]);
		*at++ = '\n';
	}
	return text;
}

int filter_parse(struct filter *filter, struct arena *arena, const struct filter_world *world,
		    int count, char *const words[], struct err *err)
{
	struct parser p = { .lexer = { join_words(arena, count, words) },
			    .arena = arena,
			    .world = world,
			    .filter = filter,
			    .err = err };
	int code;

	*filter = (struct filter){ .families = BOTH_FAMILIES };
	code = parse_states(&p);
	return code ? code : parse_expression(&p);
}
