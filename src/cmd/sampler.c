/* SPDX-License-Identifier: MIT */
/* Samples into snapshots. A sample asks for the listeners first, because they decide which side opened a connection. */
#include "sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcptriage/track/descriptors.h"

const char *const sampler_source_names[SOURCE_COUNT] = {
	[SOURCE_SOCK_DIAG] = "sock_diag", [SOURCE_UDP] = "udp_diag", [SOURCE_TCP_INFO] = "tcp_info",
	[SOURCE_COUNTERS] = "counters",	  [SOURCE_SYSCTLS] = "sysctls", [SOURCE_OWNERS] = "owners",
	[SOURCE_NAMESPACES] = "namespaces", [SOURCE_DESCRIPTORS] = "descriptors",
};

#define BOTH_FAMILIES 3u
#define INFO_EXT (DIAG_EXT_INFO | DIAG_EXT_SKMEMINFO | DIAG_EXT_CONG)
/* What a socket with tcp_info costs until it has been measured; 1.4 µs seen, the rest is margin for slower machines. */
#define GUESSED_COST_NS 3000
#define DUMP_RETRIES 2
#define ROUTES_MAX 1024
/* Below this part of the ports no rule speaks of a destination. */
#define OWNED_PORTS_PART 6

/**
 * struct sampler_ns - what is kept beside a namespace's snapshot.
 * @network: as source_network() told, when @has_network.
 * @whole: no dump of the sample in hand was interrupted or cut. @held: sockets of a cheap dump that some rule wants, to be asked for tcp_info one by one. @routes: answers already got. @use: descriptors of processes that belong here.
 */
struct sampler_ns {
	struct sampler *sampler;
	struct source_ns *source;
	struct snapshot *snap;
	const struct netns *description;
	struct sock *held;
	size_t held_count, held_cap;
	bool holding, whole;
	struct route *routes;
	size_t route_count;
	struct descriptor_use use;
	struct network network;
	bool has_network;
	int64_t cost_ns;
};

static bool narrows(const struct filter *filter)
{
	return filter && (filter->root || filter->states);
}

static bool selected(const struct sampler_ns *ns, const struct sock *sock)
{
	const struct sampler *sampler = ns->sampler;
	struct sock truth;
	struct filter_facts facts = { .port_lo = ns->snap->ports.lo, .port_hi = ns->snap->ports.hi };

	if (!narrows(sampler->filter))
		return true;
	if (sampler->owners)
		facts.holder_count = owner_map_find(sampler->owners, sock->inode, &facts.holders);
	if (sampler->filter->needs & FILTER_NEEDS_CGROUP)
		facts.cgroup = source_cgroup_path(sampler->session->source, sock->cgroup_id);
	return filter_judge(sampler->filter,
			    source_true_sock(sampler->session->source, sock, &truth), &facts);
}

static void hold(struct sampler_ns *ns, const struct sock *sock)
{
	if (ns->held_count == SNAPSHOT_CANDIDATES) {
		snapshot_add(ns->snap, sock);
		return;
	}
	if (ns->held_count == ns->held_cap) {
		ns->held_cap = ns->held_cap ? ns->held_cap * 2 : 64;
		ns->held = xrealloc_array(ns->held, ns->held_cap, sizeof(*ns->held));
	}
	ns->held[ns->held_count++] = *sock;
}

static int take_socket(const struct sock *sock, void *context)
{
	struct sampler_ns *ns = context;
	bool is_selected = selected(ns, sock);

	ns->snap->left_out += !is_selected;
	if (is_selected && ns->sampler->tap)
		ns->sampler->tap(ns->snap, sock, ns->sampler->tap_context);
	if (!is_selected && sock->state == SOCK_STATE_LISTEN)
		snapshot_add_role(ns->snap, sock);
	else if (!is_selected)
		return 0;
	else if (ns->holding && sock->netid == NETID_TCP && triage_want(sock, ns->snap))
		hold(ns, sock);
	else
		snapshot_add(ns->snap, sock);
	return interrupted ? -EINTR : 0;
}

