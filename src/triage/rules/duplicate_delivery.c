/* SPDX-License-Identifier: MIT */
/* duplicate-delivery: the same packets arrive twice, segments are repeated needlessly, or a request is sent again on a new connection. */
#include <stdlib.h>

#include "../flow_clients.h"
#include "../frame_copies.h"

enum limit {
	NETWORK,
	MARGIN,
	EVERYWHERE,
	UNREPORTED,
	NEEDLESS,
	NEEDLESS_SHARE,
	AGAIN,
	SILENCE,
	HABIT,
};

static const struct threshold thresholds[] = {
	[NETWORK] = { "network", UNIT_PERCENT, 1, "of the packets of the connections that report them; fewer are a route that changed" },
	[MARGIN] = { "reported", UNIT_COUNT, 3, "segments more that the receiver had twice than were sent again: then the network made the copies" },
	[EVERYWHERE] = { "everywhere", UNIT_PERCENT, 40, "of all frames: no network copies nearly every packet, a mirror or a second interface does" },
	[UNREPORTED] = { "unreported", UNIT_COUNT, 10, "copies of datagrams, which nobody reports; fewer are an accident" },
	[NEEDLESS] = { "needless", UNIT_SEGMENTS, 10, "fewer are a single delay on the way" },
	[NEEDLESS_SHARE] = { "needless_share", UNIT_RATIO, 0.8, "of what was sent again had arrived: nothing is lost, the path reorders or delays" },
	[AGAIN] = { "again_within", UNIT_S, 60, "after the connection broke; what comes later is hardly a retry" },
	[SILENCE] = { "silence", UNIT_S, 1, "a client that gives up on a connection without an answer has waited for longer; what is opened sooner is opened beside it" },
	[HABIT] = { "habit", UNIT_COUNT, 3, "connections that were in order began with the same bytes: then every connection of this client does" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_NETWORK 0.9
#define CONFIDENCE_UNREPORTED 0.5
#define CONFIDENCE_NEEDLESS 0.9
#define CONFIDENCE_AGAIN 0.7
#define CONFIDENCE_HABIT 0.5
#define NS_PER_S INT64_C(1000000000)

static const char *const network_next[] = { "ip -d link", NULL };

static enum frame_copies copies_of(const struct view *view, const struct flow_member *m)
{
	return frame_copies_of(view, m, view->values[MARGIN], view->values[EVERYWHERE]);
}

static bool keep_network(const struct view *view, struct flow_member *m)
{
	flow_clients_set_key(m);
	return copies_of(view, m) == COPIES_OF_NETWORK;
}

static bool keep_unreported(const struct view *view, struct flow_member *m)
{
	m->key = (struct endpoint){ .addr = m->there.addr };
	return m->flow->protocol == PROTOCOL_UDP && copies_of(view, m) == COPIES_UNKNOWN;
}

static bool keep_needless(const struct view *view, struct flow_member *m)
{
	(void)view;
	flow_clients_set_key(m);
	return m->flow->protocol == PROTOCOL_TCP && m->own->spurious > 0;
}

/** struct sums - over the flows of a run, as their own sides sent. */
struct sums {
	uint64_t packets, reported, copies, again, needless, out_of_order;
};

static struct sums sums_of(const struct flow_members *run)
{
	struct sums sums = { .packets = 0 };

	for (size_t i = 0; i < run->count; i++) {
		const struct flow_side *own = run->at[i].own;

		sums.packets += own->packets;
		sums.reported += frame_copies_reported(&run->at[i]);
		sums.copies += own->duplicates;
		sums.again += own->retransmissions;
		sums.needless += MIN(own->spurious, own->retransmissions);
		sums.out_of_order += own->out_of_order;
	}
	return sums;
}

static struct finding *start(const struct view *view, struct sink *sink, enum severity severity, double confidence, const struct flow_members *run,
			     enum limit limit)
{
	struct finding *f = sink_finding(sink, severity, flow_confidence(view, confidence));
	struct sums sums = sums_of(run);

	finding_flows(f, view, run);
	finding_add(f, "packets", (double)sums.packets, UNIT_COUNT, "packets");
	finding_add(f, "reported_twice", (double)sums.reported, UNIT_SEGMENTS, "DSACK");
	finding_add(f, "captured_twice", (double)sums.copies, UNIT_COUNT, "IP ids, sequence numbers and timestamps");
	finding_add(f, "sent_again", (double)sums.again, UNIT_SEGMENTS, "packets");
	finding_add(f, "needlessly", (double)sums.needless, UNIT_SEGMENTS, "DSACK, timestamps, acknowledgements");
	finding_add(f, "out_of_order", (double)sums.out_of_order, UNIT_COUNT, "packets");
	finding_add_text(f, "example", view_addr_text(view, &run->at->there.addr), "packets");
	finding_address_class(f, &run->at->there.addr);
	finding_threshold(f, sink, limit);
	return f;
}

static void file_network(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	static const char *const causes[] = { "a loop or a second path in a bridged network", "a device that copies packets into the network again (a mirror, a tap, a tee rule)", "a radio link whose acknowledgements get lost", NULL };
	static const char *const fixes[] = { "find where the copies begin: capture on both sides of each hop", "remove the loop, or the rule that copies", NULL };
	struct sums sums = sums_of(run);
	double percent = sums.packets ? MIN(100 * (double)sums.reported / (double)sums.packets, 100) : 0;
	struct finding *f;

	if (!RULE_MAIN(DUPLICATE_DELIVERY, percent >= view->values[NETWORK]))
		return;
	f = start(view, sink, SEVERITY_WARNING, CONFIDENCE_NETWORK, run, NETWORK);
	finding_add(f, "twice", percent, UNIT_PERCENT, "DSACK");
	f->title = "The network duplicates packets to {peer}: {twice} arrive twice";
	if (!f->scope.has_peer)
		f->title = "The network duplicates packets from {local}: {twice} arrive twice";
	f->detail = "{count|connection} · the receiver had {reported_twice|segment} twice that were sent once, of {packets} sent ({sent_again} sent again)";
	f->causes = causes;
	f->next = flow_next(view, "host {example}", network_next);
	f->fixes = fixes;
	finding_trust(f, view);
}

static void file_unreported(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct sums sums = sums_of(run);
	struct finding *f;

	if (!RULE_MAIN(DUPLICATE_DELIVERY, (double)sums.copies >= view->values[UNREPORTED] &&
			       100 * (double)sums.copies >= view->values[NETWORK] * (double)sums.packets))
		return;
	f = start(view, sink, SEVERITY_INFO, CONFIDENCE_UNREPORTED, run, UNREPORTED);
	f->title = "{captured_twice|datagram} to {peer_addr} were captured twice: the program gets them twice, or the capture does";
	f->detail = "{count|flow} · of {packets} sent · UDP hands every copy to the program, and nobody reports it";
	f->next = flow_next(view, "host {example}", network_next);
	finding_against(f, "a mirror port or a second look at the same interface makes copies that no program ever sees");
	finding_trust(f, view);
}

static void file_needless(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	static const char *const causes[] = { "the path reorders packets: several links or queues share one flow", "a delay that outlasts the retransmission timer: a queue, a paused virtual machine, a radio link", "acknowledgements are lost or held back", NULL };
	static const char *const fixes[] = { "nothing is lost; where it costs throughput, spread by flow and not by packet (bonds, ECMP)", "find the delay: round trips per hop, pauses of the machine", NULL };
	struct sums sums = sums_of(run);
	struct finding *f;

	if (!RULE_MAIN(DUPLICATE_DELIVERY, (double)sums.needless >= view->values[NEEDLESS] &&
			       (double)sums.needless >= view->values[NEEDLESS_SHARE] * (double)sums.again))
		return;
	f = start(view, sink, SEVERITY_INFO, CONFIDENCE_NEEDLESS, run, NEEDLESS_SHARE);
	f->title = "{needlessly} of {sent_again|segment} were sent again to {peer} although they had arrived";
	if (!f->scope.has_peer)
		f->title = "{needlessly} of {sent_again|segment} were sent again by {local} although they had arrived";
	f->detail = "{count|connection} · {out_of_order} came out of order · this is reordering or delay, not loss";
	f->causes = causes;
	f->next = flow_next(view, "host {example}", network_next);
	f->fixes = fixes;
	finding_trust(f, view);
}

/* Requests of one client, to one port, that begin with the same bytes, in order of time. */
static int by_request(const void *left, const void *right)
{
	const struct flow *a = *(const struct flow *const *)left, *b = *(const struct flow *const *)right;
	int order = (a->request_hash > b->request_hash) - (a->request_hash < b->request_hash);

	if (!order)
		order = addr_compare(&a->end[0].addr, &b->end[0].addr);
	if (!order)
		order = a->end[1].port - b->end[1].port;
	if (!order)
		order = (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
	return order ? order : (a->number > b->number) - (a->number < b->number);
}

static bool same_request(const struct flow *a, const struct flow *b)
{
	return a->request_hash == b->request_hash && addr_equal(&a->end[0].addr, &b->end[0].addr) && a->end[1].port == b->end[1].port;
}

/** struct retries - requests sent again. @first: the one that broke. @healthy: not broken and no retry. */
struct retries {
	const struct flow *first;
	uint64_t count, healthy;
	double soonest_s;
};

/* How long after @broken another connection began; −1 when it was opened beside it. A client that gives up on silence leaves its kernel repeating. */
static double seconds_after(const struct view *view, const struct flow *broken, const struct flow *flow)
{
	if (flow_is_open(broken) && (double)(flow->first_ns - broken->first_ns) >= view->values[SILENCE] * (double)NS_PER_S)
		return (double)MAX(flow->first_ns - flow_last_ns(broken), 0) / (double)NS_PER_S;
	return flow->first_ns < flow_last_ns(broken) ? -1 : (double)(flow->first_ns - flow_last_ns(broken)) / (double)NS_PER_S;
}

static struct retries retries_of(const struct view *view, const struct flow *const *at, size_t count)
{
	struct retries r = { .soonest_s = view->values[AGAIN] };
	const struct flow *broken = NULL;

	for (size_t i = 0; i < count; i++) {
		double after_s = broken ? seconds_after(view, broken, at[i]) : -1;

		if (after_s >= 0 && after_s <= view->values[AGAIN]) {
			r.count++;
			r.first = r.first ? r.first : broken;
			r.soonest_s = MIN(r.soonest_s, after_s);
		} else {
			r.healthy += !(at[i]->flags & FLOW_CRASHED);
		}
		broken = at[i]->flags & FLOW_CRASHED ? at[i] : NULL;
	}
	return r;
}

static void file_retries(const struct view *view, struct sink *sink, const struct flow *const *at, size_t count)
{
	static const char *const causes[] = { "the program, its library or a load balancer repeats a request whose answer did not come", "the server or something before it ends connections with requests unanswered", NULL };
	struct retries r = retries_of(view, at, count);
	struct flow_member member;
	struct flow_members run = { .at = &member, .count = 1 };
	bool habit;
	struct finding *f;

	if (!RULE_MAIN(DUPLICATE_DELIVERY, r.count > 0))
		return;
	habit = (double)r.healthy >= view->values[HABIT];
	member = flow_member_of(r.first, 0);
	f = start(view, sink, habit ? SEVERITY_INFO : SEVERITY_WARNING, habit ? CONFIDENCE_HABIT : CONFIDENCE_AGAIN, &run, AGAIN);
	f->scope.local.port = 0;
	f->count = r.count;
	finding_add(f, "retries", (double)r.count, UNIT_COUNT, "first 64 bytes of requests");
	finding_add(f, "after", r.soonest_s, UNIT_S, "packets");
	finding_add(f, "healthy", (double)r.healthy, UNIT_COUNT, "first 64 bytes of requests");
	finding_add_text(f, "client", view_addr_text(view, &r.first->end[0].addr), "packets");
	f->title = "{client} sent the same request to {peer} again on a new connection, {retries|time}: the first may have been carried out";
	f->detail = "the connection broke with the request unanswered, the repetition came {after} later at the soonest · TCP takes duplicates out within a connection, never across two";
	f->causes = causes;
	f->next = flow_next(view, "host {client} and tcp port {peer_port}", NULL);
	finding_against(f, "the first 64 bytes are compared: requests that differ only behind them look alike");
	if (habit)
		finding_against(f, "{healthy|connection} of this client that were in order began with the same bytes: a login or a poll that it sends each time");
	finding_trust(f, view);
}

static bool keep_crashed(const struct view *view, struct flow_member *m)
{
	(void)view;
	return m->flow->flags & FLOW_CRASHED && m->flow->request_hash;
}

static int by_hash(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The requests that were left unanswered, in order. */
static uint64_t *crashed_requests(const struct view *view, size_t *count)
{
	struct flow_members crashed = flow_members_collect(view, PROTOCOL_TCP, ODD_CRASHED, keep_crashed);
	uint64_t *hashes = arena_alloc(view->arena, (crashed.count + 1) * sizeof(*hashes));

	for (size_t i = 0; i < crashed.count; i++)
		hashes[i] = crashed.at[i].flow->request_hash;
	qsort(hashes, crashed.count, sizeof(*hashes), by_hash);
	*count = crashed.count;
	return hashes;
}

static void judge_requests(const struct view *view, struct sink *sink)
{
	const struct packet_evidence *packets = view->packets;
	const struct flow **at;
	const uint64_t *crashed;
	size_t all = 0, crashes;

	if (!view->index->requests && packets->totals->payload_cut)
		sink_skip_part(sink, "requests that are sent again: too little payload was kept to compare them (-s 256)");
	crashed = crashed_requests(view, &crashes);
	if (!crashes)
		return;
	at = arena_alloc(view->arena, packets->flow_count * sizeof(*at));
	for (size_t i = 0; i < packets->flow_count; i++) {
		const struct flow *flow = packets->flows[i];

		if (flow->protocol == PROTOCOL_TCP && bsearch(&flow->request_hash, crashed, crashes, sizeof(*crashed), by_hash))
			at[all++] = flow;
	}
	qsort(at, all, sizeof(*at), by_request);
	for (size_t i = 0, count; i < all; i += count) {
		for (count = 1; i + count < all && same_request(at[i], at[i + count]);)
			count++;
		file_retries(view, sink, at + i, count);
	}
}

static bool keep_any(const struct view *view, struct flow_member *m)
{
	return m->own->spurious || m->own->duplicates || m->other->dsacks > view->values[MARGIN];
}

static void eval(const struct view *view, struct sink *sink)
{
	static const struct {
		flow_keep_fn *keep;
		flow_members_file_fn *file;
	} parts[] = { { keep_network, file_network }, { keep_unreported, file_unreported }, { keep_needless, file_needless } };
	struct flow_members all = flow_members_collect_sides(view, 0, ODD_REPEATS, keep_any), members;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		members = flow_members_filter(view, &all, parts[i].keep);
		flow_members_file(view, sink, &members, parts[i].file);
	}
	judge_requests(view, sink);
}

static const struct rule_signal reading = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"Three things are told apart. The network duplicates packets: the receiver reports segments that it had twice (DSACK), more of them than were sent again. A sender repeats what had arrived: DSACK, timestamps or "
		"acknowledgements show it. A program repeats a request: a connection breaks with the request unanswered, and within a minute the same client opens another to the same port that begins with the same 64 bytes. Copies that "
		"only the capture made belong to capture-quality.",
	.repro = "a router that copies packets (nft: dup to ADDRESS device IF); two connections with the same request, the first ended by a reset before the answer",
};

const struct rule rule_duplicate_delivery = {
	.id = "duplicate-delivery",
	.title = "The same bytes arrive or are sent twice",
	.packets = &reading,
	.explain =
		"TCP takes out duplicates by sequence number, so a program never sees them within one connection; they cost capacity, and they mislead senders that take the reports for signs of loss. UDP hands every copy to the "
		"program.\n\n"
		"What nobody takes out is a request that is sent again on a new connection. When a connection breaks before the answer, the client cannot know whether the request was carried out, and most libraries just send it again. A "
		"payment, an order or an insert is then done twice unless the request carries a key by which the server recognises it.\n\n"
		"Copies made by the network and copies made by the capture look alike in a capture. What decides is the receiver: it reports segments that it had twice, and it cannot report what never came twice.",
	.look_alikes = (const char *const[]){
		"frames captured twice (-i any across a bridge, a mirror port): the receiver had them once; see capture-quality",
		"loss: then what is sent again had not arrived; see retrans-high",
		"a client that polls: its connections begin alike whether one broke or not, and then it is info",
		"encrypted requests: no two of them begin alike, so repetitions are not seen",
		NULL },
	.causes = (const char *const[]){
		"a loop in a bridged network, a mirror or a radio link makes copies",
		"reordering or a sudden delay makes a sender repeat what had arrived",
		"a program, library or load balancer repeats requests that were not answered",
		NULL },
	.next = (const char *const[]){ "tcptriage capture -i any --duration 30 host {example}", "ip -d link", NULL },
	.fixes = (const char *const[]){
		"give every request that changes something an idempotency key, and let the server recognise it",
		"let retries of the client and of the load balancer not add up",
		"remove what makes copies in the network",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.4", "RFC 2883 §4", "RFC 8985 §3.3", "RFC 8085 §3.3", "RFC 791 §1.4", "net/ipv4/tcp_input.c (tcp_check_dsack)", NULL },
	.repro = "a router that copies packets (nft: dup to ADDRESS device IF); two connections with the same request, the first ended by a reset before the answer",
};
