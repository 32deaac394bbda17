/* SPDX-License-Identifier: MIT */
/* The only reader of bytes from outside: a by-value cursor whose readers name width and order. There is no pointer arithmetic on such
 * bytes anywhere else. A length field becomes a sub-cursor at once (cursor_take), so that what lies beyond cannot leak in. */
#ifndef TCPTRIAGE_DECODE_CURSOR_H
#define TCPTRIAGE_DECODE_CURSOR_H

#include <endian.h>
#include <string.h>

#include "tcptriage/base/util.h"
#include "tcptriage/model/decode_status.h"

/**
 * struct cursor - a window on bytes.
 * @p: next byte. @captured_left: bytes that are there. @wire_left: bytes that were there before a capture cut them (≥ @captured_left).
 */
struct cursor {
	const uint8_t *p;
	size_t captured_left, wire_left;
};

/** cursor_of() - a window on @len bytes that are all there. */
static inline struct cursor cursor_of(const void *bytes, size_t len)
{
	return (struct cursor){ .p = bytes, .captured_left = len, .wire_left = len };
}

/** cursor_of_cut() - a window on bytes of which the first @captured are there and @wire once were; @captured ones at least. */
static inline struct cursor cursor_of_cut(const void *bytes, size_t captured, size_t wire)
{
	return (struct cursor){ .p = bytes, .captured_left = captured, .wire_left = MAX(captured, wire) };
}

/** Longer than any packet: the wire length of a window that somebody cut without saying where it ended. */
#define CURSOR_OPEN_BYTES ((size_t)1 << 40)

/** cursor_open() - what lies behind the bytes that are there is unknown, not absent: every failed read is DECODE_TRUNCATED from now on. */
static inline void cursor_open(struct cursor *c)
{
	c->wire_left = CURSOR_OPEN_BYTES;
}

/** cursor_wire() - bytes left on the wire as far as anybody knows: of an open window those that are there. */
static inline size_t cursor_wire(const struct cursor *c)
{
	return c->wire_left < CURSOR_OPEN_BYTES / 2 ? c->wire_left : c->captured_left;
}

/**
 * cursor_lacks() - why a read of @n bytes fails. Return: DECODE_MALFORMED when the wire itself ended before, DECODE_TRUNCATED when only the
 * capture did, DECODE_OK when all of them are there.
 */
static inline enum decode_status cursor_lacks(const struct cursor *c, size_t n)
{
	return n <= c->captured_left ? DECODE_OK : n <= c->wire_left ? DECODE_TRUNCATED : DECODE_MALFORMED;
}

/** cursor_skip() - moves past @n bytes. Return: false, unmoved, when fewer are there. */
static inline bool cursor_skip(struct cursor *c, size_t n)
{
	if (UNLIKELY(c->captured_left < n))
		return false;
	c->p += n;
	c->captured_left -= n;
	c->wire_left -= n;
	return true;
}

/** cursor_bytes() - copies the next @n bytes. Return: false, unmoved, when fewer are there. */
static inline bool cursor_bytes(struct cursor *c, void *out, size_t n)
{
	const uint8_t *p = c->p;

	if (UNLIKELY(!cursor_skip(c, n)))
		return false;
	memcpy(out, p, n);
	return true;
}

/** cursor_u8() - one byte. */
static inline bool cursor_u8(struct cursor *c, uint8_t *out)
{
	return cursor_bytes(c, out, 1);
}

/** cursor_u16be() - 16 bits, most significant byte first (network order), to host order. */
static inline bool cursor_u16be(struct cursor *c, uint16_t *out)
{
	uint16_t word;

	if (UNLIKELY(!cursor_bytes(c, &word, sizeof(word))))
		return false;
	*out = be16toh(word);
	return true;
}

/** cursor_u32be() - 32 bits, most significant byte first, to host order. */
static inline bool cursor_u32be(struct cursor *c, uint32_t *out)
{
	uint32_t word;

	if (UNLIKELY(!cursor_bytes(c, &word, sizeof(word))))
		return false;
	*out = be32toh(word);
	return true;
}

