/* SPDX-License-Identifier: MIT */
/* retrans-high in packets: what was sent again because it was lost, a direction and a peer at a time. */
#include <math.h>

#include "../capture_trust.h"
#include "../flow_clients.h"
#include "../flow_loss.h"
#include "../packets.h"

enum limit {
	PRIVATE_WARN,
	PRIVATE_CRIT,
	GLOBAL_WARN,
	GLOBAL_CRIT,
	SENT,
	LOST,
	MARGIN,
	SPURIOUS,
	RTO_SHARE,
	RTO_RATE,
	QUEUE,
	QUEUE_DELAY,
	SHARE,
	PREFIXES,
};

static const struct threshold thresholds[] = {
	[PRIVATE_WARN] = { "seen_private_loss", UNIT_PERCENT, 0.5, "inside one's own network loss is a fault, and throughput over any distance suffers from here on" },
	[PRIVATE_CRIT] = { "seen_private_critical_loss", UNIT_PERCENT, 3, "requests stall: every short answer has a good chance to be hit" },
	[GLOBAL_WARN] = { "seen_global_loss", UNIT_PERCENT, 3, "mobile and radio links live with one or two percent" },
	[GLOBAL_CRIT] = { "seen_global_critical_loss", UNIT_PERCENT, 10, "connections crawl, whatever the congestion control" },
	[SENT] = { "seen_packets", UNIT_COUNT, 100, "a share of fewer says nothing" },
	[LOST] = { "seen_lost", UNIT_SEGMENTS, 10, "a burst of a few is an accident" },
	[MARGIN] = { "seen_margin", UNIT_RATIO, 2, "a count varies by its square root: with twice that taken off, chance alone reaches a limit in one case of forty" },
	[SPURIOUS] = { "seen_spurious", UNIT_RATIO, 0.8, "of what is sent again had arrived before: nothing is lost, the path reorders or delays" },
	[RTO_SHARE] = { "seen_timeout_share", UNIT_RATIO, 0.5, "repaired by waiting for a timer instead of at once: each loss is a stall that users feel" },
	[RTO_RATE] = { "seen_timeouts", UNIT_PER_S, 10, "so many stalls a second are no accident" },
	[QUEUE] = { "seen_queue", UNIT_RATIO, 2, "the longest round trip is twice the shortest: packets wait somewhere before they are dropped" },
	[QUEUE_DELAY] = { "seen_queue_delay", UNIT_MS, 10, "a shorter delay is a busy host, not a queue on the way" },
	[SHARE] = { "client_share", UNIT_PERCENT, 1, "of the connections to a public service; fewer are clients on bad links" },
	[PREFIXES] = { "client_prefixes", UNIT_COUNT, 5, "of clients that lose at the same time have more in common with us than with each other" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.9
#define SINGLE_FLOW 0.8

/** struct court - @nearest: the loss that came nearest to its limit, @sure percent. */
struct court {
	double nearest, sure;
	enum limit limit;
};

/* The share that the count supports, chance set aside. */
static double sure_percent(const struct view *view, const struct flow_loss *loss)
{
	double count = (double)flow_loss_count(loss), sure = count - view->values[MARGIN] * sqrt(count);

	if (count < view->values[LOST] || (double)loss->sent < view->values[SENT])
		return 0;
	return MIN(100 * MAX(sure, 0) / (double)loss->sent, 100);
}

static bool is_global(const struct flow_member *m)
{
	return addr_is_global(&m->here.addr) || addr_is_global(&m->there.addr);
}

/* Which limit a loss reaches: the critical one, else the warning one, else none. */
static bool reaches(const struct view *view, const struct flow_stretch *s, enum limit *limit)
{
	bool global = is_global(s->members.at);
	double sure = sure_percent(view, &s->all);

	*limit = global ? GLOBAL_CRIT : PRIVATE_CRIT;
	if (sure >= view->values[*limit])
		return true;
	*limit = global ? GLOBAL_WARN : PRIVATE_WARN;
	return sure >= view->values[*limit];
}

static bool waits_for_timers(const struct view *view, const struct flow_loss *loss)
{
	double seconds = (double)(view->packets->totals->last_ns - view->packets->totals->first_ns) / 1e9;

	return seconds > 0 && (double)loss->timeouts >= view->values[RTO_SHARE] * (double)loss->again &&
	       (double)loss->timeouts / seconds >= view->values[RTO_RATE];
}

static enum severity severity_of(const struct view *view, const struct flow_stretch *s, enum limit *limit)
{
	if (*limit == PRIVATE_CRIT || *limit == GLOBAL_CRIT)
		return SEVERITY_CRITICAL;
	if (!waits_for_timers(view, &s->all))
		return SEVERITY_WARNING;
	*limit = RTO_RATE;
	return SEVERITY_CRITICAL;
}

static const char *hint_of(const struct view *view, const struct flow_side *side)
{
	double least = side->rtt_min_us, most = side->rtt_max_us;

	if (!(side->has & SIDE_HAS_RTT) || (double)side->rtt_count < view->values[LOST])
		return "too few round trips were measured to tell a queue";
	if (most >= view->values[QUEUE] * least && most - least >= view->values[QUEUE_DELAY] * 1e3)
		return "round trips grow: a queue may fill up on the way (congestion)";
	return "round trips hardly vary: a policer, a short buffer or a bad link";
}

static void add_evidence(struct finding *f, const struct view *view, const struct flow_stretch *s, bool incoming)
{
	const struct flow_member *worst = s->worst;
	const struct flow_side *side = flow_loss_sender(worst, incoming);

	finding_add(f, "loss", flow_loss_percent(&s->all), UNIT_PERCENT, "packets");
	finding_add(f, "loss_at_least", sure_percent(view, &s->all), UNIT_PERCENT, "rule");
	finding_add(f, "lost", (double)flow_loss_count(&s->all), UNIT_SEGMENTS, "packets");
	finding_add(f, "sent", (double)s->all.sent, UNIT_COUNT, "packets");
	finding_add(f, "sent_again", (double)s->all.again, UNIT_SEGMENTS, "packets");
	finding_add(f, "needlessly", (double)s->all.spurious, UNIT_SEGMENTS, "DSACK, timestamps, acknowledgements");
	finding_add(f, "capture_lost", (double)s->all.unseen, UNIT_COUNT, "acknowledgements of what was not captured");
	finding_add(f, "timeouts", (double)s->all.timeouts, UNIT_COUNT, "packets");
	finding_add(f, "fast", (double)s->all.fast, UNIT_COUNT, "packets");
	finding_add(f, "out_of_order", (double)s->all.out_of_order, UNIT_COUNT, "packets");
	finding_add(f, "all_flows", (double)s->all.flows, UNIT_COUNT, "packets");
	if (side->has & SIDE_HAS_RTT) {
		finding_add(f, "min_rtt", side->rtt_min_us, UNIT_US, "packets");
		finding_add(f, "max_rtt", side->rtt_max_us, UNIT_US, "packets");
	}
	finding_add_text(f, "hint", hint_of(view, side), "rule");
	finding_add_text(f, "example", view_addr_text(view, &worst->there.addr), "packets");
	finding_address_class(f, &worst->there.addr);
}

static const char *const next[] = {
	"tcptriage states -i dst {example}",
	"ip -s link",
	"ip route get {example}",
	NULL,
};

static void describe(struct finding *f, const struct view *view, bool incoming)
{
	f->title = incoming ? "{loss} of what {peer} sends is lost before it gets here" : "{loss} of what is sent to {peer} is lost";
	if (!f->scope.has_peer)
		f->title = incoming ? "{loss} of what clients of {local} send is lost before it gets here" : "{loss} of what {local} sends to its clients is lost";
	f->detail = "{sent_again} of {sent|packet} sent again on {count} of {all_flows|connection}, {needlessly} of them needlessly · {timeouts|timeout}, {fast|fast retransmission} · {hint}";
	f->next = flow_next(view, "host {example}", next);
}

static bool any_joined(const struct flow_members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		if (members->at[i].flow->flags & FLOW_SUPER_SEGMENTS)
			return true;
	}
	return false;
}

static void add_doubts(struct finding *f, const struct view *view, const struct flow_stretch *s)
{
	if (s->all.out_of_order > flow_loss_count(&s->all))
		finding_against(f, "{out_of_order|segment} came out of order: reordering makes senders repeat what was not lost, and not every receiver says so");
	if (s->all.unseen)
		finding_against(f, "the capture itself missed {capture_lost|packet} of these connections: they are taken off");
	if (any_joined(&s->members))
		finding_against(f, "offload joins segments before the capture sees them, and one that is sent again may stand for several: the loss is at least this");
	if (s->members.at->mark)
		finding_against(f, "clients on the Internet bring the loss of their own access with them");
	finding_trust(f, view);
}

/* Where the capture loses as much as is missing, nobody can tell which of them it was. */
static bool drops_explain(const struct view *view, struct sink *sink, const struct flow_stretch *s)
{
	const struct packet_evidence *p = view->packets;
	double own = MAX(capture_trust_measure(p->source, p->totals, CAPTURE_FLAW_DROPS),
			 capture_trust_measure(p->source, p->totals, CAPTURE_FLAW_UNSEEN));

	if (own < flow_loss_percent(&s->all))
		return false;
	sink_skip_part(sink, "loss: the capture itself missed as large a share of the packets as seems to be lost");
	return true;
}

static void note_nearest(const struct view *view, const struct flow_stretch *s, struct court *court)
{
	enum limit limit = is_global(s->members.at) ? GLOBAL_WARN : PRIVATE_WARN;
	double sure = sure_percent(view, &s->all), share = sure / view->values[limit];

	if (share < court->nearest)
		return;
	court->nearest = share;
	court->sure = sure;
	court->limit = limit;
}

static void file(const struct view *view, struct sink *sink, const struct flow_stretch *s, bool incoming)
{
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_RETRANS_HIGH, reaches(view, s, &limit))) {
		note_nearest(view, s, sink->own);
		return;
	}
	if (drops_explain(view, sink, s))
		return;
	if (s->members.at->mark && !flow_clients_stand_out(view, &s->members, view->values[SHARE], view->values[PREFIXES]))
		return;
	severity = severity_of(view, s, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, CONFIDENCE));
	f->scope_factor = s->members.count == 1 ? SINGLE_FLOW : 1;
	finding_flows(f, view, &s->members);
	add_evidence(f, view, s, incoming);
	describe(f, view, incoming);
	add_doubts(f, view, s);
	finding_threshold(f, sink, limit);
}

