/* SPDX-License-Identifier: MIT */
/* pmtu-shrunk: paths that carry less than the interface takes, and path-MTU discovery knows it. */
#include <stdlib.h>
#include <string.h>

#include "../mtu_table.h"
#include "../packets.h"
#include "../probes.h"

enum limit {
	BELOW,
	SMALL,
	RATE,
	EVENTS,
	INTERVALS,
	LEARNED,
};

static const struct threshold thresholds[] = {
	[BELOW] = { "below_interface", UNIT_BYTES, 1, "every byte less is a tunnel or a link that the interface does not know of" },
	[SMALL] = { "small", UNIT_BYTES, 1280, "IPv6 links carry this at least, and so does every network of today; less is ancient, or a message that somebody made up" },
	[RATE] = { "messages", UNIT_PER_MIN, 10, "each message is a packet lost and sent again; so many mean that nearly every new connection pays" },
	[EVENTS] = { "messages_seen", UNIT_COUNT, 5, "fewer are one connection finding its size" },
	[INTERVALS] = { "intervals", UNIT_COUNT, 2, "one burst is one destination being learned, which is as it should be" },
	[LEARNED] = { "destinations_learned", UNIT_COUNT, 2, "learned while we watched: ICMPv4 counts every unreachable together, this tells the messages about size" },
	{ NULL, UNIT_NONE, 0, NULL },
};

/* Of the routes that a run may ask for, this many are left to us. */
#define ROUTES_ASKED 32
/* So many destinations of one local address with one path MTU and no exception: that is how its routes are. */
#define PLAIN_TIMES 3
#define CONFIDENCE 0.95
#define CONFIDENCE_STORM 0.9
#define CONFIDENCE_STORM_V4 0.7

/** struct path - a destination that was asked about. @route: NULL unknown. @sockets: to it. */
struct path {
	const struct tuple_group *group;
	const struct route *route;
	uint64_t sockets;
};

/** struct plain - a path MTU that is as it should be for what leaves from @local, after PLAIN_TIMES. */
struct plain {
	const struct addr *local;
	uint32_t mtu;
	unsigned times;
};

/** struct survey - what is known of the paths. @unasked: groups past the bound, @unknown: destinations whose route could not be read. */
struct survey {
	struct path path[ROUTES_ASKED];
	struct plain plain[3 * ROUTES_ASKED];
	size_t paths, plains;
	uint64_t unasked, unknown;
};

/** struct storm - messages that say "too big", over the window. */
struct storm {
	uint64_t events;
	unsigned intervals;
	double per_min;
	bool is;
};

/** struct tally - the destinations behind one interface that take no more than one size. @learned: of them while we watched. */
struct tally {
	const struct path *at;
	size_t count;
	uint64_t sockets, learned;
	uint32_t expires_ms;
	struct storm storm;
};

static bool concerns(const struct tuple_group *group)
{
	return group->total && group->pmtu_min != UINT32_MAX && !addr_is_loopback(&group->peer) &&
	       !addr_equal(&group->local, &group->peer);
}

/* The narrowest first: when not all can be asked about, those are. */
static int by_size(const void *left, const void *right)
{
	const struct tuple_group *a = *(const struct tuple_group *const *)left;
	const struct tuple_group *b = *(const struct tuple_group *const *)right;
	int order = addr_compare(&a->peer, &b->peer);

	if (a->pmtu_min != b->pmtu_min)
		return a->pmtu_min < b->pmtu_min ? -1 : 1;
	return order ? order : a->peer_port - b->peer_port;
}

static struct path *find_path(struct survey *s, const struct addr *peer)
{
	for (size_t i = 0; i < s->paths; i++) {
		if (addr_equal(&s->path[i].group->peer, peer))
			return &s->path[i];
	}
	return NULL;
}

static void note_plain(struct survey *s, const struct addr *local, uint32_t mtu, unsigned times)
{
	for (size_t i = 0; i < s->plains; i++) {
		struct plain *known = &s->plain[i];

		if (known->mtu == mtu && addr_equal(known->local, local)) {
			known->times += times;
			return;
		}
	}
	s->plain[s->plains++] = (struct plain){ local, mtu, times };
}

static bool is_plain(const struct survey *s, const struct tuple_group *group)
{
	for (size_t i = 0; i < s->plains; i++) {
		const struct plain *known = &s->plain[i];

		if (known->mtu == group->pmtu_min && known->times >= PLAIN_TIMES &&
		    addr_equal(known->local, &group->local))
			return true;
	}
	return false;
}

static bool is_shrunk(const struct route *route)
{
	const uint32_t all = ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES | ROUTE_HAS_LINK;

	return route && !route->error && !route->is_local && (route->has & all) == all &&
	       route->mtu < route->link_mtu;
}

