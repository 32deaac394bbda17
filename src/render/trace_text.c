/* SPDX-License-Identifier: MIT */
/* A trace for people: where the attempt ends as a sentence, the hops below it, on what the verdict rests. */
#include <assert.h>

#include "src/render/probe_formats.h"
#include "src/render/probe_text.h"
#include "tcptriage/base/clock.h"

static const struct path_hop *hop_at(const struct path_hop *hops, size_t count, unsigned ttl)
{
	for (size_t i = 0; i < MIN(count, (size_t)PATH_HOPS_MAX); i++)
		if (hops[i].ttl == ttl)
			return &hops[i];
	return NULL;
}

/* "hop 2 (10.9.1.2)", the last that let a SYN through. */
static void hop_of(struct out *out, const struct trace_path *path)
{
	static const struct addr any = { 0 };
	const struct path_hop *hop = hop_at(path->hops, path->hop_count, path->dies_after);

	probe_text_hop(out, path->dies_after, hop ? &hop->address : &any);
}

/* " behind hop 2 (10.9.1.2)"; nothing when it is not known. */
static void behind(struct out *out, const struct trace_path *path)
{
	if (!path->dies_after)
		return;
	out_lit(out, " behind ");
	hop_of(out, path);
}

/* Who ends it and where: "hop 2 (10.9.1.2)" of one that let earlier packets through, "10.9.2.2 behind hop 2 (10.9.1.2)" of one that did not. */
static void by(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;
	const struct path_hop *last = hop_at(path->hops, path->hop_count, path->dies_after);

	if (last && !addr_is_any(&path->by) && addr_equal(&path->by, &last->address)) {
		probe_text_hop(out, path->dies_after, &path->by);
		return;
	}
	if (addr_is_any(&path->by))
		out_lit(out, "somebody");
	else if (addr_equal(&path->by, &result->address))
		out_lit(out, "the host itself");
	else
		out_addr(out, &path->by);
	behind(out, path);
}

static void icmp(struct out *out, const struct trace_path *path)
{
	if (path->is_icmp)
		out_printf(out, " (ICMP%s type %u code %u)", path->by.family == ADDR_V6 ? "v6" : "", path->icmp_type, path->icmp_code);
}

static void side_method(struct out *out, const struct trace_path *path)
{
	out_str(out, probe_method_label(path->side_method));
}

static unsigned side_reach(const struct trace_path *path)
{
	unsigned reach = 0;

	for (size_t i = 0; i < MIN(path->side_count, (size_t)PATH_HOPS_MAX); i++)
		if (path->side[i].reply != REPLY_NONE)
			reach = MAX(reach, path->side[i].ttl);
	return reach;
}

static bool side_arrives(const struct trace_path *path)
{
	for (size_t i = 0; i < MIN(path->side_count, (size_t)PATH_HOPS_MAX); i++)
		if (path->side[i].reply == REPLY_ARRIVED)
			return true;
	return false;
}

static void say_open(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	out_lit(out, "the connection is accepted");
	if (path->rtt_us >= 0) {
		out_lit(out, " in ");
		out_duration(out, (uint64_t)path->rtt_us);
	}
	if (path->host_ttl) {
		out_str(out, path->host_at_most ? ", at most " : ", ");
		probe_text_count(out, path->host_ttl, "hop", "hops");
		out_lit(out, " away");
	}
}

static void say_refused(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	if (!addr_is_any(&path->by))
		out_lit(out, "by the host itself: no program listens there, or its filter rejects");
	else if (path->rst_ttl && path->reply_ttl)
		out_printf(out, "by the host or by a box in front of it: the RST arrived with hop limit %u, other packets of the host with %u, which may have come another way", path->rst_ttl,
			   path->reply_ttl);
	else if (path->rst_ttl)
		out_lit(out, "by the host or by a box in front of it: nothing else came from the host that the RST could be compared with");
	else
		out_lit(out, "by the host or by a box in front of it, which cannot be told without CAP_NET_RAW: the RST bears the host's address either way");
}

