/* SPDX-License-Identifier: MIT */
/* From the command line to a question, and from the answers to rows. */
#include "states.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "tcptriage/base/words.h"

#define RTO_MAX_MS 120000
#define FIN_TIMEOUT_MS 60000

static unsigned families_of(const struct states_options *o)
{
	unsigned families = (o->v4 ? 1u << ADDR_V4 : 0) | (o->v6 ? 1u << ADDR_V6 : 0);

	return families ? families : 3;
}

/* ss's defaults: connected sockets; -a all, -l listening (for UDP: unconnected), -B bound only; `state` overrides them. */
static uint32_t states_of(const struct states_options *o, const struct filter *filter)
{
	uint32_t states = 0;

	if (filter->states)
		return filter->states;
	if (o->all)
		states |= STATES_ALL;
	if (o->listening)
		states |= STATE_BIT(SOCK_STATE_LISTEN) | STATE_BIT(SOCK_STATE_UNCONN);
	if (o->bound)
		states |= STATE_BIT(SOCK_STATE_BOUND_INACTIVE);
	return states ? states : STATES_CONNECTED;
}

/* @wanted: bits of enum row_show that rows or columns need. */
static unsigned ext_of(const struct states_options *o, const struct filter *filter, unsigned wanted)
{
	unsigned ext = 0;

	if (wanted & ROW_SHOW_INFO || filter->needs & FILTER_NEEDS_TCP_INFO || o->sort)
		ext |= DIAG_EXT_INFO;
	if (o->info)
		ext |= DIAG_EXT_VEGASINFO | DIAG_EXT_CONG;
	if (wanted & ROW_SHOW_MEMORY || filter->needs & FILTER_NEEDS_SKMEM)
		ext |= DIAG_EXT_SKMEMINFO;
	if (wanted & ROW_SHOW_TOS)
		ext |= DIAG_EXT_TOS | DIAG_EXT_TCLASS;
	return ext;
}

static unsigned show_of(const struct states_options *o, const struct session *session)
{
	return (o->timers ? ROW_SHOW_TIMERS : 0) | (o->extended ? ROW_SHOW_EXTENDED : 0) |
	       (o->memory ? ROW_SHOW_MEMORY : 0) | (o->info ? ROW_SHOW_INFO : 0) |
	       (o->processes ? ROW_SHOW_OWNERS : 0) | (o->cgroup ? ROW_SHOW_CGROUP : 0) |
	       (o->tos ? ROW_SHOW_TOS : 0) | (o->flags ? ROW_SHOW_FLAGS : 0) |
	       (session->ns_count > 1 ? ROW_SHOW_NETNS : 0);
}

static int unknown_column(const char *word, struct err *err)
{
	struct words_nearest search = { .word = word };
	const char *name;

	if (!strcmp(word, "help"))
		return err_set(err, -EINVAL, "the columns are what 'tcptriage --complete columns' lists");
	for (size_t i = 0; (name = row_column_name(i)); i++)
		words_offer(&search, name);
	return err_set(err, -EINVAL, "unknown column '%s'%s", word, words_hint(&search).text);
}

/* @wanted gathers what the columns need to be collected. */
static int choose_columns(struct query *query, const char *text, unsigned *wanted, struct err *err)
{
	char *rest = arena_strdup(&query->session->arena, text), *word;

	while ((word = strsep(&rest, ","))) {
		uint16_t column;

		if (!row_column_find(word, &column))
			return unknown_column(word, err);
		if (query->rows.column_count == ROW_COLUMNS_MAX)
			return err_set(err, -EINVAL, "more than %d columns", ROW_COLUMNS_MAX);
		query->rows.columns[query->rows.column_count++] = column;
		*wanted |= row_column_needs(column);
	}
	return 0;
}

static bool one_bit(uint32_t mask)
{
	return !(mask & (mask - 1));
}

static bool wants_owners(const struct query *query, unsigned wanted)
{
	const struct states_options *o = query->options;

	return wanted & ROW_SHOW_OWNERS || query->filter.needs & FILTER_NEEDS_OWNERS ||
	       (o->sort && !strcmp(o->sort, "pid")) ||
	       (o->group_by && !strcmp(o->group_by, "process"));
}

