/* SPDX-License-Identifier: MIT */
/* From HOST[:PORT] to addresses that may be probed. */
#include "target.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tcptriage/base/num.h"
#include "tcptriage/filter/filter.h"

int target_port(const char *text, uint16_t *port, struct err *err)
{
	uint64_t number;

	if (num_u64(text, UINT16_MAX, &number) && number) {
		*port = (uint16_t)number;
		return 0;
	}
	if (*text && filter_world_live.service(text, port))
		return 0;
	return err_set(err, -EINVAL, "'%s' is no port: a number from 1 to 65535, or the name of a service", text);
}

/* What people paste, and what they meant. */
static int refuse_shape(const char *text, struct err *err)
{
	const char *scheme = strstr(text, "://");

	if (!*text)
		return err_set(err, -EINVAL, "'' is no host");
	if (scheme)
		return err_set(err, -EINVAL, "'%s' is a URL: only its host is asked for, '%.*s'", text, (int)strcspn(scheme + 3, "/?#"), scheme + 3);
	if (strchr(text, '/'))
		return err_set(err, -EINVAL, "'%s' is no host: one host is probed, never a network", text);
	return 0;
}

/* Cuts @text into host and port (NULL none) in place. @is_v6: nothing but an IPv6 address can stand there. */
static int cut(char *text, const char **host, const char **port, bool *is_v6, struct err *err)
{
	char *colon = strchr(text, ':'), *close;

	*port = NULL;
	*host = text;
	*is_v6 = *text == '[';
	if (*is_v6) {
		close = strchr(text, ']');
		if (!close || (close[1] && close[1] != ':'))
			return err_set(err, -EINVAL, "'%s' is no target: an IPv6 address with a port is written [ADDRESS]:PORT", text);
		*host = text + 1;
		*close = '\0';
		colon = close[1] ? close + 1 : NULL;
	} else if (colon && strchr(colon + 1, ':')) {
		*is_v6 = true;
		return 0;
	}
	if (colon) {
		*colon = '\0';
		*port = colon + 1;
	}
	return 0;
}

/* fe80::1%eth0: the interface is looked up later, in the namespace that is asked for. */
static void cut_zone(struct target *target, char *host)
{
	char *percent = strchr(host, '%');

	if (!percent)
		return;
	*percent = '\0';
	if (addr_parse(host, &target->address) && target->address.family == ADDR_V6 && percent[1])
		target->zone = percent + 1;
	else
		*percent = '%';
}

int target_parse(struct target *target, struct arena *arena, const char *text, struct err *err)
{
	char *copy = arena_strdup(arena, text);
	const char *port;
	bool is_v6;
	int code = refuse_shape(text, err);

	*target = (struct target){ .text = text };
	if (!code)
		code = cut(copy, &target->host, &port, &is_v6, err);
	if (code)
		return code;
	cut_zone(target, copy + (target->host - copy));
	target->literal = addr_parse(target->host, &target->address);
	if (is_v6 && (!target->literal || target->address.family != ADDR_V6))
		return err_set(err, -EINVAL, "'%s' is no IPv6 address, nor HOST:PORT; with a port it is written [ADDRESS]:PORT", target->host);
	if (!*target->host)
		return err_set(err, -EINVAL, "'%s' names no host", text);
	return port ? target_port(port, &target->port, err) : 0;
}

int target_take_port(struct target *target, const char *text, struct err *err)
{
	uint16_t port = 0;
	int code = text ? target_port(text, &port, err) : 0;

	if (code)
		return code;
	if (port && target->port && port != target->port)
		return err_set(err, -EINVAL, "-p %s and '%s' name different ports", text, target->text);
	if (port)
		target->port = port;
	return 0;
}

uint16_t target_hidden_port(const struct target *target, char host[static ADDR_TEXT_MAX])
{
	const char *last = strrchr(target->host, ':');
	size_t len = last ? (size_t)(last - target->host) : 0;
	struct addr address;
	uint64_t port;

	if (target->port || *target->text == '[' || target->zone || !target->literal || target->address.family != ADDR_V6 || len >= ADDR_TEXT_MAX)
		return 0;
	memcpy(host, target->host, len);
	host[len] = '\0';
	return num_u64(last + 1, UINT16_MAX, &port) && addr_parse(host, &address) ? (uint16_t)port : 0;
}

/* Packets to a v4-mapped address are IPv4. */
static struct addr unmapped(const struct addr *address)
{
	static const struct addr mapped = { .bytes = { [10] = 0xff, [11] = 0xff }, .family = ADDR_V6 };
	struct addr v4 = { .family = ADDR_V4 };

	if (!addr_in_prefix(address, &mapped, 96))
		return *address;
	memcpy(v4.bytes, address->bytes + 12, 4);
	return v4;
}