/* tcp_info of the sockets that a cheap dump set aside; one that has gone meanwhile is judged by what the dump said. */
static void ask_held(struct sampler_ns *ns)
{
	_Alignas(8) uint8_t answer[SOURCE_SOCKET_BYTES];

	for (size_t i = 0; i < ns->held_count; i++) {
		struct sock sock = ns->held[i];

		if (source_socket_info(ns->source, &sock, answer, sizeof(answer)))
			sock = ns->held[i];
		snapshot_add(ns->snap, &sock);
	}
	ns->held_count = 0;
}

/* How many sockets a dump will bring, from sockstat: cheap, and right to a few. */
static uint64_t expected_sockets(const struct counters *counters)
{
	static const enum counter_id parts[] = { COUNTER_SOCKSTAT_TCP_INUSE, COUNTER_SOCKSTAT_TCP_TW,
						 COUNTER_SOCKSTAT6_TCP_INUSE };
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		sum += counters->has[parts[i]] ? counters->value[parts[i]] : 0;
	return sum;
}

static int ask(struct sampler_ns *ns, enum netid netid, uint32_t states, unsigned ext, struct err *err)
{
	struct diag_request request = { .netid = netid,
					.families = BOTH_FAMILIES,
					.states = states,
					.ext = ext };
	struct diag_result result = { .complete = true };
	int code = source_sockets(ns->source, &request, take_socket, ns, &result, err);

	ns->whole = ns->whole && result.complete;
	return code;
}

static void missing(struct sampler_ns *ns, enum sampler_source source, const char *why)
{
	struct sampler *sampler = ns->sampler;

	sampler->missing |= 1u << source;
	notices_add(&sampler->session->notices, "%s could not be read%s%s: %s",
		    sampler_source_names[source], *ns->description->name ? " in " : "",
		    ns->description->name, why);
}

static int take_tcp(struct sampler_ns *ns, uint64_t expected, struct err *err)
{
	const uint32_t listen = STATE_BIT(SOCK_STATE_LISTEN);
	/* bound-inactive too: such a socket blocks a port; kernels before 6.8 ignore the bit */
	const uint32_t rest = (STATES_ALL | STATE_BIT(SOCK_STATE_BOUND_INACTIVE)) & ~listen;
	int64_t began = clock_mono_us();
	int code;

	ns->holding = ns->sampler->max_time_us &&
		      (int64_t)expected * ns->cost_ns / 1000 > ns->sampler->max_time_us &&
		      !source_is_recorded(ns->sampler->session->source);
	code = ask(ns, NETID_TCP, listen, DIAG_EXT_SKMEMINFO, err);
	if (!code)
		code = ask(ns, NETID_TCP, rest, ns->holding ? 0 : INFO_EXT, err);
	ask_held(ns);
	if (ns->holding)
		ns->sampler->info_for_all = ns->snap->info_for_all = false;
	else if (ns->snap->total_sockets >= 1000)
		ns->cost_ns = (clock_mono_us() - began) * 1000 / (int64_t)ns->snap->total_sockets;
	return code;
}

/* A recording says the same again, and who has seen the sockets go by cannot take them back. */
static unsigned retries_of(const struct sampler *sampler)
{
	return sampler->tap || source_is_recorded(sampler->session->source) ? 0 : DUMP_RETRIES;
}

/* An interrupted dump is asked for again a few times, then kept for what it is worth. */
static int take_tcp_whole(struct sampler_ns *ns, uint64_t expected, int64_t now_us, struct err *err)
{
	unsigned retries = retries_of(ns->sampler);
	int code = 0;

	for (unsigned tries = 0; tries <= retries; tries++) {
		ns->whole = true;
		snapshot_begin(ns->snap, now_us);
		code = take_tcp(ns, expected, err);
		if (code || ns->whole)
			break;
	}
	return code;
}

static bool lacks_info(const struct snapshot *snap)
{
	const uint64_t (*tcp)[SOCK_STATE_COUNT] = snap->counts[NETID_TCP];

	return snap->info_for_all && !snap->has_tcp_info &&
	       tcp[ADDR_V4][SOCK_STATE_ESTAB] + tcp[ADDR_V6][SOCK_STATE_ESTAB];
}

