/* SPDX-License-Identifier: MIT */
/* A path MTU for people: the verdict as a sentence, the sizes beside each other, what was seen of each, and what was not proved. */
#include <assert.h>

#include "src/render/finding_formats.h"
#include "src/render/mtu_size_text.h"
#include "src/render/probe_formats.h"
#include "src/render/probe_text.h"
#include "tcptriage/base/clock.h"

/* The length field of an IP header has 16 bits; loopback's MTU is one more. */
#define IP_LARGEST 65535

static const struct path_told *word_of(const struct mtu_path *path)
{
	return path->told_by >= 0 && (size_t)path->told_by < MIN(path->told_count, (size_t)PATH_TOLD_MAX) ? &path->told[path->told_by] : NULL;
}

/* Who said it, in the place of a name. */
static void teller(struct out *out, const struct addr *from)
{
	if (addr_is_any(from))
		out_lit(out, "this kernel's memory of the path");
	else
		out_addr(out, from);
}

static bool is_exact(const struct mtu_path *path)
{
	return path->bound == BOUND_EXACT && path->path_mtu && path->smallest_lost == path->path_mtu + 1;
}

/* " behind hop 2 (10.9.1.2)"; nothing when the place is not known. */
static void place(struct out *out, const struct mtu_path *path)
{
	if (path->place == SHRINK_HERE) {
		out_lit(out, " on this machine's own link or segment");
	} else if (path->place == SHRINK_AT || (path->place == SHRINK_BETWEEN && path->shrink_ttl && !path->shrink_before)) {
		out_str(out, path->place == SHRINK_AT ? " behind " : " somewhere behind ");
		probe_text_hop(out, path->shrink_ttl, &path->shrink_address);
	} else if (path->place == SHRINK_BETWEEN && path->shrink_before) {
		out_lit(out, " between ");
		probe_text_hop(out, path->shrink_ttl, &path->shrink_address);
		out_printf(out, " and hop %u", path->shrink_before);
	}
}

static void large_packets(struct out *out, const struct mtu_path *path)
{
	if (is_exact(path))
		out_printf(out, "packets over %u B", path->path_mtu);
	else
		out_lit(out, "large packets");
}

/* The sizes on both sides of the edge, as far as they are known. */
static void edge(struct out *out, const struct mtu_path *path)
{
	if (path->bound == BOUND_UPPER) {
		if (path->smallest_lost)
			out_printf(out, "; %u does not pass", path->smallest_lost);
		if (path->path_mtu)
			out_printf(out, "%s at most %u does", path->smallest_lost ? "," : ";", path->path_mtu);
		return;
	}
	if (path->path_mtu)
		out_printf(out, "; %u passes", path->path_mtu);
	if (path->smallest_lost)
		out_printf(out, "%s %u does not", path->path_mtu ? "," : ";", path->smallest_lost);
	if (path->path_mtu && path->smallest_lost != path->path_mtu + 1)
		out_printf(out, ", and of %s nothing is proved", path->smallest_lost ? "sizes between them" : "larger ones");
}

/* The same of the way back. */
static void reverse_edge(struct out *out, const struct mtu_result *result)
{
	const struct reverse_path *reverse = &result->reverse;
	unsigned headers = addr_tcp_headers(result->address.family);

	if (reverse->largest_mss && reverse->smallest_dead == reverse->largest_mss + 1)
		out_printf(out, "packets over %u B vanish", reverse->largest_mss + headers);
	else
		out_printf(out, "packets of %u B vanish", reverse->smallest_dead + headers);
}

static void say_fits(struct out *out, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;
	bool knows_link = result->route.has & ROUTE_HAS_LINK;

	if (!path->path_mtu) {
		out_lit(out, "every size that was tried passes");
		return;
	}
	out_printf(out, "packets of %u B pass", path->path_mtu);
	if (knows_link && path->path_mtu >= result->route.link_mtu)
		out_lit(out, ", as large as this machine sends them");
	else if (path->path_mtu == IP_LARGEST)
		out_lit(out, ", as large as packets can be");
	else if (path->method == PROBE_TCP && result->route.has & ROUTE_HAS_MTU && path->path_mtu == result->route.mtu)
		out_lit(out, ", the largest that the MTU of the route lets TCP send; what lies above only --icmp or --udp can try");
	else if (path->method == PROBE_TCP)
		out_lit(out, ", the largest that the peer's MSS allows; what lies above only --icmp or --udp can try");
	else
		out_lit(out, ", the largest that was asked for");
	if (result->tcp.made && !result->tcp.connected)
		out_printf(out, "; but TCP to port %u does not connect%s%s", result->port, result->tcp.error > 0 ? ": " : "",
			   result->tcp.error > 0 ? strerror(result->tcp.error) : "");
}

