/* SPDX-License-Identifier: MIT */
/* What a search for a path MTU knows, put as a verdict: no more than was seen. */
#include "mtu_parts.h"

/* Silence that was tried often enough to be size and not loss, whether or not the byte is known. */
static bool surely_lost(const struct mtu_search *search)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes);

	for (size_t i = 0; i < search->sizes.count; i++) {
		const struct mtu_note *note = &search->sizes.at[i];

		if (note->size > passed && note->lost >= MTU_TRIES_SURE)
			return !search->path.lossy && !search->path.controls_lost;
	}
	return false;
}

static enum mtu_finding finding(const struct mtu_search *search)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes);

	if (search->concluded)
		return search->said ? MTU_UNREACHABLE : MTU_HOST_DEAF;
	if (!passed)
		return MTU_UNDECIDED;
	if (search->path.told_by >= 0)
		return MTU_NARROWER_TOLD;
	if (passed >= search->top)
		return MTU_FITS;
	if (search->stage == STAGE_DONE && (!mtu_confirm_proven(search) || 5 * search->path.controls_lost > search->path.controls_sent))
		return MTU_UNDECIDED;
	return search->exact || surely_lost(search) ? MTU_BLACK_HOLE_FOUND : MTU_UNDECIDED;
}

/* Where small packets are lost too, one silence is no bound; so many of that size and smaller ones are, for all of them would have had to be lost. */
static uint32_t smallest_lost(const struct mtu_search *search)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes);
	unsigned needed = search->path.controls_lost && !search->exact ? mtu_narrow_tries(search) : 1, lost = 0;

	for (size_t i = 0; i < search->sizes.count; i++) {
		const struct mtu_note *note = &search->sizes.at[i];

		if (note->size <= passed)
			continue;
		lost += search->path.lossy ? 0 : note->lost;
		if (note->told || lost >= needed)
			return note->size;
	}
	return 0;
}

static void publish_size(struct mtu_search *search)
{
	struct mtu_path *path = &search->path;
	uint32_t passed = mtu_sizes_passed(&search->sizes);

	path->smallest_lost = smallest_lost(search);
	path->path_mtu = passed;
	path->bound = search->exact ? BOUND_EXACT : BOUND_LOWER;
	if (!passed && path->smallest_lost && !search->concluded) {
		path->path_mtu = path->smallest_lost - 1;
		path->bound = BOUND_UPPER;
	}
}

/* Whom the largest size does not reach is not helped by what he would be told of smaller ones. */
static void judge_words(struct mtu_search *search)
{
	struct mtu_path *path = &search->path;
	uint32_t size;

	mtu_told_judge(search);
	path->told_by = -1;
	path->silent = 0;
	if (!path->path_mtu || path->smallest_lost != path->path_mtu + 1)
		return;
	path->told_by = mtu_told_answers(search);
	if (path->told_by < 0 || mtu_told_course(search, &size) != COURSE_DIES)
		return;
	path->told_by = -1;
	path->silent = size;
}

/* What no answer says is no bound when the answers may be what is lost. */
static void leave_open(struct mtu_search *search)
{
	struct mtu_path *path = &search->path;

	if (search->stage != STAGE_DONE || path->finding != MTU_UNDECIDED || mtu_confirm_proven(search) || !path->smallest_lost || path->bound == BOUND_UPPER)
		return;
	path->echo_unanswered = path->smallest_lost;
	path->smallest_lost = path->silent = 0;
	path->bound = BOUND_LOWER;
}

void mtu_result_publish(struct mtu_search *search)
{
	struct mtu_path *path = &search->path;

	mtu_sizes_publish(&search->sizes, path);
	publish_size(search);
	judge_words(search);
	path->finding = (uint8_t)finding(search);
	if (path->finding != MTU_NARROWER_TOLD)
		path->told_by = -1;
	leave_open(search);
	if (path->finding != MTU_UNREACHABLE && search->stage == STAGE_DONE) {
		path->says = REPLY_NONE;
		path->says_error = 0;
		path->says_icmp = false;
		path->says_type = path->says_code = 0;
		path->says_by = (struct addr){ .family = (uint8_t)search->options.family };
	}
	path->shrink_address = (struct addr){ .family = (uint8_t)search->options.family };
	if (path->told_by >= 0)
		path->shrink_address = path->told[path->told_by].from;
	if (search->stage == STAGE_DONE)
		mtu_hops_place(search);
	path->elapsed_us = search->now_us - search->begun_us;
}
