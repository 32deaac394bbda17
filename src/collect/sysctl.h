/* SPDX-License-Identifier: MIT */
/* Text of files below /proc/sys/net to struct sysctls: pure. */
#ifndef COLLECT_SYSCTL_H
#define COLLECT_SYSCTL_H

#include "tcptriage/model/sysctls.h"

/** The list of ports that the kernel keeps out of its range, below /proc/sys/net. */
#define SYSCTL_RESERVED_PATH "ipv4/ip_local_reserved_ports"
/** Longest value that is read: 65536 ports as single numbers and a little. */
#define SYSCTL_TEXT_MAX (400 * 1024)

/** sysctl_path() - the @index-th distinct file that is read, NULL after the last. */
const char *sysctl_path(size_t index);
/**
 * sysctl_take() - take the value of file @path into every setting that stands in it.
 * Return: number of settings whose number was missing or none (they stay absent).
 */
unsigned sysctl_take(const char *path, const char *text, struct sysctls *out);
/** sysctl_parse_ports() - "80,443,8000-8010" to a bitmap. Return: false, nothing set, for any other text. */
bool sysctl_parse_ports(const char *text, uint8_t ports[65536 / 8]);

#endif
