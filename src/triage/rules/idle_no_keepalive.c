/* SPDX-License-Identifier: MIT */
/* idle-no-keepalive: connections that are silent for so long that a NAT or load balancer forgets them, and that nothing keeps alive. */
#include "../idle_budget.h"
#include "../kit.h"

#include <stdlib.h>

enum limit {
	BUDGET,
	BUDGET_SHARE,
	SOCKETS,
	POOL_PERCENT,
	POOL_SOCKETS,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
	[BUDGET] = { "budget", UNIT_MS, 350000, "what a common NAT gateway remembers; a cloud's own limit and this host's tracking come before it" },
	[BUDGET_SHARE] = { "budget_share", UNIT_RATIO, 0.8, "this much of the limit has passed in silence: the next request may come too late" },
	[SOCKETS] = { "sockets", UNIT_SOCKETS, 10, "a pool whose connections will fail one after the other when it is used again" },
	[POOL_PERCENT] = { "pool_percent", UNIT_PERCENT, 50, "every second connection of the pool to this destination" },
	[POOL_SOCKETS] = { "pool_sockets", UNIT_SOCKETS, 4, "fewer connections to a destination are sessions of somebody, not a pool" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "neighbours in one network lie behind the same devices" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define QUOTA 2048
/* Remembered from this part of the shortest budget on, so that a socket is known before it is judged. */
#define WORTH_SHARE 0.5
/* Routes asked for in one run; of remotes beyond them nothing is said. */
#define ROUTES_ASKED 512
#define CONFIDENCE_WATCHED 0.85
#define CONFIDENCE_ONE_LOOK 0.6

/** enum way - what lies between this host and a remote. */
enum way { WAY_UNKNOWN, WAY_NEAR, WAY_FAR };

/** struct tally - idle connections of one process to one destination. @pool: its connections to it, idle or not. Times in ms. */
struct tally {
	uint64_t sockets, past, pool;
	double oldest, youngest, median;
	struct idle_budget budget;
	bool watched, outbound;
};

static bool candidate(const struct sock *sock)
{
	return sock->timer == SOCK_TIMER_NONE && sock->inode && sock->info.len &&
	       !addr_is_loopback(&sock->peer.addr);
}

static const struct sysctls *settings_of(const struct snapshot *snap)
{
	return snap->has_sysctls ? &snap->sysctls : NULL;
}

/* Idle clients on the Internet are a matter of their own NAT: they do not take the place of others. */
static bool worth(const struct snapshot *snap, const struct sock *sock)
{
	double least = idle_budget_least_ms(settings_of(snap));

	if ((double)sock_tcpi(sock, TCPI_LAST_ACK_RECV) < WORTH_SHARE * least)
		return false;
	return !addr_is_global(&sock->peer.addr) || !snapshot_listener_for(snap, &sock->local);
}

static struct idle_budget budget_of(const struct view *view, const struct sock *sock)
{
	return idle_budget_of(view->platform, settings_of(view->snap), view->values[BUDGET],
			      &sock->local.addr, &sock->peer.addr);
}

static double silence_of(const struct sock *sock)
{
	return (double)sock_tcpi(sock, TCPI_LAST_ACK_RECV);
}

/* The peer's probes, and our answers to them, refresh no clock: only the counts of segments tell (net/ipv4/tcp_input.c). */
static bool is_silent(const struct view *view, const struct candidate *c)
{
	const struct sock *first = &c->first.sock, *last = &c->last.sock;

	if (view->snap->samples < 2)
		return true;
	return c->seen > 1 && sock_tcpi(first, TCPI_SEGS_IN) == sock_tcpi(last, TCPI_SEGS_IN) &&
	       sock_tcpi(first, TCPI_SEGS_OUT) == sock_tcpi(last, TCPI_SEGS_OUT);
}

static bool keep(const struct view *view, struct member *member)
{
	const struct sock *sock = member->sock;

	if (sock->state != SOCK_STATE_ESTAB || !candidate(sock) || member_is_public(member) ||
	    addr_equal(&sock->local.addr, &sock->peer.addr))
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	return silence_of(sock) >= view->values[BUDGET_SHARE] * budget_of(view, sock).ms &&
	       is_silent(view, member->candidate);
}

static enum way way_to(const struct view *view, const struct addr *remote)
{
	const struct route *route = view->route_of(view, remote);

	if (!route)
		return WAY_UNKNOWN;
	return !route->error && !route->is_local && route->has & ROUTE_HAS_GATEWAY ? WAY_FAR : WAY_NEAR;
}

/* Leaves those behind a gateway. @all: sorted by key. Return: how many were left out because their route is unknown. */
static size_t keep_far(const struct view *view, struct members *all)
{
	size_t kept = 0, unknown = 0, asked = 0;
	enum way way = WAY_UNKNOWN;

	for (size_t i = 0; i < all->count; i++) {
		const struct addr *remote = &all->at[i].key.addr;

		if (!i || !addr_equal(remote, &all->at[i - 1].sock->peer.addr))
			way = asked++ < ROUTES_ASKED ? way_to(view, remote) : WAY_UNKNOWN;
		unknown += way == WAY_UNKNOWN;
		all->at[i].mark = way == WAY_FAR;
	}
	for (size_t i = 0; i < all->count; i++) {
		if (all->at[i].mark)
			all->at[kept++] = all->at[i];
	}
	all->count = kept;
	return unknown;
}

static bool same_pool(const struct member *a, const struct member *b)
{
	return members_same_key(a, b) && addr_equal(&a->sock->local.addr, &b->sock->local.addr);
}

static bool seen_before(const struct members *run, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (same_pool(&run->at[i], &run->at[index]))
			return true;
	}
	return false;
}

/* Every connection to these destinations, of whatever process. */
static uint64_t pool_of(const struct view *view, const struct members *run)
{
	uint64_t pool = 0;

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];
		const struct tuple_group *group;

