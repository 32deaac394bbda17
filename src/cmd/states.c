/* SPDX-License-Identifier: MIT */
/* `tcptriage states`: options, and which of its views was asked for. */
#include "states.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "tcptriage/base/num.h"

#define AT(member) offsetof(struct states_options, member)

static const struct option_row options[] = {
	{ "tcp", 't', NULL, "TCP sockets", OPTION_FLAG, AT(tcp), NULL },
	{ "udp", 'u', NULL, "UDP sockets", OPTION_FLAG, AT(udp), NULL },
	{ "all", 'a', NULL, "all states, listening ones too", OPTION_FLAG, AT(all), NULL },
	{ "listening", 'l', NULL, "listening sockets only", OPTION_FLAG, AT(listening), NULL },
	{ "bound-inactive", 'B', NULL, "bound, neither listening nor connected (Linux 6.8)",
	  OPTION_FLAG, AT(bound), NULL },
	{ "ipv4", '4', NULL, "IPv4 sockets only", OPTION_FLAG, AT(v4), NULL },
	{ "ipv6", '6', NULL, "IPv6 sockets only", OPTION_FLAG, AT(v6), NULL },
	{ "resolve", 'r', NULL, "names instead of numbers", OPTION_FLAG, AT(resolve), NULL },
	{ "options", 'o', NULL, "timers", OPTION_FLAG, AT(timers), NULL },
	{ "extended", 'e', NULL, "uid, inode, cookie, cgroup", OPTION_FLAG, AT(extended), NULL },
	{ "memory", 'm', NULL, "socket memory", OPTION_FLAG, AT(memory), NULL },
	{ "info", 'i', NULL, "tcp_info", OPTION_FLAG, AT(info), NULL },
	{ "processes", 'p', NULL, "owners: process, pid and descriptor", OPTION_FLAG, AT(processes),
	  NULL },
	{ "summary", 's', NULL, "the summary view (also what comes without a selection)", OPTION_FLAG,
	  AT(summary), NULL },
	{ "no-header", 'H', NULL, "no header line", OPTION_FLAG, AT(no_header), NULL },
	{ "oneline", 'O', NULL, "one line a socket", OPTION_FLAG, AT(one_line), NULL },
	{ "cgroup", 0, NULL, "cgroup path of each socket", OPTION_FLAG, AT(cgroup), NULL },
	{ "tos", 0, NULL, "type of service, traffic class, class id", OPTION_FLAG, AT(tos), NULL },
	{ "flags", 0, NULL, "ids of the rules that flag a socket", OPTION_FLAG, AT(flags), NULL },
	{ "sort", 0, "KEY", "largest first by this number (recvq, rtt, age, …)", OPTION_STRING,
	  AT(sort), "sort-keys" },
	{ "top", 0, "N", "the first N rows only", OPTION_U64, AT(top), NULL },
	{ "group-by", 0, "WHAT", "count by state, process, peer, peer-port, local-port or prefix/LEN",
	  OPTION_STRING, AT(group_by), "state|process|peer|peer-port|local-port|prefix/24" },
	{ "columns", 0, "LIST", "these columns, separated by commas", OPTION_STRING, AT(columns),
	  "columns" },
	{ "watch", 0, "SECS", "again every SECS seconds (2)", OPTION_OPTIONAL, AT(watch), NULL },
	REPLAY_OPTION_ROWS(struct states_options, replay),
	{ 0 },
};

/* INTERFACE: rows come with a selection, the summary without one. */
static bool wants_rows(const struct states_options *o, int operand_count)
{
	return !o->summary &&
	       (o->tcp || o->udp || o->all || o->listening || o->bound || o->v4 || o->v6 || o->sort ||
		o->top || o->columns || o->flags || o->timers || o->extended || o->memory || o->info ||
		o->processes || o->cgroup || o->tos || operand_count);
}

