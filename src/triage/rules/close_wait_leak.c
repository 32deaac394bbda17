/* SPDX-License-Identifier: MIT */
/* close-wait-leak: the peer closed, our program did not. */
#include "../kit.h"
#include "../leak_verdict.h"

#define AGE_IS_A_BOUND 0.8

enum limit {
	AGE,
	ACTIVE,
	INFO_AGE,
	WARN_SOCKETS,
	EOF_SOCKETS,
	GROWTH_SHARE,
	WARN_NOFILE,
	CRIT_SOCKETS,
	CRIT_AGE,
	CRIT_NOFILE,
	POOL_RECVQ,
	POOL_SHARE,
};

static const struct threshold thresholds[] = {
	[AGE] = { "age", UNIT_MS, 60000, "closing is a matter of milliseconds; a minute is no longer an answer still being written" },
	[ACTIVE] = { "active", UNIT_MS, 5000, "a socket that sent data this recently is a half-close in use, and a younger one is in passing" },
	[INFO_AGE] = { "info_age", UNIT_MS, 600000, "agents, laptops and forwarders keep one or two for a while; ten minutes are worth a line" },
	[WARN_SOCKETS] = { "sockets", UNIT_SOCKETS, 10, "fewer are the size of an ordinary connection pool" },
	[EOF_SOCKETS] = { "eof_sockets", UNIT_SOCKETS, 30, "so many that were told of the end and kept are no longer a pool for one destination" },
	[GROWTH_SHARE] = { "growth_share", UNIT_RATIO, 0.1, "one new for every ten old while none of the old goes: the number is rising" },
	[WARN_NOFILE] = { "fd_share", UNIT_PERCENT, 10, "a tenth of the descriptors held for nothing will be felt" },
	[CRIT_SOCKETS] = { "critical_sockets", UNIT_SOCKETS, 50, "without history only a number that no pool keeps for this long is proof" },
	[CRIT_AGE] = { "critical_age", UNIT_MS, 600000, "longer than the idle timeouts of pools and load balancers in common use" },
	[CRIT_NOFILE] = { "critical_fd_share", UNIT_PERCENT, 50, "half of the descriptors gone: the next burst ends in EMFILE" },
	[POOL_RECVQ] = { "pool_recv_q", UNIT_BYTES, 4096, "two TLS 1.3 session tickets, a close_notify and the end of file stay far below this" },
	[POOL_SHARE] = { "pool_share", UNIT_RATIO, 0.5, "when most of a group looks like a pool, it is judged as one" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/** struct tally - one group of sockets in numbers. @hidden: answered keepalives hide their age; it may be up to @last_data_ms. */
struct tally {
	uint64_t hidden;
	int64_t last_data_ms;
	uint64_t aged, very_old, below_10m, below_1h, above_1h, unread, pool, fresh, bounded;
	uint64_t recv_q;
	int64_t oldest_ms;
};

static bool candidate(const struct sock *sock)
{
	return sock->inode != 0;
}

/* With keepalives the peer's answers refresh the last ACK: it is a lower bound then, and the last data an upper one. A socket is counted
 * by what it is at least; a peer that closed a moment ago may have been quiet for hours before. */
static int64_t longest_ms(const struct sock *sock, int64_t age_ms)
{
	if (sock->timer != SOCK_TIMER_KEEPALIVE)
		return age_ms;
	return MAX(age_ms, (int64_t)sock_tcpi(sock, TCPI_LAST_DATA_RECV));
}

static bool still_sends(const struct view *view, const struct member *member)
{
	const struct tcp_info_bytes *before = &member->candidate->first.sock.info;
	const struct tcp_info_bytes *after = &member->sock->info;

	if (tcpi_get(after, TCPI_BYTES_SENT) > tcpi_get(before, TCPI_BYTES_SENT))
		return true;
	return tcpi_get(after, TCPI_LAST_DATA_SENT) < (uint64_t)view->values[ACTIVE];
}

/* What one socket tells by itself: those in passing and half-closes in use are not ours. */
static bool keep(const struct view *view, struct member *member)
{
	const struct sock *sock = member->sock;
	struct leak_signs signs;
	enum leak_story story;

	if (sock->state != SOCK_STATE_CLOSE_WAIT || !sock->inode || !sock->info.len)
		return false;
	if (!member->candidate->outbound)
		member->key = (struct endpoint){ .port = sock->local.port };
	signs = (struct leak_signs){
		.young = answer_of((double)longest_ms(sock, member->age_ms) < view->values[ACTIVE]),
		.sends = answer_of(still_sends(view, member)),
	};
	story = leak_verdict(&signs).story;
	return story != LEAK_TRANSIENT && story != LEAK_HALF_CLOSE;
}

static void count_age(struct tally *t, const double *limits, int64_t age_ms)
{
	static const int64_t ten_minutes = 600000, hour = 3600000;

	t->aged++;
	t->very_old += (double)age_ms >= limits[CRIT_AGE];
	t->below_10m += age_ms < ten_minutes;
	t->below_1h += age_ms >= ten_minutes && age_ms < hour;
	t->above_1h += age_ms >= hour;
}

static struct tally tally_of(const struct members *group, const double *limits)
{
	struct tally t = { .oldest_ms = members_oldest_ms(group) };

	for (size_t i = 0; i < group->count; i++) {
		const struct member *m = &group->at[i];
		uint32_t recv_q = m->sock->recv_q;

		if ((double)m->age_ms < limits[AGE]) {
			int64_t longest = longest_ms(m->sock, m->age_ms);
			bool hidden = (double)longest >= limits[INFO_AGE];

			t.hidden += hidden;
			t.fresh += !hidden;
			t.last_data_ms = MAX(t.last_data_ms, longest);
			continue;
		}
		count_age(&t, limits, m->age_ms);
		t.recv_q += recv_q;
		t.unread += recv_q > 0;
		t.bounded += !m->age_exact;
		t.pool += m->candidate->outbound && recv_q && recv_q <= limits[POOL_RECVQ];
	}
	return t;
}

static double fd_percent(const struct process *owner, uint64_t sockets)
{
	return owner && owner->nofile ? 100.0 * (double)sockets / (double)owner->nofile : 0;
}

/* Sockets of the process beside those of the group count too: all of them compete for descriptors. */
static double process_percent(const struct process *owner, uint64_t sockets)
{
	return fd_percent(owner, owner ? MAX(sockets, owner->sockets) : sockets);
}

/** struct judgement - severity with the limit that decided it. @hidden: keepalives hide all ages. */
struct judgement {
	bool any, hidden;
	struct leak_verdict verdict;
	enum severity severity;
	enum limit limit;
};

/* What the group tells. Whether the same sockets last over several runs only history can say. */
static struct leak_signs signs_of(const struct tally *t, const struct process *owner, const double *l)
{
	double n = (double)t->aged;
	bool exhausts = n >= l[CRIT_SOCKETS] && process_percent(owner, t->aged) >= l[CRIT_NOFILE];

	return (struct leak_signs){
		.young = ANSWER_NO,
		.sends = ANSWER_NO,
		.pool_like = answer_of((double)t->pool > l[POOL_SHARE] * n),
		.exhausts = answer_of(exhausts),
		.damning = answer_of((double)t->very_old >= l[CRIT_SOCKETS]),
	};
}

static bool is_critical(const struct leak_signs *signs, const struct leak_verdict *v,
			enum limit *limit)
{
	*limit = signs->exhausts == ANSWER_YES ? CRIT_NOFILE : CRIT_SOCKETS;
	return signs->exhausts == ANSWER_YES ||
	       (v->story == LEAK_CERTAIN && signs->damning == ANSWER_YES);
}

static bool is_warning(const struct tally *t, const struct process *owner,
		       const struct leak_verdict *v, const double *l, enum limit *limit)
{
	double n = (double)t->aged, eof = n - (double)t->unread;
	bool rising = (double)t->fresh >= l[GROWTH_SHARE] * n;

	*limit = eof >= l[EOF_SOCKETS] ? EOF_SOCKETS : rising ? GROWTH_SHARE : WARN_NOFILE;
	return v->story == LEAK_CERTAIN && n >= l[WARN_SOCKETS] &&
	       (rising || fd_percent(owner, t->aged) >= l[WARN_NOFILE] || eof >= l[EOF_SOCKETS]);
}

static struct judgement judge(const struct tally *t, const struct process *owner, const double *l)
{
	struct leak_signs signs = signs_of(t, owner, l);
	struct judgement j = { .verdict = leak_verdict(&signs), .any = true };

	j.severity = SEVERITY_CRITICAL;
	if (is_critical(&signs, &j.verdict, &j.limit))
		return j;
	j.severity = SEVERITY_WARNING;
	if (is_warning(t, owner, &j.verdict, l, &j.limit))
		return j;
	j.severity = SEVERITY_INFO;
	j.hidden = !t->aged && (double)t->hidden >= l[WARN_SOCKETS];
	j.any = j.hidden || (t->aged && (double)t->oldest_ms >= l[INFO_AGE]);
	j.limit = j.hidden ? WARN_SOCKETS : INFO_AGE;
	return j;
}

static double confidence_of(const struct view *view, const struct tally *t,
			    const struct judgement *j)
{
	double confidence = j->verdict.confidence;

	if (t->bounded * 2 > t->aged)
		confidence *= AGE_IS_A_BOUND;
	return view_confidence(view, confidence, false);
}

static const char *const pool_causes[] = {
	"a connection pool that notices a closed connection only when it next lends it out",
	"an idle timeout of the pool that is longer than the peer's",
	NULL,
};

static const char *const pool_fixes[] = {
	"evict idle connections before the peer does: a shorter idle timeout, or a background eviction thread",
	"validate a connection when it is borrowed, so that a dead one is dropped instead of used",
	NULL,
};

static const char *detail_of(const struct tally *t, bool has_limit)
{
	bool reader_gone = t->unread * 2 > t->aged;

	if (reader_gone)
		return has_limit ?
			       "{count|socket}, oldest {oldest} · the end of file is unread on {unread}: the reader does not run · {fds} of {nofile} fds" :
			       "{count|socket}, oldest {oldest} · the end of file is unread on {unread}: the reader does not run";
	return has_limit ?
		       "{count|socket}, oldest {oldest} · EOF was read, close() never called (Recv-Q 0 on {eof_seen}) · {fds} of {nofile} fds" :
		       "{count|socket}, oldest {oldest} · EOF was read, close() never called (Recv-Q 0 on {eof_seen})";
}

static void describe(struct finding *f, const struct tally *t, const struct judgement *j,
		     bool outbound)
{
	if (j->hidden) {
		f->title = outbound ?
				   "CLOSE-WAIT of unknown age: {owner} keeps {count|connection} that {peer} has closed" :
				   "CLOSE-WAIT of unknown age: {owner} keeps {count|connection} accepted on port {local_port} that their peers have closed";
		f->detail = "{count|socket}, closed by the peer within the last {last_data} · answered keepalives hide when";
		return;
	}
	if (j->verdict.story == LEAK_POOL) {
		f->title = "Pooled connections of {owner} to {peer} were closed by the peer: {count} wait to be discarded";
		f->detail = "{count|socket}, oldest {oldest} · the end of file stands unread behind {recv_q} · the next use fails or discards them";
		f->causes = pool_causes;
		f->fixes = pool_fixes;
		return;
	}
	f->title = outbound ?
			   "CLOSE-WAIT leak: {owner} keeps {count|connection} that {peer} has closed" :
			   "CLOSE-WAIT leak: {owner} keeps {count|connection} accepted on port {local_port} that their peers have closed";
	f->detail = detail_of(t, finding_evidence(f, "nofile") != NULL);
}

static void add_evidence(struct finding *f, const struct tally *t, const struct process *owner)
{
	finding_add(f, "sockets", (double)t->aged, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "oldest", (double)t->oldest_ms, UNIT_MS, "tcpi_last_ack_recv");
	finding_add(f, "unread", (double)t->unread, UNIT_SOCKETS, "idiag_rqueue");
	finding_add(f, "eof_seen", (double)(t->aged - t->unread), UNIT_SOCKETS, "idiag_rqueue");
	finding_add(f, "recv_q", (double)t->recv_q, UNIT_BYTES, "idiag_rqueue");
	finding_add(f, "aged_1m_10m", (double)t->below_10m, UNIT_SOCKETS, "tcpi_last_ack_recv");
	finding_add(f, "aged_10m_1h", (double)t->below_1h, UNIT_SOCKETS, "tcpi_last_ack_recv");
	finding_add(f, "aged_above_1h", (double)t->above_1h, UNIT_SOCKETS, "tcpi_last_ack_recv");
	if (t->hidden) {
		finding_add(f, "hidden", (double)t->hidden, UNIT_SOCKETS, "idiag_timer");
		finding_add(f, "last_data", (double)t->last_data_ms, UNIT_MS, "tcpi_last_data_recv");
	}
	finding_add(f, "fresh", (double)t->fresh, UNIT_SOCKETS, "tcpi_last_ack_recv");
	if (owner && owner->nofile) {
		finding_add(f, "fds", owner->fds, UNIT_COUNT, "/proc/PID/fd");
		finding_add(f, "nofile", (double)owner->nofile, UNIT_COUNT, "/proc/PID/limits");
	}
}

static void add_doubts(struct finding *f, const struct tally *t, const struct judgement *j)
{
	if (leak_undecided(&j->verdict))
		finding_against(f, "one run only: a pool that evicts lazily looks the same (history would tell); 'tcptriage states -e state close-wait pid = {pid}' now and in ten minutes: the same sk: numbers are a leak, other ones a pool");
	else if (j->verdict.story == LEAK_CERTAIN)
		finding_against(f, "one run only: that the number rises cannot be seen (history would tell)");
	if (t->bounded)
		finding_against(f, "keepalives run on some of them: their age is that of the last answer, a lower bound");
	if (j->hidden)
		finding_against(f, "the peer may have closed a moment ago: look again in a minute");
	if (!f->scope.pid)
		finding_against(f, "the owner could not be read: several processes may share this number");
}

static void file_group(const struct view *view, struct sink *sink, const struct members *group)
{
	const struct member *first = group->at;
	bool outbound = first->candidate->outbound;
	struct tally t = tally_of(group, view->values);
	struct judgement j = judge(&t, first->owner, view->values);
	struct finding *f;

	if (!RULE_MAIN(CLOSE_WAIT_LEAK, j.any))
		return;
	f = sink_finding(sink, j.severity, confidence_of(view, &t, &j));
	f->count = j.hidden ? t.hidden : t.aged;
	f->growth = t.fresh ? 1.1 : 1;
	f->scope_factor = t.aged == 1 ? 0.8 : 1;
	finding_owner(f, first->owner);
	if (outbound)
		finding_peer(f, &first->key);
	else
		finding_local(f, &first->sock->local);
	add_evidence(f, &t, first->owner);
	describe(f, &t, &j, outbound);
	add_doubts(f, &t, &j);
	finding_threshold(f, sink, j.limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep), group;
	int64_t oldest = members_oldest_ms(&all);
	size_t filed = sink->filed;

	members_sort(&all, member_by_owner_and_key);
	for (size_t i = 0; i < all.count; i += group.count) {
		group = members_run(&all, i, members_same_owner_and_key);
		file_group(view, sink, &group);
	}
	if (filed == sink->filed && oldest >= 0)
		sink_near_miss(sink, "oldest CLOSE-WAIT", (double)oldest, INFO_AGE);
	sink_skip_history(sink, "growth over runs");
}

const struct rule rule_close_wait_leak = {
	.id = "close-wait-leak",
	.title = "CLOSE-WAIT leak: the peer closed, our program did not",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_TCP_INFO,
	.states = STATE_BIT(SOCK_STATE_CLOSE_WAIT),
	.candidate = candidate,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"A socket is in CLOSE-WAIT when the peer has sent its FIN and the kernel has acknowledged it, while the local program has not yet called close(). "
		"The kernel waits for the program without limit: no timer runs in this state, and no setting shortens it.\n\n"
		"A few such sockets are ordinary, for a program may have an answer to finish. Many that grow old mean that a path through the program ends without close(): "
		"an error branch, a response body that is never read to its end, a worker that hangs, a descriptor that was taken out of the event loop. Each of them holds a descriptor, "
		"and when the limit is reached accept(), open() and connect() fail with EMFILE.\n\n"
		"The receive queue tells the two kinds apart. The peer's FIN counts as one byte there until the program reads the end of file: Recv-Q 0 means that the program "
		"saw the end and kept the socket, Recv-Q 1 or more that nobody reads it any more. The age is the time since the last ACK, which is that of the FIN unless "
		"our own keepalives are answered; then it is a bound and said so.",
	.look_alikes = (const char *const[]){
		"a half-close in use: the peer has finished sending and we still answer (data was sent in the last seconds, or between two samples)",
		"a pool of outbound connections that evicts lazily: small unread rest (session tickets, end of file) on most of the sockets; reported as info",
		"connections not yet accepted (inode 0): they wait in a listener's queue, close() is not the program's yet to call",
		"sockets in passing: below the age limit they are not counted, however many there are",
		NULL },
	.causes = (const char *const[]){
		"a close() that is missing on an error path, or a response body that is not consumed",
		"a worker that is blocked or deadlocked and will never come back to its socket",
		"a connection pool without eviction of idle connections",
		"a descriptor that was removed from the event loop without being closed",
		NULL },
	.next = (const char *const[]){
		"tcptriage states state close-wait pid = {pid}",
		"ls -l /proc/{pid}/fd",
		"cat /proc/{pid}/stack",
		NULL },
	.fixes = (const char *const[]){
		"close in every path (defer, finally, using, RAII); read or cancel response bodies",
		"evict idle connections before the peer does",
		"restart the process as a stop-gap; no kernel setting helps, for no timer runs in CLOSE-WAIT",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.3.2", "RFC 9293 §3.6", "RFC 1122 §4.2.2.13",
				       "net/ipv4/tcp_input.c (tcp_fin)", NULL },
	.repro = "a server accepts, sends and closes; the client keeps its sockets open, half of them after recv() has returned 0",
};
