/* SPDX-License-Identifier: MIT */
/* capture-quality: how far this capture can be trusted, and which option mends what it lacks. */
#include "../capture_trust.h"
#include "../flow_kit.h"
#include "../frame_copies.h"

enum limit {
	SOME_DROPS = CAPTURE_FLAW_COUNT,
	SOME_ONE_WAY,
	ONE_WAY_FLOWS,
	COPIES,
	COPIES_MARGIN,
	COPIES_EVERYWHERE,
	BACK,
	OFFLOAD,
	MIDSTREAM,
	MIDSTREAM_FLOWS,
	NO_LIMIT,
};

static const struct threshold thresholds[] = {
#define CAPTURE_FLAW(id, name, unit, limit, factor, reason) [CAPTURE_FLAW_##id] = { name, unit, limit, reason },
#include "../capture_trust.def"
#undef CAPTURE_FLAW
	[SOME_DROPS] = { "some_drops", UNIT_COUNT, 1, "one packet that is missing may be the one that matters" },
	[SOME_ONE_WAY] = { "some_one_way", UNIT_PERCENT, 50, "of the flows: as many answers are missing as are there" },
	[ONE_WAY_FLOWS] = { "one_way_flows", UNIT_COUNT, 5, "for a warning: fewer may lack a direction by chance, in a slice of a capture" },
	[COPIES] = { "copies", UNIT_PERCENT, 1, "of all frames were captured more than once: tools that do not notice call them retransmissions" },
	[COPIES_MARGIN] = { "copies_reported", UNIT_COUNT, 3, "more than was sent again, reported by the receiver: then the network makes them" },
	[COPIES_EVERYWHERE] = { "copies_everywhere", UNIT_PERCENT, 40, "of all frames: no network copies nearly every packet, a mirror or a second interface does" },
	[BACK] = { "clock_back", UNIT_US, 1000, "frames out of order in time: by less than that several queues or interfaces were merged" },
	[OFFLOAD] = { "offload", UNIT_PERCENT, 1, "of the TCP packets are larger than a segment may be" },
	[MIDSTREAM] = { "midstream", UNIT_PERCENT, 50, "of the flows began before the capture: their MSS, window scale and role are not known" },
	[MIDSTREAM_FLOWS] = { "midstream_flows", UNIT_COUNT, 10, "fewer may be so by chance" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/* It speaks of what was counted, not of what it means. */
#define CONFIDENCE 0.95

/* What is wrong: from @some on info, from @much on (when there is such a limit) a warning. */
struct row {
	enum limit some, much;
	double (*measure)(const struct view *view, enum limit limit);
	uint64_t (*count)(const struct view *view);
	const char *title, *detail;
	const char *const *causes, *const *next, *const *fixes;
};

static const struct capture_totals *totals(const struct view *view)
{
	return view->packets->totals;
}

static double share(uint64_t part, uint64_t all)
{
	return all ? 100 * (double)part / (double)all : 0;
}

/* The limits that trust goes by are those of the same name. */
static double flaw(const struct view *view, enum limit limit)
{
	return capture_trust_measure(view->packets->source, totals(view), (enum capture_flaw)limit);
}

static uint64_t dropped(const struct view *view)
{
	const struct capture_source *source = view->packets->source;

	return source->has_drops ? source->dropped_kernel + source->dropped_interface : 0;
}

static double drops(const struct view *view, enum limit limit)
{
	return limit == SOME_DROPS ? (double)dropped(view) : flaw(view, limit);
}

static uint64_t unseen(const struct view *view)
{
	return totals(view)->events[EVENT_CAPTURE_LOSS];
}

static double one_way_share(const struct view *view, enum limit limit)
{
	(void)limit;
	return flaw(view, (enum limit)CAPTURE_FLAW_ONE_WAY);
}

static uint64_t one_way(const struct view *view)
{
	return totals(view)->flows_one_way;
}

static bool keep_copies(const struct view *view, struct flow_member *m)
{
	return frame_copies_of(view, m, view->values[COPIES_MARGIN], view->values[COPIES_EVERYWHERE]) == COPIES_OF_CAPTURE;
}

static uint64_t copies(const struct view *view)
{
	struct flow_members doubled = flow_members_collect_sides(view, 0, ODD_REPEATS, keep_copies);
	uint64_t count = 0;

	for (size_t i = 0; i < doubled.count; i++)
		count += doubled.at[i].own->duplicates;
	return count;
}

static double copies_share(const struct view *view, enum limit limit)
{
	(void)limit;
	return share(copies(view), totals(view)->packets);
}

static uint64_t cut(const struct view *view)
{
	return totals(view)->status[DECODE_TRUNCATED];
}

static double clock_most(const struct view *view, enum limit limit)
{
	(void)limit;
	return (double)totals(view)->clock_back_max_us;
}

static uint64_t clock_back(const struct view *view)
{
	return totals(view)->clock_back;
}

static uint64_t joined(const struct view *view)
{
	return totals(view)->super_segments;
}

static double joined_share(const struct view *view, enum limit limit)
{
	(void)limit;
	return share(joined(view), totals(view)->tcp);
}

static uint64_t midstream(const struct view *view)
{
	return totals(view)->midstream;
}

static double midstream_share(const struct view *view, enum limit limit)
{
	(void)limit;
	return (double)midstream(view) < view->values[MIDSTREAM_FLOWS] ? 0 : share(midstream(view), totals(view)->flows);
}

static uint64_t evicted(const struct view *view)
{
	return totals(view)->evicted;
}

#define LIST (const char *const[])

static const struct row rows[] = {
	{ SOME_DROPS, (enum limit)CAPTURE_FLAW_DROPS, drops, dropped, "Dropped before they were captured: {dropped|packet}, {drops} of all",
	  "{dropped_kernel} by the kernel, {dropped_interface} by the interface, {packets} captured · what is missing here was not necessarily missing on the wire",
	  LIST{ "the buffer between kernel and program was full: bursts, a busy processor, a slow disk", "the interface or its driver had no room (dropped by the interface)", NULL },
	  LIST{ "tcptriage capture -i {interface} -B 65536 -s 128", "ip -s link", NULL },
	  LIST{ "a larger buffer: -B 65536 (KiB)", "keep headers only: -s 128", "a filter, which the kernel applies, so that less has to be carried", NULL } },
	{ (enum limit)CAPTURE_FLAW_UNSEEN, NO_LIMIT, flaw, unseen, "This capture never saw some of the bytes that were acknowledged",
	  "{unseen|acknowledgement} of such bytes, {measured} of the TCP packets · they arrived, and were lost between the wire and the capture, or went another way",
	  LIST{ "a mirror port or a capture that dropped packets without counting them", "two interfaces share the traffic (a bond, asymmetric routes)", NULL },
	  LIST{ "tcptriage capture -i any -B 65536 -s 128", "ip -s link", NULL },
	  LIST{ "capture on the machine itself instead of a mirror port, with a larger buffer (-B 65536) and headers only (-s 128)", "all interfaces that share the traffic: -i any", NULL } },
	{ SOME_ONE_WAY, (enum limit)CAPTURE_FLAW_ONE_WAY, one_way_share, one_way, "One direction is missing in {measured} of the flows",
	  "{one_way} of {flows|flow} go on as if they were answered, and no answer was captured · loss, silence and windows cannot be judged in them",
	  LIST{ "the capture was limited to one direction (-Q), or its filter names one end only", "answers take another way (asymmetric routes, a bond, direct server return)", "a mirror port that copies one direction", NULL },
	  LIST{ "tcptriage capture -i any", "ip route", NULL },
	  LIST{ "leave out -Q in or -Q out, and 'src' or 'dst' in the filter", "another interface, or all of them: -i any", "mirror both directions of the port", NULL } },
	{ COPIES, NO_LIMIT, copies_share, copies, "{measured} of the frames were captured more than once",
	  "{copies} of {packets|frame} are copies with the same IP id, sequence number and timestamp · they were taken out before anything was judged",
	  LIST{ "-i any across a bridge, a veth pair, a VLAN or a bond sees one packet on each of them", "a mirror port that copies both directions of what it also switches", NULL },
	  LIST{ "ip -br link", "tcptriage capture -i {interface} -Q in", NULL },
	  LIST{ "one interface instead of -i any", "one direction of it: -Q in", "mirror one side of the port only", NULL } },
	{ (enum limit)CAPTURE_FLAW_CUT, NO_LIMIT, flaw, cut, "{measured} of the packets end inside their headers", "{cut} of {packets|packet} · {snaplen} of each were kept",
	  LIST{ "a snaplen below what the headers of these packets take: tunnels, VLAN tags, many TCP options", NULL },
	  LIST{ "tcptriage capture -i {interface} -s 256", NULL }, LIST{ "keep more of each packet: -s 256, or -s 0 for all of it", NULL } },
	{ BACK, NO_LIMIT, clock_most, clock_back, "The clock of this capture goes back, by up to {clock_back_most}",
	  "{clock_back_steps|step} back, {clock_jumps} of more than a second · times across them are wrong",
	  LIST{ "the clock was set while packets were captured (NTP, a virtual machine that was moved)", "files or interfaces with clocks of their own were put together", NULL },
	  LIST{ "tcptriage capture -i {interface}", NULL },
	  LIST{ "let the time service slew the clock instead of stepping it", "one interface, or a merge in order of time", NULL } },
	{ OFFLOAD, NO_LIMIT, joined_share, joined, "{measured} of the TCP packets are larger than any segment on the wire",
	  "{super_segments|packet} · offload joins segments before they are captured, so sizes and counts here are not those of the wire",
	  LIST{ "the network card or the kernel cuts and joins segments (TSO, GSO, GRO, LRO), and the capture stands on the other side of that", NULL },
	  LIST{ "ip -d link", NULL },
	  LIST{ "nothing has to be done: sizes are counted in segments as the MSS makes them", "to see what is on the wire, capture on another machine, or switch offload off meanwhile (ethtool -K IFACE tso off gso off gro off)", NULL } },
	{ MIDSTREAM, NO_LIMIT, midstream_share, midstream, "{measured} of the flows began before the capture",
	  "{midstream} of {flows|flow} · their MSS, window scale and who opened them are not known, and nothing is concluded from those",
	  LIST{ "connections that live for long were open before the capture began", NULL }, LIST{ "tcptriage states", NULL },
	  LIST{ "start the capture before the program, or open the connection that matters anew while it runs", NULL } },
	{ (enum limit)CAPTURE_FLAW_EVICTED, NO_LIMIT, flaw, evicted, "{measured} of the flows had to make room while they were alive",
	  "{evicted|flow} · what they went through before is not judged, and the rest of them counts as new flows",
	  LIST{ "more connections at a time than the flow table holds", NULL }, LIST{ "tcptriage capture -i {interface} --max-flows 1000000", NULL },
	  LIST{ "a larger table: --max-flows 1000000", "a filter for the hosts that matter", NULL } },
};

static void add_evidence(struct finding *f, const struct view *view, double measured, enum unit unit)
{
	const struct capture_source *source = view->packets->source;
	const struct capture_totals *t = totals(view);

	finding_add_text(f, "source", source->name, "capture");
	finding_add(f, "measured", measured, unit, "capture");
	finding_add(f, "packets", (double)t->packets, UNIT_COUNT, "capture");
	finding_add(f, "flows", (double)t->flows, UNIT_COUNT, "flows");
	finding_add(f, "capture_trust", view->packets->trust, UNIT_RATIO, "rule");
	finding_add(f, "dropped", (double)dropped(view), UNIT_COUNT, "pcap_stats");
	finding_add(f, "drops", flaw(view, (enum limit)CAPTURE_FLAW_DROPS), UNIT_PERCENT, "pcap_stats");
	finding_add(f, "dropped_kernel", (double)source->dropped_kernel, UNIT_COUNT, "pcap_stats");
	finding_add(f, "dropped_interface", (double)source->dropped_interface, UNIT_COUNT, "pcap_stats");
	finding_add(f, "unseen", (double)unseen(view), UNIT_COUNT, "acknowledgements");
	finding_add(f, "one_way", (double)one_way(view), UNIT_COUNT, "flows");
	finding_add(f, "copies", (double)copies(view), UNIT_COUNT, "IP ids, sequence numbers and timestamps");
	finding_add(f, "cut", (double)cut(view), UNIT_COUNT, "decoder");
	finding_add(f, "snaplen", source->snaplen, UNIT_BYTES, "capture");
	finding_add(f, "clock_back_steps", (double)clock_back(view), UNIT_COUNT, "time stamps");
	finding_add(f, "clock_jumps", (double)t->clock_jumps, UNIT_COUNT, "time stamps");
	finding_add(f, "clock_back_most", (double)t->clock_back_max_us, UNIT_US, "time stamps");
	finding_add(f, "super_segments", (double)joined(view), UNIT_COUNT, "packets");
	finding_add(f, "midstream", (double)midstream(view), UNIT_COUNT, "flows");
	finding_add(f, "evicted", (double)evicted(view), UNIT_COUNT, "flows");
}

/* Who asked for one direction, or filtered, knows that the other is missing; a few flows may lack it by chance. */
static bool is_expected(const struct view *view, const struct row *row)
{
	const struct capture_source *source = view->packets->source;

	return row->count == one_way && (source->one_direction || *source->filter || (double)one_way(view) < view->values[ONE_WAY_FLOWS]);
}

static void judge(const struct view *view, struct sink *sink, const struct row *row)
{
	bool much = row->much != NO_LIMIT && row->measure(view, row->much) >= view->values[row->much] && !is_expected(view, row);
	enum limit limit = much ? row->much : row->some;
	double measured = row->measure(view, limit);
	struct finding *f;

	if (!RULE_MAIN(CAPTURE_QUALITY, measured >= view->values[limit]))
		return;
	f = sink_finding(sink, much ? SEVERITY_WARNING : SEVERITY_INFO, CONFIDENCE);
	f->count = MAX(row->count(view), 1);
	if (view->packets->source->live)
		f->scope.interface = view->packets->source->name;
	add_evidence(f, view, measured, thresholds[limit].unit);
	f->title = row->title;
	f->detail = row->detail;
	f->causes = row->causes;
	f->next = row->next;
	f->fixes = row->fixes;
	finding_threshold(f, sink, limit);
}

static void eval(const struct view *view, struct sink *sink)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		judge(view, sink, &rows[i]);
	if (!view->packets->source->has_drops)
		sink_skip_part(sink, "drops: this source does not tell how many packets were lost before they were captured");
}

static const struct rule_signal reading = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"Counted over the whole capture: packets that the kernel or the interface dropped, acknowledgements of bytes that were never captured, flows of which one direction is missing although both sides spoke, frames captured "
		"more than once, packets cut inside their headers, steps of the clock, segments that offload has joined, flows that were under way when it began, and flows that had to make room.",
	.repro = "a capture with -B 64 under a flood of UDP drops packets; -i any across a bridge captures every packet twice",
};

