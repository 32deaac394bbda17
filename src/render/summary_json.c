/* SPDX-License-Identifier: MIT */
/* The summary view for programs. Its rows are the flagged sockets; states and destinations stand before them. */
#include "src/render/json.h"
#include "src/render/row_formats.h"
#include "src/render/summary_formats.h"

static void top_object(struct out *out, const char *name, uint64_t count)
{
	if (!name || !*name) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "name");
	json_text(out, name);
	json_key(out, ",", "count");
	out_u64(out, count);
	out_char(out, '}');
}

static void state_object(struct out *out, const struct summary_line *line, const char *head)
{
	out_str(out, head);
	json_key(out, "", "state");
	json_text(out, sock_state_name(line->state));
	json_key(out, ",", "inet");
	out_u64(out, line->v4);
	json_key(out, ",", "inet6");
	out_u64(out, line->v6);
	json_key(out, ",", "oldest_ms");
	if (line->oldest_ms < 0)
		out_lit(out, "null");
	else
		out_u64(out, (uint64_t)line->oldest_ms);
	json_key(out, ",", "top_owner");
	top_object(out, line->top_owner, line->top_owner_count);
	json_key(out, ",", "top_peer");
	top_object(out, line->top_peer, line->top_peer_count);
	json_key(out, ",", "flags");
	out_char(out, '[');
	for (size_t i = 0; line->flags && line->flags[i]; i++) {
		if (i)
			out_char(out, ',');
		json_text(out, line->flags[i]);
	}
	out_lit(out, "]}");
}

static void ports_object(struct out *out, const struct summary_ports *ports, const char *head)
{
	out_str(out, head);
	json_key(out, "", "local_address");
	out_char(out, '"');
	out_addr(out, &ports->local);
	out_char(out, '"');
	json_key(out, ",", "peer");
	json_endpoint(out, &ports->peer);
	json_key(out, ",", "ports_used");
	out_u64(out, ports->used);
	json_key(out, ",", "ports_time_wait");
	out_u64(out, ports->time_wait);
	json_key(out, ",", "ports_total");
	out_u64(out, ports->total);
	out_char(out, '}');
}

static void flagged_object(struct out *out, const struct summary_flagged *flagged, const char *head)
{
	const struct holder holder = { .process = flagged->owner, .fd = -1 };
	const char *const flags[] = { flagged->rule, NULL };
	const struct row row = { .sock = flagged->sock,
				 .holders = &holder,
				 .holder_count = flagged->owner ? 1 : 0,
				 .reason = flagged->reason,
				 .flags = flags,
				 .age_ms = flagged->age_ms,
				 .timeout = flagged->timeout };

	socket_json(out, &row, head);
}

/* Flagged sockets for which another one stands, or for which there is no room. */
static uint64_t left_out(const struct summary *summary)
{
	uint64_t count = summary->flagged_more;

	for (size_t i = 0; i < summary->flagged_count; i++)
		count += summary->flagged[i].alike;
	return count;
}

void summary_json(struct out *out, const struct summary *summary)
{
	document_json_open(out, summary->doc);
	json_key(out, ",", "states");
	out_char(out, '[');
	for (size_t i = 0; i < ARRAY_SIZE(summary->line); i++)
		state_object(out, &summary->line[i], i ? ",\n{" : "\n{");
	out_char(out, ']');
	json_key(out, ",", "ports");
	out_char(out, '[');
	for (size_t i = 0; i < summary->port_count; i++)
		ports_object(out, &summary->ports[i], i ? ",\n{" : "\n{");
	out_char(out, ']');
	json_key(out, ",", "sockets");
	out_char(out, '[');
	for (size_t i = 0; i < summary->flagged_count; i++)
		flagged_object(out, &summary->flagged[i], i ? ",\n{" : "\n{");
	out_char(out, ']');
	json_key(out, ",", "sockets_left_out");
	out_u64(out, left_out(summary));
	document_json_close(out, summary->doc, summary->counts);
}

void summary_ndjson(struct out *out, const struct summary *summary)
{
	document_ndjson_header(out, summary->doc);
	for (size_t i = 0; i < ARRAY_SIZE(summary->line); i++) {
		state_object(out, &summary->line[i], "{\"type\":\"state\",");
		out_char(out, '\n');
	}
	for (size_t i = 0; i < summary->port_count; i++) {
		ports_object(out, &summary->ports[i], "{\"type\":\"ports\",");
		out_char(out, '\n');
	}
	for (size_t i = 0; i < summary->flagged_count; i++) {
		flagged_object(out, &summary->flagged[i], "{\"type\":\"socket\",");
		out_char(out, '\n');
	}
	document_ndjson_summary(out, summary->doc, summary->counts);
}
