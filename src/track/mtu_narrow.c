/* SPDX-License-Identifier: MIT */
/* Which sizes to try next: the known ones, then every ninth of what is left, down to the byte; then the same again, to be sure (RFC 8899 §5.3; RULES §5.1). */
#include "mtu_parts.h"

#define PARTS 9
/* So few sizes are tried all at once. */
#define ALL_AT_ONCE 10
#define VERIFY_ROUNDS 4
#define VERIFY_TRIES 2
#define FORGOTTEN_MOST 3
/* One wrong verdict in so many is what silence may bring about. */
#define SURE 1e-5
/* Rounds in a row in which nothing at all is answered any more. */
#define VOIDS 4
/* After such a rest a box that lets through only so many bytes in a second lets a large packet through. */
#define REST_US 400000
#define RESTED_TRIES 4
/* So many sizes that were silent again and again beside answered controls, and then passed, are no chance either. */
#define CONTRADICTIONS 3

/* Silent tries that exclude loss: the share of lost controls, at least as high as one more of either kind would make it, to that power. */
unsigned mtu_narrow_tries(const struct mtu_search *search)
{
	double share = (search->path.controls_lost + 1.0) / (search->path.controls_sent + 2.0), all = 1;
	unsigned tries = 0;

	if (!search->path.controls_lost)
		return MTU_TRIES_SURE;
	while (all > SURE && tries < MTU_TRIES_MOST) {
		all *= share;
		tries++;
	}
	return MAX(tries, MTU_TRIES_SURE);
}

static bool by_silence(const struct mtu_note *failed)
{
	return failed && !failed->told && !failed->local;
}

static unsigned controls_that_tell(const struct mtu_search *search)
{
	return mtu_round_limited(search, search->lane) ? MTU_CONTROLS_TELL_LIMITED : MTU_CONTROLS_TELL;
}

static bool looks_lossy(const struct mtu_search *search)
{
	return search->controls_lost * 5 > search->controls;
}

/* Loss that was there at a faster pace is gone at this one only when as many controls say so as would have to say that it is not. */
static bool loss_in_doubt(const struct mtu_search *search)
{
	bool slowed = search->path.controls_lost * 5 > search->path.controls_sent && !mtu_round_limited(search, search->lane);

	return looks_lossy(search) || (slowed && search->controls < controls_that_tell(search));
}

/* Silence is worth nothing on a path that loses every fifth small packet. */
static bool is_lossy(const struct mtu_search *search)
{
	return search->voids >= VOIDS || (looks_lossy(search) && search->controls >= controls_that_tell(search));
}

static void plan_controls(struct mtu_search *search)
{
	unsigned missing = controls_that_tell(search) - search->controls;

	mtu_round_begin(search);
	for (unsigned i = 0; i < missing; i++)
		mtu_round_add(search, FOR_CONTROL, search->small, 0, 0);
}

/* @limit: size that failed before; it is tried again with every round until it is sure, so that its loss cannot lead the search astray for long. */
static size_t add_limit(const struct mtu_search *search, const struct mtu_note *failed, uint32_t *sizes)
{
	if (failed && (!by_silence(failed) || failed->lost >= mtu_narrow_tries(search)))
		return 0;
	sizes[0] = failed ? failed->size : search->top;
	return sizes[0] <= search->top;
}

static size_t known_sizes(uint32_t passed, uint32_t failed, uint32_t *sizes, size_t most)
{
	size_t count, found = 0;
	const uint16_t *known = mtu_candidates(&count);

	for (size_t i = 0; i < count && found < most; i++) {
		if (known[i] > passed && known[i] < failed)
			sizes[found++] = known[i];
	}
	return found;
}

static size_t equal_parts(uint32_t passed, uint32_t failed, uint32_t *sizes)
{
	uint32_t between = failed - passed - 1;
	size_t count = 0;

	if (between <= ALL_AT_ONCE) {
		for (uint32_t size = passed + 1; size < failed; size++)
			sizes[count++] = size;
		return count;
	}
	sizes[count++] = passed + 1;
	for (uint32_t i = 1; i < PARTS; i++)
		sizes[count++] = passed + 1 + between * i / PARTS;
	return count;
}

static bool is_known(uint32_t size)
{
	uint32_t found;

	return known_sizes(size - 1, size + 1, &found, 1) > 0;
}

