/* SPDX-License-Identifier: MIT */
/* One file after the other: opening, rotation, and what can go wrong with a disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/writer_internal.h"

#define NS_PER_S 1000000000

int writer_create(const struct writer_plan *plan, uint32_t number, int64_t begin_s, struct err *err)
{
	char name[PATH_MAX];
	int fd, status = writer_name(plan, number, begin_s, name, sizeof(name));

	if (status)
		return err_errno(err, status, "cannot write %s", plan->path);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	return fd < 0 ? err_errno(err, -errno, "cannot write %s", name) : fd;
}

static bool to_stdout(const struct writer *w)
{
	return !strcmp(w->path, "-");
}

static int open_descriptor(struct writer *w, struct err *err)
{
	int status;

	if (to_stdout(w)) {
		strcpy(w->name, "stdout");
		return STDOUT_FILENO;
	}
	status = writer_name(&w->plan, w->number, w->begin_s, w->name, sizeof(w->name));
	if (status)
		return err_errno(err, status, "cannot write %s", w->path);
	return w->open ? w->open(w->context, w->number, w->begin_s, err) : writer_create(&w->plan, w->number, w->begin_s, err);
}

static int check_written(const struct writer *w, struct err *err)
{
	return w->out.error ? err_errno(err, w->out.error, "cannot write %s", w->name) : 0;
}

static int open_file(struct writer *w, struct err *err)
{
	int fd = open_descriptor(w, err);

	if (fd < 0)
		return fd;
	w->fd = w->out.fd = fd;
	w->bytes = 0;
	w->files++;
	w->format->begin(w);
	if (w->plan.packet_buffered)
		out_flush(&w->out);
	return check_written(w, err);
}

/* A full disk may show as late as in close(), on a network file system. */
static int close_file(struct writer *w, struct err *err)
{
	if (w->fd < 0)
		return 0;
	w->format->end(w);
	out_flush(&w->out);
	if (!to_stdout(w) && close(w->fd) && !w->out.error && errno != EINTR)
		w->out.error = -errno;
	w->fd = w->out.fd = -1;
	return check_written(w, err);
}

static void keep_source(struct writer *w, const struct capture_source *source)
{
	/* the name of a file is none of an interface */
	w->interface_name = xstrdup(source->live ? source->name : "");
	w->filter = xstrdup(source->filter ? source->filter : "");
	w->live = source->live;
	w->source_interface = (struct capture_interface){ .name = w->interface_name, .link_type = source->link_type, .snaplen = source->snaplen };
}

static void free_writer(struct writer *w)
{
	/* with no descriptor nothing more is written */
	w->out.fd = -1;
	out_close(&w->out);
	out_close(&w->text);
	free(w->path);
	free(w->interface_name);
	free(w->filter);
	free(w->ids);
	free(w);
}

int writer_open(struct writer **out, const struct writer_plan *plan, writer_open_fn *open, void *context, const struct capture_source *source, struct err *err)
{
	struct writer *w;
	int status = 0;

	if (!strcmp(plan->path, "-") && (plan->rotate_bytes || plan->rotate_seconds))
		return err_set(err, -EINVAL, "stdout is one file: no rotation with -w -");
	w = xcalloc(1, sizeof(*w));
	w->plan = *plan;
	w->plan.path = w->path = xstrdup(plan->path);
	w->plan.nanoseconds |= source->nanoseconds;
	w->format = plan->pcapng ? &writer_pcapng : &writer_pcap;
	w->open = open;
	w->context = context;
	w->fd = -1;
	out_open_fd(&w->out, -1);
	out_open_mem(&w->text);
	keep_source(w, source);
	if (w->live || !plan->rotate_seconds) {
		w->begin_s = (int64_t)time(NULL);
		status = open_file(w, err);
	}
	if (status) {
		close_file(w, NULL);
		free_writer(w);
		return status;
	}
	*out = w;
	return 0;
}

static int rotate(struct writer *w, struct err *err)
{
	int status = close_file(w, err);

	return status ? status : open_file(w, err);
}

/* Moves on to the next file where one is due. Return: 0, 1 when the last allowed file is full, or -errno with @err. */
static int rotate_when_due(struct writer *w, int64_t now_s, struct err *err)
{
	const struct writer_plan *plan = &w->plan;

	if (w->fd < 0) {
		w->begin_s = now_s;
		return open_file(w, err);
	}
	if (plan->rotate_seconds && now_s - w->begin_s >= (int64_t)plan->rotate_seconds) {
		if (!plan->rotate_bytes && plan->files && w->files >= plan->files)
			return 1;
		w->begin_s = now_s;
		w->number = 0;
		return rotate(w, err);
	}
	if (plan->rotate_bytes && w->bytes > plan->rotate_bytes) {
		w->number++;
		if (plan->files && w->number >= plan->files)
			w->number = 0;
		return rotate(w, err);
	}
	return 0;
}

int writer_put(struct writer *w, const struct frame *frame, const struct capture_interface *interface, const char *comment, struct err *err)
{
	int status = check_written(w, err);

	if (!status)
		status = rotate_when_due(w, frame->time_ns / NS_PER_S, err);
	if (!status)
		status = w->format->put(w, frame, interface, comment, err);
	if (status)
		return status;
	w->last_ns = frame->time_ns;
	if (w->plan.packet_buffered)
		out_flush(&w->out);
	return check_written(w, err);
}

int writer_drops(struct writer *w, const struct capture_source *source, struct err *err)
{
	if (w->fd >= 0 && w->format->statistics && source->has_drops)
		w->format->statistics(w, source);
	return check_written(w, err);
}

int writer_flush(struct writer *w, struct err *err)
{
	if (w->fd >= 0)
		out_flush(&w->out);
	return check_written(w, err);
}

uint32_t writer_files(const struct writer *w)
{
	return w->files;
}

int writer_close(struct writer *w, struct err *err)
{
	int status;

	if (!w)
		return 0;
	status = close_file(w, err);
	free_writer(w);
	return status;
}
