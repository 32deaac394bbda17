/* SPDX-License-Identifier: MIT */
/* cmd/target.c: HOST[:PORT] as people write it, and what is no single host. Nothing here asks a resolver over the network. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/target.h"

static struct arena arena;
static struct target target;
static struct err err;

static int parse(const char *text)
{
	err.text[0] = '\0';
	return target_parse(&target, &arena, text, &err);
}

static void parse__every_spelling__is_cut(void **state)
{
	static const struct {
		const char *text, *host, *zone;
		uint16_t port;
		int family;
	} rows[] = {
		{ "example.net", "example.net", NULL, 0, -1 },
		{ "example.net:443", "example.net", NULL, 443, -1 },
		{ "example.net:65535", "example.net", NULL, 65535, -1 },
		{ "10.0.0.1", "10.0.0.1", NULL, 0, ADDR_V4 },
		{ "10.0.0.1:1", "10.0.0.1", NULL, 1, ADDR_V4 },
		{ "2001:db8::1", "2001:db8::1", NULL, 0, ADDR_V6 },
		{ "2001:db8::1:443", "2001:db8::1:443", NULL, 0, ADDR_V6 },
		{ "[2001:db8::1]:443", "2001:db8::1", NULL, 443, ADDR_V6 },
		{ "[2001:db8::1]", "2001:db8::1", NULL, 0, ADDR_V6 },
		{ "::1", "::1", NULL, 0, ADDR_V6 },
		{ "fe80::1%eth0", "fe80::1", "eth0", 0, ADDR_V6 },
		{ "[fe80::1%eth0]:22", "fe80::1", "eth0", 22, ADDR_V6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (parse(rows[i].text))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_string_equal(target.host, rows[i].host);
		assert_int_equal(target.port, rows[i].port);
		assert_int_equal(target.literal, rows[i].family >= 0);
		if (rows[i].family >= 0)
			assert_int_equal(target.address.family, rows[i].family);
		assert_int_equal(!target.zone, !rows[i].zone);
		if (rows[i].zone)
			assert_string_equal(target.zone, rows[i].zone);
		assert_string_equal(target.text, rows[i].text);
	}
}

static void parse__wrong_words__are_quoted(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "''" },
		{ ":443", "':443' names no host" },
		{ "host:0", "'0' is no port" },
		{ "host:65536", "'65536' is no port" },
		{ "host:-1", "'-1' is no port" },
		{ "host:", "'' is no port" },
		{ "host:no-such-service", "'no-such-service' is no port" },
		{ "host:443:443", "'host:443:443' is no IPv6 address" },
		{ "2001:db8::1::2", "is no IPv6 address" },
		{ "[10.0.0.1]:80", "'10.0.0.1' is no IPv6 address" },
		{ "[::1", "[ADDRESS]:PORT" },
		{ "[::1]443", "[ADDRESS]:PORT" },
		{ "[]:443", "is no IPv6 address" },
		{ "https://example.net/x", "only its host is asked for, 'example.net'" },
		{ "10.0.0.0/24", "never a network" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(parse(rows[i].text), -EINVAL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("'%s' says: %s", rows[i].text, err.text);
	}
}

static unsigned resolve(const char *text, unsigned families, struct target_addresses *list)
{
	assert_int_equal(parse(text), 0);
	if (target_resolve(&target, families, list, &err))
		fail_msg("%s", err.text);
	return list->count;
}

static void resolve__literal__is_itself_or_of_the_other_family(void **state)
{
	struct target_addresses list;
	struct addr v4 = addr_v4(0x0a000001);

	(void)state;
	assert_int_equal(resolve("10.0.0.1:80", 3, &list), 1);
	assert_true(addr_equal(&list.at[0], &v4));
	assert_int_equal(resolve("::ffff:10.0.0.1", 3, &list), 1);
	assert_true(addr_equal(&list.at[0], &v4));
	assert_int_equal(parse("10.0.0.1"), 0);
	assert_int_equal(target_resolve(&target, 1u << ADDR_V6, &list, &err), -EINVAL);
	assert_non_null(strstr(err.text, "-6"));
	assert_int_equal(parse("::1"), 0);
	assert_int_equal(target_resolve(&target, 1u << ADDR_V4, &list, &err), -EINVAL);
	assert_non_null(strstr(err.text, "-4"));
}

/* RFC 6761 §6.4: a resolver must say that names below "invalid" do not exist. */
static void resolve__name_that_is_none__says_what_to_try(void **state)
{
	struct target_addresses list;

	(void)state;
	assert_int_equal(parse("no-such-host.invalid"), 0);
	assert_int_equal(target_resolve(&target, 3, &list, &err), -ENOENT);
	assert_non_null(strstr(err.text, "'no-such-host.invalid' does not resolve"));
	assert_non_null(strstr(err.text, "getent ahosts"));
}

static int check(const char *text)
{
	struct addr address;

	assert_true(addr_parse(text, &address));
	err.text[0] = '\0';
	return target_check(&address, &err);
}

/* 127.0.0.0/8 stands on the loopback interface of every machine. */
static void check__address_that_is_no_host__is_refused(void **state)
{
	static const char *const refused[] = { "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "127.255.255.255", "127.0.0.0" };
	static const char *const taken[] = { "127.0.0.1", "127.1.2.3", "::1", "198.51.100.255", "198.51.100.0", "2001:db8::" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_int_equal(check(refused[i]), -EINVAL);
		assert_int_equal(strncmp(err.text, refused[i], strlen(refused[i])), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (check(taken[i]))
			fail_msg("%s", err.text);
	}
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__every_spelling__is_cut),
		cmocka_unit_test(parse__wrong_words__are_quoted),
		cmocka_unit_test(resolve__literal__is_itself_or_of_the_other_family),
		cmocka_unit_test(resolve__name_that_is_none__says_what_to_try),
		cmocka_unit_test(check__address_that_is_no_host__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
