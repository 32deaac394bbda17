/* SPDX-License-Identifier: MIT */
/* rst-after-idle: a connection is reset at its first use after a silence, because something has forgotten it. */
#include "../attempts.h"

enum limit {
	IDLE,
	ANSWER,
	RTTS,
	COUNT,
	CRIT_RATE,
	CRIT_COUNT,
	TELLING,
};

static const struct threshold thresholds[] = {
	[IDLE] = { "idle", UNIT_MS, 30000, "no packet at all for so long; shorter limits are those of programs, which close rather than forget" },
	[ANSWER] = { "answer", UNIT_MS, 1000, "from the packet that ends the silence to the RST: then the RST answers it" },
	[RTTS] = { "answer_round_trips", UNIT_COUNT, 3, "on a path so long that this takes more than the time above" },
	[COUNT] = { "resets", UNIT_COUNT, 2, "one may be a server that was restarted just then" },
	[CRIT_RATE] = { "critical_rate", UNIT_PER_MIN, 10, "a request fails every six seconds" },
	[CRIT_COUNT] = { "critical_resets", UNIT_COUNT, 10, "fewer in the whole capture are no rate" },
	[TELLING] = { "telling", UNIT_RATIO, 0.1, "of the shortest fatal silence; one that was survived and is shorter still says nothing of the limit" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_BRACKET 0.92
#define CONFIDENCE_MIXED 0.7

/* Idle limits that are in wide use (RULES §7.1), longest first: the one just below the shortest fatal silence is the nearest. */
static const struct budget {
	unsigned seconds;
	const char *device;
} budgets[] = {
	{ 1200, "Google Cloud NAT" },
	{ 600, "Google VPC firewall" },
	{ 350, "AWS NAT gateway or NLB" },
	{ 240, "Azure load balancer or NAT gateway" },
	{ 75, "nginx keep-alive" },
	{ 60, "AWS ALB" },
};
/* Timers run late: a limit fits when the silence that was fatal is longer than it, or this little shorter. */
#define LATE 0.98

/**
 * struct tally - connections to one server endpoint. @died: those reset after a silence, moved to the front. @shortest: the one with the shortest silence, @dies_ms. @lives_ms: longest that was
 * survived, of all of them. @by_box: RSTs that something in between made. @by_server: RSTs in the server's name.
 * @with_data: died at data, not at a probe.
 */
struct tally {
	struct flow_members died;
	const struct flow_member *shortest;
	uint32_t dies_ms, lives_ms;
	uint64_t by_box, by_server, with_data;
	double rate;
	enum flow_inbound inbound;
};

static bool answers(const struct view *view, const struct flow *flow)
{
	const struct flow_side *resetter = &flow->side[flow->resetter], *other = &flow->side[!flow->resetter];
	double gap_ms = (double)(resetter->last_ns - other->last_ns) / 1e6, rtt_ms = 0;

	if (flow->flags & FLOW_HAS_HANDSHAKE_RTT)
		rtt_ms = flow->handshake_rtt_us / 1e3;
	/* what follows the RST belongs to the same breath */
	return other->packets && gap_ms <= MAX(view->values[ANSWER], view->values[RTTS] * rtt_ms);
}

/* Whoever has sent a FIN has not forgotten the connection: it is being closed, and the RST says that nobody waits for the rest. */
static bool is_closing(const struct flow *flow)
{
	return (flow->side[0].has | flow->side[1].has) & SIDE_SENT_FIN || flow->flags & FLOW_RESET_AFTER_FIN;
}

static bool died_idle(const struct view *view, const struct flow *flow)
{
	return flow->state == FLOW_RESET && flow->resetter < 2 && flow->idle_last_ms >= view->values[IDLE] &&
	       !is_closing(flow) && answers(view, flow);
}

static bool keep(const struct view *view, struct flow_member *m)
{
	(void)view;
	return m->flow->state != FLOW_SYN_SENT && m->flow->state != FLOW_REFUSED;
}

static void add_death(struct tally *t, const struct flow_member *m)
{
	const struct flow *flow = m->flow;

	t->by_box += !!(flow->flags & FLOW_RESET_BY_BOX);
	t->by_server += flow->resetter == 1;
	t->with_data += flow->side[!flow->resetter].payload > 0 && flow->close_idle_ms < flow->idle_last_ms;
	if (!t->shortest || flow->idle_last_ms < t->dies_ms) {
		t->shortest = m;
		t->dies_ms = flow->idle_last_ms;
	}
}

static struct tally tally_of(const struct view *view, const struct flow_members *run)
{
	double minutes = (double)(view->packets->totals->last_ns - view->packets->totals->first_ns) / 60e9;
	struct tally t = { .died = { .at = run->at } };

	for (size_t i = 0; i < run->count; i++) {
		struct flow_member m = run->at[i];

		t.lives_ms = MAX(t.lives_ms, m.flow->idle_max_ms);
		if (!died_idle(view, m.flow))
			continue;
		run->at[i] = run->at[t.died.count];
		run->at[t.died.count++] = m;
	}
	for (size_t i = 0; i < t.died.count; i++)
		add_death(&t, &t.died.at[i]);
	t.rate = (double)t.died.count / MAX(minutes, 1);
	t.inbound = flow_members_inbound(&t.died);
	return t;
}

/* Silences above a limit die, those below live: where one that is longer lives, it is no timer alone. */
static bool is_bracket(const struct tally *t)
{
	return t->lives_ms < t->dies_ms;
}

/* "350 s (AWS NAT gateway or NLB), 600 s (…)": the limits that lie within the bracket. */
static const char *fitting(const struct view *view, const struct tally *t)
{
	const char *text = "";

	for (size_t i = 0; i < ARRAY_SIZE(budgets); i++) {
		double ms = budgets[i].seconds * 1e3;

		if (ms >= t->lives_ms && LATE * ms <= t->dies_ms)
			text = arena_printf(view->arena, "%s%s%u s (%s)", text, *text ? ", " : "", budgets[i].seconds, budgets[i].device);
	}
	return *text ? text : "none of those in wide use";
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	*limit = COUNT;
	if ((double)t->died.count < view->values[COUNT] || t->inbound == INBOUND_CERTAIN)
		return SEVERITY_INFO;
	if ((double)t->died.count < view->values[CRIT_COUNT] || t->rate < view->values[CRIT_RATE])
		return SEVERITY_WARNING;
	*limit = CRIT_RATE;
	return SEVERITY_CRITICAL;
}

static void add_evidence(struct finding *f, const struct view *view, const struct flow_members *run, const struct tally *t)
{
	const struct flow *worst = t->shortest->flow;
	const struct flow_side *side = &worst->side[worst->resetter];

	finding_flows(f, view, &t->died);
	finding_add_text(f, "client", flow_who_text(view, &t->died), "capture");
	finding_add(f, "connections", (double)run->count, UNIT_COUNT, "capture");
	finding_add(f, "dies_after", t->dies_ms, UNIT_MS, "capture");
	finding_add(f, "lives_after", t->lives_ms, UNIT_MS, "capture");
	finding_add_text(f, "fits", fitting(view, t), "rule");
	finding_add(f, "rate", t->rate, UNIT_PER_MIN, "rule");
	finding_add(f, "by_server", (double)t->by_server, UNIT_COUNT, "capture");
	finding_add(f, "in_between", (double)t->by_box, UNIT_COUNT, "IP TTL, IP id and timestamps of the RSTs");
	finding_add(f, "with_data", (double)t->with_data, UNIT_COUNT, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, worst), UNIT_MS, "capture");
	finding_add(f, "flow", (double)worst->number, UNIT_NONE, "capture");
	finding_add_text(f, "in_whose_name", worst->resetter ? "the server" : "the client", "capture");
	finding_add(f, "reset_ttl", side->ttl_reset, UNIT_NONE, "IP TTL of the RST");
	finding_add(f, "ttl_max", side->ttl_max, UNIT_NONE, "IP TTL of that side's other packets");
}

static const char *const rest[] = { "tcptriage explain idle-no-keepalive", "ss -tno dst {peer_addr} # timer:(keepalive,…) or none", NULL };

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	const char *sender = t->by_box ? "something in between made {in_between} of the RSTs (TTL {reset_ttl}, that side's other packets {ttl_max})" :
					 "the RSTs look like packets of {in_whose_name} itself: it had forgotten the connection, or a load balancer answers there";

	f->title = is_bracket(t) && t->lives_ms >= view->values[TELLING] * t->dies_ms ?
			   "Idle connections of {client} to {peer} are reset at their next use: silent for {dies_after} dies, for {lives_after} lives" :
			   "Idle connections of {client} to {peer} are reset at their next use: {flows}, after {dies_after} or more";
	f->detail = arena_printf(view->arena, "{flows} of {connections|connection} · %s · limits that fit, the nearest first: {fits} · flow {flow}, {begins_at} into the capture", sender);
	f->next = flow_next(view, "host {peer_addr} and tcp port {peer_port}", rest);
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(view, run);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(RST_AFTER_IDLE, t.died.count > 0))
		return;
	severity = judge(view, &t, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, is_bracket(&t) && t.died.count > 1 ? CONFIDENCE_BRACKET : CONFIDENCE_MIXED));
	f->share = (double)t.died.count / (double)run->count;
	add_evidence(f, view, run, &t);
	describe(f, view, &t);
	if (!is_bracket(&t))
		finding_against(f, "another connection survived {lives_after} of silence: a plain idle timer does not explain it");
	if (t.died.count == 1)
		finding_against(f, "one connection only: a server that was restarted meanwhile does the same");
	if (t.inbound == INBOUND_CERTAIN)
		finding_against(f, "clients on the Internet: their own NATs forget connections all the time");
	finding_trust(f, view);
	finding_threshold(f, sink, limit);
}

