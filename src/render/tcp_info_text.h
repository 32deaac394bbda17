/* SPDX-License-Identifier: MIT */
/* The tokens of -i for one socket. */
#ifndef TCPTRIAGE_RENDER_TCP_INFO_TEXT_H
#define TCPTRIAGE_RENDER_TCP_INFO_TEXT_H

#include "tcptriage/model/socket.h"

/** out_tcp_info() - tokens, each after a blank, as ss orders and spells them. @options: ts, sack, ecn … too, as ss does with -o and -e. */
void out_tcp_info(struct out *out, const struct sock *sock, bool options);
/** put_ms() - µs as milliseconds with six significant places and no trailing zeros; 16 bytes suffice. */
char *put_ms(char *at, uint64_t us);

#endif
