/* SPDX-License-Identifier: MIT */
/* capture/pcapng_file: blocks of either byte order, clocks of every resolution, and files that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/capture_bytes.h"

#define SECOND 1000000000LL
/* 2023-11-14 22:13:20 UTC */
#define NOON 1700000000LL

static struct bytes file;
static struct reading seen;

static int reset(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	return 0;
}

static void read_file(void)
{
	read_bytes(&seen, &file, file.len, NULL);
}

static void read_whole_file(void)
{
	read_file();
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.broken, 0);
	assert_int_equal(seen.failed, 0);
}

/* Reads a file that holds @packets whole packets and then breaks with a sentence that has @word in it. */
static void expect_broken(unsigned packets, const char *word)
{
	read_file();
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.count, packets);
	assert_int_equal(seen.broken, 1);
	assert_true(seen.source.cut);
	assert_non_null(strstr(seen.why.text, "memory"));
	if (!strstr(seen.why.text, word))
		fail_msg("\"%s\" is not in: %s", word, seen.why.text);
}

static void expect_refused(const char *word)
{
	read_file();
	assert_int_equal(seen.opened, -EBADMSG);
	if (!strstr(seen.why.text, word) || !strstr(seen.why.text, "memory"))
		fail_msg("\"%s\" or the name is not in: %s", word, seen.why.text);
}

static void begin_file(void)
{
	ng_section(&file);
	ng_interface(&file, 1, 0, NULL, -1);
}

static void packet__either_byte_order__reads_the_same(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		memset(&file, 0, sizeof(file));
		file.big = big;
		ng_section(&file);
		ng_interface(&file, 276, 96, "eth0", 9);
		ng_packet(&file, 0, NOON * SECOND + 123456789, 5, 1500, 0xab);
		read_whole_file();
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.frames[0].time_ns, NOON * SECOND + 123456789);
		assert_int_equal(seen.frames[0].captured, 5);
		assert_int_equal(seen.frames[0].wire, 1500);
		assert_int_equal(seen.frames[0].link_type, 276);
		assert_int_equal(seen.frames[0].number, 1);
		assert_int_equal(seen.frames[0].direction, DIRECTION_UNKNOWN);
		assert_memory_equal(seen.bytes[0], "\xab\xab\xab\xab\xab", 5);
		assert_int_equal(seen.interface_count, 1);
		assert_string_equal(seen.interfaces[0].name, "eth0");
		assert_int_equal(seen.interfaces[0].snaplen, 96);
		assert_true(seen.source.nanoseconds);
		assert_false(seen.source.has_drops);
	}
}

/* Each row: a time stamp in units of the resolution, and what it is in nanoseconds. */
static void time__each_resolution__becomes_nanoseconds(void **state)
{
	static const struct {
		int resolution;
		uint64_t units;
		int64_t ns;
		bool nanoseconds;
	} rows[] = {
		{ -1, NOON * 1000000 + 5, NOON * SECOND + 5000, false }, /* the default: microseconds */
		{ 0, NOON, NOON * SECOND, false },
		{ 3, NOON * 1000 + 7, NOON * SECOND + 7000000, false },
		{ 6, NOON * 1000000 + 999999, NOON * SECOND + 999999000, false },
		{ 7, NOON * 10000000 + 1, NOON * SECOND + 100, true },
		{ 9, NOON * SECOND + 1, NOON * SECOND + 1, true },
		{ 10, (uint64_t)NOON * SECOND * 10 + 19, NOON * SECOND + 1, true },
		{ 12, 1234567, 1234, true },
		{ 28, UINT64_MAX, 1, true }, /* 1.8 ns */
		{ 29, UINT64_MAX, 0, true },
		{ 127, UINT64_MAX, 0, true },
		{ 0x80, NOON, NOON * SECOND, false }, /* 2^0 */
		{ 0x81, NOON * 2 + 1, NOON * SECOND + 500000000, false },
		{ 0x86, NOON * 64 + 1, NOON * SECOND + 15625000, false },
		{ 0x87, NOON * 128 + 1, NOON * SECOND + 7812500, true },
		{ 0x94, ((uint64_t)NOON << 20) + 1, NOON * SECOND + 953, true },
		{ 0xa0, ((uint64_t)NOON << 32) + (1u << 31), NOON * SECOND + 500000000, true },
		{ 0xbf, UINT64_MAX, 2 * SECOND - 1, true }, /* 2^-63: just below two seconds */
		{ 0xc0, UINT64_MAX, SECOND - 1, true },
		{ 0xff, UINT64_MAX, 0, true },
		{ 0, UINT64_MAX, 1LL << 62, false }, /* held */
		{ 9, UINT64_MAX, 1LL << 62, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&file, 0, sizeof(file));
		ng_section(&file);
		ng_interface(&file, 1, 0, NULL, rows[i].resolution);
		ng_packet(&file, 0, rows[i].units, 4, 4, 0);
		read_whole_file();
		assert_int_equal(seen.count, 1);
		if (seen.frames[0].time_ns != rows[i].ns)
			fail_msg("row %zu: %lld ns", i, (long long)seen.frames[0].time_ns);
		assert_int_equal(seen.source.nanoseconds, rows[i].nanoseconds);
	}
}

