/* SPDX-License-Identifier: MIT */
/* Stand-ins: prefixes are numbered in order of first sight inside the block that keeps their class, host parts go through a keyed
 * bijection, names are numbered a kind. Everything can be undone by who holds the redactor, because the kernel is asked by true tuples. */
#include "tcptriage/collect/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tcptriage/base/arena.h"
#include "tcptriage/decode/cursor.h"

/* Addresses that say nothing about anyone. */
static const struct kept_row {
	struct addr prefix;
	uint8_t bits;
} kept_rows[] = {
	{ { { 0 }, ADDR_V4 }, 32 },
	{ { { 127 }, ADDR_V4 }, 8 },
	{ { { 169, 254, 169, 254 }, ADDR_V4 }, 32 },
	{ { { 192, 0, 2 }, ADDR_V4 }, 24 },
	{ { { 198, 51, 100 }, ADDR_V4 }, 24 },
	{ { { 203, 0, 113 }, ADDR_V4 }, 24 },
	{ { { 224 }, ADDR_V4 }, 4 },
	{ { { 255, 255, 255, 255 }, ADDR_V4 }, 32 },
	{ { { 0 }, ADDR_V6 }, 128 },
	{ { { [15] = 1 }, ADDR_V6 }, 128 },
	{ { { 0x20, 0x01, 0x0d, 0xb8 }, ADDR_V6 }, 32 },
	{ { { 0xff }, ADDR_V6 }, 8 },
};

/* NAT64: the last four bytes are an IPv4 address. */
static const struct addr nat64_prefix = { { 0, 0x64, 0xff, 0x9b }, ADDR_V6 };
#define NAT64_BITS 96

/**
 * struct block_row - addresses below @from become stand-ins below @to. First match wins; the last row of a family takes the rest.
 * @hole, @hole_len: numbers of prefixes inside @to that belong to another class and are left out. @room: prefixes in it.
 */
static const struct block_row {
	struct addr from, to;
	uint8_t bits;
	uint32_t hole, hole_len, room;
} block_rows[] = {
	{ { { 172, 17 }, ADDR_V4 }, { { 172, 17 }, ADDR_V4 }, 16, 0, 0, 256 },
	{ { { 10 }, ADDR_V4 }, { { 10 }, ADDR_V4 }, 8, 0, 0, 65536 },
	{ { { 172, 16 }, ADDR_V4 }, { { 172, 16 }, ADDR_V4 }, 12, 256, 256, 3840 },
	{ { { 192, 168 }, ADDR_V4 }, { { 192, 168 }, ADDR_V4 }, 16, 0, 0, 256 },
	{ { { 100, 64 }, ADDR_V4 }, { { 100, 64 }, ADDR_V4 }, 10, 0, 0, 16384 },
	{ { { 169, 254 }, ADDR_V4 }, { { 169, 254 }, ADDR_V4 }, 16, 169, 1, 255 },
	{ { { 198, 18 }, ADDR_V4 }, { { 198, 18 }, ADDR_V4 }, 15, 0, 0, 512 },
	{ { { 0 }, ADDR_V4 }, { { 240 }, ADDR_V4 }, 0, 0, 0, 0xfffff },
	{ { { 0xfe, 0x80 }, ADDR_V6 }, { { 0xfe, 0x80 }, ADDR_V6 }, 10, 0, 0, UINT32_MAX },
	{ { { 0xfc }, ADDR_V6 }, { { 0xfd }, ADDR_V6 }, 7, 0, 0, UINT32_MAX },
	{ { { 0 }, ADDR_V6 }, { { 0x3f, 0xff }, ADDR_V6 }, 0, 0, 0, UINT32_MAX },
};
#define BLOCKS ARRAY_SIZE(block_rows)

/* struct numbering - true prefixes in order of first sight; @slot: open addressing, place + 1. */
struct numbering {
	uint64_t *prefix;
	uint32_t *slot;
	uint32_t count, cap, slots;
};

struct name {
	const char *text, *stand_in;
	unsigned kind;
};

