/* SPDX-License-Identifier: MIT */
/* Listeners by endpoint. */
#include "queues.h"

#include <stdlib.h>

uint64_t listener_drops(const struct listener *l)
{
	const struct sock *first = &l->first.sock, *last = &l->last.sock;

	if (!(first->has & SOCK_HAS_SKMEM) || !(last->has & SOCK_HAS_SKMEM))
		return 0;
	return last->skmem[SKMEM_DROPS] - first->skmem[SKMEM_DROPS];
}

int64_t accept_queue_oldest_ms(const struct accept_queue *queue)
{
	return queue->keeper ? queue->keeper->oldest_child_ms : -1;
}

bool sees_all_listeners(const struct view *view)
{
	const struct listener *listener;

	for (size_t i = 0; (listener = snapshot_listener(view->snap, i)); i++) {
		if (listener->role_only)
			return false;
	}
	return true;
}

static int by_endpoint(const struct sock *a, const struct sock *b)
{
	int order = addr_compare(&a->local.addr, &b->local.addr);

	if (order)
		return order;
	if (a->local.port != b->local.port)
		return a->local.port < b->local.port ? -1 : 1;
	return a->v6only - b->v6only;
}

static int compare(const void *left, const void *right)
{
	const struct listener *a = *(const struct listener *const *)left;
	const struct listener *b = *(const struct listener *const *)right;
	int order = by_endpoint(&a->last.sock, &b->last.sock);

	return order ? order : a->key < b->key ? -1 : a->key > b->key;
}

/* Its queue was never seen empty, in two samples at least. */
static bool stands(const struct listener *l)
{
	return l->seen > 1 && l->waiting_samples == l->seen;
}

static bool is_worse(const struct listener *a, const struct listener *b)
{
	if (stands(a) != stands(b))
		return stands(a);
	if (listener_drops(a) != listener_drops(b))
		return listener_drops(a) > listener_drops(b);
	return a->recv_q_max > b->recv_q_max;
}

static void take(struct accept_queue *queue, const struct listener *l)
{
	queue->listeners++;
	queue->drops += listener_drops(l);
	queue->over = queue->over || l->full_samples;
	if (!queue->worst || is_worse(l, queue->worst))
		queue->worst = l;
	if (!stands(l))
		return;
	queue->standing++;
	queue->waiting += l->last.sock.recv_q;
	queue->least += l->recv_q_min;
}

static const struct listener **list_listeners(const struct view *view, size_t *count)
{
	const struct listener **list, *l;
	size_t all = 0;

	while (snapshot_listener(view->snap, all))
		all++;
	list = arena_alloc(view->arena, (all + 1) * sizeof(struct listener *));
	for (size_t i = 0; (l = snapshot_listener(view->snap, i)); i++) {
		if (l->present && !l->role_only)
			list[(*count)++] = l;
	}
	return list;
}

struct accept_queues accept_queues_collect(const struct view *view)
{
	size_t count = 0;
	const struct listener **list = list_listeners(view, &count);
	struct accept_queues queues = {
		.at = arena_alloc(view->arena, (count + 1) * sizeof(*queues.at)),
		.whole = sees_all_listeners(view),
	};

	if (count)
		qsort(list, count, sizeof(struct listener *), compare);
	for (size_t i = 0; i < count; i++) {
		if (!i || by_endpoint(&list[i - 1]->last.sock, &list[i]->last.sock))
			queues.at[queues.count++] = (struct accept_queue){
				.keeper = snapshot_listener_for(view->snap, &list[i]->last.sock.local),
			};
		take(&queues.at[queues.count - 1], list[i]);
	}
	return queues;
}

void finding_queue(struct finding *f, const struct view *view, const struct listener *l)
{
	const struct sock *sock = &l->last.sock;
	const struct listener *keeper = snapshot_listener_for(view->snap, &sock->local);

	finding_add(f, "recv_q", sock->recv_q, UNIT_COUNT, "idiag_rqueue");
	finding_add(f, "backlog", sock->send_q, UNIT_COUNT, "idiag_wqueue");
	finding_add(f, "recv_q_max", l->recv_q_max, UNIT_COUNT, "idiag_rqueue");
	if (keeper) {
		finding_add(f, "children", keeper->children_waiting, UNIT_SOCKETS, "sock_diag");
		if (keeper->oldest_child_ms >= 0)
			finding_add(f, "oldest_child", (double)keeper->oldest_child_ms, UNIT_MS,
				    "tcpi_last_data_sent");
	}
	if (view->snap->has_sysctls && view->snap->sysctls.has[SYSCTL_SOMAXCONN])
		finding_add(f, "somaxconn", (double)view->snap->sysctls.value[SYSCTL_SOMAXCONN],
			    UNIT_COUNT, "net.core.somaxconn");
}
