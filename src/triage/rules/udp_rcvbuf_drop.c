/* SPDX-License-Identifier: MIT */
/* udp-rcvbuf-drop: datagrams are dropped because a UDP socket's receive buffer is full. */
#include "../kit.h"

#include <string.h>

enum limit {
	DROPS,
	SHARE,
	CRIT_SHARE,
	CRIT_RATE,
	CRIT_DROPS,
	CRIT_SAMPLES,
	FULL,
	HALF,
	PAST,
	MIXED,
	STEPS,
};

static const struct threshold thresholds[] = {
	[DROPS] = { "drops", UNIT_COUNT, 1, "each is a datagram that had reached this host and that the program never saw" },
	[SHARE] = { "share", UNIT_PERCENT, 0.1, "protocols over UDP repair one loss in a thousand without anybody noticing" },
	[CRIT_SHARE] = { "critical_share", UNIT_PERCENT, 1, "one datagram in a hundred is heard in a call and seen in every answer that needs ten of them" },
	[CRIT_RATE] = { "critical_rate", UNIT_PER_S, 100, "a hundred datagrams a second are lost, whatever else arrives" },
	[CRIT_DROPS] = { "critical_drops", UNIT_COUNT, 5, "of very few datagrams one alone is already a large share" },
	[CRIT_SAMPLES] = { "critical_samples", UNIT_COUNT, 2, "dropping between several looks: not one burst that is over" },
	[FULL] = { "full", UNIT_RATIO, 0.8, "share of the receive buffer above which the next datagrams do not fit" },
	[HALF] = { "half", UNIT_RATIO, 0.5, "a reader that keeps up leaves its buffer nearly empty; with drops in the past this is more than a pause" },
	[PAST] = { "past_drops", UNIT_COUNT, 100, "fewer than these since the socket was made are a burst or two, of which nothing is left to find" },
	[MIXED] = { "mixed", UNIT_RATIO, 1.25, "a socket's own count this far above the buffer errors holds drops of another kind: a filter, a policy, a checksum" },
	[STEPS] = { "steps", UNIT_BYTES, 65536, "in a smaller buffer a queue has so few lengths that a slow reader may show the same one in each look" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define QUOTA 2048
#define CONFIDENCE_NAMED 0.95
#define CONFIDENCE_UNREAD 0.85
#define CONFIDENCE_MIXED 0.6
#define CONFIDENCE_PAST 0.7
#define STOPPED_STATES "Tt"

/**
 * struct losses - what the namespace counted in the window. @full: datagrams that met a full socket, @memory: the limit on all UDP memory,
 * @read: that programs took. @other: turned away for another reason. @own: what the drop counts of the sockets seen grew by.
 */
struct losses {
	uint64_t full, memory, read, other, own;
	bool counted;
};

/** struct tally - sockets of one process and endpoint. @unread: of those, whose queue stood at one length all the time; @worst: most drops. */
struct tally {
	uint64_t sockets, drops, drops_total, unread;
	unsigned drop_samples;
	const struct member *worst;
};

/* An unconnected socket is a server's: remembered before it drops, so that its first drop can be told from one of last month. */
static bool udp_candidate(const struct sock *sock)
{
	return !sock->peer.port || sock->recv_q || sock->skmem[SKMEM_DROPS];
}

static double fullness(const struct sock *sock)
{
	uint32_t rcvbuf = sock->skmem[SKMEM_RCVBUF];

	return rcvbuf ? (double)sock->recv_q / rcvbuf : 0;
}

static uint64_t met_full(const struct view *view)
{
	uint64_t v4, v6;

	view_delta(view, COUNTER_UDP_RCVBUF_ERRORS, &v4);
	view_delta(view, COUNTER_UDP6_RCVBUF_ERRORS, &v6);
	return v4 + v6;
}

/*
 * A socket that was not remembered in the first sample had nothing to remember: it had dropped nothing then, or did not exist. Unless it came with
 * more drops than the namespace has counted since: then the dump, which moves on while sockets close, has missed it.
 */
static uint64_t drops_of(const struct view *view, const struct candidate *c)
{
	const struct snapshot *snap = view->snap;
	uint32_t last = c->last.sock.skmem[SKMEM_DROPS], first = c->first.sock.skmem[SKMEM_DROPS];

	if (snap->samples < 2)
		return 0;
	if (snap->complete && c->first_us != snap->sample_us[0] && first <= met_full(view))
		first = 0;
	return last - first;
}

static bool stands_still(const struct view *view, const struct candidate *c, enum limit limit)
{
	uint32_t queue = c->last.sock.recv_q;

	return view->snap->samples > 1 && c->seen == view->snap->samples &&
	       c->first.sock.recv_q == queue && c->recv_q_min == queue &&
	       fullness(&c->last.sock) >= view->values[limit];
}

/* A queue that works hardly stands at the same length in look after look: even a slow reader frees space in steps. */
static bool is_unread(const struct view *view, const struct candidate *c, const struct losses *l)
{
	return stands_still(view, c, FULL) &&
	       (!l->read || c->last.sock.skmem[SKMEM_RCVBUF] >= view->values[STEPS]);
}

/* Has dropped, and the buffer is filled by more than a moment's work. */
static bool is_standing(const struct view *view, const struct candidate *c)
{
	const struct sock *sock = &c->last.sock;

	if (!sock->skmem[SKMEM_DROPS])
		return false;
	if (view->snap->samples > 1)
		return stands_still(view, c, HALF);
	return fullness(sock) >= view->values[HALF];
}

/* A server's port stands for it; a client has a port of its own for each socket, and is known by whom it asks. */
static struct endpoint key_of(const struct view *view, const struct sock *sock)
{
	const struct port_supply *ports = &view->snap->ports;
	bool chosen = sock->local.port >= ports->lo && sock->local.port <= ports->hi;

	return sock->peer.port && chosen ? sock->peer : sock->local;
}

static bool keep(const struct view *view, struct member *member)
{
	const struct candidate *c = member->candidate;

	if (!(member->sock->has & SOCK_HAS_SKMEM))
		return false;
	member->key = key_of(view, member->sock);
	return drops_of(view, c) || is_standing(view, c) ||
	       member->sock->skmem[SKMEM_DROPS] >= view->values[PAST];
}

static struct losses losses_of(const struct view *view, const struct members *all)
{
	uint64_t full, full6, memory, memory6, in, in6, errors, errors6;
	struct losses l = { .counted = view_delta(view, COUNTER_UDP_RCVBUF_ERRORS, &full) };

	l.counted |= view_delta(view, COUNTER_UDP6_RCVBUF_ERRORS, &full6);
	view_delta(view, COUNTER_UDP_MEM_ERRORS, &memory);
	view_delta(view, COUNTER_UDP6_MEM_ERRORS, &memory6);
	view_delta(view, COUNTER_UDP_IN_DATAGRAMS, &in);
	view_delta(view, COUNTER_UDP6_IN_DATAGRAMS, &in6);
	view_delta(view, COUNTER_UDP_IN_ERRORS, &errors);
	view_delta(view, COUNTER_UDP6_IN_ERRORS, &errors6);
	l.full = full + full6;
	l.memory = memory + memory6;
	l.read = in + in6;
	l.other = errors + errors6 - MIN(errors + errors6, l.full + l.memory);
	for (size_t i = 0; i < all->count; i++)
		l.own += drops_of(view, all->at[i].candidate);
	return l;
}

static bool is_worse(const struct view *view, const struct member *a, const struct member *b)
{
	uint64_t drops = drops_of(view, a->candidate), most = drops_of(view, b->candidate);

	return drops != most ? drops > most : a->sock->recv_q > b->sock->recv_q;
}

static struct tally tally_of(const struct view *view, const struct members *run,
			     const struct losses *l)
{
	struct tally t = { .worst = run->at };

	for (size_t i = 0; i < run->count; i++) {
		const struct candidate *c = run->at[i].candidate;

		t.sockets++;
		t.drops += drops_of(view, c);
		t.drops_total += c->last.sock.skmem[SKMEM_DROPS];
		t.drop_samples = MAX(t.drop_samples, c->drop_samples);
		t.unread += is_unread(view, c, l);
		if (is_worse(view, &run->at[i], t.worst))
			t.worst = &run->at[i];
	}
	return t;
}

/* Ports on which everybody on a link talks to everybody: a copy that one program does not fetch is missed by nobody else. */
static bool is_chatter(const struct sock *sock)
{
	static const uint16_t ports[] = { 137, 138, 1900, 3702, 5353, 5355 };

	if (addr_class(&sock->local.addr) == ADDR_CLASS_MULTICAST)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		if (sock->local.port == ports[i])
			return true;
	}
	return false;
}

static double share_of(uint64_t drops, const struct losses *l)
{
	uint64_t arrived = l->read + MAX(drops, l->full + l->memory);

	return drops ? 100.0 * (double)drops / (double)arrived : 0;
}

static double rate_of(const struct view *view, uint64_t drops)
{
	double window = view_window_s(view);

	return window > 0 ? (double)drops / window : 0;
}

/* Enough, and more than once. */
static bool lasts(const struct view *view, uint64_t drops, unsigned samples)
{
	return (double)drops >= view->values[CRIT_DROPS] && samples >= view->values[CRIT_SAMPLES];
}

/* Two samples have one interval: what dropped in it may be a burst, what dropped much in it is not. */
static bool in_all_intervals(const struct view *view, uint64_t drops, unsigned samples)
{
	return view->snap->samples == 2 && samples == 1 && (double)drops >= view->values[CRIT_DROPS] &&
	       rate_of(view, drops) >= view->values[CRIT_RATE];
}

static enum severity judge(const struct view *view, uint64_t drops, unsigned samples,
			   const struct losses *l, enum limit *limit)
{
	const double *v = view->values;

	*limit = CRIT_RATE;
	if (lasts(view, drops, samples) && rate_of(view, drops) >= v[CRIT_RATE])
		return SEVERITY_CRITICAL;
	*limit = CRIT_SHARE;
	if (lasts(view, drops, samples) && share_of(drops, l) >= v[CRIT_SHARE])
		return SEVERITY_CRITICAL;
	*limit = SHARE;
	return share_of(drops, l) >= v[SHARE] ? SEVERITY_WARNING : SEVERITY_INFO;
}

/* What nobody reads has no share that says anything: it is all lost, and perhaps by design. */
static enum severity judge_unread(const struct view *view, const struct tally *t, enum limit *limit)
{
	*limit = CRIT_RATE;
	if (is_chatter(t->worst->sock))
		return SEVERITY_INFO;
	if (!lasts(view, t->drops, t->drop_samples)) {
		*limit = CRIT_DROPS;
		return in_all_intervals(view, t->drops, t->drop_samples) ? SEVERITY_WARNING : SEVERITY_INFO;
	}
	if (rate_of(view, t->drops) >= view->values[CRIT_RATE])
		return SEVERITY_CRITICAL;
	*limit = CRIT_DROPS;
	return SEVERITY_WARNING;
}

static void add_counters(struct finding *f, const struct view *view)
{
	finding_counter(f, view, COUNTER_UDP_RCVBUF_ERRORS, "rcvbuf_errors");
	finding_counter(f, view, COUNTER_UDP6_RCVBUF_ERRORS, "rcvbuf_errors_v6");
	finding_counter(f, view, COUNTER_UDP_MEM_ERRORS, "mem_errors");
	finding_counter(f, view, COUNTER_UDP6_MEM_ERRORS, "mem_errors_v6");
	finding_counter(f, view, COUNTER_UDP_IN_DATAGRAMS, "datagrams_read");
	finding_counter(f, view, COUNTER_UDP6_IN_DATAGRAMS, "datagrams_read_v6");
}

static void add_drops(struct finding *f, const struct view *view, uint64_t drops,
		      const struct losses *l, const char *source)
{
	finding_add(f, "drops", (double)drops, UNIT_COUNT, source);
	finding_add(f, "window", view_window_s(view), UNIT_S, "rule");
	finding_add(f, "drop_rate", rate_of(view, drops), UNIT_PER_S, "rule");
	finding_add(f, "share", share_of(drops, l), UNIT_PERCENT, "rule");
}

static void add_socket(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct sock *worst = t->worst->sock;
	const struct sysctls *s = &view->snap->sysctls;

	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "drops_total", (double)t->drops_total, UNIT_COUNT, "skmem drops");
	finding_add(f, "drop_samples", t->drop_samples, UNIT_COUNT, "skmem drops");
	finding_add(f, "unread", (double)t->unread, UNIT_SOCKETS, "idiag_rqueue");
	finding_add(f, "recv_q", worst->recv_q, UNIT_BYTES, "idiag_rqueue");
	finding_add(f, "rcvbuf", worst->skmem[SKMEM_RCVBUF], UNIT_BYTES, "skmem");
	if (view->snap->has_sysctls && s->has[SYSCTL_RMEM_MAX]) {
		finding_add(f, "rmem_max", (double)s->value[SYSCTL_RMEM_MAX], UNIT_BYTES,
			    "net.core.rmem_max");
		finding_add(f, "rcvbuf_limit", 2.0 * (double)s->value[SYSCTL_RMEM_MAX], UNIT_BYTES,
			    "net.core.rmem_max");
	}
}