int query_open(struct query *query, const struct states_options *o, struct session *session,
	       int operand_count, char **operands, struct err *err)
{
	struct diag_request request = { .families = families_of(o) };
	unsigned wanted = show_of(o, session);
	bool exact = true;
	int code;

	*query = (struct query){ .options = o, .session = session, .complete = true };
	code = session_filter(session, &query->filter, operand_count, operands, err);
	if (!code)
		code = filter_compile(&query->filter, &session->arena, &request.bytecode,
				      &request.bytecode_len, &exact, err);
	if (code)
		return code;
	query->rows = (struct row_options){
		.show = wanted,
		.one_line = o->one_line,
		.no_header = o->no_header,
		.netid_column = o->tcp == o->udp,
		.username = names_user,
		.style = session->style,
	};
	if (o->columns && choose_columns(query, o->columns, &wanted, err))
		return -EINVAL;
	if (o->resolve && !o->common.numeric) {
		query->rows.hostname = names_host;
		query->rows.service = names_service;
	}
	request.families &= query->filter.families;
	request.states = states_of(o, &query->filter);
	request.ext = ext_of(o, &query->filter, wanted);
	query->rows.state_column = !one_bit(request.states);
	query->wanted = wanted;
	query->judge = query->filter.root && (!exact || source_is_recorded(session->source));
	for (unsigned t = 0; t < NETID_COUNT; t++) {
		query->request[t] = request;
		query->request[t].netid = (enum netid)t;
		if (o->tcp != o->udp && (t == NETID_UDP) != o->udp)
			query->request[t].families = 0;
	}
	if (wanted & ROW_SHOW_FLAGS)
		query->flags = flags_collect(session);
	if (!wants_owners(query, wanted))
		return 0;
	return source_owners(session->source, NULL, 0, &query->owners, err);
}

void query_close(struct query *query)
{
	owner_map_free(query->owners);
	late_free(&query->late);
	flags_free(query->flags);
	*query = (struct query){ 0 };
}

/* struct feed - one namespace's answers on their way to the caller. */
struct feed {
	struct query *query;
	query_row_fn *fn;
	void *context;
	unsigned ns;
};

/* Return: false when the socket waits for a second pass over /proc. */
static bool find_holders(struct query *query, struct row *row, unsigned ns)
{
	const struct owner_map *owners = query->late.owners ? query->late.owners : query->owners;

	row->reason = owner_reason_of_state(row->sock);
	if (row->reason != OWNER_KNOWN)
		return true;
	row->holder_count = owner_map_find(owners, row->sock->inode, &row->holders);
	if (LIKELY(row->holder_count))
		return true;
	if (!source_is_recorded(query->session->source) && late_keep(&query->late, row->sock, ns))
		return false;
	row->reason = query->late.owners ? late_reason(&query->late, query->session, row->sock, ns) :
					   owner_map_reason(owners, row->sock);
	if (row->reason == OWNER_NO_PERMISSION) {
		session_note_denied(query->session);
		/* the filter cannot tell whether this socket is among those asked for */
		if (query->filter.needs & FILTER_NEEDS_OWNERS)
			query->complete = false;
	}
	return true;
}

static int take(const struct sock *sock, void *context)
{
	struct feed *feed = context;
	struct query *query = feed->query;
	struct row row = { .sock = sock, .netns = query->netns };

	if (query->owners && UNLIKELY(!find_holders(query, &row, feed->ns)))
		return 0;
	if (UNLIKELY(query->wanted & (ROW_SHOW_CGROUP | ROW_SHOW_EXTENDED) ||
		     query->filter.needs & FILTER_NEEDS_CGROUP))
		row.cgroup = source_cgroup_path(query->session->source, sock->cgroup_id);
	if (query->judge) {
		struct filter_facts facts = { .holders = row.holders,
					      .holder_count = row.holder_count,
					      .cgroup = row.cgroup,
					      .port_lo = query->port_lo,
					      .port_hi = query->port_hi };

		struct sock truth;

		if (!filter_judge(&query->filter,
				  source_true_sock(query->session->source, sock, &truth), &facts))
			return 0;
	}
	if (query->flags)
		row.flags = flags_of(query->flags, feed->ns, sock);
	row.age_ms = sock_age_ms(sock, query->rto_max_ms, query->fin_timeout_ms, NULL);
	row.timeout = sock_timeout(sock, query->sysctls);
	if (sock->netid == NETID_TCP)
		query->counts.tcp[sock->family][sock->state]++;
	else
		query->counts.udp[sock->family]++;
	query->selected++;
	return interrupted ? -EINTR : feed->fn(query, &row, feed->context);
}