static void put_interface_with_offset(int64_t offset)
{
	size_t at = ng_begin(&file, 1);

	bytes_number(&file, 1, 2);
	bytes_number(&file, 0, 2);
	bytes_number(&file, 0, 4);
	ng_option_number(&file, 14, (uint64_t)offset, 8);
	ng_end(&file, at);
}

static void time__offset__is_added_and_stays_in_bounds(void **state)
{
	static const struct {
		int64_t offset, ns;
	} rows[] = { { NOON, NOON * SECOND + 2000 }, { -1, 0 }, { INT64_MIN, 0 }, { INT64_MAX, 1LL << 62 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&file, 0, sizeof(file));
		file.big = i % 2;
		ng_section(&file);
		put_interface_with_offset(rows[i].offset);
		ng_packet(&file, 0, 2, 4, 4, 0);
		read_whole_file();
		assert_int_equal(seen.frames[0].time_ns, rows[i].ns);
	}
}

static void sections__several_in_different_orders__number_interfaces_anew_and_unify_them(void **state)
{
	(void)state;
	ng_section(&file);
	ng_interface(&file, 1, 96, "eth0", -1);
	ng_interface(&file, 113, 0, "any", -1);
	ng_packet(&file, 1, 1, 4, 4, 1);
	file.big = true;
	ng_section(&file);
	ng_interface(&file, 113, 0, "any", 9);
	ng_packet(&file, 0, 2, 4, 4, 2);
	file.big = false;
	ng_section(&file);
	ng_interface(&file, 1, 97, "eth0", -1);
	ng_packet(&file, 0, 3, 4, 4, 3);
	read_whole_file();
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.interface_count, 3);
	assert_int_equal(seen.frames[0].interface, 1);
	assert_int_equal(seen.frames[0].time_ns, 1000);
	assert_int_equal(seen.frames[1].interface, 1);
	assert_int_equal(seen.frames[1].link_type, 113);
	assert_int_equal(seen.frames[1].time_ns, 2);
	assert_int_equal(seen.frames[2].interface, 2);
	assert_int_equal(seen.frames[2].number, 3);
	assert_true(seen.source.several_link_types);
	assert_int_equal(seen.source.link_type, 1);
}

static void section__new__forgets_the_interfaces_of_the_old(void **state)
{
	(void)state;
	begin_file();
	ng_packet(&file, 0, 1, 4, 4, 1);
	ng_section(&file);
	ng_packet(&file, 0, 1, 4, 4, 1);
	expect_broken(1, "interface 0 where 0 are known");
}

static void put_flags(uint32_t flags)
{
	size_t at = ng_packet_open(&file, 0, 1, 5, 5, 9);

	ng_option(&file, 1, "a comment", 9);
	ng_option_number(&file, 2, flags, 4);
	ng_option(&file, 0, "", 0);
	ng_end(&file, at);
}

