/* SPDX-License-Identifier: MIT */
/* gzip (RFC 1952) through zlib, zstd (RFC 8878) through libzstd: a piece of input, a piece of output, whatever the file claims of its size. */
#include "capture/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

/**
 * struct unpack_format - a way of packing. @begin: NULL when this build lacks its library.
 * @step: unpacks from [begin, end) of unpack->in, advancing begin, to @out. Return: bytes put there (0: more input is needed), or -EBADMSG.
 */
struct unpack_format {
	const char *name, *library;
	uint8_t magic[UNPACK_MAGIC_BYTES];
	size_t magic_len;
	bool (*begin)(struct unpack *u);
	ssize_t (*step)(struct unpack *u, uint8_t *out, size_t size);
	void (*end)(struct unpack *u);
};

/* @between: the input stands between two members (or frames), where it may end. @done: only junk follows. @hungry: no output without new input. */
struct unpack {
	const struct unpack_format *format;
	const char *name;
	int fd;
	bool input_ended, between, done, hungry;
	size_t begin, end;
#ifdef HAVE_ZLIB
	z_stream gz;
	bool had_member;
#endif
#ifdef HAVE_ZSTD
	ZSTD_DStream *zst;
#endif
	uint8_t in[UNPACK_INPUT_BYTES];
};

#ifdef HAVE_ZLIB
static bool gz_begin(struct unpack *u)
{
	return inflateInit2(&u->gz, MAX_WBITS + 16) == Z_OK;
}

static ssize_t gz_step(struct unpack *u, uint8_t *out, size_t size)
{
	size_t room = MIN(size, (size_t)1 << 30), produced;
	int status;

	u->gz.next_in = u->in + u->begin;
	u->gz.avail_in = (unsigned)(u->end - u->begin);
	u->gz.next_out = out;
	u->gz.avail_out = (unsigned)room;
	status = inflate(&u->gz, Z_NO_FLUSH);
	u->begin = u->end - u->gz.avail_in;
	produced = room - u->gz.avail_out;
	if (status == Z_STREAM_END) {
		/* gzip files may be joined by cat */
		u->between = u->had_member = true;
		inflateReset(&u->gz);
	} else if (status == Z_DATA_ERROR && u->had_member && u->gz.total_in <= 2) {
		u->done = true; /* no magic of a further member: gzip ignores what follows the last one, too */
	} else if (status != Z_OK && status != Z_BUF_ERROR) {
		/* what came before the fault is delivered; the next call fails again */
		return produced ? (ssize_t)produced : -EBADMSG;
	} else {
		u->between = false;
	}
	return (ssize_t)produced;
}

static void gz_end(struct unpack *u)
{
	inflateEnd(&u->gz);
}
#define GZ_FUNCTIONS .begin = gz_begin, .step = gz_step, .end = gz_end
#else
#define GZ_FUNCTIONS .begin = NULL
#endif

#ifdef HAVE_ZSTD
static bool zst_begin(struct unpack *u)
{
	u->zst = ZSTD_createDStream();
	return u->zst != NULL;
}

static ssize_t zst_step(struct unpack *u, uint8_t *out, size_t size)
{
	ZSTD_inBuffer from = { u->in, u->end, u->begin };
	ZSTD_outBuffer to = { out, size, 0 };
	size_t hint = ZSTD_decompressStream(u->zst, &to, &from);

	u->begin = from.pos;
	u->between = hint == 0;
	return ZSTD_isError(hint) ? -EBADMSG : (ssize_t)to.pos;
}

static void zst_end(struct unpack *u)
{
	ZSTD_freeDStream(u->zst);
}
#define ZST_FUNCTIONS .begin = zst_begin, .step = zst_step, .end = zst_end
#else
#define ZST_FUNCTIONS .begin = NULL
#endif

static const struct unpack_format formats[] = {
	{ .name = "gzip", .library = "zlib", .magic = { 0x1f, 0x8b }, .magic_len = 2, GZ_FUNCTIONS },
	{ .name = "zstd", .library = "libzstd", .magic = { 0x28, 0xb5, 0x2f, 0xfd }, .magic_len = 4, ZST_FUNCTIONS },
};

const struct unpack_format *unpack_recognise(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (len >= formats[i].magic_len && !memcmp(bytes, formats[i].magic, formats[i].magic_len))
			return &formats[i];
	return NULL;
}

int unpack_open(struct unpack **out, const struct unpack_format *format, int fd, const char *name, const uint8_t *head, size_t len, struct err *err)
{
	struct unpack *u;

	if (!format->begin)
		return err_set(err, -ENOTSUP, "%s is packed by %s, which this build cannot read: unpack it first (\"%s -dc FILE | tcptriage capture -r -\") or build with %s",
			       name, format->name, format->name, format->library);
	BUG_ON(len > UNPACK_INPUT_BYTES);
	u = xcalloc(1, sizeof(*u));
	u->format = format;
	u->name = name;
	u->fd = fd;
	u->end = len;
	memcpy(u->in, head, len);
	if (!format->begin(u)) {
		free(u);
		return err_set(err, -ENOMEM, "no memory to unpack %s", name);
	}
	*out = u;
	return 0;
}

static int refill(struct unpack *u, struct err *err)
{
	ssize_t n = read(u->fd, u->in, sizeof(u->in));

	if (n < 0)
		return errno == EINTR ? -EINTR : err_errno(err, -errno, "cannot read %s", u->name);
	u->begin = 0;
	u->end = (size_t)n;
	u->input_ended = n == 0;
	u->hungry = false;
	return 0;
}

ssize_t unpack_read(struct unpack *u, uint8_t *out, size_t size, struct err *err)
{
	while (!u->done) {
		bool may_yield = u->begin < u->end || (!u->between && !u->hungry);
		ssize_t n = may_yield ? u->format->step(u, out, size) : 0;

		if (n < 0)
			return err_set(err, -EBADMSG, "%s: its %s data is broken", u->name, u->format->name);
		if (n > 0)
			return n;
		if (u->begin < u->end)
			continue;
		u->hungry = true;
		if (u->input_ended)
			return u->between ? 0 : err_set(err, -EBADMSG, "%s: cut: its %s data ends too early", u->name, u->format->name);
		n = refill(u, err);
		if (n < 0)
			return n;
	}
	return 0;
}

void unpack_close(struct unpack *u)
{
	if (!u)
		return;
	u->format->end(u);
	free(u);
}
