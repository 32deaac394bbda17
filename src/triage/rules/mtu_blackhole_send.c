/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-send: our large packets vanish, small ones pass. */
#include "../kit.h"
#include "../mtu_verdict.h"
#include "../timers.h"

enum limit {
	STALL,
	CARRIED,
	CARRIED_STALL,
	BACKOFF,
	BASE_RTOS,
	FULL_SIZE,
	NOT_FULL_SIZE,
	MIN_MSS,
	SAFE_MSS,
	TAIL_SEGMENTS,
	CRIT_SOCKETS,
	SHARE,
	PREFIXES,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
	[STALL] = { "stall", UNIT_MS, 3000, "random loss is repaired within a second or two; a hole never" },
	[CARRIED] = { "carried_segments", UNIT_SEGMENTS, 10, "large segments that this very connection has delivered: its path carried them, heavy loss is likelier" },
	[CARRIED_STALL] = { "carried_stall", UNIT_MS, 12000, "six timeouts in a row: at 30 % random loss once in several thousand stalls" },
	[BACKOFF] = { "backoff", UNIT_COUNT, 2, "two timeouts in a row without any acknowledgement between them" },
	[BASE_RTOS] = { "base_rtos", UNIT_RATIO, 3, "the last ACK is at least three timeouts old" },
	[FULL_SIZE] = { "full_size", UNIT_RATIO, 0.95, "what is sent again is as large as a segment can be, headers' options aside" },
	[NOT_FULL_SIZE] = { "not_full_size", UNIT_RATIO, 0.5, "what is sent again is far too small to be lost for its size" },
	[MIN_MSS] = { "min_mss", UNIT_BYTES, 536, "every IPv4 path carries packets of this size" },
	[SAFE_MSS] = { "safe_mss", UNIT_BYTES, 1220, "fits the smallest MTU of IPv6: nothing on the way may drop it for its size" },
	[TAIL_SEGMENTS] = { "tail_segments", UNIT_SEGMENTS, 2, "short ends of writes that fit and are acknowledged out of order; more is plain loss" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 2, "two connections to one destination stuck in the same way" },
	[SHARE] = { "accepted_share", UNIT_PERCENT, 1, "of a public listener's connections; fewer are clients that went away" },
	[PREFIXES] = { "accepted_prefixes", UNIT_COUNT, 5, "of clients; one network may have a hole of its own that is not ours" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "stuck neighbours share a network and most likely a path" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define SINGLE_SOCKET 0.8

/** struct tally - stuck sockets of one destination, network or public listener. */
struct tally {
	uint64_t sockets, remotes, alive;
	int64_t stall_ms;
	const struct member *worst;
	struct mtu_verdict verdict;
};

/* Without tcp_info, as a cheap look brings it, the count of timeouts beside the timer has to do. */
static bool candidate(const struct sock *sock)
{
	if (sock->timer != SOCK_TIMER_ON)
		return false;
	return sock->info.len ? sock_tcpi(sock, TCPI_UNACKED) && sock_tcpi(sock, TCPI_BACKOFF) :
				sock->retrans > 0;
}

static enum answer yes_or_no(bool yes)
{
	return yes ? ANSWER_YES : ANSWER_NO;
}

/* What was acknowledged so far came in large segments: the path took them on this connection, at least until it changed. */
static bool has_carried(const struct view *view, const struct sock *s)
{
	double delivered = (double)sock_tcpi(s, TCPI_DELIVERED);

	return delivered >= view->values[CARRIED] &&
	       (double)sock_tcpi(s, TCPI_BYTES_ACKED) >=
		       delivered * view->values[NOT_FULL_SIZE] * (double)sock_tcpi(s, TCPI_SND_MSS);
}

static enum answer is_stuck(const struct view *view, const struct candidate *c)
{
	const struct sock *s = &c->last.sock;
	const double *l = view->values;
	uint64_t backoff = sock_tcpi(s, TCPI_BACKOFF);
	double base_ms = (double)(sock_tcpi(s, TCPI_RTO) >> MIN(backoff, 30u)) / 1e3;

	return yes_or_no((double)backoff >= l[BACKOFF] &&
			 sock_tcpi(s, TCPI_CA_STATE) == TCP_CA_LOSS && c->seen > 1 &&
			 sock_tcpi(s, TCPI_BYTES_ACKED) == sock_tcpi(&c->first.sock, TCPI_BYTES_ACKED) &&
			 (double)sock_tcpi(s, TCPI_LAST_ACK_RECV) >= l[BASE_RTOS] * base_ms &&
			 (double)sock_stall_ms(s) >= l[has_carried(view, s) ? CARRIED_STALL : STALL]);
}

static enum answer is_full_size(const struct view *view, const struct candidate *c)
{
	const struct sock *a = &c->first.sock, *b = &c->last.sock;
	double mss = (double)sock_tcpi(b, TCPI_SND_MSS);
	uint64_t bytes = sock_tcpi(b, TCPI_BYTES_RETRANS), segments = sock_tcpi(b, TCPI_TOTAL_RETRANS);
	uint64_t new_bytes = bytes - sock_tcpi(a, TCPI_BYTES_RETRANS);
	uint64_t new_segments = segments - sock_tcpi(a, TCPI_TOTAL_RETRANS);

	/* All that is outstanding together is smaller than one large segment. */
	if (b->send_q < view->values[NOT_FULL_SIZE] * mss)
		return ANSWER_NO;
	if (!tcpi_has(&b->info, TCPI_BYTES_RETRANS) || !segments)
		return ANSWER_UNKNOWN;
	if (new_bytes && new_segments) {
		if ((double)new_bytes / (double)new_segments >= view->values[FULL_SIZE] * mss)
			return ANSWER_YES;
		if ((double)new_bytes / (double)new_segments < view->values[NOT_FULL_SIZE] * mss)
			return ANSWER_NO;
	}
	return (double)bytes / (double)segments >= view->values[FULL_SIZE] * mss ? ANSWER_YES :
										   ANSWER_UNKNOWN;
}

static enum answer has_small_ok(const struct view *view, const struct sock *s)
{
	return yes_or_no((double)sock_tcpi(s, TCPI_SND_MSS) > view->values[MIN_MSS] &&
			 (sock_tcpi(s, TCPI_BYTES_ACKED) > 1 || sock_tcpi(s, TCPI_SACKED)));
}

static enum answer is_head_dead(const struct view *view, const struct candidate *c)
{
	const struct sock *a = &c->first.sock, *b = &c->last.sock;

	return yes_or_no((double)sock_tcpi(b, TCPI_SACKED) <= view->values[TAIL_SEGMENTS] &&
			 sock_tcpi(b, TCPI_SACKED) <= sock_tcpi(a, TCPI_SACKED) &&
			 sock_tcpi(b, TCPI_DELIVERED) == sock_tcpi(a, TCPI_DELIVERED) &&
			 sock_tcpi(b, TCPI_REORD_SEEN) == sock_tcpi(a, TCPI_REORD_SEEN));
}

static bool others_answer(const struct view *view, const struct sock *s, int64_t stall)
{
	const struct tuple_group *opened = snapshot_group_find(view->snap, &s->local.addr,
							       &s->peer.addr, s->peer.port);
	const struct tuple_group *accepted =
		snapshot_group_find(view->snap, &s->local.addr, &s->peer.addr, 0);

	return (opened && opened->fresh_ack_ms < stall) ||
	       (accepted && accepted->fresh_ack_ms < stall);
}

static bool first_hop_gone(const struct route *route)
{
	return route && (route->error || (route->has & ROUTE_HAS_LINK && !route->carrier));
}

/* @mark: a small segment to the same address is stuck at the same time. */
static enum answer is_path_alive(const struct view *view, const struct member *member)
{
	const struct sock *s = member->sock;
	int64_t stall = sock_stall_ms(s);

	if (first_hop_gone(view->route_of(view, &s->peer.addr)))
		return ANSWER_NO;
	if (sock_tcpi(s, TCPI_SACKED) || (int64_t)sock_tcpi(s, TCPI_LAST_DATA_RECV) < stall ||
	    others_answer(view, s, stall))
		return ANSWER_YES;
	return member->mark ? ANSWER_NO : ANSWER_UNKNOWN;
}

/* ICMPv6 counts packet-too-big alone; ICMPv4 counts every kind of unreachable together, so its growth leaves the question open. */
static enum answer was_told(const struct view *view, const struct sock *s)
{
	const struct route *route = view->route_of(view, &s->peer.addr);
	uint64_t delta;

	if (route && route->has & ROUTE_HAS_EXPIRES)
		return ANSWER_YES;
	if (s->peer.addr.family == ADDR_V6)
		return view_delta(view, COUNTER_ICMP6_IN_PKT_TOO_BIGS, &delta) ?
			       yes_or_no(delta > 0) :
			       ANSWER_UNKNOWN;
	return view_delta(view, COUNTER_ICMP_IN_TYPE3, &delta) && !delta ? ANSWER_NO :
									   ANSWER_UNKNOWN;
}

static struct mtu_verdict verdict_of(const struct view *view, const struct member *member)
{
	const struct candidate *c = member->candidate;
	const struct sock *s = member->sock;
	struct mtu_signs signs = { .stuck = is_stuck(view, c) };

	/* What follows asks for routes, which is not for every socket that has lost a segment. */
	if (signs.stuck != ANSWER_YES)
		return (struct mtu_verdict){ .story = MTU_NO_VERDICT };
	signs.full_size = is_full_size(view, c);
	signs.small_ok = has_small_ok(view, s);
	signs.head_dead = is_head_dead(view, c);
	signs.path_alive = is_path_alive(view, member);
	signs.told = was_told(view, s);
	return mtu_verdict(&signs);
}

static bool is_ours(const struct sink *sink, const struct mtu_verdict *verdict)
{
	return verdict->rule && !strcmp(verdict->rule, sink->rule->id);
}

/* Accepted sockets have a peer port of chance: they are grouped by the peer alone, those of the Internet by our port alone. */
static bool keep(const struct view *view, struct member *member)
{
	const struct sock *s = member->sock;

	if (s->state != SOCK_STATE_ESTAB && s->state != SOCK_STATE_CLOSE_WAIT &&
	    s->state != SOCK_STATE_FIN_WAIT_1)
		return false;
	if (!candidate(s) || (double)sock_tcpi(s, TCPI_SND_MSS) <= view->values[SAFE_MSS])
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	member->age_ms = sock_stall_ms(s);
	return true;
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .worst = run->at, .stall_ms = members_oldest_ms(run) };
	const struct member *before = NULL;

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];
		struct mtu_verdict v = verdict_of(view, m);

