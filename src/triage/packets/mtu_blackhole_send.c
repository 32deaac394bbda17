/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-send in packets: large ones are sent again and never acknowledged, smaller ones between the same two addresses are. */
#include "../flow_clients.h"
#include "../mtu_table.h"
#include "../packets.h"
#include "../stuck_flow.h"

enum limit {
	CRIT_FLOWS = STUCK_FLOW_LIMITS,
	SHARE,
	PREFIXES,
};

static const struct threshold thresholds[] = {
#define STUCK_FLOW_LIMIT(id, name, unit, value, reason) [STUCK_FLOW_##id] = { name, unit, value, reason },
#include "../stuck_flow.def"
#undef STUCK_FLOW_LIMIT
	[CRIT_FLOWS] = { "critical_flows", UNIT_COUNT, 2, "two connections to one destination stuck in the same way" },
	[SHARE] = { "client_share", UNIT_PERCENT, 1, "of the connections to a public service; fewer are clients that went away" },
	[PREFIXES] = { "client_prefixes", UNIT_COUNT, 5, "of clients; one network may have a hole of its own that is not ours" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define SINGLE_FLOW 0.8

/** struct tally - stuck flows of one destination or public service. @dead: smallest packet that vanished, @passed: largest that arrived, of the worst. */
struct tally {
	uint64_t flows, proven, copies;
	uint32_t dead, passed, link_mtu;
	const struct stuck_flow *worst;
};

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

		t.proven += s->verdict.story == MTU_BLACK_HOLE || s->verdict.story == MTU_IGNORED;
		t.copies += s->member.own->dead_tries;
		if (is_worse(s, t.worst))
			t.worst = s;
	}
	t.dead = t.worst->member.own->ip_dead_min;
	/* a connection stands, so packets of headers alone pass */
	t.passed = MAX(t.worst->passed, addr_tcp_headers(t.worst->member.here.addr.family));
	t.link_mtu = view->packets->source->mtu ? view->packets->source->mtu : t.dead;
	return t;
}

static enum severity judge(const struct view *view, const struct flow_members *run, const struct tally *t, unsigned *limit)
{
	*limit = CRIT_FLOWS;
	if (!run->at->mark) {
		if ((double)t->flows >= view->values[CRIT_FLOWS] || t->proven)
			return SEVERITY_CRITICAL;
		*limit = STUCK_FLOW_WAIT;
		return SEVERITY_WARNING;
	}
	*limit = SHARE;
	return flow_clients_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]) ? SEVERITY_CRITICAL : SEVERITY_INFO;
}

/* What is known for a size within the bracket, where no more than one thing is. */
static const char *likely(const struct tally *t)
{
	const char *found = NULL;

	for (uint32_t size = t->passed; size < t->dead; size++) {
		const char *what = mtu_likely(MAX(t->link_mtu, t->dead), size);

		if (what && found)
			return "many tunnels and links fit that";
		found = what ? what : found;
	}
	return found ? found : "no common tunnel or link has such a size";
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct flow_side *own = t->worst->member.own, *other = t->worst->member.other;
	int64_t began = t->worst->since_ns - view->packets->totals->first_ns;

	finding_add(f, "size_dead", t->dead, UNIT_BYTES, "packets never acknowledged");
	finding_add(f, "size_passed", t->passed, UNIT_BYTES, "packets acknowledged");
	finding_add(f, "fits_at_most", t->dead - 1, UNIT_BYTES, "packets never acknowledged");
	finding_add_text(f, "likely", likely(t), "rule");
	finding_add(f, "copies", own->dead_tries, UNIT_COUNT, "packets");
	finding_add(f, "all_copies", (double)t->copies, UNIT_COUNT, "packets");
	finding_add(f, "stall", own->dead_ms, UNIT_MS, "packets");
	finding_add(f, "began", (double)MAX(began, 0) / 1e6, UNIT_MS, "packets");
	finding_add(f, "answered_meanwhile", (double)t->proven, UNIT_COUNT, "other packets of the two addresses");
	finding_add(f, "duplicate_acks", other->duplicate_acks, UNIT_COUNT, "packets");
	if (other->has & SIDE_HAS_MSS)
		finding_add(f, "mss", other->mss, UNIT_BYTES, "SYN of the peer");
	finding_add_text(f, "example", view_addr_text(view, &t->worst->member.there.addr), "packets");
	finding_address_class(f, &t->worst->member.there.addr);
	if (t->worst->told) {
		finding_add(f, "told_mtu", t->worst->told->mtu_min, UNIT_BYTES, "ICMP");
		finding_add(f, "messages", (double)t->worst->told->count, UNIT_COUNT, "ICMP");
		finding_add_text(f, "reporter", view_addr_text(view, &t->worst->told->reporter), "ICMP");
	}
}

