/* SPDX-License-Identifier: MIT */
/* Reading, waiting for and writing time. */
#include "tcptriage/base/clock.h"

#include <errno.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
	struct timespec ts;

	BUG_ON(clock_gettime(id, &ts));
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct clock_reading clock_now(void)
{
	return (struct clock_reading){ .real_us = read_us(CLOCK_REALTIME),
				       .mono_us = read_us(CLOCK_MONOTONIC),
				       .boot_us = read_us(CLOCK_BOOTTIME) };
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int clock_sleep_until(int64_t mono_us)
{
	struct timespec ts = { .tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000 };

	if (mono_us <= 0)
		return 0;
	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

void out_time_utc(struct out *out, int64_t real_us)
{
	time_t seconds = (time_t)(real_us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	out_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(real_us % 1000000));
}

void out_time_local(struct out *out, int64_t real_us)
{
	time_t seconds = (time_t)(real_us / 1000000);
	struct tm tm;
	char text[64];

	localtime_r(&seconds, &tm);
	if (strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm))
		out_str(out, text);
}

void out_duration(struct out *out, uint64_t us)
{
	uint64_t ms = us / 1000, s = ms / 1000;

	if (us == 0)
		out_lit(out, "0 s");
	else if (us < 1000)
		out_printf(out, "%u µs", (unsigned)us);
	else if (ms < 10 && us % 1000)
		out_printf(out, "%u.%u ms", (unsigned)ms, (unsigned)(us % 1000 / 100));
	else if (ms < 1000)
		out_printf(out, "%u ms", (unsigned)ms);
	else if (s < 10 && ms % 1000 >= 100)
		out_printf(out, "%u.%u s", (unsigned)s, (unsigned)(ms % 1000 / 100));
	else if (s < 120)
		out_printf(out, "%u s", (unsigned)s);
	else if (s < 3600)
		out_printf(out, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
	else if (s < 86400)
		out_printf(out, "%u h %u min", (unsigned)(s / 3600), (unsigned)(s % 3600 / 60));
	else
		out_printf(out, "%llu d %u h", (unsigned long long)(s / 86400),
			   (unsigned)(s % 86400 / 3600));
}
