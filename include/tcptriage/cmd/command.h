/* SPDX-License-Identifier: MIT */
/* Subcommands and their options as tables: parsing, help, completions and the man pages' option lists come from the same rows. */
#ifndef TCPTRIAGE_CMD_COMMAND_H
#define TCPTRIAGE_CMD_COMMAND_H

#include "tcptriage/base/arena.h"
#include "tcptriage/base/err.h"

/** enum exit_status - of every command but report (INTERFACE.md). EXIT_DIES: packets, or the attempt to connect, are lost on the way; EXIT_REFUSED: the attempt is refused (probes only). */
enum exit_status { EXIT_RAN = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTIAL = 4, EXIT_DIES = 5, EXIT_REFUSED = 6, EXIT_SIGINT = 130 };

/** enum option_kind - what an option's value is and where it is stored. */
enum option_kind {
	OPTION_FLAG,	 /* bool = true */
	OPTION_COUNT,	 /* unsigned: how often it is given */
	OPTION_STRING,	 /* const char * */
	OPTION_U64,	 /* uint64_t, decimal */
	OPTION_DURATION, /* uint64_t µs */
	OPTION_FRACTION, /* struct option_fraction, 0…1 */
	OPTION_LIST,	 /* struct option_list: may be repeated */
	OPTION_OPTIONAL, /* const char *: value only with '='; "" without */
	OPTION_ACCEPTED, /* accepted with the one value named in @arg, without effect */
};

/** struct option_fraction - a number whose 0 is not the same as its absence. */
struct option_fraction {
	bool given;
	double value;
};

/** struct option_list - values of a repeatable option. */
struct option_list {
	const char *values[256];
	unsigned count;
};

/**
 * struct option_row - one option. A table ends with a row whose @name is NULL. A command's row stands before a common one of the same name.
 * @name: long form without dashes. @letter: 0 none. @arg: metavariable, NULL for flags. @help: one line. @offset: into the options struct.
 * @complete: what completions offer: "states", "rules", "interfaces", "namespaces", "files", "dirs", "columns", or words "a|b|c"; NULL nothing.
 */
struct option_row {
	const char *name;
	char letter;
	const char *arg, *help;
	enum option_kind kind;
	size_t offset;
	const char *complete;
};

/**
 * struct common_options - what every command takes (INTERFACE.md); the first member of each command's own options struct.
 */
struct common_options {
	bool json, ndjson, numeric, quiet, verbose, help, version, all_netns;
	const char *color, *netns;
};
/** common_option_rows - the options of struct common_options, for every command. */
extern const struct option_row common_option_rows[];

/**
 * struct command - one subcommand. @summary: one line. @operands: usage after the options ("[FILTER]"). @options: own rows.
 * @options_size: bytes of its options struct. @example: one line that a user would copy. @run: gets the parsed struct and the operands.
 */
struct command {
	const char *name, *summary, *operands, *example;
	const struct option_row *options;
	size_t options_size;
	int (*run)(void *options, int operand_count, char **operands);
};

/** commands - all subcommands in the order of the help; command_count their number. */
extern const struct command *const commands[];
extern const size_t command_count;
/** command_find() - by name, NULL when unknown. */
const struct command *command_find(const char *name);

/**
 * options_parse() - fill @values from argv (after the command's name); operands are moved to the front of @argv.
 * Options may stand before, between and after operands until "--". A filter's words that begin with '-' do not exist, so this is safe.
 * Return: number of operands, or -EINVAL with @err quoting the offending text and offering the nearest option.
 */
int options_parse(const struct command *command, void *values, int argc, char **argv, struct err *err);
/** command_help() - usage and options on @fd (1 for -h). */
void command_help(const struct command *command, int fd);
/** run_error() - prints "tcptriage COMMAND: TEXT" on stderr, escaped: names from outside stand in such a text. Return: EXIT_FAILED. */
int run_error(const struct command *command, const char *text);
/** usage_error() - prints "tcptriage COMMAND: TEXT" and the way to the help on stderr. Return: EXIT_USAGE. */
int usage_error(const struct command *command, const char *text);

#endif
