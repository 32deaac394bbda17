/* SPDX-License-Identifier: MIT */
/* syn-sent-stall from packets: SYNs are repeated, and nothing answers. */
#include "../attempts.h"
#include "../packets.h"

#include <stdlib.h>

enum limit {
	WAIT,
	RETRIES,
	GIVEN_UP,
	CRIT_FLOWS,
	CRIT_WAIT,
	CRIT_SHARE,
	SHARE_OF,
	PUBLIC_SHARE,
	PUBLIC_NETWORKS,
	LEAST_TARGETS,
	MOST_TRIES,
	LEAST_SHARE,
};

static const struct threshold thresholds[] = {
	[WAIT] = { "unanswered", UNIT_MS, 3000, "one lost SYN costs one second; two in a row at 1 % loss happen once in ten thousand" },
	[RETRIES] = { "syn_retries", UNIT_COUNT, 1, "a SYN that its client never repeats belongs to one that gave up at once, or to a scanner" },
	[GIVEN_UP] = { "given_up", UNIT_COUNT, 3, "attempts at one destination without a retry: a program with a timeout below one second; one may be a lost packet" },
	[CRIT_FLOWS] = { "critical_flows", UNIT_COUNT, 3, "several attempts to one destination fail together: not a lost packet" },
	[CRIT_WAIT] = { "critical_wait", UNIT_MS, 15000, "SYNs over such a time: longer than the connect timeout of most programs" },
	[CRIT_SHARE] = { "critical_share", UNIT_RATIO, 0.5, "half of the attempts to this destination are without answer" },
	[SHARE_OF] = { "share_of", UNIT_COUNT, 3, "a share of fewer attempts says nothing" },
	[PUBLIC_SHARE] = { "internet_share", UNIT_RATIO, 0.05, "of the attempts from the Internet on a port that answers; fewer are clients that vanish" },
	[PUBLIC_NETWORKS] = { "internet_networks", UNIT_COUNT, 5, "from the Internet, one network or two may be broken at their end" },
	[LEAST_TARGETS] = SCAN_TARGETS,
	[MOST_TRIES] = SCAN_TRIES,
	[LEAST_SHARE] = SCAN_SHARE,
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_REPEATED 0.88
#define CONFIDENCE_ONCE 0.75
#define CONFIDENCE_ALONE 0.7 /* of what such a capture allows: nothing in it shows that answers would be seen */
#define DNS_PORT 53

/** struct tally - one destination. @silent: attempts without answer, their members moved to the front; @lone of them without retry. */
struct tally {
	struct flow_members silent;
	const struct flow_member *worst;
	uint64_t attempts, lone, opened, networks;
	int64_t waited_ms;
	double share;
	enum flow_inbound inbound;
	bool fallback;
};

/* From the first SYN to the last: as long as the client is known to have waited. Clocks may go back. */
static int64_t waited_ms(const struct flow_member *m)
{
	return MAX((m->own->last_ns - m->flow->first_ns) / 1000000, 0);
}

static bool is_silent(const struct view *view, const struct flow_member *m)
{
	return attempt_of(m->flow) == ATTEMPT_SILENT && (double)flow_age_ms(view, m->flow) >= view->values[WAIT];
}

/* With those that were slow to be answered, for the near miss. */
static bool is_wanted(const struct view *view, const struct flow_member *m)
{
	(void)view;
	return m->own->syn_retries || attempt_of(m->flow) == ATTEMPT_SILENT;
}

/** struct services - what processes of this machine reach over IPv4: their number and the port, in order. */
struct services {
	uint64_t *at;
	size_t count;
};

static uint64_t service(uint32_t pid, uint16_t port)
{
	return (uint64_t)pid << 16 | port;
}

static int by_service(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static bool reaches_v4(const struct view *view, struct flow_member *m)
{
	const struct flow_owner *owner = flow_owner_of(view, m->flow);

	return owner && owner->pid && m->flow->flags & FLOW_SAW_SYN_ACK && m->there.addr.family == ADDR_V4;
}

static struct services services_of(const struct view *view)
{
	struct flow_members all = { .at = NULL };
	struct services services;

	if (view->packets->owner_count)
		all = flow_members_collect_all(view, PROTOCOL_TCP, reaches_v4);
	services = (struct services){ .at = arena_alloc(view->arena, (all.count + 1) * sizeof(*services.at)), .count = all.count };
	for (size_t i = 0; i < all.count; i++)
		services.at[i] = service(flow_owner_of(view, all.at[i].flow)->pid, all.at[i].there.port);
	qsort(services.at, services.count, sizeof(*services.at), by_service);
	return services;
}

/* IPv6 is silent while the same process has the same service over IPv4: a program with fallback hides the fault. */
static bool has_fallback(const struct view *view, const struct services *services, const struct flow_member *m)
{
	const struct flow_owner *owner = flow_owner_of(view, m->flow);
	uint64_t wanted = owner ? service(owner->pid, m->there.port) : 0;

	return owner && m->there.addr.family == ADDR_V6 && bsearch(&wanted, services->at, services->count, sizeof(wanted), by_service);
}

/* Puts what is silent in front. */
static struct tally tally_of(const struct view *view, const struct services *services, const struct flow_members *run)
{
	struct tally t = { .silent = { .at = run->at }, .worst = run->at, .attempts = run->count };

	for (size_t i = 0; i < run->count; i++) {
		struct flow_member m = run->at[i];

		t.opened += attempt_of(m.flow) == ATTEMPT_OPENED;
		if (!is_silent(view, &m))
			continue;
		run->at[i] = run->at[t.silent.count];
		run->at[t.silent.count++] = m;
		t.lone += m.own->syn_retries < view->values[RETRIES];
	}
	for (size_t i = 0; i < t.silent.count; i++) {
		if (waited_ms(&run->at[i]) > waited_ms(t.worst))
			t.worst = &run->at[i];
	}
	t.waited_ms = waited_ms(t.worst);
	t.share = (double)t.silent.count / (double)t.attempts;
	if (!t.silent.count)
		return t;
	t.inbound = flow_members_inbound(&t.silent);
	t.networks = flow_members_hosts(view, &t.silent, true);
	t.fallback = has_fallback(view, services, t.worst);
	return t;
}

static bool is_stall(const struct view *view, const struct tally *t)
{
	return t->silent.count > t->lone || (double)t->lone >= view->values[GIVEN_UP];
}

/* Clients from the Internet at a server of ours: only where others are let in can their silence be a fault. */
static enum severity judge_public(const struct view *view, const struct tally *t, enum limit *limit)
{
	*limit = PUBLIC_SHARE;
	return t->opened && t->share >= view->values[PUBLIC_SHARE] && (double)t->networks >= view->values[PUBLIC_NETWORKS] ?
		       SEVERITY_WARNING :
		       SEVERITY_INFO;
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	const double *l = view->values;

	if (t->inbound == INBOUND_CERTAIN)
		return judge_public(view, t, limit);
	*limit = WAIT;
	if (t->fallback || t->inbound == INBOUND_POSSIBLE)
		return SEVERITY_WARNING;
	if ((double)t->waited_ms >= l[CRIT_WAIT])
		*limit = CRIT_WAIT;
	else if ((double)t->silent.count >= l[CRIT_FLOWS])
		*limit = CRIT_FLOWS;
	else if ((double)t->attempts >= l[SHARE_OF] && t->share >= l[CRIT_SHARE])
		*limit = CRIT_SHARE;
	return *limit == WAIT ? SEVERITY_WARNING : SEVERITY_CRITICAL;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct flow *worst = t->worst->flow;

	finding_flows(f, view, &t->silent);
	finding_add_text(f, "client", flow_who_text(view, &t->silent), "capture");
	finding_add(f, "waited", (double)t->waited_ms, UNIT_MS, "capture");
	finding_add(f, "retries", t->worst->own->syn_retries, UNIT_COUNT, "capture");
	finding_add(f, "since", (double)flow_age_ms(view, worst), UNIT_MS, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, worst), UNIT_MS, "capture");
	finding_add(f, "flow", (double)worst->number, UNIT_NONE, "capture");
	finding_add(f, "attempts", (double)t->attempts, UNIT_COUNT, "capture");
	finding_add(f, "opened", (double)t->opened, UNIT_COUNT, "capture");
	finding_add(f, "share", t->share, UNIT_RATIO, "rule");
	finding_add(f, "without_retry", (double)t->lone, UNIT_COUNT, "capture");
	finding_add(f, "client_networks", (double)t->networks, UNIT_COUNT, "capture");
	finding_add_text(f, "example", view_addr_text(view, &t->worst->there.addr), "capture");
	finding_address_class(f, &t->worst->there.addr);
}

static void add_doubts(struct finding *f, const struct view *view, const struct tally *t)
{
	if (t->opened)
		finding_against(f, "{opened|other attempt} at the same address and port got an answer: some are let in, a full accept queue there does that too");
	if (view->index->sight == FLOW_SIGHT_UNKNOWN)
		finding_against(f, "no flow of this capture shows both directions: its filter, or the place where it was taken, may hide the answers");
	if (t->inbound == INBOUND_CERTAIN)
		finding_against(f, "the clients come from the Internet, where scanners try ports that a firewall drops without a word");
	if (t->inbound == INBOUND_POSSIBLE)
		finding_against(f, "both ends have global addresses: if the server is yours, scanners do this all day");
	if (t->worst->flow->icmp_errors)
		finding_against(f, "ICMP errors quote these SYNs: somebody did answer, see the events");
	finding_trust(f, view);
}

static const char *const rest[] = { "tcptriage trace {service}", "ip route get {example}", "nstat -az TcpExtListenDrops TcpExtListenOverflows TcpExtIPReversePathFilter # on the server", NULL };

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(view, sink->own, run);
	double confidence = t.worst->own->syn_retries > view->values[RETRIES] || t.silent.count > 1 ? CONFIDENCE_REPEATED : CONFIDENCE_ONCE;
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_SYN_SENT_STALL, is_stall(view, &t)))
		return;
	severity = judge(view, &t, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, confidence * (view->index->sight == FLOW_SIGHT_UNKNOWN ? CONFIDENCE_ALONE : 1)));
	f->share = t.share;
	f->scope_factor = t.worst->there.port == DNS_PORT ? 1.2 : 1;
	add_evidence(f, view, &t);
	f->title = t.fallback ? "IPv6 to {peer} gets no answer, hidden by fallback: {client} reaches the same service over IPv4" :
				"Connection attempts from {client} to {peer} get no answer";
	f->detail = "{flows} of {attempts|attempt}, the longest {waited} with {retries} SYNs repeated, the first {begins_at} into the capture (flow {flow}) · not one packet came back · {address_class}";
	f->next = flow_next(view, "host {peer_addr} and tcp port {peer_port}", rest);
	add_doubts(f, view, &t);
	finding_threshold(f, sink, limit);
}

