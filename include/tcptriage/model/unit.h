/* SPDX-License-Identifier: MIT */
/* Units of numbers: what a value is measured in, and how people read it. */
#ifndef TCPTRIAGE_MODEL_UNIT_H
#define TCPTRIAGE_MODEL_UNIT_H

#include "tcptriage/base/out.h"

/** enum unit - what a number is measured in. */
enum unit {
	UNIT_NONE,	  /* a code or an identifier */
	UNIT_COUNT,	  /* things */
	UNIT_SOCKETS,
	UNIT_PORTS,
	UNIT_SEGMENTS,
	UNIT_BYTES,
	UNIT_BYTES_PER_S,
	UNIT_PER_S,	  /* events a second */
	UNIT_PER_MIN,
	UNIT_US,
	UNIT_MS,
	UNIT_S,
	UNIT_PERCENT,
	UNIT_RATIO,	  /* 0 … 1, or a factor */
	UNIT_FLAG,	  /* 0 or 1 */
	UNIT_UNIT_COUNT
};

/** unit_name() - the word in JSON ("sockets", "ms", "percent"; "" for codes). */
const char *unit_name(enum unit unit);
/** out_value() - the number as people read it, with its unit: "2 h 14 min", "128.5 KiB", "72 %", "31 /s", "12". */
void out_value(struct out *out, double value, enum unit unit);
/** out_number() - shortest decimal that reads back as the same double to 6 significant places; integers without a point; for JSON. */
void out_number(struct out *out, double value);

#endif
