/* SPDX-License-Identifier: MIT */
/* mss-clamp-mismatch: the MSS that two hosts tell each other does not fit the path between them. */
#include "../mtu_table.h"
#include "../path_limits.h"
#include "../probes.h"

enum limit {
	SMALL_V4,
	SMALL_V6,
	MISSING,
	ABOVE,
	BELOW,
	SEGMENTS,
	FULLNESS,
	TOO_LARGE,
	VAIN,
	VAIN_MS,
};

static const struct threshold thresholds[] = {
	[SMALL_V4] = { "small_v4", UNIT_BYTES, 536, "what is taken for granted where no MSS is told; less makes tiny packets of all data" },
	[SMALL_V6] = { "small_v6", UNIT_BYTES, ODD_MSS, "what is taken for granted where no MSS is told: every IPv6 path carries it" },
	[MISSING] = { "missing", UNIT_COUNT, 3, "connections whose SYN told no MSS; one or two are a scanner or an old device" },
	[ABOVE] = { "above_interface", UNIT_BYTES, 1, "more than the interface takes: nothing that large can arrive here" },
	[BELOW] = { "below_mss", UNIT_BYTES, 20, "less than both MSS allow, TCP options apart: the sender knows of a narrower path" },
	[SEGMENTS] = { "segments", UNIT_COUNT, ODD_SEGMENTS, "full segments; fewer are short writes of a program" },
	[FULLNESS] = { "fullness", UNIT_RATIO, 0.9, "of all segments' room is used: bulk data, not messages of one size" },
	[TOO_LARGE] = { "too_large", UNIT_COUNT, 1, "a connection whose MSS is more than the path is known to carry" },
	[VAIN] = { "in_vain", UNIT_COUNT, 3, "messages about size; packets on the way when the first was sent draw one as well" },
	[VAIN_MS] = { "in_vain_for", UNIT_MS, 3000, "from the first of them to the last: longer than packets are on the way" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.9
#define CONFIDENCE_BELOW 0.6
#define SINGLE_FLOW 0.8

/* What both sides let the own side send at most, in bytes of TCP payload; 0 unknown. */
static uint32_t agreed(const struct flow_member *m)
{
	return m->own->has & m->other->has & SIDE_HAS_MSS ? MIN(m->own->mss, m->other->mss) : 0;
}

/* Scanners tell anything: only connections that carried data count. */
static bool is_in_use(const struct flow *flow)
{
	return flow->flags & FLOW_SYN_TO_DATA && flow->state >= FLOW_ESTABLISHED && flow->state != FLOW_REFUSED;
}

/* The rules below speak of what @own told in its SYN. */
static bool keep_small(const struct view *view, struct flow_member *m)
{
	m->key = (struct endpoint){ .addr = m->here.addr };
	return is_in_use(m->flow) && m->own->has & SIDE_HAS_MSS &&
	       m->own->mss < view->values[m->here.addr.family == ADDR_V4 ? SMALL_V4 : SMALL_V6];
}

static bool keep_missing(const struct view *view, struct flow_member *m)
{
	(void)view;
	m->key = (struct endpoint){ .addr = m->here.addr };
	return is_in_use(m->flow) && m->own->has & SIDE_SYN_WITHOUT_MSS;
}

static bool keep_above(const struct view *view, struct flow_member *m)
{
	uint32_t mtu = view->packets->source->mtu;

	m->key = (struct endpoint){ .addr = m->here.addr };
	return is_in_use(m->flow) && mtu && m->own->has & SIDE_HAS_MSS && m->flow->flags & FLOW_LOCAL_KNOWN && m->flow->local_side == m->side &&
	       m->own->mss + addr_tcp_headers(m->here.addr.family) >= mtu + view->values[ABOVE];
}

/* Bulk data in segments that are smaller than both sides allow, and just so that a known tunnel explains it. */
static bool keep_below(const struct view *view, struct flow_member *m)
{
	uint32_t mss = agreed(m), largest = m->own->max_payload, options = m->own->has & m->other->has & SIDE_HAS_TIMESTAMPS ? TCP_TIMESTAMP_BYTES : 0;

	m->key = (struct endpoint){ .addr = m->there.addr };
	if (!mss || !largest || largest + view->values[BELOW] > mss || (m->flow->icmp_errors && m->flow->icmp_class == ICMP_TOO_BIG))
		return false;
	if ((double)m->own->payload < view->values[SEGMENTS] * largest || m->own->payload < m->own->packets * view->values[FULLNESS] * largest)
		return false;
	return mtu_likely(mss + addr_tcp_headers(m->here.addr.family), largest + options + addr_tcp_headers(m->here.addr.family)) != NULL;
}

static bool keep_any(const struct view *view, struct flow_member *m)
{
	return keep_small(view, m) || keep_missing(view, m) || keep_above(view, m) || keep_below(view, m);
}

static void add_evidence(struct finding *f, const struct view *view, const struct flow_member *m)
{
	if (m->own->has & SIDE_HAS_MSS)
		finding_add(f, "mss", m->own->mss, UNIT_BYTES, "SYN");
	if (m->other->has & SIDE_HAS_MSS)
		finding_add(f, "mss_of_other", m->other->mss, UNIT_BYTES, "SYN");
	finding_add(f, "largest_segment", m->own->max_payload, UNIT_BYTES, "packets");
	finding_add(f, "interface_mtu", view->packets->source->mtu, UNIT_BYTES, "interface");
	finding_add(f, "default_mss", m->here.addr.family == ADDR_V4 ? view->values[SMALL_V4] : view->values[SMALL_V6], UNIT_BYTES, "RFC 9293");
	finding_add_text(f, "teller", view_addr_text(view, &m->here.addr), "packets");
	finding_add_text(f, "example", view_addr_text(view, &m->there.addr), "packets");
}

static const char *const next[] = { "tcptriage mtu-probe {example}", "ip route get {example}", "ip -d link", NULL };

static struct finding *start(const struct view *view, struct sink *sink, enum severity severity, double confidence, const struct flow_members *run, enum limit limit)
{
	struct finding *f = sink_finding(sink, severity, flow_confidence(view, confidence));

	f->scope_factor = run->count == 1 ? SINGLE_FLOW : 1;
	finding_flows(f, view, run);
	add_evidence(f, view, run->at);
	f->next = flow_next(view, "host {teller} and tcp", next);
	finding_trust(f, view);
	finding_threshold(f, sink, limit);
	return f;
}

static void file_small(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct finding *f;

	if (!RULE_MAIN(MSS_CLAMP_MISMATCH, run->count > 0))
		return;
	f = start(view, sink, SEVERITY_WARNING, CONFIDENCE, run, run->at->here.addr.family == ADDR_V4 ? SMALL_V4 : SMALL_V6);
	f->title = "{teller} asks for segments of no more than {mss}, less than every path carries";
	f->detail = "{count|connection} · {default_mss} fit everywhere · a clamp that was set too low, or an old device";
}

static void file_missing(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct finding *f;

	if (!RULE_MAIN(MSS_CLAMP_MISMATCH, (double)run->count >= view->values[MISSING]))
		return;
	f = start(view, sink, SEVERITY_INFO, CONFIDENCE, run, MISSING);
	f->title = "{teller} opens connections without an MSS: it gets segments of {default_mss} at most";
	f->detail = "{count|connection} · a middlebox that strips TCP options, or a stack that does not know them";
}

static void file_above(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct finding *f;

	if (!RULE_MAIN(MSS_CLAMP_MISMATCH, run->count > 0))
		return;
	f = start(view, sink, SEVERITY_INFO, CONFIDENCE, run, ABOVE);
	f->title = "{teller} asks for segments of {mss}, more than the interface takes";
	f->detail = "{count|connection} · the interface takes packets of {interface_mtu} · the MSS comes from another interface, a route (advmss), or before a tunnel";
}

static void file_below(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	const struct flow_member *m = run->at;
	uint32_t options = m->own->has & m->other->has & SIDE_HAS_TIMESTAMPS ? TCP_TIMESTAMP_BYTES : 0, most = agreed(m) + addr_tcp_headers(m->here.addr.family);
	struct finding *f;

	if (!RULE_MAIN(MSS_CLAMP_MISMATCH, run->count > 0))
		return;
	f = start(view, sink, SEVERITY_INFO, CONFIDENCE_BELOW, run, BELOW);
	finding_add(f, "packet_size", m->own->max_payload + options + addr_tcp_headers(m->here.addr.family), UNIT_BYTES, "packets");
	finding_add_text(f, "likely", mtu_likely(most, m->own->max_payload + options + addr_tcp_headers(m->here.addr.family)), "rule");
	f->title = "Bulk data to {peer_addr} goes in packets of {packet_size}, less than both sides allow";
	if (!f->scope.has_peer)
		f->title = "Bulk data goes in packets of {packet_size}, less than both sides allow";
	f->detail = "{count|connection} · MSS {mss} and {mss_of_other} · {likely}: the sender knows of a narrower path, the SYNs do not";
	finding_against(f, "a program that writes pieces of one size leaves the same");
}

static bool is_too_large(const struct path_limits *limits, struct flow_member *m)
{
	const struct path_limit *limit = m->flow->protocol == PROTOCOL_TCP ? path_limits_find(limits, m) : NULL;

	m->key = (struct endpoint){ .addr = m->there.addr };
	m->mark = limit && !limit->heard;
	return limit && agreed(m) && agreed(m) + addr_tcp_headers(m->here.addr.family) > limit->mtu;
}

/* Connections whose MSS is more than their path is known to carry. */
static struct flow_members too_large(const struct view *view, const struct path_limits *limits)
{
	const struct packet_evidence *packets = view->packets;
	size_t all = limits->count ? packets->flow_count * 2 : 0, room = 1;
	struct flow_members members = { 0 };

	for (size_t i = 0; i < all; i++) {
		struct flow_member m = flow_member_of(packets->flows[i / 2], (unsigned)(i % 2));

		room += is_too_large(limits, &m);
	}
	members.at = arena_alloc(view->arena, room * sizeof(*members.at));
	for (size_t i = 0; i < all; i++) {
		members.at[members.count] = flow_member_of(packets->flows[i / 2], (unsigned)(i % 2));
		members.count += is_too_large(limits, &members.at[members.count]);
	}
	return members;
}

static void file_too_large(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	const struct path_limit *limit = path_limits_find(sink->own, run->at);
	bool unheard = false;
	struct finding *f;

	for (size_t i = 0; i < run->count; i++)
		unheard |= run->at[i].mark;
	if (!RULE_MAIN(MSS_CLAMP_MISMATCH, (double)run->count >= view->values[TOO_LARGE]))
		return;
	f = start(view, sink, unheard ? SEVERITY_WARNING : SEVERITY_INFO, CONFIDENCE, run, TOO_LARGE);
	finding_add(f, "path_mtu", limit->mtu, UNIT_BYTES, "ICMP, packets never acknowledged");
	finding_add(f, "fitting_mss", limit->mtu > addr_tcp_headers(run->at->here.addr.family) ? limit->mtu - addr_tcp_headers(run->at->here.addr.family) : 0, UNIT_BYTES, "rule");
	f->title = "Nobody limits the MSS towards {peer_addr}: {mss} and {mss_of_other} are told, the path carries {fitting_mss} at most";
	f->detail = unheard ? "{count|connection} · packets of more than {path_mtu} do not get through, and the sender does not learn it: a smaller MSS would keep it from trying" :
			      "{count|connection} · path-MTU discovery works and costs each connection its first large packets: a smaller MSS would spare them";
}

static void eval(const struct view *view, struct sink *sink)
{
	static const struct {
		flow_keep_fn *keep;
		flow_members_file_fn *file;
	} parts[] = { { keep_small, file_small }, { keep_missing, file_missing }, { keep_above, file_above }, { keep_below, file_below } };
	struct path_limits limits = path_limits_of(view, view->values[VAIN], view->values[VAIN_MS]);
	struct flow_members all = flow_members_collect_sides(view, PROTOCOL_TCP, ODD_SIZES, keep_any), members;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		members = flow_members_filter(view, &all, parts[i].keep);
		flow_members_file(view, sink, &members, parts[i].file);
	}
	members = too_large(view, &limits);
	sink->own = &limits;
	flow_members_file(view, sink, &members, file_too_large);
}

static const struct rule_signal reading = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"The MSS stands in the SYN of each side and bounds what the other sends. The rule looks for SYNs that tell none, for values below what every path carries or above what the interface takes, for bulk data in segments smaller than "
		"both sides allow, and for values larger than the path is known to carry, by a packet-too-big message or a proven black hole. Only connections that carried data count.",
	.repro = "a router that sets the MSS to 400 or takes the option away (nft: tcp option maxseg size set 400, reset tcp option maxseg); a path of MTU 1400 without a clamp",
};

