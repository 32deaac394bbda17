/* SPDX-License-Identifier: MIT */
/* capture/writer: what is written is read back the same, rotation forms tcpdump's names, and a disk that fails is named. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "../support/capture_bytes.h"
#include "tcptriage/capture/writer.h"
#include "config.h"

#define SECOND 1000000000LL
#define NOON 1700000000LL

static char dir[64], path[400];
static struct reading seen;
static struct err err;
static const struct capture_source from_file = { .name = "in.pcap", .filter = "", .link_type = 1, .snaplen = 96 };
static const struct capture_source from_eth0 = { .name = "eth0", .filter = "tcp port 80", .link_type = 1, .snaplen = 128, .live = true };
static const struct capture_interface ethernet = { .name = "", .link_type = 1, .snaplen = 96 };

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test-writer-XXXXXX");
	setenv("TZ", "UTC0", 1);
	memset(&err, 0, sizeof(err));
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	(void)state;
	while ((entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	return rmdir(dir);
}

static const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct writer *open_writer(const struct writer_plan *plan, const struct capture_source *source)
{
	struct writer *writer = NULL;

	if (writer_open(&writer, plan, NULL, NULL, source, &err))
		fail_msg("%s", err.text);
	return writer;
}

static int put(struct writer *writer, int64_t time_ns, uint32_t captured)
{
	static uint8_t bytes[4096];
	struct frame frame = { .bytes = bytes, .captured = captured, .wire = captured + 5, .time_ns = time_ns, .link_type = 1, .number = 1 };

	for (uint32_t i = 0; i < captured; i++)
		bytes[i] = (uint8_t)i;
	return writer_put(writer, &frame, &ethernet, NULL, &err);
}

static void read_back(const char *name)
{
	const char *full = in_dir(name);
	const struct reader_files wish = { .names = &full, .count = 1 };

	read_wish(&seen, &wish);
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.broken, 0);
	assert_int_equal(seen.failed, 0);
}

static size_t slurp(const char *name, uint8_t *buf, size_t size)
{
	FILE *f = fopen(in_dir(name), "r");
	size_t len;

	assert_non_null(f);
	len = fread(buf, 1, size, f);
	fclose(f);
	return len;
}

/* Copies @from through reader and writer to @name. */
static void copy(const struct bytes *from, const char *name, struct writer_plan plan)
{
	static const char *const names[] = { "memory" };
	struct bytes_list list = { &from, NULL };
	const struct reader_files wish = { .names = names, .count = 1, .open = bytes_open, .context = &list };
	CLEANUP(reader_close_ptr) struct reader *reader = NULL;
	struct capture_source source;
	struct writer *writer;
	struct frame frame;

	assert_int_equal(reader_open_files(&reader, &wish, &err), 0);
	reader_source(reader, &source);
	plan.path = in_dir(name);
	writer = open_writer(&plan, &source);
	while (reader_next(reader, &frame, &err) == 1)
		if (writer_put(writer, &frame, reader_interface(reader, frame.interface), NULL, &err))
			fail_msg("%s", err.text);
	reader_source(reader, &source);
	assert_int_equal(writer_drops(writer, &source, &err), 0);
	assert_int_equal(writer_close(writer, &err), 0);
}

static void pcap__copied__is_the_same_file(void **state)
{
	static struct bytes from;
	uint8_t buf[4096];

	(void)state;
	for (int ns = 0; ns < 2; ns++) {
		memset(&from, 0, sizeof(from));
		pcap_head(&from, ns ? 0xa1b23c4d : 0xa1b2c3d4, 96, 113);
		for (unsigned i = 0; i < 10; i++)
			pcap_record(&from, NOON + i, ns ? 999999999 - i : 999999 - i, i, 1500, (uint8_t)i);
		copy(&from, "copy.pcap", (struct writer_plan){ 0 });
		assert_int_equal(slurp("copy.pcap", buf, sizeof(buf)), from.len);
		assert_memory_equal(buf, from.at, from.len);
	}
}

