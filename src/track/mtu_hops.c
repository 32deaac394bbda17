/* SPDX-License-Identifier: MIT */
/* At which hop does the path become narrow? A router looks at the hop limit when a packet comes in and at the MTU when it goes out, so the last one that says of a
 * large packet that its hop limit is used up is the one whose way out is too narrow (RULES §5.1). */
#include "mtu_parts.h"

#define BATCH 5
#define BATCH_LIMITED 2
/* So many mute hops in a row end the walk. */
#define MUTE_MOST 5
#define TRIES_MUTE 3
#define TRIES_LARGE 2
#define TRIES_BORDER (MTU_TRIES_MOST + 3)
/* Routers answer only so often; a silence is asked again after the first time, one that was not proven after the second (one answer a second: RULES fact 31). */
#define AGAIN_US 300000
#define AGAIN_LIMITED_US 1100000
/* Within this time a router's allowance does not grow by a whole answer. */
#define BEHIND_US 60000
/* Silent hops behind the nearest one in doubt that are asked again. */
#define BEHIND_BORDER 3

bool mtu_hops_lane(const struct mtu_search *search, enum probe_lane *lane)
{
	bool by_side = search->path.method == PROBE_TCP && search->options.side_method >= 0;

	*lane = by_side ? LANE_SIDE : search->lane;
	return by_side || search->path.method != PROBE_TCP;
}

static unsigned hops_most(const struct mtu_search *search)
{
	return MIN(search->options.max_hops, PATH_HOPS_MAX);
}

static bool answered(const struct mtu_search *search, unsigned ttl)
{
	return search->path.hops[ttl - 1].reply != REPLY_NONE;
}

static bool large_answered(const struct mtu_search *search, unsigned ttl)
{
	return search->path.hops[ttl - 1].large != REPLY_NONE;
}

/* Last ttl that was asked, or is the host's. */
static unsigned walked(const struct mtu_search *search)
{
	const struct mtu_hops *hops = &search->hops;

	return hops->distance ? hops->distance : MAX(hops->next, 1) - 1u;
}

/** struct reach - how far large packets get. @last: ttl of the last router that let one expire, 0 none. @told: least ttl that drew "too big", 0 none: somebody before it tells. */
struct reach {
	unsigned last, told;
};

static struct reach reach(const struct mtu_search *search)
{
	struct reach reach = { 0 };

	for (unsigned ttl = 1; ttl <= walked(search); ttl++) {
		uint8_t large = search->path.hops[ttl - 1].large;

		if (large == REPLY_TOO_BIG && !reach.told)
			reach.told = ttl;
		if (large == REPLY_EXPIRED)
			reach.last = ttl;
	}
	return reach;
}

static void ask_small(struct mtu_search *search, unsigned ttl, int64_t not_before_us)
{
	mtu_round_add(search, FOR_HOP, search->small, (uint8_t)ttl, not_before_us);
}

static void ask_large(struct mtu_search *search, unsigned ttl, int64_t not_before_us)
{
	mtu_round_add(search, FOR_HOP_LARGE, search->hops.large, (uint8_t)ttl, not_before_us);
}

void mtu_hops_sent(struct mtu_search *search, unsigned index)
{
	const struct mtu_sent *sent = &search->sent[index];
	struct mtu_hops *hops = &search->hops;
	unsigned ttl = sent->item.hop_limit;
	struct path_hop *hop = &search->path.hops[ttl - 1];

	hop->ttl = (uint8_t)ttl;
	hop->tries = (uint8_t)MIN(hop->tries + 1, UINT8_MAX);
	if (sent->item.purpose == FOR_HOP) {
		if (!hops->small_tries[ttl]++)
			hop->rtt_us = -1;
		hops->small_us[ttl] = sent->sent_us;
		/* Right behind a large one it shows that this router had an answer left for that. */
		hops->control[ttl] = hops->large_tries[ttl] && sent->sent_us - hops->large_us[ttl] <= BEHIND_US ? (uint16_t)(index + 1) : 0;
		return;
	}
	hop->large_sent = true;
	hops->large_tries[ttl]++;
	hops->large_us[ttl] = sent->sent_us;
}