/* One size, where every answer costs time: the middle one of the known sizes, what is left above a known size that passed, else the middle. */
static uint32_t one_size(uint32_t passed, uint32_t failed)
{
	uint32_t known[MTU_ROUND_MAX];
	size_t count = known_sizes(passed, failed, known, ARRAY_SIZE(known));

	if (count)
		return known[count / 2];
	return is_known(passed) ? passed + 1 : passed + (failed - passed) / 2;
}

static void plan_between(struct mtu_search *search, uint32_t passed, const struct mtu_note *failed)
{
	uint32_t sizes[MTU_ROUND_MAX], limit = failed ? failed->size : search->top + 1;
	size_t count = add_limit(search, failed, sizes), known = 0;

	if (mtu_round_limited(search, search->lane)) {
		if (failed)
			sizes[count++] = one_size(passed, limit);
		mtu_round_sizes(search, sizes, count);
		return;
	}
	if (!search->listed)
		known = known_sizes(passed, limit, sizes + count, ARRAY_SIZE(sizes) / 2);
	search->listed = true;
	count += known > 1 ? known : equal_parts(passed, limit, sizes + count);
	mtu_round_sizes(search, sizes, count);
}

/* Silent tries of all sizes above the result: what a verdict of a black hole rests on, where one size alone could be bad luck. */
static unsigned silent_above(const struct mtu_search *search, uint32_t passed)
{
	unsigned silent = 0;

	for (size_t i = 0; i < search->sizes.count; i++)
		silent += search->sizes.at[i].size > passed ? search->sizes.at[i].lost : 0;
	return silent;
}

/* Silent tries that @failed still lacks. */
static unsigned tries_missing(const struct mtu_search *search, uint32_t passed, const struct mtu_note *failed)
{
	unsigned needed = mtu_narrow_tries(search), above = silent_above(search, passed);
	unsigned of_it = failed->lost < needed ? needed - failed->lost : 0, of_all = above < MTU_TRIES_MOST ? MTU_TRIES_MOST - above : 0;

	return MAX(of_it, of_all);
}

/* What is told of the byte above the result must be told of the largest size as well, or senders never come down to it. */
static bool is_course_open(const struct mtu_search *search)
{
	uint32_t size;

	return search->verify_rounds < VERIFY_ROUNDS && mtu_told_course(search, &size) == COURSE_OPEN;
}

static bool stands(const struct mtu_search *search, const struct mtu_note *passed, const struct mtu_note *failed)
{
	if (passed->passed < 1 + VERIFY_TRIES && !(search->verify_rounds > 0 && passed->passed > 1))
		return false;
	if (!failed || failed->local)
		return true;
	/* Words that are worth nothing are taken for silence. */
	if (failed->told && mtu_told_answers(search) < 0)
		return failed->told + failed->lost >= MTU_TRIES_MOST;
	if (failed->told)
		return (failed->told + failed->lost >= MTU_TRIES_SURE || search->verify_rounds > 0) && !is_course_open(search);
	return !tries_missing(search, passed->size, failed);
}

/* The result and the byte above it, in turn, between controls. */
static void plan_verification(struct mtu_search *search, uint32_t passed, const struct mtu_note *failed)
{
	unsigned tries = VERIFY_TRIES;
	uint32_t larger;
	bool open = failed && failed->told && mtu_told_course(search, &larger) == COURSE_OPEN;
	bool again = search->verify_rounds > 1, controls = !mtu_round_limited(search, search->lane) && (by_silence(failed) || again);

	if (by_silence(failed))
		tries = MAX(tries, tries_missing(search, passed, failed));
	if (open)
		tries = MAX(tries, mtu_narrow_tries(search));
	mtu_round_begin(search);
	for (unsigned i = 0; i < tries; i++) {
		if (controls)
			mtu_round_add(search, FOR_CONTROL, search->small, 0, 0);
		if (open)
			mtu_round_add(search, FOR_SIZE, larger, 0, 0);
		if (failed && !failed->local)
			mtu_round_add(search, FOR_SIZE, failed->size, 0, 0);
		if (i < VERIFY_TRIES)
			mtu_round_add(search, FOR_SIZE, passed, 0, 0);
	}
	if (controls)
		mtu_round_add(search, FOR_CONTROL, search->small, 0, 0);
	if (!failed && !again)
		search->round.burst = VERIFY_TRIES;
}

