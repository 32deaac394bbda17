/* SPDX-License-Identifier: MIT */
/* Time stamps of any resolution to nanoseconds since 1970. */
#ifndef CAPTURE_TIME_SCALE_H
#define CAPTURE_TIME_SCALE_H

#include "tcptriage/base/util.h"

/** Frames' times lie between 0 and this (in the year 2116), so that no difference or sum of two can overflow; what a file says beyond is held here. */
#define TIME_SCALE_MAX_NS ((int64_t)1 << 62)

/**
 * struct time_scale - the clock of one interface.
 * @resolution: as in pcapng's if_tsresol: a unit is 10^-n s, with the top bit set 2^-n s. @offset_s: added (if_tsoffset).
 */
struct time_scale {
	uint8_t resolution;
	int64_t offset_s;
};

/** Resolution of microseconds, pcapng's default. */
#define TIME_SCALE_MICROSECONDS 6
/** Resolution of nanoseconds. */
#define TIME_SCALE_NANOSECONDS 9

/** time_scale_ns() - @units of @scale as nanoseconds since 1970; what is finer is cut off. */
int64_t time_scale_ns(const struct time_scale *scale, uint64_t units);
/** time_scale_needs_ns() - its times may be no whole microseconds. */
bool time_scale_needs_ns(const struct time_scale *scale);

/** time_scale_pcap_ns() - the two halves of a pcap record's time. */
static inline int64_t time_scale_pcap_ns(uint32_t seconds, int64_t ns)
{
	/* 2^32 s end in 2106, and libpcap gives no more than 2^32 ms here */
	return MAX((int64_t)seconds * 1000000000 + ns, 0);
}

#endif
