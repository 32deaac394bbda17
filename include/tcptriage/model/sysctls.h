/* SPDX-License-Identifier: MIT */
/* Kernel settings of one network namespace. */
#ifndef TCPTRIAGE_MODEL_SYSCTLS_H
#define TCPTRIAGE_MODEL_SYSCTLS_H

#include "tcptriage/base/util.h"

/** enum sysctl_id - the rows of sysctls.def. */
enum sysctl_id {
#define SYSCTL(id, path, word) SYSCTL_##id,
#include "tcptriage/model/sysctls.def"
#undef SYSCTL
	SYSCTL_COUNT
};

/** struct sysctl_row - file below /proc/sys/net and which of its numbers. */
struct sysctl_row {
	const char *path;
	unsigned word;
};
/** sysctl_rows - all settings that are read, by setting. */
extern const struct sysctl_row sysctl_rows[SYSCTL_COUNT];

/**
 * struct sysctls - values as the kernel prints them (the unit is in the id).
 * @reserved: bit p is set when port p stands in ip_local_reserved_ports. @has_reserved: that file was read.
 */
struct sysctls {
	int64_t value[SYSCTL_COUNT];
	bool has[SYSCTL_COUNT];
	bool has_reserved;
	uint8_t reserved[65536 / 8];
};

/** sysctl_or() - the value, or @fallback where the kernel has no such setting. */
static inline int64_t sysctl_or(const struct sysctls *s, enum sysctl_id id, int64_t fallback)
{
	return s->has[id] ? s->value[id] : fallback;
}

/** sysctls_port_reserved() - port @port stands in ip_local_reserved_ports. */
static inline bool sysctls_port_reserved(const struct sysctls *s, uint16_t port)
{
	return s->reserved[port / 8] >> port % 8 & 1;
}

#endif
