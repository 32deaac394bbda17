/* SPDX-License-Identifier: MIT */
/* What is said to a real service: a GET and a ClientHello of any length. */
#include "tcp_payload.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define NAME_MAX_BYTES 253
#define HTTP_PORT 80

/* Bytes in the order of the wire. A length field is left open and closed when its end is known. */
struct message {
	uint8_t *bytes;
	size_t len;
};

static void put_bytes(struct message *message, const void *bytes, size_t len)
{
	BUG_ON(len > TCP_PAYLOAD_MAX - message->len);
	memcpy(message->bytes + message->len, bytes, len);
	message->len += len;
}

static void put_fill(struct message *message, int byte, size_t len)
{
	BUG_ON(len > TCP_PAYLOAD_MAX - message->len);
	memset(message->bytes + message->len, byte, len);
	message->len += len;
}

static void put_u8(struct message *message, unsigned value)
{
	put_fill(message, (int)(value & 0xff), 1);
}

static void put_u16(struct message *message, unsigned value)
{
	put_u8(message, value >> 8);
	put_u8(message, value);
}

static void put_random(struct message *message, size_t len)
{
	uint8_t bytes[32] = { 1 };

	/* Nothing secret hangs on it: a short read leaves what is there. */
	if (getrandom(bytes, len, 0) < 0)
		bytes[0] = 1;
	put_bytes(message, bytes, len);
}

static PRINTF_LIKE(2, 3) void put_text(struct message *message, const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_bytes(message, text, (size_t)MIN(len, (int)sizeof(text) - 1));
}

static size_t open_length(struct message *message, unsigned width)
{
	put_fill(message, 0, width);
	return message->len;
}

static void close_length(struct message *message, size_t begin, unsigned width)
{
	size_t len = message->len - begin;

	for (unsigned i = 1; i <= width; i++, len >>= 8)
		message->bytes[begin - i] = (uint8_t)len;
}

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* A letter or digit, then those, dots and hyphens: text from outside goes no further otherwise. */
static bool is_name(const char *host)
{
	size_t len = host && strspn(host, LETTERS_AND_DIGITS) ? strspn(host, LETTERS_AND_DIGITS ".-") : 0;
	struct addr addr;

	return len && len <= NAME_MAX_BYTES && !host[len] && !addr_parse(host, &addr);
}

static void put_http_host(struct message *message, const struct prober_options *options)
{
	char address[ADDR_TEXT_MAX + 1] = "";

	*addr_text(address, &options->address) = '\0';
	if (is_name(options->host))
		put_text(message, "%s", options->host);
	else
		put_text(message, options->address.family == ADDR_V6 ? "[%s]" : "%s", address);
	if (options->port != HTTP_PORT)
		put_text(message, ":%u", options->port);
}

static void write_http(const struct prober_options *options, size_t extra, struct message *message)
{
	put_text(message, "GET / HTTP/1.1\r\nHost: ");
	put_http_host(message, options);
	put_text(message, "\r\nUser-Agent: tcptriage\r\nAccept: */*\r\nConnection: close\r\nX-Padding: ");
	put_fill(message, 'x', extra);
	put_text(message, "\r\n\r\n");
}

/* Extension types (IANA, TLS ExtensionType Values). */
enum { EXT_SERVER_NAME, EXT_GROUPS = 10, EXT_POINT_FORMATS = 11, EXT_SIGNATURES = 13, EXT_PADDING = 21, EXT_MASTER_SECRET = 23, EXT_VERSIONS = 43, EXT_KEY_SHARE = 51 };
#define EXT_HEADER_BYTES 4
#define GROUP_X25519 0x001d
#define X25519_BYTES 32

static const uint16_t ciphers[] = { 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009c, 0x002f };
static const uint16_t groups[] = { GROUP_X25519, 0x0017, 0x0018 };
static const uint16_t signatures[] = { 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0807 };
static const uint16_t versions[] = { 0x0304, 0x0303 };

static void put_list(struct message *message, unsigned width, const uint16_t *values, size_t count)
{
	size_t begin = open_length(message, width);

	for (size_t i = 0; i < count; i++)
		put_u16(message, values[i]);
	close_length(message, begin, width);
}