static int take_ns(struct sampler_ns *ns, struct err *err)
{
	struct sampler *sampler = ns->sampler;
	struct counters counters = { .has = { false } };
	int64_t began = clock_mono_us();
	struct err why = { "" };
	int code;

	source_ns_set_sample(ns->source, sampler->samples);
	if (source_counters(ns->source, &counters, &why))
		missing(ns, SOURCE_COUNTERS, why.text);
	else
		snapshot_add_counters(ns->snap, &counters);
	code = take_tcp_whole(ns, expected_sockets(&counters),
			      source_clock(sampler->session->source, sampler->samples).mono_us, err);
	if (code && code != -EINTR)
		missing(ns, SOURCE_SOCK_DIAG, err->text);
	if (!code && ask(ns, NETID_UDP, UINT32_MAX, DIAG_EXT_SKMEMINFO, &why) && !interrupted)
		missing(ns, SOURCE_UDP, why.text);
	snapshot_end(ns->snap);
	if (!code && lacks_info(ns->snap))
		missing(ns, SOURCE_TCP_INFO, "the kernel delivers none");
	if (!ns->whole)
		sampler->complete = ns->snap->complete = false;
	ns->snap->cost_us = clock_mono_us() - began;
	sampler->read_us += ns->snap->cost_us;
	return code;
}

void sampler_open(struct sampler *sampler, struct session *session, const struct filter *filter,
		  const struct triage_options *triage, int64_t max_time_us)
{
	*sampler = (struct sampler){ .session = session,
				     .filter = filter,
				     .triage = triage,
				     .complete = true,
				     .info_for_all = true,
				     .fast_room = SNAPSHOT_BURSTS,
				     .max_time_us = max_time_us };
	sampler->snaps = xcalloc(session->ns_count, sizeof(*sampler->snaps));
	sampler->ns = xcalloc(session->ns_count, sizeof(*sampler->ns));
	if (session->unopened)
		sampler->missing |= 1u << SOURCE_NAMESPACES;
	for (unsigned i = 0; i < session->ns_count; i++) {
		struct sampler_ns *ns = &sampler->ns[i];
		struct sysctls sysctls;
		struct err err = { "" };

		*ns = (struct sampler_ns){ .sampler = sampler,
					   .source = session->ns[i],
					   .snap = &sampler->snaps[i],
					   .description = &session->list[i],
					   .cost_ns = GUESSED_COST_NS };
		triage_watch(ns->snap);
		ns->snap->complete = ns->snap->info_for_all = true;
		ns->snap->filtered = narrows(filter);
		if (source_sysctls(ns->source, &sysctls, &err))
			missing(ns, SOURCE_SYSCTLS, err.text);
		else
			snapshot_set_sysctls(ns->snap, &sysctls);
	}
	if (filter && filter->needs & FILTER_NEEDS_OWNERS) {
		struct err err = { "" };

		if (source_owners(session->source, NULL, 0, &sampler->owners, &err))
			missing(&sampler->ns[0], SOURCE_OWNERS, err.text);
		else
			sampler->owners_us = owner_map_cost_us(sampler->owners);
	}
}

int sampler_take(struct sampler *sampler, struct err *err)
{
	unsigned failed = 0;
	int code = 0;

	for (unsigned i = 0; i < sampler->session->ns_count && code != -EINTR; i++) {
		code = take_ns(&sampler->ns[i], err);
		failed += code != 0;
	}
	if (code == -EINTR)
		return code;
	sampler->samples++;
	return failed == sampler->session->ns_count ? code : 0;
}

/* Many source ports of one address in use, and this destination has those that bind() prefers. */
static bool may_be_bound(const struct snapshot *snap, const struct tuple_group *group)
{
	const struct port_source *source =
		group->source ? snapshot_source(snap, group->source - 1u) : NULL;

	return source && source->distinct > snap->ports.size / OWNED_PORTS_PART &&
	       group->odd_in_range > group->in_range / 2;
}

/* Findings name the owner of a destination that takes many ports; an IPv6 attempt without answer asks who reaches the same over IPv4. */
static bool wants_owner(const struct snapshot *snap, const struct tuple_group *group)
{
	bool silent_v6 = snap->counts[NETID_TCP][ADDR_V6][SOCK_STATE_SYN_SENT];

	return group->in_range > snap->ports.size / OWNED_PORTS_PART || may_be_bound(snap, group) ||
	       (silent_v6 && group->outbound && group->estab_young && group->peer.family == ADDR_V4);
}