static void say_narrower(struct out *out, const struct mtu_result *result)
{
	const struct path_told *told = word_of(&result->path);

	large_packets(out, &result->path);
	out_lit(out, " do not fit");
	place(out, &result->path);
	if (told && result->path.place == SHRINK_AT && addr_equal(&told->from, &result->path.shrink_address)) {
		out_lit(out, ", which says so");
	} else if (told) {
		out_lit(out, ", and ");
		teller(out, &told->from);
		out_lit(out, " says so");
	}
	edge(out, &result->path);
}

/* What is told of smaller packets helps nobody who begins with the largest. */
static void say_silent_before_told(struct out *out, const struct mtu_path *path)
{
	out_printf(out, "packets of %u B vanish", path->silent);
	place(out, path);
	out_lit(out, " before anybody says so; only of smaller ones that do not fit either a router tells");
	edge(out, path);
}

static void say_black_hole(struct out *out, const struct mtu_result *result)
{
	bool tcp_only = mtu_path_others_pass(&result->path);

	if (result->path.silent) {
		say_silent_before_told(out, &result->path);
		return;
	}
	large_packets(out, &result->path);
	out_lit(out, " vanish");
	place(out, &result->path);
	if (tcp_only)
		out_printf(out, " when they carry TCP, while %s of that size arrives", probe_method_label(result->path.hop_method));
	out_str(out, result->path.told_count ? ", no router names the size that passes" : ", nobody says so");
	edge(out, &result->path);
}

static void say_deaf(struct out *out, const struct mtu_result *result)
{
	out_printf(out, "no %s probe of any size is answered", probe_method_label(result->path.method));
	if (result->first >= 0)
		out_printf(out, ", nor was one of %s", probe_method_label((unsigned)result->first));
	out_lit(out, ": nothing is known of what this path carries");
}

static void say_undecided(struct out *out, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;

	if (!path->probes_sent) {
		out_lit(out, "no size was tried");
		return;
	}
	if (path->unheard && path->smallest_lost && !path->lossy) {
		large_packets(out, path);
		out_lit(out, " do not get through");
		place(out, path);
		out_lit(out, ", and whether a router says so is not heard here");
	} else if (path->echo_unanswered && path->method == PROBE_ICMP && !path->lossy) {
		out_printf(out, "echoes of %u B and more are not answered, and whether packets of that size arrive cannot be told", path->echo_unanswered);
	} else {
		out_str(out, path->lossy ? "too much is lost on the way to tell sizes" : "what was tried does not tell the size that passes");
	}
	edge(out, path);
}

static void error_words(struct out *out, int error)
{
	if (error > 0)
		out_printf(out, ": %s", strerror(error));
}

/* What stands behind the address of who says it. */
static const char *const refusals[] = {
	[REPLY_REFUSED] = "refuses the connection (RST)",
	[REPLY_UNREACHABLE] = "says that the host cannot be reached",
	[REPLY_REJECTED] = "refuses for it: port unreachable",
	[REPLY_PROHIBITED] = "prohibits it (administratively)",
	[REPLY_EXPIRED] = "says that its hop limit ended there",
};

/* The kernel sends the error about its own next hop, and its own filter's, to itself. */
static void teller_of_end(struct out *out, const struct mtu_result *result)
{
	const struct addr *by = &result->path.says_by;
	bool own = result->route.has & ROUTE_HAS_SOURCE && addr_equal(by, &result->route.source) && !addr_equal(by, &result->address);

	out_str(out, own ? "this machine itself (" : "");
	out_addr(out, by);
	out_str(out, own ? ")" : "");
}

static void say_unreachable(struct out *out, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;
	const char *words = path->says < ARRAY_SIZE(refusals) ? refusals[path->says] : NULL;

	if (!words || addr_is_any(&path->says_by)) {
		out_lit(out, "this machine cannot send to it");
	} else {
		teller_of_end(out, result);
		out_char(out, ' ');
		out_str(out, words);
	}
	if (path->says_icmp && path->says != REPLY_LOCAL)
		out_printf(out, " (ICMP%s type %u code %u)", result->address.family == ADDR_V6 ? "v6" : "", path->says_type, path->says_code);
	error_words(out, path->says_error);
}

