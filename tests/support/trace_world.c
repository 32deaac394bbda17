/* SPDX-License-Identifier: MIT */
/* The simulated path: what becomes of a probe is computed when it is sent and delivered when its time has come. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "trace_world.h"

#define BEGIN_US INT64_C(1000000000)

struct addr world_router(unsigned index)
{
	return addr_v4(0x0a000001 + (index << 8));
}

static double chance(struct world *world)
{
	world->seed = world->seed * 1664525u + 1013904223u;
	return (double)(world->seed >> 8) / (1 << 24);
}

static bool router_speaks(struct world *world, unsigned router)
{
	if (world->mute[router])
		return false;
	if (!world->limited[router])
		return true;
	if (world->said_us[router] && world->now_us < world->said_us[router] + 1000000)
		return false;
	world->said_us[router] = world->now_us;
	return true;
}

/* In a loop the packet goes to and fro between loop_from − 1 and loop_from. */
static unsigned router_at(const struct world *world, unsigned ttl)
{
	if (!world->loop_from || ttl <= world->loop_from)
		return ttl;
	return world->loop_from - (ttl - world->loop_from) % 2;
}

static struct probe_outcome say(struct world *world, const struct probe_request *request, unsigned hops, uint8_t reply, struct addr from, uint8_t first_ttl)
{
	return (struct probe_outcome){ .id = request->id, .lane = request->lane, .hop_limit = request->hop_limit, .reply = reply, .from = from,
		.rtt_us = hops * WORLD_HOP_US + world->late_us,
		.reply_ttl = request->lane == LANE_SIDE || world->options.sees_ttl ? (uint8_t)(first_ttl - (hops - 1)) : 0 };
}

static struct probe_outcome say_icmp(struct world *world, const struct probe_request *request, unsigned router, uint8_t reply, uint8_t type, uint8_t code)
{
	struct addr from = world_router((world->one_address ? 1 : router) + (world->stranger && request->lane == LANE_SIDE ? 100 : 0));
	struct probe_outcome outcome = say(world, request, router, router_speaks(world, router) ? reply : REPLY_NONE, from, 64);

	outcome.is_icmp = true;
	outcome.icmp_type = type;
	outcome.icmp_code = code;
	return outcome;
}

static bool can_pay(struct world *world)
{
	if (!world->poor)
		return true;
	world->account += (double)(world->now_us - (world->paid_us ? world->paid_us : BEGIN_US)) / 1e6;
	world->account = world->account > 5 ? 5 : world->account;
	world->paid_us = world->now_us;
	for (unsigned i = 0; i < 2; i++) {
		if (world->account < 1)
			return false;
		world->account -= 1;
	}
	return true;
}

static struct probe_outcome act_on_syn(struct world *world, const struct probe_request *request)
{
	switch (world->act) {
	case ACT_RST:
	case ACT_EARLY_RST:
		return say(world, request, world->cut_at, REPLY_REFUSED, world->options.target, world->rst_ttl);
	case ACT_PROHIBIT:
		return say_icmp(world, request, world->cut_at, REPLY_PROHIBITED, 3, 13);
	case ACT_REJECT:
		return say_icmp(world, request, world->cut_at, REPLY_REJECTED, 3, 3);
	case ACT_NO_ROUTE:
		if (world->now_us < BEGIN_US + world->unreachable_us || !can_pay(world))
			return (struct probe_outcome){ .reply = REPLY_NONE };
		return say_icmp(world, request, world->cut_at, REPLY_UNREACHABLE, 3, 1);
	default:
		return (struct probe_outcome){ .reply = REPLY_NONE };
	}
}

/* The SYN arrives after half of the round trip, the reset of our kernel to what the host says after one and a half. */
static bool is_taken(struct world *world)
{
	int64_t rtt_us = (world->routers + 1) * WORLD_HOP_US + world->late_us, arrives_us = world->now_us + rtt_us / 2;
	bool taken = world->options.most == 1 || world->options.split || arrives_us >= world->half_open_us;

	if (taken)
		world->half_open_us = arrives_us + rtt_us;
	return taken;
}

static struct probe_outcome fate(struct world *world, const struct probe_request *request)
{
	bool main = request->lane == LANE_MAIN;
	unsigned ttl = request->hop_limit ? request->hop_limit : 64, routers = !main && world->side_routers ? world->side_routers : world->routers;
	unsigned cut = main ? world->cut_at : world->side_cut;
	bool before = main && world->act == ACT_EARLY_RST;

