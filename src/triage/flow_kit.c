/* SPDX-License-Identifier: MIT */
/* Flows of a rule in runs, and what every packet finding says of them. */
#include "flow_kit.h"

#include <stdlib.h>
#include <string.h>

/* One capture: as sure as history is, never as sure as a probe (RULES §6). */
#define CONFIDENCE_CAPTURE 0.95

struct flow_member flow_member_of(const struct flow *flow, unsigned side)
{
	return (struct flow_member){ .flow = flow,
				     .side = (uint8_t)side,
				     .own = &flow->side[side],
				     .other = &flow->side[!side],
				     .here = flow->end[side],
				     .there = flow->end[!side],
				     .key = flow->end[!side],
				     .number = flow->number };
}

/* Asks @keep about @flow from its first @sides sides. There must be room for all of them. */
static void ask(struct flow_members *members, const struct view *view, const struct flow *flow, unsigned sides, flow_keep_fn *keep)
{
	for (unsigned side = 0; side < sides; side++) {
		struct flow_member *member = &members->at[members->count];

		*member = flow_member_of(flow, side);
		members->count += !keep || keep(view, member);
	}
}

static struct flow_members room_for(const struct view *view, size_t count)
{
	return (struct flow_members){ .at = arena_alloc(view->arena, (count + 1) * sizeof(struct flow_member)) };
}

static struct flow_members collect(const struct view *view, uint8_t protocol, uint32_t oddities, unsigned sides, flow_keep_fn *keep)
{
	const struct flow_index *index = view->index;
	struct flow_members members = { 0 };

	if (!flow_index_has(view, oddities))
		return members;
	members = room_for(view, index->count * sides);
	for (size_t i = 0; i < index->count; i++) {
		if (index->at[i].oddities & oddities && (!protocol || index->at[i].flow->protocol == protocol))
			ask(&members, view, index->at[i].flow, sides, keep);
	}
	return members;
}

struct flow_members flow_members_collect(const struct view *view, uint8_t protocol, uint32_t oddities, flow_keep_fn *keep)
{
	return collect(view, protocol, oddities, 1, keep);
}

struct flow_members flow_members_collect_sides(const struct view *view, uint8_t protocol, uint32_t oddities, flow_keep_fn *keep)
{
	return collect(view, protocol, oddities, 2, keep);
}

struct flow_members flow_members_collect_all(const struct view *view, uint8_t protocol, flow_keep_fn *keep)
{
	const struct packet_evidence *packets = view->packets;
	struct flow_members members = room_for(view, packets->flow_count);

	for (size_t i = 0; i < packets->flow_count; i++) {
		if (!protocol || packets->flows[i]->protocol == protocol)
			ask(&members, view, packets->flows[i], 1, keep);
	}
	return members;
}

struct flow_members flow_members_filter(const struct view *view, const struct flow_members *members, flow_keep_fn *keep)
{
	struct flow_members kept = room_for(view, members->count);

	for (size_t i = 0; i < members->count; i++) {
		kept.at[kept.count] = members->at[i];
		kept.count += keep(view, &kept.at[kept.count]);
	}
	return kept;
}

static int by_key(const void *a, const void *b)
{
	const struct flow_member *x = a, *y = b;
	int order = addr_compare(&x->key.addr, &y->key.addr);

	if (!order)
		order = (x->key.port > y->key.port) - (x->key.port < y->key.port);
	if (!order)
		order = (x->number > y->number) - (x->number < y->number);
	return order ? order : (int)x->side - (int)y->side;
}

static bool is_sorted(const struct flow_members *members, flow_member_order_fn *order)
{
	for (size_t i = 1; i < members->count; i++) {
		if (order(&members->at[i - 1], &members->at[i]) > 0)
			return false;
	}
	return true;
}

void flow_members_order(struct flow_members *members, flow_member_order_fn *order)
{
	/* they come in the order of first sight, and often from one client or to one server */
	if (!is_sorted(members, order))
		qsort(members->at, members->count, sizeof(*members->at), order);
}

void flow_members_sort(struct flow_members *members)
{
	flow_members_order(members, by_key);
}

struct flow_members flow_members_run(const struct flow_members *members, size_t from)
{
	size_t to = from + 1;

	while (to < members->count && endpoint_equal(&members->at[to].key, &members->at[from].key))
		to++;
	return (struct flow_members){ .at = members->at + from, .count = to - from };
}

void flow_members_file(const struct view *view, struct sink *sink, struct flow_members *all, flow_members_file_fn *file)
{
	flow_members_sort(all);
	for (size_t i = 0; i < all->count;) {
		struct flow_members run = flow_members_run(all, i);

		file(view, sink, &run);
		i += run.count;
	}
}

double flow_confidence(const struct view *view, double confidence)
{
	return MIN(confidence, CONFIDENCE_CAPTURE) * view->packets->trust;
}

const struct flow_owner *flow_owner_of(const struct view *view, const struct flow *flow)
{
	if (!flow->owner || flow->owner > view->packets->owner_count)
		return NULL;
	return &view->packets->owners[flow->owner - 1];
}