static void direction__flags__tell_it(void **state)
{
	static const uint8_t expected[] = { DIRECTION_UNKNOWN, DIRECTION_IN, DIRECTION_OUT, DIRECTION_UNKNOWN };

	(void)state;
	file.big = true;
	begin_file();
	for (uint32_t flags = 0; flags < 4; flags++)
		put_flags(flags | 0xfffc);
	read_whole_file();
	assert_int_equal(seen.count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(seen.frames[i].direction, expected[i]);
}

static void packet__broken_options__stays_whole(void **state)
{
	size_t at;

	(void)state;
	begin_file();
	at = ng_packet_open(&file, 0, 1, 5, 5, 9);
	bytes_number(&file, 2, 2);
	bytes_number(&file, 5000, 2); /* longer than the block */
	bytes_number(&file, 1, 4);
	ng_end(&file, at);
	at = ng_packet_open(&file, 0, 2, 5, 5, 9);
	ng_option_number(&file, 2, 1, 2); /* too short for flags */
	ng_end(&file, at);
	read_whole_file();
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.frames[0].direction, DIRECTION_UNKNOWN);
	assert_int_equal(seen.frames[1].direction, DIRECTION_UNKNOWN);
}

static void put_simple_packet(uint32_t wire, uint32_t there)
{
	size_t at = ng_begin(&file, 3);

	bytes_number(&file, wire, 4);
	for (uint32_t i = 0; i < there; i++)
		bytes_number(&file, 0x77, 1);
	ng_end(&file, at);
}

static void simple_packet__snaplen_and_time__come_from_what_stood_before(void **state)
{
	(void)state;
	ng_section(&file);
	ng_interface(&file, 1, 10, NULL, -1);
	put_simple_packet(7, 7);
	ng_packet(&file, 0, 55, 4, 4, 1);
	put_simple_packet(1000, 10);
	read_whole_file();
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.frames[0].captured, 7);
	assert_int_equal(seen.frames[0].wire, 7);
	assert_int_equal(seen.frames[0].time_ns, 0);
	assert_int_equal(seen.frames[2].captured, 10);
	assert_int_equal(seen.frames[2].wire, 1000);
	assert_int_equal(seen.frames[2].time_ns, 55000);
	assert_int_equal(seen.bytes[2][9], 0x77);
}

static void simple_packet__longer_than_its_block__is_refused(void **state)
{
	(void)state;
	begin_file();
	put_simple_packet(9, 8);
	expect_broken(0, "a packet of 9 bytes where 8 are there");
}

static void simple_packet__without_interface__is_refused(void **state)
{
	(void)state;
	ng_section(&file);
	put_simple_packet(4, 4);
	expect_broken(0, "before any interface");
}

static void put_old_packet(uint16_t interface, uint16_t drops)
{
	size_t at = ng_begin(&file, 2);

	bytes_number(&file, interface, 2);
	bytes_number(&file, drops, 2);
	bytes_number(&file, 0, 4);
	bytes_number(&file, 99, 4);
	bytes_number(&file, 3, 4);
	bytes_number(&file, 60, 4);
	bytes_put(&file, "old", 3);
	bytes_pad(&file);
	ng_option_number(&file, 2, 2, 4);
	ng_end(&file, at);
}

static void old_packet__obsolete_block__is_read_with_its_drops(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		memset(&file, 0, sizeof(file));
		file.big = big;
		begin_file();
		put_old_packet(0, 0xffff); /* unknown */
		put_old_packet(0, 3);
		read_whole_file();
		assert_int_equal(seen.count, 2);
		assert_int_equal(seen.frames[0].captured, 3);
		assert_int_equal(seen.frames[0].wire, 60);
		assert_int_equal(seen.frames[0].time_ns, 99000);
		assert_int_equal(seen.frames[0].direction, DIRECTION_OUT);
		assert_memory_equal(seen.bytes[0], "old", 3);
		assert_true(seen.source.has_drops);
		assert_int_equal(seen.source.dropped_kernel, 3);
	}
}

static void put_statistics(uint32_t interface, uint64_t received, uint64_t dropped_interface, uint64_t dropped_kernel)
{
	size_t at = ng_begin(&file, 5);

	bytes_number(&file, interface, 4);
	bytes_number(&file, 0, 8);
	ng_option_number(&file, 2, 12345, 8); /* start time: passed over */
	ng_option_number(&file, 4, received, 8);
	ng_option_number(&file, 5, dropped_interface, 8);
	ng_option_number(&file, 7, dropped_kernel, 8);
	ng_option(&file, 0, "", 0);
	ng_end(&file, at);
}

