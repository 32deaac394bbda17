/* SPDX-License-Identifier: MIT */
/* Addresses: parsing, order, classes (a table of prefixes) and text. */
#include "tcptriage/model/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <string.h>

struct addr addr_v4(uint32_t host_order)
{
	return (struct addr){ .bytes = { (uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
					 (uint8_t)(host_order >> 8), (uint8_t)host_order },
			      .family = ADDR_V4 };
}

bool addr_parse(const char *text, struct addr *out)
{
	char bare[64];
	size_t len = strlen(text);

	*out = (struct addr){ .family = ADDR_V4 };
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		return true;
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']' && len - 2 < sizeof(bare)) {
		memcpy(bare, text + 1, len - 2);
		bare[len - 2] = '\0';
		text = bare;
	}
	out->family = ADDR_V6;
	return inet_pton(AF_INET6, text, out->bytes) == 1;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Eight bytes as a number that has their order. */
static uint64_t ordered(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return be64toh(word);
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	uint64_t high_a = ordered(a->bytes), high_b = ordered(b->bytes), low_a = ordered(a->bytes + 8), low_b = ordered(b->bytes + 8);

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (high_a != high_b)
		return high_a < high_b ? -1 : 1;
	return (low_a > low_b) - (low_a < low_b);
}

uint64_t addr_hash(const struct addr *addr)
{
	uint64_t words[2];

	memcpy(words, addr->bytes, sizeof(words));
	return addr->family == ADDR_V4 ? hash_u64(words[0] + 1) : hash_mix(words[0], words[1]);
}

bool addr_in_prefix(const struct addr *addr, const struct addr *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (addr->family != prefix->family || bits > (addr->family == ADDR_V4 ? 32 : 128))
		return false;
	if (memcmp(addr->bytes, prefix->bytes, whole))
		return false;
	return !rest || !((addr->bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest));
}

struct addr addr_mask(const struct addr *addr, unsigned bits)
{
	struct addr masked = { .family = addr->family };
	unsigned max = addr->family == ADDR_V4 ? 32 : 128, whole;