static bool is_stopped(const struct process *owner)
{
	return owner && owner->run_state && strchr(STOPPED_STATES, owner->run_state);
}

static void add_doubts(struct finding *f, const struct tally *t, const struct losses *l)
{
	const struct evidence *limit = finding_evidence(f, "rcvbuf_limit");

	if (is_stopped(t->worst->owner))
		finding_against(f, "the process is stopped (a debugger, job control): it reads again when it goes on");
	if (!t->worst->owner)
		finding_against(f, "the owner could not be read: several processes may share this number");
	if (t->unread && l->read)
		finding_against(f, "something was read from other sockets meanwhile; that this one stood at the same length each time could be chance");
	if (t->unread && is_chatter(t->worst->sock))
		finding_against(f, "a port for announcements to everybody: a program that only sends there need not read, and others get copies of their own");
	if (limit && t->worst->sock->skmem[SKMEM_RCVBUF] >= limit->value)
		finding_against(f, "the buffer is already as large as net.core.rmem_max allows: only a faster reader or a larger limit helps");
}

static void set_scope(struct finding *f, const struct tally *t)
{
	const struct sock *sock = t->worst->sock;

	finding_owner(f, t->worst->owner);
	if (endpoint_equal(&t->worst->key, &sock->peer))
		finding_peer(f, &sock->peer);
	else
		finding_local(f, &sock->local);
	f->scope_factor = addr_is_loopback(&t->worst->key.addr) ? 0.8 : 1;
}