struct redactor {
	struct arena arena;
	uint64_t seed;
	struct numbering block[BLOCKS];
	struct name *names; /* open addressing, at most half full */
	size_t name_count, name_slots;
	unsigned next[REDACT_KIND_COUNT];
};

struct redactor *redactor_new(uint64_t seed)
{
	struct redactor *r = xcalloc(1, sizeof(*r));

	r->seed = seed;
	if (!seed && getrandom(&r->seed, sizeof(r->seed), 0) != sizeof(r->seed))
		r->seed = (uint64_t)(uintptr_t)r;
	return r;
}

void redactor_free(struct redactor *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < BLOCKS; i++) {
		free(r->block[i].prefix);
		free(r->block[i].slot);
	}
	free(r->names);
	arena_free(&r->arena);
	free(r);
}

static uint32_t *slot_of(const struct numbering *n, uint64_t prefix)
{
	size_t at = hash_u64(prefix) & (n->slots - 1);

	while (n->slot[at] && n->prefix[n->slot[at] - 1] != prefix)
		at = (at + 1) & (n->slots - 1);
	return &n->slot[at];
}

static void make_room(struct numbering *n)
{
	if (n->count < n->cap)
		return;
	n->cap = n->cap ? n->cap * 2 : 32;
	n->slots = n->cap * 2;
	n->prefix = xrealloc_array(n->prefix, n->cap, sizeof(*n->prefix));
	free(n->slot);
	n->slot = xcalloc(n->slots, sizeof(*n->slot));
	for (uint32_t i = 0; i < n->count; i++)
		*slot_of(n, n->prefix[i]) = i + 1;
}

static uint32_t number_of(struct numbering *n, uint64_t prefix)
{
	uint32_t *slot;

	make_room(n);
	slot = slot_of(n, prefix);
	if (!*slot) {
		n->prefix[n->count++] = prefix;
		*slot = n->count;
	}
	return *slot - 1;
}

static uint64_t read_be(const uint8_t *p, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | p[i];
	return value;
}

static void write_be(uint8_t *p, unsigned bytes, uint64_t value)
{
	for (unsigned i = bytes; i-- > 0; value >>= 8)
		p[i] = (uint8_t)value;
}

/* The prefix that keeps neighbours together, as a number: 24 bits of IPv4, 64 of IPv6. */
static uint64_t prefix_of(const struct addr *addr)
{
	return read_be(addr->bytes, addr->family == ADDR_V4 ? 3 : 8);
}

static void set_prefix(struct addr *addr, uint64_t prefix)
{
	write_be(addr->bytes, addr->family == ADDR_V4 ? 3 : 8, prefix);
}

static bool is_kept(const struct addr *addr)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept_rows); i++)
		if (addr_in_prefix(addr, &kept_rows[i].prefix, kept_rows[i].bits))
			return true;
	return false;
}

/* The inverse of an odd number modulo 256: it is its own in the low three bits, and each step of Newton's doubles them. */
static uint8_t inverse(uint8_t odd)
{
	uint8_t x = odd;

	for (unsigned i = 0; i < 2; i++)
		x = (uint8_t)(x * (2 - odd * x));
	return x;
}

static void mix_host_v4(uint8_t *host, uint64_t key, bool undo)
{
	uint8_t factor = (uint8_t)(key | 1), shift = (uint8_t)(key >> 8);

	if (undo)
		*host = (uint8_t)((*host - shift) * inverse(factor));
	else
		*host = (uint8_t)(*host * factor + shift);
}

/* Four rounds of a Feistel network over two halves of 32 bits. */
static void mix_host_v6(uint8_t host[8], uint64_t key, bool undo)
{
	uint32_t left = (uint32_t)read_be(host, 4), right = (uint32_t)read_be(host + 4, 4);

	for (unsigned i = 0; i < 4; i++) {
		unsigned round = undo ? 3 - i : i;
		uint32_t from = undo ? left : right;
		uint32_t mixed = (undo ? right : left) ^ (uint32_t)hash_mix(key + round, from);

		left = undo ? mixed : from;
		right = undo ? from : mixed;
	}
	write_be(host, 4, left);
	write_be(host + 4, 4, right);
}

