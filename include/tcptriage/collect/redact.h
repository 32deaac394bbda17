/* SPDX-License-Identifier: MIT */
/* Stable stand-ins for addresses and names, so that what was seen can be shown to others.
 *
 * Addresses: the same address always becomes the same stand-in, addresses of one /24 (IPv6: one /64) stay together, and the class stays
 * what it is (addr_class): private in its own block, global IPv4 in 240.0.0.0/4 and global IPv6 in 3fff::/20, which nobody owns. Any,
 * loopback, multicast, broadcast, the metadata address and the documentation ranges are kept. Ports and numbers of users, processes, sockets
 * and cgroups are kept. A stand-in is not a cipher: who knows some of the addresses can learn something of the rest. */
#ifndef TCPTRIAGE_COLLECT_REDACT_H
#define TCPTRIAGE_COLLECT_REDACT_H

#include "tcptriage/model/route.h"
#include "tcptriage/model/socket.h"

/** enum redact_kind - what a text is. */
enum redact_kind {
	REDACT_COMM,	  /* proc-1 */
	REDACT_CGROUP,	  /* /cgroup-1 */
	REDACT_UNIT,	  /* unit-1 */
	REDACT_CONTAINER, /* container-1 */
	REDACT_NETNS,	  /* netns-1 */
	REDACT_INTERFACE, /* if-1; lo is kept */
	REDACT_HOST,	  /* host-1 */
	REDACT_KIND_COUNT
};

struct redactor;
/** redactor_new() - empty. @seed: of the host parts of addresses; 0 takes random bytes from the kernel. */
struct redactor *redactor_new(uint64_t seed);
/** redactor_free() - releases it; NULL is fine. */
void redactor_free(struct redactor *redactor);
/** redact_addr() - replaces one address. */
void redact_addr(struct redactor *redactor, struct addr *addr);
/** redact_sock() - replaces both addresses of a socket. */
void redact_sock(struct redactor *redactor, struct sock *sock);
/** redact_undo_addr() - the address whose stand-in @addr is; an address that is no stand-in of this redactor stays. */
void redact_undo_addr(struct redactor *redactor, struct addr *addr);
/** redact_undo_sock() - likewise both addresses of a socket. */
void redact_undo_sock(struct redactor *redactor, struct sock *sock);
/** redact_route() - replaces the addresses and the device of a route. */
void redact_route(struct redactor *redactor, struct route *route);
/** redact_text() - the stand-in of @text; "" and "/" stay. Return: owned by @redactor. */
const char *redact_text(struct redactor *redactor, enum redact_kind kind, const char *text);
/**
 * redact_message() - replaces, in place, the addresses in the payload of one sock_diag answer, and clears every attribute that is not known to
 * hold numbers and names of algorithms only. @redactor: NULL clears keys (INET_DIAG_MD5SIG) only. A payload that is cut is cleared.
 */
void redact_message(struct redactor *redactor, uint8_t *payload, size_t len);

#endif
