/* SPDX-License-Identifier: MIT */
/* The command that lends this program what root has. */
#ifndef TCPTRIAGE_BASE_SETCAP_H
#define TCPTRIAGE_BASE_SETCAP_H

#include <stddef.h>

/** Room for the command with a path of 120 bytes, which is as much of it as is written. */
#define SETCAP_LINE_MAX 256

/** setcap_line() - the exact command. setcap replaces what stood before, so it names all that this program can use. @out: filled, ends in NUL. */
void setcap_line(char out[static SETCAP_LINE_MAX]);
/** setcap_raw_line() - the command for CAP_NET_RAW alone; when the program was lent capabilities before, that of setcap_line(), which does not take them away. */
void setcap_raw_line(char out[static SETCAP_LINE_MAX]);

#endif
