/* SPDX-License-Identifier: MIT */
/* udp-unreachable from packets: datagrams that are refused with ICMP 'port unreachable', and requests that nobody answers. */
#include "../attempts.h"
#include "../packets.h"

enum limit {
	ASKED,
	GRACE,
	REFUSED,
	REFUSED_RATE,
};

static const struct threshold thresholds[] = {
	[ASKED] = { "unanswered", UNIT_COUNT, 3, "requests to one address and port, none of which got an answer; one or two are lost datagrams" },
	[GRACE] = { "grace", UNIT_MS, 2000, "before the end of the capture: what was asked later may still be answered" },
	[REFUSED] = { "refused", UNIT_COUNT, 3, "ICMP errors about one port; one is an answer that came after its program had gone" },
	[REFUSED_RATE] = { "refused_rate", UNIT_PER_MIN, 10, "somebody keeps on sending; errors are rate-limited, so datagrams are more" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_REFUSED 0.93
#define CONFIDENCE_UNANSWERED 0.85
#define CONFIDENCE_ONE_WAY_PROTOCOL 0.5
#define CONFIDENCE_ALONE 0.6 /* of what such a capture allows: nothing in it shows that answers would be seen */
#define DNS_PORT 53
#define TRACEROUTE_FIRST 33434
#define TRACEROUTE_LAST 33534

/* Protocols whose requests are owed an answer (IANA). Whatever else goes over UDP may be meant to go one way: logs, metrics, traps, media. */
static const struct service {
	uint16_t port;
	const char *name;
} services[] = {
	{ 53, "DNS" },	     { 67, "DHCP" },	{ 69, "TFTP" },	       { 88, "Kerberos" },   { 111, "RPC" },	  { 123, "NTP" },	{ 137, "NetBIOS names" },
	{ 161, "SNMP" },     { 389, "LDAP" },	{ 443, "QUIC" },       { 464, "Kerberos" },  { 500, "IKE" },	  { 1194, "OpenVPN" },	{ 1645, "RADIUS" },
	{ 1646, "RADIUS" },  { 1812, "RADIUS" }, { 1813, "RADIUS" },   { 2049, "NFS" },	     { 3478, "STUN" },	  { 4500, "IKE" },	{ 5060, "SIP" },
	{ 5683, "CoAP" },    { 11211, "memcached" }, { 51820, "WireGuard" },
};

/* Asked of everybody on the link, with no answer owed: mDNS, LLMNR, SSDP, WS-Discovery. */
static const uint16_t discovery[] = { 5353, 5355, 1900, 3702 };

static const char *service_name(uint16_t port)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		if (services[i].port == port)
			return services[i].name;
	}
	return NULL;
}

static bool is_exempt(const struct endpoint *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(discovery); i++) {
		if (to->port == discovery[i])
			return true;
	}
	return (to->port >= TRACEROUTE_FIRST && to->port <= TRACEROUTE_LAST) || addr_class(&to->addr) == ADDR_CLASS_MULTICAST || addr_is_any(&to->addr);
}

static bool keep(const struct view *view, struct flow_member *m)
{
	(void)view;
	return !(m->flow->flags & FLOW_BROADCAST) && m->flow->asked && !is_exempt(&m->there);
}

/** struct tally - requests to one address and port. @asked: of those that are old enough to have been answered. */
struct tally {
	const struct flow_member *first;
	uint64_t asked, answered, datagrams, hosts;
	const struct icmp_report *report;
	enum flow_inbound inbound;
};

/* Its only request, however often repeated, came too late in the capture. */
static bool is_young(const struct view *view, const struct flow_member *m)
{
	return m->flow->asked == 1 && (double)flow_age_ms(view, m->flow) < view->values[GRACE];
}

static struct tally tally_of(const struct view *view, const struct flow_members *run)
{
	struct tally t = { .first = run->at, .inbound = flow_members_inbound(run) };

	for (size_t i = 0; i < run->count; i++) {
		const struct flow_member *m = &run->at[i];
		const struct flow *flow = m->flow;

		t.answered += flow->answered + (m->other->packets > 0);
		t.asked += is_young(view, m) ? 0 : flow->asked;
		t.datagrams += m->own->packets;
		if (flow->icmp_report && flow->icmp_report <= view->packets->report_count)
			t.report = &view->packets->reports[flow->icmp_report - 1];
	}
	t.hosts = flow_members_hosts(view, run, false);
	return t;
}