		if (seen_before(run, i))
			continue;
		group = snapshot_group_find(view->snap, &m->sock->local.addr, &m->key.addr, m->key.port);
		pool += group ? group->estab : 0;
	}
	return MAX(pool, run->count);
}

static int by_size(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	double *silences = arena_alloc(view->arena, run->count * sizeof(*silences));
	struct tally t = { .sockets = run->count,
			   .budget = budget_of(view, run->at->sock),
			   .watched = view->snap->samples > 1,
			   .outbound = run->at->candidate->outbound };

	for (size_t i = 0; i < run->count; i++) {
		silences[i] = silence_of(run->at[i].sock);
		t.past += silences[i] >= t.budget.ms;
	}
	qsort(silences, run->count, sizeof(*silences), by_size);
	t.youngest = silences[0];
	t.median = silences[run->count / 2];
	t.oldest = silences[run->count - 1];
	t.pool = pool_of(view, run);
	return t;
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	const double *l = view->values;

	*limit = SOCKETS;
	if (t->budget.known && (double)t->sockets >= l[SOCKETS])
		return SEVERITY_WARNING;
	*limit = POOL_PERCENT;
	if (t->budget.known && t->outbound && (double)t->pool >= l[POOL_SOCKETS] &&
	    100.0 * (double)t->sockets >= l[POOL_PERCENT] * (double)t->pool)
		return SEVERITY_WARNING;
	*limit = BUDGET_SHARE;
	return SEVERITY_INFO;
}