static void pcap__asked_for_nanoseconds__has_them(void **state)
{
	(void)state;
	for (int ns = 0; ns < 2; ns++) {
		const struct writer_plan plan = { .path = in_dir("x.pcap"), .nanoseconds = ns };
		struct writer *writer = open_writer(&plan, &from_file);

		assert_int_equal(put(writer, NOON * SECOND + 123456789, 4), 0);
		assert_int_equal(writer_close(writer, &err), 0);
		read_back("x.pcap");
		assert_int_equal(seen.frames[0].time_ns, NOON * SECOND + (ns ? 123456789 : 123456000));
		assert_int_equal(seen.source.nanoseconds, ns);
	}
}

static void pcapng__copied__keeps_frames_interfaces_directions_and_drops(void **state)
{
	static struct bytes from;
	static struct reading first;
	size_t at;

	(void)state;
	memset(&from, 0, sizeof(from));
	from.big = true;
	ng_section(&from);
	ng_interface(&from, 1, 96, "eth0", 9);
	ng_interface(&from, 113, 0, "any \xe2\x82\xac", 6);
	for (unsigned i = 0; i < 12; i++) {
		at = ng_packet_open(&from, i % 2, NOON * (i % 2 ? 1000000 : SECOND) + i, i, 100 + i, (uint8_t)i);
		ng_option_number(&from, 2, i % 3, 4);
		ng_end(&from, at);
	}
	at = ng_begin(&from, 5);
	bytes_number(&from, 0, 4);
	bytes_number(&from, 0, 8);
	ng_option_number(&from, 4, 1000, 8);
	ng_option_number(&from, 5, 20, 8);
	ng_option_number(&from, 7, 3, 8);
	ng_end(&from, at);
	read_bytes(&first, &from, from.len, NULL);
	copy(&from, "copy.pcapng", (struct writer_plan){ .pcapng = true });
	read_back("copy.pcapng");
	assert_int_equal(seen.count, 12);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(seen.frames[i].time_ns, first.frames[i].time_ns);
		assert_int_equal(seen.frames[i].captured, first.frames[i].captured);
		assert_int_equal(seen.frames[i].wire, first.frames[i].wire);
		assert_int_equal(seen.frames[i].link_type, first.frames[i].link_type);
		assert_int_equal(seen.frames[i].interface, first.frames[i].interface);
		assert_int_equal(seen.frames[i].direction, first.frames[i].direction);
		assert_memory_equal(seen.bytes[i], first.bytes[i], READING_BYTES_MAX);
	}
	assert_int_equal(seen.interface_count, 2);
	assert_string_equal(seen.interfaces[0].name, "eth0");
	assert_int_equal(seen.interfaces[0].snaplen, 96);
	assert_string_equal(seen.interfaces[1].name, "any \xe2\x82\xac");
	assert_int_equal(seen.interfaces[1].snaplen, 0);
	assert_true(seen.source.has_drops);
	assert_int_equal(seen.source.received, 1000);
	assert_int_equal(seen.source.dropped_interface, 20);
	assert_int_equal(seen.source.dropped_kernel, 3);
}

