/* SPDX-License-Identifier: MIT */
/* One reading of all clocks that a judgement needs, so that a replay can bring its own. */
#ifndef TCPTRIAGE_BASE_CLOCK_H
#define TCPTRIAGE_BASE_CLOCK_H

#include "tcptriage/base/out.h"

/**
 * struct clock_reading - what the clocks said at one moment, in µs.
 * @real_us: CLOCK_REALTIME since 1970 UTC. @mono_us: CLOCK_MONOTONIC. @boot_us: CLOCK_BOOTTIME (counts suspend).
 */
struct clock_reading {
	int64_t real_us, mono_us, boot_us;
};

/** clock_now() - reads the three clocks. */
struct clock_reading clock_now(void);
/** clock_mono_us() - CLOCK_MONOTONIC alone, for deadlines and costs. */
int64_t clock_mono_us(void);
/** clock_sleep_until() - sleeps until CLOCK_MONOTONIC reaches @mono_us. Return: 0, or -EINTR when a signal came first. */
int clock_sleep_until(int64_t mono_us);
/** out_time_utc() - RFC 3339 UTC with µs and Z, for machines. */
void out_time_utc(struct out *out, int64_t real_us);
/** out_time_local() - local time with offset to the second, for people. */
void out_time_local(struct out *out, int64_t real_us);
/** out_duration() - "37 ms", "4.2 s", "31 s", "2 h 14 min", "3 d 4 h" from µs. */
void out_duration(struct out *out, uint64_t us);

#endif
