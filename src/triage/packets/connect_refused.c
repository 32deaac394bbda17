/* SPDX-License-Identifier: MIT */
/* connect-refused from packets: a SYN is answered with RST or an ICMP error, and by whom. */
#include "../attempts.h"
#include "../packets.h"

#include <stdlib.h>

enum limit {
	COUNT,
	RATE,
	CRIT_COUNT,
	CRIT_SHARE,
	CRIT_SPAN,
	LEAST_TARGETS,
	MOST_TRIES,
	LEAST_SHARE,
};

static const struct threshold thresholds[] = {
	[COUNT] = { "refusals", UNIT_COUNT, 5, "fewer are one program that tries a port which has just been closed" },
	[RATE] = { "refusal_rate", UNIT_PER_MIN, 5, "in a long capture, what comes less often is a restart now and then" },
	[CRIT_COUNT] = { "critical_refusals", UNIT_COUNT, 25, "a health check of a drained server is refused a few times in such a span and nobody is hurt" },
	[CRIT_SHARE] = { "refused_share", UNIT_RATIO, 0.5, "half of all attempts at this address and port" },
	[CRIT_SPAN] = { "critical_span", UNIT_MS, 10000, "from the first refusal to the last: it lasts, and is not one restart" },
	[LEAST_TARGETS] = SCAN_TARGETS,
	[MOST_TRIES] = SCAN_TRIES,
	[LEAST_SHARE] = SCAN_SHARE,
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_SEEN 0.95

/** enum refuser - who says no. */
enum refuser { REFUSER_HOST, REFUSER_BOX, REFUSER_UNKNOWN, REFUSER_ICMP_HOST, REFUSER_ICMP_BOX };

/**
 * struct tally - one destination. @refused: members moved to the front. @by_icmp: of them by ICMP, told by @report. @ttl: of the last RST, @other_min, @other_max: of the
 * server's other packets, 0 none seen.
 */
struct tally {
	struct flow_members refused;
	const struct flow_member *first, *last;
	const struct icmp_report *report;
	uint64_t attempts, by_icmp, opened;
	uint8_t ttl, other_min, other_max;
	double share, rate, span_ms;
	enum refuser refuser;
	enum flow_inbound inbound;
};

static bool is_refused(const struct view *view, const struct flow_member *m)
{
	(void)view;
	return attempt_of(m->flow) == ATTEMPT_REFUSED;
}

static const struct icmp_report *report_of(const struct view *view, const struct flow *flow)
{
	if (!flow->icmp_report || flow->icmp_report > view->packets->report_count)
		return NULL;
	return &view->packets->reports[flow->icmp_report - 1];
}

/** struct servers - those that refuse, in order, with the TTLs of what else each sent over TCP, whatever the port; 0 none seen. */
struct servers {
	struct server {
		struct addr addr;
		uint8_t ttl_min, ttl_max;
	} *at;
	size_t count;
};

static int by_address(const void *addr, const void *server)
{
	return addr_compare(addr, &((const struct server *)server)->addr);
}

static struct server *find_server(const struct servers *servers, const struct addr *addr)
{
	return bsearch(addr, servers->at, servers->count, sizeof(*servers->at), by_address);
}

static void widen_ttls(const struct servers *servers, const struct flow *flow, unsigned side)
{
	const struct flow_side *s = &flow->side[side];
	struct server *server = s->ttl_max ? find_server(servers, &flow->end[side].addr) : NULL;

	if (!server)
		return;
	server->ttl_min = server->ttl_min ? MIN(server->ttl_min, s->ttl_min) : s->ttl_min;
	server->ttl_max = MAX(server->ttl_max, s->ttl_max);
}

/* @attempts: sorted by server. */
static struct servers servers_of(const struct view *view, const struct flow_members *attempts)
{
	struct servers servers = { .at = arena_alloc(view->arena, (attempts->count + 1) * sizeof(*servers.at)) };

	for (size_t i = 0; i < attempts->count; i++) {
		const struct addr *addr = &attempts->at[i].there.addr;

		if (is_refused(view, &attempts->at[i]) && (!servers.count || !addr_equal(&servers.at[servers.count - 1].addr, addr)))
			servers.at[servers.count++].addr = *addr;
	}
	for (size_t i = 0; servers.count && i < view->packets->flow_count * 2; i++) {
		if (view->packets->flows[i / 2]->protocol == PROTOCOL_TCP)
			widen_ttls(&servers, view->packets->flows[i / 2], i % 2);
	}
	return servers;
}

static enum refuser refuser_of(const struct tally *t, const struct addr *server)
{
	if (t->report && 2 * t->by_icmp >= t->refused.count)
		return addr_equal(&t->report->reporter, server) ? REFUSER_ICMP_HOST : REFUSER_ICMP_BOX;
	if (!t->ttl || !t->other_max)
		return REFUSER_UNKNOWN;
	return t->ttl < t->other_min || t->ttl > t->other_max ? REFUSER_BOX : REFUSER_HOST;
}

static void add_refused(const struct view *view, struct tally *t, const struct flow_member *m)
{
	const struct icmp_report *report = m->flow->resetter == 1 ? NULL : report_of(view, m->flow);

	t->by_icmp += report != NULL;
	if (report)
		t->report = report;
	if (m->flow->resetter == 1)
		t->ttl = m->other->ttl_reset;
	if (!t->first || m->flow->first_ns < t->first->flow->first_ns)
		t->first = m;
	if (!t->last || m->flow->first_ns > t->last->flow->first_ns)
		t->last = m;
}

static struct tally tally_of(const struct view *view, const struct servers *servers, const struct flow_members *run)
{
	const struct server *server;
	struct tally t = { .refused = { .at = run->at }, .attempts = run->count };
	double minutes = (double)(view->packets->totals->last_ns - view->packets->totals->first_ns) / 60e9;

	for (size_t i = 0; i < run->count; i++) {
		struct flow_member m = run->at[i];

		t.opened += attempt_of(m.flow) == ATTEMPT_OPENED;
		if (!is_refused(view, &m))
			continue;
		run->at[i] = run->at[t.refused.count];
		run->at[t.refused.count++] = m;
	}
	if (!t.refused.count)
		return t;
	for (size_t i = 0; i < t.refused.count; i++)
		add_refused(view, &t, &t.refused.at[i]);
	t.share = (double)t.refused.count / (double)t.attempts;
	t.rate = (double)t.refused.count / MAX(minutes, 1);
	t.span_ms = (double)(t.last->flow->first_ns - t.first->flow->first_ns) / 1e6;
	t.inbound = flow_members_inbound(&t.refused);
	server = find_server(servers, &run->at->there.addr);
	t.other_min = server->ttl_min;
	t.other_max = server->ttl_max;
	t.refuser = refuser_of(&t, &run->at->there.addr);
	return t;
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	const double *l = view->values;
	double count = (double)t->refused.count;

	*limit = COUNT;
	if (t->inbound != INBOUND_NO || count < l[COUNT] || t->rate < l[RATE])
		return SEVERITY_INFO;
	/* a program that is refused over IPv6 mostly falls back to IPv4 at once */
	if (count < l[CRIT_COUNT] || t->share < l[CRIT_SHARE] || t->span_ms < l[CRIT_SPAN] || t->first->there.addr.family == ADDR_V6)
		return SEVERITY_WARNING;
	*limit = CRIT_SHARE;
	return SEVERITY_CRITICAL;
}

/* RFC 792, 1812 §5.2.7.1; RFC 4443 §3.1. */
static const char *code_text(const struct icmp_report *report)
{
	switch (report->class) {
	case ICMP_PORT_UNREACHABLE:
		return "port unreachable";
	case ICMP_PROHIBITED:
		return "administratively prohibited";
	case ICMP_UNREACHABLE:
		return "network or host unreachable";
	default:
		return icmp_class_name(report->class);
	}
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	finding_flows(f, view, &t->refused);
	finding_add_text(f, "client", flow_who_text(view, &t->refused), "capture");
	finding_add(f, "attempts", (double)t->attempts, UNIT_COUNT, "capture");
	finding_add(f, "opened", (double)t->opened, UNIT_COUNT, "capture");
	finding_add(f, "share", t->share, UNIT_RATIO, "rule");
	finding_add(f, "rate", t->rate, UNIT_PER_MIN, "rule");
	finding_add(f, "span", t->span_ms, UNIT_MS, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, t->first->flow), UNIT_MS, "capture");
	finding_add(f, "flow", (double)t->first->flow->number, UNIT_NONE, "capture");
	finding_add(f, "by_icmp", (double)t->by_icmp, UNIT_COUNT, "capture");
	if (t->ttl)
		finding_add(f, "reset_ttl", t->ttl, UNIT_NONE, "IP TTL of the RST");
	if (t->other_max) {
		finding_add(f, "server_ttl_min", t->other_min, UNIT_NONE, "IP TTL of its other packets");
		finding_add(f, "server_ttl_max", t->other_max, UNIT_NONE, "IP TTL of its other packets");
	}
	if (!t->report)
		return;
	finding_add_text(f, "reporter", view_addr_text(view, &t->report->reporter), "ICMP source");
	finding_add_text(f, "reason", code_text(t->report), "ICMP type and code");
	finding_add(f, "icmp_type", t->report->type, UNIT_NONE, "ICMP");
	finding_add(f, "icmp_code", t->report->code, UNIT_NONE, "ICMP");
}

