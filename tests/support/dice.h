/* SPDX-License-Identifier: MIT */
/* Numbers and addresses for tests that try what nobody thinks of: xorshift64*, the same in every run. */
#ifndef TESTS_SUPPORT_DICE_H
#define TESTS_SUPPORT_DICE_H

#include "tcptriage/base/util.h"
#include "tcptriage/model/address.h"

static uint64_t dice = 88172645463325252;

/** roll() - 0 to below @below. */
static inline uint64_t roll(uint64_t below)
{
	dice ^= dice >> 12;
	dice ^= dice << 25;
	dice ^= dice >> 27;
	return (dice * UINT64_C(2685821657736338717) >> 16) % below;
}

/** number() - small ones, those up to the size of a packet, limits of the type, and anything between. */
static inline uint64_t number(uint64_t most)
{
	switch (roll(5)) {
	case 0:
		return 0;
	case 1:
		return roll(MIN(most, 8) + 1);
	case 2:
		return roll(MIN(most, 1600) + 1);
	case 3:
		return roll(MIN(most, 100000) + 1);
	default:
		return most - roll(2);
	}
}

/** any_address() - one of each kind mostly, so that some meet again, else any. */
static inline struct addr any_address(void)
{
	static const char *const known[] = { "10.0.0.1", "10.0.0.2", "45.0.0.1", "46.1.2.3", "127.0.0.1", "224.0.0.1", "0.0.0.0", "fd00::1", "2a00::2", "ff02::1", "::1", "::" };
	struct addr addr = { 0 };

	if (roll(8)) {
		addr_parse(known[roll(ARRAY_SIZE(known))], &addr);
		return addr;
	}
	return addr_v4((uint32_t)number(UINT32_MAX));
}

#endif