/* What a destination without an exception tells of the others. An idle socket may still believe in an exception that has expired. */
static void learn(struct survey *s, const struct path *path)
{
	const struct route *route = path->route;
	const struct addr *local = &path->group->local;

	if (route->has & ROUTE_HAS_LINK)
		note_plain(s, local, route->link_mtu, PLAIN_TIMES);
	if (is_shrunk(route))
		return;
	if (route->has & ROUTE_HAS_MTU)
		note_plain(s, local, route->mtu, PLAIN_TIMES);
	note_plain(s, local, path->group->pmtu_min, 1);
}

static void look_at(const struct view *view, struct survey *s, const struct tuple_group *group)
{
	struct path *path = find_path(s, &group->peer);

	if (path) {
		path->sockets += group->total;
		return;
	}
	if (is_plain(s, group))
		return;
	if (s->paths == ROUTES_ASKED) {
		s->unasked++;
		return;
	}
	path = &s->path[s->paths++];
	*path = (struct path){ group, view->route_of(view, &group->peer), group->total };
	if (path->route)
		learn(s, path);
	else
		s->unknown++;
}

static struct survey *survey_of(const struct view *view)
{
	struct survey *s = arena_alloc(view->arena, sizeof(*s));
	const struct tuple_group *group, **all;
	size_t count = 0;

	*s = (struct survey){ .paths = 0 };
	for (size_t i = 0; (group = snapshot_group(view->snap, i)); i++)
		count += concerns(group);
	all = arena_alloc(view->arena, (count + 1) * sizeof(*all));
	count = 0;
	for (size_t i = 0; (group = snapshot_group(view->snap, i)); i++) {
		if (concerns(group))
			all[count++] = group;
	}
	qsort(all, count, sizeof(*all), by_size);
	for (size_t i = 0; i < count; i++)
		look_at(view, s, all[i]);
	return s;
}

/* Behind one interface, one family, one size; then by destination. */
static int by_kind(const struct path *a, const struct path *b)
{
	int order = strcmp(a->route->device, b->route->device);

	if (order)
		return order;
	if (a->group->peer.family != b->group->peer.family)
		return a->group->peer.family < b->group->peer.family ? -1 : 1;
	return a->route->mtu < b->route->mtu ? -1 : a->route->mtu > b->route->mtu;
}

static int by_kind_and_peer(const void *left, const void *right)
{
	const struct path *a = left, *b = right;
	int order = by_kind(a, b);

	return order ? order : addr_compare(&a->group->peer, &b->group->peer);
}

static struct storm storm_of(const struct view *view, uint8_t family)
{
	enum counter_id id = family == ADDR_V6 ? COUNTER_ICMP6_IN_PKT_TOO_BIGS : COUNTER_ICMP_IN_TYPE3;
	struct storm storm = { .intervals = view_steps(view, id) };
	double minutes = view_window_s(view) / 60;

	if (!view_delta(view, id, &storm.events) || minutes <= 0)
		return storm;
	storm.per_min = (double)storm.events / minutes;
	storm.is = storm.per_min >= view->values[RATE] &&
		   (double)storm.events >= view->values[EVENTS] &&
		   storm.intervals >= view->values[INTERVALS];
	return storm;
}

static struct tally tally_of(const struct view *view, const struct path *at, size_t count)
{
	struct tally t = { .at = at, .count = count };

	t.storm = storm_of(view, at->group->peer.family);
	for (size_t i = 0; i < count; i++) {
		t.sockets += at[i].sockets;
		t.learned += view_exception_is_new(view, at[i].route);
		t.expires_ms = MAX(t.expires_ms, at[i].route->expires_ms);
	}
	if (at->group->peer.family == ADDR_V4)
		t.storm.is = t.storm.is && (double)t.learned >= view->values[LEARNED];
	return t;
}

static enum severity judge(const struct view *view, const struct tally *t, enum limit *limit)
{
	if (t->at->route->mtu < view->values[SMALL])
		*limit = SMALL;
	else if (t->storm.is)
		*limit = RATE;
	else
		*limit = BELOW;
	return *limit == BELOW ? SEVERITY_INFO : SEVERITY_WARNING;
}

static void set_scope(struct finding *f, const struct view *view, const struct tally *t)
{
	struct endpoint peer = { .addr = t->at->group->peer };
	struct addr network = addr_prefix(&peer.addr);

	f->scope.interface = arena_strdup(view->arena, t->at->route->device);
	if (t->count > 1) {
		f->scope.peer_bits = peer.addr.family == ADDR_V4 ? 24 : 64;
		peer.addr = network;
	}
	for (size_t i = 1; i < t->count; i++) {
		if (!addr_in_prefix(&t->at[i].group->peer, &network, f->scope.peer_bits)) {
			f->scope.peer_bits = 0;
			return;
		}
	}
	finding_peer(f, &peer);
}

