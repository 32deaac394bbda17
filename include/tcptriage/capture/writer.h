/* SPDX-License-Identifier: MIT */
/* Writes frames to pcap or pcapng files, one after the other by size, time or count. */
#ifndef TCPTRIAGE_CAPTURE_WRITER_H
#define TCPTRIAGE_CAPTURE_WRITER_H

#include "tcptriage/capture/reader.h"

/**
 * struct writer_plan - where and how to write; shared with the privileged process, which forms the same names (writer_name()).
 * @path: as given to -w; strftime conversions are expanded with @rotate_seconds (-G); "-" is stdout. @pcapng: by the name's ending. @rotate_bytes: -C in bytes,
 * 0 never. @rotate_seconds: -G, 0 never. @files: -W, 0 unlimited: with -C a ring of names, with -G alone the run ends after them.
 * @packet_buffered: -U.
 */
struct writer_plan {
	const char *path;
	bool pcapng, packet_buffered;
	uint64_t rotate_bytes, rotate_seconds;
	uint32_t files;
};

/**
 * writer_name() - name of file @number (from 0) that begins at @begin_s (seconds since 1970): tcpdump's scheme (-C: number behind the name, padded with -W;
 * -G: strftime). Return: 0, or -ENAMETOOLONG.
 */
int writer_name(const struct writer_plan *plan, uint32_t number, int64_t begin_s, char *name, size_t size);

struct writer;

/** writer_open_fn - opens (creates, truncates) file @number beginning at @begin_s and returns the descriptor or -errno with @err. */
typedef int writer_open_fn(void *context, uint32_t number, int64_t begin_s, struct err *err);

/**
 * writer_open() - get ready and open the first file. @source: for the interface description (name, filter). Return: 0, or -errno with @err that names the file.
 */
int writer_open(struct writer **out, const struct writer_plan *plan, writer_open_fn *open, void *context, const struct capture_source *source, struct err *err);
/**
 * writer_put() - one frame. @interface: of it. @comment: packet comment for pcapng, NULL none (pcap cannot hold one).
 * Return: 0; 1 when -W ends the run; -EINVAL when a pcap file cannot hold a second link type (use pcapng); or -errno with @err that names the file
 * (disk full, short write).
 */
int writer_put(struct writer *writer, const struct frame *frame, const struct capture_interface *interface, const char *comment, struct err *err);
/** writer_drops() - at the end: interface statistics block (pcapng). */
int writer_drops(struct writer *writer, const struct capture_source *source, struct err *err);
/** writer_flush() - hand everything to the kernel. Return: 0 or -errno with @err. */
int writer_flush(struct writer *writer, struct err *err);
/** writer_files() - files begun so far. */
uint32_t writer_files(const struct writer *writer);
/** writer_close() - flushes and closes; NULL is fine. Return: 0 or -errno with @err that names the file. */
int writer_close(struct writer *writer, struct err *err);

#endif
