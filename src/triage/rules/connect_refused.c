/* SPDX-License-Identifier: MIT */
/* connect-refused: attempts that end at once, by RST or ICMP error. No socket stands, so counters are all there is to see. */
#include "../resets.h"
#include "../packets.h"
#include "../probes.h"

enum limit {
	REFUSED,
	RATE,
	SHARE,
	INTERVALS,
	CRIT_SHARE,
	CRIT_REFUSED,
	CRIT_SAMPLES,
	ANSWERED_RATE,
};

static const struct threshold thresholds[] = {
	[REFUSED] = { "refused", UNIT_COUNT, 5, "fewer are one program that tries a port which has just been closed" },
	[RATE] = { "rate", UNIT_PER_MIN, 5, "over a long window, what comes less often is a restart now and then" },
	[SHARE] = { "share", UNIT_RATIO, 0.05, "one attempt in twenty fails; a busy client has a few refusals at any time" },
	[INTERVALS] = { "intervals", UNIT_COUNT, 2, "refused between two pairs of samples: it lasts, and is not one burst" },
	[CRIT_SHARE] = { "critical_share", UNIT_RATIO, 0.5, "half of all that this host tries to open is refused" },
	[CRIT_REFUSED] = { "critical_refused", UNIT_COUNT, 25, "ten backends that are drained, checked every two seconds, are refused that often and nobody is hurt" },
	[CRIT_SAMPLES] = { "critical_samples", UNIT_COUNT, 3, "seen in every interval between so many samples" },
	[ANSWERED_RATE] = { "answered_rate", UNIT_PER_S, 1, "scanners knock on an Internet host a few times a minute; one a second is somebody who wants something" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_PLAIN 0.85
#define CONFIDENCE_MIXED 0.65
#define CONFIDENCE_ANSWERED 0.6
#define MOST 0.8
#define ERRORS_AN_ATTEMPT 3

/**
 * struct tally - growth over the window. @refused: attempts of ours that failed and for which nothing else accounts. @timed_out, @unresolved:
 * taken off because they may have failed otherwise. @icmp4, @icmp6: errors that others sent us, for whatever packet.
 */
struct tally {
	uint64_t opens, fails, refused, timed_out, unresolved, icmp4, icmp6, icmp;
	struct resets resets;
	double window_s, share;
};

static uint64_t above(uint64_t value, uint64_t part)
{
	return value > part ? value - part : 0;
}

/*
 * When a next hop does not resolve, the kernel sends the ICMP error to itself: it counts as sent and as received. What was received beyond
 * what was sent came from others. Return: the errors that this host may have sent to itself.
 */
static uint64_t part_icmp(const struct view *view, enum counter_id in, enum counter_id out, uint64_t *from_others)
{
	uint64_t received, sent, own;

	view_delta(view, in, &received);
	view_delta(view, out, &sent);
	own = MIN(received, sent);
	*from_others = received - own;
	return own;
}

static bool tally_of(const struct view *view, struct tally *t)
{
	bool known;

	*t = (struct tally){ .window_s = view_window_s(view) };
	known = resets_of(view, &t->resets);
	known &= view_delta(view, COUNTER_TCP_ACTIVE_OPENS, &t->opens);
	known &= view_delta(view, COUNTER_TCP_ATTEMPT_FAILS, &t->fails);
	known &= view_delta(view, COUNTER_TCP_ABORT_ON_TIMEOUT, &t->timed_out);
	t->unresolved = part_icmp(view, COUNTER_ICMP_IN_DEST_UNREACHS, COUNTER_ICMP_OUT_DEST_UNREACHS, &t->icmp4);
	t->unresolved += part_icmp(view, COUNTER_ICMP6_IN_DEST_UNREACHS, COUNTER_ICMP6_OUT_DEST_UNREACHS, &t->icmp6);
	t->refused = above(t->fails, t->resets.embryonic + t->timed_out + t->unresolved);
	t->refused = MIN(t->refused, t->opens);
	t->icmp = MIN(t->icmp4 + t->icmp6, t->refused);
	t->share = t->opens ? (double)t->refused / (double)t->opens : 0;
	return known && t->window_s > 0;
}

/* A program that is refused over IPv6 mostly falls back to IPv4 at once: such refusals alone hurt nobody much. */
static bool is_critical(const struct view *view, const struct tally *t)
{
	const double *l = view->values;
	double hard = (double)above(t->refused, t->icmp6);
	unsigned samples = view->snap->samples;

	return hard >= l[CRIT_REFUSED] && hard >= l[CRIT_SHARE] * (double)t->opens &&
	       samples >= l[CRIT_SAMPLES] && view_steps(view, COUNTER_TCP_ATTEMPT_FAILS) >= samples - 1;
}

static bool judge(const struct view *view, const struct tally *t, enum severity *severity, enum limit *limit)
{
	const double *l = view->values;

	*limit = REFUSED;
	*severity = SEVERITY_INFO;
	if (is_critical(view, t)) {
		*limit = CRIT_SHARE;
		*severity = SEVERITY_CRITICAL;
	} else if (view_steps(view, COUNTER_TCP_ATTEMPT_FAILS) >= l[INTERVALS]) {
		*limit = RATE;
		*severity = SEVERITY_WARNING;
	}
	return (double)t->refused >= l[REFUSED] && t->share >= l[SHARE] &&
	       (double)t->refused * 60 >= l[RATE] * t->window_s;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	finding_add(f, "window", t->window_s, UNIT_S, "rule");
	finding_add(f, "refused", (double)t->refused, UNIT_COUNT, "rule");
	finding_add(f, "rate", (double)t->refused * 60 / t->window_s, UNIT_PER_MIN, "rule");
	finding_add(f, "share", t->share, UNIT_RATIO, "rule");
	finding_counter(f, view, COUNTER_TCP_ACTIVE_OPENS, "active_opens");
	finding_counter(f, view, COUNTER_TCP_ATTEMPT_FAILS, "attempt_fails");
	finding_counter(f, view, COUNTER_EMBRYONIC_RSTS, "embryonic_resets");
	finding_counter(f, view, COUNTER_TCP_ABORT_ON_TIMEOUT, "timed_out");
	finding_add(f, "unresolved", (double)t->unresolved, UNIT_COUNT, "IcmpInDestUnreachs, IcmpOutDestUnreachs, and of ICMPv6");
	finding_add(f, "icmp_errors", (double)(t->icmp4 + t->icmp6), UNIT_COUNT, "IcmpInDestUnreachs, Icmp6InDestUnreachs");
	finding_counter(f, view, COUNTER_TCP_OUT_RSTS, "resets_sent");
	finding_add(f, "stray_answers", (double)t->resets.strays, UNIT_COUNT, "TcpOutRsts");
	finding_counter(f, view, COUNTER_TCP_ESTAB_RESETS, "connections_reset");
}

static bool may_be_own(const struct tally *t)
{
	return (double)t->resets.strays >= MOST * (double)t->refused;
}

static const char *const own_next[] = {
	"ss -ltnp",
	"tcpdump -ni any 'tcp[tcpflags] & tcp-rst != 0 or (ip6[6] = 6 and ip6[53] & 4 != 0)' # who is refused, and which port",
	"nstat -az TcpActiveOpens TcpAttemptFails TcpOutRsts",
	NULL,
};

/* An attempt that ends by an ICMP error takes one, or two where the first comes while connect() holds the socket: far more are about other packets. */
static bool icmp_fits(const struct tally *t)
{
	return t->icmp4 + t->icmp6 <= ERRORS_AN_ATTEMPT * t->refused;
}

static void describe(struct finding *f, const struct tally *t)
{
	f->title = "Connection attempts are refused: {refused} of {active_opens} in {window}";
	f->detail = "{rate} · answered with RST: nothing listens there, or a firewall says so · which destination, and which program: the counters do not tell";
	if (t->icmp && !icmp_fits(t))
		f->detail = "{rate} · answered with RST, or with some of the {icmp_errors} ICMP 'unreachable' that came in, most of them about other packets · which destination, and which program: the counters do not tell";
	else if (t->icmp)
		f->detail = "{rate} · {icmp_errors} ICMP 'unreachable' came in, the others were answered with RST · which destination, and which program: the counters do not tell";
	if (icmp_fits(t) && (double)t->icmp >= MOST * (double)t->refused) {
		f->title = "Connection attempts are rejected: {refused} of {active_opens} in {window}, by ICMP errors";
		f->detail = "{rate} · {icmp_errors} ICMP 'unreachable' came in: the router or firewall that rejects is their source · which destination, and which program: the counters do not tell";
	}
	if (may_be_own(t))
		f->next = own_next;
}

static void add_doubts(struct finding *f, const struct tally *t)
{
	finding_against(f, "health checks of backends that are down or drained, and a scan made from here, look the same");
	if (may_be_own(t))
		finding_against(f, "this host sent {stray_answers} RSTs to what fits no connection: the refused port may be its own (loopback, a container)");
	if (t->timed_out || t->unresolved)
		finding_against(f, "{timed_out|connection} timed out and {unresolved|attempt} may have met a next hop that does not resolve: these are taken off");
	if (t->icmp)
		finding_against(f, "ICMP errors about other packets (UDP, traceroute) count alike: they need not be what refuses");
	if (t->icmp6)
		finding_against(f, "some errors came over IPv6: a program that falls back to IPv4 does not notice");
}

static bool file_refused(const struct view *view, struct sink *sink, const struct tally *t)
{
	bool plain = !t->timed_out && !t->unresolved && !t->resets.embryonic;
	enum severity severity;
	enum limit limit;
	struct finding *f;

	if (!RULE_MAIN(CONNECT_REFUSED, judge(view, t, &severity, &limit)))
		return false;
	f = sink_finding(sink, severity,
			 view_confidence(view, plain ? CONFIDENCE_PLAIN : CONFIDENCE_MIXED, false));
	f->count = t->refused;
	f->share = t->share;
	add_evidence(f, view, t);
	describe(f, t);
	add_doubts(f, t);
	finding_threshold(f, sink, limit);
	return true;
}

static const char *const answered_causes[] = {
	"a service that is not started, or listens on 127.0.0.1 or on one address family only, and clients that ask for it",
	"a port scan, or a load balancer that still checks a service which has moved",
	"packets that arrive after their connection is gone (a NAT or a load balancer that forgot, more TIME-WAIT than tcp_max_tw_buckets)",
	NULL,
};

static const char *const answered_fixes[] = {
	"start the service, or bind it to the address that is asked for",
	"drop in a firewall what nobody should ask for; nothing is wrong with an RST",
	NULL,
};

/* The other side of it: this host answers with RST. A connection that is reset would count in EstabResets, which is another rule's. */
static bool answers_strays(const struct view *view, const struct tally *t)
{
	double strays = (double)above(t->resets.strays, t->refused);

	return !t->resets.ended && strays >= view->values[ANSWERED_RATE] * t->window_s &&
	       view_steps(view, COUNTER_TCP_OUT_RSTS) >= view->values[INTERVALS];
}

static void file_answered(const struct view *view, struct sink *sink, const struct tally *t)
{
	struct finding *f;

	if (!RULE_MAIN(CONNECT_REFUSED, answers_strays(view, t)))
		return;
	f = sink_finding(sink, SEVERITY_INFO, view_confidence(view, CONFIDENCE_ANSWERED, false));
	f->count = t->resets.strays;
	f->title = "This host refuses: {stray_answers} RSTs in {window} to packets that belong to no connection";
	f->detail = "a closed port that is asked for, a scan, or packets that come too late · which port, and who asks: the counters do not tell";
	f->causes = answered_causes;
	f->fixes = answered_fixes;
	f->next = own_next;
	add_evidence(f, view, t);
	finding_against(f, "scanners do this to every host that faces the Internet");
	finding_threshold(f, sink, ANSWERED_RATE);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct tally t;

	if (!tally_of(view, &t)) {
		sink_skip(sink, "a counter that it needs is missing or went back");
		return;
	}
	if (!file_refused(view, sink, &t))
		file_answered(view, sink, &t);
	if (!sink->filed && t.refused)
		sink_near_miss(sink, "attempts that were refused", (double)t.refused, REFUSED);
	sink_skip_part(sink, "who refuses, and whom: needs a capture");
}

const struct rule rule_connect_refused = {
	.id = "connect-refused",
	.title = "Connection attempts are refused",
	.needs = RULE_NEEDS_SOCKETS | RULE_NEEDS_COUNTERS | RULE_NEEDS_TWO_SAMPLES | RULE_NEEDS_NO_FILTER,
	.eval = eval,
	.packets = &packets_connect_refused,
	.probes = &probes_connect_refused,
	.thresholds = thresholds,
	.explain =
		"A SYN to a port where nobody listens is answered with RST, and connect() fails at once with ECONNREFUSED. A router or firewall that rejects answers with RST too, or with an ICMP error "
		"(EHOSTUNREACH, ECONNREFUSED or EACCES). Either way the attempt is over within a round trip, so no socket stands that could be looked at: the kernel only counts. "
		"(Routers limit the rate of their errors. What they do not answer then stands in SYN-SENT.)\n\n"
		"TcpAttemptFails counts every handshake that failed. This rule takes off what has another reason: half-open connections that a client of ours reset (EmbryonicRsts), attempts that timed out "
		"(TCPAbortOnTimeout), and attempts whose next hop does not resolve, for which the kernel sends the ICMP error to itself and counts it both as sent and as received. "
		"What is left was refused. The number is a lower bound, and it names neither the destination nor the program; a capture of RSTs and ICMP errors does.\n\n"
		"The other way round, RSTs that this host sends to packets of no connection are what its own clients see as a refusal. That is told as info, for scanners cause it too.",
	.look_alikes = (const char *const[]){
		"health checks against us that open half a connection and reset it: TcpAttemptFails and EmbryonicRsts grow alike, nothing is reported",
		"connect timeouts: they count in TcpAttemptFails and in TCPAbortOnTimeout; syn-sent-stall tells of them",
		"a next hop that does not resolve: syn-local-stuck tells of it",
		"a load balancer that checks drained backends: refused for good reason; below half of what is opened it is no more than a warning",
		"a port scan against us: we send the RSTs; info at most",
		NULL },
	.causes = (const char *const[]){
		"nothing listens on the port: the service is down, restarting, or on another port",
		"the service listens on 127.0.0.1 only, or on one address family only",
		"a firewall or security group that rejects instead of dropping",
		"the wrong address: a name that resolves to an old host, a stale entry of a service registry",
		NULL },
	.next = (const char *const[]){
		"tcpdump -ni any 'tcp[tcpflags] & tcp-rst != 0 or (ip6[6] = 6 and ip6[53] & 4 != 0) or icmp[icmptype] = icmp-unreach or icmp6' # source: who refuses",
		"nstat -az TcpActiveOpens TcpAttemptFails TcpExtEmbryonicRsts IcmpInDestUnreachs Icmp6InDestUnreachs",
		"tcptriage trace {service}",
		NULL },
	.fixes = (const char *const[]){
		"start the service, or bind it to the address that its clients use (ss -ltn on the server shows what it listens on)",
		"in a deploy, send clients only where the readiness check has passed",
		"correct the firewall's reject rule, or the address that the client uses",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.5.2", "RFC 9293 §3.10.7.3", "RFC 1122 §3.2.2.1", "RFC 1122 §4.2.3.9",
				       "net/ipv4/tcp.c (tcp_done)", "net/ipv4/tcp_ipv4.c (tcp_v4_err)", NULL },
	.repro = "connect to a closed port again and again, or through a router whose firewall rejects",
};