static void add_evidence(struct finding *f, const struct view *view, const struct members *run,
			 const struct tally *t)
{
	const struct snapshot *snap = view->snap;

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "pool", (double)t->pool, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "share", 100.0 * (double)t->sockets / (double)t->pool, UNIT_PERCENT, "rule");
	finding_add(f, "oldest", t->oldest, UNIT_MS, "tcpi_last_ack_recv");
	finding_add(f, "median", t->median, UNIT_MS, "tcpi_last_ack_recv");
	finding_add(f, "youngest", t->youngest, UNIT_MS, "tcpi_last_ack_recv");
	finding_add(f, "past_budget", (double)t->past, UNIT_SOCKETS, "rule");
	finding_add(f, "budget", t->budget.ms, UNIT_MS, t->budget.source);
	finding_add_text(f, "device", t->budget.device, t->budget.source);
	finding_add_text(f, "budget_source", t->budget.source, "rule");
	finding_add_text(f, "example", view_addr_text(view, &run->at->sock->peer.addr), "sock_diag");
	finding_add_text(f, "route", view_route_text(view, &run->at->sock->peer.addr), "rtnetlink");
	finding_address_class(f, &run->at->sock->peer.addr);
	finding_timeout(f, "idle", -1, NULL);
	if (view->window_us > 0)
		finding_add(f, "window", view_window_s(view), UNIT_S, "rule");
	if (snap->has_sysctls && snap->sysctls.has[SYSCTL_TCP_KEEPALIVE_TIME_S])
		finding_add(f, "keepalive_time",
			    (double)snap->sysctls.value[SYSCTL_TCP_KEEPALIVE_TIME_S], UNIT_S,
			    "tcp_keepalive_time");
	if (t->budget.own)
		finding_add(f, "tracked", (double)snap->sysctls.value[SYSCTL_CONNTRACK_COUNT],
			    UNIT_COUNT, "nf_conntrack_count");
}

static void describe(struct finding *f, const struct tally *t)
{
	bool one = t->sockets == 1;

	if (t->outbound)
		f->title = one ? "{owner} holds a connection to {peer} that is silent for {oldest}, without keepalive" :
				 "{owner} holds {count|connection} to {peer} that are silent for up to {oldest}, without keepalive";
	else
		f->title = one ? "{owner} holds a connection from {peer} that is silent for {oldest}, without keepalive" :
				 "{owner} holds {count|connection} from {peer} that are silent for up to {oldest}, without keepalive";
	if (t->budget.known)
		f->detail = "{device} forgets them after {budget} ({budget_source}): {past_budget} of {count} are past it · of {pool} to there in all · half are silent for {median} or more · nothing ever ends them here: the kernel does not probe · {route}";
	else
		f->detail = "{device} on the way may forget them after {budget} ({budget_source}) · of {pool} to there in all · half are silent for {median} or more · nothing ever ends them here: the kernel does not probe · {route}";
}

static void add_doubts(struct finding *f, const struct tally *t)
{
	if (!t->watched)
		finding_against(f, "one look only: probes that the peer sends cannot be seen in it");
	if (t->budget.own)
		finding_against(f, "with nf_conntrack_tcp_loose the next packet from here makes a new entry, unless a rule asks for a SYN; what was translated is lost all the same");
	else if (t->budget.known)
		finding_against(f, "a machine with a public address of its own needs no NAT gateway, and limits can be configured");
	else
		finding_against(f, "no device that forgets is known on this way: without one, silent connections stay for ever");
	finding_against(f, "a program that speaks before {budget} has passed keeps its connection; these have not for {youngest} at least");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	double confidence = t.watched ? CONFIDENCE_WATCHED : CONFIDENCE_ONE_LOOK;
	enum limit limit;
	enum severity severity = judge(view, &t, &limit);
	struct finding *f = sink_finding(sink, severity, view_confidence(view, confidence, false));

	f->count = t.sockets;
	f->share = (double)t.sockets / (double)t.pool;
	f->scope_factor = t.sockets == 1 ? 0.8 : 1;
	finding_owner(f, run->at->owner);
	finding_members(f, run, network);
	add_evidence(f, view, run, &t);
	describe(f, &t);
	add_doubts(f, &t);
	finding_threshold(f, sink, limit);
}

static void note_near_miss(struct sink *sink)
{
	const struct candidate *c;
	double longest = -1;

	for (size_t i = 0; (c = snapshot_candidate(sink->view->snap, i)); i++) {
		if (c->present && c->rules >> sink->index & 1 && candidate(&c->last.sock))
			longest = MAX(longest, silence_of(&c->last.sock));
	}
	if (longest >= 0)
		sink_near_miss(sink, "longest silence of a connection without keepalive", longest, BUDGET);
}

