/* SPDX-License-Identifier: MIT */
/* Text of /proc/net's counter files to struct counters: pure, tolerant, counting what it could not read. */
#ifndef COLLECT_PROC_COUNTERS_H
#define COLLECT_PROC_COUNTERS_H

#include "tcptriage/model/counters.h"

/** struct counter_file - a file below /proc/net and its parser. Every parser returns the number of lines or values of the wrong shape. */
struct counter_file {
	const char *name;
	unsigned (*parse)(const char *text, struct counters *out);
};
#define COUNTER_FILES 5
extern const struct counter_file counter_files[COUNTER_FILES];

/**
 * counters_parse_pairs() - snmp and netstat: a line of names, then a line of values, both begun by the group ("Tcp:"). Columns are matched
 * by name, in any order; more of them are fine. The last word of a text that ends without a newline was cut and is not taken.
 */
unsigned counters_parse_pairs(const char *text, struct counters *out);
/** counters_parse_snmp6() - one "name value" a line. */
unsigned counters_parse_snmp6(const char *text, struct counters *out);
/** counters_parse_sockstat() - "TCP: inuse 4 orphan 0 …" a line; sockstat and sockstat6 alike, told apart by the words before the colon. */
unsigned counters_parse_sockstat(const char *text, struct counters *out);

#endif
