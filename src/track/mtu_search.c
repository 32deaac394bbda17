/* SPDX-License-Identifier: MIT */
/* The search for a path MTU as its driver sees it: first whether anything answers, then the size, then the hop; each outcome changes what is known. */
#include <errno.h>
#include <stdlib.h>

#include "mtu_parts.h"

/* A control that every link carries and every host answers. */
#define SMALL 64
/* BASE_PLPMTU of RFC 8899 §5.1.2, without headers. */
#define BASE 1200
#define CONTACT_TRIES 3
#define CONTACT_AGAIN_US 200000
/* An address that nobody on the link answers for is said to be unreachable after 3 s (RULES fact 8): the last control waits for that. */
#define CONTACT_TIME_US 3300000
#define REOPENED_MOST 2
/* What a Linux host answers by UDP (RULES fact 31), for a lane whose limit nobody told. */
#define UDP_BURST 6
#define UDP_PER_S 1

static uint32_t headers(const struct mtu_search_options *options)
{
	return addr_ip_header(options->family) + (options->method == PROBE_TCP ? 20 : 8);
}

static struct mtu_budget budget(unsigned burst, double per_s, int64_t now_us)
{
	bool limited = burst > 0 && per_s > 0;

	return (struct mtu_budget){ .burst = limited ? burst : 0, .left = limited ? burst : 0, .per_s = limited ? per_s : 0, .at_us = now_us };
}

struct mtu_search *mtu_search_new(const struct mtu_search_options *options, int64_t now_us)
{
	struct mtu_search *search = xcalloc(1, sizeof(*search));

	search->options = *options;
	search->begun_us = search->now_us = now_us;
	search->rtt_us = search->path.rtt_us = -1;
	search->path.method = options->method;
	search->path.hop_method = options->side_method >= 0 && options->method == PROBE_TCP ? (uint8_t)options->side_method : options->method;
	search->top = MAX(options->largest, 1);
	search->small = MIN(MAX(options->smallest, SMALL), search->top);
	search->base = MIN(MAX(BASE + headers(options), search->small), search->top);
	search->pace.spacing_us = MTU_SPACING_US;
	search->budget[LANE_MAIN] = budget(options->answers_burst, options->answers_per_s, now_us);
	if (options->side_method == PROBE_UDP)
		search->budget[LANE_SIDE] = budget(UDP_BURST, UDP_PER_S, now_us);
	mtu_result_publish(search);
	return search;
}

void mtu_search_free(struct mtu_search *search)
{
	free(search);
}

const struct mtu_path *mtu_search_path(const struct mtu_search *search)
{
	return &search->path;
}

/* The first time everything that a healthy path needs: the largest, and the base as a witness that is sent after it. */
static bool plan_contact(struct mtu_search *search)
{
	int64_t again_us = search->contact_tries ? search->round.last_us + CONTACT_AGAIN_US : 0;

	if (search->contact_tries == CONTACT_TRIES) {
		search->concluded = true;
		return false;
	}
	mtu_round_begin(search);
	mtu_round_add(search, FOR_CONTROL, search->small, 0, again_us);
	if (search->contact_tries && !search->said)
		mtu_round_add(search, FOR_CONTROL, search->small, 0, again_us + CONTACT_AGAIN_US);
	if (search->contact_tries == CONTACT_TRIES - 1)
		search->round.until_us = search->begun_us + CONTACT_TIME_US;
	if (!search->contact_tries++) {
		if (search->top > search->small)
			mtu_round_add(search, FOR_SIZE, search->top, 0, 0);
		if (search->base > search->small && search->base < search->top)
			mtu_round_add(search, FOR_SIZE, search->base, 0, 0);
		search->round.burst = search->round.planned;
	}
	return true;
}

static bool is_narrow(const struct mtu_search *search)
{
	return search->path.finding == MTU_NARROWER_TOLD || search->path.finding == MTU_BLACK_HOLE_FOUND;
}

static void begin_hops(struct mtu_search *search)
{
	enum probe_lane lane;

	mtu_result_publish(search);
	search->stage = STAGE_DONE;
	if (!search->options.max_hops || !mtu_hops_lane(search, &lane) || !(is_narrow(search) || search->options.all_hops))
		return;
	search->stage = STAGE_HOPS;
	search->hops.large = is_narrow(search) ? search->path.silent ? search->path.silent : search->path.smallest_lost : 0;
}

