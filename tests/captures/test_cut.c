/* SPDX-License-Identifier: MIT */
/* Capture files that end anywhere: all whole packets before the end are delivered, as they are in the whole file, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tcptriage/base/file.h"
#include "tcptriage/capture/reader.h"

#define FILE_MAX (8 << 20)
/* Each of the first bytes; then around so many records, evenly spread. */
#define EVERY_BYTE 400
#define RECORDS_LOOKED_AT 150
#define RECORDS_MAX 20000

/* struct seen - one frame as it was delivered. */
struct seen {
	uint64_t hash;
	int64_t time_ns;
	uint32_t captured, wire, link_type;
};

/* struct run - what the reader made of a file. @refused: it was not opened. @broken: it ended with -EBADMSG. */
struct run {
	struct seen frames[RECORDS_MAX];
	size_t count;
	bool refused, broken;
};

/* struct image - a file in memory. @ends: where each record that holds a packet ends; known when @walked, and in pcap there are no others. */
struct image {
	const char *name;
	const uint8_t *bytes;
	size_t size, head, record_count;
	size_t ends[RECORDS_MAX];
	bool walked, is_pcap;
};

static char **names;
static int name_count;
static struct run whole, cut;
static struct image image;

/* reader_files.open: the first @context bytes of the image. */
static int open_image(void *context, unsigned index, struct err *err)
{
	size_t size = *(const size_t *)context;
	int fd = memfd_create("cut", MFD_CLOEXEC);

	(void)index;
	if (fd < 0 || write(fd, image.bytes, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		return err_errno(err, -errno, "no memory file");
	return fd;
}

static void note(struct run *run, const struct frame *frame)
{
	BUG_ON(run->count == RECORDS_MAX);
	run->frames[run->count++] = (struct seen){ .hash = hash_bytes(0, frame->bytes, frame->captured),
						   .time_ns = frame->time_ns,
						   .captured = frame->captured,
						   .wire = frame->wire,
						   .link_type = frame->link_type };
}

/* Reads the first @size bytes as a capture file. */
static void read_image(struct run *run, size_t size)
{
	const char *name = image.name;
	struct reader_files wish = { .names = &name, .count = 1, .open = open_image, .context = &size };
	struct reader *reader = NULL;
	struct frame frame;
	struct err err = { "" };
	int code;

	run->count = 0;
	run->broken = false;
	run->refused = reader_open_files(&reader, &wish, &err) < 0;
	if (run->refused) {
		assert_non_null(strstr(err.text, name));
		return;
	}
	while ((code = reader_next(reader, &frame, &err))) {
		if (code == 1)
			note(run, &frame);
		else if (code == -EBADMSG)
			run->broken = true;
		else
			fail_msg("%s: cut at %zu: %s (%d)", name, size, err.text, code);
	}
	if (run->broken)
		assert_non_null(strstr(err.text, name));
	reader_close(reader);
}

static uint32_t word(size_t at, bool big)
{
	uint32_t value = 0;

	memcpy(&value, image.bytes + at, 4);
	return big ? __builtin_bswap32(value) : value;
}

/* pcap, by its two headers alone: the test's own idea of where records end. Return: false when it does not come out even. */
static bool walk_pcap(void)
{
	uint32_t magic = word(0, false);
	bool big = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
	size_t header = magic == 0xa1b2cd34 ? 24 : 16, at = 24;

	if (!big && magic != 0xa1b2c3d4 && magic != 0xa1b23c4d && magic != 0xa1b2cd34)
		return false;
	image.head = at;
	while (at + header <= image.size) {
		at += header + word(at + 8, big);
		if (at > image.size || image.record_count == RECORDS_MAX)
			return false;
		image.ends[image.record_count++] = at;
	}
	return at == image.size;
}

/* pcapng, block by block; a section's byte order stands in its header. Before its first interface a file tells of nothing. */
static bool walk_pcapng(void)
{
	bool big = false;
	size_t at = 0;

	while (at + 12 <= image.size) {
		uint32_t type = word(at, big), length;

		if (type == 0x0a0d0d0a)
			big = word(at + 8, false) != 0x1a2b3c4d;
		length = word(at + 4, big);
		if (length < 12 || length % 4 || length > image.size - at || image.record_count == RECORDS_MAX)
			return false;
		at += length;
		if (type == 1 && !image.head)
			image.head = at;
		if (type == 2 || type == 3 || type == 6)
			image.ends[image.record_count++] = at;
	}
	return at == image.size;
}

static void load(const char *path)
{
	static struct out bytes;

	if (!bytes.base)
		out_open_mem(&bytes);
	out_clear(&bytes);
	if (file_slurp_at(AT_FDCWD, path, &bytes, FILE_MAX))
		fail_msg("%s cannot be read", path);
	image.name = path;
	image.bytes = (const uint8_t *)bytes.base;
	image.size = out_len(&bytes);
	image.head = image.record_count = 0;
	image.is_pcap = image.size > 24 && word(0, false) != 0x0a0d0d0a;
	image.walked = image.size > 24 && (image.is_pcap ? walk_pcap() : walk_pcapng());
}

static void assert_same_frames(size_t size)
{
	for (size_t i = 0; i < cut.count; i++) {
		const struct seen *a = &cut.frames[i], *b = &whole.frames[i];

		if (a->hash != b->hash || a->time_ns != b->time_ns || a->captured != b->captured || a->wire != b->wire || a->link_type != b->link_type)
			fail_msg("%s: cut at %zu, packet %zu is another one", image.name, size, i + 1);
	}
}

/* Whole records of packets before @size, and does a record or block end there? */
static size_t whole_records(size_t size, bool *at_end)
{
	size_t count = 0;

	while (count < image.record_count && image.ends[count] <= size)
		count++;
	*at_end = size == image.head || (count && image.ends[count - 1] == size);
	return count;
}

static void try_cut(size_t size)
{
	bool at_end;
	size_t expected = whole_records(size, &at_end);

	read_image(&cut, size);
	assert_true(cut.count <= whole.count);
	assert_same_frames(size);
	if (!image.walked)
		return;
	if (cut.count != expected)
		fail_msg("%s: cut at %zu there are %zu whole packets, delivered are %zu", image.name, size, expected, cut.count);
	if (cut.refused && size > image.head)
		fail_msg("%s: cut at %zu it is no capture any more", image.name, size);
	if (image.is_pcap && !at_end && !cut.refused && !cut.broken)
		fail_msg("%s: cut at %zu, inside a packet, nothing is said of it", image.name, size);
	if (at_end && cut.broken)
		fail_msg("%s: cut at %zu, where a packet ends, it is said to be broken", image.name, size);
}

static void try_file(const char *path)
{
	size_t stride;

	load(path);
	read_image(&whole, image.size);
	/* broken inside a record: where records end says nothing of packets */
	image.walked &= !whole.refused && !whole.broken;
	if (image.walked)
		assert_int_equal(whole.count, image.record_count);
	for (size_t size = 0; size < MIN(image.size, EVERY_BYTE); size++)
		try_cut(size);
	stride = 1 + image.record_count / RECORDS_LOOKED_AT;
	for (size_t i = 0; i < image.record_count; i += stride) {
		size_t begin = i ? image.ends[i - 1] : image.head, end = image.ends[i];

		for (size_t size = end - 1; size <= MIN(end + 1, image.size); size++)
			try_cut(size);
		try_cut(begin + (end - begin) / 2);
	}
}

static void files__cut_anywhere__give_all_whole_packets(void **state)
{
	size_t walked = 0;

	(void)state;
	for (int i = 0; i < name_count; i++) {
		try_file(names[i]);
		walked += image.walked;
	}
	/* packed ones are not walked, and of the public ones some are broken on purpose */
	assert_true(walked > (size_t)name_count * 3 / 4);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(files__cut_anywhere__give_all_whole_packets) };

	if (argc < 2) {
		fprintf(stderr, "usage: test_cut CAPTURE...\n");
		return 2;
	}
	names = argv + 1;
	name_count = argc - 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
