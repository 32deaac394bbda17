/* SPDX-License-Identifier: MIT */
/* One round of probes: sent at the pace, waited for, and closed: only then, and only beside controls that were answered, a silent size counts as lost. */
#include <stdlib.h>

#include "mtu_parts.h"

#define WAIT_FIRST_US 1000000
#define WAIT_LEAST_US 200000
#define WAIT_MOST_US 4000000
/* An acknowledgement may be delayed (RFC 9293 §3.8.6.3: < 0.5 s, 40 to 200 ms in practice), and a connection stands before it. */
#define WAIT_LEAST_TCP_US 300000
/* A sender with room for many remembers a probe for longer than its round lasts: what comes late still mends the result. */
#define MANY 32
#define LATE_US 1000000
/* Shorter waiting for the host's allowance is not worth a word. */
#define HELD_TELL_US 100000
/* Within this time no allowance grows by a whole answer. */
#define BEHIND_US 60000
#define SPACING_MOST_US 160000
#define SIZES_BETWEEN_CONTROLS 4

bool mtu_round_limited(const struct mtu_search *search, enum probe_lane lane)
{
	return search->budget[lane].burst > 0;
}

int64_t mtu_round_wait_us(const struct mtu_search *search)
{
	int64_t least = search->options.method == PROBE_TCP && search->stage != STAGE_HOPS ? WAIT_LEAST_TCP_US : WAIT_LEAST_US;

	if (search->rtt_us < 0)
		return WAIT_FIRST_US;
	return MIN(MAX(least, 4 * search->rtt_us), WAIT_MOST_US);
}

void mtu_round_begin(struct mtu_search *search)
{
	search->round = (struct mtu_round){ .first = search->sent_count, .open = true, .burst = 1 };
}

void mtu_round_add(struct mtu_search *search, enum mtu_purpose purpose, uint32_t size, uint8_t hop_limit, int64_t not_before_us)
{
	struct mtu_round *round = &search->round;

	if (round->planned == MTU_ROUND_MAX)
		return;
	round->plan[round->planned++] = (struct mtu_item){ .purpose = (uint8_t)purpose, .size = size, .hop_limit = hop_limit, .not_before_us = not_before_us };
}

static int by_size_descending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y) - (x > y);
}

void mtu_round_sizes(struct mtu_search *search, uint32_t *sizes, size_t count)
{
	bool limited = mtu_round_limited(search, search->lane);

	qsort(sizes, count, sizeof(*sizes), by_size_descending);
	mtu_round_begin(search);
	for (size_t i = 0; i < count; i++) {
		if (!limited && i % SIZES_BETWEEN_CONTROLS == 0)
			mtu_round_add(search, FOR_CONTROL, search->small, 0, 0);
		if (!i || sizes[i] != sizes[i - 1])
			mtu_round_add(search, FOR_SIZE, sizes[i], 0, 0);
	}
	if (!limited)
		mtu_round_add(search, FOR_CONTROL, search->small, 0, 0);
}

static bool is_hop(const struct mtu_item *item)
{
	return item->purpose == FOR_HOP || item->purpose == FOR_HOP_LARGE;
}

static enum probe_lane lane_of(const struct mtu_search *search, const struct mtu_item *item)
{
	enum probe_lane lane = item->purpose == FOR_WITNESS ? LANE_SIDE : search->lane;

	if (is_hop(item) && !mtu_hops_lane(search, &lane))
		BUG();
	return lane;
}

/* The host's allowance must have room for an answer, or silence would mean nothing. */
static bool wants_answer(const struct mtu_item *item)
{
	return item->purpose != FOR_HOP_LARGE;
}

/* Whether a larger size draws an answer is the question; for what passes one is set aside at once. */
static bool sets_aside(const struct mtu_search *search, const struct mtu_item *item)
{
	return wants_answer(item) && !((item->purpose == FOR_SIZE || item->purpose == FOR_WITNESS) && item->size > mtu_sizes_passed(&search->sizes));
}

/* When one more may be under way: the time at which enough of those that are out are forgotten by their sender. */
static int64_t slot_when(const struct mtu_search *search, int64_t now_us)
{
	int64_t earliest = INT64_MAX;
	unsigned out = 0;

	for (unsigned i = 0; i < search->sent_count; i++) {
		const struct mtu_sent *sent = &search->sent[i];

		if (sent->reply != REPLY_NONE || sent->deadline_us <= now_us)
			continue;
		out++;
		earliest = MIN(earliest, sent->deadline_us);
	}
	return out < MAX(search->options.most, 1) ? now_us : earliest;
}

