/* SPDX-License-Identifier: MIT */
/* idle-close-pattern: one side closes idle connections after a fixed time; data that is sent just then is lost. */
#include "../attempts.h"

#include <stdlib.h>

enum limit {
	FLOWS,
	MEDIAN,
	SPREAD,
	RACES,
	REUSE,
};

static const struct threshold thresholds[] = {
	[FLOWS] = { "closes", UNIT_COUNT, 5, "by the same side; fewer may agree by chance" },
	[MEDIAN] = { "median", UNIT_MS, ODD_IDLE_MS, "after the last data; sooner, the connection is closed because its work is done" },
	[SPREAD] = { "spread", UNIT_RATIO, 0.1, "of the middle 80 % over the median; people and load vary by much more than a timer" },
	[RACES] = { "races", UNIT_COUNT, 1, "data that crossed the close: a request that was lost, and may have been carried out" },
	[REUSE] = { "reuse", UNIT_RATIO, 0.8, "longest silence after which a client still used a connection, over the time that the server allows: the next one may be too late" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_TIMER 0.92
#define CLIENT 0
#define SERVER 1

/** struct tally - connections to one server that the same side closed while idle. Times in ms. @reused: longest silence that ended in use. */
struct tally {
	const struct flow_member *first;
	double median, p10, p90, reused;
	uint64_t races, by_reset;
	unsigned closer;
};

static bool is_idle_close(const struct view *view, const struct flow *flow)
{
	return flow->closer < 2 && flow->close_idle_ms >= view->values[MEDIAN] &&
	       (flow->state == FLOW_CLOSING || flow->state == FLOW_CLOSED || flow->state == FLOW_RESET);
}

static bool keep_closed_by(const struct view *view, const struct flow_member *m, unsigned closer)
{
	return m->flow->closer == closer && is_idle_close(view, m->flow) && (m->own->payload || m->other->payload);
}

static bool keep_client(const struct view *view, struct flow_member *m)
{
	return keep_closed_by(view, m, CLIENT);
}

static bool keep_server(const struct view *view, struct flow_member *m)
{
	return keep_closed_by(view, m, SERVER);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank. */
static double percentile(const uint32_t *sorted, size_t count, unsigned percent)
{
	size_t rank = (count * percent + 99) / 100;

	return sorted[rank ? rank - 1 : 0];
}

static struct tally tally_of(const struct view *view, const struct flow_members *run)
{
	uint32_t *times = arena_alloc(view->arena, run->count * sizeof(*times));
	struct tally t = { .first = run->at, .closer = run->at->flow->closer };

	for (size_t i = 0; i < run->count; i++) {
		const struct flow *flow = run->at[i].flow;

		times[i] = flow->close_idle_ms;
		t.races += !!(flow->flags & FLOW_RACE);
		t.by_reset += flow->state == FLOW_RESET;
		t.reused = MAX(t.reused, flow->idle_max_ms);
	}
	qsort(times, run->count, sizeof(*times), by_value);
	t.p10 = percentile(times, run->count, 10);
	t.median = percentile(times, run->count, 50);
	t.p90 = percentile(times, run->count, 90);
	return t;
}

static bool is_timer(const struct view *view, const struct flow_members *run, const struct tally *t)
{
	return (double)run->count >= view->values[FLOWS] && t->median >= view->values[MEDIAN] &&
	       t->p90 - t->p10 <= view->values[SPREAD] * t->median;
}

/* The client goes on using connections until shortly before the server gives them up. */
static bool cuts_it_fine(const struct view *view, const struct tally *t)
{
	return t->closer == SERVER && t->reused >= view->values[REUSE] * t->median;
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	*limit = RACES;
	if ((double)t->races >= view->values[RACES])
		return SEVERITY_WARNING;
	*limit = REUSE;
	if (cuts_it_fine(view, t))
		return SEVERITY_WARNING;
	*limit = SPREAD;
	return SEVERITY_INFO;
}

static void add_evidence(struct finding *f, const struct view *view, const struct flow_members *run, const struct tally *t)
{
	finding_flows(f, view, run);
	finding_add_text(f, "client", flow_who_text(view, run), "capture");
	finding_add_text(f, "closer", t->closer == SERVER ? "server" : "client", "capture");
	finding_add(f, "median", t->median, UNIT_MS, "capture");
	finding_add(f, "p10", t->p10, UNIT_MS, "capture");
	finding_add(f, "p90", t->p90, UNIT_MS, "capture");
	finding_add(f, "reused_after", t->reused, UNIT_MS, "capture");
	finding_add(f, "races", (double)t->races, UNIT_COUNT, "capture");
	finding_add(f, "by_reset", (double)t->by_reset, UNIT_COUNT, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, t->first->flow), UNIT_MS, "capture");
	finding_add(f, "flow", (double)t->first->flow->number, UNIT_NONE, "capture");
}

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	f->title = t->closer == SERVER ? "{peer} closes idle connections of {client} after {median}" :
					 "{client} closes idle connections to {peer} after {median}";
	if (cuts_it_fine(view, t))
		f->title = "{peer} closes idle connections after {median}, and {client} still used one after {reused_after} of silence";
	if (t->races)
		f->title = t->closer == SERVER ? "{peer} closes idle connections after {median}, and requests of {client} cross the close: {races} lost" :
						 "{client} closes idle connections to {peer} after {median}, and data crosses the close: {races|time}";
	f->detail = "{flows|connection} closed by the {closer}, 80 % of them {p10} to {p90} after the last data, {by_reset} by RST · {races|connection} with data that crossed the close · the first is flow {flow}, {begins_at} into the capture";
	f->next = flow_next(view, "host {peer_addr} and tcp port {peer_port}", NULL);
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(view, run);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(IDLE_CLOSE_PATTERN, is_timer(view, run, &t))) {
		sink_near_miss(sink, "connections to one server that the same side closed while idle", (double)run->count, FLOWS);
		return;
	}
	severity = judge(view, &t, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, CONFIDENCE_TIMER));
	add_evidence(f, view, run, &t);
	describe(f, view, &t);
	if (!t.races)
		finding_against(f, "no data crossed a close while this was captured");
	if (t.closer == CLIENT)
		finding_against(f, "the client itself ends them: that is the right side to do so, as long as its time is the shorter one");
	finding_trust(f, view);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members clients = flow_members_collect(view, PROTOCOL_TCP, ODD_IDLE_CLOSE, keep_client);
	struct flow_members servers = flow_members_collect(view, PROTOCOL_TCP, ODD_IDLE_CLOSE, keep_server);

	flow_members_file(view, sink, &servers, file_run);
	flow_members_file(view, sink, &clients, file_run);
}

