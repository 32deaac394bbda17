/* SPDX-License-Identifier: MIT */
/* A trace as a JSON object: every key stands in every object, null where nothing is known. */
#include <assert.h>

#include "src/render/probe_formats.h"
#include "src/render/probe_json.h"

static const char *const proof_names[] = {
	[PROOF_NONE] = NULL,
	[PROOF_DISTANCE] = "distance",
	[PROOF_RST_TTL] = "rst-ttl",
	[PROOF_ICMP] = "icmp",
};
static_assert(ARRAY_SIZE(proof_names) == TRACE_PROOF_COUNT, "a name for every proof");

static void verdict_members(struct out *out, const struct trace_path *path)
{
	json_key(out, ",", "verdict");
	json_text(out, trace_finding_name(path->finding));
	json_key(out, ",", "dies_after");
	probe_json_ttl(out, path->dies_after);
	json_key(out, ",", "by");
	probe_json_addr(out, &path->by);
	json_key(out, ",", "proof");
	json_text(out, path->proof < ARRAY_SIZE(proof_names) ? proof_names[path->proof] : NULL);
	probe_json_icmp(out, path->is_icmp, path->icmp_type, path->icmp_code);
	json_key(out, ",", "error");
	probe_json_error(out, path->finding == TRACE_LOCAL_ERROR ? path->error : 0);
	json_key(out, ",", "rtt_us");
	probe_json_us(out, path->rtt_us);
	json_key(out, ",", "host_ttl");
	probe_json_ttl(out, path->host_ttl);
	json_key(out, ",", "host_ttl_bound");
	json_text(out, path->host_ttl ? mtu_bound_name(path->host_at_most ? BOUND_UPPER : BOUND_EXACT) : NULL);
	json_key(out, ",", "rst_arrived_ttl");
	probe_json_ttl(out, path->rst_ttl);
	json_key(out, ",", "host_arrived_ttl");
	probe_json_ttl(out, path->reply_ttl);
}

static void hop_members(struct out *out, const struct trace_path *path)
{
	json_key(out, ",", "hops");
	probe_json_hops(out, path->hops, path->hop_count, false);
	json_key(out, ",", "side_method");
	probe_json_method(out, path->side_count ? path->side_method : -1);
	json_key(out, ",", "side_hops");
	probe_json_hops(out, path->side, path->side_count, false);
}

static void sent_members(struct out *out, const struct trace_result *result)
{
	const struct trace_path *path = &result->path;

	json_key(out, ",", "probes_sent");
	out_u64(out, path->probes_sent);
	json_key(out, ",", "retried");
	out_u64(out, path->retried);
	json_key(out, ",", "elapsed_ms");
	json_ms(out, path->elapsed_us);
	json_key(out, ",", "partial");
	json_bool(out, path->partial);
	json_key(out, ",", "split");
	json_bool(out, path->split);
	json_key(out, ",", "ignored_messages");
	out_u64(out, result->dropped);
}

static void members(struct out *out, const struct probe_result *probe)
{
	const struct trace_result *result = probe->trace;

	probe_json_target(out, result->name, &result->address, result->zone, result->port, &result->route);
	verdict_members(out, &result->path);
	hop_members(out, &result->path);
	sent_members(out, result);
}

void trace_json(struct out *out, const struct probe_report *report)
{
	probe_json_document(out, report, members);
}

void trace_ndjson(struct out *out, const struct probe_report *report)
{
	probe_json_lines(out, report, members);
}