static void put_packet_after_loss(uint32_t interface, uint64_t dropped)
{
	size_t at = ng_packet_open(&file, interface, 1, 4, 4, 1);

	ng_option_number(&file, 4, dropped, 8);
	ng_end(&file, at);
}

/* Statistics are sums since the capture began: the last block of an interface counts, and holds what single packets told. */
static void statistics__several__last_of_each_interface_counts(void **state)
{
	(void)state;
	begin_file();
	ng_interface(&file, 1, 5, "two", -1);
	put_packet_after_loss(0, 4);
	put_packet_after_loss(1, 2);
	put_statistics(0, 10, 1, 3);
	put_statistics(0, 100, 2, 8);
	put_packet_after_loss(0, 50);
	put_statistics(7, 9999, 9999, 9999);
	file.big = true;
	ng_section(&file);
	ng_interface(&file, 1, 0, NULL, -1);
	put_statistics(0, 1000, 20, 30);
	read_whole_file();
	assert_int_equal(seen.count, 3);
	assert_true(seen.source.has_drops);
	assert_int_equal(seen.source.received, 1100);
	assert_int_equal(seen.source.dropped_interface, 22);
	assert_int_equal(seen.source.dropped_kernel, 8 + 30 + 2);
}

static void statistics__without_drops__say_nothing_of_drops(void **state)
{
	size_t at;

	(void)state;
	begin_file();
	at = ng_begin(&file, 5);
	bytes_number(&file, 0, 4);
	bytes_number(&file, 0, 8);
	ng_option_number(&file, 4, 77, 8);
	ng_option_number(&file, 7, 5, 4); /* not a number of 64 bits */
	ng_end(&file, at);
	read_whole_file();
	assert_false(seen.source.has_drops);
	assert_int_equal(seen.source.received, 77);
	assert_int_equal(seen.source.dropped_kernel, 0);
}

static void blocks__names_custom_and_unknown__are_passed_over(void **state)
{
	static const uint32_t types[] = { 4, 9, 10, 0xbad, 0x40000bad, 0x7fffffff, 0 };

	(void)state;
	begin_file();
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t at = ng_begin(&file, types[i]);

		bytes_put(&file, "whatever it holds", 17);
		ng_end(&file, at);
		ng_packet(&file, 0, i, 4, 4, (uint8_t)i);
	}
	read_whole_file();
	assert_int_equal(seen.count, ARRAY_SIZE(types));
}

static void blocks__many_without_a_packet__hand_control_back(void **state)
{
	CLEANUP(reader_close_ptr) struct reader *reader = NULL;
	static const char *const names[] = { "memory" };
	const struct bytes *const files[] = { &file };
	struct bytes_list list = { files, NULL };
	const struct reader_files wish = { .names = names, .count = 1, .open = bytes_open, .context = &list };
	struct frame frame;

	(void)state;
	begin_file();
	while (file.len < sizeof(file.at) - 100)
		ng_end(&file, ng_begin(&file, 4));
	ng_packet(&file, 0, 1, 4, 4, 1);
	assert_int_equal(reader_open_files(&reader, &wish, NULL), 0);
	assert_int_equal(reader_next(reader, &frame, NULL), -EAGAIN);
	assert_int_equal(reader_next(reader, &frame, NULL), 1);
	assert_int_equal(reader_next(reader, &frame, NULL), 0);
}

/* Writes @value over the 32 bits at @at. */
static void overwrite(size_t at, uint32_t value)
{
	size_t len = file.len;

	file.len = at;
	bytes_number(&file, value, 4);
	file.len = len;
}