static const struct rule_signal packets = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"For connections to one server the time from the last data to the FIN or RST that begins the close is taken, apart for those that the server and those that the client closed. Five or more whose times lie within a tenth of each other, two seconds "
		"or longer, are a timer. Data of the other side that crosses the close, or is answered by RST, is a race that was lost; a client that uses connections until shortly before the server's limit will lose one.",
	.repro = "capture while a server closes eight connections after two seconds without data, and a client sends on one of them at that moment",
};

const struct rule rule_idle_close_pattern = {
	.id = "idle-close-pattern",
	.title = "One side closes idle connections at a fixed age",
	.packets = &packets,
	.explain =
		"Servers, proxies and load balancers end connections on which nothing has happened for some time; so do clients' pools. That is healthy as long as the side that sends requests is the one that gives up first. When the server's limit is the shorter "
		"one, sooner or later a request is on its way while the FIN comes from the other side: the server has closed, answers with RST, and the program sees ECONNRESET or an empty answer. It does not know whether the request was carried out. "
		"The higher the traffic, the rarer the idle moments, and the harder this is to find.\n\n"
		"Packets show the limit as a number, and which side has it. In a chain each hop has its own: client, load balancer, proxy, server. Each must be a little longer than the one in front of it.",
	.look_alikes = (const char *const[]){
		"connections that are closed when their work is done: at once, or after times that vary",
		"a device that forgets idle connections without closing them: rst-after-idle",
		"a client that closes its own idle connections: reported as info, that is the right order",
		NULL },
	.causes = (const char *const[]){
		"the server's keep-alive timeout is shorter than the time for which the client's pool keeps connections (Node.js 5 s, nginx 75 s, AWS ALB 60 s by default)",
		"a load balancer whose idle timeout is longer than that of the servers behind it",
		NULL },
	.next = (const char *const[]){
		"tcptriage capture -i any --packets 'host {peer_addr} and tcp port {peer_port}'",
		"tcptriage explain rst-after-idle",
		NULL },
	.fixes = (const char *const[]){
		"make each side that sends requests give up idle connections before the side that receives them: server 75 s, load balancer 60 s, client 50 s",
		"repeat idempotent requests once when an idle connection was closed under them",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.6", "RFC 9293 §3.6.1", "RFC 9112 §9.5", "net/ipv4/tcp.c (tcp_close)", NULL },
	.repro = "a server that closes connections after two seconds without data, eight times",
};