	bits = MIN(bits, max);
	whole = bits / 8;
	memcpy(masked.bytes, addr->bytes, whole);
	if (bits % 8)
		masked.bytes[whole] = addr->bytes[whole] & (uint8_t)(0xff00 >> bits % 8);
	return masked;
}

struct addr addr_prefix(const struct addr *addr)
{
	return addr_mask(addr, addr->family == ADDR_V4 ? 24 : 64);
}

/* First match wins, so the narrower prefix stands before the wider one. */
static const struct class_row {
	struct addr prefix;
	uint8_t bits, class;
} class_rows[] = {
	{ { { 0 }, ADDR_V4 }, 32, ADDR_CLASS_ANY },
	{ { { 127 }, ADDR_V4 }, 8, ADDR_CLASS_LOOPBACK },
	{ { { 172, 17 }, ADDR_V4 }, 16, ADDR_CLASS_DOCKER },
	{ { { 10 }, ADDR_V4 }, 8, ADDR_CLASS_RFC1918 },
	{ { { 172, 16 }, ADDR_V4 }, 12, ADDR_CLASS_RFC1918 },
	{ { { 192, 168 }, ADDR_V4 }, 16, ADDR_CLASS_RFC1918 },
	{ { { 100, 64 }, ADDR_V4 }, 10, ADDR_CLASS_CGNAT },
	{ { { 169, 254, 169, 254 }, ADDR_V4 }, 32, ADDR_CLASS_METADATA },
	{ { { 169, 254 }, ADDR_V4 }, 16, ADDR_CLASS_LINK_LOCAL },
	{ { { 198, 18 }, ADDR_V4 }, 15, ADDR_CLASS_BENCHMARK },
	{ { { 192, 0, 2 }, ADDR_V4 }, 24, ADDR_CLASS_DOCUMENTATION },
	{ { { 198, 51, 100 }, ADDR_V4 }, 24, ADDR_CLASS_DOCUMENTATION },
	{ { { 203, 0, 113 }, ADDR_V4 }, 24, ADDR_CLASS_DOCUMENTATION },
	{ { { 224 }, ADDR_V4 }, 4, ADDR_CLASS_MULTICAST },
	{ { { 0 }, ADDR_V6 }, 128, ADDR_CLASS_ANY },
	{ { { [15] = 1 }, ADDR_V6 }, 128, ADDR_CLASS_LOOPBACK },
	{ { { 0xfc }, ADDR_V6 }, 7, ADDR_CLASS_ULA },
	{ { { 0xfe, 0x80 }, ADDR_V6 }, 10, ADDR_CLASS_LINK_LOCAL },
	{ { { 0, 0x64, 0xff, 0x9b }, ADDR_V6 }, 96, ADDR_CLASS_NAT64 },
	{ { { 0x20, 0x01, 0x0d, 0xb8 }, ADDR_V6 }, 32, ADDR_CLASS_DOCUMENTATION },
	{ { { 0xff }, ADDR_V6 }, 8, ADDR_CLASS_MULTICAST },
};

static const char *const class_names[] = {
	[ADDR_CLASS_GLOBAL] = "",
	[ADDR_CLASS_ANY] = "any address",
	[ADDR_CLASS_LOOPBACK] = "loopback",
	[ADDR_CLASS_RFC1918] = "private, RFC 1918",
	[ADDR_CLASS_CGNAT] = "CGNAT, RFC 6598",
	[ADDR_CLASS_LINK_LOCAL] = "link-local",
	[ADDR_CLASS_METADATA] = "cloud metadata service",
	[ADDR_CLASS_BENCHMARK] = "benchmark range, RFC 2544",
	[ADDR_CLASS_DOCUMENTATION] = "documentation range",
	[ADDR_CLASS_MULTICAST] = "multicast",
	[ADDR_CLASS_ULA] = "unique local, RFC 4193",
	[ADDR_CLASS_NAT64] = "NAT64, RFC 6052",
	[ADDR_CLASS_DOCKER] = "Docker's default bridge range",
};
static_assert(ARRAY_SIZE(class_names) == ADDR_CLASS_COUNT, "a name for every class");

enum addr_class addr_class(const struct addr *addr)
{
	for (size_t i = 0; i < ARRAY_SIZE(class_rows); i++)
		if (addr_in_prefix(addr, &class_rows[i].prefix, class_rows[i].bits))
			return class_rows[i].class;
	return ADDR_CLASS_GLOBAL;
}

const char *addr_class_name(enum addr_class class)
{
	return class_names[class];
}

bool addr_is_any(const struct addr *addr)
{
	static const uint8_t zero[16];

	return !memcmp(addr->bytes, zero, sizeof(zero));
}

bool addr_is_loopback(const struct addr *addr)
{
	return addr_class(addr) == ADDR_CLASS_LOOPBACK;
}

bool addr_needs_zone(const struct addr *addr)
{
	return addr->family == ADDR_V6 && addr_class(addr) == ADDR_CLASS_LINK_LOCAL;
}

bool addr_is_global(const struct addr *addr)
{
	return addr_class(addr) == ADDR_CLASS_GLOBAL;
}

static char *put_octet(char *at, unsigned value)
{
	if (value >= 100) {
		*at++ = (char)('0' + value / 100);
		value %= 100;
		*at++ = (char)('0' + value / 10);
	} else if (value >= 10) {
		*at++ = (char)('0' + value / 10);
	}
	*at++ = (char)('0' + value % 10);
	return at;
}

static char *put_v4(char *at, const uint8_t bytes[4])
{
	for (unsigned i = 0; i < 3; i++) {
		at = put_octet(at, bytes[i]);
		*at++ = '.';
	}
	return put_octet(at, bytes[3]);
}

static char *put_group(char *at, unsigned value)
{
	for (unsigned shift = value > 0xfff ? 12 : value > 0xff ? 8 : value > 0xf ? 4 : 0;; shift -= 4) {
		*at++ = "0123456789abcdef"[value >> shift & 15];
		if (!shift)
			return at;
	}
}

/* The longest run of at least two zero groups, the first among equals (RFC 5952 §4.2). */
static unsigned zero_run(const uint16_t group[8], unsigned *length)
{
	unsigned best = 8, run = 0;

	*length = 1;
	for (unsigned i = 0; i < 8; i++) {
		run = group[i] ? 0 : run + 1;
		if (run > *length) {
			*length = run;
			best = i + 1 - run;
		}
	}
	return best;
}

static char *put_v6(char *at, const uint8_t bytes[16])
{
	uint16_t group[8];
	unsigned start, length, i = 0;

	for (unsigned g = 0; g < 8; g++)
		group[g] = (uint16_t)(bytes[2 * g] << 8 | bytes[2 * g + 1]);
	start = zero_run(group, &length);
	while (i < 8) {
		if (i == start) {
			*at++ = ':';
			*at++ = ':';
			i += length;
			continue;
		}
		if (i && i != start + length)
			*at++ = ':';
		if (i == 6 && start == 0 && (length == 6 || (length == 5 && group[5] == 0xffff)))
			return put_v4(at, bytes + 12); /* ::a.b.c.d and ::ffff:a.b.c.d */
		at = put_group(at, group[i++]);
	}
	return at;
}

char *addr_text(char *at, const struct addr *addr)
{
	return addr->family == ADDR_V4 ? put_v4(at, addr->bytes) : put_v6(at, addr->bytes);
}

void out_addr(struct out *out, const struct addr *addr)
{
	out->at = addr_text(out_need(out, ADDR_TEXT_MAX), addr);
}

void out_endpoint(struct out *out, const struct endpoint *endpoint)
{
	if (endpoint->addr.family == ADDR_V6) {
		out_char(out, '[');
		out_addr(out, &endpoint->addr);
		out_char(out, ']');
	} else {
		out_addr(out, &endpoint->addr);
	}
	out_char(out, ':');
	if (endpoint->port)
		out_u64(out, endpoint->port);
	else
		out_char(out, '*');
}

void out_zoned(struct out *out, const struct endpoint *endpoint, const char *zone)
{
	bool brackets = endpoint->port && endpoint->addr.family == ADDR_V6;

	if (brackets)
		out_char(out, '[');
	out_addr(out, &endpoint->addr);
	if (zone) {
		out_char(out, '%');
		out_escaped(out, zone, strlen(zone));
	}
	if (brackets)
		out_char(out, ']');
	if (endpoint->port)
		out_printf(out, ":%u", endpoint->port);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}