		t.sockets++;
		t.remotes += !before || !members_same_key(before, m);
		t.alive += v.story == MTU_BLACK_HOLE || v.story == MTU_IGNORED;
		if (v.confidence > t.verdict.confidence) {
			t.verdict = v;
			t.worst = m;
		}
		before = m;
	}
	return t;
}

static enum severity judge(const struct view *view, const struct members *run,
			   const struct tally *t, enum limit *limit)
{
	*limit = CRIT_SOCKETS;
	if (!member_is_public(run->at)) {
		if ((double)t->sockets >= view->values[CRIT_SOCKETS] || t->alive)
			return SEVERITY_CRITICAL;
		*limit = STALL;
		return SEVERITY_WARNING;
	}
	*limit = SHARE;
	return members_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]) ?
		       SEVERITY_CRITICAL :
		       SEVERITY_INFO;
}

static void add_route(struct finding *f, const struct view *view, const struct addr *to)
{
	const struct route *route = view->route_of(view, to);

	finding_add_text(f, "route", view_route_text(view, to), "rtnetlink");
	if (!route)
		return;
	if (route->has & ROUTE_HAS_LINK)
		finding_add(f, "interface_mtu", route->link_mtu, UNIT_BYTES, "rtnetlink");
	if (route->has & ROUTE_HAS_EXPIRES)
		finding_add(f, "exception_mtu", route->mtu, UNIT_BYTES, "rtnetlink");
	if (route->has & ROUTE_HAS_DEVICE)
		f->scope.interface = arena_strdup(view->arena, route->device);
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sock *s = t->worst->sock;
	static const struct {
		const char *name;
		enum tcpi_id id;
		enum unit unit;
		const char *source;
	} rows[] = {
		{ "snd_mss", TCPI_SND_MSS, UNIT_BYTES, "tcpi_snd_mss" },
		{ "advmss", TCPI_ADVMSS, UNIT_BYTES, "tcpi_advmss" },
		{ "pmtu", TCPI_PMTU, UNIT_BYTES, "tcpi_pmtu" },
		{ "unacked", TCPI_UNACKED, UNIT_SEGMENTS, "tcpi_unacked" },
		{ "sacked", TCPI_SACKED, UNIT_SEGMENTS, "tcpi_sacked" },
		{ "backoff", TCPI_BACKOFF, UNIT_COUNT, "tcpi_backoff" },
		{ "bytes_acked", TCPI_BYTES_ACKED, UNIT_BYTES, "tcpi_bytes_acked" },
		{ "retransmitted", TCPI_TOTAL_RETRANS, UNIT_SEGMENTS, "tcpi_total_retrans" },
		{ "last_ack", TCPI_LAST_ACK_RECV, UNIT_MS, "tcpi_last_ack_recv" },
	};

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "stall", (double)t->stall_ms, UNIT_MS, "tcpi_rto, tcpi_backoff, idiag_expires");
	finding_add(f, "remotes", (double)t->remotes, UNIT_COUNT, "sock_diag");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		finding_add(f, rows[i].name, (double)sock_tcpi(s, rows[i].id), rows[i].unit,
			    rows[i].source);
	finding_add_text(f, "example", view_addr_text(view, &s->peer.addr), "sock_diag");
	add_route(f, view, &s->peer.addr);
	if (view->snap->sysctls.has[SYSCTL_TCP_MTU_PROBING])
		finding_add(f, "mtu_probing", (double)view->snap->sysctls.value[SYSCTL_TCP_MTU_PROBING],
			    UNIT_NONE, "tcp_mtu_probing");
	finding_counter(f, view, COUNTER_ICMP_IN_TYPE3, "icmp_unreachable");
	finding_counter(f, view, COUNTER_ICMP6_IN_PKT_TOO_BIGS, "icmpv6_too_big");
}

