/* SPDX-License-Identifier: MIT */
/* tcptriage --complete KIND: what the completion scripts of every shell ask. */
#include "tcptriage/cmd/complete.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "states.h"
#include "tcptriage/cmd/command.h"
#include "tcptriage/filter/filter.h"
#include "tcptriage/render/rows.h"
#include "tcptriage/triage/engine.h"
#include "tcptriage/triage/topics.h"

static void word(struct out *out, const char *text, const char *help)
{
	out_str(out, text);
	if (help)
		out_printf(out, "\t%s", help);
	out_char(out, '\n');
}

static void indexed(struct out *out, const char *(*at)(size_t index))
{
	for (size_t i = 0; at(i); i++)
		word(out, at(i), NULL);
}

static void state_words(struct out *out)
{
	indexed(out, sock_state_word);
}

static void column_words(struct out *out)
{
	indexed(out, row_column_name);
}

static void filter_words(struct out *out)
{
	indexed(out, filter_word);
}

static void command_words(struct out *out)
{
	for (size_t i = 0; i < command_count; i++)
		word(out, commands[i]->name, commands[i]->summary);
}

static void rule_words(struct out *out)
{
	for (size_t i = 0; i < triage_rule_count; i++)
		word(out, triage_rules[i]->id, triage_rules[i]->title);
}

/* As users type a name: states in lower case like the words of a filter, counters also without the prefix of nstat. */
static void topic_spellings(struct out *out, const struct topic *topic)
{
	CLEANUP(out_close) struct out name;

	out_open_mem(&name);
	for (const char *c = topic->name; *c; c++)
		out_char(&name, topic->kind == TOPIC_STATE && *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c);
	word(out, out_text(&name), topic_summary(topic));
	if (topic->kind == TOPIC_COUNTER && strcmp(topic->alias, topic->name) != 0)
		word(out, topic->alias, topic_summary(topic));
}

static void topic_words(struct out *out)
{
	struct topic topic;

	for (unsigned kind = 0; kind < TOPIC_KIND_COUNT; kind++)
		word(out, topic_kind_group((enum topic_kind)kind), "all of them");
	for (size_t i = 0; topic_at(i, &topic); i++)
		topic_spellings(out, &topic);
}

static void format_words(struct out *out)
{
	out_lit(out, "text\njson\nndjson\n");
}

/* Names of directory entries come from outside: escaped, so that none can act on a terminal. */
static void entries(struct out *out, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		out_escaped(out, entry->d_name, strlen(entry->d_name));
		out_char(out, '\n');
	}
	if (dir)
		closedir(dir);
}

static void namespace_words(struct out *out)
{
	entries(out, "/run/netns");
}

static void interface_words(struct out *out)
{
	entries(out, "/sys/class/net");
}

static void sort_words(struct out *out)
{
	indexed(out, states_sort_word);
}

static void file_words(struct out *out)
{
	out_lit(out, "@files\n");
}

static void dir_words(struct out *out)
{
	out_lit(out, "@dirs\n");
}

static const struct {
	const char *kind;
	void (*print)(struct out *out);
} kinds[] = {
	{ "commands", command_words },	     { "states", state_words },	  { "rules", rule_words },
	{ "columns", column_words },	     { "topics", topic_words },	  { "formats", format_words },
	{ "filter-words", filter_words },    { "files", file_words },	  { "dirs", dir_words },
	{ "namespaces", namespace_words },   { "interfaces", interface_words }, { "sort-keys", sort_words },
};

static bool kind_words(struct out *out, const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].kind, kind)) {
			kinds[i].print(out);
			return true;
		}
	return false;
}

static void option_words(struct out *out, const struct option_row *row)
{
	for (; row && row->name; row++) {
		out_lit(out, "--");
		word(out, row->name, row->help);
		if (row->letter)
			out_printf(out, "-%c\t%s\n", row->letter, row->help);
	}
}

static bool is_named(const struct option_row *row, const char *typed)
{
	if (typed[0] == '-' && typed[1] == '-')
		return !strcmp(row->name, typed + 2);
	return typed[0] == '-' && row->letter && typed[1] == row->letter && !typed[2];
}

static const struct option_row *find_option(const struct option_row *row, const char *typed)
{
	for (; row && row->name; row++)
		if (is_named(row, typed))
			return row;
	return NULL;
}

/* "always|never" word by word. */
static void alternatives(struct out *out, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, "|");

		out_mem(out, words, len);
		out_char(out, '\n');
		words += len + (words[len] == '|');
	}
}

static bool value_words(struct out *out, const struct command *command, const char *typed)
{
	const struct option_row *row = command ? find_option(command->options, typed) : NULL;

	if (!row)
		row = find_option(common_option_rows, typed);
	if (!row)
		return false;
	if (row->kind == OPTION_ACCEPTED)
		word(out, row->arg, NULL);
	else if (row->complete && !kind_words(out, row->complete))
		alternatives(out, row->complete);
	else if (!row->complete && row->kind != OPTION_FLAG && row->kind != OPTION_COUNT && row->kind != OPTION_OPTIONAL)
		word(out, "@value", NULL);
	return true;
}

/* What the word before in a filter asks for. */
static const struct {
	const char *after;
	void (*print)(struct out *out);
} filter_values[] = {
	{ "state", state_words },
	{ "exclude", state_words },
	{ "dev", interface_words },
};

/* What may stand where no option stands; the metavariable of the usage line tells. */
static bool operand_words(struct out *out, const struct command *command, const char *previous)
{
	if (!command)
		return false;
	if (!strcmp(command->operands, "[TOPIC]"))
		topic_words(out);
	if (strcmp(command->operands, "[FILTER]") != 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(filter_values); i++)
		if (!strcmp(filter_values[i].after, previous)) {
			filter_values[i].print(out);
			return true;
		}
	filter_words(out);
	return true;
}

static const struct command *command_named(const char *name, size_t len)
{
	for (size_t i = 0; i < command_count; i++)
		if (strlen(commands[i]->name) == len && !strncmp(commands[i]->name, name, len))
			return commands[i];
	return NULL;
}

bool complete_words(struct out *out, const char *kind)
{
	const char *colon = strchr(kind, ':'), *rest = colon ? colon + 1 : "", *end;
	const struct command *command;

	if (!colon)
		return kind_words(out, kind);
	end = strchr(rest, ':');
	command = command_named(rest, end ? (size_t)(end - rest) : strlen(rest));
	if (!strncmp(kind, "values:", 7))
		return end && value_words(out, command, end + 1);
	if (!strncmp(kind, "operands:", 9))
		return operand_words(out, command, end ? end + 1 : "");
	if (strncmp(kind, "options:", 8))
		return false;
	if (command)
		option_words(out, command->options);
	option_words(out, common_option_rows);
	return true;
}

int complete_print(const char *kind)
{
	struct out out;
	bool known;

	out_open_fd(&out, STDOUT_FILENO);
	known = complete_words(&out, kind);
	out_flush(&out);
	out_close(&out);
	return known ? EXIT_RAN : EXIT_USAGE;
}
