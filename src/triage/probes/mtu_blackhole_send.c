/* SPDX-License-Identifier: MIT */
/* mtu-blackhole-send from probes: large packets vanish on the way, small ones are answered, and which hop does it. */
#include "../mtu_table.h"
#include "../probes.h"

enum limit {
	CONTROLS,
	TRIES,
};

static const struct threshold thresholds[] = {
	[CONTROLS] = { "controls_answered", UNIT_PERCENT, 80, "when more than one small probe in five is lost as well, chance may have taken the large ones" },
	[TRIES] = { "size_tries", UNIT_COUNT, 2, "of the smallest size that vanishes, while small probes were answered: one may be chance" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.99
#define IPV6_LEAST 1280
/* A virtual link that leaves room for a VLAN tag takes so much more than its MTU says, and drops the rest without a word. */
#define VLAN_SLACK 4

/**
 * struct hole - what the search found. @passed: largest size that is known to pass. @tries: of the smallest size that vanished. @controls: share of small probes that were answered, percent. @told: a message
 * that was not true, NULL none. @tcp_only: as large packets of another protocol arrive. @by_others: the hop was found by another protocol. @layer2: why it is not a router's doing, NULL unknown.
 */
struct hole {
	const struct mtu_result *result;
	const struct mtu_path *path;
	struct probed probed;
	const struct path_told *told;
	const char *where, *layer2;
	uint32_t passed, link_mtu, fitting_mss;
	unsigned tries;
	double controls;
	bool exact, proven, tcp_only, by_others;
};

static unsigned tries_of(const struct mtu_path *path, uint32_t size)
{
	for (size_t i = 0; i < MIN(path->size_count, PATH_SIZES_MAX); i++) {
		if (path->sizes[i].size == size)
			return path->sizes[i].tries;
	}
	return 0;
}

/* An upper bound was not seen to pass itself. */
static uint32_t passed_of(const struct mtu_path *path)
{
	uint32_t passed = path->bound == BOUND_UPPER ? 0 : path->path_mtu;

	for (size_t i = 0; i < MIN(path->size_count, PATH_SIZES_MAX); i++) {
		if (path->sizes[i].fate == SIZE_PASSED && path->sizes[i].size < path->smallest_lost)
			passed = MAX(passed, path->sizes[i].size);
	}
	return passed;
}

static const struct path_told *false_word(const struct mtu_path *path)
{
	for (size_t i = 0; i < MIN(path->told_count, PATH_TOLD_MAX); i++) {
		if (path->told[i].kind != TOLD_CONFIRMED && path->told[i].kind != TOLD_SURPASSED && path->told[i].kind != TOLD_HIDDEN)
			return &path->told[i];
	}
	return NULL;
}

/* A router that says only that a packet is too big lets senders guess: no black hole for those that do. */
static bool leaves_guessing(const struct hole *h)
{
	return h->told && h->told->kind == TOLD_NO_MTU;
}

static const char *where_text(const struct view *view, const struct mtu_path *path)
{
	const char *hop;

	if (path->place == SHRINK_HERE || (path->place == SHRINK_AT && !path->shrink_ttl))
		return " before the first router";
	hop = probe_hop_text(view, path->shrink_ttl, &path->shrink_address);
	if (path->place == SHRINK_AT)
		return arena_printf(view->arena, " behind %s", hop);
	if (path->place != SHRINK_BETWEEN)
		return "";
	if (path->shrink_before <= path->shrink_ttl)
		return path->shrink_ttl ? arena_printf(view->arena, " somewhere behind %s", hop) : "";
	if (!path->shrink_ttl)
		return arena_printf(view->arena, " before hop %u", path->shrink_before);
	return arena_printf(view->arena, " between %s and hop %u", hop, path->shrink_before);
}

/* Both ends of the segment behind the hop answer from one network: what drops between them is no router. */
static bool in_one_network(const struct mtu_path *path)
{
	const struct path_hop *next;

	if (path->place != SHRINK_AT || !path->shrink_ttl || addr_is_any(&path->shrink_address))
		return false;
	next = probe_hop(path->hops, path->hop_count, path->shrink_ttl + 1u);
	return next && !addr_equal(&next->address, &path->shrink_address) &&
	       addr_in_prefix(&next->address, &path->shrink_address, next->address.family == ADDR_V4 ? 24 : 64);
}

static const char *layer2_sign(const struct hole *h)
{
	uint32_t size = h->passed;

	if (h->tcp_only)
		return NULL;
	if (h->path->place == SHRINK_HERE)
		return "not even the first router sees large packets: it is this host's own link, or the segment behind it";
	if (in_one_network(h->path))
		return "the hops on both sides answer from one network: a device between them drops the packets, no router";
	if (h->exact && size > VLAN_SLACK && !mtu_likely(h->link_mtu, size) && mtu_likely(h->link_mtu, size - VLAN_SLACK))
		return "the size is a known one and 4 bytes: a switch or virtual link with room for a VLAN tag drops what is larger, no router";
	return NULL;
}

static struct hole hole_of(const struct view *view, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;
	struct hole h = { .result = result, .path = path, .probed = probed_of_mtu(result) };

	h.link_mtu = probe_link_mtu(result);
	h.passed = passed_of(path);
	h.exact = path->bound == BOUND_EXACT && path->smallest_lost == h.passed + 1;
	h.tries = tries_of(path, path->silent ? path->silent : path->smallest_lost);
	h.controls = path->controls_sent ? 100.0 * (path->controls_sent - MIN(path->controls_lost, path->controls_sent)) / path->controls_sent : 0;
	h.told = false_word(path);
	h.fitting_mss = probe_fitting_mss(&result->address, h.passed);
	h.tcp_only = mtu_path_others_pass(path);
	h.by_others = path->method == PROBE_TCP && path->place != SHRINK_UNKNOWN;
	h.where = where_text(view, path);
	h.layer2 = layer2_sign(&h);
	h.proven = h.exact && !path->lossy && !path->partial && h.controls >= view->values[CONTROLS] && h.tries >= view->values[TRIES] && !leaves_guessing(&h);
	return h;
}

static const char *told_text(uint8_t kind)
{
	static const char *const words[TOLD_KIND_COUNT] = {
		[TOLD_CONFIRMED] = "confirmed",
		[TOLD_WRONG] = "not what passes",
		[TOLD_SURPASSED] = "less than the whole truth",
		[TOLD_NO_MTU] = "no size at all",
		[TOLD_HIDDEN] = "a size that this kernel hides",
		[TOLD_BOGUS] = "no less than the packet that it speaks of",
		[TOLD_TOO_SMALL] = "less than the protocol allows",
		[TOLD_UNTRIED] = "a size that was not tried any more",
	};

	return kind < TOLD_KIND_COUNT ? words[kind] : "unknown";
}

static void add_told(struct finding *f, const struct view *view, const struct path_told *told)
{
	bool own = addr_is_any(&told->from);

	finding_add_text(f, "reporter", own ? "this host's memory of the path" : view_addr_text(view, &told->from), own ? "kernel" : "ICMP source");
	finding_add(f, "told_mtu", told->mtu, UNIT_BYTES, "ICMP");
	finding_add_text(f, "told_is", told_text(told->kind), "probes");
	finding_add(f, "messages", told->count, UNIT_COUNT, "ICMP");
}

static const char *likely(const struct hole *h)
{
	const char *what = h->exact ? mtu_likely(h->link_mtu, h->passed) : NULL;

	if (h->tcp_only)
		return "a filter or a middlebox that treats TCP apart, no link";
	if (h->layer2)
		return h->layer2;
	if (!h->exact)
		return "the exact size is not known";
	return what ? what : "no common tunnel or link has such a size";
}

static void add_evidence(struct finding *f, const struct view *view, const struct hole *h)
{
	const struct mtu_path *path = h->path;

	finding_add(f, "path_mtu", h->passed, UNIT_BYTES, "probes");
	finding_add(f, "smallest_lost", path->smallest_lost, UNIT_BYTES, "probes");
	if (path->silent)
		finding_add(f, "silent_size", path->silent, UNIT_BYTES, "probes");
	finding_add(f, "fits_at_most", path->smallest_lost - 1, UNIT_BYTES, "probes");
	finding_add(f, "mss_fits", h->fitting_mss, UNIT_BYTES, "rule");
	finding_add_text(f, "likely", likely(h), "rule");
	finding_add_text(f, "method", probe_method_label(path->method), "probes");
	if (h->tcp_only || h->by_others)
		finding_add_text(f, "hop_method", probe_method_label(path->hop_method), "probes with a hop limit");
	finding_add(f, "probes", path->probes_sent, UNIT_COUNT, "probes");
	finding_add(f, "tries", h->tries, UNIT_COUNT, "probes");
	finding_add(f, "controls", path->controls_sent, UNIT_COUNT, "probes");
	finding_add(f, "controls_lost", path->controls_lost, UNIT_COUNT, "probes");
	if (path->shrink_ttl && (path->place == SHRINK_AT || path->place == SHRINK_BETWEEN)) {
		finding_add(f, "hop", path->shrink_ttl, UNIT_NONE, "probes with a hop limit");
		if (!addr_is_any(&path->shrink_address))
			finding_add_text(f, "hop_address", view_addr_text(view, &path->shrink_address), "ICMP source");
	}
	if (h->told)
		add_told(f, view, h->told);
	if (h->result->live.sockets)
		finding_add(f, "live_sockets", h->result->live.sockets, UNIT_SOCKETS, "sock_diag");
	if (h->result->live.with_info)
		finding_add(f, "live_mss_max", h->result->live.mss_max, UNIT_BYTES, "tcpi_snd_mss");
}

static const char *const tcp_causes[] = {
	"a firewall, load balancer or IPS on the way that drops large TCP segments, or does not put them together again",
	"a box that ends or rewrites TCP (a proxy, a VPN client, segmentation offload gone wrong) and has a smaller MTU behind it",
	"TCP takes another way than other packets (policy routes, balancing by port), and that way is narrower",
	NULL,
};

static const char *const layer2_causes[] = {
	"a switch, bridge or virtual link with a smaller MTU than the interfaces at both its ends: no router is there to tell",
	"jumbo frames on one side of a switch only",
	"a VLAN tag or another label for which the segment leaves no room",
	NULL,
};

static const char *const told_causes[] = {
	"a second, narrower link behind the router that tells, and that one tells nothing",
	"a router or firewall that names the MTU of another interface",
	"a tunnel whose entry does not count all the headers that it adds",
	NULL,
};

static const char *allow_icmp(const struct hole *h)
{
	return h->probed.address->family == ADDR_V4 ?
		       "let ICMP type 3 code 4 pass everywhere on the way back: 'icmp type destination-unreachable icmp code frag-needed accept' before the nftables rule that drops it, in the output chain of the router that makes it and the forward chains of others" :
		       "let ICMPv6 type 2 pass everywhere on the way back: 'icmpv6 type packet-too-big accept' before the nftables rule that drops it, in the output chain of the router that makes it and the forward chains of others";
}

static const char *const *tcp_fixes(const struct view *view, const struct hole *h)
{
	const char *const lines[] = {
		"find the box on the way that treats TCP apart, and mend its limit or its filter",
		h->fitting_mss ? arena_printf(view->arena, "or keep this host's segments below it: %s", probe_route_command(view, &h->probed, "mtu", h->passed)) : NULL,
		"net.ipv4.tcp_mtu_probing=1 as a safety net, for IPv4 and IPv6: sysctl -w net.ipv4.tcp_mtu_probing=1",
	};

	return probe_list(view, lines, ARRAY_SIZE(lines));
}

static const char *const *fixes(const struct view *view, const struct hole *h)
{
	const char *route = arena_printf(view->arena, "or keep this host from sending more: %s", probe_route_command(view, &h->probed, "mtu", h->passed));
	const char *const lines[] = {
		h->layer2 ? "give the segment one MTU: its switch or bridge ports, and the interfaces at both ends (ip link set dev IFACE mtu SIZE)" : allow_icmp(h),
		arena_printf(view->arena, "limit the MSS on the router before the narrow link: %s", probe_clamp_text(view, h->probed.address, h->fitting_mss)),
		route,
		"net.ipv4.tcp_mtu_probing=1 as a safety net, for IPv4 and IPv6: sysctl -w net.ipv4.tcp_mtu_probing=1",
	};

	return probe_list(view, lines, ARRAY_SIZE(lines));
}

/* The service itself can be asked: it has not been, and nothing says that it does not answer. */
static bool can_ask_tcp(const struct hole *h)
{
	return h->path->method != PROBE_TCP && h->result->first != PROBE_TCP && (!h->result->tcp.made || h->result->tcp.connected);
}

static const char *const *next(const struct view *view, const struct hole *h)
{
	const char *const lines[] = {
		can_ask_tcp(h) ? probe_tcp_command(view, &h->probed) : NULL,
		"tcptriage states -i dst {peer_addr}",
		"ip route get {peer_addr}",
		h->path->place == SHRINK_HERE ? "ip -d link" : "nstat -az IcmpMsgInType3 Icmp6InPktTooBigs TcpExtOutOfWindowIcmps",
	};

	return probe_list(view, lines, ARRAY_SIZE(lines));
}

/* Other packets of that size arrive: nothing on the way is narrow. */
static void describe_tcp_only(struct finding *f, const struct view *view, const struct hole *h, const char *size)
{
	f->title = arena_printf(view->arena, "TCP to {peer_addr} loses packets %s, while {hop_method} packets of {smallest_lost} arrive: a filter on the way, no narrow link", size);
	f->causes = tcp_causes;
	f->fixes = tcp_fixes(view, h);
}

static void describe(struct finding *f, const struct view *view, const struct hole *h)
{
	const char *size = h->path->silent ? "of {silent_size}" : h->exact ? "over {path_mtu}" : "of {smallest_lost}", *told = "nobody says so";
	bool known = h->result->route.has & ROUTE_HAS_LINK, guessed = !h->tcp_only && !h->layer2 && h->exact && mtu_likely(h->link_mtu, h->passed);

	if (h->told)
		told = "{reporter} says {told_mtu}, {told_is}";
	if (h->path->silent)
		told = "and {silent_size} vanish before anybody says so";
	f->title = arena_printf(view->arena, "Path-MTU black hole: packets %s to {peer_addr} vanish%s", size, h->where);
	f->detail = arena_printf(view->arena, "{path_mtu} pass, {smallest_lost} do not, %s · %s{likely} · MSS that fits: {mss_fits} · {probes|probe} by {method}", told,
				 !known ? "" : guessed ? "the interface takes {interface_mtu}; likely " : "the interface takes {interface_mtu}: ");
	f->causes = h->layer2 ? layer2_causes : h->told ? told_causes : f->causes;
	f->fixes = fixes(view, h);
	f->next = next(view, h);
	if (h->tcp_only)
		describe_tcp_only(f, view, h, size);
}

static size_t doubts_of(const struct view *view, const struct hole *h, struct probe_doubt doubts[FINDING_LINES_MAX])
{
	bool left_open = h->result->first == PROBE_TCP && h->result->first_finding == MTU_UNDECIDED;
	const struct mtu_path *path = h->path;
	const struct probe_doubt rows[] = {
		{ path->method != PROBE_TCP, left_open ? 0.9 : 0.96,
		  left_open ? "the probes were {method}, not TCP, which could not try what the host does not allow: a filter that drops large ones of that kind alone looks the same" :
			      "the probes were {method}, not TCP: a filter that drops large ones of that kind alone looks the same" },
		{ h->tcp_only, 0.85, "{hop_method} packets of {smallest_lost} arrive at the host: only large TCP segments are hindered, and where is not known" },
		{ h->by_others && !h->tcp_only, 0.97, "the place was found by {hop_method}: packets of TCP may go another way" },
		{ !h->exact, 0.9, "the exact size was not found: something between {path_mtu} and {fits_at_most} still passes" },
		{ leaves_guessing(h), 0.85, "{reporter} says that packets are too big, but not for what: senders that then guess a smaller size get through (Linux does)" },
		{ h->tries < view->values[TRIES], 0.8, "{smallest_lost} was tried too seldom ({tries|time}) to rule out chance" },
		{ path->partial, 0.8, "the probe was ended before it was done" },
		{ path->lossy || h->controls < view->values[CONTROLS], 0.65, "{controls_lost} of {controls|small probe} were lost as well: loss, not size, may have taken the large ones" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		doubts[i] = rows[i];
	return ARRAY_SIZE(rows);
}

static void file_hole(const struct view *view, struct sink *sink, const struct mtu_result *result)
{
	struct hole h = hole_of(view, result);
	struct probe_doubt doubts[FINDING_LINES_MAX];
	size_t count = doubts_of(view, &h, doubts);
	struct finding *f = sink_finding(sink, h.proven ? SEVERITY_CRITICAL : SEVERITY_WARNING, probe_confidence(CONFIDENCE, doubts, count));

	finding_probed(f, view, &h.probed);
	add_evidence(f, view, &h);
	describe(f, view, &h);
	finding_doubts(f, doubts, count);
	if (result->address.family == ADDR_V6 && h.exact && h.passed < IPV6_LEAST)
		finding_against(f, "IPv6 demands that every link carries 1280: no size of the sender's mends this, only the link itself");
	finding_threshold(f, sink, h.controls < view->values[CONTROLS] ? CONTROLS : TRIES);
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct mtu_result *result = view->probes->mtu;

	if (!result)
		return;
	if (RULE_MAIN(PROBES_MTU_BLACKHOLE_SEND, result->path.finding == MTU_BLACK_HOLE_FOUND && passed_of(&result->path) && result->path.smallest_lost > passed_of(&result->path)))
		file_hole(view, sink, result);
	else if (result->path.finding == MTU_HOST_DEAF)
		sink_skip_part(sink, "the host answers no probe of this kind: what the path carries is not known");
	else if (result->path.finding == MTU_UNDECIDED)
		sink_skip_part(sink, result->path.echo_unanswered ? "large echoes are not answered, and whether they arrive is not known: what the path carries is known in part only" :
								   "the search ended without a verdict: what the path carries is known in part only");
}

const struct rule_signal probes_mtu_blackhole_send = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"mtu-probe sends packets of many sizes that no router may cut (DF), with small ones in between. The largest that is answered and the smallest that is not, while small probes of the same round are, give the size to the byte; a "
		"message about size is believed only when what it says is seen to pass and one byte more to fail. Small and large probes with a growing hop limit then tell the place: the last router that still answers the large "
		"one is the router whose egress, or the segment behind it, swallows it. Echo, whose answer is as large as the question, is believed only when a few datagrams, or a router that answers small packets alone, "
		"say the same. What is told of one size is no excuse when the largest vanishes without a word. Critical is what is exact and not loss; the rest is a warning. A search that ends early gives bounds.",
	.repro = "tcptriage mtu-probe through a router whose egress has MTU 1400 and which drops the ICMP messages it makes",
};
