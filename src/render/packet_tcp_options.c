/* SPDX-License-Identifier: MIT */
/* TCP options in the order in which they stand: a table of kinds, each with a writer for its data. */
#include "src/render/packet_parts.h"

#define KIND_END 0
#define KIND_NOP 1
#define KIND_EXPERIMENT 254

/* struct option - @data: what was captured of @length bytes. @sack_base: taken off SACK blocks. */
struct option {
	struct cursor data;
	unsigned length;
	uint32_t sack_base;
	uint8_t kind;
};

/* Writers return NULL when the data contradicts itself. */
typedef char *put_option(char *at, const struct option *option);

static char *put_bytes(char *at, struct cursor data)
{
	uint8_t byte;

	while (cursor_u8(&data, &byte))
		at = put_u8_hex(at, byte);
	return at;
}

static char *put_byte(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint8_t value = 0;

	cursor_u8(&data, &value);
	*at++ = ' ';
	return put_u64(at, value);
}

static char *put_short(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint16_t value = 0;

	cursor_u16be(&data, &value);
	*at++ = ' ';
	return put_u64(at, value);
}

static char *put_long(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint32_t value = 0;

	cursor_u32be(&data, &value);
	*at++ = ' ';
	return put_u64(at, value);
}

static char *put_timestamps(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint32_t value = 0, echo = 0;

	cursor_u32be(&data, &value);
	cursor_u32be(&data, &echo);
	at = put_lit(at, " val ");
	at = put_u64(at, value);
	at = put_lit(at, " ecr ");
	return put_u64(at, echo);
}

static char *put_sack(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint32_t left, right;

	if (option->length % 8)
		return put_lit(at, " invalid sack");
	*at++ = ' ';
	at = put_u64(at, option->length / 8);
	*at++ = ' ';
	while (cursor_u32be(&data, &left) && cursor_u32be(&data, &right)) {
		*at++ = '{';
		at = put_u64(at, (uint32_t)(left - option->sack_base));
		*at++ = ':';
		at = put_u64(at, (uint32_t)(right - option->sack_base));
		*at++ = '}';
	}
	return at;
}

static char *put_md5(char *at, const struct option *option)
{
	at = put_lit(at, " shared secret not supplied with -M, can't check - ");
	return put_bytes(at, option->data);
}

static char *put_scps(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint8_t capabilities = 0, id = 0;

	cursor_u8(&data, &capabilities);
	cursor_u8(&data, &id);
	at = put_lit(at, " cap ");
	at = put_u8_hex(at, capabilities);
	at = put_lit(at, " id ");
	return put_u64(at, id);
}

/* RFC 5482: the top bit says minutes instead of seconds. tcpdump takes the lowest for it, which nobody sends; shown as the RFC says. */
static char *put_user_timeout(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint16_t value = 0;
	uint32_t seconds;

	cursor_u16be(&data, &value);
	seconds = value & 0x7fffu;
	at = put_lit(at, " 0x");
	at = put_hex(at, value);
	*at++ = ' ';
	return put_u64(at, value & 0x8000 ? seconds * 60 : seconds);
}

static char *put_authentication(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint8_t key = 0, next = 0;

	if (option->length < 2)
		return put_lit(at, " (invalid)");
	cursor_u8(&data, &key);
	cursor_u8(&data, &next);
	at = put_lit(at, " keyid ");
	at = put_u64(at, key);
	at = put_lit(at, " rnextkeyid ");
	at = put_u64(at, next);
	if (!data.captured_left)
		return at;
	at = put_lit(at, " mac 0x");
	return put_bytes(at, data);
}

/* RFC 7413 §2: no cookie asks for one, else 4 to 16 bytes and an even number of them. */
static char *put_cookie(char *at, struct cursor cookie, unsigned length)
{
	if (!length)
		return put_lit(at, " cookiereq");
	if (length % 2 || length < 4 || length > 16)
		return put_lit(at, " (invalid)");
	at = put_lit(at, " cookie ");
	return put_bytes(at, cookie);
}

static char *put_fast_open(char *at, const struct option *option)
{
	*at++ = ' ';
	return put_cookie(at, option->data, option->length);
}

/* RFC 6994: the first two bytes say whose experiment it is. */
static char *put_experiment(char *at, const struct option *option)
{
	struct cursor data = option->data;
	uint16_t magic;

	if (!cursor_u16be(&data, &magic))
		return NULL;
	*at++ = '-';
	if (magic != 0xf989)
		return put_u16_hex(at, magic);
	at = put_lit(at, "tfo");
	return put_cookie(at, data, option->length - 2);
}

static char *put_raw(char *at, const struct option *option)
{
	if (!option->data.captured_left)
		return at;
	at = put_lit(at, " 0x");
	return put_bytes(at, option->data);
}

static char *put_multipath(char *at, const struct option *option)
{
	return packet_mptcp_put(at, option->data, option->length);
}

#define SIZE_ANY (-1)