/* Healthy UDP sockets are remembered too, so that their first drop shows: nobody asks who they are. */
static bool names_candidate(const struct snapshot *snap, const struct sock *sock)
{
	if (sock->netid != NETID_UDP || sock->recv_q || sock->skmem[SKMEM_DROPS] ||
	    addr_is_loopback(&sock->peer.addr))
		return true;
	return snap->ports.udp_used > snap->ports.size / OWNED_PORTS_PART;
}

/* Appends the inodes that findings may name: candidates, listeners and one of each tuple group that may be asked for. */
static void put_wanted(const struct sampler *sampler, struct out *list)
{
	for (unsigned n = 0; n < sampler->session->ns_count; n++) {
		const struct snapshot *snap = &sampler->snaps[n];
		const struct candidate *candidate;
		const struct listener *listener;
		const struct tuple_group *group;

		for (size_t i = 0; (candidate = snapshot_candidate(snap, i)); i++)
			if (names_candidate(snap, &candidate->last.sock))
				out_mem(list, &candidate->last.sock.inode, sizeof(uint32_t));
		for (size_t i = 0; (listener = snapshot_listener(snap, i)); i++)
			out_mem(list, &listener->last.sock.inode, sizeof(uint32_t));
		for (size_t i = 0; (group = snapshot_group(snap, i)); i++)
			if (wants_owner(snap, group))
				out_mem(list, &group->inode, sizeof(uint32_t));
	}
}

void sampler_find_owners(struct sampler *sampler)
{
	CLEANUP(out_close) struct out list = { .fd = -1 };
	struct err err = { "" };

	if (sampler->owners)
		return;
	out_open_mem(&list);
	put_wanted(sampler, &list);
	if (!out_len(&list))
		return;
	if (source_owners(sampler->session->source, (const uint32_t *)(const void *)list.base,
			  out_len(&list) / sizeof(uint32_t), &sampler->owners, &err)) {
		missing(&sampler->ns[0], SOURCE_OWNERS, err.text);
		return;
	}
	sampler->owners_us = owner_map_cost_us(sampler->owners);
}

/* A recording of old does not say where a process was: then its sockets tell. */
static bool belongs(const struct sampler_ns *ns, const struct descriptor_user *user)
{
	return !user->process.netns || !ns->description->inode ||
	       user->process.netns == ns->description->inode;
}

/* Return: one of them has sockets that were listed. */
static bool take_users(struct sampler_ns *ns)
{
	const struct descriptor_use *all = &ns->sampler->use;
	bool listed = false;

	ns->use = *all;
	ns->use.count = 0;
	ns->use.at = arena_alloc(&ns->sampler->session->arena, (all->count + 1) * sizeof(*all->at));
	for (size_t i = 0; i < all->count; i++) {
		if (!belongs(ns, &all->at[i]))
			continue;
		ns->use.at[ns->use.count++] = all->at[i];
		listed = listed || (all->at[i].listed && all->at[i].inode_count);
	}
	return listed;
}

static int count_socket(const struct sock *sock, void *context)
{
	struct sampler_ns *ns = context;

	if (selected(ns, sock))
		descriptors_count(&ns->use, ns->snap, sock);
	return interrupted ? -EINTR : 0;
}

