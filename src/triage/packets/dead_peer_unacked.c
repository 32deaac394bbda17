/* SPDX-License-Identifier: MIT */
/* dead-peer-unacked in packets: the same segment again and again, and nothing comes back on that connection. */
#include "../flow_clients.h"
#include "../packets.h"
#include "../stuck_flow.h"

enum limit {
	SILENT = STUCK_FLOW_LIMITS,
	DEAF,
	IDLE,
	CRIT_COPIES,
	CRIT_FLOWS,
	SHARE,
	PREFIXES,
};

static const struct threshold thresholds[] = {
#define STUCK_FLOW_LIMIT(id, name, unit, value, reason) [STUCK_FLOW_##id] = { name, unit, value, reason },
#include "../stuck_flow.def"
#undef STUCK_FLOW_LIMIT
	[SILENT] = { "unheard", UNIT_MS, 5000, "since anything came from the peer on this connection; a busy host or a route that changes takes less" },
	[DEAF] = { "repeats_acknowledged", UNIT_COUNT, 2, "times the peer repeated what had been acknowledged: it does not get our packets either" },
	[IDLE] = { "quiet_before", UNIT_MS, 60000, "quiet for as long as the shortest idle timeouts of NATs, firewalls and load balancers" },
	[CRIT_COPIES] = { "critical_copies", UNIT_COUNT, 7, "six timeouts in a row: 13 s of silence at the least, longer than a user waits" },
	[CRIT_FLOWS] = { "critical_flows", UNIT_COUNT, 3, "several connections to one destination dead at once: not one unlucky flow" },
	[SHARE] = { "client_share", UNIT_PERCENT, 5, "of the connections to a public service; phones that left their network are always some" },
	[PREFIXES] = { "client_prefixes", UNIT_COUNT, 5, "of clients; one network may have lost its own way to us" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define SINGLE_FLOW 0.8
#define CONFIDENCE_YOUNG 0.8
#define NS_PER_MS INT64_C(1000000)

/** struct tally - dead flows of one destination or public service. @worst: the surest, of these the one stuck longest. */
struct tally {
	uint64_t flows, bytes, after_idle, undecided, answered, deaf;
	uint16_t most_copies;
	const struct stuck_flow *worst;
};

/* How long its sender went on without hearing anything of the other side; what it never heard counts from its first packet. */
static double unheard_ms(const struct stuck_flow *s)
{
	const struct flow_member *m = &s->member;
	int64_t heard = m->other->packets ? m->other->last_ns : m->flow->first_ns;

	return (double)MAX(m->own->last_ns - heard, 0) / (double)NS_PER_MS;
}

static double quiet_before_ms(const struct stuck_flow *s)
{
	const struct flow_member *m = &s->member;

	return m->other->packets ? (double)MAX(s->since_ns - m->other->last_ns, 0) / (double)NS_PER_MS : 0;
}

/* It repeats what we acknowledge, and acknowledges nothing of ours: one direction of the path is dead. */
static bool is_deaf(const struct view *view, const struct stuck_flow *s)
{
	return s->member.other->spurious >= view->values[DEAF] && s->member.other->last_ns > s->since_ns && s->member.own->dead_ms >= view->values[SILENT];
}

/* A peer that is heard after the first copy is there, whatever it does not acknowledge. */
static bool is_dead(const struct view *view, const struct stuck_flow *s)
{
	if (is_deaf(view, s))
		return true;
	return unheard_ms(s) >= view->values[SILENT] && unheard_ms(s) >= s->member.own->dead_ms - view->values[STUCK_FLOW_LATER];
}

static void keep_dead(const struct view *view, struct stuck_flows *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (is_dead(view, &all->at[i]))
			all->at[kept++] = all->at[i];
	}
	all->count = kept;
}

static bool is_worse(const struct stuck_flow *a, const struct stuck_flow *b)
{
	if (a->verdict.confidence != b->verdict.confidence)
		return a->verdict.confidence > b->verdict.confidence;
	return a->member.own->dead_ms > b->member.own->dead_ms;
}

static struct tally tally_of(const struct view *view, const struct stuck_flows *run)
{
	struct tally t = { .flows = run->count, .worst = run->at };

	for (size_t i = 0; i < run->count; i++) {
		const struct stuck_flow *s = &run->at[i];

		t.bytes += flow_unacked(s->member.flow, s->member.side);
		t.after_idle += quiet_before_ms(s) >= view->values[IDLE];
		t.undecided += s->verdict.story == MTU_BLACK_HOLE_OR_DEAD;
		t.answered += stuck_flow_answered(s, view->values);
		t.deaf += is_deaf(view, s);
		t.most_copies = MAX(t.most_copies, s->member.own->dead_tries);
		if (is_worse(s, t.worst))
			t.worst = s;
	}
	return t;
}

static enum severity judge(const struct view *view, const struct flow_members *run, const struct tally *t, unsigned *limit)
{
	if (run->at->mark) {
		*limit = SHARE;
		return flow_clients_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]) ? SEVERITY_WARNING : SEVERITY_INFO;
	}
	*limit = CRIT_FLOWS;
	if ((double)t->flows >= view->values[CRIT_FLOWS])
		return SEVERITY_CRITICAL;
	*limit = CRIT_COPIES;
	if (t->most_copies >= view->values[CRIT_COPIES])
		return SEVERITY_CRITICAL;
	*limit = STUCK_FLOW_COPIES;
	return SEVERITY_WARNING;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct flow_member *m = &t->worst->member;
	int64_t began = t->worst->since_ns - view->packets->totals->first_ns;

	finding_add(f, "bytes", (double)t->bytes, UNIT_BYTES, "sequence numbers");
	finding_add(f, "copies", m->own->dead_tries, UNIT_COUNT, "packets");
	finding_add(f, "stall", m->own->dead_ms, UNIT_MS, "packets");
	finding_add(f, "last_heard", unheard_ms(t->worst), UNIT_MS, "packets");
	finding_add(f, "quiet_before", quiet_before_ms(t->worst), UNIT_MS, "packets");
	finding_add(f, "after_idle", (double)t->after_idle, UNIT_COUNT, "packets");
	finding_add(f, "repeated_to_us", m->other->spurious, UNIT_SEGMENTS, "packets");
	finding_add(f, "packet_size", m->own->ip_dead_min, UNIT_BYTES, "packets");
	finding_add(f, "began", (double)MAX(began, 0) / 1e6, UNIT_MS, "packets");
	finding_add_text(f, "others", t->answered ? "answered" : "none that is known to be answered", "other packets of the two addresses");
	finding_add_text(f, "example", view_addr_text(view, &m->there.addr), "packets");
	finding_address_class(f, &m->there.addr);
}