static void length__each_lie__is_refused_after_the_packets_before(void **state)
{
	static const struct {
		uint32_t front, behind;
		const char *word;
	} rows[] = {
		{ 0, 36, "0 bytes is no multiple" },
		{ 4, 36, "4 bytes is no multiple" },
		{ 8, 36, "8 bytes is no multiple" },
		{ 35, 36, "35 bytes is no multiple" },
		{ 37, 36, "37 bytes is no multiple" },
		{ 36, 0, "36 bytes in front and 0 behind" },
		{ 36, 40, "36 bytes in front and 40 behind" },
		{ 32, 36, "32 bytes in front and" },
		{ 40, 36, "cut in the middle" },
		{ 16 << 20, 36, "cut in the middle" },
		{ (16 << 20) + 4, 36, "more than 16777216" },
		{ 0x80000000, 36, "more than 16777216" },
		{ 0xfffffffc, 36, "more than 16777216" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t at;

		memset(&file, 0, sizeof(file));
		file.big = i % 2;
		begin_file();
		ng_packet(&file, 0, 1, 4, 4, 1);
		at = file.len;
		ng_packet(&file, 0, 2, 4, 4, 1); /* 36 bytes */
		assert_int_equal(file.len - at, 36);
		overwrite(at + 4, rows[i].front);
		overwrite(at + 32, rows[i].behind);
		expect_broken(1, rows[i].word);
	}
}

static void packet__more_bytes_than_its_block__is_refused(void **state)
{
	static const uint32_t claims[] = { 9, 12, 65536, 0x7fffffff, 0x80000000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		size_t at;

		memset(&file, 0, sizeof(file));
		begin_file();
		ng_packet(&file, 0, 1, 8, 8, 1);
		at = file.len;
		ng_packet(&file, 0, 2, 8, 8, 1);
		overwrite(at + 20, claims[i]);
		expect_broken(1, "where 8 are there");
	}
}

static void packet__wire_length_below_the_captured__is_raised_to_it(void **state)
{
	(void)state;
	begin_file();
	ng_packet(&file, 0, 1, 8, 3, 1);
	read_whole_file();
	assert_int_equal(seen.frames[0].captured, 8);
	assert_int_equal(seen.frames[0].wire, 8);
}

static void packet__unknown_interface__is_refused(void **state)
{
	(void)state;
	begin_file();
	ng_packet(&file, 1, 1, 8, 8, 1);
	expect_broken(0, "interface 1 where 1 are known");
}

static void blocks__shorter_than_their_fixed_part__are_refused(void **state)
{
	static const struct {
		uint32_t type, body;
	} rows[] = { { 1, 4 }, { 2, 16 }, { 3, 0 }, { 6, 16 }, { 6, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t at;

		memset(&file, 0, sizeof(file));
		begin_file();
		ng_packet(&file, 0, 1, 8, 8, 1);
		at = ng_begin(&file, rows[i].type);
		for (uint32_t n = 0; n < rows[i].body; n += 4)
			bytes_number(&file, 0, 4);
		ng_end(&file, at);
		expect_broken(1, "too short for");
	}
}

static void section__bad_mark_version_or_length__is_refused(void **state)
{
	(void)state;
	ng_section(&file);
	overwrite(8, 0x12345678);
	expect_refused("byte order mark is 0x12345678");
	reset(NULL);
	ng_section(&file);
	overwrite(12, 2);
	expect_refused("version 2.0");
	reset(NULL);
	ng_section(&file);
	overwrite(4, 30);
	expect_refused("no multiple of 4");
	reset(NULL);
	ng_end(&file, ng_begin(&file, 0x0a0d0d0a));
	bytes_number(&file, 0, 8);
	expect_refused("byte order mark");
}

static void interface__broken_options__are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		size_t at;

		memset(&file, 0, sizeof(file));
		begin_file();
		ng_packet(&file, 0, 1, 8, 8, 1);
		at = ng_begin(&file, 1);
		bytes_number(&file, 1, 4);
		bytes_number(&file, 0, 4);
		if (i == 0) {
			bytes_number(&file, 2, 2);
			bytes_number(&file, 5, 2);
			bytes_put(&file, "eth0", 4);
		} else if (i == 1) {
			ng_option(&file, 9, "", 0);
		} else if (i == 2) {
			ng_option_number(&file, 14, 1, 4);
		} else {
			bytes_number(&file, 2, 2);
			bytes_number(&file, UINT16_MAX, 2);
		}
		ng_end(&file, at);
		expect_broken(1, "options of interface 1");
	}
}

