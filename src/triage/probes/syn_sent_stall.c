/* SPDX-License-Identifier: MIT */
/* syn-sent-stall from probes: SYNs get no answer, how far they come, and whether other packets come further. */
#include "../probes.h"

enum limit {
	PROBES,
};

static const struct threshold thresholds[] = {
	[PROBES] = { "silent_probes", UNIT_COUNT, 3, "SYNs; fewer are all lost by chance once in ten thousand times at 1 % loss" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/* That something hinders SYNs is sure; the place is where they were answered last, and what is behind that no answer tells. */
#define CONFIDENCE_TO_HOST 0.9
#define CONFIDENCE_FURTHER 0.85
#define CONFIDENCE_NO_PLACE 0.7
#define CONFIDENCE_SILENT 0.6
#define CONFIDENCE_MUTE 0.5

/** struct silence - @after: hop limit of the last hop that let the SYN through, 0 none; @last: who that is, NULL unknown. @reach: how far the other protocol came. @says: who says of it that it cannot get there, NULL nobody. @to_host: to the host itself. */
struct silence {
	const struct trace_result *result;
	const struct trace_path *path;
	struct probed probed;
	const struct path_hop *last, *says;
	unsigned after, reach;
	bool filtered, undecided, to_host, at_host;
};

static unsigned last_answer(const struct trace_path *path)
{
	unsigned last = 0;

	for (size_t i = 0; i < MIN(path->hop_count, PATH_HOPS_MAX); i++) {
		if (path->hops[i].reply == REPLY_EXPIRED)
			last = MAX(last, path->hops[i].ttl);
	}
	return last;
}

static struct silence silence_of(const struct trace_result *result)
{
	const struct trace_path *path = &result->path;
	struct silence s = { .result = result, .path = path, .probed = probed_of_trace(result), .filtered = path->finding == TRACE_FILTERED,
			     .undecided = path->finding == TRACE_UNDECIDED };

	s.after = path->dies_after ? path->dies_after : last_answer(path);
	s.last = probe_hop(path->hops, path->hop_count, s.after);
	for (size_t i = 0; i < MIN(path->side_count, PATH_HOPS_MAX); i++) {
		const struct path_hop *hop = &path->side[i];

		if (hop->reply == REPLY_EXPIRED || hop->reply == REPLY_ARRIVED)
			s.reach = MAX(s.reach, hop->ttl);
		s.to_host |= hop->reply == REPLY_ARRIVED;
		if (!s.says && (hop->reply == REPLY_UNREACHABLE || hop->reply == REPLY_PROHIBITED) && !addr_is_any(&hop->address))
			s.says = hop;
	}
	s.at_host = s.to_host && path->host_ttl && s.after + 1 >= path->host_ttl;
	return s;
}

static void add_evidence(struct finding *f, const struct view *view, const struct silence *s)
{
	finding_add(f, "probes", s->path->probes_sent, UNIT_COUNT, "probes");
	finding_add(f, "silences_broken", s->path->retried, UNIT_COUNT, "probes");
	finding_add(f, "elapsed", (double)MAX(s->path->elapsed_us, 0), UNIT_US, "probes");
	finding_add_text(f, "place", s->after ? probe_hop_text(view, s->after, s->last ? &s->last->address : NULL) : "this host", "answers to SYNs");
	finding_add(f, "dies_after", s->after, UNIT_NONE, "answers to SYNs");
	if (s->filtered || s->path->side_count)
		finding_add_text(f, "method", probe_method_label(s->path->side_method), "probes");
	if (s->reach)
		finding_add(f, "side_reach", s->reach, UNIT_NONE, "answers to other probes");
	if (s->says)
		finding_add_text(f, "speaker", view_addr_text(view, &s->says->address), "ICMP source");
	if (s->path->host_ttl)
		finding_add(f, "host_ttl", s->path->host_ttl, UNIT_NONE, "answers to other probes");
}

static const char *const filter_causes[] = {
	"{place} itself drops them where they leave, or a firewall or security group behind it drops SYNs to this port",
	"the answers are dropped on the way back: by a stateful firewall that sees one direction only (asymmetric routes), or by this host's own INPUT filter",
	"the host's own firewall, or its full accept queue, where all hops before it are mute",
	NULL,
};

static const char *const host_causes[] = {
	"the firewall of the host, or a firewall or security group between {place} and the host, drops the port",
	"the server's accept queue is full, and it drops SYNs",
	"{place} itself drops them where they leave",
	"the SYN-ACK is dropped on the way back: rp_filter, a stateful firewall, or this host's own INPUT filter",
	NULL,
};

static const char *const nowhere_causes[] = {
	"this host's own firewall drops the SYNs (OUTPUT) or the answers (INPUT)",
	"a firewall among the routers that do not answer SYNs",
	"the firewall of the host, or its full accept queue",
	NULL,
};

static const char *const silent_causes[] = {
	"the host is down, or the address is wrong",
	"a firewall behind {place} that drops everything without a word",
	"no route back from there, so that nothing answers",
	NULL,
};

static const char *const next[] = {
	"ip route get {peer_addr}",
	"tcptriage capture -i any --duration 30 'host {peer_addr} and tcp port {peer_port}' # at the server: does the SYN arrive, does the answer leave?",
	"nstat -az TcpExtListenDrops TcpExtListenOverflows TcpExtIPReversePathFilter # on the server",
	NULL,
};

static const char *const nowhere_next[] = {
	"nft list ruleset",
	"ip route get {peer_addr}",
	"tcptriage capture -i any --duration 30 'host {peer_addr} and tcp port {peer_port}' # at the server: does the SYN arrive, does the answer leave?",
	"nstat -az TcpExtListenDrops TcpExtListenOverflows TcpExtIPReversePathFilter # on the server",
	NULL,
};

static const char *const nowhere_fixes[] = {
	"let the port pass in this host's own firewall, in both directions",
	"or in the firewall or security group of the network or of the host",
	"start what should answer, or correct the address",
	NULL,
};

static const char *const fixes[] = {
	"open the path: the firewall or security group behind {place}, in both directions",
	"correct the route, in both directions",
	"start what should answer, or correct the address",
	NULL,
};

static void describe_silent(struct finding *f, const struct silence *s)
{
	f->title = s->after ? "No answer from {peer}: the last that is heard of its SYNs is {place}" : "No answer from {peer}, nor from any hop on the way";
	f->detail = "{probes|probe} in {elapsed} · {route} · probes of other kinds come no further";
	if (!s->path->side_count)
		f->detail = "{probes|probe} in {elapsed} · {route} · no probe of another kind was sent";
	if (s->says)
		f->detail = s->says->reply == REPLY_UNREACHABLE ? "{probes|probe} in {elapsed} · {route} · of {method} {speaker} says that the host cannot be reached" :
								  "{probes|probe} in {elapsed} · {route} · of {method} {speaker} says that it is prohibited";
	f->causes = silent_causes;
}

static void describe_filtered(struct finding *f, const struct view *view, const struct silence *s)
{
	const char *further = s->to_host ? "reaches the host" : s->reach > s->after ? "goes on to hop {side_reach}" : "goes further";

	f->title = "SYNs to {peer} are answered up to {place} and not behind it: other packets pass";
	f->detail = arena_printf(view->arena, "{probes|probe} in {elapsed}, {method} %s · {route}", further);
	f->causes = s->at_host ? host_causes : filter_causes;
	if (s->after)
		return;
	f->title = "SYNs to {peer} are answered by no hop nor by the host, other packets pass: where they are dropped is unknown";
	f->causes = nowhere_causes;
	f->next = nowhere_next;
	f->fixes = nowhere_fixes;
}

static void describe(struct finding *f, const struct view *view, const struct silence *s)
{
	f->next = next;
	f->fixes = fixes;
	if (s->filtered)
		describe_filtered(f, view, s);
	else
		describe_silent(f, s);
	if (s->undecided)
		f->title = s->after ? "The trace to {peer} was not finished: so far its SYNs are answered up to {place}" : "The trace to {peer} was not finished: so far nothing answers its SYNs";
}

static double certainty(const struct silence *s)
{
	if (s->filtered)
		return !s->after ? CONFIDENCE_NO_PLACE : s->to_host ? CONFIDENCE_TO_HOST : CONFIDENCE_FURTHER;
	return s->after ? CONFIDENCE_SILENT : CONFIDENCE_MUTE;
}

static void file_silence(const struct view *view, struct sink *sink, const struct trace_result *result)
{
	struct silence s = silence_of(result);
	bool filtered_somewhere = s.filtered && s.after;
	const struct probe_doubt doubts[] = {
		{ !s.filtered, 1, "silence has many reasons: a dead host and a filter of everything look the same from here" },
		{ filtered_somewhere, 1, "what happens behind {place} no answer tells: its way out, a firewall, the host's own filter or accept queue, and answers lost on the way back look the same" },
		{ s.filtered && !s.after, 1, "no hop answered a SYN: this host's own filter, any router that does not answer, and the host look the same" },
		{ s.path->split, 0.75, "hops were asked from different source ports: routers that balance by flow may have shown several ways" },
		{ s.undecided, 0.45, "the trace was ended before it was done" },
	};
	enum severity severity = s.undecided ? SEVERITY_INFO : SEVERITY_WARNING;
	struct finding *f = sink_finding(sink, severity, probe_confidence(certainty(&s), doubts, ARRAY_SIZE(doubts)));

	finding_probed(f, view, &s.probed);
	add_evidence(f, view, &s);
	describe(f, view, &s);
	finding_doubts(f, doubts, ARRAY_SIZE(doubts));
	finding_threshold(f, sink, PROBES);
}

static bool is_silent(const struct trace_result *result)
{
	return result->path.finding == TRACE_FILTERED || result->path.finding == TRACE_SILENT || result->path.finding == TRACE_UNDECIDED;
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct trace_result *result = view->probes->trace;

	if (!result || !is_silent(result))
		return;
	if (RULE_MAIN(PROBES_SYN_SENT_STALL, result->path.probes_sent >= view->values[PROBES]))
		file_silence(view, sink, result);
	else
		sink_near_miss(sink, "SYNs without an answer", result->path.probes_sent, PROBES);
}

const struct rule_signal probes_syn_sent_stall = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"trace sends SYNs with a growing hop limit: routers on the way answer that it is used up, the host answers SYN-ACK or RST. When the answers end before that, UDP or ICMP probes with the same hop limits tell two cases apart. They go "
		"further, or arrive: SYNs to this port are dropped behind the last hop that answered one, or the answers to them on the way back, and which of both no answer tells. Where no hop answered a SYN the place is unknown, and this "
		"host's own firewall is as good a guess as any. They end at the same place: then it is silence, for which a dead host and "
		"a filter are equally good reasons, and the finding says no more than possible.",
	.repro = "tcptriage trace to a port that a router drops (nft: tcp dport 7777 drop), and to an address that nobody has",
};
