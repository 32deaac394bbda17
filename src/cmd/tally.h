/* SPDX-License-Identifier: MIT */
/* Counting by a textual key in bounded memory, for --group-by and for the top owner and peer of a state. */
#ifndef TCPTRIAGE_SRC_CMD_TALLY_H
#define TCPTRIAGE_SRC_CMD_TALLY_H

#include "tcptriage/base/out.h"

/** Keys that are kept; what comes beyond is counted in @lost. */
#define TALLY_MAX 65536

/** struct tally_line - one key and its sums. */
struct tally_line {
	char *key;
	uint64_t hash, count, recv_q, send_q;
};

/** struct tally - the table. Zero-initialise; release with tally_free(). */
struct tally {
	struct tally_line *lines;
	size_t count, cap;
	uint64_t lost;
};

/** tally_add() - adds one socket to key @key. */
void tally_add(struct tally *tally, const char *key, size_t len, uint64_t recv_q, uint64_t send_q);
/** tally_sort() - packs the lines to the front, largest count first, then by key. Only reading is allowed afterwards. */
void tally_sort(struct tally *tally);
/** tally_top() - the line with the largest count, NULL when empty; before tally_sort(). */
const struct tally_line *tally_top(const struct tally *tally);
/** tally_free() - releases it. Fit for CLEANUP(). */
void tally_free(struct tally *tally);

#endif
