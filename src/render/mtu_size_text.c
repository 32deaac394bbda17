/* SPDX-License-Identifier: MIT */
/* Sizes that were tried as a row of marks: "72 +++++ 1400 | 1401 xxx 1500". Nothing in it needs more than ASCII. */
#include "src/render/mtu_size_text.h"

#include <assert.h>

/* A longer run keeps its ends. */
#define MARKS_MAX 16
#define MARKS_KEPT 6
/* Of more runs than that only those around the edge are shown. */
#define RUNS_MAX 8

static const struct fate {
	char mark;
	const char *word, *meaning;
} fates[] = {
	[SIZE_PASSED] = { '+', "passed", "+ passed" },
	[SIZE_LOST] = { 'x', "no answer", "x no answer" },
	[SIZE_TOLD] = { '!', "told", "! too big, a router says" },
	[SIZE_LOCAL] = { '-', "not sent", "- not sent by this machine" },
};
static_assert(ARRAY_SIZE(fates) == SIZE_FATE_COUNT, "a mark for every fate");

static const struct fate *fate_of(const struct path_size *size)
{
	static const struct fate unknown = { '?', "unknown", "? unknown" };

	return size->fate < ARRAY_SIZE(fates) ? &fates[size->fate] : &unknown;
}

/* struct run - neighbours of the same fate: @count sizes from @first on. */
struct run {
	const struct path_size *first;
	size_t count;
};

static size_t runs_of(const struct mtu_path *path, struct run runs[static PATH_SIZES_MAX])
{
	size_t count = 0, sizes = MIN(path->size_count, (size_t)PATH_SIZES_MAX);

	for (size_t i = 0; i < sizes; i++) {
		if (!count || fate_of(&path->sizes[i]) != fate_of(runs[count - 1].first))
			runs[count++] = (struct run){ .first = &path->sizes[i] };
		runs[count - 1].count++;
	}
	return count;
}

static void marks(struct out *out, char mark, size_t count)
{
	bool is_cut = count > MARKS_MAX;

	for (size_t i = 0; i < (is_cut ? MARKS_KEPT : count); i++)
		out_char(out, mark);
	if (!is_cut)
		return;
	out_lit(out, "...");
	for (size_t i = 0; i < MARKS_KEPT; i++)
		out_char(out, mark);
}

static void run_item(struct probe_text *text, const struct run *run)
{
	out_printf(&text->item, "%u ", run->first->size);
	marks(&text->item, fate_of(run->first)->mark, run->count);
	if (run->count > 1)
		out_printf(&text->item, " %u", run->first[run->count - 1].size);
	paragraph_item(&text->line, " | ", out_text(&text->item));
	out_clear(&text->item);
}

static void left_out_item(struct probe_text *text, size_t count)
{
	if (!count)
		return;
	out_printf(&text->item, "(%zu more)", count);
	paragraph_item(&text->line, " | ", out_text(&text->item));
	out_clear(&text->item);
}

/* The first run to show: those around the largest size that passes, when there are too many. */
static size_t first_run(const struct mtu_path *path, const struct run *runs, size_t count)
{
	size_t edge = 0;

	if (count <= RUNS_MAX)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (runs[i].first->size <= path->path_mtu)
			edge = i;
	edge -= MIN(edge, (size_t)RUNS_MAX / 2);
	return MIN(edge, count - RUNS_MAX);
}

/* What the marks mean, each once. */
static void legend(struct probe_text *text, const struct run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		while (fate_of(runs[same].first) != fate_of(runs[i].first))
			same++;
		if (same < i)
			continue;
		out_str(&text->item, i ? " · " : "(");
		out_str(&text->item, fate_of(runs[i].first)->meaning);
	}
	out_char(&text->item, ')');
	paragraph_item(&text->line, "   ", out_text(&text->item));
	out_clear(&text->item);
	probe_text_end(text);
}

static void every_size(struct probe_text *text, const struct mtu_path *path)
{
	size_t count = MIN(path->size_count, (size_t)PATH_SIZES_MAX);

	probe_text_line(text, "");
	for (size_t i = 0; i < count; i++) {
		const struct path_size *size = &path->sizes[i];

		out_printf(&text->item, "%u %s", size->size, fate_of(size)->word);
		if (size->tries > 1)
			out_printf(&text->item, " (%u probes)", size->tries);
		probe_text_item(text);
	}
	probe_text_end(text);
}

void mtu_size_lines(struct probe_text *text, const struct mtu_path *path)
{
	struct run runs[PATH_SIZES_MAX];
	size_t count = runs_of(path, runs), first = first_run(path, runs, count), end = MIN(count, first + RUNS_MAX);

	if (!count)
		return;
	probe_text_line(text, "sizes");
	left_out_item(text, first);
	for (size_t i = first; i < end; i++)
		run_item(text, &runs[i]);
	left_out_item(text, count - end);
	legend(text, runs, count);
	if (text->report->verbose)
		every_size(text, path);
}
