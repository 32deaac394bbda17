/* SPDX-License-Identifier: MIT */
/* Numbers with their units, as a table. */
#include "tcptriage/model/unit.h"

#include <assert.h>
#include <math.h>

#include "tcptriage/base/clock.h"

static const char *const names[] = {
	[UNIT_NONE] = "",	     [UNIT_COUNT] = "count",   [UNIT_SOCKETS] = "sockets",
	[UNIT_PORTS] = "ports",	     [UNIT_SEGMENTS] = "segments", [UNIT_BYTES] = "bytes",
	[UNIT_BYTES_PER_S] = "bytes/s", [UNIT_PER_S] = "per_second", [UNIT_PER_MIN] = "per_minute",
	[UNIT_US] = "us",	     [UNIT_MS] = "ms",	       [UNIT_S] = "s",
	[UNIT_PERCENT] = "percent",  [UNIT_RATIO] = "ratio",   [UNIT_FLAG] = "flag",
};
static_assert(ARRAY_SIZE(names) == UNIT_UNIT_COUNT, "a name for every unit");

const char *unit_name(enum unit unit)
{
	return names[unit];
}

void out_number(struct out *out, double value)
{
	if (!isfinite(value))
		out_lit(out, "null");
	else if (value == floor(value) && fabs(value) < 9e15)
		out_i64(out, (int64_t)value);
	else
		out_printf(out, "%.6g", value);
}

static void out_bytes(struct out *out, double value)
{
	static const char *const prefix[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	while (value >= 10240 && i + 1 < ARRAY_SIZE(prefix)) {
		value /= 1024;
		i++;
	}
	out_printf(out, i && value < 100 ? "%.1f %s" : "%.0f %s", value, prefix[i]);
}

static void out_rate(struct out *out, double value, const char *per)
{
	out_printf(out, value < 10 && value != floor(value) ? "%.1f%s" : "%.0f%s", value, per);
}

void out_value(struct out *out, double value, enum unit unit)
{
	double us = value * (unit == UNIT_S ? 1e6 : unit == UNIT_MS ? 1e3 : 1);

	switch (unit) {
	case UNIT_BYTES:
		out_bytes(out, value);
		break;
	case UNIT_BYTES_PER_S:
		out_bytes(out, value);
		out_lit(out, "/s");
		break;
	case UNIT_PER_S:
		out_rate(out, value, "/s");
		break;
	case UNIT_PER_MIN:
		out_rate(out, value, "/min");
		break;
	case UNIT_US:
	case UNIT_MS:
	case UNIT_S:
		out_duration(out, us < 0 ? 0 : (uint64_t)us);
		break;
	case UNIT_PERCENT:
		out_rate(out, value, " %");
		break;
	case UNIT_RATIO:
		out_printf(out, "%.2f", value);
		break;
	case UNIT_FLAG:
		out_str(out, value != 0 ? "yes" : "no");
		break;
	default:
		out_number(out, value);
	}
}