/* Mostly silence: this rule tells of the scan. Mostly refusals: connect-refused does. */
static void file_scan(const struct view *view, struct sink *sink, const struct scan *scan)
{
	struct finding *f;

	if (!RULE_MAIN(PACKETS_SYN_SENT_STALL, scan->silent >= scan->refused))
		return;
	f = sink_finding(sink, SEVERITY_INFO, flow_confidence(view, CONFIDENCE_REPEATED));
	finding_flows(f, view, &scan->run);
	finding_add_text(f, "client", flow_who_text(view, &scan->run), "capture");
	finding_add(f, "targets", (double)scan->targets, UNIT_COUNT, "capture");
	finding_add(f, "silent", (double)scan->silent, UNIT_COUNT, "capture");
	finding_add(f, "refused", (double)scan->refused, UNIT_COUNT, "capture");
	finding_add(f, "opened", (double)scan->opened, UNIT_COUNT, "capture");
	f->title = "Scanner-like: {client} tries {targets|address and port pair}, once or twice each";
	f->detail = "{silent} without answer, {refused} refused, {opened} answered";
	f->next = flow_next(view, "host {local_addr} and tcp", NULL);
	finding_against(f, "a dead network behind one route looks the same to a program that tries every destination once");
	finding_trust(f, view);
	finding_threshold(f, sink, LEAST_TARGETS);
}

