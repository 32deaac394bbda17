/* SPDX-License-Identifier: MIT */
/* Names and frames of a recording. */
#include "collect/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a kernel fills at most. */
#define FRAME_BYTES_USUAL (32 * 1024)

void recording_name(char name[RECORDING_NAME_MAX], unsigned ns, unsigned sample, const char *what)
{
	snprintf(name, RECORDING_NAME_MAX, "ns%u-%u.%s", ns, sample, what);
}

void recording_ns_name(char name[RECORDING_NAME_MAX], unsigned ns, const char *what)
{
	snprintf(name, RECORDING_NAME_MAX, "ns%u.%s", ns, what);
}

int recording_open(int dir, const char *name)
{
	/* whoever made the directory may have put a pipe or a link there */
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

void frame_open(struct frame_reader *reader, int fd)
{
	*reader = (struct frame_reader){ .fd = fd };
}

void frame_close(struct frame_reader *reader)
{
	free(reader->bytes);
	reader->bytes = NULL;
}

/* Return: bytes read, fewer than @size at the end of the file. */
static size_t read_fully(struct frame_reader *reader, void *into, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(reader->fd, (char *)into + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	reader->offset += have;
	return have;
}

static bool head_is_right(const struct frame *frame)
{
	if (frame->magic != FRAME_MAGIC || frame->zero || frame->family >= ADDR_FAMILY_COUNT)
		return false;
	if (frame->kind == FRAME_END)
		return frame->len == sizeof(struct frame_end);
	return frame->kind == FRAME_DATA && frame->len <= FRAME_BYTES_MAX;
}

static void make_room(struct frame_reader *reader)
{
	if (reader->frame.len <= reader->size && reader->bytes)
		return;
	reader->size = MAX((size_t)reader->frame.len, (size_t)FRAME_BYTES_USUAL);
	reader->bytes = xrealloc_array(reader->bytes, reader->size, 1);
}

bool frame_next(struct frame_reader *reader)
{
	for (;;) {
		size_t n = read_fully(reader, &reader->frame, sizeof(reader->frame));

		if (n < sizeof(reader->frame)) {
			reader->cut |= n > 0;
			return false;
		}
		if (!head_is_right(&reader->frame)) {
			reader->garbage++;
			return false;
		}
		make_room(reader);
		if (read_fully(reader, reader->bytes, reader->frame.len) < reader->frame.len) {
			reader->cut = true;
			return false;
		}
		if (frame_sum(reader->bytes, reader->frame.len) == reader->frame.sum)
			return true;
		reader->garbage++;
	}
}
