/* SPDX-License-Identifier: MIT */
/* A path MTU as a JSON object: every key stands in every object, null where nothing is known. */
#include <assert.h>

#include "src/render/probe_formats.h"
#include "src/render/probe_json.h"

static const char *const fate_names[] = {
	[SIZE_PASSED] = "passed",
	[SIZE_LOST] = "lost",
	[SIZE_TOLD] = "told",
	[SIZE_LOCAL] = "not-sent",
};
static_assert(ARRAY_SIZE(fate_names) == SIZE_FATE_COUNT, "a name for every fate");

static const char *const told_names[] = {
	[TOLD_CONFIRMED] = "confirmed", [TOLD_WRONG] = "wrong",		[TOLD_SURPASSED] = "surpassed",
	[TOLD_NO_MTU] = "no-mtu",	[TOLD_HIDDEN] = "hidden",	[TOLD_BOGUS] = "bogus",
	[TOLD_TOO_SMALL] = "too-small", [TOLD_UNTRIED] = "untried",
};
static_assert(ARRAY_SIZE(told_names) == TOLD_KIND_COUNT, "a name for every kind");

static const char *const place_names[] = {
	[SHRINK_UNKNOWN] = "unknown",
	[SHRINK_HERE] = "here",
	[SHRINK_AT] = "at",
	[SHRINK_BETWEEN] = "between",
};
static_assert(ARRAY_SIZE(place_names) == SHRINK_PLACE_COUNT, "a name for every place");

static void number_member(struct out *out, const char *key, bool is_known, uint64_t value)
{
	out_str(out, key);
	json_number(out, is_known, value);
}

static void name_member(struct out *out, const char *key, const char *const *names, size_t count, unsigned value)
{
	out_str(out, key);
	json_text(out, value < count ? names[value] : "unknown");
}

static void verdict_members(struct out *out, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;
	uint32_t mss = mtu_probe_mss(result);

	json_key(out, ",", "method");
	probe_json_method(out, path->method);
	json_key(out, ",", "verdict");
	json_text(out, mtu_finding_name(path->finding));
	number_member(out, ",\"path_mtu\":", path->path_mtu, path->path_mtu);
	json_key(out, ",", "bound");
	json_text(out, path->path_mtu ? mtu_bound_name(path->bound) : NULL);
	number_member(out, ",\"smallest_lost\":", path->smallest_lost, path->smallest_lost);
	number_member(out, ",\"silent_size\":", path->silent, path->silent);
	number_member(out, ",\"echo_unanswered\":", path->echo_unanswered, path->echo_unanswered);
	number_member(out, ",\"mss\":", mss, mss);
	number_member(out, ",\"mss_with_timestamps\":", mss > TCP_TIMESTAMP_BYTES, mss - TCP_TIMESTAMP_BYTES);
}

static void route_members(struct out *out, const struct route *route)
{
	bool has_mtu = route->has & ROUTE_HAS_MTU, is_cached = has_mtu && route->has & ROUTE_HAS_EXPIRES, is_own = has_mtu && !is_cached;

	number_member(out, ",\"interface_mtu\":", route->has & ROUTE_HAS_LINK, route->link_mtu);
	number_member(out, ",\"route_mtu\":", is_own, route->mtu);
	json_key(out, ",", "route_mtu_locked");
	if (is_own)
		json_bool(out, route->mtu_locked);
	else
		out_lit(out, "null");
	number_member(out, ",\"cached_pmtu\":", is_cached, route->mtu);
	number_member(out, ",\"cached_pmtu_expires_ms\":", is_cached, route->expires_ms);
}

/* A router that told is known by its address even where the hop is not. */
static bool knows_router(const struct mtu_path *path)
{
	bool is_far = path->place == SHRINK_UNKNOWN || (path->place == SHRINK_BETWEEN && !path->shrink_ttl);

	return path->place == SHRINK_AT || (path->finding == MTU_NARROWER_TOLD && is_far && !addr_is_any(&path->shrink_address));
}

static void place_members(struct out *out, const struct mtu_path *path)
{
	bool is_ranged = path->place == SHRINK_AT || path->place == SHRINK_BETWEEN;

	json_key(out, ",", "shrinks_at");
	if (knows_router(path)) {
		json_key(out, "{", "ttl");
		json_number(out, path->place == SHRINK_AT, path->shrink_ttl);
		json_key(out, ",", "address");
		probe_json_addr(out, &path->shrink_address);
		number_member(out, ",\"mtu\":", path->path_mtu && !path->silent, path->path_mtu);
		out_char(out, '}');
	} else {
		out_lit(out, "null");
	}
	name_member(out, ",\"place\":", place_names, ARRAY_SIZE(place_names), path->place);
	number_member(out, ",\"shrinks_behind_ttl\":", is_ranged, path->shrink_ttl);
	number_member(out, ",\"shrinks_before_ttl\":", path->place == SHRINK_BETWEEN && path->shrink_before, path->shrink_before);
}

static void told_object(struct out *out, const struct path_told *told)
{
	json_key(out, "{", "address");
	probe_json_addr(out, &told->from);
	number_member(out, ",\"mtu\":", told->kind != TOLD_NO_MTU && told->kind != TOLD_HIDDEN, told->mtu);
	name_member(out, ",\"kind\":", told_names, ARRAY_SIZE(told_names), told->kind);
	json_key(out, ",", "confirmed");
	json_bool(out, told->kind == TOLD_CONFIRMED);
	number_member(out, ",\"count\":", true, told->count);
	out_char(out, '}');
}

