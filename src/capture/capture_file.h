/* SPDX-License-Identifier: MIT */
/* One capture file of the list: what its format does, and what it tells of the run. */
#ifndef CAPTURE_CAPTURE_FILE_H
#define CAPTURE_CAPTURE_FILE_H

#include "capture/interfaces.h"
#include "capture/stream.h"

/**
 * struct capture_facts - what files tell beside their frames, summed over a run.
 * @interfaces: seen so far. @received, @dropped_kernel, @dropped_interface: from pcapng's statistics, worth something with @has_drops.
 * @nanoseconds: some interface's times may be no whole microseconds.
 */
struct capture_facts {
	struct interfaces interfaces;
	uint64_t received, dropped_kernel, dropped_interface;
	bool has_drops, nanoseconds;
};

struct capture_file;

/**
 * struct capture_format - pcap or pcapng.
 * @open: read what stands before the first packet; file->state is freed by @close, which is only called after @open was. Return: 0, -EINTR (call
 * again), or -errno with @err. @next: Return: 1 with @frame (its number is left alone), 0 at the end, -EAGAIN after a signal or much that was no
 * packet, -EBADMSG with @err when the file is cut or broken, another -errno with @err when reading failed.
 */
struct capture_format {
	int (*open)(struct capture_file *file, struct err *err);
	int (*next)(struct capture_file *file, struct frame *frame, struct err *err);
	void (*close)(struct capture_file *file);
};

extern const struct capture_format pcap_file_format, pcapng_file_format;

/** struct capture_file - @name: for messages, borrowed. @format: NULL until it is known. @packets: frames so far. @state: the format's own. */
struct capture_file {
	const struct capture_format *format;
	const char *name;
	struct capture_facts *facts;
	void *state;
	uint64_t packets;
	struct stream stream;
};

/** capture_file_open() - take over @fd; nothing is read. @name: borrowed. @facts: outlives the file. */
void capture_file_open(struct capture_file *file, int fd, const char *name, struct capture_facts *facts);
/**
 * capture_file_begin() - find out what it is and read its head. Return: 0, -EINTR after a signal (call again), -EBADMSG with @err when it is no
 * capture file, -ENOTSUP or another -errno with @err.
 */
int capture_file_begin(struct capture_file *file, struct err *err);
/** capture_file_interface() - index of an interface with these properties, or -EBADMSG with @err when there are too many. */
int capture_file_interface(struct capture_file *file, const char *name, uint32_t link_type, uint32_t snaplen, struct err *err);
/** capture_file_failed() - the stream gave @code: its sentence to @err. Return: @code, -EAGAIN for -EINTR. */
int capture_file_failed(const struct capture_file *file, ssize_t code, struct err *err);
/** capture_file_close() - closes the descriptor, too, unless it is stdin. */
void capture_file_close(struct capture_file *file);

#endif
