/* SPDX-License-Identifier: MIT */
/* The tables of options and words against what is written about them: man pages and shell completion name every one, and no other. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/states.h"
#include "tcptriage/base/file.h"
#include "tcptriage/cmd/command.h"
#include "tcptriage/cmd/complete.h"
#include "tcptriage/filter/filter.h"
#include "tcptriage/render/rows.h"
#include "tcptriage/triage/engine.h"
#include "tcptriage/triage/topics.h"

/* The whole of man/@name.8 as text. */
static void read_page(struct out *out, const char *name)
{
	const char *root = getenv("SOURCE_ROOT");
	char path[512];

	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/man/%s.8", root, name);
	out_open_mem(out);
	if (file_slurp_at(AT_FDCWD, path, out, 1 << 20))
		fail_msg("cannot read %s", path);
}

static void read_command_page(struct out *out, const struct command *command)
{
	char name[64];

	snprintf(name, sizeof(name), "tcptriage-%s", command->name);
	read_page(out, name);
}

/* Does one of the page's ".It Fl" lines name @flag ("-name" or "x")? */
static bool page_has(const char *page, const char *flag)
{
	size_t len = strlen(flag);

	for (const char *it = page; (it = strstr(it, "\n.It Fl ")); it++) {
		const char *end = strchr(it + 1, '\n');

		for (const char *at = it; (at = strstr(at, "Fl ")) && at < end; at++)
			if (!strncmp(at + 3, flag, len) && strchr(" \n", at[3 + len]))
				return true;
	}
	return false;
}

static void assert_rows_in_page(const struct option_row *row, const char *page, const char *where)
{
	char flag[64];

	for (; row && row->name; row++) {
		snprintf(flag, sizeof(flag), "-%s", row->name);
		if (!page_has(page, flag))
			fail_msg("%s does not describe --%s", where, row->name);
		snprintf(flag, sizeof(flag), "%c", row->letter);
		if (row->letter && !page_has(page, flag))
			fail_msg("%s does not describe -%c", where, row->letter);
	}
}

static bool in_rows(const struct option_row *row, const char *name, size_t len)
{
	for (; row && row->name; row++)
		if (strlen(row->name) == len && !strncmp(row->name, name, len))
			return true;
	return false;
}

/* Every long option that the page describes stands in @rows. */
static void assert_page_in_rows(const char *page, const struct option_row *rows, const char *where)
{
	for (const char *it = page; (it = strstr(it, "\n.It Fl ")); it++) {
		const char *end = strchr(it + 1, '\n'), *at = strstr(it, "Fl -");
		size_t len;

		if (!at || at > end)
			continue;
		len = strcspn(at + 4, " \n");
		if (!in_rows(rows, at + 4, len))
			fail_msg("%s describes --%.*s, which does not exist", where, (int)len, at + 4);
	}
}

static void man_pages__of_every_command__describe_its_options_and_no_other(void **state)
{
	(void)state;
	assert_true(command_count >= 4);
	for (size_t i = 0; i < command_count; i++) {
		struct out CLEANUP(out_close) page;

		read_command_page(&page, commands[i]);
		assert_rows_in_page(commands[i]->options, out_text(&page), commands[i]->name);
		assert_page_in_rows(out_text(&page), commands[i]->options, commands[i]->name);
	}
}

static void man_page__of_the_program__describes_common_options_and_commands(void **state)
{
	struct out CLEANUP(out_close) page;
	char item[64];

	(void)state;
	read_page(&page, "tcptriage");
	assert_rows_in_page(common_option_rows, out_text(&page), "tcptriage.8");
	assert_page_in_rows(out_text(&page), common_option_rows, "tcptriage.8");
	for (size_t i = 0; i < command_count; i++) {
		snprintf(item, sizeof(item), "\n.It Cm %s\n", commands[i]->name);
		assert_non_null(strstr(out_text(&page), item));
		snprintf(item, sizeof(item), "\n.Xr tcptriage-%s 8", commands[i]->name);
		assert_non_null(strstr(out_text(&page), item));
	}
}

