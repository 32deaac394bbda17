/* SPDX-License-Identifier: MIT */
/* What is known of each size that was tried: a sorted table. */
#include <string.h>

#include "mtu_parts.h"

struct mtu_note *mtu_sizes_note(struct mtu_sizes *sizes, uint32_t size)
{
	size_t at = 0;

	while (at < sizes->count && sizes->at[at].size < size)
		at++;
	if (at < sizes->count && sizes->at[at].size == size)
		return &sizes->at[at];
	if (sizes->count == ARRAY_SIZE(sizes->at))
		return NULL;
	memmove(&sizes->at[at + 1], &sizes->at[at], (sizes->count - at) * sizeof(sizes->at[0]));
	sizes->count++;
	sizes->at[at] = (struct mtu_note){ .size = size };
	return &sizes->at[at];
}

const struct mtu_note *mtu_sizes_find(const struct mtu_sizes *sizes, uint32_t size)
{
	for (size_t i = 0; i < sizes->count; i++) {
		if (sizes->at[i].size == size)
			return &sizes->at[i];
	}
	return NULL;
}

uint32_t mtu_sizes_passed(const struct mtu_sizes *sizes)
{
	for (size_t i = sizes->count; i > 0; i--) {
		if (sizes->at[i - 1].passed)
			return sizes->at[i - 1].size;
	}
	return 0;
}

const struct mtu_note *mtu_sizes_failed(const struct mtu_sizes *sizes)
{
	uint32_t passed = mtu_sizes_passed(sizes);

	for (size_t i = 0; i < sizes->count; i++) {
		const struct mtu_note *note = &sizes->at[i];

		if (note->size > passed && (note->lost || note->told || note->local))
			return note;
	}
	return NULL;
}

void mtu_sizes_pass(struct mtu_sizes *sizes, struct mtu_note *note)
{
	note->passed++;
	note->told = 0;
	note->word = 0;
	note->guess = false;
	for (struct mtu_note *smaller = sizes->at; smaller <= note; smaller++)
		smaller->lost = smaller->unsaid = 0;
}

void mtu_sizes_forget(struct mtu_sizes *sizes, struct mtu_note *note)
{
	for (struct mtu_note *larger = note; larger < sizes->at + sizes->count; larger++)
		larger->passed = 0;
}

/* Silence that proves nothing (yet) is no fate. */
static bool fate(const struct mtu_note *note, struct path_size *out)
{
	out->size = note->size;
	out->tries = (uint8_t)MIN(note->tries, UINT8_MAX);
	out->fate = note->passed ? SIZE_PASSED : note->told ? SIZE_TOLD : note->lost ? SIZE_LOST : SIZE_LOCAL;
	return note->passed || note->told || note->local || note->lost;
}

void mtu_sizes_publish(const struct mtu_sizes *sizes, struct mtu_path *path)
{
	path->size_count = 0;
	for (size_t i = 0; i < sizes->count; i++)
		path->size_count += fate(&sizes->at[i], &path->sizes[path->size_count]);
}
