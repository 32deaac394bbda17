/* SPDX-License-Identifier: MIT */
/* Client, one router or two, and server in network namespaces of their own: this process is the client, the others end with it.
 *
 * Link k, counted from the client, is 10.71.k.0/24 and fd71:k::/64: its end nearer to the client is .1 and ::1, device tchka, the other one .2 and ::2, device tchkb.
 */
#ifndef TCPTRIAGE_TESTS_SUPPORT_CHAIN_H
#define TCPTRIAGE_TESTS_SUPPORT_CHAIN_H

#include "tcptriage/model/address.h"

/** enum chain_place - the namespaces. */
enum chain_place { CHAIN_CLIENT, CHAIN_ROUTER, CHAIN_ROUTER_2, CHAIN_SERVER, CHAIN_PLACE_COUNT };

/** chain_skip() - why no namespaces can be made here, as tests/skips.txt knows it; NULL when they can, and then this process is in a new one. */
const char *chain_skip(void);
/** chain_up() - make all of them, with @routers (1 or 2) in between; the calling process is the client. Fails the test when something does not work. */
void chain_up(unsigned routers);
/** chain_run() - a shell command in one of them; it must succeed. */
void chain_run(enum chain_place place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** chain_enter() - the calling process, a child of the client, moves there for good. */
void chain_enter(enum chain_place place);
/** chain_server() - the server's address. */
struct addr chain_server(enum addr_family family);
/** chain_widen() - all links back to 1500 bytes, no filter, nothing remembered of any path. */
void chain_widen(void);
/** chain_narrow() - the first router's egress towards @to takes @mtu bytes; when @silent it tells nobody. */
void chain_narrow(enum chain_place to, unsigned mtu, bool silent);

#endif
