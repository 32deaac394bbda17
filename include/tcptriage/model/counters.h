/* SPDX-License-Identifier: MIT */
/* Kernel counters of one network namespace at one moment. */
#ifndef TCPTRIAGE_MODEL_COUNTERS_H
#define TCPTRIAGE_MODEL_COUNTERS_H

#include "tcptriage/base/util.h"

/** enum counter_id - the rows of counters.def. */
enum counter_id {
#define COUNTER(id, group, column, nstat) COUNTER_##id,
#include "tcptriage/model/counters.def"
#undef COUNTER
	COUNTER_COUNT
};

/** struct counter_row - where a counter stands and what nstat calls it (the name in evidence). */
struct counter_row {
	const char *group, *column, *nstat;
};
/** counter_rows - all counters that are read, by counter. */
extern const struct counter_row counter_rows[COUNTER_COUNT];

/** struct counters - values at one moment; absent is not zero: @has[id] says what the kernel delivered. */
struct counters {
	uint64_t value[COUNTER_COUNT];
	bool has[COUNTER_COUNT];
};

/**
 * counters_delta() - growth of one counter between two moments of one boot, modulo 2^64.
 * Return: false when either side lacks it or it went backwards (a namespace was re-made); then @delta is 0.
 */
bool counters_delta(const struct counters *before, const struct counters *after,
		    enum counter_id id, uint64_t *delta);

#endif
