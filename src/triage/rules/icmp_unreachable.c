/* SPDX-License-Identifier: MIT */
/* icmp-unreachable: somebody says that a destination cannot be reached, or must not be. */
#include <stdlib.h>

#include "../icmp_reports.h"
#include "../probes.h"

enum limit {
	RATE,
};

static const struct threshold thresholds[] = {
	[RATE] = { "messages", UNIT_PER_MIN, 5, "from one reporter; single ones are late packets and scanners" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.9

/** struct tally - what one reporter says. @worst: the report with most messages. */
struct tally {
	const struct icmp_report *worst;
	uint64_t messages, destinations, without_flow;
	double per_min;
	int64_t first_ns, last_ns;
	bool one_code, about_us;
};

static bool concerns(const struct icmp_report *report)
{
	return report->class == ICMP_UNREACHABLE || report->class == ICMP_PROHIBITED || report->class == ICMP_PROTOCOL_UNREACHABLE;
}

static int by_reporter(const void *left, const void *right)
{
	const struct icmp_report *a = *(const struct icmp_report *const *)left, *b = *(const struct icmp_report *const *)right;
	int order = addr_compare(&a->reporter, &b->reporter);

	return order ? order : addr_compare(&a->dst.addr, &b->dst.addr);
}

static struct tally tally_of(const struct view *view, const struct icmp_report *const *at, size_t count)
{
	const struct capture_totals *totals = view->packets->totals;
	struct tally t = { .worst = at[0], .one_code = true, .first_ns = at[0]->first_ns };

	for (size_t i = 0; i < count; i++) {
		const struct icmp_report *r = at[i];

		t.messages += icmp_reports_count(r);
		t.without_flow += r->flow_number ? 0 : icmp_reports_count(r);
		t.destinations += !i || !addr_equal(&r->dst.addr, &at[i - 1]->dst.addr);
		t.one_code &= r->type == at[0]->type && r->code == at[0]->code;
		t.about_us |= icmp_reports_about_us(view, r);
		t.first_ns = MIN(t.first_ns, r->first_ns);
		t.last_ns = MAX(t.last_ns, r->last_ns);
		if (icmp_reports_count(r) > icmp_reports_count(t.worst))
			t.worst = r;
	}
	/* a minute at least: a handful at once is one attempt and its repetitions */
	t.per_min = (double)t.messages / MAX((double)(totals->last_ns - totals->first_ns) / 60e9, 1);
	return t;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct icmp_report *r = t->worst;
	const char *protocol = flow_protocol_name(r->protocol);

	finding_add(f, "messages", (double)t->messages, UNIT_COUNT, "ICMP");
	finding_add(f, "messages_per_minute", t->per_min, UNIT_PER_MIN, "ICMP");
	finding_add(f, "destinations", (double)t->destinations, UNIT_COUNT, "ICMP");
	finding_add(f, "without_flow", (double)t->without_flow, UNIT_COUNT, "ICMP");
	finding_add(f, "type", r->type, UNIT_NONE, "ICMP");
	finding_add(f, "code", r->code, UNIT_NONE, "ICMP");
	finding_add_text(f, "what", icmp_reports_text(r), "ICMP");
	finding_add_text(f, "reporter", view_addr_text(view, &r->reporter), "ICMP");
	finding_add_text(f, "sender", view_addr_text(view, &r->src.addr), "packet quoted");
	finding_add_text(f, "example", view_addr_text(view, &r->dst.addr), "packet quoted");
	finding_add_text(f, "protocol", protocol ? protocol : "another protocol", "packet quoted");
	finding_add(f, "began", (double)MAX(t->first_ns - view->packets->totals->first_ns, 0) / 1e6, UNIT_MS, "ICMP");
	finding_add(f, "lasted", (double)MAX(t->last_ns - t->first_ns, 0) / 1e6, UNIT_MS, "ICMP");
	finding_address_class(f, &r->dst.addr);
}

static const char *const next[] = { "tcptriage mtu-probe --hops {example}", "ip route get {example}", "ip neigh show {example}", NULL };

static const char *const filter_causes[] = {
	"a firewall or an access list rejects it",
	"a security policy of the destination's network",
	NULL,
};

static const char *const filter_fixes[] = {
	"allow it in the filter of the reporter, or stop the program from asking",
	NULL,
};

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	f->title = t->destinations == 1 ? "{reporter} says of {peer_addr}: {what}" : "{reporter} says of {destinations|destination}: {what}";
	f->detail = "{messages|message}, {messages_per_minute} · packets of {sender} ({protocol}) to {example}, {address_class} · began {began} into the capture, went on for {lasted}";
	f->next = flow_next(view, "icmp or icmp6 or host {example}", next);
	if (t->worst->class == ICMP_PROHIBITED) {
		f->causes = filter_causes;
		f->fixes = filter_fixes;
	}
}

static void add_doubts(struct finding *f, const struct tally *t)
{
	if (!t->one_code)
		finding_against(f, "not all of its messages say the same: this is the reason in most of them");
	if (t->without_flow)
		finding_against(f, "{without_flow} of them quote packets that this capture does not hold: such a message may be forged");
	if (!t->about_us)
		finding_against(f, "the packets came to this machine or its network from outside: scanners draw such answers all the time");
}

static void file_run(const struct view *view, struct sink *sink, const struct icmp_report *const *at, size_t count)
{
	struct tally t = tally_of(view, at, count);
	struct finding *f;

	if (!RULE_MAIN(ICMP_UNREACHABLE, t.per_min >= view->values[RATE])) {
		sink_near_miss(sink, "unreachable messages a minute of one reporter", t.per_min, RATE);
		return;
	}
	f = sink_finding(sink, t.about_us ? SEVERITY_WARNING : SEVERITY_INFO, flow_confidence(view, CONFIDENCE));
	f->count = t.messages;
	if (t.destinations == 1)
		finding_peer(f, &(struct endpoint){ .addr = t.worst->dst.addr });
	add_evidence(f, view, &t);
	describe(f, view, &t);
	add_doubts(f, &t);
	finding_trust(f, view);
	finding_threshold(f, sink, RATE);
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct packet_evidence *packets = view->packets;
	const struct icmp_report **told = arena_alloc(view->arena, (packets->report_count + 1) * sizeof(*told));
	size_t all = 0;

	for (size_t i = 0; i < packets->report_count; i++) {
		if (concerns(&packets->reports[i]) && icmp_reports_count(&packets->reports[i]))
			told[all++] = &packets->reports[i];
	}
	if (all)
		qsort(told, all, sizeof(*told), by_reporter);
	for (size_t i = 0, count; i < all; i += count) {
		for (count = 1; i + count < all && addr_equal(&told[i]->reporter, &told[i + count]->reporter);)
			count++;
		file_run(view, sink, &told[i], count);
	}
	if (packets->totals->reports_lost)
		sink_skip_part(sink, "more different ICMP errors than are kept apart: the rest was counted only");
}

static const struct rule_signal reading = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"Each ICMP error quotes the packet that drew it. The rule counts those that say unreachable, prohibited or unknown protocol, a reporter at a time; ports that are closed, packets that are too big, and what a ping or a "
		"traceroute draws are left to others. A rate of five a minute is a fault that goes on, not one late packet.",
	.repro = "a router with an unreachable or prohibit route for a destination that a program asks again and again",
};

