/* SPDX-License-Identifier: MIT */
/* What rules are built with. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>

/* RULES §6: how sure one may be at most, by what was looked at. */
#define CONFIDENCE_ONE_SAMPLE 0.8
#define CONFIDENCE_SAMPLES 0.9
#define CONFIDENCE_EXACT 0.95
#define CONFIDENCE_INCOMPLETE 0.9
/* Where the setting cannot be read; IPv6 is taken to have this. */
#define MTU_EXPIRES_S 600

static struct member member_of(const struct view *view, const struct candidate *candidate)
{
	const struct snapshot *snap = view->snap;
	const struct sock *sock = &candidate->last.sock;
	struct member member = { .candidate = candidate, .sock = sock, .key = sock->peer };
	enum owner_unknown reason;

	member.age_ms =
		sock_age_ms(sock, snap->rto_max_ms, snap->fin_timeout_ms, &member.age_exact);
	if (sock->inode)
		member.owner = view->owner_of(view, sock, &reason);
	return member;
}

static size_t count_candidates(const struct snapshot *snap)
{
	size_t count = 0;

	while (snapshot_candidate(snap, count))
		count++;
	return count;
}

static struct members collect(const struct sink *sink, member_keep_fn *keep, bool gone_too)
{
	const struct view *view = sink->view;
	size_t all = count_candidates(view->snap);
	struct members members = { .at = arena_alloc(view->arena, (all + 1) * sizeof(struct member)) };

	for (size_t i = 0; i < all; i++) {
		const struct candidate *candidate = snapshot_candidate(view->snap, i);

		if (!(candidate->present || gone_too) || !(candidate->rules >> sink->index & 1))
			continue;
		members.at[members.count] = member_of(view, candidate);
		members.count += keep(view, &members.at[members.count]);
	}
	return members;
}

struct members members_collect(const struct sink *sink, member_keep_fn *keep)
{
	return collect(sink, keep, false);
}

struct members members_collect_seen(const struct sink *sink, member_keep_fn *keep)
{
	return collect(sink, keep, true);
}

static int by_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_first_sight(const struct member *a, const struct member *b)
{
	int order = by_number((uint64_t)a->candidate->first_us, (uint64_t)b->candidate->first_us);

	return order ? order : by_number(a->candidate->key, b->candidate->key);
}

static int by_endpoint(const struct member *a, const struct member *b)
{
	int order = addr_compare(&a->key.addr, &b->key.addr);

	return order ? order : by_number(a->key.port, b->key.port);
}

static uint32_t pid_of(const struct member *member)
{
	return member->owner ? member->owner->pid : 0;
}

int member_by_key(const void *a, const void *b)
{
	int order = by_endpoint(a, b);

	return order ? order : by_first_sight(a, b);
}

int member_by_owner(const void *a, const void *b)
{
	int order = by_number(pid_of(a), pid_of(b));

	return order ? order : by_first_sight(a, b);
}

int member_by_owner_and_key(const void *a, const void *b)
{
	int order = by_number(pid_of(a), pid_of(b));

	return order ? order : member_by_key(a, b);
}

void members_sort(struct members *members, int (*order)(const void *, const void *))
{
	qsort(members->at, members->count, sizeof(*members->at), order);
}

bool members_same_key(const struct member *a, const struct member *b)
{
	return !by_endpoint(a, b);
}

bool members_same_owner(const struct member *a, const struct member *b)
{
	return pid_of(a) == pid_of(b);
}

bool members_same_owner_and_key(const struct member *a, const struct member *b)
{
	return members_same_owner(a, b) && members_same_key(a, b);
}

struct members members_run(const struct members *members, size_t from,
			   bool (*same)(const struct member *, const struct member *))
{
	struct members run = { .at = members->at + from, .count = 1 };

	while (from + run.count < members->count && same(run.at, run.at + run.count))
		run.count++;
	return run;
}

uint64_t members_remotes(const struct members *members)
{
	uint64_t remotes = members->count > 0;

	for (size_t i = 1; i < members->count; i++)
		remotes += !members_same_key(&members->at[i - 1], &members->at[i]);
	return remotes;
}

static bool same_network(const struct member *a, const struct member *b)
{
	struct addr left = addr_prefix(&a->key.addr), right = addr_prefix(&b->key.addr);

	return addr_equal(&left, &right);
}

void members_file_by_network(const struct view *view, struct sink *sink, const struct members *all,
			     double remotes, members_file_fn *file)
{
	struct members network, run;

	for (size_t i = 0; i < all->count; i += network.count) {
		network = members_run(all, i, same_network);
		if ((double)members_remotes(&network) >= remotes) {
			file(view, sink, &network, true);
			continue;
		}
		for (size_t k = 0; k < network.count; k += run.count) {
			run = members_run(&network, k, members_same_key);
			file(view, sink, &run, false);
		}
	}
}

bool member_is_public(const struct member *member)
{
	return !member->candidate->outbound && addr_is_global(&member->sock->peer.addr);
}

bool members_any_public(const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		if (member_is_public(&members->at[i]))
			return true;
	}
	return false;
}

