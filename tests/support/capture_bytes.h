/* SPDX-License-Identifier: MIT */
/* Capture files made by hand, byte by byte in either order, and read whole from memory. */
#ifndef TESTS_SUPPORT_CAPTURE_BYTES_H
#define TESTS_SUPPORT_CAPTURE_BYTES_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tcptriage/capture/reader.h"

/** struct bytes - a file in the making. @big: what follows is written with the most significant byte first. */
struct bytes {
	uint8_t at[1 << 16];
	size_t len;
	bool big;
};

/** bytes_put() - append as they are. */
static inline void bytes_put(struct bytes *b, const void *from, size_t len)
{
	BUG_ON(len > sizeof(b->at) - b->len);
	if (len)
		memcpy(b->at + b->len, from, len);
	b->len += len;
}

/** bytes_number() - append @value in @width bytes. */
static inline void bytes_number(struct bytes *b, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * (b->big ? width - 1 - i : i));

		bytes_put(b, &byte, 1);
	}
}

/** bytes_pad() - append zeros up to a multiple of four. */
static inline void bytes_pad(struct bytes *b)
{
	while (b->len % 4)
		bytes_number(b, 0, 1);
}

/** pcap_head() - a classic file's header. */
static inline void pcap_head(struct bytes *b, uint32_t magic, uint32_t snaplen, uint32_t link_type)
{
	bytes_number(b, magic, 4);
	bytes_number(b, 2, 2);
	bytes_number(b, 4, 2);
	bytes_number(b, 0, 8);
	bytes_number(b, snaplen, 4);
	bytes_number(b, link_type, 4);
}

/** pcap_record() - a packet of @captured bytes that all are @fill. */
static inline void pcap_record(struct bytes *b, uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t wire, uint8_t fill)
{
	bytes_number(b, seconds, 4);
	bytes_number(b, fraction, 4);
	bytes_number(b, captured, 4);
	bytes_number(b, wire, 4);
	for (uint32_t i = 0; i < captured; i++)
		bytes_put(b, &fill, 1);
}

/** ng_begin() - a block of @type. Return: where it begins, for ng_end(). */
static inline size_t ng_begin(struct bytes *b, uint32_t type)
{
	size_t at = b->len;

	bytes_number(b, type, 4);
	bytes_number(b, 0, 4);
	return at;
}

/** ng_end() - pads the block and puts its length on both ends. */
static inline void ng_end(struct bytes *b, size_t at)
{
	size_t end;

	bytes_pad(b);
	end = b->len;
	b->len = at + 4;
	bytes_number(b, end + 4 - at, 4);
	b->len = end;
	bytes_number(b, end + 4 - at, 4);
}

/** ng_option() - one option. */
static inline void ng_option(struct bytes *b, uint16_t code, const void *value, size_t len)
{
	bytes_number(b, code, 2);
	bytes_number(b, len, 2);
	bytes_put(b, value, len);
	bytes_pad(b);
}

/** ng_option_number() - one option that is a number of @width bytes. */
static inline void ng_option_number(struct bytes *b, uint16_t code, uint64_t value, unsigned width)
{
	bytes_number(b, code, 2);
	bytes_number(b, width, 2);
	bytes_number(b, value, width);
	bytes_pad(b);
}

/** ng_section() - a section header in the order that @b->big says. */
static inline void ng_section(struct bytes *b)
{
	size_t at = ng_begin(b, 0x0a0d0d0a);

	bytes_number(b, 0x1a2b3c4d, 4);
	bytes_number(b, 1, 2);
	bytes_number(b, 0, 2);
	bytes_number(b, UINT64_MAX, 8);
	ng_end(b, at);
}

/** ng_interface() - an interface; @name NULL and @resolution < 0: without that option. */
static inline void ng_interface(struct bytes *b, uint16_t link_type, uint32_t snaplen, const char *name, int resolution)
{
	size_t at = ng_begin(b, 1);

	bytes_number(b, link_type, 2);
	bytes_number(b, 0, 2);
	bytes_number(b, snaplen, 4);
	if (name)
		ng_option(b, 2, name, strlen(name));
	if (resolution >= 0)
		ng_option_number(b, 9, (uint64_t)resolution, 1);
	if (name || resolution >= 0)
		ng_option(b, 0, "", 0);
	ng_end(b, at);
}

