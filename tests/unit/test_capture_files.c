/* SPDX-License-Identifier: MIT */
/* capture/reader_files: classic pcap of every kind, lists of files, packed files, pipes, and what is no capture. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <cmocka.h>

#include "../support/capture_bytes.h"
#include "tcptriage/base/arena.h"
#include "config.h"

#define SECOND 1000000000LL
#define MICROSECONDS 0xa1b2c3d4
#define NANOSECONDS 0xa1b23c4d
#define MODIFIED 0xa1b2cd34

#ifdef HAVE_ZLIB
#define HAS_GZIP true
#else
#define HAS_GZIP false
#endif
#ifdef HAVE_ZSTD
#define HAS_ZSTD true
#else
#define HAS_ZSTD false
#endif

static struct bytes file, other, packed;
static struct reading seen;

static int reset(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memset(&other, 0, sizeof(other));
	memset(&packed, 0, sizeof(packed));
	return 0;
}

static void expect_frames(unsigned count)
{
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.broken, 0);
	assert_int_equal(seen.failed, 0);
	assert_int_equal(seen.count, count);
}

static void expect_word(const char *word)
{
	if (!strstr(seen.why.text, word))
		fail_msg("\"%s\" is not in: %s", word, seen.why.text);
}

static void read_list(const struct bytes *const *files, const char *const *names, unsigned count)
{
	struct bytes_list list = { files, NULL };
	const struct reader_files wish = { .names = names, .count = count, .open = bytes_open, .context = &list };

	read_wish(&seen, &wish);
}

static void pcap__each_order_and_precision__reads_the_same(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool ns = i & 1;

		memset(&file, 0, sizeof(file));
		file.big = i & 2;
		pcap_head(&file, ns ? NANOSECONDS : MICROSECONDS, 96, 113);
		pcap_record(&file, 1700000000, ns ? 123456789 : 123456, 7, 1500, 0xcd);
		/* after 2038: the seconds have no sign */
		pcap_record(&file, 0xffffffff, 999999, 0, 0, 0);
		read_bytes(&seen, &file, file.len, NULL);
		expect_frames(2);
		assert_int_equal(seen.frames[0].time_ns, 1700000000 * SECOND + (ns ? 123456789 : 123456000));
		assert_int_equal(seen.frames[1].time_ns, 0xffffffffLL * SECOND + (ns ? 999999 : 999999000));
		assert_int_equal(seen.frames[0].captured, 7);
		assert_int_equal(seen.frames[0].wire, 1500);
		assert_int_equal(seen.frames[0].link_type, 113);
		assert_int_equal(seen.frames[0].interface, 0);
		assert_int_equal(seen.frames[1].number, 2);
		assert_memory_equal(seen.bytes[0], "\xcd\xcd\xcd\xcd\xcd\xcd\xcd", 7);
		assert_int_equal(seen.source.nanoseconds, ns);
		assert_int_equal(seen.source.snaplen, 96);
		assert_int_equal(seen.interfaces[0].snaplen, 96);
		assert_string_equal(seen.interfaces[0].name, "");
		assert_string_equal(seen.source.name, "memory");
		assert_false(seen.source.live);
		assert_false(seen.source.cut);
	}
}

/* Kuznetzov's variant: eight more bytes in each record's header. */
static void pcap__modified_format__is_read(void **state)
{
	(void)state;
	pcap_head(&file, MODIFIED, 2000, 1);
	for (unsigned i = 0; i < 2; i++) {
		pcap_record(&file, 100 + i, 5, 0, 60, 0);
		file.len -= 8;
		bytes_number(&file, 6, 4);
		bytes_number(&file, 60, 4);
		bytes_number(&file, 2, 4); /* interface */
		bytes_number(&file, 0x800, 2);
		bytes_number(&file, 0, 2);
		bytes_put(&file, "sixsix", 6);
	}
	read_bytes(&seen, &file, file.len, NULL);
	expect_frames(2);
	assert_int_equal(seen.frames[1].time_ns, 101 * SECOND + 5000);
	assert_int_equal(seen.frames[1].captured, 6);
	assert_memory_equal(seen.bytes[1], "sixsix", 6);
}

