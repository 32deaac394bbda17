/* SPDX-License-Identifier: MIT */
/* The commands, one a file. */
#ifndef TCPTRIAGE_SRC_CMD_COMMANDS_H
#define TCPTRIAGE_SRC_CMD_COMMANDS_H

#include "tcptriage/cmd/command.h"

extern const struct command cmd_states, cmd_report, cmd_capture, cmd_mtu_probe, cmd_trace, cmd_explain, cmd_doctor;

#endif