static void enter_namespace(struct query *query, unsigned n)
{
	struct sysctls *sysctls = arena_alloc(&query->session->arena, sizeof(*sysctls));

	query->netns = query->rows.show & ROW_SHOW_NETNS ? query->session->list[n].name : NULL;
	/* interface names are those of the namespace we are in; elsewhere, and in a recording, the index is the truth */
	query->rows.ifname = !query->session->list[n].path &&
					     !source_is_recorded(query->session->source) ?
				     names_interface :
				     NULL;
	source_ns_set_sample(query->session->ns[n], 0);
	query->sysctls = sysctls;
	query->rto_max_ms = RTO_MAX_MS;
	query->fin_timeout_ms = FIN_TIMEOUT_MS;
	if (source_sysctls(query->session->ns[n], sysctls, NULL))
		return;
	query->rto_max_ms = (uint32_t)sysctl_or(sysctls, SYSCTL_TCP_RTO_MAX_MS, RTO_MAX_MS);
	query->fin_timeout_ms =
		(uint32_t)sysctl_or(sysctls, SYSCTL_TCP_FIN_TIMEOUT_S, FIN_TIMEOUT_MS / 1000) * 1000;
	query->port_lo = (uint16_t)sysctl_or(sysctls, SYSCTL_PORT_LO, 32768);
	query->port_hi = (uint16_t)sysctl_or(sysctls, SYSCTL_PORT_HI, 60999);
}

/* What waited for its holder, each again in its namespace. */
static int take_late(struct query *query, query_row_fn *fn, void *context)
{
	struct feed feed = { .query = query, .fn = fn, .context = context, .ns = query->session->ns_count };
	int code = 0;

	late_look(&query->late, query->session);
	for (size_t i = 0; i < query->late.count && !code; i++) {
		const struct late_sock *late = &query->late.socks[i];

		if (feed.ns != late->ns)
			enter_namespace(query, late->ns);
		feed.ns = late->ns;
		code = take(&late->copy.sock, &feed);
	}
	return code;
}

int query_run(struct query *query, query_row_fn *fn, void *context, struct err *err)
{
	unsigned asked = 0, failed = 0;
	int code = 0, last = 0;

	for (unsigned n = 0; n < query->session->ns_count; n++) {
		enter_namespace(query, n);
		for (unsigned t = 0; t < NETID_COUNT; t++) {
			struct feed feed = { .query = query, .fn = fn, .context = context, .ns = n };
			struct diag_result result = { .complete = true };

			if (!query->request[t].families)
				continue;
			asked++;
			code = source_sockets(query->session->ns[n], &query->request[t], take, &feed,
					      &result, err);
			if (!result.complete && !code) {
				query->complete = false;
				notices_add(&query->session->notices,
					    "the kernel's list changed while it was read or was cut: sockets may be missing");
			}
			if (code == -EINTR || code == -EPIPE || code == -ECANCELED)
				return code == -ECANCELED ? 0 : code;
			if (!code)
				continue;
			failed++;
			last = code;
			notices_add(&query->session->notices, "%s sockets could not be read: %s",
				    netid_name(t), err->text);
		}
	}
	code = query->late.count ? take_late(query, fn, context) : 0;
	if (code)
		return code == -ECANCELED ? 0 : code;
	query->complete = query->complete && !failed && !query->session->unopened;
	return asked == failed ? last : 0;
}