static void note_near_miss(const struct view *view, struct sink *sink, const struct flow_members *all)
{
	int64_t longest = -1;

	for (size_t i = 0; i < all->count; i++) {
		if (all->at[i].own->syn_retries || attempt_of(all->at[i].flow) == ATTEMPT_SILENT)
			longest = MAX(longest, attempt_of(all->at[i].flow) == ATTEMPT_SILENT ? flow_age_ms(view, all->at[i].flow) :
											       all->at[i].flow->syn_wait_ms);
	}
	if (longest >= 0)
		sink_near_miss(sink, "longest wait for the answer to a SYN", (double)longest, WAIT);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct scan_limits limits = { view->values[LEAST_TARGETS], view->values[MOST_TRIES], view->values[LEAST_SHARE] };
	struct flow_members all;
	struct services services;

	if (view->index->sight == FLOW_SIGHT_ONE) {
		sink_skip(sink, "of most connections only one direction was captured: whether a SYN was answered cannot be told");
		return;
	}
	all = attempts_collect(view, is_wanted);
	if (!all.count)
		return;
	services = services_of(view);
	sink->own = &services;
	scans_take(view, sink, &all, &limits, file_scan);
	flow_members_file(view, sink, &all, file_run);
	if (!sink->filed)
		note_near_miss(view, sink, &all);
}

const struct rule_signal packets_syn_sent_stall = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"A SYN is sent, sent again, and the capture ends or the client gives up without one packet from the other side. Attempts at the same address and port are looked at together, those that were answered as well. "
		"A SYN that was answered after its first retry is no stall. A client that went on after its SYN was answered, even when the answer is not in the capture; when most connections show one direction only, the rule "
		"does not speak. A source that asks many addresses or ports once or twice each is called a scanner, and SYNs from the Internet that a server drops are info as long as it answers nobody on that port.",
	.repro = "capture while a router drops TCP to one port and a client connects to it through the router",
};