const struct rule rule_capture_quality = {
	.id = "capture-quality",
	.title = "How far this capture can be trusted",
	.packets = &reading,
	.explain =
		"A capture is a witness, and this rule asks what it may have missed. A packet that the capture dropped looks like one that the network lost; a direction that was not captured looks like a peer that does not answer; a frame "
		"captured twice looks like a retransmission; a clock that was set back makes round trips of nothing. None of it is a fault of the network.\n\n"
		"What is found here lowers the confidence of every other finding from the same capture, which says so: drops of one in a thousand to 0.7 of it, a missing direction in four of five flows to 0.6. Copies are taken out before "
		"anything is judged. An unanswered SYN is no missing direction: only flows that go on as if they were answered count, so a scan or a dead server is not mistaken for a bad capture.",
	.look_alikes = (const char *const[]){
		"loss in the network: then the sender repeats what is missing; what only the capture missed is acknowledged without that",
		"a peer that does not answer: nothing goes on as if it did",
		"a network that duplicates packets: the receiver reports them (duplicate-delivery)",
		"a snaplen that cuts payload: no header is lost by that",
		NULL },
	.causes = (const char *const[]){
		"the capture stands where it does not see everything, or was slower than the traffic",
		"offload, mirrors and virtual interfaces show packets otherwise than the wire does",
		NULL },
	.next = (const char *const[]){ "tcptriage capture -i {interface} -B 65536 -s 128", "ip -s link", NULL },
	.fixes = (const char *const[]){
		"drops: a larger buffer (-B 65536), headers only (-s 128), a filter",
		"a missing direction: another interface or -i any, and no -Q",
		"copies: one interface, or -Q in",
		"headers that are cut: -s 256",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.4", "RFC 2883 §4", "pcap(3PCAP), pcap_stats(3PCAP)",
				       "Documentation/networking/packet_mmap.rst (tp_drops)", "net/packet/af_packet.c (packet_getsockopt)", NULL },
	.repro = "a capture with -B 64 under a flood of UDP drops packets; -i any across a bridge captures every packet twice",
};
