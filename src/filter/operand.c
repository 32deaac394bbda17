/* SPDX-License-Identifier: MIT */
/* Operands of the filter language. */
#include "filter/operand.h"

#include <errno.h>
#include <string.h>

#include "tcptriage/base/num.h"

#define QUOTE_MAX 64
#define BOTH_FAMILIES 3u

struct operand_quote operand_quote(const char *text)
{
	struct operand_quote quote;
	CLEANUP(out_close) struct out out;
	size_t len = strnlen(text, QUOTE_MAX + 1);

	out_open_mem(&out);
	out_escaped(&out, text, MIN(len, (size_t)QUOTE_MAX));
	len = MIN(out_len(&out), sizeof(quote.text) - 4);
	memcpy(quote.text, out.base, len);
	strcpy(quote.text + len, text[strnlen(text, QUOTE_MAX)] ? "..." : "");
	return quote;
}

int operand_port(const char *text, const struct filter_world *world, int32_t *port, struct err *err)
{
	const char *bare = *text == ':' ? text + 1 : text;
	uint64_t number;
	uint16_t service;

	*port = -1;
	if (!strcmp(bare, "*") || (!*bare && bare != text))
		return 0;
	if (num_u64_any(bare, UINT64_MAX, &number)) {
		if (number > PORT_MAX)
			return err_set(err, -EINVAL, "port '%s' is out of range: ports end at %d",
				       QUOTE(bare), PORT_MAX);
		*port = (int32_t)number;
		return 0;
	}
	if (strchr(bare, ':') || strchr(bare, '.'))
		return err_set(err, -EINVAL,
			       "'%s' is not a port: an address goes behind 'src' or 'dst'", QUOTE(text));
	if (!world->service || !world->service(bare, &service))
		return err_set(err, -EINVAL, "'%s' is neither a port number nor a known service",
			       QUOTE(text));
	*port = service;
	return 0;
}

/* "10", "10.1", "10.1.2.3": what is missing is 0, as in ss. */
static bool parse_dotted(const char *text, struct addr *addr)
{
	*addr = (struct addr){ .family = ADDR_V4 };
	for (unsigned i = 0; i < 4; i++) {
		uint64_t byte;

		if (!num_take_u64(&text, &byte) || byte > 255)
			return false;
		addr->bytes[i] = (uint8_t)byte;
		if (!*text)
			return true;
		if (*text++ != '.')
			return false;
	}
	return false;
}

static bool parse_literal(const char *text, struct addr *addr)
{
	return parse_dotted(text, addr) || (*text != '[' && addr_parse(text, addr));
}

/* "255.255.0.0" → 16. */
static bool parse_netmask(const char *text, unsigned *bits)
{
	struct addr mask;
	uint32_t ones;

	if (!strchr(text, '.') || !addr_parse(text, &mask) || mask.family != ADDR_V4)
		return false;
	ones = (uint32_t)mask.bytes[0] << 24 | (uint32_t)mask.bytes[1] << 16 |
	       (uint32_t)mask.bytes[2] << 8 | mask.bytes[3];
	*bits = ones == UINT32_MAX ? 32 : (unsigned)__builtin_clz(~ones);
	return (uint32_t)((uint64_t)UINT32_MAX << (32 - *bits)) == ones;
}

static int parse_bits(const char *text, const struct addr *addr, unsigned *bits, struct err *err)
{
	unsigned max = addr->family == ADDR_V6 ? 128 : 32;
	uint64_t number;

	*bits = max;
	if (!text)
		return 0;
	if (addr->family == ADDR_V4 && parse_netmask(text, bits))
		return 0;
	if (!num_u64(text, UINT64_MAX, &number))
		return err_set(err, -EINVAL, "'/%s' is not a prefix length", QUOTE(text));
	if (number > max)
		return err_set(err, -EINVAL, "prefix '/%s' is longer than the %u bits of an IPv%c address",
			       QUOTE(text), max, max == 32 ? '4' : '6');
	*bits = (unsigned)number;
	return 0;
}