static void say_refused_by_middle(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	out_lit(out, "by a box in between, not by the host");
	if (!addr_is_any(&path->by)) {
		out_lit(out, ": ");
		by(out, result);
	} else if (path->dies_after) {
		out_lit(out, ": it stands");
		behind(out, path);
	}
	icmp(out, path);
}

static void say_prohibited(struct out *out, const struct trace_result *result)
{
	by(out, result);
	out_lit(out, " forbids it administratively");
	icmp(out, &result->path);
}

static void say_no_route(struct out *out, const struct trace_result *result)
{
	by(out, result);
	out_lit(out, " says that it cannot reach the host");
	icmp(out, &result->path);
}

static void say_filtered(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	if (path->dies_after) {
		out_lit(out, "SYNs to this port are answered up to ");
		hop_of(out, path);
		out_lit(out, " and not behind it");
	} else {
		out_lit(out, "no hop answers SYNs to this port, nor does the host, and where they are dropped is unknown: by this machine, by a router or by the host");
	}
	out_lit(out, ", while ");
	side_method(out, path);
	if (side_arrives(path))
		out_lit(out, " reaches the host");
	else if (side_reach(path))
		out_printf(out, " goes as far as hop %u", side_reach(path));
	else
		out_lit(out, " goes further");
}

static void say_loop(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;
	const struct path_hop *last = hop_at(path->hops, path->hop_count, path->dies_after);
	bool is_again = last && addr_equal(&path->by, &last->address);

	out_lit(out, "routers hand packets round in a circle");
	if (is_again) {
		out_lit(out, ", and ");
		hop_of(out, path);
		out_lit(out, " sends them back");
		return;
	}
	behind(out, path);
	if (addr_is_any(&path->by))
		return;
	out_lit(out, ": a packet with hops to spare ended at ");
	out_addr(out, &path->by);
}

static void say_silent(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	if (path->dies_after || path->hop_count)
		out_lit(out, "nothing answers");
	else
		out_lit(out, "no hop answers, nor the host");
	behind(out, path);
	if (path->side_count) {
		out_lit(out, ", ");
		side_method(out, path);
		out_lit(out, " gets no further: a dead path and a filter for all look the same from here");
	} else {
		out_lit(out, ": a dead path and a filter look the same from here, for nothing else was tried");
	}
}

static void say_local_error(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	out_lit(out, "by this machine");
	if (path->error > 0)
		out_printf(out, ": %s", strerror(path->error));
}

/* What was not waited for to its end says nothing of silence. */
static void say_undecided(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	if (path->dies_after) {
		out_lit(out, "SYNs are answered up to ");
		hop_of(out, path);
	} else {
		out_lit(out, "no hop has answered a SYN, nor has the host");
	}
}

/* The word of a verdict and the sentence behind it. */
static const struct verdict {
	struct probe_word word;
	void (*say)(struct out *out, const struct trace_result *result);
} verdicts[] = {
	[TRACE_OPEN] = { { "OPEN:", NULL }, say_open },
	[TRACE_REFUSED] = { { "REFUSED", PROBE_DOUBT }, say_refused },
	[TRACE_REFUSED_BY_MIDDLE] = { { "REFUSED", PROBE_BAD }, say_refused_by_middle },
	[TRACE_PROHIBITED] = { { "PROHIBITED:", PROBE_BAD }, say_prohibited },
	[TRACE_NO_ROUTE] = { { "NO ROUTE:", PROBE_BAD }, say_no_route },
	[TRACE_FILTERED] = { { "FILTERED:", PROBE_BAD }, say_filtered },
	[TRACE_LOOP] = { { "LOOP:", PROBE_BAD }, say_loop },
	[TRACE_SILENT] = { { "SILENCE:", PROBE_BAD }, say_silent },
	[TRACE_LOCAL_ERROR] = { { "NOT SENT", PROBE_BAD }, say_local_error },
	[TRACE_UNDECIDED] = { { "NOT FINISHED:", PROBE_DOUBT }, say_undecided },
};
static_assert(ARRAY_SIZE(verdicts) == TRACE_FINDING_COUNT, "a sentence for every verdict");

