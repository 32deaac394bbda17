/* SPDX-License-Identifier: MIT */
/* A path that is made up, and the driver of a search along it, which checks what the search promises: pace, numbers, times. */
#include "fake_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_US 1000000

uint32_t fake_path_roll(struct fake_path *path, uint32_t sides)
{
	path->dice += 0x9e3779b97f4a7c15;
	return (uint32_t)((hash_u64(path->dice) >> 32) * sides >> 32);
}

static bool happens(struct fake_path *path, double share)
{
	return share > 0 && fake_path_roll(path, 1000000) < share * 1e6;
}

struct fake_path *fake_path_new(enum addr_family family, unsigned routers, uint64_t seed)
{
	struct fake_path *path = xcalloc(1, sizeof(*path));

	path->family = family;
	path->count = routers + 1;
	path->rtt_us = 1000;
	path->side_limit = (struct fake_limit){ .burst = 6, .per_s = 1 };
	path->dice = hash_u64(seed + 1);
	path->now_us = 1000000000 + fake_path_roll(path, 1000000);
	for (unsigned i = 0; i < path->count; i++)
		path->nodes[i].mtu = 1500;
	return path;
}

struct addr fake_path_router(const struct fake_path *path, unsigned ttl)
{
	struct addr addr = { .family = (uint8_t)path->family };

	if (path->family == ADDR_V4)
		return addr_v4(0x0a000001 + (ttl << 8));
	addr.bytes[0] = 0x20;
	addr.bytes[1] = 0x01;
	addr.bytes[15] = (uint8_t)ttl;
	return addr;
}

struct mtu_search_options fake_path_options(const struct fake_path *path)
{
	return (struct mtu_search_options){
		.family = path->family,
		.target = fake_path_router(path, path->count),
		.method = PROBE_ICMP,
		.side_method = PROBE_UDP,
		.smallest = path->family == ADDR_V4 ? 36 : 56,
		.largest = 1500,
		.most = 256,
		.max_hops = 30,
	};
}

uint32_t fake_path_mtu(const struct fake_path *path, uint32_t largest, int *at)
{
	uint32_t mtu = largest;

	*at = -1;
	for (unsigned i = 0; i < path->count; i++)
		mtu = MIN(mtu, path->nodes[i].mtu);
	for (unsigned i = 0; i < path->count && mtu < largest; i++) {
		if (path->nodes[i].mtu == mtu) {
			*at = (int)i;
			break;
		}
	}
	return mtu;
}

static bool takes(struct fake_limit *limit, double units, int64_t now_us)
{
	if (limit->burst <= 0)
		return true;
	limit->left = limit->at_us ? MIN(limit->burst, limit->left + (double)(now_us - limit->at_us) / 1e6 * limit->per_s) : limit->burst;
	limit->at_us = now_us;
	if (limit->left < units)
		return false;
	limit->left -= units;
	return true;
}

static bool allowed(struct fake_limit *limit, int64_t now_us)
{
	return takes(limit, 1, now_us);
}

static void deliver(struct fake_path *path, const struct probe_outcome *outcome, int64_t deadline_us, int64_t rtt_us)
{
	unsigned copies = happens(path, path->copies) ? 2 : 1;

	if (outcome->reply != REPLY_LOCAL && happens(path, path->loss))
		return;
	for (; copies && path->event_count < FAKE_EVENTS_MAX; copies--) {
		struct fake_event *event = &path->events[path->event_count++];

		rtt_us += path->jitter_us ? fake_path_roll(path, (uint32_t)path->jitter_us) : 0;
		event->outcome = *outcome;
		event->outcome.rtt_us = rtt_us;
		event->at_us = path->now_us + rtt_us;
		event->deadline_us = deadline_us;
	}
}

static uint32_t told_mtu(const struct fake_node *node, uint32_t size)
{
	switch (node->ptb) {
	case PTB_ZERO:
		return 0;
	case PTB_BOGUS:
		return size + size % 2;
	case PTB_TOO_SMALL:
		return 67;
	case PTB_WRONG:
		return node->lie;
	default:
		return node->mtu;
	}
}

/* What the node at @ttl makes of a packet. Return: true when the packet ends here; @outcome->reply is what it draws. */
static bool at_node(struct fake_path *path, unsigned ttl, struct probe_outcome *outcome)
{
	struct fake_node *node = &path->nodes[ttl];

	outcome->from = ttl ? fake_path_router(path, ttl) : (struct addr){ .family = (uint8_t)path->family };
	if (node->refuses != REPLY_NONE) {
		outcome->reply = allowed(&node->limit, path->now_us) ? node->refuses : REPLY_NONE;
		outcome->error = node->refuse_error;
		return true;
	}
	if (ttl && outcome->hop_limit == ttl) {
		outcome->reply = !node->mute && allowed(&node->limit, path->now_us) ? REPLY_EXPIRED : REPLY_NONE;
		return true;
	}
	if (!takes(&node->bytes, outcome->size, path->now_us)) {
		outcome->reply = REPLY_NONE;
		return true;
	}
	if (ttl == 1 && outcome->lane == LANE_MAIN && path->main_most && outcome->size > path->main_most) {
		outcome->reply = REPLY_NONE;
		return true;
	}
	if (outcome->size <= node->mtu)
		return false;
	outcome->reply = node->ptb == PTB_SILENT ? REPLY_NONE : node->ptb == PTB_PROHIBITS ? REPLY_PROHIBITED : REPLY_TOO_BIG;
	if (outcome->reply == REPLY_TOO_BIG && !allowed(&node->tells, path->now_us))
		outcome->reply = REPLY_NONE;
	outcome->mtu = told_mtu(node, outcome->size);
	if (!ttl && node->ptb == PTB_TELLS) {
		outcome->reply = REPLY_LOCAL;
		outcome->error = EMSGSIZE;
		outcome->mtu = path->tells_most ? node->mtu : 0;
	}
	return true;
}