static void add_evidence(struct finding *f, const struct view *view, const struct flow_members *run, const struct tally *t)
{
	finding_flows(f, view, run);
	finding_add_text(f, "client", flow_who_text(view, run), "capture");
	finding_add(f, "requests", (double)t->asked, UNIT_COUNT, "capture");
	finding_add(f, "datagrams", (double)t->datagrams, UNIT_COUNT, "capture");
	finding_add(f, "hosts", (double)t->hosts, UNIT_COUNT, "capture");
	finding_add(f, "since", (double)flow_age_ms(view, t->first->flow), UNIT_MS, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, t->first->flow), UNIT_MS, "capture");
	finding_add(f, "flow", (double)t->first->flow->number, UNIT_NONE, "capture");
}

static const char *const unanswered_causes[] = { "a firewall drops the requests, or the answers on their way back", "nothing listens there, and the 'port unreachable' is filtered", "the host is down, or the address is wrong", "the answers leave from another address (a server with several, behind a balancer), and are dropped as strangers", NULL };
static const char *const unanswered_fixes[] = { "open the path in both directions, or start what should answer", "correct the address that the client uses (resolv.conf for DNS)", NULL };
static const char *const unanswered_next[] = { "ip route get {peer_addr}", "ss -uanp", NULL };
static const char *const refused_causes[] = { "a service that the sender is configured for does not run there, or listens on another port or address", "a program that restarts: its port is closed for that time", "a load balancer or health check that still knows the host", NULL };
static const char *const refused_fixes[] = { "start the service, or take the host out of the sender's configuration", "use connected sockets in the sender: only they hear of a refusal", NULL };
static const char *const late_causes[] = { "the program gave up waiting, or had an answer from another server, and closed its socket", NULL };
static const char *const late_fixes[] = { "give requests more time than the slowest answer takes", "find out why the server takes so long", NULL };
static const char *const refused_next[] = { "ss -ulnp sport = :{peer_port} # on the server", NULL };

static void add_doubts(struct finding *f, const struct view *view, const struct tally *t, const char *service)
{
	if (!service)
		finding_against(f, "nothing says that port {peer_port} answers at all: logs, metrics and traps go one way");
	if (view->index->sight == FLOW_SIGHT_UNKNOWN)
		finding_against(f, "no flow of this capture shows both directions: its filter, or the place where it was taken, may hide the answers");
	if (t->inbound != INBOUND_NO)
		finding_against(f, "the senders have global addresses: scanners ask for everything, and a firewall drops it");
	finding_trust(f, view);
}

static void file_unanswered(const struct view *view, struct sink *sink, const struct flow_members *run, const struct tally *t)
{
	const char *service = service_name(run->at->there.port);
	bool warns = service && t->inbound == INBOUND_NO;
	double confidence = service ? CONFIDENCE_UNANSWERED : CONFIDENCE_ONE_WAY_PROTOCOL;
	struct finding *f;

	f = sink_finding(sink, warns ? SEVERITY_WARNING : SEVERITY_INFO, flow_confidence(view, confidence * (view->index->sight == FLOW_SIGHT_UNKNOWN ? CONFIDENCE_ALONE : 1)));
	f->scope_factor = run->at->there.port == DNS_PORT ? 1.2 : 1;
	add_evidence(f, view, run, t);
	finding_add_text(f, "service", service ? service : "UDP", "IANA");
	f->title = run->at->there.port == DNS_PORT ? "Names do not resolve: {requests|DNS lookup} of {client} to {peer}, not one answered" :
						     "{requests|request} of {client} to {peer} ({service}), not one answered";
	f->detail = "{datagrams|datagram} in {flows|flow}, none came back, neither an answer nor an ICMP error · since {since}, the first {begins_at} into the capture (flow {flow})";
	f->causes = unanswered_causes;
	f->fixes = unanswered_fixes;
	f->next = flow_next(view, "host {peer_addr} and (udp port {peer_port} or icmp or icmp6)", unanswered_next);
	add_doubts(f, view, t, service);
	finding_threshold(f, sink, ASKED);
}

/* An answer that comes back late, to a port that its program has closed: the refused datagram comes from the service's port. */
static bool is_late_answer(const struct icmp_report *r)
{
	return service_name(r->src.port) && !service_name(r->dst.port) && r->dst.port > r->src.port;
}

static double rate_of(const struct view *view, uint64_t count)
{
	return (double)count * 60e9 / MAX((double)(view->packets->totals->last_ns - view->packets->totals->first_ns), 60e9);
}

