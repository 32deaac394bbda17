/* SPDX-License-Identifier: MIT */
/* ip-fragmentation: datagrams travel in fragments, and some of these do not arrive. */
#include "../flow_kit.h"

enum limit {
	LOST,
	LOST_SHARE,
	CRIT_LOST,
	CRIT_SHARE,
};

static const struct threshold thresholds[] = {
	[LOST] = { "lost", UNIT_COUNT, 3, "datagrams; one or two may have met the end of the capture, or an accident" },
	[LOST_SHARE] = { "lost_share", UNIT_PERCENT, 1, "of the datagrams in fragments: each fragment that is lost costs the whole datagram" },
	[CRIT_LOST] = { "critical_lost", UNIT_COUNT, 10, "a share of fewer says nothing" },
	[CRIT_SHARE] = { "critical_share", UNIT_PERCENT, 10, "what is sent in fragments does not work any more" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.85

/** struct tally - @incomplete datagrams, kept in detail; @first_only: of these only the first fragment came. @gave_up: told by receivers. */
struct tally {
	const struct packet_evidence *packets;
	uint64_t lost, incomplete, first_only, headless, overlaps, gave_up, destinations;
	struct addr src, dst;
	int64_t first_ns;
	uint32_t largest;
	uint8_t protocol;
};

static void note_destination(struct tally *t, const struct addr *src, const struct addr *dst, int64_t first_ns)
{
	if (!t->destinations || !addr_equal(&t->dst, dst))
		t->destinations = MIN(t->destinations + 1, 2);
	if (t->destinations == 1) {
		t->src = *src;
		t->dst = *dst;
	}
	t->first_ns = t->first_ns ? MIN(t->first_ns, first_ns) : first_ns;
}

static void add_train(struct tally *t, const struct fragment_train *train)
{
	t->incomplete++;
	t->first_only += train->has_first && train->fragments == 1;
	t->headless += !train->has_first;
	t->overlaps += train->overlaps;
	t->largest = MAX(t->largest, MAX(train->got, train->total));
	t->protocol = train->protocol;
	note_destination(t, &train->src, &train->dst, train->first_ns);
}

/* A receiver that waited in vain says so: the sender's capture shows nothing else of it. */
static void add_report(struct tally *t, const struct icmp_report *report)
{
	if (report->class != ICMP_REASSEMBLY_EXCEEDED)
		return;
	t->gave_up += report->count;
	t->protocol = report->protocol;
	note_destination(t, &report->src.addr, &report->dst.addr, report->first_ns);
}

static struct tally tally_of(const struct view *view)
{
	struct tally t = { .packets = view->packets };

	for (size_t i = 0; i < view->packets->train_count; i++)
		add_train(&t, &view->packets->trains[i]);
	for (size_t i = 0; i < view->packets->report_count; i++)
		add_report(&t, &view->packets->reports[i]);
	t.lost = MAX(view->packets->totals->trains_lost, t.gave_up);
	return t;
}

static double share(const struct tally *t)
{
	uint64_t all = MAX(t->packets->totals->trains, t->lost);

	return all ? 100 * (double)t->lost / (double)all : 0;
}

static bool is_fault(const struct view *view, const struct tally *t)
{
	return (double)t->lost >= view->values[LOST] && share(t) >= view->values[LOST_SHARE];
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	*limit = CRIT_SHARE;
	if ((double)t->lost >= view->values[CRIT_LOST] && share(t) >= view->values[CRIT_SHARE])
		return SEVERITY_CRITICAL;
	*limit = LOST_SHARE;
	return SEVERITY_WARNING;
}

/* What is missing tells who took it. */
static const char *reading_of(const struct tally *t)
{
	if (t->incomplete && t->first_only == t->incomplete)
		return "only first fragments come: something on the way drops those behind them, which carry no ports";
	if (t->incomplete && t->headless == t->incomplete)
		return "the first fragments are missing: a filter that judges by ports took them, or they went another way";
	if (!t->incomplete)
		return "told by the receiver, which waited in vain for the rest";
	return "fragments are missing here and there, as loss would have it";
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct capture_totals *totals = view->packets->totals;
	const char *protocol = flow_protocol_name(t->protocol);

	finding_add(f, "lost", (double)t->lost, UNIT_COUNT, "fragments");
	finding_add(f, "share", share(t), UNIT_PERCENT, "fragments");
	finding_add(f, "datagrams", (double)MAX(totals->trains, t->lost), UNIT_COUNT, "fragments");
	finding_add(f, "fragments", (double)totals->fragments, UNIT_COUNT, "packets");
	finding_add(f, "first_only", (double)t->first_only, UNIT_COUNT, "fragments");
	finding_add(f, "without_first", (double)t->headless, UNIT_COUNT, "fragments");
	finding_add(f, "overlapping", (double)t->overlaps, UNIT_COUNT, "fragments");
	finding_add(f, "given_up", (double)t->gave_up, UNIT_COUNT, "ICMP");
	finding_add(f, "not_followed", (double)totals->trains_dropped, UNIT_COUNT, "fragments");
	finding_add(f, "largest", t->largest, UNIT_BYTES, "fragments");
	finding_add_text(f, "protocol", protocol ? protocol : "another protocol", "fragments");
	finding_add(f, "began", (double)MAX(t->first_ns - totals->first_ns, 0) / 1e6, UNIT_MS, "packets");
	finding_add_text(f, "reading", reading_of(t), "rule");
	finding_add_text(f, "example", view_addr_text(view, &t->dst), "packets");
}

static const char *const next[] = { "nstat -az IpReasmFails IpReasmTimeout Ip6ReasmFails", "ip route get {example}", NULL };

static void file(const struct view *view, struct sink *sink, const struct tally *t)
{
	enum limit limit;
	enum severity severity = judge(view, t, &limit);
	struct finding *f = sink_finding(sink, severity, flow_confidence(view, CONFIDENCE));

	f->count = t->lost;
	if (t->destinations == 1) {
		finding_peer(f, &(struct endpoint){ .addr = t->dst });
		finding_local(f, &(struct endpoint){ .addr = t->src });
	}
	add_evidence(f, view, t);
	f->next = flow_next(view, "ip[6:2] & 0x3fff != 0 or ip6 proto 44", view->packets->source->live ? next : NULL);
	f->title = t->destinations == 1 ? "{share} of the datagrams in fragments to {peer_addr} do not arrive whole" :
					  "{share} of the datagrams in fragments do not arrive whole";
	f->detail = "{lost} of {datagrams|datagram}, {protocol}, up to {largest} · {reading} · began {began} into the capture";
	if (!t->largest)
		f->detail = "{lost} of {datagrams|datagram}, {protocol} · {reading} · began {began} into the capture";
	if (t->overlaps)
		finding_against(f, "{overlapping|datagram} came in fragments that overlap: a broken sender or an attack, whose datagrams nobody misses");
	finding_trust(f, view);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct tally t = tally_of(view);

	if (RULE_MAIN(IP_FRAGMENTATION, is_fault(view, &t)))
		file(view, sink, &t);
	else if (t.lost)
		sink_near_miss(sink, "datagrams whose fragments did not all come", (double)t.lost, LOST);
}

static const struct rule_signal reading = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"Fragments are put together by their id. A datagram counts as lost when its fragments have not all come within the time that a receiver waits (30 s for IPv4, 60 s for IPv6), or when none has come for a second at the "
		"end of the capture; a receiver that gives up and says so (ICMP, reassembly time exceeded) counts as well. Which fragments are missing tells more: when only first ones come, a device on the way drops the rest.",
	.repro = "UDP datagrams of 6000 bytes through a router that drops every fragment but the first",
};

const struct rule rule_ip_fragmentation = {
	.id = "ip-fragmentation",
	.title = "Datagrams travel in fragments, and some do not arrive whole",
	.packets = &reading,
	.explain =
		"A datagram that is larger than the path is cut into fragments, by its sender or, in IPv4, by a router. The receiver has to have all of them: one that is missing costs the whole datagram, and nobody sends it again. Only "
		"the first fragment carries the ports, so firewalls, NATs and load balancers that judge by ports drop the others, or send them to another machine.\n\n"
		"What it looks like from outside: small answers work, large ones never come. DNS with large records, RADIUS, SIP, IKE with certificates and NFS over UDP are the usual victims. The rule counts datagrams that came in "
		"fragments and those that did not become whole; fragments that all arrive are nobody's fault and are not reported.\n\n"
		"Where fragments are lost under load it may be the 16-bit id as well: at some thousand datagrams a second it comes round within the time that a receiver waits, and fragments of different datagrams meet.",
	.look_alikes = (const char *const[]){
		"datagrams in fragments that all arrive (NFS over UDP on a clean network)",
		"a capture that drops packets: see capture-quality",
		"datagrams that were under way when the capture began or ended: they are left out",
		"scanners that send odd fragments: they overlap, which is told",
		NULL },
	.causes = (const char *const[]){
		"a firewall, NAT or load balancer drops fragments that carry no ports",
		"equal-cost paths or a load balancer send fragments of one datagram to different machines",
		"loss, which fragments multiply: of six fragments each must arrive",
		"ids that come round too soon at a high rate",
		NULL },
	.next = (const char *const[]){
		"tcptriage capture -i any --duration 30 'ip[6:2] & 0x3fff != 0 or ip6 proto 44'",
		"nstat -az IpReasmFails IpReasmTimeout Ip6ReasmFails",
		"ip route get {example}",
		NULL },
	.fixes = (const char *const[]){
		"send no datagram larger than the path carries: 1232 bytes of payload for DNS (EDNS buffer size), or TCP for large answers",
		"set the MTU of tunnels so that they need not fragment",
		"let firewalls reassemble or pass fragments of known flows",
		"never rely on fragments across networks of others",
		NULL },
	.refs = (const char *const[]){ "RFC 8900 §3", "RFC 8085 §3.2", "RFC 791 §3.2", "RFC 8200 §4.5", "RFC 1122 §3.3.2",
				       "Documentation/networking/ip-sysctl.rst (ipfrag_time)", "net/ipv4/ip_fragment.c (ip_expire)", NULL },
	.repro = "UDP datagrams of 6000 bytes through a router that drops every fragment but the first",
};