static void pcap__numbers_of_libpcap__become_those_of_files(void **state)
{
	static const uint32_t rows[][2] = { { 101, 101 }, { 12, 101 }, { 100, 100 }, { 1, 1 }, { 0, 0 }, { 108, 108 }, { 276, 276 }, { 147, 147 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&file, 0, sizeof(file));
		pcap_head(&file, MICROSECONDS, 96, rows[i][0]);
		pcap_record(&file, 1, 1, 4, 4, 0);
		read_bytes(&seen, &file, file.len, NULL);
		expect_frames(1);
		assert_int_equal(seen.frames[0].link_type, rows[i][1]);
	}
}

static void pcap__cut_at_every_byte__gives_the_whole_packets(void **state)
{
	size_t ends[4];

	(void)state;
	for (unsigned variant = 0; variant < 2; variant++) {
		memset(&file, 0, sizeof(file));
		file.big = variant;
		pcap_head(&file, MICROSECONDS, 96, 1);
		for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
			pcap_record(&file, i, i, 3 * i, 60, (uint8_t)i);
			ends[i] = file.len;
		}
		for (size_t len = 0; len <= file.len; len++) {
			unsigned whole = 0;
			bool border = len == 24;

			for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
				whole += ends[i] <= len;
				border |= ends[i] == len;
			}
			read_bytes(&seen, &file, len, NULL);
			assert_int_equal(seen.opened, len < 24 ? -EBADMSG : 0);
			assert_int_equal(seen.count, whole);
			assert_int_equal(seen.failed, 0);
			if (!border)
				expect_word("memory");
			if (len < 24)
				continue;
			assert_int_equal(seen.broken, !border);
			assert_int_equal(seen.source.cut, !border);
			if (!border)
				expect_word("cut in the middle of a packet after");
		}
	}
}

static void pcap__record_that_claims_too_much__is_refused_after_the_packets_before(void **state)
{
	static const uint32_t claims[] = { 262145, 0x7fffffff, 0x80000000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		memset(&file, 0, sizeof(file));
		file.big = i % 2;
		pcap_head(&file, MICROSECONDS, 96, 1);
		pcap_record(&file, 1, 1, 10, 10, 1);
		pcap_record(&file, 2, 2, 10, 10, 1);
		file.len -= 18;
		bytes_number(&file, claims[i], 4);
		file.len += 14;
		pcap_record(&file, 3, 3, 10, 10, 1);
		read_bytes(&seen, &file, file.len, NULL);
		assert_int_equal(seen.opened, 0);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.broken, 1);
		expect_word("memory: broken after 1 packets");
	}
}

static void pcap__wire_length_below_the_captured__is_raised_to_it(void **state)
{
	(void)state;
	pcap_head(&file, MICROSECONDS, 96, 1);
	pcap_record(&file, 1, 1, 10, 2, 1);
	read_bytes(&seen, &file, file.len, NULL);
	expect_frames(1);
	assert_int_equal(seen.frames[0].wire, 10);
}

static void refuse(const void *content, size_t len, const char *word)
{
	memset(&file, 0, sizeof(file));
	bytes_put(&file, content, len);
	read_bytes(&seen, &file, file.len, NULL);
	assert_int_equal(seen.opened, -EBADMSG);
	expect_word("memory");
	expect_word(word);
}