static int64_t item_when(struct mtu_search *search, const struct mtu_item *item, int64_t now_us)
{
	int64_t at = MAX(now_us, item->not_before_us);

	at = MAX(at, mtu_pace_when(&search->pace, search->round.sent && search->round.sent < search->round.burst));
	at = MAX(at, slot_when(search, now_us));
	if (wants_answer(item)) {
		int64_t answer = mtu_budget_when(&search->budget[lane_of(search, item)], now_us);

		if (answer > at && !search->round.held_us)
			search->round.held_us = now_us;
		at = MAX(at, answer);
	}
	return at;
}

static void send(struct mtu_search *search, int64_t now_us, struct probe_request *request)
{
	struct mtu_round *round = &search->round;
	const struct mtu_item *item = &round->plan[round->sent++];
	struct mtu_sent *sent = &search->sent[search->sent_count++];
	enum probe_lane lane = lane_of(search, item);
	int64_t wait_us = mtu_round_wait_us(search);

	*sent = (struct mtu_sent){ .item = *item, .sent_us = now_us, .lane = (uint8_t)lane, .reply = REPLY_NONE };
	sent->deadline_us = now_us + wait_us;
	if (search->options.most >= MANY)
		sent->deadline_us += LATE_US + (int64_t)(round->planned - round->sent) * search->pace.spacing_us;
	if (mtu_round_limited(search, lane) && sets_aside(search, item)) {
		mtu_budget_take(&search->budget[lane], now_us);
		sent->reserved = true;
	}
	if (item->purpose == FOR_SIZE && mtu_sizes_note(&search->sizes, item->size))
		mtu_sizes_note(&search->sizes, item->size)->tries++;
	if (is_hop(item))
		mtu_hops_sent(search, search->sent_count - 1);
	search->path.controls_sent += item->purpose == FOR_CONTROL;
	search->path.probes_sent++;
	search->path.rate_limited |= round->held_us && now_us - round->held_us >= HELD_TELL_US;
	round->held_us = 0;
	round->last_us = now_us;
	mtu_pace_sent(&search->pace, now_us);
	*request = (struct probe_request){ .id = search->sent_count, .size = item->size, .lane = sent->lane, .hop_limit = item->hop_limit, .deadline_us = sent->deadline_us };
}

/* Nothing came, or a word about a size that passed before: what that is worth shows when the packet arrives all the same. */
static bool may_arrive(const struct mtu_search *search, const struct mtu_sent *sent)
{
	const struct mtu_note *note = sent->reply == REPLY_TOO_BIG ? mtu_sizes_find(&search->sizes, sent->item.size) : NULL;

	return sent->reply == REPLY_NONE || (note && note->passed);
}

/* Nothing more is to be learnt from waiting: all was answered, or is smaller than what passed. */
static bool settled(const struct mtu_search *search)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes);

	for (unsigned i = search->round.first; i < search->sent_count; i++) {
		const struct mtu_sent *sent = &search->sent[i];

		if (may_arrive(search, sent) && !(sent->item.purpose == FOR_SIZE && sent->item.size < passed))
			return false;
	}
	return true;
}

static bool silent(const struct mtu_sent *sent)
{
	return sent->reply != REPLY_ARRIVED && sent->reply != REPLY_TOO_BIG && !sent->own_limit;
}

/* The control before it was answered. A host that answers only so often is asked for no answer that proves nothing. */
static bool good_before(const struct mtu_search *search, unsigned index)
{
	if (mtu_round_limited(search, search->lane))
		return true;
	for (unsigned i = index; i > search->round.first; i--) {
		if (search->sent[i - 1].item.purpose == FOR_CONTROL)
			return search->sent[i - 1].reply == REPLY_ARRIVED;
	}
	return false;
}

/* Something smaller that was sent after it was answered, up to the next control; at once, where the host's allowance grows meanwhile. */
static bool good_after(const struct mtu_search *search, unsigned index)
{
	int64_t until_us = mtu_round_limited(search, search->lane) ? search->sent[index].sent_us + BEHIND_US : INT64_MAX;

	for (unsigned i = index + 1; i < search->sent_count && search->sent[i].sent_us <= until_us; i++) {
		const struct mtu_sent *later = &search->sent[i];

		if (later->reply == REPLY_ARRIVED && (later->item.purpose == FOR_CONTROL || later->item.size < search->sent[index].item.size))
			return true;
		if (later->item.purpose == FOR_CONTROL)
			return false;
	}
	return false;
}

/* Words alone are no bound: beside them something must be answered. */
static bool is_worth_nothing(const struct mtu_search *search, unsigned index)
{
	const struct mtu_sent *sent = &search->sent[index];

	return sent->item.purpose == FOR_SIZE && sent->reply == REPLY_TOO_BIG && !good_after(search, index);
}

