/* SPDX-License-Identifier: MIT */
/* ttl-exceeded: packets run in circles, or die of their TTL on the way. */
#include <stdlib.h>

#include "../icmp_reports.h"
#include "../probes.h"

enum limit {
	PASSES,
	MESSAGES,
	TRACE_HOPS,
	TRACE_TTL,
};

static const struct threshold thresholds[] = {
	[PASSES] = { "passes", UNIT_COUNT, 4, "of the same packet, each with a lower TTL; a router that is captured on both sides shows two" },
	[MESSAGES] = { "messages", UNIT_COUNT, 1, "about a connection that is in use; none is normal" },
	[TRACE_HOPS] = { "trace_hops", UNIT_COUNT, 3, "different routers that complain about one destination: somebody traces the path" },
	[TRACE_TTL] = { "trace_ttl", UNIT_COUNT, 32, "systems begin with 64, 128 or 255, and no path has so many hops that less is left; a trace begins with 1" },
	{ NULL, UNIT_NONE, 0, NULL },
};

static const char *const next[] = { "tcptriage mtu-probe --hops {example}", "ip route get {example}", "ip route show table all", NULL };

#define CONFIDENCE_LOOP 0.95
#define CONFIDENCE_EXCEEDED 0.85

/** struct tally - time-exceeded messages about one destination. */
struct tally {
	const struct icmp_report *worst;
	const struct flow *flow;
	uint64_t messages, reporters;
	int64_t first_ns, last_ns;
};

