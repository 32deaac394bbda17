/* SPDX-License-Identifier: MIT */
/* The list of subcommands. */
#include "commands.h"

#include <string.h>

const struct command *const commands[] = {
	&cmd_states,
	&cmd_report,
	&cmd_capture,
	&cmd_mtu_probe,
	&cmd_trace,
	&cmd_explain,
	&cmd_doctor,
};
const size_t command_count = ARRAY_SIZE(commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}
