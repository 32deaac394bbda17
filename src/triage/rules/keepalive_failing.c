/* SPDX-License-Identifier: MIT */
/* keepalive-failing: probes on idle connections go unanswered. */
#include "../kit.h"
#include "tcptriage/model/timers.h"

enum limit {
	PROBES,
	INTERVALS,
	SURE_PROBES,
	CRIT_SOCKETS,
	LAST_PROBES,
	SHARE,
	PREFIXES,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
	[PROBES] = { "probes", UNIT_COUNT, 2, "in a row without an answer; one lost probe proves nothing (RFC 9293 §3.8.4)" },
	[INTERVALS] = { "silent_intervals", UNIT_RATIO, 2, "intervals of silence: the newest probe may still be under way, those before it are not" },
	[SURE_PROBES] = { "sure_probes", UNIT_COUNT, 3, "that many in a row are not lost by chance, seconds to minutes apart" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 3, "connections to one destination: it, or the way to it, is gone" },
	[LAST_PROBES] = { "probes_left", UNIT_COUNT, 1, "probes before the connection is ended, by the host-wide count" },
	[SHARE] = { "accepted_share", UNIT_PERCENT, 5, "of a public listener's connections; clients that went away are always some" },
	[PREFIXES] = { "accepted_prefixes", UNIT_COUNT, 5, "of clients; one network may have lost its own way to us" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "silent neighbours share a network and most likely a path" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_TWO 0.8
#define CONFIDENCE_SURE 0.9
#define SINGLE_SOCKET 0.8

/** struct tally - silent connections of one destination, network or public listener. @worst: most probes, of these the one to end first. */
struct tally {
	uint64_t sockets;
	double probes, gives_up_ms;
	int64_t silent_ms;
	const struct member *worst;
};

static bool candidate(const struct sock *sock)
{
	return sock->timer == SOCK_TIMER_KEEPALIVE && sock->retrans > 0;
}

/* Below this an interval cannot be: the running timer, and that of the look before if it is the same wait. */
static double least_interval_ms(const struct candidate *c)
{
	const struct sock *a = &c->first.sock, *b = &c->last.sock;
	bool same_wait = candidate(a) && sock_tcpi(a, TCPI_PROBES) == sock_tcpi(b, TCPI_PROBES);

	return MAX((double)b->expires_ms, same_wait ? (double)a->expires_ms : 0);
}

static bool keep(const struct view *view, struct member *member)
{
	(void)view;
	if (!member->sock->info.len || !candidate(member->sock))
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	member->age_ms = sock_heard_ms(member->sock);
	return true;
}

static bool is_failing(const struct view *view, const struct member *m)
{
	return (double)sock_tcpi(m->sock, TCPI_PROBES) >= view->values[PROBES] &&
	       (double)m->age_ms >= view->values[INTERVALS] * least_interval_ms(m->candidate);
}

/* Takes out of @all what may still be answered. Return: the most probes among it, −1 none. */
static double keep_failing(const struct view *view, struct members *all)
{
	double most = -1;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (is_failing(view, &all->at[i]))
			all->at[kept++] = all->at[i];
		else
			most = MAX(most, (double)sock_tcpi(all->at[i].sock, TCPI_PROBES));
	}
	all->count = kept;
	return most;
}

static double gives_up_ms(const struct view *view, const struct member *m)
{
	return keepalive_give_up_ms(&view->snap->sysctls, &m->candidate->first.sock, m->sock);
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .silent_ms = members_oldest_ms(run) };

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];
		double probes = (double)sock_tcpi(m->sock, TCPI_PROBES), left = gives_up_ms(view, m);

		t.sockets++;
		if (!t.worst || probes > t.probes || (probes == t.probes && left < t.gives_up_ms)) {
			t.worst = m;
			t.probes = probes;
			t.gives_up_ms = left;
		}
	}
	return t;
}

static enum severity judge(const struct view *view, const struct members *run,
			   const struct tally *t, enum limit *limit)
{
	if (member_is_public(run->at)) {
		*limit = SHARE;
		return members_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]) ?
			       SEVERITY_WARNING :
			       SEVERITY_INFO;
	}
	*limit = CRIT_SOCKETS;
	if ((double)t->sockets >= view->values[CRIT_SOCKETS])
		return SEVERITY_CRITICAL;
	*limit = LAST_PROBES;
	if (t->probes + view->values[LAST_PROBES] >= keepalive_count(&view->snap->sysctls))
		return SEVERITY_CRITICAL;
	*limit = PROBES;
	return SEVERITY_WARNING;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct candidate *c = t->worst->candidate;
	const struct sock *s = t->worst->sock;

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "probes", t->probes, UNIT_COUNT, "tcpi_probes");
	finding_add(f, "probe_limit", keepalive_count(&view->snap->sysctls), UNIT_COUNT, "tcp_keepalive_probes");
	finding_add(f, "interval", keepalive_interval_ms(&view->snap->sysctls, &c->first.sock, s), UNIT_MS,
		    "tcp_keepalive_intvl, tcpi_last_ack_recv, idiag_expires");
	finding_add(f, "next_probe", s->expires_ms, UNIT_MS, "idiag_expires");
	finding_add(f, "silent", (double)t->silent_ms, UNIT_MS, "tcpi_last_ack_recv, tcpi_last_data_recv");
	finding_timeout(f, "idle", t->gives_up_ms, "tcp_keepalive_probes");
	finding_add_text(f, "example", view_addr_text(view, &s->peer.addr), "sock_diag");
	finding_add_text(f, "route", view_route_text(view, &s->peer.addr), "rtnetlink");
	finding_address_class(f, &s->peer.addr);
	finding_counter(f, view, COUNTER_TCP_KEEP_ALIVE, "keepalives_sent");
	finding_counter(f, view, COUNTER_TCP_ABORT_ON_TIMEOUT, "ended_by_timeout");
}