static const char *const next[] = {
	"tcptriage mtu-probe {example}",
	"ip route get {example}",
	"tcptriage states -i dst {example}",
	NULL,
};

static const char *const ignored_causes[] = {
	"ip_no_pmtu_disc is set, or the route's MTU is locked",
	"the message quotes a sequence number outside the window, and is taken for forged (OutOfWindowIcmps)",
	"the message asks for less than min_pmtu allows",
	"a firewall between here and the sender drops the message",
	NULL,
};

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	f->title = "Path-MTU black hole: packets of {size_dead} to {peer} vanish, smaller ones arrive";
	f->detail = "{count|connection} · sent {copies} times over {stall}, never acknowledged · the path takes between {size_passed} and {fits_at_most}: {likely} · began {began} into the capture";
	f->next = flow_next(view, "host {example} or icmp or icmp6", next);
	if (!f->scope.has_peer)
		f->title = "Path-MTU black hole: packets of {size_dead} from {local} vanish, smaller ones arrive";
	if (t->worst->verdict.story == MTU_BLACK_HOLE_OR_DEAD)
		f->title = f->scope.has_peer ? "Packets of {size_dead} to {peer} get no answer: a path-MTU black hole, or the peer is gone" :
					       "Packets of {size_dead} from {local} get no answer: a path-MTU black hole, or the clients are gone";
	if (t->worst->verdict.story == MTU_IGNORED) {
		f->title = f->scope.has_peer ? "Packets of {size_dead} to {peer} are too big, {reporter} says so and is not heard" :
					       "Packets of {size_dead} from {local} are too big, {reporter} says so and is not heard";
		f->detail = "{count|connection} · sent {copies} times over {stall}, never acknowledged · {messages|message} ask for {told_mtu} · began {began} into the capture";
		f->causes = ignored_causes;
	}
}

static void add_doubts(struct finding *f, const struct view *view, const struct flow_members *run, const struct tally *t)
{
	if (t->worst->verdict.story == MTU_BLACK_HOLE_OR_DEAD)
		finding_against(f, "nothing else is known to have been answered since: a dead peer looks the same; a probe finds the size that passes, or nothing that answers: tcptriage mtu-probe {example}");
	if (t->worst->signs.full_size == ANSWER_UNKNOWN)
		finding_against(f, "larger packets would be allowed on this connection: that size is what matters is not certain");
	if (t->worst->signs.told == ANSWER_UNKNOWN)
		finding_against(f, "the filter of this capture left out ICMP: whether somebody said what fits is not known");
	if (t->worst->member.flow->flags & FLOW_SUPER_SEGMENTS)
		finding_against(f, "the network card cuts segments after the capture: sizes are what the MSS makes of them");
	if (run->at->mark)
		finding_against(f, "clients on the Internet come and go: a share of them is always stuck");
	finding_trust(f, view);
}

static void file_run(const struct view *view, struct sink *sink, const struct stuck_flows *run)
{
	struct flow_members members = stuck_flows_members(view, run);
	struct tally t = tally_of(view, run);
	unsigned limit;
	enum severity severity = judge(view, &members, &t, &limit);
	struct finding *f;

	if (!RULE_MAIN(PACKETS_MTU_BLACKHOLE_SEND, t.flows > 0))
		return;
	f = sink_finding(sink, severity, flow_confidence(view, t.worst->verdict.confidence));
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

	stuck_flows_file(view, sink, &all, file_run);
	if (!sink->filed && longest >= 0 && (double)longest < view->values[STUCK_FLOW_WAIT])
		sink_near_miss(sink, "longest time over which a segment was repeated in vain", (double)longest, STUCK_FLOW_WAIT);
}

const struct rule_signal packets_mtu_blackhole_send = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"In packets the proof has two halves. A segment is sent again at least three times over at least three seconds and never acknowledged; and between the same two addresses nothing of that size was ever acknowledged, while "
		"something smaller was, at best something that was sent after it. The smallest packet that vanished and the largest that arrived bracket the path MTU. When packets of the same size have passed it is loss, when "
		"small ones are stuck as well the peer is gone, and when duplicate ACKs tell that later segments arrive it is loss again: one decision table serves sockets and packets. The capture has to stand before the "
		"hole, at the sender's side: behind it the packets are missing, see mtu-blackhole-recv.",
	.repro = "capture at the sender while 80 kB go through a router whose egress has MTU 1400 and which drops the ICMP messages it makes",
};
