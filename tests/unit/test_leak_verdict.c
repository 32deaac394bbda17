/* SPDX-License-Identifier: MIT */
/* The table "leak or pool", walked row by row and over all its inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "triage/leak_verdict.h"

/* Inputs as letters A to F: 1 yes, 0 no, u unknown, n "not yes", and what a row leaves open as '-'. Every combination fits exactly one. */
static const struct row {
	const char *signs;
	enum leak_story story;
	double confidence;
	enum leak_story rival;
	double rival_confidence;
	bool undecided;
} rows[] = {
	{ "1-----", LEAK_TRANSIENT, 0.9, LEAK_CERTAIN, 0.1, false },
	{ "n1----", LEAK_HALF_CLOSE, 0.9, LEAK_CERTAIN, 0.1, false },
	{ "nn1---", LEAK_CERTAIN, 0.95, LEAK_POOL, 0.1, false },
	{ "nn0---", LEAK_POOL, 0.9, LEAK_CERTAIN, 0.2, false },
	{ "nnu11-", LEAK_POOL, 0.88, LEAK_CERTAIN, 0.4, false },
	{ "nnu1n-", LEAK_POOL, 0.6, LEAK_CERTAIN, 0.4, false },
	{ "nnun1-", LEAK_CERTAIN, 0.88, LEAK_POOL, 0.5, false },
	{ "nnunn1", LEAK_CERTAIN, 0.88, LEAK_POOL, 0.4, false },
	{ "nnunnn", LEAK_CERTAIN, 0.6, LEAK_POOL, 0.5, true },
};

#define SIGNS 6

static const enum answer answers[] = { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };
static const char letters[] = "u01";

/* The @number-th of the 3^6 combinations, as letters and as a structure. */
static struct leak_signs combination(unsigned number, char *text)
{
	enum answer picked[SIGNS];

	for (unsigned i = 0; i < SIGNS; i++, number /= 3) {
		picked[i] = answers[number % 3];
		text[i] = letters[number % 3];
	}
	text[SIGNS] = '\0';
	return (struct leak_signs){ picked[0], picked[1], picked[2], picked[3], picked[4], picked[5] };
}

static bool fits(const char *row, const char *text)
{
	for (unsigned i = 0; i < SIGNS; i++) {
		if (row[i] == 'n' ? text[i] == '1' : row[i] != '-' && row[i] != text[i])
			return false;
	}
	return true;
}

static const struct row *only_row(const char *text, unsigned *hits)
{
	const struct row *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!fits(rows[i].signs, text))
			continue;
		if (found)
			fail_msg("%s fits two rows", text);
		found = &rows[i];
		hits[i]++;
	}
	if (!found)
		fail_msg("%s fits no row", text);
	return found;
}

static void table__every_combination__has_the_verdict_of_its_one_row(void **state)
{
	unsigned hits[ARRAY_SIZE(rows)] = { 0 };

	(void)state;
	for (unsigned number = 0; number < 729; number++) {
		char text[SIGNS + 1];
		struct leak_signs signs = combination(number, text);
		struct leak_verdict verdict = leak_verdict(&signs);
		const struct row *expected = only_row(text, hits);

		if (verdict.story != expected->story || verdict.confidence != expected->confidence ||
		    verdict.rival != expected->rival || verdict.rival_confidence != expected->rival_confidence)
			fail_msg("%s: story %u %.2f, rival %u %.2f", text, verdict.story, verdict.confidence,
				 verdict.rival, verdict.rival_confidence);
		assert_int_equal(leak_undecided(&verdict), expected->undecided);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_true(hits[i] > 0);
}

static void undecided__ends_at_its_margin(void **state)
{
	struct leak_verdict verdict = { LEAK_CERTAIN, LEAK_POOL, 0.75, 0.625 };

	(void)state;
	assert_true(leak_undecided(&verdict));
	verdict.rival_confidence = 0.5;
	assert_false(leak_undecided(&verdict));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table__every_combination__has_the_verdict_of_its_one_row),
		cmocka_unit_test(undecided__ends_at_its_margin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