/** ng_packet_open() - an enhanced packet block without its end, so that options may follow. */
static inline size_t ng_packet_open(struct bytes *b, uint32_t interface, uint64_t units, uint32_t captured, uint32_t wire, uint8_t fill)
{
	size_t at = ng_begin(b, 6);

	bytes_number(b, interface, 4);
	bytes_number(b, units >> 32, 4);
	bytes_number(b, units & UINT32_MAX, 4);
	bytes_number(b, captured, 4);
	bytes_number(b, wire, 4);
	for (uint32_t i = 0; i < captured; i++)
		bytes_put(b, &fill, 1);
	bytes_pad(b);
	return at;
}

/** ng_packet() - an enhanced packet block of @captured bytes that all are @fill. */
static inline void ng_packet(struct bytes *b, uint32_t interface, uint64_t units, uint32_t captured, uint32_t wire, uint8_t fill)
{
	ng_end(b, ng_packet_open(b, interface, units, captured, wire, fill));
}

#define READING_FRAMES_MAX 64
#define READING_BYTES_MAX 256

/**
 * struct reading - what reading files to their end gave. @opened: outcome of reader_open_files(). @broken: how often a file was cut or broken, @why:
 * the last message. @failed: another error, 0 none. @frames: the first of @count, their bytes (the first of each) copied to @bytes.
 */
struct reading {
	int opened, failed;
	unsigned broken, count, interface_count;
	struct err why;
	struct frame frames[READING_FRAMES_MAX];
	uint8_t bytes[READING_FRAMES_MAX][READING_BYTES_MAX];
	struct capture_source source;
	struct capture_interface interfaces[READING_FRAMES_MAX];
	char names[READING_FRAMES_MAX][300], source_name[64];
};

static inline void reading_keep(struct reading *r, const struct frame *frame)
{
	if (r->count < READING_FRAMES_MAX) {
		r->frames[r->count] = *frame;
		memcpy(r->bytes[r->count], frame->bytes, MIN(frame->captured, (uint32_t)READING_BYTES_MAX));
	}
	r->count++;
}

static inline void reading_end(struct reading *r, struct reader *reader)
{
	const struct capture_interface *interface;

	reader_source(reader, &r->source);
	strncpy(r->source_name, r->source.name, sizeof(r->source_name) - 1);
	r->source.name = r->source_name;
	while (r->interface_count < READING_FRAMES_MAX && (interface = reader_interface(reader, r->interface_count))) {
		strncpy(r->names[r->interface_count], interface->name, sizeof(r->names[0]) - 1);
		r->interfaces[r->interface_count] = *interface;
		r->interfaces[r->interface_count].name = r->names[r->interface_count];
		r->interface_count++;
	}
}

/** read_wish() - read all that @wish names. */
static inline void read_wish(struct reading *r, const struct reader_files *wish)
{
	CLEANUP(reader_close_ptr) struct reader *reader = NULL;
	struct frame frame;
	int status = 1;

	memset(r, 0, sizeof(*r));
	r->opened = reader_open_files(&reader, wish, &r->why);
	if (r->opened)
		return;
	while (status && !r->failed) {
		status = reader_next(reader, &frame, &r->why);
		if (status == 1)
			reading_keep(r, &frame);
		else if (status == -EBADMSG)
			r->broken++;
		else if (status < 0 && status != -EAGAIN)
			r->failed = status;
	}
	reading_end(r, reader);
}

/** bytes_descriptor() - the first @len bytes as an open file at its beginning. */
static inline int bytes_descriptor(const struct bytes *b, size_t len)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	BUG_ON(fd < 0 || write(fd, b->at, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET));
	return fd;
}

/** struct bytes_list - files in memory, for reader_files.context. @lens: of each, NULL all of it. */
struct bytes_list {
	const struct bytes *const *files;
	const size_t *lens;
};

static inline int bytes_open(void *context, unsigned index, struct err *err)
{
	const struct bytes_list *list = context;

	(void)err;
	return bytes_descriptor(list->files[index], list->lens ? list->lens[index] : list->files[index]->len);
}

/** read_bytes() - read the first @len bytes of @b as a file named "memory". */
static inline void read_bytes(struct reading *r, const struct bytes *b, size_t len, const char *filter)
{
	static const char *const names[] = { "memory" };
	struct bytes_list list = { &b, &len };
	const struct reader_files wish = { .names = names, .count = 1, .open = bytes_open, .context = &list, .filter = filter };

	read_wish(r, &wish);
}

#endif
