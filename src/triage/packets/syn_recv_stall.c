/* SPDX-License-Identifier: MIT */
/* syn-recv-stall from packets: SYN-ACKs are repeated, and the client does not complete the handshake. */
#include "../attempts.h"
#include "../packets.h"

enum limit {
	REPEATS,
	COUNT,
	CRIT_COUNT,
	SPREAD,
	SPREAD_OF,
	PUBLIC_SHARE,
	PUBLIC_NETWORKS,
	LEAST_TARGETS,
	MOST_TRIES,
	LEAST_SHARE,
};

static const struct threshold thresholds[] = {
	[REPEATS] = { "syn_ack_repeats", UNIT_COUNT, 2, "the second repetition comes after three seconds: the final ACK was not lost once" },
	[COUNT] = { "unfinished", UNIT_COUNT, 5, "clients of one server; fewer are clients that vanished" },
	[CRIT_COUNT] = { "critical_unfinished", UNIT_COUNT, 20, "so many are a network that cannot connect, not clients with bad luck" },
	[SPREAD] = { "client_spread", UNIT_RATIO, 0.5, "networks for each client: a broken path stops all clients of a few networks, invented addresses come from everywhere" },
	[SPREAD_OF] = { "client_spread_of", UNIT_COUNT, 20, "fewer clients may be from networks of their own by chance" },
	[PUBLIC_SHARE] = { "internet_share", UNIT_RATIO, 0.01, "of the attempts from the Internet; fewer clients from there vanish all the time" },
	[PUBLIC_NETWORKS] = { "internet_networks", UNIT_COUNT, 5, "from the Internet, one network or two may be broken at their end" },
	[LEAST_TARGETS] = SCAN_TARGETS,
	[MOST_TRIES] = SCAN_TRIES,
	[LEAST_SHARE] = SCAN_SHARE,
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_ASKED_AGAIN 0.9
#define CONFIDENCE_QUIET 0.75

/**
 * struct tally - one server endpoint. @half: attempts of clients that do not finish, moved to the front. @repeating: of them send their SYN again. @opened: handshakes
 * that completed.
 */
struct tally {
	struct flow_members half;
	const struct flow_member *worst;
	uint64_t attempts, opened, repeating, networks, clients;
	double share;
	enum flow_inbound inbound;
};

static bool is_half(const struct view *view, const struct flow_member *m)
{
	return attempt_of(m->flow) == ATTEMPT_HALF && !flow_went_on(m->flow, 0) && !m->own->resets &&
	       m->other->syn_retries >= view->values[REPEATS];
}

/* With those that came near to it. */
static bool is_wanted(const struct view *view, const struct flow_member *m)
{
	(void)view;
	return m->other->syn_retries && !flow_went_on(m->flow, 0);
}

static struct tally tally_of(const struct view *view, const struct flow_members *run)
{
	struct tally t = { .half = { .at = run->at }, .worst = run->at, .attempts = run->count };

	for (size_t i = 0; i < run->count; i++) {
		struct flow_member m = run->at[i];

		t.opened += attempt_of(m.flow) == ATTEMPT_OPENED;
		if (!is_half(view, &m))
			continue;
		run->at[i] = run->at[t.half.count];
		run->at[t.half.count++] = m;
		t.repeating += m.own->syn_retries > 0;
	}
	for (size_t i = 0; i < t.half.count; i++) {
		if (run->at[i].other->syn_retries > t.worst->other->syn_retries)
			t.worst = &run->at[i];
	}
	t.share = (double)t.half.count / (double)t.attempts;
	t.clients = flow_members_hosts(view, &t.half, false);
	t.networks = flow_members_hosts(view, &t.half, true);
	t.inbound = flow_members_inbound(&t.half);
	return t;
}

/* Invented addresses: many, from everywhere, and none asks a second time. */
static bool looks_like_flood(const struct view *view, const struct tally *t)
{
	return (double)t->half.count >= view->values[SPREAD_OF] && !t->repeating &&
	       (double)t->networks >= view->values[SPREAD] * (double)t->half.count;
}

static bool stands_out(const struct view *view, const struct tally *t)
{
	return t->inbound == INBOUND_NO ||
	       (t->share >= view->values[PUBLIC_SHARE] && (double)t->networks >= view->values[PUBLIC_NETWORKS] && t->repeating);
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	*limit = COUNT;
	if ((double)t->half.count < view->values[COUNT] || !stands_out(view, t))
		return SEVERITY_INFO;
	if ((double)t->half.count < view->values[CRIT_COUNT])
		return SEVERITY_WARNING;
	*limit = looks_like_flood(view, t) ? SPREAD : CRIT_COUNT;
	return *limit == SPREAD ? SEVERITY_WARNING : SEVERITY_CRITICAL;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	struct flow_members server = attempts_at_server(view, &t->half, NULL);
	const struct flow *worst = t->worst->flow;

	finding_flows(f, view, &server);
	finding_add_text(f, "client", flow_who_text(view, &t->half), "capture");
	finding_add(f, "attempts", (double)t->attempts, UNIT_COUNT, "capture");
	finding_add(f, "opened", (double)t->opened, UNIT_COUNT, "capture");
	finding_add(f, "clients", (double)t->clients, UNIT_COUNT, "capture");
	finding_add(f, "networks", (double)t->networks, UNIT_COUNT, "capture");
	finding_add(f, "repeating", (double)t->repeating, UNIT_COUNT, "capture");
	finding_add(f, "syn_ack_repeats", t->worst->other->syn_retries, UNIT_COUNT, "capture");
	finding_add(f, "lasts", (double)MAX(t->worst->other->last_ns - worst->first_ns, 0) / 1e6, UNIT_MS, "capture");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, worst), UNIT_MS, "capture");
	finding_add(f, "flow", (double)worst->number, UNIT_NONE, "capture");
	finding_add_text(f, "example", view_addr_text(view, &t->worst->here.addr), "capture");
}

