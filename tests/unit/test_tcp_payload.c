/* SPDX-License-Identifier: MIT */
/* probe/tcp_payload: what is sent to a service is one whole request of exactly the asked length, and nothing else gets into it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "probe/tcp_payload.h"
#include "tcptriage/decode/cursor.h"

#define NAME "www.example.net"

static uint8_t bytes[TCP_PAYLOAD_MAX];

static struct prober_options options_of(enum tcp_payload payload, const char *host)
{
	struct prober_options options = { .kind = PROBER_TCP_DATA, .port = 80, .payload = payload, .host = host };

	assert_true(addr_parse("192.0.2.7", &options.address));
	return options;
}

static size_t least_of(enum tcp_payload payload)
{
	struct prober_options options = options_of(payload, NAME);

	return tcp_payload_write(&options, 0, bytes);
}

static void length__any_that_is_asked__is_met(void **state)
{
	(void)state;
	for (unsigned payload = PAYLOAD_HTTP; payload < TCP_PAYLOAD_COUNT; payload++) {
		struct prober_options options = options_of(payload, NAME);
		size_t least = least_of(payload);

		assert_in_range(least, 1, 300);
		for (size_t size = 0; size <= TCP_PAYLOAD_MAX; size += size < 2000 ? 1 : 97)
			assert_int_equal(tcp_payload_write(&options, size, bytes), size < least ? least : size);
		assert_int_equal(tcp_payload_write(&options, TCP_PAYLOAD_MAX, bytes), TCP_PAYLOAD_MAX);
		assert_int_equal(tcp_payload_write(&options, SIZE_MAX, bytes), TCP_PAYLOAD_MAX);
	}
}

static void none__any_length__is_nothing(void **state)
{
	struct prober_options options = options_of(PAYLOAD_NONE, NAME);

	(void)state;
	assert_int_equal(tcp_payload_write(&options, 1000, bytes), 0);
}

static void raw__any_length__is_zero_bytes(void **state)
{
	struct prober_options options = options_of(PAYLOAD_RAW, NAME);

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	assert_int_equal(tcp_payload_write(&options, 700, bytes), 700);
	for (size_t i = 0; i < 700; i++)
		assert_int_equal(bytes[i], 0);
	assert_int_equal(bytes[700], 1);
}

/* The request as text; every line ends as it must and the empty one is the last. */
static char *http_text(const struct prober_options *options, size_t size)
{
	static char text[TCP_PAYLOAD_MAX + 1];
	size_t len = tcp_payload_write(options, size, bytes);

	memcpy(text, bytes, len);
	text[len] = '\0';
	assert_int_equal(strlen(text), len);
	assert_ptr_equal(strstr(text, "\r\n\r\n"), text + len - 4);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		assert_int_equal(at[-1], '\r');
	assert_memory_equal(text, "GET / HTTP/1.1\r\nHost: ", 22);
	assert_non_null(strstr(text, "\r\nUser-Agent: tcptriage\r\n"));
	return text;
}

static void http__any_length__is_one_request(void **state)
{
	struct prober_options options = options_of(PAYLOAD_HTTP, NAME);

	(void)state;
	for (size_t size = 0; size < 3000; size += 7)
		assert_non_null(strstr(http_text(&options, size), "Host: " NAME "\r\n"));
}

static void http__host__is_a_name_or_the_address(void **state)
{
	static const char *const rejected[] = { "", "a b", "evil\r\nX: y", "a/b", "a_b", "\xc3\xa4.example", "host\"", "a:b", "192.0.2.99" };
	struct prober_options options;
	char longer[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rejected); i++) {
		options = options_of(PAYLOAD_HTTP, rejected[i]);
		assert_non_null(strstr(http_text(&options, 500), "Host: 192.0.2.7\r\n"));
		assert_null(strstr(http_text(&options, 500), "X: y"));
	}
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	options = options_of(PAYLOAD_HTTP, longer);
	assert_non_null(strstr(http_text(&options, 500), "Host: 192.0.2.7\r\n"));
	longer[253] = '\0';
	assert_null(strstr(http_text(&options, 500), "192.0.2.7"));
	options = options_of(PAYLOAD_HTTP, NULL);
	assert_true(addr_parse("2001:db8::7", &options.address));
	options.port = 8080;
	assert_non_null(strstr(http_text(&options, 500), "Host: [2001:db8::7]:8080\r\n"));
}

/* What was read of a ClientHello. */
struct hello {
	char name[256];
	size_t padding, session;
	bool key_share, versions, has_name;
};

static struct cursor take(struct cursor *c, size_t width)
{
	struct cursor out;
	size_t len = 0;
	uint8_t byte = 0;