static void judge(const struct view *view, struct sink *sink, bool incoming)
{
	struct flow_stretches all = flow_loss_stretches(view, incoming, view->values[SPURIOUS]);

	for (size_t i = 0; i < all.count; i++)
		file(view, sink, &all.at[i], incoming);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct court court = { .nearest = 0 };

	sink->own = &court;
	judge(view, sink, false);
	judge(view, sink, true);
	if (!sink->filed && court.sure > 0)
		sink_near_miss(sink, "largest loss to one peer", court.sure, court.limit);
	if (view->packets->totals->flows_one_way)
		sink_skip_part(sink, "flows of which one direction was seen: there loss and needless repetition cannot be told apart");
}

const struct rule_signal packets_retrans_high = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"In packets a segment counts as lost when its bytes are sent again, unless they had arrived: the receiver says so (DSACK), its timestamps do, or it had acknowledged them. Repeated SYNs, duplicated frames, segments that "
		"only came out of order, and what the capture itself missed are not loss. Both directions are judged apart, over all connections with a peer, also those that lost nothing. Connections with a segment that is never "
		"acknowledged belong to mtu-blackhole-send and dead-peer-unacked. When the capture dropped as large a share as seems to be lost, the rule does not speak.",
	.repro = "capture at the sender during a bulk transfer through a router that drops five of a hundred packets at random",
};
