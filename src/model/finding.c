/* SPDX-License-Identifier: MIT */
/* Findings: their evidence by name, and the one place where their texts are filled in. */
#include "tcptriage/model/finding.h"

#include <string.h>

#define NAME_MAX_LEN 40

const char *severity_name(enum severity severity)
{
	static const char *const names[SEVERITY_COUNT] = { "info", "warning", "critical" };

	return names[severity];
}

const struct evidence *finding_evidence(const struct finding *finding, const char *name)
{
	for (unsigned i = 0; i < finding->evidence_count; i++) {
		if (!strcmp(finding->evidence[i].name, name))
			return &finding->evidence[i];
	}
	return NULL;
}

static void out_or(struct out *out, const char *text, const char *otherwise)
{
	if (text && *text)
		out_escaped(out, text, strlen(text));
	else
		out_str(out, otherwise);
}

static void put_owner(struct out *out, const struct scope *scope)
{
	out_or(out, scope->comm, "an unknown process");
	if (scope->pid)
		out_printf(out, "[%u]", scope->pid);
}

static void put_pid(struct out *out, const struct scope *scope)
{
	if (scope->pid)
		out_u64(out, scope->pid);
	else
		out_lit(out, "PID");
}

static void put_comm(struct out *out, const struct scope *scope)
{
	out_or(out, scope->comm, "COMMAND");
}

static void put_unit(struct out *out, const struct scope *scope)
{
	out_or(out, scope->unit, "no unit");
}

static void put_container(struct out *out, const struct scope *scope)
{
	out_or(out, scope->container, "no container");
}

static void put_netns(struct out *out, const struct scope *scope)
{
	out_or(out, scope->netns, "this namespace");
}

static void put_interface(struct out *out, const struct scope *scope)
{
	out_or(out, scope->interface, "IFACE");
}

static void put_local(struct out *out, const struct scope *scope)
{
	if (scope->has_local)
		out_endpoint(out, &scope->local);
	else
		out_lit(out, "any local address");
}

static void put_network(struct out *out, const struct scope *scope)
{
	bool brackets = scope->peer.addr.family == ADDR_V6;

	if (brackets)
		out_char(out, '[');
	out_addr(out, &scope->peer.addr);
	if (brackets)
		out_char(out, ']');
	out_printf(out, "/%u", scope->peer_bits);
	if (scope->peer.port)
		out_printf(out, ":%u", scope->peer.port);
}

static void put_peer(struct out *out, const struct scope *scope)
{
	if (!scope->has_peer)
		out_lit(out, "any peer");
	else if (scope->peer_bits)
		put_network(out, scope);
	else
		out_zoned(out, &scope->peer, scope->peer_zone);
}

static void put_addr(struct out *out, bool known, const struct addr *addr)
{
	if (known)
		out_addr(out, addr);
	else
		out_lit(out, "ADDRESS");
}

static void put_port(struct out *out, bool known, uint16_t port)
{
	if (known && port)
		out_u64(out, port);
	else
		out_lit(out, "PORT");
}

static void put_peer_addr(struct out *out, const struct scope *scope)
{
	put_addr(out, scope->has_peer, &scope->peer.addr);
}

static void put_peer_port(struct out *out, const struct scope *scope)
{
	put_port(out, scope->has_peer, scope->peer.port);
}

static void put_local_addr(struct out *out, const struct scope *scope)
{
	put_addr(out, scope->has_local, &scope->local.addr);
}

static void put_local_port(struct out *out, const struct scope *scope)
{
	put_port(out, scope->has_local, scope->local.port);
}

static const struct scope_word {
	const char *name;
	void (*put)(struct out *out, const struct scope *scope);
} scope_words[] = {
	{ "owner", put_owner },		{ "pid", put_pid },
	{ "comm", put_comm },		{ "unit", put_unit },
	{ "container", put_container }, { "netns", put_netns },
	{ "interface", put_interface }, { "local", put_local },
	{ "peer", put_peer },		{ "peer_addr", put_peer_addr },
	{ "peer_port", put_peer_port }, { "local_addr", put_local_addr },
	{ "local_port", put_local_port },
};

