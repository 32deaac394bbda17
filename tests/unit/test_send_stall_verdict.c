/* SPDX-License-Identifier: MIT */
/* The table of a send that does not go on, walked row by row and over all its inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "triage/send_stall_verdict.h"

/* Window shut, repeating, answered, own unread, others unread: 1 yes, 0 no, u unknown, and what a row leaves open as '-'. */
static const struct row {
	const char *signs;
	enum send_stall_story story;
	double confidence;
	const char *rule;
} rows[] = {
	{ "10100", SEND_STALL_PEER, 0.9, "peer-zero-window" },
	{ "1010u", SEND_STALL_PEER, 0.9, "peer-zero-window" },
	{ "101u0", SEND_STALL_PEER, 0.9, "peer-zero-window" },
	{ "101uu", SEND_STALL_PEER, 0.9, "peer-zero-window" },
	{ "10101", SEND_STALL_RELAY, 0.9, "peer-zero-window" },
	{ "101u1", SEND_STALL_RELAY, 0.9, "peer-zero-window" },
	{ "1011-", SEND_STALL_DEADLOCK, 0.6, "peer-zero-window" },
	{ "100--", SEND_STALL_DEAD, 0.85, "dead-peer-unacked" },
	{ "010--", SEND_STALL_DEAD, 0.9, "dead-peer-unacked" },
	{ "011--", SEND_STALL_LOSS, 0.9, "retrans-high" },
	/* what the table leaves without a verdict */
	{ "10u--", SEND_STALL_NO_VERDICT, 0, NULL }, /* a probe is under way */
	{ "01u--", SEND_STALL_NO_VERDICT, 0, NULL },
	{ "00---", SEND_STALL_NO_VERDICT, 0, NULL },
	{ "11---", SEND_STALL_NO_VERDICT, 0, NULL },
	{ "u----", SEND_STALL_NO_VERDICT, 0, NULL },
	{ "0u---", SEND_STALL_NO_VERDICT, 0, NULL },
	{ "1u---", SEND_STALL_NO_VERDICT, 0, NULL },
};

#define SIGNS 5
#define COMBINATIONS 243

static const enum answer answers[] = { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };
static const char letters[] = "u01";

/* The @number-th of the combinations, as letters and as a structure. */
static struct send_stall_signs combination(unsigned number, char *text)
{
	enum answer picked[SIGNS];

	for (unsigned i = 0; i < SIGNS; i++, number /= 3) {
		picked[i] = answers[number % 3];
		text[i] = letters[number % 3];
	}
	text[SIGNS] = '\0';
	return (struct send_stall_signs){ picked[0], picked[1], picked[2], picked[3], picked[4] };
}

static bool fits(const char *row, const char *text)
{
	for (unsigned i = 0; i < SIGNS; i++) {
		if (row[i] != '-' && row[i] != text[i])
			return false;
	}
	return true;
}

static void table__every_combination__has_the_verdict_of_its_one_row(void **state)
{
	unsigned hits[ARRAY_SIZE(rows)] = { 0 };

	(void)state;
	for (unsigned number = 0; number < COMBINATIONS; number++) {
		char text[SIGNS + 1];
		struct send_stall_signs signs = combination(number, text);
		struct send_stall_verdict verdict = send_stall_verdict(&signs);
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