static void say_unknown(const struct view *view, struct sink *sink, size_t unknown)
{
	if (unknown)
		sink_skip_part(sink, arena_printf(view->arena, "%zu silent connections whose route is not known", unknown));
	if (!view->snap->info_for_all)
		sink_skip_part(sink, "how long sockets are silent: there were too many to ask each for tcp_info");
	if (!view->snap->has_sysctls)
		sink_skip_part(sink, "this host's own connection tracking: no kernel settings could be read");
	sink_skip_history(sink, "keepalive periods longer than the limit");
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep), run;
	size_t unknown;

	members_sort(&all, member_by_key);
	unknown = keep_far(view, &all);
	members_sort(&all, member_by_owner_and_key);
	for (size_t i = 0; RULE_MAIN(IDLE_NO_KEEPALIVE, i < all.count); i += run.count) {
		run = members_run(&all, i, members_same_owner);
		members_file_by_network(view, sink, &run, view->values[PREFIX_REMOTES], file_run);
	}
	if (!sink->filed)
		note_near_miss(sink);
	say_unknown(view, sink, unknown);
}

const struct rule rule_idle_no_keepalive = {
	.id = "idle-no-keepalive",
	.title = "Idle connections without keepalive, which a NAT or load balancer forgets",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO,
	.states = STATE_BIT(SOCK_STATE_ESTAB),
	.candidate = candidate,
	.worth = worth,
	.quota = QUOTA,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"TCP itself never ends a connection for being idle: two hosts may keep one for years without a packet. What stands between them does not. NAT gateways, load balancers and firewalls "
		"remember each connection, and forget it after some minutes of silence: 240 s, 350 s and 600 s are defaults of the large clouds. Neither end is told. The next request then gets a reset, "
		"or no answer at all until the retransmissions are given up after a quarter of an hour.\n\n"
		"What keeps a connection known is a packet now and then: a heartbeat of the application, or keepalive, which is off unless the program sets SO_KEEPALIVE, and which then waits two hours "
		"unless TCP_KEEPIDLE says otherwise. A socket with keepalive shows a keepalive timer; these show none.\n\n"
		"Silence is the time since the last segment from the peer. The peer's own probes do not refresh that clock; they show in the numbers of segments, which is why those must stand still "
		"between the samples. Peers on the same link and on this host are left out, as are clients on the Internet: the NAT in front of them is theirs.\n\n"
		"It is a warning only when a device that forgets is known on the way: a cloud's (from the firmware's vendor name) towards a public address, or this host's own connection tracking.",
	.look_alikes = (const char *const[]){
		"a peer that sends the keepalives: segs_in and segs_out grow while both ends' programs are silent; not reported",
		"peers on the same link, where nothing stands between: not reported",
		"idle clients on the Internet behind a listener of ours: their NAT, not reported",
		"a heartbeat that is due within the limit",
		NULL },
	.causes = (const char *const[]){
		"SO_KEEPALIVE was never set: TCP has it off by default",
		"a pool that keeps connections longer than the devices on the way remember them",
		"a limit on the way that somebody has lowered",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -io state established dst {example}",
		"ss -tnoie dst {example}",
		"ip route get {example}",
		"cat /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established",
		NULL },
	.fixes = (const char *const[]){
		"let the pool close connections that are idle for less than the smallest limit on the way, with a margin of a quarter",
		"SO_KEEPALIVE with TCP_KEEPIDLE at half of the limit at most (60 s serves all), TCP_KEEPINTVL 10 to 15 s, TCP_KEEPCNT 4 to 6",
		"net.ipv4.tcp_keepalive_time for programs that set SO_KEEPALIVE and no more; it does nothing for the others",
		"let the load balancer send a reset when it forgets, so that the pool learns of it",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.8.4 (MUST-25, MUST-28)", "RFC 1122 §4.2.3.6", "RFC 5382 §5 (REQ-5)", "RFC 5482 §4.2",
				       "net/ipv4/tcp_timer.c (tcp_keepalive_timer)",
				       "Documentation/networking/nf_conntrack-sysctl.rst", NULL },
	.repro = "nf_conntrack_tcp_timeout_established=5 on the client, twelve connections through a router that say nothing for four seconds",
};
