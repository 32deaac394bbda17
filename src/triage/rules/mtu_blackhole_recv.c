/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-recv: the peer's large packets do not reach us, the short end of what it sent did. */
#include "../packets.h"
#include "../probes.h"

enum limit {
	GAP,
	OUT_OF_ORDER,
	SMALL,
	SAFE_MSS,
	SHARE,
	PREFIXES,
	PREFIX_REMOTES,
};

static const struct threshold thresholds[] = {
	[GAP] = { "gap", UNIT_MS, 3000, "what is lost at random is sent again within a second or two; what is too large never arrives" },
	[OUT_OF_ORDER] = { "out_of_order", UNIT_SEGMENTS, 1, "a packet behind the gap is what shows that there is one" },
	[SMALL] = { "segment_share", UNIT_RATIO, 0.7, "of the size that we allow: a path that brings larger segments has no hole for the rest" },
	[SAFE_MSS] = { "safe_mss", UNIT_BYTES, 1220, "fits the smallest MTU of IPv6: nothing on the way may drop it for its size" },
	[SHARE] = { "accepted_share", UNIT_PERCENT, 1, "of a public listener's connections; fewer are clients that went away" },
	[PREFIXES] = { "accepted_prefixes", UNIT_COUNT, 5, "of clients; one network may have a hole of its own that is not ours" },
	[PREFIX_REMOTES] = { "prefix_remotes", UNIT_COUNT, 3, "neighbours whose packets are missing share a network and most likely a path" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_ALIVE 0.8
#define CONFIDENCE 0.6
#define CONFIDENCE_UNCOUNTED 0.5
#define SINGLE_SOCKET 0.8
/* Connections of one burst fall silent within moments of each other: that one was heard last does not make it an answer. */
#define HEARD_LATER_MS 1000

/** struct tally - sockets with a gap, of one destination, network or public listener. @alive: their peer is heard otherwise. */
struct tally {
	uint64_t sockets, remotes, alive;
	int64_t gap_ms;
	const struct member *worst;
};

/* Recv-Q is what stands in order. Memory without it is held by packets behind a gap. */
static bool holds_beyond_a_gap(const struct sock *sock)
{
	return !sock->recv_q && sock->has & SOCK_HAS_SKMEM && sock->skmem[SKMEM_RMEM];
}

/* Packets out of order are counted since 5.4. The count never falls: alone it says nothing of now. */
static bool candidate(const struct sock *sock)
{
	return holds_beyond_a_gap(sock) && tcpi_has(&sock->info, TCPI_BYTES_RECEIVED) &&
	       !sock_tcpi(sock, TCPI_UNACKED) &&
	       (!tcpi_has(&sock->info, TCPI_RCV_OOOPACK) || sock_tcpi(sock, TCPI_RCV_OOOPACK));
}

/* How long the gap has been there at least. The packets behind it came before the last one that was heard at all. */
static int64_t gap_ms(const struct candidate *c)
{
	const struct sock *s = &c->last.sock;
	int64_t watched = (c->last_us - c->first_us) / 1000;
	int64_t held = MAX(watched, (int64_t)sock_tcpi(s, TCPI_LAST_ACK_RECV));

	return MIN(held, (int64_t)sock_tcpi(s, TCPI_LAST_DATA_RECV));
}

static bool is_quiet(const struct candidate *c)
{
	const struct sock *a = &c->first.sock, *b = &c->last.sock;

	return c->seen > 1 && candidate(a) && candidate(b) &&
	       sock_tcpi(a, TCPI_BYTES_RECEIVED) == sock_tcpi(b, TCPI_BYTES_RECEIVED);
}

static bool keep(const struct view *view, struct member *member)
{
	const struct sock *s = member->sock;
	double advmss = (double)sock_tcpi(s, TCPI_ADVMSS);

	if (s->state != SOCK_STATE_ESTAB || !is_quiet(member->candidate))
		return false;
	if (tcpi_has(&s->info, TCPI_RCV_OOOPACK) &&
	    (double)sock_tcpi(s, TCPI_RCV_OOOPACK) < view->values[OUT_OF_ORDER])
		return false;
	if (advmss <= view->values[SAFE_MSS] ||
	    (double)sock_tcpi(s, TCPI_RCV_MSS) > view->values[SMALL] * advmss)
		return false;
	if (!member->candidate->outbound)
		member->key.port = 0;
	member->age_ms = gap_ms(member->candidate);
	return true;
}

/* A peer that does not answer our probes is gone, and a host without carrier hears nobody: size has nothing to do with it. */
static bool is_cut_off(const struct view *view, const struct sock *s)
{
	return sock_tcpi(s, TCPI_PROBES) || view_first_hop_gone(view, &s->peer.addr);
}

/* Takes out gaps that are young or have another reason. Return: the longest of the young ones, −1 none. */
static int64_t keep_lasting(const struct view *view, struct members *all)
{
	int64_t longest = -1;
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct member *m = &all->at[i];

		if ((double)m->age_ms < view->values[GAP])
			longest = MAX(longest, m->age_ms);
		else if (!is_cut_off(view, m->sock))
			all->at[kept++] = *m;
	}
	all->count = kept;
	return longest;
}

/* The peer is there: another connection to it, or this one, was heard of since. */
static bool is_alive(const struct view *view, const struct member *m)
{
	const struct sock *before = &m->candidate->first.sock;

	return sock_tcpi(m->sock, TCPI_SEGS_IN) > sock_tcpi(before, TCPI_SEGS_IN) ||
	       view_peer_answers(view, m->sock, m->age_ms - HEARD_LATER_MS);
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .worst = run->at, .gap_ms = members_oldest_ms(run) };

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];

		t.sockets++;
		t.remotes += !i || !members_same_key(m - 1, m);
		t.alive += is_alive(view, m);
		if (m->age_ms > t.worst->age_ms)
			t.worst = m;
	}
	return t;
}