static void note_near_miss(struct sink *sink, const struct flow_members *resets)
{
	double longest = -1;

	for (size_t i = 0; i < resets->count; i++) {
		const struct flow *flow = resets->at[i].flow;

		if (flow->state == FLOW_RESET && !is_closing(flow))
			longest = MAX(longest, flow->idle_last_ms);
	}
	if (longest >= 0)
		sink_near_miss(sink, "longest silence before a reset", longest, IDLE);
}

/* Else what the others survived is of no interest. */
static bool any_died(const struct view *view, const struct flow_members *resets)
{
	for (size_t i = 0; i < resets->count; i++) {
		if (died_idle(view, resets->at[i].flow))
			return true;
	}
	return false;
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members resets = flow_members_collect(view, PROTOCOL_TCP, ODD_RESET, NULL), all;

	if (!any_died(view, &resets)) {
		note_near_miss(sink, &resets);
		return;
	}
	all = flow_members_collect_all(view, PROTOCOL_TCP, keep);
	flow_members_file(view, sink, &all, file_run);
}

static const struct rule_signal packets = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"No packet of a connection for 30 s or more, then one, and at once an RST in answer. The shortest silence that ended so and the longest that a connection to the same server survived bracket the limit; known limits that lie between are "
		"named. The RST's TTL, IP id and timestamps are held against the other packets of the side whose address it bears. An RST after a FIN of either side belongs to a close, and one that comes by itself, unasked, is idle-close-pattern.",
	.repro = "capture while a router with connection tracking forgets connections after five seconds and rejects what it does not know with RST; use one after a longer silence",
};

