/* SPDX-License-Identifier: MIT */
/* stale-tuple-challenge from packets: a SYN is answered by the ACK of an old connection with the same addresses and ports. */
#include "../attempts.h"
#include "../packets.h"

enum limit {
	COUNT,
	RATE,
	STUCK,
	CRIT_SHARE,
	CRIT_COUNT,
};

static const struct threshold thresholds[] = {
	[COUNT] = { "challenged", UNIT_COUNT, 5, "of one server; one client that comes back with its old port is nobody's fault" },
	[RATE] = { "challenge_rate", UNIT_PER_MIN, 5, "in a long capture, what comes less often is a client that was restarted" },
	[STUCK] = { "stuck", UNIT_MS, 3000, "without connection after its challenge; where the RST gets through the next SYN is accepted within about a second" },
	[CRIT_SHARE] = { "challenged_share", UNIT_RATIO, 0.01, "one new connection in a hundred has to wait for its second SYN" },
	[CRIT_COUNT] = { "critical_challenged", UNIT_COUNT, 25, "a share of fewer is chance: a capture may show little else than the clients that come back" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_SEEN 0.93
#define CONFIDENCE_UNEXPLAINED 0.45 /* too little to explain other findings */

/**
 * struct tally - one server endpoint. @challenged: moved to the front. @recovered: connected afterwards. @stuck: did not, though the client went on asking. @reset: the client
 * denied the old connection by RST. @wait_ms: longest time from the first SYN to its answer.
 */
struct tally {
	struct flow_members challenged;
	const struct flow_member *worst;
	uint64_t attempts, recovered, stuck, reset, clients;
	double share, rate, wait_ms;
};

static bool is_challenged(const struct view *view, const struct flow_member *m)
{
	(void)view;
	return m->flow->flags & FLOW_CHALLENGED;
}

static double wait_of(const struct view *view, const struct flow_member *m)
{
	return m->flow->flags & FLOW_SAW_SYN_ACK ? m->flow->syn_wait_ms : (double)flow_age_ms(view, m->flow);
}

static void add_challenged(const struct view *view, struct tally *t, const struct flow_member *m)
{
	bool connected = m->flow->flags & FLOW_SAW_SYN_ACK;

	t->recovered += connected;
	t->stuck += !connected && m->own->syn_retries && wait_of(view, m) >= view->values[STUCK];
	t->reset += m->own->resets > 0;
	if (!t->worst || wait_of(view, m) > t->wait_ms) {
		t->worst = m;
		t->wait_ms = wait_of(view, m);
	}
}

static struct tally tally_of(const struct view *view, const struct flow_members *run)
{
	struct tally t = { .challenged = { .at = run->at }, .attempts = run->count };
	double minutes = (double)(view->packets->totals->last_ns - view->packets->totals->first_ns) / 60e9;

	for (size_t i = 0; i < run->count; i++) {
		struct flow_member m = run->at[i];

		if (!is_challenged(view, &m))
			continue;
		run->at[i] = run->at[t.challenged.count];
		run->at[t.challenged.count++] = m;
	}
	for (size_t i = 0; i < t.challenged.count; i++)
		add_challenged(view, &t, &t.challenged.at[i]);
	t.share = (double)t.challenged.count / (double)t.attempts;
	t.rate = (double)t.challenged.count / MAX(minutes, 1);
	t.clients = flow_members_hosts(view, &t.challenged, false);
	return t;
}

/* SYNs that are challenged and lead nowhere, without RST and without another try: nobody wants the connection. */
static bool is_explained(const struct tally *t)
{
	return t->recovered || t->reset || t->stuck;
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	const double *l = view->values;

	*limit = STUCK;
	if (t->stuck)
		return SEVERITY_WARNING;
	*limit = COUNT;
	if (!is_explained(t) || (double)t->challenged.count < l[COUNT] || t->rate < l[RATE])
		return SEVERITY_INFO;
	if (t->share < l[CRIT_SHARE] || (double)t->challenged.count < l[CRIT_COUNT])
		return SEVERITY_WARNING;
	*limit = CRIT_SHARE;
	return SEVERITY_CRITICAL;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	finding_flows(f, view, &t->challenged);
	finding_add_text(f, "client", flow_who_text(view, &t->challenged), "capture");
	finding_add(f, "attempts", (double)t->attempts, UNIT_COUNT, "capture");
	finding_add(f, "share", 100 * t->share, UNIT_PERCENT, "rule");
	finding_add(f, "rate", t->rate, UNIT_PER_MIN, "rule");
	finding_add(f, "clients", (double)t->clients, UNIT_COUNT, "capture");
	finding_add(f, "recovered", (double)t->recovered, UNIT_COUNT, "capture");
	finding_add(f, "stuck", (double)t->stuck, UNIT_COUNT, "capture");
	finding_add(f, "resets", (double)t->reset, UNIT_COUNT, "capture");
	finding_add(f, "longest_wait", t->wait_ms, UNIT_MS, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, t->worst->flow), UNIT_MS, "capture");
	finding_add(f, "flow", (double)t->worst->flow->number, UNIT_NONE, "capture");
	finding_add(f, "client_port", t->worst->here.port, UNIT_NONE, "capture");
}

static const char *const stuck_causes[] = { "a firewall on the way drops the challenge ACK, or the RST that answers it", "the client's host drops the challenge ACK, so that it never sends the RST", NULL };
static const char *const stuck_fixes[] = { "let challenge ACKs and RSTs through every firewall on the way", "end the old connection on the server; an idle timeout or keepalive shorter than the NAT's does it by itself", NULL };
static const char *const rest[] = { "nstat -az TcpExtTCPSYNChallenge TcpExtTCPChallengeACK # on the server", "ss -tno dst {example} # on the server: the old connection", NULL };

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	f->title = "Old connections at {peer} are in the way of new ones from {client}: {flows} of {attempts|attempt}";
	f->detail = "the SYN is answered by an ACK of the old connection (RFC 5961) · {resets} denied it by RST, {recovered} connected then, the slowest after {longest_wait} (flow {flow}, client port {client_port}, {begins_at} into the capture)";
	if (!is_explained(t))
		f->title = "SYNs meet open connections at {peer}: {flows} of {attempts|attempt}, nobody follows them up";
	if (t->stuck) {
		f->title = "An old connection at {peer} keeps {client} out: the challenge does not end it";
		f->detail = "{stuck} of {flows} still without connection after {longest_wait} · {resets} sent an RST in answer to the challenge, {recovered} connected · flow {flow}, client port {client_port}, {begins_at} into the capture";
		f->causes = stuck_causes;
		f->fixes = stuck_fixes;
	}
	finding_add_text(f, "example", view_addr_text(view, &t->worst->here.addr), "capture");
	f->next = flow_next(view, "host {peer_addr} and tcp port {peer_port} and tcp port {client_port}", rest);
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(view, run);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_STALE_TUPLE_CHALLENGE, t.challenged.count > 0))
		return;
	severity = judge(view, &t, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, is_explained(&t) ? CONFIDENCE_SEEN : CONFIDENCE_UNEXPLAINED));
	f->share = t.share;
	add_evidence(f, view, &t);
	describe(f, view, &t);
	if (!is_explained(&t))
		finding_against(f, "no RST, no second SYN, no connection: somebody guesses at open connections, or the rest is not in the capture");
	if (t.stuck && t.reset)
		finding_against(f, "the client did send an RST: it is lost behind the place of this capture, or the old connection is not this one");
	if (t.clients == 1)
		finding_against(f, "one client address: a NAT with many clients behind it, or one host that was restarted");
	finding_trust(f, view);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members all = attempts_collect(view, is_challenged);

	flow_members_file(view, sink, &all, file_run);
}

const struct rule_signal packets_stale_tuple_challenge = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"A SYN is answered with a bare ACK whose numbers have nothing to do with it: the server still holds an old connection of the same addresses and ports. A client that has forgotten it answers with RST, and its next SYN is accepted; packets show "
		"how long that took and which client port it was. Where no connection comes although the client goes on asking, the challenge or the RST is dropped on the way. SYNs that nobody follows up with RST, retry or connection are guesses, and info.",
	.repro = "capture while a client connects from a fixed port, ends with SO_LINGER 0 behind a router that drops that RST, and connects again",
};
