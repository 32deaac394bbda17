/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-send: our large packets vanish, small ones pass. */
#include "../packets.h"
#include "../probes.h"
#include "../stuck_sender.h"

enum limit {
	CRIT_SOCKETS = STUCK_LIMITS,
	SHARE,
	PREFIXES,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
#define STUCK_LIMIT(id, name, unit, value, reason) [STUCK_##id] = { name, unit, value, reason },
#include "../stuck_sender.def"
#undef STUCK_LIMIT
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

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .worst = run->at, .stall_ms = members_oldest_ms(run) };
	const struct member *before = NULL;

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];
		struct mtu_verdict v = stuck_sender_verdict(view, m);

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
			   const struct tally *t, unsigned *limit)
{
	*limit = CRIT_SOCKETS;
	if (!member_is_public(run->at)) {
		if ((double)t->sockets >= view->values[CRIT_SOCKETS] || t->alive)
			return SEVERITY_CRITICAL;
		*limit = STUCK_STALL;
		return SEVERITY_WARNING;
	}
	*limit = SHARE;
	return members_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]) ?
		       SEVERITY_CRITICAL :
		       SEVERITY_INFO;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sock *s = t->worst->sock;
	static const struct field_row rows[] = {
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
	finding_fields(f, s, rows, ARRAY_SIZE(rows));
	finding_add_text(f, "example", view_addr_text(view, &s->peer.addr), "sock_diag");
	finding_route(f, view, &s->peer.addr);
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

static const char *const undecided_next[] = {
	STUCK_SENDER_TELL,
	"ip route get {example}",
	"tcptriage states -i dst {example}",
	"nstat -az IcmpMsgInType3 Icmp6InPktTooBigs TcpExtOutOfWindowIcmps",
	NULL,
};

static void describe(struct finding *f, const struct tally *t)
{
	f->title = "Path-MTU black hole: large packets to {peer} vanish, small ones pass";
	f->detail = "{count|socket} stuck for {stall} · {unacked|segment} of {snd_mss} unacknowledged, {backoff|timeout} in a row · path MTU believed {pmtu} · {route}";
	if (t->verdict.story == MTU_BLACK_HOLE_OR_DEAD) {
		f->title = "Full-sized packets to {peer} get no answer: a path-MTU black hole, or the peer is gone";
		f->next = undecided_next;
	}
	if (t->verdict.story == MTU_IGNORED) {
		f->title = "Packets to {peer} are too big, the path says so and is not heard";
		f->causes = ignored_causes;
	}
}

static void add_doubts(struct finding *f, const struct view *view, const struct members *run,
		       const struct tally *t)
{
	if (t->verdict.story == MTU_BLACK_HOLE_OR_DEAD)
		finding_against(f, "nothing else from this peer was heard in the meantime: a dead peer looks the same; " STUCK_SENDER_TELLS);
	if (finding_evidence(f, "icmp_unreachable") && stuck_sender_told(view, t->worst->sock) == ANSWER_UNKNOWN)
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
	unsigned limit;
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

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = stuck_senders(sink);
	int64_t longest = stuck_senders_keep_ours(sink, &all);

	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && longest >= 0 && (double)longest < view->values[STUCK_STALL])
		sink_near_miss(sink, "longest stall with retransmission timeouts", (double)longest, STUCK_STALL);
	if (!view->snap->has_counters)
		sink_skip_part(sink, "ICMP messages: no kernel counters could be read");
}

const struct rule rule_mtu_blackhole_send = {
	.id = "mtu-blackhole-send",
	.title = "Path-MTU black hole: our large packets vanish, small ones pass",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_TWO_SAMPLES,
	.states = STUCK_SENDER_STATES,
	.candidate = stuck_sender_candidate,
	.eval = eval,
	.packets = &packets_mtu_blackhole_send,
	.probes = &probes_mtu_blackhole_send,
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
		"tcptriage mtu-probe {target}",
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