/* @size: bytes of data that the kind has, SIZE_ANY as many as its length says. @piecewise: what was captured of it is written. */
static const struct option_kind {
	const char *name;
	put_option *put;
	int8_t size;
	bool piecewise;
} option_kinds[] = {
	[KIND_END] = { "eol", NULL, 0, false },
	[KIND_NOP] = { "nop", NULL, 0, false },
	[2] = { "mss", put_short, 2, false },
	[3] = { "wscale", put_byte, 1, false },
	[4] = { "sackOK", NULL, 0, false },
	[5] = { "sack", put_sack, SIZE_ANY, true },
	[6] = { "echo", put_long, 4, false },
	[7] = { "echoreply", put_long, 4, false },
	[8] = { "TS", put_timestamps, 8, false },
	[11] = { "cc", put_long, 4, false },
	[12] = { "ccnew", put_long, 4, false },
	[13] = { "ccecho", put_long, 4, false },
	[19] = { "md5", put_md5, 16, false },
	[20] = { "scps", put_scps, 2, false },
	[28] = { "uto", put_user_timeout, 2, false },
	[29] = { "tcp-ao", put_authentication, SIZE_ANY, false },
	[30] = { "mptcp", put_multipath, SIZE_ANY, false },
	[34] = { "tfo", put_fast_open, SIZE_ANY, false },
};
static const struct option_kind experiment = { "exp", put_experiment, SIZE_ANY, false };
static const struct option_kind unknown = { NULL, put_raw, SIZE_ANY, true };

static const struct option_kind *option_kind(uint8_t kind)
{
	if (kind < ARRAY_SIZE(option_kinds) && option_kinds[kind].name)
		return &option_kinds[kind];
	return kind == KIND_EXPERIMENT ? &experiment : &unknown;
}

static char *put_name(char *at, const struct option_kind *kind, uint8_t number)
{
	if (LIKELY(kind->name))
		return put_str(at, kind->name);
	at = put_lit(at, "unknown-");
	return put_u64(at, number);
}

/* How reading an option ended. */
enum option_end { OPTION_WHOLE, OPTION_BAD, OPTION_CUT };

/*
 * The data of one option. @left: bytes of the header behind kind and length, less the data afterwards; @c: those of them captured. A kind
 * of fixed size takes that, whatever its length says, and the difference is shown.
 */
static char *put_data(char *at, const struct option_kind *kind, struct option *option, struct cursor *c, unsigned *left, enum option_end *end)
{
	unsigned size = kind->size == SIZE_ANY ? option->length : (unsigned)kind->size;
	char *behind;

	*end = size > *left ? OPTION_BAD : OPTION_CUT;
	if (size > *left || (size > c->captured_left && !kind->piecewise))
		return at;
	*end = size > c->captured_left ? OPTION_CUT : OPTION_WHOLE;
	cursor_take(c, MIN(size, c->captured_left), &option->data);
	*left -= size;
	behind = kind->put ? kind->put(at, option) : at;
	if (!behind) {
		*end = OPTION_BAD;
		return at;
	}
	if (size == option->length || *end != OPTION_WHOLE)
		return behind;
	behind = put_lit(behind, "[len ");
	behind = put_u64(behind, option->length + 2);
	return put_lit(behind, "]");
}

/* @first: nothing stands between the bracket and what is wrong, where tcpdump leaves the bracket open. */
static char *put_end(char *at, enum option_end end, bool first)
{
	if (end == OPTION_BAD)
		return first ? put_lit(at, "[bad opt]") : put_lit(at, "[bad opt]]");
	return first ? put_lit(at, " [|tcp]") : put_lit(at, " [|tcp]>");
}

char *packet_tcp_options_put(char *at, const struct tcp_header *tcp, uint32_t sack_base, bool *whole)
{
	struct cursor c = cursor_of(tcp->option, tcp->option_bytes);
	unsigned left = tcp->header - 20u;
	struct option option = { .sack_base = sack_base };
	enum option_end end = OPTION_WHOLE;
	bool first = true;

	at = put_lit(at, ", options [");
	for (*whole = false; left; first = false) {
		const struct option_kind *kind;
		uint8_t length = 2;

		if (!first)
			*at++ = ',';
		if (!cursor_u8(&c, &option.kind))
			return put_lit(at, " [|tcp]");
		left--;
		if (option.kind > KIND_NOP && !cursor_u8(&c, &length))
			return put_lit(at, " [|tcp]");
		if (option.kind > KIND_NOP && (length < 2 || length - 1u > left))
			return put_end(at, OPTION_BAD, first);
		left -= option.kind > KIND_NOP;
		kind = option_kind(option.kind);
		option.length = length - 2u;
		at = put_name(at, kind, option.kind);
		at = put_data(at, kind, &option, &c, &left, &end);
		if (end != OPTION_WHOLE)
			return put_end(at, end, first);
		if (option.kind == KIND_END)
			break;
	}
	*whole = true;
	*at++ = ']';
	return at;
}