static void file_refused(const struct view *view, struct sink *sink, const struct icmp_report *r)
{
	const struct flow quoted = { .end = { r->src, r->dst } };
	enum flow_inbound inbound = flow_inbound(&quoted);
	double rate = rate_of(view, r->count);
	bool warns = rate >= view->values[REFUSED_RATE] && !is_late_answer(r) && inbound == INBOUND_NO;
	struct finding *f = sink_finding(sink, warns ? SEVERITY_WARNING : SEVERITY_INFO, flow_confidence(view, CONFIDENCE_REFUSED));

	f->count = r->count;
	finding_peer(f, &r->dst);
	finding_local(f, &(struct endpoint){ .addr = r->src.addr });
	finding_add(f, "errors", (double)r->count, UNIT_COUNT, "ICMP");
	finding_add(f, "rate", rate, UNIT_PER_MIN, "rule");
	finding_add_text(f, "reporter", view_addr_text(view, &r->reporter), "ICMP source");
	finding_add(f, "since", (double)MAX(view->packets->totals->last_ns - r->first_ns, 0) / 1e6, UNIT_MS, "capture");
	finding_add(f, "begins_at", (double)MAX(r->first_ns - view->packets->totals->first_ns, 0) / 1e6, UNIT_MS, "capture");
	if (r->flow_number)
		finding_add(f, "flow", (double)r->flow_number, UNIT_NONE, "capture");
	f->title = "{peer} refuses datagrams of {local_addr}: {errors|ICMP error}, nobody listens on that UDP port";
	f->causes = is_late_answer(r) ? late_causes : refused_causes;
	f->fixes = is_late_answer(r) ? late_fixes : refused_fixes;
	if (is_late_answer(r))
		f->title = "Answers of {local_addr} come too late for {peer}: {errors|ICMP error}, its program has closed the port";
	f->detail = addr_equal(&r->reporter, &r->dst.addr) ? "{rate} · 'port unreachable' from the host itself · since {since}, the first {begins_at} into the capture" :
							     "{rate} · 'port unreachable' from {reporter}, which is not the host: a firewall or router there rejects · since {since}, the first {begins_at} into the capture";
	f->next = flow_next(view, "host {peer_addr} and (udp port {peer_port} or icmp or icmp6)", refused_next);
	finding_against(f, "hosts limit the rate of their errors: how many datagrams were refused is not known, and a sender without a connected socket does not notice");
	if (inbound != INBOUND_NO)
		finding_against(f, "the sender has a global address: scanners ask for every port");
	finding_trust(f, view);
	finding_threshold(f, sink, warns ? REFUSED_RATE : REFUSED);
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(view, run);

	if (t.report || t.answered)
		return;
	if (RULE_MAIN(PACKETS_UDP_UNREACHABLE, (double)t.asked >= view->values[ASKED]))
		file_unanswered(view, sink, run, &t);
	else if (t.asked)
		sink_near_miss(sink, "requests without answer to one address and port", (double)t.asked, ASKED);
}

static void judge_reports(const struct view *view, struct sink *sink)
{
	for (size_t i = 0; i < view->packets->report_count; i++) {
		const struct icmp_report *r = &view->packets->reports[i];

		if (r->class != ICMP_PORT_UNREACHABLE || r->protocol != PROTOCOL_UDP || is_exempt(&r->dst))
			continue;
		if (RULE_MAIN(PACKETS_UDP_UNREACHABLE, (double)(r->count - MIN(r->echoes, r->count)) >= view->values[REFUSED]))
			file_refused(view, sink, r);
	}
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members all;

	judge_reports(view, sink);
	if (view->index->sight == FLOW_SIGHT_ONE) {
		sink_skip_part(sink, "requests without answer: of most connections only one direction was captured");
		return;
	}
	if (!flow_index_has(view, ODD_UNHEARD))
		return;
	all = flow_members_collect_all(view, PROTOCOL_UDP, keep);
	flow_members_file(view, sink, &all, file_run);
}

const struct rule_signal packets_udp_unreachable = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"Two things. An ICMP 'port unreachable' that quotes a datagram names who refuses whom and which port. And requests to one address and port of which not one is answered, by a datagram or by an ICMP error: a warning where the protocol owes an answer "
		"(DNS, NTP, SNMP, RADIUS, …), information elsewhere, for logs and metrics go one way. Requests of a flow count once until something comes back, so a stream is one request. Traceroute's ports, multicast, broadcast and discovery protocols are left out, "
		"and when the capture shows one direction only nothing is said of answers.",
	.repro = "capture while a program sends to a closed UDP port, and while a firewall drops three name lookups",
};