/* A size that was thought to fail passes after all. */
static bool reopened(struct mtu_search *search)
{
	if (!search->hops.large || mtu_sizes_passed(&search->sizes) < search->hops.large || search->reopened++ >= REOPENED_MOST)
		return false;
	for (unsigned i = 0; i < PATH_HOPS_MAX; i++)
		search->path.hops[i] = (struct path_hop){ 0 };
	search->hops = (struct mtu_hops){ 0 };
	search->exact = false;
	search->stage = STAGE_NARROW;
	return true;
}

static bool is_bounded(const struct mtu_search *search)
{
	return search->sent_count < MTU_PROBES_MAX - MTU_PROBES_HOPS - MTU_ROUND_MAX;
}

static void plan_narrow(struct mtu_search *search)
{
	/* So many probes are not needed where silence is size. */
	if (!is_bounded(search))
		search->path.partial = search->path.lossy = true;
	else if (mtu_narrow_plan(search))
		return;
	mtu_result_publish(search);
	if (mtu_confirm_wanted(search))
		search->stage = STAGE_CONFIRM;
	else
		begin_hops(search);
}

static void plan_confirm(struct mtu_search *search)
{
	if (mtu_confirm_contradicts(search)) {
		mtu_confirm_change(search);
		search->stage = STAGE_NARROW;
	} else if (!mtu_confirm_plan(search)) {
		begin_hops(search);
	}
}

/* Prepares the next round, or comes nearer to the end. */
static void plan(struct mtu_search *search)
{
	switch (search->stage) {
	case STAGE_CONTACT:
		if (mtu_sizes_passed(&search->sizes))
			search->stage = STAGE_NARROW;
		else if (!plan_contact(search))
			search->stage = STAGE_DONE;
		return;
	case STAGE_NARROW:
		plan_narrow(search);
		return;
	case STAGE_CONFIRM:
		plan_confirm(search);
		return;
	case STAGE_HOPS:
		if (!reopened(search) && !mtu_hops_plan(search))
			search->stage = STAGE_DONE;
		return;
	case STAGE_DONE:
		return;
	}
}

enum probe_step mtu_search_step(struct mtu_search *search, int64_t now_us, struct probe_request *request, int64_t *wake_us)
{
	search->now_us = MAX(search->now_us, now_us);
	if (search->stage != STAGE_DONE && search->now_us - search->begun_us > MTU_TIME_MAX_US)
		mtu_search_stop(search, now_us);
	while (search->stage != STAGE_DONE) {
		enum probe_step step = STEP_DONE;

		if (search->round.open)
			step = mtu_round_step(search, search->now_us, request, wake_us);
		if (step == STEP_WAIT)
			*wake_us = MAX(MIN(*wake_us, search->begun_us + MTU_TIME_MAX_US + 1), now_us + 1);
		if (step != STEP_DONE)
			return step;
		plan(search);
		mtu_result_publish(search);
	}
	return STEP_DONE;
}

static void measure(struct mtu_search *search, const struct mtu_sent *sent, const struct probe_outcome *outcome)
{
	int64_t most = search->now_us - sent->sent_us, rtt = outcome->rtt_us >= 0 && outcome->rtt_us < most ? outcome->rtt_us : most;

	search->rtt_us = search->rtt_us < 0 ? rtt : (3 * search->rtt_us + rtt) / 4;
	search->path.rtt_us = search->path.rtt_us < 0 ? rtt : MIN(search->path.rtt_us, rtt);
}

static void passed(struct mtu_search *search, struct mtu_sent *sent)
{
	struct mtu_note *note = mtu_sizes_note(&search->sizes, sent->item.size);

	if (sent->counted && sent->item.purpose == FOR_CONTROL) {
		search->path.controls_lost--;
		search->controls_lost -= search->controls_lost > 0;
	}
	sent->counted = false;
	if (!note)
		return;
	if (sent->item.purpose != FOR_SIZE)
		note->tries++;
	search->contradictions += note->lost > 1 && !sent->given_up;
	mtu_sizes_pass(&search->sizes, note);
}

