/* SPDX-License-Identifier: MIT */
/* Frame, target, hops and findings of the documents of probes. */
#include "src/render/probe_json.h"

#include "src/render/finding_formats.h"
#include "src/render/probe_text.h"

void probe_json_addr(struct out *out, const struct addr *address)
{
	if (addr_is_any(address)) {
		out_lit(out, "null");
		return;
	}
	out_char(out, '"');
	out_addr(out, address);
	out_char(out, '"');
}

void probe_json_us(struct out *out, int64_t us)
{
	json_number(out, us >= 0, (uint64_t)us);
}

void probe_json_ttl(struct out *out, unsigned ttl)
{
	json_number(out, ttl, ttl);
}

void probe_json_method(struct out *out, int method)
{
	json_text(out, method < 0 ? NULL : probe_method_name((enum probe_method)method));
}

void probe_json_error(struct out *out, int error)
{
	json_text(out, error > 0 ? strerror(error) : NULL);
}

void probe_json_icmp(struct out *out, bool is_icmp, uint8_t type, uint8_t code)
{
	json_key(out, ",", "icmp");
	if (is_icmp)
		out_printf(out, "{\"type\":%u,\"code\":%u}", type, code);
	else
		out_lit(out, "null");
}

void probe_json_target(struct out *out, const char *name, const struct addr *address, const char *zone, uint16_t port, const struct route *route)
{
	char device[sizeof(route->device) + 1] = { 0 };

	memcpy(device, route->device, sizeof(route->device));
	json_key(out, "", "name");
	json_word(out, name);
	json_key(out, ",", "address");
	out_char(out, '"');
	out_addr(out, address);
	out_char(out, '"');
	json_key(out, ",", "zone");
	json_word(out, zone);
	json_key(out, ",", "family");
	json_text(out, address->family == ADDR_V6 ? "inet6" : "inet");
	json_key(out, ",", "port");
	json_number(out, port, port);
	json_key(out, ",", "interface");
	json_word(out, route->has & ROUTE_HAS_DEVICE ? device : NULL);
}

void probe_json_hops(struct out *out, const struct path_hop *hops, size_t count, bool large)
{
	size_t shown = MIN(count, (size_t)PATH_HOPS_MAX);

	out_char(out, '[');
	for (size_t i = 0; i < shown; i++) {
		const struct path_hop *hop = &hops[i];

		out_str(out, i ? ",{" : "{");
		json_key(out, "", "ttl");
		out_u64(out, hop->ttl);
		json_key(out, ",", "address");
		probe_json_addr(out, &hop->address);
		json_key(out, ",", "rtt_us");
		probe_json_us(out, hop->rtt_us);
		json_key(out, ",", "answer");
		json_text(out, hop->tries || hop->reply != REPLY_NONE ? probe_reply_name(hop->reply) : NULL);
		json_key(out, ",", "tries");
		out_u64(out, hop->tries);
		if (large) {
			json_key(out, ",", "large_answer");
			json_text(out, hop->large_sent ? probe_reply_name(hop->large) : NULL);
		}
		out_char(out, '}');
	}
	out_char(out, ']');
}

static void target_members(struct out *out, const struct probe_report *report)
{
	json_key(out, ",", "target");
	json_text(out, report->target);
	json_key(out, ",", "port");
	json_number(out, report->port, report->port);
}

/* @head: the first bytes of the object. */
static void result_object(struct out *out, const struct probe_report *report, const struct probe_result *result, probe_json_fn *write, const char *head)
{
	const struct report findings = probe_findings_report(report, result);

	out_str(out, head);
	write(out, result);
	report_json_findings(out, &findings, "");
	out_char(out, '}');
}

void probe_json_document(struct out *out, const struct probe_report *report, probe_json_fn *write)
{
	document_json_open(out, report->doc);
	target_members(out, report);
	json_key(out, ",", "results");
	out_char(out, '[');
	for (size_t i = 0; i < report->result_count; i++)
		result_object(out, report, &report->results[i], write, i ? ",\n{" : "\n{");
	out_lit(out, "\n]");
	document_json_close(out, report->doc, NULL);
}

void probe_json_lines(struct out *out, const struct probe_report *report, probe_json_fn *write)
{
	document_ndjson_header(out, report->doc);
	for (size_t i = 0; i < report->result_count; i++) {
		result_object(out, report, &report->results[i], write, "{\"type\":\"result\",");
		out_char(out, '\n');
	}
	out_lit(out, "{\"type\":\"summary\"");
	target_members(out, report);
	document_json_close(out, report->doc, NULL);
}
