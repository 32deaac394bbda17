/* SPDX-License-Identifier: MIT */
/* Names of rotated files, as tcpdump forms them, so that scripts which collect them go on working. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tcptriage/capture/writer.h"

/* Digits of the highest number of a ring of @files; 0 when there is none. */
static int digits_of_ring(uint32_t files)
{
	int digits = 0;

	for (uint32_t highest = files ? files - 1 : 0; highest; highest /= 10)
		digits++;
	return digits;
}

/* Return: false when the expansion is empty or too long, which strftime() does not tell apart. */
static bool expand_time(const char *path, int64_t begin_s, char *name, size_t size)
{
	time_t seconds = (time_t)begin_s;
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* it is the user's format */
	return strftime(name, size, path, &tm) > 0;
#pragma GCC diagnostic pop
}

int writer_name(const struct writer_plan *plan, uint32_t number, int64_t begin_s, char *name, size_t size)
{
	int digits = digits_of_ring(plan->files);
	char expanded[PATH_MAX];
	const char *path = plan->path;
	int len;

	if (plan->rotate_seconds) {
		if (!expand_time(path, begin_s, expanded, sizeof(expanded)))
			return -ENAMETOOLONG;
		path = expanded;
	}
	/* without a ring the first file has no number */
	if (plan->rotate_bytes && (number || digits))
		len = snprintf(name, size, "%s%0*u", path, digits, number);
	else
		len = snprintf(name, size, "%s", path);
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}
