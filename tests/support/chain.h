/* SPDX-License-Identifier: MIT */
/* Client, router and server in network namespaces of their own: this process is the client, the others end with it.
 *
 *	10.71.1.2 fd71:1::2  tch-c  --  tch-rc  10.71.1.1 fd71:1::1  tch-rs  --  tch-s  10.71.2.2 fd71:2::2
 */
#ifndef TCPTRIAGE_TESTS_SUPPORT_CHAIN_H
#define TCPTRIAGE_TESTS_SUPPORT_CHAIN_H

#include "tcptriage/model/address.h"

/** enum chain_place - the three namespaces. */
enum chain_place { CHAIN_CLIENT, CHAIN_ROUTER, CHAIN_SERVER };

/** chain_skip() - why no namespaces can be made here, as tests/skips.txt knows it; NULL when they can. */
const char *chain_skip(void);
/** chain_up() - make all three; the calling process becomes the client. Fails the test when something does not work. */
void chain_up(void);
/** chain_run() - a shell command in one of them; it must succeed. */
void chain_run(enum chain_place place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** chain_enter() - the calling process, a child of the client, moves there for good. */
void chain_enter(enum chain_place place);
/** chain_server() - the server's address. */
struct addr chain_server(enum addr_family family);
/** chain_widen() - all links back to 1500 bytes, no filter, nothing remembered of any path. */
void chain_widen(void);
/** chain_narrow() - the router's egress towards @to takes @mtu bytes; when @silent it tells nobody. */
void chain_narrow(enum chain_place to, unsigned mtu, bool silent);

#endif
