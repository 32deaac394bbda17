/* SPDX-License-Identifier: MIT */
/* Any bytes as a capture file: pcapng, classic pcap or packed, with and without a filter. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tcptriage/capture/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static int open_input(void *context, unsigned index, struct err *err)
{
	const struct input *input = context;
	int fd = memfd_create("input", MFD_CLOEXEC);

	(void)index;
	(void)err;
	BUG_ON(fd < 0 || write(fd, input->data, input->size) != (ssize_t)input->size || lseek(fd, 0, SEEK_SET));
	return fd;
}

/* Reads what a decoder would: every byte that is said to be there, and the interface it came from. */
static uint64_t touch(const struct reader *reader, const struct frame *frame)
{
	const struct capture_interface *interface = reader_interface(reader, frame->interface);
	uint64_t sum = 0;

	BUG_ON(frame->captured > frame->wire || frame->time_ns < 0 || frame->time_ns > (int64_t)1 << 62);
	BUG_ON(!interface || interface->link_type != frame->link_type || frame->direction > DIRECTION_OUT);
	for (uint32_t i = 0; i < frame->captured; i++)
		sum += frame->bytes[i];
	return sum + (uint8_t)*interface->name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "first", "second" };
	static volatile uint64_t sink;
	CLEANUP(reader_close_ptr) struct reader *reader = NULL;
	struct input input = { data, size };
	const struct reader_files wish = {
		.names = names, .count = 1 + size / 2 % 2, .open = open_input, .context = &input, .filter = size % 2 ? "ip or len > 20" : NULL
	};
	struct capture_source source;
	struct err err = { .text = "" };
	uint64_t sum = 0, last = 0;
	struct frame frame;
	int status;

	if (reader_open_files(&reader, &wish, &err)) {
		BUG_ON(!*err.text);
		return 0;
	}
	while ((status = reader_next(reader, &frame, &err)) != 0) {
		BUG_ON(status < 0 && status != -EAGAIN && !*err.text);
		if (status != 1)
			continue;
		BUG_ON(frame.number <= last);
		last = frame.number;
		sum += touch(reader, &frame);
	}
	reader_source(reader, &source);
	sink = sum + source.received;
	(void)sink;
	return 0;
}
