/* SPDX-License-Identifier: MIT */
/* pmtu-shrunk in packets: somebody says that packets are too big, and the sender obeys, or does not. */
#include <stdlib.h>

#include "../icmp_reports.h"
#include "../mtu_table.h"
#include "../packets.h"
#include "../path_limits.h"

enum limit {
	TOLD,
	TINY,
	RATE,
	RATE_SPAN,
	IGNORED,
	IGNORED_MS,
};

static const struct threshold thresholds[] = {
	[TOLD] = { "told", UNIT_COUNT, 1, "one message is enough: somebody on the way takes less than was sent" },
	[TINY] = { "told_small", UNIT_BYTES, 1280, "IPv6 links carry this at least, and so does every network of today; less is ancient, or a message that somebody made up" },
	[RATE] = { "told_rate", UNIT_PER_MIN, 10, "to one destination: each message is a packet lost and sent again, so nearly every new connection pays" },
	[RATE_SPAN] = { "told_rate_span", UNIT_MS, 10000, "from the first to the last of them; a burst is the first window of one connection finding its size" },
	[IGNORED] = { "told_in_vain", UNIT_COUNT, 3, "packets that were on the way when the first message was sent draw one as well" },
	[IGNORED_MS] = { "told_in_vain_for", UNIT_MS, 3000, "from the first message to the last: longer than packets are on the way" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.95
#define CONFIDENCE_IGNORED 0.8

/** struct tally - reports about one destination, or about several that take the same. @link_mtu: what its packets show that the first link takes. */
struct tally {
	const struct icmp_report *first;
	uint64_t destinations, messages, unmatched;
	uint32_t mtu, link_mtu;
	int64_t first_ns, last_ns;
	double per_min;
	bool obeyed, ignored, unsaid;
};

static int by_destination(const void *left, const void *right)
{
	const struct icmp_report *a = *(const struct icmp_report *const *)left, *b = *(const struct icmp_report *const *)right;
	int order = addr_compare(&a->dst.addr, &b->dst.addr);

	return order ? order : (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
}

/* A minute at least: a burst is one connection finding its size. */
static double per_minute(const struct view *view, uint64_t count)
{
	double minutes = (double)(view->packets->totals->last_ns - view->packets->totals->first_ns) / 60e9;

	return (double)count / MAX(minutes, 1);
}

static struct tally tally_of(const struct view *view, const struct icmp_report *const *at, size_t count)
{
	struct tally t = { .first = at[0], .destinations = 1, .mtu = UINT32_MAX, .first_ns = at[0]->first_ns, .obeyed = true };

	for (size_t i = 0; i < count; i++) {
		const struct icmp_report *r = at[i];

		t.messages += r->count;
		t.unmatched += r->flow_number ? 0 : r->count;
		t.link_mtu = MAX(t.link_mtu, icmp_reports_sent_size(view, r));
		t.last_ns = MAX(t.last_ns, r->last_ns);
		t.obeyed &= r->obeyed;
		t.ignored |= path_limits_in_vain(r, view->values[IGNORED], view->values[IGNORED_MS]);
		if (r->mtu_min)
			t.mtu = MIN(t.mtu, r->mtu_min);
	}
	t.unsaid = t.mtu == UINT32_MAX;
	if (t.unsaid)
		t.mtu = 0;
	t.link_mtu = MAX(t.link_mtu, view->packets->source->mtu);
	t.per_min = per_minute(view, t.messages);
	return t;
}

static double lasted_ms(const struct tally *t)
{
	return (double)MAX(t->last_ns - t->first_ns, 0) / 1e6; /* clocks may go back */
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	if (t->ignored)
		*limit = IGNORED;
	else if (!t->unsaid && t->mtu < view->values[TINY])
		*limit = TINY;
	else if (!t->unsaid && t->per_min >= view->values[RATE] && lasted_ms(t) >= view->values[RATE_SPAN])
		*limit = RATE;
	else
		*limit = TOLD;
	return *limit == TOLD ? SEVERITY_INFO : SEVERITY_WARNING;
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const char *likely = t->unsaid ? NULL : mtu_likely(t->link_mtu, t->mtu);

	if (!t->unsaid)
		finding_add(f, "pmtu", t->mtu, UNIT_BYTES, "ICMP");
	finding_add(f, "sent_size", t->link_mtu, UNIT_BYTES, t->link_mtu == view->packets->source->mtu ? "interface" : "packets quoted");
	if (!t->unsaid && t->link_mtu > t->mtu)
		finding_add(f, "overhead", t->link_mtu - t->mtu, UNIT_BYTES, "rule");
	finding_add_text(f, "likely", likely ? likely : "no common tunnel or link has this difference", "rule");
	finding_add(f, "messages", (double)t->messages, UNIT_COUNT, "ICMP");
	finding_add(f, "messages_per_minute", t->per_min, UNIT_PER_MIN, "ICMP");
	finding_add(f, "lasted", lasted_ms(t), UNIT_MS, "ICMP");
	finding_add(f, "destinations", (double)t->destinations, UNIT_COUNT, "ICMP");
	finding_add(f, "began", (double)MAX(t->first_ns - view->packets->totals->first_ns, 0) / 1e6, UNIT_MS, "ICMP");
	finding_add(f, "obeyed", t->obeyed, UNIT_FLAG, "packets sent afterwards");
	finding_add(f, "without_flow", (double)t->unmatched, UNIT_COUNT, "ICMP");
	finding_add_text(f, "reporter", view_addr_text(view, &t->first->reporter), "ICMP");
	finding_add_text(f, "example", view_addr_text(view, &t->first->dst.addr), "ICMP");
	finding_address_class(f, &t->first->dst.addr);
}

static const char *const ignored_causes[] = {
	"ip_no_pmtu_disc is set on the sender, or its route's MTU is locked",
	"the sender takes the message for forged: it quotes a sequence number outside the window (OutOfWindowIcmps)",
	"a firewall between here and the sender drops the message",
	"the message asks for less than the sender's min_pmtu allows",
	NULL,
};

static const char *const small_causes[] = {
	"a forged ICMP message that makes the sender send tiny packets (RFC 5927 §7): it needs no connection, only an address",
	"a link or a tunnel in a tunnel that really is that narrow",
	NULL,
};

static const char *const loud_fixes[] = {
	"set the MTU of the interface or of the route to what fits (ip route … mtu), or limit the MSS on the tunnel's router",
	"against forged sizes raise net.ipv4.route.min_pmtu to what the network really has",
	NULL,
};

static const char *const next[] = {
	"tcptriage mtu-probe {example}",
	"ip route get {example}",
	"ip -d link",
	"nstat -az IcmpMsgInType3 Icmp6InPktTooBigs TcpExtOutOfWindowIcmps",
	NULL,
};

static void describe(struct finding *f, const struct view *view, const struct tally *t, enum limit limit)
{
	f->title = "The path to {peer} carries packets of at most {pmtu}, {reporter} says so and is heard";
	f->detail = "{messages|message} · packets of {sent_size} were sent before: {likely} · began {began} into the capture";
	f->next = flow_next(view, "host {example} or icmp or icmp6", next);
	if (!t->link_mtu)
		f->detail = "{messages|message} · how large the packets were that drew them is not known · began {began} into the capture";
	if (!t->obeyed)
		f->title = "The path to {peer} carries packets of at most {pmtu}, says {reporter}";
	if (t->unsaid)
		f->title = "Packets to {peer} are too big, says {reporter}, but not what fits";
	if (t->destinations > 1)
		f->title = t->unsaid ? "Packets to {destinations|destination} are too big, and nobody says what fits" :
				       "The paths to {destinations|destination} carry packets of at most {pmtu}, as the senders are told";
	if (limit != TOLD)
		f->fixes = loud_fixes;
	if (limit == TINY) {
		f->title = "The path to {peer} is said by {reporter} to carry no more than {pmtu}";
		f->causes = small_causes;
	}
	if (limit == RATE)
		f->title = "Packets to {peer} are too large again and again: {messages_per_minute} messages, the path takes {pmtu}";
	if (limit == IGNORED) {
		f->title = "Packets to {peer} stay too big although {reporter} says so: {messages|message} in {lasted}";
		f->causes = ignored_causes;
	}
}

static void add_doubts(struct finding *f, const struct tally *t, enum limit limit)
{
	if (t->unmatched)
		finding_against(f, "{without_flow} of them quote packets that this capture does not hold: such a message may be forged");
	if (t->unsaid)
		finding_against(f, "a router that does not say what fits is of the time before RFC 1191, or the message was made up");
	if (limit == IGNORED)
		finding_against(f, "where the capture stands between the router and the sender, the message may have been lost behind it");
}

static void file(const struct view *view, struct sink *sink, const struct tally *t)
{
	struct endpoint peer = { .addr = t->first->dst.addr };
	enum limit limit;
	enum severity severity = judge(view, t, &limit);
	struct finding *f;

	if (!RULE_MAIN(PACKETS_PMTU_SHRUNK, (double)t->messages >= view->values[TOLD]))
		return;
	f = sink_finding(sink, severity, flow_confidence(view, limit == IGNORED ? CONFIDENCE_IGNORED : CONFIDENCE));
	f->count = t->messages;
	if (t->destinations == 1)
		finding_peer(f, &peer);
	add_evidence(f, view, t);
	describe(f, view, t, limit);
	add_doubts(f, t, limit);
	finding_trust(f, view);
	finding_threshold(f, sink, limit);
}

/* Working discovery on many paths that take the same is one thing to know. */
static void join(struct tally *sum, const struct tally *more)
{
	sum->destinations++;
	sum->messages += more->messages;
	sum->unmatched += more->unmatched;
	sum->link_mtu = MAX(sum->link_mtu, more->link_mtu);
	sum->first_ns = MIN(sum->first_ns, more->first_ns);
	sum->last_ns = MAX(sum->last_ns, more->last_ns);
	sum->obeyed &= more->obeyed;
}

static int by_mtu(const void *left, const void *right)
{
	const struct tally *a = left, *b = right;
	int order = (a->mtu > b->mtu) - (a->mtu < b->mtu);

	return order ? order : addr_compare(&a->first->dst.addr, &b->first->dst.addr);
}

/* A finding for each destination that is more than info, and one for the rest of each size. */
static void file_all(const struct view *view, struct sink *sink, struct tally *at, size_t count)
{
	enum limit limit;
	size_t calm = 0;

	for (size_t i = 0; i < count; i++) {
		if (judge(view, &at[i], &limit) == SEVERITY_INFO)
			at[calm++] = at[i];
		else
			file(view, sink, &at[i]);
	}
	if (calm)
		qsort(at, calm, sizeof(*at), by_mtu);
	for (size_t i = 0, next_one; i < calm; i = next_one) {
		for (next_one = i + 1; next_one < calm && at[next_one].mtu == at[i].mtu; next_one++)
			join(&at[i], &at[next_one]);
		at[i].per_min = per_minute(view, at[i].messages);
		file(view, sink, &at[i]);
	}
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct packet_evidence *packets = view->packets;
	const struct icmp_report **told = arena_alloc(view->arena, (packets->report_count + 1) * sizeof(*told));
	struct tally *tallies = arena_alloc(view->arena, (packets->report_count + 1) * sizeof(*tallies));
	size_t all = 0, destinations = 0;

	for (size_t i = 0; i < packets->report_count; i++) {
		if (packets->reports[i].class == ICMP_TOO_BIG && packets->reports[i].count)
			told[all++] = &packets->reports[i];
	}
	if (all)
		qsort(told, all, sizeof(*told), by_destination);
	for (size_t i = 0, count; i < all; i += count) {
		for (count = 1; i + count < all && addr_equal(&told[i]->dst.addr, &told[i + count]->dst.addr);)
			count++;
		tallies[destinations++] = tally_of(view, &told[i], count);
	}
	file_all(view, sink, tallies, destinations);
}

const struct rule_signal packets_pmtu_shrunk = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"In packets the message itself is seen: who says it, what size fits, which packet it quotes, and whether the sender sends anything larger afterwards. Obeyed, it is path-MTU discovery at work. It is a warning when it "
		"asks for less than any network of today has, when it comes ten times a minute for one destination, or when three and more of them over three seconds change nothing: the message arrives where the capture stands and "
		"is not honoured.",
	.repro = "capture at the sender while 80 kB go through a router whose egress has MTU 1400 and which may say so",
};
