/* SPDX-License-Identifier: MIT */
/* syn-local-stuck from probes: this host did not get the packet onto the wire. */
#include "../dead_end.h"
#include "../probes.h"

enum limit {
	REFUSED,
};

static const struct threshold thresholds[] = {
	[REFUSED] = { "probe_refused", UNIT_COUNT, 1, "the kernel's own answer to our own packet is the fact itself" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.97
/* Of an error that has several meanings. */
#define CONFIDENCE_VAGUE 0.8

static const struct story {
	double confidence;
	const char *title, *detail;
	const char *const *causes, *const *next, *const *fixes;
} stories[DEAD_END_KIND_COUNT] = {
	[DEAD_END_NEXT_HOP] = { CONFIDENCE, "Packets to {peer} do not leave this host: the next hop does not answer", "{route} · nobody answers ARP or neighbour discovery for it ({why})",
				(const char *const[]){ "the host, or the gateway, is down or has another address", "a wrong netmask: this host believes that a distant address is on its own link", "the wrong VLAN, bridge port or cable",
						       NULL },
				(const char *const[]){ "ip neigh show", "ip route get {peer_addr}", NULL },
				(const char *const[]){ "bring the next hop up, or correct its address in the route", "correct the netmask of the interface", "connect the interface to the right VLAN or bridge", NULL } },
	[DEAD_END_OWN_FILTER] = { CONFIDENCE, "This host's own firewall does not let packets to {peer} out", "{route} · the kernel refuses to send: {why}",
				  (const char *const[]){ "a rule of nftables or iptables in the output path", "a BPF program of the control group or a security module", NULL },
				  (const char *const[]){ "nft list ruleset", "ip route get {peer_addr}", NULL }, (const char *const[]){ "allow the destination in the output chain, or in the policy of the control group", NULL } },
	[DEAD_END_LINK_DOWN] = { CONFIDENCE, "Packets to {peer} do not leave this host: the interface is down", "{route} · the kernel refuses to send: {why}",
				 (const char *const[]){ "the interface was set down, or its driver or tunnel is not up", NULL }, (const char *const[]){ "ip -d link", "ip route get {peer_addr}", NULL },
				 (const char *const[]){ "bring the interface up (ip link set dev IFACE up)", NULL } },
	[DEAD_END_OTHER_ERROR] = { CONFIDENCE_VAGUE, "This host does not send packets to {peer}: {why}", "{route} · the kernel refuses to send",
				   (const char *const[]){ "what the error names: buffers, the interface, or a policy of this host", NULL }, (const char *const[]){ "ip route get {peer_addr}", "ip -s link", NULL },
				   (const char *const[]){ "mend what the error names, and probe again", NULL } },
};

static void describe(struct finding *f, const struct dead_end *end)
{
	const struct story *story = &stories[end->kind];

	finding_add_text(f, "why", finding_evidence(f, end->error ? "error" : "reason")->text, "rule");
	f->title = story->title;
	f->detail = story->detail;
	f->causes = story->causes;
	f->next = story->next;
	f->fixes = story->fixes;
}

static void eval(const struct view *view, struct sink *sink)
{
	struct dead_end end = dead_end_of(view);
	bool gateway;
	struct finding *f;

	if (!RULE_MAIN(PROBES_SYN_LOCAL_STUCK, stories[end.kind].title))
		return;
	gateway = end.kind == DEAD_END_NEXT_HOP && end.probed.route->is_default;
	f = sink_finding(sink, gateway ? SEVERITY_CRITICAL : SEVERITY_WARNING, probe_confidence(stories[end.kind].confidence, NULL, 0));
	finding_dead_end(f, view, &end);
	describe(f, &end);
	if (gateway)
		f->title = "Packets to {peer} do not leave this host: the default gateway does not answer";
	finding_threshold(f, sink, REFUSED);
}

const struct rule_signal probes_syn_local_stuck = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"A probe tells at once what a socket shows only while it stands: the kernel's own error. A next hop that nobody answers for becomes 'no route to host' after three requests, which the kernel reports to itself; this host's "
		"firewall, and an interface that is down, have errors of their own. Where the next hop is the default gateway it is critical, for nothing leaves this network.",
	.repro = "tcptriage trace to an unused address of the host's own network",
};
