/* SPDX-License-Identifier: MIT */
/* ttl-exceeded from probes: the same routers answer again and again as the hop limit grows. */
#include "../dead_end.h"
#include "../probes.h"

enum limit {
	ROUNDS,
};

static const struct threshold thresholds[] = {
	[ROUNDS] = { "loop_answers", UNIT_COUNT, 2, "routers in a row that answer a second time after one round: A, B, A, B" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.97
#define CONFIDENCE_EXCEEDED 0.8
#define ROUND_MAX 16

/* One router that answers two hop limits in a row may be a NAT, or answer for another. */
#define SAME_LEAST 2

/** struct loop - @length: routers in it, 0 none seen. @again: of the answers, those whose router had answered one round before. @first, @second: two of them. */
struct loop {
	unsigned length, again, begins;
	const struct path_hop *first, *second;
};

static const struct path_hop *answer(const struct trace_path *path, unsigned ttl)
{
	const struct path_hop *hop = probe_hop(path->hops, path->hop_count, ttl);

	return hop && hop->reply == REPLY_EXPIRED ? hop : NULL;
}

/* Hops from @ttl on that are answered by the router that answered @length hops before; mute ones are left aside, another router ends it. */
static unsigned repeats(const struct trace_path *path, unsigned ttl, unsigned length)
{
	unsigned count = 0;

	for (; ttl + length <= PATH_HOPS_MAX; ttl++) {
		const struct path_hop *before = answer(path, ttl), *now = answer(path, ttl + length);

		if (before && now && !addr_equal(&before->address, &now->address))
			break;
		count += before && now;
	}
	return count;
}

/* The router behind the one at @ttl, which may be mute in one round and not in another. */
static const struct path_hop *next_in_round(const struct trace_path *path, unsigned ttl, unsigned length)
{
	for (unsigned at = ttl + 1; at <= PATH_HOPS_MAX; at += length) {
		if (answer(path, at))
			return answer(path, at);
	}
	return NULL;
}

/* The shortest round with the most answers. One router at hop after hop would pass for a round of any length. */
static struct loop loop_of(const struct trace_path *path)
{
	struct loop loop = { 0 };

	for (unsigned length = 1; length <= ROUND_MAX; length++) {
		for (unsigned ttl = 1; ttl + length <= PATH_HOPS_MAX; ttl++) {
			unsigned again = answer(path, ttl) && answer(path, ttl + length) ? repeats(path, ttl, length) : 0;

			if (again > loop.again && (length > 1 || again >= SAME_LEAST))
				loop = (struct loop){ .length = length, .again = again, .begins = ttl, .first = answer(path, ttl), .second = next_in_round(path, ttl, length) };
		}
		if (loop.length == 1)
			break;
	}
	return loop;
}

static const char *const next[] = { "ip route get {peer_addr}", "ip route show table all", NULL };

static const char *const loop_causes[] = {
	"two routers point at each other for this destination: a default route against a missing or withdrawn one",
	"a summary route without a discard route for what does not exist behind it",
	"routing that converges: then it ends within seconds",
	NULL,
};

static const char *const loop_fixes[] = {
	"mend the route on the router where the packets turn round",
	"a blackhole or unreachable route for the part of a summary that does not exist",
	NULL,
};

static void add_loop(struct finding *f, const struct view *view, const struct loop *loop)
{
	finding_add(f, "loop_routers", loop->length, UNIT_COUNT, "answers to SYNs");
	finding_add(f, "loop_answers", loop->again, UNIT_COUNT, "answers to SYNs");
	finding_add(f, "loop_begins", loop->begins, UNIT_NONE, "answers to SYNs");
	finding_add(f, "loop_turns", loop->begins + loop->length - 1, UNIT_NONE, "answers to SYNs");
	finding_add_text(f, "router", view_addr_text(view, &loop->first->address), "ICMP source");
	finding_add_text(f, "other_router", loop->second ? view_addr_text(view, &loop->second->address) : "one that does not answer", "ICMP source");
	f->title = "Routing loop: packets to {peer_addr} go to and fro between {router} and {other_router}";
	f->detail = "hops {loop_begins} to {loop_turns} are the first round, {loop_routers|router} in it, {loop_answers|answer} of a router that had answered before · {route}";
	if (loop->length > 1)
		return;
	f->detail = "it begins at hop {loop_begins}, {loop_answers|answer} of a router that had answered before · {route}";
	f->title = "Routing loop: {router} answers again and again for packets to {peer_addr}";
}

/* The hop limit at which the router that let a packet with the whole one die answers as well; 0 none. */
static unsigned met_at(const struct trace_path *path)
{
	for (unsigned ttl = 1; path->ran_out && ttl <= PATH_HOPS_MAX; ttl++) {
		const struct path_hop *hop = answer(path, ttl);

		if (hop && addr_equal(&hop->address, &path->by))
			return ttl;
	}
	return 0;
}

/* No round is seen, but a SYN with the system's hop limit used it up. */
static void add_end(struct finding *f, const struct view *view, const struct trace_path *path, unsigned met)
{
	finding_add_text(f, "router", addr_is_any(&path->by) ? "a router that is not known" : view_addr_text(view, &path->by), "ICMP source");
	f->title = "Packets to {peer_addr} use up their whole hop limit and die at {router}: they run in a circle, most likely";
	f->detail = "{probes|probe} · {route}";
	if (!met)
		return;
	finding_add(f, "met_at", met, UNIT_NONE, "answers to SYNs");
	f->title = "Routing loop: packets to {peer_addr} come by {router} at hop {met_at}, and again when their whole hop limit is used up";
}

/* The same routers twice over; or once, and the whole hop limit used up behind that. */
static bool is_proven(const struct view *view, const struct trace_path *path, const struct loop *loop, unsigned met)
{
	bool again = path->ran_out || loop->again >= view->values[ROUNDS];

	return met || (loop->length > 1 && again);
}

static void file_loop(const struct view *view, struct sink *sink, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;
	struct loop loop = loop_of(path);
	unsigned met = met_at(path);
	bool proven = is_proven(view, path, &loop, met);
	const struct probe_doubt doubts[] = {
		{ path->split, 0.75, "hops were asked from different source ports: routers that balance by flow may have shown several ways" },
		{ loop.length == 1 && !proven, 0.85, "one address at hop after hop may also be a box that answers for those behind it" },
		{ loop.length > 1 && !proven, 0.7, "fewer answers of the same routers came than prove it: a path that changed meanwhile looks the same" },
		{ !loop.first, met ? 0.93 : 0.8, "a small hop limit of this host's own (net.ipv4.ip_default_ttl) looks the same where nothing answers behind that router" },
	};
	struct finding *f = sink_finding(sink, proven && !path->split ? SEVERITY_CRITICAL : SEVERITY_WARNING, probe_confidence(CONFIDENCE, doubts, ARRAY_SIZE(doubts)));
	struct probed probed = probed_of_trace(result);

	finding_probed(f, view, &probed);
	finding_add(f, "probes", path->probes_sent, UNIT_COUNT, "probes");
	if (loop.first)
		add_loop(f, view, &loop);
	else
		add_end(f, view, path, met);
	f->next = next;
	if (proven) {
		f->causes = loop_causes;
		f->fixes = loop_fixes;
	}
	finding_doubts(f, doubts, ARRAY_SIZE(doubts));
	finding_threshold(f, sink, ROUNDS);
}

static void file_exceeded(const struct view *view, struct sink *sink, const struct dead_end *end)
{
	static const char *const exceeded_next[] = { "tcptriage trace {service}", "ip route get {peer_addr}", NULL };
	struct finding *f = sink_finding(sink, SEVERITY_WARNING, probe_confidence(CONFIDENCE_EXCEEDED, NULL, 0));

	finding_dead_end(f, view, end);
	f->title = "Packets to {peer_addr} die of their TTL at {reporter}";
	f->detail = "{route} · they began with the system's default";
	f->next = exceeded_next;
	finding_threshold(f, sink, ROUNDS);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct dead_end end = dead_end_of(view);

	if (RULE_MAIN(PROBES_TTL_EXCEEDED, view->probes->trace && view->probes->trace->path.finding == TRACE_LOOP))
		file_loop(view, sink, view->probes->trace);
	else if (RULE_MAIN(PROBES_TTL_EXCEEDED, end.kind == DEAD_END_EXPIRED))
		file_exceeded(view, sink, &end);
}

const struct rule_signal probes_ttl_exceeded = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"trace sends SYNs with a growing hop limit. In a loop the same routers answer again and again: A, B, A, B. Two answers of routers that had answered one round before prove it, when all SYNs left from one source port, so that "
		"routers which balance by flow keep them on one way. One router that answers two hop limits in a row is no loop; at hop after hop it is a warning. With mtu-probe it is a packet with the full hop limit that expires.",
	.repro = "two routers that have their default route at each other, and tcptriage trace to a destination that neither knows",
};