/* The word of a verdict and the sentence behind it. @is_size: something is known of the size. */
static const struct verdict {
	struct probe_word word;
	void (*say)(struct out *out, const struct mtu_result *result);
	bool is_size;
} verdicts[] = {
	[MTU_FITS] = { { "FITS:", NULL }, say_fits, true },
	[MTU_NARROWER_TOLD] = { { "NARROWER, AND TOLD:", PROBE_DOUBT }, say_narrower, true },
	[MTU_BLACK_HOLE_FOUND] = { { "BLACK HOLE:", PROBE_BAD }, say_black_hole, true },
	[MTU_HOST_DEAF] = { { "UNKNOWN:", PROBE_DOUBT }, say_deaf, false },
	[MTU_UNREACHABLE] = { { "UNREACHABLE:", PROBE_DOUBT }, say_unreachable, false },
	[MTU_UNDECIDED] = { { "UNKNOWN:", PROBE_DOUBT }, say_undecided, true },
};
static_assert(ARRAY_SIZE(verdicts) == MTU_FINDING_COUNT, "a sentence for every verdict");

static const struct verdict *verdict_of(const struct mtu_path *path)
{
	return &verdicts[path->finding < ARRAY_SIZE(verdicts) ? path->finding : MTU_HOST_DEAF];
}

/* The first line must not read as good news when only the way there is. */
static void verdict_line(struct probe_text *text, const struct mtu_result *result)
{
	static const struct probe_word back = { "BLACK HOLE ON THE WAY BACK:", PROBE_BAD };
	const struct verdict *verdict = verdict_of(&result->path);
	bool is_back = result->reverse.finding == REVERSE_BLACK_HOLE && result->path.finding != MTU_BLACK_HOLE_FOUND;

	probe_text_name(text, result->name, &result->address);
	out_zoned(&text->item, &(struct endpoint){ .addr = result->address }, result->zone);
	out_printf(&text->item, " (%s, %s)", result->address.family == ADDR_V6 ? "IPv6" : "IPv4", probe_method_label(result->path.method));
	probe_text_verdict(text, is_back ? &back : &verdict->word);
	if (result->first == PROBE_TCP && result->first_finding == MTU_HOST_DEAF)
		out_printf(&text->item, "TCP to port %u brought silence, what follows is %s; ", result->port, probe_method_label(result->path.method));
	if (is_back) {
		reverse_edge(&text->item, result);
		out_lit(&text->item, "; the way there: ");
	}
	verdict->say(&text->item, result);
	probe_text_words(text);
	probe_text_partial(text, result->path.partial);
	probe_text_end(text);
}

/* "route 1400", or a dash for what nobody says. */
static void size_item(struct probe_text *text, const char *name, bool is_known, uint32_t size)
{
	out_str(&text->item, name);
	if (is_known)
		out_printf(&text->item, " %u", size);
	else
		out_lit(&text->item, " –");
}

static void route_items(struct probe_text *text, const struct route *route)
{
	bool has_mtu = route->has & ROUTE_HAS_MTU, is_cached = route->has & ROUTE_HAS_EXPIRES;

	out_lit(&text->item, "interface");
	if (route->has & ROUTE_HAS_DEVICE) {
		out_char(&text->item, ' ');
		out_escaped(&text->item, route->device, strnlen(route->device, sizeof(route->device)));
	}
	size_item(text, "", route->has & ROUTE_HAS_LINK, route->link_mtu);
	probe_text_item(text);
	size_item(text, "route", has_mtu && !is_cached, route->mtu);
	if (has_mtu && !is_cached && route->mtu_locked)
		out_lit(&text->item, " (locked)");
	probe_text_item(text);
	size_item(text, "cached", has_mtu && is_cached, route->mtu);
	if (has_mtu && is_cached) {
		out_lit(&text->item, " (for another ");
		out_duration(&text->item, (uint64_t)route->expires_ms * 1000);
		out_char(&text->item, ')');
	}
	probe_text_item(text);
}

static void path_items(struct probe_text *text, const struct mtu_result *result)
{
	static const char *const words[] = { [BOUND_EXACT] = "path", [BOUND_UPPER] = "path at most", [BOUND_LOWER] = "path at least" };
	const struct mtu_path *path = &result->path;
	uint32_t mss = mtu_probe_mss(result);

	static_assert(ARRAY_SIZE(words) == MTU_BOUND_COUNT, "words for every bound");
	size_item(text, path->path_mtu && path->bound < ARRAY_SIZE(words) ? words[path->bound] : "path", path->path_mtu, path->path_mtu);
	probe_text_item(text);
	if (!mss || path->bound == BOUND_UPPER)
		return;
	out_printf(&text->item, "MSS that fits %u (%u with timestamps)", mss, mss - MIN(mss, TCP_TIMESTAMP_BYTES));
	probe_text_item(text);
}