const struct rule rule_mss_clamp_mismatch = {
	.id = "mss-clamp-mismatch",
	.title = "The MSS that hosts tell each other does not fit the path",
	.packets = &reading,
	.probes = &probes_mss_clamp_mismatch,
	.explain =
		"Each side of a TCP connection tells in its SYN how large a segment it takes: as a rule the MTU of its interface less 40 bytes, or 60 with IPv6. It knows nothing of the path. Where a tunnel on the way carries less, routers "
		"commonly lower the value in passing SYNs (clamping), which spares both ends path-MTU discovery and hides that its messages may be filtered.\n\n"
		"A clamp can be missing, on one side only, too high or too low. Missing, connections depend on messages that somebody may drop. Too low, all data goes in small packets, which costs throughput and processors. A SYN without "
		"the option means 536 bytes (IPv6: 1220) whatever the path carries.\n\n"
		"It is a hint for who configures tunnels and routers, unless large packets are seen to vanish or the value is absurd.",
	.look_alikes = (const char *const[]){
		"a small MSS that was chosen on purpose, between 536 and 1460: behind a clamp that is how it should be",
		"path-MTU discovery that works: then a missing clamp is info",
		"a scanner whose SYNs tell nothing or nonsense: its connections carry no data",
		"a program that writes messages of one size: only sizes that tunnels are known for are told",
		"loopback and jumbo frames: an MSS of 8960 or 65495 is theirs",
		NULL },
	.causes = (const char *const[]){
		"no clamp on the router of a tunnel, VPN or PPPoE link, or in one direction only",
		"a clamp with a number that belongs to another link",
		"a middlebox that strips or rewrites TCP options",
		"advmss on a route, or TCP_MAXSEG in the program",
		NULL },
	.next = (const char *const[]){
		"tcptriage mtu-probe {target}",
		"tcptriage capture -i any --duration 30 'tcp[13] & 2 != 0'",
		"ip route get {example}",
		"tcptriage states -i dst {example}",
		"ip -d link",
		NULL },
	.fixes = (const char *const[]){
		"clamp the MSS to the path MTU on the tunnel's router, in both directions (nft: tcp option maxseg size set rt mtu)",
		"or set the MTU of the interface or route to what the path carries: the MSS follows it",
		"let ICMP type 3 code 4 and ICMPv6 packet too big pass all the same",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.7.1", "RFC 1122 §4.2.2.6", "RFC 2923 §2.3", "RFC 6691 §2",
				       "net/ipv4/tcp_output.c (tcp_advertise_mss)", "net/netfilter/xt_TCPMSS.c (tcpmss_mangle_packet)", NULL },
	.repro = "a router that sets the MSS to 400 or takes the option away; a path of MTU 1400 without a clamp",
};