/* Every byte of a small live file, so that a reader of our own cannot hide a mistake of the writer. */
static void pcapng__live__has_each_block_as_the_format_draws_it(void **state)
{
	static const char application[] = "tcptriage " VERSION;
	static struct bytes expected;
	const struct writer_plan plan = { .path = in_dir("live.pcapng"), .pcapng = true };
	const struct capture_interface eth0 = { .name = "eth0", .link_type = 1, .snaplen = 128 };
	const struct frame frame = { .bytes = (const uint8_t *)"12345", .captured = 5, .wire = 60, .time_ns = 0x123456789abcdef, .link_type = 1, .direction = DIRECTION_OUT };
	struct capture_source source = from_eth0;
	struct writer *writer;
	uint8_t buf[4096];
	size_t at;

	(void)state;
	memset(&expected, 0, sizeof(expected));
	expected.big = htobe16(1) == 1;
	at = ng_begin(&expected, 0x0a0d0d0a);
	bytes_number(&expected, 0x1a2b3c4d, 4);
	bytes_number(&expected, 1, 2);
	bytes_number(&expected, 0, 2);
	bytes_number(&expected, UINT64_MAX, 8);
	ng_option(&expected, 4, application, strlen(application));
	ng_option(&expected, 0, "", 0);
	ng_end(&expected, at);
	at = ng_begin(&expected, 1);
	bytes_number(&expected, 1, 2);
	bytes_number(&expected, 0, 2);
	bytes_number(&expected, 128, 4);
	ng_option(&expected, 2, "eth0", 4);
	ng_option(&expected, 9, "\t", 1);
	ng_option(&expected, 11, "\0tcp port 80", 12);
	ng_option(&expected, 0, "", 0);
	ng_end(&expected, at);
	at = ng_begin(&expected, 6);
	bytes_number(&expected, 0, 4);
	bytes_number(&expected, 0x1234567, 4);
	bytes_number(&expected, 0x89abcdef, 4);
	bytes_number(&expected, 5, 4);
	bytes_number(&expected, 60, 4);
	bytes_put(&expected, "12345\0\0\0", 8);
	ng_option_number(&expected, 2, 2, 4);
	ng_option(&expected, 1, "nginx[812] \\x1b", 15);
	ng_option(&expected, 0, "", 0);
	ng_end(&expected, at);
	at = ng_begin(&expected, 5);
	bytes_number(&expected, 0, 4);
	bytes_number(&expected, 0x1234567, 4);
	bytes_number(&expected, 0x89abcdef, 4);
	ng_option_number(&expected, 4, 3, 8);
	ng_option_number(&expected, 5, 1, 8);
	ng_option_number(&expected, 7, 2, 8);
	ng_option(&expected, 0, "", 0);
	ng_end(&expected, at);

	writer = open_writer(&plan, &source);
	assert_int_equal(writer_put(writer, &frame, &eth0, "nginx[812] \x1b", &err), 0);
	source.has_drops = true;
	source.received = 3;
	source.dropped_interface = 1;
	source.dropped_kernel = 2;
	assert_int_equal(writer_drops(writer, &source, &err), 0);
	assert_int_equal(writer_close(writer, &err), 0);
	assert_int_equal(slurp("live.pcapng", buf, sizeof(buf)), expected.len);
	assert_memory_equal(buf, expected.at, expected.len);
}

static void files__without_a_frame__are_whole(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const struct writer_plan plan = { .path = in_dir("empty"), .pcapng = i & 1 };

		assert_int_equal(writer_close(open_writer(&plan, i & 2 ? &from_eth0 : &from_file), &err), 0);
		read_back("empty");
		assert_int_equal(seen.count, 0);
		assert_int_equal(seen.interface_count, i == 1 ? 0 : 1);
		if (i != 1) {
			assert_int_equal(seen.interfaces[0].link_type, 1);
			assert_int_equal(seen.interfaces[0].snaplen, i & 2 ? 128 : 96);
		}
	}
}

static void pcapng__filter_of_any_length__leaves_the_block_whole(void **state)
{
	static const char words[] = "udp port 53";

	(void)state;
	for (size_t len = 1; len < sizeof(words); len++) {
		const struct writer_plan plan = { .path = in_dir("filter.pcapng"), .pcapng = true };
		struct capture_source source = from_eth0;
		char *filter = strndup(words, len);
		struct writer *writer;

		source.filter = filter;
		writer = open_writer(&plan, &source);
		assert_int_equal(put(writer, NOON * SECOND, 60), 0);
		assert_int_equal(writer_close(writer, &err), 0);
		read_back("filter.pcapng");
		assert_int_equal(seen.count, 1);
		free(filter);
	}
}

static void pcapng__drops_without_a_frame__have_an_interface(void **state)
{
	const struct writer_plan plan = { .path = in_dir("empty.pcapng"), .pcapng = true };
	struct capture_source source = from_file;
	struct writer *writer = open_writer(&plan, &source);

	(void)state;
	source.has_drops = true;
	source.dropped_kernel = 9;
	assert_int_equal(writer_drops(writer, &source, &err), 0);
	assert_int_equal(writer_close(writer, &err), 0);
	read_back("empty.pcapng");
	assert_true(seen.source.has_drops);
	assert_int_equal(seen.source.dropped_kernel, 9);
	assert_string_equal(seen.interfaces[0].name, "");
}

