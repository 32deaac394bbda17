/* SPDX-License-Identifier: MIT */
/* Why the world failed us: an errno beside a sentence with the next step. */
#ifndef TCPTRIAGE_BASE_ERR_H
#define TCPTRIAGE_BASE_ERR_H

#include "tcptriage/base/util.h"

/**
 * struct err - the reason of a failure, filled where it is known.
 * @text: one sentence without a full stop, with the hint ("needs CAP_NET_ADMIN: run as root or …"); "" when nothing failed.
 */
struct err {
	char text[512];
};

/**
 * err_set() - fill @err (may be NULL) and hand @code back, so that `return err_set(err, -EPERM, …)` reads as one act.
 * @code: a negative errno.
 * Return: @code.
 */
int err_set(struct err *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/**
 * err_errno() - like err_set() with the text of errno @code appended after ": ".
 * @code: a negative errno.
 * Return: @code.
 */
int err_errno(struct err *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
