/* SPDX-License-Identifier: MIT */
/* What routers told ("packet too big"): a hint that is tried, and judged by what passes. */
#include "mtu_parts.h"

/* The least that a link may have: RFC 791 §3.2, RFC 8200 §5. */
static const uint32_t least_mtu[] = { [ADDR_V4] = 68, [ADDR_V6] = 1280 };
/* Rounds for one word, and words tried in one round. */
#define TRIES 3
#define WORDS_AT_ONCE 3

static enum told_kind first_look(const struct mtu_search *search, uint32_t size, uint32_t mtu)
{
	if (!mtu && search->options.family == ADDR_V4)
		return TOLD_NO_MTU;
	if (mtu < least_mtu[search->options.family])
		return TOLD_TOO_SMALL;
	return mtu >= size ? TOLD_BOGUS : TOLD_UNTRIED;
}

/* A flood of words that are worth nothing does not keep out one that is. */
static struct path_told *room(struct mtu_path *path)
{
	if (path->told_count < PATH_TOLD_MAX)
		return &path->told[path->told_count++];
	for (size_t i = PATH_TOLD_MAX; i > 0; i--) {
		if (path->told[i - 1].kind != TOLD_UNTRIED && path->told[i - 1].kind != TOLD_CONFIRMED)
			return &path->told[i - 1];
	}
	return NULL;
}

static struct path_told *find(struct mtu_path *path, const struct probe_outcome *outcome)
{
	for (size_t i = 0; i < path->told_count; i++) {
		if (path->told[i].mtu == outcome->mtu && addr_equal(&path->told[i].from, &outcome->from))
			return &path->told[i];
	}
	return NULL;
}

void mtu_told_heard(struct mtu_search *search, uint32_t size, const struct probe_outcome *outcome)
{
	struct path_told *told = find(&search->path, outcome);
	enum told_kind kind = first_look(search, size, outcome->mtu);
	size_t at;

	if (!told) {
		told = room(&search->path);
		if (!told)
			return;
		*told = (struct path_told){ .from = outcome->from, .mtu = outcome->mtu, .kind = (uint8_t)kind };
		at = (size_t)(told - search->path.told);
		search->told_about[at] = size;
		search->told_tries[at] = 0;
		search->told_useful[at] = false;
	}
	at = (size_t)(told - search->path.told);
	told->count++;
	search->told_about[at] = MIN(search->told_about[at], size);
	search->told_useful[at] |= kind == TOLD_UNTRIED;
}

void mtu_told_note(const struct mtu_search *search, struct mtu_note *note, const struct probe_outcome *outcome)
{
	enum told_kind kind = first_look(search, note->size, outcome->mtu);

	note->told++;
	note->guess |= kind == TOLD_NO_MTU;
	if (kind == TOLD_UNTRIED)
		note->word = note->word ? MIN(note->word, outcome->mtu) : outcome->mtu;
}

static uint32_t failed_size(const struct mtu_search *search)
{
	const struct mtu_note *failed = mtu_sizes_failed(&search->sizes);

	return failed ? failed->size : search->top + 1;
}

/* What is not yet known of @mtu and the byte above it. */
static size_t untried(const struct mtu_search *search, uint32_t mtu, uint32_t *sizes)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes), failed = failed_size(search);
	size_t count = 0;

	if (mtu < passed || mtu >= failed)
		return 0;
	if (mtu + 1 < failed)
		sizes[count++] = mtu + 1;
	if (mtu > passed)
		sizes[count++] = mtu;
	return count;
}

bool mtu_told_plan(struct mtu_search *search)
{
	uint32_t sizes[2 * WORDS_AT_ONCE];
	size_t count = 0;

	for (size_t i = 0; i < search->path.told_count && count + 2 <= ARRAY_SIZE(sizes); i++) {
		uint32_t mtu = search->path.told[i].mtu;
		size_t more;

		if (!search->told_useful[i] || search->told_tries[i] >= TRIES || mtu < search->options.smallest)
			continue;
		more = untried(search, mtu, sizes + count);
		search->told_tries[i] += more > 0;
		count += more;
	}
	if (count)
		mtu_round_sizes(search, sizes, count);
	return count > 0;
}

static bool tells_less(const struct mtu_search *search, const struct path_told *than)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes);

	for (size_t i = 0; i < search->path.told_count; i++) {
		const struct path_told *told = &search->path.told[i];

		if (search->told_useful[i] && told->mtu == passed && told->mtu < than->mtu && !addr_equal(&told->from, &than->from))
			return true;
	}
	return false;
}

/* What stands above the sizes that pass was not sent by this machine: nobody's word is judged by that. */
static bool ends_at_own_limit(const struct mtu_search *search)
{
	const struct mtu_note *failed = mtu_sizes_failed(&search->sizes);

	return failed ? failed->local && !failed->lost && !failed->told : search->top_told;
}

void mtu_told_judge(struct mtu_search *search)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes), failed = failed_size(search);

	for (size_t i = 0; i < search->path.told_count; i++) {
		struct path_told *told = &search->path.told[i];

		if (!search->told_useful[i])
			continue;
		told->kind = TOLD_UNTRIED;
		if (!passed)
			continue;
		if (told->mtu == passed && failed == passed + 1)
			told->kind = TOLD_CONFIRMED;
		else if (told->mtu < passed)
			told->kind = TOLD_WRONG;
		else if (told->mtu >= failed && !ends_at_own_limit(search))
			told->kind = failed == passed + 1 && tells_less(search, told) ? TOLD_SURPASSED : TOLD_WRONG;
	}
}

/* Whoever sends one byte too many must learn a size that passes, or that he has to guess (RFC 1191 §5). A size too large or impossible is ignored by hosts. */
int mtu_told_answers(const struct mtu_search *search)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes), failed = failed_size(search);
	int other = -1;

	for (size_t i = 0; i < search->path.told_count; i++) {
		const struct path_told *told = &search->path.told[i];
		bool usable = told->kind == TOLD_NO_MTU || (told->kind == TOLD_WRONG && told->mtu < passed);

		if (told->kind == TOLD_CONFIRMED)
			return (int)i;
		if (usable && search->told_about[i] == failed)
			other = (int)i;
	}
	return other;
}

/* Each word makes the sender try that size; a size that draws none, or one that hosts ignore, is the end. The byte above what passes is judged by its own word. */
enum mtu_course mtu_told_course(const struct mtu_search *search, uint32_t *size)
{
	uint32_t passed = mtu_sizes_passed(&search->sizes), failed = failed_size(search);
	const struct mtu_note *note;

	for (*size = search->top; *size > passed && *size != failed; *size = note->word) {
		note = mtu_sizes_find(&search->sizes, *size);
		if (note && note->guess)
			return COURSE_LEARNS;
		if (note && note->told && !note->word)
			return COURSE_DIES;
		if (!note || !note->word)
			return note && note->unsaid >= mtu_narrow_tries(search) ? COURSE_DIES : COURSE_OPEN;
	}
	return COURSE_LEARNS;
}
