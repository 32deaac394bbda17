/* SPDX-License-Identifier: MIT */
/* awaiting-response: what we asked was delivered, and the program on the other side does not answer. */
#include "../kit.h"

enum limit {
	WAIT,
	SOCKETS,
	APART,
};

static const struct threshold thresholds[] = {
	[WAIT] = { "wait", UNIT_MS, 30000, "the request timeout of many clients and proxies; users have left long before" },
	[SOCKETS] = { "sockets", UNIT_SOCKETS, 2, "to one destination; a single one is a subscription more often than not" },
	[APART] = { "apart", UNIT_MS, 8, "two ticks of the kernel's clock: what is sent so soon after data came acknowledges it and asks for nothing" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/* One look cannot tell a server that hangs from one that has no news. */
#define CONFIDENCE 0.45
#define QUOTA 2048
/* What waits long enough at the end of a run has waited half as long at its beginning. */
#define CANDIDATE_PART 2
/* tcpi_bytes_acked counts our SYN. */
#define SYN_BYTES 1

/* Services whose clients speak last and wait by design. */
static const struct patient {
	uint16_t port;
	const char *reason;
} patients[] = {
	{ 22, "SSH: window updates and keepalives of the client need no answer" },
	{ 179, "BGP: keepalives go both ways and answer nothing" },
	{ 514, "syslog: goes one way" },
	{ 601, "syslog: goes one way" },
	{ 1883, "MQTT: publishing without confirmation is the default" },
	{ 2003, "Graphite: metrics go one way" },
	{ 4222, "NATS: publishing needs no answer" },
	{ 5222, "XMPP: presence and messages need no answer" },
	{ 5223, "XMPP: presence and messages need no answer" },
	{ 5671, "AMQP: consumers wait for messages" },
	{ 5672, "AMQP: consumers wait for messages" },
	{ 6379, "Redis: blocking commands wait for others" },
	{ 6514, "syslog: goes one way" },
	{ 6667, "IRC: what a client says is not answered" },
	{ 6697, "IRC: what a client says is not answered" },
	{ 8883, "MQTT: publishing without confirmation is the default" },
	{ 24224, "Fluentd: events go one way" },
};

/** struct tally - the waiting sockets of one destination. @silent: of those that never received a byte. @out_of_order: segments of a later part of an answer. */
struct tally {
	uint64_t sockets, silent, sent, received, out_of_order, established;
	int64_t shortest_ms;
	const struct member *longest;
	bool several_owners;
};

static bool is_patient(uint16_t port)
{
	for (size_t i = 0; i < ARRAY_SIZE(patients); i++) {
		if (patients[i].port == port)
			return true;
	}
	return false;
}

/* We spoke last, all of it arrived, and that is so long ago. */
static bool waits(const struct sock *sock, double wait_ms, double apart_ms)
{
	double sent = (double)sock_tcpi(sock, TCPI_LAST_DATA_SENT);

	return sent >= wait_ms && (double)sock_tcpi(sock, TCPI_LAST_DATA_RECV) - sent > apart_ms &&
	       !sock->send_q && !sock_tcpi(sock, TCPI_UNACKED) &&
	       sock_tcpi(sock, TCPI_BYTES_ACKED) > SYN_BYTES;
}

static bool candidate(const struct sock *sock)
{
	return sock->info.len && sock->inode && !is_patient(sock->peer.port) &&
	       waits(sock, thresholds[WAIT].def / CANDIDATE_PART, thresholds[APART].def);
}

static bool keep(const struct view *view, struct member *member)
{
	const struct sock *before = &member->candidate->first.sock, *sock = member->sock;

	return sock->state == SOCK_STATE_ESTAB && member->candidate->seen > 1 &&
	       sock_tcpi(sock, TCPI_BYTES_RECEIVED) == sock_tcpi(before, TCPI_BYTES_RECEIVED) &&
	       waits(sock, view->values[WAIT], view->values[APART]);
}

static int64_t waited_ms(const struct member *member)
{
	return (int64_t)sock_tcpi(member->sock, TCPI_LAST_DATA_SENT);
}

static uint64_t established(const struct view *view, const struct sock *sock)
{
	const struct tuple_group *group = snapshot_group_find(view->snap, &sock->local.addr,
							      &sock->peer.addr, sock->peer.port);

	return group ? group->estab : 0;
}

static struct tally tally_of(const struct view *view, const struct members *run)
{
	struct tally t = { .longest = run->at,
			   .shortest_ms = INT64_MAX,
			   .established = established(view, run->at->sock) };

	for (size_t i = 0; i < run->count; i++) {
		const struct member *m = &run->at[i];

		t.sockets++;
		t.silent += !sock_tcpi(m->sock, TCPI_BYTES_RECEIVED);
		t.sent += sock_tcpi(m->sock, TCPI_BYTES_ACKED) - SYN_BYTES;
		t.received += sock_tcpi(m->sock, TCPI_BYTES_RECEIVED);
		t.out_of_order += sock_tcpi(m->sock, TCPI_RCV_OOOPACK);
		t.shortest_ms = MIN(t.shortest_ms, waited_ms(m));
		t.several_owners |= !members_same_owner(run->at, m);
		if (waited_ms(m) > waited_ms(t.longest))
			t.longest = m;
	}
	return t;
}

static void add_evidence(struct finding *f, const struct tally *t)
{
	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "longest", (double)waited_ms(t->longest), UNIT_MS, "tcpi_last_data_sent");
	finding_add(f, "shortest", (double)t->shortest_ms, UNIT_MS, "tcpi_last_data_sent");
	finding_add(f, "last_ack", (double)sock_tcpi(t->longest->sock, TCPI_LAST_ACK_RECV), UNIT_MS,
		    "tcpi_last_ack_recv");
	finding_add(f, "sent", (double)t->sent, UNIT_BYTES, "tcpi_bytes_acked");
	finding_add(f, "received", (double)t->received, UNIT_BYTES, "tcpi_bytes_received");
	finding_add(f, "never_answered", (double)t->silent, UNIT_SOCKETS, "tcpi_bytes_received");
	finding_add(f, "out_of_order", (double)t->out_of_order, UNIT_SEGMENTS, "tcpi_rcv_ooopack");
	finding_add(f, "established", (double)t->established, UNIT_SOCKETS, "sock_diag");
	finding_timeout(f, "request", -1, "rule");
}

static void add_doubts(struct finding *f, const struct tally *t)
{
	finding_against(f, "a watch, a long poll or a subscription looks the same: it waits until there is news, for hours if need be");
	if (t->silent)
		finding_against(f, "{never_answered} of them have never received a byte: so does one that only delivers (logs, metrics)");
	if (t->out_of_order)
		finding_against(f, "{out_of_order|segment} arrived without what goes before them: the answer may be on its way and lost, not missing");
	if (t->several_owners)
		finding_against(f, "several processes wait: the one that is named holds most of these connections");
}

static void file_run(const struct view *view, struct sink *sink, const struct members *run)
{
	struct tally t = tally_of(view, run);
	struct finding *f;

	if (!RULE_MAIN(AWAITING_RESPONSE, (double)t.sockets >= view->values[SOCKETS]))
		return;
	f = sink_finding(sink, SEVERITY_INFO, view_confidence(view, CONFIDENCE, false));
	f->count = t.sockets;
	f->share = t.established ? (double)t.sockets / (double)t.established : 1;
	f->title = "Asked and not answered: {owner} waits for {peer} on {count|connection}";
	f->detail = "longest {longest}, shortest {shortest} · all {sent} were delivered and acknowledged, so the network did its part; the program behind them is silent · the kernel never gives up on this wait";
	finding_owner(f, members_owner(run));
	finding_peer(f, &run->at->key);
	add_evidence(f, &t);
	add_doubts(f, &t);
	finding_threshold(f, sink, SOCKETS);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep), run;
	size_t most = 0;

	members_sort(&all, member_by_key);
	for (size_t i = 0; i < all.count; i += run.count) {
		run = members_run(&all, i, members_same_key);
		most = MAX(most, run.count);
		file_run(view, sink, &run);
	}
	if (!sink->filed && most)
		sink_near_miss(sink, "connections to one destination that wait", (double)most, SOCKETS);
	if (!view->snap->info_for_all)
		sink_skip_part(sink, "so many sockets that tcp_info was read of suspicious ones only: this one shows in tcp_info alone");
	sink_skip_history(sink, "whether such requests are answered sooner as a rule");
}

