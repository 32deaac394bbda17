/* SPDX-License-Identifier: MIT */
/* What flows lose. */
#include "flow_loss.h"

#include <stdlib.h>

#include "flow_clients.h"
#include "stuck_flow.h"

const struct flow_side *flow_loss_sender(const struct flow_member *m, bool incoming)
{
	return incoming ? m->other : m->own;
}

/* Where offload joins segments before the capture, a packet is many: bytes tell how many were sent. */
static uint64_t sent_by(const struct flow_side *side, const struct flow_side *receiver)
{
	uint32_t segment = receiver->has & SIDE_HAS_MSS ? receiver->mss : side->max_payload;

	return MAX(side->packets, segment ? side->payload / segment : 0);
}

static struct flow_loss loss_of(const struct flow_member *m, bool incoming, double spurious)
{
	const struct flow_side *own = flow_loss_sender(m, incoming), *receiver = flow_loss_sender(m, !incoming);
	struct flow_loss loss = { .sent = sent_by(own, receiver),
				  .again = own->retransmissions > own->syn_retries ? own->retransmissions - own->syn_retries : 0,
				  .unseen = receiver->acked_unseen,
				  .timeouts = own->timeouts,
				  .fast = own->fast,
				  .out_of_order = own->out_of_order,
				  .flows = 1 };

	loss.spurious = own->spurious >= spurious * (double)loss.again ? loss.again : own->spurious;
	return loss;
}

uint64_t flow_loss_count(const struct flow_loss *loss)
{
	uint64_t other = loss->spurious + loss->unseen;

	return loss->again > other ? loss->again - other : 0;
}

double flow_loss_percent(const struct flow_loss *loss)
{
	return loss->sent ? MIN(100 * (double)flow_loss_count(loss) / (double)loss->sent, 100) : 0;
}

/* By the limits of the rules that speak of it: a capture may end while a segment that was lost three times is on its way once more. */
static bool is_stuck(const struct flow_side *own)
{
	return own->ip_dead_min && own->dead_tries >= stuck_flow_defaults[STUCK_FLOW_COPIES] && own->dead_ms >= stuck_flow_defaults[STUCK_FLOW_WAIT];
}

/* What is never acknowledged is an outage or a matter of size, and what was too big is sent again once: other rules speak of both. */
static bool concerns(const struct flow_member *m, bool incoming)
{
	const struct flow *flow = m->flow;
	const struct flow_side *own = flow_loss_sender(m, incoming);

	if (flow->protocol != PROTOCOL_TCP || (flow->flags & FLOW_LOCAL_KNOWN ? flow->local_side != m->side : incoming))
		return false;
	return own->payload && !is_stuck(own) && !(flow->icmp_errors && flow->icmp_class == ICMP_TOO_BIG) && !flow_half_seen(flow);
}

static bool keep(struct flow_member *m, bool incoming)
{
	struct flow_loss loss;

	if (!flow_loss_sender(m, incoming)->retransmissions || !concerns(m, incoming))
		return false;
	loss = loss_of(m, incoming, 1);
	flow_clients_set_key(m);
	m->mark = flow_clients_is_public(m);
	return flow_loss_count(&loss) > 0;
}

static bool keep_sent(const struct view *view, struct flow_member *m)
{
	(void)view;
	return keep(m, false);
}

static bool keep_received(const struct view *view, struct flow_member *m)
{
	(void)view;
	return keep(m, true);
}

static void add(struct flow_loss *sum, const struct flow_loss *more)
{
	sum->sent += more->sent;
	sum->again += more->again;
	sum->spurious += more->spurious;
	sum->unseen += more->unseen;
	sum->timeouts += more->timeouts;
	sum->fast += more->fast;
	sum->out_of_order += more->out_of_order;
	sum->flows += more->flows;
}

static int by_key(const void *key, const void *stretch)
{
	const struct endpoint *a = key, *b = &((const struct flow_stretch *)stretch)->members.at->key;
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : a->port - b->port;
}

static const struct flow_member *worst_of(const struct flow_members *run, bool incoming, double spurious)
{
	const struct flow_member *worst = run->at;
	uint64_t most = 0;

	for (size_t i = 0; i < run->count; i++) {
		struct flow_loss loss = loss_of(&run->at[i], incoming, spurious);

		if (flow_loss_count(&loss) > most) {
			most = flow_loss_count(&loss);
			worst = &run->at[i];
		}
	}
	return worst;
}

static struct flow_stretches split(const struct view *view, struct flow_members *losing, bool incoming, double spurious)
{
	struct flow_stretches all = { .at = arena_alloc(view->arena, (losing->count + 1) * sizeof(*all.at)) };

	flow_members_sort(losing);
	for (size_t i = 0; i < losing->count;) {
		struct flow_stretch *stretch = &all.at[all.count++];

		stretch->members = flow_members_run(losing, i);
		stretch->worst = worst_of(&stretch->members, incoming, spurious);
		i += stretch->members.count;
	}
	return all;
}

struct flow_stretches flow_loss_stretches(const struct view *view, bool incoming, double spurious)
{
	struct flow_members losing = flow_members_collect_sides(view, PROTOCOL_TCP, ODD_REPEATS, incoming ? keep_received : keep_sent);
	struct flow_stretches all = split(view, &losing, incoming, spurious);

	for (size_t i = 0; all.count && i < view->packets->flow_count * 2; i++) {
		struct flow_member m = flow_member_of(view->packets->flows[i / 2], (unsigned)(i % 2));
		struct flow_stretch *stretch;
		struct flow_loss loss;

		if (!concerns(&m, incoming))
			continue;
		flow_clients_set_key(&m);
		stretch = bsearch(&m.key, all.at, all.count, sizeof(*all.at), by_key);
		if (!stretch)
			continue;
		loss = loss_of(&m, incoming, spurious);
		add(&stretch->all, &loss);
	}
	return all;
}