static enum severity judge(const struct view *view, const struct members *run, enum limit *limit)
{
	*limit = member_is_public(run->at) ? SHARE : GAP;
	return *limit == GAP || members_stand_out(view, run, view->values[SHARE], view->values[PREFIXES]) ?
		       SEVERITY_WARNING :
		       SEVERITY_INFO;
}

static double confidence_of(const struct view *view, const struct tally *t)
{
	double confidence = t->alive ? CONFIDENCE_ALIVE : CONFIDENCE;

	if (!tcpi_has(&t->worst->sock->info, TCPI_RCV_OOOPACK))
		confidence = CONFIDENCE_UNCOUNTED;
	return view_confidence(view, confidence, false);
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sock *s = t->worst->sock;
	static const struct field_row rows[] = {
		{ "out_of_order", TCPI_RCV_OOOPACK, UNIT_SEGMENTS, "tcpi_rcv_ooopack" },
		{ "rcv_mss", TCPI_RCV_MSS, UNIT_BYTES, "tcpi_rcv_mss" },
		{ "advmss", TCPI_ADVMSS, UNIT_BYTES, "tcpi_advmss" },
		{ "bytes_received", TCPI_BYTES_RECEIVED, UNIT_BYTES, "tcpi_bytes_received" },
		{ "last_data", TCPI_LAST_DATA_RECV, UNIT_MS, "tcpi_last_data_recv" },
		{ "last_packet", TCPI_LAST_ACK_RECV, UNIT_MS, "tcpi_last_ack_recv" },
		{ "bytes_acked", TCPI_BYTES_ACKED, UNIT_BYTES, "tcpi_bytes_acked" },
	};

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "gap", (double)t->gap_ms, UNIT_MS, "tcpi_last_ack_recv, tcpi_last_data_recv");
	finding_add(f, "remotes", (double)t->remotes, UNIT_COUNT, "sock_diag");
	finding_add(f, "held_memory", s->skmem[SKMEM_RMEM], UNIT_BYTES, "skmem");
	finding_fields(f, s, rows, ARRAY_SIZE(rows));
	finding_add(f, "peer_answers", t->alive > 0, UNIT_FLAG, "tcpi_last_ack_recv, tcpi_segs_in");
	finding_add_text(f, "example", view_addr_text(view, &s->peer.addr), "sock_diag");
	finding_address_class(f, &s->peer.addr);
	finding_route(f, view, &s->peer.addr);
	finding_counter(f, view, COUNTER_TCP_OFO_QUEUE, "queued_out_of_order");
}

static void describe(struct finding *f, const struct tally *t)
{
	f->title = "Path-MTU black hole: large packets from {peer} do not arrive, the short end behind them did";
	f->detail = "{count|socket} with packets behind a gap for {gap} at least ({held_memory} of memory) · segments of {rcv_mss} arrive, {advmss} are allowed · {bytes_received} came before the gap";
	if (!f->scope.has_peer)
		f->title = "Path-MTU black hole: large packets of clients of {local} do not arrive, the short ends behind them did";
	else if (!t->alive)
		f->title = "Large packets from {peer} do not arrive, the short end behind them did: a path-MTU black hole, or the peer is gone";
}

static void add_doubts(struct finding *f, const struct members *run, const struct tally *t)
{
	finding_against(f, "size is inferred, not seen: a device that drops packets for what they contain leaves the same; a connection that advertises a smaller MSS and gets its answer is the proof");
	if (!t->alive)
		finding_against(f, "nothing else was heard from {example} in the meantime: a peer that went away after a loss looks the same");
	if (!tcpi_has(&t->worst->sock->info, TCPI_RCV_OOOPACK))
		finding_against(f, "this kernel does not count packets out of order (5.4 does): that there are some is read from the memory of the socket");
	if (member_is_public(run->at))
		finding_against(f, "clients on the Internet come and go: some of them leave in the middle of a request");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run,
		     bool network)
{
	struct tally t = tally_of(view, run);
	enum limit limit;
	enum severity severity = judge(view, run, &limit);
	struct finding *f;

	if (!RULE_MAIN(MTU_BLACKHOLE_RECV, t.sockets > 0))
		return;
	f = sink_finding(sink, severity, confidence_of(view, &t));
	f->count = t.sockets;
	f->scope_factor = t.sockets == 1 ? SINGLE_SOCKET : 1;
	finding_owner(f, members_owner(run));
	finding_members(f, run, network);
	add_evidence(f, view, &t);
	describe(f, &t);
	add_doubts(f, run, &t);
	finding_threshold(f, sink, limit);
}