int64_t flow_age_ms(const struct view *view, const struct flow *flow)
{
	return MAX((view->packets->totals->last_ns - flow->first_ns) / 1000000, 0);
}

int64_t flow_quiet_ms(const struct view *view, const struct flow *flow, unsigned side)
{
	if (!flow->side[side].packets)
		return -1;
	return MAX((view->packets->totals->last_ns - flow->side[side].last_ns) / 1000000, 0);
}

static void scope_owner(struct finding *finding, const struct view *view, const struct flow_members *run)
{
	const struct flow_owner *owner = flow_owner_of(view, run->at[0].flow);

	for (size_t i = 0; i < run->count; i++) {
		const struct flow_owner *one = flow_owner_of(view, run->at[i].flow);

		if (!one || !owner || one->pid != owner->pid)
			return;
	}
	if (!owner || !owner->pid)
		return;
	finding->scope.pid = owner->pid;
	finding->scope.comm = owner->comm;
	if (*owner->unit)
		finding->scope.unit = owner->unit;
}

/* The endpoint that all members share; port 0 where only the address is the same. Return: false when not even that is. */
static bool shared(const struct flow_members *run, bool there, struct endpoint *out)
{
	*out = there ? run->at[0].there : run->at[0].here;
	for (size_t i = 1; i < run->count; i++) {
		const struct endpoint *one = there ? &run->at[i].there : &run->at[i].here;

		if (!addr_equal(&one->addr, &out->addr))
			return false;
		if (one->port != out->port)
			out->port = 0;
	}
	return true;
}

void finding_flows(struct finding *finding, const struct view *view, const struct flow_members *run)
{
	struct endpoint end;

	if (shared(run, true, &end))
		finding_peer(finding, &end);
	if (shared(run, false, &end))
		finding_local(finding, &end);
	scope_owner(finding, view, run);
	finding->count = run->count;
	finding_add(finding, "flows", (double)run->count, UNIT_COUNT, "capture");
}

void finding_trust(struct finding *finding, const struct view *view)
{
	if (view->packets->trust >= 1)
		return;
	finding_add(finding, "capture_trust", view->packets->trust, UNIT_RATIO, "capture-quality");
	finding_against(finding, "the capture is not whole (see capture-quality): what is missing here may only be missing from it");
}

static int by_address(const void *a, const void *b)
{
	return addr_compare(a, b);
}

uint64_t flow_members_hosts(const struct view *view, const struct flow_members *run, bool networks)
{
	struct addr *at = arena_alloc(view->arena, (run->count + 1) * sizeof(*at));
	uint64_t hosts = run->count > 0;

	for (size_t i = 0; i < run->count; i++)
		at[i] = networks ? addr_prefix(&run->at[i].here.addr) : run->at[i].here.addr;
	qsort(at, run->count, sizeof(*at), by_address);
	for (size_t i = 1; i < run->count; i++)
		hosts += !addr_equal(&at[i - 1], &at[i]);
	return hosts;
}

const char *flow_who_text(const struct view *view, const struct flow_members *run)
{
	const struct flow_owner *owner = flow_owner_of(view, run->at->flow);
	uint64_t hosts = flow_members_hosts(view, run, false);
	const char *address;

	if (hosts > 1)
		return arena_printf(view->arena, "%llu hosts", (unsigned long long)hosts);
	address = view_addr_text(view, &run->at->here.addr);
	for (size_t i = 0; i < run->count; i++) {
		const struct flow_owner *one = flow_owner_of(view, run->at[i].flow);

		if (!one || one->pid != owner->pid || run->at[i].flow->local_side != run->at[i].side)
			return address;
	}
	return owner->pid ? arena_printf(view->arena, "%s[%u] at %s", owner->comm, owner->pid, address) : address;
}

const char *flow_range_text(const struct view *view, const char *least, const char *most, bool equal)
{
	return equal ? arena_printf(view->arena, "{%s}", most) : arena_printf(view->arena, "{%s} to {%s}", least, most);
}

int64_t flow_offset_ms(const struct view *view, const struct flow *flow)
{
	return MAX((flow->first_ns - view->packets->totals->first_ns) / 1000000, 0);
}

/* Plain enough to stand in a command without quotes, and no option. */
static bool is_plain(const char *name)
{
	return *name && *name != '-' &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@+-")];
}

const char *const *flow_next(const struct view *view, const char *filter, const char *const *rest)
{
	const struct capture_source *source = view->packets->source;
	const char *otherwise = source->live ? "IFACE" : "FILE", **list;
	size_t count = 0;

	while (rest && rest[count])
		count++;
	list = arena_alloc(view->arena, (count + 2) * sizeof(*list));
	list[0] = arena_printf(view->arena, "tcptriage capture %s %s --packets '%s'", source->live ? "-i" : "-r",
			       is_plain(source->name) && strcmp(source->name, "stdin") != 0 ? source->name : otherwise, filter);
	for (size_t i = 0; i < count; i++)
		list[i + 1] = rest[i];
	return list;
}