static void mix_host(const struct redactor *r, struct addr *addr, uint64_t true_prefix, bool undo)
{
	uint64_t key = hash_mix(r->seed, true_prefix);

	if (addr->family == ADDR_V4)
		mix_host_v4(&addr->bytes[3], key, undo);
	else
		mix_host_v6(addr->bytes + 8, key, undo);
}

static uint64_t place(const struct block_row *row, uint32_t number)
{
	uint64_t at = number % row->room;

	return prefix_of(&row->to) + (at < row->hole ? at : at + row->hole_len);
}

/* The number of the stand-in prefix @prefix inside @row. Return: false when it is none. */
static bool number_at(const struct block_row *row, uint64_t prefix, uint32_t *number)
{
	uint64_t at = prefix - prefix_of(&row->to);

	if (prefix < prefix_of(&row->to) || (at >= row->hole && at < row->hole + row->hole_len))
		return false;
	at -= at >= row->hole ? row->hole_len : 0;
	*number = (uint32_t)at;
	return at < row->room;
}

static void redact_nat64(struct redactor *r, struct addr *addr,
			 void (*change)(struct redactor *r, struct addr *addr))
{
	struct addr inner = { .family = ADDR_V4 };

	memcpy(inner.bytes, addr->bytes + 12, 4);
	change(r, &inner);
	memcpy(addr->bytes + 12, inner.bytes, 4);
}

void redact_addr(struct redactor *r, struct addr *addr)
{
	uint64_t prefix = prefix_of(addr);

	if (addr_in_prefix(addr, &nat64_prefix, NAT64_BITS)) {
		redact_nat64(r, addr, redact_addr);
		return;
	}
	if (is_kept(addr))
		return;
	for (size_t i = 0; i < BLOCKS; i++) {
		const struct block_row *row = &block_rows[i];

		if (!addr_in_prefix(addr, &row->from, row->bits))
			continue;
		set_prefix(addr, place(row, number_of(&r->block[i], prefix)));
		mix_host(r, addr, prefix, false);
		return;
	}
}

void redact_undo_addr(struct redactor *r, struct addr *addr)
{
	uint64_t prefix = prefix_of(addr);
	uint32_t number;

	if (addr_in_prefix(addr, &nat64_prefix, NAT64_BITS)) {
		redact_nat64(r, addr, redact_undo_addr);
		return;
	}
	if (is_kept(addr))
		return;
	for (size_t i = 0; i < BLOCKS; i++) {
		const struct block_row *row = &block_rows[i];

		if (addr->family != row->to.family || !number_at(row, prefix, &number) ||
		    number >= r->block[i].count)
			continue;
		prefix = r->block[i].prefix[number];
		set_prefix(addr, prefix);
		mix_host(r, addr, prefix, true);
		return;
	}
}

void redact_sock(struct redactor *r, struct sock *sock)
{
	redact_addr(r, &sock->local.addr);
	redact_addr(r, &sock->peer.addr);
}

void redact_undo_sock(struct redactor *r, struct sock *sock)
{
	redact_undo_addr(r, &sock->local.addr);
	redact_undo_addr(r, &sock->peer.addr);
}

void redact_route(struct redactor *r, struct route *route)
{
	redact_addr(r, &route->destination);
	if (route->has & ROUTE_HAS_GATEWAY)
		redact_addr(r, &route->gateway);
	if (route->has & ROUTE_HAS_SOURCE)
		redact_addr(r, &route->source);
	snprintf(route->device, sizeof(route->device), "%s",
		 redact_text(r, REDACT_INTERFACE, route->device));
}

