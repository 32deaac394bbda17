/* SPDX-License-Identifier: MIT */
/* The end of a capture: findings with the flows that carry them, and what was captured, lost and not understood. */
#include "tcptriage/render/capture.h"

#include "src/render/finding_formats.h"
#include "src/render/flow_formats.h"
#include "src/render/json.h"

/* Rows of the table below findings; --flows prints all. */
#define CARRYING_FLOWS 20

const struct flow_owner *flow_owner_in(const struct capture_report *capture, const struct flow *flow)
{
	const struct flow_owner *owner;

	if (!flow->owner || flow->owner > capture->owner_count)
		return NULL;
	owner = &capture->owners[flow->owner - 1];
	/* a question without an answer, or whose socket had gone: not even the user is known */
	return owner->pid || owner->cookie ? owner : NULL;
}

/* An endpoint of a scope: port 0 stands for all of them, bits for a network. */
static bool scope_has(const struct endpoint *scope, unsigned bits, const struct endpoint *end)
{
	if (scope->port && scope->port != end->port)
		return false;
	return bits ? addr_in_prefix(&end->addr, &scope->addr, bits) : addr_equal(&end->addr, &scope->addr);
}

static bool carries_from(const struct scope *scope, const struct flow *flow, unsigned side)
{
	if (scope->has_local && !scope_has(&scope->local, 0, &flow->end[side]))
		return false;
	return !scope->has_peer || scope_has(&scope->peer, scope->peer_bits, &flow->end[!side]);
}

static bool carries(const struct finding *finding, const struct flow *flow)
{
	const struct scope *scope = &finding->scope;

	if (!scope->has_local && !scope->has_peer)
		return false;
	return carries_from(scope, flow, 0) || carries_from(scope, flow, 1);
}

static bool carries_any(const struct report *report, const struct flow *flow)
{
	for (size_t i = 0; i < report->finding_count; i++) {
		if (finding_visible(report, report->findings[i]) && carries(report->findings[i], flow))
			return true;
	}
	return false;
}

static void carrying_flows(struct out *out, const struct capture_report *capture)
{
	size_t rows = 0, more = 0;

	for (size_t i = 0; i < capture->flow_count; i++) {
		const struct flow *flow = capture->flows[i];

		if (!carries_any(capture->report, flow))
			continue;
		if (rows == CARRYING_FLOWS) {
			more++;
			continue;
		}
		if (!rows++)
			flow_table_head(out);
		flow_table_row(out, flow, flow_owner_in(capture, flow));
	}
	if (more)
		out_printf(out, "%zu more (--flows shows all)\n", more);
	if (rows)
		out_char(out, '\n');
}

void capture_flows_text(struct out *out, const struct capture_report *capture)
{
	flow_table_head(out);
	for (size_t i = 0; i < capture->flow_count; i++)
		flow_table_row(out, capture->flows[i], flow_owner_in(capture, capture->flows[i]));
}

static void count(struct out *out, const char *separator, uint64_t number, const char *one, const char *many)
{
	out_str(out, separator);
	out_u64(out, number);
	out_char(out, ' ');
	out_str(out, number == 1 ? one : many);
}

static void drops_line(struct out *out, const struct capture_source *source)
{
	if (!source->has_drops)
		return;
	count(out, " · ", source->received, "received by filter", "received by filter");
	count(out, ", ", source->dropped_kernel, "dropped by kernel", "dropped by kernel");
	count(out, ", ", source->dropped_interface, "by interface", "by interface");
}

/* What was not understood or not kept, only what there is. */
static void shortfall_line(struct out *out, const struct capture_totals *totals)
{
	const struct {
		uint64_t number;
		const char *one, *many;
	} shortfalls[] = {
		{ totals->status[DECODE_TRUNCATED], "packet cut by the snaplen", "packets cut by the snaplen" },
		{ totals->status[DECODE_MALFORMED], "malformed", "malformed" },
		{ totals->status[DECODE_UNSUPPORTED], "of a protocol that is not read", "of protocols that are not read" },
		{ totals->fragments, "fragment", "fragments" },
		{ totals->duplicates, "frame captured twice", "frames captured twice" },
		{ totals->bad_checksums, "bad checksum", "bad checksums" },
		{ totals->clock_back, "step back of the clock", "steps back of the clock" },
		{ totals->expired, "finished flow made room", "finished flows made room" },
		{ totals->evicted, "flow evicted (--max-flows)", "flows evicted (--max-flows)" },
	};
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(shortfalls); i++) {
		if (!shortfalls[i].number)
			continue;
		count(out, separator, shortfalls[i].number, shortfalls[i].one, shortfalls[i].many);
		separator = " · ";
	}
	if (*separator)
		out_char(out, '\n');
}