static int by_ends(const void *left, const void *right)
{
	const struct loop_report *a = left, *b = right;
	int order = addr_compare(&a->dst, &b->dst);

	return order ? order : (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
}

static void file_loop(const struct view *view, struct sink *sink, const struct loop_report *at, size_t count)
{
	const struct loop_report *worst = at;
	const char *protocol;
	struct finding *f;

	for (size_t i = 1; i < count; i++)
		worst = at[i].count > worst->count ? &at[i] : worst;
	if (!RULE_MAIN(TTL_EXCEEDED, worst->count >= view->values[PASSES]))
		return;
	f = sink_finding(sink, SEVERITY_CRITICAL, flow_confidence(view, CONFIDENCE_LOOP));
	f->count = count;
	finding_peer(f, &(struct endpoint){ .addr = worst->dst });
	protocol = flow_protocol_name(worst->protocol);
	finding_add(f, "looping", (double)count, UNIT_COUNT, "packets");
	finding_add(f, "passes", worst->count, UNIT_COUNT, "IP ids and TTL");
	finding_add(f, "ttl_step", worst->step, UNIT_NONE, "IP ids and TTL");
	finding_add(f, "ttl_first", worst->ttl_first, UNIT_NONE, "packets");
	finding_add(f, "ttl_last", worst->ttl_last, UNIT_NONE, "packets");
	finding_add_text(f, "protocol", protocol ? protocol : "another protocol", "packets");
	finding_add_text(f, "sender", view_addr_text(view, &worst->src), "packets");
	finding_add_text(f, "example", view_addr_text(view, &worst->dst), "packets");
	finding_add(f, "began", (double)MAX(at->first_ns - view->packets->totals->first_ns, 0) / 1e6, UNIT_MS, "packets");
	finding_address_class(f, &worst->dst);
	f->next = flow_next(view, "host {example}", next);
	f->title = "Routing loop: packets to {peer_addr} come by again and again with a lower TTL";
	f->detail = "{looping|packet} · one came by {passes} times, TTL {ttl_first} to {ttl_last}, less by {ttl_step} each time · from {sender}, {protocol} · began {began} into the capture";
	finding_trust(f, view);
	finding_threshold(f, sink, PASSES);
}

static void judge_loops(const struct view *view, struct sink *sink)
{
	const struct packet_evidence *packets = view->packets;
	struct loop_report *loops = arena_alloc(view->arena, (packets->loop_count + 1) * sizeof(*loops));

	for (size_t i = 0; i < packets->loop_count; i++)
		loops[i] = packets->loops[i];
	if (packets->loop_count)
		qsort(loops, packets->loop_count, sizeof(*loops), by_ends);
	for (size_t i = 0, count; i < packets->loop_count; i += count) {
		for (count = 1; i + count < packets->loop_count && addr_equal(&loops[i].dst, &loops[i + count].dst);)
			count++;
		file_loop(view, sink, &loops[i], count);
	}
}

static int by_destination(const void *left, const void *right)
{
	const struct icmp_report *a = *(const struct icmp_report *const *)left, *b = *(const struct icmp_report *const *)right;
	int order = addr_compare(&a->dst.addr, &b->dst.addr);

	return order ? order : addr_compare(&a->reporter, &b->reporter);
}

static const struct flow_side *sender_of(const struct icmp_report *report, const struct flow *flow)
{
	return &flow->side[!addr_equal(&flow->end[0].addr, &report->src.addr)];
}

/* What was sent with so few hops left was sent to find out who complains, unless it is a connection that carries data. */
static bool is_probe(const struct view *view, const struct icmp_report *report, const struct flow *flow)
{
	const struct flow_side *sender = sender_of(report, flow);

	if (flow->protocol == PROTOCOL_TCP && flow->state != FLOW_SYN_SENT && flow->state != FLOW_REFUSED)
		return false;
	if (flow->protocol == PROTOCOL_UDP && flow->answered)
		return false;
	return sender->ttl_min < view->values[TRACE_TTL];
}

static bool is_in_loop(const struct view *view, const struct addr *dst)
{
	for (size_t i = 0; i < view->packets->loop_count; i++) {
		const struct loop_report *loop = &view->packets->loops[i];

		if (loop->count >= view->values[PASSES] && addr_equal(&loop->dst, dst))
			return true;
	}
	return false;
}

static struct tally tally_of(const struct view *view, const struct icmp_report *const *at, size_t count)
{
	struct tally t = { .worst = at[0], .first_ns = at[0]->first_ns };

	for (size_t i = 0; i < count; i++) {
		const struct icmp_report *r = at[i];
		const struct flow *flow = icmp_reports_flow(view, r);

		t.reporters += !i || !addr_equal(&r->reporter, &at[i - 1]->reporter);
		if (!flow || is_probe(view, r, flow))
			continue;
		t.messages += icmp_reports_count(r);
		t.first_ns = MIN(t.first_ns, r->first_ns);
		t.last_ns = MAX(t.last_ns, r->last_ns);
		if (!t.flow || icmp_reports_count(r) > icmp_reports_count(t.worst)) {
			t.worst = r;
			t.flow = flow;
		}
	}
	return t;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	finding_add(f, "messages", (double)t->messages, UNIT_COUNT, "ICMP");
	finding_add(f, "reporters", (double)t->reporters, UNIT_COUNT, "ICMP");
	finding_add(f, "ttl", sender_of(t->worst, t->flow)->ttl_min, UNIT_NONE, "packets");
	finding_add_text(f, "reporter", view_addr_text(view, &t->worst->reporter), "ICMP");
	finding_add_text(f, "sender", view_addr_text(view, &t->worst->src.addr), "packet quoted");
	finding_add_text(f, "example", view_addr_text(view, &t->worst->dst.addr), "packet quoted");
	finding_add(f, "began", (double)MAX(t->first_ns - view->packets->totals->first_ns, 0) / 1e6, UNIT_MS, "ICMP");
	finding_add(f, "lasted", (double)MAX(t->last_ns - t->first_ns, 0) / 1e6, UNIT_MS, "ICMP");
	finding_address_class(f, &t->worst->dst.addr);
}

static void file_exceeded(const struct view *view, struct sink *sink, const struct icmp_report *const *at, size_t count)
{
	static const char *const low_causes[] = { "the sender begins with too small a TTL: a setting (IP_TTL, net.ipv4.ip_default_ttl), or a program that talks to its neighbours only", NULL };
	struct tally t = tally_of(view, at, count);
	struct finding *f;

	if (!RULE_MAIN(TTL_EXCEEDED, t.flow && (double)t.messages >= view->values[MESSAGES] && (double)t.reporters < view->values[TRACE_HOPS]))
		return;
	f = sink_finding(sink, SEVERITY_WARNING, flow_confidence(view, CONFIDENCE_EXCEEDED));
	f->count = t.messages;
	finding_peer(f, &t.flow->end[addr_equal(&t.flow->end[1].addr, &t.worst->dst.addr)]);
	add_evidence(f, view, &t);
	f->next = flow_next(view, "host {example} or icmp or icmp6", next);
	f->title = "Packets to {peer} die of their TTL at {reporter}";
	f->detail = "{messages|message} of {reporters|router} · sent by {sender} with TTL {ttl} where they were captured · began {began} into the capture, went on for {lasted}";
	if (sender_of(t.worst, t.flow)->ttl_min < view->values[TRACE_TTL])
		f->causes = low_causes;
	finding_against(f, "a tool that traces the path of this very connection (tcptraceroute, a paris-traceroute) draws such messages as well");
	finding_trust(f, view);
	finding_threshold(f, sink, MESSAGES);
}

static bool concerns(const struct icmp_report *report)
{
	return report->class == ICMP_TIME_EXCEEDED && icmp_reports_count(report) && addr_class(&report->dst.addr) != ADDR_CLASS_MULTICAST;
}

static void judge_messages(const struct view *view, struct sink *sink)
{
	const struct packet_evidence *packets = view->packets;
	const struct icmp_report **told = arena_alloc(view->arena, (packets->report_count + 1) * sizeof(*told));
	size_t all = 0;

	for (size_t i = 0; i < packets->report_count; i++) {
		if (concerns(&packets->reports[i]) && !is_in_loop(view, &packets->reports[i].dst.addr))
			told[all++] = &packets->reports[i];
	}
	if (all)
		qsort(told, all, sizeof(*told), by_destination);
	for (size_t i = 0, count; i < all; i += count) {
		for (count = 1; i + count < all && addr_equal(&told[i]->dst.addr, &told[i + count]->dst.addr);)
			count++;
		file_exceeded(view, sink, &told[i], count);
	}
}

static void eval(const struct view *view, struct sink *sink)
{
	judge_loops(view, sink);
	judge_messages(view, sink);
}

static const struct rule_signal reading = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"A packet that comes by again with a lower TTL, the same in all else, is in a loop: four passes prove it, since a router that is captured on both sides shows two. A time-exceeded message that quotes a connection in use is "
		"the same seen from the sender. What a traceroute draws is left out: pings and its UDP ports, packets that start with few hops, and destinations about which three routers complain.",
	.repro = "two routers that have their default route at each other, and a destination that neither knows",
};