/* It passed before, and does not since, beside controls that are answered: the path has changed, and what holds now is asked for. */
static bool does_not_pass_any_more(struct mtu_search *search, uint32_t passed)
{
	struct mtu_note *note = mtu_sizes_note(&search->sizes, passed);

	/* Below the controls nothing is asked for. */
	if (passed <= search->small || note->lost + note->told < mtu_narrow_tries(search) || search->forgotten == FORGOTTEN_MOST)
		return false;
	search->forgotten++;
	mtu_sizes_forget(&search->sizes, note);
	return true;
}

/* Small controls pass a box that polices bytes while large packets do not: the last word is had after a rest. Return: it is planned. */
static bool plan_rested(struct mtu_search *search, uint32_t size)
{
	if (search->rested == size || mtu_round_limited(search, search->lane))
		return false;
	search->rested = size;
	mtu_round_begin(search);
	mtu_round_add(search, FOR_CONTROL, search->small, 0, 0);
	mtu_round_add(search, FOR_SIZE, size, 0, search->now_us + REST_US);
	mtu_round_add(search, FOR_CONTROL, search->small, 0, 0);
	return true;
}

static bool is_policed(const struct mtu_search *search, uint32_t passed)
{
	return (search->rested && passed >= search->rested) || search->contradictions >= CONTRADICTIONS;
}

/* What passes after a rest, and not otherwise, is policed: only what passes tells something, and the largest is asked for at that pace. */
static bool plan_policed(struct mtu_search *search)
{
	if (search->policed)
		return false;
	search->policed = true;
	mtu_round_begin(search);
	for (unsigned i = 1; i <= RESTED_TRIES; i++)
		mtu_round_add(search, FOR_SIZE, search->top, 0, search->now_us + i * REST_US);
	return true;
}

/* Next to each other: @passed passes, one byte more does not, or is not asked for. */
static bool verify(struct mtu_search *search, uint32_t passed, const struct mtu_note *failed)
{
	if (search->verified != passed) {
		search->verified = passed;
		search->verify_rounds = 0;
	}
	if (stands(search, mtu_sizes_note(&search->sizes, passed), failed)) {
		if (by_silence(failed) && loss_in_doubt(search)) {
			plan_controls(search);
			return true;
		}
		if (by_silence(failed) && plan_rested(search, failed->size))
			return true;
		search->exact = true;
		return false;
	}
	if (does_not_pass_any_more(search, passed))
		return mtu_narrow_plan(search);
	/* the sender has been told to send less since: @passed cannot be tried again */
	if (passed > search->top) {
		failed = mtu_sizes_failed(&search->sizes);
		search->exact = failed && failed->size == passed + 1 && !by_silence(failed);
		return false;
	}
	if (search->verify_rounds++ == VERIFY_ROUNDS) {
		search->path.lossy = true;
		return false;
	}
	plan_verification(search, passed, failed);
	return true;
}

static void lower_top(struct mtu_search *search)
{
	for (size_t i = 0; i < search->sizes.count; i++) {
		if (search->sizes.at[i].local && !search->sizes.at[i].passed)
			search->top = MIN(search->top, search->sizes.at[i].size - 1);
	}
}

/* The sender told what it can send at most: that alone, which settles it where the path takes it. */
static bool plan_new_top(struct mtu_search *search)
{
	uint32_t top = search->top;
	const struct mtu_note *note = search->top_told ? mtu_sizes_note(&search->sizes, top) : NULL;

	if (!note || note->tries)
		return false;
	mtu_round_sizes(search, &top, 1);
	return true;
}

bool mtu_narrow_plan(struct mtu_search *search)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes);
	const struct mtu_note *failed = mtu_sizes_failed(&search->sizes);

	lower_top(search);
	if (failed && failed->local && failed->size > search->top + 1)
		failed = NULL;
	if (passed < search->top && !(failed && !by_silence(failed) && failed->size == passed + 1) && is_lossy(search)) {
		search->path.lossy = true;
		return false;
	}
	if (is_policed(search, passed) && (passed < search->top || !search->policed)) {
		search->path.lossy = !plan_policed(search);
		return !search->path.lossy;
	}
	if (passed >= search->top)
		return verify(search, passed, NULL);
	if (failed && failed->size == passed + 1)
		return verify(search, passed, failed);
	if (!plan_new_top(search) && !mtu_told_plan(search))
		plan_between(search, passed, failed);
	return true;
}
