/* SPDX-License-Identifier: MIT */
/* Accept queues: the listeners of a view by endpoint, because several may share one (SO_REUSEPORT) and the kernel does not tell in whose
 * queue a connection waits. */
#ifndef TCPTRIAGE_TRIAGE_QUEUES_H
#define TCPTRIAGE_TRIAGE_QUEUES_H

#include "kit.h"

/**
 * struct accept_queue - all listeners of the view on one endpoint.
 * @worst: the one whose clients have most to suffer: a queue that stands before one that dropped before the longest. @keeper: where the
 * connections of all of them are counted. @listeners: how many share the endpoint; @standing: those whose queue was empty in no sample.
 * @waiting, @least: sum of the Recv-Q of the standing ones, in the newest sample and at the lowest. @drops: growth of their own drop counts.
 * @over: a queue held more than its backlog in some sample.
 */
struct accept_queue {
	const struct listener *worst, *keeper;
	unsigned listeners, standing;
	uint64_t waiting, least, drops;
	bool over;
};

/** struct accept_queues - one an endpoint, in the order of endpoints. @whole: the view leaves no listener out. */
struct accept_queues {
	struct accept_queue *at;
	size_t count;
	bool whole;
};

/** sees_all_listeners() - no filter leaves a listener out: with others, what the namespace counts may be theirs. */
bool sees_all_listeners(const struct view *view);
/** accept_queues_collect() - those of listeners that stand in the newest sample and are part of the view. */
struct accept_queues accept_queues_collect(const struct view *view);
/** listener_drops() - growth of a listener's own drop count over the run. */
uint64_t listener_drops(const struct listener *listener);
/** accept_queue_oldest_ms() - how long its oldest connection has waited; −1 unknown. */
int64_t accept_queue_oldest_ms(const struct accept_queue *queue);
/** finding_queue() - evidence of one listener's queue: recv_q, backlog, recv_q_max, children, oldest_child, somaxconn. */
void finding_queue(struct finding *finding, const struct view *view, const struct listener *listener);

#endif
