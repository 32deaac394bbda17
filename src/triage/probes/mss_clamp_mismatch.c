/* SPDX-License-Identifier: MIT */
/* mss-clamp-mismatch from probes: the MSS that the service's SYN-ACK told, against the path that the probes found. */
#include "../probes.h"

enum limit {
	ABOVE,
	SMALL_V4,
	SMALL_V6,
};

static const struct threshold thresholds[] = {
	[ABOVE] = { "above_path", UNIT_BYTES, 1, "a segment that is one byte too large for the path vanishes like any other" },
	[SMALL_V4] = { "probed_small_v4", UNIT_BYTES, 536, "what is taken for granted where no MSS is told; less makes tiny packets of all data" },
	[SMALL_V6] = { "probed_small_v6", UNIT_BYTES, 1220, "what is taken for granted where no MSS is told: every IPv6 path carries it" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.95
/* tcpi_snd_mss leaves room for the timestamp option, and whether it is used is not known. */

static bool has_witness(const struct mtu_result *result)
{
	return result->tcp.made && result->tcp.connected && result->tcp.snd_mss;
}

static uint32_t fitting(const struct mtu_result *result)
{
	return probe_fitting_mss(&result->address, result->path.path_mtu);
}

static bool is_above(const struct view *view, const struct mtu_result *result)
{
	return result->path.finding == MTU_BLACK_HOLE_FOUND && result->path.bound == BOUND_EXACT && fitting(result) &&
	       result->tcp.snd_mss >= fitting(result) + view->values[ABOVE];
}

static enum limit small_limit(const struct mtu_result *result)
{
	return result->address.family == ADDR_V4 ? SMALL_V4 : SMALL_V6;
}

/* What this host itself believes of the path is not the peer's doing. */
static bool is_small(const struct view *view, const struct mtu_result *result)
{
	double mss = (double)result->tcp.snd_mss + TCP_TIMESTAMP_BYTES;

	return mss < view->values[small_limit(result)] && !result->tcp.begins_small && result->tcp.pmtu > mss + addr_tcp_headers(result->address.family);
}

static struct finding *start(const struct view *view, struct sink *sink, enum severity severity, double confidence, const struct mtu_result *result)
{
	static const char *const next[] = { "tcptriage capture -i any --duration 30 'host {peer_addr} and tcp'", "ip route get {peer_addr}", "ip -d link", NULL };
	struct finding *f = sink_finding(sink, severity, confidence);
	struct probed probed = probed_of_mtu(result);

	finding_probed(f, view, &probed);
	finding_add(f, "snd_mss", result->tcp.snd_mss, UNIT_BYTES, "tcpi_snd_mss");
	finding_add(f, "advmss", result->tcp.advmss, UNIT_BYTES, "tcpi_advmss");
	finding_add(f, "path_mtu", result->path.path_mtu, UNIT_BYTES, "probes");
	finding_add(f, "mss_fits", fitting(result), UNIT_BYTES, "rule");
	f->next = next;
	return f;
}

static void file_above(const struct view *view, struct sink *sink, const struct mtu_result *result)
{
	const struct probe_doubt doubts[] = {
		{ result->path.lossy || result->path.partial, 0.7, "the size of the path rests on probes some of which were lost, or on too few" },
	};
	struct finding *f = start(view, sink, SEVERITY_WARNING, probe_confidence(CONFIDENCE, doubts, ARRAY_SIZE(doubts)), result);

	f->title = "Nobody limits the MSS towards {peer}: segments of {snd_mss} are agreed, the path carries {mss_fits} at most";
	f->detail = "packets over {path_mtu} do not get through, and the sender does not learn it: a smaller MSS would keep it from trying";
	finding_doubts(f, doubts, ARRAY_SIZE(doubts));
	finding_threshold(f, sink, ABOVE);
}

static void file_small(const struct view *view, struct sink *sink, const struct mtu_result *result)
{
	struct finding *f = start(view, sink, SEVERITY_INFO, probe_confidence(CONFIDENCE, NULL, 0), result);

	finding_add(f, "default_mss", view->values[small_limit(result)], UNIT_BYTES, "RFC 9293");
	f->title = "{peer} asks for segments of no more than {snd_mss}, less than every path carries";
	f->detail = "{default_mss} fit everywhere · a clamp that was set too low, or a peer that wants it so";
	finding_against(f, "a device with little memory may ask for it on purpose");
	finding_threshold(f, sink, small_limit(result));
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct mtu_result *result = view->probes->mtu;

	if (!result)
		return;
	if (!has_witness(result)) {
		sink_skip_part(sink, "the MSS: no connection to the service was made");
		return;
	}
	if (RULE_MAIN(PROBES_MSS_CLAMP_MISMATCH, is_above(view, result)))
		file_above(view, sink, result);
	else if (RULE_MAIN(PROBES_MSS_CLAMP_MISMATCH, is_small(view, result)))
		file_small(view, sink, result);
}

const struct rule_signal probes_mss_clamp_mismatch = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"Where a port is known, mtu-probe makes one connection to it and reads the segment size that both sides agreed on. A size that does not fit the path, while packets so large are seen to vanish, is a clamp that is missing: a "
		"warning beside the black hole. A size below what every path carries is info. What lies between may well be a clamp, which is as it should be.",
	.repro = "tcptriage mtu-probe HOST:PORT through a router whose egress has MTU 1400, drops the ICMP messages it makes and does not clamp the MSS",
};