static bool is_host(const struct mtu_search *search, const struct probe_outcome *outcome)
{
	return outcome->reply == REPLY_ARRIVED || (outcome->reply != REPLY_EXPIRED && addr_equal(&outcome->from, &search->options.target));
}

static void heard_small(struct mtu_search *search, unsigned ttl, unsigned id, const struct probe_outcome *outcome)
{
	struct path_hop *hop = &search->path.hops[ttl - 1];
	struct mtu_hops *hops = &search->hops;

	hops->proven[ttl] |= hops->control[ttl] == id;
	if (hop->reply != REPLY_NONE)
		return;
	hop->reply = outcome->reply;
	hop->address = outcome->from;
	hop->rtt_us = outcome->rtt_us;
	if (is_host(search, outcome))
		hops->distance = (uint8_t)(hops->distance ? MIN(hops->distance, ttl) : ttl);
	else
		hops->last = (uint8_t)MAX(hops->last, ttl);
}

void mtu_hops_heard(struct mtu_search *search, const struct mtu_sent *sent, const struct probe_outcome *outcome)
{
	unsigned ttl = sent->item.hop_limit;
	struct path_hop *hop = &search->path.hops[ttl - 1];

	if (outcome->reply == REPLY_LOCAL)
		return;
	if (sent->item.purpose == FOR_HOP) {
		heard_small(search, ttl, (unsigned)(sent - search->sent) + 1, outcome);
		return;
	}
	if (hop->large != REPLY_NONE)
		return;
	hop->large = outcome->reply;
	search->hops.told_by[ttl] = outcome->from;
	if (hop->reply == REPLY_NONE && outcome->reply == REPLY_EXPIRED)
		hop->address = outcome->from;
}

/* Further along, several hops at once, up to the host or to where nothing answers any more. */
static void plan_further(struct mtu_search *search)
{
	struct mtu_hops *hops = &search->hops;
	enum probe_lane lane = LANE_MAIN;
	unsigned batch;

	mtu_hops_lane(search, &lane);
	batch = mtu_round_limited(search, lane) ? BATCH_LIMITED : BATCH;
	for (; batch && !hops->distance && hops->next <= hops_most(search) && hops->next <= hops->last + MUTE_MOST; batch--)
		ask_small(search, hops->next++, 0);
}

/* Does a large packet get another try at @ttl, and when? @border: nearest hop that is in doubt. */
static bool large_again(const struct mtu_search *search, unsigned ttl, bool border, int64_t *not_before_us)
{
	const struct mtu_hops *hops = &search->hops;
	bool doubtful = border && answered(search, ttl) && !hops->proven[ttl];
	unsigned tries = doubtful ? TRIES_BORDER : border ? mtu_narrow_tries(search) + 1 : TRIES_LARGE;
	/* What reaches the host, or dies before, is known; only who tells of it is not. */
	if (ttl == hops->distance)
		tries = 1;

	if (large_answered(search, ttl) || hops->large_tries[ttl] >= tries)
		return false;
	*not_before_us = 0;
	if (hops->large_tries[ttl])
		*not_before_us = hops->large_us[ttl] + (doubtful && hops->large_tries[ttl] > 1 ? AGAIN_LIMITED_US : AGAIN_US);
	return true;
}

/* Where somebody tells, only the hops between the last that let a large packet expire and the first that drew his word are in doubt. */
static void plan_large(struct mtu_search *search)
{
	bool tells = mtu_sizes_note(&search->sizes, search->hops.large)->told > 0;
	struct reach far = reach(search);
	unsigned end = far.told ? far.told - 1 : walked(search), asked = 0;
	int64_t not_before_us;

	for (unsigned ttl = far.last + 1; ttl <= end; ttl++) {
		bool again = search->hops.large_tries[ttl] > 0, border = !asked;

		/* A router that is mute to small packets is so to large ones. */
		if (!tells && !answered(search, ttl))
			continue;
		if (again && asked >= BEHIND_BORDER)
			break;
		asked++;
		if (!large_again(search, ttl, border, &not_before_us))
			continue;
		ask_large(search, ttl, not_before_us);
		if (border && again)
			ask_large(search, ttl, not_before_us);
		if (border && again && answered(search, ttl))
			ask_small(search, ttl, not_before_us);
	}
}