static void man_page__without_an_option__is_noticed(void **state)
{
	static const char page[] = "\n.It Fl a , Fl -all\n.It Fl -watch Ns Op = Ns Ar secs\n";

	(void)state;
	assert_true(page_has(page, "-all"));
	assert_true(page_has(page, "a"));
	assert_true(page_has(page, "-watch"));
	assert_false(page_has(page, "-al"));
	assert_false(page_has(page, "-listening"));
	assert_false(page_has(page, "w"));
}

/* The ".Cm" words of the page's item for @option, one a line; what only joins them is left out. */
static void read_item_words(struct out *words, const char *page, const char *option)
{
	char start[64], line[256], *save;
	const char *at, *end;

	snprintf(start, sizeof(start), "\n.It Fl -%s ", option);
	at = strstr(page, start);
	assert_non_null(at);
	end = strstr(at + 1, "\n.It ");
	assert_non_null(end);
	out_open_mem(words);
	out_char(words, '\n');
	for (; at < end; at = strchr(at + 1, '\n')) {
		const char *cm = strstr(at, "Cm ");

		if (!cm || cm > strchr(at + 1, '\n'))
			continue;
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(cm, "\n"), cm);
		strtok_r(line, " ", &save);
		for (const char *word; (word = strtok_r(NULL, " ", &save)) && strcmp(word, "Ns") != 0;)
			if (!strchr(",.;", *word))
				out_printf(words, "%s\n", word);
	}
}

static bool word_in(const char *words, const char *word)
{
	char line[96];

	snprintf(line, sizeof(line), "\n%s\n", word);
	return strstr(words, line);
}

static bool is_sort_key(const char *word)
{
	return states_sort_known(word);
}

static bool is_column(const char *word)
{
	uint16_t column;

	return row_column_find(word, &column);
}

static bool is_grouping(const char *word)
{
	for (size_t i = 0; states_group_word(i); i++)
		if (!strcmp(states_group_word(i), word))
			return true;
	return false;
}

/* Fields of tcp_info need not be listed one by one. */
static bool is_field(const char *word)
{
	for (size_t i = 0; i < TCPI_COUNT; i++)
		if (!strcmp(tcpi_fields[i].name, word) || !strcmp(tcpi_fields[i].key, word))
			return true;
	return false;
}

static void man_page__of_states__lists_the_words_of_its_options_and_no_other(void **state)
{
	static const struct {
		const char *option;
		const char *(*at)(size_t index);
		bool (*known)(const char *word);
	} rows[] = {
		{ "sort", states_sort_word, is_sort_key },
		{ "columns", row_column_name, is_column },
		{ "group-by", states_group_word, is_grouping },
	};
	struct out CLEANUP(out_close) page;

	(void)state;
	read_page(&page, "tcptriage-states");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct out CLEANUP(out_close) words;
		char *save, *word;

		read_item_words(&words, out_text(&page), rows[i].option);
		for (size_t k = 0; rows[i].at(k); k++)
			if (!is_field(rows[i].at(k)) && !word_in(out_text(&words), rows[i].at(k)))
				fail_msg("the page does not list '%s' of --%s", rows[i].at(k), rows[i].option);
		word = strtok_r(words.base, "\n", &save);
		assert_non_null(word);
		for (; word; word = strtok_r(NULL, "\n", &save))
			if (!rows[i].known(word))
				fail_msg("the page lists '%s', which --%s does not know", word, rows[i].option);
	}
}

static void man_pages__of_every_command__name_the_system_in_their_footer(void **state)
{
	struct out CLEANUP(out_close) page;

	(void)state;
	read_page(&page, "tcptriage");
	assert_non_null(strstr(out_text(&page), "\n.Os Linux\n"));
	for (size_t i = 0; i < command_count; i++) {
		struct out CLEANUP(out_close) own;

		read_command_page(&own, commands[i]);
		assert_non_null(strstr(out_text(&own), "\n.Os Linux\n"));
	}
}

/* Is @word the first word of a line of what --complete @kind prints? */
static bool completes(const char *kind, const char *word)
{
	struct out CLEANUP(out_close) out;
	size_t len = strlen(word);

	out_open_mem(&out);
	assert_true(complete_words(&out, kind));
	for (const char *line = out_text(&out); *line; line += strcspn(line, "\n") + 1)
		if (!strncmp(line, word, len) && strchr("\t\n", line[len]))
			return true;
	return false;
}