static void put_list_extension(struct message *message, unsigned type, unsigned width, const uint16_t *values, size_t count)
{
	size_t begin;

	put_u16(message, type);
	begin = open_length(message, 2);
	put_list(message, width, values, count);
	close_length(message, begin, 2);
}

/* RFC 6066 §3: a DNS name without the dot of the root; no addresses. */
static void put_server_name(struct message *message, const char *host)
{
	size_t extension, list, name, len = strlen(host);

	put_u16(message, EXT_SERVER_NAME);
	extension = open_length(message, 2);
	list = open_length(message, 2);
	put_u8(message, 0);
	name = open_length(message, 2);
	put_bytes(message, host, host[len - 1] == '.' ? len - 1 : len);
	close_length(message, name, 2);
	close_length(message, list, 2);
	close_length(message, extension, 2);
}

/* Any 32 bytes are a public key of X25519 (RFC 7748 §5), so that a service with nothing but 1.3 answers with its certificate too. */
static void put_key_share(struct message *message)
{
	put_u16(message, EXT_KEY_SHARE);
	put_u16(message, 2 + 4 + X25519_BYTES);
	put_u16(message, 4 + X25519_BYTES);
	put_u16(message, GROUP_X25519);
	put_u16(message, X25519_BYTES);
	put_random(message, X25519_BYTES);
}

static void put_extensions(struct message *message, const char *host, size_t padding)
{
	size_t begin = open_length(message, 2);

	if (is_name(host))
		put_server_name(message, host);
	put_list_extension(message, EXT_GROUPS, 2, groups, ARRAY_SIZE(groups));
	put_bytes(message, (const uint8_t[]){ 0, EXT_POINT_FORMATS, 0, 2, 1, 0 }, 6);
	put_list_extension(message, EXT_SIGNATURES, 2, signatures, ARRAY_SIZE(signatures));
	put_bytes(message, (const uint8_t[]){ 0, EXT_MASTER_SECRET, 0, 0 }, 4);
	put_list_extension(message, EXT_VERSIONS, 1, versions, ARRAY_SIZE(versions));
	put_key_share(message);
	if (padding) {
		put_u16(message, EXT_PADDING);
		put_u16(message, (unsigned)(padding - EXT_HEADER_BYTES));
		put_fill(message, 0, padding - EXT_HEADER_BYTES);
	}
	close_length(message, begin, 2);
}

/* Fewer bytes than a padding extension takes become a session id (1 to 32 bytes), which a service that does not know it ignores. */
static void write_tls(const struct prober_options *options, size_t extra, struct message *message)
{
	size_t session = extra < EXT_HEADER_BYTES ? extra : 0, record, handshake;

	put_bytes(message, (const uint8_t[]){ 22, 3, 1 }, 3);
	record = open_length(message, 2);
	put_u8(message, 1);
	handshake = open_length(message, 3);
	put_u16(message, 0x0303);
	put_random(message, 32);
	put_u8(message, (unsigned)session);
	put_random(message, session);
	put_list(message, 2, ciphers, ARRAY_SIZE(ciphers));
	put_u16(message, 0x0100);
	put_extensions(message, options->host, extra - session);
	close_length(message, handshake, 3);
	close_length(message, record, 2);
}

static void write_raw(const struct prober_options *options, size_t extra, struct message *message)
{
	(void)options;
	put_fill(message, 0, extra + 1);
}

static void (*const writers[])(const struct prober_options *options, size_t extra, struct message *message) = {
	[PAYLOAD_NONE] = NULL,
	[PAYLOAD_HTTP] = write_http,
	[PAYLOAD_TLS] = write_tls,
	[PAYLOAD_RAW] = write_raw,
};
static_assert(ARRAY_SIZE(writers) == TCP_PAYLOAD_COUNT, "a writer for every payload");

size_t tcp_payload_write(const struct prober_options *options, size_t size, uint8_t out[static TCP_PAYLOAD_MAX])
{
	struct message message = { .bytes = out };
	size_t least;

	if (!writers[options->payload])
		return 0;
	writers[options->payload](options, 0, &message);
	least = message.len;
	if (size <= least)
		return least;
	message.len = 0;
	writers[options->payload](options, MIN(size, (size_t)TCP_PAYLOAD_MAX) - least, &message);
	return message.len;
}
