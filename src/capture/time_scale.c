/* SPDX-License-Identifier: MIT */
/* pcapng lets an interface count in any power of ten or of two below a second. */
#include "capture/time_scale.h"

#define NS_PER_S 1000000000
#define POWER_OF_TWO 0x80

static uint64_t power_of_ten(unsigned exponent)
{
	uint64_t value = 1;

	while (exponent--)
		value *= 10;
	return value;
}

static unsigned __int128 plain_ns(uint8_t resolution, uint64_t units)
{
	unsigned exponent = resolution & ~POWER_OF_TWO;

	if (resolution & POWER_OF_TWO)
		return (unsigned __int128)units * NS_PER_S >> exponent;
	if (exponent <= TIME_SCALE_NANOSECONDS)
		return (unsigned __int128)units * power_of_ten(TIME_SCALE_NANOSECONDS - exponent);
	/* 10^19 is the largest that 64 bits hold, and what 64 bits hold is below 10^20 */
	exponent -= TIME_SCALE_NANOSECONDS;
	return exponent > 19 ? 0 : units / power_of_ten(exponent);
}

int64_t time_scale_ns(const struct time_scale *scale, uint64_t units)
{
	__int128 ns = (__int128)scale->offset_s * NS_PER_S + (__int128)plain_ns(scale->resolution, units);

	return ns < 0 ? 0 : ns > TIME_SCALE_MAX_NS ? TIME_SCALE_MAX_NS : (int64_t)ns;
}

bool time_scale_needs_ns(const struct time_scale *scale)
{
	unsigned exponent = scale->resolution & ~POWER_OF_TWO;

	/* 2^-6 s are 15625 us, 2^-7 s no whole number of them */
	return exponent > 6;
}