static void open__no_capture__is_refused_by_name(void **state)
{
	(void)state;
	refuse("", 0, "is empty");
	refuse("x", 1, "no pcap or pcapng file");
	refuse("This is a text of more bytes than a header has.\n", 48, "no pcap or pcapng file: unknown file format");
	refuse("\x7f" "ELF\2\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 28, "no pcap or pcapng file");
	refuse("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 30, "no pcap or pcapng file");
}

static void open__missing_file_or_directory__is_refused_by_name(void **state)
{
	const char *name = "/nonexistent/of/this.pcap";
	struct reader_files wish = { .names = &name, .count = 1 };

	(void)state;
	read_wish(&seen, &wish);
	assert_int_equal(seen.opened, -ENOENT);
	expect_word(name);
	name = "/tmp";
	read_wish(&seen, &wish);
	assert_int_equal(seen.opened, -EISDIR);
	expect_word("/tmp");
	wish.count = 0;
	read_wish(&seen, &wish);
	assert_int_equal(seen.opened, -EINVAL);
}

static void list__several_files__are_one_capture(void **state)
{
	static const char *const names[] = { "one", "two", "three" };
	const struct bytes *const files[] = { &file, &other, &file };

	(void)state;
	pcap_head(&file, MICROSECONDS, 96, 1);
	pcap_record(&file, 5, 0, 4, 4, 1);
	pcap_record(&file, 6, 0, 4, 4, 2);
	ng_section(&other);
	ng_interface(&other, 113, 0, "any", 9);
	ng_interface(&other, 1, 96, NULL, 9);
	ng_packet(&other, 0, 7, 4, 4, 3);
	ng_packet(&other, 1, 8, 4, 4, 4);
	read_list(files, names, 3);
	expect_frames(6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(seen.frames[i].number, i + 1);
	assert_int_equal(seen.interface_count, 2);
	assert_int_equal(seen.frames[2].interface, 1);
	assert_int_equal(seen.frames[3].interface, 0); /* the same as the pcap file's */
	assert_int_equal(seen.frames[5].interface, 0);
	assert_int_equal(seen.bytes[4][0], 1);
	assert_true(seen.source.several_link_types);
	assert_true(seen.source.nanoseconds);
	assert_string_equal(seen.source.name, "one and 2 more");
}

static void list__one_is_cut_one_no_capture__the_others_are_read(void **state)
{
	static const char *const names[] = { "whole", "cut", "text", "last" };
	struct bytes text = { .at = "no capture at all, but text that is long enough", .len = 40 };
	const struct bytes *const files[] = { &file, &file, &text, &file };
	size_t lens[4];
	struct bytes_list list = { files, lens };
	const struct reader_files wish = { .names = names, .count = 4, .open = bytes_open, .context = &list };

	(void)state;
	pcap_head(&file, MICROSECONDS, 96, 1);
	pcap_record(&file, 5, 0, 4, 4, 1);
	pcap_record(&file, 6, 0, 4, 4, 2);
	lens[0] = lens[3] = file.len;
	lens[1] = file.len - 1;
	lens[2] = text.len;
	read_wish(&seen, &wish);
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.broken, 2);
	assert_int_equal(seen.count, 5);
	assert_int_equal(seen.frames[4].number, 5);
	assert_true(seen.source.cut);
	expect_word("text is no pcap");
}

static int refuse_second(void *context, unsigned index, struct err *err)
{
	return index == 1 ? err_set(err, -EACCES, "the second may not be read") : bytes_open(context, index, err);
}

static void list__one_cannot_be_opened__the_next_follows(void **state)
{
	CLEANUP(reader_close_ptr) struct reader *reader = NULL;
	static const char *const names[] = { "a", "b", "c" };
	const struct bytes *const files[] = { &file, &file, &file };
	struct bytes_list list = { files, NULL };
	const struct reader_files wish = { .names = names, .count = 3, .open = refuse_second, .context = &list };
	struct err err = { .text = "" };
	struct frame frame;

	(void)state;
	pcap_head(&file, MICROSECONDS, 96, 1);
	pcap_record(&file, 5, 0, 4, 4, 1);
	assert_int_equal(reader_open_files(&reader, &wish, &err), 0);
	assert_int_equal(reader_fd(reader), -1);
	assert_int_equal(reader_next(reader, &frame, &err), 1);
	assert_int_equal(reader_next(reader, &frame, &err), -EACCES);
	assert_string_equal(err.text, "the second may not be read");
	assert_int_equal(reader_next(reader, &frame, &err), 1);
	assert_int_equal(frame.number, 2);
	assert_int_equal(reader_next(reader, &frame, &err), 0);
	assert_int_equal(reader_next(reader, &frame, &err), 0);
}

static void filter__rejects_much__hands_control_back(void **state)
{
	CLEANUP(reader_close_ptr) struct reader *reader = NULL;
	static const char *const names[] = { "-" };
	const struct reader_files wish = { .names = names, .count = 1, .filter = "len > 100" };
	unsigned pauses = 0, frames = 0;
	struct frame frame;
	int status, old = dup(STDIN_FILENO), fd = memfd_create("many", MFD_CLOEXEC);

	(void)state;
	pcap_head(&file, MICROSECONDS, 96, 1);
	for (unsigned i = 0; i < 100000; i++) {
		pcap_record(&file, i, 0, 0, i == 99999 ? 101 : 100, 1);
		if (file.len > sizeof(file.at) - 100 || i == 99999) {
			assert_int_equal(write(fd, file.at, file.len), file.len);
			file.len = 0;
		}
	}
	lseek(fd, 0, SEEK_SET);
	dup2(fd, STDIN_FILENO);
	close(fd);
	assert_int_equal(reader_open_files(&reader, &wish, NULL), 0);
	while ((status = reader_next(reader, &frame, NULL)) != 0) {
		frames += status == 1;
		pauses += status == -EAGAIN;
		if (status == 1)
			assert_int_equal(frame.number, 100000);
	}
	dup2(old, STDIN_FILENO);
	close(old);
	assert_int_equal(frames, 1);
	assert_int_equal(pauses, 1);
}

/* A gzip member around stored blocks (RFC 1952, RFC 1951 §3.2.4), as no library has to help to make one. */
static void gz_member(struct bytes *out, const uint8_t *from, size_t len)
{
	uint32_t crc = UINT32_MAX;

	bytes_put(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
	bytes_number(out, 1, 1);
	bytes_number(out, len, 2);
	bytes_number(out, ~len & 0xffff, 2);
	bytes_put(out, from, len);
	for (size_t i = 0; i < len; i++) {
		crc ^= from[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	bytes_number(out, ~crc, 4);
	bytes_number(out, len, 4);
}

/* A zstd frame with one raw block (RFC 8878 §3.1.1). */
static void zst_frame(struct bytes *out, const uint8_t *from, size_t len)
{
	bytes_number(out, 0xfd2fb528, 4);
	bytes_number(out, 0, 1);
	bytes_number(out, 0x40, 1); /* a window of 256 KiB */
	bytes_number(out, len << 3 | 1, 3);
	bytes_put(out, from, len);
}

typedef void pack_fn(struct bytes *out, const uint8_t *from, size_t len);

static void make_pcap(void)
{
	pcap_head(&file, MICROSECONDS, 96, 1);
	for (unsigned i = 0; i < 4; i++)
		pcap_record(&file, i, i, 20, 60, (uint8_t)i);
}

/* Joined by cat, cut in every place, followed by junk. */
static void check_packed(pack_fn *pack)
{
	make_pcap();
	pack(&packed, file.at, 50);
	pack(&packed, file.at + 50, file.len - 50);
	read_bytes(&seen, &packed, packed.len, NULL);
	expect_frames(4);
	assert_int_equal(seen.bytes[3][19], 3);
	for (size_t len = 4; len < packed.len; len++) {
		read_bytes(&seen, &packed, len, NULL);
		/* what follows the data is a sum */
		assert_true(seen.count <= 4);
		assert_true(seen.opened == -EBADMSG || seen.broken == 1);
		assert_int_equal(seen.failed, 0);
		expect_word("memory");
	}
}

static void expect_no_library(pack_fn *pack, const char *library)
{
	make_pcap();
	pack(&packed, file.at, file.len);
	read_bytes(&seen, &packed, packed.len, NULL);
	assert_int_equal(seen.opened, -ENOTSUP);
	expect_word("memory");
	expect_word(library);
}

static void packed__gzip__is_read_or_says_what_is_missing(void **state)
{
	(void)state;
	if (!HAS_GZIP) {
		expect_no_library(gz_member, "zlib");
		return;
	}
	check_packed(gz_member);
	bytes_put(&packed, "\0\0\0\0\0\0\0\0", 8); /* a tape's padding */
	read_bytes(&seen, &packed, packed.len, NULL);
	expect_frames(4);
}

static void packed__zstd__is_read_or_says_what_is_missing(void **state)
{
	(void)state;
	if (HAS_ZSTD)
		check_packed(zst_frame);
	else
		expect_no_library(zst_frame, "libzstd");
}

#ifdef HAVE_ZLIB
static void packed__wrong_sum__gives_the_packets_and_says_so(void **state)
{
	(void)state;
	make_pcap();
	gz_member(&packed, file.at, file.len);
	packed.at[packed.len - 8] ^= 1;
	read_bytes(&seen, &packed, packed.len, NULL);
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.broken, 1);
	expect_word("gzip data is broken");
}

static void packed__twice__is_no_capture(void **state)
{
	(void)state;
	make_pcap();
	gz_member(&packed, file.at, file.len);
	gz_member(&other, packed.at, packed.len);
	read_bytes(&seen, &other, other.len, NULL);
	assert_int_equal(seen.opened, -EBADMSG);
	expect_word("no pcap or pcapng file");
}

static void packed__pcapng__is_read(void **state)
{
	(void)state;
	ng_section(&file);
	ng_interface(&file, 1, 0, "eth0", 9);
	ng_packet(&file, 0, 7, 4, 4, 3);
	gz_member(&packed, file.at, file.len);
	read_bytes(&seen, &packed, packed.len, NULL);
	expect_frames(1);
	assert_string_equal(seen.interfaces[0].name, "eth0");
}
#endif

static void on_alarm(int signal)
{
	(void)signal;
}

/* A pipe as stdin while @body runs. */
static void with_pipe(void (*body)(int write_end))
{
	struct sigaction action = { .sa_handler = on_alarm }, before;
	int ends[2], old = dup(STDIN_FILENO);

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	sigaction(SIGALRM, &action, &before);
	body(ends[1]);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	sigaction(SIGALRM, &before, NULL);
	dup2(old, STDIN_FILENO);
	close(old);
}

static void alarm_soon(void)
{
	/* again and again, for the first may come before the reader waits */
	const struct itimerval soon = { .it_value.tv_usec = 5000, .it_interval.tv_usec = 5000 };

	setitimer(ITIMER_REAL, &soon, NULL);
}

static void feed(int fd, size_t from, size_t to)
{
	assert_int_equal(write(fd, file.at + from, to - from), to - from);
}

/* Reads the pipe while it stops at each byte from @from on; a signal then ends the waiting and nothing is lost. */
static void read_stuttering(int write_end, size_t from, unsigned expected)
{
	static const char *const names[] = { "-" };
	const struct reader_files wish = { .names = names, .count = 1 };
	CLEANUP(reader_close_ptr) struct reader *reader = NULL;
	struct frame frame;
	unsigned count = 0;

	feed(write_end, 0, from);
	alarm_soon();
	assert_int_equal(reader_open_files(&reader, &wish, NULL), 0);
	for (size_t at = from; at < file.len; at += 7) {
		int status;

		feed(write_end, at, MIN(at + 7, file.len));
		do {
			alarm_soon();
			status = reader_next(reader, &frame, NULL);
			count += status == 1;
		} while (status == 1);
		assert_int_equal(status, -EAGAIN);
	}
	close(write_end);
	assert_int_equal(reader_next(reader, &frame, NULL), 0);
	assert_int_equal(count, expected);
	assert_int_equal(frame.number, expected);
}

static void stutter_pcap(int write_end)
{
	pcap_head(&file, MICROSECONDS, 96, 1);
	for (unsigned i = 0; i < 3; i++)
		pcap_record(&file, i, i, 20, 60, (uint8_t)i);
	read_stuttering(write_end, 24, 3);
}

static void stutter_pcapng(int write_end)
{
	size_t head;

	ng_section(&file);
	ng_interface(&file, 1, 0, "eth0", 9);
	head = file.len;
	for (unsigned i = 0; i < 2; i++)
		ng_packet(&file, 0, i, 20, 60, (uint8_t)i);
	/* the signal comes while the first interface is waited for */
	read_stuttering(write_end, head - 5, 2);
}

static void pipe__silent__is_left_at_a_signal_and_goes_on(void **state)
{
	(void)state;
	with_pipe(stutter_pcap);
	reset(NULL);
	with_pipe(stutter_pcapng);
}

static void wait_for_nothing(int write_end)
{
	static const char *const names[] = { "-" };
	const struct reader_files wish = { .names = names, .count = 1 };
	struct reader *reader = NULL;
	struct err err = { .text = "" };

	alarm_soon();
	assert_int_equal(reader_open_files(&reader, &wish, &err), -EINTR);
	assert_non_null(strstr(err.text, "stdin"));
	close(write_end);
}

static void pipe__silent_from_the_start__is_left_at_a_signal(void **state)
{
	(void)state;
	with_pipe(wait_for_nothing);
}

static void filter__first_link_type__slip_is_refused(void **state)
{
	(void)state;
	pcap_head(&file, MICROSECONDS, 96, 228);
	read_bytes(&seen, &file, file.len, "ip6");
	assert_int_equal(seen.opened, -EINVAL);
	expect_word("\"ip6\"");
	expect_word("IPV4");
	expect_word("rejects all packets");
	read_bytes(&seen, &file, file.len, "ip and (");
	assert_int_equal(seen.opened, -EINVAL);
	expect_word("\"ip and (\"");
}

static const struct listed_interface *find_listed(const struct listed_interface *list, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

static void interfaces__listed__have_loopback_with_tcpdumps_words(void **state)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	const struct listed_interface *list, *lo;
	struct err err = { .text = "" };
	int count = reader_list(&arena, &list, &err);

	(void)state;
	assert_true(count > 0);
	lo = find_listed(list, count, "lo");
	assert_non_null(lo);
	assert_non_null(strstr(lo->flags, "Loopback"));
	assert_string_equal(lo->description, "");
	assert_null(find_listed(list, count, "no such"));
}

static void link_types__by_name_and_interface__are_those_of_files(void **state)
{
	struct err err = { .text = "" };
	uint32_t types[4] = { 0 };
	int count = reader_link_types("lo", types, ARRAY_SIZE(types), &err);

	(void)state;
	assert_int_equal(reader_link_type_named("EN10MB"), 1);
	assert_int_equal(reader_link_type_named("en10mb"), 1);
	assert_int_equal(reader_link_type_named("RAW"), 101);
	assert_int_equal(reader_link_type_named("LINUX_SLL2"), 276);
	assert_int_equal(reader_link_type_named("nothing"), UINT32_MAX);
	if (count == -EPERM) {
		assert_non_null(strstr(err.text, "CAP_NET_RAW"));
		return;
	}
	assert_int_equal(count, 1);
	assert_int_equal(types[0], 1);
	assert_int_equal(reader_link_types("lo", types, 0, &err), 0);
	assert_int_equal(reader_link_types("nosuch0", types, ARRAY_SIZE(types), &err), -ENODEV);
	assert_non_null(strstr(err.text, "nosuch0"));
}

#define FRESH(test) cmocka_unit_test_setup(test, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(pcap__each_order_and_precision__reads_the_same),
		FRESH(pcap__modified_format__is_read),
		FRESH(pcap__numbers_of_libpcap__become_those_of_files),
		FRESH(pcap__cut_at_every_byte__gives_the_whole_packets),
		FRESH(pcap__record_that_claims_too_much__is_refused_after_the_packets_before),
		FRESH(pcap__wire_length_below_the_captured__is_raised_to_it),
		FRESH(open__no_capture__is_refused_by_name),
		FRESH(open__missing_file_or_directory__is_refused_by_name),
		FRESH(list__several_files__are_one_capture),
		FRESH(list__one_is_cut_one_no_capture__the_others_are_read),
		FRESH(list__one_cannot_be_opened__the_next_follows),
		FRESH(filter__rejects_much__hands_control_back),
		FRESH(filter__first_link_type__slip_is_refused),
		FRESH(packed__gzip__is_read_or_says_what_is_missing),
		FRESH(packed__zstd__is_read_or_says_what_is_missing),
#ifdef HAVE_ZLIB
		FRESH(packed__wrong_sum__gives_the_packets_and_says_so),
		FRESH(packed__twice__is_no_capture),
		FRESH(packed__pcapng__is_read),
#endif
		FRESH(pipe__silent__is_left_at_a_signal_and_goes_on),
		FRESH(pipe__silent_from_the_start__is_left_at_a_signal),
		FRESH(interfaces__listed__have_loopback_with_tcpdumps_words),
		FRESH(link_types__by_name_and_interface__are_those_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
