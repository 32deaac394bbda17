/* SPDX-License-Identifier: MIT */
/* collect/redact: stand-ins are stable, keep class and neighbourhood, can be undone, and leave nothing in a message. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/diag_message.h"
#include "tcptriage/collect/redact.h"
#include "tcptriage/decode/inet_diag.h"

static struct redactor *r;

static int setup(void **state)
{
	(void)state;
	r = redactor_new(42);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	redactor_free(r);
	return 0;
}

static struct addr of(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, &addr));
	return addr;
}

static struct addr redacted(struct addr addr)
{
	redact_addr(r, &addr);
	return addr;
}

static void addr__every_class__stays_in_its_class_and_comes_back(void **state)
{
	static const char *const texts[] = {
		"8.8.8.8",	  "1.1.1.1",	    "240.5.6.7",      "10.1.2.3",	 "172.16.0.1",
		"172.17.0.2",	  "172.31.9.9",	    "192.168.1.1",    "100.64.3.4",	 "169.254.1.1",
		"169.254.169.1",  "198.18.5.5",	    "2a00:1450::1",   "fe80::1:2",	 "fd12:3456::9",
		"64:ff9b::808:808", "::5",	    "64:ff9b::a01:203",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct addr true_addr = of(texts[i]), stand_in = redacted(true_addr), again = stand_in;

		assert_false(addr_equal(&true_addr, &stand_in));
		assert_int_equal(addr_class(&stand_in), addr_class(&true_addr));
		assert_int_equal(stand_in.family, true_addr.family);
		redact_undo_addr(r, &again);
		assert_true(addr_equal(&again, &true_addr));
		again = redacted(true_addr);
		assert_true(addr_equal(&again, &stand_in));
	}
}

static void addr__global__goes_where_nobody_lives(void **state)
{
	struct addr v4 = redacted(of("8.8.8.8")), v6 = redacted(of("2a00:1450:4001::1"));

	(void)state;
	assert_int_equal(v4.bytes[0], 240);
	assert_int_equal(v6.bytes[0], 0x3f);
	assert_int_equal(v6.bytes[1], 0xff);
	assert_int_equal(v6.bytes[2], 0);
}

static void addr__that_says_nothing__is_kept(void **state)
{
	static const char *const kept[] = { "0.0.0.0", "127.0.0.1", "127.9.9.9", "169.254.169.254", "192.0.2.7",
					    "198.51.100.9", "203.0.113.1", "224.0.0.251", "255.255.255.255", "::",
					    "::1", "2001:db8::5", "ff02::1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		struct addr before = of(kept[i]), after = redacted(before);

		assert_true(addr_equal(&before, &after));
		redact_undo_addr(r, &after);
		assert_true(addr_equal(&before, &after));
	}
}

static void addr__neighbours__stay_together_and_apart(void **state)
{
	struct addr seen[256], net = redacted(of("203.0.114.0"));

	(void)state;
	net = addr_prefix(&net);
	for (unsigned host = 0; host < 256; host++) {
		seen[host] = redacted(addr_v4(0xcb007200 + host));
		assert_true(addr_in_prefix(&seen[host], &net, 24));
		for (unsigned other = 0; other < host; other++)
			assert_false(addr_equal(&seen[host], &seen[other]));
	}
	seen[0] = redacted(of("203.0.115.1"));
	assert_false(addr_in_prefix(&seen[0], &net, 24));
	seen[0] = redacted(of("2a00::1"));
	seen[1] = redacted(of("2a00::2"));
	seen[2] = redacted(of("2a00:0:0:1::1"));
	net = addr_prefix(&seen[0]);
	assert_true(addr_in_prefix(&seen[1], &net, 64));
	assert_false(addr_in_prefix(&seen[2], &net, 64));
	assert_false(addr_equal(&seen[0], &seen[1]));
}

/* Whole blocks: no two prefixes share a stand-in, and none leaves its class. */
static void addr__every_prefix_of_a_block__has_its_own(void **state)
{
	static const struct {
		uint32_t first, count;
	} blocks[] = { { 0xac100000, 4096 }, { 0xc0a80000, 256 }, { 0xc6120000, 512 }, { 0x0a000000, 65536 } };
	uint8_t *used = calloc(1, 1 << 21);

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(blocks); b++)
		for (uint32_t i = 0; i < blocks[b].count; i++) {
			struct addr true_addr = addr_v4(blocks[b].first + (i << 8) + 5);
			struct addr stand_in = redacted(true_addr);
			uint32_t prefix = (uint32_t)(stand_in.bytes[0] << 16 | stand_in.bytes[1] << 8 |
						     stand_in.bytes[2]);

			assert_int_equal(addr_class(&stand_in), addr_class(&true_addr));
			assert_false(used[prefix / 8] >> prefix % 8 & 1);
			used[prefix / 8] |= (uint8_t)(1u << prefix % 8);
			redact_undo_addr(r, &stand_in);
			assert_true(addr_equal(&stand_in, &true_addr));
		}
	free(used);
}

static void addr__another_seed__gives_other_hosts(void **state)
{
	struct redactor *other = redactor_new(43);
	unsigned same = 0;

	(void)state;
	for (unsigned host = 0; host < 64; host++) {
		struct addr a = redacted(addr_v4(0x08080800 + host)), b = addr_v4(0x08080800 + host);

		redact_addr(other, &b);
		same += addr_equal(&a, &b);
	}
	assert_true(same < 32);
	redactor_free(other);
}

