/* SPDX-License-Identifier: MIT */
/* Never more than so many probes and connections in a second to one host, whichever machine wants them sent. */
#include "probe_pace.h"

#include "tcptriage/base/util.h"

/* A little more than a second: what leaves late once must not make one too many in the second that follows. */
#define WINDOW_US 1050000

int64_t probe_pace_when(const struct probe_pace *pace)
{
	return pace->count < PROBE_PACE_RATE ? INT64_MIN : pace->at_us[pace->next] + WINDOW_US;
}

void probe_pace_sent(struct probe_pace *pace, int64_t now_us)
{
	pace->at_us[pace->next] = now_us;
	pace->next = (pace->next + 1) % PROBE_PACE_RATE;
	pace->count = MIN(pace->count + 1, PROBE_PACE_RATE);
}
