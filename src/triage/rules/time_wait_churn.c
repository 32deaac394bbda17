/* SPDX-License-Identifier: MIT */
/* time-wait-churn: many short connections, mostly harmless. */
#include "../kit.h"
#include "tcptriage/triage/port_headroom.h"

enum limit {
	COUNT,
	RATE,
	WARN_STEADY,
	WARN_BUCKETS,
	TOP_SHARE,
};

static const struct threshold thresholds[] = {
	[COUNT] = { "count", UNIT_SOCKETS, 5000, "what people see in a list and worry about; below it nobody asks" },
	[RATE] = { "rate", UNIT_PER_S, 100, "connections a second closed towards one destination: keeping them would save a handshake each" },
	[WARN_STEADY] = { "steady", UNIT_RATIO, 0.5, "TIME-WAIT alone will hold half of the source ports to one destination" },
	[WARN_BUCKETS] = { "bucket_share", UNIT_RATIO, 0.7, "above tcp_max_tw_buckets the kernel drops TIME-WAIT early and loses its protection" },
	[TOP_SHARE] = { "top_share", UNIT_RATIO, 0.5, "a destination with half of them is named" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.9

/**
 * struct tally - the namespace's TIME-WAIT. @busiest: outbound tuple with the most, @server: listener with the most; NULL none.
 * @rate: closed a second towards @busiest; @server_side: how many hold no port of ours.
 */
struct tally {
	uint64_t total, estab, server_side;
	const struct tuple_group *busiest;
	const struct listener *server;
	double rate;
	bool has_room;
	struct headroom room;
};

static void find_server(const struct snapshot *snap, struct tally *t)
{
	const struct listener *listener;

	for (size_t i = 0; (listener = snapshot_listener(snap, i)); i++) {
		t->server_side += listener->time_wait;
		if (listener->time_wait && (!t->server || listener->time_wait > t->server->time_wait))
			t->server = listener;
	}
}

static void find_busiest(const struct snapshot *snap, struct tally *t)
{
	const struct tuple_group *group;

	for (size_t i = 0; (group = snapshot_group(snap, i)); i++) {
		if (group->outbound && group->time_wait &&
		    (!t->busiest || group->time_wait > t->busiest->time_wait))
			t->busiest = group;
	}
	if (!t->busiest)
		return;
	t->rate = t->busiest->tw_recent / (SNAPSHOT_TW_RECENT_MS / 1e3);
	t->has_room = headroom_of(snap, t->busiest, &t->room);
}

static struct tally tally_of(const struct snapshot *snap)
{
	struct tally t = { 0 };

	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		t.total += snap->counts[NETID_TCP][family][SOCK_STATE_TIME_WAIT];
		t.estab += snap->counts[NETID_TCP][family][SOCK_STATE_ESTAB];
	}
	find_server(snap, &t);
	find_busiest(snap, &t);
	return t;
}

static double bucket_share(const struct snapshot *snap, const struct tally *t)
{
	int64_t buckets = sysctl_or(&snap->sysctls, SYSCTL_TCP_MAX_TW_BUCKETS, 0);

	return buckets > 0 ? (double)t->total / (double)buckets : 0;
}

static bool fires(const struct view *view, const struct tally *t, enum severity *severity,
		  enum limit *limit)
{
	const double *l = view->values;

	*severity = SEVERITY_WARNING;
	*limit = WARN_BUCKETS;
	if (bucket_share(view->snap, t) >= l[WARN_BUCKETS])
		return true;
	*limit = RATE;
	if (t->rate >= l[RATE] && t->has_room && t->room.steady >= l[WARN_STEADY]) {
		*limit = WARN_STEADY;
		return true;
	}
	*severity = SEVERITY_INFO;
	if (t->rate >= l[RATE])
		return true;
	*limit = COUNT;
	return (double)t->total >= l[COUNT];
}

static void add_rate(struct finding *f, const struct view *view, const struct tally *t)
{
	static const enum counter_id ids[] = { COUNTER_TW, COUNTER_TW_KILLED, COUNTER_TW_RECYCLED };
	double window = view_window_s(view);
	uint64_t sum = 0, delta;

	finding_add(f, "closed_per_s", t->rate, UNIT_PER_S, "idiag_expires");
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		if (view_delta(view, ids[i], &delta))
			sum += delta;
	}
	if (window > 0 && sum)
		finding_add(f, "ended_per_s", (double)sum / window, UNIT_PER_S,
			    "TcpExtTW, TcpExtTWKilled, TcpExtTWRecycled");
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	finding_add(f, "time_wait", (double)t->total, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "server_side", (double)t->server_side, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "short_lived", 100.0 * (double)t->total / (double)(t->total + t->estab),
		    UNIT_PERCENT, "sock_diag");
	finding_add(f, "used_percent", t->has_room ? t->room.pct : 0, UNIT_PERCENT, "rule");
	finding_add(f, "steady_percent", t->has_room ? 100 * t->room.steady : 0, UNIT_PERCENT, "rule");
	finding_add(f, "bucket_percent", 100 * bucket_share(view->snap, t), UNIT_PERCENT,
		    "tcp_max_tw_buckets");
	if (t->busiest)
		finding_add(f, "busiest", t->busiest->time_wait, UNIT_SOCKETS, "sock_diag");
	add_rate(f, view, t);
}

