/* SPDX-License-Identifier: MIT */
/* The view of `tcptriage states` without a selection: eleven states with counts, owners and peers, port headroom, flagged sockets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "states_print.h"
#include "tally.h"
#include "tcptriage/render/report.h"
#include "tcptriage/triage/port_headroom.h"

#define PORT_LINES 5
#define FLAGGED_LINES 20

/* struct tallies - top owner and top peer of each state. */
struct tallies {
	struct tally owner[SOCK_STATE_COUNT], peer[SOCK_STATE_COUNT];
	const struct owner_map *owners;
	struct out key;
};

/* A listener's peer is nobody, an unconnected socket's too. */
static void tap(const struct snapshot *snap, const struct sock *sock, void *context)
{
	struct tallies *t = context;
	const struct holder *holders;

	if (sock->netid != NETID_TCP)
		return;
	if (t->owners && sock->inode && owner_map_find(t->owners, sock->inode, &holders)) {
		out_clear(&t->key);
		out_str(&t->key, holders->process->comm);
		out_char(&t->key, '[');
		out_u64(&t->key, holders->process->pid);
		out_char(&t->key, ']');
		tally_add(&t->owner[sock->state], t->key.base, out_len(&t->key), 0, 0);
	}
	if (!sock->peer.port)
		return;
	out_clear(&t->key);
	/* the port of somebody who came to us is chance */
	if (snapshot_listener_for(snap, &sock->local))
		out_addr(&t->key, &sock->peer.addr);
	else
		out_endpoint(&t->key, &sock->peer);
	tally_add(&t->peer[sock->state], t->key.base, out_len(&t->key), 0, 0);
}

static void top_of(const struct tally *tally, const char **text, uint64_t *count)
{
	const struct tally_line *top = tally_top(tally);

	*text = top ? top->key : "";
	*count = top ? top->count : 0;
}

/* Ids of the rules that flagged sockets of one state, each once. */
static const char *const *rules_of_state(struct arena *arena, const struct flag_set *flags,
					 unsigned state)
{
	const char **ids = arena_alloc(arena, (triage_rule_count + 1) * sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < flags->count; i++)
		for (const char *const *id = flags->item[i].rules; *id; id++) {
			bool known = flags->item[i].copy.sock.state != state;

			for (size_t k = 0; k < count; k++)
				known = known || !strcmp(ids[k], *id);
			if (!known)
				ids[count++] = *id;
		}
	return ids;
}

static void fill_lines(struct summary *summary, const struct sampler *sampler,
		       const struct tallies *tallies, const struct flag_set *flags)
{
	for (unsigned i = 0; i < ARRAY_SIZE(summary->line); i++) {
		struct summary_line *line = &summary->line[i];

		line->state = sock_state_display_order[i];
		line->v4 = summary->counts->tcp[ADDR_V4][line->state];
		line->v6 = summary->counts->tcp[ADDR_V6][line->state];
		line->oldest_ms = -1;
		for (unsigned n = 0; n < sampler->session->ns_count; n++)
			line->oldest_ms = MAX(line->oldest_ms,
					      sampler->snaps[n].oldest_ms[line->state]);
		top_of(&tallies->owner[line->state], &line->top_owner, &line->top_owner_count);
		top_of(&tallies->peer[line->state], &line->top_peer, &line->top_peer_count);
		line->flags = rules_of_state(&sampler->session->arena, flags, line->state);
	}
}

/* NULL where only one namespace is looked at: its name says nothing then. */
static const char *netns_of(const struct sampler *sampler, unsigned n)
{
	const char *name = sampler->session->list[n].name;

	return sampler->session->ns_count < 2 ? NULL : *name ? name : "(this one)";
}

static void fill_ports(struct summary *summary, const struct sampler *sampler)
{
	struct summary_ports *ports =
		arena_alloc(&sampler->session->arena,
			    sampler->session->ns_count * PORT_LINES * sizeof(*ports));

	summary->ports = ports;
	for (unsigned n = 0; n < sampler->session->ns_count; n++) {
		struct headroom top[PORT_LINES];
		size_t count = headroom_top(&sampler->snaps[n], top, PORT_LINES);

		for (size_t i = 0; i < count; i++)
			ports[summary->port_count++] = (struct summary_ports){
				.local = top[i].group->local,
				.peer = { top[i].group->peer, top[i].group->peer_port },
				.used = top[i].used,
				.time_wait = top[i].group->tw_in_range,
				.total = top[i].size,
				.netns = netns_of(sampler, n) };
	}
}