/* Where answers are scarce a control is sent only when there is silence to be judged: right behind the silent sizes, which are sent once more. Return: they were planned. */
static bool plan_control_behind(struct mtu_search *search)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes);
	unsigned end = search->sent_count, silences = 0;

	if (!mtu_round_limited(search, search->lane) || !passed || search->round.behind)
		return false;
	search->round.behind = true;
	for (unsigned i = search->round.first; i < end; i++) {
		const struct mtu_sent *sent = &search->sent[i];

		if (sent->item.purpose != FOR_SIZE || !(silent(sent) || is_worth_nothing(search, i)) || sent->item.size <= passed || good_after(search, i))
			continue;
		mtu_round_add(search, FOR_SIZE, sent->item.size, 0, 0);
		silences++;
	}
	if (silences)
		mtu_round_add(search, FOR_CONTROL, search->small, 0, 0);
	return silences > 0;
}

static void count_silence(struct mtu_search *search, unsigned index)
{
	struct mtu_sent *sent = &search->sent[index];
	struct mtu_note *note = mtu_sizes_note(&search->sizes, sent->item.size);

	if (!note || sent->item.size < mtu_sizes_passed(&search->sizes) || !good_before(search, index) || !good_after(search, index))
		return;
	note->lost++;
	sent->counted = true;
}

static void drop_word(struct mtu_search *search, const struct mtu_sent *sent)
{
	struct mtu_note *note = mtu_sizes_note(&search->sizes, sent->item.size);

	if (note && note->told)
		note->told--;
}

/* Silent right before a smaller one that drew a word: whoever tells that had an answer left, and would have told this as well. */
static void count_unsaid(struct mtu_search *search, unsigned index)
{
	const struct mtu_sent *sent = &search->sent[index];
	struct mtu_note *note = mtu_sizes_note(&search->sizes, sent->item.size);

	for (unsigned i = index + 1; note && i < search->sent_count && search->sent[i].sent_us <= sent->sent_us + BEHIND_US; i++) {
		const struct mtu_sent *later = &search->sent[i];

		if (later->item.purpose == FOR_SIZE && later->item.size < sent->item.size && later->reply == REPLY_TOO_BIG) {
			note->unsaid++;
			return;
		}
	}
}

/* A box that lets through only so many in a second looks like loss: what was lost at a faster pace says nothing of this one. */
static void slow_down(struct mtu_search *search)
{
	if (search->pace.spacing_us >= SPACING_MOST_US)
		return;
	search->pace.spacing_us *= 2;
	search->controls = search->controls_lost = search->voids = search->verify_rounds = 0;
}

static void count_controls(struct mtu_search *search)
{
	unsigned sent = 0, lost = 0, passed = 0;

	for (unsigned i = search->round.first; i < search->sent_count; i++) {
		struct mtu_sent *probe = &search->sent[i];
		bool arrived = probe->reply == REPLY_ARRIVED;

		passed += arrived;
		if (probe->item.purpose != FOR_CONTROL)
			continue;
		sent++;
		lost += probe->counted = !arrived;
	}
	search->path.controls_lost += lost;
	search->controls += sent;
	search->controls_lost += lost;
	search->voids = sent && !passed ? search->voids + 1 : 0;
	if (3 * lost > sent && search->stage == STAGE_NARROW)
		slow_down(search);
	if (lost && mtu_round_limited(search, search->lane))
		mtu_budget_empty(&search->budget[search->lane], search->now_us);
}

static void close_round(struct mtu_search *search)
{
	for (unsigned i = search->round.first; i < search->sent_count; i++) {
		struct mtu_sent *sent = &search->sent[i];

		if (sent->reply == REPLY_NONE && sent->reserved) {
			mtu_budget_give(&search->budget[sent->lane], search->now_us);
			sent->reserved = false;
		}
		sent->given_up |= sent->reply == REPLY_NONE;
		if (sent->item.purpose == FOR_SIZE && silent(sent)) {
			count_unsaid(search, i);
			count_silence(search, i);
		}
		if (is_worth_nothing(search, i))
			drop_word(search, sent);
	}
	count_controls(search);
	if (search->stage == STAGE_CONFIRM)
		mtu_confirm_close(search);
	search->path.rounds++;
	search->round.open = false;
}

enum probe_step mtu_round_step(struct mtu_search *search, int64_t now_us, struct probe_request *request, int64_t *wake_us)
{
	struct mtu_round *round = &search->round;

	while (round->sent < round->planned) {
		*wake_us = item_when(search, &round->plan[round->sent], now_us);
		if (*wake_us > now_us)
			return STEP_WAIT;
		if (search->sent_count == MTU_PROBES_MAX)
			break;
		send(search, now_us, request);
		return STEP_SEND;
	}
	*wake_us = MAX(round->last_us + mtu_round_wait_us(search), round->until_us);
	if (*wake_us > now_us && !settled(search))
		return STEP_WAIT;
	if (search->sent_count < MTU_PROBES_MAX && plan_control_behind(search))
		return mtu_round_step(search, now_us, request, wake_us);
	close_round(search);
	return STEP_DONE;
}
