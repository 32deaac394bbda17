/* SPDX-License-Identifier: MIT */
/* pmtu-shrunk from probes: a path that carries less than the interface, and a router that says so; what this host remembers of it. */
#include "../mtu_table.h"
#include "../probes.h"

enum limit {
	BELOW,
	SMALL,
	FALSE_WORDS,
};

static const struct threshold thresholds[] = {
	[BELOW] = { "probed_below", UNIT_BYTES, 1, "every byte less than the largest size asked for is a link that is narrower" },
	[SMALL] = { "probed_small", UNIT_BYTES, 1280, "IPv6 links carry this at least, and so does every network of today" },
	[FALSE_WORDS] = { "false_messages", UNIT_COUNT, 1, "about our own probes and proven untrue: each makes senders believe what is not so" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.98

static const struct path_told *told_of(const struct mtu_path *path)
{
	if (path->told_by < 0 || (size_t)path->told_by >= MIN(path->told_count, PATH_TOLD_MAX))
		return NULL;
	return &path->told[path->told_by];
}

static bool is_false(const struct path_told *told)
{
	return told->kind == TOLD_WRONG || told->kind == TOLD_NO_MTU || told->kind == TOLD_BOGUS || told->kind == TOLD_TOO_SMALL;
}

/* Messages that were found untrue, apart from @but. @first: one of them, left alone when there is none. */
static uint64_t false_words(const struct mtu_path *path, const struct path_told *but, const struct path_told **first)
{
	uint64_t count = 0;

	for (size_t i = MIN(path->told_count, PATH_TOLD_MAX); i-- > 0;) {
		if (!is_false(&path->told[i]) || &path->told[i] == but)
			continue;
		*first = &path->told[i];
		count += path->told[i].count;
	}
	return count;
}

static const char *who(const struct view *view, const struct path_told *told)
{
	return !told || addr_is_any(&told->from) ? "this host's memory of the path" : view_addr_text(view, &told->from);
}

static bool has_exception(const struct route *route)
{
	return (route->has & (ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES)) == (ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES);
}

static bool is_locked_above(const struct mtu_result *result)
{
	return result->route.mtu_locked && result->route.has & ROUTE_HAS_MTU && result->route.mtu > result->path.path_mtu;
}

static void add_memory(struct finding *f, const struct route *route)
{
	if (route->has & ROUTE_HAS_MTU)
		finding_add(f, has_exception(route) ? "exception_mtu" : "route_mtu", route->mtu, UNIT_BYTES, "rtnetlink");
	if (has_exception(route))
		finding_add(f, "expires", route->expires_ms, UNIT_MS, "rtnetlink");
}

static struct finding *start(const struct view *view, struct sink *sink, enum severity severity, double confidence, const struct mtu_result *result)
{
	struct finding *f = sink_finding(sink, severity, confidence);
	struct probed probed = probed_of_mtu(result);

	finding_probed(f, view, &probed);
	finding_add(f, "path_mtu", result->path.path_mtu, UNIT_BYTES, "probes");
	finding_add(f, "mss_fits", probe_fitting_mss(&result->address, result->path.path_mtu), UNIT_BYTES, "rule");
	finding_add_text(f, "method", probe_method_label(result->path.method), "probes");
	finding_add(f, "probes", result->path.probes_sent, UNIT_COUNT, "probes");
	add_memory(f, &result->route);
	return f;
}

static const char *const next[] = {
	"ip route get {peer_addr}",
	"tcptriage states -i dst {peer_addr}",
	"nstat -az IcmpMsgInType3 Icmp6InPktTooBigs TcpExtOutOfWindowIcmps",
	NULL,
};

static const char *const locked_causes[] = { "somebody set the MTU of this route by hand and locked it (ip route … mtu lock)", NULL };

static const char *memory_words(const struct mtu_result *result)
{
	if (!has_exception(&result->route))
		return "this host had not learned it before";
	if (result->route.mtu == result->path.path_mtu)
		return "this host knows it for another {expires}";
	return "this host believes {exception_mtu} for another {expires}";
}

static const char *const *told_fixes(const struct view *view, const struct mtu_result *result)
{
	struct probed probed = probed_of_mtu(result);
	const char *const lines[] = {
		is_locked_above(result) ? "take the lock off: ip route replace … mtu SIZE without 'lock'" : "nothing has to be done: discovery works",
		arena_printf(view->arena, "to spare each connection the first loss: %s", probe_route_command(view, &probed, "mtu", result->path.path_mtu)),
		arena_printf(view->arena, "or limit the MSS on the router before the narrow link: %s", probe_clamp_text(view, &result->address, 0)),
	};

	return probe_list(view, lines, ARRAY_SIZE(lines));
}

/* The path is as narrow as it is; what the router says of it may be no help to senders. */
static const char *told_title(const struct view *view, const struct mtu_result *result)
{
	const struct path_told *told = told_of(&result->path);

	if (told && told->kind == TOLD_NO_MTU)
		return "The path to {peer_addr} carries packets of at most {path_mtu}; {reporter} says that larger ones are too big, but not for what";
	if (told && told->kind == TOLD_WRONG)
		return "The path to {peer_addr} carries packets of at most {path_mtu}; {reporter} says {told_mtu}";
	if (result->path.path_mtu < view->values[SMALL])
		return "The path to {peer_addr} carries no more than {path_mtu}, as {reporter} says";
	return "The path to {peer_addr} carries packets of at most {path_mtu}, and {reporter} says so";
}

static void describe_told(struct finding *f, const struct view *view, const struct mtu_result *result)
{
	bool guessed = mtu_likely(probe_link_mtu(result), result->path.path_mtu);
	const char *link = !(result->route.has & ROUTE_HAS_LINK) ? "" : guessed ? "the interface takes {interface_mtu}; likely " : "the interface takes {interface_mtu}: ";

	f->title = told_title(view, result);
	f->detail = arena_printf(view->arena, "%s{likely} · %s · MSS that fits: {mss_fits}", link, memory_words(result));
	f->fixes = told_fixes(view, result);
	f->next = next;
	if (!is_locked_above(result))
		return;
	f->title = "The path to {peer_addr} carries {path_mtu}, but the route's MTU is locked at {locked_mtu}: this host does not listen to {reporter}";
	f->causes = locked_causes;
}

static enum severity judge(const struct view *view, const struct mtu_result *result, enum limit *limit)
{
	*limit = BELOW;
	/* with IPv4 a locked MTU takes DF away as well, and routers cut what is too large */
	if (is_locked_above(result) && result->address.family == ADDR_V6)
		return SEVERITY_WARNING;
	if (result->path.path_mtu >= view->values[SMALL])
		return SEVERITY_INFO;
	*limit = SMALL;
	return SEVERITY_WARNING;
}

static void file_told(const struct view *view, struct sink *sink, const struct mtu_result *result)
{
	const struct mtu_path *path = &result->path;
	const struct path_told *told = told_of(path), *liar = NULL;
	uint64_t lies = false_words(path, told, &liar);
	const struct probe_doubt doubts[] = {
		{ path->bound != BOUND_EXACT, 0.85, "the exact size was not verified" },
		{ path->partial, 0.8, "the probe was ended before it was done" },
		{ path->lossy, 0.7, "small probes were lost as well: what was not answered need not be too large" },
		{ !told || told->kind == TOLD_UNTRIED, 0.8, "the message was not confirmed by a packet of its size that passes and one of a byte more that does not" },
		{ lies > 0, 1, "{false_messages|other message} named sizes that are not so" },
	};
	enum limit limit;
	enum severity severity = judge(view, result, &limit);
	struct finding *f = start(view, sink, severity, probe_confidence(CONFIDENCE, doubts, ARRAY_SIZE(doubts)), result);
	const char *likely = mtu_likely(probe_link_mtu(result), path->path_mtu);

	finding_add_text(f, "reporter", who(view, told), "ICMP source");
	if (told)
		finding_add(f, "told_mtu", told->mtu, UNIT_BYTES, "ICMP");
	finding_add_text(f, "likely", likely ? likely : "no common tunnel or link has such a size", "rule");
	finding_add(f, "false_messages", (double)lies, UNIT_COUNT, "ICMP");
	if (is_locked_above(result))
		finding_add(f, "locked_mtu", result->route.mtu, UNIT_BYTES, "rtnetlink");
	describe_told(f, view, result);
	finding_doubts(f, doubts, ARRAY_SIZE(doubts));
	finding_threshold(f, sink, limit);
}

static const char *const stale_causes[] = {
	"the path was narrower when the message came, before a route changed",
	"several paths of different width: the message came from another one",
	"a message that somebody made up (RFC 5927 §7)",
	NULL,
};

static const char *const stale_fixes[] = {
	"nothing has to be done: the entry expires",
	"or forget it now: ip route flush cache (IPv6: ip -6 route flush cache)",
	NULL,
};

/* What a router said once is no longer so. */
static void file_stale(const struct view *view, struct sink *sink, const struct mtu_result *result)
{
	struct finding *f = start(view, sink, SEVERITY_INFO, probe_confidence(CONFIDENCE, NULL, 0), result);

	f->title = "This host takes the path to {peer_addr} for narrower than it is: {exception_mtu}, and {path_mtu} pass";
	f->detail = "a message about size made it believe so, for another {expires} · connections send smaller packets until then, nothing breaks";
	f->causes = stale_causes;
	f->fixes = stale_fixes;
	f->next = next;
	finding_threshold(f, sink, BELOW);
}

static const char *const false_causes[] = {
	"a router older than RFC 1191, which names no size, or one that names the MTU of another interface",
	"a device on the way that makes such messages up",
	NULL,
};

static const char *const false_fixes[] = {
	"correct or replace the device at {reporter}",
	"against sizes that are made up raise net.ipv4.route.min_pmtu to what the network really has",
	NULL,
};

static void file_false(const struct view *view, struct sink *sink, const struct mtu_result *result, const struct path_told *told, uint64_t count)
{
	struct finding *f = start(view, sink, SEVERITY_INFO, probe_confidence(CONFIDENCE, NULL, 0), result);

	finding_add_text(f, "reporter", who(view, told), "ICMP source");
	finding_add(f, "told_mtu", told->mtu, UNIT_BYTES, "ICMP");
	finding_add(f, "false_messages", (double)count, UNIT_COUNT, "ICMP");
	f->title = told->kind == TOLD_NO_MTU ? "{reporter} says that packets to {peer_addr} are too big, but not for what: {path_mtu} pass" :
					       "{reporter} says that {told_mtu} is the most that goes to {peer_addr}, which is not so: {path_mtu} pass";
	f->detail = "{false_messages|message} about our own probes · senders that believe them send smaller packets than they have to";
	f->causes = false_causes;
	f->fixes = false_fixes;
	f->next = next;
	finding_threshold(f, sink, FALSE_WORDS);
}

static bool is_told(const struct view *view, const struct mtu_result *result)
{
	return result->path.finding == MTU_NARROWER_TOLD && result->path.path_mtu && probe_link_mtu(result) >= result->path.path_mtu + view->values[BELOW];
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct mtu_result *result = view->probes->mtu;
	const struct path_told *liar = NULL;
	uint64_t lies;

	if (!result)
		return;
	if (RULE_MAIN(PROBES_PMTU_SHRUNK, is_told(view, result)))
		file_told(view, sink, result);
	if (result->path.finding != MTU_FITS)
		return;
	lies = false_words(&result->path, NULL, &liar);
	if (RULE_MAIN(PROBES_PMTU_SHRUNK, has_exception(&result->route) && result->route.mtu < result->path.path_mtu))
		file_stale(view, sink, result);
	if (RULE_MAIN(PROBES_PMTU_SHRUNK, liar && (double)lies >= view->values[FALSE_WORDS]))
		file_false(view, sink, result, liar, lies);
}

const struct rule_signal probes_pmtu_shrunk = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"mtu-probe believes a packet-too-big message when it quotes one of its own probes, when a packet of the size that it names is seen to pass, and when one of a byte more is not. Then the path is narrower and discovery works: info. "
		"Below 1280, or where this host is told and does not listen because the route's MTU is locked, it warns. Messages that prove untrue are named with who sent them, and so is a path-MTU exception that this host still "
		"believes in although the path carries more.",
	.repro = "tcptriage mtu-probe through a router whose egress has MTU 1400 and may say so",
};
