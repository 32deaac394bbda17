/* SPDX-License-Identifier: MIT */
/* Addresses between the model and the socket calls. */
#ifndef PROBE_SOCKET_ADDRESS_H
#define PROBE_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "tcptriage/model/address.h"

/** union socket_address - one of either family, as the socket calls want it. */
union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/** socket_address_domain() - AF_INET or AF_INET6. */
int socket_address_domain(enum addr_family family);
/** socket_address_bytes() - what a call wants as its length. */
socklen_t socket_address_bytes(enum addr_family family);
/** socket_address_of() - @address with @port, both 0 for any; @scope: interface index of a link-local one. */
union socket_address socket_address_of(const struct addr *address, uint16_t port, uint32_t scope);
/** socket_address_read() - back to the model. Return: false when it is of neither family. @port may be NULL. */
bool socket_address_read(const union socket_address *from, struct addr *address, uint16_t *port);

#endif