const struct rule rule_ttl_exceeded = {
	.id = "ttl-exceeded",
	.title = "Packets run in circles or die of their TTL",
	.packets = &reading,
	.probes = &probes_ttl_exceeded,
	.explain =
		"Every router takes one from the TTL (IPv6: hop limit) of a packet, and the one that takes the last throws it away and says so: ICMP time exceeded. Systems begin with 64, 128 or 255 and paths have some thirty hops at most, so it "
		"does not happen on a path that is right. It happens in a loop: two routers each take the other for the way to a destination, and a packet goes to and fro until its TTL is used up. A loop multiplies traffic by the number "
		"of rounds, and the destination is gone.\n\n"
		"Loops come with routes that were withdrawn on one side only, with a summary route that covers more than exists behind it, with a default route that leads back, and for seconds whenever routing converges.\n\n"
		"A traceroute draws the same messages on purpose.",
	.look_alikes = (const char *const[]){
		"a traceroute or mtr that somebody runs",
		"a router captured on both sides (-i any): each packet twice, the second time with a TTL less by one",
		"reassembly time exceeded, which is about fragments: see ip-fragmentation",
		"multicast, which begins with TTL 1 so that it does not leave the network",
		NULL },
	.causes = (const char *const[]){
		"two routers point at each other for this destination: a default route against a missing or withdrawn one",
		"a summary route without a discard route for what does not exist behind it",
		"routing that converges: then it ends within seconds",
		"a sender that begins with too small a TTL",
		NULL },
	.next = (const char *const[]){
		"tcptriage trace {service}",
		"ip route get {example}",
		"tcptriage capture -i any --duration 10 host {example}",
		"ip route show table all",
		NULL },
	.fixes = (const char *const[]){
		"mend the route on the router where the packets turn round",
		"a blackhole or unreachable route for the part of a summary that does not exist",
		"a TTL of 64 at the sender",
		NULL },
	.refs = (const char *const[]){ "RFC 791 §3.2", "RFC 1122 §3.2.1.7", "RFC 1122 §3.2.2.4", "RFC 1812 §5.3.1", "RFC 4443 §3.3",
				       "net/ipv4/ip_forward.c (ip_forward)", NULL },
	.repro = "two routers that have their default route at each other, and a destination that neither knows",
};