static const char *dropping_detail(const struct finding *f, bool unread)
{
	bool limit = finding_evidence(f, "rmem_max");

	if (unread)
		return limit ? "{drop_rate} dropped · {recv_q} wait in a buffer of {rcvbuf}, the same in every look: nothing was taken out · net.core.rmem_max {rmem_max} (the kernel doubles what SO_RCVBUF asks for)" :
			       "{drop_rate} dropped · {recv_q} wait in a buffer of {rcvbuf}, the same in every look: nothing was taken out";
	return limit ? "{drop_rate} dropped, {share} of what came for programs of this host · buffer {rcvbuf}, {recv_q} in it now · net.core.rmem_max {rmem_max} (the kernel doubles what SO_RCVBUF asks for)" :
		       "{drop_rate} dropped, {share} of what came for programs of this host · buffer {rcvbuf}, {recv_q} in it now";
}

static void describe_dropping(struct finding *f, const struct tally *t)
{
	bool unread = t->unread;

	if (unread)
		f->title = f->scope.has_peer ? "{owner} does not read what {peer} sends: its receive buffer is full, {drops|datagram} dropped in {window}" :
					       "{owner} does not read {local}: its receive buffer is full, {drops|datagram} dropped in {window}";
	else
		f->title = f->scope.has_peer ? "{owner} is too slow for what {peer} sends: {drops|datagram} dropped in {window}, its receive buffer was full" :
					       "{owner} is too slow on {local}: {drops|datagram} dropped in {window}, its receive buffer was full";
	f->detail = dropping_detail(f, unread);
}

