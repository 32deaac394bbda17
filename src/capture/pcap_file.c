/* SPDX-License-Identifier: MIT */
/* Classic pcap files, read through libpcap: either byte order, micro- and nanoseconds, and the variants that it knows. */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture_file.h"
#include "capture/dlt.h"
#include "capture/time_scale.h"
#include "tcptriage/decode/cursor.h"

#define FILE_HEADER_BYTES 24
#define RECORD_HEADER_BYTES 16
/* Of a record's claim as much as is waited for; libpcap refuses more for nearly all link types. */
#define RECORD_BYTES_MAX 262144

#define MAGIC_MICROSECONDS 0xa1b2c3d4U
#define MAGIC_NANOSECONDS 0xa1b23c4dU

/* @ready: whole records that libpcap may read without waiting. @plain: records begin with 16 bytes, as in all but a few old variants. */
struct pcap_file {
	pcap_t *pcap;
	uint32_t link_type, interface;
	uint64_t ready;
	bool swapped, plain;
};

static void read_magic(struct capture_file *file, const uint8_t *head)
{
	struct pcap_file *p = file->state;
	struct cursor c = cursor_of(head, FILE_HEADER_BYTES);
	uint32_t magic = 0, other;

	cursor_u32ne(&c, &magic);
	other = __builtin_bswap32(magic);
	p->swapped = other == MAGIC_MICROSECONDS || other == MAGIC_NANOSECONDS;
	p->plain = p->swapped || magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS;
	if (magic == MAGIC_NANOSECONDS || other == MAGIC_NANOSECONDS)
		file->facts->nanoseconds = true;
}

static int describe(struct capture_file *file, struct err *err)
{
	struct pcap_file *p = file->state;
	int index;

	p->link_type = dlt_to_link_type(pcap_datalink(p->pcap));
	index = capture_file_interface(file, "", p->link_type, (uint32_t)pcap_snapshot(p->pcap), err);
	p->interface = (uint32_t)MAX(index, 0);
	return MIN(index, 0);
}

static int pcap_file_open(struct capture_file *file, struct err *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct pcap_file *p;
	const uint8_t *head;
	FILE *bytes;
	ssize_t n;

	if (!file->state)
		file->state = xcalloc(1, sizeof(*p));
	p = file->state;
	n = stream_peek(&file->stream, FILE_HEADER_BYTES, &head);
	if (n < 0)
		return n == -EINTR ? -EINTR : capture_file_failed(file, n, err);
	if (n >= FILE_HEADER_BYTES) {
		read_magic(file, head);
		file->stream.allowed = FILE_HEADER_BYTES;
	}
	bytes = stream_file(&file->stream);
	if (!bytes)
		return err_set(err, -ENOMEM, "no memory to read %s", file->name);
	p->pcap = pcap_fopen_offline_with_tstamp_precision(bytes, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!p->pcap) {
		fclose(bytes);
		return err_set(err, -EBADMSG, "%s is no pcap or pcapng file: %s", file->name, why);
	}
	return describe(file, err);
}

/* Bytes of the record at @bytes as it claims, no more than is sensible to wait for. */
static size_t record_bytes(const struct pcap_file *p, const uint8_t *bytes)
{
	struct cursor c = cursor_of(bytes, RECORD_HEADER_BYTES);
	uint32_t captured = 0;

	cursor_skip(&c, 8);
	cursor_u32ne(&c, &captured);
	captured = p->swapped ? __builtin_bswap32(captured) : captured;
	return RECORD_HEADER_BYTES + MIN(captured, (uint32_t)RECORD_BYTES_MAX);
}

/* libpcap cannot come back into the middle of a record, so a signal has to come while we wait: for a whole record, and what is there behind it. */
static ssize_t wait_for_records(struct capture_file *file)
{
	struct pcap_file *p = file->state;
	const uint8_t *bytes;
	size_t whole = 0;
	ssize_t n = stream_peek(&file->stream, RECORD_HEADER_BYTES, &bytes);

	if (n >= RECORD_HEADER_BYTES && p->plain)
		n = stream_peek(&file->stream, record_bytes(p, bytes), &bytes);
	if (n < 0)
		return n;
	while (p->plain && (size_t)n - whole >= RECORD_HEADER_BYTES) {
		size_t len = record_bytes(p, bytes + whole);

		if ((size_t)n - whole < len)
			break;
		whole += len;
		p->ready++;
	}
	/* 0: a cut or unknown record; libpcap finds out */
	file->stream.allowed = whole;
	return 0;
}

static int report_end(struct capture_file *file, int status, struct err *err)
{
	struct pcap_file *p = file->state;
	const char *why = pcap_geterr(p->pcap);

	if (status == PCAP_ERROR_BREAK)
		return 0;
	if (file->stream.error)
		return capture_file_failed(file, file->stream.error, err);
	return err_set(err, -EBADMSG, "%s: %s after %llu packets: %s", file->name,
		       strncmp(why, "truncated", strlen("truncated")) ? "broken" : "cut in the middle of a packet",
		       (unsigned long long)file->packets, why);
}

static int pcap_file_next(struct capture_file *file, struct frame *frame, struct err *err)
{
	struct pcap_file *p = file->state;
	struct pcap_pkthdr *header;
	const u_char *bytes;
	ssize_t n = p->ready ? 0 : wait_for_records(file);
	int status;

	if (UNLIKELY(n < 0))
		return capture_file_failed(file, n, err);
	p->ready -= p->ready > 0;
	status = pcap_next_ex(p->pcap, &header, &bytes);
	if (UNLIKELY(status != 1))
		return report_end(file, status, err);
	file->packets++;
	frame->bytes = bytes;
	frame->captured = header->caplen;
	frame->wire = MAX(header->len, header->caplen);
	/* tv_sec was 32 bits without a sign in the file, and tv_usec holds nanoseconds */
	frame->time_ns = time_scale_pcap_ns((uint32_t)header->ts.tv_sec, header->ts.tv_usec);
	frame->link_type = p->link_type;
	frame->interface = p->interface;
	frame->direction = DIRECTION_UNKNOWN;
	return 1;
}

static void pcap_file_close(struct capture_file *file)
{
	struct pcap_file *p = file->state;

	if (p->pcap)
		pcap_close(p->pcap);
	free(p);
}

const struct capture_format pcap_file_format = { pcap_file_open, pcap_file_next, pcap_file_close };