static const struct verdict *verdict_of(const struct trace_path *path)
{
	return &verdicts[path->finding < ARRAY_SIZE(verdicts) ? path->finding : TRACE_SILENT];
}

static void verdict_line(struct probe_text *text, const struct trace_result *result)
{
	const struct endpoint end = { result->address, result->port };
	const struct verdict *verdict = verdict_of(&result->path);

	probe_text_name(text, result->name, &result->address);
	out_zoned(&text->item, &end, result->zone);
	probe_text_verdict(text, &verdict->word);
	verdict->say(&text->item, result);
	probe_text_words(text);
	probe_text_partial(text, result->path.partial);
	probe_text_end(text);
}

static void route_line(struct probe_text *text, const struct route *route)
{
	if (!(route->has & ROUTE_HAS_DEVICE))
		return;
	probe_text_line(text, "route");
	out_lit(&text->item, "interface ");
	out_escaped(&text->item, route->device, strnlen(route->device, sizeof(route->device)));
	probe_text_item(text);
	if (route->has & ROUTE_HAS_SOURCE) {
		out_lit(&text->item, "source ");
		out_addr(&text->item, &route->source);
		probe_text_item(text);
	}
	if (route->has & ROUTE_HAS_GATEWAY) {
		out_lit(&text->item, "by ");
		out_addr(&text->item, &route->gateway);
		probe_text_item(text);
	}
	probe_text_end(text);
}

static void syn_cell(struct out *out, const struct path_hop *hop, const void *context)
{
	(void)context;
	if (hop->reply == REPLY_NONE && hop->tries > 1)
		out_printf(out, "%u probes", hop->tries);
	else if (hop->reply != REPLY_NONE && hop->reply != REPLY_EXPIRED)
		out_str(out, probe_text_reply(hop->reply));
}

/* What answers the other protocol at the same hop limit, where it was asked. */
static void side_cell(struct out *out, const struct path_hop *hop, const void *context)
{
	const struct trace_path *path = context;
	const struct path_hop *side = hop_at(path->side, path->side_count, hop->ttl);

	if (!side || (side->reply == REPLY_NONE && !side->tries))
		return;
	side_method(out, path);
	out_char(out, ' ');
	if (side->reply == REPLY_NONE)
		out_char(out, '*');
	else
		out_addr(out, &side->address);
	if (side->reply != REPLY_NONE && side->reply != REPLY_EXPIRED)
		out_printf(out, " %s", probe_text_reply(side->reply));
}

/* A line for each hop that was asked by either protocol; where no SYN was answered any more it reads as a mute one. */
static void hop_lines(struct probe_text *text, const struct trace_path *path)
{
	struct path_hop hops[PATH_HOPS_MAX];
	size_t count = 0;

	for (unsigned ttl = 1; ttl <= PATH_HOPS_MAX; ttl++) {
		const struct path_hop *hop = hop_at(path->hops, path->hop_count, ttl);

		if (hop)
			hops[count++] = *hop;
		else if (hop_at(path->side, path->side_count, ttl))
			hops[count++] = (struct path_hop){ .ttl = (uint8_t)ttl, .reply = REPLY_NONE, .rtt_us = -1 };
	}
	probe_text_hops(text, hops, count, syn_cell, side_cell, path);
}

static void proof_distance(struct out *out, const struct trace_path *path)
{
	out_str(out, "the distance: ");
	if (path->finding == TRACE_REFUSED_BY_MIDDLE && path->dies_after)
		out_printf(out, "a SYN with hop limit %u is refused, ", path->dies_after + 1);
	out_str(out, "the host is ");
	if (path->host_ttl && !path->host_at_most)
		probe_text_count(out, path->host_ttl, "hop away", "hops away");
	else
		out_str(out, "farther away");
	if (path->side_count) {
		out_lit(out, " for ");
		side_method(out, path);
	}
}

static void proof_rst_ttl(struct out *out, const struct trace_path *path)
{
	out_printf(out, "the RST arrived with hop limit %u, other packets of the host with %u", path->rst_ttl, path->reply_ttl);
}

