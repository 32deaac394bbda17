/* SPDX-License-Identifier: MIT */
/* Folds packets into flows in bounded memory, and tells of events as they happen. No clock but that of the packets, no I/O.
 *
 * Nothing is allocated for a packet: the table, the index and the side tables are made once for the capacity that was asked for. When the
 * table is full, room is made in this order: closed or reset flows in which nothing was wrong, idle ones in which nothing was wrong, then the
 * longest silent of all. The first two are expired, the last are evicted; both are counted, for they are part of the evidence. */
#ifndef TCPTRIAGE_TRACK_FLOWS_H
#define TCPTRIAGE_TRACK_FLOWS_H

#include "tcptriage/model/capture.h"
#include "tcptriage/model/event.h"

/** Flows that a table holds unless another number is asked for. */
#define FLOWS_DEFAULT 200000

/** flows_event_fn - one event; valid during the call. */
typedef void flows_event_fn(const struct event *event, void *context);

/**
 * struct flows_options - how packets are folded.
 * @max_flows: capacity (at least 16). @on_event: NULL for none. @context: handed to it. @on_new: called once for each new flow, before its
 * packet is counted (live: its owner is looked up), NULL for none; it may set flow->owner, flow->local_side and FLOW_LOCAL_KNOWN.
 */
struct flows_options {
	uint32_t max_flows;
	flows_event_fn *on_event;
	void (*on_new)(struct flow *flow, void *context);
	void *context;
};

struct flows;

/** flows_new() - an empty table. Caller frees with flows_free(). */
struct flows *flows_new(const struct flows_options *options);
/** flows_free() - NULL is fine. */
void flows_free(struct flows *flows);
/** flows_free_ptr() - cleanup handler: flows_free() of what @flows points to. */
void flows_free_ptr(struct flows **flows);
/**
 * flows_add() - one decoded packet: counted in the totals whatever its status, and folded into its flow.
 * Return: the flow, NULL when it belongs to none (not IP, malformed, a fragment without ports, a duplicate frame of an unknown flow). An ICMP
 * error has the flow that it quotes, though it does not count among its packets. Worth until the next call.
 */
struct flow *flows_add(struct flows *flows, const struct packet *packet);
/**
 * flows_watched() - a live capture went on until @time_ns (since 1970) and saw nothing more: what is unanswered at its last packet has been so until then.
 * Between the last packet and flows_end(); packets that are older must not follow.
 */
void flows_watched(struct flows *flows, int64_t time_ns);
/**
 * flows_end() - after the last packet: settles what only the end tells (segments never acknowledged, windows still shut, fragments never
 * completed). May be called again after more packets, for interim numbers: it does not undo what tracking needs.
 */
void flows_end(struct flows *flows);
/** flows_at() - the @index-th flow that stands in the table, NULL after the last; order of slots. */
const struct flow *flows_at(const struct flows *flows, size_t index);
/** flows_count() - how many stand. */
size_t flows_count(const struct flows *flows);
/** flows_find() - the flow of a tuple in either direction, without VLAN and tunnel; NULL when there is none. */
const struct flow *flows_find(const struct flows *flows, uint8_t protocol, const struct endpoint *a, const struct endpoint *b);
/** flows_totals() - what was counted over all packets; @received and drops are not its business. */
const struct capture_totals *flows_totals(const struct flows *flows);
/** flows_reports() - ICMP errors by reporter, class and quoted destination (bounded), and how many there are. */
const struct icmp_report *flows_reports(const struct flows *flows, size_t *count);
/** flows_trains() - datagrams in fragments that did not complete (bounded), and how many are kept. */
const struct fragment_train *flows_trains(const struct flows *flows, size_t *count);
/** flows_loops() - packets seen again with a lower TTL (bounded), and how many are kept. */
const struct loop_report *flows_loops(const struct flows *flows, size_t *count);
/** flows_memory() - bytes that the table takes, all of it, for the capacity it has. */
size_t flows_memory(const struct flows *flows);

#endif