static void pcap__second_link_type__is_refused_with_advice(void **state)
{
	const struct writer_plan plan = { .path = in_dir("one.pcap") };
	struct writer *writer = open_writer(&plan, &from_file);
	const struct frame other = { .bytes = (const uint8_t *)"", .link_type = 113, .number = 7 };
	const struct capture_interface cooked = { .name = "", .link_type = 113 };

	(void)state;
	assert_int_equal(put(writer, NOON * SECOND, 10), 0);
	assert_int_equal(writer_put(writer, &other, &cooked, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, plan.path));
	assert_non_null(strstr(err.text, "EN10MB"));
	assert_non_null(strstr(err.text, "LINUX_SLL"));
	assert_non_null(strstr(err.text, "frame 7"));
	assert_non_null(strstr(err.text, ".pcapng"));
	assert_int_equal(writer_close(writer, &err), 0);
	read_back("one.pcap");
	assert_int_equal(seen.count, 1);
}

static void pcap__frame_above_the_snapshot_length__is_refused_as_readers_would_cut_it(void **state)
{
	const struct writer_plan plan = { .path = in_dir("one.pcap") };
	struct writer *writer = open_writer(&plan, &from_file);

	(void)state;
	assert_int_equal(put(writer, NOON * SECOND, 96), 0);
	assert_int_equal(put(writer, NOON * SECOND, 97), -EINVAL);
	assert_non_null(strstr(err.text, "96 bytes"));
	assert_non_null(strstr(err.text, ".pcapng"));
	assert_int_equal(writer_close(writer, &err), 0);
}

static void name__each_plan__is_the_one_tcpdump_forms(void **state)
{
	static const struct {
		struct writer_plan plan;
		uint32_t number;
		const char *name;
	} rows[] = {
		{ { .path = "x.pcap" }, 0, "x.pcap" },
		{ { .path = "x-%S.pcap" }, 0, "x-%S.pcap" },
		{ { .path = "x.pcap", .files = 20 }, 0, "x.pcap" },
		{ { .path = "x.pcap", .rotate_bytes = 1 }, 0, "x.pcap" },
		{ { .path = "x.pcap", .rotate_bytes = 1 }, 12, "x.pcap12" },
		{ { .path = "x-%S.pcap", .rotate_bytes = 1 }, 1, "x-%S.pcap1" },
		{ { .path = "x.pcap", .rotate_bytes = 1, .files = 1 }, 0, "x.pcap" },
		{ { .path = "x.pcap", .rotate_bytes = 1, .files = 3 }, 0, "x.pcap0" },
		{ { .path = "x.pcap", .rotate_bytes = 1, .files = 10 }, 9, "x.pcap9" },
		{ { .path = "x.pcap", .rotate_bytes = 1, .files = 11 }, 0, "x.pcap00" },
		{ { .path = "x.pcap", .rotate_bytes = 1, .files = 101 }, 42, "x.pcap042" },
		{ { .path = "x-%Y%m%d-%H%M%S.pcap", .rotate_seconds = 1 }, 0, "x-20231114-221320.pcap" },
		{ { .path = "x-%S.pcap", .rotate_seconds = 1, .rotate_bytes = 1 }, 0, "x-20.pcap" },
		{ { .path = "x-%S.pcap", .rotate_seconds = 1, .rotate_bytes = 1 }, 2, "x-20.pcap2" },
		{ { .path = "x-%S.pcap", .rotate_seconds = 1, .rotate_bytes = 1, .files = 12 }, 2, "x-20.pcap02" },
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(writer_name(&rows[i].plan, rows[i].number, NOON, name, sizeof(name)), 0);
		assert_string_equal(name, rows[i].name);
	}
	assert_int_equal(writer_name(&rows[0].plan, 0, NOON, name, strlen("x.pcap")), -ENAMETOOLONG);
	assert_int_equal(writer_name(&rows[11].plan, 0, NOON, name, strlen(rows[11].name)), -ENAMETOOLONG);
}