/* One address that a probe can be sent to: the peer, or an example of the network that it is. */
static bool target_of(const struct finding *finding, struct endpoint *target)
{
	const struct evidence *example = finding_evidence(finding, "example");

	*target = finding->scope.peer;
	if (finding->scope.has_peer && !finding->scope.peer_bits)
		return true;
	return example && example->text && addr_parse(example->text, &target->addr);
}

static void put_target(struct out *out, const struct finding *finding)
{
	struct endpoint target;

	if (!target_of(finding, &target))
		out_lit(out, "ADDRESS");
	else
		out_zoned(out, &target, finding->scope.peer_zone);
}

static bool put_scope(struct out *out, const struct finding *finding, const char *name)
{
	if (!strcmp(name, "count")) {
		out_u64(out, finding->count);
		return true;
	}
	if (!strcmp(name, "target") || !strcmp(name, "service")) {
		put_target(out, finding);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(scope_words); i++) {
		if (!strcmp(name, scope_words[i].name)) {
			scope_words[i].put(out, &finding->scope);
			return true;
		}
	}
	return false;
}

static bool put_evidence(struct out *out, const struct finding *finding, const char *name)
{
	const struct evidence *e = finding_evidence(finding, name);

	if (!e)
		return false;
	if (e->text)
		out_escaped(out, e->text, strlen(e->text));
	else
		out_value(out, e->value, e->unit);
	return true;
}

/* "{sockets|socket}": the number and what it counts, "1 socket" or "12 sockets". */
static void put_noun(struct out *out, const struct finding *finding, const char *name, const char *noun)
{
	const struct evidence *e = finding_evidence(finding, name);
	double number = e ? e->value : (double)finding->count;

	out_printf(out, number == 1 ? " %s" : " %ss", noun);
}

static void put_placeholder(struct out *out, const struct finding *finding, const char *at,
			    size_t len)
{
	char name[NAME_MAX_LEN], *bar;

	BUG_ON(len >= sizeof(name));
	memcpy(name, at, len);
	name[len] = '\0';
	bar = strchr(name, '|');
	if (bar)
		*bar = '\0';
	BUG_ON(!put_scope(out, finding, name) && !put_evidence(out, finding, name));
	if (bar)
		put_noun(out, finding, name, bar + 1);
}

/* Writes what the placeholder of @len bytes at @at stands for. */
typedef void put_fn(struct out *out, const struct finding *finding, const char *at, size_t len);

static void expand(struct out *out, const struct finding *finding, const char *template, put_fn *put)
{
	const char *open, *close;

	while ((open = strchr(template, '{'))) {
		out_mem(out, template, (size_t)(open - template));
		close = strchr(open, '}');
		BUG_ON(!close);
		put(out, finding, open + 1, (size_t)(close - open - 1));
		template = close + 1;
	}
	out_str(out, template);
}

void finding_expand(struct out *out, const struct finding *finding, const char *template)
{
	expand(out, finding, template, put_placeholder);
}

/* ss takes what follows the last colon for a port, unless the address stands in brackets. */
static void put_for_ss(struct out *out, const struct finding *finding, const char *at, size_t len)
{
	CLEANUP(out_close) struct out word = { .fd = -1 };
	const char *text;
	bool bare;

	out_open_mem(&word);
	put_placeholder(&word, finding, at, len);
	text = out_text(&word);
	bare = strchr(text, ':') != strrchr(text, ':') && !strchr(text, '[');
	out_printf(out, bare ? "[%s]" : "%s", text);
}

/* ip takes no zone with an address. */
static void put_for_route(struct out *out, const struct finding *finding, const char *at, size_t len)
{
	put_placeholder(out, finding, at, len);
	if (finding->scope.peer_zone && !strncmp(at, "peer_addr", len))
		out_printf(out, " oif %s", finding->scope.peer_zone);
}