const struct rule rule_icmp_unreachable = {
	.id = "icmp-unreachable",
	.title = "Routers or hosts report that a destination cannot be reached",
	.packets = &reading,
	.probes = &probes_icmp_unreachable,
	.explain =
		"A router that has no way for a packet, or a filter that rejects it, says so to the sender: ICMP destination unreachable, with a code that tells why. A TCP connection attempt fails at once on it; an established "
		"connection takes it for a passing trouble and goes on repeating, so that a program sees silence while the reason is on the wire.\n\n"
		"Who says it matters as much as what is said: the first router means that this network has no route, a far one that the other network has none, the destination's own firewall that it is a matter of policy. A private "
		"address behind a router of a provider is a route that leads out where it should lead into a tunnel.\n\n"
		"What is not here: 'port unreachable', which is a program that does not listen (udp-unreachable), and 'too big', which is path-MTU discovery (pmtu-shrunk).",
	.look_alikes = (const char *const[]){
		"port unreachable: nobody listens; see udp-unreachable",
		"fragmentation needed: the path is narrower; see pmtu-shrunk",
		"single messages: late packets of connections that are gone",
		"answers to scanners: their packets come from outside, and then it is info",
		"a traceroute or ping that somebody runs",
		NULL },
	.causes = (const char *const[]){
		"a route is missing, or a link behind the reporter is down",
		"the destination does not answer ARP or neighbour discovery: it is off, or its address has moved",
		"traffic for a private network leaves by the default route instead of a tunnel",
		"a route of type unreachable or prohibit stands for a tunnel that is down",
		NULL },
	.next = (const char *const[]){
		"tcptriage trace {service}",
		"ip route get {example}",
		"tcptriage capture -i any --duration 30 'icmp or icmp6'",
		"ip neigh show {example}",
		NULL },
	.fixes = (const char *const[]){
		"mend the route at the reporter, or bring the link or the host behind it up",
		"route private networks into their tunnel",
		NULL },
	.refs = (const char *const[]){ "RFC 1122 §3.2.2.1", "RFC 1122 §4.2.3.9", "RFC 1812 §5.2.7.1", "RFC 4443 §3.1", "RFC 5927 §5",
				       "net/ipv4/icmp.c (icmp_unreach)", "net/ipv4/tcp_ipv4.c (tcp_v4_err)", NULL },
	.repro = "a router with an unreachable or prohibit route for a destination that a program asks again and again",
};
