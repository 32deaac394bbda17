/* SPDX-License-Identifier: MIT */
/* Internet addresses and endpoints: plain data, order, text, and what kind of address it is. */
#ifndef TCPTRIAGE_MODEL_ADDRESS_H
#define TCPTRIAGE_MODEL_ADDRESS_H

#include "tcptriage/base/out.h"

/** enum addr_family - the two families; the value is an index, not AF_*. */
enum addr_family { ADDR_V4, ADDR_V6, ADDR_FAMILY_COUNT };

/**
 * struct addr - one address as the bytes in which it is written (most significant first); IPv4 uses the first four, the rest is 0.
 * @family: enum addr_family. A v4-mapped IPv6 address of a socket becomes ADDR_V4 in decode/; a packet's has the family of its header.
 */
struct addr {
	uint8_t bytes[16];
	uint8_t family;
};

/** struct endpoint - address and port (host order; 0 prints as '*'). */
struct endpoint {
	struct addr addr;
	uint16_t port;
};

/** addr_ip_header() - bytes of an IP header of @family without options or extensions (RFC 791 §3.1, RFC 8200 §3). */
static inline uint32_t addr_ip_header(unsigned family)
{
	return family == ADDR_V6 ? 40 : 20;
}

/** addr_tcp_headers() - the same with a TCP header without options: what a packet has beside its MSS (RFC 9293 §3.7.1). */
static inline uint32_t addr_tcp_headers(unsigned family)
{
	return addr_ip_header(family) + 20;
}

/** Bytes that timestamps take of every segment, with their padding (RFC 7323 §3.2): an MSS includes them, tcp_info's do not. */
#define TCP_TIMESTAMP_BYTES 12u

/** addr_v4() - an IPv4 address from its value in host order. */
struct addr addr_v4(uint32_t host_order);
/** addr_parse() - text ("10.0.0.1", "fe80::1", "[::1]") to address. Return: false when it is neither. */
bool addr_parse(const char *text, struct addr *out);
/** addr_equal() - same family and bytes. */
bool addr_equal(const struct addr *a, const struct addr *b);
/** addr_compare() - total order: IPv4 before IPv6, then by bytes. Return: <0, 0, >0. */
int addr_compare(const struct addr *a, const struct addr *b);
/** addr_hash() - for hash tables. */
uint64_t addr_hash(const struct addr *addr);
/** addr_is_any() - 0.0.0.0 or ::. */
bool addr_is_any(const struct addr *addr);
/** addr_is_loopback() - 127/8 or ::1. */
bool addr_is_loopback(const struct addr *addr);
/** addr_in_prefix() - @addr shares its first @bits with @prefix (same family only). */
bool addr_in_prefix(const struct addr *addr, const struct addr *prefix, unsigned bits);
/** addr_mask() - keeps the first @bits, zeroes the rest. */
struct addr addr_mask(const struct addr *addr, unsigned bits);
/** addr_prefix() - the network by which remotes are grouped: /24 for IPv4, /64 for IPv6 (RULES §6). */
struct addr addr_prefix(const struct addr *addr);

/** enum addr_class - what an address says about where it can be reached from (RULES §7.3). */
enum addr_class {
	ADDR_CLASS_GLOBAL,
	ADDR_CLASS_ANY,
	ADDR_CLASS_LOOPBACK,
	ADDR_CLASS_RFC1918,
	ADDR_CLASS_CGNAT,
	ADDR_CLASS_LINK_LOCAL,
	ADDR_CLASS_METADATA,
	ADDR_CLASS_BENCHMARK,
	ADDR_CLASS_DOCUMENTATION,
	ADDR_CLASS_MULTICAST,
	ADDR_CLASS_ULA,
	ADDR_CLASS_NAT64,
	ADDR_CLASS_DOCKER,
	ADDR_CLASS_COUNT
};
/** addr_class() - the most telling class of @addr. */
enum addr_class addr_class(const struct addr *addr);
/** addr_class_name() - "RFC 1918", "CGNAT (RFC 6598)", …; "" for global. */
const char *addr_class_name(enum addr_class class);
/** addr_needs_zone() - fe80::/10: means a host only together with an interface (RFC 4007 §6). */
bool addr_needs_zone(const struct addr *addr);
/** addr_is_global() - a global unicast address: reachable from, and exposed to, the Internet. */
bool addr_is_global(const struct addr *addr);

/** Longest text of an address, without NUL. */
#define ADDR_TEXT_MAX 46
/** addr_text() - writes the address in RFC 5952 text at @at (ADDR_TEXT_MAX bytes suffice), no NUL. Return: one past the last byte. */
char *addr_text(char *at, const struct addr *addr);
/** out_addr() - the address in RFC 5952 text, without brackets. */
void out_addr(struct out *out, const struct addr *addr);
/** out_endpoint() - "10.0.0.1:80" or "[2001:db8::1]:80"; port 0 is '*'. */
void out_endpoint(struct out *out, const struct endpoint *endpoint);
/** out_zoned() - an endpoint as it is given to a command, "[fe80::1%eth0]:80"; without a port the address alone, "fe80::1%eth0" (RFC 4007 §11). @zone: text from outside, is escaped; NULL none. */
void out_zoned(struct out *out, const struct endpoint *endpoint, const char *zone);
/** endpoint_equal() - same address and port. */
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

#endif
