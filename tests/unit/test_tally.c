/* SPDX-License-Identifier: MIT */
/* cmd/tally.c: counting by key, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/tally.h"

static void tally__many_keys__are_summed_and_sorted(void **state)
{
	struct tally tally = { .count = 0 };
	char key[32];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		int len = snprintf(key, sizeof(key), "key %u", i % 1000);

		tally_add(&tally, key, (size_t)len, i, 1);
	}
	tally_add(&tally, "key 7", 5, 0, 0);
	assert_int_equal(tally.count, 1000);
	assert_string_equal(tally_top(&tally)->key, "key 7");
	tally_sort(&tally);
	assert_string_equal(tally.lines[0].key, "key 7");
	assert_int_equal(tally.lines[0].count, 4);
	assert_int_equal(tally.lines[0].recv_q, 7 + 1007 + 2007);
	assert_int_equal(tally.lines[1].count, 3);
	assert_string_equal(tally.lines[1].key, "key 0");
	tally_free(&tally);
	assert_null(tally_top(&tally));
}

static void tally__more_keys_than_it_keeps__are_counted_as_lost(void **state)
{
	struct tally tally = { .count = 0 };

	(void)state;
	for (uint32_t i = 0; i < TALLY_MAX + 10; i++)
		tally_add(&tally, (const char[]){ (char)(1 + i % 200), (char)(1 + i / 200 % 200), (char)(1 + i / 40000) },
			  3, 0, 0);
	assert_int_equal(tally.count, TALLY_MAX);
	assert_int_equal(tally.lost, 10);
	tally_free(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tally__many_keys__are_summed_and_sorted),
		cmocka_unit_test(tally__more_keys_than_it_keeps__are_counted_as_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