/* Names and sizes of the files in the directory, in the order of their names. */
static void expect_files(const char *expected)
{
	struct dirent **entries;
	char found[1024] = "";
	int count = scandir(dir, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		struct stat st;

		if (*entries[i]->d_name != '.' && !stat(in_dir(entries[i]->d_name), &st))
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s=%lld ", entries[i]->d_name, (long long)st.st_size);
		free(entries[i]);
	}
	free(entries);
	assert_string_equal(found, expected);
}

/* A file holds 24 bytes and 100 a packet; a new one begins when the old one is larger than the limit, as with tcpdump. */
static void put_packets(const struct writer_plan *plan, unsigned count)
{
	struct writer *writer = open_writer(plan, &from_file);

	for (unsigned i = 0; i < count; i++)
		assert_int_equal(put(writer, (NOON + i) * SECOND, 84), 0);
	assert_int_equal(writer_close(writer, &err), 0);
}

static void rotation__by_size__begins_a_file_when_the_last_is_too_large(void **state)
{
	const struct writer_plan plan = { .path = in_dir("c"), .rotate_bytes = 224 };

	(void)state;
	put_packets(&plan, 7);
	expect_files("c=324 c1=324 c2=124 ");
}

static void rotation__by_size_with_a_ring__goes_round(void **state)
{
	const struct writer_plan plan = { .path = in_dir("r"), .rotate_bytes = 124, .files = 3 };

	(void)state;
	put_packets(&plan, 9);
	expect_files("r0=224 r1=124 r2=224 ");
}

static void rotation__by_time__follows_the_frames_clock(void **state)
{
	const struct writer_plan plan = { .path = in_dir("g-%S"), .rotate_seconds = 3 };

	(void)state;
	put_packets(&plan, 7);
	expect_files("g-20=324 g-23=324 g-26=124 ");
}

static void rotation__by_time_and_size__counts_anew_in_each_window(void **state)
{
	const struct writer_plan plan = { .path = in_dir("g-%S-"), .rotate_seconds = 5, .rotate_bytes = 124 };

	(void)state;
	put_packets(&plan, 8);
	expect_files("g-20-=224 g-20-1=224 g-20-2=124 g-25-=224 g-25-1=124 ");
}

static void rotation__by_time_with_a_limit__ends_the_run(void **state)
{
	const struct writer_plan plan = { .path = in_dir("g-%S"), .rotate_seconds = 2, .files = 2 };
	struct writer *writer = open_writer(&plan, &from_file);

	(void)state;
	assert_int_equal(writer_files(writer), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(put(writer, (NOON + i) * SECOND, 84), 0);
	assert_int_equal(put(writer, (NOON + 4) * SECOND, 84), 1);
	assert_int_equal(put(writer, (NOON + 4) * SECOND, 84), 1);
	assert_int_equal(writer_files(writer), 2);
	assert_int_equal(writer_close(writer, &err), 0);
	expect_files("g-20=224 g-22=224 ");
}

static void rotation__clock_goes_back__stays_in_its_file(void **state)
{
	const struct writer_plan plan = { .path = in_dir("g-%S"), .rotate_seconds = 2 };
	struct writer *writer = open_writer(&plan, &from_file);

	(void)state;
	assert_int_equal(put(writer, NOON * SECOND, 84), 0);
	assert_int_equal(put(writer, (NOON - 100) * SECOND, 84), 0);
	assert_int_equal(put(writer, 0, 84), 0);
	assert_int_equal(writer_close(writer, &err), 0);
	expect_files("g-20=324 ");
}

static void rotation__pcapng__describes_the_interface_in_each_file(void **state)
{
	const struct writer_plan plan = { .path = in_dir("n"), .pcapng = true, .rotate_bytes = 1 };
	const struct capture_interface many[] = { { .name = "a", .link_type = 1 }, { .name = "b", .link_type = 113 } };
	struct writer *writer = open_writer(&plan, &from_file);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const struct frame frame = { .bytes = (const uint8_t *)"1234", .captured = 4, .wire = 4, .interface = i % 2, .link_type = many[i % 2].link_type };

		assert_int_equal(writer_put(writer, &frame, &many[i % 2], NULL, &err), 0);
	}
	assert_int_equal(writer_files(writer), 5); /* the first holds a section header, which is more than a byte */
	assert_int_equal(writer_close(writer, &err), 0);
	for (unsigned i = 0; i < 4; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%u", i + 1);
		read_back(name);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.interface_count, 1);
		assert_string_equal(seen.interfaces[0].name, i % 2 ? "b" : "a");
	}
}