/*
 * The drop count of a socket holds more than full buffers: a filter, a policy or a checksum may have turned datagrams away. Then InErrors
 * counts more than the two kinds of its own (net/ipv4/udp.c, udp_queue_rcv_one_skb); without that, the two counts were only read at different times.
 */
static bool is_mixed(const struct view *view, const struct losses *l)
{
	return l->other && (double)l->own > (double)l->full * view->values[MIXED];
}

static void file_dropping(const struct view *view, struct sink *sink, const struct tally *t,
			  const struct losses *l)
{
	struct tally own = *t;
	double confidence = t->unread ? CONFIDENCE_UNREAD : CONFIDENCE_NAMED;
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (is_mixed(view, l)) {
		own.drops = MIN(own.drops, l->full);
		confidence = CONFIDENCE_MIXED;
	}
	severity = own.unread ? judge_unread(view, &own, &limit) :
				judge(view, own.drops, own.drop_samples, l, &limit);
	f = sink_finding(sink, severity, view_confidence(view, confidence, true));
	f->count = own.drops;
	f->growth = 1.1;
	set_scope(f, &own);
	add_drops(f, view, own.drops, l, "skmem drops");
	add_socket(f, view, &own);
	add_counters(f, view);
	describe_dropping(f, &own);
	add_doubts(f, &own, l);
	if (is_mixed(view, l))
		finding_against(f, "sockets count more drops than met a full buffer: a socket filter, a policy or wrong checksums had a part in it");
	finding_threshold(f, sink, limit);
}

