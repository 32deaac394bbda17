/* SPDX-License-Identifier: MIT */
/* Settings: one or more numbers a file, and one list of ports. */
#include "collect/sysctl.h"

#include <string.h>

#include "tcptriage/base/num.h"

const char *sysctl_path(size_t index)
{
	for (unsigned id = 0; id < SYSCTL_COUNT; id++) {
		bool first = !id || strcmp(sysctl_rows[id].path, sysctl_rows[id - 1].path);

		if (first && index-- == 0)
			return sysctl_rows[id].path;
	}
	return index == 0 ? SYSCTL_RESERVED_PATH : NULL;
}

/* The @word-th number of @text, with an optional sign. */
static bool number_at(const char *text, unsigned word, int64_t *out)
{
	uint64_t value;
	bool negative;

	for (;;) {
		text += strspn(text, " \t");
		negative = *text == '-';
		text += negative;
		if (!num_take_u64(&text, &value) || value > INT64_MAX || !*text ||
		    !strchr(" \t\n", *text))
			return false;
		if (!word--)
			break;
	}
	*out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool take_range(const char **text, uint64_t *low, uint64_t *high)
{
	if (!num_take_u64(text, low))
		return false;
	*high = *low;
	if (**text == '-') {
		++*text;
		if (!num_take_u64(text, high))
			return false;
	}
	return *low <= *high && *high <= 65535;
}

bool sysctl_parse_ports(const char *text, uint8_t ports[65536 / 8])
{
	const char *at = text;
	uint64_t low, high;

	memset(ports, 0, 65536 / 8);
	if (!strcmp(text, "\n"))
		return true;
	for (;;) {
		if (!take_range(&at, &low, &high))
			break;
		for (uint64_t port = low; port <= high; port++)
			ports[port / 8] |= (uint8_t)(1u << port % 8);
		if (!strcmp(at, "\n"))
			return true;
		if (*at++ != ',')
			break;
	}
	memset(ports, 0, 65536 / 8);
	return false;
}

unsigned sysctl_take(const char *path, const char *text, struct sysctls *out)
{
	unsigned odd = 0;

	if (!strcmp(path, SYSCTL_RESERVED_PATH)) {
		out->has_reserved = sysctl_parse_ports(text, out->reserved);
		return !out->has_reserved;
	}
	for (unsigned id = 0; id < SYSCTL_COUNT; id++) {
		if (strcmp(path, sysctl_rows[id].path))
			continue;
		out->has[id] = number_at(text, sysctl_rows[id].word, &out->value[id]);
		odd += !out->has[id];
	}
	return odd;
}