	if (main && world->local)
		return (struct probe_outcome){ .id = request->id, .lane = LANE_MAIN, .reply = REPLY_LOCAL, .error = world->local, .rtt_us = -1 };
	if (main && world->full_lost && !request->hop_limit)
		return (struct probe_outcome){ .reply = REPLY_NONE };
	if (cut && (before ? ttl >= cut : ttl > cut))
		return main || world->poor ? act_on_syn(world, request) : (struct probe_outcome){ .reply = REPLY_NONE };
	if (ttl <= routers || world->loop_from)
		return say_icmp(world, request, router_at(world, ttl), REPLY_EXPIRED, 11, 0);
	if (!main)
		return world->deaf ? (struct probe_outcome){ .reply = REPLY_NONE } : say(world, request, routers + 1, REPLY_ARRIVED, world->options.target, world->host_ttl);
	if (world->port == PORT_SILENT || (world->port == PORT_OPEN && !is_taken(world)))
		return (struct probe_outcome){ .reply = REPLY_NONE };
	return say(world, request, routers + 1, world->port == PORT_OPEN ? REPLY_OPEN : REPLY_REFUSED, world->options.target, world->host_ttl);
}

static void check_request(struct world *world, const struct probe_request *request)
{
	unsigned in_second = 0, under_way = 0;

	assert_int_equal(request->id, world->sent_count + 1);
	assert_true(request->lane < LANE_COUNT);
	assert_true(request->lane == LANE_MAIN || world->options.side_method >= 0);
	assert_true(request->hop_limit <= world->options.max_hops);
	assert_true(request->deadline_us > world->now_us);
	for (unsigned i = 0; i < world->sent_count; i++) {
		in_second += world->sent_us[i] > world->now_us - 1000000;
		under_way += world->until_us[i] > world->now_us;
	}
	assert_true(in_second + 1 <= 50);
	if (request->lane == LANE_MAIN) {
		world->most_seen = under_way + 1 > world->most_seen ? under_way + 1 : world->most_seen;
		world->syns++;
		/* One after the other on one port: none begins before the last is over. */
		assert_true(world->options.most > 1 || !under_way);
	} else {
		world->side_us = world->sides++ ? world->side_us : world->now_us;
		/* The host is not asked more than it answers; what routers answered did not reach it. */
		assert_true(!world->options.side_burst || (double)world->sides <= world->options.side_burst + world->refunds +
									      (double)(world->now_us - world->side_us) / 1e6 * world->options.side_per_s);
	}
}

static void send_one(struct world *world, const struct probe_request *request)
{
	struct probe_outcome outcome;

	check_request(world, request);
	outcome = fate(world, request);
	assert_true(world->sent_count < WORLD_EVENTS_MAX);
	world->sent_us[world->sent_count] = world->now_us;
	world->until_us[world->sent_count++] = request->lane == LANE_MAIN ? request->deadline_us : 0;
	if (outcome.reply == REPLY_NONE || chance(world) < world->loss || chance(world) < world->loss)
		return;
	world->events[world->event_count++] = (struct world_event){ outcome, world->now_us + (outcome.rtt_us > 0 ? outcome.rtt_us : 0) };
	/* What comes after the deadline nobody listens to any more. */
	if (world->events[world->event_count - 1].at_us > request->deadline_us)
		world->event_count--;
	else if (request->lane == LANE_MAIN)
		world->until_us[world->sent_count - 1] = world->events[world->event_count - 1].at_us;
}

static void deliver(struct world *world, struct path_trace *trace)
{
	for (unsigned i = 0; i < world->event_count;) {
		struct world_event event = world->events[i];

		if (event.at_us > world->now_us) {
			i++;
			continue;
		}
		world->events[i] = world->events[--world->event_count];
		world->refunds += event.outcome.lane == LANE_SIDE && event.outcome.reply != REPLY_ARRIVED;
		path_trace_outcome(trace, &event.outcome, world->now_us);
	}
}

static void advance(struct world *world, int64_t wake_us)
{
	assert_true(wake_us > world->now_us);
	for (unsigned i = 0; i < world->event_count; i++)
		wake_us = world->events[i].at_us < wake_us ? world->events[i].at_us : wake_us;
	world->now_us = wake_us > world->now_us ? wake_us : world->now_us;
}

const struct trace_path *world_run(struct world *world, struct path_trace **trace)
{
	struct probe_request request;
	enum probe_step step;
	int64_t wake_us = 0;

	world->now_us = BEGIN_US;
	*trace = path_trace_new(&world->options, world->now_us);
	while ((step = path_trace_step(*trace, world->now_us, &request, &wake_us)) != STEP_DONE) {
		if (step == STEP_SEND)
			send_one(world, &request);
		else
			advance(world, wake_us);
		deliver(world, *trace);
	}
	assert_int_equal(path_trace_path(*trace)->probes_sent, world->sent_count);
	assert_int_equal(path_trace_path(*trace)->elapsed_us, world->now_us - BEGIN_US);
	return path_trace_path(*trace);
}