struct opened {
	unsigned count;
	uint32_t numbers[8];
	int64_t begins[8];
};

static int note_opening(void *context, uint32_t number, int64_t begin_s, struct err *why)
{
	struct opened *opened = context;

	if (opened->count == 3)
		return err_set(why, -EACCES, "no fourth");
	opened->numbers[opened->count] = number;
	opened->begins[opened->count++] = begin_s;
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static void open__by_another__is_asked_with_number_and_time(void **state)
{
	const struct writer_plan plan = { .path = "/var/empty/%S", .rotate_seconds = 10, .rotate_bytes = 124 };
	struct opened opened = { 0 };
	struct writer *writer = NULL;

	(void)state;
	assert_int_equal(writer_open(&writer, &plan, note_opening, &opened, &from_file, &err), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(put(writer, (NOON + i) * SECOND, 84), 0);
	assert_int_equal(put(writer, (NOON + 10) * SECOND, 84), 0);
	assert_int_equal(put(writer, (NOON + 20) * SECOND, 84), -EACCES);
	assert_string_equal(err.text, "no fourth");
	assert_int_equal(opened.numbers[0], 0);
	assert_int_equal(opened.numbers[1], 1);
	assert_int_equal(opened.numbers[2], 0);
	assert_int_equal(opened.begins[0], NOON);
	assert_int_equal(opened.begins[1], NOON);
	assert_int_equal(opened.begins[2], NOON + 10);
	assert_int_equal(writer_close(writer, &err), 0);
}

static void open__live_with_time__begins_now_and_at_once(void **state)
{
	const struct writer_plan plan = { .path = "/var/empty/%S", .rotate_seconds = 10 };
	struct opened opened = { 0 };
	struct writer *writer = NULL;
	time_t now = time(NULL);

	(void)state;
	assert_int_equal(writer_open(&writer, &plan, note_opening, &opened, &from_eth0, &err), 0);
	assert_int_equal(opened.count, 1);
	assert_in_range(opened.begins[0], now, now + 60);
	assert_int_equal(writer_close(writer, &err), 0);
}

static void open__directory_that_is_not_there__is_an_error_that_names_the_file(void **state)
{
	const struct writer_plan plan = { .path = "/nonexistent/of/this.pcap" };
	struct writer *writer = NULL;

	(void)state;
	assert_int_equal(writer_open(&writer, &plan, NULL, NULL, &from_file, &err), -ENOENT);
	assert_non_null(strstr(err.text, plan.path));
	assert_null(writer);
	assert_int_equal(writer_close(NULL, &err), 0);
}

static void open__stdout_with_rotation__is_refused(void **state)
{
	const struct writer_plan plans[] = { { .path = "-", .rotate_bytes = 1 }, { .path = "-", .rotate_seconds = 1 } };
	struct writer *writer = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++)
		assert_int_equal(writer_open(&writer, &plans[i], NULL, NULL, &from_file, &err), -EINVAL);
}

static void stdout__pipe__gets_the_header_at_once_and_each_packet_with_u(void **state)
{
	const struct writer_plan plan = { .path = "-", .packet_buffered = true };
	struct capture_interface eth0 = { .name = "eth0", .link_type = 1, .snaplen = 128 };
	const struct frame frame = { .bytes = (const uint8_t *)"12345", .captured = 5, .wire = 60, .link_type = 1 };
	int ends[2], old = dup(STDOUT_FILENO);
	uint8_t buf[256];
	struct writer *writer;
	ssize_t head, packet;

	(void)state;
	fflush(stdout);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	dup2(ends[1], STDOUT_FILENO);
	writer = open_writer(&plan, &from_eth0);
	head = read(ends[0], buf, sizeof(buf));
	writer_put(writer, &frame, &eth0, NULL, &err);
	packet = read(ends[0], buf, sizeof(buf));
	writer_close(writer, &err);
	/* stdout is not ours to close */
	assert_int_equal(write(STDOUT_FILENO, "x", 1), 1);
	dup2(old, STDOUT_FILENO);
	close(old);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(head, 24);
	assert_int_equal(packet, 16 + 5);
}

static void disk__full__is_an_error_that_names_the_file(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const struct writer_plan plan = { .path = "/dev/full", .pcapng = i & 1, .packet_buffered = i & 2 };
		struct writer *writer = NULL;
		int opened, first, later, closed;

		memset(&err, 0, sizeof(err));
		opened = writer_open(&writer, &plan, NULL, NULL, &from_file, &err);
		/* a section header is handed over at once with -U */
		assert_int_equal(opened, i == 3 ? -ENOSPC : 0);
		if (!opened) {
			first = put(writer, 1, 84);
			later = writer_flush(writer, &err);
			closed = writer_close(writer, &err);
			assert_int_equal(first, i & 2 ? -ENOSPC : 0);
			assert_int_equal(later, -ENOSPC);
			assert_int_equal(closed, -ENOSPC);
		}
		assert_string_equal(err.text, "cannot write /dev/full: No space left on device");
	}
}

