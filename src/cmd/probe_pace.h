/* SPDX-License-Identifier: MIT */
/* Never more than so many probes and connections in a second to one host, whichever machine wants them sent. */
#ifndef TCPTRIAGE_SRC_CMD_PROBE_PACE_H
#define TCPTRIAGE_SRC_CMD_PROBE_PACE_H

#include <stdint.h>

/** A second at most holds so many of them. */
#define PROBE_PACE_RATE 50

/** struct probe_pace - when the last of them left, oldest at @next once it is full; zeroed it is one that sent nothing. CLOCK_MONOTONIC. */
struct probe_pace {
	int64_t at_us[PROBE_PACE_RATE];
	unsigned next, count;
};

/** probe_pace_when() - from when on one more may leave. Return: CLOCK_MONOTONIC, in the past when now. */
int64_t probe_pace_when(const struct probe_pace *pace);
/** probe_pace_sent() - one left at @now_us. */
void probe_pace_sent(struct probe_pace *pace, int64_t now_us);

#endif