static const char *const ignored_causes[] = {
	"ip_no_pmtu_disc is set, or the route's MTU is locked",
	"the message quotes a sequence number outside the window, and is taken for forged (OutOfWindowIcmps)",
	"the message asks for less than min_pmtu allows",
	NULL,
};

static void describe(struct finding *f, const struct tally *t)
{
	f->title = "Path-MTU black hole: large packets to {peer} vanish, small ones pass";
	f->detail = "{count} sockets stuck for {stall} · {unacked} segments of {snd_mss} unacknowledged, {backoff} timeouts in a row · path MTU believed {pmtu} · {route}";
	if (t->verdict.story == MTU_BLACK_HOLE_OR_DEAD)
		f->title = "Full-sized packets to {peer} get no answer: a path-MTU black hole, or the peer is gone";
	if (t->verdict.story == MTU_IGNORED) {
		f->title = "Packets to {peer} are too big, the path says so and is not heard";
		f->causes = ignored_causes;
	}
}

static void add_doubts(struct finding *f, const struct view *view, const struct members *run,
		       const struct tally *t)
{
	if (t->verdict.story == MTU_BLACK_HOLE_OR_DEAD)
		finding_against(f, "nothing else from this peer was heard in the meantime: a dead peer looks the same; a small packet that is answered (ip route get {example}, then a second connection) tells them apart");
	if (finding_evidence(f, "icmp_unreachable") && was_told(view, t->worst->sock) == ANSWER_UNKNOWN)
		finding_against(f, "{icmp_unreachable} ICMP unreachable messages arrived meanwhile; the missing one may be among them");
	if (sysctl_or(&view->snap->sysctls, SYSCTL_TCP_MTU_PROBING, 0))
		finding_against(f, "tcp_mtu_probing is {mtu_probing}: the kernel may find a smaller size by itself within seconds");
	if (member_is_public(run->at))
		finding_against(f, "clients on the Internet come and go: a share of them is always stuck");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	enum limit limit;
	enum severity severity = judge(view, run, &t, &limit);
	struct finding *f;

	if (!RULE_MAIN(MTU_BLACKHOLE_SEND, t.sockets > 0))
		return;
	f = sink_finding(sink, severity, view_confidence(view, t.verdict.confidence, false));
	f->count = t.sockets;
	f->scope_factor = t.sockets == 1 ? SINGLE_SOCKET : 1;
	finding_owner(f, members_owner(run));
	finding_members(f, run, network);
	add_evidence(f, view, &t);
	describe(f, &t);
	add_doubts(f, view, run, &t);
	finding_threshold(f, sink, limit);
}

