/* SPDX-License-Identifier: MIT */
/* connect-refused from probes: our SYN is refused, and by whom as far as that can be told. */
#include "../probes.h"

enum limit {
	ANSWERS,
};

static const struct threshold thresholds[] = {
	[ANSWERS] = { "probe_refusals", UNIT_COUNT, 1, "a refusal of our own SYN is the fact itself" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.97

static const char *const box_causes[] = {
	"a firewall or load balancer on the way that rejects with RST in the server's name",
	"a host in front of the server (a container's or a virtual machine's) on which nothing forwards this port",
	"a provider or proxy that resets what its policy does not allow",
	NULL,
};

static const char *const box_fixes[] = {
	"correct the reject rule of the box in between, or the address and port that the client uses",
	"where it is a host in front: publish or forward the port there",
	NULL,
};

static const char *const host_next[] = { "ss -ltnp sport = :{peer_port} # on the server", "tcptriage capture -i any --duration 30 --packets 'host {peer_addr} and tcp port {peer_port}'", "ip route get {peer_addr}", NULL };
static const char *const box_next[] = { "ip route get {peer_addr}", "tcptriage capture -i any --duration 30 --packets 'host {peer_addr} and (tcp port {peer_port} or icmp or icmp6)'", NULL };

/* On what it rests that the host itself, or a box in between, refuses. */
static const struct voice {
	double cap;
	const char *host, *box;
} voices[TRACE_PROOF_COUNT] = {
	[PROOF_NONE] = { 0.9, "RST after {rtt}: nothing listens there, or a firewall says so in the host's name; who sent it is not known", "something in front of {peer_addr} refuses in its name" },
	[PROOF_DISTANCE] = { 1, "the RST comes from as far as the host is, {host_ttl|hop}: nothing listens there, or its own firewall says so",
			     "the RST comes from nearer than the host: a hop limit of {died_at} draws it, and routers answer other packets from farther away" },
	[PROOF_RST_TTL] = { 1, "the RST arrives with hop limit {rst_ttl}, as the host's other packets: nothing listens there, or its own firewall says so",
			    "the RST arrives with hop limit {rst_ttl}, other packets of {peer_addr} with {reply_ttl}" },
	[PROOF_ICMP] = { 1, "ICMP '{reason}' from the host itself: nothing listens there, or its firewall rejects", "ICMP '{reason}' from {refuser}, which is not the host: that router or firewall rejects" },
};

static const struct voice *voice_of(const struct trace_path *path)
{
	return &voices[path->proof < TRACE_PROOF_COUNT ? path->proof : PROOF_NONE];
}

static void add_evidence(struct finding *f, const struct view *view, const struct trace_result *result, bool box)
{
	const struct trace_path *path = &result->path;
	bool known = !addr_is_any(&path->by);

	finding_add(f, "probes", path->probes_sent, UNIT_COUNT, "probes");
	finding_add_text(f, "refuser", known ? view_addr_text(view, &path->by) : box ? "a box in between" : "unknown", "probes");
	finding_add(f, "died_at", path->dies_after + 1u, UNIT_NONE, "answers to SYNs");
	finding_add(f, "host_ttl", path->host_ttl, UNIT_NONE, "answers to other probes");
	finding_add(f, "rst_ttl", path->rst_ttl, UNIT_NONE, "IP TTL of the RST");
	finding_add(f, "reply_ttl", path->reply_ttl, UNIT_NONE, "IP TTL of the host's other packets");
	finding_add_text(f, "reason", path->is_icmp ? probe_icmp_text(result->address.family, path->icmp_type, path->icmp_code) : "rejected", "ICMP type and code");
	if (path->rtt_us >= 0)
		finding_add(f, "rtt", (double)path->rtt_us, UNIT_US, "probes");
	else
		finding_add_text(f, "rtt", "an unknown time", "probes");
}

static void file_refused(const struct view *view, struct sink *sink, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;
	const struct voice *voice = voice_of(path);
	struct probed probed = probed_of_trace(result);
	bool box = path->finding == TRACE_REFUSED_BY_MIDDLE;
	const struct probe_doubt doubts[] = {
		{ box && path->proof == PROOF_NONE, 0.7, "that it is not the host rests on little" },
		{ box && path->proof == PROOF_RST_TTL, 0.85, "some systems send RSTs with another TTL than their other packets, or answer TCP by another way" },
		{ box && path->proof == PROOF_DISTANCE, 0.93, "a device that answers for the host at both distances (a NAT, a load balancer) looks the same" },
		{ box && path->proof == PROOF_DISTANCE && !path->rst_ttl, 0.75, "a router that sends TCP to the host by a shorter way than other packets looks the same; the RST's hop limit, which CAP_NET_RAW shows, would tell" },
		{ !box && path->proof == PROOF_NONE, 0.95, "a box in between that refuses in the host's name looks the same" },
		{ path->split, 0.85, "hops were asked from different source ports: routers that balance by flow may have shown several ways" },
	};
	struct finding *f = sink_finding(sink, SEVERITY_WARNING, probe_confidence(CONFIDENCE, doubts, ARRAY_SIZE(doubts)));

	finding_probed(f, view, &probed);
	add_evidence(f, view, result, box);
	f->title = box ? "Connections to {peer} are refused by {refuser}, not by the host" : "{peer} refuses connections";
	f->detail = box ? voice->box : voice->host;
	if (box && path->proof == PROOF_DISTANCE && path->host_ttl > path->dies_after && !path->host_at_most)
		f->detail = "the RST comes from nearer than the host: a hop limit of {died_at} draws it, {peer_addr} is {host_ttl|hop} away";
	f->next = box ? box_next : host_next;
	if (box) {
		f->causes = box_causes;
		f->fixes = box_fixes;
	}
	finding_doubts(f, doubts, ARRAY_SIZE(doubts));
	finding_threshold(f, sink, ANSWERS);
}

static bool is_refused(const struct trace_result *result)
{
	return result->path.finding == TRACE_REFUSED || result->path.finding == TRACE_REFUSED_BY_MIDDLE;
}

/* The handshake of a search that asks by TCP; how far away the RST comes from nobody looked. */
static void file_handshake(const struct view *view, struct sink *sink, const struct mtu_result *result)
{
	static const char *const next[] = { "tcptriage trace {service}", "ss -ltnp sport = :{peer_port} # on the server", "ip route get {peer_addr}", NULL };
	const struct probe_doubt doubts[] = {
		{ true, 0.95, "a box in between that refuses in the host's name looks the same: tcptriage trace tells them apart where it can" },
	};
	struct finding *f = sink_finding(sink, SEVERITY_WARNING, probe_confidence(CONFIDENCE, doubts, ARRAY_SIZE(doubts)));
	struct probed probed = probed_of_mtu(result);

	finding_probed(f, view, &probed);
	finding_add(f, "probes", result->path.probes_sent, UNIT_COUNT, "probes");
	f->title = "{peer} refuses connections";
	f->detail = "{route} · nothing can be sent over TCP, so that no size was tried";
	f->next = next;
	finding_doubts(f, doubts, ARRAY_SIZE(doubts));
	finding_threshold(f, sink, ANSWERS);
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct trace_result *trace = view->probes->trace;
	const struct mtu_result *mtu = view->probes->mtu;

	if (RULE_MAIN(PROBES_CONNECT_REFUSED, trace && is_refused(trace)))
		file_refused(view, sink, trace);
	else if (RULE_MAIN(PROBES_CONNECT_REFUSED, mtu && mtu->path.finding == MTU_UNREACHABLE && mtu->path.says == REPLY_REFUSED))
		file_handshake(view, sink, mtu);
}

const struct rule_signal probes_connect_refused = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"trace sends SYNs, so a refusal is seen at first hand. Who refuses is another matter: an RST bears the server's address whoever sent it. It was not the host when a SYN whose hop limit does not reach it is refused all the same, "
		"when the RST arrives with another TTL than the host's other packets, or when an ICMP error comes from another address. Without such a proof it is left open.",
	.repro = "tcptriage trace to a closed port, and to one that a router rejects with RST",
};