static const char *const name_words[REDACT_KIND_COUNT] = {
	[REDACT_COMM] = "proc-",	   [REDACT_CGROUP] = "/cgroup-",
	[REDACT_UNIT] = "unit-",	   [REDACT_CONTAINER] = "container-",
	[REDACT_NETNS] = "netns-",	   [REDACT_INTERFACE] = "if-",
	[REDACT_HOST] = "host-",
};

static struct name *name_of(const struct redactor *r, unsigned kind, const char *text)
{
	size_t at = hash_bytes(kind, text, strlen(text)) & (r->name_slots - 1);

	while (r->names[at].text && (r->names[at].kind != kind || strcmp(r->names[at].text, text)))
		at = (at + 1) & (r->name_slots - 1);
	return &r->names[at];
}

static void make_room_for_name(struct redactor *r)
{
	struct name *old = r->names;
	size_t count = r->name_slots;

	if (r->name_count * 2 < count)
		return;
	r->name_slots = count ? count * 2 : 64;
	r->names = xcalloc(r->name_slots, sizeof(*r->names));
	for (size_t i = 0; i < count; i++)
		if (old[i].text)
			*name_of(r, old[i].kind, old[i].text) = old[i];
	free(old);
}

const char *redact_text(struct redactor *r, enum redact_kind kind, const char *text)
{
	struct name *name;

	if (!*text || !strcmp(text, "/") || (kind == REDACT_INTERFACE && !strcmp(text, "lo")))
		return text;
	make_room_for_name(r);
	name = name_of(r, kind, text);
	if (!name->text) {
		*name = (struct name){ .text = arena_strdup(&r->arena, text),
				       .stand_in = arena_printf(&r->arena, "%s%u", name_words[kind],
								++r->next[kind]),
				       .kind = kind };
		r->name_count++;
	}
	return name->stand_in;
}

/* struct inet_diag_msg: where the family and the two addresses stand, and where the attributes begin. */
#define DIAG_SRC 8
#define DIAG_DST 24
#define DIAG_ATTRIBUTES 72
#define DIAG_FAMILY_V4 2
#define DIAG_MD5SIG 18

/* Attributes (INET_DIAG_*) that hold numbers and names of algorithms, nothing of a user. */
static const uint32_t harmless_attributes =
	1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 |
	1u << 10 | 1u << 11 | 1u << 15 | 1u << 16 | 1u << 17 | 1u << 19 | 1u << 21 | 1u << 22;

static void redact_raw_address(struct redactor *r, uint8_t *at, bool v4)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr addr = { .family = ADDR_V4 };
	uint8_t *from = v4 ? at : at + 12;

	if (v4 || !memcmp(at, mapped, sizeof(mapped))) {
		memcpy(addr.bytes, from, 4);
		redact_addr(r, &addr);
		memcpy(from, addr.bytes, 4);
		return;
	}
	addr.family = ADDR_V6;
	memcpy(addr.bytes, at, 16);
	redact_addr(r, &addr);
	memcpy(at, addr.bytes, 16);
}

static bool must_go(const struct redactor *r, unsigned type)
{
	return type == DIAG_MD5SIG ||
	       (r && (type >= 32 || !(harmless_attributes >> type & 1)));
}

void redact_message(struct redactor *r, uint8_t *payload, size_t len)
{
	struct cursor c = cursor_of(payload, len);
	enum attr_step step;
	struct attr attr;

	if (len < DIAG_ATTRIBUTES) {
		memset(payload, 0, len);
		return;
	}
	if (r) {
		redact_raw_address(r, payload + DIAG_SRC, payload[0] == DIAG_FAMILY_V4);
		redact_raw_address(r, payload + DIAG_DST, payload[0] == DIAG_FAMILY_V4);
	}
	cursor_skip(&c, DIAG_ATTRIBUTES);
	while ((step = attr_next(&c, &attr)) == ATTR_OK)
		if (must_go(r, attr.type))
			memset(payload + (attr.payload.p - payload), 0, attr.payload.captured_left);
	if (step != ATTR_END) /* what is cut may be a key as well as anything */
		memset(payload + (c.p - payload), 0, c.captured_left);
}