static void plan_mute(struct mtu_search *search)
{
	const struct mtu_hops *hops = &search->hops;

	for (unsigned ttl = 1; ttl <= walked(search); ttl++) {
		if (!answered(search, ttl) && hops->small_tries[ttl] < TRIES_MUTE)
			ask_small(search, ttl, hops->small_us[ttl] + (hops->small_tries[ttl] > 1 ? AGAIN_LIMITED_US : AGAIN_US));
	}
}

bool mtu_hops_plan(struct mtu_search *search)
{
	struct mtu_hops *hops = &search->hops;

	if (!hops->next)
		hops->next = 1;
	mtu_round_begin(search);
	plan_further(search);
	if (!search->round.planned && hops->large)
		plan_large(search);
	if (search->round.planned == 0 || hops->next > hops_most(search) || hops->distance || hops->next > hops->last + MUTE_MOST)
		plan_mute(search);
	if (search->sent_count + search->round.planned > MTU_PROBES_MAX)
		search->round.planned = 0;
	search->round.open = search->round.planned > 0;
	return search->round.open;
}

/* The first hop behind @after that answers small packets, not looking farther than @end; 0 none. */
static unsigned next_answering(const struct mtu_search *search, unsigned after, unsigned end)
{
	for (unsigned ttl = after + 1; ttl <= end; ttl++) {
		if (answered(search, ttl))
			return ttl;
	}
	return 0;
}

/* Whose way out is too narrow (ttl, 0 this machine), and the next hop that shows it. What tells but lets nothing expire stands right before the hop that drew its word. */
static unsigned narrow_at(const struct mtu_search *search, const struct reach *reach, unsigned *before)
{
	*before = next_answering(search, reach->last, reach->told > reach->last ? reach->told - 1 : walked(search));
	if (*before || reach->told <= reach->last)
		return reach->last;
	*before = reach->told;
	return reach->told - 1;
}

/* Another protocol for which the path is wide enough says nothing of the place where this one's packets vanish. */
static bool passes_beside(const struct mtu_search *search)
{
	enum probe_lane lane;
	bool arrives = false;

	for (unsigned ttl = 1; ttl <= walked(search); ttl++)
		arrives |= search->path.hops[ttl - 1].large == REPLY_ARRIVED;
	return arrives && mtu_hops_lane(search, &lane) && lane != search->lane;
}

bool mtu_hops_prove(const struct mtu_search *search)
{
	struct reach far = reach(search);
	unsigned before, at = narrow_at(search, &far, &before);
	const struct path_hop *next = before ? &search->path.hops[before - 1] : NULL;

	if (!search->hops.large || far.told || !next || next->reply != REPLY_EXPIRED || search->hops.large_tries[before] < TRIES_LARGE)
		return false;
	return before > at && search->hops.proven[before];
}

/* Large packets reach it, whatever it says of hop limits. */
static bool first_router_told(const struct mtu_path *path)
{
	return path->told_by >= 0 && path->hops[0].reply == REPLY_EXPIRED && addr_equal(&path->told[path->told_by].from, &path->hops[0].address);
}

void mtu_hops_place(struct mtu_search *search)
{
	struct mtu_path *path = &search->path;
	struct reach far = reach(search);
	unsigned before, at = narrow_at(search, &far, &before);

	path->hop_count = search->hops.distance ? search->hops.distance : MAX(search->hops.last, at);
	if (!search->hops.large || passes_beside(search) || (!far.told && !search->hops.last && before != 1))
		return;
	path->shrink_ttl = (uint8_t)at;
	path->shrink_before = (uint8_t)before;
	path->place = before != at + 1 ? SHRINK_BETWEEN : at ? SHRINK_AT : SHRINK_HERE;
	if (far.told)
		path->shrink_address = search->hops.told_by[far.told];
	else if (at)
		path->shrink_address = path->hops[at - 1].address;
	if (path->place == SHRINK_HERE && first_router_told(path)) {
		path->place = SHRINK_AT;
		path->shrink_ttl = 1;
		path->shrink_before = 2;
	}
}
