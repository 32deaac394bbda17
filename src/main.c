/* SPDX-License-Identifier: MIT */
/* Finds the command, parses its options by table, and hands over; the exit status is the command's. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "tcptriage/base/out.h"
#include "tcptriage/base/words.h"
#include "tcptriage/capture/reader.h"
#include "tcptriage/capture/sandbox.h"
#include "tcptriage/cmd/command.h"
#include "tcptriage/cmd/complete.h"

static void print_usage(int fd)
{
	struct out out;

	out_open_fd(&out, fd);
	out_lit(&out, "tcptriage: says what is wrong with this machine's connections, who owns it and what to do\n\n"
		      "usage: tcptriage [COMMAND] [OPTIONS] [FILTER]\n\n"
		      "without a command: tcptriage report\n\n");
	for (size_t i = 0; i < command_count; i++) {
		out_printf(&out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
		out_printf(&out, "            %s\n", commands[i]->example);
	}
	out_lit(&out, "\ntcptriage COMMAND --help lists the options of a command; man tcptriage tells the rest\n");
	out_close(&out);
}

static int print_version(void)
{
	printf("tcptriage %s\nbuilt with: libmnl, libsmartcols, %s\ncapture: %s\nnot built in: history\n", VERSION,
	       reader_built_in(), sandbox_built_in());
	return fflush(stdout) ? EXIT_FAILED : EXIT_RAN;
}

static int unknown_command(const char *word)
{
	struct words_nearest search = { .word = word };
	struct out out;

	for (size_t i = 0; i < command_count; i++)
		words_offer(&search, commands[i]->name);
	out_open_mem(&out);
	out_lit(&out, "tcptriage: unknown command '");
	out_escaped(&out, word, strlen(word));
	out_char(&out, '\'');
	out_str(&out, words_hint(&search).text);
	out_lit(&out, "\ntry: tcptriage --help; a filter stands behind 'tcptriage report' or 'tcptriage states'\n");
	fputs(out_text(&out), stderr);
	out_close(&out);
	return EXIT_USAGE;
}

/* ss's letters behind the bare name: they belong to the command that shows rows. */
static void hint_states(int argc, char **argv)
{
	const struct command *states = command_find("states");
	struct common_options *options = xcalloc(1, states->options_size);

	if (options_parse(states, options, argc, argv, NULL) >= 0)
		fputs("for rows as ss shows them: tcptriage states with these options\n", stderr);
	free(options);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct common_options *options = xcalloc(1, command->options_size);
	struct err err = { "" };
	int operands = options_parse(command, options, argc, argv, &err), status;

	if (operands < 0) {
		usage_error(command, err.text);
		if (argc && argv[0][0] == '-' && argv[0][1] != '-')
			hint_states(argc, argv);
		/* 2 would read as "critical" to whatever calls a report */
		status = !strcmp(command->name, "report") ? 3 : EXIT_USAGE;
	} else if (options->help) {
		command_help(command, STDOUT_FILENO);
		status = EXIT_RAN;
	} else if (options->version) {
		status = print_version();
	} else {
		status = command->run(options, operands, argv);
	}
	free(options);
	return status;
}

/* A standard descriptor that is closed would be the first file or socket that is opened, and take what is meant for the terminal. What stands in
 * its place fails with EBADF, too: it can be read where it should be written and the other way round. */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

int main(int argc, char **argv)
{
	const struct command *command = command_find("report");

	keep_standard_descriptors();
	/* A reader that went away ends us silently. */
	signal(SIGPIPE, SIG_DFL);
	if (argc < 2)
		return run(command, 0, argv + 1);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(STDOUT_FILENO);
		return EXIT_RAN;
	}
	if (!strcmp(argv[1], "--version"))
		return print_version();
	if (!strcmp(argv[1], "--complete"))
		return argc > 2 ? complete_print(argv[2]) : EXIT_USAGE;
	if (argv[1][0] == '-')
		return run(command, argc - 1, argv + 1);
	command = command_find(argv[1]);
	return command ? run(command, argc - 2, argv + 2) : unknown_command(argv[1]);
}