static void text__names__are_numbered_a_kind(void **state)
{
	(void)state;
	assert_string_equal(redact_text(r, REDACT_COMM, "nginx"), "proc-1");
	assert_string_equal(redact_text(r, REDACT_COMM, "app"), "proc-2");
	assert_string_equal(redact_text(r, REDACT_COMM, "nginx"), "proc-1");
	assert_string_equal(redact_text(r, REDACT_UNIT, "nginx"), "unit-1");
	assert_string_equal(redact_text(r, REDACT_CGROUP, "/system.slice/x"), "/cgroup-1");
	assert_string_equal(redact_text(r, REDACT_CGROUP, "/"), "/");
	assert_string_equal(redact_text(r, REDACT_NETNS, ""), "");
	assert_string_equal(redact_text(r, REDACT_INTERFACE, "lo"), "lo");
	assert_string_equal(redact_text(r, REDACT_INTERFACE, "eth0"), "if-1");
	for (unsigned i = 0; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "container %u", i);
		redact_text(r, REDACT_CONTAINER, name);
	}
	assert_string_equal(redact_text(r, REDACT_CONTAINER, "container 999"), "container-1000");
	assert_string_equal(redact_text(r, REDACT_CONTAINER, "container 0"), "container-1");
}

static bool holds(const struct diag_message *m, const void *what, size_t len)
{
	return memmem(m->bytes, m->len, what, len) != NULL;
}

static void message__addresses_and_keys__are_gone_and_the_rest_stays(void **state)
{
	struct diag_message m, before;
	uint8_t info[232];
	struct sock sock;

	(void)state;
	memset(info, 0x5a, sizeof(info));
	diag_begin(&m, AF_INET);
	diag_attr(&m, INET_DIAG_INFO, info, sizeof(info));
	diag_attr(&m, 18, "topsecret", 9);
	diag_attr(&m, INET_DIAG_CONG, "cubic", 6);
	diag_attr(&m, 99, "future", 6);
	before = m;
	redact_message(r, m.bytes, m.len);
	assert_int_equal(inet_diag_decode(m.bytes, m.len, NETID_TCP, &sock), DECODE_OK);
	assert_true(holds(&before, "topsecret", 9));
	assert_false(holds(&m, "topsecret", 9));
	assert_false(holds(&m, "future", 6));
	assert_false(holds(&m, "\x0a\0\0\x01", 4));
	assert_int_equal(sock.local.addr.bytes[0], 10);
	assert_int_equal(sock.local.port, 1000);
	assert_int_equal(sock.inode, 4711);
	assert_string_equal(sock.cong, "cubic");
	assert_int_equal(sock.info.len, sizeof(info));
	assert_memory_equal(sock.info.bytes, info, sizeof(info));
	redact_undo_sock(r, &sock);
	assert_int_equal(sock.local.addr.bytes[3], 1);
	assert_int_equal(sock.peer.addr.bytes[3], 2);
}

static void message__without_redactor__loses_keys_only(void **state)
{
	struct diag_message m, before;

	(void)state;
	diag_begin(&m, AF_INET6);
	diag_attr(&m, 99, "future", 6);
	before = m;
	redact_message(NULL, m.bytes, m.len);
	assert_memory_equal(m.bytes, before.bytes, m.len);
	diag_attr(&m, 18, "topsecret", 9);
	redact_message(NULL, m.bytes, m.len);
	assert_false(holds(&m, "topsecret", 9));
	assert_true(holds(&m, "future", 6));
}

static void message__v4_mapped_and_v6__are_replaced_alike(void **state)
{
	struct diag_message m;
	struct inet_diag_msg *fixed = diag_begin(&m, AF_INET6);
	struct addr v4 = redacted(of("198.41.0.4")), v6 = redacted(of("2a00::9"));
	struct sock sock;

	(void)state;
	inet_pton(AF_INET6, "::ffff:198.41.0.4", fixed->id.idiag_src);
	inet_pton(AF_INET6, "2a00::9", fixed->id.idiag_dst);
	redact_message(r, m.bytes, m.len);
	assert_int_equal(inet_diag_decode(m.bytes, m.len, NETID_TCP, &sock), DECODE_OK);
	assert_true(addr_equal(&sock.local.addr, &v4));
	assert_true(addr_equal(&sock.peer.addr, &v6));
}

/* Whatever is left of a message, neither a key nor, with stand-ins, an address is left in it. */
static void message__cut_anywhere__leaks_nothing(void **state)
{
	struct diag_message m;
	static const char key[] = "0123456789";

	(void)state;
	diag_begin(&m, AF_INET);
	diag_attr(&m, INET_DIAG_TOS, "\x08", 1);
	diag_attr(&m, 18, key, 10);
	for (size_t len = 0; len <= m.len; len++)
		for (unsigned with = 0; with < 2; with++) {
			uint8_t *exact = malloc(len ? len : 1);

			memcpy(exact, m.bytes, len);
			redact_message(with ? r : NULL, exact, len);
			for (size_t digits = 2; digits <= 10; digits++)
				assert_null(memmem(exact, len, key, digits));
			if (with)
				assert_null(memmem(exact, len, "\x0a\0\0\x01", 4));
			free(exact);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addr__every_class__stays_in_its_class_and_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(addr__global__goes_where_nobody_lives, setup, teardown),
		cmocka_unit_test_setup_teardown(addr__that_says_nothing__is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(addr__neighbours__stay_together_and_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(addr__every_prefix_of_a_block__has_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(addr__another_seed__gives_other_hosts, setup, teardown),
		cmocka_unit_test_setup_teardown(text__names__are_numbered_a_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(message__addresses_and_keys__are_gone_and_the_rest_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(message__without_redactor__loses_keys_only, setup, teardown),
		cmocka_unit_test_setup_teardown(message__v4_mapped_and_v6__are_replaced_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(message__cut_anywhere__leaks_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