static const char *const box_causes[] = { "a firewall or load balancer on the way that rejects with RST in the server's name", "a host in front of the server (a container's or a virtual machine's) on which nothing forwards this port", NULL };
static const char *const router_causes[] = { "the router or firewall that is the source of the error rejects this port or client, or has no route to the server", NULL };
static const char *const box_fixes[] = { "correct the reject rule of the box in between, or the address and port that the client uses", "where it is a host in front: publish or forward the port there", NULL };
static const char *const box_next[] = { "tcptriage trace {service}", "ip route get {peer_addr}", NULL };

/* Who says no. */
static const struct {
	const char *detail;
	const char *const *causes, *const *fixes;
} voices[] = {
	[REFUSER_HOST] = { "RST with TTL {reset_ttl}, as the server's other packets: {peer_addr} itself says that nothing listens there, or its firewall does", NULL, NULL },
	[REFUSER_BOX] = { "something in front of {peer_addr} refuses in its name: the RST has TTL {reset_ttl}, the server's other packets have", box_causes, box_fixes },
	[REFUSER_UNKNOWN] = { "RST: nothing listens there, or a firewall says so; no other packet of {peer_addr} is there to compare with", NULL, NULL },
	[REFUSER_ICMP_HOST] = { "ICMP '{reason}' (type {icmp_type}, code {icmp_code}) from {reporter} itself: its firewall rejects", NULL, NULL },
	[REFUSER_ICMP_BOX] = { "ICMP '{reason}' (type {icmp_type}, code {icmp_code}) from {reporter}, which is not the server: that router or firewall rejects", router_causes, box_fixes },
};

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	f->title = "Connection attempts from {client} to {peer} are refused: {flows} of {attempts}";
	f->detail = voices[t->refuser].detail;
	if (t->refuser == REFUSER_BOX)
		f->detail = arena_printf(view->arena, "%s %s", f->detail, flow_range_text(view, "server_ttl_min", "server_ttl_max", t->other_min == t->other_max));
	f->detail = arena_printf(view->arena, "%s · the first {begins_at} into the capture (flow {flow}), over {span}", f->detail);
	f->next = flow_next(view, "host {peer_addr} and (tcp port {peer_port} or icmp or icmp6)", t->refuser == REFUSER_BOX || t->refuser == REFUSER_ICMP_BOX ? box_next : NULL);
	if (voices[t->refuser].causes)
		f->causes = voices[t->refuser].causes;
	if (voices[t->refuser].fixes)
		f->fixes = voices[t->refuser].fixes;
}