const struct rule rule_awaiting_response = {
	.id = "awaiting-response",
	.title = "A request was delivered and is not answered",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO | RULE_NEEDS_TWO_SAMPLES,
	.states = STATE_BIT(SOCK_STATE_ESTAB),
	.candidate = candidate,
	.quota = QUOTA,
	.outbound = true,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"A connection that we opened, on which we spoke last: everything was sent and acknowledged, so the path works and the peer's kernel has it, and yet no answer has come for half a minute. "
		"Whatever is slow is the program on the other side, or what it waits for in its turn.\n\n"
		"This is the request timeout, the third kind beside connect and idle, and the only one of which the kernel knows nothing: no timer runs, and without a timeout of its own the program waits for ever. "
		"Keepalives do not end it, for the peer's kernel answers them.\n\n"
		"A healthy connection may look exactly so. One that waits for news (a watch, a long poll, a subscription) has asked and is content to wait, and one that only delivers "
		"is never answered. Services that are known for it are left out by their port (SSH, XMPP, IRC, MQTT, AMQP, NATS, Redis, BGP, syslog, Graphite, Fluentd), single connections are not mentioned, and the rest is info: only a history of earlier runs could say that "
		"this service used to answer sooner. A request that was sent within two clock ticks of the last answer is taken for an acknowledgement and missed.",
	.look_alikes = (const char *const[]){
		"a watch, long poll, subscription or blocking command that waits for news: looks the same, which is why this is info",
		"a one-way stream (logs, metrics) with nothing to send for a while: looks the same, and is said when no byte ever came back",
		"an idle pooled connection: the peer spoke last",
		"a small last word that acknowledges (HTTP/2 SETTINGS and PING): it follows the peer's data at once",
		"a connection on which nobody has spoken yet",
		"a server's idle connections: it has answered, and was not the one who opened them",
		NULL },
	.causes = (const char *const[]){
		"the program behind it is blocked: a lock, its database, an upstream of its own",
		"the request waits in the peer's accept queue or its receive queue",
		"the answer is too large for the path back and vanishes (mtu-blackhole-recv)",
		"nothing is wrong: it waits for news by design",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -tip dst {peer}",
		"cat /proc/{pid}/stack",
		"tcptriage report # on the other side: recvq-not-drained, accept-stuck",
		NULL },
	.fixes = (const char *const[]){
		"look at the other side: what does its program wait for",
		"give every request a timeout in the client, shorter than that of whoever asked it",
		"cancel what nobody waits for any more, so that a slow service is not asked twice",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.8", "RFC 1122 §4.2.3.6", "net/ipv4/tcp.c (tcp_get_info)", NULL },
	.repro = "a server reads a request on each of three connections and sleeps for longer than 30 s",
};
