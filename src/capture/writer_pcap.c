/* SPDX-License-Identifier: MIT */
/* Classic pcap: one header with one link type and one snapshot length, then records, in this machine's byte order. */
#include <errno.h>

#include "capture/dlt.h"
#include "capture/writer_internal.h"

#define MAGIC_MICROSECONDS 0xa1b2c3d4U
#define MAGIC_NANOSECONDS 0xa1b23c4dU

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, link_type;
};

struct record_header {
	uint32_t seconds, fraction, captured, wire;
};

static void put_header(struct writer *w, const struct capture_interface *interface)
{
	const struct file_header header = {
		.magic = w->plan.nanoseconds ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS,
		.major = 2,
		.minor = 4,
		.snaplen = interface->snaplen ? interface->snaplen : WRITER_SNAPLEN,
		.link_type = interface->link_type,
	};

	writer_append(w, &header, sizeof(header));
	w->link_type = header.link_type;
	w->snaplen = header.snaplen;
	w->has_header = true;
}

/* Whoever reads a live capture from a pipe waits for the header; the link type of files is only sure with the first frame. */
static void pcap_begin(struct writer *w)
{
	w->has_header = false;
	if (w->live)
		put_header(w, &w->source_interface);
}

static int refuse_link_type(const struct writer *w, const struct frame *frame, struct err *err)
{
	char has[32], other[32];

	return err_set(err, -EINVAL, "%s: a pcap file holds one link type, here %s, and frame %llu has %s: write to a name that ends in .pcapng", w->name,
		       dlt_name(w->link_type, has, sizeof(has)), (unsigned long long)frame->number, dlt_name(frame->link_type, other, sizeof(other)));
}

static int refuse_length(const struct writer *w, const struct frame *frame, struct err *err)
{
	return err_set(err, -EINVAL,
		       "%s: a pcap file holds one snapshot length, here %u bytes, and frame %llu has %u: write to a name that ends in .pcapng", w->name,
		       w->snaplen, (unsigned long long)frame->number, frame->captured);
}

static int pcap_put(struct writer *w, const struct frame *frame, const struct capture_interface *interface, const char *comment, struct err *err)
{
	uint64_t seconds = (uint64_t)frame->time_ns / 1000000000;
	uint32_t ns = (uint32_t)((uint64_t)frame->time_ns % 1000000000);
	const struct record_header header = {
		.seconds = (uint32_t)MIN(seconds, (uint64_t)UINT32_MAX),
		.fraction = w->plan.nanoseconds ? ns : ns / 1000,
		.captured = frame->captured,
		.wire = frame->wire,
	};

	(void)comment; /* the format has no place for one */
	if (!w->has_header)
		put_header(w, interface);
	if (frame->link_type != w->link_type)
		return refuse_link_type(w, frame, err);
	/* readers would cut it */
	if (frame->captured > w->snaplen)
		return refuse_length(w, frame, err);
	writer_append(w, &header, sizeof(header));
	writer_append(w, frame->bytes, frame->captured);
	return 0;
}

static void pcap_end(struct writer *w)
{
	if (!w->has_header)
		put_header(w, &w->source_interface);
}

const struct writer_format writer_pcap = { .begin = pcap_begin, .put = pcap_put, .end = pcap_end };
