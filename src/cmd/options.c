/* SPDX-License-Identifier: MIT */
/* Options as tables: one parser, one help printer, for every command. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tcptriage/base/num.h"
#include "tcptriage/base/out.h"
#include "tcptriage/base/words.h"
#include "tcptriage/cmd/command.h"

#define COMMON(member) offsetof(struct common_options, member)

const struct option_row common_option_rows[] = {
	{ "json", 0, NULL, "one JSON document", OPTION_FLAG, COMMON(json), NULL },
	{ "ndjson", 0, NULL, "one JSON object a line", OPTION_FLAG, COMMON(ndjson), NULL },
	{ "color", 0, "WHEN", "auto, always or never (NO_COLOR is honoured)", OPTION_STRING,
	  COMMON(color), "auto|always|never" },
	{ "netns", 'N', "NS", "look into this network namespace: a name, a pid or a path",
	  OPTION_STRING, COMMON(netns), "namespaces" },
	{ "all-netns", 0, NULL, "look into every network namespace of this host", OPTION_FLAG,
	  COMMON(all_netns), NULL },
	{ "numeric", 'n', NULL, "numbers instead of names (the default)", OPTION_FLAG,
	  COMMON(numeric), NULL },
	{ "quiet", 'q', NULL, "no progress, no notices on stderr", OPTION_FLAG, COMMON(quiet), NULL },
	{ "verbose", 'v', NULL, "more: what did not fire, what was skipped", OPTION_FLAG,
	  COMMON(verbose), NULL },
	{ "help", 'h', NULL, "this help", OPTION_FLAG, COMMON(help), NULL },
	{ "version", 0, NULL, "version and what is built in", OPTION_FLAG, COMMON(version), NULL },
	{ 0 },
};

/* The two tables of a command, walked as one. */
static const struct option_row *row_at(const struct command *command, size_t index)
{
	for (const struct option_row *row = command->options; row && row->name; row++)
		if (!index--)
			return row;
	for (const struct option_row *row = common_option_rows; row->name; row++)
		if (!index--)
			return row;
	return NULL;
}

static const struct option_row *find_long(const struct command *command, const char *name, size_t len)
{
	const struct option_row *row;

	for (size_t i = 0; (row = row_at(command, i)); i++)
		if (strlen(row->name) == len && !strncmp(row->name, name, len))
			return row;
	return NULL;
}

static const struct option_row *find_letter(const struct command *command, char letter)
{
	const struct option_row *row;

	for (size_t i = 0; (row = row_at(command, i)); i++)
		if (row->letter == letter)
			return row;
	return NULL;
}

static int unknown_long(const struct command *command, const char *name, size_t len, struct err *err)
{
	char word[64];
	struct words_nearest search = { .word = word };
	const struct option_row *row;

	snprintf(word, sizeof(word), "%.*s", (int)MIN(len, sizeof(word) - 1), name);
	for (size_t i = 0; (row = row_at(command, i)); i++)
		words_offer(&search, row->name);
	if (search.best)
		return err_set(err, -EINVAL, "unknown option '--%s': did you mean '--%s'?", word,
			       search.best);
	return err_set(err, -EINVAL, "unknown option '--%s'", word);
}

static bool takes_value(const struct option_row *row)
{
	return row->kind != OPTION_FLAG && row->kind != OPTION_COUNT && row->kind != OPTION_OPTIONAL;
}

static int bad_value(const struct option_row *row, const char *value, const char *wanted,
		     struct err *err)
{
	return err_set(err, -EINVAL, "'%s' is no %s for --%s", value, wanted, row->name);
}

/* Stores one value; @value is NULL for flags and for an optional value that was left out. */
static int store(const struct option_row *row, void *values, const char *value, struct err *err)
{
	void *at = (char *)values + row->offset;
	struct option_fraction *fraction = at;
	struct option_list *list = at;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_COUNT:
		++*(unsigned *)at;
		return 0;
	case OPTION_STRING:
		*(const char **)at = value;
		return 0;
	case OPTION_OPTIONAL:
		*(const char **)at = value ? value : "";
		return 0;
	case OPTION_U64:
		return num_u64(value, UINT32_MAX, at) ? 0 : bad_value(row, value, "number", err);
	case OPTION_DURATION:
		return num_duration_us(value, at) && *(uint64_t *)at <= 1000000ull * 86400 * 366 ?
			       0 :
			       bad_value(row, value, "duration (5, 250ms, 2m)", err);
	case OPTION_FRACTION:
		fraction->given = num_fraction(value, &fraction->value);
		return fraction->given ? 0 : bad_value(row, value, "number from 0 to 1", err);
	case OPTION_ACCEPTED:
		return !strcmp(value, row->arg) ? 0 : bad_value(row, value, "known value", err);
	case OPTION_LIST:
		if (list->count == ARRAY_SIZE(list->values))
			return err_set(err, -EINVAL, "--%s is given more than %zu times", row->name,
				       ARRAY_SIZE(list->values));
		list->values[list->count++] = value;
		return 0;
	}
	BUG();
}

