/* SPDX-License-Identifier: MIT */
/* Text to numbers: whole, bounded, never a guess. */
#ifndef TCPTRIAGE_BASE_NUM_H
#define TCPTRIAGE_BASE_NUM_H

#include "tcptriage/base/util.h"

/** num_u64() - the whole of @text (NUL-terminated) as a decimal number ≤ @max. Return: false when it is anything else. */
bool num_u64(const char *text, uint64_t max, uint64_t *out);
/** num_u64_any() - like num_u64(), accepting 0x… hexadecimal too. */
bool num_u64_any(const char *text, uint64_t max, uint64_t *out);
/** num_take_u64() - reads decimal digits at *@at, advances it past them. Return: false without a digit or on overflow. */
bool num_take_u64(const char **at, uint64_t *out);
/** num_duration_us() - "250ms", "1.5s", "5m", "2h", "30us", or bare seconds → µs. Return: false on other text. */
bool num_duration_us(const char *text, uint64_t *out);
/** num_bytes() - "4096", "64k", "2MiB", "1g" (IEC) → bytes. Return: false on other text. */
bool num_bytes(const char *text, uint64_t *out);
/** num_fraction() - a decimal between 0 and 1. Return: false on other text. */
bool num_fraction(const char *text, double *out);

#endif
