/* SPDX-License-Identifier: MIT */
/* A list of capture files read as one: frames and interfaces are numbered over all of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture_file.h"
#include "capture/packet_filter.h"
#include "capture/reader_internal.h"
#include "tcptriage/base/out.h"

/* So many frames in a row that the filter rejects, then the caller may look whether it was told to stop. */
#define FRAMES_AT_ONCE 65536
#define LINKTYPE_ETHERNET 1

enum stage { STAGE_NONE, STAGE_OPENED, STAGE_READING };

/* @next_file: index of the one to open next. @label: of the whole list, for messages. @stage: how far @file is. @number: of the last frame. */
struct files_reader {
	struct reader base;
	struct reader_files wish;
	unsigned next_file;
	enum stage stage;
	bool cut;
	uint64_t number;
	struct out label;
	struct packet_filter filter;
	struct capture_file file;
	struct capture_facts facts;
};

static const struct reader_ops files_ops;

static bool is_stdin(const char *name)
{
	return !strcmp(name, "-");
}

static int open_named(const struct files_reader *r, unsigned index, struct err *err)
{
	const char *name = r->wish.names[index];
	int fd;

	if (is_stdin(name))
		return STDIN_FILENO;
	if (r->wish.open)
		return r->wish.open(r->wish.context, index, err);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? err_errno(err, -errno, "cannot open %s", name) : fd;
}

static void close_file(struct files_reader *r)
{
	if (r->stage != STAGE_NONE)
		capture_file_close(&r->file);
	r->stage = STAGE_NONE;
}

/* Gets the current or the next file ready. Return: 1, 0 when there is none, -EAGAIN after a signal, or -errno with @err: then the file is behind us. */
static int begin_file(struct files_reader *r, struct err *err)
{
	int fd, status;

	if (r->stage == STAGE_NONE) {
		unsigned index = r->next_file;

		if (index == r->wish.count)
			return 0;
		r->next_file++;
		fd = open_named(r, index, err);
		if (fd < 0)
			return fd;
		capture_file_open(&r->file, fd, is_stdin(r->wish.names[index]) ? "stdin" : r->wish.names[index], &r->facts);
		r->file.stream.idle = r->wish.idle;
		r->file.stream.idle_context = r->wish.idle_context;
		r->stage = STAGE_OPENED;
	}
	status = capture_file_begin(&r->file, err);
	if (status == -EINTR)
		return -EAGAIN;
	if (status) {
		close_file(r);
		return status;
	}
	r->stage = STAGE_READING;
	return 1;
}

/* The next frame of the current file. Return: as reader_next(), but 0 at the end of the file. */
static int next_in_file(struct files_reader *r, struct frame *frame, struct err *err)
{
	for (unsigned i = 0; i < FRAMES_AT_ONCE; i++) {
		int status = r->file.format->next(&r->file, frame, err);

		if (status != 1)
			return status;
		frame->number = ++r->number;
		if (!r->filter.expression)
			return 1;
		status = packet_filter_pass(&r->filter, frame, err);
		if (status)
			return status;
	}
	return -EAGAIN;
}

static int files_next(struct reader *reader, struct frame *frame, struct err *err)
{
	struct files_reader *r = (struct files_reader *)reader;

	for (;;) {
		int status = r->stage == STAGE_READING ? 1 : begin_file(r, err);

		if (status != 1)
			return status;
		status = next_in_file(r, frame, err);
		if (status == 1 || status == -EAGAIN)
			return status;
		r->cut |= status == -EBADMSG;
		close_file(r);
		if (status)
			return status;
	}
}

static const struct capture_interface *files_interface(const struct reader *reader, unsigned index)
{
	const struct files_reader *r = (const struct files_reader *)reader;

	return index < r->facts.interfaces.count ? r->facts.interfaces.rows[index] : NULL;
}

static void files_source(struct reader *reader, struct capture_source *source)
{
	struct files_reader *r = (struct files_reader *)reader;
	const struct capture_interface *first = files_interface(reader, 0);

	*source = (struct capture_source){
		.name = out_text(&r->label),
		.filter = r->filter.expression ? r->filter.expression : "",
		.link_type = first ? first->link_type : 0,
		.snaplen = first ? first->snaplen : 0,
		.several_link_types = interfaces_several_link_types(&r->facts.interfaces),
		.has_drops = r->facts.has_drops,
		.received = r->facts.received,
		.dropped_kernel = r->facts.dropped_kernel,
		.dropped_interface = r->facts.dropped_interface,
		.nanoseconds = r->facts.nanoseconds,
		.cut = r->cut,
	};
}

static void files_close(struct reader *reader)
{
	struct files_reader *r = (struct files_reader *)reader;

	close_file(r);
	packet_filter_close(&r->filter);
	interfaces_free(&r->facts.interfaces);
	out_close(&r->label);
	free(r);
}

static const struct reader_ops files_ops = { .next = files_next, .interface = files_interface, .source = files_source, .close = files_close };

static void write_label(struct files_reader *r)
{
	out_open_mem(&r->label);
	out_str(&r->label, is_stdin(r->wish.names[0]) ? "stdin" : r->wish.names[0]);
	if (r->wish.count > 1)
		out_printf(&r->label, " and %u more", r->wish.count - 1);
}

/* A slip in the expression is found on the first interface. In pcapng that one may have no packets, so there it is enough that another could match. */
static int check_filter(struct files_reader *r, struct err *err)
{
	const struct interfaces *interfaces = &r->facts.interfaces;
	int status = interfaces->count ? packet_filter_compile(&r->filter, interfaces->rows[0]->link_type, err) : 0;

	if (status && r->file.format == &pcapng_file_format && !packet_filter_compile(&r->filter, LINKTYPE_ETHERNET, NULL))
		status = 0;
	return status;
}

/* Link types that files mostly have. Names of hosts and services are looked up while a filter is compiled, which needs files and sockets that a
 * process without privileges cannot open, so this is done for all of them before the first file tells which it is. */
static int compile_ahead(struct files_reader *r, struct err *err)
{
	static const uint32_t common[] = { LINKTYPE_ETHERNET, 101, 113, 276, 0, 108, 9, 50, 51, 104, 12, 228, 229, 239, 127, 105 };
	int status;

	if (!r->filter.expression)
		return 0;
	status = packet_filter_compile(&r->filter, common[0], err);
	for (size_t i = 1; i < ARRAY_SIZE(common); i++) {
		if (!packet_filter_compile(&r->filter, common[i], NULL))
			status = 0;
	}
	return status;
}

int reader_open_files(struct reader **out, const struct reader_files *wish, struct err *err)
{
	CLEANUP(reader_close_ptr) struct reader *reader = NULL;
	struct files_reader *r;
	int status;

	if (!wish->count)
		return err_set(err, -EINVAL, "no capture file is named");
	r = xcalloc(1, sizeof(*r));
	r->base.ops = &files_ops;
	r->wish = *wish;
	packet_filter_open(&r->filter, wish->filter);
	write_label(r);
	reader = &r->base;
	status = wish->ready ? compile_ahead(r, err) : 0;
	if (!status && wish->ready)
		status = wish->ready(wish->ready_context, err);
	if (status)
		return status;
	status = begin_file(r, err);
	if (status == -EAGAIN)
		return err_set(err, -EINTR, "interrupted while waiting for the first bytes of %s", out_text(&r->label));
	if (status == 1)
		status = check_filter(r, err);
	if (status < 0)
		return status;
	*out = reader;
	reader = NULL;
	return 0;
}
