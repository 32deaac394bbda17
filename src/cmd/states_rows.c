/* SPDX-License-Identifier: MIT */
/* Rows of `tcptriage states`: streamed as they come, or kept and sorted. */
#include "states.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "states_print.h"
#include "tcptriage/track/snapshot.h"

/* struct kept - a row that outlives its dump; its holders live as long as the query. */
struct kept {
	struct sock_copy copy;
	struct row row;
	int64_t key;
};

/* struct printer - where rows go. @kept is a min-heap by key when @limit is set, an array otherwise. */
struct printer {
	struct query *query;
	struct out out;
	const struct row_renderer *renderer;
	struct kept **kept;
	size_t count, cap, printed;
	uint64_t limit;
};

static int64_t number_of(const struct sock *sock, enum tcpi_id id)
{
	return tcpi_has(&sock->info, id) ? (int64_t)MIN(sock_tcpi(sock, id), (uint64_t)INT64_MAX) : -1;
}

static int64_t key_recvq(const struct row *row)
{
	return row->sock->recv_q;
}

static int64_t key_sendq(const struct row *row)
{
	return row->sock->send_q;
}

static int64_t key_age(const struct row *row)
{
	return row->age_ms;
}

static int64_t key_idle(const struct row *row)
{
	return sock_idle_ms(row->sock);
}

static int64_t key_pid(const struct row *row)
{
	return row->holder_count ? (int64_t)row->holders[0].process->pid : -1;
}

static int64_t key_state(const struct row *row)
{
	return row->sock->state;
}

/* tcp_info fields come after these, by ss's words or the kernel's names. */
static const struct sort_key {
	const char *name;
	int64_t (*get)(const struct row *row);
} sort_keys[] = {
	{ "recvq", key_recvq }, { "sendq", key_sendq }, { "age", key_age },
	{ "idle", key_idle },	{ "pid", key_pid },	{ "state", key_state },
};

static const struct sort_key *sort_find(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(sort_keys); i++)
		if (!strcmp(sort_keys[i].name, key))
			return &sort_keys[i];
	return NULL;
}

bool states_sort_known(const char *key)
{
	return sort_find(key) || tcpi_find_word(key) < TCPI_COUNT;
}

const char *states_sort_word(size_t index)
{
	if (index < ARRAY_SIZE(sort_keys))
		return sort_keys[index].name;
	index -= ARRAY_SIZE(sort_keys);
	for (size_t i = 0; tcpi_word(i); i++)
		if (!index--)
			return tcpi_word(i);
	return index < TCPI_COUNT ? tcpi_fields[index].name : NULL;
}

static int64_t sort_value(const struct row *row, const char *key)
{
	const struct sort_key *known = sort_find(key);

	return known ? known->get(row) : number_of(row->sock, tcpi_find_word(key));
}

static void print_row(struct printer *printer, const struct row *row)
{
	printer->renderer->row(&printer->out, &printer->query->rows, row, printer->printed++ == 0);
}

static int stream_row(struct query *query, const struct row *row, void *context)
{
	struct printer *printer = context;

	if (printer->limit && printer->printed == printer->limit)
		return -ECANCELED;
	print_row(printer, row);
	(void)query;
	return UNLIKELY(printer->out.error) ? printer->out.error : 0;
}

static void sift_down(struct printer *p, size_t at)
{
	for (;;) {
		size_t least = at, left = 2 * at + 1, right = left + 1;
		struct kept *swap;

		if (left < p->count && p->kept[left]->key < p->kept[least]->key)
			least = left;
		if (right < p->count && p->kept[right]->key < p->kept[least]->key)
			least = right;
		if (least == at)
			return;
		swap = p->kept[at];
		p->kept[at] = p->kept[least];
		p->kept[least] = swap;
		at = least;
	}
}

static void keep_set(struct kept *kept, const struct row *row, int64_t key)
{
	sock_copy_set(&kept->copy, row->sock);
	kept->row = *row;
	kept->row.sock = &kept->copy.sock;
	kept->key = key;
}

static int keep_row(struct query *query, const struct row *row, void *context)
{
	struct printer *p = context;
	int64_t key = sort_value(row, query->options->sort);

	if (p->limit && p->count == p->limit) {
		if (key <= p->kept[0]->key)
			return 0;
		keep_set(p->kept[0], row, key);
		sift_down(p, 0);
		return 0;
	}
	if (p->count == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 256;
		p->kept = xrealloc_array(p->kept, p->cap, sizeof(struct kept *));
	}
	p->kept[p->count] = xmalloc(sizeof(struct kept));
	keep_set(p->kept[p->count++], row, key);
	if (p->limit && p->count == p->limit)
		for (size_t i = p->count / 2 + 1; i-- > 0;)
			sift_down(p, i);
	return 0;
}

static int compare_kept(const void *a, const void *b)
{
	const struct kept *x = *(struct kept *const *)a, *y = *(struct kept *const *)b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return x->copy.sock.cookie < y->copy.sock.cookie ? -1 :
							   x->copy.sock.cookie > y->copy.sock.cookie;
}

static void print_kept(struct printer *p)
{
	if (p->count)
		qsort(p->kept, p->count, sizeof(struct kept *), compare_kept);
	for (size_t i = 0; i < p->count; i++) {
		print_row(p, &p->kept[i]->row);
		free(p->kept[i]);
	}
	free(p->kept);
}

int states_finish(struct query *query, struct out *out, int code, const struct err *err)
{
	int failed = out_flush(out);

	session_print_notices(query->session, &query->options->common);
	out_close(out);
	if (interrupted)
		return EXIT_SIGINT;
	if (failed == -EPIPE)
		return EXIT_RAN;
	if (failed)
		fprintf(stderr, "tcptriage states: cannot write: %s\n", strerror(-failed));
	if (code)
		run_error(&cmd_states, err->text);
	if (failed || code)
		return EXIT_FAILED;
	return query->complete ? EXIT_RAN : EXIT_PARTIAL;
}

int states_rows(struct query *query)
{
	struct document doc = session_document(query->session, "tcptriage.states/1", 0);
	struct printer printer = { .query = query, .limit = query->options->top };
	struct err err = { "" };
	int code;

	signals_catch();
	printer.renderer = &row_renderers[query->session->format];
	out_open_fd(&printer.out, STDOUT_FILENO);
	printer.renderer->begin(&printer.out, &query->rows, &doc);
	code = query_run(query, query->options->sort ? keep_row : stream_row, &printer, &err);
	print_kept(&printer);
	doc.complete = query->complete && !code;
	printer.renderer->end(&printer.out, &query->rows, &doc, &query->counts);
	return states_finish(query, &printer.out, code, &err);
}
