/* SPDX-License-Identifier: MIT */
/* What the writer of files and the two formats share. */
#ifndef CAPTURE_WRITER_INTERNAL_H
#define CAPTURE_WRITER_INTERNAL_H

#include <limits.h>

#include "tcptriage/base/out.h"
#include "tcptriage/capture/writer.h"

/** Snapshot length of an interface that does not tell one: what tcpdump takes for "all of it". */
#define WRITER_SNAPLEN 262144

struct writer;

/**
 * struct writer_format - pcap or pcapng: each appends to writer->out and counts in writer->bytes.
 * @begin: a new file was opened. @put: a frame. Return: 0, or -EINVAL with @err when the format cannot hold it. @statistics: NULL: it has none.
 * @end: the file will be closed.
 */
struct writer_format {
	void (*begin)(struct writer *w);
	int (*put)(struct writer *w, const struct frame *frame, const struct capture_interface *interface, const char *comment, struct err *err);
	void (*statistics)(struct writer *w, const struct capture_source *source);
	void (*end)(struct writer *w);
};

extern const struct writer_format writer_pcap, writer_pcapng;

/**
 * struct writer - @source_interface, @filter, @live: what is known of the source before its first frame. @fd: -1 no file is open. @name: of the open
 * file. @bytes: put into it. @number: behind its name. @begin_s: of the -G window. @files: begun so far. @last_ns: of the newest frame.
 * @has_header, @link_type, @snaplen: of the open pcap file. @ids: for each interface of the run its number in the open pcapng file plus one, 0 not
 * described there yet; @ids_room of them; @described in the file. @text: scratch.
 */
struct writer {
	const struct writer_format *format;
	struct writer_plan plan;
	writer_open_fn *open;
	void *context;
	struct capture_interface source_interface;
	char *path, *interface_name, *filter;
	struct out out, text;
	uint64_t bytes;
	int64_t begin_s, last_ns;
	uint32_t number, files, link_type, snaplen;
	uint32_t *ids, ids_room, described;
	bool live, has_header;
	int fd;
	char name[PATH_MAX];
};

/** writer_append() - @len bytes to the open file. */
static inline void writer_append(struct writer *w, const void *bytes, size_t len)
{
	out_mem(&w->out, bytes, len);
	w->bytes += len;
}

#endif