static void add_doubts(struct finding *f, const struct view *view, const struct tally *t)
{
	if (t->opened)
		finding_against(f, "{opened|attempt} at the same address and port went through: it refuses at times only, as during a restart");
	else
		finding_against(f, "health checks of a server that is down or drained look the same");
	if (t->refuser == REFUSER_BOX)
		finding_against(f, "some systems send RSTs with another TTL than their other packets, and a path may change");
	if (t->inbound != INBOUND_NO)
		finding_against(f, "the clients have global addresses: scanners are refused all day");
	if (t->first->there.addr.family == ADDR_V6)
		finding_against(f, "over IPv6: a program that falls back to IPv4 does not notice");
	finding_trust(f, view);
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(view, sink->own, run);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_CONNECT_REFUSED, t.refused.count > 0))
		return;
	severity = judge(view, &t, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, CONFIDENCE_SEEN));
	f->share = t.share;
	add_evidence(f, view, &t);
	describe(f, view, &t);
	add_doubts(f, view, &t);
	finding_threshold(f, sink, limit);
}

/* Mostly refusals: this rule tells of the scan. Mostly silence: syn-sent-stall does. */
static void file_scan(const struct view *view, struct sink *sink, const struct scan *scan)
{
	struct finding *f;

	if (!RULE_MAIN(PACKETS_CONNECT_REFUSED, scan->refused > scan->silent))
		return;
	f = sink_finding(sink, SEVERITY_INFO, flow_confidence(view, CONFIDENCE_SEEN));
	finding_flows(f, view, &scan->run);
	finding_add_text(f, "client", flow_who_text(view, &scan->run), "capture");
	finding_add(f, "targets", (double)scan->targets, UNIT_COUNT, "capture");
	finding_add(f, "refused", (double)scan->refused, UNIT_COUNT, "capture");
	finding_add(f, "opened", (double)scan->opened, UNIT_COUNT, "capture");
	f->title = "Scanner-like: {client} tries {targets|address and port pair}, once or twice each, and is refused";
	f->detail = "{refused} refused, {opened} answered";
	f->next = flow_next(view, "host {local_addr} and tcp", NULL);
	finding_against(f, "a monitoring system that checks many ports looks the same");
	finding_trust(f, view);
	finding_threshold(f, sink, LEAST_TARGETS);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct scan_limits limits = { view->values[LEAST_TARGETS], view->values[MOST_TRIES], view->values[LEAST_SHARE] };
	struct flow_members all = attempts_collect(view, is_refused);
	struct servers servers;

	scans_take(view, sink, &all, &limits, file_scan);
	servers = servers_of(view, &all);
	sink->own = &servers;
	flow_members_file(view, sink, &all, file_run);
}

const struct rule_signal packets_connect_refused = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"A SYN is answered with RST, or an ICMP error quotes it. Unlike the counters, packets tell who refuses whom: the source of an ICMP error is the host or router that rejects; an RST bears the server's address whoever sent it, "
		"but its TTL does not fit the server's other packets when a box in between made it. Attempts at the same address and port are counted together. A few refusals are info, and so are those of clients from the Internet.",
	.repro = "capture while a client connects to a closed port again and again, or through a router that rejects with RST or an ICMP error",
};
