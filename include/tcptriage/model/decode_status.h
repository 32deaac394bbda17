/* SPDX-License-Identifier: MIT */
/* What became of bytes that came from outside. */
#ifndef TCPTRIAGE_MODEL_DECODE_STATUS_H
#define TCPTRIAGE_MODEL_DECODE_STATUS_H

/**
 * enum decode_status - four outcomes that are never confused: all is there and makes sense; the capture ended before the bytes did (snaplen);
 * the bytes contradict themselves; they are something that this program does not read.
 */
enum decode_status { DECODE_OK, DECODE_TRUNCATED, DECODE_MALFORMED, DECODE_UNSUPPORTED, DECODE_STATUS_COUNT };

/** decode_status_name() - "ok", "truncated", "malformed", "unsupported". */
const char *decode_status_name(enum decode_status status);

#endif
