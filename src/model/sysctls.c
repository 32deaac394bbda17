/* SPDX-License-Identifier: MIT */
/* The rows of sysctls.def as data. */
#include "tcptriage/model/sysctls.h"

const struct sysctl_row sysctl_rows[SYSCTL_COUNT] = {
#define SYSCTL(id, file, number) [SYSCTL_##id] = { .path = file, .word = number },
#include "tcptriage/model/sysctls.def"
#undef SYSCTL
};
