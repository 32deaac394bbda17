/* SPDX-License-Identifier: MIT */
/* `tcptriage states --group-by`: how many sockets share a state, a process, a peer, a port or a prefix. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "states_print.h"
#include "tally.h"
#include "tcptriage/base/num.h"
#include "tcptriage/render/report.h"

static void key_state(struct out *key, const struct row *row, unsigned bits)
{
	(void)bits;
	out_str(key, sock_state_name(row->sock->state));
}

static void key_process(struct out *key, const struct row *row, unsigned bits)
{
	(void)bits;
	if (row->holder_count)
		out_printf(key, "%s[%u]", row->holders[0].process->comm, row->holders[0].process->pid);
	else
		out_printf(key, "-(%s)", owner_unknown_name(row->reason));
}

static void key_peer(struct out *key, const struct row *row, unsigned bits)
{
	(void)bits;
	out_endpoint(key, &row->sock->peer);
}

static void key_peer_port(struct out *key, const struct row *row, unsigned bits)
{
	(void)bits;
	out_u64(key, row->sock->peer.port);
}

static void key_local_port(struct out *key, const struct row *row, unsigned bits)
{
	(void)bits;
	out_u64(key, row->sock->local.port);
}

static void key_prefix(struct out *key, const struct row *row, unsigned bits)
{
	struct addr prefix;

	bits = MIN(bits, row->sock->peer.addr.family == ADDR_V4 ? 32u : 128u);
	prefix = addr_mask(&row->sock->peer.addr, bits);
	out_addr(key, &prefix);
	out_printf(key, "/%u", bits);
}

static const struct grouping {
	const char *name;
	void (*key)(struct out *key, const struct row *row, unsigned bits);
} groupings[] = {
	{ "state", key_state },		{ "process", key_process },   { "peer", key_peer },
	{ "peer-port", key_peer_port }, { "local-port", key_local_port }, { "prefix/", key_prefix },
};

/* The grouping named @by; "prefix/LEN" gives the length in @bits. */
static const struct grouping *grouping_find(const char *by, unsigned *bits)
{
	uint64_t length;

	*bits = 0;
	for (size_t i = 0; i < ARRAY_SIZE(groupings); i++) {
		size_t len = strlen(groupings[i].name);

		if (!strcmp(groupings[i].name, by) && groupings[i].key != key_prefix)
			return &groupings[i];
		if (groupings[i].key == key_prefix && !strncmp(by, groupings[i].name, len) &&
		    num_u64(by + len, 128, &length)) {
			*bits = (unsigned)length;
			return &groupings[i];
		}
	}
	return NULL;
}

bool states_group_known(const char *by)
{
	unsigned bits;

	return grouping_find(by, &bits);
}

const char *states_group_word(size_t index)
{
	return index < ARRAY_SIZE(groupings) ? groupings[index].name : NULL;
}

struct counting {
	struct tally tally;
	struct out key;
	const struct grouping *grouping;
	unsigned bits;
};

static int count_row(struct query *query, const struct row *row, void *context)
{
	struct counting *counting = context;

	(void)query;
	out_clear(&counting->key);
	counting->grouping->key(&counting->key, row, counting->bits);
	tally_add(&counting->tally, counting->key.base, out_len(&counting->key), row->sock->recv_q,
		  row->sock->send_q);
	return 0;
}

int states_groups(struct query *query)
{
	const struct states_options *o = query->options;
	struct document doc = session_document(query->session, "tcptriage.states/1", 0);
	struct counting counting = { .bits = 0 };
	struct group_line *lines;
	struct err err = { "" };
	struct out out;
	size_t count;
	int code;

	signals_catch();
	counting.grouping = grouping_find(o->group_by, &counting.bits);
	out_open_mem(&counting.key);
	code = query_run(query, count_row, &counting, &err);
	out_close(&counting.key);
	tally_sort(&counting.tally);
	if (counting.tally.lost)
		notices_add(&query->session->notices,
			    "more than %u groups: %llu sockets of further groups are not listed",
			    TALLY_MAX, (unsigned long long)counting.tally.lost);
	count = o->top ? MIN(o->top, counting.tally.count) : counting.tally.count;
	lines = arena_alloc(&query->session->arena, count * sizeof(*lines));
	for (size_t i = 0; i < count; i++)
		lines[i] = (struct group_line){ .key = counting.tally.lines[i].key,
						.count = counting.tally.lines[i].count,
						.recv_q = counting.tally.lines[i].recv_q,
						.send_q = counting.tally.lines[i].send_q };
	doc.complete = query->complete && !code;
	out_open_fd(&out, STDOUT_FILENO);
	groups_render(&out, &doc, o->group_by, lines, count, query->session->format,
		      &query->session->style);
	tally_free(&counting.tally);
	return states_finish(query, &out, code, &err);
}
