/* SPDX-License-Identifier: MIT */
/* base/: numbers, words, output, arenas. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tcptriage/base/arena.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/base/notices.h"
#include "tcptriage/base/num.h"
#include "tcptriage/base/out.h"
#include "tcptriage/base/words.h"

static void num_u64__junk_or_overflow__is_refused(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "1x", "18446744073709551616", "0x10" };
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(num_u64(bad[i], UINT64_MAX, &value));
	assert_true(num_u64("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_false(num_u64("65536", 65535, &value));
	assert_true(num_u64_any("0xFf", 255, &value));
	assert_int_equal(value, 255);
	assert_false(num_u64_any("0x", 255, &value));
	assert_false(num_u64_any("0x1g", 255, &value));
}

static void num_duration__units__give_microseconds(void **state)
{
	static const struct {
		const char *text;
		uint64_t us;
	} rows[] = { { "30us", 30 }, { "250ms", 250000 }, { "1.5s", 1500000 }, { "5m", 300000000 },
		     { "2h", 7200000000 }, { "3", 3000000 }, { "0.25", 250000 } };
	uint64_t us;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(num_duration_us(rows[i].text, &us));
		assert_int_equal(us, rows[i].us);
	}
	assert_false(num_duration_us("5 m", &us));
	assert_false(num_duration_us("1.", &us));
	assert_false(num_duration_us("9999999999999999999h", &us));
	assert_true(num_bytes("64k", &us));
	assert_int_equal(us, 65536);
}

static void words__misspelled__nearest_is_offered(void **state)
{
	struct words_nearest search = { .word = "close-wiat" };

	(void)state;
	words_offer(&search, "time-wait");
	words_offer(&search, "close-wait");
	words_offer(&search, "closing");
	assert_string_equal(search.best, "close-wait");
	assert_string_equal(words_hint(&search).text, ": did you mean 'close-wait'?");
	search = (struct words_nearest){ .word = "zzzzzz" };
	words_offer(&search, "close-wait");
	assert_null(search.best);
	assert_string_equal(words_hint(&search).text, "");
	assert_int_equal(words_distance("TIME_WAIT", "time-wait"), 0);
}

static void out__text_from_outside__cannot_move_a_cursor(void **state)
{
	static const char evil[] = "a\x1b[2J\n\x9b" "é\xc2\x9b\"\\\xe2\x80\xae";
	struct out out;

	(void)state;
	out_open_mem(&out);
	out_escaped(&out, evil, sizeof(evil) - 1);
	assert_string_equal(out_text(&out),
			    "a\\x1b[2J\\x0a\\x9bé\\xc2\\x9b\"\\\\\\xe2\\x80\\xae");
	out_clear(&out);
	out_json(&out, evil, sizeof(evil) - 1);
	assert_string_equal(out_text(&out),
			    "\"a\\u001b[2J\\u000a\\u009bé\\u009b\\\"\\\\\\u202e\"");
	out_close(&out);
}

static void out__numbers__read_back(void **state)
{
	static const uint64_t values[] = { 0, 9, 10, 99, 100, 999, 1000, 65535, 4294967295u,
					   1000000000000u, UINT64_MAX };
	struct out out;
	char expected[32];

	(void)state;
	out_open_mem(&out);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		out_clear(&out);
		out_u64(&out, values[i]);
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)values[i]);
		assert_string_equal(out_text(&out), expected);
	}
	out_clear(&out);
	out_fixed(&out, 12005, 3);
	out_char(&out, ' ');
	out_hex(&out, 0xdeadbeef);
	out_char(&out, ' ');
	out_i64(&out, INT64_MIN);
	assert_string_equal(out_text(&out), "12.005 deadbeef -9223372036854775808");
	out_close(&out);
}

static void out__grows_in_memory__keeps_everything(void **state)
{
	struct out out;

	(void)state;
	out_open_mem(&out);
	for (unsigned i = 0; i < 10000; i++)
		out_lit(&out, "0123456789");
	assert_int_equal(out_len(&out), 100000);
	out_close(&out);
}

static void notices__same_sentence__is_counted(void **state)
{
	struct arena arena = { 0 };
	struct notices notices = { .arena = &arena };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		notices_add(&notices, "no such thing: %d", 7);
	assert_int_equal(notices.count, 1);
	assert_int_equal(notices.item[0].count, 1000);
	for (unsigned i = 0; i < 100; i++)
		notices_add(&notices, "different %u", i);
	assert_int_equal(notices.count, 64);
	assert_int_equal(notices.lost, 37);
	arena_free(&arena);
}

static void duration__all_sizes__read_well(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} rows[] = { { 250, "250 µs" },	       { 4200, "4.2 ms" },	 { 37000, "37 ms" },
		     { 4200000, "4.2 s" },     { 31000000, "31 s" },	 { 8040000000, "2 h 14 min" },
		     { 273600000000, "3 d 4 h" }, { 125000000, "2 min 5 s" } };
	struct out out;

	(void)state;
	out_open_mem(&out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		out_clear(&out);
		out_duration(&out, rows[i].us);
		assert_string_equal(out_text(&out), rows[i].text);
	}
	out_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(num_u64__junk_or_overflow__is_refused),
		cmocka_unit_test(num_duration__units__give_microseconds),
		cmocka_unit_test(words__misspelled__nearest_is_offered),
		cmocka_unit_test(out__text_from_outside__cannot_move_a_cursor),
		cmocka_unit_test(out__numbers__read_back),
		cmocka_unit_test(out__grows_in_memory__keeps_everything),
		cmocka_unit_test(notices__same_sentence__is_counted),
		cmocka_unit_test(duration__all_sizes__read_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