/* "--name", "--name=value" or "--name value". Return: how many arguments were used, or -EINVAL. */
static int parse_long(const struct command *command, void *values, int left, char **argv,
		      struct err *err)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find_long(command, name, len);
	int code;

	if (!row)
		return unknown_long(command, name, len, err);
	if ((row->kind == OPTION_FLAG || row->kind == OPTION_COUNT) && equals)
		return err_set(err, -EINVAL, "--%s takes no value, got '%s'", row->name, equals + 1);
	if (takes_value(row) && !equals && left < 2)
		return err_set(err, -EINVAL, "--%s needs a value: --%s %s", row->name, row->name,
			       row->arg);
	if (takes_value(row) && !equals) {
		code = store(row, values, argv[1], err);
		return code ? code : 2;
	}
	code = store(row, values, equals ? equals + 1 : NULL, err);
	return code ? code : 1;
}

/* "-tan", "-N NS", "-NNS". Return: how many arguments were used, or -EINVAL. */
static int parse_letters(const struct command *command, void *values, int left, char **argv,
			 struct err *err)
{
	for (const char *p = argv[0] + 1; *p; p++) {
		const struct option_row *row = find_letter(command, *p);
		int code;

		if (!row && *p == 'K')
			return err_set(err, -EINVAL, "there is no -K: nothing in this program ends a connection");
		if (!row)
			return err_set(err, -EINVAL, "unknown option '-%c' in '%s'", *p, argv[0]);
		if (!takes_value(row)) {
			code = store(row, values, NULL, err);
			if (code)
				return code;
			continue;
		}
		if (!p[1] && left < 2)
			return err_set(err, -EINVAL, "-%c needs a value: -%c %s", *p, *p, row->arg);
		code = store(row, values, p[1] ? p + 1 : argv[1], err);
		return code ? code : p[1] ? 1 : 2;
	}
	return 1;
}

int options_parse(const struct command *command, void *values, int argc, char **argv, struct err *err)
{
	int operands = 0;

	for (int i = 0; i < argc;) {
		int used;

		if (!strcmp(argv[i], "--")) {
			for (i++; i < argc; i++)
				argv[operands++] = argv[i];
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			argv[operands++] = argv[i++];
			continue;
		}
		used = argv[i][1] == '-' ? parse_long(command, values, argc - i, argv + i, err) :
					   parse_letters(command, values, argc - i, argv + i, err);
		if (used < 0)
			return used;
		i += used;
	}
	return operands;
}

static void help_row(struct out *out, const struct option_row *row)
{
	size_t start = out_len(out);

	if (row->letter)
		out_printf(out, "  -%c, --%s", row->letter, row->name);
	else
		out_printf(out, "      --%s", row->name);
	if (row->arg)
		out_printf(out, row->kind == OPTION_OPTIONAL ? "[=%s]" : " %s", row->arg);
	out_char(out, ' ');
	out_pad_to(out, start, 30);
	out_str(out, row->help);
	out_char(out, '\n');
}

void command_help(const struct command *command, int fd)
{
	struct out out;

	out_open_fd(&out, fd);
	out_printf(&out, "tcptriage %s: %s\n\nusage: tcptriage %s [OPTIONS]%s%s\nexample: %s\n",
		   command->name, command->summary, command->name, *command->operands ? " " : "",
		   command->operands, command->example);
	if (command->options && command->options->name)
		out_lit(&out, "\noptions\n");
	for (const struct option_row *row = command->options; row && row->name; row++)
		help_row(&out, row);
	out_lit(&out, "\noptions of every command\n");
	for (const struct option_row *row = common_option_rows; row->name; row++)
		if (find_long(command, row->name, strlen(row->name)) == row)
			help_row(&out, row);
	out_printf(&out, "\nmore: man tcptriage-%s\n", command->name);
	out_close(&out);
}

int run_error(const struct command *command, const char *text)
{
	struct out out;

	out_open_mem(&out);
	out_lit(&out, "tcptriage ");
	out_str(&out, command->name);
	out_lit(&out, ": ");
	out_escaped(&out, text, strlen(text));
	out_char(&out, '\n');
	fputs(out_text(&out), stderr);
	out_close(&out);
	return EXIT_FAILED;
}

int usage_error(const struct command *command, const char *text)
{
	run_error(command, text);
	fprintf(stderr, "try: tcptriage %s --help\n", command->name);
	return EXIT_USAGE;
}