const struct rule rule_rst_after_idle = {
	.id = "rst-after-idle",
	.title = "Connections are reset at their first use after a silence",
	.packets = &packets,
	.explain =
		"A pool keeps connections open between requests. Meanwhile a NAT gateway, a load balancer or a firewall on the way drops its entry for the silent connection, or the server closes it and the FIN is lost. Nobody tells the client. Its next request "
		"goes into a connection that no longer exists, and whoever gets it answers with RST: the program sees ECONNRESET on a connection that looked healthy. (Devices that drop without a word leave retransmissions instead: dead-peer-unacked.)\n\n"
		"The time after which it happens is a constant of that device. A capture in which some connections die and others live brackets it, and that often names the device. The mend is always the same: whoever keeps idle connections must give them "
		"up, or probe them, earlier than anything on the way does.",
	.look_alikes = (const char *const[]){
		"an RST after a FIN of either side, however late: the connection was being closed, and its other side used it all the same",
		"an RST after our own close() with data unread: rst-breakdown",
		"an RST that comes unasked after a silence: the side that closes idle connections does it by RST (idle-close-pattern)",
		"a server that was restarted: one moment, connections of every age",
		NULL },
	.causes = (const char *const[]){
		"an idle timeout of a NAT gateway or load balancer on the way (AWS NAT gateway and NLB answer with RST after 350 s)",
		"a server's keep-alive timeout that is shorter than the client's pool keeps connections",
		"the server was restarted, or failed over, while the connection was idle",
		NULL },
	.next = (const char *const[]){
		"tcptriage capture -i any --packets 'host {peer_addr} and tcp port {peer_port}'",
		"tcptriage explain idle-no-keepalive",
		"ss -tno dst {peer_addr} # timer:(keepalive,…) or none",
		NULL },
	.fixes = (const char *const[]){
		"let the client's pool give up idle connections earlier than everything on the way: by a quarter, or 15 s at least",
		"keepalive with TCP_KEEPIDLE of half the limit",
		"repeat idempotent requests once when an idle connection turns out to be dead",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.5.2", "RFC 9293 §3.5.3", "RFC 5382 §5", "RFC 5961 §3.2", "net/ipv4/tcp_ipv4.c (tcp_v4_send_reset)", NULL },
	.repro = "a router that forgets connections after five seconds and rejects what it does not know with RST; use a connection after a longer silence",
};