static void keep(struct target_addresses *out, const struct addr *found, unsigned families)
{
	struct addr address = unmapped(found);

	if (!(families >> address.family & 1))
		return;
	for (unsigned i = 0; i < out->count; i++) {
		if (addr_equal(&out->at[i], &address))
			return;
	}
	if (out->count < TARGET_ADDRESSES_MAX)
		out->at[out->count++] = address;
	else
		out->more++;
}

static void keep_info(struct target_addresses *out, const struct addrinfo *info, unsigned families)
{
	struct addr address = { .family = info->ai_family == AF_INET6 ? ADDR_V6 : ADDR_V4 };

	if (info->ai_family == AF_INET)
		memcpy(address.bytes, &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr, 4);
	else if (info->ai_family == AF_INET6)
		memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr, 16);
	else
		return;
	keep(out, &address, families);
}

static const char *const family_names[] = { [ADDR_V4] = "IPv4", [ADDR_V6] = "IPv6" };

static int unresolved(const struct target *target, unsigned families, int code, struct err *err)
{
	const char *kind = families == 1u << ADDR_V4 ? "IPv4 " : families == 1u << ADDR_V6 ? "IPv6 " : "";
	const char *reason = code == EAI_SYSTEM ? strerror(errno) : code ? gai_strerror(code) : "it has none";

	return err_set(err, -ENOENT, "'%s' does not resolve to an %saddress: %s; see what the resolver says: getent ahosts '%s'", target->host, kind, reason,
		       target->host);
}

int target_resolve(const struct target *target, unsigned families, struct target_addresses *out, struct err *err)
{
	const struct addrinfo hints = { .ai_family = families == 1u << ADDR_V4 ? AF_INET : families == 1u << ADDR_V6 ? AF_INET6 : AF_UNSPEC,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int code;

	*out = (struct target_addresses){ .count = 0 };
	if (target->literal) {
		keep(out, &target->address, families);
		return out->count ? 0 : err_set(err, -EINVAL, "'%s' is an %s address, and -%c asks for the other family", target->host,
						 family_names[target->address.family], target->address.family == ADDR_V4 ? '6' : '4');
	}
	code = getaddrinfo(target->host, NULL, &hints, &list);
	if (code)
		return unresolved(target, families, code, err);
	for (const struct addrinfo *info = list; info; info = info->ai_next)
		keep_info(out, info, families);
	freeaddrinfo(list);
	return out->count ? 0 : unresolved(target, families, 0, err);
}

static uint32_t v4_value(const struct sockaddr *sa)
{
	return sa ? ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) : 0;
}

/* The first and the last address of a prefix that holds more than two are no host, unless they were given to one. */
static int check_prefix(const struct ifaddrs *entry, uint32_t value, const char *text, struct err *err)
{
	uint32_t mask = v4_value(entry->ifa_netmask), own = v4_value(entry->ifa_addr);
	int bits = __builtin_popcount(mask);

	if (bits > 30 || (entry->ifa_flags & IFF_POINTOPOINT) || (own & mask) != (value & mask) || own == value)
		return 0;
	if (value == (own | ~mask))
		return err_set(err, -EINVAL, "%s is the broadcast address of the /%d on %s: one host is probed, never all of a network", text, bits, entry->ifa_name);
	if (value == (own & mask))
		return err_set(err, -EINVAL, "%s is the network address of the /%d on %s: one host is probed, never a network", text, bits, entry->ifa_name);
	return 0;
}

static int check_interfaces(const struct addr *address, const char *text, struct err *err)
{
	uint32_t value = (uint32_t)address->bytes[0] << 24 | (uint32_t)address->bytes[1] << 16 | (uint32_t)address->bytes[2] << 8 | address->bytes[3];
	struct ifaddrs *list = NULL;
	int code = 0;

	if (value == UINT32_MAX)
		return err_set(err, -EINVAL, "%s is every host of a network: one is probed, never all", text);
	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *entry = list; entry && !code; entry = entry->ifa_next) {
		if (entry->ifa_addr && entry->ifa_addr->sa_family == AF_INET)
			code = check_prefix(entry, value, text, err);
	}
	freeifaddrs(list);
	return code;
}

int target_check(const struct addr *address, struct err *err)
{
	char text[ADDR_TEXT_MAX + 1];

	*addr_text(text, address) = '\0';
	if (addr_is_any(address))
		return err_set(err, -EINVAL, "%s is no host: it means any address", text);
	if (addr_class(address) == ADDR_CLASS_MULTICAST)
		return err_set(err, -EINVAL, "%s is a multicast group: one host is probed", text);
	return address->family == ADDR_V4 ? check_interfaces(address, text, err) : 0;
}