static void interface__name__ends_at_nul_and_at_its_bound(void **state)
{
	char longest[300];

	(void)state;
	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ng_section(&file);
	ng_interface(&file, 1, 0, longest, -1);
	{
		size_t at = ng_begin(&file, 1);

		bytes_number(&file, 1, 4);
		bytes_number(&file, 1, 4);
		ng_option(&file, 2, "eth0\0junk", 9);
		ng_end(&file, at);
	}
	read_whole_file();
	assert_int_equal(seen.interface_count, 2);
	assert_int_equal(strlen(seen.interfaces[0].name), 255);
	assert_string_equal(seen.interfaces[1].name, "eth0");
}

/* 4096 are told apart over the run; the same ones again are no new ones. */
static void interfaces__more_than_the_table_holds__are_refused(void **state)
{
	struct bytes *big = calloc(1, sizeof(*big));
	int fd = memfd_create("capture", MFD_CLOEXEC);
	static const char *const names[] = { "-" };
	const struct reader_files wish = { .names = names, .count = 1 };
	int old = dup(STDIN_FILENO);

	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		ng_section(big);
		for (uint32_t snaplen = 1; snaplen <= (round < 2 ? 4096 : 4097); snaplen++) {
			ng_interface(big, 1, snaplen, NULL, -1);
			if (big->len > sizeof(big->at) - 100) {
				assert_int_equal(write(fd, big->at, big->len), big->len);
				big->len = 0;
			}
		}
		ng_packet(big, 4095, 1, 4, 4, 1);
	}
	assert_int_equal(write(fd, big->at, big->len), big->len);
	lseek(fd, 0, SEEK_SET);
	dup2(fd, STDIN_FILENO);
	read_wish(&seen, &wish);
	dup2(old, STDIN_FILENO);
	close(old);
	close(fd);
	free(big);
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.frames[1].interface, 4095);
	assert_int_equal(seen.broken, 1);
	assert_non_null(strstr(seen.why.text, "stdin: more than 4096 different interfaces"));
}

/* For every cut: the packets that are whole, and never more; a message unless the cut is between two blocks. */
static void file__cut_at_every_byte__gives_the_whole_packets(void **state)
{
	size_t ends[8], borders[16], packets = 0, blocks = 0;

	(void)state;
	for (int big = 0; big < 2; big++) {
		packets = blocks = 0;
		memset(&file, 0, sizeof(file));
		file.big = big;
		ng_section(&file);
		borders[blocks++] = file.len;
		ng_interface(&file, 1, 0, "eth0", 6);
		borders[blocks++] = file.len;
		for (unsigned i = 0; i < 3; i++) {
			ng_packet(&file, 0, i, 5 + i, 60, (uint8_t)i);
			ends[packets++] = borders[blocks++] = file.len;
		}
		put_statistics(0, 3, 0, 0);
		borders[blocks++] = file.len;
		put_flags(1);
		ends[packets++] = borders[blocks++] = file.len;
		for (size_t len = 0; len <= file.len; len++) {
			unsigned whole = 0;
			bool border = false;

			for (size_t i = 0; i < packets; i++)
				whole += ends[i] <= len;
			for (size_t i = 0; i < blocks; i++)
				border |= borders[i] == len;
			read_bytes(&seen, &file, len, NULL);
			assert_int_equal(seen.count, whole);
			assert_int_equal(seen.failed, 0);
			if (seen.opened)
				assert_true(len < borders[1] && seen.opened == -EBADMSG && !border);
			else
				assert_int_equal(seen.broken, !border);
			assert_int_equal(*seen.why.text == '\0', border);
		}
	}
}

