/* SPDX-License-Identifier: MIT */
/* cmd/options.c: the one parser of command lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/cmd/command.h"

struct values {
	struct common_options common;
	bool tcp, all;
	const char *sort, *watch;
	uint64_t top, interval_us;
	struct option_fraction least;
	struct option_list rules;
};

#define AT(member) offsetof(struct values, member)
static const struct option_row rows[] = {
	{ "tcp", 't', NULL, "", OPTION_FLAG, AT(tcp), NULL },
	{ "all", 'a', NULL, "", OPTION_FLAG, AT(all), NULL },
	{ "sort", 0, "KEY", "", OPTION_STRING, AT(sort), NULL },
	{ "watch", 0, "SECS", "", OPTION_OPTIONAL, AT(watch), NULL },
	{ "top", 'T', "N", "", OPTION_U64, AT(top), NULL },
	{ "interval", 0, "SECS", "", OPTION_DURATION, AT(interval_us), NULL },
	{ "least", 0, "C", "", OPTION_FRACTION, AT(least), NULL },
	{ "rule", 0, "ID", "", OPTION_LIST, AT(rules), NULL },
	{ "history", 0, "none", "", OPTION_ACCEPTED, 0, NULL },
	{ 0 },
};
static const struct command command = { .name = "x", .options = rows, .options_size = sizeof(struct values) };

static int parse(struct values *values, struct err *err, const char *const *words)
{
	char *argv[1024];
	int argc = 0;

	for (; words[argc]; argc++)
		memcpy(&argv[argc], &words[argc], sizeof(argv[argc]));
	memset(values, 0, sizeof(*values));
	err->text[0] = '\0';
	return options_parse(&command, values, argc, argv, err);
}
#define PARSE(...) parse(&values, &err, (const char *const[]){ __VA_ARGS__, NULL })

static void options__every_spelling__is_stored(void **state)
{
	struct values values;
	struct err err;

	(void)state;
	assert_int_equal(PARSE("-taT5", "--sort=rtt", "--interval", "250ms", "--least", "0.25", "-N", "web"), 0);
	assert_true(values.tcp && values.all);
	assert_int_equal(values.top, 5);
	assert_string_equal(values.sort, "rtt");
	assert_int_equal(values.interval_us, 250000);
	assert_true(values.least.given && values.least.value == 0.25);
	assert_string_equal(values.common.netns, "web");
	assert_int_equal(PARSE("--watch", "--rule", "a", "--rule=b", "--history", "none", "--json"), 0);
	assert_string_equal(values.watch, "");
	assert_int_equal(values.rules.count, 2);
	assert_string_equal(values.rules.values[1], "b");
	assert_true(values.common.json);
	assert_int_equal(PARSE("--watch=3"), 0);
	assert_string_equal(values.watch, "3");
	assert_int_equal(PARSE("--least", "0"), 0);
	assert_true(values.least.given && values.least.value == 0);
}

static void options__operands_between_options__keep_their_order(void **state)
{
	const char *words[] = { "state", "-t", "close-wait", "--sort", "rtt", "pid", "--", "-x", NULL };
	struct values values = { .tcp = false };
	char *argv[ARRAY_SIZE(words)];
	struct err err;

	(void)state;
	memcpy(argv, words, sizeof(argv));
	assert_int_equal(options_parse(&command, &values, 8, argv, &err), 4);
	assert_string_equal(argv[0], "state");
	assert_string_equal(argv[1], "close-wait");
	assert_string_equal(argv[2], "pid");
	assert_string_equal(argv[3], "-x");
	assert_true(values.tcp);
}

static void options__wrong_words__are_quoted_with_the_nearest(void **state)
{
	struct values values;
	struct err err;

	(void)state;
	assert_int_equal(PARSE("--sotr", "rtt"), -22);
	assert_non_null(strstr(err.text, "'--sotr'"));
	assert_non_null(strstr(err.text, "did you mean '--sort'"));
	assert_int_equal(PARSE("-tz"), -22);
	assert_non_null(strstr(err.text, "'-z' in '-tz'"));
	assert_int_equal(PARSE("--tcp=1"), -22);
	assert_int_equal(PARSE("--sort"), -22);
	assert_non_null(strstr(err.text, "--sort KEY"));
	assert_int_equal(PARSE("--top", "many"), -22);
	assert_non_null(strstr(err.text, "'many'"));
	assert_int_equal(PARSE("--interval", "soon"), -22);
	assert_int_equal(PARSE("--least", "1.5"), -22);
	assert_int_equal(PARSE("--history", "file.db"), -22);
}

static void options__too_many_of_a_list__is_an_error(void **state)
{
	enum { MOST = ARRAY_SIZE(((struct option_list *)NULL)->values) };
	const char *words[2 * MOST + 3] = { NULL };
	struct values values;
	struct err err;

	(void)state;
	for (int i = 0; i < MOST; i++) {
		words[2 * i] = "--rule";
		words[2 * i + 1] = "a";
	}
	assert_int_equal(parse(&values, &err, words), 0);
	assert_int_equal(values.rules.count, MOST);
	words[2 * MOST] = "--rule";
	words[2 * MOST + 1] = "a";
	assert_int_equal(parse(&values, &err, words), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options__every_spelling__is_stored),
		cmocka_unit_test(options__operands_between_options__keep_their_order),
		cmocka_unit_test(options__wrong_words__are_quoted_with_the_nearest),
		cmocka_unit_test(options__too_many_of_a_list__is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