static void mtu_line(struct probe_text *text, const struct mtu_result *result)
{
	probe_text_line(text, "MTU");
	route_items(text, &result->route);
	path_items(text, result);
	probe_text_end(text);
}

/* What kind of link usually has this size, where a finding says so. */
static void likely_line(struct probe_text *text, const struct probe_result *result)
{
	const struct report report = probe_findings_report(text->report, result);

	for (size_t i = 0; i < result->finding_count; i++) {
		const struct evidence *likely = finding_evidence(result->findings[i], "likely");

		if (!likely || !likely->text || !finding_visible(&report, result->findings[i]))
			continue;
		probe_text_line(text, "likely");
		out_escaped(&text->item, likely->text, strlen(likely->text));
		probe_text_words(text);
		probe_text_end(text);
		return;
	}
}

/* What a word about the size was worth. */
static const char *told_worth(const struct path_told *told, const struct mtu_path *path)
{
	static const char *const worth[] = {
		[TOLD_CONFIRMED] = ", and so it is",
		[TOLD_WRONG] = ", but not even that passes",
		[TOLD_SURPASSED] = ", true as far as that router; another one further on tells less",
		[TOLD_NO_MTU] = "",
		[TOLD_HIDDEN] = "",
		[TOLD_BOGUS] = ", which is not below the size that it complains of",
		[TOLD_TOO_SMALL] = ", less than any link may have",
		[TOLD_UNTRIED] = ", which was not tried",
	};

	static_assert(ARRAY_SIZE(worth) == TOLD_KIND_COUNT, "words for every kind");
	if (told->kind == TOLD_UNTRIED && path->finding == MTU_HOST_DEAF)
		return ", which cannot be tried: the host answers nothing";
	if (told->kind == TOLD_UNTRIED && path->partial)
		return ", which was not tried: time was up";
	if (told->kind == TOLD_WRONG && told->mtu < path->path_mtu)
		return ", but more than that passes";
	return told->kind < ARRAY_SIZE(worth) ? worth[told->kind] : "";
}

static void told_line(struct probe_text *text, const struct mtu_path *path)
{
	size_t count = MIN(path->told_count, (size_t)PATH_TOLD_MAX);

	for (size_t i = 0; i < count; i++) {
		const struct path_told *told = &path->told[i];

		probe_text_line(text, i ? "" : "told");
		teller(&text->item, &told->from);
		if (told->kind == TOLD_NO_MTU)
			out_lit(&text->item, " says too big without a size, as routers older than RFC 1191 do");
		else if (told->kind == TOLD_HIDDEN)
			out_lit(&text->item, " says too big; this kernel hides the size that it names");
		else
			out_printf(&text->item, " says MTU %u", told->mtu);
		out_str(&text->item, told_worth(told, path));
		if (told->count > 1)
			out_printf(&text->item, " (%u times)", told->count);
		probe_text_words(text);
		probe_text_end(text);
	}
}

static void small_cell(struct out *out, const struct path_hop *hop, const void *context)
{
	(void)context;
	out_printf(out, "small %s", probe_text_reply(hop->reply));
}

static void large_cell(struct out *out, const struct path_hop *hop, const void *context)
{
	(void)context;
	if (hop->large_sent)
		out_printf(out, "large %s", probe_text_reply(hop->large));
}

static bool is_narrow(const struct mtu_path *path)
{
	return path->finding == MTU_NARROWER_TOLD || path->finding == MTU_BLACK_HOLE_FOUND;
}

static void hop_lines(struct probe_text *text, const struct mtu_path *path)
{
	if (is_narrow(path) || text->report->show_hops)
		probe_text_hops(text, path->hops, path->hop_count, small_cell, large_cell, NULL);
}