/* One look does not tell whether the drops go on. */
static void describe_standing(struct finding *f, bool one_look)
{
	if (one_look) {
		f->title = f->scope.has_peer ? "{owner} leaves {recv_q} from {peer} unread, and {drops_total|datagram} dropped so far" :
					       "{owner} leaves {recv_q} on {local} unread, and {drops_total|datagram} dropped so far";
		f->detail = "buffer {rcvbuf}, {recv_q} in it · whether drops go on takes a second look (without --quick)";
		finding_against(f, "one look only: a reader that works through a burst looks the same");
		return;
	}
	f->title = f->scope.has_peer ? "{owner} leaves {recv_q} from {peer} unread; {drops_total|datagram} dropped earlier, none now" :
				       "{owner} leaves {recv_q} on {local} unread; {drops_total|datagram} dropped earlier, none now";
	f->detail = "buffer {rcvbuf}, {recv_q} in it · nothing was dropped while it was looked at";
}

static void file_standing(const struct view *view, struct sink *sink, const struct tally *t,
			  const struct losses *l)
{
	struct finding *f = sink_finding(sink, SEVERITY_INFO,
					 view_confidence(view, CONFIDENCE_PAST, false));

	f->count = t->drops_total;
	set_scope(f, t);
	add_socket(f, view, t);
	add_counters(f, view);
	describe_standing(f, view->snap->samples < 2);
	add_doubts(f, t, l);
	finding_threshold(f, sink, HALF);
}

/* Of drops long ago one line is enough: the socket with the most. */
static void file_past(const struct view *view, struct sink *sink, const struct members *all)
{
	struct tally t = { .worst = NULL };
	struct finding *f;

	for (size_t i = 0; i < all->count; i++) {
		const struct member *m = &all->at[i];

		if (drops_of(view, m->candidate) || is_standing(view, m->candidate))
			continue;
		t.sockets++;
		if (!t.worst || m->sock->skmem[SKMEM_DROPS] > t.worst->sock->skmem[SKMEM_DROPS])
			t.worst = m;
	}
	if (!t.worst)
		return;
	t.drops_total = t.worst->sock->skmem[SKMEM_DROPS];
	f = sink_finding(sink, SEVERITY_INFO, view_confidence(view, CONFIDENCE_PAST, false));
	f->count = t.drops_total;
	f->growth = 0.5;
	set_scope(f, &t);
	add_socket(f, view, &t);
	f->title = f->scope.has_peer ? "{owner} has lost {drops_total|datagram} from {peer} some time ago, none now" :
				       "{owner} has lost {drops_total|datagram} on {local} some time ago, none now";
	f->detail = "{sockets} with earlier drops, this one has the most · buffer {rcvbuf} · when it was cannot be told";
	finding_against(f, "a socket's count also holds what a socket filter, a policy or a checksum turned away");
	finding_threshold(f, sink, PAST);
}