/* Of one rule, state and owner, and towards one peer or from one local port. */
static bool are_alike(const struct summary_flagged *line, const struct flagged *flagged,
		      const char *netns)
{
	const struct sock *a = line->sock, *b = &flagged->copy.sock;

	return line->rule == flagged->rules[0] && line->netns == netns && line->owner == flagged->owner &&
	       line->reason == flagged->reason && a->state == b->state &&
	       (endpoint_equal(&a->peer, &b->peer) || endpoint_equal(&a->local, &b->local));
}

static int64_t age_of(const struct sampler *sampler, const struct flagged *flagged)
{
	const struct snapshot *snap = &sampler->snaps[flagged->ns];

	return sock_age_ms(&flagged->copy.sock, snap->rto_max_ms, snap->fin_timeout_ms, NULL);
}

static void fill_flagged(struct summary *summary, const struct sampler *sampler,
			 const struct flag_set *flags)
{
	struct summary_flagged *list =
		arena_alloc(&sampler->session->arena, FLAGGED_LINES * sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < flags->count; i++) {
		const struct flagged *flagged = &flags->item[i];
		const char *netns = netns_of(sampler, flagged->ns);
		int64_t age_ms = age_of(sampler, flagged);
		size_t k = 0;

		while (k < count && !are_alike(&list[k], flagged, netns))
			k++;
		if (k == FLAGGED_LINES) {
			summary->flagged_more++;
			continue;
		}
		if (k < count)
			list[k].alike++;
		if (k == count || age_ms > list[k].age_ms) {
			list[k].sock = &flagged->copy.sock;
			list[k].age_ms = age_ms;
			list[k].timeout = sock_timeout(&flagged->copy.sock, &sampler->snaps[flagged->ns].sysctls);
		}
		if (k < count)
			continue;
		list[k].owner = flagged->owner;
		list[k].reason = flagged->reason;
		list[k].rule = flagged->rules[0];
		list[k].netns = netns;
		count++;
	}
	summary->flagged = list;
	summary->flagged_count = count;
}

/* Return: 0, or -errno with @err when it could not be written. */
static int show(struct session *session, struct sampler *sampler, const struct tallies *tallies,
		struct err *err)
{
	struct document doc = session_document(session, "tcptriage.states/1", 0);
	struct state_counts counts = sampler_counts(sampler);
	struct summary summary = { .doc = &doc, .counts = &counts, .style = session->style };
	struct flag_set *flags = flags_judge(sampler);
	struct out out;
	int code;

	doc.complete = doc.complete && sampler->complete && !sampler->missing;
	summary.udp_v4 = counts.udp[ADDR_V4];
	summary.udp_v6 = counts.udp[ADDR_V6];
	fill_lines(&summary, sampler, tallies, flags);
	fill_ports(&summary, sampler);
	fill_flagged(&summary, sampler, flags);
	out_open_fd(&out, STDOUT_FILENO);
	summary_render(&out, &summary, session->format);
	code = out_flush(&out);
	out_close(&out);
	flags_free(flags);
	return code ? err_errno(err, code, "cannot write") : 0;
}

int states_summary(struct session *session, const struct states_options *options)
{
	static const struct triage_options quick = { .quick = true };
	CLEANUP(sampler_close) struct sampler sampler = { 0 };
	struct tallies tallies = { .owners = NULL };
	struct err err = { "" };
	int code;

	signals_catch();
	sampler_open(&sampler, session, NULL, &quick, 0);
	if (source_owners(session->source, NULL, 0, &sampler.owners, &err))
		notices_add(&session->notices, "owners could not be read: %s", err.text);
	tallies.owners = sampler.owners;
	out_open_mem(&tallies.key);
	sampler.tap = tap;
	sampler.tap_context = &tallies;
	code = sampler_take(&sampler, &err);
	if (!code)
		code = show(session, &sampler, &tallies, &err);
	for (unsigned s = 0; s < SOCK_STATE_COUNT; s++) {
		tally_free(&tallies.owner[s]);
		tally_free(&tallies.peer[s]);
	}
	out_close(&tallies.key);
	session_print_notices(session, &options->common);
	if (interrupted)
		return EXIT_SIGINT;
	if (code)
		run_error(&cmd_states, err.text);
	return code ? EXIT_FAILED : sampler.complete && !sampler.missing ? EXIT_RAN : EXIT_PARTIAL;
}
