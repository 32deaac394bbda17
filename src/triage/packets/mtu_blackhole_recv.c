/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-recv in packets: the short end of an answer arrives, what stands before it never does. */
#include "../flow_clients.h"
#include "../flow_pairs.h"
#include "../packets.h"

enum limit {
	HOLE,
	TAIL_ACKS,
	SMALL,
	SAFE,
	QUIET_FLOWS,
};

static const struct threshold thresholds[] = {
	[HOLE] = { "hole", UNIT_MS, 3000, "what is lost at random is sent again within a second or two; what is too large never arrives" },
	[TAIL_ACKS] = { "tail_seen", UNIT_COUNT, 1, "one duplicate ACK shows that something came from behind the hole" },
	[SMALL] = { "arrived_share", UNIT_RATIO, 0.7, "of the MSS that we allow, the largest segment of this peer that arrived on any connection: a path that brings larger ones has no hole for the rest" },
	[SAFE] = { "allowed_mss", UNIT_BYTES, 1220, "fits the smallest MTU of IPv6: nothing on the way may drop it for its size" },
	[QUIET_FLOWS] = { "quiet_flows", UNIT_COUNT, 2, "one connection without an answer is a slow peer" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.8
/* The hole begins and ends as segments of one size would leave it. */
#define CONFIDENCE_MULTIPLE 0.85
/* Without an end behind the hole it is no more than an idea; findings like that are shown with -v only. */
#define CONFIDENCE_QUIET 0.3
#define SINGLE_FLOW 0.8
#define NS_PER_MS INT64_C(1000000)

/* Bytes that the peer has sent as its newest sequence number tells, and that never came, if each other byte came once. */
static uint32_t missing(const struct flow_member *m)
{
	uint32_t beyond = flow_unacked(m->flow, !m->side), tail;
	uint64_t in_order = m->own->ack - m->other->isn - 1;

	if (!(m->other->has & SIDE_HAS_SYN))
		return 0;
	if (m->other->payload < in_order)
		return beyond;
	tail = (uint32_t)MIN(m->other->payload - in_order, beyond);
	return beyond - tail;
}

/* From the newest data of the peer to the end of the capture, or of the connection. */
static double waited_ms(const struct view *view, const struct flow_member *m)
{
	int64_t end = flow_is_open(m->flow) ? view->packets->totals->last_ns : m->own->last_ns;

	return (double)MAX(end - MAX(m->other->last_payload_ns, m->flow->first_ns), 0) / (double)NS_PER_MS;
}

static bool is_left_waiting(const struct view *view, const struct flow_member *m)
{
	const struct flow *flow = m->flow;

	if (flow->state != FLOW_ESTABLISHED && flow->state != FLOW_MIDSTREAM && flow->state != FLOW_CLOSING && flow->state != FLOW_RESET)
		return false;
	/* what this machine sends is missing at the other end, not here */
	if (flow->flags & FLOW_LOCAL_KNOWN && flow->local_side != m->side)
		return false;
	return !(m->other->has & SIDE_SENT_RST) && m->own->has & SIDE_HAS_MSS && m->own->mss > view->values[SAFE] && !m->own->window_shut &&
	       waited_ms(view, m) >= view->values[HOLE];
}

static bool has_tail(const struct view *view, const struct flow_member *m)
{
	return m->own->duplicate_acks >= view->values[TAIL_ACKS] && missing(m) > 0;
}

/* A request that was acknowledged and has had no answer since, on a connection that brought something small at most. */
static bool is_quiet(const struct flow_member *m)
{
	const uint32_t both = FLOW_SAW_SYN | FLOW_SAW_SYN_ACK;

	return m->own->last_payload_ns > m->other->last_payload_ns && m->other->has & SIDE_HAS_ACK && !flow_unacked(m->flow, m->side) &&
	       !flow_unacked(m->flow, !m->side) && (m->flow->flags & both) == both && !m->side;
}

static bool keep_tailed(const struct view *view, struct flow_member *m)
{
	if (!is_left_waiting(view, m) || !has_tail(view, m))
		return false;
	if (flow_clients_accepted(m))
		m->key.port = 0;
	return true;
}

static bool keep_quiet(const struct view *view, struct flow_member *m)
{
	return is_left_waiting(view, m) && is_quiet(m);
}

/* Holes are whole segments of the size that we allow. */
static bool is_multiple(const struct flow_member *m)
{
	uint32_t segment = m->own->mss, hole = missing(m);

	return hole && (hole % segment == 0 || hole % (segment - TCP_TIMESTAMP_BYTES) == 0);
}

static const struct flow_member *longest(const struct view *view, const struct flow_members *run)
{
	const struct flow_member *worst = run->at;

	for (size_t i = 1; i < run->count; i++) {
		if (waited_ms(view, &run->at[i]) > waited_ms(view, worst))
			worst = &run->at[i];
	}
	return worst;
}

static void add_evidence(struct finding *f, const struct view *view, const struct flow_member *m, uint32_t largest)
{
	finding_add(f, "waited", waited_ms(view, m), UNIT_MS, "packets");
	finding_add(f, "largest_arrived", largest, UNIT_BYTES, "packets of the peer");
	finding_add(f, "mss", m->own->mss, UNIT_BYTES, "SYN");
	finding_add(f, "duplicate_acks", m->own->duplicate_acks, UNIT_COUNT, "packets");
	finding_add(f, "missing", missing(m), UNIT_BYTES, "sequence numbers");
	finding_add(f, "whole_segments", is_multiple(m), UNIT_FLAG, "sequence numbers");
	finding_add(f, "in_order", m->own->ack - m->other->isn - 1, UNIT_BYTES, "sequence numbers");
	finding_add(f, "began", (double)MAX(m->other->last_payload_ns - view->packets->totals->first_ns, 0) / 1e6, UNIT_MS, "packets");
	finding_add_text(f, "example", view_addr_text(view, &m->there.addr), "packets");
	finding_address_class(f, &m->there.addr);
}

static const char *const next[] = {
	"tcptriage mtu-probe {example}",
	"ip route get {example}",
	"tcptriage states -im dst {example}",
	"ip -d link",
	NULL,
};

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	const struct flow_member *worst = longest(view, run);
	uint32_t largest = flow_pairs_find(sink->own, worst)->brought;
	bool public = flow_clients_is_public(worst);
	struct finding *f;

	if (!RULE_MAIN(PACKETS_MTU_BLACKHOLE_RECV, largest <= view->values[SMALL] * worst->own->mss))
		return;
	f = sink_finding(sink, public ? SEVERITY_INFO : SEVERITY_WARNING,
			 flow_confidence(view, is_multiple(worst) ? CONFIDENCE_MULTIPLE : CONFIDENCE));
	f->scope_factor = run->count == 1 ? SINGLE_FLOW : 1;
	finding_flows(f, view, run);
	add_evidence(f, view, worst, largest);
	f->title = "Path-MTU black hole: large packets from {peer} do not arrive, the short end behind them did";
	f->detail = "{count|connection} waiting for {waited} at least · {missing} missing before what {duplicate_acks|duplicate ACK} answered · segments of {largest_arrived} arrive, {mss} are allowed · began {began} into the capture";
	f->next = flow_next(view, "host {example} or icmp or icmp6", next);
	finding_against(f, "size is inferred, what is missing was not seen: a device that drops packets for what they contain leaves the same; a connection that advertises a smaller MSS and gets its answer is the proof");
	if (public)
		finding_against(f, "clients on the Internet come and go: some of them leave in the middle of a request");
	finding_trust(f, view);
	finding_threshold(f, sink, HOLE);
}

static void file_quiet(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	const struct flow_member *worst = longest(view, run);
	uint32_t largest = flow_pairs_find(sink->own, worst)->brought;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_MTU_BLACKHOLE_RECV, (double)run->count >= view->values[QUIET_FLOWS] &&
			       largest <= view->values[SMALL] * worst->own->mss))
		return;
	f = sink_finding(sink, SEVERITY_INFO, flow_confidence(view, CONFIDENCE_QUIET));
	finding_flows(f, view, run);
	add_evidence(f, view, worst, largest);
	f->title = "{peer} takes requests and nothing large ever comes back: it is slow, or its large packets do not arrive";
	f->detail = "{count|connection} waiting for {waited} at least · segments of {largest_arrived} arrive, {mss} are allowed";
	f->next = flow_next(view, "host {example} or icmp or icmp6", next);
	finding_against(f, "nothing came from behind the answer: a peer that takes its time looks the same, and is far more frequent");
	finding_trust(f, view);
	finding_threshold(f, sink, QUIET_FLOWS);
}