/* Plain enough for a shell without quotes. */
static bool is_plain(const char *text)
{
	return !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@-")];
}

static bool knows(const struct finding *finding, const char *word, size_t len)
{
	const struct scope *scope = &finding->scope;
	struct endpoint target;
	bool has_zone = !scope->peer_zone || is_plain(scope->peer_zone), has_target = target_of(finding, &target) && has_zone, has_peer = scope->has_peer && has_zone;
	const struct {
		const char *name;
		bool known;
	} rows[] = {
		{ "pid", scope->pid },
		{ "peer", has_peer },
		{ "peer_addr", has_peer },
		{ "peer_port", scope->has_peer && scope->peer.port },
		{ "local", scope->has_local },
		{ "local_addr", scope->has_local },
		{ "local_port", scope->has_local && scope->local.port },
		{ "interface", scope->interface },
		{ "target", has_target },
		{ "service", has_target && target.port },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].name) == len && !memcmp(rows[i].name, word, len))
			return rows[i].known;
	return true;
}

static bool knows_all(const struct finding *finding, const char *template)
{
	const char *open, *close;

	while ((open = strchr(template, '{'))) {
		close = strchr(open, '}');
		BUG_ON(!close);
		if (!knows(finding, open + 1, (size_t)(close - open - 1)))
			return false;
		template = close + 1;
	}
	return true;
}

/* How a command is aimed at another network namespace, by its first words. */
static const struct aim {
	const char *command;
	bool has_option;
} aims[] = {
	{ "tcptriage states", true }, { "tcptriage report", true }, { "tcptriage capture", true },
	{ "tcptriage mtu-probe", true }, { "tcptriage trace", true },
	{ "ip ", false },
	{ "ss ", false },	      { "nstat ", false },	  { "tc ", false },
	{ "tcpdump ", false },
	{ "cat /proc/sys/net/", false }, /* these two show the reader's own namespace */
	{ "cat /proc/net/", false },
	{ "ping ", false },	      { "nft ", false },
};

static const struct aim *aim_of(const char *template)
{
	for (size_t i = 0; i < ARRAY_SIZE(aims); i++)
		if (!strncmp(template, aims[i].command, strlen(aims[i].command)))
			return &aims[i];
	return NULL;
}

/* What a remark sends to another machine has nothing to do with a namespace of this one. */
static bool is_for_another_machine(const char *template)
{
	static const char *const remarks[] = { "# on the server", "# at the server", "# on the other side" };

	for (size_t i = 0; i < ARRAY_SIZE(remarks); i++) {
		if (strstr(template, remarks[i]))
			return true;
	}
	return false;
}

static void put_enter(struct out *out, const char *at)
{
	if (strchr(at, '/'))
		out_printf(out, "nsenter --net=%s ", at);
	else if (!at[strspn(at, "0123456789")])
		out_printf(out, "nsenter -n -t %s ", at);
	else
		out_printf(out, "ip netns exec %s ", at);
}

static put_fn *putter_of(const char *template)
{
	static const struct {
		const char *begin;
		put_fn *put;
	} rows[] = { { "ss ", put_for_ss }, { "ip route get ", put_for_route } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strncmp(template, rows[i].begin, strlen(rows[i].begin)))
			return rows[i].put;
	}
	return put_placeholder;
}

bool finding_command(struct out *out, const struct finding *finding, const char *template)
{
	const char *at = finding->scope.netns_at;
	const struct aim *aim = at && is_plain(at) && !is_for_another_machine(template) ? aim_of(template) : NULL;

	if (!knows_all(finding, template))
		return false;
	if (aim && aim->has_option) {
		out_printf(out, "%s -N %s", aim->command, at);
		template += strlen(aim->command);
	} else if (aim) {
		put_enter(out, at);
	}
	expand(out, finding, template, putter_of(template));
	return true;
}