static void describe(struct finding *f, const struct tally *t, enum limit limit)
{
	if (limit == WARN_BUCKETS) {
		f->title = "{count|socket} in TIME-WAIT are close to tcp_max_tw_buckets ({bucket_percent})";
		f->detail = "{server_side} of them on the server's side · beyond the limit connections end without TIME-WAIT";
	} else if (limit == WARN_STEADY) {
		f->title = "Short connections to {peer}: at {closed_per_s} TIME-WAIT will hold {steady_percent} of the source ports";
		f->detail = "{count} in TIME-WAIT, {busiest} of them to {peer}, which we close first · {used_percent} of the ports taken now";
	} else if (t->busiest) {
		f->title = "{count|socket} in TIME-WAIT; the busiest destination takes {used_percent} of its source ports: harmless";
		f->detail = "{closed_per_s} closed by us towards it · {server_side} on the server's side, which hold no port · {short_lived} of all connections are short";
	} else {
		f->title = "{count|socket} in TIME-WAIT on the server's side: harmless, they hold no source port";
		f->detail = "we close first · {short_lived} of all connections are short";
	}
}

static void set_scope(struct finding *f, const struct view *view, const struct tally *t)
{
	double most = view->values[TOP_SHARE] * (double)t->total;

	if (t->busiest && ((double)t->busiest->time_wait >= most || t->rate >= view->values[RATE]))
		finding_peer(f, &(struct endpoint){ t->busiest->peer, t->busiest->peer_port });
	else if (t->server && t->server->time_wait >= most)
		finding_local(f, &t->server->last.sock.local);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct tally t = tally_of(view->snap);
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (view->snap->samples < 2)
		sink_skip_part(sink, "rate by counters: one sample shows no growth");
	if (!RULE_MAIN(TIME_WAIT_CHURN, t.total > 0 && fires(view, &t, &severity, &limit))) {
		sink_near_miss(sink, "TIME-WAIT", (double)t.total, COUNT);
		return;
	}
	f = sink_finding(sink, severity, view_confidence(view, CONFIDENCE, false));
	f->count = t.total;
	f->share = t.has_room ? t.room.steady : 0;
	set_scope(f, view, &t);
	add_evidence(f, view, &t);
	describe(f, &t, limit);
	finding_threshold(f, sink, limit);
}

const struct rule rule_time_wait_churn = {
	.id = "time-wait-churn",
	.title = "Many short connections leave TIME-WAIT behind (mostly harmless)",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_SYSCTLS,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"The side that closes a connection first keeps a small record of it in TIME-WAIT, for 60 seconds on Linux, so that late segments cannot be taken for part of a new connection with the same "
		"numbers and the last ACK can be repeated. It is a normal end, not a fault, and costs a few hundred bytes; no process owns it any more.\n\n"
		"It matters in one case only: on the side that opens connections each record holds a source port towards that one destination. What counts is therefore the share of the ports "
		"to the busiest destination, not the total. On the server's side all of them share the listener's port and take nothing.\n\n"
		"The time is a constant of the kernel. tcp_fin_timeout is about another state (FIN-WAIT-2) and does not change it. Removing TIME-WAIT by force is what RFC 1337 warns of.",
	.look_alikes = (const char *const[]){
		"many in TIME-WAIT over many destinations, or on the server's side: reported as harmless, with the number that shows it",
		"source ports that do run out: that is ephemeral-port-exhaustion, which this finding is folded into",
		NULL },
	.causes = (const char *const[]){
		"a new connection for each request (no keep-alive, no pool)",
		"health checks and monitoring at a high rate",
		NULL },
	.next = (const char *const[]){
		"tcptriage states --group-by peer-port state time-wait",
		"nstat -az TcpExtTW TcpExtTCPTimeWaitOverflow",
		NULL },
	.fixes = (const char *const[]){
		"keep connections and use them again (keep-alive, a pool)",
		"nothing else needs mending as long as the headroom is there",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.6.1", "RFC 1337 §1", "RFC 1337 §3",
				       "net/ipv4/tcp_minisocks.c (tcp_time_wait)", NULL },
	.repro = "open and close 3000 connections a few seconds long over three destination ports",
};