static void add_evidence(struct finding *f, const struct view *view, const struct tally *t)
{
	const struct route *route = t->at->route;
	const struct addr *example = &t->at->group->peer;
	const char *likely = mtu_likely(route->link_mtu, route->mtu);

	finding_add(f, "pmtu", route->mtu, UNIT_BYTES, "rtnetlink");
	finding_add(f, "interface_mtu", route->link_mtu, UNIT_BYTES, "rtnetlink");
	finding_add(f, "overhead", route->link_mtu - route->mtu, UNIT_BYTES, "rtnetlink");
	finding_add_text(f, "likely", likely ? likely : "no common tunnel or link has this difference", "rule");
	finding_add(f, "expires", t->expires_ms, UNIT_MS, "rtnetlink");
	finding_add(f, "destinations", (double)t->count, UNIT_COUNT, "rtnetlink");
	finding_add(f, "sockets", (double)t->sockets, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "learned", (double)t->learned, UNIT_COUNT, "rtnetlink");
	finding_add(f, "mtu_locked", route->mtu_locked, UNIT_FLAG, "rtnetlink");
	finding_add_text(f, "example", view_addr_text(view, example), "sock_diag");
	finding_add_text(f, "route", view_route_text(view, example), "rtnetlink");
	finding_address_class(f, example);
	finding_add(f, "messages_per_minute", t->storm.per_min, UNIT_PER_MIN,
		    counter_rows[example->family == ADDR_V6 ? COUNTER_ICMP6_IN_PKT_TOO_BIGS :
							      COUNTER_ICMP_IN_TYPE3].nstat);
	finding_counter(f, view, COUNTER_OUT_OF_WINDOW_ICMPS, "disbelieved_icmp");
}

static const char *const small_causes[] = {
	"a forged ICMP message that makes this host send tiny packets (RFC 5927 §7): it needs no connection, only an address",
	"a link or a tunnel in a tunnel that really is that narrow",
	NULL,
};

/* What the rule's own list ends with, without the comfort that it begins with. */
static const char *const loud_fixes[] = {
	"set the MTU of the interface or of the route to what fits (ip route … mtu), or limit the MSS on the tunnel's router",
	"against forged sizes raise net.ipv4.route.min_pmtu to what the network really has",
	NULL,
};

static void describe(struct finding *f, enum limit limit)
{
	f->title = f->scope.has_peer ? "The path to {peer} carries packets of at most {pmtu}, less than {interface} takes" :
				       "{destinations|destination} behind {interface} take packets of at most {pmtu}, less than it does";
	f->detail = "{sockets|socket}, {destinations|destination} · {interface} takes {interface_mtu}, {overhead} more: {likely} · known for another {expires}";
	if (limit != BELOW)
		f->fixes = loud_fixes;
	if (limit == SMALL) {
		f->title = f->scope.has_peer ? "The path to {peer} is said to carry no more than {pmtu}" :
					       "The paths to {destinations|destination} are said to carry no more than {pmtu}";
		f->causes = small_causes;
	}
	if (limit == RATE) {
		f->title = "Packets out of {interface} are too large again and again: {messages_per_minute} messages, the path takes {pmtu}";
		f->detail = "{sockets|socket}, {destinations|destination}, {learned} of them learned while we watched · {interface} takes {interface_mtu}, {overhead} more: {likely}";
	}
}

static void file_run(const struct view *view, struct sink *sink, const struct path *at, size_t count)
{
	struct tally t = tally_of(view, at, count);
	bool v4 = at->group->peer.family == ADDR_V4;
	enum limit limit;
	enum severity severity = judge(view, &t, &limit);
	double confidence = limit != RATE ? CONFIDENCE : v4 ? CONFIDENCE_STORM_V4 : CONFIDENCE_STORM;
	struct finding *f;

	if (!RULE_MAIN(PMTU_SHRUNK, at->route->link_mtu - at->route->mtu >= view->values[BELOW]))
		return;
	f = sink_finding(sink, severity, view_confidence(view, confidence, limit != RATE));
	f->count = t.sockets;
	set_scope(f, view, &t);
	add_evidence(f, view, &t);
	describe(f, limit);
	if (limit == RATE && v4)
		finding_against(f, "ICMPv4 counts every kind of unreachable together: some of these messages may be about something else");
	finding_threshold(f, sink, limit);
}