static void tcp_line(struct probe_text *text, const struct mtu_result *result)
{
	const struct tcp_witness *tcp = &result->tcp;

	if (!tcp->made)
		return;
	probe_text_line(text, "TCP");
	out_printf(&text->item, "port %u: ", result->port);
	if (!tcp->connected) {
		out_lit(&text->item, "no connection");
		error_words(&text->item, tcp->error);
		probe_text_item(text);
		probe_text_end(text);
		return;
	}
	out_lit(&text->item, "connected");
	if (tcp->handshake_us >= 0) {
		out_lit(&text->item, " in ");
		out_duration(&text->item, (uint64_t)tcp->handshake_us);
	}
	probe_text_item(text);
	out_printf(&text->item, "MSS there %u (snd_mss), back %u (advmss; rcv_mss %u)", tcp->snd_mss, tcp->advmss, tcp->rcv_mss);
	probe_text_item(text);
	out_printf(&text->item, "pmtu %u (tcp_info)", tcp->pmtu);
	probe_text_item(text);
	probe_text_end(text);
}

static void range(struct out *out, const char *name, uint32_t low, uint32_t high)
{
	out_printf(out, "%s %u", name, low);
	if (high != low)
		out_printf(out, "–%u", high);
}

static void live_line(struct probe_text *text, const struct live_path *live)
{
	if (!live->sockets)
		return;
	probe_text_line(text, "live");
	probe_text_count(&text->item, live->sockets, "open connection to it", "open connections to it");
	probe_text_item(text);
	if (live->with_info) {
		range(&text->item, "MSS", live->mss_min, live->mss_max);
		probe_text_item(text);
		range(&text->item, "pmtu", live->pmtu_min, live->pmtu_max);
		probe_text_item(text);
	}
	probe_text_end(text);
}

static void reverse_not_made(struct out *out, const struct mtu_result *result)
{
	out_printf(out, "not tested: %s says nothing of large packets on the way back", result->path.method == PROBE_ICMP ? "ping" : "this");
}

static void reverse_fits(struct out *out, const struct mtu_result *result)
{
	const struct reverse_path *reverse = &result->reverse;

	out_printf(out, "fits: to an advertised MSS of %u an answer of %llu B comes", reverse->largest_mss, (unsigned long long)reverse->received);
	if (reverse->largest_packet)
		out_printf(out, ", in packets of up to %u B", reverse->largest_packet);
	if (reverse->largest_packet && reverse->largest_packet < reverse->largest_mss + addr_tcp_headers(result->address.family))
		out_lit(out, "; larger ones were not sent, by a path MTU that the service has learned or by an MSS that was lessened on the way");
}

static void reverse_black_hole(struct out *out, const struct mtu_result *result)
{
	const struct reverse_path *reverse = &result->reverse;

	out_lit(out, "BLACK HOLE towards this machine: ");
	if (reverse->largest_mss)
		out_printf(out, "to an advertised MSS of %u the answer comes (%llu B), ", reverse->largest_mss, (unsigned long long)reverse->received);
	out_printf(out, "to %u it does not: ", reverse->smallest_dead);
	reverse_edge(out, result);
}

static void reverse_unknown(struct out *out, const struct mtu_result *result)
{
	if (result->reverse.received >= REVERSE_ENOUGH)
		out_printf(out, "unknown: an answer of %llu B came, but not often enough to tell large packets from small ones", (unsigned long long)result->reverse.received);
	else if (result->reverse.received)
		out_printf(out, "unknown: the service sent %llu B%s, too little to fill large packets", (unsigned long long)result->reverse.received,
			   result->reverse.quiet ? " and nothing for a second" : "");
	else
		out_lit(out, "unknown: neither a large nor a small advertised MSS brought an answer");
}

static void (*const reverses[])(struct out *out, const struct mtu_result *result) = {
	[REVERSE_NOT_MADE] = reverse_not_made,
	[REVERSE_FITS] = reverse_fits,
	[REVERSE_BLACK_HOLE] = reverse_black_hole,
	[REVERSE_UNKNOWN] = reverse_unknown,
};
static_assert(ARRAY_SIZE(reverses) == REVERSE_FINDING_COUNT, "a sentence for every verdict");

static void reverse_line(struct probe_text *text, const struct mtu_result *result)
{
	unsigned finding = result->reverse.finding < ARRAY_SIZE(reverses) ? result->reverse.finding : REVERSE_UNKNOWN;

	if (finding == REVERSE_NOT_MADE && !verdict_of(&result->path)->is_size)
		return;
	probe_text_line(text, "reverse");
	reverses[finding](&text->item, result);
	probe_text_words(text);
	probe_text_end(text);
}