static uint64_t count_networks(const struct members *members)
{
	uint64_t networks = members->count > 0;

	for (size_t i = 1; i < members->count; i++)
		networks += !same_network(&members->at[i - 1], &members->at[i]);
	return networks;
}

bool members_stand_out(const struct view *view, const struct members *clients, double percent,
		       double prefixes)
{
	const struct listener *listener =
		snapshot_listener_for(view->snap, &clients->at->sock->local);

	/* a filter may show the broken ones alone: then they are all there is */
	return !view->snap->left_out && listener && listener->estab &&
	       100.0 * (double)clients->count / listener->estab >= percent &&
	       (double)count_networks(clients) >= prefixes;
}

static int by_role(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	bool public = member_is_public(a);

	if (public != member_is_public(b))
		return public ? 1 : -1;
	if (public && a->sock->local.port != b->sock->local.port)
		return a->sock->local.port < b->sock->local.port ? -1 : 1;
	return member_by_key(left, right);
}

static bool same_listener(const struct member *a, const struct member *b)
{
	return a->sock->local.port == b->sock->local.port;
}

void members_file_by_role(const struct view *view, struct sink *sink, struct members *all,
			  double remotes, members_file_fn *file)
{
	struct members ours = { .at = all->at }, run;

	members_sort(all, by_role);
	while (ours.count < all->count && !member_is_public(&all->at[ours.count]))
		ours.count++;
	members_file_by_network(view, sink, &ours, remotes, file);
	for (size_t i = ours.count; i < all->count; i += run.count) {
		run = members_run(all, i, same_listener);
		file(view, sink, &run, false);
	}
}

const struct process *members_owner(const struct members *members)
{
	const struct process *owner = NULL;
	size_t votes = 0;

	for (size_t i = 0; i < members->count; i++) {
		if (!votes)
			owner = members->at[i].owner;
		votes += members->at[i].owner == owner ? 1 : (size_t)-1;
	}
	return owner;
}

int64_t members_oldest_ms(const struct members *members)
{
	int64_t oldest = -1;

	for (size_t i = 0; i < members->count; i++)
		oldest = MAX(oldest, members->at[i].age_ms);
	return oldest;
}

static int64_t bytes_taken(const struct sock *sock)
{
	return (int64_t)sock_tcpi(sock, TCPI_BYTES_RECEIVED) - sock->recv_q;
}

bool candidate_unread(const struct view *view, const struct candidate *candidate)
{
	return candidate->seen >= view->snap->samples && candidate->recv_q_min &&
	       !candidate->recv_q_fell &&
	       bytes_taken(&candidate->last.sock) <= bytes_taken(&candidate->first.sock);
}

double view_confidence(const struct view *view, double confidence, bool exact)
{
	double cap = view->snap->samples > 1 ? CONFIDENCE_SAMPLES : CONFIDENCE_ONE_SAMPLE;

	if (exact)
		cap = CONFIDENCE_EXACT;
	if (!view->snap->complete)
		cap *= CONFIDENCE_INCOMPLETE;
	return MIN(confidence, cap);
}

bool view_delta(const struct view *view, enum counter_id id, uint64_t *delta)
{
	*delta = 0;
	return view->snap->has_counters && view->snap->samples > 1 &&
	       counters_delta(&view->snap->counters_first, &view->snap->counters_last, id, delta);
}

unsigned view_steps(const struct view *view, enum counter_id id)
{
	return view->snap->counter_steps[id];
}

double view_window_s(const struct view *view)
{
	return view->window_us > 0 ? (double)view->window_us / 1e6 : 0;
}

const struct process *view_owner_of_inode(const struct view *view, uint32_t inode)
{
	struct sock sock = { .state = SOCK_STATE_ESTAB, .inode = inode };
	enum owner_unknown reason;

	return inode ? view->owner_of(view, &sock, &reason) : NULL;
}

const char *view_addr_text(const struct view *view, const struct addr *addr)
{
	CLEANUP(out_close) struct out out = { .fd = -1 };

	out_open_mem(&out);
	out_addr(&out, addr);
	return arena_strdup(view->arena, out_text(&out));
}

bool view_first_hop_gone(const struct view *view, const struct addr *destination)
{
	const struct route *route = view->route_of(view, destination);

	return route && (route->error || (route->has & ROUTE_HAS_LINK && !route->carrier));
}

bool view_peer_answers(const struct view *view, const struct sock *sock, int64_t within_ms)
{
	const struct tuple_group *opened = snapshot_group_find(view->snap, &sock->local.addr,
							       &sock->peer.addr, sock->peer.port);
	const struct tuple_group *accepted =
		snapshot_group_find(view->snap, &sock->local.addr, &sock->peer.addr, 0);

	return (opened && opened->fresh_ack_ms < within_ms) ||
	       (accepted && accepted->fresh_ack_ms < within_ms);
}