static void at_host(struct fake_path *path, struct probe_outcome *outcome)
{
	bool side = outcome->lane == LANE_SIDE, small = side || !path->answers_most || outcome->size <= path->answers_most;
	bool answers = small && !(side ? path->side_deaf : path->deaf);

	outcome->from = fake_path_router(path, path->count);
	outcome->reply = answers && allowed(side ? &path->side_limit : &path->limit, path->now_us) ? REPLY_ARRIVED : REPLY_NONE;
}

static void send(struct fake_path *path, const struct probe_request *request)
{
	struct probe_outcome outcome = { .id = request->id, .size = request->size, .lane = request->lane, .hop_limit = request->hop_limit, .rtt_us = -1 };
	unsigned ttl = 0;

	if (path->changes_us && path->now_us >= path->changes_us)
		path->nodes[path->changes_at].mtu = path->changes_to;
	if (path->now_us >= path->silent_from_us && path->now_us < path->silent_to_us)
		return;
	while (ttl < path->count && !at_node(path, ttl, &outcome))
		ttl++;
	/* A packet that is lost on the way does not draw what it would have drawn; the first node is this machine. */
	if (ttl && happens(path, path->loss))
		return;
	if (ttl == path->count)
		at_host(path, &outcome);
	if (outcome.reply != REPLY_NONE)
		deliver(path, &outcome, request->deadline_us, ttl ? path->rtt_us * ttl / path->count : 0);
}

static void promise(struct fake_path *path, bool kept, const char *what)
{
	if (!kept && !path->fault)
		path->fault = what;
}

static void check_request(struct fake_path *path, const struct mtu_search_options *options, const struct probe_request *request)
{
	unsigned under_way = 0;

	for (unsigned i = 0; i < path->sent; i++)
		under_way += !path->answered[i] && path->deadline_us[i] > path->now_us;
	promise(path, under_way < options->most, "no more under way than asked for");
	promise(path, path->sent < 600, "bounded probes");
	promise(path, request->id == path->sent + 1, "ids that are used once");
	promise(path, request->deadline_us > path->now_us, "a deadline that is ahead");
	promise(path, request->size >= MIN(options->smallest, options->largest) && request->size <= options->largest, "sizes that were asked for");
	promise(path, request->hop_limit <= options->max_hops, "hop limits that were asked for");
	promise(path, path->sent < MTU_SEARCH_RATE || path->now_us - path->sent_us[path->sent - MTU_SEARCH_RATE] > SECOND_US, "the pace");
	if (path->sent == ARRAY_SIZE(path->sent_us))
		return;
	path->deadline_us[path->sent] = request->deadline_us;
	path->sent_us[path->sent++] = path->now_us;
}

static int earliest(const struct fake_path *path)
{
	int found = -1;

	for (unsigned i = 0; i < path->event_count; i++) {
		if (found < 0 || path->events[i].at_us < path->events[found].at_us)
			found = (int)i;
	}
	return found;
}

/* Time goes on to @wake_us, or to the next outcome, which is handed in when it is not too late. */
static void pass_time(struct fake_path *path, struct mtu_search *search, int64_t wake_us)
{
	int next = earliest(path);
	struct fake_event event;

	if (next < 0 || path->events[next].at_us > wake_us) {
		path->now_us = wake_us;
		return;
	}
	event = path->events[next];
	path->events[next] = path->events[--path->event_count];
	path->now_us = MAX(path->now_us, event.at_us);
	if (event.at_us >= event.deadline_us)
		return;
	path->answered[event.outcome.id - 1] = true;
	mtu_search_outcome(search, &event.outcome, path->now_us);
}

static void trace(const struct fake_path *path, const struct probe_request *request)
{
	if (getenv("FAKE_PATH_TRACE"))
		printf("# %9.3f ms: id %u size %u ttl %u\n", (double)(path->now_us - path->sent_us[0]) / 1e3, request->id, request->size, request->hop_limit);
}

struct mtu_search *fake_path_run(struct fake_path *path, const struct mtu_search_options *options, int64_t stop_us)
{
	struct mtu_search *search = mtu_search_new(options, path->now_us);
	int64_t begun_us = path->now_us, wake_us = 0;
	struct probe_request request;

	for (unsigned steps = 0; !path->fault; steps++) {
		enum probe_step step;

		if (stop_us && path->now_us - begun_us >= stop_us)
			mtu_search_stop(search, path->now_us);
		step = mtu_search_step(search, path->now_us, &request, &wake_us);
		if (step == STEP_DONE)
			break;
		promise(path, steps < 100000, "an end");
		if (step == STEP_SEND) {
			check_request(path, options, &request);
			trace(path, &request);
			send(path, &request);
			continue;
		}
		promise(path, wake_us > path->now_us, "a time to wake that is ahead");
		pass_time(path, search, stop_us ? MIN(wake_us, begun_us + stop_us) : wake_us);
	}
	return search;
}