static bool is_name(const char *text)
{
	bool letter = false;

	for (const char *at = text; *at; at++) {
		bool alpha = (*at | 0x20) >= 'a' && (*at | 0x20) <= 'z';

		if (!alpha && !(*at >= '0' && *at <= '9') && !strchr("._-", *at))
			return false;
		letter |= alpha;
	}
	return letter && strlen(text) < 254;
}

static unsigned keep_families(struct operand_host *out, unsigned count)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++)
		if (out->families & 1u << out->addr[i].family)
			out->addr[kept++] = out->addr[i];
	return kept;
}

static int resolve(const char *name, const struct filter_world *world, struct operand_host *out,
		   struct err *err)
{
	unsigned found = world->hosts ? world->hosts(name, out->addr, FILTER_HOSTS_MAX) : 0;

	out->count = keep_families(out, found);
	if (!found)
		return err_set(err, -EINVAL, "cannot resolve the host name '%s'", QUOTE(name));
	if (!out->count)
		return err_set(err, -EINVAL, "host '%s' has no address of that family", QUOTE(name));
	out->bits = 128;
	return 0;
}

static bool is_any(const char *text)
{
	static const char *const words[] = { "*", "any", "all", "default" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

/* @text: the host alone, may be changed. Return: 0; -EINVAL with @err. */
static int parse_host(char *text, const struct filter_world *world, struct operand_host *out,
		      struct err *err)
{
	char *slash = strchr(text, '/');

	out->count = 0;
	if (slash)
		*slash++ = '\0';
	if (parse_literal(text, &out->addr[0])) {
		if (!(out->families & 1u << out->addr[0].family))
			return err_set(err, -EINVAL, "'%s' is not an address of that family", QUOTE(text));
		out->count = 1;
		return parse_bits(slash, &out->addr[0], &out->bits, err);
	}
	if (slash && (is_any(text) || is_name(text)))
		return err_set(err, -EINVAL, "a prefix needs an address, not '%s'", QUOTE(text));
	if (is_any(text))
		return 0;
	if (!is_name(text))
		return err_set(err, -EINVAL, "'%s' is not an address", QUOTE(text));
	return resolve(text, world, out, err);
}

/* "[HOST[/BITS]][/BITS][:PORT]" */
static int parse_bracketed(char *text, const struct filter_world *world, struct operand_host *out,
			   struct err *err)
{
	char *close = strchr(text, ']'), *rest;
	int code;

	if (!close)
		return err_set(err, -EINVAL, "'%s' lacks its ']'", QUOTE(text));
	*close = '\0';
	rest = close + 1;
	code = parse_host(text + 1, world, out, err);
	if (code || !*rest)
		return code;
	if (*rest == '/' && out->count == 1) {
		char *bits = rest + 1;

		rest = bits + strcspn(bits, ":");
		if (*rest)
			*rest++ = '\0';
		code = parse_bits(bits, &out->addr[0], &out->bits, err);
		return code || !*rest ? code : operand_port(rest, world, &out->port, err);
	}
	if (*rest != ':')
		return err_set(err, -EINVAL, "'%s' behind ']' is neither /PREFIX nor :PORT", QUOTE(rest));
	return operand_port(rest, world, &out->port, err);
}

/* The last colon parts host and port, as in ss; where that makes no sense the whole is an IPv6 address. */
static int parse_split(char *text, struct arena *arena, const struct filter_world *world,
		       struct operand_host *out, struct err *err)
{
	char *whole = arena_strdup(arena, text);
	char *slash = strchr(text, '/'), *colon = strrchr(slash ? slash : text, ':');
	struct addr addr;
	int code;

	if (!colon)
		return parse_host(text, world, out, err);
	*colon = '\0';
	if (colon == text) {
		out->count = 0;
		return operand_port(colon + 1, world, &out->port, err);
	}
	code = parse_host(text, world, out, err);
	if (!code && colon[1])
		code = operand_port(colon + 1, world, &out->port, err);
	if (code && !slash && addr_parse(whole, &addr)) {
		out->port = -1;
		return parse_host(whole, world, out, err);
	}
	return code;
}

static const struct {
	const char *prefix;
	unsigned families;
} family_prefixes[] = { { "inet:", 1u << ADDR_V4 }, { "inet6:", 1u << ADDR_V6 } };

int operand_host(const char *text, const struct filter_world *world, struct arena *arena,
		 struct operand_host *out, struct err *err)
{
	char *copy;

	out->families = BOTH_FAMILIES;
	out->count = out->bits = 0;
	out->port = -1;
	for (size_t i = 0; i < ARRAY_SIZE(family_prefixes); i++) {
		size_t len = strlen(family_prefixes[i].prefix);

		if (strncmp(text, family_prefixes[i].prefix, len))
			continue;
		out->families = family_prefixes[i].families;
		text += len;
	}
	copy = arena_strdup(arena, text);
	return *copy == '[' ? parse_bracketed(copy, world, out, err) :
			      parse_split(copy, arena, world, out, err);
}

int operand_mark(const char *text, uint32_t *value, uint32_t *mask, struct err *err)
{
	char copy[32];
	char *slash;
	uint64_t number;

	*mask = UINT32_MAX;
	if (strlen(text) >= sizeof(copy))
		return err_set(err, -EINVAL, "'%s' is not a mark", QUOTE(text));
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (slash && !num_u64_any(slash, UINT32_MAX, &number))
		return err_set(err, -EINVAL, "'%s' is not a mask of 32 bits", QUOTE(slash));
	if (slash)
		*mask = (uint32_t)number;
	if (!num_u64_any(copy, UINT32_MAX, &number))
		return err_set(err, -EINVAL, "'%s' is not a mark of 32 bits", QUOTE(copy));
	*value = (uint32_t)number;
	return 0;
}

static bool is_time(enum unit unit)
{
	return unit == UNIT_US || unit == UNIT_MS || unit == UNIT_S;
}

static bool is_digits(const char *text)
{
	return *text && !text[strspn(text, "0123456789.")];
}

static int quantity_of_time(const char *text, const struct fact *fact, uint64_t *value,
			    struct err *err)
{
	if (is_digits(text) && strspn(text, "0.") != strlen(text))
		return err_set(err, -EINVAL, "'%s' needs a unit for '%s': %sms, %ss, …", QUOTE(text),
			       fact->name, QUOTE(text), QUOTE(text));
	if (!num_duration_us(text, value))
		return err_set(err, -EINVAL, "'%s' is not a duration for '%s': write 200ms, 1.5s, 5m",
			       QUOTE(text), fact->name);
	return 0;
}

static int quantity_of_bytes(const char *text, const struct fact *fact, uint64_t *value,
			     struct err *err)
{
	char copy[32];
	size_t len = strlen(text);

	if (fact->unit == UNIT_BYTES_PER_S && len > 2 && !strcmp(text + len - 2, "/s"))
		len -= 2;
	memcpy(copy, text, MIN(len, sizeof(copy) - 1));
	copy[MIN(len, sizeof(copy) - 1)] = '\0';
	if (len >= sizeof(copy) || !num_bytes(copy, value))
		return err_set(err, -EINVAL, "'%s' is not a size for '%s': write 1500, 64k, 2MiB",
			       QUOTE(text), fact->name);
	return 0;
}

int operand_quantity(const char *text, const struct fact *fact, uint64_t *value, struct err *err)
{
	if (is_time(fact->unit))
		return quantity_of_time(text, fact, value, err);
	if (fact->unit == UNIT_BYTES || fact->unit == UNIT_BYTES_PER_S)
		return quantity_of_bytes(text, fact, value, err);
	if (!num_u64_any(text, UINT64_MAX, value))
		return err_set(err, -EINVAL, "'%s' is not a whole number for '%s'", QUOTE(text),
			       fact->name);
	return 0;
}