static int one_view(const struct states_options *o, int operand_count, char **operands)
{
	CLEANUP(session_close) struct session session = { 0 };
	CLEANUP(query_close) struct query query = { 0 };
	bool rows = wants_rows(o, operand_count) || o->group_by;
	struct session_wish wish = { .common = &o->common,
				     .replay = &o->replay,
				     .samples = 1,
				     .count_others = !rows };
	struct err err = { "" };
	int code = session_open(&session, &wish, &err);

	if (code == -EINVAL)
		return usage_error(&cmd_states, err.text);
	if (!code && !rows)
		return states_summary(&session, o);
	if (!code)
		code = query_open(&query, o, &session, operand_count, operands, &err);
	if (code == -EINVAL)
		return usage_error(&cmd_states, err.text);
	if (!code)
		return o->group_by ? states_groups(&query) : states_rows(&query);
	session_print_notices(&session, &o->common);
	return run_error(&cmd_states, err.text);
}

/* On a terminal each look begins on a clean screen and says when it was; in a pipe looks follow one another. */
static void watch_title(const struct states_options *o, uint64_t every_us)
{
	bool text = !o->common.json && !o->common.ndjson;
	struct out out;

	out_open_fd(&out, STDOUT_FILENO);
	if (isatty(STDOUT_FILENO))
		out_lit(&out, "\033[H\033[2J");
	if (text) {
		out_time_local(&out, clock_now().real_us);
		out_lit(&out, ", every ");
		out_duration(&out, every_us);
		out_lit(&out, "\n\n");
	}
	out_close(&out);
}

static int watch(const struct states_options *o, int operand_count, char **operands)
{
	uint64_t every_us = 2000000;
	int status = EXIT_RAN;

	if (*o->watch && (!num_duration_us(o->watch, &every_us) || every_us < 100000)) {
		struct err err;

		err_set(&err, -EINVAL, "'%s' is no duration of at least 100ms for --watch", o->watch);
		return usage_error(&cmd_states, err.text);
	}
	signals_catch();
	while (!interrupted && (status == EXIT_RAN || status == EXIT_PARTIAL)) {
		int64_t began = clock_mono_us();

		watch_title(o, every_us);
		status = one_view(o, operand_count, operands);
		if (!interrupted)
			clock_sleep_until(began + (int64_t)every_us);
	}
	return interrupted ? EXIT_SIGINT : status;
}

static int check(const struct states_options *o, int operand_count, char **operands, struct err *err)
{
	uint64_t unused;

	if (o->sort && !states_sort_known(o->sort)) {
		struct words_nearest search = { .word = o->sort };
		const char *word;

		for (size_t i = 0; (word = states_sort_word(i)); i++)
			words_offer(&search, word);
		return err_set(err, -EINVAL, "'%s' is no key for --sort%s", o->sort,
			       words_hint(&search).text);
	}
	if (o->group_by && !states_group_known(o->group_by)) {
		struct words_nearest search = { .word = o->group_by };
		const char *word;

		for (size_t i = 0; (word = states_group_word(i)); i++)
			words_offer(&search, word);
		return err_set(err, -EINVAL,
			       "'%s' is nothing to group by%s (state, process, peer, peer-port, local-port, prefix/LEN)",
			       o->group_by, words_hint(&search).text);
	}
	if (o->watch && !*o->watch && operand_count && num_duration_us(operands[0], &unused))
		return err_set(err, -EINVAL, "--watch takes its seconds with '=': --watch=%s", operands[0]);
	if (o->watch && (o->replay.record || o->replay.from))
		return err_set(err, -EINVAL, "--watch looks again and again: it does not go with --record or --from");
	return 0;
}

static int run(void *values, int operand_count, char **operands)
{
	const struct states_options *o = values;
	struct err err = { "" };

	if (check(o, operand_count, operands, &err))
		return usage_error(&cmd_states, err.text);
	return o->watch ? watch(o, operand_count, operands) : one_view(o, operand_count, operands);
}

const struct command cmd_states = {
	.name = "states",
	.summary = "sockets: the eleven states with counts and owners, or ss-like rows of a selection",
	.operands = "[FILTER]",
	.example = "tcptriage states -tanp state close-wait",
	.options = options,
	.options_size = sizeof(struct states_options),
	.run = run,
};
