/* SPDX-License-Identifier: MIT */
/* What a recording looks like on disk, for the one who writes it and the one who reads it.
 *
 *   manifest          text: version, byte order, host, kernel, platform, one line a sample with its clocks, one a namespace, "end"
 *   nsN-S.tcp, .udp   sock_diag dumps of namespace N, sample S: frames (below) around the kernel's datagrams
 *   nsN-S.snmp, …     copies of the files below /proc/net
 *   nsN.sysctl        "path = value" a line, as below /proc/sys/net
 *   nsN.route         text: the way to the Internet, routes to peers that did not answer or were idle
 *   nsN.network       text: interfaces, addresses, routes; older recordings hold none
 *   owners, cgroups   text: processes, descriptors; cgroup numbers
 */
#ifndef COLLECT_RECORDING_H
#define COLLECT_RECORDING_H

#include "tcptriage/base/err.h"
#include "tcptriage/model/socket.h"

#define RECORDING_VERSION 1
#define RECORDING_MAGIC "tcptriage-recording"
#define RECORDING_SAMPLES_MAX 65536
#define RECORDING_NETNS_MAX 65536
#define RECORDING_NAME_MAX 64

/** enum frame_kind - what a frame holds. An end frame closes the dump of its family: struct frame_end. */
enum frame_kind { FRAME_DATA = 1, FRAME_END = 2 };

/**
 * struct frame - before every datagram, in this machine's byte order.
 * @magic: FRAME_MAGIC. @sum: of the @len bytes that follow, so that garbage is not taken for sockets. @family: enum addr_family.
 */
struct frame {
	uint32_t magic, len, sum;
	uint8_t kind, family;
	uint16_t zero;
};
#define FRAME_MAGIC 0x4c4e5454u
/* The largest datagram a reader takes; the kernel's have 32 KiB. */
#define FRAME_BYTES_MAX (1024 * 1024)

/** struct frame_end - how the dump went. @error: 0 or the negative errno of the kernel. @complete: nothing was lost or interrupted. */
struct frame_end {
	int32_t error;
	uint32_t complete;
};

/** frame_sum() - checksum of a frame's bytes. */
static inline uint32_t frame_sum(const void *bytes, size_t len)
{
	return (uint32_t)hash_bytes(0, bytes, len);
}

/** recording_byte_order() - "little" or "big", of this machine. */
static inline const char *recording_byte_order(void)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "little" : "big";
}

/** recording_name() - name of a file of namespace @ns and sample @sample. */
void recording_name(char name[RECORDING_NAME_MAX], unsigned ns, unsigned sample, const char *what);
/** recording_ns_name() - name of a file of namespace @ns that is written once. */
void recording_ns_name(char name[RECORDING_NAME_MAX], unsigned ns, const char *what);
/** recording_open() - open a regular file of the recording for reading. Return: descriptor or -errno. */
int recording_open(int dir, const char *name);

/**
 * struct frame_reader - the frames of an open file. @frame: the newest, its bytes in @bytes (room for @size). @offset: read so far.
 * @cut: the file ended inside a frame. @garbage: frames whose sum or head is wrong; after a wrong head nothing more is read.
 */
struct frame_reader {
	struct frame frame;
	uint8_t *bytes;
	size_t size;
	uint64_t offset;
	unsigned garbage;
	bool cut;
	int fd;
};
/** frame_open() - read from @fd (not owned). */
void frame_open(struct frame_reader *reader, int fd);
/** frame_close() - releases the buffer. Fit for CLEANUP(). */
void frame_close(struct frame_reader *reader);
/** frame_next() - the next frame whose sum is right. Return: false at the end. */
bool frame_next(struct frame_reader *reader);

#endif
