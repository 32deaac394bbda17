/* SPDX-License-Identifier: MIT */
/* HOST[:PORT]: what the user wrote, the addresses behind it, and which of them are no single host. */
#ifndef TCPTRIAGE_SRC_CMD_TARGET_H
#define TCPTRIAGE_SRC_CMD_TARGET_H

#include "tcptriage/base/arena.h"
#include "tcptriage/base/err.h"
#include "tcptriage/model/address.h"

/** Addresses of one name that are looked at; more are counted. */
#define TARGET_ADDRESSES_MAX 16

/**
 * struct target - @text: as it was written. @host: of it the name or address, without brackets, zone and port. @zone: interface behind '%', NULL none. @port: 0 none.
 * @literal: @host is the address @address, which needs no resolver. All text is from outside.
 */
struct target {
	const char *text, *host, *zone;
	struct addr address;
	uint16_t port;
	bool literal;
};

/** struct target_addresses - in the order in which connect() would be tried (RFC 6724, by the resolver). @more: others, for which there was no room. */
struct target_addresses {
	struct addr at[TARGET_ADDRESSES_MAX];
	unsigned count, more;
};

/** target_port() - "443", or a service's name ("https"). Return: 0, or -EINVAL with @err quoting it. */
int target_port(const char *text, uint16_t *port, struct err *err);
/**
 * target_parse() - "example.net", "example.net:443", "10.0.0.1", "2001:db8::1", "[2001:db8::1]:443", "fe80::1%eth0". Nothing is looked up but the port's name.
 * Return: 0, or -EINVAL with @err quoting the text and saying how it is written.
 */
int target_parse(struct target *target, struct arena *arena, const char *text, struct err *err);
/** target_take_port() - -p PORT beside what was written; @text NULL none. Return: 0, or -EINVAL with @err when it is none or contradicts. */
int target_take_port(struct target *target, const char *text, struct err *err);
/**
 * target_hidden_port() - an IPv6 address without brackets whose last group may have been meant as a port: "fd00::1:80". @host: the rest. Return: the port, 0 none.
 */
uint16_t target_hidden_port(const struct target *target, char host[static ADDR_TEXT_MAX]);
/**
 * target_resolve() - its addresses of @families (bit 0 IPv4, bit 1 IPv6), each once.
 * Return: 0; -EINVAL with @err when an address of another family was written; -ENOENT with @err when the name does not resolve.
 */
int target_resolve(const struct target *target, unsigned families, struct target_addresses *out, struct err *err);
/**
 * target_check() - is it one host? Asks the interfaces of the namespace that the caller is in.
 * Return: 0, or -EINVAL with @err: unspecified, multicast, broadcast, or the network address of a prefix that this host is connected to.
 */
int target_check(const struct addr *address, struct err *err);

#endif
