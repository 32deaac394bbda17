/* SPDX-License-Identifier: MIT */
/* Where things are mounted: "36 35 98:0 /root /point options [optional…] - type source superoptions". */
#include "collect/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blanks, tabs, newlines and backslashes stand as \NNN. */
static void undo_octal(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

bool mounts_parse_line(char *line, struct mount_line *out)
{
	char *tail = strstr(line, " - "), *save = NULL, *field[5], *type;

	if (!tail)
		return false;
	*tail = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return false;
	}
	type = strtok_r(tail + 3, " ", &save);
	if (!type)
		return false;
	undo_octal(field[3]);
	undo_octal(field[4]);
	*out = (struct mount_line){ .root = field[3], .point = field[4], .type = type };
	return true;
}

int mounts_each(const char *type, void (*fn)(const struct mount_line *mount, void *context),
		void *context)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	int odd = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		struct mount_line mount;

		line[strcspn(line, "\n")] = '\0';
		if (!mounts_parse_line(line, &mount))
			odd++;
		else if (!strcmp(mount.type, type))
			fn(&mount, context);
	}
	free(line);
	fclose(file);
	return odd;
}

struct first {
	struct arena *arena;
	const char *point;
};

static void keep_first(const struct mount_line *mount, void *context)
{
	struct first *first = context;

	if (!first->point && !strcmp(mount->root, "/"))
		first->point = arena_strdup(first->arena, mount->point);
}

const char *mounts_first_of_type(const char *type, struct arena *arena)
{
	struct first first = { .arena = arena };

	mounts_each(type, keep_first, &first);
	return first.point;
}