static const char *const idle_causes[] = {
	"a NAT, firewall or load balancer dropped the idle connection from its table and says nothing",
	"the peer crashed or was moved while the connection was quiet",
	"a failover moved the peer's address to a machine that does not know the connection",
	NULL,
};

static const char *const one_flow_causes[] = {
	"only this flow is dead, others between the two addresses are answered: a NAT, firewall or load balancer has lost its state",
	"a firewall rule that came later drops established flows",
	"one machine behind the peer's address (a load balancer's backend) is gone",
	NULL,
};

static const char *const deaf_causes[] = {
	"packets to the peer are lost and those from it arrive: a firewall, a route or a link that is broken in one direction",
	"a NAT or load balancer that still forwards one direction of the connection only",
	NULL,
};

static const char *const next[] = {
	"tcptriage mtu-probe --hops {example}",
	"tcptriage states -i dst {example}",
	"ip route get {example}",
	NULL,
};

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	bool idle = 2 * t->after_idle > t->flows;

	f->title = "{peer} has fallen silent: the same data is sent to it again and again, nothing comes back";
	if (idle)
		f->title = "{peer} does not answer after {quiet_before} of quiet: the connection is dead or was forgotten on the way";
	if (t->undecided == t->flows)
		f->title = "{peer} answers nothing that is sent to it: the peer is gone, or a path-MTU black hole";
	if (!f->scope.has_peer)
		f->title = "Clients of {local} have fallen silent: {count|connection} send the same data again and again";
	f->detail = "{count|connection}, {bytes} unacknowledged · one segment sent {copies} times over {stall} · nothing heard for {last_heard} · other traffic to it: {others} · began {began} into the capture";
	if (t->deaf == t->flows) {
		f->title = "{peer} is heard and hears nothing: what is sent to it is lost, what it sends arrives";
		f->detail = "{count|connection}, {bytes} unacknowledged · one segment sent {copies} times over {stall} · meanwhile the peer repeated {repeated_to_us|segment} that had been acknowledged · began {began} into the capture";
	}
	if (!t->bytes) /* without an acknowledgement nobody can tell how many */
		f->detail = "{count|connection} · one segment sent {copies} times over {stall} · nothing heard for {last_heard} · other traffic to it: {others} · began {began} into the capture";
	f->next = flow_next(view, "host {example}", next);
	if (t->deaf == t->flows)
		f->causes = deaf_causes;
	else if (idle)
		f->causes = idle_causes;
	else if (t->answered)
		f->causes = one_flow_causes;
}

