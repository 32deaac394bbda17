/* SPDX-License-Identifier: MIT */
/* Formats the sentence that goes with an errno. */
#include "tcptriage/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return code;
}

int err_errno(struct err *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		size_t len;

		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
		len = strlen(err->text);
		snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(-code));
	}
	return code;
}