static void say_what_is_missing(const struct view *view, struct sink *sink, const struct survey *s)
{
	if (!view->snap->info_for_all)
		sink_skip_part(sink, "path MTUs: tcp_info was not asked for every socket");
	if (s->unknown)
		sink_skip_part(sink, "destinations whose route could not be read: what their interface takes is not known");
	if (s->unasked)
		sink_skip_part(sink, arena_printf(view->arena, "more destinations than the %u whose routes it asks for", ROUTES_ASKED));
	if (!sink->filed)
		return;
	if (!view->snap->has_counters)
		sink_skip_part(sink, "how often packets are too large: no kernel counters could be read");
	else if (view->snap->samples < 2)
		sink_skip_part(sink, "how often packets are too large: one sample shows no growth");
}

static bool lacks_info(const struct snapshot *snap)
{
	const uint64_t (*tcp)[SOCK_STATE_COUNT] = snap->counts[NETID_TCP];

	return snap->info_for_all && !snap->has_tcp_info &&
	       (tcp[ADDR_V4][SOCK_STATE_ESTAB] || tcp[ADDR_V6][SOCK_STATE_ESTAB]);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct survey *s;
	size_t kept = 0, count;

	if (lacks_info(view->snap)) {
		sink_skip(sink, "the kernel delivered no tcp_info");
		return;
	}
	s = survey_of(view);
	for (size_t i = 0; i < s->paths; i++) {
		if (is_shrunk(s->path[i].route))
			s->path[kept++] = s->path[i];
	}
	qsort(s->path, kept, sizeof(*s->path), by_kind_and_peer);
	for (size_t i = 0; i < kept; i += count) {
		for (count = 1; i + count < kept && !by_kind(&s->path[i], &s->path[i + count]);)
			count++;
		file_run(view, sink, &s->path[i], count);
	}
	say_what_is_missing(view, sink, s);
}

const struct rule rule_pmtu_shrunk = {
	.id = "pmtu-shrunk",
	.title = "The path carries less than the interface takes, and the sender knows",
	.needs = RULE_NEEDS_SOCKETS,
	.eval = eval,
	.packets = &packets_pmtu_shrunk,
	.probes = &probes_pmtu_shrunk,
	.thresholds = thresholds,
	.explain =
		"A router that cannot pass a packet on says which size fits: ICMP type 3 code 4, or ICMPv6 packet too big. The kernel keeps that size as an exception to the route, for ten minutes, and every connection to that "
		"destination uses it. That is path-MTU discovery at work. It costs one round trip and the packets of the first burst, for each destination and again when the exception expires.\n\n"
		"The difference to the interface's MTU tells what stands on the way: every tunnel puts headers of a known length before the packet. The rule looks for destinations whose sockets believe in a smaller size than "
		"other sockets from the same address, and asks the kernel for their exception. A size that is configured (an MTU on the route, an MSS limited on the way) is no exception and is not reported.\n\n"
		"It becomes a warning when the messages do not end, since then most connections pay, or when the size is below what any network of today has: such a message can be forged by anybody who knows two addresses.",
	.look_alikes = (const char *const[]){
		"a black hole: there the message does not arrive and the path MTU stays that of the interface",
		"an MSS limited by a router on the way: segments are small, the path MTU is not",
		"an MTU set on the route, or advertised by an IPv6 router: configured, it does not expire",
		"a socket that has been idle since the exception expired: it believes in it until it sends again",
		"loopback, whose 64 KiB are its own matter",
		"other ICMP unreachable messages: for IPv4 several destinations have to be learned meanwhile",
		NULL },
	.causes = (const char *const[]){
		"a tunnel, VPN or overlay on the way",
		"PPPoE or another access network with a smaller MTU",
		"jumbo frames here, and not beyond this network",
		NULL },
	.next = (const char *const[]){
		"tcptriage mtu-probe {target}",
		"ip route get {example}",
		"tcptriage states -i dst {example}",
		"ip -d link",
		"nstat -az IcmpMsgInType3 Icmp6InPktTooBigs TcpExtOutOfWindowIcmps",
		NULL },
	.fixes = (const char *const[]){
		"nothing has to be done: discovery works",
		"to spare each connection the first loss, set the MTU of the interface or of the route (ip route … mtu), or limit the MSS on the tunnel's router",
		"against forged sizes raise net.ipv4.route.min_pmtu to what the network really has",
		NULL },
	.refs = (const char *const[]){ "RFC 1191 §6.3", "RFC 8201 §4", "RFC 8201 §5.3", "RFC 5927 §7",
				       "Documentation/networking/ip-sysctl.rst (mtu_expires, min_pmtu)",
				       "net/ipv4/route.c (__ip_rt_update_pmtu)", NULL },
	.repro = "a router whose egress has MTU 1400 and may say so; send 80 kB through it: ip route get shows mtu 1400 expires 598sec",
};