/* A limit on the size of files makes the kernel take a part of a write, as a disk does that is nearly full. */
static void disk__takes_a_part__is_an_error_and_the_part_is_there(void **state)
{
	const struct writer_plan plan = { .path = in_dir("part.pcap"), .packet_buffered = true };
	struct writer *writer = open_writer(&plan, &from_file);
	struct rlimit before, limit;
	int first, second;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 24 + 100 + 50;
	setrlimit(RLIMIT_FSIZE, &limit);
	first = put(writer, NOON * SECOND, 84);
	second = put(writer, NOON * SECOND, 84);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(first, 0);
	assert_int_equal(second, -EFBIG);
	assert_non_null(strstr(err.text, "part.pcap: File too large"));
	assert_int_equal(writer_close(writer, &err), -EFBIG);
	expect_files("part.pcap=174 ");
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(pcap__copied__is_the_same_file),
		IN_DIRECTORY(pcap__asked_for_nanoseconds__has_them),
		IN_DIRECTORY(pcapng__copied__keeps_frames_interfaces_directions_and_drops),
		IN_DIRECTORY(pcapng__live__has_each_block_as_the_format_draws_it),
		IN_DIRECTORY(files__without_a_frame__are_whole),
		IN_DIRECTORY(pcapng__filter_of_any_length__leaves_the_block_whole),
		IN_DIRECTORY(pcapng__drops_without_a_frame__have_an_interface),
		IN_DIRECTORY(pcap__second_link_type__is_refused_with_advice),
		IN_DIRECTORY(pcap__frame_above_the_snapshot_length__is_refused_as_readers_would_cut_it),
		IN_DIRECTORY(name__each_plan__is_the_one_tcpdump_forms),
		IN_DIRECTORY(rotation__by_size__begins_a_file_when_the_last_is_too_large),
		IN_DIRECTORY(rotation__by_size_with_a_ring__goes_round),
		IN_DIRECTORY(rotation__by_time__follows_the_frames_clock),
		IN_DIRECTORY(rotation__by_time_and_size__counts_anew_in_each_window),
		IN_DIRECTORY(rotation__by_time_with_a_limit__ends_the_run),
		IN_DIRECTORY(rotation__clock_goes_back__stays_in_its_file),
		IN_DIRECTORY(rotation__pcapng__describes_the_interface_in_each_file),
		IN_DIRECTORY(open__by_another__is_asked_with_number_and_time),
		IN_DIRECTORY(open__live_with_time__begins_now_and_at_once),
		IN_DIRECTORY(open__directory_that_is_not_there__is_an_error_that_names_the_file),
		IN_DIRECTORY(open__stdout_with_rotation__is_refused),
		IN_DIRECTORY(stdout__pipe__gets_the_header_at_once_and_each_packet_with_u),
		IN_DIRECTORY(disk__full__is_an_error_that_names_the_file),
		IN_DIRECTORY(disk__takes_a_part__is_an_error_and_the_part_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
