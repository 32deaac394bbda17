/* SPDX-License-Identifier: MIT */
/* Local time of a packet; breaking a second down is dear, so the newest one is kept. */
#include "src/render/put_time.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000

void put_time_of_day(struct out *out, int64_t time_ns)
{
	static int64_t kept = INT64_MIN;
	static char text[16];
	int64_t second = time_ns / NS_PER_S, rest = time_ns % NS_PER_S;
	struct tm tm = { 0 };
	char *at;

	if (rest < 0) {
		rest += NS_PER_S;
		second--;
	}
	if (second != kept) {
		time_t clock = (time_t)second;

		localtime_r(&clock, &tm);
		snprintf(text, sizeof(text), "%02u:%02u:%02u.", (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
		kept = second;
	}
	at = out_need(out, 16);
	memcpy(at, text, 9);
	rest /= 1000;
	for (unsigned i = 15; i-- > 9; rest /= 10)
		at[i] = (char)('0' + rest % 10);
	out->at = at + 15;
}