	for (size_t i = 0; i < width; i++) {
		assert_true(cursor_u8(c, &byte));
		len = len << 8 | byte;
	}
	assert_true(cursor_take(c, len, &out));
	return out;
}

static void read_extension(uint16_t type, struct cursor data, struct hello *out)
{
	if (type == 0) {
		struct cursor list = take(&data, 2), name;
		uint8_t kind;

		assert_true(cursor_u8(&list, &kind) && kind == 0);
		name = take(&list, 2);
		assert_int_equal(data.captured_left + list.captured_left, 0);
		assert_in_range(name.captured_left, 1, sizeof(out->name) - 1);
		out->has_name = true;
		memcpy(out->name, name.p, name.captured_left);
	}
	if (type == 21) {
		out->padding = data.captured_left;
		for (size_t i = 0; i < data.captured_left; i++)
			assert_int_equal(data.p[i], 0);
	}
	out->key_share = out->key_share || type == 51;
	out->versions = out->versions || type == 43;
}

static struct hello read_hello(size_t len)
{
	struct cursor c = cursor_of(bytes, len), record, handshake, part;
	struct hello out = { .padding = 0 };
	uint8_t type, bits[32];
	uint16_t version, ext;
	bool seen[64] = { false };

	assert_true(cursor_u8(&c, &type) && type == 22 && cursor_u16be(&c, &version) && version == 0x0301);
	record = take(&c, 2);
	assert_int_equal(c.captured_left, 0);
	assert_true(cursor_u8(&record, &type) && type == 1);
	handshake = take(&record, 3);
	assert_int_equal(record.captured_left, 0);
	assert_true(cursor_u16be(&handshake, &version) && version == 0x0303 && cursor_bytes(&handshake, bits, 32));
	part = take(&handshake, 1);
	out.session = part.captured_left;
	part = take(&handshake, 2);
	assert_true(part.captured_left >= 2 && part.captured_left % 2 == 0);
	part = take(&handshake, 1);
	assert_true(part.captured_left == 1 && part.p[0] == 0);
	part = take(&handshake, 2);
	assert_int_equal(handshake.captured_left, 0);
	while (cursor_u16be(&part, &ext)) {
		assert_true(ext < 64 && !seen[ext]);
		seen[ext] = true;
		read_extension(ext, take(&part, 2), &out);
	}
	assert_int_equal(part.captured_left, 0);
	return out;
}

static void tls__any_length__is_one_client_hello(void **state)
{
	struct prober_options options = options_of(PAYLOAD_TLS, NAME);
	size_t least = least_of(PAYLOAD_TLS);

	(void)state;
	for (size_t size = least; size <= TCP_PAYLOAD_MAX; size += size < least + 40 ? 1 : 131) {
		struct hello hello = read_hello(tcp_payload_write(&options, size, bytes));

		assert_string_equal(hello.name, NAME);
		assert_true(hello.key_share && hello.versions);
		assert_int_equal(hello.session + hello.padding + (hello.session || size == least ? 0 : 4), size - least);
		assert_true(hello.session < 4);
	}
}

static void tls__host__is_a_dns_name_or_not_sent(void **state)
{
	static const struct {
		const char *host, *sent;
	} rows[] = { { NAME, NAME }, { NAME ".", NAME }, { NULL, "" }, { "192.0.2.99", "" }, { "2001:db8::1", "" }, { "a b", "" }, { "a\nb", "" }, { ".", "" }, { ".a", "" }, { "-", "" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prober_options options = options_of(PAYLOAD_TLS, rows[i].host);
		struct hello hello = read_hello(tcp_payload_write(&options, 600, bytes));

		assert_string_equal(hello.name, rows[i].sent);
		assert_int_equal(hello.has_name, rows[i].sent[0] != '\0');
	}
}

static void tls__two_hellos__differ(void **state)
{
	struct prober_options options = options_of(PAYLOAD_TLS, NAME);
	uint8_t first[600];

	(void)state;
	tcp_payload_write(&options, sizeof(first), bytes);
	memcpy(first, bytes, sizeof(first));
	tcp_payload_write(&options, sizeof(first), bytes);
	assert_memory_not_equal(first + 11, bytes + 11, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length__any_that_is_asked__is_met),
		cmocka_unit_test(none__any_length__is_nothing),
		cmocka_unit_test(raw__any_length__is_zero_bytes),
		cmocka_unit_test(http__any_length__is_one_request),
		cmocka_unit_test(http__host__is_a_name_or_the_address),
		cmocka_unit_test(tls__any_length__is_one_client_hello),
		cmocka_unit_test(tls__host__is_a_dns_name_or_not_sent),
		cmocka_unit_test(tls__two_hellos__differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