static void did_not_pass(struct mtu_search *search, struct mtu_sent *sent, const struct probe_outcome *outcome)
{
	struct mtu_note *note = sent->item.purpose == FOR_SIZE && sent->lane == search->lane ? mtu_sizes_note(&search->sizes, sent->item.size) : NULL;

	sent->own_limit = outcome->reply == REPLY_LOCAL && outcome->error == EMSGSIZE;
	if (outcome->reply == REPLY_TOO_BIG)
		mtu_told_heard(search, sent->item.size, outcome);
	if (note && outcome->reply == REPLY_TOO_BIG)
		mtu_told_note(search, note, outcome);
	if (note && sent->own_limit)
		note->local++;
	if (note && sent->own_limit && outcome->mtu && outcome->mtu < MIN(sent->item.size, search->top)) {
		search->top = MAX(outcome->mtu, search->small);
		search->top_told = true;
	}
	if (sent->item.purpose != FOR_CONTROL || outcome->reply == REPLY_TOO_BIG || sent->own_limit || search->stage != STAGE_CONTACT)
		return;
	search->said = true;
	search->path.says = outcome->reply;
	search->path.says_by = outcome->from;
	search->path.says_error = outcome->reply == REPLY_LOCAL ? outcome->error : 0;
	search->path.says_icmp = outcome->is_icmp;
	search->path.says_type = outcome->icmp_type;
	search->path.says_code = outcome->icmp_code;
}

static void settle_budget(struct mtu_search *search, struct mtu_sent *sent, bool by_host)
{
	struct mtu_budget *budget = &search->budget[sent->lane];

	if (by_host && !sent->reserved)
		mtu_budget_take(budget, search->now_us);
	if (!by_host && sent->reserved)
		mtu_budget_give(budget, search->now_us);
	sent->reserved = false;
}

static void heard(struct mtu_search *search, struct mtu_sent *sent, const struct probe_outcome *outcome)
{
	bool arrived = outcome->reply == REPLY_ARRIVED;

	settle_budget(search, sent, arrived);
	sent->reply = outcome->reply;
	if (sent->item.hop_limit)
		mtu_hops_heard(search, sent, outcome);
	if (sent->item.purpose == FOR_WITNESS && sent->lane != search->lane) {
		/* One that arrives says it all, and the host's answers are scarce. */
		if (arrived && sent->item.size > search->small)
			search->round.planned = search->round.sent;
		return;
	}
	if (sent->item.hop_limit && (sent->lane != search->lane || !arrived || sent->item.purpose != FOR_HOP_LARGE))
		return;
	if (!arrived) {
		did_not_pass(search, sent, outcome);
		return;
	}
	if (!sent->item.hop_limit)
		measure(search, sent, outcome);
	passed(search, sent);
}

void mtu_search_outcome(struct mtu_search *search, const struct probe_outcome *outcome, int64_t now_us)
{
	struct mtu_sent *sent;

	if (!outcome->id || outcome->id > search->sent_count || search->stage == STAGE_DONE)
		return;
	sent = &search->sent[outcome->id - 1];
	if (sent->lane != outcome->lane || outcome->reply == REPLY_NONE || outcome->reply >= PROBE_REPLY_COUNT)
		return;
	/* What arrived arrived, whatever else was said of it before; any other second answer is a copy or a lie. */
	if (sent->reply != REPLY_NONE && (outcome->reply != REPLY_ARRIVED || sent->reply == REPLY_ARRIVED))
		return;
	search->now_us = MAX(search->now_us, now_us);
	heard(search, sent, outcome);
	mtu_result_publish(search);
}

void mtu_search_stop(struct mtu_search *search, int64_t now_us)
{
	search->now_us = MAX(search->now_us, now_us);
	if (search->stage == STAGE_DONE)
		return;
	search->path.partial = true;
	/* Of a host that was not given the time to answer nothing is known. */
	if (search->stage == STAGE_CONTACT && !mtu_sizes_passed(&search->sizes))
		search->concluded = search->said || (search->path.controls_lost && !mtu_sizes_failed(&search->sizes));
	/* Where the walk was not finished, the place is not known. */
	search->hops.large = 0;
	search->stage = STAGE_DONE;
	mtu_result_publish(search);
}
