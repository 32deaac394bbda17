/* SPDX-License-Identifier: MIT */
/* rst-breakdown: connections that end by a reset, by cause: what each counter means and whose doing it is. */
#include "../resets.h"
#include "../packets.h"

enum limit {
	RESETS,
	RATE,
	SHARE,
	INTERVALS,
	OUT_OF_MEMORY,
};

static const struct threshold thresholds[] = {
	[RESETS] = { "resets", UNIT_COUNT, 10, "fewer are single users who closed a tab, or a few health checks" },
	[RATE] = { "rate", UNIT_PER_S, 1, "over a long window, what comes less often than once a second is such a user too" },
	[SHARE] = { "share", UNIT_RATIO, 0.05, "one connection in twenty; browsers and impatient clients of a busy server stay below" },
	[INTERVALS] = { "intervals", UNIT_COUNT, 2, "between two pairs of samples: it lasts, and is not one program that ended" },
	[OUT_OF_MEMORY] = { "out_of_memory", UNIT_COUNT, 1, "the kernel never does this while it has what it needs" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_COUNTED 0.85
#define CONFIDENCE_MEMORY 0.95

/** enum cause_id - rows of causes. */
enum cause_id { RECEIVED, UNREAD, ABORTED, TIMED_OUT, LINGERED, MEMORY, NOT_SENT, STRAYS, EMBRYONIC, CAUSES };

/** struct cause - @short_text: what, and whose doing. @long_text: what happens. @ends: it ends established connections by a reset. */
struct cause {
	const char *name, *source, *short_text, *long_text, *fix;
	bool ends;
};

static const struct cause causes[CAUSES] = {
	[RECEIVED] = { "received", "TcpEstabResets less the aborts", "{received} reset by the peer or a device between (theirs)",
		       "the other side, or a NAT, load balancer or firewall on the way, sent the reset: a program there that crashed or closes by RST, an idle timeout, a health check",
		       "look at the peer's program and at idle timeouts on the way; health checks that close by RST are harmless", true },
	[UNREAD] = { "closed_unread", "TcpExtTCPAbortOnClose", "{closed_unread} closed with data unread (our program)",
		     "our program closed while data from the peer was unread: the kernel answers with RST, and the peer may lose what we had sent before, such as an error page",
		     "read the request to its end, or shut down for writing and drain, before close()", true },
	[ABORTED] = { "aborted", "TcpExtTCPAbortOnData", "{aborted} aborted by SO_LINGER 0 or hit by data after close() (our program)",
		      "our program closes with SO_LINGER 0, or it closed while the peer was still sending",
		      "remove SO_LINGER 0: what is still on its way is thrown away; where a peer is cut off while sending, let it finish or tell it to stop", true },
	[TIMED_OUT] = { "timed_out", "TcpExtTCPAbortOnTimeout", "{timed_out} given up without answer (the peer or the path)",
			"nothing came back any more: retransmissions, keepalive probes or SYNs ran out, or TCP_USER_TIMEOUT did",
			"find out where the path or the peer died; a reset is only how the program learns of it", false },
	[LINGERED] = { "lingered", "TcpExtTCPAbortOnLinger", "{lingered} ended by TCP_LINGER2 (our program's option)",
		       "the program allows closed connections no time in FIN-WAIT-2 (TCP_LINGER2 below 0)",
		       "leave TCP_LINGER2 alone", true },
	[MEMORY] = { "out_of_memory", "TcpExtTCPAbortOnMemory", "{out_of_memory} for lack of TCP memory (this host)",
		     "TCP memory is used up, or there are more closed connections without a program than tcp_max_orphans: the kernel resets what it would have to keep",
		     "find who holds the memory (slow readers, slow peers, huge buffers); raise tcp_mem or tcp_max_orphans only then", true },
	[NOT_SENT] = { "not_sent", "TcpExtTCPAbortFailed", "{not_sent|reset} could not be sent (this host)",
		       "no memory or no way out for the RST: the peer does not learn that the connection is gone",
		       "look at memory pressure and at the route", false },
	[STRAYS] = { "strays", "TcpOutRsts less the aborts", "{strays|RST} to packets of no connection (whoever sent them)",
		     "closed ports that are asked for, scans, or packets that come after their connection is gone",
		     "nothing to do for scans; for late packets look at NATs and load balancers in front", false },
	[EMBRYONIC] = { "embryonic", "TcpExtEmbryonicRsts", "{embryonic|half-open connection} reset (the client)",
			"the client reset the connection before it was established: half-open health checks and scans do",
			"nothing to do", false },
};

static const enum counter_id counted[CAUSES] = {
	[UNREAD] = COUNTER_TCP_ABORT_ON_CLOSE,	   [ABORTED] = COUNTER_TCP_ABORT_ON_DATA,
	[TIMED_OUT] = COUNTER_TCP_ABORT_ON_TIMEOUT, [LINGERED] = COUNTER_TCP_ABORT_ON_LINGER,
	[MEMORY] = COUNTER_TCP_ABORT_ON_MEMORY,	   [NOT_SENT] = COUNTER_TCP_ABORT_FAILED,
	[EMBRYONIC] = COUNTER_EMBRYONIC_RSTS,
};

/** struct tally - growth over the window. @resets: connections that ended by a reset, at least. @order: causes, most frequent first. */
struct tally {
	uint64_t value[CAUSES], resets, opens;
	enum cause_id order[CAUSES];
	struct resets all;
	double window_s, share;
};

/* Those that end connections come first. */
static bool comes_before(const struct tally *t, enum cause_id a, enum cause_id b)
{
	if (causes[a].ends != causes[b].ends)
		return causes[a].ends;
	return t->value[a] > t->value[b];
}

static void put_in_order(struct tally *t)
{
	for (unsigned i = 0; i < CAUSES; i++) {
		unsigned at = i;

		for (; at && comes_before(t, i, t->order[at - 1]); at--)
			t->order[at] = t->order[at - 1];
		t->order[at] = i;
	}
}

static bool tally_of(const struct view *view, struct tally *t)
{
	uint64_t active, passive, aborts;
	bool known;

	*t = (struct tally){ .window_s = view_window_s(view) };
	known = resets_of(view, &t->all);
	known &= view_delta(view, COUNTER_TCP_ACTIVE_OPENS, &active);
	known &= view_delta(view, COUNTER_TCP_PASSIVE_OPENS, &passive);
	for (unsigned i = 0; i < CAUSES; i++) {
		if (i != RECEIVED && i != STRAYS)
			view_delta(view, counted[i], &t->value[i]);
	}
	t->value[RECEIVED] = t->all.received;
	t->value[STRAYS] = t->all.strays;
	aborts = t->value[UNREAD] + t->value[ABORTED] + t->value[LINGERED] + t->value[MEMORY];
	t->resets = MAX(t->all.ended, aborts);
	t->opens = active + passive;
	t->share = t->opens ? (double)t->resets / (double)t->opens : 1;
	put_in_order(t);
	return known && t->window_s > 0;
}

static unsigned steps_of(const struct view *view)
{
	return MAX(view_steps(view, COUNTER_TCP_ESTAB_RESETS), view_steps(view, COUNTER_TCP_OUT_RSTS));
}

static bool is_worth_telling(const struct view *view, const struct tally *t)
{
	const double *l = view->values;

	return (double)t->resets >= l[RESETS] && (double)t->resets >= l[RATE] * t->window_s &&
	       t->share >= l[SHARE] && steps_of(view) >= l[INTERVALS];
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	finding_add(f, "window", t->window_s, UNIT_S, "rule");
	finding_add(f, "resets", (double)t->resets, UNIT_COUNT, "rule");
	finding_add(f, "rate", (double)t->resets / t->window_s, UNIT_PER_S, "rule");
	if (t->opens)
		finding_add(f, "share", 100 * t->share, UNIT_PERCENT, "rule");
	finding_add(f, "opens", (double)t->opens, UNIT_COUNT, "TcpActiveOpens, TcpPassiveOpens");
	finding_counter(f, view, COUNTER_TCP_ESTAB_RESETS, "connections_reset");
	finding_counter(f, view, COUNTER_TCP_OUT_RSTS, "resets_sent");
	for (unsigned i = 0; i < CAUSES; i++)
		finding_add(f, causes[i].name, (double)t->value[i], UNIT_COUNT, causes[i].source);
}

/* What occurred, most frequent first: one line of detail, the meaning of each, and what to do about it. */
static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	const char **meaning = arena_alloc(view->arena, (CAUSES + 1) * sizeof(*meaning));
	const char **fix = arena_alloc(view->arena, (CAUSES + 1) * sizeof(*fix));
	size_t count = 0;

	f->title = t->opens ? "Connections end by reset instead of FIN: {resets} in {window}, {share} of as many as were opened" :
			      "Connections end by reset instead of FIN: {resets} in {window}, none was opened meanwhile";
	f->detail = "";
	for (unsigned i = 0; i < CAUSES; i++) {
		const struct cause *cause = &causes[t->order[i]];

		if (!t->value[t->order[i]])
			continue;
		f->detail = arena_printf(view->arena, "%s%s%s", f->detail, count ? " · " : "", cause->short_text);
		meaning[count] = cause->long_text;
		fix[count++] = cause->fix;
	}
	meaning[count] = fix[count] = NULL;
	f->causes = meaning;
	f->fixes = fix;
}

static void file(const struct view *view, struct sink *sink, const struct tally *t, enum severity severity,
		 enum limit limit)
{
	bool memory = limit == OUT_OF_MEMORY;
	struct finding *f = sink_finding(sink, severity,
					 view_confidence(view, memory ? CONFIDENCE_MEMORY : CONFIDENCE_COUNTED, memory));

	f->count = memory ? t->value[MEMORY] : t->resets;
	f->share = MIN(t->share, 1);
	add_evidence(f, view, t);
	describe(f, view, t);
	if (memory)
		f->title = "The kernel resets connections for lack of TCP memory: {out_of_memory} in {window}";
	else
		finding_against(f, "health checkers, browsers and load balancers that close by RST are healthy; whether a reset connection had work left, the counters do not tell");
	if (t->value[RECEIVED])
		finding_against(f, "the kernel counts resets of both sides together: {received} is what is left of {connections_reset} when this host's own are taken off");
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct tally t;

	if (!tally_of(view, &t)) {
		sink_skip(sink, "a counter that it needs is missing or went back");
		return;
	}
	if (RULE_MAIN(RST_BREAKDOWN, (double)t.value[MEMORY] >= view->values[OUT_OF_MEMORY]))
		file(view, sink, &t, SEVERITY_CRITICAL, OUT_OF_MEMORY);
	else if (RULE_MAIN(RST_BREAKDOWN, is_worth_telling(view, &t)))
		file(view, sink, &t, SEVERITY_INFO, RESETS);
	else if (t.resets)
		sink_near_miss(sink, "connections that ended by a reset", (double)t.resets, RESETS);
	sink_skip_history(sink, "whether the connections that were reset had carried data");
	sink_skip_part(sink, "who reset whom: needs a capture");
}

const struct rule rule_rst_breakdown = {
	.id = "rst-breakdown",
	.title = "What kind of resets this host sends and receives",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_COUNTERS | RULE_NEEDS_TWO_SAMPLES | RULE_NEEDS_NO_FILTER,
	.eval = eval,
	.packets = &packets_rst_breakdown,
	.thresholds = thresholds,
	.explain =
		"A connection that ends in order is closed with FIN by both sides. A reset ends it at once: what is unsent or unread is thrown away, and the other program sees ECONNRESET. "
		"Many resets are harmless, some mean lost answers, and the kernel's counters tell which kinds occur, though not to whom.\n\n"
		"Our program's doing: TCPAbortOnClose (it closed while data was unread; the answer it had sent may be lost on the way), TCPAbortOnData (SO_LINGER 0, or the peer still sent after close()), "
		"TCPAbortOnLinger (its option TCP_LINGER2).\n\n"
		"The path's or the peer's: TCPAbortOnTimeout (nothing came back any more), and resets received, which is EstabResets less what this host gave up itself: the kernel counts every connection "
		"that leaves ESTABLISHED or CLOSE-WAIT without FIN there, whoever began it. A reset that comes after our FIN counts nowhere. EmbryonicRsts are half-open connections that the client reset.\n\n"
		"This host's: TCPAbortOnMemory (no memory for TCP, or too many orphans; always critical) and TCPAbortFailed (the RST could not be sent). "
		"What remains of OutRsts are answers to packets that fit no connection: closed ports, scans, late packets.",
	.look_alikes = (const char *const[]){
		"health checkers and browsers that close by RST after a complete answer: counted here as received, healthy all the same",
		"scanners: they get RSTs and leave half-open connections, which alone are not reported here",
		"refused connections of ours: no connection was established; connect-refused tells of them",
		NULL },
	.causes = (const char *const[]){
		"a program that answers with an error before it has read the request, and closes",
		"a program that sets SO_LINGER 0 to avoid TIME-WAIT",
		"a peer, load balancer or NAT that ends connections by RST",
		"a path or peer that died",
		NULL },
	.next = (const char *const[]){
		"nstat -az TcpEstabResets TcpOutRsts TcpExtTCPAbortOnClose TcpExtTCPAbortOnData TcpExtTCPAbortOnTimeout TcpExtTCPAbortOnMemory",
		"tcpdump -ni any 'tcp[tcpflags] & tcp-rst != 0 or (ip6[6] = 6 and ip6[53] & 4 != 0)' # who resets whom",
		NULL },
	.fixes = (const char *const[]){
		"drain the connection before close()",
		"remove SO_LINGER 0",
		"make idle timeouts of clients shorter than those of servers and load balancers",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.5.2", "RFC 9293 §3.6", "RFC 1122 §4.2.2.13", "RFC 2525 §2.17",
				       "Documentation/networking/snmp_counter.rst (TCP abort)", "net/ipv4/tcp.c (tcp_close)", NULL },
	.repro = "a server that sets SO_LINGER 0, or closes with unread data, twenty times a second",
};
