/* SPDX-License-Identifier: MIT */
/* The half-open decision table, walked row by row and over all its inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "triage/half_open_verdict.h"

/* Readings that the facts do not tell apart are both printed: as rank.c has it. */
#define MARGIN 0.15

enum { NOTHING, ACCEPT, DEFERRED, BURST, FLOOD, UNFINISHED };

/* Inputs as letters A to H: 1 yes, 0 no, u unknown, x not yes, y not no, - any. The first that fits counts. */
static const struct row {
	const char *signs;
	unsigned story;
	double confidence;
	unsigned rival;
	double rival_confidence;
} rows[] = {
	{ "1-------", ACCEPT, 0.9, 0, 0 },
	{ "x---11--", UNFINISHED, 0.85, 0, 0 },
	{ "x-y--x-1", DEFERRED, 0.85, 0, 0 },
	{ "x1110-1-", FLOOD, 0.7, 0, 0 },
	{ "x111u11-", FLOOD, 0.55, UNFINISHED, 0.5 },
	{ "x11xx11-", UNFINISHED, 0.65, 0, 0 },
	{ "x11-x1x-", UNFINISHED, 0.5, 0, 0 },
	{ "x111-x0-", BURST, 0.85, 0, 0 },
	{ "x111-xu-", BURST, 0.85, 0, 0 },
	{ "x111yx1-", BURST, 0.85, 0, 0 },
	{ "x11x-x--", BURST, 0.85, 0, 0 },
	{ "x10-1x--", UNFINISHED, 0.6, 0, 0 },
	{ "x1010---", FLOOD, 0.9, 0, 0 },
	{ "x101u1--", FLOOD, 0.65, UNFINISHED, 0.55 },
	{ "x101ux--", FLOOD, 0.75, 0, 0 },
	{ "x10xx1--", UNFINISHED, 0.6, FLOOD, 0.5 },
	{ "x10xxx--", FLOOD, 0.6, 0, 0 },
	{ "x1u1011-", FLOOD, 0.8, 0, 0 },
	{ "x1u1u11-", FLOOD, 0.6, UNFINISHED, 0.5 },
	{ "x1uxx11-", UNFINISHED, 0.6, FLOOD, 0.5 },
	{ "x1u-x1x-", UNFINISHED, 0.5, 0, 0 },
	{ "x1u1xx1-", FLOOD, 0.6, 0, 0 },
	{ "x1u11x1-", BURST, 0.5, 0, 0 },
	{ "x1u1-xx-", BURST, 0.5, 0, 0 },
	{ "x1ux-x--", BURST, 0.5, 0, 0 },
	{ "xx-101--", UNFINISHED, 0.5, 0, 0 },
	{ "xx-1u1--", UNFINISHED, 0.6, 0, 0 },
	{ "xx-xx1--", UNFINISHED, 0.7, 0, 0 },
	/* what the table leaves without a verdict: room in the queue and nothing stands */
	{ "xx0--x--", NOTHING, 0, 0, 0 },
	{ "xxy--xx0", NOTHING, 0, 0, 0 },
	{ "xxy--x-u", NOTHING, 0, 0, 0 },
	{ "xxy--x10", NOTHING, 0, 0, 0 },
};

#define SIGNS 8
#define COMBINATIONS 6561

static const char letters[] = "u01";

/* The @number-th of the 3^8 combinations, as letters and as a structure. */
static struct half_open_signs combination(unsigned number, char *text)
{
	static const enum answer answers[] = { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };
	enum answer p[SIGNS];

	for (unsigned i = 0; i < SIGNS; i++, number /= 3) {
		p[i] = answers[number % 3];
		text[i] = letters[number % 3];
	}
	text[SIGNS] = '\0';
	return (struct half_open_signs){ p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7] };
}

static bool letter_fits(char row, char letter)
{
	return row == '-' || row == letter || (row == 'x' && letter != '1') ||
	       (row == 'y' && letter != '0');
}

static bool fits(const char *row, const char *text)
{
	for (unsigned i = 0; i < SIGNS; i++) {
		if (!letter_fits(row[i], text[i]))
			return false;
	}
	return true;
}

static void table__every_combination__has_the_verdict_of_its_row(void **state)
{
	unsigned hits[ARRAY_SIZE(rows)] = { 0 };

	(void)state;
	for (unsigned number = 0; number < COMBINATIONS; number++) {
		char text[SIGNS + 1];
		struct half_open_signs signs = combination(number, text);
		struct half_open_verdict v = half_open_verdict(&signs);
		size_t i = 0;

		while (i < ARRAY_SIZE(rows) && !fits(rows[i].signs, text))
			i++;
		if (i == ARRAY_SIZE(rows))
			fail_msg("%s fits no row", text);
		hits[i]++;
		if ((unsigned)v.story != rows[i].story || v.confidence != rows[i].confidence ||
		    (unsigned)v.rival != rows[i].rival || v.rival_confidence != rows[i].rival_confidence)
			fail_msg("%s (row %s): story %u %.2f, rival %u %.2f", text, rows[i].signs, v.story,
				 v.confidence, v.rival, v.rival_confidence);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!hits[i])
			fail_msg("row %s never decides", rows[i].signs);
	}
}

/* What must hold whatever the numbers in the table are. */
static void table__every_combination__is_sane(void **state)
{
	(void)state;
	for (unsigned number = 0; number < COMBINATIONS; number++) {
		char t[SIGNS + 1];
		struct half_open_signs s = combination(number, t);
		struct half_open_verdict v = half_open_verdict(&s);
		bool flood = half_open_confidence(&v, HALF_OPEN_FLOOD) > 0;
		bool unfinished = half_open_confidence(&v, HALF_OPEN_UNFINISHED) > 0;

		if (v.rival && (v.rival_confidence > v.confidence || v.confidence > v.rival_confidence + MARGIN ||
				!flood || !unfinished))
			fail_msg("%s: a rival that is not within the margin", t);
		if (s.overflow == ANSWER_YES && (flood || unfinished))
			fail_msg("%s: the accept queue is full, and blames others", t);
		if (flood && (s.pressed != ANSWER_YES || (s.repeats == ANSWER_YES && s.stalled == ANSWER_YES)))
			fail_msg("%s: no flood without pressure, none of clients that ask again", t);
		if (flood && s.validated == ANSWER_YES && s.standing != ANSWER_YES)
			fail_msg("%s: cookies that come back are real clients", t);
		if (unfinished && s.stalled != ANSWER_YES && s.repeats != ANSWER_YES)
			fail_msg("%s: nothing stalls", t);
	}
}

static void confidence__is_that_of_the_reading_asked_for(void **state)
{
	const struct half_open_verdict v = { HALF_OPEN_FLOOD, 0.6, HALF_OPEN_UNFINISHED, 0.5 };
	const struct half_open_verdict sure = { HALF_OPEN_FLOOD, 0.9, HALF_OPEN_NOTHING, 0 };

	(void)state;
	assert_true(half_open_confidence(&v, HALF_OPEN_FLOOD) == 0.6);
	assert_true(half_open_confidence(&v, HALF_OPEN_UNFINISHED) == 0.5);
	assert_true(half_open_confidence(&v, HALF_OPEN_BURST) == 0);
	assert_true(half_open_confidence(&sure, HALF_OPEN_UNFINISHED) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table__every_combination__has_the_verdict_of_its_row),
		cmocka_unit_test(table__every_combination__is_sane),
		cmocka_unit_test(confidence__is_that_of_the_reading_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