static void add_doubts(struct finding *f, const struct view *view, const struct flow_members *run, const struct tally *t)
{
	if (t->worst->verdict.story == MTU_BLACK_HOLE_OR_DEAD)
		finding_against(f, "only packets of {packet_size} are stuck: a path-MTU black hole looks the same; a probe finds the size that passes, or nothing that answers: tcptriage mtu-probe {example}");
	if (!t->worst->member.other->packets)
		finding_against(f, "the capture holds no packet of the peer on this connection at all: it may not see that direction");
	if (run->at->mark)
		finding_against(f, "clients on the Internet vanish all the time: a share of them is always stuck");
	finding_trust(f, view);
}

static void file_run(const struct view *view, struct sink *sink, const struct stuck_flows *run)
{
	struct flow_members members = stuck_flows_members(view, run);
	struct tally t = tally_of(view, run);
	unsigned limit;
	enum severity severity = judge(view, &members, &t, &limit);
	double confidence = t.worst->verdict.confidence;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_DEAD_PEER_UNACKED, t.flows > 0))
		return;
	if (severity < SEVERITY_CRITICAL)
		confidence = MIN(confidence, CONFIDENCE_YOUNG);
	f = sink_finding(sink, severity, flow_confidence(view, confidence));
	f->scope_factor = t.flows == 1 ? SINGLE_FLOW : 1;
	finding_flows(f, view, &members);
	add_evidence(f, view, &t);
	describe(f, view, &t);
	add_doubts(f, view, &members, &t);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct stuck_flows all = stuck_flows_find(view, view->values);
	int64_t longest = stuck_flows_keep(&all, sink->rule->id);

	keep_dead(view, &all);
	stuck_flows_file(view, sink, &all, file_run);
	if (!sink->filed && longest >= 0 && (double)longest < view->values[STUCK_FLOW_WAIT])
		sink_near_miss(sink, "longest time over which a segment was repeated in vain", (double)longest, STUCK_FLOW_WAIT);
}

const struct rule_signal packets_dead_peer_unacked = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"In packets: one segment is sent at least four times over at least three seconds, no acknowledgement of it is seen, and nothing else of the peer comes on that connection for five seconds. That it is not a matter of "
		"size is shown by small segments that are stuck, or by packets of the same size that passed before; where neither is known both readings are named. Other traffic between the two addresses tells whether the peer is "
		"gone or only this connection. A peer that repeats what has been acknowledged, and acknowledges nothing, is heard and hears nothing: one direction is dead. A peer that answers with a reset, or whose window is shut, is alive. A capture that does not see the peer's direction proves nothing, and flows of that kind are left out.",
	.repro = "capture at the sender while a router drops everything after the handshake; send 100 bytes and wait for five timeouts",
};