static bool same_peer(const struct member *a, const struct member *b)
{
	return addr_equal(&a->key.addr, &b->key.addr);
}

/* Where a small segment is stuck too, the destination is not reached at all. */
static void mark_dead_peers(const struct view *view, struct members *all)
{
	struct members run;
	bool dead;

	members_sort(all, member_by_key);
	for (size_t i = 0; i < all->count; i += run.count) {
		run = members_run(all, i, same_peer);
		dead = false;
		for (size_t k = 0; k < run.count; k++)
			dead |= verdict_of(view, &run.at[k]).story == MTU_SMALL_STUCK;
		for (size_t k = 0; k < run.count; k++)
			run.at[k].mark = dead;
	}
}

/* Takes out what the table does not call ours. Return: the longest stall among it, −1 none. */
static int64_t keep_ours(const struct view *view, const struct sink *sink, struct members *all)
{
	int64_t longest = -1;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct mtu_verdict verdict = verdict_of(view, &all->at[i]);

		if (is_ours(sink, &verdict))
			all->at[kept++] = all->at[i];
		else
			longest = MAX(longest, all->at[i].age_ms);
	}
	all->count = kept;
	return longest;
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep);
	int64_t longest;

	mark_dead_peers(view, &all);
	longest = keep_ours(view, sink, &all);
	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && longest >= 0)
		sink_near_miss(sink, "longest stall with retransmission timeouts", (double)longest, STALL);
	if (!view->snap->has_counters)
		sink_skip_part(sink, "ICMP messages: no kernel counters could be read");
}

