/* SPDX-License-Identifier: MIT */
/* The end of every view of `tcptriage states`. */
#ifndef TCPTRIAGE_SRC_CMD_STATES_PRINT_H
#define TCPTRIAGE_SRC_CMD_STATES_PRINT_H

#include "states.h"

/** states_finish() - flush and close @out, say notices and @err (when @code is not 0) on stderr. Return: exit status. */
int states_finish(struct query *query, struct out *out, int code, const struct err *err);

#endif
