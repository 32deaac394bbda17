/* SPDX-License-Identifier: MIT */
/* Collects sentences about what is missing; a thousandth repetition costs a count. */
#include "tcptriage/base/notices.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void notices_add(struct notices *notices, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (size_t i = 0; i < notices->count; i++)
		if (!strcmp(notices->item[i].text, text)) {
			notices->item[i].count++;
			return;
		}
	if (notices->count == ARRAY_SIZE(notices->item)) {
		notices->lost++;
		return;
	}
	notices->item[notices->count++] =
		(struct notice){ .text = arena_strdup(notices->arena, text), .count = 1 };
}