static bool keep_either(const struct view *view, struct flow_member *m)
{
	return is_left_waiting(view, m) && (has_tail(view, m) || is_quiet(m));
}

static void file(const struct view *view, struct sink *sink, const struct flow_members *all, flow_keep_fn *keep, flow_members_file_fn *file_one)
{
	struct flow_members members = flow_members_filter(view, all, keep);
	struct flow_pairs pairs = flow_pairs_of(view, &members);

	sink->own = &pairs;
	flow_members_file(view, sink, &members, file_one);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members all = flow_members_collect_sides(view, PROTOCOL_TCP, ODD_WAITS, keep_either);

	file(view, sink, &all, keep_tailed, file_run);
	if (!sink->filed)
		file(view, sink, &all, keep_quiet, file_quiet);
}

const struct rule_signal packets_mtu_blackhole_recv = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"In a capture at the receiver the large packets are missing, which nothing shows but what comes from behind them: the short last segment of an answer arrives, we answer it with a duplicate ACK, and the bytes before it are "
		"not filled in for three seconds. No connection from that peer has brought a segment near the size that our SYN allows. A hole that is a multiple of that size is the signature of whole segments that are gone. "
		"When not even a short end arrives the capture cannot tell a hole from a slow peer: that is at most a hint, shown with -v.",
	.repro = "capture at the client while a router whose link to it has MTU 1400 drops the ICMP messages it makes; ask for an answer of 5000 bytes",
};