static void told_members(struct out *out, const struct mtu_path *path)
{
	size_t count = MIN(path->told_count, (size_t)PATH_TOLD_MAX);

	json_key(out, ",", "ptb");
	if (path->told_by >= 0 && (size_t)path->told_by < count)
		told_object(out, &path->told[path->told_by]);
	else
		out_lit(out, "null");
	json_key(out, ",", "told");
	out_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i)
			out_char(out, ',');
		told_object(out, &path->told[i]);
	}
	out_char(out, ']');
}

static void refusal_member(struct out *out, const struct mtu_path *path)
{
	json_key(out, ",", "unreachable");
	if (path->finding != MTU_UNREACHABLE) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "answer");
	json_text(out, probe_reply_name(path->says));
	json_key(out, ",", "address");
	probe_json_addr(out, &path->says_by);
	json_key(out, ",", "error");
	probe_json_error(out, path->says_error);
	probe_json_icmp(out, path->says_icmp, path->says_type, path->says_code);
	out_char(out, '}');
}

static void reverse_members(struct out *out, const struct reverse_path *reverse)
{
	const char *name = reverse_finding_name(reverse->finding);

	json_key(out, ",", "reverse");
	json_text(out, name);
	json_key(out, ",", "reverse_test");
	if (!name) {
		out_lit(out, "null");
		return;
	}
	number_member(out, "{\"largest_mss\":", reverse->largest_mss, reverse->largest_mss);
	number_member(out, ",\"smallest_dead_mss\":", reverse->smallest_dead, reverse->smallest_dead);
	number_member(out, ",\"largest_packet\":", reverse->largest_packet, reverse->largest_packet);
	number_member(out, ",\"received_bytes\":", true, reverse->received);
	number_member(out, ",\"connections\":", true, reverse->connections);
	out_char(out, '}');
}

static void tcp_member(struct out *out, const struct tcp_witness *tcp)
{
	bool knows = tcp->connected;

	json_key(out, ",", "tcp");
	if (!tcp->made) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "connected");
	json_bool(out, tcp->connected);
	json_key(out, ",", "error");
	probe_json_error(out, tcp->connected ? 0 : tcp->error);
	json_key(out, ",", "handshake_us");
	probe_json_us(out, knows ? tcp->handshake_us : -1);
	number_member(out, ",\"snd_mss\":", knows, tcp->snd_mss);
	number_member(out, ",\"advmss\":", knows, tcp->advmss);
	number_member(out, ",\"rcv_mss\":", knows, tcp->rcv_mss);
	number_member(out, ",\"pmtu\":", knows, tcp->pmtu);
	out_char(out, '}');
}

static void live_member(struct out *out, const struct live_path *live)
{
	bool knows = live->with_info;

	json_key(out, ",", "live_sockets");
	number_member(out, "{\"count\":", true, live->sockets);
	number_member(out, ",\"with_info\":", true, live->with_info);
	number_member(out, ",\"mss_min\":", knows, live->mss_min);
	number_member(out, ",\"mss_max\":", knows, live->mss_max);
	number_member(out, ",\"pmtu_min\":", knows, live->pmtu_min);
	number_member(out, ",\"pmtu_max\":", knows, live->pmtu_max);
	out_char(out, '}');
}

static void size_member(struct out *out, const struct mtu_path *path)
{
	size_t count = MIN(path->size_count, (size_t)PATH_SIZES_MAX);

	json_key(out, ",", "sizes");
	out_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		const struct path_size *size = &path->sizes[i];

		number_member(out, i ? ",{\"bytes\":" : "{\"bytes\":", true, size->size);
		name_member(out, ",\"fate\":", fate_names, ARRAY_SIZE(fate_names), size->fate);
		number_member(out, ",\"tries\":", true, size->tries);
		out_char(out, '}');
	}
	out_char(out, ']');
}

static void sent_members(struct out *out, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;

	number_member(out, ",\"probes_sent\":", true, path->probes_sent);
	number_member(out, ",\"connections\":", true, result->connections);
	number_member(out, ",\"controls_sent\":", true, path->controls_sent);
	number_member(out, ",\"controls_lost\":", true, path->controls_lost);
	number_member(out, ",\"rounds\":", true, path->rounds);
	json_key(out, ",", "elapsed_ms");
	json_ms(out, path->elapsed_us);
	json_key(out, ",", "rtt_us");
	probe_json_us(out, path->rtt_us);
	json_key(out, ",", "partial");
	json_bool(out, path->partial);
	json_key(out, ",", "lossy");
	json_bool(out, path->lossy);
	json_key(out, ",", "rate_limited");
	json_bool(out, path->rate_limited);
	json_key(out, ",", "first_method");
	probe_json_method(out, result->first);
	number_member(out, ",\"first_probes_sent\":", result->first >= 0, result->first_sent);
	number_member(out, ",\"ignored_messages\":", true, result->dropped);
}

static void members(struct out *out, const struct probe_result *probe)
{
	const struct mtu_result *result = probe->mtu;

	probe_json_target(out, result->name, &result->address, result->zone, result->port, &result->route);
	verdict_members(out, result);
	route_members(out, &result->route);
	place_members(out, &result->path);
	told_members(out, &result->path);
	refusal_member(out, &result->path);
	reverse_members(out, &result->reverse);
	tcp_member(out, &result->tcp);
	live_member(out, &result->live);
	size_member(out, &result->path);
	json_key(out, ",", "hop_method");
	probe_json_method(out, result->path.hop_count ? result->path.hop_method : -1);
	json_key(out, ",", "hops");
	probe_json_hops(out, result->path.hops, result->path.hop_count, true);
	sent_members(out, result);
}

void mtu_probe_json(struct out *out, const struct probe_report *report)
{
	probe_json_document(out, report, members);
}

void mtu_probe_ndjson(struct out *out, const struct probe_report *report)
{
	probe_json_lines(out, report, members);
}
