/* SPDX-License-Identifier: MIT */
/* Look-ups of users, interfaces, hosts and services. */
#include "names.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tcptriage/model/socket.h"

const char *names_user(uint32_t uid)
{
	static char name[64];
	static uint32_t last;
	static bool known, found;
	const struct passwd *entry;

	if (known && last == uid)
		return found ? name : NULL;
	entry = getpwuid(uid);
	known = true;
	last = uid;
	found = entry && strlen(entry->pw_name) < sizeof(name);
	if (found)
		snprintf(name, sizeof(name), "%s", entry->pw_name);
	return found ? name : NULL;
}

const char *names_interface(uint32_t ifindex)
{
	static char name[IF_NAMESIZE];

	return if_indextoname(ifindex, name);
}

const char *names_host(const struct addr *addr)
{
	static char name[NI_MAXHOST];
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool is_v4 = addr->family == ADDR_V4;

	memcpy(&v4.sin_addr, addr->bytes, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, addr->bytes, sizeof(v6.sin6_addr));
	if (getnameinfo(is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
			is_v4 ? sizeof(v4) : sizeof(v6), name, sizeof(name), NULL, 0, NI_NAMEREQD))
		return NULL;
	return name;
}

const char *names_service(uint16_t port, unsigned netid)
{
	const struct servent *entry = getservbyport(htons(port), netid_name(netid));

	return entry ? entry->s_name : NULL;
}