static void describe(struct finding *f, const struct members *run, const struct tally *t)
{
	f->title = member_is_public(run->at) ?
			   "Clients of {local} do not answer the keepalive probes of {owner}" :
			   "{peer} does not answer the keepalive probes of {owner}";
	f->detail = t->gives_up_ms < 0 ?
			    "{count|socket}, nothing heard for {silent} · {probes|probe} in a row, more than tcp_keepalive_probes ({probe_limit}): the program has set a count of its own · {route}" :
			    "{count|socket}, nothing heard for {silent} · {probes|probe} in a row, about {interval} apart · ETIMEDOUT in about {gives_up} · {route}";
}

static void add_doubts(struct finding *f, const struct members *run, const struct tally *t)
{
	if (t->gives_up_ms >= 0)
		finding_against(f, "TCP_KEEPCNT and TCP_USER_TIMEOUT of the socket cannot be seen: by the host-wide count of {probe_limit} it ends in {gives_up}, with its own perhaps sooner");
	if (member_is_public(run->at))
		finding_against(f, "clients on the Internet vanish all the time: that is what the probes are for");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	double confidence = t.probes >= view->values[SURE_PROBES] ? CONFIDENCE_SURE : CONFIDENCE_TWO;
	enum limit limit;
	enum severity severity = judge(view, run, &t, &limit);
	struct finding *f;

	if (!RULE_MAIN(KEEPALIVE_FAILING, t.sockets > 0))
		return;
	f = sink_finding(sink, severity, view_confidence(view, confidence, false));
	f->count = t.sockets;
	f->scope_factor = t.sockets == 1 ? SINGLE_SOCKET : 1;
	finding_owner(f, members_owner(run));
	finding_members(f, run, network);
	add_evidence(f, view, &t);
	describe(f, run, &t);
	add_doubts(f, run, &t);
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep);
	double most = keep_failing(view, &all);

	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && most >= 0)
		sink_near_miss(sink, "most keepalive probes without an answer", most, PROBES);
	if (members_any_public(&all))
		sink_skip_history(sink, "whether more clients than usual have vanished");
}

const struct rule rule_keepalive_failing = {
	.id = "keepalive-failing",
	.title = "Keepalive probes go unanswered",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO,
	.states = STATE_BIT(SOCK_STATE_ESTAB) | STATE_BIT(SOCK_STATE_CLOSE_WAIT),
	.candidate = candidate,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"With SO_KEEPALIVE the kernel asks a quiet peer whether it is still there. A live one answers at once, with an acknowledgement or with a reset, whatever its program does. Two or more probes in a row "
		"without either mean that the questions or the answers get lost: the peer is gone, or something on the way has forgotten the connection and drops what belongs to it.\n\n"
		"The program does not know yet. After the last probe (9 by default, 75 s apart) its next call fails with ETIMEDOUT; until then the connection sits in a pool and looks as good as any other, and a request "
		"that is sent on it hangs.\n\n"
		"What is shown: the probes in a row without an answer, the time since anything was heard, and when the connection will be ended. The interval is measured when a probe was sent between two looks, "
		"and otherwise the host-wide setting within the bounds that the running timer allows. The number of probes is the host-wide setting: a program's own TCP_KEEPCNT cannot be seen.\n\n"
		"A peer that sends keepalive probes to us leaves no trace in the numbers of our socket: only the side that asks can tell.",
	.look_alikes = (const char *const[]){
		"an idle connection whose probes are answered: the keepalive timer runs and the count of probes is 0",
		"one probe that was lost: it proves nothing, the next one is waited for",
		"a peer that sends data again: the count of probes stays where it was until it acknowledges something, but the silence is over",
		"a connection with unacknowledged data: the retransmission timer runs instead (dead-peer-unacked)",
		"clients on the Internet that went away: info, unless a good share of a listener's clients from many networks is silent",
		NULL },
	.causes = (const char *const[]){
		"a NAT or firewall on the way has dropped the idle connection and says nothing",
		"the peer crashed, was cut off, or its address moved to a machine that does not know the connection",
		"a route on the way has changed and leads nowhere",
		NULL },
	.next = (const char *const[]){
		"tcptriage trace {service}",
		"tcptriage states -i dst {example}",
		"ping -c 3 {example}",
		"ip route get {example}",
		"nstat -az TcpExtTCPKeepAlive TcpExtTCPAbortOnTimeout",
		NULL },
	.fixes = (const char *const[]){
		"drop pooled connections before the idle timeout of whatever is on the way; do not rely on probes to find them dead",
		"where connections have to stay: TCP_KEEPIDLE at half of that idle timeout, so that the probes keep its entry alive",
		"treat ETIMEDOUT as a broken connection: connect again, and repeat what may be repeated",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.8.4", "RFC 1122 §4.2.3.6", "RFC 5382 §5",
				       "Documentation/networking/ip-sysctl.rst (tcp_keepalive_probes)",
				       "net/ipv4/tcp_timer.c (tcp_keepalive_timer)", NULL },
	.repro = "two idle connections with TCP_KEEPIDLE 2 and TCP_KEEPINTVL 2, then drop everything between the hosts",
};