/* Drops that no socket owns up to: it is gone by now, or was never seen. A few may have come between reading the counters and the sockets. */
static void file_unnamed(const struct view *view, struct sink *sink, const struct losses *l)
{
	unsigned samples = MAX(view_steps(view, COUNTER_UDP_RCVBUF_ERRORS),
			       view_steps(view, COUNTER_UDP6_RCVBUF_ERRORS));
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(UDP_RCVBUF_DROP, (double)l->full >= view->values[DROPS]))
		return;
	if (view->snap->left_out) {
		sink_skip_part(sink, "drops at sockets outside of the filter: the kernel's count is of all of them");
		return;
	}
	severity = MIN(judge(view, l->full, samples, l, &limit), SEVERITY_WARNING);
	if (!lasts(view, l->full, samples))
		severity = SEVERITY_INFO;
	f = sink_finding(sink, severity, view_confidence(view, CONFIDENCE_MIXED, false));
	f->count = l->full;
	add_drops(f, view, l->full, l, "UdpRcvbufErrors, Udp6RcvbufErrors");
	add_counters(f, view);
	f->title = "{count|datagram} met a full receive buffer in {window}; no socket that stands now counts them";
	f->detail = "{drop_rate} dropped, {share} of what came for programs of this host · their sockets are closed by now, or could not be read";
	finding_against(f, "which program it was cannot be told");
	finding_threshold(f, sink, limit);
}

static void file_memory(const struct view *view, struct sink *sink, const struct losses *l)
{
	unsigned samples = MAX(view_steps(view, COUNTER_UDP_MEM_ERRORS),
			       view_steps(view, COUNTER_UDP6_MEM_ERRORS));
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(UDP_RCVBUF_DROP, (double)l->memory >= view->values[DROPS]))
		return;
	severity = judge(view, l->memory, samples, l, &limit);
	f = sink_finding(sink, severity, view_confidence(view, CONFIDENCE_NAMED, true));
	f->count = l->memory;
	f->growth = 1.1;
	f->scope_factor = 1.2;
	add_drops(f, view, l->memory, l, "UdpMemErrors, Udp6MemErrors");
	add_counters(f, view);
	f->title = "UDP has used up its memory on this host (udp_mem): {count|datagram} dropped in {window}, whatever socket they were for";
	f->detail = "{drop_rate} dropped, {share} of what came for programs of this host · the limit is one for all sockets and all namespaces";
	finding_against(f, "the memory may be held by sockets in another network namespace");
	finding_threshold(f, sink, limit);
}

/* Groups that drop now, and those that stand full. */
static bool file_groups(const struct view *view, struct sink *sink, struct members *all,
			const struct losses *l)
{
	struct members run;
	bool named = false;

	members_sort(all, member_by_owner_and_key);
	for (size_t i = 0; i < all->count; i += run.count) {
		struct tally t;

		run = members_run(all, i, members_same_owner_and_key);
		t = tally_of(view, &run, l);
		if (RULE_MAIN(UDP_RCVBUF_DROP, l->full && (double)t.drops >= view->values[DROPS])) {
			file_dropping(view, sink, &t, l);
			named = true;
		} else if (!t.drops && is_standing(view, t.worst->candidate)) {
			file_standing(view, sink, &t, l);
		}
	}
	return named;
}