bool view_exception_is_new(const struct view *view, const struct route *route)
{
	double life_s = MTU_EXPIRES_S;

	if (route->destination.family == ADDR_V4)
		life_s = (double)sysctl_or(&view->snap->sysctls, SYSCTL_MTU_EXPIRES_S, MTU_EXPIRES_S);
	return route->has & ROUTE_HAS_EXPIRES &&
	       route->expires_ms / 1e3 >= life_s - view_window_s(view);
}

static void put_route(struct out *out, const struct route *route)
{
	out_str(out, route->has & ROUTE_HAS_DEVICE ? route->device : "an unknown interface");
	if (route->has & ROUTE_HAS_GATEWAY) {
		out_lit(out, " via ");
		out_addr(out, &route->gateway);
	}
	if (route->has & ROUTE_HAS_LINK && !route->carrier)
		out_lit(out, ", no carrier");
	if (route->has & ROUTE_HAS_NEIGHBOUR)
		out_printf(out, ", next hop %s", route_neighbour_name(route->neighbour_state));
}

const char *route_words(const struct view *view, const struct route *route)
{
	CLEANUP(out_close) struct out out = { .fd = -1 };

	out_open_mem(&out);
	if (route->error)
		out_printf(&out, "refused by this host (%s)", strerror(-route->error));
	else
		put_route(&out, route);
	return arena_strdup(view->arena, out_text(&out));
}

const char *view_route_text(const struct view *view, const struct addr *destination)
{
	const struct route *route = view->route_of(view, destination);

	return route ? route_words(view, route) : "route unknown";
}

void finding_counter(struct finding *finding, const struct view *view, enum counter_id id,
		     const char *name)
{
	uint64_t delta;

	if (view_delta(view, id, &delta))
		finding_add(finding, name, (double)delta, UNIT_COUNT, counter_rows[id].nstat);
}

void sink_skip_history(struct sink *sink, const char *what)
{
	sink_skip_part(sink,
		       arena_printf(sink->view->arena, "%s: needs history, none is kept yet", what));
}

void finding_members(struct finding *finding, const struct members *run, bool network)
{
	struct endpoint peer = run->at->key;

	if (member_is_public(run->at)) {
		finding_local(finding, &run->at->sock->local);
		if (run->count > 1)
			return;
	}
	if (network) {
		finding->scope.peer_bits = peer.addr.family == ADDR_V4 ? 24 : 64;
		peer.addr = addr_prefix(&peer.addr);
		for (size_t i = 0; i < run->count; i++)
			peer.port = run->at[i].key.port == peer.port ? peer.port : 0;
	}
	finding_peer(finding, &peer);
}

void finding_address_class(struct finding *finding, const struct addr *addr)
{
	const char *class = addr_class_name(addr_class(addr));

	finding_add_text(finding, "address_class", *class ? class : "global", "rule");
}

void finding_timeout(struct finding *finding, const char *kind, double gives_up_ms,
		     const char *source)
{
	finding_add_text(finding, "timeout", kind, "rule");
	if (gives_up_ms >= 0)
		finding_add(finding, "gives_up", gives_up_ms, UNIT_MS, source);
}

void finding_process(struct finding *finding, const struct view *view, const struct process *process)
{
	static const char *const states[] = { ['R'] = "running", ['S'] = "sleeping", ['D'] = "in uninterruptible sleep",
					      ['T'] = "stopped", ['t'] = "stopped by a debugger", ['Z'] = "a zombie" };
	unsigned letter;

	finding_owner(finding, process);
	if (!process)
		return;
	letter = (unsigned char)process->run_state;
	if (letter < ARRAY_SIZE(states) && states[letter])
		finding_add_text(finding, "process_state", states[letter], "/proc/PID/stat");
	if (process->nofile) {
		finding_add(finding, "fds", process->fds, UNIT_COUNT, "/proc/PID/fd");
		finding_add(finding, "nofile", (double)process->nofile, UNIT_COUNT, "/proc/PID/limits");
	}
	if (process->start_us && view->boot_us > process->start_us)
		finding_add(finding, "process_age", (double)(view->boot_us - process->start_us), UNIT_US,
			    "/proc/PID/stat");
}

void finding_route(struct finding *finding, const struct view *view, const struct addr *addr)
{
	const struct route *route = view->route_of(view, addr);

	finding_add_text(finding, "route", view_route_text(view, addr), "rtnetlink");
	if (!route)
		return;
	if (route->has & ROUTE_HAS_LINK)
		finding_add(finding, "interface_mtu", route->link_mtu, UNIT_BYTES, "rtnetlink");
	if (route->has & ROUTE_HAS_EXPIRES)
		finding_add(finding, "exception_mtu", route->mtu, UNIT_BYTES, "rtnetlink");
	if (route->has & ROUTE_HAS_DEVICE)
		finding->scope.interface = arena_strdup(view->arena, route->device);
}

void finding_fields(struct finding *finding, const struct sock *sock, const struct field_row *rows,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (tcpi_has(&sock->info, rows[i].id))
			finding_add(finding, rows[i].name, (double)sock_tcpi(sock, rows[i].id), rows[i].unit,
				    rows[i].source);
	}
}