static void proof_icmp(struct out *out, const struct trace_path *path)
{
	out_lit(out, "the word of ");
	if (addr_is_any(&path->by))
		out_lit(out, "a router");
	else
		out_addr(out, &path->by);
	icmp(out, path);
}

static void (*const proofs[])(struct out *out, const struct trace_path *path) = {
	[PROOF_NONE] = NULL,
	[PROOF_DISTANCE] = proof_distance,
	[PROOF_RST_TTL] = proof_rst_ttl,
	[PROOF_ICMP] = proof_icmp,
};
static_assert(ARRAY_SIZE(proofs) == TRACE_PROOF_COUNT, "words for every proof");

static void proof_line(struct probe_text *text, const struct trace_path *path)
{
	if (path->proof >= ARRAY_SIZE(proofs) || !proofs[path->proof])
		return;
	probe_text_line(text, "proof");
	proofs[path->proof](&text->item, path);
	probe_text_words(text);
	probe_text_end(text);
}

static void sent_line(struct probe_text *text, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	probe_text_line(text, "sent");
	probe_text_count(&text->item, path->probes_sent, "probe", "probes");
	out_lit(&text->item, " in ");
	out_duration(&text->item, (uint64_t)MAX(path->elapsed_us, 0));
	probe_text_item(text);
	if (path->retried) {
		probe_text_count(&text->item, path->retried, "silence that a second probe broke", "silences that a second probe broke");
		probe_text_item(text);
	}
	probe_text_ignored(text, result->dropped);
	probe_text_end(text);
}

static void split_line(struct probe_text *text, const struct trace_path *path)
{
	if (!path->split)
		return;
	probe_text_line(text, "note");
	paragraph_text(&text->line, "each hop was asked from a source port of its own: routers that balance by flow may have shown several ways");
	probe_text_end(text);
}

static void one_result(struct probe_text *text, const struct probe_result *probe)
{
	const struct trace_result *result = probe->trace;

	verdict_line(text, result);
	route_line(text, &result->route);
	hop_lines(text, &result->path);
	proof_line(text, &result->path);
	sent_line(text, result);
	split_line(text, &result->path);
	probe_text_findings(text, probe);
}

/* enum reach - what an address adds to the view of a client. Without a route here it costs a client nothing, and what was ended early says nothing. */
enum reach { REACH_OPEN, REACH_DEAD, REACH_NO_MATTER };

static enum reach reach_of(const struct trace_result *result)
{
	if (result->path.finding == TRACE_OPEN)
		return REACH_OPEN;
	return result->path.partial || result->path.finding == TRACE_LOCAL_ERROR || result->route.error ? REACH_NO_MATTER : REACH_DEAD;
}

/* Into the item. Return: how many there are. */
static size_t list_addresses(struct probe_text *text, enum reach reach)
{
	size_t count = 0;

	for (size_t i = 0; i < text->report->result_count; i++) {
		const struct trace_result *result = text->report->results[i].trace;

		if (reach_of(result) != reach)
			continue;
		if (count++)
			out_lit(&text->item, ", ");
		out_addr(&text->item, &result->address);
	}
	return count;
}

/* A name with several addresses hides a dead one behind one that works. */
static void addresses_lines(struct probe_text *text)
{
	const struct probe_report *report = text->report;
	size_t open, dead;

	out_escaped(&text->item, report->target, strlen(report->target));
	out_lit(&text->item, ": open at ");
	open = list_addresses(text, REACH_OPEN);
	out_lit(&text->item, ", not at ");
	dead = list_addresses(text, REACH_DEAD);
	out_lit(&text->item, ": programs that try one address after the other hide this behind a delay, those that try only the first one fail");
	if (open && dead) {
		probe_text_apart(text);
		text->line = paragraph_at(text->out, report->style.width, 0, 2);
		probe_text_words(text);
		probe_text_end(text);
	}
	out_clear(&text->item);
}

void trace_text(struct out *out, const struct probe_report *report)
{
	struct probe_text text;

	probe_text_open(&text, out, report);
	for (size_t i = 0; i < report->result_count; i++)
		one_result(&text, &report->results[i]);
	addresses_lines(&text);
	probe_text_close(&text);
}
