/* SPDX-License-Identifier: MIT */
/* Addresses between the model and the socket calls. */
#include "socket_address.h"

#include <string.h>

int socket_address_domain(enum addr_family family)
{
	return family == ADDR_V6 ? AF_INET6 : AF_INET;
}

socklen_t socket_address_bytes(enum addr_family family)
{
	return family == ADDR_V6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

union socket_address socket_address_of(const struct addr *address, uint16_t port, uint32_t scope)
{
	union socket_address out;

	memset(&out, 0, sizeof(out));
	if (address->family == ADDR_V6) {
		out.v6.sin6_family = AF_INET6;
		out.v6.sin6_port = htons(port);
		out.v6.sin6_scope_id = scope;
		memcpy(&out.v6.sin6_addr, address->bytes, sizeof(out.v6.sin6_addr));
	} else {
		out.v4.sin_family = AF_INET;
		out.v4.sin_port = htons(port);
		memcpy(&out.v4.sin_addr, address->bytes, sizeof(out.v4.sin_addr));
	}
	return out;
}

bool socket_address_read(const union socket_address *from, struct addr *address, uint16_t *port)
{
	bool is_v6 = from->any.sa_family == AF_INET6;

	memset(address, 0, sizeof(*address));
	if (!is_v6 && from->any.sa_family != AF_INET)
		return false;
	address->family = is_v6 ? ADDR_V6 : ADDR_V4;
	if (is_v6)
		memcpy(address->bytes, &from->v6.sin6_addr, sizeof(from->v6.sin6_addr));
	else
		memcpy(address->bytes, &from->v4.sin_addr, sizeof(from->v4.sin_addr));
	if (port)
		*port = ntohs(is_v6 ? from->v6.sin6_port : from->v4.sin_port);
	return true;
}