static void note_near_miss(struct sink *sink)
{
	const struct view *view = sink->view;
	const struct candidate *c;
	double fullest = -1;

	for (size_t i = 0; (c = snapshot_candidate(view->snap, i)); i++) {
		if (c->present && c->rules >> sink->index & 1)
			fullest = MAX(fullest, fullness(&c->last.sock));
	}
	if (fullest >= 0)
		sink_near_miss(sink, "fullest receive buffer of a UDP socket", fullest, FULL);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct members all = members_collect(sink, keep);
	struct losses l = losses_of(view, &all);

	if (!file_groups(view, sink, &all, &l))
		file_unnamed(view, sink, &l);
	file_memory(view, sink, &l);
	if (!l.own)
		file_past(view, sink, &all);
	if (!sink->filed)
		note_near_miss(sink);
	if (!l.counted)
		sink_skip_part(sink, "drops between samples: one sample, or no UDP counters, shows no growth");
}

const struct rule rule_udp_rcvbuf_drop = {
	.id = "udp-rcvbuf-drop",
	.title = "UDP datagrams are dropped at a full receive buffer",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_SKMEM | RULE_NEEDS_COUNTERS,
	.udp_candidate = udp_candidate,
	.quota = QUOTA,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"A datagram that arrives is put into the receive buffer of the socket it is for, and waits there until the program calls recv(). UDP has no window and nobody to slow down: "
		"when the buffer is full the kernel drops what comes and tells no one. The sender has sent it, a capture shows it on the wire, and the program never sees it.\n\n"
		"The kernel counts these drops for the namespace (RcvbufErrors, for IPv4 and IPv6 apart) and for each socket (the last number of its skmem), which names the program. Only what was added "
		"between the samples counts here; the number since the socket was made says that it has happened before, not when. InDatagrams counts what programs have read, so that the share is of "
		"what came for them.\n\n"
		"The buffer is charged with the memory that a datagram takes, which for a small one is several times its length: a buffer of 8 KiB holds about ten of them. SO_RCVBUF is doubled by the "
		"kernel for that reason, and capped by net.core.rmem_max before.\n\n"
		"A queue that has the very same length in every look is not read at all. MemErrors are another thing: the limit on all UDP memory of the host (udp_mem).",
	.look_alikes = (const char *const[]){
		"drops that a socket counted long ago and that do not grow: reported as info, once",
		"a socket that nobody reads by design (an announcer on 5353 or 1900 that only sends): its queue stands full; info, and the port is named",
		"a socket filter, an IPsec policy or a wrong checksum: the socket's own count grows without RcvbufErrors; not reported",
		"datagrams to a port without a socket: NoPorts, another rule",
		NULL },
	.causes = (const char *const[]){
		"the reader is slower than the sender: one thread for a port, work done between two calls of recv()",
		"bursts larger than the buffer: an aggregation interval that ends everywhere at once",
		"the process is blocked or stopped, or has forgotten the socket",
		"a small buffer: net.core.rmem_default or rmem_max never raised on a busy receiver",
		NULL },
	.next = (const char *const[]){
		"tcptriage states -uamp sport = :{local_port}",
		"tcptriage states -uamp dst {peer_addr}",
		"nstat -az UdpRcvbufErrors Udp6RcvbufErrors UdpInDatagrams Udp6InDatagrams UdpMemErrors",
		"cat /proc/{pid}/stack /proc/{pid}/wchan",
		NULL },
	.fixes = (const char *const[]){
		"read faster: a thread that does nothing but recvmmsg() into a queue, or several sockets with SO_REUSEPORT",
		"SO_RCVBUF for the longest burst in bytes times four, and net.core.rmem_max so that it is granted; restart the program",
		"let the senders pace what they send, or send less often to more receivers",
		"close sockets that nobody reads",
		NULL },
	.refs = (const char *const[]){ "RFC 768 (no acknowledgement, no flow control)", "RFC 8085 §3.1", "RFC 8085 §3.3",
				       "net/ipv4/udp.c (__udp_enqueue_schedule_skb)",
				       "Documentation/networking/snmp_counter.rst", NULL },
	.repro = "SO_RCVBUF 4096 and no recv(): of 400 datagrams nine stay, 391 are dropped and counted",
};