static void assert_row_completes(const struct command *command, const struct option_row *row)
{
	struct out CLEANUP(out_close) values;
	char kind[96], flag[64];

	snprintf(kind, sizeof(kind), "options:%s", command->name);
	snprintf(flag, sizeof(flag), "--%s", row->name);
	if (!completes(kind, flag))
		fail_msg("%s: %s is not completed", command->name, flag);
	snprintf(kind, sizeof(kind), "values:%s:%s", command->name, flag);
	out_open_mem(&values);
	assert_true(complete_words(&values, kind));
	/* A kind that the completion does not know would come back as a word. */
	if (row->complete && row->kind != OPTION_ACCEPTED && !strchr(row->complete, '|') &&
	    completes(kind, row->complete))
		fail_msg("%s %s: no words of kind %s", command->name, flag, row->complete);
	if (row->kind == OPTION_FLAG || row->kind == OPTION_COUNT)
		assert_int_equal(out_len(&values), 0);
}

static void completion__every_option_of_every_command__is_offered(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		assert_true(completes("commands", commands[i]->name));
		for (const struct option_row *row = commands[i]->options; row && row->name; row++)
			assert_row_completes(commands[i], row);
		for (const struct option_row *row = common_option_rows; row->name; row++)
			assert_row_completes(commands[i], row);
	}
}

static void completion__lists__come_from_the_tables(void **state)
{
	struct out CLEANUP(out_close) out;

	(void)state;
	for (size_t i = 0; i < triage_rule_count; i++) {
		assert_true(completes("rules", triage_rules[i]->id));
		assert_true(completes("values:report:--mute", triage_rules[i]->id));
		assert_true(completes("operands:explain:", triage_rules[i]->id));
	}
	assert_true(completes("states", "close-wait"));
	assert_true(completes("operands:states:state", "time-wait"));
	assert_true(completes("operands:report:", "dport"));
	assert_true(completes("columns", "recv_q"));
	assert_true(completes("formats", "ndjson"));
	assert_true(completes("values:states:--color", "never"));
	assert_true(completes("interfaces", "lo"));
	assert_true(completes("values:report:--output", "@files"));
	assert_true(completes("values:states:--from", "@dirs"));
	assert_true(completes("values:states:--top", "@value"));
	out_open_mem(&out);
	assert_false(complete_words(&out, "no-such-kind"));
	assert_false(complete_words(&out, "values:states"));
	assert_false(complete_words(&out, "values:states:--no-such"));
	assert_false(complete_words(&out, "operands:no-such:"));
	assert_int_equal(out_len(&out), 0);
}

/* Words that build a filter and name nothing that a socket has. */
static bool is_grammar(const char *word)
{
	static const char *const grammar[] = { "exclude", "and", "or", "not" };

	for (size_t i = 0; i < ARRAY_SIZE(grammar); i++)
		if (!strcmp(grammar[i], word))
			return true;
	return false;
}

static void explain__every_column_and_filter_word__is_known(void **state)
{
	struct topic found;

	(void)state;
	for (size_t i = 0; row_column_name(i); i++)
		if (!topic_find(row_column_name(i), &found, 1))
			fail_msg("column %s has no topic", row_column_name(i));
	for (size_t i = 0; filter_word(i); i++)
		if (!is_grammar(filter_word(i)) && !topic_find(filter_word(i), &found, 1))
			fail_msg("filter word %s has no topic", filter_word(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(man_pages__of_every_command__describe_its_options_and_no_other),
		cmocka_unit_test(man_page__of_the_program__describes_common_options_and_commands),
		cmocka_unit_test(man_page__without_an_option__is_noticed),
		cmocka_unit_test(man_page__of_states__lists_the_words_of_its_options_and_no_other),
		cmocka_unit_test(man_pages__of_every_command__name_the_system_in_their_footer),
		cmocka_unit_test(completion__every_option_of_every_command__is_offered),
		cmocka_unit_test(completion__lists__come_from_the_tables),
		cmocka_unit_test(explain__every_column_and_filter_word__is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
