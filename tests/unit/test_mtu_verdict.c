/* SPDX-License-Identifier: MIT */
/* The path-MTU decision table, walked row by row and over all its inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "triage/mtu_verdict.h"

/* Inputs as letters A to F: 1 yes, 0 no, u unknown, and what a row leaves open as '-' (all three are tried). */
static const struct row {
	const char *signs;
	enum mtu_story story;
	double confidence;
	const char *rule;
} rows[] = {
	{ "111110", MTU_BLACK_HOLE, 0.85, "mtu-blackhole-send" },
	{ "11111u", MTU_BLACK_HOLE, 0.85, "mtu-blackhole-send" },
	{ "1111u0", MTU_BLACK_HOLE_OR_DEAD, 0.5, "mtu-blackhole-send" },
	{ "1111uu", MTU_BLACK_HOLE_OR_DEAD, 0.5, "mtu-blackhole-send" },
	{ "11110-", MTU_DEAD_PEER, 0.7, "dead-peer-unacked" },
	{ "1u110-", MTU_DEAD_PEER, 0.7, "dead-peer-unacked" },
	{ "11010-", MTU_DEAD_PEER, 0.7, "dead-peer-unacked" },
	{ "1u010-", MTU_DEAD_PEER, 0.7, "dead-peer-unacked" },
	{ "1101u-", MTU_DEAD_PEER, 0.5, "dead-peer-unacked" },
	{ "1u01u-", MTU_DEAD_PEER, 0.5, "dead-peer-unacked" },
	{ "1111u1", MTU_DEAD_PEER, 0.5, "dead-peer-unacked" },
	{ "1u11u1", MTU_DEAD_PEER, 0.5, "dead-peer-unacked" },
	{ "10----", MTU_SMALL_STUCK, 0.9, "dead-peer-unacked" },
	{ "1u1110", MTU_BLACK_HOLE, 0.75, "mtu-blackhole-send" },
	{ "1u111u", MTU_BLACK_HOLE, 0.75, "mtu-blackhole-send" },
	{ "1u11u0", MTU_BLACK_HOLE_OR_DEAD, 0.5, "mtu-blackhole-send" },
	{ "1u11uu", MTU_BLACK_HOLE_OR_DEAD, 0.5, "mtu-blackhole-send" },
	{ "1110--", MTU_PLAIN_LOSS, 0.9, "retrans-high" },
	{ "0----1", MTU_TOLD, 0.95, "pmtu-shrunk" },
	{ "111111", MTU_IGNORED, 0.8, "mtu-blackhole-send" },
	/* what the table leaves without a verdict */
	{ "0----0", MTU_NO_VERDICT, 0, NULL },
	{ "0----u", MTU_NO_VERDICT, 0, NULL },
	{ "u-----", MTU_NO_VERDICT, 0, NULL },
	{ "1100--", MTU_NO_VERDICT, 0, NULL },
	{ "110u--", MTU_NO_VERDICT, 0, NULL },
	{ "11011-", MTU_NO_VERDICT, 0, NULL },
	{ "11u---", MTU_NO_VERDICT, 0, NULL },
	{ "111u--", MTU_NO_VERDICT, 0, NULL },
	{ "1u00--", MTU_NO_VERDICT, 0, NULL },
	{ "1u0u--", MTU_NO_VERDICT, 0, NULL },
	{ "1u011-", MTU_NO_VERDICT, 0, NULL },
	{ "1uu---", MTU_NO_VERDICT, 0, NULL },
	{ "1u10--", MTU_NO_VERDICT, 0, NULL },
	{ "1u1u--", MTU_NO_VERDICT, 0, NULL },
	{ "1u1111", MTU_NO_VERDICT, 0, NULL },
};

#define SIGNS 6

static const enum answer answers[] = { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };
static const char letters[] = "u01";

/* The @number-th of the 3^6 combinations, as letters and as a structure. */
static struct mtu_signs combination(unsigned number, char *text)
{
	enum answer picked[SIGNS];

	for (unsigned i = 0; i < SIGNS; i++, number /= 3) {
		picked[i] = answers[number % 3];
		text[i] = letters[number % 3];
	}
	text[SIGNS] = '\0';
	return (struct mtu_signs){ picked[0], picked[1], picked[2], picked[3], picked[4], picked[5] };
}

static bool fits(const char *row, const char *text)
{
	for (unsigned i = 0; i < SIGNS; i++) {
		if (row[i] != '-' && row[i] != text[i])
			return false;
	}
	return true;
}

/* Who reports it: the rule of the row, and its rival where the facts do not tell the two apart. */
static void names(const struct mtu_verdict *verdict, const struct row *row)
{
	static const char *const ids[] = { "mtu-blackhole-send", "dead-peer-unacked", "retrans-high", "pmtu-shrunk", "" };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		bool rival = row->story == MTU_BLACK_HOLE_OR_DEAD && !strcmp(ids[i], "dead-peer-unacked");

		assert_int_equal(mtu_verdict_names(verdict, ids[i]),
				 rival || (row->rule && !strcmp(row->rule, ids[i])));
	}
}

static void table__every_combination__has_the_verdict_of_its_one_row(void **state)
{
	unsigned hits[ARRAY_SIZE(rows)] = { 0 };

	(void)state;
	for (unsigned number = 0; number < 729; number++) {
		char text[SIGNS + 1];
		struct mtu_signs signs = combination(number, text);
		struct mtu_verdict verdict = mtu_verdict(&signs);
		const struct row *expected = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			if (!fits(rows[i].signs, text))
				continue;
			if (expected)
				fail_msg("%s fits two rows", text);
			expected = &rows[i];
			hits[i]++;
		}
		if (!expected)
			fail_msg("%s fits no row", text);
		if (verdict.story != expected->story || verdict.confidence != expected->confidence)
			fail_msg("%s: story %u, confidence %.2f", text, verdict.story, verdict.confidence);
		if (expected->rule)
			assert_string_equal(verdict.rule, expected->rule);
		else
			assert_null(verdict.rule);
		names(&verdict, expected);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_true(hits[i] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table__every_combination__has_the_verdict_of_its_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