/** cursor_u16ne() - 16 bits in this machine's order, as netlink writes them. */
static inline bool cursor_u16ne(struct cursor *c, uint16_t *out)
{
	return cursor_bytes(c, out, 2);
}

/** cursor_u32ne() - 32 bits in this machine's order. */
static inline bool cursor_u32ne(struct cursor *c, uint32_t *out)
{
	return cursor_bytes(c, out, 4);
}

/** cursor_u64ne() - 64 bits in this machine's order. */
static inline bool cursor_u64ne(struct cursor *c, uint64_t *out)
{
	return cursor_bytes(c, out, 8);
}

/** cursor_take() - splits the next @n bytes off into @sub. Return: false, unmoved, when fewer are there. */
static inline bool cursor_take(struct cursor *c, size_t n, struct cursor *sub)
{
	const uint8_t *p = c->p;

	if (UNLIKELY(!cursor_skip(c, n)))
		return false;
	*sub = cursor_of(p, n);
	return true;
}

/**
 * cursor_split() - like cursor_take(), but a capture may have cut the @n bytes: @sub has those that are there and knows of the rest.
 * Return: false, unmoved, when the wire had fewer.
 */
static inline bool cursor_split(struct cursor *c, size_t n, struct cursor *sub)
{
	size_t there = MIN(n, c->captured_left);

	if (UNLIKELY(c->wire_left < n))
		return false;
	*sub = (struct cursor){ .p = c->p, .captured_left = there, .wire_left = n };
	c->p += there;
	c->captured_left -= there;
	c->wire_left -= n;
	return true;
}

/** cursor_limit() - pulls the end in to @n bytes from here: a length field cuts off padding. Return: false when the wire had fewer. */
static inline bool cursor_limit(struct cursor *c, size_t n)
{
	bool fits = n <= c->wire_left;

	c->wire_left = MIN(n, c->wire_left);
	c->captured_left = MIN(n, c->captured_left);
	return fits;
}

/** cursor_stretch() - bytes up to @n from here were there once, though the capture knows nothing of them. */
static inline void cursor_stretch(struct cursor *c, size_t n)
{
	c->wire_left = MAX(n, c->wire_left);
}

/** cursor_peek_u8() - the next byte, without moving. Return: false when there is none. */
static inline bool cursor_peek_u8(const struct cursor *c, uint8_t *out)
{
	struct cursor copy = *c;

	return cursor_u8(&copy, out);
}

/** cursor_peek_u32be() - the next 32 bits in host order, without moving. Return: false when fewer are there. */
static inline bool cursor_peek_u32be(const struct cursor *c, uint32_t *out)
{
	struct cursor copy = *c;

	return cursor_u32be(&copy, out);
}

/**
 * struct attr - one netlink attribute (struct nlattr, include/uapi/linux/netlink.h). @type: without its flag bits. @payload: its bytes.
 */
struct attr {
	uint16_t type;
	struct cursor payload;
};

/** enum attr_step - outcome of attr_next(). */
enum attr_step { ATTR_END, ATTR_OK, ATTR_TRUNCATED, ATTR_MALFORMED };

/**
 * attr_next() - takes the next attribute and its padding off @c. Every ATTR_OK moves @c by at least four bytes, so a loop ends.
 * Return: ATTR_END at the end (fewer than four padding bytes may be left), ATTR_TRUNCATED when the length reaches past the end,
 * ATTR_MALFORMED when it is shorter than its own header.
 */
static inline enum attr_step attr_next(struct cursor *c, struct attr *out)
{
	uint16_t len = 0, type = 0;
	size_t padded;

	if (c->captured_left < 4)
		return ATTR_END;
	cursor_u16ne(c, &len);
	cursor_u16ne(c, &type);
	if (UNLIKELY(len < 4))
		return ATTR_MALFORMED;
	if (UNLIKELY(!cursor_take(c, len - 4u, &out->payload)))
		return ATTR_TRUNCATED;
	padded = (len + 3u) & ~3u;
	cursor_skip(c, MIN(padded - len, c->captured_left));
	out->type = type & 0x3fff;
	return ATTR_OK;
}

#endif