/* The samples kept no socket for its inode, so the list is asked for once more, without anything that takes a lock. */
static void look_through(struct sampler_ns *ns)
{
	static const struct diag_request requests[] = {
		{ .netid = NETID_TCP, .families = BOTH_FAMILIES, .states = DESCRIPTOR_STATES },
		{ .netid = NETID_UDP, .families = BOTH_FAMILIES, .states = UINT32_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		struct diag_result result;
		struct err err = { "" };

		if (source_sockets(ns->source, &requests[i], count_socket, ns, &result, &err) && !interrupted)
			notices_add(&ns->sampler->session->notices,
				    "the sockets of processes that are short of descriptors could not be listed: %s",
				    err.text);
	}
}

void sampler_find_descriptors(struct sampler *sampler)
{
	struct err err = { "" };

	if (!sampler->samples || interrupted)
		return;
	if (source_descriptors(sampler->session->source, &sampler->use, &err)) {
		missing(&sampler->ns[0], SOURCE_DESCRIPTORS, err.text);
		return;
	}
	sampler->has_use = true;
	sampler->owners_us += sampler->use.cost_us;
	for (unsigned i = 0; i < sampler->session->ns_count; i++) {
		if (take_users(&sampler->ns[i]))
			look_through(&sampler->ns[i]);
	}
}

void sampler_find_networks(struct sampler *sampler)
{
	for (unsigned i = 0; i < sampler->session->ns_count && !interrupted; i++) {
		struct sampler_ns *ns = &sampler->ns[i];

		ns->has_network = !source_network(ns->source, &ns->network, NULL);
	}
}

static const struct process *owner_of(const struct view *view, const struct sock *sock,
				      enum owner_unknown *reason)
{
	const struct sampler_ns *ns = view->context;
	const struct owner_map *owners = ns->sampler->owners;
	const struct holder *holders;
	enum owner_unknown unused;

	reason = reason ? reason : &unused;
	*reason = owner_reason_of_state(sock);
	if (*reason != OWNER_KNOWN)
		return NULL;
	if (!owners) {
		*reason = OWNER_RACED;
		return NULL;
	}
	if (owner_map_find(owners, sock->inode, &holders))
		return holders->process;
	*reason = owner_map_reason(owners, sock);
	if (*reason == OWNER_NO_PERMISSION)
		session_note_denied(ns->sampler->session);
	return NULL;
}

static const struct route *route_of(const struct view *view, const struct addr *destination)
{
	struct sampler_ns *ns = view->context;
	struct route *route;

	for (size_t i = 0; i < ns->route_count; i++)
		if (addr_equal(&ns->routes[i].destination, destination))
			return &ns->routes[i];
	if (ns->route_count == ROUTES_MAX)
		return NULL;
	if (!ns->routes)
		ns->routes = xcalloc(ROUTES_MAX, sizeof(*ns->routes));
	route = &ns->routes[ns->route_count];
	if (source_route(ns->source, destination, route, NULL))
		return NULL;
	ns->route_count++;
	return route;
}

/* An empty name means "does not apply" in a scope. */
static const char *named(const char *text)
{
	return text && *text ? text : NULL;
}

/* What --netns takes to find a namespace again: its name below /run/netns, else a member's pid, else its path. */
static const char *address_of(struct session *session, const struct netns *netns)
{
	const char *slash = netns->path ? strrchr(netns->path, '/') : NULL;

	if (!netns->path || source_is_recorded(session->source))
		return NULL;
	if (slash && !strcmp(slash + 1, netns->name) && strstr(netns->path, "/netns/"))
		return netns->name;
	if (netns->pid)
		return arena_printf(&session->arena, "%u", netns->pid);
	return netns->path;
}

struct view sampler_view(struct sampler *sampler, unsigned index)
{
	struct sampler_ns *ns = &sampler->ns[index];
	unsigned newest = sampler->samples ? sampler->samples - 1 : 0;

	return (struct view){ .snap = ns->snap,
			      .owner_of = owner_of,
			      .route_of = route_of,
			      .network = ns->has_network ? &ns->network : NULL,
			      .descriptors = sampler->has_use ? &ns->use : NULL,
			      .context = ns,
			      .netns = named(ns->description->name),
			      .netns_at = address_of(sampler->session, ns->description),
			      .container = named(ns->description->container),
			      .unit = named(ns->description->unit),
			      .window_us = snapshot_span_us(ns->snap),
			      .boot_us = source_clock(sampler->session->source, newest).boot_us,
			      .platform = source_platform(sampler->session->source),
			      .arena = &sampler->session->arena };
}

struct state_counts sampler_counts(const struct sampler *sampler)
{
	struct state_counts counts = { .udp = { 0 } };

	for (unsigned n = 0; n < sampler->session->ns_count; n++)
		for (unsigned f = 0; f < ADDR_FAMILY_COUNT; f++)
			for (unsigned s = 0; s < SOCK_STATE_COUNT; s++) {
				counts.tcp[f][s] += sampler->snaps[n].counts[NETID_TCP][f][s];
				counts.udp[f] += sampler->snaps[n].counts[NETID_UDP][f][s];
			}
	return counts;
}

void sampler_close(struct sampler *sampler)
{
	for (unsigned i = 0; sampler->session && i < sampler->session->ns_count; i++) {
		snapshot_free(&sampler->snaps[i]);
		free(sampler->ns[i].held);
		free(sampler->ns[i].routes);
	}
	free(sampler->snaps);
	free(sampler->ns);
	owner_map_free(sampler->owners);
	*sampler = (struct sampler){ 0 };
}
