/* SPDX-License-Identifier: MIT */
/* Is it the path? An echo reply is as large as the echo: a narrow way back, or a host or box that answers only small ones, looks as a narrow way there does. A few datagrams,
 * whose answer is small, tell these apart; where they are not answered, the walk along the hops may. */
#include "mtu_parts.h"

#define ROUNDS 2
/* Of a round: tries of the large sizes between small ones, of which so many must be answered. */
#define TRIES 2
#define SMALL_SURE 2

static uint32_t lost_size(const struct mtu_search *search)
{
	return search->path.silent ? search->path.silent : search->path.smallest_lost;
}

/* Who says that it is too big has stopped it on the way there, whatever else his word is worth. */
static bool was_stopped(const struct mtu_search *search)
{
	const struct mtu_note *note = mtu_sizes_find(&search->sizes, lost_size(search));

	return note && note->told;
}

bool mtu_confirm_wanted(const struct mtu_search *search)
{
	return search->path.method == PROBE_ICMP && search->options.side_method == PROBE_UDP && search->path.finding == MTU_BLACK_HOLE_FOUND && !was_stopped(search);
}

bool mtu_confirm_plan(struct mtu_search *search)
{
	uint32_t lost = lost_size(search);

	if (search->witness.confirmed || search->witness.rounds == ROUNDS)
		return false;
	search->witness.rounds++;
	mtu_round_begin(search);
	for (unsigned i = 0; i < TRIES; i++) {
		mtu_round_add(search, FOR_WITNESS, search->small, 0, 0);
		mtu_round_add(search, FOR_WITNESS, search->top, 0, 0);
		if (lost != search->top)
			mtu_round_add(search, FOR_WITNESS, lost, 0, 0);
	}
	mtu_round_add(search, FOR_WITNESS, search->small, 0, 0);
	return true;
}

void mtu_confirm_close(struct mtu_search *search)
{
	unsigned small = 0, large = 0;

	for (unsigned i = search->round.first; i < search->sent_count; i++) {
		bool arrived = search->sent[i].reply == REPLY_ARRIVED;

		*(search->sent[i].item.size > search->small ? &large : &small) += arrived;
	}
	search->witness.confirmed = small >= SMALL_SURE && !large;
}

/* A size of which nobody told by echo. */
static bool is_news(const struct mtu_search *search, const struct mtu_sent *sent)
{
	const struct mtu_note *note = mtu_sizes_find(&search->sizes, sent->item.size);

	return sent->reply == REPLY_TOO_BIG && !(note && (note->told || note->word || note->guess));
}

bool mtu_confirm_contradicts(const struct mtu_search *search)
{
	for (unsigned i = 0; i < search->sent_count; i++) {
		const struct mtu_sent *sent = &search->sent[i];

		if (sent->item.purpose == FOR_WITNESS && sent->item.size > search->small && (sent->reply == REPLY_ARRIVED || is_news(search, sent)))
			return true;
	}
	return false;
}

void mtu_confirm_change(struct mtu_search *search)
{
	struct mtu_note *note;

	search->path.echo_unanswered = lost_size(search);
	search->path.method = search->path.hop_method = (uint8_t)search->options.side_method;
	search->lane = LANE_SIDE;
	search->sizes.count = 0;
	search->listed = search->exact = false;
	search->verified = search->rested = 0;
	search->verify_rounds = search->voids = search->contradictions = 0;
	for (unsigned i = 0; i < PATH_TOLD_MAX; i++)
		search->told_tries[i] = 0;
	for (unsigned i = 0; i < search->sent_count; i++) {
		const struct mtu_sent *sent = &search->sent[i];

		note = sent->item.purpose == FOR_WITNESS && sent->reply == REPLY_ARRIVED ? mtu_sizes_note(&search->sizes, sent->item.size) : NULL;
		if (note) {
			note->tries++;
			mtu_sizes_pass(&search->sizes, note);
		}
	}
}

bool mtu_confirm_proven(const struct mtu_search *search)
{
	return search->path.method != PROBE_ICMP || search->witness.confirmed || was_stopped(search) || mtu_hops_prove(search);
}