/* Over TCP each probe is a connection. */
static void probes_item(struct probe_text *text, const struct mtu_path *path)
{
	bool tcp = path->method == PROBE_TCP && path->probes_sent;

	probe_text_count(&text->item, path->probes_sent, tcp ? "probe, a connection" : "probe", tcp ? "probes, a connection each" : "probes");
	if (path->controls_sent) {
		out_lit(&text->item, " (");
		probe_text_count(&text->item, path->controls_sent, "small control", "small controls");
		out_printf(&text->item, ", %u lost)", path->controls_lost);
	}
	out_lit(&text->item, " in ");
	out_duration(&text->item, (uint64_t)MAX(path->elapsed_us, 0));
	probe_text_item(text);
}

static void sent_line(struct probe_text *text, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;

	probe_text_line(text, "sent");
	probes_item(text, path);
	if (result->connections) {
		probe_text_count(&text->item, result->connections, "connection", "connections");
		out_str(&text->item, result->reverse.finding == REVERSE_NOT_MADE ? " as a witness" : " for the way back");
		probe_text_item(text);
	}
	if (path->rtt_us >= 0) {
		out_lit(&text->item, "round trip ");
		out_duration(&text->item, (uint64_t)path->rtt_us);
		probe_text_item(text);
	}
	if (text->report->verbose) {
		probe_text_count(&text->item, path->rounds, "round", "rounds");
		probe_text_item(text);
	}
	if (result->first >= 0) {
		out_printf(&text->item, "beside that %s: ", probe_method_label((unsigned)result->first));
		probe_text_count(&text->item, result->first_sent, "probe", "probes");
		out_printf(&text->item, ", %s",
			   result->first_finding == MTU_HOST_DEAF ? "silence" :
			   result->first_finding == MTU_UNREACHABLE ? "unreachable" :
			   result->first_finding == MTU_UNDECIDED   ? "undecided" :
								      "contradicted");
		probe_text_item(text);
	}
	probe_text_ignored(text, result->dropped);
	probe_text_end(text);
}

static void note(struct probe_text *text)
{
	probe_text_line(text, "note");
	probe_text_words(text);
	probe_text_end(text);
}

/* An echo reply is as large as the echo. */
static void echo_note(struct probe_text *text, const struct mtu_path *path)
{
	out_printf(&text->item, "echo replies over %u B do not come back", path->echo_unanswered - 1);
	if (path->method == PROBE_ICMP)
		out_lit(&text->item, ": such packets vanish on the way there or back, or the host, or a box before it, answers only small echoes; --tcp-payload tests both ways");
	else
		out_lit(&text->item, ", though such datagrams arrive: the host, or a box before it, answers only small echoes, or the way back is narrow; --tcp-payload tests the way back");
	note(text);
}

/* What the numbers above do not prove. */
static void note_lines(struct probe_text *text, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;
	struct out *item = &text->item;

	if (path->echo_unanswered)
		echo_note(text, path);
	if (path->lossy) {
		out_printf(item, "%u of %u small controls were lost", path->controls_lost, path->controls_sent);
		out_str(item, path->controls_lost * 5 > path->controls_sent ? ": too many to tell loss from size any closer" :
									      ", but sizes that were silent passed at other times: a limit of bytes, or loss, decides and not the size");
		note(text);
	}
	if (path->rate_limited) {
		out_printf(item, "%s: the host answers about once a second, which governs the time", probe_method_label(path->method));
		note(text);
	}
	if (is_narrow(path) && path->method == PROBE_TCP && path->hop_count) {
		out_printf(item, "the hops were asked by %s: packets of TCP may be treated otherwise, or go another way", probe_method_label(path->hop_method));
		note(text);
	}
	if (result->port && path->method != PROBE_TCP && verdict_of(path)->is_size) {
		out_printf(item, "%s is another protocol than TCP to port %u, which boxes on the way may treat otherwise", probe_method_label(path->method),
			   result->port);
		note(text);
	}
}

static void one_result(struct probe_text *text, const struct probe_result *probe)
{
	const struct mtu_result *result = probe->mtu;

	verdict_line(text, result);
	mtu_line(text, result);
	likely_line(text, probe);
	mtu_size_lines(text, &result->path);
	told_line(text, &result->path);
	hop_lines(text, &result->path);
	tcp_line(text, result);
	live_line(text, &result->live);
	reverse_line(text, result);
	sent_line(text, result);
	note_lines(text, result);
	probe_text_findings(text, probe);
}

void mtu_probe_text(struct out *out, const struct probe_report *report)
{
	struct probe_text text;

	probe_text_open(&text, out, report);
	for (size_t i = 0; i < report->result_count; i++)
		one_result(&text, &report->results[i]);
	probe_text_close(&text);
}