void capture_summary_text(struct out *out, const struct capture_source *source, const struct capture_totals *totals)
{
	count(out, "", totals->packets, "packet", "packets");
	if (totals->first_ns) {
		out_lit(out, " in ");
		out_duration(out, (uint64_t)MAX(totals->last_ns - totals->first_ns, 0) / 1000);
		count(out, " · ", totals->flows, "flow", "flows");
	}
	drops_line(out, source);
	out_char(out, '\n');
	shortfall_line(out, totals);
}

static void text(struct out *out, const struct capture_report *capture)
{
	report_text_findings(out, capture->report);
	carrying_flows(out, capture);
	report_text_verdict(out, capture->report);
	capture_summary_text(out, capture->source, capture->totals);
}

static void source_members(struct out *out, const struct capture_source *source)
{
	json_key(out, ",", "source");
	json_text(out, source->name);
	json_key(out, ",", "live");
	json_bool(out, source->live);
	json_key(out, ",", "linktype");
	out_u64(out, source->link_type);
	json_key(out, ",", "several_linktypes");
	json_bool(out, source->several_link_types);
	json_key(out, ",", "snaplen");
	json_number(out, source->snaplen, source->snaplen);
	json_key(out, ",", "filter");
	json_word(out, source->filter);
}

static void drop_member(struct out *out, const char *key, bool is_known, uint64_t value)
{
	out_str(out, key);
	json_number(out, is_known, value);
}

static void total_members(struct out *out, const struct capture_source *source, const struct capture_totals *totals)
{
	const struct {
		const char *key;
		uint64_t value;
	} members[] = {
		{ ",\"packets\":", totals->packets },
		{ ",\"bytes\":", totals->bytes },
		{ ",\"truncated\":", totals->status[DECODE_TRUNCATED] },
		{ ",\"malformed\":", totals->status[DECODE_MALFORMED] },
		{ ",\"unsupported\":", totals->status[DECODE_UNSUPPORTED] },
		{ ",\"fragments\":", totals->fragments },
		{ ",\"datagrams_incomplete\":", totals->trains_lost },
		{ ",\"duplicate_frames\":", totals->duplicates },
		{ ",\"bad_checksums\":", totals->bad_checksums },
		{ ",\"clock_back\":", totals->clock_back },
		{ ",\"flows_seen\":", totals->flows },
		{ ",\"flows_one_way\":", totals->flows_one_way },
		{ ",\"flows_midstream\":", totals->midstream },
		{ ",\"expired_flows\":", totals->expired },
		{ ",\"evicted_flows\":", totals->evicted },
	};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		out_str(out, members[i].key);
		out_u64(out, members[i].value);
	}
	drop_member(out, ",\"received\":", source->has_drops, source->received);
	drop_member(out, ",\"dropped_kernel\":", source->has_drops, source->dropped_kernel);
	drop_member(out, ",\"dropped_interface\":", source->has_drops, source->dropped_interface);
	json_key(out, ",", "events");
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		out_str(out, kind ? ",\"" : "{\"");
		out_str(out, event_kind_name(kind));
		out_lit(out, "\":");
		out_u64(out, totals->events[kind]);
	}
	out_char(out, '}');
}

static void json(struct out *out, const struct capture_report *capture)
{
	const struct report *report = capture->report;
	const char *head = "\n{";

	document_json_open(out, report->doc);
	source_members(out, capture->source);
	total_members(out, capture->source, capture->totals);
	json_key(out, ",", "flows");
	out_char(out, '[');
	for (size_t i = 0; i < capture->flow_count; i++, head = ",\n{")
		flow_json(out, capture->flows[i], flow_owner_in(capture, capture->flows[i]), head);
	out_lit(out, "\n]");
	report_json_findings(out, report, "\n");
	report_json_rules(out, report);
	document_json_close(out, report->doc, NULL);
}

static void ndjson(struct out *out, const struct capture_report *capture)
{
	const struct report *report = capture->report;

	for (size_t i = 0; i < capture->flow_count; i++) {
		flow_json(out, capture->flows[i], flow_owner_in(capture, capture->flows[i]), "{\"type\":\"flow\",");
		out_char(out, '\n');
	}
	report_ndjson_findings(out, report);
	out_lit(out, "{\"type\":\"summary\"");
	source_members(out, capture->source);
	total_members(out, capture->source, capture->totals);
	report_json_rules(out, report);
	document_json_close(out, report->doc, NULL);
}

capture_render_fn *const capture_renderers[FORMAT_COUNT] = { [FORMAT_TEXT] = text, [FORMAT_JSON] = json, [FORMAT_NDJSON] = ndjson };
