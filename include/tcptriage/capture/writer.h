/* SPDX-License-Identifier: MIT */
/* Writes frames to pcap or pcapng files, one after the other by size, time or count. */
#ifndef TCPTRIAGE_CAPTURE_WRITER_H
#define TCPTRIAGE_CAPTURE_WRITER_H

#include "tcptriage/capture/reader.h"

/**
 * struct writer_plan - where and how to write; shared with the privileged process, which forms the same names (writer_name()).
 * @path: as given to -w; strftime conversions are expanded with @rotate_seconds (-G); "-" is stdout. @pcapng: by the name's ending. @rotate_bytes: -C in bytes,
 * 0 never. @rotate_seconds: -G, 0 never, told by the frames' times. @files: -W, 0 unlimited: with -C a ring of names, with -G alone the run ends
 * after them. @packet_buffered: -U. @nanoseconds: pcap with nanoseconds instead of microseconds even where source->nanoseconds does not ask for it
 * (pcapng always has them); without either what is finer is cut off.
 */
struct writer_plan {
	const char *path;
	bool pcapng, packet_buffered, nanoseconds;
	uint64_t rotate_bytes, rotate_seconds;
	uint32_t files;
};

/**
 * writer_name() - name of file @number (from 0) that begins at @begin_s (seconds since 1970): tcpdump's scheme (-C: number behind the name, padded with -W;
 * -G: strftime, in local time). Return: 0, or -ENAMETOOLONG.
 */
int writer_name(const struct writer_plan *plan, uint32_t number, int64_t begin_s, char *name, size_t size);

/**
 * writer_create() - what a writer_open_fn comes down to: create or truncate the file of that name (writer_name()), readable as the umask lets it.
 * Return: its descriptor, or -errno with @err that names it.
 */
int writer_create(const struct writer_plan *plan, uint32_t number, int64_t begin_s, struct err *err);

struct writer;

/**
 * writer_open_fn - opens (creates, truncates) file @number beginning at @begin_s and returns the descriptor or -errno with @err. @number is what
 * stands behind the name: it starts anew with each -G and goes round with -W. Never asked for stdout.
 */
typedef int writer_open_fn(void *context, uint32_t number, int64_t begin_s, struct err *err);

/**
 * writer_open() - get ready and open the first file; with -G and a source that is not live the first frame's time names it, so it is opened then.
 * @open: NULL: writer_create(). @source: for the interface description (name, filter); copied.
 * Return: 0, or -errno with @err that names the file; -EINVAL when stdout should be rotated.
 */
int writer_open(struct writer **out, const struct writer_plan *plan, writer_open_fn *open, void *context, const struct capture_source *source, struct err *err);
/**
 * writer_put() - one frame. @interface: of it. @comment: packet comment for pcapng, NULL none (pcap cannot hold one).
 * Return: 0; 1 when -W ends the run (the frame is not written); -EINVAL with @err when a pcap file cannot hold the frame, for a second link type
 * or more bytes than the snapshot length in its header (use pcapng); or -errno with @err that names the file (disk full, short write).
 */
int writer_put(struct writer *writer, const struct frame *frame, const struct capture_interface *interface, const char *comment, struct err *err);
/** writer_drops() - at the end: interface statistics block (pcapng) when source->has_drops. Return: 0 or -errno with @err. */
int writer_drops(struct writer *writer, const struct capture_source *source, struct err *err);
/** writer_flush() - hand everything to the kernel. Return: 0 or -errno with @err. */
int writer_flush(struct writer *writer, struct err *err);
/** writer_files() - files begun so far. */
uint32_t writer_files(const struct writer *writer);
/** writer_close() - flushes and closes; NULL is fine. Return: 0 or -errno with @err that names the file; the writer is gone either way. */
int writer_close(struct writer *writer, struct err *err);

#endif
