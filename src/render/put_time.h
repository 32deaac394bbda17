/* SPDX-License-Identifier: MIT */
/* The time of a packet as people read it. */
#ifndef TCPTRIAGE_RENDER_PUT_TIME_H
#define TCPTRIAGE_RENDER_PUT_TIME_H

#include "tcptriage/base/out.h"

/** put_time_of_day() - local "HH:MM:SS.ffffff"; the second is broken down once and kept. */
void put_time_of_day(struct out *out, int64_t time_ns);

#endif
