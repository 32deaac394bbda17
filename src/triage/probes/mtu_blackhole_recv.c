/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-recv from probes: the service answers a connection with a small MSS, and not one with the full MSS. */
#include "../mtu_table.h"
#include "../probes.h"

enum limit {
	RECEIVED,
};

static const struct threshold thresholds[] = {
	[RECEIVED] = { "answer", UNIT_BYTES, 4096, "came with the small MSS: a shorter answer need not hold a large segment" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.98
/* An MSS with which a test stalls may stall for another reason as long as one so close to it works. */
#define CONFIDENCE_BRACKET 0.95

static bool is_exact(const struct reverse_path *reverse)
{
	return reverse->smallest_dead == reverse->largest_mss + 1;
}

static bool is_hole(const struct reverse_path *reverse)
{
	return reverse->finding == REVERSE_BLACK_HOLE && reverse->largest_mss && reverse->smallest_dead > reverse->largest_mss;
}

static const char *guess(const struct mtu_result *result, uint32_t mtu)
{
	const char *what = is_exact(&result->reverse) && result->route.has & ROUTE_HAS_LINK ? mtu_likely(result->route.link_mtu, mtu) : NULL;

	return what;
}

static void add_evidence(struct finding *f, const struct mtu_result *result)
{
	const struct reverse_path *reverse = &result->reverse;
	const char *likely;
	uint32_t headers = addr_tcp_headers(result->address.family), mtu = MIN(reverse->largest_mss, UINT16_MAX) + headers;

	finding_add(f, "largest_mss", reverse->largest_mss, UNIT_BYTES, "connections");
	finding_add(f, "smallest_dead", reverse->smallest_dead, UNIT_BYTES, "connections");
	finding_add(f, "path_mtu_back", mtu, UNIT_BYTES, "rule");
	finding_add(f, "received", (double)reverse->received, UNIT_BYTES, "connections");
	finding_add(f, "connections", reverse->connections, UNIT_COUNT, "connections");
	likely = guess(result, mtu);
	finding_add_text(f, "likely", likely ? likely : "which kind of link that is, the size does not tell", "rule");
	if (result->path.path_mtu && result->path.bound == BOUND_EXACT)
		finding_add(f, "path_mtu_forth", result->path.path_mtu, UNIT_BYTES, "probes");
}

static const char *const *fixes(const struct view *view, const struct mtu_result *result)
{
	struct probed probed = probed_of_mtu(result);
	uint32_t mss = result->reverse.largest_mss;
	const char *const lines[] = {
		arena_printf(view->arena, "advertise what fits from this host: %s", probe_route_command(view, &probed, "advmss", mss)),
		arena_printf(view->arena, "or limit the MSS on the router of the tunnel or link, in both directions: %s", probe_clamp_text(view, &result->address, mss)),
		result->address.family == ADDR_V4 ? "let the router before the narrow link send ICMP type 3 code 4, and let it pass to {peer_addr}" :
						    "let the router before the narrow link send ICMPv6 type 2, and let it pass to {peer_addr}",
		"on the peer: net.ipv4.tcp_mtu_probing=1 as a safety net",
	};

	return probe_list(view, lines, ARRAY_SIZE(lines));
}

static void describe(struct finding *f, const struct view *view, const struct mtu_result *result)
{
	static const char *const next[] = { "ip route get {peer_addr}", "tcptriage states -im dst {peer_addr}", "ip -d link", NULL };

	f->title = is_exact(&result->reverse) ? "Path-MTU black hole on the way back: packets over {path_mtu_back} from {peer} do not arrive" :
						"Path-MTU black hole on the way back: large packets from {peer} do not arrive";
	f->detail = guess(result, result->reverse.largest_mss + addr_tcp_headers(result->address.family)) ?
			    "with an MSS of {largest_mss} the answer comes ({received}), with {smallest_dead} it does not · {connections|connection} · likely {likely}" :
			    "with an MSS of {largest_mss} the answer comes ({received}), with {smallest_dead} it does not · {connections|connection} · {likely}";
	f->next = next;
	f->fixes = fixes(view, result);
}

static void file_hole(const struct view *view, struct sink *sink, const struct mtu_result *result)
{
	const struct reverse_path *reverse = &result->reverse;
	bool enough = (double)reverse->received >= view->values[RECEIVED];
	struct probed probed = probed_of_mtu(result);
	const struct probe_doubt doubts[] = {
		{ !is_exact(reverse), CONFIDENCE_BRACKET, "the exact size was not looked for: an MSS between {largest_mss} and {smallest_dead} may work as well" },
		{ !enough, 0.7, "only {received} came with the small MSS: a service that answers now and then looks the same" },
	};
	struct finding *f = sink_finding(sink, enough ? SEVERITY_CRITICAL : SEVERITY_WARNING, probe_confidence(CONFIDENCE, doubts, ARRAY_SIZE(doubts)));

	finding_probed(f, view, &probed);
	add_evidence(f, result);
	describe(f, view, result);
	finding_doubts(f, doubts, ARRAY_SIZE(doubts));
	finding_threshold(f, sink, RECEIVED);
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct mtu_result *result = view->probes->mtu;

	if (!result)
		return;
	if (RULE_MAIN(PROBES_MTU_BLACKHOLE_RECV, is_hole(&result->reverse)))
		file_hole(view, sink, result);
	else if (result->reverse.finding == REVERSE_UNKNOWN)
		sink_skip_part(sink, "the way back: the service did not send enough with either MSS");
	else if (result->reverse.finding == REVERSE_NOT_MADE)
		sink_skip_part(sink, "the way back: needs a service that sends 4 kB (PORT and --tcp-payload)");
}

const struct rule_signal probes_mtu_blackhole_recv = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"mtu-probe asks the service the same thing twice: once with the MSS that the interface allows, once with a small one. The MSS that a host advertises bounds the packets that its peer sends, so nothing else differs. When "
		"the answer of 4 kB or more comes with the small one only, several times, the way back drops large packets: neither a slow service nor loss looks so. The largest MSS that works is what to advertise.",
	.repro = "tcptriage mtu-probe --tcp-payload http to a server whose answers cross a link of MTU 1400 that drops the ICMP messages",
};