static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	static const char *const rest[] = { "ip route get {example} # on the server: is the way back the way here?",
					    "nstat -az TcpExtTCPSynRetrans TcpExtIPReversePathFilter # on both ends", NULL };

	f->title = t->repeating ? "Handshakes with {local} do not complete: its SYN-ACKs do not reach {client}" :
				  "Handshakes with {local} do not complete: no answer to its SYN-ACKs from {client}";
	if (looks_like_flood(view, t))
		f->title = "Handshakes with {local} do not complete: {clients} addresses from {networks} networks never answer, as in a SYN flood";
	f->detail = "{flows} of {attempts|attempt}, {repeating} of them repeat their SYN · SYN-ACK repeated {syn_ack_repeats|time} over {lasts}, the first {begins_at} into the capture (flow {flow}) · {opened|handshake} completed";
	f->next = flow_next(view, "host {local_addr} and tcp port {local_port}", rest);
}

static void add_doubts(struct finding *f, const struct view *view, const struct tally *t)
{
	if (!t->repeating)
		finding_against(f, "no client sends its SYN again: they are gone, invented, or believe that they are connected and their final ACK is not in this capture");
	if (looks_like_flood(view, t))
		finding_against(f, "clients from as many networks as there are clients: a broken path would stop all clients of a few");
	if (t->opened)
		finding_against(f, "{opened|other handshake} with the same server completed");
	if (t->inbound != INBOUND_NO)
		finding_against(f, "the clients have global addresses, where clients vanish and scanners do not finish");
	finding_trust(f, view);
}

static void file_run(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	struct tally t = tally_of(view, run);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_SYN_RECV_STALL, t.half.count > 0))
		return;
	severity = judge(view, &t, &limit);
	f = sink_finding(sink, severity, flow_confidence(view, t.repeating ? CONFIDENCE_ASKED_AGAIN : CONFIDENCE_QUIET));
	f->share = t.share;
	add_evidence(f, view, &t);
	describe(f, view, &t);
	add_doubts(f, view, &t);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct scan_limits limits = { view->values[LEAST_TARGETS], view->values[MOST_TRIES], view->values[LEAST_SHARE] };
	struct flow_members all = attempts_collect(view, is_wanted);
	double most = -1;

	scans_take(view, sink, &all, &limits, NULL);
	flow_members_file(view, sink, &all, file_run);
	for (size_t i = 0; i < all.count && !sink->filed; i++) {
		if (is_wanted(view, &all.at[i]))
			most = MAX(most, all.at[i].other->syn_retries);
	}
	if (most >= 0)
		sink_near_miss(sink, "SYN-ACKs repeated to one client", most, REPEATS);
}

const struct rule_signal packets_syn_recv_stall = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"The server repeats its SYN-ACK, and from the client comes nothing but SYNs. A client that sends its SYN again does not get the answer: the way back is broken behind the place of the capture. A client that stays quiet has vanished "
		"or its address is invented; many of them, each from a network of its own, are a SYN flood rather than a fault. As soon as the client's final ACK is in the capture this rule is silent, and accept-queue-overflow judges. "
		"A client that answers with RST does not want the connection (a half-open scan) and is not counted, and neither are the few handshakes that a scanner's source leaves open.",
	.repro = "capture while a router drops the SYN-ACKs of one server port and six clients connect",
};