const struct rule rule_mtu_blackhole_send = {
	.id = "mtu-blackhole-send",
	.title = "Path-MTU black hole: our large packets vanish, small ones pass",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_TWO_SAMPLES,
	.states = STATE_BIT(SOCK_STATE_ESTAB) | STATE_BIT(SOCK_STATE_CLOSE_WAIT) |
		  STATE_BIT(SOCK_STATE_FIN_WAIT_1),
	.candidate = candidate,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"A packet that is too large for a link on the way is dropped by the router before it, which tells the sender the size that fits: ICMP type 3 code 4, or ICMPv6 packet too big. The sender then sends smaller "
		"segments. When that message is filtered, or when a switch drops the packet without a word, the sender repeats the same full-sized segment for ever. The handshake and small requests work, "
		"the first large transfer hangs: the connection looks healthy and nothing moves.\n\n"
		"The signs on one socket: retransmission timeouts back off, nothing is acknowledged, what is repeated is of full size, something smaller passed before, and only short ends of writes are "
		"acknowledged out of order. A peer that is gone shows the same on that one socket. What separates them is whether the destination answers anything else at the same time: another connection, "
		"new data on this one, a short segment sent after the dead one. Where that is not known both readings are named.\n\n"
		"The kernel counts nothing when this happens.",
	.look_alikes = (const char *const[]){
		"plain loss: acknowledgements go on, SACK grows beyond short ends, the backoff falls back to zero; a connection that has carried large segments has to be stuck for longer",
		"a dead peer or a NAT that has forgotten the connection: small segments are stuck too",
		"segments small enough for every path (MSS up to 1220)",
		"working path-MTU discovery: a route exception exists and data moves",
		"tcp_mtu_probing that repairs it after some six seconds",
		NULL },
	.causes = (const char *const[]){
		"a firewall filters ICMP type 3 code 4 or ICMPv6 packet too big",
		"a tunnel, VPN, overlay or PPPoE link has a smaller MTU and nobody clamps the MSS",
		"jumbo frames on one side of a switch only: no router is there to tell",
		"a load balancer or anycast delivers the message to another host",
		"a container bridge with MTU 1500 over a smaller uplink",
		NULL },
	.next = (const char *const[]){
		"ip route get {example}",
		"tcptriage states -i dst {example}",
		"nstat -az IcmpMsgInType3 Icmp6InPktTooBigs TcpExtOutOfWindowIcmps",
		"ip -d link",
		NULL },
	.fixes = (const char *const[]){
		"let ICMP type 3 (code 4) and ICMPv6 packet too big pass, in both directions",
		"clamp the MSS to the path MTU on the tunnel's router (nft: tcp option maxseg size set rt mtu)",
		"set the MTU of the interface or the route to what fits (ip route … mtu 1400)",
		"net.ipv4.tcp_mtu_probing=1 as a safety net",
		NULL },
	.refs = (const char *const[]){ "RFC 1191 §3", "RFC 1191 §4", "RFC 8201 §3", "RFC 4821 §7.7",
				       "RFC 2923 §2.1", "RFC 8900 §3.8", "RFC 9293 §3.7.2",
				       "RFC 4890 §4.3.1", "net/ipv4/tcp_timer.c (tcp_mtu_probing)", NULL },
	.repro = "a router whose egress has MTU 1400 and drops the ICMP messages it makes; send 80 kB through it",
};
