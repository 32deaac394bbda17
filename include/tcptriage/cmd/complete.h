/* SPDX-License-Identifier: MIT */
/* Words for shell completion, taken from the tables that the program itself works with, so that they cannot drift. */
#ifndef TCPTRIAGE_CMD_COMPLETE_H
#define TCPTRIAGE_CMD_COMPLETE_H

#include "tcptriage/base/out.h"

/**
 * complete_words() - candidates of one kind, one a line; a tab and a description may follow the word.
 * @kind: "commands", "options:COMMAND"; "values:COMMAND:OPTION" (as typed: --name or -x; "@files" and "@dirs" stand for paths, "@value"
 * for anything, a flag prints nothing); "operands:COMMAND:PREVIOUS" (the word before, may be empty); "states", "rules", "columns",
 * "sort-keys", "filter-words", "topics", "namespaces", "interfaces", "formats".
 * Return: false for an unknown kind.
 */
bool complete_words(struct out *out, const char *kind);
/** complete_print() - complete_words() on stdout. Return: EXIT_RAN, or EXIT_USAGE for an unknown kind. */
int complete_print(const char *kind);

#endif
