/* SPDX-License-Identifier: MIT */
/* The rows of counters.def as data, and differences. */
#include "tcptriage/model/counters.h"

const struct counter_row counter_rows[COUNTER_COUNT] = {
#define COUNTER(id, file, word, name)                                                              \
	[COUNTER_##id] = { .group = file, .column = word, .nstat = name },
#include "tcptriage/model/counters.def"
#undef COUNTER
};

bool counters_delta(const struct counters *before, const struct counters *after,
		    enum counter_id id, uint64_t *delta)
{
	*delta = 0;
	if (!before->has[id] || !after->has[id] || after->value[id] < before->value[id])
		return false;
	*delta = after->value[id] - before->value[id];
	return true;
}
