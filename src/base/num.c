/* SPDX-License-Identifier: MIT */
/* Bounded number parsing; a suffix is part of a table, never of a guess. */
#include "tcptriage/base/num.h"

#include <string.h>
#include <strings.h>

bool num_take_u64(const char **at, uint64_t *out)
{
	const char *p = *at;
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return false;
	*at = p;
	*out = value;
	return true;
}

bool num_u64(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value;

	if (!num_take_u64(&text, &value) || *text || value > max)
		return false;
	*out = value;
	return true;
}

bool num_u64_any(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
		return num_u64(text, max, out);
	text += 2;
	if (!*text || strlen(text) > 16)
		return false;
	for (; *text; text++) {
		const char *digits = "0123456789abcdef", *hit = strchr(digits, *text | 0x20);

		if (!hit)
			return false;
		value = value << 4 | (uint64_t)(hit - digits);
	}
	if (value > max)
		return false;
	*out = value;
	return true;
}

struct suffix {
	const char *name;
	uint64_t scale;
};

static const struct suffix durations[] = {
	{ "us", 1 },	       { "ms", 1000 },	       { "s", 1000000 },
	{ "m", 60000000 },     { "min", 60000000 },    { "h", 3600000000 },
	{ "d", 86400000000 },  { "", 1000000 },
};

static const struct suffix sizes[] = {
	{ "", 1 },	      { "b", 1 },	    { "k", 1024 },	 { "kb", 1024 },
	{ "kib", 1024 },      { "m", 1048576 },     { "mb", 1048576 },	 { "mib", 1048576 },
	{ "g", 1073741824 },  { "gb", 1073741824 }, { "gib", 1073741824 },
};

/* A decimal with up to six places times the scale its suffix names. */
static bool scaled(const char *text, const struct suffix *table, size_t count, uint64_t *out)
{
	uint64_t whole, micro = 0, place = 100000, high, low;

	if (!num_take_u64(&text, &whole))
		return false;
	if (*text == '.') {
		if (text[1] < '0' || text[1] > '9')
			return false;
		for (text++; *text >= '0' && *text <= '9'; text++, place /= 10)
			micro += place * (uint64_t)(*text - '0');
	}
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(text, table[i].name))
			continue;
		low = (uint64_t)((unsigned __int128)micro * table[i].scale / 1000000);
		return !__builtin_mul_overflow(whole, table[i].scale, &high) &&
		       !__builtin_add_overflow(high, low, out);
	}
	return false;
}

bool num_duration_us(const char *text, uint64_t *out)
{
	return scaled(text, durations, ARRAY_SIZE(durations), out);
}

bool num_bytes(const char *text, uint64_t *out)
{
	return scaled(text, sizes, ARRAY_SIZE(sizes), out);
}

bool num_fraction(const char *text, double *out)
{
	static const struct suffix parts_per_million[] = { { "", 1000000 } };
	uint64_t ppm;

	if (!scaled(text, parts_per_million, 1, &ppm) || ppm > 1000000)
		return false;
	*out = (double)ppm / 1e6;
	return true;
}