static bool lacks_memory_numbers(const struct snapshot *snap)
{
	return snap->info_for_all && !snap->has_skmem[NETID_TCP] &&
	       (snap->counts[NETID_TCP][ADDR_V4][SOCK_STATE_ESTAB] ||
		snap->counts[NETID_TCP][ADDR_V6][SOCK_STATE_ESTAB]);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all;
	int64_t longest;

	if (lacks_memory_numbers(view->snap)) {
		sink_skip(sink, "the kernel delivered no socket memory numbers");
		return;
	}
	if (view->snap->has_tcp_info && view->snap->tcp_info_len < tcpi_fields[TCPI_BYTES_RECEIVED].need) {
		sink_skip(sink, "needs tcpi_bytes_received (Linux 4.1)");
		return;
	}
	all = members_collect(sink, keep);
	longest = keep_lasting(view, &all);
	members_file_by_role(view, sink, &all, view->values[PREFIX_REMOTES], file_run);
	if (!sink->filed && longest >= 0)
		sink_near_miss(sink, "longest wait with packets behind a gap", (double)longest, GAP);
	if (!view->snap->info_for_all)
		sink_skip_part(sink, "packets behind a gap: tcp_info was not asked for every socket");
	sink_skip_part(sink, "answers of which not even a short end arrives: only a probe that advertises a smaller MSS shows them");
}

const struct rule rule_mtu_blackhole_recv = {
	.id = "mtu-blackhole-recv",
	.title = "Path-MTU black hole: the peer's large packets do not reach us",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_TWO_SAMPLES,
	.states = STATE_BIT(SOCK_STATE_ESTAB),
	.candidate = candidate,
	.quota = 2048,
	.eval = eval,
	.packets = &packets_mtu_blackhole_recv,
	.probes = &probes_mtu_blackhole_recv,
	.thresholds = thresholds,
	.explain =
		"The peer sends more than fits the narrowest link on the way to us, the router before that link may not say so or is not heard, and the full-sized packets vanish. What remains is the last, short packet of the answer: it "
		"fits, arrives, and has to wait, because TCP delivers in order. The program sees a request that was accepted and an answer that does not come.\n\n"
		"On the socket: our request is acknowledged, nothing more arrives in order, and yet the kernel holds memory for it although Recv-Q is empty. Recv-Q counts what stands in order; memory beside it is packets behind a gap. "
		"Loss leaves such a gap for a second or two. A gap that stays, on a connection that has brought no large segment, is one of size.\n\n"
		"When every packet of the answer is of full size nothing at all arrives, and a slow peer looks the same: this rule is silent then. The proof in either case is a second connection that advertises a smaller MSS and gets its "
		"answer. The cure is on our side as well: the MSS that we advertise is what the peer goes by.",
	.look_alikes = (const char *const[]){
		"a peer that is slow to answer: there is no gap, nothing is held",
		"reordering or loss that heals: bytes go on arriving; how many packets once came out of order does not count",
		"a peer that is gone: keepalive probes go unanswered, or other connections to it are silent too",
		"segments small enough for every path (an advertised MSS up to 1220)",
		"a connection that has brought large segments: the path carries them",
		NULL },
	.causes = (const char *const[]){
		"a tunnel, VPN or overlay on our side is narrower than the interface, and nobody limits the MSS",
		"ICMP type 3 code 4 or ICMPv6 packet too big is filtered between that link and the peer, or by the peer",
		"a load balancer or anycast delivers the message to another host than the one that sends",
		"jumbo frames at the peer's side of a switch: no router is there to tell",
		NULL },
	.next = (const char *const[]){
		"tcptriage mtu-probe --tcp-payload http {service} # or tls, raw: what makes it send 4 kB",
		"tcptriage states -im dst {example}",
		"ip route get {example}",
		"ip -d link",
		"nstat -az TcpExtTCPOFOQueue TcpExtTCPRcvCollapsed",
		NULL },
	.fixes = (const char *const[]){
		"advertise what fits: ip route … advmss 1360, or limit the MSS on the tunnel's router (nft: tcp option maxseg size set rt mtu)",
		"set the MTU of the interface to what the path carries: the MSS follows it",
		"let the router before the narrow link send its ICMP messages, and let them pass to the peer",
		"on the peer: net.ipv4.tcp_mtu_probing=1 as a safety net",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.7.1", "RFC 1191 §3", "RFC 8201 §3", "RFC 2923 §2.1",
				       "RFC 4890 §4.3.1", "net/ipv4/tcp_input.c (tcp_data_queue_ofo)", NULL },
	.repro = "a router whose link to us has MTU 1400 and drops the ICMP messages it makes; ask for an answer of 5000 bytes",
};
