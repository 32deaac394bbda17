/* SPDX-License-Identifier: MIT */
/* Where frames come from: a list of capture files, or a live interface, behind one seam.
 *
 * A reader has interfaces (pcapng may bring several, a pcap file or a live capture has one); frame.interface is an index into them. Filters are
 * in pcap-filter's language and compiled once for each link type. */
#ifndef TCPTRIAGE_CAPTURE_READER_H
#define TCPTRIAGE_CAPTURE_READER_H

#include "tcptriage/base/err.h"
#include "tcptriage/model/capture.h"

struct reader;

/**
 * struct reader_files - capture files to be read one after the other.
 * @names: as the user gave them, "-" is stdin, which is never opened; @count of them; they outlive the reader. @open: opens names[index] for
 * reading and returns the descriptor or -errno with @err (the privileged process does it, helper.h); NULL: the reader opens them itself.
 * @context: for @open. @ready: called once, when the names in the filter are looked up and before a byte of a file is read: the moment to give up
 * privileges; NULL nothing. @ready_context: for @ready. @idle: called before the reader waits for bytes that have not come yet (a pipe), NULL nothing:
 * the moment to show what is there. @idle_context: for @idle. @filter: expression, NULL or "" none; frames are counted before it, so that a number is the one that others show.
 */
struct reader_files {
	const char *const *names;
	unsigned count;
	int (*open)(void *context, unsigned index, struct err *err);
	void *context;
	int (*ready)(void *context, struct err *err);
	void *ready_context;
	void (*idle)(void *context);
	void *idle_context;
	const char *filter;
};

/**
 * struct reader_live - what to capture. Values of 0 mean the default.
 * @interface: name, "any", or a number in the list of -D (reader_list(), from 1 on). @snaplen: bytes (128). @buffer_kib: kernel ring (2048). @promiscuous, @immediate. @direction:
 * enum packet_direction to keep, DIRECTION_UNKNOWN both. @link_type: LINKTYPE_* to ask for, UINT32_MAX the interface's own. @filter: as above.
 * @nanoseconds: ask the kernel for them.
 */
struct reader_live {
	const char *interface, *filter;
	uint32_t snaplen, buffer_kib, link_type;
	bool promiscuous, immediate, nanoseconds;
	uint8_t direction;
};

/** struct capture_interface - one interface of a capture. @name: text from outside, "" unknown. @snaplen: 0 unlimited or unknown. @ifindex: live, 0 otherwise. */
struct capture_interface {
	const char *name;
	uint32_t link_type, snaplen, ifindex;
};

/**
 * reader_open_files() - get ready to read; opens the first file and refuses what is no capture, naming it.
 * Host names in a filter are looked up here, for the link type of the first interface.
 * Return: 0, or -errno with @err: -EINVAL a filter that does not compile (quotes libpcap), -EBADMSG no capture file, -ENOTSUP packed by gzip or
 * zstd and this build has no library for it, -EINTR a signal came before the first bytes, or what opening gave.
 */
int reader_open_files(struct reader **out, const struct reader_files *wish, struct err *err);
/**
 * reader_open_live() - open and activate. Return: 0, or -errno with @err: -ENODEV no such interface (nearest name offered), -EPERM with the
 * setcap line, -EINVAL filter or link type.
 */
int reader_open_live(struct reader **out, const struct reader_live *wish, struct err *err);
/**
 * reader_next() - the next frame; its bytes are worth something until the next call. Times lie between 0 and 2^62 ns (year 2116), whatever a file
 * says; a simple packet block of pcapng, which has none, gets the time of the packet before it.
 * Return: 1; 0 at the end; -EAGAIN when a live capture has nothing for a moment (100 ms at most), a signal came, or long nothing passed the filter:
 * call again; -EINVAL with @err when the filter does not compile for the link type of this frame; -EBADMSG with @err when a file
 * is cut or broken (all whole packets before were delivered; go on calling: the next file follows); another -errno with @err.
 */
int reader_next(struct reader *reader, struct frame *frame, struct err *err);
/** reader_fd() - pollable descriptor of a live capture, -1 for files. */
int reader_fd(const struct reader *reader);
/** reader_interface() - the @index-th interface seen so far, NULL after the last. */
const struct capture_interface *reader_interface(const struct reader *reader, unsigned index);
/**
 * reader_drain() - live: stop accepting and deliver what the kernel still holds: after this, reader_next() returns what was captured until now
 * and then 0 (an unretired TPACKET_V3 block is waited for, at most 1.2 s, so that no packet the filter accepted is lost).
 */
void reader_drain(struct reader *reader);
/** reader_source() - name, link type, snaplen and drops (as differences since opening) for totals and verdicts. Cheap enough for a status line. */
void reader_source(struct reader *reader, struct capture_source *source);
/** reader_close() - NULL is fine. */
void reader_close(struct reader *reader);
/** reader_close_ptr() - cleanup handler. */
void reader_close_ptr(struct reader **reader);

/** struct listed_interface - one line of -D. @flags: "Up, Running, Loopback" as tcpdump words them. Strings live in @arena of reader_list(). */
struct listed_interface {
	const char *name, *description, *flags;
};
struct arena;
/** reader_list() - interfaces that can be captured on. Return: their number with @list in @arena, or -errno with @err. */
int reader_list(struct arena *arena, const struct listed_interface **list, struct err *err);
/** reader_link_types() - LINKTYPE_* that @interface offers (-L). Return: their number (at most @max) in @types, or -errno with @err. */
int reader_link_types(const char *interface, uint32_t *types, unsigned max, struct err *err);
/** reader_link_type_named() - "EN10MB" to LINKTYPE_*, UINT32_MAX when unknown (-y). */
uint32_t reader_link_type_named(const char *name);
/** reader_built_in() - "libpcap 1.10.3, zlib, zstd": what this build reads with. */
const char *reader_built_in(void);

#endif
