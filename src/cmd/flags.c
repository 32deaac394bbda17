/* SPDX-License-Identifier: MIT */
/* Joins findings back to the sockets that caused them. */
#include "flags.h"

#include <stdlib.h>
#include <string.h>

static bool is_peer(const struct scope *scope, const struct addr *addr)
{
	if (addr_is_any(&scope->peer.addr))
		return true;
	return scope->peer_bits ? addr_in_prefix(addr, &scope->peer.addr, scope->peer_bits) :
				  addr_equal(addr, &scope->peer.addr);
}

/* A finding about the whole host has no socket of its own. */
static bool inside_scope(const struct finding *finding, const struct sock *sock,
			 const struct process *owner)
{
	const struct scope *scope = &finding->scope;

	if (!scope->pid && !scope->has_peer && !scope->has_local)
		return false;
	if (scope->pid && (!owner || owner->pid != scope->pid))
		return false;
	if (scope->has_peer && ((scope->peer.port && scope->peer.port != sock->peer.port) ||
				!is_peer(scope, &sock->peer.addr)))
		return false;
	return !scope->has_local || !scope->local.port || scope->local.port == sock->local.port;
}

static void note(struct flag_set *set, const struct view *view, unsigned ns, const struct sock *sock,
		 struct finding *const *findings, size_t count, uint64_t rules)
{
	struct flagged flagged = { .ns = ns };
	unsigned ids = 0;

	flagged.owner = view->owner_of(view, sock, &flagged.reason);
	for (size_t i = 0; i < count && ids < FLAGS_PER_SOCKET; i++) {
		bool asked = false, twice = false;

		for (size_t r = 0; r < triage_rule_count; r++)
			asked = asked || (rules >> r & 1 &&
					  !strcmp(triage_rules[r]->id, findings[i]->rule));
		for (unsigned k = 0; k < ids; k++)
			twice = twice || !strcmp(flagged.rules[k], findings[i]->rule);
		if (asked && !twice && inside_scope(findings[i], sock, flagged.owner))
			flagged.rules[ids++] = findings[i]->rule;
	}
	if (!ids)
		return;
	if (set->count == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 64;
		set->item = xrealloc_array(set->item, set->cap, sizeof(*set->item));
	}
	set->item[set->count] = flagged;
	sock_copy_set(&set->item[set->count++].copy, sock);
}

static int compare(const void *a, const void *b)
{
	const struct flagged *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->copy.sock.cookie != y->copy.sock.cookie)
		return x->copy.sock.cookie < y->copy.sock.cookie ? -1 : 1;
	return 0;
}

/* A grown or sorted array has moved; tcp_info must point into its own copy again. */
static void point_home(struct flag_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		set->item[i].copy.sock.info.bytes = set->item[i].copy.info_bytes;
}

struct flag_set *flags_judge(struct sampler *sampler)
{
	struct flag_set *set = xcalloc(1, sizeof(*set));
	struct verdict verdict = { .arena = &sampler->session->arena };

	for (unsigned n = 0; n < sampler->session->ns_count; n++) {
		struct view view = sampler_view(sampler, n);
		size_t before = verdict.finding_count, count;
		const struct candidate *candidate;
		const struct listener *listener;

		triage_run(&view, sampler->triage, &verdict);
		count = verdict.finding_count - before;
		for (size_t i = 0; count && (candidate = snapshot_candidate(view.snap, i)); i++)
			if (candidate->present)
				note(set, &view, n, &candidate->last.sock, verdict.findings + before,
				     count, candidate->rules);
		for (size_t i = 0; count && (listener = snapshot_listener(view.snap, i)); i++)
			note(set, &view, n, &listener->last.sock, verdict.findings + before, count,
			     UINT64_MAX);
	}
	if (set->count)
		qsort(set->item, set->count, sizeof(*set->item), compare);
	point_home(set);
	return set;
}

struct flag_set *flags_collect(struct session *session)
{
	static const struct triage_options quick = { .quick = true };
	CLEANUP(sampler_close) struct sampler sampler = { 0 };
	struct err err = { "" };

	sampler_open(&sampler, session, NULL, &quick, 0);
	if (sampler_take(&sampler, &err))
		return NULL;
	sampler_find_owners(&sampler);
	return flags_judge(&sampler);
}

const char *const *flags_of(const struct flag_set *set, unsigned ns, const struct sock *sock)
{
	static const char *const none[] = { NULL };
	struct flagged wanted = { .ns = ns };
	const struct flagged *found;

	wanted.copy.sock.cookie = sock->cookie;
	if (!set || !set->count)
		return none;
	found = bsearch(&wanted, set->item, set->count, sizeof(*set->item), compare);
	return found ? found->rules : none;
}

void flags_free(struct flag_set *set)
{
	if (set)
		free(set->item);
	free(set);
}
