/* SPDX-License-Identifier: MIT */
/* accept-queue-overflow from packets: the client has finished the handshake, and the server does not know. */
#include "../attempts.h"
#include "../packets.h"

#include <stdlib.h>

enum limit {
	REPEATS,
	WAIT,
	CRIT_COUNT,
	DROPPED,
};

static const struct threshold thresholds[] = {
	[REPEATS] = { "syn_ack_repeats", UNIT_COUNT, 2, "after the client's ACK was seen; one repetition is an ACK that was lost once" },
	[WAIT] = { "unanswered", UNIT_MS, 3000, "one lost SYN costs one second; two in a row at 1 % loss happen once in ten thousand" },
	[CRIT_COUNT] = { "critical_connections", UNIT_COUNT, 10, "so many clients believe that they are connected: not one that was unlucky" },
	[DROPPED] = { "dropped_syns", UNIT_COUNT, 3, "SYNs without answer beside connections that complete at the same time; fewer are lost packets" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_AT_SERVER 0.92
#define CONFIDENCE_ELSEWHERE 0.75
#define CONFIDENCE_POSSIBLE 0.45 /* too little to explain other findings */

/**
 * struct tally - one listener. @ignored: connections that only the client believes in, from the listener's side. @with_data: of them the client sent data. @dropped: SYNs
 * without answer between connections that completed. @at_server: the capture was taken on the listener's host.
 */
struct tally {
	struct flow_members ignored, dropped;
	const struct flow_member *worst;
	uint64_t opened, with_data;
	bool at_server;
};

/* The client sent its ACK, the server sent nothing but SYN-ACKs (and perhaps the RST by which it gives up). */
static bool is_ignored(const struct view *view, const struct flow_member *m)
{
	const unsigned need = FLOW_SAW_SYN | FLOW_SAW_SYN_ACK;

	return (m->flow->flags & need) == need && flow_went_on(m->flow, 0) && !flow_went_on(m->flow, 1) &&
	       m->other->syn_retries >= view->values[REPEATS] && m->own->last_ns >= m->flow->first_ns;
}

/* Answered by more than a SYN-ACK. */
static bool is_opened(const struct flow_member *m)
{
	return attempt_of(m->flow) == ATTEMPT_OPENED && flow_went_on(m->flow, 1);
}

static bool is_dropped(const struct view *view, const struct flow_member *m)
{
	return attempt_of(m->flow) == ATTEMPT_SILENT && m->own->syn_retries && (double)flow_age_ms(view, m->flow) >= view->values[WAIT];
}

/* With those that came near to it. */
static bool is_wanted(const struct view *view, const struct flow_member *m)
{
	return m->other->syn_retries || is_dropped(view, m);
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* When connections to this listener began that completed; ascending. */
static int64_t *opened_times(const struct view *view, const struct flow_members *run, uint64_t *count)
{
	int64_t *times = arena_alloc(view->arena, (run->count + 1) * sizeof(*times));

	for (size_t i = 0; i < run->count; i++) {
		if (is_opened(&run->at[i]))
			times[(*count)++] = run->at[i].flow->first_ns;
	}
	qsort(times, *count, sizeof(*times), by_time);
	return times;
}

/* Did a connection complete while this attempt went without answer? */
static bool others_got_in(const int64_t *times, uint64_t count, const struct flow_member *dropped)
{
	uint64_t low = 0, high = count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (times[middle] < dropped->flow->first_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && times[low] <= dropped->other->last_ns;
}

static struct tally tally_of(const struct view *view, const struct flow_members *run)
{
	struct tally t = { .ignored = attempts_at_server(view, run, is_ignored), .dropped = attempts_at_server(view, run, is_dropped) };
	const int64_t *times = opened_times(view, run, &t.opened);
	size_t kept = 0;

	for (size_t i = 0; i < t.dropped.count; i++) {
		if (others_got_in(times, t.opened, &t.dropped.at[i]))
			t.dropped.at[kept++] = t.dropped.at[i];
	}
	t.dropped.count = kept;
	for (size_t i = 0; i < t.ignored.count; i++) {
		const struct flow_member *m = &t.ignored.at[i];

		t.with_data += m->other->payload > 0;
		if (!t.worst || m->own->syn_retries > t.worst->own->syn_retries)
			t.worst = m;
		t.at_server |= m->flow->flags & FLOW_LOCAL_KNOWN && m->flow->local_side == 1;
	}
	return t;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t, const struct flow_members *concerned)
{
	const struct flow_member *worst = t->worst ? t->worst : concerned->at;

	finding_flows(f, view, concerned);
	finding_add(f, "opened", (double)t->opened, UNIT_COUNT, "capture");
	finding_add(f, "with_data", (double)t->with_data, UNIT_COUNT, "capture");
	finding_add(f, "dropped_syns", (double)t->dropped.count, UNIT_COUNT, "capture");
	finding_add(f, "syn_ack_repeats", worst->own->syn_retries, UNIT_COUNT, "capture");
	finding_add(f, "lasts", (double)(flow_last_ns(worst->flow) - worst->flow->first_ns) / 1e6, UNIT_MS, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, worst->flow), UNIT_MS, "capture");
	finding_add(f, "flow", (double)worst->flow->number, UNIT_NONE, "capture");
}

static const char *const rest[] = { "ss -ltn sport = :{local_port} # on the server: Recv-Q above Send-Q is a full queue",
				    "nstat -az TcpExtListenOverflows TcpExtListenDrops # on the server", NULL };

static void file_ignored(const struct view *view, struct sink *sink, const struct tally *t)
{
	bool many = (double)t->ignored.count >= view->values[CRIT_COUNT];
	struct finding *f = sink_finding(sink, many ? SEVERITY_CRITICAL : SEVERITY_WARNING,
					 flow_confidence(view, t->at_server ? CONFIDENCE_AT_SERVER : CONFIDENCE_ELSEWHERE));

	f->share = (double)t->ignored.count / (double)(t->ignored.count + t->opened);
	add_evidence(f, view, t, &t->ignored);
	f->title = "{local} ignores finished handshakes: {flows|connection} in which only the client believes, the server repeats its SYN-ACK";
	f->detail = "SYN-ACK repeated {syn_ack_repeats|time} after the client's ACK, over {lasts}, the first {begins_at} into the capture (flow {flow}) · {with_data} had sent data, which nobody acknowledged · {dropped_syns} SYNs went without answer meanwhile · {opened|connection} to the same port worked";
	f->next = flow_next(view, "host {local_addr} and tcp port {local_port}", rest);
	if (!t->at_server)
		finding_against(f, "a firewall between this capture and the server that lets SYNs in, and not what follows, looks the same: the server's ListenOverflows decides");
	if (!t->with_data)
		finding_against(f, "none of the clients sent data: a listener that waits for it (TCP_DEFER_ACCEPT) repeats its SYN-ACK, too, at the end of its patience");
	finding_trust(f, view);
	finding_threshold(f, sink, many ? CRIT_COUNT : REPEATS);
}

static void file_dropped(const struct view *view, struct sink *sink, const struct tally *t)
{
	struct finding *f = sink_finding(sink, SEVERITY_WARNING, flow_confidence(view, CONFIDENCE_POSSIBLE));

	f->share = (double)t->dropped.count / (double)(t->dropped.count + t->opened);
	add_evidence(f, view, t, &t->dropped);
	f->title = "{local} may drop SYNs because its accept queue is full: {flows} went without answer while others got in";
	f->detail = "{opened|connection} to the same port completed meanwhile · the first {begins_at} into the capture (flow {flow})";
	f->next = flow_next(view, "host {local_addr} and tcp port {local_port}", rest);
	finding_against(f, "a lossy path, a load balancer with a dead server behind it, or a limit on new connections in a firewall does the same; the server's ListenOverflows decides");
	finding_trust(f, view);
	finding_threshold(f, sink, DROPPED);
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(view, run);

	if (RULE_MAIN(PACKETS_ACCEPT_QUEUE_OVERFLOW, t.ignored.count > 0))
		file_ignored(view, sink, &t);
	else if (RULE_MAIN(PACKETS_ACCEPT_QUEUE_OVERFLOW, (double)t.dropped.count >= view->values[DROPPED]))
		file_dropped(view, sink, &t);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members all = attempts_collect(view, is_wanted);
	double most = -1;

	flow_members_file(view, sink, &all, file_run);
	for (size_t i = 0; i < all.count && !sink->filed; i++) {
		if (all.at[i].other->syn_retries && flow_went_on(all.at[i].flow, 0))
			most = MAX(most, all.at[i].other->syn_retries);
	}
	if (most >= 0)
		sink_near_miss(sink, "SYN-ACKs repeated after the client's ACK", most, REPEATS);
}

const struct rule_signal packets_accept_queue_overflow = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"When the accept queue is full, the server drops the last packet of the handshake. On the wire: SYN, SYN-ACK and the client's ACK, perhaps its data, and then the same SYN-ACK again and again, as if the ACK had never come; the data is never "
		"acknowledged. The client believes that it is connected. One repetition that is followed by anything else from the server is a lost ACK, and silent. Later SYNs get no answer at all: where that happens beside connections to the same "
		"port that complete, a full queue is possible and said with little confidence. While the client's ACK was not seen, syn-recv-stall judges instead.",
	.repro = "capture at a server with listen(3) that does not accept, while twelve clients connect over a path with a round trip of some milliseconds and send",
};