static void filter__two_link_types__is_compiled_for_each(void **state)
{
	static const uint8_t v4[20] = { 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
	static const uint8_t ethernet[34] = { [12] = 8, [14] = 0x45, [23] = 17 };

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		size_t at;

		memset(&file, 0, sizeof(file));
		ng_section(&file);
		ng_interface(&file, 101, 0, NULL, -1);
		ng_interface(&file, 1, 0, NULL, -1);
		at = ng_packet_open(&file, 0, 1, 20, 20, 0);
		memcpy(file.at + at + 28, v4, sizeof(v4));
		ng_end(&file, at);
		at = ng_packet_open(&file, 1, 1, 34, 34, 0);
		memcpy(file.at + at + 28, ethernet, sizeof(ethernet));
		ng_end(&file, at);
		read_bytes(&seen, &file, file.len, round ? "udp" : "tcp");
		assert_int_equal(seen.failed, 0);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.frames[0].number, 1 + round); /* counted before the filter */
		assert_int_equal(seen.frames[0].link_type, round ? 1 : 101);
	}
}

static void filter__link_type_that_cannot_be_filtered__is_named(void **state)
{
	(void)state;
	begin_file();
	ng_interface(&file, 147, 0, NULL, -1);
	ng_packet(&file, 1, 1, 20, 20, 0);
	read_bytes(&seen, &file, file.len, "tcp port 80");
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.count, 0);
	assert_int_equal(seen.failed, -EINVAL);
	assert_non_null(strstr(seen.why.text, "\"tcp port 80\""));
	assert_non_null(strstr(seen.why.text, "link type 147"));
}

/* The first interface brought no packet, so that it cannot be filtered does no harm. */
static void filter__silent_first_interface_that_cannot_be_filtered__is_no_failure(void **state)
{
	(void)state;
	ng_section(&file);
	ng_interface(&file, 147, 0, NULL, -1);
	ng_interface(&file, 1, 0, NULL, -1);
	ng_packet(&file, 1, 1, 20, 20, 0);
	read_bytes(&seen, &file, file.len, "not tcp port 80");
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.failed, 0);
	assert_int_equal(seen.count, 1);
}

static void filter__slip__is_refused_before_the_first_packet(void **state)
{
	(void)state;
	begin_file();
	read_bytes(&seen, &file, file.len, "tpc port 80");
	assert_int_equal(seen.opened, -EINVAL);
	assert_non_null(strstr(seen.why.text, "\"tpc port 80\""));
	assert_non_null(strstr(seen.why.text, "EN10MB"));
	assert_non_null(strstr(seen.why.text, "syntax error"));
}

#define FRESH(test) cmocka_unit_test_setup(test, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(packet__either_byte_order__reads_the_same),
		FRESH(time__each_resolution__becomes_nanoseconds),
		FRESH(time__offset__is_added_and_stays_in_bounds),
		FRESH(sections__several_in_different_orders__number_interfaces_anew_and_unify_them),
		FRESH(section__new__forgets_the_interfaces_of_the_old),
		FRESH(direction__flags__tell_it),
		FRESH(packet__broken_options__stays_whole),
		FRESH(simple_packet__snaplen_and_time__come_from_what_stood_before),
		FRESH(simple_packet__longer_than_its_block__is_refused),
		FRESH(simple_packet__without_interface__is_refused),
		FRESH(old_packet__obsolete_block__is_read_with_its_drops),
		FRESH(statistics__several__last_of_each_interface_counts),
		FRESH(statistics__without_drops__say_nothing_of_drops),
		FRESH(blocks__names_custom_and_unknown__are_passed_over),
		FRESH(blocks__many_without_a_packet__hand_control_back),
		FRESH(length__each_lie__is_refused_after_the_packets_before),
		FRESH(packet__more_bytes_than_its_block__is_refused),
		FRESH(packet__wire_length_below_the_captured__is_raised_to_it),
		FRESH(packet__unknown_interface__is_refused),
		FRESH(blocks__shorter_than_their_fixed_part__are_refused),
		FRESH(section__bad_mark_version_or_length__is_refused),
		FRESH(interface__broken_options__are_refused),
		FRESH(interface__name__ends_at_nul_and_at_its_bound),
		FRESH(interfaces__more_than_the_table_holds__are_refused),
		FRESH(file__cut_at_every_byte__gives_the_whole_packets),
		FRESH(filter__two_link_types__is_compiled_for_each),
		FRESH(filter__link_type_that_cannot_be_filtered__is_named),
		FRESH(filter__silent_first_interface_that_cannot_be_filtered__is_no_failure),
		FRESH(filter__slip__is_refused_before_the_first_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
